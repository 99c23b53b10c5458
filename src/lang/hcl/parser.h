/* parser.h - what the parts of the parser share; not for users of hcl.h. */
#pragma once
#include "lang/hcl/hcl.h"

struct parser {
    struct arena *arena;
    struct arena scratch; /* lists while they grow */
    struct str text, name;
    const struct hcl_token *token;
    size_t ntokens, at;
    size_t
        limit; /* HCL_EOF is read from here on; the index of that token, or before it for a part */
    bool skip_newlines; /* inside ( ) [ ] and sequences */
    bool recovering;    /* a syntax error was reported in this item: say nothing more about it */
    /* HCL skips tokens after an error, and from then on reports and skips otherwise than before.
     * plumb takes the same way through the tokens, so that each of its errors has its counterpart
     * here, and tells more of them. */
    bool lost;     /* something was skipped: never false again */
    size_t errors; /* those that HCL reports, too */
    size_t faults; /* all, reported or not */
    unsigned depth_left;
    struct hcl_diags *diags;
    size_t scanner_from, scanner_to; /* the diagnostics that hcl_check_tokens() added */
    struct {
        enum hcl_token_kind *ptr;
        size_t n, room;
    } open;    /* brackets that hcl_skip_item() is inside of */
    bool full; /* out of memory */
};

/* The token that counts next; a comment that ends a line reads as HCL_NEWLINE where lines count. */
struct hcl_token hcl_peek_behind(const struct parser *p); /* comments, lines that do not count */
static inline struct hcl_token hcl_peek(const struct parser *p)
{
    const struct hcl_token *token = &p->token[p->at];
    bool plain = p->at < p->limit && token->kind != HCL_COMMENT && token->kind != HCL_NEWLINE;
    return plain ? *token : hcl_peek_behind(p);
}
struct hcl_token hcl_next(struct parser *p);
struct str hcl_token_text(const struct parser *p, struct hcl_token token);
bool hcl_token_is_word(const struct parser *p, struct hcl_token token, const char *word);

/* An error that is reported wherever it is found. */
void hcl_syntax_error(struct parser *p, struct hcl_range subject, const char *summary,
                      const char *detail);
/* One that may only be the consequence of another: not reported while recovering. */
void hcl_follow_up_error(struct parser *p, struct hcl_range subject, const char *summary,
                         const char *detail);
/* Was there an error since `errors` was counted that leaves the parser in a strange place? */
static inline bool hcl_failed(const struct parser *p, size_t errors)
{
    return p->lost && p->errors > errors;
}

/* Skip to and with the closer of an open bracket (its kind; HCL_EOF: everything). The closer, or
 * HCL_EOF. */
struct hcl_token hcl_skip_to(struct parser *p, enum hcl_token_kind closer);
/* The same for a bracket that is not open yet. */
void hcl_skip_over(struct parser *p, enum hcl_token_kind opener);
/* Skip to the end of the line that closes all brackets opened on the way. */
void hcl_skip_item(struct parser *p);

/* A new node; a shared error node where memory is out (p->full). */
struct hcl_expr *hcl_node(struct parser *p, enum hcl_expr_kind kind, struct hcl_range range);
const struct hcl_expr *hcl_error_node(struct parser *p, struct hcl_range range);
const struct hcl_expr *hcl_parse_expr(struct parser *p);
/* After the opener (already read): parts up to `end`, which is read too. flush: `<<-`. */
const struct hcl_expr *hcl_parse_template_until(struct parser *p, struct hcl_token opener,
                                                enum hcl_token_kind end, bool flush);
/* A quoted string without sequences (a block label); after the opening quote. */
struct str hcl_parse_label_text(struct parser *p, struct hcl_token opener,
                                struct hcl_range *ret_range);
/* All of the file. */
struct hcl_body hcl_parse_body(struct parser *p);
/* Whatever the scanner found that cannot be in any file. */
void hcl_check_tokens(struct parser *p);

/* A number of JSON's form whose exponent Terraform can hold (Go's big.Float: 32 bits, base two). */
bool hcl_number_is_readable(struct str text);
/* Its value: what is too large to be calculated with is infinite, what is too small is 0. */
struct value hcl_number_literal(struct str text);

static inline struct hcl_range hcl_span(struct hcl_range a, struct hcl_range b)
{
    return (struct hcl_range){a.start, b.end > a.end ? b.end : a.end};
}

/*
 * Lists { T *ptr; size_t n, room; } grow in p->scratch: a mark, HCL_APPEND, then HCL_KEEP, which
 * leaves the list in p->arena in its exact size and forgets what was put into scratch since the
 * mark. A list that is given up without HCL_KEEP goes with the next one around it.
 */
#define HCL_APPEND(p, list, item) HCL_APPEND_IN(&(p)->scratch, p, list, item)
#define HCL_APPEND_IN(in, p, list, item) \
    do { \
        (list).ptr = arena_grow((in), (list).ptr, (list).n, &(list).room, (list).n + 1); \
        if (!(list).ptr) { \
            (p)->full = true; \
            (list).n = (list).room = 0; \
        } else { \
            (list).ptr[(list).n++] = (item); \
        } \
    } while (0)
#define HCL_KEEP(p, list) \
    do { \
        (list).ptr = hcl_keep((p)->arena, (list).ptr, (list).n, sizeof *(list).ptr); \
        (p)->full |= (list).n && !(list).ptr; \
        (list).n = (list).ptr ? (list).n : 0; \
    } while (0)
/* A copy of n > 0 objects; NULL where memory is out, or there are none. */
void *hcl_keep(struct arena *arena, const void *list, size_t n, size_t size);
