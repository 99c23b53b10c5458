/* test_oidc.c - OpenID Connect tokens of senders: which count, and whence the keys come. The keys
 * are made here, by openssl on the PATH. */
#include "respond/test_receiver.h"

#include "base/io.h"
#include "base/openssl.h"
#include "serve/oidc.h"
#include "wire/base64.h"
#include "wire/jose.h"

enum { NOW_S = 1800000000 };

struct world {
    struct arena arena;
    char dir[64];
    struct err err;
    struct str jwks;  /* of the key "one" */
    EVP_PKEY *key[2]; /* "one", and another one */
    struct test_receiver web;
    struct oidc_settings settings;
};

static struct str path_of(struct world *w, const char *name)
{
    struct str path = io_join(&w->arena, str_from(w->dir), str_from(name));
    assert_non_null(path.ptr);
    return path;
}

static struct str read_text(struct world *w, const char *name)
{
    struct str text;
    if (!io_read_file(&w->arena, path_of(w, name).ptr, 1 << 20, &text, &w->err))
        fail_msg("%s", w->err.frame[0]);
    return text;
}

static EVP_PKEY *read_key(struct world *w, const char *name)
{
    struct str pem = read_text(w, name);
    BIO *text = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);
    (void)BIO_free(text);
    assert_non_null(key);
    return key;
}

/* "Modulus=C0FFEE...\n" */
static struct str modulus(struct world *w, const char *name)
{
    struct str hex = str_trim(read_text(w, name));
    char bytes[512];
    size_t n = 0;
    AUTO_BUF out = {.limit = 4096};
    hex = str_sub(hex, sizeof "Modulus=" - 1, hex.len);
    for (size_t i = 0; i + 1 < hex.len && n < sizeof bytes; i += 2) {
        char two[3] = {hex.ptr[i], hex.ptr[i + 1], '\0'};
        bytes[n++] = (char)strtoul(two, NULL, 16);
    }
    base64_write(&out, (struct str){bytes, n}, BASE64_URL_BARE);
    return arena_dup(&w->arena, buf_view(&out));
}

static int setup(void **state)
{
    char command[600];
    struct world *w = calloc(1, sizeof *w);
    if (!w)
        return -1;
    *state = w;
    w->arena.limit = 1 << 26;
    (void)snprintf(w->dir, sizeof w->dir, "/tmp/plumb-oidc-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    (void)snprintf(command, sizeof command,
                   "cd '%s' && for k in one two; do openssl genrsa -out $k.pem 2048 2>/dev/null &&"
                   " openssl rsa -in $k.pem -noout -modulus > $k.mod 2>/dev/null; done",
                   w->dir);
    assert_int_equal(system(command), 0);
    assert_true(openssl_load_crypto(&w->err));
    w->key[0] = read_key(w, "one.pem");
    w->key[1] = read_key(w, "two.pem");
    struct str n = modulus(w, "one.mod");
    w->jwks = arena_printf(&w->arena,
                           "{\"keys\":[{\"kty\":\"RSA\",\"alg\":\"RS256\",\"use\":\"sig\",\"kid\":"
                           "\"one\",\"n\":\"%.*s\",\"e\":\"AQAB\"}]}",
                           STR_ARG(n));
    static const struct str emails[] = {STR_INIT("push@acme.iam.gserviceaccount.com"),
                                        STR_INIT("*@trusted.example")};
    w->settings = (struct oidc_settings){
        .audience = STR("https://plumb.example.com/v1/events"), .email = emails, .nemails = 2};
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char command[128];
    EVP_PKEY_free(w->key[0]);
    EVP_PKEY_free(w->key[1]);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", w->dir);
    int failed = system(command);
    arena_free(&w->arena);
    free(w);
    return failed;
}

static struct str token_of(struct world *w, EVP_PKEY *key, const char *header, const char *claims)
{
    AUTO_BUF out = {.limit = 64 << 10};
    struct str signature;
    const struct jose_key with = {.key = key, .is_private = true};
    base64_write(&out, str_from(header), BASE64_URL_BARE);
    buf_char(&out, '.');
    base64_write(&out, str_from(claims), BASE64_URL_BARE);
    assert_true(jose_sign(&w->arena, jose_algorithm_find(STR("RS256")), &with, buf_view(&out),
                          &signature, &w->err));
    buf_char(&out, '.');
    base64_write(&out, signature, BASE64_URL_BARE);
    return arena_dup(&w->arena, buf_view(&out));
}

#define HEADER "{\"alg\":\"RS256\",\"kid\":\"one\",\"typ\":\"JWT\"}"
#define CLAIMS(iss, aud, email, more) \
    "{\"iss\":\"" iss "\",\"aud\":" aud ",\"email\":\"" email "\",\"sub\":\"1\"" more "}"
#define OURS "\"https://plumb.example.com/v1/events\""
#define PUSH "push@acme.iam.gserviceaccount.com"
#define TIMES ",\"iat\":1799999990,\"exp\":1800003600"
#define GOOD CLAIMS("https://accounts.google.com", OURS, PUSH, TIMES ",\"email_verified\":true")

static void open_with_file(struct world *w, struct oidc **ret)
{
    struct str file = path_of(w, "jwks.json");
    assert_true(io_write_file_atomic(file.ptr, w->jwks, 0600, &w->err));
    w->settings.keys = file;
    if (!oidc_open(ret, &w->settings, &w->err))
        fail_msg("%s", w->err.frame[0]);
}

static void expect(struct world *w, struct oidc *o, struct str token, const char *says,
                   const char *want)
{
    struct str email = {0};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX] = "";
    w->err = (struct err){0};
    bool ok = oidc_check(o, &w->arena, token, (int64_t)NOW_S * 1000, &email, &w->err);
    if (!ok)
        (void)err_text(&w->err, text, sizeof text);
    if (ok != (want == NULL) || (want && !strstr(text, want)))
        fail_msg("%s: want %s, got %s", says, want ? want : "it counts", ok ? "it counts" : text);
}

static void which_tokens_count(void **state)
{
    struct world *w = *state;
    struct oidc *o;
    static const struct {
        const char *says, *header, *claims, *want; /* NULL: it counts */
    } rows[] = {
        {"as Google has it", HEADER, GOOD, NULL},
        {"its old name", HEADER,
         CLAIMS("accounts.google.com", OURS, PUSH, TIMES ",\"email_verified\":true"), NULL},
        {"one of several audiences", HEADER,
         CLAIMS("https://accounts.google.com", "[\"x\"," OURS "]", "a@trusted.example",
                TIMES ",\"email_verified\":true"),
         NULL},
        {"another audience", HEADER,
         CLAIMS("https://accounts.google.com", "\"https://plumb.example.com\"", PUSH,
                TIMES ",\"email_verified\":true"),
         "for another audience"},
        {"no audience", HEADER,
         CLAIMS("https://accounts.google.com", "null", PUSH, TIMES ",\"email_verified\":true"),
         "for another audience"},
        {"another issuer", HEADER,
         CLAIMS("https://evil.example", OURS, PUSH, TIMES ",\"email_verified\":true"),
         "of another issuer"},
        {"somebody else", HEADER,
         CLAIMS("https://accounts.google.com", OURS, "eve@evil.example",
                TIMES ",\"email_verified\":true"),
         "does not name"},
        {"nobody", HEADER,
         "{\"iss\":\"https://accounts.google.com\",\"aud\":" OURS TIMES ",\"email_verified\":true}",
         "does not name"},
        {"not verified", HEADER, CLAIMS("https://accounts.google.com", OURS, PUSH, TIMES),
         "not verified"},
        {"verified as a text", HEADER,
         CLAIMS("https://accounts.google.com", OURS, PUSH, TIMES ",\"email_verified\":\"true\""),
         "not verified"},
        {"expired", HEADER,
         CLAIMS("https://accounts.google.com", OURS, PUSH,
                ",\"exp\":1799999940,\"email_verified\":true"),
         "has expired"},
        {"expired just now", HEADER,
         CLAIMS("https://accounts.google.com", OURS, PUSH,
                ",\"exp\":1799999941,\"email_verified\":true"),
         NULL},
        {"for ever", HEADER,
         CLAIMS("https://accounts.google.com", OURS, PUSH, ",\"email_verified\":true"),
         "when it expires"},
        {"of tomorrow", HEADER,
         CLAIMS("https://accounts.google.com", OURS, PUSH,
                ",\"iat\":1800090000,\"exp\":1800093600,\"email_verified\":true"),
         "not valid yet"},
        {"not before", HEADER,
         CLAIMS("https://accounts.google.com", OURS, PUSH,
                ",\"nbf\":1800000061,\"exp\":1800093600,\"email_verified\":true"),
         "not valid yet"},
        {"no algorithm", "{\"alg\":\"none\",\"kid\":\"one\"}", GOOD, "not RS256"},
        {"a secret's", "{\"alg\":\"HS256\",\"kid\":\"one\"}", GOOD, "not RS256"},
        {"extensions", "{\"alg\":\"RS256\",\"kid\":\"one\",\"crit\":[\"b64\"]}", GOOD, "crit"},
        {"another key", "{\"alg\":\"RS256\",\"kid\":\"two\"}", GOOD, "the issuer does not have"},
        {"no key", "{\"alg\":\"RS256\"}", GOOD, "the issuer does not have"},
        {"claims twice", HEADER,
         CLAIMS("https://accounts.google.com", OURS, PUSH,
                TIMES ",\"email_verified\":false,\"email_verified\":true"),
         "no JSON object"},
        {"a list", HEADER, "[]", "no JSON object"},
        {"no header", "\"x\"", GOOD, "no JSON object"},
    };
    open_with_file(w, &o);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(w, o, token_of(w, w->key[0], rows[i].header, rows[i].claims), rows[i].says,
               rows[i].want);
    struct str good = token_of(w, w->key[0], HEADER, GOOD);
    struct str other = token_of(w, w->key[1], HEADER, GOOD);
    expect(w, o, other, "another's signature", "signature does not fit");
    size_t dot = str_find_char(good, '.', str_find_char(good, '.', 0) + 1);
    expect(w, o, str_sub(good, 0, dot + 1), "no signature", "signature does not fit");
    expect(w, o, str_sub(good, 0, dot), "two parts", "three parts");
    expect(w, o, STR("a.b.c.d"), "four parts", "three parts");
    expect(w, o, STR("!.!.!"), "no base64", "no base64");
    char *long_one = arena_new(&w->arena, char, OIDC_TOKEN_MAX + 1);
    memset(long_one, 'a', OIDC_TOKEN_MAX + 1);
    expect(w, o, (struct str){long_one, OIDC_TOKEN_MAX + 1}, "too long", "more than");
    oidc_close(o);
}

/* Fetched when the first token comes, and not for each that has an unknown key. */
static void keys_are_fetched(void **state)
{
    struct world *w = *state;
    struct oidc *o;
    const char *answers[3] = {"503 Busy\r\n\r\n", NULL, NULL};
    struct str given = arena_printf(&w->arena, "200 OK\r\n\r\n%.*s", STR_ARG(w->jwks));
    struct str good = token_of(w, w->key[0], HEADER, GOOD);
    struct str unknown = token_of(w, w->key[1], "{\"alg\":\"RS256\",\"kid\":\"two\"}", GOOD);
    test_receiver_open(&w->web, answers);
    w->settings.keys = arena_printf(&w->arena, "http://127.0.0.1:%d/certs", w->web.port);
    assert_true(oidc_open(&o, &w->settings, &w->err)); /* who is away does not keep us from it */
    expect(w, o, good, "no keys yet", "there are no keys");
    expect(w, o, good, "not asked again at once", "the answer is 503");
    oidc_close(o);
    test_receiver_close(&w->web, &w->arena);
    assert_int_equal(w->web.n, 1);

    answers[0] = given.ptr;
    test_receiver_open(&w->web, answers);
    w->settings.keys = arena_printf(&w->arena, "http://127.0.0.1:%d/certs", w->web.port);
    assert_true(oidc_open(&o, &w->settings, &w->err));
    expect(w, o, good, "fetched", NULL);
    expect(w, o, good, "kept", NULL);
    for (int i = 0; i < 5; i++)
        expect(w, o, unknown, "unknown", "the issuer does not have");
    oidc_close(o);
    test_receiver_close(&w->web, &w->arena);
    assert_int_equal(w->web.n, 1);
    assert_true(str_equal(test_line(&w->web, 0), STR("GET /certs")));
}

static void what_cannot_be_used_is_said_at_the_start(void **state)
{
    struct world *w = *state;
    struct oidc *o;
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    w->settings.keys = STR("http://keys.example.com/certs");
    assert_false(oidc_open(&o, &w->settings, &w->err));
    assert_non_null(strstr(err_text(&w->err, text, sizeof text), "https is needed"));
    w->settings.keys = path_of(w, "nowhere.json");
    w->err = (struct err){0};
    assert_false(oidc_open(&o, &w->settings, &w->err));
    assert_non_null(strstr(err_text(&w->err, text, sizeof text), "nowhere.json"));
    w->settings.keys = path_of(w, "broken.json");
    assert_true(io_write_file_atomic(w->settings.keys.ptr, STR("{\"keys\":[{"), 0600, &w->err));
    w->err = (struct err){0};
    assert_false(oidc_open(&o, &w->settings, &w->err));
    oidc_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(which_tokens_count),
        cmocka_unit_test(keys_are_fetched),
        cmocka_unit_test(what_cannot_be_used_is_said_at_the_start),
    };
    return cmocka_run_group_tests_name("serve/oidc", tests, setup, teardown);
}
