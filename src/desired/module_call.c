/* module_call.c - `module` blocks, and what their sources may look like. */
#include <string.h>

#include "base/pathname.h"
#include "desired/module_parts.h"

/* --- sources --- */

bool module_source_is_local(struct str source)
{
    static const struct str prefixes[] = {STR_INIT("./"), STR_INIT("../"), STR_INIT(".\\"),
                                          STR_INIT("..\\")};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (str_starts(source, prefixes[i]))
            return true;
    return false;
}

/* path.Clean with forward slashes, "./" or "../" in front. */
static struct str clean_local(struct arena *arena, struct str source)
{
    struct str copy = arena_dup(arena, source);
    char *bytes = arena_new_raw(arena, char, copy.len + 1);
    if (!copy.ptr || !bytes)
        return (struct str){0};
    for (size_t i = 0; i < copy.len; i++)
        bytes[i] = copy.ptr[i] == '\\' ? '/' : copy.ptr[i];
    struct str clean = pathname_clean(arena, (struct str){bytes, copy.len});
    return str_starts(clean, STR("../")) ? clean : arena_printf(arena, "./%.*s", STR_ARG(clean));
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* 1 to 64 of letters, digits, - and _, with a letter or digit at both ends. */
static bool is_registry_name(struct str s)
{
    if (!s.len || s.len > 64 || !is_alnum(s.ptr[0]) || !is_alnum(s.ptr[s.len - 1]))
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.ptr[i]) && s.ptr[i] != '-' && s.ptr[i] != '_')
            return false;
    return true;
}

static bool is_target_system(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.ptr[i]) || (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z'))
            return false;
    return s.len && s.len <= 64;
}

/* PACKAGE//SUBDIR?QUERY; the package keeps the query. */
static struct str split_subdir(struct arena *arena, struct str source, struct str *ret_subdir)
{
    size_t stop = str_find_char(source, '?', 0), scheme;
    struct str head = str_sub(source, 0, stop == SIZE_MAX ? source.len : stop);
    scheme = str_find(head, STR("://"), 0);
    size_t at = str_find(head, STR("//"), scheme == SIZE_MAX ? 0 : scheme + 3);
    *ret_subdir = (struct str){0};
    if (at == SIZE_MAX)
        return source;
    *ret_subdir = pathname_clean(arena, str_sub(head, at + 2, head.len));
    return arena_printf(arena, "%.*s%.*s", (int)at, source.ptr, (int)(source.len - head.len),
                        source.ptr + head.len);
}

/* NULL: a registry address. */
static struct str registry_fault(struct arena *arena, struct str source)
{
    struct str subdir, part[5] = {{0}};
    struct str rest = split_subdir(arena, source, &subdir);
    size_t n = 0;
    if (module_source_is_local(source))
        return arena_printf(arena,
                            "can't use local directory \"%.*s\" as a module registry address",
                            STR_ARG(source));
    if (str_starts(subdir, STR("../")))
        return arena_printf(arena, "subdirectory path \"%.*s\" leads outside of the module package",
                            STR_ARG(subdir));
    for (bool more = true; more && n < 5; n++)
        more = str_cut(&rest, '/', &part[n]);
    if (n != 3 && n != 4)
        return STR("a module registry source address must have either three or four "
                   "slash-separated components");
    const struct str *p = n == 4 ? part + 1 : part;
    if (n == 4 && !provider_host_valid(part[0]))
        return arena_printf(arena, "invalid module registry hostname \"%.*s\"%s", STR_ARG(part[0]),
                            str_find(part[0], STR("--"), 0) != SIZE_MAX
                                ? "; internationalized domain names must be given as direct "
                                  "unicode characters, not in punycode"
                                : "");
    if (n == 4 && str_find_char(part[0], '.', 0) == SIZE_MAX)
        return STR("invalid module registry hostname: must contain at least one dot");
    if (n == 4 &&
        (str_equal(part[0], STR("github.com")) || str_equal(part[0], STR("bitbucket.org"))))
        return arena_printf(arena,
                            "can't use \"%.*s\" as a module registry host, because it's reserved "
                            "for installing directly from version control repositories",
                            STR_ARG(part[0]));
    static const char rule[] = "must be between one and 64 characters, including ASCII letters, "
                               "digits, dashes, and underscores, where dashes and underscores may "
                               "not be the prefix or suffix";
    if (!is_registry_name(p[0]))
        return str_find_char(p[0], '.', 0) != SIZE_MAX
                   ? STR("source address must have three more components after the hostname: the "
                         "namespace, the name, and the target system")
                   : arena_printf(arena, "invalid namespace \"%.*s\": %s", STR_ARG(p[0]), rule);
    if (!is_registry_name(p[1]))
        return arena_printf(arena, "invalid module name \"%.*s\": %s", STR_ARG(p[1]), rule);
    if (!is_target_system(p[2]))
        return str_find_char(p[2], '?', 0) != SIZE_MAX
                   ? STR("module registry addresses may not include a query string portion")
                   : arena_printf(arena,
                                  "invalid target system \"%.*s\": must be between one and 64 "
                                  "ASCII letters or digits",
                                  STR_ARG(p[2]));
    return (struct str){0};
}

/* A URL, a forced getter, one of the shorthands, an absolute path. */
static bool is_remote(struct str source)
{
    static const struct str shorthands[] = {STR_INIT("github.com/"), STR_INIT("bitbucket.org/"),
                                            STR_INIT("git@"), STR_INIT("/")};
    static const struct str inside[] = {STR_INIT("://"), STR_INIT("::"),
                                        STR_INIT("googleapis.com/"), STR_INIT("amazonaws.com")};
    for (size_t i = 0; i < sizeof shorthands / sizeof *shorthands; i++)
        if (str_starts(source, shorthands[i]))
            return true;
    for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
        if (str_find(source, inside[i], 0) != SIZE_MAX)
            return true;
    /* user@host:path */
    size_t at = str_find_char(source, '@', 0);
    return at != SIZE_MAX && str_find_char(source, ':', at) != SIZE_MAX;
}

bool code_check_module_source(struct code_decoder *d, struct hcl_range subject, struct str text,
                              bool has_version, struct str *ret)
{
    static const char summary[] = "Invalid module source address";
    *ret = text;
    if (!has_version && module_source_is_local(text)) {
        *ret = clean_local(d->arena, text);
        d->full |= !ret->ptr;
        return true;
    }
    struct str fault = registry_fault(d->arena, text);
    if (!fault.ptr)
        return true;
    if (has_version) {
        code_fault(d, subject, "Invalid registry module source address",
                   "Failed to parse module registry address: %.*s.\n\nTerraform assumed that you "
                   "intended a module registry source address because you also set the argument "
                   "\"version\", which applies only to registry modules.",
                   STR_ARG(fault));
        return false;
    }
    if (is_remote(text))
        return true;
    if (!text.len)
        code_fault(d, subject, summary,
                   "Failed to parse module source address: invalid source address: .");
    else
        code_fault(d, subject, summary,
                   "Terraform failed to determine your intended installation method for remote "
                   "module package \"%.*s\".\n\nIf you intended this as a path relative to the "
                   "current module, use \"./%.*s\" instead. The \"./\" prefix indicates that the "
                   "address is a relative filesystem path.",
                   STR_ARG(text), STR_ARG(text));
    return false;
}

/* --- providers = { inner = outer } --- */

static bool same_ref(const struct code_provider_ref *a, const struct code_provider_ref *b)
{
    return str_equal(a->name, b->name) && str_equal(a->alias, b->alias);
}

static void decode_providers(struct code_decoder *d, const struct hcl_attribute *attribute,
                             struct code_module_call *call)
{
    const struct hcl_item *pair;
    size_t n = 0, kept = 0;
    if (!code_pairs(d, attribute->value, false, &pair, &n))
        return;
    struct code_passed_provider *list = arena_new(d->arena, struct code_passed_provider, n);
    d->full |= !list;
    for (size_t i = 0; list && i < n; i++) {
        struct code_passed_provider passed;
        bool inner = code_decode_provider_ref(d, pair[i].key, "providers", &passed.inner);
        bool outer = code_decode_provider_ref(d, pair[i].value, "providers", &passed.outer);
        size_t before = 0;
        if (!inner || !outer)
            continue;
        while (before < kept && !same_ref(&list[before].inner, &passed.inner))
            before++;
        passed.range = (struct hcl_range){pair[i].key->range.start, pair[i].value->range.end};
        if (before == kept) {
            list[kept++] = passed;
            continue;
        }
        struct str at = code_range_text(d->arena, d->file, list[before].range);
        code_fault(d, pair[i].value->range, "Duplicate provider address",
                   "A provider configuration was already passed to %.*s%s%.*s at %.*s. Each child "
                   "provider configuration can be assigned only once.",
                   STR_ARG(passed.inner.name), passed.inner.alias.len ? "." : "",
                   STR_ARG(passed.inner.alias), STR_ARG(at));
    }
    call->providers = list;
    call->nproviders = kept;
    call->has_providers = true;
}

/* --- the block --- */

static void decode_source(struct code_decoder *d, const struct hcl_content *content,
                          struct code_module_call *call)
{
    const struct hcl_attribute *version = code_attribute(content, "version");
    const struct hcl_attribute *source = code_attribute(content, "source");
    struct value v;
    struct str text;
    if (version && code_check_version(d, version) && code_constant(d, version->value, &v) &&
        v.kind == VALUE_STRING)
        call->version = value_text(&v);
    if (!source)
        return;
    call->source_expr = code_expr_of(d, source);
    if (code_constant_string(d, source, &text) &&
        !code_check_module_source(d, source->value->range, text, version, &call->source))
        call->source = (struct str){0};
}

static void decode_meta(struct code_decoder *d, const struct hcl_content *content,
                        struct code_module_call *call)
{
    const struct hcl_attribute *attribute;
    call->count = code_optional_expr(d, content, "count");
    call->for_each = code_optional_expr(d, content, "for_each");
    if (call->count.expr && call->for_each.expr && !call->enabled.expr)
        code_fault(d, code_attribute(content, "for_each")->name_range,
                   "Invalid combination of \"count\" and \"for_each\"",
                   "The \"count\" and \"for_each\" meta-arguments are mutually-exclusive, only one "
                   "should be used to be explicit about the number of resources to be created.");
    if ((attribute = code_attribute(content, "depends_on"))) {
        code_depends_on(d, attribute, &call->depends_on, &call->ndepends_on);
        call->has_depends_on = true;
    }
    if ((attribute = code_attribute(content, "providers")))
        decode_providers(d, attribute, call);
}

/* OpenTofu's `lifecycle` of a call has nothing but `enabled`. */
static void decode_lifecycle(struct code_decoder *d, const struct hcl_block *block,
                             const struct hcl_content *call_content, struct code_module_call *call)
{
    static const struct hcl_attribute_spec attributes[] = {{STR_INIT("enabled"), false}};
    static const struct hcl_body_spec spec = {attributes, 1, NULL, 0, NULL};
    struct hcl_content content = code_content(d, &block->body, &spec, false);
    const struct hcl_attribute *enabled = code_attribute(&content, "enabled");
    bool count = code_attribute(call_content, "count");
    bool each = code_attribute(call_content, "for_each");
    call->enabled = code_optional_expr(d, &content, "enabled");
    if (!enabled || (!count && !each))
        return;
    const char *named = count && each ? "\"count\", \"enabled\", and \"for_each\""
                        : count       ? "\"count\" and \"enabled\""
                                      : "\"enabled\" and \"for_each\"";
    struct str summary = arena_printf(d->arena, "Invalid combination of %s", named);
    code_fault(d, enabled->name_range, summary.ptr ? summary.ptr : "",
               "The %s meta-arguments are mutually-exclusive. Only one should be used to be "
               "explicit about the number of module instances to be created.",
               named);
}

static void decode_blocks(struct code_decoder *d, const struct hcl_content *content,
                          struct code_module_call *call)
{
    const struct hcl_block *escape = NULL, *lifecycle = NULL;
    for (size_t i = 0; i < content->nblocks; i++) {
        const struct hcl_block *block = &content->block[i];
        if (d->opentofu && str_equal(block->type, STR("lifecycle"))) {
            if (!lifecycle) {
                decode_lifecycle(d, block, content, call);
                lifecycle = block;
                continue;
            }
            struct str at = code_range_text(d->arena, d->file, lifecycle->header);
            code_fault(d, block->header, "Duplicate lifecycle block",
                       "This resource already has a lifecycle block at %.*s.", STR_ARG(at));
        } else if (!str_equal(block->type, STR("_"))) {
            code_fault(d, block->type_range, "Reserved block type name in module block",
                       "The block type name \"%.*s\" is reserved for use by Terraform in a future "
                       "version.",
                       STR_ARG(block->type));
        } else if (escape) {
            struct str at = code_range_text(d->arena, d->file, escape->header);
            code_fault(d, block->header, "Duplicate escaping block",
                       "The special block type \"_\" can be used to force particular arguments to "
                       "be interpreted as module input variables rather than as meta-arguments, "
                       "but each module block can have only one such block. The first escaping "
                       "block was at %.*s.",
                       STR_ARG(at));
        } else {
            escape = block;
            call->escape = &block->body;
        }
    }
}

void code_decode_call(struct code_decoder *d, const struct hcl_block *block,
                      struct code_parts *parts)
{
    const struct hcl_attribute_spec attributes[] = {
        {STR_INIT("source"), !d->override}, {STR_INIT("version"), false},
        {STR_INIT("count"), false},         {STR_INIT("for_each"), false},
        {STR_INIT("depends_on"), false},    {STR_INIT("providers"), false}};
    static const struct hcl_block_spec blocks[] = {{STR_INIT("_"), {0}},
                                                   {STR_INIT("lifecycle"), {0}},
                                                   {STR_INIT("locals"), {0}},
                                                   {STR_INIT("provider"), {"type"}}};
    struct hcl_body_spec spec = {attributes, 6, blocks, 4, NULL};
    struct part_call part = {.c = {.name = block->label[0].text,
                                   .file = d->file,
                                   .body = &block->body,
                                   .place = code_place_of(d, block->header, block->range)}};
    struct hcl_content content = code_content(d, &block->body, &spec, true);
    code_check_name(d, &block->label[0], "Invalid module instance name");
    decode_source(d, &content, &part.c);
    decode_blocks(d, &content, &part.c);
    decode_meta(d, &content, &part.c);
    CODE_PUSH(d, parts->calls, part);
}
