/* hcl_expressions.c - recorded expressions evaluated here and compared with Terraform's answers.
 *
 * Usage: hcl_expressions FILE.jsonl [ID-PREFIX]; format: golden/hcl/README.md of the shared data.
 * Prints each failure, then `N passed, N failed`; exit 1 if any failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/tf_reference.h"
#include "lang/hcl/ops.h"
#include "lang/hcl/types.h"
#include "value/number.h"
#include "wire/json.h"

struct scope_ctx {
    const struct value *vars; /* the case's own: "var.x" -> {type, value, ...} */
    struct arena *arena;
    bool validating; /* as Terraform validates: of a variable only the type is known */
};

/* --- building the scope --- */

/* Follow a path of the case ([["id"],["tags","x"]]) and change the node there. */
static struct value *node_at(struct arena *arena, struct value *v, const struct value *path)
{
    for (uint32_t i = 0; i < path->len; i++) {
        const struct value *step = &path->items[i];
        struct value *next = NULL;
        if (value_is_object_like(v)) {
            struct value_member *m = arena_new(arena, struct value_member, v->len + 1);
            uint32_t n = v->len, at = 0;
            if (n)
                memcpy(m, v->members, n * sizeof *m);
            while (at < n && !str_equal(key_str(m[at].key), value_text(step)))
                at++;
            if (at == n) {
                m[n] = (struct value_member){.key = key_make(arena, value_text(step))};
                struct value whole;
                (void)value_members(v->kind, m, n + 1, &whole, NULL, NULL);
                v->len = n + 1;
                for (at = 0; !str_equal(key_str(m[at].key), value_text(step)); at++) {}
            }
            v->members = m;
            next = &m[at].value;
        } else if (value_is_list_like(v)) {
            struct value *items = arena_new(arena, struct value, v->len);
            int64_t index = 0;
            memcpy(items, v->items, v->len * sizeof *items);
            v->items = items;
            if (step->kind == VALUE_STRING)
                return NULL;
            if (!value_to_int64(step, &index) || index >= v->len)
                return NULL;
            next = &items[index];
        }
        if (!next)
            return NULL;
        v = next;
    }
    return v;
}

static const struct type *type_at(const struct type *type, const struct value *path)
{
    for (uint32_t i = 0; i < path->len && type; i++) {
        if (type->kind == TYPE_OBJECT) {
            const struct type_member *m = type_find_member(type, value_text(&path->items[i]));
            type = m ? m->type : NULL;
        } else if (type->kind == TYPE_TUPLE) {
            int64_t k;
            type = value_to_int64(&path->items[i], &k) && k < type->n ? type->items[k] : NULL;
        } else {
            type = type->elem;
        }
    }
    return type ? type : &type_dynamic;
}

static bool make_var(struct arena *arena, const struct value *spec, bool unknown, struct value *ret)
{
    struct err err = {0};
    const struct type *type;
    const struct value *recorded = value_get(spec, STR("value"));
    const struct value *unknowns = unknown ? NULL : value_get(spec, STR("unknown_paths"));
    const struct value *sensitive = unknown ? NULL : value_get(spec, STR("sensitive_paths"));
    if (!type_from_value(arena, value_get(spec, STR("type")), &type, &err))
        return false;
    if (unknown || value_get_bool(spec, STR("unknown"), false)) {
        *ret = hcl_unknown(arena, type);
    } else if (!recorded || !type_apply(arena, type, recorded, false, ret, &err)) {
        return false;
    }
    if (ret->kind == VALUE_NULL)
        ret->type = type;
    for (uint32_t i = 0; unknowns && i < unknowns->len; i++) {
        struct value *node = node_at(arena, ret, &unknowns->items[i]);
        const struct type *node_type = type_at(type, &unknowns->items[i]);
        bool id = unknowns->items[i].len == 1 &&
                  str_equal(value_text(&unknowns->items[i].items[0]), STR("id"));
        if (node) /* the provider promises that an id is never null */
            *node = id ? hcl_unknown_not_null(arena, node_type) : hcl_unknown(arena, node_type);
    }
    for (uint32_t i = 0; sensitive && i < sensitive->len; i++) {
        struct value *node = node_at(arena, ret, &sensitive->items[i]);
        if (node)
            node->marks |= VALUE_SENSITIVE;
    }
    if (value_get_bool(spec, STR("sensitive"), false))
        ret->marks |= VALUE_SENSITIVE;
    if (value_get_bool(spec, STR("ephemeral"), false))
        ret->marks |= VALUE_EPHEMERAL;
    return true;
}

static bool resolve(void *ctx, struct hcl_eval *ev, const struct hcl_traversal *t,
                    struct value *ret, size_t *ret_steps)
{
    const struct scope_ctx *scope = ctx;
    struct str first = t->n ? value_text(&t->step[0].key) : (struct str){0};
    struct str name = arena_printf(scope->arena, "%.*s.%.*s", STR_ARG(t->root), STR_ARG(first));
    const struct value *spec = value_get(scope->vars, name);
    *ret_steps = 1;
    bool unknown = scope->validating && str_equal(t->root, STR("var"));
    if (spec && t->n && make_var(scope->arena, spec, unknown, ret))
        return true;
    return hcl_fail(ev, t->range, "Reference to undeclared name", "%.*s", STR_ARG(name));
}

/* --- what Terraform checks before it evaluates --- */

struct checking {
    struct hcl_eval *ev;
    struct tf_names names;
};

static bool is_declared(void *ctx, enum tf_noun noun, struct str type, struct str name)
{
    static const char *const before[] = {
        [TF_VARIABLE] = "var.", [TF_LOCAL] = "local.", [TF_MODULE] = "module.",
        [TF_RESOURCE] = "",     [TF_DATA] = "data.",   [TF_EPHEMERAL] = "ephemeral."};
    const struct scope_ctx *scope = ctx;
    struct str key = arena_printf(scope->arena, "%s%.*s%s%.*s", before[noun], STR_ARG(type),
                                  type.len ? "." : "", STR_ARG(name));
    return value_get(scope->vars, key);
}

static bool check_reference(void *ctx, const struct hcl_traversal *traversal)
{
    struct checking *c = ctx;
    struct tf_problem problem;
    if (!tf_reference_check(c->ev->arena, traversal, &c->names, &problem))
        (void)hcl_fail(c->ev, traversal->range, problem.summary.ptr, "%.*s",
                       STR_ARG(problem.detail));
    return true;
}

/* --- comparing --- */

/* A number that a double holds was read back from the plan's JSON as one, and printed so. */
static bool same_double(const struct value *got, const struct value *want)
{
    bool got_exact, want_exact;
    double a = number_to_double(got, &got_exact), b = number_to_double(want, &want_exact);
    return got_exact && a == b;
}

/* The recorded JSON shape: unknown parts are null or left out, marks nowhere. */
static bool same_json(struct arena *arena, const struct value *got, const struct value *want)
{
    if (got->kind == VALUE_UNKNOWN || (got->kind == VALUE_NUMBER && hcl_is_infinite(got)))
        return !want || want->kind == VALUE_NULL;
    if (!want)
        return false;
    if (got->kind == VALUE_NUMBER) {
        struct str text = hcl_number_text(arena, got);
        struct value printed = value_number(text);
        if (str_equal(text, STR("-0")))
            printed = value_int(0);
        return want->kind == VALUE_NUMBER &&
               (value_equal(&printed, want) || same_double(&printed, want));
    }
    if (value_is_list_like(got)) {
        const struct value *items = hcl_elements(arena, got);
        if (!value_is_list_like(want) || want->len != got->len)
            return false;
        for (uint32_t i = 0; i < got->len; i++)
            if (!same_json(arena, &items[i], &want->items[i]))
                return false;
        return true;
    }
    if (value_is_object_like(got)) {
        uint32_t known = 0;
        if (!value_is_object_like(want))
            return false;
        for (uint32_t i = 0; i < got->len; i++) {
            const struct value *w = value_get(want, key_str(got->members[i].key));
            known += w != NULL;
            if (!same_json(arena, &got->members[i].value, w))
                return false;
        }
        return known == want->len;
    }
    return got->kind == want->kind && value_equal(got, want);
}

/* want: true, or a structure with true where `is` holds. */
static bool same_flags(struct arena *arena, const struct value *got, const struct value *want,
                       bool (*is)(const struct value *))
{
    if (is(got))
        return want && want->kind == VALUE_BOOL && want->truth;
    if (want && want->kind == VALUE_BOOL && want->truth)
        return false;
    if (value_is_list_like(got)) {
        const struct value *items = hcl_elements(arena, got);
        for (uint32_t i = 0; i < got->len; i++) {
            const struct value *w =
                want && value_is_list_like(want) && i < want->len ? &want->items[i] : NULL;
            if (!same_flags(arena, &items[i], w, is))
                return false;
        }
    }
    for (uint32_t i = 0; value_is_object_like(got) && i < got->len; i++)
        if (!same_flags(arena, &got->members[i].value,
                        want ? value_get(want, key_str(got->members[i].key)) : NULL, is))
            return false;
    return true;
}

static bool is_unknown(const struct value *v)
{
    return v->kind == VALUE_UNKNOWN;
}

static bool is_sensitive(const struct value *v)
{
    return v->marks & VALUE_SENSITIVE;
}

/* --- a case --- */

struct outcome {
    bool ok;
    struct value value;
    struct hcl_diags diags;
};

static bool write_files(struct arena *arena, const struct value *files, const char *dir)
{
    struct err err = {0};
    for (uint32_t i = 0; files && i < files->len; i++) {
        struct str name = key_str(files->members[i].key);
        struct str text = value_get_string(&files->members[i].value, STR("text"));
        struct str base64 = value_get_string(&files->members[i].value, STR("base64"));
        struct str path = io_join(arena, str_from(dir), name);
        struct str parent = arena_dup(arena, io_dirname(path));
        if (base64.ptr && !base64_decode(arena, base64, &text, &err))
            return false;
        if (!io_make_dirs(parent.ptr, 0755, &err) ||
            !io_write_file_atomic(path.ptr, text, 0644, &err))
            return false;
    }
    return true;
}

static struct outcome evaluate(struct arena *arena, const struct value *test, const char *dir)
{
    struct outcome out = {.diags = {.arena = arena}};
    struct err err = {0};
    struct hcl_file file;
    struct str expr = value_get_string(test, STR("expr"));
    struct str text = arena_printf(arena, "locals {\n  e = %.*s\n}\n", STR_ARG(expr));
    struct value none = {.kind = VALUE_OBJECT};
    const struct value *vars = value_get(test, STR("vars"));
    if (!hcl_parse_file(arena, text, STR("e.tf"), &out.diags, &file, &err))
        return out;
    size_t first = 0;
    const struct hcl_block *locals = hcl_find_block(&file.body, STR("locals"), &first);
    const struct hcl_attribute *e = locals ? hcl_find_attribute(&locals->body, STR("e")) : NULL;
    if (hcl_has_errors(&out.diags) || !e)
        return out;
    struct hcl_world world = {.base_dir = str_from(dir),
                              .root_dir = str_from(dir),
                              .home_dir = STR("/root"),
                              .planning = true,
                              .now_utc_ms = 1795000000000};
    struct scope_ctx ctx = {.vars = vars ? vars : &none, .arena = arena};
    struct hcl_scope scope = {.resolve = resolve, .ctx = &ctx};
    struct hcl_eval ev = {
        .arena = arena, .file = STR("e.tf"), .text = text, .diags = &out.diags, .world = &world};
    struct checking checking = {.ev = &ev, .names = {.declared = is_declared, .ctx = &ctx}};
    (void)hcl_each_reference(arena, e->value, check_reference, &checking);
    if (hcl_has_errors(&out.diags))
        return out;
    for (int pass = 0; pass < 2 && !hcl_has_errors(&out.diags); pass++) {
        ctx.validating = pass == 0;
        out.ok = hcl_eval_expr(&ev, e->value, &scope, &out.value) && !hcl_has_errors(&out.diags);
    }
    return out;
}

/* What base64 of a gzip stream holds; the bytes of the stream are up to the encoder. */
static bool gunzip(struct arena *arena, struct str base64, struct str *ret)
{
    enum { ROOM = 1 << 20 };
    struct str bytes;
    struct err err = {0};
    unsigned char *out = arena_alloc_raw(arena, ROOM, 1, 1);
    z_stream z = {.next_out = out, .avail_out = ROOM};
    if (!out || !base64_decode(arena, base64, &bytes, &err) ||
        inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return false;
    z.next_in = (unsigned char *)(uintptr_t)bytes.ptr;
    z.avail_in = (unsigned)bytes.len;
    bool ok = inflate(&z, Z_FINISH) == Z_STREAM_END;
    *ret = (struct str){(const char *)out, ROOM - z.avail_out};
    (void)inflateEnd(&z);
    return ok;
}

static bool same_value(struct arena *arena, const struct value *test, const struct value *got)
{
    const struct value *want = value_get(test, STR("want"));
    struct str a, b;
    if (same_json(arena, got, want))
        return true;
    return str_equal(value_get_string(test, STR("category")), STR("fn.base64gzip")) &&
           value_is_string(got) && value_is_string(want) && gunzip(arena, value_text(got), &a) &&
           gunzip(arena, value_text(want), &b) && str_equal(a, b);
}

/* The recording names the problem that starts first in the expression itself. */
static const struct hcl_diag *first_problem(const struct outcome *got)
{
    const struct hcl_diag *first = NULL;
    for (size_t i = 0; i < got->diags.n; i++) {
        const struct hcl_diag *diag = &got->diags.diag[i];
        if (diag->subject.start >= sizeof "locals {\n  e = " - 1 &&
            (!first || diag->subject.start < first->subject.start))
            first = diag;
    }
    return first ? first : got->diags.diag;
}

static const char *judge(struct arena *arena, const struct value *test, const struct outcome *got)
{
    struct str want_error = value_get_string(test, STR("want_error"));
    if (want_error.ptr) {
        if (got->diags.n == 0)
            return "an error is wanted";
        return str_equal(first_problem(got)->summary, want_error) ? NULL : "another error";
    }
    if (!got->ok)
        return "a value is wanted";
    struct err err = {0};
    const struct type *want_type, *type = hcl_type_of(arena, &got->value);
    if (!type_from_value(arena, value_get(test, STR("want_type")), &want_type, &err))
        return "unreadable type";
    if (!type_equal(type, want_type))
        return "another type";
    if (!value_get_bool(test, STR("want_infinite"), false) && !same_value(arena, test, &got->value))
        return "another value";
    if (!same_flags(arena, &got->value, value_get(test, STR("want_unknown")), is_unknown))
        return "other unknowns";
    if (!same_flags(arena, &got->value, value_get(test, STR("want_sensitive")), is_sensitive))
        return "other sensitive marks";
    return NULL;
}

static void print_outcome(struct arena *arena, const struct outcome *got)
{
    AUTO_BUF out = {.limit = 1 << 20};
    struct jsonw w = {.out = &out};
    if (got->diags.n) {
        printf("    got error: %.*s; %.*s\n", STR_ARG(first_problem(got)->summary),
               STR_ARG(first_problem(got)->detail));
        return;
    }
    if (!got->ok)
        return;
    jsonw_value(&w, &got->value);
    buf_str(&out, STR("  "));
    type_print_json(&out, hcl_type_of(arena, &got->value));
    printf("    got: %.*s\n", (int)(out.len < 600 ? out.len : 600), out.ptr);
}

/* The failed case as it was given, shortened. */
static void print_case(const struct value *test, const char *why)
{
    AUTO_BUF out = {.limit = 1 << 22};
    struct jsonw w = {.out = &out};
    struct str id = value_get_string(test, STR("id")), expr = value_get_string(test, STR("expr"));
    printf("FAIL %.*s: %s\n    %.*s\n", STR_ARG(id), why, STR_ARG(expr));
    static const char *const shown[] = {"want",           "want_type",  "want_unknown",
                                        "want_sensitive", "want_error", "want_error_detail"};
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const struct value *v = value_get(test, str_from(shown[i]));
        if (!v)
            continue;
        out.len = 0;
        jsonw_value(&w, v);
        w.need_comma = false;
        printf("    %s: %.*s\n", shown[i], (int)(out.len < 600 ? out.len : 600), out.ptr);
    }
}

static bool run_case(const struct value *test)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 30};
    char dir[] = "/tmp/plumb-hcl-XXXXXX";
    const struct value *files = value_get(test, STR("files"));
    bool reads = files || str_starts(value_get_string(test, STR("id")), STR("fn.file"));
    bool made = reads && mkdtemp(dir) && write_files(&arena, files, dir);
    if (made && !files) /* the folder of the recording, of which nothing is wanted but that it is */
        made = mkdir(arena_printf(&arena, "%s/files", dir).ptr, 0755) == 0;
    struct outcome got = evaluate(&arena, test, made ? dir : "/nonexistent");
    const char *why = judge(&arena, test, &got);
    if (why) {
        print_case(test, why);
        print_outcome(&arena, &got);
    }
    if (made) {
        struct str command = arena_printf(&arena, "rm -rf %s", dir);
        if (system(command.ptr) != 0)
            printf("cannot remove %s\n", dir);
    }
    return !why;
}

int main(int argc, char **argv)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 30};
    struct err err = {0};
    struct str text;
    char why[1024];
    size_t passed = 0, failed = 0;
    if (argc < 2 || !io_read_file(&arena, argv[1], (size_t)1 << 28, &text, &err)) {
        (void)fprintf(stderr, "usage: hcl_expressions FILE.jsonl [ID-PREFIX] %s\n",
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
