/* cmd_explain.c - `plumb explain`: what a value is, of which type, and which expressions decide it.
 */
#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/root.h"
#include "cli/rows.h"
#include "desired/code_depend.h"
#include "lang/hcl/console.h"
#include "model/finding.h"
#include "report/parts.h"
#include "wire/json.h"

enum { EXCERPT_BYTES = 200, CUTS_MAX = 256 };

enum { DIR = ROOT_OPTION_COUNT, OUTPUT, OPTION_COUNT };

static const struct option options[] = {
    ROOT_OPTIONS,
    [DIR] = ROOT_DIR_OPTION,
    [OUTPUT] = ROW_TEXT_OR_JSON,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

struct job {
    const struct app *app;
    struct arena *arena;
    struct code *code;
    bool json;
    struct buf out;
    struct jsonw w;
    bool lacking; /* something could not be had that a provider or the state would tell */
    bool broken;  /* something that was evaluated for the answer has errors; they are told */
};

/* One thing that is explained. */
struct subject {
    struct str name; /* address and path, or an expression */
    struct value value;
    const struct type *type; /* NULL: not known */
    bool sensitive, set;     /* set: the code gives it */
    struct code_chain chain;
    const char *note; /* where it is not from the code; or NULL */
};

/* --- printing --- */

static struct location place_of(const struct code_link *link)
{
    struct location at = {
        .file = link->file, .line = link->line, .column = link->column, .end_line = link->end_line};
    if (link->source && link->file.len)
        hcl_place(link->source->text, link->range.end, &at.end_line, &at.end_column);
    return at;
}

/* "attribute tags", "local.tags": names that say what they are stand alone. */
static void put_what(struct buf *out, const struct code_link *link)
{
    struct str what = str_from(link->what);
    bool told = str_starts(link->name, what) && link->name.len > what.len &&
                link->name.ptr[what.len] == '.';
    if (!told) {
        buf_str(out, what);
        buf_str(out, link->name.len ? STR(" ") : STR(""));
    }
    text_safe(out, link->name);
}

/* What stands there, on one line; hidden where it may tell a secret. */
static void put_source(struct buf *out, const struct code_link *link, bool hidden)
{
    if (!link->source || !link->file.len)
        return;
    if (hidden) {
        buf_str(out, STR("(sensitive)"));
        return;
    }
    AUTO_BUF line = {.limit = 1 << 20};
    struct str text = str_sub(link->source->text, link->range.start, link->range.end);
    bool blank = false;
    for (size_t i = 0; i < text.len && line.len < EXCERPT_BYTES; i++) {
        bool is_blank =
            text.ptr[i] == ' ' || text.ptr[i] == '\n' || text.ptr[i] == '\t' || text.ptr[i] == '\r';
        if (!is_blank || !blank)
            buf_char(&line, is_blank ? ' ' : text.ptr[i]);
        blank = is_blank;
    }
    text_safe(out, text_cut(buf_view(&line), EXCERPT_BYTES));
    buf_str(out, text.len > EXCERPT_BYTES ? STR(" ...") : STR(""));
}

/* The code may say a secret that is only a part of the value. */
static bool is_hidden(const struct subject *s)
{
    return s->sensitive || value_any_sensitive(&s->value);
}

static void put_links(struct job *job, const struct subject *s)
{
    for (size_t i = 0; i < s->chain.n; i++) {
        const struct code_link *link = &s->chain.link[i];
        struct location at = place_of(link);
        AUTO_BUF place = {.limit = 1 << 16};
        location_text(&place, &at);
        buf_str(&job->out, i ? STR("     -> ") : STR("  from  "));
        buf_str(&job->out, place.len ? buf_view(&place) : STR("(no file)"));
        buf_str(&job->out, STR("  "));
        put_what(&job->out, link);
        if (link->source && link->file.len) {
            buf_str(&job->out, STR("\n          "));
            put_source(&job->out, link, is_hidden(s));
        }
        buf_char(&job->out, '\n');
    }
}

static void put_indented(struct buf *out, struct str text)
{
    struct str line;
    for (bool more = true; more;) {
        more = str_cut(&text, '\n', &line);
        buf_str(out, line);
        buf_str(out, more ? STR("\n        ") : STR(""));
    }
}

static void put_text(struct job *job, const struct subject *s)
{
    AUTO_BUF value = {.limit = BUF_DEFAULT_LIMIT}, type = {.limit = 16 << 20};
    struct value shown = s->value;
    shown.marks |= s->sensitive ? VALUE_SENSITIVE : 0;
    hcl_console_value(job->arena, &value, &shown);
    if (s->type)
        type_print_hcl(&type, s->type);
    text_safe(&job->out, s->name);
    buf_str(&job->out, STR("\n  value "));
    put_indented(&job->out, buf_view(&value));
    buf_str(&job->out, STR("\n  type  "));
    buf_str(&job->out, type.len ? buf_view(&type) : STR("not known"));
    buf_char(&job->out, '\n');
    put_links(job, s);
    if (s->note)
        buf_printf(&job->out, "  %s  %s\n", s->set ? "note" : "from", s->note);
    if (s->chain.unknown_because.len) {
        buf_str(&job->out, STR("  unknown because "));
        text_safe_lines(&job->out, s->chain.unknown_because, 2);
        buf_char(&job->out, '\n');
    }
}

static void put_type_json(struct job *job, const struct type *type)
{
    AUTO_BUF text = {.limit = 16 << 20};
    struct value parsed;
    jsonw_key(&job->w, STR("type"));
    type_print_json(&text, type ? type : &type_dynamic);
    if (type && json_parse(job->arena, buf_view(&text), "type", JSON_COPY, &parsed, NULL))
        jsonw_value(&job->w, &parsed);
    else
        jsonw_null(&job->w);
}

static void put_json_or_null(struct jsonw *w, struct str key, struct str s)
{
    jsonw_key(w, key);
    if (s.len)
        jsonw_string(w, s);
    else
        jsonw_null(w);
}

static void put_json(struct job *job, const struct subject *s)
{
    struct jsonw *w = &job->w;
    jsonw_object_open(w);
    jsonw_member_string(w, STR("name"), s->name);
    jsonw_key(w, STR("value"));
    value_json(w, &s->value, s->sensitive);
    put_type_json(job, s->type);
    jsonw_member_bool(w, STR("sensitive"), s->sensitive || value_any_sensitive(&s->value));
    jsonw_member_bool(w, STR("unknown"), value_any_unknown(&s->value));
    put_json_or_null(w, STR("unknown_because"), s->chain.unknown_because);
    jsonw_member_bool(w, STR("set"), s->set);
    put_json_or_null(w, STR("note"), str_from(s->note));
    jsonw_key(w, STR("chain"));
    jsonw_array_open(w);
    for (size_t i = 0; i < s->chain.n; i++) {
        const struct code_link *link = &s->chain.link[i];
        AUTO_BUF source = {.limit = 1 << 16};
        struct location at = place_of(link);
        put_source(&source, link, is_hidden(s));
        jsonw_object_open(w);
        jsonw_member_string(w, STR("what"), str_from(link->what));
        put_json_or_null(w, STR("name"), link->name);
        location_json(w, &at);
        put_json_or_null(w, STR("source"), buf_view(&source));
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
    jsonw_object_close(w);
}

static void put_subject(struct job *job, const struct subject *s, bool first)
{
    if (job->json) {
        put_json(job, s);
        return;
    }
    buf_str(&job->out, first ? STR("") : STR("\n"));
    put_text(job, s);
}

/* --- instances --- */

/* Is the attribute that the path begins with a secret by its schema? */
static bool is_secret(const struct code_instance *instance, struct path path)
{
    const struct schema_block *block = instance->schema ? &instance->schema->block : NULL;
    for (size_t i = 0; block && i < path.n; i++) {
        if (path.step[i].kind != PATH_KEY)
            continue;
        const struct schema_attribute *attribute = schema_find_attribute(block, path.step[i].key);
        const struct schema_nested_block *nested = schema_find_block(block, path.step[i].key);
        if (attribute && attribute->sensitive)
            return true;
        block = attribute ? attribute->nested : nested ? nested->block : NULL;
    }
    return false;
}

static const struct type *schema_type_at(const struct code_instance *instance, struct path path)
{
    const struct type *type = instance->schema ? instance->schema->block.type : NULL;
    for (size_t i = 0; type && i < path.n; i++) {
        bool key = path.step[i].kind == PATH_KEY;
        if (type->kind == TYPE_OBJECT && key) {
            const struct type_member *m = type_find_member(type, path.step[i].key);
            type = m ? m->type : NULL;
        } else if (type->kind == TYPE_TUPLE && !key) {
            type = path.step[i].index < type->n ? type->items[path.step[i].index] : NULL;
        } else if (type->kind == TYPE_LIST || type->kind == TYPE_SET || type->kind == TYPE_MAP) {
            type = type->elem;
        } else {
            type = NULL;
        }
    }
    return type;
}

/* A secret anywhere on the way, or at its end. */
static bool is_marked(const struct value *v, struct path path)
{
    for (size_t i = 0; v && i < path.n; i++) {
        if (v->marks & VALUE_SENSITIVE)
            return true;
        v = path_find(v, (struct path){&path.step[i], 1});
    }
    return v && (v->marks & VALUE_SENSITIVE);
}

static struct str subject_name(struct job *job, struct str address, struct path path)
{
    AUTO_BUF text = {.limit = 1 << 20};
    buf_str(&text, address);
    if (path.n && path.step[0].kind == PATH_KEY && path_is_name(path.step[0].key))
        buf_char(&text, '.');
    path_print(&text, path);
    return arena_dup(job->arena, buf_view(&text));
}

/* False: there is no such path, neither in the code nor in what an apply makes of it. */
static bool explain_path(struct job *job, const struct code_instance *instance, struct path path,
                         bool first)
{
    struct subject s = {.name = subject_name(job, instance->address, path)};
    const struct value *config = path_find(&instance->config, path);
    const struct value *desired = path_find(&instance->desired, path);
    const struct type *type = schema_type_at(instance, path);
    s.set = path.n && code_explain(job->code, instance, path, &s.chain);
    job->lacking |= !instance->schema;
    bool has_config = config && config->kind != VALUE_NULL;
    if (!s.set && !desired && !type)
        return false;
    s.value = has_config && !s.set && path.n == 0 ? *config
              : s.set && config                   ? *config
              : desired                           ? *desired
                                                  : value_null();
    s.type = type && type->kind != TYPE_DYNAMIC ? type : hcl_type_of(job->arena, &s.value);
    s.sensitive = is_secret(instance, path) || is_marked(&instance->config, path) ||
                  is_marked(&instance->desired, path);
    if (!s.set && s.value.kind == VALUE_UNKNOWN)
        s.note = "the provider, at an apply: the code does not set it";
    else if (!s.set && s.value.kind != VALUE_NULL)
        s.note = "the state: the code does not set it";
    else if (!s.set)
        s.note = "nowhere: the code does not set it";
    put_subject(job, &s, first);
    return true;
}

/* All that the code sets of it. */
static void explain_instance(struct job *job, const struct code_instance *instance, bool *first)
{
    const struct value *config = &instance->config;
    bool any = false;
    for (uint32_t i = 0; value_is_object_like(config) && i < config->len; i++) {
        struct path_step step = {.kind = PATH_KEY, .key = key_str(config->members[i].key)};
        const struct value *v = &config->members[i].value;
        struct code_chain chain;
        bool empty = v->kind == VALUE_NULL ||
                     ((value_is_list_like(v) || value_is_object_like(v)) && v->len == 0);
        if (empty && !code_explain(job->code, instance, (struct path){&step, 1}, &chain))
            continue;
        (void)explain_path(job, instance, (struct path){&step, 1}, *first);
        *first = false;
        any = true;
    }
    if (any)
        return;
    struct subject s = {.name = instance->address,
                        .value = {.kind = VALUE_OBJECT},
                        .set = true,
                        .note = "the code sets none of its arguments"};
    s.type = hcl_type_of(job->arena, &s.value);
    put_subject(job, &s, *first);
    *first = false;
}

/* --- what is asked for --- */

/* Cuts of "a.b[0].c" at each dot and bracket outside of quotes, the longest first. */
static size_t cuts_of(struct str text, size_t cut[], size_t room)
{
    size_t n = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len && n + 1 < room; i++) {
        if (text.ptr[i] == '\\' && quoted)
            i++;
        else if (text.ptr[i] == '"')
            quoted = !quoted;
        else if (!quoted && (text.ptr[i] == '.' || text.ptr[i] == '['))
            cut[n++] = i;
    }
    cut[n++] = text.len;
    return n;
}

static bool split(struct job *job, struct str text, const struct code_instance **ret_instance,
                  struct path *ret_path, struct err *err)
{
    size_t cut[CUTS_MAX], n = cuts_of(text, cut, CUTS_MAX);
    *ret_instance = NULL;
    while (n--) {
        *ret_instance = code_find_instance(job->code, str_sub(text, 0, cut[n]));
        if (!*ret_instance)
            continue;
        struct str rest = str_sub(text, cut[n], text.len);
        if (str_starts(rest, STR(".")))
            rest = str_sub(rest, 1, rest.len);
        return path_parse(job->arena, rest, ret_path, err);
    }
    return true;
}

/* The address of a block, as of an instance: without keys. */
static struct str without_keys(struct job *job, struct str text)
{
    AUTO_BUF out = {.limit = 1 << 20};
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        quoted ^= c == '"' && (i == 0 || text.ptr[i - 1] != '\\');
        depth += !quoted && c == '[';
        if (!depth)
            buf_char(&out, c);
        depth -= !quoted && c == ']' && depth > 0;
    }
    return arena_dup(job->arena, buf_view(&out));
}

/* An address without keys stands for all its instances. */
static bool explain_all(struct job *job, struct str text, bool *ret_found, struct err *err)
{
    size_t n;
    bool first = true;
    if (!code_evaluate(job->code, err))
        return false;
    const struct code_instance *all = code_instances(job->code, &n);
    for (size_t i = 0; i < n; i++) {
        struct str address = all[i].address;
        bool begins = str_starts(address, text) && address.len > text.len;
        if (!(begins && address.ptr[text.len] == '[') &&
            !str_equal(without_keys(job, address), text))
            continue;
        explain_instance(job, &all[i], &first);
        *ret_found = true;
    }
    return true;
}

/* The instance that is asked for is not there: its count or for_each says why. */
static bool explain_absence(struct job *job, struct str text)
{
    size_t cut[CUTS_MAX], n = cuts_of(text, cut, CUTS_MAX);
    struct code_absence absence;
    while (n--) {
        struct str address = str_sub(text, 0, cut[n]);
        if (!code_explain_absence(job->code, address, &absence))
            continue;
        bool each = absence.meta[0] == 'f';
        struct subject s = {
            .name = arena_printf(job->arena, "%.*s.%s", STR_ARG(absence.of), absence.meta),
            .value = absence.value,
            .type = hcl_type_of(job->arena, &absence.value),
            .sensitive = absence.value.marks & VALUE_SENSITIVE,
            .set = true,
            .chain = absence.chain,
            .note = absence.known            ? "there is no such instance"
                    : each                   ? "which instances there are cannot be known"
                    : absence.meta[0] == 'e' ? "whether there is an instance cannot be known"
                                             : "how many instances there are cannot be known"};
        put_subject(job, &s, true);
        return true;
    }
    return false;
}

/* local.x, var.y, module.a.b and any other expression. */
static bool explain_expression(struct job *job, struct str text, bool *ret_good, struct err *err)
{
    const struct hcl_diags *diags;
    struct subject s = {.name = text, .set = true};
    if (!code_explain_text(job->code, text, &s.value, &s.chain, &diags, err))
        return false;
    root_tell(job->app, code_module_tree(job->code), diags, text, false);
    *ret_good = !hcl_has_errors(diags);
    if (!*ret_good)
        return true;
    s.type = hcl_type_of(job->arena, &s.value);
    s.sensitive = s.value.marks & VALUE_SENSITIVE;
    job->lacking = value_any_unknown(&s.value);
    put_subject(job, &s, true);
    return true;
}

static bool is_resource(struct job *job, struct str text)
{
    static const struct str others[] = {STR_INIT("var."), STR_INIT("local."), STR_INIT("path."),
                                        STR_INIT("terraform.")};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (str_starts(text, others[i]))
            return false;
    AUTO_ARENA scratch = {.limit = 64 << 20};
    struct hcl_diags unheard = {.arena = &scratch};
    const struct hcl_expr *expr;
    struct hcl_traversal t;
    if (!hcl_parse_expression(job->arena, text, STR("<address>"), &unheard, &expr, NULL) ||
        hcl_has_errors(&unheard) || !hcl_static_traversal(job->arena, expr, &t) ||
        t.range.end != expr->range.end)
        return str_find(text, STR("[*]"), 0) != SIZE_MAX;
    /* module.a.b is an output; module.a.b.c may be one too: a resource that is there wins */
    return !str_equal(t.root, STR("module")) || t.n > 2;
}

/* Does the text begin with a resource of the tree? Instances need not be there. */
static bool is_declared(struct job *job, struct str text)
{
    size_t cut[CUTS_MAX], n = cuts_of(text, cut, CUTS_MAX);
    while (n--)
        if (code_is_declared(job->code, without_keys(job, str_sub(text, 0, cut[n]))))
            return true;
    return false;
}

/* An output, or anything of a module that is not there to be looked into. */
static bool is_of_module(struct job *job, struct str text)
{
    size_t cut[CUTS_MAX], n = cuts_of(text, cut, CUTS_MAX), end[2];
    if (!str_starts(text, STR("module.")))
        return false;
    while (n--) {
        const struct code_module *m;
        struct str rest = str_sub(text, cut[n], text.len);
        if (!code_find_called(job->code, without_keys(job, str_sub(text, 0, cut[n])), &m))
            continue;
        rest = str_starts(rest, STR(".")) ? str_sub(rest, 1, rest.len) : rest;
        (void)cuts_of(rest, end, 2);
        return !m || !rest.len || code_find_output(m, str_sub(rest, 0, end[0]));
    }
    return true;
}

static bool not_declared(struct job *job, struct str text, struct err *err)
{
    struct code_dependencies graph;
    if (!code_dependencies(job->code, &graph, err))
        return false;
    struct str plain = without_keys(job, text);
    struct str *names = arena_new(job->arena, struct str, graph.n + 1);
    if (!names || !plain.ptr)
        return arena_full(job->arena, err);
    for (size_t i = 0; i < graph.n; i++)
        names[i] = graph.vertex[i].address;
    struct str near = str_nearest(plain, names, graph.n);
    return err_set(err, ERR_USAGE, "nothing in the code is called %.*s%s%.*s%s", STR_ARG(text),
                   near.len ? "; did you mean " : "", STR_ARG(near), near.len ? "?" : "");
}

/* It is in the code, yet no such instance: its count or for_each, or what is wrong on the way. */
static bool explain_missing(struct job *job, struct str text, bool *ret_good, struct err *err)
{
    if (explain_absence(job, text))
        return true;
    *ret_good = false;
    if (hcl_has_errors(code_diags(job->code))) {
        root_tell(job->app, code_module_tree(job->code), code_diags(job->code), (struct str){0},
                  false);
        return true;
    }
    return err_set(err, ERR_USAGE, "%.*s is in the code, but there is no such instance of it",
                   STR_ARG(text));
}

/* The root was read without errors: these are of what the answer needed. */
static void tell_errors(struct job *job)
{
    const struct hcl_diags *diags = code_diags(job->code);
    job->broken = hcl_has_errors(diags);
    if (job->broken)
        root_tell(job->app, code_module_tree(job->code), diags, (struct str){0}, false);
}

static bool explain(struct job *job, struct str text, bool *ret_good, struct err *err)
{
    const struct code_instance *instance = NULL;
    struct path path = {0};
    bool first = true, found = false;
    *ret_good = true;
    if (!is_resource(job, text))
        return explain_expression(job, text, ret_good, err);
    if (!is_declared(job, text))
        return is_of_module(job, text) ? explain_expression(job, text, ret_good, err)
                                       : not_declared(job, text, err);
    if (!split(job, text, &instance, &path, err))
        return false;
    if (instance)
        tell_errors(job);
    if (instance && !path.n) {
        explain_instance(job, instance, &first);
        return true;
    }
    if (instance)
        return explain_path(job, instance, path, true) ||
               err_set(err, ERR_USAGE,
                       instance->schema ? "%.*s has no %.*s"
                                        : "the code of %.*s does not set %.*s, and without its "
                                          "provider's schema nothing else is known of it",
                       STR_ARG(instance->address), STR_ARG(path_text(job->arena, path)));
    if (!explain_all(job, text, &found, err))
        return false;
    if (found)
        tell_errors(job);
    return found || explain_missing(job, text, ret_good, err);
}

static bool run_job(struct job *job, struct str text, int *ret_exit, struct err *err)
{
    bool good = true;
    job->out = (struct buf){.limit = BUF_DEFAULT_LIMIT};
    job->w = (struct jsonw){.out = &job->out, .indent = 2};
    if (job->json)
        jsonw_array_open(&job->w);
    bool ok = explain(job, text, &good, err);
    if (job->json) {
        jsonw_array_close(&job->w);
        buf_char(&job->out, '\n');
    }
    if (ok && good)
        ok = buf_ok(&job->out, err) &&
             fwrite(job->out.ptr, 1, job->out.len, job->app->out) == job->out.len;
    buf_free(&job->out);
    *ret_exit = good && !job->broken ? EXIT_IN_SYNC : EXIT_ERROR;
    return ok;
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 34};
    struct root root;
    bool sound, ok = true;
    if (!root_open(app, &arena, in, in->value[DIR].text, &root, &sound, err))
        return false;
    struct job job = {.app = app,
                      .arena = &arena,
                      .code = root.code,
                      .json = str_equal(in->value[OUTPUT].text, STR("json"))};
    *ret_exit = EXIT_ERROR;
    if (sound) {
        ok = run_job(&job, in->args[0], ret_exit, err);
        if (job.lacking)
            root_tell_notes(app, root.look);
    }
    root_close(&root);
    return ok;
}

const struct command cmd_explain = {
    .name = "explain",
    .usage = "plumb explain ADDRESS[.PATH] [options]",
    .summary = "which expressions decide a value, through variables and modules",
    .help =
        "ADDRESS is that of a resource instance; with a PATH behind it (tags[\"a\"], "
        "ingress[0].from_port) that value is explained, without one all that the code sets of "
        "it. local.NAME, var.NAME, module.NAME.OUTPUT and other expressions of the root module may "
        "stand there too.\n\n"
        "Told are the value, its type, the way from the attribute to the literal that decides it "
        "(through locals, variables, module arguments, for_each and tfvars files), and where it "
        "cannot be known, why. What is sensitive is not printed. Errors in what the answer needs "
        "are told, and the exit code is 1 then.\n\n"
        "  plumb explain 'aws_instance.web[0].instance_type' -C infra/prod\n"
        "  plumb explain 'module.net[\"a\"].aws_vpc.this' --output json\n"
        "  plumb explain local.tags",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
