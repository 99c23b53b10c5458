/* fuzz_json.c - json_parse() on anything; what is taken is written and must read back as equal. By
 * a small window the same or nothing is taken. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/io.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void by_window(struct arena *arena, struct str text, unsigned flags,
                      const struct value *whole)
{
    static int fd = -1;
    struct value v;
    if (fd < 0 && (fd = memfd_create("fuzz", MFD_CLOEXEC)) < 0)
        abort();
    if (lseek(fd, 0, SEEK_SET) != 0 || ftruncate(fd, 0) != 0 || !io_write_all(fd, text, NULL) ||
        lseek(fd, 0, SEEK_SET) != 0)
        abort();
    if (json_parse_window(arena, fd, text.len, 8 + text.len / 2, flags, &v) &&
        (!whole || !value_equal(whole, &v)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned flags = size ? data[0] & 7u : 0;
    struct str text = size ? (struct str){(const char *)data + 1, size - 1} : (struct str){"", 0};
    AUTO_ARENA arena = {.limit = 16 << 20};
    AUTO_BUF buf = {.limit = 16 << 20};
    struct value v, again;
    bool taken = json_parse(&arena, text, "fuzz", flags, &v, NULL);
    by_window(&arena, text, flags, taken ? &v : NULL);
    if (!taken)
        return 0;
    struct jsonw w = {.out = &buf, .indent = size % 3};
    jsonw_value(&w, &v);
    if (!buf_ok(&buf, NULL))
        return 0;
    if (!json_parse(&arena, buf_view(&buf), "again", 0, &again, NULL) || !value_equal(&v, &again))
        abort();
    return 0;
}
