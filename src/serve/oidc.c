/* oidc.c - who sent it, by a signed token. */
#include "serve/oidc.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/io.h"
#include "base/openssl.h"
#include "wire/base64.h"
#include "wire/http.h"
#include "wire/jose.h"
#include "wire/json.h"

#define GOOGLE "https://accounts.google.com"
#define GOOGLE_KEYS "https://www.googleapis.com/oauth2/v3/certs"
enum {
    FETCH_MS = 10000,
    FRESH_MS = 3600000,
    KEPT_MS = 86400000,
    AGAIN_MS = 30000 /* a token with an unknown key does not make us ask more often */
};

struct oidc {
    struct oidc_settings settings;
    pthread_mutex_t lock;
    pthread_cond_t fetched;
    bool fetching;
    struct arena arena; /* of the keys */
    struct jose_keys keys;
    bool has_keys;
    int64_t got_ms, tried_ms; /* monotonic; 0 = never */
    struct err why;           /* of the last try */
};

/* --- keys --- */

static bool is_url(struct str keys)
{
    return str_find(keys, STR("://"), 0) != SIZE_MAX;
}

static bool read_keys(struct arena *arena, struct str from, struct str *ret, struct err *err)
{
    struct str ended = arena_dup(arena, from);
    struct http_answer answer = {0};
    if (!ended.ptr)
        return arena_full(arena, err);
    if (!is_url(from))
        return io_read_file(arena, ended.ptr, OIDC_KEYS_MAX, ret, err);
    const struct http_get get = {
        .url = ended.ptr, .max_bytes = OIDC_KEYS_MAX, .total_ms = FETCH_MS, .method = "GET"};
    if (!http_fetch(arena, &get, &answer, err))
        return false;
    *ret = answer.body;
    return answer.status == 200 ||
           err_set(err, ERR_UNAVAILABLE, "the answer is %ld", answer.status);
}

static bool load(struct oidc *o, struct arena *arena, struct jose_keys *ret, struct err *err)
{
    struct str text;
    if (!openssl_load_crypto(err))
        return false;
    return read_keys(arena, o->settings.keys, &text, err) && jose_keys_trust(arena, text, ret, err);
}

/* Under the lock, which is given up meanwhile: others go on with the keys that there are. */
static void fetch(struct oidc *o)
{
    struct arena arena = {.limit = 4 << 20};
    struct jose_keys keys = {0};
    struct err err = {0};
    o->fetching = true;
    (void)pthread_mutex_unlock(&o->lock);
    bool ok = load(o, &arena, &keys, &err);
    (void)pthread_mutex_lock(&o->lock);
    o->fetching = false;
    o->tried_ms = clock_monotonic_ms();
    o->why = err;
    (void)pthread_cond_broadcast(&o->fetched);
    if (!ok) {
        jose_keys_free(&keys);
        arena_free(&arena);
        return;
    }
    jose_keys_free(&o->keys);
    arena_free(&o->arena);
    o->arena = arena;
    o->keys = keys;
    o->has_keys = true;
    o->got_ms = o->tried_ms;
}

static const struct jose_key *find_key(const struct oidc *o, struct str kid)
{
    for (size_t i = 0; o->has_keys && i < o->keys.n; i++) {
        const struct jose_key *k = &o->keys.key[i];
        bool fits = k->key && (!k->alg.len || str_equal(k->alg, STR("RS256")));
        if (fits && (str_equal(k->kid, kid) || !k->kid.len))
            return k;
    }
    return NULL;
}

/* Under the lock. NULL: there is none of that name, or there are none at all (o->why). */
static const struct jose_key *get_key(struct oidc *o, struct str kid)
{
    for (int round = 0;; round++) {
        int64_t now = clock_monotonic_ms();
        const struct jose_key *key = find_key(o, kid);
        bool fresh = o->has_keys && now - o->got_ms < FRESH_MS;
        bool may_ask = !o->tried_ms || now - o->tried_ms >= AGAIN_MS;
        if (o->has_keys && now - o->got_ms >= KEPT_MS)
            key = NULL;
        if ((key && fresh) || round > 1)
            return key;
        if (o->fetching && !key)
            (void)pthread_cond_wait(&o->fetched, &o->lock);
        else if (!o->fetching && may_ask)
            fetch(o);
        else
            return key;
    }
}

/* --- a token --- */

struct token {
    struct str message, signature;
    struct value header, claims;
};

static bool decode(struct arena *arena, struct str part, struct str *ret, struct err *err)
{
    AUTO_BUF bytes = {.limit = OIDC_TOKEN_MAX};
    size_t bad;
    if (!base64_read(&bytes, part, BASE64_URL, &bad))
        return err_set(err, ERR_USAGE, "a part of it is no base64");
    *ret = arena_dup(arena, buf_view(&bytes));
    return ret->ptr || arena_full(arena, err);
}

static bool decode_object(struct arena *arena, struct str part, struct value *ret, struct err *err)
{
    struct str json;
    if (!decode(arena, part, &json, err))
        return false;
    return (json_parse(arena, json, "token", JSON_DEFAULT, ret, NULL) &&
            ret->kind == VALUE_OBJECT) ||
           err_set(err, ERR_USAGE, "a part of it is no JSON object");
}

static bool read_token(struct arena *arena, struct str text, struct token *ret, struct err *err)
{
    struct str rest = text, head, claims;
    if (text.len > OIDC_TOKEN_MAX)
        return err_set(err, ERR_USAGE, "it has more than %d bytes", OIDC_TOKEN_MAX);
    if (!str_cut(&rest, '.', &head) || !str_cut(&rest, '.', &claims) ||
        str_find_char(rest, '.', 0) != SIZE_MAX)
        return err_set(err, ERR_USAGE, "it has not three parts");
    ret->message = str_sub(text, 0, head.len + 1 + claims.len);
    if (!decode_object(arena, head, &ret->header, err) ||
        !decode_object(arena, claims, &ret->claims, err) ||
        !decode(arena, rest, &ret->signature, err))
        return false;
    if (!str_equal(value_get_string(&ret->header, STR("alg")), STR("RS256")))
        return err_set(err, ERR_USAGE, "its algorithm is not RS256");
    return !value_get(&ret->header, STR("crit")) ||
           err_set(err, ERR_USAGE, "it asks for extensions (crit)");
}

static bool check_signature(struct oidc *o, const struct token *token, struct err *err)
{
    const struct jose_algorithm *rs256 = jose_algorithm_find(STR("RS256"));
    struct str kid = value_get_string(&token->header, STR("kid"));
    if (!openssl_load_crypto(err))
        return false;
    (void)pthread_mutex_lock(&o->lock);
    const struct jose_key *key = get_key(o, kid);
    bool good = key && jose_verify(rs256, key, token->message, token->signature, false);
    bool has_keys = o->has_keys;
    struct err why = o->why;
    (void)pthread_mutex_unlock(&o->lock);
    if (good)
        return true;
    if (key)
        return err_set(err, ERR_USAGE, "its signature does not fit");
    if (has_keys)
        return err_set(err, ERR_USAGE, "it is signed with a key that the issuer does not have");
    if (err)
        *err = why;
    return err_wrap(err, "there are no keys");
}

static bool is_for(const struct value *aud, struct str audience)
{
    if (aud && value_is_string(aud))
        return str_equal(value_text(aud), audience);
    for (size_t i = 0; aud && value_is_list_like(aud) && i < aud->len; i++)
        if (value_is_string(&aud->items[i]) && str_equal(value_text(&aud->items[i]), audience))
            return true;
    return false;
}

static bool check_times(const struct value *claims, int64_t now_s, struct err *err)
{
    const struct value *exp = value_get(claims, STR("exp"));
    const struct value *since[] = {value_get(claims, STR("iat")), value_get(claims, STR("nbf"))};
    int64_t at;
    if (!exp || !value_to_int64(exp, &at))
        return err_set(err, ERR_USAGE, "it does not say when it expires");
    if (at <= now_s - OIDC_LEEWAY_S)
        return err_set(err, ERR_USAGE, "it has expired");
    for (size_t i = 0; i < 2; i++)
        if (since[i] && (!value_to_int64(since[i], &at) || at > now_s + OIDC_LEEWAY_S))
            return err_set(err, ERR_USAGE, "it is not valid yet");
    return true;
}

static bool is_issuer(const struct oidc *o, struct str said)
{
    return str_equal(said, o->settings.issuer) || (str_equal(o->settings.issuer, STR(GOOGLE)) &&
                                                   str_equal(said, STR("accounts.google.com")));
}

static bool check_claims(const struct oidc *o, const struct value *claims, int64_t now_s,
                         struct err *err)
{
    struct str email = value_get_string(claims, STR("email"));
    bool known = false;
    if (!is_issuer(o, value_get_string(claims, STR("iss"))))
        return err_set(err, ERR_USAGE, "it is of another issuer");
    if (!is_for(value_get(claims, STR("aud")), o->settings.audience))
        return err_set(err, ERR_USAGE, "it is for another audience");
    if (!check_times(claims, now_s, err))
        return false;
    for (size_t i = 0; i < o->settings.nemails; i++)
        known |= email.len && glob_match(o->settings.email[i], email, '\0');
    if (!known)
        return err_set(err, ERR_USAGE, "it is of somebody whom events.oidc.emails does not name");
    return value_get_bool(claims, STR("email_verified"), false) ||
           err_set(err, ERR_USAGE, "its e-mail address is not verified");
}

bool oidc_check(struct oidc *o, struct arena *arena, struct str text, int64_t now_utc_ms,
                struct str *ret_email, struct err *err)
{
    struct token token = {0};
    if (!read_token(arena, text, &token, err) || !check_signature(o, &token, err) ||
        !check_claims(o, &token.claims, now_utc_ms / 1000, err))
        return err_wrap(err, "the OpenID Connect token");
    *ret_email = value_get_string(&token.claims, STR("email"));
    return true;
}

/* --- opening --- */

/* Keys that anybody on the way could replace are none. */
static bool check_place(struct str keys, struct err *err)
{
    static const struct str good[] = {STR_INIT("https://"), STR_INIT("http://127.0.0.1:"),
                                      STR_INIT("http://[::1]:"), STR_INIT("http://localhost:")};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (str_starts(keys, good[i]))
            return true;
    return err_set(err, ERR_USAGE, "keys that others could replace on the way: https is needed");
}

bool oidc_open(struct oidc **ret, const struct oidc_settings *settings, struct err *err)
{
    struct oidc *o = calloc(1, sizeof *o);
    if (!o)
        return err_set(err, ERR_LIMIT, "out of memory");
    o->settings = *settings;
    if (!o->settings.issuer.len)
        o->settings.issuer = STR(GOOGLE);
    if (!o->settings.keys.len)
        o->settings.keys = STR(GOOGLE_KEYS);
    (void)pthread_mutex_init(&o->lock, NULL);
    (void)pthread_cond_init(&o->fetched, NULL);
    bool url = is_url(o->settings.keys), ok = !url || check_place(o->settings.keys, err);
    if (ok && !url) {
        (void)pthread_mutex_lock(&o->lock);
        fetch(o);
        (void)pthread_mutex_unlock(&o->lock);
        ok = o->has_keys;
        if (!ok && err)
            *err = o->why;
    }
    if (!ok) {
        oidc_close(o);
        return false;
    }
    *ret = o;
    return true;
}

void oidc_close(struct oidc *o)
{
    if (!o)
        return;
    jose_keys_free(&o->keys);
    arena_free(&o->arena);
    (void)pthread_mutex_destroy(&o->lock);
    (void)pthread_cond_destroy(&o->fetched);
    free(o);
}
