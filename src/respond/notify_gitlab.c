/* notify_gitlab.c - alerts as issues of GitLab: opened, changed, commented, closed; issue.h.
 *
 * project, key (a token, scope api), labels; `url` is the API's address where it is another one:
 * https://HOST/api/v4 of a server of your own
 */
#include "respond/issue.h"

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    return issue_check(FORGE_GITLAB, config, target, err);
}

static bool send_alert(struct arena *arena, const struct notify_target *target,
                       const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    return issue_send(FORGE_GITLAB, arena, target, alert, ret, err);
}

const struct notifier notify_gitlab = {.name = "gitlab",
                                       .summary =
                                           "an issue of GitLab for each thread, closed with it",
                                       .findings_most = 20,
                                       .tracks = true,
                                       .check = check,
                                       .send = send_alert};
