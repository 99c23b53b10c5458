/* hcl_fmt.c - recorded texts formatted here and compared with what `terraform fmt` made of them.
 *
 * Usage: hcl_fmt FILE.jsonl [ID-PREFIX]; format: golden/hcl/README.md of the shared data.
 *        hcl_fmt --print FILE...: are the tokens of each file, and the blanks between them, the
 * file? Prints each failure, then `N passed, N failed`; exit 1 if any failed.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "lang/hcl/format.h"
#include "wire/json.h"

enum { RECORDING_MAX = 1 << 28 };

/* Wanted text or error against what came, and what came formatted again. NULL when all is well. */
static const char *judge(struct arena *arena, const struct value *test, struct str *ret_got)
{
    struct hcl_diags diags = {.arena = arena};
    struct err err = {0};
    struct str again, want = value_get_string(test, STR("out"));
    struct str want_error = value_get_string(test, STR("error"));
    bool ok = hcl_format_text(arena, value_get_string(test, STR("in")), STR("in.tf"), &diags,
                              ret_got, &err);
    if (!ok)
        *ret_got = diags.n ? diags.diag[0].summary : STR("no diagnostic");
    if (!want.ptr && ok)
        return "an error is wanted";
    if (!want.ptr)
        return str_equal(*ret_got, want_error) ? NULL : "another error";
    if (!ok)
        return "a text is wanted";
    if (!str_equal(*ret_got, want))
        return "another text";
    if (!hcl_format_text(arena, want, STR("out.tf"), &diags, &again, &err))
        return "what came cannot be read";
    return NULL;
}

static void print_text(const char *what, struct str text)
{
    if (!text.ptr)
        return;
    AUTO_BUF out = {.limit = 1 << 24};
    struct jsonw w = {.out = &out};
    jsonw_string(&w, text);
    printf("    %s: %.*s\n", what, (int)out.len, out.ptr);
}

static bool run_case(const struct value *test)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct str got = {0};
    const char *why = judge(&arena, test, &got);
    if (!why)
        return true;
    printf("FAIL %.*s: %s\n", STR_ARG(value_get_string(test, STR("id"))), why);
    print_text("in", value_get_string(test, STR("in")));
    print_text("want", value_get_string(test, STR("out")));
    print_text("want error", value_get_string(test, STR("error")));
    print_text("got", got);
    return false;
}

/* --- round trip --- */

static bool only_blanks(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != ' ' && s.ptr[i] != '\t')
            return false;
    return true;
}

/* The text put together again from what was read. */
static bool print_file(const struct hcl_file *file, struct buf *out, struct err *err)
{
    size_t at = 0;
    for (size_t i = 0; i < file->ntokens; i++) {
        struct hcl_range range = file->token[i].range;
        struct str gap = str_sub(file->text, at, range.start);
        bool mark = at == 0 && str_starts(gap, STR("\xef\xbb\xbf"));
        if (range.start < at || !only_blanks(str_sub(gap, mark ? 3 : 0, gap.len)))
            return err_set(err, ERR_SYNTAX, "byte %zu is in no token", at);
        buf_str(out, gap);
        buf_str(out, str_sub(file->text, range.start, range.end));
        at = range.end;
    }
    return buf_ok(out, err);
}

static bool print_back(const char *path)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct hcl_diags diags = {.arena = &arena};
    struct hcl_file file;
    struct err err = {0};
    struct str text;
    char why[1024];
    if (!io_read_file(&arena, path, RECORDING_MAX, &text, &err) ||
        !hcl_parse_file(&arena, text, str_from(path), &diags, &file, &err) ||
        !print_file(&file, &out, &err))
        printf("FAIL %s: %s\n", path, err_text(&err, why, sizeof why));
    else if (!str_equal(buf_view(&out), text))
        printf("FAIL %s: other bytes\n", path);
    else
        return true;
    return false;
}

static int run_print(int n, char **paths)
{
    int passed = 0;
    for (int i = 0; i < n; i++)
        passed += print_back(paths[i]);
    printf("%d passed, %d failed\n", passed, n - passed);
    return passed < n;
}

int main(int argc, char **argv)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct err err = {0};
    struct str text;
    char why[1024];
    size_t passed = 0, failed = 0;
    if (argc > 1 && strcmp(argv[1], "--print") == 0)
        return run_print(argc - 2, argv + 2);
    if (argc < 2 || !io_read_file(&arena, argv[1], RECORDING_MAX, &text, &err)) {
        (void)fprintf(stderr, "usage: hcl_fmt FILE.jsonl [ID-PREFIX] %s\n",
                      err_text(&err, why, sizeof why));
        return 2;
    }
    struct str prefix = str_from(argc > 2 ? argv[2] : "");
    struct ndjson in = {.rest = text, .name = argv[1]};
    struct value test;
    while (ndjson_next(&in, &arena, JSON_DUPLICATES_LAST, &test, &err)) {
        if (!str_starts(value_get_string(&test, STR("id")), prefix))
            continue;
        bool ok = run_case(&test);
        passed += ok;
        failed += !ok;
    }
    if (err.kind != ERR_NONE) {
        (void)fprintf(stderr, "%s\n", err_text(&err, why, sizeof why));
        return 2;
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed > 0;
}
