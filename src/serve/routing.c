/* routing.c - from the raw target of a request to its route; decoding is strict. */
#include <string.h>

#include "base/utf8.h"
#include "serve/listener_parts.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

struct str routing_decode(struct arena *arena, struct str raw, bool plus)
{
    char *out = arena_new(arena, char, raw.len + 1);
    size_t n = 0;
    if (!out)
        return (struct str){0};
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            int high = i + 2 < raw.len ? hex(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex(raw.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return (struct str){0};
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if ((unsigned char)c < ' ' && !(plus && (c == '\n' || c == '\t')))
            return (struct str){0};
        if (c == 0x7f)
            return (struct str){0};
        out[n++] = c;
    }
    struct str text = {out, n};
    return utf8_bad_at(text) == SIZE_MAX ? text : (struct str){0};
}

bool routing_target(struct request *request, struct str raw)
{
    size_t mark = str_find_char(raw, '?', 0);
    struct str path = str_sub(raw, 0, mark == SIZE_MAX ? raw.len : mark);
    request->query = mark == SIZE_MAX ? STR("") : str_sub(raw, mark + 1, raw.len);
    if (path.len == 0 || path.ptr[0] != '/')
        return false;
    request->path = routing_decode(&request->arena, path, false);
    return request->path.ptr != NULL;
}

static bool path_fits(const char *pattern, struct str path, struct str *ret_rest)
{
    struct str want = str_from(pattern);
    if (want.len && want.ptr[want.len - 1] == '*') {
        want.len--;
        if (!str_starts(path, want) || path.len == want.len)
            return false;
        *ret_rest = str_sub(path, want.len, path.len);
        return true;
    }
    *ret_rest = (struct str){0};
    return str_equal(path, want);
}

const struct listener_route *routing_find(const struct served *served, struct request *request,
                                          struct str *ret_methods)
{
    struct buf methods = {.limit = 256};
    bool head = str_equal(request->method, STR("HEAD"));
    struct str rest = {0};
    for (size_t i = 0; i < served->nroutes; i++) {
        const struct listener_route *route = &served->route[i];
        struct str method = str_from(route->method);
        if (!path_fits(route->path, request->path, &rest))
            continue;
        if (str_equal(request->method, method) || (head && str_equal(method, STR("GET")))) {
            request->rest = rest;
            buf_free(&methods);
            return route;
        }
        buf_printf(&methods, "%s%s%s", methods.len ? ", " : "", route->method,
                   str_equal(method, STR("GET")) ? ", HEAD" : "");
    }
    *ret_methods = arena_dup(&request->arena, buf_view(&methods));
    buf_free(&methods);
    return NULL;
}

struct str request_header(const struct request *request, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < request->nheaders; i++)
        if (request->header[i].name.len == len &&
            strncasecmp(request->header[i].name.ptr, name, len) == 0)
            return request->header[i].value;
    return (struct str){0};
}

/* The next pair of a query, decoded; the value's ptr NULL: malformed. */
static bool next_pair(struct request *request, struct str *rest, struct str *ret_name,
                      struct str *ret_value)
{
    struct str pair, key = {0};
    if (!rest->len)
        return false;
    (void)str_cut(rest, '&', &pair);
    if (!str_cut(&pair, '=', &key))
        pair = STR("");
    *ret_name = routing_decode(&request->arena, key, true);
    *ret_value = routing_decode(&request->arena, pair, true);
    return true;
}

bool request_param_at(struct request *request, const char *name, size_t nth, struct str *ret)
{
    struct str rest = request->query, key, value;
    while (next_pair(request, &rest, &key, &value)) {
        if (!key.ptr || !str_equal(key, str_from(name)) || nth-- > 0)
            continue;
        if (!value.ptr)
            return false;
        *ret = value;
        return true;
    }
    return false;
}

bool request_param(struct request *request, const char *name, struct str *ret)
{
    return request_param_at(request, name, 0, ret);
}

static bool refuse_unknown(struct request *request, struct str name)
{
    enum { MOST = 16 };
    struct str known[MOST] = {0};
    size_t n = 0;
    for (const struct route_parameter *p = request->route->parameter; p && p->name && n < MOST; p++)
        known[n++] = str_from(p->name);
    struct str near = str_nearest(name, known, n);
    request_problem(request, 400, "bad-request", "there is no parameter '%.*s' here%s%.*s%s",
                    STR_ARG(name), near.len ? "; did you mean '" : "", STR_ARG(near),
                    near.len ? "'?" : "");
    return false;
}

bool request_params_fit(struct request *request)
{
    struct str rest = request->query, key, value, second;
    while (next_pair(request, &rest, &key, &value)) {
        const struct route_parameter *p = request->route->parameter;
        while (p && p->name && !str_equal(key, str_from(p->name)))
            p++;
        if (!key.len && !value.len && key.ptr && value.ptr)
            continue; /* nothing between two & */
        if (!p || !p->name)
            return refuse_unknown(request, key);
        if (!value.ptr) {
            request_problem(request, 400, "bad-request",
                            "%s: its value is no text in UTF-8, with %%XX for what may not stand "
                            "in an address",
                            p->name);
            return false;
        }
        if (!p->many && request_param_at(request, p->name, 1, &second)) {
            request_problem(request, 400, "bad-request",
                            "%s: given twice, which may say two things", p->name);
            return false;
        }
    }
    return true;
}
