/* issue.h - an alert's thread as one issue of GitHub or GitLab: opened, kept up to date, closed.
 *
 * Found:   by its number, which the last message left; else by a marker in its text (the newest
 *          ISSUE_PAGES_MAX * 100 are looked through on GitHub; GitLab searches). One that people
 *          closed is opened again by what is new, changed or overdue, not by a digest
 * Repeat:  the text names the last alert that was told: one that comes twice changes nothing
 * Text:    what comes from outside stands in code spans and fences, so that it mentions nobody and
 *          is no quick action
 */
#pragma once
#include "respond/forge.h"
#include "respond/notify.h"

enum { ISSUE_PAGES_MAX = 10 };

bool issue_check(enum forge_kind kind, const struct config_notify *config,
                 const struct notify_target *target, struct err *err);
bool issue_send(enum forge_kind kind, struct arena *arena, const struct notify_target *target,
                const struct alert *alert, struct notify_answer *ret, struct err *err);
/* The issue's text in Markdown; in the arena. */
bool issue_text(struct arena *arena, const struct alert *alert, struct str *ret, struct err *err);
