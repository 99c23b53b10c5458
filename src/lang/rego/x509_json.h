/* x509_json.h - certificates, requests and private keys written as JSON of the shape that Go's
 * structures have; a policy reads their members by these names.
 *
 * Source: RFC 5280, RFC 2986, RFC 7517; the names are those of Go's crypto/x509 (facts/rego.md 11)
 */
#pragma once

#include "base/openssl.h"
#include "wire/json.h"

/* uri_strings  with the member URIStrings, which OPA adds in some answers */
void x509_write_certificate(struct jsonw *w, X509 *certificate, bool uri_strings);
void x509_write_request(struct jsonw *w, X509_REQ *request);
/* RSA, EC and Ed25519; another kind is null. */
void x509_write_private_key(struct jsonw *w, EVP_PKEY *key);
void x509_write_jwk(struct jsonw *w, EVP_PKEY *key);
