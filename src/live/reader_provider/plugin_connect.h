/* plugin_connect.h - a socket to a provider's address. */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct err;

/* Non-blocking, CLOEXEC; *ret_connecting = connect() is still under way. -1 on failure. tcp: only
 * numeric loopback addresses, "localhost" standing for 127.0.0.1. */
int plugin_connect(bool tcp, struct str address, bool *ret_connecting, struct err *err);
