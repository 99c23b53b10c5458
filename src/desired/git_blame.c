/* git_blame.c - `git blame --incremental`: the commit of each line that is asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "desired/git_parts.h"

/* --- what it prints --- */

struct reader {
    struct arena *arena;
    struct git_blamed *line;
    struct commit *commit;
    size_t nlines, lines_room, ncommits, commits_room;
};

static bool to_u32(struct str s, uint32_t *ret)
{
    int64_t n;
    if (!str_to_int64(s, &n) || n < 1 || n > UINT32_MAX)
        return false;
    *ret = (uint32_t)n;
    return true;
}

/* "HASH ORIGINAL FINAL COUNT" */
static bool parse_head(struct str text, struct str *ret_hash, struct git_blamed *ret)
{
    struct str original;
    if (!str_cut(&text, ' ', ret_hash) || !git_is_hash(*ret_hash) ||
        !str_cut(&text, ' ', &original))
        return false;
    struct str first;
    return str_cut(&text, ' ', &first) && to_u32(first, &ret->first) && to_u32(text, &ret->n);
}

/* Commits come again and again: the newest is looked for last to first. False: full. */
static bool take_commit(struct reader *r, struct str hash, size_t *ret)
{
    for (size_t i = r->ncommits; i-- > 0;)
        if (str_equal(r->commit[i].hash, hash)) {
            *ret = i;
            return true;
        }
    r->commit = arena_grow(r->arena, r->commit, r->ncommits, &r->commits_room, r->ncommits + 1);
    if (!r->commit)
        return false;
    r->commit[r->ncommits] = (struct commit){.hash = hash};
    *ret = r->ncommits++;
    return true;
}

static bool take_line(struct reader *r, struct git_blamed line)
{
    r->line = arena_grow(r->arena, r->line, r->nlines, &r->lines_room, r->nlines + 1);
    if (!r->line)
        return false;
    r->line[r->nlines++] = line;
    return true;
}

static struct str after(struct str line, struct str key)
{
    return str_starts(line, key) ? str_sub(line, key.len, line.len) : (struct str){0};
}

static void take_fact(struct commit *commit, struct str line)
{
    int64_t seconds;
    struct {
        struct str key;
        struct str *to;
    } texts[] = {{STR("author "), &commit->author},
                 {STR("author-mail "), &commit->mail},
                 {STR("summary "), &commit->summary}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (str_starts(line, texts[i].key))
            *texts[i].to = after(line, texts[i].key);
    if (str_to_int64(after(line, STR("author-time ")), &seconds) && seconds < INT64_MAX / 1000 &&
        seconds > INT64_MIN / 1000)
        commit->time_utc_ms = seconds * 1000;
    if (str_equal(line, STR("boundary")))
        commit->boundary = true;
}

/* <a@x> -> a@x; and what is not committed has no author. */
static void finish_commit(struct commit *commit)
{
    bool zeros = true;
    for (size_t i = 0; i < commit->hash.len; i++)
        zeros = zeros && commit->hash.ptr[i] == '0';
    if (zeros)
        *commit = (struct commit){0};
    if (str_starts(commit->mail, STR("<")) && str_ends(commit->mail, STR(">")))
        commit->mail = str_sub(commit->mail, 1, commit->mail.len - 1);
}

bool git_parse_blame(struct arena *arena, struct str text, struct git_blame_text *ret,
                     struct err *err)
{
    struct reader r = {.arena = arena};
    struct str line;
    while (text.len) {
        struct str hash;
        struct git_blamed blamed = {0};
        (void)str_cut(&text, '\n', &line);
        if (!parse_head(line, &hash, &blamed))
            return err_set(err, ERR_SYNTAX, "git blame: not a line of it: %.*s",
                           STR_ARG(str_sub(line, 0, 80)));
        if (!take_commit(&r, hash, &blamed.commit) || !take_line(&r, blamed))
            return arena_full(arena, err);
        /* facts up to the file's name, which ends a group */
        while (text.len) {
            (void)str_cut(&text, '\n', &line);
            if (str_starts(line, STR("filename ")))
                break;
            take_fact(&r.commit[blamed.commit], line);
        }
    }
    for (size_t i = 0; i < r.ncommits; i++)
        finish_commit(&r.commit[i]);
    *ret = (struct git_blame_text){r.line, r.nlines, r.commit, r.ncommits};
    return true;
}

/* --- asking --- */

static uint32_t last_of(const struct git_range *range)
{
    return range->last > range->first ? range->last : range->first;
}

static const struct commit *newest(struct git *git, const struct git_blame_text *text,
                                   const struct git_range *range)
{
    const struct commit *found = NULL;
    uint32_t last = last_of(range);
    for (size_t i = 0; i < text->nlines; i++) {
        const struct git_blamed *line = &text->line[i];
        const struct commit *commit = &text->commit[line->commit];
        if (line->first > last || (uint64_t)line->first + line->n <= range->first)
            continue;
        if (!found || !commit->hash.len ||
            (found->hash.len && commit->time_utc_ms > found->time_utc_ms))
            found = commit;
    }
    if (!found)
        return NULL;
    struct commit *kept = arena_new(git->arena, struct commit, 1);
    if (!kept)
        return NULL;
    *kept = *found;
    struct str *texts[] = {&kept->author, &kept->mail, &kept->summary};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = git_keep_text(git, *texts[i]);
    /* git marks the very first commit as well: only a cut history is one */
    kept->boundary = git_is_boundary(git, kept->hash);
    return kept;
}

/* `no such path` is git's word for a file that is not in HEAD: nothing of it is committed. */
static bool is_untracked(struct str err_text)
{
    return str_find(err_text, STR("no such path"), 0) != SIZE_MAX ||
           str_find(err_text, STR("no such ref: HEAD"), 0) != SIZE_MAX;
}

static bool answer(struct git *git, const struct proc_result *result,
                   const struct git_range *ranges, size_t n, const struct commit **ret)
{
    static const struct commit uncommitted;
    struct git_blame_text text;
    struct err why = {0};
    if (result->exit_code != 0) {
        for (size_t i = 0; i < n && is_untracked(result->err_text); i++)
            ret[i] = &uncommitted;
        static const char *const words[] = {"blame", NULL};
        return is_untracked(result->err_text) || git_tell(git, words, result);
    }
    if (!git_parse_blame(git->arena, result->out, &text, &why))
        return why.kind != ERR_LIMIT;
    for (size_t i = 0; i < n; i++)
        ret[i] = newest(git, &text, &ranges[i]);
    return true;
}

bool git_blame(struct git *git, struct str file, const struct git_range *ranges, size_t n,
               const struct commit **ret, struct err *err)
{
    size_t count = n < GIT_RANGES_MAX ? n : GIT_RANGES_MAX, at = 0;
    static const char *const head[] = {"blame", "--incremental", "--no-textconv", "--no-progress"};
    enum { HEAD = sizeof head / sizeof *head };
    const char **words = arena_new(git->arena, const char *, HEAD + 2 * (size_t)GIT_RANGES_MAX + 3);
    struct proc_result result;
    bool ok;
    for (size_t i = 0; i < n; i++)
        ret[i] = NULL;
    if (!words)
        return arena_full(git->arena, err);
    for (size_t i = 0; i < HEAD; i++)
        words[at++] = head[i];
    for (size_t i = 0; i < count; i++) {
        words[at++] = "-L";
        words[at++] = arena_printf(git->arena, "%u,%u", ranges[i].first, last_of(&ranges[i])).ptr;
    }
    words[at++] = "--";
    words[at] = arena_dup(git->arena, file).ptr;
    for (size_t i = 0; i <= at; i++)
        if (!words[i])
            return arena_full(git->arena, err);
    if (!n || !file.len || memchr(file.ptr, '\0', file.len))
        return true;
    if (!git_ask(git, words, &result, &ok, err))
        return false;
    return !ok || answer(git, &result, ranges, count, ret) || arena_full(git->arena, err);
}
