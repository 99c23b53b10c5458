/* remote.c - from a backend's settings to an object in a bucket, its version and its lock. */
#include "desired/remote.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "desired/backend.h"
#include "desired/google_token.h"
#include "desired/lockinfo.h"
#include "desired/object.h"
#include "model/stack.h"
#include "value/value.h"
#include "wire/bucket.h"

enum { CREDENTIALS_BYTES = 1 << 20 };

struct remote {
    enum remote_kind kind;
    struct value config;
    struct str type, workspace;
    const struct object_store *store;
    struct bucket_place state;
    struct str lock; /* the name of the lock object; empty: none is used */
};

static struct str setting(const struct remote *r, const char *name)
{
    return value_get_string(&r->config, str_from(name));
}

/* The first that is set. */
static struct str env_of(const char *const *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str value = str_from(getenv(name[i]));
        if (value.len)
            return value;
    }
    return (struct str){0};
}
#define ENV(...) \
    env_of((const char *const[]){__VA_ARGS__}, \
           sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static struct str first_of(struct str a, struct str b)
{
    return a.len ? a : b;
}

static const char *environment(const char *name)
{
    return getenv(name);
}

/* --- s3 --- */

static bool is_key(struct str line, const char *name, struct str *ret)
{
    struct str key;
    if (!str_cut(&line, '=', &key) || !str_equal(str_trim(key), str_from(name)))
        return false;
    *ret = str_trim(line);
    return true;
}

/* [profile] with its keys, of a file as AWS's own tools write it. */
static void read_profile(struct str text, struct str profile, struct bucket_place *at)
{
    bool ours = false;
    while (text.len) {
        struct str line;
        (void)str_cut(&text, '\n', &line);
        line = str_trim(line);
        if (str_starts(line, STR("[")) && str_ends(line, STR("]")))
            ours = str_equal(str_trim(str_sub(line, 1, line.len - 1)), profile);
        else if (ours)
            (void)(is_key(line, "aws_access_key_id", &at->key_id) ||
                   is_key(line, "aws_secret_access_key", &at->secret) ||
                   is_key(line, "aws_session_token", &at->token));
    }
}

static bool find_shared(struct arena *arena, const struct remote *r, struct bucket_place *at)
{
    struct str profile = first_of(setting(r, "profile"), ENV("AWS_PROFILE"));
    struct str file = ENV("AWS_SHARED_CREDENTIALS_FILE"), text;
    const struct value *files = value_get(&r->config, STR("shared_credentials_files"));
    if (files && value_is_list_like(files) && files->len && value_is_string(&files->items[0]))
        file = value_text(&files->items[0]);
    if (!file.len)
        file = io_join(arena, ENV("HOME"), STR(".aws/credentials"));
    struct str path = arena_dup(arena, file);
    if (path.ptr && io_exists(path.ptr) &&
        io_read_file(arena, path.ptr, CREDENTIALS_BYTES, &text, NULL))
        read_profile(text, first_of(profile, STR("default")), at);
    return at->key_id.len && at->secret.len;
}

static bool find_keys(struct arena *arena, struct remote *r, struct err *err)
{
    struct bucket_place *at = &r->state;
    bool given = setting(r, "access_key").len != 0;
    at->key_id = given ? setting(r, "access_key") : ENV("AWS_ACCESS_KEY_ID");
    at->secret = given ? setting(r, "secret_key") : ENV("AWS_SECRET_ACCESS_KEY");
    at->token = given ? setting(r, "token") : ENV("AWS_SESSION_TOKEN");
    if (!given && setting(r, "profile").len)
        at->key_id = at->secret = at->token = (struct str){0};
    return (at->key_id.len && at->secret.len) || find_shared(arena, r, at) ||
           err_set(err, ERR_UNAVAILABLE,
                   "there are no keys for the bucket of the s3 backend: AWS_ACCESS_KEY_ID and "
                   "AWS_SECRET_ACCESS_KEY, or a profile with both");
}

static struct str own_endpoint(const struct remote *r)
{
    const struct value *all = value_get(&r->config, STR("endpoints"));
    if (all && value_is_list_like(all) && all->len)
        all = &all->items[0];
    struct str given = all ? value_get_string(all, STR("s3")) : (struct str){0};
    given = first_of(given, setting(r, "endpoint"));
    return first_of(given, ENV("AWS_ENDPOINT_URL_S3", "AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL"));
}

static bool find_s3(struct arena *arena, struct remote *r, struct err *err)
{
    struct bucket_place *at = &r->state;
    struct str key = setting(r, "key");
    bool other = !str_equal(r->workspace, STR("default"));
    const struct value *prefix = value_get(&r->config, STR("workspace_key_prefix"));
    struct str before = prefix && value_is_string(prefix) ? value_text(prefix) : STR("env:");
    r->store = &object_s3;
    at->bucket = setting(r, "bucket");
    at->region = first_of(setting(r, "region"), ENV("AWS_REGION", "AWS_DEFAULT_REGION"));
    at->region = first_of(at->region, STR("us-east-1"));
    at->endpoint = own_endpoint(r);
    while (str_starts(key, STR("/")))
        key = str_sub(key, 1, key.len);
    at->object = !other ? key
                 : before.len
                     ? arena_printf(arena, "%.*s/%.*s/%.*s", STR_ARG(before), STR_ARG(r->workspace),
                                    STR_ARG(key))
                     : arena_printf(arena, "%.*s/%.*s", STR_ARG(r->workspace), STR_ARG(key));
    if (!at->endpoint.len)
        at->endpoint = arena_printf(arena, "https://s3.%.*s.amazonaws.com%s", STR_ARG(at->region),
                                    str_starts(at->region, STR("cn-")) ? ".cn" : "");
    if (!at->object.ptr || !at->endpoint.ptr)
        return arena_full(arena, err);
    if (value_get_bool(&r->config, STR("use_lockfile"), false)) {
        r->lock = arena_printf(arena, "%.*s.tflock", STR_ARG(at->object));
        if (!r->lock.ptr)
            return arena_full(arena, err);
    }
    return find_keys(arena, r, err);
}

/* --- gcs --- */

static bool find_token(struct arena *arena, struct remote *r, struct err *err)
{
    struct bucket_place *at = &r->state;
    const struct google_asking asking = {.env = environment,
                                         .given = setting(r, "credentials"),
                                         .read_only = true,
                                         .now_utc_ms = at->now_utc_ms};
    at->token = setting(r, "access_token");
    return at->token.len || google_token(arena, &asking, &at->token, err);
}

/* <prefix>/<workspace> and an ending, as Go's path.Join puts them together. */
static struct str gcs_name(struct arena *arena, const struct remote *r, const char *ending)
{
    struct str prefix = setting(r, "prefix");
    while (str_starts(prefix, STR("/")))
        prefix = str_sub(prefix, 1, prefix.len);
    while (str_ends(prefix, STR("/")))
        prefix.len--;
    return arena_printf(arena, "%.*s%s%.*s%s", STR_ARG(prefix), prefix.len ? "/" : "",
                        STR_ARG(r->workspace), ending);
}

static bool find_gcs(struct arena *arena, struct remote *r, struct err *err)
{
    static const struct str api = STR_INIT("/storage/v1");
    struct bucket_place *at = &r->state;
    struct str endpoint =
        first_of(setting(r, "storage_custom_endpoint"),
                 ENV("GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT", "GOOGLE_STORAGE_CUSTOM_ENDPOINT"));
    r->store = &object_gcs;
    at->bucket = setting(r, "bucket");
    at->object = gcs_name(arena, r, ".tfstate");
    r->lock = gcs_name(arena, r, ".tflock");
    while (str_ends(endpoint, STR("/")))
        endpoint.len--;
    if (str_ends(endpoint, api))
        endpoint.len -= api.len;
    at->endpoint = first_of(endpoint, STR("https://storage.googleapis.com"));
    if (!at->object.ptr || !r->lock.ptr)
        return arena_full(arena, err);
    return find_token(arena, r, err);
}

/* --- which it is --- */

static bool find_type(struct arena *arena, const struct stack *stack, struct remote *ret,
                      struct err *err)
{
    static const struct {
        const char *type;
        enum remote_kind kind;
    } kinds[] = {{"", REMOTE_NONE},
                 {"local", REMOTE_NONE},
                 {"http", REMOTE_HTTP},
                 {"s3", REMOTE_S3},
                 {"gcs", REMOTE_GCS}};
    struct value backend;
    *ret = (struct remote){.kind = REMOTE_PULL};
    if (stack->state.len) {
        ret->kind = backend_is_url(stack->state) ? REMOTE_HTTP : REMOTE_NONE;
        return true;
    }
    if (!backend_configured(arena, stack, &backend, err))
        return false;
    const struct value *config = value_get(&backend, STR("config"));
    ret->type = value_get_string(&backend, STR("type"));
    ret->config = config ? *config : value_null();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (str_equal(ret->type, str_from(kinds[i].type)))
            ret->kind = kinds[i].kind;
    return true;
}

static bool find(struct arena *arena, const struct stack *stack, int64_t now_utc_ms,
                 struct remote *ret, struct err *err)
{
    if (!find_type(arena, stack, ret, err))
        return false;
    ret->state.now_utc_ms = now_utc_ms;
    ret->workspace = backend_workspace(arena, stack);
    if (!ret->workspace.ptr)
        return arena_full(arena, err);
    return ret->kind == REMOTE_S3    ? find_s3(arena, ret, err)
           : ret->kind == REMOTE_GCS ? find_gcs(arena, ret, err)
                                     : true;
}

bool remote_kind(struct arena *arena, const struct stack *stack, enum remote_kind *ret,
                 struct err *err)
{
    struct remote r;
    if (!find_type(arena, stack, &r, err))
        return false;
    *ret = r.kind;
    return true;
}

/* --- its version --- */

static bool pull_mark(struct arena *arena, const struct stack *stack, const struct remote *r,
                      const volatile int *cancel, struct str *ret, struct err *err)
{
    AUTO_ARENA scratch = {.limit = BACKEND_STATE_MAX};
    struct backend_text at = {0};
    struct str what = arena_printf(&scratch, "backend %.*s", STR_ARG(r->type));
    if (!what.ptr || !backend_pull(&scratch, stack, what, false, cancel, &at, err))
        return what.ptr ? false : arena_full(&scratch, err);
    *ret = STR("none");
    return at.missing || digest_text_of(arena, at.text, ret, err);
}

bool remote_mark(struct arena *arena, const struct stack *stack, struct str before,
                 int64_t now_utc_ms, const volatile int *cancel, struct str *ret, struct err *err)
{
    struct remote r;
    struct object_answer answer = {0};
    if (!find(arena, stack, now_utc_ms, &r, err))
        return false;
    *ret = STR("");
    if (r.kind == REMOTE_NONE)
        return true;
    if (r.kind == REMOTE_PULL)
        return pull_mark(arena, stack, &r, cancel, ret, err);
    if (r.kind == REMOTE_HTTP)
        return backend_http_mark(arena, first_of(stack->state, setting(&r, "address")), &r.config,
                                 before, ret, err);
    if (!r.store->look(arena, &r.state, OBJECT_HEAD, &answer, err))
        return false;
    if (answer.there && !answer.version.len)
        return err_set(err, ERR_REMOTE, "the answer names no version of the state");
    *ret = answer.there ? answer.version : STR("none");
    return true;
}

/* --- its lock --- */

static bool take_info(struct arena *arena, struct str text, struct lock_holder *ret)
{
    struct lockinfo info = {0};
    if (!lockinfo_parse(arena, text, &info, NULL))
        return true; /* somebody's all the same, who says nothing */
    ret->held =
        lockinfo_kind(info.operation) == LOCK_WRITE && !str_starts(info.id, STR(LOCKINFO_HOLD_ID));
    ret->who = info.who;
    ret->operation = lockinfo_operation(info.operation);
    ret->since = info.created;
    return true;
}

/* Terraform's file beside a local state while it is locked. One that was never written to its end
 * is nobody's: its client died, or the next look sees it. */
static bool look_beside(struct arena *arena, const struct stack *stack, struct lock_holder *ret,
                        struct err *err)
{
    struct str state, text;
    if (!backend_local_file(arena, stack, &state, err))
        return false;
    if (!state.len)
        return true;
    struct str path = io_join(arena, io_dirname(state),
                              arena_printf(arena, ".%.*s.lock.info", STR_ARG(io_basename(state))));
    struct lockinfo info;
    if (!path.ptr)
        return arena_full(arena, err);
    return !io_exists(path.ptr) ||
           !io_read_file(arena, path.ptr, LOCKINFO_BYTES_MAX, &text, NULL) ||
           !lockinfo_parse(arena, text, &info, NULL) || take_info(arena, text, ret);
}

bool lock_look(struct arena *arena, const struct stack *stack, int64_t now_utc_ms,
               struct lock_holder *ret, struct err *err)
{
    struct remote r;
    struct object_answer answer = {0};
    enum remote_kind kind;
    *ret = (struct lock_holder){0};
    if (!remote_kind(arena, stack, &kind, err))
        return false;
    if (kind == REMOTE_NONE)
        return look_beside(arena, stack, ret, err);
    if (kind != REMOTE_S3 && kind != REMOTE_GCS)
        return true;
    if (!find(arena, stack, now_utc_ms, &r, err))
        return false;
    if (!r.lock.len)
        return true;
    r.state.object = r.lock;
    if (!r.store->look(arena, &r.state, OBJECT_GET, &answer, err))
        return err_wrap(err, "is an apply under way?");
    ret->held = answer.there;
    return !answer.there || take_info(arena, answer.body, ret);
}
