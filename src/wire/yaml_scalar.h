/* yaml_scalar.h - what a plain YAML scalar means: for yaml.c, and for who writes YAML.
 *
 * Source:  yaml.org 1.2.2 chapter 10.3.2; facts/kubernetes.md 14 for YAML_V1_1_BOOLS
 */
#pragma once
#include "value/value.h"

enum { YAML_NUMBER_MAX = 4096 }; /* digits of a number in another base than ten */

/* The tags of the core schema that decide how a scalar is read. */
enum yaml_tag {
    YAML_TAG_PLAIN,
    YAML_TAG_STR,
    YAML_TAG_INT,
    YAML_TAG_FLOAT,
    YAML_TAG_BOOL,
    YAML_TAG_NULL
};

/*
 * text lives in the arena already and may be kept. A string is what nothing else matches; with a
 * tag other than YAML_TAG_PLAIN that is an error, as .inf and .nan are.
 */
bool yaml_resolve(struct arena *arena, struct str text, enum yaml_tag tag, unsigned flags,
                  struct value *ret, struct err *err);
