/* run_child.h - a command in the foreground, in our own process group, while a loop turns.
 *
 * Signals:  Ctrl-C at the terminal goes to the command anyway, which knows what it means; what is
 *           sent to us alone (SIGTERM, SIGHUP, SIGINT of kill) is passed on. We end when it ends
 * Killed:   where we are killed the command gets SIGTERM, which Terraform takes as Ctrl-C
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct arena;
struct err;
struct loop;

/*
 * argv    its words; argv[0] is searched in PATH
 * added   "NAME=value": put into its environment in place of what is there
 * ret     its exit code; 128 + the signal that ended it
 */
bool run_child(struct arena *arena, struct loop *loop, const struct str *argv, size_t nargv,
               const struct str *added, size_t nadded, int *ret_exit, struct err *err);
