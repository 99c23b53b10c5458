/* actor.c - names of actors, taken apart and compared. */
#include "model/actor.h"

#include "base/glob.h"

struct str actor_login(struct str name)
{
    size_t open = str_find_char(name, '(', 0);
    if (!str_starts(name, STR("uid ")))
        return name;
    if (open == SIZE_MAX || !str_ends(name, STR(")")))
        return str_sub(name, 4, name.len);
    return str_sub(name, open + 1, name.len - 1);
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool equal_without_case(struct str a, struct str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

static bool name_fits(struct str pattern, struct str name, bool without_case)
{
    if (glob_is_pattern(pattern))
        return glob_match(pattern, name, '\0');
    return without_case ? equal_without_case(pattern, name) : str_equal(pattern, name);
}

/* A cloud's log writes a mail address as somebody typed it once. */
static bool is_event(struct str how)
{
    return str_equal(how, STR("cloudtrail")) || str_equal(how, STR("gcp-audit")) ||
           str_equal(how, STR("azure-activity")) || str_equal(how, STR("event"));
}

bool actor_is(struct str pattern, const struct actor *actor)
{
    bool forge = str_starts(actor->how, STR("ci:")), loose = forge || is_event(actor->how);
    struct str rest = pattern;
    if (!actor->name.len)
        return false;
    if (forge && str_starts(pattern, STR("@")))
        rest = str_sub(pattern, 1, pattern.len);
    else if (str_starts(pattern, actor->how) && pattern.len > actor->how.len &&
             pattern.ptr[actor->how.len] == ':')
        rest = str_sub(pattern, actor->how.len + 1, pattern.len);
    return name_fits(rest, actor->name, loose) || name_fits(rest, actor_login(actor->name), loose);
}

bool actor_same(const struct actor *a, const struct actor *b)
{
    static const struct str os_user = STR_INIT("os-user");
    if (!a->name.len || !b->name.len)
        return false;
    if (equal_without_case(actor_login(a->name), actor_login(b->name)))
        return true;
    /* Who runs a job by hand and says another name is still the same person. */
    return (str_equal(a->how, os_user) && str_equal(a->name, b->via)) ||
           (str_equal(b->how, os_user) && str_equal(b->name, a->via));
}

struct event_actor actor_of_event(const struct actor *actor)
{
    return (struct event_actor){.name = actor->name, .how = actor->how};
}
