/* secrets.h - signatures of requests: HMAC in hex, compared in constant time. */
#pragma once
#include <stdbool.h>

#include "base/str.h"

enum secret_hash { SECRET_SHA256, SECRET_SHA512 };
/* Is hex the HMAC of the bytes? An empty key or signature never is. */
bool secret_signed(enum secret_hash hash, struct str key, struct str bytes, struct str hex);
