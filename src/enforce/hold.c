/* hold.c - who holds the lock object of a state, taking it, giving it back. */
#include "enforce/hold.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "desired/lockinfo.h"
#include "desired/object.h"
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

static bool look(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
                 struct lockinfo *ret_info, struct str *ret_version, struct err *err)
{
    struct object_answer answer = {0};
    if (!place->kind->store->look(arena, &place->at, OBJECT_GET, &answer, err))
        return err_wrap(err, "read the lock object");
    *ret = HOLD_FREE;
    if (!answer.there)
        return true;
    /* What is no lock info is somebody's all the same. */
    *ret_info = (struct lockinfo){0};
    *ret_version = answer.version;
    bool read = lockinfo_parse(arena, answer.body, ret_info, NULL);
    *ret = read && str_starts(ret_info->id, STR(LOCKINFO_HOLD_ID)) ? HOLD_OURS : HOLD_OTHER;
    return true;
}

bool hold_look(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
               struct lockinfo *ret_info, struct err *err)
{
    struct str version = {0};
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
        return object_refused(place->kind->store, "write the lock object", answer.status, err);
    *ret = answer.status == 200 ? HOLD_OURS : HOLD_OTHER;
    return true;
}

bool hold_release(struct arena *arena, const struct hold_place *place, enum hold_state *ret,
                  struct err *err)
{
    struct lockinfo info;
    struct str version = {0};
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
        return object_refused(place->kind->store, "delete the lock object", answer.status, err);
    *ret = HOLD_FREE;
    return true;
}
