/* parse_expr.c - expressions: operators by level, terms, traversals, constructors, calls. */
#include "base/arena.h"
#include "lang/hcl/parser.h"
#include "value/number.h"

static const struct hcl_expr *parse_binary(struct parser *p, unsigned level);

/* --- operators --- */

enum { LEVELS = 6, LEVEL_OPERATORS = 5 };
static const enum hcl_token_kind levels[LEVELS][LEVEL_OPERATORS] = {
    {HCL_OR},
    {HCL_AND},
    {HCL_EQ, HCL_NE},
    {HCL_LT, HCL_LE, HCL_GT, HCL_GE},
    {HCL_PLUS, HCL_MINUS},
    {HCL_STAR, HCL_SLASH, HCL_PERCENT},
};

static bool is_of_level(unsigned level, enum hcl_token_kind kind)
{
    for (size_t i = 0; i < LEVEL_OPERATORS; i++)
        if (levels[level][i] == kind && kind != HCL_EOF)
            return true;
    return false;
}

static const struct hcl_expr *conditional(struct parser *p, const struct hcl_expr *condition)
{
    (void)hcl_next(p);
    const struct hcl_expr *yes = hcl_parse_expr(p), *no = NULL;
    if (p->recovering)
        return yes;
    struct hcl_token colon = hcl_peek(p);
    if (colon.kind != HCL_COLON) {
        hcl_syntax_error(p, colon.range, "Missing false expression in conditional",
                         "The conditional operator (...?...:...) requires a false expression, "
                         "delimited by a colon.");
        return hcl_error_node(p, condition->range);
    }
    (void)hcl_next(p);
    no = hcl_parse_expr(p);
    struct hcl_expr *node =
        hcl_node(p, HCL_EXPR_CONDITIONAL, hcl_span(condition->range, no->range));
    if (!node)
        return hcl_error_node(p, condition->range);
    node->cond.condition = condition;
    node->cond.yes = yes;
    node->cond.no = no;
    return node;
}

const struct hcl_expr *hcl_parse_expr(struct parser *p)
{
    struct hcl_range here = hcl_peek(p).range;
    if (p->depth_left == 0) {
        hcl_syntax_error(p, here, "Expression nested too deeply",
                         "Expressions are nested deeper than plumb reads.");
        p->at = p->ntokens - 1;
        return hcl_error_node(p, here);
    }
    p->depth_left--;
    const struct hcl_expr *expr = parse_binary(p, 0);
    if (!p->recovering && hcl_peek(p).kind == HCL_QUESTION)
        expr = conditional(p, expr);
    p->depth_left++;
    return expr;
}

static const struct hcl_expr *binary_node(struct parser *p, enum hcl_expr_kind kind,
                                          struct hcl_token op, const struct hcl_expr *left,
                                          const struct hcl_expr *right)
{
    struct hcl_range range =
        right ? hcl_span(left->range, right->range) : hcl_span(op.range, left->range);
    struct hcl_expr *node = hcl_node(p, kind, range);
    if (!node)
        return hcl_error_node(p, range);
    node->binary.op = op.kind;
    node->binary.left = left;
    node->binary.right = right;
    return node;
}

static const struct hcl_expr *parse_traversal(struct parser *p, const struct hcl_expr *source);
static const struct hcl_expr *parse_primary(struct parser *p);

/* A run of `!` and `-` is counted, not recursed into. */
static const struct hcl_expr *parse_unary(struct parser *p)
{
    size_t first = p->at, count = 0;
    while (hcl_peek(p).kind == HCL_MINUS || hcl_peek(p).kind == HCL_BANG) {
        (void)hcl_next(p);
        count++;
    }
    size_t behind = p->at;
    if (count > p->depth_left) {
        hcl_syntax_error(p, p->token[first].range, "Expression nested too deeply",
                         "Expressions are nested deeper than plumb reads.");
        return hcl_error_node(p, p->token[first].range);
    }
    const struct hcl_expr *expr = parse_traversal(p, parse_primary(p));
    for (size_t i = behind; count > 0 && i-- > first;) {
        struct hcl_token op = p->token[i];
        if (op.kind != HCL_MINUS && op.kind != HCL_BANG)
            continue;
        expr = binary_node(p, HCL_EXPR_UNARY, op, expr, NULL);
        count--;
    }
    return expr;
}

static const struct hcl_expr *parse_binary(struct parser *p, unsigned level)
{
    if (level == LEVELS)
        return parse_unary(p);
    const struct hcl_expr *left = parse_binary(p, level + 1);
    unsigned chained = 0;
    while (!p->recovering && is_of_level(level, hcl_peek(p).kind)) {
        struct hcl_token op = hcl_next(p);
        if (++chained > HCL_DEPTH_MAX * 4u) {
            hcl_syntax_error(p, op.range, "Expression too long",
                             "More operators of one kind in a row than plumb reads.");
            break;
        }
        const struct hcl_expr *right = parse_binary(p, level + 1);
        left = binary_node(p, HCL_EXPR_BINARY, op, left, right);
    }
    return left;
}

/* --- traversals --- */

static const struct hcl_expr *get_attribute(struct parser *p, const struct hcl_expr *source,
                                            struct hcl_token name)
{
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_ATTRIBUTE, hcl_span(source->range, name.range));
    if (!node)
        return source;
    node->get.source = source;
    node->get.name = hcl_token_text(p, name);
    node->get.name_range = name.range;
    return node;
}

static struct value number_value(struct str text)
{
    while (text.len > 1 && text.ptr[0] == '0' && text.ptr[1] >= '0' && text.ptr[1] <= '9')
        text = str_sub(text, 1, text.len);
    return value_number(text);
}

static const struct hcl_expr *index_node(struct parser *p, const struct hcl_expr *source,
                                         const struct hcl_expr *key, struct hcl_range end,
                                         bool legacy)
{
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_INDEX, hcl_span(source->range, end));
    if (!node)
        return source;
    node->index.source = source;
    node->index.key = key;
    node->legacy = legacy;
    return node;
}

/* x.0: the number is read. */
static const struct hcl_expr *legacy_index(struct parser *p, const struct hcl_expr *source,
                                           struct hcl_token number)
{
    struct str text = hcl_token_text(p, number);
    struct value index = number_value(text);
    if (index.form != NUMBER_INT) {
        hcl_syntax_error(p, number.range, "Invalid legacy index syntax",
                         "When using the legacy index syntax, chaining two indexes together is not "
                         "permitted. Use the proper index syntax instead, like [0][1].");
        return source;
    }
    struct hcl_expr *key = hcl_node(p, HCL_EXPR_LITERAL, number.range);
    if (!key)
        return source;
    key->value = index;
    return index_node(p, source, key, number.range, true);
}

static const struct hcl_expr *splat_node(struct parser *p, const struct hcl_expr *source,
                                         const struct hcl_expr *each, bool legacy)
{
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_SPLAT, hcl_span(source->range, each->range));
    if (!node)
        return source;
    node->splat.source = source;
    node->splat.each = each;
    node->legacy = legacy;
    return node;
}

/* x.*: takes the .name and .0 steps that follow; `[` then works on the result. */
static const struct hcl_expr *attribute_splat(struct parser *p, const struct hcl_expr *source,
                                              struct hcl_token star)
{
    const struct hcl_expr *each = hcl_node(p, HCL_EXPR_SPLAT_ITEM, star.range);
    if (!each)
        return source;
    while (hcl_peek(p).kind == HCL_DOT && !p->recovering) {
        (void)hcl_next(p);
        struct hcl_token step = hcl_next(p);
        if (step.kind == HCL_IDENT)
            each = get_attribute(p, each, step);
        else if (step.kind == HCL_NUMBER)
            each = legacy_index(p, each, step);
        else if (step.kind == HCL_STAR)
            hcl_syntax_error(p, step.range, "Nested splat expression not allowed",
                             "A splat expression (*) cannot be used inside another attribute-only "
                             "splat expression.");
        else
            hcl_syntax_error(p, step.range, "Invalid attribute name",
                             "An attribute name is required after a dot.");
    }
    return splat_node(p, source, each, true);
}

static const struct hcl_expr *parse_dot(struct parser *p, const struct hcl_expr *source)
{
    (void)hcl_next(p);
    struct hcl_token step = hcl_peek(p);
    if (step.kind == HCL_IDENT)
        return get_attribute(p, source, hcl_next(p));
    if (step.kind == HCL_NUMBER)
        return legacy_index(p, source, hcl_next(p));
    if (step.kind == HCL_STAR)
        return attribute_splat(p, source, hcl_next(p));
    hcl_syntax_error(p, step.range, "Invalid attribute name",
                     "An attribute name is required after a dot.");
    return source;
}

/* After "[" with the star next: every step that follows works on each element. */
static const struct hcl_expr *full_splat(struct parser *p, const struct hcl_expr *source,
                                         bool outer)
{
    struct hcl_token star = hcl_next(p), close = hcl_peek(p);
    if (close.kind != HCL_CBRACK)
        hcl_syntax_error(p, close.range, "Missing close bracket on splat index",
                         "The star for a full splat operator must be immediately followed by a "
                         "closing bracket (\"]\").");
    else
        (void)hcl_next(p);
    p->skip_newlines = outer;
    const struct hcl_expr *item =
        hcl_node(p, HCL_EXPR_SPLAT_ITEM, hcl_span(star.range, close.range));
    return item ? splat_node(p, source, parse_traversal(p, item), false) : source;
}

static const struct hcl_expr *parse_bracket(struct parser *p, const struct hcl_expr *source)
{
    bool outer = p->skip_newlines;
    (void)hcl_next(p);
    p->skip_newlines = true;
    if (hcl_peek(p).kind == HCL_STAR)
        return full_splat(p, source, outer);
    const struct hcl_expr *key = hcl_parse_expr(p);
    struct hcl_token close = hcl_peek(p);
    bool failed = p->recovering || close.kind != HCL_CBRACK;
    if (failed)
        hcl_skip_to(p, HCL_CBRACK);
    if (!p->recovering && failed)
        hcl_syntax_error(p, p->token[p->at ? p->at - 1 : 0].range, "Missing close bracket on index",
                         "The index operator must end with a closing bracket (\"]\").");
    if (!failed)
        (void)hcl_next(p);
    p->skip_newlines = outer;
    return failed ? source : index_node(p, source, key, close.range, false);
}

static const struct hcl_expr *parse_traversal(struct parser *p, const struct hcl_expr *source)
{
    for (unsigned steps = 0; !p->recovering; steps++) {
        enum hcl_token_kind kind = hcl_peek(p).kind;
        if (kind != HCL_DOT && kind != HCL_OBRACK)
            break;
        if (p->depth_left == 0 || steps > HCL_DEPTH_MAX) {
            hcl_syntax_error(p, hcl_peek(p).range, "Expression nested too deeply",
                             "A reference has more steps than plumb reads.");
            break;
        }
        p->depth_left--;
        source = kind == HCL_DOT ? parse_dot(p, source) : parse_bracket(p, source);
        p->depth_left++;
    }
    return source;
}

/* --- for expressions --- */

static bool for_problem(struct parser *p, enum hcl_token_kind closer, struct hcl_range subject,
                        const char *detail)
{
    hcl_syntax_error(p, subject, "Invalid 'for' expression", detail);
    hcl_skip_to(p, closer);
    return false;
}

/* "k, v in source :" */
static bool parse_for_intro(struct parser *p, enum hcl_token_kind closer, struct hcl_expr *node)
{
    struct hcl_token name = hcl_next(p);
    if (name.kind != HCL_IDENT)
        return for_problem(p, closer, name.range,
                           "For expression requires variable name after 'for'.");
    node->for_.value_name = hcl_token_text(p, name);
    node->for_.names = name.range;
    if (hcl_peek(p).kind == HCL_COMMA) {
        (void)hcl_next(p);
        struct hcl_token second = hcl_next(p);
        if (second.kind != HCL_IDENT)
            return for_problem(p, closer, second.range,
                               "For expression requires value variable name after comma.");
        node->for_.key_name = node->for_.value_name;
        node->for_.value_name = hcl_token_text(p, second);
        node->for_.names = hcl_span(name.range, second.range);
    }
    struct hcl_token in = hcl_peek(p);
    if (!hcl_token_is_word(p, in, "in"))
        return for_problem(p, closer, in.range,
                           "For expression requires the 'in' keyword after its name declarations.");
    (void)hcl_next(p);
    node->for_.source = hcl_parse_expr(p);
    if (p->recovering) {
        hcl_skip_to(p, closer);
        return false;
    }
    return true;
}

static bool parse_for_result(struct parser *p, enum hcl_token_kind closer, struct hcl_expr *node)
{
    struct hcl_token colon = hcl_peek(p);
    if (colon.kind != HCL_COLON)
        return for_problem(p, closer, colon.range,
                           "For expression requires a colon after the collection expression.");
    (void)hcl_next(p);
    node->for_.value = hcl_parse_expr(p);
    if (!p->recovering && hcl_peek(p).kind == HCL_ARROW) {
        node->for_.key = node->for_.value;
        (void)hcl_next(p);
        node->for_.value = hcl_parse_expr(p);
    }
    if (!p->recovering && hcl_peek(p).kind == HCL_ELLIPSIS) {
        node->for_.ellipsis = hcl_next(p).range;
        node->for_.group = true;
    }
    if (!p->recovering && hcl_token_is_word(p, hcl_peek(p), "if")) {
        (void)hcl_next(p);
        node->for_.condition = hcl_parse_expr(p);
    }
    if (p->recovering) {
        hcl_skip_to(p, closer);
        return false;
    }
    return true;
}

/* After the opening bracket; the next token is the word `for`. */
static const struct hcl_expr *parse_for(struct parser *p, struct hcl_token open)
{
    bool object = open.kind == HCL_OBRACE, outer = p->skip_newlines;
    enum hcl_token_kind closer = object ? HCL_CBRACE : HCL_CBRACK;
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_FOR, open.range);
    if (!node)
        return hcl_error_node(p, open.range);
    p->skip_newlines = true;
    (void)hcl_next(p);
    bool ok = parse_for_intro(p, closer, node) && parse_for_result(p, closer, node);
    struct hcl_token close = ok ? hcl_peek(p) : open;
    if (ok && object && !node->for_.key)
        ok = for_problem(p, closer, node->for_.value->range,
                         "Key expression is required when building an object.");
    else if (ok && !object && node->for_.key)
        ok = for_problem(p, closer, node->for_.key->range,
                         "Key expression is not valid when building a tuple.");
    else if (ok && !object && node->for_.group)
        ok = for_problem(p, closer, node->for_.ellipsis,
                         "Grouping ellipsis (...) cannot be used when building a tuple.");
    else if (ok && close.kind != closer)
        ok = for_problem(p, closer, close.range,
                         "Extra characters after the end of the 'for' expression.");
    if (ok)
        (void)hcl_next(p);
    p->skip_newlines = outer;
    node->range = hcl_span(open.range, close.range);
    return ok ? node : hcl_error_node(p, node->range);
}

/* --- constructors and calls --- */

struct expr_list {
    const struct hcl_expr **ptr;
    size_t n, room;
};

static const struct hcl_expr *parse_tuple(struct parser *p, struct hcl_token open)
{
    bool outer = p->skip_newlines;
    struct expr_list list = {0};
    struct hcl_token close = open;
    p->skip_newlines = true;
    if (hcl_token_is_word(p, hcl_peek(p), "for")) {
        p->skip_newlines = outer;
        return parse_for(p, open);
    }
    for (;;) {
        if (hcl_peek(p).kind == HCL_CBRACK) {
            close = hcl_next(p);
            break;
        }
        const struct hcl_expr *item = hcl_parse_expr(p);
        HCL_APPEND(p, list, item);
        struct hcl_token after = hcl_peek(p);
        if (!p->recovering && after.kind == HCL_EOF)
            hcl_syntax_error(p, open.range, "Unterminated tuple constructor expression",
                             "There is no corresponding closing bracket before the end of the "
                             "file. This may be caused by incorrect bracket nesting elsewhere in "
                             "this file.");
        else if (!p->recovering && after.kind != HCL_COMMA && after.kind != HCL_CBRACK)
            hcl_syntax_error(p, after.range, "Missing item separator",
                             "Expected a comma to mark the beginning of the next item.");
        if (p->recovering) {
            hcl_skip_to(p, HCL_CBRACK);
            break;
        }
        if (after.kind == HCL_COMMA)
            (void)hcl_next(p);
    }
    p->skip_newlines = outer;
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_TUPLE, hcl_span(open.range, close.range));
    if (!node)
        return hcl_error_node(p, open.range);
    node->parts.part = list.ptr;
    node->parts.n = list.n;
    return node;
}

/* A bare word as a key is text; a traversal stays what it is, for the evaluator to refuse. */
static const struct hcl_expr *bare_key(struct parser *p, const struct hcl_expr *key)
{
    bool word = key->kind == HCL_EXPR_VARIABLE ||
                (key->kind == HCL_EXPR_LITERAL && key->value.kind != VALUE_NUMBER);
    if (!word)
        return key;
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_STRING, key->range);
    if (!node)
        return key;
    node->value = value_string(str_sub(p->text, key->range.start, key->range.end));
    node->bare_key = true;
    return node;
}

/* One "key = value" with its separator; false at an error (reported). */
static bool parse_object_item(struct parser *p, struct hcl_token open, struct hcl_item *ret)
{
    const struct hcl_expr *key = bare_key(p, hcl_parse_expr(p));
    if (p->recovering)
        return false;
    struct hcl_token equals = hcl_peek(p);
    if (equals.kind != HCL_ASSIGN && equals.kind != HCL_COLON) {
        bool eof = equals.kind == HCL_EOF,
             line = equals.kind == HCL_NEWLINE || equals.kind == HCL_COMMA;
        hcl_syntax_error(
            p, eof ? open.range : equals.range,
            eof    ? "Unterminated object constructor expression"
            : line ? "Missing attribute value"
                   : "Missing key/value separator",
            eof    ? "There is no corresponding closing brace before the end of the file. This may "
                     "be caused by incorrect brace nesting elsewhere in this file."
            : line ? "Expected an attribute value, introduced by an equals sign (\"=\")."
                   : "Expected an equals sign (\"=\") to mark the beginning of the attribute "
                     "value.");
        return false;
    }
    (void)hcl_next(p);
    *ret = (struct hcl_item){.key = key, .value = hcl_parse_expr(p)};
    if (p->recovering)
        return false;
    struct hcl_token after = hcl_peek(p);
    if (after.kind == HCL_COMMA || after.kind == HCL_NEWLINE) {
        (void)hcl_next(p);
        return true;
    }
    if (after.kind == HCL_CBRACE)
        return true;
    hcl_syntax_error(
        p, after.kind == HCL_EOF ? open.range : after.range,
        after.kind == HCL_EOF ? "Unterminated object constructor expression"
                              : "Missing attribute separator",
        after.kind == HCL_EOF
            ? "There is no corresponding closing brace before the end of the file. This may be "
              "caused by incorrect brace nesting elsewhere in this file."
            : "Expected a newline or comma to mark the beginning of the next attribute.");
    return false;
}

/* `for` after blank lines still begins a for expression. */
static bool object_is_for(struct parser *p)
{
    size_t at = p->at;
    bool outer = p->skip_newlines;
    p->skip_newlines = true;
    bool is_for = hcl_token_is_word(p, hcl_peek(p), "for");
    p->at = at;
    p->skip_newlines = outer;
    return is_for;
}

static const struct hcl_expr *parse_object(struct parser *p, struct hcl_token open)
{
    bool outer = p->skip_newlines;
    struct {
        struct hcl_item *ptr;
        size_t n, room;
    } items = {0};
    struct hcl_token close = open;
    if (object_is_for(p))
        return parse_for(p, open);
    p->skip_newlines = false;
    for (;;) {
        while (hcl_peek(p).kind == HCL_NEWLINE)
            (void)hcl_next(p);
        if (hcl_peek(p).kind == HCL_CBRACE) {
            close = hcl_next(p);
            break;
        }
        struct hcl_item item;
        if (!parse_object_item(p, open, &item)) {
            hcl_skip_to(p, HCL_CBRACE);
            break;
        }
        HCL_APPEND(p, items, item);
    }
    p->skip_newlines = outer;
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_OBJECT, hcl_span(open.range, close.range));
    if (!node)
        return hcl_error_node(p, open.range);
    node->items.item = items.ptr;
    node->items.n = items.n;
    return node;
}

/* Up to the closing parenthesis; the opening one is read. */
static struct hcl_token parse_arguments(struct parser *p, struct hcl_token open,
                                        struct expr_list *list, bool *ret_expand)
{
    for (;;) {
        if (hcl_peek(p).kind == HCL_CPAREN)
            return hcl_next(p);
        const struct hcl_expr *arg = hcl_parse_expr(p);
        HCL_APPEND(p, *list, arg);
        struct hcl_token after = hcl_peek(p);
        if (!p->recovering && after.kind == HCL_ELLIPSIS) {
            struct hcl_token ellipsis = hcl_next(p);
            *ret_expand = true;
            after = hcl_peek(p);
            if (after.kind != HCL_CPAREN)
                hcl_syntax_error(p, ellipsis.range, "Missing closing parenthesis",
                                 "An expanded function argument (with ...) must be immediately "
                                 "followed by closing parentheses.");
        } else if (!p->recovering && after.kind == HCL_EOF) {
            hcl_syntax_error(p, open.range, "Unterminated function call",
                             "There is no closing parenthesis for this function call before the "
                             "end of the file. This may be caused by incorrect parenthesis nesting "
                             "elsewhere in this file.");
        } else if (!p->recovering && after.kind != HCL_COMMA && after.kind != HCL_CPAREN) {
            hcl_syntax_error(p, after.range, "Missing argument separator",
                             "A comma is required to separate each function argument from the "
                             "next.");
        }
        if (p->recovering) {
            hcl_skip_to(p, HCL_CPAREN);
            return after;
        }
        if (after.kind == HCL_COMMA)
            (void)hcl_next(p);
    }
}

static const struct hcl_expr *parse_call(struct parser *p, struct hcl_range name)
{
    struct hcl_token open = hcl_next(p);
    bool outer = p->skip_newlines, expand = false;
    struct expr_list list = {0};
    p->skip_newlines = true;
    struct hcl_token close = parse_arguments(p, open, &list, &expand);
    p->skip_newlines = outer;
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_CALL, hcl_span(name, close.range));
    if (!node)
        return hcl_error_node(p, name);
    node->call.name = str_sub(p->text, name.start, name.end);
    node->call.name_range = name;
    node->call.arg = list.ptr;
    node->call.nargs = list.n;
    node->call.expand = expand;
    return node;
}

/* --- primaries --- */

static const struct {
    const char *word;
    struct value value;
} keywords[] = {
    {"true", {.kind = VALUE_BOOL, .truth = true}},
    {"false", {.kind = VALUE_BOOL}},
    {"null", {.kind = VALUE_NULL}},
};

/* The word is read: a call, a keyword or the root of a reference. */
static const struct hcl_expr *parse_word(struct parser *p, struct hcl_token word)
{
    struct hcl_range name = word.range;
    bool spaced = false;
    while (hcl_peek(p).kind == HCL_DOUBLE_COLON) {
        (void)hcl_next(p);
        struct hcl_token part = hcl_next(p);
        if (part.kind != HCL_IDENT) {
            hcl_syntax_error(p, part.range, "Missing function name",
                             "Function scope resolution symbol :: must be followed by a function "
                             "name in this scope.");
            return hcl_error_node(p, name);
        }
        name = hcl_span(name, part.range);
        spaced = true;
    }
    if (hcl_peek(p).kind == HCL_OPAREN)
        return parse_call(p, name);
    if (spaced) {
        hcl_syntax_error(p, hcl_peek(p).range, "Missing open parenthesis",
                         "Function selector must be followed by an open parenthesis to begin the "
                         "function call.");
        return hcl_error_node(p, name);
    }
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_VARIABLE, name);
    if (!node)
        return hcl_error_node(p, name);
    node->name = hcl_token_text(p, word);
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (str_equal(node->name, str_from(keywords[i].word))) {
            node->kind = HCL_EXPR_LITERAL;
            node->value = keywords[i].value;
            break;
        }
    return node;
}

static const struct hcl_expr *parse_number(struct parser *p, struct hcl_token token)
{
    struct value value = number_value(hcl_token_text(p, token));
    if (value.form != NUMBER_INT && !hcl_number_is_readable(value_text(&value))) {
        hcl_syntax_error(p, token.range, "Invalid number literal",
                         "Failed to recognize the value of this number literal.");
        return hcl_error_node(p, token.range);
    }
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_LITERAL, token.range);
    if (!node)
        return hcl_error_node(p, token.range);
    node->value = value;
    return node;
}

static const struct hcl_expr *parse_paren(struct parser *p, struct hcl_token open)
{
    bool outer = p->skip_newlines;
    p->skip_newlines = true;
    const struct hcl_expr *inner = hcl_parse_expr(p);
    struct hcl_token close = hcl_peek(p);
    if (!p->recovering && close.kind != HCL_CPAREN)
        hcl_syntax_error(p, close.range, "Unbalanced parentheses",
                         "Expected a closing parenthesis to terminate the expression.");
    if (p->recovering)
        hcl_skip_to(p, HCL_CPAREN);
    else
        (void)hcl_next(p);
    p->skip_newlines = outer;
    if (p->recovering)
        return hcl_error_node(p, open.range);
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_PAREN, hcl_span(open.range, close.range));
    if (!node)
        return inner;
    node->operand = inner;
    return node;
}

static const struct hcl_expr *no_expression(struct parser *p, struct hcl_token token)
{
    if (token.kind == HCL_EOF)
        hcl_syntax_error(p, token.range, "Missing expression",
                         "Expected the start of an expression, but found the end of the file.");
    else if (token.kind >= HCL_BAD_OPERATOR)
        p->recovering = true; /* the scanner's own diagnostic says it better */
    else
        hcl_syntax_error(
            p, token.range, "Invalid expression",
            "Expected the start of an expression, but found an invalid expression token.");
    return hcl_error_node(p, token.range);
}

static const struct hcl_expr *parse_primary(struct parser *p)
{
    struct hcl_token token = hcl_peek(p);
    switch (token.kind) {
    case HCL_IDENT:
        return parse_word(p, hcl_next(p));
    case HCL_NUMBER:
        return parse_number(p, hcl_next(p));
    case HCL_OQUOTE:
        (void)hcl_next(p);
        return hcl_parse_template_until(p, token, HCL_CQUOTE, false);
    case HCL_OHEREDOC:
        (void)hcl_next(p);
        return hcl_parse_template_until(p, token, HCL_CHEREDOC,
                                        p->text.ptr[token.range.start + 2] == '-');
    case HCL_OPAREN:
        return parse_paren(p, hcl_next(p));
    case HCL_OBRACK:
        return parse_tuple(p, hcl_next(p));
    case HCL_OBRACE:
        return parse_object(p, hcl_next(p));
    default:
        return no_expression(p, token);
    }
}
