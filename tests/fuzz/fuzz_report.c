/* fuzz_report.c - two values (or two raw texts) as changes of a finding, through every format. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "report/report.h"
#include "value/value.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input up to its first NUL, and what follows: JSON where it is that, else a string. */
static void read_two(struct arena *arena, struct str text, struct value v[2], struct str part[2])
{
    (void)str_cut(&text, '\0', &part[0]);
    part[1] = text;
    for (int i = 0; i < 2; i++)
        if (!json_parse(arena, part[i], "fuzz", JSON_DUPLICATES_LAST, &v[i], NULL))
            v[i] = value_string(part[i]);
}

/* Whole characters, and none that steers a terminal; JSON may hold what it escapes not: C1. */
static void check(struct str out)
{
    bool machine = out.len && (out.ptr[0] == '{' || out.ptr[0] == '[');
    if (utf8_bad_at(out) != SIZE_MAX)
        abort();
    for (size_t at = 0; at < out.len;) {
        uint32_t c = utf8_next(out, &at);
        if ((c < 0x20 && c != '\n' && c != '\t') || (!machine && c >= 0x7f && c < 0xa0))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct value v[2];
    struct str part[2];
    read_two(&arena, (struct str){(const char *)data, size}, v, part);
    const struct commit commit = {part[0], part[1], part[0], part[1], (int64_t)size << 40, true};
    const struct explanation explained[] = {{EXPLAINED_BY_BRANCH, part[1], commit},
                                            {.kind = EXPLAINED_BY_EARLIER, .commit = commit}};
    const struct origin_step chain[] = {{part[0], part[1], {part[0], 1, (uint32_t)size, 2, 3}},
                                        {part[1], part[0], {part[1], (uint32_t)size, 1, 0, 0}}};
    const struct origin origin = {chain[0].at, part[1], chain,     2, part[0],
                                  &commit,     part[1], explained, 2};
    const struct revision revision = {.repository = part[0],
                                      .has_remote = true,
                                      .commit = part[1],
                                      .branch = part[0],
                                      .dirty = true,
                                      .shallow = true};
    struct change changes[] = {
        {.path = STR("both"),
         .before = &v[0],
         .after = &v[1],
         .configurable = true,
         .origin = &origin},
        {.path = part[0], .before = &v[0], .configurable = true},
        {.path = STR("after"), .after = &v[1], .ignored_by = part[1]},
    };
    struct unchecked_reason reason = {part[1], 1};
    struct finding finding = {.fingerprint = "00112233445566778899aabbccddeeff",
                              .severity = SEVERITY_HIGH,
                              .address = part[0],
                              .type = part[1],
                              .reason = part[1],
                              .origin = &origin,
                              .remedy = part[1],
                              .changes = changes,
                              .nchanges = sizeof changes / sizeof *changes};
    struct stack_result stack = {.name = part[0],
                                 .path = part[0],
                                 .findings = &finding,
                                 .nfindings = 1,
                                 .notes = part,
                                 .nnotes = 2,
                                 .revision = &revision,
                                 .failed = size % 2 ? part[1] : STR(""),
                                 .coverage = {.reasons = &reason, .nreasons = 1, .unchecked = 1}};
    struct scan_result result = {&stack, 1};
    struct report_options options = {.show_ignored = size % 3 == 0, .explain = size % 5 == 0};
    size_t n;
    const struct format *const *formats = report_formats(&n);
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF out = {.limit = 64 << 20};
        if (formats[i]->write(&out, &result, &options, NULL))
            check(buf_view(&out));
    }
    return 0;
}
