/* buf.h - bytes that grow on the heap, with a limit; for output and for streams.
 *
 * Start:  struct buf b = { .limit = bytes };  zeroed = nothing may be added
 * Errors: a failed append sets `failed` and is ignored, and so is all that follows: check once, at
 *         the end (buf_ok).
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct err;
struct buf {
    char *ptr;
    size_t len, room, limit;
    bool failed;
};

enum { BUF_DEFAULT_LIMIT = 1 << 30 };

void buf_add(struct buf *buf, const void *bytes, size_t n);
void buf_str(struct buf *buf, struct str s);
void buf_char(struct buf *buf, char c);
/* The same n times. */
void buf_repeat(struct buf *buf, char c, size_t n);
void buf_int(struct buf *buf, int64_t number); /* decimal; much faster than buf_printf */
void buf_printf(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* At least n writable bytes behind len (then add to len yourself); NULL past the limit. */
char *buf_room(struct buf *buf, size_t n);
/* Drop the first n bytes. */
void buf_consume(struct buf *buf, size_t n);
struct str buf_view(const struct buf *buf);
/* False with ERR_LIMIT if an append was lost. */
bool buf_ok(const struct buf *buf, struct err *err);
void buf_free(struct buf *buf);
/* The same for what was secret: overwritten before. */
void buf_wipe(struct buf *buf);
#define AUTO_BUF __attribute__((cleanup(buf_free))) struct buf
