/* json_out.c - the members that every command's JSON begins and ends with. */
#include "report/json_out.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "wire/json.h"

void json_open(struct jsonw *w, struct buf *out)
{
    *w = (struct jsonw){.out = out, .indent = 2};
    jsonw_object_open(w);
    jsonw_member_string(w, STR("schema_version"), STR("1.0"));
}

void json_close(struct jsonw *w)
{
    jsonw_object_close(w);
    buf_char(w->out, '\n');
}

void time_json(struct jsonw *w, struct str key, int64_t utc_ms)
{
    char text[CLOCK_TEXT];
    jsonw_key(w, key);
    if (utc_ms)
        jsonw_string(w, str_from(clock_format(utc_ms, text)));
    else
        jsonw_null(w);
}

void text_json(struct jsonw *w, struct str key, struct str text)
{
    jsonw_key(w, key);
    if (text.len)
        jsonw_string(w, text);
    else
        jsonw_null(w);
}

bool print_buf(FILE *to, const struct buf *out, struct err *err)
{
    if (!buf_ok(out, err))
        return false;
    return !out->len || fwrite(out->ptr, 1, out->len, to) == out->len ||
           err_set(err, ERR_IO, "write to standard output");
}
