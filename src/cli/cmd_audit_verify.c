/* cmd_audit_verify.c - `plumb audit verify`: is it the log that was written, in the store or in a
 * file? */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io_big.h"
#include "cli/app.h"
#include "cli/audit_setup.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "record/audit_proof.h"
#include "record/audit_store_check.h"
#include "wire/json.h"

enum { EXIT_CHANGED = 3 };
enum { KEY, CHECKPOINT, OUTPUT, CONFIG, STORE, OPTION_COUNT };
/* clang-format off */
static const struct option options[] = {
    [KEY] = {.name = "key", .kind = OPTION_STRING, .arg = "KEY",
             .text = "the verifier key that you trust (`plumb audit key`); without it the log's "
                     "own word counts"},
    [CHECKPOINT] = {.name = "checkpoint", .kind = OPTION_LIST, .arg = "FILE",
                    .text = "a checkpoint that was kept: the log must continue it; may be repeated"},
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
/* clang-format on */
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct verifying {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct note_key pinned;
    struct audit_check_options how;
    struct audit_check found;
};

static bool take_options(struct verifying *v, struct err *err)
{
    struct str *files;
    const struct option_value *key = &v->in->value[KEY];
    if (key->set) {
        if (!note_key_read_verifier(v->arena, str_trim(key->text), &v->pinned, err))
            return err_wrap(err, "--key");
        v->how.pinned = &v->pinned;
    }
    if (!audit_read_files(v->arena, &v->in->value[CHECKPOINT], &files, &v->how.nformer, err))
        return false;
    v->how.former = files;
    return true;
}

static bool check_file(struct verifying *v, struct err *err)
{
    struct io_big file;
    struct str path = arena_dup(v->arena, v->in->args[0]);
    if (!path.ptr)
        return arena_full(v->arena, err);
    if (!io_big_read(path.ptr, AUDIT_EXPORT_MAX, &file, err))
        return false;
    bool ok = audit_proof_is(file.text)
                  ? audit_proof_check(v->arena, file.text, &v->how, &v->found, err)
                  : audit_export_check(v->arena, file.text, &v->how, &v->found, err);
    /* what is kept of it lives in the arena, but for the log's name */
    v->found.origin = arena_dup(v->arena, v->found.origin);
    v->found.key.name = v->found.origin;
    v->found.seal.origin = v->found.origin;
    io_big_free(&file);
    return ok;
}

static bool check_store(struct verifying *v, struct err *err)
{
    struct record record;
    if (!audit_open(v->arena, v->app, &v->in->value[CONFIG], &v->in->value[STORE], AUDIT_READ,
                    &record, err))
        return false;
    bool ok = audit_store_check(&record, v->arena, &v->how, &v->found, err);
    record_close(&record);
    return ok;
}

/* --- telling --- */

static void put_faults(struct jsonw *w, struct str name, const struct audit_faults *faults)
{
    jsonw_key(w, name);
    jsonw_array_open(w);
    for (size_t i = 0; i < faults->n; i++) {
        jsonw_object_open(w);
        jsonw_key(w, STR("event"));
        faults->fault[i].seq >= 0 ? jsonw_int(w, faults->fault[i].seq) : jsonw_null(w);
        jsonw_member_string(w, STR("text"), faults->fault[i].text);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

static void give_json(struct buf *out, const struct verifying *v)
{
    const struct audit_check *c = &v->found;
    struct jsonw w = {.out = out, .indent = 2};
    struct str key = c->key.name.len ? note_key_verifier(v->arena, &c->key) : STR("");
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("schema_version"), STR("1.0"));
    jsonw_member_bool(&w, STR("sound"), c->faults.n == 0);
    jsonw_member_string(&w, STR("origin"), c->origin);
    jsonw_member_int(&w, STR("first"), c->first);
    jsonw_member_int(&w, STR("last"), c->last);
    jsonw_member_int(&w, STR("checkpoints"), (int64_t)c->checkpoints);
    jsonw_member_int(&w, STR("signed"), (int64_t)c->seal.size);
    jsonw_member_string(&w, STR("key"), key);
    jsonw_member_bool(&w, STR("key_trusted"), v->how.pinned != NULL);
    put_faults(&w, STR("faults"), &c->faults);
    jsonw_member_int(&w, STR("faults_not_listed"), (int64_t)c->faults.lost);
    put_faults(&w, STR("warnings"), &c->warnings);
    jsonw_object_close(&w);
    buf_char(out, '\n');
}

static void give_faults(struct buf *out, const struct audit_faults *faults, const char *mark)
{
    for (size_t i = 0; i < faults->n; i++) {
        const struct audit_fault *f = &faults->fault[i];
        buf_str(out, str_from(mark));
        if (f->seq >= 0)
            buf_printf(out, "event %lld: ", (long long)f->seq);
        buf_printf(out, "%.*s\n", STR_ARG(f->text));
    }
    if (faults->lost)
        buf_printf(out, "%sand %zu more\n", mark, faults->lost);
}

static void give_text(struct buf *out, const struct verifying *v)
{
    const struct audit_check *c = &v->found;
    give_faults(out, &c->faults, "changed: ");
    give_faults(out, &c->warnings, "warning: ");
    if (c->last == c->first)
        buf_printf(out, "%s: event %lld of %.*s", c->faults.n ? "NOT SOUND" : "sound",
                   (long long)c->first, STR_ARG(c->origin));
    else if (c->last > c->first)
        buf_printf(out, "%s: events %lld to %lld of %.*s", c->faults.n ? "NOT SOUND" : "sound",
                   (long long)c->first, (long long)c->last, STR_ARG(c->origin));
    else
        buf_str(out, c->faults.n ? STR("NOT SOUND") : STR("sound: no events"));
    if (c->faults.n == 0 && c->seal.size)
        buf_printf(out, ", %zu checkpoint%s, the newest of %llu events", c->checkpoints,
                   c->checkpoints == 1 ? "" : "s", (unsigned long long)c->seal.size);
    buf_char(out, '\n');
    if (c->faults.n == 0 && c->key.name.len && c->seal.size)
        buf_printf(out, "signed by %.*s%s\n", STR_ARG(note_key_verifier(v->arena, &c->key)),
                   v->how.pinned ? "" : " (by the log's own word: compare it, or give --key)");
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)4 * ARENA_DEFAULT_LIMIT};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct verifying v = {.app = app, .in = in, .arena = &arena};
    if (!take_options(&v, err) || !(in->nargs ? check_file(&v, err) : check_store(&v, err)))
        return false;
    str_equal(in->value[OUTPUT].text, STR("json")) ? give_json(&out, &v) : give_text(&out, &v);
    if (!buf_ok(&out, err))
        return false;
    (void)fwrite(out.ptr, 1, out.len, app->out);
    *ret_exit = v.found.faults.n ? EXIT_CHANGED : 0;
    return true;
}

const struct command cmd_audit_verify = {
    .name = "audit verify",
    .usage = "plumb audit verify [FILE] [options]",
    .summary = "prove that the audit log is what was written, or name what was changed",
    .help = "Without FILE the log in the store; FILE is an export or a proof, for which nothing "
            "else is needed. Exit code 3: something was changed, and is named.\n\n"
            "  plumb audit verify\n"
            "  plumb audit verify audit-2026-10.jsonl --key \"$KEY\" --checkpoint kept.txt",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = 1,
    .run = run};
