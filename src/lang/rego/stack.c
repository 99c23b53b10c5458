/* stack.c - going on with an evaluation on a stack of its own, where the one at hand runs out.
 *
 * Rules may need each other in chains as long as a policy likes, and each link is some calls deep.
 * The rest of the way runs in a thread while this one waits for it: a fresh stack, for which
 * nothing has to be told to debuggers and sanitizers.
 */
#include <pthread.h>

#include "lang/rego/machine.h"

/* What lies below the mark is for walks that do not look at it: comparing and printing values, as
 * deep as they may be. Memory is taken as it is touched. */
enum { STACK_FIRST = 2 << 20, STACK_SIZE = 16 << 20, STACK_KEPT = 10 << 20 };

struct going_on {
    struct rego_machine *m;
    rego_run_fn *run;
    void *ctx;
    enum rego_flow flow;
};

static uintptr_t below(size_t n)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    return here > n ? here - n : 0;
}

void rego_stack_start(struct rego_machine *m)
{
    m->stack_mark = below(STACK_FIRST);
}

static void *go_on(void *arg)
{
    struct going_on *g = arg;
    g->m->stack_mark = below(STACK_SIZE - STACK_KEPT);
    g->flow = g->run(g->m, g->ctx);
    return NULL;
}

enum rego_flow rego_on_new_stack(struct rego_machine *m, rego_run_fn *run, void *ctx)
{
    struct going_on g = {.m = m, .run = run, .ctx = ctx, .flow = REGO_BAD};
    uintptr_t mark = m->stack_mark;
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0)
        return rego_no_memory(m);
    bool ok = pthread_attr_setstacksize(&attr, STACK_SIZE) == 0 &&
              pthread_create(&thread, &attr, go_on, &g) == 0;
    (void)pthread_attr_destroy(&attr);
    if (!ok)
        return rego_error(m, "eval_cancel_error", NULL, (struct rego_place){0},
                          "the rules are nested too deep: there is no stack for more");
    (void)pthread_join(thread, NULL);
    m->stack_mark = mark;
    return g.flow;
}
