/* notify_github.c - alerts as issues of GitHub: opened, changed, commented, closed; issue.h.
 *
 * project, key (a token, issues: write), labels; `url` is the API's address where it is another
 * one: https://HOST/api/v3 of an Enterprise Server
 */
#include "respond/issue.h"

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    return issue_check(FORGE_GITHUB, config, target, err);
}

static bool send_alert(struct arena *arena, const struct notify_target *target,
                       const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    return issue_send(FORGE_GITHUB, arena, target, alert, ret, err);
}

const struct notifier notify_github = {.name = "github",
                                       .summary =
                                           "an issue of GitHub for each thread, closed with it",
                                       .findings_most = 20,
                                       .tracks = true,
                                       .check = check,
                                       .send = send_alert};
