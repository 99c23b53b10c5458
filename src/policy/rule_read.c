/* rule_read.c - rule files: YAML to struct rule, every problem told in one run. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/regex_re2.h"
#include "policy/pack.h"
#include "policy/references.h"
#include "policy/rule_parts.h"

enum { KEYS_MAX = 32, TEXT_MAX = 400 };

/* --- problems --- */

struct location rule_location(const struct rule_reader *r, const struct value *at)
{
    struct place place = at ? yaml_place(&r->doc, at) : (struct place){0};
    if (!place.line)
        place = r->doc.place;
    return (struct location){
        .file = r->file, .line = place.line ? place.line : 1, .column = place.column};
}

void rule_problem(struct rule_reader *r, struct location at, const char *fmt, ...)
{
    struct rule_problems *p = r->problems;
    va_list args;
    if (p->n == RULE_PROBLEMS_MAX) {
        p->left_out++;
        return;
    }
    struct rule_problem *grown = arena_grow(p->arena, p->item, p->n, &p->room, p->n + 1);
    va_start(args, fmt);
    struct str text = arena_vprintf(p->arena, fmt, args);
    va_end(args);
    if (!grown || !text.ptr) {
        r->full = true;
        return;
    }
    p->item = grown;
    p->item[p->n++] = (struct rule_problem){at, text};
}

struct str rule_problem_text(struct arena *arena, const struct rule_problem *problem)
{
    return arena_printf(arena, "%.*s:%u:%u: %.*s", STR_ARG(problem->at.file), problem->at.line,
                        problem->at.column, STR_ARG(problem->text));
}

struct str rule_hint(struct rule_reader *r, struct str word, const struct str *names, size_t n)
{
    struct str near = str_nearest(word, names, n);
    return near.len ? arena_printf(r->arena, "; did you mean '%.*s'?", STR_ARG(near)) : STR("");
}

/* --- mappings --- */

static void unknown_key(struct rule_reader *r, const char *what, const struct rule_key *keys,
                        size_t nkeys, const struct value_member *member)
{
    struct str names[KEYS_MAX] = {0}, key = key_str(member->key);
    for (size_t i = 0; i < nkeys && i < KEYS_MAX; i++)
        names[i] = str_from(keys[i].name);
    struct str hint = rule_hint(r, key, names, nkeys);
    struct place place = yaml_key_place(&r->doc, &member->value);
    rule_problem(r, (struct location){.file = r->file, .line = place.line, .column = place.column},
                 "unknown key '%.*s' in %s%.*s", STR_ARG(key), what, STR_ARG(hint));
}

void rule_read_mapping(struct rule_reader *r, const char *what, const struct rule_key *keys,
                       size_t nkeys, const struct value *v, void *target)
{
    if (!value_is_object_like(v)) {
        rule_problem(r, rule_location(r, v), "%s: want a mapping, got %s", what,
                     value_plain_kind_name(v->kind));
        return;
    }
    for (size_t i = 0; i < v->len; i++) {
        size_t k = 0;
        while (k < nkeys && !str_equal(str_from(keys[k].name), key_str(v->members[i].key)))
            k++;
        if (k < nkeys)
            keys[k].read(r, &keys[k], &v->members[i].value, target);
        else
            unknown_key(r, what, keys, nkeys, &v->members[i]);
    }
    for (size_t k = 0; k < nkeys; k++)
        if (keys[k].required && !value_get(v, str_from(keys[k].name)))
            rule_problem(r, rule_location(r, v), "%s: '%s' is missing", what, keys[k].name);
}

/* --- scalars --- */

static bool is_filled(const struct value *v)
{
    return value_is_string(v) && str_trim(value_text(v)).len > 0;
}

void rule_read_text(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                    void *target)
{
    if (!is_filled(v)) {
        rule_problem(r, rule_location(r, v), "%s: want a text that is not empty, got %s", key->name,
                     value_is_string(v) ? "an empty one" : value_plain_kind_name(v->kind));
        return;
    }
    struct str text = str_trim(value_text(v));
    memcpy((char *)target + key->at, &text, sizeof text);
}

void rule_read_texts(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                     void *target)
{
    size_t n = value_is_list_like(v) ? v->len : 1;
    const struct value *item = value_is_list_like(v) ? v->items : v;
    struct str *list = arena_new(r->arena, struct str, n);
    if (!list) {
        r->full = true;
        return;
    }
    if (n == 0)
        rule_problem(r, rule_location(r, v), "%s: an empty list; leave the key out for any",
                     key->name);
    for (size_t i = 0; i < n; i++) {
        if (is_filled(&item[i]))
            list[i] = value_text(&item[i]);
        else
            rule_problem(r, rule_location(r, &item[i]), "%s: want a text, or a list of texts",
                         key->name);
    }
    struct rule_strs strs = {list, n};
    memcpy((char *)target + key->at, &strs, sizeof strs);
}

static bool is_id(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_' || c == '.'))
            return false;
    }
    return text.len > 0;
}

static void read_id(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                    void *target)
{
    if (value_is_string(v) && !is_id(value_text(v)))
        rule_problem(r, rule_location(r, v),
                     "id: want letters, digits, '-', '_' and '.', got '%.*s'",
                     STR_ARG(value_text(v)));
    else
        rule_read_text(r, key, v, target);
}

static void read_decision(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                          void *target)
{
    static const struct str names[] = {
#define X(constant, name, meaning) STR_INIT(name),
        DECISIONS(X)
#undef X
    };
    struct rule *rule = target;
    struct str text = value_is_string(v) ? value_text(v) : STR("");
    if (decision_from(text, &rule->decision))
        return;
    struct str hint = rule_hint(r, text, names, DECISION_COUNT);
    rule_problem(r, rule_location(r, v), "%s: want ignore, notify, review, revert or block%.*s",
                 key->name, STR_ARG(hint));
}

static void read_severity(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                          void *target)
{
    static const struct str names[] = {
#define X(constant, name) STR_INIT(name),
        SEVERITIES(X)
#undef X
    };
    struct rule *rule = target;
    struct str text = value_is_string(v) ? value_text(v) : STR("");
    rule->has_severity = severity_from(text, &rule->severity);
    if (rule->has_severity)
        return;
    struct str hint = rule_hint(r, text, names, SEVERITY_COUNT);
    rule_problem(r, rule_location(r, v), "%s: want info, low, medium, high or critical%.*s",
                 key->name, STR_ARG(hint));
}

bool rule_deadline_parse(struct str text, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'h', 3600000}, {'d', 86400000}, {'w', 604800000}};
    int64_t n;
    if (text.len < 2 || !str_to_int64(str_sub(text, 0, text.len - 1), &n) || n <= 0)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text.ptr[text.len - 1] == units[i].unit)
            return !__builtin_mul_overflow(n, units[i].ms, ret_ms);
    return false;
}

static void read_deadline(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                          void *target)
{
    struct rule *rule = target;
    if (value_is_string(v) && rule_deadline_parse(value_text(v), &rule->deadline_ms))
        rule->deadline = value_text(v);
    else
        rule_problem(r, rule_location(r, v), "%s: want hours, days or weeks: 12h, 3d, 2w",
                     key->name);
}

static void check_references(struct rule_reader *r, enum reference kind, const struct value *v,
                             const struct rule_strs *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct str text = list->item[i], meant;
        if (!text.len || reference_known(r->arena, kind, text, &meant))
            continue;
        rule_problem(r, rule_location(r, value_is_list_like(v) ? &v->items[i] : v),
                     "references: %s has no '%.*s'%s%.*s%s", reference_name(kind), STR_ARG(text),
                     meant.len ? "; did you mean '" : "", STR_ARG(meant), meant.len ? "'?" : "");
    }
}

static void read_csf(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                     void *target)
{
    struct rule *rule = target;
    rule_read_texts(r, key, v, target);
    check_references(r, REFERENCE_CSF, v, &rule->csf);
}

static void read_controls(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                          void *target)
{
    struct rule *rule = target;
    rule_read_texts(r, key, v, target);
    check_references(r, REFERENCE_800_53, v, &rule->sp800_53);
}

static void read_references(struct rule_reader *r, const struct rule_key *key,
                            const struct value *v, void *target)
{
    static const struct rule_key keys[] = {
        {"csf", read_csf, offsetof(struct rule, csf), false},
        {"800-53", read_controls, offsetof(struct rule, sp800_53), false},
        {"cis", rule_read_texts, offsetof(struct rule, cis), false},
        {"links", rule_read_texts, offsetof(struct rule, links), false},
    };
    rule_read_mapping(r, key->name, keys, sizeof keys / sizeof *keys, v, target);
}

/* --- rules --- */

static const struct rule_key rule_keys[] = {
    {"id", read_id, offsetof(struct rule, id), true},
    {"title", rule_read_text, offsetof(struct rule, title), true},
    {"why", rule_read_text, offsetof(struct rule, why), false},
    {"fix", rule_read_text, offsetof(struct rule, fix), false},
    {"match", rule_read_match, offsetof(struct rule, match), false},
    {"when", rule_read_when, offsetof(struct rule, when), false},
    {"decision", read_decision, 0, true},
    {"severity", read_severity, 0, false},
    {"owner", rule_read_text, offsetof(struct rule, owner), false},
    {"deadline", read_deadline, 0, false},
    {"references", read_references, 0, false},
};

/* A rule about everything is most often one whose match was lost. */
static void check_match(struct rule_reader *r, const struct value *v, const struct rule *rule)
{
    const struct value *match = value_get(v, STR("match"));
    if (value_is_object_like(match) && !match->len)
        rule_problem(r, rule_location(r, match),
                     "match: an empty mapping is about everything; if that is meant, write "
                     "match: {type: '*'}%s",
                     rule->when ? ", or leave the key out" : "");
    else if (value_is_object_like(v) && !match && !rule->when)
        rule_problem(r, rule->at,
                     "a rule without match and when is about everything; if that is meant, write "
                     "match: {type: '*'}");
}

static bool add_rule(struct rule_reader *r, const struct value *v)
{
    struct rules *rules = r->rules;
    struct rule rule = {.pack = r->pack, .at = rule_location(r, v)};
    r->npaths = 0;
    rule_read_mapping(r, "rule", rule_keys, sizeof rule_keys / sizeof *rule_keys, v, &rule);
    rule.npaths = r->npaths;
    check_match(r, v, &rule);
    rule.name = r->pack.len && rule.id.len
                    ? arena_printf(r->arena, "%.*s/%.*s", STR_ARG(r->pack), STR_ARG(rule.id))
                    : rule.id;
    struct rule *grown = arena_grow(r->arena, rules->rule, rules->n, &rules->room, rules->n + 1);
    if (!grown || (rule.id.len && !rule.name.ptr))
        return false;
    rules->rule = grown;
    rules->rule[rules->n++] = rule;
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
    int order = str_compare(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

/* Two rules of one name could not be told apart in reports and waivers. Only rules from `from` on
 * are complained about: those before belong to files that are read already. */
static bool find_doubles(struct rule_reader *r, size_t from)
{
    const struct rules *rules = r->rules;
    const struct rule **sorted = arena_new(r->arena, const struct rule *, rules->n);
    if (!sorted)
        return false;
    for (size_t i = 0; i < rules->n; i++)
        sorted[i] = &rules->rule[i];
    qsort(sorted, rules->n, sizeof *sorted, by_name);
    for (size_t i = 1; i < rules->n; i++)
        if (sorted[i]->id.len && sorted[i] >= rules->rule + from &&
            str_equal(sorted[i - 1]->name, sorted[i]->name))
            rule_problem(r, sorted[i]->at, "rule '%.*s' is at %.*s:%u already",
                         STR_ARG(sorted[i]->name), STR_ARG(sorted[i - 1]->at.file),
                         sorted[i - 1]->at.line);
    return true;
}

void rule_read_version(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                       void *target)
{
    int64_t version;
    (void)target;
    if (value_to_int64(v, &version) && version > 1)
        rule_problem(r, rule_location(r, v),
                     "this file is for a newer plumb; this one reads version 1");
    else if (!value_to_int64(v, &version) || version != 1)
        rule_problem(r, rule_location(r, v), "%s: want 1", key->name);
}

static void read_list(struct rule_reader *r, const struct rule_key *key, const struct value *v,
                      void *target)
{
    (void)target;
    if (!value_is_list_like(v)) {
        rule_problem(r, rule_location(r, v), "%s: want a list of rules, got %s", key->name,
                     value_plain_kind_name(v->kind));
        return;
    }
    for (size_t i = 0; i < v->len && !r->full; i++) {
        if (r->rules->n == RULES_MAX) {
            rule_problem(r, rule_location(r, &v->items[i]), "more than %d rules", RULES_MAX);
            return;
        }
        r->full = !add_rule(r, &v->items[i]);
    }
}

bool rules_is_file(const struct value *doc)
{
    static const struct str rules = STR_INIT("rules");
    if (value_get(doc, STR("apiVersion")) && value_get(doc, STR("kind")))
        return false; /* a role of Kubernetes has rules, too */
    if (value_get(doc, rules))
        return value_get(doc, STR("version")) != NULL || value_is_list_like(value_get(doc, rules));
    if (!value_get(doc, STR("version")))
        return false;
    for (size_t i = 0; i < doc->len; i++)
        if (str_nearest(key_str(doc->members[i].key), &rules, 1).len)
            return true;
    return false;
}

static int by_place(const void *a, const void *b)
{
    const struct rule_problem *x = a, *y = b;
    if (x->at.line != y->at.line)
        return x->at.line < y->at.line ? -1 : 1;
    if (x->at.column != y->at.column)
        return x->at.column < y->at.column ? -1 : 1;
    return str_compare(x->text, y->text);
}

bool rule_refuse(struct rule_reader *r, size_t before, struct err *err)
{
    const struct rule_problems *p = r->problems;
    size_t n = p->n + p->left_out - before;
    if (p->n <= before)
        return err_set(err, ERR_SYNTAX, "%.*s: %zu problems", STR_ARG(r->file), n);
    qsort(p->item + before, p->n - before, sizeof *p->item, by_place);
    const struct rule_problem *first = &p->item[before];
    int len = (int)(first->text.len < TEXT_MAX ? first->text.len : TEXT_MAX);
    if (n == 1)
        return err_set(err, ERR_SYNTAX, "%.*s:%u:%u: %.*s", STR_ARG(first->at.file), first->at.line,
                       first->at.column, len, first->text.ptr);
    return err_set(err, ERR_SYNTAX, "%.*s: %zu problems; the first, %u:%u: %.*s", STR_ARG(r->file),
                   n, first->at.line, first->at.column, len, first->text.ptr);
}

bool rules_read(struct rules *rules, struct arena *arena, struct str text, struct str file,
                struct str pack, struct rule_problems *problems, struct err *err)
{
    static const struct rule_key keys[] = {{"version", rule_read_version, 0, true},
                                           {"rules", read_list, 0, true}};
    struct rule_reader r = {.rules = rules, .problems = problems, .arena = arena};
    struct str name = arena_dup(arena, file), copy = arena_dup(arena, text);
    size_t before = problems->n + problems->left_out, from = rules->n;
    r.file = name;
    r.pack = arena_dup(arena, pack);
    if (!name.ptr || !copy.ptr || !r.pack.ptr)
        return arena_full(arena, err);
    if (!yaml_parse_one(arena, copy, name.ptr, YAML_DEFAULT, &r.doc, err))
        return false;
    rule_read_mapping(&r, "rule file", keys, sizeof keys / sizeof *keys, &r.doc.root, &r);
    if (r.full || !find_doubles(&r, from))
        return arena_full(arena, err);
    return problems->n + problems->left_out == before || rule_refuse(&r, before, err);
}

bool rules_read_file(struct rules *rules, struct arena *arena, struct str path, struct str pack,
                     struct rule_problems *problems, struct err *err)
{
    struct str text, name = arena_dup(arena, path);
    if (!name.ptr)
        return arena_full(arena, err);
    return pack_read_text(arena, name, RULE_FILE_MAX, &text, err) &&
           rules_read(rules, arena, text, name, pack, problems, err);
}

void rules_close(struct rules *rules)
{
    for (size_t i = 0; i < rules->nregexes; i++)
        regex_close(rules->regex[i]);
    *rules = (struct rules){0};
}
