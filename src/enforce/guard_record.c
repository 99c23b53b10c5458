/* guard_record.c - findings, freezes and policy about one change, and the event of the answer. */
#include "enforce/guard_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "drift/sensitive.h"
#include "enforce/concern.h"
#include "enforce/guard_undo.h"
#include "model/config.h"
#include "model/schema.h"
#include "model/stack.h"
#include "policy/policy.h"
#include "record/audit.h"
#include "record/freshness.h"
#include "record/standing.h"
#include "wire/msgpack.h"

enum { FRESH_MS = 1000, STANDING_MEMORY = 1 << 30, TEXT_MAX = 16 << 10, SHOWN_MAX = 5 };

struct guard_record {
    struct guard_record_options options;
    struct arena arena; /* of `standing` */
    struct standing standing;
    int64_t asked_ms; /* monotonic; 0 = never */
};

enum level { LEVEL_BLOCK = 0, LEVEL_WARN, LEVEL_OFF };

static enum level level_of(struct str text)
{
    return str_equal(text, STR("warn"))  ? LEVEL_WARN
           : str_equal(text, STR("off")) ? LEVEL_OFF
                                         : LEVEL_BLOCK;
}

/* One question on its way to an answer. */
struct judging {
    struct guard_record *g;
    struct arena *arena;
    const struct guard_change *change;
    struct concern_answer of;
    const struct standing *standing; /* NULL: no store */
    struct buf detail;               /* what blocks, for the terminal */
    struct buf reason;               /* the same in a sentence, for the log */
    const char *summary;             /* of the first that blocks */
    struct str address;              /* of the first that blocks */
    size_t nblocking, nwarnings;
};

static const char *warned_why(const struct judging *j, enum level level);

/* False: it does not block (level, breakglass), and nothing is to be added to `detail`. */
static bool object(struct judging *j, enum level level, const char *summary, struct str address,
                   struct str sentence)
{
    const char *why = warned_why(j, level);
    if (level == LEVEL_OFF)
        return false;
    if (why) {
        j->nwarnings++;
        struct str text = arena_printf(j->arena, "%.*s (%s)", STR_ARG(sentence), why);
        if (j->g->options.on_warning)
            j->g->options.on_warning(j->g->options.ctx, text);
        return false;
    }
    if (!j->nblocking++) {
        j->summary = summary;
        j->address = address;
        buf_str(&j->reason, str_sub(sentence, 0, 400));
    }
    if (j->nblocking > SHOWN_MAX)
        return false;
    buf_printf(&j->detail, "%s%.*s\n", j->detail.len ? "\n" : "", STR_ARG(sentence));
    return true;
}

/* --- findings --- */

static enum level undo_level(const struct judging *j)
{
    return level_of(j->g->options.gate ? j->g->options.gate->undo : STR(""));
}

static void say_who(struct judging *j, const struct standing_finding *f)
{
    if (f->author.name.len)
        buf_printf(&j->detail, "  changed by: %.*s\n", STR_ARG(f->author.name));
    if (f->owner.len)
        buf_printf(&j->detail, "  owner: %.*s\n", STR_ARG(f->owner));
    if (!j->of.known || j->of.n != 1)
        buf_printf(&j->detail,
                   "  This change may be of another resource; plumb cannot tell%s%.*s.\n",
                   j->of.why.len ? ": " : "", STR_ARG(j->of.why));
}

static void say_how(struct judging *j, const struct standing_finding *f)
{
    buf_printf(&j->detail,
               "  Decide first:  plumb review %.*s --revert|--adopt|--accept --reason TEXT\n"
               "  If it was put right since, plumb scan finds that out.\n",
               (int)(f->fingerprint.len < 8 ? f->fingerprint.len : 8), f->fingerprint.ptr);
}

static struct str since(struct judging *j, const struct standing_finding *f)
{
    char text[CLOCK_TEXT];
    return arena_printf(j->arena, "%.*s %s outside of the code (found %s)", STR_ARG(f->address),
                        f->class_ == CLASS_MISSING ? "was deleted" : "was changed",
                        clock_format(f->first_utc_ms, text));
}

static void say_undone(struct judging *j, const struct standing_finding *f,
                       const struct guard_undone *undone)
{
    struct str sentence = arena_printf(
        j->arena, "%.*s, and nobody has decided what shall become of it.", STR_ARG(since(j, f)));
    if (!object(j, undo_level(j), "Refused by plumb: unreviewed drift", f->address, sentence))
        return;
    say_who(j, f);
    if (undone->paths.len)
        buf_printf(&j->detail, "  This would set back:  %.*s\n", STR_ARG(undone->paths));
    say_how(j, f);
}

/* Left as it is, but policy wants it decided before anything else. */
static void say_undecided(struct judging *j, const struct standing_finding *f)
{
    const struct config_gate *gate = j->g->options.gate;
    struct str sentence = arena_printf(
        j->arena, "%.*s; this leaves that as it is, but policy wants it decided first (%s).",
        STR_ARG(since(j, f)), decision_name(f->decision));
    if (!object(j, level_of(gate ? gate->undecided : STR("")), "Refused by plumb: undecided drift",
                f->address, sentence))
        return;
    say_who(j, f);
    say_how(j, f);
}

/* Somebody has decided otherwise: what is accepted as it is may be set back by whoever means to;
 * what is to come into the code must be there first. */
static void say_decided(struct judging *j, const struct standing_finding *f)
{
    bool accept = f->review->answer == ANSWER_ACCEPT;
    struct str sentence = arena_printf(
        j->arena, "%.*s: review R%lld %s (%.*s).", STR_ARG(f->address), (long long)f->review->id,
        accept ? "accepts what is live" : "wants what is live in the code first",
        STR_ARG(f->review->reason));
    enum level level = undo_level(j);
    if (level == LEVEL_BLOCK && accept)
        level = LEVEL_WARN;
    if (!object(j, level, "Refused by plumb: drift that is to be adopted", f->address, sentence))
        return;
    say_who(j, f);
    buf_str(&j->detail, STR("  Take it into the code (plumb adopt), then scan (plumb scan).\n"));
}

static bool judge_finding(struct judging *j, const struct guard_values *values,
                          const struct standing_finding *f, struct err *err)
{
    struct guard_undone undone;
    if (!guard_undoes(j->arena, j->g->options.record, values, f, &undone, err))
        return false;
    if (undone.any) {
        bool agreed = guard_agreed(f);
        if (f->review && f->review->answer != ANSWER_REVERT)
            say_decided(j, f);
        else if (!f->decided && !agreed)
            say_undone(j, f, &undone);
    } else if (!f->decided && f->judged && decision_is_violation(f->decision)) {
        say_undecided(j, f);
    }
    return true;
}

static bool judge_findings(struct judging *j, struct err *err)
{
    struct guard_values values;
    bool read = false;
    for (size_t i = 0; j->standing && i < j->standing->n; i++) {
        const struct standing_finding *f = &j->standing->finding[i];
        bool same_type = !j->change->type.len || str_equal(f->type, j->change->type);
        if (!guard_is_drift(f) || !same_type ||
            !concern_may_be(j->g->options.concern, j->change, &j->of, f->address))
            continue;
        if (!read)
            guard_values_of(j->arena, j->change, concern_schema(j->g->options.concern, j->change),
                            &values);
        read = true;
        if (!judge_finding(j, &values, f, err))
            return false;
    }
    return true;
}

/* What is on record is as good as the last scan. */
static void judge_freshness(struct judging *j)
{
    const struct config_gate *gate = j->g->options.gate;
    char text[CLOCK_TEXT];
    if (!j->standing || !gate)
        return;
    int64_t scanned = j->standing->scanned_utc_ms;
    if (!freshness_is_old(scanned, gate->max_age_ms, j->standing->at_utc_ms))
        return;
    struct str sentence =
        scanned ? arena_printf(j->arena, "The last complete scan of %.*s was at %s.",
                               STR_ARG(j->standing->stack), clock_format(scanned, text))
                : arena_printf(j->arena, "%.*s was never scanned completely.",
                               STR_ARG(j->standing->stack));
    if (object(j, level_of(gate->coverage), "Refused by plumb: no fresh scan", (struct str){0},
               sentence))
        buf_str(&j->detail, STR("  Scan first:  plumb scan\n"));
}

/* --- freezes and breakglasses --- */

static const struct cover *freeze_of(const struct judging *j)
{
    const struct cover *found = NULL;
    if (!j->standing)
        return NULL;
    for (size_t i = 0; i < j->of.n && !found; i++)
        found = standing_freeze(j->standing, j->of.address[i]);
    if (!found && !j->of.known && j->standing->nfreezes)
        found = &j->standing->freeze[0];
    return found;
}

static void judge_freeze(struct judging *j)
{
    const struct cover *freeze = freeze_of(j);
    char until[CLOCK_TEXT];
    if (!freeze)
        return;
    struct str sentence =
        arena_printf(j->arena, "Freeze F%lld is in effect%s%s: %.*s", (long long)freeze->id,
                     freeze->until_utc_ms ? " until " : "",
                     freeze->until_utc_ms ? clock_format(freeze->until_utc_ms, until) : "",
                     STR_ARG(freeze->reason));
    if (object(j, level_of(j->g->options.gate ? j->g->options.gate->freeze : STR("")),
               "Refused by plumb: freeze", j->of.n == 1 ? j->of.address[0] : STR(""), sentence))
        buf_printf(
            &j->detail,
            "  declared by: %.*s\n  Wait until it ends, or ask who declared it (plumb freeze end "
            "F%lld).\n",
            STR_ARG(freeze->by.name), (long long)freeze->id);
}

/* Every address that it may be is covered. */
static const struct cover *breakglass_of(const struct judging *j)
{
    const struct cover *found = NULL;
    if (!j->standing || !j->standing->nbreakglasses)
        return NULL;
    if (!j->of.known)
        return standing_breakglass(j->standing, STR(""));
    for (size_t i = 0; i < j->of.n; i++)
        if (!(found = standing_breakglass(j->standing, j->of.address[i])))
            return NULL;
    return found;
}

static const char *warned_why(const struct judging *j, enum level level)
{
    if (level == LEVEL_WARN)
        return "this warns only";
    return breakglass_of(j) ? "a breakglass is in effect" : NULL;
}

/* --- policy --- */

static void say_violation(struct judging *j, struct str address, const struct judgement *said)
{
    struct str sentence = arena_printf(
        j->arena, "%.*s: %.*s (%s%s%.*s)", STR_ARG(address.len ? address : j->change->type),
        STR_ARG(said->message.len ? said->message : said->rule), decision_name(said->decision),
        said->rule.len ? ", " : "", STR_ARG(said->rule));
    if (!object(j, level_of(j->g->options.gate ? j->g->options.gate->policy : STR("")),
                "Refused by plumb: policy", address, sentence))
        return;
    if (said->at.file.len)
        buf_printf(&j->detail, "  rule at: %.*s:%u\n", STR_ARG(said->at.file), said->at.line);
    if (said->nverdicts && said->verdict[0].remedy.len)
        buf_printf(&j->detail, "  What to do: %.*s\n", STR_ARG(said->verdict[0].remedy));
}

static bool decode(struct judging *j, const struct schema *schema, struct str msgpack,
                   struct value *ret, struct err *err)
{
    struct value plain;
    const struct sensitive_input secret = {.schema = schema};
    return msgpack_decode(j->arena, schema->block.type, msgpack, &plain, err) &&
           sensitive_mark(j->arena, &secret, &plain, ret, err);
}

static bool judge_address(struct judging *j, struct str address, const struct value *before,
                          const struct value *after, struct err *err)
{
    static const struct str actions[] = {[GUARD_UNKNOWN] = STR_INIT("update"),
                                         [GUARD_CREATE] = STR_INIT("create"),
                                         [GUARD_UPDATE] = STR_INIT("update"),
                                         [GUARD_DELETE] = STR_INIT("delete")};
    const struct stack *stack = j->g->options.stack;
    bool deleted = j->change->kind == GUARD_DELETE;
    struct judgement said;
    struct rule_subject subject = {.kind = SUBJECT_CHANGE,
                                   .source = RULE_SOURCE_TERRAFORM,
                                   .address = address,
                                   .mode = STR("managed"),
                                   .type = j->change->type,
                                   .provider = j->change->provider,
                                   .id = value_get_string(before, STR("id")),
                                   .index = value_null(),
                                   .values = deleted ? before : after,
                                   .desired = after,
                                   .live = before,
                                   .action = actions[j->change->kind],
                                   .stack = stack->name,
                                   .stack_path = stack->path,
                                   .workspace = stack->workspace,
                                   .env = stack->environment,
                                   .owner = stack->owner,
                                   .now_utc_ms = j->g->options.now_ms(j->g->options.clock),
                                   .enforcement_point = STR("provider")};
    if (!policy_judge(j->g->options.policy, j->arena, &subject, &said, err))
        return false;
    if (decision_is_violation(said.decision) && !said.waived)
        say_violation(j, address, &said);
    return true;
}

static bool judge_policy(struct judging *j, struct err *err)
{
    struct value before = value_null(), after = value_null();
    if (!j->g->options.policy || j->change->kind == GUARD_UNKNOWN)
        return true;
    const struct schema *schema = concern_schema(j->g->options.concern, j->change);
    if (!schema)
        return err_set(err, ERR_UNAVAILABLE, "no schema of %.*s is to be had, to judge it by",
                       STR_ARG(j->change->type));
    if ((j->change->prior.len && !decode(j, schema, j->change->prior, &before, err)) ||
        (j->change->planned.len && !decode(j, schema, j->change->planned, &after, err)))
        return false;
    if (!j->of.n)
        return judge_address(j, STR(""), &before, &after, err);
    for (size_t i = 0; i < j->of.n; i++)
        if (!judge_address(j, j->of.address[i], &before, &after, err))
            return false;
    return true;
}

/* --- the answer --- */

static bool refresh(struct guard_record *g, struct err *err)
{
    int64_t now = clock_monotonic_ms();
    if (!g->options.record || (g->asked_ms && now - g->asked_ms < FRESH_MS))
        return true;
    arena_reset(&g->arena);
    g->asked_ms = 0;
    if (!standing_ask(g->options.record, &g->arena, g->options.stack->name, 0, &g->standing, err))
        return err_wrap(err, "what stands on record");
    g->asked_ms = now;
    return true;
}

void guard_record_forget(struct guard_record *guard)
{
    if (guard)
        guard->asked_ms = 0;
}

/* Addresses for the log: the one, or the first of several. */
static struct str subject_of(const struct judging *j)
{
    if (j->address.len)
        return j->address;
    if (j->of.known && j->of.n == 1)
        return j->of.address[0];
    return j->change->type.len ? j->change->type : j->change->method;
}

static bool add_member(struct judging *j, struct value_member *to, struct str key, struct value v,
                       struct err *err)
{
    *to = (struct value_member){key_make(j->arena, key), v};
    return to->key || arena_full(j->arena, err);
}

static bool write_event(struct judging *j, bool allow, struct err *err)
{
    const struct guard_record_options *o = &j->g->options;
    struct event event = {.type = EVENT_GATE_DECISION,
                          .actor = o->actor,
                          .stack = o->stack->name,
                          .subject = subject_of(j),
                          .outcome = !allow         ? STR("deny")
                                     : j->nwarnings ? STR("warn")
                                                    : STR("allow"),
                          .reason = buf_view(&j->reason)};
    struct value_member *m = arena_new(j->arena, struct value_member, 5);
    if (!o->record)
        return true;
    if (!m)
        return arena_full(j->arena, err);
    return add_member(j, &m[0], STR("point"), value_string(STR("provider")), err) &&
           add_member(j, &m[1], STR("provider"), value_string(j->change->provider), err) &&
           add_member(j, &m[2], STR("method"), value_string(j->change->method), err) &&
           add_member(j, &m[3], STR("action"),
                      value_string(str_from(guard_kind_name(j->change->kind))), err) &&
           add_member(j, &m[4], STR("candidates"), value_int((int64_t)j->of.n), err) &&
           value_members(VALUE_OBJECT, m, 5, &event.detail, NULL, err) &&
           audit_write(o->record, &event, NULL, err);
}

static void cannot_tell(struct judging *j, const struct err *err)
{
    char text[1024];
    (void)err_text(err, text, sizeof text);
    j->summary = "Refused by plumb: it could not decide";
    j->nblocking++;
    j->reason.len = 0;
    buf_printf(&j->reason, "%s", text);
    buf_printf(&j->detail,
               "%splumb could not find out whether this change may be made, and so it is not: "
               "%s\n  Repair that, then run it again.\n",
               j->detail.len ? "\n" : "", text);
}

static void ask(void *ctx, struct arena *arena, const struct guard_change *change,
                struct guard_answer *ret)
{
    struct guard_record *g = ctx;
    struct judging j = {.g = g,
                        .arena = arena,
                        .change = change,
                        .detail = {.limit = TEXT_MAX},
                        .reason = {.limit = TEXT_MAX}};
    struct err err = {0};
    if (!refresh(g, &err) || !concern_of(g->options.concern, arena, change, &j.of, &err)) {
        cannot_tell(&j, &err);
    } else {
        j.standing = g->options.record ? &g->standing : NULL;
        judge_freeze(&j);
        judge_freshness(&j);
        if (!judge_findings(&j, &err) || !judge_policy(&j, &err))
            cannot_tell(&j, &err);
    }
    if (j.nblocking > SHOWN_MAX)
        buf_printf(&j.detail, "\nand %zu more\n", j.nblocking - SHOWN_MAX);
    bool allow = j.nblocking == 0;
    err_clear(&err);
    if (!write_event(&j, allow, &err)) { /* what is not on record is not allowed */
        allow = false;
        cannot_tell(&j, &err);
    }
    struct str detail = arena_dup(arena, buf_view(&j.detail));
    *ret = (struct guard_answer){.allow = allow,
                                 .summary = str_from(j.summary),
                                 .detail = str_trim(detail),
                                 .address = j.address};
    buf_free(&j.detail);
    buf_free(&j.reason);
}

bool guard_record_open(const struct guard_record_options *options, struct guard_record **ret,
                       struct err *err)
{
    struct guard_record *g = calloc(1, sizeof *g);
    if (!g)
        return err_set(err, ERR_LIMIT, "out of memory");
    g->options = *options;
    g->arena.limit = STANDING_MEMORY;
    if (!refresh(g, err)) {
        guard_record_close(g);
        return false;
    }
    if (g->options.record && !g->standing.scanned_utc_ms && options->on_warning) {
        char text[512];
        (void)snprintf(text, sizeof text,
                       "note: the store has no complete scan of the stack %.*s: what drifted there "
                       "is not known (plumb scan)",
                       STR_ARG(options->stack->name));
        options->on_warning(options->ctx, str_from(text));
    }
    *ret = g;
    return true;
}

void guard_record_close(struct guard_record *g)
{
    if (!g)
        return;
    arena_free(&g->arena);
    free(g);
}

struct guard guard_record_guard(struct guard_record *g)
{
    return (struct guard){.ask = ask, .ctx = g};
}
