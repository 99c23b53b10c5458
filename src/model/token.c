/* token.c - names of roles, and when a token counts. */
#include "model/token.h"

#include "base/err.h"

static const struct {
    const char *name, *meaning;
} role_rows[] = {
#define X(constant, name, meaning) {name, meaning},
    ROLES(X)
#undef X
};

const char *role_name(enum role role)
{
    return role_rows[role < ROLE_COUNT ? role : ROLE_NONE].name;
}

const char *role_meaning(enum role role)
{
    return role_rows[role < ROLE_COUNT ? role : ROLE_NONE].meaning;
}

bool role_from(struct str name, enum role *ret)
{
    for (size_t i = ROLE_NONE + 1; i < ROLE_COUNT; i++)
        if (str_equal(name, str_from(role_rows[i].name))) {
            *ret = (enum role)i;
            return true;
        }
    return false;
}

bool token_is_live(const struct token *token, int64_t now_utc_ms)
{
    return token->role > ROLE_NONE && token->role < ROLE_COUNT && token->revoked_utc_ms == 0 &&
           (token->expires_utc_ms == 0 || now_utc_ms < token->expires_utc_ms);
}

bool token_hash(struct str text, struct digest *ret, struct err *err)
{
    return digest_sha256(text, ret, err);
}
