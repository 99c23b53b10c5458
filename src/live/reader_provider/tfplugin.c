/* tfplugin.c - requests and replies of configuring and reading, diagnostics. Schemas:
 * tfplugin_schema.c; planning, importing and functions: tfplugin_plan.c. */
#include "live/reader_provider/tfplugin.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/tfplugin_wire.h"
#include "live/reader_provider/words.h"
#include "wire/protobuf.h"

enum { TEXT_MAX = 400, DIAGNOSTICS_MAX = 1000, STEPS_MAX = 100 };

/* --- requests --- */

void tf_put_dynamic(struct buf *out, uint32_t number, struct str msgpack)
{
    size_t mark = pb_open(out, number);
    pb_put_bytes(out, 1, msgpack);
    pb_close(out, mark);
}

/* What we can take: write-only attributes are null in replies. Never deferral. */
void tf_put_capabilities(struct buf *out, uint32_t number)
{
    size_t mark = pb_open(out, number);
    pb_put_bool(out, 2, true);
    pb_close(out, mark);
}

void tf_put_identity(struct buf *out, uint32_t number, struct str identity)
{
    if (!identity.ptr)
        return;
    size_t mark = pb_open(out, number);
    tf_put_dynamic(out, 1, identity);
    pb_close(out, mark);
}

void tf_encode_validate_config(struct buf *out, struct str config)
{
    tf_put_dynamic(out, 1, config);
}

void tf_encode_configure(struct buf *out, struct str terraform_version, struct str config)
{
    pb_put_bytes(out, 1, terraform_version);
    tf_put_dynamic(out, 2, config);
    tf_put_capabilities(out, 3);
}

void tf_encode_upgrade(struct buf *out, const struct tf_raw_state *state)
{
    pb_put_bytes(out, 1, state->type_name);
    pb_put_int(out, 2, state->version);
    size_t raw = pb_open(out, 3);
    pb_put_bytes(out, 1, state->json);
    for (size_t i = 0; i < state->nflatmap; i++) {
        size_t pair = pb_open(out, 2);
        pb_put_bytes(out, 1, state->flatmap[i].key);
        pb_put_bytes(out, 2, state->flatmap[i].value);
        pb_close(out, pair);
    }
    pb_close(out, raw);
}

void tf_encode_read(struct buf *out, const struct tf_read_request *request)
{
    pb_put_bytes(out, 1, request->type_name);
    tf_put_dynamic(out, 2, request->state);
    pb_put_bytes(out, 3, request->private_bytes);
    if (request->provider_meta.ptr)
        tf_put_dynamic(out, 4, request->provider_meta);
    tf_put_capabilities(out, 5);
    tf_put_identity(out, 6, request->identity);
}

/* --- replies --- */

struct dynamic_value {
    struct str msgpack, json;
};
static const struct pb_rule dynamic_rules[] = {
    PB_RULE(1, PB_BYTES, struct dynamic_value, msgpack),
    PB_RULE(2, PB_BYTES, struct dynamic_value, json),
};
static const struct pb_message dynamic_message = PB_MESSAGE_OF("DynamicValue", dynamic_rules);

/* The msgpack of a DynamicValue; ptr NULL where there is none. */
bool tf_take_dynamic(struct arena *arena, struct str message, struct str *ret, struct err *err)
{
    struct dynamic_value value = {0};
    if (message.ptr && !pb_decode(arena, &dynamic_message, message, &value, err))
        return false;
    if (!value.msgpack.len && value.json.len)
        return err_set(err, ERR_UNSUPPORTED, "the provider answered with a JSON value");
    *ret = value.msgpack.len ? value.msgpack : (struct str){0};
    return true;
}

struct wrapped {
    struct str value;
};
static const struct pb_rule identity_rules[] = {PB_RULE(1, PB_MESSAGE, struct wrapped, value)};
static const struct pb_message identity_message =
    PB_MESSAGE_OF("ResourceIdentityData", identity_rules);

bool tf_take_identity(struct arena *arena, struct str message, struct str *ret, struct err *err)
{
    struct wrapped identity = {0};
    if (message.ptr && !pb_decode(arena, &identity_message, message, &identity, err))
        return false;
    return tf_take_dynamic(arena, identity.value, ret, err);
}

/* --- diagnostics --- */

struct diagnostic {
    int64_t severity;
    struct str summary, detail, attribute;
};
static const struct pb_rule diagnostic_rules[] = {
    PB_RULE(1, PB_INT64, struct diagnostic, severity),
    PB_RULE(2, PB_STRING, struct diagnostic, summary),
    PB_RULE(3, PB_STRING, struct diagnostic, detail),
    PB_RULE(4, PB_MESSAGE, struct diagnostic, attribute),
};
static const struct pb_message diagnostic_message = PB_MESSAGE_OF("Diagnostic", diagnostic_rules);

struct attribute_path {
    struct pb_list steps;
};
static const struct pb_rule path_rules[] = {PB_RULE(1, PB_MANY, struct attribute_path, steps)};
static const struct pb_message path_message = PB_MESSAGE_OF("AttributePath", path_rules);

/* A oneof: the last member wins. */
static bool take_step(struct str bytes, struct path_step *ret, struct err *err)
{
    struct pb_reader in = {.bytes = bytes};
    struct pb_field field;
    struct path_step step = {.kind = PATH_ELEMENT};
    while (pb_next(&in, &field)) {
        if ((field.number == 1 || field.number == 2) && field.wire == PB_LENGTH)
            step = (struct path_step){.kind = PATH_KEY, .key = field.bytes};
        else if (field.number == 3 && field.wire == PB_VARINT)
            step = (struct path_step){.kind = PATH_INDEX, .index = (int64_t)field.number_value};
    }
    *ret = step;
    return pb_reader_ok(&in, "AttributePath.Step", err);
}

bool tf_take_path(struct arena *arena, struct str message, struct path *ret, struct err *err)
{
    struct attribute_path path = {0};
    if (!message.ptr)
        return true;
    if (!pb_decode(arena, &path_message, message, &path, err))
        return false;
    size_t n = path.steps.n < STEPS_MAX ? path.steps.n : STEPS_MAX;
    struct path_step *steps = arena_new(arena, struct path_step, n);
    if (!steps)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++)
        if (!take_step(path.steps.items[i], &steps[i], err))
            return false;
    *ret = (struct path){steps, n};
    return true;
}

bool tf_take_diagnostics(struct arena *arena, struct pb_list list, struct tf_diagnostics *ret,
                         struct err *err)
{
    size_t n = list.n < DIAGNOSTICS_MAX ? list.n : DIAGNOSTICS_MAX;
    struct tf_diagnostic *items = arena_new(arena, struct tf_diagnostic, n);
    struct tf_diagnostics got = {.items = items, .n = n};
    if (!items)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        struct diagnostic one = {0};
        if (!pb_decode(arena, &diagnostic_message, list.items[i], &one, err) ||
            !tf_take_path(arena, one.attribute, &items[i].attribute, err))
            return false;
        items[i].severity = one.severity == 2 ? TF_WARNING : TF_ERROR;
        items[i].summary = one.summary;
        items[i].detail = one.detail;
        got.nerrors += items[i].severity == TF_ERROR;
    }
    *ret = got;
    return true;
}

static const struct tf_diagnostic *foremost(const struct tf_diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics->n; i++)
        if (diagnostics->items[i].severity == TF_ERROR)
            return &diagnostics->items[i];
    return diagnostics->n ? &diagnostics->items[0] : NULL;
}

struct str tf_diagnostics_text(struct arena *arena, const struct tf_diagnostics *diagnostics)
{
    AUTO_BUF text = {.limit = 4 * TEXT_MAX};
    const struct tf_diagnostic *first = foremost(diagnostics);
    if (!first)
        return STR("");
    struct str summary = str_trim(first->summary), detail = str_trim(first->detail);
    words_put(&text, summary, TEXT_MAX / 2);
    if (detail.len && !str_equal(detail, summary)) {
        buf_str(&text, summary.len ? STR(": ") : STR(""));
        words_put(&text, detail, TEXT_MAX - text.len);
    }
    struct str path = first->attribute.n ? path_text(arena, first->attribute) : STR("");
    if (path.len && text.len + path.len < 2 * TEXT_MAX)
        buf_printf(&text, " (at %.*s)", STR_ARG(path));
    size_t alike = first->severity == TF_ERROR ? diagnostics->nerrors : diagnostics->n;
    if (alike > 1)
        buf_printf(&text, " (and %zu more)", alike - 1);
    return arena_dup(arena, buf_view(&text));
}

/* --- the replies themselves --- */

/* Every reply of ours is some of these. */
struct reply {
    struct str value, private_bytes, deferred, identity;
    struct pb_list diagnostics;
};

static const struct pb_rule validate_rules[] = {
    PB_RULE(1, PB_MESSAGE, struct reply, value), /* protocol 5 alone */
    PB_RULE(2, PB_MANY, struct reply, diagnostics),
};
static const struct pb_message validate_message =
    PB_MESSAGE_OF("ValidateProviderConfig.Response", validate_rules);

bool tf_decode_validate_config(struct arena *arena, int protocol, struct str bytes,
                               struct tf_validate_reply *ret, struct err *err)
{
    struct reply reply = {0};
    struct tf_validate_reply got = {0};
    if (!pb_decode(arena, &validate_message, bytes, &reply, err) ||
        !tf_take_diagnostics(arena, reply.diagnostics, &got.diagnostics, err))
        return false;
    if (protocol == 5 && !tf_take_dynamic(arena, reply.value, &got.prepared, err))
        return false;
    *ret = got;
    return true;
}

static const struct pb_rule configure_rules[] = {PB_RULE(1, PB_MANY, struct reply, diagnostics)};
static const struct pb_message configure_message =
    PB_MESSAGE_OF("ConfigureProvider.Response", configure_rules);

bool tf_decode_configure(struct arena *arena, struct str bytes, struct tf_diagnostics *ret,
                         struct err *err)
{
    struct reply reply = {0};
    return pb_decode(arena, &configure_message, bytes, &reply, err) &&
           tf_take_diagnostics(arena, reply.diagnostics, ret, err);
}

static const struct pb_rule upgrade_rules[] = {
    PB_RULE(1, PB_MESSAGE, struct reply, value),
    PB_RULE(2, PB_MANY, struct reply, diagnostics),
};
static const struct pb_message upgrade_message =
    PB_MESSAGE_OF("UpgradeResourceState.Response", upgrade_rules);

static bool decode_upgrade(struct arena *arena, struct str bytes, bool identity,
                           struct tf_upgrade_reply *ret, struct err *err)
{
    struct reply reply = {0};
    struct tf_upgrade_reply got = {0};
    if (!pb_decode(arena, &upgrade_message, bytes, &reply, err) ||
        !(identity ? tf_take_identity : tf_take_dynamic)(arena, reply.value, &got.state, err) ||
        !tf_take_diagnostics(arena, reply.diagnostics, &got.diagnostics, err))
        return false;
    *ret = got;
    return true;
}

bool tf_decode_upgrade_state(struct arena *arena, struct str bytes, struct tf_upgrade_reply *ret,
                             struct err *err)
{
    return decode_upgrade(arena, bytes, false, ret, err);
}

bool tf_decode_upgrade_identity(struct arena *arena, struct str bytes, struct tf_upgrade_reply *ret,
                                struct err *err)
{
    return decode_upgrade(arena, bytes, true, ret, err);
}

static const struct pb_rule read_rules[] = {
    PB_RULE(1, PB_MESSAGE, struct reply, value),
    PB_RULE(2, PB_MANY, struct reply, diagnostics),
    PB_RULE(3, PB_BYTES, struct reply, private_bytes),
    PB_RULE(4, PB_MESSAGE, struct reply, deferred),
    PB_RULE(5, PB_MESSAGE, struct reply, identity),
};
static const struct pb_message read_message = PB_MESSAGE_OF("ReadResource.Response", read_rules);

struct deferred {
    int64_t reason;
};
static const struct pb_rule deferred_rules[] = {PB_RULE(1, PB_INT64, struct deferred, reason)};
static const struct pb_message deferred_message = PB_MESSAGE_OF("Deferred", deferred_rules);

bool tf_take_deferred(struct arena *arena, struct str message, enum tf_deferred *ret,
                      struct err *err)
{
    struct deferred deferred = {0};
    *ret = TF_NOT_DEFERRED;
    if (!message.ptr)
        return true;
    if (!pb_decode(arena, &deferred_message, message, &deferred, err))
        return false;
    bool known = deferred.reason > 0 && deferred.reason <= TF_DEFERRED_PREREQUISITE;
    *ret = known ? (enum tf_deferred)deferred.reason : TF_DEFERRED_UNKNOWN;
    return true;
}

bool tf_decode_read(struct arena *arena, struct str bytes, struct tf_read_reply *ret,
                    struct err *err)
{
    struct reply reply = {0};
    struct tf_read_reply got = {0};
    if (!pb_decode(arena, &read_message, bytes, &reply, err) ||
        !tf_take_dynamic(arena, reply.value, &got.state, err) ||
        !tf_take_identity(arena, reply.identity, &got.identity, err) ||
        !tf_take_deferred(arena, reply.deferred, &got.deferred, err) ||
        !tf_take_diagnostics(arena, reply.diagnostics, &got.diagnostics, err))
        return false;
    got.private_bytes = reply.private_bytes;
    *ret = got;
    return true;
}

bool tf_is_null(struct str msgpack)
{
    return msgpack.len == 1 && (unsigned char)msgpack.ptr[0] == 0xc0;
}

const char *tf_deferred_text(enum tf_deferred deferred)
{
    switch (deferred) {
    case TF_DEFERRED_RESOURCE_CONFIG:
        return "deferred: the resource's configuration is not known yet";
    case TF_DEFERRED_PROVIDER_CONFIG:
        return "deferred: the provider's configuration is not known yet";
    case TF_DEFERRED_PREREQUISITE:
        return "deferred: something that it depends on is absent";
    case TF_NOT_DEFERRED:
        return "";
    default:
        return "deferred by the provider without a reason";
    }
}

static const struct pb_rule stop_rules[] = {PB_RULE(1, PB_STRING, struct wrapped, value)};
static const struct pb_message stop_message = PB_MESSAGE_OF("StopProvider.Response", stop_rules);

bool tf_decode_stop(struct str bytes, struct str *ret, struct err *err)
{
    struct arena none = {0};
    struct wrapped got = {0};
    if (!pb_decode(&none, &stop_message, bytes, &got, err))
        return false;
    *ret = got.value;
    return true;
}
