/* test_caches.c - what threads keep and find at once: found whole, under its own key, closed once.
 */
#include "base/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "lang/rego/caches.h"

enum { THREADS = 4, KEYS = 300, ROUNDS = 20 };

struct counts {
    atomic_int made, closed;
};
struct thing {
    int key;
    struct counts *counts;
};
struct worker {
    struct rego_shared *shared;
    struct counts *counts;
    int first;
    bool ok;
};

static void close_thing(void *object)
{
    struct thing *thing = object;
    atomic_fetch_add(&thing->counts->closed, 1);
    free(thing);
}

static bool find_or_make(const struct worker *w, struct rego_caches *caches, const char *kind,
                         int key)
{
    char text[16];
    int len = snprintf(text, sizeof text, "key %d", key);
    struct str name = {text, (size_t)len};
    const struct thing *found = rego_cache_find(caches, kind, name);
    if (found)
        return found->key == (kind[0] == 'a' ? key : -key);
    struct thing *made = malloc(sizeof *made);
    assert_non_null(made);
    *made = (struct thing){kind[0] == 'a' ? key : -key, w->counts};
    atomic_fetch_add(&w->counts->made, 1);
    if (!rego_cache_keep(caches, kind, name, made, close_thing)) {
        close_thing(made);
        return false;
    }
    found = rego_cache_find(caches, kind, name);
    return found && found->key == made->key;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    w->ok = true;
    for (int round = 0; round < ROUNDS; round++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct rego_caches *caches = rego_caches_open(&arena, w->shared);
        for (int i = 0; caches && i < KEYS; i++) {
            int key = (w->first + i) % KEYS;
            w->ok &= find_or_make(w, caches, "a", key) && find_or_make(w, caches, "b", key);
        }
        w->ok &= caches != NULL;
        rego_caches_close(caches);
    }
    return NULL;
}

static void threads_find_what_others_kept(void **state)
{
    (void)state;
    struct counts counts = {0};
    struct worker worker[THREADS];
    pthread_t thread[THREADS];
    struct rego_shared *shared = rego_shared_open();
    assert_non_null(shared);
    for (int i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){shared, &counts, i * 7, false};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_true(worker[i].ok);
    }
    /* Some are the policy's, and stay; they alone are still open. */
    int left = counts.made - counts.closed;
    print_message("%d made, %d left\n", counts.made, left);
    assert_in_range(left, 1, KEYS);
    rego_shared_close(shared);
    assert_int_equal(counts.made, counts.closed);
}

static void long_texts_are_the_evaluations(void **state)
{
    (void)state;
    struct counts counts = {0};
    AUTO_ARENA arena = {.limit = 1 << 20};
    static const char text[1000] = {0};
    struct rego_shared *shared = rego_shared_open();
    struct rego_caches *caches = rego_caches_open(&arena, shared),
                       *other = rego_caches_open(&arena, shared);
    struct thing *thing = malloc(sizeof *thing);
    assert_non_null(thing);
    *thing = (struct thing){1, &counts};
    assert_true(rego_cache_keep(caches, "a", (struct str){text, sizeof text}, thing, close_thing));
    assert_ptr_equal(rego_cache_find(caches, "a", (struct str){text, sizeof text}), thing);
    assert_null(rego_cache_find(other, "a", (struct str){text, sizeof text}));
    rego_caches_close(caches);
    assert_int_equal(counts.closed, 1);
    rego_caches_close(other);
    rego_shared_close(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_find_what_others_kept),
        cmocka_unit_test(long_texts_are_the_evaluations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
