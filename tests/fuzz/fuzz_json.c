/* fuzz_json.c - json_parse() on anything; what is taken is written and must read back as equal. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned flags = size ? data[0] & 7u : 0;
    struct str text = size ? (struct str){(const char *)data + 1, size - 1} : (struct str){"", 0};
    AUTO_ARENA arena = {.limit = 16 << 20};
    AUTO_BUF buf = {.limit = 16 << 20};
    struct value v, again;
    if (!json_parse(&arena, text, "fuzz", flags, &v, NULL))
        return 0;
    struct jsonw w = {.out = &buf, .indent = size % 3};
    jsonw_value(&w, &v);
    if (!buf_ok(&buf, NULL))
        return 0;
    if (!json_parse(&arena, buf_view(&buf), "again", 0, &again, NULL) || !value_equal(&v, &again))
        abort();
    return 0;
}
