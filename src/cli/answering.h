/* answering.h - what the commands about reviews, breakglasses and freezes share: the store, the
 * rules, who asks, and how an answer is printed.
 */
#pragma once
#include "base/buf.h"
#include "cli/command.h"
#include "cli/store_setup.h"
#include "model/config.h"
#include "record/reviews.h"
#include "respond/reviewing.h"
#include "wire/json.h"

enum { ANSWERING_MEMORY_SHIFT = 32 };

struct answering {
    const struct app *app;
    struct arena *arena;
    struct config config;
    struct record record;
    struct actor actor;
    int64_t now;
};
/* Opens it, and writes down what has ended (with STORE_READ where that can be). The values are
 * those of
 * --config and --store. */
bool answering_open(struct answering *a, const struct app *app, struct arena *arena,
                    const struct option_value *config, const struct option_value *store,
                    enum store_use use, struct err *err);
void answering_close(struct answering *a);
struct reviewing answering_review(struct answering *a);

/* --reason and the others that must be there; `why` ends the sentence. */
bool answering_need(const struct option_value *value, const char *name, const char *why,
                    struct err *err);
/* --until, --for: a moment behind now. */
bool answering_until(const struct answering *a, const struct option_value *value, const char *name,
                     int64_t *ret, struct err *err);

/* To standard output. */
bool answering_print(const struct answering *a, const struct buf *out, struct err *err);

/* --- JSON, as docs/schema/reviews.schema.json has it --- */

/* {"schema_version": ..., then the caller's members, then answering_json_close. */
void answering_json_open(struct jsonw *w, struct buf *out);
bool answering_json_close(struct jsonw *w, struct err *err);
void answering_json_time(struct jsonw *w, struct str key, int64_t utc_ms); /* 0 = null */
void answering_json_actor(struct jsonw *w, struct str key, const struct actor *actor);
void answering_json_review(struct jsonw *w, const struct review *review);
void answering_json_cover(struct jsonw *w, const struct cover *cover, int64_t now_utc_ms);
