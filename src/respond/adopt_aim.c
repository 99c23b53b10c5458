/* adopt_aim.c - edits behind expressions that make something of their parts: what has to be written
 * there is found by turning them around (code_aim), and each attempt is proved. */
#include "base/arena.h"
#include "base/err.h"
#include "respond/adopt_parts.h"

enum { ATTEMPTS_MAX = 16 };

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

/* Targets of one expression: what it gives with all of them. */
static bool whole_of(struct adopter *ad, const struct code_aim *aim, size_t first, bool *done,
                     struct value *ret)
{
    const struct code_target *target = &aim->target[first];
    size_t n = 0;
    if (!target->whole)
        return false;
    *ret = *target->whole;
    for (size_t i = first; i < aim->n; i++) {
        const struct code_target *t = &aim->target[i];
        if (t->expr != target->expr || t->text)
            continue;
        if (t->rest.n == 0 ||
            !adopt_with(ad->arena, ret, t->rest, t->unset ? NULL : &t->value, ret))
            return false;
        done[i] = true;
        n++;
    }
    return n > 1;
}

static bool make_edit(struct adopter *ad, const struct code_aim *aim, size_t i, bool *done,
                      struct hcl_edit *edit)
{
    const struct code_target *t = &aim->target[i];
    struct hcl_known known = {t->old, NULL};
    struct hcl_obstacle obstacle;
    struct value *v = arena_new(ad->arena, struct value, 1);
    if (!v)
        return adopt_full(ad);
    if (done[i])
        return true;
    if (t->text)
        return hcl_edit_text(edit, t->expr, value_text(&t->value)) ||
               adopt_refuse(ad, "the text at %.*s cannot be edited as it is written",
                            STR_ARG(adopt_at(ad, t->source, t->expr->range.start)));
    struct code_aim rest = *aim;
    bool *taken = arena_new(ad->arena, bool, aim->n);
    if (!taken)
        return adopt_full(ad);
    if (whole_of(ad, &rest, i, taken, v)) {
        for (size_t k = 0; k < aim->n; k++)
            done[k] |= taken[k];
        known.old = t->whole;
        return hcl_edit_set(edit, t->expr, (struct path){0}, v, known, &obstacle) ||
               adopt_refuse(ad, "what is written at %.*s cannot be edited",
                            STR_ARG(adopt_at(ad, t->source, t->expr->range.start)));
    }
    *v = t->value;
    return (t->unset ? hcl_edit_unset(edit, t->expr, t->rest, known, &obstacle)
                     : hcl_edit_set(edit, t->expr, t->rest, v, known, &obstacle)) ||
           adopt_refuse(ad, "what is written at %.*s cannot be edited",
                        STR_ARG(adopt_at(ad, t->source, t->expr->range.start)));
}

/* All targets in the file of the first one that is left. */
static bool edit_file(struct adopter *ad, const struct code_aim *aim, size_t first, bool *done)
{
    const struct hcl_file *file = aim->target[first].source;
    struct adopt_text *text;
    struct hcl_edit edit;
    if (!adopt_may_edit(ad, file->name) || !(text = adopt_open_text(ad, file->name, false)))
        return false;
    hcl_edit_start(&edit, ad->arena, file);
    for (size_t i = first; i < aim->n; i++) {
        if (aim->target[i].source != file || done[i])
            continue;
        if (!make_edit(ad, aim, i, done, &edit))
            return false;
        done[i] = true;
    }
    return edit.n == 0 || adopt_take(ad, text, &edit);
}

static bool edit_targets(struct adopter *ad, const struct code_aim *aim)
{
    bool *done = arena_new(ad->arena, bool, aim->n);
    if (!done)
        return adopt_full(ad);
    for (size_t i = 0; i < aim->n; i++)
        if (!done[i] && !edit_file(ad, aim, i, done))
            return false;
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

bool adopt_can_aim(struct adopter *ad, const struct adopt_change *change,
                   const struct code_instance *instance)
{
    struct code_aim aim;
    struct value v = {0};
    bool refused = ad->refused;
    bool ok = (change->unset || wish(ad, change, instance, &v)) &&
              code_aim(ad->code, instance, change->path, change->unset ? NULL : &v, 0, &aim) &&
              aim.n > 0;
    ad->refused = refused;
    return ok;
}

bool adopt_change_aimed(struct adopter *ad, const struct adopt_change *change,
                        const struct code_instance *instance)
{
    struct code_aim aim;
    struct value v = {0};
    struct str reason = ad->reason;
    bool way = ad->has_other_way;
    struct code *code = code_now(ad);
    if (!code)
        return false;
    const struct code_instance *now =
        code == ad->code ? instance : code_find_instance(code, instance->address);
    if (!now)
        return false;
    ad->refused = false;
    if (!change->unset && !wish(ad, change, now, &v))
        return false;
    if (!code_aim(code, now, change->path, change->unset ? NULL : &v, ad->attempt, &aim))
        return adopt_full(ad);
    if (aim.choices > ad->choices)
        ad->choices = aim.choices;
    if (aim.n)
        return edit_targets(ad, &aim);
    if (aim.why.len)
        return adopt_refuse(ad, "%.*s", STR_ARG(aim.why));
    (void)refuse_outside(ad, &aim.chain);
    if (!ad->refused) {
        ad->refused = true;
        ad->reason = reason;
        ad->has_other_way = way;
    }
    return false;
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

bool adopt_attempt(struct adopter *ad, bool (*apply)(struct adopter *ad, const void *ctx),
                   const void *ctx)
{
    struct adopt_before before;
    struct str reason = {0};
    bool way = false;
    size_t origins = 0;
    if (!adopt_keep(ad, &before))
        return false;
    for (ad->attempt = 0; ad->attempt < ATTEMPTS_MAX; ad->attempt++) {
        size_t attempt = ad->attempt;
        ad->choices = 1;
        bool ok = apply(ad, ctx);
        if (ok && ad->choices == 1 && attempt == 0)
            return true; /* proved with all others, at the end */
        if (ok && adopt_verify(ad))
            return true;
        if (!ad->refused)
            return false;
        if (attempt == 0) {
            reason = ad->reason;
            way = ad->has_other_way;
            origins = ad->norigins;
        }
        if (attempt + 1 >= ad->choices)
            break;
        adopt_put_back(ad, &before);
    }
    ad->refused = true;
    ad->reason = reason;
    ad->has_other_way = way;
    ad->norigins = ad->norigins > origins ? ad->norigins : origins;
    return false;
}
