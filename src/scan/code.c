/* code.c - a stack's code opened, evaluated with its state, and matched with what was read. */
#include "scan/code.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/code.h"
#include "desired/ignore_changes.h"
#include "desired/known.h"
#include "drift/lenient.h"
#include "drift/proposed.h"
#include "drift/sensitive.h"
#include "drift/settle.h"
#include "live/library.h"
#include "scan/code_parts.h"
#include "scan/code_setup.h"
#include "scan/places.h"
#include "value/type.h"
#include "wire/json.h"

enum { ERRORS_NOTED_MAX = 5 };

/* --- opening --- */

bool scan_code_wanted(const struct scan *scan)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct str *names, dir = arena_dup(&arena, scan->stack->path);
    size_t n = 0;
    if (scan->tally.options->desired == SCAN_DESIRED_STATE || !dir.ptr ||
        !io_list_dir(&arena, dir.len ? dir.ptr : ".", 100000, &names, &n, NULL))
        return false;
    static const struct str suffixes[] = {STR_INIT(".tf"), STR_INIT(".tf.json"), STR_INIT(".tofu"),
                                          STR_INIT(".tofu.json")};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < sizeof suffixes / sizeof *suffixes; j++)
            if (str_ends(names[i], suffixes[j]) && names[i].ptr[0] != '.')
                return true;
    return scan->tally.options->desired == SCAN_DESIRED_CODE;
}

bool scan_code_open(struct scan *scan, struct scan_code **ret, struct err *err)
{
    struct scan_code *code = calloc(1, sizeof *code);
    if (!code)
        return err_set(err, ERR_LIMIT, "out of memory");
    code->arena.limit = SIZE_MAX;
    key_table_init(&code->keys, &code->arena, (uint64_t)(uintptr_t)code);
    code->scan = scan;
    code->opentofu = scan->known && known_opentofu(scan->known);
    *ret = code;
    return true;
}

void scan_code_close(struct scan_code *code)
{
    if (!code)
        return;
    for (uint32_t i = 0; i < code->evaluation; i++)
        if (code->worlds[i])
            code_close(code->worlds[i]);
    if (code->code)
        code_close(code->code);
    library_close(code->library);
    arena_free(&code->arena);
    free(code);
}

/* --- the state by address --- */

static struct address_row *find_row(const struct address_table *table, struct str address)
{
    size_t at = (size_t)hash_bytes(address, 0) & (table->nslots - 1);
    while (table->row[at].address.ptr && !str_equal(table->row[at].address, address))
        at = (at + 1) & (table->nslots - 1);
    return &table->row[at];
}

static bool grow_table(struct arena *arena, struct address_table *table)
{
    struct address_table bigger = {.nslots = table->nslots ? 2 * table->nslots : 256,
                                   .n = table->n};
    bigger.row = arena_new(arena, struct address_row, bigger.nslots);
    if (!bigger.row)
        return false;
    for (size_t i = 0; i < table->nslots; i++)
        if (table->row[i].address.ptr)
            *find_row(&bigger, table->row[i].address) = table->row[i];
    *table = bigger;
    return true;
}

bool scan_code_put(struct arena *arena, struct address_table *table, struct str address,
                   const void *what)
{
    if (2 * table->n >= table->nslots && !grow_table(arena, table))
        return false;
    struct address_row *row = find_row(table, address);
    table->n += row->address.ptr == NULL;
    *row = (struct address_row){address, what};
    return true;
}

const void *scan_code_look_up(const struct address_table *table, struct str address)
{
    return table->nslots ? find_row(table, address)->what : NULL;
}

bool scan_code_remember(struct scan_code *code, const struct resource *resource, struct err *err)
{
    if (resource->deposed.len)
        return true;
    struct resource *kept = arena_new(&code->arena, struct resource, 1);
    if (!kept)
        return arena_full(&code->arena, err);
    *kept = *resource;
    kept->attributes = value_null();
    code->opentofu |= resource_is_of_opentofu(resource);
    return scan_code_put(&code->arena, &code->state, kept->address, kept) ||
           arena_full(&code->arena, err);
}

/* An instance of the state by its address, the last one where there are many; NULL: there is none.
 */
static const struct resource *find_resource(struct scan_code *code, struct str address)
{
    const struct resource *found = scan_code_look_up(&code->state, address);
    struct known *known = code->scan->known;
    struct resource resource;
    struct err why = {0};
    if (found || !known || code->trouble.kind != ERR_NONE)
        return found;
    for (size_t at = 0; known_next(known, address, &at, &resource, &why);)
        if (!scan_code_remember(code, &resource, &why))
            break;
    code->trouble = why;
    return scan_code_look_up(&code->state, address);
}

bool scan_code_is_recorded(struct scan_code *code, struct str address)
{
    const struct known *known = code->scan->known;
    return scan_code_look_up(&code->state, address) || (known && known_has(known, address));
}

/* --- what the evaluator asks --- */

static const char *find_env(void *ctx, const char *name)
{
    const struct scan_code *code = ctx;
    const struct scan_options *options = code->scan->tally.options;
    return options->env ? options->env(name) : NULL;
}

static bool find_state(void *ctx, struct str address, struct value *ret)
{
    struct scan_code *code = ctx;
    const struct resource *resource = find_resource(code, address);
    struct value parsed;
    if (!resource || !resource->attributes_json.len ||
        !json_parse_with(&code->arena, &code->keys, resource->attributes_json, "attributes",
                         JSON_DUPLICATES_LAST, &parsed, NULL))
        return false;
    struct sensitive_input secrets = {NULL, resource->sensitive, resource->nsensitive};
    if (!sensitive_any(&secrets, &parsed)) {
        *ret = parsed;
        return true;
    }
    return sensitive_mark(&code->arena, &secrets, &parsed, ret, NULL);
}

/* What is in the state under another name is not found there, nor is what nobody has made: asked
 * for either way. */
static bool is_wanted(void *ctx, struct str address)
{
    struct scan_code *code = ctx;
    return scan_wants(code->scan->tally.options, address) || !scan_code_is_recorded(code, address);
}

static const struct schema *find_schema(void *ctx, struct str source, enum code_mode mode,
                                        struct str type)
{
    struct scan_code *code = ctx;
    return code->library ? library_schema(code->library, source, mode, type) : NULL;
}

static const struct schema *find_config_schema(void *ctx, struct str source)
{
    struct scan_code *code = ctx;
    return code->library ? library_config_schema(code->library, source) : NULL;
}

static bool call_function(void *ctx, struct hcl_eval *ev, struct str source, struct str name,
                          const struct value *args, size_t nargs, struct value *ret)
{
    struct scan_code *code = ctx;
    return !code->library ||
           library_call_function(code->library, ev, source, name, args, nargs, ret);
}

/* --- evaluating --- */

static void take_note(void *ctx, struct str note)
{
    struct scan_code *code = ctx;
    (void)tally_note(&code->scan->tally, note, NULL); /* a failure is kept in tally.failed */
}

bool scan_code_note(struct scan_code *code, struct str text, struct err *err)
{
    if (!text.ptr)
        return arena_full(&code->arena, err);
    return tally_note(&code->scan->tally, text, err);
}

static struct str error_text(struct scan_code *code, const struct err *err)
{
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    struct str kept = arena_dup(&code->arena, str_from(err_text(err, text, sizeof text)));
    return kept.ptr ? kept : STR("out of memory");
}

struct str scan_code_diag_text(struct scan_code *code, const struct hcl_diag *d)
{
    return arena_printf(&code->arena, "code: %.*s:%u:%u: %.*s; %.*s", STR_ARG(d->file), d->line,
                        d->column, STR_ARG(d->summary), STR_ARG(d->detail));
}

/* The first errors, and how many more there are. */
static bool note_errors(struct scan_code *code, struct err *err)
{
    const struct hcl_diags *diags = code_diags(code->code);
    size_t n = 0;
    for (size_t i = 0; i < diags->n; i++) {
        if (diags->diag[i].warning)
            continue;
        if (n++ < ERRORS_NOTED_MAX &&
            !scan_code_note(code, scan_code_diag_text(code, &diags->diag[i]), err))
            return false;
    }
    code->complete = n == 0 && !diags->cut;
    return n <= ERRORS_NOTED_MAX ||
           scan_code_note(code,
                          arena_printf(&code->arena,
                                       "code: %zu more errors: `plumb check` lists all of them",
                                       n - ERRORS_NOTED_MAX),
                          err);
}

static bool open_library(struct scan_code *code, struct err *err)
{
    struct reader_options options = code->scan->tally.options->reader;
    struct err why = {0};
    if (code->library_asked)
        return true;
    code->library_asked = true;
    options.note = take_note;
    options.progress = NULL;
    options.ctx = code;
    if (library_open(code->scan->stack, &options, &code->library, &why))
        return true;
    return scan_code_note(code,
                          arena_printf(&code->arena, "code: evaluated without schemas: %.*s",
                                       STR_ARG(error_text(code, &why))),
                          err);
}

bool scan_code_library(struct scan_code *code, struct library **ret, struct err *err)
{
    if (!open_library(code, err))
        return false;
    *ret = code->library;
    return true;
}

static bool open_code(struct scan_code *code, struct err *err)
{
    const struct scan_options *options = code->scan->tally.options;
    const struct stack *stack = code->scan->stack;
    bool untold, opentofu = scan_code_is_opentofu(&code->arena, stack, code->opentofu, &untold);
    code->options = (struct code_options){.root_dir = stack->path.len ? stack->path : STR("."),
                                          .repo_dir = scan_code_folder(&code->arena, stack),
                                          .workspace = stack->workspace,
                                          .opentofu = opentofu,
                                          .untold = untold,
                                          .phase = CODE_EXPLORE,
                                          .pending = !code->scan->no_state,
                                          .inputs = options->inputs,
                                          .ninputs = options->ninputs,
                                          .env = find_env,
                                          .schema = find_schema,
                                          .provider_config_schema = find_config_schema,
                                          .state = find_state,
                                          .wants = scan_is_partial(options) ? is_wanted : NULL,
                                          .call_function = call_function,
                                          .ctx = code,
                                          .now_utc_ms = options->now_utc_ms};
    return code_open(&code->options, &code->code, err);
}

/* Nothing of the code is used: notes say why, and --desired code does not accept it. */
static bool give_up(struct scan_code *code, const struct err *why, struct err *err)
{
    if (why->kind == ERR_CANCELLED || code->scan->tally.options->desired == SCAN_DESIRED_CODE) {
        *err = *why;
        return false;
    }
    return scan_code_note(code,
                          arena_printf(&code->arena,
                                       "code: compared with the last state only: %.*s",
                                       STR_ARG(error_text(code, why))),
                          err);
}

static bool index_instances(struct scan_code *code, struct err *err)
{
    size_t n;
    const struct code_instance *all = code_instances(code->code, &n);
    code->met = arena_new(&code->arena, bool, n);
    if (!code->met)
        return arena_full(&code->arena, err);
    for (size_t i = 0; i < n; i++)
        if (all[i].mode == CODE_MANAGED &&
            !scan_code_put(&code->arena, &code->instances, all[i].address, &all[i]))
            return arena_full(&code->arena, err);
    return true;
}

bool scan_code_is_whole(const struct scan_code *code, struct err *err)
{
    if (code->trouble.kind == ERR_NONE)
        return true;
    if (err)
        *err = code->trouble;
    return false;
}

bool scan_code_evaluate(struct scan_code *code, bool *ret_use, struct err *err)
{
    struct err why = {0};
    *ret_use = false;
    if (!open_library(code, err))
        return false;
    if (!open_code(code, &why))
        return give_up(code, &why, err);
    if (!code_is_sound(code->code)) {
        (void)hcl_diags_to_err(code_diags(code->code), &why);
        return give_up(code, &why, err);
    }
    if (!scan_code_fetch(&code->arena, code->library, code_module_tree(code->code), err))
        return false;
    bool evaluated = code_evaluate(code->code, &why);
    if (!scan_code_is_whole(code, err))
        return false;
    if (!evaluated)
        return give_up(code, &why, err);
    if (hcl_has_errors(code_diags(code->code)) &&
        code->scan->tally.options->desired == SCAN_DESIRED_CODE) {
        (void)hcl_diags_to_err(code_diags(code->code), err);
        return false;
    }
    *ret_use = true;
    return note_errors(code, err) && index_instances(code, err);
}

bool scan_code_has_instances(const struct scan_code *code)
{
    return code->instances.n > 0;
}

/* --- matching --- */

static const struct code_instance *find_instance(struct scan_code *code, struct str address)
{
    size_t n;
    const struct code_instance *all = code_instances(code->code, &n);
    const struct code_instance *instance = scan_code_look_up(&code->instances, address);
    if (instance)
        code->met[instance - all] = true;
    return instance;
}

static bool match_entry(struct scan_code *code, struct entry *entry, struct err *err)
{
    struct str address = entry->resource.address, to = address;
    if (entry->resource.deposed.len)
        return true;
    entry->instance = find_instance(code, address);
    if (entry->instance)
        return true;
    if (!code_moved_address(code->code, address, &to)) {
        entry->forgotten = true;
        return true;
    }
    entry->instance = find_instance(code, to);
    if (!entry->instance || str_equal(to, address))
        return true;
    entry->resource.address = entry->instance->address; /* as the next plan calls it */
    return scan_code_note(
        code,
        arena_printf(&code->arena, "%.*s is %.*s in the last state", STR_ARG(to), STR_ARG(address)),
        err);
}

/* An instance that an import block gives an id. */
/* What its import block finds it by, as text; an identity as JSON. */
static bool import_text(struct arena *arena, const struct code_import_value *import,
                        struct str *ret, struct err *err)
{
    AUTO_BUF text = {.limit = 1 << 20};
    struct value plain = import->id;
    struct jsonw w = {.out = &text};
    *ret = import->by_identity ? (struct str){0} : value_text(&import->id);
    if (!import->by_identity)
        return true;
    plain.marks = 0;
    jsonw_value(&w, &plain);
    *ret = arena_dup(arena, buf_view(&text));
    return (ret->ptr && buf_ok(&text, err)) || arena_full(arena, err);
}

static bool add_import(struct scan_code *code, const struct code_instance *instance,
                       const struct code_import_value *import, struct err *err)
{
    struct str id;
    if (!import_text(code->scan->tally.arena, import, &id, err))
        return false;
    struct entry *entry = scan_add_entry(code->scan);
    size_t n;
    const struct code_instance *all = code_instances(code->code, &n);
    if (!entry)
        return arena_full(code->scan->tally.arena, err);
    code->met[instance - all] = true;
    entry->instance = instance;
    entry->resource = (struct resource){.address = instance->address,
                                        .module = instance->module,
                                        .mode = RESOURCE_MANAGED,
                                        .type = instance->type,
                                        .name = instance->name,
                                        .index_key = instance->index_key,
                                        .provider = instance->provider,
                                        .provider_config = instance->provider_config,
                                        .import_id = id,
                                        .import_identity = import->by_identity};
    struct reader_choice choice = {.providers = code->library};
    entry->reader = reader_choose(&choice, code->scan->stack, &entry->resource);
    return true;
}

static bool index_entries(struct scan_code *code, struct err *err)
{
    for (struct chunk *chunk = code->scan->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->n; i++) {
            struct entry *entry = &chunk->entry[i];
            if (!entry->resource.deposed.len &&
                !scan_code_put(&code->arena, &code->entries, entry->resource.address, entry))
                return arena_full(&code->arena, err);
        }
    return true;
}

bool scan_code_match(struct scan_code *code, struct err *err)
{
    for (struct chunk *chunk = code->scan->first; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->n; i++)
            if (!match_entry(code, &chunk->entry[i], err))
                return false;
    size_t n;
    const struct code_import_value *imports = code_imports(code->code, &n);
    for (size_t i = 0; i < n; i++) {
        const struct code_instance *instance =
            scan_code_look_up(&code->instances, imports[i].address);
        size_t nall;
        const struct code_instance *all = code_instances(code->code, &nall);
        const struct value *id = &imports[i].id;
        bool known = imports[i].by_identity ? value_is_object_like(id) && !value_any_unknown(id)
                                            : value_is_string(id) && id->len;
        if (instance && known && !code->met[instance - all] &&
            scan_wants(code->scan->tally.options, instance->address) &&
            !add_import(code, instance, &imports[i], err))
            return false;
    }
    return index_entries(code, err);
}

/* --- questions of the reader --- */

/* resource is the first member of an entry, which the reader was given. */
static const struct entry *entry_of(const struct resource *resource)
{
    return (const struct entry *)(const void *)resource;
}

/* What the code says, with what nobody can tell as it was recorded. */
static bool known_config(struct arena *arena, const struct value *config,
                         const struct value *recorded, struct value *ret, struct err *err)
{
    *ret = *config;
    return recorded->kind == VALUE_NULL || !value_any_unknown(config) ||
           settle_unknown(arena, config, recorded, ret, err);
}

static bool ask(void *ctx, struct arena *arena, const struct resource *resource,
                const struct schema *schema, enum live_side side, const struct value *prior,
                const struct value *recorded, struct live_question *ret, struct err *err)
{
    const struct entry *entry = entry_of(resource);
    const struct code_instance *instance = entry->instance;
    struct ignore_changes ignored;
    struct value config;
    (void)ctx;
    if (!instance || instance->failed || instance->config.kind != VALUE_OBJECT)
        return false;
    if (!instance->schema || !type_equal(instance->schema->block.type, schema->block.type))
        return err_set(err, ERR_UNSUPPORTED,
                       "the code was evaluated without the provider's schema");
    ret->prior = *prior;
    return known_config(arena, scan_code_config(entry, side), recorded, &config, err) &&
           ignore_changes_of(arena, instance->resource, true, &ignored, err) &&
           (prior->kind == VALUE_NULL ||
            proposed_fill_blocks(arena, &schema->block, prior, &ret->prior, err)) &&
           ignore_changes_apply(arena, &ignored, &schema->block, &ret->prior, &config, &ret->config,
                                err) &&
           proposed_new(arena, &schema->block, &ret->prior, &ret->config, &ret->proposed, err);
}

/* One of the root's, of code that configures no provider at all. */
static bool has_no_block(const struct scan_code *code, struct str name)
{
    return str_starts(name, STR("provider[")) && !code_root_module(code->code)->nproviders;
}

static bool provider_config(void *ctx, struct str name, struct value *ret, struct str *ret_from,
                            struct str *ret_unknown)
{
    struct scan_code *code = ((struct scan *)ctx)->code;
    const struct code_provider_instance *of = scan_code_find_provider(code->code, name);
    if (!of && has_no_block(code, name)) {
        *ret = value_null();
        *ret_from = STR("the environment");
        *ret_unknown = (struct str){0};
        return true;
    }
    if (!of)
        return false;
    *ret = of->config;
    *ret_unknown = of->unknown_because;
    if (ret_unknown->len && of->written && !scan_code_configured(code, of, ret, ret_unknown, NULL))
        return false;
    return scan_code_provider_place(&code->arena, of, ret_from);
}

void scan_code_options(struct scan_code *code, struct reader_options *options)
{
    options->ask = ask;
    options->ask_apart = code->evaluation > 0;
    options->library = code->library;
    options->provider_config = provider_config;
}

/* --- judging --- */

static bool apply_types(struct arena *arena, const struct type *type, bool wrapped,
                        const struct live_result *from, struct live_result *ret)
{
    return type_apply(arena, type, &from->desired, wrapped, &ret->desired, NULL) &&
           (from->status != LIVE_READ ||
            type_apply(arena, type, &from->live, wrapped, &ret->live, NULL));
}

bool scan_code_type(struct arena *arena, const struct entry *entry,
                    const struct live_result *result, struct live_result *ret, struct err *err)
{
    const struct code_instance *instance = entry->instance;
    struct live_result typed = *result;
    *ret = *result;
    if (result->schema || result->status == LIVE_UNREADABLE || !instance || !instance->schema)
        return true;
    const struct type *type = instance->schema->block.type;
    /* dynamic values as states have them, or as `show -json` does */
    bool fits = apply_types(arena, type, true, result, &typed) ||
                apply_types(arena, type, false, result, &typed);
    if (arena->used >= arena->limit)
        return arena_full(arena, err);
    typed.schema = instance->schema;
    if (fits)
        *ret = typed;
    return true;
}

/* Why the code does not have it. */
static struct str absence(const struct entry *entry)
{
    if (entry->forgotten)
        return STR("a `removed` block takes it from the state: an apply would forget it");
    if (entry->instance)
        return STR("what it is one of has fewer instances by now: an apply would destroy it");
    return STR("in the state but not in the code: an apply would destroy it");
}

/* Where something of the code's value cannot be known, that is said once for each expression. */
static bool note_unknown(struct scan_code *code, const struct code_instance *instance,
                         const struct value *config, struct err *err)
{
    for (uint32_t i = 0; value_is_object_like(config) && i < config->len; i++) {
        struct path_step step = {.kind = PATH_KEY, .key = key_str(config->members[i].key)};
        struct code_chain chain = {0};
        if (!settle_any_untold(&config->members[i].value))
            continue;
        bool told = code_explain(code->code, instance, (struct path){&step, 1}, &chain) &&
                    chain.unknown_because.len;
        struct str because = told ? chain.unknown_because : STR("it is known after an apply only");
        if (!scan_code_note(code,
                            arena_printf(&code->arena,
                                         "%.*s.%.*s: %.*s cannot be known from the code (%.*s): "
                                         "compared with the last state there",
                                         STR_ARG(instance->type), STR_ARG(instance->name),
                                         STR_ARG(step.key), STR_ARG(because)),
                            err))
            return false;
    }
    return true;
}

/* Without a provider to ask: the code laid over what is there. */
static bool plan_without(struct arena *arena, const struct live_result *result,
                         const struct value *config, struct drift_code *ret, struct err *err)
{
    struct value *planned = arena_new(arena, struct value, 2);
    if (!planned)
        return arena_full(arena, err);
    if (!lenient_plan(arena, &result->live, config, &planned[0], err))
        return false;
    ret->from_live = &planned[0];
    if (result->desired.kind == VALUE_NULL)
        return true;
    ret->from_state = &planned[1];
    return lenient_plan(arena, &result->desired, config, &planned[1], err);
}

/* Both sides of what ignore_changes accepts. */
static bool accept(struct arena *arena, const struct live_result *result,
                   const struct ignore_changes *ignored, const struct value *config,
                   struct drift_code *ret, struct err *err)
{
    struct value *sides = arena_new(arena, struct value, 2);
    const struct schema_block *block = result->schema ? &result->schema->block : NULL;
    if (!sides)
        return arena_full(arena, err);
    sides[0] = *config;
    ret->ignored = ignored;
    ret->config = &sides[0];
    ret->asked = &sides[1];
    return ignore_changes_apply(arena, ignored, block, &result->live, config, &sides[1], err);
}

static bool judge_planned(struct arena *arena, const struct entry *entry,
                          const struct live_result *result, struct drift_code *ret, struct err *err)
{
    struct value *planned = arena_new(arena, struct value, 2);
    const struct live_plan *plan[] = {&result->from_live, &result->from_state};
    if (!planned)
        return arena_full(arena, err);
    for (int side = 0; side < LIVE_SIDES; side++)
        if (plan[side]->status == LIVE_PLANNED &&
            !settle_pending(arena, scan_code_config(entry, (enum live_side)side),
                            &plan[side]->planned, &planned[side], err))
            return false;
    ret->from_live = &planned[0];
    ret->from_state = result->from_state.status == LIVE_PLANNED ? &planned[1] : NULL;
    ret->apart = !value_equal(scan_code_config(entry, LIVE_SIDE_LIVE),
                              scan_code_config(entry, LIVE_SIDE_STATE));
    ret->legacy = result->from_live.legacy;
    ret->requires_replace = result->from_live.requires_replace;
    ret->nrequires_replace = result->from_live.nrequires_replace;
    return true;
}

static bool fall_back(struct scan_code *code, const struct entry *entry, struct str why,
                      bool *ret_use, struct err *err)
{
    *ret_use = false;
    return scan_code_note(
        code,
        arena_printf(&code->arena, "%.*s.%.*s: compared with the last state only: %.*s",
                     STR_ARG(entry->resource.type), STR_ARG(entry->resource.name), STR_ARG(why)),
        err);
}

/* An answer of live values, and an instance that was evaluated. */
static bool judge_live(struct scan_code *code, struct arena *arena, const struct entry *entry,
                       const struct live_result *result, struct drift_code *ret, bool *ret_use,
                       struct err *err)
{
    const struct code_instance *instance = entry->instance;
    const struct value *said = scan_code_config(entry, LIVE_SIDE_LIVE);
    struct ignore_changes *ignored = arena_new(arena, struct ignore_changes, 1);
    struct value config;
    if (!ignored)
        return arena_full(arena, err);
    if (result->from_live.status == LIVE_PLAN_FAILED)
        return fall_back(code, entry, result->from_live.reason, ret_use, err);
    if (!known_config(arena, said, &result->desired, &config, err) ||
        !ignore_changes_of(arena, instance->resource, true, ignored, err) ||
        !sensitive_places(arena, said, &ret->sensitive, &ret->nsensitive, err))
        return false;
    if (value_any_unknown(said) && !note_unknown(code, instance, said, err))
        return false;
    if (ignore_changes_any(ignored) && !accept(arena, result, ignored, &config, ret, err))
        return false;
    if (result->from_live.status == LIVE_PLANNED)
        return judge_planned(arena, entry, result, ret, err);
    const struct value *asked = ret->asked ? ret->asked : &config;
    return plan_without(arena, result, asked, ret, err);
}

/* What an apply would do to the whole of it. */
static void judge_whole(const struct scan_code *code, const struct entry *entry,
                        struct drift_code *ret)
{
    const struct scan_kept *kept = entry->kept;
    const bool *absent = kept ? kept->absent : NULL, *triggered = kept ? kept->triggered : NULL;
    ret->importing = entry->resource.import_id.len && !code->scan->no_state;
    if (absent && absent[LIVE_SIDE_LIVE]) {
        ret->absent = true;
        ret->by_drift = !absent[LIVE_SIDE_STATE];
        ret->because = absence(entry);
    } else if (ret->importing) {
        ret->pending = true;
        ret->because = STR("in the code but not in the state: an apply would import it");
    } else if (entry->resource.tainted) {
        ret->pending = true;
        ret->because = STR("it is tainted: an apply would replace it");
    } else if (triggered && triggered[LIVE_SIDE_LIVE]) {
        ret->pending = true;
        ret->by_drift = !triggered[LIVE_SIDE_STATE];
        ret->because = STR("what replace_triggered_by names changes: an apply would replace it");
    }
}

bool scan_code_judge(struct scan_code *code, struct arena *arena, const struct entry *entry,
                     const struct live_result *result, struct drift_code *ret, bool *ret_use,
                     struct err *err)
{
    const struct code_instance *instance = entry->instance;
    *ret = (struct drift_code){0};
    *ret_use = result->status != LIVE_UNREADABLE && !entry->resource.deposed.len;
    if (!*ret_use)
        return true;
    if (!instance) {
        if (!code->complete && !entry->forgotten) { /* it may be in what could not be evaluated */
            *ret_use = false;
            return true;
        }
        ret->absent = true;
        ret->because = absence(entry);
        return true;
    }
    if (instance->failed || instance->config.kind != VALUE_OBJECT)
        return fall_back(code, entry, STR("the code of it has errors"), ret_use, err);
    judge_whole(code, entry, ret);
    return ret->absent || result->status != LIVE_READ ||
           judge_live(code, arena, entry, result, ret, ret_use, err);
}

/* --- what nobody has made --- */

bool scan_code_add_uncreated(struct scan_code *code, const struct code_instance *instance,
                             bool by_drift, struct err *err)
{
    struct scan *scan = code->scan;
    const struct config *config = scan->tally.options->config;
    const struct drift_code wanted = {
        .by_drift = by_drift,
        .because =
            by_drift ? STR("the code asks for it since something drifted: an apply would create it")
                     : STR("in the code but never created: an apply would create it")};
    const struct resource resource = {.address = instance->address,
                                      .module = instance->module,
                                      .type = instance->type,
                                      .name = instance->name,
                                      .provider = instance->provider,
                                      .provider_config = instance->provider_config};
    const struct value nothing = value_null();
    struct drift_input in = {.resource = &resource,
                             .desired = &nothing,
                             .code = &wanted,
                             .stack = scan->tally.stack,
                             .ignores = config ? config->ignores : NULL,
                             .nignores = config ? config->nignores : 0,
                             .now_utc_ms = scan->tally.options->now_utc_ms};
    struct observation found;
    arena_reset(&scan->scratch);
    if (scan->no_state)
        return drift_unchecked(&scan->scratch, &resource, scan->tally.stack,
                               STR("no state and no import block: nobody can say which object it "
                                   "is"),
                               &found, err) &&
               tally_add(&scan->tally, &found, err);
    return drift_uncreated(&scan->scratch, &in, &found, err) &&
           (!scan->tally.options->policy || scan_remember(&scan->scratch, &in, &found, err)) &&
           tally_add(&scan->tally, &found, err);
}

/* --- places --- */

static bool open_places(struct scan_code *code, struct err *err)
{
    struct tally *tally = &code->scan->tally;
    const struct scan_options *options = tally->options;
    const struct places_options how = {.stack = code->scan->stack,
                                       .code = code->code,
                                       .code_options = &code->options,
                                       .now_utc_ms = options->now_utc_ms,
                                       .cancel = options->reader.cancel,
                                       .no_git = options->no_git,
                                       .repos = options->repos};
    return code->places || places_open(tally->arena, &how, &code->places, err);
}

static bool locate(void *ctx, struct finding *finding, struct err *err)
{
    struct scan_code *code = ctx;
    return open_places(code, err) && places_fill(code->places, finding, 1, err);
}

void scan_code_stream(struct scan_code *code)
{
    code->scan->tally.locate = locate;
    code->scan->tally.locate_ctx = code;
}

bool scan_code_places(struct scan_code *code, struct stack_result *ret, struct err *err)
{
    struct tally *tally = &code->scan->tally;
    bool filled = tally->locate != NULL; /* one by one, as they came */
    if (!open_places(code, err) ||
        (!filled && !places_fill(code->places, tally->findings, tally->nfindings, err)) ||
        !places_explain(code->places, tally->findings, tally->nfindings, err))
        return false;
    ret->revision = places_revision(code->places);
    struct str trouble = places_note(code->places);
    return !trouble.len || tally_note(tally, trouble, err);
}
