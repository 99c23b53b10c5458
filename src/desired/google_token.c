/* google_token.c - asking for a token. */
#include "desired/google_token.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/openssl.h"
#include "wire/base64.h"
#include "wire/http.h"
#include "wire/jose.h"
#include "wire/json.h"

#define SCOPE "https://www.googleapis.com/auth/devstorage."
#define GOOGLE_TOKENS "https://oauth2.googleapis.com/token"
enum { CREDENTIALS_BYTES = 64 << 10, TOKEN_S = 3600, METADATA_MS = 3000 };

/* --- a signed assertion of a service account --- */

static EVP_PKEY *read_key(struct str pem)
{
    BIO *text = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = text ? PEM_read_bio_PrivateKey(text, NULL, NULL, NULL) : NULL;
    (void)BIO_free(text);
    return key;
}

static void claims(struct buf *out, struct str mail, struct str audience,
                   const struct google_asking *asking)
{
    int64_t now_s = asking->now_utc_ms / 1000;
    AUTO_BUF json = {.limit = CREDENTIALS_BYTES};
    struct jsonw w = {.out = &json};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("iss"), mail);
    jsonw_member_string(&w, STR("scope"),
                        asking->read_only ? STR(SCOPE "read_only") : STR(SCOPE "read_write"));
    jsonw_member_string(&w, STR("aud"), audience);
    jsonw_member_int(&w, STR("iat"), now_s);
    jsonw_member_int(&w, STR("exp"), now_s + TOKEN_S);
    jsonw_object_close(&w);
    base64_write(out, STR("{\"alg\":\"RS256\",\"typ\":\"JWT\"}"), BASE64_URL_BARE);
    buf_char(out, '.');
    base64_write(out, buf_view(&json), BASE64_URL_BARE);
}

static bool sign(struct arena *arena, const struct value *account, struct str audience,
                 const struct google_asking *asking, struct buf *out, struct err *err)
{
    struct str pem = value_get_string(account, STR("private_key")), signature;
    struct str mail = value_get_string(account, STR("client_email"));
    const struct jose_algorithm *rs256 = jose_algorithm_find(STR("RS256"));
    if (!openssl_load_crypto(err))
        return false;
    struct jose_key key = {.key = pem.len ? read_key(pem) : NULL, .is_private = true};
    if (!key.key || !mail.len) {
        EVP_PKEY_free(key.key);
        return err_set(err, ERR_SYNTAX,
                       "Google's credentials: private_key and client_email of a service account "
                       "are not there");
    }
    claims(out, mail, audience, asking);
    bool ok = jose_sign(arena, rs256, &key, buf_view(out), &signature, err);
    EVP_PKEY_free(key.key);
    if (!ok)
        return false;
    buf_char(out, '.');
    base64_write(out, signature, BASE64_URL_BARE);
    return buf_ok(out, err);
}

/* --- asking --- */

static bool take_token(struct arena *arena, const struct http_answer *answer, const char *of,
                       struct str *ret, struct err *err)
{
    struct value doc;
    if (answer->status != 200)
        return err_set(err, ERR_REMOTE, "%s gives no token: the answer is %ld", of, answer->status);
    if (!json_parse(arena, answer->body, of, JSON_DUPLICATES_LAST, &doc, err))
        return false;
    *ret = value_get_string(&doc, STR("access_token"));
    return ret->len || err_set(err, ERR_REMOTE, "%s: no access_token in its answer", of);
}

static void form(struct buf *out, const char *name, struct str text)
{
    buf_printf(out, "%s%s=", out->len ? "&" : "", name);
    for (size_t i = 0; i < text.len; i++)
        buf_printf(out, "%%%02X", (unsigned char)text.ptr[i]);
}

static bool exchange(struct arena *arena, const struct value *credentials,
                     const struct google_asking *asking, struct str *ret, struct err *err)
{
    AUTO_BUF body = {.limit = CREDENTIALS_BYTES};
    AUTO_BUF assertion = {.limit = CREDENTIALS_BYTES};
    const char *const header[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
    struct str type = value_get_string(credentials, STR("type"));
    struct str where = value_get_string(credentials, STR("token_uri"));
    struct http_answer answer = {0};
    where = where.len ? where : STR(GOOGLE_TOKENS);
    if (str_equal(type, STR("service_account"))) {
        if (!sign(arena, credentials, where, asking, &assertion, err))
            return false;
        form(&body, "grant_type", STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
        form(&body, "assertion", buf_view(&assertion));
    } else if (str_equal(type, STR("authorized_user"))) {
        form(&body, "grant_type", STR("refresh_token"));
        form(&body, "client_id", value_get_string(credentials, STR("client_id")));
        form(&body, "client_secret", value_get_string(credentials, STR("client_secret")));
        form(&body, "refresh_token", value_get_string(credentials, STR("refresh_token")));
    } else {
        return err_set(err, ERR_UNSUPPORTED,
                       "Google's credentials are of type '%.*s': service_account and "
                       "authorized_user are known; GOOGLE_OAUTH_ACCESS_TOKEN takes a token",
                       STR_ARG(type));
    }
    struct str url = arena_dup(arena, where);
    if (!url.ptr)
        return arena_full(arena, err);
    struct http_get get = {.url = url.ptr, .post = buf_view(&body), .header = header};
    return buf_ok(&body, err) && http_fetch(arena, &get, &answer, err) &&
           take_token(arena, &answer, "Google's token service", ret, err);
}

static bool ask_machine(struct arena *arena, const char *(*env)(const char *name), struct str *ret,
                        struct err *err)
{
    const char *host = env("GCE_METADATA_HOST");
    const char *const header[] = {"Metadata-Flavor: Google", NULL};
    struct http_answer answer = {0};
    struct str url =
        arena_printf(arena, "http://%s/computeMetadata/v1/instance/service-accounts/default/token",
                     host && *host ? host : "metadata.google.internal");
    if (!url.ptr)
        return arena_full(arena, err);
    struct http_get get = {
        .url = url.ptr, .method = "GET", .header = header, .total_ms = METADATA_MS};
    if (!http_fetch(arena, &get, &answer, NULL))
        return err_set(err, ERR_UNAVAILABLE,
                       "there are no credentials for Google Cloud: GOOGLE_OAUTH_ACCESS_TOKEN, "
                       "GOOGLE_CREDENTIALS and GOOGLE_APPLICATION_CREDENTIALS are not set, and "
                       "this is no machine of theirs");
    return take_token(arena, &answer, "the metadata server", ret, err);
}

/* --- where they are --- */

static bool read_file(struct arena *arena, struct str path, struct str *ret, struct err *err)
{
    struct str ended = arena_dup(arena, path);
    return ended.ptr ? io_read_file(arena, ended.ptr, CREDENTIALS_BYTES, ret, err)
                     : arena_full(arena, err);
}

static bool take(struct arena *arena, struct str text, const char *name, struct str *ret,
                 struct err *err)
{
    if (text.ptr[0] != '{')
        return read_file(arena, text, ret, err) || err_wrap(err, "%s", name);
    *ret = text;
    return true;
}

/* JSON, or the path of a file with it; empty where there is neither. */
static bool find(struct arena *arena, const struct google_asking *asking, struct str *ret,
                 struct err *err)
{
    const char *(*env)(const char *name) = asking->env;
    static const char *const names[] = {"GOOGLE_BACKEND_CREDENTIALS", "GOOGLE_CREDENTIALS",
                                        "GOOGLE_APPLICATION_CREDENTIALS"};
    *ret = STR("");
    if (str_trim(asking->given).len)
        return take(arena, str_trim(asking->given), "credentials of the backend", ret, err);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = env(names[i]);
        struct str text = str_trim(str_from(value ? value : ""));
        if (!text.len)
            continue;
        return take(arena, text, names[i], ret, err);
    }
    const char *home = env("HOME");
    struct str path = arena_printf(arena, "%s/.config/gcloud/application_default_credentials.json",
                                   home ? home : "");
    if (!path.ptr)
        return arena_full(arena, err);
    return !home || !io_exists(path.ptr) || read_file(arena, path, ret, err);
}

bool google_token(struct arena *arena, const struct google_asking *asking, struct str *ret,
                  struct err *err)
{
    const char *given = asking->env("GOOGLE_OAUTH_ACCESS_TOKEN");
    struct str text;
    struct value credentials;
    *ret = str_trim(str_from(given ? given : ""));
    if (ret->len)
        return true;
    if (!find(arena, asking, &text, err))
        return false;
    if (!text.len)
        return ask_machine(arena, asking->env, ret, err);
    if (!json_parse(arena, text, "Google's credentials", JSON_DUPLICATES_LAST, &credentials, NULL))
        return err_set(err, ERR_SYNTAX, "Google's credentials are no JSON");
    return exchange(arena, &credentials, asking, ret, err);
}
