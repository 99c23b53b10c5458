/* cmd_status.c - `plumb status`: how every stack of the store stands, once or as it goes on. */
#include <assert.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/fail_on.h"
#include "cli/rows.h"
#include "cli/setup.h"
#include "cli/store_setup.h"
#include "desired/stacks.h"
#include "model/config.h"
#include "report/finding_rows.h"
#include "report/json_out.h"
#include "report/parts.h"
#include "report/store_json.h"
#include "wire/json.h"

enum { OUTPUT, MAX_AGE, FAIL_ON, EXIT_ZERO, WATCH, EVERY, NO_COLOR, CONFIG, STORE, OPTION_COUNT };
enum { EVERY_DEFAULT_MS = 1000, LINES_DEFAULT = 24 };
static const struct option options[] = {
    [OUTPUT] = ROW_TEXT_OR_JSON,
    [MAX_AGE] = {.name = "max-age",
                 .kind = OPTION_DURATION,
                 .arg = "TIME",
                 .least = 1000,
                 .text = "a stack whose last complete scan is older, such as 24h, is overdue, "
                         "whatever its schedule says"},
    [FAIL_ON] = ROW_FAIL_ON,
    [EXIT_ZERO] = ROW_EXIT_ZERO,
    [WATCH] = {.name = "watch",
               .letter = 'w',
               .kind = OPTION_FLAG,
               .text = "go on, until interrupted: a terminal is drawn again, anything else gets a "
                       "line for each stack that changed"},
    [EVERY] = {.name = "every",
               .kind = OPTION_DURATION,
               .arg = "TIME",
               .least = 100,
               .most = 86400000,
               .text = "with --watch, how often to look; 1s without it"},
    [NO_COLOR] = ROW_NO_COLOR,
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct overview {
    struct freshness *stack;
    size_t n;
    struct cover *cover[2]; /* by enum cover_kind: those that hold now */
    size_t ncovers[2];
    struct service_row service;
    int64_t now_utc_ms;
    bool colour;
};

static void put_covers(struct buf *out, const struct overview *o, enum cover_kind kind)
{
    char until[CLOCK_TEXT];
    bool freeze = kind == COVER_FREEZE;
    for (size_t i = 0; i < o->ncovers[kind]; i++) {
        const struct cover *c = &o->cover[kind][i];
        buf_printf(out, "%s %c%lld of ", freeze ? "freeze" : "breakglass", freeze ? 'F' : 'B',
                   (long long)c->id);
        text_safe(out, c->scope.len ? c->scope : STR("*"));
        if (c->address.len) {
            buf_str(out, STR(" at "));
            text_safe(out, c->address);
        }
        buf_printf(out, " until %s: ", clock_format(c->until_utc_ms, until));
        text_safe(out, c->reason);
        buf_char(out, '\n');
    }
}

static void write_json(struct buf *out, const struct overview *o)
{
    struct jsonw w;
    json_open(&w, out);
    jsonw_key(&w, STR("stacks"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < o->n; i++)
        stack_json(&w, &o->stack[i], o->now_utc_ms);
    jsonw_array_close(&w);
    covers_json(&w, o->cover, o->ncovers, o->now_utc_ms);
    service_json(&w, &o->service);
    json_close(&w);
}

static void put_column(struct buf *out, struct str text, size_t width)
{
    text_safe(out, text);
    text_pad(out, text_columns(text), width);
    buf_str(out, STR("  "));
}

static void put_count(struct buf *out, int64_t n, const char *what, const char **separator)
{
    if (!n)
        return;
    buf_printf(out, "%s%lld %s", *separator, (long long)n, what);
    *separator = ", ";
}

static void put_findings(struct buf *out, const struct stack_row *s)
{
    const char *separator = "";
    put_count(out, s->open, "open", &separator);
    put_count(out, s->violations, "against policy", &separator);
    put_count(out, s->overdue, "overdue", &separator);
    put_count(out, s->reviewed, "reviewed", &separator);
    put_count(out, s->waived, "waived", &separator);
    if (!*separator)
        buf_str(out, STR("no findings"));
}

static void put_standing(struct buf *out, enum standing_kind standing, bool colour)
{
    static const char *const colours[] = {[STANDING_GOOD] = "32",
                                          [STANDING_OPEN] = "33",
                                          [STANDING_OVERDUE] = "31",
                                          [STANDING_INCOMPLETE] = "35"};
    if (colour)
        buf_printf(out, "\033[%sm", colours[standing]);
    buf_printf(out, "%-10s  ", standing_name(standing));
    if (colour)
        buf_str(out, STR("\033[0m"));
}

/* "in 5 min", "now"; empty: not by the clock. */
static struct str next_text(char out[32], int64_t next_utc_ms, int64_t now_utc_ms)
{
    char age[24];
    if (!next_utc_ms)
        return STR("-");
    if (next_utc_ms - now_utc_ms < 60000)
        return STR("now");
    int n = snprintf(out, 32, "in %s", age_text(age, next_utc_ms - now_utc_ms).ptr);
    return (struct str){out, (size_t)n};
}

/* Why it stands as it does, as far as the columns do not say so. */
static void put_why(struct buf *out, const struct freshness *f, int64_t now_utc_ms)
{
    const struct stack_row *s = &f->row;
    const char *separator = "; ";
    char age[24];
    if (f->overdue)
        buf_printf(out, "; scan overdue since %s", age_text(age, now_utc_ms - f->late_utc_ms).ptr);
    if (!s->last_run)
        buf_str(out, STR("; no scan began yet"));
    else if (s->failed_run && s->failed_run != s->last_run) /* whatever was looked at since */
        buf_str(out, STR("; last scan of all of it failed"));
    else if (str_equal(s->last_outcome, STR("partial"))) /* which a service does all day */
        put_count(out, f->incomplete ? s->unchecked : 0, "unchecked", &separator);
    else if (s->last_run != s->complete_run)
        buf_printf(out, "; last scan %.*s", STR_ARG(s->last_outcome));
    if (s->last_failed.len) {
        buf_str(out, STR(": "));
        text_safe(out, s->last_failed);
    }
    if (s->last_note.len) {
        buf_str(out, STR("; "));
        text_safe(out, s->last_note);
    }
}

struct widths {
    size_t name;
    bool next; /* one of them has a schedule */
};

static struct widths widths_of(const struct overview *o)
{
    struct widths w = {.name = 5};
    for (size_t i = 0; i < o->n; i++) {
        size_t columns = text_columns(o->stack[i].row.name);
        w.name = columns > w.name ? columns : w.name;
        w.next |= o->stack[i].next_utc_ms != 0;
    }
    return w;
}

static void put_head(struct buf *out, const struct widths *w)
{
    put_column(out, STR("STACK"), w->name);
    buf_printf(out, "STANDING    COMPLETE  %sFINDINGS\n", w->next ? "NEXT       " : "");
}

static void put_stack(struct buf *out, const struct overview *o, const struct freshness *f,
                      const struct widths *w)
{
    char text[32];
    const struct stack_row *s = &f->row;
    put_column(out, s->name, w->name);
    put_standing(out, standing_of(f), o->colour);
    put_column(
        out, s->complete_utc_ms ? age_text(text, o->now_utc_ms - s->complete_utc_ms) : STR("never"),
        8);
    if (w->next)
        put_column(out, next_text(text, f->next_utc_ms, o->now_utc_ms), 9);
    put_findings(out, s);
    put_why(out, f, o->now_utc_ms);
    buf_char(out, '\n');
}

static void put_service(struct buf *out, const struct service_row *s)
{
    if (!s->there)
        return;
    buf_printf(out, "service: %lld scan%s running, %lld due; %lld alert%s waiting, %lld given up\n",
               (long long)s->running, s->running == 1 ? "" : "s", (long long)s->due,
               (long long)s->alerts_waiting, s->alerts_waiting == 1 ? "" : "s",
               (long long)s->alerts_dead);
}

static void write_text(struct buf *out, const struct overview *o, size_t most)
{
    struct widths w = widths_of(o);
    if (!o->n)
        buf_str(out, STR("no stack was scanned yet\n"));
    else
        put_head(out, &w);
    for (size_t i = 0; i < o->n && i < most; i++)
        put_stack(out, o, &o->stack[i], &w);
    if (o->n > most)
        buf_printf(out, "and %zu more\n", o->n - most);
    put_covers(out, o, COVER_BREAKGLASS);
    put_covers(out, o, COVER_FREEZE);
    put_service(out, &o->service);
}

/* As a scan of all of them would exit; `unchecked` stands for what is not known or known too late.
 */
static int exit_code(const struct overview *o, unsigned fail_on)
{
    struct exit_facts facts = {0};
    for (size_t i = 0; i < o->n; i++) {
        const struct stack_row *s = &o->stack[i].row;
        facts.violation |= s->violations > 0;
        for (unsigned class_ = 0; class_ < CLASS_COUNT; class_++)
            if (s->classes >> class_ & 1)
                exit_facts_add(&facts, (enum finding_class)class_, fail_on);
        if (standing_of(&o->stack[i]) >= STANDING_OVERDUE)
            exit_facts_add(&facts, CLASS_UNCHECKED, fail_on);
    }
    return exit_facts_worst(&facts);
}

/* --- one look --- */

struct looking {
    const struct app *app;
    const struct invocation *in;
    struct arena *arena; /* of the whole run */
    struct store_choice choice;
    struct freshness_ask ask;
    unsigned fail_on;
};

static int exit_of(const struct looking *l, const struct overview *o)
{
    return fail_on_exit(exit_code(o, l->fail_on), l->in->value[EXIT_ZERO].set);
}

/* plumb.yaml's schedules count where it has some and its stacks are here; else what a service has
 * planned. */
static void find_schedules(struct looking *l)
{
    struct stacks stacks = {0};
    struct err err = {0};
    char text[ERR_TEXT_MAX];
    const struct stacks_query query = {
        .config_file = l->in->value[CONFIG].text, .env = l->app->env, .twice_is_fine = true};
    struct config config = {0};
    struct str file = query.config_file;
    if (!file.len)
        file = config_find(l->arena, STR("."));
    if (!file.len || str_equal(file, STR("-")) || !config_load(l->arena, file.ptr, &config, NULL) ||
        !config_has_schedules(&config))
        return;
    if (!stacks_find(l->arena, &query, &stacks, &err)) {
        (void)fprintf(l->app->err, "plumb: schedules are those that a service planned: %s\n",
                      err_text(&err, text, sizeof text));
        return;
    }
    l->ask.config = stacks.config;
    l->ask.stack = stacks.stack;
    l->ask.nstacks = stacks.n;
}

static bool look(struct looking *l, struct arena *arena, struct overview *ret, struct err *err)
{
    struct record record = {0};
    ret->now_utc_ms = l->app->now_ms(l->app->clock);
    l->ask.now_utc_ms = ret->now_utc_ms;
    if (!store_open_settled(arena, l->app, &l->choice, &record, err))
        return false;
    bool ok = freshness_list(&record, arena, &l->ask, &ret->stack, &ret->n, err) &&
              service_get(&record, &ret->service, err);
    for (enum cover_kind kind = COVER_BREAKGLASS; ok && kind <= COVER_FREEZE; kind++)
        ok = covers_list(&record, arena, kind, false, &ret->cover[kind], &ret->ncovers[kind], err);
    record_close(&record);
    return ok;
}

/* --- as it goes on --- */

static int worst_first(const void *a, const void *b)
{
    const struct freshness *x = a, *y = b;
    int order = (int)standing_of(y) - (int)standing_of(x);
    return order ? order : str_compare(x->row.name, y->row.name);
}

static void put_summary(struct buf *out, const struct overview *o)
{
    size_t n[STANDING_COUNT] = {0};
    char now[CLOCK_TEXT];
    for (size_t i = 0; i < o->n; i++)
        n[standing_of(&o->stack[i])]++;
    buf_printf(out, "%s  %zu stack%s", clock_format(o->now_utc_ms / 1000 * 1000, now), o->n,
               o->n == 1 ? "" : "s");
    for (int i = STANDING_COUNT; i-- > 0;)
        if (n[i])
            buf_printf(out, ", %zu %s", n[i], standing_name((enum standing_kind)i));
    buf_str(out, STR("\n\n"));
}

static size_t screen_lines(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row
                                                                       : LINES_DEFAULT;
}

/* The whole frame in one write: nothing flickers. What is left of the frame before is cleared. */
static void draw(struct buf *out, struct overview *o)
{
    enum { AROUND = 8 };
    size_t lines = screen_lines(), around = AROUND + o->ncovers[0] + o->ncovers[1];
    buf_str(out, STR("\033[H\033[J"));
    put_summary(out, o);
    if (o->n > 1)
        qsort(o->stack, o->n, sizeof *o->stack, worst_first);
    write_text(out, o, lines > around + 1 ? lines - around : 1);
}

/* What was told of each stack last, as a line. */
struct told {
    struct arena arena;
    struct str *name, *line;
    size_t n;
};

static bool tell_changes(struct buf *out, const struct overview *o, struct told *told,
                         struct err *err)
{
    struct told next = {.arena = {.limit = ARENA_DEFAULT_LIMIT}, .n = o->n};
    const struct widths w = {0};
    char now[CLOCK_TEXT];
    next.name = arena_new(&next.arena, struct str, o->n);
    next.line = arena_new(&next.arena, struct str, o->n);
    bool ok = next.name && next.line;
    for (size_t i = 0, k = 0; i < o->n && ok; i++) {
        AUTO_BUF line = {.limit = BUF_DEFAULT_LIMIT};
        const struct freshness *f = &o->stack[i];
        put_column(&line, f->row.name, w.name);
        put_standing(&line, standing_of(f), false);
        put_findings(&line, &f->row);
        buf_str(&line, f->overdue ? STR("; scan overdue") : STR(""));
        buf_printf(&line, "; last scan %.*s",
                   STR_ARG(f->row.last_run ? f->row.last_outcome : STR("never")));
        next.name[i] = arena_dup(&next.arena, f->row.name);
        next.line[i] = arena_dup(&next.arena, buf_view(&line));
        ok = next.name[i].ptr && next.line[i].ptr;
        while (k < told->n && str_compare(told->name[k], f->row.name) < 0)
            k++;
        bool same = k < told->n && str_equal(told->name[k], f->row.name) && ok &&
                    str_equal(told->line[k], next.line[i]);
        if (ok && !same)
            buf_printf(out, "%s  %.*s\n", clock_format(o->now_utc_ms / 1000 * 1000, now),
                       STR_ARG(next.line[i]));
    }
    arena_free(&told->arena);
    *told = next;
    return ok || arena_full(&next.arena, err);
}

static bool show(const struct looking *l, struct overview *o, struct told *told, struct buf *out,
                 struct err *err)
{
    if (l->app->out_tty)
        draw(out, o);
    else if (!tell_changes(out, o, told, err))
        return false;
    bool ok = print_buf(l->app->out, out, err);
    (void)fflush(l->app->out);
    return ok;
}

static void wait_for(const struct app *app, int64_t ms)
{
    enum { STEP_MS = 50 };
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    for (int64_t left = ms; left > 0 && !(app->cancel && *app->cancel); left -= STEP_MS)
        (void)nanosleep(&step, NULL);
}

/* A store that is away for a moment is waited for. */
static bool watch(struct looking *l, bool colour, int *ret_exit, struct err *err)
{
    const struct option_value *every = &l->in->value[EVERY];
    struct told told = {0};
    bool ok = true, seen = false, away = false;
    if (l->app->out_tty)
        (void)fputs("\033[?1049h\033[?25l", l->app->out);
    while (ok && !(l->app->cancel && *l->app->cancel)) {
        AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
        AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
        struct overview o = {.colour = colour};
        struct err why = {0};
        char text[ERR_TEXT_MAX];
        if (look(l, &arena, &o, &why)) {
            *ret_exit = exit_of(l, &o);
            seen = true;
            away = false;
            ok = show(l, &o, &told, &out, err);
        } else if (!seen) {
            *err = why;
            ok = false;
        } else if (!away) {
            away = true;
            (void)fprintf(l->app->err, "plumb: %s\n", err_text(&why, text, sizeof text));
        }
        if (ok)
            wait_for(l->app, every->set ? every->number : EVERY_DEFAULT_MS);
    }
    if (l->app->out_tty)
        (void)fputs("\033[?25h\033[?1049l", l->app->out);
    arena_free(&told.arena);
    return ok;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    struct looking l = {.app = app, .in = in, .arena = &arena};
    bool json = str_equal(in->value[OUTPUT].text, STR("json"));
    struct overview o = {.colour = setup_colour(app, in->value[NO_COLOR].set)};
    l.ask.max_age_ms = in->value[MAX_AGE].number;
    l.ask.judged = true;
    if (!fail_on_parse(&in->value[FAIL_ON], &l.fail_on, err))
        return false;
    if (in->value[WATCH].set && json)
        return err_set(err, ERR_USAGE,
                       "--watch is for people: a program asks again, or listens to "
                       "GET /v1/events of the service");
    if (!store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &l.choice, err))
        return false;
    find_schedules(&l);
    if (in->value[WATCH].set)
        return watch(&l, o.colour, ret_exit, err);
    if (!look(&l, &arena, &o, err))
        return false;
    if (json)
        write_json(&out, &o);
    else
        write_text(&out, &o, SIZE_MAX);
    *ret_exit = exit_of(&l, &o);
    return print_buf(app->out, &out, err);
}

const struct command cmd_status = {
    .name = "status",
    .usage = "plumb status [options]",
    .summary = "how every stack stands: last complete scan, open and overdue findings",
    .help =
        "A stack is good (nothing open), open, overdue (a finding is past its deadline, or the "
        "last complete scan is older than its schedule and --max-age allow) or incomplete (it "
        "never was scanned completely, or its last scan was not complete).\n\n"
        "Exit codes, as those of a scan of everything: 3 policy wants an open finding reviewed, "
        "reverted or blocked; 2 drift that is open, or answered and not mended yet; 4 a stack is "
        "overdue or incomplete; 0 none of these; 1 error. --fail-on without unchecked leaves "
        "out 4.\n\n"
        "  plumb status --max-age 24h\n"
        "  plumb status --watch",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
