/* schema_format.h - the `format` keyword of JSON Schema: is a text a date, an address, a URI?
 *
 * Source: JSON Schema validation, draft 7, 7.3; what is taken for each is what OPA takes (Go's
 * parsers of times, addresses and URIs)
 */
#pragma once
#include "base/str.h"

/* A format that is not known fits every text. */
bool rego_is_format(struct str format, struct str text);
