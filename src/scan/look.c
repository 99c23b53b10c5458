/* look.c - answers to what the evaluator asks. */
#include "scan/look.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "desired/code_address.h"
#include "desired/desired.h"
#include "drift/sensitive.h"
#include "live/library.h"
#include "scan/code_setup.h"
#include "wire/json.h"

enum { STATE_BUCKETS = 1 << 14 };

/* An instance of the state: its attributes as text, parsed when they are asked for. */
struct recorded {
    struct str address, attributes;
    struct str provider, type;
    enum resource_mode mode;
    const struct path *sensitive;
    size_t nsensitive;
    struct recorded *next;
};
struct look {
    struct arena arena;
    struct look_options options;
    struct library *library; /* NULL: none are to be had */
    struct desired *state;   /* NULL: not opened, or not to be had */
    bool state_asked, state_goes_on;
    struct recorded **recorded;
    struct str *notes;
    size_t nnotes, room_notes;
    bool full;
};

/* --- notes --- */

static void add_note(struct look *look, struct str text)
{
    for (size_t i = 0; i < look->nnotes; i++)
        if (str_equal(look->notes[i], text))
            return;
    struct str *grown =
        arena_grow(&look->arena, look->notes, look->nnotes, &look->room_notes, look->nnotes + 1);
    if (!grown || !text.ptr) {
        look->full = true;
        return;
    }
    grown[look->nnotes++] = text;
    look->notes = grown;
}

static void note_error(struct look *look, const char *what, const struct err *err)
{
    char text[2048];
    add_note(look, arena_printf(&look->arena, "%s: %s", what, err_text(err, text, sizeof text)));
}

const struct str *look_notes(const struct look *look, size_t *ret_n)
{
    *ret_n = look->nnotes;
    return look->notes;
}

/* --- schemas --- */

/* Without its schema nothing is said of what its resources are given. */
static void look_for_trouble(struct look *look, struct str provider)
{
    struct str why = library_trouble(look->library, provider);
    if (why.len)
        add_note(look, arena_printf(&look->arena, "arguments of %.*s were not checked: %.*s",
                                    STR_ARG(provider), STR_ARG(why)));
}

const struct schema *look_schema(void *ctx, struct str provider, enum code_mode mode,
                                 struct str type)
{
    struct look *look = ctx;
    if (!look->library || code_is_builtin(provider))
        return NULL;
    const struct schema *found = library_schema(look->library, provider, mode, type);
    look_for_trouble(look, provider);
    return found;
}

static const struct schema *find_config_schema(void *ctx, struct str provider)
{
    struct look *look = ctx;
    const struct schema *found = library_config_schema(look->library, provider);
    look_for_trouble(look, provider);
    return found;
}

static bool call_function(void *ctx, struct hcl_eval *ev, struct str provider, struct str name,
                          const struct value *args, size_t nargs, struct value *ret)
{
    struct look *look = ctx;
    return library_call_function(look->library, ev, provider, name, args, nargs, ret);
}

bool look_prefetch(struct look *look, const struct code_tree *tree, struct err *err)
{
    return scan_code_fetch(&look->arena, look->library, tree, err);
}

static bool all_known(struct look *look, const struct code_tree *tree, unsigned depth_left)
{
    const struct code_module *m = &tree->module;
    for (size_t i = 0; i < m->nresources; i++) {
        const struct code_resource *r = &m->resources[i];
        if (!code_is_builtin(r->provider_source) &&
            !look_schema(look, r->provider_source, r->mode, r->type))
            return false;
    }
    for (size_t i = 0; i < m->ncalls; i++)
        if (!tree->child[i] || !depth_left || !all_known(look, tree->child[i], depth_left - 1))
            return false;
    return true;
}

bool look_all_known(struct look *look, const struct code_tree *tree)
{
    return all_known(look, tree, CODE_TREE_DEPTH_MAX);
}

/* --- the state --- */

static bool remember(struct look *look, const struct resource *r)
{
    if (r->deposed.len || !r->attributes_json.len)
        return true;
    struct recorded *made = arena_new(&look->arena, struct recorded, 1);
    struct recorded **bucket = &look->recorded[hash_bytes(r->address, 0) % STATE_BUCKETS];
    if (!made)
        return false;
    *made = (struct recorded){.address = arena_dup(&look->arena, r->address),
                              .attributes = r->attributes_json,
                              .provider = arena_dup(&look->arena, r->provider),
                              .type = arena_dup(&look->arena, r->type),
                              .mode = r->mode,
                              .sensitive = r->sensitive,
                              .nsensitive = r->nsensitive,
                              .next = *bucket};
    *bucket = made;
    return made->address.ptr && made->provider.ptr && made->type.ptr;
}

/* A state that cannot be read is a note, and everything that it would say unknown. */
static void open_state(struct look *look)
{
    struct err err = {0};
    look->state_asked = true;
    look->recorded = arena_new(&look->arena, struct recorded *, STATE_BUCKETS);
    if (!look->recorded || !desired_open_stack_state(look->options.stack, &look->state, &err))
        note_error(look, "the state was not read", &err);
    else
        look->state_goes_on = true;
}

static const struct recorded *find_recorded(const struct look *look, struct str address)
{
    const struct recorded *at = look->recorded[hash_bytes(address, 0) % STATE_BUCKETS];
    while (at && !str_equal(at->address, address))
        at = at->next;
    return at;
}

/* No further than to the instance that is asked for: most questions are about a few. */
static void read_up_to(struct look *look, struct str address)
{
    struct err err = {0};
    struct resource r;
    struct code_address parts;
    struct arena_mark mark = arena_mark(&look->arena);
    if (!code_address_parse(&look->arena, address, &parts) || !parts.has_resource) {
        arena_rewind(&look->arena, mark);
        return;
    }
    while (desired_find(look->state, parts.type, parts.name, &r, &err)) {
        if (!remember(look, &r)) {
            look->full = true;
            break;
        }
        if (str_equal(r.address, address))
            return;
    }
    if (err.kind != ERR_NONE)
        note_error(look, "the state was not read to its end", &err);
    look->state_goes_on = err.kind == ERR_NONE && !look->full;
}

static bool find_state(void *ctx, struct str address, struct value *ret)
{
    struct look *look = ctx;
    if (!look->state_asked)
        open_state(look);
    if (!look->recorded || !look->state)
        return false;
    if (look->state_goes_on && !find_recorded(look, address))
        read_up_to(look, address);
    const struct recorded *found = find_recorded(look, address);
    struct value parsed;
    if (!found ||
        !json_parse(&look->arena, found->attributes, "state", JSON_DUPLICATES_LAST, &parsed, NULL))
        return false;
    /* What the state or the type says of it stays secret on its way through expressions. */
    const struct sensitive_input secrets = {
        .schema = look_schema(look, found->provider,
                              found->mode == RESOURCE_DATA ? CODE_DATA : CODE_MANAGED, found->type),
        .paths = found->sensitive,
        .npaths = found->nsensitive};
    *ret = parsed;
    return !sensitive_any(&secrets, &parsed) ||
           sensitive_mark(&look->arena, &secrets, &parsed, ret, NULL);
}

/* --- the code --- */

static const char *find_env(void *ctx, const char *name)
{
    const struct look *look = ctx;
    return look->options.env(name);
}

struct code_options look_code_options(struct look *look, enum code_phase phase)
{
    const struct look_options *o = &look->options;
    bool untold, opentofu = scan_code_is_opentofu(&look->arena, o->stack, false, &untold);
    return (struct code_options){.root_dir = o->stack->path,
                                 .repo_dir = scan_code_folder(&look->arena, o->stack),
                                 .workspace = o->stack->workspace,
                                 .opentofu = opentofu,
                                 .untold = untold,
                                 .phase = phase,
                                 .in_spite_of_errors = o->in_spite_of_errors,
                                 .inputs = o->inputs,
                                 .ninputs = o->ninputs,
                                 .env = find_env,
                                 .schema = look_schema,
                                 .provider_config_schema =
                                     look->library ? find_config_schema : NULL,
                                 .state = o->no_state ? NULL : find_state,
                                 .call_function = look->library ? call_function : NULL,
                                 .ctx = look,
                                 .now_utc_ms = o->now_utc_ms};
}

bool look_code(struct look *look, enum code_phase phase, struct code **ret, struct err *err)
{
    const struct code_options options = look_code_options(look, phase);
    return code_open(&options, ret, err);
}

bool look_open(const struct look_options *options, struct look **ret, struct err *err)
{
    struct err why = {0};
    struct look *look = calloc(1, sizeof *look);
    if (!look)
        return err_set(err, ERR_LIMIT, "out of memory");
    look->arena.limit = (size_t)1 << 34;
    look->options = *options;
    if (!options->no_providers &&
        !library_open(options->stack, &options->reader, &look->library, &why))
        note_error(look, "no provider was asked for its schema", &why);
    *ret = look;
    return true;
}

void look_close(struct look *look)
{
    if (!look)
        return;
    library_close(look->library);
    if (look->state)
        desired_close(look->state);
    arena_free(&look->arena);
    free(look);
}
