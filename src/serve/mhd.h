/* mhd.h - libmicrohttpd, loaded on first use: a start that serves nothing does not pay for it.
 *
 * Source:  libmicrohttpd.so.12 (0.9.75); its own header for types, its functions by dlopen, because
 *          its TLS library alone takes longer to load than most of plumb's commands run
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <microhttpd.h>

struct err;

/* X(function without its prefix) */
#define MHD_FUNCTIONS(X) \
    X(start_daemon) \
    X(stop_daemon) \
    X(quiesce_daemon) \
    X(is_feature_supported) \
    X(get_connection_info) \
    X(get_connection_values) \
    X(suspend_connection) \
    X(resume_connection) \
    X(create_response_from_buffer) \
    X(create_response_from_callback) \
    X(add_response_header) \
    X(queue_response) \
    X(destroy_response)

struct mhd {
#define X(name) __typeof__(&MHD_##name) name;
    MHD_FUNCTIONS(X)
#undef X
};

/* ERR_UNAVAILABLE where it is not installed; stays loaded. */
bool mhd_load(struct mhd *ret, struct err *err);
