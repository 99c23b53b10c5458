/* testing.c - find tests by parsing, run them as queries. */
#include "policy/testing.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/regex_re2.h"
#include "wire/json.h"

/* What stands before the keys of a case in what a test prints; no text of a policy is like it. */
#define CASE_MARK \
    "\x01" \
    "case\x01"
#define CASE_MARK_LITERAL "\\u0001case\\u0001"

struct insertion {
    uint32_t at; /* byte of the text */
    struct str text;
};
struct finder {
    struct arena *arena;
    const struct regex *run;
    struct policy_test *test;
    size_t n, room;
    struct insertion *insertion; /* of the module read now */
    size_t ninsertions, insertion_room;
};

/* --- finding --- */

static bool is_string(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VALUE && t->value.kind == VALUE_STRING;
}

/* The constant parts of a head, and the last of them: its name. */
static size_t constant_parts(const struct rego_head *head)
{
    size_t n = 1;
    while (n < head->nref && is_string(head->ref[n]))
        n++;
    return n;
}

static struct str part_text(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VAR ? t->name : value_text(&t->value);
}

static struct str package_text(struct arena *arena, const struct rego_module *module)
{
    struct str text = STR("data");
    for (size_t i = 1; i < module->package->parts.n && text.ptr; i++)
        text = arena_printf(arena, "%.*s.%.*s", STR_ARG(text),
                            STR_ARG(part_text(module->package->parts.item[i])));
    return text;
}

static struct str query_text(struct arena *arena, const struct rego_module *module,
                             const struct rego_head *head, size_t n, struct str suffix)
{
    AUTO_BUF out = {.limit = 1 << 20};
    buf_str(&out, STR("data"));
    for (size_t i = 1; i < module->package->parts.n; i++) {
        buf_char(&out, '[');
        json_quote(&out, part_text(module->package->parts.item[i]));
        buf_char(&out, ']');
    }
    for (size_t i = 0; i < n; i++) {
        struct str part = part_text(head->ref[i]);
        if (i == 0 && suffix.len)
            part = arena_printf(arena, "%.*s%.*s", STR_ARG(part), STR_ARG(suffix));
        buf_char(&out, '[');
        json_quote(&out, part);
        buf_char(&out, ']');
    }
    return out.failed ? (struct str){0} : arena_dup(arena, buf_view(&out));
}

static bool insert(struct finder *f, uint32_t at, struct str text)
{
    struct insertion *grown =
        arena_grow(f->arena, f->insertion, f->ninsertions, &f->insertion_room, f->ninsertions + 1);
    if (!grown || !text.ptr)
        return false;
    f->insertion = grown;
    grown[f->ninsertions++] = (struct insertion){at, text};
    return true;
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Does the text of an expression name the variable? */
static bool mentions(struct str text, struct str name)
{
    for (size_t at = 0; (at = str_find(text, name, at)) != SIZE_MAX; at++) {
        bool left = at == 0 || !is_word(text.ptr[at - 1]);
        bool right = at + name.len == text.len || !is_word(text.ptr[at + name.len]);
        if (left && right)
            return true;
    }
    return false;
}

/* Behind the first expression in which every key has been named: tell which case this is. */
static bool tell_case(struct finder *f, const struct rego_module *module,
                      const struct rego_rule *rule, size_t from)
{
    AUTO_BUF keys = {.limit = 1 << 16};
    uint32_t at = 0;
    if (!rule->body)
        return true;
    for (size_t i = from; i < rule->head.nref; i++) {
        const struct rego_term *key = rule->head.ref[i];
        if (key->kind != REGO_TERM_VAR && !is_string(key))
            return true;
        buf_str(&keys, i > from ? STR(", ") : STR(""));
        if (is_string(key)) {
            json_quote(&keys, value_text(&key->value));
            continue;
        }
        buf_str(&keys, key->name);
        for (size_t k = 0; k < rule->body->n; k++) {
            struct rego_place place = rule->body->expr[k]->place;
            if (mentions(str_sub(module->text, place.start, place.end), key->name)) {
                at = place.end > at ? place.end : at;
                break;
            }
        }
    }
    if (!at)
        return true;
    return insert(f, at,
                  arena_printf(f->arena, "; print(\"" CASE_MARK_LITERAL "\", json.marshal([%.*s]))",
                               STR_ARG(buf_view(&keys))));
}

static size_t used_before(const struct finder *f, struct str package, struct str name)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct str other = f->test[i].name, plain;
        (void)str_cut(&other, '#', &plain);
        n += str_equal(plain, name) && str_equal(f->test[i].package, package);
    }
    return n;
}

static bool add_rule(struct finder *f, const struct rego_module *module,
                     const struct rego_rule *rule, struct err *err)
{
    size_t nparts = constant_parts(&rule->head);
    struct str name = part_text(rule->head.ref[nparts - 1]), suffix = {0};
    bool skipped = str_starts(name, STR("todo_test_"));
    if ((!skipped && !str_starts(name, STR("test_"))) || rule->head.has_args || rule->is_default)
        return true;
    struct policy_test *grown = arena_grow(f->arena, f->test, f->n, &f->room, f->n + 1);
    struct str package = package_text(f->arena, module);
    if (!grown || !package.ptr)
        return arena_full(f->arena, err);
    f->test = grown;
    for (size_t i = 0; i + 1 < nparts; i++)
        package = arena_printf(f->arena, "%.*s.%.*s", STR_ARG(package),
                               STR_ARG(part_text(rule->head.ref[i])));
    size_t before = used_before(f, package, name);
    struct str shown = name;
    if (before) {
        shown = arena_printf(f->arena, "%.*s#%02zu", STR_ARG(name), before);
        suffix = arena_printf(f->arena, "__again_%zu", before);
        if (!insert(f, rule->head.ref[0]->place.start + (uint32_t)part_text(rule->head.ref[0]).len,
                    suffix))
            return arena_full(f->arena, err);
    }
    struct policy_test test = {.package = package,
                               .name = shown,
                               .file = module->file,
                               .row = rule->place.row,
                               .col = rule->place.col,
                               .query = query_text(f->arena, module, &rule->head, nparts, suffix),
                               .nkeys = rule->head.nref - nparts,
                               .outcome = skipped ? POLICY_TEST_SKIPPED : POLICY_TEST_FAILED};
    struct str full = arena_printf(f->arena, "%.*s.%.*s", STR_ARG(package), STR_ARG(shown));
    if (!test.query.ptr || !full.ptr || (test.nkeys && !tell_case(f, module, rule, nparts)))
        return arena_full(f->arena, err);
    if (f->run && !regex_match(f->run, full, 0, NULL, 0))
        test.row = 0; /* named, so that the next one of that name counts; dropped at the end */
    f->test[f->n++] = test;
    return true;
}

static int compare_insertions(const void *a, const void *b)
{
    const struct insertion *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static bool rewrite(struct finder *f, struct rego_source *source, struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    size_t from = 0;
    if (!f->ninsertions)
        return true;
    qsort(f->insertion, f->ninsertions, sizeof *f->insertion, compare_insertions);
    for (size_t i = 0; i < f->ninsertions; i++) {
        buf_str(&out, str_sub(source->text, from, f->insertion[i].at));
        buf_str(&out, f->insertion[i].text);
        from = f->insertion[i].at;
    }
    buf_str(&out, str_sub(source->text, from, source->text.len));
    if (!buf_ok(&out, err))
        return false;
    source->text = arena_dup(f->arena, buf_view(&out));
    f->ninsertions = 0;
    return source->text.ptr || arena_full(f->arena, err);
}

bool policy_tests_find(struct arena *arena, struct rego_source *sources, size_t n,
                       const struct policy_tests_options *options, struct policy_tests *ret,
                       struct err *err)
{
    enum { TIME_MS = 60000 };
    struct rego_parse_clock clock = {
        .until_ms = clock_monotonic_ms() + (options->timeout_ms ? options->timeout_ms : TIME_MS),
        .cancel = options->cancel};
    struct finder f = {.arena = arena, .run = options->run};
    for (size_t i = 0; i < n; i++) {
        struct rego_diags ignored = {.arena = arena}; /* compiling tells them */
        struct rego_module *module;
        const struct rego_parse_options how = {.v0 = sources[i].v0,
                                               .words = options->words,
                                               .afford = rego_parse_in_time,
                                               .afford_ctx = &clock};
        if (!rego_parse_module(arena, sources[i].text, sources[i].file, &how, &ignored, &module)) {
            if (ignored.n)
                continue;
            return err_set(err, ERR_LIMIT, "%.*s: reading the policies takes more time than it may",
                           STR_ARG(sources[i].file));
        }
        for (size_t k = 0; k < module->nrules; k++)
            if (!add_rule(&f, module, module->rules[k], err))
                return false;
        if (!rewrite(&f, &sources[i], err))
            return false;
    }
    *ret = (struct policy_tests){f.test, 0};
    for (size_t i = 0; i < f.n; i++)
        if (f.test[i].row)
            ret->test[ret->n++] = f.test[i];
    return true;
}

/* --- running --- */

struct printed {
    struct buf text;
    struct arena *arena;
    struct value *keys; /* of each case, in turn: an array */
    size_t ncases, room;
    bool failed;
};

static void keep_line(void *ctx, struct str text, struct str file, uint32_t row)
{
    struct printed *p = ctx;
    (void)file;
    (void)row;
    if (!str_starts(text, STR(CASE_MARK))) {
        buf_str(&p->text, text);
        buf_char(&p->text, '\n');
        return;
    }
    struct value *grown = arena_grow(p->arena, p->keys, p->ncases, &p->room, p->ncases + 1);
    struct str json = arena_dup(p->arena, str_trim(str_sub(text, sizeof CASE_MARK - 1, text.len)));
    if (!grown || !json.ptr ||
        !json_parse(p->arena, json, "case", JSON_DUPLICATES_LAST, &grown[p->ncases], NULL)) {
        p->failed = true;
        return;
    }
    p->keys = grown;
    for (size_t i = 0; i < p->ncases; i++)
        if (rego_equal(&grown[i], &grown[p->ncases]))
            return;
    p->ncases++;
}

static struct str case_name(struct arena *arena, const struct value *keys)
{
    AUTO_BUF out = {.limit = 1 << 16};
    for (uint32_t i = 0; i < keys->len; i++) {
        if (i)
            buf_char(&out, '/');
        if (keys->items[i].kind == VALUE_STRING)
            buf_str(&out, value_text(&keys->items[i]));
        else
            rego_json(&out, &keys->items[i]);
    }
    return arena_dup(arena, buf_view(&out));
}

static bool is_true(const struct value *v)
{
    return v && v->kind == VALUE_BOOL && v->truth;
}

static bool judge_cases(struct arena *arena, const struct printed *printed,
                        const struct value *value, struct policy_test *test)
{
    struct policy_case *item = arena_new(arena, struct policy_case, printed->ncases);
    bool all = printed->ncases > 0;
    if (!item)
        return false;
    for (size_t i = 0; i < printed->ncases; i++) {
        const struct value *at = value;
        for (uint32_t k = 0; at && k < printed->keys[i].len; k++)
            at = rego_get(at, &printed->keys[i].items[k]);
        item[i] = (struct policy_case){case_name(arena, &printed->keys[i]), is_true(at)};
        all = all && item[i].passed;
    }
    test->item = item;
    test->ncases = printed->ncases;
    test->outcome = all ? POLICY_TEST_PASSED : POLICY_TEST_FAILED;
    return true;
}

static bool judge(struct arena *arena, const struct printed *printed,
                  const struct rego_result *result, struct policy_test *test, struct err *err)
{
    const struct value *v = result->values.len ? &result->values.items[0].items[0] : NULL;
    test->output = arena_dup(arena, buf_view(&printed->text));
    test->outcome = is_true(v) ? POLICY_TEST_PASSED : POLICY_TEST_FAILED;
    if (result->error.code) {
        test->outcome = POLICY_TEST_ERROR;
        test->error = result->error;
    } else if (test->nkeys && !judge_cases(arena, printed, v, test)) {
        return arena_full(arena, err);
    }
    return true;
}

bool policy_test_run(struct arena *arena, const struct rego_policy *policy,
                     const struct rego_eval_options *options, struct policy_test *test,
                     struct err *err)
{
    struct printed printed = {.text = {.limit = 64 << 20}, .arena = arena};
    struct rego_diags diags = {.arena = arena};
    struct rego_eval_options how = *options;
    struct rego_query *query = NULL;
    struct rego_result result;
    int64_t start = clock_monotonic_ms();
    how.host.print = keep_line;
    how.host.ctx = &printed;
    bool ok = rego_prepare(policy, test->query, &diags, &query, err) &&
              rego_eval(query, NULL, &how, arena, &result, err);
    if (ok) {
        test->duration_ms = (clock_monotonic_ms() - start);
        ok = judge(arena, &printed, &result, test, err);
    } else if (diags.n) {
        const struct rego_diag *d = &diags.diag[0];
        test->outcome = POLICY_TEST_ERROR;
        test->error = (struct rego_error){d->code, d->file, d->message, d->row, d->col};
        ok = true;
    }
    rego_query_close(query);
    buf_free(&printed.text);
    return ok;
}
