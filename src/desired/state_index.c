/* state_index.c - one checked walk that keeps offsets, and reading again from them. */
#include "desired/state_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/address.h"
#include "value/value.h"

enum { CANCEL_EVERY = 4096, FIRST_ROOM = 1024 };

/* Room for one more: doubling, which for large arrays moves pages and copies nothing. */
static bool grow(void **array, size_t n, size_t *room, size_t size, struct err *err)
{
    if (n < *room)
        return true;
    size_t more = *room ? *room * 2 : FIRST_ROOM;
    void *grown = realloc(*array, more * size);
    if (!grown)
        return err_set(err, ERR_LIMIT, "out of memory");
    *array = grown;
    *room = more;
    return true;
}

/* text is inside the base's object, or empty; false where that is larger than 4 GiB. */
static bool offset(const char *base, struct str text, uint32_t *ret)
{
    size_t distance = text.ptr ? (size_t)(text.ptr - base) : 0;
    *ret = (uint32_t)distance;
    return distance <= UINT32_MAX;
}

static bool add_head(struct state_index *index, const struct tfstate_walk *walk, struct err *err)
{
    void *heads = index->head;
    if (!grow(&heads, index->nheads, &index->heads_room, sizeof *index->head, err))
        return false;
    index->head = heads;
    struct state_head *head = &index->head[index->nheads++];
    *head = (struct state_head){.at = (uint64_t)(walk->resource_at - index->text.ptr)};
    for (size_t i = 0; i < RES_COUNT; i++) {
        struct str span = i == RES_INSTANCES ? (struct str){0} : walk->resource[i];
        if (!offset(walk->resource_at, span, &head->offset[i]) || span.len > UINT32_MAX)
            return err_set(err, ERR_LIMIT, "%s: one resource of more than 4 GiB", index->name);
        head->len[i] = (uint32_t)span.len;
    }
    return true;
}

static bool add_entry(struct state_index *index, const struct tfstate_instance *instance,
                      struct err *err)
{
    void *entries = index->entry;
    if (!grow(&entries, index->n, &index->room, sizeof *index->entry, err))
        return false;
    index->entry = entries;
    struct state_entry made = {
        .at = (uint64_t)(instance->at - index->text.ptr),
        .head = (uint32_t)(index->nheads - 1),
        .deposed = instance->span[INST_DEPOSED].len > 0,
        .tainted = instance->span[INST_STATUS].len > 0,
    };
    if (!offset(instance->at, instance->span[INST_ATTRIBUTES], &made.attributes) ||
        !offset(instance->at, instance->span[INST_INDEX_KEY], &made.index_key))
        return err_set(err, ERR_LIMIT, "%s: one instance of more than 4 GiB", index->name);
    index->entry[index->n++] = made;
    return true;
}

static bool is_managed(const struct tfstate_walk *walk)
{
    return str_equal(walk->resource[RES_MODE], STR("\"managed\""));
}

static bool is_data(const struct tfstate_walk *walk)
{
    return str_equal(walk->resource[RES_MODE], STR("\"data\""));
}

static bool build(struct state_index *index, const volatile int *cancel, struct err *err)
{
    struct tfstate_walk walk;
    struct tfstate_instance instance;
    uint64_t head_of = 0;
    if (!tfstate_open(&walk, index->text, index->name, err))
        return false;
    index->serial = tfstate_serial(&walk);
    for (size_t n = 0; tfstate_next(&walk, &instance, err); n++) {
        if (cancel && n % CANCEL_EVERY == 0 && *cancel)
            return err_set(err, ERR_CANCELLED, "cancelled");
        if (is_data(&walk))
            continue;
        if (!is_managed(&walk)) { /* say it as the other source does */
            AUTO_ARENA arena = {.limit = 1 << 20};
            struct key_table keys;
            struct resource ignored;
            key_table_init(&keys, &arena, 0);
            if (!tfstate_resource(&arena, &keys, &walk, &instance, &ignored, err))
                return false;
            if (ignored.mode == RESOURCE_DATA)
                continue;
        }
        if (walk.nresources != head_of && !add_head(index, &walk, err))
            return false;
        head_of = walk.nresources;
        if (!add_entry(index, &instance, err))
            return false;
    }
    return !err || err->kind == ERR_NONE;
}

bool state_index_build(struct str text, const char *name, const volatile int *cancel,
                       struct state_index *ret, struct err *err)
{
    struct state_index index = {.text = text, .name = name};
    struct err local = {0};
    bool ok = build(&index, cancel, &local);
    if (!ok) {
        if (err)
            *err = local;
        state_index_free(&index);
        return false;
    }
    *ret = index;
    return true;
}

void state_index_free(struct state_index *index)
{
    free(index->entry);
    free(index->head);
    *index = (struct state_index){0};
}

static struct str head_span(const struct state_index *index, const struct state_entry *entry,
                            enum tfstate_res member)
{
    const struct state_head *head = &index->head[entry->head];
    if (!head->offset[member])
        return (struct str){0};
    return (struct str){index->text.ptr + head->at + head->offset[member], head->len[member]};
}

/* A JSON string without escapes, into out. */
static bool add_plain(struct buf *out, struct str span)
{
    if (span.len < 3 || span.ptr[0] != '"' || memchr(span.ptr, '\\', span.len))
        return false;
    buf_str(out, str_sub(span, 1, span.len - 1));
    return true;
}

bool state_index_prefix(const struct state_index *index, const struct state_entry *entry,
                        struct buf *out)
{
    struct str module = head_span(index, entry, RES_MODULE);
    if (module.len > 2 && *module.ptr == '"') {
        if (!add_plain(out, module))
            return false;
        buf_char(out, '.');
    } else if (module.len > 2 && *module.ptr != 'n') {
        return false;
    }
    if (!add_plain(out, head_span(index, entry, RES_TYPE)))
        return false;
    buf_char(out, '.');
    return add_plain(out, head_span(index, entry, RES_NAME)) && !out->failed;
}

bool state_index_key(const struct state_index *index, const struct state_entry *entry,
                     struct buf *out)
{
    if (entry->deposed)
        return false;
    if (!entry->index_key)
        return true;
    const char *from = index->text.ptr + entry->at + entry->index_key;
    const char *end = index->text.ptr + index->text.len, *p = from;
    bool text = *from == '"';
    if (text)
        for (p++; p < end && *p != '"'; p++)
            if (*p == '\\' || *p == '$' || *p == '%' || (signed char)*p < 32 || *p == 0x7f)
                return false;
    if (!text)
        while (p < end && *p >= '0' && *p <= '9')
            p++;
    if (p == end || (!text && (p - from > 18 || *p == '.' || *p == 'e' || *p == 'E' || p == from)))
        return false;
    buf_char(out, '[');
    buf_add(out, from, (size_t)(p - from) + text);
    buf_char(out, ']');
    return !out->failed;
}

bool state_index_resource(const struct state_index *index, const struct state_entry *entry,
                          struct arena *arena, struct resource *ret, struct err *err)
{
    struct str span[RES_COUNT];
    struct key_table keys;
    key_table_init(&keys, arena, 0);
    for (size_t i = 0; i < RES_COUNT; i++)
        span[i] = head_span(index, entry, (enum tfstate_res)i);
    return tfstate_read_at(index->text, index->name, span, index->text.ptr + entry->at, arena,
                           &keys, ret, err);
}
