/* protobuf.h - protocol buffer messages as views: fields in, fields out, tables of what goes where.
 *
 * Shape:   a message is a view of its bytes; decoding makes no copy, strings and sub-messages are
 *          views into it. One level at a time: a sub-message is decoded by another call, so depth
 *          is the caller's to count (PROTOBUF_DEPTH_MAX)
 * Rules:   unknown fields are skipped; the last scalar wins; a sub-message that comes twice is
 *          merged; packed and unpacked repeated scalars are not used by our messages; strings must
 *          be UTF-8; groups (wire types 3 and 4), types 6 and 7, field number 0, varints over 10
 *          bytes and a length past the end are ERR_SYNTAX naming the byte
 * Source:  protobuf.dev encoding guide; facts/dependencies.md "protobuf"
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct err;

enum { PROTOBUF_DEPTH_MAX = 64 };

/* --- field by field --- */

enum pb_wire { PB_VARINT = 0, PB_FIXED64 = 1, PB_LENGTH = 2, PB_FIXED32 = 5 };
struct pb_reader {
    struct str bytes;
    size_t at;
    const char *bad; /* what is wrong at `at`; NULL = nothing */
};
struct pb_field {
    uint32_t number;
    enum pb_wire wire;
    uint64_t number_value; /* PB_VARINT, PB_FIXED64, PB_FIXED32 */
    struct str bytes;      /* PB_LENGTH */
};
/* The next field; false at the end and where reader->bad is set. */
bool pb_next(struct pb_reader *reader, struct pb_field *ret);
/* True, or ERR_SYNTAX "WHAT: byte N: why" if the reader ended early. */
bool pb_reader_ok(const struct pb_reader *reader, const char *what, struct err *err);

/* --- a whole message by table --- */

enum pb_kind {
    PB_INT64,   /* int64_t: int64, int32 and enum on the wire */
    PB_BOOL,    /* bool */
    PB_STRING,  /* struct str, UTF-8 */
    PB_BYTES,   /* struct str; ptr NULL = absent, so that "there and empty" can be told */
    PB_MESSAGE, /* struct str as PB_BYTES; merged if it came more than once */
    PB_MANY     /* struct pb_list of PB_MESSAGE, map entries or strings (not UTF-8 checked) */
};
struct pb_list {
    const struct str *items;
    size_t n;
};
struct pb_rule {
    uint32_t number;
    enum pb_kind kind;
    size_t offset; /* in the struct that is filled */
};
/* X of struct S at field number N */
#define PB_RULE(number, kind, type, member) \
    { \
        (number), (kind), offsetof(type, member) \
    }
/* What the message is called in errors, and its rows. */
struct pb_message {
    const char *name;
    const struct pb_rule *rules;
    size_t nrules;
};
/*
 * Fill the members that the rules name; others are left alone, and so is what does not come (zero
 * the struct before). A field of another wire type than its rule's is ERR_SYNTAX. The lists live in
 * the arena; so does a merged sub-message.
 */
bool pb_decode(struct arena *arena, const struct pb_message *message, struct str bytes, void *ret,
               struct err *err);

/* --- writing --- */

/* A zero, an empty string and false are not written (proto3). */
void pb_put_int(struct buf *out, uint32_t number, int64_t value);
void pb_put_bool(struct buf *out, uint32_t number, bool value);
void pb_put_bytes(struct buf *out, uint32_t number, struct str bytes);
/* Written even if empty: a sub-message, or a member of a oneof. */
void pb_put_message(struct buf *out, uint32_t number, struct str bytes);
/* A sub-message in place: open, put its fields, close with what open gave. Nests. */
size_t pb_open(struct buf *out, uint32_t number);
void pb_close(struct buf *out, size_t mark);
