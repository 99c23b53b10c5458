/* cmd_gate_comment.c - `plumb gate comment`: a report as the comment of a pull or merge request. */
#include <assert.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "respond/comment.h"

enum { FILE_MAX = 1 << 20, TRIES = 4, WAIT_MAX_MS = 60000 };

enum { FORGE, API, PROJECT, NUMBER, OPTION_COUNT };

static const char *const forges[] = {"github", "gitlab", NULL};

static const struct option options[] = {
    [FORGE] = {.name = "forge",
               .kind = OPTION_STRING,
               .arg = "NAME",
               .choices = forges,
               .text = "github or gitlab; without it, as the environment of the job says"},
    [API] = {.name = "api",
             .kind = OPTION_STRING,
             .arg = "URL",
             .text = "without it GITHUB_API_URL or CI_API_V4_URL, else that of github.com or "
                     "gitlab.com"},
    [PROJECT] = {.name = "project",
                 .kind = OPTION_STRING,
                 .arg = "PROJECT",
                 .text = "owner/name, of GitLab a number as well; without it GITHUB_REPOSITORY or "
                         "CI_PROJECT_ID"},
    [NUMBER] = {.name = "number",
                .kind = OPTION_STRING,
                .arg = "N",
                .text = "of the pull or merge request; without it that of the job "
                        "(GITHUB_REF, CI_MERGE_REQUEST_IID)"},
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static struct str env(const struct app *app, const char *name)
{
    return str_from(app->env(name));
}

/* refs/pull/12/merge */
static struct str number_of_ref(struct str ref)
{
    static const struct str head = STR_INIT("refs/pull/");
    struct str rest = str_sub(ref, head.len, ref.len), number;
    if (!str_starts(ref, head))
        return (struct str){0};
    (void)str_cut(&rest, '/', &number);
    return number;
}

static struct str first(struct str a, struct str b, struct str c)
{
    return a.len ? a : b.len ? b : c;
}

static void find_place(const struct app *app, const struct invocation *in, struct forge *ret,
                       struct str *ret_number)
{
    struct str forge = in->value[FORGE].text;
    bool gitlab = forge.len ? str_equal(forge, STR("gitlab")) : env(app, "GITLAB_CI").len > 0;
    ret->kind = gitlab ? FORGE_GITLAB : FORGE_GITHUB;
    ret->api = first(in->value[API].text, env(app, gitlab ? "CI_API_V4_URL" : "GITHUB_API_URL"),
                     gitlab ? STR("https://gitlab.com/api/v4") : STR("https://api.github.com"));
    ret->project = first(in->value[PROJECT].text,
                         env(app, gitlab ? "CI_PROJECT_ID" : "GITHUB_REPOSITORY"), STR(""));
    *ret_number = first(
        in->value[NUMBER].text,
        gitlab ? env(app, "CI_MERGE_REQUEST_IID") : number_of_ref(env(app, "GITHUB_REF")), STR(""));
    ret->token = first(env(app, gitlab ? "PLUMB_GITLAB_TOKEN" : "PLUMB_GITHUB_TOKEN"),
                       env(app, gitlab ? "GITLAB_TOKEN" : "GITHUB_TOKEN"), STR(""));
}

/* Whoever asks later, and looks for the comment again: it may have been made. */
static bool put(struct arena *arena, const struct comment_place *place, struct str text,
                enum comment_done *ret, struct err *err)
{
    for (unsigned n = 1;; n++) {
        struct err why = {0};
        const struct forge *forge = place->forge;
        if (comment_put(arena, place, text, ret, &why))
            return true;
        int64_t wait_ms = forge->retry_ms ? forge->retry_ms : 500 << n;
        if (n >= TRIES || wait_ms > WAIT_MAX_MS || !(forge->limited || forge->status >= 500)) {
            if (err)
                *err = why;
            return false;
        }
        const struct timespec pause = {wait_ms / 1000, wait_ms % 1000 * 1000000};
        (void)nanosleep(&pause, NULL);
    }
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    static const char *const words[] = {[COMMENT_MADE] = "made",
                                        [COMMENT_CHANGED] = "changed",
                                        [COMMENT_SAME] = "the same as before"};
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct forge forge = {0};
    struct comment_place place = {.forge = &forge};
    enum comment_done done;
    struct str text, path = arena_dup(&arena, in->args[0]);
    find_place(app, in, &forge, &place.number);
    if (!path.ptr)
        return arena_full(&arena, err);
    bool ok = str_equal(path, STR("-"))
                  ? io_read_fd(&arena, STDIN_FILENO, "standard input", FILE_MAX, &text, err)
                  : io_read_file(&arena, path.ptr, FILE_MAX, &text, err);
    if (!ok || !forge_open(&arena, &forge, err) || !put(&arena, &place, text, &done, err))
        return false;
    (void)fprintf(app->out, "comment of #%.*s: %s\n", STR_ARG(place.number), words[done]);
    *ret_exit = 0;
    return true;
}

const struct command cmd_gate_comment = {
    .name = "gate comment",
    .usage = "plumb gate comment FILE [options]",
    .summary = "put a report into the comment of a pull or merge request, in place",
    .help =
        "FILE is a report of --output markdown; - is standard input. The comment is found by the "
        "marker in the report's first line and changed; where there is none, one is made. So a "
        "request has one comment for each stack, however often it is asked. Where the API says "
        "'not now' (a rate limit, a 5xx) it is asked again, for a minute at most each time.\n\n"
        "The token is PLUMB_GITHUB_TOKEN or GITHUB_TOKEN (which may write pull requests), "
        "PLUMB_GITLAB_TOKEN or GITLAB_TOKEN (a project token with the scope api).\n\n"
        "  plumb gate --plan plan.tfplan --output markdown=gate.md; plumb gate comment gate.md",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
