/* concern.c - changes beside state and code. */
#include "enforce/concern.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "desired/desired.h"
#include "enforce/guard.h"
#include "live/reader.h"
#include "scan/look.h"
#include "wire/json.h"
#include "wire/msgpack.h"

enum { MAY_DEPTH = 100, SET_MAX = 200 };

/* A managed instance of the state; its texts are the state's. */
struct recorded {
    struct str address, type, attributes;
    struct recorded *next;
};
struct concern {
    struct concern_options options;
    struct reader_options reader;
    struct arena arena;
    struct look *look, *bare;      /* bare: nothing is taken from the state */
    struct code *code, *bare_code; /* NULL: not asked for, or not to be had */
    struct desired *state;
    struct recorded *recorded;
    bool code_asked, state_asked, state_read;
    struct str code_trouble, state_trouble;
};

bool concern_open(const struct concern_options *options, struct concern **ret, struct err *err)
{
    struct concern *c = calloc(1, sizeof *c);
    if (!c)
        return err_set(err, ERR_LIMIT, "out of memory");
    c->options = *options;
    c->reader = *options->reader;
    c->arena.limit = ARENA_DEFAULT_LIMIT;
    *ret = c;
    return true;
}

void concern_forget(struct concern *c)
{
    if (c->code)
        code_close(c->code);
    if (c->bare_code)
        code_close(c->bare_code);
    look_close(c->look);
    look_close(c->bare);
    if (c->state)
        desired_close(c->state);
    arena_free(&c->arena);
    *c = (struct concern){
        .options = c->options, .reader = c->reader, .arena = {.limit = c->arena.limit}};
}

void concern_close(struct concern *c)
{
    if (!c)
        return;
    concern_forget(c);
    free(c);
}

static struct str keep_error(struct concern *c, const struct err *err)
{
    char text[1024];
    struct str kept = arena_dup(&c->arena, str_from(err_text(err, text, sizeof text)));
    return kept.len ? kept : STR("out of memory");
}

/* --- what is read --- */

/* "x.y (deposed 1234abcd)" is of x.y, too. */
static struct str plain_address(const struct resource *r)
{
    size_t at = r->deposed.len ? str_find(r->address, STR(" (deposed"), 0) : SIZE_MAX;
    return at == SIZE_MAX ? r->address : str_sub(r->address, 0, at);
}

static void read_state(struct concern *c)
{
    struct err err = {0};
    struct resource r;
    if (c->state_asked)
        return;
    c->state_asked = true;
    if (!desired_open_stack_state(c->options.stack, &c->state, &err)) {
        c->state_trouble = keep_error(c, &err);
        return;
    }
    while (desired_next(c->state, &r, &err)) {
        if (r.mode != RESOURCE_MANAGED)
            continue;
        struct recorded *made = arena_new(&c->arena, struct recorded, 1);
        struct str address = arena_dup(&c->arena, plain_address(&r));
        struct str type = arena_dup(&c->arena, r.type);
        if (!made || !address.ptr || !type.ptr) {
            (void)arena_full(&c->arena, &err);
            break;
        }
        *made = (struct recorded){address, type, r.attributes_json, c->recorded};
        c->recorded = made;
    }
    if (err.kind != ERR_NONE)
        c->state_trouble = keep_error(c, &err);
    c->state_read = err.kind == ERR_NONE;
}

static bool open_look(struct concern *c, bool bare, struct look **look, struct err *err)
{
    const struct look_options options = {.stack = c->options.stack,
                                         .inputs = c->options.inputs,
                                         .ninputs = c->options.ninputs,
                                         .no_state = bare,
                                         .reader = c->reader,
                                         .env = c->options.env,
                                         .now_utc_ms = c->options.now_utc_ms};
    return *look || look_open(&options, look, err);
}

static bool evaluate(struct concern *c, bool bare, struct look **look, struct code **ret,
                     struct err *err)
{
    struct code *code = NULL;
    if (!open_look(c, bare, look, err) || !look_code(*look, CODE_EXPLORE, &code, err))
        return false;
    bool ok = code_is_sound(code) ? code_evaluate(code, err)
                                  : err_set(err, ERR_SYNTAX, "the code has errors");
    if (ok)
        *ret = code;
    else
        code_close(code);
    return ok;
}

static void read_code(struct concern *c)
{
    struct err err = {0};
    if (c->code_asked)
        return;
    c->code_asked = true;
    if (evaluate(c, false, &c->look, &c->code, &err) &&
        evaluate(c, true, &c->bare, &c->bare_code, &err))
        return;
    c->code_trouble = keep_error(c, &err);
    if (c->code)
        code_close(c->code);
    c->code = NULL;
}

const struct code *concern_code(struct concern *c, struct err *err)
{
    if (!c->code && !evaluate(c, false, &c->look, &c->code, err))
        return NULL;
    return c->code;
}

const struct schema *concern_config_schema(struct concern *c, struct str provider)
{
    if (!open_look(c, false, &c->look, NULL))
        return NULL;
    const struct code_options options = look_code_options(c->look, CODE_EXPLORE);
    return options.provider_config_schema ? options.provider_config_schema(options.ctx, provider)
                                          : NULL;
}

const struct schema *concern_schema(struct concern *c, const struct guard_change *change)
{
    return open_look(c, false, &c->look, NULL)
               ? look_schema(c->look, change->provider, CODE_MANAGED, change->type)
               : NULL;
}

/* --- may these be one configuration? --- */

static bool is_nothing(const struct value *v)
{
    return !v || v->kind == VALUE_NULL ||
           ((value_is_list_like(v) || value_is_object_like(v)) && v->len == 0);
}

static bool may_equal(const struct value *a, const struct value *b, unsigned depth_left);

static bool items_may_equal(const struct value *a, const struct value *b, unsigned depth_left)
{
    bool set = a->kind == VALUE_SET || b->kind == VALUE_SET;
    if (set && (a->len > SET_MAX || b->len > SET_MAX))
        return true;
    if (a->len != b->len) /* an unknown element may be the same as another one */
        return set && (value_any_unknown(a) || value_any_unknown(b));
    for (uint32_t i = 0; i < a->len; i++) {
        bool found = may_equal(&a->items[i], &b->items[i], depth_left);
        for (uint32_t k = 0; set && !found && k < b->len; k++)
            found = may_equal(&a->items[i], &b->items[k], depth_left);
        if (!found)
            return false;
    }
    return true;
}

static bool members_may_equal(const struct value *a, const struct value *b, unsigned depth_left)
{
    for (uint32_t i = 0; i < a->len; i++)
        if (!may_equal(&a->members[i].value, value_get(b, key_str(a->members[i].key)), depth_left))
            return false;
    for (uint32_t i = 0; i < b->len; i++)
        if (!value_get(a, key_str(b->members[i].key)) && !is_nothing(&b->members[i].value) &&
            b->members[i].value.kind != VALUE_UNKNOWN)
            return false;
    return true;
}

/* False only where they certainly differ. */
static bool may_equal(const struct value *a, const struct value *b, unsigned depth_left)
{
    if ((a && a->kind == VALUE_UNKNOWN) || (b && b->kind == VALUE_UNKNOWN) || depth_left == 0)
        return true;
    if (is_nothing(a) || is_nothing(b))
        return is_nothing(a) && is_nothing(b);
    if (value_is_list_like(a) && value_is_list_like(b))
        return items_may_equal(a, b, depth_left - 1);
    if (value_is_object_like(a) && value_is_object_like(b))
        return members_may_equal(a, b, depth_left - 1);
    return value_equal(a, b);
}

bool concern_may_equal(const struct value *a, const struct value *b)
{
    return may_equal(a, b, MAY_DEPTH);
}

/* --- which addresses --- */

struct finding_out {
    struct concern *c;
    struct arena *arena;
    const struct guard_change *change;
    const struct schema *schema;
    struct str *address;
    size_t n, room;
    struct err *err;
};

static bool add(struct finding_out *f, struct str address)
{
    for (size_t i = 0; i < f->n; i++)
        if (str_equal(f->address[i], address))
            return true;
    struct str *grown = arena_grow(f->arena, f->address, f->n, &f->room, f->n + 1);
    if (!grown)
        return arena_full(f->arena, f->err);
    grown[f->n++] = address;
    f->address = grown;
    return true;
}

/* The text of `id`, in what was before the change; ptr NULL: none. */
static struct str id_before(const struct finding_out *f)
{
    struct value prior;
    if (!f->schema || !schema_find_attribute(&f->schema->block, STR("id")) ||
        !msgpack_decode(f->arena, f->schema->block.type, f->change->prior, &prior, NULL))
        return (struct str){0};
    return value_get_string(&prior, STR("id"));
}

static bool state_has_id(struct finding_out *f, const struct recorded *r, struct str id)
{
    struct value attributes;
    return json_parse(f->arena, r->attributes, "state", JSON_DUPLICATES_LAST | JSON_NFC,
                      &attributes, NULL) &&
           str_equal(value_get_string(&attributes, STR("id")), id);
}

/* Those of the state with that type; with an id, those that have it. */
static bool add_recorded(struct finding_out *f, struct str id)
{
    for (const struct recorded *r = f->c->recorded; r; r = r->next) {
        if (!str_equal(r->type, f->change->type))
            continue;
        struct arena_mark mark = arena_mark(f->arena);
        bool has = !id.ptr || state_has_id(f, r, id);
        if (id.ptr)
            arena_rewind(f->arena, mark);
        if (has && !add(f, r->address))
            return false;
    }
    return true;
}

/* Those of the code with that type whose configuration may be this one. */
static bool add_written(struct finding_out *f, const struct code *code)
{
    size_t n;
    const struct code_instance *instance = code_instances(code, &n);
    struct value config;
    bool decoded =
        f->schema && f->change->config.len &&
        msgpack_decode(f->arena, f->schema->block.type, f->change->config, &config, NULL);
    for (size_t i = 0; i < n; i++, instance++) {
        if (instance->mode != CODE_MANAGED || !str_equal(instance->type, f->change->type))
            continue;
        if (decoded && !instance->failed && !may_equal(&instance->config, &config, MAY_DEPTH))
            continue;
        if (!add(f, instance->address))
            return false;
    }
    return true;
}

static bool find_before(struct finding_out *f, struct concern_answer *ret)
{
    read_state(f->c);
    struct str id = id_before(f);
    if (!f->c->state_read) {
        ret->why =
            arena_printf(f->arena, "the state was not read: %.*s", STR_ARG(f->c->state_trouble));
        return true;
    }
    if (!add_recorded(f, id))
        return false;
    ret->known = f->n > 0;
    if (!ret->known)
        ret->why = STR("no instance of the state has what is changed");
    return true;
}

static bool find_made(struct finding_out *f, struct concern_answer *ret)
{
    read_code(f->c);
    if (!f->c->code) {
        ret->why =
            arena_printf(f->arena, "the code was not evaluated: %.*s", STR_ARG(f->c->code_trouble));
        return true;
    }
    if (!add_written(f, f->c->code) || !add_written(f, f->c->bare_code))
        return false;
    if (f->c->options.other_inputs && code_root_module(f->c->code)->nvariables)
        ret->why = STR("which values its variables have is in the plan, or was said elsewhere");
    else if (f->n)
        ret->known = true;
    else
        ret->why = STR("the code, as plumb evaluates it, asks for nothing like it");
    return true;
}

bool concern_may_be(struct concern *c, const struct guard_change *change,
                    const struct concern_answer *answer, struct str address)
{
    for (size_t i = 0; i < answer->n; i++)
        if (str_equal(answer->address[i], address))
            return true;
    if (!answer->known)
        return true;
    /* Written, and not among the instances: how many there are may not have been known. */
    return change->kind == GUARD_CREATE && c->code && code_is_declared(c->code, address) &&
           !code_find_instance(c->code, address);
}

bool concern_of(struct concern *c, struct arena *arena, const struct guard_change *change,
                struct concern_answer *ret, struct err *err)
{
    struct finding_out f = {.c = c, .arena = arena, .change = change, .err = err};
    *ret = (struct concern_answer){0};
    if (change->kind == GUARD_UNKNOWN) {
        ret->why = STR("it is no change of a resource");
        return true;
    }
    f.schema = concern_schema(c, change);
    if (!(change->kind == GUARD_CREATE ? find_made : find_before)(&f, ret))
        return false;
    if (f.n)
        qsort(f.address, f.n, sizeof *f.address, str_compare_qsort);
    ret->address = f.address;
    ret->n = f.n;
    return ret->known || ret->why.ptr || arena_full(arena, err);
}
