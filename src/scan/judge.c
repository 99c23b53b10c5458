/* judge.c - a finding before policy: its values without secrets told, its surroundings, the answer.
 *
 * Ignored: a finding that ignore rules cover is not judged, nor are its changes that they cover
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "drift/sensitive.h"
#include "model/decision.h"
#include "model/stack.h"
#include "policy/asked.h"
#include "policy/policy.h"
#include "policy/waiver.h"
#include "scan/tally.h"

/* What it was made of: values of one answer that outlive the call that made it. */
struct kept {
    struct drift_input in;
    struct drift_code code;
    struct value desired, live;
};

bool scan_remember(struct arena *scratch, const struct drift_input *in, struct observation *ret,
                   struct err *err)
{
    struct kept *kept = arena_new(scratch, struct kept, 1);
    if (!kept)
        return arena_full(scratch, err);
    kept->in = *in;
    if (in->desired)
        kept->desired = *in->desired;
    if (in->live)
        kept->live = *in->live;
    if (in->code)
        kept->code = *in->code;
    kept->in.desired = in->desired ? &kept->desired : NULL;
    kept->in.live = in->live ? &kept->live : NULL;
    kept->in.code = in->code ? &kept->code : NULL;
    ret->of = &kept->in;
    return true;
}

/* --- values --- */

/* What the schema, the state and the code call secret is marked. */
static bool mark(struct arena *arena, const struct drift_input *of, const struct value *v,
                 const struct value **ret, struct err *err)
{
    struct sensitive_input by_state = {of->schema, of->resource->sensitive,
                                       of->resource->nsensitive};
    struct sensitive_input by_code = {NULL, NULL, 0};
    struct value *marked = arena_new(arena, struct value, 2);
    if (!marked)
        return arena_full(arena, err);
    if (of->code)
        by_code = (struct sensitive_input){NULL, of->code->sensitive, of->code->nsensitive};
    if (!sensitive_mark(arena, &by_state, v, &marked[0], err) ||
        !sensitive_mark(arena, &by_code, &marked[0], &marked[1], err))
        return false;
    *ret = &marked[1];
    return true;
}

static const struct value not_known = {.kind = VALUE_UNKNOWN};

/* What the code asks for: what an apply would make, where that was planned. */
static const struct value *desired_of(const struct drift_input *of)
{
    const struct value *v = of->code && of->code->from_live ? of->code->from_live : of->desired;
    return v && v->kind != VALUE_NULL ? v : NULL;
}

static bool take_values(struct arena *arena, const struct drift_input *of,
                        const struct finding *finding, struct rule_subject *s, struct err *err)
{
    const struct value *desired = of ? desired_of(of) : NULL, *live = of ? of->live : NULL;
    s->values = &not_known;
    if (finding->class_ == CLASS_UNCHECKED)
        return true;
    if (desired && !mark(arena, of, desired, &s->desired, err))
        return false;
    if (live && !mark(arena, of, live, &s->live, err))
        return false;
    if (s->live)
        s->values = s->live;
    else if (finding->class_ == CLASS_MISSING && s->desired)
        s->values = s->desired;
    const struct value *id = value_get(s->values, STR("id"));
    if (value_is_string(id) && !(id->marks & VALUE_SENSITIVE))
        s->id = value_text(id);
    return true;
}

bool scan_take_tags(struct tally *tally, const struct drift_input *of, const struct finding *raw,
                    struct finding *kept, struct err *err)
{
    enum { TAGS_MAX = 100 };
    AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
    struct rule_subject s = {.kind = SUBJECT_FINDING, .class_ = raw->class_};
    struct value tags = {0}, told = {.kind = VALUE_MAP};
    struct value_member *member = arena_new(&scratch, struct value_member, TAGS_MAX);
    struct value *ret = arena_new(tally->arena, struct value, 1);
    if (!member || !ret)
        return arena_full(tally->arena, err);
    if (!take_values(&scratch, of, raw, &s, err) || !rule_tags(&scratch, &s, &tags, err))
        return false;
    bool known = tags.kind == VALUE_MAP && !(tags.marks & VALUE_SENSITIVE);
    for (size_t i = 0; known && i < tags.len && told.len < TAGS_MAX; i++)
        if (value_is_string(&tags.members[i].value) && !value_any_sensitive(&tags.members[i].value))
            member[told.len++] = tags.members[i];
    told.members = member;
    kept->tags = told.len ? ret : NULL;
    return !told.len || value_copy(tally->arena, &told, ret, err);
}

bool scan_take_value(struct tally *tally, const struct drift_input *of, const struct finding *raw,
                     struct finding *kept, struct err *err)
{
    AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
    struct rule_subject s = {.kind = SUBJECT_FINDING, .class_ = raw->class_};
    if (raw->nchanges || raw->class_ != CLASS_UNMANAGED)
        return true;
    return take_values(&scratch, of, raw, &s, err) &&
           waiver_digest_whole(tally->arena, tally->options->record_key, raw->class_, raw->address,
                               raw->type, s.live, &kept->kept_digest, err);
}

/* --- changes --- */

static bool take_changes(struct arena *arena, const struct finding *finding, size_t *index,
                         struct rule_subject *s, struct err *err)
{
    struct rule_change *change = arena_new(arena, struct rule_change, finding->nchanges);
    if (!change)
        return arena_full(arena, err);
    for (size_t i = 0; i < finding->nchanges; i++) {
        const struct change *from = &finding->changes[i];
        struct rule_change *to = &change[s->nchanges];
        if (from->ignored_by.len)
            continue;
        *to = (struct rule_change){.path_text = from->path,
                                   .before = from->before,
                                   .after = from->after,
                                   .sensitive = from->sensitive,
                                   .computed = !from->configurable};
        if (!path_parse(arena, from->path, &to->path, err))
            return err_wrap(err, "%.*s", STR_ARG(finding->address));
        index[s->nchanges++] = i;
    }
    s->change = change;
    return true;
}

/* --- surroundings --- */

static void take_place(const struct finding *finding, struct rule_subject *s)
{
    const struct origin *origin = finding->origin;
    if (!origin)
        return;
    s->code = origin->at;
    s->code_owners = origin->owner;
    if (origin->commit) {
        s->code_commit = origin->commit->hash;
        s->code_author = origin->commit->author;
    }
}

static void take_actor(const struct attribution *by, struct rule_subject *s)
{
    if (by && by->actor.len)
        s->actor = (struct rule_actor){true, by->kind,
                                       by->principal.len ? by->principal : by->actor, by->way};
}

static void take_stack(const struct stack *stack, struct rule_subject *s)
{
    if (!stack)
        return;
    s->stack_path = stack->path;
    s->workspace = stack->workspace;
    s->env = stack->environment;
    s->owner = stack->owner;
}

static void take_resource(const struct drift_input *of, struct rule_subject *s)
{
    if (!of)
        return;
    s->module = of->resource->module;
    s->name = of->resource->name;
    s->mode = of->resource->mode == RESOURCE_DATA ? STR("data") : STR("managed");
    s->index = of->resource->index_key;
}

/* --- digests --- */

/* What is too big to be kept is asked again by the next scan only. */
static bool keep_asked(struct tally *tally, const struct rule_subject *s, const struct str *digest,
                       struct finding *finding, struct err *err)
{
    AUTO_BUF out = {.limit = ASKED_BYTES_MAX};
    if (!tally->options->keep_asked)
        return true;
    if (!asked_write(&out, s, digest, err)) {
        if (!out.failed)
            return false;
        err_clear(err);
        return true;
    }
    finding->asked = arena_dup(tally->arena, buf_view(&out));
    return finding->asked.ptr || arena_full(tally->arena, err);
}

/* What a waiver would be bound to, for those who read the report. The secrets behind copied
 * findings are gone: `raw` has the values as they were observed. */
static bool keep_digests(struct tally *tally, struct arena *scratch, const struct rule_subject *s,
                         const size_t *index, struct finding *finding, struct err *err)
{
    size_t n = s->nchanges ? s->nchanges : 1;
    struct str *digest = arena_new(scratch, struct str, n);
    if (!digest)
        return arena_full(scratch, err);
    if (!policy_digests(tally->options->policy, scratch, s, digest, err) ||
        !keep_asked(tally, s, digest, finding, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str kept = digest[i].ptr ? arena_dup(tally->arena, digest[i]) : STR("");
        if (!kept.ptr)
            return arena_full(tally->arena, err);
        /* The changes are our own copy. */
        if (s->nchanges)
            ((struct change *)(uintptr_t)finding->changes)[index[i]].digest = kept;
        else
            finding->digest = kept;
    }
    return true;
}

/* --- the answer --- */

static bool take_answer(struct tally *tally, const struct judgement *said, struct finding *finding,
                        struct err *err)
{
    struct judgement *kept = arena_new(tally->arena, struct judgement, 1);
    if (!kept || !judgement_copy(tally->arena, said, kept))
        return arena_full(tally->arena, err);
    finding->judgement = kept;
    finding->severity = kept->severity;
    if (kept->decision != DECISION_IGNORE)
        return true;
    finding->ignored = true;
    finding->ignored_owner = kept->owner;
    finding->ignored_by = kept->rule.len ? arena_printf(tally->arena, "%.*s [%.*s]",
                                                        STR_ARG(kept->message), STR_ARG(kept->rule))
                                         : kept->message;
    tally->coverage.ignored++;
    return finding->ignored_by.ptr || arena_full(tally->arena, err);
}

/* raw: as it was observed, secrets and all; kept: the copy in the result, whose place is known. */
bool scan_judge(struct tally *tally, const struct drift_input *of, const struct finding *raw,
                struct finding *kept, struct err *err)
{
    AUTO_ARENA scratch = {.limit = ARENA_DEFAULT_LIMIT};
    struct judgement said;
    struct rule_subject s = {.kind = SUBJECT_FINDING,
                             .source = RULE_SOURCE_TERRAFORM,
                             .class_ = raw->class_,
                             .address = raw->address,
                             .type = raw->type,
                             .provider = raw->provider,
                             .stack = raw->stack,
                             .now_utc_ms = tally->options->now_utc_ms,
                             .fingerprint = str_from(raw->fingerprint),
                             .reason = raw->reason,
                             .enforcement_point = STR("scan")};
    size_t *index = arena_new(&scratch, size_t, raw->nchanges);
    if (raw->ignored)
        return true;
    if (!index)
        return arena_full(&scratch, err);
    take_place(kept, &s);
    take_actor(kept->by, &s);
    take_stack(tally->of, &s);
    take_resource(of, &s);
    if (!take_values(&scratch, of, raw, &s, err) || !take_changes(&scratch, raw, index, &s, err) ||
        !keep_digests(tally, &scratch, &s, index, kept, err) ||
        !policy_judge(tally->options->policy, &scratch, &s, &said, err))
        return err_wrap(err, "policy of %.*s", STR_ARG(raw->address));
    return take_answer(tally, &said, kept, err);
}
