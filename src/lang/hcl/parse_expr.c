/* parse_expr.c - expressions: operators by level, terms, traversals, constructors, calls. */
#include "base/arena.h"
#include "lang/hcl/parser.h"
#include "value/number.h"

static const struct hcl_expr *parse_binary(struct parser *p, unsigned level);

/* --- operators --- */

/* How tight each binds; 0 is no operator of two. */
static const unsigned char levels[HCL_TOKEN_KIND_COUNT] = {
    [HCL_OR] = 1,   [HCL_AND] = 2,   [HCL_EQ] = 3,     [HCL_NE] = 3,   [HCL_LT] = 4,
    [HCL_LE] = 4,   [HCL_GT] = 4,    [HCL_GE] = 4,     [HCL_PLUS] = 5, [HCL_MINUS] = 5,
    [HCL_STAR] = 6, [HCL_SLASH] = 6, [HCL_PERCENT] = 6};

static const struct hcl_expr *conditional(struct parser *p, const struct hcl_expr *condition)
{
    size_t errors = p->errors;
    (void)hcl_next(p);
    const struct hcl_expr *yes = hcl_parse_expr(p), *no = NULL;
    if (hcl_failed(p, errors))
        return condition;
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
    size_t errors = p->errors;
    if (p->depth_left == 0) {
        struct hcl_range here = hcl_peek(p).range;
        hcl_syntax_error(p, here, "Expression nested too deeply",
                         "Expressions are nested deeper than plumb reads.");
        p->at = p->limit;
        return hcl_error_node(p, here);
    }
    p->depth_left--;
    const struct hcl_expr *expr = parse_binary(p, 1);
    if (hcl_peek(p).kind == HCL_QUESTION && !hcl_failed(p, errors))
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
    const struct hcl_expr *expr = parse_traversal(p, parse_primary(p));
    if (count > p->depth_left) {
        hcl_syntax_error(p, p->token[first].range, "Expression nested too deeply",
                         "Expressions are nested deeper than plumb reads.");
        return hcl_error_node(p, p->token[first].range);
    }
    for (size_t i = behind; count > 0 && i-- > first;) {
        struct hcl_token op = p->token[i];
        if (op.kind != HCL_MINUS && op.kind != HCL_BANG)
            continue;
        expr = binary_node(p, HCL_EXPR_UNARY, op, expr, NULL);
        count--;
    }
    return expr;
}

/* An operand, and what operators of this level or a tighter one make of it. */
static const struct hcl_expr *parse_binary(struct parser *p, unsigned level)
{
    size_t errors = p->errors;
    const struct hcl_expr *left = parse_unary(p);
    unsigned chained = 0;
    for (;;) {
        unsigned found = levels[hcl_peek(p).kind];
        if (found < level || hcl_failed(p, errors))
            return left;
        struct hcl_token op = hcl_next(p);
        if (++chained > HCL_DEPTH_MAX * 4u) {
            hcl_syntax_error(p, op.range, "Expression too long",
                             "More operators of one kind in a row than plumb reads.");
            return left;
        }
        const struct hcl_expr *right = parse_binary(p, found + 1);
        left = binary_node(p, HCL_EXPR_BINARY, op, left, right);
    }
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

static struct str without_zeros(struct str text)
{
    while (text.len > 1 && text.ptr[0] == '0' && text.ptr[1] >= '0' && text.ptr[1] <= '9')
        text = str_sub(text, 1, text.len);
    return text;
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

/* x.0: the number is read. blame: where HCL points if it is two numbers. */
static const struct hcl_expr *legacy_index(struct parser *p, const struct hcl_expr *source,
                                           struct hcl_token number, struct hcl_range blame)
{
    struct str text = hcl_token_text(p, number);
    struct value index = hcl_number_literal(without_zeros(text));
    if (str_find_char(text, '.', 0) != SIZE_MAX) {
        hcl_syntax_error(p, blame, "Invalid legacy index syntax",
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
    while (hcl_peek(p).kind == HCL_DOT) {
        (void)hcl_next(p);
        struct hcl_token step = hcl_peek(p);
        if (step.kind != HCL_IDENT && step.kind != HCL_NUMBER) {
            bool nested = step.kind == HCL_STAR;
            hcl_follow_up_error(p, nested ? step.range : star.range,
                                nested ? "Nested splat expression not allowed"
                                       : "Invalid attribute name",
                                nested ? "A splat expression (*) cannot be used inside another "
                                         "attribute-only splat expression."
                                       : "An attribute name is required after a dot.");
            p->lost = true;
            return source;
        }
        (void)hcl_next(p);
        each = step.kind == HCL_IDENT ? get_attribute(p, each, step)
                                      : legacy_index(p, each, step, star.range);
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
        return legacy_index(p, source, hcl_next(p), step.range);
    if (step.kind == HCL_STAR)
        return attribute_splat(p, source, hcl_next(p));
    hcl_syntax_error(p, step.range, "Invalid attribute name",
                     "An attribute name is required after a dot.");
    p->lost = true;
    return source;
}

/* The closing bracket of an index. HCL skips only the first time that it is missing, and points at
 * where it has skipped to. */
static struct hcl_token close_index(struct parser *p, const char *summary, const char *detail)
{
    struct hcl_token close = hcl_next(p);
    if (close.kind == HCL_CBRACK || p->lost)
        return close;
    close = hcl_skip_to(p, HCL_CBRACK);
    hcl_syntax_error(p, close.range, summary, detail);
    return close;
}

/* After "[" with the star next: every step that follows works on each element. */
static const struct hcl_expr *full_splat(struct parser *p, const struct hcl_expr *source)
{
    struct hcl_token star = hcl_next(p);
    struct hcl_token close =
        close_index(p, "Missing close bracket on splat index",
                    "The star for a full splat operator must be immediately followed by a closing "
                    "bracket (\"]\").");
    const struct hcl_expr *item =
        hcl_node(p, HCL_EXPR_SPLAT_ITEM, hcl_span(star.range, close.range));
    return item ? splat_node(p, source, parse_traversal(p, item), false) : source;
}

static const struct hcl_expr *parse_bracket(struct parser *p, const struct hcl_expr *source)
{
    bool outer = p->skip_newlines;
    size_t errors = p->errors;
    (void)hcl_next(p);
    if (hcl_peek(p).kind == HCL_STAR)
        return full_splat(p, source);
    p->skip_newlines = true;
    const struct hcl_expr *key = hcl_parse_expr(p);
    struct hcl_token close =
        hcl_failed(p, errors)
            ? hcl_skip_to(p, HCL_CBRACK)
            : close_index(p, "Missing close bracket on index",
                          "The index operator must end with a closing bracket (\"]\").");
    p->skip_newlines = outer;
    return index_node(p, source, key, close.range, false);
}

static const struct hcl_expr *parse_traversal(struct parser *p, const struct hcl_expr *source)
{
    for (unsigned steps = 0;; steps++) {
        enum hcl_token_kind kind = hcl_peek(p).kind;
        if (kind != HCL_DOT && kind != HCL_OBRACK)
            break;
        if (p->depth_left == 0 || steps > HCL_DEPTH_MAX) {
            hcl_syntax_error(p, hcl_peek(p).range, "Expression nested too deeply",
                             "A reference has more steps than plumb reads.");
            p->at = p->limit;
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
    hcl_follow_up_error(p, subject, "Invalid 'for' expression", detail);
    (void)hcl_skip_to(p, closer);
    return false;
}

static bool for_part(struct parser *p, enum hcl_token_kind closer, const struct hcl_expr **ret)
{
    size_t errors = p->errors;
    *ret = hcl_parse_expr(p);
    if (!hcl_failed(p, errors))
        return true;
    (void)hcl_skip_to(p, closer);
    return false;
}

/* "k, v in source :" */
static bool parse_for_intro(struct parser *p, enum hcl_token_kind closer, struct hcl_for *for_)
{
    struct hcl_token name = hcl_peek(p);
    if (name.kind != HCL_IDENT)
        return for_problem(p, closer, name.range,
                           "For expression requires variable name after 'for'.");
    (void)hcl_next(p);
    for_->value_name = hcl_token_text(p, name);
    for_->names = name.range;
    if (hcl_peek(p).kind == HCL_COMMA) {
        (void)hcl_next(p);
        struct hcl_token second = hcl_peek(p);
        if (second.kind != HCL_IDENT)
            return for_problem(p, closer, second.range,
                               "For expression requires value variable name after comma.");
        (void)hcl_next(p);
        for_->key_name = for_->value_name;
        for_->value_name = hcl_token_text(p, second);
        for_->names = hcl_span(name.range, second.range);
    }
    struct hcl_token in = hcl_peek(p);
    if (!hcl_token_is_word(p, in, "in"))
        return for_problem(p, closer, in.range,
                           "For expression requires the 'in' keyword after its name declarations.");
    (void)hcl_next(p);
    if (!for_part(p, closer, &for_->source))
        return false;
    struct hcl_token colon = hcl_peek(p);
    if (colon.kind != HCL_COLON)
        return for_problem(p, closer, colon.range,
                           "For expression requires a colon after the collection expression.");
    (void)hcl_next(p);
    return true;
}

static bool parse_for_result(struct parser *p, enum hcl_token_kind closer, struct hcl_for *for_)
{
    size_t errors = p->errors;
    for_->value = hcl_parse_expr(p);
    if (hcl_peek(p).kind == HCL_ARROW) {
        for_->key = for_->value;
        (void)hcl_next(p);
        for_->value = hcl_parse_expr(p);
    }
    if (hcl_failed(p, errors)) {
        (void)hcl_skip_to(p, closer);
        return false;
    }
    if (hcl_peek(p).kind == HCL_ELLIPSIS) {
        for_->ellipsis = hcl_next(p).range;
        for_->group = true;
    }
    if (!hcl_token_is_word(p, hcl_peek(p), "if"))
        return true;
    (void)hcl_next(p);
    return for_part(p, closer, &for_->condition);
}

/* What a tuple or an object cannot have. */
static void check_for(struct parser *p, bool object, const struct hcl_for *for_)
{
    static const char *const summary = "Invalid 'for' expression";
    if (object && !for_->key)
        hcl_syntax_error(p, for_->value->range, summary,
                         "Key expression is required when building an object.");
    if (!object && for_->key)
        hcl_syntax_error(p, for_->key->range, summary,
                         "Key expression is not valid when building a tuple.");
    if (!object && for_->group)
        hcl_syntax_error(p, for_->ellipsis, summary,
                         "Grouping ellipsis (...) cannot be used when building a tuple.");
}

/* After the opening bracket; the next token is the word `for`. */
static const struct hcl_expr *parse_for(struct parser *p, struct hcl_token open)
{
    bool object = open.kind == HCL_OBRACE, outer = p->skip_newlines;
    enum hcl_token_kind closer = object ? HCL_CBRACE : HCL_CBRACK;
    size_t faults = p->faults;
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_FOR, open.range);
    struct hcl_for *for_ = arena_new(p->arena, struct hcl_for, 1);
    p->full |= !for_;
    if (!node || !for_)
        return hcl_error_node(p, open.range);
    node->for_ = for_;
    p->skip_newlines = true;
    (void)hcl_next(p);
    if (parse_for_intro(p, closer, for_) && parse_for_result(p, closer, for_)) {
        struct hcl_token close = hcl_peek(p);
        if (close.kind == closer)
            (void)hcl_next(p);
        else
            (void)for_problem(p, closer, close.range,
                              "Extra characters after the end of the 'for' expression.");
        check_for(p, object, for_);
    }
    p->skip_newlines = outer;
    node->range = hcl_span(open.range, p->token[p->at - 1].range);
    return p->faults == faults ? node : hcl_error_node(p, node->range);
}

/* --- constructors and calls --- */

struct expr_list {
    const struct hcl_expr **ptr;
    size_t n, room;
};

/* The comma behind an item, or the closing bracket. True while there may be more items. */
static bool next_item(struct parser *p, struct hcl_token open)
{
    struct hcl_token after = hcl_peek(p);
    if (after.kind == HCL_CBRACK || after.kind == HCL_COMMA) {
        (void)hcl_next(p);
        return after.kind == HCL_COMMA;
    }
    if (after.kind == HCL_EOF)
        hcl_follow_up_error(p, open.range, "Unterminated tuple constructor expression",
                            "There is no corresponding closing bracket before the end of the "
                            "file. This may be caused by incorrect bracket nesting elsewhere in "
                            "this file.");
    else
        hcl_follow_up_error(p, after.range, "Missing item separator",
                            "Expected a comma to mark the beginning of the next item.");
    (void)hcl_skip_to(p, HCL_CBRACK);
    return false;
}

static const struct hcl_expr *parse_tuple(struct parser *p, struct hcl_token open)
{
    bool outer = p->skip_newlines;
    struct arena_mark mark = arena_mark(&p->scratch);
    struct expr_list list = {0};
    p->skip_newlines = true;
    if (hcl_token_is_word(p, hcl_peek(p), "for")) {
        p->skip_newlines = outer;
        return parse_for(p, open);
    }
    for (bool more = true; more;) {
        const struct hcl_expr *item;
        if (hcl_peek(p).kind == HCL_CBRACK) {
            (void)hcl_next(p);
            break;
        }
        more = for_part(p, HCL_CBRACK, &item) && next_item(p, open);
        HCL_APPEND(p, list, item);
    }
    HCL_KEEP(p, list);
    arena_rewind(&p->scratch, mark);
    p->skip_newlines = outer;
    struct hcl_expr *node =
        hcl_node(p, HCL_EXPR_TUPLE, hcl_span(open.range, p->token[p->at - 1].range));
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

static const char *const open_object =
    "There is no corresponding closing brace before the end of the file. This may be caused by "
    "incorrect brace nesting elsewhere in this file.";

static void no_equals(struct parser *p, struct hcl_token open, struct hcl_token found)
{
    if (found.kind == HCL_EOF)
        hcl_follow_up_error(p, open.range, "Unterminated object constructor expression",
                            open_object);
    else if (found.kind == HCL_NEWLINE || found.kind == HCL_COMMA)
        hcl_follow_up_error(p, found.range, "Missing attribute value",
                            "Expected an attribute value, introduced by an equals sign (\"=\").");
    else
        hcl_follow_up_error(
            p, found.range, "Missing key/value separator",
            found.kind == HCL_IDENT
                ? "Expected an equals sign (\"=\") to mark the beginning of the attribute value. "
                  "An "
                  "attribute name with periods or spaces in it must be written in quotes."
                : "Expected an equals sign (\"=\") to mark the beginning of the attribute value.");
}

/* "key = value"; false after an error, when all up to the closing brace has been skipped. */
static bool parse_pair(struct parser *p, struct hcl_token open, struct hcl_item *ret)
{
    const struct hcl_expr *key;
    if (!for_part(p, HCL_CBRACE, &key))
        return false;
    ret->key = bare_key(p, key);
    struct hcl_token equals = hcl_peek(p);
    if (equals.kind != HCL_ASSIGN && equals.kind != HCL_COLON) {
        no_equals(p, open, equals);
        (void)hcl_skip_to(p, HCL_CBRACE);
        return false;
    }
    (void)hcl_next(p);
    return for_part(p, HCL_CBRACE, &ret->value);
}

/* The separator behind a pair, or the closing brace. True while there may be more pairs. */
static bool next_pair(struct parser *p, struct hcl_token open)
{
    struct hcl_token after = hcl_peek(p);
    if (after.kind == HCL_COMMA || after.kind == HCL_NEWLINE || after.kind == HCL_CBRACE) {
        (void)hcl_next(p);
        return after.kind != HCL_CBRACE;
    }
    if (after.kind == HCL_EOF)
        hcl_follow_up_error(p, open.range, "Unterminated object constructor expression",
                            open_object);
    else
        hcl_follow_up_error(
            p, after.range, "Missing attribute separator",
            "Expected a newline or comma to mark the beginning of the next attribute.");
    (void)hcl_skip_to(p, HCL_CBRACE);
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
    struct arena_mark mark = arena_mark(&p->scratch);
    struct {
        struct hcl_item *ptr;
        size_t n, room;
    } items = {0};
    if (object_is_for(p))
        return parse_for(p, open);
    p->skip_newlines = false;
    for (bool more = true; more;) {
        struct hcl_item item;
        while (hcl_peek(p).kind == HCL_NEWLINE)
            (void)hcl_next(p);
        if (hcl_peek(p).kind == HCL_CBRACE) {
            (void)hcl_next(p);
            break;
        }
        if (!parse_pair(p, open, &item))
            break;
        HCL_APPEND(p, items, item);
        more = next_pair(p, open);
    }
    HCL_KEEP(p, items);
    arena_rewind(&p->scratch, mark);
    p->skip_newlines = outer;
    struct hcl_expr *node =
        hcl_node(p, HCL_EXPR_OBJECT, hcl_span(open.range, p->token[p->at - 1].range));
    if (!node)
        return hcl_error_node(p, open.range);
    node->items.item = items.ptr;
    node->items.n = items.n;
    return node;
}

/* What follows an argument: true while there may be more. */
static bool next_argument(struct parser *p, struct hcl_range call, bool *ret_expand)
{
    struct hcl_token after = hcl_next(p);
    if (after.kind == HCL_CPAREN || after.kind == HCL_COMMA)
        return after.kind == HCL_COMMA;
    if (after.kind == HCL_ELLIPSIS) {
        *ret_expand = true;
        if (hcl_peek(p).kind == HCL_CPAREN) {
            (void)hcl_next(p);
            return false;
        }
        hcl_follow_up_error(p, after.range, "Missing closing parenthesis",
                            "An expanded function argument (with ...) must be immediately "
                            "followed by closing parentheses.");
    } else if (after.kind == HCL_EOF) {
        hcl_syntax_error(p, call, "Unterminated function call",
                         "There is no closing parenthesis for this function call before the "
                         "end of the file. This may be caused by incorrect parenthesis nesting "
                         "elsewhere in this file.");
    } else {
        hcl_syntax_error(p, after.range, "Missing argument separator",
                         "A comma is required to separate each function argument from the next.");
    }
    (void)hcl_skip_to(p, HCL_CPAREN);
    return false;
}

/* Up to and with the closing parenthesis; the opening one is read. call: from the name to it. */
static void parse_arguments(struct parser *p, struct hcl_range call, struct expr_list *list,
                            bool *ret_expand)
{
    for (bool more = true; more;) {
        const struct hcl_expr *arg;
        if (hcl_peek(p).kind == HCL_CPAREN) {
            (void)hcl_next(p);
            return;
        }
        more = for_part(p, HCL_CPAREN, &arg) && next_argument(p, call, ret_expand);
        HCL_APPEND(p, *list, arg);
    }
}

static const struct hcl_expr *parse_call(struct parser *p, struct hcl_range name)
{
    struct hcl_token open = hcl_next(p);
    bool outer = p->skip_newlines, expand = false;
    struct arena_mark mark = arena_mark(&p->scratch);
    struct expr_list list = {0};
    p->skip_newlines = true;
    parse_arguments(p, hcl_span(name, open.range), &list, &expand);
    HCL_KEEP(p, list);
    arena_rewind(&p->scratch, mark);
    p->skip_newlines = outer;
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_CALL, hcl_span(name, p->token[p->at - 1].range));
    if (!node)
        return hcl_error_node(p, name);
    node->call.name = str_sub(p->text, name.start, name.end);
    node->call.name_range = name;
    node->call.arg = list.ptr;
    node->call.nargs = (uint32_t)list.n;
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

/* What cannot be the name of a call: all up to behind its arguments is skipped. */
static const struct hcl_expr *no_call(struct parser *p, struct hcl_range name,
                                      struct hcl_token found, const char *summary,
                                      const char *detail)
{
    hcl_syntax_error(p, found.range, summary, detail);
    p->lost = true;
    hcl_skip_over(p, HCL_OPAREN);
    return hcl_error_node(p, hcl_span(name, found.range));
}

/* a::b::c( */
static const struct hcl_expr *parse_scoped_call(struct parser *p, struct hcl_range name)
{
    while (hcl_peek(p).kind == HCL_DOUBLE_COLON) {
        (void)hcl_next(p);
        struct hcl_token part = hcl_next(p);
        if (part.kind != HCL_IDENT)
            return no_call(p, name, part, "Missing function name",
                           "Function scope resolution symbol :: must be followed by a function "
                           "name in this scope.");
        name = hcl_span(name, part.range);
    }
    struct hcl_token open = hcl_peek(p);
    if (open.kind == HCL_OPAREN)
        return parse_call(p, name);
    (void)hcl_next(p);
    return no_call(p, name, open, "Missing open parenthesis",
                   "Function selector must be followed by an open parenthesis to begin the "
                   "function call.");
}

/* The word is read: a call, a keyword or the root of a reference. */
static const struct hcl_expr *parse_word(struct parser *p, struct hcl_token word)
{
    struct hcl_range name = word.range;
    enum hcl_token_kind after = hcl_peek(p).kind;
    if (after == HCL_OPAREN)
        return parse_call(p, name);
    if (after == HCL_DOUBLE_COLON)
        return parse_scoped_call(p, name);
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

/* `1.e5` is a number to HCL: the point goes, so that it is one to plumb. */
static struct str without_bare_point(struct parser *p, struct str text)
{
    size_t point = str_find_char(text, '.', 0);
    char next = point < text.len - 1 ? text.ptr[point + 1] : '\0';
    if (next != 'e' && next != 'E')
        return text;
    struct str copy = arena_printf(p->arena, "%.*s%.*s", (int)point, text.ptr,
                                   (int)(text.len - point - 1), text.ptr + point + 1);
    p->full |= !copy.ptr;
    return copy;
}

static const struct hcl_expr *parse_number(struct parser *p, struct hcl_token token)
{
    struct str text = without_zeros(without_bare_point(p, hcl_token_text(p, token)));
    struct hcl_expr *node = hcl_node(p, HCL_EXPR_LITERAL, token.range);
    if (!node)
        return hcl_error_node(p, token.range);
    node->value = hcl_number_literal(text);
    if (node->value.form != NUMBER_INT && !hcl_number_is_readable(text)) {
        hcl_syntax_error(p, token.range, "Invalid number literal",
                         "Failed to recognize the value of this number literal.");
        node->kind = HCL_EXPR_ERROR;
    }
    return node;
}

static const struct hcl_expr *parse_paren(struct parser *p, struct hcl_token open)
{
    bool outer = p->skip_newlines;
    size_t errors = p->errors;
    p->skip_newlines = true;
    const struct hcl_expr *inner = hcl_parse_expr(p);
    if (p->errors > errors) {
        (void)hcl_skip_to(p, HCL_CPAREN);
    } else {
        struct hcl_token close = hcl_peek(p);
        if (close.kind != HCL_CPAREN) {
            hcl_syntax_error(p, close.range, "Unbalanced parentheses",
                             "Expected a closing parenthesis to terminate the expression.");
            p->lost = true;
        }
        (void)hcl_next(p);
    }
    p->skip_newlines = outer;
    struct hcl_expr *node =
        hcl_node(p, HCL_EXPR_PAREN, hcl_span(open.range, p->token[p->at - 1].range));
    if (!node)
        return inner;
    node->operand = inner;
    return node;
}

static const struct hcl_expr *no_expression(struct parser *p, struct hcl_token token)
{
    bool eof = token.kind == HCL_EOF;
    hcl_follow_up_error(
        p, token.range, eof ? "Missing expression" : "Invalid expression",
        eof ? "Expected the start of an expression, but found the end of the file."
            : "Expected the start of an expression, but found an invalid expression token.");
    p->lost = true;
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
