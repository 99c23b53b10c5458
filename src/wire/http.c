/* http.c - requests by libcurl's easy interface. */
#include "wire/http.h"

#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/curl.h"
#include "wire/egress.h"

enum {
    AUTH_BASIC = 1,
    PROTO_HTTPS = 2,
    PROTO_HTTP_HTTPS = 3,
    REDIRECTS_MAX = 5,
    DEFAULT_TIMEOUT_MS = 30000,
    DEFAULT_BYTES = 1 << 20,
    HEADERS_MAX = 8,
};

static size_t on_bytes(char *bytes, size_t size, size_t n, void *body)
{
    struct buf *buf = body;
    size_t room = buf->limit - buf->len, fits = size * n < room ? size * n : room;
    buf_add(buf, bytes, fits);
    buf->failed |= fits < size * n;
    return buf->failed ? 0 : size * n;
}

struct etag {
    char text[HTTP_ETAG_MAX];
    size_t n;
};

/* Of the last answer: a status line begins another. */
static size_t on_header(char *bytes, size_t size, size_t n, void *ctx)
{
    static const struct str name = STR_INIT("etag:");
    struct etag *etag = ctx;
    struct str line = {bytes, size * n};
    if (str_starts(line, STR("HTTP/")))
        etag->n = 0;
    if (line.len < name.len || strncasecmp(line.ptr, name.ptr, name.len) != 0)
        return line.len;
    struct str text = str_trim(str_sub(line, name.len, line.len));
    etag->n = text.len <= sizeof etag->text ? text.len : 0;
    memcpy(etag->text, text.ptr, etag->n);
    return line.len;
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
    long protocols = get->public_only ? PROTO_HTTPS : PROTO_HTTP_HTTPS;
    const struct {
        enum curl_option option;
        long value;
    } longs[] = {
        {OPT_FOLLOWLOCATION, !get->post.ptr && !get->method && !get->public_only},
        {OPT_MAXREDIRS, REDIRECTS_MAX},
        {OPT_PROTOCOLS, protocols},
        {OPT_REDIR_PROTOCOLS, protocols},
        {OPT_NOSIGNAL, 1},
        {OPT_CONNECTTIMEOUT_MS, timeout_ms},
        {OPT_TIMEOUT_MS, get->total_ms},
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
    if (get->method && strcmp(get->method, "HEAD") == 0)
        (void)curl->setopt(easy, OPT_NOBODY, 1L);
    else if (get->method)
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

struct fetch {
    const struct http_get *get;
    struct curl curl;
    void *easy;
    struct buf body;
    struct str label;
    struct egress egress;
    struct etag etag;
    char trouble[CURL_ERROR_SIZE];
};

static bool failed(const struct fetch *f, int code, struct err *err)
{
    const char *method = f->get->method ? f->get->method : f->get->post.ptr ? "POST" : "GET";
    if (code == CURL_WRITE_ERROR && f->body.failed)
        return err_set(err, ERR_LIMIT, "%s %.*s: the answer is larger than %zu bytes", method,
                       STR_ARG(f->label), f->body.limit);
    if (*f->egress.why)
        return err_set(err, ERR_USAGE, "%s %.*s: %s", method, STR_ARG(f->label), f->egress.why);
    return err_set(err, code == CURL_TIMED_OUT ? ERR_TIMEOUT : ERR_UNAVAILABLE, "%s %.*s: %s",
                   method, STR_ARG(f->label), *f->trouble ? f->trouble : f->curl.strerror(code));
}

static bool perform(struct fetch *f, struct arena *arena, struct http_answer *ret, struct err *err)
{
    struct http_answer answer = {0};
    struct curl_list list[HEADERS_MAX + 1];
    int64_t after_s = 0;
    set_options(&f->curl, f->easy, f->get, &f->body, f->trouble);
    (void)f->curl.setopt(f->easy, OPT_HEADERFUNCTION, on_header);
    (void)f->curl.setopt(f->easy, OPT_HEADERDATA, &f->etag);
    if (f->get->header)
        (void)f->curl.setopt(f->easy, OPT_HTTPHEADER, link_headers(f->get->header, list));
    if (f->get->public_only &&
        !egress_set_curl(&f->egress, &f->curl, f->easy, str_from(f->get->url), err))
        return err_wrap(err, "%.*s", STR_ARG(f->label));
    int code = f->curl.perform(f->easy);
    (void)f->curl.getinfo(f->easy, INFO_RESPONSE_CODE, &answer.status);
    (void)f->curl.getinfo(f->easy, INFO_RETRY_AFTER, &after_s);
    bool cut = code == CURL_WRITE_ERROR && f->get->cut && f->body.failed && answer.status;
    if (code != CURL_OK && !cut)
        return failed(f, code, err);
    after_s = after_s > HTTP_RETRY_MAX_S ? HTTP_RETRY_MAX_S : after_s;
    answer.retry_ms = after_s > 0 ? after_s * 1000 : 0;
    answer.body = arena_dup(arena, buf_view(&f->body));
    answer.etag = arena_dup(arena, (struct str){f->etag.text, f->etag.n});
    *ret = answer;
    return (answer.body.ptr && answer.etag.ptr) || arena_full(arena, err);
}

bool http_fetch(struct arena *arena, const struct http_get *get, struct http_answer *ret,
                struct err *err)
{
    struct fetch f = {.get = get, .body.limit = get->max_bytes ? get->max_bytes : DEFAULT_BYTES};
    f.label = (get->path_secret ? http_label_host : http_label)(arena, str_from(get->url));
    if (!f.label.ptr)
        return arena_full(arena, err);
    if (!curl_load(&f.curl, err))
        return false;
    f.easy = f.curl.init();
    if (!f.easy)
        return err_set(err, ERR_LIMIT, "out of memory");
    bool ok = perform(&f, arena, ret, err);
    f.curl.cleanup(f.easy);
    buf_free(&f.body);
    return ok;
}

static struct str label(struct arena *arena, struct str url, bool with_path)
{
    size_t scheme = str_find(url, STR("://"), 0);
    size_t from = scheme == SIZE_MAX ? 0 : scheme + 3;
    size_t query = str_find_char(url, '?', from), to = query == SIZE_MAX ? url.len : query;
    size_t slash = str_find_char(url, '/', from), end = slash < to ? slash : to;
    struct str host = str_sub(url, from, end);
    for (size_t at; (at = str_find_char(host, '@', 0)) != SIZE_MAX;)
        host = str_sub(host, at + 1, host.len);
    return arena_printf(arena, "%.*s%.*s%.*s", STR_ARG(str_sub(url, 0, from)), STR_ARG(host),
                        STR_ARG(str_sub(url, end, with_path ? to : end)));
}

struct str http_label(struct arena *arena, struct str url)
{
    return label(arena, url, true);
}

struct str http_label_host(struct arena *arena, struct str url)
{
    return label(arena, url, false);
}
