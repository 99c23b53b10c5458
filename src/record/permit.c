/* permit.c - one-time approvals in the store. */
#include "record/permit.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/record.h"

enum { TOKEN_BYTES = 32, TOKEN_MAX = 100, SERIAL_TEXT = 24, SHOWN = 12 };
static const struct str token_head = STR_INIT("plumb_apply_");

static const struct {
    const char *name, *meaning;
} answers[] = {
#define X(constant, name_, meaning_) [constant] = {(name_), (meaning_)},
    PERMIT_ANSWERS(X)
#undef X
};

const char *permit_answer_name(enum permit_answer answer)
{
    return answer < PERMIT_ANSWER_COUNT ? answers[answer].name : "unknown";
}

const char *permit_answer_meaning(enum permit_answer answer)
{
    return answer < PERMIT_ANSWER_COUNT ? answers[answer].meaning : "no such approval";
}

/* --- tokens --- */

static bool make_token(struct arena *arena, struct str *ret, struct err *err)
{
    char random[TOKEN_BYTES];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return err_set(err, ERR_IO, "no random bytes to be had");
    struct str text = base64_encode(arena, (struct str){random, sizeof random});
    char *out = text.ptr ? arena_alloc(arena, token_head.len + text.len + 1, 1, 1) : NULL;
    if (!out)
        return arena_full(arena, err);
    memcpy(out, token_head.ptr, token_head.len);
    size_t n = token_head.len;
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++)
        out[n++] = (char)(text.ptr[i] == '+' ? '-' : text.ptr[i] == '/' ? '_' : text.ptr[i]);
    explicit_bzero(random, sizeof random);
    *ret = (struct str){out, n};
    return true;
}

static bool hash_token(struct str token, char ret[DIGEST_HEX + 1], struct err *err)
{
    struct digest digest;
    if (!digest_sha256(token, &digest, err))
        return false;
    digest_hex(&digest, ret);
    return true;
}

static struct db_value text(struct str s)
{
    return DB_PARAM_TEXT(((struct str){s.ptr ? s.ptr : "", s.len}));
}

/* Serials are unsigned in states: they are kept as text. */
static struct str print_serial(char out[SERIAL_TEXT], uint64_t serial)
{
    (void)snprintf(out, SERIAL_TEXT, "%llu", (unsigned long long)serial);
    return str_from(out);
}

/* --- events --- */

static bool tell(struct record *record, enum event_type type, const struct permit_terms *terms,
                 const char *hash, struct str outcome, struct str reason,
                 const struct event_actor *actor, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    char serial[SERIAL_TEXT];
    const struct event_input input = {STR("plan"), terms->plan};
    struct value_member member[] = {
        {key_make(&arena, STR("approval")), value_string(str_sub(str_from(hash), 0, SHOWN))},
        {key_make(&arena, STR("lineage")), value_string(terms->lineage)},
        {key_make(&arena, STR("serial")), value_string(print_serial(serial, terms->serial))}};
    struct event event = {.type = type,
                          .actor = *actor,
                          .stack = terms->stack,
                          .subject = terms->plan,
                          .outcome = outcome,
                          .reason = reason,
                          .input = &input,
                          .ninputs = terms->plan.len > 0};
    size_t n = terms->any_state ? 1 : 3;
    for (size_t i = 0; i < n; i++)
        if (!member[i].key)
            return arena_full(&arena, err);
    return value_members(VALUE_OBJECT, member, n, &event.detail, NULL, err) &&
           audit_append(record, &event, NULL, err);
}

/* --- issuing --- */

bool permit_issue(struct record *record, struct arena *arena, const struct permit_terms *terms,
                  int64_t expires_utc_ms, const struct event_actor *actor, struct str *ret_token,
                  struct err *err)
{
    struct str token;
    char hash[DIGEST_HEX + 1], serial[SERIAL_TEXT];
    if (!make_token(arena, &token, err) || !hash_token(token, hash, err))
        return false;
    const struct db_value param[] = {text(str_from(hash)),
                                     text(terms->stack),
                                     text(terms->plan),
                                     text(terms->lineage),
                                     text(print_serial(serial, terms->serial)),
                                     DB_PARAM_INT(record_now(record)),
                                     DB_PARAM_INT(expires_utc_ms),
                                     text(actor->name),
                                     text(actor->how)};
    if (!db_run(record->db,
                "INSERT INTO permit (token, stack, plan, lineage, serial, issued_utc_ms,"
                " expires_utc_ms, actor, actor_how, used_utc_ms, used_by)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, '')",
                param, sizeof param / sizeof *param, err))
        return err_wrap(err, "keep the approval");
    if (!tell(record, EVENT_APPROVAL_ISSUED, terms, hash, STR("allow"), STR(""), actor, err))
        return err_wrap(err, "write the event of the approval");
    *ret_token = token;
    return true;
}

/* --- using --- */

struct looking {
    const struct permit_terms *terms;
    int64_t now_utc_ms;
    enum permit_answer answer;
};

static bool take_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct looking *looking = ctx;
    const struct permit_terms *terms = looking->terms;
    char serial[SERIAL_TEXT];
    (void)err;
    bool state =
        terms->any_state || (str_equal(db_text(row, 3), print_serial(serial, terms->serial)) &&
                             (!terms->lineage.len || str_equal(db_text(row, 2), terms->lineage)));
    looking->answer = db_int(row, 5) != 0                         ? PERMIT_USED
                      : db_int(row, 4) <= looking->now_utc_ms     ? PERMIT_EXPIRED
                      : !str_equal(db_text(row, 0), terms->stack) ? PERMIT_OTHER_STACK
                      : terms->plan.len && !str_equal(db_text(row, 1), terms->plan)
                          ? PERMIT_OTHER_PLAN
                      : !state ? PERMIT_OTHER_STATE
                               : PERMIT_GOOD;
    return true;
}

static bool look(struct record *record, const char *hash, const struct permit_terms *terms,
                 enum permit_answer *ret, struct err *err)
{
    struct looking looking = {terms, record_now(record), PERMIT_NONE};
    const struct db_value param[] = {text(str_from(hash))};
    if (!db_query(record->db,
                  "SELECT stack, plan, lineage, serial, expires_utc_ms, used_utc_ms FROM permit"
                  " WHERE token = $1",
                  param, 1, take_row, &looking, err))
        return err_wrap(err, "look up the approval");
    *ret = looking.answer;
    return true;
}

static bool hash_given(struct str token, char ret[DIGEST_HEX + 1], struct err *err)
{
    token = str_trim(token);
    if (token.len > TOKEN_MAX)
        token.len = TOKEN_MAX; /* none is that long: it is found nowhere */
    return hash_token(token, ret, err);
}

bool permit_check(struct record *record, struct str token, const struct permit_terms *terms,
                  enum permit_answer *ret, struct err *err)
{
    char hash[DIGEST_HEX + 1];
    enum permit_answer answer;
    if (!hash_given(token, hash, err) || !look(record, hash, terms, &answer, err))
        return false;
    *ret = answer;
    return true;
}

static bool mark_used(struct record *record, const char *hash, const struct event_actor *actor,
                      struct err *err)
{
    const struct db_value param[] = {text(str_from(hash)), DB_PARAM_INT(record_now(record)),
                                     text(actor->name)};
    return (db_run(record->db,
                   "UPDATE permit SET used_utc_ms = $2, used_by = $3"
                   " WHERE token = $1 AND used_utc_ms = 0",
                   param, 3, err) &&
            (db_changed(record->db) == 1 ||
             err_set(err, ERR_CONFLICT, "the approval was used meanwhile"))) ||
           err_wrap(err, "use up the approval");
}

static bool use(struct record *record, const char *hash, const struct permit_terms *terms,
                const struct event_actor *actor, enum permit_answer *ret, struct err *err)
{
    if (!look(record, hash, terms, ret, err))
        return false;
    bool good = *ret == PERMIT_GOOD;
    if (good && !mark_used(record, hash, actor, err))
        return false;
    return tell(record, EVENT_APPROVAL_USED, terms, hash, good ? STR("allow") : STR("deny"),
                good ? STR("") : str_from(permit_answer_meaning(*ret)), actor, err);
}

bool permit_use_within(struct record *record, struct str token, const struct permit_terms *terms,
                       const struct event_actor *actor, enum permit_answer *ret, struct err *err)
{
    char hash[DIGEST_HEX + 1];
    *ret = PERMIT_NONE;
    return hash_given(token, hash, err) && use(record, hash, terms, actor, ret, err);
}

bool permit_use(struct record *record, struct str token, const struct permit_terms *terms,
                const struct event_actor *actor, enum permit_answer *ret, struct err *err)
{
    char hash[DIGEST_HEX + 1];
    enum permit_answer answer = PERMIT_NONE;
    *ret = PERMIT_NONE;
    if (!hash_given(token, hash, err) || !db_begin(record->db, DB_WRITE, err))
        return false;
    if (!use(record, hash, terms, actor, &answer, err) || !db_commit(record->db, err)) {
        db_rollback(record->db);
        return false;
    }
    *ret = answer;
    return true;
}
