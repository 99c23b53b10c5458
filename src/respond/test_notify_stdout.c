/* test_notify_stdout.c - alerts on standard output: whole lines, also where nobody reads for a
 * while. */
#include "base/test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "respond/test_alert.h"

extern const struct notifier notify_stdout;

static enum notify_result send_to(FILE *out, const struct alert *alert, struct str *kept)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    const struct notify_target target = {.out = out, .kept = *kept, .timeout_ms = 20};
    struct notify_answer answer;
    struct err err = {0};
    if (!notify_stdout.send(&arena, &target, alert, &answer, &err))
        fail_msg("%s", err.frame[0]);
    *kept = answer.kept;
    return answer.result;
}

static void who_does_not_read_holds_nobody_up(void **state)
{
    static char text[1 << 20];
    static char long_[20000];
    int ends[2];
    size_t got = 0, taken = 0, lines = 0, whole = 0;
    struct str kept = STR("");
    struct test_alert t;
    (void)state;
    test_alert_fill(&t, ALERT_NEW, 1);
    memset(long_, 'x', sizeof long_);
    t.finding[0].reason = (struct str){long_, sizeof long_};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    FILE *out = fdopen(ends[1], "w");
    assert_non_null(out);
    while (send_to(out, &t.alert, &kept) == NOTIFY_TAKEN)
        taken++;
    assert_true(taken > 0 && taken < 10);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    for (unsigned i = 0; i < 3; i++) { /* it reads again: half a line, and what comes behind it */
        for (ssize_t n; (n = read(ends[0], text + got, sizeof text - got)) > 0;)
            got += (size_t)n;
        assert_int_equal(send_to(out, &t.alert, &kept), NOTIFY_TAKEN);
        taken++;
    }
    for (ssize_t n; (n = read(ends[0], text + got, sizeof text - got)) > 0;)
        got += (size_t)n;
    struct str rest = {text, got}, line;
    while (str_cut(&rest, '\n', &line)) {
        lines++;
        whole += str_starts(line, STR("{")) && str_ends(line, STR("}"));
    }
    assert_int_equal(whole, taken);
    assert_int_equal(lines, taken + 1);
    (void)close(ends[0]);
    assert_int_equal(send_to(out, &t.alert, &kept), NOTIFY_LATER); /* it is gone */
    (void)fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_does_not_read_holds_nobody_up),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
