/* asked.c - a subject as text and back. */
#include "policy/asked.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/input.h"
#include "wire/json.h"

bool asked_write(struct buf *out, const struct rule_subject *subject, const struct str *digest,
                 struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct rule_subject timeless = *subject;
    struct jsonw w = {.out = out};
    struct value doc;
    timeless.now_utc_ms = 0;
    if (!input_make(&arena, &timeless, &doc, err))
        return false;
    jsonw_object_open(&w);
    jsonw_key(&w, STR("input"));
    jsonw_value(&w, &doc);
    jsonw_key(&w, STR("digests"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < (subject->nchanges ? subject->nchanges : 1); i++) {
        if (digest[i].ptr)
            jsonw_string(&w, digest[i]);
        else
            jsonw_null(&w);
    }
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    return buf_ok(out, err);
}

/* The tree was made by the parser, for nobody else. */
static struct value *own(const struct value *v)
{
    return (struct value *)(uintptr_t)v;
}

static void mark_secrets(struct value *v, unsigned depth_left)
{
    if (value_is_string(v) && str_equal(value_text(v), STR("(sensitive)")))
        v->marks |= VALUE_SENSITIVE;
    if (depth_left == 0)
        return;
    for (size_t i = 0; value_is_list_like(v) && i < v->len; i++)
        mark_secrets(own(&v->items[i]), depth_left - 1);
    for (size_t i = 0; value_is_object_like(v) && i < v->len; i++)
        mark_secrets(own(&v->members[i].value), depth_left - 1);
}

static bool mark_unknown(struct arena *arena, const struct value *resource, struct err *err)
{
    const struct value *list = value_get(resource, STR("unknown"));
    const struct value *values = value_get(resource, STR("values"));
    for (size_t i = 0; values && value_is_list_like(list) && i < list->len; i++) {
        struct path path;
        if (!value_is_string(&list->items[i]))
            continue;
        if (!path_parse(arena, value_text(&list->items[i]), &path, err))
            return false;
        const struct value *at = path_find(values, path);
        if (at && at->kind == VALUE_NULL)
            own(at)->kind = VALUE_UNKNOWN;
    }
    return true;
}

static bool take_digests(struct arena *arena, const struct value *list, struct rule_subject *s,
                         struct err *err)
{
    size_t n = s->nchanges ? s->nchanges : 1;
    struct str *digest = arena_new(arena, struct str, n);
    if (!digest)
        return arena_full(arena, err);
    for (size_t i = 0; value_is_list_like(list) && i < list->len && i < n; i++)
        if (value_is_string(&list->items[i]))
            digest[i] = value_text(&list->items[i]);
    s->digest = digest;
    return true;
}

bool asked_read(struct arena *arena, struct str text, struct rule_subject *ret, struct err *err)
{
    struct value *doc = arena_new(arena, struct value, 1);
    if (!doc)
        return arena_full(arena, err);
    if (!json_parse(arena, text, "what policy was asked", JSON_COPY, doc, err))
        return false;
    const struct value *input = value_get(doc, STR("input"));
    if (!value_is_object_like(input))
        return err_set(err, ERR_SYNTAX, "what policy was asked: no input document");
    mark_secrets(own(input), VALUE_DEPTH_MAX);
    if (!mark_unknown(arena, value_get(input, STR("resource")), err))
        return false;
    if (!input_to_subject(arena, input, ret))
        return arena_full(arena, err);
    ret->enforcement_point = value_get_string(input, STR("enforcement_point"));
    return take_digests(arena, value_get(doc, STR("digests")), ret, err);
}
