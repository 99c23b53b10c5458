/* unicode.h - what a code point is, as Go's package unicode has it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

bool unicode_is_letter(uint32_t c);
bool unicode_is_digit(uint32_t c); /* of decimal numbers, in any script */
/* IsPrint: letters, marks, numbers, punctuation, symbols and the ASCII space. */
bool unicode_prints(uint32_t c);
uint32_t unicode_title(uint32_t c);
