/* notify_stdout.c - alerts as JSON, one a line, on the standard output of the service. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "respond/alert_json.h"
#include "respond/notify.h"

#define CUT STR("cut") /* the last try left half a line */

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    (void)config;
    (void)target;
    (void)err;
    return true;
}

static bool has_room(int fd, int64_t until_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int64_t left = until_ms - clock_monotonic_ms();
    return poll(&p, 1, left > 0 ? (int)left : 0) == 1 && (p.revents & POLLOUT);
}

/* What was written, which is all but where nobody reads: the service does not stand still with who
 * should. A pipe that has room has it for PIPE_BUF bytes. */
static size_t write_some(int fd, struct str text, int timeout_ms)
{
    int64_t until = clock_monotonic_ms() + timeout_ms;
    size_t n = 0;
    while (n < text.len && has_room(fd, until)) {
        size_t part = text.len - n < PIPE_BUF ? text.len - n : PIPE_BUF;
        ssize_t got = write(fd, &text.ptr[n], part);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            break;
        n += got > 0 ? (size_t)got : 0;
    }
    return n;
}

static bool send_line(struct arena *arena, const struct notify_target *target,
                      const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    AUTO_BUF line = {.limit = ALERT_JSON_MAX};
    int fd = fileno(target->out);
    size_t n = 0;
    (void)arena;
    if (str_equal(target->kept, CUT))
        buf_char(&line, '\n');
    alert_json(&line, alert);
    buf_char(&line, '\n');
    if (!buf_ok(&line, err))
        return false;
    if (fd < 0) /* a stream of memory */
        n = fwrite(line.ptr, 1, line.len, target->out);
    else if (fflush(target->out) == 0)
        n = write_some(fd, buf_view(&line), target->timeout_ms);
    bool ok = n == line.len;
    *ret = (struct notify_answer){.result = ok ? NOTIFY_TAKEN : NOTIFY_LATER,
                                  .said = ok ? STR("") : STR("standard output cannot be written"),
                                  .kept = !ok && n > 0 ? CUT : STR("")};
    return true;
}

const struct notifier notify_stdout = {.name = "stdout",
                                       .summary = "JSON, one alert a line, on standard output",
                                       .findings_most = SIZE_MAX,
                                       .check = check,
                                       .send = send_line};
