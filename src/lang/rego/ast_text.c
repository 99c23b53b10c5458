/* ast_text.c - Rego terms as OPA prints them in messages. */
#include "base/buf.h"
#include "lang/rego/ast.h"

static const struct {
    struct str name, symbol;
} infix[] = {
    {STR_INIT("assign"), STR_INIT(":=")}, {STR_INIT("eq"), STR_INIT("=")},
    {STR_INIT("equal"), STR_INIT("==")},  {STR_INIT("neq"), STR_INIT("!=")},
    {STR_INIT("lt"), STR_INIT("<")},      {STR_INIT("lte"), STR_INIT("<=")},
    {STR_INIT("gt"), STR_INIT(">")},      {STR_INIT("gte"), STR_INIT(">=")},
    {STR_INIT("plus"), STR_INIT("+")},    {STR_INIT("minus"), STR_INIT("-")},
    {STR_INIT("mul"), STR_INIT("*")},     {STR_INIT("div"), STR_INIT("/")},
    {STR_INIT("rem"), STR_INIT("%")},     {STR_INIT("and"), STR_INIT("&")},
    {STR_INIT("or"), STR_INIT("|")},
};

static void text_at(struct buf *out, const struct rego_term *term, unsigned depth_left);

static void list(struct buf *out, const struct rego_term *term, size_t from, unsigned depth_left)
{
    for (size_t i = from; i < term->parts.n; i++) {
        if (i > from)
            buf_str(out, STR(", "));
        text_at(out, term->parts.item[i], depth_left);
    }
}

static void name(struct buf *out, struct str text)
{
    buf_str(out, text.len && text.ptr[0] == '$' ? STR("_") : text);
}

static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return s.len > 0;
}

static void ref(struct buf *out, const struct rego_term *term, unsigned depth_left)
{
    text_at(out, term->parts.item[0], depth_left);
    for (size_t i = 1; i < term->parts.n; i++) {
        const struct rego_term *part = term->parts.item[i];
        if (part->kind == REGO_TERM_VALUE && value_is_string(&part->value) &&
            is_word(value_text(&part->value))) {
            buf_char(out, '.');
            buf_str(out, value_text(&part->value));
        } else {
            buf_char(out, '[');
            text_at(out, part, depth_left);
            buf_char(out, ']');
        }
    }
}

static void call(struct buf *out, const struct rego_term *term, unsigned depth_left)
{
    const struct rego_term *operator_ = term->parts.item[0];
    for (size_t i = 0; i < sizeof infix / sizeof *infix && term->parts.n == 3; i++)
        if (operator_->kind == REGO_TERM_VAR && str_equal(operator_->name, infix[i].name)) {
            text_at(out, term->parts.item[1], depth_left);
            buf_printf(out, " %.*s ", STR_ARG(infix[i].symbol));
            text_at(out, term->parts.item[2], depth_left);
            return;
        }
    text_at(out, operator_, depth_left);
    buf_char(out, '(');
    list(out, term, 1, depth_left);
    buf_char(out, ')');
}

static void object(struct buf *out, const struct rego_term *term, unsigned depth_left)
{
    for (size_t i = 0; i < term->pairs.n; i++) {
        if (i > 0)
            buf_str(out, STR(", "));
        text_at(out, term->pairs.item[i].key, depth_left);
        buf_str(out, STR(": "));
        text_at(out, term->pairs.item[i].value, depth_left);
    }
}

static void comprehension(struct buf *out, const struct rego_term *term, unsigned depth_left)
{
    if (term->compr.key) {
        text_at(out, term->compr.key, depth_left);
        buf_str(out, STR(": "));
    }
    text_at(out, term->compr.value, depth_left);
    buf_str(out, STR(" | ..."));
}

static void text_at(struct buf *out, const struct rego_term *term, unsigned depth_left)
{
    if (depth_left-- == 0)
        return;
    switch (term->kind) {
    case REGO_TERM_VALUE:
        rego_text(out, &term->value);
        return;
    case REGO_TERM_VAR:
        name(out, term->name);
        return;
    case REGO_TERM_REF:
        ref(out, term, depth_left);
        return;
    case REGO_TERM_CALL:
        call(out, term, depth_left);
        return;
    case REGO_TERM_TEMPLATE:
        buf_str(out, STR("$\"...\""));
        return;
    case REGO_TERM_ARRAY:
        buf_char(out, '[');
        list(out, term, 0, depth_left);
        buf_char(out, ']');
        return;
    case REGO_TERM_ARRAY_COMPREHENSION:
        buf_char(out, '[');
        comprehension(out, term, depth_left);
        buf_char(out, ']');
        return;
    case REGO_TERM_SET:
        if (term->parts.n == 0) {
            buf_str(out, STR("set()"));
            return;
        }
        buf_char(out, '{');
        list(out, term, 0, depth_left);
        break;
    case REGO_TERM_OBJECT:
        buf_char(out, '{');
        object(out, term, depth_left);
        break;
    default:
        buf_char(out, '{');
        comprehension(out, term, depth_left);
        break;
    }
    buf_char(out, '}');
}

void rego_term_text(struct buf *out, const struct rego_term *term)
{
    text_at(out, term, REGO_DEPTH_MAX);
}
