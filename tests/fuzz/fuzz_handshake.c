/* fuzz_handshake.c - any output of a provider before its handshake, in pieces; and its last lines.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "live/reader_provider/handshake.h"
#include "live/reader_provider/tail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct handshake_reader *reader = calloc(1, sizeof *reader);
    struct tail *tail = calloc(1, sizeof *tail);
    struct str bytes = {(const char *)data, size};
    enum handshake_progress progress = HANDSHAKE_MORE;
    struct handshake got;
    AUTO_BUF out = {.limit = 1 << 16};
    if (!reader || !tail)
        abort();
    for (size_t at = 0; at < size; at += 7) {
        if (progress == HANDSHAKE_MORE)
            progress = handshake_feed(reader, str_sub(bytes, at, at + 7), &got, NULL);
        tail_add(tail, at & 1, str_sub(bytes, at, at + 7));
    }
    if (progress == HANDSHAKE_DONE &&
        (!got.address.len || (got.protocol != 5 && got.protocol != 6)))
        abort();
    tail_end(tail);
    tail_reason(tail, &out);
    free(reader);
    free(tail);
    return 0;
}
