/* push.c - what webhooks say of a push: GitHub, GitLab, Gitea, Bitbucket, and any that signs. */
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/openssl.h"
#include "serve/feeds_parts.h"
#include "serve/secrets.h"
#include "wire/json.h"

enum { SKEW_MS = 300000 };

/* --- the body --- */

static void add(struct push *push, struct str url)
{
    if (url.len && push->nrepositories < PUSH_NAMES_MAX)
        push->repository[push->nrepositories++] = url;
}

static void add_all(struct push *push, const struct value *object)
{
    static const char *const names[] = {"clone_url", "ssh_url", "git_url",     "html_url",
                                        "url",       "web_url", "git_ssh_url", "git_http_url"};
    for (size_t i = 0; object && object->kind == VALUE_OBJECT && i < sizeof names / sizeof *names;
         i++)
        add(push, value_get_string(object, str_from(names[i])));
}

/* Bitbucket: repository.links.html.href, push.changes[].new.{type, name}. */
static void take_bitbucket(struct push *push, const struct value *body)
{
    const struct value *links = value_get(value_get(body, STR("repository")), STR("links"));
    const struct value *changes = value_get(value_get(body, STR("push")), STR("changes"));
    add(push, value_get_string(value_get(links, STR("html")), STR("href")));
    if (!value_is_list_like(changes))
        return;
    push->ignored = true;
    for (uint32_t i = 0; i < changes->len; i++) {
        const struct value *to = value_get(&changes->items[i], STR("new"));
        if (!str_equal(value_get_string(to, STR("type")), STR("branch")))
            continue;
        /* of several branches: any of them */
        push->branch = push->ignored ? value_get_string(to, STR("name")) : (struct str){0};
        push->ignored = false;
    }
}

static void take_ref(struct push *push, struct str ref)
{
    if (str_starts(ref, STR("refs/heads/")))
        push->branch = str_sub(ref, 11, ref.len);
    else if (str_starts(ref, STR("refs/")))
        push->ignored = true; /* a tag, a note */
    else
        push->branch = ref;
}

bool push_parse(struct arena *arena, struct str body, struct push *ret, struct err *err)
{
    struct value v = {0};
    struct push push = {0};
    if (!json_parse(arena, body, "push", JSON_DUPLICATES_LAST, &v, err))
        return false;
    if (v.kind != VALUE_OBJECT)
        return err_set(err, ERR_SYNTAX, "push: not an object");
    const struct value *repository = value_get(&v, STR("repository"));
    if (value_is_string(repository))
        add(&push, value_text(repository));
    add_all(&push, repository);
    add_all(&push, value_get(&v, STR("project")));
    struct str ref = value_get_string(&v, STR("ref"));
    struct str kind = value_get_string(&v, STR("object_kind"));
    take_ref(&push, ref.len ? ref : value_get_string(&v, STR("branch")));
    if (value_get(&v, STR("push")))
        take_bitbucket(&push, &v);
    push.ignored |= (kind.len && !str_equal(kind, STR("push"))) || value_get(&v, STR("zen"));
    if (push.nrepositories == 0 && !push.ignored)
        return err_set(err, ERR_SYNTAX,
                       "push: no repository in it: want the body of GitHub, GitLab, Gitea or "
                       "Bitbucket, or {\"repository\": URL, \"branch\": NAME}");
    *ret = push;
    return true;
}

/* --- the signature --- */

/* "v1,BASE64 v1,BASE64 ..." over ID.TIMESTAMP.BODY; the key may be "whsec_BASE64". */
static bool standard_signed(const struct push_headers *headers, struct str key, struct str body,
                            int64_t now_utc_ms)
{
    AUTO_ARENA arena = {.limit = (size_t)4 * PUSH_BODY_MAX};
    struct digest mac;
    int64_t sent = 0;
    struct str rest = headers->signature, one, secret = key;
    if (!str_to_int64(headers->timestamp, &sent) || sent < now_utc_ms / 1000 - SKEW_MS / 1000 ||
        sent > now_utc_ms / 1000 + SKEW_MS / 1000 || headers->id.len == 0)
        return false;
    if (str_starts(key, STR("whsec_")) &&
        !base64_decode(&arena, str_sub(key, 6, key.len), &secret, NULL))
        return false;
    struct str text =
        arena_printf(&arena, "%.*s.%.*s.", STR_ARG(headers->id), STR_ARG(headers->timestamp));
    char *all = arena_new_raw(&arena, char, text.len + body.len);
    if (!text.ptr || !all)
        return false;
    memcpy(all, text.ptr, text.len);
    if (body.len)
        memcpy(all + text.len, body.ptr, body.len);
    if (!digest_hmac_sha256(secret, (struct str){all, text.len + body.len}, &mac, NULL))
        return false;
    for (bool more = true; more;) {
        struct str bytes = {0};
        more = str_cut(&rest, ' ', &one);
        if (str_starts(one, STR("v1,")) &&
            base64_decode(&arena, str_sub(one, 3, one.len), &bytes, NULL) &&
            bytes.len == DIGEST_SIZE && CRYPTO_memcmp(bytes.ptr, mac.byte, DIGEST_SIZE) == 0)
            return true;
    }
    return false;
}

/* By digests: neither length nor place of a difference is told by the time. */
static bool same_secret(struct str a, struct str b)
{
    struct digest x, y;
    return digest_sha256(a, &x, NULL) && digest_sha256(b, &y, NULL) && digest_equal(&x, &y);
}

bool push_is_signed(const struct push_headers *headers, struct str key, struct str body,
                    int64_t now_utc_ms)
{
    if (key.len == 0)
        return false;
    if (headers->signature.len)
        return standard_signed(headers, key, body, now_utc_ms);
    if (headers->github.len)
        return str_starts(headers->github, STR("sha256=")) &&
               secret_signed(SECRET_SHA256, key, body,
                             str_sub(headers->github, 7, headers->github.len));
    return headers->gitlab.len && same_secret(headers->gitlab, key);
}
