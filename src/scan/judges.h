/* judges.h - the files that judge: what plumb.yaml and a command line name as policy, and opening
 * it.
 *
 * Order:  packs, rules and Rego of plumb.yaml, then what a command line adds; paths of plumb.yaml
 *         are relative to it
 * Pins:   where plumb.packs stands beside plumb.yaml, packs that are not what it says are an error
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct config;
struct err;
struct pack;
struct policy;
struct policy_problems;
struct policy_source;
struct rego_capabilities;

struct judges {
    const struct config *config; /* NULL = none */
    const struct str *policies;  /* beside those of plumb.yaml: files and packs */
    size_t npolicies;
    const struct str *waivers;
    size_t nwaivers;
};
/* Files and packs, in the order they are asked. */
bool judges_list(struct arena *arena, const struct judges *judges, struct policy_source **ret,
                 size_t *ret_n, struct err *err);
/* Files of waivers, those of plumb.yaml first. */
bool judges_list_waivers(struct arena *arena, const struct judges *judges, struct str **ret,
                         size_t *ret_n, struct err *err);
/* "sha256:..." of the bytes that judge, waivers of the command line among them; empty without
 * any. */
bool judges_digest(struct arena *arena, const struct judges *judges, struct str *ret,
                   struct err *err);
/* The packs of plumb.yaml, read; their origins are as it names them. */
bool judges_read_packs(struct arena *arena, const struct config *config, struct pack **ret,
                       size_t *ret_n, struct err *err);
/* plumb.packs beside plumb.yaml. ptr NULL where the arena is full. */
struct str judges_pins_path(struct arena *arena, const struct config *config);

struct judges_opening {
    int64_t now_utc_ms;
    const char *(*env)(const char *name); /* PLUMB_WAIVER_KEY keys the digests of secrets */
    const volatile int *cancel;
    bool partial;                                 /* not all that the policy is for is looked at */
    const struct rego_capabilities *capabilities; /* NULL: all */
};
/* *ret is NULL where nothing is configured. False: problems or err say what is wrong, as in
 * policy_open. */
bool judges_open(struct arena *arena, const struct judges *judges, const struct judges_opening *how,
                 struct policy_problems *problems, struct policy **ret, struct err *err);
