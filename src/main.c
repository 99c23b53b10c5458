/* main.c - fills struct app and hands argv to cli/. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/app.h"
#include "cli/command.h"

static volatile int cancelled;

static void on_signal(int number)
{
    (void)number;
    cancelled = 1;
}

static int64_t wall_clock(void *clock)
{
    (void)clock;
    return clock_wall_ms();
}

static const char *environment(const char *name)
{
    return getenv(name);
}

int main(int argc, char **argv)
{
    struct sigaction stop = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    struct app app = {
        .out = stdout,
        .err = stderr,
        .out_tty = isatty(STDOUT_FILENO),
        .err_tty = isatty(STDERR_FILENO),
        .now_ms = wall_clock,
        .env = environment,
        .cancel = &cancelled,
    };
    return cli_main(&app, argc, argv);
}
