/* code_invert.c - expressions undone: from what they give to the element that they make it of. */
#include "desired/code_invert.h"

#include <string.h>

#include "lang/hcl/types.h"

enum { EXCERPT_MAX = 60, WANTED_MAX = 8 /* elements around one another */ };

/* --- saying why not --- */

bool code_cannot(struct code_follow *f, const char *fmt, ...)
{
    va_list args;
    if (f->why.len)
        return false;
    va_start(args, fmt);
    f->why = arena_vprintf(f->arena, fmt, args);
    va_end(args);
    return false;
}

struct str code_expr_text(struct code_follow *f, const struct hcl_file *file,
                          const struct hcl_expr *expr)
{
    uint32_t line, column;
    struct str text = str_sub(file->text, expr->range.start, expr->range.end);
    size_t end = str_find_char(text, '\n', 0), cut = end < text.len ? end : text.len;
    if (cut > EXCERPT_MAX)
        cut = EXCERPT_MAX;
    while (cut < text.len && cut > 0 && ((unsigned char)text.ptr[cut] & 0xc0) == 0x80)
        cut--;
    hcl_place(file->text, expr->range.start, &line, &column);
    return arena_printf(f->arena, "%.*s:%u: %.*s%s", STR_ARG(file->name), line, (int)cut, text.ptr,
                        cut < text.len ? "..." : "");
}

static bool cannot_undo(struct code_follow *f, const struct code_source *source,
                        const struct hcl_expr *expr)
{
    struct str text = code_expr_text(f, source->file, expr);
    return code_cannot(f, "no element can be told from %.*s", STR_ARG(text));
}

/* --- values --- */

static bool is_nothing(const struct value *v)
{
    return !v || v->kind == VALUE_NULL ||
           ((value_is_list_like(v) || v->kind == VALUE_STRING) && v->len == 0);
}

static bool loosely_equal(struct arena *arena, const struct value *a, const struct value *b,
                          unsigned depth_left);

static bool members_in(struct arena *arena, const struct value *a, const struct value *b,
                       unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++)
        if (!loosely_equal(arena, &a->members[i].value, value_get(b, key_str(a->members[i].key)),
                           depth_left))
            return false;
    for (uint32_t i = 0; i < b->len; i++)
        if (!value_get(a, key_str(b->members[i].key)) &&
            !loosely_equal(arena, NULL, &b->members[i].value, depth_left))
            return false;
    return true;
}

static bool items_in(struct arena *arena, const struct value *a, const struct value *b,
                     unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++) {
        bool found = false;
        for (uint32_t k = 0; k < b->len && !found; k++)
            found = loosely_equal(arena, &a->items[i], &b->items[k], depth_left);
        if (!found)
            return false;
    }
    return a->len == b->len;
}

static bool loosely_equal(struct arena *arena, const struct value *a, const struct value *b,
                          unsigned depth_left)
{
    struct value text[2];
    struct str why;
    if (b && b->kind == VALUE_UNKNOWN)
        return true;
    if (is_nothing(a) || is_nothing(b))
        return is_nothing(a) && is_nothing(b);
    if (depth_left-- == 0 || a->kind == VALUE_UNKNOWN)
        return false;
    if (value_is_object_like(a) && value_is_object_like(b))
        return members_in(arena, a, b, depth_left);
    if (value_is_list_like(a) && value_is_list_like(b)) {
        if (a->kind == VALUE_SET || b->kind == VALUE_SET)
            return items_in(arena, a, b, depth_left);
        for (uint32_t i = 0; a->len == b->len && i < a->len; i++)
            if (!loosely_equal(arena, &a->items[i], &b->items[i], depth_left))
                return false;
        return a->len == b->len;
    }
    return value_equal(a, b) ||
           (hcl_convert(arena, a, &type_string, &text[0], &why) &&
            hcl_convert(arena, b, &type_string, &text[1], &why) && value_equal(&text[0], &text[1]));
}

bool code_loosely_equal(struct arena *arena, const struct value *a, const struct value *b)
{
    return loosely_equal(arena, a, b, VALUE_DEPTH_MAX);
}

/* --- putting a value together --- */

static bool put(struct code_follow *f, struct value *root, bool *has, struct path path,
                const struct value *v, unsigned depth_left);

static struct path below(struct path path)
{
    return (struct path){path.step + 1, path.n - 1};
}

static bool put_member(struct code_follow *f, struct value *root, struct path path,
                       const struct value *v, unsigned depth_left)
{
    struct str key = path.step[0].key;
    uint32_t at = 0;
    struct value_member *members = arena_new(f->arena, struct value_member, (size_t)root->len + 1);
    if (!members)
        return f->full = true, false;
    for (uint32_t i = 0; i < root->len; i++)
        members[i] = root->members[i];
    while (at < root->len && !str_equal(key_str(members[at].key), key))
        at++;
    bool has = at < root->len;
    if (!has && !(members[at].key = key_make(f->arena, key)))
        return f->full = true, false;
    return put(f, &members[at].value, &has, below(path), v, depth_left) &&
           value_members(VALUE_OBJECT, members, root->len + (at == root->len), root, NULL, NULL);
}

static bool put_item(struct code_follow *f, struct value *root, struct path path,
                     const struct value *v, unsigned depth_left)
{
    enum { ITEMS_MAX = 64 };
    int64_t at = path.step[0].index;
    if (at < 0 || at >= ITEMS_MAX)
        return false;
    size_t n = (size_t)at < root->len ? root->len : (size_t)at + 1;
    struct value *items = arena_new(f->arena, struct value, n);
    if (!items)
        return f->full = true, false;
    for (uint32_t i = 0; i < root->len; i++)
        items[i] = root->items[i];
    bool has = items[at].kind != VALUE_NULL;
    if (!put(f, &items[at], &has, below(path), v, depth_left))
        return false;
    *root = value_items(VALUE_TUPLE, items, n);
    return true;
}

/* False where something else stands there already. */
static bool put(struct code_follow *f, struct value *root, bool *has, struct path path,
                const struct value *v, unsigned depth_left)
{
    if (depth_left-- == 0)
        return false;
    if (path.n == 0) {
        bool open = !*has || root->kind == VALUE_UNKNOWN;
        bool same = open || code_loosely_equal(f->arena, root, v);
        if (open)
            *root = *v;
        *has = true;
        return same;
    }
    bool key = path.step[0].kind == PATH_KEY;
    if (!*has)
        *root = (struct value){.kind = key ? VALUE_OBJECT : VALUE_TUPLE};
    *has = true;
    if (key)
        return value_is_object_like(root) && put_member(f, root, path, v, depth_left);
    return value_is_list_like(root) && put_item(f, root, path, v, depth_left);
}

/* --- names --- */

static const struct code_wanted *find_wanted(const struct code_wanted *in, struct str name)
{
    for (; in; in = in->outer)
        if (str_equal(in->name, name) || (in->key_name.len && str_equal(in->key_name, name)))
            return in;
    return NULL;
}

static bool is_other(void *ctx, const struct hcl_traversal *traversal)
{
    return !find_wanted(ctx, traversal->root);
}

/* Does the expression use an element that is looked for? */
static bool uses(struct code_follow *f, const struct hcl_expr *expr, const struct code_wanted *in)
{
    return !hcl_each_reference(f->arena, expr, is_other, (void *)(uintptr_t)in);
}

/* The element and the path in it that expr stands for; false: it is something else. */
static bool path_in(struct code_follow *f, const struct code_source *source,
                    const struct hcl_expr *expr, struct path rest, struct code_wanted *in,
                    unsigned depth_left, struct code_wanted **ret, struct path *ret_path)
{
    struct value key;
    if (depth_left-- == 0)
        return false;
    const struct hcl_expr *root = code_follow_root(f, source, expr, rest, ret_path);
    if (!root)
        return false;
    if (root->kind == HCL_EXPR_VARIABLE) {
        *ret = (struct code_wanted *)(uintptr_t)find_wanted(in, root->name);
        return *ret && (!(*ret)->iterator || ret_path->n);
    }
    if (root->kind == HCL_EXPR_PAREN || root->kind == HCL_EXPR_WRAP)
        return path_in(f, source, root->operand, *ret_path, in, depth_left, ret, ret_path);
    if (root->kind != HCL_EXPR_CALL || root->call.nargs == 0 || root->call.expand)
        return false;
    if (str_equal(root->call.name, STR("lookup")) && root->call.nargs > 1 &&
        code_follow_eval(f, source, root->call.arg[1], &key) && key.kind == VALUE_STRING) {
        struct path_step *step = arena_new(f->arena, struct path_step, ret_path->n + 1);
        if (!step)
            return false;
        step[0] = (struct path_step){.kind = PATH_KEY, .key = value_text(&key)};
        if (ret_path->n)
            memcpy(step + 1, ret_path->step, ret_path->n * sizeof *step);
        return path_in(f, source, root->call.arg[0], (struct path){step, ret_path->n + 1}, in,
                       depth_left, ret, ret_path);
    }
    return str_equal(root->call.name, STR("try")) &&
           path_in(f, source, root->call.arg[0], *ret_path, in, depth_left, ret, ret_path);
}

/* table[x][0]: x is the one key of the table that has v there. Several have it: another attribute
 * may tell. */
static bool invert_table(struct code_follow *f, const struct code_source *source,
                         const struct hcl_expr *expr, struct code_wanted *in, const struct value *v,
                         unsigned depth_left)
{
    const struct hcl_expr *at = expr;
    struct value table, key, found = value_null();
    struct path_step step[HCL_STEPS_MAX];
    size_t n = HCL_STEPS_MAX, hits = 0;
    for (; (at->kind == HCL_EXPR_INDEX && !uses(f, at->index.key, in)) ||
           at->kind == HCL_EXPR_ATTRIBUTE;
         at = at->kind == HCL_EXPR_INDEX ? at->index.source : at->get.source) {
        if (n == 0)
            return false;
        step[--n] = (struct path_step){.kind = PATH_KEY, .key = at->get.name};
        if (at->kind == HCL_EXPR_INDEX) {
            if (!code_follow_eval(f, source, at->index.key, &key) ||
                !code_follow_step(&key, &step[n]))
                return false;
        }
    }
    struct path below_key = {&step[n], HCL_STEPS_MAX - n};
    if (at->kind != HCL_EXPR_INDEX || uses(f, at->index.source, in) ||
        !code_follow_eval(f, source, at->index.source, &table) || !value_is_object_like(&table))
        return false;
    for (uint32_t i = 0; i < table.len; i++) {
        const struct value *own = path_find(&table.members[i].value, below_key);
        if (!own || !code_loosely_equal(f->arena, own, v))
            continue;
        found = value_string(key_str(table.members[i].key));
        hits++;
    }
    if (hits != 1)
        return hits > 1;
    return code_invert(f, source, at->index.key, in, &found, depth_left);
}

static bool invert_name(struct code_follow *f, const struct code_source *source,
                        const struct hcl_expr *expr, struct code_wanted *in, const struct value *v,
                        unsigned depth_left)
{
    struct code_wanted *of;
    struct path path;
    if (!path_in(f, source, expr, (struct path){0}, in, depth_left, &of, &path))
        return invert_table(f, source, expr, in, v, depth_left) || cannot_undo(f, source, expr);
    bool key = of->iterator
                   ? path.step[0].kind == PATH_KEY && str_equal(path.step[0].key, STR("key"))
                   : of->key_name.len && expr->kind == HCL_EXPR_VARIABLE &&
                         str_equal(expr->name, of->key_name);
    if (of->iterator)
        path = below(path);
    if (key && path.n)
        return cannot_undo(f, source, expr);
    if (put(f, key ? &of->key : &of->value, key ? &of->has_key : &of->has_value, path, v,
            depth_left))
        return true;
    struct str text = code_expr_text(f, source->file, expr);
    return code_cannot(f, "what %.*s gives there decides something else too", STR_ARG(text));
}

/* --- calls --- */

struct undoing {
    struct code_follow *f;
    const struct code_source *source;
    struct code_wanted *in;
    const struct value *v;
    unsigned depth_left;
};

/* The part of the element that expr stands for is not there: an unknown says so. */
static bool leave_away(const struct undoing *u, const struct hcl_expr *expr)
{
    struct code_wanted *of;
    struct path path;
    struct value absent = hcl_any();
    if (!path_in(u->f, u->source, expr, (struct path){0}, u->in, u->depth_left, &of, &path))
        return true;
    if (of->iterator)
        path = below(path);
    if (path.n && (!of->has_value || !path_find(&of->value, path)))
        (void)put(u->f, &of->value, &of->has_value, path, &absent, u->depth_left);
    return true;
}

/* Is the value what an expression gives without any element? Then nothing need be said. */
static bool is_default(const struct undoing *u, const struct hcl_expr *expr)
{
    struct value v;
    return !uses(u->f, expr, u->in) && code_follow_eval(u->f, u->source, expr, &v) &&
           code_loosely_equal(u->f->arena, &v, u->v);
}

static bool undo_argument(const struct undoing *u, const struct hcl_expr *arg,
                          const struct value *v)
{
    return code_invert(u->f, u->source, arg, u->in, v, u->depth_left);
}

/* lookup(x, key, default), try(x, default), coalesce(x, default): the first that is of use. */
static bool undo_first(const struct undoing *u, const struct hcl_expr *call)
{
    for (size_t i = 1; i < call->call.nargs; i++)
        if (is_default(u, call->call.arg[i]))
            return leave_away(u, call->call.arg[0]);
    for (size_t i = 0; i < call->call.nargs; i++)
        if (uses(u->f, call->call.arg[i], u->in))
            return undo_argument(u, call->call.arg[i], u->v);
    return false;
}

static bool undo_lookup(const struct undoing *u, const struct hcl_expr *call)
{
    return call->call.nargs > 2 && is_default(u, call->call.arg[2])
               ? leave_away(u, call)
               : invert_name(u->f, u->source, call, u->in, u->v, u->depth_left);
}

static bool undo_same(const struct undoing *u, const struct hcl_expr *call)
{
    return call->call.nargs == 1 && undo_argument(u, call->call.arg[0], u->v);
}

/* flatten([x]): x is the list, or the one thing in it */
static bool undo_flatten(const struct undoing *u, const struct hcl_expr *call)
{
    const struct hcl_expr *arg = call->call.nargs == 1 ? call->call.arg[0] : NULL;
    while (arg && arg->kind == HCL_EXPR_PAREN)
        arg = arg->operand;
    if (!arg || arg->kind != HCL_EXPR_TUPLE || arg->parts.n != 1 || !value_is_list_like(u->v))
        return undo_same(u, call);
    return undo_argument(u, arg->parts.part[0], u->v->len == 1 ? &u->v->items[0] : u->v);
}

static bool undo_one(const struct undoing *u, const struct hcl_expr *call)
{
    struct value list = value_items(VALUE_TUPLE, u->v, is_nothing(u->v) ? 0 : 1);
    return call->call.nargs == 1 && undo_argument(u, call->call.arg[0], &list);
}

/* join(", ", list): the text in its pieces */
static bool undo_join(const struct undoing *u, const struct hcl_expr *call)
{
    struct value separator;
    if (call->call.nargs != 2 || u->v->kind != VALUE_STRING ||
        !code_follow_eval(u->f, u->source, call->call.arg[0], &separator) ||
        separator.kind != VALUE_STRING || separator.len == 0)
        return false;
    struct str text = value_text(u->v), by = value_text(&separator);
    struct value *items = arena_new(u->f->arena, struct value, text.len / by.len + 1);
    size_t n = 0, from = 0;
    for (size_t at; items && (at = str_find(text, by, from)) != SIZE_MAX; from = at + by.len)
        items[n++] = value_string(str_sub(text, from, at));
    if (!items)
        return false;
    items[n++] = value_string(str_sub(text, from, text.len));
    struct value list = value_items(VALUE_TUPLE, items, n);
    return undo_argument(u, call->call.arg[1], &list);
}

/* split(",", text): the pieces as one text */
static bool undo_split(const struct undoing *u, const struct hcl_expr *call)
{
    struct value separator, whole;
    struct str text = STR("");
    if (call->call.nargs != 2 || !value_is_list_like(u->v) ||
        !code_follow_eval(u->f, u->source, call->call.arg[0], &separator) ||
        separator.kind != VALUE_STRING)
        return false;
    for (uint32_t i = 0; i < u->v->len && text.ptr; i++) {
        if (u->v->items[i].kind != VALUE_STRING)
            return false;
        struct str by = i ? value_text(&separator) : STR(""), piece = value_text(&u->v->items[i]);
        text =
            arena_printf(u->f->arena, "%.*s%.*s%.*s", STR_ARG(text), STR_ARG(by), STR_ARG(piece));
    }
    whole = value_string(text);
    return text.ptr && undo_argument(u, call->call.arg[1], &whole);
}

static const struct {
    struct str name;
    bool (*undo)(const struct undoing *u, const struct hcl_expr *call);
} calls[] = {
    {STR_INIT("lookup"), undo_lookup},   {STR_INIT("try"), undo_first},
    {STR_INIT("coalesce"), undo_first},  {STR_INIT("coalescelist"), undo_first},
    {STR_INIT("tostring"), undo_same},   {STR_INIT("tonumber"), undo_same},
    {STR_INIT("tobool"), undo_same},     {STR_INIT("tolist"), undo_same},
    {STR_INIT("toset"), undo_same},      {STR_INIT("tomap"), undo_same},
    {STR_INIT("sensitive"), undo_same},  {STR_INIT("nonsensitive"), undo_same},
    {STR_INIT("compact"), undo_same},    {STR_INIT("distinct"), undo_same},
    {STR_INIT("flatten"), undo_flatten}, {STR_INIT("sort"), undo_same},
    {STR_INIT("upper"), undo_same},      {STR_INIT("lower"), undo_same},
    {STR_INIT("one"), undo_one},         {STR_INIT("join"), undo_join},
    {STR_INIT("split"), undo_split},
};

static bool undo_call(const struct undoing *u, const struct hcl_expr *expr)
{
    struct str name = expr->call.name, core = STR("core::");
    if (str_starts(name, core))
        name = str_sub(name, core.len, name.len);
    for (size_t i = 0; !expr->call.expand && i < sizeof calls / sizeof *calls; i++)
        if (str_equal(name, calls[i].name))
            return calls[i].undo(u, expr) || cannot_undo(u->f, u->source, expr);
    return cannot_undo(u->f, u->source, expr);
}

/* --- constructors and the rest --- */

/* A template whose other parts are known: what stands between them. */
static bool undo_template(const struct undoing *u, const struct hcl_expr *expr)
{
    const struct hcl_expr *hole = NULL;
    struct value text, v;
    struct str why, whole, before = STR(""), behind = STR("");
    if (!hcl_convert(u->f->arena, u->v, &type_string, &text, &why) || text.kind != VALUE_STRING)
        return cannot_undo(u->f, u->source, expr);
    for (size_t i = 0; i < expr->parts.n; i++) {
        const struct hcl_expr *part = expr->parts.part[i];
        if (uses(u->f, part, u->in)) {
            if (hole)
                return cannot_undo(u->f, u->source, expr);
            hole = part;
            continue;
        }
        if (!code_follow_eval(u->f, u->source, part, &v) ||
            !hcl_convert(u->f->arena, &v, &type_string, &v, &why) || v.kind != VALUE_STRING)
            return cannot_undo(u->f, u->source, expr);
        struct str *side = hole ? &behind : &before, own = value_text(&v);
        *side = arena_printf(u->f->arena, "%.*s%.*s", STR_ARG(*side), STR_ARG(own));
    }
    whole = value_text(&text);
    if (!hole || whole.len < before.len + behind.len || !str_starts(whole, before) ||
        !str_ends(whole, behind)) {
        struct str at = code_expr_text(u->f, u->source->file, expr);
        return code_cannot(u->f, "%.*s never gives \"%.*s\"", STR_ARG(at), STR_ARG(whole));
    }
    v = value_string(str_sub(whole, before.len, whole.len - behind.len));
    return undo_argument(u, hole, &v);
}

static bool undo_tuple(const struct undoing *u, const struct hcl_expr *expr)
{
    if (!value_is_list_like(u->v) || u->v->len != expr->parts.n)
        return cannot_undo(u->f, u->source, expr);
    for (size_t i = 0; i < expr->parts.n; i++)
        if (!undo_argument(u, expr->parts.part[i], &u->v->items[i]))
            return false;
    return true;
}

static bool undo_object(const struct undoing *u, const struct hcl_expr *expr)
{
    struct value key, none = value_null();
    if (!value_is_object_like(u->v))
        return cannot_undo(u->f, u->source, expr);
    for (size_t i = 0; i < expr->items.n; i++) {
        const struct hcl_expr *written = expr->items.item[i].key;
        if (written->kind == HCL_EXPR_STRING)
            key = written->value;
        else if (!code_follow_eval(u->f, u->source, written, &key) || key.kind != VALUE_STRING)
            return cannot_undo(u->f, u->source, expr);
        const struct value *own = value_get(u->v, value_text(&key));
        if (!undo_argument(u, expr->items.item[i].value, own ? own : &none))
            return false;
    }
    return true;
}

struct absence {
    const struct undoing *u;
    struct value v;
};

/* A part of the element that a condition asks for is there, and says nothing. */
static bool put_absent(void *ctx, const struct hcl_traversal *t)
{
    const struct absence *a = ctx;
    struct code_follow *f = a->u->f;
    struct code_wanted *of = (struct code_wanted *)(uintptr_t)find_wanted(a->u->in, t->root);
    size_t from = of && of->iterator ? 1 : 0;
    struct path_step *step = arena_new(f->arena, struct path_step, t->n + 1);
    if (!of || !step || t->n <= from || t->key ||
        (from && !str_equal(value_text(&t->step[0].key), STR("value"))))
        return true;
    for (size_t i = from; i < t->n; i++) {
        if (t->step[i].key.kind != VALUE_STRING)
            return true;
        step[i - from] = (struct path_step){.kind = PATH_KEY, .key = value_text(&t->step[i].key)};
    }
    struct path path = {step, t->n - from};
    if (!of->has_value || !path_find(&of->value, path))
        (void)put(f, &of->value, &of->has_value, path, &a->v, a->u->depth_left);
    return true;
}

bool code_mentions_null(const struct hcl_expr *expr, unsigned depth_left)
{
    if (depth_left-- == 0)
        return false;
    if (expr->kind == HCL_EXPR_PAREN)
        return code_mentions_null(expr->operand, depth_left);
    if (expr->kind == HCL_EXPR_BINARY)
        return code_mentions_null(expr->binary.left, depth_left) ||
               (expr->binary.right && code_mentions_null(expr->binary.right, depth_left));
    return expr->kind == HCL_EXPR_LITERAL && expr->value.kind == VALUE_NULL;
}

/* Nothing need be said; but what the condition asks for must be there to be asked for. */
static bool leave_out(const struct undoing *u, const struct hcl_expr *condition)
{
    struct absence a = {u, value_null()};
    bool flag = condition->kind == HCL_EXPR_ATTRIBUTE || condition->kind == HCL_EXPR_INDEX;
    if (flag)
        a.v = value_bool(false);
    else if (!code_mentions_null(condition, HCL_DEPTH_MAX))
        return true;
    (void)hcl_each_reference(u->f->arena, condition, put_absent, &a);
    return true;
}

static bool undo_conditional(const struct undoing *u, const struct hcl_expr *expr)
{
    const struct hcl_expr *yes = expr->cond.yes, *no = expr->cond.no;
    struct value condition, truth, text;
    struct str why;
    if (!uses(u->f, expr->cond.condition, u->in)) {
        return code_follow_eval(u->f, u->source, expr->cond.condition, &condition) &&
               hcl_convert(u->f->arena, &condition, &type_bool, &truth, &why) &&
               truth.kind == VALUE_BOOL && undo_argument(u, truth.truth ? yes : no, u->v);
    }
    if (!uses(u->f, yes, u->in) && !uses(u->f, no, u->in)) {
        text = value_bool(is_default(u, yes));
        return text.truth == is_default(u, no) ? cannot_undo(u->f, u->source, expr)
                                               : undo_argument(u, expr->cond.condition, &text);
    }
    if (is_default(u, yes) || is_default(u, no))
        return leave_out(u, expr->cond.condition);
    return undo_argument(u, uses(u->f, yes, u->in) ? yes : no, u->v);
}

static bool is_length(const struct hcl_expr *expr)
{
    while (expr->kind == HCL_EXPR_PAREN)
        expr = expr->operand;
    return expr->kind == HCL_EXPR_CALL && str_equal(expr->call.name, STR("length"));
}

/* A condition made true, or false. */
static bool undo_binary(const struct undoing *u, const struct hcl_expr *expr)
{
    const struct hcl_expr *left = expr->binary.left, *right = expr->binary.right;
    struct value v;
    if (u->v->kind != VALUE_BOOL)
        return cannot_undo(u->f, u->source, expr);
    if (expr->binary.op == HCL_AND && u->v->truth)
        return undo_argument(u, left, u->v) && undo_argument(u, right, u->v);
    if (expr->binary.op == (u->v->truth ? HCL_EQ : HCL_NE)) {
        if (!uses(u->f, left, u->in)) {
            left = expr->binary.right;
            right = expr->binary.left;
        }
        if (!uses(u->f, right, u->in) && code_follow_eval(u->f, u->source, right, &v) &&
            !is_length(left))
            return undo_argument(u, left, &v);
    }
    if (is_length(left) || is_length(right)) /* of what else is said of the element */
        return true;
    return cannot_undo(u->f, u->source, expr);
}

/* x[*]: of one thing, or of nothing */
static bool undo_splat(const struct undoing *u, const struct hcl_expr *expr)
{
    if (expr->splat.each->kind != HCL_EXPR_SPLAT_ITEM || !value_is_list_like(u->v))
        return cannot_undo(u->f, u->source, expr);
    if (u->v->len == 0) {
        struct absence a = {u, value_null()};
        (void)hcl_each_reference(u->f->arena, expr->splat.source, put_absent, &a);
        return true;
    }
    return undo_argument(u, expr->splat.source, u->v->len == 1 ? &u->v->items[0] : u->v);
}

static bool undo_for(const struct undoing *u, const struct hcl_expr *expr)
{
    const struct hcl_for *for_ = expr->for_;
    struct value *items, list, truth = value_bool(true);
    if (for_->in_template || for_->group || for_->key || !value_is_list_like(u->v))
        return cannot_undo(u->f, u->source, expr);
    items = arena_new(u->f->arena, struct value, u->v->len);
    for (uint32_t i = 0; items && i < u->v->len; i++) {
        struct code_wanted own = {
            .outer = u->in, .name = for_->value_name, .key_name = for_->key_name};
        if (!code_invert(u->f, u->source, for_->value, &own, &u->v->items[i], u->depth_left) ||
            (for_->condition &&
             !code_invert(u->f, u->source, for_->condition, &own, &truth, u->depth_left)))
            return false;
        items[i] = own.has_value ? own.value : value_null();
    }
    list = value_items(VALUE_TUPLE, items, u->v->len);
    return items && undo_argument(u, for_->source, &list);
}

bool code_invert(struct code_follow *f, const struct code_source *source,
                 const struct hcl_expr *expr, struct code_wanted *in, const struct value *v,
                 unsigned depth_left)
{
    struct value now, no;
    if (depth_left == 0 || f->full)
        return false;
    if (v->kind == VALUE_UNKNOWN) /* anything will do */
        return true;
    const struct undoing u = {f, source, in, v, depth_left - 1};
    if (!uses(f, expr, in)) {
        if (code_follow_eval(f, source, expr, &now) && code_loosely_equal(f->arena, &now, v))
            return true;
        struct str text = code_expr_text(f, source->file, expr);
        return code_cannot(f, "it always gives %.*s", STR_ARG(text));
    }
    switch (expr->kind) {
    case HCL_EXPR_PAREN:
    case HCL_EXPR_WRAP:
        return undo_argument(&u, expr->operand, v);
    case HCL_EXPR_VARIABLE:
    case HCL_EXPR_ATTRIBUTE:
    case HCL_EXPR_INDEX:
        return invert_name(f, source, expr, in, v, depth_left - 1);
    case HCL_EXPR_CALL:
        return undo_call(&u, expr);
    case HCL_EXPR_TEMPLATE:
        return undo_template(&u, expr);
    case HCL_EXPR_TUPLE:
        return undo_tuple(&u, expr);
    case HCL_EXPR_OBJECT:
        return undo_object(&u, expr);
    case HCL_EXPR_CONDITIONAL:
        return undo_conditional(&u, expr);
    case HCL_EXPR_SPLAT:
        return undo_splat(&u, expr);
    case HCL_EXPR_FOR:
        return undo_for(&u, expr);
    case HCL_EXPR_BINARY:
        return undo_binary(&u, expr);
    case HCL_EXPR_UNARY:
        no = value_bool(v->kind == VALUE_BOOL && !v->truth);
        return expr->binary.op == HCL_BANG && v->kind == VALUE_BOOL
                   ? undo_argument(&u, expr->binary.left, &no)
                   : cannot_undo(f, source, expr);
    default:
        return cannot_undo(f, source, expr);
    }
}

/* --- blocks --- */

static bool content_of(struct code_follow *f, const struct hcl_file *file,
                       const struct hcl_body *body, const struct schema_block *block,
                       struct hcl_content *ret)
{
    struct hcl_diags diags = {.arena = f->arena};
    if (block) {
        const struct hcl_body_spec *spec = code_body_spec(f->code, block);
        return spec && hcl_body_content(f->arena, file, body, spec, true, &diags, ret);
    }
    *ret = (struct hcl_content){.attribute = body->attribute,
                                .nattributes = body->nattributes,
                                .block = body->block,
                                .nblocks = body->nblocks};
    return !body->json;
}

static bool is_dynamic(const struct hcl_block *block)
{
    return str_equal(block->type, STR("dynamic")) && block->nlabels == 1;
}

static struct str subject(const struct hcl_block *block)
{
    return is_dynamic(block) ? block->label[0].text : block->type;
}

static const struct hcl_expr *attribute_of(struct code_follow *f, const struct hcl_file *file,
                                           const struct hcl_body *body, struct str name,
                                           const struct hcl_block **ret_content)
{
    struct hcl_attribute_spec attribute = {.name = name};
    struct hcl_block_spec inner = {.type = STR("content")};
    struct hcl_body_spec spec = {
        .attribute = &attribute, .nattributes = 1, .block = &inner, .nblocks = 1};
    struct hcl_diags diags = {.arena = f->arena};
    struct hcl_content c;
    if (!hcl_body_content(f->arena, file, body, &spec, true, &diags, &c))
        return NULL;
    if (ret_content)
        *ret_content = c.nblocks ? &c.block[0] : NULL;
    return c.nattributes ? c.attribute[0].value : NULL;
}

/* A dynamic block inside of another one's content: its elements, and then what gives those. */
static bool invert_dynamic(struct code_follow *f, const struct code_source *source,
                           const struct hcl_block *dynamic, const struct schema_block *block,
                           struct code_wanted *in, const struct value *blocks, size_t n,
                           unsigned depth_left)
{
    const struct hcl_block *content = NULL;
    const struct hcl_expr *each =
        attribute_of(f, source->file, &dynamic->body, STR("for_each"), &content);
    const struct hcl_expr *word =
        attribute_of(f, source->file, &dynamic->body, STR("iterator"), NULL);
    struct value *items = arena_new(f->arena, struct value, n);
    struct value_member *members = arena_new(f->arena, struct value_member, n);
    struct value all;
    bool keys = n > 0;
    if (!each || !content || !items || !members)
        return false;
    for (size_t i = 0; i < n; i++) {
        struct code_wanted own = {.outer = in, .name = dynamic->label[0].text, .iterator = true};
        if (word && word->kind == HCL_EXPR_VARIABLE)
            own.name = word->name;
        if (!code_invert_block(f, source, &content->body, block, &own, &blocks[i], depth_left))
            return false;
        items[i] = own.has_value ? own.value : hcl_any();
        keys = keys && own.has_key && own.key.kind == VALUE_STRING;
        members[i] =
            (struct value_member){keys ? key_make(f->arena, value_text(&own.key)) : NULL, items[i]};
        keys = keys && members[i].key;
    }
    all = value_items(VALUE_TUPLE, items, n);
    return (!keys || value_members(VALUE_OBJECT, members, n, &all, NULL, NULL)) &&
           code_invert(f, source, each, in, &all, depth_left);
}

/* What is known of the elements around, to go back to. */
struct known {
    struct code_wanted at[WANTED_MAX];
    size_t n;
};

static void remember(const struct code_wanted *in, struct known *ret)
{
    for (ret->n = 0; in && ret->n < WANTED_MAX; in = in->outer)
        ret->at[ret->n++] = *in;
}

static void forget(struct code_wanted *in, const struct known *known)
{
    for (size_t i = 0; in && i < known->n; in = (struct code_wanted *)(uintptr_t)in->outer)
        *in = known->at[i++];
}

struct blocks { /* of one type, that a content is to give */
    struct str type;
    const struct schema_block *schema;
    const struct value *item;
    size_t n;
};

/* One of several dynamic blocks makes them all, the others none. */
static bool invert_dynamics(struct code_follow *f, const struct code_source *source,
                            const struct hcl_content *c, const struct blocks *b,
                            struct code_wanted *in, unsigned depth_left)
{
    struct known known;
    remember(in, &known);
    for (size_t maker = 0; maker < c->nblocks; maker++) {
        bool ok = str_equal(subject(&c->block[maker]), b->type);
        struct str why = f->why;
        for (size_t i = 0; ok && i < c->nblocks; i++)
            ok = !str_equal(subject(&c->block[i]), b->type) ||
                 invert_dynamic(f, source, &c->block[i], b->schema, in, b->item,
                                i == maker ? b->n : 0, depth_left);
        if (ok)
            return true;
        forget(in, &known);
        if (maker + 1 < c->nblocks)
            f->why = why;
    }
    return code_cannot(f, "none of its %.*s blocks can make it", STR_ARG(b->type));
}

/* The blocks of one type in a content. */
static bool invert_blocks(struct code_follow *f, const struct code_source *source,
                          const struct hcl_content *c, struct str type,
                          const struct schema_block *block, struct code_wanted *in,
                          const struct value *v, unsigned depth_left)
{
    struct blocks b = {.type = type, .schema = block, .item = v, .n = is_nothing(v) ? 0 : 1};
    size_t fixed = 0, dynamics = 0;
    if (value_is_list_like(v)) {
        b.n = v->len;
        b.item = v->items;
    }
    for (size_t i = 0; i < c->nblocks; i++) {
        dynamics += str_equal(subject(&c->block[i]), type) && is_dynamic(&c->block[i]);
        fixed += str_equal(subject(&c->block[i]), type) && !is_dynamic(&c->block[i]);
    }
    if (dynamics ? fixed > 0 : fixed != b.n)
        return code_cannot(f, "its content has %zu %.*s blocks", fixed, STR_ARG(type));
    if (dynamics)
        return invert_dynamics(f, source, c, &b, in, depth_left);
    for (size_t i = 0, at = 0; i < c->nblocks; i++)
        if (str_equal(subject(&c->block[i]), type) &&
            !code_invert_block(f, source, &c->block[i].body, block, in, &b.item[at++], depth_left))
            return false;
    return true;
}

static bool sets(const struct hcl_content *c, struct str name)
{
    for (size_t i = 0; i < c->nattributes; i++)
        if (str_equal(c->attribute[i].name, name))
            return true;
    for (size_t i = 0; i < c->nblocks; i++)
        if (str_equal(subject(&c->block[i]), name))
            return true;
    return false;
}

bool code_invert_block(struct code_follow *f, const struct code_source *source,
                       const struct hcl_body *body, const struct schema_block *block,
                       struct code_wanted *in, const struct value *v, unsigned depth_left)
{
    struct hcl_content c;
    struct value none = value_null();
    if (depth_left-- == 0 || !value_is_object_like(v) ||
        !content_of(f, source->file, body, block, &c))
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        struct str name = key_str(v->members[i].key);
        if (!is_nothing(&v->members[i].value) && v->members[i].value.kind != VALUE_UNKNOWN &&
            !sets(&c, name))
            return code_cannot(f, "its content does not set %.*s", STR_ARG(name));
    }
    for (size_t i = 0; i < c.nattributes; i++) {
        const struct value *own = value_get(v, c.attribute[i].name);
        if (!code_invert(f, source, c.attribute[i].value, in, own ? own : &none, depth_left))
            return false;
    }
    for (size_t i = 0; i < c.nblocks; i++) {
        struct str type = subject(&c.block[i]);
        const struct schema_nested_block *nested = block ? schema_find_block(block, type) : NULL;
        const struct value *own = value_get(v, type);
        bool again = own && own->kind == VALUE_UNKNOWN;
        for (size_t k = 0; k < i && !again; k++)
            again = str_equal(subject(&c.block[k]), type);
        if (!again && !invert_blocks(f, source, &c, type, nested ? nested->block : NULL, in,
                                     own ? own : &none, depth_left))
            return false;
    }
    return true;
}
