/* when.c - reading a receiver's `when`, and asking it. */
#include "model/when.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/glob.h"
#include "model/actor.h"
#include "model/decision.h"

enum when_kind { KIND_ALWAYS, KIND_NEVER, KIND_NOT, KIND_AND, KIND_OR, KIND_TEST };
enum when_op { OP_IS, OP_LESS, OP_MOST, OP_MORE, OP_LEAST };

struct when {
    enum when_kind kind;
    const struct when *left, *right; /* of NOT: left */
    enum when_field field;
    enum when_op op;
    enum severity severity; /* of OP_LESS and so on */
    struct str tag;
    const struct str *value; /* any of them */
    size_t nvalues;
};

struct reading {
    struct arena *arena;
    struct str text;
    size_t at;        /* of the token */
    struct str token; /* empty: the end */
    bool quoted, full;
    size_t next;
    struct err *err;
};

static const struct str fields[] = {
#define X(constant, name, meaning) STR_INIT(name),
    WHEN_FIELDS(X)
#undef X
};
static const struct str statuses[] = {
    STR_INIT("new"),      STR_INIT("changed"), STR_INIT("recurring"),   STR_INIT("overdue"),
    STR_INIT("resolved"), STR_INIT("notice"),  STR_INIT("acknowledged")};

static bool complain(struct reading *r, const char *what)
{
    if (r->full)
        return arena_full(r->arena, r->err);
    return r->token.len || r->quoted
               ? err_set(r->err, ERR_SYNTAX, "%s, got '%.*s'", what, STR_ARG(r->token))
               : err_set(r->err, ERR_SYNTAX, "%s, got the end", what);
}

/* --- tokens --- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80 || (c && strchr("_.@/*?:+-#$%&|~^{};", c));
}

static bool advance(struct reading *r)
{
    struct str s = r->text;
    while (r->next < s.len && strchr(" \t\r\n", s.ptr[r->next]))
        r->next++;
    size_t from = r->at = r->next, to = from;
    char c = from < s.len ? s.ptr[from] : '\0';
    r->quoted = c == '"' || c == '\'';
    if (r->quoted) {
        to = str_find_char(s, c, from + 1);
        r->token = STR("");
        if (to == SIZE_MAX)
            return err_set(r->err, ERR_SYNTAX, "a quote that does not end");
        r->token = str_sub(s, from + 1, to);
        r->next = to + 1;
        return true;
    }
    while (to < s.len && is_word(s.ptr[to]))
        to++;
    if (to == from && to < s.len)
        to += strchr("<>!=", c) && to + 1 < s.len && s.ptr[to + 1] == '=' ? 2 : 1;
    r->token = str_sub(s, from, to);
    r->next = to;
    return true;
}

static bool is_token(const struct reading *r, const char *word)
{
    return !r->quoted && str_equal(r->token, str_from(word));
}

/* --- what may be compared with what --- */

static bool known(const struct str *list, size_t n, struct str word)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(list[i], word))
            return true;
    return false;
}

static bool value_ok(struct reading *r, enum when_field field)
{
    enum severity severity;
    enum finding_class class_;
    enum decision decision;
    if (glob_is_pattern(r->token) && field != WHEN_SEVERITY)
        return true;
    switch (field) {
    case WHEN_SEVERITY:
        return severity_from(r->token, &severity) ||
               complain(r, "want info, low, medium, high or critical");
    case WHEN_CLASS:
        return finding_class_from(r->token, &class_) ||
               complain(r, "want a class of findings such as missing");
    case WHEN_DECISION:
        return decision_from(r->token, &decision) ||
               complain(r, "want ignore, notify, review, revert or block");
    case WHEN_STATUS:
        return known(statuses, sizeof statuses / sizeof *statuses, r->token) ||
               complain(r, "want new, changed, recurring, overdue, resolved or notice");
    default:
        return true;
    }
}

static bool read_value(struct reading *r, struct when *test)
{
    bool word = r->quoted || (r->token.len && is_word(r->token.ptr[0]));
    if (!word)
        return complain(r, "want a value");
    if (!value_ok(r, test->field))
        return false;
    struct str *grown = arena_new(r->arena, struct str, test->nvalues + 1);
    if (!grown)
        return arena_full(r->arena, r->err);
    for (size_t i = 0; i < test->nvalues; i++)
        grown[i] = test->value[i];
    grown[test->nvalues++] = r->token;
    test->value = grown;
    return advance(r);
}

static bool read_list(struct reading *r, struct when *test)
{
    if (!is_token(r, "["))
        return complain(r, "want a list such as [a, b]");
    do
        if (!advance(r) || !read_value(r, test))
            return false;
    while (is_token(r, ","));
    return is_token(r, "]") ? advance(r) : complain(r, "want , or ]");
}

/* --- tests --- */

static bool read_field(struct reading *r, struct when *test)
{
    struct str word = is_token(r, "env") ? STR("environment") : r->token;
    if (str_starts(word, STR("tag.")) && word.len > 4 && !r->quoted) {
        test->field = WHEN_TAG;
        test->tag = str_sub(word, 4, word.len);
        return advance(r);
    }
    for (unsigned i = 0; i < WHEN_TAG && !r->quoted; i++)
        if (str_equal(word, fields[i])) {
            test->field = (enum when_field)i;
            return advance(r);
        }
    struct str near = str_nearest(word, fields, WHEN_TAG);
    AUTO_ARENA scratch = {.limit = 1 << 12};
    struct str what =
        arena_printf(&scratch, "want a field such as severity%s%.*s%s",
                     near.len ? " (did you mean " : "", STR_ARG(near), near.len ? "?)" : "");
    return complain(r, what.ptr ? what.ptr : "want a field such as severity");
}

static bool wrap_not(struct reading *r, struct when *w)
{
    struct when *inner = arena_new(r->arena, struct when, 1);
    if (!inner)
        return arena_full(r->arena, r->err);
    *inner = *w;
    *w = (struct when){.kind = KIND_NOT, .left = inner};
    return true;
}

static bool read_order(struct reading *r, struct when *test)
{
    static const struct {
        const char *token;
        enum when_op op;
    } ops[] = {{"<", OP_LESS}, {"<=", OP_MOST}, {">", OP_MORE}, {">=", OP_LEAST}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (is_token(r, ops[i].token)) {
            if (test->field != WHEN_SEVERITY)
                return complain(r, "only severity has an order: want =, != or in");
            test->op = ops[i].op;
            return advance(r) && read_value(r, test) &&
                   severity_from(test->value[0], &test->severity);
        }
    return complain(r, "want =, !=, in, not in, <, <=, > or >=");
}

static bool read_test(struct reading *r, struct when *ret)
{
    *ret = (struct when){.kind = KIND_TEST};
    if (!read_field(r, ret))
        return false;
    bool other = is_token(r, "!=") || is_token(r, "not");
    if (is_token(r, "not") && (!advance(r) || !is_token(r, "in")))
        return complain(r, "want `not in`");
    if (is_token(r, "in")) {
        if (!advance(r) || !read_list(r, ret))
            return false;
    } else if (other || is_token(r, "=") || is_token(r, "==")) {
        if (!advance(r) || !read_value(r, ret))
            return false;
    } else {
        return read_order(r, ret);
    }
    return !other || wrap_not(r, ret);
}

/* --- what joins them --- */

static bool read_or(struct reading *r, struct when *ret, unsigned depth_left);

static bool read_not(struct reading *r, struct when *ret, unsigned depth_left)
{
    if (depth_left == 0)
        return err_set(r->err, ERR_SYNTAX, "nested deeper than %d", WHEN_DEPTH_MAX);
    if (is_token(r, "not"))
        return advance(r) && read_not(r, ret, depth_left - 1) && wrap_not(r, ret);
    if (is_token(r, "(")) {
        if (!advance(r) || !read_or(r, ret, depth_left - 1))
            return false;
        return is_token(r, ")") ? advance(r) : complain(r, "want `and`, `or` or )");
    }
    if (is_token(r, "always") || is_token(r, "never")) {
        *ret = (struct when){.kind = is_token(r, "never") ? KIND_NEVER : KIND_ALWAYS};
        return advance(r);
    }
    return read_test(r, ret);
}

static bool read_joined(struct reading *r, struct when *ret, unsigned depth_left, bool either)
{
    enum { JOINED_MAX = 200 };
    const char *word = either ? "or" : "and";
    bool (*part)(struct reading *, struct when *, unsigned) = read_not;
    if (!(either ? read_joined(r, ret, depth_left, false) : part(r, ret, depth_left)))
        return false;
    for (unsigned n = 0; is_token(r, word); n++) {
        struct when *two = arena_new(r->arena, struct when, 2);
        if (!two || n == JOINED_MAX)
            return err_set(r->err, ERR_LIMIT, "too many conditions");
        two[0] = *ret;
        if (!advance(r) ||
            !(either ? read_joined(r, &two[1], depth_left, false) : part(r, &two[1], depth_left)))
            return false;
        *ret =
            (struct when){.kind = either ? KIND_OR : KIND_AND, .left = &two[0], .right = &two[1]};
    }
    return true;
}

static bool read_or(struct reading *r, struct when *ret, unsigned depth_left)
{
    return read_joined(r, ret, depth_left, true);
}

bool when_parse(struct arena *arena, struct str text, const struct when **ret, size_t *ret_at,
                struct err *err)
{
    struct reading r = {.arena = arena, .text = text, .err = err};
    struct when *when = arena_new(arena, struct when, 1);
    bool ok = when || arena_full(arena, err);
    if (text.len > WHEN_BYTES_MAX)
        ok = err_set(err, ERR_LIMIT, "longer than %d bytes", WHEN_BYTES_MAX);
    ok = ok && advance(&r) && read_or(&r, when, WHEN_DEPTH_MAX) &&
         ((!r.token.len && !r.quoted) || complain(&r, "want `and` or `or`"));
    *ret_at = r.at;
    if (ok)
        *ret = when;
    return ok;
}

/* --- asking --- */

static bool any_value(const struct when *test, struct str is)
{
    for (size_t i = 0; i < test->nvalues; i++)
        if (glob_match(test->value[i], is, '\0'))
            return true;
    return false;
}

static bool text_holds(const struct when *test, const struct when_subject *subject)
{
    struct str is = subject->text[test->field], word;
    if (test->field == WHEN_TAG) {
        const struct value *tag = subject->tags ? value_get(subject->tags, test->tag) : NULL;
        return tag && value_is_string(tag) && any_value(test, value_text(tag));
    }
    if (!is.len)
        return false;
    if (any_value(test, is))
        return true;
    if (test->field == WHEN_ACTOR)
        return any_value(test, actor_login(is));
    if (test->field != WHEN_OWNER)
        return false;
    for (bool more = true; more;) {
        more = str_cut(&is, ' ', &word);
        if (word.len && any_value(test, word))
            return true;
    }
    return false;
}

static bool test_holds(const struct when *test, const struct when_subject *subject)
{
    if (test->field != WHEN_SEVERITY)
        return text_holds(test, subject);
    switch (test->op) {
    case OP_IS:
        return any_value(test, str_from(severity_name(subject->severity)));
    case OP_LESS:
        return subject->severity < test->severity;
    case OP_MOST:
        return subject->severity <= test->severity;
    case OP_MORE:
        return subject->severity > test->severity;
    case OP_LEAST:
        return subject->severity >= test->severity;
    }
    return false;
}

/* As deep as the reader allowed: joined ones lean to the left. */
bool when_holds(const struct when *when, const struct when_subject *subject)
{
    if (!when)
        return true;
    switch (when->kind) {
    case KIND_ALWAYS:
        return true;
    case KIND_NEVER:
        return false;
    case KIND_NOT:
        return !when_holds(when->left, subject);
    case KIND_AND:
        return when_holds(when->left, subject) && when_holds(when->right, subject);
    case KIND_OR:
        return when_holds(when->left, subject) || when_holds(when->right, subject);
    case KIND_TEST:
        return test_holds(when, subject);
    }
    return false;
}
