/* origin.c - where the code's value comes from: place, source, chain, commit, owner, who explains
 * it; as text and as JSON. */
#include "base/clock.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

enum { HASH_SHOWN = 10, NAME_BYTES = 100, SUMMARY_BYTES = 120 };

static const struct str sensitive_end = STR_INIT("(sensitive)");

/* --- what may be shown --- */

struct str origin_excerpt(const struct origin *origin, bool hidden)
{
    bool withheld = hidden && !str_ends(origin->excerpt, sensitive_end);
    return withheld ? (struct str){0} : origin->excerpt;
}

bool finding_hidden(const struct finding *finding)
{
    for (size_t i = 0; i < finding->nchanges; i++)
        if (finding->changes[i].origin == finding->origin && change_hidden(&finding->changes[i]))
            return true;
    return false;
}

bool origin_told(const struct finding *finding, const struct report_options *options)
{
    for (size_t i = 0; i < finding->nchanges; i++)
        if (finding->changes[i].origin && change_shown(&finding->changes[i], options) &&
            !change_folded(finding, &finding->changes[i], options))
            return true;
    return false;
}

struct str finding_remedy(const struct finding *finding)
{
    if (finding->remedy.len || finding->ignored) /* what is accepted needs nothing */
        return finding->remedy;
    return str_from(class_remedy(finding->class_));
}

/* --- as text --- */

void location_text(struct buf *out, const struct location *at)
{
    text_safe(out, at->file);
    if (at->file.len && at->line)
        buf_printf(out, ":%u", at->line);
}

/* A place without a file has a name for it: "environment TF_VAR_size". */
static void put_place(struct buf *out, const struct origin_step *place)
{
    struct str words = place->name.len ? place->name : place->what;
    if (place->at.file.len) {
        location_text(out, &place->at);
    } else {
        text_safe(out, place->what);
        words = place->name;
    }
    if (words.len) {
        buf_char(out, ' ');
        text_safe(out, words);
    }
}

void chain_text(struct buf *out, const struct origin *origin)
{
    for (size_t i = 0; i < origin->nchain; i++) {
        buf_str(out, i ? STR(" -> ") : STR(""));
        put_place(out, &origin->chain[i]);
    }
}

static void put_cut(struct buf *out, struct str s, size_t most)
{
    struct str head = text_cut(s, most);
    text_safe(out, head);
    buf_str(out, head.len < s.len ? STR("...") : STR(""));
}

void commit_text(struct buf *out, const struct commit *commit)
{
    char when[CLOCK_TEXT];
    if (!commit->hash.len) {
        buf_str(out, STR("a change that is not committed"));
        return;
    }
    text_safe(out, str_sub(commit->hash, 0, HASH_SHOWN));
    buf_str(out, STR(" by "));
    put_cut(out, commit->author.len ? commit->author : commit->mail, NAME_BYTES);
    buf_str(out, STR(", "));
    text_safe(out, str_sub(str_from(clock_format(commit->time_utc_ms, when)), 0, 10));
    if (commit->summary.len) {
        buf_str(out, STR(": "));
        put_cut(out, commit->summary, SUMMARY_BYTES);
    }
    if (commit->boundary)
        buf_str(out, STR(" (the history ends here: shallow clone)"));
}

void history_text(struct buf *out, const struct origin *origin)
{
    if (origin->commit) {
        buf_str(out, STR("last changed in "));
        commit_text(out, origin->commit);
    }
    if (origin->owner.len) {
        buf_str(out, origin->commit ? STR("; owner ") : STR("owner "));
        text_safe(out, origin->owner);
    }
}

void explanation_text(struct buf *out, const struct explanation *explanation)
{
    switch (explanation->kind) {
    case EXPLAINED_BY_BRANCH:
        buf_str(out, STR("branch "));
        put_cut(out, explanation->branch, NAME_BYTES);
        buf_str(out, STR(" agrees with what is live: "));
        break;
    case EXPLAINED_BY_EARLIER:
        buf_str(out, STR("the code agreed with what is live before "));
        break;
    default:
        buf_str(out, STR("what is committed agrees with what is live, edited since: "));
    }
    commit_text(out, &explanation->commit);
}

/* --- as JSON --- */

void location_json(struct jsonw *w, const struct location *at)
{
    location_json_as(w, STR("location"), at);
}

void location_json_as(struct jsonw *w, struct str key, const struct location *at)
{
    jsonw_key(w, key);
    if (!at->file.len) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    jsonw_member_string(w, STR("file"), at->file);
    jsonw_member_int(w, STR("line"), at->line);
    jsonw_member_int(w, STR("column"), at->column);
    jsonw_member_int(w, STR("end_line"), at->end_line ? at->end_line : at->line);
    jsonw_member_int(w, STR("end_column"), at->end_column);
    jsonw_object_close(w);
}

static void put_chain(struct jsonw *w, const struct origin *origin)
{
    jsonw_key(w, STR("chain"));
    jsonw_array_open(w);
    for (size_t i = 0; i < origin->nchain; i++) {
        jsonw_object_open(w);
        jsonw_member_string(w, STR("what"), origin->chain[i].what);
        text_json(w, STR("name"), origin->chain[i].name);
        location_json(w, &origin->chain[i].at);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

void commit_json(struct jsonw *w, const struct commit *commit)
{
    char when[CLOCK_TEXT];
    struct str time = {0};
    if (commit->hash.len)
        time = str_from(clock_format(commit->time_utc_ms, when));
    jsonw_object_open(w);
    text_json(w, STR("hash"), commit->hash);
    text_json(w, STR("author"), commit->author);
    text_json(w, STR("mail"), commit->mail);
    text_json(w, STR("time"), time);
    text_json(w, STR("summary"), commit->summary);
    jsonw_member_bool(w, STR("boundary"), commit->boundary);
    jsonw_object_close(w);
}

static void put_explained(struct jsonw *w, const struct origin *origin)
{
    jsonw_key(w, STR("explained_by"));
    jsonw_array_open(w);
    for (size_t i = 0; i < origin->nexplained; i++) {
        const struct explanation *explanation = &origin->explained[i];
        jsonw_object_open(w);
        jsonw_member_string(w, STR("kind"), str_from(explanation_kind_name(explanation->kind)));
        text_json(w, STR("branch"), explanation->branch);
        jsonw_key(w, STR("commit"));
        commit_json(w, &explanation->commit);
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

void origin_json(struct jsonw *w, const struct origin *origin, bool hidden)
{
    jsonw_key(w, STR("origin"));
    if (!origin) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    location_json(w, &origin->at);
    text_json(w, STR("excerpt"), origin_excerpt(origin, hidden));
    put_chain(w, origin);
    text_json(w, STR("unknown_because"), origin->unknown_because);
    jsonw_key(w, STR("last_commit"));
    if (origin->commit)
        commit_json(w, origin->commit);
    else
        jsonw_null(w);
    text_json(w, STR("owner"), origin->owner);
    put_explained(w, origin);
    jsonw_object_close(w);
}

void revision_json(struct jsonw *w, const struct revision *revision)
{
    jsonw_key(w, STR("revision"));
    if (!revision) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    text_json(w, STR("repository"), revision->repository);
    text_json(w, STR("commit"), revision->commit);
    text_json(w, STR("branch"), revision->branch);
    jsonw_member_bool(w, STR("dirty"), revision->dirty);
    jsonw_member_bool(w, STR("pushed"), revision->pushed);
    jsonw_member_bool(w, STR("shallow"), revision->shallow);
    jsonw_object_close(w);
}
