/* uri.c - URIs as Go's url.Parse takes them apart. */
#include "lang/rego/uri.h"

#include <ctype.h>
#include <string.h>

int uri_hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? (c | 32) - 'a' + 10
                                        : -1;
}

static bool escapes_are_good(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '%' &&
            (i + 2 >= s.len || uri_hex_digit(s.ptr[i + 1]) < 0 || uri_hex_digit(s.ptr[i + 2]) < 0))
            return false;
    return true;
}

static bool scheme_of(struct str *s, struct str *ret)
{
    for (size_t i = 0; i < s->len; i++) {
        char c = s->ptr[i];
        if (isalpha((unsigned char)c))
            continue;
        if (i > 0 && (isdigit((unsigned char)c) || c == '+' || c == '-' || c == '.'))
            continue;
        if (c == ':' && i == 0)
            return false;
        if (c == ':') {
            *ret = str_sub(*s, 0, i);
            *s = str_sub(*s, i + 1, s->len);
        }
        return true;
    }
    return true;
}

static bool authority(struct str s, struct uri *ret)
{
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '@')
            at = i;
    if (at != SIZE_MAX) {
        ret->user = str_sub(s, 0, at);
        s = str_sub(s, at + 1, s.len);
    }
    size_t colon = SIZE_MAX, end = 0;
    if (str_starts(s, STR("["))) {
        end = str_find_char(s, ']', 0);
        if (end == SIZE_MAX)
            return false;
        ret->host = str_sub(s, 1, end);
        end++;
        if (end < s.len && s.ptr[end] != ':')
            return false;
        colon = end < s.len ? end : SIZE_MAX;
    } else {
        for (size_t i = 0; i < s.len; i++) {
            if (s.ptr[i] == ':')
                colon = i;
            if (strchr(" <>\"\\^`{}|", s.ptr[i]) && s.ptr[i])
                return false;
        }
        ret->host = str_sub(s, 0, colon == SIZE_MAX ? s.len : colon);
    }
    if (colon != SIZE_MAX) {
        ret->port = str_sub(s, colon + 1, s.len);
        for (size_t i = 0; i < ret->port.len; i++)
            if (!isdigit((unsigned char)ret->port.ptr[i]))
                return false;
    }
    for (size_t i = 0; i + 2 < ret->host.len; i++) /* of letters and signs there is no need */
        if (ret->host.ptr[i] == '%' && uri_hex_digit(ret->host.ptr[i + 1]) < 8 &&
            !str_equal(str_sub(ret->host, i, i + 3), STR("%25")))
            return false;
    return escapes_are_good(ret->host);
}

bool uri_parse(struct str s, struct uri *ret)
{
    *ret = (struct uri){0};
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 32 || s.ptr[i] == 127)
            return false;
    size_t hash = str_find_char(s, '#', 0);
    if (hash != SIZE_MAX) {
        ret->fragment = str_sub(s, hash + 1, s.len);
        s = str_sub(s, 0, hash);
    }
    if (!escapes_are_good(ret->fragment) || !scheme_of(&s, &ret->scheme))
        return false;
    size_t question = str_find_char(s, '?', 0);
    if (question != SIZE_MAX) {
        ret->query = str_sub(s, question + 1, s.len);
        s = str_sub(s, 0, question);
    }
    if (!str_starts(s, STR("/"))) {
        if (ret->scheme.len) {
            ret->opaque = true;
            return true;
        }
        size_t colon = str_find_char(s, ':', 0), slash = str_find_char(s, '/', 0);
        if (colon != SIZE_MAX && (slash == SIZE_MAX || colon < slash))
            return false; /* first path segment must not have a colon */
    }
    if (str_starts(s, STR("//")) && !str_starts(s, STR("///"))) {
        s = str_sub(s, 2, s.len);
        size_t slash = str_find_char(s, '/', 0);
        struct str host = str_sub(s, 0, slash == SIZE_MAX ? s.len : slash);
        s = str_sub(s, host.len, s.len);
        if (!authority(host, ret))
            return false;
    } else if (str_starts(s, STR("///"))) {
        s = str_sub(s, 2, s.len);
    }
    ret->path = s;
    return escapes_are_good(s);
}
