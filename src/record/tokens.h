/* tokens.h - the tokens of the service in the store. */
#pragma once
#include "model/token.h"

struct arena;
struct db;
struct err;

/*
 * A new one, in a transaction of its own. In: name, stacks, role, created_utc_ms, expires_utc_ms,
 * created_by; filled: id and hash. ret_text is shown once and never again.
 */
bool token_create(struct arena *arena, struct db *db, struct token *token, struct str *ret_text,
                  struct err *err);
/* The same for who shows a certificate in place of a token's text: hash is given, its SHA-256.
 * ERR_USAGE where one of that hash counts already. */
bool token_create_known(struct db *db, struct token *token, struct err *err);
/* All of them, the revoked ones too, in the order of their ids. */
bool token_list(struct arena *arena, struct db *db, struct token **ret, size_t *ret_n,
                struct err *err);
/* ERR_USAGE where there is none of that id; revoking twice is fine. */
bool token_revoke(struct db *db, int64_t id, int64_t now_utc_ms, struct err *err);
