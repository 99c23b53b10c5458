/* message.h - the one message that the proxy reads, and the answers that it gives itself.
 *
 * Source: facts/terraform.md 1.8, 2.2 (ApplyResourceChange has one layout in both protocols)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct err;

enum { GRPC_PREFIX = 5 }; /* compressed flag, length */

/* The one message of a unary request; ERR_SYNTAX where there is none, half of one, more than one,
 * or a compressed one. */
bool message_of_body(struct str body, struct str *ret, struct err *err);
/* The 5 bytes before a message; message_close() fills in its length. */
size_t message_open(struct buf *out);
void message_close(struct buf *out, size_t mark);

struct apply_request {
    struct str type;
    struct str prior_message, identity_message, private_bytes; /* as they came */
    struct str prior, planned, config;                         /* msgpack; ptr NULL = none */
};
bool apply_parse(struct arena *arena, struct str message, struct apply_request *ret,
                 struct err *err);
/* The msgpack that a provider is configured with; ptr NULL = none. */
bool configure_parse(struct arena *arena, struct str message, struct str *ret, struct err *err);
/* ApplyResourceChange.Response of a change that did not happen: the prior state, the planned
 * private bytes, one error. */
void apply_refuse(struct buf *out, const struct apply_request *request, struct str summary,
                  struct str detail);
/* Text as a grpc-message: percent-encoded. */
void message_text(struct buf *out, struct str text);
