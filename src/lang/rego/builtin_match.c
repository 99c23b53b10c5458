/* builtin_match.c - Rego's globs, semantic versions, UUIDs and trace. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/openssl.h"
#include "base/regex_re2.h"
#include "base/utf8.h"
#include "lang/rego/builtin.h"
#include "lang/rego/caches.h"

static struct str text(const struct rego_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

/* --- globs become regular expressions, which match in linear time --- */

static void literal(struct buf *out, char c)
{
    if (c && strchr("\\.+*?()|[]{}^$", c))
        buf_char(out, '\\');
    buf_char(out, c);
}

/* A character class of everything but the delimiters. */
static void not_delimiters(struct buf *out, const struct value *delimiters)
{
    if (!delimiters->len) {
        buf_str(out, STR("(?s:.)"));
        return;
    }
    buf_str(out, STR("[^"));
    for (uint32_t i = 0; i < delimiters->len; i++) {
        struct str d = value_text(&delimiters->items[i]);
        if (d.len == 1 && strchr("\\]^-[", d.ptr[0]))
            buf_char(out, '\\');
        buf_str(out, d);
    }
    buf_char(out, ']');
}

static size_t class_end(struct str g, size_t at)
{
    for (size_t i = at + 1; i < g.len; i++) {
        if (g.ptr[i] == '\\')
            i++;
        else if (g.ptr[i] == ']' && i > at + 1)
            return i;
    }
    return SIZE_MAX;
}

/* False: a set that nothing ends. Alternatives that nothing ends reach to the end, as in OPA. */
static bool glob_pattern(struct str g, const struct value *delimiters, struct buf *out)
{
    int depth = 0;
    buf_str(out, STR("^"));
    for (size_t i = 0; i < g.len; i++) {
        char c = g.ptr[i];
        if (c == '\\' && i + 1 < g.len) {
            literal(out, g.ptr[++i]);
        } else if (c == '*') {
            bool super = i + 1 < g.len && g.ptr[i + 1] == '*';
            while (i + 1 < g.len && g.ptr[i + 1] == '*')
                i++;
            if (super)
                buf_str(out, STR("(?s:.)"));
            else
                not_delimiters(out, delimiters);
            buf_char(out, '*');
        } else if (c == '?') {
            not_delimiters(out, delimiters);
        } else if (c == '[') {
            size_t end = class_end(g, i);
            if (end == SIZE_MAX)
                return false;
            bool negated = g.ptr[i + 1] == '!';
            buf_str(out, negated ? STR("[^") : STR("["));
            for (size_t k = i + 1 + negated; k < end; k++) {
                if (g.ptr[k] == '^' || g.ptr[k] == '[')
                    buf_char(out, '\\');
                buf_char(out, g.ptr[k]);
            }
            buf_char(out, ']');
            i = end;
        } else if (c == '{') {
            depth++;
            buf_str(out, STR("(?:"));
        } else if (c == '}' && depth > 0) {
            depth--;
            buf_char(out, ')');
        } else if (c == ',' && depth > 0) {
            buf_char(out, '|');
        } else {
            literal(out, c);
        }
    }
    while (depth-- > 0)
        buf_char(out, ')');
    buf_char(out, '$');
    return true;
}

/* A glob of literals, `*`, `**` and `?`, with delimiters of one byte: matched here and now, for a
 * program of an automaton takes longer to make than most globs to be answered. */
enum { PLAIN_DELIMITERS = 8, PLAIN_STEPS = 1 << 16 };

struct plain_glob {
    struct str glob, text;
    char delimiter[PLAIN_DELIMITERS + 1];
};

static bool is_plain(const struct value *delimiters, struct plain_glob *g)
{
    if (delimiters->len > PLAIN_DELIMITERS ||
        (g->glob.len + 1) * (uint64_t)(g->text.len + 1) > PLAIN_STEPS)
        return false;
    for (uint32_t i = 0; i < delimiters->len; i++) {
        struct str d = value_text(&delimiters->items[i]);
        if (d.len != 1 || d.ptr[0] <= 0)
            return false;
        g->delimiter[i] = d.ptr[0];
    }
    return str_find_char(g->glob, '[', 0) == SIZE_MAX && str_find_char(g->glob, '{', 0) == SIZE_MAX;
}

static bool is_delimiter(const struct plain_glob *g, char c)
{
    return c && strchr(g->delimiter, c);
}

/* Behind the character at `at`. */
static size_t character(struct str s, size_t at)
{
    do
        at++;
    while (at < s.len && ((unsigned char)s.ptr[at] & 0xc0) == 0x80);
    return at;
}

/* The last `*` and the last `**` are what may take more: what stood before them took as little as
 * it could, which leaves the most to what follows. */
static bool match_plain(const struct plain_glob *g)
{
    struct {
        size_t glob, text; /* behind the wildcard, and up to where it took */
    } one = {SIZE_MAX, 0}, any = {SIZE_MAX, 0};
    size_t i = 0, at = 0;
    struct str p = g->glob, s = g->text;
    for (;;) {
        if (i < p.len && p.ptr[i] == '*') {
            size_t stars = i;
            while (i < p.len && p.ptr[i] == '*')
                i++;
            one.glob = SIZE_MAX;
            if (i - stars > 1)
                any.glob = i, any.text = at;
            else
                one.glob = i, one.text = at;
            continue;
        }
        if (i == p.len && at == s.len)
            return true;
        if (i < p.len && at < s.len) {
            bool escaped = p.ptr[i] == '\\' && i + 1 < p.len;
            if (p.ptr[i] == '?' && !is_delimiter(g, s.ptr[at])) {
                i++;
                at = character(s, at);
                continue;
            }
            if ((p.ptr[i] != '?' || escaped) && p.ptr[i + escaped] == s.ptr[at]) {
                i += 1 + (size_t)escaped;
                at++;
                continue;
            }
        }
        if (one.glob != SIZE_MAX && one.text < s.len && !is_delimiter(g, s.ptr[one.text])) {
            i = one.glob;
            at = one.text = character(s, one.text);
        } else if (any.glob != SIZE_MAX && any.text < s.len) {
            i = any.glob;
            at = any.text = character(s, any.text);
            one.glob = SIZE_MAX;
        } else {
            return false;
        }
    }
}

static void close_regex(void *object)
{
    regex_close(object);
}

static bool is_character(struct str s)
{
    size_t at = 0;
    if (s.len)
        (void)utf8_next(s, &at);
    return at > 0 && at == s.len;
}

static enum rego_outcome glob_match(struct rego_call *call, struct value *ret)
{
    AUTO_BUF pattern = {.limit = REGEX_PATTERN_MAX};
    struct value dot = value_string(STR(".")), one = value_items(VALUE_TUPLE, &dot, 1),
                 none = value_items(VALUE_TUPLE, NULL, 0);
    const struct value *delimiters = &call->arg[1];
    char why[200];
    if (delimiters->kind == VALUE_NULL)
        delimiters = &none;
    else if (delimiters->len == 0)
        delimiters = &one;
    for (uint32_t i = 0; i < delimiters->len; i++)
        if (delimiters->items[i].kind != VALUE_STRING ||
            !is_character(value_text(&delimiters->items[i])))
            return rego_fail_operand(call, 1, "array of single-character strings", &call->arg[1]);
    struct plain_glob plain = {.glob = text(call, 0), .text = text(call, 2)};
    if (is_plain(delimiters, &plain)) {
        *ret = value_bool(match_plain(&plain));
        return REGO_DEFINED;
    }
    if (!glob_pattern(text(call, 0), delimiters, &pattern))
        return rego_fail(call, "unexpected end of input");
    struct str key = buf_view(&pattern);
    struct regex *regex = rego_cache_find(call->caches, "glob", key);
    if (!regex) {
        regex = regex_open(key, why, sizeof why);
        if (!regex)
            return rego_fail(call, "%s", why);
        if (!rego_cache_keep(call->caches, "glob", key, regex, close_regex)) {
            regex_close(regex);
            return REGO_HALT;
        }
    }
    *ret = value_bool(regex_match(regex, text(call, 2), 0, NULL, 0));
    return REGO_DEFINED;
}

static enum rego_outcome glob_quote_meta(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct str s = text(call, 0);
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] && strchr("*?\\[]{}", s.ptr[i]))
            buf_char(&out, '\\');
        buf_char(&out, s.ptr[i]);
    }
    return rego_give_buf(call, &out, ret);
}

/* --- semantic versions 2.0 --- */

struct version {
    struct str number[3], pre;
};

static bool identifiers(struct str s, bool numeric_rule)
{
    struct str part;
    bool more = true;
    while (more) {
        bool digits = true;
        more = str_cut(&s, '.', &part);
        if (!part.len)
            return false;
        for (size_t i = 0; i < part.len; i++) {
            if (!isalnum((unsigned char)part.ptr[i]) && part.ptr[i] != '-')
                return false;
            digits &= isdigit((unsigned char)part.ptr[i]) != 0;
        }
        if (numeric_rule && digits && part.len > 1 && part.ptr[0] == '0')
            return false;
    }
    return true;
}

static bool parse_version(struct str s, struct version *ret)
{
    struct str head;
    *ret = (struct version){0};
    if (str_starts(s, STR("v")))
        s = str_sub(s, 1, s.len);
    size_t plus = str_find_char(s, '+', 0);
    if (plus != SIZE_MAX) {
        if (!identifiers(str_sub(s, plus + 1, s.len), false))
            return false;
        s = str_sub(s, 0, plus);
    }
    size_t dash = str_find_char(s, '-', 0);
    if (dash != SIZE_MAX) {
        ret->pre = str_sub(s, dash + 1, s.len);
        if (!identifiers(ret->pre, true))
            return false;
        s = str_sub(s, 0, dash);
    }
    for (int i = 0; i < 3; i++) {
        bool more = str_cut(&s, '.', &head);
        if (more != (i < 2) || !head.len || (head.len > 1 && head.ptr[0] == '0'))
            return false;
        for (size_t k = 0; k < head.len; k++)
            if (!isdigit((unsigned char)head.ptr[k]))
                return false;
        ret->number[i] = head;
    }
    return true;
}

static int compare_digits(struct str a, struct str b)
{
    return a.len != b.len ? (a.len < b.len ? -1 : 1) : str_compare(a, b);
}

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!isdigit((unsigned char)s.ptr[i]))
            return false;
    return true;
}

static int compare_pre(struct str a, struct str b)
{
    struct str x, y;
    if (!a.len || !b.len)
        return !a.len - !b.len;
    for (bool more_a = true, more_b = true;;) {
        more_a = str_cut(&a, '.', &x);
        more_b = str_cut(&b, '.', &y);
        bool dx = all_digits(x), dy = all_digits(y);
        int c = dx && dy ? compare_digits(x, y) : dx != dy ? (dx ? -1 : 1) : str_compare(x, y);
        if (c)
            return c;
        if (!more_a || !more_b)
            return (int)more_a - (int)more_b;
    }
}

static enum rego_outcome semver_is_valid(struct rego_call *call, struct value *ret)
{
    struct version v;
    *ret = value_bool(call->arg->kind == VALUE_STRING && parse_version(text(call, 0), &v));
    return REGO_DEFINED;
}

static enum rego_outcome semver_compare(struct rego_call *call, struct value *ret)
{
    struct version v[2];
    int c = 0;
    for (size_t i = 0; i < 2; i++)
        if (!parse_version(text(call, i), &v[i]))
            return rego_fail(call, "operand %zu: string \"%.*s\" is not a valid SemVer", i + 1,
                             STR_ARG(text(call, i)));
    for (int i = 0; i < 3 && !c; i++)
        c = compare_digits(v[0].number[i], v[1].number[i]);
    if (!c)
        c = compare_pre(v[0].pre, v[1].pre);
    *ret = value_int((c > 0) - (c < 0));
    return REGO_DEFINED;
}

/* --- UUIDs --- */

static enum rego_outcome uuid_rfc4122(struct rego_call *call, struct value *ret)
{
    unsigned char b[16];
    if (RAND_bytes(b, sizeof b) != 1)
        return rego_fail(call, "no random bytes");
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    struct str s = arena_printf(
        call->arena, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
        b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
        b[15]);
    return s.ptr ? rego_give_text(call, s, ret) : REGO_HALT;
}

static bool uuid_bytes(struct str s, unsigned char ret[16])
{
    size_t n = 0;
    if (s.len == 45 && strncasecmp(s.ptr, "urn:uuid:", 9) == 0)
        s = str_sub(s, 9, s.len);
    if (s.len == 38) /* in braces, or in what else stands there */
        s = str_sub(s, 1, 37);
    bool dashes = s.len == 36;
    if (!dashes && s.len != 32)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        bool dash = dashes && (i == 8 || i == 13 || i == 18 || i == 23);
        if (dash && s.ptr[i] == '-')
            continue;
        if (dash || !isxdigit((unsigned char)s.ptr[i]))
            return false;
        int digit = isdigit((unsigned char)s.ptr[i]) ? s.ptr[i] - '0' : (s.ptr[i] | 32) - 'a' + 10;
        ret[n / 2] = (unsigned char)(n % 2 ? ret[n / 2] | digit : digit << 4);
        n++;
    }
    return n == 32;
}

struct fields {
    struct rego_pair pair[8];
    size_t n;
};

static void field(struct fields *f, const char *name, struct value v)
{
    f->pair[f->n++] = (struct rego_pair){value_string(str_from(name)), v};
}

/* Versions 1 and 2 hold a time and a node. */
static void timed_fields(struct rego_call *call, const unsigned char *b, int version,
                         struct fields *f)
{
    static const char *const domains[] = {"Person", "Group", "Org"};
    uint64_t low = (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | (uint64_t)b[2] << 8 | b[3];
    uint64_t mid = (uint64_t)b[4] << 8 | b[5], high = ((uint64_t)b[6] & 0x0f) << 8 | b[7];
    uint64_t ticks = low | mid << 32 | high << 48;
    struct str node = arena_printf(call->arena, "%02x-%02x-%02x-%02x-%02x-%02x", b[10], b[11],
                                   b[12], b[13], b[14], b[15]);
    struct str kind = arena_printf(call->arena, "%s:%s", b[10] & 2 ? "local" : "global",
                                   b[10] & 1 ? "multicast" : "unicast");
    field(f, "clocksequence", value_int((int64_t)(b[8] & 0x3f) << 8 | b[9]));
    field(f, "nodeid", value_string(node));
    field(f, "macvariables", value_string(kind));
    /* ticks of 100 ns since 1582-10-15 */
    field(f, "time", value_int(((int64_t)ticks - INT64_C(0x01b21dd213814000)) * 100));
    if (version == 2) {
        field(f, "id", value_int((int64_t)low));
        field(f, "domain",
              value_string(b[9] < 3 ? str_from(domains[b[9]])
                                    : arena_printf(call->arena, "Domain%u", b[9])));
    }
}

static enum rego_outcome uuid_parse(struct rego_call *call, struct value *ret)
{
    static const char *const variants[] = {"Reserved", "RFC4122", "Microsoft", "Future"};
    unsigned char b[16] = {0};
    struct fields f = {.n = 0};
    size_t clash;
    if (!uuid_bytes(text(call, 0), b))
        return REGO_UNDEFINED;
    int version = b[6] >> 4;
    int variant = (b[8] & 0xc0) == 0x80   ? 1
                  : (b[8] & 0xe0) == 0xc0 ? 2
                  : (b[8] & 0xe0) == 0xe0 ? 3
                                          : 0;
    field(&f, "version", value_int(version));
    field(&f, "variant", value_string(str_from(variants[variant])));
    if (version == 1 || version == 2)
        timed_fields(call, b, version, &f);
    struct rego_pair *kept = arena_new_raw(call->arena, struct rego_pair, f.n);
    if (!kept)
        return REGO_HALT;
    memcpy(kept, f.pair, f.n * sizeof *kept);
    return rego_make_object(kept, f.n, ret, &clash) ? REGO_DEFINED : REGO_HALT;
}

/* --- the host --- */

static enum rego_outcome trace(struct rego_call *call, struct value *ret)
{
    (void)call;
    *ret = value_bool(true);
    return REGO_DEFINED;
}

static enum rego_outcome runtime(struct rego_call *call, struct value *ret)
{
    *ret = call->host->runtime ? *call->host->runtime : (struct value){.kind = REGO_PAIRS};
    return REGO_DEFINED;
}

static const struct rego_builtin table[] = {
    {"glob.match", NULL, "(string, null | array[string], string) => boolean", glob_match, 0},
    {"glob.quote_meta", NULL, "(string) => string", glob_quote_meta, 0},
    {"semver.is_valid", NULL, "(any) => boolean", semver_is_valid, 0},
    {"semver.compare", NULL, "(string, string) => number", semver_compare, 0},
    {"uuid.rfc4122", NULL, "(string) => string", uuid_rfc4122, REGO_NONDETERMINISTIC},
    {"uuid.parse", NULL, "(string) => object[string: any]", uuid_parse, 0},
    {"trace", NULL, "(string) => boolean", trace, 0},
    {"opa.runtime", NULL, "() => object[string: any]", runtime, REGO_NONDETERMINISTIC},
};
const struct rego_family builtin_match = {table, sizeof table / sizeof *table};
