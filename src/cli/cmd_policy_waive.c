/* cmd_policy_waive.c - `plumb policy waive`: a finding of a report becomes a waiver. */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_text.h"
#include "model/finding.h"
#include "policy/waiver.h"
#include "wire/json.h"

enum { REPORT_MAX = 1 << 30, WAIVERS_FILE_MAX = 16 << 20, MEMORY_MAX_SHIFT = 34 };
enum { SCAN, REASON, OWNER, UNTIL, RULE, FILE_OPTION, OPTION_COUNT };

static const struct option options[] = {
    [SCAN] = {.name = "scan",
              .letter = 's',
              .kind = OPTION_STRING,
              .arg = "FILE",
              .text = "the report of a scan or a check with policy, as `plumb scan -o json` and "
                      "`plumb check -o json` write it"},
    [REASON] = {.name = "reason",
                .letter = 'r',
                .kind = OPTION_STRING,
                .arg = "TEXT",
                .text = "why the finding is accepted"},
    [OWNER] = {.name = "owner", .kind = OPTION_STRING, .arg = "WHO", .text = "who accepts it"},
    [UNTIL] = {.name = "until",
               .letter = 'u',
               .kind = OPTION_STRING,
               .arg = "DATE",
               .text = "from then on the waiver covers nothing"},
    [RULE] = {.name = "rule",
              .kind = OPTION_STRING,
              .arg = "GLOB",
              .text = "only what rules of this name say; without it all of them"},
    [FILE_OPTION] = {.name = "file",
                     .letter = 'f',
                     .kind = OPTION_STRING,
                     .arg = "FILE",
                     .text = "add the entry to this file; without it to standard output"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct job {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena;
    struct waiver waiver;
};

static struct str text_of(const struct job *job, size_t row)
{
    return job->in->value[row].text;
}

/* --- the finding, or the issue of a check --- */

static bool find(const struct job *job, const struct value *report, const struct value **ret,
                 bool *ret_issue, struct err *err)
{
    struct str start = job->in->args[0];
    const struct value *stacks = value_get(report, STR("stacks"));
    const struct value *subjects = value_get(report, STR("subjects"));
    size_t hits = 0;
    *ret_issue = !stacks && value_is_list_like(subjects);
    if (*ret_issue)
        stacks = subjects;
    if (!value_is_list_like(stacks))
        return err_set(err, ERR_SYNTAX, "%.*s: no report of a scan or a check in JSON",
                       STR_ARG(text_of(job, SCAN)));
    for (size_t i = 0; i < stacks->len; i++) {
        const struct value *findings =
            value_get(&stacks->items[i], *ret_issue ? STR("issues") : STR("findings"));
        for (size_t k = 0; value_is_list_like(findings) && k < findings->len; k++) {
            const struct value *finding = &findings->items[k];
            if (!str_starts(value_get_string(finding, STR("fingerprint")), start))
                continue;
            *ret = finding;
            hits++;
        }
    }
    if (hits == 1)
        return true;
    return err_set(err, ERR_USAGE, "%.*s: %zu %s whose fingerprint starts with %.*s",
                   STR_ARG(text_of(job, SCAN)), hits, *ret_issue ? "issues" : "findings",
                   STR_ARG(start));
}

static bool add_digest(struct str *list, size_t *n, const struct value *digest, struct str what,
                       struct err *err)
{
    if (!digest)
        return err_set(err, ERR_USAGE,
                       "the report has no digests: scan with a policy (policy: in plumb.yaml, or "
                       "--policy)");
    if (!value_is_string(digest))
        return err_set(err, ERR_USAGE,
                       "%.*s is a secret: set PLUMB_WAIVER_KEY, scan again, and keep the key for "
                       "later scans",
                       STR_ARG(what));
    list[(*n)++] = value_text(digest);
    return true;
}

/* What is live of each change that no ignore rule covers. */
static bool take_digests(struct job *job, const struct value *finding, struct err *err)
{
    const struct value *changes = value_get(finding, STR("changes"));
    const struct value *policy = value_get(finding, STR("policy"));
    size_t most = value_is_list_like(changes) ? changes->len : 0, n = 0;
    struct str *list = arena_new(job->arena, struct str, most + 1);
    if (!list)
        return arena_full(job->arena, err);
    for (size_t i = 0; i < most; i++) {
        const struct value *change = &changes->items[i];
        if (!value_is_string(value_get(change, STR("ignored_by"))) &&
            !add_digest(list, &n, value_get(change, STR("digest")),
                        value_get_string(change, STR("path")), err))
            return false;
    }
    if (!n && !add_digest(list, &n, value_get(policy, STR("digest")),
                          value_get_string(finding, STR("address")), err))
        return false;
    job->waiver.value = (struct rule_strs){list, n};
    return true;
}

/* As a glob that is this text alone. */
static struct str escaped(struct arena *arena, struct str text)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("*?\\", text.ptr[i]) && text.ptr[i])
            buf_char(&out, '\\');
        buf_char(&out, text.ptr[i]);
    }
    return out.failed ? (struct str){0} : arena_dup(arena, buf_view(&out));
}

/* An issue's fingerprint moves with its text: what is waived is what the rule says of the resource.
 */
static bool take_issue(struct job *job, const struct value *issue, struct err *err)
{
    const struct value *digests = value_get(issue, STR("digests"));
    size_t most = value_is_list_like(digests) ? digests->len : 0, n = 0;
    struct str *list = arena_new(job->arena, struct str, most + 1);
    struct str address = value_get_string(issue, STR("address"));
    if (!list)
        return arena_full(job->arena, err);
    if (!most || !address.len)
        return err_set(err, ERR_USAGE,
                       "%.*s: no waiver can be for it: it is no rule's word on a resource; what "
                       "rules say of other documents, an `exception` of theirs takes out",
                       STR_ARG(value_get_string(issue, STR("rule"))));
    for (size_t i = 0; i < most; i++)
        if (!add_digest(list, &n, &digests->items[i], address, err))
            return false;
    job->waiver.value = (struct rule_strs){list, n};
    job->waiver.address = escaped(job->arena, address);
    if (!job->waiver.rule.len)
        job->waiver.rule = escaped(job->arena, value_get_string(issue, STR("rule")));
    return (job->waiver.address.ptr && job->waiver.rule.ptr) || arena_full(job->arena, err);
}

static bool read_finding(struct job *job, struct err *err)
{
    bool issue = false;
    struct str text, path = arena_dup(job->arena, text_of(job, SCAN));
    struct value report;
    const struct value *finding = NULL;
    if (!path.ptr)
        return arena_full(job->arena, err);
    if (!io_read_file(job->arena, path.ptr, REPORT_MAX, &text, err) ||
        !json_parse(job->arena, text, path.ptr, JSON_DUPLICATES_LAST, &report, err) ||
        !find(job, &report, &finding, &issue, err))
        return false;
    if (issue)
        return take_issue(job, finding, err);
    job->waiver.fingerprint = value_get_string(finding, STR("fingerprint"));
    job->waiver.address = STR("");
    return take_digests(job, finding, err);
}

/* --- the file --- */

static bool parse(struct job *job, struct str text, struct waivers *ret, struct err *err)
{
    struct rule_problems problems = {.arena = job->arena};
    if (waivers_read(ret, job->arena, text, text_of(job, FILE_OPTION), &problems, err))
        return true;
    policy_print_problems(job->app->err, &problems);
    return false;
}

/* Is that the rest of `waivers:` in a file without one? A comment is no part of it. */
static bool is_empty_list(struct str rest, struct str *ret_comment)
{
    size_t hash = str_find(rest, STR("#"), 0);
    *ret_comment = hash == SIZE_MAX ? STR("") : str_sub(rest, hash, rest.len);
    rest = str_trim(str_sub(rest, 0, rest.len - ret_comment->len));
    if (str_starts(rest, STR("[")) && str_ends(rest, STR("]")) && rest.len > 1)
        return str_trim(str_sub(rest, 1, rest.len - 1)).len == 0;
    return rest.len == 0 || str_equal(rest, STR("null")) || str_equal(rest, STR("~"));
}

/* Behind `waivers: []`, which need not be the last line. False: there is no such line. */
static bool add_first(struct buf *out, struct str old, struct str entry)
{
    struct str rest = old, line, comment;
    for (bool more = true; more;) {
        more = str_cut(&rest, '\n', &line);
        if (!str_starts(line, STR("waivers:")) ||
            !is_empty_list(str_sub(line, sizeof "waivers:" - 1, line.len), &comment))
            continue;
        buf_str(out, str_sub(old, 0, (size_t)(line.ptr - old.ptr)));
        buf_str(out, STR("waivers:"));
        buf_str(out, comment.len ? STR(" ") : STR(""));
        buf_str(out, comment);
        buf_char(out, '\n');
        buf_str(out, entry);
        buf_str(out, more ? rest : STR(""));
        return true;
    }
    return false;
}

/* The entry goes to the end; read again, the file must have one more. */
static bool add_to_file(struct job *job, struct str entry, struct err *err)
{
    struct str path = arena_dup(job->arena, text_of(job, FILE_OPTION)), old = STR("");
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct waivers before = {0}, after = {0};
    struct err ignored = {0};
    if (!path.ptr)
        return arena_full(job->arena, err);
    if (io_exists(path.ptr) && (!io_read_file(job->arena, path.ptr, WAIVERS_FILE_MAX, &old, err) ||
                                !parse(job, old, &before, err)))
        return false;
    if (before.n || !add_first(&out, old, entry)) {
        buf_str(&out, old.len ? old : STR("version: 1\nwaivers:\n"));
        if (out.len && out.ptr[out.len - 1] != '\n')
            buf_char(&out, '\n');
        buf_str(&out, entry);
    }
    if (!buf_ok(&out, err))
        return false;
    struct rule_problems problems = {.arena = job->arena};
    if (!waivers_read(&after, job->arena, buf_view(&out), path, &problems, &ignored) ||
        after.n != before.n + 1)
        return err_set(err, ERR_CONFLICT,
                       "%.*s: its list of waivers does not end the file, or is not written with "
                       "dashes two blanks in; add the entry by hand (it is printed without --file)",
                       STR_ARG(path));
    return io_write_file_atomic(path.ptr, buf_view(&out), 0644, err);
}

/* --- the run --- */

static bool check_options(struct job *job, struct err *err)
{
    static const size_t needed[] = {SCAN, REASON, OWNER, UNTIL};
    int64_t until;
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!str_trim(text_of(job, needed[i])).len)
            return err_set(err, ERR_USAGE,
                           "--%s is missing: a waiver has a reason, an owner and "
                           "an end",
                           options[needed[i]].name);
    if (!clock_parse(text_of(job, UNTIL), &until))
        return err_set(err, ERR_USAGE, "--until: want a date such as 2026-12-31, got '%.*s'",
                       STR_ARG(text_of(job, UNTIL)));
    if (until <= job->app->now_ms(job->app->clock))
        return err_set(err, ERR_USAGE, "--until: %.*s has passed", STR_ARG(text_of(job, UNTIL)));
    job->waiver.reason = text_of(job, REASON);
    job->waiver.owner = text_of(job, OWNER);
    job->waiver.expires = text_of(job, UNTIL);
    job->waiver.rule = text_of(job, RULE);
    return true;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << MEMORY_MAX_SHIFT};
    AUTO_BUF entry = {.limit = BUF_DEFAULT_LIMIT};
    struct job job = {.app = app, .in = in, .arena = &arena};
    if (!check_options(&job, err) || !read_finding(&job, err))
        return false;
    waiver_write(&entry, &job.waiver);
    if (!buf_ok(&entry, err))
        return false;
    *ret_exit = EXIT_IN_SYNC;
    if (in->value[FILE_OPTION].set)
        return add_to_file(&job, buf_view(&entry), err);
    (void)fwrite(entry.ptr, 1, entry.len, app->out);
    return true;
}

const struct command cmd_policy_waive = {
    .name = "policy waive",
    .usage = "plumb policy waive FINGERPRINT --scan FILE --reason TEXT --owner WHO --until DATE",
    .summary = "accept a finding as it is, for a time",
    .help = "FINGERPRINT is that of a finding, or of an issue of `plumb check`, or its start. The "
            "entry is bound to the digests of "
            "what is live: another value voids it. Of secrets the digests are keyed with "
            "PLUMB_WAIVER_KEY, which the scan needs, too.\n\n"
            "  plumb scan -o json=scan.json\n"
            "  plumb policy waive 3f2a51 --scan scan.json --reason 'until the move' "
            "--owner @net --until 2026-12-31 --file waivers.yaml",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
