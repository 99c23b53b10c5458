/* report.c - the table of formats. */
#include "report/report.h"

#include <string.h>

#define X(name) extern const struct format name;
#include "gen/report_format.inc"
#undef X

static const struct format *const formats[] = {
#define X(name) &name,
#include "gen/report_format.inc"
#undef X
    NULL,
};

const struct format *const *report_formats(size_t *ret_n)
{
    *ret_n = 0;
    while (formats[*ret_n])
        ++*ret_n;
    return formats;
}

/* A name wins over an ending, and a longer ending over a shorter one (gl-code-quality.json). */
const struct format *report_find(struct str name)
{
    const struct format *found = NULL;
    size_t longest = 0;
    for (size_t i = 0; formats[i]; i++) {
        if (str_equal(name, str_from(formats[i]->name)))
            return formats[i];
        struct str ending = str_from(formats[i]->extension);
        if (ending.len > longest && name.len >= ending.len + (ending.ptr[0] == '.') &&
            str_ends(name, ending)) {
            found = formats[i];
            longest = ending.len;
        }
    }
    return found;
}
