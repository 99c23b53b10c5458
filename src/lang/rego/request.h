/* request.h - the request objects of http.send and providers.aws.sign_req: which members they have.
 *
 * Source: facts/rego.md 11 (http.send)
 */
#pragma once
#include "lang/rego/builtin.h"

/* REGO_FAILED where operand 1 has members that no request has, or lacks url or method. */
enum rego_outcome rego_check_request(struct rego_call *call);
/* "operand 2 missing ...: {"a", "b"}" (a type error); key is sorted in place. */
enum rego_outcome rego_fail_keys(struct rego_call *call, size_t operand, const char *what,
                                 struct value *key, size_t n);
