/* fuzz_serve.c - what plumb serve reads from outside: targets of requests, lock infos, heads of
 * states, run tasks. What is taken keeps its promises. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "enforce/lockinfo.h"
#include "serve/listener_parts.h"
#include "serve/run_task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_target(struct str text)
{
    struct request request = {.arena = {.limit = 16 << 20}};
    struct str value;
    if (routing_target(&request, text)) {
        if (utf8_bad_at(request.path) != SIZE_MAX ||
            str_find_char(request.path, '\0', 0) != SIZE_MAX)
            abort();
        if (request_param(&request, "ID", &value) && utf8_bad_at(value) != SIZE_MAX)
            abort();
    }
    arena_free(&request.arena);
}

static void try_info(struct arena *arena, struct str text)
{
    struct lockinfo info, again;
    struct buf out = {.limit = 8 << 20};
    if (!lockinfo_parse(arena, text, &info, NULL))
        return;
    lockinfo_print(&out, &info);
    if (info.id.len == 0 ||
        (out.len <= LOCKINFO_BYTES_MAX &&
         (!lockinfo_parse(arena, buf_view(&out), &again, NULL) || !str_equal(info.id, again.id) ||
          !str_equal(info.operation, again.operation))))
        abort();
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct str text = {size ? (const char *)data : "", size},
               base = STR("https://app.terraform.io");
    struct state_head head;
    struct run_task task;
    struct err err = {0};
    try_target(text);
    try_info(&arena, text);
    if (state_head_parse(&arena, text, &head, &err) && (head.lineage.len == 0 || head.serial < 0))
        abort();
    if (run_task_parse(&arena, text, base, &task, NULL) && !task.is_test &&
        !str_starts(task.callback_url, STR("https://app.terraform.io/")))
        abort();
    return 0;
}
