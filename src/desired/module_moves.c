/* module_moves.c - moved, removed, import and check blocks, and the addresses in them. */
#include "base/buf.h"
#include "desired/address.h"
#include "desired/module_parts.h"

/* --- addresses: [module.NAME[KEY].]*[data.]TYPE.NAME[KEY] from a traversal --- */

struct address {
    struct code_decoder *d;
    const struct hcl_traversal *t;
    size_t at;   /* 0 = the root, then step[at - 1] */
    bool config; /* removed: no keys */
    bool failed;
    size_t nmodules;
    bool is_resource, has_key;
    enum code_mode mode;
    struct str type, name;
    struct buf *plain, *full; /* without and with keys */
};

static bool at_end(const struct address *a)
{
    return a->at > a->t->n;
}

/* With the dot or the brackets, as a message points at it. */
static struct hcl_range range_here(const struct address *a)
{
    if (a->at == 0)
        return a->t->root_range;
    const struct hcl_step *step = &a->t->step[a->at - 1];
    return (struct hcl_range){step->range.start - 1, step->range.end + step->index};
}

static struct hcl_range range_rest(const struct address *a)
{
    return (struct hcl_range){range_here(a).start, a->t->range.end};
}

static bool is_name(const struct address *a)
{
    return a->at == 0 || !a->t->step[a->at - 1].index;
}

static struct str name_here(const struct address *a)
{
    return a->at == 0 ? a->t->root : value_text(&a->t->step[a->at - 1].key);
}

static bool fail(struct address *a, struct hcl_range subject, const char *summary,
                 const char *detail)
{
    code_fault(a->d, subject, summary, "%s", detail);
    a->failed = true;
    return false;
}

static void add_name(struct address *a, const char *prefix, struct str name)
{
    const char *dot = a->plain->len ? "." : "";
    buf_printf(a->plain, "%s%s%.*s", dot, prefix, STR_ARG(name));
    buf_printf(a->full, "%s%s%.*s", dot, prefix, STR_ARG(name));
}

/* A key in brackets, if there is one here. */
static bool read_key(struct address *a, bool module)
{
    int64_t index;
    if (at_end(a) || is_name(a))
        return true;
    if (a->config)
        return fail(a, range_here(a),
                    module ? "Module instance keys not allowed"
                           : "Resource instance keys not allowed",
                    module ? "Module address must be a module (e.g. \"module.foo\"), not a module "
                             "instance (e.g. \"module.foo[1]\")."
                           : "Resource address must be a resource (e.g. \"test_instance.foo\"), "
                             "not a resource instance (e.g. \"test_instance.foo[1]\").");
    const struct value *key = &a->t->step[a->at - 1].key;
    if (key->kind == VALUE_NUMBER && !value_to_int64(key, &index))
        return fail(a, range_here(a), module ? "Invalid address operator" : "Invalid address",
                    module ? "Invalid module index: value must be a whole number, between "
                             "-9223372036854775808 and 9223372036854775807."
                           : "Invalid resource instance key: value must be a whole number, between "
                             "-9223372036854775808 and 9223372036854775807.");
    address_print_key(a->full, key);
    a->has_key = true;
    a->at++;
    return true;
}

static bool read_modules(struct address *a)
{
    static const char summary[] = "Invalid address operator";
    static const char no_name[] = "Prefix \"module.\" must be followed by a module name.";
    while (!at_end(a)) {
        if (!is_name(a))
            return fail(a, range_here(a), summary,
                        "Module address prefix must be followed by dot and then a name.");
        if (!str_equal(name_here(a), STR("module")))
            return true;
        struct hcl_range keyword = range_here(a);
        a->at++;
        if (at_end(a) || !is_name(a))
            return fail(a, at_end(a) ? keyword : range_here(a), summary, no_name);
        add_name(a, "module.", name_here(a));
        a->nmodules++;
        a->at++;
        a->has_key = false;
        if (!read_key(a, true))
            return false;
    }
    return true;
}

static bool check_keyword(struct address *a)
{
    static const struct str reserved[] = {
        STR_INIT("count"),    STR_INIT("each"), STR_INIT("local"),     STR_INIT("module"),
        STR_INIT("path"),     STR_INIT("self"), STR_INIT("terraform"), STR_INIT("var"),
        STR_INIT("template"), STR_INIT("lazy"), STR_INIT("arg")};
    struct str word = name_here(a);
    for (size_t i = 0; !a->config && i < sizeof reserved / sizeof *reserved; i++)
        if (str_equal(word, reserved[i])) {
            code_fault(a->d, range_rest(a), "Invalid address",
                       "The keyword \"%.*s\" is reserved and cannot be used to target a resource "
                       "address. If you are targeting a resource type that uses a reserved "
                       "keyword, please prefix your address with \"resource.\".",
                       STR_ARG(word));
            a->failed = true;
            return false;
        }
    return true;
}

static bool read_resource(struct address *a)
{
    static const char summary[] = "Invalid address";
    static const struct {
        struct str word;
        enum code_mode mode;
        const char *prefix, *no_type;
    } roots[] = {{STR_INIT("data"), CODE_DATA, "data.", "A data source name is required."},
                 {STR_INIT("ephemeral"), CODE_EPHEMERAL, "ephemeral.",
                  "An ephemeral resource type name is required."},
                 {STR_INIT("resource"), CODE_MANAGED, "", "A resource type name is required."}};
    const char *prefix = "", *no_type = roots[2].no_type;
    size_t nroots = a->config ? 1 : 3;
    if (!check_keyword(a))
        return false;
    for (size_t i = 0; i < nroots; i++)
        if (str_equal(name_here(a), roots[i].word)) {
            a->mode = roots[i].mode;
            prefix = roots[i].prefix;
            no_type = roots[i].no_type;
            a->at++;
            break;
        }
    if (a->at + 1 > a->t->n)
        return fail(a, at_end(a) ? a->t->range : range_rest(a), summary,
                    "Resource specification must include a resource type and name.");
    if (!is_name(a))
        return fail(a, range_here(a), summary, no_type);
    a->type = name_here(a);
    a->at++;
    if (!is_name(a))
        return fail(a, range_here(a), summary, "A resource name is required.");
    a->name = name_here(a);
    a->at++;
    add_name(a, prefix, a->type);
    add_name(a, "", a->name);
    a->is_resource = true;
    a->has_key = false;
    if (!at_end(a) && is_name(a) && !a->config && a->at == a->t->n)
        return fail(a, range_here(a), summary,
                    "Resource instance key must be given in square brackets.");
    if (a->config && !at_end(a))
        return fail(a, range_here(a), "Resource instance keys not allowed",
                    "Resource address must be a resource (e.g. \"test_instance.foo\"), not a "
                    "resource instance (e.g. \"test_instance.foo[1]\").");
    if (a->at < a->t->n) {
        a->at++;
        return fail(a, range_here(a), summary, "Unexpected extra operators after address.");
    }
    return read_key(a, false);
}

static bool read_address(struct address *a)
{
    return read_modules(a) && (at_end(a) || read_resource(a));
}

/* --- moved --- */

struct endpoint {
    bool known, is_resource, has_key;
};

static struct endpoint decode_endpoint(struct code_decoder *d,
                                       const struct hcl_attribute *attribute)
{
    struct hcl_traversal t;
    AUTO_BUF plain = {.limit = 1 << 20};
    AUTO_BUF full = {.limit = 1 << 20};
    if (!attribute || !code_traversal(d, attribute->value, false, &t))
        return (struct endpoint){0};
    struct address a = {.d = d, .t = &t, .plain = &plain, .full = &full};
    bool known = read_address(&a);
    return (struct endpoint){known, a.is_resource, a.has_key};
}

static struct code_expr reference_of(struct code_decoder *d, const struct hcl_attribute *attribute)
{
    if (!attribute)
        return (struct code_expr){0};
    return (struct code_expr){code_keyword_expr(d, attribute->value), d->file, attribute->range};
}

void code_decode_moved(struct code_decoder *d, const struct hcl_block *block,
                       struct code_parts *parts)
{
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("from"), true},
                                                           {STR_INIT("to"), true}};
    static const struct hcl_body_spec spec = {attributes, 2, NULL, 0, NULL};
    struct hcl_content content = code_content(d, &block->body, &spec, false);
    const struct hcl_attribute *from = code_attribute(&content, "from");
    const struct hcl_attribute *to = code_attribute(&content, "to");
    struct endpoint a = decode_endpoint(d, from), b = decode_endpoint(d, to);
    struct code_moved moved = {.from = reference_of(d, from),
                               .to = reference_of(d, to),
                               .place = code_place_of(d, block->header, block->range)};
    if (a.known && b.known && a.is_resource != b.is_resource)
        code_fault(d, block->header, "Invalid \"moved\" addresses",
                   "The \"from\" and \"to\" addresses must either both refer to resources or both "
                   "refer to modules.");
    if (a.known && b.known)
        CODE_PUSH(d, parts->moved, moved);
    else if (d->override) /* for its message */
        CODE_PUSH(d, parts->moved, moved);
}

/* --- removed --- */

static void removed_block(struct code_decoder *d, const struct hcl_block *block, bool managed,
                          struct code_moved *removed, const struct hcl_block **connection)
{
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("destroy"), false}};
    static const struct hcl_body_spec spec = {attributes, 1, NULL, 0, NULL};
    if (str_equal(block->type, STR("lifecycle"))) {
        struct hcl_content content = code_content(d, &block->body, &spec, false);
        const struct hcl_attribute *destroy = code_attribute(&content, "destroy");
        if (destroy)
            (void)code_constant_bool(d, destroy, &removed->destroy);
    } else if (str_equal(block->type, STR("connection"))) {
        struct str at = *connection ? code_range_text(d->arena, d->file, (*connection)->header)
                                    : (struct str){0};
        if (!managed)
            code_fault(d, block->header, "Invalid connection block",
                       "Provisioner connection configuration is valid only when a removed block "
                       "targets a managed resource.");
        else if (*connection)
            code_fault(d, block->header, "Duplicate connection block",
                       "This \"removed\" block already has a connection block at %.*s.",
                       STR_ARG(at));
        else
            *connection = block;
    } else if (!managed) {
        code_fault(d, block->header, "Invalid provisioner block",
                   "Provisioners are valid only when a removed block targets a managed resource.");
    } else if (!code_decode_provisioner(d, block)) {
        code_fault(d, block->header, "Invalid provisioner block",
                   "Only destroy-time provisioners are valid in \"removed\" blocks. To declare a "
                   "destroy-time provisioner, use:\n    when = destroy");
    }
}

void code_decode_removed(struct code_decoder *d, const struct hcl_block *block,
                         struct code_parts *parts)
{
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("from"), true}};
    static const struct hcl_block_spec blocks[] = {{STR_INIT("lifecycle"), {0}},
                                                   {STR_INIT("connection"), {0}},
                                                   {STR_INIT("provisioner"), {"type"}}};
    static const struct hcl_body_spec spec = {attributes, 1, blocks, 3, NULL};
    struct hcl_content content = code_content(d, &block->body, &spec, false);
    const struct hcl_attribute *from = code_attribute(&content, "from");
    const struct hcl_block *connection = NULL;
    struct hcl_traversal t;
    AUTO_BUF plain = {.limit = 1 << 20};
    AUTO_BUF full = {.limit = 1 << 20};
    struct address a = {.d = d, .t = &t, .config = true, .plain = &plain, .full = &full};
    struct code_moved removed = {.from = reference_of(d, from),
                                 .destroy = true,
                                 .place = code_place_of(d, block->header, block->range)};
    bool known = from && code_traversal(d, from->value, false, &t) && read_address(&a);
    if (known && a.is_resource && a.mode == CODE_DATA)
        code_fault(
            d, t.range, "Data source address not allowed",
            "Data sources are never destroyed, so they are not valid targets of removed "
            "blocks. To remove the data source from state, remove the data source block from "
            "configuration.");
    for (size_t i = 0; i < content.nblocks; i++)
        removed_block(d, &content.block[i], known && a.is_resource && a.mode == CODE_MANAGED,
                      &removed, &connection);
    if (known)
        CODE_PUSH(d, parts->removed, removed);
}

/* --- import --- */

/* Drop keys that are expressions: what is left says which resource it is. */
static bool skip_keys(struct code_decoder *d, const struct hcl_expr *expr, struct hcl_traversal *t,
                      bool *ret_static)
{
    struct hcl_step *steps = arena_new(d->arena, struct hcl_step, HCL_STEPS_MAX);
    size_t n = 0;
    *ret_static = true;
    d->full |= !steps;
    for (; steps && expr->kind != HCL_EXPR_VARIABLE;) {
        if (n == HCL_STEPS_MAX)
            return false;
        if (expr->kind == HCL_EXPR_ATTRIBUTE) {
            steps[n++] = (struct hcl_step){.key = value_string(expr->get.name),
                                           .range = expr->get.name_range};
            expr = expr->get.source;
        } else if (expr->kind == HCL_EXPR_INDEX) {
            const struct hcl_expr *key = expr->index.key;
            if (key->kind == HCL_EXPR_STRING || key->kind == HCL_EXPR_LITERAL)
                steps[n++] = (struct hcl_step){true, key->value, key->range};
            else
                *ret_static = false;
            expr = expr->index.source;
        } else {
            return false;
        }
    }
    for (size_t i = 0; steps && i < n / 2; i++) {
        struct hcl_step swap = steps[i];
        steps[i] = steps[n - 1 - i];
        steps[n - 1 - i] = swap;
    }
    if (steps)
        *t = (struct hcl_traversal){.root = expr->name,
                                    .root_range = expr->range,
                                    .range = expr->range,
                                    .step = steps,
                                    .n = n};
    return steps;
}

static void decode_target(struct code_decoder *d, const struct hcl_attribute *attribute,
                          struct part_import *part, bool *ret_in_module)
{
    struct hcl_traversal t;
    AUTO_BUF plain = {.limit = 1 << 20};
    AUTO_BUF full = {.limit = 1 << 20};
    struct address a = {.d = d, .t = &t, .plain = &plain, .full = &full};
    const struct hcl_expr *expr = code_reference_expr(d, attribute->value);
    bool is_static, known = false;
    part->i.to = (struct code_expr){expr, d->file, attribute->range};
    if (!expr)
        return;
    if (!skip_keys(d, expr, &t, &is_static)) {
        (void)code_traversal(d, expr, false, &t); /* says why not */
    } else {
        t.range.end = expr->range.end;
        known = read_address(&a);
        if (known && !a.is_resource)
            code_fault(d, expr->range, "Invalid address",
                       "A resource instance address is required here. The module path must be "
                       "followed by a resource instance specification.");
        known &= a.is_resource;
    }
    if (!known || a.mode != CODE_MANAGED)
        code_fault(d, attribute->range, "Invalid import address",
                   "Only managed resources can be imported.");
    *ret_in_module = known && a.nmodules;
    if (!known)
        return;
    part->resource = arena_dup(d->arena, buf_view(&plain));
    if (is_static)
        part->instance = arena_dup(d->arena, buf_view(&full));
    d->full |= !part->resource.ptr;
}

void code_decode_import(struct code_decoder *d, const struct hcl_block *block,
                        struct code_parts *parts)
{
    /* identity is Terraform 1.12's and OpenTofu 1.12's: then there is no id */
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("provider"), false},
                                                           {STR_INIT("for_each"), false},
                                                           {STR_INIT("id"), true},
                                                           {STR_INIT("to"), true}};
    static const struct hcl_attribute_spec with_identity[] = {{STR_INIT("provider"), false},
                                                              {STR_INIT("for_each"), false},
                                                              {STR_INIT("id"), false},
                                                              {STR_INIT("to"), true},
                                                              {STR_INIT("identity"), true}};
    static const struct hcl_body_spec spec = {attributes, 4, NULL, 0, NULL};
    static const struct hcl_body_spec newer = {with_identity, 5, NULL, 0, NULL};
    AUTO_ARENA scratch = {.limit = 16 << 20};
    struct hcl_diags unheard = {.arena = &scratch};
    struct hcl_content content = {0};
    if (!hcl_body_content(d->arena, d->file, &block->body, &newer, false, &unheard, &content))
        d->full = true;
    bool identity = code_attribute(&content, "identity");
    content = code_content(d, &block->body, identity ? &newer : &spec, false);

    const struct hcl_attribute *id = code_attribute(&content, "id");
    const struct hcl_attribute *other = code_attribute(&content, "identity");
    if (id && other) {
        bool id_first = id->range.start < other->range.start;
        code_fault(d,
                   (struct hcl_range){(id_first ? id : other)->range.start,
                                      (id_first ? other : id)->range.end},
                   "Conflicting import arguments",
                   "Only one of 'id' or 'identity' can be specified in an import block. 'id' "
                   "identifies the resource instance by its ID, while 'identity' identifies the "
                   "resource instance by its Resource Identity. Choose one method to identify the "
                   "resource instance to import.");
    }
    struct part_import part = {.i = {.id = code_optional_expr(d, &content, "id"),
                                     .identity = code_optional_expr(d, &content, "identity"),
                                     .for_each = code_optional_expr(d, &content, "for_each"),
                                     .place = code_place_of(d, block->header, block->range)}};
    const struct hcl_attribute *attribute;
    bool in_module = false;
    if ((attribute = code_attribute(&content, "to")))
        decode_target(d, attribute, &part, &in_module);
    if ((attribute = code_attribute(&content, "provider"))) {
        if (in_module)
            code_fault(d, attribute->range, "Invalid import provider argument",
                       "The provider argument can only be specified in import blocks that will "
                       "generate configuration.\n\nUse the providers argument within the module "
                       "block to configure providers for all resources within a module, including "
                       "imported resources.");
        part.i.has_provider =
            code_decode_provider_ref(d, attribute->value, "provider", &part.i.provider);
    }
    CODE_PUSH(d, parts->imports, part);
}

/* --- check --- */

static void check_data(struct code_decoder *d, const struct hcl_block *block,
                       struct part_check *part)
{
    if (part->data) {
        struct str at = code_range_text(d->arena, d->file, part->data->r.place.range);
        code_fault(d, block->header, "Multiple data resource blocks",
                   "This check block already has a data resource defined at %.*s.", STR_ARG(at));
        return;
    }
    struct part_resource *data = arena_new(d->arena, struct part_resource, 1);
    d->full |= !data;
    if (data && code_decode_nested_data(d, block, data)) {
        data->r.check = part->c.name;
        part->data = data;
    }
}

void code_decode_check(struct code_decoder *d, const struct hcl_block *block,
                       struct code_parts *parts)
{
    static const struct hcl_block_spec blocks[] = {{STR_INIT("data"), {"type", "name"}},
                                                   {STR_INIT("assert"), {0}}};
    static const struct hcl_body_spec spec = {NULL, 0, blocks, 2, NULL};
    struct part_check part = {.c = {.name = block->label[0].text,
                                    .place = code_place_of(d, block->header, block->range)}};
    if (d->override) {
        code_fault(d, block->header, "Can't override check blocks",
                   "Override files cannot override check blocks.");
        return;
    }
    struct hcl_content content = code_content(d, &block->body, &spec, false);
    struct code_condition *asserts = arena_new(d->arena, struct code_condition, content.nblocks);
    size_t n = 0;
    code_check_name(d, &block->label[0], "Invalid check block name");
    for (size_t i = 0; asserts && i < content.nblocks; i++) {
        size_t before = d->diags->n;
        if (str_equal(content.block[i].type, STR("data")))
            check_data(d, &content.block[i], &part);
        else if (code_decode_condition(d, &content.block[i], &asserts[n]))
            n += d->diags->n == before; /* one with faults counts for none, as in Terraform */
    }
    d->full |= !asserts;
    part.c.asserts = (struct code_conditions){asserts, n};
    if (!n)
        code_fault(d, block->header, "Zero assert blocks",
                   "Check blocks must have at least one assert block.");
    CODE_PUSH(d, parts->checks, part);
}
