/* load.h - policies and data documents from files and folders, as OPA and conftest find them.
 *
 * Rego:    *.rego, of a folder and all below it
 * Data:    *.json, *.yaml, *.yml, merged into one object: folders below the one named become
 *          keys (roles/a.json of -d DIR stands at data.roles), names of files do not; a file
 *          named itself may have any ending and is read as YAML then. `a.b:PATH` puts PATH's
 *          data at data.a.b. A pack that is no folder (builtin:NAME, a bundle) may stand for
 *          one; of a bundle's data only data.json and data.yaml count, as OPA has it. Two values
 *          at one place that are not both objects are an error.
 * Owner:   everything lives in the arena
 * Source:  facts/rego.md 12; OPA's command line documentation ("Loading data")
 */
#pragma once
#include "lang/rego/rego.h"

struct regex;

enum { POLICY_FILES_MAX = 100000, POLICY_FOLDERS_DEEP = 100, POLICY_DATA_MAX = 1 << 30 };

enum policy_load_what { POLICY_LOAD_REGO = 1, POLICY_LOAD_DATA = 2 };
struct policy_load_options {
    unsigned what; /* of enum policy_load_what; 0 = both */
    bool v0;       /* Rego files are read as v0 */
    bool rules; /* YAML rules (rules_is_file), their tests (*_test.yaml) and waivers are not data */
    bool lenient; /* files of folders that are no data, and what is there already: passed over */
    const struct regex *ignore; /* paths that match are passed over; or NULL */
};
struct policy_files {
    struct rego_source *source;
    size_t nsources;
    struct value data;                                          /* an object */
    const struct str *rule_file, *rule_test_file, *waiver_file; /* with `rules`; sorted */
    size_t nrule_files, nrule_test_files, nwaiver_files;
    const struct policy_passed_over *passed_over; /* with `lenient` */
    size_t npassed_over;
};
struct policy_passed_over {
    struct str file, why;
};

/* ERR_IO for what is not there, ERR_SYNTAX with file:line:column for what is not data. */
bool policy_load(struct arena *arena, const struct str *paths, size_t n,
                 const struct policy_load_options *options, struct policy_files *ret,
                 struct err *err);

/* One document of JSON or YAML by its ending (without one of these: YAML); "-" is standard input.
 */
bool policy_load_document(struct arena *arena, struct str path, struct value *ret, struct err *err);

/* The members of both, below each other where both have an object. On a clash false, with the path
 * of it ("a.b") in *ret_clash; memory: ret_clash->ptr NULL. */
bool policy_merge(struct arena *arena, const struct value *a, const struct value *b,
                  struct value *ret, struct str *ret_clash);
