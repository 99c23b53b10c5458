/* app.h - what main() gives to every subcommand: streams, clock, environment. Nothing is global. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

struct app {
    FILE *out, *err; /* results; progress and problems */
    bool out_tty, err_tty;
    int64_t (*now_ms)(void *clock); /* wall clock, UTC */
    void *clock;
    const char *(*env)(const char *name); /* getenv in main() */
    const volatile int *cancel;           /* set by SIGINT and SIGTERM */
};
