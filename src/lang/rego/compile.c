/* compile.c - modules to a policy: the tree of documents, checks over all of it, plans. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "lang/rego/annotation.h"
#include "lang/rego/index.h"
#include "lang/rego/machine.h"
#include "lang/rego/watch.h"

void rego_complain(struct rego_compiler *c, const char *code, struct rego_place place,
                   const char *fmt, ...)
{
    char text[1000];
    size_t most = c->diags->most ? c->diags->most : REGO_DIAGS_MAX;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (c->diags->n > most)
        return;
    if (c->diags->n == most)
        rego_diag_add(c->diags, "rego_compile_error", STR(""), (struct rego_place){0},
                      "error limit reached");
    else
        rego_diag_add(c->diags, code, c->unit ? c->unit->module->file : STR("query"), place, "%s",
                      text);
}

uint32_t rego_new_slot(struct rego_compiler *c, struct str name, struct rego_place place,
                       bool generated)
{
    struct rego_variables *v = &c->variables;
    struct rego_variable *grown = arena_grow(c->arena, v->item, v->n, &v->room, v->n + 1);
    if (!grown) {
        c->out_of_memory = true;
        return 0;
    }
    v->item = grown;
    grown[v->n] = (struct rego_variable){.name = name, .place = place, .generated = generated};
    return v->n++;
}

/* --- what it may cost --- */

enum { STEPS_COMPILING = 1000000000, STEPS_BETWEEN_LOOKS = 1 << 16, TIME_COMPILING_MS = 60000 };

static void start_counting(struct rego_compiler *c)
{
    const struct rego_compile_options *options = &c->policy->options;
    c->steps_check = STEPS_BETWEEN_LOOKS;
    c->until_ms =
        clock_monotonic_ms() + (options->deadline_ms ? options->deadline_ms : TIME_COMPILING_MS);
}

bool rego_look(struct rego_compiler *c)
{
    const struct rego_compile_options *options = &c->policy->options;
    uint64_t most = options->steps ? options->steps : STEPS_COMPILING;
    c->steps_check = c->steps + STEPS_BETWEEN_LOOKS;
    if (c->steps > most)
        c->stopped = "steps";
    else if (options->cancel && *options->cancel)
        c->stopped = "cancelled";
    else if (clock_monotonic_ms() > c->until_ms)
        c->stopped = "time";
    c->out_of_memory |= c->stopped != NULL; /* which ends all stages */
    return !c->stopped;
}

static bool afford_tokens(void *compiler, uint64_t tokens)
{
    return rego_afford(compiler, tokens);
}

/* Why it ended without a diagnostic. */
static bool tell_end(const struct rego_compiler *c, const char *what, struct err *err)
{
    if (!c->stopped)
        return err_set(err, ERR_LIMIT, "the %s needs more memory than %zu bytes", what,
                       c->arena->limit);
    if (strcmp(c->stopped, "cancelled") == 0)
        return err_set(err, ERR_LIMIT, "compiling the %s was cancelled", what);
    return err_set(err, ERR_LIMIT, "compiling the %s takes more %s than it may: make it smaller",
                   what, c->stopped);
}

/* --- the tree --- */

struct rego_node *rego_child(const struct rego_node *node, const struct value *key)
{
    size_t low = 0, high = node->nchild;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = rego_compare(&node->child[middle]->key, key);
        if (c == 0)
            return node->child[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void rego_node_text(struct buf *out, const struct rego_node *node)
{
    const struct rego_node *path[REGO_DEPTH_MAX];
    size_t n = 0;
    for (; node->parent && n < REGO_DEPTH_MAX; node = node->parent)
        path[n++] = node;
    buf_str(out, STR("data"));
    while (n-- > 0) {
        if (path[n]->key.kind == VALUE_STRING) {
            buf_char(out, '.');
            buf_str(out, value_text(&path[n]->key));
        } else {
            buf_char(out, '[');
            rego_text(out, &path[n]->key);
            buf_char(out, ']');
        }
    }
}

/* Where the child of that key is among the nodes that were made, or would be. */
static struct rego_node **grown_slot(struct rego_node **grown, size_t room,
                                     const struct rego_node *parent, const struct value *key)
{
    size_t at = (rego_hash(key) + parent->id * 0x9e3779b97f4a7c15U) & (room - 1);
    while (grown[at] && (grown[at]->parent != parent || !rego_equal(&grown[at]->key, key)))
        at = (at + 1) & (room - 1);
    return &grown[at];
}

static bool more_slots(struct rego_compiler *c)
{
    size_t room = c->grown_room ? c->grown_room * 2 : 32;
    struct rego_node **grown = arena_new(c->arena, struct rego_node *, room);
    if (!grown)
        return false;
    for (size_t i = 0; i < c->grown_room; i++)
        if (c->grown[i])
            *grown_slot(grown, room, c->grown[i]->parent, &c->grown[i]->key) = c->grown[i];
    c->grown = grown;
    c->grown_room = room;
    return true;
}

/* The child of that key, made if it is not there; they are sorted later. */
static struct rego_node *grow(struct rego_compiler *c, struct rego_node *node,
                              const struct value *key)
{
    if (c->ngrown * 2 >= c->grown_room && !more_slots(c)) {
        c->out_of_memory = true;
        return NULL;
    }
    struct rego_node **slot = grown_slot(c->grown, c->grown_room, node, key), *child = *slot;
    if (child)
        return child;
    struct rego_node **grown =
        arena_grow(c->arena, node->child, node->nchild, &node->child_room, node->nchild + 1);
    child = arena_new(c->arena, struct rego_node, 1);
    if (!grown || !child) {
        c->out_of_memory = true;
        return NULL;
    }
    grown[node->nchild++] = child;
    *slot = child;
    c->ngrown++;
    node->child = grown;
    child->key = *key;
    child->parent = node;
    child->id = c->policy->nnodes++;
    child->kind = REGO_HEAD_COMPLETE;
    return child;
}

static struct rego_node *package_node(struct rego_compiler *c, const struct rego_term *package)
{
    struct rego_node *node = c->policy->root;
    for (size_t i = 1; package->kind == REGO_TERM_REF && i < package->parts.n && node; i++)
        node = grow(c, node, &package->parts.item[i]->value);
    if (node)
        node->package = true;
    return node;
}

/* The node of a rule: as many parts of its ref as are constants. */
static struct rego_node *rule_node(struct rego_compiler *c, struct rego_node *package,
                                   const struct rego_rule *rule, size_t *ret_ntail)
{
    struct rego_node *node = package;
    const struct rego_head *head = &rule->head;
    size_t i = 0;
    for (; i < head->nref && node; i++) {
        const struct rego_term *part = head->ref[i];
        struct value key = i == 0 ? value_string(part->name) : value_null();
        if (i > 0 && part->kind != REGO_TERM_VALUE)
            break;
        if (i > 0)
            key = part->value;
        node = grow(c, node, &key);
    }
    *ret_ntail = head->nref - i;
    return node;
}

static bool add_name(struct rego_compiler *c, struct rego_node *package, struct str name)
{
    struct value key = value_string(name);
    struct rego_node *node = grow(c, package, &key);
    if (!node || node->named)
        return node != NULL;
    struct str *grown = arena_grow(c->arena, package->name, package->nnames, &package->name_room,
                                   package->nnames + 1);
    if (!grown) {
        c->out_of_memory = true;
        return false;
    }
    package->name = grown;
    grown[package->nnames++] = name;
    node->named = true;
    return true;
}

static int compare_nodes(const void *a, const void *b)
{
    return rego_compare(&(*(struct rego_node *const *)a)->key,
                        &(*(struct rego_node *const *)b)->key);
}

static bool sort_tree(struct rego_node *node, unsigned depth_left)
{
    bool ok = depth_left > 0;
    if (node->nchild > 1)
        qsort(node->child, node->nchild, sizeof(struct rego_node *), compare_nodes);
    if (node->nnames > 1)
        qsort(node->name, node->nnames, sizeof *node->name, str_compare_qsort);
    for (size_t i = 0; i < node->nchild && ok; i++)
        ok = sort_tree(node->child[i], depth_left - 1);
    return ok;
}

static void kinds_conflict(struct rego_compiler *c, struct rego_node *node)
{
    AUTO_BUF name = {.limit = 1 << 12};
    const struct rego_rule *rule =
        node->ndefinitions ? node->definition[0].rule : node->otherwise->rule;
    if (node->mark) /* said already */
        return;
    node->mark = 1;
    rego_node_text(&name, node);
    rego_complain(c, "rego_type_error", rule->place, "conflicting rules %.*s found",
                  STR_ARG(buf_view(&name)));
}

static bool add_rule(struct rego_compiler *c, struct rego_node *package, struct rego_rule *rule)
{
    size_t ntail;
    struct rego_node *node = rule_node(c, package, rule, &ntail);
    const struct rego_head *head = &rule->head;
    if (!node || !add_name(c, package, head->ref[0]->name))
        return false;
    bool function = head->narg > 0, first = !node->ndefinitions && !node->otherwise;
    bool complete = head->kind == REGO_HEAD_COMPLETE;
    enum rego_head_kind kind = function                      ? REGO_HEAD_FUNCTION
                               : head->kind == REGO_HEAD_SET ? REGO_HEAD_SET
                               : complete && !ntail          ? REGO_HEAD_COMPLETE
                                                             : REGO_HEAD_OBJECT;
    if (!first && (node->kind != kind || (function && node->narg != head->narg)) &&
        !(ntail && node->dynamic))
        kinds_conflict(c, node);
    if (first) {
        node->kind = kind;
        node->narg = head->narg;
    }
    node->dynamic |= ntail > 0;
    for (struct rego_node *up = node; up && !up->virtual_; up = up->parent)
        up->virtual_ = true;
    if (rule->is_default) {
        if (node->otherwise) {
            AUTO_BUF name = {.limit = 1 << 12};
            rego_node_text(&name, node);
            rego_complain(c, "rego_type_error", rule->module->package_place,
                          "multiple default rules %.*s found at %.*s:%u, %.*s:%u",
                          STR_ARG(buf_view(&name)), STR_ARG(node->otherwise->rule->module->file),
                          node->otherwise->rule->place.row, STR_ARG(rule->module->file),
                          rule->place.row);
            return true;
        }
        node->otherwise = arena_new(c->arena, struct rego_definition, 1);
        if (!node->otherwise)
            return false;
        *node->otherwise = (struct rego_definition){.rule = rule, .node = node};
        return true;
    }
    struct rego_definition *grown = arena_grow(c->arena, node->definition, node->ndefinitions,
                                               &node->definition_room, node->ndefinitions + 1);
    if (!grown)
        return false;
    node->definition = grown;
    grown[node->ndefinitions++] =
        (struct rego_definition){.rule = rule, .node = node, .ntail = ntail};
    return true;
}

static bool build_tree(struct rego_compiler *c)
{
    for (size_t u = 0; u < c->policy->nunits; u++) {
        c->unit = &c->policy->unit[u];
        c->unit->module->unit = u;
        c->unit->package = package_node(c, c->unit->module->package);
        if (!c->unit->package)
            return false;
    }
    for (size_t u = 0; u < c->policy->nunits; u++) {
        c->unit = &c->policy->unit[u];
        for (size_t i = 0; i < c->unit->module->nrules; i++)
            if (!add_rule(c, c->unit->package, c->unit->module->rules[i]))
                return false;
    }
    return sort_tree(c->policy->root, REGO_DEPTH_MAX + 2);
}

/* --- stages --- */

static bool is_shadowing(struct str name)
{
    return str_equal(name, STR("input")) || str_equal(name, STR("data"));
}

static void check_names(struct rego_compiler *c)
{
    for (size_t u = 0; u < c->policy->nunits; u++) {
        c->unit = &c->policy->unit[u];
        const struct rego_module *module = c->unit->module;
        for (size_t i = 0; i < module->nrules; i++)
            for (size_t a = 0; a < module->rules[i]->head.narg; a++)
                if (module->rules[i]->head.arg[a]->kind == REGO_TERM_CALL)
                    rego_complain(c, "rego_compile_error", module->rules[i]->head.arg[a]->place,
                                  "rule arguments cannot contain calls");
        for (size_t i = 0; i < module->nrules && !module->v0; i++)
            if (is_shadowing(module->rules[i]->head.ref[0]->name))
                rego_complain(c, "rego_compile_error", module->rules[i]->place,
                              "rules must not shadow %.*s (use a different rule name)",
                              STR_ARG(module->rules[i]->head.ref[0]->name));
    }
}

/* What the compiler knows of one rule between its stages. */
struct rule_work {
    struct rego_definition *definition;
    struct rego_unit *unit;
    struct rego_variables variables;
};

/* The definitions of all nodes, defaults included. */
static bool list_work(struct rego_compiler *c, struct rego_node *node, struct rule_work **work,
                      size_t *n, size_t *room, unsigned depth_left)
{
    size_t more = node->ndefinitions + (node->otherwise != NULL);
    struct rule_work *grown = arena_grow(c->arena, *work, *n, room, *n + more + 1);
    if (!grown || depth_left == 0)
        return false;
    *work = grown;
    for (size_t i = 0; i < node->ndefinitions; i++)
        grown[(*n)++] = (struct rule_work){.definition = &node->definition[i]};
    if (node->otherwise)
        grown[(*n)++] = (struct rule_work){.definition = node->otherwise};
    for (size_t i = 0; i < node->nchild; i++)
        if (!list_work(c, node->child[i], work, n, room, depth_left - 1))
            return false;
    return true;
}

static int compare_work(const void *a, const void *b)
{
    const struct rego_rule *left = ((const struct rule_work *)a)->definition->rule;
    const struct rego_rule *right = ((const struct rule_work *)b)->definition->rule;
    int c = str_compare(left->module->file, right->module->file);
    return c ? c
             : (left->place.start > right->place.start) - (left->place.start < right->place.start);
}

/* What others need first. */
static int compare_order(const void *a, const void *b)
{
    uint32_t left = ((const struct rule_work *)a)->definition->node->order;
    uint32_t right = ((const struct rule_work *)b)->definition->node->order;
    return left != right ? (left > right) - (left < right) : compare_work(a, b);
}

typedef bool stage_fn(struct rego_compiler *c, struct rule_work *work);

static bool each_rule(struct rego_compiler *c, struct rule_work *work, size_t n, stage_fn *stage)
{
    for (size_t i = 0; i < n; i++) {
        c->unit = work[i].unit;
        c->variables = work[i].variables;
        c->depth = 0;
        bool ok = rego_afford(c, 1) && stage(c, &work[i]);
        work[i].variables = c->variables;
        if (c->out_of_memory || (!ok && !c->diags->n))
            return false;
    }
    return true;
}

static bool resolve_stage(struct rego_compiler *c, struct rule_work *work)
{
    return rego_resolve_rule(c, work->definition->rule);
}

static bool functions_stage(struct rego_compiler *c, struct rule_work *work)
{
    return rego_check_calls(c, work->definition->rule);
}

static bool safety_stage(struct rego_compiler *c, struct rule_work *work)
{
    return rego_safe_rule(c, work->definition->rule);
}

static bool types_stage(struct rego_compiler *c, struct rule_work *work)
{
    return rego_check_types(c, work->definition);
}

static bool plan_stage(struct rego_compiler *c, struct rule_work *work)
{
    return rego_plan_rule(c, work->definition->rule, work->definition);
}

static void one_constant(struct rego_node *node, unsigned depth_left)
{
    node->one_constant = node->ndefinitions > 0 && !node->dynamic;
    for (size_t i = 0; i < node->ndefinitions && node->one_constant; i++) {
        const struct rego_definition *d = &node->definition[i];
        node->one_constant = d->constant && !d->else_ &&
                             rego_equal(&d->value.constant, &node->definition[0].value.constant);
    }
    for (size_t i = 0; depth_left && i < node->nchild; i++)
        one_constant(node->child[i], depth_left - 1);
}

static int compare_diags(const void *a, const void *b)
{
    const struct rego_diag *left = a, *right = b;
    int c = str_compare(left->file, right->file);
    if (c)
        return c;
    if (left->row != right->row)
        return left->row < right->row ? -1 : 1;
    return (left->col > right->col) - (left->col < right->col);
}

static void unused_imports(struct rego_compiler *c)
{
    for (size_t u = 0; u < c->policy->nunits; u++) {
        c->unit = &c->policy->unit[u];
        const struct rego_module *module = c->unit->module;
        for (size_t i = 0; i < module->nimports; i++) {
            const struct rego_import *import = &module->imports[i];
            AUTO_BUF path = {.limit = 1 << 12};
            const struct rego_term *head =
                import->path->kind == REGO_TERM_VAR ? import->path : import->path->parts.item[0];
            bool document =
                str_equal(head->name, STR("data")) || str_equal(head->name, STR("input"));
            if (import->used || !document)
                continue;
            rego_term_text(&path, import->path);
            rego_complain(c, "rego_compile_error", import->place, "import %.*s unused",
                          STR_ARG(buf_view(&path)));
        }
    }
}

static bool compile(struct rego_compiler *c)
{
    struct rego_policy *policy = c->policy;
    struct rule_work *work = NULL;
    size_t n = 0, room = 0;
    if (!build_tree(c))
        return false;
    check_names(c);
    if (!rego_put_metadata(c))
        return false;
    if (!list_work(c, policy->root, &work, &n, &room, REGO_DEPTH_MAX))
        return false;
    for (size_t i = 0; i < n; i++)
        work[i].unit = &policy->unit[work[i].definition->rule->module->unit];
    if (n)
        qsort(work, n, sizeof *work, compare_work);
    /* Errors of one stage keep the later ones from running. */
    static stage_fn *const stages[] = {resolve_stage, functions_stage, safety_stage, types_stage,
                                       plan_stage};
    for (size_t i = 0; i < sizeof stages / sizeof *stages && !c->diags->n; i++) {
        if (!each_rule(c, work, n, stages[i]))
            return false;
        if (stages[i] == resolve_stage && policy->options.strict)
            unused_imports(c);
        if (stages[i] == functions_stage && !c->diags->n && !rego_check_policy(c))
            return false;
        if (stages[i] == safety_stage && n)
            qsort(work, n, sizeof *work, compare_order);
    }
    one_constant(policy->root, REGO_DEPTH_MAX);
    return c->diags->n || rego_index_rules(c, policy->root, REGO_DEPTH_MAX);
}

enum { QUERY_MEMORY = 256 << 20 };

bool rego_compile(const struct rego_source *sources, size_t n, const struct value *data,
                  const struct rego_compile_options *options, struct rego_diags *diags,
                  struct rego_policy **ret, struct err *err)
{
    struct rego_policy *policy = calloc(1, sizeof *policy);
    if (!policy)
        return err_set(err, ERR_LIMIT, "memory is out");
    policy->arena.limit = options->memory ? options->memory : ARENA_DEFAULT_LIMIT;
    policy->options = *options;
    policy->data = data;
    policy->nunits = n;
    struct arena *arena = &policy->arena;
    struct rego_compiler c = {
        .policy = policy, .arena = arena, .diags = diags, .nhints = &policy->nhints};
    policy->unit = arena_new(arena, struct rego_unit, n);
    policy->root = arena_new(arena, struct rego_node, 1);
    policy->shared = rego_shared_open();
    bool ok = policy->unit && policy->root && policy->shared;
    policy->nnodes = 1;
    start_counting(&c);
    for (size_t i = 0; ok && i < n; i++) {
        struct rego_parse_options parse = {.v0 = sources[i].v0,
                                           .words = options->words,
                                           .annotations = true,
                                           .afford = afford_tokens,
                                           .afford_ctx = &c};
        (void)rego_parse_module(arena, sources[i].text, sources[i].file, &parse, diags,
                                &policy->unit[i].module);
        ok = rego_afford(&c, sources[i].text.len / 4);
    }
    ok = ok && !c.stopped && !diags->n && compile(&c);
    if (ok && !diags->n) {
        *ret = policy;
        return true;
    }
    if (diags->n > 1)
        qsort(diags->diag, diags->n, sizeof *diags->diag, compare_diags);
    if (!diags->n)
        (void)tell_end(&c, "policy", err);
    rego_close(policy);
    return false;
}

void rego_allow_all(struct rego_policy *policy)
{
    policy->options.allowed = NULL;
}

void rego_close(struct rego_policy *policy)
{
    if (!policy)
        return;
    rego_shared_close(policy->shared);
    arena_free(&policy->arena);
    free(policy);
}

size_t rego_module_count(const struct rego_policy *policy)
{
    return policy->nunits;
}

const struct rego_module *rego_module_at(const struct rego_policy *policy, size_t i)
{
    return i < policy->nunits ? policy->unit[i].module : NULL;
}

/* --- queries --- */

static int compare_named(const void *a, const void *b)
{
    return str_compare(((const struct rego_named_slot *)a)->name,
                       ((const struct rego_named_slot *)b)->name);
}

/* The variables of the answers: those of the query itself, as written. */
static bool name_variables(struct rego_compiler *c, struct rego_query *query, uint32_t n)
{
    struct rego_named_slot *named = arena_new(c->arena, struct rego_named_slot, n);
    if (!named)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        const struct rego_variable *v = &c->variables.item[i];
        if (!v->generated && v->name.len && v->name.ptr[0] != '$' &&
            rego_slots_has(&query->bound, i))
            named[query->nvariables++] = (struct rego_named_slot){v->name, i};
    }
    if (query->nvariables)
        qsort(named, query->nvariables, sizeof *named, compare_named);
    query->variable = named;
    return true;
}

bool rego_prepare(const struct rego_policy *policy, struct str text, struct rego_diags *diags,
                  struct rego_query **ret, struct err *err)
{
    struct rego_query *query = calloc(1, sizeof *query);
    struct rego_body *body = NULL;
    if (!query)
        return err_set(err, ERR_LIMIT, "memory is out");
    query->policy = policy;
    query->nhints = policy->nhints;
    query->arena.limit = policy->options.memory ? policy->options.memory : QUERY_MEMORY;
    struct rego_compiler c = {.policy = (struct rego_policy *)(uintptr_t)policy,
                              .arena = &query->arena,
                              .diags = diags,
                              .nhints = &query->nhints};
    struct rego_parse_options parse = {
        .words = policy->options.words, .afford = afford_tokens, .afford_ctx = &c};
    struct str kept = arena_dup(&query->arena, text);
    start_counting(&c);
    bool ok = kept.ptr &&
              rego_parse_query(&query->arena, kept, STR("query"), &parse, diags, &body) &&
              rego_resolve_body(&c, body) && !diags->n && rego_check_body(&c, body) && !diags->n;
    ok = ok && rego_safe_query(&c, body, &query->bound) && !diags->n &&
         rego_check_body_types(&c, body) && !diags->n && name_variables(&c, query, c.variables.n) &&
         rego_plan_query(&c, body, query) && !diags->n;
    if (ok) {
        *ret = query;
        return true;
    }
    if (!diags->n)
        (void)tell_end(&c, "query", err);
    rego_query_close(query);
    *ret = NULL;
    return false;
}

void rego_query_close(struct rego_query *query)
{
    if (!query)
        return;
    arena_free(&query->arena);
    free(query);
}

/* --- evaluation --- */

struct answers {
    struct rego_found found;
    const struct rego_query *query;
    struct arena *arena; /* of the caller */
    struct value *binding, *values;
    size_t n, binding_room, values_room;
};

static enum rego_flow answer(struct rego_found *found, struct rego_machine *m)
{
    struct answers *a = (struct answers *)(void *)found;
    const struct rego_query *q = a->query;
    struct value *binding = arena_grow(m->arena, a->binding, a->n, &a->binding_room, a->n + 1);
    struct value *values = arena_grow(m->arena, a->values, a->n, &a->values_room, a->n + 1);
    struct rego_pair *pairs = arena_new_raw(a->arena, struct rego_pair, q->nvariables);
    struct value *items = arena_new_raw(a->arena, struct value, q->nvalues);
    size_t clash;
    if (!binding || !values || !pairs || !items)
        return rego_no_memory(m);
    a->binding = binding;
    a->values = values;
    for (size_t i = 0; i < q->nvariables; i++) {
        pairs[i].key = value_string(q->variable[i].name);
        if (!rego_copy(a->arena, &m->frame[q->variable[i].slot], &pairs[i].value))
            return rego_no_memory(m);
    }
    for (size_t i = 0; i < q->nvalues; i++)
        if (!rego_copy(a->arena, rego_operand(m, &q->value[i]), &items[i]))
            return rego_no_memory(m);
    (void)rego_make_object(pairs, q->nvariables, &binding[a->n], &clash);
    values[a->n] = value_items(VALUE_TUPLE, items, q->nvalues);
    a->n++;
    return REGO_GO;
}

/* What is kept of an error beyond the evaluation. */
static struct rego_error keep_error(struct arena *arena, const struct rego_error *e)
{
    struct rego_error kept = *e;
    kept.file = arena_dup(arena, e->file);
    kept.message = arena_dup(arena, e->message);
    return kept;
}

static bool give(struct rego_machine *m, const struct answers *a, struct arena *arena,
                 struct rego_result *ret)
{
    struct value *binding = arena_new(arena, struct value, a->n);
    struct value *values = arena_new(arena, struct value, a->n);
    struct rego_error *errors = arena_new(arena, struct rego_error, m->nbuiltin_errors);
    if (!binding || !values || !errors)
        return false;
    if (a->n) {
        memcpy(binding, a->binding, a->n * sizeof *binding);
        memcpy(values, a->values, a->n * sizeof *values);
    }
    for (size_t i = 0; i < m->nbuiltin_errors; i++)
        errors[i] = keep_error(arena, &m->builtin_error[i]);
    *ret = (struct rego_result){
        .bindings = value_items(VALUE_TUPLE, binding, a->n),
        .values = value_items(VALUE_TUPLE, values, a->n),
        .builtin_errors = errors,
        .nbuiltin_errors = m->nbuiltin_errors,
    };
    if (m->error.code)
        ret->error = keep_error(arena, &m->error);
    return true;
}

enum { STEPS_DEFAULT = 1000000000, DEPTH_DEFAULT = 100000 };

bool rego_eval(const struct rego_query *query, const struct value *input,
               const struct rego_eval_options *options, struct arena *arena,
               struct rego_result *ret, struct err *err)
{
    AUTO_ARENA own = {.limit = options->memory ? options->memory : ARENA_DEFAULT_LIMIT};
    struct rego_machine m = {
        .policy = query->policy,
        .options = options,
        .arena = &own,
        .steps_limit = options->steps ? options->steps : STEPS_DEFAULT,
        .steps_check = 1,
        .depth_limit = options->depth ? options->depth : DEPTH_DEFAULT,
    };
    struct rego_world base = {.data = query->policy->data}, world;
    struct answers a = {.found = {answer}, .query = query, .arena = arena};
    struct rego_reads reads = {0};
    struct value fit, *before;
    m.reads = options->watch ? &reads : NULL;
    if (options->deadline_ms)
        m.deadline_ms = clock_monotonic_ms() + options->deadline_ms;
    if (options->until_ms && options->until_ms < m.deadline_ms)
        m.deadline_ms = options->until_ms;
    m.caches = rego_caches_open(&own, query->policy->shared);
    if (input && options->plain_input)
        fit = *input;
    else if (input && !rego_adopt(&own, input, &fit))
        return err_set(err, ERR_LIMIT, "the input needs more memory than %zu bytes", own.limit);
    if (!m.caches)
        return err_set(err, ERR_LIMIT, "the input needs more memory than %zu bytes", own.limit);
    base.input = input ? &fit : NULL;
    m.hint = arena_new(&own, uint32_t, query->nhints);
    bool ok = m.hint && rego_world_make(&m, &base, &world);
    m.world = &world;
    ok = ok && rego_frame_push(&m, query->nslots, &before);
    rego_stack_start(&m);
    if (ok)
        (void)rego_run(&m, query->body, &a.found);
    rego_caches_close(m.caches);
    ok = ok && give(&m, &a, arena, ret);
    return ok || err_set(err, ERR_LIMIT, "the evaluation needs more memory than it may have");
}
