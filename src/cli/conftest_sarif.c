/* conftest_sarif.c - results as SARIF with conftest's rules: NAMESPACE/deny, warn, allow, success
 * and skip.
 *
 * Source: OASIS SARIF 2.1.0; facts/rego.md 12
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/conftest_output.h"
#include "policy/plain.h"
#include "wire/json.h"

/* As Go's encoder escapes them. */
static void put_text(struct jsonw *w, struct str key, struct str text)
{
    struct value v = value_string(text);
    jsonw_key(w, key);
    policy_json_value(w, &v);
}

enum kind { DENY, WARN, ALLOW, SUCCESS, SKIP, KINDS };
static const struct {
    const char *name, *level, *text;
} kinds[KINDS] = {
    [DENY] = {"deny", "error", "Policy violation"},
    [WARN] = {"warn", "warning", "Policy warning"},
    [ALLOW] = {"allow", "note", "Policy exception"},
    [SUCCESS] = {"success", "none", "Policy was satisfied successfully"},
    [SKIP] = {"skip", "none", "Policy check was skipped"},
};

struct entry { /* a result, in the order of the report */
    const struct conftest_check *check;
    const struct conftest_item *item; /* NULL: of the whole check */
    enum kind kind;
    size_t rule; /* index among the rules */
};
struct report {
    struct arena arena;
    struct entry *entry;
    size_t n, room;
    size_t *rule; /* the entry that a rule was first seen in */
    size_t nrules, rule_room;
    bool failed;
};

static void add(struct report *r, const struct conftest_check *c, const struct conftest_item *item,
                enum kind kind)
{
    size_t at = 0;
    while (at < r->nrules && (r->entry[r->rule[at]].kind != kind ||
                              !str_equal(r->entry[r->rule[at]].check->space, c->space)))
        at++;
    struct entry *grown = arena_grow(&r->arena, r->entry, r->n, &r->room, r->n + 1);
    size_t *rules = arena_grow(&r->arena, r->rule, r->nrules, &r->rule_room, r->nrules + 1);
    r->failed = r->failed || !grown || !rules;
    if (r->failed)
        return;
    r->entry = grown;
    r->rule = rules;
    if (at == r->nrules)
        rules[r->nrules++] = r->n;
    grown[r->n++] = (struct entry){c, item, kind, at};
}

static void collect(struct report *r, const struct conftest_results *results)
{
    for (size_t i = 0; i < results->n && !r->failed; i++) {
        const struct conftest_check *c = &results->check[i];
        const struct conftest_items *lists[] = {&c->failures, &c->warnings, &c->exceptions};
        for (size_t k = 0; k < 3; k++)
            for (size_t j = 0; j < lists[k]->n; j++)
                add(r, c, &lists[k]->item[j], (enum kind)k);
        if (!c->failures.n && !c->warnings.n)
            add(r, c, NULL, c->successes || c->exceptions.n ? SUCCESS : SKIP);
    }
}

static void put_rule(struct jsonw *w, const struct entry *e)
{
    AUTO_BUF id = {.limit = 1 << 16};
    buf_printf(&id, "%.*s/%s", STR_ARG(e->check->space), kinds[e->kind].name);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("id"), buf_view(&id));
    jsonw_key(w, STR("shortDescription"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("text"), str_from(kinds[e->kind].text));
    jsonw_object_close(w);
    bool properties = !e->item || e->item->query.len || e->item->metadata.kind == VALUE_OBJECT;
    if (properties)
        jsonw_key(w, STR("properties"));
    if (properties && e->item)
        conftest_write_metadata(w, e->item);
    if (!e->item) {
        jsonw_object_open(w);
        jsonw_member_string(w, STR("description"), str_from(kinds[e->kind].text));
        jsonw_object_close(w);
    }
    jsonw_object_close(w);
}

static void put_place(struct jsonw *w, const struct entry *e)
{
    bool own = e->item && e->item->file.len;
    jsonw_key(w, STR("locations"));
    jsonw_array_open(w);
    jsonw_object_open(w);
    jsonw_key(w, STR("physicalLocation"));
    jsonw_object_open(w);
    jsonw_key(w, STR("artifactLocation"));
    jsonw_object_open(w);
    put_text(w, STR("uri"), own ? e->item->file : e->check->file);
    jsonw_object_close(w);
    if (own) {
        jsonw_key(w, STR("region"));
        jsonw_object_open(w);
        jsonw_member_int(w, STR("startLine"), e->item->line);
        jsonw_member_int(w, STR("endLine"), e->item->line);
        jsonw_object_close(w);
    }
    jsonw_object_close(w);
    jsonw_object_close(w);
    jsonw_array_close(w);
}

static void put_result(struct jsonw *w, const struct entry *e)
{
    AUTO_BUF id = {.limit = 1 << 16};
    buf_printf(&id, "%.*s/%s", STR_ARG(e->check->space), kinds[e->kind].name);
    jsonw_object_open(w);
    jsonw_member_string(w, STR("ruleId"), buf_view(&id));
    jsonw_member_int(w, STR("ruleIndex"), (int64_t)e->rule);
    jsonw_member_string(w, STR("level"), str_from(kinds[e->kind].level));
    jsonw_key(w, STR("message"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("text"), e->item ? e->item->message : str_from(kinds[e->kind].text));
    jsonw_object_close(w);
    put_place(w, e);
    jsonw_object_close(w);
}

static void put_driver(struct jsonw *w, const struct report *r)
{
    jsonw_key(w, STR("tool"));
    jsonw_object_open(w);
    jsonw_key(w, STR("driver"));
    jsonw_object_open(w);
    jsonw_member_string(w, STR("informationUri"),
                        STR("https://github.com/open-policy-agent/conftest"));
    jsonw_member_string(w, STR("name"), STR("conftest"));
    jsonw_key(w, STR("rules"));
    jsonw_array_open(w);
    for (size_t i = 0; i < r->nrules; i++)
        put_rule(w, &r->entry[r->rule[i]]);
    jsonw_array_close(w);
    jsonw_member_string(w, STR("version"), STR("dev"));
    jsonw_object_close(w);
    jsonw_object_close(w);
}

static void put_run(struct jsonw *w, const struct report *r)
{
    bool failures = false, warnings = false;
    for (size_t i = 0; i < r->n; i++) {
        failures = failures || r->entry[i].kind == DENY;
        warnings = warnings || r->entry[i].kind == WARN;
    }
    jsonw_object_open(w);
    put_driver(w, r);
    jsonw_key(w, STR("invocations"));
    jsonw_array_open(w);
    jsonw_object_open(w);
    jsonw_member_bool(w, STR("executionSuccessful"), true);
    jsonw_member_int(w, STR("exitCode"), failures);
    jsonw_member_string(w, STR("exitCodeDescription"),
                        failures   ? STR("Policy violations found")
                        : warnings ? STR("Policy warnings found")
                                   : STR("No policy violations found"));
    jsonw_object_close(w);
    jsonw_array_close(w);
    jsonw_key(w, STR("results"));
    jsonw_array_open(w);
    for (size_t i = 0; i < r->n; i++)
        put_result(w, &r->entry[i]);
    jsonw_array_close(w);
    jsonw_object_close(w);
}

void conftest_write_sarif(struct buf *out, const struct conftest_results *results)
{
    struct report r = {.arena = {.limit = (size_t)1 << 34}};
    struct jsonw w = {.out = out};
    collect(&r, results);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("version"), STR("2.1.0"));
    jsonw_member_string(&w, STR("$schema"),
                        STR("https://raw.githubusercontent.com/oasis-tcs/sarif-spec/main/sarif-2.1/"
                            "schema/sarif-schema-2.1.0.json"));
    jsonw_key(&w, STR("runs"));
    jsonw_array_open(&w);
    put_run(&w, &r);
    jsonw_array_close(&w);
    jsonw_object_close(&w);
    out->failed = out->failed || r.failed;
    arena_free(&r.arena);
}
