/* method.h - what a call to a provider is to the proxy, by its path.
 *
 * Source: facts/terraform.md 1.5, 2.1
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

/* Ordered by what they do to the process behind: from nothing to everything. */
enum method_kind {
    METHOD_STREAM,    /* logs and brokers: open for as long as the connection; says nothing */
    METHOD_PURE,      /* computes; a process that was asked only such things is as new */
    METHOD_SCHEMA,    /* the same; some providers know their types only after it */
    METHOD_CONFIGURE, /* what the process works with from now on */
    METHOD_STATEFUL,  /* needs or makes a configured process; changes no resource */
    METHOD_STOP,      /* the process gives up what it does */
    METHOD_SHUTDOWN,  /* the process ends; never passed on */
    METHOD_APPLY,     /* ApplyResourceChange: the guard decides */
    METHOD_CHANGE     /* other changes, and whatever we do not know: the guard decides */
};
struct method {
    enum method_kind kind;
    int protocol;    /* 5 or 6 for a provider's own service, else 0 */
    struct str name; /* what follows the last slash */
};
struct method method_of(struct str path);
