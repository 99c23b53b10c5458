/* config_audit.c - every key of `audit:` in plumb.yaml. */
#include "model/config.h"
#include "model/config_field.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define AT(type, member) .at = offsetof(struct type, member)

static const struct field witness_fields[] = {
    {.name = "to",
     .kind = FIELD_STRING,
     .check = CHECK_WITNESS,
     .required = true,
     AT(audit_witness, to),
     .text = "file, git, syslog or http"},
    {.name = "at",
     .kind = FIELD_STRING,
     .check = CHECK_LOCATION,
     AT(audit_witness, at),
     .text = "a file or folder, a git repository, HOST:PORT of a syslog server (without it this "
             "machine's), or a URL"},
    {.name = "key",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(audit_witness, key),
     .text =
         "http: the verifier key of a C2SP witness, whose cosignature is asked for and checked"},
};
static const struct section witness_section = {.what = "audit witness",
                                               .fields = witness_fields,
                                               .nfields = COUNT(witness_fields),
                                               .size = sizeof(struct audit_witness),
                                               .place_at = offsetof(struct audit_witness, place)};

static const struct field audit_fields[] = {
    {.name = "key",
     .kind = FIELD_STRING,
     .check = CHECK_REFERENCE,
     AT(config, audit.key),
     .text = "what signs checkpoints, by reference: file:PATH or env:NAME; without it "
             "PLUMB_AUDIT_KEY, or a file made beside an SQLite store"},
    {.name = "origin",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(config, audit.origin),
     .text = "the log's name in its checkpoints, such as example.org/plumb; counts when the log "
             "begins"},
    {.name = "every",
     .kind = FIELD_INT,
     .least = 1,
     AT(config, audit.every),
     .text = "a checkpoint after this many events; 100 without it"},
    {.name = "period",
     .kind = FIELD_DURATION,
     .least = 1000,
     AT(config, audit.period_ms),
     .text = "a checkpoint after this time, where there are new events; 1h without it"},
    {.name = "witnesses",
     .kind = FIELD_LIST,
     .section = &witness_section,
     .at = offsetof(struct config, audit.witnesses),
     .count_at = offsetof(struct config, audit.nwitnesses),
     .text = "where checkpoints go, out of the reach of who can write the store"},
};
const struct section config_audit_section = {
    .what = "audit", .fields = audit_fields, .nfields = COUNT(audit_fields)};
