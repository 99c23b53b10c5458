/* proxy_control.h - the socket by which `plumb proxy stop` reaches the proxy in the background.
 *
 * Speaks:  one connection: "stop\n" there; the end of the connection back, when all is cleaned up
 */
#pragma once
#include <stdbool.h>

#include "base/loop.h"
#include "base/str.h"

struct err;

enum { CONTROL_PATH = 108 };
struct proxy_control {
    struct loop *loop;
    char path[CONTROL_PATH];
    int fd, client_fd;
    struct loop_watch watch, client_watch;
    bool stop; /* somebody asked for it */
};
/* Listens at DIR/control. */
bool proxy_control_open(struct proxy_control *control, struct loop *loop, struct str dir,
                        struct err *err);
/* Tells who asked that it is over. */
void proxy_control_close(struct proxy_control *control);

/* Ask the proxy behind that socket to stop, and wait for its end. ERR_UNAVAILABLE: none listens. */
bool proxy_control_stop(struct str path, int timeout_ms, struct err *err);
/* Does one listen there? */
bool proxy_control_alive(struct str path);
