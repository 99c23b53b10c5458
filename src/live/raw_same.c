/* raw_same.c - two token streams side by side. */
#include "live/raw_same.h"

#include <string.h>

#include "wire/json_scan.h"

struct pair {
    const char *a, *a_end, *b, *b_end;
    uint64_t leaves;
    unsigned depth;
    struct str *key;  /* by depth: the last key in a; ptr NULL: none yet */
    uint64_t *object; /* bit by depth: an object, not a list */
};

#ifdef __SSE2__
/* How many of the next 16 bytes of both are equal plain string content: 16, or fewer where a quote,
 * a backslash or a difference comes. */
static inline unsigned same_plain(const char *a, const char *b)
{
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)a);
    __m128i y = _mm_loadu_si128((const __m128i *)(const void *)b);
    __m128i special =
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\')));
    unsigned same = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, y));
    unsigned stop = (unsigned)_mm_movemask_epi8(special) | (same ^ 0xffffu);
    return stop ? (unsigned)__builtin_ctz(stop) : 16;
}
#endif

/* Both stand on an opening quote; over both strings where their bytes are equal. *ret: what is
 * between the quotes in a; *ret_escaped: it has a backslash. */
static bool same_string(struct pair *p, struct str *ret, bool *ret_escaped)
{
    const char *a = p->a + 1, *b = p->b + 1;
    *ret_escaped = false;
    for (;;) {
#ifdef __SSE2__
        while (p->a_end - a >= 16 && p->b_end - b >= 16) {
            unsigned n = same_plain(a, b);
            a += n;
            b += n;
            if (n < 16)
                break;
        }
#endif
        if (a == p->a_end || b == p->b_end || *a != *b)
            return false;
        if (*a == '"')
            break;
        if (*a == '\\') { /* the byte behind it may be a quote */
            if (p->a_end - a < 2 || p->b_end - b < 2 || a[1] != b[1])
                return false;
            *ret_escaped = true;
            a++;
            b++;
        }
        a++;
        b++;
    }
    *ret = (struct str){p->a + 1, (size_t)(a - p->a - 1)};
    p->a = a + 1;
    p->b = b + 1;
    return true;
}

static bool is_object(const struct pair *p)
{
    return p->object[p->depth / 64] >> (p->depth % 64) & 1;
}

/* A key must be greater than the one before it: bytewise, which unescaped text alone allows. */
static bool same_key(struct pair *p)
{
    struct str key, *last = &p->key[p->depth];
    bool escaped;
    if (p->a == p->a_end || p->b == p->b_end || *p->a != '"' || *p->b != '"')
        return false;
    if (!same_string(p, &key, &escaped) || escaped)
        return false;
    if (last->ptr && str_compare(*last, key) >= 0)
        return false;
    *last = key;
    p->a = json_space(p->a, p->a_end);
    p->b = json_space(p->b, p->b_end);
    if (p->a == p->a_end || p->b == p->b_end || *p->a != ':' || *p->b != ':')
        return false;
    p->a = json_space(p->a + 1, p->a_end);
    p->b = json_space(p->b + 1, p->b_end);
    return true;
}

static bool ends_token(const char *p, const char *end)
{
    return p == end || *p == ',' || *p == ']' || *p == '}' || (unsigned char)*p <= ' ';
}

/* A number or a word: the same bytes. */
static bool same_word(struct pair *p)
{
    const char *a = p->a, *b = p->b;
    while (!ends_token(a, p->a_end)) {
        if (b == p->b_end || *a != *b)
            return false;
        a++;
        b++;
    }
    if (!ends_token(b, p->b_end))
        return false;
    p->a = a;
    p->b = b;
    return true;
}

/* Both stand on the same bracket. *ret_empty: the container has ended already. */
static bool enter(struct pair *p, bool *ret_empty)
{
    char closing = *p->a == '{' ? '}' : ']';
    uint64_t bit = (uint64_t)1 << ((p->depth + 1) % 64);
    if (p->depth == JSON_DEPTH_MAX)
        return false;
    p->a = json_space(p->a + 1, p->a_end);
    p->b = json_space(p->b + 1, p->b_end);
    if (p->a == p->a_end || p->b == p->b_end)
        return false;
    *ret_empty = *p->a == closing;
    if (*ret_empty) {
        if (*p->b != closing)
            return false;
        p->a++;
        p->b++;
        p->leaves++;
        return true;
    }
    p->depth++;
    p->key[p->depth] = (struct str){0};
    uint64_t *word = &p->object[p->depth / 64];
    *word = closing == '}' ? *word | bit : *word & ~bit;
    return closing != '}' || same_key(p);
}

/* Behind a value: over closing brackets to the next value. *ret_ended: the outermost has ended. */
static bool step(struct pair *p, bool *ret_ended)
{
    while (p->depth) {
        p->a = json_space(p->a, p->a_end);
        p->b = json_space(p->b, p->b_end);
        if (p->a == p->a_end || p->b == p->b_end || *p->a != *p->b)
            return false;
        char c = *p->a;
        p->a++;
        p->b++;
        if (c == ',') {
            p->a = json_space(p->a, p->a_end);
            p->b = json_space(p->b, p->b_end);
            return !is_object(p) || same_key(p);
        }
        p->depth--; /* the text is checked: it is a closing bracket */
    }
    *ret_ended = true;
    return true;
}

static bool same_value(struct pair *p)
{
    struct str ignored;
    bool escaped;
    for (bool ended = false; !ended;) {
        bool scalar = true, empty = false;
        if (p->a == p->a_end || p->b == p->b_end || *p->a != *p->b)
            return false;
        if (*p->a == '"') {
            if (!same_string(p, &ignored, &escaped))
                return false;
        } else if (*p->a == '{' || *p->a == '[') {
            scalar = false;
            if (!enter(p, &empty))
                return false;
        } else if (!same_word(p)) {
            return false;
        }
        p->leaves += scalar;
        if ((scalar || empty) && !step(p, &ended))
            return false;
    }
    return true;
}

bool raw_same(struct raw_scratch *scratch, struct str a, struct str b, uint64_t *ret_leaves)
{
    struct pair p = {.a = json_space(a.ptr, a.ptr + a.len),
                     .a_end = a.ptr + a.len,
                     .b = json_space(b.ptr, b.ptr + b.len),
                     .b_end = b.ptr + b.len,
                     .key = scratch->key,
                     .object = scratch->object};
    if (!same_value(&p))
        return false;
    *ret_leaves = p.leaves;
    return true;
}
