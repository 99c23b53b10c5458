/* test_feed_files.c - which files of a stack's folder are code, and which change by themselves. */
#include "base/test.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "model/stack.h"
#include "serve/feeds_parts.h"

static const struct watch_target *folder_of(const struct feed_targets *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->item[i].what == FEED_CODE && list->item[i].target.kind == WATCH_FOLDER)
            return &list->item[i].target;
    return NULL;
}

static void what_a_scan_writes_is_no_code(void **state)
{
    static const char *const code[] = {"main.tf", "x.tftpl", "data.json", ".terraform.lock.hcl"};
    static const char *const noise[] = {"plumb.db",
                                        "plumb.db-wal",
                                        "plumb.db-shm",
                                        "plumb.db-journal",
                                        "store.sqlite",
                                        "store.sqlite-journal",
                                        "plumb.db.audit.key.signed",
                                        "serve.log",
                                        "main.tf~",
                                        ".main.tf.swp",
                                        "terraform.tfstate",
                                        "4913"};
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct err err = {0};
    struct feed_targets list = {0};
    char dir[] = "/tmp/plumb-files-XXXXXX";
    (void)state;
    assert_non_null(mkdtemp(dir));
    struct str file = io_join(&arena, str_from(dir), STR("main.tf"));
    assert_true(io_write_file_atomic(file.ptr, STR("locals {}\n"), 0600, &err));
    const struct stack stack = {.name = STR("s"), .path = str_from(dir)};
    assert_true(feed_files_of_stack(&arena, &stack, STR("/tmp"), &list, &err));
    const struct watch_target *folder = folder_of(&list);
    assert_non_null(folder);
    for (size_t i = 0; i < sizeof code / sizeof *code; i++)
        if (!folder->wanted(str_from(code[i])))
            fail_msg("%s is code", code[i]);
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++)
        if (folder->wanted(str_from(noise[i])))
            fail_msg("%s is no code", noise[i]);
    (void)unlink(file.ptr);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_a_scan_writes_is_no_code)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
