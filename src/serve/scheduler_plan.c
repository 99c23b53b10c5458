/* scheduler_plan.c - which stacks there are, and when each is due. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "desired/git_clone.h"
#include "model/config.h"
#include "record/planned.h"
#include "record/retire.h"
#include "serve/scheduler_parts.h"

static const int64_t forgotten_ms = 14 * 86400000ll;

void plan_free(struct plan *plan)
{
    if (!plan)
        return;
    arena_free(&plan->arena);
    free(plan);
}

static bool find_sets(struct plan *plan, const struct config *config, struct err *err)
{
    plan->set = arena_new(&plan->arena, struct schedule_set, plan->stacks.n);
    if (!plan->set)
        return arena_full(&plan->arena, err);
    for (size_t i = 0; i < plan->stacks.n; i++)
        if (!schedule_of_stack(&plan->arena, config, &plan->stacks.stack[i], &plan->set[i], err))
            return false;
    return true;
}

bool plan_make(const struct server *server, struct plan **ret, struct err *err)
{
    const struct config *config = server->options.config;
    struct plan *plan = calloc(1, sizeof *plan);
    const struct stacks_query query = {.config = config,
                                       .env = server->options.record.env,
                                       .none_is_fine = true,
                                       .twice_is_fine = true};
    if (!plan)
        return err_set(err, ERR_LIMIT, "out of memory");
    plan->arena.limit = ARENA_DEFAULT_LIMIT;
    /* Without a plumb.yaml nobody said what to scan. */
    bool ok =
        !config || !config->path.len ||
        (stacks_find(&plan->arena, &query, &plan->stacks, err) && find_sets(plan, config, err));
    if (!ok) {
        plan_free(plan);
        return false;
    }
    *ret = plan;
    return true;
}

static bool is_known(const struct planned *row, size_t n, struct str stack)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(row[i].stack, stack))
            return true;
    return false;
}

/* What is named and not there is a stack where it was one before: its scans say what is missing.
 * Else it may be the folder of some, which would not be called so. */
bool plan_drop_strangers(struct plan *plan, struct record *record, struct err *err)
{
    AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
    struct planned *row = NULL;
    size_t nrows = 0, n = 0;
    if (!plan->stacks.absent.len)
        return true;
    struct stack *stack = arena_new(&plan->arena, struct stack, plan->stacks.n);
    if (!stack)
        return arena_full(&plan->arena, err);
    if (!planned_load(record, &scratch, STR(""), &row, &nrows, err))
        return false;
    for (size_t i = 0; i < plan->stacks.n; i++) {
        const struct stack *one = &plan->stacks.stack[i];
        if (one->absent && !is_known(row, nrows, one->name))
            continue;
        stack[n] = *one;
        plan->set[n++] = plan->set[i];
    }
    plan->stacks.stack = stack;
    plan->stacks.n = n;
    return true;
}

static int by_name(const void *key, const void *element)
{
    const struct str *name = key;
    const struct stack *stack = element;
    return str_compare(*name, stack->name);
}

size_t plan_find(const struct plan *plan, struct str stack)
{
    const struct stack *found = plan->stacks.n ? bsearch(&stack, plan->stacks.stack, plan->stacks.n,
                                                         sizeof *plan->stacks.stack, by_name)
                                               : NULL;
    return found ? (size_t)(found - plan->stacks.stack) : SIZE_MAX;
}

/* --- into the store --- */

struct writing {
    const struct plan *plan;
    struct record *record;
    struct arena *arena;
    int64_t now;
    struct planned *known; /* of the store, by stack and tier */
    size_t nknown;
    bool *used;          /* of known */
    struct planned *row; /* to be written */
    size_t n, room;
    struct str *stack; /* whose due time is to be made anew */
    size_t nstacks, stacks_room;
    struct retire_ask home;
    struct retire_todo todo;
};

static int by_tier(const void *a, const void *b)
{
    const struct planned *x = a, *y = b;
    int order = str_compare(x->stack, y->stack);
    return order ? order : str_compare(x->tier, y->tier);
}

static bool touch_stack(struct writing *w, struct str stack, struct err *err)
{
    if (w->nstacks && str_equal(w->stack[w->nstacks - 1], stack))
        return true;
    struct str *grown = arena_grow(w->arena, w->stack, w->nstacks, &w->stacks_room, w->nstacks + 1);
    if (!grown)
        return arena_full(w->arena, err);
    w->stack = grown;
    w->stack[w->nstacks++] = stack;
    return true;
}

static bool add_row(struct writing *w, const struct planned *row, struct err *err)
{
    struct planned *grown = arena_grow(w->arena, w->row, w->n, &w->room, w->n + 1);
    if (!grown)
        return arena_full(w->arena, err);
    w->row = grown;
    w->row[w->n++] = *row;
    return touch_stack(w, row->stack, err);
}

/* When the whole stack was compared last, by whomever; 0 = never. */
static int64_t last_complete(struct writing *w, struct str stack)
{
    const struct db_value param = DB_PARAM_TEXT(stack);
    int64_t at = 0;
    (void)db_one_int(w->record->db, "SELECT complete_utc_ms FROM stack WHERE name = $1", &param, 1,
                     &at, NULL);
    return at;
}

/* Of a schedule that is new the first scan is due at once, or as if it had been there at the last
 * one. A time that is later than the schedule's next one is one of before the clock jumped. */
static bool plan_tier(struct writing *w, struct str stack, const struct schedule_tier *tier,
                      struct err *err)
{
    struct planned row = {
        .stack = stack, .tier = tier->name, .spec = schedule_tier_spec(w->arena, tier)};
    struct planned *known =
        w->nknown ? bsearch(&row, w->known, w->nknown, sizeof row, by_tier) : NULL;
    int64_t next = schedule_next(&tier->schedule, stack, w->now);
    if (!row.spec.ptr)
        return arena_full(w->arena, err);
    if (tier->schedule.kind == SCHEDULE_NONE)
        next = SCHEDULE_NEVER;
    bool first = !known || known->next_utc_ms == SCHEDULE_NEVER; /* that it has a schedule */
    if (known) {
        struct str spec = row.spec;
        w->used[known - w->known] = true;
        row = *known;
        row.spec = spec;
    }
    if (first && next != SCHEDULE_NEVER) {
        int64_t before = tier->name.len ? 0 : last_complete(w, stack);
        row.next_utc_ms = before ? schedule_next(&tier->schedule, stack, before) : w->now;
        if (row.next_utc_ms > next)
            row.next_utc_ms = next;
    } else if (first || (str_equal(known->spec, row.spec) ? next < row.next_utc_ms
                                                          : known->next_utc_ms > w->now)) {
        row.next_utc_ms = next;
    }
    if (known && str_equal(known->spec, row.spec) && row.next_utc_ms == known->next_utc_ms)
        return true;
    return add_row(w, &row, err);
}

static bool compare(struct writing *w, struct err *err)
{
    for (size_t i = 0; i < w->plan->stacks.n; i++) {
        const struct schedule_set *set = &w->plan->set[i];
        for (size_t k = 0; k < set->n; k++)
            if (!plan_tier(w, w->plan->stacks.stack[i].name, &set->tiers[k], err))
                return false;
    }
    return true;
}

/* Tiers that are no more; and stacks that nobody has scanned for long: they are nobody's. */
static bool drop_old(struct writing *w, struct err *err)
{
    for (size_t i = 0; i < w->nknown; i++) {
        const struct planned *row = &w->known[i];
        bool ours = plan_find(w->plan, row->stack) != SIZE_MAX;
        if (w->used[i] || (!ours && row->next_utc_ms > w->now - forgotten_ms))
            continue;
        if (ours ? !planned_drop(w->record, row, err) || !lease_make(w->record, row->stack, err)
                 : !retire_stack(w->record, row->stack, err))
            return false;
    }
    return true;
}

static bool any_old(const struct writing *w)
{
    for (size_t i = 0; i < w->nknown; i++)
        if (!w->used[i] && (plan_find(w->plan, w->known[i].stack) != SIZE_MAX ||
                            w->known[i].next_utc_ms <= w->now - forgotten_ms))
            return true;
    return false;
}

/* What the store has, against what it should have. */
static bool read_and_compare(struct writing *w, struct err *err)
{
    w->n = w->nstacks = 0;
    if (!lease_now(w->record, &w->now, err) ||
        !planned_load(w->record, w->arena, STR(""), &w->known, &w->nknown, err))
        return false;
    w->used = arena_new(w->arena, bool, w->nknown);
    if (!w->used)
        return arena_full(w->arena, err);
    w->home.now_utc_ms = w->now;
    if (!retire_look(w->record, w->arena, &w->home, &w->todo, err))
        return false;
    if (w->nknown > 1)
        qsort(w->known, w->nknown, sizeof *w->known, by_tier);
    return compare(w, err);
}

/* Anew: another service may have been faster, and have scanned meanwhile. */
static bool write_in(struct writing *w, struct err *err)
{
    if (!read_and_compare(w, err) || !planned_store(w->record, w->row, w->n, err) ||
        !retire_do(w->record, &w->home, &w->todo, err))
        return false;
    for (size_t i = 0; i < w->nstacks; i++)
        if (!lease_make(w->record, w->stack[i], err))
            return false;
    return drop_old(w, err);
}

/* What the services that read this plumb.yaml call it: the branch that it comes from, or its place;
 * on a store that several machines share, with the machine. */
static struct str name_home(struct arena *arena, const struct server *server,
                            const struct record *record)
{
    const struct feed_code *code = &server->options.code;
    struct str path = server->options.config->path;
    char room[PATH_MAX], host[64] = "";
    if (code->folder.len)
        return arena_printf(arena, "%.*s#%.*s:%.*s", STR_ARG(git_shown_url(arena, code->url)),
                            STR_ARG(code->branch),
                            STR_ARG(str_sub(path, code->folder.len, path.len)));
    if (db_kind(record->db) != DB_SQLITE)
        (void)gethostname(host, sizeof host - 1);
    struct str ended = arena_dup(arena, path);
    bool real = ended.ptr && realpath(ended.ptr, room);
    return arena_printf(arena, "%s:%.*s", host, STR_ARG(real ? str_from(room) : path));
}

bool plan_write(const struct plan *plan, const struct server *server, struct record *record,
                struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    const struct server_options *o = &server->options;
    if (!o->config || !o->config->path.len)
        return true; /* it plans nothing, and whatever is planned is another's */
    struct writing w = {
        .plan = plan,
        .record = record,
        .arena = &arena,
        .home = {.home = name_home(&arena, server, record),
                 .config = o->config_digest.len ? o->config_digest : STR("none"),
                 .whole = o->ncodes == 1, /* of several clones one may not be there yet */
                 .stack = plan->stacks.stack,
                 .n = plan->stacks.n}};
    if (!w.home.home.ptr)
        return arena_full(&arena, err);
    if (!read_and_compare(&w, err))
        return false;
    if (!w.n && !w.todo.n && !any_old(&w))
        return true;
    if (!db_begin(record->db, DB_WRITE, err))
        return false;
    if (write_in(&w, err) && db_commit(record->db, err))
        return true;
    db_rollback(record->db);
    return err_wrap(err, "plan scans");
}
