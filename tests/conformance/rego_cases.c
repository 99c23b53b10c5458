/* rego_cases.c - runs recorded cases of Rego against our engine.
 *
 *   rego_cases [--compile] [--verbose] CASES.jsonl|CASES.json|DIR
 *
 * Cases of evaluation: {"file", "n", "case": {...}} a line; cases of compiling (--compile):
 * {"cases": [...]}. Prints each failure with its note and reason, then `N passed, N failed, N
 * skipped` last.
 */
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "lang/rego/builtin.h"
#include "lang/rego/rego.h"
#include "wire/json.h"

/* What the suite wants of its host: test.sleep("10ms"), which gives null. */
static enum rego_outcome test_sleep(struct rego_call *call, struct value *ret)
{
    struct str text = value_text(call->arg);
    struct str unit = str_sub(text, text.len - (text.len > 2 ? 2 : text.len), text.len);
    int64_t n;
    if (!str_equal(unit, STR("ms")) || !str_to_int64(str_sub(text, 0, text.len - 2), &n) || n < 0 ||
        n > 1000)
        return rego_fail(call, "want up to 1000ms");
    struct timespec wait = {n / 1000, n % 1000 * 1000000};
    (void)nanosleep(&wait, NULL);
    *ret = value_null();
    return REGO_DEFINED;
}

static const struct rego_builtin sleeper = {"test.sleep", NULL, "(string) => null", test_sleep,
                                            REGO_NONDETERMINISTIC};
static const struct rego_family host = {&sleeper, 1};

struct tally {
    unsigned passed, failed, skipped;
    bool compile;
};

enum { WHY_MAX = 2000 };
struct judgement {
    bool ok;
    char why[WHY_MAX];
};

__attribute__((format(printf, 2, 3))) static void no(struct judgement *j, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(j->why, sizeof j->why, fmt, args);
    va_end(args);
    j->ok = false;
}

/* A value as JSON makes it: sets are sorted arrays, keys texts. sorted: arrays too. */
static struct value plain(struct arena *arena, const struct value *v, bool sorted)
{
    AUTO_BUF out = {.limit = 64 << 20};
    struct value parsed = value_null();
    rego_json(&out, v);
    struct str text = arena_dup(arena, buf_view(&out));
    (void)json_parse(arena, text, "result", JSON_DUPLICATES_LAST, &parsed, NULL);
    if (sorted && parsed.kind == VALUE_TUPLE && parsed.len) {
        struct value *items = (struct value *)(uintptr_t)parsed.items;
        for (uint32_t i = 0; i < parsed.len; i++) /* insertion: the recordings are short */
            for (uint32_t j = i; j > 0 && rego_compare(&items[j - 1], &items[j]) > 0; j--) {
                struct value kept = items[j];
                items[j] = items[j - 1];
                items[j - 1] = kept;
            }
    }
    return parsed;
}

/* One answer as an object of plain values. */
static struct value plain_answer(struct arena *arena, const struct value *answer, bool sorted,
                                 bool ignore)
{
    struct rego_pair *pairs = arena_new(arena, struct rego_pair, answer->len);
    struct value key, v, made;
    size_t n = 0, clash;
    for (size_t at = 0; rego_next(answer, &at, &key, &v);) {
        if (ignore && str_starts(value_text(&key), STR("__localq")))
            continue;
        pairs[n++] = (struct rego_pair){key, plain(arena, &v, sorted)};
    }
    (void)rego_make_object(pairs, n, &made, &clash);
    return made;
}

static struct value answers(struct arena *arena, const struct value *list, bool sorted, bool ignore)
{
    struct value *items = arena_new(arena, struct value, list->len);
    for (uint32_t i = 0; i < list->len; i++)
        items[i] = plain_answer(arena, &list->items[i], sorted, ignore);
    return rego_make_set(items, list->len);
}

static const char *text_of(struct arena *arena, const struct value *v)
{
    AUTO_BUF out = {.limit = 1 << 20};
    rego_text(&out, v);
    return arena_printf(arena, "%.*s", STR_ARG(buf_view(&out))).ptr;
}

static void judge(struct arena *arena, const struct value *c, const struct rego_result *result,
                  struct judgement *j)
{
    const struct value *want = value_get(c, STR("want_result"));
    struct str code = value_get_string(c, STR("want_error_code"));
    struct str error = value_get_string(c, STR("want_error"));
    j->ok = true;
    if (result->error.code) {
        struct str text =
            arena_printf(arena, "%.*s:%u: %s: %.*s", STR_ARG(result->error.file), result->error.row,
                         result->error.code, STR_ARG(result->error.message));
        if (!code.len && !error.len)
            no(j, "error %.*s", STR_ARG(text));
        else if (code.len && !str_equal(code, str_from(result->error.code)))
            no(j, "want code %.*s, got %.*s", STR_ARG(code), STR_ARG(text));
        else if (error.len && str_find(text, error, 0) == SIZE_MAX)
            no(j, "want error %.*s, got %.*s", STR_ARG(error), STR_ARG(text));
        return;
    }
    if (code.len || error.len) {
        no(j, "want error %.*s %.*s, got %s", STR_ARG(code), STR_ARG(error),
           text_of(arena, &result->bindings));
        return;
    }
    if (!want)
        return;
    bool sorted = value_get_bool(c, STR("sort_bindings"), false);
    bool ignore = value_get_bool(c, STR("ignore_generated_vars"), false);
    struct value left = answers(arena, want, sorted, ignore);
    struct value right = answers(arena, &result->bindings, sorted, ignore);
    if (!rego_equal(&left, &right))
        no(j, "want %s, got %s", text_of(arena, &left), text_of(arena, &right));
}

static void diags_text(const struct rego_diags *diags, struct judgement *j, const char *what)
{
    const struct rego_diag *d = diags->diag;
    if (diags->n)
        no(j, "%s %.*s:%u:%u: %s: %.*s", what, STR_ARG(d->file), d->row, d->col, d->code,
           STR_ARG(d->message));
    else
        no(j, "%s: no memory", what);
}

enum { MODULES_MAX = 64 };

static size_t sources_of(struct arena *arena, const struct value *modules, struct rego_source *ret)
{
    size_t n = 0;
    for (uint32_t i = 0; modules && i < modules->len && n < MODULES_MAX; i++) {
        const struct value *m = &modules->items[i];
        if (m->kind != VALUE_STRING)
            continue;
        ret[n++] =
            (struct rego_source){arena_printf(arena, "test-%u.rego", i), value_text(m), false};
    }
    return n;
}

static void evaluate(struct arena *arena, const struct value *c, struct judgement *j)
{
    struct rego_source source[MODULES_MAX];
    size_t n = sources_of(arena, value_get(c, STR("modules")), source);
    bool words = value_get_bool(c, STR("experimental_keywords"), false);
    struct rego_diags diags = {.arena = arena};
    struct rego_policy *policy = NULL;
    struct rego_query *query = NULL;
    struct err err = {0};
    const struct value *data = value_get(c, STR("data")), *input = value_get(c, STR("input"));
    struct value empty = {.kind = VALUE_OBJECT}, term;
    struct str input_term = value_get_string(c, STR("input_term"));
    if (data && data->kind == VALUE_NULL)
        data = NULL;
    if (input_term.len) {
        if (!rego_parse_value(arena, input_term, &term, &diags)) {
            diags_text(&diags, j, "input_term");
            return;
        }
        input = &term;
    }
    if (!rego_compile(source, n, data ? data : &empty,
                      &(struct rego_compile_options){
                          .words = words ? REGO_WORD_AND | REGO_WORD_OR : 0, .host = &host},
                      &diags, &policy, &err)) {
        diags_text(&diags, j, "compile");
    } else if (!rego_prepare(policy, value_get_string(c, STR("query")), &diags, &query, &err)) {
        diags_text(&diags, j, "query");
    } else {
        struct rego_eval_options options = {.strict_builtin_errors =
                                                value_get_bool(c, STR("strict_error"), false),
                                            .host = {.now_utc_ns = INT64_MIN}};
        struct rego_result result;
        if (rego_eval(query, input, &options, arena, &result, &err))
            judge(arena, c, &result, j);
        else
            no(j, "%s", err.frame[0]);
    }
    rego_query_close(query);
    rego_close(policy);
}

/* --- compiling --- */

static void judge_errors(const struct value *want, const struct rego_diags *diags, bool exhaustive,
                         struct judgement *j)
{
    j->ok = true;
    for (uint32_t i = 0; i < want->len && j->ok; i++) {
        struct str code = value_get_string(&want->items[i], STR("code"));
        int64_t row = 0;
        bool found = false;
        (void)value_to_int64(value_get(&want->items[i], STR("row")), &row);
        for (size_t d = 0; d < diags->n; d++)
            found |= diags->diag[d].row == row && str_equal(code, str_from(diags->diag[d].code));
        if (!found) {
            diags_text(diags, j, "got");
            size_t used = strlen(j->why);
            (void)snprintf(j->why + used, sizeof j->why - used, "; want %.*s at %lld: %.*s",
                           STR_ARG(code), (long long)row,
                           STR_ARG(value_get_string(&want->items[i], STR("message"))));
        }
    }
    if (j->ok && exhaustive && diags->n != want->len)
        no(j, "want %u errors, got %zu; the last: %.*s", want->len, diags->n,
           STR_ARG(diags->diag[diags->n - 1].message));
}

static void compile(struct arena *arena, const struct value *c, struct judgement *j)
{
    struct rego_source source[MODULES_MAX];
    size_t n = sources_of(arena, value_get(c, STR("modules")), source);
    struct rego_diags diags = {.arena = arena};
    struct rego_policy *policy = NULL;
    struct err err = {0};
    const struct value *want = value_get(c, STR("want_errors"));
    bool v0 = str_equal(value_get_string(c, STR("rego_version")), STR("v0"));
    for (size_t i = 0; i < n; i++)
        source[i].v0 = v0;
    struct rego_compile_options options = {
        .strict = value_get_bool(c, STR("strict"), false),
        .words = value_get_bool(c, STR("experimental_keywords"), false)
                     ? REGO_WORD_AND | REGO_WORD_OR
                     : 0,
    };
    bool ok = rego_compile(source, n, NULL, &options, &diags, &policy, &err);
    j->ok = true;
    if (!want && !ok)
        diags_text(&diags, j, "want no error, got");
    else if (want && ok)
        no(j, "want %.*s: %.*s, got none", STR_ARG(value_get_string(want->items, STR("code"))),
           STR_ARG(value_get_string(want->items, STR("message"))));
    else if (want)
        judge_errors(want, &diags, value_get_bool(c, STR("exhaustive"), false), j);
    rego_close(policy);
}

/* --- files --- */

static void count(struct tally *t, struct str file, struct str note, const struct judgement *j)
{
    t->passed += j->ok;
    t->failed += !j->ok;
    if (!j->ok)
        printf("FAIL %.*s: %.*s: %s\n", STR_ARG(file), STR_ARG(note), j->why);
}

static void run_lines(struct str text, const char *name, struct tally *t)
{
    struct ndjson in = {text, name, 0};
    for (;;) {
        AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
        struct value line;
        struct err err = {0};
        struct judgement j = {0};
        if (!ndjson_next(&in, &arena, JSON_DUPLICATES_LAST, &line, &err)) {
            if (err.kind != ERR_NONE)
                printf("%s: %s\n", name, err.frame[0]);
            t->failed += err.kind != ERR_NONE;
            return;
        }
        const struct value *c = value_get(&line, STR("case"));
        evaluate(&arena, c, &j);
        count(t, value_get_string(&line, STR("file")), value_get_string(c, STR("note")), &j);
    }
}

static void run_document(struct str text, const char *name, struct tally *t)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct value document;
    struct err err = {0};
    if (!json_parse(&arena, text, name, JSON_DUPLICATES_LAST, &document, &err)) {
        printf("%s: %s\n", name, err.frame[0]);
        t->failed++;
        return;
    }
    const struct value *cases = value_get(&document, STR("cases"));
    for (uint32_t i = 0; cases && i < cases->len; i++) {
        AUTO_ARENA own = {.limit = ARENA_DEFAULT_LIMIT};
        struct judgement j = {0};
        const struct value *c = &cases->items[i];
        if (t->compile)
            compile(&own, c, &j);
        else
            evaluate(&own, c, &j);
        count(t, value_get_string(c, STR("note")), value_get_string(c, STR("stage")), &j);
    }
}

static void run_file(const char *path, struct tally *t)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct str text;
    struct err err = {0};
    if (!io_read_file(&arena, path, 512 << 20, &text, &err)) {
        printf("%s: %s\n", path, err.frame[0]);
        t->failed++;
    } else if (str_ends(str_from(path), STR(".jsonl"))) {
        run_lines(text, path, t);
    } else {
        run_document(text, path, t);
    }
}

static void run_path(const char *path, struct tally *t)
{
    DIR *dir = opendir(path);
    if (!dir) {
        run_file(path, t);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        char file[4096];
        struct str name = str_from(entry->d_name);
        if (!str_ends(name, STR(".json")) && !str_ends(name, STR(".jsonl")))
            continue;
        (void)snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        run_file(file, t);
    }
    (void)closedir(dir);
}

int main(int argc, char **argv)
{
    struct tally t = {0};
    int paths = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--compile") == 0) {
            t.compile = true;
        } else {
            run_path(argv[i], &t);
            paths++;
        }
    }
    if (!paths) {
        (void)fputs("usage: rego_cases [--compile] CASES.jsonl|CASES.json|DIR\n", stderr);
        return 2;
    }
    printf("%u passed, %u failed, %u skipped\n", t.passed, t.failed, t.skipped);
    return t.failed != 0;
}
