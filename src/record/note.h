/* note.h - signed notes and checkpoints: text that some known keys have signed.
 *
 * Shape:   text ending in LF, an empty line, then lines "- NAME BASE64(key id || signature)" with
 * an em dash (U+2014) for the hyphen. A checkpoint is a note whose text is three lines: origin,
 *          size of the tree, base64 of its root
 * Keys:    a verifier "NAME+ID+BASE64(type || public key)", a signer "PRIVATE+KEY+NAME+ID+..." with
 *          the seed. Types: Ed25519 over the text, and cosignature/v1, which adds a time
 * Strict:  base64 has one spelling here, so that no byte of a note can change unnoticed
 * Owner:   views into the text that was read; what is made lives in the arena
 * Errors:  ERR_SYNTAX; a signature that is wrong is no error but a result
 * Source:  C2SP signed-note, tlog-checkpoint, tlog-cosignature; golang.org/x/mod/sumdb/note
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ed25519.h"
#include "base/str.h"

struct arena;
struct err;

enum { NOTE_SIGNATURES_MAX = 100, NOTE_BYTES_MAX = 1 << 20, NOTE_NAME_MAX = 255 };

enum note_type { NOTE_ED25519 = 1, NOTE_COSIGNATURE = 4 };

struct note_key {
    struct str name;
    uint32_t id;
    enum note_type type;
    unsigned char public_key[ED25519_KEY];
    bool secret; /* seed is there: it can sign; wipe it (note_key_wipe) */
    unsigned char seed[ED25519_KEY];
};

/* Not empty, without blanks, plus signs and control characters, NOTE_NAME_MAX bytes at most. */
bool note_name_ok(struct str name);
bool note_key_from_seed(struct str name, enum note_type type, const unsigned char seed[ED25519_KEY],
                        struct note_key *ret, struct err *err);
bool note_key_generate(struct str name, struct note_key *ret, struct err *err);
/* Either text form; one end of line behind it is allowed. */
bool note_key_read_verifier(struct arena *arena, struct str text, struct note_key *ret,
                            struct err *err);
bool note_key_read_signer(struct arena *arena, struct str text, struct note_key *ret,
                          struct err *err);
/* ptr NULL where the arena is full. The signer's form is secret. */
struct str note_key_verifier(struct arena *arena, const struct note_key *key);
struct str note_key_signer(struct arena *arena, const struct note_key *key);
void note_key_wipe(struct note_key *key);

struct note_signature {
    struct str name;
    uint32_t id;
    struct str bytes; /* behind the id */
};
struct note {
    struct str text; /* with its last LF */
    const struct note_signature *signature;
    size_t nsignatures;
};
bool note_read(struct arena *arena, struct str bytes, struct note *ret, struct err *err);

/* NOTE_UNSIGNED: that key has not signed it. */
enum note_verdict { NOTE_UNSIGNED, NOTE_BAD, NOTE_GOOD };
/* ret_time: of a cosignature, seconds since 1970; else 0. May be NULL. */
enum note_verdict note_check(const struct note *note, const struct note_key *key,
                             uint64_t *ret_time);
/* The note with one more signature; `bytes` is a text that ends in LF, or a note. `time` is what a
 * cosignature says. */
bool note_sign(struct arena *arena, struct str text, const struct note_key *key, uint64_t time,
               struct str *ret, struct err *err);
bool note_add_signature(struct arena *arena, struct str note, const struct note_key *key,
                        uint64_t time, struct str *ret, struct err *err);

struct checkpoint {
    struct str origin;
    uint64_t size;
    struct digest root;
    struct str extensions; /* further lines, each with its LF; or empty */
};
bool checkpoint_read(struct arena *arena, struct str text, struct checkpoint *ret, struct err *err);
/* ptr NULL where the arena is full. */
struct str checkpoint_text(struct arena *arena, const struct checkpoint *checkpoint);
