/* format.c - `opa fmt`'s form of a Rego module: package, imports, the whole; and its proof. */
#include "lang/rego/format.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/rego/formatter.h"

/* --- imports --- */

static int compare_imports(const void *a, const void *b)
{
    const struct rego_import *x = *(const struct rego_import *const *)a,
                             *y = *(const struct rego_import *const *)b;
    size_t nx = x->path->kind == REGO_TERM_VAR ? 1 : x->path->parts.n;
    size_t ny = y->path->kind == REGO_TERM_VAR ? 1 : y->path->parts.n;
    for (size_t i = 0; i < nx && i < ny; i++) {
        const struct rego_term *p = nx == 1 ? x->path : x->path->parts.item[i],
                               *q = ny == 1 ? y->path : y->path->parts.item[i];
        int order = i ? str_compare(value_text(&p->value), value_text(&q->value))
                      : str_compare(p->name, q->name);
        if (order)
            return order;
    }
    if (nx != ny)
        return nx < ny ? -1 : 1;
    return str_compare(x->alias, y->alias);
}

static enum form_flow import(struct formatter *f, const struct rego_import *import,
                             const struct rego_comment *comment)
{
    enum form_flow flow = FORMAT_OK;
    if (!form_in_time(f))
        return FORMAT_FAILED;
    form_start_line(f);
    form_write(f, "import ");
    struct form_comments comments = f->comments;
    f->comments.n = 0;
    if (import->path->kind == REGO_TERM_VAR)
        form_write_str(f, import->path->name);
    else
        flow = form_ref(f, import->path->parts.item, import->path->parts.n);
    f->comments = comments;
    if (import->alias.len) {
        form_write(f, " as ");
        form_write_str(f, import->alias);
    }
    f->at_end = comment;
    form_end_line(f);
    return flow;
}

/* The comments that stand on a row of an import go with it, wherever it is sorted to. */
static bool take_import_comments(struct formatter *f, const struct rego_import **imports, size_t n,
                                 const struct rego_comment **ret)
{
    const struct rego_comment **left =
        arena_new(f->arena, const struct rego_comment *, f->comments.n + 1);
    size_t kept = 0;
    if (!left)
        return false;
    for (size_t i = 0; i < f->comments.n; i++) {
        size_t k = 0;
        if (!form_in_time(f))
            return false;
        while (k < n && imports[k]->place.row != f->comments.item[i]->place.row)
            k++;
        if (k < n)
            ret[k] = f->comments.item[i];
        else
            left[kept++] = f->comments.item[i];
    }
    f->comments = (struct form_comments){left, kept};
    return true;
}

static const struct rego_comment *comment_of(const struct rego_import *import,
                                             const struct rego_import *const *all,
                                             const struct rego_comment *const *comment, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (all[i] == import)
            return comment[i];
    return NULL;
}

static enum form_flow imports(struct formatter *f, const struct rego_import **item, size_t n)
{
    const struct rego_comment **comment = arena_new(f->arena, const struct rego_comment *, n + 1);
    const struct rego_import **as_was = arena_new(f->arena, const struct rego_import *, n + 1);
    if (!comment || !as_was || !take_import_comments(f, item, n, comment))
        return f->why = f->why ? f->why : "the text needs too much memory", FORMAT_FAILED;
    for (size_t i = 0; i < n; i++)
        as_was[i] = item[i];
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && item[to]->place.row - item[to - 1]->place.row <= 1;)
            to++;
        if (form_insert_comments(f, item[from]->place.row) == FORMAT_FAILED)
            return FORMAT_FAILED;
        qsort(item + from, to - from, sizeof(struct rego_import *), compare_imports);
        for (size_t i = from; i < to; i++)
            if (import(f, item[i], comment_of(item[i], as_was, comment, n)) == FORMAT_FAILED)
                return FORMAT_FAILED;
        form_blank_line(f);
    }
    return FORMAT_OK;
}

static struct str import_root(const struct rego_import *import)
{
    const struct rego_term *path = import->path;
    return path->kind == REGO_TERM_VAR ? path->name : path->parts.item[0]->name;
}

static bool is_v1_import(const struct rego_import *import)
{
    return str_equal(import_root(import), STR("rego"));
}

static bool has_v1_import(const struct rego_module *module)
{
    for (size_t i = 0; i < module->nimports; i++)
        if (is_v1_import(&module->imports[i]))
            return true;
    return false;
}

/* --- the module --- */

/* `import rego.v1` where it is wanted and missing: behind the imports of keywords, else first. */
static const struct rego_import *added_import(struct formatter *f)
{
    struct rego_import *import = arena_new(f->arena, struct rego_import, 1);
    struct rego_term *term = arena_new(f->arena, struct rego_term, 3);
    struct rego_term **part = arena_new(f->arena, struct rego_term *, 2);
    if (!import || !term || !part)
        return NULL;
    uint32_t row = 0;
    for (size_t i = 0; i < f->module->nimports; i++)
        if (str_equal(import_root(&f->module->imports[i]), STR("future")))
            row = f->module->imports[i].place.row;
    part[0] = &term[1];
    part[1] = &term[2];
    term[0] = (struct rego_term){.kind = REGO_TERM_REF, .parts = {part, 2}};
    term[1] = (struct rego_term){.kind = REGO_TERM_VAR, .name = STR("rego")};
    term[2] = (struct rego_term){.kind = REGO_TERM_VALUE, .value = value_string(STR("v1"))};
    *import = (struct rego_import){.path = term, .place = {.row = row ? row + 1 : 1, .col = 1}};
    return import;
}

/* Those that stay, by place. */
static bool kept_imports(struct formatter *f, bool add_v1, const struct rego_import ***ret,
                         size_t *ret_n)
{
    const struct rego_module *module = f->module;
    bool drop_future = add_v1 || has_v1_import(module);
    const struct rego_import **item =
        arena_new(f->arena, const struct rego_import *, module->nimports + 2);
    size_t n = 0;
    const struct rego_import *added = add_v1 ? added_import(f) : NULL;
    if (!item || (add_v1 && !added))
        return false;
    for (size_t i = 0; i < module->nimports; i++) {
        const struct rego_import *import = &module->imports[i];
        if (added && import->place.row >= added->place.row) {
            item[n++] = added;
            added = NULL;
        }
        const struct rego_term *path = import->path;
        bool future = str_equal(import_root(import), STR("future"));
        bool lasting = future && path->parts.n == 3 &&
                       (str_equal(value_text(&path->parts.item[2]->value), STR("not")));
        if (!future || !drop_future || lasting)
            item[n++] = import;
    }
    if (added)
        item[n++] = added;
    *ret = item;
    *ret_n = n;
    return true;
}

/* Imports and rules as they stand in the text. */
static enum form_flow statements(struct formatter *f, const struct rego_import **item, size_t n)
{
    const struct rego_module *module = f->module;
    size_t at = 0;
    while (n || at < module->nrules) {
        size_t i = 0, r = at;
        while (i < n &&
               (at >= module->nrules || item[i]->place.row <= module->rules[at]->place.row))
            i++;
        if (i && imports(f, item, i) == FORMAT_FAILED)
            return FORMAT_FAILED;
        item += i;
        n -= i;
        while (r < module->nrules && (!n || module->rules[r]->place.row < item[0]->place.row))
            r++;
        if (r > at && form_rules(f, module->rules + at, r - at) == FORMAT_FAILED)
            return FORMAT_FAILED;
        at = r;
    }
    return FORMAT_OK;
}

static enum form_flow package(struct formatter *f)
{
    const struct rego_term *path = f->module->package;
    if (form_insert_comments(f, f->module->package_place.row) == FORMAT_FAILED)
        return FORMAT_FAILED;
    struct form_comments comments = f->comments;
    f->comments.n = 0;
    form_start_line(f);
    form_write(f, "package ");
    form_write_str(f, value_text(&path->parts.item[1]->value));
    struct rego_term head = {.kind = REGO_TERM_VAR, .name = {0}};
    struct rego_term **part = arena_new(f->arena, struct rego_term *, path->parts.n);
    if (!part)
        return f->why = "the text needs too much memory", FORMAT_FAILED;
    part[0] = &head;
    for (size_t i = 2; i < path->parts.n; i++)
        part[i - 1] = path->parts.item[i];
    enum form_flow flow = form_ref(f, part, path->parts.n - 1);
    f->comments = comments;
    form_blank_line(f);
    return flow;
}

/* What the module's imports and heads say of the form. */
static void look_around(struct formatter *f, bool v1)
{
    const struct rego_module *module = f->module;
    f->v1 = f->ifs = f->contains = v1;
    for (size_t i = 0; i < module->nimports; i++) {
        const struct rego_term *path = module->imports[i].path;
        struct str root = import_root(&module->imports[i]);
        bool future = str_equal(root, STR("future"));
        bool all = is_v1_import(&module->imports[i]) || (future && path->parts.n == 2);
        struct str word = future && path->parts.n == 3 ? value_text(&path->parts.item[2]->value)
                                                       : (struct str){0};
        f->ifs |= all || str_equal(word, STR("if"));
        f->contains |= all || str_equal(word, STR("contains"));
    }
    for (size_t i = 0; i < module->nrules; i++) {
        const struct rego_head *h = &module->rules[i]->head;
        f->ref_heads |= h->nref > 2 || (h->nref == 2 && h->has_contains);
    }
}

static enum form_flow whole(struct formatter *f, bool add_v1)
{
    const struct rego_module *module = f->module;
    const struct rego_comment **comment =
        arena_new(f->arena, const struct rego_comment *, module->ncomments + 1);
    const struct rego_import **import;
    size_t nimports;
    if (!comment || !kept_imports(f, add_v1, &import, &nimports))
        return f->why = "the text needs too much memory", FORMAT_FAILED;
    for (size_t i = 0; i < module->ncomments; i++)
        comment[i] = &module->comments[i];
    f->comments = (struct form_comments){comment, module->ncomments};
    if (package(f) == FORMAT_FAILED || statements(f, import, nimports) == FORMAT_FAILED)
        return FORMAT_FAILED;
    for (size_t i = 0; i < f->comments.n; i++) {
        if (!f->in_line)
            form_start_line(f);
        form_write(f, "#");
        struct str text = f->comments.item[i]->text;
        while (text.len && (unsigned char)text.ptr[text.len - 1] <= ' ')
            text.len--;
        form_write_str(f, text);
        form_end_line(f);
    }
    while (f->out.len > 1 && f->out.ptr[f->out.len - 1] == '\n' &&
           f->out.ptr[f->out.len - 2] == '\n')
        f->out.len--;
    return FORMAT_OK;
}

/* --- the result is read again --- */

static struct str trimmed(const struct rego_comment *comment)
{
    struct str text = comment->text;
    while (text.len && (unsigned char)text.ptr[text.len - 1] <= ' ')
        text.len--;
    return text;
}

static int compare_comments(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static struct str *sorted_comments(struct arena *arena, const struct rego_module *module)
{
    struct str *ret = arena_new(arena, struct str, module->ncomments + 1);
    for (size_t i = 0; ret && i < module->ncomments; i++)
        ret[i] = trimmed(&module->comments[i]);
    if (ret && module->ncomments)
        qsort(ret, module->ncomments, sizeof *ret, compare_comments);
    return ret;
}

static bool same_comments(struct arena *arena, const struct rego_module *a,
                          const struct rego_module *b)
{
    struct str *x = sorted_comments(arena, a), *y = sorted_comments(arena, b);
    if (!x || !y || a->ncomments != b->ncomments)
        return false;
    for (size_t i = 0; i < a->ncomments; i++)
        if (!str_equal(x[i], y[i]))
            return false;
    return true;
}

static bool late(struct str file, struct err *err)
{
    return err_set(err, ERR_LIMIT,
                   "%.*s: reading takes longer than it may, or was cancelled: split the file, or "
                   "give it more time with --timeout",
                   STR_ARG(file));
}

static bool prove(struct arena *arena, const struct rego_module *module, struct str result,
                  const struct rego_parse_options *how, struct err *err)
{
    struct rego_module *again;
    struct rego_diags diags = {.arena = arena};
    if (!rego_parse_module(arena, result, module->file, how, &diags, &again)) {
        if (!diags.n && how->afford)
            return late(module->file, err);
        struct str why = diags.n ? diags.diag[0].message : STR("unknown");
        return err_set(err, ERR_CONFLICT, "%.*s: left as it is: its form cannot be read: %.*s",
                       STR_ARG(module->file), STR_ARG(why));
    }
    if (!rego_modules_equal(module, again))
        return err_set(err, ERR_CONFLICT, "%.*s: left as it is: its form would mean something else",
                       STR_ARG(module->file));
    if (!same_comments(arena, module, again))
        return err_set(err, ERR_CONFLICT, "%.*s: left as it is: its form would lose a comment",
                       STR_ARG(module->file));
    return true;
}

bool form_in_time(struct formatter *f)
{
    enum { LOOK_EVERY = 16 };
    if (!f->clock.until_ms || ++f->looks % LOOK_EVERY || rego_parse_in_time(&f->clock, 0))
        return true;
    f->why = "formatting takes longer than it may, or was cancelled: split the file, or give it "
             "more time with --timeout";
    return false;
}

bool rego_format(struct arena *arena, struct str text, struct str file,
                 const struct rego_format_options *options, struct rego_diags *diags,
                 struct str *ret, struct err *err)
{
    struct rego_parse_options how = {.v0 = options->v0, .words = options->words};
    struct formatter f = {
        .arena = arena, .out = {.limit = BUF_DEFAULT_LIMIT}, .clock = options->clock};
    struct rego_module *module;
    if (f.clock.until_ms) {
        how.afford = rego_parse_in_time;
        how.afford_ctx = &f.clock;
    }
    size_t before = diags->n;
    if (!rego_parse_module(arena, text, file, &how, diags, &module))
        return diags->n == before && f.clock.until_ms ? late(file, err) : false;
    bool add_v1 = options->v0 && options->to_v1;
    f.module = module;
    if (!form_find_newlines(&f))
        return arena_full(arena, err);
    look_around(&f, !options->v0 || add_v1);
    bool ok = whole(&f, add_v1 && !has_v1_import(module)) != FORMAT_FAILED;
    if (!ok)
        (void)err_set(err, ERR_SYNTAX, "%.*s: %s", STR_ARG(file),
                      f.why ? f.why : "it cannot be formatted");
    ok = ok && buf_ok(&f.out, err);
    struct str result = ok ? arena_dup(arena, buf_view(&f.out)) : (struct str){0};
    buf_free(&f.out);
    if (!ok || (!str_equal(result, text) && !prove(arena, module, result, &how, err)))
        return false;
    *ret = str_equal(result, text) ? text : result;
    return true;
}
