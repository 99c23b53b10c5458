/* condition.c - conditions over a value tree, with three outcomes and what decided them. */
#include "policy/condition.h"

#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"

enum { JSON_TEXT_MAX = 4 << 20, JSON_ROOM_PER_BYTE = 64 };

/* What is looked at: a value, where it stands, and whether a secret holds it. */
struct spot {
    const struct value *value;
    const struct path_link *link;
    bool sensitive;
    bool absent; /* no such key or index: `value` is null */
};

static const struct value null_value = {.kind = VALUE_NULL};

static enum rule_outcome judge(struct condition_run *run, const struct condition *c,
                               const struct spot *spot, enum rule_outcome want);

static enum rule_outcome opposite(enum rule_outcome outcome)
{
    return outcome == RULE_MATCH ? RULE_NO_MATCH : outcome == RULE_NO_MATCH ? RULE_MATCH : outcome;
}

static bool link_path(struct condition_run *run, const struct spot *spot, struct path *ret,
                      struct str *ret_text)
{
    if (!path_from_link(run->arena, spot->link, ret))
        run->full = true;
    else
        *ret_text = path_text(run->arena, *ret);
    run->full |= !ret_text->ptr;
    return !run->full;
}

/* The first thing that cannot be told stands for all. */
static enum rule_outcome unknown(struct condition_run *run, const struct condition *c,
                                 const struct spot *spot, const char *why)
{
    struct path path = {0};
    struct str text = {0};
    if (run->unknown.condition || !link_path(run, spot, &path, &text))
        return RULE_UNKNOWN;
    text = arena_printf(run->arena, "%.*s %s", STR_ARG(text.len ? text : STR("the value")), why);
    run->full |= !text.ptr;
    run->unknown = (struct rule_why){c, path, text};
    return RULE_UNKNOWN;
}

static void add_why(struct condition_run *run, const struct condition *c, const struct spot *spot,
                    bool held)
{
    struct path path = {0};
    struct str text = {0};
    if (run->nwhy == RULE_WHY_MAX || !link_path(run, spot, &path, &text))
        return;
    text = condition_text(run->arena, c, text, spot->value, spot->sensitive, held);
    run->full |= !text.ptr;
    run->why[run->nwhy++] = (struct rule_why){c, path, text};
}

/* --- groups --- */

/* Kleene's and: the least of NO_MATCH < UNKNOWN < MATCH. */
static enum rule_outcome judge_all(struct condition_run *run, const struct condition *c,
                                   const struct spot *spot, enum rule_outcome want)
{
    enum rule_outcome least = RULE_MATCH;
    for (size_t i = 0; i < c->nparts && least != RULE_NO_MATCH; i++) {
        enum rule_outcome one = judge(run, &c->part[i], spot, want);
        if (one < least)
            least = one;
    }
    return least;
}

static enum rule_outcome judge_any(struct condition_run *run, const struct condition *c,
                                   const struct spot *spot, enum rule_outcome want)
{
    enum rule_outcome most = RULE_NO_MATCH;
    for (size_t i = 0; i < c->nparts && most != RULE_MATCH; i++) {
        enum rule_outcome one = judge(run, &c->part[i], spot, want);
        if (one > most)
            most = one;
    }
    return most;
}

/* Element i of a collection; of anything else but null the value itself is the only one. */
static bool element(const struct spot *of, size_t i, struct path_link *link, struct spot *ret)
{
    const struct value *v = of->value;
    *ret = *of;
    ret->sensitive |= (v->marks & VALUE_SENSITIVE) != 0;
    if (value_is_list_like(v)) {
        if (i >= v->len)
            return false;
        *link = path_link_index(of->link, (int64_t)i);
        if (v->kind == VALUE_SET)
            link->step = (struct path_step){.kind = PATH_ELEMENT};
        ret->value = &v->items[i];
    } else if (value_is_object_like(v)) {
        if (i >= v->len)
            return false;
        *link = path_link_key(of->link, key_str(v->members[i].key));
        ret->value = &v->members[i].value;
    } else {
        return i == 0 && v->kind != VALUE_NULL;
    }
    ret->link = link;
    return true;
}

static enum rule_outcome judge_every(struct condition_run *run, const struct condition *c,
                                     const struct spot *spot, enum rule_outcome want)
{
    enum rule_outcome least = RULE_MATCH;
    struct path_link link;
    struct spot one;
    if (spot->value->kind == VALUE_UNKNOWN)
        return unknown(run, c, spot, "is known only after apply");
    for (size_t i = 0; least != RULE_NO_MATCH && element(spot, i, &link, &one); i++) {
        enum rule_outcome outcome = judge_all(run, c, &one, want);
        if (outcome < least)
            least = outcome;
    }
    if (spot->value->form == OBJECT_OPEN && spot->value->kind == VALUE_OBJECT &&
        least == RULE_MATCH)
        return unknown(run, c, spot, "may hold more than is known");
    return least;
}

/* An IAM document may have its one statement without a list around it. */
static void list_statement(struct condition_run *run, struct value *doc)
{
    const struct value *statement = value_get(doc, STR("Statement"));
    if (!value_is_object_like(statement))
        return;
    struct value_member *members = arena_new(run->arena, struct value_member, doc->len);
    if (!members) {
        run->full = true;
        return;
    }
    for (size_t i = 0; i < doc->len; i++) {
        members[i] = doc->members[i];
        if (&doc->members[i].value == statement)
            members[i].value = value_items(VALUE_TUPLE, statement, 1);
    }
    doc->members = members;
}

static enum rule_outcome judge_json(struct condition_run *run, const struct condition *c,
                                    const struct spot *spot, enum rule_outcome want)
{
    const struct value *v = spot->value;
    struct spot inner = *spot;
    struct value doc;
    inner.sensitive |= (v->marks & VALUE_SENSITIVE) != 0;
    if (v->kind == VALUE_UNKNOWN)
        return unknown(run, c, spot, "is known only after apply");
    if (!value_is_string(v))
        return judge_all(run, c, spot, want);
    struct err why = {0};
    if (v->len > JSON_TEXT_MAX ||
        !json_parse(run->arena, value_text(v), "", JSON_DUPLICATES_LAST, &doc, &why)) {
        /* a text that is nested too deeply is a limit, too; want of room is none of the text */
        run->full |= why.kind == ERR_LIMIT &&
                     run->arena->limit - run->arena->used < (size_t)JSON_ROOM_PER_BYTE * v->len;
        return unknown(run, c, spot, "is not JSON");
    }
    list_statement(run, &doc);
    inner.value = &doc;
    return judge_all(run, c, &inner, want);
}

/* --- one condition --- */

static enum rule_outcome judge_here(struct condition_run *run, const struct condition *c,
                                    const struct spot *spot, enum rule_outcome want)
{
    switch (c->kind) {
    case CONDITION_ALL:
        return judge_all(run, c, spot, want);
    case CONDITION_ANY:
        return judge_any(run, c, spot, want);
    case CONDITION_NONE:
        return opposite(judge_any(run, c, spot, opposite(want)));
    case CONDITION_EVERY:
        return judge_every(run, c, spot, want);
    case CONDITION_JSON:
        return judge_json(run, c, spot, want);
    case CONDITION_TEST:
        break;
    }
    struct spot at = *spot;
    at.sensitive |= (at.value->marks & VALUE_SENSITIVE) != 0;
    enum rule_outcome outcome = condition_test(c, at.value);
    if (outcome == RULE_UNKNOWN)
        return unknown(run, c, &at, "is known only after apply");
    if (outcome == want)
        add_why(run, c, &at, outcome == RULE_MATCH);
    return outcome;
}

static enum rule_outcome follow(struct condition_run *run, const struct condition *c, size_t step,
                                const struct spot *spot, enum rule_outcome want);

/* `[*]`: some element. */
static enum rule_outcome follow_elements(struct condition_run *run, const struct condition *c,
                                         size_t step, const struct spot *spot,
                                         enum rule_outcome want)
{
    enum rule_outcome most = RULE_NO_MATCH;
    struct path_link link;
    struct spot one;
    for (size_t i = 0; most != RULE_MATCH && element(spot, i, &link, &one); i++) {
        size_t nwhy = run->nwhy;
        enum rule_outcome outcome = follow(run, c, step + 1, &one, want);
        if (outcome != want)
            run->nwhy = nwhy; /* what held of another element is no reason */
        if (outcome > most)
            most = outcome;
    }
    if (most == RULE_NO_MATCH && spot->value->kind == VALUE_OBJECT &&
        spot->value->form == OBJECT_OPEN)
        return unknown(run, c, spot, "may hold more than is known");
    return most;
}

/* The value at a key or an index; null where there is none. False: it cannot be told. */
static bool step_into(const struct path_step *step, const struct spot *spot, struct path_link *link,
                      struct spot *ret)
{
    const struct value *v = spot->value, *below = NULL;
    *ret = *spot;
    ret->sensitive |= (v->marks & VALUE_SENSITIVE) != 0;
    ret->link = link;
    *link = step->kind == PATH_KEY ? path_link_key(spot->link, step->key)
                                   : path_link_index(spot->link, step->index);
    if (step->kind == PATH_KEY)
        below = value_get(v, step->key);
    else if ((v->kind == VALUE_LIST || v->kind == VALUE_TUPLE) && step->index < v->len)
        below = &v->items[step->index];
    ret->absent = !below;
    ret->value = below ? below : &null_value;
    return below || !(v->kind == VALUE_OBJECT && v->form == OBJECT_OPEN);
}

static enum rule_outcome follow(struct condition_run *run, const struct condition *c, size_t step,
                                const struct spot *spot, enum rule_outcome want)
{
    struct path_link link;
    struct spot below;
    if (run->nodes_left == 0)
        return RULE_UNKNOWN;
    run->nodes_left--;
    if (step == c->path.n) {
        if (run->path)
            run->path[c->id].had += !spot->absent;
        return judge_here(run, c, spot, want);
    }
    if (spot->value->kind == VALUE_UNKNOWN) {
        if (run->path)
            run->path[c->id].had++;
        return unknown(run, c, spot, "is known only after apply");
    }
    if (c->path.step[step].kind == PATH_ELEMENT)
        return follow_elements(run, c, step, spot, want);
    if (!step_into(&c->path.step[step], spot, &link, &below))
        return unknown(run, c, &below, "is not known: there may be more than is listed");
    return follow(run, c, step + 1, &below, want);
}

/* want: the outcome whose reasons are kept; those of another outcome are dropped again. */
static enum rule_outcome judge(struct condition_run *run, const struct condition *c,
                               const struct spot *spot, enum rule_outcome want)
{
    size_t nwhy = run->nwhy;
    enum rule_outcome outcome;
    if (c->has_path) {
        struct spot from = *spot;
        from.absent = false;
        if (run->path)
            run->path[c->id].read++;
        outcome = follow(run, c, 0, &from, want);
    } else if (run->nodes_left == 0) {
        return RULE_UNKNOWN;
    } else {
        run->nodes_left--;
        outcome = judge_here(run, c, spot, want);
    }
    if (outcome != want)
        run->nwhy = nwhy;
    return outcome;
}

enum rule_outcome condition_judge(struct condition_run *run, const struct condition *condition,
                                  const struct value *values)
{
    const struct spot root = {.value = values ? values : &null_value};
    return judge(run, condition, &root, RULE_MATCH);
}
