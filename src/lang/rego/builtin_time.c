/* builtin_time.c - Rego's functions of time: nanoseconds since 1970, Go's layouts, time zones. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/builtin.h"
#include "lang/rego/zone.h"

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
static const char *const days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                   "Thursday", "Friday", "Saturday"};

enum { NS = 1000000000 };

static struct str text(const struct rego_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

/* Seconds and nanoseconds as one int64 of nanoseconds; false outside. */
static bool join(int64_t seconds, int64_t ns, int64_t *ret)
{
    int64_t big;
    if (seconds < 0 && ns > 0) { /* the lowest second is not whole: count down from the next */
        seconds++;
        ns -= NS;
    }
    return !__builtin_mul_overflow(seconds, (int64_t)NS, &big) &&
           !__builtin_add_overflow(big, ns, ret);
}

static enum rego_outcome give(struct rego_call *call, int64_t seconds, int64_t ns,
                              struct value *ret)
{
    int64_t all;
    if (!join(seconds, ns, &all))
        return rego_fail(call, "time outside of valid range");
    *ret = value_int(all);
    return REGO_DEFINED;
}

/* --- operands: ns, [ns, zone], [ns, zone, layout] --- */

struct moment {
    int64_t seconds, ns; /* ns from 0 */
    const struct zone *zone;
    struct str layout;
};

static bool moment_number(struct rego_call *call, size_t i, const struct value *v,
                          struct moment *ret)
{
    int64_t n;
    if (v->kind != VALUE_NUMBER) {
        (void)rego_fail_operand(call, i, "number", v);
        return false;
    }
    if (!rego_to_int64(v, &n)) {
        (void)rego_fail(call,
                        rego_is_integer(v) ? "timestamp too big" : "timestamp is not an integer");
        return false;
    }
    ret->seconds = n / NS - (n % NS < 0);
    ret->ns = n % NS + (n % NS < 0 ? NS : 0);
    return true;
}

static bool read_moment(struct rego_call *call, size_t i, struct moment *ret)
{
    const struct value *v = &call->arg[i];
    struct str zone = STR("");
    *ret = (struct moment){0};
    if (rego_is_array(v)) {
        if (v->len < 1 || !moment_number(call, i, &v->items[0], ret))
            return v->len < 1 ? rego_fail_operand(call, i, "[ns, tz]", v), false : false;
        for (uint32_t k = 1; k < v->len && k < 3; k++)
            if (v->items[k].kind != VALUE_STRING) {
                (void)rego_fail_operand(call, i, "string", &v->items[k]);
                return false;
            }
        zone = v->len > 1 ? value_text(&v->items[1]) : zone;
        ret->layout = v->len > 2 ? value_text(&v->items[2]) : (struct str){0};
    } else if (!moment_number(call, i, v, ret)) {
        return false;
    }
    ret->zone = zone_open(call->arena, zone);
    if (!ret->zone)
        (void)rego_fail(call, "unknown time zone %.*s", STR_ARG(zone));
    return ret->zone != NULL;
}

static struct civil local(const struct moment *m, int *ret_offset, struct str *ret_name)
{
    *ret_offset = zone_offset(m->zone, m->seconds, ret_name);
    return civil_from(m->seconds + *ret_offset);
}

static enum rego_outcome numbers(struct rego_call *call, const int64_t *n, size_t count,
                                 struct value *ret)
{
    struct value *items = arena_new(call->arena, struct value, count);
    if (!items)
        return REGO_HALT;
    for (size_t i = 0; i < count; i++)
        items[i] = value_int(n[i]);
    *ret = value_items(VALUE_TUPLE, items, count);
    return REGO_DEFINED;
}

static enum rego_outcome now_ns(struct rego_call *call, struct value *ret)
{
    struct timespec now;
    int64_t ns = call->host->now_utc_ns;
    if (ns == INT64_MIN || ns == 0) {
        (void)clock_gettime(CLOCK_REALTIME, &now);
        ns = (int64_t)now.tv_sec * NS + now.tv_nsec;
    }
    *ret = value_int(ns);
    return REGO_DEFINED;
}

static enum rego_outcome date(struct rego_call *call, struct value *ret)
{
    struct moment m;
    struct str name;
    int offset;
    if (!read_moment(call, 0, &m))
        return REGO_FAILED;
    struct civil c = local(&m, &offset, &name);
    return numbers(call, (int64_t[]){c.year, c.month, c.day}, 3, ret);
}

static enum rego_outcome clock_(struct rego_call *call, struct value *ret)
{
    struct moment m;
    struct str name;
    int offset;
    if (!read_moment(call, 0, &m))
        return REGO_FAILED;
    struct civil c = local(&m, &offset, &name);
    return numbers(call, (int64_t[]){c.hour, c.minute, c.second}, 3, ret);
}

static enum rego_outcome weekday(struct rego_call *call, struct value *ret)
{
    struct moment m;
    struct str name;
    int offset;
    if (!read_moment(call, 0, &m))
        return REGO_FAILED;
    *ret = value_string(str_from(days[local(&m, &offset, &name).weekday]));
    return REGO_DEFINED;
}

static enum rego_outcome add_date(struct rego_call *call, struct value *ret)
{
    struct moment m = {0};
    int64_t by[3];
    enum { FAR = 1000000 };
    if (!moment_number(call, 0, &call->arg[0], &m))
        return REGO_FAILED;
    for (size_t i = 0; i < 3; i++) {
        if (!rego_index_int64(&call->arg[i + 1], &by[i]))
            return rego_fail_operand(call, i + 1, "integer number", &call->arg[i + 1]);
        if (by[i] < -FAR * 400 || by[i] > FAR * 400)
            return rego_fail(call, "time outside of valid range");
    }
    struct civil c = civil_from(m.seconds);
    return give(
        call,
        civil_seconds(c.year + by[0], c.month + by[1], c.day + by[2], c.hour, c.minute, c.second),
        m.ns, ret);
}

/* [years, months, days, hours, minutes, seconds] between two moments, the earlier first, of what a
 * clock shows: parts of seconds do not count. */
static enum rego_outcome diff(struct rego_call *call, struct value *ret)
{
    struct moment a, b;
    struct str name;
    int offset;
    if (!read_moment(call, 0, &a) || !read_moment(call, 1, &b))
        return REGO_FAILED;
    b.zone = a.zone;
    if (a.seconds > b.seconds || (a.seconds == b.seconds && a.ns > b.ns)) {
        struct moment kept = a;
        a = b;
        b = kept;
    }
    struct civil x = local(&a, &offset, &name), y = local(&b, &offset, &name);
    int64_t n[] = {y.year - x.year, y.month - x.month,   y.day - x.day,
                   y.hour - x.hour, y.minute - x.minute, y.second - x.second};
    static const int64_t whole[] = {0, 12, 0, 24, 60, 60};
    for (int i = 5; i > 0; i--) {
        if (n[i] >= 0)
            continue;
        /* days of the month that the earlier moment is in */
        int64_t carry = i == 2 ? (civil_seconds(x.year, x.month + 1, 1, 0, 0, 0) -
                                  civil_seconds(x.year, x.month, 1, 0, 0, 0)) /
                                     86400
                               : whole[i];
        n[i] += carry;
        n[i - 1]--;
    }
    return numbers(call, n, 6, ret);
}

/* --- layouts: Go's reference time, Mon Jan 2 15:04:05 MST 2006 --- */

enum part {
    PART_NONE,
    PART_YEAR,
    PART_YEAR2,
    PART_MONTH_LONG,
    PART_MONTH_SHORT,
    PART_MONTH2,
    PART_MONTH,
    PART_DAY_LONG,
    PART_DAY_SHORT,
    PART_DAY2,
    PART_DAY_BLANK,
    PART_DAY,
    PART_YDAY,
    PART_HOUR24,
    PART_HOUR12_2,
    PART_HOUR12,
    PART_MINUTE2,
    PART_MINUTE,
    PART_SECOND2,
    PART_SECOND,
    PART_AM,
    PART_AM_LOWER,
    PART_ZONE_NAME,
    PART_Z0700,
    PART_Z07_00,
    PART_Z070000,
    PART_Z07_00_00,
    PART_Z07,
    PART_0700,
    PART_07_00,
    PART_070000,
    PART_07_00_00,
    PART_07,
    PART_FRACTION_0,
    PART_FRACTION_9
};
static const struct {
    const char *text;
    enum part part;
} parts[] = {
    {"January", PART_MONTH_LONG},
    {"Monday", PART_DAY_LONG},
    {"2006", PART_YEAR},
    {"Z07:00:00", PART_Z07_00_00},
    {"Z070000", PART_Z070000},
    {"Z07:00", PART_Z07_00},
    {"Z0700", PART_Z0700},
    {"Z07", PART_Z07},
    {"-07:00:00", PART_07_00_00},
    {"-070000", PART_070000},
    {"-07:00", PART_07_00},
    {"-0700", PART_0700},
    {"-07", PART_07},
    {"002", PART_YDAY},
    {"Jan", PART_MONTH_SHORT},
    {"Mon", PART_DAY_SHORT},
    {"MST", PART_ZONE_NAME},
    {"01", PART_MONTH2},
    {"02", PART_DAY2},
    {"03", PART_HOUR12_2},
    {"04", PART_MINUTE2},
    {"05", PART_SECOND2},
    {"06", PART_YEAR2},
    {"15", PART_HOUR24},
    {"_2", PART_DAY_BLANK},
    {"PM", PART_AM},
    {"pm", PART_AM_LOWER},
    {"1", PART_MONTH},
    {"2", PART_DAY},
    {"3", PART_HOUR12},
    {"4", PART_MINUTE},
    {"5", PART_SECOND},
};

static const struct {
    const char *name, *layout;
} named_layouts[] = {
    {"ANSIC", "Mon Jan _2 15:04:05 2006"},
    {"UnixDate", "Mon Jan _2 15:04:05 MST 2006"},
    {"RubyDate", "Mon Jan 02 15:04:05 -0700 2006"},
    {"RFC822", "02 Jan 06 15:04 MST"},
    {"RFC822Z", "02 Jan 06 15:04 -0700"},
    {"RFC850", "Monday, 02-Jan-06 15:04:05 MST"},
    {"RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"},
    {"RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"},
    {"RFC3339", "2006-01-02T15:04:05Z07:00"},
    {"RFC3339Nano", "2006-01-02T15:04:05.999999999Z07:00"},
};

static struct str layout_of(struct str s)
{
    for (size_t i = 0; i < sizeof named_layouts / sizeof *named_layouts; i++)
        if (str_equal(str_from(named_layouts[i].name), s))
            return str_from(named_layouts[i].layout);
    return s;
}

/* ".000" or ",999": digits of a fraction, not followed by another digit. */
static enum part fraction_at(struct str l, size_t at, size_t *ret_len)
{
    char digit = at + 1 < l.len ? l.ptr[at + 1] : '\0';
    size_t n = 1;
    if ((l.ptr[at] != '.' && l.ptr[at] != ',') || (digit != '0' && digit != '9'))
        return PART_NONE;
    while (at + n < l.len && l.ptr[at + n] == digit)
        n++;
    if (at + n < l.len && isdigit((unsigned char)l.ptr[at + n]))
        return PART_NONE;
    *ret_len = n;
    return digit == '0' ? PART_FRACTION_0 : PART_FRACTION_9;
}

/* The part of the layout that starts here, with its length; NONE for a literal character. */
static enum part part_at(struct str l, size_t at, size_t *ret_len)
{
    struct str rest = str_sub(l, at, l.len);
    enum part fraction = fraction_at(l, at, ret_len);
    if (fraction != PART_NONE)
        return fraction;
    if (str_starts(rest, STR("_2006")))
        return PART_NONE;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (str_starts(rest, str_from(parts[i].text))) {
            size_t len = strlen(parts[i].text);
            /* "Janet" is not Jan: a lower-case letter behind ends the match, as in Go */
            bool word = parts[i].part == PART_MONTH_SHORT && len < rest.len &&
                        islower((unsigned char)rest.ptr[len]);
            if (word)
                continue;
            *ret_len = len;
            return parts[i].part;
        }
    return PART_NONE;
}

static void zone_text(struct buf *out, enum part part, int offset)
{
    bool z = part >= PART_Z0700 && part <= PART_Z07;
    enum part kind = z ? part - PART_Z0700 + PART_0700 : part;
    int a = offset < 0 ? -offset : offset;
    if (z && offset == 0) {
        buf_char(out, 'Z');
        return;
    }
    buf_printf(out, "%c%02d", offset < 0 ? '-' : '+', a / 3600);
    if (kind == PART_07)
        return;
    bool colon = kind == PART_07_00 || kind == PART_07_00_00;
    buf_printf(out, "%s%02d", colon ? ":" : "", a / 60 % 60);
    if (kind == PART_070000 || kind == PART_07_00_00)
        buf_printf(out, "%s%02d", colon ? ":" : "", a % 60);
}

static void fraction_text(struct buf *out, enum part part, size_t digits, char sign, int64_t ns)
{
    char text[16];
    (void)snprintf(text, sizeof text, "%09d", (int)ns);
    size_t n = digits > 9 ? 9 : digits;
    if (part == PART_FRACTION_9) {
        while (n > 0 && text[n - 1] == '0')
            n--;
        if (n == 0)
            return;
    }
    buf_char(out, sign);
    buf_add(out, text, n);
}

static void put(struct buf *out, const char *text, size_t n)
{
    buf_add(out, text, strlen(text) < n ? strlen(text) : n);
}

static void format_part(struct buf *out, enum part part, const struct civil *c, int offset,
                        struct str zone)
{
    int hour12 = c->hour % 12 == 0 ? 12 : c->hour % 12;
    switch (part) {
    case PART_YEAR:
        buf_printf(out, "%04lld", (long long)c->year);
        break;
    case PART_YEAR2:
        buf_printf(out, "%02d", (int)(c->year % 100));
        break;
    case PART_MONTH_LONG:
        put(out, months[c->month - 1], 20);
        break;
    case PART_MONTH_SHORT:
        put(out, months[c->month - 1], 3);
        break;
    case PART_MONTH2:
        buf_printf(out, "%02d", c->month);
        break;
    case PART_MONTH:
        buf_printf(out, "%d", c->month);
        break;
    case PART_DAY_LONG:
        put(out, days[c->weekday], 20);
        break;
    case PART_DAY_SHORT:
        put(out, days[c->weekday], 3);
        break;
    case PART_DAY2:
        buf_printf(out, "%02d", c->day);
        break;
    case PART_DAY_BLANK:
        buf_printf(out, "%2d", c->day);
        break;
    case PART_DAY:
        buf_printf(out, "%d", c->day);
        break;
    case PART_YDAY:
        buf_printf(out, "%03d",
                   (int)((civil_seconds(c->year, c->month, c->day, 0, 0, 0) -
                          civil_seconds(c->year, 1, 1, 0, 0, 0)) /
                         86400) +
                       1);
        break;
    case PART_HOUR24:
        buf_printf(out, "%02d", c->hour);
        break;
    case PART_HOUR12_2:
        buf_printf(out, "%02d", hour12);
        break;
    case PART_HOUR12:
        buf_printf(out, "%d", hour12);
        break;
    case PART_MINUTE2:
        buf_printf(out, "%02d", c->minute);
        break;
    case PART_MINUTE:
        buf_printf(out, "%d", c->minute);
        break;
    case PART_SECOND2:
        buf_printf(out, "%02d", c->second);
        break;
    case PART_SECOND:
        buf_printf(out, "%d", c->second);
        break;
    case PART_AM:
        buf_str(out, c->hour >= 12 ? STR("PM") : STR("AM"));
        break;
    case PART_AM_LOWER:
        buf_str(out, c->hour >= 12 ? STR("pm") : STR("am"));
        break;
    case PART_ZONE_NAME:
        buf_str(out, zone);
        break;
    default:
        zone_text(out, part, offset);
        break;
    }
}

static enum rego_outcome format(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = 1 << 20};
    struct moment m;
    struct str name, l;
    int offset;
    if (!read_moment(call, 0, &m))
        return REGO_FAILED;
    struct civil c = local(&m, &offset, &name);
    l = m.layout.ptr && m.layout.len ? layout_of(m.layout)
                                     : STR("2006-01-02T15:04:05.999999999Z07:00");
    for (size_t at = 0; at < l.len;) {
        size_t len = 1;
        enum part part = part_at(l, at, &len);
        if (part == PART_NONE)
            buf_char(&out, l.ptr[at]);
        else if (part == PART_FRACTION_0 || part == PART_FRACTION_9)
            fraction_text(&out, part, len - 1, l.ptr[at], m.ns);
        else
            format_part(&out, part, &c, offset, name);
        at += part == PART_NONE ? 1 : len;
    }
    return rego_give_buf(call, &out, ret);
}

/* --- parsing --- */

struct parsed {
    int64_t year, yday;
    int month, day, hour, minute, second, offset;
    int64_t ns;
    bool pm, am, has_month, has_yday;
};

static bool take_digits(struct str *s, size_t least, size_t most, int64_t *ret)
{
    size_t n = 0;
    *ret = 0;
    while (n < s->len && n < most && isdigit((unsigned char)s->ptr[n]))
        *ret = *ret * 10 + (s->ptr[n++] - '0');
    if (n < least)
        return false;
    *s = str_sub(*s, n, s->len);
    return true;
}

static bool take_name(struct str *s, const char *const *names, int n, bool brief, int *ret)
{
    for (int i = 0; i < n; i++) {
        size_t len = brief ? 3 : strlen(names[i]);
        if (s->len >= len && strncasecmp(s->ptr, names[i], len) == 0) {
            *s = str_sub(*s, len, s->len);
            *ret = i;
            return true;
        }
    }
    return false;
}

/* ".123" behind the seconds */
static bool take_fraction(struct str *s, int64_t *ret_ns)
{
    int64_t ns = 0, unit = 100000000;
    size_t n = 1;
    for (; n < s->len && isdigit((unsigned char)s->ptr[n]); n++) {
        ns += (s->ptr[n] - '0') * unit;
        unit /= 10;
    }
    *ret_ns = ns;
    *s = str_sub(*s, n, s->len);
    return n > 1;
}

static bool take_zone(struct str *s, enum part part, int *ret)
{
    bool z = part >= PART_Z0700 && part <= PART_Z07;
    enum part kind = z ? part - PART_Z0700 + PART_0700 : part;
    int64_t h, m = 0, sec = 0;
    *ret = 0;
    if (z && s->len && s->ptr[0] == 'Z') {
        *s = str_sub(*s, 1, s->len);
        return true;
    }
    if (!s->len || (s->ptr[0] != '+' && s->ptr[0] != '-'))
        return false;
    int sign = s->ptr[0] == '-' ? -1 : 1;
    bool colon = kind == PART_07_00 || kind == PART_07_00_00;
    *s = str_sub(*s, 1, s->len);
    if (!take_digits(s, 2, 2, &h))
        return false;
    for (int i = 0; i < (kind == PART_07                                ? 0
                         : kind == PART_070000 || kind == PART_07_00_00 ? 2
                                                                        : 1);
         i++) {
        if (colon && !(s->len && s->ptr[0] == ':'))
            return false;
        if (colon)
            *s = str_sub(*s, 1, s->len);
        if (!take_digits(s, 2, 2, i ? &sec : &m))
            return false;
    }
    *ret = sign * (int)(h * 3600 + m * 60 + sec);
    return h <= 24 && m < 60 && sec < 60;
}

/* CET, UTC, MST: three or four capitals; only UTC and GMT tell an offset. */
static bool take_zone_name(struct str *s)
{
    size_t n = 0;
    while (n < s->len && n < 5 && isupper((unsigned char)s->ptr[n]))
        n++;
    *s = str_sub(*s, n, s->len);
    return n >= 3;
}

static bool take_part(struct str *s, enum part part, struct parsed *p)
{
    int64_t n = 0;
    int index = 0;
    bool ok = true;
    switch (part) {
    case PART_YEAR:
        ok = take_digits(s, 4, 4, &p->year);
        break;
    case PART_YEAR2:
        ok = take_digits(s, 2, 2, &n);
        p->year = n >= 69 ? 1900 + n : 2000 + n;
        break;
    case PART_MONTH_LONG:
    case PART_MONTH_SHORT:
        ok = take_name(s, months, 12, part == PART_MONTH_SHORT, &index);
        p->month = index + 1;
        p->has_month = true;
        break;
    case PART_MONTH2:
    case PART_MONTH:
        ok = take_digits(s, part == PART_MONTH2 ? 2 : 1, 2, &n) && n >= 1 && n <= 12;
        p->month = (int)n;
        p->has_month = true;
        break;
    case PART_DAY_LONG:
    case PART_DAY_SHORT:
        ok = take_name(s, days, 7, part == PART_DAY_SHORT, &index);
        break;
    case PART_DAY_BLANK:
    case PART_DAY2:
    case PART_DAY:
        if (part == PART_DAY_BLANK && s->len && s->ptr[0] == ' ')
            *s = str_sub(*s, 1, s->len);
        ok = take_digits(s, part == PART_DAY2 ? 2 : 1, 2, &n);
        p->day = (int)n;
        break;
    case PART_YDAY:
        ok = take_digits(s, 3, 3, &p->yday);
        p->has_yday = true;
        break;
    case PART_HOUR24:
        ok = take_digits(s, 2, 2, &n) && n < 24;
        p->hour = (int)n;
        break;
    case PART_HOUR12_2:
    case PART_HOUR12:
        ok = take_digits(s, part == PART_HOUR12_2 ? 2 : 1, 2, &n) && n <= 12;
        p->hour = (int)n;
        break;
    case PART_MINUTE2:
    case PART_MINUTE:
        ok = take_digits(s, part == PART_MINUTE2 ? 2 : 1, 2, &n) && n < 60;
        p->minute = (int)n;
        break;
    case PART_SECOND2:
    case PART_SECOND:
        ok = take_digits(s, part == PART_SECOND2 ? 2 : 1, 2, &n) && n < 60;
        p->second = (int)n;
        break;
    case PART_AM:
    case PART_AM_LOWER: {
        static const char *const upper[] = {"AM", "PM"};
        ok = s->len >= 2 && strncasecmp(s->ptr + 1, "m", 1) == 0;
        p->pm = ok && (s->ptr[0] | 32) == upper[1][0] + 32;
        p->am = ok && (s->ptr[0] | 32) == upper[0][0] + 32;
        *s = str_sub(*s, 2, s->len);
        ok = p->pm || p->am;
        break;
    }
    case PART_ZONE_NAME:
        ok = take_zone_name(s);
        break;
    default:
        ok = take_zone(s, part, &p->offset);
        break;
    }
    return ok;
}

static bool valid_day(const struct parsed *p)
{
    int64_t length = (civil_seconds(p->year, p->month + 1, 1, 0, 0, 0) -
                      civil_seconds(p->year, p->month, 1, 0, 0, 0)) /
                     86400;
    return p->day >= 1 && p->day <= length;
}

static bool parse(struct str l, struct str s, struct parsed *p)
{
    *p = (struct parsed){.year = 0, .month = 1, .day = 1};
    for (size_t at = 0; at < l.len;) {
        size_t len = 1;
        enum part part = part_at(l, at, &len);
        if (part == PART_NONE) {
            if (!s.len || s.ptr[0] != l.ptr[at])
                return false;
            s = str_sub(s, 1, s.len);
            at++;
            continue;
        }
        at += len;
        if (part == PART_FRACTION_0 || part == PART_FRACTION_9) {
            if (s.len && (s.ptr[0] == '.' || s.ptr[0] == ',')) {
                if (!take_fraction(&s, &p->ns))
                    return false;
            } else if (part == PART_FRACTION_0) {
                return false;
            }
            continue;
        }
        if (!take_part(&s, part, p))
            return false;
        /* Go reads a fraction behind seconds even where the layout has none. */
        bool fraction =
            s.len > 1 && (s.ptr[0] == '.' || s.ptr[0] == ',') && isdigit((unsigned char)s.ptr[1]);
        size_t next;
        if ((part == PART_SECOND2 || part == PART_SECOND) && fraction &&
            (at >= l.len || fraction_at(l, at, &next) == PART_NONE) && !take_fraction(&s, &p->ns))
            return false;
    }
    if (p->pm && p->hour < 12)
        p->hour += 12;
    if (p->am && p->hour == 12)
        p->hour = 0;
    if (p->has_yday && !p->has_month)
        return s.len == 0 && p->yday >= 1 && p->yday <= 366;
    return s.len == 0 && valid_day(p);
}

static enum rego_outcome parse_with(struct rego_call *call, struct str layout, struct str s,
                                    struct value *ret)
{
    struct parsed p;
    if (!parse(layout, s, &p))
        return rego_fail(call, "parsing time \"%.*s\" as \"%.*s\": cannot parse", STR_ARG(s),
                         STR_ARG(layout));
    int64_t day = p.has_yday && !p.has_month ? p.yday : p.day;
    int64_t seconds = civil_seconds(p.year, p.month, day, p.hour, p.minute, p.second) - p.offset;
    return give(call, seconds, p.ns, ret);
}

static enum rego_outcome parse_ns(struct rego_call *call, struct value *ret)
{
    return parse_with(call, layout_of(text(call, 0)), text(call, 1), ret);
}

static enum rego_outcome parse_rfc3339_ns(struct rego_call *call, struct value *ret)
{
    return parse_with(call, layout_of(STR("RFC3339")), text(call, 0), ret);
}

/* Go's durations, with d, w and y too: 1h15m30.918273645s */
static enum rego_outcome parse_duration_ns(struct rego_call *call, struct value *ret)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1},      {"us", 1e3},     {"\xc2\xb5s", 1e3}, {"\xce\xbcs", 1e3},
                 {"ms", 1e6},    {"s", 1e9},      {"m", 60e9},        {"h", 3600e9},
                 {"d", 86400e9}, {"w", 604800e9}, {"y", 31536000e9}};
    struct str s = text(call, 0), whole = s;
    bool minus = str_starts(s, STR("-")), any = false;
    long double total = 0;
    if (minus || str_starts(s, STR("+")))
        s = str_sub(s, 1, s.len);
    if (str_equal(s, STR("0"))) {
        *ret = value_int(0);
        return REGO_DEFINED;
    }
    while (s.len) {
        long double n = 0, scale = 1;
        size_t i = 0, digits = 0, best = SIZE_MAX;
        bool point = false;
        for (; i < s.len && (isdigit((unsigned char)s.ptr[i]) || (s.ptr[i] == '.' && !point));
             i++) {
            if (s.ptr[i] == '.') {
                point = true;
                continue;
            }
            digits++;
            n = n * 10 + (s.ptr[i] - '0');
            scale *= point ? 10 : 1;
        }
        s = str_sub(s, i, s.len);
        for (size_t k = 0; k < sizeof units / sizeof *units; k++)
            if (str_starts(s, str_from(units[k].name)) &&
                (best == SIZE_MAX || strlen(units[k].name) > strlen(units[best].name)))
                best = k;
        if (!digits || best == SIZE_MAX)
            return rego_fail(call, "time: invalid duration \"%.*s\"", STR_ARG(whole));
        total += n * (long double)units[best].ns / scale;
        s = str_sub(s, strlen(units[best].name), s.len);
        any = true;
    }
    if (!any || total >= 9223372036854775808.0L)
        return rego_fail(call, "time: invalid duration \"%.*s\"", STR_ARG(whole));
    *ret = value_int(minus ? -(int64_t)total : (int64_t)total);
    return REGO_DEFINED;
}

#define MOMENT "number | array<number, string>"
static const struct rego_builtin table[] = {
    {"time.now_ns", NULL, "() => number", now_ns, REGO_NONDETERMINISTIC},
    {"time.date", NULL, "(" MOMENT ") => array<number, number, number>", date, 0},
    {"time.clock", NULL, "(" MOMENT ") => array<number, number, number>", clock_, 0},
    {"time.weekday", NULL, "(" MOMENT ") => string", weekday, 0},
    {"time.add_date", NULL, "(number, number, number, number) => number", add_date, 0},
    {"time.diff", NULL,
     "(" MOMENT ", " MOMENT ") => array<number, number, number, number, number, number>", diff, 0},
    {"time.format", NULL, "(number | array[any]) => string", format, 0},
    {"time.parse_ns", NULL, "(string, string) => number", parse_ns, 0},
    {"time.parse_rfc3339_ns", NULL, "(string) => number", parse_rfc3339_ns, 0},
    {"time.parse_duration_ns", NULL, "(string) => number", parse_duration_ns, 0},
};
const struct rego_family builtin_time = {table, sizeof table / sizeof *table};
