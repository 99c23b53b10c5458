/* who.c - the account of the operating system, or the person that a CI job's environment names. */
#include "cli/who.h"

#include <pwd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "cli/app.h"

enum { NAME_MAX_BYTES = 256 };

/* `marker` is set (to `value`, where one is given) in jobs of that system. */
static const struct ci {
    const char *how, *marker, *value, *name, *other_name;
} systems[] = {
    {"ci:github", "GITHUB_ACTIONS", "true", "GITHUB_ACTOR", NULL},
    {"ci:gitlab", "GITLAB_CI", "true", "GITLAB_USER_LOGIN", NULL},
    {"ci:buildkite", "BUILDKITE", "true", "BUILDKITE_BUILD_CREATOR_EMAIL",
     "BUILDKITE_BUILD_CREATOR"},
    {"ci:circleci", "CIRCLECI", "true", "CIRCLE_USERNAME", NULL},
    {"ci:azure", "TF_BUILD", "True", "BUILD_REQUESTEDFOREMAIL", "BUILD_REQUESTEDFOR"},
    {"ci:bitbucket", "BITBUCKET_BUILD_NUMBER", NULL, "BITBUCKET_STEP_TRIGGERER_UUID", NULL},
    {"ci:jenkins", "JENKINS_URL", NULL, "BUILD_USER_ID", NULL},
};

static struct str variable(const struct app *app, const char *name)
{
    return name && app->env ? str_from(app->env(name)) : STR("");
}

/* One line of text that is safe to print and to sign. */
static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
            return false;
    return name.len > 0 && name.len <= NAME_MAX_BYTES && utf8_bad_at(name) == SIZE_MAX;
}

static bool account(struct arena *arena, struct str *ret, struct err *err)
{
    enum { ROOM = 16384 };
    struct passwd entry, *found = NULL;
    unsigned long uid = (unsigned long)geteuid();
    char *room = arena_new(arena, char, ROOM);
    if (!room)
        return arena_full(arena, err);
    bool named = getpwuid_r(geteuid(), &entry, room, ROOM, &found) == 0 && found &&
                 name_ok(str_from(found->pw_name));
    *ret = named ? arena_printf(arena, "uid %lu (%s)", uid, found->pw_name)
                 : arena_printf(arena, "uid %lu", uid);
    return ret->ptr || arena_full(arena, err);
}

bool who_am_i(const struct app *app, struct arena *arena, struct actor *ret, struct err *err)
{
    struct str os_user;
    if (!account(arena, &os_user, err))
        return false;
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        const struct ci *ci = &systems[i];
        struct str marker = variable(app, ci->marker), name = variable(app, ci->name);
        if (!marker.len || (ci->value && !str_equal(marker, str_from(ci->value))))
            continue;
        if (!name.len)
            name = variable(app, ci->other_name);
        if (!name.len)
            continue;
        if (!name_ok(name))
            return err_set(err, ERR_USAGE, "%s: not a name: at most %d bytes of one line", ci->name,
                           NAME_MAX_BYTES);
        *ret = (struct actor){
            .name = arena_dup(arena, name), .how = str_from(ci->how), .via = os_user};
        return ret->name.ptr || arena_full(arena, err);
    }
    *ret = (struct actor){.name = os_user, .how = STR("os-user"), .via = STR("")};
    return true;
}
