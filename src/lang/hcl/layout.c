/* layout.c - indentation, blanks between tokens, and columns of "=" and comments. */
#include "lang/hcl/layout.h"

#include "base/arena.h"
#include "base/utf8.h"

static bool ends_line(const struct hcl_piece *p)
{
    return p->kind == HCL_NEWLINE ||
           (p->kind == HCL_COMMENT && p->text.len && p->text.ptr[p->text.len - 1] == '\n');
}

/* What a token is to its neighbours. */
enum {
    OPENS = 1,        /* a bracket or the start of a sequence */
    CLOSES = 2,       /* its end */
    TEXT = 4,         /* nothing may come between it and what follows: it is in a template */
    TEXT_END = 8,     /* or before it */
    NEGATES = 16,     /* a minus behind it is a sign, not a subtraction */
    INDEXABLE = 32,   /* "[" behind it is an index */
    SEQUENCE = 64,    /* ${ or %{ */
    HUGS_BEFORE = 128 /* never a blank in front */
};

static const unsigned char traits[HCL_TOKEN_KIND_COUNT] = {
    [HCL_NEWLINE] = HUGS_BEFORE,
    [HCL_IDENT] = INDEXABLE,
    [HCL_NUMBER] = INDEXABLE,
    [HCL_OQUOTE] = TEXT,
    [HCL_CQUOTE] = TEXT_END,
    [HCL_QUOTED_TEXT] = TEXT | TEXT_END,
    [HCL_OHEREDOC] = TEXT,
    [HCL_CHEREDOC] = TEXT_END,
    [HCL_RAW_TEXT] = TEXT | TEXT_END,
    [HCL_INTERP] = OPENS | SEQUENCE,
    [HCL_CONTROL] = OPENS | SEQUENCE,
    [HCL_SEQ_END] = CLOSES | INDEXABLE,
    [HCL_OBRACE] = OPENS | NEGATES,
    [HCL_CBRACE] = CLOSES | INDEXABLE,
    [HCL_OBRACK] = OPENS | NEGATES,
    [HCL_CBRACK] = CLOSES | INDEXABLE,
    [HCL_OPAREN] = OPENS | NEGATES,
    [HCL_CPAREN] = CLOSES | INDEXABLE,
    [HCL_PLUS] = NEGATES,
    [HCL_MINUS] = NEGATES,
    [HCL_STAR] = NEGATES,
    [HCL_SLASH] = NEGATES,
    [HCL_PERCENT] = NEGATES,
    [HCL_EQ] = NEGATES,
    [HCL_NE] = NEGATES,
    [HCL_LT] = NEGATES,
    [HCL_LE] = NEGATES,
    [HCL_GT] = NEGATES,
    [HCL_GE] = NEGATES,
    [HCL_AND] = NEGATES,
    [HCL_OR] = NEGATES,
    [HCL_BANG] = NEGATES,
    [HCL_QUESTION] = NEGATES,
    [HCL_COLON] = NEGATES,
    [HCL_ASSIGN] = NEGATES,
    [HCL_COMMA] = NEGATES | HUGS_BEFORE,
    [HCL_ELLIPSIS] = HUGS_BEFORE,
};

static int net_brackets(const struct hcl_piece *p)
{
    unsigned t = traits[p->kind];
    return (t & OPENS ? 1 : 0) - (t & CLOSES ? 1 : 0);
}

/* --- blanks between tokens --- */

static bool is_in(const struct hcl_piece *p)
{
    return p->kind == HCL_IDENT && p->text.len == 2 && p->text.ptr[0] == 'i' &&
           p->text.ptr[1] == 'n';
}

/* Brackets that b or a is; the braces of objects and blocks have blanks inside, others not. */
static bool blank_at_brackets(enum hcl_token_kind a, enum hcl_token_kind b)
{
    if (a == HCL_OBRACE || b == HCL_CBRACE)
        return !(a == HCL_OBRACE && b == HCL_CBRACE);
    if ((traits[a] & SEQUENCE && b == HCL_OBRACE) || (a == HCL_CBRACE && b == HCL_SEQ_END))
        return true;
    if (a == HCL_SEQ_END && traits[b] & SEQUENCE)
        return false;
    return !(traits[a] & OPENS) && !(traits[b] & CLOSES);
}

/* Is there a blank between a and b? The first rule that fits decides. before: the one in front of
 * a in its cell, or NULL. */
static bool blank_between(const struct hcl_piece *before, const struct hcl_piece *a,
                          const struct hcl_piece *b)
{
    bool scope = (a->kind == HCL_IDENT && b->kind == HCL_DOUBLE_COLON) ||
                 (a->kind == HCL_DOUBLE_COLON && b->kind == HCL_IDENT);
    if (b->kind == HCL_NEWLINE || (a->kind == HCL_IDENT && b->kind == HCL_OPAREN) || scope ||
        a->kind == HCL_DOT || b->kind == HCL_DOT || traits[b->kind] & HUGS_BEFORE)
        return false;
    if (a->kind == HCL_COMMA)
        return true;
    if (traits[a->kind] & TEXT || traits[b->kind] & TEXT_END)
        return false;
    /* `for x in [...]` looks like an index of something called "in". */
    if (is_in(a) && before && before->kind == HCL_IDENT)
        return true;
    if ((b->kind == HCL_OBRACK && traits[a->kind] & INDEXABLE) || a->kind == HCL_BANG)
        return false;
    if (a->kind == HCL_MINUS)
        return before && !(traits[before->kind] & NEGATES);
    return blank_at_brackets(a->kind, b->kind);
}

static void space_cell(struct hcl_piece *piece, size_t start, size_t end)
{
    for (size_t i = start; i + 1 < end; i++)
        piece[i + 1].spaces =
            blank_between(i > start ? &piece[i - 1] : NULL, &piece[i], &piece[i + 1]);
}

/* --- indentation --- */

/* One level for each line that opens more than it closes: how many brackets it left open. */
struct levels {
    unsigned *open;
    size_t n, room;
};

static bool indent_line(struct arena *arena, struct levels *levels, struct hcl_piece *piece,
                        const struct hcl_line *line)
{
    int net = 0;
    for (size_t i = line->lead; i < line->assign; i++) {
        net += net_brackets(&piece[i]);
        if (piece[i].kind == HCL_OHEREDOC)
            break;
    }
    for (size_t i = line->assign; i < line->comment; i++)
        net += net_brackets(&piece[i]);
    for (unsigned closed = net < 0 ? (unsigned)-net : 0; closed && levels->n;) {
        unsigned *top = &levels->open[levels->n - 1];
        unsigned step = closed < *top ? closed : *top;
        closed -= step;
        *top -= step;
        if (*top == 0)
            levels->n--;
    }
    piece[line->lead].spaces = (uint32_t)levels->n * 2;
    if (net <= 0)
        return true;
    levels->open = arena_grow(arena, levels->open, levels->n, &levels->room, levels->n + 1);
    if (!levels->open)
        return false;
    levels->open[levels->n++] = (unsigned)net;
    return true;
}

/* --- columns --- */

static size_t text_columns(struct str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] >= 0x80 || s.ptr[i] == '\r') {
            for (size_t at = 0; at < s.len; count++)
                at = utf8_cluster(s, at);
            return count;
        }
    return s.len;
}

static size_t columns(const struct hcl_piece *piece, size_t start, size_t end)
{
    size_t count = 0;
    for (size_t i = start; i < end; i++)
        count += piece[i].spaces + text_columns(piece[i].text);
    return count;
}

static size_t assign_cell(const struct hcl_line *line)
{
    return line->assign < line->comment ? line->assign : SIZE_MAX;
}

static size_t comment_cell(const struct hcl_line *line)
{
    return line->comment < line->end ? line->comment : SIZE_MAX;
}

/* In each run of lines that have this cell it begins one blank behind the widest of what is before
 * it. */
static void align(struct hcl_piece *piece, const struct hcl_line *line, size_t nlines,
                  size_t (*cell)(const struct hcl_line *))
{
    for (size_t i = 0; i < nlines;) {
        size_t run = i, widest = 0;
        for (; run < nlines && cell(&line[run]) != SIZE_MAX; run++) {
            size_t at = cell(&line[run]), width = columns(piece, line[run].lead, at);
            piece[at].spaces = (uint32_t)width; /* for now */
            widest = width > widest ? width : widest;
        }
        for (; i < run; i++) {
            struct hcl_piece *p = &piece[cell(&line[i])];
            p->spaces = (uint32_t)widest - p->spaces + 1;
        }
        i = run + (run == i);
    }
}

/* --- lines --- */

/* From its "=" on, where the brackets behind it balance: else it opens a value of more lines. */
static size_t find_assign(const struct hcl_piece *piece, size_t lead, size_t comment)
{
    size_t assign = lead + 1;
    while (assign < comment && piece[assign].kind != HCL_ASSIGN)
        assign++;
    int net = 0;
    for (size_t i = assign; i < comment; i++)
        net += net_brackets(&piece[i]);
    return net == 0 && assign < comment ? assign : comment;
}

static struct hcl_line make_line(const struct hcl_piece *piece, size_t start, size_t end)
{
    struct hcl_line line = {.lead = start, .comment = end, .end = end};
    if (end - start > 1 && piece[end - 1].kind == HCL_COMMENT)
        line.comment--;
    line.assign = find_assign(piece, start, line.comment);
    return line;
}

bool hcl_lay_out(struct arena *arena, struct hcl_piece *piece, size_t npieces,
                 struct hcl_line **ret_lines, size_t *ret_n)
{
    size_t room = 1, n = 0, start = 0;
    struct levels levels = {0};
    for (size_t i = 0; i < npieces; i++)
        room += ends_line(&piece[i]);
    struct hcl_line *line = arena_new_raw(arena, struct hcl_line, room);
    if (!line)
        return false;
    for (size_t i = 0; i < npieces; i++) {
        bool eof = piece[i].kind == HCL_EOF;
        if (!eof && !ends_line(&piece[i]))
            continue;
        size_t end = eof ? i : i + 1;
        if (start < end) {
            line[n] = make_line(piece, start, end);
            if (!indent_line(arena, &levels, piece, &line[n]))
                return false;
            if (piece[start].kind == HCL_NEWLINE)
                piece[start].spaces = 0;
            space_cell(piece, start, line[n].assign);
            space_cell(piece, line[n].assign, line[n].comment);
            n++;
        }
        start = end;
    }
    align(piece, line, n, assign_cell);
    align(piece, line, n, comment_cell);
    *ret_lines = line;
    *ret_n = n;
    return true;
}
