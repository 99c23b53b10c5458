/* audit_check.c - reading an export: head, events, end, and what each has to do with the others. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "record/audit_export_parts.h"

struct check {
    struct arena *arena;
    const struct audit_check_options *options;
    struct audit_check *ret;
    struct hasher *hasher;
    struct export_head head;
    struct export_end end;
    bool has_end;
    struct str lines; /* the events, each with its LF */
    struct audit_sealed *sealed;
    size_t nsealed; /* that are met on the way; the seal, if it lies behind, comes after */
    struct audit_sealed seal;
    bool has_seal;
    struct audit_verify v;
};

#define FAULT(c, ...) audit_fault_add(&(c)->ret->faults, -1, __VA_ARGS__)

/* --- taking the file apart --- */

static bool split(struct check *c, struct str text, struct str *ret_head, struct str *ret_end)
{
    if (!str_cut(&text, '\n', ret_head))
        return false;
    bool whole = text.len && text.ptr[text.len - 1] == '\n';
    size_t at = whole ? text.len - 1 : text.len;
    while (at > 0 && text.ptr[at - 1] != '\n')
        at--;
    *ret_end = str_sub(text, at, whole ? text.len - 1 : text.len);
    c->lines = str_sub(text, 0, at);
    c->has_end = whole && str_starts(*ret_end, STR("{\"checkpoints\":"));
    if (!c->has_end) { /* perhaps an event: then the file was cut off behind it */
        bool event = str_starts(*ret_end, STR("{\"actor\":"));
        FAULT(c, "the export's end %s",
              event          ? "is missing: the file was cut off"
              : ret_end->len ? "was changed or cut off: it is no end of an export"
                             : "is missing");
        if (whole && event)
            c->lines = text;
    }
    return true;
}

static bool read_witnesses(struct check *c, struct err *err)
{
    struct note_key *key = arena_new(c->arena, struct note_key, c->end.nwitnesses);
    if (!key)
        return arena_full(c->arena, err);
    for (size_t i = 0; i < c->end.nwitnesses; i++) {
        bool used = false;
        if (!note_key_read_verifier(c->arena, c->end.witness[i], &key[i], NULL)) {
            FAULT(c, "end: witness key %zu was changed: it is no key", i + 1);
            return true;
        }
        for (size_t n = 0; n < c->nsealed + c->has_seal; n++) {
            const struct note *note = n < c->nsealed ? &c->sealed[n].read : &c->seal.read;
            used |= note_check(note, &key[i], NULL) == NOTE_GOOD;
        }
        if (!used)
            FAULT(c, "end: witness key %zu was changed: no checkpoint is signed by it", i + 1);
    }
    c->v.witness = key;
    c->v.nwitnesses = c->end.nwitnesses;
    return true;
}

/* Those up to the last event are met on the way, the newest may lie behind. */
static bool read_checkpoints(struct check *c, struct err *err)
{
    size_t n = c->end.nnotes;
    uint64_t events = (uint64_t)c->head.last + 1, before = (uint64_t)c->head.first;
    c->sealed = arena_new(c->arena, struct audit_sealed, n + c->options->nformer);
    if (!c->sealed)
        return arena_full(c->arena, err);
    for (size_t i = 0; i < n; i++) {
        struct audit_sealed s;
        if (!audit_sealed_read(c->arena, c->end.note[i], &s, NULL)) {
            FAULT(c, "end: checkpoint %zu was changed: it cannot be read", i + 1);
            return true;
        }
        uint64_t size = s.checkpoint.size;
        if (size <= before || (i + 1 < n && size > events)) {
            FAULT(c, "end: checkpoint %zu, of %llu events, is out of its place", i + 1,
                  (unsigned long long)size);
            return true;
        }
        before = size;
        if (size <= events)
            c->sealed[c->nsealed++] = s;
        c->seal = s;
        c->has_seal = i + 1 == n && size >= events;
    }
    if (!c->has_seal)
        FAULT(c, "end: no checkpoint covers event %lld: one is missing", (long long)c->head.last);
    return true;
}

/* --- events --- */

static bool feed(struct check *c, struct err *err)
{
    struct str rest = c->lines, line;
    while (rest.len) {
        if (!str_cut(&rest, '\n', &line)) {
            line = rest;
            rest = (struct str){0};
        }
        if (!audit_verify_line(&c->v, line, NULL, err))
            return false;
    }
    return audit_verify_end(&c->v, c->has_end ? &c->end.digest : NULL, err);
}

/* Keys that were announced before or behind the range: their lines are in the tree of the seal. */
static bool outside_keys(struct check *c, bool behind, struct err *err)
{
    for (size_t i = 0; i < c->head.nkeys; i++) {
        struct audit_line line;
        struct digest leaf;
        const struct export_key *key = &c->head.key[i];
        if (!audit_line_read(key->line, &line, NULL)) {
            if (!behind)
                FAULT(c, "head: key event %zu was changed: it cannot be read", i + 1);
            continue;
        }
        if ((line.seq > c->head.last) != behind)
            continue;
        if (!merkle_leaf(c->hasher, key->line, &leaf))
            return err_set(err, ERR_LIMIT, "SHA-256 failed");
        if (line.seq >= c->head.first && line.seq <= c->head.last) {
            FAULT(c, "head: key event %zu was changed: event %lld is among the others", i + 1,
                  (long long)line.seq);
            continue;
        }
        if (!c->has_seal ||
            !merkle_check_inclusion(c->hasher, (uint64_t)line.seq, c->seal.checkpoint.size, &leaf,
                                    key->proof.hash, key->proof.n, &c->seal.checkpoint.root)) {
            audit_fault_add(&c->ret->faults, line.seq,
                            "head: this key event, or its proof, was changed");
            continue;
        }
        audit_verify_key_event(&c->v, &line);
    }
    return true;
}

/* From the tree over all that was read to the newest checkpoint. */
static bool check_seal(struct check *c, struct err *err)
{
    struct digest root;
    uint64_t size = c->v.range.size;
    if (!c->has_seal || c->seal.checkpoint.size <= (uint64_t)c->head.last + 1) {
        if (c->has_seal && c->end.seal.n)
            FAULT(c, "end: there is a proof that nothing needs");
        return true; /* met on the way */
    }
    bool signed_well = audit_verify_note(&c->v, &c->seal);
    if (c->v.tree_lost || !signed_well || size != (uint64_t)c->head.last + 1)
        return true; /* why was said already */
    if (!merkle_range_root(c->hasher, &c->v.range, &root))
        return err_set(err, ERR_LIMIT, "SHA-256 failed");
    if (merkle_check_consistency(c->hasher, size, c->seal.checkpoint.size, c->end.seal.hash,
                                 c->end.seal.n, &root, &c->seal.checkpoint.root))
        c->v.checkpoints++;
    else if (c->v.blamed < c->v.good_until)
        FAULT(c,
              "events %lld to %lld, or the proof in the end, are not what the checkpoint of %llu "
              "events signed",
              (long long)c->v.good_until, (long long)c->head.last,
              (unsigned long long)c->seal.checkpoint.size);
    return true;
}

/* --- checkpoints that somebody kept --- */

/* Those in the end of the export, for checkpoints outside the range: each by its own proof. */
static void check_formers(struct check *c)
{
    for (size_t i = 0; i < c->end.nformer; i++) {
        const struct export_former *f = &c->end.former[i];
        struct audit_sealed s;
        if (!audit_sealed_read(c->arena, f->note, &s, NULL)) {
            FAULT(c, "end: former checkpoint %zu was changed: it cannot be read", i + 1);
            continue;
        }
        if (audit_verify_note(&c->v, &s) && c->has_seal &&
            !merkle_check_consistency(c->hasher, s.checkpoint.size, c->seal.checkpoint.size,
                                      f->proof.hash, f->proof.n, &s.checkpoint.root,
                                      &c->seal.checkpoint.root))
            FAULT(c,
                  "end: the log of the newest checkpoint does not continue that of the former one, "
                  "of %llu events, or the proof was changed",
                  (unsigned long long)s.checkpoint.size);
    }
}

/* The one that the reader brings, by the same log with the same root somewhere in the export. */
static bool meets(const struct check *c, const struct checkpoint *kept)
{
    struct audit_sealed s;
    for (size_t i = 0; i < c->end.nnotes + c->end.nformer; i++) {
        struct str note =
            i < c->end.nnotes ? c->end.note[i] : c->end.former[i - c->end.nnotes].note;
        if (audit_sealed_read(c->arena, note, &s, NULL) && s.checkpoint.size == kept->size)
            return digest_equal(&s.checkpoint.root, &kept->root);
    }
    return false;
}

static bool within(const struct check *c, const struct audit_sealed *s)
{
    return s->checkpoint.size > (uint64_t)c->head.first &&
           s->checkpoint.size <= (uint64_t)c->head.last + 1;
}

static void check_kept(struct check *c, struct str note, size_t number)
{
    struct audit_sealed s;
    struct err why = {0};
    char text[ERR_TEXT_MAX];
    if (!audit_sealed_read(c->arena, note, &s, &why)) {
        FAULT(c, "--checkpoint %zu: %s", number, err_text(&why, text, sizeof text));
        return;
    }
    if (within(c, &s)) /* was met on the way */
        return;
    if (audit_verify_note(&c->v, &s) && !meets(c, &s.checkpoint))
        FAULT(c,
              "--checkpoint of %llu events: the export holds no such checkpoint with this root, so "
              "nothing shows that the log continues it (`plumb audit export --checkpoint FILE` "
              "writes the proof)",
              (unsigned long long)s.checkpoint.size);
}

/* Those within the range are met on the way, like the export's own. */
static void add_kept(struct check *c, struct str note)
{
    struct audit_sealed s;
    size_t at = c->nsealed;
    if (!audit_sealed_read(c->arena, note, &s, NULL) || !within(c, &s))
        return;
    for (; at > 0 && c->sealed[at - 1].checkpoint.size > s.checkpoint.size; at--)
        c->sealed[at] = c->sealed[at - 1];
    c->sealed[at] = s;
    c->nsealed++;
}

/* --- all of it --- */

static void finish(struct check *c)
{
    struct audit_check *ret = c->ret;
    ret->first = c->head.first;
    ret->last = c->v.expected - 1;
    ret->checkpoints = c->v.checkpoints;
    ret->origin = c->v.origin;
    if (c->v.expected > c->head.last + 1)
        FAULT(c, "the head names events %lld to %lld, the last one here is %lld",
              (long long)c->head.first, (long long)c->head.last, (long long)c->v.expected - 1);
    if (c->has_seal)
        ret->seal = c->seal.checkpoint;
    for (size_t i = 0; i < c->v.nkeys; i++)
        if (c->has_seal && c->v.key[i].from < (int64_t)c->seal.checkpoint.size)
            ret->key = c->v.key[i].key;
}

static bool run(struct check *c, struct str text, struct err *err)
{
    struct str head, end;
    struct err why = {0};
    char message[ERR_TEXT_MAX];
    if (!split(c, text, &head, &end) || !export_head_read(c->arena, head, &c->head, &why)) {
        FAULT(c, "the export's head (line 1) was changed: %s",
              why.nframes ? err_text(&why, message, sizeof message) : "it is not there");
        return true;
    }
    if (c->has_end && !export_end_read(c->arena, end, &c->end, &why)) {
        FAULT(c, "the export's end (last line) was changed: %s",
              err_text(&why, message, sizeof message));
        c->has_end = false;
    }
    if (c->has_end && (!read_checkpoints(c, err) || !read_witnesses(c, err)))
        return false;
    for (size_t i = 0; c->has_end && c->sealed && i < c->options->nformer; i++)
        add_kept(c, c->options->former[i]);
    c->v.arena = c->arena;
    c->v.faults = &c->ret->faults;
    c->v.warnings = &c->ret->warnings;
    c->v.hasher = c->hasher;
    c->v.origin = c->head.origin;
    c->v.sealed = c->sealed;
    c->v.nsealed = c->nsealed;
    c->v.pinned = c->options->pinned;
    c->v.strict = true;
    c->v.until = c->head.last + 1;
    audit_verify_begin(&c->v, &c->head.edge);
    if (!outside_keys(c, false, err) || !feed(c, err) || !outside_keys(c, true, err) ||
        !check_seal(c, err))
        return false;
    if (c->has_end)
        check_formers(c);
    for (size_t i = 0; c->has_end && i < c->options->nformer; i++)
        check_kept(c, c->options->former[i], i + 1);
    finish(c);
    return true;
}

bool audit_export_check(struct arena *arena, struct str text,
                        const struct audit_check_options *options, struct audit_check *ret,
                        struct err *err)
{
    struct check c = {.arena = arena, .options = options, .ret = ret, .hasher = hasher_open(err)};
    if (!c.hasher)
        return false;
    *ret = (struct audit_check){.first = 0, .last = -1};
    ret->faults.arena = ret->warnings.arena = arena;
    bool ok = run(&c, text, err);
    hasher_close(c.hasher);
    return ok;
}
