/* fuzz_state.c - any bytes opened as a state and walked to the end. */
#include <stdint.h>

#include "base/err.h"
#include "desired/desired.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct desired *desired;
    struct resource r;
    struct err err = {0};
    if (!desired_open_state_text((struct str){(const char *)data, size}, "fuzz", &desired, &err))
        return 0;
    while (desired_next(desired, &r, &err)) {}
    desired_close(desired);
    return 0;
}
