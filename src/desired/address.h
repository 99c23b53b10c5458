/* address.h - resource addresses as Terraform prints them.
 *
 * Shape:   [module.NAME[KEY].]*[data.]TYPE.NAME[KEY], deposed objects with " (deposed HEX)" behind
 * Source:  facts/terraform.md 4.2; Terraform internal/addrs, instance_key.go (toHCLQuotedString)
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "model/resource.h"

struct arena;
struct buf;

/* "[0]" or "[\"a\"]"; nothing for null. The key is a string or an int64 number. */
void address_print_key(struct buf *out, const struct value *key);
/* A string as HCL quotes it, with its quotes. */
void address_quote(struct buf *out, struct str s);
/* module (or empty), mode, type, name, key and deposed (or empty) of r make its address. */
void address_print(struct buf *out, const struct resource *r);

/*
 * What a state calls a provider: `provider["HOST/NS/TYPE"]`, the same with `.alias` or
 * `.alias["key"]` behind it, with `module.a.` before it, and the older `provider.TYPE`.
 * ret  HOST/NS/TYPE; a view into text, or in the arena for the older spelling
 * False if text is none of these, or the arena is full.
 */
bool address_provider(struct arena *arena, struct str text, struct str *ret);
