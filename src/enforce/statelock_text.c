/* statelock_text.c - what people read where Terraform and OpenTofu print a lock. */
#include <inttypes.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "enforce/statelock.h"

enum { SHOWN_MAX = 8, TEXT_BYTES = 16 << 10 };

/* Names come from states and clouds: nothing in them may steer a terminal. */
static void add_plain(struct buf *out, struct str text)
{
    for (size_t at = 0; at < text.len;) {
        char bytes[4];
        uint32_t c = utf8_next(text, &at);
        bool steers = c < ' ' || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x202e) ||
                      (c >= 0x2066 && c <= 0x2069);
        buf_add(out, bytes, utf8_put(steers ? '?' : c, bytes));
    }
}

struct str statelock_summary(struct arena *arena, const struct lock_reason *reason, size_t n)
{
    size_t count[LOCK_BECAUSE_COUNT] = {0};
    AUTO_BUF out = {.limit = TEXT_BYTES};
    for (size_t i = 0; i < n; i++)
        count[reason[i].because]++;
    size_t findings = count[LOCK_BECAUSE_FINDING];
    if (findings)
        buf_printf(&out, "%zu change%s that nobody has decided on", findings,
                   findings == 1 ? "" : "s");
    for (size_t i = 0; i < n; i++)
        if (reason[i].because != LOCK_BECAUSE_FINDING) {
            buf_printf(&out, "%s", out.len ? "; " : "");
            add_plain(&out, reason[i].what);
        }
    return arena_dup(arena, buf_view(&out));
}

static void add_reason(struct buf *out, const struct lock_reason *r)
{
    buf_printf(out, "\n  - ");
    if (r->address.len) {
        add_plain(out, r->address);
        buf_printf(out, ": ");
    }
    add_plain(out, r->what);
    if (r->who.len) {
        buf_printf(out, ", by ");
        add_plain(out, r->who);
    }
    if (r->todo.len) {
        buf_printf(out, "\n      ");
        add_plain(out, r->todo);
    }
}

void statelock_print_refusal(struct arena *arena, struct buf *out, struct str stack,
                             struct str operation, int64_t now_utc_ms,
                             const struct lock_reason *reason, size_t n)
{
    char now[CLOCK_TEXT];
    AUTO_BUF id = {.limit = TEXT_BYTES};
    struct str summary = statelock_summary(arena, reason, n);
    buf_printf(&id, "blocked-by-plumb\n\nBLOCKED BY PLUMB: %.*s of ",
               STR_ARG(lockinfo_operation(operation)));
    add_plain(&id, stack);
    buf_printf(&id, ": %.*s", STR_ARG(summary));
    for (size_t i = 0; i < n && i < SHOWN_MAX; i++)
        add_reason(&id, &reason[i]);
    if (n > SHOWN_MAX)
        buf_printf(&id, "\n  and %zu more: plumb findings --stack '%.*s'", n - SHOWN_MAX,
                   STR_ARG(stack));
    buf_printf(&id, "\nDecide, then run it again. Plans are not blocked. Nobody holds the lock:\n"
                    "force-unlock does not help, and without the lock no state is written.\n");
    struct lockinfo info = {.id = buf_view(&id),
                            .operation = STR("blocked"),
                            .info = summary,
                            .who = STR("plumb"),
                            .version = STR(PLUMB_VERSION),
                            .created = str_from(clock_format(now_utc_ms, now)),
                            .path = stack};
    lockinfo_print(out, &info);
}

void statelock_print_holder(struct arena *arena, struct buf *out, const struct state_row *row)
{
    struct lockinfo info = {0};
    char when[CLOCK_TEXT];
    AUTO_BUF id = {.limit = TEXT_BYTES};
    if (!lockinfo_parse(arena, row->lock.info, &info, NULL))
        info = (struct lockinfo){.id = row->lock.id};
    clock_format(row->lock.taken_utc_ms, when);
    add_plain(&id, row->lock.id);
    buf_printf(&id, "\n\nHeld by ");
    add_plain(&id, info.who.len ? info.who : row->lock.name);
    buf_printf(&id, " for %.*s since %s", STR_ARG(lockinfo_operation(info.operation)), when);
    if (info.info.len) {
        buf_printf(&id, ": ");
        add_plain(&id, info.info);
    }
    buf_printf(&id, "\n");
    info.id = buf_view(&id);
    lockinfo_print(out, &info);
}
