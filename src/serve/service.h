/* service.h - the process that serves: its listener, and one server behind it after the other, each
 * with the configuration that it was opened with.
 *
 * Reload:  the new configuration was read and checked as a whole; then the parts that work on their
 *          own are closed and opened with it, an event says so, and requests from then on are
 *          answered by the new server. Those that began before end with the old one, which is
 *          closed when the last of them is answered. On any failure the old one goes on
 * Thread:  the one that started it
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "serve/server.h"

struct service {
    struct hub *hub;
    struct listener *listener;
    struct server *server;  /* answers from now on */
    struct server *leaving; /* those before, while they have requests */
    int64_t tried_ms;       /* monotonic: when parts that could not be opened were tried again */
};

/* Takes what the options own, on failure too: options->release is called once it is not needed. */
bool service_start(struct service *ret, const struct server_options *options, struct err *err);
/* Another configuration. ERR_USAGE for what a running service cannot change: the address that it
 * listens on, and the store. */
bool service_reload(struct service *service, const struct server_options *options, struct err *err);
/* What is due now and then: closes servers that have no request any more. */
void service_tend(struct service *service);
/* No more connections; what was begun is answered. True: everything was, within wait_ms. */
bool service_stop(struct service *service, int wait_ms);
