/* automtls.h - go-plugin's AutoMTLS: each side makes a certificate and trusts the other's only.
 *
 * Ours:    P-256, self-signed for "localhost", new for every provider process; the key never leaves
 *          memory. Theirs: the certificate of the handshake line is the only root
 * Source:  facts/terraform.md 1.4, facts/dependencies.md "AutoMTLS"
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct err;
struct automtls;
struct ssl_ctx_st;

bool automtls_open(struct automtls **ret, struct err *err);
void automtls_close(struct automtls *mtls); /* NULL is fine */
/* Our certificate in PEM, for PLUGIN_CLIENT_CERT; valid until closed. */
struct str automtls_pem(const struct automtls *mtls);
/* A context that trusts the server's certificate (base64 DER, padding optional) and nothing else,
 * with ALPN h2. The caller frees it (SSL_CTX_free). */
struct ssl_ctx_st *automtls_context(const struct automtls *mtls, struct str server_certificate,
                                    struct err *err);
