/* test_progress.c - when a line comes, and what it says. */
#include "base/test.h"

#include <stdlib.h>
#include <string.h>

#include "cli/progress.h"

static int64_t now; /* the tests' own clock */

static int64_t test_clock(void)
{
    return now;
}

static char *lines_of(bool terminal, size_t nstacks)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct progress progress;
    assert_non_null(out);
    now = 5000;
    progress_open(&progress, out, terminal, test_clock);
    progress_stack(&progress, STR("infra/prod"), 1, nstacks);
    progress_report(&progress, 10, 400, STR("aws"));
    now += 2000;
    progress_report(&progress, 100, 400, STR("aws"));
    now += 50;
    progress_report(&progress, 101, 400, STR("aws"));
    now += 9950;
    progress_report(&progress, 300, 400, STR(""));
    progress_close(&progress);
    (void)fclose(out);
    return text;
}

static void plain_lines_every_ten_seconds(void **state)
{
    (void)state;
    char *text = lines_of(false, 3);
    assert_string_equal(text, "[1/3] infra/prod: 100/400 resources, 50/s, aws, 6 s to go\n"
                              "[1/3] infra/prod: 300/400 resources, 25/s, 4 s to go\n");
    free(text);
}

static void a_terminal_line_is_drawn_again_and_taken_away(void **state)
{
    (void)state;
    char *text = lines_of(true, 1);
    assert_string_equal(text, "infra/prod: 100/400 resources, 50/s, aws, 6 s to go"
                              "\r\033[Kinfra/prod: 300/400 resources, 25/s, 4 s to go"
                              "\r\033[K");
    free(text);
}

static void silent_without_a_stream(void **state)
{
    (void)state;
    struct progress progress;
    now = 1;
    progress_open(&progress, NULL, true, test_clock);
    now += 100000;
    progress_report(&progress, 1, 2, STR("x"));
    progress_close(&progress);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines_every_ten_seconds),
        cmocka_unit_test(a_terminal_line_is_drawn_again_and_taken_away),
        cmocka_unit_test(silent_without_a_stream),
    };
    return cmocka_run_group_tests_name("cli/progress", tests, NULL, NULL);
}
