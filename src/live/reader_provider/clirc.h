/* clirc.h - the CLI configuration file (~/.terraformrc, ~/.tofurc, TF_CLI_CONFIG_FILE): where
 * providers may lie besides .terraform.
 *
 * Shape:   read from the tokens of lang/hcl and not from its tree, because dev_overrides has quoted
 *          argument names, which HCL 1 allowed and HCL 2 does not
 * Uses:    plugin_cache_dir, provider_installation { dev_overrides filesystem_mirror }; everything
 *          else is skipped
 * Source:  Terraform "CLI Configuration File"; facts/terraform.md 4.4
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct err;

enum { CLIRC_DEPTH_MAX = 16, CLIRC_ITEMS_MAX = 1000 };

struct clirc_mirror {
    struct str path;
    const struct str *include,
        *exclude; /* patterns HOST/NS/TYPE with `*` parts; empty = all, none */
    size_t ninclude, nexclude;
};
struct clirc_override {
    struct str source; /* as written: HOST/NS/TYPE, NS/TYPE or TYPE */
    struct str dir;
};
struct clirc {
    struct str plugin_cache_dir;
    const struct clirc_mirror *mirrors; /* in order */
    size_t nmirrors;
    const struct clirc_override *overrides;
    size_t noverrides;
};

/* $NAME and ${NAME} in paths come from `env`. What is written there adds to what ret holds. */
bool clirc_parse(struct arena *arena, struct str text, const char *name,
                 const char *(*env)(const char *name), struct clirc *ret, struct err *err);
/* Does HOST/NS/TYPE match a pattern of include or exclude ("*" for any part)? */
bool clirc_source_matches(struct str pattern, struct str source);
