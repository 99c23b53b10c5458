/* infer.c - types of Rego that are known before anything runs, and what cannot fit them: arguments
 * of functions, sides of an equation, refs into what has no such part.
 *
 * OPA takes terms apart before it looks at their types: calls, refs and comprehensions within a
 * term become variables, calls first. Here the same is done to a copy, in the same order, for what
 * a variable is first seen with is its type.
 */
#include "lang/rego/infer.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "lang/rego/annotation.h"

static const struct rego_term *expand(struct rego_inference *in, const struct rego_term *t);
static const struct rego_term *settle(struct rego_inference *in, const struct rego_term *t);
static bool check_body(struct rego_inference *in, const struct rego_body *body);

/* --- complaints --- */

static void complain(struct rego_inference *in, struct rego_place place, const struct buf *text)
{
    in->failed = true;
    rego_complain(in->c, "rego_type_error", place, "%.*s", STR_ARG(buf_view(text)));
}

enum { MESSAGE_MAX = 900 };

static void check_equation(struct rego_inference *in, const struct rego_term *t,
                           const struct rego_term *a, const struct rego_term *b)
{
    AUTO_BUF text = {.limit = MESSAGE_MAX};
    const struct rego_type *left = rego_term_type(in, a), *right = rego_term_type(in, b);
    if (in->refs_only || rego_unify_both(in, a, b))
        return;
    buf_str(&text, STR("match error: left "));
    rego_type_text(&text, left);
    buf_str(&text, STR(", right "));
    rego_type_text(&text, right);
    complain(in, t->place, &text);
}

static void list_text(struct buf *out, const struct rego_type *const *of, size_t n)
{
    buf_char(out, '(');
    for (size_t i = 0; i < n; i++) {
        buf_str(out, i ? STR(", ") : STR(""));
        rego_type_text(out, of[i]);
    }
    buf_char(out, ')');
}

static void bad_arguments(struct rego_inference *in, const struct rego_term *call,
                          const struct rego_type *const *have, size_t nhave,
                          const struct rego_type *function)
{
    AUTO_BUF text = {.limit = MESSAGE_MAX};
    struct rego_node *node = rego_operator_node(in->c, call->parts.item[0]);
    if (node)
        rego_node_text(&text, node);
    else
        buf_str(&text, rego_operator_name(in->c, call->parts.item[0]));
    buf_str(&text, STR(": invalid argument(s): have "));
    list_text(&text, have, nhave);
    buf_str(&text, STR(", want "));
    list_text(&text, function->of, function->n);
    complain(in, call->place, &text);
}

/* Part i of a ref is none of a value of type `of`; have: its own type, where it is known. */
static void undefined_ref(struct rego_inference *in, const struct rego_term *ref, size_t i,
                          const struct rego_type *of, const struct rego_type *have)
{
    AUTO_BUF text = {.limit = MESSAGE_MAX};
    buf_str(&text, STR("undefined ref: "));
    rego_term_text(&text, ref);
    buf_str(&text, STR(": "));
    if (have)
        rego_type_text(&text, have);
    else
        rego_term_text(&text, ref->parts.item[i]);
    buf_str(&text, STR(" is no key of "));
    rego_type_text(&text, of);
    complain(in, ref->parts.item[0]->place, &text);
}

/* --- refs --- */

/* Parts i and on of a ref, which stand for parts of a value of that type. t is ref taken apart. */
static bool check_parts(struct rego_inference *in, const struct rego_term *ref,
                        const struct rego_term *t, size_t i, const struct rego_type *of)
{
    for (; i < t->parts.n; i++) {
        const struct rego_term *part = t->parts.item[i];
        const struct rego_type *keys = rego_type_keys(&in->types, of), *next;
        if (!keys) {
            undefined_ref(in, ref, i, of, NULL);
            return false;
        }
        if (rego_is_constant(part)) {
            next = rego_type_select(&in->types, of, &part->value);
            if (!next) {
                undefined_ref(in, ref, i, of, NULL);
                return false;
            }
        } else {
            next = rego_type_values(&in->types, of);
            if (part->kind != REGO_TERM_VALUE && !rego_unify(in, part, keys, false)) {
                undefined_ref(in, ref, i, of, rego_term_type(in, part));
                return false;
            }
        }
        of = next;
    }
    return true;
}

static struct value key_of(const struct rego_term *part)
{
    return part->kind == REGO_TERM_VAR ? value_string(part->name) : part->value;
}

/* Part i and on of a ref below a node of the tree of documents. */
static bool check_path(struct rego_inference *in, const struct rego_types *types,
                       const struct rego_typed *node, const struct rego_term *ref,
                       const struct rego_term *t, size_t i)
{
    const struct rego_typed *child = NULL;
    if (i == t->parts.n || in->types.steps_left == 0)
        return true;
    in->types.steps_left--;
    const struct rego_term *part = t->parts.item[i];
    bool variable = i > 0 && part->kind == REGO_TERM_VAR;
    bool text = rego_is_constant(part) && value_is_string(&part->value);
    if (!variable && !text && (i == 1 || i == 2)) { /* parts of packages' paths */
        undefined_ref(in, ref, i, rego_typed_extent(&in->types, node), NULL);
        return false;
    }
    if (variable) {
        const struct rego_type *extent = rego_typed_extent(&in->types, node);
        if (!rego_unify(in, part, rego_type_keys(&in->types, extent), false)) {
            undefined_ref(in, ref, i, extent, rego_slot_type(in, part->slot));
            return false;
        }
    } else if (i == 0 || rego_is_constant(part)) {
        struct value key = key_of(part);
        child = rego_typed_child(node, &key);
    }
    if (!child && types->outer)
        return check_path(in, types->outer, &types->outer->root, ref, t, 0);
    if (!child) /* of the data, which nobody knows */
        return check_parts(in, ref, t, 1, &rego_any);
    if (child->type)
        return check_parts(in, ref, t, i + 1, child->type);
    return check_path(in, types, child, ref, t, i + 1);
}

/* The type of a ref that is taken apart; NULL: there is no such document. */
static const struct rego_type *check_ref(struct rego_inference *in, const struct rego_term *ref,
                                         const struct rego_term *t)
{
    const struct rego_term *head = t->parts.item[0];
    struct rego_key *path = arena_new(in->types.arena, struct rego_key, t->parts.n);
    bool ok;
    if (!path) {
        rego_infer_no_memory(in);
        return NULL;
    }
    for (size_t i = 0; i < t->parts.n; i++)
        if (i == 0 ? rego_is_document(head) : rego_is_constant(t->parts.item[i]))
            path[i] = (struct rego_key){true, key_of(t->parts.item[i])};
    if (rego_is_document(head)) {
        ok = check_path(in, &in->own, &in->own.root, ref, t, 0);
        return ok ? rego_types_of(&in->types, &in->own, path, t->parts.n) : NULL;
    }
    if (!rego_term_type(in, head))
        (void)rego_unify(in, head, &rego_any, false);
    ok = check_parts(in, ref, t, 1, rego_term_type(in, head));
    return ok ? rego_type_at(&in->types, rego_term_type(in, head), path + 1, t->parts.n - 1) : NULL;
}

/* --- taking apart --- */

typedef const struct rego_term *change_fn(struct rego_inference *in, const struct rego_term *t);

/* Nothing is made of it: a variable of the rule, or a scalar. */
static bool is_still(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VALUE || (t->kind == REGO_TERM_VAR && !rego_is_document(t));
}

static struct rego_term *changed(struct rego_inference *in, struct rego_term *t, change_fn *change)
{
    return is_still(t) ? t : (struct rego_term *)(uintptr_t)change(in, t);
}

/* The term with its parts changed: itself, where none is. */
static const struct rego_term *with_parts(struct rego_inference *in, const struct rego_term *t,
                                          size_t from, change_fn *change)
{
    size_t i = from;
    struct rego_term *part = NULL;
    while (i < t->parts.n && (part = changed(in, t->parts.item[i], change)) == t->parts.item[i])
        i++;
    if (i >= t->parts.n)
        return t;
    struct rego_term **item = arena_new_raw(in->types.arena, struct rego_term *, t->parts.n);
    struct rego_term *made = arena_new_raw(in->types.arena, struct rego_term, 1);
    if (!item || !made) {
        rego_infer_no_memory(in);
        return t;
    }
    memcpy(item, t->parts.item, i * sizeof *item);
    for (item[i++] = part; i < t->parts.n; i++)
        item[i] = changed(in, t->parts.item[i], change);
    *made = *t;
    made->parts.item = item;
    return made;
}

/* Pairs in the order that OPA keeps them in: by their keys, constants before everything else. */
struct ordered {
    const struct value *key; /* NULL: no constant */
    size_t at;
};

static int by_key(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    int order = x->key && y->key ? rego_compare(x->key, y->key) : !x->key - !y->key;
    return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

static struct ordered *order_of(struct rego_inference *in, const struct rego_term *t)
{
    struct ordered *order = arena_new(in->types.arena, struct ordered, t->pairs.n);
    for (size_t i = 0; order && i < t->pairs.n; i++) {
        const struct rego_term *key = t->pairs.item[i].key;
        order[i] = (struct ordered){rego_is_constant(key) ? &key->value : NULL, i};
    }
    if (order && t->pairs.n > 1)
        qsort(order, t->pairs.n, sizeof *order, by_key);
    return order;
}

static const struct rego_term *with_pairs(struct rego_inference *in, const struct rego_term *t,
                                          change_fn *change)
{
    size_t still = 0;
    while (still < t->pairs.n && is_still(t->pairs.item[still].key) &&
           is_still(t->pairs.item[still].value))
        still++;
    if (still == t->pairs.n)
        return t;
    bool any = false;
    struct rego_term_pair *pair = arena_new(in->types.arena, struct rego_term_pair, t->pairs.n);
    struct rego_term *made = arena_new(in->types.arena, struct rego_term, 1);
    struct ordered *order = order_of(in, t);
    if (!pair || !made || !order) {
        rego_infer_no_memory(in);
        return t;
    }
    for (size_t k = 0; k < t->pairs.n; k++) {
        size_t i = order[k].at;
        pair[i].key = changed(in, t->pairs.item[i].key, change);
        pair[i].value = changed(in, t->pairs.item[i].value, change);
        any |= pair[i].key != t->pairs.item[i].key || pair[i].value != t->pairs.item[i].value;
    }
    *made = *t;
    made->pairs.item = pair;
    return any ? made : t;
}

static bool is_closure(const struct rego_term *t)
{
    return t->kind == REGO_TERM_ARRAY_COMPREHENSION || t->kind == REGO_TERM_SET_COMPREHENSION ||
           t->kind == REGO_TERM_OBJECT_COMPREHENSION;
}

/* What looking into a closure leaves as it was. */
struct kept {
    size_t nlearnt;
    bool refs_only, closures, failed;
};
static struct kept enter(struct rego_inference *in)
{
    struct kept kept = {in->nlearnt, in->refs_only, in->closures, in->failed};
    in->refs_only = in->closures = in->failed = false;
    return kept;
}
/* Whether nothing failed in it. */
static bool leave(struct rego_inference *in, struct kept kept)
{
    bool ok = !in->failed;
    rego_forget(in, kept.nlearnt);
    in->refs_only = kept.refs_only;
    in->closures = kept.closures;
    in->failed |= kept.failed;
    return ok;
}

static const struct rego_term *apart(struct rego_inference *in, const struct rego_term *t)
{
    return settle(in, expand(in, t));
}

/* A variable that is a term which has been taken apart: one equation more. */
static const struct rego_term *bind(struct rego_inference *in, const struct rego_term *t)
{
    const struct rego_term *var = rego_stand_in(in, t, NULL);
    if (!in->refs_only)
        (void)rego_unify_both(in, var, t);
    return var;
}

/* What a head or a comprehension gives: a variable, if something has to be asked for it. */
static const struct rego_term *given(struct rego_inference *in, const struct rego_term *t)
{
    const struct rego_term *made = expand(in, t), *settled = settle(in, made);
    return settled == made || settled->kind == REGO_TERM_VAR ? settled : bind(in, settled);
}

static const struct rego_type *check_closure(struct rego_inference *in, const struct rego_term *t)
{
    const struct rego_type *key = NULL, *type;
    struct kept kept = enter(in);
    (void)check_body(in, t->compr.body);
    if (t->compr.key)
        key = rego_term_type(in, given(in, t->compr.key));
    type = rego_term_type(in, given(in, t->compr.value));
    if (t->kind == REGO_TERM_OBJECT_COMPREHENSION)
        type = rego_type_map(&in->types, key, type);
    else if (t->kind == REGO_TERM_SET_COMPREHENSION)
        type = rego_type_set(&in->types, type);
    else
        type = rego_type_make(&in->types, (struct rego_type){
                                              .kind = REGO_ARRAY,
                                              .open = true,
                                              .rest = type,
                                          });
    return leave(in, kept) ? type : NULL;
}

/* Refs and comprehensions become variables. */
static const struct rego_term *settle(struct rego_inference *in, const struct rego_term *t)
{
    const struct rego_term *made = t;
    if (++in->depth > REGO_DEPTH_MAX || in->c->out_of_memory) {
        in->depth--;
        return t;
    }
    if (t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_SET) {
        made = with_parts(in, t, 0, settle);
    } else if (t->kind == REGO_TERM_OBJECT) {
        made = with_pairs(in, t, settle);
    } else if (is_closure(t)) {
        bool skip = in->refs_only && !in->closures;
        made = rego_stand_in(in, t, skip ? NULL : check_closure(in, t));
    } else if (rego_is_document(t)) {
        struct rego_key path = {true, key_of(t)};
        made = rego_stand_in(in, t, rego_types_of(&in->types, &in->own, &path, 1));
    } else if (t->kind == REGO_TERM_REF) {
        const struct rego_term *parts = with_parts(in, t, 1, settle);
        made = rego_stand_in(in, t, in->closures ? NULL : check_ref(in, t, parts));
    }
    in->depth--;
    return made;
}

/* --- calls --- */

/* Where a built-in refuses less when it runs than it says that it takes. */
static const char *declared(const struct rego_builtin *builtin)
{
    static const struct {
        const char *name, *signature;
    } stricter[] = {
        {"base64.is_valid", "(string) => boolean"},
        {"cast_array", "(any) => array[any]"},
        {"cast_set", "(any) => set[any]"},
        {"json.is_valid", "(string) => boolean"},
        {"json.marshal_with_options",
         "(any, object<indent: string, prefix: string, pretty: boolean>[string: any]) => string"},
        {"json.patch", "(any, array[object<op: string, path: any>[any: any]]) => any"},
        {"net.cidr_is_valid", "(string) => boolean"},
        {"net.cidr_merge", "(array[string] | set[string]) => set[string]"},
        {"regex.is_valid", "(string) => boolean"},
        {"time.format",
         "(number | array<number, string> | array<number, string, string>) => string"},
        {"uri.is_valid", "(string) => boolean"},
        {"yaml.is_valid", "(string) => boolean"},
    };
    for (size_t i = 0; i < sizeof stricter / sizeof *stricter; i++)
        if (*stricter[i].name == *builtin->name && strcmp(stricter[i].name, builtin->name) == 0)
            return stricter[i].signature;
    return builtin->signature;
}

static const struct rego_type *function_type(struct rego_inference *in, const struct rego_term *op)
{
    const struct rego_node *node = rego_operator_node(in->c, op);
    if (node) {
        struct value *path;
        size_t n;
        if (!rego_typed_path(&in->types, node, &path, &n)) {
            rego_infer_no_memory(in);
            return NULL;
        }
        struct rego_typed *typed = in->c->policy->types ? &in->c->policy->types->root : NULL;
        for (size_t i = 0; i < n && typed; i++)
            typed = rego_typed_child(typed, &path[i]);
        return typed ? typed->type : NULL;
    }
    const struct rego_builtin *builtin = rego_known_builtin(in->c, rego_operator_name(in->c, op));
    const struct rego_signature *signature =
        builtin ? rego_signature_of(in->c, declared(builtin)) : NULL;
    if (!signature || signature->variadic)
        return NULL;
    return rego_type_make(&in->types, (struct rego_type){.kind = REGO_FUNCTION,
                                                         .of = signature->arg,
                                                         .n = signature->nargs,
                                                         .rest = signature->result});
}

/* A call whose arguments are taken apart; what it gives. */
static const struct rego_type *check_call(struct rego_inference *in, const struct rego_term *call,
                                          const struct rego_term *t)
{
    const struct rego_type *function = function_type(in, call->parts.item[0]);
    size_t n = t->parts.n - 1;
    if (!function || function->kind != REGO_FUNCTION || in->refs_only)
        return NULL;
    const struct rego_type **have = arena_new(in->types.arena, const struct rego_type *, n);
    if (!have) {
        rego_infer_no_memory(in);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        have[i] = rego_term_type(in, t->parts.item[i + 1]);
    for (size_t i = 0; i < n && i <= function->n; i++) {
        const struct rego_type *want = i < function->n ? function->of[i] : function->rest;
        bool known = !rego_type_unknown(&in->types, have[i]);
        if ((known && !rego_type_unifies(&in->types, have[i], want)) ||
            !rego_unify(in, t->parts.item[i + 1], want, false)) {
            bad_arguments(in, call, have, n, function);
            return NULL;
        }
    }
    return function->rest;
}

static bool is_called(const struct rego_term *t, const char *name)
{
    const struct rego_term *op = t->parts.item[0];
    return op->kind == REGO_TERM_VAR && op->slot == REGO_NO_SLOT &&
           str_equal(op->name, str_from(name));
}

/* What is printed, or put into a text, may be undefined: each by itself. */
static void check_aside(struct rego_inference *in, const struct rego_term *t, size_t from)
{
    for (size_t i = from; i < t->parts.n; i++) {
        struct kept kept = enter(in);
        (void)apart(in, t->parts.item[i]);
        (void)leave(in, kept);
    }
}

static const struct rego_type *call_type(struct rego_inference *in, const struct rego_term *t)
{
    if (is_called(t, "print")) {
        bool skip = !in->c->policy->options.keep_print || (in->refs_only && !in->closures);
        if (!skip)
            check_aside(in, t, 1);
        return NULL;
    }
    const struct rego_term *made = with_parts(in, t, 1, expand);
    made = with_parts(in, made, 1, settle);
    if (is_called(t, "eq") || is_called(t, "assign"))
        return rego_type_scalar(REGO_BOOLEAN);
    return check_call(in, t, made);
}

/* [1, 2][i] is x = [1, 2]; x[i]. The variable is named as what it stands for, for messages. */
static const struct rego_term *with_head(struct rego_inference *in, const struct rego_term *written,
                                         const struct rego_term *t)
{
    AUTO_BUF name = {.limit = MESSAGE_MAX};
    struct rego_term *made = arena_new(in->types.arena, struct rego_term, 1);
    struct rego_term *head = arena_new(in->types.arena, struct rego_term, 1);
    struct rego_term **item = arena_new(in->types.arena, struct rego_term *, t->parts.n);
    if (!made || !head || !item) {
        rego_infer_no_memory(in);
        return t;
    }
    *head = *bind(in, settle(in, t->parts.item[0]));
    rego_term_text(&name, written->parts.item[0]);
    if (head->kind == REGO_TERM_VAR)
        head->name = arena_dup(in->types.arena, buf_view(&name));
    memcpy(item, t->parts.item, t->parts.n * sizeof *item);
    item[0] = head;
    *made = *t;
    made->parts.item = item;
    return made;
}

/* Calls, texts and what refs are made into of their own become variables. */
static const struct rego_term *expand(struct rego_inference *in, const struct rego_term *t)
{
    const struct rego_term *made = t;
    if (++in->depth > REGO_DEPTH_MAX || in->c->out_of_memory || !rego_afford(in->c, 1)) {
        in->depth--;
        return t;
    }
    switch (t->kind) {
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
        made = with_parts(in, t, 0, expand);
        break;
    case REGO_TERM_OBJECT:
        made = with_pairs(in, t, expand);
        break;
    case REGO_TERM_CALL:
        made = rego_stand_in(in, t, call_type(in, t));
        break;
    case REGO_TERM_TEMPLATE:
        if (!in->refs_only || in->closures)
            check_aside(in, t, 0);
        made = rego_stand_in(in, t, rego_type_scalar(REGO_STRING));
        break;
    case REGO_TERM_REF:
        made = with_parts(in, t, 0, expand);
        if (made->parts.item[0] != t->parts.item[0] || made->parts.item[0]->kind != REGO_TERM_VAR)
            made = with_head(in, t, made);
        break;
    default:
        break;
    }
    in->depth--;
    return made;
}

/* --- expressions --- */

/* a = b */
static void equation(struct rego_inference *in, const struct rego_term *t,
                     const struct rego_term *a, const struct rego_term *b)
{
    a = expand(in, a);
    b = expand(in, b);
    if (is_closure(b)) { /* closures first */
        b = settle(in, b);
        a = settle(in, a);
    } else {
        a = settle(in, a);
        b = settle(in, b);
    }
    check_equation(in, t, a, b);
}

/* some k, v in xs is v = xs[k] */
static void some_in(struct rego_inference *in, const struct rego_term *t)
{
    const struct rego_term *xs = t->parts.item[t->parts.n - 1];
    bool ref = xs->kind == REGO_TERM_REF;
    size_t n = ref ? xs->parts.n : 1;
    struct rego_term **item = arena_new(in->types.arena, struct rego_term *, n + 1);
    struct rego_term *each = arena_new(in->types.arena, struct rego_term, 1);
    struct rego_term *key = arena_new(in->types.arena, struct rego_term, 1);
    if (!item || !each || !key) {
        rego_infer_no_memory(in);
        return;
    }
    if (ref)
        memcpy(item, xs->parts.item, n * sizeof *item);
    else
        item[0] = t->parts.item[t->parts.n - 1];
    *key = *rego_stand_in(in, t, NULL);
    key->name = STR("_");
    item[n] = t->parts.n > 3 ? t->parts.item[1] : key;
    *each = (struct rego_term){.kind = REGO_TERM_REF, .place = xs->place};
    each->parts.item = item;
    each->parts.n = n + 1;
    equation(in, t, t->parts.item[t->parts.n - 2], each);
}

static void check_values(struct rego_inference *in, const struct rego_expr *e)
{
    for (size_t i = 0; i < e->nwith; i++) {
        const struct rego_term *value = e->with[i].value;
        struct str name = rego_operator_name(in->c, value);
        const struct rego_node *node = rego_operator_node(in->c, value);
        if (node ? node->kind != REGO_HEAD_FUNCTION : !name.len || !rego_known_builtin(in->c, name))
            (void)given(in, value);
    }
}

/* Of those only refs and comprehensions are looked at: what they compare may never be asked. */
static bool inner_bodies(struct rego_inference *in, const struct rego_body *a,
                         const struct rego_body *b)
{
    bool refs_only = in->refs_only, ok = true;
    if (refs_only)
        return check_body(in, a) && check_body(in, b);
    in->refs_only = true;
    for (int closures = 1; closures >= 0 && ok; closures--) {
        in->closures = closures;
        ok = check_body(in, a) && check_body(in, b);
    }
    in->refs_only = false;
    in->closures = false;
    return ok;
}

static bool check_expr(struct rego_inference *in, const struct rego_expr *e)
{
    const struct rego_term *t = e->term;
    check_values(in, e);
    switch (e->kind) {
    case REGO_EXPR_SOME:
        if (e->some.symbol[0]->kind == REGO_TERM_CALL)
            some_in(in, e->some.symbol[0]);
        return true;
    case REGO_EXPR_EVERY:
        (void)bind(in, apart(in, e->every.domain));
        return inner_bodies(in, e->every.body, NULL);
    case REGO_EXPR_LOGIC:
        return inner_bodies(in, e->logic.left, e->logic.right);
    case REGO_EXPR_NOT_BODY:
        return inner_bodies(in, e->body, NULL);
    default:
        break;
    }
    bool equal = in->c->unit && t->kind == REGO_TERM_CALL && is_called(t, "equal");
    if (t->kind == REGO_TERM_CALL && t->parts.n == 3 &&
        (equal || is_called(t, "eq") || is_called(t, "assign")))
        equation(in, t, t->parts.item[1], t->parts.item[2]);
    else if (t->kind == REGO_TERM_CALL)
        (void)call_type(in, t);
    else
        (void)apart(in, t);
    return true;
}

static bool check_body(struct rego_inference *in, const struct rego_body *body)
{
    bool ok = ++in->depth <= REGO_DEPTH_MAX;
    for (size_t i = 0; body && i < body->n && ok; i++)
        ok = check_expr(in, body->expr[i]);
    in->depth--;
    return ok && !in->c->out_of_memory;
}

/* --- rules --- */

enum { STEPS = 20000000 }; /* some seconds at most */

static struct rego_inference start(struct rego_compiler *c)
{
    return (struct rego_inference){
        .c = c,
        .types = {.arena = c->arena, .steps_left = STEPS},
        .own = {.outer = c->policy->types},
    };
}

bool rego_check_body_types(struct rego_compiler *c, const struct rego_body *body)
{
    struct rego_inference in = start(c);
    return check_body(&in, body) && !in.types.out_of_memory;
}

/* Arguments that the body does not ask may be anything. */
static void untyped_to_any(struct rego_inference *in, const struct rego_term *t,
                           unsigned depth_left)
{
    if (depth_left == 0)
        return;
    if (t->kind == REGO_TERM_VAR && !rego_is_document(t)) {
        if (!rego_slot_type(in, t->slot))
            rego_learn(in, t->slot, &rego_any);
    } else if (t->kind == REGO_TERM_ARRAY || t->kind == REGO_TERM_SET) {
        for (size_t i = 0; i < t->parts.n; i++)
            untyped_to_any(in, t->parts.item[i], depth_left - 1);
    } else if (t->kind == REGO_TERM_OBJECT) {
        for (size_t i = 0; i < t->pairs.n; i++)
            untyped_to_any(in, t->pairs.item[i].value, depth_left - 1);
    }
}

static const struct rego_type *function_of(struct rego_inference *in, const struct rego_head *head,
                                           const struct rego_term *value)
{
    const struct rego_type **arg = arena_new(in->types.arena, const struct rego_type *, head->narg);
    if (!arg) {
        rego_infer_no_memory(in);
        return NULL;
    }
    for (size_t i = 0; i < head->narg; i++)
        untyped_to_any(in, head->arg[i], REGO_DEPTH_MAX);
    for (size_t i = 0; i < head->narg; i++)
        arg[i] = rego_term_type(in, apart(in, head->arg[i]));
    return rego_type_make(
        &in->types, (struct rego_type){
                        .kind = REGO_FUNCTION,
                        .of = arg,
                        .n = head->narg,
                        .rest = value ? rego_term_type(in, value) : rego_type_scalar(REGO_BOOLEAN),
                    });
}

/* The type that a rule gives its node: behind its constant path there may be keys that are not. */
static const struct rego_type *rule_type(struct rego_inference *in, const struct rego_rule *rule,
                                         size_t ntail)
{
    const struct rego_head *head = &rule->head;
    const struct rego_type *type = rego_type_scalar(REGO_BOOLEAN);
    const struct rego_term *key = NULL, *value = NULL;
    const struct rego_term **tail = arena_new(in->types.arena, const struct rego_term *, ntail);
    if (!tail) {
        rego_infer_no_memory(in);
        return NULL;
    }
    for (size_t i = 0; i < ntail; i++)
        tail[i] = given(in, head->ref[head->nref - ntail + i]);
    if (head->key)
        key = given(in, head->key);
    if (head->value)
        value = given(in, head->value);
    if (head->narg)
        return function_of(in, head, value);
    if (value)
        type = rego_term_type(in, value);
    if (key) {
        type = rego_term_type(in, key);
        type = type ? rego_type_set(&in->types, type) : NULL;
    }
    for (size_t i = ntail; i-- > 0 && type;) {
        const struct rego_type *known = rego_term_type(in, tail[i]);
        type = known ? rego_type_map(&in->types, known, type) : NULL;
    }
    return type;
}

/* --- schemas --- */

static const struct value *schema_of(const struct rego_compile_options *options,
                                     const struct value *path)
{
    for (size_t i = 0; i < options->nschemas; i++)
        if (rego_equal(&options->schema[i].path, path))
            return &options->schema[i].schema;
    return NULL;
}

/* `type`, but with that type at that path; what is not known of it stays so. */
static const struct rego_type *overridden(struct rego_inference *in, const struct rego_type *type,
                                          const struct value *path, size_t n,
                                          const struct rego_type *by)
{
    struct rego_type made = {
        .kind = REGO_OBJECT, .open = true, .key = &rego_any, .rest = &rego_any};
    type = rego_type_itself(type);
    if (n == 0)
        return by;
    if (type && type->kind == REGO_OBJECT)
        made = *type;
    struct rego_property *property =
        arena_new(in->types.arena, struct rego_property, made.nproperties + 1);
    if (!property) {
        rego_infer_no_memory(in);
        return &rego_any;
    }
    if (made.nproperties)
        memcpy(property, made.property, made.nproperties * sizeof *property);
    const struct rego_type *below =
        made.nproperties || made.open ? rego_type_select(&in->types, &made, path) : NULL;
    rego_put_property(property, &made.nproperties,
                      (struct rego_property){*path, overridden(in, below, path + 1, n - 1, by)});
    made.property = property;
    return rego_type_make(&in->types, made);
}

struct annotated {
    struct rego_inference *in;
    const struct rego_rule *rule;
};

static bool use_schema(struct rego_inference *in, const struct rego_rule *rule,
                       const struct rego_schema_use *use)
{
    const struct rego_compile_options *options = &in->c->policy->options;
    const struct value *schema =
        use->definition ? use->definition : schema_of(options, &use->schema);
    struct rego_key root = {true, use->path.items[0]};
    if (!schema && !options->nschemas)
        return true;
    if (!schema) {
        AUTO_BUF text = {.limit = MESSAGE_MAX};
        buf_str(&text, STR("undefined schema: "));
        for (uint32_t i = 0; i < use->schema.len; i++)
            buf_printf(&text, "%s%.*s", i ? "." : "", STR_ARG(value_text(&use->schema.items[i])));
        complain(in, rule->place, &text);
        return true;
    }
    struct rego_typed *typed = rego_typed_at(&in->types, &in->own.root, use->path.items, 1);
    if (!typed)
        return rego_infer_no_memory(in);
    typed->type = overridden(in, rego_types_of(&in->types, &in->own, &root, 1), use->path.items + 1,
                             use->path.len - 1, rego_type_of_schema(&in->types, schema));
    return true;
}

static bool use_annotation(void *ctx, const struct rego_annotation *a)
{
    const struct annotated *annotated = ctx;
    for (size_t i = 0; i < a->nschemas; i++)
        if (a->schema[i].path.len && !use_schema(annotated->in, annotated->rule, &a->schema[i]))
            return false;
    return true;
}

static bool uses_schemas(const struct rego_policy *policy)
{
    for (size_t u = 0; u < policy->nunits; u++)
        for (size_t i = 0; i < policy->unit[u].module->nannotations; i++)
            if (policy->unit[u].module->annotations[i].nschemas)
                return true;
    return false;
}

/* What is known before any rule is: the type of input. */
static bool start_types(struct rego_compiler *c)
{
    struct rego_policy *policy = c->policy;
    struct value name = value_string(STR("schema")), input = value_string(STR("input"));
    struct value root = value_items(VALUE_TUPLE, &name, 1);
    policy->types = arena_new(c->arena, struct rego_types, 1);
    policy->type_steps = STEPS;
    policy->annotated = uses_schemas(policy);
    if (!policy->types)
        return false;
    const struct value *schema = schema_of(&policy->options, &root);
    if (!schema)
        return true;
    struct rego_typing types = {.arena = c->arena, .steps_left = STEPS};
    struct rego_typed *typed = rego_typed_at(&types, &policy->types->root, &input, 1);
    if (typed)
        typed->type = rego_type_of_schema(&types, schema);
    return typed && !types.out_of_memory;
}

/* --- each --- */

static bool check_rule(struct rego_compiler *c, const struct rego_rule *rule,
                       const struct rego_node *node, size_t ntail)
{
    struct rego_inference in = start(c);
    struct value *path;
    size_t n;
    in.types.steps_left = c->policy->type_steps;
    bool ok = !c->policy->annotated ||
              rego_annotations_of(c, rule, use_annotation, &(struct annotated){&in, rule});
    ok = ok && check_body(&in, rule->body);
    const struct rego_type *type = rule_type(&in, rule, ntail);
    ok = ok && rego_typed_path(&in.types, node, &path, &n);
    if (ok && in.failed) {
        struct rego_typed *typed = rego_typed_at(&in.types, &c->policy->types->root, path, n);
        ok = typed != NULL;
        if (ok)
            typed->type = &rego_any; /* said already: not said again of what asks for it */
    } else if (ok && type) {
        ok = rego_typed_insert(&in.types, &c->policy->types->root, path, n, type);
    }
    c->policy->type_steps = in.types.steps_left;
    c->out_of_memory |= in.types.out_of_memory;
    return ok && !c->out_of_memory;
}

bool rego_check_types(struct rego_compiler *c, const struct rego_definition *definition)
{
    const struct rego_rule *rule = definition->rule;
    if (!c->policy->types && !start_types(c))
        return false;
    for (; rule; rule = rule->else_)
        if (!check_rule(c, rule, definition->node, definition->ntail))
            return false;
    return true;
}
