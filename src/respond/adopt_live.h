/* adopt_live.h - what the code should say for what is live.
 *
 * A live value holds more than code says: computed attributes, what the provider fills in, nulls as
 * empty texts. What the code says and live agrees with stays; what differs becomes as it is live;
 * only what the code can set is there. Elements of lists and sets are matched by what the code says
 * of them.
 */
#pragma once
#include "respond/adopt.h"

/*
 * The changes that make an instance's configuration say what is live, one for each of the named
 * attributes and blocks.
 * live   an object of the schema's type, or the same in JSON's kinds
 * names  at the top of the schema, each once; those that only the provider sets are left out
 * asked  they are known to differ: also what the provider fills in is said, where the code does not
 * Fails with ERR_LIMIT (arena full), ERR_SYNTAX for a live value that does not fit the schema.
 */
bool adopt_live_changes(struct arena *arena, const struct code_instance *instance,
                        const struct value *live, const struct str *names, size_t n, bool asked,
                        const struct adopt_change **ret, size_t *ret_n, struct err *err);
/* The configuration of a whole resource that is live: an object, without what is empty and what the
 * provider fills in. */
bool adopt_live_config(struct arena *arena, const struct schema *schema, const struct value *live,
                       struct value *ret, struct err *err);
