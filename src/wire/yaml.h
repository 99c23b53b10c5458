/* yaml.h - YAML in, through libyaml's events, with the place of every node.
 *
 * Resolver: YAML 1.2 core schema; quoted scalars are strings; .inf and .nan are errors; keys are
 *           strings (their source text); duplicate keys are errors with both places; an alias
 *           shares the nodes of its anchor, all of them together are bounded (YAML_ALIAS_BUDGET
 *           times the bytes of the input), no self reference; merge keys `<<` as in YAML 1.1;
 *           complex keys and tags other than those of the core schema are errors; depth <=
 *           YAML_DEPTH_MAX
 * Owner:    everything lives in the arena; the text may go
 * Source:   yaml.org 1.2.2 chapter 10.3; facts/dependencies.md "YAML"
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value/value.h"

enum { YAML_DEPTH_MAX = 200, YAML_ALIAS_BUDGET = 10, YAML_DOCUMENTS_MAX = 100000 };

/* 1-based; column in characters. {0} = not known. */
struct place {
    uint32_t line, column;
};

enum yaml_flags {
    YAML_DEFAULT = 0,
    YAML_V1_1_BOOLS = 1, /* as kubectl reads: y yes n no on off are booleans (as keys: "true" and
                            "false"), 0644 is octal, 0b1 and 1_000 are numbers */
    YAML_ANY_TAG = 2,    /* a tag that is unknown (!Ref of CloudFormation) makes a scalar a text
                            and says nothing of a collection; else it is an error */
    YAML_FIRST = 4,      /* the first document; what follows it is not read */
    YAML_DUPLICATES_LAST = 8 /* of equal keys the last one counts; else they are an error */
};

/*
 * A document beside the places of its nodes, which yaml_place() finds by address: ask with pointers
 * into this document, not with copies. What an alias or `<<` brings stands where it was written.
 */
struct yaml_doc {
    struct value root;
    struct place place; /* of the root */
    const struct yaml_places *places;
};

/* All documents of a stream. ERR_SYNTAX "name:line:column: why". A stream that libyaml rejects and
 * that is one JSON document (it knows escapes that libyaml does not) is taken as that, without
 * places. */
bool yaml_parse(struct arena *arena, struct str text, const char *name, unsigned flags,
                struct yaml_doc **ret_docs, size_t *ret_n, struct err *err);
/* Exactly one document (an empty stream gives null). */
bool yaml_parse_one(struct arena *arena, struct str text, const char *name, unsigned flags,
                    struct yaml_doc *ret, struct err *err);
/* Where a node of this document stands; {0} for a node that is not of it. */
struct place yaml_place(const struct yaml_doc *doc, const struct value *node);
/* Where the key of a member stands. */
struct place yaml_key_place(const struct yaml_doc *doc, const struct value *member_value);
