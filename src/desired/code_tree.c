/* code_tree.c - the tree of modules as structs that evaluation hangs on: a node for each variable,
 * local, output, call, resource, provider and check that is written. */
#include "desired/code_parts.h"

static struct code_node *make_nodes(struct code *code, struct code_config *in,
                                    enum code_node_kind kind, size_t n, struct err *err)
{
    if (n > CODE_NODES_MAX - code->nnodes) {
        (void)err_set(err, ERR_LIMIT, "the modules declare more than %d things", CODE_NODES_MAX);
        return NULL;
    }
    struct code_node *nodes = arena_new(&code->arena, struct code_node, n);
    struct code_node **all =
        arena_grow(&code->arena, code->node, code->nnodes, &code->room_nodes, code->nnodes + n + 1);
    if (!nodes || !all) {
        (void)arena_full(&code->arena, err);
        return NULL;
    }
    code->node = all;
    for (size_t i = 0; i < n; i++) {
        nodes[i] =
            (struct code_node){.kind = kind, .id = (uint32_t)code->nnodes, .in = in, .at = i};
        all[code->nnodes++] = &nodes[i];
    }
    return nodes;
}

static bool make_all_nodes(struct code *code, struct code_config *config, struct err *err)
{
    const struct code_module *m = config->module;
    struct {
        struct code_node **list;
        enum code_node_kind kind;
        size_t n;
    } rows[] = {{&config->variables, CODE_NODE_VARIABLE, m->nvariables},
                {&config->validations, CODE_NODE_VALIDATION, m->nvariables},
                {&config->locals, CODE_NODE_LOCAL, m->nlocals},
                {&config->outputs, CODE_NODE_OUTPUT, m->noutputs},
                {&config->calls, CODE_NODE_CALL, m->ncalls},
                {&config->closes, CODE_NODE_CLOSE, m->ncalls},
                {&config->resources, CODE_NODE_RESOURCE, m->nresources},
                {&config->providers, CODE_NODE_PROVIDER, m->nproviders},
                {&config->checks, CODE_NODE_CHECK, m->nchecks}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        *rows[i].list = make_nodes(code, config, rows[i].kind, rows[i].n, err);
        if (!*rows[i].list)
            return false;
    }
    return true;
}

static struct code_config *add_config(struct code *code, const struct code_tree *tree,
                                      struct code_config *parent, struct err *err)
{
    struct code_config *config = arena_new(&code->arena, struct code_config, 1);
    struct code_config **all = arena_grow(&code->arena, code->config, code->nconfigs,
                                          &code->room_configs, code->nconfigs + 1);
    if (!config || !all) {
        (void)arena_full(&code->arena, err);
        return NULL;
    }
    code->config = all;
    *config = (struct code_config){.module = &tree->module,
                                   .parent = parent,
                                   .call = tree->call,
                                   .index = (uint32_t)code->nconfigs};
    if (parent)
        config->path = arena_printf(&code->arena, "%.*s%smodule.%.*s", STR_ARG(parent->path),
                                    parent->path.len ? "." : "", STR_ARG(tree->call->name));
    config->child = arena_new(&code->arena, struct code_config *, tree->module.ncalls);
    if (!config->child) {
        (void)arena_full(&code->arena, err);
        return NULL;
    }
    all[code->nconfigs++] = config;
    return make_all_nodes(code, config, err) ? config : NULL;
}

/* Depth is bounded by whoever read the tree (CODE_TREE_DEPTH_MAX). */
static struct code_config *build(struct code *code, const struct code_tree *tree,
                                 struct code_config *parent, struct err *err)
{
    struct code_config *config = add_config(code, tree, parent, err);
    for (size_t i = 0; config && i < tree->module.ncalls; i++) {
        if (!tree->child[i])
            continue;
        config->child[i] = build(code, tree->child[i], config, err);
        if (!config->child[i])
            return NULL;
    }
    return config;
}

bool code_tree_build(struct code *code, const struct code_tree *tree, struct err *err)
{
    code->root = build(code, tree, NULL, err);
    return code->root;
}
