/* code_provisioner.c - provisioners and their connections: checked when validating, run never.
 *
 * Source:  Terraform builtin/provisioners, terraform/node_resource_validate.go
 */
#include <string.h>

#include "desired/code_parts.h"

static const struct type list_of_strings = {.kind = TYPE_LIST, .elem = &type_string};
static const struct type map_of_strings = {.kind = TYPE_MAP, .elem = &type_string};

/* Sorted by name. */
static const struct schema_attribute local_exec[] = {
    {.name = STR_INIT("command"), .type = &type_string, .required = true},
    {.name = STR_INIT("environment"), .type = &map_of_strings, .optional = true},
    {.name = STR_INIT("interpreter"), .type = &list_of_strings, .optional = true},
    {.name = STR_INIT("quiet"), .type = &type_bool, .optional = true},
    {.name = STR_INIT("working_dir"), .type = &type_string, .optional = true},
};
static const struct schema_attribute remote_exec[] = {
    {.name = STR_INIT("inline"), .type = &list_of_strings, .optional = true},
    {.name = STR_INIT("script"), .type = &type_string, .optional = true},
    {.name = STR_INIT("scripts"), .type = &list_of_strings, .optional = true},
};
static const struct schema_attribute file[] = {
    {.name = STR_INIT("content"), .type = &type_string, .optional = true},
    {.name = STR_INIT("destination"), .type = &type_string, .required = true},
    {.name = STR_INIT("source"), .type = &type_string, .optional = true},
};
#define TEXT(n) \
    { \
        .name = STR_INIT(n), .type = &type_string, .optional = true \
    }
#define FLAG(n) \
    { \
        .name = STR_INIT(n), .type = &type_bool, .optional = true \
    }
#define NUMBER(n) \
    { \
        .name = STR_INIT(n), .type = &type_number, .optional = true \
    }
static const struct schema_attribute connection[] = {
    FLAG("agent"),
    TEXT("agent_identity"),
    TEXT("bastion_certificate"),
    TEXT("bastion_host"),
    TEXT("bastion_host_key"),
    TEXT("bastion_password"),
    NUMBER("bastion_port"),
    TEXT("bastion_private_key"),
    TEXT("bastion_user"),
    TEXT("cacert"),
    TEXT("certificate"),
    {.name = STR_INIT("host"), .type = &type_string, .required = true},
    TEXT("host_key"),
    FLAG("https"),
    FLAG("insecure"),
    TEXT("password"),
    NUMBER("port"),
    TEXT("private_key"),
    TEXT("proxy_host"),
    NUMBER("proxy_port"),
    TEXT("proxy_scheme"),
    TEXT("proxy_user_name"),
    TEXT("proxy_user_password"),
    TEXT("script_path"),
    TEXT("target_platform"),
    TEXT("timeout"),
    TEXT("type"),
    FLAG("use_ntlm"),
    TEXT("user"),
};

static const struct schema_block *block_of(struct code *code,
                                           const struct schema_attribute *attributes, size_t n)
{
    const struct schema_block *known = code_cached_find(code, code->block, attributes);
    if (known)
        return known;
    struct schema_block *block = arena_new(&code->arena, struct schema_block, 1);
    if (!block)
        return NULL;
    *block = (struct schema_block){.attributes = attributes, .nattributes = n};
    return schema_imply_type(&code->arena, block)
               ? code_cached_add(code, code->block, attributes, block)
               : NULL;
}

/* --- what each kind wants beyond its schema --- */

static bool is_set(const struct value *config, struct str name)
{
    const struct value *v = value_get(config, name);
    return config->kind == VALUE_UNKNOWN || (v && v->kind != VALUE_NULL);
}

static bool check_remote_exec(struct code_walk *walk, const struct value *config)
{
    int set = is_set(config, STR("inline")) + is_set(config, STR("script")) +
              is_set(config, STR("scripts"));
    if (set == 1)
        return true;
    code_say_at_all(walk, false, "Invalid remote-exec provisioner configuration",
                    "Only one of \"inline\", \"script\", or \"scripts\" must be set");
    return false;
}

static bool check_file(struct code_walk *walk, const struct value *config)
{
    bool source = is_set(config, STR("source")), content = is_set(config, STR("content"));
    if (source != content)
        return true;
    code_say_at_all(walk, false,
                    source ? "Cannot set both 'source' and 'content'"
                           : "Must provide one of 'source' or 'content'",
                    "%s", "");
    return false;
}

static const struct provisioner {
    const char *name;
    const struct schema_attribute *attributes;
    size_t n;
    bool (*check)(struct code_walk *walk, const struct value *config);
} provisioners[] = {
    {"local-exec", local_exec, sizeof local_exec / sizeof *local_exec, NULL},
    {"remote-exec", remote_exec, sizeof remote_exec / sizeof *remote_exec, check_remote_exec},
    {"file", file, sizeof file / sizeof *file, check_file},
};

static const struct provisioner *find_provisioner(struct str name)
{
    for (size_t i = 0; i < sizeof provisioners / sizeof *provisioners; i++)
        if (str_equal(name, str_from(provisioners[i].name)))
            return &provisioners[i];
    return NULL;
}

/* --- blocks --- */

static const struct hcl_block_spec resource_blocks[] = {
    {.type = STR_INIT("connection")},
    {.type = STR_INIT("provisioner"), .label = {"type"}},
};
static const struct hcl_body_spec of_resource = {.block = resource_blocks, .nblocks = 2};
static const struct hcl_attribute_spec own_attributes[] = {{STR_INIT("when"), false},
                                                           {STR_INIT("on_failure"), false}};
static const struct hcl_block_spec own_blocks[] = {
    {.type = STR_INIT("connection")}, {.type = STR_INIT("lifecycle")}, {.type = STR_INIT("_")}};
static const struct hcl_body_spec meta = {
    .attribute = own_attributes, .nattributes = 2, .block = own_blocks, .nblocks = 3};

/* Override files' provisioners replace all of those before. */
static bool find_blocks(struct code *code, const struct code_resource *r, struct hcl_content *ret,
                        const struct hcl_file **ret_file)
{
    struct hcl_diags quiet = {.arena = &code->arena};
    *ret_file = r->file;
    if (!hcl_body_content(&code->arena, r->file, r->body, &of_resource, true, &quiet, ret))
        return false;
    for (size_t i = 0; i < r->noverrides; i++) {
        struct hcl_content over;
        if (!hcl_body_content(&code->arena, r->overrides[i].file, r->overrides[i].body,
                              &of_resource, true, &quiet, &over))
            return false;
        if (over.nblocks) {
            *ret = over;
            *ret_file = r->overrides[i].file;
        }
    }
    return true;
}

static const struct hcl_block *connection_in(struct code *code, const struct hcl_file *in,
                                             const struct hcl_body *body)
{
    struct hcl_diags quiet = {.arena = &code->arena};
    struct hcl_body_spec spec = {.block = resource_blocks, .nblocks = 1};
    struct hcl_content content;
    if (!hcl_body_content(&code->arena, in, body, &spec, true, &quiet, &content))
        return NULL;
    return content.nblocks ? &content.block[0] : NULL;
}

static bool check_connection(const struct code_scope *scope, const struct hcl_file *in,
                             const struct hcl_block *base, const struct hcl_block *own)
{
    struct code_body bodies[2];
    size_t n = 0;
    struct value unused;
    if (base)
        bodies[n++] = (struct code_body){in, &base->body};
    if (own)
        bodies[n++] = (struct code_body){in, &own->body};
    const struct schema_block *block =
        block_of(scope->walk->code, connection, sizeof connection / sizeof *connection);
    return n == 0 || (block && code_body_value(scope, bodies, n, block, &code_no_meta, &unused));
}

static bool check_one(const struct code_scope *scope, const struct hcl_file *in,
                      const struct hcl_block *base, const struct hcl_block *block)
{
    struct code *code = scope->walk->code;
    const struct provisioner *p = find_provisioner(block->label[0].text);
    struct code_body body = {in, &block->body};
    struct value config;
    const struct schema_block *schema = p ? block_of(code, p->attributes, p->n) : NULL;
    if (!schema)
        return true; /* said before everything else */
    bool fine = code_body_value(scope, &body, 1, schema, &meta, &config);
    if (p->check)
        fine = p->check(scope->walk, &config) && fine;
    return check_connection(scope, in, base, connection_in(code, in, &block->body)) && fine;
}

bool code_check_provisioners(const struct code_scope *scope, const struct code_resource *r,
                             bool fine)
{
    struct hcl_content content;
    const struct hcl_file *in;
    const struct hcl_block *base = NULL;
    if (r->mode != CODE_MANAGED || !find_blocks(scope->walk->code, r, &content, &in))
        return fine;
    for (size_t i = 0; i < content.nblocks; i++)
        if (str_equal(content.block[i].type, STR("connection")))
            base = &content.block[i];
    for (size_t i = 0; i < content.nblocks; i++) {
        if (!str_equal(content.block[i].type, STR("provisioner")))
            continue;
        if (!check_one(scope, in, base, &content.block[i]) || !fine)
            return false;
    }
    return fine;
}

/* Provisioners that are not built in would be plugins: there are none. */
bool code_check_plugins(struct code_walk *walk)
{
    bool fine = true;
    for (size_t i = 0; i < walk->code->nconfigs; i++) {
        const struct code_module *m = walk->code->config[i]->module;
        for (size_t k = 0; k < m->nresources; k++) {
            struct hcl_content content;
            const struct hcl_file *in;
            if (m->resources[k].mode != CODE_MANAGED ||
                !find_blocks(walk->code, &m->resources[k], &content, &in))
                continue;
            for (size_t b = 0; b < content.nblocks; b++) {
                const struct hcl_block *block = &content.block[b];
                if (!str_equal(block->type, STR("provisioner")) ||
                    find_provisioner(block->label[0].text))
                    continue;
                code_say_at_all(walk, false, "Missing required provisioner plugin",
                                "This configuration requires provisioner plugin \"%.*s\", which "
                                "isn't available. If you're intending to use an external "
                                "provisioner plugin, you must install it manually into one of the "
                                "plugin search directories before running Terraform.",
                                STR_ARG(block->label[0].text));
                fine = false;
            }
        }
    }
    return fine;
}
