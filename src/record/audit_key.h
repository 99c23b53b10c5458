/* audit_key.h - the key that signs checkpoints: found, made on first use, replaced.
 *
 * Where:   audit.key of plumb.yaml or PLUMB_AUDIT_KEY (file:PATH, env:NAME, or the key itself);
 * else beside the SQLite file as FILE.audit.key. PostgreSQL has no place beside it Form:    one
 * line "PRIVATE+KEY+NAME+ID+BASE64", mode 0600; the name is the log's origin Secrets: who takes a
 * key wipes it (note_key_wipe)
 */
#pragma once
#include <stdbool.h>

#include "record/note.h"

struct arena;
struct err;
struct record;

enum audit_key_found { AUDIT_KEY_NONE, AUDIT_KEY_FOUND };

/*
 * origin  the name it must have; empty while the log has not begun: then the key's is the log's
 * make    a key file that is not there is made (a key in the environment never is)
 * ret     filled where *ret_found says so; AUDIT_KEY_NONE: nothing says where a key would be, or it
 *         is not there and was not to be made
 */
bool audit_key_open(struct record *record, struct arena *arena, struct str origin, bool make,
                    struct note_key *ret, enum audit_key_found *ret_found, struct err *err);
/* Where the key file is or would be; empty: none. */
bool audit_key_path(struct record *record, struct arena *arena, struct str *ret, struct err *err);
/* Writes it atomically, 0600, over what is there where `over` says so. */
bool audit_key_save(struct arena *arena, const char *path, const struct note_key *key, bool over,
                    struct err *err);
/* "plumb.local/" and 16 hex digits out of random bytes. */
bool audit_key_new_origin(struct arena *arena, struct str *ret, struct err *err);
