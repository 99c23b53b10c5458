/* conftest_output.h - results of `plumb conftest` in conftest's own formats.
 *
 * Source:  facts/rego.md 12
 */
#pragma once
#include <stdio.h>

#include "policy/conftest.h"

struct conftest_results {
    const struct conftest_check *check;
    size_t n;
    bool verify;              /* tests: skipped ones are counted */
    bool suppress_exceptions; /* they are not shown */
    bool hide_passed;         /* github: nothing of what passed */
    bool hide_message;        /* junit: names without messages */
};

extern const char *const conftest_formats[]; /* NULL-ended */

bool conftest_output(FILE *out, struct str format, const struct conftest_results *results,
                     struct err *err);

/* --- for the formats (conftest_table.c, conftest_sarif.c) --- */

struct buf;
struct jsonw;

size_t conftest_total(const struct conftest_check *check);
/* "5 tests, 1 passed, ..." and a line end. */
void conftest_write_counts(struct buf *out, const struct conftest_results *results);
/* What a result has beyond its message: an object, with the query in it. */
void conftest_write_metadata(struct jsonw *w, const struct conftest_item *item);
void conftest_write_table(struct buf *out, const struct conftest_results *results);
void conftest_write_azure(struct buf *out, const struct conftest_results *results);
void conftest_write_sarif(struct buf *out, const struct conftest_results *results);
