/* parse.c - Rego modules and queries: entry points, package, imports, the parser's state. */
#include "lang/rego/ast.h"

#include <stdarg.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "lang/rego/annotation.h"
#include "lang/rego/parser.h"

void rego_diag_add(struct rego_diags *diags, const char *code, struct str file,
                   struct rego_place place, const char *fmt, ...)
{
    struct rego_diag *grown =
        arena_grow(diags->arena, diags->diag, diags->n, &diags->room, diags->n + 1);
    if (!grown)
        return;
    diags->diag = grown;
    va_list args;
    va_start(args, fmt);
    grown[diags->n++] = (struct rego_diag){code, file, arena_vprintf(diags->arena, fmt, args),
                                           place.row, place.col};
    va_end(args);
}

/* --- state --- */

/* A keyword right before `.name` is a name: as.foo, else.bar */
static void keyword_as_name(struct rego_parser *p)
{
    const struct rego_lexer *l = &p->lexer;
    enum rego_token_kind kind = p->token.kind;
    char c = l->at + 1 < l->text.len ? l->text.ptr[l->at + 1] : '\0';
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (rego_token_is_keyword(kind) && letter && l->text.ptr[l->at] == '.')
        p->token.kind = REGO_TOK_IDENT;
}

/* Going back reads tokens again, and each time counts. */
static void stop_when_over(struct rego_parser *p)
{
    enum { TOKENS_BETWEEN_LOOKS = 4096 };
    if (++p->tokens < TOKENS_BETWEEN_LOOKS)
        return;
    p->stopped =
        p->options->afford && !p->options->afford(p->options->afford_ctx, TOKENS_BETWEEN_LOOKS);
    p->tokens = 0;
    if (p->stopped) {
        p->too_deep = true;
        p->failed = true;
    }
}

void parser_next(struct rego_parser *p)
{
    p->last_end = p->token.place.end;
    if (p->stopped)
        p->token.kind = REGO_TOK_EOF;
    else
        rego_lex(&p->lexer, &p->token);
    keyword_as_name(p);
    stop_when_over(p);
}

struct rego_mark parser_mark(const struct rego_parser *p)
{
    return (struct rego_mark){p->lexer, p->token, p->wildcards, p->last_end, p->depth, p->failed};
}

void parser_back(struct rego_parser *p, const struct rego_mark *mark)
{
    struct rego_comment *comment = p->lexer.comment;
    size_t ncomments = p->lexer.ncomments, room = p->lexer.room;
    p->lexer = mark->lexer;
    p->lexer.comment = comment; /* comments stay: they are kept by place */
    p->lexer.ncomments = ncomments;
    p->lexer.room = room;
    p->token = mark->token;
    p->last_end = mark->last_end;
    p->depth = mark->depth;
    p->failed = mark->failed || p->too_deep;
}

void *parser_fail(struct rego_parser *p, struct rego_place place, const char *fmt, ...)
{
    if (p->failed)
        return NULL;
    va_list args;
    va_start(args, fmt);
    p->bad = arena_vprintf(p->arena, fmt, args);
    va_end(args);
    p->bad_place = place;
    p->failed = true;
    return NULL;
}

void *parser_fail_text(struct rego_parser *p, struct rego_place place, struct str text)
{
    if (p->failed)
        return NULL;
    p->bad = text;
    p->bad_place = place;
    p->failed = true;
    return NULL;
}

void *parser_unexpected(struct rego_parser *p, const char *why)
{
    const struct rego_token *t = &p->token;
    if (t->kind == REGO_TOK_ERROR)
        return parser_fail_text(p, t->place, t->string);
    const char *const part[] = {"unexpected ", rego_token_name(t->kind),
                                rego_token_is_keyword(t->kind) ? " keyword" : " token",
                                *why ? ": " : "", why};
    char text[200]; /* not printed: what is tried and given up says this, too */
    size_t len = 0;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        for (const char *c = part[i]; *c && len < sizeof text; c++)
            text[len++] = *c;
    return parser_fail_text(p, t->place,
                            p->failed ? STR("") : arena_dup(p->arena, (struct str){text, len}));
}

bool parser_take(struct rego_parser *p, enum rego_token_kind kind)
{
    if (p->token.kind != kind)
        return false;
    parser_next(p);
    return true;
}

bool parser_enter(struct rego_parser *p)
{
    if (++p->depth <= REGO_DEPTH_MAX)
        return true;
    p->too_deep = true;
    parser_fail(p, p->token.place, "max parsing recursion depth exceeded");
    return false;
}

struct rego_term *parser_make(struct rego_parser *p, enum rego_term_kind kind,
                              struct rego_place place)
{
    struct rego_term *term = arena_new(p->arena, struct rego_term, 1);
    if (!term)
        return parser_fail(p, place, "the text needs too much memory");
    term->kind = kind;
    term->place = place;
    return term;
}

struct rego_term *parser_string(struct rego_parser *p, struct str text, struct rego_place place)
{
    struct rego_term *term = parser_make(p, REGO_TERM_VALUE, place);
    if (term)
        term->value = value_string(text);
    return term;
}

/* "$0", "$1", ... */
static struct str wildcard(struct rego_parser *p)
{
    char text[16];
    size_t at = sizeof text;
    uint32_t n = p->wildcards++;
    do
        text[--at] = (char)('0' + n % 10);
    while (n /= 10);
    text[--at] = '$';
    return arena_dup(p->arena, (struct str){text + at, sizeof text - at});
}

struct rego_term *parser_var(struct rego_parser *p, struct str name, struct rego_place place)
{
    struct rego_term *term = parser_make(p, REGO_TERM_VAR, place);
    if (!term)
        return NULL;
    term->slot = REGO_NO_SLOT;
    term->name = str_equal(name, STR("_")) ? wildcard(p) : name;
    return term;
}

bool parser_push(struct rego_parser *p, struct rego_terms *terms, struct rego_term *term)
{
    if (!term)
        return false;
    struct rego_term **grown =
        arena_grow(p->arena, terms->item, terms->n, &terms->room, terms->n + 1);
    if (!grown)
        return parser_fail(p, term->place, "the text needs too much memory");
    terms->item = grown;
    grown[terms->n++] = term;
    return true;
}

struct rego_term *parser_call(struct rego_parser *p, const char *name, struct rego_place place,
                              struct rego_term *a, struct rego_term *b, struct rego_term *c)
{
    struct rego_terms parts = {0};
    struct rego_term *term = parser_make(p, REGO_TERM_CALL, place);
    if (!term || !parser_push(p, &parts, parser_var(p, str_from(name), place)) ||
        (a && !parser_push(p, &parts, a)) || (b && !parser_push(p, &parts, b)) ||
        (c && !parser_push(p, &parts, c)))
        return NULL;
    term->parts.item = parts.item;
    term->parts.n = parts.n;
    return term;
}

/* --- package and imports --- */

/* data.a["b"].c: string parts only. name: the first part where it is no identifier token. */
static struct rego_term *path(struct rego_parser *p, bool package)
{
    struct rego_terms parts = {0};
    struct rego_place place = p->token.place;
    bool word = p->token.kind == REGO_TOK_IDENT || rego_token_is_keyword(p->token.kind);
    if (!word)
        return parser_unexpected(p, package ? "expected ident" : "expected path");
    struct str first = p->token.text;
    if (package && !parser_push(p, &parts, parser_var(p, STR("data"), place)))
        return NULL;
    if (!parser_push(p, &parts,
                     package ? parser_string(p, first, place) : parser_var(p, first, place)))
        return NULL;
    parser_next(p);
    for (;;) {
        if (p->token.kind == REGO_TOK_DOT && !p->token.newline) {
            parser_next(p);
            if (p->token.kind != REGO_TOK_IDENT && !rego_token_is_keyword(p->token.kind))
                return parser_unexpected(p, "expected ident");
            if (!parser_push(p, &parts, parser_string(p, p->token.text, p->token.place)))
                return NULL;
        } else if (p->token.kind == REGO_TOK_LBRACK && !p->token.newline) {
            parser_next(p);
            if (p->token.kind != REGO_TOK_STRING && p->token.kind != REGO_TOK_RAW_STRING)
                return parser_unexpected(p, "expecting string");
            if (!parser_push(p, &parts, parser_string(p, p->token.string, p->token.place)))
                return NULL;
            parser_next(p);
            if (p->token.kind != REGO_TOK_RBRACK)
                return parser_unexpected(p, "expected ]");
        } else {
            break;
        }
        parser_next(p);
    }
    struct rego_term *ref = parser_make(p, parts.n == 1 ? REGO_TERM_VAR : REGO_TERM_REF, place);
    if (!ref)
        return NULL;
    ref->place.end = p->last_end;
    if (parts.n == 1) {
        ref->name = parts.item[0]->name;
    } else {
        ref->parts.item = parts.item;
        ref->parts.n = parts.n;
    }
    return ref;
}

static struct str part(const struct rego_term *ref, size_t i)
{
    if (ref->kind == REGO_TERM_VAR)
        return i == 0 ? ref->name : (struct str){0};
    if (i >= ref->parts.n)
        return (struct str){0};
    return i == 0 ? ref->parts.item[0]->name : value_text(&ref->parts.item[i]->value);
}

static size_t length(const struct rego_term *ref)
{
    return ref->kind == REGO_TERM_VAR ? 1 : ref->parts.n;
}

struct future_word {
    struct str name;
    unsigned bit;
    unsigned needs, unless; /* of enum rego_words */
};

static bool is_allowed(const struct rego_parser *p, const struct future_word *word)
{
    unsigned words = p->options->words;
    return (word->needs & words) == word->needs && !(word->unless & words);
}

static bool unexpected_word(struct rego_parser *p, struct rego_place place,
                            const struct future_word *words, size_t n)
{
    AUTO_BUF names = {.limit = 1 << 10};
    for (size_t i = 0; i < n; i++) {
        if (!is_allowed(p, &words[i]))
            continue;
        buf_str(&names, names.len ? STR(" ") : STR(""));
        buf_str(&names, words[i].name);
    }
    return parser_fail(p, place, "unexpected keyword, must be one of [%.*s]",
                       STR_ARG(buf_view(&names)));
}

static bool future_import(struct rego_parser *p, const struct rego_import *import)
{
    static const struct future_word words[] = {
        {STR_INIT("and"), REGO_KW_AND, REGO_WORD_AND, 0},
        {STR_INIT("contains"), REGO_KW_CONTAINS, 0, 0},
        {STR_INIT("every"), REGO_KW_EVERY | REGO_KW_IN, 0, 0}, /* every x in xs */
        {STR_INIT("if"), REGO_KW_IF, 0, 0},
        {STR_INIT("in"), REGO_KW_IN, 0, 0},
        {STR_INIT("not"), REGO_KW_NOT, 0, REGO_WORD_NO_NOT},
        {STR_INIT("or"), REGO_KW_OR, REGO_WORD_OR, 0},
    };
    enum { WORDS = sizeof words / sizeof *words };
    size_t n = length(import->path), i = 0;
    if (!str_equal(part(import->path, 1), STR("keywords")) || n > 3)
        return parser_fail(p, import->path->place, "invalid import, must be `future.keywords`");
    if (import->alias.len)
        return parser_fail(p, import->path->place, "`future` imports cannot be aliased");
    if (n == 2) {
        p->lexer.keywords |= REGO_KW_V1;
        for (; i < WORDS; i++) /* `not` changes what is read: only by its name */
            if (words[i].needs && is_allowed(p, &words[i]))
                p->lexer.keywords |= words[i].bit;
        return true;
    }
    while (i < WORDS &&
           !(str_equal(words[i].name, part(import->path, 2)) && is_allowed(p, &words[i])))
        i++;
    if (i == WORDS)
        return unexpected_word(p, import->path->place, words, WORDS);
    p->lexer.keywords |= words[i].bit;
    return true;
}

static bool check_import(struct rego_parser *p, struct rego_module *module,
                         const struct rego_import *import)
{
    static const struct str roots[] = {STR_INIT("data"), STR_INIT("future"), STR_INIT("input"),
                                       STR_INIT("rego")};
    const struct rego_term *path_term = import->path;
    struct str root = part(path_term, 0), last = part(path_term, length(path_term) - 1);
    size_t i = 0;
    while (i < 4 && !str_equal(roots[i], root))
        i++;
    if (i == 4)
        return parser_fail(p, path_term->place,
                           "unexpected import path, must begin with one of: {data, future, input, "
                           "rego}, got: %.*s (hint: if this is unexpected, try updating OPA)",
                           STR_ARG(root));
    if (i == 1)
        return future_import(p, import);
    if (i == 3) {
        if (length(path_term) != 2 || !str_equal(last, STR("v1")))
            return parser_fail(p, path_term->place, "invalid import `%.*s`, must be `rego.v1`",
                               (int)(path_term->place.end - path_term->place.start),
                               p->lexer.text.ptr + path_term->place.start);
        if (import->alias.len)
            return parser_fail(p, path_term->place, "`rego` imports cannot be aliased");
        p->lexer.keywords |= REGO_KW_V1;
        module->v0 = false;
        return true;
    }
    if (length(path_term) > 1 && !import->alias.len && rego_word_is_keyword(last))
        return parser_fail(p, path_term->parts.item[path_term->parts.n - 1]->place,
                           "unexpected import path, must not end with a keyword, got: %.*s (hint: "
                           "import a different path or use an alias)",
                           STR_ARG(last));
    return true;
}

static bool import(struct rego_parser *p, struct rego_module *module, size_t *room)
{
    struct rego_import *grown =
        arena_grow(p->arena, module->imports, module->nimports, room, module->nimports + 1);
    struct rego_import one = {.place = p->token.place};
    if (!grown)
        return parser_fail(p, one.place, "the text needs too much memory");
    module->imports = grown;
    parser_next(p);
    one.path = path(p, false);
    if (!one.path)
        return false;
    if (parser_take(p, REGO_TOK_AS)) {
        if (p->token.kind != REGO_TOK_IDENT)
            return parser_unexpected(p, "expected var");
        one.alias = p->token.text;
        parser_next(p);
    }
    grown[module->nimports++] = one;
    if (!check_import(p, module, &one))
        return false;
    /* Words that became keywords: the token looked at may be one of them. */
    if (p->token.kind == REGO_TOK_IDENT) {
        p->lexer.at = p->token.place.start;
        p->lexer.row = p->token.place.row;
        p->lexer.col = p->token.place.col;
        bool newline = p->token.newline;
        rego_lex(&p->lexer, &p->token);
        keyword_as_name(p);
        p->token.newline = p->token.blank = newline;
    }
    return true;
}

static bool package(struct rego_parser *p, struct rego_module *module)
{
    if (p->token.kind == REGO_TOK_EOF)
        return parser_fail(p, (struct rego_place){0}, "empty module");
    if (p->token.kind == REGO_TOK_ERROR)
        return parser_unexpected(p, "");
    if (p->token.kind != REGO_TOK_PACKAGE)
        return parser_fail(p, p->token.place, "package expected");
    module->package_place = p->token.place;
    parser_next(p);
    module->package = path(p, true);
    return module->package != NULL;
}

static bool statements(struct rego_parser *p, struct rego_module *module)
{
    size_t import_room = 0, rule_room = 0;
    while (p->token.kind != REGO_TOK_EOF) {
        if (p->token.kind == REGO_TOK_PACKAGE)
            return parser_fail(p, p->token.place, "unexpected package");
        if (!(p->token.kind == REGO_TOK_IMPORT ? import(p, module, &import_room)
                                               : parser_rules(p, module, &rule_room)))
            return false;
        while (parser_take(p, REGO_TOK_SEMICOLON)) {}
    }
    return true;
}

/* --- entry points --- */

static bool start(struct rego_parser *p, struct arena *arena, struct str text, struct str file,
                  const struct rego_parse_options *options, struct rego_diags *diags)
{
    *p = (struct rego_parser){
        .arena = arena,
        .lexer = {.arena = arena, .text = text, .file = file, .row = 1, .col = 1},
        .options = options,
        .diags = diags,
        .file = file,
    };
    p->lexer.keywords = options->v0 ? 0 : REGO_KW_V1;
    if (text.len > REGO_TEXT_MAX)
        return parser_fail(p, (struct rego_place){1, 1, 0, 0}, "the text is longer than %d MiB",
                           REGO_TEXT_MAX >> 20);
    parser_next(p);
    return true;
}

/* The parser's error as a diagnostic; true if there is none. */
static bool finish(struct rego_parser *p)
{
    if (p->failed && !p->stopped && !p->bad.len) /* nor for the words of it */
        p->bad = STR("the text needs too much memory");
    if (p->failed && !p->stopped)
        rego_diag_add(p->diags, "rego_parse_error", p->file, p->bad_place, "%.*s", STR_ARG(p->bad));
    return !p->failed;
}

bool rego_parse_in_time(void *clock, uint64_t tokens)
{
    const struct rego_parse_clock *c = clock;
    (void)tokens;
    return !(c->cancel && *c->cancel) && clock_monotonic_ms() <= c->until_ms;
}

bool rego_parse_module(struct arena *arena, struct str text, struct str file,
                       const struct rego_parse_options *options, struct rego_diags *diags,
                       struct rego_module **ret)
{
    struct rego_parser p;
    struct rego_module *module = arena_new(arena, struct rego_module, 1);
    size_t before = diags->n;
    if (start(&p, arena, text, file, options, diags) && module) {
        module->file = file;
        module->text = text;
        module->v0 = options->v0;
        if (package(&p, module) && statements(&p, module)) {
            module->comments = p.lexer.comment;
            module->ncomments = p.lexer.ncomments;
            module->calls_rego = p.calls_rego;
            if (options->annotations && !p.failed)
                rego_read_annotations(arena, module, options, diags);
        }
    }
    if (!module)
        (void)parser_fail(&p, p.token.place, "the text needs too much memory");
    *ret = module;
    return finish(&p) && diags->n == before;
}

bool rego_parse_query(struct arena *arena, struct str text, struct str file,
                      const struct rego_parse_options *options, struct rego_diags *diags,
                      struct rego_body **ret)
{
    struct rego_parser p;
    if (start(&p, arena, text, file, options, diags)) {
        *ret = parser_query(&p, REGO_TOK_EOF);
        if (*ret && (*ret)->n == 0)
            (void)parser_fail(&p, p.token.place, "found empty body");
    }
    return finish(&p);
}

/* --- ground terms --- */

static bool ground(struct arena *arena, const struct rego_term *term, struct value *ret,
                   unsigned depth_left);

static bool ground_items(struct arena *arena, const struct rego_term *term, struct value *ret,
                         unsigned depth_left)
{
    size_t n = term->parts.n;
    struct value *items = arena_new(arena, struct value, n);
    if (!items)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!ground(arena, term->parts.item[i], &items[i], depth_left))
            return false;
    *ret =
        term->kind == REGO_TERM_SET ? rego_make_set(items, n) : value_items(VALUE_TUPLE, items, n);
    return true;
}

static bool ground(struct arena *arena, const struct rego_term *term, struct value *ret,
                   unsigned depth_left)
{
    if (depth_left == 0)
        return false;
    switch (term->kind) {
    case REGO_TERM_VALUE:
        *ret = term->value;
        return true;
    case REGO_TERM_ARRAY:
    case REGO_TERM_SET:
        return ground_items(arena, term, ret, depth_left - 1);
    case REGO_TERM_OBJECT: {
        struct rego_pair *pairs = arena_new(arena, struct rego_pair, term->pairs.n);
        if (!pairs)
            return false;
        for (size_t i = 0; i < term->pairs.n; i++)
            if (!ground(arena, term->pairs.item[i].key, &pairs[i].key, depth_left - 1) ||
                !ground(arena, term->pairs.item[i].value, &pairs[i].value, depth_left - 1))
                return false;
        *ret = rego_make_written(pairs, term->pairs.n);
        return true;
    }
    default:
        return false;
    }
}

bool rego_parse_value(struct arena *arena, struct str text, struct value *ret,
                      struct rego_diags *diags)
{
    struct rego_parser p;
    struct rego_parse_options options = {0};
    struct rego_place place = {1, 1, 0, 0};
    if (start(&p, arena, text, STR("term"), &options, diags)) {
        struct rego_term *term = parser_expression(&p, false);
        if (term && p.token.kind != REGO_TOK_EOF)
            (void)parser_unexpected(&p, "expected the end");
        else if (term && !ground(arena, term, ret, REGO_DEPTH_MAX))
            (void)parser_fail(&p, place, "expected a value without variables and calls");
    }
    return finish(&p);
}
