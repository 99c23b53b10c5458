/* json_scan.h - the tokens of JSON text, checked: what the tree builder, the state source and the
 * raw comparison share.
 *
 * Shape:   a cursor over text that somebody else owns; every call moves `at` behind one token, or
 *          leaves `why` (a constant text) with `at` on the offending byte. Nothing is allocated
 * Speed:   16 bytes at a time (SSE2) through strings and indentation; never reads past `end`
 * Source:  RFC 8259; RFC 3629 for the bytes of strings
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/str.h"

struct err;

struct json_scan {
    const char *at, *end;
    const char *start; /* of the whole text: places are counted from here */
    const char *why;   /* NULL: all well so far */
};

static inline struct json_scan json_scan_open(struct str text)
{
    return (struct json_scan){.at = text.ptr, .end = text.ptr + text.len, .start = text.ptr};
}

/* The first byte at or after p that is not JSON white space. */
static inline const char *json_space(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p <= ' ') {
        char c = *p;
        if (c != ' ' && c != '\n' && c != '\r' && c != '\t')
            break;
        p++;
#ifdef __SSE2__
        const __m128i blank = _mm_set1_epi8(' ');
        while (c == '\n' && end - p >= 16) {
            __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
            unsigned other = 0xffffu ^ (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, blank));
            if (other) {
                p += __builtin_ctz(other);
                break;
            }
            p += 16;
        }
#endif
    }
    return p;
}

/* The first byte at or after p that ends plain text in a string: quote, backslash, control, or
 * not ASCII. One signed comparison catches the last two. */
static inline const char *json_plain_run(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'),
                  least = _mm_set1_epi8(32);
    for (; end - p >= 16; p += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)),
                         _mm_cmplt_epi8(bytes, least));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask)
            return p + __builtin_ctz(mask);
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (signed char)*p >= 32)
        p++;
    return p;
}

static inline void json_scan_space(struct json_scan *s)
{
    s->at = json_space(s->at, s->end);
}

/* false, with why. */
bool json_scan_fail(struct json_scan *s, const char *at, const char *why);
/* "nothing here" or "unexpected character": what stands at `at` is not what was wanted. */
bool json_scan_unexpected(struct json_scan *s, const char *wanted);

/* To the next member or item: false at the closing bracket (`at` behind it) and on error. */
bool json_scan_next(struct json_scan *s, bool *first, char closing);
/* `at` is on the key of a member: it and the colon behind it. */
bool json_scan_key(struct json_scan *s, struct str *ret_raw, bool *ret_escaped);
/* `at` is on the opening quote. ret_raw: what stands between the quotes; *ret_escaped: it has
 * backslashes (json_unescape). */
bool json_scan_string(struct json_scan *s, struct str *ret_raw, bool *ret_escaped);
/* `at` is on '-' or a digit. */
bool json_scan_number(struct json_scan *s, struct str *ret);
/* `at` is on t, f or n; gives the letter. */
bool json_scan_word(struct json_scan *s, char *ret);
/* One value of any kind with what is in it, at most `depth` containers deep; blanks before it are
 * skipped. ret: its text. */
bool json_scan_value(struct json_scan *s, unsigned depth, struct str *ret);

/* An object or array, member by member:
 *     json_scan_open_object(s) ... while (json_scan_next_key(s, &first, &key, &escaped)) { value }
 * Both give false at the end (why NULL, `at` behind the closing bracket) and on error. */
bool json_scan_enter(struct json_scan *s, char bracket);
bool json_scan_next_key(struct json_scan *s, bool *first, struct str *ret_raw, bool *ret_escaped);
bool json_scan_next_item(struct json_scan *s, bool *first);
/* Behind the bracket that closes the innermost `levels` containers: strings and brackets are looked
 * at, nothing is checked. */
bool json_scan_leave(struct json_scan *s, unsigned levels);
/* Nothing but blanks may be left. */
bool json_scan_end(struct json_scan *s);

/* The text of a checked raw string; out has room for raw.len bytes. The bytes written. */
size_t json_unescape(char *out, struct str raw);

/* err_set with "name:line:column: why"; lines are counted from first_line. Always false. */
bool json_scan_error(const struct json_scan *s, const char *name, size_t first_line,
                     struct err *err);
