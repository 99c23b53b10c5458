/* builtin_net.c - Rego's functions of CIDR blocks and URIs, without any network. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/builtin.h"
#include "lang/rego/uri.h"

/* An address as 16 bytes (IPv4 in the last four), with the length of its prefix. */
struct block {
    bool v6;
    unsigned char first[16], last[16];
    unsigned prefix; /* of 32 or 128 */
};

static struct str text(const struct rego_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

static unsigned width(const struct block *b)
{
    return b->v6 ? 128 : 32;
}

static bool parse_ip(struct str s, struct block *ret)
{
    char room[64];
    if (s.len >= sizeof room || memchr(s.ptr, '\0', s.len))
        return false;
    memcpy(room, s.ptr, s.len);
    room[s.len] = '\0';
    *ret = (struct block){0};
    if (inet_pton(AF_INET, room, ret->first + 12) == 1) {
        ret->prefix = 32;
    } else if (inet_pton(AF_INET6, room, ret->first) == 1) {
        static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255};
        ret->v6 = memcmp(ret->first, mapped, 12) != 0;
        ret->prefix = ret->v6 ? 128 : 32;
        if (!ret->v6)
            memset(ret->first, 0, 12); /* ::ffff:1.2.3.4 is an IPv4 address, as Go has it */
    } else {
        return false;
    }
    memcpy(ret->last, ret->first, 16);
    return true;
}

/* First and last address of the block around `first`. */
static void span(struct block *b)
{
    unsigned free_bits = width(b) - b->prefix;
    for (unsigned i = 0; i < 16; i++) {
        unsigned bit = (15 - i) * 8;
        unsigned bits = free_bits <= bit ? 0 : free_bits >= bit + 8 ? 8 : free_bits - bit;
        unsigned char mask = (unsigned char)((1U << bits) - 1);
        b->first[i] = (unsigned char)(b->first[i] & ~mask);
        b->last[i] = b->first[i] | mask;
    }
}

static bool parse_cidr(struct str s, struct block *ret)
{
    size_t slash = str_find_char(s, '/', 0);
    int64_t bits;
    if (slash == SIZE_MAX || !parse_ip(str_sub(s, 0, slash), ret))
        return false;
    struct str tail = str_sub(s, slash + 1, s.len);
    for (size_t i = 0; i < tail.len; i++)
        if (!isdigit((unsigned char)tail.ptr[i]))
            return false;
    if (!str_to_int64(tail, &bits) || bits > width(ret))
        return false;
    ret->prefix = (unsigned)bits;
    span(ret);
    return true;
}

static bool parse_either(struct str s, struct block *ret)
{
    return parse_cidr(s, ret) || parse_ip(s, ret);
}

static bool covers(const struct block *a, const struct block *b)
{
    return a->v6 == b->v6 && memcmp(a->first, b->first, 16) <= 0 &&
           memcmp(a->last, b->last, 16) >= 0;
}

static struct str ip_text(struct arena *arena, const struct block *b, const unsigned char *ip)
{
    char room[INET6_ADDRSTRLEN];
    const char *s = b->v6 ? inet_ntop(AF_INET6, ip, room, sizeof room)
                          : inet_ntop(AF_INET, ip + 12, room, sizeof room);
    return s ? arena_dup(arena, str_from(s)) : (struct str){0};
}

/* --- questions --- */

static enum rego_outcome is_valid(struct rego_call *call, struct value *ret)
{
    struct block b;
    *ret = value_bool(call->arg->kind == VALUE_STRING && parse_cidr(text(call, 0), &b));
    return REGO_DEFINED;
}

static enum rego_outcome bad_cidr(struct rego_call *call, struct str s)
{
    return rego_fail(call, "invalid CIDR address: %.*s", STR_ARG(s));
}

static enum rego_outcome contains(struct rego_call *call, struct value *ret)
{
    struct block a, b;
    if (!parse_cidr(text(call, 0), &a))
        return bad_cidr(call, text(call, 0));
    if (!parse_either(text(call, 1), &b))
        return rego_fail(call, "not a valid textual representation of an IP address or CIDR: %.*s",
                         STR_ARG(text(call, 1)));
    *ret = value_bool(covers(&a, &b));
    return REGO_DEFINED;
}

static enum rego_outcome intersects(struct rego_call *call, struct value *ret)
{
    struct block a, b;
    if (!parse_cidr(text(call, 0), &a))
        return bad_cidr(call, text(call, 0));
    if (!parse_cidr(text(call, 1), &b))
        return bad_cidr(call, text(call, 1));
    *ret = value_bool(covers(&a, &b) || covers(&b, &a));
    return REGO_DEFINED;
}

/* The block of an element of an operand: a string, or an array that begins with one. ret NULL: is
 * it of such a shape? */
static bool element(struct rego_call *call, size_t operand, const struct value *v,
                    struct block *ret)
{
    const struct value *s = rego_is_array(v) && v->len ? &v->items[0] : v;
    if (s->kind != VALUE_STRING) {
        (void)rego_fail(call, "operand %zu: element must be string or non-empty array",
                        operand + 1);
        return false;
    }
    if (!ret)
        return true;
    bool ok = operand == 0 ? parse_cidr(value_text(s), ret) : parse_either(value_text(s), ret);
    if (!ok)
        (void)bad_cidr(call, value_text(s));
    return ok;
}

struct elements {
    struct block *block;
    struct value *key; /* what stands for it in the answer */
    size_t n;
};

static size_t length(const struct value *operand)
{
    return operand->kind == VALUE_STRING ? 1 : operand->len;
}

/* parse: false where nothing is compared, and so nothing has to be a block. */
static bool list(struct rego_call *call, size_t i, bool parse, struct elements *ret)
{
    const struct value *v = &call->arg[i];
    size_t n = length(v);
    struct value key, item;
    ret->block = arena_new(call->arena, struct block, n);
    ret->key = arena_new(call->arena, struct value, n);
    ret->n = 0;
    if (!ret->block || !ret->key)
        return false;
    if (v->kind == VALUE_STRING) {
        ret->key[0] = *v;
        ret->n = 1;
        return element(call, i, v, parse ? &ret->block[0] : NULL);
    }
    for (size_t at = 0; rego_next(v, &at, &key, &item); ret->n++) {
        ret->key[ret->n] = key;
        if (!element(call, i, &item, parse ? &ret->block[ret->n] : NULL))
            return false;
    }
    return true;
}

static enum rego_outcome contains_matches(struct rego_call *call, struct value *ret)
{
    struct elements a, b = {0};
    struct value *found = NULL;
    size_t n = 0, room = 0;
    bool any = length(&call->arg[0]) && length(&call->arg[1]);
    if (!list(call, 0, any, &a) || (any && !list(call, 1, true, &b)))
        return call->why.ptr ? REGO_FAILED : REGO_HALT;
    for (size_t i = 0; any && i < a.n; i++)
        for (size_t j = 0; j < b.n; j++) {
            if (!call->spend(call->spend_ctx, 1))
                return REGO_HALT;
            if (!covers(&a.block[i], &b.block[j]))
                continue;
            found = arena_grow(call->arena, found, n, &room, n + 1);
            struct value *pair = arena_new(call->arena, struct value, 2);
            if (!found || !pair)
                return REGO_HALT;
            pair[0] = a.key[i];
            pair[1] = b.key[j];
            found[n++] = value_items(VALUE_TUPLE, pair, 2);
        }
    *ret = rego_make_set(found, n);
    return REGO_DEFINED;
}

/* --- expand --- */

enum { EXPAND_BITS_MAX = 22 }; /* four million addresses */

static enum rego_outcome expand(struct rego_call *call, struct value *ret)
{
    struct block b;
    if (!parse_cidr(text(call, 0), &b))
        return bad_cidr(call, text(call, 0));
    unsigned bits = width(&b) - b.prefix;
    if (bits > EXPAND_BITS_MAX)
        return REGO_HALT; /* undefined would be an answer: a rule would pass over it */
    size_t n = (size_t)1 << bits;
    struct value *items = arena_new_raw(call->arena, struct value, n);
    if (!items)
        return REGO_HALT;
    for (size_t i = 0; i < n; i++) {
        struct str s = ip_text(call->arena, &b, b.first);
        if (!s.ptr || !call->spend(call->spend_ctx, 1))
            return REGO_HALT;
        items[i] = value_string(s);
        for (int k = 15; k >= 0 && ++b.first[k] == 0; k--) {}
    }
    *ret = rego_make_set(items, n);
    return REGO_DEFINED;
}

/* --- merge --- */

static int compare_blocks(const void *a, const void *b)
{
    const struct block *x = a, *y = b;
    if (x->v6 != y->v6)
        return x->v6 ? 1 : -1;
    int c = memcmp(x->first, y->first, 16);
    return c ? c : memcmp(y->last, x->last, 16);
}

/* Are a and b the two halves of one block? */
static bool halves(const struct block *a, const struct block *b, struct block *ret)
{
    if (a->v6 != b->v6 || a->prefix != b->prefix || a->prefix == 0)
        return false;
    *ret = *a;
    ret->prefix--;
    span(ret);
    return memcmp(ret->first, a->first, 16) == 0 && memcmp(ret->last, b->last, 16) == 0;
}

/* The prefix that an address alone has: that of its class, as OPA takes it. */
static void classful(struct block *b)
{
    if (b->v6)
        return;
    unsigned char first = b->first[12];
    b->prefix = first < 128 ? 8 : first < 192 ? 16 : first < 224 ? 24 : 32;
    span(b);
}

static enum rego_outcome merge(struct rego_call *call, struct value *ret)
{
    const struct value *all = call->arg;
    struct block *blocks = arena_new(call->arena, struct block, all->len), joined;
    struct value *items = arena_new(call->arena, struct value, all->len);
    size_t n = 0;
    if (!blocks || !items)
        return REGO_HALT;
    for (uint32_t i = 0; i < all->len; i++) {
        const struct value *v = &all->items[i];
        if (v->kind != VALUE_STRING)
            return rego_fail(call, "operand must be string");
        if (parse_cidr(value_text(v), &blocks[i]))
            continue;
        if (!parse_ip(value_text(v), &blocks[i]))
            return bad_cidr(call, value_text(v));
        classful(&blocks[i]);
    }
    if (all->len)
        qsort(blocks, all->len, sizeof *blocks, compare_blocks);
    for (uint32_t i = 0; i < all->len; i++) {
        if (n && covers(&blocks[n - 1], &blocks[i]))
            continue;
        blocks[n++] = blocks[i];
        while (n > 1 && halves(&blocks[n - 2], &blocks[n - 1], &joined))
            blocks[--n - 1] = joined;
    }
    for (size_t i = 0; i < n; i++) {
        struct str ip = ip_text(call->arena, &blocks[i], blocks[i].first);
        struct str s = arena_printf(call->arena, "%.*s/%u", STR_ARG(ip), blocks[i].prefix);
        if (!s.ptr)
            return REGO_HALT;
        items[i] = value_string(s);
    }
    *ret = rego_make_set(items, n);
    return REGO_DEFINED;
}

/* --- URIs --- */

static struct str unescaped(struct arena *arena, struct str s)
{
    AUTO_BUF out = {.limit = VALUE_LEN_MAX};
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '%' && i + 2 < s.len) {
            buf_char(&out, (char)(uri_hex_digit(s.ptr[i + 1]) << 4 | uri_hex_digit(s.ptr[i + 2])));
            i += 2;
        } else {
            buf_char(&out, s.ptr[i]);
        }
    }
    return arena_dup(arena, buf_view(&out));
}

/* The path as it was written, but where writing it again gives the same: then as it is read. Go
 * keeps apart only what is written in another way than its own. */
static struct str raw_path(struct arena *arena, struct str written)
{
    struct str path = unescaped(arena, written);
    AUTO_BUF again = {.limit = VALUE_LEN_MAX};
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if (c < 0x80 && c && (isalnum(c) || strchr("-_.~$&+,/:;=@", c)))
            buf_char(&again, (char)c);
        else
            buf_printf(&again, "%%%02X", c);
    }
    return str_equal(buf_view(&again), written) ? path : written;
}

static enum rego_outcome uri_parts(struct rego_call *call, struct value *ret)
{
    struct uri u;
    size_t n = 0, clash;
    if (!uri_parse(text(call, 0), &u))
        return rego_fail(call, "parse \"%.*s\": invalid URI", STR_ARG(text(call, 0)));
    AUTO_BUF scheme = {.limit = 1 << 20};
    for (size_t i = 0; i < u.scheme.len; i++)
        buf_char(&scheme, (char)tolower((unsigned char)u.scheme.ptr[i]));
    const struct {
        const char *name;
        struct str text;
    } parts[] = {
        {"scheme", arena_dup(call->arena, buf_view(&scheme))},
        {"hostname", unescaped(call->arena, u.host)},
        {"port", u.port},
        {"path", unescaped(call->arena, u.path)},
        {"raw_path", raw_path(call->arena, u.path)},
        {"raw_query", u.query},
        {"fragment", unescaped(call->arena, u.fragment)},
    };
    struct rego_pair *pairs =
        arena_new(call->arena, struct rego_pair, sizeof parts / sizeof *parts);
    if (!pairs)
        return REGO_HALT;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i].text.len)
            pairs[n++] = (struct rego_pair){value_string(str_from(parts[i].name)),
                                            value_string(parts[i].text)};
    return rego_make_object(pairs, n, ret, &clash) ? REGO_DEFINED : REGO_HALT;
}

static enum rego_outcome uri_is_valid(struct rego_call *call, struct value *ret)
{
    struct uri u;
    *ret = value_bool(call->arg->kind == VALUE_STRING && call->arg->len > 0 &&
                      uri_parse(text(call, 0), &u));
    return REGO_DEFINED;
}

#define MATCHED \
    "string | array[string | array[any]] | set[string | array[any]] | " \
    "object[string: string | array[any]]"
static const struct rego_builtin table[] = {
    {"net.cidr_is_valid", NULL, "(any) => boolean", is_valid, 0},
    {"net.cidr_contains", NULL, "(string, string) => boolean", contains, 0},
    {"net.cidr_overlap", NULL, "(string, string) => boolean", contains, REGO_DEPRECATED},
    {"net.cidr_intersects", NULL, "(string, string) => boolean", intersects, 0},
    {"net.cidr_contains_matches", NULL, "(" MATCHED ", " MATCHED ") => set[array<any, any>]",
     contains_matches, 0},
    {"net.cidr_expand", NULL, "(string) => set[string]", expand, 0},
    {"net.cidr_merge", NULL, "(array[any] | set[any]) => set[string]", merge, 0},
    {"uri.parse", NULL, "(string) => object[string: string]", uri_parts, 0},
    {"uri.is_valid", NULL, "(any) => boolean", uri_is_valid, 0},
};
const struct rego_family builtin_net = {table, sizeof table / sizeof *table};
