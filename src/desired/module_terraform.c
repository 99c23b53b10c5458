/* module_terraform.c - `terraform` and `provider` blocks: requirements, backends, settings. */
#include "desired/module_parts.h"
#include "lang/hcl/lex.h"

/* --- required_providers --- */

struct requirement {
    struct code_decoder *d;
    const struct hcl_attribute *attribute;
    struct code_requirement *r;
    bool failed;
};

static bool constant_string(struct requirement *in, const struct hcl_expr *expr,
                            const char *summary, const char *detail, struct str *ret)
{
    if (code_quiet_string(in->d, expr, ret))
        return true;
    code_fault(in->d, expr->range, summary, "%s", detail);
    in->failed = true;
    return false;
}

static void set_version(struct requirement *in, const struct hcl_expr *expr)
{
    struct value v;
    struct hcl_attribute version = {.name = STR("version"), .value = expr};
    struct str text;
    if (!constant_string(in, expr, "Invalid version constraint",
                         "Version must be specified as a string.", &text))
        return;
    in->failed |= !code_check_version(in->d, &version);
    if (code_constant(in->d, expr, &v))
        in->r->version = text;
}

static void set_source(struct requirement *in, const struct hcl_expr *expr)
{
    struct str text, summary, detail;
    if (!constant_string(in, expr, "Invalid source", "Source must be specified as a string.",
                         &text))
        return;
    if (provider_source_parse(in->d->arena, text, in->d->opentofu, &in->r->source, &summary,
                              &detail))
        return;
    code_fault(in->d, expr->range, summary.ptr, "%.*s", STR_ARG(detail));
    in->failed = true;
}

static bool alias_fault(struct requirement *in, const struct hcl_expr *list,
                        const struct hcl_traversal *t)
{
    static const char summary[] = "Invalid configuration_aliases value";
    if (t->n && t->step[0].index)
        code_fault(in->d, list->range, summary,
                   "Configuration aliases can only contain references to local provider "
                   "configuration names in the format of provider.alias");
    else if (!str_equal(t->root, in->r->local_name))
        code_fault(in->d, list->range, summary,
                   "Configuration aliases must be prefixed with the provider name. Expected "
                   "\"%.*s\", but found \"%.*s\".",
                   STR_ARG(in->r->local_name), STR_ARG(t->root));
    else
        return false;
    return in->failed = true;
}

static void set_aliases(struct requirement *in, const struct hcl_expr *expr)
{
    const struct hcl_expr *const *part;
    size_t n = 0, kept = 0;
    if (!code_list(in->d, expr, &part, &n)) {
        in->failed = true;
        return;
    }
    struct str *aliases = arena_new(in->d->arena, struct str, n);
    in->d->full |= !aliases;
    for (size_t i = 0; aliases && i < n; i++) {
        struct hcl_traversal t;
        if (!code_traversal(in->d, part[i], false, &t))
            in->failed = true;
        else if (!alias_fault(in, expr, &t))
            aliases[kept++] = t.n ? value_text(&t.step[0].key) : (struct str){0};
    }
    in->r->aliases = aliases;
    in->r->naliases = kept;
}

/* The name of a pair: false (reported) if it is no constant string. */
static bool key_text(struct requirement *in, const struct hcl_expr *key, struct str *ret)
{
    struct value v;
    if (code_constant(in->d, key, &v) && v.kind == VALUE_STRING) {
        *ret = value_text(&v);
        return true;
    }
    if (v.kind != VALUE_UNKNOWN)
        code_fault(in->d, key->range, "Invalid Attribute",
                   "Invalid attribute value for provider requirement.");
    in->failed = true;
    return false;
}

static void decode_pairs(struct requirement *in, const struct hcl_item *pair, size_t n)
{
    static const struct {
        struct str name;
        void (*set)(struct requirement *in, const struct hcl_expr *expr);
    } known[] = {{STR_INIT("version"), set_version},
                 {STR_INIT("source"), set_source},
                 {STR_INIT("configuration_aliases"), set_aliases}};
    for (size_t i = 0; i < n; i++) {
        struct str name;
        size_t k = 0;
        if (!key_text(in, pair[i].key, &name))
            continue;
        while (k < sizeof known / sizeof *known && !str_equal(name, known[k].name))
            k++;
        if (k == sizeof known / sizeof *known) {
            code_fault(in->d, pair[i].key->range, "Invalid required_providers object",
                       "required_providers objects can only contain \"version\", \"source\" and "
                       "\"configuration_aliases\" attributes. To configure a provider, use a "
                       "\"provider\" block.");
            in->failed = true;
            return;
        }
        known[k].set(in, pair[i].value);
    }
}

/* aws = "~> 1.0", as 0.12 had it. */
static bool decode_version_only(struct requirement *in)
{
    AUTO_ARENA scratch = {.limit = 16 << 20};
    struct hcl_diags unheard = {.arena = &scratch};
    struct code_decoder quiet = *in->d;
    struct value v;
    quiet.diags = &unheard;
    if (!code_constant(&quiet, in->attribute->value, &v) ||
        (v.kind != VALUE_STRING && v.kind != VALUE_NUMBER && v.kind != VALUE_BOOL))
        return false;
    (void)code_check_version(in->d, in->attribute);
    if (v.kind == VALUE_STRING)
        in->r->version = value_text(&v);
    return true;
}

static bool implied_source(struct requirement *in)
{
    const char *fault = provider_part_fault(in->r->local_name);
    if (fault) {
        code_fault(in->d, in->attribute->value->range, "Invalid provider name", "%s", fault);
        return false;
    }
    in->r->source = provider_source_default(in->d->arena, in->r->local_name, in->d->opentofu);
    in->d->full |= !in->r->source.ptr;
    return true;
}

static bool decode_requirement(struct code_decoder *d, const struct hcl_attribute *attribute,
                               struct code_requirement *ret)
{
    *ret = (struct code_requirement){
        .local_name = attribute->name,
        .place = code_place_of(d, attribute->value->range, attribute->range)};
    struct requirement in = {.d = d, .attribute = attribute, .r = ret};
    const struct hcl_item *pair;
    size_t n;
    if (decode_version_only(&in))
        return implied_source(&in);
    if (!code_check_provider_name(d, attribute->name, attribute->value->range))
        return false;
    if (!code_pairs(d, attribute->value, true, &pair, &n)) {
        code_fault(d, attribute->value->range, "Invalid required_providers object",
                   "required_providers entries must be strings or objects.");
        return false;
    }
    decode_pairs(&in, pair, n);
    return ret->source.ptr || implied_source(&in);
}

static void decode_requirements(struct code_decoder *d, const struct hcl_block *block,
                                struct code_parts *parts)
{
    struct part_requirements part = {.place = code_place_of(d, block->header, block->range)};
    size_t before = d->diags->n;
    struct hcl_content content = code_attributes(d, &block->body);
    if (d->diags->n > before) /* blocks in it: nothing of it counts */
        return;
    for (size_t i = 0; i < content.nattributes; i++) {
        struct code_requirement r;
        if (decode_requirement(d, &content.attribute[i], &r))
            CODE_PUSH(d, part.list, r);
    }
    CODE_PUSH(d, parts->requirements, part);
}

/* --- terraform --- */

static void decode_meta(struct code_decoder *d, const struct hcl_block *block,
                        struct code_parts *parts)
{
    struct hcl_content content = code_attributes(d, &block->body);
    struct value v;
    for (size_t i = 0; i < content.nattributes; i++)
        (void)code_constant(d, content.attribute[i].value, &v);
    struct part_named part = {block->label[0].text, &block->body,
                              code_place_of(d, block->header, block->range)};
    if (code_check_provider_name(d, part.name, block->header))
        CODE_PUSH(d, parts->metas, part);
}

static void check_language(struct code_decoder *d, const struct hcl_attribute *attribute)
{
    struct str keyword = code_keyword(d, attribute->value);
    struct hcl_range subject = attribute->value->range;
    if (!keyword.len)
        code_fault(d, subject, "Invalid language edition",
                   "The language argument expects a bare language edition keyword. Terraform "
                   "1.11.4 supports only language edition TF2021, which is the default.");
    else if (!str_equal(keyword, STR("TF2021")))
        code_fault(d, subject, "Unsupported language edition",
                   "Terraform v1.11.4 only supports language edition TF2021. This module requires "
                   "a %s version of Terraform CLI.",
                   str_compare(keyword, STR("TF2021")) > 0 ? "newer" : "different");
}

static void decode_inner(struct code_decoder *d, const struct hcl_block *block,
                         struct code_parts *parts)
{
    struct part_named part = {.body = &block->body,
                              .place = code_place_of(d, block->header, block->range)};
    if (str_equal(block->type, STR("backend"))) {
        part.name = block->label[0].text;
        CODE_PUSH(d, parts->backends, part);
    } else if (str_equal(block->type, STR("cloud"))) {
        part.name = block->type;
        CODE_PUSH(d, parts->clouds, part);
    } else if (str_equal(block->type, STR("required_providers"))) {
        decode_requirements(d, block, parts);
    } else if (str_equal(block->type, STR("provider_meta"))) {
        decode_meta(d, block, parts);
    } /* encryption: OpenTofu's own business */
}

void code_decode_terraform(struct code_decoder *d, const struct hcl_block *block,
                           struct code_parts *parts)
{
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("required_version"), false},
                                                           {STR_INIT("experiments"), false},
                                                           {STR_INIT("language"), false}};
    static const struct hcl_block_spec blocks[] = {{STR_INIT("backend"), {"type"}},
                                                   {STR_INIT("cloud"), {0}},
                                                   {STR_INIT("required_providers"), {0}},
                                                   {STR_INIT("provider_meta"), {"provider"}},
                                                   {STR_INIT("encryption"), {0}}};
    struct hcl_body_spec spec = {attributes, 3, blocks, d->opentofu ? 5 : 4, NULL};
    struct hcl_content content = code_content(d, &block->body, &spec, false);
    const struct hcl_attribute *attribute = code_attribute(&content, "required_version");
    if (attribute && code_check_version(d, attribute))
        CODE_PUSH(d, parts->required_version, code_expr_of(d, attribute));
    if ((attribute = code_attribute(&content, "language")))
        check_language(d, attribute);
    if ((attribute = code_attribute(&content, "experiments")))
        code_fault(d, attribute->name_range, "Module uses experimental features",
                   "Experimental features are intended only for gathering early feedback on new "
                   "language designs, and so are available only in alpha releases of Terraform.");
    for (size_t i = 0; i < content.nblocks; i++)
        decode_inner(d, &content.block[i], parts);
}

/* --- provider --- */

static void provider_arguments(struct code_decoder *d, const struct hcl_content *content,
                               struct code_provider *p)
{
    static const char *const reserved[] = {"count", "depends_on", "for_each", "source"};
    const struct hcl_attribute *attribute;
    if ((attribute = code_attribute(content, "alias"))) {
        (void)code_constant_string(d, attribute, &p->alias);
        if (!hcl_is_identifier(p->alias)) /* Terraform gives it no place */
            code_fault(d, attribute->value->range, "Invalid provider configuration alias",
                       "An alias must be a valid name. %s", code_bad_identifier);
    }
    if ((attribute = code_attribute(content, "version"))) {
        code_warn(d, attribute->value->range,
                  "Version constraints inside provider configuration blocks are deprecated",
                  "Terraform 0.13 and earlier allowed provider version constraints inside the "
                  "provider configuration block, but that is now deprecated and will be removed in "
                  "a future version of Terraform. To silence this warning, move the provider "
                  "version constraint into the required_providers block.");
        p->has_version = code_check_version(d, attribute);
    }
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        attribute = code_attribute(content, reserved[i]);
        if (attribute && i == 2)
            p->for_each = code_expr_of(d, attribute);
        if (attribute && !(d->opentofu && i == 2))
            code_fault(d, attribute->name_range, "Reserved argument name in provider block",
                       "The provider argument name \"%s\" is reserved for use by Terraform in a "
                       "future version.",
                       reserved[i]);
    }
}

static void provider_blocks(struct code_decoder *d, const struct hcl_content *content,
                            struct code_provider *p)
{
    const struct hcl_block *escape = NULL;
    for (size_t i = 0; i < content->nblocks; i++) {
        const struct hcl_block *block = &content->block[i];
        if (!str_equal(block->type, STR("_"))) {
            code_fault(d, block->type_range, "Reserved block type name in provider block",
                       "The block type name \"%.*s\" is reserved for use by Terraform in a future "
                       "version.",
                       STR_ARG(block->type));
        } else if (escape) {
            struct str at = code_range_text(d->arena, d->file, escape->header);
            code_fault(d, block->header, "Duplicate escaping block",
                       "The special block type \"_\" can be used to force particular arguments to "
                       "be interpreted as provider-specific rather than as meta-arguments, but "
                       "each provider block can have only one such block. The first escaping block "
                       "was at %.*s.",
                       STR_ARG(at));
        } else {
            escape = block;
            p->escape = &block->body;
        }
    }
}

static const struct hcl_attribute_spec provider_attributes[] = {
    {STR_INIT("alias"), 0},      {STR_INIT("version"), 0},  {STR_INIT("count"), 0},
    {STR_INIT("depends_on"), 0}, {STR_INIT("for_each"), 0}, {STR_INIT("source"), 0}};
static const struct hcl_block_spec provider_block_specs[] = {
    {STR_INIT("_"), {0}}, {STR_INIT("lifecycle"), {0}}, {STR_INIT("locals"), {0}}};
const struct hcl_body_spec code_provider_meta = {provider_attributes, 6, provider_block_specs, 3,
                                                 NULL};

void code_decode_provider(struct code_decoder *d, const struct hcl_block *block,
                          struct code_parts *parts)
{
    struct hcl_content content = code_content(d, &block->body, &code_provider_meta, true);
    struct code_provider p = {.name = block->label[0].text,
                              .file = d->file,
                              .body = &block->body,
                              .place = code_place_of(d, block->header, block->range)};
    if (!code_check_provider_name(d, p.name, block->header))
        return;
    provider_arguments(d, &content, &p);
    provider_blocks(d, &content, &p);
    CODE_PUSH(d, parts->providers, p);
}
