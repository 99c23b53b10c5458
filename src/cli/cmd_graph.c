/* cmd_graph.c - `plumb graph`: which resources need which others, as DOT or JSON.
 *
 * Source:  the DOT text is that of `terraform graph` (1.11), line for line
 */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/root.h"
#include "desired/code_depend.h"
#include "model/finding.h"
#include "wire/json.h"

static const char *const formats[] = {"dot", "json", NULL};
static const char *const mode_names[] = {
    [CODE_MANAGED] = "managed", [CODE_DATA] = "data", [CODE_EPHEMERAL] = "ephemeral"};

enum { OUTPUT = ROOT_OPTION_COUNT, OPTION_COUNT };

static const struct option options[] = {
    ROOT_OPTIONS,
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .kind = OPTION_STRING,
                .arg = "FORMAT",
                .choices = formats,
                .text = "dot, as terraform graph prints it, or json"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

/* --- DOT --- */

static void put_quoted(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            buf_char(out, '\\');
        buf_char(out, s.ptr[i]);
    }
    buf_char(out, '"');
}

/* The address inside of its module. */
static struct str label_of(const struct code_vertex *v)
{
    return v->module.len ? str_sub(v->address, v->module.len + 1, v->address.len) : v->address;
}

static void put_cluster(struct buf *out, struct str module)
{
    buf_printf(out, "  subgraph \"cluster_%.*s\" {\n    label = ", STR_ARG(module));
    put_quoted(out, module);
    buf_str(out, STR("\n    fontname = \"sans-serif\"\n"));
}

static void put_vertices(struct buf *out, const struct code_dependencies *graph)
{
    struct str module = {0};
    for (size_t i = 0; i < graph->n; i++) {
        const struct code_vertex *v = &graph->vertex[i];
        if (!str_equal(v->module, module)) {
            buf_str(out, module.len ? STR("  }\n") : STR(""));
            put_cluster(out, v->module);
            module = v->module;
        }
        buf_str(out, module.len ? STR("    ") : STR("  "));
        put_quoted(out, v->address);
        buf_str(out, STR(" [label="));
        put_quoted(out, label_of(v));
        buf_str(out, STR("];\n"));
    }
    buf_str(out, module.len ? STR("  }\n") : STR(""));
}

static void put_dot(struct buf *out, const struct code_dependencies *graph)
{
    buf_str(out, STR("digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = "
                     "\"sans-serif\"];\n"));
    if (!graph->n)
        buf_str(out, STR("  /* This configuration does not contain any resources.         */\n"
                         "  /* For a more detailed graph, try: terraform graph -type=plan */\n"));
    put_vertices(out, graph);
    for (size_t i = 0; i < graph->n; i++)
        for (size_t k = 0; k < graph->vertex[i].nneeds; k++) {
            buf_str(out, STR("  "));
            put_quoted(out, graph->vertex[i].address);
            buf_str(out, STR(" -> "));
            put_quoted(out, graph->vertex[graph->vertex[i].need[k]].address);
            buf_str(out, STR(";\n"));
        }
    buf_str(out, STR("}\n"));
}

/* --- JSON --- */

static void put_modules(struct jsonw *w, const struct code_tree *tree, unsigned depth_left)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("path"), tree->path);
    jsonw_member_string(w, STR("directory"), tree->module.dir);
    jsonw_key(w, STR("source"));
    if (tree->call)
        jsonw_string(w, tree->call->source);
    else
        jsonw_null(w);
    jsonw_key(w, STR("missing"));
    jsonw_array_open(w);
    for (size_t i = 0; i < tree->module.ncalls; i++)
        if (!tree->child[i])
            jsonw_string(w, tree->module.calls[i].name);
    jsonw_array_close(w);
    jsonw_object_close(w);
    for (size_t i = 0; depth_left && i < tree->module.ncalls; i++)
        if (tree->child[i])
            put_modules(w, tree->child[i], depth_left - 1);
}

static void put_node(struct jsonw *w, const struct code_dependencies *graph,
                     const struct code_vertex *v)
{
    jsonw_object_open(w);
    jsonw_member_string(w, STR("address"), v->address);
    jsonw_member_string(w, STR("module"), v->module);
    jsonw_member_string(w, STR("mode"), str_from(mode_names[v->resource->mode]));
    jsonw_member_string(w, STR("type"), v->resource->type);
    jsonw_member_string(w, STR("name"), v->resource->name);
    jsonw_member_string(w, STR("provider"), v->resource->provider_source);
    jsonw_member_string(w, STR("file"), v->resource->place.file->name);
    jsonw_member_int(w, STR("line"), v->resource->place.line);
    jsonw_key(w, STR("needs"));
    jsonw_array_open(w);
    for (size_t i = 0; i < v->nneeds; i++)
        jsonw_string(w, graph->vertex[v->need[i]].address);
    jsonw_array_close(w);
    jsonw_object_close(w);
}

static void put_json(struct buf *out, const struct code_tree *tree,
                     const struct code_dependencies *graph)
{
    struct jsonw w = {.out = out, .indent = 2};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("schema_version"), STR("1.0"));
    jsonw_key(&w, STR("modules"));
    jsonw_array_open(&w);
    put_modules(&w, tree, CODE_TREE_DEPTH_MAX);
    jsonw_array_close(&w);
    jsonw_key(&w, STR("resources"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < graph->n; i++)
        put_node(&w, graph, &graph->vertex[i]);
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    buf_char(out, '\n');
}

static bool print(const struct app *app, const struct invocation *in, struct code *code,
                  struct err *err)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct code_dependencies graph;
    if (!code_dependencies(code, &graph, err))
        return false;
    if (str_equal(in->value[OUTPUT].text, STR("json")))
        put_json(&out, code_module_tree(code), &graph);
    else
        put_dot(&out, &graph);
    if (!buf_ok(&out, err))
        return false;
    return fwrite(out.ptr, 1, out.len, app->out) == out.len ||
           err_set(err, ERR_IO, "write the graph to standard output");
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 34};
    struct root root;
    bool sound, ok = true;
    if (!root_open(app, &arena, in, in->nargs ? in->args[0] : (struct str){0}, &root, &sound, err))
        return false;
    *ret_exit = sound ? EXIT_IN_SYNC : EXIT_ERROR;
    if (sound)
        ok = print(app, in, root.code, err);
    root_close(&root);
    return ok;
}

const struct command cmd_graph = {
    .name = "graph",
    .usage = "plumb graph [DIR] [options]",
    .summary = "which resources need which others, as DOT or JSON",
    .help =
        "A resource needs what its arguments, conditions and provider refer to, through locals, "
        "variables, outputs and module calls. What follows from other edges is left out. "
        "Nothing is evaluated, and neither state nor providers are needed.\n\n"
        "  plumb graph | dot -Tsvg > graph.svg\n"
        "  plumb graph infra/prod --output json",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = 1,
    .run = run};
