/* conftest_setup.c - options from conftest.toml, files that policies read. */
#include "cli/conftest_setup.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "policy/inputs.h"
#include "policy/parsers.h"
#include "wire/json.h"

enum { CONFIG_MAX = 1 << 20, CAPABILITIES_MAX = 16 << 20 };

static bool wrong(const char *file, const struct option *option, const char *wanted,
                  struct err *err)
{
    return err_set(err, ERR_SYNTAX, "%s: %s: %s is wanted", file, option->name, wanted);
}

static bool take_list(struct arena *arena, const char *file, const struct option *option,
                      const struct value *v, struct option_value *ret, struct err *err)
{
    size_t n = value_is_list_like(v) ? v->len : 1;
    const struct value *items = value_is_list_like(v) ? v->items : v;
    struct str *list = arena_new(arena, struct str, n);
    if (!list)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        if (!value_is_string(&items[i]))
            return wrong(file, option, "a text or a list of texts", err);
        list[i] = arena_dup(arena, value_text(&items[i]));
        if (!list[i].ptr)
            return arena_full(arena, err);
    }
    *ret = (struct option_value){.set = true, .list = list, .nlist = n};
    return true;
}

static bool take(struct arena *arena, const char *file, const struct option *option,
                 const struct value *v, struct option_value *ret, struct err *err)
{
    if (option->kind == OPTION_LIST)
        return take_list(arena, file, option, v, ret, err);
    if (option->kind == OPTION_FLAG) {
        if (v->kind != VALUE_BOOL)
            return wrong(file, option, "true or false", err);
        ret->set = v->truth;
        return true;
    }
    if (!value_is_string(v))
        return wrong(file, option, "a text", err);
    *ret = (struct option_value){.set = true, .text = arena_dup(arena, value_text(v))};
    for (const char *const *c = option->choices; !option->open && c; c++) {
        if (!*c)
            return wrong(file, option, "another value", err);
        if (str_equal(str_from(*c), ret->text))
            break;
    }
    return ret->text.ptr || arena_full(arena, err);
}

bool conftest_setup(struct arena *arena, const struct option *options, size_t n,
                    const struct invocation *in, size_t config_row, struct invocation *ret,
                    struct err *err)
{
    const struct option_value *given = &in->value[config_row];
    struct str file = given->set ? arena_dup(arena, given->text) : STR("conftest.toml"), text;
    struct option_value *values = arena_new(arena, struct option_value, n);
    struct value config;
    *ret = *in;
    if (!values || !file.ptr)
        return arena_full(arena, err);
    if (!given->set && !io_exists(file.ptr))
        return true;
    if (!io_read_file(arena, file.ptr, CONFIG_MAX, &text, err) ||
        !parser_toml(arena, text, file.ptr, &config, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct value *v = value_get(&config, str_from(options[i].name));
        values[i] = in->value[i];
        if (v && i != config_row && !values[i].set &&
            !take(arena, file.ptr, &options[i], v, &values[i], err))
            return false;
    }
    ret->value = values;
    return true;
}

/* --- what policies read --- */

/* Relative to the policy that asks. */
static struct str beside(struct arena *arena, struct str policy, const struct value *path)
{
    struct str name = value_text(path);
    struct str joined = name.len && name.ptr[0] == '/' ? arena_dup(arena, name)
                                                       : io_join(arena, io_dirname(policy), name);
    return joined.ptr ? pathname_clean(arena, joined) : joined;
}

static bool read_files(struct arena *arena, const struct rego_configuration *what,
                       struct value *ret, struct err *err)
{
    const struct policy_inputs_options how = {0};
    struct policy_inputs inputs;
    const struct value *list = what->arg;
    struct str *paths = arena_new(arena, struct str, list->len);
    if (!paths)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < list->len; i++) {
        paths[i] = beside(arena, what->policy, &list->items[i]);
        if (!paths[i].ptr)
            return arena_full(arena, err);
    }
    return policy_inputs_read(arena, paths, list->len, &how, &inputs, err) &&
           policy_inputs_combine(arena, &inputs, ret, err);
}

bool conftest_configuration(void *ctx, struct arena *arena, const struct rego_configuration *what,
                            struct value *ret, struct err *err)
{
    (void)ctx;
    if (what->kind == REGO_CONFIGURATION_FILES)
        return read_files(arena, what, ret, err);
    if (what->kind == REGO_CONFIGURATION_TEXT)
        return policy_inputs_parse(arena, value_text(&what->arg[0]), value_text(&what->arg[1]),
                                   STR("text"), ret, err);
    struct str path = beside(arena, what->policy, what->arg), text;
    if (!path.ptr)
        return arena_full(arena, err);
    return io_read_file(arena, path.ptr, POLICY_INPUT_MAX, &text, err) &&
           policy_inputs_parse(arena, STR(""), text, path, ret, err);
}

/* --- capabilities --- */

bool conftest_capabilities_read(struct arena *arena, struct str path,
                                struct conftest_capabilities *ret, struct err *err)
{
    struct str name = arena_dup(arena, path), text;
    struct value *all = arena_new(arena, struct value, 1);
    *ret = (struct conftest_capabilities){0};
    if (!name.ptr || !all)
        return arena_full(arena, err);
    if (!path.len)
        return true;
    if (!io_read_file(arena, name.ptr, CAPABILITIES_MAX, &text, err) ||
        !json_parse(arena, text, name.ptr, JSON_DUPLICATES_LAST, all, err))
        return false;
    ret->builtins = value_get(all, STR("builtins"));
    return value_is_list_like(ret->builtins) ||
           err_set(err, ERR_SYNTAX, "%s: `builtins` is no list", name.ptr);
}

bool conftest_is_capable(void *ctx, struct str builtin)
{
    const struct conftest_capabilities *c = ctx;
    for (uint32_t i = 0; i < c->builtins->len; i++)
        if (str_equal(value_get_string(&c->builtins->items[i], STR("name")), builtin))
            return true;
    return false;
}
