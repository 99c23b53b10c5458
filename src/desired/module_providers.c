/* module_providers.c - does what modules pass each other as providers fit together?
 *
 * Source:  Terraform 1.11 configs, provider_validation.go: its words, one module at a time
 */
#include "base/buf.h"
#include "desired/module_parts.h"
#include "desired/module_tree.h"

struct checking {
    struct arena *arena;
    struct hcl_diags *diags;
    bool opentofu;
};
/* One module in its tree. */
struct scope {
    struct checking *in;
    const struct code_tree *tree;
    struct str here, above; /* "the root module", "module.a" */
    const struct code_place
        *no_config; /* why local configurations may not be: count ..., or NULL */
};

static void report(struct checking *in, const struct code_place *at, bool warning,
                   const char *summary, struct str detail)
{
    hcl_diag_add(in->diags, at->file->name, at->file->text, warning, at->range, str_from(summary),
                 "%.*s", STR_ARG(detail));
}

/* --- names --- */

/* hashicorp/aws of registry.terraform.io/hashicorp/aws, others in full. */
static struct str shown(const struct checking *in, struct str source)
{
    struct str host = in->opentofu ? STR("registry.opentofu.org/") : STR("registry.terraform.io/");
    return str_starts(source, host) ? str_sub(source, host.len, source.len) : source;
}

static struct str default_source(const struct checking *in, struct str name)
{
    return arena_printf(in->arena, "registry.%s/hashicorp/%.*s",
                        in->opentofu ? "opentofu.org" : "terraform.io", STR_ARG(name));
}

static struct str full_name(const struct checking *in, struct str name, struct str alias)
{
    return alias.len ? arena_printf(in->arena, "%.*s.%.*s", STR_ARG(name), STR_ARG(alias)) : name;
}

static struct str ref_name(const struct checking *in, const struct code_provider_ref *ref)
{
    return full_name(in, ref->name, ref->alias);
}

static const struct code_requirement *find_requirement(const struct code_module *m, struct str name)
{
    for (size_t i = 0; i < m->nrequirements; i++)
        if (str_equal(m->requirements[i].local_name, name))
            return &m->requirements[i];
    return NULL;
}

static bool has_alias(const struct code_requirement *r, struct str alias)
{
    for (size_t i = 0; r && i < r->naliases; i++)
        if (r->aliases[i].len && str_equal(r->aliases[i], alias))
            return true;
    return false;
}

static const struct code_provider *find_provider(const struct code_module *m, struct str name,
                                                 struct str alias)
{
    for (size_t i = 0; i < m->nproviders; i++)
        if (str_equal(m->providers[i].name, name) && str_equal(m->providers[i].alias, alias))
            return &m->providers[i];
    return NULL;
}

static bool body_is_empty(struct checking *in, const struct hcl_file *file,
                          const struct hcl_body *body)
{
    AUTO_ARENA scratch = {.limit = 64 << 20};
    struct hcl_diags unheard = {.arena = &scratch};
    struct hcl_content content;
    return hcl_body_content(in->arena, file, body, &code_provider_meta, false, &unheard,
                            &content) &&
           !hcl_has_errors(&unheard);
}

/* Has it settings of its own? An empty block only announces a name. */
static bool is_configured(struct checking *in, const struct code_provider *p)
{
    static const struct hcl_body_spec nothing = {0};
    AUTO_ARENA scratch = {.limit = 64 << 20};
    struct hcl_diags unheard = {.arena = &scratch};
    struct hcl_content content;
    if (p->has_version || !body_is_empty(in, p->file, p->body))
        return true;
    for (size_t i = 0; i < p->noverrides; i++)
        if (!body_is_empty(in, p->overrides[i].file, p->overrides[i].body))
            return true;
    return p->escape &&
           (!hcl_body_content(in->arena, p->file, p->escape, &nothing, false, &unheard, &content) ||
            hcl_has_errors(&unheard));
}

static bool configured_as(struct checking *in, const struct code_module *m, struct str name,
                          struct str alias)
{
    const struct code_provider *p = find_provider(m, name, alias);
    return p && is_configured(in, p);
}

static const struct code_passed_provider *find_passed(const struct code_tree *tree, struct str name,
                                                      struct str alias)
{
    const struct code_module_call *call = tree->call;
    for (size_t i = 0; call && i < call->nproviders; i++)
        if (str_equal(call->providers[i].inner.name, name) &&
            str_equal(call->providers[i].inner.alias, alias))
            return &call->providers[i];
    return NULL;
}

/* --- required twice --- */

static void check_requirement(struct scope *s, size_t i)
{
    const struct code_module *m = &s->tree->module;
    const struct code_requirement *r = &m->requirements[i];
    struct str source = shown(s->in, r->source);
    for (size_t k = 0; k < i; k++)
        if (str_equal(m->requirements[k].source, r->source)) {
            report(s->in, &r->place, true, "Duplicate required provider",
                   arena_printf(s->in->arena,
                                "Provider %.*s with the local name \"%.*s\" was previously "
                                "required as \"%.*s\". A provider can only be required once "
                                "within required_providers.",
                                STR_ARG(source), STR_ARG(r->local_name),
                                STR_ARG(m->requirements[k].local_name)));
            return;
        }
    if (!str_starts(source, STR("hashicorp/")))
        return;
    struct str implied = str_sub(source, 10, source.len);
    for (size_t k = 0; k < m->nproviders && !str_equal(r->local_name, implied); k++)
        if (str_equal(m->providers[k].name, implied)) {
            report(s->in, &r->place, true, "Duplicate required provider",
                   arena_printf(s->in->arena,
                                "Provider %.*s with the local name \"%.*s\" was implicitly "
                                "required via a configuration block as \"%.*s\". The provider "
                                "configuration block name must match the name used in "
                                "required_providers.",
                                STR_ARG(source), STR_ARG(r->local_name), STR_ARG(implied)));
            return;
        }
}

/* aws_vpc wants the provider that is called aws: is it required under another name? */
static void check_implied(struct scope *s, const struct code_resource *r)
{
    const struct code_module *m = &s->tree->module;
    size_t end = str_find_char(r->type, '_', 0);
    struct str name = end == SIZE_MAX ? r->type : str_sub(r->type, 0, end);
    const char *fault = provider_part_fault(name);
    if (r->has_provider || r->mode == CODE_EPHEMERAL)
        return;
    if (fault) {
        report(s->in, &r->place, false, "Invalid provider local name",
               arena_printf(s->in->arena, "\"%.*s\" is an invalid implied provider local name: %s",
                            STR_ARG(name), fault));
        return;
    }
    if (find_requirement(m, name))
        return;
    struct str source = provider_source_default(s->in->arena, name, s->in->opentofu);
    for (size_t i = 0; i < m->nrequirements; i++) {
        const struct code_requirement *other = &m->requirements[i];
        if (str_equal(other->source, source))
            report(s->in, &r->place, true, "Duplicate required provider",
                   arena_printf(s->in->arena,
                                "Provider \"%.*s\" was implicitly required via resource "
                                "\"%s%.*s.%.*s\", but listed in required_providers as \"%.*s\". "
                                "Either the local name in required_providers must match the "
                                "resource name, or the \"%.*s\" provider must be assigned within "
                                "the resource block.",
                                STR_ARG(source), r->mode == CODE_DATA ? "data." : "",
                                STR_ARG(r->type), STR_ARG(r->name), STR_ARG(other->local_name),
                                STR_ARG(other->local_name)));
    }
}

/* --- what this module passes on --- */

static void check_handed_on(struct scope *s, const struct code_passed_provider *passed)
{
    const struct code_provider_ref *outer = &passed->outer;
    const struct code_tree *tree = s->tree;
    struct str source = shown(s->in, default_source(s->in, outer->name));
    bool configured = configured_as(s->in, &tree->module, outer->name, (struct str){0});
    if (outer->alias.len)
        return;
    if (!configured && !find_requirement(&tree->module, outer->name)) {
        report(s->in, &outer->place, true, "Reference to undefined provider",
               arena_printf(
                   s->in->arena,
                   "There is no explicit declaration for local provider name \"%.*s\" in %.*s, so "
                   "Terraform is assuming you mean to pass a configuration for provider "
                   "\"%.*s\".\n\nTo clarify your intent and silence this warning, add to %.*s a "
                   "required_providers entry named \"%.*s\" with source = \"%.*s\", or a different "
                   "source address if appropriate.",
                   STR_ARG(outer->name), STR_ARG(s->here), STR_ARG(source), STR_ARG(s->above),
                   STR_ARG(outer->name), STR_ARG(source)));
        return;
    }
    if (!tree->call || configured || find_passed(tree, outer->name, (struct str){0}))
        return;
    report(s->in, &tree->call->place, true, "Missing required provider configuration",
           arena_printf(s->in->arena,
                        "The configuration for %.*s expects to inherit a configuration for "
                        "provider %.*s with local name \"%.*s\", but %.*s doesn't pass a "
                        "configuration under that name.\n\nTo satisfy this requirement, add an "
                        "entry for \"%.*s\" to the \"providers\" argument in the module \"%.*s\" "
                        "block.",
                        STR_ARG(s->here), STR_ARG(source), STR_ARG(outer->name), STR_ARG(s->above),
                        STR_ARG(outer->name), STR_ARG(tree->call->name)));
}

/* --- what this module is given --- */

static void check_own_configurations(struct scope *s)
{
    const struct code_module *m = &s->tree->module;
    bool any = false;
    for (size_t i = 0; i < m->nproviders; i++) {
        const struct code_provider *p = &m->providers[i];
        const struct code_passed_provider *passed = find_passed(s->tree, p->name, p->alias);
        if (!is_configured(s->in, p))
            continue;
        any = true;
        if (passed)
            report(s->in, &passed->inner.place, false, "Cannot override provider configuration",
                   arena_printf(s->in->arena,
                                "The configuration of %.*s has its own local configuration for "
                                "%.*s, and so it cannot accept an overridden configuration "
                                "provided by %.*s.",
                                STR_ARG(s->here), STR_ARG(full_name(s->in, p->name, p->alias)),
                                STR_ARG(s->above)));
    }
    if (any && s->no_config)
        report(s->in, s->no_config, false,
               "Module is incompatible with count, for_each, and depends_on",
               arena_printf(s->in->arena,
                            "The module at %.*s is a legacy module which contains its own local "
                            "provider configurations, and so calls to it may not use the count, "
                            "for_each, or depends_on arguments.\n\nIf you also control the module "
                            "\"%.*s\", consider updating this module to instead expect provider "
                            "configurations to be passed by its caller.",
                            STR_ARG(s->tree->path), STR_ARG(s->tree->call->source)));
}

static void check_aliases(struct scope *s)
{
    const struct code_module *m = &s->tree->module;
    for (size_t i = 0; i < m->nrequirements; i++)
        for (size_t k = 0; k < m->requirements[i].naliases; k++) {
            const struct code_requirement *r = &m->requirements[i];
            struct str alias = r->aliases[k], name = full_name(s->in, r->local_name, alias);
            if (find_passed(s->tree, r->local_name, alias) ||
                configured_as(s->in, m, r->local_name, alias))
                continue;
            report(s->in, &s->tree->call->place, false, "Missing required provider configuration",
                   arena_printf(s->in->arena,
                                "The child module requires an additional configuration for "
                                "provider %.*s, with the local name \"%.*s\".\n\nRefer to the "
                                "module's documentation to understand the intended purpose of "
                                "this additional provider configuration, and then add an entry "
                                "for %.*s in the \"providers\" meta-argument in the module block "
                                "to choose which provider configuration the module should use for "
                                "that purpose.",
                                STR_ARG(shown(s->in, r->source)), STR_ARG(name), STR_ARG(name)));
        }
}

/* The provider that a local name means in a module. */
static struct str source_of(struct checking *in, const struct code_module *m, struct str name)
{
    const struct code_requirement *r = find_requirement(m, name);
    return r ? r->source : default_source(in, name);
}

static void undefined_inside(struct scope *s, const struct code_provider_ref *inner,
                             struct str source)
{
    struct str name = ref_name(s->in, inner), provider = shown(s->in, source);
    if (str_starts(provider, STR("hashicorp/")))
        report(s->in, &inner->place, true, "Reference to undefined provider",
               arena_printf(s->in->arena,
                            "There is no explicit declaration for local provider name \"%.*s\" in "
                            "%.*s, so Terraform is assuming you mean to pass a configuration for "
                            "\"%.*s\".\n\nIf you also control the child module, add a "
                            "required_providers entry named \"%.*s\" with the source address "
                            "\"%.*s\".",
                            STR_ARG(name), STR_ARG(s->here), STR_ARG(provider), STR_ARG(name),
                            STR_ARG(provider)));
    else
        report(s->in, &inner->place, false, "Reference to undefined provider",
               arena_printf(s->in->arena,
                            "The child module does not declare any provider requirement with the "
                            "local name \"%.*s\".\n\nIf you also control the child module, you can "
                            "add a required_providers entry named \"%.*s\" with the source address "
                            "\"%.*s\" to accept this provider configuration.",
                            STR_ARG(name), STR_ARG(name), STR_ARG(provider)));
}

static void type_mismatch(struct scope *s, const struct code_passed_provider *passed,
                          struct str child, struct str parent)
{
    static const char summary[] = "Provider type mismatch";
    const struct code_module *m = &s->tree->module;
    struct str inner = ref_name(s->in, &passed->inner), outer = ref_name(s->in, &passed->outer);
    struct str want = shown(s->in, child), have = shown(s->in, parent);
    for (size_t i = 0; i < m->nrequirements; i++)
        if (str_equal(m->requirements[i].source, parent)) {
            report(s->in, &passed->inner.place, false, summary,
                   arena_printf(s->in->arena,
                                "The assigned configuration is for provider \"%.*s\", but local "
                                "name \"%.*s\" in %.*s represents \"%.*s\".\n\nTo pass this "
                                "configuration to the child module, use the local name \"%.*s\" "
                                "instead.",
                                STR_ARG(have), STR_ARG(passed->inner.name), STR_ARG(s->above),
                                STR_ARG(want), STR_ARG(m->requirements[i].local_name)));
            return;
        }
    report(s->in, &passed->outer.place, false, summary,
           arena_printf(s->in->arena,
                        "The local name \"%.*s\" in %.*s represents provider \"%.*s\", but "
                        "\"%.*s\" in %.*s represents \"%.*s\".\n\nEach provider has its own "
                        "distinct configuration schema and provider types, so this module's "
                        "\"%.*s\" can be assigned only a configuration for %.*s, which is not "
                        "required by %.*s.",
                        STR_ARG(outer), STR_ARG(s->above), STR_ARG(have), STR_ARG(inner),
                        STR_ARG(s->here), STR_ARG(want), STR_ARG(inner), STR_ARG(want),
                        STR_ARG(s->here)));
}

static void check_given(struct scope *s, const struct code_passed_provider *passed)
{
    const struct code_module *m = &s->tree->module, *parent = &s->tree->parent->module;
    const struct code_provider_ref *inner = &passed->inner;
    const struct code_provider *own = find_provider(m, inner->name, inner->alias);
    const struct code_requirement *required = find_requirement(m, inner->name);
    struct str child = source_of(s->in, m, inner->name);
    struct str outer = source_of(s->in, parent, passed->outer.name);
    bool announced = (required && !inner->alias.len) || has_alias(required, inner->alias) ||
                     (own && !is_configured(s->in, own));
    if (!announced)
        undefined_inside(s, inner, child);
    if (!inner->alias.len && find_requirement(parent, inner->name))
        outer = find_requirement(parent, inner->name)->source;
    if (!str_equal(child, outer))
        type_mismatch(s, passed, child, outer);
}

/* Empty provider blocks were how modules of Terraform 0.11 announced what they want. */
static void check_proxies(struct scope *s)
{
    const struct code_module *m = &s->tree->module;
    struct str done = {0};
    for (size_t i = 0; i < m->nproviders; i++) { /* sorted: those of one name stand together */
        const struct code_provider *p = &m->providers[i];
        if (str_equal(p->name, done) || is_configured(s->in, p))
            continue;
        AUTO_BUF text = {.limit = 1 << 20};
        const struct code_requirement *r = find_requirement(m, p->name);
        struct str source = r && !p->alias.len ? r->source : default_source(s->in, p->name);
        bool aliases = false;
        done = p->name;
        buf_printf(&text,
                   "Earlier versions of Terraform used empty provider blocks (\"proxy provider "
                   "configurations\") for child modules to declare their need to be passed a "
                   "provider configuration by their callers. That approach was ambiguous and is "
                   "now deprecated.\n\nIf you control this module, you can migrate to the new "
                   "declaration syntax by removing all of the empty provider \"%.*s\" blocks and "
                   "then adding or updating an entry like the following to the required_providers "
                   "block of %.*s:\n    %.*s = {\n      source = \"%.*s\"\n",
                   STR_ARG(p->name), STR_ARG(s->here), STR_ARG(p->name),
                   STR_ARG(shown(s->in, source)));
        for (size_t k = i; k < m->nproviders && str_equal(m->providers[k].name, p->name); k++)
            aliases |= m->providers[k].alias.len && !is_configured(s->in, &m->providers[k]);
        if (aliases)
            buf_str(&text, STR("      configuration_aliases = [\n"));
        for (size_t k = i; aliases && k < m->nproviders && str_equal(m->providers[k].name, p->name);
             k++)
            if (!is_configured(s->in, &m->providers[k]))
                buf_printf(&text, "        %.*s,\n",
                           STR_ARG(full_name(s->in, p->name, m->providers[k].alias)));
        buf_str(&text, aliases ? STR("      ]\n    }") : STR("    }"));
        report(s->in, &p->place, true, "Redundant empty provider block", buf_view(&text));
    }
}

/* --- the walk --- */

static void check_module(struct checking *in, const struct code_tree *tree,
                         const struct code_place *no_config, unsigned depth_left)
{
    const struct code_module *m = &tree->module;
    struct scope s = {in, tree, STR("the root module"), STR("the root module"), no_config};
    if (tree->parent)
        s.here = tree->path;
    if (tree->parent && tree->parent->parent)
        s.above = tree->parent->path;
    for (size_t i = 0; i < m->ncalls && depth_left; i++) {
        const struct code_module_call *call = &m->calls[i];
        const struct code_expr *why = call->count.expr      ? &call->count
                                      : call->for_each.expr ? &call->for_each
                                      : call->ndepends_on   ? &call->depends_on[0]
                                                            : NULL;
        struct code_place place = call->place;
        if (why)
            place.file = why->file, place.range = why->expr->range;
        if (tree->child[i])
            check_module(in, tree->child[i], why || call->has_depends_on ? &place : no_config,
                         depth_left - 1);
    }
    for (size_t i = 0; i < m->nrequirements; i++)
        check_requirement(&s, i);
    for (size_t i = 0; i < m->nresources; i++)
        check_implied(&s, &m->resources[i]);
    for (size_t i = 0; i < m->ncalls; i++)
        for (size_t k = 0; k < m->calls[i].nproviders; k++)
            check_handed_on(&s, &m->calls[i].providers[k]);
    if (!tree->parent)
        return;
    check_own_configurations(&s);
    check_aliases(&s);
    for (size_t i = 0; i < tree->call->nproviders; i++)
        check_given(&s, &tree->call->providers[i]);
    check_proxies(&s);
}

void code_check_providers(struct arena *arena, const struct code_tree *root, bool opentofu,
                          struct hcl_diags *diags)
{
    struct checking in = {arena, diags, opentofu};
    check_module(&in, root, NULL, CODE_TREE_DEPTH_MAX);
}
