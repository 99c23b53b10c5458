/* handshake.c - the go-plugin handshake line. */
#include "live/reader_provider/handshake.h"

#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/err.h"
#include "live/reader_provider/words.h"

enum { FIELDS = 6, FIELDS_LEAST = 4, CERTIFICATE_LEAST = 50 };
enum field { CORE, APP, NETWORK, ADDRESS, PROTOCOL, CERTIFICATE };

static bool is_socket_path(struct str s)
{
    struct sockaddr_un room;
    return s.len && s.ptr[0] == '/' && s.len < sizeof room.sun_path && !memchr(s.ptr, '\0', s.len);
}

/* A provider that is our child listens on this machine, or it is none. */
static bool is_loopback(struct str s)
{
    struct str hosts[] = {STR("127.0.0.1:"), STR("localhost:"), STR("[::1]:")};
    int64_t port;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (str_starts(s, hosts[i]))
            return str_to_int64(str_sub(s, hosts[i].len, s.len), &port) && port > 0 && port < 65536;
    return false;
}

bool handshake_parse(struct str line, struct handshake *ret, struct err *err)
{
    struct str field[FIELDS] = {{0}}, rest = str_trim(line);
    size_t n = 0;
    bool more = true;
    while (more && n < FIELDS)
        more = str_cut(&rest, '|', &field[n++]);
    if (n < FIELDS_LEAST)
        return err_set(err, ERR_SYNTAX, "handshake: %zu fields where at least %d were expected", n,
                       FIELDS_LEAST);
    if (!str_equal(field[CORE], STR("1")))
        return err_set(err, ERR_UNSUPPORTED, "handshake: core protocol %.*s, want 1",
                       (int)(field[CORE].len < 20 ? field[CORE].len : 20), field[CORE].ptr);
    if (!str_equal(field[PROTOCOL], STR("grpc")))
        return err_set(err, ERR_UNSUPPORTED,
                       "handshake: the provider does not speak gRPC: it is "
                       "older than Terraform 0.12");
    struct handshake got = {.address = field[ADDRESS],
                            .tcp = str_equal(field[NETWORK], STR("tcp"))};
    if (str_equal(field[APP], STR("5")) || str_equal(field[APP], STR("6")))
        got.protocol = field[APP].ptr[0] - '0';
    else
        return err_set(err, ERR_UNSUPPORTED, "handshake: provider protocol %.*s, want 5 or 6",
                       (int)(field[APP].len < 20 ? field[APP].len : 20), field[APP].ptr);
    if (got.tcp ? !is_loopback(got.address)
                : !str_equal(field[NETWORK], STR("unix")) || !is_socket_path(got.address))
        return err_set(err, ERR_SYNTAX, "handshake: not an address that can be used");
    if (field[CERTIFICATE].len > CERTIFICATE_LEAST) /* old servers put other things here */
        got.certificate = field[CERTIFICATE];
    *ret = got;
    return true;
}

static bool is_handshake(struct str line)
{
    size_t digits = 0;
    while (digits < line.len && line.ptr[digits] >= '0' && line.ptr[digits] <= '9')
        digits++;
    return digits && digits < line.len && line.ptr[digits] == '|';
}

static void keep_junk(struct handshake_reader *reader, struct str line)
{
    char room[HANDSHAKE_SHOWN + 8];
    if (reader->nshown)
        return;
    struct buf shown = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    words_put(&shown, line, HANDSHAKE_SHOWN - 4);
    memcpy(reader->shown, room, shown.len);
    reader->nshown = shown.len;
}

enum handshake_progress handshake_feed(struct handshake_reader *reader, struct str bytes,
                                       struct handshake *ret, struct err *err)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] != '\n') {
            if (reader->n == HANDSHAKE_LINE_MAX) {
                (void)err_set(err, ERR_LIMIT, "handshake: a line of more than %d bytes",
                              HANDSHAKE_LINE_MAX);
                return HANDSHAKE_BAD;
            }
            reader->line[reader->n++] = bytes.ptr[i];
            continue;
        }
        struct str line = {reader->line, reader->n};
        if (is_handshake(line))
            return handshake_parse(line, ret, err) ? HANDSHAKE_DONE : HANDSHAKE_BAD;
        reader->junk += reader->n + 1;
        reader->n = 0;
        keep_junk(reader, line);
        if (reader->junk > HANDSHAKE_JUNK_MAX) {
            (void)err_set(err, ERR_SYNTAX, "no handshake, but other output: %.*s",
                          (int)reader->nshown, reader->shown);
            return HANDSHAKE_BAD;
        }
    }
    return HANDSHAKE_MORE;
}
