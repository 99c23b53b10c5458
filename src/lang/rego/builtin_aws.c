/* builtin_aws.c - providers.aws.sign_req: requests signed as AWS asks (Signature Version 4). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/openssl.h"
#include "lang/rego/builtin.h"
#include "lang/rego/request.h"

enum { SHA256_BYTES = 32, SIGNED_HEADERS_MAX = 4096 };

struct signing {
    struct str access_key, secret_key, region, service, session_token;
    struct str method, host, path, query; /* path escaped, query as written */
    char day[16], time[24];               /* 20151228, 20151228T140825Z */
    struct str payload_hash;
};
struct header {
    struct str name, value;
};
struct headers {
    struct header *item;
    size_t n;
};

static struct str member(const struct value *object, const char *name)
{
    struct value key = value_string(str_from(name));
    const struct value *v = rego_get(object, &key);
    return value_is_string(v) ? value_text(v) : STR("");
}

static struct str hex(struct rego_call *call, const unsigned char bytes[SHA256_BYTES])
{
    AUTO_BUF out = {.limit = 128};
    for (size_t i = 0; i < SHA256_BYTES; i++)
        buf_printf(&out, "%02x", bytes[i]);
    return arena_dup(call->arena, buf_view(&out));
}

static struct str sha256(struct rego_call *call, struct str s)
{
    unsigned char out[SHA256_BYTES];
    return EVP_Digest(s.ptr, s.len, out, NULL, EVP_sha256(), NULL) ? hex(call, out)
                                                                   : (struct str){0};
}

static bool mac(const unsigned char *key, size_t n, struct str s, unsigned char out[SHA256_BYTES])
{
    unsigned len = SHA256_BYTES;
    return HMAC(EVP_sha256(), key, (int)n, (const unsigned char *)s.ptr, s.len, out, &len) != NULL;
}

/* --- what is signed --- */

static int by_name(const void *a, const void *b)
{
    return str_compare(((const struct header *)a)->name, ((const struct header *)b)->name);
}

static void set_header(struct headers *headers, struct str name, struct str value)
{
    size_t i = 0;
    while (i < headers->n && !str_equal(headers->item[i].name, name))
        i++;
    headers->item[i] = (struct header){name, value};
    headers->n += i == headers->n;
}

/* Those that a proxy may change are not signed. */
static bool is_signed(struct str name)
{
    static const struct str ignored[] = {STR_INIT("authorization"), STR_INIT("user-agent"),
                                         STR_INIT("x-amzn-trace-id")};
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (str_equal(name, ignored[i]))
            return false;
    return true;
}

static struct str lower(struct rego_call *call, struct str s)
{
    struct str copy = arena_dup(call->arena, s);
    char *at = (char *)(uintptr_t)copy.ptr; /* just made */
    for (size_t i = 0; at && i < copy.len; i++)
        if (at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char)(at[i] + 32);
    return copy;
}

static void canonical_request(struct buf *out, const struct signing *s,
                              const struct headers *headers, struct str names)
{
    const struct str lines[] = {s->method, s->path, s->query};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        buf_str(out, lines[i]);
        buf_char(out, '\n');
    }
    for (size_t i = 0; i < headers->n; i++) {
        buf_str(out, headers->item[i].name);
        buf_char(out, ':');
        buf_str(out, headers->item[i].value);
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
    buf_str(out, names);
    buf_char(out, '\n');
    buf_str(out, s->payload_hash);
}

static bool signature(const struct signing *s, struct str what, unsigned char out[SHA256_BYTES])
{
    AUTO_BUF secret = {.limit = 1 << 16};
    buf_printf(&secret, "AWS4%.*s", STR_ARG(s->secret_key));
    const struct str steps[] = {str_from(s->day), s->region, s->service, STR("aws4_request"), what};
    bool ok = !secret.failed;
    for (size_t i = 0; ok && i < sizeof steps / sizeof *steps; i++)
        ok = i ? mac(out, SHA256_BYTES, steps[i], out)
               : mac((const unsigned char *)secret.ptr, secret.len, steps[i], out);
    return ok;
}

/* The value of the header Authorization; ptr NULL = memory is out. */
static struct str authorization(struct rego_call *call, const struct signing *s,
                                struct headers *headers)
{
    AUTO_BUF names = {.limit = 1 << 20};
    AUTO_BUF request = {.limit = rego_room(call)};
    AUTO_BUF what = {.limit = 1 << 20};
    unsigned char signed_bytes[SHA256_BYTES];
    qsort(headers->item, headers->n, sizeof *headers->item, by_name);
    for (size_t i = 0; i < headers->n; i++) {
        if (i)
            buf_char(&names, ';');
        buf_str(&names, headers->item[i].name);
    }
    canonical_request(&request, s, headers, buf_view(&names));
    struct str digest = sha256(call, buf_view(&request));
    buf_printf(&what, "AWS4-HMAC-SHA256\n%s\n%s/%.*s/%.*s/aws4_request\n%.*s", s->time, s->day,
               STR_ARG(s->region), STR_ARG(s->service), STR_ARG(digest));
    if (names.failed || request.failed || what.failed || !digest.ptr ||
        !signature(s, buf_view(&what), signed_bytes))
        return (struct str){0};
    struct str code = hex(call, signed_bytes);
    return arena_printf(call->arena,
                        "AWS4-HMAC-SHA256 Credential=%.*s/%s/%.*s/%.*s/aws4_request,"
                        "SignedHeaders=%.*s,Signature=%.*s",
                        STR_ARG(s->access_key), s->day, STR_ARG(s->region), STR_ARG(s->service),
                        STR_ARG(buf_view(&names)), STR_ARG(code));
}

/* --- what the caller gave --- */

static const char *const required[] = {"aws_access_key", "aws_region", "aws_secret_access_key",
                                       "aws_service"};

static bool check_config(struct rego_call *call, const struct value *config)
{
    struct value missing[4], invalid[4];
    size_t nmissing = 0, ninvalid = 0;
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        struct value key = value_string(str_from(required[i]));
        const struct value *v = rego_get(config, &key);
        if (!v)
            missing[nmissing++] = key;
        else if (v->kind != VALUE_STRING)
            invalid[ninvalid++] = key;
    }
    if (nmissing)
        (void)rego_fail_keys(call, 1, "missing required AWS config parameters(s)", missing,
                             nmissing);
    else if (ninvalid)
        (void)rego_fail_keys(call, 1, "invalid values for required AWS config parameters(s)",
                             invalid, ninvalid);
    return !nmissing && !ninvalid;
}

static bool check_request(struct rego_call *call, const struct value *request)
{
    struct value invalid[2];
    size_t n = 0;
    static const char *const strings[] = {"method", "url"};
    if (rego_check_request(call) != REGO_DEFINED)
        return false;
    for (size_t i = 0; i < 2; i++) {
        struct value key = value_string(str_from(strings[i]));
        if (!value_is_string(rego_get(request, &key)))
            invalid[n++] = key;
    }
    if (n)
        (void)rego_fail_keys(call, 0, "invalid values for required request parameters(s)", invalid,
                             n);
    return n == 0;
}

/* scheme://user@host:port/path?query#fragment */
static bool split_url(struct rego_call *call, struct str url, struct signing *s)
{
    AUTO_BUF path = {.limit = 1 << 20};
    size_t at = str_find_char(url, '#', 0);
    url = str_sub(url, 0, at);
    at = str_find_char(url, '?', 0);
    if (at != SIZE_MAX)
        s->query = str_sub(url, at + 1, url.len);
    url = str_sub(url, 0, at);
    at = str_find(url, STR("//"), 0);
    url = at == SIZE_MAX ? url : str_sub(url, at + 2, url.len);
    size_t slash = str_find_char(url, '/', 0);
    struct str raw = slash == SIZE_MAX ? STR("") : str_sub(url, slash, url.len);
    s->host = str_sub(url, 0, slash);
    at = str_find_char(s->host, '@', 0);
    if (at != SIZE_MAX)
        s->host = str_sub(s->host, at + 1, s->host.len);
    for (size_t i = 0; i < raw.len; i++) {
        unsigned char c = (unsigned char)raw.ptr[i];
        if (c <= ' ' || c >= 127 || strchr("\"<>\\^`{|}", c))
            buf_printf(&path, "%%%02X", c);
        else
            buf_char(&path, (char)c);
    }
    s->path = arena_dup(call->arena, buf_view(&path));
    return !path.failed && s->path.ptr;
}

/* Header or object: the pairs of `object` with one more, which replaces one of its name. */
static bool with_pair(struct rego_call *call, const struct value *object, struct str name,
                      struct value value, struct value *ret)
{
    struct rego_pair *pairs = arena_new(call->arena, struct rego_pair, object->len + 1);
    struct value key, v;
    size_t n = 0, clash;
    if (!pairs)
        return false;
    for (size_t at = 0; rego_next(object, &at, &key, &v);)
        if (key.kind != VALUE_STRING || !str_equal(value_text(&key), name))
            pairs[n++] = (struct rego_pair){key, v};
    pairs[n++] = (struct rego_pair){value_string(name), value};
    return rego_make_object(pairs, n, ret, &clash);
}

static bool body_hash(struct rego_call *call, struct signing *s)
{
    AUTO_BUF json = {.limit = rego_room(call)};
    struct value name = value_string(STR("disable_payload_signing"));
    struct value raw = value_string(STR("raw_body")), body = value_string(STR("body"));
    const struct value *off = rego_get(&call->arg[1], &name);
    const struct value *v = rego_get(&call->arg[0], &raw);
    if (off && off->kind != VALUE_BOOL) {
        call->why = STR("operand 2 invalid value for 'disable_payload_signing' in AWS config");
        call->type_error = true;
        return false;
    }
    if (v) {
        buf_str(&json, value_is_string(v) ? value_text(v) : STR(""));
    } else {
        v = rego_get(&call->arg[0], &body);
        if (v)
            rego_json(&json, v);
    }
    bool unsigned_payload = off && off->truth;
    s->payload_hash = unsigned_payload ? STR("UNSIGNED-PAYLOAD") : sha256(call, buf_view(&json));
    return !json.failed && s->payload_hash.ptr;
}

static bool read_signing(struct rego_call *call, struct signing *s)
{
    const struct value *request = &call->arg[0], *config = &call->arg[1];
    int64_t ns;
    struct tm tm;
    if (!check_config(call, config))
        return false;
    if (!rego_to_int64(&call->arg[2], &ns)) {
        call->why = STR("operand 3 could not convert time_ns value into a unix timestamp");
        call->type_error = true;
        return false;
    }
    time_t seconds = (time_t)(ns / 1000000000 - (ns % 1000000000 < 0));
    s->access_key = member(config, "aws_access_key");
    s->secret_key = member(config, "aws_secret_access_key");
    s->region = member(config, "aws_region");
    s->service = member(config, "aws_service");
    s->session_token = member(config, "aws_session_token");
    s->method = member(request, "method");
    return gmtime_r(&seconds, &tm) && strftime(s->day, sizeof s->day, "%Y%m%d", &tm) &&
           strftime(s->time, sizeof s->time, "%Y%m%dT%H%M%SZ", &tm) &&
           check_request(call, request) && split_url(call, member(request, "url"), s) &&
           body_hash(call, s);
}

/* The headers that AWS wants, first; then the caller's, in small letters. */
static bool collect(struct rego_call *call, const struct signing *s, const struct value *given,
                    struct headers *own, struct headers *all)
{
    struct value key, v;
    set_header(own, STR("host"), s->host);
    set_header(own, STR("x-amz-date"), str_from(s->time));
    if (str_equal(s->service, STR("s3")) || str_equal(s->service, STR("glacier")))
        set_header(own, STR("x-amz-content-sha256"), s->payload_hash);
    if (s->session_token.len)
        set_header(own, STR("x-amz-security-token"), s->session_token);
    for (size_t i = 0; i < own->n; i++)
        set_header(all, own->item[i].name, own->item[i].value);
    for (size_t at = 0; rego_next(given, &at, &key, &v);) {
        struct str name = lower(call, key.kind == VALUE_STRING ? value_text(&key) : STR(""));
        if (!name.ptr)
            return false;
        if (is_signed(name))
            set_header(all, name, v.kind == VALUE_STRING ? value_text(&v) : STR(""));
    }
    return true;
}

static enum rego_outcome sign_req(struct rego_call *call, struct value *ret)
{
    struct signing s = {0};
    struct value key = value_string(STR("headers")), made = value_items(VALUE_OBJECT, NULL, 0);
    if (!read_signing(call, &s))
        return call->why.ptr ? REGO_FAILED : REGO_HALT;
    const struct value *given = rego_get(&call->arg[0], &key);
    if (given && !rego_is_object(given))
        return rego_fail_operand(call, 0, "object", given);
    size_t room = (given ? given->len : 0) + 8;
    if (room > SIGNED_HEADERS_MAX)
        return rego_fail(call, "more than %d headers", SIGNED_HEADERS_MAX - 8);
    struct headers own = {arena_new(call->arena, struct header, 8), 0};
    struct headers all = {arena_new(call->arena, struct header, room), 0};
    struct value name, v;
    if (!own.item || !all.item || !collect(call, &s, given ? given : &made, &own, &all))
        return REGO_HALT;
    for (size_t at = 0; given && rego_next(given, &at, &name, &v);)
        if (!with_pair(call, &made, name.kind == VALUE_STRING ? value_text(&name) : STR(""),
                       v.kind == VALUE_STRING ? v : value_string(STR("")), &made))
            return REGO_HALT;
    struct str auth = authorization(call, &s, &all);
    if (!auth.ptr || !with_pair(call, &made, STR("Authorization"), value_string(auth), &made))
        return REGO_HALT;
    for (size_t i = 0; i < own.n; i++) {
        struct str copy = arena_dup(call->arena, own.item[i].value);
        if (!copy.ptr || !with_pair(call, &made, own.item[i].name, value_string(copy), &made))
            return REGO_HALT;
    }
    return with_pair(call, &call->arg[0], STR("headers"), made, ret) ? REGO_DEFINED : REGO_HALT;
}

static const struct rego_builtin table[] = {
    {"providers.aws.sign_req", NULL,
     "(object[string: any], object[string: any], number) => object[any: any]", sign_req, 0},
};
const struct rego_family builtin_aws = {table, sizeof table / sizeof *table};
