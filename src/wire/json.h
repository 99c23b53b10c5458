/* json.h - JSON text to value tree and back.
 *
 * In:      UTF-8 checked, depth <= JSON_DEPTH_MAX, numbers kept exactly, errors with line:column
 * Out:     one writer that escapes; no JSON is put together with printf anywhere
 * Owner:   strings without escapes are views into the text, which must outlive the tree
 *          (JSON_COPY copies them into the arena instead)
 * Source:  RFC 8259, RFC 7464-style NDJSON by line
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "value/value.h"

enum { JSON_DEPTH_MAX = 1000 };

enum json_flags {
    JSON_DEFAULT = 0,         /* a duplicate key is an error with its place */
    JSON_DUPLICATES_LAST = 1, /* foreign files: the last one wins */
    JSON_COPY = 2,            /* strings live in the arena, the text may go */
    JSON_NFC = 4              /* strings and keys to NFC, as cty asks */
};

/* A whole document: ERR_SYNTAX "name:line:column: why" on anything but exactly one value. */
bool json_parse(struct arena *arena, struct str text, const char *name, unsigned flags,
                struct value *ret, struct err *err);

/*
 * A file of JSON. A large one is read and parsed piece by piece and its text is not kept: strings
 * are copies, of which short ones that are equal are often one. Where that does not succeed, for an
 * error or a very long string, it is read as a whole, which says why or where.
 */
bool json_read_file(struct arena *arena, const char *path, size_t max_bytes, unsigned flags,
                    struct value *ret, struct err *err);
/* The piecewise part of it, from where fd stands: `bytes`, with `room` of them in memory. */
bool json_parse_window(struct arena *arena, int fd, size_t bytes, size_t room, unsigned flags,
                       struct value *ret);

/* The same with a shared key table, for many small documents of one kind. */
bool json_parse_with(struct arena *arena, struct key_table *keys, struct str text, const char *name,
                     unsigned flags, struct value *ret, struct err *err);

/* A line at a time: false at the end or on error (err->kind tells); blank lines are skipped. */
struct ndjson {
    struct str rest;
    const char *name;
    size_t line;
};
bool ndjson_next(struct ndjson *in, struct arena *arena, unsigned flags, struct value *ret,
                 struct err *err);

/* Line and column (1-based, column in characters) of a byte of the text. */
void json_place(struct str text, size_t at, size_t *ret_line, size_t *ret_column);

/* --- writing: struct jsonw, a state machine that puts commas, colons and escapes --- */

struct jsonw {
    struct buf *out;
    unsigned indent; /* spaces a level; 0 = compact */
    unsigned depth;
    bool need_comma, after_key;
};
void jsonw_object_open(struct jsonw *w);
void jsonw_object_close(struct jsonw *w);
void jsonw_array_open(struct jsonw *w);
void jsonw_array_close(struct jsonw *w);
void jsonw_key(struct jsonw *w, struct str key);
void jsonw_string(struct jsonw *w, struct str s); /* bad UTF-8 becomes U+FFFD */
void jsonw_int(struct jsonw *w, int64_t n);
void jsonw_bool(struct jsonw *w, bool truth);
void jsonw_null(struct jsonw *w);
/* Any value; numbers in their own spelling; unknown and sensitive are written as null: redact
 * before. */
void jsonw_value(struct jsonw *w, const struct value *v);
/* key and value at once */
void jsonw_member_string(struct jsonw *w, struct str key, struct str s);
void jsonw_member_int(struct jsonw *w, struct str key, int64_t n);
void jsonw_member_bool(struct jsonw *w, struct str key, bool truth);
/* A JSON string literal with its quotes. */
void json_quote(struct buf *out, struct str s);
