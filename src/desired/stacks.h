/* stacks.h - which stacks a command line means: folders, globs, names and plumb.yaml.
 *
 * In:     DIR arguments (a root module, a folder of them, a glob, a state file, a stack's name) or
 *         none; plumb.yaml, given or found upwards
 * Names:  the root's path relative to plumb.yaml's folder, else to the git repository, else to the
 *         working directory; ":workspace" behind it if that is not "default"
 * Owner:  CODEOWNERS where plumb.yaml says nothing; environment: a part of the path such as "prod"
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "model/config.h"
#include "model/stack.h"

struct arena;
struct err;

enum { CONFIG_BYTES_MAX = 16 << 20, STACKS_MAX = 100000 };

struct stacks_query {
    const struct str
        *dirs; /* as on the command line; none: plumb.yaml's stacks, else what is here */
    size_t ndirs;
    struct str config_file;       /* --config, or empty: found upwards; "-" = none */
    const struct config *config;  /* read already: instead of that file; or NULL */
    const struct str *workspaces; /* --workspace; "*" = every one found */
    size_t nworkspaces;
    struct str
        state; /* --state: for exactly one folder, which need not look like a root; or empty */
    const char *(*env)(const char *name); /* TF_WORKSPACE, TF_DATA_DIR; may be NULL */
    /* A service's: a plumb.yaml without stacks in a folder without a root module is no error; nor
     * is a row of plumb.yaml that finds none: a folder that it names is a stack all the same
     * (absent), and the others are found. ret->absent tells. */
    bool none_is_fine;
    /* Stacks of one name are one, which says so (its `twice`), and the others are found. */
    bool twice_is_fine;
};

struct stacks {
    const struct stack *stack; /* sorted by name, which is unique */
    size_t n;
    const struct config *config; /* NULL = there is no plumb.yaml */
    struct str absent; /* "plumb.yaml:3:5: no root module in x", the first of them; or empty */
    struct str twice;  /* "two stacks are named ...", the first of them; or empty */
};

bool stacks_find(struct arena *arena, const struct stacks_query *query, struct stacks *ret,
                 struct err *err);

/* Where some of plumb.yaml's stacks were asked for: is none of the others called as they are? What
 * cannot be found out, for something else is wrong with the others, keeps nobody. */
bool stacks_stand_alone(struct arena *arena, const struct stacks_query *query,
                        const struct stacks *found, struct err *err);

/* plumb.yaml of `from` or a folder above it, as a path that can be opened; {0} if there is none. */
struct str config_find(struct arena *arena, struct str from);
/* Read and parse; path NULL-ended. */
bool config_load(struct arena *arena, const char *path, struct config *ret, struct err *err);
/* The name that makes a folder's part an environment ("prod" of infra/prod/net), or empty. */
struct str stacks_environment(struct str path, struct str workspace);
