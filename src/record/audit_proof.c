/* audit_proof.c - writing and checking proofs of single events. */
#include "record/audit_proof.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "record/audit_checkpoint.h"
#include "record/audit_head.h"
#include "record/record.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1\n"

static bool print_proof(struct buf *out, struct arena *arena, struct str line, int64_t seq,
                        const struct merkle_proof *proof, struct str note, struct err *err)
{
    buf_str(out, STR(FIRST_LINE));
    buf_str(out, STR("extra "));
    buf_str(out, base64_encode(arena, line));
    buf_printf(out, "\nindex %lld\n", (long long)seq);
    for (size_t i = 0; i < proof->n; i++) {
        struct str hash = {(const char *)proof->hash[i].byte, DIGEST_SIZE};
        buf_str(out, base64_encode(arena, hash));
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
    buf_str(out, note);
    return buf_ok(out, err);
}

static bool prove(struct record *record, struct arena *arena, int64_t seq, struct str note,
                  struct str line, struct str *ret, struct err *err)
{
    AUTO_BUF out = {.limit = 8 * NOTE_BYTES_MAX};
    struct audit_sealed sealed;
    struct audit_nodes nodes;
    struct merkle_proof proof;
    struct digest leaf;
    int64_t size;
    if (!audit_sealed_read(arena, note, &sealed, err) ||
        !db_one_int(record->db, "SELECT size FROM audit_head WHERE id = 1", NULL, 0, &size, err) ||
        !audit_nodes_open(&nodes, record->db, size, err))
        return false;
    const struct merkle_source source = {audit_node, &nodes};
    bool ok = merkle_prove_inclusion(nodes.hasher, &source, (uint64_t)seq, sealed.checkpoint.size,
                                     &proof, err) &&
              print_proof(&out, arena, line, seq, &proof, note, err);
    if (ok && (!merkle_leaf(nodes.hasher, line, &leaf) ||
               !merkle_check_inclusion(nodes.hasher, (uint64_t)seq, sealed.checkpoint.size, &leaf,
                                       proof.hash, proof.n, &sealed.checkpoint.root)))
        ok = err_set(err, ERR_CONFLICT,
                     "event %lld is not what was signed: `plumb audit verify` names what was "
                     "changed",
                     (long long)seq);
    audit_nodes_close(&nodes);
    if (!ok)
        return false;
    *ret = arena_dup(arena, buf_view(&out));
    return ret->ptr || arena_full(arena, err);
}

bool audit_proof_write(struct record *record, struct arena *arena, int64_t seq, struct str *ret,
                       struct err *err)
{
    struct audit_signed newest;
    struct db_value at = DB_PARAM_INT(seq);
    struct str line;
    if (!db_one_text(record->db, arena, "SELECT line FROM audit_event WHERE seq = $1", &at, 1,
                     &line, err))
        return err && err->kind != ERR_NONE
                   ? false
                   : err_set(err, ERR_USAGE, "the store has no event %lld", (long long)seq);
    return audit_checkpoint_last(record, arena, &newest, err) &&
           (newest.size > seq || audit_checkpoint_make(record, arena, &newest, NULL, err)) &&
           prove(record, arena, seq, newest.note, line, ret, err);
}

/* --- checking --- */

bool audit_proof_is(struct str text)
{
    return str_starts(text, STR(FIRST_LINE));
}

struct proof_text {
    struct str line; /* the event */
    int64_t seq;
    struct merkle_proof proof;
    struct str note;
};

static bool read_hash(struct arena *arena, struct str text, struct digest *ret)
{
    struct str bytes;
    if (!base64_decode(arena, text, &bytes, NULL) || bytes.len != DIGEST_SIZE)
        return false;
    memcpy(ret->byte, bytes.ptr, DIGEST_SIZE);
    return true;
}

static bool read_proof(struct arena *arena, struct str text, struct proof_text *ret)
{
    AUTO_BUF again = {.limit = 8 * NOTE_BYTES_MAX};
    struct str line, whole = text;
    text = str_sub(text, sizeof FIRST_LINE - 1, text.len);
    if (!str_cut(&text, '\n', &line) || !str_starts(line, STR("extra ")) ||
        !base64_decode(arena, str_sub(line, 6, line.len), &ret->line, NULL) ||
        !str_cut(&text, '\n', &line) || !str_starts(line, STR("index ")) ||
        !str_to_int64(str_sub(line, 6, line.len), &ret->seq) || ret->seq < 0)
        return false;
    while (str_cut(&text, '\n', &line) && line.len)
        if (ret->proof.n == MERKLE_PROOF_MAX ||
            !read_hash(arena, line, &ret->proof.hash[ret->proof.n++]))
            return false;
    ret->note = text;
    return print_proof(&again, arena, ret->line, ret->seq, &ret->proof, ret->note, NULL) &&
           str_equal(buf_view(&again), whole);
}

static void check_read(struct arena *arena, const struct proof_text *p,
                       const struct audit_check_options *options, struct audit_check *ret,
                       struct hasher *hasher)
{
    struct audit_sealed sealed;
    struct audit_line line;
    struct digest leaf;
    if (!audit_sealed_read(arena, p->note, &sealed, NULL)) {
        audit_fault_add(&ret->faults, -1, "the proof's checkpoint was changed: it cannot be read");
        return;
    }
    ret->seal = sealed.checkpoint;
    ret->origin = sealed.checkpoint.origin;
    if (!str_equal(options->pinned->name, sealed.checkpoint.origin) ||
        note_check(&sealed.read, options->pinned, NULL) != NOTE_GOOD)
        audit_fault_add(&ret->faults, -1,
                        "the checkpoint of %llu events is not signed by %.*s+%08x",
                        (unsigned long long)sealed.checkpoint.size, STR_ARG(options->pinned->name),
                        options->pinned->id);
    else
        ret->key = *options->pinned;
    if (!audit_line_read(p->line, &line, NULL) || line.seq != p->seq)
        audit_fault_add(&ret->faults, p->seq, "was changed: it is no event of that number");
    else if (!merkle_leaf(hasher, p->line, &leaf) ||
             !merkle_check_inclusion(hasher, (uint64_t)p->seq, sealed.checkpoint.size, &leaf,
                                     p->proof.hash, p->proof.n, &sealed.checkpoint.root))
        audit_fault_add(&ret->faults, p->seq,
                        "it, its proof or the checkpoint was changed: they do not fit");
    ret->checkpoints = ret->faults.n == 0;
}

bool audit_proof_check(struct arena *arena, struct str text,
                       const struct audit_check_options *options, struct audit_check *ret,
                       struct err *err)
{
    struct proof_text p = {.seq = 0};
    if (!options->pinned)
        return err_set(err, ERR_USAGE,
                       "a proof holds no key: give the one that you trust with --key");
    struct hasher *hasher = hasher_open(err);
    if (!hasher)
        return false;
    *ret = (struct audit_check){.first = 0, .last = -1};
    ret->faults.arena = ret->warnings.arena = arena;
    if (!read_proof(arena, text, &p)) {
        audit_fault_add(&ret->faults, -1, "the proof was changed: it is not spelled as it must be");
    } else {
        check_read(arena, &p, options, ret, hasher);
        ret->first = ret->last = p.seq;
    }
    hasher_close(hasher);
    return true;
}
