/* fuzz_note.c - any bytes as a note, a key and a checkpoint: what is taken is printed the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_keys(struct arena *arena, struct str text)
{
    struct note_key key;
    struct err err = {0};
    if (str_ends(text, STR("\n")))
        text.len--;
    if (note_key_read_verifier(arena, text, &key, &err) &&
        !str_equal(note_key_verifier(arena, &key), text))
        abort();
    if (note_key_read_signer(arena, text, &key, &err) &&
        !str_equal(note_key_signer(arena, &key), text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char seed[ED25519_KEY] = {1};
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    struct str text = {size ? (const char *)data : "", size}, more;
    struct note note;
    struct checkpoint checkpoint;
    struct note_key key;
    try_keys(&arena, text);
    if (checkpoint_read(&arena, text, &checkpoint, &err) &&
        !str_equal(checkpoint_text(&arena, &checkpoint), text))
        abort();
    if (!note_key_from_seed(STR("fuzz"), NOTE_ED25519, seed, &key, &err))
        abort();
    if (!note_read(&arena, text, &note, &err))
        return 0;
    if (note_check(&note, &key, NULL) == NOTE_GOOD && note.nsignatures == 0)
        abort();
    if (note.nsignatures >= NOTE_SIGNATURES_MAX || size > NOTE_BYTES_MAX / 2)
        return 0;
    if (!note_add_signature(&arena, text, &key, 0, &more, &err) ||
        !note_read(&arena, more, &note, &err) || note_check(&note, &key, NULL) == NOTE_UNSIGNED)
        abort();
    return 0;
}
