/* fuzz_code.c - whole configurations: a text of several files is read, evaluated in every phase,
 * and each instance is found again and explained.
 *
 * A line "--- PATH" begins a file; what stands before the first one is main.tf.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/code.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILES_MAX = 16, PATHS_MAX = 40 };

struct given {
    struct str path[FILES_MAX], text[FILES_MAX], name[FILES_MAX];
    size_t n;
    struct value state;
};

static void add_file(struct arena *arena, struct given *g, struct str name, struct str text)
{
    if (g->n == FILES_MAX || name.len == 0 || memchr(name.ptr, '\0', name.len))
        return;
    g->path[g->n] = arena_printf(arena, "/r/%.*s", STR_ARG(name));
    g->text[g->n++] = text;
}

static void split(struct arena *arena, struct str all, struct given *g)
{
    struct str name = STR("main.tf");
    size_t from = 0, at = 0;
    while (at < all.len) {
        size_t end = str_find_char(all, '\n', at);
        struct str line = str_sub(all, at, end == SIZE_MAX ? all.len : end);
        if (str_starts(line, STR("--- "))) {
            add_file(arena, g, name, str_sub(all, from, at));
            name = str_trim(str_sub(line, 4, line.len));
            from = end == SIZE_MAX ? all.len : end + 1;
        }
        at = end == SIZE_MAX ? all.len : end + 1;
    }
    add_file(arena, g, name, str_sub(all, from, all.len));
}

static bool read_given(void *ctx, struct str path, struct str *ret)
{
    const struct given *g = ctx;
    for (size_t i = 0; i < g->n; i++)
        if (str_equal(path, g->path[i])) {
            *ret = g->text[i];
            return true;
        }
    return false;
}

static bool list_given(void *ctx, struct str dir, const struct str **ret_names, size_t *ret_n)
{
    struct given *g = ctx;
    *ret_n = 0;
    for (size_t i = 0; i < g->n; i++)
        if (str_equal(io_dirname(g->path[i]), dir))
            g->name[(*ret_n)++] = io_basename(g->path[i]);
    *ret_names = g->name;
    return *ret_n;
}

/* A state for some of the addresses. */
static bool state_given(void *ctx, struct str address, struct value *ret)
{
    const struct given *g = ctx;
    *ret = g->state;
    return address.len % 2 == 0;
}

static void explain_all(struct arena *arena, struct code *code)
{
    static const char *const paths[] = {"input", "input.a", "input[0]", "tags.x", "rule[1].port"};
    size_t n, budget = PATHS_MAX;
    const struct code_instance *all = code_instances(code, &n);
    for (size_t i = 0; i < n && budget; i++) {
        const struct code_instance *found = code_find_instance(code, all[i].address);
        struct str now;
        if (!found)
            abort(); /* an address that we printed leads back to its instance */
        (void)code_moved_address(code, all[i].address, &now);
        for (size_t k = 0; k < sizeof paths / sizeof *paths && budget; k++, budget--) {
            struct path path;
            struct code_chain chain;
            if (path_parse(arena, str_from(paths[k]), &path, NULL))
                (void)code_explain(code, found, path, &chain);
        }
    }
}

static void run(struct arena *arena, struct given *g, enum code_phase phase)
{
    struct code_options options = {
        .root_dir = STR("/r"),
        .phase = phase,
        .read = read_given,
        .list = list_given,
        .state = state_given,
        .ctx = g,
        .now_utc_ms = 0,
        .limits = {.steps = 200000, .instances = 2000, .bytes = 256 << 20}};
    struct code *code;
    struct err err = {0};
    size_t n;
    if (!code_open(&options, &code, &err))
        return;
    (void)code_evaluate(code, &err);
    (void)code_outputs(code, &n);
    (void)code_imports(code, &n);
    if (phase != CODE_VALIDATE)
        explain_all(arena, code);
    code_close(code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct given g = {.n = 0};
    struct str all = arena_dup(&arena, (struct str){(const char *)data, size});
    if (!all.ptr || !json_parse(&arena, STR("{\"id\":\"1\",\"input\":null,\"tags\":{\"x\":\"y\"}}"),
                                "state", 0, &g.state, NULL))
        return 0;
    split(&arena, all, &g);
    run(&arena, &g, CODE_VALIDATE);
    run(&arena, &g, CODE_PLAN);
    run(&arena, &g, CODE_EXPLORE);
    return 0;
}
