/* plan_code.c - a root module opened with the variables of a plan. */
#include "scan/plan_code.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/stacks.h"
#include "model/finding.h"
#include "wire/json.h"

enum { EXCERPT_LINES = 4 };

struct plan_code {
    struct arena *arena;
    struct plan_code_options options;
    bool tried;
    struct stack stack;
    struct look *look;
    struct code *code;
};

bool plan_code_make(struct arena *arena, const struct plan_code_options *options,
                    struct plan_code **ret, struct err *err)
{
    struct plan_code *made = arena_new(arena, struct plan_code, 1);
    if (!made)
        return arena_full(arena, err);
    *made = (struct plan_code){.arena = arena, .options = *options};
    *ret = made;
    return true;
}

void plan_code_close(struct plan_code *code)
{
    if (!code)
        return;
    code_close(code->code);
    look_close(code->look);
}

/* The plan's values for variables, as -var would give them. */
static bool take_inputs(struct plan_code *c, const struct value *plan,
                        struct code_input_value **ret, size_t *ret_n, struct err *err)
{
    const struct value *given = value_get(plan, STR("variables"));
    size_t n = value_is_object_like(given) ? given->len : 0;
    struct code_input_value *inputs = arena_new(c->arena, struct code_input_value, n);
    if (!inputs)
        return arena_full(c->arena, err);
    *ret_n = 0;
    for (size_t i = 0; i < n; i++) {
        const struct value *v = value_get(&given->members[i].value, STR("value"));
        AUTO_BUF text = {.limit = 64 << 20};
        struct jsonw w = {.out = &text};
        if (!v || v->kind == VALUE_NULL)
            continue;
        if (v->kind == VALUE_STRING)
            buf_str(&text, value_text(v));
        else
            jsonw_value(&w, v);
        inputs[*ret_n] = (struct code_input_value){.name = key_str(given->members[i].key),
                                                   .text = arena_dup(c->arena, buf_view(&text))};
        if (!inputs[(*ret_n)++].text.ptr)
            return arena_full(c->arena, err);
    }
    *ret = inputs;
    return true;
}

/* What cannot be opened tells no places; the check of the code itself says what is wrong. */
static bool open_code(struct plan_code *c, const struct value *plan, struct err *err)
{
    struct stacks found;
    struct err why = {0};
    struct code_input_value *inputs = NULL;
    size_t ninputs = 0;
    static const struct str none = STR_INIT("-");
    const struct stacks_query query = {
        .dirs = &c->options.dir, .ndirs = 1, .config_file = none, .env = c->options.env};
    c->tried = true;
    if (!stacks_find(c->arena, &query, &found, &why) || found.n == 0)
        return why.kind != ERR_LIMIT || err_set(err, ERR_LIMIT, "%s", why.frame[0]);
    c->stack = found.stack[0];
    if (!take_inputs(c, plan, &inputs, &ninputs, err))
        return false;
    const struct look_options options = {.stack = &c->stack,
                                         .inputs = inputs,
                                         .ninputs = ninputs,
                                         .no_state = true,
                                         .no_providers = true,
                                         .in_spite_of_errors = true,
                                         .env = c->options.env,
                                         .now_utc_ms = c->options.now_utc_ms};
    return look_open(&options, &c->look, err) &&
           (look_code(c->look, CODE_EXPLORE, &c->code, &why) || why.kind != ERR_LIMIT ||
            err_set(err, ERR_LIMIT, "%s", why.frame[0]));
}

static struct str lines_of(struct arena *arena, struct str text, uint32_t from, uint32_t to)
{
    struct str line = {0};
    const char *start = NULL, *end = NULL;
    if (to > from + EXCERPT_LINES - 1)
        to = from + EXCERPT_LINES - 1;
    for (uint32_t i = 1; i <= to; i++) {
        bool more = str_cut(&text, '\n', &line);
        start = i == from ? line.ptr : start;
        end = line.ptr + line.len;
        if (!more)
            break;
    }
    return start && end ? arena_dup(arena, (struct str){start, (size_t)(end - start)})
                        : (struct str){0};
}

static bool put_place(struct arena *arena, struct str base, const struct hcl_file *source,
                      struct str file, struct location at, struct location *ret_at,
                      struct str *ret_excerpt, struct err *err)
{
    bool whole = !base.len || file.ptr[0] == '/';
    struct str path = whole ? arena_dup(arena, file) : io_join(arena, base, file);
    *ret_at = at;
    ret_at->file = path.ptr ? pathname_clean(arena, path) : path;
    if (!ret_at->file.ptr)
        return arena_full(arena, err);
    if (source)
        *ret_excerpt = lines_of(arena, source->text, at.line, at.end_line);
    return true;
}

bool code_value_place(struct arena *arena, struct str base, struct code *code,
                      const struct code_instance *instance, struct path path,
                      struct location *ret_at, struct str *ret_excerpt, struct err *err)
{
    struct code_chain chain = {0};
    if (path.n && code_explain(code, instance, path, &chain))
        for (size_t i = chain.n; i-- > 0;) {
            const struct code_link *link = &chain.link[i];
            struct location at = {
                .line = link->line, .column = link->column, .end_line = link->end_line};
            if (link->file.len)
                return put_place(arena, base, link->source, link->file, at, ret_at, ret_excerpt,
                                 err);
        }
    const struct code_resource *r = instance->resource;
    struct location at = {0};
    hcl_place(r->place.file->text, r->place.range.start, &at.line, &at.column);
    at.end_line = at.line;
    return put_place(arena, base, r->place.file, r->place.file->name, at, ret_at, ret_excerpt, err);
}

static const struct code_instance *find_instance(struct code *code, struct str address)
{
    const struct code_instance *instance = code_find_instance(code, address);
    size_t n;
    const struct code_instance *all = instance ? NULL : code_instances(code, &n);
    /* addresses of the configuration and of states have no keys */
    for (size_t i = 0; all && i < n && !instance; i++)
        if (str_starts(all[i].address, address) && all[i].address.len > address.len &&
            all[i].address.ptr[address.len] == '[')
            instance = &all[i];
    return instance;
}

bool plan_code_place(struct plan_code *c, const struct value *plan, struct str address,
                     struct path path, struct location *ret_at, struct str *ret_excerpt,
                     struct str *ret_note, struct err *err)
{
    *ret_at = (struct location){0};
    *ret_excerpt = *ret_note = (struct str){0};
    if (!c->tried && !open_code(c, plan, err))
        return false;
    if (!c->code)
        return true;
    const struct code_instance *instance = find_instance(c->code, address);
    if (!instance) {
        *ret_note =
            arena_printf(c->arena, "the code in %.*s has no %.*s: its places are those of the plan",
                         STR_ARG(c->stack.path), STR_ARG(address));
        return ret_note->ptr || arena_full(c->arena, err);
    }
    return code_value_place(c->arena, c->stack.path, c->code, instance, path, ret_at, ret_excerpt,
                            err);
}
