/* hold.c - who holds the lock object of a state, taking it, giving it back. */
#include "enforce/hold.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "enforce/lockinfo.h"
#include "wire/http.h"

static const char *const names[] = {
#define X(constant, name, meaning) name,
    HOLD_STATES(X)
#undef X
};

const char *hold_state_name(enum hold_state state)
{
    return names[state < HOLD_STATE_COUNT ? state : HOLD_OTHER];
}

static bool refused(const struct hold_place *place, const char *what, long status, struct err *err)
{
    bool may_not = status == 401 || status == 403;
    return err_set(err, ERR_REMOTE, "%s the lock object: the answer is %ld%s%s%s", what, status,
                   may_not ? " (" : "", may_not ? place->kind->who : "", may_not ? ")" : "");
}

static bool look(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
                 struct lockinfo *ret_info, struct str *ret_version, struct err *err)
{
    struct http_answer answer = {0};
    if (!place->kind->get(arena, place, &answer, ret_version, err))
        return false;
    if (answer.status == 404) {
        *ret = HOLD_FREE;
        return true;
    }
    if (answer.status != 200)
        return refused(place, "read", answer.status, err);
    /* What is no lock info is somebody's all the same. */
    *ret_info = (struct lockinfo){0};
    bool read = lockinfo_parse(arena, answer.body, ret_info, NULL);
    *ret = read && str_starts(ret_info->id, STR(HOLD_ID)) ? HOLD_OURS : HOLD_OTHER;
    return true;
}

bool hold_look(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
               struct lockinfo *ret_info, struct err *err)
{
    struct str version;
    return look(arena, place, ret, ret_info, &version, err);
}

bool hold_take(struct arena *arena, const struct hold_place *place, const struct lockinfo *info,
               enum hold_state *ret, struct err *err)
{
    AUTO_BUF body = {.limit = HOLD_ANSWER_BYTES};
    struct http_answer answer = {0};
    lockinfo_print(&body, info);
    if (!buf_ok(&body, err) || !place->kind->put(arena, place, buf_view(&body), &answer, err))
        return false;
    if (answer.status != 200 && answer.status != 412 && answer.status != 409)
        return refused(place, "write", answer.status, err);
    *ret = answer.status == 200 ? HOLD_OURS : HOLD_OTHER;
    return true;
}

bool hold_release(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
                  struct err *err)
{
    struct lockinfo info;
    struct str version;
    struct http_answer answer = {0};
    if (!look(arena, place, ret, &info, &version, err))
        return false;
    if (*ret != HOLD_OURS)
        return true;
    if (!place->kind->remove(arena, place, version, &answer, err))
        return false;
    if (answer.status == 412) { /* another one came between */
        *ret = HOLD_OTHER;
        return true;
    }
    if (answer.status != 200 && answer.status != 204 && answer.status != 404)
        return refused(place, "delete", answer.status, err);
    *ret = HOLD_FREE;
    return true;
}
