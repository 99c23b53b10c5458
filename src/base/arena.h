/* arena.h - memory that is freed all at once, with a limit that makes hostile input safe.
 *
 * Shape:   a chain of blocks; an allocation never moves; not thread-safe (one thread, one arena)
 * Start:   struct arena a = { .limit = bytes };  a zeroed arena has no room at all
 * Errors:  every call gives NULL (or an empty str with ptr NULL) once `limit` would be passed
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct err;
struct arena_block;
struct arena {
    struct arena_block *last;
    struct arena_block *spare; /* that a rewind gave back: one is needed again */
    size_t used, limit;        /* bytes handed out and bytes allowed */
    bool small_pages;          /* for what is filled once, asked once and given back */
};

enum { ARENA_DEFAULT_LIMIT = 1 << 30 }; /* 1 GiB: for inputs whose own size is bounded elsewhere */

/* Zeroed room for n objects of type T; NULL where the limit would be passed. n may be 0. */
#define arena_new(arena, T, n) ((T *)arena_alloc((arena), (n), sizeof(T), _Alignof(T)))
void *arena_alloc(struct arena *arena, size_t n, size_t size, size_t align);
/* The same without zeroing, for bytes that are written at once. */
#define arena_new_raw(arena, T, n) ((T *)arena_alloc_raw((arena), (n), sizeof(T), _Alignof(T)))
void *arena_alloc_raw(struct arena *arena, size_t n, size_t size, size_t align);

/* Copies; the result has a NUL behind it that is not counted. */
struct str arena_dup(struct arena *arena, struct str s);
struct str arena_printf(struct arena *arena, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *arena, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

/*
 * Grow an array that lives in the arena: room for at least `need` objects, the first `n` kept.
 * What was allocated last grows where it stands; else the old place stays behind until the arena
 * is freed, so growth doubles.
 */
#define arena_grow(arena, array, n, ret_room, need) \
    arena_grow_bytes((arena), (array), sizeof *(array), (n), (ret_room), (need))
void *arena_grow_bytes(struct arena *arena, void *array, size_t size, size_t n, size_t *ret_room,
                       size_t need);

/* `array`, if it is the last thing that was allocated, keeps only its first `bytes`. */
void arena_trim(struct arena *arena, const void *array, size_t bytes);

/* A place to go back to: what is allocated after it is forgotten by arena_rewind. */
struct arena_mark {
    struct arena_block *last;
    size_t at, used;
};
struct arena_mark arena_mark(const struct arena *arena);
void arena_rewind(struct arena *arena, struct arena_mark mark);

/* Everything back to the system; the arena may be used again. Walks the chain, no recursion. */
void arena_free(struct arena *arena);
/* Forget all allocations but keep the newest block for the next round. */
void arena_reset(struct arena *arena);
/* err_set(err, ERR_LIMIT, ...) with the arena's limit; always false. */
bool arena_full(const struct arena *arena, struct err *err);

/* Released when its block is left, on every path. */
#define AUTO_ARENA __attribute__((cleanup(arena_free))) struct arena
