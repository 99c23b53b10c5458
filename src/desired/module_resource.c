/* module_resource.c - resource, data and ephemeral blocks, with lifecycle and provisioners. */
#include "desired/module_parts.h"

/* What differs between the three kinds. */
struct kind {
    enum code_mode mode;
    const char *word, *bad_type, *bad_name; /* word: as "Reserved block type name in data block" */
    const char *bad_lifecycle;              /* NULL: lifecycle arguments are allowed */
};
static const struct kind kinds[] = {
    [CODE_MANAGED] = {CODE_MANAGED, "resource", "Invalid resource type name",
                      "Invalid resource name", NULL},
    [CODE_DATA] = {CODE_DATA, "data", "Invalid data source name", "Invalid data resource name",
                   "Invalid data resource lifecycle argument"},
    [CODE_EPHEMERAL] = {CODE_EPHEMERAL, "ephemeral", "Invalid ephemeral resource type",
                        "Invalid ephemeral resource name",
                        "Invalid ephemeral resource lifecycle argument"},
};

struct decoding {
    struct code_decoder *d;
    const struct kind *kind;
    struct part_resource *part;
    bool nested;                                             /* in a check block */
    const struct hcl_block *lifecycle, *connection, *escape; /* the first of each */
    bool destroys;                                           /* has a destroy-time provisioner */
};

/* --- destroy-time provisioners --- */

static bool is_self_reference(const struct hcl_traversal *t)
{
    static const struct {
        struct str root, attribute; /* attribute empty: any */
    } allowed[] = {{STR_INIT("self"), {0}},
                   {STR_INIT("path"), {0}},
                   {STR_INIT("terraform"), {0}},
                   {STR_INIT("count"), STR_INIT("index")},
                   {STR_INIT("each"), STR_INIT("key")}};
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (str_equal(t->root, allowed[i].root))
            return !allowed[i].attribute.len ||
                   (t->n == 1 && !t->step[0].index &&
                    str_equal(value_text(&t->step[0].key), allowed[i].attribute));
    return false;
}

struct self_check {
    struct code_decoder *d;
    struct hcl_range subject;
};

static bool check_self_reference(void *ctx, const struct hcl_traversal *t)
{
    const struct self_check *check = ctx;
    if (!is_self_reference(t))
        code_fault(check->d, check->subject, "Invalid reference from destroy provisioner",
                   "Destroy-time provisioners and their connection configurations may only "
                   "reference attributes of the related resource, via 'self', 'count.index', or "
                   "'each.key'.\n\nReferences to other resources during the destroy phase can "
                   "cause dependency cycles and interact poorly with create_before_destroy.");
    return true;
}

void code_only_self_references(struct code_decoder *d, const struct hcl_body *body)
{
    AUTO_ARENA scratch = {.limit = 16 << 20};
    struct hcl_diags unheard = {.arena = &scratch};
    struct hcl_content content = {0};
    if (!hcl_body_attributes(d->arena, d->file, body, &unheard, &content))
        d->full = true;
    for (size_t i = 0; i < content.nattributes; i++) {
        const struct hcl_attribute *attribute = &content.attribute[i];
        struct self_check check = {d, attribute->value->range};
        /* a provisioner's own words are not its configuration */
        if (!str_equal(attribute->name, STR("when")) &&
            !str_equal(attribute->name, STR("on_failure")))
            (void)hcl_each_reference(d->arena, attribute->value, check_self_reference, &check);
    }
}

/* --- provisioners --- */

static bool removed_provisioner(struct code_decoder *d, const struct hcl_label *label)
{
    static const struct str removed[] = {STR_INIT("chef"), STR_INIT("habitat"), STR_INIT("puppet"),
                                         STR_INIT("salt-masterless")};
    for (size_t i = 0; i < sizeof removed / sizeof *removed; i++)
        if (str_equal(label->text, removed[i])) {
            struct str summary = arena_printf(d->arena, "The \"%.*s\" provisioner has been removed",
                                              STR_ARG(label->text));
            code_fault(d, label->range, summary.ptr ? summary.ptr : "",
                       "The \"%.*s\" provisioner was deprecated in Terraform 0.13.4 has been "
                       "removed from Terraform. Visit "
                       "https://learn.hashicorp.com/collections/terraform/provision for "
                       "alternatives to using provisioners that are a better fit for the "
                       "Terraform workflow.",
                       STR_ARG(label->text));
            return true;
        }
    return false;
}

/* when and on_failure: one of two words. True for the second. */
static bool decode_word(struct code_decoder *d, const struct hcl_attribute *attribute,
                        const char *const words[2])
{
    const struct hcl_expr *expr = code_unquote(d, attribute->value, true);
    struct str keyword = code_keyword(d, expr);
    if (str_equal(keyword, str_from(words[1])))
        return true;
    if (str_equal(keyword, str_from(words[0])))
        return false;
    struct str summary =
        arena_printf(d->arena, "Invalid \"%.*s\" keyword", STR_ARG(attribute->name));
    code_fault(d, attribute->value->range, summary.ptr ? summary.ptr : "",
               "The \"%.*s\" argument requires one of the following keywords: %s or %s.",
               STR_ARG(attribute->name), words[0], words[1]);
    return false;
}

static void duplicate_escape(struct code_decoder *d, const struct hcl_block *block,
                             const struct hcl_block *first, const char *what, const char *word)
{
    struct str at = code_range_text(d->arena, d->file, first->header);
    code_fault(d, block->header, "Duplicate escaping block",
               "The special block type \"_\" can be used to force particular arguments to be "
               "interpreted as %s rather than as meta-arguments, but each %s block can have only "
               "one such block. The first escaping block was at %.*s.",
               what, word, STR_ARG(at));
}

static void reserved_block(struct code_decoder *d, const struct hcl_block *block, const char *word)
{
    struct str summary = arena_printf(d->arena, "Reserved block type name in %s block", word);
    code_fault(d, block->type_range, summary.ptr ? summary.ptr : "",
               "The block type name \"%.*s\" is reserved for use by Terraform in a future version.",
               STR_ARG(block->type));
}

static void provisioner_blocks(struct code_decoder *d, const struct hcl_content *content,
                               bool destroys)
{
    const struct hcl_block *connection = NULL, *escape = NULL;
    for (size_t i = 0; i < content->nblocks; i++) {
        const struct hcl_block *block = &content->block[i];
        if (str_equal(block->type, STR("_"))) {
            if (escape)
                duplicate_escape(d, block, escape, "provisioner-typpe-specific", "provisioner");
            escape = escape ? escape : block;
        } else if (!str_equal(block->type, STR("connection"))) {
            reserved_block(d, block, "provisioner");
        } else if (connection) {
            struct str at = code_range_text(d->arena, d->file, connection->header);
            code_fault(d, block->header, "Duplicate connection block",
                       "This provisioner already has a connection block at %.*s.", STR_ARG(at));
        } else {
            connection = block;
            if (destroys)
                code_only_self_references(d, &block->body);
        }
    }
}

bool code_decode_provisioner(struct code_decoder *d, const struct hcl_block *block)
{
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("when"), false},
                                                           {STR_INIT("on_failure"), false}};
    static const struct hcl_block_spec blocks[] = {
        {STR_INIT("_"), {0}}, {STR_INIT("connection"), {0}}, {STR_INIT("lifecycle"), {0}}};
    static const struct hcl_body_spec spec = {attributes, 2, blocks, 3, NULL};
    static const char *const when[] = {"create", "destroy"};
    static const char *const on_failure[] = {"continue", "fail"};
    struct hcl_content content = code_content(d, &block->body, &spec, true);
    const struct hcl_attribute *attribute;
    if (removed_provisioner(d, &block->label[0]))
        return false;
    attribute = code_attribute(&content, "when");
    bool destroys = attribute && decode_word(d, attribute, when);
    if (destroys)
        code_only_self_references(d, &block->body);
    if ((attribute = code_attribute(&content, "on_failure")))
        (void)decode_word(d, attribute, on_failure);
    provisioner_blocks(d, &content, destroys);
    return destroys;
}

/* --- lifecycle --- */

struct own_reference {
    const struct code_resource *r;
    bool found;
};

static bool note_own_address(void *ctx, const struct hcl_traversal *t)
{
    static const char *const roots[] = {
        [CODE_MANAGED] = "resource", [CODE_DATA] = "data", [CODE_EPHEMERAL] = "ephemeral"};
    struct own_reference *own = ctx;
    struct str type = t->root;
    size_t at = 0;
    bool prefixed = str_equal(t->root, str_from(roots[own->r->mode]));
    if (prefixed && t->n && !t->step[0].index)
        type = value_text(&t->step[at++].key);
    if ((own->r->mode == CODE_MANAGED || prefixed) && t->n > at && !t->step[at].index)
        own->found |=
            str_equal(type, own->r->type) && str_equal(value_text(&t->step[at].key), own->r->name);
    return !own->found;
}

/* Terraform forbids a resource in its own conditions; there is `self`. */
static void check_own_references(struct decoding *in, const struct hcl_block *block,
                                 const struct code_condition *condition)
{
    const struct code_resource *r = &in->part->r;
    const struct hcl_expr *exprs[] = {condition->condition.expr, condition->error_message.expr};
    for (size_t i = 0; i < 2; i++) {
        struct own_reference own = {.r = r};
        if (exprs[i])
            (void)hcl_each_reference(in->d->arena, exprs[i], note_own_address, &own);
        if (!own.found)
            continue;
        struct str summary =
            arena_printf(in->d->arena, "Invalid reference in %.*s", STR_ARG(block->type));
        code_fault(in->d, exprs[i]->range, summary.ptr ? summary.ptr : "",
                   "Configuration for %s%.*s.%.*s may not refer to itself.",
                   r->mode == CODE_DATA        ? "data."
                   : r->mode == CODE_EPHEMERAL ? "ephemeral."
                                               : "",
                   STR_ARG(r->type), STR_ARG(r->name));
    }
}

static void decode_conditions(struct decoding *in, const struct hcl_content *content)
{
    struct code_decoder *d = in->d;
    struct code_condition *pre = arena_new(d->arena, struct code_condition, content->nblocks);
    struct code_condition *post = arena_new(d->arena, struct code_condition, content->nblocks);
    size_t npre = 0, npost = 0;
    d->full |= !pre || !post;
    for (size_t i = 0; pre && post && i < content->nblocks; i++) {
        const struct hcl_block *block = &content->block[i];
        struct code_condition condition;
        bool good = code_decode_condition(d, block, &condition);
        check_own_references(in, block, &condition);
        if (good && str_equal(block->type, STR("precondition")))
            pre[npre++] = condition;
        else if (good)
            post[npost++] = condition;
    }
    in->part->r.preconditions = (struct code_conditions){pre, npre};
    in->part->r.postconditions = (struct code_conditions){post, npost};
}

/* `tags["x"]` after the name of an attribute; `all` alone. */
static void decode_ignore_changes(struct decoding *in, const struct hcl_attribute *attribute)
{
    struct code_decoder *d = in->d;
    struct code_resource *r = &in->part->r;
    const struct hcl_expr *const *part;
    size_t n = 0, kept = 0;
    r->ignore_place = code_place_of(d, attribute->range, attribute->range);
    if (str_equal(code_keyword(d, attribute->value), STR("all"))) {
        r->ignore_all = true;
        return;
    }
    if (!code_list(d, attribute->value, &part, &n))
        return;
    struct hcl_traversal *list = arena_new(d->arena, struct hcl_traversal, n);
    struct hcl_range star = {0};
    for (size_t i = 0; list && i < n; i++) {
        struct str text;
        if (code_quiet_string(d, part[i], &text) && str_equal(text, STR("*"))) {
            code_fault(d, attribute->value->range, "Invalid ignore_changes wildcard",
                       "The [\"*\"] form of ignore_changes wildcard is was deprecated and is now "
                       "invalid. Use \"ignore_changes = all\" to ignore changes to all "
                       "attributes.");
            r->ignore_all = true;
            star = part[i]->range;
        } else if (code_traversal(d, code_unquote(d, part[i], false), false, &list[kept])) {
            kept++;
        }
    }
    d->full |= !list;
    r->ignore_changes = list;
    r->nignore_changes = kept;
    if (r->ignore_all && kept)
        code_fault(d, star, "Invalid ignore_changes ruleset",
                   "Cannot mix wildcard string \"*\" with non-wildcard references.");
}

struct trigger {
    struct code_decoder *d;
    struct hcl_range subject;
    unsigned nresources;
    bool bad;
};

static bool is_word(struct str s, const char *const *words)
{
    for (; *words; words++)
        if (str_equal(s, str_from(*words)))
            return true;
    return false;
}

static bool note_trigger(void *ctx, const struct hcl_traversal *t)
{
    static const char *const others[] = {"var",  "local",     "module", "path", "terraform",
                                         "self", "ephemeral", "tofu",   NULL};
    struct trigger *trigger = ctx;
    struct str first = t->n && !t->step[0].index ? value_text(&t->step[0].key) : (struct str){0};
    const char *summary = NULL, *detail = NULL;
    if (str_equal(t->root, STR("each")) && !str_equal(first, STR("key"))) {
        summary = "Invalid each reference in replace_triggered_by expression";
        detail = "Only each.key may be used in replace_triggered_by.";
    } else if (str_equal(t->root, STR("count")) && !str_equal(first, STR("index"))) {
        summary = "Invalid count reference in replace_triggered_by expression";
        detail = "Only count.index may be used in replace_triggered_by.";
    } else if (is_word(t->root, others)) {
        summary = "Invalid reference in replace_triggered_by expression";
        detail = "Only resources, count.index, and each.key may be used in replace_triggered_by.";
    } else if (!str_equal(t->root, STR("each")) && !str_equal(t->root, STR("count"))) {
        if (!first.ptr) {
            trigger->bad = true;
            summary = "Invalid reference";
            detail = "A reference to a resource type must be followed by at least one attribute "
                     "access, specifying the resource name.";
        }
        trigger->nresources++;
    }
    if (summary)
        code_fault(trigger->d, trigger->subject, summary, "%s", detail);
    return true;
}

static void decode_triggers(struct decoding *in, const struct hcl_attribute *attribute)
{
    struct code_decoder *d = in->d;
    const struct hcl_expr *const *part;
    size_t n = 0;
    if (!code_list(d, attribute->value, &part, &n))
        return;
    struct code_expr *list = arena_new(d->arena, struct code_expr, n);
    size_t before = d->diags->n; /* after the first fault Terraform looks at none of the others */
    for (size_t i = 0; list && i < n; i++) {
        struct trigger trigger = {.d = d, .subject = part[i]->range};
        const struct hcl_expr *expr = code_reference_expr(d, part[i]);
        list[i] = (struct code_expr){expr, d->file, part[i]->range};
        if (d->diags->n > before || !expr)
            continue;
        (void)hcl_each_reference(d->arena, expr, note_trigger, &trigger);
        if (trigger.nresources != 1 && !trigger.bad)
            code_fault(d, part[i]->range, "Invalid replace_triggered_by expression",
                       "%s resource reference%s in replace_triggered_by expression.",
                       trigger.nresources ? "Multiple" : "Missing", trigger.nresources ? "s" : "");
    }
    d->full |= !list;
    in->part->r.replace_triggered_by = list;
    in->part->r.nreplace_triggered_by = list && d->diags->n == before ? n : 0;
}

static bool is_bool(const struct hcl_expr *expr)
{
    return expr->kind == HCL_EXPR_LITERAL || expr->kind == HCL_EXPR_STRING;
}

static void lifecycle_arguments(struct decoding *in, const struct hcl_content *content)
{
    struct code_decoder *d = in->d;
    struct part_resource *part = in->part;
    const struct hcl_attribute *attribute;
    if (d->opentofu && (attribute = code_attribute(content, "enabled"))) {
        part->r.enabled = code_expr_of(d, attribute);
        if (part->r.count.expr || part->r.for_each.expr)
            code_fault(d, attribute->name_range,
                       part->r.count.expr ? "Invalid combination of \"count\" and \"enabled\""
                                          : "Invalid combination of \"for_each\" and \"enabled\"",
                       "The \"enabled\" meta-argument is for resources without \"count\" and "
                       "\"for_each\".");
    }
    for (size_t i = 0; in->kind->bad_lifecycle && i < content->nattributes; i++)
        if (!d->opentofu || !str_equal(content->attribute[i].name, STR("enabled")))
            code_fault(d, content->attribute[i].name_range, in->kind->bad_lifecycle,
                       "The lifecycle argument \"%.*s\" is defined only for managed resources "
                       "(\"resource\" blocks), and is not valid for %s resources.",
                       STR_ARG(content->attribute[i].name), in->kind->word);
    if (in->kind->bad_lifecycle)
        return;
    if ((attribute = code_attribute(content, "create_before_destroy"))) {
        (void)code_constant_bool(d, attribute, &part->r.create_before_destroy);
        part->create_before_destroy_set = true;
    }
    if ((attribute = code_attribute(content, "prevent_destroy"))) {
        /* OpenTofu takes any expression: whether it holds is known where it is evaluated */
        if (!d->opentofu || is_bool(attribute->value))
            (void)code_constant_bool(d, attribute, &part->r.prevent_destroy);
        part->prevent_destroy_set = true;
    }
    if ((attribute = code_attribute(content, "replace_triggered_by")))
        decode_triggers(in, attribute);
    if ((attribute = code_attribute(content, "ignore_changes")))
        decode_ignore_changes(in, attribute);
}

static void decode_lifecycle(struct decoding *in, const struct hcl_block *block)
{
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("create_before_destroy"), 0},
                                                           {STR_INIT("prevent_destroy"), 0},
                                                           {STR_INIT("ignore_changes"), 0},
                                                           {STR_INIT("replace_triggered_by"), 0},
                                                           {STR_INIT("enabled"), 0}}; /* OpenTofu */
    static const struct hcl_block_spec blocks[] = {{STR_INIT("precondition"), {0}},
                                                   {STR_INIT("postcondition"), {0}}};
    struct hcl_body_spec spec = {attributes, in->d->opentofu ? 5 : 4, blocks, 2, NULL};
    struct code_decoder *d = in->d;
    if (in->nested)
        code_fault(d, block->header, "Invalid lifecycle block",
                   "Nested data blocks do not support \"lifecycle\" blocks as the lifecycle is "
                   "managed by the containing block.");
    if (in->lifecycle) {
        struct str at = code_range_text(d->arena, d->file, in->lifecycle->header);
        code_fault(d, block->header, "Duplicate lifecycle block",
                   "This resource already has a lifecycle block at %.*s.", STR_ARG(at));
        return;
    }
    in->lifecycle = block;
    struct hcl_content content = code_content(d, &block->body, &spec, false);
    lifecycle_arguments(in, &content);
    decode_conditions(in, &content);
}

/* --- the block --- */

static void decode_connection(struct decoding *in, const struct hcl_block *block)
{
    if (!in->connection) {
        in->connection = block;
        return;
    }
    struct str at = code_range_text(in->d->arena, in->d->file, in->connection->header);
    code_fault(in->d, block->header, "Duplicate connection block",
               "This resource already has a connection block at %.*s.", STR_ARG(at));
}

static void decode_blocks(struct decoding *in, const struct hcl_content *content)
{
    for (size_t i = 0; i < content->nblocks; i++) {
        const struct hcl_block *block = &content->block[i];
        if (str_equal(block->type, STR("lifecycle"))) {
            decode_lifecycle(in, block);
        } else if (str_equal(block->type, STR("_"))) {
            if (in->escape)
                duplicate_escape(in->d, block, in->escape, "resource-type-specific",
                                 in->kind->word);
            in->escape = in->escape ? in->escape : block;
        } else if (str_equal(block->type, STR("locals"))) {
            reserved_block(in->d, block, in->kind->word);
        } else if (str_equal(block->type, STR("connection"))) {
            decode_connection(in, block);
        } else {
            in->destroys |= code_decode_provisioner(in->d, block);
        }
    }
    if (in->escape)
        in->part->r.escape = &in->escape->body;
    if (in->connection && in->destroys)
        code_only_self_references(in->d, &in->connection->body);
}

/* count and for_each: one of both, none in a check. */
static void decode_repetition(struct decoding *in, const struct hcl_content *content)
{
    static const char *const names[] = {"count", "for_each"};
    struct code_resource *r = &in->part->r;
    struct code_expr *const targets[] = {&r->count, &r->for_each};
    for (size_t i = 0; i < 2; i++) {
        const struct hcl_attribute *attribute = code_attribute(content, names[i]);
        if (!attribute)
            continue;
        if (in->nested) {
            code_fault(in->d, attribute->name_range,
                       i ? "Invalid \"for_each\" attribute" : "Invalid \"count\" attribute",
                       "The \"count\" and \"for_each\" meta-arguments are not supported within "
                       "nested data blocks.");
            continue;
        }
        *targets[i] = code_expr_of(in->d, attribute);
        if (i && r->count.expr)
            code_fault(in->d, attribute->name_range,
                       "Invalid combination of \"count\" and \"for_each\"",
                       "The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only "
                       "one should be used to be explicit about the number of resources to be "
                       "created.");
    }
}

static void decode_body(struct decoding *in, const struct hcl_block *block)
{
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("count"), 0},
                                                           {STR_INIT("for_each"), 0},
                                                           {STR_INIT("provider"), 0},
                                                           {STR_INIT("depends_on"), 0}};
    static const struct hcl_block_spec blocks[] = {{STR_INIT("lifecycle"), {0}},
                                                   {STR_INIT("locals"), {0}},
                                                   {STR_INIT("_"), {0}},
                                                   {STR_INIT("connection"), {0}},
                                                   {STR_INIT("provisioner"), {"type"}}};
    /* Only resources have connections and provisioners. */
    struct hcl_body_spec spec = {attributes, 4, blocks, in->kind->mode == CODE_MANAGED ? 5 : 3,
                                 NULL};
    struct code_decoder *d = in->d;
    struct code_resource *r = &in->part->r;
    struct hcl_content content = code_content(d, &block->body, &spec, true);
    const struct hcl_attribute *attribute;
    code_check_name(d, &block->label[0], in->kind->bad_type);
    code_check_name(d, &block->label[1], in->kind->bad_name);
    decode_repetition(in, &content);
    if ((attribute = code_attribute(&content, "provider")))
        r->has_provider = code_decode_provider_ref(d, attribute->value, "provider", &r->provider);
    if ((attribute = code_attribute(&content, "depends_on")))
        code_depends_on(d, attribute, &r->depends_on, &r->ndepends_on);
    decode_blocks(in, &content);
}

static void decode(struct code_decoder *d, const struct hcl_block *block, enum code_mode mode,
                   bool nested, struct part_resource *ret)
{
    *ret = (struct part_resource){.r = {.mode = mode,
                                        .type = block->label[0].text,
                                        .name = block->label[1].text,
                                        .file = d->file,
                                        .body = &block->body,
                                        .place = code_place_of(d, block->header, block->range)}};
    struct decoding in = {.d = d, .kind = &kinds[mode], .part = ret, .nested = nested};
    decode_body(&in, block);
}

void code_decode_resource(struct code_decoder *d, const struct hcl_block *block,
                          struct code_parts *parts)
{
    struct part_resource part;
    decode(d, block, CODE_MANAGED, false, &part);
    CODE_PUSH(d, parts->resources, part);
}

void code_decode_data(struct code_decoder *d, const struct hcl_block *block,
                      struct code_parts *parts)
{
    struct part_resource part;
    decode(d, block, CODE_DATA, false, &part);
    CODE_PUSH(d, parts->resources, part);
}

void code_decode_ephemeral(struct code_decoder *d, const struct hcl_block *block,
                           struct code_parts *parts)
{
    struct part_resource part;
    decode(d, block, CODE_EPHEMERAL, false, &part);
    CODE_PUSH(d, parts->resources, part);
}

bool code_decode_nested_data(struct code_decoder *d, const struct hcl_block *block,
                             struct part_resource *ret)
{
    size_t before = d->diags->n;
    decode(d, block, CODE_DATA, true, ret);
    for (size_t i = before; i < d->diags->n; i++)
        if (!d->diags->diag[i].warning)
            return false;
    return true;
}
