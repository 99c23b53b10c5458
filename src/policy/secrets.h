/* secrets.h - texts that no report may show: what plans and states mark as sensitive, and what
 * Secrets of Kubernetes hold.
 *
 * A policy may put any value into its message. So messages are looked through for the values
 * themselves, as they are and as JSON escapes them, long ones anywhere, short ones as whole words.
 * Source: facts/terraform.md 3 (sensitive marks); facts/kubernetes.md 15
 */
#pragma once
#include "value/value.h"

struct arena;
struct document;
struct err;
struct secrets;

bool secrets_find(struct arena *arena, const struct document *document, struct secrets **ret,
                  struct err *err);
/* Does the text tell one? */
bool secrets_tells(const struct secrets *secrets, struct str text);
/* The text with "(sensitive)" in the place of each; the text itself where it tells none. */
bool secrets_hide(const struct secrets *secrets, struct arena *arena, struct str text,
                  struct str *ret, struct err *err);
