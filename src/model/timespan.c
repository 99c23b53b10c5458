/* timespan.c - times of the week as people write them. */
#include "model/timespan.h"

enum { DAY_MIN = 1440, EVERY_DAY = 0x7f, NINE = 9 * 60 };

static const struct str names[] = {STR_INIT("sun"), STR_INIT("mon"), STR_INIT("tue"),
                                   STR_INIT("wed"), STR_INIT("thu"), STR_INIT("fri"),
                                   STR_INIT("sat")};

static bool read_day(struct str text, unsigned *ret)
{
    for (unsigned i = 0; i < 7; i++)
        if (str_equal(text, names[i])) {
            *ret = i;
            return true;
        }
    return false;
}

static bool read_days(struct str text, uint8_t *ret)
{
    struct str part, first;
    *ret = 0;
    for (bool more = true; more;) {
        unsigned from, to;
        more = str_cut(&text, ',', &part);
        bool range = str_cut(&part, '-', &first);
        if (!read_day(first, &from) || !(range ? read_day(part, &to) : read_day(first, &to)))
            return false;
        for (unsigned i = from;; i = (i + 1) % 7) {
            *ret = (uint8_t)(*ret | 1u << i);
            if (i == to)
                break;
        }
    }
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_time(struct str s, uint16_t *ret)
{
    if (s.len != 5 || s.ptr[2] != ':' || !is_digit(s.ptr[0]) || !is_digit(s.ptr[1]) ||
        !is_digit(s.ptr[3]) || !is_digit(s.ptr[4]))
        return false;
    unsigned minute = (unsigned)(s.ptr[3] - '0') * 10 + (unsigned)(s.ptr[4] - '0');
    unsigned at = ((unsigned)(s.ptr[0] - '0') * 10 + (unsigned)(s.ptr[1] - '0')) * 60 + minute;
    *ret = (uint16_t)at;
    return minute < 60 && at <= DAY_MIN;
}

bool timespan_parse(struct str text, struct timespan *ret)
{
    struct timespan span = {.days = EVERY_DAY, .to = DAY_MIN};
    struct str head, from;
    text = str_trim(text);
    if (text.len && !is_digit(text.ptr[0])) {
        bool times = str_cut(&text, ' ', &head);
        if (!read_days(head, &span.days))
            return false;
        if (!times) {
            *ret = span;
            return true;
        }
        text = str_trim(text);
    }
    if (!str_cut(&text, '-', &from) || !read_time(str_trim(from), &span.from) ||
        !read_time(str_trim(text), &span.to) || span.from == DAY_MIN)
        return false;
    *ret = span;
    return true;
}

bool timespan_digest_parse(struct str text, struct timespan_digest *ret)
{
    struct timespan_digest digest = {.days = EVERY_DAY, .at = NINE};
    struct str word;
    text = str_trim(text);
    (void)str_cut(&text, ' ', &word);
    bool weekly = str_equal(word, STR("weekly"));
    if (!weekly && !str_equal(word, STR("daily")))
        return false;
    text = str_trim(text);
    digest.days = weekly ? 1u << 1 : EVERY_DAY;
    if (weekly && text.len && !is_digit(text.ptr[0])) {
        (void)str_cut(&text, ' ', &word);
        if (!read_days(word, &digest.days))
            return false;
        text = str_trim(text);
    }
    if (text.len && (!read_time(text, &digest.at) || digest.at == DAY_MIN))
        return false;
    *ret = digest;
    return true;
}
