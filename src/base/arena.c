/* arena.c - blocks that double up to 1 MiB; a large object gets a block of its own. An arena that
 * holds much grows in larger steps, of pages that the system gives by the 2 MiB: the time of a
 * large configuration was that of its page faults. A virtual machine that lends free memory to its
 * host pays for such a page what it saved, and more, when it was idle before: see small_pages.
 */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/err.h"

enum {
    BLOCK_FIRST = 1024, /* with its head: most arenas hold little, and each page costs a fault */
    BLOCK_MOST = 1 << 20,
    HUGE_PAGE = 2 << 20,
    BLOCK_HUGE = 2 * HUGE_PAGE, /* blocks of that size and more are mapped, of huge pages */
    USED_MUCH = 2 << 20
};

struct arena_block {
    struct arena_block *prev;
    size_t at, room;
    max_align_t bytes[];
};

/* Not by malloc, which keeps what is freed to it once it has seen a large block go. */
static void *map_block(size_t bytes, bool huge)
{
    char *all =
        mmap(NULL, bytes + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)all & (HUGE_PAGE - 1);
    if (before)
        (void)munmap(all, before);
    if (before < HUGE_PAGE)
        (void)munmap(all + before + bytes, HUGE_PAGE - before);
    if (huge)
        (void)madvise(all + before, bytes, MADV_HUGEPAGE); /* where there are none, small ones do */
    return all + before;
}

static void block_free(struct arena_block *block)
{
    size_t bytes = sizeof *block + block->room;
    if (bytes >= BLOCK_HUGE)
        (void)munmap(block, bytes);
    else
        free(block);
}

/* Apart, so that the way without it saves no registers. */
__attribute__((noinline)) static struct arena_block *block_add(struct arena *arena, size_t need)
{
    size_t room = arena->last ? arena->last->room * 2 : BLOCK_FIRST - sizeof(struct arena_block);
    if (room > BLOCK_MOST)
        room = BLOCK_MOST;
    if (arena->used >= USED_MUCH && !arena->small_pages)
        room = BLOCK_HUGE - sizeof(struct arena_block);
    if (room < need)
        room = need;
    if (room > PTRDIFF_MAX - sizeof(struct arena_block) - HUGE_PAGE)
        return NULL;
    size_t bytes = sizeof(struct arena_block) + room;
    bool map = bytes >= BLOCK_HUGE;
    if (map)
        bytes = (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
    struct arena_block *block = arena->spare;
    if (block && block->room >= need) {
        arena->spare = NULL;
    } else {
        block = map ? map_block(bytes, !arena->small_pages) : malloc(bytes);
        if (!block)
            return NULL;
        block->room = bytes - sizeof *block;
    }
    block->prev = arena->last;
    block->at = 0;
    arena->last = block;
    return block;
}

void *arena_alloc_raw(struct arena *arena, size_t n, size_t size, size_t align)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || arena->used > arena->limit ||
        bytes > arena->limit - arena->used)
        return NULL;
    struct arena_block *block = arena->last;
    size_t at = block ? (block->at + align - 1) & ~(align - 1) : 0;
    if (!block || at > block->room || bytes > block->room - at) {
        block = block_add(arena, bytes);
        at = 0;
        if (!block)
            return NULL;
    }
    block->at = at + bytes;
    arena->used += bytes;
    return (char *)block->bytes + at;
}

/* Most objects are small: a call of memset costs more than their bytes do. */
static inline void zero(char *to, size_t n)
{
    enum { WORD = 8, SMALL = 16 * WORD };
    if (n < WORD || n > SMALL) {
        memset(to, 0, n);
        return;
    }
    char *last = to + n - WORD;
    for (; to < last; to += WORD)
        memset(to, 0, WORD);
    memset(last, 0, WORD);
}

void *arena_alloc(struct arena *arena, size_t n, size_t size, size_t align)
{
    void *room = arena_alloc_raw(arena, n, size, align);
    if (room)
        zero(room, n * size);
    return room;
}

struct str arena_dup(struct arena *arena, struct str s)
{
    if (s.len == SIZE_MAX)
        return (struct str){0};
    char *copy = arena_alloc_raw(arena, s.len + 1, 1, 1);
    if (!copy)
        return (struct str){0};
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (struct str){copy, s.len};
}

struct str arena_vprintf(struct arena *arena, const char *fmt, va_list args)
{
    va_list again;
    char small[256]; /* most are: formatted once, not once more to know how long they are */
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, fmt, again);
    va_end(again);
    if (len < 0)
        return (struct str){0};
    if ((size_t)len < sizeof small)
        return arena_dup(arena, (struct str){small, (size_t)len});
    char *text = arena_alloc_raw(arena, (size_t)len + 1, 1, 1);
    if (!text)
        return (struct str){0};
    (void)vsnprintf(text, (size_t)len + 1, fmt, args);
    return (struct str){text, (size_t)len};
}

struct str arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str s = arena_vprintf(arena, fmt, args);
    va_end(args);
    return s;
}

/* An array that is the last thing that was allocated, made longer where it stands; or NULL. */
static void *extend(struct arena *arena, void *array, size_t bytes, size_t n, size_t size)
{
    struct arena_block *block = arena->last;
    size_t more;
    if (!bytes || (char *)array + bytes != (char *)block->bytes + block->at ||
        __builtin_mul_overflow(n, size, &more) || (more -= bytes) > block->room - block->at ||
        arena->used > arena->limit || more > arena->limit - arena->used)
        return NULL;
    block->at += more;
    arena->used += more;
    return array;
}

void *arena_grow_bytes(struct arena *arena, void *array, size_t size, size_t n, size_t *ret_room,
                       size_t need)
{
    if (need <= *ret_room)
        return array;
    size_t first = size > 32 ? 2 : 4; /* most lists are short */
    size_t room = *ret_room ? *ret_room : first;
    while (room < need)
        if (__builtin_mul_overflow(room, (size_t)2, &room))
            return NULL;
    char *grown = extend(arena, array, *ret_room * size, room, size);
    if (!grown) {
        grown = arena_alloc_raw(arena, room, size, _Alignof(max_align_t));
        if (!grown)
            return NULL;
        if (n)
            memcpy(grown, array, n * size);
    }
    zero(grown + n * size, (room - n) * size);
    *ret_room = room;
    return grown;
}

void arena_trim(struct arena *arena, const void *array, size_t bytes)
{
    struct arena_block *block = arena->last;
    const char *start = array;
    if (!block || start < (const char *)block->bytes ||
        start >= (const char *)block->bytes + block->at)
        return;
    size_t at = (size_t)(start - (const char *)block->bytes) + bytes;
    arena->used -= block->at - at;
    block->at = at;
}

struct arena_mark arena_mark(const struct arena *arena)
{
    return (struct arena_mark){arena->last, arena->last ? arena->last->at : 0, arena->used};
}

/* Marks that lie just before the end of a block are gone back to again and again. */
static void give_back(struct arena *arena, struct arena_block *block)
{
    if (!arena->spare && block->room < BLOCK_HUGE)
        arena->spare = block;
    else
        block_free(block);
}

void arena_rewind(struct arena *arena, struct arena_mark mark)
{
    while (arena->last != mark.last) {
        struct arena_block *prev = arena->last->prev;
        give_back(arena, arena->last);
        arena->last = prev;
    }
    if (mark.last)
        mark.last->at = mark.at;
    arena->used = mark.used;
}

void arena_free(struct arena *arena)
{
    if (arena->spare)
        block_free(arena->spare);
    arena->spare = NULL;
    while (arena->last) {
        struct arena_block *prev = arena->last->prev;
        block_free(arena->last);
        arena->last = prev;
    }
    arena->used = 0;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *keep = arena->last;
    if (keep && keep->room <= BLOCK_MOST) {
        arena->last = keep->prev;
        arena_free(arena);
        keep->prev = NULL;
        keep->at = 0;
        arena->last = keep;
    } else {
        arena_free(arena);
    }
    arena->used = 0;
}

bool arena_full(const struct arena *arena, struct err *err)
{
    return err_set(err, ERR_LIMIT, "needs more than the %zu bytes of memory allowed for it",
                   arena->limit);
}
