/* log.c - one line an event, in logfmt or JSON. */
#include "serve/log.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "wire/json.h"

enum { LINE_BYTES_MAX = 1 << 16 };

#define X(constant, name) name,
static const char *const level_names[] = {LOG_LEVELS(X)};
#undef X

const char *log_level_name(enum log_level level)
{
    return level < LOG_LEVEL_COUNT ? level_names[level] : "error";
}

bool log_level_from(struct str name, enum log_level *ret)
{
    for (size_t i = 0; i < LOG_LEVEL_COUNT; i++)
        if (str_equal(name, str_from(level_names[i]))) {
            *ret = (enum log_level)i;
            return true;
        }
    return false;
}

/* Can stand without quotes: nothing that would end the word or fool a terminal. */
static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == '"' || s.ptr[i] == '=' ||
            s.ptr[i] == '\\')
            return false;
    return s.len > 0;
}

static void add_text(struct buf *line, const char *time, enum log_level level,
                     const char *subsystem, const char *message, const struct log_field *field,
                     size_t n)
{
    buf_printf(line, "%s %s %s %s", time, log_level_name(level), subsystem, message);
    for (size_t i = 0; i < n; i++) {
        buf_printf(line, " %s=", field[i].name);
        if (field[i].is_number)
            buf_printf(line, "%" PRId64, field[i].number);
        else if (is_word(field[i].text))
            buf_str(line, field[i].text);
        else
            json_quote(line, field[i].text);
    }
}

static void add_json(struct buf *line, const char *time, enum log_level level,
                     const char *subsystem, const char *message, const struct log_field *field,
                     size_t n)
{
    struct jsonw w = {.out = line};
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("time"), str_from(time));
    jsonw_member_string(&w, STR("level"), str_from(log_level_name(level)));
    jsonw_member_string(&w, STR("subsystem"), str_from(subsystem));
    jsonw_member_string(&w, STR("message"), str_from(message));
    for (size_t i = 0; i < n; i++) {
        if (field[i].is_number)
            jsonw_member_int(&w, str_from(field[i].name), field[i].number);
        else
            jsonw_member_string(&w, str_from(field[i].name), field[i].text);
    }
    jsonw_object_close(&w);
}

void log_line(const struct log *log, enum log_level level, const char *subsystem,
              const char *message, const struct log_field *field, size_t n)
{
    char time[CLOCK_TEXT];
    AUTO_BUF line = {.limit = LINE_BYTES_MAX};
    if (!log->out || level > log->level)
        return;
    clock_format(log->now_ms ? log->now_ms(log->clock) : clock_wall_ms(), time);
    (log->json ? add_json : add_text)(&line, time, level, subsystem, message, field, n);
    buf_char(&line, '\n');
    if (line.failed)
        return;
    (void)fwrite(line.ptr, 1, line.len, log->out); /* one call: stdio's lock keeps the line whole */
    (void)fflush(log->out);
}
