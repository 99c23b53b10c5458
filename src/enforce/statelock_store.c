/* statelock_store.c - locks and writes in the store, each with its event. */
#include "enforce/statelock_store.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "record/db.h"
#include "record/permit.h"
#include "record/record.h"

enum { DETAILS_MAX = 12 };

/* The detail of an event: strings and numbers by name. */
struct detail {
    struct arena *arena;
    struct value_member member[DETAILS_MAX];
    size_t n;
    bool full;
};

static void add(struct detail *d, const char *name, struct value value)
{
    const struct value_key *key = key_make(d->arena, str_from(name));
    if (!key || d->n == DETAILS_MAX) {
        d->full = true;
        return;
    }
    d->member[d->n++] = (struct value_member){key, value};
}

/* Empty ones are left out; what a client said is cut to what an event should hold. */
static void add_text(struct detail *d, const char *name, struct str text)
{
    if (text.len)
        add(d, name, value_string(str_sub(text, 0, LOCKINFO_ID_MAX)));
}

static bool finish(struct detail *d, struct event *event, struct err *err)
{
    struct value_member *copy = arena_new(d->arena, struct value_member, d->n);
    if (!copy || d->full)
        return arena_full(d->arena, err);
    memcpy(copy, d->member, d->n * sizeof *copy);
    return value_members(VALUE_OBJECT, copy, d->n, &event->detail, NULL, err);
}

static struct event event_of(const struct lock_deed *deed, enum event_type type, struct str subject,
                             bool allowed, struct str reason)
{
    return (struct event){.type = type,
                          .actor = {.name = deed->caller.name,
                                    .how = deed->caller.how.len ? deed->caller.how
                                           : deed->caller.token ? STR("token")
                                                                : STR("none")},
                          .stack = deed->stack,
                          .subject = subject,
                          .outcome = allowed ? STR("allow") : STR("deny"),
                          .reason = reason};
}

static bool load(const struct lock_deed *deed, struct state_row *row, struct err *err)
{
    if (!states_get(deed->arena, deed->record->db, deed->stack, row, err))
        return false;
    row->stack = deed->stack;
    return true;
}

static bool print_info(const struct lock_deed *deed, struct buf *text, struct str *ret,
                       struct err *err)
{
    if (!buf_ok(text, err))
        return false;
    *ret = arena_dup(deed->arena, buf_view(text));
    return ret->ptr || arena_full(deed->arena, err);
}

/* --- LOCK --- */

static bool take_event(const struct lock_deed *deed, const struct lock_facts *facts, bool warned,
                       struct lock_result *ret, struct err *err)
{
    struct detail d = {.arena = deed->arena};
    const struct lockinfo *info = facts->info;
    bool given = lock_is_given(ret->answer);
    struct str against = statelock_summary(deed->arena, facts->reason, facts->nreasons);
    ret->has_event = true;
    ret->event = event_of(deed, EVENT_LOCK, info->id, given, given && !warned ? STR("") : against);
    add_text(&d, "operation", info->operation);
    add_text(&d, "client", info->version);
    add_text(&d, "who", info->who);
    add_text(&d, "peer", deed->peer);
    add_text(&d, "lineage", facts->row->lineage);
    add(&d, "serial", value_int(facts->row->serial));
    if (warned)
        add_text(&d, "breakglass", facts->breakglass);
    return finish(&d, &ret->event, err);
}

static bool take(const struct lock_deed *deed, const struct lock_facts *facts, struct str kind,
                 struct err *err)
{
    const struct lockinfo *info = facts->info;
    AUTO_BUF text = {.limit = LOCKINFO_BYTES_MAX * 2};
    struct state_lock lock = {.id = info->id,
                              .kind = kind,
                              .token = facts->caller.token,
                              .name = facts->caller.name,
                              .taken_utc_ms = record_now(deed->record)};
    lockinfo_print(&text, info);
    lock.info = buf_view(&text);
    return buf_ok(&text, err) && states_set_lock(deed->record->db, facts->row, &lock, err);
}

/* Clients show the body of this answer, and of 403 nothing but its number. */
static void print_role(const struct lock_deed *deed, const struct lockinfo *info, struct buf *out)
{
    struct lock_reason reason = {
        .because = LOCK_BECAUSE_ROLE,
        .what = arena_printf(deed->arena, "the role of this token (%s) is not enough",
                             role_name(deed->caller.role)),
        .todo = STR("use a token of role apply: plumb token create --role apply")};
    statelock_print_refusal(deed->arena, out, deed->stack, info->operation,
                            record_now(deed->record), &reason, 1);
}

/* It was good a moment ago, in this very transaction. */
static bool use_approval(const struct lock_deed *deed, const struct lock_facts *facts,
                         struct str approval, bool warned, struct err *err)
{
    struct permit_terms terms = lock_permit_terms(deed, facts->row);
    struct event_actor by = {deed->caller.name, deed->caller.token ? STR("token") : STR("none")};
    enum permit_answer answer = PERMIT_NONE;
    if (!deed->rules->approval || warned || lockinfo_kind(facts->info->operation) == LOCK_PLAN)
        return true;
    if (!permit_use_within(deed->record, approval, &terms, &by, &answer, err))
        return false;
    return answer == PERMIT_GOOD ||
           err_set(err, ERR_CONFLICT, "the approval: %s", permit_answer_meaning(answer));
}

bool lock_take(const struct lock_deed *deed, const struct lockinfo *info, struct str approval,
               struct lock_result *ret, struct err *err)
{
    struct state_row row = {0};
    struct lock_reason *reason = NULL;
    struct lock_facts facts = {.row = &row, .info = info, .caller = deed->caller};
    struct lock_result result = {0};
    AUTO_BUF text = {.limit = LOCKINFO_BYTES_MAX * 8};
    bool warned = false, plan = lockinfo_kind(info->operation) == LOCK_PLAN;
    if (!load(deed, &row, err))
        return false;
    if (!plan && row.lock.id.len == 0 &&
        !lock_gather_reasons(deed, &row, approval, &reason, &facts.nreasons, &facts.breakglass,
                             err))
        return false;
    facts.reason = reason;
    result.answer = statelock_may_lock(&facts, &warned);
    if (result.answer == LOCK_GIVEN && (!take(deed, &facts, statelock_kind(info), err) ||
                                        !use_approval(deed, &facts, approval, warned, err)))
        return false;
    if (result.answer == LOCK_HELD)
        statelock_print_holder(deed->arena, &text, &row);
    if (result.answer == LOCK_REFUSED)
        statelock_print_refusal(deed->arena, &text, deed->stack, info->operation,
                                record_now(deed->record), facts.reason, facts.nreasons);
    if (result.answer == LOCK_FORBIDDEN)
        print_role(deed, info, &text);
    if (!print_info(deed, &text, &result.info, err))
        return false;
    if ((result.answer == LOCK_GIVEN || result.answer == LOCK_REFUSED) &&
        !take_event(deed, &facts, warned, &result, err))
        return false;
    *ret = result;
    return true;
}

bool lock_hold(const struct lock_deed *deed, const struct lockinfo *info, struct lock_result *ret,
               struct err *err)
{
    struct state_row row = {0};
    struct lock_facts facts = {.row = &row, .info = info, .caller = deed->caller};
    struct lock_result result = {.answer = LOCK_GIVEN};
    AUTO_BUF text = {.limit = LOCKINFO_BYTES_MAX * 2};
    if (!load(deed, &row, err))
        return false;
    if (row.lock.id.len) {
        struct lockinfo holder = {0};
        result.answer = LOCK_HELD;
        statelock_print_holder(deed->arena, &text, &row);
        (void)lockinfo_parse(deed->arena, row.lock.info, &holder, NULL);
        result.why = holder.who.len ? holder.who : row.lock.name;
    } else if (!take(deed, &facts, STR("hold"), err) ||
               !take_event(deed, &facts, false, &result, err)) {
        return false;
    }
    result.event.reason = info->info;
    if (!print_info(deed, &text, &result.info, err))
        return false;
    *ret = result;
    return true;
}

/* --- UNLOCK --- */

static bool give_back(const struct lock_deed *deed, const struct lockinfo *info, bool forced,
                      bool only_asked, struct lock_result *ret, struct err *err)
{
    struct state_row row = {0};
    struct state_lock none = {0};
    struct lock_facts facts = {.row = &row, .info = info, .caller = deed->caller};
    struct lock_result result = {0};
    struct detail d = {.arena = deed->arena};
    if (!load(deed, &row, err))
        return false;
    bool foreign = row.lock.token != deed->caller.token;
    result.answer = statelock_may_unlock(&facts, forced);
    if (result.answer == LOCK_CONFLICT)
        result.why = STR("the lock of that id is not held: another one is, or none");
    if (result.answer == LOCK_FORBIDDEN)
        result.why = STR("only who took the lock gives it back; an admin can take it away");
    bool told = result.answer == LOCK_GIVEN ? !only_asked
                                            : result.answer == LOCK_FORBIDDEN && row.lock.id.len;
    if (told) {
        bool given = result.answer == LOCK_GIVEN;
        if (given && !states_set_lock(deed->record->db, &row, &none, err))
            return false;
        result.has_event = true;
        result.event = event_of(deed, EVENT_UNLOCK, row.lock.id, given, result.why);
        add_text(&d, "taken_by", row.lock.name);
        add_text(&d, "peer", deed->peer);
        add(&d, "forced", value_bool(forced || foreign));
        if (!finish(&d, &result.event, err))
            return false;
    }
    *ret = result;
    return true;
}

bool lock_give_back(const struct lock_deed *deed, const struct lockinfo *info, bool forced,
                    struct lock_result *ret, struct err *err)
{
    return give_back(deed, info, forced, false, ret, err);
}

bool lock_check_give_back(const struct lock_deed *deed, const struct lockinfo *info, bool forced,
                          struct lock_result *ret, struct err *err)
{
    return give_back(deed, info, forced, true, ret, err);
}

/* --- states --- */

static bool same_as_current(const struct lock_deed *deed, const struct state_row *row,
                            const struct state_upload *upload, bool *ret, struct err *err)
{
    struct state_version *version = NULL;
    size_t n = 0;
    *ret = false;
    if (row->version == 0 || row->serial != upload->head.serial)
        return true;
    if (!states_versions(deed->arena, deed->record->db, row->stack, &version, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (version[i].version == row->version)
            *ret = digest_equal(&version[i].digest, &upload->digest);
    return true;
}

static bool store_upload(const struct lock_deed *deed, struct state_row *row, struct str lock_id,
                         const struct state_upload *upload, struct state_version *version,
                         struct err *err)
{
    *version = (struct state_version){.serial = upload->head.serial,
                                      .lineage = upload->head.lineage,
                                      .utc_ms = record_now(deed->record),
                                      .actor = deed->caller.name,
                                      .lock_id = lock_id,
                                      .size = (int64_t)upload->size,
                                      .digest = upload->digest};
    if (!states_write(deed->record->db, row, version, upload->packed, err))
        return false;
    row->version = row->versions = version->version;
    return states_prune(deed->record->db, row, deed->rules->keep, err);
}

static bool write_event(const struct lock_deed *deed, const struct state_row *row,
                        struct str lock_id, const struct state_upload *upload,
                        const struct state_version *version, struct lock_result *ret,
                        struct err *err)
{
    struct detail d = {.arena = deed->arena};
    struct event_input *input = arena_new(deed->arena, struct event_input, 1);
    if (!input)
        return arena_full(deed->arena, err);
    input->name = STR("state");
    if (!digest_text(deed->arena, &upload->digest, &input->digest, err))
        return false;
    ret->has_event = true;
    ret->event = event_of(deed, EVENT_STATE_WRITE, lock_id, lock_is_given(ret->answer), ret->why);
    ret->event.input = input;
    ret->event.ninputs = 1;
    add_text(&d, "lineage", upload->head.lineage);
    add(&d, "serial", value_int(upload->head.serial));
    add(&d, "serial_before", value_int(row->serial));
    add(&d, "size", value_int((int64_t)upload->size));
    add_text(&d, "peer", deed->peer);
    if (version->version)
        add(&d, "version", value_int(version->version));
    return finish(&d, &ret->event, err);
}

static bool write_or_check(const struct lock_deed *deed, struct str lock_id, bool store,
                           const struct state_upload *upload, struct lock_result *ret,
                           struct err *err)
{
    struct state_row row = {0};
    struct state_version version = {0};
    struct lock_result result = {0};
    const char *why = "";
    struct write_facts facts = {
        .row = &row, .lock_id = lock_id, .caller = deed->caller, .head = upload->head};
    if (!load(deed, &row, err) || !same_as_current(deed, &row, upload, &facts.same_bytes, err))
        return false;
    result.answer = statelock_may_write(&facts, &why);
    result.why = str_from(why);
    if (result.answer == LOCK_FORBIDDEN)
        result.why = STR("this token's role does not allow writing a state");
    if (store && result.answer == LOCK_GIVEN &&
        !store_upload(deed, &row, lock_id, upload, &version, err))
        return false;
    if (result.answer != LOCK_AGAIN &&
        !write_event(deed, &row, lock_id, upload, &version, &result, err))
        return false;
    *ret = result;
    return true;
}

bool lock_write(const struct lock_deed *deed, struct str lock_id, const struct state_upload *upload,
                struct lock_result *ret, struct err *err)
{
    return write_or_check(deed, lock_id, true, upload, ret, err);
}

bool lock_check_write(const struct lock_deed *deed, struct str lock_id,
                      const struct state_upload *upload, struct lock_result *ret, struct err *err)
{
    return write_or_check(deed, lock_id, false, upload, ret, err);
}

static bool delete_or_check(const struct lock_deed *deed, bool here, struct lock_result *ret,
                            struct err *err)
{
    struct state_row row = {0};
    struct lock_result result = {.answer = LOCK_GIVEN};
    struct detail d = {.arena = deed->arena};
    if (!load(deed, &row, err))
        return false;
    if (deed->caller.role < ROLE_ADMIN) {
        result.answer = LOCK_FORBIDDEN;
        result.why = STR("only an admin deletes a state");
    } else if (row.lock.id.len) {
        result.answer = LOCK_CONFLICT;
        result.why = STR("the state is locked");
    } else if (here && row.version == 0) {
        result.answer = LOCK_AGAIN;
    } else if (here && !states_delete(deed->record->db, &row, err)) {
        return false;
    }
    result.has_event = result.answer != LOCK_AGAIN;
    result.event =
        event_of(deed, EVENT_STATE_WRITE, STR(""), lock_is_given(result.answer), result.why);
    add(&d, "deleted", value_bool(true));
    if (here)
        add(&d, "serial_before", value_int(row.serial));
    if (!finish(&d, &result.event, err))
        return false;
    *ret = result;
    return true;
}

bool lock_delete(const struct lock_deed *deed, struct lock_result *ret, struct err *err)
{
    return delete_or_check(deed, true, ret, err);
}

bool lock_check_delete(const struct lock_deed *deed, struct lock_result *ret, struct err *err)
{
    return delete_or_check(deed, false, ret, err);
}
