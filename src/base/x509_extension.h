/* x509_extension.h - extensions of certificates that we make ourselves. */
#pragma once
#include <stdbool.h>

#include "base/openssl.h"

/* value as OpenSSL's configuration spells it: "critical,CA:TRUE". The certificate is its own
 * issuer.
 */
bool x509_extension_add(X509 *certificate, int nid, const char *value);
