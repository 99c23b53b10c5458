/* sensitive.c - `sensitive_attributes` of a state: cty paths as JSON. */
#include "base/arena.h"
#include "base/err.h"
#include "desired/tfstate.h"
#include "value/path.h"
#include "value/value.h"
#include "wire/json.h"

/* {"type":"get_attr","value":"tags"} or {"type":"index","value":{"value":"t","type":"string"}} */
static bool read_step(const struct value *v, struct path_step *ret)
{
    struct str type = value_get_string(v, STR("type"));
    const struct value *value = value_get(v, STR("value"));
    if (str_equal(type, STR("index")))
        value = value_get(value, STR("value"));
    else if (!str_equal(type, STR("get_attr")))
        return false;
    if (value_is_string(value)) {
        *ret = (struct path_step){.kind = PATH_KEY, .key = value_text(value)};
        return true;
    }
    if (value_to_int64(value, &ret->index)) {
        ret->kind = PATH_INDEX;
        return true;
    }
    /* an element of a set is named by its whole value */
    *ret = (struct path_step){.kind = PATH_ELEMENT};
    return value && str_equal(type, STR("index"));
}

static bool read_path(struct arena *arena, const struct value *v, struct path *ret, bool *ret_full)
{
    if (v->kind != VALUE_TUPLE || v->len > PATH_STEPS_MAX)
        return false;
    struct path_step *steps = arena_new(arena, struct path_step, v->len);
    *ret_full = !steps;
    for (uint32_t i = 0; steps && i < v->len; i++)
        if (!read_step(&v->items[i], &steps[i]))
            return false;
    *ret = (struct path){steps, v->len};
    return steps != NULL;
}

bool tfstate_sensitive(struct arena *arena, struct key_table *keys, struct str span,
                       const char *name, const struct path **ret, size_t *ret_n, struct err *err)
{
    struct value list;
    if (span.len <= 2) /* none, or [] */
        return true;
    if (!json_parse_with(arena, keys, span, name, 0, &list, err))
        return false;
    if (list.kind != VALUE_TUPLE)
        return err_set(err, ERR_SYNTAX, "%s: sensitive_attributes are a list of paths", name);
    struct path *paths = arena_new(arena, struct path, list.len);
    if (!paths)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < list.len; i++) {
        bool full = false;
        if (!read_path(arena, &list.items[i], &paths[i], &full))
            return full ? arena_full(arena, err)
                        : err_set(err, ERR_SYNTAX,
                                  "%s: sensitive_attributes[%u] is no path of get_attr and index",
                                  name, i);
    }
    *ret = paths;
    *ret_n = list.len;
    return true;
}
