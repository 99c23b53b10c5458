// regex_re2.cc - RE2 behind regex_re2.h: the only C++ here; nothing of it gets out, exceptions
// neither.
#include "base/regex_re2.h"

#include <re2/re2.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <string>

// What libstdc++ does before it gives up brings a demangler along, 50 KB of it; nothing of this
// file ever throws that far.
namespace __gnu_cxx
{
void __verbose_terminate_handler();
void __verbose_terminate_handler()
{
    std::abort();
}
} // namespace __gnu_cxx

struct regex {
    re2::RE2 re;
    regex(const std::string &pattern, const re2::RE2::Options &options) : re(pattern, options)
    {
    }
};

namespace
{

// The pattern in RE2's spelling: (?<name> becomes (?P<name>. False for \C.
bool respell(struct str pattern, std::string *out)
{
    bool in_class = false, quoted = false;
    size_t class_start = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        char c = pattern.ptr[i], next = i + 1 < pattern.len ? pattern.ptr[i + 1] : '\0';
        out->push_back(c);
        if (c == '\\' && i + 1 < pattern.len) {
            if (!quoted && next == 'C')
                return false;
            if (next == 'Q' && !in_class)
                quoted = true;
            else if (next == 'E')
                quoted = false;
            else if (quoted)
                continue;
            out->push_back(next);
            i++;
        } else if (quoted) {
            continue;
        } else if (in_class) {
            // "]" first in a class, or behind its "^", stands for itself
            if (c == ']' && i > class_start)
                in_class = false;
        } else if (c == '[') {
            in_class = true;
            class_start = next == '^' ? i + 2 : i + 1;
        } else if (c == '(' && next == '?' && i + 3 < pattern.len && pattern.ptr[i + 2] == '<' &&
                   pattern.ptr[i + 3] != '=' && pattern.ptr[i + 3] != '!') {
            out->append("?P");
            i++;
        }
    }
    return true;
}

void say(char *why, size_t size, const char *text)
{
    if (size)
        (void)std::snprintf(why, size, "%s", text);
}

} // namespace

extern "C" struct regex *regex_open(struct str pattern, char *why, size_t why_size)
{
    if (pattern.len > REGEX_PATTERN_MAX) {
        say(why, why_size, "the pattern is too long");
        return nullptr;
    }
    try {
        std::string text;
        if (!respell(pattern, &text)) {
            say(why, why_size, "invalid escape sequence: \\C");
            return nullptr;
        }
        re2::RE2::Options options;
        options.set_log_errors(false);
        options.set_max_mem(REGEX_MEMORY);
        struct regex *regex = new struct regex(text, options);
        if (regex->re.ok() && regex->re.NumberOfCapturingGroups() <= REGEX_GROUPS_MAX)
            return regex;
        say(why, why_size, regex->re.ok() ? "too many groups" : regex->re.error().c_str());
        delete regex;
    } catch (...) {
        say(why, why_size, "out of memory");
    }
    return nullptr;
}

extern "C" void regex_close(struct regex *regex)
{
    delete regex;
}

extern "C" size_t regex_groups(const struct regex *regex)
{
    return static_cast<size_t>(regex->re.NumberOfCapturingGroups());
}

extern "C" struct str regex_group_name(const struct regex *regex, size_t i)
{
    try {
        const std::map<int, std::string> &names = regex->re.CapturingGroupNames();
        auto found = names.find(static_cast<int>(i));
        if (found != names.end())
            return {found->second.data(), found->second.size()};
    } catch (...) {
    }
    return {nullptr, 0};
}

/* Room for few groups needs no 16 kB to be cleared for each call. */
template <size_t room>
static bool match_groups(const struct regex *regex, struct str text, size_t from,
                         struct str *ret_group, size_t n)
{
    re2::StringPiece groups[room];
    re2::StringPiece in(text.ptr, text.len);
    if (!regex->re.Match(in, from, text.len, re2::RE2::UNANCHORED, groups, static_cast<int>(n)))
        return false;
    for (size_t i = 0; i < n; i++)
        ret_group[i] = {groups[i].data(), groups[i].size()};
    return true;
}

extern "C" bool regex_match(const struct regex *regex, struct str text, size_t from,
                            struct str *ret_group, size_t n)
{
    try {
        enum { FEW = 8 };
        if (n > REGEX_GROUPS_MAX + 1 || from > text.len)
            return false;
        return n <= FEW ? match_groups<FEW>(regex, text, from, ret_group, n)
                        : match_groups<REGEX_GROUPS_MAX + 1>(regex, text, from, ret_group, n);
    } catch (...) {
        return false;
    }
}
