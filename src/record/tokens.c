/* tokens.c - tokens in the store. */
#include "record/tokens.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/openssl.h"
#include "record/db.h"

static bool make_text(struct arena *arena, struct str *ret, struct err *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bytes[33] = {0}; /* the last one is not random: 43 digits hold 32 bytes */
    char *text = arena_new(arena, char, TOKEN_TEXT + 1);
    if (!text)
        return arena_full(arena, err);
    if (!openssl_load_crypto(err))
        return false;
    if (RAND_bytes(bytes, 32) != 1)
        return err_set(err, ERR_UNAVAILABLE, "there are no random bytes to make a token of");
    memcpy(text, "plumb_", 6);
    for (size_t i = 0; i < 43; i++) {
        size_t bit = i * 6, at = bit / 8;
        unsigned pair = (unsigned)bytes[at] << 8 | (at + 1 < 33 ? bytes[at + 1] : 0);
        text[6 + i] = digits[pair >> (10 - bit % 8) & 63];
    }
    *ret = (struct str){text, TOKEN_TEXT};
    return true;
}

static bool insert(struct db *db, const struct token *t, struct err *err)
{
    struct str hash = {(const char *)t->hash.byte, DIGEST_SIZE};
    struct db_value row[] = {DB_PARAM_INT(t->id),
                             DB_PARAM_BYTES(hash),
                             DB_PARAM_TEXT(t->name),
                             DB_PARAM_TEXT(t->stacks),
                             DB_PARAM_TEXT(str_from(role_name(t->role))),
                             DB_PARAM_INT(t->created_utc_ms),
                             DB_PARAM_INT(t->expires_utc_ms),
                             DB_PARAM_TEXT(t->created_by),
                             DB_PARAM_TEXT(t->certificate)};
    return db_run(
        db,
        "INSERT INTO token (id, hash, name, stacks, role, created_utc_ms, "
        "expires_utc_ms, revoked_utc_ms, created_by, certificate) VALUES ($1, $2, $3, $4, "
        "$5, $6, $7, 0, $8, $9)",
        row, sizeof row / sizeof *row, err);
}

/* One certificate may get a token again once the one before does not count any more; that keeps its
 * row, under a digest that nobody can show. */
static bool make_room(struct db *db, const struct token *made, struct err *err)
{
    int64_t before = 0;
    struct str hash = {(const char *)made->hash.byte, DIGEST_SIZE};
    const struct db_value live[] = {DB_PARAM_BYTES(hash), DB_PARAM_INT(made->created_utc_ms)};
    if (!db_one_int(db,
                    "SELECT coalesce(max(id), 0) FROM token WHERE hash = $1 AND revoked_utc_ms = 0 "
                    "AND (expires_utc_ms = 0 OR expires_utc_ms > $2)",
                    live, 2, &before, err))
        return false;
    if (before)
        return err_set(err, ERR_USAGE,
                       "the certificate has token %lld already (plumb token revoke %lld ends that)",
                       (long long)before, (long long)before);
    struct digest other;
    struct sha256 *sha = sha256_open(err);
    if (!sha)
        return false;
    sha256_add_field(sha, STR("plumb: was a certificate of a token before"));
    sha256_add_field(sha, (struct str){(const char *)&made->id, sizeof made->id});
    sha256_add_field(sha, hash);
    if (!sha256_close(sha, &other, err))
        return false;
    struct str gone = {(const char *)other.byte, DIGEST_SIZE};
    const struct db_value row[] = {DB_PARAM_BYTES(hash), DB_PARAM_BYTES(gone)};
    return db_run(db, "UPDATE token SET hash = $2 WHERE hash = $1", row, 2, err);
}

/* Its id and its row, in a transaction of its own. */
static bool keep(struct db *db, struct token *token, struct err *err)
{
    struct token made = *token;
    int64_t last = 0;
    if (made.stacks.ptr == NULL)
        made.stacks = STR("");
    if (made.created_by.ptr == NULL)
        made.created_by = STR("");
    if (made.certificate.ptr == NULL)
        made.certificate = STR("");
    if (!db_begin(db, DB_WRITE, err))
        return false;
    bool ok = db_one_int(db, "SELECT coalesce(max(id), 0) FROM token", NULL, 0, &last, err);
    if (ok && last >= TOKENS_MAX)
        ok = err_set(err, ERR_LIMIT, "there are %d tokens, which is the most", TOKENS_MAX);
    made.id = last + 1;
    ok = ok && make_room(db, &made, err) && insert(db, &made, err) && db_commit(db, err);
    if (!ok) {
        db_rollback(db);
        return err_wrap(err, "create a token");
    }
    *token = made;
    return true;
}

bool token_create(struct arena *arena, struct db *db, struct token *token, struct str *ret_text,
                  struct err *err)
{
    struct str text = {0};
    if (!make_text(arena, &text, err) || !token_hash(text, &token->hash, err) ||
        !keep(db, token, err))
        return false;
    *ret_text = text;
    return true;
}

bool token_create_known(struct db *db, struct token *token, struct err *err)
{
    return keep(db, token, err);
}

struct listing {
    struct arena *arena;
    struct token *token;
    size_t n, room;
};

static bool on_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct listing *list = ctx;
    struct str hash = db_bytes(row, 1);
    if (list->n == TOKENS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d tokens", TOKENS_MAX);
    if (list->n == list->room) {
        struct token *grown =
            arena_grow(list->arena, list->token, list->n, &list->room, list->n + 1);
        if (!grown)
            return arena_full(list->arena, err);
        list->token = grown;
    }
    struct token t = {.id = db_int(row, 0),
                      .name = arena_dup(list->arena, db_text(row, 2)),
                      .stacks = arena_dup(list->arena, db_text(row, 3)),
                      .created_utc_ms = db_int(row, 5),
                      .expires_utc_ms = db_int(row, 6),
                      .revoked_utc_ms = db_int(row, 7),
                      .created_by = arena_dup(list->arena, db_text(row, 8)),
                      .certificate = arena_dup(list->arena, db_text(row, 9))};
    if (!t.name.ptr || !t.stacks.ptr || !t.created_by.ptr || !t.certificate.ptr)
        return arena_full(list->arena, err);
    /* A role that this plumb does not know, or a broken digest: a token that may nothing. */
    if (hash.len != DIGEST_SIZE || !role_from(db_text(row, 4), &t.role))
        t.role = ROLE_NONE;
    else
        memcpy(t.hash.byte, hash.ptr, DIGEST_SIZE);
    list->token[list->n++] = t;
    return true;
}

bool token_list(struct arena *arena, struct db *db, struct token **ret, size_t *ret_n,
                struct err *err)
{
    struct listing list = {.arena = arena};
    if (!db_query(db,
                  "SELECT id, hash, name, stacks, role, created_utc_ms, expires_utc_ms, "
                  "revoked_utc_ms, created_by, certificate FROM token ORDER BY id",
                  NULL, 0, on_row, &list, err))
        return err_wrap(err, "read the tokens");
    *ret = list.token;
    *ret_n = list.n;
    return true;
}

bool token_revoke(struct db *db, int64_t id, int64_t now_utc_ms, struct err *err)
{
    struct db_value param[] = {DB_PARAM_INT(id), DB_PARAM_INT(now_utc_ms)};
    if (!db_run(db,
                "UPDATE token SET revoked_utc_ms = CASE revoked_utc_ms WHEN 0 THEN $2 ELSE "
                "revoked_utc_ms END WHERE id = $1",
                param, 2, err))
        return err_wrap(err, "revoke token %lld", (long long)id);
    return db_changed(db) > 0 ||
           err_set(err, ERR_USAGE, "there is no token %lld; `plumb token list` shows them",
                   (long long)id);
}
