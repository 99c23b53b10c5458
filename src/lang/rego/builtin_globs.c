/* builtin_globs.c - regex.globs_match: is there a text that two simple patterns both match?
 *
 * A pattern is a row of characters, ".", sets "[a-z]" and escapes "\x", each maybe with "*" or "+".
 * Both are walked at once over the grid of their positions: linear in the product of lengths.
 */
#include <string.h>

#include "base/arena.h"
#include "lang/rego/builtin.h"

enum { GLOB_TOKENS_MAX = 20000, GRID_MAX = 64 << 20 };
static const uint32_t LAST = 0x10ffff;

struct range {
    uint32_t from, to;
};
struct token {
    const struct range *range;
    size_t n;
    bool star;
};
struct glob {
    struct token *token;
    size_t n;
};
struct reader {
    struct rego_call *call;
    struct str rest;
    uint32_t c;
    bool escaped;
};

static bool fail(struct reader *in, const char *why)
{
    (void)rego_fail(in->call, "%s: the input provided is invalid", why);
    return false;
}

static uint32_t code_point(struct str *s)
{
    unsigned char c = (unsigned char)s->ptr[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    n = n > s->len ? s->len : n;
    uint32_t point = n == 1 ? c : c & (0x7fu >> n);
    for (size_t i = 1; i < n; i++)
        point = point << 6 | ((unsigned char)s->ptr[i] & 63);
    *s = str_sub(*s, n, s->len);
    return point;
}

/* The next character; false at the end (or with an error, which is told by call->why). */
static bool next(struct reader *in)
{
    if (!in->rest.len)
        return false;
    in->escaped = in->rest.ptr[0] == '\\';
    if (in->escaped) {
        in->rest = str_sub(in->rest, 1, in->rest.len);
        if (!in->rest.len)
            return fail(in, "input ends with a \\ (escape) character");
    }
    in->c = code_point(&in->rest);
    return true;
}

static bool read_set(struct reader *in, struct token *ret)
{
    struct range *range = arena_new(in->call->arena, struct range, in->rest.len + 1);
    size_t n = 0;
    bool previous = false; /* a character that may start a range */
    while (range && next(in)) {
        if (!in->escaped && in->c == ']') {
            *ret = (struct token){range, n, false};
            return true;
        }
        if (in->escaped || in->c != '-') {
            range[n++] = (struct range){in->c, in->c};
            previous = true;
            continue;
        }
        if (!previous)
            return fail(in, "range character '-' must be preceded by a Unicode character");
        if (!next(in) || (!in->escaped && (in->c == ']' || in->c == '-')))
            return fail(in, "range character '-' must be followed by a Unicode character");
        if (in->c < range[n - 1].from)
            return fail(in, "range is out of order");
        range[n - 1].to = in->c;
        previous = false;
    }
    return fail(in, "found [ without matching ]");
}

static bool read_token(struct reader *in, struct token *ret)
{
    struct range *range;
    if (!in->escaped && in->c == '[')
        return read_set(in, ret);
    if (!in->escaped && in->c == ']')
        return fail(in, "set-close ']' with no preceding '['");
    if (!in->escaped && (in->c == '*' || in->c == '+'))
        return fail(in, "flag must be preceded by a non-flag");
    range = arena_new(in->call->arena, struct range, 1);
    if (!range)
        return false;
    bool dot = !in->escaped && in->c == '.';
    *range = dot ? (struct range){0, LAST} : (struct range){in->c, in->c};
    *ret = (struct token){range, 1, false};
    return true;
}

/* "x+" becomes "xx*". */
static bool parse(struct rego_call *call, struct str text, struct glob *ret)
{
    struct reader in = {call, text, 0, false};
    struct token token;
    *ret = (struct glob){arena_new(call->arena, struct token, text.len + 1), 0};
    if (!ret->token)
        return false;
    while (next(&in)) {
        if (!read_token(&in, &token))
            return false;
        char flag = in.rest.len ? in.rest.ptr[0] : '\0';
        if (flag != '*')
            ret->token[ret->n++] = token;
        if (flag == '*' || flag == '+') {
            token.star = true;
            ret->token[ret->n++] = token;
            in.rest = str_sub(in.rest, 1, in.rest.len);
        }
    }
    return !call->why.ptr;
}

static bool share(const struct token *a, const struct token *b)
{
    for (size_t i = 0; i < a->n; i++)
        for (size_t j = 0; j < b->n; j++)
            if (a->range[i].from <= b->range[j].to && b->range[j].from <= a->range[i].to)
                return true;
    return false;
}

/* From (i, j) each step goes right or down, so one pass in order finds all that can be reached. */
static bool meet(const struct glob *a, const struct glob *b, bool *reached)
{
    size_t width = b->n + 1;
    reached[0] = true;
    for (size_t i = 0; i <= a->n; i++)
        for (size_t j = 0; j <= b->n; j++) {
            const struct token *x = i < a->n ? &a->token[i] : NULL;
            const struct token *y = j < b->n ? &b->token[j] : NULL;
            if (!reached[i * width + j])
                continue;
            if (x && x->star)
                reached[(i + 1) * width + j] = true;
            if (y && y->star)
                reached[i * width + j + 1] = true;
            if (x && y && !(x->star && y->star) && share(x, y))
                reached[(i + !x->star) * width + j + !y->star] = true;
        }
    return reached[a->n * width + b->n];
}

static enum rego_outcome globs_match(struct rego_call *call, struct value *ret)
{
    struct glob a, b;
    if (!parse(call, value_text(&call->arg[0]), &a) || !parse(call, value_text(&call->arg[1]), &b))
        return call->why.ptr ? REGO_FAILED : REGO_HALT;
    if (a.n > GLOB_TOKENS_MAX || b.n > GLOB_TOKENS_MAX || (a.n + 1) * (b.n + 1) > GRID_MAX)
        return rego_fail(call, "the patterns are too long");
    uint64_t cells = (uint64_t)(a.n + 1) * (b.n + 1);
    if (call->spend && !call->spend(call->spend_ctx, cells / 64))
        return REGO_HALT;
    bool *reached = arena_new(call->arena, bool, (size_t)cells);
    if (!reached)
        return REGO_HALT;
    *ret = value_bool(meet(&a, &b, reached));
    return REGO_DEFINED;
}

static const struct rego_builtin table[] = {
    {"regex.globs_match", NULL, "(string, string) => boolean", globs_match, 0},
};
const struct rego_family builtin_globs = {table, sizeof table / sizeof *table};
