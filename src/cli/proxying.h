/* proxying.h - what `plumb run` and `plumb proxy start` share: the stack, its providers, sockets
 * for them.
 */
#pragma once
#include "base/arena.h"
#include "base/loop.h"
#include "cli/rows.h"
#include "enforce/proxy.h"
#include "live/reader.h"
#include "model/stack.h"

struct app;

/* The first rows of such a command's table. */
enum {
    PROXYING_DIR,
    PROXYING_CONFIG,
    PROXYING_WORKSPACE,
    PROXYING_ALLOW_MISMATCH,
    PROXYING_NO_CACHE,
    PROXYING_CACHE_DIR,
    PROXYING_VERBOSE,
    PROXYING_OPTION_COUNT
};
/* clang-format off */
#define PROXYING_OPTIONS \
    [PROXYING_DIR] = {.name = "dir", .letter = 'C', .kind = OPTION_STRING, .arg = "DIR", \
                      .text = "the root module, or the name of a stack; without it what -chdir " \
                              "of the command says, else what is here"}, \
    [PROXYING_CONFIG] = ROW_CONFIG, [PROXYING_WORKSPACE] = ROW_WORKSPACE, \
    [PROXYING_ALLOW_MISMATCH] = ROW_ALLOW_MISMATCH, [PROXYING_NO_CACHE] = ROW_NO_CACHE, \
    [PROXYING_CACHE_DIR] = ROW_CACHE_DIR, \
    [PROXYING_VERBOSE] = {.name = "verbose", .letter = 'v', .kind = OPTION_FLAG, \
                          .text = "say at the end what was passed on and what was refused"}
/* clang-format on */

struct proxying {
    const struct app *app;
    struct stack stack;
    struct reader_options reader;
    struct loop loop;
    struct proxy *proxy;
    struct str reattach; /* "TF_REATTACH_PROVIDERS={...}"; empty = there are no providers */
};
/* Finds the stack, starts its providers, and waits until they are there. `dir` where --dir is not
 * given. On failure nothing is left behind. */
bool proxying_open(const struct app *app, struct arena *arena, const struct invocation *in,
                   struct str dir, struct proxying *ret, struct err *err);
/* Orderly: providers are stopped, sockets removed. */
void proxying_close(struct proxying *proxying);
/* One line about what was done, to app->err. */
void proxying_tell(const struct proxying *proxying);
