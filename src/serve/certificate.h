/* certificate.h - certificates as PEM: what one says, and one of our own.
 *
 * Source:  RFC 5280, RFC 7468
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"

struct arena;
struct err;

enum { CERTIFICATE_NAMES_MAX = 32 };

struct certificate {
    struct digest digest; /* SHA-256 of its DER: what clients and `openssl x509` call fingerprint */
    struct str subject;   /* "CN = ci, O = Example" without escapes; or empty */
    int64_t from_utc_ms, until_utc_ms;
};
/* The first one of the text. ERR_SYNTAX where there is none. */
bool certificate_read(struct arena *arena, struct str pem, struct certificate *ret,
                      struct err *err);
/*
 * A key (P-256) and a certificate that it signed itself, good for ten years, for TLS servers.
 * name  "plumb.example.com", "*.example.com", "10.0.0.5", "::1"; ERR_USAGE for what is neither
 * ret   PEM in the arena
 */
bool certificate_make(struct arena *arena, const struct str *name, size_t n, int64_t now_utc_ms,
                      struct str *ret_cert, struct str *ret_key, struct err *err);
