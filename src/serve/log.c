/* log.c - one line an event, in logfmt or JSON. */
#include "serve/log.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
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

#define X(name, what) STR_INIT(name),
static const struct str subsystems[] = {LOG_SUBSYSTEMS(X)};
#undef X

static size_t find_subsystem(struct str name)
{
    size_t i = 0;
    while (i < LOG_SUBSYSTEM_COUNT && !str_equal(name, subsystems[i]))
        i++;
    return i;
}

static bool bad_subsystem(struct str name, struct err *err)
{
    struct str near = str_nearest(name, subsystems, LOG_SUBSYSTEM_COUNT);
    AUTO_BUF all = {.limit = ERR_TEXT_MAX};
    for (size_t i = 0; i < LOG_SUBSYSTEM_COUNT; i++)
        buf_printf(&all, "%s%.*s", i ? ", " : "", STR_ARG(subsystems[i]));
    if (near.len)
        return err_set(err, ERR_USAGE,
                       "log level: there is no subsystem '%.*s'; did you mean %.*s?", STR_ARG(name),
                       STR_ARG(near));
    return err_set(err, ERR_USAGE, "log level: there is no subsystem '%.*s'; there are %.*s",
                   STR_ARG(name), STR_ARG(buf_view(&all)));
}

bool log_set_levels(struct log *log, struct str text, struct err *err)
{
    unsigned char of[LOG_SUBSYSTEM_COUNT] = {0};
    enum log_level all = LOG_INFO;
    for (struct str one, name; text.len > 0;) {
        (void)str_cut(&text, ',', &one);
        bool named = str_cut(&one, '=', &name);
        struct str word = str_trim(named ? one : name);
        enum log_level level = LOG_INFO;
        size_t which = named ? find_subsystem(str_trim(name)) : 0;
        if (!log_level_from(word, &level))
            return err_set(err, ERR_USAGE,
                           "log level: '%.*s' is none of error, warn, info and debug",
                           STR_ARG(word));
        if (which == LOG_SUBSYSTEM_COUNT)
            return bad_subsystem(str_trim(name), err);
        if (named)
            of[which] = (unsigned char)(level + 1);
        else
            all = level;
    }
    if (!log)
        return true;
    log->level = all;
    for (size_t i = 0; i < LOG_SUBSYSTEM_COUNT; i++)
        log->of[i] = of[i];
    return true;
}

bool log_wants(const struct log *log, enum log_level level, const char *subsystem)
{
    size_t i = find_subsystem(str_from(subsystem));
    unsigned char own = i < LOG_SUBSYSTEM_COUNT ? log->of[i] : 0;
    return log->out && level <= (own ? (enum log_level)(own - 1) : log->level);
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

/* Without a trace, or an error, there is nothing to say of it. */
static bool is_silent(const struct log_field *field)
{
    static const char *const names[] = {"trace", "span", "error", "said"};
    bool silent = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        silent |= strcmp(field->name, names[i]) == 0;
    return silent && !field->is_number && field->text.len == 0;
}

static void add_text(struct buf *line, const char *time, enum log_level level,
                     const char *subsystem, const char *message, const struct log_field *field,
                     size_t n)
{
    buf_printf(line, "%s %s %s %s", time, log_level_name(level), subsystem, message);
    for (size_t i = 0; i < n; i++) {
        if (is_silent(&field[i]))
            continue;
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
        if (is_silent(&field[i]))
            continue;
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
    if (!log_wants(log, level, subsystem))
        return;
    if (log->also)
        log->also(log->also_ctx, level, subsystem, message, field, n);
    clock_format(log->now_ms ? log->now_ms(log->clock) : clock_wall_ms(), time);
    (log->json ? add_json : add_text)(&line, time, level, subsystem, message, field, n);
    buf_char(&line, '\n');
    if (line.failed)
        return;
    (void)fwrite(line.ptr, 1, line.len, log->out); /* one call: stdio's lock keeps the line whole */
    (void)fflush(log->out);
}
