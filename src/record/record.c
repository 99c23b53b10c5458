/* record.c - opening the store, and its key. */
#include "record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "record/audit.h"
#include "record/reviews_parts.h"
#include "record/schema.h"

enum { KEY_BYTES = 32, KEY_LEAST = 16, KEY_FILE_MAX = 4096 };

static struct str path_of(struct str url)
{
    return str_sub(url, sizeof "sqlite:" - 1, url.len);
}

/* A folder of ours in somebody's repository: neither findings nor the key belong into a commit. */
static bool keep_out_of_git(struct arena *arena, struct str url, struct err *err)
{
    struct str dir = io_dirname(path_of(url));
    if (!str_equal(io_basename(dir), STR(".plumb")))
        return true;
    struct str made = arena_dup(arena, dir), file = io_join(arena, dir, STR(".gitignore"));
    if (!file.ptr || !made.ptr)
        return arena_full(arena, err);
    if (io_exists(file.ptr))
        return true;
    return io_make_dirs(made.ptr, 0700, err) &&
           io_write_file_atomic(file.ptr, STR("*\n"), 0644, err);
}

int64_t record_now(const struct record *record)
{
    return record->now_ms ? record->now_ms(record->clock) : clock_wall_ms();
}

/* A log that has begun says when the store under it became another. */
static bool migrate(struct record *record, struct err *err)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct detail d = {.arena = &arena};
    struct event event = {.type = EVENT_STORE,
                          .time_utc_ms = record_now(record),
                          .actor = {STR("plumb"), STR("none")},
                          .outcome = STR("migrated")};
    size_t applied = 0;
    int64_t size = 0, schema = 0;
    if (!schema_migrate(record->db, record_now(record), &applied, err))
        return false;
    if (!applied || (audit_size(record, &size, err) && !size))
        return true;
    if (!size || !schema_version(record->db, &schema, err))
        return false;
    detail_int(&d, "schema", schema);
    detail_int(&d, "steps", (int64_t)applied);
    return detail_object(&d, &event.detail, err) && audit_write(record, &event, NULL, err);
}

static const struct audit_options no_audit_options;

bool record_open(struct arena *arena, const struct record_options *options, struct record *ret,
                 struct err *err)
{
    struct record record = {.arena = arena,
                            .url = arena_dup(arena, options->url),
                            .env = options->env,
                            .now_ms = options->now_ms,
                            .clock = options->clock,
                            .audit = options->audit ? options->audit : &no_audit_options,
                            .read_only = options->read_only};
    struct db_options how = {.read_only = options->read_only,
                             .there = options->there,
                             .later = options->later,
                             .timeout_ms = options->timeout_ms,
                             .turn = options->turn};
    if (!record.url.ptr)
        return arena_full(arena, err);
    bool file = str_starts(record.url, STR("sqlite:"));
    if (file && !how.read_only && !how.there && !keep_out_of_git(arena, record.url, err))
        return err_wrap(err, "make the store");
    if (!db_open(&record.db, record.url, &how, err))
        return false;
    bool ok = how.read_only ? schema_require(record.db, err) : migrate(&record, err);
    if (!ok) {
        db_close(record.db);
        return false;
    }
    *ret = record;
    return true;
}

void record_close(struct record *record)
{
    db_close(record->db);
    if (record->key.len) {
        char *key = NULL;
        memcpy(&key, &record->key.ptr, sizeof key); /* in our arena, const only to others */
        explicit_bzero(key, record->key.len);
    }
    *record = (struct record){0};
}

/* --- the key --- */

static bool read_key_file(struct arena *arena, const char *path, struct str *ret, struct err *err)
{
    struct stat st;
    struct str text;
    if (stat(path, &st) == 0 && (st.st_mode & 077))
        return err_set(err, ERR_IO, "the key %s can be read by others: chmod 600 %s", path, path);
    if (!io_read_file(arena, path, KEY_FILE_MAX, &text, err))
        return err_wrap(err, "the store's key");
    *ret = str_trim(text);
    return ret->len >= KEY_LEAST ||
           err_set(err, ERR_SYNTAX, "the key %s has fewer than %d bytes", path, KEY_LEAST);
}

/* Two that begin at once both go on with the one that came first. */
static bool make_key_file(struct arena *arena, const char *path, struct err *err)
{
    unsigned char random[KEY_BYTES];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return err_set(err, ERR_IO, "no random bytes for a key: %s", strerror(errno));
    struct str text = base64_encode(arena, (struct str){(const char *)random, sizeof random});
    struct str half = arena_printf(arena, "%s.%lld", path, (long long)getpid());
    if (!text.ptr || !half.ptr)
        return arena_full(arena, err);
    struct str line = arena_printf(arena, "%.*s\n", STR_ARG(text));
    if (!line.ptr)
        return arena_full(arena, err);
    if (!io_write_file_atomic(half.ptr, line, 0600, err))
        return err_wrap(err, "make the store's key");
    bool ok = link(half.ptr, path) == 0 || errno == EEXIST ||
              err_set(err, ERR_IO, "make the store's key %s: %s", path, strerror(errno));
    (void)unlink(half.ptr);
    struct str dir = arena_dup(arena, io_dirname(str_from(path)));
    AUTO_FD folder = dir.ptr ? open(dir.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (folder >= 0)
        (void)fsync(folder);
    return ok;
}

static bool given_key(struct record *record, const char *given, struct str *ret, struct err *err)
{
    struct str text = str_from(given), rest = text, scheme;
    if (str_cut(&rest, ':', &scheme) && str_equal(scheme, STR("file"))) {
        struct str path = arena_dup(record->arena, rest);
        return path.ptr ? read_key_file(record->arena, path.ptr, ret, err)
                        : arena_full(record->arena, err);
    }
    if (str_equal(scheme, STR("env")) && rest.ptr) {
        struct str name = arena_dup(record->arena, rest);
        if (!name.ptr)
            return arena_full(record->arena, err);
        text = str_from(record->env(name.ptr));
        if (!text.len)
            return err_set(err, ERR_USAGE, "PLUMB_KEY names the variable %s, which is not set",
                           name.ptr);
    }
    if (text.len < KEY_LEAST)
        return err_set(err, ERR_USAGE, "the key in PLUMB_KEY has fewer than %d bytes", KEY_LEAST);
    *ret = arena_dup(record->arena, text);
    return ret->ptr || arena_full(record->arena, err);
}

/* A store that has one was written with it: another would only stand in its way. */
static bool may_make_key(struct record *record, struct str path, struct err *err)
{
    int64_t n = 0;
    if (!db_one_int(record->db, "SELECT count(*) FROM setting WHERE name = 'key'", NULL, 0, &n,
                    err))
        return false;
    return n == 0 ||
           err_set(err, ERR_CONFLICT,
                   "the key that %.*s was written with, %.*s, is not there: bring it back, or set "
                   "PLUMB_KEY",
                   STR_ARG(db_shown(record->db)), STR_ARG(path));
}

static bool find_key(struct record *record, struct str *ret, struct err *err)
{
    const char *given = record->env ? record->env("PLUMB_KEY") : NULL;
    if (given && *given)
        return given_key(record, given, ret, err);
    if (db_kind(record->db) != DB_SQLITE)
        return err_set(err, ERR_USAGE,
                       "a store on PostgreSQL needs PLUMB_KEY=file:PATH or PLUMB_KEY=env:NAME, the "
                       "same for all who write to it: digests of secrets are keyed with it "
                       "(openssl rand -base64 32)");
    if (str_equal(path_of(record->url), STR(":memory:"))) {
        *ret = STR("a store in memory has no secrets to keep");
        return true;
    }
    struct str path = arena_printf(record->arena, "%.*s.key", STR_ARG(path_of(record->url)));
    if (!path.ptr)
        return arena_full(record->arena, err);
    if (!io_exists(path.ptr) &&
        (!may_make_key(record, path, err) || !make_key_file(record->arena, path.ptr, err)))
        return false;
    return read_key_file(record->arena, path.ptr, ret, err);
}

/* With another key every secret would look changed: the store knows its own by a digest. */
static bool check_key(struct record *record, struct str key, struct err *err)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    struct str known;
    if (!digest_hmac_sha256(key, STR("plumb store key"), &digest, err))
        return false;
    digest_hex(&digest, hex);
    struct db_value row[] = {DB_PARAM_TEXT(str_from(hex))};
    if (!db_run(record->db,
                "INSERT INTO setting (name, value) VALUES ('key', $1) ON CONFLICT DO NOTHING", row,
                1, err) ||
        !db_one_text(record->db, record->arena, "SELECT value FROM setting WHERE name = 'key'",
                     NULL, 0, &known, err))
        return err_wrap(err, "the store's key");
    return str_equal(known, str_from(hex)) ||
           err_set(err, ERR_CONFLICT,
                   "the key is not the one that %.*s was written with: every secret would look "
                   "changed. Bring back the old key file, or set PLUMB_KEY",
                   STR_ARG(db_shown(record->db)));
}

bool record_key(struct record *record, struct str *ret, struct err *err)
{
    struct str key;
    if (!record->key.len) {
        if (!find_key(record, &key, err) || !check_key(record, key, err))
            return false;
        record->key = key;
    }
    *ret = record->key;
    return true;
}
