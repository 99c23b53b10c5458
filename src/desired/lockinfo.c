/* lockinfo.c - LockInfo and the head of a state. */
#include "desired/lockinfo.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"
#include "wire/json_scan.h"

enum { DEPTH_MAX = 1000, STATE_VERSION = 4 };

static const struct {
    const char *name;
    size_t at;
} members[] = {
    {"ID", offsetof(struct lockinfo, id)},
    {"Operation", offsetof(struct lockinfo, operation)},
    {"Info", offsetof(struct lockinfo, info)},
    {"Who", offsetof(struct lockinfo, who)},
    {"Version", offsetof(struct lockinfo, version)},
    {"Created", offsetof(struct lockinfo, created)},
    {"Path", offsetof(struct lockinfo, path)},
};
enum { MEMBERS = sizeof members / sizeof *members };

static struct str *member_of(struct lockinfo *info, size_t i)
{
    return (struct str *)(void *)((char *)info + members[i].at);
}

bool lockinfo_parse(struct arena *arena, struct str text, struct lockinfo *ret, struct err *err)
{
    struct value v = {0};
    struct lockinfo info = {0};
    if (text.len > LOCKINFO_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a lock info of %zu bytes; %d is the most", text.len,
                       LOCKINFO_BYTES_MAX);
    if (!json_parse(arena, text, "lock info", JSON_DUPLICATES_LAST, &v, err))
        return false;
    if (v.kind != VALUE_OBJECT)
        return err_set(err, ERR_SYNTAX, "lock info: an object is needed, this is a %s",
                       value_kind_name(v.kind));
    for (size_t i = 0; i < MEMBERS; i++) {
        const struct value *member = value_get(&v, str_from(members[i].name));
        if (!member || member->kind == VALUE_NULL)
            continue;
        if (!value_is_string(member))
            return err_set(err, ERR_SYNTAX, "lock info: %s is no string", members[i].name);
        *member_of(&info, i) = value_text(member);
    }
    if (info.id.len == 0 || info.id.len > LOCKINFO_ID_MAX)
        return err_set(err, ERR_SYNTAX, "lock info: an ID of 1 to %d bytes is needed",
                       LOCKINFO_ID_MAX);
    for (size_t i = 0; i < info.id.len; i++)
        if ((unsigned char)info.id.ptr[i] < ' ')
            return err_set(err, ERR_SYNTAX, "lock info: a control character in the ID");
    *ret = info;
    return true;
}

void lockinfo_print(struct buf *out, const struct lockinfo *info)
{
    struct jsonw w = {.out = out};
    struct lockinfo copy = *info;
    jsonw_object_open(&w);
    for (size_t i = 0; i < MEMBERS; i++) {
        struct str text = *member_of(&copy, i);
        if (text.len || members[i].at != offsetof(struct lockinfo, created))
            jsonw_member_string(&w, str_from(members[i].name), text);
    }
    jsonw_object_close(&w);
}

static const struct {
    const char *operation, *name;
    enum lock_kind kind;
} operations[] = {
    {"OperationTypePlan", "plan", LOCK_PLAN},
    {"OperationTypeApply", "apply", LOCK_WRITE},
    {"OperationTypeRefresh", "refresh", LOCK_WRITE},
    {"OperationTypeInvalid", "import or console", LOCK_WRITE},
    {"state-mv", "state mv", LOCK_WRITE},
    {"state-rm", "state rm", LOCK_WRITE},
    {"state-push", "state push", LOCK_WRITE},
    {"state-replace-provider", "state replace-provider", LOCK_WRITE},
    {"taint", "taint", LOCK_WRITE},
    {"untaint", "untaint", LOCK_WRITE},
    {"migration destination state", "migration of the state to here", LOCK_WRITE},
};

enum lock_kind lockinfo_kind(struct str operation)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (str_equal(operation, str_from(operations[i].operation)))
            return operations[i].kind;
    return LOCK_WRITE;
}

struct str lockinfo_operation(struct str operation)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (str_equal(operation, str_from(operations[i].operation)))
            return str_from(operations[i].name);
    return operation.len ? operation : STR("an operation without a name");
}

/* --- states --- */

struct head_scan {
    struct arena *arena;
    struct json_scan s;
    struct state_head head;
    int64_t version;
    bool has_serial, has_lineage;
};

static bool scan_text(struct head_scan *h, struct str *ret)
{
    struct str raw = {0};
    bool escaped = false;
    json_scan_space(&h->s);
    if (h->s.at >= h->s.end || *h->s.at != '"')
        return json_scan_unexpected(&h->s, "a string");
    if (!json_scan_string(&h->s, &raw, &escaped))
        return false;
    char *out = arena_new(h->arena, char, raw.len + 1);
    if (!out)
        return json_scan_fail(&h->s, h->s.at, "too long");
    *ret = (struct str){out, json_unescape(out, raw)};
    return true;
}

static bool scan_int(struct head_scan *h, int64_t *ret)
{
    struct str number = {0};
    json_scan_space(&h->s);
    const char *at = h->s.at;
    if (!json_scan_value(&h->s, DEPTH_MAX, &number))
        return false;
    return (str_to_int64(number, ret) && *ret >= 0) ||
           json_scan_fail(&h->s, at, "a whole number is needed");
}

static bool scan_member(struct head_scan *h, struct str key)
{
    struct str rest = {0};
    if (str_equal(key, STR("version")))
        return scan_int(h, &h->version);
    if (str_equal(key, STR("serial"))) {
        h->has_serial = true;
        return scan_int(h, &h->head.serial);
    }
    if (str_equal(key, STR("lineage"))) {
        h->has_lineage = true;
        return scan_text(h, &h->head.lineage);
    }
    h->head.encrypted |= str_equal(key, STR("encrypted_data"));
    return json_scan_value(&h->s, DEPTH_MAX, &rest);
}

static bool scan_object(struct head_scan *h)
{
    bool first = true, escaped = false;
    struct str key = {0};
    json_scan_space(&h->s);
    if (h->s.at >= h->s.end || *h->s.at != '{')
        return json_scan_unexpected(&h->s, "an object");
    if (!json_scan_enter(&h->s, '{'))
        return false;
    while (json_scan_next_key(&h->s, &first, &key, &escaped)) {
        /* "s\\u0065rial" is a serial to others: nothing that writes states writes it so */
        if (escaped)
            return json_scan_fail(&h->s, h->s.at, "a key with escapes");
        if (!scan_member(h, key))
            return false;
    }
    return !h->s.why && json_scan_end(&h->s);
}

bool state_head_parse(struct arena *arena, struct str text, struct state_head *ret, struct err *err)
{
    struct head_scan h = {.arena = arena, .s = json_scan_open(text)};
    if (!scan_object(&h))
        return json_scan_error(&h.s, "state", 1, err);
    if (!h.has_serial || !h.has_lineage || h.head.lineage.len == 0 ||
        h.head.lineage.len > LOCKINFO_ID_MAX)
        return err_set(err, ERR_SYNTAX, "a state has a serial and a lineage; this has not");
    if (!h.head.encrypted && h.version != STATE_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "a state of format version %lld; only version 4 is known",
                       (long long)h.version);
    *ret = h.head;
    return true;
}
