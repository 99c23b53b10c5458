/* tf_reference.h - what Terraform says of a reference before it evaluates anything: undeclared
 * names, words that need more behind them, objects that are not there in this place.
 *
 * Source:  Terraform 1.11 addrs.ParseRef and the static checks of references
 */
#pragma once
#include "lang/hcl/eval.h"

enum tf_noun { TF_VARIABLE, TF_LOCAL, TF_MODULE, TF_RESOURCE, TF_DATA, TF_EPHEMERAL };

/* One module's names, and what the place of the reference offers. */
struct tf_names {
    /* type is empty except for resources. */
    bool (*declared)(void *ctx, enum tf_noun noun, struct str type, struct str name);
    void *ctx;
    bool has_count, has_each, has_self;
};
struct tf_problem {
    struct str summary, detail;
};

/* True if there is nothing to say; else *ret is Terraform's summary and detail. */
bool tf_reference_check(struct arena *arena, const struct hcl_traversal *reference,
                        const struct tf_names *names, struct tf_problem *ret);
