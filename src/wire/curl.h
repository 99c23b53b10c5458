/* curl.h - what of libcurl's easy interface is used, loaded when it is first needed.
 *
 * Threads: any; a handle belongs to one. OPT_NOSIGNAL is set on each.
 * Source:  libcurl.so.4, curl/curl.h: numbers of options and codes are part of its ABI
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct err;

/* 0 long, 10000 pointer, 20000 function, 40000 blob. */
enum curl_option {
    OPT_LOW_SPEED_LIMIT = 19,
    OPT_LOW_SPEED_TIME = 20,
    OPT_VERBOSE = 41,
    OPT_NOBODY = 44,
    OPT_UPLOAD = 46,
    OPT_POST = 47,
    OPT_FOLLOWLOCATION = 52,
    OPT_POSTFIELDSIZE = 60,
    OPT_SSL_VERIFYPEER = 64,
    OPT_MAXREDIRS = 68,
    OPT_SSL_VERIFYHOST = 81,
    OPT_NOSIGNAL = 99,
    OPT_HTTPAUTH = 107,
    OPT_USE_SSL = 119,
    OPT_TIMEOUT_MS = 155,
    OPT_CONNECTTIMEOUT_MS = 156,
    OPT_PROTOCOLS = 181,
    OPT_REDIR_PROTOCOLS = 182,
    OPT_MAIL_RCPT_ALLOWFAILS = 290,
    OPT_WRITEDATA = 10001,
    OPT_URL = 10002,
    OPT_READDATA = 10009,
    OPT_ERRORBUFFER = 10010,
    OPT_POSTFIELDS = 10015,
    OPT_USERAGENT = 10018,
    OPT_HTTPHEADER = 10023,
    OPT_HEADERDATA = 10029,
    OPT_CUSTOMREQUEST = 10036,
    OPT_DEBUGDATA = 10095,
    OPT_ACCEPT_ENCODING = 10102,
    OPT_OPENSOCKETDATA = 10164,
    OPT_USERNAME = 10173,
    OPT_PASSWORD = 10174,
    OPT_MAIL_FROM = 10186,
    OPT_MAIL_RCPT = 10187,
    OPT_WRITEFUNCTION = 20011,
    OPT_READFUNCTION = 20012,
    OPT_HEADERFUNCTION = 20079,
    OPT_DEBUGFUNCTION = 20094,
    OPT_OPENSOCKETFUNCTION = 20163,
    OPT_SSLCERT_BLOB = 40291,
    OPT_SSLKEY_BLOB = 40292,
    OPT_CAINFO_BLOB = 40309,
};
enum {
    CURL_OK = 0,
    CURL_WRITE_ERROR = 23,
    CURL_TIMED_OUT = 28,
    INFO_RESPONSE_CODE = 0x200002,
    INFO_RETRY_AFTER = 0x600039, /* seconds from now, an int64_t; dates, too */
    CURL_ERROR_SIZE = 256,
};
/* curl_slist of curl/curl.h; libcurl only reads it */
struct curl_list {
    const char *text;
    const struct curl_list *next;
};

struct curl {
    void *(*init)(void);
    int (*setopt)(void *easy, int option, ...);
    int (*perform)(void *easy);
    int (*getinfo)(void *easy, int info, ...);
    void (*cleanup)(void *easy);
    const char *(*strerror)(int code);
};

/* ERR_UNAVAILABLE where no libcurl is installed. */
bool curl_load(struct curl *curl, struct err *err);
/* A PEM text; nothing is set where it is empty. */
void curl_set_blob(const struct curl *curl, void *easy, enum curl_option option, struct str pem);
