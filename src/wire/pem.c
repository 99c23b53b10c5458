/* pem.c - blocks of base64 between "-----BEGIN X-----" and "-----END X-----". */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/base64.h"
#include "wire/pem.h"

enum { PEM_MAX = 64 << 20 };
static const struct str dashes = STR_INIT("-----");

/* The next line, without its end. */
static bool line(struct str *rest, struct str *ret)
{
    if (!rest->len)
        return false;
    (void)str_cut(rest, '\n', ret);
    *ret = str_trim(*ret);
    return true;
}

/* "-----BEGIN X-----" gives X. */
static bool boundary(struct str s, struct str begin, struct str *ret_type)
{
    if (!str_starts(s, begin) || !str_ends(s, dashes) || s.len < begin.len + dashes.len)
        return false;
    *ret_type = str_sub(s, begin.len, s.len - dashes.len);
    return true;
}

/* Headers ("Proc-Type: 4,ENCRYPTED") stand before an empty line; nobody here asks for them. */
static bool is_header(struct str s)
{
    return str_find_char(s, ':', 0) != SIZE_MAX;
}

bool pem_next(struct arena *arena, struct str *rest, struct pem *ret)
{
    struct str s, type, end;
    while (line(rest, &s)) {
        if (!boundary(s, STR("-----BEGIN "), &type))
            continue;
        AUTO_BUF text = {.limit = PEM_MAX};
        AUTO_BUF bytes = {.limit = PEM_MAX};
        struct str after = *rest;
        bool ended = false;
        while (!ended && line(&after, &s)) {
            ended = boundary(s, STR("-----END "), &end);
            for (size_t i = 0; !ended && !is_header(s) && i < s.len; i++)
                if (s.ptr[i] != ' ' && s.ptr[i] != '\t')
                    buf_char(&text, s.ptr[i]);
        }
        size_t bad;
        if (!ended || !str_equal(type, end) || text.failed ||
            !base64_read(&bytes, buf_view(&text), BASE64_STANDARD, &bad))
            continue;
        struct str kept = arena_dup(arena, buf_view(&bytes));
        if (!kept.ptr)
            return false;
        *ret = (struct pem){type, kept};
        *rest = after;
        return true;
    }
    return false;
}
