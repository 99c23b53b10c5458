/* configured.c - configurations of providers in the store. */
#include "record/configured.h"

#include "base/arena.h"
#include "base/err.h"
#include "record/audit.h"
#include "record/record.h"
#include "record/reviews_parts.h"
#include "value/canon.h"
#include "wire/json.h"

enum { ARENA_BYTES = 8 << 20 };

/* --- settings --- */

static bool only_member(struct arena *arena, struct str key, struct value v, struct value *ret,
                        struct err *err)
{
    struct value_member *m = arena_new(arena, struct value_member, 1);
    if (!m)
        return arena_full(arena, err);
    *m = (struct value_member){key_make(arena, key), v};
    return m->key ? value_members(VALUE_OBJECT, m, 1, ret, NULL, err) : arena_full(arena, err);
}

bool configured_value(struct arena *arena, const struct value *v, struct value *ret,
                      struct err *err)
{
    return only_member(arena, STR("value"), *v, ret, err);
}

static bool keyed_text(struct arena *arena, struct str key, const struct value *v, struct str *ret,
                       struct err *err)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    if (!canon_digest_keyed(key, v, &digest, err))
        return false;
    digest_hex(&digest, hex);
    *ret = arena_printf(arena, "hmac-sha256:%s", hex);
    return ret->ptr || arena_full(arena, err);
}

bool configured_secret(struct arena *arena, struct str key, const struct value *v,
                       struct value *ret, struct err *err)
{
    struct str text;
    return keyed_text(arena, key, v, &text, err) &&
           only_member(arena, STR("digest"), value_string(text), ret, err);
}

bool configured_is(struct str key, const struct value *kept, const struct value *v)
{
    AUTO_ARENA arena = {.limit = ARENA_BYTES};
    struct str text;
    return keyed_text(&arena, key, v, &text, NULL) &&
           str_equal(text, value_get_string(kept, STR("digest")));
}

/* --- the row --- */

struct finding_row {
    struct arena *arena;
    struct configured *ret;
    struct str settings;
    bool found;
};

static bool take_row(void *ctx, const struct db_row *row, struct err *err)
{
    struct finding_row *f = ctx;
    f->settings = arena_dup(f->arena, db_text(row, 1));
    f->ret->block = arena_dup(f->arena, db_text(row, 0));
    f->ret->by = arena_dup(f->arena, db_text(row, 2));
    f->ret->seen_utc_ms = db_int(row, 3);
    f->ret->event = db_int(row, 4);
    f->found = true;
    return (f->settings.ptr && f->ret->block.ptr && f->ret->by.ptr) || arena_full(f->arena, err);
}

static bool look_up(struct record *record, struct finding_row *f, struct err *err)
{
    const struct db_value param[] = {DB_PARAM_TEXT(f->ret->stack), DB_PARAM_TEXT(f->ret->name)};
    return db_query(record->db,
                    "SELECT block, settings, actor, seen_utc_ms, event FROM provider_config"
                    " WHERE stack = $1 AND name = $2",
                    param, 2, take_row, f, err);
}

bool configured_find(struct record *record, struct arena *arena, struct str stack, struct str name,
                     struct configured *ret, bool *ret_found, struct err *err)
{
    struct configured got = {.stack = stack, .name = name};
    struct finding_row f = {.arena = arena, .ret = &got};
    if (!look_up(record, &f, err) ||
        (f.found && !json_parse(arena, f.settings, "provider_config", 0, &got.settings, err)))
        return err_wrap(err, "what %.*s was configured with", STR_ARG(name));
    *ret = got;
    *ret_found = f.found;
    return true;
}

static bool tell(struct record *record, struct arena *arena, const struct configured *c,
                 const struct event_actor *actor, int64_t *ret_seq, struct err *err)
{
    struct event event = {.type = EVENT_PROVIDER_CONFIG,
                          .actor = *actor,
                          .stack = c->stack,
                          .subject = c->name,
                          .outcome = STR("kept")};
    struct detail detail = {.arena = arena};
    int64_t secret = 0;
    for (uint32_t i = 0; i < c->settings.len; i++)
        secret += value_get(&c->settings.members[i].value, STR("digest")) != NULL;
    detail_text(&detail, "block", c->block);
    detail_int(&detail, "settings", c->settings.len);
    detail_int(&detail, "secret", secret);
    return detail_object(&detail, &event.detail, err) && audit_append(record, &event, ret_seq, err);
}

static bool keep_in(struct record *record, struct arena *arena, const struct configured *c,
                    struct str settings, const struct event_actor *actor, struct err *err)
{
    struct configured before = {.stack = c->stack, .name = c->name};
    struct finding_row f = {.arena = arena, .ret = &before};
    if (!look_up(record, &f, err))
        return false;
    bool same = f.found && str_equal(f.settings, settings) && str_equal(before.block, c->block);
    int64_t seq = before.event;
    if (!same && !tell(record, arena, c, actor, &seq, err))
        return false;
    const struct db_value row[] = {DB_PARAM_TEXT(c->stack),    DB_PARAM_TEXT(c->name),
                                   DB_PARAM_TEXT(c->block),    DB_PARAM_TEXT(settings),
                                   DB_PARAM_TEXT(actor->name), DB_PARAM_INT(record_now(record)),
                                   DB_PARAM_INT(seq)};
    return db_run(record->db,
                  "INSERT INTO provider_config (stack, name, block, settings, actor, seen_utc_ms,"
                  " event) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (stack, name) DO UPDATE"
                  " SET block = $3, settings = $4, actor = $5, seen_utc_ms = $6, event = $7",
                  row, sizeof row / sizeof *row, err);
}

bool configured_keep(struct record *record, const struct configured *configured,
                     const struct event_actor *actor, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_BYTES};
    AUTO_BUF settings = {.limit = CONFIGURED_MAX};
    if (!canon_print(&settings, &configured->settings, err) || !buf_ok(&settings, err) ||
        !db_begin(record->db, DB_WRITE, err))
        return err_wrap(err, "keep what %.*s is configured with", STR_ARG(configured->name));
    if (!keep_in(record, &arena, configured, buf_view(&settings), actor, err) ||
        !db_commit(record->db, err)) {
        db_rollback(record->db);
        return err_wrap(err, "keep what %.*s is configured with", STR_ARG(configured->name));
    }
    return true;
}
