/* root.h - one root module for the commands that look at its code: their common options, and its
 * code opened as they say.
 */
#pragma once
#include "base/arena.h"
#include "cli/rows.h"
#include "scan/look.h"

struct app;

/* The first rows of such a command's table; `dir` is how the folder is given. */
enum {
    ROOT_CONFIG,
    ROOT_WORKSPACE,
    ROOT_VAR,
    ROOT_VAR_FILE,
    ROOT_NO_PROVIDERS,
    ROOT_ALLOW_MISMATCH,
    ROOT_TIMEOUT,
    ROOT_NO_CACHE,
    ROOT_CACHE_DIR,
    ROOT_OPTION_COUNT
};
/* clang-format off */
#define ROOT_OPTIONS \
    [ROOT_CONFIG] = ROW_CONFIG, [ROOT_WORKSPACE] = ROW_WORKSPACE, [ROOT_VAR] = ROW_VAR, \
    [ROOT_VAR_FILE] = ROW_VAR_FILE, [ROOT_ALLOW_MISMATCH] = ROW_ALLOW_MISMATCH, \
    [ROOT_TIMEOUT] = ROW_TIMEOUT, [ROOT_NO_CACHE] = ROW_NO_CACHE, \
    [ROOT_CACHE_DIR] = ROW_CACHE_DIR, \
    [ROOT_NO_PROVIDERS] = {.name = "no-providers", .kind = OPTION_FLAG, \
                           .text = "start no provider: nothing is known of schemas"}
/* The folder, for commands whose words are something else. */
#define ROOT_DIR_OPTION \
    {.name = "dir", .letter = 'C', .kind = OPTION_STRING, .arg = "DIR", \
     .text = "the root module, or the name of a stack; without it what is here"}
/* clang-format on */

/* From the common options: variables, providers, cache. */
bool root_inputs(struct arena *arena, const struct invocation *in,
                 const struct code_input_value **ret, size_t *ret_n, struct err *err);
struct reader_options root_reader(const struct app *app, struct arena *arena,
                                  const struct invocation *in);

struct root {
    struct stack stack;
    struct look *look;
    struct code *code; /* read (CODE_EXPLORE); its own errors have been told */
};
/*
 * Find the root module of `dir` (empty: here) and read its code. A folder without code is one with
 * nothing in it. Errors of the files go to app->err, and *ret_sound is false.
 */
bool root_open(const struct app *app, struct arena *arena, const struct invocation *in,
               struct str dir, struct root *ret, bool *ret_sound, struct err *err);
void root_close(struct root *root);
/*
 * Diagnostics with place, source line and marks, to app->err: errors, and warnings where asked for.
 * tree may be NULL; text is what files that the tree does not have are (an expression), or empty.
 */
void root_tell(const struct app *app, const struct code_tree *tree, const struct hcl_diags *diags,
               struct str text, bool warnings);
/* What could not be had, to app->err. */
void root_tell_notes(const struct app *app, const struct look *look);
