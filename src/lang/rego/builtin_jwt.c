/* builtin_jwt.c - io.jwt.*: JSON Web Tokens read, verified and made. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/builtin.h"
#include "wire/base64.h"
#include "wire/jose.h"
#include "wire/json.h"

/* A compact token: three parts of base64url; header is there once read_header ran. */
struct token {
    struct str part[3];
    struct str message; /* what is signed: header.payload */
    struct value header;
};
enum { HEADER, PAYLOAD, SIGNATURE };

static bool split(struct rego_call *call, struct str s, struct token *ret)
{
    struct str rest = s;
    size_t n = 0;
    if (str_find_char(s, '.', 0) == SIZE_MAX) {
        (void)rego_fail(call, "encoded JWT had no period separators");
        return false;
    }
    for (bool more = true; more; n++) {
        struct str head;
        more = str_cut(&rest, '.', &head);
        if (n < 3)
            ret->part[n] = head;
    }
    if (n != 3) {
        (void)rego_fail(call, "encoded JWT must have 3 sections, found %zu", n);
        return false;
    }
    ret->message = str_sub(s, 0, ret->part[HEADER].len + 1 + ret->part[PAYLOAD].len);
    return true;
}

/* what  "JWT header had invalid encoding: ", in front of an error */
static bool decode_part(struct rego_call *call, struct str part, const char *what, struct str *ret)
{
    AUTO_BUF bytes = {.limit = rego_room(call)};
    size_t bad = 0;
    if (!base64_read(&bytes, part, BASE64_URL, &bad)) {
        (void)rego_fail(call, "%sillegal base64 data at input byte %zu", what, bad);
        return false;
    }
    *ret = arena_dup(call->arena, buf_view(&bytes));
    return ret->ptr != NULL;
}

static bool read_object(struct rego_call *call, struct str json, const char *what,
                        struct value *ret)
{
    struct err err = {0};
    if (!json_parse(call->arena, json, "text", JSON_DUPLICATES_LAST, ret, &err)) {
        (void)rego_fail(call, "%sinvalid JSON: %s", what, err.frame[0]);
        return false;
    }
    if (!rego_is_object(ret)) {
        (void)rego_fail(call, "%sdecoded JSON type was not an Object", what);
        return false;
    }
    return true;
}

static bool read_header(struct rego_call *call, struct token *token)
{
    struct str json;
    if (!decode_part(call, token->part[HEADER], "JWT header had invalid encoding: ", &json) ||
        !read_object(call, json, "bad JWT header: ", &token->header))
        return false;
    if (value_get(&token->header, STR("enc"))) {
        (void)rego_fail(call, "JWT is a JWE object, which is not supported");
        return false;
    }
    return true;
}

static enum rego_outcome failed(const struct rego_call *call)
{
    return call->why.ptr ? REGO_FAILED : REGO_HALT;
}

static struct str trim_quotes(struct str s)
{
    while (s.len && (s.ptr[0] == '"' || s.ptr[0] == '\''))
        s = str_sub(s, 1, s.len);
    while (s.len && (s.ptr[s.len - 1] == '"' || s.ptr[s.len - 1] == '\''))
        s.len--;
    return s;
}

static enum rego_outcome give_three(struct rego_call *call, struct value a, struct value b,
                                    struct value c, struct value *ret)
{
    struct value *items = arena_new(call->arena, struct value, 3);
    if (!items)
        return REGO_HALT;
    items[0] = a;
    items[1] = b;
    items[2] = c;
    *ret = value_items(VALUE_TUPLE, items, 3);
    return REGO_DEFINED;
}

static enum rego_outcome decode(struct rego_call *call, struct value *ret)
{
    struct token token;
    struct str text = value_text(call->arg), payload, signature;
    for (;;) { /* a nested token is shorter than the one around it */
        if (!split(call, text, &token) || !read_header(call, &token) ||
            !decode_part(call, token.part[PAYLOAD], "JWT payload had invalid encoding: ", &payload))
            return failed(call);
        if (!str_equal(value_get_string(&token.header, STR("cty")), STR("JWT")))
            break;
        text = trim_quotes(payload);
    }
    struct value object, hex;
    AUTO_BUF out = {.limit = rego_room(call)};
    if (!read_object(call, payload, "", &object) ||
        !decode_part(call, token.part[SIGNATURE],
                     "JWT signature had invalid encoding: ", &signature))
        return failed(call);
    for (size_t i = 0; i < signature.len; i++)
        buf_printf(&out, "%02x", (unsigned char)signature.ptr[i]);
    enum rego_outcome outcome = rego_give_buf(call, &out, &hex);
    return outcome == REGO_DEFINED ? give_three(call, token.header, object, hex, ret) : outcome;
}

/* --- the header's own members --- */

struct header {
    struct str alg, kid, typ, cty;
    const struct value *crit;
};

static bool header_string(struct rego_call *call, const struct value *object, const char *name,
                          struct str *ret)
{
    const struct value *v = value_get(object, str_from(name));
    if (v && v->kind != VALUE_STRING) {
        (void)rego_fail(call, "%s: must be a string", name);
        return false;
    }
    *ret = v ? value_text(v) : STR("");
    return true;
}

static bool header_members(struct rego_call *call, const struct value *object, struct header *ret)
{
    size_t strings = 0;
    ret->crit = value_get(object, STR("crit"));
    if (!header_string(call, object, "alg", &ret->alg) ||
        !header_string(call, object, "cty", &ret->cty) ||
        !header_string(call, object, "kid", &ret->kid) ||
        !header_string(call, object, "typ", &ret->typ))
        return false;
    if (!ret->crit)
        return true;
    if (!rego_is_array(ret->crit)) {
        (void)rego_fail(call, "crit: must be a list");
        return false;
    }
    while (strings < ret->crit->len && ret->crit->items[strings].kind == VALUE_STRING)
        strings++;
    if (!strings) {
        (void)rego_fail(call, "crit: must be a nonempty list");
        return false;
    }
    ret->crit = ret->crit->len ? ret->crit : NULL;
    return true;
}

/* RFC 7515 4.1.1 and 4.1.11: an algorithm, and nothing critical that nobody here understands. */
static bool header_valid(const struct value *object, const struct header *header)
{
    static const struct str known[] = {STR_INIT("alg"), STR_INIT("kid"), STR_INIT("typ"),
                                       STR_INIT("cty"), STR_INIT("crit")};
    for (uint32_t i = 0; header->crit && i < header->crit->len; i++) {
        const struct value *name = &header->crit->items[i];
        bool ours = name->kind != VALUE_STRING || !value_get(object, value_text(name));
        for (size_t k = 0; !ours && k < sizeof known / sizeof *known; k++)
            ours = str_equal(value_text(name), known[k]);
        if (!ours)
            return false;
    }
    return header->alg.len > 0;
}

/* --- verify --- */

static bool fail_key(struct rego_call *call, const struct err *err)
{
    if (err->nframes > 1)
        (void)rego_fail(call, "%s: %s", err->frame[1], err->frame[0]);
    else
        (void)rego_fail(call, "%s", err->frame[0]);
    return false;
}

/* The key that the token names, else any key that may be of this algorithm.
 * alg  of the signature; of_header what the header says: keys that name another are left out */
static bool any_key_fits(const struct jose_keys *keys, const struct header *header,
                         const struct jose_algorithm *alg, const struct token *token,
                         struct str signature, bool lenient)
{
    for (size_t i = 0; header->kid.len && i < keys->n; i++)
        if (str_equal(keys->key[i].kid, header->kid))
            return alg && jose_verify(alg, &keys->key[i], token->message, signature, lenient);
    for (size_t i = 0; alg && i < keys->n; i++)
        if ((!keys->key[i].alg.len || str_equal(keys->key[i].alg, header->alg)) &&
            jose_verify(alg, &keys->key[i], token->message, signature, lenient))
            return true;
    return false;
}

static enum rego_outcome verify_hmac(struct rego_call *call, const struct jose_algorithm *alg,
                                     struct value *ret)
{
    struct token token;
    struct str signature;
    struct jose_key key = {.secret = value_text(&call->arg[1])};
    if (!split(call, value_text(call->arg), &token) ||
        !decode_part(call, token.part[SIGNATURE], "", &signature))
        return failed(call);
    *ret = value_bool(jose_verify(alg, &key, token.message, signature, true));
    return REGO_DEFINED;
}

/* The algorithm is the last part of the function's name: io.jwt.verify_rs256. */
static enum rego_outcome verify(struct rego_call *call, struct value *ret)
{
    char name[8] = {0};
    struct str tail = str_sub(call->name, STR("io.jwt.verify_").len, call->name.len);
    for (size_t i = 0; i < tail.len && i < sizeof name - 1; i++)
        name[i] = (char)toupper((unsigned char)tail.ptr[i]);
    bool eddsa = str_equal(tail, STR("eddsa"));
    const struct jose_algorithm *alg = jose_algorithm_find(eddsa ? STR("EdDSA") : str_from(name));
    struct token token;
    struct header header;
    struct str signature;
    struct err err = {0};
    AUTO_JOSE_KEYS keys = {0};
    if (!alg)
        return rego_fail(call, "the algorithm is not known");
    if (alg->family == JOSE_HMAC)
        return verify_hmac(call, alg, ret);
    if (!split(call, value_text(call->arg), &token))
        return failed(call);
    if (!jose_keys_trust(call->arena, value_text(&call->arg[1]), &keys, &err)) {
        (void)fail_key(call, &err);
        return failed(call);
    }
    if (!decode_part(call, token.part[SIGNATURE], "", &signature) || !read_header(call, &token) ||
        !header_members(call, &token.header, &header))
        return failed(call);
    *ret = value_bool(any_key_fits(&keys, &header, alg, &token, signature, true));
    return REGO_DEFINED;
}

/* --- decode_verify --- */

struct constraints {
    struct jose_keys keys;
    bool has_keys;
    struct str secret, alg, iss, aud;
    double time_ns; /* -1 = now */
};

static bool constraint_keys(struct rego_call *call, const struct value *v, struct constraints *c)
{
    struct err err = {0};
    if (v->kind != VALUE_STRING) {
        (void)rego_fail(call, "cert constraint: must be a string");
        return false;
    }
    c->has_keys = true;
    return jose_keys_trust(call->arena, value_text(v), &c->keys, &err) || fail_key(call, &err);
}

static bool constraint_time(struct rego_call *call, const struct value *v, struct constraints *c)
{
    if (v->kind != VALUE_NUMBER) {
        (void)rego_fail(call, "token time constraint: must be a number");
        return false;
    }
    if (v->form == NUMBER_INT) {
        c->time_ns = (double)v->integer;
    } else {
        struct str text = arena_dup(call->arena, value_text(v));
        c->time_ns = text.ptr ? strtod(text.ptr, NULL) : 0;
    }
    if (c->time_ns < 0) {
        (void)rego_fail(call, "token time constraint: must not be negative");
        return false;
    }
    return true;
}

static bool constraint(struct rego_call *call, const struct value *key, const struct value *v,
                       struct constraints *c)
{
    struct {
        struct str name;
        struct str *to;
    } strings[] = {{STR("secret"), &c->secret},
                   {STR("alg"), &c->alg},
                   {STR("iss"), &c->iss},
                   {STR("aud"), &c->aud}};
    struct str name = key->kind == VALUE_STRING ? value_text(key) : STR("");
    if (str_equal(name, STR("cert")))
        return constraint_keys(call, v, c);
    if (str_equal(name, STR("time")))
        return constraint_time(call, v, c);
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        if (!str_equal(name, strings[i].name))
            continue;
        if (v->kind == VALUE_STRING)
            *strings[i].to = value_text(v);
        else
            (void)rego_fail(call, "%.*s constraint: must be a string", STR_ARG(name));
        return v->kind == VALUE_STRING;
    }
    (void)rego_fail(call, "unknown token validation constraint: %.*s", STR_ARG(name));
    return false;
}

static double now_ns(const struct rego_call *call)
{
    struct timespec now;
    if (call->host && call->host->now_utc_ns != INT64_MIN)
        return (double)call->host->now_utc_ns;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static bool read_constraints(struct rego_call *call, struct constraints *c)
{
    struct value key, v;
    c->time_ns = -1;
    for (size_t at = 0; rego_next(&call->arg[1], &at, &key, &v);)
        if (!constraint(call, &key, &v, c))
            return false;
    if (c->time_ns < 0)
        c->time_ns = now_ns(call);
    if (c->has_keys && c->secret.len)
        (void)rego_fail(call, "duplicate key constraints");
    else if (!c->has_keys && !c->secret.len)
        (void)rego_fail(call, "no key constraint");
    return c->has_keys != (c->secret.len > 0);
}

/* The constraint's time in seconds, with the fewest digits that give the same double. */
static struct value seconds(struct rego_call *call, double ns)
{
    double at = ns / 1e9;
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, at);
        if (strtod(text, NULL) == at)
            break;
    }
    struct str kept = arena_dup(call->arena, str_from(text));
    return kept.ptr ? value_number(kept) : value_int(0);
}

static bool audience_fits(const struct constraints *c, const struct value *aud)
{
    if (!aud)
        return !c->aud.len;
    if (aud->kind == VALUE_STRING)
        return str_equal(value_text(aud), c->aud);
    for (uint32_t i = 0; rego_is_array(aud) && i < aud->len; i++)
        if (aud->items[i].kind == VALUE_STRING && str_equal(value_text(&aud->items[i]), c->aud))
            return true;
    return false;
}

/* The registered claims of RFC 7519 4.1. REGO_UNDEFINED: one does not hold. */
static enum rego_outcome check_claims(struct rego_call *call, const struct constraints *c,
                                      const struct value *payload)
{
    struct value now = seconds(call, c->time_ns);
    const struct value *exp = value_get(payload, STR("exp"));
    const struct value *nbf = value_get(payload, STR("nbf"));
    if ((c->iss.len && !str_equal(value_get_string(payload, STR("iss")), c->iss)) ||
        !audience_fits(c, value_get(payload, STR("aud"))))
        return REGO_UNDEFINED;
    if (exp && exp->kind != VALUE_NUMBER)
        return rego_fail(call, "exp value must be a number");
    if (exp && rego_compare(&now, exp) >= 0)
        return REGO_UNDEFINED;
    if (nbf && nbf->kind != VALUE_NUMBER)
        return rego_fail(call, "nbf value must be a number");
    return nbf && rego_compare(&now, nbf) < 0 ? REGO_UNDEFINED : REGO_DEFINED;
}

/* Down to the innermost token, each verified. REGO_UNDEFINED: one cannot be trusted. */
static enum rego_outcome check_token(struct rego_call *call, const struct constraints *c,
                                     struct token *token, struct str *ret_payload)
{
    struct str text = value_text(call->arg), signature;
    struct jose_key secret = {.secret = c->secret};
    struct jose_keys own = {&secret, 1};
    struct header header;
    do {
        if (!split(call, text, token) || !read_header(call, token) ||
            !header_members(call, &token->header, &header))
            return failed(call);
        if (!header_valid(&token->header, &header) ||
            (c->alg.len && !str_equal(c->alg, header.alg)))
            return REGO_UNDEFINED;
        if (!decode_part(call, token->part[SIGNATURE], "", &signature))
            return failed(call);
        if (!any_key_fits(c->has_keys ? &c->keys : &own, &header, jose_algorithm_find(header.alg),
                          token, signature, false))
            return REGO_UNDEFINED;
        if (!decode_part(call, token->part[PAYLOAD],
                         "JWT payload had invalid encoding: ", ret_payload))
            return failed(call);
        text = *ret_payload;
    } while (header.cty.len == 3 && strncasecmp(header.cty.ptr, "JWT", 3) == 0);
    return REGO_DEFINED;
}

static enum rego_outcome decode_verify_with(struct rego_call *call, struct constraints *c,
                                            struct value *ret)
{
    struct token token;
    struct str json;
    struct value payload;
    if (!read_constraints(call, c))
        return failed(call);
    enum rego_outcome outcome = check_token(call, c, &token, &json);
    if (outcome == REGO_DEFINED) {
        if (!read_object(call, json, "", &payload))
            return failed(call);
        outcome = check_claims(call, c, &payload);
    }
    struct value none = value_items(VALUE_OBJECT, NULL, 0);
    if (outcome == REGO_UNDEFINED)
        return give_three(call, value_bool(false), none, none, ret);
    return outcome == REGO_DEFINED ? give_three(call, value_bool(true), token.header, payload, ret)
                                   : outcome;
}

static enum rego_outcome decode_verify(struct rego_call *call, struct value *ret)
{
    struct constraints c = {0};
    enum rego_outcome outcome = decode_verify_with(call, &c, ret);
    jose_keys_free(&c.keys);
    return outcome;
}

/* --- sign --- */

/* A bare word of the characters of numbers passes for a document without members. */
static bool like_number(struct str s)
{
    size_t i = 0;
    while (i < s.len && s.ptr[i] && strchr("0123456789+-.eE", s.ptr[i]))
        i++;
    return s.len > 0 && i == s.len;
}

static bool sign_header(struct rego_call *call, struct str json, struct value *ret)
{
    struct err err = {0};
    *ret = value_null();
    if (!json.len) {
        (void)rego_fail(call, "missing or invalid 'alg' header: cannot parse JSON: cannot parse "
                              "empty string");
        return false;
    }
    if (!json_parse(call->arena, json, "header", JSON_DUPLICATES_LAST, ret, &err) &&
        !like_number(str_trim(json))) {
        (void)rego_fail(call, "missing or invalid 'alg' header: cannot parse JSON: %s",
                        err.frame[0]);
        return false;
    }
    if (!rego_is_object(ret) || !value_is_string(value_get(ret, STR("alg")))) {
        (void)rego_fail(call, "missing or invalid 'alg' header: jwsbb: header \"alg\" not found");
        return false;
    }
    return true;
}

static enum rego_outcome sign(struct rego_call *call, const struct str part[3], struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    AUTO_JOSE_KEYS keys = {0};
    struct err err = {0};
    struct value header, payload;
    struct str signature;
    if (!jose_keys_parse(call->arena, part[2], &keys, &err))
        return rego_fail(call, "failed to parse a JWK key (set): %s", err.frame[0]);
    if (!keys.n)
        return rego_fail(call, "no keys found in JWK set");
    if (!sign_header(call, part[0], &header))
        return failed(call);
    struct str name = value_get_string(&header, STR("alg"));
    const struct value *typ = value_get(&header, STR("typ"));
    const struct jose_algorithm *alg = jose_algorithm_find(name);
    if (!alg)
        return rego_fail(call, "unknown JWS algorithm: %.*s", STR_ARG(name));
    if ((!value_is_string(typ) || str_equal(value_text(typ), STR("JWT"))) &&
        !json_parse(call->arena, part[1], "payload", JSON_DUPLICATES_LAST, &payload, NULL))
        return rego_fail(call, "type is JWT but payload is not JSON");
    base64_write(&out, part[0], BASE64_URL_BARE);
    buf_char(&out, '.');
    base64_write(&out, part[1], BASE64_URL_BARE);
    if (out.failed)
        return REGO_HALT;
    if (!jose_sign(call->arena, alg, &keys.key[0], buf_view(&out), &signature, &err))
        return rego_fail(call, "%s", err.frame[0]);
    buf_char(&out, '.');
    base64_write(&out, signature, BASE64_URL_BARE);
    return rego_give_buf(call, &out, ret);
}

static enum rego_outcome encode_sign_raw(struct rego_call *call, struct value *ret)
{
    struct str part[3];
    for (size_t i = 0; i < 3; i++)
        part[i] = value_text(&call->arg[i]);
    return sign(call, part, ret);
}

static enum rego_outcome encode_sign(struct rego_call *call, struct value *ret)
{
    struct str part[3];
    for (size_t i = 0; i < 3; i++) {
        AUTO_BUF json = {.limit = rego_room(call)};
        rego_json(&json, &call->arg[i]);
        part[i] = json.failed ? (struct str){0} : arena_dup(call->arena, buf_view(&json));
        if (!part[i].ptr)
            return REGO_HALT;
    }
    return sign(call, part, ret);
}

#define VERIFY NULL, "(string, string) => boolean", verify, 0

static const struct rego_builtin table[] = {
    {"io.jwt.decode", NULL, "(string) => array<object[any: any], object[any: any], string>", decode,
     0},
    {"io.jwt.decode_verify", NULL,
     "(string, object[string: any]) => array<boolean, object[any: any], object[any: any]>",
     decode_verify, REGO_NONDETERMINISTIC},
    {"io.jwt.encode_sign", NULL,
     "(object[string: any], object[string: any], object[string: any]) => string", encode_sign,
     REGO_NONDETERMINISTIC},
    {"io.jwt.encode_sign_raw", NULL, "(string, string, string) => string", encode_sign_raw,
     REGO_NONDETERMINISTIC},
    {"io.jwt.verify_rs256", VERIFY},
    {"io.jwt.verify_rs384", VERIFY},
    {"io.jwt.verify_rs512", VERIFY},
    {"io.jwt.verify_ps256", VERIFY},
    {"io.jwt.verify_ps384", VERIFY},
    {"io.jwt.verify_ps512", VERIFY},
    {"io.jwt.verify_es256", VERIFY},
    {"io.jwt.verify_es384", VERIFY},
    {"io.jwt.verify_es512", VERIFY},
    {"io.jwt.verify_eddsa", VERIFY},
    {"io.jwt.verify_hs256", VERIFY},
    {"io.jwt.verify_hs384", VERIFY},
    {"io.jwt.verify_hs512", VERIFY},
};
const struct rego_family builtin_jwt = {table, sizeof table / sizeof *table};
