/* fuzz_alert.c - alerts as the store has them, conditions and times of receivers: what is read is
 * written the same again, and no condition breaks.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/timespan.h"
#include "model/when.h"
#include "respond/alert_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(struct arena *arena, struct str text)
{
    const struct when *when = NULL;
    struct when_subject subject = {.severity = SEVERITY_HIGH};
    struct timespan span;
    size_t at = 0;
    for (unsigned i = 0; i < WHEN_FIELD_COUNT; i++)
        subject.text[i] = STR("prod");
    if (when_parse(arena, text, &when, &at, NULL))
        (void)when_holds(when, &subject);
    else if (at > text.len)
        abort();
    if (timespan_parse(text, &span) && (span.days == 0 || span.from >= 1440 || span.to > 1440))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    AUTO_BUF once = {.limit = 64 << 20};
    AUTO_BUF twice = {.limit = 64 << 20};
    struct str text = {size ? (const char *)data : "", size};
    struct alert alert;
    ask(&arena, text);
    if (!alert_json_read(&arena, text, &alert, NULL))
        return 0;
    alert_json(&once, &alert);
    if (once.failed || !alert_json_read(&arena, buf_view(&once), &alert, NULL))
        abort();
    alert_json(&twice, &alert);
    if (!str_equal(buf_view(&once), buf_view(&twice)))
        abort();
    return 0;
}
