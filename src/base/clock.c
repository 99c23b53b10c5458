/* clock.c - civil dates without libc's time zone state (proleptic Gregorian, no leap seconds). */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_wall_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Days since 1970-01-01; months shifted so that the leap day ends the year. */
int64_t clock_days(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = floor_div(y, 400), yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct clock_day clock_day_at(int64_t days)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9), day = (int)(doy - (153 * mp + 2) / 5 + 1);
    return (struct clock_day){yoe + era * 400 + (month <= 2), month, day};
}

const char *clock_format(int64_t utc_ms, char out[CLOCK_TEXT])
{
    static const int64_t first = -62167219200000, last = 253402300799999; /* years 0000 to 9999 */
    utc_ms = utc_ms < first ? first : utc_ms > last ? last : utc_ms;
    int64_t days = floor_div(utc_ms, 86400000), rest = utc_ms - days * 86400000;
    int64_t second = rest / 1000, ms = rest % 1000;
    struct clock_day at = clock_day_at(days);
    char text[96] = ""; /* the compiler does not see that 24 bytes do */
    int len = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", (int)at.year, at.month,
                       at.day, (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    (void)snprintf(text + len, sizeof text - (size_t)len, ms ? ".%03dZ" : "Z", (int)ms);
    memcpy(out, text, CLOCK_TEXT - 1);
    out[CLOCK_TEXT - 1] = '\0';
    return out;
}

/* Exactly n digits at *at, within [least, most]. */
static bool digits(struct str s, size_t *at, size_t n, int64_t least, int64_t most, int64_t *ret)
{
    int64_t value;
    if (s.len - *at < n || s.ptr[*at] == '-' || !str_to_int64(str_sub(s, *at, *at + n), &value) ||
        value < least || value > most)
        return false;
    *at += n;
    *ret = value;
    return true;
}

static bool expect(struct str s, size_t *at, char c)
{
    if (*at >= s.len || s.ptr[*at] != c)
        return false;
    ++*at;
    return true;
}

static bool parse_fraction(struct str s, size_t *at, int64_t *ms)
{
    int64_t scale = 100;
    size_t from = *at;
    for (; *at < s.len && s.ptr[*at] >= '0' && s.ptr[*at] <= '9'; ++*at, scale /= 10)
        *ms += (s.ptr[*at] - '0') * scale;
    return *at > from;
}

static bool parse_offset(struct str s, size_t *at, int64_t *minutes)
{
    int64_t h, m, sign;
    *minutes = 0;
    if (expect(s, at, 'Z') || expect(s, at, 'z'))
        return true;
    sign = expect(s, at, '+') ? 1 : expect(s, at, '-') ? -1 : 0;
    if (!sign || !digits(s, at, 2, 0, 23, &h) || !expect(s, at, ':') ||
        !digits(s, at, 2, 0, 59, &m))
        return false;
    *minutes = sign * (h * 60 + m);
    return true;
}

bool clock_parse(struct str s, int64_t *ret_utc_ms)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t y, mo, d, h = 0, mi = 0, sec = 0, ms = 0, offset = 0;
    size_t at = 0;
    if (!digits(s, &at, 4, 0, 9999, &y) || !expect(s, &at, '-') || !digits(s, &at, 2, 1, 12, &mo) ||
        !expect(s, &at, '-') || !digits(s, &at, 2, 1, 31, &d))
        return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > lengths[mo - 1] + (mo == 2 && leap))
        return false;
    if (at < s.len) {
        if (!(expect(s, &at, 'T') || expect(s, &at, 't') || expect(s, &at, ' ')) ||
            !digits(s, &at, 2, 0, 23, &h) || !expect(s, &at, ':') ||
            !digits(s, &at, 2, 0, 59, &mi) || !expect(s, &at, ':') ||
            !digits(s, &at, 2, 0, 60, &sec) ||
            (expect(s, &at, '.') && !parse_fraction(s, &at, &ms)) ||
            !parse_offset(s, &at, &offset) || at != s.len)
            return false;
    }
    *ret_utc_ms = ((clock_days(y, mo, d) * 24 + h) * 60 + mi - offset) * 60000 + sec * 1000 + ms;
    return true;
}
