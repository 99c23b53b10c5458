/* lint_scope.c - which packages plumb asks about findings, planned changes and resources.
 *
 * A file says what its package decides, not what it will be shown: `decision` is asked with
 * plumb's own document alone, deny and its kin with others as well. Of these the paths tell.
 */
#include "policy/lint.h"

#include "base/arena.h"
#include "base/err.h"
#include "lang/rego/walk.h"
#include "policy/conftest.h"
#include "policy/pack.h"
#include "wire/json.h"

enum { SCHEMA_MAX = 1 << 20 };

struct package {
    const struct rego_term *path; /* data, then texts */
    bool decides;                 /* has `decision` */
    bool objects;                 /* has deny, violation or warn */
    bool asked;                   /* is it about findings? */
    bool elsewhere;               /* what is not asks it, too */
    size_t known, unknown, telling;
};
struct scope {
    struct rego_walker walker;
    const struct value *properties; /* of the schema */
    struct package *package;
    size_t n;
    struct package *now;
    bool counts; /* first paths are counted, then packages asked by others found */
    bool changed;
};

static struct str part_text(const struct rego_term *part)
{
    return part->kind == REGO_TERM_VALUE && part->value.kind == VALUE_STRING
               ? value_text(&part->value)
               : (struct str){0};
}

static struct str part_at(const struct rego_term *ref, size_t i)
{
    return i < ref->parts.n ? part_text(ref->parts.item[i]) : (struct str){0};
}

/* Keys that other documents have as well say nothing; of `resource` a key below it must fit, for
 * code that was read as it is has one, too. */
static bool is_telling(const struct value *properties, struct str key, struct str below)
{
    static const struct str common[] = {STR_INIT("kind"), STR_INIT("env"),    STR_INIT("now"),
                                        STR_INIT("plan"), STR_INIT("review"), STR_INIT("code")};
    const struct value *resource = value_get(properties, STR("resource"));
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (str_equal(common[i], key))
            return false;
    return !str_equal(key, STR("resource")) ||
           value_get(value_get(resource, STR("properties")), below);
}

static void count(struct scope *s, const struct rego_term *ref)
{
    struct str key = part_at(ref, 1);
    if (!key.ptr)
        return;
    if (value_get(s->properties, key)) {
        s->now->known++;
        s->now->telling += is_telling(s->properties, key, part_at(ref, 2));
    } else {
        s->now->unknown++;
    }
}

static bool is_below(const struct rego_term *ref, const struct rego_term *package)
{
    size_t i = 1;
    while (i < package->parts.n && str_equal(part_at(ref, i), part_at(package, i)))
        i++;
    return i == package->parts.n;
}

/* A library is asked what those that use it are asked. */
static void mark(struct scope *s, const struct rego_term *ref)
{
    for (size_t i = 0; i < s->n; i++) {
        struct package *p = &s->package[i];
        bool asked = p->asked || s->now->asked, elsewhere = p->elsewhere || s->now->elsewhere;
        if (p == s->now || p->decides || p->objects || !is_below(ref, p->path))
            continue;
        s->changed |= asked != p->asked || elsewhere != p->elsewhere;
        p->asked = asked;
        p->elsewhere = elsewhere;
    }
}

static enum rego_walk_next on_term(struct rego_walker *walker, struct rego_term *term)
{
    struct scope *s = (struct scope *)(void *)walker;
    const struct rego_term *head = term->kind == REGO_TERM_REF ? term->parts.item[0] : NULL;
    if (!head || head->kind != REGO_TERM_VAR)
        return REGO_WALK_IN;
    if (s->counts && str_equal(head->name, STR("input")))
        count(s, term);
    else if (!s->counts && str_equal(head->name, STR("data")))
        mark(s, term);
    return REGO_WALK_IN;
}

static struct package *package_of(struct scope *s, const struct rego_module *module)
{
    const struct rego_term *path = module->package;
    size_t i = 0;
    while (i < s->n &&
           (s->package[i].path->parts.n != path->parts.n || !is_below(path, s->package[i].path)))
        i++;
    s->package[i].path = path;
    s->n += i == s->n;
    return &s->package[i];
}

static void walk(struct scope *s, const struct rego_module *module)
{
    s->now = package_of(s, module);
    for (size_t i = 0; i < module->nrules; i++)
        for (const struct rego_rule *rule = module->rules[i]; rule; rule = rule->else_) {
            struct str name = conftest_rule_name(rule);
            s->now->decides |= str_equal(name, STR("decision"));
            s->now->objects |= conftest_is_failure(name) || conftest_is_warning(name);
            (void)rego_walk_rule(&s->walker, rule);
        }
}

bool policy_lint_scope(struct arena *arena, const struct rego_policy *policy,
                       const struct rego_source *sources, size_t n, const struct value *schema,
                       bool *ret, struct err *err)
{
    size_t nmodules = rego_module_count(policy);
    struct scope s = {.walker = {.term = on_term},
                      .properties = value_get(schema, STR("properties")),
                      .package = arena_new(arena, struct package, nmodules + 1),
                      .counts = true};
    if (!s.package)
        return arena_full(arena, err);
    for (size_t i = 0; i < nmodules; i++)
        walk(&s, rego_module_at(policy, i));
    for (size_t i = 0; i < s.n; i++) {
        struct package *p = &s.package[i];
        p->asked = p->decides || (p->objects && p->telling && p->known > p->unknown);
        p->elsewhere = p->objects && !p->asked;
    }
    s.counts = false;
    for (s.changed = true; s.changed;) {
        s.changed = false;
        for (size_t i = 0; i < nmodules; i++) {
            const struct package *p = package_of(&s, rego_module_at(policy, i));
            if (p->asked || p->elsewhere)
                walk(&s, rego_module_at(policy, i));
        }
    }
    for (size_t i = 0; i < nmodules; i++) {
        const struct rego_module *module = rego_module_at(policy, i);
        const struct package *p = package_of(&s, module);
        for (size_t k = 0; k < n; k++)
            if (str_equal(sources[k].file, module->file))
                ret[k] = p->asked && !p->elsewhere;
    }
    return true;
}

bool policy_input_schema(struct arena *arena, struct value *ret, struct err *err)
{
    struct str text, name = STR(POLICY_INPUT_SCHEMA);
    return pack_read_text(arena, name, SCHEMA_MAX, &text, err) &&
           json_parse(arena, text, name.ptr, JSON_DEFAULT, ret, err);
}
