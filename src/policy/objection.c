/* objection.c - one query for all rules; results; the second, watched evaluation for places. */
#include "policy/objection.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "lang/rego/lookups.h"
#include "model/decision.h"
#include "policy/conftest.h"
#include "policy/document.h"
#include "policy/plain.h"
#include "wire/json.h"

enum { ENTRIES_MAX = 10000 };

/* --- entry points --- */

struct entry {
    struct str space, name, full; /* full: "main.deny" */
    bool warning;
    const struct rego_rule *first;
    uint64_t asked, matched, errors;
    struct rego_lookups *lookups; /* NULL: not wanted */
};
/* Where messages are made: what is read there tells nothing of what is wrong. */
struct message_row {
    uint32_t col; /* what stands from here on is of a message; 0 = nothing */
};
struct policy_text {
    struct str file;
    struct message_row *row;
    size_t nrows;
};
struct entries {
    struct arena *arena;
    const struct rego_policy *policy;
    struct entry *entry;
    size_t n, room;
    struct policy_text *text;
    size_t ntexts;
    struct rego_query *query; /* x0, y0, x1 ...: results and exceptions of each */
    bool lookups;
};

static bool is_wanted(const struct entries_options *options, struct str space)
{
    if (options->all_spaces)
        return true;
    for (size_t i = 0; i < options->nspaces; i++)
        if (fnmatch(options->space[i].ptr, space.ptr, 0) == 0)
            return true;
    return !options->nspaces && str_equal(space, STR("main"));
}

static bool add_entry(struct entries *e, struct str space, struct str name,
                      const struct rego_rule *rule, struct err *err)
{
    for (size_t i = 0; i < e->n; i++)
        if (str_equal(e->entry[i].name, name) && str_equal(e->entry[i].space, space))
            return true;
    if (e->n == ENTRIES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d rules", ENTRIES_MAX);
    struct entry *grown = arena_grow(e->arena, e->entry, e->n, &e->room, e->n + 1);
    struct str full = arena_printf(e->arena, "%.*s.%.*s", STR_ARG(space), STR_ARG(name));
    if (!grown || !full.ptr)
        return arena_full(e->arena, err);
    e->entry = grown;
    struct entry entry = {.space = space,
                          .name = name,
                          .full = full,
                          .warning = conftest_is_warning(name),
                          .first = rule,
                          .lookups = e->lookups ? rego_lookups_make(e->arena) : NULL};
    grown[e->n++] = entry;
    return !e->lookups || entry.lookups || arena_full(e->arena, err);
}

static bool is_asked(struct str name, struct str only)
{
    return only.len ? str_equal(name, only)
                    : conftest_is_failure(name) || conftest_is_warning(name);
}

static bool add_module(struct entries *e, const struct rego_module *module, struct str space,
                       struct str only, struct err *err)
{
    for (size_t i = 0; i < module->nrules; i++) {
        struct str name = conftest_rule_name(module->rules[i]);
        if (is_asked(name, only) && !add_entry(e, space, name, module->rules[i], err))
            return false;
    }
    return true;
}

/* --- texts of policies --- */

static bool is_message_at(struct str rest)
{
    static const struct str heads[] = {STR_INIT("sprintf("), STR_INIT("concat("),
                                       STR_INIT("msg :="),   STR_INIT("msg ="),
                                       STR_INIT("msg:="),    STR_INIT("\"msg\":")};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (str_starts(rest, heads[i]))
            return true;
    return false;
}

static uint32_t message_column(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if ((line.ptr[i] == 's' || line.ptr[i] == 'c' || line.ptr[i] == 'm' ||
             line.ptr[i] == '"') &&
            is_message_at(str_sub(line, i, line.len)))
            return (uint32_t)i + 1;
    return 0;
}

static bool read_text(struct entries *e, const struct rego_module *module)
{
    struct policy_text *text = &e->text[e->ntexts++];
    struct str rest = module->text, line;
    size_t n = 1;
    for (size_t i = 0; i < rest.len; i++)
        n += rest.ptr[i] == '\n';
    *text = (struct policy_text){module->file, arena_new(e->arena, struct message_row, n), n};
    for (size_t i = 0; text->row && i < n; i++) {
        (void)str_cut(&rest, '\n', &line);
        text->row[i].col = message_column(line);
    }
    return text->row != NULL;
}

static bool is_of_message(const struct entries *e, const struct rego_read *read)
{
    for (size_t i = 0; i < e->ntexts; i++) {
        const struct policy_text *text = &e->text[i];
        if (!str_equal(text->file, read->file))
            continue;
        uint32_t row = read->place.row;
        return row && row <= text->nrows && text->row[row - 1].col &&
               read->place.col >= text->row[row - 1].col;
    }
    return false;
}

/* --- opening --- */

static void write_query(struct buf *out, const struct entry *entry, size_t i)
{
    buf_printf(out, "x%zu := [v | v := ", i);
    conftest_write_space(out, entry->space);
    buf_char(out, '[');
    json_quote(out, entry->name);
    buf_printf(out, "]]; y%zu := [q | q := ", i);
    conftest_write_space(out, entry->space);
    buf_str(out, STR(".exception[_][_]; q == "));
    json_quote(out, conftest_without_stem(entry->name));
    buf_char(out, ']');
}

static bool prepare(const struct entries *e, size_t from, size_t to, struct rego_query **ret,
                    struct err *err)
{
    AUTO_BUF text = {.limit = 64 << 20};
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct rego_diags diags = {.arena = &arena};
    for (size_t i = from; i < to; i++) {
        buf_str(&text, i > from ? STR("; ") : STR(""));
        write_query(&text, &e->entry[i], i);
    }
    if (!buf_ok(&text, err))
        return false;
    if (rego_prepare(e->policy, buf_view(&text), &diags, ret, err))
        return true;
    return diags.n ? err_set(err, ERR_SYNTAX, "%.*s: %s: %.*s", STR_ARG(e->entry[from].full),
                             diags.diag[0].code, STR_ARG(diags.diag[0].message))
                   : false;
}

static bool has_rules(const struct rego_module *module)
{
    for (size_t i = 0; i < module->nrules; i++) {
        struct str name = conftest_rule_name(module->rules[i]);
        if (conftest_is_failure(name) || conftest_is_warning(name))
            return true;
    }
    return false;
}

/* Packages that were not asked for and have rules. */
static bool nothing_found(struct entries *e, const struct entries_options *options,
                          const struct str *space, struct err *err)
{
    AUTO_BUF names = {.limit = 1 << 16};
    if (options->only.len)
        return err_set(err, ERR_USAGE, "package %.*s has no rule %.*s", STR_ARG(options->space[0]),
                       STR_ARG(options->only));
    for (size_t i = 0; i < rego_module_count(e->policy); i++) {
        bool told = !has_rules(rego_module_at(e->policy, i));
        for (size_t k = 0; k < i && !told; k++)
            told = str_equal(space[k], space[i]) && has_rules(rego_module_at(e->policy, k));
        if (told)
            continue;
        buf_str(&names, names.len ? STR(", ") : STR(""));
        buf_str(&names, space[i]);
    }
    if (!names.len)
        return err_set(err, ERR_USAGE,
                       "no rule to ask: no package has deny, violation or warn (deny_NAME ...)");
    return err_set(err, ERR_USAGE,
                   "no rule to ask in package %s; packages with rules: %.*s (--namespace NAME, or "
                   "--all-namespaces)",
                   options->nspaces ? options->space[0].ptr : "main", STR_ARG(buf_view(&names)));
}

bool entries_open(struct arena *arena, const struct rego_policy *policy,
                  const struct entries_options *options, struct entries **ret, struct err *err)
{
    struct entries *e = arena_new(arena, struct entries, 1);
    size_t n = rego_module_count(policy);
    struct str *space = arena_new(arena, struct str, n);
    if (!e || !space)
        return arena_full(arena, err);
    *e = (struct entries){.arena = arena, .policy = policy, .lookups = options->lookups};
    e->text = arena_new(arena, struct policy_text, n);
    for (size_t i = 0; e->text && i < n; i++) {
        const struct rego_module *module = rego_module_at(policy, i);
        AUTO_BUF text = {.limit = 1 << 16};
        conftest_space_text(module, &text);
        space[i] = arena_dup(arena, buf_view(&text));
        if (!space[i].ptr || !read_text(e, module))
            return arena_full(arena, err);
        if (is_wanted(options, space[i]) && !add_module(e, module, space[i], options->only, err))
            return false;
    }
    if (!e->text)
        return arena_full(arena, err);
    if (!e->n)
        return nothing_found(e, options, space, err);
    if (!prepare(e, 0, e->n, &e->query, err))
        return false;
    *ret = e;
    return true;
}

void entries_close(struct entries *entries)
{
    if (entries)
        rego_query_close(entries->query);
}

size_t entries_count(const struct entries *entries)
{
    return entries->n;
}

static bool is_of(const struct entry *entry, const struct rego_module *module, struct str name)
{
    AUTO_BUF space = {.limit = 1 << 16};
    if (!str_equal(name, entry->name))
        return false;
    conftest_space_text(module, &space);
    return str_equal(buf_view(&space), entry->space);
}

bool entries_has(const struct entries *entries, const struct rego_module *module, struct str name)
{
    for (size_t i = 0; i < entries->n; i++)
        if (is_of(&entries->entry[i], module, name))
            return true;
    return false;
}

static struct location place_of_rule(const struct rego_rule *rule)
{
    return (struct location){
        .file = rule->module->file, .line = rule->place.row, .column = rule->place.col};
}

bool entries_report(const struct entries *entries, struct arena *arena, struct policy_row *ret)
{
    for (size_t i = 0; i < entries->n; i++) {
        const struct entry *entry = &entries->entry[i];
        struct str *never = NULL;
        ret[i] = (struct policy_row){.rule = entry->full,
                                     .at = place_of_rule(entry->first),
                                     .asked = entry->asked,
                                     .applicable = entry->asked,
                                     .matched = entry->matched,
                                     .errors = entry->errors};
        if (entry->lookups &&
            !rego_lookups_never_had(entry->lookups, arena, &never, &ret[i].nnever_had))
            return false;
        ret[i].never_had = never;
    }
    return true;
}

/* --- results --- */

struct finder {
    struct arena *arena;
    struct entries *entries;
    const struct documents *documents;
    const struct document *document;
    const struct value *input;
    const struct rego_eval_options *options;
    struct objections *found;
    struct err *err;
};

static struct objection *add(struct finder *f, const struct entry *entry)
{
    struct objections *to = f->found;
    struct objection *grown = arena_grow(f->arena, to->item, to->n, &to->room, to->n + 1);
    if (!grown) {
        (void)arena_full(f->arena, f->err);
        return NULL;
    }
    to->item = grown;
    grown[to->n] = (struct objection){
        .rule = entry->full, .warning = entry->warning, .policy = place_of_rule(entry->first)};
    return &grown[to->n++];
}

static bool add_error(struct finder *f, const struct entry *entry, const struct rego_error *error)
{
    struct objection *o = add(f, entry);
    if (!o)
        return false;
    o->error = true;
    o->message =
        arena_printf(f->arena, "the rule failed: %s: %.*s", error->code, STR_ARG(error->message));
    if (error->row)
        o->policy = (struct location){
            .file = arena_dup(f->arena, error->file), .line = error->row, .column = error->col};
    return o->message.ptr || arena_full(f->arena, f->err);
}

static bool add_details(struct finder *f, const struct value *plain, struct objection *o)
{
    struct value_member *rest = arena_new(f->arena, struct value_member, plain->len);
    size_t n = 0;
    if (!rest)
        return arena_full(f->arena, f->err);
    for (uint32_t i = 0; i < plain->len; i++) {
        struct str key = key_str(plain->members[i].key);
        if (!str_equal(key, STR("msg")) && !str_equal(key, STR("_loc")))
            rest[n++] = plain->members[i];
    }
    const struct value *place = value_get(plain, STR("_loc"));
    int64_t line = 0;
    if (value_get_string(place, STR("file")).len) {
        (void)value_to_int64(value_get(place, STR("line")), &line);
        o->spot.at = (struct location){.file = value_get_string(place, STR("file")),
                                       .line = line > 0 ? (uint32_t)line : 0};
    }
    return value_members(VALUE_OBJECT, rest, n, &o->details, NULL, f->err);
}

static bool add_result(struct finder *f, const struct entry *entry, const struct value *v)
{
    struct value plain = *v;
    if (v->kind == VALUE_STRING && !v->len)
        return true; /* conftest counts it as passed */
    struct objection *o = add(f, entry);
    if (!o || !policy_plain(f->arena, v, &plain, f->err))
        return false;
    if (plain.kind == VALUE_STRING) {
        o->message = value_text(&plain);
        return true;
    }
    const struct value *msg = value_get(&plain, STR("msg"));
    if (value_is_string(msg)) {
        o->message = value_text(msg);
        return add_details(f, &plain, o);
    }
    o->error = true;
    o->message = value_is_object_like(&plain)
                     ? STR("the rule's result has no text `msg`")
                     : STR("the rule's result is neither a text nor an object with `msg`");
    return true;
}

static bool add_results(struct finder *f, size_t i, const struct value *binding)
{
    const struct entry *entry = &f->entries->entry[i];
    struct value key, item;
    struct str names[2] = {arena_printf(f->arena, "x%zu", i), arena_printf(f->arena, "y%zu", i)};
    if (!names[0].ptr || !names[1].ptr)
        return arena_full(f->arena, f->err);
    struct value x = value_string(names[0]), y = value_string(names[1]);
    const struct value *given = rego_get(binding, &x), *excepted = rego_get(binding, &y);
    if (!given || !given->len)
        return true;
    const struct value *all = &given->items[0];
    if (excepted && excepted->len) {
        f->found->exceptions++;
        return true;
    }
    if (!rego_is_array(all) && all->kind != VALUE_SET && !rego_is_object(all)) {
        struct objection *o = all->kind == VALUE_BOOL && !all->truth ? NULL : add(f, entry);
        if (o) {
            o->error = true;
            o->message = STR("the rule is no set: write `contains`");
        }
        return f->err->kind == ERR_NONE;
    }
    for (size_t at = 0; rego_next(all, &at, &key, &item);)
        if (!add_result(f, entry, rego_is_object(all) ? &key : &item))
            return false;
    return true;
}

enum { SLOW_RULES = 10 };

/* For rules that are asked one by one: however many take too long, it ends. */
static struct rego_eval_options in_turn(const struct rego_eval_options *options)
{
    struct rego_eval_options how = *options;
    how.until_ms = clock_monotonic_ms() + SLOW_RULES * how.deadline_ms;
    return how;
}

/* One rule by itself: where all together failed. What it gives points into the query. */
static bool ask_alone(struct finder *f, size_t i, const struct rego_eval_options *how)
{
    struct rego_query *query = NULL;
    struct rego_result result;
    struct rego_eval_options counted = *how;
    counted.lookups = f->entries->lookups ? f->entries->entry[i].lookups : how->lookups;
    bool ok = prepare(f->entries, i, i + 1, &query, f->err) &&
              rego_eval(query, f->input, &counted, f->arena, &result, f->err);
    if (ok && result.error.code)
        ok = add_error(f, &f->entries->entry[i], &result.error);
    else if (ok && result.bindings.len)
        ok = add_results(f, i, &result.bindings.items[0]);
    rego_query_close(query);
    return ok;
}

static void count(const struct objections *found, size_t from, struct entry *entry)
{
    bool failed = false;
    for (size_t i = from; i < found->n; i++)
        failed = failed || found->item[i].error;
    entry->asked++;
    entry->matched += found->n > from && !failed;
    entry->errors += failed;
}

static bool ask(struct finder *f)
{
    struct rego_result result = {0};
    struct entries *e = f->entries;
    if (!e->lookups && !rego_eval(e->query, f->input, f->options, f->arena, &result, f->err))
        return false;
    const struct rego_eval_options alone = in_turn(f->options);
    for (size_t i = 0; i < e->n; i++) {
        size_t before = f->found->n;
        bool ok = e->lookups || result.error.code ? ask_alone(f, i, &alone)
                  : result.bindings.len           ? add_results(f, i, &result.bindings.items[0])
                                                  : true;
        if (!ok)
            return false;
        count(f->found, before, &e->entry[i]);
    }
    return true;
}

/* --- places --- */

struct placing {
    struct finder *f;
    struct spots *spots;
    size_t *slot, nslots; /* by rule and message: index of the objection + 1 */
    int *score;           /* of the place that each has */
};

/* What says which one it is, rather than what it is like. */
static bool is_identity(const struct spot *spot)
{
    static const struct str names[] = {STR_INIT("name"),    STR_INIT("kind"),      STR_INIT("type"),
                                       STR_INIT("address"), STR_INIT("namespace"), STR_INIT("mode"),
                                       STR_INIT("actions"), STR_INIT("apiVersion")};
    for (size_t i = spot->path.n; i > 0 && i + 2 > spot->path.n; i--)
        for (size_t k = 0; k < sizeof names / sizeof *names; k++)
            if (spot->path.step[i - 1].kind == PATH_KEY &&
                str_equal(spot->path.step[i - 1].key, names[k]))
                return true;
    return false;
}

enum { SCORE_NONE = -1000000, SCORE_TOLD = 1000000, SCORE_MESSAGE = 100000, SCORE_STEP = 4 };

static int score_of(const struct placing *p, const struct rego_read *read, struct spot *ret)
{
    size_t depth = spots_depth(p->spots, read->node, &read->value);
    if (depth == SIZE_MAX ||
        !spots_find(p->spots, read->node, &read->value, read->missing, read->nmissing, ret))
        return SCORE_NONE;
    bool holds = value_is_list_like(&read->value) || value_is_object_like(&read->value);
    return (int)(depth + read->nmissing) * SCORE_STEP - (is_identity(ret) ? 3 : 0) -
           (holds && !read->is_missing ? 2 : 0) -
           (is_of_message(p->f->entries, read) ? SCORE_MESSAGE : 0);
}

static size_t slot_of(const struct placing *p, struct str rule, struct str message)
{
    uint64_t h = hash_bytes(rule, 0) * 31 + hash_bytes(message, 0);
    size_t at = (size_t)h & (p->nslots - 1);
    for (; p->slot[at]; at = (at + 1) & (p->nslots - 1)) {
        const struct objection *o = &p->f->found->item[p->slot[at] - 1];
        if (str_equal(o->rule, rule) && str_equal(o->message, message))
            break;
    }
    return at;
}

static struct str message_of(const struct value *member)
{
    struct value msg = value_string(STR("msg"));
    const struct value *text = rego_is_object(member) ? rego_get(member, &msg) : member;
    return value_is_string(text) ? value_text(text) : (struct str){0};
}

static void found(void *ctx, const struct rego_rule *rule, const struct value *member,
                  const struct rego_read *read, size_t n)
{
    struct placing *p = ctx;
    const struct entries *e = p->f->entries;
    size_t i = 0;
    while (i < e->n && !is_of(&e->entry[i], rule->module, conftest_rule_name(rule)))
        i++;
    size_t at = i < e->n ? p->slot[slot_of(p, e->entry[i].full, message_of(member))] : 0;
    if (!at)
        return;
    struct objection *o = &p->f->found->item[at - 1];
    struct spot spot, best = {0};
    int most = SCORE_NONE;
    for (size_t k = 0; k < n; k++) {
        int score = score_of(p, &read[k], &spot);
        if (score <= SCORE_NONE || score < most)
            continue;
        most = score;
        best = spot;
    }
    bool first = p->score[at - 1] == SCORE_NONE;
    if (first || p->score[at - 1] == SCORE_TOLD)
        o->policy = place_of_rule(rule);
    if (most <= p->score[at - 1])
        return; /* of several that give the same message the first one, if they are as deep */
    p->score[at - 1] = most;
    o->spot = best;
}

/* Where one rule fails, the others have places all the same. */
static bool place_alone(struct finder *f, const struct rego_eval_options *how)
{
    const struct rego_eval_options alone = in_turn(how);
    bool ok = true;
    for (size_t i = 0; ok && i < f->entries->n; i++) {
        struct rego_query *query = NULL;
        struct rego_result ignored;
        ok = prepare(f->entries, i, i + 1, &query, f->err) &&
             rego_eval(query, f->input, &alone, f->arena, &ignored, f->err);
        rego_query_close(query);
    }
    return ok;
}

static bool place(struct finder *f)
{
    struct placing p = {.f = f, .nslots = 64};
    const struct rego_watch watch = {found, &p};
    struct rego_eval_options how = *f->options;
    struct rego_result ignored;
    struct objections *all = f->found;
    while (p.nslots < all->n * 2)
        p.nslots *= 2;
    p.slot = arena_new(f->arena, size_t, p.nslots);
    p.score = arena_new(f->arena, int, all->n);
    if (!p.slot || !p.score)
        return arena_full(f->arena, f->err);
    if (!spots_open(f->arena, f->documents, f->document, &p.spots, f->err))
        return false;
    for (size_t i = 0; i < all->n; i++) {
        bool told = all->item[i].spot.at.file.len > 0;
        p.score[i] = told ? SCORE_TOLD : SCORE_NONE;
        if (!all->item[i].error)
            p.slot[slot_of(&p, all->item[i].rule, all->item[i].message)] = i + 1;
    }
    how.watch = &watch;
    how.lookups = NULL;
    how.host.print = NULL;
    if (!rego_eval(f->entries->query, f->input, &how, f->arena, &ignored, f->err))
        return false;
    if (ignored.error.code && !place_alone(f, &how))
        return false;
    for (size_t i = 0; i < all->n; i++)
        if (!all->item[i].spot.at.file.len)
            all->item[i].spot = spots_at(p.spots, (struct path){0});
    return true;
}

bool objections_find(struct arena *arena, struct entries *entries,
                     const struct objections_input *of, const struct rego_eval_options *options,
                     struct objections *ret, struct err *err)
{
    struct finder f = {.arena = arena,
                       .entries = entries,
                       .documents = of->documents,
                       .document = of->document,
                       .input = of->input ? of->input : of->document->root,
                       .options = options,
                       .found = ret,
                       .err = err};
    *ret = (struct objections){0};
    return ask(&f) && (!ret->n || place(&f));
}
