/* conftest.c - which rules there are, what they gave, and how that is counted. */
#include "policy/conftest.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "policy/inputs.h"
#include "policy/plain.h"
#include "wire/json.h"

/* --- rules --- */

static struct str part_text(const struct rego_term *t)
{
    return t->kind == REGO_TERM_VAR ? t->name : value_text(&t->value);
}

bool conftest_space_text(const struct rego_module *module, struct buf *out)
{
    for (size_t i = 1; i < module->package->parts.n; i++) {
        if (i > 1)
            buf_char(out, '.');
        buf_str(out, part_text(module->package->parts.item[i]));
    }
    return !out->failed;
}

static bool is_in(const struct rego_module *module, struct str space)
{
    AUTO_BUF text = {.limit = 1 << 16};
    return conftest_space_text(module, &text) && str_equal(buf_view(&text), space);
}

/* stem, or stem_word_word */
static bool has_stem(struct str name, struct str stem)
{
    if (!str_starts(name, stem))
        return false;
    if (name.len == stem.len)
        return true;
    if (name.ptr[name.len - 1] == '_' || name.ptr[stem.len] != '_')
        return false;
    for (size_t i = stem.len; i + 1 < name.len; i++)
        if (name.ptr[i] == '_' && name.ptr[i + 1] == '_')
            return false;
    return true;
}

bool conftest_is_failure(struct str name)
{
    return has_stem(name, STR("deny")) || has_stem(name, STR("violation"));
}

bool conftest_is_warning(struct str name)
{
    return has_stem(name, STR("warn"));
}

struct str conftest_rule_name(const struct rego_rule *rule)
{
    return rule->head.nref == 1 || rule->module->v0 ? part_text(rule->head.ref[0])
                                                    : (struct str){0};
}

struct rules { /* unique names of a namespace */
    struct str *name;
    size_t n, room, definitions;
};

static bool add_rule(struct arena *arena, struct rules *rules, struct str name)
{
    rules->definitions++;
    for (size_t i = 0; i < rules->n; i++)
        if (str_equal(rules->name[i], name))
            return true;
    struct str *grown = arena_grow(arena, rules->name, rules->n, &rules->room, rules->n + 1);
    if (!grown)
        return false;
    rules->name = grown;
    grown[rules->n++] = name;
    return true;
}

static bool find_rules(struct arena *arena, const struct rego_policy *policy, struct str space,
                       struct rules *ret, struct err *err)
{
    for (size_t i = 0; i < rego_module_count(policy); i++) {
        const struct rego_module *module = rego_module_at(policy, i);
        if (!is_in(module, space))
            continue;
        for (size_t k = 0; k < module->nrules; k++) {
            struct str name = conftest_rule_name(module->rules[k]);
            if ((conftest_is_failure(name) || conftest_is_warning(name)) &&
                !add_rule(arena, ret, name))
                return arena_full(arena, err);
        }
    }
    return true;
}

bool conftest_namespaces(struct arena *arena, const struct rego_policy *policy, struct str **ret,
                         size_t *ret_n, struct err *err)
{
    struct str *names = arena_new(arena, struct str, rego_module_count(policy));
    size_t n = 0;
    for (size_t i = 0; names && i < rego_module_count(policy); i++) {
        AUTO_BUF text = {.limit = 1 << 16};
        bool known = !conftest_space_text(rego_module_at(policy, i), &text);
        for (size_t k = 0; k < n; k++)
            known = known || str_equal(names[k], buf_view(&text));
        if (!known && !(names[n++] = arena_dup(arena, buf_view(&text))).ptr)
            return arena_full(arena, err);
    }
    *ret = names;
    *ret_n = n;
    return names || arena_full(arena, err);
}

static bool is_true(const struct rego_term *value)
{
    struct value yes = value_bool(true);
    return !value || (value->kind == REGO_TERM_VALUE && rego_equal(&value->value, &yes));
}

/* deny[msg] if { ... } was meant to be deny contains msg if { ... }: it gives an object of true. */
bool conftest_check_rules(const struct rego_policy *policy, struct err *err)
{
    for (size_t i = 0; i < rego_module_count(policy); i++) {
        const struct rego_module *module = rego_module_at(policy, i);
        for (size_t k = 0; k < module->nrules; k++) {
            const struct rego_rule *rule = module->rules[k];
            struct str name = part_text(rule->head.ref[0]);
            if ((conftest_is_failure(name) || conftest_is_warning(name)) && rule->head.has_if &&
                rule->head.nref > 1 && rule->head.kind != REGO_HEAD_SET &&
                is_true(rule->head.value))
                return err_set(err, ERR_SYNTAX,
                               "%.*s:%u:%u: %.*s: rule is using 'if' keyword without 'contains' "
                               "keyword",
                               STR_ARG(module->file), rule->place.row, rule->place.col,
                               STR_ARG(name));
        }
    }
    return true;
}

/* --- queries --- */

struct runner {
    struct arena *arena;
    const struct rego_policy *policy;
    struct rego_eval_options options;
    struct str space;
    struct str with; /* ` with data.conftest.file as ...`, or empty */
    struct buf output;
    struct conftest_check *check;
    size_t passed;
};

static void keep_line(void *ctx, struct str text, struct str file, uint32_t row)
{
    struct buf *out = ctx;
    buf_printf(out, "%.*s:%u: %.*s\n", STR_ARG(file), row, STR_ARG(text));
}

/* data["a"]["b"] of "a.b": namespaces may have names that are no identifiers. */
void conftest_write_space(struct buf *out, struct str space)
{
    struct str name;
    buf_str(out, STR("data"));
    for (bool more = true; more;) {
        more = str_cut(&space, '.', &name);
        buf_char(out, '[');
        json_quote(out, name);
        buf_char(out, ']');
    }
}

/* ret: the value of the only expression, or NULL if it is undefined. */
static bool ask(struct runner *r, struct str query, const struct value *doc,
                const struct value **ret, struct err *err)
{
    struct rego_diags diags = {.arena = r->arena};
    struct rego_query *prepared = NULL;
    struct rego_result result;
    bool ok = rego_prepare(r->policy, query, &diags, &prepared, err) &&
              rego_eval(prepared, doc, &r->options, r->arena, &result, err);
    rego_query_close(prepared);
    if (!ok && diags.n)
        return err_set(err, ERR_SYNTAX, "%.*s: %s: %.*s", STR_ARG(query), diags.diag[0].code,
                       STR_ARG(diags.diag[0].message));
    if (!ok)
        return false;
    if (result.error.code)
        return err_set(err, ERR_SYNTAX, "%.*s:%u:%u: %s: %.*s", STR_ARG(result.error.file),
                       result.error.row, result.error.col, result.error.code,
                       STR_ARG(result.error.message));
    *ret = result.values.len ? &result.values.items[0].items[0] : NULL;
    return true;
}

static bool ask_rule(struct runner *r, struct str rule, const struct value *doc,
                     const struct value **ret, struct err *err)
{
    AUTO_BUF query = {.limit = 1 << 20};
    conftest_write_space(&query, r->space);
    buf_char(&query, '[');
    json_quote(&query, rule);
    buf_char(&query, ']');
    buf_str(&query, r->with);
    return buf_ok(&query, err) && ask(r, buf_view(&query), doc, ret, err);
}

/* The name without deny_, violation_ or warn_; empty for the stems themselves. */
struct str conftest_without_stem(struct str rule)
{
    struct str rest = rule, stem;
    return str_cut(&rest, '_', &stem) ? rest : (struct str){0};
}

static bool is_excepted(struct runner *r, struct str rule, const struct value *doc, bool *ret,
                        struct err *err)
{
    AUTO_BUF query = {.limit = 1 << 20};
    const struct value *v;
    buf_str(&query, STR("count([x | x := "));
    conftest_write_space(&query, r->space);
    buf_str(&query, STR(".exception[_][_]; x == "));
    json_quote(&query, conftest_without_stem(rule));
    buf_str(&query, STR("])"));
    buf_str(&query, r->with);
    int64_t n = 0;
    if (!buf_ok(&query, err) || !ask(r, buf_view(&query), doc, &v, err))
        return false;
    *ret = v && value_to_int64(v, &n) && n > 0;
    return true;
}

/* --- results --- */

static bool keep(struct runner *r, struct conftest_items *to, const struct conftest_item *item,
                 struct err *err)
{
    struct conftest_item *grown = arena_grow(r->arena, to->item, to->n, &to->room, to->n + 1);
    if (!grown)
        return arena_full(r->arena, err);
    to->item = grown;
    grown[to->n++] = *item;
    return true;
}

static void read_place(const struct value *place, struct conftest_item *item)
{
    item->file = value_get_string(place, STR("file"));
    (void)value_to_int64(value_get(place, STR("line")), &item->line);
}

static bool read_object(struct runner *r, const struct value *v, struct conftest_item *item,
                        struct err *err)
{
    struct value plain;
    if (!policy_plain(r->arena, v, &plain, err))
        return false;
    const struct value *msg = value_get(&plain, STR("msg")), *place;
    struct value_member *rest = arena_new(r->arena, struct value_member, plain.len);
    size_t n = 0;
    if (!rest)
        return arena_full(r->arena, err);
    if (!value_is_string(msg))
        return err_set(err, ERR_SYNTAX, "%.*s: \"msg\" field must be present and a string",
                       STR_ARG(item->query));
    item->message = value_text(msg);
    if ((place = value_get(&plain, STR("_loc"))))
        read_place(place, item);
    for (uint32_t i = 0; i < plain.len; i++)
        if (!str_equal(key_str(plain.members[i].key), STR("msg")) &&
            !str_equal(key_str(plain.members[i].key), STR("_loc")))
            rest[n++] = plain.members[i];
    return value_members(VALUE_OBJECT, rest, n, &item->metadata, NULL, err);
}

static bool read_result(struct runner *r, struct str rule, const struct value *v, struct err *err)
{
    struct conftest_item item = {
        .query = arena_printf(r->arena, "data.%.*s.%.*s", STR_ARG(r->space), STR_ARG(rule))};
    if (!item.query.ptr)
        return arena_full(r->arena, err);
    if (v->kind == VALUE_STRING)
        item.message = value_text(v);
    else if (!rego_is_object(v))
        return true;
    else if (!read_object(r, v, &item, err))
        return false;
    if (!item.message.len) {
        r->passed++;
        return true;
    }
    return keep(r, conftest_is_failure(rule) ? &r->check->failures : &r->check->warnings, &item,
                err);
}

static bool run_rule(struct runner *r, struct str rule, const struct value *doc, struct err *err)
{
    const struct value *v;
    struct value key, member;
    bool excepted;
    if (!is_excepted(r, rule, doc, &excepted, err))
        return false;
    if (excepted) {
        struct conftest_item item = {
            .message = arena_printf(r->arena, "data.%.*s.exception[_][_] == \"%.*s\"",
                                    STR_ARG(r->space), STR_ARG(conftest_without_stem(rule)))};
        return item.message.ptr ? keep(r, &r->check->exceptions, &item, err)
                                : arena_full(r->arena, err);
    }
    if (!ask_rule(r, rule, doc, &v, err))
        return false;
    bool list = v && (rego_is_array(v) || v->kind == VALUE_SET);
    if (v && (!list || !v->len))
        r->passed++;
    for (size_t at = 0; list && rego_next(v, &at, &key, &member);)
        if (!read_result(r, rule, &member, err))
            return false;
    return true;
}

static size_t results(const struct conftest_check *check)
{
    return check->failures.n + check->warnings.n + check->exceptions.n;
}

static bool run_document(struct runner *r, const struct rules *rules, const struct value *doc,
                         struct err *err)
{
    size_t before = results(r->check);
    r->passed = 0;
    for (size_t i = 0; i < rules->n; i++)
        if (!run_rule(r, rules->name[i], doc, err))
            return false;
    size_t given = results(r->check) - before + r->passed;
    r->check->successes +=
        r->passed + (given < rules->definitions ? rules->definitions - given : 0);
    return true;
}

/* Only where a policy asks for it: each file has queries of its own then. */
static bool name_file(struct runner *r, struct str path, struct err *err)
{
    AUTO_BUF out = {.limit = 1 << 20};
    bool asked = false;
    for (size_t i = 0; i < rego_module_count(r->policy); i++)
        asked =
            asked || str_find(rego_module_at(r->policy, i)->text, STR("conftest"), 0) != SIZE_MAX;
    if (!asked)
        return true;
    buf_str(&out, STR(" with data.conftest.file as {\"name\": "));
    json_quote(&out, io_basename(path));
    buf_str(&out, STR(", \"dir\": "));
    json_quote(&out, io_dirname(path));
    buf_char(&out, '}');
    if (!buf_ok(&out, err))
        return false;
    r->with = arena_dup(r->arena, buf_view(&out));
    return r->with.ptr || arena_full(r->arena, err);
}

bool conftest_run(struct arena *arena, const struct rego_policy *policy, struct str space,
                  const struct policy_input *input, const struct rego_eval_options *options,
                  struct conftest_check *ret, struct err *err)
{
    struct rules rules = {0};
    struct runner r = {.arena = arena,
                       .policy = policy,
                       .options = *options,
                       .space = space,
                       .output = {.limit = 64 << 20},
                       .check = ret};
    *ret = (struct conftest_check){.file = input->path, .space = space};
    r.options.host.print = keep_line;
    r.options.host.ctx = &r.output;
    bool ok = find_rules(arena, policy, space, &rules, err) && name_file(&r, input->path, err);
    for (size_t i = 0; ok && i < input->n; i++)
        ok = run_document(&r, &rules, &input->doc[i], err);
    ret->output = arena_dup(arena, buf_view(&r.output));
    buf_free(&r.output);
    return ok && (ret->output.ptr || arena_full(arena, err));
}
