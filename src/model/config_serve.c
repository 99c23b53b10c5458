/* config_serve.c - the keys of `serve` in plumb.yaml. */
#include "model/config.h"
#include "model/config_field.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define AT(member) .at = offsetof(struct config, serve.member)

static const struct field tls_fields[] = {
    {.name = "cert",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(tls_cert),
     .text = "file with the certificate and its chain (PEM), relative to this file"},
    {.name = "key",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(tls_key),
     .text = "file with its private key (PEM, without a password), relative to this file"},
};
static const struct section tls_section = {
    .what = "serve.tls", .fields = tls_fields, .nfields = COUNT(tls_fields)};

static const struct field states_fields[] = {
    {.name = "keep",
     .kind = FIELD_INT,
     .least = 1,
     .most = 1000000,
     AT(keep_versions),
     .text = "versions of each state that are kept; without it all of them"},
    {.name = "guard_reads",
     .kind = FIELD_BOOL,
     AT(guard_reads),
     .text = "while something stands against an apply, a token of role apply reads a state under "
             "its lock only: stops -lock=false before it changes anything, and `init` with such a "
             "token"},
    {.name = "require_approval",
     .kind = FIELD_BOOL,
     AT(require_approval),
     .text = "everything but a plan uses up an approval that plumb gate --approve-token gave for "
             "this stack and state"},
    {.name = "unjudged",
     .kind = FIELD_STRING,
     .check = CHECK_LEVEL,
     AT(unjudged),
     .text = "drift that no policy was asked about: block an apply (without it), warn or off"},
};
static const struct section states_section = {
    .what = "serve.states", .fields = states_fields, .nfields = COUNT(states_fields)};

static const struct field serve_fields[] = {
    {.name = "listen",
     .kind = FIELD_STRING,
     .check = CHECK_FILLED,
     AT(listen),
     .text = "address and port, such as 127.0.0.1:7430 (without it); one that others can reach "
             "needs tls and tokens"},
    {.name = "url",
     .kind = FIELD_STRING,
     .check = CHECK_LOCATION,
     AT(url),
     .text = "how others reach it, for links: https://plumb.example.com"},
    {.name = "tls",
     .kind = FIELD_SECTION,
     .section = &tls_section,
     .text = "certificate and key; without them plain HTTP, on loopback only"},
    {.name = "anonymous",
     .kind = FIELD_BOOL,
     AT(anonymous),
     .text = "nobody needs a token; on loopback only"},
    {.name = "states",
     .kind = FIELD_SECTION,
     .section = &states_section,
     .text = "the state store and its lock"},
};
const struct section config_serve_section = {
    .what = "serve", .fields = serve_fields, .nfields = COUNT(serve_fields)};
