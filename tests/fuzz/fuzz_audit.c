/* fuzz_audit.c - any bytes as an export, a proof and an event's line: never sound without a key. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/audit_proof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char seed[ED25519_KEY] = {1};
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct str text = {size ? (const char *)data : "", size};
    struct audit_check_options how = {.pinned = NULL};
    struct audit_check got;
    struct audit_line line;
    struct note_key key;
    struct err err = {0};
    if (audit_line_read(text, &line, &err) && (line.seq < 0 || line.text.len != size))
        abort();
    /* nobody has signed anything with this key */
    if (!note_key_from_seed(STR("fuzz"), NOTE_ED25519, seed, &key, &err))
        abort();
    how.pinned = &key;
    if (audit_proof_is(text) &&
        (!audit_proof_check(&arena, text, &how, &got, &err) || got.faults.n == 0))
        abort();
    if (!audit_export_check(&arena, text, &how, &got, &err) || got.faults.n == 0)
        abort();
    how.pinned = NULL;
    how.former = &text;
    how.nformer = 1;
    if (!audit_export_check(&arena, text, &how, &got, &err))
        abort();
    return 0;
}
