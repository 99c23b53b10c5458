/* code_provider.c - which provider configuration a resource uses, and what that says.
 *
 * Passing: a `providers` argument renames, a default configuration is inherited by its source
 * Source:  Terraform terraform/transform_provider.go; facts/hcl.md 8
 */
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "desired/address.h"
#include "desired/code_parts.h"
#include "desired/module_parts.h"
#include "lang/hcl/builtin.h"

/* --- finding --- */

static struct str source_of(struct code *code, const struct code_module *m, struct str local_name)
{
    for (size_t i = 0; i < m->nrequirements; i++)
        if (str_equal(m->requirements[i].local_name, local_name) && m->requirements[i].source.len)
            return m->requirements[i].source;
    return provider_source_default(&code->arena, local_name, code->options.opentofu);
}

struct found {
    struct code_config *in; /* where it is written; or where the search ended */
    const struct code_provider *written;
    struct str alias;
    const struct code_provider_ref *keyed; /* the outermost reference with a key, or NULL */
    const struct code_config *passed; /* it passes the provider to that one; NULL: a resource's */
};

static const struct code_provider *written_in(struct code *code, const struct code_module *m,
                                              struct str source, struct str alias)
{
    for (size_t i = 0; i < m->nproviders; i++)
        if (str_equal(m->providers[i].alias, alias) &&
            str_equal(source_of(code, m, m->providers[i].name), source))
            return &m->providers[i];
    return NULL;
}

static const struct code_passed_provider *passed_to(struct code *code, const struct code_config *in,
                                                    struct str source, struct str alias)
{
    for (size_t i = 0; i < in->call->nproviders; i++) {
        const struct code_passed_provider *p = &in->call->providers[i];
        if (str_equal(p->inner.alias, alias) &&
            str_equal(source_of(code, in->module, p->inner.name), source))
            return p;
    }
    return NULL;
}

/* ref: the resource's own, or NULL */
static struct found find_provider(struct code *code, const struct code_config *in,
                                  struct str source, const struct code_provider_ref *ref)
{
    struct found f = {.in = code->config[in->index],
                      .alias = ref ? ref->alias : (struct str){0},
                      .keyed = ref && ref->key ? ref : NULL};
    for (;;) {
        f.written = written_in(code, f.in->module, source, f.alias);
        if (f.written || !f.in->parent)
            return f;
        const struct code_passed_provider *p = passed_to(code, f.in, source, f.alias);
        if (p && p->outer.key) {
            f.keyed = &p->outer;
            f.passed = f.in;
        }
        if (p)
            f.alias = p->outer.alias;
        else if (f.alias.len)
            return f;
        f.in = f.in->parent;
    }
}

static struct found provider_of(struct code *code, const struct code_config *in,
                                const struct code_resource *r)
{
    return find_provider(code, in, r->provider_source, r->has_provider ? &r->provider : NULL);
}

struct code_node *code_provider_node(struct code *code, const struct code_config *in,
                                     const struct code_resource *resource)
{
    struct found f = provider_of(code, in, resource);
    return f.written ? &f.in->providers[f.written - f.in->module->providers] : NULL;
}

/* A module that others give this configuration to. */
static bool is_announced(const struct code_module *m, const struct code_provider_ref *ref)
{
    for (size_t i = 0; i < m->nrequirements; i++)
        for (size_t k = 0; k < m->requirements[i].naliases; k++)
            if (str_equal(m->requirements[i].local_name, ref->name) &&
                str_equal(m->requirements[i].aliases[k], ref->alias))
                return true;
    return false;
}

/* An alias that no provider block has. */
static bool check_there(struct code_walk *walk, const struct code_config *in,
                        const struct code_resource *r)
{
    struct arena *arena = &walk->code->arena;
    struct found f = provider_of(walk->code, in, r);
    const struct code_ref own = {
        .kind = CODE_REF_RESOURCE, .mode = r->mode, .type = r->type, .name = r->name};
    if (f.written || !f.alias.len || !r->has_provider || is_announced(f.in->module, &r->provider))
        return true;
    struct str name = code_ref_text(arena, &own);
    code_say_at_all(walk, false, "Provider configuration not present",
                    "%.*s%s%.*s (%.*s:%u) needs the provider configuration \"%.*s.%.*s\" of %.*s, "
                    "and no provider block with that alias is there: add one, or name another.",
                    STR_ARG(in->path), in->path.len ? "." : "", STR_ARG(name),
                    STR_ARG(r->file->name), r->provider.place.line, STR_ARG(r->provider.name),
                    STR_ARG(r->provider.alias), STR_ARG(r->provider_source));
    return false;
}

bool code_check_provider_refs(struct code_walk *walk)
{
    bool fine = true;
    for (size_t i = 0; i < walk->code->nconfigs; i++) {
        const struct code_config *in = walk->code->config[i];
        for (size_t k = 0; k < in->module->nresources; k++)
            fine = check_there(walk, in, &in->module->resources[k]) && fine;
    }
    return fine;
}

static struct str config_text(struct code *code, struct str path, struct str source,
                              struct str alias)
{
    return arena_printf(&code->arena, "%.*s%sprovider[\"%.*s\"]%s%.*s", STR_ARG(path),
                        path.len ? "." : "", STR_ARG(source), alias.len ? "." : "", STR_ARG(alias));
}

/* provider["..."].by["key"] */
static struct str keyed_config_text(struct code *code, struct str path, struct str source,
                                    struct str alias, const struct code_each *each)
{
    AUTO_BUF out = {.limit = 1 << 20};
    struct str whole = config_text(code, path, source, alias);
    if (each->kind == CODE_KEY_NONE)
        return whole;
    buf_str(&out, whole);
    address_print_key(&out, &each->key);
    return out.failed ? whole : arena_dup(&code->arena, buf_view(&out));
}

static bool is_keyed(const struct found *f)
{
    return f->keyed && f->written && f->written->for_each.expr;
}

/* Which one of a provider's for_each (OpenTofu) a reference means, where it is written: by the keys
 * of the resource, or of the module call. CODE_KEY_NONE: it has none, or it is not known. */
static struct code_each key_of(const struct code_scope *scope, const struct found *f)
{
    struct code_scope at = *scope;
    struct code_each none = {.kind = CODE_KEY_NONE};
    struct value key;
    struct str why;
    if (!is_keyed(f))
        return none;
    while (f->passed && at.module && at.module->config != f->passed)
        at.module = at.module->parent;
    if (!at.module)
        return none;
    if (f->passed) {
        at.each = at.module->each;
        at.module = at.module->parent;
    }
    if (!code_eval(&at, f->keyed->place.file, f->keyed->key, &type_dynamic, &key) ||
        !hcl_convert(&scope->walk->code->arena, &key, &type_string, &key, &why) ||
        key.kind != VALUE_STRING)
        return none;
    key.marks = 0;
    return (struct code_each){.kind = CODE_KEY_EACH, .key = key};
}

static struct str text_of(struct code *code, const struct code_resource *r, const struct found *f,
                          const struct code_each *key)
{
    return keyed_config_text(code, f->written || f->alias.len ? f->in->path : STR(""),
                             r->provider_source, f->alias, key);
}

struct str code_provider_config_text(const struct code_scope *scope, const struct code_resource *r)
{
    struct code *code = scope->walk->code;
    struct found f = provider_of(code, scope->module->config, r);
    struct code_each key = key_of(scope, &f);
    return text_of(code, r, &f, &key);
}

struct str code_provider_config_shared(struct code *code, const struct code_config *in,
                                       const struct code_resource *r)
{
    const struct code_each none = {.kind = CODE_KEY_NONE};
    struct found f = provider_of(code, in, r);
    return is_keyed(&f) ? (struct str){0} : text_of(code, r, &f, &none);
}

/* --- evaluating --- */

static bool is_unknown(const struct value *config, struct str name)
{
    const struct value *v = value_get(config, name);
    return v && value_any_unknown(v);
}

static struct str unknown_text(struct arena *arena, const struct code_body *body, struct str name,
                               struct hcl_range whole, struct str text)
{
    uint32_t line, column;
    hcl_place(body->file->text, whole.start, &line, &column);
    return arena_printf(arena, "%.*s%s%.*s (%.*s:%u)", STR_ARG(name), text.len ? " = " : "",
                        STR_ARG(str_sub(text, 0, 80)), STR_ARG(body->file->name), line);
}

static bool has_unknown_text(const struct code_body *body, const struct value *config,
                             struct arena *arena, struct str *ret)
{
    const struct hcl_body *b = body->body;
    for (size_t i = 0; i < b->nattributes; i++) {
        const struct hcl_attribute *a = &b->attribute[i];
        if (!is_unknown(config, a->name))
            continue;
        *ret = unknown_text(arena, body, a->name, a->range,
                            str_sub(body->file->text, a->value->range.start, a->value->range.end));
        return true;
    }
    for (size_t i = 0; i < b->nblocks; i++) {
        const struct hcl_block *inner = &b->block[i];
        bool dynamic = inner->nlabels == 1 && str_equal(inner->type, STR("dynamic"));
        struct str name = dynamic ? inner->label[0].text : inner->type;
        if (!is_unknown(config, name))
            continue;
        *ret = unknown_text(arena, body, name, inner->range, STR(""));
        return true;
    }
    return false;
}

static bool is_empty(const struct code_provider *p)
{
    size_t own = 0;
    for (size_t i = 0; i < p->body->nattributes; i++)
        own += !str_equal(p->body->attribute[i].name, STR("alias")) &&
               !str_equal(p->body->attribute[i].name, STR("version"));
    return !p->file->json && own == 0 && p->body->nblocks == 0 && p->noverrides == 0;
}

static size_t bodies_of(struct arena *arena, const struct code_provider *p,
                        const struct code_body **ret)
{
    struct code_body *bodies = arena_new(arena, struct code_body, p->noverrides + 2);
    size_t n = 0;
    *ret = bodies;
    if (!bodies)
        return 0;
    bodies[n++] = (struct code_body){p->file, p->body};
    for (size_t i = 0; i < p->noverrides; i++)
        bodies[n++] = p->overrides[i];
    if (p->escape)
        bodies[n++] = (struct code_body){p->file, p->escape};
    return n;
}

struct str code_provider_unknown(struct arena *arena, const struct code_provider *written,
                                 const struct value *config)
{
    struct str ret = {0};
    const struct code_body *bodies;
    size_t n = bodies_of(arena, written, &bodies);
    for (size_t i = 0; i < n && !has_unknown_text(&bodies[i], config, arena, &ret);)
        i++;
    return ret;
}

static bool is_constant(struct arena *arena, const struct hcl_body *body, unsigned depth_left)
{
    struct value v;
    if (body->json || depth_left == 0)
        return false;
    for (size_t i = 0; i < body->nattributes; i++)
        if (!hcl_static_value(arena, body->attribute[i].value, &v))
            return false;
    for (size_t i = 0; i < body->nblocks; i++)
        if (body->block[i].nlabels || !is_constant(arena, &body->block[i].body, depth_left - 1))
            return false;
    return true;
}

bool code_provider_is_constant(const struct code_provider *written)
{
    enum { DEPTH = 16 };
    AUTO_ARENA arena = {.limit = 16 << 20};
    const struct code_body *bodies;
    size_t n = bodies_of(&arena, written, &bodies);
    for (size_t i = 0; i < n; i++)
        if (!is_constant(&arena, bodies[i].body, DEPTH))
            return false;
    return n > 0;
}

bool code_provider_digest(const struct code_provider *written, struct digest *ret, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct code_body *bodies;
    size_t n = bodies_of(&arena, written, &bodies);
    struct sha256 *sha = n ? sha256_open(err) : NULL;
    if (!sha)
        return n ? false : arena_full(&arena, err);
    for (size_t i = 0; i < n; i++)
        sha256_add_field(sha, str_sub(bodies[i].file->text, bodies[i].body->range.start,
                                      bodies[i].body->range.end));
    return sha256_close(sha, ret, err);
}

static bool run_one(struct code_scope scope, const struct code_provider *p, struct str source,
                    const struct code_each *each, struct code_provider_instance *ret)
{
    struct code_walk *walk = scope.walk;
    struct code *code = walk->code;
    scope.each = *each;
    const struct schema *schema = code_provider_schema_of(code, source);
    const struct code_body *bodies;
    size_t n = bodies_of(&code->arena, p, &bodies);
    *ret = (struct code_provider_instance){
        .provider = source,
        .config_name = keyed_config_text(code, scope.module->config->path, source, p->alias, each),
        .config = hcl_any(),
        .written = p};
    if (!n)
        return false;
    if (walk->validate && is_empty(p))
        return true;
    bool fine = code_body_value(&scope, bodies, n, schema ? &schema->block : NULL,
                                &code_provider_meta, &ret->config);
    ret->unknown_because = code_provider_unknown(&code->arena, p, &ret->config);
    return fine;
}

/* In one module instance: itself, or (OpenTofu) one for each key. */
static bool run_in(struct code_walk *walk, const struct code_provider *p, struct str source,
                   struct code_module_instance *module, struct code_result *r, size_t *room)
{
    static const struct code_expr no_count;
    struct arena *arena = &walk->code->arena;
    struct code_scope scope = {.walk = walk, .module = module};
    struct code_keys keys;
    bool fine = code_expand(&scope, &no_count, &p->for_each, &keys);
    if (!fine || !keys.known || keys.n == 0)
        return fine;
    r->provider = arena_grow(arena, r->provider, r->nproviders, room, r->nproviders + keys.n);
    for (size_t i = 0; r->provider && i < keys.n; i++)
        if (!run_one(scope, p, source, &keys.each[i], &r->provider[r->nproviders++]))
            fine = false;
    return r->provider && fine;
}

bool code_run_provider(struct code_walk *walk, struct code_node *node)
{
    const struct code_provider *p = &node->in->module->providers[node->at];
    struct code_instances_of *modules = code_modules(walk, node->in);
    struct code_result *r = code_result(walk, node);
    struct str source = source_of(walk->code, node->in->module, p->name);
    size_t room = 0;
    bool fine = true;
    for (size_t i = 0; i < modules->n; i++)
        if (code_is_needed(walk, node, &modules->item[i], NULL) &&
            !run_in(walk, p, source, &modules->item[i], r, &room))
            fine = false;
    return fine;
}

/* --- provider::NAME::FUNCTION --- */

static bool is_required(const struct code_module *m, struct str local_name)
{
    for (size_t i = 0; i < m->nrequirements; i++)
        if (str_equal(m->requirements[i].local_name, local_name))
            return true;
    return false;
}

static bool is_builtin_function(struct str name)
{
    static const struct str names[] = {STR_INIT("encode_tfvars"), STR_INIT("decode_tfvars"),
                                       STR_INIT("encode_expr")};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(name, names[i]))
            return true;
    return false;
}

static bool no_function(struct hcl_eval *ev, struct str name, struct str local, struct str function,
                        bool required)
{
    if (required)
        return hcl_fail(ev, ev->calling, "Unknown provider function",
                        "The function \"%.*s\" is not available from the provider \"%.*s\".",
                        STR_ARG(function), STR_ARG(local));
    return hcl_fail(ev, ev->calling, "Unknown provider function",
                    "There is no function named \"%.*s\". Ensure that provider name \"%.*s\" is "
                    "declared in this module's required_providers block, and that this provider "
                    "offers a function named \"%.*s\".",
                    STR_ARG(name), STR_ARG(local), STR_ARG(function));
}

bool code_call_provider(void *ctx, struct hcl_eval *ev, struct str name, const struct value *args,
                        size_t nargs, struct value *ret)
{
    struct code *code = ctx;
    const struct code_module *m = code->scope->module->config->module;
    struct str rest = str_sub(name, STR("provider::").len, name.len), local;
    size_t cut = str_find(rest, STR("::"), 0);
    local = str_sub(rest, 0, cut == SIZE_MAX ? rest.len : cut);
    struct str function = cut == SIZE_MAX ? STR("") : str_sub(rest, cut + 2, rest.len);
    struct str source = source_of(code, m, local);
    *ret = hcl_any();
    if (!is_required(m, local))
        return no_function(ev, name, local, function, false);
    if (code_is_builtin(source))
        return is_builtin_function(function) ? hcl_call_builtin_provider(ev, name, args, nargs, ret)
                                             : no_function(ev, name, local, function, true);
    if (code->options.call_function)
        return code->options.call_function(code->options.ctx, ev, source, function, args, nargs,
                                           ret);
    return true;
}
