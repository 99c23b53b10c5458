/* parse_body.c - attributes and blocks. */
#include <stdlib.h>

#include "base/arena.h"
#include "lang/hcl/parser.h"

struct body_lists {
    struct arena_mark mark; /* of p->scratch, where they grow */
    struct {
        struct hcl_attribute *ptr;
        size_t n, room;
    } attributes;
    struct {
        struct hcl_block *ptr;
        size_t n, room;
    } blocks;
};

static const char unclosed_detail[] =
    "There is no closing brace for this block before the end of the file. This may be caused by "
    "incorrect brace nesting elsewhere in this file.";

/* After "name =": the value and the end of the line. one_line: inside `x { a = 1 }`. */
static void parse_attribute(struct parser *p, struct hcl_token name, struct body_lists *lists,
                            bool one_line)
{
    size_t errors = p->errors;
    const struct hcl_expr *value = hcl_parse_expr(p);
    HCL_APPEND(p, lists->attributes,
               ((struct hcl_attribute){.name = hcl_token_text(p, name),
                                       .value = value,
                                       .name_range = name.range,
                                       .range = hcl_span(name.range, value->range)}));
    if (hcl_failed(p, errors)) {
        hcl_skip_item(p);
        return;
    }
    struct hcl_token end = hcl_peek(p);
    if (one_line)
        return;
    if (end.kind == HCL_NEWLINE || end.kind == HCL_EOF) {
        (void)hcl_next(p);
        return;
    }
    bool comma = end.kind == HCL_COMMA;
    hcl_follow_up_error(
        p, end.range, comma ? "Unexpected comma after argument" : "Missing newline after argument",
        comma ? "Argument definitions must be separated by newlines, not commas. An "
                "argument definition must end with a newline."
              : "An argument definition must end with a newline.");
    hcl_skip_item(p);
}

static bool begins_block(enum hcl_token_kind kind)
{
    return kind == HCL_OQUOTE || kind == HCL_OBRACE || kind == HCL_IDENT;
}

static const char *const definition_required = "Argument or block definition required";

/* What stands where an argument or a block should begin is neither. */
static void no_definition(struct parser *p, struct hcl_token name)
{
    hcl_skip_item(p);
    hcl_syntax_error(p, name.range, definition_required,
                     name.kind == HCL_IDENT
                         ? "An argument or block definition is required here. To set an argument, "
                           "use the equals sign \"=\" to introduce the argument value."
                         : "An argument or block definition is required here.");
}

/* Between the braces of `x { a = 1 }`; the opening brace is read. */
static void parse_one_line(struct parser *p, struct body_lists *lists)
{
    struct hcl_token name = hcl_next(p), after = hcl_peek(p);
    if (name.kind == HCL_IDENT && after.kind == HCL_ASSIGN) {
        (void)hcl_next(p);
        parse_attribute(p, name, lists, true);
    } else if (name.kind == HCL_IDENT && begins_block(after.kind)) {
        struct str word = hcl_token_text(p, name);
        struct str detail =
            arena_printf(p->arena,
                         "A single-line block definition can contain only a single argument. If "
                         "you meant to define argument \"%.*s\", use an equals sign to assign it "
                         "a value. To define a nested block, place it on a line of its own within "
                         "its parent block.",
                         STR_ARG(word));
        hcl_skip_item(p);
        hcl_syntax_error(p, hcl_span(name.range, after.range), "Argument definition required",
                         detail.ptr ? detail.ptr : "");
    } else {
        no_definition(p, name);
    }
}

/* What may stand where the brace of `x { a = 1 }` should be. */
static const struct {
    enum hcl_token_kind kind;
    bool at_open; /* the message points at the opening brace */
    void (*report)(struct parser *p, struct hcl_range subject, const char *summary,
                   const char *detail);
    const char *summary, *detail;
} one_line_ends[] = {
    {HCL_COMMA, false, hcl_syntax_error, "Invalid single-argument block definition",
     "Single-line block syntax can include only one argument definition. To define multiple "
     "arguments, use the multi-line block syntax with one argument definition per line."},
    {HCL_NEWLINE, false, hcl_syntax_error, "Invalid single-argument block definition",
     "An argument definition on the same line as its containing block creates a single-line block "
     "definition, which must also be closed on the same line. Place the block's closing brace "
     "immediately after the argument definition."},
    {HCL_EOF, true, hcl_follow_up_error, "Unclosed configuration block", unclosed_detail},
    {HCL_TOKEN_KIND_COUNT, false, hcl_follow_up_error, "Invalid single-argument block definition",
     "A single-line block definition must end with a closing brace immediately after its single "
     "argument definition."},
};

static void close_one_line(struct parser *p, struct hcl_token open)
{
    struct hcl_token end = hcl_peek(p);
    size_t row = 0;
    if (end.kind == HCL_CBRACE) {
        (void)hcl_next(p);
        return;
    }
    while (one_line_ends[row].kind != end.kind && one_line_ends[row].kind != HCL_TOKEN_KIND_COUNT)
        row++;
    one_line_ends[row].report(p, one_line_ends[row].at_open ? open.range : end.range,
                              one_line_ends[row].summary, one_line_ends[row].detail);
    (void)hcl_skip_to(p, HCL_CBRACE);
}

static int by_name_then_place(const void *a, const void *b)
{
    const struct hcl_attribute *x = *(const struct hcl_attribute *const *)a;
    const struct hcl_attribute *y = *(const struct hcl_attribute *const *)b;
    int order = str_compare(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

static void report_redefined(struct parser *p, const struct hcl_attribute *first,
                             const struct hcl_attribute *again)
{
    if (p->diags->n >= HCL_DIAGS_MAX)
        return;
    struct str place = hcl_range_text(p->arena, p->name, p->text, first->name_range);
    hcl_diag_add(p->diags, p->name, p->text, false, again->name_range, STR("Attribute redefined"),
                 "The argument \"%.*s\" was already set at %.*s. Each argument may be set "
                 "only once.",
                 STR_ARG(again->name), STR_ARG(place));
}

/* The first one of a name stays. Sorted pointers find the others, so that a huge body is no trap.
 */
static void drop_redefined(struct parser *p, struct body_lists *lists)
{
    size_t n = lists->attributes.n, kept = 0;
    struct hcl_attribute **sorted = arena_new(&p->scratch, struct hcl_attribute *, n);
    if (!sorted) {
        p->full = true;
        return;
    }
    for (size_t i = 0; i < n; i++)
        sorted[i] = &lists->attributes.ptr[i];
    qsort(sorted, n, sizeof(struct hcl_attribute *), by_name_then_place);
    const struct hcl_attribute *first = sorted[0];
    for (size_t i = 1; i < n; i++) {
        if (!str_equal(first->name, sorted[i]->name)) {
            first = sorted[i];
            continue;
        }
        report_redefined(p, first, sorted[i]);
        sorted[i]->value = NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (lists->attributes.ptr[i].value)
            lists->attributes.ptr[kept++] = lists->attributes.ptr[i];
    lists->attributes.n = kept;
}

static struct hcl_body close_body(struct parser *p, struct body_lists *lists,
                                  struct hcl_range range)
{
    if (lists->attributes.n > 1)
        drop_redefined(p, lists);
    HCL_KEEP(p, lists->attributes);
    HCL_KEEP(p, lists->blocks);
    arena_rewind(&p->scratch, lists->mark);
    return (struct hcl_body){.attribute = lists->attributes.ptr,
                             .nattributes = lists->attributes.n,
                             .block = lists->blocks.ptr,
                             .nblocks = lists->blocks.n,
                             .range = range};
}

static void parse_lines(struct parser *p, enum hcl_token_kind end, struct body_lists *lists,
                        struct hcl_range open);

/* After the opening brace: content, closing brace, end of line. */
static void parse_block_body(struct parser *p, struct hcl_block *block, struct hcl_token open)
{
    struct hcl_token first = hcl_peek(p);
    struct body_lists lists = {.mark = arena_mark(&p->scratch)};
    bool lines = first.kind == HCL_NEWLINE || first.kind == HCL_EOF || first.kind == HCL_CBRACE;
    block->open = open.range;
    if (p->depth_left == 0) {
        hcl_syntax_error(p, open.range, "Configuration nested too deeply",
                         "Blocks are nested deeper than plumb reads.");
        p->at = p->limit;
        return;
    }
    p->depth_left--;
    if (lines) {
        parse_lines(p, HCL_CBRACE, &lists, open.range);
    } else {
        parse_one_line(p, &lists);
        close_one_line(p, open);
    }
    p->depth_left++;
    struct hcl_range close = p->token[p->at ? p->at - 1 : 0].range;
    block->range.end = close.end;
    block->body =
        close_body(p, &lists,
                   (struct hcl_range){open.range.end,
                                      close.start > open.range.end ? close.start : open.range.end});
    block->body.missing =
        lines ? open.range : (struct hcl_range){first.range.start, first.range.start + 1};
    struct hcl_token end = hcl_peek(p);
    if (end.kind == HCL_NEWLINE || end.kind == HCL_EOF) {
        (void)hcl_next(p);
        return;
    }
    hcl_follow_up_error(p, end.range, "Missing newline after block definition",
                        "A block definition must end with a newline.");
    hcl_skip_item(p);
}

static const char *block_header_problem(enum hcl_token_kind kind)
{
    if (kind == HCL_ASSIGN)
        return "The equals sign \"=\" indicates an argument definition, and must not be used when "
               "defining a block.";
    if (kind == HCL_NEWLINE)
        return "A block definition must have block content delimited by \"{\" and \"}\", starting "
               "on the same line as the block header.";
    return "Either a quoted string block label or an opening brace (\"{\") is expected here.";
}

/* The labels up to and with the opening brace. False (reported) if that is not what follows. */
static bool parse_labels(struct parser *p, struct hcl_block *block, struct hcl_token *ret_open)
{
    struct {
        struct hcl_label *ptr;
        size_t n, room;
    } labels = {0};
    struct arena_mark mark = arena_mark(&p->scratch);
    for (;;) {
        struct hcl_token token = hcl_peek(p);
        struct hcl_label label = {.text = hcl_token_text(p, token), .range = token.range};
        if (token.kind == HCL_OBRACE) {
            *ret_open = hcl_next(p);
            HCL_KEEP(p, labels);
            arena_rewind(&p->scratch, mark);
            block->label = labels.ptr;
            block->nlabels = labels.n;
            return true;
        }
        if (token.kind == HCL_ASSIGN || token.kind == HCL_NEWLINE) {
            hcl_syntax_error(p, token.range, "Invalid block definition",
                             block_header_problem(token.kind));
            return false;
        }
        if (token.kind != HCL_OQUOTE && token.kind != HCL_IDENT) {
            hcl_follow_up_error(p, token.range, "Invalid block definition",
                                block_header_problem(token.kind));
            return false;
        }
        (void)hcl_next(p);
        label.quoted = token.kind == HCL_OQUOTE;
        if (label.quoted)
            label.text = hcl_parse_label_text(p, token, &label.range);
        HCL_APPEND(p, labels, label);
        block->header = hcl_span(block->header, label.range);
    }
}

static void parse_block(struct parser *p, struct hcl_token type, struct body_lists *lists)
{
    struct hcl_block block = {.type = hcl_token_text(p, type),
                              .type_range = type.range,
                              .header = type.range,
                              .range = type.range};
    struct hcl_token open;
    if (!parse_labels(p, &block, &open)) {
        hcl_skip_item(p);
        return;
    }
    parse_block_body(p, &block, open);
    HCL_APPEND(p, lists->blocks, block);
}

static void parse_item(struct parser *p, struct body_lists *lists)
{
    struct hcl_token name = hcl_next(p), after = hcl_peek(p);
    p->recovering = false;
    if (after.kind == HCL_ASSIGN) {
        (void)hcl_next(p);
        parse_attribute(p, name, lists, false);
    } else if (begins_block(after.kind)) {
        parse_block(p, name, lists);
    } else {
        no_definition(p, name);
    }
}

static void no_item(struct parser *p, struct hcl_token bad, struct hcl_range open)
{
    if (bad.kind == HCL_OQUOTE)
        hcl_follow_up_error(p, bad.range, "Invalid argument name",
                            "Argument names must not be quoted.");
    else if (bad.kind == HCL_EOF)
        hcl_follow_up_error(p, open, "Unclosed configuration block", unclosed_detail);
    else
        hcl_follow_up_error(p, bad.range, definition_required,
                            "An argument or block definition is required here.");
}

/* Where HCL goes on after something that is no item: behind the end of this body. */
static size_t behind_body(struct parser *p, enum hcl_token_kind end)
{
    size_t at = p->at;
    bool recovering = p->recovering;
    (void)hcl_skip_to(p, end);
    size_t behind = p->at;
    p->at = at;
    p->recovering = recovering;
    return behind;
}

static void parse_lines(struct parser *p, enum hcl_token_kind end, struct body_lists *lists,
                        struct hcl_range open);

/* After something that is no item HCL reads no more of the body. Here the lines that are left are
 * read for their own errors, but no further. */
static void parse_rest(struct parser *p, enum hcl_token_kind end, struct body_lists *lists,
                       struct hcl_range open)
{
    size_t limit = p->limit;
    p->limit = behind_body(p, end);
    p->at--; /* a bracket is skipped with what it holds */
    hcl_skip_item(p);
    parse_lines(p, end, lists, open);
    p->at = p->limit;
    p->limit = limit;
}

/* Items up to and with `end`. */
static void parse_lines(struct parser *p, enum hcl_token_kind end, struct body_lists *lists,
                        struct hcl_range open)
{
    while (!p->full) {
        struct hcl_token token = hcl_peek(p);
        if (token.kind == HCL_IDENT) {
            parse_item(p, lists);
            continue;
        }
        (void)hcl_next(p);
        if (token.kind == end)
            return;
        if (token.kind == HCL_NEWLINE)
            continue;
        /* A bracket or the end behind another error is what that has left over. */
        bool left_over = token.kind >= HCL_OBRACE && token.kind <= HCL_CPAREN;
        p->recovering &= left_over || token.kind == HCL_EOF;
        no_item(p, token, open);
        p->lost = true;
        if (token.kind != HCL_EOF)
            parse_rest(p, end, lists, open);
        return;
    }
}

struct hcl_body hcl_parse_body(struct parser *p)
{
    struct body_lists lists = {.mark = arena_mark(&p->scratch)};
    struct hcl_range first = hcl_peek(p).range;
    parse_lines(p, HCL_EOF, &lists, first);
    return close_body(p, &lists, (struct hcl_range){first.start, (uint32_t)p->text.len});
}
