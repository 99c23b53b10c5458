/* code_move_check.c - what is wrong with moved and removed blocks, once the instances are known. */
#include <stdlib.h>

#include "desired/code_move.h"

static bool fault(struct code_walk *walk, const struct code_move *move, const char *summary,
                  struct str detail)
{
    code_say(walk, move->written->place.file, move->written->place.range, false, summary, "%.*s",
             STR_ARG(detail));
    return false;
}

/* --- is it still declared? --- */

static struct code_module_instance *child_instance(struct code_walk *walk,
                                                   struct code_module_instance *parent,
                                                   const struct code_address_step *step,
                                                   bool any_key)
{
    struct code_config *in = parent->config;
    const struct code_module_call *call = code_find_call(in->module, step->name);
    struct code_config *child = call ? in->child[call - in->module->calls] : NULL;
    const struct code_instances_of *all = child ? code_modules(walk, child) : NULL;
    for (size_t i = 0; all && i < all->n; i++)
        if (all->item[i].parent == parent &&
            (any_key || code_compare_keys(&all->item[i].each, &step->key) == 0))
            return &all->item[i];
    return NULL;
}

/* At the absolute address, in the module instance `module` and relative to it. */
static bool still_exists(struct code_walk *walk, const struct code_move *move,
                         struct code_module_instance *module)
{
    const struct code_address *a = &move->from;
    for (size_t i = 0; i < a->nsteps && module; i++) {
        bool call = move->kind == CODE_MOVE_CALL && i + 1 == a->nsteps;
        if (call) /* the call itself, even with no instances */
            return code_find_call(module->config->module, a->step[i].name);
        module = child_instance(walk, module, &a->step[i], false);
    }
    if (!module || !a->has_resource)
        return module;
    const struct code_module *m = module->config->module;
    const struct code_resource *r = code_find_resource(m, a->mode, a->type, a->name);
    if (!r || move->kind == CODE_MOVE_RESOURCE)
        return r;
    const struct code_result *result =
        code_result(walk, &module->config->resources[r - m->resources]);
    if (!result->expansion)
        return false;
    const struct code_expansion *e = &result->expansion[module->index];
    for (uint32_t i = 0; e->made && i < e->n; i++)
        if (code_compare_keys(&e->made[i].each, &a->key) == 0)
            return true;
    return false;
}

/* --- each statement in each instance of its module --- */

struct absolute {
    const struct code_move *move;
    struct str from, to;
};

static struct str absolute_text(struct arena *arena, const struct code_module_instance *module,
                                const struct code_address *address)
{
    return arena_printf(arena, "%.*s%s%.*s", STR_ARG(module->address),
                        module->address.len ? "." : "", STR_ARG(code_address_text(arena, address)));
}

static bool check_one(struct code_walk *walk, const struct code_move *move,
                      struct code_module_instance *module, struct absolute *a)
{
    static const char *const nouns[] = {[CODE_MOVE_CALL] = "module call",
                                        [CODE_MOVE_MODULE] = "module instance",
                                        [CODE_MOVE_RESOURCE] = "resource",
                                        [CODE_MOVE_INSTANCE] = "resource instance"};
    struct arena *arena = &walk->code->arena;
    *a = (struct absolute){move, absolute_text(arena, module, &move->from),
                           absolute_text(arena, module, &move->to)};
    if (str_equal(a->from, a->to))
        return fault(walk, move, "Redundant move statement",
                     arena_printf(arena,
                                  "This statement declares a move from %.*s to the same address, "
                                  "which is the same as not declaring this move at all.",
                                  STR_ARG(a->from)));
    if (!still_exists(walk, move, module))
        return true;
    return fault(walk, move, "Moved object still exists",
                 arena_printf(arena,
                              "This statement declares a move from %.*s, but that %s is still "
                              "declared.\n\nChange your configuration so that this %s will be "
                              "declared as %.*s instead.",
                              STR_ARG(a->from), nouns[move->kind], nouns[move->kind],
                              STR_ARG(a->to)));
}

static int by_from(const void *a, const void *b)
{
    const struct absolute *x = a, *y = b;
    int order = str_compare(x->from, y->from);
    return order ? order : x->move->index < y->move->index ? -1 : x->move->index > y->move->index;
}

static int by_to(const void *a, const void *b)
{
    const struct absolute *x = a, *y = b;
    int order = str_compare(x->to, y->to);
    return order ? order : x->move->index < y->move->index ? -1 : x->move->index > y->move->index;
}

static bool say_ambiguous(struct code_walk *walk, const struct absolute *first,
                          const struct absolute *later, bool from)
{
    struct arena *arena = &walk->code->arena;
    const struct code_place *at = &first->move->written->place;
    struct str where = arena_printf(arena, "%.*s:%u", STR_ARG(at->file->name), at->line);
    return fault(
        walk, later->move, "Ambiguous move statements",
        from ? arena_printf(arena,
                            "A statement at %.*s declared that %.*s moved to %.*s, but this "
                            "statement instead declares that it moved to %.*s.\n\nEach object can "
                            "move to only one destination.",
                            STR_ARG(where), STR_ARG(later->from), STR_ARG(first->to),
                            STR_ARG(later->to))
             : arena_printf(arena,
                            "A statement at %.*s declared that %.*s moved to %.*s, but this "
                            "statement instead declares that %.*s moved there.\n\nEach object can "
                            "have moved from only one source.",
                            STR_ARG(where), STR_ARG(first->from), STR_ARG(later->to),
                            STR_ARG(later->from)));
}

/* Two ways from one address, or to one: the first statement stands. */
static bool check_ambiguous(struct code_walk *walk, struct absolute *all, size_t n, bool from)
{
    bool fine = true;
    size_t first = 0;
    if (n)
        qsort(all, n, sizeof *all, from ? by_from : by_to);
    for (size_t i = 1; i < n; i++) {
        bool same =
            from ? str_equal(all[first].from, all[i].from) : str_equal(all[first].to, all[i].to);
        bool agree =
            from ? str_equal(all[first].to, all[i].to) : str_equal(all[first].from, all[i].from);
        if (!same)
            first = i;
        else if (!agree)
            fine = say_ambiguous(walk, &all[first], &all[i], from);
    }
    return fine;
}

bool code_check_moves(struct code_walk *walk)
{
    struct code *code = walk->code;
    const struct code_moves *moves = code_moves_of(code);
    size_t n = 0, room = 0;
    bool fine = true;
    for (size_t i = 0; i < moves->n; i++)
        room += code_modules(walk, moves->item[i].in)->n;
    struct absolute *all = arena_new(&code->arena, struct absolute, room);
    for (size_t i = 0; all && i < moves->n; i++) {
        const struct code_instances_of *modules = code_modules(walk, moves->item[i].in);
        for (size_t k = 0; k < modules->n; k++)
            fine = check_one(walk, &moves->item[i], &modules->item[k], &all[n++]) && fine;
    }
    if (!all)
        return false;
    fine = check_ambiguous(walk, all, n, true) && fine;
    fine = check_ambiguous(walk, all, n, false) && fine;
    if (fine && moves->cyclic) {
        code_say_at_all(
            walk, false, "Cyclic dependency in move statements", "%s",
            "Chained move statements form a cycle, and so there is no final location "
            "to move objects to.\n\nA chain of move statements must end with an address "
            "that doesn't appear in any other statements, and which typically also "
            "refers to an object still declared in the configuration.");
        return false;
    }
    return fine;
}

void code_warn_blocked(struct code_walk *walk)
{
    if (walk->code->blocked.len == 0)
        return;
    code_say_at_all(
        walk, true, "Unresolved resource instance address changes",
        "Terraform tried to adjust resource instance addresses in the prior state based "
        "on change information recorded in the configuration, but some adjustments did "
        "not succeed due to existing objects already at the intended "
        "addresses:%.*s\n\nTerraform has planned to destroy these objects. If "
        "Terraform's proposed changes aren't appropriate, you must first resolve the "
        "conflicts using the \"terraform state\" subcommands and then create a new "
        "plan.",
        STR_ARG(walk->code->blocked));
}

/* --- removed --- */

static bool check_removed(struct code_walk *walk, const struct code_config *config,
                          const struct code_moved *removed)
{
    struct arena *arena = &walk->code->arena;
    struct hcl_traversal t;
    struct code_address from;
    const struct code_module_call *call = NULL;
    const struct code_place *place;
    if (!removed->from.expr || !hcl_static_traversal(arena, removed->from.expr, &t) ||
        !code_address_from(arena, &t, &from))
        return true;
    for (size_t i = 0; i < from.nsteps && config; i++) {
        call = code_find_call(config->module, from.step[i].name);
        config = call ? config->child[call - config->module->calls] : NULL;
    }
    if (!config)
        return true;
    const struct code_resource *r =
        from.has_resource ? code_find_resource(config->module, from.mode, from.type, from.name)
                          : NULL;
    if (from.has_resource && !r)
        return true;
    place = r ? &r->place : &call->place;
    code_say(walk, place->file, place->range, false,
             r ? "Removed resource still exists" : "Removed module still exists",
             "This statement declares that %.*s was removed, but it is still declared in "
             "configuration.",
             STR_ARG(code_address_text(arena, &from)));
    return false;
}

bool code_check_removed(struct code_walk *walk)
{
    bool fine = true;
    for (size_t i = 0; i < walk->code->nconfigs; i++) {
        const struct code_config *config = walk->code->config[i];
        for (size_t k = 0; k < config->module->nremoved; k++)
            fine = check_removed(walk, config, &config->module->removed[k]) && fine;
    }
    return fine;
}
