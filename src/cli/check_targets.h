/* check_targets.h - what the words of `plumb check` mean: root modules, and files of JSON or YAML.
 *
 * A file is a document, whatever it is called; a folder is its root modules and, where policies are
 * asked or it has no code, the documents below it: *.json, *.yaml, *.yml, *.tfstate. Not entered:
 * hidden folders, node_modules; not taken: variables and code in JSON
 */
#pragma once
#include "base/str.h"

struct arena;
struct err;
struct regex;

enum { CHECK_FILES_MAX = 100000, CHECK_FOLDERS_DEEP = 64 };

struct check_targets_options {
    bool documents;             /* policies are asked: documents beside code, too */
    const struct regex *ignore; /* files of folders whose paths match are passed over; or NULL */
    const struct str *skip;     /* not entered: folders of the policies themselves */
    size_t nskip;
};
struct check_targets {
    struct str *module; /* for stacks_find: folders, globs, names of stacks */
    size_t nmodules;
    struct str *file; /* sorted within each folder; "-" is standard input */
    size_t nfiles, file_room;
};
bool check_targets_find(struct arena *arena, const struct str *args, size_t n,
                        const struct check_targets_options *options, struct check_targets *ret,
                        struct err *err);
/* The root module of a plan: `given` (- for none), else the plan's folder, else what is here, where
 * these have code; empty: none. */
struct str check_targets_code(struct arena *arena, struct str plan, struct str given);
