/* tfplugin_plan.c - requests and replies of planning, importing, generating and functions. */
#include "live/reader_provider/tfplugin.h"

#include "base/arena.h"
#include "base/err.h"
#include "live/reader_provider/tfplugin_wire.h"

enum { REPLACE_PATHS_MAX = 10000, IMPORTED_MAX = 10000 };

/* --- validating --- */

void tf_encode_validate_resource(struct buf *out, struct str type_name, struct str config)
{
    pb_put_bytes(out, 1, type_name);
    tf_put_dynamic(out, 2, config);
    tf_put_capabilities(out, 3);
}

/* --- planning --- */

void tf_encode_plan(struct buf *out, const struct tf_plan_request *request)
{
    pb_put_bytes(out, 1, request->type_name);
    tf_put_dynamic(out, 2, request->prior);
    tf_put_dynamic(out, 3, request->proposed);
    tf_put_dynamic(out, 4, request->config);
    pb_put_bytes(out, 5, request->private_bytes);
    if (request->provider_meta.ptr)
        tf_put_dynamic(out, 6, request->provider_meta);
    tf_put_capabilities(out, 7);
    tf_put_identity(out, 8, request->identity);
}

struct plan_message {
    struct str planned, deferred;
    struct pb_list replace, diagnostics;
    bool legacy;
};
static const struct pb_rule plan_rules[] = {
    PB_RULE(1, PB_MESSAGE, struct plan_message, planned),
    PB_RULE(2, PB_MANY, struct plan_message, replace),
    PB_RULE(4, PB_MANY, struct plan_message, diagnostics),
    PB_RULE(5, PB_BOOL, struct plan_message, legacy),
    PB_RULE(6, PB_MESSAGE, struct plan_message, deferred),
};
static const struct pb_message plan_message =
    PB_MESSAGE_OF("PlanResourceChange.Response", plan_rules);

static bool take_paths(struct arena *arena, struct pb_list list, struct tf_plan_reply *ret,
                       struct err *err)
{
    if (list.n > REPLACE_PATHS_MAX)
        return err_set(err, ERR_LIMIT, "%zu paths that require replacement", list.n);
    struct path *paths = arena_new(arena, struct path, list.n);
    if (!paths)
        return arena_full(arena, err);
    for (size_t i = 0; i < list.n; i++)
        if (!tf_take_path(arena, list.items[i], &paths[i], err))
            return false;
    ret->requires_replace = paths;
    ret->nrequires_replace = list.n;
    return true;
}

bool tf_decode_plan(struct arena *arena, struct str bytes, struct tf_plan_reply *ret,
                    struct err *err)
{
    struct plan_message m = {0};
    struct tf_plan_reply got = {0};
    if (!pb_decode(arena, &plan_message, bytes, &m, err) ||
        !tf_take_dynamic(arena, m.planned, &got.planned, err) ||
        !take_paths(arena, m.replace, &got, err) ||
        !tf_take_deferred(arena, m.deferred, &got.deferred, err) ||
        !tf_take_diagnostics(arena, m.diagnostics, &got.diagnostics, err))
        return false;
    got.legacy = m.legacy;
    *ret = got;
    return true;
}

/* --- importing --- */

void tf_encode_import(struct buf *out, struct str type_name, struct str id, struct str identity)
{
    pb_put_bytes(out, 1, type_name);
    pb_put_bytes(out, 2, id);
    tf_put_capabilities(out, 3);
    if (!id.len)
        tf_put_identity(out, 4, identity);
}

struct imported_message {
    struct str type_name, state, private_bytes, identity;
};
static const struct pb_rule imported_rules[] = {
    PB_RULE(1, PB_STRING, struct imported_message, type_name),
    PB_RULE(2, PB_MESSAGE, struct imported_message, state),
    PB_RULE(3, PB_BYTES, struct imported_message, private_bytes),
    PB_RULE(4, PB_MESSAGE, struct imported_message, identity),
};
static const struct pb_message imported_message =
    PB_MESSAGE_OF("ImportResourceState.ImportedResource", imported_rules);

struct import_message {
    struct pb_list imported, diagnostics;
    struct str deferred;
};
static const struct pb_rule import_rules[] = {
    PB_RULE(1, PB_MANY, struct import_message, imported),
    PB_RULE(2, PB_MANY, struct import_message, diagnostics),
    PB_RULE(3, PB_MESSAGE, struct import_message, deferred),
};
static const struct pb_message import_message =
    PB_MESSAGE_OF("ImportResourceState.Response", import_rules);

static bool take_imported(struct arena *arena, struct str bytes, struct tf_imported *ret,
                          struct err *err)
{
    struct imported_message m = {0};
    if (!pb_decode(arena, &imported_message, bytes, &m, err) ||
        !tf_take_dynamic(arena, m.state, &ret->state, err) ||
        !tf_take_identity(arena, m.identity, &ret->identity, err))
        return false;
    ret->type_name = m.type_name;
    ret->private_bytes = m.private_bytes;
    return true;
}

bool tf_decode_import(struct arena *arena, struct str bytes, struct tf_import_reply *ret,
                      struct err *err)
{
    struct import_message m = {0};
    struct tf_import_reply got = {0};
    if (!pb_decode(arena, &import_message, bytes, &m, err))
        return false;
    if (m.imported.n > IMPORTED_MAX)
        return err_set(err, ERR_LIMIT, "%zu imported resources", m.imported.n);
    struct tf_imported *items = arena_new(arena, struct tf_imported, m.imported.n);
    if (!items)
        return arena_full(arena, err);
    for (size_t i = 0; i < m.imported.n; i++)
        if (!take_imported(arena, m.imported.items[i], &items[i], err))
            return false;
    got.items = items;
    got.n = m.imported.n;
    if (!tf_take_deferred(arena, m.deferred, &got.deferred, err) ||
        !tf_take_diagnostics(arena, m.diagnostics, &got.diagnostics, err))
        return false;
    *ret = got;
    return true;
}

void tf_encode_generate(struct buf *out, struct str type_name, struct str state)
{
    pb_put_bytes(out, 1, type_name);
    tf_put_dynamic(out, 2, state);
}

/* --- functions --- */

void tf_encode_call_function(struct buf *out, struct str name, const struct str *args, size_t nargs)
{
    pb_put_bytes(out, 1, name);
    for (size_t i = 0; i < nargs; i++)
        tf_put_dynamic(out, 2, args[i]);
}

struct call_message {
    struct str result, error;
};
static const struct pb_rule call_rules[] = {
    PB_RULE(1, PB_MESSAGE, struct call_message, result),
    PB_RULE(2, PB_MESSAGE, struct call_message, error),
};
static const struct pb_message call_message = PB_MESSAGE_OF("CallFunction.Response", call_rules);

struct error_message {
    struct str text;
    int64_t argument;
};
static const struct pb_rule error_rules[] = {
    PB_RULE(1, PB_STRING, struct error_message, text),
    PB_RULE(2, PB_INT64, struct error_message, argument),
};
static const struct pb_message error_message = PB_MESSAGE_OF("FunctionError", error_rules);

bool tf_decode_call_function(struct arena *arena, struct str bytes, struct tf_function_reply *ret,
                             struct err *err)
{
    struct call_message m = {0};
    struct error_message error = {.argument = -1};
    struct tf_function_reply got = {.argument = -1};
    if (!pb_decode(arena, &call_message, bytes, &m, err) ||
        !tf_take_dynamic(arena, m.result, &got.result, err))
        return false;
    if (m.error.ptr) {
        if (!pb_decode(arena, &error_message, m.error, &error, err))
            return false;
        got.result = (struct str){0};
        got.error = error.text.ptr ? error.text : STR("it gave no reason");
        got.argument = error.argument;
    }
    *ret = got;
    return true;
}
