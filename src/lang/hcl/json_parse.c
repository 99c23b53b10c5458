/* json_parse.c - a file in JSON syntax: values with their places, and what is wrong with them.
 *
 * Recovery is Terraform's, so that its messages are: a value that cannot be read is skipped to its
 * closing bracket and stands as HCL_EXPR_ERROR in its parent.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "lang/hcl/content_table.h"
#include "lang/hcl/json_syntax.h"
#include "lang/hcl/parser.h"

struct json_parser {
    struct arena *arena;
    struct str name, text;
    const struct hcl_token *token;
    size_t at;
    struct hcl_diags *diags;
    size_t faults; /* reported by the parser so far */
    unsigned depth_left;
    bool stopped, full; /* too deep: nothing more is said; out of memory */
};

static struct hcl_token peek(const struct json_parser *p)
{
    return p->token[p->at];
}

static struct hcl_token next(struct json_parser *p)
{
    struct hcl_token token = p->token[p->at];
    p->at += token.kind != HCL_EOF;
    return token;
}

static struct str token_text(const struct json_parser *p, struct hcl_token token)
{
    return str_sub(p->text, token.range.start, token.range.end);
}

/* Always NULL: the value is not there. */
static struct hcl_expr *fault(struct json_parser *p, struct hcl_range subject, const char *summary,
                              const char *detail)
{
    p->faults++;
    if (!p->stopped)
        hcl_diag_add(p->diags, p->name, p->text, false, subject, str_from(summary), "%s", detail);
    return NULL;
}

static struct hcl_expr *new_node(struct json_parser *p, enum hcl_expr_kind kind,
                                 struct hcl_range range)
{
    struct hcl_expr *node = arena_new(p->arena, struct hcl_expr, 1);
    p->full = p->full || !node;
    if (node)
        *node = (struct hcl_expr){.kind = kind, .json = true, .range = range};
    return node;
}

static const struct hcl_expr *parse_value(struct json_parser *p);

/* Behind what seems to be the end of the bracket that is open, from this token on. */
static void recover(struct json_parser *p, struct hcl_token token, enum hcl_token_kind opener,
                    enum hcl_token_kind closer)
{
    size_t open = 1;
    for (; token.kind != HCL_EOF; token = next(p)) {
        open += token.kind == opener;
        if (token.kind == closer && --open <= 1)
            return;
    }
}

/* --- scalars --- */

static const struct hcl_expr *parse_number(struct json_parser *p)
{
    struct hcl_token token = next(p);
    if (!hcl_number_is_readable(token_text(p, token)))
        return fault(p, token.range, "Invalid JSON number",
                     "There is a syntax error in the given JSON number.");
    struct hcl_expr *node = new_node(p, HCL_EXPR_LITERAL, token.range);
    if (node)
        node->value = hcl_number_literal(token_text(p, token));
    return node;
}

static const struct hcl_expr *bad_word(struct json_parser *p, struct hcl_token token)
{
    static const struct str foreign[] = {STR_INIT("undefined"), STR_INIT("NaN"),
                                         STR_INIT("Infinity")};
    static const struct str words[] = {STR_INIT("false"), STR_INIT("true"), STR_INIT("null")};
    struct str word = token_text(p, token), detail = {0}, near = {0};
    for (size_t i = 0; i < 3; i++)
        if (str_equal(word, foreign[i]))
            detail =
                arena_printf(p->arena, "The JavaScript identifier \"%.*s\" cannot be used in JSON.",
                             STR_ARG(word));
    for (size_t i = 0; i < 3 && !near.ptr; i++)
        if (hcl_is_near(word, words[i]))
            near = words[i];
    if (!detail.ptr)
        detail =
            near.ptr
                ? arena_printf(p->arena,
                               "\"%.*s\" is not a valid JSON keyword. Did you mean \"%.*s\"?",
                               STR_ARG(word), STR_ARG(near))
                : arena_printf(p->arena, "\"%.*s\" is not a valid JSON keyword.", STR_ARG(word));
    return fault(p, token.range, "Invalid JSON keyword", detail.ptr ? detail.ptr : "");
}

static const struct hcl_expr *parse_word(struct json_parser *p)
{
    static const struct {
        struct str word;
        struct value value;
    } words[] = {{STR_INIT("true"), {.kind = VALUE_BOOL, .truth = true}},
                 {STR_INIT("false"), {.kind = VALUE_BOOL}},
                 {STR_INIT("null"), {.kind = VALUE_NULL}}};
    struct hcl_token token = next(p);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(token_text(p, token), words[i].word)) {
            struct hcl_expr *node = new_node(p, HCL_EXPR_LITERAL, token.range);
            if (node)
                node->value = words[i].value;
            return node;
        }
    return bad_word(p, token);
}

/* Could it be more than its own text? */
static bool has_sequence(struct str text)
{
    for (size_t at = 0; (at = str_find_char(text, '{', at)) != SIZE_MAX; at++)
        if (at > 0 && (text.ptr[at - 1] == '$' || text.ptr[at - 1] == '%'))
            return true;
    return false;
}

static const struct hcl_expr *template_node(struct json_parser *p, struct hcl_token token,
                                            const struct str *raw)
{
    const struct hcl_expr *inside =
        hcl_json_embedded(p->arena, p->name, p->text, token.range, true, NULL);
    struct hcl_expr *node = new_node(p, HCL_EXPR_ERROR, token.range);
    if (!node)
        return NULL;
    if (inside)
        *node = *inside;
    node->range = token.range;
    node->json = true;
    node->raw = raw;
    return node;
}

static const struct hcl_expr *parse_string(struct json_parser *p)
{
    struct hcl_token token = next(p);
    struct hcl_json_string string;
    size_t bad;
    if (!hcl_json_decode(p->arena, p->text, token.range, &string, &bad)) {
        p->full = p->full || bad == SIZE_MAX;
        struct hcl_range subject = {(uint32_t)bad + 1, (uint32_t)bad + 2};
        return fault(p, subject, "Invalid JSON string",
                     "There is a syntax error in the given JSON string.");
    }
    struct str *raw = arena_new(p->arena, struct str, 1);
    struct str nfc = utf8_nfc(p->arena, string.text);
    if (!raw || (!nfc.ptr && string.text.len)) {
        p->full = true;
        return NULL;
    }
    *raw = string.text;
    if (has_sequence(string.text))
        return template_node(p, token, raw);
    struct hcl_expr *node = new_node(p, HCL_EXPR_STRING, token.range);
    if (node) {
        node->value = value_string(nfc);
        node->raw = raw;
    }
    return node;
}

/* --- objects --- */

static const struct hcl_expr *bad_colon(struct json_parser *p, struct hcl_token colon)
{
    bool ends = colon.kind == HCL_CBRACE || colon.kind == HCL_COMMA;
    recover(p, colon, HCL_OBRACE, HCL_CBRACE);
    if (ends)
        return fault(p, colon.range, "Missing object value",
                     "A JSON object attribute must have a value, introduced by a colon.");
    return fault(p, colon.range, "Missing property value colon",
                 colon.kind == HCL_ASSIGN
                     ? "JSON uses a colon as its name/value delimiter, not an equals sign."
                     : "A colon must appear between an object property's name and its value.");
}

/* What follows a property: *ret_more = another one; NULL (reported) if that cannot be. */
static bool after_property(struct json_parser *p, struct hcl_token open, bool *ret_more)
{
    struct hcl_token token = peek(p);
    *ret_more = token.kind == HCL_COMMA;
    switch (token.kind) {
    case HCL_COMMA:
        (void)next(p);
        if (peek(p).kind != HCL_CBRACE)
            return true;
        return fault(p, token.range, "Trailing comma in object",
                     "JSON does not permit a trailing comma after the final property in an "
                     "object.");
    case HCL_CBRACE:
        return true;
    case HCL_EOF:
        return fault(p, open.range, "Unclosed object",
                     "No closing brace was found for this JSON object.");
    case HCL_CBRACK:
        (void)next(p);
        return fault(p, peek(p).range, "Mismatched braces",
                     "A JSON object must be closed with a brace, not a bracket.");
    default:
        recover(p, next(p), HCL_OBRACE, HCL_CBRACE);
        return fault(p, peek(p).range, "Missing attribute seperator comma",
                     "A comma must appear between each property definition in an object.");
    }
}

static const struct hcl_expr *parse_object(struct json_parser *p)
{
    struct {
        struct hcl_item *ptr;
        size_t n, room;
    } items = {0};
    struct hcl_token open = next(p);
    bool more = peek(p).kind != HCL_CBRACE;
    while (more && !p->full) {
        struct hcl_item item = {.key = parse_value(p)};
        if (!item.key)
            return NULL;
        if (!item.key->raw)
            return fault(p, item.key->range, "Invalid object property name",
                         "A JSON object property name must be a string");
        struct hcl_token colon = next(p);
        if (colon.kind != HCL_COLON)
            return bad_colon(p, colon);
        item.value = parse_value(p);
        if (!item.value)
            return NULL;
        HCL_APPEND_IN(p->arena, p, items, item);
        if (!after_property(p, open, &more))
            return NULL;
    }
    struct hcl_token close = next(p);
    struct hcl_expr *node = new_node(p, HCL_EXPR_OBJECT, hcl_span(open.range, close.range));
    if (node) {
        node->items.item = items.ptr;
        node->items.n = items.n;
    }
    return node;
}

/* --- arrays --- */

static bool after_element(struct json_parser *p, struct hcl_token open, bool *ret_more)
{
    struct hcl_token token = peek(p);
    *ret_more = token.kind == HCL_COMMA;
    if (token.kind == HCL_CBRACK)
        return true;
    if (token.kind == HCL_COMMA) {
        (void)next(p);
        if (peek(p).kind != HCL_CBRACK)
            return true;
        return fault(p, token.range, "Trailing comma in array",
                     "JSON does not permit a trailing comma after the final value in an array.");
    }
    recover(p, next(p), HCL_OBRACK, HCL_CBRACK);
    switch (token.kind) {
    case HCL_COLON:
        return fault(p, peek(p).range, "Invalid array value",
                     "A colon is not used to introduce values in a JSON array.");
    case HCL_EOF:
        return fault(p, open.range, "Unclosed object",
                     "No closing bracket was found for this JSON array.");
    case HCL_CBRACE:
        return fault(p, peek(p).range, "Mismatched brackets",
                     "A JSON array must be closed with a bracket, not a brace.");
    default:
        return fault(p, peek(p).range, "Missing attribute seperator comma",
                     "A comma must appear between each value in an array.");
    }
}

static const struct hcl_expr *parse_array(struct json_parser *p)
{
    struct {
        const struct hcl_expr **ptr;
        size_t n, room;
    } parts = {0};
    struct hcl_token open = next(p);
    bool more = peek(p).kind != HCL_CBRACK;
    while (more && !p->full) {
        const struct hcl_expr *part = parse_value(p);
        if (!part)
            return NULL;
        HCL_APPEND_IN(p->arena, p, parts, part);
        if (!after_element(p, open, &more))
            return NULL;
    }
    struct hcl_token close = next(p);
    struct hcl_expr *node = new_node(p, HCL_EXPR_TUPLE, hcl_span(open.range, close.range));
    if (node) {
        node->parts.part = parts.ptr;
        node->parts.n = parts.n;
    }
    return node;
}

/* --- values --- */

static const struct hcl_expr *no_value(struct json_parser *p)
{
    static const char start[] =
        "A JSON value must start with a brace, a bracket, a number, a string, or a keyword.";
    static const struct {
        enum hcl_token_kind kind;
        const char *summary, *detail;
    } kinds[] = {{HCL_CBRACE, "Missing JSON value", start},
                 {HCL_CBRACK, "Missing array element value", start},
                 {HCL_EOF, "Missing value", "The JSON data ends prematurely."}};
    struct hcl_token token = peek(p);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].kind == token.kind)
            return fault(p, token.range, kinds[i].summary, kinds[i].detail);
    return fault(p, token.range, "Invalid start of value", start);
}

static const struct hcl_expr *nested(struct json_parser *p,
                                     const struct hcl_expr *(*parse)(struct json_parser *p))
{
    if (p->depth_left == 0) {
        (void)fault(p, peek(p).range, "Configuration nested too deeply",
                    "Values are nested deeper than plumb reads.");
        p->stopped = true;
        while (peek(p).kind != HCL_EOF)
            (void)next(p);
        return NULL;
    }
    p->depth_left--;
    const struct hcl_expr *expr = parse(p);
    p->depth_left++;
    return expr;
}

/* An error node where it cannot be read; NULL only when memory is out. */
static const struct hcl_expr *parse_value(struct json_parser *p)
{
    struct hcl_token token = peek(p);
    const struct hcl_expr *expr = NULL;
    switch (token.kind) {
    case HCL_OBRACE:
        expr = nested(p, parse_object);
        break;
    case HCL_OBRACK:
        expr = nested(p, parse_array);
        break;
    case HCL_NUMBER:
        expr = parse_number(p);
        break;
    case HCL_QUOTED_TEXT:
        expr = parse_string(p);
        break;
    case HCL_IDENT:
        expr = parse_word(p);
        break;
    default:
        expr = no_value(p);
        break;
    }
    if (p->full)
        return NULL;
    return expr ? expr : new_node(p, HCL_EXPR_ERROR, token.range);
}

bool hcl_parse_json_file(struct arena *arena, struct str text, struct str name,
                         struct hcl_diags *diags, struct hcl_file *ret, struct err *err)
{
    struct json_parser p = {
        .arena = arena, .name = name, .text = text, .diags = diags, .depth_left = HCL_DEPTH_MAX};
    size_t ntokens;
    if (!hcl_json_lex(arena, text, &p.token, &ntokens, err))
        return err_wrap(err, "%.*s", STR_ARG(name));
    const struct hcl_expr *root = parse_value(&p);
    if (root && p.faults == 0 && peek(&p).kind != HCL_EOF)
        (void)fault(&p, peek(&p).range, "Extraneous data after value",
                    "Extra characters appear after the JSON value.");
    if (root && root->kind != HCL_EXPR_OBJECT && root->kind != HCL_EXPR_TUPLE) {
        (void)fault(&p, root->range, "Root value must be object",
                    "The root value in a JSON-based configuration must be either a JSON object or "
                    "a JSON array of objects.");
        root = new_node(&p, HCL_EXPR_OBJECT, (struct hcl_range){0, 0});
    }
    if (p.full || !root)
        return arena_full(arena, err);
    *ret = (struct hcl_file){.name = name,
                             .text = text,
                             .token = p.token,
                             .ntokens = ntokens,
                             .json = true,
                             .body = hcl_json_body(root)};
    return true;
}
