/* audit_key.c - where the log's signing key is, and making one. */
#include "record/audit_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "record/audit.h"
#include "record/record.h"

enum { KEY_FILE_MAX = 4096, KEY_MODE = 0600 };

static struct str given(struct record *record)
{
    if (record->audit->key.len)
        return record->audit->key;
    return str_from(record->env ? record->env("PLUMB_AUDIT_KEY") : NULL);
}

bool audit_key_path(struct record *record, struct arena *arena, struct str *ret, struct err *err)
{
    struct str text = given(record), scheme, rest = text, url = record->url, path;
    *ret = (struct str){0};
    if (text.len) {
        if (!str_cut(&rest, ':', &scheme) || !str_equal(scheme, STR("file")))
            return true;
        path = arena_dup(arena, rest);
    } else {
        if (!str_cut(&url, ':', &scheme) || !str_equal(scheme, STR("sqlite")) ||
            str_equal(url, STR(":memory:")))
            return true;
        path = arena_printf(arena, "%.*s.audit.key", STR_ARG(url));
    }
    *ret = path;
    return path.ptr || arena_full(arena, err);
}

bool audit_key_new_origin(struct arena *arena, struct str *ret, struct err *err)
{
    unsigned char random[ED25519_KEY];
    char hex[DIGEST_HEX + 1];
    struct digest digest;
    if (!ed25519_generate(random, err))
        return false;
    memcpy(digest.byte, random, sizeof digest.byte);
    digest_hex(&digest, hex);
    *ret = arena_printf(arena, "plumb.local/%.16s", hex);
    return ret->ptr || arena_full(arena, err);
}

bool audit_key_save(struct arena *arena, const char *path, const struct note_key *key, bool over,
                    struct err *err)
{
    struct str text = note_key_signer(arena, key);
    struct str line = text.ptr ? arena_printf(arena, "%.*s\n", STR_ARG(text)) : text;
    struct str half = arena_printf(arena, "%s.%lld", path, (long long)getpid());
    if (!line.ptr || !half.ptr)
        return arena_full(arena, err);
    const char *to = over ? path : half.ptr;
    bool ok = io_write_file_atomic(to, line, KEY_MODE, err);
    if (ok && !over) { /* of two that begin at once the first one's stays */
        ok = link(half.ptr, path) == 0 || errno == EEXIST ||
             err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        (void)unlink(half.ptr);
    }
    char *wipe = NULL;
    memcpy(&wipe, &line.ptr, sizeof wipe); /* ours, const only to others */
    ed25519_wipe(wipe, line.len);
    memcpy(&wipe, &text.ptr, sizeof wipe);
    ed25519_wipe(wipe, text.len);
    return ok || err_wrap(err, "write the audit log's key");
}

static bool read_signer(struct arena *arena, struct str text, const char *name,
                        struct note_key *ret, struct err *err)
{
    return note_key_read_signer(arena, str_trim(text), ret, err) ||
           err_wrap(err, "the audit log's key %s", name);
}

static bool read_file(struct arena *arena, const char *path, struct note_key *ret, struct err *err)
{
    struct stat st;
    struct str text;
    if (stat(path, &st) == 0 && (st.st_mode & 077))
        return err_set(err, ERR_IO,
                       "the audit log's key %s can be read by others: chmod 600 %s, and `plumb "
                       "audit key --rotate` if they may have read it",
                       path, path);
    return io_read_file(arena, path, KEY_FILE_MAX, &text, err) &&
           read_signer(arena, text, path, ret, err);
}

static bool make_file(struct arena *arena, const char *path, struct str origin, struct err *err)
{
    struct note_key key;
    if ((!origin.len && !audit_key_new_origin(arena, &origin, err)) ||
        !note_key_generate(origin, &key, err))
        return false;
    bool ok = audit_key_save(arena, path, &key, false, err);
    note_key_wipe(&key);
    return ok;
}

static bool from_environment(struct record *record, struct arena *arena, struct str text,
                             struct note_key *ret, struct err *err)
{
    struct str rest = text, scheme;
    if (!str_cut(&rest, ':', &scheme) || !str_equal(scheme, STR("env")))
        return read_signer(arena, text, "in PLUMB_AUDIT_KEY", ret, err);
    struct str name = arena_dup(arena, rest);
    if (!name.ptr)
        return arena_full(arena, err);
    struct str value = str_from(record->env ? record->env(name.ptr) : NULL);
    if (!value.len)
        return err_set(err, ERR_USAGE, "the audit log's key: the variable %s is not set", name.ptr);
    return read_signer(arena, value, name.ptr, ret, err);
}

bool audit_key_open(struct record *record, struct arena *arena, struct str origin, bool make,
                    struct note_key *ret, enum audit_key_found *ret_found, struct err *err)
{
    struct str path, text = given(record);
    *ret_found = AUDIT_KEY_NONE;
    if (!audit_key_path(record, arena, &path, err))
        return false;
    if (!path.len && !text.len)
        return true;
    if (path.len && !io_exists(path.ptr)) {
        if (!make)
            return true;
        if (!make_file(arena, path.ptr, origin, err))
            return false;
    }
    bool ok = path.len ? read_file(arena, path.ptr, ret, err)
                       : from_environment(record, arena, text, ret, err);
    if (!ok)
        return false;
    if (ret->type != NOTE_ED25519 || (origin.len && !str_equal(ret->name, origin))) {
        note_key_wipe(ret);
        return err_set(err, ERR_CONFLICT,
                       "the audit log's key is named '%.*s', the log is '%.*s': it is the key of "
                       "another log",
                       STR_ARG(ret->name), STR_ARG(origin));
    }
    *ret_found = AUDIT_KEY_FOUND;
    return true;
}
