/* listing_words.c - the words that people ask for findings with, into a question to the store. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/quantity.h"
#include "record/listing.h"

enum { WORDS_MAX = 24 };

static bool none(struct str word, const struct str *known, size_t n, struct err *err)
{
    AUTO_BUF list = {.limit = 1024};
    struct str near = str_nearest(word, known, n);
    for (size_t i = 0; i < n; i++)
        buf_printf(&list, "%s%.*s", i ? ", " : "", STR_ARG(known[i]));
    return err_set(err, ERR_USAGE, "no '%.*s'%s%.*s%s; one of %.*s", STR_ARG(word),
                   near.len ? " (did you mean '" : "", STR_ARG(near), near.len ? "'?)" : "",
                   STR_ARG(buf_view(&list)));
}

/* Calls take for each; false from it: an error with the nearest of `known`. */
static bool each_word(struct str words, const struct str *known, size_t n,
                      bool (*take)(struct str word, struct finding_query *query),
                      struct finding_query *query, struct err *err)
{
    struct str word;
    for (bool more = true; more;) {
        more = str_cut(&words, ',', &word);
        word = str_trim(word);
        if (word.len && !take(word, query))
            return none(word, known, n, err);
    }
    return true;
}

static bool take_class(struct str word, struct finding_query *query)
{
    enum finding_class class_;
    if (!finding_class_from(word, &class_))
        return false;
    query->classes |= 1u << class_;
    return true;
}

bool finding_query_classes(struct str words, struct finding_query *ret, struct err *err)
{
    static const struct str known[] = {
#define X(constant, name, counts, meaning, severity) STR_INIT(name),
        FINDING_CLASSES(X)
#undef X
    };
    return each_word(words, known, sizeof known / sizeof *known, take_class, ret, err);
}

static bool take_status(struct str word, struct finding_query *query)
{
    enum finding_status status;
    if (str_equal(word, STR("open")))
        query->statuses |= FINDING_STATUSES_OPEN;
    else if (str_equal(word, STR("all")))
        query->statuses |= (1u << STATUS_COUNT) - 1;
    else if (str_equal(word, STR("overdue")))
        query->overdue = true;
    else if (finding_status_from(word, &status))
        query->statuses |= 1u << status;
    else
        return false;
    return true;
}

bool finding_query_statuses(struct str words, struct finding_query *ret, struct err *err)
{
    static const struct str known[] = {
        STR_INIT("open"),
#define X(constant, name, lane, meaning) STR_INIT(name),
        FINDING_STATUSES(X)
#undef X
            STR_INIT("overdue"),
        STR_INIT("all")
    };
    return each_word(words, known, sizeof known / sizeof *known, take_status, ret, err);
}

bool finding_query_severity(struct str word, struct finding_query *ret, struct err *err)
{
    static const struct str known[] = {
#define X(constant, name) STR_INIT(name),
        SEVERITIES(X)
#undef X
    };
    enum severity severity;
    if (!severity_from(word, &severity))
        return none(word, known, sizeof known / sizeof *known, err);
    ret->severity = severity;
    return true;
}

bool finding_query_since(struct str text, struct finding_query *ret, struct err *err)
{
    int64_t ms = 0, now = ret->now_utc_ms;
    if (quantity_parse_duration(text, &ms))
        ret->since_utc_ms = now > ms ? now - ms : 1;
    else if (clock_parse(text, &ms))
        ret->since_utc_ms = ms > 0 ? ms : 1;
    else
        return err_set(err, ERR_USAGE, "want a time ago such as 24h or 7d, or a date, not '%.*s'",
                       STR_ARG(text));
    return true;
}
