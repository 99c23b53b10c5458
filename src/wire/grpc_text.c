/* grpc_text.c - names of statuses and the decoding of grpc-message. */
#include "wire/grpc.h"

const char *grpc_status_name(enum grpc_status status)
{
    static const char *const names[] = {
#define X(name, number) [number] = #name,
        GRPC_STATUSES(X)
#undef X
    };
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "UNKNOWN";
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

size_t grpc_decode_text(char *text, size_t len)
{
    size_t to = 0;
    for (size_t at = 0; at < len; at++) {
        int high = text[at] == '%' && at + 2 < len ? hex_digit(text[at + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[at + 2]) : -1;
        if (low >= 0) {
            text[to++] = (char)(high << 4 | low);
            at += 2;
        } else {
            text[to++] = text[at];
        }
    }
    return to;
}
