/* listing_parts.h - what listing.c and listing_sql.c share. */
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "record/db.h"
#include "record/listing.h"

/* Stacks, classes, statuses, a glob, severity, two times, limit and offset, one sum of these. */
enum { LISTING_PARAMS = FINDING_QUERY_NAMES + CLASS_COUNT + STATUS_COUNT + 8 };

struct listing_sql {
    struct buf text;
    struct db_value param[LISTING_PARAMS]; /* views into the question and the arena */
    size_t n;
    bool nothing; /* no finding can be meant: it need not be asked */
    struct arena arena;
};

/* The statement that answers the question with `columns` of finding, in the order of the list. */
bool listing_write(struct record *record, const struct finding_query *query, const char *columns,
                   struct listing_sql *ret, struct err *err);
void listing_release(struct listing_sql *sql);
