/* syslog.h - messages of RFC 5424, and giving them to this machine's log or to a server.
 *
 * Places:  "" or unix:PATH (/dev/log), HOST:PORT or udp:HOST:PORT, tcp:HOST:PORT (RFC 6587, octets
 *          counted), tls:HOST:PORT (RFC 5425); "//" may follow the colon, [::1] is a host, the port
 *          514 (TLS 6514) may be left out
 * Sure:    UDP and a local log say nothing of what becomes of a message; over TCP and TLS it is
 *          sent once the server closes in its turn, or says nothing for a second
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;
struct err;

/* RFC 5424, 6.2.1 */
enum syslog_facility { SYSLOG_DAEMON = 3, SYSLOG_AUDIT = 13 };
enum syslog_severity { SYSLOG_CRIT = 2, SYSLOG_ERR, SYSLOG_WARNING, SYSLOG_NOTICE, SYSLOG_INFO };

struct syslog_datum {
    struct str name, value; /* name: printable ASCII without = ] " and blanks; value: UTF-8 */
};
struct syslog_header {
    enum syslog_facility facility;
    enum syslog_severity severity;
    int64_t utc_ms;
    struct str type; /* MSGID: printable ASCII */
    const struct syslog_datum *data;
    size_t ndata; /* data without a value is left out */
};
/* All up to the text that follows: header and structured data (plumb@32473) and a blank. */
void syslog_begin(struct buf *out, const struct syslog_header *header);

struct syslog_place {
    struct str at, ca_pem; /* ca_pem: instead of the system's certificates; or empty */
    int timeout_ms;        /* of all; 0 = 10 s */
};
/* Is `at` such a place? ERR_USAGE says what one is. */
bool syslog_place_ok(struct str at, struct err *err);
/* ERR_UNAVAILABLE or ERR_TIMEOUT where it could not be given away. */
bool syslog_send(struct arena *arena, const struct syslog_place *place, struct str message,
                 struct err *err);
