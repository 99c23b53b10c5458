/* fuzz_rule.c - rule files, their tests and waivers on anything; what can be read judges values.
 *
 * Input: a YAML text, then after a NUL byte a JSON document of values (without one: {})
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/input.h"
#include "policy/rule_tests.h"
#include "policy/waiver.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { JUDGED_MAX = 8 };

/* The value of each fifth member becomes unknown, of each seventh a secret. */
static void mark(struct value *v, unsigned *n, unsigned depth_left)
{
    (*n)++;
    if (*n % 7 == 0)
        v->marks = VALUE_SENSITIVE;
    if (*n % 5 == 0)
        *v = value_unknown(NULL);
    if (!depth_left)
        return;
    for (size_t i = 0; value_is_list_like(v) && i < v->len; i++)
        mark((struct value *)(uintptr_t)&v->items[i], n, depth_left - 1);
    for (size_t i = 0; value_is_object_like(v) && i < v->len; i++)
        mark((struct value *)(uintptr_t)&v->members[i].value, n, depth_left - 1);
}

static void judge(struct arena *arena, const struct rules *rules, const struct value *values)
{
    struct err err = {0};
    struct rule_counts counts;
    struct value doc;
    struct rule_subject s = {.kind = SUBJECT_FINDING, .values = values, .type = STR("t")};
    if (!rule_counts_init(&counts, arena, rules, &err) || !input_make(arena, &s, &doc, &err))
        return;
    for (size_t i = 0; i < rules->n && i < JUDGED_MAX; i++) {
        struct rule_result result;
        const struct rule *rule = &rules->rule[i];
        if (!rule_judge(rule, arena, &s, &counts.rule[i], &result, &err)) {
            if (err.kind != ERR_LIMIT)
                abort();
            return;
        }
        if (result.outcome != RULE_NO_MATCH && (!result.nwhy || result.nwhy > RULE_WHY_MAX) &&
            result.outcome != RULE_MATCH) /* `every` over nothing holds without a reason */
            abort();
        for (size_t k = 0; k < rule->npaths; k++)
            if (counts.rule[i].path[k].had && !counts.rule[i].path[k].read)
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct rules rules = {0};
    struct rule_tests tests = {0};
    struct waivers waivers = {0};
    struct rule_problems problems = {.arena = &arena};
    struct err err = {0};
    struct value values = {.kind = VALUE_OBJECT};
    struct str text = {(const char *)data, size}, yaml;
    unsigned n = 0;
    if (str_cut(&text, '\0', &yaml) &&
        json_parse(&arena, text, "values", JSON_DUPLICATES_LAST, &values, NULL))
        mark(&values, &n, VALUE_DEPTH_MAX);
    bool ok = rules_read(&rules, &arena, yaml, STR("r.yaml"), STR("p"), &problems, &err);
    if (ok != (err.kind == ERR_NONE) || (ok && problems.n))
        abort();
    for (size_t i = 0; i < problems.n; i++)
        if (!problems.item[i].at.line || !problems.item[i].text.len)
            abort();
    if (ok)
        judge(&arena, &rules, &values);
    struct err why = {0};
    if (rule_tests_read(&tests, &arena, &rules, yaml, STR("r_test.yaml"), &problems, &why))
        for (size_t i = 0; ok && i < tests.n && i < JUDGED_MAX; i++)
            (void)rule_test_run(&tests.test[i], &arena, &why);
    (void)waivers_read(&waivers, &arena, yaml, STR("w.yaml"), &problems, &why);
    rules_close(&rules);
    return 0;
}
