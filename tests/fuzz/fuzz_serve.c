/* fuzz_serve.c - what plumb serve reads from outside: targets of requests, lock infos, heads of
 * states, run tasks. What is taken keeps its promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "desired/lockinfo.h"
#include "serve/listener_parts.h"
#include "serve/metrics.h"
#include "serve/run_task.h"
#include "serve/telemetry_parts.h"

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

/* Headers, and what a collector answers. */
static void try_telemetry(struct arena *arena, struct str text)
{
    const struct telemetry_settings settings = {.url = STR("http://x"), .headers = text};
    struct telemetry_span span = {0};
    if (otlp_traceparent(text, &span) &&
        (strlen(span.trace) != 32 || strlen(span.parent) != 16 || text.len < 55))
        abort();
    (void)metrics_wants_openmetrics(text);
    (void)otlp_rejected(arena, text, SIGNAL_LOGS);
    (void)telemetry_check(&settings, NULL);
    (void)log_set_levels(NULL, text, NULL);
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
    try_telemetry(&arena, text);
    if (state_head_parse(&arena, text, &head, &err) && (head.lineage.len == 0 || head.serial < 0))
        abort();
    if (run_task_parse(&arena, text, base, &task, NULL) && !task.is_test &&
        !str_starts(task.callback_url, STR("https://app.terraform.io/")))
        abort();
    return 0;
}
