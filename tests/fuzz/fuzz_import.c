/* fuzz_import.c - any bytes imported into an empty store; what is refused leaves it empty. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/portable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
    const uint8_t *data;
    size_t left;
};

static bool read_text(void *ctx, char *to, size_t room, size_t *ret_n, struct err *err)
{
    struct text *text = ctx;
    (void)err;
    *ret_n = text->left < room ? text->left : room;
    if (*ret_n)
        memcpy(to, text->data, *ret_n);
    text->data += *ret_n;
    text->left -= *ret_n;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct record record; /* opening one takes longer than everything else */
    static struct arena arena = {.limit = 1 << 26};
    static const struct record_options options = {.url = STR_INIT("sqlite::memory:")};
    struct text text = {data, size};
    const struct import_source source = {read_text, &text, "fuzz"};
    int64_t rows, kept = 0;
    struct err err = {0};
    if (!record.db && !record_open(&arena, &options, &record, &err))
        abort();
    if (store_import(&record, &source, &rows, &err)) {
        record_close(&record);
        arena_free(&arena);
        arena = (struct arena){.limit = 1 << 26};
    } else if (!db_one_int(record.db,
                           "SELECT (SELECT count(*) FROM run) + (SELECT count(*) FROM"
                           " finding)",
                           NULL, 0, &kept, &err) ||
               kept) {
        abort();
    }
    return 0;
}
