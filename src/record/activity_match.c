/* activity_match.c - which resources an event is about: what it names, by the index of identities.
 *
 * Spelling: a text as it is, what an ARN or a path ends in, the resources above it
 * Fit:      how many words of a resource's type the event's service, action and kind have: of
 *           AuthorizeSecurityGroupIngress, aws_security_group has all, aws_vpc none. So a name that
 *           many things go by, and what a request only refers to, is told from what it changes
 * Order:    its own id > a name > what it belongs to
 */
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/glob.h"
#include "record/activity_parts.h"
#include "record/identity_parts.h"

enum {
    WORDS_MAX = 64,
    WORD_BYTES = 48,
    STEM = 5,
    PART_LEAST = 4, /* of a word within another one */
    NAME_FIT = 50,  /* per cent of the type's words */
    REFERENCE_FIT = 60,
    PARENTS_MAX = 2,
    CANDIDATES_MAX = 20000,
    PLACES_LEAST = 64
};

/* --- words --- */

struct words {
    char word[WORDS_MAX][WORD_BYTES];
    size_t n;
};

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
    return is_upper(c) || (c >= 'a' && c <= 'z');
}

static void add_word(struct words *words, struct str s)
{
    if (s.len > 3 && s.ptr[s.len - 1] == 's' && s.ptr[s.len - 2] != 's')
        s.len--; /* of several: one */
    if (s.len < 2 || s.len >= WORD_BYTES || words->n == WORDS_MAX)
        return;
    char *to = words->word[words->n++];
    for (size_t i = 0; i < s.len; i++)
        to[i] = (char)(is_upper(s.ptr[i]) ? s.ptr[i] - 'A' + 'a' : s.ptr[i]);
    to[s.len] = '\0';
}

/* "ModifyDBInstance" -> modify db instance; "compute.firewalls.patch"; "aws_s3_bucket" */
static void add_words(struct words *words, struct str text)
{
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        bool end = i == text.len ||
                   !(is_letter(text.ptr[i]) || (text.ptr[i] >= '0' && text.ptr[i] <= '9'));
        bool hump =
            !end && i > from && is_upper(text.ptr[i]) &&
            (!is_upper(text.ptr[i - 1]) ||
             (i + 1 < text.len && is_letter(text.ptr[i + 1]) && !is_upper(text.ptr[i + 1])));
        if (!end && !hump)
            continue;
        add_word(words, str_sub(text, from, i));
        from = end ? i + 1 : i;
    }
}

static bool same_word(const char *a, const char *b)
{
    size_t n = 0, la = strlen(a), lb = strlen(b);
    if (strcmp(a, b) == 0 || (lb >= PART_LEAST && strstr(a, b)))
        return true;
    while (a[n] && a[n] == b[n])
        n++;
    return n >= STEM && n + 3 >= (la < lb ? la : lb); /* attach, attachment */
}

static bool has_word(const struct words *words, const char *word)
{
    for (size_t i = 0; i < words->n; i++)
        if (same_word(words->word[i], word))
            return true;
    return false;
}

/* Per cent of the type's words, without the provider's name. */
static unsigned fit_of(const struct words *event, struct str type)
{
    struct words words = {.n = 0};
    size_t at = str_find_char(type, '_', 0), fits = 0;
    add_words(&words, at == SIZE_MAX ? type : str_sub(type, at + 1, type.len));
    for (size_t i = 0; i < words.n; i++)
        fits += has_word(event, words.word[i]);
    return words.n ? (unsigned)(fits * 100 / words.n) : 0;
}

/* --- spellings --- */

struct spelling {
    int64_t hash;
    const struct activity_name *name;
    bool whole, parent;
    bool universal; /* no account or region is needed to know what it is */
    bool declared;  /* the source says, in full, that this is what it is about */
    bool aside;     /* the same key stands further up: that is what it is about */
    bool hit;
};
struct candidate {
    struct str stack, address, type;
    enum identity_rank rank;
    unsigned fit, texts;
    bool declared, parent, drop;
};
struct matching {
    struct arena *arena;
    const struct activity_rules *rules;
    const struct activity *event;
    struct words words;
    struct buf text;
    struct spelling *spelling;
    size_t n, room;
    struct candidate *list;
    size_t nlist, list_room;
    uint32_t *place; /* of each in `list`, and one; by hash */
    size_t nplaces;
    struct activity_match *match;
    size_t stacks_room; /* of match->stack */
    bool full;
};

static void add_spelling(struct matching *m, const struct activity_name *name, struct str text,
                         bool whole, bool parent)
{
    if (m->full || !identity_normalise(&m->text, text))
        return;
    struct str normal = buf_view(&m->text);
    int64_t hash = identity_hash(normal);
    for (size_t i = 0; i < m->n; i++)
        if (m->spelling[i].hash == hash) {
            m->spelling[i].whole |= whole;
            m->spelling[i].declared |= whole && name->declared;
            return;
        }
    struct spelling *grown = arena_grow(m->arena, m->spelling, m->n, &m->room, m->n + 1);
    if (!grown) {
        m->full = true;
        return;
    }
    m->spelling = grown;
    m->spelling[m->n++] = (struct spelling){
        .hash = hash,
        .name = name,
        .whole = whole,
        .parent = parent,
        .declared = whole && name->declared,
        .universal = str_starts(normal, STR("arn:")) || str_starts(normal, STR("projects/")) ||
                     str_starts(normal, STR("/subscriptions/"))};
}

static struct str after_last(struct str text, const char *separators)
{
    for (size_t i = text.len; i > 0; i--)
        if (strchr(separators, text.ptr[i - 1]))
            return str_sub(text, i, text.len);
    return text;
}

/* A child's write changes what it is a part of: .../networkSecurityGroups/g/securityRules/r */
static void add_parents(struct matching *m, const struct activity_name *name, struct str text)
{
    bool azure = str_equal(m->event->cloud, STR("azure"));
    for (int i = 0; i < PARENTS_MAX; i++) {
        for (int steps = 0; steps < 2; steps++) {
            struct str last = after_last(text, "/");
            if (last.len == text.len)
                return;
            text.len -= last.len + 1;
        }
        /* .../providers/Microsoft.Network is nothing; projects/p is everything */
        size_t slashes = 0;
        for (size_t k = 0; k < text.len; k++)
            slashes += text.ptr[k] == '/';
        if (slashes < (azure ? 8u : 3u))
            return;
        add_spelling(m, name, text, true, true);
    }
}

static bool is_digits(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len != 0;
}

/* projects/<number>/...: with the project's id, which states have. */
static void add_by_project(struct matching *m, const struct activity_name *name)
{
    AUTO_BUF other = {.limit = IDENTITY_TEXT_MAX};
    struct str rest = name->text, step;
    if (!m->event->account.len || !str_cut(&rest, '/', &step) ||
        !str_equal(step, STR("projects")) || !str_cut(&rest, '/', &step) || !is_digits(step))
        return;
    buf_printf(&other, "projects/%.*s/%.*s", STR_ARG(m->event->account), STR_ARG(rest));
    if (!other.failed)
        add_spelling(m, name, buf_view(&other), true, false);
}

static void spell(struct matching *m)
{
    for (size_t i = 0; i < m->event->nnames; i++) {
        const struct activity_name *name = &m->event->name[i];
        size_t first = m->n;
        bool arn = str_starts(name->text, STR("arn:"));
        add_spelling(m, name, name->text, true, false);
        add_by_project(m, name);
        if (arn || (name->declared && str_find_char(name->text, '/', 0) != SIZE_MAX))
            add_spelling(m, name, after_last(name->text, "/:"), false, false);
        if (arn && str_find_char(name->text, '/', 0) != SIZE_MAX)
            add_spelling(m, name, after_last(name->text, ":"), false, false);
        if (name->declared && !arn)
            add_parents(m, name, name->text);
        for (size_t k = 0; k < m->event->nnames; k++)
            if (m->event->name[k].depth < name->depth &&
                str_equal(m->event->name[k].key, name->key))
                for (size_t s = first; s < m->n; s++)
                    m->spelling[s].aside = true;
    }
}

/* --- hits --- */

static bool fits_place(const struct activity *event, const struct identity_hit *hit,
                       const struct spelling *s)
{
    if (s->universal && s->whole && hit->rank == IDENTITY_EXACT)
        return true;
    if (event->cloud.len && !str_equal(event->cloud, hit->cloud))
        return false;
    if (event->account.len && hit->account.len &&
        (event->account.len != hit->account.len ||
         strncasecmp(event->account.ptr, hit->account.ptr, hit->account.len) != 0))
        return false;
    return !event->region.len || !hit->region.len || str_starts(hit->region, event->region) ||
           str_starts(event->region, hit->region) || str_equal(hit->region, STR("global")) ||
           str_equal(event->region, STR("global"));
}

static struct spelling *spelling_of(struct matching *m, int64_t hash)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->spelling[i].hash == hash)
            return &m->spelling[i];
    return NULL;
}

/* Does the key that an id stands under say that the action is about things of that type?
 * securityGroupRuleId of ModifySecurityGroupRules does, securityGroupId of RunInstances does not:
 * all of its words, two at least, are the action's and the type's. */
static bool names_type(const struct matching *m, struct str key, struct str type)
{
    static const char *const ends[] = {"id", "arn", "identifier"};
    struct words of_key = {.n = 0}, of_type = {.n = 0};
    size_t n = 0;
    add_words(&of_key, key);
    add_words(&of_type, type);
    for (size_t i = 0; i < of_key.n; i++) {
        bool end = false;
        for (size_t k = 0; k < sizeof ends / sizeof *ends; k++)
            end |= strcmp(of_key.word[i], ends[k]) == 0;
        if (end)
            continue;
        if (!has_word(&m->words, of_key.word[i]) || !has_word(&of_type, of_key.word[i]))
            return false;
        n++;
    }
    return n >= 2;
}

/* NULL: this hit says nothing. */
static struct spelling *judge_hit(struct matching *m, const struct identity_hit *hit,
                                  struct candidate *ret)
{
    const struct str glob = m->rules->stacks;
    struct spelling *s = spelling_of(m, hit->hash);
    if (!s || s->aside || (glob.len && !glob_match(glob, hit->stack, '\0')))
        return NULL;
    if (m->event->stack.len && !str_equal(m->event->stack, hit->stack))
        return NULL;
    if (!fits_place(m->event, hit, s))
        return NULL;
    *ret = (struct candidate){.stack = hit->stack,
                              .address = hit->address,
                              .type = hit->type,
                              .rank = s->whole || hit->rank != IDENTITY_EXACT ? hit->rank
                                                                              : IDENTITY_NAME,
                              .fit = fit_of(&m->words, hit->type),
                              .texts = 1,
                              .parent = s->parent};
    ret->declared = s->declared || (s->whole && ret->rank == IDENTITY_EXACT &&
                                    names_type(m, s->name->key, hit->type));
    bool sent = s->declared && !m->event->cloud.len; /* by plumb's own event: it says so */
    unsigned least = sent                          ? 0
                     : ret->rank == IDENTITY_EXACT ? 0
                     : ret->rank == IDENTITY_NAME  ? NAME_FIT
                                                   : REFERENCE_FIT;
    if (ret->fit < least || (sent && ret->rank == IDENTITY_REFERENCE))
        return NULL;
    return s;
}

/* What cannot be told one by one is looked at with its whole stack. */
static bool add_stack(struct matching *m, struct str stack, struct err *err)
{
    struct activity_match *to = m->match;
    for (size_t i = 0; i < to->nstacks; i++)
        if (str_equal(to->stack[i], stack))
            return true;
    struct str *grown =
        arena_grow(m->arena, to->stack, to->nstacks, &m->stacks_room, to->nstacks + 1);
    struct str kept = arena_dup(m->arena, stack);
    if (!grown || !kept.ptr)
        return arena_full(m->arena, err);
    to->stack = grown;
    to->stack[to->nstacks++] = kept;
    return true;
}

/* Where the candidate is, or would be. */
static uint32_t *place_of(const struct matching *m, const struct candidate *c)
{
    size_t at = (size_t)hash_bytes(c->address, hash_bytes(c->stack, 0));
    for (;; at++) {
        uint32_t *place = &m->place[at & (m->nplaces - 1)];
        if (!*place || (str_equal(m->list[*place - 1].address, c->address) &&
                        str_equal(m->list[*place - 1].stack, c->stack)))
            return place;
    }
}

static bool make_places(struct matching *m, struct err *err)
{
    if (m->nlist * 2 < m->nplaces)
        return true;
    m->nplaces = m->nplaces ? m->nplaces * 4 : PLACES_LEAST;
    m->place = arena_new(m->arena, uint32_t, m->nplaces);
    if (!m->place)
        return arena_full(m->arena, err);
    for (size_t i = 0; i < m->nlist; i++)
        *place_of(m, &m->list[i]) = (uint32_t)i + 1;
    return true;
}

static bool add_candidate(struct matching *m, const struct candidate *c, struct err *err)
{
    if (!make_places(m, err))
        return false;
    uint32_t *place = place_of(m, c);
    if (*place) {
        struct candidate *was = &m->list[*place - 1];
        was->texts++;
        was->declared |= c->declared;
        was->parent &= c->parent;
        if (c->rank < was->rank)
            was->rank = c->rank;
        return true;
    }
    if (m->nlist == CANDIDATES_MAX)
        return add_stack(m, c->stack, err);
    struct candidate *grown = arena_grow(m->arena, m->list, m->nlist, &m->list_room, m->nlist + 1);
    if (!grown)
        return arena_full(m->arena, err);
    m->list = grown;
    struct candidate *to = &m->list[m->nlist];
    *to = *c;
    to->stack = arena_dup(m->arena, c->stack);
    to->address = arena_dup(m->arena, c->address);
    to->type = arena_dup(m->arena, c->type);
    if (!to->stack.ptr || !to->address.ptr || !to->type.ptr)
        return arena_full(m->arena, err);
    *place = (uint32_t)++m->nlist;
    return true;
}

static bool take_hit(void *ctx, const struct identity_hit *hit, struct err *err)
{
    struct matching *m = ctx;
    struct candidate c;
    struct spelling *s = judge_hit(m, hit, &c);
    if (!s)
        return true;
    s->hit = true;
    return add_candidate(m, &c, err);
}

/* Something that is named after the action and that nobody knows: RunInstances is about the new
 * instance, not about the subnet that it was put into. */
static bool is_about_another(const struct matching *m)
{
    static const struct str generic[] = {STR_INIT("resource"), STR_INIT("name"),
                                         STR_INIT("id"),       STR_INIT("arn"),
                                         STR_INIT("item"),     STR_INIT("request")};
    for (size_t i = 0; i < m->n; i++) {
        const struct spelling *s = &m->spelling[i];
        struct words key = {.n = 0};
        if (s->hit || s->aside || !s->whole || s->parent)
            continue;
        add_words(&key, s->name->key);
        for (size_t k = 0; k < key.n; k++) {
            bool skip = false;
            for (size_t g = 0; g < sizeof generic / sizeof *generic; g++)
                skip |= str_equal(str_from(key.word[k]), generic[g]);
            for (size_t w = 0; !skip && w < m->words.n; w++)
                if (strcmp(m->words.word[w], key.word[k]) == 0)
                    return true;
        }
    }
    return false;
}

/* Ids made of two fields: of one type, what has most of the event's names. */
static bool keep_fullest(struct matching *m, struct err *err)
{
    struct most {
        struct str type;
        unsigned texts;
    } *most = NULL;
    size_t n = 0, room = 0;
    for (size_t i = 0; i < m->nlist; i++) {
        size_t k = 0;
        if (m->list[i].rank == IDENTITY_EXACT)
            continue;
        while (k < n && !str_equal(most[k].type, m->list[i].type))
            k++;
        if (k == n) {
            struct most *grown = arena_grow(m->arena, most, n, &room, n + 1);
            if (!grown)
                return arena_full(m->arena, err);
            most = grown;
            most[n++] = (struct most){.type = m->list[i].type};
        }
        most[k].texts = m->list[i].texts > most[k].texts ? m->list[i].texts : most[k].texts;
    }
    for (size_t i = 0; i < m->nlist; i++)
        for (size_t k = 0; k < n && m->list[i].rank != IDENTITY_EXACT; k++)
            m->list[i].drop |=
                most[k].texts > m->list[i].texts && str_equal(most[k].type, m->list[i].type);
    return true;
}

static bool add_target(struct matching *m, const struct candidate *c, bool sure, struct err *err)
{
    struct activity_match *to = m->match;
    if (to->n == ACTIVITY_TARGETS_MAX)
        return add_stack(m, c->stack, err);
    struct activity_target *grown =
        arena_grow(m->arena, to->target, to->n, &to->targets_room, to->n + 1);
    if (!grown)
        return arena_full(m->arena, err);
    to->target = grown;
    to->target[to->n++] = (struct activity_target){c->stack, c->address, sure};
    return true;
}

/* Those that are surely meant come first, so that they are the ones that are named. */
static bool choose(struct matching *m, struct err *err)
{
    unsigned best = 0, best_named = 0; /* of what is named itself */
    bool own = false;
    bool another = is_about_another(m);
    if (!keep_fullest(m, err))
        return false;
    for (size_t i = 0; i < m->nlist; i++) {
        struct candidate *c = &m->list[i];
        c->drop |= another && c->rank == IDENTITY_REFERENCE;
        if (!c->drop && c->fit > best)
            best = c->fit;
        if (!c->drop && c->rank != IDENTITY_REFERENCE && c->fit > best_named)
            best_named = c->fit;
        own |= !c->parent;
    }
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < m->nlist; i++) {
            const struct candidate *c = &m->list[i];
            bool named = c->declared && c->rank == IDENTITY_EXACT && !c->parent;
            bool fits = c->fit == best && (c->rank != IDENTITY_REFERENCE || best_named < best);
            bool sure = (fits || named) && !(c->parent && own);
            if (c->drop || sure != (round == 0) || (!named && !c->fit && (best || another)))
                continue;
            if (!add_target(m, c, sure, err))
                return false;
        }
    return true;
}

static bool find(struct record *record, struct matching *m, struct err *err)
{
    struct activity_match *to = m->match;
    int64_t *hash = arena_new(m->arena, int64_t, m->n);
    to->missed = arena_new(m->arena, int64_t, m->n);
    if (!hash || !to->missed)
        return arena_full(m->arena, err);
    for (size_t i = 0; i < m->n; i++)
        hash[i] = m->spelling[i].hash;
    if (m->n && !identities_find(record, hash, m->n, take_hit, m, err))
        return false;
    for (size_t i = 0; i < m->n; i++)
        if (!m->spelling[i].hit && m->spelling[i].whole && !m->spelling[i].parent)
            to->missed[to->nmissed++] = m->spelling[i].hash;
    return choose(m, err);
}

bool activity_find_targets(struct record *record, struct arena *arena,
                           const struct activity_rules *rules, const struct activity *event,
                           struct activity_match *ret, struct err *err)
{
    struct matching m = {.arena = arena,
                         .rules = rules,
                         .event = event,
                         .text = {.limit = IDENTITY_TEXT_MAX + 1},
                         .match = ret};
    *ret = (struct activity_match){0};
    add_words(&m.words, event->service);
    add_words(&m.words, event->action);
    add_words(&m.words, event->kind);
    spell(&m);
    bool ok = !m.full || arena_full(arena, err);
    if (ok && event->stack.len && event->address.len &&
        (!rules->stacks.len || glob_match(rules->stacks, event->stack, '\0'))) {
        const struct candidate said = {.stack = event->stack, .address = event->address};
        ok = add_target(&m, &said, true, err);
    }
    ok = ok && find(record, &m, err);
    buf_free(&m.text);
    return ok;
}
