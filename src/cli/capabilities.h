/* capabilities.h - what policies may use, as a capabilities file of OPA says: which built-in
 * functions there are, and which keywords may be imported.
 *
 * Source: OPA's documentation ("Capabilities"); what the file's `features` and `allow_net` say is
 *         no matter: Rego v1 is always read, and there is no network
 */
#pragma once
#include "lang/rego/rego.h"

struct capabilities {
    const struct value *builtins; /* a list of objects with `name`; NULL = all */
    unsigned words;               /* of enum rego_words */
    bool own;                     /* what is asked from now on is no policy's: all may be called */
};
/* An empty path: what there is without a file. */
bool capabilities_read(struct arena *arena, struct str path, struct capabilities *ret,
                       struct err *err);
/* They must outlive what is compiled. */
struct rego_capabilities capabilities_of(const struct capabilities *capabilities);
void capabilities_apply(const struct capabilities *capabilities, struct rego_compile_options *how);
