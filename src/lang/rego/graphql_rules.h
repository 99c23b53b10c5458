/* graphql_rules.h - inside validation: what its two files give each other. */
#pragma once
#include "lang/rego/graphql.h"

struct walk {
    struct graphql *g;
    const struct graphql_schema *schema;
    struct graphql_node *document,
        *operation;                    /* operation: NULL while a fragment is walked alone */
    struct graphql_names visited;      /* fragments walked for this operation or fragment */
    struct graphql_names used, cyclic; /* fragments: spread somewhere; looked at for cycles */
    struct graphql_overlap overlap;
    unsigned depth;
    size_t done; /* operations or fragments before this one, of the document */
};

/* A value stands where that argument or field is; checks follow with the walk. */
void graphql_expect(struct walk *w, struct graphql_node *value, const struct graphql_node *member);
void graphql_walk_value(struct walk *w, struct graphql_node *value);
/* prefix and the names that are near: ` Did you mean "a", "b", or "c"?`, or "". */
const char *graphql_suggest(struct walk *w, const char *prefix, struct str typed,
                            const struct graphql_list *of, bool quoted);
