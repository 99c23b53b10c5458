/* pathname.c - parts on a stack. */
#include "base/pathname.h"

#include "base/arena.h"

struct str pathname_clean(struct arena *arena, struct str path)
{
    struct str part[PATHNAME_PARTS_MAX], rest = path, done;
    size_t n = 0, at = 0;
    bool absolute = str_starts(path, STR("/"));
    for (bool more = true; more;) {
        struct str one;
        more = str_cut(&rest, '/', &one);
        bool up = str_equal(one, STR(".."));
        if (!one.len || str_equal(one, STR(".")) || (up && absolute && n == 0))
            continue;
        if (up && n && !str_equal(part[n - 1], STR(".."))) {
            n--;
            continue;
        }
        if (n == PATHNAME_PARTS_MAX)
            return (struct str){0};
        part[n++] = one;
    }
    char *out = arena_alloc(arena, path.len + 2, 1, 1);
    if (!out)
        return (struct str){0};
    if (absolute)
        out[at++] = '/';
    for (size_t i = 0; i < n; i++) {
        if (i)
            out[at++] = '/';
        for (size_t k = 0; k < part[i].len; k++)
            out[at++] = part[i].ptr[k];
    }
    if (at == 0)
        out[at++] = '.';
    done = (struct str){out, at};
    return done;
}

struct str pathname_below(struct str base, struct str path)
{
    if (str_equal(base, path))
        return STR(".");
    if (str_equal(base, STR(".")))
        return str_starts(path, STR("/")) || str_equal(path, STR("..")) ||
                       str_starts(path, STR("../"))
                   ? (struct str){0}
                   : path;
    if (str_equal(base, STR("/")))
        return str_starts(path, base) ? str_sub(path, 1, path.len) : (struct str){0};
    if (str_starts(path, base) && path.len > base.len && path.ptr[base.len] == '/')
        return str_sub(path, base.len + 1, path.len);
    return (struct str){0};
}
