/* hcl_edits.c - recorded edits of configurations: hcl_edits FILE.jsonl
 *
 * Each line is a case (shared golden/hcl/README.md): files, edits, and what the files are then or
 * that the edit is refused. The schemas of its provider stand beside FILE, in
 * provider-schemas.json. Prints each failure, then `N passed, N failed`; exit 1 where any failed.
 */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/provider_schema_json.h"
#include "respond/adopt.h"
#include "wire/json.h"

#define ROOT "root"
enum { NAMES_MAX = 1000 };

/* The files of a case, instead of the disk. */
struct world {
    struct arena *arena;
    const struct value *files;
    const struct provider_schemas *schemas;
};

static bool read_file(void *ctx, struct str path, struct str *ret)
{
    const struct world *world = ctx;
    struct str clean = pathname_clean(world->arena, path);
    struct str name = pathname_below(STR(ROOT), clean);
    const struct value *text = name.ptr ? value_get(world->files, name) : NULL;
    if (value_is_string(text))
        *ret = value_text(text);
    return text;
}

/* What stands directly in a directory: files, and directories that have some. */
static bool list_files(void *ctx, struct str dir, const struct str **ret_names, size_t *ret_n)
{
    const struct world *world = ctx;
    struct str clean = pathname_clean(world->arena, dir);
    struct str below = pathname_below(STR(ROOT), clean);
    struct str *names = arena_new(world->arena, struct str, NAMES_MAX);
    size_t n = 0;
    if (!below.ptr || !names)
        return false;
    if (str_equal(below, STR(".")))
        below = STR("");
    for (uint32_t i = 0; i < world->files->len && n < NAMES_MAX; i++) {
        struct str name = key_str(world->files->members[i].key), head;
        if (below.len &&
            !(str_starts(name, below) && name.len > below.len && name.ptr[below.len] == '/'))
            continue;
        name = str_sub(name, below.len ? below.len + 1 : 0, name.len);
        (void)str_cut(&name, '/', &head);
        if (n == 0 || !str_equal(names[n - 1], head))
            names[n++] = head;
    }
    *ret_names = names;
    *ret_n = n;
    return n;
}

static const struct schema *find_schema(void *ctx, struct str provider, enum code_mode mode,
                                        struct str type)
{
    const struct world *world = ctx;
    return provider_schemas_type(world->schemas, provider, mode, type);
}

static struct path path_of(struct arena *arena, const struct value *steps)
{
    struct path_step *step = arena_new(arena, struct path_step, steps->len);
    for (uint32_t i = 0; step && i < steps->len; i++) {
        step[i].kind = steps->items[i].kind == VALUE_STRING ? PATH_KEY : PATH_INDEX;
        if (step[i].kind == PATH_KEY)
            step[i].key = value_text(&steps->items[i]);
        else
            (void)value_to_int64(&steps->items[i], &step[i].index);
    }
    return (struct path){step, step ? steps->len : 0};
}

static struct adopt_change *changes_of(struct arena *arena, const struct value *edits)
{
    struct adopt_change *change = arena_new(arena, struct adopt_change, edits->len);
    for (uint32_t i = 0; change && i < edits->len; i++) {
        const struct value *edit = &edits->items[i], *v = value_get(edit, STR("value"));
        struct str op = value_get_string(edit, STR("op"));
        change[i] = (struct adopt_change){.address = value_get_string(edit, STR("address")),
                                          .path = path_of(arena, value_get(edit, STR("path"))),
                                          .unset = str_equal(op, STR("unset")),
                                          .origin = str_equal(op, STR("set-origin"))};
        if (v)
            change[i].value = *v;
    }
    return change;
}

/* --- what is wanted --- */

static struct str text_after(const struct adopt_result *result, const struct value *files,
                             struct str name)
{
    for (size_t i = 0; i < result->nfiles; i++)
        if (str_equal(result->file[i].name, name))
            return result->file[i].after;
    return value_get_string(files, name);
}

static bool check_files(const struct adopt_result *result, const struct value *files,
                        const struct value *want)
{
    bool ok = true;
    for (uint32_t i = 0; i < want->len; i++) {
        struct str name = key_str(want->members[i].key);
        struct str wanted = value_text(&want->members[i].value);
        struct str got = text_after(result, files, name);
        if (str_equal(got, wanted))
            continue;
        printf("  %.*s: want\n%.*s  got\n%.*s", STR_ARG(name), STR_ARG(wanted), STR_ARG(got));
        ok = false;
    }
    for (size_t i = 0; i < result->nfiles; i++)
        ok = ok && value_get(want, result->file[i].name);
    return ok;
}

/* "n" of "local.n" */
static struct str last_name(struct str name)
{
    for (size_t i = name.len; i-- > 0;)
        if (name.ptr[i] == '.')
            return str_sub(name, i + 1, name.len);
    return name;
}

static bool check_origins(const struct adopt_result *result, const struct value *want)
{
    for (uint32_t i = 0; want && i < want->len; i++) {
        const struct value *one = &want->items[i];
        struct str name = value_get_string(one, STR("name"));
        struct str file = value_get_string(one, STR("file"));
        int64_t line = 0;
        bool found = false;
        (void)value_to_int64(value_get(one, STR("line")), &line);
        for (size_t k = 0; k < result->norigins && !found; k++) {
            const struct adopt_origin *o = &result->origin[k];
            found = (line == 0 || o->line == line) &&
                    (name.len == 0 || str_equal(last_name(o->name), name)) &&
                    (file.len == 0 || str_equal(o->file, file));
        }
        if (!found) {
            printf("  no origin %.*s at line %lld; there are %zu\n", STR_ARG(name), (long long)line,
                   result->norigins);
            return false;
        }
    }
    return true;
}

static bool check(const struct value *row, const struct adopt_result *result)
{
    const struct value *refuse = value_get(row, STR("refuse"));
    const struct value *want = value_get(row, STR("want_files"));
    if (result->refused && !refuse)
        printf("  refused: %.*s\n", STR_ARG(result->reason));
    if (!refuse)
        return !result->refused && check_files(result, value_get(row, STR("files")), want);
    if (!result->refused)
        printf("  not refused\n");
    return result->refused && check_origins(result, value_get(row, STR("origin")));
}

static bool run_case(struct arena *arena, const struct value *row,
                     const struct provider_schemas *schemas)
{
    struct world world = {arena, value_get(row, STR("files")), schemas};
    const struct value *edits = value_get(row, STR("edits"));
    bool fake = value_get_bool(row, STR("fake_provider"), false);
    struct code_options options = {.root_dir = STR(ROOT),
                                   .phase = CODE_PLAN,
                                   .schema = fake ? find_schema : NULL,
                                   .read = read_file,
                                   .list = list_files,
                                   .ctx = &world,
                                   .now_utc_ms = INT64_MIN};
    struct adopt_result result = {0};
    struct err err = {0};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    struct adopt_change *change = edits ? changes_of(arena, edits) : NULL;
    struct code *code = NULL;
    bool ok = change && world.files && code_open(&options, &code, &err) &&
              code_evaluate(code, &err) &&
              adopt_plan(arena, &options, code, change, edits->len, &result, &err);
    code_close(code);
    if (ok)
        return check(row, &result);
    printf("  %s\n", err_text(&err, text, sizeof text));
    return false;
}

int main(int argc, char **argv)
{
    AUTO_ARENA input = {.limit = (size_t)4 << 30};
    struct err err = {0};
    struct str text, schema_text;
    struct provider_schemas schemas;
    unsigned passed = 0, failed = 0;
    char why[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    if (argc != 2 || !io_read_file(&input, argv[1], 1 << 30, &text, &err)) {
        fprintf(stderr, "usage: hcl_edits FILE.jsonl: %s\n", err_text(&err, why, sizeof why));
        return 2;
    }
    struct str beside =
        io_join(&input, io_dirname(str_from(argv[1])), STR("provider-schemas.json"));
    if (!io_read_file(&input, beside.ptr, 1 << 30, &schema_text, &err) ||
        !provider_schemas_read(&input, schema_text, beside.ptr, &schemas, &err)) {
        fprintf(stderr, "hcl_edits: %s\n", err_text(&err, why, sizeof why));
        return 2;
    }
    struct ndjson in = {.rest = text, .name = argv[1]};
    for (;;) {
        AUTO_ARENA arena = {.limit = (size_t)1 << 30};
        struct value row;
        if (!ndjson_next(&in, &arena, JSON_NFC, &row, &err))
            break;
        struct str id = value_get_string(&row, STR("id"));
        bool ok = run_case(&arena, &row, &schemas);
        passed += ok;
        failed += !ok;
        if (!ok)
            printf("FAIL %.*s\n", STR_ARG(id));
    }
    if (err.kind) {
        printf("%s\n", err_text(&err, why, sizeof why));
        failed++;
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed > 0;
}
