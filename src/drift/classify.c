/* classify.c - class, severity and the sentence of a finding. */
#include "drift/classify.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    REASON_MAX = 4096, /* of the sentence, in bytes */
    PATH_IN_REASON_MAX = 160,
    ID_MAX = 200
};

static bool is_set(const struct value *v)
{
    return v && v->kind != VALUE_NULL;
}

static const char *what_happened(const struct change *change)
{
    if (is_set(change->before) && !is_set(change->after))
        return "was removed";
    return !is_set(change->before) && is_set(change->after) ? "was set" : "was changed";
}

/* A path can be as long as a map's key; a sentence can not. */
static void add_path(struct buf *out, struct str path)
{
    if (path.len == 0) {
        buf_str(out, STR("the whole resource"));
        return;
    }
    if (path.len <= PATH_IN_REASON_MAX) {
        buf_str(out, path);
        return;
    }
    size_t cut = PATH_IN_REASON_MAX;
    while (cut && ((unsigned char)path.ptr[cut] & 0xc0) == 0x80)
        cut--;
    buf_str(out, str_sub(path, 0, cut));
    buf_str(out, STR("..."));
}

/* "a", "a and b", "a, b and c", "a, b, c and 4 more" */
static void add_names(struct buf *out, const struct change *const *changes, size_t n)
{
    size_t named = n <= DRIFT_NAMED_MAX ? n : DRIFT_NAMED_MAX;
    for (size_t i = 0; i < named; i++) {
        if (i)
            buf_str(out, i + 1 == n ? STR(" and ") : STR(", "));
        add_path(out, changes[i]->path);
    }
    if (n > named)
        buf_printf(out, " and %zu more", n - named);
}

static bool set_text(struct arena *arena, const struct buf *text, struct str *ret, struct err *err)
{
    if (!buf_ok(text, err))
        return false;
    *ret = arena_dup(arena, buf_view(text));
    return ret->ptr || arena_full(arena, err);
}

/* Elements of one set share a path: it is named once. */
static size_t drop_repeated_paths(const struct change **changes, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !str_equal(changes[kept - 1]->path, changes[i]->path))
            changes[kept++] = changes[i];
    return kept;
}

static const char *const sentences[CLASSIFY_GROUPS][2] = {
    [CLASSIFY_CONTRADICTS] = {" was changed outside of the code",
                              " were changed outside of the code"},
    [CLASSIFY_ACCEPTED] = {" differs from the code, which accepts any value",
                           " differ from the code, which accepts any values"},
    [CLASSIFY_UNAPPLIED] = {" is not applied yet: the code is ahead",
                            " are not applied yet: the code is ahead"},
};

static bool any_configurable(const struct finding *finding)
{
    for (size_t i = 0; i < finding->nchanges; i++)
        if (finding->changes[i].configurable)
            return true;
    return false;
}

static void add_left(struct buf *out, bool many, bool settable)
{
    buf_printf(out, " %s from the last state; the code %s %s", many ? "differ" : "differs",
               settable ? "does not ask for another value of" : "has no say in",
               many ? "them" : "it");
}

/* settable: of a difference that an apply leaves, whether the code could have a say. */
static bool set_reason(struct arena *arena, enum classify_group group, bool settable,
                       const struct change **changes, size_t nchanges, struct finding *finding,
                       struct err *err)
{
    AUTO_BUF out = {.limit = REASON_MAX};
    size_t n = drop_repeated_paths(changes, nchanges);
    add_names(&out, changes, n);
    if (finding->deposed)
        buf_str(&out, n == 1 ? STR(" differs, on an object that the next apply destroys")
                             : STR(" differ, on an object that the next apply destroys"));
    else if (group == CLASSIFY_LEFT)
        add_left(&out, n != 1, settable);
    else if (group == CLASSIFY_CONTRADICTS && n == 1 && nchanges == 1)
        buf_printf(&out, " %s outside of the code", what_happened(changes[0]));
    else
        buf_str(&out, str_from(sentences[group][n != 1]));
    if (finding->requires_replace)
        buf_str(&out, STR("; an apply would replace the resource"));
    return set_text(arena, &out, &finding->reason, err);
}

/* All reasons that take part, each once; owner and expiry of the first. */
static bool set_ignored(struct arena *arena, const struct ignore_rule *const *rule_of,
                        struct finding *finding, struct err *err)
{
    AUTO_BUF out = {.limit = REASON_MAX};
    finding->ignored = true;
    for (size_t i = 0; i < finding->nchanges; i++) {
        bool said = !rule_of[i];
        if (!said && !out.len) {
            finding->ignored_owner = rule_of[i]->owner;
            finding->ignored_expires = rule_of[i]->expires;
        }
        for (size_t j = 0; j < i && !said; j++)
            said = rule_of[i] == rule_of[j];
        if (said || rule_of[i]->reason.len > REASON_MAX / 2 - out.len / 2)
            continue;
        if (out.len)
            buf_str(&out, STR("; "));
        buf_str(&out, rule_of[i]->reason);
    }
    return set_text(arena, &out, &finding->ignored_by, err);
}

/* What is left when the ignored changes are taken away. */
struct rest {
    size_t n;
    bool configurable;         /* one of those left can be set by the code */
    bool ignored_configurable; /* one of those ignored can */
};

static struct rest rest_of(const struct ignore_rule *const *rule_of, const struct finding *finding)
{
    struct rest rest = {0};
    for (size_t i = 0; i < finding->nchanges; i++) {
        bool configurable = finding->changes[i].configurable;
        rest.n += !rule_of[i];
        rest.configurable |= !rule_of[i] && configurable;
        rest.ignored_configurable |= rule_of[i] && configurable;
    }
    return rest;
}

bool classify_changes(struct arena *arena, const struct ignore_rule *const *rule_of,
                      struct finding *finding, struct err *err)
{
    const struct change **counting = arena_new(arena, const struct change *, finding->nchanges);
    struct rest rest = rest_of(rule_of, finding);
    /* Computed attributes follow what was accepted: an etag is no reason to speak up again. */
    bool ignored = rest.n == 0 || (!rest.configurable && rest.ignored_configurable);
    bool configurable = rest.configurable || (ignored && rest.ignored_configurable);
    size_t n = 0;
    if (!counting)
        return arena_full(arena, err);
    for (size_t i = 0; i < finding->nchanges; i++)
        if (!rule_of[i] || ignored)
            counting[n++] = &finding->changes[i];

    finding->class_ = configurable && !finding->deposed ? CLASS_CONTRADICTS_CODE : CLASS_STATE_ONLY;
    finding->severity = finding_class_severity(finding->class_);
    enum classify_group group =
        finding->class_ == CLASS_STATE_ONLY ? CLASSIFY_LEFT : CLASSIFY_CONTRADICTS;
    return set_reason(arena, group, false, counting, n, finding, err) &&
           (!ignored || set_ignored(arena, rule_of, finding, err));
}

static enum finding_class class_of(enum classify_group group)
{
    return group == CLASSIFY_UNAPPLIED ? CLASS_UNAPPLIED
           : group == CLASSIFY_LEFT    ? CLASS_STATE_ONLY
                                       : CLASS_CONTRADICTS_CODE;
}

bool classify_changes_of(struct arena *arena, enum classify_group group,
                         const struct ignore_rule *const *rule_of, struct finding *finding,
                         struct err *err)
{
    const struct change **counting = arena_new(arena, const struct change *, finding->nchanges);
    bool ignored = rest_of(rule_of, finding).n == 0;
    size_t n = 0;
    if (!counting)
        return arena_full(arena, err);
    for (size_t i = 0; i < finding->nchanges; i++) {
        bool counts = !rule_of[i] || ignored;
        if (counts)
            counting[n++] = &finding->changes[i];
        finding->requires_replace |= counts && finding->changes[i].requires_replace;
    }
    finding->class_ = class_of(group);
    finding->severity = finding_class_severity(finding->class_);
    return set_reason(arena, group, any_configurable(finding), counting, n, finding, err) &&
           (!ignored || set_ignored(arena, rule_of, finding, err));
}

static void set_ignored_whole(const struct ignore_set *ignores, struct finding *finding)
{
    const struct ignore_rule *rule = ignore_find_whole(ignores);
    if (!rule)
        return;
    finding->ignored = true;
    finding->ignored_by = rule->reason;
    finding->ignored_owner = rule->owner;
    finding->ignored_expires = rule->expires;
}

bool classify_whole(struct arena *arena, const struct ignore_set *ignores, struct str reason,
                    bool by_drift, struct finding *finding, struct err *err)
{
    finding->class_ = by_drift ? CLASS_CONTRADICTS_CODE : CLASS_UNAPPLIED;
    finding->severity = finding_class_severity(finding->class_);
    set_ignored_whole(ignores, finding);
    finding->reason = arena_dup(arena, reason);
    return finding->reason.ptr || arena_full(arena, err);
}

bool classify_missing(struct arena *arena, const struct ignore_set *ignores, struct str id,
                      bool unasked, struct finding *finding, struct err *err)
{
    AUTO_BUF out = {.limit = REASON_MAX};
    finding->class_ = unasked ? CLASS_STATE_ONLY : CLASS_MISSING;
    finding->severity = finding_class_severity(finding->class_);
    set_ignored_whole(ignores, finding);
    buf_str(&out, STR("it does not exist any more"));
    if (unasked)
        buf_str(&out, STR(", and the code does not ask for it"));
    else if (id.len && id.len <= ID_MAX)
        buf_printf(&out, ": nothing was found with id \"%.*s\"", STR_ARG(id));
    return set_text(arena, &out, &finding->reason, err);
}
