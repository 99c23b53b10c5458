/* notify_stdout.c - alerts as JSON, one a line, on the standard output of the service. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "respond/alert_json.h"
#include "respond/notify.h"

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    (void)config;
    (void)target;
    (void)err;
    return true;
}

static bool send_line(struct arena *arena, const struct notify_target *target,
                      const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    AUTO_BUF line = {.limit = ALERT_JSON_MAX};
    (void)arena;
    alert_json(&line, alert);
    buf_char(&line, '\n');
    if (!buf_ok(&line, err))
        return false;
    bool ok = fwrite(line.ptr, 1, line.len, target->out) == line.len && fflush(target->out) == 0;
    *ret = (struct notify_answer){.result = ok ? NOTIFY_TAKEN : NOTIFY_LATER,
                                  .said = ok ? STR("") : STR("standard output cannot be written")};
    return true;
}

const struct notifier notify_stdout = {.name = "stdout",
                                       .summary = "JSON, one alert a line, on standard output",
                                       .findings_most = SIZE_MAX,
                                       .check = check,
                                       .send = send_line};
