/* code.h - the code's side of a scan: evaluated once, asked for each instance.
 *
 * Order:   scan_code_open; scan_code_remember for each instance of the state; scan_code_evaluate;
 *          scan_code_match, which adds what is to be imported; the readers run with
 *          scan_code_options and give their answers to scan_code_take; scan_code_finish follows
 * what differs to what it makes of others, judges all of it (scan_code_judge), and tells what
 *          nobody has made; scan_code_close
 * Trouble: code that cannot be read or evaluated is no reason to stop: notes say what is wrong, and
 *          what it concerns is compared with the last state
 */
#pragma once
#include "drift/drift.h"
#include "live/reader.h"
#include "scan/scan_parts.h"

struct scan_code;

/* Is there code in the stack's folder, and is it wanted? */
bool scan_code_wanted(const struct scan *scan);
bool scan_code_open(struct scan *scan, struct scan_code **ret, struct err *err);
void scan_code_close(struct scan_code *code); /* NULL is fine */

/* The stack's providers, opened when they are first asked for; *ret NULL: not to be had, which a
 * note tells of. */
bool scan_code_library(struct scan_code *code, struct library **ret, struct err *err);
/* An instance of the state, managed or data; its texts outlive the code. */
bool scan_code_remember(struct scan_code *code, const struct resource *resource, struct err *err);
/* *ret_use: there is something to compare with. Fails only when cancelled or out of memory, and
 * with
 * --desired code where the code cannot be evaluated. */
bool scan_code_evaluate(struct scan_code *code, bool *ret_use, struct err *err);
/* Does it ask for any managed resource? */
bool scan_code_has_instances(const struct scan_code *code);
/* entry->instance of all entries; and entries for instances that import blocks name. */
bool scan_code_match(struct scan_code *code, struct err *err);
/* What the readers are asked with. */
void scan_code_options(struct scan_code *code, struct reader_options *options);

/*
 * The same answer with values by the code's schema, where the reader has none (a snapshot, a native
 * reader) and they fit; else as it is.
 */
bool scan_code_type(struct arena *arena, const struct entry *entry,
                    const struct live_result *result, struct live_result *ret, struct err *err);
/*
 * What the code makes of an answer. *ret_use false: it is compared with the last state.
 * Everything in ret lives in `arena` or as long as the code.
 */
bool scan_code_judge(struct scan_code *code, struct arena *arena, const struct entry *entry,
                     const struct live_result *result, struct drift_code *ret, bool *ret_use,
                     struct err *err);
/* An answer: told when all are there, since others may make something else of it. */
bool scan_code_take(struct scan_code *code, struct entry *entry, const struct live_result *result,
                    struct err *err);
/* All that was taken, and instances of the code that nobody was asked for. */
bool scan_code_finish(struct scan_code *code, struct err *err);
/* Findings that are told as they come have their places by then; who explains them is found at the
 * end (scan_code_places). */
void scan_code_stream(struct scan_code *code);
/* Places, commits and owners of the findings that the tally has. */
bool scan_code_places(struct scan_code *code, struct stack_result *ret, struct err *err);
