/* audit_ocsf.c - which member of OCSF holds which of an event. */
#include "record/audit_ocsf.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "record/audit.h"
#include "wire/json.h"

enum {
    CATEGORY = 6,
    CLASS = 6003,
    ACTIVITY_OTHER = 99,
    TYPE = CLASS * 100 + ACTIVITY_OTHER,
    STATUS_SUCCESS = 1,
    STATUS_FAILURE = 2,
    STATUS_OTHER = 99,
    SEVERITY_INFO = 1,
    SHA_256 = 3
};

static const struct str versions[] = {
    [OCSF_1_3] = STR_INIT("1.3.0"),
    [OCSF_1_8] = STR_INIT("1.8.0"),
    [OCSF_1_9] = STR_INIT("1.9.0-dev"),
};

bool ocsf_version_from(struct str text, enum ocsf_version *ret)
{
    for (int v = 0; v < OCSF_VERSION_COUNT; v++) {
        if (!str_equal(text, versions[v]) && !str_equal(text, str_sub(versions[v], 0, 3)))
            continue;
        *ret = (enum ocsf_version)v;
        return true;
    }
    return false;
}

struct ocsf {
    struct jsonw w;
    struct arena *arena;
    const struct audit_line *line;
    struct str origin;
    enum ocsf_version version;
};

/* What stands between the quotes of a line, without its escapes. */
static struct str plain(struct ocsf *o, struct str raw)
{
    struct value v;
    struct str quoted = arena_printf(o->arena, "\"%.*s\"", STR_ARG(raw));
    if (!memchr(raw.ptr ? raw.ptr : "", '\\', raw.len))
        return raw;
    return quoted.ptr && json_parse(o->arena, quoted, "event", JSON_DEFAULT, &v, NULL)
               ? value_text(&v)
               : STR("");
}

static void put(struct ocsf *o, struct str key, struct str raw)
{
    if (raw.len)
        jsonw_member_string(&o->w, key, plain(o, raw));
}

static void put_named(struct ocsf *o, struct str key, struct str name)
{
    jsonw_key(&o->w, key);
    jsonw_object_open(&o->w);
    jsonw_member_string(&o->w, STR("name"), name);
    jsonw_object_close(&o->w);
}

static void put_actor(struct ocsf *o)
{
    jsonw_key(&o->w, STR("actor"));
    jsonw_object_open(&o->w);
    jsonw_key(&o->w, STR("user"));
    jsonw_object_open(&o->w);
    jsonw_member_string(&o->w, STR("name"), plain(o, o->line->actor));
    jsonw_member_string(&o->w, STR("type"), plain(o, o->line->how));
    jsonw_object_close(&o->w);
    jsonw_object_close(&o->w);
    jsonw_key(&o->w, STR("api"));
    jsonw_object_open(&o->w);
    put(o, STR("operation"), o->line->type);
    put_named(o, STR("service"), STR("plumb"));
    jsonw_object_close(&o->w);
}

static void put_metadata(struct ocsf *o)
{
    struct str uid =
        arena_printf(o->arena, "%.*s#%lld", STR_ARG(o->origin), (long long)o->line->seq);
    jsonw_key(&o->w, STR("metadata"));
    jsonw_object_open(&o->w);
    put(o, STR("event_code"), o->line->type);
    jsonw_member_string(&o->w, STR("log_name"), o->origin);
    jsonw_key(&o->w, STR("product"));
    jsonw_object_open(&o->w);
    jsonw_member_string(&o->w, STR("name"), STR("plumb"));
    jsonw_member_string(&o->w, STR("vendor_name"), STR("plumb"));
    jsonw_member_string(&o->w, STR("version"), STR(PLUMB_VERSION));
    jsonw_object_close(&o->w);
    if (o->version == OCSF_1_9) {
        jsonw_key(&o->w, STR("profiles"));
        jsonw_array_open(&o->w);
        jsonw_string(&o->w, STR("record_integrity"));
        jsonw_array_close(&o->w);
    }
    jsonw_member_int(&o->w, STR("sequence"), o->line->seq);
    jsonw_member_string(&o->w, STR("uid"), uid);
    jsonw_member_string(&o->w, STR("version"), versions[o->version]);
    jsonw_object_close(&o->w);
}

static void put_resource(struct ocsf *o)
{
    if (!o->line->subject.len && !o->line->stack.len)
        return;
    jsonw_key(&o->w, STR("resources"));
    jsonw_array_open(&o->w);
    jsonw_object_open(&o->w);
    put(o, STR("name"), o->line->subject.len ? o->line->subject : o->line->stack);
    put(o, STR("namespace"), o->line->stack);
    jsonw_object_close(&o->w);
    jsonw_array_close(&o->w);
}

static void put_status(struct ocsf *o)
{
    struct str outcome = o->line->outcome;
    bool failed = str_equal(outcome, STR("failed")) || str_equal(outcome, STR("refused"));
    put(o, STR("status"), outcome);
    put(o, STR("status_detail"), o->line->reason);
    jsonw_member_int(&o->w, STR("status_id"),
                     failed        ? STATUS_FAILURE
                     : outcome.len ? STATUS_OTHER
                                   : STATUS_SUCCESS);
}

static bool put_json(struct ocsf *o, struct str key, struct str text, struct err *err)
{
    struct value v;
    if (!text.len)
        return true;
    if (!json_parse(o->arena, text, "event", JSON_DEFAULT, &v, err))
        return false;
    jsonw_key(&o->w, key);
    jsonw_value(&o->w, &v);
    return true;
}

static bool put_unmapped(struct ocsf *o, struct err *err)
{
    if (!o->line->detail.len && !o->line->inputs.len && !o->line->policy.len)
        return true;
    jsonw_key(&o->w, STR("unmapped"));
    jsonw_object_open(&o->w);
    bool ok = put_json(o, STR("detail"), o->line->detail, err) &&
              put_json(o, STR("inputs"), o->line->inputs, err);
    put(o, STR("policy"), o->line->policy);
    jsonw_object_close(&o->w);
    return ok;
}

static void put_fingerprint(struct ocsf *o, const struct digest *digest)
{
    char hex[DIGEST_HEX + 1];
    digest_hex(digest, hex);
    jsonw_key(&o->w, STR("fingerprint"));
    jsonw_object_open(&o->w);
    jsonw_member_int(&o->w, STR("algorithm_id"), SHA_256);
    jsonw_member_string(&o->w, STR("value"), str_from(hex));
    jsonw_object_close(&o->w);
}

static bool put_attestation(struct ocsf *o, struct err *err)
{
    struct digest digest;
    char number[32];
    if (o->version != OCSF_1_9)
        return true;
    if (!digest_sha256(o->line->text, &digest, err))
        return false;
    jsonw_key(&o->w, STR("attestation_list"));
    jsonw_array_open(&o->w);
    jsonw_object_open(&o->w);
    jsonw_member_string(&o->w, STR("chain_uid"), o->origin);
    put_fingerprint(o, &digest);
    if (o->line->has_prev) {
        (void)snprintf(number, sizeof number, "%lld", (long long)o->line->seq - 1);
        jsonw_key(&o->w, STR("prev_event"));
        jsonw_object_open(&o->w);
        put_fingerprint(o, &o->line->prev);
        jsonw_member_string(&o->w, STR("uid"), str_from(number));
        jsonw_object_close(&o->w);
    }
    (void)snprintf(number, sizeof number, "%lld", (long long)o->line->seq);
    jsonw_member_string(&o->w, STR("uid"), str_from(number));
    jsonw_object_close(&o->w);
    jsonw_array_close(&o->w);
    return true;
}

bool audit_ocsf_print(struct buf *out, const struct audit_line *line, struct str origin,
                      enum ocsf_version version, struct err *err)
{
    AUTO_ARENA arena = {.limit = 64 * (size_t)AUDIT_LINE_MAX};
    struct ocsf o = {
        .w = {.out = out}, .arena = &arena, .line = line, .origin = origin, .version = version};
    jsonw_object_open(&o.w);
    jsonw_member_int(&o.w, STR("activity_id"), ACTIVITY_OTHER);
    put(&o, STR("activity_name"), line->type);
    put_actor(&o);
    bool ok = put_attestation(&o, err);
    jsonw_member_int(&o.w, STR("category_uid"), CATEGORY);
    jsonw_member_int(&o.w, STR("class_uid"), CLASS);
    put_metadata(&o);
    jsonw_member_string(&o.w, STR("raw_data"), line->text);
    put_resource(&o);
    jsonw_member_int(&o.w, STR("severity_id"), SEVERITY_INFO);
    jsonw_key(&o.w, STR("src_endpoint"));
    jsonw_object_open(&o.w);
    jsonw_member_string(&o.w, STR("svc_name"), STR("plumb"));
    jsonw_object_close(&o.w);
    put_status(&o);
    jsonw_member_int(&o.w, STR("time"), line->utc_ms);
    jsonw_member_int(&o.w, STR("type_uid"), TYPE);
    ok = ok && put_unmapped(&o, err);
    jsonw_object_close(&o.w);
    return ok && buf_ok(out, err);
}
