/* cmd_hold.c - `plumb hold`: the lock of a state in a bucket, held while something stands against
 * an apply. */
#include <assert.h>
#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/openssl.h"
#include "cli/app.h"
#include "cli/policy_setup.h"
#include "cli/state_command.h"
#include "desired/google_token.h"
#include "desired/object.h"
#include "enforce/hold.h"
#include "model/config.h"
#include "record/audit.h"
#include "report/parts.h"

enum { OBJECT = STATE_OPTION_COUNT, ENDPOINT, REGION, EVERY, RELEASE, OPTION_COUNT };
enum { LOOK_MS = 100 };

static const struct option options[] = {
    STATE_OPTIONS,
    [OBJECT] = {.name = "object",
                .kind = OPTION_STRING,
                .arg = "s3://BUCKET/KEY",
                .text = "the state, as the s3 backend has it in bucket and key; or "
                        "gs://BUCKET/PREFIX/WORKSPACE.tfstate of the gcs backend"},
    [ENDPOINT] = {.name = "endpoint",
                  .kind = OPTION_STRING,
                  .arg = "URL",
                  .text = "of an S3-compatible service, for which AWS_ENDPOINT_URL_S3 counts, too, "
                          "or of one like Cloud Storage; without it Amazon's in the region, or "
                          "Google's"},
    [REGION] = {.name = "region",
                .kind = OPTION_STRING,
                .arg = "REGION",
                .env = "AWS_REGION",
                .text = "of the bucket; us-east-1 without it"},
    [EVERY] = {.name = "every",
               .kind = OPTION_DURATION,
               .arg = "TIME",
               .least = 1000,
               .most = 86400000,
               .text = "look again and again, such as 30s, until it is stopped; without it once"},
    [RELEASE] = {.name = "release",
                 .kind = OPTION_FLAG,
                 .text = "give the lock back, whatever stands against an apply"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct holding {
    const struct app *app;
    const struct invocation *in;
    struct state_command *command;
    struct hold_place place;
    struct arena *arena; /* of one look */
};

static bool find_s3(struct holding *h, struct err *err)
{
    const struct app *app = h->app;
    struct bucket_place *p = &h->place.at;
    struct arena *arena = &h->command->arena;
    p->region = h->in->value[REGION].text.len ? h->in->value[REGION].text : STR("us-east-1");
    p->key_id = str_from(app->env("AWS_ACCESS_KEY_ID"));
    p->secret = str_from(app->env("AWS_SECRET_ACCESS_KEY"));
    p->token = str_from(app->env("AWS_SESSION_TOKEN"));
    if (p->key_id.len == 0 || p->secret.len == 0)
        return err_set(err, ERR_USAGE,
                       "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say who may write the lock; "
                       "they are not set");
    if (!p->endpoint.len)
        p->endpoint = str_from(app->env("AWS_ENDPOINT_URL_S3"));
    if (!p->endpoint.len)
        p->endpoint = arena_printf(arena, "https://s3.%.*s.amazonaws.com", STR_ARG(p->region));
    p->object = arena_printf(arena, "%.*s.tflock", STR_ARG(p->object));
    return (p->endpoint.ptr && p->object.ptr) || arena_full(arena, err);
}

/* Each look has a token of its own: one is good for an hour, and a look may be days later. */
static bool find_gcs(struct holding *h, struct err *err)
{
    static const struct str ending = STR_INIT(".tfstate");
    struct bucket_place *p = &h->place.at;
    struct arena *arena = &h->command->arena;
    if (!str_ends(p->object, ending))
        return err_set(err, ERR_USAGE,
                       "--object: the gcs backend keeps a state in PREFIX/WORKSPACE.tfstate, such "
                       "as gs://states/net/default.tfstate");
    p->object =
        arena_printf(arena, "%.*s.tflock", (int)(p->object.len - ending.len), p->object.ptr);
    if (!p->endpoint.len)
        p->endpoint = STR("https://storage.googleapis.com");
    return p->object.ptr || arena_full(arena, err);
}

static bool find_place(struct holding *h, struct err *err)
{
    static const struct {
        const struct hold_kind *kind;
        bool (*find)(struct holding *h, struct err *err);
    } kinds[] = {{&hold_s3, find_s3}, {&hold_gcs, find_gcs}};
    struct str rest = h->in->value[OBJECT].text, scheme = {0}, bucket = {0};
    size_t at = str_find(rest, STR("://"), 0);
    scheme = at == SIZE_MAX ? STR("") : str_sub(rest, 0, at);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!str_equal(scheme, str_from(kinds[i].kind->store->scheme)))
            continue;
        rest = str_sub(rest, at + 3, rest.len);
        if (!str_cut(&rest, '/', &bucket) || bucket.len == 0 || rest.len == 0)
            return err_set(err, ERR_USAGE, "--object: %s://BUCKET/KEY has a bucket and a key",
                           kinds[i].kind->store->scheme);
        h->place = (struct hold_place){
            .kind = kinds[i].kind,
            .at = {.bucket = bucket, .object = rest, .endpoint = h->in->value[ENDPOINT].text}};
        if (!kinds[i].find(h, err))
            return false;
        while (str_ends(h->place.at.endpoint, STR("/")))
            h->place.at.endpoint.len--;
        return true;
    }
    return err_set(err, ERR_USAGE,
                   "--object: where is the state? s3://BUCKET/KEY or "
                   "gs://BUCKET/PREFIX/WORKSPACE.tfstate");
}

/* A service that was named and asks for nothing, such as an emulator, gets nothing. */
static bool find_token(struct holding *h, struct err *err)
{
    struct err why = {0};
    const struct google_asking asking = {.env = h->app->env, .now_utc_ms = h->place.at.now_utc_ms};
    if (h->place.kind != &hold_gcs || google_token(h->arena, &asking, &h->place.at.token, &why))
        return true;
    h->place.at.token = STR("");
    if (h->in->value[ENDPOINT].text.len && why.kind == ERR_UNAVAILABLE)
        return true;
    *err = why;
    return false;
}

static bool tell(struct holding *h, const char *outcome, struct str reason, struct err *err)
{
    struct event event = {.type = EVENT_LOCK,
                          .actor = {.name = h->command->by.name, .how = h->command->by.how},
                          .stack = h->command->deed.stack,
                          .subject = h->in->value[OBJECT].text,
                          .outcome = str_from(outcome),
                          .reason = reason};
    return audit_write(&h->command->record, &event, NULL, err);
}

static bool take(struct holding *h, struct str why, enum hold_state *state, struct err *err)
{
    unsigned char b[8];
    char now[CLOCK_TEXT];
    struct lockinfo info = {.operation = STR("blocked"),
                            .info = why,
                            .who = STR("plumb"),
                            .version = STR(PLUMB_VERSION),
                            .path = h->command->deed.stack};
    if (!openssl_load_crypto(err))
        return false;
    if (RAND_bytes(b, sizeof b) != 1)
        return err_set(err, ERR_UNAVAILABLE, "there are no random bytes");
    info.id = arena_printf(h->arena, LOCKINFO_HOLD_ID "%02x%02x%02x%02x%02x%02x%02x%02x", b[0],
                           b[1], b[2], b[3], b[4], b[5], b[6], b[7]);
    info.created = str_from(clock_format(h->place.at.now_utc_ms, now));
    if (!info.id.ptr)
        return arena_full(h->arena, err);
    return hold_take(h->arena, &h->place, &info, state, err) &&
           (*state != HOLD_OURS || tell(h, "hold", why, err));
}

/* Giving back lets somebody apply: its event comes first. */
static bool give_back(struct holding *h, enum hold_state *state, struct err *err)
{
    return tell(h, "release", STR(""), err) && hold_release(h->arena, &h->place, state, err);
}

/* Who holds a lock is said by its object in the bucket: it must not steer a terminal. */
static bool say(const struct holding *h, enum hold_state state, struct str of, struct err *err)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    buf_printf(&text, "%s ", hold_state_name(state));
    text_safe(&text, h->command->deed.stack);
    buf_str(&text, state == HOLD_FREE ? STR("") : STR(": "));
    text_safe(&text, of);
    buf_char(&text, '\n');
    if (!buf_ok(&text, err))
        return false;
    (void)fwrite(text.ptr, 1, text.len, h->app->out);
    (void)fflush(h->app->out);
    return true;
}

/* One look: what stands against an apply, who holds the lock, what is to be done. */
static bool look(struct holding *h, struct err *err)
{
    struct lock_reason *reason = NULL;
    struct str breakglass = {0};
    size_t n = 0;
    struct state_row row = {0};
    struct lockinfo info = {0};
    enum hold_state state = HOLD_FREE;
    struct lock_deed deed = h->command->deed;
    deed.arena = h->arena;
    h->place.at.now_utc_ms = h->app->now_ms(h->app->clock);
    if (!find_token(h, err) ||
        !lock_gather_reasons(&deed, &row, STR(""), &reason, &n, &breakglass, err) ||
        !hold_look(h->arena, &h->place, &state, &info, err))
        return false;
    bool hold = n > 0 && breakglass.len == 0 && !h->in->value[RELEASE].set;
    struct str why = hold ? statelock_summary(h->arena, reason, n) : STR("");
    if (hold && !why.ptr)
        return arena_full(h->arena, err);
    if ((hold && state == HOLD_FREE && !take(h, why, &state, err)) ||
        (!hold && state == HOLD_OURS && !give_back(h, &state, err)))
        return false;
    return say(h, state, state == HOLD_OURS ? why : state == HOLD_OTHER ? info.who : STR(""), err);
}

static bool wait_for(const struct app *app, int64_t ms)
{
    const struct timespec step = {.tv_nsec = LOOK_MS * 1000000L};
    for (int64_t waited = 0; waited < ms && !*app->cancel; waited += LOOK_MS)
        (void)nanosleep(&step, NULL);
    return !*app->cancel;
}

static bool hold(const struct app *app, const struct invocation *in, struct state_command *c,
                 struct err *err)
{
    struct holding h = {.app = app, .in = in, .command = c};
    struct config config = {0};
    bool ok = state_command_open(c, app, in, STORE_WRITE, err) && find_place(&h, err) &&
              policy_find_config(&c->arena, app, &in->value[STATE_CONFIG], &config, err);
    if (!ok)
        return false;
    c->rules = lock_rules_of(&config);
    c->rules.approval = false; /* nothing comes along with a lock in a bucket */
    do {
        AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
        struct err once = {0};
        char text[ERR_TEXT_MAX];
        h.arena = &arena;
        ok = look(&h, &once);
        if (!ok && !in->value[EVERY].set) {
            *err = once;
            return false;
        }
        if (!ok)
            (void)fprintf(app->err, "plumb: %s\n", err_text(&once, text, sizeof text));
    } while (in->value[EVERY].set && wait_for(app, in->value[EVERY].number));
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    struct state_command command = {0};
    bool ok = hold(app, in, &command, err);
    state_command_close(&command);
    *ret_exit = 0;
    return ok;
}

const struct command cmd_hold = {
    .name = "hold",
    .usage = "plumb hold STACK --object s3://BUCKET/KEY [options]",
    .summary = "hold the lock of a state in a bucket while something stands against an apply",
    .help =
        "For states that stay in the s3 backend with use_lockfile, or in the gcs backend: while "
        "drift of the stack is undecided or a freeze is in effect, plumb holds the lock object, "
        "and gives it back "
        "afterwards. Plans need the lock as well: they run with -lock=false meanwhile. A lock "
        "that a client holds is left alone.\n\n"
        "  plumb hold net/prod --object s3://states/net/prod.tfstate --every 30s\n"
        "  plumb hold net/prod --object gs://states/net/default.tfstate --every 30s",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
