/* version.c - read by hand, segment by segment; comparing as semver does. */
#include "desired/version.h"

#include <string.h>

enum { SEGMENTS_MAX = 32 };

struct version {
    int64_t segment[SEGMENTS_MAX];
    size_t n, written; /* n >= 3, padded with 0; written: as many as the text has */
    struct str prerelease;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '~';
}

/* WORD(.WORD)* from *at on; false if there is an empty word. */
static bool read_words(struct str text, size_t *at)
{
    for (;;) {
        size_t start = *at;
        while (*at < text.len && is_word(text.ptr[*at]))
            ++*at;
        if (*at == start)
            return false;
        if (*at == text.len || text.ptr[*at] != '.')
            return true;
        ++*at;
    }
}

static bool read_segments(struct str text, size_t *at, struct version *ret)
{
    for (;;) {
        size_t start = *at;
        while (*at < text.len && is_digit(text.ptr[*at]))
            ++*at;
        if (ret->n == SEGMENTS_MAX ||
            !str_to_int64(str_sub(text, start, *at), &ret->segment[ret->n]))
            return false;
        ret->n++;
        if (*at + 1 >= text.len || text.ptr[*at] != '.')
            break;
        ++*at;
    }
    for (ret->written = ret->n; ret->n < 3; ret->n++)
        ret->segment[ret->n] = 0;
    return true;
}

static bool version_parse(struct str text, struct version *ret)
{
    size_t at = text.len && text.ptr[0] == 'v';
    memset(ret, 0, sizeof *ret);
    if (!read_segments(text, &at, ret))
        return false;
    if (at < text.len && text.ptr[at] != '+') {
        size_t start = at += text.ptr[at] == '-' && at + 1 < text.len;
        if (!read_words(text, &at))
            return false;
        ret->prerelease = str_sub(text, start, at);
    }
    if (at < text.len && text.ptr[at] == '+') {
        at++;
        if (!read_words(text, &at))
            return false;
    }
    return at == text.len;
}

/* Numbers before words, numbers by value, fewer parts first. */
static int compare_part(struct str a, struct str b)
{
    int64_t x, y;
    bool number_a = str_to_int64(a, &x), number_b = str_to_int64(b, &y);
    if (number_a && number_b)
        return (x > y) - (x < y);
    if (number_a != number_b)
        return number_a ? -1 : 1;
    return str_compare(a, b);
}

static int compare_prereleases(struct str a, struct str b)
{
    if (str_equal(a, b))
        return 0;
    if (!a.len || !b.len)
        return a.len ? -1 : 1;
    while (a.len && b.len) {
        struct str x, y;
        (void)str_cut(&a, '.', &x);
        (void)str_cut(&b, '.', &y);
        int order = compare_part(x, y);
        if (order)
            return order;
    }
    return (a.len > 0) - (b.len > 0);
}

static int compare_segments(const struct version *a, const struct version *b)
{
    for (size_t i = 0; i < a->n || i < b->n; i++) {
        int64_t x = i < a->n ? a->segment[i] : 0, y = i < b->n ? b->segment[i] : 0;
        if (x != y)
            return x < y ? -1 : 1;
    }
    return 0;
}

static int compare(const struct version *a, const struct version *b)
{
    int order = compare_segments(a, b);
    return order ? order : compare_prereleases(a->prerelease, b->prerelease);
}

/* --- constraints --- */

enum operator{ OP_EQ, OP_NE, OP_GE, OP_LE, OP_PESSIMISTIC, OP_GT, OP_LT };

struct constraint {
    enum operator op;
    struct version version;
};

static bool constraint_parse(struct str text, struct constraint *ret)
{
    static const struct {
        struct str text;
        enum operator op;
    } ops[] = {{STR_INIT("!="), OP_NE}, {STR_INIT(">="), OP_GE},
               {STR_INIT("<="), OP_LE}, {STR_INIT("~>"), OP_PESSIMISTIC},
               {STR_INIT("="), OP_EQ},  {STR_INIT(">"), OP_GT},
               {STR_INIT("<"), OP_LT}};
    text = str_trim(text);
    ret->op = OP_EQ;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (str_starts(text, ops[i].text)) {
            ret->op = ops[i].op;
            text = str_trim(str_sub(text, ops[i].text.len, text.len));
            break;
        }
    return version_parse(text, &ret->version);
}

static bool prerelease_fits(const struct version *v, const struct constraint *c)
{
    if (!v->prerelease.len)
        return true;
    return c->version.prerelease.len && compare_segments(v, &c->version) == 0;
}

static bool pessimistic(const struct version *v, const struct version *c)
{
    if ((c->prerelease.len && !v->prerelease.len) || compare(v, c) < 0 || c->n > v->n)
        return false;
    for (size_t i = 0; i + 1 < c->written; i++)
        if (v->segment[i] != c->segment[i])
            return false;
    return c->segment[c->n - 1] <= v->segment[c->n - 1];
}

static bool satisfies(const struct version *v, const struct constraint *c)
{
    int order = compare(v, &c->version);
    if (c->op == OP_EQ || c->op == OP_NE)
        return (order == 0) == (c->op == OP_EQ);
    if (!prerelease_fits(v, c))
        return false;
    return c->op == OP_GT   ? order > 0
           : c->op == OP_LT ? order < 0
           : c->op == OP_GE ? order >= 0
           : c->op == OP_LE ? order <= 0
                            : pessimistic(v, &c->version);
}

bool version_valid(struct str version)
{
    struct version v;
    return version_parse(version, &v);
}

bool version_constraint_valid(struct str constraint)
{
    struct constraint c;
    struct str part;
    for (bool more = true; more;) {
        more = str_cut(&constraint, ',', &part);
        if (!constraint_parse(part, &c))
            return false;
    }
    return true;
}

bool version_matches(struct str version, struct str constraint)
{
    struct version v;
    struct constraint c;
    struct str part;
    if (!version_parse(version, &v))
        return false;
    for (bool more = true; more;) {
        more = str_cut(&constraint, ',', &part);
        if (!constraint_parse(part, &c) || !satisfies(&v, &c))
            return false;
    }
    return true;
}

bool version_constraint_has_prerelease(struct str constraint)
{
    struct constraint c;
    struct str part;
    for (bool more = true; more;) {
        more = str_cut(&constraint, ',', &part);
        if (constraint_parse(part, &c) && c.version.prerelease.len)
            return true;
    }
    return false;
}

int version_compare(struct str a, struct str b)
{
    struct version x, y;
    return version_parse(a, &x) && version_parse(b, &y) ? compare(&x, &y) : 0;
}
