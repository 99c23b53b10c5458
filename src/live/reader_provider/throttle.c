/* throttle.c - a table of phrases, and the waits between tries. */
#include "live/reader_provider/throttle.h"

#include <stddef.h>

enum { WAIT_FIRST_MS = 250, WAIT_MOST_MS = 20000 };

/* Lower case. `word`: not inside a longer word or number ("sg-0429ab" is no 429). */
static const struct {
    struct str text;
    bool word;
} phrases[] = {
    {STR_INIT("throttl"), false},
    {STR_INIT("rate exceeded"), false},
    {STR_INIT("rate limit"), false},
    {STR_INIT("ratelimit"), false},
    {STR_INIT("rate-limit"), false},
    {STR_INIT("too many requests"), false},
    {STR_INIT("toomanyrequests"), false},
    {STR_INIT("requestlimitexceeded"), false},
    {STR_INIT("request limit exceeded"), false},
    {STR_INIT("bandwidthlimitexceeded"), false},
    {STR_INIT("provisionedthroughputexceeded"), false},
    {STR_INIT("priorrequestnotcomplete"), false},
    {STR_INIT("slowdown"), true},
    {STR_INIT("slow down"), false},
    {STR_INIT("quota exceeded"), false},
    {STR_INIT("quotaexceeded"), false},
    {STR_INIT("exceeded quota"), false},
    {STR_INIT("exceeded your current quota"), false},
    {STR_INIT("resourceexhausted"), false},
    {STR_INIT("server is busy"), false},
    {STR_INIT("serverbusy"), false},
    {STR_INIT("429"), true},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

static bool is_word(struct str text, size_t at)
{
    if (at >= text.len)
        return false;
    char c = lower(text.ptr[at]);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool starts_at(struct str text, size_t at, struct str phrase)
{
    if (phrase.len > text.len - at)
        return false;
    for (size_t i = 0; i < phrase.len; i++)
        if (lower(text.ptr[at + i]) != phrase.ptr[i])
            return false;
    return true;
}

bool throttle_is(struct str text)
{
    for (size_t at = 0; at < text.len; at++)
        for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
            struct str phrase = phrases[i].text;
            if (!starts_at(text, at, phrase))
                continue;
            if (!phrases[i].word ||
                (!is_word(text, at + phrase.len) && (at == 0 || !is_word(text, at - 1))))
                return true;
        }
    return false;
}

int throttle_wait_ms(unsigned tries, uint64_t random)
{
    int64_t most = WAIT_FIRST_MS;
    for (unsigned i = 1; i < tries && most < WAIT_MOST_MS; i++)
        most *= 2;
    if (most > WAIT_MOST_MS)
        most = WAIT_MOST_MS;
    return (int)(most / 2 + (int64_t)(random % (uint64_t)(most / 2 + 1)));
}
