/* known.c - the set of known states, and a view that reads pieces of one. */
#include "desired/known.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/backend.h"
#include "desired/source.h"
#include "desired/tfstate.h"
#include "value/value.h"

enum { MOST_BYTES = 16 << 20, BUCKETS = 1024, FIRST_ROOM = 64, FIND_ROOM = 16 << 20 };

/* A part of the text. */
struct piece {
    uint64_t at, sum;
    uint32_t len, head; /* head: of an instance, which of the heads its resource begins with */
};
struct row {
    uint64_t address; /* its hash: what rows are sorted by */
    struct piece piece;
};

struct known_state {
    struct known_state *next;          /* of the same bucket */
    struct known_state *newer, *older; /* asked for */
    unsigned uses;                     /* views, and one for the set; under its lock */
    char *path, *label;
    struct io_id id;
    uint64_t hash;
    bool opentofu;
    struct piece *head; /* resources, up to their instances */
    struct row *row;
    size_t nheads, n, bytes;
};

struct known_states {
    pthread_mutex_t lock;
    uint64_t seed;
    size_t most_bytes;

    /* under lock */
    size_t bytes;
    struct known_state *bucket[BUCKETS], *newest, *oldest;
};

struct known_making {
    struct known_states *states;
    const struct desired *desired;
    struct known_state *made;
    size_t heads_room, room;
    uint64_t nresources;
    bool odd; /* or no memory: not to be known */
};

struct known {
    struct known_states *states;
    struct known_state *state;
    struct desired_info info;
    struct arena arena;
    struct key_table keys;
    int fd;
};

bool resource_is_of_opentofu(const struct resource *resource)
{
    struct str config = resource->provider_config;
    if (str_starts(resource->provider, STR("registry.opentofu.org/")))
        return true;
    /* provider["..."].alias["key"]: only OpenTofu has for_each of providers */
    size_t at = str_find(config, STR("provider[\""), 0);
    size_t end = at == SIZE_MAX ? SIZE_MAX : str_find(config, STR("\"]."), at);
    return end != SIZE_MAX && str_ends(config, STR("]"));
}

/* --- the set --- */

static void free_state(struct known_state *state)
{
    if (!state)
        return;
    free(state->path);
    free(state->label);
    free(state->head);
    free(state->row);
    free(state);
}

bool known_states_open(size_t most_bytes, struct known_states **ret, struct err *err)
{
    struct known_states *states = calloc(1, sizeof *states);
    if (!states)
        return err_set(err, ERR_LIMIT, "out of memory");
    states->most_bytes = most_bytes ? most_bytes : MOST_BYTES;
    (void)pthread_mutex_init(&states->lock, NULL);
    if (getrandom(&states->seed, sizeof states->seed, 0) != sizeof states->seed) {
        known_states_close(states);
        return err_set(err, ERR_IO, "no random bytes are to be had");
    }
    *ret = states;
    return true;
}

static void unuse(struct known_state *state)
{
    if (--state->uses == 0)
        free_state(state);
}

static struct known_state **place_of(struct known_states *states, const char *path)
{
    struct known_state **at = &states->bucket[hash_bytes(str_from(path), 0) % BUCKETS];
    while (*at && strcmp((*at)->path, path) != 0)
        at = &(*at)->next;
    return at;
}

static void take_out_of_order(struct known_states *states, struct known_state *state)
{
    *(state->newer ? &state->newer->older : &states->newest) = state->older;
    *(state->older ? &state->older->newer : &states->oldest) = state->newer;
    state->newer = state->older = NULL;
}

static void put_newest(struct known_states *states, struct known_state *state)
{
    state->older = states->newest;
    *(states->newest ? &states->newest->newer : &states->oldest) = state;
    states->newest = state;
}

static void forget(struct known_states *states, struct known_state *state)
{
    *place_of(states, state->path) = state->next;
    take_out_of_order(states, state);
    states->bytes -= state->bytes;
    unuse(state);
}

static void keep(struct known_states *states, struct known_state *state)
{
    (void)pthread_mutex_lock(&states->lock);
    struct known_state **at = place_of(states, state->path);
    if (*at)
        forget(states, *at);
    at = place_of(states, state->path);
    state->uses = 1;
    *at = state;
    states->bytes += state->bytes;
    put_newest(states, state);
    while (states->bytes > states->most_bytes && states->oldest != state)
        forget(states, states->oldest);
    if (states->bytes > states->most_bytes)
        forget(states, state);
    (void)pthread_mutex_unlock(&states->lock);
}

size_t known_states_bytes(struct known_states *states)
{
    (void)pthread_mutex_lock(&states->lock);
    size_t bytes = states->bytes;
    (void)pthread_mutex_unlock(&states->lock);
    return bytes;
}

void known_states_close(struct known_states *states)
{
    if (!states)
        return;
    while (states->newest)
        forget(states, states->newest);
    (void)pthread_mutex_destroy(&states->lock);
    free(states);
}

/* --- learning --- */

struct known_making *known_begin(struct known_states *states, const struct desired *desired)
{
    const struct backend_state *state = &desired->state;
    /* plain, from a local file, as it is there */
    if (!states || !desired->is_walk || !state->at.path.len || !state->big.id.settled ||
        state->at.text.ptr != state->big.text.ptr)
        return NULL;
    struct known_making *making = calloc(1, sizeof *making);
    struct known_state *made = calloc(1, sizeof *made);
    if (!making || !made) {
        free(making);
        free(made);
        return NULL;
    }
    made->id = state->big.id;
    made->path = strndup(state->at.path.ptr, state->at.path.len);
    made->label = strndup(desired->info.label.ptr, desired->info.label.len);
    *making = (struct known_making){
        .states = states, .desired = desired, .made = made, .odd = !made->path || !made->label};
    return making;
}

static bool grow(void **array, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return true;
    size_t more = *room ? *room * 2 : FIRST_ROOM;
    void *grown = realloc(*array, more * size);
    if (!grown)
        return false;
    *array = grown;
    *room = more;
    return true;
}

static bool piece_of(const struct known_making *making, const char *from, const char *to,
                     struct piece *ret)
{
    struct str text = {from, (size_t)(to - from)};
    *ret = (struct piece){.at = (uint64_t)(from - making->desired->state.at.text.ptr),
                          .sum = hash_bytes(text, making->states->seed),
                          .len = (uint32_t)text.len};
    return text.len <= UINT32_MAX;
}

static bool add_row(struct known_making *making, const struct resource *resource)
{
    const struct desired_spot *spot = &making->desired->spot;
    struct known_state *made = making->made;
    void *heads = made->head, *rows = made->row;
    struct piece head;
    struct row row = {.address = hash_bytes(resource->address, making->states->seed)};
    if (spot->odd || !grow(&heads, made->nheads, &making->heads_room, sizeof head))
        return false;
    made->head = heads;
    if (!grow(&rows, made->n, &making->room, sizeof row))
        return false;
    made->row = rows;
    if (spot->nresources != making->nresources) {
        if (!piece_of(making, spot->resource_at, spot->at, &head))
            return false;
        made->head[made->nheads++] = head;
        making->nresources = spot->nresources;
    }
    if (!piece_of(making, spot->at, spot->end, &row.piece))
        return false;
    row.piece.head = (uint32_t)(made->nheads - 1);
    made->row[made->n++] = row;
    return made->n < UINT32_MAX;
}

void known_add(struct known_making *making, const struct resource *resource)
{
    if (!making || making->odd)
        return;
    making->made->opentofu |= !resource->deposed.len && resource_is_of_opentofu(resource);
    making->odd = !add_row(making, resource);
}

static int by_address(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->address != y->address)
        return x->address < y->address ? -1 : 1;
    return x->piece.at < y->piece.at ? -1 : x->piece.at > y->piece.at;
}

/* To its size. */
static void *fit(void *array, size_t bytes)
{
    void *less = bytes ? realloc(array, bytes) : NULL;
    return less ? less : array;
}

void known_drop(struct known_making *making)
{
    if (!making)
        return;
    free_state(making->made);
    free(making);
}

void known_end(struct known_making *making, uint64_t hash)
{
    if (!making)
        return;
    struct known_state *made = making->made;
    if (making->odd || backend_has_more(&making->desired->state)) {
        known_drop(making);
        return;
    }
    made->hash = hash;
    if (made->n)
        qsort(made->row, made->n, sizeof *made->row, by_address);
    made->head = fit(made->head, made->nheads * sizeof *made->head);
    made->row = fit(made->row, made->n * sizeof *made->row);
    made->bytes = sizeof *made + strlen(made->path) + strlen(made->label) +
                  made->nheads * sizeof *made->head + made->n * sizeof *made->row;
    keep(making->states, made);
    making->made = NULL;
    known_drop(making);
}

/* --- asking --- */

/* The state's file as it is now, and what is known of this very version; *ret_fd is open. */
static struct known_state *find(struct known_states *states, const struct stack *stack, int *ret_fd)
{
    AUTO_ARENA arena = {.limit = FIND_ROOM};
    struct str path;
    struct io_id id;
    if (!states || !backend_local_file(&arena, stack, &path, NULL) || !path.len)
        return NULL;
    AUTO_FD fd = io_open_file(path.ptr, NULL);
    if (fd < 0 || !io_id_of(fd, &id))
        return NULL;
    (void)pthread_mutex_lock(&states->lock);
    struct known_state *state = *place_of(states, path.ptr);
    if (state && !io_id_same(&state->id, &id)) {
        forget(states, state);
        state = NULL;
    }
    if (state) {
        state->uses++;
        take_out_of_order(states, state);
        put_newest(states, state);
    }
    (void)pthread_mutex_unlock(&states->lock);
    if (state && ret_fd) {
        *ret_fd = fd;
        fd = -1; /* NOLINT(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
    }
    return state;
}

static void give_back(struct known_states *states, struct known_state *state)
{
    (void)pthread_mutex_lock(&states->lock);
    unuse(state);
    (void)pthread_mutex_unlock(&states->lock);
}

struct known *known_open(struct known_states *states, const struct stack *stack)
{
    int fd = -1;
    struct known_state *state = find(states, stack, &fd);
    struct known *known = state ? calloc(1, sizeof *known) : NULL;
    if (!known) {
        if (state)
            give_back(states, state);
        io_close_auto(&fd);
        return NULL;
    }
    *known = (struct known){.states = states, .state = state, .fd = fd};
    known->arena.limit = ARENA_DEFAULT_LIMIT;
    key_table_init(&known->keys, &known->arena, states->seed);
    known->info = (struct desired_info){
        .kind = STR("state"), .label = str_from(state->label), .file = str_from(state->path)};
    return known;
}

void known_close(struct known *known)
{
    if (!known)
        return;
    give_back(known->states, known->state);
    io_close_auto(&known->fd);
    arena_free(&known->arena);
    free(known);
}

const struct desired_info *known_info(const struct known *known)
{
    return &known->info;
}

uint64_t known_hash(const struct known *known)
{
    return known->state->hash;
}

bool known_opentofu(const struct known *known)
{
    return known->state->opentofu;
}

bool known_hash_now(struct known_states *states, const struct stack *stack, uint64_t *ret)
{
    struct known_state *state = find(states, stack, NULL);
    if (!state)
        return false;
    *ret = state->hash;
    give_back(states, state);
    return true;
}

/* The first row whose address has that hash, or a later one's. */
static size_t first_row(const struct known *known, uint64_t hash)
{
    size_t from = 0, to = known->state->n;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (known->state->row[middle].address < hash)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool known_has(const struct known *known, struct str address)
{
    uint64_t hash = hash_bytes(address, known->states->seed);
    size_t at = first_row(known, hash);
    return at < known->state->n && known->state->row[at].address == hash;
}

static bool changed(const struct known *known, struct err *err)
{
    return err_set(err, ERR_CONFLICT, "%s: it was written to while it was read; try again",
                   known->state->path);
}

static bool read_piece(struct known *known, const struct piece *piece, struct str *ret,
                       struct err *err)
{
    char *bytes = arena_new_raw(&known->arena, char, piece->len);
    size_t got = 0;
    if (!bytes)
        return arena_full(&known->arena, err);
    while (got < piece->len) {
        ssize_t n = pread(known->fd, bytes + got, piece->len - got, (off_t)(piece->at + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "read %s: %s", known->state->path, strerror(errno));
        if (n == 0)
            return changed(known, err);
        got += (size_t)n;
    }
    *ret = (struct str){bytes, got};
    return hash_bytes(*ret, known->states->seed) == piece->sum || changed(known, err);
}

/* Its resource's beginning, then the instance alone. */
static bool read_row(struct known *known, const struct row *row, struct resource *ret,
                     struct err *err)
{
    struct str head, text;
    struct tfstate_walk walk = {.name = known->state->path, .first_resource = true};
    struct tfstate_instance instance;
    bool more = false;
    if (!read_piece(known, &known->state->head[row->piece.head], &head, err) ||
        !read_piece(known, &row->piece, &text, err))
        return false;
    walk.scan = json_scan_open(head);
    if (!tfstate_enter(&walk, err))
        return false;
    walk.scan = json_scan_open(text);
    return tfstate_instance(&walk, &more, &instance, err) && more &&
           tfstate_resource(&known->arena, &known->keys, &walk, &instance, ret, err);
}

bool known_next(struct known *known, struct str address, size_t *at, struct resource *ret,
                struct err *err)
{
    const struct known_state *state = known->state;
    uint64_t hash = hash_bytes(address, known->states->seed);
    size_t i = first_row(known, hash) + *at;
    for (; i < state->n && state->row[i].address == hash; i++) {
        ++*at;
        if (!read_row(known, &state->row[i], ret, err))
            return false;
        if (str_equal(ret->address, address))
            return true;
    }
    return false;
}
