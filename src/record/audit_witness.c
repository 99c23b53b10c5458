/* audit_witness.c - a checkpoint to a file, a git repository, syslog, an HTTP witness. */
#include "record/audit_witness.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/proc.h"
#include "model/audit_options.h"
#include "record/audit_checkpoint.h"
#include "record/audit_head.h"
#include "record/audit_verify.h"
#include "record/record.h"
#include "wire/http.h"
#include "wire/syslog.h"

enum { FILE_MODE = 0644, TIMEOUT_MS = 10000 };

struct giving {
    struct record *record;
    struct arena *arena;
    const struct audit_witness *witness;
    struct audit_signed made;
};

/* --- file --- */

static bool to_file(struct giving *g, struct err *err)
{
    struct str path = arena_dup(g->arena, g->witness->at), name;
    if (!path.ptr)
        return arena_full(g->arena, err);
    if (io_is_dir(path.ptr)) {
        name = arena_printf(g->arena, "checkpoint.%lld", (long long)g->made.size);
        path = name.ptr ? io_join(g->arena, path, name) : name;
        if (!path.ptr)
            return arena_full(g->arena, err);
    }
    return io_write_file_atomic(path.ptr, g->made.note, FILE_MODE, err);
}

/* --- git: one commit a checkpoint, on a ref of its own, beside every branch --- */

#define GIT_REF "refs/plumb/audit"

static bool git(struct giving *g, struct str input, const char *const *words, size_t n,
                bool may_fail, struct str *ret, struct err *err)
{
    enum { WORDS_MAX = 24 };
    const char *argv[WORDS_MAX] = {"git",
                                   "-C",
                                   arena_dup(g->arena, g->witness->at).ptr,
                                   "-c",
                                   "core.fsmonitor=false",
                                   "-c",
                                   "core.hooksPath=/dev/null",
                                   "-c",
                                   "user.name=plumb",
                                   "-c",
                                   "user.email=plumb@localhost"};
    size_t at = 11;
    struct proc_spec spec = {.argv = argv, .input = input};
    struct proc_result result;
    for (size_t i = 0; i < n; i++)
        argv[at++] = words[i];
    if (!argv[2])
        return arena_full(g->arena, err);
    if (!proc_run(g->arena, &spec, &result, err))
        return false;
    if (result.exit_code != 0 && !may_fail)
        return err_set(err, ERR_REMOTE, "git %s: %.*s", words[0],
                       STR_ARG(str_trim(result.err_text)));
    *ret = result.exit_code == 0 ? arena_dup(g->arena, str_trim(result.out)) : (struct str){0};
    return true;
}

static bool to_git(struct giving *g, struct err *err)
{
    const char *const blob[] = {"hash-object", "-w", "--stdin"}, *const tree[] = {"mktree"},
                      *const old[] = {"rev-parse", "-q", "--verify", GIT_REF "^{commit}"};
    struct str id, tree_id, parent = {0}, commit;
    if (!git(g, g->made.note, blob, 3, false, &id, err))
        return false;
    struct str line = arena_printf(g->arena, "100644 blob %.*s\tcheckpoint\n", STR_ARG(id));
    struct str subject =
        arena_printf(g->arena, "audit checkpoint of %lld events", (long long)g->made.size);
    if (!line.ptr || !subject.ptr)
        return arena_full(g->arena, err);
    if (!git(g, line, tree, 1, false, &tree_id, err) ||
        !git(g, STR(""), old, 4, true, &parent, err))
        return false;
    const char *const make[] = {"commit-tree",          tree_id.ptr, "-m", subject.ptr,
                                parent.len ? "-p" : "", parent.ptr};
    if (!git(g, STR(""), make, parent.len ? 6 : 4, false, &commit, err))
        return false;
    const char *const move[] = {"update-ref", GIT_REF, commit.ptr, parent.len ? parent.ptr : ""};
    return git(g, STR(""), move, 4, false, &id, err);
}

/* --- syslog: RFC 5424, the note's lines with '|' between them --- */

static bool to_syslog(struct giving *g, struct err *err)
{
    AUTO_BUF text = {.limit = NOTE_BYTES_MAX};
    const struct syslog_header header = {.facility = SYSLOG_AUDIT,
                                         .severity = SYSLOG_NOTICE,
                                         .utc_ms = g->made.utc_ms,
                                         .type = STR("checkpoint")};
    const struct syslog_place place = {.at = g->witness->at, .timeout_ms = TIMEOUT_MS};
    struct str rest = g->made.note, line;
    syslog_begin(&text, &header);
    for (bool first = true; rest.len; first = false) {
        (void)str_cut(&rest, '\n', &line);
        if (!first)
            buf_char(&text, '|');
        buf_str(&text, line);
    }
    return buf_ok(&text, err) && syslog_send(g->arena, &place, buf_view(&text), err);
}

/* --- HTTP --- */

static bool post(struct giving *g, const char *url, struct str body, struct http_answer *ret,
                 struct err *err)
{
    const struct http_get request = {.url = url, .post = body, .timeout_ms = TIMEOUT_MS};
    return http_fetch(g->arena, &request, ret, err);
}

static bool refused(struct giving *g, const struct http_answer *answer, struct err *err)
{
    struct str label = http_label(g->arena, g->witness->at);
    return err_set(err, ERR_REMOTE, "witness %.*s answers %ld: %.*s", STR_ARG(label),
                   answer->status, (int)(answer->body.len < 200 ? answer->body.len : 200),
                   answer->body.ptr);
}

/* "old SIZE", the proof that leads from there to this checkpoint, an empty line, the checkpoint. */
static bool witness_body(struct giving *g, uint64_t old, struct str *ret, struct err *err)
{
    AUTO_BUF body = {.limit = 2 * NOTE_BYTES_MAX};
    struct audit_nodes nodes;
    struct merkle_proof proof = {.n = 0};
    uint64_t size = (uint64_t)g->made.size;
    if (!audit_nodes_open(&nodes, g->record->db, g->made.size, err))
        return false;
    const struct merkle_source source = {audit_node, &nodes};
    bool ok = old == 0 || old >= size ||
              merkle_prove_consistency(nodes.hasher, &source, old, size, &proof, err);
    audit_nodes_close(&nodes);
    if (!ok)
        return false;
    buf_printf(&body, "old %llu\n", (unsigned long long)old);
    for (size_t i = 0; i < proof.n; i++) {
        struct str hash = {(const char *)proof.hash[i].byte, DIGEST_SIZE};
        buf_str(&body, base64_encode(g->arena, hash));
        buf_char(&body, '\n');
    }
    buf_char(&body, '\n');
    buf_str(&body, g->made.note);
    *ret = arena_dup(g->arena, buf_view(&body));
    return buf_ok(&body, err) && (ret->ptr || arena_full(g->arena, err));
}

/* The cosignature is kept with the checkpoint, for exports. */
static bool keep_cosignature(struct giving *g, struct str lines, struct err *err)
{
    struct note_key key;
    struct note note;
    struct db *db = g->record->db;
    struct str whole = arena_printf(g->arena, "%.*s%.*s", STR_ARG(g->made.note), STR_ARG(lines));
    if (!whole.ptr)
        return arena_full(g->arena, err);
    if (!note_key_read_verifier(g->arena, g->witness->key, &key, err) ||
        !note_read(g->arena, whole, &note, err))
        return false;
    if (note_check(&note, &key, NULL) != NOTE_GOOD)
        return err_set(err, ERR_CONFLICT, "witness %.*s did not sign what it was given",
                       STR_ARG(key.name));
    struct db_value row[] = {DB_PARAM_TEXT(whole), DB_PARAM_INT(g->made.size)};
    if (!db_begin(db, DB_WRITE, err))
        return false;
    if (!db_run(db, "UPDATE audit_checkpoint SET note = $1 WHERE size = $2", row, 2, err) ||
        !db_commit(db, err)) {
        db_rollback(db);
        return false;
    }
    g->made.note = whole;
    return true;
}

static bool to_witness(struct giving *g, struct err *err)
{
    struct str url = str_sub(g->witness->at, 0, g->witness->at.len), body;
    while (str_ends(url, STR("/")))
        url.len--;
    struct str whole = arena_printf(g->arena, "%.*s/add-checkpoint", STR_ARG(url));
    struct http_answer answer;
    int64_t old = 0;
    if (!whole.ptr)
        return arena_full(g->arena, err);
    /* a witness that has seen this log says in a 409 how much of it */
    for (int tries = 0; tries < 3; tries++) {
        if (!witness_body(g, (uint64_t)old, &body, err) || !post(g, whole.ptr, body, &answer, err))
            return false;
        if (answer.status == 200)
            return keep_cosignature(g, answer.body, err);
        if (answer.status != 409 || !str_to_int64(str_trim(answer.body), &old) || old < 0)
            break;
    }
    return refused(g, &answer, err);
}

static bool to_http(struct giving *g, struct err *err)
{
    struct http_answer answer;
    struct str url = arena_dup(g->arena, g->witness->at);
    if (g->witness->key.len)
        return to_witness(g, err);
    if (!url.ptr)
        return arena_full(g->arena, err);
    if (!post(g, url.ptr, g->made.note, &answer, err))
        return false;
    return (answer.status >= 200 && answer.status < 300) || refused(g, &answer, err);
}

/* --- all of them --- */

static const struct {
    struct str name;
    bool needs_place;
    bool (*give)(struct giving *g, struct err *err);
} kinds[] = {
    {STR_INIT("file"), true, to_file},
    {STR_INIT("git"), true, to_git},
    {STR_INIT("syslog"), false, to_syslog},
    {STR_INIT("http"), true, to_http},
};

static bool give(struct giving *g, struct err *err)
{
    const struct audit_witness *w = g->witness;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!str_equal(kinds[i].name, w->to))
            continue;
        if (kinds[i].needs_place && !w->at.len)
            return err_set(err, ERR_USAGE, "audit witness %.*s: `at` says where", STR_ARG(w->to));
        return kinds[i].give(g, err) || err_wrap(err, "audit witness %.*s", STR_ARG(w->to));
    }
    return err_set(err, ERR_USAGE, "audit witness '%.*s': want file, git, syslog or http",
                   STR_ARG(w->to));
}

/* --- who has what --- */

/* What of the log each was given last stands in the store, by a digest: an address may hold a
 * password. */
static bool place_of(struct giving *g, struct str *ret, struct err *err)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    struct sha256 *sha = sha256_open(err);
    if (!sha)
        return false;
    sha256_add_field(sha, g->witness->to);
    sha256_add_field(sha, g->witness->at);
    if (!sha256_close(sha, &digest, err))
        return false;
    digest_hex(&digest, hex);
    *ret = arena_printf(g->arena, "witness %s", hex);
    return ret->ptr || arena_full(g->arena, err);
}

/* A file that is not there any more is written again. */
static bool has_it(struct giving *g, struct str place, bool *ret, struct err *err)
{
    const struct db_value row = DB_PARAM_TEXT(place);
    int64_t size = -1;
    struct str at = arena_dup(g->arena, g->witness->at);
    if (!at.ptr)
        return arena_full(g->arena, err);
    if (!db_one_int(g->record->db,
                    "SELECT coalesce(max(CAST(value AS BIGINT)), -1) FROM setting WHERE name = $1",
                    &row, 1, &size, err))
        return false;
    *ret = size == g->made.size && (!str_equal(g->witness->to, STR("file")) || io_exists(at.ptr));
    return true;
}

static bool remember(struct giving *g, struct str place, struct err *err)
{
    struct db *db = g->record->db;
    struct str size = arena_printf(g->arena, "%lld", (long long)g->made.size);
    const struct db_value row[] = {DB_PARAM_TEXT(place), DB_PARAM_TEXT(size)};
    if (!size.ptr)
        return arena_full(g->arena, err);
    if (g->record->read_only)
        return true;
    if (!db_begin(db, DB_WRITE, err))
        return false;
    if (!db_run(db,
                "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name)"
                " DO UPDATE SET value = excluded.value",
                row, 2, err) ||
        !db_commit(db, err)) {
        db_rollback(db);
        return false;
    }
    return true;
}

static bool give_once(struct giving *g, struct err *err)
{
    struct str place;
    bool has = false;
    return place_of(g, &place, err) && has_it(g, place, &has, err) &&
           (has || (give(g, err) && remember(g, place, err)));
}

bool audit_witness_all(struct record *record, struct arena *arena, const struct audit_signed *made,
                       struct err *err)
{
    bool ok = true;
    struct giving g = {.record = record, .arena = arena, .made = *made};
    for (size_t i = 0; i < record->audit->nwitnesses; i++) {
        g.witness = &record->audit->witnesses[i];
        ok = give_once(&g, ok ? err : NULL) && ok;
    }
    return ok;
}
