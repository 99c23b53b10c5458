/* cmd_import_driftignore.c - `plumb import-driftignore`: a .driftignore as rules for plumb.yaml. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/yaml_text.h"
#include "drift/driftignore.h"

enum { FILE_MAX = 16 << 20 };

enum { OWNER, EXPIRES, OPTION_COUNT };
static const struct option options[] = {
    [OWNER] = {.name = "owner",
               .kind = OPTION_STRING,
               .arg = "WHO",
               .text = "write this owner into each rule"},
    [EXPIRES] = {.name = "expires",
                 .kind = OPTION_STRING,
                 .arg = "DATE",
                 .text = "write this date into each rule: from then on it no longer counts"},
};

static void member(struct buf *out, const char *key, struct str text, bool *first)
{
    if (!text.len)
        return;
    buf_printf(out, "  %c %s: ", *first ? '-' : ' ', key);
    yaml_text(out, text);
    buf_char(out, '\n');
    *first = false;
}

static void write_rules(struct buf *out, const struct driftignore *rules,
                        const struct invocation *in)
{
    buf_printf(out, rules->n ? "ignore:\n" : "ignore: []\n");
    for (size_t i = 0; i < rules->n; i++) {
        const struct ignore_rule *rule = &rules->rules[i];
        bool first = true;
        member(out, "stack", rule->stack, &first);
        member(out, "address", rule->address, &first);
        member(out, "type", rule->type, &first);
        member(out, "id", rule->id, &first);
        member(out, "path", rule->path, &first);
        member(out, "value", rule->value, &first);
        member(out, "reason", rule->reason, &first);
        member(out, "owner", in->value[OWNER].text, &first);
        member(out, "expires", in->value[EXPIRES].text, &first);
    }
}

/* What is printed must be what plumb reads. */
static bool check(struct arena *arena, struct str rules, struct err *err)
{
    struct config config;
    struct str text = arena_printf(arena, "version: 1\n%.*s", STR_ARG(rules));
    return text.ptr ? config_parse(arena, text, "the rules", &config, err) : arena_full(arena, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF buf = {.limit = BUF_DEFAULT_LIMIT};
    struct driftignore rules = {0};
    struct str path = arena_dup(&arena, in->nargs ? in->args[0] : STR(".driftignore")), text;
    if (!path.ptr)
        return arena_full(&arena, err);
    if (!io_read_file(&arena, path.ptr, FILE_MAX, &text, err) ||
        !driftignore_parse(&arena, text, path.ptr, &rules, err))
        return false;
    write_rules(&buf, &rules, in);
    if (!buf_ok(&buf, err) || !check(&arena, buf_view(&buf), err))
        return false;
    (void)fwrite(buf.ptr, 1, buf.len, app->out);
    for (size_t i = 0; i < rules.nleft; i++)
        (void)fprintf(app->err, "%s:%zu: not imported: %.*s: %s\n", path.ptr, rules.left[i].line,
                      STR_ARG(rules.left[i].text), rules.left[i].why);
    *ret_exit = 0;
    return true;
}

const struct command cmd_import_driftignore = {
    .name = "import-driftignore",
    .usage = "plumb import-driftignore [FILE] [--owner WHO] [--expires DATE]",
    .summary = "print the rules of a .driftignore as ignore rules for plumb.yaml",
    .help = "Lines that no ignore rule can say are told on standard error and left out; a rule "
            "never covers more than its line did.",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_most = 1,
    .run = run};
