/* fn_time.c - timestamps as RFC 3339 text, durations as Go writes them. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/ops.h"

/* An instant and the offset that it was written with. */
struct moment {
    int64_t seconds; /* since 1970-01-01T00:00:00Z */
    int32_t nanoseconds, offset;
};

/* A moment as its own offset shows it. */
struct civil {
    int64_t year;
    int month, day, hour, minute, second, weekday; /* weekday: 0 = Sunday */
};

static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct civil civil_of(const struct moment *m)
{
    int64_t local = m->seconds + m->offset, days = local / 86400, second = local % 86400;
    if (second < 0) {
        second += 86400;
        days--;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct civil c = {.day = (int)(of_year - (153 * month + 2) / 5 + 1),
                      .month = (int)(month < 10 ? month + 3 : month - 9),
                      .hour = (int)(second / 3600),
                      .minute = (int)(second / 60 % 60),
                      .second = (int)(second % 60),
                      .weekday = (int)(((days + 4) % 7 + 7) % 7)};
    c.year = year + era * 400 + (c.month <= 2);
    return c;
}

/* --- RFC 3339 --- */

struct reader {
    struct hcl_call *call;
    struct str rest;
    int bad_arg;
    bool lenient; /* as Go's time.Parse: 1-digit hours, a comma before fractions, +24:00, +23:60 */
};

static bool complain(struct reader *r, const char *what)
{
    if (r->rest.len == 0)
        return hcl_call_fail(r->call, r->bad_arg,
                             "not a valid RFC3339 timestamp: end of string before %s", what);
    return hcl_call_fail(r->call, r->bad_arg,
                         "not a valid RFC3339 timestamp: cannot use \"%.*s\" as %s",
                         STR_ARG(r->rest), what);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_digits(struct reader *r, size_t least, size_t most, int low, int high,
                        const char *what, int *ret)
{
    size_t n = 0;
    int value = 0;
    while (n < most && n < r->rest.len && is_digit(r->rest.ptr[n]))
        value = value * 10 + (r->rest.ptr[n++] - '0');
    if (n < least || value < low || value > high)
        return complain(r, what);
    r->rest = str_sub(r->rest, n, r->rest.len);
    *ret = value;
    return true;
}

static bool read_mark(struct reader *r, char c, const char *what)
{
    if (r->rest.len == 0 || r->rest.ptr[0] != c)
        return complain(r, what);
    r->rest = str_sub(r->rest, 1, r->rest.len);
    return true;
}

static void read_fraction(struct reader *r, int32_t *ret)
{
    struct str s = r->rest;
    int32_t unit = 100000000;
    if (s.len < 2 || !is_digit(s.ptr[1]) || (s.ptr[0] != '.' && !(r->lenient && s.ptr[0] == ',')))
        return;
    size_t n = 1;
    for (; n < s.len && is_digit(s.ptr[n]); n++, unit /= 10)
        *ret += unit * (s.ptr[n] - '0');
    r->rest = str_sub(s, n, s.len);
}

static bool read_offset(struct reader *r, int32_t *ret)
{
    struct str all = r->rest;
    int hour, minute;
    if (str_equal(all, STR("Z")))
        return true;
    bool signed_ = all.len == 6 && (all.ptr[0] == '+' || all.ptr[0] == '-') && all.ptr[3] == ':';
    if (!signed_)
        return complain(r, "UTC offset");
    r->rest = str_sub(all, 1, all.len);
    bool ok = read_digits(r, 2, 2, 0, r->lenient ? 24 : 23, "UTC offset", &hour) &&
              read_mark(r, ':', "UTC offset") &&
              read_digits(r, 2, 2, 0, r->lenient ? 60 : 59, "UTC offset", &minute);
    if (!ok) {
        r->rest = all;
        return complain(r, "UTC offset");
    }
    *ret = (hour * 60 + minute) * 60 * (all.ptr[0] == '-' ? -1 : 1);
    return true;
}

static int days_in(int month, int year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool read_moment(struct hcl_call *call, size_t i, int bad_arg, bool lenient,
                        struct moment *ret)
{
    struct reader r = {
        .call = call, .rest = value_text(&call->arg[i]), .bad_arg = bad_arg, .lenient = lenient};
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    *ret = (struct moment){0};
    if (!read_digits(&r, 4, 4, 0, 9999, "year", &year) || !read_mark(&r, '-', "\"-\"") ||
        !read_digits(&r, 2, 2, 1, 12, "month", &month) || !read_mark(&r, '-', "\"-\"") ||
        !read_digits(&r, 2, 2, 0, 99, "day of month", &day))
        return false;
    if (r.rest.len && r.rest.ptr[0] != 'T')
        return hcl_call_fail(call, bad_arg,
                             "not a valid RFC3339 timestamp: missing required time introducer 'T'");
    if (!read_mark(&r, 'T', "\"T\"") ||
        !read_digits(&r, lenient ? 1 : 2, 2, 0, 23, "hour", &hour) ||
        !read_mark(&r, ':', "\":\"") || !read_digits(&r, 2, 2, 0, 59, "minute", &minute) ||
        !read_mark(&r, ':', "\":\"") || !read_digits(&r, 2, 2, 0, 59, "second", &second))
        return false;
    read_fraction(&r, &ret->nanoseconds);
    if (!read_offset(&r, &ret->offset))
        return false;
    if (day < 1 || day > days_in(month, year))
        return hcl_call_fail(call, bad_arg, "not a valid RFC3339 timestamp: day out of range");
    ret->seconds = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
                   ret->offset;
    return true;
}

static void put_offset(struct buf *out, int32_t offset, bool colon)
{
    int32_t minutes = abs(offset) / 60;
    buf_printf(out, "%c%02d%s%02d", offset < 0 ? '-' : '+', minutes / 60, colon ? ":" : "",
               minutes % 60);
}

static void put_moment(struct buf *out, const struct moment *m)
{
    struct civil c = civil_of(m);
    buf_printf(out, "%s%04lld-%02d-%02dT%02d:%02d:%02d", c.year < 0 ? "-" : "",
               llabs((long long)c.year), c.month, c.day, c.hour, c.minute, c.second);
    if (m->offset == 0)
        buf_char(out, 'Z');
    else
        put_offset(out, m->offset, true);
}

/* --- durations --- */

static const struct {
    struct str name;
    uint64_t nanoseconds;
} units[] = {
    {STR_INIT("ns"), 1},
    {STR_INIT("us"), 1000},
    {STR_INIT("\xc2\xb5s"), 1000}, /* U+00B5, micro sign */
    {STR_INIT("\xce\xbcs"), 1000}, /* U+03BC, Greek mu */
    {STR_INIT("ms"), 1000000},
    {STR_INIT("s"), 1000000000},
    {STR_INIT("m"), UINT64_C(60) * 1000000000},
    {STR_INIT("h"), UINT64_C(3600) * 1000000000},
};

static uint64_t unit_of(struct str name)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_equal(name, units[i].name))
            return units[i].nanoseconds;
    return 0;
}

static const uint64_t DURATION_MOST = UINT64_C(1) << 63;

/* digits [. digits] unit; false past 2^63 ns or where it is none of that. */
static bool read_part(struct str *s, uint64_t *ret, struct str *ret_unit)
{
    size_t at = 0, fraction;
    uint64_t whole = 0, part = 0;
    double scale = 1;
    for (; at < s->len && is_digit(s->ptr[at]); at++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(s->ptr[at] - '0'), &whole) ||
            whole > DURATION_MOST)
            return false;
    bool digits = at > 0;
    if (at < s->len && s->ptr[at] == '.') {
        bool full = false;
        for (fraction = ++at; at < s->len && is_digit(s->ptr[at]); at++) {
            full = full || part > (DURATION_MOST - 1) / 10;
            uint64_t next = full ? 0 : part * 10 + (uint64_t)(s->ptr[at] - '0');
            full = full || next > DURATION_MOST;
            if (full)
                continue;
            part = next;
            scale *= 10;
        }
        digits = digits || at > fraction;
    }
    size_t start = at;
    while (at < s->len && s->ptr[at] != '.' && !is_digit(s->ptr[at]))
        at++;
    *ret_unit = str_sub(*s, start, at);
    uint64_t unit = unit_of(*ret_unit);
    *s = str_sub(*s, at, s->len);
    if (!digits || !unit || whole > DURATION_MOST / unit)
        return false;
    *ret = whole * unit + (part ? (uint64_t)((double)part * ((double)unit / scale)) : 0);
    return *ret <= DURATION_MOST;
}

static bool read_duration(struct hcl_call *call, size_t i, int64_t *ret)
{
    struct str all = value_text(&call->arg[i]), s = all, unit = {0};
    bool negative = s.len && s.ptr[0] == '-', ok = true;
    uint64_t total = 0, part;
    if (s.len && (s.ptr[0] == '-' || s.ptr[0] == '+'))
        s = str_sub(s, 1, s.len);
    if (str_equal(s, STR("0"))) {
        *ret = 0;
        return true;
    }
    ok = s.len > 0;
    while (ok && s.len) {
        ok = read_part(&s, &part, &unit) && !__builtin_add_overflow(total, part, &total) &&
             total <= DURATION_MOST;
        if (!ok && unit.len && !unit_of(unit))
            return hcl_call_fail(call, -1, "time: unknown unit \"%.*s\" in duration \"%.*s\"",
                                 STR_ARG(unit), STR_ARG(all));
    }
    if (!ok || (!negative && total == DURATION_MOST))
        return hcl_call_fail(call, -1, "time: invalid duration \"%.*s\"", STR_ARG(all));
    *ret = negative ? (int64_t)(0 - total) : (int64_t)total;
    return true;
}

/* --- functions --- */

static bool run_timeadd(struct hcl_call *call, struct value *ret)
{
    struct moment m;
    int64_t duration = 0;
    AUTO_BUF out = {.limit = 64};
    if (!read_moment(call, 0, -1, false, &m) || !read_duration(call, 1, &duration))
        return false;
    int64_t nanoseconds = m.nanoseconds + duration % 1000000000;
    m.seconds += duration / 1000000000 + nanoseconds / 1000000000;
    if (nanoseconds % 1000000000 < 0)
        m.seconds--;
    put_moment(&out, &m);
    return hcl_give_buf(call, &out, ret);
}

static bool run_timecmp(struct hcl_call *call, struct value *ret)
{
    struct moment a, b;
    if (!read_moment(call, 0, 0, true, &a) || !read_moment(call, 1, 1, true, &b))
        return false;
    int order = (a.seconds > b.seconds) - (a.seconds < b.seconds);
    if (order == 0)
        order = (a.nanoseconds > b.nanoseconds) - (a.nanoseconds < b.nanoseconds);
    *ret = value_int(order);
    ret->precision = HCL_PREC_64;
    return true;
}

static bool give_now(struct hcl_call *call, int64_t utc_ms, struct value *ret)
{
    struct moment m = {.seconds = utc_ms / 1000 - (utc_ms % 1000 < 0)};
    AUTO_BUF out = {.limit = 64};
    put_moment(&out, &m);
    return hcl_give_buf(call, &out, ret);
}

static bool run_timestamp(struct hcl_call *call, struct value *ret)
{
    return give_now(call, clock_wall_ms(), ret);
}

static bool run_plantimestamp(struct hcl_call *call, struct value *ret)
{
    const struct hcl_world *world = call->ev->world;
    if (world && world->now_utc_ms != INT64_MIN)
        return give_now(call, world->now_utc_ms, ret);
    *ret = hcl_unknown(call->ev->arena, &type_string);
    return true;
}

/* --- formatdate --- */

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};

static void put_year(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m;
    if (n == 2)
        buf_printf(out, "%02d", (int)(c->year % 100));
    else
        buf_printf(out, "%04lld", (long long)c->year);
}

static void put_number(struct buf *out, int number, size_t n)
{
    buf_printf(out, n == 2 ? "%02d" : "%d", number);
}

static void put_month(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m;
    if (n <= 2)
        put_number(out, c->month, n);
    else
        buf_printf(out, "%.*s", n == 3 ? 3 : 20, months[c->month - 1]);
}

static void put_day(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m;
    put_number(out, c->day, n);
}

static void put_weekday(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m;
    buf_printf(out, "%.*s", n == 3 ? 3 : 20, weekdays[c->weekday]);
}

static void put_hour(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m;
    put_number(out, c->hour, n);
}

static void put_hour_12(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m;
    put_number(out, c->hour % 12 ? c->hour % 12 : 12, n);
}

static void put_half_upper(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m, (void)n;
    buf_str(out, c->hour < 12 ? STR("AM") : STR("PM"));
}

static void put_half(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m, (void)n;
    buf_str(out, c->hour < 12 ? STR("am") : STR("pm"));
}

static void put_minute(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m;
    put_number(out, c->minute, n);
}

static void put_second(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)m;
    put_number(out, c->second, n);
}

static void put_zone(struct buf *out, const struct moment *m, const struct civil *c, size_t n)
{
    (void)c;
    if (m->offset == 0 && n == 1)
        buf_char(out, 'Z');
    else if (m->offset == 0 && n == 3)
        buf_str(out, STR("UTC"));
    else
        put_offset(out, m->offset, n == 1 || n == 5);
}

/* A verb is a letter repeated; `widths` has a bit for each count that it may have. */
static const struct {
    char letter;
    unsigned widths;
    void (*put)(struct buf *out, const struct moment *m, const struct civil *c, size_t n);
    const char *rule;
} verbs[] = {
    {'Y', 1 << 2 | 1 << 4, put_year, "year must either be \"YY\" or \"YYYY\""},
    {'M', 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4, put_month,
     "month must be \"M\", \"MM\", \"MMM\", or \"MMMM\""},
    {'D', 1 << 1 | 1 << 2, put_day, "day of month must either be \"D\" or \"DD\""},
    {'E', 1 << 3 | 1 << 4, put_weekday, "day of week must either be \"EEE\" or \"EEEE\""},
    {'h', 1 << 1 | 1 << 2, put_hour, "24-hour must either be \"h\" or \"hh\""},
    {'H', 1 << 1 | 1 << 2, put_hour_12, "12-hour must either be \"H\" or \"HH\""},
    {'A', 1 << 2, put_half_upper, "must be \"AA\""},
    {'a', 1 << 2, put_half, "must be \"aa\""},
    {'m', 1 << 1 | 1 << 2, put_minute, "minute must either be \"m\" or \"mm\""},
    {'s', 1 << 1 | 1 << 2, put_second, "second must either be \"s\" or \"ss\""},
    {'Z', 1 << 1 | 1 << 3 | 1 << 4 | 1 << 5, put_zone, "timezone must be Z, ZZZZ, or ZZZZZ"},
};

static bool put_verb(struct hcl_call *call, struct buf *out, const struct moment *m,
                     const struct civil *c, struct str verb)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (verbs[i].letter != verb.ptr[0])
            continue;
        if (verb.len > 5 || !(verbs[i].widths & 1u << verb.len))
            return hcl_call_fail(call, 0, "invalid date format verb \"%.*s\": %s", STR_ARG(verb),
                                 verbs[i].rule);
        verbs[i].put(out, m, c, verb.len);
        return true;
    }
    return hcl_call_fail(call, 0, "invalid date format verb \"%.*s\"", STR_ARG(verb));
}

/* 'text' with '' inside; *at stands on the first quote, then behind the last. */
static bool put_quoted(struct hcl_call *call, struct buf *out, struct str format, size_t *at)
{
    size_t i = *at + 1;
    if (i < format.len && format.ptr[i] == '\'') {
        buf_char(out, '\'');
        *at = i + 1;
        return true;
    }
    for (; i < format.len; i++) {
        if (format.ptr[i] == '\'') {
            if (i + 1 == format.len || format.ptr[i + 1] != '\'') {
                *at = i + 1;
                return true;
            }
            i++;
        }
        buf_char(out, format.ptr[i]);
    }
    return hcl_call_fail(call, 0, "unterminated literal '");
}

static bool run_formatdate(struct hcl_call *call, struct value *ret)
{
    struct str format = value_text(&call->arg[0]);
    struct moment m;
    AUTO_BUF out = {.limit = HCL_TEXT_MAX};
    if (!read_moment(call, 1, 1, false, &m))
        return false;
    struct civil c = civil_of(&m);
    for (size_t at = 0; at < format.len;) {
        char letter = format.ptr[at];
        size_t from = at;
        if (letter == '\'') {
            if (!put_quoted(call, &out, format, &at))
                return false;
        } else if ((letter | 32) >= 'a' && (letter | 32) <= 'z') {
            while (at < format.len && format.ptr[at] == letter)
                at++;
            if (!put_verb(call, &out, &m, &c, str_sub(format, from, at)))
                return false;
        } else {
            buf_char(&out, letter);
            at++;
        }
    }
    return hcl_give_buf(call, &out, ret);
}

static const struct hcl_function functions[] = {
    {.name = "formatdate",
     .param = {{"format", "string", 0}, {"time", "string", 0}},
     .result = "string",
     .run = run_formatdate,
     .result_not_null = 1},
    {.name = "timeadd",
     .param = {{"timestamp", "string", 0}, {"duration", "string", 0}},
     .result = "string",
     .run = run_timeadd},
    {.name = "timecmp",
     .param = {{"timestamp_a", "string", 0}, {"timestamp_b", "string", 0}},
     .result = "number",
     .run = run_timecmp,
     .result_not_null = 1},
    {.name = "timestamp",
     .result = "string",
     .run = run_timestamp,
     .result_not_null = 1,
     .unknown_when_planning = 1},
    {.name = "plantimestamp", .result = "string", .run = run_plantimestamp},
};

const struct hcl_function_family fn_time = {functions, sizeof functions / sizeof *functions};
