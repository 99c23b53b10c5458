/* module_decode.c - what every decoder of blocks needs: contents, constants, lists, references. */
#include <string.h>

#include "base/str.h"
#include "desired/module_parts.h"
#include "desired/version.h"
#include "lang/hcl/json_syntax.h"
#include "lang/hcl/lex.h"

const char code_bad_identifier[] =
    "A name must start with a letter or underscore and may contain only letters, digits, "
    "underscores, and dashes.";

/* --- places --- */

struct code_lines code_lines_of(struct arena *arena, struct str text)
{
    size_t n = 1;
    for (size_t at = 0; (at = str_find_char(text, '\n', at)) != SIZE_MAX; at++)
        n++;
    uint32_t *start = arena_new_raw(arena, uint32_t, n);
    if (!start)
        return (struct code_lines){0};
    start[0] = 0;
    n = 1;
    for (size_t at = 0; (at = str_find_char(text, '\n', at)) != SIZE_MAX; at++)
        start[n++] = (uint32_t)at + 1;
    return (struct code_lines){start, n};
}

static uint32_t line_of(const struct code_lines *lines, uint32_t byte)
{
    size_t low = 0, high = lines->n;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (lines->start[middle] <= byte)
            low = middle;
        else
            high = middle;
    }
    return (uint32_t)low + 1;
}

struct code_place code_place_of(const struct code_decoder *d, struct hcl_range subject,
                                struct hcl_range whole)
{
    uint32_t last = whole.end > whole.start ? whole.end - 1 : whole.start;
    return (struct code_place){d->file, subject, line_of(&d->lines, subject.start),
                               line_of(&d->lines, last)};
}

struct str code_range_text(struct arena *arena, const struct hcl_file *file, struct hcl_range range)
{
    return hcl_range_text(arena, file->name, file->text, range);
}

static void report(struct code_decoder *d, bool warning, struct hcl_range subject,
                   const char *summary, const char *fmt, va_list args)
    __attribute__((format(printf, 5, 0)));
static void report(struct code_decoder *d, bool warning, struct hcl_range subject,
                   const char *summary, const char *fmt, va_list args)
{
    AUTO_ARENA scratch = {.limit = 1 << 20};
    struct str detail = arena_vprintf(&scratch, fmt, args);
    hcl_diag_add(d->diags, d->file->name, d->file->text, warning, subject, str_from(summary),
                 "%.*s", STR_ARG(detail));
}

void code_fault(struct code_decoder *d, struct hcl_range subject, const char *summary,
                const char *detail_fmt, ...)
{
    va_list args;
    va_start(args, detail_fmt);
    report(d, false, subject, summary, detail_fmt, args);
    va_end(args);
}

void code_warn(struct code_decoder *d, struct hcl_range subject, const char *summary,
               const char *detail_fmt, ...)
{
    va_list args;
    va_start(args, detail_fmt);
    report(d, true, subject, summary, detail_fmt, args);
    va_end(args);
}

/* --- contents --- */

struct hcl_content code_content(struct code_decoder *d, const struct hcl_body *body,
                                const struct hcl_body_spec *spec, bool partial)
{
    struct hcl_content ret = {0};
    if (!hcl_body_content(d->arena, d->file, body, spec, partial, d->diags, &ret))
        d->full = true;
    return ret;
}

struct hcl_content code_attributes(struct code_decoder *d, const struct hcl_body *body)
{
    struct hcl_content ret = {0};
    if (!hcl_body_attributes(d->arena, d->file, body, d->diags, &ret))
        d->full = true;
    return ret;
}

const struct hcl_attribute *code_attribute(const struct hcl_content *content, const char *name)
{
    for (size_t i = 0; i < content->nattributes; i++)
        if (str_equal(content->attribute[i].name, str_from(name)))
            return &content->attribute[i];
    return NULL;
}

struct code_expr code_expr_of(const struct code_decoder *d, const struct hcl_attribute *attribute)
{
    return (struct code_expr){attribute->value, d->file, attribute->range};
}

struct code_expr code_optional_expr(const struct code_decoder *d, const struct hcl_content *content,
                                    const char *name)
{
    const struct hcl_attribute *attribute = code_attribute(content, name);
    return attribute ? code_expr_of(d, attribute) : (struct code_expr){0};
}

void code_check_name(struct code_decoder *d, const struct hcl_label *label, const char *summary)
{
    if (!hcl_is_identifier(label->text))
        code_fault(d, label->range, summary, "%s", code_bad_identifier);
}

/* --- constants --- */

bool code_constant(struct code_decoder *d, const struct hcl_expr *expr, struct value *ret)
{
    struct hcl_eval ev = {.arena = d->arena,
                          .file = d->file->name,
                          .text = d->file->text,
                          .diags = d->diags,
                          .constant = true};
    return hcl_eval_expr(&ev, expr, NULL, ret);
}

/* Where hcl says that an expression begins: after the quote, at the innermost left part. */
struct hcl_range code_start_of(const struct hcl_expr *expr)
{
    for (unsigned depth = 0; depth < HCL_DEPTH_MAX; depth++)
        switch (expr->kind) {
        case HCL_EXPR_STRING:
        case HCL_EXPR_TEMPLATE:
            return code_is_quoted(expr) && !expr->heredoc
                       ? (struct hcl_range){expr->range.start + 1, expr->range.end - 1}
                       : expr->range;
        case HCL_EXPR_BINARY:
        case HCL_EXPR_UNARY:
            expr = expr->binary.left;
            break;
        case HCL_EXPR_CONDITIONAL:
            expr = expr->cond.condition;
            break;
        case HCL_EXPR_SPLAT:
            expr = expr->splat.source;
            break;
        case HCL_EXPR_ATTRIBUTE:
            expr = expr->get.source;
            break;
        case HCL_EXPR_INDEX:
            expr = expr->index.source;
            break;
        default:
            return expr->range;
        }
    return expr->range;
}

static bool constant_of(struct code_decoder *d, const struct hcl_attribute *attribute,
                        const struct type *type, struct value *ret)
{
    static const char summary[] = "Unsuitable value type";
    struct str why = {0};
    struct hcl_range subject = code_start_of(attribute->value);
    (void)code_constant(d, attribute->value, ret);
    if (!hcl_convert(d->arena, ret, type, ret, &why)) {
        code_fault(d, subject, summary, "Unsuitable value: %.*s", STR_ARG(why));
        return false;
    }
    const char *fault = ret->kind == VALUE_UNKNOWN ? "value must be known"
                        : ret->kind == VALUE_NULL  ? "null value is not allowed"
                                                   : NULL;
    if (fault)
        code_fault(d, subject, summary, "Unsuitable value: %s", fault);
    return !fault;
}

bool code_constant_bool(struct code_decoder *d, const struct hcl_attribute *attribute, bool *ret)
{
    struct value v;
    if (!constant_of(d, attribute, &type_bool, &v))
        return false;
    *ret = v.truth;
    return true;
}

bool code_constant_string(struct code_decoder *d, const struct hcl_attribute *attribute,
                          struct str *ret)
{
    struct value v;
    if (!constant_of(d, attribute, &type_string, &v))
        return false;
    *ret = value_text(&v);
    return true;
}

bool code_quiet_string(struct code_decoder *d, const struct hcl_expr *expr, struct str *ret)
{
    AUTO_ARENA scratch = {.limit = 16 << 20};
    struct hcl_diags unheard = {.arena = &scratch};
    struct code_decoder quiet = *d;
    struct value v;
    quiet.diags = &unheard;
    if (!code_constant(&quiet, expr, &v) || v.kind != VALUE_STRING)
        return false;
    *ret = value_text(&v);
    return true;
}

/* --- shapes of expressions --- */

const struct hcl_expr *code_keyword_expr(struct code_decoder *d, const struct hcl_expr *expr)
{
    const struct hcl_expr *inner = hcl_keyword_expr(d->arena, d->file, expr, d->diags);
    d->full |= !inner;
    return inner ? inner : expr;
}

const struct hcl_expr *code_reference_expr(struct code_decoder *d, const struct hcl_expr *expr)
{
    if (!expr->json)
        return expr;
    if (expr->raw)
        return hcl_json_embedded(d->arena, d->file->name, d->file->text, expr->range, false,
                                 d->diags);
    code_fault(d, expr->range, "Invalid reference expression",
               "A single reference string is required.");
    return NULL;
}

struct str code_keyword(struct code_decoder *d, const struct hcl_expr *expr)
{
    const struct hcl_expr *inner = code_keyword_expr(d, expr);
    return inner->kind == HCL_EXPR_VARIABLE ? inner->name : (struct str){0};
}

bool code_list(struct code_decoder *d, const struct hcl_expr *expr,
               const struct hcl_expr *const **ret, size_t *ret_n)
{
    if (expr->kind != HCL_EXPR_TUPLE) {
        code_fault(d, code_start_of(expr), "Invalid expression",
                   "A static list expression is required.");
        return false;
    }
    *ret = expr->parts.part;
    *ret_n = expr->parts.n;
    return true;
}

bool code_pairs(struct code_decoder *d, const struct hcl_expr *expr, bool quiet,
                const struct hcl_item **ret, size_t *ret_n)
{
    if (expr->kind != HCL_EXPR_OBJECT) {
        if (!quiet)
            code_fault(d, code_start_of(expr), "Invalid expression",
                       "A static map expression is required.");
        return false;
    }
    *ret = expr->items.item;
    *ret_n = expr->items.n;
    return true;
}

bool code_traversal(struct code_decoder *d, const struct hcl_expr *expr, bool quiet,
                    struct hcl_traversal *ret)
{
    const struct hcl_expr *inner = code_keyword_expr(d, expr);
    if (inner->kind == HCL_EXPR_STRING && inner->bare_key) { /* a key of an object */
        *ret = (struct hcl_traversal){
            .root = value_text(&inner->value), .root_range = inner->range, .range = inner->range};
        return true;
    }
    if (hcl_static_traversal(d->arena, inner, ret) && ret->range.end == inner->range.end)
        return true;
    if (!quiet)
        code_fault(d, expr->range, "Invalid expression",
                   "A single static variable reference is required: only attribute access and "
                   "indexing with constant keys. No calculations, function calls, template "
                   "expressions, etc are allowed here.");
    return false;
}

bool code_is_quoted(const struct hcl_expr *expr)
{
    return !expr->json && !expr->bare_key &&
           (expr->kind == HCL_EXPR_STRING || expr->kind == HCL_EXPR_TEMPLATE);
}

static struct hcl_range moved_by(struct hcl_range range, uint32_t by)
{
    return (struct hcl_range){range.start + by, range.end + by};
}

/* A reference read from inside of a text, with its places in the whole. */
static const struct hcl_expr *shifted(struct code_decoder *d, const struct hcl_expr *expr,
                                      uint32_t by)
{
    struct hcl_expr *copy[HCL_STEPS_MAX + 1];
    size_t n = 0;
    for (const struct hcl_expr *at = expr; at && n <= HCL_STEPS_MAX; n++) {
        copy[n] = arena_new(d->arena, struct hcl_expr, 2);
        if (!copy[n]) {
            d->full = true;
            return expr;
        }
        *copy[n] = *at;
        copy[n]->range = moved_by(at->range, by);
        if (at->kind == HCL_EXPR_INDEX) {
            copy[n][1] = *at->index.key;
            copy[n][1].range = moved_by(at->index.key->range, by);
            copy[n]->index.key = &copy[n][1];
            at = at->index.source;
        } else if (at->kind == HCL_EXPR_ATTRIBUTE) {
            copy[n]->get.name_range = moved_by(at->get.name_range, by);
            at = at->get.source;
        } else {
            at = NULL;
        }
    }
    for (size_t i = 0; i + 1 < n; i++) {
        if (copy[i]->kind == HCL_EXPR_INDEX)
            copy[i]->index.source = copy[i + 1];
        else
            copy[i]->get.source = copy[i + 1];
    }
    return copy[0];
}

const struct hcl_expr *code_unquote(struct code_decoder *d, const struct hcl_expr *expr,
                                    bool keyword)
{
    if (!code_is_quoted(expr) || expr->kind != HCL_EXPR_STRING)
        return expr;
    const char *noun = keyword ? "keyword" : "reference";
    AUTO_ARENA scratch = {.limit = 64 << 20};
    struct hcl_diags unheard = {.arena = &scratch};
    const struct hcl_expr *inner = NULL;
    struct hcl_traversal t;
    struct str text = value_text(&expr->value);
    if (!hcl_parse_expression(d->arena, text, d->file->name, &unheard, &inner, NULL) ||
        hcl_has_errors(&unheard) || !hcl_static_traversal(d->arena, inner, &t) ||
        t.range.end != inner->range.end) {
        code_fault(d, (struct hcl_range){expr->range.start + 1, expr->range.start + 1},
                   "Variable name required", "Must begin with a variable name.");
        inner = expr;
    } else {
        inner = shifted(d, inner, expr->range.start + 1);
    }
    code_warn(d, expr->range,
              keyword ? "Quoted keywords are deprecated" : "Quoted references are deprecated",
              "In this context, %ss are expected literally rather than in quotes. Terraform 0.11 "
              "and earlier required quotes, but quoted %ss are now deprecated and will be removed "
              "in a future version of Terraform. Remove the quotes surrounding this %s to silence "
              "this warning.",
              noun, noun, noun);
    return inner;
}

void code_depends_on(struct code_decoder *d, const struct hcl_attribute *attribute,
                     const struct code_expr **ret, size_t *ret_n)
{
    const struct hcl_expr *const *part;
    size_t n = 0, kept = 0;
    if (!code_list(d, attribute->value, &part, &n))
        return;
    struct code_expr *list = arena_new(d->arena, struct code_expr, n);
    for (size_t i = 0; list && i < n; i++) {
        struct hcl_traversal t;
        const struct hcl_expr *expr = code_unquote(d, part[i], false);
        if (code_traversal(d, expr, false, &t))
            list[kept++] = (struct code_expr){code_keyword_expr(d, expr), d->file, part[i]->range};
    }
    d->full |= !list;
    *ret = list;
    *ret_n = kept;
}

bool code_decode_provider_ref(struct code_decoder *d, const struct hcl_expr *expr,
                              const char *argument, struct code_provider_ref *ret)
{
    static const char summary[] = "Invalid provider configuration reference";
    struct hcl_traversal t;
    const struct hcl_expr *inner = code_unquote(d, expr, false), *key = NULL;
    if (d->opentofu && inner->kind == HCL_EXPR_INDEX) { /* of a provider with for_each */
        key = inner->index.key;
        inner = inner->index.source;
    }
    if (!code_traversal(d, inner, true, &t) || t.n > 1) {
        if (code_is_quoted(inner))
            code_fault(d, expr->range, summary,
                       "A provider configuration reference must not be given in quotes.");
        else
            code_fault(d, expr->range, summary,
                       "The %s argument requires a provider type name, optionally followed by a "
                       "period and then a configuration alias.",
                       argument);
        return false;
    }
    if (!code_check_provider_name(d, t.root, t.root_range))
        return false;
    *ret = (struct code_provider_ref){
        .name = t.root, .key = key, .place = code_place_of(d, t.root_range, expr->range)};
    if (t.n == 0)
        return true;
    if (t.step[0].index || t.step[0].key.kind != VALUE_STRING) {
        code_fault(d, (struct hcl_range){t.step[0].range.start - 1, t.step[0].range.end + 1},
                   summary,
                   "Provider name must either stand alone or be followed by a period and then a "
                   "configuration alias.");
        return false;
    }
    ret->alias = value_text(&t.step[0].key);
    return true;
}

bool code_check_version(struct code_decoder *d, const struct hcl_attribute *attribute)
{
    static const char summary[] = "Invalid version constraint";
    struct value v;
    struct str why;
    struct hcl_range subject = attribute->value->range;
    if (!code_constant(d, attribute->value, &v))
        return false;
    if (!hcl_convert(d->arena, &v, &type_string, &v, &why)) {
        code_fault(d, subject, summary, "A string value is required for %.*s.",
                   STR_ARG(attribute->name));
        return false;
    }
    if (v.kind != VALUE_STRING || version_constraint_valid(value_text(&v)))
        return true;
    code_fault(d, subject, summary, "This string does not use correct version constraint syntax.");
    return false;
}
