/* folder.h - does it matter to a provider that it runs in the folder of its stack?
 *
 * Why:    a process that stays (live/warm.h) can answer several stacks, but runs in one folder
 * Rule:   it does not, where the folder can tell it nothing. (1) There is only what Terraform reads
 *         itself, and text for people: nothing that a provider looks for of its own accord. (2)
 *         Nothing that it is told is a path from there: no string of its configuration, of its
 *         environment, of what is recorded and of what it is asked to plan has the name of one of
 *         the entries in it, as a word, or is "." or "..", or begins "./" or has ".." on its way.
 *         Any other relative path leads nowhere, from there and from an empty folder alike
 * Doubt:  is a yes
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct resource;
struct value;

struct folder {
    const struct str *name; /* of its entries */
    size_t n;
    bool other;       /* something is there that Terraform does not read */
    bool starts[256]; /* the bytes that names begin with, in both cases */
};
/*
 * data_dir  Terraform's own (`.terraform`), wherever it lies
 * False: it cannot be read, or has too much in it, or names that are spelt in more ways than one.
 */
bool folder_look(struct arena *arena, struct str root, struct str data_dir, struct folder *ret);

bool folder_named_in_text(const struct folder *folder, struct str text);
bool folder_named_in_json(const struct folder *folder, struct str json); /* not parsed */
bool folder_named_in_value(const struct folder *folder, const struct value *v);
/* What is recorded of it: attributes, private data, identity. */
bool folder_named_in_resource(const struct folder *folder, const struct resource *resource);
/* NAME=value list; values that are one absolute path are none. */
bool folder_named_in_environment(const struct folder *folder, const char *const *env);
