/* audit_verify.c - the chain, the tree, and who is to blame. */
#include "record/audit_verify.h"

#include <stdarg.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"

void audit_fault_add(struct audit_faults *faults, int64_t seq, const char *fmt, ...)
{
    va_list args;
    if (faults->n == AUDIT_FAULTS_MAX) {
        faults->lost++;
        return;
    }
    struct audit_fault *room =
        arena_grow(faults->arena, faults->fault, faults->n, &faults->room, faults->n + 1);
    va_start(args, fmt);
    struct str text = arena_vprintf(faults->arena, fmt, args);
    va_end(args);
    if (!room || !text.ptr) {
        faults->lost++;
        return;
    }
    faults->fault = room;
    faults->fault[faults->n++] = (struct audit_fault){seq, text};
}

void audit_verify_begin(struct audit_verify *v, const struct merkle_range *range)
{
    v->range = *range;
    v->expected = v->good_until = (int64_t)range->size;
    v->blamed = -1;
}

/* --- keys --- */

struct str audit_key_promise(struct arena *arena, struct str origin, struct str vkey)
{
    return arena_printf(arena, "plumb audit key\n%.*s\n%.*s\n", STR_ARG(origin), STR_ARG(vkey));
}

/* Is the new key's promise signed by itself, and by the one before it? */
static bool promise_holds(struct audit_verify *v, struct str vkey, struct str promise,
                          const struct note_key *new, const struct note_key *old)
{
    struct note note;
    struct str want = audit_key_promise(v->arena, v->origin, vkey);
    return want.ptr && note_read(v->arena, promise, &note, NULL) && str_equal(note.text, want) &&
           note_check(&note, new, NULL) == NOTE_GOOD &&
           (!old || note_check(&note, old, NULL) == NOTE_GOOD);
}

static void add_key(struct audit_verify *v, int64_t seq, struct str vkey, struct str promise,
                    bool first)
{
    struct audit_key added = {.from = seq};
    const struct note_key *old = v->nkeys ? &v->key[v->nkeys - 1].key : NULL;
    if (!note_key_read_verifier(v->arena, vkey, &added.key, NULL) ||
        !str_equal(added.key.name, v->origin)) {
        audit_fault_add(v->faults, seq, "the key that it announces is none of this log");
        return;
    }
    if (v->nkeys == AUDIT_KEYS_MAX) {
        audit_fault_add(v->faults, seq, "more than %d keys in one log", AUDIT_KEYS_MAX);
        return;
    }
    added.promised = first || promise_holds(v, vkey, promise, &added.key, old);
    if (!added.promised)
        audit_fault_add(v->warnings, seq,
                        "key %08x was not signed by the key before it: whoever says so may not "
                        "be the log's owner",
                        added.key.id);
    v->key[v->nkeys++] = added;
}

void audit_verify_key_event(struct audit_verify *v, const struct audit_line *line)
{
    struct value detail;
    bool start = str_equal(line->type, STR("log.start"));
    if ((!start && !str_equal(line->type, STR("log.key"))) || !line->detail.len ||
        !json_parse(v->arena, line->detail, "detail", JSON_COPY, &detail, NULL))
        return;
    struct str vkey = value_get_string(&detail, STR("key"));
    struct str origin = value_get_string(&detail, STR("origin"));
    if (start && !v->origin.len)
        v->origin = origin;
    if (start && !str_equal(v->origin, origin))
        audit_fault_add(v->faults, line->seq, "the log is named '%.*s' here, '%.*s' elsewhere",
                        STR_ARG(origin), STR_ARG(v->origin));
    if (vkey.len)
        add_key(v, line->seq, vkey, value_get_string(&detail, STR("promise")), start);
}

/* --- checkpoints --- */

bool audit_sealed_read(struct arena *arena, struct str note, struct audit_sealed *ret,
                       struct err *err)
{
    struct audit_sealed sealed = {.note = note};
    if (!note_read(arena, note, &sealed.read, err) ||
        !checkpoint_read(arena, sealed.read.text, &sealed.checkpoint, err))
        return false;
    *ret = sealed;
    return true;
}

/* The key that signs checkpoints of that size. */
static const struct audit_key *key_for(const struct audit_verify *v, uint64_t size)
{
    const struct audit_key *found = NULL;
    for (size_t i = 0; i < v->nkeys; i++)
        if (v->key[i].from < (int64_t)size)
            found = &v->key[i];
    return found;
}

static bool same_key(const struct note_key *a, const struct note_key *b)
{
    return a->id == b->id && str_equal(a->name, b->name) &&
           memcmp(a->public_key, b->public_key, ED25519_KEY) == 0;
}

/* Does trust lead from the pinned key to this one, by promises? */
static bool trusted(const struct audit_verify *v, const struct audit_key *key)
{
    bool reached = false;
    for (size_t i = 0; i < v->nkeys; i++) {
        reached = (reached && v->key[i].promised) || same_key(&v->key[i].key, v->pinned);
        if (&v->key[i] == key)
            break;
    }
    return reached;
}

/* Names the first signature that nobody here can check, or that is wrong. */
static bool others_good(struct audit_verify *v, const struct audit_sealed *s,
                        const struct note_key *log)
{
    for (size_t i = 0; i < s->read.nsignatures; i++) {
        const struct note_signature *sig = &s->read.signature[i];
        const struct note_key *key = NULL;
        if (sig->id == log->id && str_equal(sig->name, log->name))
            continue;
        for (size_t k = 0; k < v->nwitnesses; k++)
            if (sig->id == v->witness[k].id && str_equal(sig->name, v->witness[k].name))
                key = &v->witness[k];
        if ((key && note_check(&s->read, key, NULL) == NOTE_GOOD) || (!key && !v->strict))
            continue;
        audit_fault_add(v->faults, -1, "checkpoint of %llu events: the signature of %.*s (%08x) %s",
                        (unsigned long long)s->checkpoint.size, STR_ARG(sig->name), sig->id,
                        key ? "is wrong" : "is by nobody known here");
        return false;
    }
    return true;
}

bool audit_verify_note(struct audit_verify *v, const struct audit_sealed *s)
{
    unsigned long long size = s->checkpoint.size;
    const struct audit_key *key = key_for(v, size);
    if (!str_equal(s->checkpoint.origin, v->origin) || s->checkpoint.extensions.len) {
        audit_fault_add(v->faults, -1, "checkpoint of %llu events: it is of '%.*s', not of '%.*s'",
                        size, STR_ARG(s->checkpoint.origin), STR_ARG(v->origin));
        return false;
    }
    if (!key) {
        audit_fault_add(v->faults, -1, "checkpoint of %llu events: the log names no key for it",
                        size);
        return false;
    }
    enum note_verdict verdict = note_check(&s->read, &key->key, NULL);
    if (verdict != NOTE_GOOD) {
        const struct note_signature *by = s->read.signature;
        audit_fault_add(v->faults, -1,
                        "checkpoint of %llu events: %s key %.*s+%08x, which the log names in event "
                        "%lld (it is signed by %.*s+%08x)",
                        size, verdict == NOTE_BAD ? "wrong signature of" : "not signed by",
                        STR_ARG(key->key.name), key->key.id, (long long)key->from,
                        STR_ARG(by->name), by->id);
        return false;
    }
    if (v->pinned && !trusted(v, key)) {
        audit_fault_add(v->faults, -1,
                        "checkpoint of %llu events: signed by %.*s+%08x, and nothing leads there "
                        "from the key that is trusted, %.*s+%08x",
                        size, STR_ARG(key->key.name), key->key.id, STR_ARG(v->pinned->name),
                        v->pinned->id);
        return false;
    }
    v->pin_met |= v->pinned != NULL;
    return others_good(v, s, &key->key);
}

/* The tree has reached the size of the next checkpoints: its root must be theirs. */
static bool meet_checkpoints(struct audit_verify *v)
{
    struct digest root;
    bool have = false;
    while (v->next_sealed < v->nsealed &&
           v->sealed[v->next_sealed].checkpoint.size <= v->range.size) {
        const struct audit_sealed *s = &v->sealed[v->next_sealed++];
        if (s->checkpoint.size < v->range.size || v->tree_lost)
            continue;
        if (!have && !merkle_range_root(v->hasher, &v->range, &root))
            return false;
        have = true;
        if (!audit_verify_note(v, s))
            continue;
        if (digest_equal(&root, &s->checkpoint.root)) {
            v->good_until = (int64_t)s->checkpoint.size;
            v->checkpoints++;
            continue;
        }
        v->unmet = (int64_t)s->checkpoint.size;
        v->tree_lost = true;
    }
    return true;
}

/* The line behind it may have named an event of its own; else nobody knows which it was. */
static void tell_unmet(struct audit_verify *v)
{
    if (v->unmet && v->blamed < v->good_until)
        audit_fault_add(v->faults, -1,
                        "events %lld to %lld are not those that the checkpoint of %lld events "
                        "signed, though their chain holds",
                        (long long)v->good_until, (long long)v->unmet - 1, (long long)v->unmet);
    v->unmet = 0;
}

/* --- lines --- */

static void blame(struct audit_verify *v, int64_t seq, const char *why)
{
    if (v->blamed != seq)
        audit_fault_add(v->faults, seq, "%s", why);
    if (seq > v->blamed)
        v->blamed = seq;
}

static bool follows(const struct audit_pending *next, const struct audit_pending *p)
{
    return next->there && next->readable && next->line.has_prev &&
           digest_equal(&next->line.prev, &p->sha);
}

static bool number_is(const struct audit_pending *p, int64_t seq)
{
    return p->there && p->readable && p->line.seq == seq;
}

enum place { PLACE_RIGHT, PLACE_OTHERS, PLACE_NONE };

/* A line with another number than the one that should stand here. */
static enum place other_number(struct audit_verify *v, const struct audit_pending *p,
                               const struct audit_pending *next)
{
    int64_t want = v->expected, is = p->line.seq;
    if (v->chain_known && p->line.has_prev && digest_equal(&p->line.prev, &v->last)) {
        audit_fault_add(v->faults, want, "was changed: it says that it is event %lld",
                        (long long)is);
        v->blamed = want;
        return PLACE_RIGHT;
    }
    if (number_is(next, want + 1)) {
        audit_fault_add(v->faults, want, "event %lld stands in its place", (long long)is);
        v->blamed = want;
        return PLACE_OTHERS;
    }
    if (is < want) {
        audit_fault_add(v->faults, is, "stands again, or out of its place, behind event %lld",
                        (long long)want - 1);
        return PLACE_NONE;
    }
    if (is - want == 1)
        audit_fault_add(v->faults, want, "is missing in its place");
    else
        audit_fault_add(v->faults, want, "events %lld to %lld are missing in their place",
                        (long long)want, (long long)is - 1);
    v->blamed = is - 1;
    v->expected = is;
    v->tree_lost = true;
    v->chain_known = false;
    return PLACE_RIGHT;
}

static enum place find_place(struct audit_verify *v, const struct audit_pending *p,
                             const struct audit_pending *next)
{
    if (p->readable)
        return p->line.seq == v->expected ? PLACE_RIGHT : other_number(v, p, next);
    bool extra = number_is(next, v->expected);
    audit_fault_add(v->faults, v->expected,
                    extra ? "a line that is no event stands before it"
                          : "was changed: its line cannot be read any more");
    v->blamed = v->expected;
    return extra ? PLACE_NONE : PLACE_OTHERS;
}

static void check_chain(struct audit_verify *v, const struct audit_pending *p,
                        const struct audit_pending *next, const struct digest *after)
{
    int64_t seq = v->expected;
    bool confirmed = follows(next, p) || (!next->there && after && digest_equal(after, &p->sha));
    bool linked =
        seq == 0 ? !p->line.has_prev : p->line.has_prev && digest_equal(&p->line.prev, &v->last);
    if (p->leaf_known && !digest_equal(&p->leaf, &p->known))
        blame(v, seq, "was changed: it is not what the tree has");
    else if ((v->chain_known || seq == 0) && !linked && (confirmed || p->leaf_known) && seq > 0)
        blame(v, seq - 1, "was changed: the event behind it has another digest of it");
    else if ((v->chain_known || seq == 0) && !linked)
        blame(v, seq,
              "was changed, and perhaps the one before it: it neither follows that nor leads to "
              "the next");
}

static bool process(struct audit_verify *v, const struct audit_pending *next,
                    const struct digest *after, struct err *err)
{
    const struct audit_pending *p = &v->pending;
    if (!p->there)
        return true;
    enum place place = find_place(v, p, next);
    if (place == PLACE_NONE)
        return true;
    if (place == PLACE_RIGHT)
        check_chain(v, p, next, after);
    tell_unmet(v);
    if (place == PLACE_RIGHT && p->readable && v->blamed != v->expected)
        audit_verify_key_event(v, &p->line);
    v->last = p->sha;
    v->chain_known = place == PLACE_RIGHT;
    v->expected++;
    if (!merkle_range_add(v->hasher, &v->range, &p->leaf) || !meet_checkpoints(v))
        return err_set(err, ERR_LIMIT, "SHA-256 failed");
    return true;
}

bool audit_verify_read(struct hasher *hasher, struct str line, struct audit_pending *ret)
{
    *ret = (struct audit_pending){.there = true};
    ret->readable = audit_line_read(line, &ret->line, NULL);
    return merkle_leaf(hasher, line, &ret->leaf) && hasher_sha256(hasher, &line, 1, &ret->sha);
}

bool audit_verify_next(struct audit_verify *v, const struct audit_pending *read,
                       const struct digest *known, struct err *err)
{
    if (!process(v, read, NULL, err))
        return false;
    v->pending = *read;
    if (known) {
        v->pending.leaf_known = true;
        v->pending.known = *known;
    }
    return true;
}

bool audit_verify_line(struct audit_verify *v, struct str line, const struct digest *known,
                       struct err *err)
{
    struct audit_pending next;
    if (!audit_verify_read(v->hasher, line, &next))
        return err_set(err, ERR_LIMIT, "SHA-256 failed");
    return audit_verify_next(v, &next, known, err);
}

bool audit_verify_end(struct audit_verify *v, const struct digest *after, struct err *err)
{
    static const struct audit_pending none = {.there = false};
    int64_t last = v->expected;
    if (!process(v, &none, after, err))
        return false;
    bool cut = v->until && v->expected < v->until;
    bool placed = v->expected == last + 1 && v->chain_known && after && !cut;
    if (cut && v->expected == v->until - 1)
        audit_fault_add(v->faults, v->expected, "is missing at the end");
    else if (cut)
        audit_fault_add(v->faults, v->expected, "is missing, and all up to event %lld",
                        (long long)v->until - 1);
    if (cut)
        v->blamed = v->expected;
    bool vouched = v->good_until == v->expected && !v->tree_lost;
    if (placed && !digest_equal(after, &v->last) && vouched)
        audit_fault_add(v->faults, -1, "the digest of the last event was changed");
    else if (placed && !digest_equal(after, &v->last) && v->blamed != last)
        blame(v, last, "was changed: its digest is another than the one kept behind it");
    tell_unmet(v);
    v->pending = none;
    return true;
}
