/* format_term.c - the Rego formatter's terms: refs, calls, collections, comprehensions. */
#include <string.h>

#include "base/arena.h"
#include "lang/rego/formatter.h"
#include "lang/rego/lex.h"

enum { MORE_MAX = 1 << 16 };

struct rego_place form_term_place(const struct formatter *f, const struct rego_term *term)
{
    if (f->over || term == f->moved)
        return f->over ? *f->over : f->moved_to;
    struct rego_place place = term->place;
    /* OPA's text of a ref begins at the last token of its head. */
    if (term->kind == REGO_TERM_REF && !term->parenthesised &&
        term->parts.item[0]->kind != REGO_TERM_VAR && term->parts.item[0]->place.end)
        place.start = term->parts.item[0]->place.end - 1;
    return place;
}

static bool starts_with_paren(const struct formatter *f, const struct rego_term *term)
{
    struct str text = form_text(f, form_term_place(f, term));
    return text.len && text.ptr[0] == '(';
}

static uint32_t row_of(const struct formatter *f, const struct rego_term *term)
{
    return form_term_place(f, term).row;
}

/* --- scalars, names --- */

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
              (i && c >= '0' && c <= '9')))
            return false;
    }
    return s.len > 0;
}

/* Words that are keywords in the form that is written: some only where a v0 module imports them. */
static bool is_keyword(const struct formatter *f, struct str word)
{
    static const struct str late[] = {STR_INIT("contains"), STR_INIT("every"), STR_INIT("if"),
                                      STR_INIT("in")};
    bool imported = f->v1;
    if (!rego_word_is_keyword(word))
        return false;
    for (size_t i = 0; i < f->module->nimports && !imported; i++) {
        const struct rego_term *path = f->module->imports[i].path;
        imported = path->kind == REGO_TERM_REF && path->parts.n == 3 &&
                   str_equal(path->parts.item[0]->name, STR("future")) &&
                   str_equal(value_text(&path->parts.item[2]->value), word);
    }
    for (size_t i = 0; i < sizeof late / sizeof *late; i++)
        if (str_equal(late[i], word))
            return imported;
    return true;
}

static void write_name(struct formatter *f, struct str name)
{
    form_write_str(f, name.len && name.ptr[0] == '$' ? STR("_") : name);
}

static void write_string(struct formatter *f, const struct rego_term *term)
{
    struct str text = form_text(f, term->place);
    bool quoted = text.len > 1 && (text.ptr[0] == '"' || text.ptr[0] == '`');
    if (quoted && !(f->over && f->over->end > f->over->start))
        form_write_str(f, text);
    else
        form_quote(f, value_text(&term->value));
}

static void write_value(struct formatter *f, const struct rego_term *term)
{
    struct str text = form_text(f, term->place);
    bool dotted = str_starts(text, STR("."));
    if (term->value.kind == VALUE_STRING)
        write_string(f, term);
    else if (term->value.kind == VALUE_NUMBER && dotted)
        form_write_str(f, text);
    else
        rego_text(&f->out, &term->value);
}

/* --- refs --- */

static bool in_brackets(const struct formatter *f, const struct rego_term *part)
{
    struct str word = value_text(&part->value);
    if (!is_name(word))
        return true;
    return is_keyword(f, word) && str_starts(form_text(f, part->place), STR("\""));
}

static enum form_flow ref_part(struct formatter *f, const struct rego_term *part)
{
    if (part->kind == REGO_TERM_VALUE && part->value.kind == VALUE_STRING) {
        if (in_brackets(f, part)) {
            form_write(f, "[");
            form_quote(f, value_text(&part->value));
            form_write(f, "]");
        } else {
            form_write(f, ".");
            form_write_str(f, value_text(&part->value));
        }
        return FORMAT_OK;
    }
    form_write(f, "[");
    if (part->kind == REGO_TERM_VAR) {
        write_name(f, part->name);
    } else {
        enum form_flow flow = form_term(f, part);
        if (flow == FORMAT_FAILED)
            return flow;
        if (flow == FORMAT_AS_WAS)
            form_write(f, "\n"); /* the bracket must not be part of a comment */
    }
    form_write(f, "]");
    return FORMAT_OK;
}

enum form_flow form_ref(struct formatter *f, struct rego_term *const *part, size_t n)
{
    bool parens = part[0]->kind == REGO_TERM_CALL && starts_with_paren(f, part[0]);
    enum form_flow flow = form_term_inner(f, part[0], parens);
    for (size_t i = 1; i < n && flow == FORMAT_OK; i++)
        flow = ref_part(f, part[i]);
    if (flow == FORMAT_AS_WAS)
        f->lost = true;
    return flow;
}

/* --- lists --- */

struct item { /* of a collection: an object's have keys */
    const struct rego_term *key, *value;
};
struct items {
    struct item *item;
    size_t n;
};

static const struct rego_term *first_of(const struct item *item)
{
    return item->key ? item->key : item->value;
}

/* `(a | b)` keeps its parentheses: without them it would be a comprehension. */
static enum form_flow list_term(struct formatter *f, const struct rego_term *term)
{
    bool parens = term->kind == REGO_TERM_CALL && term->parts.item[0]->kind == REGO_TERM_VAR &&
                  str_equal(term->parts.item[0]->name, STR("or")) && starts_with_paren(f, term);
    if (parens)
        form_write(f, "(");
    enum form_flow flow = form_term(f, term);
    if (parens)
        form_write(f, ")");
    return flow;
}

static enum form_flow list_item(struct formatter *f, const struct item *item)
{
    if (item->key) {
        enum form_flow flow = list_term(f, item->key);
        if (flow != FORMAT_OK)
            return flow;
        form_write(f, ": ");
    }
    return list_term(f, item->value);
}

/* Items from *at on that share a line. */
static enum form_flow list_line(struct formatter *f, const struct items *items, size_t from,
                                size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (i > from)
            form_write(f, ", ");
        enum form_flow flow = list_item(f, &items->item[i]);
        if (flow != FORMAT_OK)
            return flow;
    }
    return FORMAT_OK;
}

static size_t line_end(const struct formatter *f, const struct items *items, size_t from)
{
    size_t i = from + 1;
    while (i < items->n &&
           row_of(f, first_of(&items->item[i])) <= row_of(f, first_of(&items->item[i - 1])))
        i++;
    return i < items->n ? i : items->n;
}

/* Does a line break stand before the first item? Found by its text, as OPA does. */
static bool breaks_before(const struct formatter *f, const struct items *items,
                          struct rego_place holder)
{
    if (!items->n)
        return false;
    struct str text = form_text(f, holder);
    struct str first = form_text(f, form_term_place(f, first_of(&items->item[0])));
    size_t cut = str_find(text, first, 0);
    size_t newline = str_find_char(text, '\n', 0);
    return cut != SIZE_MAX && cut > 0 && newline != SIZE_MAX && newline > 0 && newline < cut;
}

static enum form_flow lines(struct formatter *f, const struct items *items, uint32_t closing)
{
    enum form_flow flow;
    f->delay = true;
    form_end_line(f);
    f->level++;
    form_start_line(f);
    for (size_t from = 0, to; from < items->n; from = to) {
        to = line_end(f, items, from);
        if ((flow = list_line(f, items, from, to)) != FORMAT_OK)
            return f->lost = true, flow;
        form_write(f, ",");
        form_end_line(f);
        if (to < items->n)
            form_start_line(f);
    }
    if ((flow = form_insert_comments(f, closing)) != FORMAT_OK)
        return flow;
    f->level--;
    form_start_line(f);
    return FORMAT_OK;
}

static enum form_flow iterable(struct formatter *f, const struct items *items,
                               struct rego_place holder, uint32_t closing)
{
    bool one = !items->n || line_end(f, items, 0) == items->n;
    for (size_t i = 0; one && i < f->comments.n; i++) {
        uint32_t row = f->comments.item[i]->place.row;
        if (row > holder.row && row < closing)
            return f->lost = true, FORMAT_AS_WAS;
    }
    if (one && !breaks_before(f, items, holder)) {
        enum form_flow flow = list_line(f, items, 0, items->n);
        f->lost |= flow == FORMAT_AS_WAS;
        return flow;
    }
    return lines(f, items, closing);
}

enum form_flow form_list(struct formatter *f, struct rego_term *const *item, size_t n,
                         struct rego_place holder, uint32_t closing_row)
{
    struct items items = {arena_new(f->arena, struct item, n + 1), n};
    if (!items.item)
        return f->why = "the text needs too much memory", FORMAT_FAILED;
    for (size_t i = 0; i < n; i++)
        items.item[i] = (struct item){NULL, item[i]};
    return iterable(f, &items, holder, closing_row);
}

/* --- collections --- */

static enum form_flow object(struct formatter *f, const struct rego_term *term)
{
    struct rego_place place = form_term_place(f, term);
    struct items items = {arena_new(f->arena, struct item, term->pairs.n + 1), term->pairs.n};
    if (!items.item)
        return f->why = "the text needs too much memory", FORMAT_FAILED;
    for (size_t i = 0; i < items.n; i++)
        items.item[i] = (struct item){term->pairs.item[i].key, term->pairs.item[i].value};
    form_write(f, "{");
    enum form_flow flow = iterable(f, &items, place, form_closing_row(f, place, NULL, "{}"));
    form_write(f, "}");
    return flow;
}

static enum form_flow array(struct formatter *f, const struct rego_term *term)
{
    struct rego_place place = form_term_place(f, term);
    form_write(f, "[");
    enum form_flow flow = form_list(f, term->parts.item, term->parts.n, place,
                                    form_closing_row(f, place, NULL, "[]"));
    form_write(f, "]");
    return flow;
}

static enum form_flow set(struct formatter *f, const struct rego_term *term)
{
    struct rego_place place = form_term_place(f, term);
    if (!term->parts.n) {
        form_write(f, "set()");
        return form_insert_comments(f, form_closing_row(f, place, NULL, "()"));
    }
    form_write(f, "{");
    enum form_flow flow = form_list(f, term->parts.item, term->parts.n, place,
                                    form_closing_row(f, place, NULL, "{}"));
    form_write(f, "}");
    return flow;
}

/* The value of an object comprehension stands where its key does, for OPA. */
static enum form_flow comprehension_value(struct formatter *f, const struct rego_term *term,
                                          struct rego_place head)
{
    const struct rego_term *value = term->compr.value, *moved = f->moved;
    struct rego_place moved_to = f->moved_to;
    if (term->compr.key) {
        f->moved = value;
        f->moved_to = head;
    }
    bool parens = value->kind == REGO_TERM_CALL && starts_with_paren(f, value);
    enum form_flow flow = form_term_inner(f, value, parens);
    f->moved = moved;
    f->moved_to = moved_to;
    return flow;
}

static enum form_flow comprehension(struct formatter *f, const struct rego_term *term)
{
    bool is_array = term->kind == REGO_TERM_ARRAY_COMPREHENSION;
    const struct rego_term *key = term->compr.key;
    struct rego_place place = form_term_place(f, term);
    struct rego_place head = form_term_place(f, key ? key : term->compr.value);
    enum form_flow flow = FORMAT_OK;
    form_write(f, is_array ? "[" : "{");
    if (key) {
        if (head.row > place.row + 1) {
            form_end_line(f);
            form_start_line(f);
        }
        if ((flow = form_term(f, key)) != FORMAT_OK)
            return flow;
        form_write(f, ": ");
    }
    if (head.row > place.row) {
        form_end_line(f);
        form_start_line(f);
    }
    if ((flow = comprehension_value(f, term, head)) != FORMAT_OK)
        return flow;
    form_write(f, " |");
    flow = form_query(f, term->compr.body, head, place, is_array ? "[]" : "{}");
    form_write(f, is_array ? "]" : "}");
    return flow;
}

/* --- template strings --- */

static void template_text(struct formatter *f, const struct rego_term *part, bool raw)
{
    size_t from = f->out.len;
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    if (raw)
        form_write_str(f, value_text(&part->value));
    else
        form_quote(f, value_text(&part->value));
    size_t cut = raw ? 0 : 1;
    buf_add(&text, f->out.ptr + from + cut, f->out.len - from - 2 * cut);
    f->out.len = from;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '{' && !(i && text.ptr[i - 1] == '\\'))
            buf_char(&f->out, '\\');
        buf_char(&f->out, text.ptr[i]);
    }
}

static bool is_within(const struct rego_comment *comment, struct rego_place place)
{
    return comment && comment->place.start > place.start && comment->place.start < place.end;
}

/* A template string with comments in it stays as it is. */
static bool template_as_was(struct formatter *f, const struct rego_term *term)
{
    struct rego_place place = term->place;
    size_t before = 0, n = 0;
    while (before < f->comments.n && f->comments.item[before]->place.start < place.start)
        before++;
    while (before + n < f->comments.n && is_within(f->comments.item[before + n], place))
        n++;
    bool waits = is_within(f->at_end, place);
    if (before || (!n && !waits))
        return false;
    f->comments.item += n;
    f->comments.n -= n;
    f->at_end = waits ? NULL : f->at_end;
    form_write_str(f, form_text(f, place));
    return true;
}

/* `$"{v with input as x}"` */
static enum form_flow inserted_with(struct formatter *f, const struct rego_term *part)
{
    const struct rego_expr *expr = part->compr.body->expr[0];
    enum form_flow flow = form_term(f, expr->term->parts.item[2]);
    for (size_t k = 0; k < expr->nwith && flow == FORMAT_OK; k++) {
        form_write(f, " with ");
        flow = form_term(f, expr->with[k].target);
        form_write(f, " as ");
        if (flow == FORMAT_OK)
            flow = form_term(f, expr->with[k].value);
    }
    return flow;
}

static enum form_flow inserted(struct formatter *f, const struct rego_term *part)
{
    form_write(f, "{");
    f->level++;
    enum form_flow flow = part->wrapped                  ? inserted_with(f, part)
                          : part->kind == REGO_TERM_CALL ? form_call(f, part)
                                                         : form_term(f, part);
    f->level--;
    form_write(f, "}");
    return flow;
}

static bool is_template_text(const struct formatter *f, const struct rego_term *part)
{
    struct str text = form_text(f, part->place);
    return part->kind == REGO_TERM_VALUE && part->value.kind == VALUE_STRING && !text.len;
}

static enum form_flow template_string(struct formatter *f, const struct rego_term *term)
{
    const char *quote = term->multi_line ? "`" : "\"";
    enum form_flow flow = FORMAT_OK;
    if (template_as_was(f, term))
        return FORMAT_OK;
    form_write(f, "$");
    form_write(f, quote);
    for (size_t i = 0; i < term->parts.n && flow == FORMAT_OK; i++) {
        if (is_template_text(f, term->parts.item[i]))
            template_text(f, term->parts.item[i], term->multi_line);
        else
            flow = inserted(f, term->parts.item[i]);
    }
    form_write(f, quote);
    return flow;
}

/* --- calls --- */

static const struct {
    struct str name;
    const char *sign;
} infix[] = {
    {STR_INIT("eq"), "="},
    {STR_INIT("assign"), ":="},
    {STR_INIT("equal"), "=="},
    {STR_INIT("neq"), "!="},
    {STR_INIT("lt"), "<"},
    {STR_INIT("lte"), "<="},
    {STR_INIT("gt"), ">"},
    {STR_INIT("gte"), ">="},
    {STR_INIT("plus"), "+"},
    {STR_INIT("minus"), "-"},
    {STR_INIT("mul"), "*"},
    {STR_INIT("div"), "/"},
    {STR_INIT("rem"), "%"},
    {STR_INIT("and"), "&"},
    {STR_INIT("or"), "|"},
    {STR_INIT("internal.member_2"), "in"},
    {STR_INIT("internal.member_3"), "in"},
};

const char *form_infix(struct formatter *f, const struct rego_term *call, size_t *ret_arity)
{
    AUTO_BUF name = {.limit = MORE_MAX};
    (void)f;
    rego_term_text(&name, call->parts.item[0]);
    *ret_arity = str_equal(buf_view(&name), STR("internal.member_3")) ? 3 : 2;
    for (size_t i = 0; i < sizeof infix / sizeof *infix; i++)
        if (str_equal(infix[i].name, buf_view(&name)))
            return infix[i].sign;
    return NULL;
}

static enum form_flow plain_call(struct formatter *f, const struct rego_term *call)
{
    const struct rego_term *name = call->parts.item[0];
    struct rego_place place = form_term_place(f, name);
    enum form_flow flow = FORMAT_OK;
    if (name->kind == REGO_TERM_REF)
        flow = form_ref(f, name->parts.item, name->parts.n);
    else
        write_name(f, name->name);
    if (flow != FORMAT_OK)
        return flow;
    form_write(f, "(");
    flow = form_list(f, call->parts.item + 1, call->parts.n - 1, place, 0);
    form_write(f, ")");
    return flow;
}

enum form_flow form_member(struct formatter *f, const struct rego_term *call, bool parens)
{
    size_t n = call->parts.n - 1;
    enum form_flow flow = FORMAT_OK;
    if (parens && n == 3)
        form_write(f, "(");
    for (size_t i = 1; i <= n && flow == FORMAT_OK; i++) {
        if (i > 1)
            form_write(f, i == n ? " in " : ", ");
        flow = form_term_inner(f, call->parts.item[i], true);
    }
    if (parens && n == 3)
        form_write(f, ")");
    if (flow == FORMAT_AS_WAS)
        f->lost = true;
    return flow;
}

enum form_flow form_call(struct formatter *f, const struct rego_term *call)
{
    size_t arity, n = call->parts.n - 1;
    const char *sign = form_infix(f, call, &arity);
    enum form_flow flow;
    if (!sign || (n != arity && n != arity + 1))
        return plain_call(f, call);
    if (strcmp(sign, "in") == 0)
        return n == arity ? form_member(f, call, false) : plain_call(f, call);
    if (n == arity + 1) {
        if ((flow = form_term(f, call->parts.item[3])) != FORMAT_OK)
            return f->lost = true, flow;
        form_write(f, " = ");
    }
    if ((flow = form_term(f, call->parts.item[1])) != FORMAT_OK)
        return f->lost = true, flow;
    form_write(f, " ");
    form_write(f, sign);
    form_write(f, " ");
    return form_term(f, call->parts.item[2]);
}

/* A call within a term: its operands are put in parentheses where they are infix. */
static enum form_flow nested_call(struct formatter *f, const struct rego_term *call, bool parens)
{
    size_t arity, n = call->parts.n - 1;
    const char *sign = form_infix(f, call, &arity);
    if (!sign)
        return plain_call(f, call);
    if (n != arity)
        return f->why = "an operator is called with another count of operands", FORMAT_FAILED;
    if (strcmp(sign, "in") == 0)
        return form_member(f, call, true);
    if (parens)
        form_write(f, "(");
    enum form_flow flow = form_term_inner(f, call->parts.item[1], true);
    if (flow == FORMAT_OK) {
        form_write(f, " "), form_write(f, sign), form_write(f, " ");
        flow = form_term_inner(f, call->parts.item[2], true);
    }
    if (parens)
        form_write(f, ")");
    return flow;
}

/* --- terms --- */

static enum form_flow of_kind(struct formatter *f, const struct rego_term *term, bool parens)
{
    switch (term->kind) {
    case REGO_TERM_VALUE:
        write_value(f, term);
        return FORMAT_OK;
    case REGO_TERM_VAR:
        write_name(f, term->name);
        return FORMAT_OK;
    case REGO_TERM_REF:
        return form_ref(f, term->parts.item, term->parts.n);
    case REGO_TERM_ARRAY:
        return array(f, term);
    case REGO_TERM_SET:
        return set(f, term);
    case REGO_TERM_OBJECT:
        return object(f, term);
    case REGO_TERM_CALL:
        return nested_call(f, term, parens);
    case REGO_TERM_TEMPLATE:
        return template_string(f, term);
    default:
        return comprehension(f, term);
    }
}

enum form_flow form_term_inner(struct formatter *f, const struct rego_term *term, bool parens)
{
    if (f->depth >= REGO_DEPTH_MAX)
        return f->why = "the text is nested too deeply", FORMAT_FAILED;
    enum form_flow flow = form_insert_comments(f, row_of(f, term));
    if (flow != FORMAT_OK)
        return flow;
    if (!f->in_line)
        form_start_line(f);
    f->depth++;
    flow = of_kind(f, term, parens);
    f->depth--;
    if (flow == FORMAT_OK && !f->in_line)
        form_start_line(f);
    return flow;
}

enum form_flow form_term(struct formatter *f, const struct rego_term *term)
{
    struct form_mark mark = form_mark(f);
    bool lost = f->lost;
    enum form_flow flow = form_term_inner(f, term, false);
    if (flow != FORMAT_AS_WAS || !mark.comments.n)
        return flow;
    struct rego_place place = form_term_place(f, term);
    form_back(f, &mark);
    f->lost = lost;
    if (f->at_end && f->at_end->place.row >= place.row && f->at_end->place.start < place.end)
        f->at_end = NULL;
    form_as_was(f, place);
    return FORMAT_AS_WAS;
}
