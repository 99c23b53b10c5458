/* parse_body.c - attributes and blocks. */
#include <stdlib.h>

#include "base/arena.h"
#include "lang/hcl/parser.h"

struct body_lists {
    struct {
        struct hcl_attribute *ptr;
        size_t n, room;
    } attributes;
    struct {
        struct hcl_block *ptr;
        size_t n, room;
    } blocks;
};

/* After "name =": the value and the end of the line. one_line: inside `x { a = 1 }`. */
static void parse_attribute(struct parser *p, struct hcl_token name, struct body_lists *lists,
                            bool one_line)
{
    const struct hcl_expr *value = hcl_parse_expr(p);
    HCL_APPEND(p, lists->attributes,
               ((struct hcl_attribute){.name = hcl_token_text(p, name),
                                       .value = value,
                                       .name_range = name.range,
                                       .range = hcl_span(name.range, value->range)}));
    if (p->recovering) {
        if (!one_line)
            hcl_skip_item(p);
        return;
    }
    struct hcl_token end = hcl_peek(p);
    if (one_line || end.kind == HCL_EOF)
        return;
    if (end.kind == HCL_NEWLINE) {
        (void)hcl_next(p);
        return;
    }
    bool comma = end.kind == HCL_COMMA;
    hcl_syntax_error(p, end.range,
                     comma ? "Unexpected comma after argument" : "Missing newline after argument",
                     comma ? "Argument definitions must be separated by newlines, not commas. An "
                             "argument definition must end with a newline."
                           : "An argument definition must end with a newline.");
    hcl_skip_item(p);
}

static const char unclosed_detail[] =
    "There is no closing brace for this block before the end of the file. This may be caused by "
    "incorrect brace nesting elsewhere in this file.";

/* What may stand where the brace of `x { a = 1 }` should be. */
static const struct {
    enum hcl_token_kind kind;
    bool at_open; /* the message points at the opening brace */
    const char *summary, *detail;
} one_line_ends[] = {
    {HCL_COMMA, false, "Invalid single-argument block definition",
     "Single-line block syntax can include only one argument definition. To define multiple "
     "arguments, use the multi-line block syntax with one argument definition per line."},
    {HCL_NEWLINE, false, "Invalid single-argument block definition",
     "An argument definition on the same line as its containing block creates a single-line block "
     "definition, which must also be closed on the same line. Place the block's closing brace "
     "immediately after the argument definition."},
    {HCL_EOF, true, "Unclosed configuration block", unclosed_detail},
    {HCL_TOKEN_KIND_COUNT, false, "Invalid single-argument block definition",
     "A single-line block definition must end with a closing brace immediately after its single "
     "argument definition."},
};

static void check_one_line_end(struct parser *p, struct hcl_token open)
{
    struct hcl_token end = hcl_peek(p);
    size_t row = 0;
    if (end.kind == HCL_CBRACE)
        return;
    while (one_line_ends[row].kind != end.kind && one_line_ends[row].kind != HCL_TOKEN_KIND_COUNT)
        row++;
    hcl_syntax_error(p, one_line_ends[row].at_open ? open.range : end.range,
                     one_line_ends[row].summary, one_line_ends[row].detail);
}

/* Between the braces of `x { a = 1 }`; the opening brace is read. */
static void parse_one_line(struct parser *p, struct hcl_token open, struct body_lists *lists)
{
    struct hcl_token name = hcl_next(p), equals = hcl_peek(p);
    bool nested =
        equals.kind == HCL_OQUOTE || equals.kind == HCL_OBRACE || equals.kind == HCL_IDENT;
    if (name.kind == HCL_IDENT && equals.kind == HCL_ASSIGN) {
        (void)hcl_next(p);
        parse_attribute(p, name, lists, true);
        check_one_line_end(p, open);
    } else if (name.kind == HCL_IDENT && nested) {
        struct str word = hcl_token_text(p, name);
        struct str detail =
            arena_printf(p->arena,
                         "A single-line block definition can contain only a single argument. If "
                         "you meant to define argument \"%.*s\", use an equals sign to assign it "
                         "a value. To define a nested block, place it on a line of its own within "
                         "its parent block.",
                         STR_ARG(word));
        hcl_syntax_error(p, hcl_span(name.range, equals.range), "Argument definition required",
                         detail.ptr ? detail.ptr : "");
    } else {
        hcl_syntax_error(p, name.range, "Argument or block definition required",
                         name.kind == HCL_IDENT
                             ? "An argument or block definition is required here. To set an "
                               "argument, use the equals sign \"=\" to introduce the argument "
                               "value."
                             : "An argument or block definition is required here.");
    }
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
    struct hcl_attribute **sorted = arena_new(p->arena, struct hcl_attribute *, n);
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
    return (struct hcl_body){.attribute = lists->attributes.ptr,
                             .nattributes = lists->attributes.n,
                             .block = lists->blocks.ptr,
                             .nblocks = lists->blocks.n,
                             .range = range};
}

/* After the opening brace: content, closing brace, end of line. */
static void parse_block_body(struct parser *p, struct hcl_block *block, struct hcl_token open)
{
    struct hcl_token first = hcl_peek(p);
    block->open = open.range;
    if (first.kind != HCL_NEWLINE && first.kind != HCL_CBRACE && first.kind != HCL_EOF) {
        struct body_lists lists = {0};
        parse_one_line(p, open, &lists);
        struct hcl_token close = hcl_peek(p);
        block->body = close_body(p, &lists, (struct hcl_range){open.range.end, close.range.start});
        block->body.missing = (struct hcl_range){first.range.start, first.range.start + 1};
        block->range.end = close.range.end;
        if (p->recovering) {
            hcl_skip_to(p, HCL_CBRACE);
            hcl_skip_item(p);
            return;
        }
        (void)hcl_next(p);
    } else {
        if (p->depth_left == 0) {
            hcl_syntax_error(p, open.range, "Configuration nested too deeply",
                             "Blocks are nested deeper than plumb reads.");
            p->at = p->ntokens - 1;
            return;
        }
        p->depth_left--;
        block->body = hcl_parse_body(p, HCL_CBRACE);
        block->body.missing = open.range;
        p->depth_left++;
        struct hcl_token close = hcl_next(p);
        block->range.end = close.range.end;
        if (close.kind != HCL_CBRACE) {
            hcl_syntax_error(p, open.range, "Unclosed configuration block", unclosed_detail);
            return;
        }
    }
    struct hcl_token end = hcl_peek(p);
    if (end.kind == HCL_NEWLINE) {
        (void)hcl_next(p);
    } else if (end.kind != HCL_EOF) {
        hcl_syntax_error(p, end.range, "Missing newline after block definition",
                         "A block definition must end with a newline.");
        hcl_skip_item(p);
    }
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
    for (;;) {
        struct hcl_token token = hcl_next(p);
        if (token.kind == HCL_OBRACE) {
            block->label = labels.ptr;
            block->nlabels = labels.n;
            *ret_open = token;
            return true;
        }
        struct hcl_label label = {.text = hcl_token_text(p, token), .range = token.range};
        if (token.kind == HCL_OQUOTE) {
            label.text = hcl_parse_label_text(p, token, &label.range);
            label.quoted = true;
        } else if (token.kind != HCL_IDENT) {
            hcl_syntax_error(p, token.range, "Invalid block definition",
                             block_header_problem(token.kind));
        }
        if (p->recovering)
            return false;
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
    if (after.kind == HCL_ASSIGN) {
        (void)hcl_next(p);
        parse_attribute(p, name, lists, false);
    } else if (after.kind == HCL_OQUOTE || after.kind == HCL_OBRACE || after.kind == HCL_IDENT) {
        parse_block(p, name, lists);
    } else {
        hcl_syntax_error(p, name.range, "Argument or block definition required",
                         "An argument or block definition is required here. To set an argument, "
                         "use the equals sign \"=\" to introduce the argument value.");
        hcl_skip_item(p);
    }
}

struct hcl_body hcl_parse_body(struct parser *p, enum hcl_token_kind end)
{
    struct body_lists lists = {0};
    bool outer = p->skip_newlines;
    uint32_t start = hcl_peek(p).range.start;
    p->skip_newlines = false;
    for (;;) {
        struct hcl_token token = hcl_peek(p);
        if (token.kind == end || token.kind == HCL_EOF || p->full)
            break;
        if (token.kind == HCL_NEWLINE) {
            (void)hcl_next(p);
        } else if (token.kind == HCL_IDENT) {
            parse_item(p, &lists);
        } else {
            bool quoted = token.kind == HCL_OQUOTE;
            hcl_syntax_error(p, token.range,
                             quoted ? "Invalid argument name"
                                    : "Argument or block definition required",
                             quoted ? "Argument names must not be quoted."
                                    : "An argument or block definition is required here.");
            (void)hcl_next(p);
            hcl_skip_item(p);
        }
    }
    p->skip_newlines = outer;
    return close_body(p, &lists, (struct hcl_range){start, hcl_peek(p).range.start});
}
