/* budget.h - how fast what is live is asked, by all scans of a process together: so that scans
 * leave a share of what a provider's other side allows to those who apply.
 *
 * Counts:  calls of a provider that may ask the other side (reads, plans, upgrades, imports,
 *          configuring, probes), as they are made; what one makes of it on the wire is its own
 * Shape:   `budgets:` of plumb.yaml, each with its share taken: a bucket of tokens that holds a
 *          second's worth, and a number of reads at once. The first row that fits a provider's
 *          configuration counts; configurations that the same row fits share it
 * Order:   a read begins when there is a token for its first call; those that follow take theirs
 *          at once, into debt where there is none, which the next reads wait for
 * Threads: any; opened and closed by one
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct budget;
struct budgets;
struct config_budget;
struct err;
struct value;

enum { BUDGET_SHARE_DEFAULT = 50 };

/* rows outlive it. n 0: nothing is bounded. */
bool budgets_open(const struct config_budget *rows, size_t n, struct budgets **ret,
                  struct err *err);
void budgets_close(struct budgets *budgets); /* NULL is fine */
/* source: HOST/NAMESPACE/TYPE; alias may be empty; settings: what the provider is configured with.
 * NULL: no bound. */
struct budget *budgets_find(struct budgets *budgets, struct str source, struct str alias,
                            const struct value *settings);

/* 0: one more read may begin: it has a token for its first call, and counts until budget_done.
 * Else: not within so many ms. */
int budget_take(struct budget *budget, int64_t now_us);
/* A call is made. NULL is fine. */
void budget_spend(struct budget *budget);
/* n reads are over. */
void budget_done(struct budget *budget, size_t n);

/* What a row came to since it was asked last. */
struct budget_tally {
    struct str provider, settings; /* the row's globs; empty = any */
    double rate;                   /* calls a second that scans may make; 0 = no bound */
    uint64_t calls, waits;         /* waits: how often a read was not begun at once */
};
size_t budgets_count(const struct budgets *budgets);
void budgets_tally(struct budgets *budgets, size_t i, struct budget_tally *ret);
