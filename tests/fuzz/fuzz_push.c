/* fuzz_push.c - bodies and headers of webhooks that tell of pushes: what is taken names a
 * repository, and nothing unsigned is signed. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "desired/git_clone.h"
#include "serve/feeds_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct str text = {size ? (const char *)data : "", size}, rest = text, line[5] = {{0}};
    struct push push;
    if (push_parse(&arena, text, &push, NULL)) {
        if (push.nrepositories > PUSH_NAMES_MAX || (!push.ignored && push.nrepositories == 0))
            abort();
        for (size_t i = 0; i < push.nrepositories; i++)
            for (size_t k = 0; k < push.nrepositories; k++)
                if (git_same_repository(push.repository[i], push.repository[k]) !=
                    git_same_repository(push.repository[k], push.repository[i]))
                    abort();
    }
    for (size_t i = 0; i < 5; i++)
        (void)str_cut(&rest, '\n', &line[i]);
    const struct push_headers headers = {line[0], line[1], line[2], line[3], line[4]};
    if (push_is_signed(&headers, STR("a key that is in no input: f3b1c8"), rest, 1614265330000))
        abort();
    return 0;
}
