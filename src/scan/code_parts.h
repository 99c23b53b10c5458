/* code_parts.h - what code.c, code_setup.c and code_import.c know of one another. */
#pragma once
#include "desired/code.h"
#include "scan/scan_parts.h"

struct ignore_changes;
struct library;
struct places;

struct address_row {
    struct str address;
    const void *what;
};
struct address_table {
    struct address_row *row;
    size_t nslots, n;
};

struct scan_code {
    struct arena arena;
    struct scan *scan;
    struct library *library; /* NULL: no provider can be asked for anything */
    struct code_options options;
    struct code *code;
    struct address_table state;     /* const struct resource */
    struct address_table instances; /* const struct code_instance, managed */
    bool *met;                      /* beside code_instances: somebody is asked for it */
    bool complete;                  /* what is not in it is not in the code */
    bool opentofu;                  /* the state was written by it */
    struct places *places;          /* in the tally's arena; NULL = not opened yet */
};

/* --- code_setup.c --- */

/* lifecycle.ignore_changes as paths. */
bool scan_code_ignored(struct arena *arena, const struct code_resource *resource,
                       struct ignore_changes *ret, struct err *err);

/* --- code_import.c --- */

/* What `import` blocks of the root say: which instance is which object. */
struct scan_import {
    struct str address, id;
};
bool scan_code_imports(struct scan_code *code, const struct scan_import **ret, size_t *ret_n,
                       struct err *err);
