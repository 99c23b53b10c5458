/* systemd.h - sd_notify: telling the manager that started us how we are.
 *
 * Without: NOTIFY_SOCKET unset: every call does nothing
 * Source:  sd_notify(3), systemd.service(5) (Type=notify, notify-reload), systemd 252 and later
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct err;
struct hub;
struct systemd;

/* env: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Where the manager watches, a thread answers
 * it for as long as all parts of the hub live. */
bool systemd_open(struct systemd **ret, const char *(*env)(const char *name), struct hub *hub,
                  struct err *err);
void systemd_close(struct systemd *systemd); /* NULL is fine */

void systemd_ready(struct systemd *systemd, const char *status);
/* RELOADING=1 with the time; systemd_ready ends it. */
void systemd_reloading(struct systemd *systemd);
void systemd_stopping(struct systemd *systemd);
void systemd_status(struct systemd *systemd, const char *status);
