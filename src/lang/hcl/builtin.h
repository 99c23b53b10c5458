/* builtin.h - the functions of terraform.io/builtin/terraform, which needs no plugin. */
#pragma once
#include "lang/hcl/eval.h"

/*
 * encode_tfvars, decode_tfvars, encode_expr: for struct hcl_world.call_provider, once the caller
 * has found that the local name of `name` ("provider::terraform::encode_expr") stands for the
 * built-in provider. args are as evaluated, marks and unknowns included. False adds a diagnostic;
 * it has no place of its own.
 */
bool hcl_call_builtin_provider(struct hcl_eval *ev, struct str name, const struct value *args,
                               size_t nargs, struct value *ret);
