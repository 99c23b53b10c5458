/* code_remote_state.c - terraform_remote_state with the local backend: the state file is read as
 * the data source would read it. Other backends are not asked; their outputs are unknown.
 *
 * Source:  Terraform builtin/providers/terraform data_source_state.go, backend/local
 */
#include <string.h>

#include "base/io.h"
#include "desired/code_parts.h"
#include "wire/json.h"

enum { BACKEND_STATE_MAX = 1 << 30 };

static struct str text_of(const struct value *v)
{
    return value_is_string(v) ? value_text(v) : (struct str){0};
}

/* Where the local backend of that configuration keeps the state of the workspace. */
static struct str state_path(struct code *code, const struct value *config, struct str workspace)
{
    struct arena *arena = &code->arena;
    struct str path = text_of(value_get(config, STR("path")));
    struct str dir = text_of(value_get(config, STR("workspace_dir")));
    if (!workspace.len || str_equal(workspace, STR("default"))) {
        path = path.len ? path : STR("terraform.tfstate");
    } else {
        dir = dir.len ? dir : STR("terraform.tfstate.d");
        path = arena_printf(arena, "%.*s/%.*s/terraform.tfstate", STR_ARG(dir), STR_ARG(workspace));
    }
    return io_join(arena, code->options.root_dir, path);
}

static bool read_state(struct code *code, struct str path, struct value *ret, bool *ret_missing)
{
    const struct code_options *o = &code->options;
    struct str text;
    struct err err = {0};
    if (!path.ptr)
        return false;
    bool given = o->read && o->read(o->ctx, path, &text);
    *ret_missing = !given && !io_exists(path.ptr);
    if (!given && !io_read_file(&code->arena, path.ptr, BACKEND_STATE_MAX, &text, &err))
        return false;
    return json_parse(&code->arena, text, path.ptr, JSON_DUPLICATES_LAST | JSON_NFC, ret, &err);
}

/* One output of a state v4: {"value": ..., "type": ...}. */
static struct value output_of(struct code *code, const struct value *output)
{
    const struct type *type;
    struct err err = {0};
    struct value v;
    const struct value *value = value_get(output, STR("value"));
    if (!value || !type_from_value(&code->arena, value_get(output, STR("type")), &type, &err) ||
        !type_apply(&code->arena, type, value, false, &v, &err))
        return hcl_any();
    return v;
}

static bool outputs_of(struct code *code, const struct value *state, const struct value *defaults,
                       struct value *ret)
{
    const struct value *outputs = value_get(state, STR("outputs"));
    uint32_t n = outputs && outputs->kind == VALUE_OBJECT ? outputs->len : 0, at = 0;
    uint32_t most = n + (value_is_object_like(defaults) ? defaults->len : 0);
    struct value_member *m = arena_new(&code->arena, struct value_member, most);
    if (!m)
        return false;
    for (uint32_t i = 0; i < n; i++)
        m[at++] = (struct value_member){outputs->members[i].key,
                                        output_of(code, &outputs->members[i].value)};
    for (uint32_t i = 0; value_is_object_like(defaults) && i < defaults->len; i++)
        if (!value_get(outputs, key_str(defaults->members[i].key)))
            m[at++] = defaults->members[i];
    return value_members(VALUE_OBJECT, m, at, ret, NULL, NULL);
}

/* --- the configuration --- */

static bool fault(struct code_walk *walk, const struct code_resource *r, struct str attribute,
                  const char *summary, struct str detail)
{
    struct code_place at = code_attribute_place(walk->code, r, attribute);
    code_say(walk, at.file, at.range, false, summary, "%.*s", STR_ARG(detail));
    return false;
}

static bool is_backend(struct str name)
{
    static const struct str names[] = {
        STR_INIT("local"),  STR_INIT("_local"),     STR_INIT("remote"), STR_INIT("azurerm"),
        STR_INIT("consul"), STR_INIT("cos"),        STR_INIT("gcs"),    STR_INIT("http"),
        STR_INIT("inmem"),  STR_INIT("kubernetes"), STR_INIT("oss"),    STR_INIT("pg"),
        STR_INIT("s3"),     STR_INIT("cloud")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(name, names[i]))
            return true;
    return false;
}

static bool is_object(const struct arena *arena, const struct value *v)
{
    const struct type *type = hcl_type_of((struct arena *)(uintptr_t)arena, v);
    return type->kind == TYPE_DYNAMIC || type->kind == TYPE_OBJECT || type->kind == TYPE_MAP;
}

/* Arguments of the local backend; all others are known to their backends only. */
static bool check_local(struct code_walk *walk, const struct code_resource *r,
                        const struct value *config)
{
    static const char summary[] = "Invalid backend configuration";
    struct arena *arena = &walk->code->arena;
    if (config->kind == VALUE_NULL)
        return true;
    if (!value_is_object_like(config))
        return fault(walk, r, STR("config"), summary,
                     STR("The given configuration is not valid for backend \"local\": an object is "
                         "required."));
    for (uint32_t i = 0; i < config->len; i++) {
        struct str name = key_str(config->members[i].key);
        if (!str_equal(name, STR("path")) && !str_equal(name, STR("workspace_dir")))
            return fault(walk, r, STR("config"), summary,
                         arena_printf(arena,
                                      "The given configuration is not valid for backend \"local\": "
                                      "unexpected attribute \"%.*s\".",
                                      STR_ARG(name)));
    }
    return true;
}

bool code_check_remote_state(struct code_walk *walk, const struct code_resource *r,
                             const struct value *config)
{
    struct arena *arena = &walk->code->arena;
    const struct value *backend = value_get(config, STR("backend"));
    const struct value *given = value_get(config, STR("config"));
    const struct value *defaults = value_get(config, STR("defaults"));
    bool fine = true;
    if (!backend || !given || !defaults)
        return true;
    struct str name = text_of(backend);
    if (backend->kind != VALUE_STRING || value_any_unknown(given)) {
        if (!is_object(arena, given))
            fine = fault(walk, r, STR("config"), "Invalid backend configuration",
                         STR("The configuration must be an object value."));
    } else if (!is_backend(name)) {
        fine =
            fault(walk, r, STR("backend"), "Invalid backend configuration",
                  arena_printf(arena, "There is no backend type named \"%.*s\".", STR_ARG(name)));
    } else if (str_equal(name, STR("local"))) {
        fine = check_local(walk, r, given);
    }
    if (!is_object(arena, defaults))
        fine = fault(walk, r, STR("defaults"), "Invalid default values",
                     STR("Defaults must be given in an object value."));
    return fine;
}

bool code_read_remote_state(struct code_walk *walk, const struct code_made *made, struct value *ret,
                            bool *ret_missing)
{
    struct code *code = walk->code;
    const struct value *in = &made->out.config;
    struct str backend = text_of(value_get(in, STR("backend")));
    struct str workspace = text_of(value_get(in, STR("workspace")));
    const struct value *config = value_get(in, STR("config"));
    struct value state, outputs;
    if (in->kind != VALUE_OBJECT || value_any_unknown(in) || !str_equal(backend, STR("local")))
        return false;
    if (!read_state(code, state_path(code, config, workspace), &state, ret_missing) ||
        !outputs_of(code, &state, value_get(in, STR("defaults")), &outputs))
        return false;
    struct value_member *m = arena_new(&code->arena, struct value_member, in->len);
    if (!m)
        return false;
    memcpy(m, in->members, in->len * sizeof *m);
    for (uint32_t i = 0; i < in->len; i++)
        if (str_equal(key_str(m[i].key), STR("outputs")))
            m[i].value = outputs;
    *ret = *in;
    ret->members = m;
    return true;
}
