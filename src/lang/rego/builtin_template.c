/* builtin_template.c - strings.render_template: Go's text/template without definitions of
 * templates.
 *
 * Text is copied, {{actions}} are run while they are read: a block that does not apply is read with
 * `active` off, a loop goes back to where its block starts. Numbers of the variables are texts, as
 * they are in OPA; indexes, lengths and literals are numbers.
 * Source: Go's text/template; facts/rego.md 11
 */
#include <ctype.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/rego/builtin.h"

enum { VARIABLES_MAX = 64, ARGUMENTS_MAX = 16, BLOCKS_MAX = 100, PRINT_DEPTH_MAX = 100 };

struct variable {
    struct str name;
    struct value value;
};
struct template
{
    struct rego_call *call;
    struct str source;
    size_t at;
    bool trim; /* the blanks at `at` go: the action before ended in -}} */
    struct buf *out;
    struct value root, dot;
    struct variable variable[VARIABLES_MAX];
    size_t nvariables;
    unsigned depth;
};
/* An expression that is being read. */
struct reader {
    struct template *t;
    struct str rest;
};
enum block_end { BLOCK_FAILED, BLOCK_DONE, BLOCK_END, BLOCK_ELSE };

static bool fail(struct template *t, const char *what, struct str word)
{
    if (!t->call->why.ptr)
        (void)rego_fail(t->call, "template: template: %s: %.*s", what, STR_ARG(word));
    return false;
}

/* --- values --- */

static void print(struct buf *out, const struct value *v, unsigned depth)
{
    struct value key, item;
    bool first = true, object = rego_is_object(v);
    if (depth > PRINT_DEPTH_MAX) {
        out->failed = true;
    } else if (v->kind == VALUE_STRING) {
        buf_str(out, value_text(v));
    } else if (v->kind == VALUE_NULL) {
        buf_str(out, depth ? STR("<nil>") : STR("<undefined>"));
    } else if (object || rego_is_array(v) || v->kind == VALUE_SET) {
        buf_str(out, object ? STR("map[") : STR("["));
        for (size_t at = 0; rego_next(v, &at, &key, &item); first = false) {
            if (!first)
                buf_char(out, ' ');
            if (object)
                print(out, &key, depth + 1);
            if (object)
                buf_char(out, ':');
            print(out, &item, depth + 1);
        }
        buf_char(out, ']');
    } else {
        rego_json(out, v);
    }
}

static bool truth(const struct value *v)
{
    int64_t n;
    switch (v->kind) {
    case VALUE_NULL:
        return false;
    case VALUE_BOOL:
        return v->truth;
    case VALUE_NUMBER:
        return !rego_to_int64(v, &n) || n != 0;
    default:
        return v->len > 0;
    }
}

/* A number of the input becomes its text. */
static bool from_input(struct template *t, const struct value *v, struct value *ret)
{
    AUTO_BUF text = {.limit = 1 << 20};
    *ret = v ? *v : value_null();
    if (ret->kind != VALUE_NUMBER)
        return true;
    rego_json(&text, v);
    struct str kept = arena_dup(t->call->arena, buf_view(&text));
    *ret = value_string(kept);
    return kept.ptr && !text.failed;
}

static bool field(struct template *t, const struct value *v, struct str name, struct value *ret)
{
    struct value key = value_string(name);
    if (v->kind == VALUE_NULL)
        return fail(t, "nil pointer evaluating interface {}", name);
    if (!rego_is_object(v))
        return fail(t, "can't evaluate field", name);
    return from_input(t, rego_get(v, &key), ret);
}

/* --- functions --- */

typedef bool function(struct template *t, struct value *arg, size_t n, struct value *ret);

static bool fn_and(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    (void)t;
    *ret = arg[0];
    for (size_t i = 1; i < n && truth(ret); i++)
        *ret = arg[i];
    return true;
}
static bool fn_or(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    (void)t;
    *ret = arg[0];
    for (size_t i = 1; i < n && !truth(ret); i++)
        *ret = arg[i];
    return true;
}
static bool fn_not(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    (void)t;
    (void)n;
    *ret = value_bool(!truth(arg));
    return true;
}

static bool comparable(struct template *t, const struct value *a, const struct value *b)
{
    bool basic = a->kind == VALUE_BOOL || a->kind == VALUE_NUMBER || a->kind == VALUE_STRING;
    return (basic && a->kind == b->kind) ||
           fail(t, "error calling a comparison", STR("incompatible types for comparison"));
}
static bool fn_eq(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    bool same = false;
    for (size_t i = 1; i < n; i++) {
        if (arg[0].kind != VALUE_NULL && arg[i].kind != VALUE_NULL &&
            !comparable(t, &arg[0], &arg[i]))
            return false;
        same = same || rego_equal(&arg[0], &arg[i]);
    }
    *ret = value_bool(same);
    return true;
}
static bool fn_ne(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    if (!fn_eq(t, arg, n, ret))
        return false;
    ret->truth = !ret->truth;
    return true;
}
static bool order(struct template *t, const struct value *arg, int *ret)
{
    if (arg[0].kind == VALUE_BOOL || !comparable(t, &arg[0], &arg[1]))
        return fail(t, "error calling a comparison", STR("invalid type for comparison"));
    *ret = rego_compare(&arg[0], &arg[1]);
    return true;
}
static bool fn_lt(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    int by = 0;
    (void)n;
    bool ok = order(t, arg, &by);
    *ret = value_bool(by < 0);
    return ok;
}
static bool fn_le(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    int by = 0;
    (void)n;
    bool ok = order(t, arg, &by);
    *ret = value_bool(by <= 0);
    return ok;
}
static bool fn_gt(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    int by = 0;
    (void)n;
    bool ok = order(t, arg, &by);
    *ret = value_bool(by > 0);
    return ok;
}
static bool fn_ge(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    int by = 0;
    (void)n;
    bool ok = order(t, arg, &by);
    *ret = value_bool(by >= 0);
    return ok;
}

static bool fn_len(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    (void)n;
    if (arg->kind == VALUE_NULL || arg->kind == VALUE_BOOL || arg->kind == VALUE_NUMBER)
        return fail(t, "error calling len", STR("the value has no length"));
    *ret = value_int(arg->len);
    return true;
}
static bool fn_index(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    *ret = arg[0];
    for (size_t i = 1; i < n; i++) {
        struct value from = *ret;
        const struct value *found = rego_get(&from, &arg[i]);
        if (!rego_is_object(&from) && !found)
            return fail(t, "error calling index", STR("index out of range"));
        if (!from_input(t, found, ret))
            return false;
    }
    return true;
}

static bool give(struct template *t, const struct buf *text, struct value *ret)
{
    struct str kept = arena_dup(t->call->arena, buf_view(text));
    *ret = value_string(kept);
    return kept.ptr && !text->failed;
}
/* A blank stands between two operands that are no texts. */
static bool fn_print(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    AUTO_BUF text = {.limit = 1 << 26};
    for (size_t i = 0; i < n; i++) {
        if (i && arg[i].kind != VALUE_STRING && arg[i - 1].kind != VALUE_STRING)
            buf_char(&text, ' ');
        print(&text, &arg[i], 1);
    }
    return give(t, &text, ret);
}
static bool fn_println(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    AUTO_BUF text = {.limit = 1 << 26};
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_char(&text, ' ');
        print(&text, &arg[i], 1);
    }
    buf_char(&text, '\n');
    return give(t, &text, ret);
}
/* %v %s %d %q %%, without widths. */
static bool fn_printf(struct template *t, struct value *arg, size_t n, struct value *ret)
{
    AUTO_BUF text = {.limit = 1 << 26};
    struct str format = arg->kind == VALUE_STRING ? value_text(arg) : STR("");
    size_t next = 1;
    for (size_t i = 0; i < format.len; i++) {
        char verb = i + 1 < format.len ? format.ptr[i + 1] : '\0';
        if (format.ptr[i] != '%') {
            buf_char(&text, format.ptr[i]);
            continue;
        }
        i++;
        if (verb == '%')
            buf_char(&text, '%');
        else if (!verb || !strchr("vsdq", verb) || next >= n)
            return fail(t, "error calling printf", format);
        else if (verb == 'q' && arg[next].kind == VALUE_STRING)
            rego_json(&text, &arg[next++]);
        else
            print(&text, &arg[next++], 1);
    }
    return give(t, &text, ret);
}

static const struct {
    struct str name;
    function *run;
    size_t least, most;
} functions[] = {
    {STR_INIT("and"), fn_and, 1, ARGUMENTS_MAX},
    {STR_INIT("or"), fn_or, 1, ARGUMENTS_MAX},
    {STR_INIT("not"), fn_not, 1, 1},
    {STR_INIT("eq"), fn_eq, 2, ARGUMENTS_MAX},
    {STR_INIT("ne"), fn_ne, 2, 2},
    {STR_INIT("lt"), fn_lt, 2, 2},
    {STR_INIT("le"), fn_le, 2, 2},
    {STR_INIT("gt"), fn_gt, 2, 2},
    {STR_INIT("ge"), fn_ge, 2, 2},
    {STR_INIT("len"), fn_len, 1, 1},
    {STR_INIT("index"), fn_index, 1, ARGUMENTS_MAX},
    {STR_INIT("print"), fn_print, 0, ARGUMENTS_MAX},
    {STR_INIT("println"), fn_println, 0, ARGUMENTS_MAX},
    {STR_INIT("printf"), fn_printf, 1, ARGUMENTS_MAX},
};

/* --- expressions --- */

static void blanks(struct reader *in)
{
    while (in->rest.len && isspace((unsigned char)in->rest.ptr[0]))
        in->rest = str_sub(in->rest, 1, in->rest.len);
}
static char look(const struct reader *in)
{
    return in->rest.len ? in->rest.ptr[0] : '\0';
}
static struct str word(struct reader *in)
{
    size_t n = 0;
    while (n < in->rest.len && (isalnum((unsigned char)in->rest.ptr[n]) || in->rest.ptr[n] == '_' ||
                                (unsigned char)in->rest.ptr[n] >= 0x80))
        n++;
    struct str name = str_sub(in->rest, 0, n);
    in->rest = str_sub(in->rest, n, in->rest.len);
    return name;
}

static bool pipeline(struct reader *in, struct value *ret);

static bool quoted(struct reader *in, struct value *ret)
{
    AUTO_BUF text = {.limit = 1 << 20};
    char quote = look(in);
    size_t i = 1;
    for (; i < in->rest.len && in->rest.ptr[i] != quote; i++) {
        char c = in->rest.ptr[i];
        if (c == '\\' && quote == '"' && i + 1 < in->rest.len) {
            static const char escapes[] = "n\nt\tr\r\"\"\\\\";
            const char *at = strchr(escapes, in->rest.ptr[++i]);
            if (!at || (at - escapes) % 2)
                return fail(in->t, "bad escape", in->rest);
            c = at[1];
        }
        buf_char(&text, c);
    }
    if (i >= in->rest.len)
        return fail(in->t, "unterminated quoted string", in->rest);
    in->rest = str_sub(in->rest, i + 1, in->rest.len);
    return give(in->t, &text, ret);
}

static struct variable *find(struct template *t, struct str name)
{
    for (size_t i = t->nvariables; i > 0; i--)
        if (str_equal(t->variable[i - 1].name, name))
            return &t->variable[i - 1];
    return NULL;
}

static bool named(struct reader *in, struct value *ret)
{
    static const struct {
        struct str name;
        struct value value;
    } constants[] = {{STR_INIT("true"), {.kind = VALUE_BOOL, .truth = true}},
                     {STR_INIT("false"), {.kind = VALUE_BOOL}},
                     {STR_INIT("nil"), {.kind = VALUE_NULL}}};
    struct str name = word(in);
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
        if (str_equal(name, constants[i].name)) {
            *ret = constants[i].value;
            return true;
        }
    return fail(in->t, name.len ? "function not defined" : "unexpected text",
                name.len ? name : in->rest);
}

static bool number(struct reader *in, struct value *ret)
{
    size_t n = 1;
    while (n < in->rest.len && (isdigit((unsigned char)in->rest.ptr[n]) || in->rest.ptr[n] == '.'))
        n++;
    *ret = value_number(str_sub(in->rest, 0, n));
    in->rest = str_sub(in->rest, n, in->rest.len);
    return true;
}

static bool primary(struct reader *in, struct value *ret)
{
    char c = look(in);
    if (c == '"' || c == '`')
        return quoted(in, ret);
    if (isdigit((unsigned char)c) || c == '-')
        return number(in, ret);
    if (c == '$') {
        in->rest = str_sub(in->rest, 1, in->rest.len);
        struct str name = word(in);
        const struct variable *variable = find(in->t, name);
        *ret = variable ? variable->value : in->t->root;
        return !name.len || variable || fail(in->t, "undefined variable", name);
    }
    if (c == '(') {
        in->rest = str_sub(in->rest, 1, in->rest.len);
        if (++in->t->depth > BLOCKS_MAX || !pipeline(in, ret))
            return fail(in->t, "nested too deep", STR("("));
        in->t->depth--;
        blanks(in);
        bool closed = look(in) == ')';
        in->rest = str_sub(in->rest, closed, in->rest.len);
        return closed || fail(in->t, "unclosed left paren", in->rest);
    }
    if (c != '.')
        return named(in, ret);
    *ret = in->t->dot;
    struct reader after = {in->t, str_sub(in->rest, 1, in->rest.len)};
    struct str name = word(&after);
    if (name.len && !field(in->t, ret, name, ret))
        return false;
    in->rest = after.rest;
    return true;
}

static bool operand(struct reader *in, struct value *ret)
{
    if (!primary(in, ret))
        return false;
    while (look(in) == '.') {
        in->rest = str_sub(in->rest, 1, in->rest.len);
        struct str name = word(in);
        if (!name.len || !field(in->t, ret, name, ret))
            return fail(in->t, "bad field", in->rest);
    }
    return true;
}

static bool at_end(struct reader *in)
{
    blanks(in);
    return !in->rest.len || look(in) == '|' || look(in) == ')';
}

/* f a b, or one operand; `piped` (or NULL) is what came through "|", the last argument. */
static bool command(struct reader *in, const struct value *piped, struct value *ret)
{
    struct value arg[ARGUMENTS_MAX + 1];
    size_t n = 0, f = 0;
    struct reader ahead;
    blanks(in);
    ahead = *in;
    struct str name = isalpha((unsigned char)look(in)) ? word(&ahead) : STR("");
    size_t count = sizeof functions / sizeof *functions;
    while (f < count && !str_equal(functions[f].name, name))
        f++;
    if (f == count) {
        if (!operand(in, ret))
            return false;
        return (at_end(in) && !piped) ||
               fail(in->t, "can't give argument to non-function", in->rest);
    }
    *in = ahead;
    while (!at_end(in)) {
        if (n == ARGUMENTS_MAX || !operand(in, &arg[n++]))
            return fail(in->t, "too many arguments", name);
    }
    if (piped)
        arg[n++] = *piped;
    if (n < functions[f].least || n > functions[f].most)
        return fail(in->t, "wrong number of args", name);
    return functions[f].run(in->t, arg, n, ret);
}

static bool pipeline(struct reader *in, struct value *ret)
{
    struct value got;
    if (!command(in, NULL, ret))
        return false;
    while (at_end(in) && look(in) == '|') {
        in->rest = str_sub(in->rest, 1, in->rest.len);
        if (!command(in, ret, &got))
            return false;
        *ret = got;
    }
    return true;
}

static bool set(struct template *t, struct str name, struct value value)
{
    if (t->nvariables == VARIABLES_MAX)
        return fail(t, "too many variables", name);
    t->variable[t->nvariables++] = (struct variable){name, value};
    return true;
}

/* "$x :=" or "$i, $x :=" in front of a pipeline: up to two names; ret_n 0 = none. */
static bool declared(struct reader *in, struct str name[2], size_t *ret_n, bool *ret_new)
{
    struct reader ahead = *in;
    size_t n = 0;
    blanks(&ahead);
    while (n < 2 && look(&ahead) == '$') {
        ahead.rest = str_sub(ahead.rest, 1, ahead.rest.len);
        name[n++] = word(&ahead);
        blanks(&ahead);
        if (look(&ahead) == ',') {
            ahead.rest = str_sub(ahead.rest, 1, ahead.rest.len);
            blanks(&ahead);
        }
    }
    *ret_new = str_starts(ahead.rest, STR(":="));
    bool assigned = *ret_new || (look(&ahead) == '=' && n > 0);
    *ret_n = assigned ? n : 0;
    if (assigned)
        in->rest = str_sub(ahead.rest, *ret_new ? 2 : 1, ahead.rest.len);
    return n > 0 && assigned;
}

/* A whole action's pipeline, with its declaration; ret_silent: it declares, so prints nothing. */
static bool evaluate(struct template *t, struct str text, struct value *ret, bool *ret_silent)
{
    struct reader in = {t, text};
    struct str name[2];
    size_t n;
    bool fresh;
    *ret_silent = declared(&in, name, &n, &fresh);
    if (!pipeline(&in, ret))
        return false;
    if (!at_end(&in) || in.rest.len || n > 1)
        return fail(t, "unexpected text", in.rest);
    if (n == 0 || fresh)
        return n == 0 || set(t, name[0], *ret);
    struct variable *variable = find(t, name[0]);
    if (!variable)
        return fail(t, "undefined variable", name[0]);
    variable->value = *ret;
    return true;
}

/* --- blocks --- */

/* The next action, without its braces and marks; false at the end of the text. Text before it is
 * written if active. */
static bool next_action(struct template *t, bool active, struct str *ret)
{
    size_t open = str_find(t->source, STR("{{"), t->at);
    size_t from = t->at, to = open == SIZE_MAX ? t->source.len : open, i = open + 2;
    bool left = open != SIZE_MAX && i + 1 < t->source.len && t->source.ptr[i] == '-' &&
                isspace((unsigned char)t->source.ptr[i + 1]);
    while (t->trim && from < to && isspace((unsigned char)t->source.ptr[from]))
        from++;
    while (left && to > from && isspace((unsigned char)t->source.ptr[to - 1]))
        to--;
    if (active)
        buf_str(t->out, str_sub(t->source, from, to));
    t->at = t->source.len;
    t->trim = false;
    if (open == SIZE_MAX)
        return false;
    i += left;
    size_t start = i;
    for (char quote = 0; i + 1 < t->source.len; i++) {
        char c = t->source.ptr[i];
        if (quote && c == '\\' && quote == '"')
            i++;
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '`')
            quote = c;
        else if (c == '}' && t->source.ptr[i + 1] == '}')
            break;
    }
    if (i + 1 >= t->source.len)
        return fail(t, "unclosed action", str_sub(t->source, open, t->source.len));
    *ret = str_sub(t->source, start, i);
    t->at = i + 2;
    t->trim =
        ret->len > 1 && str_ends(*ret, STR("-")) && isspace((unsigned char)ret->ptr[ret->len - 2]);
    *ret = str_trim(str_sub(*ret, 0, ret->len - t->trim));
    return true;
}

static bool keyword(struct str action, struct str name, struct str *ret_rest)
{
    if (!str_starts(action, name) ||
        (action.len > name.len && !isspace((unsigned char)action.ptr[name.len]) &&
         action.ptr[name.len] != '('))
        return false;
    *ret_rest = str_trim(str_sub(action, name.len, action.len));
    return true;
}

static enum block_end run(struct template *t, bool active, struct str *ret_else);

/* After a block's own part: an else, or the end. */
static bool run_else(struct template *t, bool active, enum block_end end, struct str rest);

static bool run_if(struct template *t, bool active, struct str condition, bool with)
{
    struct value v = value_null(), dot = t->dot;
    size_t kept = t->nvariables;
    bool silent;
    struct str rest = STR("");
    if (active && !evaluate(t, condition, &v, &silent))
        return false;
    bool yes = active && truth(&v);
    if (with && yes)
        t->dot = v;
    enum block_end end = run(t, yes, &rest);
    t->dot = dot;
    bool ok = run_else(t, active && !yes, end, rest);
    t->nvariables = kept;
    return ok;
}

static bool run_else(struct template *t, bool active, enum block_end end, struct str rest)
{
    struct str condition;
    if (end == BLOCK_END || end == BLOCK_FAILED)
        return end == BLOCK_END;
    if (end == BLOCK_DONE)
        return fail(t, "unexpected EOF", STR("want {{end}}"));
    if (keyword(rest, STR("if"), &condition))
        return run_if(t, active, condition, false);
    if (keyword(rest, STR("with"), &condition))
        return run_if(t, active, condition, true);
    end = run(t, active, &rest);
    return end == BLOCK_END || fail(t, "unexpected {{else}} or EOF", rest);
}

static bool run_range(struct template *t, bool active, struct str text)
{
    struct reader in = {t, text};
    struct value over = value_null(), key, item, dot = t->dot;
    size_t n = 0, kept = t->nvariables, start = t->at, rounds = 0;
    struct str name[2], rest = STR("");
    bool fresh, trim = t->trim;
    enum block_end end = BLOCK_END;
    (void)declared(&in, name, &n, &fresh);
    if (active && !pipeline(&in, &over))
        return false;
    if (over.kind == VALUE_STRING || over.kind == VALUE_BOOL || over.kind == VALUE_NUMBER)
        return fail(t, "range can't iterate over", text);
    for (size_t at = 0; end != BLOCK_FAILED && rego_next(&over, &at, &key, &item); rounds++) {
        t->at = start;
        t->trim = trim;
        t->nvariables = kept;
        if (!from_input(t, &item, &item) || (n == 2 && !set(t, name[0], key)) ||
            (n > 0 && !set(t, name[n - 1], item)))
            return false;
        t->dot = item;
        end = run(t, true, &rest);
    }
    t->dot = dot;
    if (rounds == 0)
        end = run(t, false, &rest);
    bool ok = run_else(t, active && rounds == 0, end, rest);
    t->nvariables = kept;
    return ok;
}

static bool run_action(struct template *t, bool active, struct str action)
{
    struct str rest;
    struct value v;
    bool silent;
    if (str_starts(action, STR("/*")))
        return str_ends(action, STR("*/")) || fail(t, "unclosed comment", action);
    if (keyword(action, STR("if"), &rest))
        return run_if(t, active, rest, false);
    if (keyword(action, STR("with"), &rest))
        return run_if(t, active, rest, true);
    if (keyword(action, STR("range"), &rest))
        return run_range(t, active, rest);
    if (!active)
        return true;
    if (!evaluate(t, action, &v, &silent))
        return false;
    if (!silent)
        print(t->out, &v, 0);
    return true;
}

/* Up to the end of this block. */
static enum block_end run(struct template *t, bool active, struct str *ret_else)
{
    struct str action;
    if (++t->depth > BLOCKS_MAX) {
        (void)fail(t, "nested too deep", STR("block"));
        return BLOCK_FAILED;
    }
    while (next_action(t, active, &action)) {
        if (t->call->spend && !t->call->spend(t->call->spend_ctx, 1))
            return BLOCK_FAILED;
        if (str_equal(action, STR("end"))) {
            t->depth--;
            return BLOCK_END;
        }
        if (keyword(action, STR("else"), ret_else)) {
            t->depth--;
            return BLOCK_ELSE;
        }
        if (!run_action(t, active, action) || t->out->failed)
            return BLOCK_FAILED;
    }
    t->depth--;
    return t->call->why.ptr ? BLOCK_FAILED : BLOCK_DONE;
}

static bool is_json(const struct value *v, unsigned depth_left)
{
    struct value key, item;
    if (v->kind == VALUE_SET || depth_left == 0)
        return false;
    for (size_t at = 0; rego_next(v, &at, &key, &item);)
        if ((rego_is_object(v) && key.kind != VALUE_STRING) || !is_json(&item, depth_left - 1))
            return false;
    return true;
}

static enum rego_outcome render_template(struct rego_call *call, struct value *ret)
{
    AUTO_BUF out = {.limit = rego_room(call)};
    struct str rest = STR("");
    struct template *t = arena_new(call->arena, struct template, 1);
    if (!t)
        return REGO_HALT;
    if (!is_json(&call->arg[1], REGO_NESTING_MAX))
        return rego_fail(call, "operand 2 holds a set, or an object with keys that are no strings");
    *t = (struct template){.call = call,
                           .source = value_text(&call->arg[0]),
                           .out = &out,
                           .root = call->arg[1],
                           .dot = call->arg[1]};
    enum block_end end = run(t, true, &rest);
    if (end == BLOCK_END || end == BLOCK_ELSE)
        (void)fail(t, "unexpected", end == BLOCK_END ? STR("{{end}}") : STR("{{else}}"));
    if (call->why.ptr)
        return REGO_FAILED;
    return end == BLOCK_DONE ? rego_give_buf(call, &out, ret) : REGO_HALT;
}

static const struct rego_builtin table[] = {
    {"strings.render_template", NULL, "(string, object[string: any]) => string", render_template,
     0},
};
const struct rego_family builtin_template = {table, sizeof table / sizeof *table};
