/* schedule_set.c - what plumb.yaml says of one stack: its tiers, its windows. */
#include "base/arena.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/quantity.h"
#include "model/config.h"
#include "model/schedule.h"
#include "model/stack.h"
#include "value/value.h"

static bool fits(struct str glob, struct str text)
{
    return !glob.len || glob_match(glob, text, '\0');
}

static bool add_words(struct arena *arena, struct str *name, const char *what,
                      const struct str *words, size_t n)
{
    for (size_t i = 0; i < n && name->ptr; i++)
        *name = arena_printf(arena, "%.*s%s%s%.*s", STR_ARG(*name), name->len ? "," : "", what,
                             STR_ARG(words[i]));
    return name->ptr;
}

static bool parse_tier(struct arena *arena, const struct config *config,
                       const struct config_schedule *row, struct schedule_tier *ret,
                       struct err *err)
{
    int64_t jitter = SCHEDULE_JITTER_DEFAULT;
    struct schedule_tier tier = {.name = row->name,
                                 .grace_ms = row->grace_ms,
                                 .types = row->types,
                                 .ntypes = row->ntypes,
                                 .tags = row->tags,
                                 .ntags = row->ntags};
    if (row->jitter.len)
        (void)quantity_parse_duration(row->jitter, &jitter); /* checked when it was read */
    if (!tier.name.len || (!row->ntypes && !row->ntags))
        tier.name = STR("");
    if (!tier.name.len && (!add_words(arena, &tier.name, "type=", row->types, row->ntypes) ||
                           !add_words(arena, &tier.name, "tag=", row->tags, row->ntags)))
        return arena_full(arena, err);
    if (!schedule_parse(arena, row->schedule, row->time_zone, jitter, &tier.schedule, err))
        return err_wrap(err, "%.*s:%u:%u", STR_ARG(config->path), row->place.line,
                        row->place.column);
    *ret = tier;
    return true;
}

bool schedule_of_stack(struct arena *arena, const struct config *config, const struct stack *stack,
                       struct schedule_set *ret, struct err *err)
{
    struct schedule_tier *tiers = arena_new(arena, struct schedule_tier, config->nschedules + 1);
    size_t n = 1;
    bool whole = stack->schedule.len > 0;
    if (!tiers)
        return arena_full(arena, err);
    if (whole && !schedule_parse(arena, stack->schedule, STR(""), SCHEDULE_JITTER_DEFAULT,
                                 &tiers[0].schedule, err))
        return err_wrap(err, "stack %.*s: schedule", STR_ARG(stack->name));
    for (size_t i = 0; i < config->nschedules; i++) {
        const struct config_schedule *row = &config->schedules[i];
        bool tier = row->ntypes || row->ntags;
        if (!fits(row->stack, stack->name) || !fits(row->environment, stack->environment) ||
            (!tier && whole))
            continue;
        if (!parse_tier(arena, config, row, tier ? &tiers[n] : &tiers[0], err))
            return false;
        n += tier;
        whole |= !tier;
    }
    *ret = (struct schedule_set){tiers, n};
    return true;
}

/* --- as one line --- */

struct str schedule_tier_spec(struct arena *arena, const struct schedule_tier *tier)
{
    const struct schedule *s = &tier->schedule;
    struct str text = s->text, names = STR("");
    if (s->kind == SCHEDULE_NONE)
        return STR("");
    if (s->zone && str_find(text, STR("TZ="), 0) == SIZE_MAX)
        text = arena_printf(arena, "CRON_TZ=%.*s %.*s", STR_ARG(s->zone->name), STR_ARG(text));
    if (!text.ptr || !add_words(arena, &names, "type=", tier->types, tier->ntypes) ||
        !add_words(arena, &names, "tag=", tier->tags, tier->ntags))
        return (struct str){0};
    return arena_printf(arena, "%.*s; jitter %lldms; grace %lldms%s%.*s", STR_ARG(text),
                        (long long)s->jitter_ms, (long long)tier->grace_ms, names.len ? "; " : "",
                        STR_ARG(names));
}

/* "; jitter 5ms" at the start of what is left. */
static bool cut_duration(struct str *rest, struct str name, int64_t *ret)
{
    struct str part;
    (void)str_cut(rest, ';', &part);
    part = str_trim(part);
    return str_starts(part, name) &&
           quantity_parse_duration(str_trim(str_sub(part, name.len, part.len)), ret);
}

bool schedule_tier_from_spec(struct arena *arena, struct str spec, struct schedule_tier *ret,
                             struct err *err)
{
    struct schedule_tier tier = {.name = STR("")};
    struct str rest = spec, text;
    int64_t jitter = 0;
    if (spec.len) {
        (void)str_cut(&rest, ';', &text);
        if (!cut_duration(&rest, STR("jitter "), &jitter) ||
            !cut_duration(&rest, STR("grace "), &tier.grace_ms))
            return err_set(err, ERR_SYNTAX, "no schedule of the store: '%.*s'", STR_ARG(spec));
        if (!schedule_parse(arena, text, STR(""), jitter, &tier.schedule, err))
            return false;
    }
    *ret = tier;
    return true;
}

/* --- hot resources --- */

static bool has_tag(const struct schedule_tier *tier, const struct value *tags)
{
    for (size_t i = 0; tags && value_is_object_like(tags) && i < tags->len; i++) {
        const struct value_member *tag = &tags->members[i];
        for (size_t k = 0; k < tier->ntags; k++) {
            struct str value = tier->tags[k], key;
            bool both = str_cut(&value, '=', &key);
            if (glob_match(key, key_str(tag->key), '\0') &&
                (!both || (value_is_string(&tag->value) &&
                           glob_match(value, value_text(&tag->value), '\0'))))
                return true;
        }
    }
    return false;
}

bool schedule_tier_covers(const struct schedule_tier *tier, struct str type,
                          const struct value *attributes)
{
    static const struct str holders[] = {STR_INIT("tags_all"), STR_INIT("effective_labels"),
                                         STR_INIT("terraform_labels"), STR_INIT("tags"),
                                         STR_INIT("labels")};
    bool is_type = tier->ntypes == 0, is_tag = tier->ntags == 0;
    for (size_t i = 0; i < tier->ntypes && !is_type; i++)
        is_type = glob_match(tier->types[i], type, '\0');
    for (size_t i = 0; i < sizeof holders / sizeof *holders && is_type && !is_tag; i++)
        is_tag = has_tag(tier, attributes ? value_get(attributes, holders[i]) : NULL);
    return is_type && is_tag;
}

/* --- windows --- */

/* Is `now` within one of this kind, and when does that change? Windows that touch are one. */
static bool within(const struct schedule *opens, int64_t for_ms, int64_t now, int64_t *ret_until)
{
    int64_t start = schedule_next(opens, STR(""), now - for_ms);
    *ret_until = start;
    if (start > now)
        return false;
    for (int i = 0; i < 1000; i++) {
        int64_t next = schedule_next(opens, STR(""), start);
        *ret_until = start + for_ms;
        if (next > *ret_until)
            return true;
        start = next;
    }
    *ret_until = SCHEDULE_NEVER;
    return true;
}

bool schedule_window_at(struct arena *arena, const struct config *config, const struct stack *stack,
                        int64_t now_utc_ms, struct schedule_window *ret, struct err *err)
{
    bool any = false, open = false, closed = false;
    int64_t opens = SCHEDULE_NEVER, open_until = 0, closes = SCHEDULE_NEVER, closed_until = 0;
    for (size_t i = 0; i < config->nwindows; i++) {
        const struct config_window *w = &config->windows[i];
        struct schedule schedule;
        int64_t until;
        if (!fits(w->stack, stack->name) || !fits(w->environment, stack->environment))
            continue;
        if (!schedule_parse(arena, w->opens, w->time_zone, 0, &schedule, err))
            return err_wrap(err, "%.*s:%u:%u", STR_ARG(config->path), w->place.line,
                            w->place.column);
        bool in = within(&schedule, w->for_ms, now_utc_ms, &until);
        any |= !w->closed;
        int64_t *edge = w->closed ? in ? &closed_until : &closes : in ? &open_until : &opens;
        *edge = in ? (until > *edge ? until : *edge) : until < *edge ? until : *edge;
        *(w->closed ? &closed : &open) |= in;
    }
    if (closed)
        *ret = (struct schedule_window){false, closed_until};
    else if (any && !open)
        *ret = (struct schedule_window){false, opens};
    else
        *ret = (struct schedule_window){true, !any || closes < open_until ? closes : open_until};
    return true;
}
