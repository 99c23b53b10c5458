/* provider_source.c - addresses of providers: [HOST/[NAMESPACE/]]TYPE, in full and checked.
 *
 * Source:  Terraform's registry address rules; letters of other scripts are taken as they are
 */
#include <string.h>

#include "base/utf8.h"
#include "desired/module_parts.h"

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* ASCII letters, digits and dashes; other scripts' letters pass, as IDNA would mostly take them. */
static bool is_part_char(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || is_upper((char)c) ||
           c == '-';
}

const char *provider_part_fault(struct str part)
{
    if (!part.len)
        return "must have at least one character";
    if (str_find_char(part, '.', 0) != SIZE_MAX)
        return "dots are not allowed";
    if (str_find(part, STR("--"), 0) != SIZE_MAX)
        return "cannot use multiple consecutive dashes";
    bool good = part.ptr[0] != '-' && part.ptr[part.len - 1] != '-';
    for (size_t i = 0; good && i < part.len; i++)
        good = is_part_char((unsigned char)part.ptr[i]);
    return good ? NULL
                : "must contain only letters, digits, and dashes, and may not use leading or "
                  "trailing dashes";
}

static struct str lower(struct arena *arena, struct str s)
{
    char *out = arena_new_raw(arena, char, s.len + 1);
    for (size_t i = 0; out && i < s.len; i++)
        out[i] = is_upper(s.ptr[i]) ? (char)(s.ptr[i] + ('a' - 'A')) : s.ptr[i];
    if (out)
        out[s.len] = 0;
    return (struct str){out, out ? s.len : 0};
}

bool code_check_provider_name(struct code_decoder *d, struct str name, struct hcl_range subject)
{
    static const char summary[] = "Invalid provider local name";
    const char *fault = provider_part_fault(name);
    struct str normal = lower(d->arena, name);
    if (fault)
        code_fault(d, subject, summary, "%.*s is an invalid provider local name: %s", STR_ARG(name),
                   fault);
    else if (!str_equal(name, normal))
        code_fault(d, subject, summary,
                   "Provider names must be normalized. Replace \"%.*s\" with \"%.*s\" to fix this "
                   "error.",
                   STR_ARG(name), STR_ARG(normal));
    else
        return true;
    return false;
}

static bool wrong(struct str *ret_summary, struct str *ret_detail, const char *summary,
                  struct str detail)
{
    *ret_summary = str_from(summary);
    *ret_detail = detail;
    return false;
}

static struct str default_host(bool opentofu)
{
    return opentofu ? STR("registry.opentofu.org") : STR("registry.terraform.io");
}

bool provider_host_valid(struct str host)
{
    struct str label, rest = host;
    size_t colon = str_find_char(host, ':', 0);
    if (colon != SIZE_MAX) {
        int64_t port;
        if (!str_to_int64(str_sub(host, colon + 1, host.len), &port) || port < 1 || port > 65535)
            return false;
        rest = str_sub(host, 0, colon);
    }
    for (bool more = true; more;) {
        more = str_cut(&rest, '.', &label);
        if (provider_part_fault(label))
            return false;
    }
    return true;
}

/* terraform-x, terraform-provider-x: names of repositories. */
static bool check_prefix(struct arena *arena, struct str host, struct str space, struct str type,
                         bool opentofu, struct str *ret_summary, struct str *ret_detail)
{
    static const struct str prefix = STR_INIT("terraform-"),
                            whole = STR_INIT("terraform-provider-");
    struct str shown = str_equal(host, default_host(opentofu))
                           ? STR("")
                           : arena_printf(arena, "%.*s/", STR_ARG(host));
    if (!str_starts(type, prefix))
        return true;
    struct str rest = str_sub(type, whole.len, type.len);
    if (str_starts(type, whole) && !provider_part_fault(rest))
        return wrong(
            ret_summary, ret_detail, "Invalid provider type",
            arena_printf(arena,
                         "Provider source \"%.*s%.*s/%.*s\" has a type with the prefix "
                         "\"terraform-provider-\", which isn't valid. Although that prefix is "
                         "often used in the names of version control repositories for Terraform "
                         "providers, provider source strings should not include it.\n\nDid you "
                         "mean \"%.*s%.*s/%.*s\"?",
                         STR_ARG(shown), STR_ARG(space), STR_ARG(type), STR_ARG(shown),
                         STR_ARG(space), STR_ARG(rest)));
    return wrong(
        ret_summary, ret_detail, "Invalid provider type",
        arena_printf(arena,
                     "Provider source \"%.*s/%.*s/%.*s\" has a type with the prefix "
                     "\"terraform-\", which isn't allowed because it would be redundant to name a "
                     "Terraform provider with that prefix. If you are the author of this "
                     "provider, rename it to not include the prefix.",
                     STR_ARG(host), STR_ARG(space), STR_ARG(type)));
}

bool provider_source_parse(struct arena *arena, struct str text, bool opentofu, struct str *ret,
                           struct str *ret_summary, struct str *ret_detail)
{
    struct str part[4] = {{0}}, rest = text;
    size_t n = 0;
    bool empty = false;
    for (bool more = true; more && n < 4; n++) {
        more = str_cut(&rest, '/', &part[n]);
        empty |= !part[n].len;
    }
    if (empty || n > 3)
        return wrong(ret_summary, ret_detail, "Invalid provider source string",
                     STR("The \"source\" attribute must be in the format "
                         "\"[hostname/][namespace/]name\""));
    struct str type = part[n - 1], space = n > 1 ? part[n - 2] : STR("?");
    struct str host = n > 2 ? part[0] : default_host(opentofu);
    const char *fault = provider_part_fault(type);
    if (fault)
        return wrong(ret_summary, ret_detail, "Invalid provider type",
                     arena_printf(arena, "Invalid provider type \"%.*s\" in source \"%.*s\": %s\"",
                                  STR_ARG(type), STR_ARG(text), fault));
    fault = n > 1 && !str_equal(space, STR("-")) ? provider_part_fault(space) : NULL;
    if (fault)
        return wrong(ret_summary, ret_detail, "Invalid provider namespace",
                     arena_printf(arena, "Invalid provider namespace \"\" in source \"%.*s\": %s\"",
                                  STR_ARG(text), fault));
    if (!provider_host_valid(host))
        return wrong(ret_summary, ret_detail, "Invalid provider source hostname",
                     arena_printf(arena,
                                  "Invalid provider source hostname namespace \"\" in source "
                                  "\"%.*s\": invalid hostname\"",
                                  STR_ARG(text)));
    host = lower(arena, host), space = lower(arena, space), type = lower(arena, type);
    if (str_equal(space, STR("-")) && !str_equal(host, default_host(opentofu)))
        return wrong(ret_summary, ret_detail, "Invalid provider namespace",
                     STR("The legacy provider namespace \"-\" can be used only with hostname "
                         "registry.terraform.io."));
    if (n > 1 && !check_prefix(arena, host, space, type, opentofu, ret_summary, ret_detail))
        return false;
    if (n == 1)
        space = STR("hashicorp");
    *ret = arena_printf(arena, "%.*s/%.*s/%.*s", STR_ARG(host), STR_ARG(space), STR_ARG(type));
    return true;
}

struct str provider_source_default(struct arena *arena, struct str name, bool opentofu)
{
    if (str_equal(name, STR("terraform")))
        return STR("terraform.io/builtin/terraform");
    return arena_printf(arena, "%.*s/hashicorp/%.*s", STR_ARG(default_host(opentofu)),
                        STR_ARG(name));
}
