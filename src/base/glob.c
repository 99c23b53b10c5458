/* glob.c - two backtracking marks (one for `*`, one for `**`), so the cost is bounded. */
#include "base/glob.h"

struct mark {
    bool set;
    size_t pattern, text;
};

static bool literal(struct str pattern, size_t at, struct str text, size_t i, size_t *ret_step)
{
    char c = pattern.ptr[at];
    *ret_step = 1;
    if (c == '\\' && at + 1 < pattern.len) {
        c = pattern.ptr[at + 1];
        *ret_step = 2;
    } else if (c == '?') {
        return true;
    }
    return c == text.ptr[i];
}

/* One character further for the newest star that may still grow. */
static bool retry(struct mark *star, struct mark *deep, struct str text, char separator, size_t *p,
                  size_t *i)
{
    if (star->set && star->text < text.len &&
        (separator == '\0' || text.ptr[star->text] != separator)) {
        *p = star->pattern;
        *i = ++star->text;
        return true;
    }
    star->set = false;
    if (!deep->set || deep->text >= text.len)
        return false;
    *p = deep->pattern;
    *i = ++deep->text;
    return true;
}

bool glob_match(struct str pattern, struct str text, char separator)
{
    struct mark star = {0}, deep = {0};
    size_t p = 0, i = 0;
    for (;;) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            bool twice = p + 1 < pattern.len && pattern.ptr[p + 1] == '*';
            p += twice ? 2 : 1;
            if (twice) {
                deep = (struct mark){true, p, i};
                star.set = false;
            } else {
                star = (struct mark){true, p, i};
            }
            continue;
        }
        size_t step = 0;
        bool separated = p < pattern.len && i < text.len && pattern.ptr[p] == '?' &&
                         separator != '\0' && text.ptr[i] == separator;
        if (p < pattern.len && i < text.len && !separated && literal(pattern, p, text, i, &step)) {
            p += step;
            i++;
            continue;
        }
        if (p == pattern.len && i == text.len)
            return true;
        if (!retry(&star, &deep, text, separator, &p, &i))
            return false;
    }
}

bool glob_is_pattern(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == '*' || text.ptr[i] == '?')
            return true;
    }
    return false;
}
