/* identity_name.c - one spelling for the names that clouds, providers and states give a resource.
 */
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "record/identity.h"

enum { TEXT_LEAST = 2, NUMBER_LEAST = 6 };

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Numbers are ids where they are long; "true" names nothing. */
static bool says_nothing(struct str s)
{
    static const struct str words[] = {STR_INIT("true"),    STR_INIT("false"), STR_INIT("null"),
                                       STR_INIT("none"),    STR_INIT("yes"),   STR_INIT("no"),
                                       STR_INIT("default"), STR_INIT("*")};
    bool number = true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_equal(s, words[i]))
            return true;
    for (size_t i = 0; i < s.len; i++)
        number &= (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '.';
    return s.len < TEXT_LEAST || (number && s.len < NUMBER_LEAST);
}

/* https://www.googleapis.com/compute/v1/projects/p/..., //compute.googleapis.com/projects/p/... */
static struct str without_service(struct str s)
{
    static const struct str host = STR_INIT("googleapis.com/"), projects = STR_INIT("/projects/");
    size_t at = str_find(s, host, 0);
    if (at == SIZE_MAX || str_find_char(s, '/', 0) > at)
        return s;
    at = str_find(s, projects, at + host.len - 1);
    return at == SIZE_MAX ? s : str_sub(s, at + 1, s.len);
}

bool identity_normalise(struct buf *out, struct str text)
{
    static const struct str prefixes[] = {STR_INIT("/hostedzone/"), STR_INIT("/delegationset/")};
    out->len = 0;
    text = str_trim(text);
    if (!text.len || text.len > IDENTITY_TEXT_MAX)
        return false;
    char *to = buf_room(out, text.len);
    for (size_t i = 0; to && i < text.len; i++) {
        if ((unsigned char)text.ptr[i] < ' ')
            return false;
        to[i] = lower(text.ptr[i]);
    }
    if (!to)
        return false;
    struct str s = without_service((struct str){to, text.len});
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (str_starts(s, prefixes[i]))
            s = str_sub(s, prefixes[i].len, s.len);
    while (s.len > 1 && (s.ptr[s.len - 1] == '/' || s.ptr[s.len - 1] == '.'))
        s.len--;
    if (says_nothing(s))
        return false;
    memmove(to, s.ptr, s.len);
    out->len = s.len;
    return true;
}

int64_t identity_hash(struct str normalised)
{
    return (int64_t)hash_bytes(normalised, 0);
}
