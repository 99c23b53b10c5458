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

/* clang-format off */
#define ROW_REASON(what) \
    {.name = "reason", .letter = 'r', .kind = OPTION_STRING, .arg = "TEXT", .text = (what)}
#define ROW_TICKET(what) {.name = "ticket", .kind = OPTION_STRING, .arg = "TEXT", .text = (what)}
#define ROW_UNTIL(what) \
    {.name = "until", .letter = 'u', .kind = OPTION_STRING, .arg = "WHEN", .text = (what)}
#define ROW_ADDRESSES \
    {.name = "address", .kind = OPTION_STRING, .arg = "GLOB", \
     .text = "only resources whose address matches"}
/* clang-format on */

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
/* A whole command that changes something: the store is opened, `act` is done, the store closed. */
bool answering_do(const struct app *app, const struct invocation *in,
                  const struct option_value *config, const struct option_value *store,
                  enum store_use use,
                  bool (*act)(struct answering *a, const struct invocation *in, struct err *err),
                  struct err *err);
struct reviewing answering_review(struct answering *a);

/* The number in "R7". */
bool answering_review_id(struct str text, int64_t *ret, struct err *err);
/* What became of it, with `next` behind; what was refused is an error. */
bool answering_tell(const struct answering *a, int64_t id, const struct workflow_outcome *out,
                    struct str next, struct err *err);
/* --reason and the others that must be there; `why` ends the sentence. */
bool answering_need(const struct option_value *value, const char *name, const char *why,
                    struct err *err);
/* --until, --for: a moment behind now. */
bool answering_until(const struct answering *a, const struct option_value *value, const char *name,
                     int64_t *ret, struct err *err);
