/* code_parts.h - what code.c, code_setup.c and code_import.c know of one another. */
#pragma once
#include "base/err.h"
#include "desired/code.h"
#include "live/reader.h"
#include "scan/scan_parts.h"

struct ignore_changes;
struct library;
struct places;

/* Steps of a chain of references that are followed; each evaluates up to two worlds. */
enum { SCAN_ROUNDS_MAX = 20, SCAN_WORLDS_MAX = 2 * SCAN_ROUNDS_MAX };

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
    bool library_asked;      /* it was tried to open it */
    struct code_options options;
    struct code *code;
    struct key_table keys;          /* of attributes in the state */
    struct address_table state;     /* const struct resource; of a known state those asked for */
    struct err trouble;             /* with reading one of them */
    struct address_table instances; /* const struct code_instance, managed */
    bool *met;                      /* beside code_instances: somebody is asked for it */
    bool complete;                  /* what is not in it is not in the code */
    bool opentofu;                  /* the state was written by it */
    struct places *places;          /* in the tally's arena; NULL = not opened yet */

    /* --- code_worlds.c --- */
    struct address_table entries;   /* struct entry, by the address that the code has for it */
    struct code *world[LIVE_SIDES]; /* the code evaluated with that side's values; NULL = `code` */
    struct code *worlds[SCAN_WORLDS_MAX]; /* all that there were: types of values are in them */
    enum live_side side;                  /* of the world that is being evaluated */
    uint32_t evaluation;                  /* how many worlds there were */
};

/* What is known of an instance that differs from something. */
struct scan_kept {
    struct live_result result;       /* a copy; LIVE_UNREADABLE with no reason: none yet */
    struct value config[LIVE_SIDES]; /* what the code says of it, with that side's values */
    bool replaced[LIVE_SIDES];       /* the plan cannot be done in place */
    bool triggered[LIVE_SIDES];      /* replace_triggered_by asks for another one */
    bool absent[LIVE_SIDES];         /* the code has no such instance with that side's values */
};

/* --- code.c --- */

const void *scan_code_look_up(const struct address_table *table, struct str address);
bool scan_code_put(struct arena *arena, struct address_table *table, struct str address,
                   const void *what);
bool scan_code_note(struct scan_code *code, struct str text, struct err *err);
/* Does the state have an instance of that address? */
bool scan_code_is_recorded(struct scan_code *code, struct str address);
/* Was all of the state read that the evaluation asked for? */
bool scan_code_is_whole(const struct scan_code *code, struct err *err);
struct str scan_code_diag_text(struct scan_code *code, const struct hcl_diag *diag);
/* An instance that nobody has made. by_drift: the code asks for it since something drifted. */
bool scan_code_add_uncreated(struct scan_code *code, const struct code_instance *instance,
                             bool by_drift, struct err *err);

/* --- code_configured.c --- */

/* A configuration of a provider whose code leaves something open, with what it was when Terraform
 * used it last, where that stands on record and the block is still the same.
 * ret_unknown  what is still open, or empty */
bool scan_code_configured(struct scan_code *code, const struct code_provider_instance *of,
                          struct value *ret, struct str *ret_unknown, struct err *err);

/* --- code_worlds.c --- */

/* What the code says of an entry's instance with that side's values. */
const struct value *scan_code_config(const struct entry *entry, enum live_side side);
