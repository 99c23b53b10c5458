/* audit_setup.c - the store, times and formats of the `plumb audit` commands. */
#include "cli/audit_setup.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/quantity.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/store_setup.h"
#include "record/audit.h"
#include "record/audit_head.h"
#include "record/note.h"
#include "wire/json.h"
#include "wire/syslog.h"

bool audit_open(struct arena *arena, const struct app *app, const struct option_value *config,
                const struct option_value *store, enum audit_use use, struct record *ret,
                struct err *err)
{
    struct store_choice choice;
    if (!store_find(arena, app, config, store, &choice, err))
        return false;
    if (!choice.chosen && !choice.there)
        use = AUDIT_READ; /* a store of its own sake is not made here: the error says how */
    struct err why = {0};
    if (use == AUDIT_READ)
        return store_open(arena, app, &choice, STORE_READ, ret, err);
    if (store_open(arena, app, &choice, STORE_WRITE, ret, &why))
        return true;
    /* What was signed can be shown and given away from where nothing can be written, too. */
    if (use == AUDIT_SIGN && why.kind == ERR_IO)
        return store_open(arena, app, &choice, STORE_READ, ret, err);
    *err = why;
    return false;
}

bool audit_take_time(const struct app *app, const char *name, const struct option_value *value,
                     int64_t *ret, struct err *err)
{
    int64_t ms = 0;
    if (!value->set)
        return true;
    if (quantity_parse_duration(value->text, &ms))
        *ret = app->now_ms(app->clock) - ms;
    else if (clock_parse(value->text, &ms))
        *ret = ms;
    else
        return err_set(err, ERR_USAGE,
                       "--%s: want a time ago such as 24h or 7d, or a date such as 2026-11-22 or "
                       "2026-11-22T14:00:00Z, not '%.*s'",
                       name, STR_ARG(value->text));
    return true;
}

bool audit_take_seq(struct str text, int64_t *ret, struct err *err)
{
    int64_t seq = -1;
    if (!str_to_int64(text, &seq) || seq < 0)
        return err_set(err, ERR_USAGE, "want the number of an event, not '%.*s'", STR_ARG(text));
    *ret = seq;
    return true;
}

bool audit_log_origin(struct record *record, struct arena *arena, struct str *ret, struct err *err)
{
    struct audit_head head;
    if (!audit_head_read(record->db, arena, &head, err))
        return false;
    *ret = head.origin;
    return true;
}

bool audit_give(struct arena *arena, const struct app *app, const struct option_value *file,
                struct str text, struct err *err)
{
    enum { FILE_MODE = 0644 };
    if (!file->text.len) {
        (void)fwrite(text.ptr, 1, text.len, app->out);
        return true;
    }
    struct str path = arena_dup(arena, file->text);
    return path.ptr ? io_write_file_atomic(path.ptr, text, FILE_MODE, err) : arena_full(arena, err);
}

bool audit_read_files(struct arena *arena, const struct option_value *files, struct str **ret,
                      size_t *ret_n, struct err *err)
{
    struct str *text = arena_new(arena, struct str, files->nlist);
    if (!text)
        return arena_full(arena, err);
    for (size_t i = 0; i < files->nlist; i++) {
        struct str path = arena_dup(arena, files->list[i]);
        if (!path.ptr)
            return arena_full(arena, err);
        if (!io_read_file(arena, path.ptr, NOTE_BYTES_MAX, &text[i], err))
            return false;
    }
    *ret = text;
    *ret_n = files->nlist;
    return true;
}

/* --- printing --- */

/* Raw text of a line, escapes and all, for a terminal: escapes stay what they are. */
static void print_text(struct buf *out, const struct audit_line *line)
{
    char time[CLOCK_TEXT];
    buf_printf(out, "%6lld  %-24s  %-17.*s %-9.*s %.*s", (long long)line->seq,
               clock_format(line->utc_ms, time), STR_ARG(line->type),
               STR_ARG(line->outcome.len ? line->outcome : STR("-")), STR_ARG(line->actor));
    if (line->how.len && !str_equal(line->how, STR("none")))
        buf_printf(out, " (%.*s)", STR_ARG(line->how));
    if (line->stack.len)
        buf_printf(out, "  %.*s", STR_ARG(line->stack));
    if (line->subject.len)
        buf_printf(out, "  %.*s", STR_ARG(line->subject));
    if (line->reason.len)
        buf_printf(out, ": %.*s", STR_ARG(line->reason));
}

/* RFC 5424: the message is the line itself, so that it can still be hashed where it arrives. */
static void print_syslog(struct buf *out, const struct audit_line *line)
{
    const struct syslog_header header = {.facility = SYSLOG_AUDIT,
                                         .severity = SYSLOG_NOTICE,
                                         .utc_ms = line->utc_ms,
                                         .type = line->type};
    syslog_begin(out, &header);
    buf_str(out, STR("\xef\xbb\xbf"));
    buf_str(out, line->text);
}

bool audit_print(const struct audit_printer *printer, const struct audit_line *line,
                 struct err *err)
{
    AUTO_BUF out = {.limit = 8 * (size_t)AUDIT_LINE_MAX};
    switch (printer->format) {
    case AUDIT_TEXT:
        print_text(&out, line);
        break;
    case AUDIT_JSONL:
        buf_str(&out, line->text);
        break;
    case AUDIT_SYSLOG:
        print_syslog(&out, line);
        break;
    case AUDIT_OCSF:
        if (!audit_ocsf_print(&out, line, printer->origin, printer->ocsf, err))
            return false;
        break;
    }
    buf_char(&out, '\n');
    if (!buf_ok(&out, err))
        return false;
    return fwrite(out.ptr, 1, out.len, printer->out) == out.len ||
           err_set(err, ERR_IO, "write: the other end is gone or full");
}
