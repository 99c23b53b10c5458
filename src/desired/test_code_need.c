/* test_code_need.c - one instance asked for alone: no more is planned than it needs, and it is what
 * it is among all. Counted are the instances that the state is asked for. */
#include "base/test.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/code.h"
#include "wire/json.h"

struct given {
    const char *file[4][2];
    size_t asked;
    struct arena arena; /* of what the state gives; freed by close_given */
};

static bool read_given(void *ctx, struct str path, struct str *ret)
{
    const struct given *g = ctx;
    for (size_t i = 0; i < 4 && g->file[i][0]; i++)
        if (str_equal(path, str_from(g->file[i][0]))) {
            *ret = str_from(g->file[i][1]);
            return true;
        }
    return false;
}

static bool list_given(void *ctx, struct str dir, const struct str **ret_names, size_t *ret_n)
{
    static struct str names[4];
    const struct given *g = ctx;
    *ret_n = 0;
    for (size_t i = 0; i < 4 && g->file[i][0]; i++)
        if (str_equal(io_dirname(str_from(g->file[i][0])), dir))
            names[(*ret_n)++] = io_basename(str_from(g->file[i][0]));
    *ret_names = names;
    return *ret_n;
}

/* Each instance has an id of its own. */
static bool state_given(void *ctx, struct str address, struct value *ret)
{
    struct given *g = ctx;
    AUTO_BUF text = {.limit = 1 << 12};
    struct jsonw w = {.out = &text};
    g->asked++;
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("id"), address);
    jsonw_object_close(&w);
    return json_parse(&g->arena, buf_view(&text), "state", JSON_COPY, ret, NULL);
}

static struct code *open_within(struct given *g, size_t bytes)
{
    struct code_options options = {.root_dir = STR("/r"),
                                   .phase = CODE_EXPLORE,
                                   .read = read_given,
                                   .list = list_given,
                                   .state = state_given,
                                   .ctx = g,
                                   .limits.bytes = bytes,
                                   .now_utc_ms = INT64_MIN};
    struct code *code;
    struct err err = {0};
    char why[ERR_TEXT_MAX];
    if (!code_open(&options, &code, &err))
        fail_msg("%s", err_text(&err, why, sizeof why));
    g->asked = 0;
    g->arena.limit = (size_t)256 << 20;
    return code;
}

static void close_given(struct given *g, struct code *code)
{
    code_close(code);
    arena_free(&g->arena);
}

static struct code *open_given(struct given *g)
{
    return open_within(g, 0);
}

static void put_value(struct buf *out, const struct value *v)
{
    buf_printf(out, " %d/%d", (int)v->kind, (int)v->marks);
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        put_value(out, &v->items[i]);
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++) {
        buf_printf(out, " %s:", v->members[i].key->text);
        put_value(out, &v->members[i].value);
    }
    struct jsonw w = {.out = out};
    if (v->kind == VALUE_STRING || v->kind == VALUE_NUMBER || v->kind == VALUE_BOOL)
        jsonw_value(&w, v);
}

/* What it is, and what decides its input. */
static struct str told(struct arena *arena, struct code *code, const struct code_instance *instance)
{
    static const struct path_step input = {.kind = PATH_KEY, .key = STR_INIT("input")};
    AUTO_BUF out = {.limit = 1 << 20};
    struct code_chain chain = {0};
    if (!instance)
        return STR("not there");
    buf_str(&out, instance->address);
    put_value(&out, &instance->config);
    put_value(&out, &instance->desired);
    (void)code_explain(code, instance, (struct path){&input, 1}, &chain);
    for (size_t i = 0; i < chain.n; i++)
        buf_printf(&out, "; %s %.*s %.*s:%u", chain.link[i].what, STR_ARG(chain.link[i].name),
                   STR_ARG(chain.link[i].file), chain.link[i].line);
    buf_str(&out, chain.unknown_because);
    return arena_dup(arena, buf_view(&out));
}

static const struct {
    const char *says;
    struct given given;
    const char *address;
    size_t asked; /* instances that are planned for it */
} cases[] = {
    {"one of many by count",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n  count = 50\n"
                              "  input = count.index\n}\n"}}},
     "terraform_data.x[7]",
     1},
    {"one of many by for_each",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n"
                              "  for_each = { for i in range(50) : \"k${i}\" => i }\n"
                              "  input = each.value\n}\n"}}},
     "terraform_data.x[\"k7\"]",
     1},
    {"its pair among others",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n  count = 50\n}\n"
                              "resource \"terraform_data\" \"y\" {\n  count = 50\n"
                              "  input = terraform_data.x[count.index].id\n}\n"
                              "resource \"terraform_data\" \"z\" {\n  count = 50\n"
                              "  input = terraform_data.y[(count.index + 1) % 50].input\n}\n"}}},
     "terraform_data.z[49]",
     3},
    {"a pair by key, of a set",
     {.file = {{"/r/main.tf", "locals {\n  n = [for i in range(20) : \"k${i}\"]\n}\n"
                              "resource \"terraform_data\" \"x\" {\n"
                              "  for_each = toset(local.n)\n}\n"
                              "resource \"terraform_data\" \"y\" {\n"
                              "  for_each = toset(local.n)\n"
                              "  input = terraform_data.x[each.value].id\n}\n"}}},
     "terraform_data.y[\"k3\"]",
     2},
    {"two that are named, a number as a key among them",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n"
                              "  for_each = { \"1\" = 1, \"2\" = 2, \"3\" = 3 }\n}\n"
                              "resource \"terraform_data\" \"y\" {\n  count = 9\n}\n"
                              "resource \"terraform_data\" \"z\" {\n"
                              "  input = [terraform_data.x[2].id, terraform_data.y[8].id]\n}\n"}}},
     "terraform_data.z",
     3},
    {"text as an index: all",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"y\" {\n  count = 9\n}\n"
                              "resource \"terraform_data\" \"z\" {\n"
                              "  input = terraform_data.y[\"08\"].id\n}\n"}}},
     "terraform_data.z",
     10},
    {"all of them: a splat, a for, a key that values decide",
     {.file = {{"/r/main.tf", "variable \"at\" {\n  default = 2\n}\n"
                              "resource \"terraform_data\" \"x\" {\n  count = 5\n}\n"
                              "resource \"terraform_data\" \"y\" {\n  count = 6\n}\n"
                              "resource \"terraform_data\" \"w\" {\n  count = 7\n}\n"
                              "resource \"terraform_data\" \"z\" {\n  count = 3\n  input = [\n"
                              "    terraform_data.x[*].id, [for i in range(6) : "
                              "terraform_data.y[i].id],\n    terraform_data.w[var.at].id]\n}\n"}}},
     "terraform_data.z[0]",
     19},
    {"names that a for binds are not the instance's",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n"
                              "  for_each = { a = 1, b = 2 }\n}\n"
                              "resource \"terraform_data\" \"z\" {\n"
                              "  for_each = { a = 1, b = 2 }\n"
                              "  input = [for each in [{ key = \"b\" }] : "
                              "terraform_data.x[each.key].id]\n}\n"}}},
     "terraform_data.z[\"a\"]",
     3},
    {"through a local: all; what is only waited for: none",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n  count = 5\n}\n"
                              "locals {\n  ids = terraform_data.x[*].id\n}\n"
                              "resource \"terraform_data\" \"w\" {\n  count = 7\n}\n"
                              "resource \"terraform_data\" \"z\" {\n  count = 3\n"
                              "  input = local.ids[count.index]\n"
                              "  depends_on = [terraform_data.w]\n}\n"}}},
     "terraform_data.z[0]",
     6},
    {"one instance of one module",
     {.file = {{"/r/main.tf", "module \"m\" {\n  source = \"./m\"\n  count = 9\n"
                              "  name = \"n${count.index}\"\n}\n"},
               {"/r/m/m.tf", "variable \"name\" {\n  validation {\n"
                             "    condition = length(var.name) > 1\n    error_message = \"No.\"\n"
                             "  }\n}\nlocals {\n  a = [var.name]\n}\n"
                             "resource \"terraform_data\" \"x\" {\n  count = 8\n"
                             "  input = local.a\n}\n"}}},
     "module.m[4].terraform_data.x[3]",
     1},
    {"modules in modules",
     {.file = {{"/r/main.tf", "module \"m\" {\n  source = \"./m\"\n  for_each = { a = 1, b = 2 }\n"
                              "  name = each.key\n}\n"},
               {"/r/m/m.tf", "variable \"name\" {}\nmodule \"n\" {\n  source = \"../n\"\n"
                             "  count = 8\n  name = \"${var.name}-${count.index}\"\n}\n"
                             "output \"id\" {\n  value = module.n[0].id\n}\n"},
               {"/r/n/n.tf", "variable \"name\" {}\nresource \"terraform_data\" \"x\" {\n"
                             "  input = var.name\n}\n"
                             "output \"id\" {\n  value = terraform_data.x.id\n}\n"}}},
     "module.m[\"b\"].module.n[5].terraform_data.x",
     1},
    {"an output of the module of the same key, and one that is named",
     {.file = {{"/r/main.tf", "module \"m\" {\n  source = \"./m\"\n  for_each = { a = 1, b = 2 }\n"
                              "  name = each.key\n}\n"
                              "module \"q\" {\n  source = \"./m\"\n  for_each = { a = 1, b = 2 }\n"
                              "  name = module.m[each.key].id\n}\n"
                              "resource \"terraform_data\" \"z\" {\n  for_each = { a = 1, b = 2 }\n"
                              "  input = [module.q[each.key].id, module.m[\"b\"].id]\n}\n"},
               {"/r/m/m.tf", "variable \"name\" {}\nresource \"terraform_data\" \"x\" {\n"
                             "  input = var.name\n}\nresource \"terraform_data\" \"idle\" {}\n"
                             "output \"id\" {\n  value = [var.name, terraform_data.x.id]\n}\n"}}},
     "terraform_data.z[\"a\"]",
     4},
    {"a resource of another module, whole",
     {.file = {{"/r/main.tf", "module \"m\" {\n  source = \"./m\"\n  count = 3\n}\n"
                              "resource \"terraform_data\" \"z\" {\n"
                              "  count = 2\n  input = module.m[*].id\n}\n"},
               {"/r/m/m.tf", "resource \"terraform_data\" \"x\" {}\n"
                             "output \"id\" {\n  value = terraform_data.x.id\n}\n"}}},
     "terraform_data.z[0]",
     4},
    {"in JSON: all",
     {.file = {{"/r/main.tf.json", "{\"resource\":{\"terraform_data\":{\"x\":{\"count\":4},"
                                   "\"z\":{\"count\":4,\"input\":"
                                   "\"${terraform_data.x[count.index].id}\"}}}}"}}},
     "terraform_data.z[1]",
     5},
    {"what makes it anew, and what is asked of it",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n  count = 4\n  input = 1\n}\n"
                              "resource \"terraform_data\" \"y\" {\n  count = 4\n}\n"
                              "resource \"terraform_data\" \"z\" {\n  count = 4\n  input = 2\n"
                              "  lifecycle {\n    replace_triggered_by = "
                              "[terraform_data.x[count.index]]\n    precondition {\n"
                              "      condition = terraform_data.y[count.index].id != \"\"\n"
                              "      error_message = \"No.\"\n    }\n  }\n}\n"}}},
     "terraform_data.z[1]",
     3},
    {"an instance that is not there",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n  count = 4\n}\n"}}},
     "terraform_data.x[4]",
     0},
    {"no instance without its key",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n  count = 4\n}\n"}}},
     "terraform_data.x",
     0},
};

static void what_is_asked_for_alone_is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct given given = cases[i].given;
        struct err err = {0};
        struct str address = str_from(cases[i].address);
        print_message("  %s\n", cases[i].says);
        struct code *all = open_given(&given), *one = open_given(&given);
        struct str alone = told(&arena, one, code_find_instance(one, address));
        assert_int_equal(given.asked, cases[i].asked);
        assert_true(code_evaluate(all, &err));
        assert_int_equal(code_diags(all)->n, 0);
        struct str among = told(&arena, all, code_find_instance(all, address));
        assert_string_equal(alone.ptr, among.ptr);
        /* then all of it after all */
        assert_true(code_evaluate(one, &err));
        size_t n, m;
        const struct code_instance *after = code_instances(one, &n);
        const struct code_instance *same = code_instances(all, &m);
        assert_int_equal(n, m);
        for (size_t k = 0; k < n; k++)
            assert_string_equal(told(&arena, one, &after[k]).ptr, told(&arena, all, &same[k]).ptr);
        code_close(one);
        close_given(&given, all);
    }
}

/* A second question: what was given for the first one can still be explained. */
static void another_question_is_answered_too(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct given given = cases[10].given;
    struct code *code = open_given(&given);
    const struct hcl_diags *diags;
    struct value v;
    struct err err = {0};
    const struct code_instance *first =
        code_find_instance(code, STR("module.m[\"b\"].module.n[5].terraform_data.x"));
    struct str before = told(&arena, code, first);
    assert_true(code_eval_text(code, STR("module.m[\"a\"].id"), &v, &diags, &err));
    assert_int_equal(diags->n, 0);
    assert_string_equal(value_text(&v).ptr, "module.m[\"a\"].module.n[0].terraform_data.x");
    assert_string_equal(told(&arena, code, first).ptr, before.ptr);
    assert_non_null(code_find_instance(code, STR("module.m[\"a\"].module.n[0].terraform_data.x")));
    close_given(&given, code);
}

/* Faults of other instances are not looked for; those of what it needs are, once. */
static void faults_of_what_it_needs_are_told(void **state)
{
    (void)state;
    struct given given = {
        .file = {{"/r/main.tf", "resource \"terraform_data\" \"x\" {\n  count = 4\n"
                                "  input = [1, 2, 3][count.index]\n}\n"
                                "resource \"terraform_data\" \"y\" {\n  count = 4\n"
                                "  input = terraform_data.x[count.index].input\n}\n"}}};
    struct err err = {0};
    struct code *code = open_given(&given);
    const struct code_instance *fine = code_find_instance(code, STR("terraform_data.y[1]"));
    assert_non_null(fine);
    assert_false(fine->failed);
    assert_int_equal(code_diags(code)->n, 0);
    close_given(&given, code);
    code = open_given(&given);
    assert_null(code_find_instance(code, STR("terraform_data.y[3]")));
    assert_int_equal(code_diags(code)->n, 1);
    assert_true(str_equal(code_diags(code)->diag[0].summary, STR("Invalid index")));
    assert_true(code_evaluate(code, &err));
    assert_int_equal(code_diags(code)->n, 1);
    close_given(&given, code);
}

/* Room for each of the values once, and not for all of them at each of them. */
static void each_of_many_picks_its_own(void **state)
{
    (void)state;
    struct given given = {
        .file = {{"/r/main.tf", "module \"m\" {\n  source = \"./m\"\n  count = 2000\n}\n"
                                "resource \"terraform_data\" \"x\" {\n  count = 2000\n}\n"
                                "resource \"terraform_data\" \"y\" {\n  count = 2000\n"
                                "  input = [terraform_data.x[count.index].id, "
                                "module.m[count.index].id]\n}\n"},
                 {"/r/m/m.tf", "resource \"terraform_data\" \"x\" {}\n"
                               "output \"id\" {\n  value = terraform_data.x.id\n}\n"}}};
    struct err err = {0};
    size_t n;
    struct code *code = open_within(&given, 64 << 20);
    assert_true(code_evaluate(code, &err));
    assert_int_equal(code_diags(code)->n, 0);
    (void)code_instances(code, &n);
    assert_int_equal(n, 6000);
    close_given(&given, code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_asked_for_alone_is_the_same),
                                       cmocka_unit_test(another_question_is_answered_too),
                                       cmocka_unit_test(faults_of_what_it_needs_are_told),
                                       cmocka_unit_test(each_of_many_picks_its_own)};
    return cmocka_run_group_tests_name("desired/code_need", tests, NULL, NULL);
}
