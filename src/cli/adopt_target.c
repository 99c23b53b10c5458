/* adopt_target.c - which instance of which stack a finding or an address means. */
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/adopting.h"
#include "cli/app.h"
#include "cli/command.h"
#include "desired/stacks.h"
#include "scan/scan.h"
#include "wire/json.h"

enum { FINGERPRINT_LEN = 32, FINGERPRINT_LEAST = 6, REPORT_BYTES_MAX = 1 << 30, NAMES_MAX = 1000 };

bool adopting_is_fingerprint(struct str word)
{
    if (word.len < FINGERPRINT_LEAST || word.len > FINGERPRINT_LEN)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (!strchr("0123456789abcdef", word.ptr[i]))
            return false;
    return !io_is_dir(word.ptr);
}

/* --- names --- */

struct names {
    struct str item[NAMES_MAX];
    size_t n;
};

/* The attribute or block at the top that a path is of. */
static bool add_name(struct arena *arena, struct names *names, struct str text, struct err *err)
{
    struct path path;
    struct str copy = arena_dup(arena, text);
    if (!copy.ptr)
        return arena_full(arena, err);
    if (!path_parse(arena, copy, &path, err))
        return false;
    if (path.n == 0 || path.step[0].kind != PATH_KEY || names->n == NAMES_MAX)
        return true;
    for (size_t i = 0; i < names->n; i++)
        if (str_equal(names->item[i], path.step[0].key))
            return true;
    names->item[names->n++] = path.step[0].key;
    return true;
}

static bool keep_names(struct adopting *a, const struct names *names, struct err *err)
{
    struct str *kept = arena_new(a->arena, struct str, names->n);
    if (!kept)
        return arena_full(a->arena, err);
    for (size_t i = 0; i < names->n; i++)
        kept[i] = names->item[i];
    a->name = kept;
    a->nnames = names->n;
    return true;
}

/* Of classes that nothing live can be adopted from; NULL: it can. */
static const char *why_not(struct str class_)
{
    static const struct {
        struct str class_;
        const char *why;
    } rows[] = {
        {STR_INIT("unapplied"), "the code is ahead of what is live: apply it"},
        {STR_INIT("unchecked"), "what is live is not known"},
        {STR_INIT("violation"), "a policy objects to what the code says"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_equal(rows[i].class_, class_))
            return rows[i].why;
    return NULL;
}

static bool take_class(struct adopting *a, struct str class_, struct str address, struct err *err)
{
    const char *why = why_not(class_);
    a->address = arena_dup(a->arena, address);
    a->gone = str_equal(class_, STR("missing"));
    if (why)
        return err_set(err, ERR_USAGE, "%.*s is %.*s: %s", STR_ARG(address), STR_ARG(class_), why);
    return a->address.ptr || arena_full(a->arena, err);
}

/* --- a report --- */

/* The only finding whose fingerprint begins so. */
static bool find_in_report(const struct value *report, struct str fingerprint,
                           const struct value **ret, struct err *err)
{
    const struct value *stacks = value_get(report, STR("stacks"));
    *ret = NULL;
    for (uint32_t s = 0; value_is_list_like(stacks) && s < stacks->len; s++) {
        const struct value *findings = value_get(&stacks->items[s], STR("findings"));
        for (uint32_t i = 0; value_is_list_like(findings) && i < findings->len; i++) {
            const struct value *finding = &findings->items[i];
            if (!str_starts(value_get_string(finding, STR("fingerprint")), fingerprint))
                continue;
            if (*ret)
                return err_set(err, ERR_USAGE, "%.*s is the beginning of more than one fingerprint",
                               STR_ARG(fingerprint));
            *ret = finding;
        }
    }
    return *ret || err_set(err, ERR_USAGE, "the report has no finding %.*s", STR_ARG(fingerprint));
}

static bool take_report(struct adopting *a, struct str file, struct str fingerprint,
                        struct str *ret_stack, struct err *err)
{
    struct names *names = arena_new(a->arena, struct names, 1);
    struct str name = arena_dup(a->arena, file), text;
    struct value report;
    const struct value *finding;
    if (!names || !name.ptr)
        return arena_full(a->arena, err);
    if (!io_read_file(a->arena, name.ptr, REPORT_BYTES_MAX, &text, err) ||
        !json_parse(a->arena, text, name.ptr, JSON_DUPLICATES_LAST, &report, err) ||
        !find_in_report(&report, fingerprint, &finding, err))
        return err_wrap(err, "--report");
    const struct value *changes = value_get(finding, STR("changes"));
    *ret_stack = value_get_string(finding, STR("stack"));
    if (!take_class(a, value_get_string(finding, STR("class")),
                    value_get_string(finding, STR("address")), err))
        return false;
    for (uint32_t i = 0; value_is_list_like(changes) && i < changes->len; i++) {
        const struct value *change = &changes->items[i];
        if (value_get_bool(change, STR("configurable"), true) &&
            value_get_string(change, STR("ignored_by")).len == 0 &&
            !add_name(a->arena, names, value_get_string(change, STR("path")), err))
            return err_wrap(err, "--report: a change");
    }
    return keep_names(a, names, err);
}

/* --- a scan --- */

static bool take_finding(struct adopting *a, const struct finding *finding, struct err *err)
{
    struct names *names = arena_new(a->arena, struct names, 1);
    if (!names)
        return arena_full(a->arena, err);
    if (!take_class(a, str_from(finding_class_name(finding->class_)), finding->address, err))
        return false;
    for (size_t i = 0; i < finding->nchanges; i++) {
        const struct change *change = &finding->changes[i];
        if (change->configurable && change->ignored_by.len == 0 &&
            !add_name(a->arena, names, change->path, err))
            return false;
    }
    return keep_names(a, names, err);
}

/* *ret_found; a stack that cannot be scanned is an error here. */
static bool scan_for(struct adopting *a, const struct stack *stack, struct str fingerprint,
                     bool *ret_found, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 35};
    struct stack_result result;
    const struct scan_options options = {.config = a->config,
                                         .reader = a->reader,
                                         .snapshot = a->in->value[ADOPT_LIVE].text,
                                         .now_utc_ms = a->app->now_ms(a->app->clock)};
    *ret_found = false;
    if (!scan_stack(&arena, stack, &options, &result, err))
        return err_wrap(err, "stack %.*s", STR_ARG(stack->name));
    if (result.failed.len)
        return err_set(err, ERR_UNAVAILABLE, "stack %.*s: %.*s", STR_ARG(stack->name),
                       STR_ARG(result.failed));
    for (size_t i = 0; i < result.nfindings; i++) {
        const struct finding *finding = &result.findings[i];
        if (!str_starts(str_from(finding->fingerprint), fingerprint))
            continue;
        if (*ret_found)
            return err_set(err, ERR_USAGE, "%.*s is the beginning of more than one fingerprint",
                           STR_ARG(fingerprint));
        *ret_found = true;
        if (!take_finding(a, finding, err))
            return false;
    }
    return true;
}

/* --- the stack --- */

static bool only_stack(const struct stacks *stacks, struct str name, const struct stack **ret,
                       struct err *err)
{
    *ret = NULL;
    for (size_t i = 0; i < stacks->n; i++)
        if (str_equal(stacks->stack[i].name, name))
            *ret = &stacks->stack[i];
    if (!*ret && stacks->n == 1)
        *ret = &stacks->stack[0];
    if (*ret)
        return true;
    if (name.len)
        return err_set(err, ERR_USAGE, "no stack '%.*s' here; name its folder", STR_ARG(name));
    return err_set(err, ERR_USAGE, "%zu stacks are meant; name the folder of one", stacks->n);
}

bool adopting_find(struct adopting *a, struct str fingerprint, const struct str *dirs, size_t ndirs,
                   struct err *err)
{
    const struct option_value *value = a->in->value;
    struct stacks stacks = {0};
    struct str name = {0};
    const struct stack *stack = NULL;
    const struct stacks_query query = {.dirs = dirs,
                                       .ndirs = ndirs,
                                       .config_file = value[ADOPT_CONFIG].text,
                                       .workspaces = &value[ADOPT_WORKSPACE].text,
                                       .nworkspaces = value[ADOPT_WORKSPACE].set,
                                       .state = value[ADOPT_STATE].text,
                                       .env = a->app->env};
    bool found = fingerprint.len == 0 || value[ADOPT_REPORT].set;
    if (value[ADOPT_REPORT].set && fingerprint.len &&
        !take_report(a, value[ADOPT_REPORT].text, fingerprint, &name, err))
        return false;
    if (!stacks_find(a->arena, &query, &stacks, err))
        return false;
    a->config = stacks.config;
    if (found && !only_stack(&stacks, name, &stack, err))
        return false;
    for (size_t i = 0; !found && i < stacks.n; i++) {
        stack = &stacks.stack[i];
        if (!scan_for(a, stack, fingerprint, &found, err))
            return false;
    }
    if (!found)
        return err_set(err, ERR_USAGE,
                       "no finding %.*s is there now; `plumb scan --output json` lists them",
                       STR_ARG(fingerprint));
    a->stack = *stack;
    if (value[ADOPT_LIVE].set)
        a->stack.snapshot = value[ADOPT_LIVE].text;
    if (fingerprint.len == 0)
        a->address = value[ADOPT_ADDRESS].text;
    return true;
}
