/* gatekeeper_suite.c - the cases of a suite, each with a template, a constraint and an object. */
#include "policy/gatekeeper_suite.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/regex_re2.h"
#include "policy/document.h"
#include "policy/gatekeeper.h"
#include "wire/yaml.h"

struct runner {
    struct arena *arena; /* of the results */
    struct str folder;
    const struct documents *suite;
    const struct document *document;
    const struct rego_eval_options *options;
    const struct rego_capabilities *capabilities;
    struct suite_cases *cases;
};

bool gatekeeper_is_suite(const struct value *doc)
{
    return str_equal(value_get_string(doc, STR("kind")), STR("Suite")) &&
           str_starts(value_get_string(doc, STR("apiVersion")), STR("test.gatekeeper.sh/"));
}

static bool skips(const struct value *v)
{
    return value_get_bool(v, STR("skip"), false);
}

/* --- one case --- */

struct trial {
    struct arena arena;
    struct gatekeeper gatekeeper;
    struct documents object;
    struct value inventory;
    struct objections found;
};

static bool read_file(const struct runner *r, struct trial *t, struct str name,
                      struct documents *ret, struct err *err)
{
    struct str path = io_join(&t->arena, r->folder, name);
    return path.ptr ? documents_read(&t->arena, path, ret, err) : arena_full(&t->arena, err);
}

static bool add_parts(const struct runner *r, struct trial *t, struct str name, struct err *err)
{
    struct documents *documents = arena_new(&t->arena, struct documents, 1);
    if (!documents)
        return arena_full(&t->arena, err);
    if (!name.len)
        return err_set(err, ERR_SYNTAX, "the test names no template or no constraint");
    if (!read_file(r, t, name, documents, err))
        return false;
    for (size_t i = 0; i < documents->n; i++) {
        if (!gatekeeper_is_part(documents->item[i].root))
            return err_set(err, ERR_SYNTAX, "%.*s: neither a template nor a constraint",
                           STR_ARG(documents->file));
        if (!gatekeeper_add(&t->gatekeeper, documents, &documents->item[i], err))
            return false;
    }
    return true;
}

static bool read_inventory(const struct runner *r, struct trial *t, const struct value *files,
                           struct err *err)
{
    const struct value **objects = NULL;
    size_t n = 0, room = 0;
    for (uint32_t i = 0; value_is_list_like(files) && i < files->len; i++) {
        struct documents documents;
        if (!value_is_string(&files->items[i]) ||
            !read_file(r, t, value_text(&files->items[i]), &documents, err))
            return err->kind ? false : err_set(err, ERR_SYNTAX, "inventory: a list of files");
        objects = arena_grow(&t->arena, objects, n, &room, n + documents.n);
        for (size_t k = 0; objects && k < documents.n; k++)
            objects[n++] = documents.item[k].root;
        if (!objects)
            return arena_full(&t->arena, err);
    }
    return gatekeeper_inventory(&t->arena, objects, n, &t->inventory, err);
}

static bool judge(const struct runner *r, struct trial *t, const struct value *test,
                  const struct value *case_, struct err *err)
{
    if (!add_parts(r, t, value_get_string(test, STR("template")), err) ||
        !add_parts(r, t, value_get_string(test, STR("constraint")), err) ||
        !read_inventory(r, t, value_get(case_, STR("inventory")), err) ||
        !gatekeeper_compile(&t->gatekeeper, &t->inventory, NULL, err) ||
        !read_file(r, t, value_get_string(case_, STR("object")), &t->object, err))
        return false;
    if (t->object.n != 1)
        return err_set(err, ERR_SYNTAX, "%.*s: one object is wanted, there are %zu",
                       STR_ARG(t->object.file), t->object.n);
    return gatekeeper_judge(&t->gatekeeper, &t->arena, &t->object, &t->object.item[0], r->options,
                            &t->found, err);
}

/* --- assertions --- */

static bool count(const struct trial *t, struct str pattern, size_t *ret, struct err *err)
{
    char why[200];
    struct regex *regex = pattern.len ? regex_open(pattern, why, sizeof why) : NULL;
    *ret = 0;
    if (pattern.len && !regex)
        return err_set(err, ERR_SYNTAX, "message: no regular expression: %s", why);
    for (size_t i = 0; i < t->found.n; i++)
        *ret += !regex || regex_match(regex, t->found.item[i].message, 0, NULL, 0);
    regex_close(regex);
    return true;
}

static bool holds(const struct trial *t, const struct value *assertion, struct err *err)
{
    const struct value *wanted = value_get(assertion, STR("violations"));
    struct str pattern = value_get_string(assertion, STR("message"));
    int64_t exactly = 0;
    size_t n;
    if (!count(t, pattern, &n, err))
        return false;
    bool some = !wanted || (wanted->kind == VALUE_BOOL && wanted->truth) ||
                (value_is_string(wanted) && str_equal(value_text(wanted), STR("yes")));
    bool none = wanted && ((wanted->kind == VALUE_BOOL && !wanted->truth) ||
                           (value_is_string(wanted) && str_equal(value_text(wanted), STR("no"))));
    if (!some && !none && !value_to_int64(wanted, &exactly))
        return err_set(err, ERR_SYNTAX, "violations: yes, no or a number");
    if (some ? n > 0 : none ? n == 0 : n == (size_t)exactly)
        return true;
    return err_set(err, ERR_CONFLICT, "%zu violation%s%s%.*s, wanted %s%.0lld", n,
                   n == 1 ? "" : "s", pattern.len ? " of " : "", STR_ARG(pattern),
                   some   ? "some"
                   : none ? "none"
                          : "",
                   (long long)exactly);
}

static bool check(const struct trial *t, const struct value *case_, struct err *err)
{
    const struct value *assertions = value_get(case_, STR("assertions"));
    for (size_t i = 0; i < t->found.n; i++)
        if (t->found.item[i].error)
            return err_set(err, ERR_CONFLICT, "%.*s", STR_ARG(t->found.item[i].message));
    if (!value_is_list_like(assertions) || !assertions->len)
        return err_set(err, ERR_SYNTAX, "the case asserts nothing");
    for (uint32_t i = 0; i < assertions->len; i++)
        if (!holds(t, &assertions->items[i], err))
            return false;
    return true;
}

/* --- the suite --- */

static struct suite_case *add_case(struct runner *r, const struct value *test,
                                   const struct value *case_)
{
    struct suite_cases *all = r->cases;
    struct suite_case *grown = arena_grow(r->arena, all->item, all->n, &all->room, all->n + 1);
    if (!grown)
        return NULL;
    all->item = grown;
    struct suite_case *made = &grown[all->n++];
    *made = (struct suite_case){.suite = r->suite->file,
                                .test = value_get_string(test, STR("name")),
                                .name = value_get_string(case_, STR("name"))};
    if (r->document->yaml)
        made->line = yaml_place(r->document->yaml, case_).line;
    return made;
}

static bool run_case(struct runner *r, const struct value *test, const struct value *case_,
                     struct err *err)
{
    struct trial t = {.arena = {.limit = (size_t)1 << 32}};
    struct err why = {0};
    char text[2048];
    struct suite_case *made = add_case(r, test, case_);
    if (!made)
        return arena_full(r->arena, err);
    if (skips(test) || skips(case_)) {
        made->outcome = SUITE_SKIPPED;
        return true;
    }
    t.gatekeeper.arena = &t.arena;
    t.gatekeeper.timeout_ms = r->options->deadline_ms;
    t.gatekeeper.capabilities = *r->capabilities;
    t.gatekeeper.cancel = r->options->cancel;
    bool ok = judge(r, &t, test, case_, &why) && check(&t, case_, &why);
    gatekeeper_close(&t.gatekeeper);
    arena_free(&t.arena);
    made->outcome = ok ? SUITE_PASSED : SUITE_FAILED;
    if (!ok)
        made->why = arena_dup(r->arena, str_from(err_text(&why, text, sizeof text)));
    return ok || made->why.ptr || arena_full(r->arena, err);
}

static bool run_suite(struct runner *r, const struct value *suite, struct err *err)
{
    const struct value *tests = value_get(suite, STR("tests"));
    for (uint32_t i = 0; value_is_list_like(tests) && i < tests->len; i++) {
        const struct value *cases = value_get(&tests->items[i], STR("cases"));
        for (uint32_t k = 0; value_is_list_like(cases) && k < cases->len; k++)
            if (!run_case(r, &tests->items[i], &cases->items[k], err))
                return false;
    }
    return true;
}

bool gatekeeper_suite(struct arena *arena, struct str path, const struct rego_eval_options *options,
                      const struct rego_capabilities *capabilities, struct suite_cases *ret,
                      struct err *err)
{
    struct documents documents;
    if (!documents_read(arena, path, &documents, err))
        return false;
    for (size_t i = 0; i < documents.n; i++) {
        struct runner r = {arena,   io_dirname(path), &documents, &documents.item[i],
                           options, capabilities,     ret};
        if (!gatekeeper_is_suite(documents.item[i].root))
            return err_set(err, ERR_USAGE,
                           "%.*s: no suite (apiVersion test.gatekeeper.sh/..., "
                           "kind Suite)",
                           STR_ARG(path));
        if (!run_suite(&r, documents.item[i].root, err))
            return false;
    }
    return true;
}
