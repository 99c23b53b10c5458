/* stack.h - a unit of code with its live counterpart: a Terraform root and a workspace. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct config_provider;

struct stack {
    struct str name; /* path relative to the repository, ":workspace" behind it if not default */
    struct str path; /* directory of the root module */
    struct str workspace; /* "default" ... */
    struct str environment, owner, schedule;
    struct str data_dir;                     /* .terraform or TF_DATA_DIR, absolute or below path */
    struct str state;                        /* explicit state file or URL, or empty */
    struct str snapshot;                     /* explicit live document, or empty */
    struct str files;                        /* file functions may read below it; or empty */
    const struct config_provider *providers; /* explicit provider settings, first match wins */
    size_t nproviders;
    bool absent; /* plumb.yaml names its folder, and there is no root module */
    struct str
        twice; /* another one has its name: in words; it cannot be told from that. Or empty */
};
