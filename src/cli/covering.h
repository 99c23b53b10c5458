/* covering.h - what breakglasses and freezes share: listed, ended. */
#pragma once
#include "cli/answering.h"

/* The rows of "list" and "end" commands. */
enum {
    COVERING_LIST_ALL,
    COVERING_LIST_OUTPUT,
    COVERING_LIST_CONFIG,
    COVERING_LIST_STORE,
    COVERING_LIST_COUNT
};
enum { COVERING_END_REASON, COVERING_END_CONFIG, COVERING_END_STORE, COVERING_END_COUNT };
/* clang-format off */
#define COVERING_LIST_OPTIONS \
    [COVERING_LIST_ALL] = {.name = "all", .letter = 'a', .kind = OPTION_FLAG, \
                           .text = "those that ended, too"}, \
    [COVERING_LIST_OUTPUT] = ROW_TEXT_OR_JSON, [COVERING_LIST_CONFIG] = ROW_CONFIG, \
    [COVERING_LIST_STORE] = ROW_STORE
#define COVERING_END_OPTIONS \
    [COVERING_END_REASON] = ROW_REASON("why"), \
    [COVERING_END_CONFIG] = ROW_CONFIG, [COVERING_END_STORE] = ROW_STORE
/* clang-format on */

bool covering_list(const struct app *app, const struct invocation *in, enum cover_kind kind,
                   struct err *err);
bool covering_end(const struct app *app, const struct invocation *in, enum cover_kind kind,
                  struct err *err);
/* Starts it, if the one who asks may, and tells. */
bool covering_start(struct answering *a, struct cover *cover, bool json, struct err *err);
