/* module_merge.c - the declarations of all files of a module as one: duplicates, overrides, order.
 *
 * Of a name declared twice the later counts for values (variables, locals, outputs, calls), the
 * earlier for resources, as in Terraform.
 */
#include <stdlib.h>
#include <string.h>

#include "desired/module_parts.h"

/* One declaration, for sorting and finding. */
struct entry {
    enum code_mode mode; /* resources only */
    struct str type, name;
    size_t order;
    void *item;
    struct code_place *place;
};
struct entries {
    struct entry *item;
    size_t n;
};
struct merging {
    struct code_decoder *d;
    struct code_module *module;
    struct entries variables, locals, outputs, calls, resources, providers, checks;
    CODE_LIST(struct code_requirement) requirements;
    const struct part_named *backend, *cloud;
};

static int compare_names(const struct entry *a, const struct entry *b)
{
    if (a->mode != b->mode)
        return a->mode < b->mode ? -1 : 1;
    int order = str_compare(a->type, b->type);
    return order ? order : str_compare(a->name, b->name);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = compare_names(x, y);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

static void *find(const struct entries *entries, enum code_mode mode, struct str type,
                  struct str name)
{
    struct entry key = {.mode = mode, .type = type, .name = name};
    size_t low = 0, high = entries->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_names(&entries->item[middle], &key);
        if (order == 0)
            return entries->item[middle].item;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Report in the file that the place is in. */
static void fault_at(struct merging *in, const struct code_place *place, struct str summary,
                     const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void fault_at(struct merging *in, const struct code_place *place, struct str summary,
                     const char *fmt, ...)
{
    AUTO_ARENA scratch = {.limit = 1 << 20};
    va_list args;
    va_start(args, fmt);
    struct str detail = arena_vprintf(&scratch, fmt, args);
    va_end(args);
    hcl_diag_add(in->d->diags, place->file->name, place->file->text, false, place->range, summary,
                 "%.*s", STR_ARG(detail));
}

/* --- duplicates --- */

/* How a kind words its duplicates; %T and %N stand for type and name, %P for the place. */
struct wording {
    bool keep_first;
    const char *summary, *detail;
};

static struct str fill(struct arena *arena, const char *pattern, const struct entry *entry,
                       struct str place)
{
    struct str out = {0};
    for (const char *at = pattern; *at;) {
        size_t plain = strcspn(at, "%");
        struct str value = {0};
        if (at[plain] == '%') {
            char which = at[plain + 1];
            value = which == 'T' ? entry->type : which == 'N' ? entry->name : place;
        }
        out = arena_printf(arena, "%.*s%.*s%.*s", STR_ARG(out), (int)plain, at, STR_ARG(value));
        at += plain + (at[plain] == '%' ? 2 : 0);
    }
    return out;
}

static void report_duplicate(struct merging *in, const struct wording *wording,
                             const struct entry *first, const struct entry *later)
{
    AUTO_ARENA scratch = {.limit = 16 << 20};
    struct str at = code_range_text(&scratch, first->place->file, first->place->range);
    struct str detail = fill(&scratch, wording->detail, first, at);
    fault_at(in, later->place, fill(&scratch, wording->summary, first, at), "%.*s",
             STR_ARG(detail));
}

/* Sorted by name, one of each. */
static void settle(struct merging *in, struct entries *entries, const struct wording *wording)
{
    size_t kept = 0;
    if (entries->n)
        qsort(entries->item, entries->n, sizeof *entries->item, compare_entries);
    for (size_t i = 0; i < entries->n; i++) {
        struct entry *last = kept ? &entries->item[kept - 1] : NULL;
        if (!last || compare_names(last, &entries->item[i])) {
            entries->item[kept++] = entries->item[i];
            continue;
        }
        report_duplicate(in, wording, last, &entries->item[i]);
        if (!wording->keep_first)
            *last = entries->item[i];
    }
    entries->n = kept;
}

/* --- what the primary files declare --- */

/* All items of one list of all files as entries: NAME_OF is the name, of `item`. */
#define GATHER(in, primary, n, part_type, list, target, mode_of, type_of, name_of, place_of) \
    do { \
        size_t total = 0; \
        for (size_t f = 0; f < (n); f++) \
            total += (primary)[f].list.n; \
        (in)->target.item = arena_new((in)->d->arena, struct entry, total); \
        (in)->d->full |= !(in)->target.item; \
        for (size_t f = 0; (in)->target.item && f < (n); f++) \
            for (size_t i = 0; i < (primary)[f].list.n; i++) { \
                part_type *item = &(primary)[f].list.item[i]; \
                size_t at = (in)->target.n++; \
                (in)->target.item[at] = \
                    (struct entry){mode_of, type_of, name_of, at, item, &item->place_of}; \
            } \
    } while (0)

static void gather_values(struct merging *in, struct code_parts *primary, size_t n)
{
    static const struct wording variable = {
        false, "Duplicate variable declaration",
        "A variable named \"%N\" was already declared at %P. Variable names must be unique within "
        "a module."};
    static const struct wording local = {
        false, "Duplicate local value definition",
        "A local value named \"%N\" was already defined at %P. Local value names must be unique "
        "within a module."};
    static const struct wording output = {
        false, "Duplicate output definition",
        "An output named \"%N\" was already defined at %P. Output names must be unique within a "
        "module."};
    static const struct wording call = {
        false, "Duplicate module call",
        "A module call named \"%N\" was already defined at %P. Module calls must have unique names "
        "within a module."};
    static const struct str none = {0};
    GATHER(in, primary, n, struct part_variable, variables, variables, CODE_MANAGED, none,
           item->v.name, v.place);
    settle(in, &in->variables, &variable);
    GATHER(in, primary, n, struct part_local, locals, locals, CODE_MANAGED, none, item->l.name,
           place);
    settle(in, &in->locals, &local);
    GATHER(in, primary, n, struct part_output, outputs, outputs, CODE_MANAGED, none, item->o.name,
           o.place);
    settle(in, &in->outputs, &output);
    GATHER(in, primary, n, struct part_call, calls, calls, CODE_MANAGED, none, item->c.name,
           c.place);
    settle(in, &in->calls, &call);
}

static void gather_providers(struct merging *in, struct code_parts *primary, size_t n)
{
    static const struct wording provider = {
        true, "Duplicate provider configuration",
        "A provider configuration for \"%T\" with alias \"%N\" was already given at %P. Each "
        "configuration for the same provider must have a distinct alias."};
    static const struct wording unnamed = {
        true, "Duplicate provider configuration",
        "A default (non-aliased) provider configuration for \"%T\" was already given at %P. If "
        "multiple configurations are required, set the \"alias\" argument for alternative "
        "configurations."};
    GATHER(in, primary, n, struct code_provider, providers, providers, CODE_MANAGED, item->name,
           item->alias, place);
    /* Those without an alias come first of each name: two wordings, one order. */
    struct entries *all = &in->providers;
    size_t kept = 0;
    if (all->n)
        qsort(all->item, all->n, sizeof *all->item, compare_entries);
    for (size_t i = 0; i < all->n; i++) {
        if (kept && !compare_names(&all->item[kept - 1], &all->item[i]))
            report_duplicate(in, all->item[i].name.len ? &provider : &unnamed, &all->item[kept - 1],
                             &all->item[i]);
        else
            all->item[kept++] = all->item[i];
    }
    all->n = kept;
}

/* Data sources of checks stand with the others. */
static void gather_check_data(struct merging *in, struct code_parts *primary, size_t n)
{
    size_t extra = 0;
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < primary[f].checks.n; i++)
            extra += primary[f].checks.item[i].data != NULL;
    if (!extra)
        return;
    struct entry *all = arena_new(in->d->arena, struct entry, in->resources.n + extra);
    if (!all) {
        in->d->full = true;
        return;
    }
    if (in->resources.n)
        memcpy(all, in->resources.item, in->resources.n * sizeof *all);
    in->resources.item = all;
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < primary[f].checks.n; i++) {
            struct part_resource *data = primary[f].checks.item[i].data;
            if (data)
                all[in->resources.n] = (struct entry){
                    CODE_DATA, data->r.type, data->r.name, in->resources.n, data, &data->r.place};
            in->resources.n += data != NULL;
        }
}

/* Resources word their duplicates by mode. */
static void settle_resources(struct merging *in)
{
    static const struct wording by_mode[] = {
        [CODE_MANAGED] = {true, "Duplicate resource \"%T\" configuration",
                          "A %T resource named \"%N\" was already declared at %P. Resource names "
                          "must be unique per type in each module."},
        [CODE_DATA] = {true, "Duplicate data \"%T\" configuration",
                       "A %T data resource named \"%N\" was already declared at %P. Resource names "
                       "must be unique per type in each module."},
        [CODE_EPHEMERAL] = {true, "Duplicate ephemeral \"%T\" configuration",
                            "A %T ephemeral resource named \"%N\" was already declared at %P. "
                            "Resource names must be unique per type in each module."}};
    static const struct wording in_check = {
        true, "Duplicate data \"%T\" configuration",
        "A %T data resource named \"%N\" was already declared at %P. Resource names must be unique "
        "per type in each module, including within check blocks."};
    struct entries *all = &in->resources;
    size_t kept = 0;
    if (all->n)
        qsort(all->item, all->n, sizeof *all->item, compare_entries);
    for (size_t i = 0; i < all->n; i++) {
        const struct entry *entry = &all->item[i];
        const struct part_resource *part = entry->item;
        if (kept && !compare_names(&all->item[kept - 1], entry))
            report_duplicate(in, part->r.check.len ? &in_check : &by_mode[entry->mode],
                             &all->item[kept - 1], entry);
        else
            all->item[kept++] = *entry;
    }
    all->n = kept;
}

static void gather_resources(struct merging *in, struct code_parts *primary, size_t n)
{
    static const struct wording check = {
        true, "Duplicate check \"%N\" configuration",
        "A check block named \"%N\" was already declared at %P. Check blocks must be unique within "
        "each module."};
    static const struct str none = {0};
    GATHER(in, primary, n, struct part_resource, resources, resources, item->r.mode, item->r.type,
           item->r.name, r.place);
    gather_check_data(in, primary, n);
    settle_resources(in);
    GATHER(in, primary, n, struct part_check, checks, checks, CODE_MANAGED, none, item->c.name,
           c.place);
    settle(in, &in->checks, &check);
}

/* --- the terraform blocks --- */

static void set_requirement(struct merging *in, const struct code_requirement *r, bool replace)
{
    for (size_t i = 0; i < in->requirements.n; i++)
        if (str_equal(in->requirements.item[i].local_name, r->local_name)) {
            if (replace)
                in->requirements.item[i] = *r;
            return;
        }
    CODE_PUSH(in->d, in->requirements, *r);
}

static void gather_requirements(struct merging *in, const struct code_parts *files, size_t n,
                                bool overrides)
{
    const struct part_requirements *first = NULL;
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < files[f].requirements.n; i++) {
            const struct part_requirements *part = &files[f].requirements.item[i];
            if (first && !overrides) {
                AUTO_ARENA scratch = {.limit = 1 << 20};
                struct str at = code_range_text(&scratch, first->place.file, first->place.range);
                fault_at(in, &part->place, STR("Duplicate required providers configuration"),
                         "A module may have only one required providers configuration. The "
                         "required providers were previously configured at %.*s.",
                         STR_ARG(at));
                continue;
            }
            first = part;
            for (size_t k = 0; k < part->list.n; k++)
                set_requirement(in, &part->list.item[k], overrides);
        }
}

static void duplicate_storage(struct merging *in, const struct part_named *first,
                              const struct part_named *later, bool cloud)
{
    AUTO_ARENA scratch = {.limit = 1 << 20};
    struct str at = code_range_text(&scratch, first->place.file, first->place.range);
    if (cloud)
        fault_at(in, &later->place, STR("Duplicate HCP Terraform configurations"),
                 "A module may have only one 'cloud' block configuring HCP Terraform or Terraform "
                 "Enterprise. The 'cloud' block was previously configured at %.*s.",
                 STR_ARG(at));
    else
        fault_at(in, &later->place, STR("Duplicate backend configuration"),
                 "A module may have only one backend configuration. The backend was previously "
                 "configured at %.*s.",
                 STR_ARG(at));
}

static void gather_storage(struct merging *in, const struct code_parts *primary, size_t n)
{
    for (size_t f = 0; f < n; f++) {
        for (size_t i = 0; i < primary[f].backends.n; i++) {
            if (in->backend)
                duplicate_storage(in, in->backend, &primary[f].backends.item[i], false);
            else
                in->backend = &primary[f].backends.item[i];
        }
        for (size_t i = 0; i < primary[f].clouds.n; i++) {
            if (in->cloud)
                duplicate_storage(in, in->cloud, &primary[f].clouds.item[i], true);
            else
                in->cloud = &primary[f].clouds.item[i];
        }
        if (!in->cloud || !in->backend)
            continue;
        AUTO_ARENA scratch = {.limit = 1 << 20};
        struct str cloud = code_range_text(&scratch, in->cloud->place.file, in->cloud->place.range);
        struct str backend =
            code_range_text(&scratch, in->backend->place.file, in->backend->place.range);
        fault_at(in, &in->backend->place, STR("Both a backend and cloud configuration are present"),
                 "A module may declare either one 'cloud' block OR one 'backend' block configuring "
                 "a state backend. The 'cloud' block is configured at %.*s; a backend is "
                 "configured at %.*s. Remove the backend block to configure HCP Terraform or "
                 "Terraform Enteprise.",
                 STR_ARG(cloud), STR_ARG(backend));
    }
}

static void check_metas(struct merging *in, const struct code_parts *files, size_t n)
{
    CODE_LIST(const struct part_named *) seen = {0};
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < files[f].metas.n; i++) {
            const struct part_named *meta = &files[f].metas.item[i];
            for (size_t k = 0; k < seen.n; k++) {
                if (!str_equal(seen.item[k]->name, meta->name))
                    continue;
                AUTO_ARENA scratch = {.limit = 1 << 20};
                struct str at =
                    code_range_text(&scratch, seen.item[k]->place.file, seen.item[k]->place.range);
                fault_at(in, &meta->place, STR("Duplicate provider_meta block"),
                         "A provider_meta block for provider \"%.*s\" was already declared at "
                         "%.*s. Providers may only have one provider_meta block per module.",
                         STR_ARG(meta->name), STR_ARG(at));
                break;
            }
            CODE_PUSH(in->d, seen, meta);
        }
}

/* --- override files --- */

static const struct code_body *append_body(struct code_decoder *d, const struct code_body *bodies,
                                           size_t *n, const struct hcl_file *file,
                                           const struct hcl_body *body)
{
    struct code_body *grown = arena_new(d->arena, struct code_body, *n + 1);
    if (!grown) {
        d->full = true;
        return bodies;
    }
    if (*n)
        memcpy(grown, bodies, *n * sizeof *grown);
    grown[(*n)++] = (struct code_body){file, body};
    return grown;
}

static void missing(struct merging *in, const struct code_place *place, const char *summary,
                    const char *what, struct str name, const char *verb)
{
    fault_at(in, place, str_from(summary),
             "There is no %s named \"%.*s\". An override file can only override %s in a primary "
             "configuration file.",
             what, STR_ARG(name), verb);
}

static void recheck_default(struct merging *in, struct code_variable *v,
                            const struct code_variable *over)
{
    static const struct str summary = STR_INIT("Invalid default value for variable");
    struct str why = {0};
    const char *reason = over->has_type && !over->has_default
                             ? "Overriding this variable's type constraint has made its default "
                               "value invalid"
                         : !over->has_type && over->has_default
                             ? "The overridden default value for this variable is not compatible "
                               "with the variable's type constraint"
                             : "This variable's default value is not compatible with its type "
                               "constraint";
    if (!v->has_default)
        return;
    if (!hcl_convert(in->d->arena, &v->default_value, v->type, &v->default_value, &why))
        fault_at(in, &over->place, summary, "%s: %.*s.", reason, STR_ARG(why));
    if (!v->nullable && v->default_value.kind == VALUE_NULL)
        fault_at(in, &over->place, summary,
                 "A null default value is not valid when nullable=false.");
}

static void override_variable(struct merging *in, const struct part_variable *over)
{
    struct part_variable *base = find(&in->variables, CODE_MANAGED, (struct str){0}, over->v.name);
    if (!base) {
        missing(in, &over->v.place, "Missing base variable declaration to override", "variable",
                over->v.name, "a variable that was already declared");
        return;
    }
    struct code_variable *v = &base->v;
    if (over->description_set)
        v->description = over->v.description;
    if (over->sensitive_set)
        v->sensitive = over->v.sensitive;
    if (over->ephemeral_set)
        v->ephemeral = over->v.ephemeral;
    if (over->v.has_default) {
        v->has_default = true;
        v->default_expr = over->v.default_expr;
        v->default_value = over->v.default_value;
    }
    if (over->v.has_type) {
        v->has_type = true;
        v->type = over->v.type;
        v->type_string_like = over->v.type_string_like;
    }
    if (over->nullable_set)
        v->nullable = over->v.nullable;
    recheck_default(in, v, &over->v);
}

static void override_local(struct merging *in, const struct part_local *over)
{
    struct part_local *base = find(&in->locals, CODE_MANAGED, (struct str){0}, over->l.name);
    if (base)
        *base = *over;
    else
        missing(in, &over->place, "Missing base local value definition to override", "local value",
                over->l.name, "a local value that was already defined");
}

static void no_depends_on(struct merging *in, const struct code_place *place,
                          const struct code_expr *depends_on, size_t n)
{
    if (!n)
        return;
    struct code_place at = {place->file, depends_on[0].range, 0, 0};
    fault_at(in, &at, STR("Unsupported override"),
             "The depends_on argument may not be overridden.");
}

static void override_output(struct merging *in, const struct part_output *over)
{
    struct part_output *base = find(&in->outputs, CODE_MANAGED, (struct str){0}, over->o.name);
    if (!base) {
        missing(in, &over->o.place, "Missing base output definition to override", "output",
                over->o.name, "an output that was already defined");
        return;
    }
    if (over->o.description.len)
        base->o.description = over->o.description;
    if (over->o.value.expr)
        base->o.value = over->o.value;
    if (over->sensitive_set)
        base->o.sensitive = over->o.sensitive;
    if (over->ephemeral_set)
        base->o.ephemeral = over->o.ephemeral;
    no_depends_on(in, &over->o.place, over->o.depends_on, over->o.ndepends_on);
}

static void override_call(struct merging *in, const struct part_call *part)
{
    const struct code_module_call *over = &part->c;
    struct part_call *base = find(&in->calls, CODE_MANAGED, (struct str){0}, over->name);
    if (!base) {
        missing(in, &over->place, "Missing module call to override", "module call", over->name,
                "a module call that was defined");
        return;
    }
    struct code_module_call *c = &base->c;
    if (over->source_expr.expr) {
        c->source = over->source;
        c->source_expr = over->source_expr;
    }
    if (over->count.expr)
        c->count = over->count;
    if (over->for_each.expr)
        c->for_each = over->for_each;
    if (over->enabled.expr)
        c->enabled = over->enabled;
    if (over->version.len)
        c->version = over->version;
    if (over->nproviders) {
        c->providers = over->providers;
        c->nproviders = over->nproviders;
        c->has_providers = true;
    }
    c->overrides = append_body(in->d, c->overrides, &c->noverrides, over->file, over->body);
    no_depends_on(in, &over->place, over->depends_on, over->ndepends_on);
}

static void override_lifecycle(struct part_resource *base, const struct part_resource *over)
{
    struct code_resource *r = &base->r;
    if (over->r.enabled.expr)
        r->enabled = over->r.enabled;
    if (over->create_before_destroy_set)
        r->create_before_destroy = over->r.create_before_destroy;
    if (over->prevent_destroy_set)
        r->prevent_destroy = over->r.prevent_destroy;
    if (over->r.nignore_changes) {
        r->ignore_changes = over->r.ignore_changes;
        r->nignore_changes = over->r.nignore_changes;
        r->ignore_place = over->r.ignore_place;
    }
    if (over->r.ignore_all) {
        r->ignore_all = true;
        r->ignore_place = over->r.ignore_place;
    }
}

static void override_resource(struct merging *in, const struct part_resource *over)
{
    if (over->r.mode == CODE_EPHEMERAL) /* Terraform passes over them */
        return;
    struct part_resource *base = find(&in->resources, over->r.mode, over->r.type, over->r.name);
    bool data = over->r.mode == CODE_DATA;
    if (!base) {
        fault_at(in, &over->r.place,
                 data ? STR("Missing data resource to override")
                      : STR("Missing resource to override"),
                 "There is no %.*s %sresource named \"%.*s\". An override file can only override a "
                 "%s block defined in a primary configuration file.",
                 STR_ARG(over->r.type), data ? "data " : "", STR_ARG(over->r.name),
                 data ? "data" : "resource");
        return;
    }
    struct code_resource *r = &base->r;
    if (over->r.count.expr)
        r->count = over->r.count;
    if (over->r.for_each.expr)
        r->for_each = over->r.for_each;
    if (over->r.has_provider) {
        r->has_provider = true;
        r->provider = over->r.provider;
    }
    override_lifecycle(base, over);
    r->overrides = append_body(in->d, r->overrides, &r->noverrides, over->r.file, over->r.body);
    no_depends_on(in, &over->r.place, over->r.depends_on, over->r.ndepends_on);
}

static void add_provider(struct merging *in, struct code_provider *p)
{
    struct entry *grown = arena_new(in->d->arena, struct entry, in->providers.n + 1);
    if (!grown) {
        in->d->full = true;
        return;
    }
    if (in->providers.n)
        memcpy(grown, in->providers.item, in->providers.n * sizeof *grown);
    grown[in->providers.n] =
        (struct entry){CODE_MANAGED, p->name, p->alias, in->providers.n, p, &p->place};
    in->providers.item = grown;
    in->providers.n++;
    qsort(grown, in->providers.n, sizeof *grown, compare_entries);
}

static void override_provider(struct merging *in, struct code_provider *over)
{
    struct code_provider *base = find(&in->providers, CODE_MANAGED, over->name, over->alias);
    if (base) {
        base->has_version |= over->has_version;
        base->overrides =
            append_body(in->d, base->overrides, &base->noverrides, over->file, over->body);
    } else if (!over->alias.len) {
        add_provider(in, over);
    } else {
        fault_at(in, &over->place, STR("Missing base provider configuration for override"),
                 "There is no %.*s provider configuration with the alias \"%.*s\". An override "
                 "file can only override an aliased provider configuration that was already "
                 "defined in a primary configuration file.",
                 STR_ARG(over->name), STR_ARG(over->alias));
    }
}

static void override_storage(struct merging *in, const struct code_parts *file)
{
    AUTO_ARENA scratch = {.limit = 1 << 20};
    if (file->backends.n == 1) {
        in->cloud = NULL;
        in->backend = &file->backends.item[0];
    } else if (file->backends.n) {
        struct str at = code_range_text(&scratch, file->file, file->backends.item[0].place.range);
        fault_at(in, &file->backends.item[1].place, STR("Duplicate backend configuration"),
                 "Each override file may have only one backend configuration. A backend was "
                 "previously configured at %.*s.",
                 STR_ARG(at));
    }
    if (file->clouds.n == 1) {
        in->backend = NULL;
        in->cloud = &file->clouds.item[0];
    } else if (file->clouds.n) {
        duplicate_storage(in, &file->clouds.item[0], &file->clouds.item[1], true);
    }
}

static void override_with(struct merging *in, struct code_parts *file)
{
    if (file->required_version.n) {
        in->module->required_version = file->required_version.item;
        in->module->nrequired_version = file->required_version.n;
    }
    override_storage(in, file);
    for (size_t i = 0; i < file->providers.n; i++)
        override_provider(in, &file->providers.item[i]);
    for (size_t i = 0; i < file->variables.n; i++)
        override_variable(in, &file->variables.item[i]);
    for (size_t i = 0; i < file->locals.n; i++)
        override_local(in, &file->locals.item[i]);
    for (size_t i = 0; i < file->outputs.n; i++)
        override_output(in, &file->outputs.item[i]);
    for (size_t i = 0; i < file->calls.n; i++)
        override_call(in, &file->calls.item[i]);
    for (size_t i = 0; i < file->resources.n; i++)
        override_resource(in, &file->resources.item[i]);
    for (size_t i = 0; i < file->moved.n; i++)
        fault_at(in, &file->moved.item[i].place, STR("Cannot override 'moved' blocks"),
                 "Records of moved objects can appear only in normal files, not in override "
                 "files.");
    for (size_t i = 0; i < file->imports.n; i++)
        fault_at(in, &file->imports.item[i].i.place, STR("Cannot override 'import' blocks"),
                 "Import blocks can appear only in normal files, not in override files.");
}

/* --- the result --- */

static struct str implied_provider(struct str type)
{
    size_t end = str_find_char(type, '_', 0);
    return end == SIZE_MAX ? type : str_sub(type, 0, end);
}

static void set_provider_source(struct merging *in, struct code_resource *r)
{
    struct str name = r->has_provider ? r->provider.name : implied_provider(r->type);
    for (size_t i = 0; i < in->requirements.n; i++)
        if (str_equal(in->requirements.item[i].local_name, name)) {
            r->provider_source = in->requirements.item[i].source;
            return;
        }
    r->provider_source = provider_source_default(in->d->arena, name, in->d->opentofu);
    in->d->full |= !r->provider_source.ptr;
}

/* The members of parts, in order, as an array of the nouns themselves. */
#define EMIT(in, entries, part_type, member, noun_type, target, count) \
    do { \
        noun_type *list = arena_new((in)->d->arena, noun_type, (entries).n); \
        (in)->d->full |= !list; \
        for (size_t i = 0; list && i < (entries).n; i++) \
            list[i] = ((part_type *)(entries).item[i].item)->member; \
        (in)->module->target = list; \
        (in)->module->count = list ? (entries).n : 0; \
    } while (0)

static void emit_sorted(struct merging *in)
{
    EMIT(in, in->variables, struct part_variable, v, struct code_variable, variables, nvariables);
    EMIT(in, in->locals, struct part_local, l, struct code_local, locals, nlocals);
    EMIT(in, in->outputs, struct part_output, o, struct code_output, outputs, noutputs);
    EMIT(in, in->calls, struct part_call, c, struct code_module_call, calls, ncalls);
    EMIT(in, in->checks, struct part_check, c, struct code_check, checks, nchecks);
    for (size_t i = 0; i < in->resources.n; i++)
        set_provider_source(in, &((struct part_resource *)in->resources.item[i].item)->r);
    EMIT(in, in->resources, struct part_resource, r, struct code_resource, resources, nresources);
    struct code_provider *providers =
        arena_new(in->d->arena, struct code_provider, in->providers.n);
    for (size_t i = 0; providers && i < in->providers.n; i++)
        providers[i] = *(const struct code_provider *)in->providers.item[i].item;
    in->d->full |= !providers;
    in->module->providers = providers;
    in->module->nproviders = providers ? in->providers.n : 0;
}

static int compare_requirements(const void *a, const void *b)
{
    const struct code_requirement *x = a, *y = b;
    return str_compare(x->local_name, y->local_name);
}

/* Blocks whose order is kept: of the primary files only. */
static void emit_ordered(struct merging *in, const struct code_parts *primary, size_t n)
{
    CODE_LIST(struct code_moved) moved = {0}, removed = {0};
    CODE_LIST(struct code_import) imports = {0};
    CODE_LIST(struct code_expr) versions = {0};
    for (size_t f = 0; f < n; f++) {
        for (size_t i = 0; i < primary[f].moved.n; i++)
            CODE_PUSH(in->d, moved, primary[f].moved.item[i]);
        for (size_t i = 0; i < primary[f].removed.n; i++)
            CODE_PUSH(in->d, removed, primary[f].removed.item[i]);
        for (size_t i = 0; i < primary[f].imports.n; i++)
            CODE_PUSH(in->d, imports, primary[f].imports.item[i].i);
        for (size_t i = 0; i < primary[f].required_version.n; i++)
            CODE_PUSH(in->d, versions, primary[f].required_version.item[i]);
    }
    struct code_module *m = in->module;
    m->moved = moved.item, m->nmoved = moved.n;
    m->removed = removed.item, m->nremoved = removed.n;
    m->imports = imports.item, m->nimports = imports.n;
    m->required_version = versions.item, m->nrequired_version = versions.n;
}

/* An address may be imported once. */
static void check_imports(struct merging *in, const struct code_parts *primary, size_t n)
{
    struct entries all = {0};
    size_t total = 0;
    for (size_t f = 0; f < n; f++)
        total += primary[f].imports.n;
    all.item = arena_new(in->d->arena, struct entry, total);
    in->d->full |= !all.item;
    for (size_t f = 0; all.item && f < n; f++)
        for (size_t i = 0; i < primary[f].imports.n; i++) {
            struct part_import *part = &primary[f].imports.item[i];
            struct code_place *to = arena_new(in->d->arena, struct code_place, 1);
            in->d->full |= !to;
            if (!part->instance.len || !to)
                continue;
            *to = part->i.place;
            all.item[all.n] =
                (struct entry){.name = part->instance, .order = all.n, .item = part, .place = to};
            all.n++;
        }
    if (all.n)
        qsort(all.item, all.n, sizeof *all.item, compare_entries);
    for (size_t i = 1; i < all.n; i++) {
        const struct part_import *first = all.item[i - 1].item, *later = all.item[i].item;
        if (compare_names(&all.item[i - 1], &all.item[i]))
            continue;
        AUTO_ARENA scratch = {.limit = 1 << 20};
        struct str at = code_range_text(&scratch, first->i.place.file, first->i.place.range);
        struct code_place to = {later->i.to.file, later->i.to.expr->range, 0, 0};
        fault_at(in, &to,
                 arena_printf(&scratch, "Duplicate import configuration for \"%.*s\"",
                              STR_ARG(later->resource)),
                 "An import block for the resource \"%.*s\" was already declared at %.*s. A "
                 "resource can have only one import block.",
                 STR_ARG(later->resource), STR_ARG(at));
    }
}

bool code_merge_parts(struct code_decoder *d, struct code_parts *primary, size_t nprimary,
                      struct code_parts *overrides, size_t noverrides, struct code_module *ret)
{
    struct merging in = {.d = d, .module = ret};
    gather_requirements(&in, primary, nprimary, false);
    gather_requirements(&in, overrides, noverrides, true);
    gather_storage(&in, primary, nprimary);
    gather_providers(&in, primary, nprimary);
    check_metas(&in, primary, nprimary);
    gather_values(&in, primary, nprimary);
    gather_resources(&in, primary, nprimary);
    check_imports(&in, primary, nprimary);
    emit_ordered(&in, primary, nprimary);
    for (size_t i = 0; i < noverrides; i++)
        override_with(&in, &overrides[i]);
    if (in.requirements.n)
        qsort(in.requirements.item, in.requirements.n, sizeof *in.requirements.item,
              compare_requirements);
    ret->requirements = in.requirements.item;
    ret->nrequirements = in.requirements.n;
    emit_sorted(&in);
    const struct part_named *storage = in.backend ? in.backend : in.cloud;
    if (storage) {
        ret->backend_type = storage->name;
        ret->backend = storage->body;
        ret->backend_file = storage->place.file;
        ret->backend_place = storage->place;
    }
    return !d->full;
}
