/* known.h - states in local files that were walked before: where each instance stands, kept between
 * scans. So that one resource is found in a state of any size by reading the few hundred bytes of
 * it.
 *
 * Shape:   one set for a service, given to every scan (scan_options.known); of a state, 32 bytes
 * for each instance and for each resource, in the set; of one scan, a view (known_open) Fresh:   a
 * state is known as long as its file is the same version (base/io.h, struct io_id); one that was
 * written within two seconds before it was read is read again. What is read of a piece is compared
 * with its digest: another one is ERR_CONFLICT Not:     states that are not a plain local file of
 * version 4 as Terraform writes it Bounds:  bytes; what was asked for the longest ago goes first
 * Threads: a set from any thread; a view is one thread's
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "model/resource.h"

struct desired;
struct desired_info;
struct err;
struct stack;

struct known_states;
/* most_bytes  0 = 16 MiB */
bool known_states_open(size_t most_bytes, struct known_states **ret, struct err *err);
void known_states_close(struct known_states *states); /* after the last view; NULL is fine */
size_t known_states_bytes(struct known_states *states);

/* --- learning --- */

/* While a state is walked: after desired_open_stack_state. NULL: it is none that can be known, or
 * states is NULL; the others take that. */
struct known_making *known_begin(struct known_states *states, const struct desired *desired);
/* What desired_next just gave. */
void known_add(struct known_making *making, const struct resource *resource);
/* All was given: it is known from now on. hash: of the whole text, for known_hash. */
void known_end(struct known_making *making, uint64_t hash);
void known_drop(struct known_making *making); /* NULL is fine */

/* --- asking --- */

struct known;
/* NULL: it is not known, or no more: to be walked. */
struct known *known_open(struct known_states *states, const struct stack *stack);
void known_close(struct known *known); /* NULL is fine */
const struct desired_info *known_info(const struct known *known);
uint64_t known_hash(const struct known *known);
/* Did OpenTofu write it? As resource_is_of_opentofu says of any of its resources. */
bool known_opentofu(const struct known *known);
/* Is there an instance of that address? By its 64 bit digest, without a look at the file. */
bool known_has(const struct known *known, struct str address);
/*
 * The instances of an address, as desired_next gave them, in no order; *at is 0 before the first.
 * *ret lives as long as the view. False: there are no more, or on error (err->kind != ERR_NONE).
 */
bool known_next(struct known *known, struct str address, size_t *at, struct resource *ret,
                struct err *err);

/* known_hash of what is there now, where it is known. */
bool known_hash_now(struct known_states *states, const struct stack *stack, uint64_t *ret);

/* Only OpenTofu writes such providers. */
bool resource_is_of_opentofu(const struct resource *resource);
