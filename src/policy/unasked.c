/* unasked.c - what each package has, and which names others say. */
#include "policy/unasked.h"

#include "base/arena.h"
#include "base/buf.h"
#include "policy/conftest.h"

enum { NAME_BYTES_MAX = 1 << 16 };

struct finder {
    struct arena *arena;
    const struct rego_policy *policy;
    const struct unasked_options *options;
    struct str *note;
    size_t n, room;
};

static struct str package_name(struct arena *arena, const struct rego_module *module)
{
    AUTO_BUF out = {.limit = NAME_BYTES_MAX};
    rego_term_text(&out, module->package);
    return out.failed ? (struct str){0} : arena_dup(arena, buf_view(&out));
}

static bool is_test(const struct rego_module *module)
{
    bool all = module->nrules > 0;
    for (size_t i = 0; all && i < module->nrules; i++) {
        struct str name = conftest_rule_name(module->rules[i]);
        all = str_starts(name, STR("test_")) || str_starts(name, STR("todo_test_"));
    }
    return all || str_ends(module->file, STR("_test.rego"));
}

/* Is the package a library: does another module say its name? */
static bool is_used(const struct finder *f, const struct rego_module *module, struct str name)
{
    for (size_t i = 0; i < rego_module_count(f->policy); i++) {
        const struct rego_module *other = rego_module_at(f->policy, i);
        if (other != module && str_find(other->text, name, 0) != SIZE_MAX)
            return true;
    }
    return false;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t count_word(struct str text, struct str word)
{
    size_t n = 0;
    for (size_t at = 0; (at = str_find(text, word, at)) != SIZE_MAX; at += word.len)
        n += !(at && is_word(text.ptr[at - 1])) &&
             !(at + word.len < text.len && is_word(text.ptr[at + word.len]));
    return n;
}

/* Is the rule named anywhere but where it is defined? */
static bool is_said(const struct finder *f, struct str name)
{
    size_t said = 0, defined = 0;
    for (size_t i = 0; i < rego_module_count(f->policy); i++) {
        const struct rego_module *module = rego_module_at(f->policy, i);
        said += count_word(module->text, name);
        for (size_t k = 0; k < module->nrules; k++)
            defined += str_equal(conftest_rule_name(module->rules[k]), name);
    }
    return said > defined;
}

/* A rule whose name is nearly one that is asked. */
static const struct rego_rule *find_misspelt(const struct finder *f,
                                             const struct rego_module *module, bool others,
                                             struct str *ret_near)
{
    static const struct str names[] = {STR_INIT("decision"), STR_INIT("deny"),
                                       STR_INIT("violation"), STR_INIT("warn")};
    for (size_t i = 0; i < module->nrules; i++) {
        const struct rego_rule *rule = module->rules[i];
        struct str name = conftest_rule_name(rule), rest = name, stem;
        bool set = rule->head.kind == REGO_HEAD_SET || rule->head.nref == 2;
        (void)str_cut(&rest, '_', &stem);
        *ret_near = str_nearest(stem, names, sizeof names / sizeof *names);
        if (ret_near->len && !str_equal(*ret_near, stem) && rule->head.kind != REGO_HEAD_FUNCTION &&
            (!others || (set && !is_said(f, name))))
            return rule;
    }
    return NULL;
}

static bool add_note(struct finder *f, struct str note)
{
    struct str *grown = arena_grow(f->arena, f->note, f->n, &f->room, f->n + 1);
    if (!grown || !note.ptr)
        return false;
    f->note = grown;
    grown[f->n++] = note;
    return true;
}

static bool note_module(struct finder *f, const struct rego_module *module)
{
    struct str name = package_name(f->arena, module), near;
    enum unasked of = f->options->of(f->options->ctx, module);
    if (!name.ptr)
        return false;
    if (is_test(module) || (of == UNASKED_OTHERS && !f->options->others) ||
        (of != UNASKED_NO && is_used(f, module, name)))
        return true;
    const struct rego_rule *rule = find_misspelt(f, module, of != UNASKED_NONE, &near);
    if (of == UNASKED_OTHERS)
        return add_note(f, arena_printf(f->arena, "%.*s:%u: nobody asks package %.*s; %s",
                                        STR_ARG(module->file), module->package_place.row,
                                        STR_ARG(name), f->options->others));
    if (rule)
        return add_note(f, arena_printf(f->arena,
                                        "%.*s:%u: nobody asks %.*s.%.*s; did you mean "
                                        "'%.*s'?",
                                        STR_ARG(module->file), rule->place.row, STR_ARG(name),
                                        STR_ARG(conftest_rule_name(rule)), STR_ARG(near)));
    if (of == UNASKED_NO)
        return true;
    return add_note(f,
                    arena_printf(f->arena,
                                 module->nrules ? "%.*s:%u: package %.*s has none of decision, "
                                                  "deny, violation and warn: nobody asks it"
                                                : "%.*s:%u: package %.*s has no rules",
                                 STR_ARG(module->file), module->package_place.row, STR_ARG(name)));
}

bool unasked_find(struct arena *arena, const struct rego_policy *policy,
                  const struct unasked_options *options, struct str **ret, size_t *ret_n)
{
    struct finder f = {.arena = arena, .policy = policy, .options = options};
    for (size_t i = 0; i < rego_module_count(policy); i++)
        if (!note_module(&f, rego_module_at(policy, i)))
            return false;
    *ret = f.note;
    *ret_n = f.n;
    return true;
}
