/* process.c - a provider's process without a client, behind live/provider_process.h. */
#include "live/provider_process.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "live/reader_provider/child.h"
#include "live/reader_provider/plugin.h"
#include "live/reader_provider/process_set.h"

enum state { WAITING, RUNNING, LOST, STOPPING, DOWN };

struct provider_process {
    struct provider_process_spec spec;
    struct child child;
    enum state state;
    unsigned entered;
    bool closing;
};

static void process_free(struct provider_process *p)
{
    child_free(&p->child);
    free(p);
}

static void leave(struct provider_process *p)
{
    if (--p->entered == 0 && p->closing)
        process_free(p);
}

static void finish(struct provider_process *p)
{
    char room[CHILD_TEXT_MAX + 200];
    struct buf text = {.ptr = room, .room = sizeof room, .limit = sizeof room};
    struct err why = {0};
    bool stopped = p->state == STOPPING;
    p->state = DOWN;
    if (stopped)
        buf_str(&text, STR("it was stopped"));
    else
        child_put_end(&p->child, &text);
    (void)err_set(&why, ERR_UNAVAILABLE, "%.*s", (int)text.len, text.ptr);
    (void)err_wrap(&why, "provider %.*s", STR_ARG(p->child.name));
    child_clean_up(&p->child);
    if (!p->closing)
        p->spec.on_end(p->spec.ctx, &why);
}

static void settle_start(struct provider_process *p)
{
    struct child *c = &p->child;
    struct err why = {0};
    if (c->fd >= 0) {
        const struct provider_socket socket = {.fd = c->fd,
                                               .connecting = c->connecting,
                                               .tls = c->tls,
                                               .protocol = c->protocol,
                                               .reattached = c->reattached};
        c->fd = -1;
        p->state = RUNNING;
        child_has_started(c);
        p->spec.on_ready(p->spec.ctx, &socket, NULL);
    } else if (child_gave_up(c, "handshake", &why)) {
        p->state = DOWN;
        child_start_failed(c, &why);
        p->spec.on_ready(p->spec.ctx, NULL, &why);
    }
}

static void on_settle(void *ctx)
{
    struct provider_process *p = ctx;
    p->entered++;
    if (p->state == WAITING)
        settle_start(p);
    else if (p->state == RUNNING && p->child.reaped)
        provider_process_lost(p);
    else if (p->state == LOST && (p->child.timer_over || child_has_ended(&p->child)))
        finish(p);
    else if (p->state == STOPPING &&
             (p->child.timer_over || p->child.reaped || p->child.reattached))
        finish(p);
    leave(p);
}

void provider_process_lost(struct provider_process *p)
{
    if (p->state != RUNNING)
        return;
    p->state = LOST;
    child_set_timer(&p->child, CHILD_CRASH_WAIT_MS);
    child_ask_settle(&p->child);
}

void provider_process_stop(struct provider_process *p)
{
    if (p->state != RUNNING && p->state != LOST)
        return;
    p->state = STOPPING;
    child_set_timer(&p->child, PLUGIN_GRACE_MS);
    child_ask_settle(&p->child);
}

void provider_process_close(struct provider_process *p)
{
    if (!p || p->closing)
        return;
    p->closing = true;
    p->entered++;
    p->state = DOWN;
    child_clean_up(&p->child);
    leave(p);
}

/* --- directories for others --- */

static_assert((int)PROVIDER_DIR == (int)LAUNCH_DIR, "the same paths");

bool provider_dir_make(char ret[PROVIDER_DIR], int *ret_lock_fd, struct err *err)
{
    return launch_make_dir(getenv("TMPDIR"), ret, ret_lock_fd, err);
}

void provider_dir_remove(const char *dir, int *lock_fd)
{
    launch_remove_dir(dir);
    io_close_auto(lock_fd);
}

/* --- starting --- */

static void on_output(void *ctx, struct str bytes)
{
    struct provider_process *p = ctx;
    p->spec.on_output(p->spec.ctx, bytes);
}

bool provider_process_start(const struct provider_process_spec *spec, struct provider_process **ret,
                            struct err *err)
{
    struct provider_process *p = calloc(1, sizeof *p);
    if (!p)
        return err_set(err, ERR_LIMIT, "no memory for a provider");
    p->spec = *spec;
    child_init(&p->child, spec->loop, on_settle, p);
    p->child.on_output = spec->on_output ? on_output : NULL;
    struct plugin_spec how;
    if (!provider_set_spec(spec->set, spec->row, &p->child.arena, spec->loop, &how, err) ||
        !child_start(&p->child, &how, spec->logs, err)) {
        provider_process_close(p);
        return false;
    }
    *ret = p;
    return true;
}
