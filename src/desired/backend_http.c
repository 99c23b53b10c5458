/* backend_http.c - the http backend of Terraform, read with one GET. */
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "desired/backend.h"
#include "value/value.h"
#include "wire/http.h"

enum { ATTEMPTS = 3, WAIT_MS = 500, MARK_MS = 60000 };

/* The configuration as `init` wrote it, else what the environment says; NUL-ended or NULL. */
static const char *setting(struct arena *arena, const struct value *config, struct str key,
                           const char *env)
{
    struct str text = value_get_string(config, key);
    if (text.len)
        return arena_dup(arena, text).ptr;
    const char *value = getenv(env);
    return value && *value ? value : NULL;
}

static void pause_ms(int ms)
{
    struct timespec wait = {ms / 1000, (long)(ms % 1000) * 1000000};
    (void)nanosleep(&wait, NULL);
}

static bool fetch(struct arena *arena, const struct http_get *get, struct http_answer *ret,
                  struct err *err)
{
    for (int attempt = 1;; attempt++) {
        bool ok = http_fetch(arena, get, ret, err);
        bool again = ok ? ret->status >= 500 : err && err->kind == ERR_UNAVAILABLE;
        if (!again || attempt == ATTEMPTS)
            return ok;
        err_clear(err);
        pause_ms(attempt * WAIT_MS);
    }
}

static bool refused(struct str label, long status, struct err *err)
{
    static const struct {
        long status;
        const char *why;
    } rows[] = {
        {401, "it wants a user and a password (TF_HTTP_USERNAME, TF_HTTP_PASSWORD)"},
        {403, "this user may not read it (TF_HTTP_USERNAME, TF_HTTP_PASSWORD)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == status)
            return err_set(err, ERR_REMOTE, "GET %.*s: status %ld: %s", STR_ARG(label), status,
                           rows[i].why);
    return err_set(err, ERR_REMOTE, "GET %.*s: status %ld where 200, 204 or 404 was expected",
                   STR_ARG(label), status);
}

/* Who asks, and how the other side is known. */
static bool prepare(struct arena *arena, struct str address, const struct value *config,
                    struct http_get *ret, struct str *ret_label, struct err *err)
{
    const char *url = address.len ? arena_dup(arena, address).ptr : getenv("TF_HTTP_ADDRESS");
    if (!url)
        return err_set(err, ERR_USAGE, "the http backend has no address: set TF_HTTP_ADDRESS");
    *ret = (struct http_get){
        .url = url,
        .user = setting(arena, config, STR("username"), "TF_HTTP_USERNAME"),
        .password = setting(arena, config, STR("password"), "TF_HTTP_PASSWORD"),
        .skip_verify = value_get_bool(config, STR("skip_cert_verification"), false),
        .ca_pem = str_from(setting(arena, config, STR("client_ca_certificate_pem"),
                                   "TF_HTTP_CLIENT_CA_CERTIFICATE_PEM")),
        .client_pem = str_from(setting(arena, config, STR("client_certificate_pem"),
                                       "TF_HTTP_CLIENT_CERTIFICATE_PEM")),
        .client_key = str_from(setting(arena, config, STR("client_private_key_pem"),
                                       "TF_HTTP_CLIENT_PRIVATE_KEY_PEM")),
        .max_bytes = BACKEND_STATE_MAX,
    };
    *ret_label = http_label(arena, str_from(url));
    return ret_label->ptr || arena_full(arena, err);
}

/* All of a state that has no ETag is read, and only its digest kept. */
bool backend_http_mark(struct arena *arena, struct str address, const struct value *config,
                       struct str before, struct str *ret, struct err *err)
{
    static const struct str etag = STR_INIT("etag:");
    AUTO_ARENA scratch = {.limit = BACKEND_STATE_MAX};
    struct http_get get;
    struct http_answer answer = {0};
    struct str label;
    if (!prepare(&scratch, address, config, &get, &label, err))
        return false;
    struct str known = str_starts(before, etag) ? str_sub(before, etag.len, before.len) : STR("");
    struct str line = arena_printf(&scratch, "If-None-Match: %.*s", STR_ARG(known));
    const char *const header[] = {line.ptr, NULL};
    if (!line.ptr)
        return arena_full(&scratch, err);
    if (known.len)
        get.header = header;
    get.total_ms = MARK_MS; /* whoever looks looks again */
    if (!http_fetch(&scratch, &get, &answer, err))
        return false;
    if (answer.status == 304 && known.len) {
        *ret = arena_dup(arena, before);
    } else if (answer.status == 200 && answer.body.len) {
        if (!answer.etag.len)
            return digest_text_of(arena, answer.body, ret, err);
        *ret = arena_printf(arena, "etag:%.*s", STR_ARG(answer.etag));
    } else if (answer.status == 200 || answer.status == 204 || answer.status == 404) {
        *ret = STR("none");
    } else {
        return refused(label, answer.status, err);
    }
    return ret->ptr || arena_full(arena, err);
}

bool backend_http(struct arena *arena, struct str address, const struct value *config,
                  struct backend_text *ret, struct err *err)
{
    struct http_get get;
    struct str label;
    if (!prepare(arena, address, config, &get, &label, err))
        return false;
    struct http_answer answer = {0};
    if (!fetch(arena, &get, &answer, err))
        return false;
    struct backend_text made = {.name = label.ptr};
    if (answer.status == 200 && answer.body.len) {
        made.text = answer.body;
    } else if (answer.status == 200 || answer.status == 204 || answer.status == 404) {
        made.missing = true;
        made.why = arena_printf(arena, "there is no state at %.*s (status %ld)", STR_ARG(label),
                                answer.status);
        if (!made.why.ptr)
            return arena_full(arena, err);
    } else {
        return refused(label, answer.status, err);
    }
    *ret = made;
    return true;
}
