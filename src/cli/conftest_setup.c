/* conftest_setup.c - options from the environment and a file, files that policies read. */
#include "cli/conftest_setup.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "cli/app.h"
#include "policy/inputs.h"
#include "policy/parsers.h"
#include "wire/json.h"

enum { CONFIG_MAX = 1 << 20 };

static bool wrong(struct str origin, const char *wanted, struct err *err)
{
    return err_set(err, ERR_SYNTAX, "%.*s: %s is wanted", STR_ARG(origin), wanted);
}

/* "a,b" are two. */
static bool add_parts(struct arena *arena, struct str text, struct option_value *ret, size_t *room,
                      struct err *err)
{
    for (bool more = text.len > 0; more;) {
        struct str part;
        more = str_cut(&text, ',', &part);
        struct str *grown =
            arena_grow(arena, (struct str *)(uintptr_t)ret->list, ret->nlist, room, ret->nlist + 1);
        part = arena_dup(arena, part);
        if (!grown || !part.ptr)
            return arena_full(arena, err);
        grown[ret->nlist++] = part;
        ret->list = grown;
    }
    return true;
}

static bool take_list(struct arena *arena, struct str origin, const struct value *v,
                      struct option_value *ret, struct err *err)
{
    bool list = value_is_list_like(v);
    size_t room = 0;
    ret->set = true;
    for (size_t i = 0; i < (list ? v->len : 1); i++) {
        const struct value *item = list ? &v->items[i] : v;
        if (!value_is_string(item))
            return wrong(origin, "a text or a list of texts", err);
        if (!add_parts(arena, value_text(item), ret, &room, err))
            return false;
    }
    return true;
}

static bool take(struct arena *arena, struct str origin, const struct option *option,
                 const struct value *v, struct option_value *ret, struct err *err)
{
    if (option->kind == OPTION_LIST)
        return take_list(arena, origin, v, ret, err);
    if (option->kind == OPTION_FLAG) {
        struct value zero = value_int(0);
        ret->set = v->kind == VALUE_BOOL ? v->truth : !value_equal(v, &zero);
        if (v->kind != VALUE_BOOL && v->kind != VALUE_NUMBER &&
            !(value_is_string(v) && command_parse_bool(value_text(v), &ret->set)))
            return wrong(origin, "true or false", err);
        ret->off = !ret->set;
        return true;
    }
    if (!value_is_string(v))
        return wrong(origin, "a text", err);
    *ret = (struct option_value){.set = true, .text = arena_dup(arena, value_text(v))};
    for (const char *const *c = option->choices; !option->open && c; c++) {
        if (!*c)
            return wrong(origin, "another value", err);
        if (str_equal(str_from(*c), ret->text))
            break;
    }
    return ret->text.ptr || arena_full(arena, err);
}

/* CONFTEST_FAIL_ON_WARN of fail-on-warn. */
static struct str env_name(struct arena *arena, const struct option *option)
{
    struct str name = arena_printf(arena, "CONFTEST_%s", option->name);
    char *c = (char *)(uintptr_t)name.ptr;
    for (size_t i = 0; c && i < name.len; i++)
        c[i] = (char)(c[i] == '-' ? '_' : c[i] >= 'a' && c[i] <= 'z' ? c[i] - 'a' + 'A' : c[i]);
    return name;
}

static bool from_environment(struct arena *arena, const struct app *app,
                             const struct option *option, struct option_value *ret, struct err *err)
{
    struct str name = env_name(arena, option);
    if (!name.ptr)
        return arena_full(arena, err);
    const struct value v = value_string(str_from(app->env(name.ptr)));
    return !v.len || take(arena, name, option, &v, ret, err);
}

/* Names of options are the same in any case. */
static const struct value *find_key(const struct value *config, const char *name)
{
    for (size_t i = 0; value_is_object_like(config) && i < config->len; i++) {
        struct str key = key_str(config->members[i].key);
        if (key.len == strlen(name) && strncasecmp(key.ptr, name, key.len) == 0)
            return &config->members[i].value;
    }
    return NULL;
}

static bool read_config(struct arena *arena, const struct option_value *given, struct str *ret_file,
                        struct value *ret, struct err *err)
{
    static const struct str names[] = {STR_INIT("conftest.json"), STR_INIT("conftest.toml"),
                                       STR_INIT("conftest.yaml"), STR_INIT("conftest.yml")};
    struct str file = given->set ? arena_dup(arena, given->text) : STR(""), text;
    *ret = value_null();
    if (!file.ptr)
        return arena_full(arena, err);
    for (size_t i = 0; !given->set && !file.len && i < sizeof names / sizeof *names; i++)
        if (io_exists(names[i].ptr))
            file = names[i];
    *ret_file = file;
    return !file.len || (io_read_file(arena, file.ptr, CONFIG_MAX, &text, err) &&
                         policy_inputs_parse(arena, STR(""), text, file, ret, err));
}

bool conftest_setup(struct arena *arena, const struct app *app, const struct option *options,
                    size_t n, const struct invocation *in, size_t config_row,
                    struct invocation *ret, struct err *err)
{
    struct option_value *values = arena_new(arena, struct option_value, n);
    struct value config;
    struct str file = {0};
    *ret = *in;
    if (!values)
        return arena_full(arena, err);
    ret->value = values;
    for (size_t i = 0; i < n; i++) {
        values[i] = in->value[i];
        if (!values[i].set && !values[i].off &&
            !from_environment(arena, app, &options[i], &values[i], err))
            return false;
    }
    if (!read_config(arena, &values[config_row], &file, &config, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct value *v = find_key(&config, options[i].name);
        struct str origin = arena_printf(arena, "%.*s: %s", STR_ARG(file), options[i].name);
        if (!origin.ptr)
            return arena_full(arena, err);
        if (v && i != config_row && !values[i].set && !values[i].off &&
            !take(arena, origin, &options[i], v, &values[i], err))
            return false;
    }
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
