/* adopt_origin.c - why there is no edit: what stands in the way, and where the value comes from. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/eval.h"
#include "respond/adopt_parts.h"

enum { EXCERPT_MAX = 60 };

bool adopt_full(struct adopter *ad)
{
    return arena_full(ad->arena, ad->err);
}

bool adopt_refuse(struct adopter *ad, const char *fmt, ...)
{
    va_list args;
    if (ad->refused)
        return false;
    va_start(args, fmt);
    ad->reason = arena_vprintf(ad->arena, fmt, args);
    va_end(args);
    ad->refused = true;
    return ad->reason.ptr ? false : adopt_full(ad);
}

struct str adopt_at(struct adopter *ad, const struct hcl_file *file, uint32_t byte)
{
    uint32_t line, column;
    hcl_place(file->text, byte, &line, &column);
    return arena_printf(ad->arena, "%.*s:%u", STR_ARG(file->name), line);
}

/* --- origins --- */

void adopt_add_origin(struct adopter *ad, struct adopt_origin origin)
{
    for (size_t i = 0; i < ad->norigins; i++)
        if (str_equal(ad->origin[i].file, origin.file) && ad->origin[i].line == origin.line &&
            str_equal(ad->origin[i].name, origin.name) &&
            str_equal(ad->origin[i].kind, origin.kind))
            return;
    struct adopt_origin *grown =
        arena_grow(ad->arena, ad->origin, ad->norigins, &ad->room_origins, ad->norigins + 1);
    origin.kind = arena_dup(ad->arena, origin.kind); /* the code is closed before the result is */
    origin.name = arena_dup(ad->arena, origin.name);
    origin.file = arena_dup(ad->arena, origin.file);
    if (!grown || !origin.kind.ptr || !origin.name.ptr || !origin.file.ptr)
        return;
    ad->origin = grown;
    ad->origin[ad->norigins++] = origin;
}

void adopt_add_chain(struct adopter *ad, const struct code_chain *chain)
{
    for (size_t i = 1; i < chain->n; i++) {
        const struct code_link *link = &chain->link[i];
        adopt_add_origin(ad, (struct adopt_origin){.kind = str_from(link->what),
                                                   .name = link->name,
                                                   .file = link->file,
                                                   .line = link->line,
                                                   .column = link->column});
    }
}

static void add_place(struct adopter *ad, const char *kind, struct str name,
                      const struct hcl_file *file, struct hcl_range range)
{
    struct adopt_origin origin = {.kind = str_from(kind), .name = name, .file = file->name};
    hcl_place(file->text, range.start, &origin.line, &origin.column);
    adopt_add_origin(ad, origin);
}

struct reader {
    struct adopter *ad;
    const struct code_instance *instance;
};

/* Where a name that an expression refers to is defined, as far as its module says. */
static bool add_reference(void *ctx, const struct hcl_traversal *traversal)
{
    struct reader *reader = ctx;
    struct adopter *ad = reader->ad;
    const struct code_module *in = reader->instance->in;
    struct str first = {0};
    if (traversal->n && !traversal->step[0].index)
        first = value_text(&traversal->step[0].key);
    if (str_equal(traversal->root, STR("local"))) {
        const struct code_local *local = code_find_local(in, first);
        if (local)
            add_place(ad, "local", arena_printf(ad->arena, "local.%.*s", STR_ARG(first)),
                      local->value.file, local->value.range);
    } else if (str_equal(traversal->root, STR("var"))) {
        const struct code_variable *variable = code_find_variable(in, first);
        if (variable)
            add_place(ad, "variable", arena_printf(ad->arena, "var.%.*s", STR_ARG(first)),
                      variable->place.file, variable->place.range);
    } else if (str_equal(traversal->root, STR("module"))) {
        const struct code_module_call *call = code_find_call(in, first);
        if (call)
            add_place(ad, "module", arena_printf(ad->arena, "module.%.*s", STR_ARG(first)),
                      call->place.file, call->place.range);
    } else if (str_equal(traversal->root, STR("each")) &&
               reader->instance->resource->for_each.expr) {
        const struct code_expr *each = &reader->instance->resource->for_each;
        add_place(ad, "for_each", STR("each.value"), each->file, each->range);
    }
    return true;
}

/* --- obstacles --- */

struct str adopt_excerpt(struct adopter *ad, const struct hcl_file *file,
                         const struct hcl_expr *expr)
{
    struct str text = str_sub(file->text, expr->range.start, expr->range.end);
    size_t end = str_find_char(text, '\n', 0);
    bool cut = end != SIZE_MAX || text.len > EXCERPT_MAX;
    if (end > EXCERPT_MAX)
        end = EXCERPT_MAX;
    while (cut && end > 0 && ((unsigned char)text.ptr[end] & 0xc0) == 0x80)
        end--;
    return cut ? arena_printf(ad->arena, "%.*s...", (int)end, text.ptr) : text;
}

/* What does not compute but cannot be edited either. */
static bool refuse_structure(struct adopter *ad, const struct hcl_file *file,
                             const struct hcl_obstacle *obstacle)
{
    struct str at = adopt_at(ad, file, obstacle->expr->range.start);
    switch (obstacle->kind) {
    case HCL_OBSTACLE_ELEMENT:
        return adopt_refuse(ad, "the list at %.*s has no such element", STR_ARG(at));
    case HCL_OBSTACLE_SCALAR:
        return adopt_refuse(ad, "the value at %.*s has no parts", STR_ARG(at));
    case HCL_OBSTACLE_KEY:
        return adopt_refuse(ad, "the object at %.*s has keys that are computed", STR_ARG(at));
    case HCL_OBSTACLE_MEMORY:
        return adopt_refuse(ad, "the expression at %.*s is too large to edit", STR_ARG(at));
    default:
        return adopt_refuse(ad, "the value is %s at %.*s", hcl_obstacle_name(obstacle->kind),
                            STR_ARG(at));
    }
}

/* Decided by no file. */
static bool is_outside(const struct code_link *link)
{
    return str_equal(str_from(link->what), STR("environment")) ||
           str_equal(str_from(link->what), STR("command line"));
}

/* "local.a (main.tf:2), prod.tfvars:7" */
static struct str origins_text(struct adopter *ad)
{
    struct str text = STR("");
    for (size_t i = 0; i < ad->norigins; i++) {
        const struct adopt_origin *o = &ad->origin[i];
        bool again = i && str_equal(o->name, ad->origin[i - 1].name);
        struct str name = o->name.len && !again ? o->name : o->kind;
        if (str_equal(o->kind, STR("environment")))
            name = arena_printf(ad->arena, "the environment variable %.*s", STR_ARG(o->name));
        struct str at = o->file.len
                            ? arena_printf(ad->arena, " (%.*s:%u)", STR_ARG(o->file), o->line)
                            : STR("");
        text = arena_printf(ad->arena, "%.*s%s%.*s%.*s", STR_ARG(text), i ? ", " : "",
                            STR_ARG(name), STR_ARG(at));
    }
    return text;
}

/* lookup(), try(), element() and their like give what one expression behind them says, and so does
 * `for` where a variable of it is the value. */
static bool passes_on(struct adopter *ad, const struct code_instance *instance, struct path path)
{
    struct code_chain chain = {0};
    return code_explain(ad->code, instance, path, &chain) && chain.n > 1 &&
           !chain.unknown_because.len && chain.link[chain.n - 1].expr;
}

bool adopt_refuse_obstacle(struct adopter *ad, const struct code_instance *instance,
                           struct path path, const struct hcl_file *file,
                           const struct hcl_obstacle *obstacle)
{
    struct code_chain chain = {0};
    struct reader reader = {ad, instance};
    bool reference =
        obstacle->kind == HCL_OBSTACLE_REFERENCE || obstacle->kind == HCL_OBSTACLE_MERGED;
    bool computes = reference || (obstacle->kind >= HCL_OBSTACLE_TEMPLATE &&
                                  obstacle->kind <= HCL_OBSTACLE_SPLAT);
    if (!computes)
        return refuse_structure(ad, file, obstacle);
    if (reference && code_explain(ad->code, instance, path, &chain))
        adopt_add_chain(ad, &chain);
    if (ad->norigins == 0 || !reference)
        (void)hcl_each_reference(ad->arena, obstacle->expr, add_reference, &reader);
    struct str at = adopt_at(ad, file, obstacle->expr->range.start);
    struct str text = adopt_excerpt(ad, file, obstacle->expr), from = origins_text(ad);
    if (obstacle->kind == HCL_OBSTACLE_CALL || obstacle->kind == HCL_OBSTACLE_FOR)
        ad->has_other_way = passes_on(ad, instance, path);
    if (!reference)
        return adopt_refuse(ad, "the value is computed by %s at %.*s: %.*s%s%.*s",
                            hcl_obstacle_name(obstacle->kind), STR_ARG(at), STR_ARG(text),
                            from.len ? "; it uses " : "", STR_ARG(from));
    ad->has_other_way = ad->norigins > 0 && !(chain.n && is_outside(&chain.link[chain.n - 1]));
    return adopt_refuse(ad, "the value at %.*s comes from %.*s", STR_ARG(at),
                        STR_ARG(from.len ? from : text));
}
