/* config.h - plumb.yaml: which stacks there are and how they are judged and told (design.md section
 * 5).
 *
 * In:     YAML text; unknown keys are errors with the nearest valid name and file:line:col
 * Schema: docs/schema/plumb.schema.json; `version: 1`
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/audit_options.h"
#include "model/decision.h"
#include "value/path.h"
#include "value/value.h"

struct arena;
struct err;

struct config_place {
    uint32_t line, column;
};

/* An accepted difference: covered changes stay counted and visible with --show-ignored. */
struct ignore_rule {
    struct str stack;   /* glob; empty = any */
    struct str address; /* glob; empty = any */
    struct str type;    /* glob; empty = any */
    struct str id;      /* glob over the recorded attribute `id`; empty = any */
    struct str path;    /* pattern text; empty = the whole resource */
    struct path path_pattern;
    struct str value;  /* glob over the live value as text; empty = any */
    struct str reason; /* required */
    struct str owner;
    struct str expires;     /* date as written */
    int64_t expires_utc_ms; /* INT64_MAX = never */
    struct config_place place;
};

struct config_provider {
    struct str name;     /* "aws", "hashicorp/aws", "registry.../hashicorp/aws", with ".alias" */
    struct value config; /* object: attributes of the provider's configuration; env:NAME strings
                            resolved at use */
    struct config_place place;
};

struct config_stack {
    struct str path; /* glob or directory, relative to the file */
    struct str name; /* may hold {dir} {path} {workspace} */
    struct str environment, owner, schedule;
    const struct str *workspaces; /* empty: the selected one */
    size_t nworkspaces;
    const struct config_provider *providers;
    size_t nproviders;
    struct str state;              /* a state file or URL instead of the backend */
    struct str snapshot;           /* live values from this document instead of providers */
    struct str files;              /* folder that the code's file functions may read below */
    struct str repository, branch; /* of the code, where it is another one than this file's */
    struct str root; /* where its paths start, if not where this file is: a clone of that branch */
    struct config_place place;
};

/* A receiver of alerts (notify.h), and what it gets (docs/alerts.md). */
struct config_notify {
    struct str to, name; /* name: `to` where none was given; no two are the same */
    struct str when;
    const struct when *condition;      /* when.h; NULL = always */
    struct str url, key, password, ca; /* by reference: env:NAME or file:PATH */
    struct str user, from, project, channel, format;
    const struct str *recipients, *labels;
    size_t nrecipients, nlabels;
    bool allow_private;
    const struct str *owners, *only, *quiet, *escalate;
    size_t nowners, nonly, nquiet, nescalate;
    struct str quiet_passes, time_zone, group, digest;
    bool fallback, no_resolved;
    int64_t group_wait_ms, group_interval_ms, repeat_ms, rate, escalate_after_ms; /* 0 = none */
    struct config_place place;
};

/* What is decided of a finding that no rule is about. */
struct config_default {
    struct str env; /* glob; empty = any */
    struct str decision_text;
    enum decision decision;
    struct config_place place;
};

/* --- review: who answers findings, and until when --- */

/* A name for several people, or for a team that CODEOWNERS names. */
struct config_role {
    struct str name;
    const struct str *members; /* patterns of model/actor.h */
    size_t nmembers;
    struct config_place place;
};
/* The names that one person has in different places. */
struct config_person {
    struct str name;
    const struct str *known_as;
    size_t nknown_as;
    struct config_place place;
};
/* What a review needs; the first rule that fits counts. Empty lists and globs: any. */
struct config_review_rule {
    const struct str *severity, *decision, *answer;
    size_t nseverity, ndecision, nanswer;
    struct str env, stack; /* globs */
    int64_t approvals;
    const struct str *by; /* roles, or "codeowners"; none = anybody */
    size_t nby;
    const struct str *self_approval; /* "author", "requester" */
    size_t nself_approval;
    int64_t longest_ms; /* 0 = default */
    struct config_place place;
};
struct config_review {
    const struct config_review_rule *rules;
    size_t nrules;
    const struct config_role *roles;
    size_t nroles;
    const struct config_person *people;
    size_t npeople;
    const struct str *trust; /* how an approver must be known; none = default */
    size_t ntrust;
    int64_t deadline_ms[SEVERITY_COUNT];         /* from when a finding is seen; 0 = none */
    const struct str *breakglass_by, *freeze_by; /* roles; none = anybody */
    size_t nbreakglass_by, nfreeze_by;
    int64_t breakglass_longest_ms, breakglass_review_ms; /* 0 = default */
};

/* What stops an apply: of each kind of objection "block" (empty), "warn" or "off". */
struct config_gate {
    struct str undo, undecided, policy, stale, code, coverage, freeze;
    bool no_require_clean, no_require_pushed, require_signed;
    struct str require_merged_into; /* a branch; empty = none */
    struct str allowed_signers;     /* a file; empty = git's own */
    int64_t min_coverage;           /* per cent of the last complete scan; 0 = not asked */
    int64_t max_age_ms;             /* of the last complete scan; 0 = not asked */
    int64_t token_ms;               /* how long an approval may be used; 0 = an hour */
};

/* How fast what is live may be read, by all scans of a process: live/budget.h. */
struct config_budget {
    struct str provider; /* glob over its name; empty = any */
    struct str
        settings; /* glob over what its configuration says, such as an account; empty = any */
    int64_t requests, concurrent; /* a second, at once; of all who use it. 0 = no bound */
    int64_t share;                /* per cent that scans take; 0 = BUDGET_SHARE_DEFAULT */
    struct config_place place;
};

/* `plumb serve` scans. */
struct config_scheduler {
    bool off;
    int64_t workers, slice; /* 0 = default */
    int64_t lease_ms, apply_wait_ms, drain_ms;
};

/* `plumb serve` hears of changes, and keeps providers. 0 = default. */
struct config_feeds {
    bool watch_off, warm_off, warm_apart;
    int64_t quiet_ms, poll_ms;
    bool states_off;                                          /* those elsewhere than in a file */
    int64_t states_every_ms, states_pull_ms, states_requests; /* 0 = default */
    int64_t fetch_ms;                         /* 0 = the code is where plumb.yaml is */
    struct str git_url, git_branch, push_key; /* push_key: env:NAME or file:PATH */
    int64_t warm_processes, warm_memory, warm_idle_ms, warm_age_ms;
    const struct str *warm_share; /* globs of providers */
    size_t nwarm_share;
};

/* `plumb serve`. */
struct config_serve {
    struct str listen, url, tls_cert, tls_key; /* files relative to the root */
    bool tls_self_signed;                      /* they are made where they are not there */
    const struct str *tls_names;               /* further ones that such a certificate is for */
    size_t ntls_names;
    struct str log; /* levels: serve/log.h */
    struct str telemetry_url;
    struct str telemetry_headers;      /* env:NAME or file:PATH */
    struct str unjudged;               /* "block" (empty), "warn" or "off" */
    struct str heartbeat_url;          /* env:NAME or file:PATH */
    int64_t heartbeat_every_ms;        /* 0 = a minute */
    bool heartbeat_private;            /* it may be in the own network, without TLS */
    struct str gate_key, run_task_key; /* env:NAME or file:PATH */
    struct str up_address, up_lock_address, up_lock_method, up_unlock_method, up_update_method;
    struct str up_user, up_password; /* password: env:NAME or file:PATH */
    struct str run_task_url;         /* empty = https://app.terraform.io */
    bool anonymous, guard_reads, require_approval, metrics_open;
    int64_t keep_versions; /* of a state; 0 = all */
    struct config_scheduler scheduler;
    struct config_feeds feeds;
};

/* How often what is scanned: schedule.h. Without types and tags: whole stacks. */
struct config_schedule {
    struct str schedule, name, time_zone, jitter; /* jitter: a duration, or empty */
    struct str stack, environment;                /* globs; empty = any */
    const struct str *types, *tags;               /* a tier of these resources */
    size_t ntypes, ntags;
    int64_t grace_ms; /* 0 = default */
    struct config_place place;
};
/* When something may be reverted; `closed`: when not. */
struct config_window {
    struct str opens, time_zone;
    struct str stack, environment; /* globs; empty = any */
    int64_t for_ms;
    bool closed;
    struct config_place place;
};

/* Events of clouds' logs: record/activity.h. */
struct config_events {
    struct str key;              /* env:NAME or file:PATH */
    const struct str *pipelines; /* patterns of model/actor.h */
    size_t npipelines;
    int64_t keep_ms;                                  /* 0 = 90 days */
    struct str oidc_audience, oidc_issuer, oidc_keys; /* audience empty: none are taken */
    const struct str *oidc_emails;                    /* globs */
    size_t noidc_emails;
};

struct config {
    struct str path; /* of the file; empty = defaults, no file */
    struct str root; /* directory that relative paths start from */
    const struct config_stack *stacks;
    size_t nstacks;
    const struct ignore_rule *ignores;
    size_t nignores;
    const struct config_provider *providers; /* for all stacks */
    size_t nproviders;
    int64_t concurrency, max_providers, max_memory, timeout_ms; /* 0 = default */
    bool no_probe;

    const struct str *policies; /* packs: folders and builtin:NAME */
    size_t npolicies;
    const struct str *packs, *rules, *rego,
        *waivers; /* policy: packs as above, files and folders */
    size_t npacks, nrules, nrego, nwaivers;
    const struct config_default *defaults;
    size_t ndefaults;
    int64_t policy_timeout_ms; /* 0 = default */
    struct config_review review;
    struct config_gate gate;
    struct audit_options audit;
    struct config_serve serve;
    const struct config_budget *budgets;
    size_t nbudgets;
    struct config_events events;

    struct str store; /* "sqlite:PATH" or "postgres://..." */
    int64_t keep_ms;  /* retention of the store; 0 = for ever */

    const struct config_schedule *schedules;
    size_t nschedules;

    const struct config_notify *notify;
    size_t nnotify;

    /* Read and checked, without effect yet (named in `notes`). */
    const struct config_window *windows;
    size_t nwindows;

    const struct str *notes; /* what `plumb config check` should tell although nothing is wrong */
    size_t nnotes;
};

/* text of plumb.yaml -> config. All views live in arena (text is copied). ERR_SYNTAX with the
 * place; ERR_USAGE for values. */
bool config_parse(struct arena *arena, struct str text, const char *name, struct config *ret,
                  struct err *err);

/* Something is wrong with what a key says, which nothing but its use could find: "file:line:col:
 * key" before the error, or the key alone where it is not in the file. "policy.rules.0" is the
 * first of a list. The file is read again; false. */
bool config_blame(const struct config *config, const char *key, struct err *err);

/* Roles are known, members and names are there once: what config_parse checks of `review`. */
bool config_check_review(const char *name, const struct config_review *review, struct err *err);
/* Names of receivers are there once, and those of `escalate` are known; what has no name gets its
 * kind's. */
bool config_finish_notify(const struct config *config, struct err *err);

/* Is anything to be scanned by the clock? */
bool config_has_schedules(const struct config *config);
/* Every schedule and window reads well. *ret_no_zones: this machine has no time zone data, so that
 * those with a time zone could not be looked at. */
bool config_check_schedules(const struct config *config, bool *ret_no_zones, struct err *err);

/* The JSON Schema of plumb.yaml, from the table that the parser reads. */
struct buf;
bool config_write_schema(struct buf *out, struct err *err);

/* "{dir}-{workspace}" of `name`, `environment` and `owner`: the words that may stand in braces. */
struct config_template {
    struct str path;      /* {path}: relative to the repository */
    struct str workspace; /* {workspace} */
};
/* ptr NULL where the arena is full; a word that is not known stays as it is. */
struct str config_expand(struct arena *arena, struct str text, const struct config_template *words);
