/* yaml_text.c - plain or quoted. */
#include "cli/yaml_text.h"

#include <strings.h>

#include "base/buf.h"
#include "wire/json.h"

/* Words that a YAML 1.1 or 1.2 reader takes for something else. */
static bool is_keyword(struct str text)
{
    static const struct str words[] = {STR_INIT("true"), STR_INIT("false"), STR_INIT("null"),
                                       STR_INIT("yes"),  STR_INIT("no"),    STR_INIT("on"),
                                       STR_INIT("off"),  STR_INIT("y"),     STR_INIT("n")};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text.len == words[i].len && strncasecmp(text.ptr, words[i].ptr, text.len) == 0)
            return true;
    return false;
}

void yaml_text(struct buf *out, struct str text)
{
    bool plain = text.len > 0 && !is_keyword(text);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/' || c == '_';
        bool inner = letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '*';
        plain = plain && (i ? inner : letter);
    }
    if (plain)
        buf_str(out, text);
    else
        json_quote(out, text);
}
