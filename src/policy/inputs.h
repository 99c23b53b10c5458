/* inputs.h - configuration files as input documents, by parser name or by ending, as conftest reads
 * them.
 *
 * Documents: a file of several YAML documents gives each; a file that is one array gives its items
 * Owner:     the arena
 * Source:    facts/rego.md 12
 */
#pragma once
#include "value/value.h"

struct regex;

enum { POLICY_INPUT_MAX = 1 << 30 };

struct policy_input {
    struct str path; /* "-" for standard input */
    const struct value *doc;
    size_t n;
    bool repeated; /* while they are read: it was named before */
};
struct policy_inputs {
    struct policy_input *input;
    size_t n;
};
struct policy_inputs_options {
    struct str parser;          /* of all files; empty = by ending */
    struct str stdin_name;      /* what standard input is called; empty = "-", read as YAML */
    const struct regex *ignore; /* files whose paths match are passed over; or NULL */
};

/* What --parser may be; NULL behind the last. */
extern const char *const policy_parser_names[];
/* Files, and what a parser knows in folders; in the order given, folders sorted. ERR_USAGE for an
 * unknown parser. */
bool policy_inputs_read(struct arena *arena, const struct str *paths, size_t n,
                        const struct policy_inputs_options *options, struct policy_inputs *ret,
                        struct err *err);
/* One text by the name of a parser, or by the ending of a file's name: its whole value. */
bool policy_inputs_parse(struct arena *arena, struct str parser, struct str text, struct str name,
                         struct value *ret, struct err *err);
/* All of them as one, sorted by path: [{"path", "contents"}, ...], an entry for each document. */
bool policy_inputs_combine(struct arena *arena, const struct policy_inputs *inputs,
                           struct value *ret, struct err *err);
