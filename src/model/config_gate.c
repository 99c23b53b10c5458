/* config_gate.c - the keys of `gate` in plumb.yaml. */
#include "model/config.h"
#include "model/config_field.h"

#define LEVEL(key, what) \
    { \
        .name = #key, .kind = FIELD_STRING, .check = CHECK_LEVEL, \
        .at = offsetof(struct config, gate.key), .text = what ": block (without it), warn or off" \
    }
#define AT(member) .at = offsetof(struct config, gate.member)

static const struct field gate_fields[] = {
    LEVEL(undo, "the plan would undo drift that nobody reviewed"),
    LEVEL(undecided, "the plan passes over drift that policy wants decided first"),
    LEVEL(policy, "what the plan leaves behind violates policy"),
    LEVEL(stale, "the plan was made from another state, other code, or before live changed"),
    LEVEL(code, "the code's commit is not what require_* asks for"),
    LEVEL(coverage, "something could not be read, or was not scanned as min_coverage and max_age "
                    "ask for"),
    LEVEL(freeze, "a freeze is in effect"),
    {.name = "require_clean",
     .kind = FIELD_NOT,
     AT(no_require_clean),
     .text = "the working tree has no edits that are not committed; true without it"},
    {.name = "require_pushed",
     .kind = FIELD_NOT,
     AT(no_require_pushed),
     .text = "a remote has the commit, where the repository has a remote; true without it"},
    {.name = "require_signed",
     .kind = FIELD_BOOL,
     AT(require_signed),
     .text = "the commit has a good signature (gpg or ssh); false without it"},
    {.name = "require_merged_into",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(require_merged_into),
     .text = "the commit is part of this branch, of the remote where there is one, such as main"},
    {.name = "allowed_signers",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(allowed_signers),
     .text = "ssh's file of allowed signers, relative to this file; without it git's own setting"},
    {.name = "min_coverage",
     .kind = FIELD_INT,
     .least = 1,
     .most = 100,
     AT(min_coverage),
     .text = "per cent of the stack's resources that its last complete scan could compare"},
    {.name = "max_age",
     .kind = FIELD_DURATION,
     .least = 1,
     AT(max_age_ms),
     .text = "how old the stack's last complete scan may be, such as 24h"},
    {.name = "token_expiry",
     .kind = FIELD_DURATION,
     .least = 1000,
     .most = 604800000,
     AT(token_ms),
     .text = "how long an approval may be used, such as 30m; an hour without it"},
};
const struct section config_gate_section = {
    .what = "gate", .fields = gate_fields, .nfields = sizeof gate_fields / sizeof *gate_fields};
