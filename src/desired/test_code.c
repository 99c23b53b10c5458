/* test_code.c - small roots evaluated whole and in part: values, what is unknown, and what
 * Terraform says. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/code.h"
#include "wire/json.h"

struct given {              /* files of a root, and the state */
    const char *file[8][2]; /* path, text */
    const char *state[4][2];
    const char *env[2];
};

static bool read_given(void *ctx, struct str path, struct str *ret)
{
    const struct given *g = ctx;
    for (size_t i = 0; i < 8 && g->file[i][0]; i++)
        if (str_equal(path, str_from(g->file[i][0]))) {
            *ret = str_from(g->file[i][1]);
            return true;
        }
    return false;
}

/* The files directly in a directory. */
static bool list_given(void *ctx, struct str dir, const struct str **ret_names, size_t *ret_n)
{
    static struct str names[8];
    const struct given *g = ctx;
    *ret_n = 0;
    for (size_t i = 0; i < 8 && g->file[i][0]; i++) {
        struct str path = str_from(g->file[i][0]);
        if (str_equal(io_dirname(path), dir))
            names[(*ret_n)++] = io_basename(path);
    }
    *ret_names = names;
    return *ret_n;
}

static const char *env_given(void *ctx, const char *name)
{
    const struct given *g = ctx;
    return g->env[0] && strcmp(g->env[0], name) == 0 ? g->env[1] : NULL;
}

static bool state_given(void *ctx, struct str address, struct value *ret)
{
    static struct arena arena = {.limit = 1 << 20};
    const struct given *g = ctx;
    for (size_t i = 0; i < 4 && g->state[i][0]; i++)
        if (str_equal(address, str_from(g->state[i][0])))
            return json_parse(&arena, str_from(g->state[i][1]), "state", 0, ret, NULL);
    return false;
}

static struct code *open_given(const struct given *g, enum code_phase phase)
{
    struct code_options options = {.root_dir = STR("/r"),
                                   .phase = phase,
                                   .read = read_given,
                                   .list = list_given,
                                   .env = env_given,
                                   .state = state_given,
                                   .ctx = (void *)(uintptr_t)g,
                                   .now_utc_ms = INT64_MIN};
    struct code *code;
    struct err err = {0};
    char why[ERR_TEXT_MAX];
    if (!code_open(&options, &code, &err))
        fail_msg("%s", err_text(&err, why, sizeof why));
    return code;
}

static void put_value(struct buf *out, const struct value *v)
{
    struct jsonw w = {.out = out};
    if (v->kind == VALUE_UNKNOWN)
        buf_str(out, STR("?"));
    else
        jsonw_value(&w, v);
}

/* Instances "ADDRESS INPUT", outputs "NAME=VALUE" and diagnostics "file:line SUMMARY", a line each.
 */
static void put_all(struct code *code, struct buf *out)
{
    size_t n;
    const struct hcl_diags *diags = code_diags(code);
    const struct code_instance *instances = code_instances(code, &n);
    for (size_t i = 0; i < n; i++) {
        const struct value *input = value_get(&instances[i].desired, STR("input"));
        buf_printf(out, "%.*s ", STR_ARG(instances[i].address));
        if (input)
            put_value(out, input);
        buf_char(out, '\n');
    }
    const struct code_output_value *outputs = code_outputs(code, &n);
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "%.*s=", STR_ARG(outputs[i].name));
        put_value(out, &outputs[i].value);
        buf_char(out, '\n');
    }
    for (size_t i = 0; i < diags->n; i++)
        buf_printf(out, "%s%.*s:%u %.*s\n", diags->diag[i].warning ? "warning " : "",
                   STR_ARG(diags->diag[i].file), diags->diag[i].line,
                   STR_ARG(diags->diag[i].summary));
}

static const struct {
    const char *says;
    struct given given;
    enum code_phase phase;
    const char *want;
} cases[] = {
    {"variables, locals, count and for_each",
     {.file = {{"/r/main.tf",
                "variable \"n\" {\n  default = 2\n}\n"
                "locals {\n  names = [for i in range(var.n) : \"x${i}\"]\n}\n"
                "resource \"terraform_data\" \"c\" {\n  count = var.n\n"
                "  input = local.names[count.index]\n}\n"
                "resource \"terraform_data\" \"e\" {\n  for_each = { a = 1, \"b c\" = 2 }\n"
                "  input = \"${each.key}-${each.value}\"\n}\n"
                "output \"o\" {\n  value = terraform_data.c[*].input\n}\n"}}},
     CODE_PLAN,
     "terraform_data.c[0] \"x0\"\nterraform_data.c[1] \"x1\"\n"
     "terraform_data.e[\"a\"] \"a-1\"\nterraform_data.e[\"b c\"] \"b c-2\"\n"
     "o=[\"x0\",\"x1\"]\n"},
    {"modules, their arguments and outputs",
     {.file = {{"/r/main.tf",
                "module \"m\" {\n  source = \"./m\"\n  for_each = toset([\"a\", \"b\"])\n"
                "  name = each.key\n}\n"
                "output \"o\" {\n  value = { for k, m in module.m : k => m.up }\n}\n"},
               {"/r/m/m.tf", "variable \"name\" {\n  type = string\n}\n"
                             "resource \"terraform_data\" \"x\" {\n  input = upper(var.name)\n}\n"
                             "output \"up\" {\n  value = terraform_data.x.input\n}\n"}}},
     CODE_PLAN,
     "module.m[\"a\"].terraform_data.x \"A\"\nmodule.m[\"b\"].terraform_data.x \"B\"\n"
     "o={\"a\":\"A\",\"b\":\"B\"}\n"},
    {"the last value of a variable wins",
     {.file = {{"/r/main.tf", "variable \"v\" {\n  type = number\n  default = 1\n}\n"
                              "output \"o\" {\n  value = var.v\n}\n"},
               {"/r/terraform.tfvars", "v = 3\n"},
               {"/r/z.auto.tfvars", "v = 4\n"}},
      .env = {"TF_VAR_v", "2"}},
     CODE_PLAN,
     "o=4\n"},
    {"text of the environment is converted",
     {.file = {{"/r/main.tf", "variable \"v\" {\n  type = list(number)\n}\n"
                              "output \"o\" {\n  value = sum(var.v)\n}\n"}},
      .env = {"TF_VAR_v", "[1, \"2\"]"}},
     CODE_PLAN,
     "o=3\n"},
    {"a missing variable is an error of a plan",
     {.file = {{"/r/main.tf", "variable \"v\" {}\noutput \"o\" {\n  value = 1\n}\n"}}},
     CODE_PLAN,
     "o=1\nmain.tf:1 No value for required variable\n"},
    {"and unknown where one only explores",
     {.file = {{"/r/main.tf", "variable \"v\" {}\noutput \"o\" {\n  value = var.v\n}\n"}}},
     CODE_EXPLORE,
     "o=?\n"},
    {"the state knows what is computed",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"a\" {\n  input = \"x\"\n}\n"
                              "output \"o\" {\n  value = terraform_data.a.id\n}\n"
                              "output \"p\" {\n  value = terraform_data.a.output\n}\n"}},
      .state = {{"terraform_data.a",
                 "{\"id\":\"7\",\"input\":{\"value\":\"x\",\"type\":\"string\"},"
                 "\"output\":{\"value\":\"x\",\"type\":\"string\"},\"triggers_replace\":null}"}}},
     CODE_PLAN,
     "terraform_data.a \"x\"\no=\"7\"\np=\"x\"\n"},
    {"a changed input makes the output unknown",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"a\" {\n  input = \"y\"\n}\n"
                              "output \"p\" {\n  value = terraform_data.a.output\n}\n"}},
      .state = {{"terraform_data.a",
                 "{\"id\":\"7\",\"input\":{\"value\":\"x\",\"type\":\"string\"},"
                 "\"output\":{\"value\":\"x\",\"type\":\"string\"},\"triggers_replace\":null}"}}},
     CODE_PLAN,
     "terraform_data.a \"y\"\np=?\n"},
    {"an ignored argument is as the state has it",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"a\" {\n  input = \"y\"\n"
                              "  lifecycle {\n    ignore_changes = [input]\n  }\n}\n"}},
      .state = {{"terraform_data.a",
                 "{\"id\":\"7\",\"input\":{\"value\":\"x\",\"type\":\"string\"},"
                 "\"output\":{\"value\":\"x\",\"type\":\"string\"},\"triggers_replace\":null}"}}},
     CODE_PLAN,
     "terraform_data.a \"x\"\n"},
    {"without a schema values are as written",
     {.file = {{"/r/main.tf",
                "resource \"aws_x\" \"a\" {\n  input = 5\n  rule {\n    p = 1\n  }\n}\n"
                "output \"o\" {\n  value = [aws_x.a.input, aws_x.a.id, "
                "aws_x.a.rule[0].p]\n}\n"}}},
     CODE_PLAN,
     "aws_x.a 5\no=[5,null,1]\n"},
    {"JSON without a schema: properties are attributes, dynamic blocks are expanded",
     {.file =
          {{"/r/main.tf.json",
            "{\"resource\": {\"aws_x\": {\"a\": {\"input\": \"n${1 + 1}\", \"dynamic\": {\"rule\": "
            "{\"for_each\": [7, 8], \"content\": {\"p\": \"${rule.value}\"}}}}}},\n"
            "\"output\": {\"o\": {\"value\": \"${aws_x.a.rule[*].p}\"}}}\n"}}},
     CODE_PLAN,
     "aws_x.a \"n2\"\no=[7,8]\n"},
    {"JSON where no names may be used: strings are no templates",
     {.file = {{"/r/main.tf.json", "{\"variable\": {\"a\": {}, \"b\": {\"default\": \"${x}\"}},\n"
                                   "\"output\": {\"o\": {\"value\": \"<${var.a}|${var.b}>\"}}}\n"},
               {"/r/terraform.tfvars.json", "{\"a\": \"$${y}\", \"//\": \"note\"}"}}},
     CODE_PLAN,
     "o=\"<$${y}|${x}>\"\n"},
    {"cycles",
     {.file = {{"/r/main.tf", "locals {\n  a = local.b\n  b = local.a\n}\n"}}},
     CODE_PLAN,
     ":0 Cycle: local.b (expand), local.a (expand)\n"},
    {"what is not declared, before anything is evaluated",
     {.file = {{"/r/main.tf", "output \"o\" {\n  value = [var.x, nope.a.b, try(local.y, 1)]\n}\n"
                              "output \"p\" {\n  value = count.index\n}\n"}}},
     CODE_VALIDATE,
     "main.tf:2 Reference to undeclared resource\n"
     "main.tf:5 Reference to \"count\" in non-counted context\n"},
    {"errors once: what depends on a failure is silent",
     {.file = {{"/r/main.tf", "locals {\n  a = 1 + \"x\"\n  b = local.a + \"y\"\n}\n"}}},
     CODE_PLAN,
     "main.tf:2 Invalid operand\n"},
    {"a count that is too great names the limit",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"a\" {\n  count = 1000000000\n}\n"}}},
     CODE_PLAN,
     "main.tf:2 Too many instances\n"},
    {"rules of variables",
     {.file = {{"/r/main.tf", "variable \"v\" {\n  default = 3\n  validation {\n"
                              "    condition = var.v > 5\n    error_message = \"low\"\n  }\n}\n"}}},
     CODE_PLAN,
     "main.tf:1 Invalid value for variable\n"},
    {"what is to trigger must be declared",
     {.file = {{"/r/main.tf", "resource \"terraform_data\" \"a\" {\n  lifecycle {\n"
                              "    replace_triggered_by = [terraform_data.b]\n  }\n}\n"}}},
     CODE_PLAN,
     "terraform_data.a null\nmain.tf:3 Reference to undeclared resource\n"},
    {"a mark is on what the code sets, not on what comes of it",
     {.file = {{"/r/main.tf",
                "variable \"p\" {\n  default   = \"x\"\n  sensitive = true\n}\n"
                "resource \"terraform_data\" \"a\" {\n  input = false ? var.p : null\n}\n"
                "output \"o\" {\n  value = [issensitive(terraform_data.a.input), "
                "issensitive(terraform_data.a.output)]\n}\n"}}},
     CODE_PLAN,
     "terraform_data.a null\no=[true,false]\n"},
};

static void each_case_gives_what_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_BUF out = {.limit = 1 << 16};
        struct err err = {0};
        print_message("  %s\n", cases[i].says);
        struct code *code = open_given(&cases[i].given, cases[i].phase);
        assert_true(code_evaluate(code, &err));
        put_all(code, &out);
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, cases[i].want);
        code_close(code);
    }
}

static void one_instance_needs_no_more_than_it_refers_to(void **state)
{
    (void)state;
    static const struct given given = {
        .file = {{"/r/main.tf", "locals {\n  a = \"v\"\n  bad = 1 + \"x\"\n}\n"
                                "module \"m\" {\n  source = \"./m\"\n  count = 2\n"
                                "  in = \"${local.a}${count.index}\"\n}\n"},
                 {"/r/m/m.tf", "variable \"in\" {}\n"
                               "resource \"terraform_data\" \"x\" {\n  for_each = toset([\"k\"])\n"
                               "  input = var.in\n}\n"}}};
    struct code *code = open_given(&given, CODE_PLAN);
    const struct code_instance *x =
        code_find_instance(code, STR("module.m[1].terraform_data.x[\"k\"]"));
    assert_non_null(x);
    assert_true(str_equal(value_get_string(&x->desired, STR("input")), STR("v1")));
    assert_int_equal(code_diags(code)->n, 0);
    assert_null(code_find_instance(code, STR("module.m[2].terraform_data.x[\"k\"]")));
    assert_null(code_find_instance(code, STR("module.m.terraform_data.x[\"k\"]")));
    assert_null(code_find_instance(code, STR("terraform_data.x")));
    assert_null(code_find_instance(code, STR("x[")));
    assert_non_null(code_find_module(code, STR("module.m[0]")));
    assert_null(code_find_module(code, STR("module.m")));
    code_close(code);
}

static struct code *evaluated(const struct given *given,
                              bool (*wants)(void *ctx, struct str address))
{
    const struct code_options options = {.root_dir = STR("/r"),
                                         .phase = CODE_EXPLORE,
                                         .read = read_given,
                                         .list = list_given,
                                         .wants = wants,
                                         .ctx = (void *)(uintptr_t)given,
                                         .now_utc_ms = INT64_MIN};
    struct code *code;
    struct err err = {0};
    assert_true(code_open(&options, &code, &err));
    assert_true(code_evaluate(code, &err));
    return code;
}

static bool only_one(void *ctx, struct str address)
{
    (void)ctx;
    return str_equal(address, STR("terraform_data.many[1]"));
}

/* Nobody refers to `many`; of `source` something is asked through an output, of what is in the
 * module through its end, for which a data source waits. */
static void what_nobody_wants_is_evaluated_where_it_is_referred_to(void **state)
{
    (void)state;
    static const struct given given = {
        .file = {{"/r/main.tf",
                  "resource \"terraform_data\" \"many\" {\n  count = 3\n"
                  "  input = \"${terraform_data.source[0].input}${count.index}\"\n}\n"
                  "resource \"terraform_data\" \"source\" {\n  count = 2\n  input = \"s\"\n}\n"
                  "resource \"terraform_data\" \"single\" {\n  input = \"x\"\n}\n"
                  "resource \"terraform_data\" \"imported\" {\n  count = 1\n}\n"
                  "import {\n  to = terraform_data.imported[0]\n  id = \"i\"\n}\n"
                  "module \"m\" {\n  source = \"./m\"\n}\n"
                  "module \"idle\" {\n  source = \"./m\"\n}\n"
                  "data \"terraform_remote_state\" \"d\" {\n  backend = \"local\"\n"
                  "  depends_on = [module.m]\n}\n"},
                 {"/r/m/m.tf", "resource \"terraform_data\" \"x\" {\n  input = \"x\"\n}\n"}}};
    static const struct {
        struct str address;
        bool evaluated;
    } want[] = {{STR_INIT("module.idle.terraform_data.x"), false},
                {STR_INIT("module.m.terraform_data.x"), true},
                {STR_INIT("terraform_data.imported[0]"), true},
                {STR_INIT("terraform_data.many[0]"), false},
                {STR_INIT("terraform_data.many[1]"), true},
                {STR_INIT("terraform_data.many[2]"), false},
                {STR_INIT("terraform_data.single"), false},
                {STR_INIT("terraform_data.source[0]"), true},
                {STR_INIT("terraform_data.source[1]"), true}};
    struct code *code = evaluated(&given, only_one);
    assert_false(hcl_has_errors(code_diags(code)));
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const struct code_instance *found = code_find_instance(code, want[i].address);
        print_message("  %s\n", want[i].address.ptr);
        assert_int_equal(found != NULL, want[i].evaluated);
        assert_true(!found || str_equal(found->address, want[i].address));
        assert_true(!found || (!found->failed && found->config.kind == VALUE_OBJECT));
    }
    size_t n;
    assert_non_null(code_instances(code, &n));
    assert_int_equal(n, 6); /* with the data source */
    const struct code_instance *one = code_find_instance(code, STR("terraform_data.many[1]"));
    assert_true(str_equal(value_get_string(&one->desired, STR("input")), STR("s1")));
    code_close(code);
}

/* Whose values others may follow: those that something refers to, and that a condition looks at. */
static void what_is_referred_to_is_followed(void **state)
{
    (void)state;
    static const struct given given = {
        .file = {
            {"/r/main.tf",
             "resource \"terraform_data\" \"alone\" {\n"
             "  input = terraform_data.source[0].output\n"
             "  lifecycle {\n    replace_triggered_by = [terraform_data.trigger]\n  }\n}\n"
             "resource \"terraform_data\" \"looked_at\" {\n  lifecycle {\n    postcondition {\n"
             "      condition     = self.output == null\n"
             "      error_message = \"output\"\n    }\n  }\n}\n"
             "resource \"terraform_data\" \"source\" {\n  count = 1\n}\n"
             "resource \"terraform_data\" \"told\" {}\n"
             "resource \"terraform_data\" \"trigger\" {}\n"
             "output \"told\" {\n  value = terraform_data.told.id\n}\n"}}};
    static const bool followed[] = {false, true, true, true, true};
    struct code *code = evaluated(&given, NULL);
    size_t n;
    const struct code_instance *all = code_instances(code, &n);
    assert_int_equal(n, sizeof followed / sizeof *followed);
    for (size_t i = 0; i < n; i++) {
        print_message("  %s\n", all[i].address.ptr);
        assert_int_equal(code_is_followed(code, &all[i]), followed[i]);
    }
    code_close(code);
}

/* The name that the state has may be that of another instance. */
static void where_something_moved_all_is_evaluated(void **state)
{
    (void)state;
    static const struct given given = {
        .file = {{"/r/main.tf", "resource \"terraform_data\" \"many\" {\n  count = 3\n}\n"
                                "moved {\n  from = terraform_data.old\n"
                                "  to   = terraform_data.many[0]\n}\n"}}};
    struct code *code = evaluated(&given, only_one);
    size_t n;
    const struct code_instance *all = code_instances(code, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++)
        assert_false(all[i].failed);
    code_close(code);
}

static void texts_are_evaluated_in_the_root(void **state)
{
    (void)state;
    static const struct given given = {
        .file = {{"/r/main.tf", "locals {\n  a = [1, 2]\n}\n"
                                "resource \"terraform_data\" \"x\" {\n  input = local.a\n}\n"}}};
    static const struct {
        const char *text, *want;
        bool fails;
    } rows[] = {{"[for i in local.a : i * 2]", "[2,4]", false},
                {"length(terraform_data.x.input)", "2", false},
                {"local.nope", "?", true},
                {"1 +", "?", true}};
    struct code *code = open_given(&given, CODE_PLAN);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        AUTO_BUF out = {.limit = 1 << 10};
        const struct hcl_diags *diags;
        struct err err = {0};
        struct value v;
        assert_true(code_eval_text(code, str_from(rows[i].text), &v, &diags, &err));
        assert_int_equal(hcl_has_errors(diags), rows[i].fails);
        put_value(&out, &v);
        buf_char(&out, '\0');
        assert_string_equal(out.ptr, rows[i].want);
    }
    code_close(code);
}

/* OpenTofu: the key in a reference to a provider is evaluated where it is written. */
static void instances_name_their_provider_with_its_key(void **state)
{
    (void)state;
    static const struct given given = {
        .file = {{"/r/main.tf",
                  "terraform {\n  required_providers {\n    a = { source = \"x.y/z/a\" }\n  }\n}\n"
                  "locals {\n  where = { e = 1, w = 2 }\n}\n"
                  "provider \"a\" {\n  alias    = \"by\"\n  for_each = local.where\n}\n"
                  "resource \"a_t\" \"own\" {\n  for_each = local.where\n"
                  "  provider = a.by[each.key]\n}\n"
                  "resource \"a_t\" \"one\" {\n  provider = a.by[keys(local.where)[1]]\n}\n"
                  "resource \"a_t\" \"plain\" {\n}\n"
                  "resource \"a_t\" \"later\" {\n  provider = a.by[a_t.plain.id]\n}\n"
                  "module \"m\" {\n  for_each  = local.where\n  source    = \"./m\"\n"
                  "  providers = { a = a.by[each.key] }\n}\n"},
                 {"/r/m/main.tf",
                  "terraform {\n  required_providers {\n    a = { source = \"x.y/z/a\" }\n  }\n}\n"
                  "resource \"a_t\" \"in\" {\n  count = 1\n}\n"}}};
    static const char *const rows[][2] = {
        {"a_t.own[\"e\"]", "provider[\"x.y/z/a\"].by[\"e\"]"},
        {"a_t.own[\"w\"]", "provider[\"x.y/z/a\"].by[\"w\"]"},
        {"a_t.one", "provider[\"x.y/z/a\"].by[\"w\"]"},
        {"a_t.plain", "provider[\"x.y/z/a\"]"},
        {"a_t.later", "provider[\"x.y/z/a\"].by"}, /* not known which */
        {"module.m[\"w\"].a_t.in[0]", "provider[\"x.y/z/a\"].by[\"w\"]"},
    };
    struct code_options options = {.root_dir = STR("/r"),
                                   .untold = true, /* the provider block tells */
                                   .phase = CODE_EXPLORE,
                                   .read = read_given,
                                   .list = list_given,
                                   .ctx = (void *)(uintptr_t)&given,
                                   .now_utc_ms = INT64_MIN};
    struct code *code;
    assert_true(code_open(&options, &code, NULL));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct code_instance *one = code_find_instance(code, str_from(rows[i][0]));
        assert_non_null(one);
        if (!str_equal(one->provider_config, str_from(rows[i][1])))
            fail_msg("%s: %.*s", rows[i][0], STR_ARG(one->provider_config));
    }
    assert_int_equal(code_diags(code)->n, 0);
    code_close(code);
}

/* OpenTofu: lifecycle { enabled } and any expression for prevent_destroy; Terraform has neither. */
static void what_is_not_enabled_is_not_there(void **state)
{
    (void)state;
    static const struct given given = {
        .file = {{"/r/main.tofu",
                  "variable \"on\" {\n  default = true\n}\n"
                  "resource \"terraform_data\" \"yes\" {\n  input = 1\n  lifecycle {\n"
                  "    enabled         = var.on\n    prevent_destroy = var.on\n  }\n}\n"
                  "resource \"terraform_data\" \"no\" {\n  lifecycle {\n"
                  "    enabled = !var.on\n  }\n}\n"
                  "module \"here\" {\n  source = \"./m\"\n  lifecycle {\n"
                  "    enabled = var.on\n  }\n}\n"
                  "module \"gone\" {\n  source = \"./m\"\n  lifecycle {\n"
                  "    enabled = terraform_data.yes.input > 1\n  }\n}\n"
                  "resource \"terraform_data\" \"sees\" {\n"
                  "  input = [terraform_data.no == null, terraform_data.yes.input,\n"
                  "    module.here.x, module.gone == null, try(module.gone.x, \"none\")]\n}\n"},
                 {"/r/m/main.tf", "resource \"terraform_data\" \"in\" {\n  input = 2\n}\n"
                                  "output \"x\" {\n  value = terraform_data.in.input\n}\n"}}};
    struct code_options options = {.root_dir = STR("/r"),
                                   .opentofu = true,
                                   .phase = CODE_PLAN,
                                   .read = read_given,
                                   .list = list_given,
                                   .ctx = (void *)(uintptr_t)&given,
                                   .now_utc_ms = INT64_MIN};
    AUTO_BUF out = {.limit = 1 << 10};
    struct code *code;
    assert_true(code_open(&options, &code, NULL));
    assert_true(code_evaluate(code, NULL));
    assert_int_equal(code_diags(code)->n, 0);
    assert_null(code_find_instance(code, STR("terraform_data.no")));
    assert_non_null(code_find_instance(code, STR("terraform_data.yes")));
    const struct code_instance *sees = code_find_instance(code, STR("terraform_data.sees"));
    put_value(&out, value_get(&sees->config, STR("input")));
    buf_char(&out, '\0');
    assert_string_equal(out.ptr, "[true,1,2,true,\"none\"]");
    assert_non_null(code_find_instance(code, STR("module.here.terraform_data.in")));
    struct code_absence why;
    static const char *const absent[][2] = {{"module.gone.terraform_data.in", "module.gone"},
                                            {"terraform_data.no", "terraform_data.no"}};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        assert_null(code_find_instance(code, str_from(absent[i][0])));
        assert_true(code_explain_absence(code, str_from(absent[i][0]), &why));
        assert_true(str_equal(why.of, str_from(absent[i][1])));
        assert_string_equal(why.meta, "enabled");
        assert_true(why.known && why.value.kind == VALUE_BOOL && !why.value.truth);
        assert_true(why.chain.n > 0);
    }
    code_close(code);
}

static void a_provider_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    static const struct {
        struct given given;
        bool there;
    } rows[] = {
        {{.file = {{"/r/main.tf", "resource \"a_t\" \"x\" {\n  provider = a.other\n}\n"}}}, false},
        {{.file = {{"/r/main.tf", "provider \"a\" {\n  alias = \"other\"\n}\n"
                                  "resource \"a_t\" \"x\" {\n  provider = a.other\n}\n"}}},
         true},
        /* a module of its own, looked at as a root */
        {{.file = {{"/r/main.tf", "terraform {\n  required_providers {\n    a = {\n"
                                  "      source                = \"x/a\"\n"
                                  "      configuration_aliases = [a.other]\n    }\n  }\n}\n"
                                  "resource \"a_t\" \"x\" {\n  provider = a.other\n}\n"}}},
         true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct code *code = open_given(&rows[i].given, CODE_VALIDATE);
        assert_true(code_evaluate(code, NULL));
        const struct hcl_diags *diags = code_diags(code);
        assert_int_equal(diags->n, rows[i].there ? 0 : 1);
        if (!rows[i].there)
            assert_true(
                str_equal(diags->diag[0].summary, STR("Provider configuration not present")));
        code_close(code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_case_gives_what_it_says),
        cmocka_unit_test(one_instance_needs_no_more_than_it_refers_to),
        cmocka_unit_test(what_nobody_wants_is_evaluated_where_it_is_referred_to),
        cmocka_unit_test(what_is_referred_to_is_followed),
        cmocka_unit_test(where_something_moved_all_is_evaluated),
        cmocka_unit_test(texts_are_evaluated_in_the_root),
        cmocka_unit_test(instances_name_their_provider_with_its_key),
        cmocka_unit_test(what_is_not_enabled_is_not_there),
        cmocka_unit_test(a_provider_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests_name("desired/code", tests, NULL, NULL);
}
