/* module_named.c - variables, locals and outputs. */
#include "desired/module_parts.h"
#include "lang/hcl/lex.h"

/* --- conditions --- */

static bool note_reference(void *ctx, const struct hcl_traversal *traversal)
{
    (void)traversal;
    *(bool *)ctx = true;
    return false;
}

bool code_has_reference(struct code_decoder *d, const struct hcl_expr *expr)
{
    bool found = false;
    (void)hcl_each_reference(d->arena, expr, note_reference, &found);
    return found;
}

bool code_decode_condition(struct code_decoder *d, const struct hcl_block *block,
                           struct code_condition *ret)
{
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("condition"), true},
                                                           {STR_INIT("error_message"), true}};
    static const struct hcl_body_spec spec = {.attribute = attributes, .nattributes = 2};
    *ret = (struct code_condition){.place = code_place_of(d, block->header, block->range)};
    if (d->override) {
        struct str summary =
            arena_printf(d->arena, "Can't override %.*s blocks", STR_ARG(block->type));
        code_fault(d, block->header, summary.ptr ? summary.ptr : "",
                   "Override files cannot override \"%.*s\" blocks.", STR_ARG(block->type));
        return false;
    }
    struct hcl_content content = code_content(d, &block->body, &spec, false);
    ret->condition = code_optional_expr(d, &content, "condition");
    ret->error_message = code_optional_expr(d, &content, "error_message");
    if (ret->condition.expr && !code_has_reference(d, ret->condition.expr)) {
        struct str summary =
            arena_printf(d->arena, "Invalid %.*s expression", STR_ARG(block->type));
        code_fault(d, ret->condition.expr->range, summary.ptr ? summary.ptr : "",
                   "The condition expression must refer to at least one object from elsewhere in "
                   "the configuration, or else its result would not be checking anything.");
        return false;
    }
    return ret->condition.expr && ret->error_message.expr;
}

/* --- variables --- */

struct validated {
    struct str name;
    bool found;
};

static bool note_own_name(void *ctx, const struct hcl_traversal *t)
{
    struct validated *v = ctx;
    v->found |= str_equal(t->root, STR("var")) && t->n && !t->step[0].index &&
                str_equal(value_text(&t->step[0].key), v->name);
    return !v->found;
}

static struct code_conditions decode_validations(struct code_decoder *d,
                                                 const struct hcl_content *content, struct str name)
{
    struct code_condition *list = arena_new(d->arena, struct code_condition, content->nblocks);
    size_t n = 0;
    for (size_t i = 0; list && i < content->nblocks; i++) {
        struct validated validated = {.name = name};
        (void)code_decode_condition(d, &content->block[i], &list[n]);
        const struct hcl_expr *condition = list[n].condition.expr;
        if (!condition)
            continue;
        (void)hcl_each_reference(d->arena, condition, note_own_name, &validated);
        if (!validated.found)
            code_fault(d, condition->range, "Invalid variable validation condition",
                       "The condition for variable \"%.*s\" must refer to var.%.*s in order to "
                       "test incoming values.",
                       STR_ARG(name), STR_ARG(name));
        n++;
    }
    d->full |= !list;
    return (struct code_conditions){list, n};
}

/* "string", "list", "map": as Terraform 0.11 had it. */
static void quoted_type(struct code_decoder *d, const struct hcl_expr *expr)
{
    static const struct {
        struct str name;
        const char *instead;
    } known[] = {
        {STR_INIT("string"), "."},
        {STR_INIT("list"), " and write list(string) instead to explicitly indicate that the list "
                           "elements are strings."},
        {STR_INIT("map"), " and write map(string) instead to explicitly indicate that the map "
                          "elements are strings."},
    };
    for (size_t i = 0; expr->kind == HCL_EXPR_STRING && i < sizeof known / sizeof *known; i++)
        if (str_equal(value_text(&expr->value), known[i].name)) {
            code_fault(d, expr->range, "Invalid quoted type constraints",
                       "Terraform 0.11 and earlier required type constraints to be given in "
                       "quotes, but that form is now deprecated and will be removed in a future "
                       "version of Terraform. Remove the quotes around \"%.*s\"%s",
                       STR_ARG(known[i].name), known[i].instead);
            return;
        }
    code_fault(d, expr->range, "Invalid legacy variable type hint",
               "To provide a full type expression, remove the surrounding quotes and give the type "
               "expression directly.");
}

static void decode_type(struct code_decoder *d, const struct hcl_attribute *attribute,
                        struct code_variable *v)
{
    v->has_type = true;
    v->type = &type_dynamic;
    v->type_string_like = false;
    if (code_is_quoted(attribute->value)) {
        quoted_type(d, attribute->value);
        v->type_string_like = attribute->value->kind == HCL_EXPR_STRING &&
                              str_equal(value_text(&attribute->value->value), STR("string"));
        return;
    }
    struct str keyword = code_keyword(d, attribute->value);
    if (str_equal(keyword, STR("list")) || str_equal(keyword, STR("map"))) {
        v->type =
            type_collection(d->arena, keyword.ptr[0] == 'l' ? TYPE_LIST : TYPE_MAP, &type_dynamic);
        d->full |= !v->type;
        return;
    }
    const struct hcl_expr *expr = code_keyword_expr(d, attribute->value);
    struct hcl_expr word = *expr; /* a JSON string's place is the whole of it */
    if (attribute->value->json && expr->kind == HCL_EXPR_VARIABLE) {
        word.range = attribute->value->range;
        expr = &word;
    }
    struct hcl_eval ev = {.arena = d->arena,
                          .file = d->file->name,
                          .text = d->file->text,
                          .diags = d->diags,
                          .constant = true};
    if (!hcl_type_constraint(&ev, expr, &v->type, &v->defaults)) {
        v->type = &type_dynamic;
        v->defaults = NULL;
    }
    v->type_string_like =
        v->type->kind == TYPE_STRING || v->type->kind == TYPE_NUMBER || v->type->kind == TYPE_BOOL;
}

static void decode_default(struct code_decoder *d, const struct hcl_attribute *attribute,
                           struct code_variable *v)
{
    struct value value;
    struct str why, path;
    struct hcl_range subject = attribute->value->range;
    v->has_default = true;
    v->default_expr = code_expr_of(d, attribute);
    (void)code_constant(d, attribute->value, &value);
    if (v->type) { /* else an override file, whose value waits for the type */
        if (v->defaults && value.kind != VALUE_NULL &&
            !hcl_apply_defaults(d->arena, v->defaults, &value, &value))
            d->full = true;
        if (!hcl_convert_path(d->arena, &value, v->type, &value, &path, &why)) {
            code_fault(d, subject, "Invalid default value for variable",
                       "This default value is not compatible with the variable's type constraint: "
                       "%.*s%s%.*s.",
                       STR_ARG(path), path.len ? ": " : "", STR_ARG(why));
            value = hcl_unknown(d->arena, &type_dynamic);
        }
    }
    if (!v->nullable && value.kind == VALUE_NULL)
        code_fault(d, subject, "Invalid default value for variable",
                   "A null default value is not valid when nullable=false.");
    v->default_value = value;
}

/* Words of a `module` block: a child module's variable of that name could not be set. */
static void check_reserved(struct code_decoder *d, const struct hcl_label *label)
{
    static const struct str reserved[] = {
        STR_INIT("source"),     STR_INIT("version"),   STR_INIT("count"), STR_INIT("for_each"),
        STR_INIT("depends_on"), STR_INIT("providers"), STR_INIT("_"),     STR_INIT("lifecycle"),
        STR_INIT("locals"),     STR_INIT("provider")};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (str_equal(label->text, reserved[i]))
            code_fault(d, label->range, "Invalid variable name",
                       "The variable name \"%.*s\" is reserved due to its special meaning inside "
                       "module blocks.",
                       STR_ARG(label->text));
}

/* A literal bool that may be written: true if it is. */
static bool flag(struct code_decoder *d, const struct hcl_content *content, const char *name,
                 bool *ret)
{
    const struct hcl_attribute *attribute = code_attribute(content, name);
    if (attribute)
        (void)code_constant_bool(d, attribute, ret);
    return attribute;
}

void code_decode_variable(struct code_decoder *d, const struct hcl_block *block,
                          struct code_parts *parts)
{
    static const struct hcl_attribute_spec attributes[] = {
        {STR_INIT("description"), false}, {STR_INIT("default"), false},
        {STR_INIT("type"), false},        {STR_INIT("sensitive"), false},
        {STR_INIT("ephemeral"), false},   {STR_INIT("nullable"), false},
        {STR_INIT("deprecated"), false}};
    static const struct hcl_block_spec blocks[] = {{STR_INIT("validation"), {0}}};
    /* `deprecated` is OpenTofu's (1.10) */
    struct hcl_body_spec spec = {attributes, d->opentofu ? 7 : 6, blocks, 1};
    struct part_variable part = {.v = {.name = block->label[0].text,
                                       .type = d->override ? NULL : &type_dynamic,
                                       .type_string_like = true,
                                       .place = code_place_of(d, block->header, block->range)}};
    struct code_variable *v = &part.v;
    struct hcl_content content = code_content(d, &block->body, &spec, false);
    const struct hcl_attribute *attribute;

    code_check_name(d, &block->label[0], "Invalid variable name");
    check_reserved(d, &block->label[0]);
    if ((attribute = code_attribute(&content, "description"))) {
        (void)code_constant_string(d, attribute, &v->description);
        part.description_set = true;
    }
    if ((attribute = code_attribute(&content, "type")))
        decode_type(d, attribute, v);
    part.sensitive_set = flag(d, &content, "sensitive", &v->sensitive);
    part.ephemeral_set = flag(d, &content, "ephemeral", &v->ephemeral);
    part.nullable_set = flag(d, &content, "nullable", &v->nullable);
    v->nullable |= !part.nullable_set;
    if ((attribute = code_attribute(&content, "default")))
        decode_default(d, attribute, v);
    v->validations = decode_validations(d, &content, v->name);
    CODE_PUSH(d, parts->variables, part);
}

/* --- locals, outputs --- */

void code_decode_locals(struct code_decoder *d, const struct hcl_block *block,
                        struct code_parts *parts)
{
    struct hcl_content content = code_attributes(d, &block->body);
    for (size_t i = 0; i < content.nattributes; i++) {
        const struct hcl_attribute *attribute = &content.attribute[i];
        if (!hcl_is_identifier(attribute->name))
            code_fault(d, attribute->name_range, "Invalid local value name", "%s",
                       code_bad_identifier);
        struct part_local part = {.l = {attribute->name, code_expr_of(d, attribute)},
                                  .place = code_place_of(d, attribute->range, attribute->range)};
        CODE_PUSH(d, parts->locals, part);
    }
}

static struct code_conditions decode_preconditions(struct code_decoder *d,
                                                   const struct hcl_content *content)
{
    struct code_condition *list = arena_new(d->arena, struct code_condition, content->nblocks);
    size_t n = 0;
    for (size_t i = 0; list && i < content->nblocks; i++) {
        const struct hcl_block *block = &content->block[i];
        if (str_equal(block->type, STR("postcondition")))
            code_fault(d, block->type_range, "Postconditions are not allowed",
                       "Output values can only have preconditions, not postconditions.");
        else if (code_decode_condition(d, block, &list[n]))
            n++;
    }
    d->full |= !list;
    return (struct code_conditions){list, n};
}

void code_decode_output(struct code_decoder *d, const struct hcl_block *block,
                        struct code_parts *parts)
{
    const struct hcl_attribute_spec attributes[] = {
        {STR_INIT("description"), false}, {STR_INIT("value"), !d->override},
        {STR_INIT("depends_on"), false},  {STR_INIT("sensitive"), false},
        {STR_INIT("ephemeral"), false},   {STR_INIT("deprecated"), false}};
    static const struct hcl_block_spec blocks[] = {{STR_INIT("precondition"), {0}},
                                                   {STR_INIT("postcondition"), {0}}};
    struct hcl_body_spec spec = {attributes, d->opentofu ? 6 : 5, blocks, 2};
    struct part_output part = {.o = {.name = block->label[0].text,
                                     .place = code_place_of(d, block->header, block->range)}};
    struct hcl_content content = code_content(d, &block->body, &spec, false);
    const struct hcl_attribute *attribute;

    code_check_name(d, &block->label[0], "Invalid output name");
    if ((attribute = code_attribute(&content, "description")))
        (void)code_constant_string(d, attribute, &part.o.description);
    part.o.value = code_optional_expr(d, &content, "value");
    part.sensitive_set = flag(d, &content, "sensitive", &part.o.sensitive);
    part.ephemeral_set = flag(d, &content, "ephemeral", &part.o.ephemeral);
    if ((attribute = code_attribute(&content, "depends_on")))
        code_depends_on(d, attribute, &part.o.depends_on, &part.o.ndepends_on);
    part.o.preconditions = decode_preconditions(d, &content);
    CODE_PUSH(d, parts->outputs, part);
}
