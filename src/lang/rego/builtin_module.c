/* builtin_module.c - rego.parse_module: a text of Rego as JSON of what it says.
 *
 * The members and their order of nesting are those of OPA's syntax tree; places are given for
 * comments only.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/ast.h"
#include "lang/rego/builtin.h"
#include "wire/base64.h"

enum { FIELDS_MAX = 8 };

struct writer {
    struct arena *arena;
    bool failed;
};
struct fields { /* of an object */
    struct rego_pair pair[FIELDS_MAX];
    size_t n;
};

static struct value term_value(struct writer *w, const struct rego_term *term, unsigned depth);
static struct value body_value(struct writer *w, const struct rego_body *body, unsigned depth);

static void put(struct fields *f, const char *name, struct value v)
{
    f->pair[f->n++] = (struct rego_pair){value_string(str_from(name)), v};
}

static struct value object(struct writer *w, const struct fields *f)
{
    struct rego_pair *pairs = arena_new(w->arena, struct rego_pair, f->n);
    struct value v = value_null();
    size_t clash;
    for (size_t i = 0; pairs && i < f->n; i++)
        pairs[i] = f->pair[i];
    w->failed |= !pairs || !rego_make_object(pairs, f->n, &v, &clash);
    return v;
}

static struct value *array(struct writer *w, size_t n, struct value *ret)
{
    struct value *items = arena_new(w->arena, struct value, n);
    w->failed |= !items;
    *ret = items ? value_items(VALUE_TUPLE, items, n) : value_null();
    return items;
}

static struct value typed(struct writer *w, const char *type, struct value v)
{
    struct fields f = {.n = 0};
    put(&f, "type", value_string(str_from(type)));
    put(&f, "value", v);
    return object(w, &f);
}

static struct value empty(struct writer *w)
{
    const struct fields none = {.n = 0};
    return object(w, &none);
}

/* --- terms --- */

static struct value terms(struct writer *w, struct rego_term *const *item, size_t n, unsigned depth)
{
    struct value ret, *items = array(w, n, &ret);
    for (size_t i = 0; items && i < n; i++)
        items[i] = term_value(w, item[i], depth);
    return ret;
}

static struct value pairs_value(struct writer *w, const struct rego_term *term, unsigned depth)
{
    struct value ret, *items = array(w, term->pairs.n, &ret);
    for (size_t i = 0; items && i < term->pairs.n; i++) {
        struct value *pair = array(w, 2, &items[i]);
        if (!pair)
            break;
        pair[0] = term_value(w, term->pairs.item[i].key, depth);
        pair[1] = term_value(w, term->pairs.item[i].value, depth);
    }
    return ret;
}

static struct value comprehension(struct writer *w, const struct rego_term *term, unsigned depth)
{
    struct fields f = {.n = 0};
    if (term->compr.key)
        put(&f, "key", term_value(w, term->compr.key, depth));
    put(&f, term->compr.key ? "value" : "term", term_value(w, term->compr.value, depth));
    put(&f, "body", body_value(w, term->compr.body, depth));
    return object(w, &f);
}

static struct value var_value(struct writer *w, struct str name)
{
    return typed(w, "var", value_string(name));
}

/* A reference: its first part is a variable or any term. */
static struct value ref_value(struct writer *w, struct rego_term *const *part, size_t n,
                              unsigned depth)
{
    struct value ret, *items = array(w, n, &ret);
    for (size_t i = 0; items && i < n; i++)
        items[i] = i == 0 && part[i]->kind == REGO_TERM_VAR ? var_value(w, part[i]->name)
                                                            : term_value(w, part[i], depth);
    return ret;
}

/* The same of a name, with what follows its dots ("internal.member_2"). */
static struct value name_as_ref(struct writer *w, struct str name)
{
    struct str rest = name, part;
    size_t n = 1;
    for (size_t at = 0; (at = str_find_char(name, '.', at)) != SIZE_MAX; at++)
        n++;
    struct value ret, *items = array(w, n, &ret);
    for (size_t i = 0; items && i < n; i++) {
        (void)str_cut(&rest, '.', &part);
        items[i] = i == 0 ? var_value(w, part) : typed(w, "string", value_string(part));
    }
    return typed(w, "ref", ret);
}

/* An operator stands as a reference, were it one name. */
static struct value operator_value(struct writer *w, const struct rego_term *term, unsigned depth)
{
    return term->kind == REGO_TERM_VAR ? name_as_ref(w, term->name) : term_value(w, term, depth);
}

static struct value call_value(struct writer *w, const struct rego_term *term, unsigned depth)
{
    struct value ret, *items = array(w, term->parts.n, &ret);
    for (size_t i = 0; items && i < term->parts.n; i++)
        items[i] = i ? term_value(w, term->parts.item[i], depth)
                     : operator_value(w, term->parts.item[i], depth);
    return ret;
}

/* What is inserted into a string is an expression. */
static struct value inserted(struct writer *w, const struct rego_term *term, unsigned depth)
{
    struct fields f = {.n = 0};
    if (term->kind == REGO_TERM_VALUE && value_is_string(&term->value))
        return term_value(w, term, depth);
    put(&f, "index", value_int(0));
    put(&f, "terms",
        term->kind == REGO_TERM_CALL ? call_value(w, term, depth) : term_value(w, term, depth));
    return object(w, &f);
}

static struct value template_value(struct writer *w, const struct rego_term *term, unsigned depth)
{
    struct fields f = {.n = 0};
    struct value ret, *items = array(w, term->parts.n, &ret);
    for (size_t i = 0; items && i < term->parts.n; i++)
        items[i] = inserted(w, term->parts.item[i], depth);
    put(&f, "multi_line", value_bool(term->multi_line));
    put(&f, "parts", ret);
    return object(w, &f);
}

static struct value scalar(struct writer *w, const struct value *v)
{
    if (v->kind == VALUE_NULL)
        return typed(w, "null", empty(w));
    return typed(w, rego_type_name(v), *v);
}

static struct value term_value(struct writer *w, const struct rego_term *term, unsigned depth)
{
    w->failed |= depth == 0;
    if (w->failed)
        return value_null();
    depth--;
    switch (term->kind) {
    case REGO_TERM_VALUE:
        return scalar(w, &term->value);
    case REGO_TERM_VAR:
        return str_equal(term->name, STR("input")) || str_equal(term->name, STR("data"))
                   ? name_as_ref(w, term->name)
                   : var_value(w, term->name);
    case REGO_TERM_REF:
        return typed(w, "ref", ref_value(w, term->parts.item, term->parts.n, depth));
    case REGO_TERM_ARRAY:
        return typed(w, "array", terms(w, term->parts.item, term->parts.n, depth));
    case REGO_TERM_SET:
        return typed(w, "set", terms(w, term->parts.item, term->parts.n, depth));
    case REGO_TERM_OBJECT:
        return typed(w, "object", pairs_value(w, term, depth));
    case REGO_TERM_CALL:
        return typed(w, "call", call_value(w, term, depth));
    case REGO_TERM_ARRAY_COMPREHENSION:
        return typed(w, "arraycomprehension", comprehension(w, term, depth));
    case REGO_TERM_SET_COMPREHENSION:
        return typed(w, "setcomprehension", comprehension(w, term, depth));
    case REGO_TERM_OBJECT_COMPREHENSION:
        return typed(w, "objectcomprehension", comprehension(w, term, depth));
    default:
        return typed(w, "templatestring", template_value(w, term, depth));
    }
}

/* --- expressions --- */

static struct value expr_terms(struct writer *w, const struct rego_expr *e, unsigned depth)
{
    struct fields f = {.n = 0};
    switch (e->kind) {
    case REGO_EXPR_TERM:
        return term_value(w, e->term, depth);
    case REGO_EXPR_CALL:
        return call_value(w, e->term, depth);
    case REGO_EXPR_SOME:
        put(&f, "symbols", terms(w, e->some.symbol, e->some.n, depth));
        break;
    case REGO_EXPR_EVERY:
        put(&f, "key", e->every.key ? term_value(w, e->every.key, depth) : value_null());
        put(&f, "value", term_value(w, e->every.value, depth));
        put(&f, "domain", term_value(w, e->every.domain, depth));
        put(&f, "body", body_value(w, e->every.body, depth));
        break;
    case REGO_EXPR_LOGIC:
        put(&f, "lhs", body_value(w, e->logic.left, depth));
        put(&f, "rhs", body_value(w, e->logic.right, depth));
        break;
    default:
        put(&f, "body", body_value(w, e->body, depth));
        break;
    }
    return object(w, &f);
}

static struct value withs(struct writer *w, const struct rego_expr *e, unsigned depth)
{
    struct value ret, *items = array(w, e->nwith, &ret);
    for (size_t i = 0; items && i < e->nwith; i++) {
        struct fields f = {.n = 0};
        const struct rego_term *target = e->with[i].target;
        put(&f, "target", operator_value(w, target, depth));
        put(&f, "value", term_value(w, e->with[i].value, depth));
        items[i] = object(w, &f);
    }
    return ret;
}

static struct value body_value(struct writer *w, const struct rego_body *body, unsigned depth)
{
    struct value ret, *items = array(w, body->n, &ret);
    w->failed |= depth == 0;
    for (size_t i = 0; !w->failed && i < body->n; i++) {
        const struct rego_expr *e = body->expr[i];
        struct fields f = {.n = 0};
        put(&f, "index", value_int((int64_t)i));
        put(&f, "terms", expr_terms(w, e, depth - 1));
        if (e->negated)
            put(&f, "negated", value_bool(true));
        if (e->nwith)
            put(&f, "with", withs(w, e, depth - 1));
        items[i] = object(w, &f);
    }
    return ret;
}

/* --- rules --- */

static struct value true_value(struct writer *w)
{
    return typed(w, "boolean", value_bool(true));
}

/* A reference of two parts is told as name and key besides, as OPA does. */
static void put_name(struct writer *w, struct fields *f, const struct rego_head *head)
{
    const struct rego_term *last = head->nref == 2 ? head->ref[1] : NULL;
    bool pair = last && !head->has_args && !head->key;
    if (head->ref[0]->kind == REGO_TERM_VAR && (head->nref == 1 || (pair && head->value)))
        put(f, "name", value_string(head->ref[0]->name));
    if (pair && (head->value || last->kind != REGO_TERM_VALUE))
        put(f, "key", term_value(w, last, REGO_DEPTH_MAX));
}

static struct value head_value(struct writer *w, const struct rego_head *head)
{
    struct fields f = {.n = 0};
    put_name(w, &f, head);
    put(&f, "ref", ref_value(w, head->ref, head->nref, REGO_DEPTH_MAX));
    if (head->narg)
        put(&f, "args", terms(w, head->arg, head->narg, REGO_DEPTH_MAX));
    if (head->key)
        put(&f, "key", term_value(w, head->key, REGO_DEPTH_MAX));
    else
        put(&f, "value", head->value ? term_value(w, head->value, REGO_DEPTH_MAX) : true_value(w));
    if (head->assign)
        put(&f, "assign", value_bool(true));
    return object(w, &f);
}

static struct value rule_body(struct writer *w, const struct rego_rule *rule)
{
    if (rule->has_body && rule->body)
        return body_value(w, rule->body, REGO_DEPTH_MAX);
    struct fields f = {.n = 0};
    struct value ret, *items = array(w, 1, &ret);
    put(&f, "index", value_int(0));
    put(&f, "terms", true_value(w));
    if (items)
        items[0] = object(w, &f);
    return ret;
}

static struct value rule_value(struct writer *w, const struct rego_rule *rule, unsigned depth)
{
    struct fields f = {.n = 0};
    w->failed |= depth == 0;
    if (w->failed)
        return value_null();
    if (rule->is_default)
        put(&f, "default", value_bool(true));
    put(&f, "head", head_value(w, &rule->head));
    put(&f, "body", rule_body(w, rule));
    if (rule->else_)
        put(&f, "else", rule_value(w, rule->else_, depth - 1));
    return object(w, &f);
}

/* --- modules --- */

static struct value import_value(struct writer *w, const struct rego_import *import)
{
    struct fields f = {.n = 0};
    put(&f, "path", operator_value(w, import->path, REGO_DEPTH_MAX));
    if (import->alias.len)
        put(&f, "alias", value_string(import->alias));
    return object(w, &f);
}

static struct value comment_value(struct writer *w, const struct rego_comment *c, struct str file)
{
    struct fields f = {.n = 0}, at = {.n = 0};
    AUTO_BUF text = {.limit = c->text.len * 2 + 8};
    base64_write(&text, c->text, BASE64_STANDARD);
    struct str coded = arena_dup(w->arena, buf_view(&text));
    w->failed |= text.failed || !coded.ptr;
    put(&at, "file", value_string(file));
    put(&at, "row", value_int(c->place.row));
    put(&at, "col", value_int(c->place.col));
    put(&f, "Text", value_string(coded));
    put(&f, "Location", object(w, &at));
    return object(w, &f);
}

static struct value module_value(struct writer *w, const struct rego_module *m)
{
    struct fields f = {.n = 0}, package = {.n = 0};
    struct value list, *items;
    put(&package, "path",
        ref_value(w, m->package->parts.item, m->package->parts.n, REGO_DEPTH_MAX));
    put(&f, "package", object(w, &package));
    if (m->nimports) {
        items = array(w, m->nimports, &list);
        for (size_t i = 0; items && i < m->nimports; i++)
            items[i] = import_value(w, &m->imports[i]);
        put(&f, "imports", list);
    }
    if (m->nrules) {
        items = array(w, m->nrules, &list);
        for (size_t i = 0; items && i < m->nrules; i++)
            items[i] = rule_value(w, m->rules[i], REGO_DEPTH_MAX);
        put(&f, "rules", list);
    }
    if (m->ncomments) {
        items = array(w, m->ncomments, &list);
        for (size_t i = 0; items && i < m->ncomments; i++)
            items[i] = comment_value(w, &m->comments[i], m->file);
        put(&f, "comments", list);
    }
    return object(w, &f);
}

/* "1 error occurred: x.rego:2: rego_parse_error: message" */
static enum rego_outcome unreadable(struct rego_call *call, const struct rego_diags *diags)
{
    AUTO_BUF text = {.limit = 1 << 16};
    buf_printf(&text, diags->n == 1 ? "%zu error occurred: " : "%zu errors occurred:\n", diags->n);
    for (size_t i = 0; i < diags->n; i++) {
        const struct rego_diag *d = &diags->diag[i];
        if (d->file.len)
            buf_printf(&text, "%s%.*s:%u: %s: ", i ? "\n" : "", STR_ARG(d->file), d->row, d->code);
        else
            buf_printf(&text, "%s%u:%u: %s: ", i ? "\n" : "", d->row, d->col, d->code);
        buf_str(&text, d->message);
    }
    return diags->n ? rego_fail(call, "%.*s", STR_ARG(buf_view(&text))) : REGO_HALT;
}

static enum rego_outcome parse_module(struct rego_call *call, struct value *ret)
{
    struct str file = value_text(&call->arg[0]), text = value_text(&call->arg[1]);
    struct rego_diags diags = {.arena = call->arena};
    const struct rego_parse_options options = {.afford = call->spend,
                                               .afford_ctx = call->spend_ctx};
    struct writer writer = {.arena = call->arena};
    struct rego_module *module;
    if (call->spend && !call->spend(call->spend_ctx, text.len / 16 + 1))
        return REGO_HALT;
    if (!rego_parse_module(call->arena, text, file, &options, &diags, &module))
        return unreadable(call, &diags);
    *ret = module_value(&writer, module);
    return writer.failed ? REGO_HALT : REGO_DEFINED;
}

static const struct rego_builtin table[] = {
    {"rego.parse_module", NULL, "(string, string) => object[string: any]", parse_module, 0},
};
const struct rego_family builtin_module = {table, sizeof table / sizeof *table};
