/* mime.h - the pieces of a mail: headers that hold any text, bodies of any text, dates.
 *
 * Rules:   only printable ASCII, lines of at most 76 characters that end in CRLF; nothing in a text
 *          can end a header or begin another
 * Source:  RFC 5322 (3.3 dates), RFC 2045 (6.7 quoted-printable), RFC 2047 (encoded words)
 */
#pragma once
#include <stdint.h>

#include "base/buf.h"

enum { MIME_DATE = 32 };

/* Name: text, as it is where that is plain and short, else as encoded words. */
void mime_header(struct buf *out, const char *name, struct str text);
/* One encoded word or several of them, folded, where a line has `column` characters already. */
void mime_words(struct buf *out, struct str text, size_t column);
/* A name before an address: as it is where it is a few plain words. */
void mime_phrase(struct buf *out, struct str text, size_t column);
/* UTF-8 with lines that end in \n. */
void mime_quoted(struct buf *out, struct str text);
/* "Sun, 22 Nov 2026 15:55:57 +0000" */
const char *mime_date(int64_t utc_ms, char out[MIME_DATE]);
