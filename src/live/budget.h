/* budget.h - how fast what is live is asked, by all scans of a process together: so that scans
 * leave a share of what a provider's other side allows to those who apply.
 *
 * Counts:  reads of resources; one may be several requests on the wire
 * Shape:   `budgets:` of plumb.yaml, each with its share taken: a bucket of tokens that holds a
 *          second's worth, and a number of reads at once. The first row that fits a provider's
 *          configuration counts; configurations that the same row fits share it
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

/* 0: one more may be asked, and counts until budget_done. Else: not within so many ms. */
int budget_take(struct budget *budget, int64_t now_us);
/* n of them are over. */
void budget_done(struct budget *budget, size_t n);
