/* utf8.h - RFC 3629: which bytes are UTF-8; reading and writing code points. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;

/* The offset of the first byte that is not UTF-8, or SIZE_MAX where all of s is. */
size_t utf8_bad_at(struct str s);
/* Length of the character at p (1 to 4), 0 if it is not one; left >= 1. */
size_t utf8_sequence(const unsigned char *p, size_t left);
/* The code point at s[*at]; moves *at on. U+FFFD and one byte on for a bad sequence. */
uint32_t utf8_next(struct str s, size_t *at);
/* 1 to 4 bytes into out; the count. Surrogates and > U+10FFFF become U+FFFD. */
size_t utf8_put(uint32_t code_point, char out[4]);
/* The end of the grapheme cluster (UAX 29, extended) that begins at s[at]; at < s.len. */
size_t utf8_cluster(struct str s, size_t at);
/* Unicode NFC (UAX 15); s itself where it already is. ptr NULL where the arena is full. */
struct str utf8_nfc(struct arena *arena, struct str s);
