/* annotation.c - METADATA comments: blocks, their YAML, what they are attached to. */
#include "lang/rego/annotation.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/yaml.h"

static const struct str scope_names[] = {
    [REGO_SCOPE_RULE] = STR_INIT("rule"),
    [REGO_SCOPE_DOCUMENT] = STR_INIT("document"),
    [REGO_SCOPE_PACKAGE] = STR_INIT("package"),
    [REGO_SCOPE_SUBPACKAGES] = STR_INIT("subpackages"),
};
enum { SCOPES = sizeof scope_names / sizeof *scope_names, FIELDS_MAX = 11 };

struct block { /* comments from `first`, the one with METADATA, on */
    const struct rego_comment *comment;
    size_t n;
};
struct reading {
    struct arena *arena;
    struct rego_module *module;
    struct rego_diags *diags;
    struct block block;
    struct yaml_doc doc;
    struct rego_annotation *ret;
    struct rego_pair pair[FIELDS_MAX];
    size_t npairs;
};

static void complain(struct reading *r, struct rego_place place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void complain(struct reading *r, struct rego_place place, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct str text = arena_vprintf(r->arena, fmt, args);
    va_end(args);
    rego_diag_add(r->diags, "rego_parse_error", r->module->file, place, "%.*s", STR_ARG(text));
}

/* --- blocks --- */

static bool is_metadata(const struct rego_comment *comment)
{
    return comment->place.col == 1 && str_starts(str_trim(comment->text), STR("METADATA"));
}

static bool goes_on(const struct rego_comment *comment, const struct rego_comment *before)
{
    return comment->place.col == 1 && comment->place.row == before->place.row + 1 &&
           !is_metadata(comment);
}

/* The comment that a line of the YAML was in, as OPA counts: one further. */
static struct rego_place line_place(const struct reading *r, uint32_t line)
{
    size_t last = r->block.n - 1;
    return r->block.comment[line + 1 < last ? line + 1 : last].place;
}

/* --- fields --- */

static struct rego_place place_of(const struct reading *r, const struct value *v)
{
    return line_place(r, yaml_place(&r->doc, v).line);
}

static void mistyped(struct reading *r, const struct value *v, const char *wanted)
{
    static const char *const tags[VALUE_KIND_COUNT] = {
        [VALUE_NULL] = "!!null",  [VALUE_BOOL] = "!!bool", [VALUE_NUMBER] = "!!int",
        [VALUE_STRING] = "!!str", [VALUE_LIST] = "!!seq",  [VALUE_TUPLE] = "!!seq",
        [VALUE_MAP] = "!!map",    [VALUE_OBJECT] = "!!map"};
    AUTO_BUF text = {.limit = 1 << 16};
    if (v->kind == VALUE_STRING)
        buf_printf(&text, " `%.*s`", STR_ARG(value_text(v)));
    if (v->kind == VALUE_BOOL || v->kind == VALUE_NUMBER) {
        buf_str(&text, STR(" `"));
        rego_text(&text, v);
        buf_char(&text, '`');
    }
    complain(r, place_of(r, v),
             "yaml: unmarshal errors:\n  line %u: cannot unmarshal %s%.*s into %s",
             yaml_place(&r->doc, v).line, tags[v->kind] ? tags[v->kind] : "a value",
             STR_ARG(buf_view(&text)), wanted);
}

static void put(struct reading *r, const char *key, struct value v)
{
    if (r->npairs < FIELDS_MAX)
        r->pair[r->npairs++] = (struct rego_pair){value_string(str_from(key)), v};
}

static struct value object_of(struct arena *arena, const struct rego_pair *pairs, size_t n)
{
    struct rego_pair *copy = arena_new(arena, struct rego_pair, n + 1);
    struct value ret = value_null();
    size_t clash;
    if (copy && n)
        memcpy(copy, pairs, n * sizeof *pairs);
    if (copy)
        (void)rego_make_object(copy, n, &ret, &clash);
    return ret;
}

/* A scalar as text: a title may be a number. Empty and null are none. */
static bool text_of(struct reading *r, const struct value *v, struct str *ret)
{
    *ret = (struct str){0};
    if (v->kind == VALUE_NULL)
        return true;
    if (v->kind == VALUE_STRING) {
        *ret = value_text(v);
        return true;
    }
    if (v->kind != VALUE_BOOL && v->kind != VALUE_NUMBER) {
        mistyped(r, v, "string");
        return false;
    }
    AUTO_BUF text = {.limit = 1 << 16};
    rego_text(&text, v);
    *ret = arena_dup(r->arena, buf_view(&text));
    return true;
}

static bool is_list(struct reading *r, const struct value *v, const char *wanted)
{
    if (rego_is_array(v) || v->kind == VALUE_NULL)
        return true;
    mistyped(r, v, wanted);
    return false;
}

static void read_scope(struct reading *r, const struct value *v)
{
    struct str text;
    if (!text_of(r, v, &text) || !text.len)
        return;
    for (size_t i = 0; i < SCOPES; i++)
        if (str_equal(scope_names[i], text)) {
            r->ret->scope = (enum rego_scope)i;
            return;
        }
    complain(r, r->block.comment[0].place,
             "invalid annotation scope '%.*s'. Use one of '%s', '%s', '%s', or '%s'", STR_ARG(text),
             "rule", "document", "package", "subpackages");
}

static void read_text(struct reading *r, const char *key, const struct value *v)
{
    struct str text;
    if (text_of(r, v, &text) && text.len)
        put(r, key, value_string(text));
}

static void read_organizations(struct reading *r, const struct value *v)
{
    if (!is_list(r, v, "[]string") || !v->len)
        return;
    struct value *item = arena_new(r->arena, struct value, v->len);
    for (uint32_t i = 0; item && i < v->len; i++) {
        struct str text;
        if (!text_of(r, &v->items[i], &text))
            return;
        item[i] = value_string(text);
    }
    if (item)
        put(r, "organizations", value_items(VALUE_TUPLE, item, v->len));
}

static struct str member_text(const struct value *v, const char *key)
{
    const struct value *member = value_get(v, str_from(key));
    return member && member->kind == VALUE_STRING ? str_trim(value_text(member)) : (struct str){0};
}

/* "Jane Doe <jane@example.com>" */
static void split_author(struct arena *arena, struct str text, struct str *name, struct str *email)
{
    AUTO_BUF words = {.limit = 1 << 16};
    struct str word = {0}, rest = text;
    *email = (struct str){0};
    while ((rest = str_trim(rest)).len) {
        size_t n = 0;
        while (n < rest.len && !strchr(" \t\r\n", rest.ptr[n]))
            n++;
        word = str_sub(rest, 0, n);
        rest = str_sub(rest, n, rest.len);
        bool last = str_trim(rest).len == 0;
        if (last && word.len >= 2 && str_starts(word, STR("<")) && str_ends(word, STR(">"))) {
            *email = str_sub(word, 1, word.len - 1);
        } else {
            if (words.len)
                buf_char(&words, ' ');
            buf_str(&words, word);
        }
    }
    *name = arena_dup(arena, buf_view(&words));
}

static bool read_author(struct reading *r, const struct value *v, struct value *ret)
{
    struct str name, email;
    const char *why = "invalid value type, must be string or map";
    if (v->kind == VALUE_STRING) {
        split_author(r->arena, value_text(v), &name, &email);
        why = str_trim(value_text(v)).len ? NULL : "author is an empty string";
    } else if (rego_is_object(v)) {
        name = member_text(v, "name");
        email = member_text(v, "email");
        why = name.len || email.len ? NULL : "'name' and/or 'email' values required in object";
    }
    if (why) {
        AUTO_BUF text = {.limit = 1 << 16};
        rego_text(&text, v);
        complain(r, r->block.comment[0].place, "invalid author definition %.*s: %s",
                 STR_ARG(buf_view(&text)), why);
        return false;
    }
    struct rego_pair pairs[2];
    size_t n = 0;
    if (name.len)
        pairs[n++] = (struct rego_pair){value_string(STR("name")), value_string(name)};
    if (email.len)
        pairs[n++] = (struct rego_pair){value_string(STR("email")), value_string(email)};
    *ret = object_of(r->arena, pairs, n);
    return true;
}

static bool read_resource(struct reading *r, const struct value *v, struct value *ret)
{
    struct str ref, description = {0};
    const char *why = "invalid value type, must be string or map";
    if (v->kind == VALUE_STRING) {
        ref = value_text(v);
        why = ref.len ? NULL : "ref URL may not be empty string";
    } else if (rego_is_object(v)) {
        ref = member_text(v, "ref");
        description = member_text(v, "description");
        why = ref.len ? NULL : "'ref' value required in object";
    }
    if (why) {
        AUTO_BUF text = {.limit = 1 << 16};
        rego_text(&text, v);
        complain(r, r->block.comment[0].place, "invalid related-resource definition %.*s: %s",
                 STR_ARG(buf_view(&text)), why);
        return false;
    }
    struct rego_pair pairs[] = {{value_string(STR("ref")), value_string(ref)},
                                {value_string(STR("description")), value_string(description)}};
    *ret = object_of(r->arena, pairs, description.len ? 2 : 1);
    return true;
}

static void read_each(struct reading *r, const char *key, const struct value *v,
                      bool (*read)(struct reading *r, const struct value *v, struct value *ret))
{
    if (!is_list(r, v, "[]interface {}") || !v->len)
        return;
    struct value *item = arena_new(r->arena, struct value, v->len);
    for (uint32_t i = 0; item && i < v->len; i++)
        if (!read(r, &v->items[i], &item[i]))
            return;
    if (item)
        put(r, key, value_items(VALUE_TUPLE, item, v->len));
}

/* --- schemas --- */

/* "a.b" as ["a", "b"] */
static bool path_value(struct reading *r, struct str text, struct value *ret)
{
    struct rego_diags ignored = {.arena = r->arena};
    struct rego_parse_options how = {0};
    struct rego_body *body;
    if (!rego_parse_query(r->arena, text, STR("path"), &how, &ignored, &body) || body->n != 1 ||
        body->expr[0]->kind != REGO_EXPR_TERM)
        return false;
    const struct rego_term *term = body->expr[0]->term;
    size_t n = term->kind == REGO_TERM_REF ? term->parts.n : 1;
    struct value *item = arena_new(r->arena, struct value, n);
    for (size_t i = 0; item && i < n; i++) {
        const struct rego_term *part = term->kind == REGO_TERM_REF ? term->parts.item[i] : term;
        if (part->kind != REGO_TERM_VAR && part->kind != REGO_TERM_VALUE)
            return false;
        item[i] = part->kind == REGO_TERM_VAR ? value_string(part->name) : part->value;
    }
    *ret = item ? value_items(VALUE_TUPLE, item, n) : value_null();
    return item != NULL;
}

static bool read_schema(struct reading *r, const struct value *v, struct value *ret)
{
    struct rego_place place = r->block.comment[0].place;
    struct value path, schema;
    if (!rego_is_object(v) || v->len == 0) {
        mistyped(r, v, "map[string]interface {}");
        return false;
    }
    struct str key = key_str(v->members[0].key);
    const struct value *use = &v->members[0].value;
    struct rego_schema_use one = {0};
    if (!path_value(r, key, &path)) {
        complain(r, place, "invalid document reference");
        return false;
    }
    one.path = path;
    if (use->kind == VALUE_STRING) {
        bool good = path_value(r, value_text(use), &schema) && schema.len &&
                    str_equal(value_text(&schema.items[0]), STR("schema"));
        if (!good) {
            complain(r, place, "invalid schema reference");
            return false;
        }
        one.schema = schema;
    } else if (rego_is_object(use)) {
        one.definition = use;
        schema = *use;
    } else {
        complain(r, place, "invalid schema declaration for path \"%.*s\"", STR_ARG(key));
        return false;
    }
    struct rego_pair pairs[] = {
        {value_string(STR("path")), path},
        {value_string(one.definition ? STR("definition") : STR("schema")), schema}};
    *ret = object_of(r->arena, pairs, 2);
    ((struct rego_schema_use *)(uintptr_t)r->ret->schema)[r->ret->nschemas++] = one;
    return true;
}

static void read_schemas(struct reading *r, const struct value *v)
{
    if (!is_list(r, v, "[]map[string]interface {}"))
        return;
    r->ret->schema = arena_new(r->arena, struct rego_schema_use, v->len + 1);
    if (r->ret->schema)
        read_each(r, "schemas", v, read_schema);
}

static void read_map(struct reading *r, const char *key, const struct value *v)
{
    if (v->kind != VALUE_NULL && !rego_is_object(v))
        mistyped(r, v, "map[string]interface {}");
    else if (v->len)
        put(r, key, *v);
}

/* Where a boolean is wanted, the words of YAML 1.1 are some. */
static void read_entrypoint(struct reading *r, const struct value *v)
{
    static const struct str yes[] = {STR_INIT("yes"), STR_INIT("y"), STR_INIT("on"),
                                     STR_INIT("Yes"), STR_INIT("On")};
    static const struct str no[] = {STR_INIT("no"), STR_INIT("n"), STR_INIT("off"), STR_INIT("No"),
                                    STR_INIT("Off")};
    for (size_t i = 0; v->kind == VALUE_STRING && i < sizeof yes / sizeof *yes; i++) {
        r->ret->entrypoint |= str_equal(value_text(v), yes[i]);
        if (str_equal(value_text(v), yes[i]) || str_equal(value_text(v), no[i]))
            return;
    }
    if (v->kind == VALUE_BOOL)
        r->ret->entrypoint = v->truth;
    else if (v->kind != VALUE_NULL)
        mistyped(r, v, "bool");
}

static void read_field(struct reading *r, struct str key, const struct value *v)
{
    static const struct {
        struct str name;
        void (*map)(struct reading *r, const char *key, const struct value *v);
        void (*read)(struct reading *r, const struct value *v);
    } fields[] = {
        {STR_INIT("scope"), NULL, read_scope},
        {STR_INIT("title"), read_text, NULL},
        {STR_INIT("description"), read_text, NULL},
        {STR_INIT("entrypoint"), NULL, read_entrypoint},
        {STR_INIT("organizations"), NULL, read_organizations},
        {STR_INIT("schemas"), NULL, read_schemas},
        {STR_INIT("custom"), read_map, NULL},
        {STR_INIT("labels"), read_map, NULL},
        {STR_INIT("compile"), read_map, NULL},
    };
    if (str_equal(key, STR("authors")))
        read_each(r, "authors", v, read_author);
    if (str_equal(key, STR("related_resources")))
        read_each(r, "related_resources", v, read_resource);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (str_equal(fields[i].name, key)) {
            if (fields[i].read)
                fields[i].read(r, v);
            else
                fields[i].map(r, fields[i].name.ptr, v);
        }
}

/* --- a block --- */

/* "name:line:column: why" to the line and the reason. */
static void yaml_error(struct reading *r, const struct err *err)
{
    struct str text = str_from(err->frame[0]), part;
    int64_t line = 1;
    (void)str_cut(&text, ':', &part);
    struct str rest = text;
    if (str_cut(&rest, ':', &part) && str_to_int64(part, &line)) {
        (void)str_cut(&rest, ':', &part);
        text = str_trim(rest);
    }
    complain(r, line_place(r, (uint32_t)line), "yaml: line %lld: %.*s", (long long)line,
             STR_ARG(text));
}

static bool parse_block(struct reading *r)
{
    AUTO_BUF text = {.limit = REGO_TEXT_MAX};
    struct err err = {0};
    for (size_t i = 1; i < r->block.n; i++) {
        struct str line = r->block.comment[i].text;
        buf_str(&text, str_starts(line, STR(" ")) ? str_sub(line, 1, line.len) : line);
        buf_char(&text, '\n');
    }
    if (!str_trim(buf_view(&text)).len) {
        complain(r, r->block.comment[0].place, "expected METADATA block, found whitespace");
        return false;
    }
    if (!yaml_parse_one(r->arena, buf_view(&text), "metadata", YAML_DEFAULT, &r->doc, &err)) {
        yaml_error(r, &err);
        return false;
    }
    if (rego_is_object(&r->doc.root))
        return true;
    mistyped(r, &r->doc.root, "ast.rawAnnotation");
    return false;
}

/* What stands behind it: a rule, an import, the package (2, 1, 0), nothing (-1). */
static int next_statement(const struct reading *r, uint32_t row, const struct rego_rule **ret)
{
    const struct rego_module *m = r->module;
    uint32_t best = m->package_place.row > row ? m->package_place.row : UINT32_MAX;
    int kind = best == UINT32_MAX ? -1 : 0;
    size_t low = 0, high = m->nimports; /* they stand in order, and so do rules */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->imports[middle].place.row > row)
            high = middle;
        else
            low = middle + 1;
    }
    if (low < m->nimports && m->imports[low].place.row < best) {
        best = m->imports[low].place.row;
        kind = 1;
    }
    for (low = 0, high = m->nrules; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (m->rules[middle]->place.row > row)
            high = middle;
        else
            low = middle + 1;
    }
    if (low < m->nrules && m->rules[low]->place.row < best) {
        *ret = m->rules[low];
        kind = 2;
    }
    return kind;
}

static void attach(struct reading *r)
{
    static const char *const have[] = {"package", "import", "rule"};
    struct rego_annotation *a = r->ret;
    const struct rego_rule *rule = NULL;
    int kind = next_statement(r, a->place.row, &rule);
    bool of_package = a->scope == REGO_SCOPE_PACKAGE || a->scope == REGO_SCOPE_SUBPACKAGES;
    bool unsaid = (unsigned)a->scope == SCOPES;
    const char *said = kind < 0 ? "" : have[kind];
    if (unsaid && kind == 1)
        complain(r, a->place,
                 "invalid annotation scope 'import'. Use one of '%s', '%s', '%s', or '%s'", "rule",
                 "document", "package", "subpackages");
    if (unsaid)
        a->scope = kind == 0       ? REGO_SCOPE_PACKAGE
                   : a->entrypoint ? REGO_SCOPE_DOCUMENT
                                   : REGO_SCOPE_RULE;
    of_package = unsaid ? kind == 0 : of_package;
    if ((unsaid && kind < 0) || (!unsaid && (of_package ? kind != 0 : kind != 2)))
        complain(r, a->place, "annotation scope '%.*s' must be applied to %s%s%s%s",
                 STR_ARG(scope_names[a->scope]), of_package ? "package" : "rule",
                 *said ? " (have " : "", said, *said ? ")" : "");
    if (a->entrypoint && a->scope != REGO_SCOPE_DOCUMENT && a->scope != REGO_SCOPE_PACKAGE)
        complain(r, a->place,
                 "annotation entrypoint applied to non-document or package scope '%.*s'",
                 STR_ARG(scope_names[a->scope]));
    a->rule = kind == 2 ? rule : NULL;
}

static void read_block(struct reading *r)
{
    size_t before = r->diags->n;
    *r->ret = (struct rego_annotation){.scope = (enum rego_scope)SCOPES,
                                       .place = r->block.comment[0].place};
    r->npairs = 0;
    if (!parse_block(r))
        return;
    const struct value *root = &r->doc.root;
    for (uint32_t i = 0; i < root->len; i++)
        read_field(r, key_str(root->members[i].key), &root->members[i].value);
    if (r->diags->n > before)
        return;
    attach(r);
    if (r->ret->entrypoint)
        put(r, "entrypoint", value_bool(true));
    put(r, "scope", value_string(scope_names[r->ret->scope]));
    r->ret->value = object_of(r->arena, r->pair, r->npairs);
    r->module->nannotations++;
    r->ret++;
}

/* YAML costs more than a token does. */
static bool afford(const struct rego_parse_options *options, const struct block *block)
{
    enum { TOKENS_A_LINE = 64 };
    return !options->afford || options->afford(options->afford_ctx, block->n * TOKENS_A_LINE);
}

void rego_read_annotations(struct arena *arena, struct rego_module *module,
                           const struct rego_parse_options *options, struct rego_diags *diags)
{
    struct reading r = {.arena = arena, .module = module, .diags = diags};
    size_t n = 0;
    for (size_t i = 0; i < module->ncomments; i++)
        n += is_metadata(&module->comments[i]);
    if (!n || !(r.ret = arena_new(arena, struct rego_annotation, n)))
        return;
    module->annotations = r.ret;
    for (size_t i = 0, to; i < module->ncomments; i = to) {
        to = i + 1;
        if (!is_metadata(&module->comments[i]))
            continue;
        while (to < module->ncomments && goes_on(&module->comments[to], &module->comments[to - 1]))
            to++;
        r.block = (struct block){module->comments + i, to - i};
        if (!afford(options, &r.block))
            return;
        read_block(&r);
    }
}
