/* adopt_aim.c - edits behind expressions that make something of their parts: what has to be written
 * there is found by turning them around (code_aim), and each attempt is proved. */
#include "base/arena.h"
#include "base/err.h"
#include "respond/adopt_parts.h"

enum { ATTEMPTS_MAX = 24, ROUNDS_MAX = 50 };

/* --- the code as it is by now --- */

static bool is_stale(const struct adopter *ad)
{
    for (size_t i = 0; i < ad->ntexts; i++)
        if (!str_equal(ad->text[i].text, ad->text[i].opened))
            return true;
    return false;
}

/* With the edits so far in it; NULL: an error. */
static struct code *code_now(struct adopter *ad)
{
    if (!is_stale(ad))
        return ad->now ? ad->now : ad->code;
    code_close(ad->now);
    ad->now = NULL;
    if (!adopt_open_edited(ad, &ad->now))
        return NULL;
    for (size_t i = 0; i < ad->ntexts; i++)
        ad->text[i].opened = ad->text[i].text;
    return ad->now;
}

/* --- targets --- */

static bool refuse_target(struct adopter *ad, const struct code_target *t)
{
    struct str at = adopt_at(ad, t->source, t->expr->range.start);
    return adopt_refuse(ad, "what is written at %.*s cannot be edited as it is written",
                        STR_ARG(at));
}

/* Do both change one thing? Then the second waits until the first is done. */
static bool is_same(const struct code_target *a, const struct code_target *b)
{
    if (a->part == CODE_TARGET_FILE || b->part == CODE_TARGET_FILE)
        return a->part == b->part && str_equal(a->source->name, b->source->name);
    return a->source == b->source && a->expr == b->expr &&
           (a->expr ? a->rest.n && b->rest.n : a->body == b->body && str_equal(a->name, b->name));
}

static bool make_edit(struct adopter *ad, const struct code_target *t, struct hcl_edit *edit)
{
    struct hcl_known known = {t->old, NULL};
    struct hcl_obstacle obstacle;
    struct value *v = arena_new(ad->arena, struct value, 1);
    if (!v)
        return adopt_full(ad);
    *v = t->value;
    if (!t->expr) {
        struct hcl_new_item item = {.key = t->name, .value = v};
        hcl_edit_add_attributes(edit, t->body, &item, 1);
        return true;
    }
    bool ok;
    if (t->part == CODE_TARGET_TEXT)
        ok = hcl_edit_text(edit, t->expr, value_text(v));
    else if (t->part != CODE_TARGET_VALUE)
        ok = hcl_edit_text_end(edit, t->expr, t->part == CODE_TARGET_LAST, value_text(v));
    else if (t->unset)
        ok = hcl_edit_unset(edit, t->expr, t->rest, known, &obstacle);
    else
        ok = hcl_edit_set(edit, t->expr, t->rest, v, known, &obstacle);
    return ok || refuse_target(ad, t);
}

/* The new text of a file that the code reads; *ret_left: another one waits. */
static bool write_plain(struct adopter *ad, const struct code_aim *aim, size_t at, bool *done,
                        bool *ret_left)
{
    const struct code_target *t = &aim->target[at];
    if (!adopt_may_edit(ad, t->source->name))
        return false;
    struct adopt_text *text = adopt_open_plain(ad, t->source->name);
    struct str now = arena_dup(ad->arena, value_text(&t->value));
    if (!text || !now.ptr)
        return text ? adopt_full(ad) : false;
    text->text = now;
    for (size_t i = at; i < aim->n; i++) {
        bool same = is_same(t, &aim->target[i]);
        *ret_left |= same && i > at;
        done[i] |= same;
    }
    return true;
}

/* All targets in the file of the first one. */
static bool edit_file(struct adopter *ad, const struct code_aim *aim, size_t first, bool *done,
                      bool *ret_left)
{
    const struct hcl_file *file = aim->target[first].source;
    struct adopt_text *text;
    struct hcl_edit edit;
    if (!adopt_may_edit(ad, file->name) || !(text = adopt_open_text(ad, file->name, false)))
        return false;
    hcl_edit_start(&edit, ad->arena, file);
    for (size_t i = first; i < aim->n; i++) {
        bool waits = done[i] || aim->target[i].source != file;
        for (size_t k = first; k < i && !waits; k++)
            if (is_same(&aim->target[k], &aim->target[i]))
                waits = done[i] = *ret_left = true;
        if (waits)
            continue;
        if (!make_edit(ad, &aim->target[i], &edit))
            return false;
        done[i] = true;
    }
    return edit.n == 0 || adopt_take(ad, text, &edit);
}

/* *ret_left: not all of them could be edited at once. */
static bool edit_targets(struct adopter *ad, const struct code_aim *aim, bool *ret_left)
{
    bool *done = arena_new(ad->arena, bool, aim->n);
    *ret_left = false;
    if (!done)
        return adopt_full(ad);
    for (size_t i = 0; i < aim->n; i++) {
        bool plain = aim->target[i].part == CODE_TARGET_FILE;
        if (!done[i] && !(plain ? write_plain(ad, aim, i, done, ret_left)
                                : edit_file(ad, aim, i, done, ret_left)))
            return false;
    }
    return true;
}

/* --- the change --- */

static bool wish(struct adopter *ad, const struct adopt_change *change,
                 const struct code_instance *instance, struct value *ret)
{
    const struct type *type = instance->schema ? instance->schema->block.type : NULL;
    struct adopt_job job = {.ad = ad, .change = change, .instance = instance};
    for (size_t i = 0; i < change->path.n; i++)
        type = hcl_type_below(type, &change->path.step[i]);
    return adopt_new_value(&job, NULL, type, &change->value, ret);
}

/* Is it the last word that something outside of the code decides? */
static bool refuse_outside(struct adopter *ad, const struct code_chain *chain)
{
    const struct code_link *last = chain->n ? &chain->link[chain->n - 1] : NULL;
    static const struct {
        const char *what, *where;
    } rows[] = {
        {"environment", "the environment variable"},
        {"command line", "the command line"},
    };
    for (size_t i = 0; last && i < sizeof rows / sizeof *rows; i++) {
        if (!str_equal(str_from(last->what), str_from(rows[i].what)))
            continue;
        ad->refused = ad->has_other_way = false;
        return adopt_refuse(ad, "%s %.*s decides the value: change it there", rows[i].where,
                            STR_ARG(last->name));
    }
    return false;
}

bool adopt_is_done(struct adopter *ad, const struct adopt_change *change,
                   const struct code_instance *instance)
{
    struct code *code = is_stale(ad) || ad->now ? code_now(ad) : NULL;
    const struct code_instance *now = code ? code_find_instance(code, instance->address) : NULL;
    const struct value *is = now ? path_find(&now->config, change->path) : NULL;
    struct value v;
    bool refused = ad->refused;
    bool done = is && !change->unset && wish(ad, change, now, &v) && adopt_same(is, &v);
    ad->refused = refused;
    return done;
}

bool adopt_can_aim(struct adopter *ad, const struct adopt_change *change,
                   const struct code_instance *instance)
{
    struct code_choices choices = {0};
    struct code_aim aim = {0};
    struct value v = {0};
    struct str reason = ad->reason;
    bool more = change->unset || wish(ad, change, instance, &v);
    for (size_t i = 0; more && aim.n == 0 && i < ATTEMPTS_MAX; i++)
        more =
            code_aim(ad->code, instance, change->path, change->unset ? NULL : &v, &choices, &aim) &&
            code_choose_again(&choices);
    ad->refused = true;
    ad->reason = reason;
    return aim.n > 0;
}

/* One round of edits; *ret_left: there is more to do with the code as it is then. */
static bool aim_once(struct adopter *ad, const struct adopt_change *change,
                     const struct code_instance *instance, bool again, bool *ret_left)
{
    struct code_aim aim;
    struct value v = {0};
    struct code *code = code_now(ad);
    if (!code)
        return false;
    if (code != ad->code)
        instance = code_find_instance(code, instance->address);
    *ret_left = false;
    if (!instance)
        return adopt_refuse(ad, "the edit would change which instances there are");
    if (!change->unset && !wish(ad, change, instance, &v))
        return false;
    if (!code_aim(code, instance, change->path, change->unset ? NULL : &v, &ad->choices, &aim))
        return adopt_full(ad);
    if (aim.n)
        return edit_targets(ad, &aim, ret_left);
    if (again && !aim.why.len)
        return true;
    return aim.why.len ? adopt_refuse(ad, "%.*s", STR_ARG(aim.why))
                       : refuse_outside(ad, &aim.chain);
}

bool adopt_change_aimed(struct adopter *ad, const struct adopt_change *change,
                        const struct code_instance *instance)
{
    struct str reason = ad->reason;
    bool way = ad->has_other_way, left = true;
    ad->refused = false;
    for (size_t round = 0; left && round < ROUNDS_MAX; round++) {
        struct code_choices before = ad->choices;
        if (aim_once(ad, change, instance, round > 0, &left)) {
            if (left)
                ad->choices = before; /* the same ones again */
            continue;
        }
        if (!ad->refused && ad->err->kind == ERR_NONE) {
            ad->refused = true;
            ad->reason = reason;
            ad->has_other_way = way;
        }
        return false;
    }
    return true;
}

/* --- attempts --- */

bool adopt_keep(struct adopter *ad, struct adopt_before *ret)
{
    *ret = (struct adopt_before){.text = arena_new(ad->arena, struct adopt_text, ad->ntexts),
                                 .ntexts = ad->ntexts,
                                 .expected =
                                     arena_new(ad->arena, struct adopt_expected, ad->nexpected),
                                 .nexpected = ad->nexpected,
                                 .ndone = ad->ndone};
    if (!ret->text || !ret->expected)
        return adopt_full(ad);
    for (size_t i = 0; i < ad->ntexts; i++)
        ret->text[i] = ad->text[i];
    for (size_t i = 0; i < ad->nexpected; i++)
        ret->expected[i] = ad->expected[i];
    return true;
}

void adopt_put_back(struct adopter *ad, const struct adopt_before *before)
{
    for (size_t i = 0; i < ad->ntexts; i++) {
        struct str opened = ad->text[i].opened;
        if (i < before->ntexts) {
            ad->text[i] = before->text[i];
        } else {
            ad->text[i].text = ad->text[i].before;
            ad->text[i].file = ad->text[i].first;
        }
        ad->text[i].opened = opened;
    }
    for (size_t i = 0; i < before->nexpected; i++)
        ad->expected[i] = before->expected[i];
    ad->nexpected = before->nexpected;
    ad->ndone = before->ndone;
    ad->refused = ad->has_other_way = false;
    ad->norigins = ad->nedits = 0;
}

/* Files of modules that are called serve others, too, whom the proof does not see. */
static bool only_own_files(const struct adopter *ad, const struct adopt_before *before)
{
    for (size_t i = 0; i < ad->ntexts; i++) {
        struct str was = i < before->ntexts ? before->text[i].text : ad->text[i].before;
        bool values = str_ends(ad->text[i].name, STR(".tfvars")) ||
                      str_ends(ad->text[i].name, STR(".tfvars.json"));
        if (!str_equal(was, ad->text[i].text) && !values &&
            str_find_char(ad->text[i].name, '/', 0) != SIZE_MAX)
            return false;
    }
    return true;
}

/* The attempts of one change: the first that is proved, before others one that edits nothing but
 * the root module. */
struct attempts {
    struct adopt_before before, found;
    bool any;
    struct str reason; /* of the first refusal */
    bool way;
    size_t tries;
};

/* True: there is no more to be tried. */
static bool note_attempt(struct adopter *ad, struct attempts *t, bool proved)
{
    if (proved && !t->any && !adopt_keep(ad, &t->found))
        return true;
    if (proved && only_own_files(ad, &t->before))
        return t->any = adopt_keep(ad, &t->found);
    t->any |= proved;
    if (!proved && t->tries == 1) {
        t->reason = ad->reason;
        t->way = ad->has_other_way;
    }
    return !code_choose_again(&ad->choices);
}

bool adopt_attempt(struct adopter *ad, bool (*apply)(struct adopter *ad, const void *ctx),
                   const void *ctx)
{
    struct attempts t = {0};
    ad->choices = (struct code_choices){0};
    if (!adopt_keep(ad, &t.before))
        return false;
    for (t.tries = 1; t.tries <= ATTEMPTS_MAX; t.tries++) {
        bool ok = apply(ad, ctx);
        if (ok && ad->choices.n == 0)
            return true; /* proved with all others, at the end */
        bool proved = ok && adopt_verify(ad);
        if (!proved && !ad->refused)
            return false;
        if (note_attempt(ad, &t, proved))
            break;
        adopt_put_back(ad, &t.before);
    }
    if (t.any) {
        adopt_put_back(ad, &t.found);
        return true;
    }
    ad->refused = true;
    ad->reason = t.reason;
    ad->has_other_way = t.way;
    return false;
}
