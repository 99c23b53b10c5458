/* http.c - GET and POST by libcurl's easy interface. */
#include "wire/http.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/curl.h"

enum {
    AUTH_BASIC = 1,
    PROTO_HTTP_HTTPS = 3,
    REDIRECTS_MAX = 5,
    DEFAULT_TIMEOUT_MS = 30000,
    DEFAULT_BYTES = 1 << 20,
    HEADERS_MAX = 8,
};

static size_t on_bytes(char *bytes, size_t size, size_t n, void *body)
{
    struct buf *buf = body;
    buf_add(buf, bytes, size * n);
    return buf->failed ? 0 : size * n;
}

static void set_post(const struct curl *curl, void *easy, struct str post)
{
    static const struct curl_list expect = {"Expect:", NULL};
    static const struct curl_list header = {"Content-Type: text/plain; charset=utf-8", &expect};
    (void)curl->setopt(easy, OPT_POST, 1L);
    (void)curl->setopt(easy, OPT_POSTFIELDSIZE, (long)post.len);
    (void)curl->setopt(easy, OPT_POSTFIELDS, post.ptr);
    (void)curl->setopt(easy, OPT_HTTPHEADER, &header);
}

static void set_options(const struct curl *curl, void *easy, const struct http_get *get,
                        struct buf *body, char *trouble)
{
    int timeout_ms = get->timeout_ms ? get->timeout_ms : DEFAULT_TIMEOUT_MS;
    const struct {
        enum curl_option option;
        long value;
    } longs[] = {
        {OPT_FOLLOWLOCATION, !get->post.ptr && !get->method},
        {OPT_MAXREDIRS, REDIRECTS_MAX},
        {OPT_PROTOCOLS, PROTO_HTTP_HTTPS},
        {OPT_REDIR_PROTOCOLS, PROTO_HTTP_HTTPS},
        {OPT_NOSIGNAL, 1},
        {OPT_CONNECTTIMEOUT_MS, timeout_ms},
        {OPT_LOW_SPEED_LIMIT, 1},
        {OPT_LOW_SPEED_TIME, (timeout_ms + 999) / 1000},
        {OPT_SSL_VERIFYPEER, !get->skip_verify},
        {OPT_SSL_VERIFYHOST, get->skip_verify ? 0 : 2},
        {OPT_HTTPAUTH, AUTH_BASIC},
    };
    for (size_t i = 0; i < sizeof longs / sizeof *longs; i++)
        (void)curl->setopt(easy, (int)longs[i].option, longs[i].value);
    (void)curl->setopt(easy, OPT_URL, get->url);
    (void)curl->setopt(easy, OPT_USERAGENT, "plumb/" PLUMB_VERSION);
    (void)curl->setopt(easy, OPT_ACCEPT_ENCODING, "");
    (void)curl->setopt(easy, OPT_ERRORBUFFER, trouble);
    (void)curl->setopt(easy, OPT_WRITEFUNCTION, on_bytes);
    (void)curl->setopt(easy, OPT_WRITEDATA, body);
    if (get->post.ptr)
        set_post(curl, easy, get->post);
    if (get->method)
        (void)curl->setopt(easy, OPT_CUSTOMREQUEST, get->method);
    if (get->user)
        (void)curl->setopt(easy, OPT_USERNAME, get->user);
    if (get->password)
        (void)curl->setopt(easy, OPT_PASSWORD, get->password);
    curl_set_blob(curl, easy, OPT_CAINFO_BLOB, get->ca_pem);
    curl_set_blob(curl, easy, OPT_SSLCERT_BLOB, get->client_pem);
    curl_set_blob(curl, easy, OPT_SSLKEY_BLOB, get->client_key);
}

/* libcurl's own list, without its functions: it only reads it. */
static const struct curl_list *link_headers(const char *const *header,
                                            struct curl_list list[HEADERS_MAX + 1])
{
    size_t n = 0;
    list[n++] = (struct curl_list){"Expect:", NULL};
    for (; header[n - 1] && n <= HEADERS_MAX; n++) {
        list[n] = (struct curl_list){header[n - 1], NULL};
        list[n - 1].next = &list[n];
    }
    return list;
}

static bool failed(const struct curl *curl, int code, const char *trouble, const struct buf *body,
                   const char *method, struct str label, struct err *err)
{
    if (code == CURL_WRITE_ERROR && body->failed)
        return err_set(err, ERR_LIMIT, "%s %.*s: the answer is larger than %zu bytes", method,
                       STR_ARG(label), body->limit);
    return err_set(err, code == CURL_TIMED_OUT ? ERR_TIMEOUT : ERR_UNAVAILABLE, "%s %.*s: %s",
                   method, STR_ARG(label), *trouble ? trouble : curl->strerror(code));
}

bool http_fetch(struct arena *arena, const struct http_get *get, struct http_answer *ret,
                struct err *err)
{
    struct curl curl = {0};
    char trouble[CURL_ERROR_SIZE] = "";
    AUTO_BUF body = {.limit = get->max_bytes ? get->max_bytes : DEFAULT_BYTES};
    struct str label = http_label(arena, str_from(get->url));
    if (!label.ptr)
        return arena_full(arena, err);
    if (!curl_load(&curl, err))
        return false;
    void *easy = curl.init();
    if (!easy)
        return err_set(err, ERR_LIMIT, "out of memory");
    long status = 0;
    struct curl_list list[HEADERS_MAX + 1];
    set_options(&curl, easy, get, &body, trouble);
    if (get->header)
        (void)curl.setopt(easy, OPT_HTTPHEADER, link_headers(get->header, list));
    int code = curl.perform(easy);
    if (code == CURL_OK)
        (void)curl.getinfo(easy, INFO_RESPONSE_CODE, &status);
    curl.cleanup(easy);
    if (code != CURL_OK)
        return failed(&curl, code, trouble, &body, get->post.ptr ? "POST" : "GET", label, err);
    struct http_answer answer = {.status = status, .body = arena_dup(arena, buf_view(&body))};
    if (!answer.body.ptr)
        return arena_full(arena, err);
    *ret = answer;
    return true;
}

struct str http_label(struct arena *arena, struct str url)
{
    size_t scheme = str_find(url, STR("://"), 0);
    size_t from = scheme == SIZE_MAX ? 0 : scheme + 3;
    size_t query = str_find_char(url, '?', from), to = query == SIZE_MAX ? url.len : query;
    size_t slash = str_find_char(url, '/', from);
    struct str host = str_sub(url, from, slash < to ? slash : to);
    for (size_t at; (at = str_find_char(host, '@', 0)) != SIZE_MAX;)
        host = str_sub(host, at + 1, host.len);
    return arena_printf(arena, "%.*s%.*s%.*s", STR_ARG(str_sub(url, 0, from)), STR_ARG(host),
                        STR_ARG(str_sub(url, slash < to ? slash : to, to)));
}
