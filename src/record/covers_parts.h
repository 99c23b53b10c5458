/* covers_parts.h - what covers.c, settle.c and standing.c share. */
#pragma once
#include "record/reviews.h"

struct cover_rows {
    struct arena *arena;
    struct cover *item;
    size_t n, room;
};
bool cover_row(void *ctx, const struct db_row *row, struct err *err); /* for db_query */
/* All whose end was not written down, by kind, then number. */
bool covers_open(struct record *record, struct cover_rows *rows, struct err *err);
/* Breakglasses that ended and whose list is not due yet. */
bool covers_due(struct record *record, struct cover_rows *rows, int64_t now_utc_ms,
                struct err *err);
/* Within a transaction: what the first scan of its stack behind the breakglass has found joins the
 * list: nobody can tell whether it was done before the end. */
bool cover_extend(struct record *record, struct cover *cover, struct err *err);
/* Within a transaction: it ended then; what a breakglass touched becomes a list. With its event. */
bool cover_finish(struct record *record, struct cover *cover, int64_t at_utc_ms,
                  const struct actor *by, struct str outcome, struct str why, struct err *err);
