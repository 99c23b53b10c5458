/* budget.c - buckets of tokens. */
#include "live/budget.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/glob.h"
#include "model/config.h"
#include "value/value.h"

enum { LOOK_MS = 20 /* is a place free? */, DEPTH_MAX = 4, PER_CENT = 100 };
static const double second_us = 1e6;

struct budget {
    const struct config_budget *row;
    pthread_mutex_t lock;
    double rate, tokens; /* a second; 0 = no bound */
    int64_t at_us;       /* when the tokens were counted last; 0 = never */
    size_t most, busy;   /* at once; 0 = no bound */
    size_t prepaid;      /* tokens of reads that have begun, for calls that were not made yet */
    uint64_t calls, waits;
};
struct budgets {
    size_t n;
    struct budget budget[];
};

bool budgets_open(const struct config_budget *rows, size_t n, struct budgets **ret, struct err *err)
{
    struct budgets *all = calloc(1, sizeof *all + n * sizeof *all->budget);
    if (!all)
        return err_set(err, ERR_LIMIT, "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct budget *b = &all->budget[i];
        int64_t share = rows[i].share ? rows[i].share : BUDGET_SHARE_DEFAULT;
        b->row = &rows[i];
        b->rate = (double)rows[i].requests * (double)share / PER_CENT;
        if (rows[i].concurrent)
            b->most = (size_t)((rows[i].concurrent * share + PER_CENT - 1) / PER_CENT);
        (void)pthread_mutex_init(&b->lock, NULL);
    }
    all->n = n;
    *ret = all;
    return true;
}

void budgets_close(struct budgets *budgets)
{
    for (size_t i = 0; budgets && i < budgets->n; i++)
        (void)pthread_mutex_destroy(&budgets->budget[i].lock);
    free(budgets);
}

/* "aws", "hashicorp/aws", the whole source; with ".alias" or without. */
static bool is_named(struct str glob, struct str source, struct str alias)
{
    char text[300];
    for (struct str rest = source; rest.len;) {
        size_t slash = str_find_char(rest, '/', 0);
        if (glob_match(glob, rest, '\0'))
            return true;
        if (alias.len && rest.len + alias.len + 1 < sizeof text) {
            size_t n = 0;
            for (size_t i = 0; i < rest.len; i++)
                text[n++] = rest.ptr[i];
            text[n++] = '.';
            for (size_t i = 0; i < alias.len; i++)
                text[n++] = alias.ptr[i];
            if (glob_match(glob, (struct str){text, n}, '\0'))
                return true;
        }
        rest = slash == SIZE_MAX ? STR("") : str_sub(rest, slash + 1, rest.len);
    }
    return false;
}

static bool has_text(struct str glob, const struct value *v, unsigned depth_left)
{
    if (value_is_string(v))
        return glob_match(glob, value_text(v), '\0');
    if (!depth_left)
        return false;
    if (value_is_object_like(v))
        for (size_t i = 0; i < v->len; i++)
            if (has_text(glob, &v->members[i].value, depth_left - 1))
                return true;
    if (value_is_list_like(v))
        for (size_t i = 0; i < v->len; i++)
            if (has_text(glob, &v->items[i], depth_left - 1))
                return true;
    return false;
}

struct budget *budgets_find(struct budgets *budgets, struct str source, struct str alias,
                            const struct value *settings)
{
    for (size_t i = 0; budgets && i < budgets->n; i++) {
        struct budget *b = &budgets->budget[i];
        if ((!b->row->provider.len || is_named(b->row->provider, source, alias)) &&
            (!b->row->settings.len || has_text(b->row->settings, settings, DEPTH_MAX)))
            return b->rate > 0 || b->most ? b : NULL;
    }
    return NULL;
}

/* The bucket holds a second's worth, at least one. */
static void fill(struct budget *b, int64_t now_us)
{
    double room = b->rate > 1 ? b->rate : 1;
    double more = (double)(now_us - b->at_us) * b->rate / second_us;
    if (!b->at_us || b->tokens + more > room)
        b->tokens = room;
    else if (more > 0)
        b->tokens += more;
    if (!b->at_us || now_us > b->at_us)
        b->at_us = now_us;
}

int budget_take(struct budget *b, int64_t now_us)
{
    int wait = 0;
    (void)pthread_mutex_lock(&b->lock);
    if (b->rate > 0)
        fill(b, now_us);
    if (b->most && b->busy >= b->most)
        wait = LOOK_MS;
    else if (b->rate > 0 && b->tokens < 1)
        wait = 1 + (int)((1 - b->tokens) / b->rate * 1000);
    if (wait == 0) {
        b->busy++;
        b->tokens -= b->rate > 0 ? 1 : 0;
        b->prepaid += b->rate > 0 ? 1 : 0;
    }
    b->waits += wait != 0;
    (void)pthread_mutex_unlock(&b->lock);
    return wait;
}

void budget_spend(struct budget *b)
{
    if (!b)
        return;
    (void)pthread_mutex_lock(&b->lock);
    b->calls++;
    if (b->prepaid)
        b->prepaid--;
    else if (b->rate > 0)
        b->tokens -= 1;
    (void)pthread_mutex_unlock(&b->lock);
}

size_t budgets_count(const struct budgets *budgets)
{
    return budgets ? budgets->n : 0;
}

void budgets_tally(struct budgets *budgets, size_t i, struct budget_tally *ret)
{
    struct budget *b = &budgets->budget[i];
    (void)pthread_mutex_lock(&b->lock);
    *ret = (struct budget_tally){b->row->provider, b->row->settings, b->rate, b->calls, b->waits};
    b->calls = b->waits = 0;
    (void)pthread_mutex_unlock(&b->lock);
}

void budget_done(struct budget *b, size_t n)
{
    (void)pthread_mutex_lock(&b->lock);
    b->busy -= n < b->busy ? n : b->busy;
    (void)pthread_mutex_unlock(&b->lock);
}
