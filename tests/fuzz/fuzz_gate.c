/* fuzz_gate.c - any bytes as a plan that is read as a stream, and as a saved one. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "desired/plan_doc.h"
#include "desired/saved_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct str bytes = {(const char *)data, size};
    struct err err = {0};
    struct plan_doc doc;
    struct saved_plan saved;
    if (plan_doc_read(&arena, bytes, "fuzz", &doc, &err))
        for (size_t i = 0; i < doc.ntouches; i++) {
            struct plan_change change;
            if (i && str_compare(doc.touch[i - 1].address, doc.touch[i].address) > 0)
                abort();
            (void)plan_change_read(&arena, &doc.touch[i], "fuzz", &change, &err);
        }
    err_clear(&err);
    if (saved_plan_read(&arena, bytes, "fuzz", &saved, &err))
        for (size_t i = 0; i < saved.nfiles; i++)
            if (!saved.file[i].path.len)
                abort();
    return 0;
}
