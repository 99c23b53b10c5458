/* outline.h - what a folder of Terraform code says at a glance: is it a root, whom does it call.
 *
 * In:      *.tf, *.tofu (a scan of tokens, no evaluation), *.tf.json, *.tofu.json
 * Limits:  OUTLINE_FILE_MAX bytes a file; what does not parse is looked at as far as it goes
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct err;

enum { OUTLINE_FILE_MAX = 8 << 20, OUTLINE_NAMES_MAX = 100000 };

struct outline {
    bool has_code;         /* any such file */
    bool has_backend;      /* terraform { backend "x" {} } or cloud {} */
    bool has_provider;     /* a provider block */
    bool has_lock;         /* .terraform.lock.hcl */
    bool has_data_dir;     /* .terraform */
    bool has_state;        /* terraform.tfstate or terraform.tfstate.d */
    struct str first_file; /* the first file of code by name, or empty */
    struct str *source;    /* local module sources: "./x", "../x" */
    size_t nsource, source_room;
};

/* names: what is in the folder, sorted (io_list_dir). False only if memory ends. */
bool outline_read(struct arena *arena, const char *dir, const struct str *names, size_t n,
                  struct outline *ret, struct err *err);
/* What the names alone say: no file is read, and nothing is known of what stands in them. */
bool outline_names(struct arena *arena, const struct str *names, size_t n, struct outline *ret,
                   struct err *err);
/* Has the folder anything of a module or a root in it? */
bool outline_is_code(const struct outline *outline);
/* The same of one text, added to `outline` (for tests and editors). */
bool outline_add_hcl(struct arena *arena, struct str text, struct outline *outline,
                     struct err *err);
