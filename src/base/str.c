/* str.c - comparing, cutting and searching views. */
#include "base/str.h"

#include <string.h>

struct str str_from(const char *c_string)
{
    return (struct str){c_string, c_string ? strlen(c_string) : 0};
}

bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int str_compare(struct str a, struct str b)
{
    size_t least = a.len < b.len ? a.len : b.len;
    int order = least ? memcmp(a.ptr, b.ptr, least) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_equal(str_sub(s, 0, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len && str_equal(str_sub(s, s.len - suffix.len, s.len), suffix);
}

struct str str_sub(struct str s, size_t from, size_t to)
{
    if (to > s.len)
        to = s.len;
    if (from >= to)
        return (struct str){s.ptr ? s.ptr + (from < s.len ? from : s.len) : NULL, 0};
    return (struct str){s.ptr + from, to - from};
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

size_t str_find(struct str s, struct str needle, size_t from)
{
    if (from > s.len || needle.len > s.len - from)
        return SIZE_MAX;
    if (needle.len == 0)
        return from;
    const char *hit = memmem(s.ptr + from, s.len - from, needle.ptr, needle.len);
    return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

size_t str_find_char(struct str s, char c, size_t from)
{
    const char *hit = from < s.len ? memchr(s.ptr + from, c, s.len - from) : NULL;
    return hit ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

bool str_cut(struct str *s, char c, struct str *ret_head)
{
    size_t at = str_find_char(*s, c, 0);
    if (at == SIZE_MAX) {
        *ret_head = *s;
        *s = str_sub(*s, s->len, s->len);
        return false;
    }
    *ret_head = str_sub(*s, 0, at);
    *s = str_sub(*s, at + 1, s->len);
    return true;
}

bool str_to_int64(struct str s, int64_t *ret)
{
    size_t i = s.len && s.ptr[0] == '-' ? 1 : 0;
    int64_t n = 0;
    if (i == s.len)
        return false;
    for (; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        int digit = s.ptr[i] - '0';
        if (__builtin_mul_overflow(n, (int64_t)10, &n) ||
            __builtin_sub_overflow(n, (int64_t)digit, &n))
            return false;
    }
    if (s.ptr[0] != '-' && __builtin_sub_overflow((int64_t)0, n, &n))
        return false;
    *ret = n;
    return true;
}

int str_compare_qsort(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

enum { NEAREST_LEN_MAX = 64 };

/* Levenshtein with one row; words longer than the row are never near. */
static size_t edit_distance(struct str a, struct str b)
{
    size_t row[NEAREST_LEN_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j], best = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
            diagonal = above;
        }
    }
    return row[b.len];
}

struct str str_nearest(struct str word, const struct str *candidates, size_t n)
{
    struct str best = {0};
    size_t least = word.len / 3 + 1;
    if (word.len > NEAREST_LEN_MAX)
        return best;
    for (size_t i = 0; i < n; i++) {
        if (candidates[i].len > NEAREST_LEN_MAX)
            continue;
        size_t d = edit_distance(word, candidates[i]);
        if (d <= least && (d < least || !best.ptr)) {
            best = candidates[i];
            least = d;
        }
    }
    return best;
}
