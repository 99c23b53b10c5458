/* fuzz_msgpack.c - msgpack_decode() on anything; what is taken is encoded and must decode as equal.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"
#include "wire/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {
    "\"dynamic\"",
    "\"number\"",
    "\"string\"",
    "[\"list\",\"dynamic\"]",
    "[\"map\",[\"set\",\"number\"]]",
    "[\"object\",{\"a\":\"string\",\"b\":[\"list\",[\"object\",{\"c\":\"number\"}]],\"d\":"
    "\"dynamic\","
    "\"e\":[\"set\",[\"object\",{\"f\":\"bool\",\"g\":[\"map\",\"string\"]}]],"
    "\"h\":[\"tuple\",[\"string\",\"dynamic\"]]}]",
};
enum { TYPES = sizeof types / sizeof *types };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    AUTO_BUF buf = {.limit = 64 << 20};
    struct err err = {0};
    const char *json = types[size ? data[0] % TYPES : 0];
    struct str bytes = size ? (struct str){(const char *)data + 1, size - 1} : (struct str){"", 0};
    struct value v, again;
    const struct type *type;
    if (!json_parse(&arena, str_from(json), "type", 0, &v, &err) ||
        !type_from_value(&arena, &v, &type, &err))
        abort();
    size_t before = arena.used;
    bool ok = msgpack_decode(&arena, type, bytes, &v, &err);
    if (arena.used - before > 1 << 16 && (arena.used - before) / 3000 > size)
        abort(); /* room out of proportion (a type written in full takes the most) */
    if (!ok) {
        if (err.kind == ERR_NONE)
            abort();
        return 0;
    }
    if (!msgpack_encode(&buf, type, &v, &err)) {
        if (err.kind != ERR_LIMIT) /* a number of too many digits, a type nested too deep */
            abort();
        return 0;
    }
    if (!msgpack_decode(&arena, type, buf_view(&buf), &again, &err) || !value_equal(&v, &again))
        abort();
    return 0;
}
