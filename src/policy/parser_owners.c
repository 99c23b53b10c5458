/* parser_owners.c - CODEOWNERS as conftest shows it: rules with their pattern, owners, comment and
 * line.
 */
#include "policy/parsers.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/tree.h"

/* The limits of each kind are those of the reader that conftest has. */
static bool is_made_of(struct str s, const char *beside)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (!c || !strchr(beside, c)))
            return false;
    }
    return s.len > 0;
}

static bool is_email(struct str s)
{
    enum { LAST_LEAST = 2, LAST_MOST = 6 };
    size_t at = str_find_char(s, '@', 0), dot = s.len;
    if (at == SIZE_MAX)
        return false;
    while (dot > at && s.ptr[dot - 1] != '.')
        dot--;
    struct str last = str_sub(s, dot, s.len);
    for (size_t i = 0; i < last.len; i++)
        if (last.ptr[i] >= '0' && last.ptr[i] <= '9')
            return false;
    return dot > at + 2 && last.len >= LAST_LEAST && last.len <= LAST_MOST &&
           is_made_of(last, "") && is_made_of(str_sub(s, 0, at), "._%+-") &&
           is_made_of(str_sub(s, at + 1, dot - 1), ".-");
}

/* Its kind, and what it is called without the @. False: none of them. */
static bool owner_of(struct str text, struct str *ret_kind, struct str *ret_name)
{
    struct str rest = str_sub(text, 1, text.len), org;
    *ret_name = rest;
    if (is_email(text)) {
        *ret_kind = STR("email");
        *ret_name = text;
        return true;
    }
    if (!str_starts(text, STR("@")))
        return false;
    *ret_kind = STR("username");
    if (is_made_of(rest, "-_"))
        return true;
    *ret_kind = STR("team");
    return str_cut(&rest, '/', &org) && is_made_of(org, "-") && is_made_of(rest, "_-");
}

static bool put(struct arena *arena, struct tree *object, struct str key, struct value v)
{
    return tree_put(arena, object, key, tree_leaf(arena, v));
}

static bool add_owner(struct arena *arena, struct tree *owners, struct str kind, struct str name)
{
    struct tree *owner = tree_make(arena, TREE_OBJECT);
    return owner && put(arena, owner, STR("type"), value_string(kind)) &&
           put(arena, owner, STR("value"), value_string(name)) && tree_push(arena, owners, owner);
}

/* A blank behind a backslash is of the pattern. */
static size_t pattern_end(struct str line, const char **ret_why)
{
    size_t i = 0;
    *ret_why = NULL;
    for (bool escaped = false; i < line.len && line.ptr[i] != '#'; i++) {
        struct str c = str_sub(line, i, i + 1);
        bool blank = c.ptr[0] == ' ' || c.ptr[0] == '\t';
        if (blank && !escaped)
            break;
        escaped = c.ptr[0] == '\\';
        if (!blank && !is_made_of(c, "*?./@_+-\\()"))
            *ret_why = "a character that no pattern of CODEOWNERS has";
        if (*ret_why)
            break;
    }
    if (!*ret_why && str_find(str_sub(line, 0, i), STR("***"), 0) != SIZE_MAX)
        *ret_why = "a pattern has no ***";
    return i;
}

struct reading {
    struct arena *arena;
    struct str text; /* all of it, for places */
    const char *name;
    struct err *err;
};

static bool wrong(const struct reading *r, const char *at, const char *why)
{
    return parsers_fail(r->text, r->name, (size_t)(at - r->text.ptr), why, r->err);
}

static bool read_owners(const struct reading *r, struct str rest, struct tree *owners)
{
    size_t i = 0;
    while (i < rest.len) {
        size_t from = i;
        while (i < rest.len && rest.ptr[i] != ' ' && rest.ptr[i] != '\t')
            i++;
        struct str word = str_sub(rest, from, i), kind, name;
        i += i == from;
        if (!word.len)
            continue;
        if (!owner_of(word, &kind, &name))
            return wrong(r, word.ptr, "an owner is @NAME, @ORG/TEAM or an address");
        if (!add_owner(r->arena, owners, kind, name))
            return arena_full(r->arena, r->err);
    }
    return true;
}

static bool read_rule(const struct reading *r, struct str line, size_t number, struct tree *rules)
{
    const char *why;
    struct tree *rule = tree_make(r->arena, TREE_OBJECT), *owners = tree_make(r->arena, TREE_LIST);
    size_t end = pattern_end(line, &why), hash = str_find_char(line, '#', 0);
    struct str comment = {"", 0};
    if (why)
        return wrong(r, line.ptr + end, why);
    if (hash != SIZE_MAX && hash >= end) {
        comment = str_trim(str_sub(line, hash + 1, line.len));
        comment.ptr = comment.len ? comment.ptr : "";
    }
    if (!rule || !owners)
        return arena_full(r->arena, r->err);
    if (!read_owners(r, str_sub(line, end, hash == SIZE_MAX ? line.len : hash), owners))
        return false;
    bool ok = put(r->arena, rule, STR("pattern"), value_string(str_sub(line, 0, end))) &&
              tree_put(r->arena, rule, STR("owners"), owners) &&
              put(r->arena, rule, STR("comment"), value_string(comment)) &&
              put(r->arena, rule, STR("lineNumber"), value_int((int64_t)number)) &&
              tree_push(r->arena, rules, rule);
    return ok || arena_full(r->arena, r->err);
}

bool parser_codeowners(PARSER_ARGS)
{
    const struct reading r = {arena, text, name, err};
    struct tree *root = tree_make(arena, TREE_OBJECT), *rules = tree_make(arena, TREE_LIST);
    struct str rest = text, line;
    size_t number = 0, n = 0;
    for (bool more = root && rules; more;) {
        more = str_cut(&rest, '\n', &line);
        number++;
        line = str_trim(line);
        if (!line.len || line.ptr[0] == '#')
            continue;
        if (!read_rule(&r, line, number, rules))
            return false;
        n++;
    }
    /* as conftest has it: without a rule there is no list */
    bool ok = root && rules &&
              (n ? tree_put(arena, root, STR("rules"), rules)
                 : put(arena, root, STR("rules"), value_null()));
    return ok ? tree_value(arena, root, ret, err) : arena_full(arena, err);
}
