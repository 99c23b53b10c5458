/* rule_parts.h - what the files that read rules share: problems with places, keys of a mapping. */
#pragma once
#include "policy/rule.h"

struct rule_reader {
    struct rules *rules;
    struct rule_problems *problems;
    struct arena *arena;
    struct yaml_doc doc;
    struct str file, pack;
    size_t npaths; /* of the rule that is read */
    bool full;     /* the arena */
};

/* A key of a mapping: what reads it, and where to. */
struct rule_key {
    const char *name;
    void (*read)(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                 void *target);
    size_t at; /* offset in the target */
    bool required;
};

/* Where a node stands; of one that has no place, the document. */
struct location rule_location(const struct rule_reader *r, const struct value *at);
void rule_problem(struct rule_reader *r, struct location at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* "; did you mean 'x'?" or nothing, in the reader's arena. */
struct str rule_hint(struct rule_reader *r, struct str word, const struct str *names, size_t n);
/* All keys of a mapping; unknown and missing ones are problems. */
void rule_read_mapping(struct rule_reader *r, const char *what, const struct rule_key *keys,
                       size_t nkeys, const struct value *v, void *target);

/* err: how many problems there are since `before` (all told until then), and the first. false. */
bool rule_refuse(struct rule_reader *r, size_t before, struct err *err);

/* A struct str at `at`: a text that is not empty. */
void rule_read_text(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                    void *target);
/* A struct rule_strs: one text or a list of them. */
void rule_read_texts(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                     void *target);
/* The number 1; nothing is kept. */
void rule_read_version(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target);
/* struct rule_match of `match` (rule_match.c). */
void rule_read_match(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                     void *target);
/* const struct condition * of `when` (condition_read.c). */
void rule_read_when(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                    void *target);
