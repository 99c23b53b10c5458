/* desired.c - opening a text as whatever it is, and the calls that every source shares. */
#include "desired/desired.h"

#include <stdlib.h>

#include "base/err.h"
#include "desired/document.h"
#include "desired/source.h"

enum { ROOM_LEAST = 256 << 20 };

struct desired *desired_make(size_t text_bytes, struct err *err)
{
    struct desired *desired = calloc(1, sizeof *desired);
    if (!desired) {
        (void)err_set(err, ERR_LIMIT, "out of memory");
        return NULL;
    }
    desired->arena.limit = ROOM_LEAST + 2 * text_bytes;
    return desired;
}

static bool next_none(struct desired *desired, struct resource *ret, struct err *err)
{
    (void)desired;
    (void)ret;
    (void)err;
    return false;
}

/* An empty file is what a backend keeps before the first apply. */
static bool open_empty(struct desired *desired, const char *name, struct err *err)
{
    desired->info = (struct desired_info){.kind = STR("state"), .no_state = true};
    desired->info.label = arena_printf(&desired->arena, "state %s, empty", name);
    desired->next = next_none;
    return desired->info.label.ptr || arena_full(&desired->arena, err);
}

bool desired_open_text(struct desired *desired, struct str text, const char *name, struct err *err)
{
    switch (document_probe(text)) {
    case DOCUMENT_EMPTY:
        return open_empty(desired, name, err);
    case DOCUMENT_SHOW_STATE:
        return source_show_open(desired, text, name, err);
    case DOCUMENT_PLAN:
        return err_set(err, ERR_UNSUPPORTED,
                       "%s is a plan, not a state: scan it with `plumb scan --plan %s`", name,
                       name);
    case DOCUMENT_RESOURCES:
        return err_set(err, ERR_SYNTAX,
                       "%s is a list of live resources, not a state: give it with --live", name);
    default:
        return source_tfstate_open(desired, text, name, err); /* it says best what is wrong */
    }
}

bool desired_open_state_text(struct str text, const char *name, struct desired **ret,
                             struct err *err)
{
    if (!text.ptr)
        text = STR("");
    struct desired *desired = desired_make(text.len, err);
    if (!desired)
        return false;
    if (!desired_open_text(desired, text, name, err)) {
        desired_close(desired);
        return false;
    }
    *ret = desired;
    return true;
}

const struct desired_info *desired_info(const struct desired *desired)
{
    return &desired->info;
}

struct str desired_text(const struct desired *desired)
{
    return desired->state.at.text;
}

bool desired_next(struct desired *desired, struct resource *ret, struct err *err)
{
    return desired->next(desired, ret, err);
}

bool desired_find(struct desired *desired, struct str type, struct str name, struct resource *ret,
                  struct err *err)
{
    return desired->find ? desired->find(desired, type, name, ret, err)
                         : desired->next(desired, ret, err);
}

uint64_t desired_count(const struct desired *desired)
{
    return desired->count;
}

void desired_close(struct desired *desired)
{
    if (!desired)
        return;
    arena_free(&desired->arena);
    backend_release(&desired->state);
    free(desired);
}
