/* policy_parts.h - what the files behind policy.h share. */
#pragma once
#include "policy/policy.h"

enum entry_kind { ENTRY_DECISION, ENTRY_BLOCK, ENTRY_NOTIFY };

/* A rule of Rego that is asked. */
struct policy_entry {
    enum entry_kind kind;
    struct str name; /* data.net.deny */
    struct location at;
    struct rego_query *query;
    uint64_t asked, matched, errors;
    struct rego_lookups *lookups;
};
struct policy {
    struct policy_options options;
    struct rules rules;
    struct rule_counts counts;
    struct rego_policy *rego;
    struct policy_entry *entry;
    size_t nentries, entry_room;
    struct waivers waivers;
    struct str *note;
    size_t nnotes, note_room;
    uint64_t judged, by_decision[DECISION_COUNT];
};

/* One verdict and which changes it is about: covers[i] of change i; NULL = all. */
struct policy_draft {
    struct verdict verdict;
    bool *covers;
};
struct policy_drafts {
    struct arena *arena;
    struct policy_draft *item;
    size_t n, room;
};
struct policy_draft *policy_drafts_add(struct policy_drafts *drafts, const struct verdict *verdict);

bool policy_note(struct policy *policy, struct arena *arena, struct str note);
/* Which rules of which packages are asked; notes for what looks like one and is none. */
bool policy_find_entries(struct policy *policy, struct arena *arena, struct rego_diags *diags,
                         struct err *err);
/* Ask all entries; their verdicts go into drafts. */
bool policy_ask_entries(struct policy *policy, struct policy_drafts *drafts,
                        const struct rule_subject *subject, struct err *err);
