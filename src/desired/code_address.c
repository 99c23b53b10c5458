/* code_address.c - addresses from traversals and texts, and back. */
#include "desired/code_address.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/address.h"

int code_compare_keys(const struct code_each *a, const struct code_each *b)
{
    int64_t x = 0, y = 0;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    if (a->kind == CODE_KEY_EACH)
        return str_compare(value_text(&a->key), value_text(&b->key));
    if (a->kind == CODE_KEY_COUNT && value_to_int64(&a->key, &x) && value_to_int64(&b->key, &y))
        return x < y ? -1 : x > y;
    return 0;
}

/* --- reading: words are the root (0) and the steps behind it --- */

struct reader {
    const struct hcl_traversal *t;
    size_t at;
};

static struct str word(const struct reader *r)
{
    if (r->at == 0)
        return r->t->root;
    if (r->at > r->t->n || r->t->step[r->at - 1].index ||
        r->t->step[r->at - 1].key.kind != VALUE_STRING)
        return (struct str){0};
    return value_text(&r->t->step[r->at - 1].key);
}

/* A key in brackets, if there is one here. False: no key of instances. */
static bool take_key(struct reader *r, struct code_each *ret)
{
    int64_t whole;
    *ret = (struct code_each){.kind = CODE_KEY_NONE};
    if (r->at == 0 || r->at > r->t->n || !r->t->step[r->at - 1].index)
        return true;
    ret->key = r->t->step[r->at - 1].key;
    ret->kind = ret->key.kind == VALUE_STRING ? CODE_KEY_EACH : CODE_KEY_COUNT;
    r->at++;
    return ret->kind == CODE_KEY_EACH || value_to_int64(&ret->key, &whole);
}

static bool take_resource(struct reader *r, struct code_address *ret)
{
    static const struct {
        const char *word;
        enum code_mode mode;
    } modes[] = {{"data", CODE_DATA}, {"ephemeral", CODE_EPHEMERAL}, {"resource", CODE_MANAGED}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (str_equal(word(r), str_from(modes[i].word))) {
            ret->mode = modes[i].mode;
            r->at++;
            break;
        }
    ret->has_resource = true;
    ret->type = word(r);
    r->at++;
    ret->name = word(r);
    r->at++;
    return ret->type.len && ret->name.len && take_key(r, &ret->key);
}

bool code_address_from(struct arena *arena, const struct hcl_traversal *traversal,
                       struct code_address *ret)
{
    struct reader r = {.t = traversal};
    struct code_address_step *step = arena_new(arena, struct code_address_step, traversal->n + 1);
    *ret = (struct code_address){.step = step, .mode = CODE_MANAGED};
    if (!step)
        return false;
    while (str_equal(word(&r), STR("module"))) {
        r.at++;
        step[ret->nsteps].name = word(&r);
        r.at++;
        if (!step[ret->nsteps].name.len || !take_key(&r, &step[ret->nsteps].key))
            return false;
        ret->nsteps++;
    }
    if (r.at > traversal->n)
        return ret->nsteps > 0;
    return take_resource(&r, ret) && r.at > traversal->n;
}

bool code_address_parse(struct arena *arena, struct str text, struct code_address *ret)
{
    struct hcl_diags quiet = {.arena = arena};
    struct hcl_traversal t;
    const struct hcl_expr *expr;
    struct err err = {0};
    struct str copy = arena_dup(arena, text);
    return copy.ptr && text.len &&
           hcl_parse_expression(arena, copy, STR("address"), &quiet, &expr, &err) && !quiet.n &&
           hcl_static_traversal(arena, expr, &t) && code_address_from(arena, &t, ret);
}

/* --- writing --- */

struct str code_address_text(struct arena *arena, const struct code_address *address)
{
    static const char *const before[] = {
        [CODE_MANAGED] = "", [CODE_DATA] = "data.", [CODE_EPHEMERAL] = "ephemeral."};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    for (size_t i = 0; i < address->nsteps; i++) {
        buf_printf(&out, "%smodule.%.*s", i ? "." : "", STR_ARG(address->step[i].name));
        if (address->step[i].key.kind != CODE_KEY_NONE)
            address_print_key(&out, &address->step[i].key.key);
    }
    if (address->has_resource) {
        buf_printf(&out, "%s%s%.*s.%.*s", address->nsteps ? "." : "", before[address->mode],
                   STR_ARG(address->type), STR_ARG(address->name));
        if (address->key.kind != CODE_KEY_NONE)
            address_print_key(&out, &address->key.key);
    }
    return arena_dup(arena, buf_view(&out));
}

bool code_address_same_resource(const struct code_address *a, const struct code_address *b)
{
    return a->has_resource && b->has_resource && a->mode == b->mode &&
           str_equal(a->type, b->type) && str_equal(a->name, b->name);
}
