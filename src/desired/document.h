/* document.h - which kind of JSON document a text is, told by its first telling key. */
#pragma once
#include "base/str.h"

enum document_kind {
    DOCUMENT_UNKNOWN, /* no object, no known key, or broken before one came */
    DOCUMENT_EMPTY,   /* nothing but blanks */
    DOCUMENT_STATE,   /* any version, encrypted ones too */
    DOCUMENT_SHOW_STATE,
    DOCUMENT_PLAN,
    DOCUMENT_RESOURCES /* a list, or an object with `resources` or `complete`: a live snapshot */
};
enum document_kind document_probe(struct str text);
