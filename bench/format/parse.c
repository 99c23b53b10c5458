/* parse.c - what the parser of HCL alone needs for the given files: seconds of CPU and bytes read.
 *
 * usage: parse ROUNDS FILE...    prints: seconds_of_the_best_round bytes
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "lang/hcl/hcl.h"

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct arena texts = {.limit = (size_t)4 << 30}, arena = {.limit = (size_t)4 << 30};
    struct err err = {0};
    struct str *text = calloc((size_t)argc, sizeof *text);
    size_t n = 0, bytes = 0;
    double best = 1e9;
    for (int i = 2; i < argc; i++) {
        if (!text || !io_read_file(&texts, argv[i], HCL_SIZE_MAX, &text[n], &err))
            return 1;
        bytes += text[n++].len;
    }
    for (int round = 0; argc > 2 && round < atoi(argv[1]); round++) {
        double start = cpu_seconds();
        for (size_t i = 0; i < n; i++) {
            struct hcl_diags diags = {.arena = &arena};
            struct hcl_file file;
            if (!hcl_parse_file(&arena, text[i], STR("x"), &diags, &file, &err) ||
                hcl_has_errors(&diags))
                return 1;
            arena_reset(&arena);
        }
        double took = cpu_seconds() - start;
        best = took < best ? took : best;
    }
    printf("%.4f %zu\n", best, bytes);
    return 0;
}
