/* portable.h - a whole store as NDJSON and back, into the same or the other kind.
 *
 * Shape:   {"plumb_export":1,"schema":N,"plumb":"0.1.0"}, then {"table":"run","row":{...}} for each
 *          row of each table in the order of portable.c, then {"end":true,"rows":N,"sha256":"..."}
 *          over all bytes before it. Bytes are {"base64":"..."}
 * Secrets: states, tokens and permits are left out unless asked for. The store's keys
 *          are never in it
 */
#pragma once
#include "record/record.h"

struct buf;

struct export_options {
    bool with_states; /* states hold whatever secrets their resources have */
    /* What was written so far is handed over and forgotten. */
    bool (*write)(void *ctx, struct str bytes, struct err *err);
    void *ctx;
};
/* One moment of the store, whoever writes meanwhile. */
bool store_export(struct record *record, const struct export_options *options, int64_t *ret_rows,
                  struct err *err);

enum { IMPORT_LINE_MAX = 64 << 20 };
struct import_source {
    /* Some bytes; *ret_n 0 = the end. */
    bool (*read)(void *ctx, char *to, size_t room, size_t *ret_n, struct err *err);
    void *ctx;
    const char *name; /* for messages: "NAME:LINE: ..." */
};
/*
 * All of it or nothing, in one transaction. ERR_CONFLICT where the store is not empty or the
 * export is of another schema; ERR_SYNTAX with the line for what is no export, and for one that
 * was cut short or changed.
 */
bool store_import(struct record *record, const struct import_source *source, int64_t *ret_rows,
                  struct err *err);

/* The tables that an export knows, for the test that it knows all. NULL past the last. */
const char *store_table(size_t i);
