/* uri.h - URIs as Go's url.Parse takes them apart; views into the text, escapes as they are.
 *
 * Source: RFC 3986; Go's net/url
 */
#pragma once
#include "base/str.h"

struct uri {
    struct str scheme, user, host, port, path, query, fragment;
    bool opaque; /* a scheme, and no path behind it: mailto:x */
};
/* False: it is none, nor a reference relative to one. */
bool uri_parse(struct str s, struct uri *ret);
int uri_hex_digit(char c); /* -1: it is none */
