/* sigv4.c - the canonical request, its digest, and a key derived by day, region and service. */
#include "wire/sigv4.h"

#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

enum { CANONICAL_BYTES = 64 << 10, SIGNED_MAX = 16 };

struct str sigv4_encode_path(struct arena *arena, struct str path)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = arena_new(arena, char, path.len * 3 + 1);
    size_t n = 0;
    if (!out)
        return (struct str){0};
    for (size_t i = 0; i < path.len; i++) {
        unsigned char c = (unsigned char)path.ptr[i];
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
            c == '-' || c == '.' || c == '_' || c == '~' || c == '/') {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    return (struct str){out, n};
}

struct signing {
    const struct sigv4_request *of;
    char time[20], day[12], payload[DIGEST_HEX + 1];
    struct sigv4_header header[SIGNED_MAX];
    size_t n;
};

static bool hex_of(struct str bytes, char out[DIGEST_HEX + 1], struct err *err)
{
    struct digest digest;
    if (!digest_sha256(bytes, &digest, err))
        return false;
    digest_hex(&digest, out);
    return true;
}

static bool collect(struct signing *s, struct err *err)
{
    const struct sigv4_request *r = s->of;
    time_t now = (time_t)(r->now_utc_ms / 1000);
    struct tm utc;
    if (!gmtime_r(&now, &utc) || !hex_of(r->payload, s->payload, err))
        return err_set(err, ERR_LIMIT, "a request cannot be signed at this time");
    (void)strftime(s->time, sizeof s->time, "%Y%m%dT%H%M%SZ", &utc);
    (void)strftime(s->day, sizeof s->day, "%Y%m%d", &utc);
    if (r->nheaders + 4 > SIGNED_MAX)
        return err_set(err, ERR_LIMIT, "too many headers to sign");
    const struct sigv4_header own[] = {{STR("host"), r->host},
                                       {STR("x-amz-content-sha256"), str_from(s->payload)},
                                       {STR("x-amz-date"), str_from(s->time)},
                                       {STR("x-amz-security-token"), r->token}};
    for (size_t i = 0, k = 0; i < r->nheaders || k < 4;) {
        bool given = k == 4 || (i < r->nheaders && str_compare(r->header[i].name, own[k].name) < 0);
        struct sigv4_header next = given ? r->header[i++] : own[k++];
        if (next.value.len)
            s->header[s->n++] = next;
    }
    return true;
}

static void add_names(const struct signing *s, struct buf *out)
{
    for (size_t i = 0; i < s->n; i++)
        buf_printf(out, "%s%.*s", i ? ";" : "", STR_ARG(s->header[i].name));
}

static bool canonical_digest(const struct signing *s, char out[DIGEST_HEX + 1], struct err *err)
{
    AUTO_BUF text = {.limit = CANONICAL_BYTES};
    const struct sigv4_request *r = s->of;
    buf_printf(&text, "%.*s\n%.*s\n\n", STR_ARG(r->method), STR_ARG(r->path));
    for (size_t i = 0; i < s->n; i++)
        buf_printf(&text, "%.*s:%.*s\n", STR_ARG(s->header[i].name),
                   STR_ARG(str_trim(s->header[i].value)));
    buf_char(&text, '\n');
    add_names(s, &text);
    buf_printf(&text, "\n%s", s->payload);
    return buf_ok(&text, err) && hex_of(buf_view(&text), out, err);
}

static struct str bytes_of(const struct digest *digest)
{
    return (struct str){(const char *)digest->byte, DIGEST_SIZE};
}

/* The secret, then day, region, service and "aws4_request", each keyed by what came before. */
static bool derive_key(struct arena *arena, const struct signing *s, struct digest *ret,
                       struct err *err)
{
    const struct sigv4_request *r = s->of;
    struct str first = arena_printf(arena, "AWS4%.*s", STR_ARG(r->secret));
    const struct str part[] = {str_from(s->day), r->region, r->service, STR("aws4_request")};
    struct digest key;
    if (!first.ptr)
        return arena_full(arena, err);
    for (size_t i = 0; i < 4; i++) {
        struct digest next;
        if (!digest_hmac_sha256(i ? bytes_of(&key) : first, part[i], &next, err))
            return false;
        key = next;
    }
    *ret = key;
    return true;
}

bool sigv4_sign(struct arena *arena, const struct sigv4_request *request,
                const char *ret[SIGV4_HEADERS + 1], struct err *err)
{
    struct signing s = {.of = request};
    char canonical[DIGEST_HEX + 1], signature[DIGEST_HEX + 1];
    struct digest key, signed_;
    AUTO_BUF names = {.limit = CANONICAL_BYTES};
    if (!collect(&s, err) || !canonical_digest(&s, canonical, err) ||
        !derive_key(arena, &s, &key, err))
        return false;
    struct str scope = arena_printf(arena, "%s/%.*s/%.*s/aws4_request", s.day,
                                    STR_ARG(request->region), STR_ARG(request->service));
    struct str text =
        arena_printf(arena, "AWS4-HMAC-SHA256\n%s\n%.*s\n%s", s.time, STR_ARG(scope), canonical);
    if (!scope.ptr || !text.ptr)
        return arena_full(arena, err);
    if (!digest_hmac_sha256(bytes_of(&key), text, &signed_, err))
        return false;
    digest_hex(&signed_, signature);
    add_names(&s, &names);
    struct str view = buf_view(&names);
    struct str line[SIGV4_HEADERS] = {
        arena_printf(arena,
                     "Authorization: AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, "
                     "Signature=%s",
                     STR_ARG(request->key_id), STR_ARG(scope), STR_ARG(view), signature),
        arena_printf(arena, "x-amz-date: %s", s.time),
        arena_printf(arena, "x-amz-content-sha256: %s", s.payload),
        request->token.len
            ? arena_printf(arena, "x-amz-security-token: %.*s", STR_ARG(request->token))
            : (struct str){0}};
    if (names.failed || !line[0].ptr || !line[1].ptr || !line[2].ptr ||
        (request->token.len && !line[3].ptr))
        return arena_full(arena, err);
    for (size_t i = 0; i < SIGV4_HEADERS; i++)
        ret[i] = line[i].ptr;
    ret[SIGV4_HEADERS] = NULL;
    return true;
}
