/* config_field.h - plumb.yaml as a table: the parser, the JSON Schema and the tests read it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum field_kind {
    FIELD_VERSION,  /* the number 1 */
    FIELD_STRING,   /* struct str */
    FIELD_SCALAR,   /* struct str: a string, number or boolean as text */
    FIELD_STRINGS,  /* list of strings, or one; struct str * and a count */
    FIELD_INT,      /* int64_t */
    FIELD_SIZE,     /* int64_t bytes; "512M" */
    FIELD_DURATION, /* int64_t milliseconds; "30s" */
    FIELD_NOT,      /* a boolean kept as its opposite in a bool */
    FIELD_BOOL,     /* a boolean that is false without it */
    FIELD_SECTION,  /* a mapping of further fields of the same struct */
    FIELD_LIST,     /* list of mappings: pointer and a count */
    FIELD_PROVIDERS /* mapping of a provider's name to its settings: pointer and a count */
};

/* What a string must be besides a string. */
enum field_check {
    CHECK_NONE,
    CHECK_FILLED,    /* not empty */
    CHECK_TEMPLATE,  /* {dir} and so on */
    CHECK_SCHEDULE,  /* a text of model/schedule.h */
    CHECK_ZONE,      /* a time zone of model/zone.h */
    CHECK_DURATION,  /* "30s"; FIELD_SCALAR where 0 is not the same as nothing */
    CHECK_DATE,      /* RFC 3339 date or date-time */
    CHECK_PATH,      /* a path pattern of value/path.h */
    CHECK_REFERENCE, /* env:NAME or file:PATH */
    CHECK_STORE,     /* sqlite:PATH or postgres://... without a password */
    CHECK_WITNESS,   /* file, git, syslog or http */
    CHECK_LOCATION,  /* a path, or a URL without a password */
    CHECK_DECISION,  /* ignore, notify, review, revert or block */
    CHECK_SEVERITY,  /* info, low, medium, high or critical */
    CHECK_ANSWER,    /* revert, adopt or accept */
    CHECK_SELF,      /* author or requester */
    CHECK_TRUST,     /* os-user, token, oidc, ci:NAME */
    CHECK_LEVEL,     /* block, warn or off */
    CHECK_GROUP,     /* none, stack, owner or environment */
    CHECK_SPAN,      /* mon-fri 08:00-18:00 */
    CHECK_DIGEST,    /* daily 09:00 */
    CHECK_WHEN       /* when.h */
};

struct section;
struct field {
    const char *name;
    enum field_kind kind;
    enum field_check check;
    bool required, inert; /* inert: accepted, without effect yet */
    size_t at, count_at;  /* offsets in the section's struct */
    int64_t least, most;
    const struct section *section; /* FIELD_SECTION, FIELD_LIST */
    const char *text;              /* one sentence: the schema's description */
};
struct section {
    const char *what; /* "stack": how messages call one */
    const struct field *fields;
    size_t nfields;
    size_t size, place_at; /* FIELD_LIST: of one element */
    bool short_form;       /* a plain string stands for {first field: string} */
};

extern const struct section config_section;
extern const struct section config_review_section;                     /* of struct config, too */
extern const struct section config_gate_section, config_audit_section; /* of struct config, too */
extern const struct section config_serve_section;                      /* of struct config, too */
extern const struct section config_scheduler_section;                  /* of struct config, too */
extern const struct section config_budget_section;                     /* of config_budget */
extern const struct section config_watch_section, config_git_section,
    config_warm_section;                           /* of struct config, too */
extern const struct section config_notify_section; /* of config_notify */
extern const struct section config_events_section; /* of struct config, too */
extern const struct section config_schedule_section, config_window_section;

/* {dir} and the others, NULL-ended. */
extern const char *const config_words[];
