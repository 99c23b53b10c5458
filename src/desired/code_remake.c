/* code_remake.c - from an element that a collection should have, or not, to the constructor that
 * says so. */
#include "desired/code_remake.h"
#include "lang/hcl/eval_parts.h"

#include "lang/hcl/edit_path.h"

/* --- small things --- */

bool code_remake_cannot(struct remake *r, const char *fmt, ...)
{
    va_list args;
    if (r->why.len)
        return false;
    va_start(args, fmt);
    r->why = arena_vprintf(r->arena, fmt, args);
    va_end(args);
    return false;
}

void code_remake_follow(struct remake *r, struct code_follow *f)
{
    *f = (struct code_follow){
        .code = r->code, .arena = r->arena, .walk = r->code->plan, .whole = true};
    f->quiet.arena = r->arena;
    f->walk.diags = &f->quiet;
}

bool code_remake_edit(struct remake *r, struct code_edit edit)
{
    struct code_edit *grown = arena_grow(r->arena, r->edit, r->n, &r->room, r->n + 1);
    if (!grown) {
        r->full = true;
        return false;
    }
    r->edit = grown;
    r->edit[r->n++] = edit;
    return true;
}

/* What follows a name ended outside of the code. */
bool code_remake_outside(struct remake *r, const struct code_follow *f)
{
    const struct code_link *last = f->n ? &f->link[f->n - 1] : NULL;
    bool env = last && str_equal(str_from(last->what), STR("environment"));
    if (!env && !(last && str_equal(str_from(last->what), STR("command line"))))
        return false;
    (void)code_remake_cannot(r, "%s %.*s decides what it goes through",
                             env ? "the environment variable" : "the command line",
                             STR_ARG(last->name));
    return true;
}

bool code_remake_blocked(struct remake *r, const struct code_source *source,
                         const struct hcl_expr *expr)
{
    struct code_follow f;
    code_remake_follow(r, &f);
    if (!source->file)
        return code_remake_cannot(r, "it comes from no file");
    struct str text = code_expr_text(&f, source->file, expr);
    return code_remake_cannot(r, "what it goes through is computed at %.*s", STR_ARG(text));
}

bool code_remake_eval(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *expr, struct value *ret)
{
    struct code_follow f;
    code_remake_follow(r, &f);
    return source->file && code_follow_eval(&f, source, expr, ret);
}

const struct hcl_expr *code_remake_inner(const struct hcl_expr *expr)
{
    while (expr->kind == HCL_EXPR_PAREN || expr->kind == HCL_EXPR_WRAP)
        expr = expr->operand;
    return expr;
}

struct str code_remake_call(const struct hcl_expr *expr)
{
    struct str core = STR("core::");
    if (expr->kind != HCL_EXPR_CALL)
        return (struct str){0};
    return str_starts(expr->call.name, core)
               ? str_sub(expr->call.name, core.len, expr->call.name.len)
               : expr->call.name;
}

bool code_remake_one_of(struct str name, const char *const *names)
{
    for (; *names; names++)
        if (str_equal(name, str_from(*names)))
            return true;
    return false;
}

/* --- elements of constructors --- */

static bool is_element(struct remake *r, const struct code_source *source,
                       const struct hcl_expr *expr, const struct value *key)
{
    struct value v;
    return key->kind != VALUE_UNKNOWN && code_remake_eval(r, source, expr, &v) &&
           code_loosely_equal(r->arena, &v, key);
}

/* The part or item that an element's key means; SIZE_MAX: none. */
static size_t part_of(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *expr, const struct remake_op *op)
{
    int64_t index;
    if (expr->kind == HCL_EXPR_TUPLE) {
        if (op->key.kind == VALUE_NUMBER && value_to_int64(&op->key, &index) && index >= 0 &&
            (uint64_t)index < expr->parts.n)
            return (size_t)index;
        return SIZE_MAX;
    }
    for (size_t i = expr->items.n; i-- > 0;) {
        const struct hcl_expr *key = expr->items.item[i].key;
        if (key->kind == HCL_EXPR_STRING ? code_loosely_equal(r->arena, &key->value, &op->key)
                                         : is_element(r, source, key, &op->key))
            return i;
    }
    return SIZE_MAX;
}

static bool change_part(struct remake *r, const struct code_source *source,
                        const struct hcl_expr *expr, struct path path, const struct value *old,
                        const struct value *v, unsigned depth_left);

/* Those members of an object that differ. */
static bool change_members(struct remake *r, const struct code_source *source,
                           const struct hcl_expr *expr, struct path path, const struct value *old,
                           const struct value *v, unsigned depth_left)
{
    for (uint32_t i = 0; i < v->len; i++) {
        struct str key = key_str(v->members[i].key);
        struct path_step *step = arena_new(r->arena, struct path_step, path.n + 1);
        if (!step)
            return false;
        for (size_t k = 0; k < path.n; k++)
            step[k] = path.step[k];
        step[path.n] = (struct path_step){.kind = PATH_KEY, .key = key};
        if (!change_part(r, source, expr, (struct path){step, path.n + 1}, value_get(old, key),
                         &v->members[i].value, depth_left))
            return false;
    }
    return true;
}

static bool change_part(struct remake *r, const struct code_source *source,
                        const struct hcl_expr *expr, struct path path, const struct value *old,
                        const struct value *v, unsigned depth_left)
{
    bool had = old && old->kind != VALUE_NULL;
    struct value own = v->kind == VALUE_UNKNOWN ? value_null() : code_strip(r, v, VALUE_DEPTH_MAX);
    if (v->kind == VALUE_UNKNOWN
            ? !had
            : (old && value_equal(old, v)) || code_loosely_equal(r->arena, old, v))
        return true;
    if (had && old->kind == VALUE_OBJECT && v->kind == VALUE_OBJECT && depth_left)
        return change_members(r, source, expr, path, old, v, depth_left - 1);
    if (own.kind == VALUE_NULL && path.n == 1 &&
        code_remake_unset(r, source, expr, &path.step[0], v->kind == VALUE_UNKNOWN))
        return true;
    return code_remake_set(r, source, expr, path, &own);
}

/* What of an element differs, set where it comes from. */
static bool change_element(struct remake *r, const struct code_source *source,
                           const struct hcl_expr *expr, const struct remake_op *op)
{
    if (!value_is_object_like(&op->old) || !value_is_object_like(&op->value))
        return code_loosely_equal(r->arena, &op->old, &op->value) ||
               code_remake_set(r, source, expr, (struct path){0}, &op->value);
    return change_members(r, source, expr, (struct path){0}, &op->old, &op->value, VALUE_DEPTH_MAX);
}

static bool in_constructor(struct remake *r, const struct code_source *source,
                           const struct hcl_expr *expr, const struct remake_op *op)
{
    bool tuple = expr->kind == HCL_EXPR_TUPLE;
    struct code_edit edit = {.file = source->file, .expr = expr};
    if (op->kind == REMAKE_ADD) {
        size_t n = tuple ? expr->parts.n : expr->items.n;
        edit.kind = tuple ? CODE_EDIT_INSERT : CODE_EDIT_ITEM;
        edit.at = op->before < n ? op->before : n;
        edit.value = code_shape_element(r, source, expr, op);
        if (edit.value.kind == VALUE_NULL)
            return code_remake_cannot(r, "no part of an element decides what is in the block");
        return (tuple || code_element_key(r, source, expr, op, &edit.key)) &&
               code_remake_edit(r, edit);
    }
    edit.at = part_of(r, source, expr, op);
    if (edit.at == SIZE_MAX)
        return code_remake_blocked(r, source, expr);
    if (op->kind == REMAKE_CHANGE)
        return change_element(
            r, source, tuple ? expr->parts.part[edit.at] : expr->items.item[edit.at].value, op);
    return code_remake_edit(r, edit);
}

/* --- conditions --- */

struct names {
    struct arena *arena;
    const struct hcl_expr *other;
    const struct hcl_traversal *one;
    bool shared;
};

static struct str first_step(const struct hcl_traversal *t)
{
    return t->n && t->step[0].key.kind == VALUE_STRING ? value_text(&t->step[0].key)
                                                       : (struct str){0};
}

static bool same_name(void *ctx, const struct hcl_traversal *t)
{
    struct names *names = ctx;
    names->shared |=
        str_equal(t->root, names->one->root) && str_equal(first_step(t), first_step(names->one));
    return !names->shared;
}

static bool each_of_other(void *ctx, const struct hcl_traversal *t)
{
    struct names *names = ctx;
    names->one = t;
    (void)hcl_each_reference(names->arena, names->other, same_name, names);
    return !names->shared;
}

/* Do both ask the same thing, as in `x != null ? [x] : []`? */
static bool share_name(struct remake *r, const struct hcl_expr *a, const struct hcl_expr *b)
{
    struct names names = {.arena = r->arena, .other = b};
    (void)hcl_each_reference(r->arena, a, each_of_other, &names);
    return names.shared;
}

/* What a thing is where it is not there: null if that is asked for, else empty. */
static struct value absent_value(const struct value *now, const struct hcl_expr *condition)
{
    if (code_mentions_null(condition, HCL_DEPTH_MAX))
        return value_null();
    if (value_is_object_like(now))
        return (struct value){.kind = VALUE_OBJECT};
    if (value_is_list_like(now))
        return (struct value){.kind = VALUE_TUPLE};
    return now->kind == VALUE_STRING ? value_string(STR("")) : value_null();
}

static bool is_empty(const struct value *v)
{
    return (value_is_list_like(v) || value_is_object_like(v)) && v->len == 0;
}

/* [x]: of one thing */
static const struct hcl_expr *only_part(const struct hcl_expr *expr)
{
    static const char *const passing[] = {"toset", "tolist", NULL};
    expr = code_remake_inner(expr);
    if (code_remake_one_of(code_remake_call(expr), passing) && expr->call.nargs == 1)
        expr = code_remake_inner(expr->call.arg[0]);
    return expr->kind == HCL_EXPR_TUPLE && expr->parts.n == 1 ? expr->parts.part[0] : NULL;
}

/* condition ? [x] : [] and the other way round: the first element comes, or the last one goes. */
static bool in_switch(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *expr, const struct remake_op *op, bool truth,
                      unsigned depth_left)
{
    const struct hcl_expr *taken = truth ? expr->cond.yes : expr->cond.no;
    const struct hcl_expr *other = truth ? expr->cond.no : expr->cond.yes;
    const struct hcl_expr *condition = expr->cond.condition;
    bool add = op->kind == REMAKE_ADD;
    const struct hcl_expr *full = add ? other : taken, *part = only_part(full);
    struct value now;
    if (!part) {
        if (!code_remake(r, source, full, *op, depth_left))
            return false;
        return !add || share_name(r, condition, full) ||
               code_remake_truth(r, source, condition, !truth, depth_left);
    }
    bool same = share_name(r, condition, part);
    if (!add && same && code_remake_eval(r, source, part, &now)) {
        bool flag = code_remake_inner(condition)->kind != HCL_EXPR_BINARY && now.kind == VALUE_BOOL;
        struct value v = flag ? value_bool(!truth) : absent_value(&now, condition);
        return v.kind == VALUE_NULL ? code_remake_nothing(r, source, part, false, &v)
                                    : code_remake_set(r, source, part, (struct path){0}, &v);
    }
    if (!add)
        return code_remake_truth(r, source, condition, !truth, depth_left);
    if (!hcl_is_literal(part) && op->value.kind != VALUE_NULL &&
        !code_remake_set(r, source, part, (struct path){0}, &op->value))
        return false;
    return same || code_remake_truth(r, source, condition, !truth, depth_left);
}

static bool in_conditional(struct remake *r, const struct code_source *source,
                           const struct hcl_expr *expr, const struct remake_op *op,
                           unsigned depth_left)
{
    struct value yes, no;
    bool truth;
    if (!code_remake_is_true(r, source, expr->cond.condition, &truth))
        return code_remake_blocked(r, source, expr);
    const struct hcl_expr *taken = truth ? expr->cond.yes : expr->cond.no;
    bool known_yes = code_remake_eval(r, source, expr->cond.yes, &yes);
    bool known_no = code_remake_eval(r, source, expr->cond.no, &no);
    const struct value *now = truth ? &yes : &no, *then = truth ? &no : &yes;
    bool known_now = truth ? known_yes : known_no, known_then = truth ? known_no : known_yes;
    if (known_now && op->kind == REMAKE_ADD && is_empty(now) &&
        code_remake_inner(taken)->kind != HCL_EXPR_VARIABLE &&
        code_remake_inner(taken)->kind != HCL_EXPR_ATTRIBUTE)
        return in_switch(r, source, expr, op, truth, depth_left);
    if (known_now && known_then && op->kind == REMAKE_REMOVE && is_empty(then) && now->len == 1)
        return in_switch(r, source, expr, op, truth, depth_left);
    return code_remake(r, source, taken, *op, depth_left);
}

/* --- for and splat --- */

static struct hcl_scope *bind_for(struct remake *r, const struct code_source *source,
                                  const struct hcl_for *for_, const struct value *key,
                                  const struct value *v)
{
    struct hcl_scope *names = arena_new(r->arena, struct hcl_scope, 2);
    struct str *name = arena_new(r->arena, struct str, 2);
    struct value *value = arena_new(r->arena, struct value, 2);
    if (!names || !name || !value)
        return NULL;
    names[0] = (struct hcl_scope){.resolve = code_resolve, .ctx = (void *)(uintptr_t)source->scope};
    name[0] = for_->value_name;
    name[1] = for_->key_name;
    value[0] = *v;
    value[1] = *key;
    names[1] = (struct hcl_scope){.parent = source->names ? source->names : &names[0],
                                  .name = name,
                                  .value = value,
                                  .n = name[1].len ? 2 : 1};
    return &names[1];
}

/* Has an element what is wished for, whatever else it has? */
static bool covers(struct remake *r, const struct value *v, const struct value *wish)
{
    if (!value_is_object_like(wish))
        return code_loosely_equal(r->arena, v, wish);
    for (uint32_t i = 0; i < wish->len; i++)
        if (!code_loosely_equal(r->arena, value_get(v, key_str(wish->members[i].key)),
                                &wish->members[i].value))
            return false;
    return wish->len > 0;
}

/* Does the element pass, and as what? passed: so far. */
static bool passes(struct remake *r, const struct code_source *source, const struct hcl_for *for_,
                   const struct value *key, const struct value *v, int64_t passed,
                   struct value *ret_key)
{
    struct code_source own = *source;
    bool truth;
    if (!(own.names = bind_for(r, source, for_, key, v)))
        return false;
    if (for_->condition && (!code_remake_is_true(r, &own, for_->condition, &truth) || !truth))
        return false;
    *ret_key = value_int(passed);
    return !for_->key || code_remake_eval(r, &own, for_->key, ret_key);
}

/* An element that is there, and passes as soon as the condition holds for it. */
static bool let_pass(struct remake *r, const struct code_source *source, const struct hcl_for *for_,
                     const struct remake_op *op, const struct value *key, const struct value *v,
                     struct remake_op *ret)
{
    struct code_source own = *source;
    struct code_wanted wanted = {.name = for_->value_name, .key_name = for_->key_name};
    struct value made, made_key, truth = value_bool(true);
    struct code_follow f;
    bool now = true, any = op->has_key && for_->key;
    if (op->kind != REMAKE_ADD || !for_->condition ||
        !(own.names = bind_for(r, source, for_, key, v)) ||
        !code_remake_is_true(r, &own, for_->condition, &now) || now)
        return false;
    if (any && (!code_remake_eval(r, &own, for_->key, &made_key) ||
                !code_loosely_equal(r->arena, &made_key, &op->new_key)))
        return false;
    bool wished = op->value.kind != VALUE_NULL && !(any && value_equal(&op->value, &op->new_key));
    if (!(any || wished) || (wished && (!code_remake_eval(r, &own, for_->value, &made) ||
                                        !covers(r, &made, &op->value))))
        return false;
    code_remake_follow(r, &f);
    if (!code_invert(&f, source, for_->condition, &wanted, &truth, CODE_FOLLOW_DEPTH) ||
        !wanted.has_value)
        return false;
    *ret = *op;
    ret->kind = REMAKE_CHANGE;
    ret->key = *key;
    ret->old = *v;
    return code_lay_over(r->arena, v, &wanted.value, &ret->value);
}

static bool in_for(struct remake *r, const struct code_source *source, const struct hcl_expr *expr,
                   const struct remake_op *op, unsigned depth_left)
{
    const struct hcl_for *for_ = expr->for_;
    struct value collection, key, v, made;
    struct hcl_iteration it;
    struct remake_op on = *op;
    struct code_follow f;
    int64_t passed = 0;
    size_t place = SIZE_MAX;
    bool found = false;
    if (for_->group || for_->in_template ||
        !code_remake_eval(r, source, for_->source, &collection) ||
        !(value_is_list_like(&collection) || value_is_object_like(&collection)) ||
        !hcl_iterate(&r->code->ev, &collection, for_->source->range, &it))
        return code_remake_blocked(r, source, expr);
    for (size_t i = 0; hcl_iteration_next(&it, &key, &v); i++) {
        if (!passes(r, source, for_, &key, &v, passed, &made)) {
            if (collection.kind != VALUE_SET && let_pass(r, source, for_, op, &key, &v, &on))
                return code_remake(r, source, for_->source, on, depth_left);
            continue;
        }
        if ((size_t)passed++ == op->before)
            place = i;
        if (op->kind != REMAKE_ADD && !found && code_loosely_equal(r->arena, &made, &op->key)) {
            on.key = key;
            on.old = v;
            found = true;
        }
    }
    on.before = place == SIZE_MAX ? collection.len : place;
    if (op->kind != REMAKE_ADD && !found)
        return code_remake_blocked(r, source, expr);
    if (op->kind == REMAKE_REMOVE)
        return code_remake(r, source, for_->source, on, depth_left);
    struct code_wanted own = {.name = for_->value_name, .key_name = for_->key_name};
    struct value truth = value_bool(true);
    code_remake_follow(r, &f);
    if (!code_invert(&f, source, for_->value, &own, &op->value, CODE_FOLLOW_DEPTH) ||
        (for_->key && op->has_key &&
         !code_invert(&f, source, for_->key, &own, &op->new_key, CODE_FOLLOW_DEPTH)))
        return code_remake_cannot(r, "%.*s", STR_ARG(f.why));
    if (for_->condition && op->kind == REMAKE_ADD)
        (void)code_invert(&f, source, for_->condition, &own, &truth, CODE_FOLLOW_DEPTH);
    on.value = own.has_value ? own.value : own.has_key ? own.key : value_null();
    on.has_key = own.has_key;
    on.new_key = own.key;
    if (op->kind == REMAKE_CHANGE && collection.kind == VALUE_SET) {
        on.kind = REMAKE_REMOVE;
        if (!code_remake(r, source, for_->source, on, depth_left))
            return false;
        on.kind = REMAKE_ADD;
    }
    return code_remake(r, source, for_->source, on, depth_left);
}

/* x[*]: the elements of a list, or one thing that may not be there */
static bool in_splat(struct remake *r, const struct code_source *source,
                     const struct hcl_expr *expr, const struct remake_op *op, unsigned depth_left)
{
    struct value v, none = value_null();
    if (expr->splat.each->kind != HCL_EXPR_SPLAT_ITEM ||
        !code_remake_eval(r, source, expr->splat.source, &v))
        return code_remake_blocked(r, source, expr);
    if (value_is_list_like(&v))
        return code_remake(r, source, expr->splat.source, *op, depth_left);
    if (op->kind == REMAKE_CHANGE)
        return change_element(r, source, expr->splat.source, op);
    return code_remake_set(r, source, expr->splat.source, (struct path){0},
                           op->kind == REMAKE_ADD ? &op->value : &none);
}

/* --- calls --- */

/* One thing that may be a list as well: two of them make one. */
static bool in_single(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *expr, const struct remake_op *op,
                      const struct value *now)
{
    struct value none = value_null(), *both;
    if (op->kind == REMAKE_REMOVE)
        return code_remake_nothing(r, source, expr, true, &none);
    if (op->kind == REMAKE_CHANGE)
        return change_element(r, source, expr, op);
    if (!(both = arena_new(r->arena, struct value, 3)))
        return false;
    both[op->before ? 0 : 1] = *now;
    both[op->before ? 1 : 0] = op->value;
    both[2] = value_items(VALUE_TUPLE, both, 2);
    return code_remake_set(r, source, expr, (struct path){0}, &both[2]);
}

/* The elements of the parts one after the other: concat(a, b), flatten([a, b]). */
static bool in_joined(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *expr, const struct hcl_expr *const *part, size_t n,
                      const struct remake_op *op, unsigned depth_left)
{
    int64_t want = -1;
    size_t before = 0;
    struct value v;
    if (op->kind != REMAKE_ADD && !value_to_int64(&op->key, &want))
        return code_remake_blocked(r, source, expr);
    for (size_t pass = 0; pass < 2; pass++, before = 0) {
        for (size_t i = 0; i < n; i++) {
            struct remake_op on = *op;
            size_t kept = r->n;
            if (!code_remake_eval(r, source, part[i], &v))
                return code_remake_blocked(r, source, part[i]);
            if (!value_is_list_like(&v)) { /* flatten([x]): x is one of the elements */
                if (op->kind != REMAKE_ADD ? want == (int64_t)before : n == 1)
                    return in_single(r, source, part[i], op, &v);
                before++;
                continue;
            }
            if (op->kind != REMAKE_ADD) {
                on.key = value_int(want - (int64_t)before);
                if (want >= (int64_t)before && want < (int64_t)(before + v.len))
                    return code_remake(r, source, part[i], on, depth_left);
            } else if ((v.len || pass) && op->before >= before && op->before <= before + v.len) {
                on.before = op->before - before; /* beside its neighbour, if that can be */
                if (code_remake(r, source, part[i], on, depth_left))
                    return true;
                r->n = kept;
            }
            before += v.len;
        }
    }
    return code_remake_blocked(r, source, expr);
}

/* The last argument that has the key; a new one goes where one can be edited, the last first. */
static bool in_merged(struct remake *r, const struct code_source *source,
                      const struct hcl_expr *expr, const struct remake_op *op, unsigned depth_left)
{
    struct value v;
    bool found = false;
    for (size_t i = expr->call.nargs; i-- > 0;) {
        size_t kept = r->n;
        if (!code_remake_eval(r, source, expr->call.arg[i], &v))
            return code_remake_blocked(r, source, expr->call.arg[i]);
        if (op->kind == REMAKE_ADD) {
            struct str why = r->why;
            if (code_remake(r, source, expr->call.arg[i], *op, depth_left)) {
                r->why = why;
                return true;
            }
            r->n = kept;
            continue;
        }
        if (op->key.kind != VALUE_STRING || !value_get(&v, value_text(&op->key)))
            continue;
        if (!code_remake(r, source, expr->call.arg[i], *op, depth_left))
            return false;
        found = true;
        if (op->kind == REMAKE_CHANGE)
            return true;
    }
    return found || code_remake_blocked(r, source, expr);
}

/* toset(), distinct(), compact(): the element by its value. values(): by its place. */
static bool in_converted(struct remake *r, const struct code_source *source,
                         const struct hcl_expr *expr, const struct remake_op *op,
                         unsigned depth_left)
{
    struct remake_op on = *op;
    struct value v;
    bool values = str_equal(code_remake_call(expr), STR("values")), found = false;
    int64_t index = -1;
    if (!code_remake_eval(r, source, expr->call.arg[0], &v))
        return code_remake_blocked(r, source, expr);
    if (op->kind == REMAKE_ADD || v.kind == VALUE_SET) {
        on.before = v.len;
        return code_remake(r, source, expr->call.arg[0], on, depth_left);
    }
    if (values) {
        found = value_to_int64(&op->key, &index) && index >= 0 && index < v.len &&
                value_is_object_like(&v);
        if (found)
            on.key = value_string(key_str(v.members[index].key));
        return found ? code_remake(r, source, expr->call.arg[0], on, depth_left)
                     : code_remake_blocked(r, source, expr);
    }
    for (uint32_t i = v.len; value_is_list_like(&v) && i-- > 0;) {
        if (op->old.kind == VALUE_UNKNOWN || !code_loosely_equal(r->arena, &v.items[i], &op->old))
            continue;
        on.key = value_int(i);
        found = true;
        if (!code_remake(r, source, expr->call.arg[0], on, depth_left))
            return false;
    }
    return found || code_remake_blocked(r, source, expr);
}

static bool in_call(struct remake *r, const struct code_source *source, const struct hcl_expr *expr,
                    const struct remake_op *op, unsigned depth_left)
{
    static const char *const same[] = {"tolist", "tomap", "sensitive", "nonsensitive", NULL};
    static const char *const converted[] = {"toset", "distinct", "compact", "values", NULL};
    struct str name = code_remake_call(expr);
    if (expr->call.expand || expr->call.nargs == 0)
        return code_remake_blocked(r, source, expr);
    if (code_remake_one_of(name, same))
        return code_remake(r, source, expr->call.arg[0], *op, depth_left);
    if (code_remake_one_of(name, converted))
        return in_converted(r, source, expr, op, depth_left);
    if (str_equal(name, STR("concat")))
        return in_joined(r, source, expr, expr->call.arg, expr->call.nargs, op, depth_left);
    if (str_equal(name, STR("flatten")) &&
        code_remake_inner(expr->call.arg[0])->kind == HCL_EXPR_TUPLE) {
        const struct hcl_expr *tuple = code_remake_inner(expr->call.arg[0]);
        return in_joined(r, source, expr, tuple->parts.part, tuple->parts.n, op, depth_left);
    }
    if (str_equal(name, STR("merge")))
        return in_merged(r, source, expr, op, depth_left);
    return code_remake_blocked(r, source, expr);
}

/* --- all of them --- */

/* The collection as it will be, for an argument that is not given yet. */
static bool whole_value(struct remake *r, const struct remake_op *op, const struct value *now,
                        struct value *ret)
{
    size_t n = 0;
    if (value_is_list_like(now) && !(op->kind == REMAKE_CHANGE)) {
        struct value *items = arena_new(r->arena, struct value, (size_t)now->len + 1);
        int64_t gone = -1;
        if (op->kind == REMAKE_REMOVE)
            (void)value_to_int64(&op->key, &gone);
        for (uint32_t i = 0; items && i <= now->len; i++) {
            bool here =
                op->kind == REMAKE_ADD && (op->before == i || (i == now->len && op->before > i));
            if (here)
                items[n++] = op->value;
            if (i < now->len && i != gone)
                items[n++] = now->items[i];
        }
        *ret = value_items(VALUE_TUPLE, items, n);
        return items;
    }
    if (op->kind != REMAKE_ADD || !value_is_object_like(now) || !op->has_key ||
        op->new_key.kind != VALUE_STRING)
        return false;
    struct value_member *members = arena_new(r->arena, struct value_member, (size_t)now->len + 1);
    for (; members && n < now->len; n++)
        members[n] = now->members[n];
    if (!members || !(members[n].key = key_make(r->arena, value_text(&op->new_key))))
        return false;
    members[n++].value = op->value;
    return value_members(VALUE_OBJECT, members, n, ret, NULL, NULL);
}

static bool in_argument(struct remake *r, const struct code_follow *f,
                        const struct code_source *source, const struct hcl_expr *expr,
                        const struct remake_op *op)
{
    struct value now, then;
    for (size_t i = 0; i < r->n; i++)
        if (r->edit[i].call == f->unset->config->call &&
            str_equal(r->edit[i].key, f->variable->name))
            return whole_value(r, op, &r->edit[i].value, &then) &&
                   code_remake_argument(r, f->unset, f->variable->name, &then);
    if (!code_remake_eval(r, source, expr, &now) || !whole_value(r, op, &now, &then))
        return code_remake_blocked(r, source, expr);
    then = code_strip(r, &then, VALUE_DEPTH_MAX);
    return code_remake_argument(r, f->unset, f->variable->name, &then);
}

/* A collection that is not there yet, with its first element; one: that alone. */
static bool in_absent(struct remake *r, const struct code_follow *f, const struct remake_op *op,
                      bool one)
{
    struct value *v = arena_new(r->arena, struct value, 2);
    struct value_member *member = arena_new(r->arena, struct value_member, 1);
    if (!v || !member)
        return false;
    v[0] = code_strip(r, &op->value, VALUE_DEPTH_MAX);
    v[1] = value_items(VALUE_TUPLE, v, 1);
    if (op->has_key && op->new_key.kind == VALUE_STRING) {
        member->key = key_make(r->arena, value_text(&op->new_key));
        member->value = v[0];
        if (!member->key || !value_members(VALUE_OBJECT, member, 1, &v[1], NULL, NULL))
            return false;
    }
    if (one)
        v[1] = v[0];
    return code_remake_edit(r, (struct code_edit){.kind = CODE_EDIT_SET,
                                                  .file = f->reached_at.file,
                                                  .expr = code_remake_inner(f->reached),
                                                  .path = f->left,
                                                  .value = v[1]});
}

static bool in_name(struct remake *r, const struct code_source *source, const struct hcl_expr *expr,
                    const struct remake_op *op, unsigned depth_left)
{
    struct code_follow f, g;
    struct remake_op on = *op;
    struct value none = value_null();
    code_remake_follow(r, &f);
    code_follow_expr(&f, source, expr, (struct path){0}, CODE_FOLLOW_DEPTH);
    if (f.why.len)
        return code_remake_cannot(r, "%.*s", STR_ARG(f.why));
    if (code_remake_outside(r, &f))
        return false;
    if (!f.reached || f.reached == expr || !f.reached_at.file)
        return code_remake_blocked(r, source, expr);
    bool one = false;
    if (f.absent && op->kind == REMAKE_ADD && code_remake_absent(r, &f, &g, &one))
        return in_absent(r, &g, op, one);
    /* try([x.a], []): x.a goes */
    if (code_remake_call(expr).len && op->kind == REMAKE_REMOVE && only_part(f.reached) &&
        !hcl_is_literal(only_part(f.reached)))
        return code_remake_nothing(r, &f.reached_at, only_part(f.reached), true, &none);
    if (f.left.n)
        return op->kind == REMAKE_ADD && code_remake_inner(f.reached)->kind == HCL_EXPR_OBJECT
                   ? in_absent(r, &f, op, false)
                   : code_remake_blocked(r, &f.reached_at, f.reached);
    if (f.unset && f.variable_rest.n == 0)
        return in_argument(r, &f, source, expr, op);
    if (f.variable) {
        on.variable = f.variable;
        on.variable_rest = f.variable_rest;
    }
    if (!code_remake_eval(r, source, expr, &on.given))
        on.given = value_null();
    return code_remake(r, &f.reached_at, f.reached, on, depth_left);
}

bool code_remake(struct remake *r, const struct code_source *source, const struct hcl_expr *expr,
                 struct remake_op op, unsigned depth_left)
{
    static const char *const picks[] = {"try",     "lookup", "coalesce", "coalescelist",
                                        "element", "one",    NULL};
    if (depth_left-- == 0 || r->full)
        return code_remake_cannot(r, "it is nested too deeply");
    expr = code_remake_inner(expr);
    switch (expr->kind) {
    case HCL_EXPR_TUPLE:
    case HCL_EXPR_OBJECT:
        return in_constructor(r, source, expr, &op);
    case HCL_EXPR_VARIABLE:
    case HCL_EXPR_ATTRIBUTE:
    case HCL_EXPR_INDEX:
        return in_name(r, source, expr, &op, depth_left);
    case HCL_EXPR_CONDITIONAL:
        return in_conditional(r, source, expr, &op, depth_left);
    case HCL_EXPR_FOR:
        return in_for(r, source, expr, &op, depth_left);
    case HCL_EXPR_SPLAT:
        return in_splat(r, source, expr, &op, depth_left);
    case HCL_EXPR_CALL:
        return code_remake_one_of(code_remake_call(expr), picks)
                   ? in_name(r, source, expr, &op, depth_left)
                   : in_call(r, source, expr, &op, depth_left);
    default:
        return code_remake_blocked(r, source, expr);
    }
}
