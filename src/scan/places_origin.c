/* places_origin.c - one value's way through the code: its chain, its place, and a view of the
 * source.
 */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "scan/places_parts.h"

enum { EXCERPT_LINES = 5, EXCERPT_BYTES = 500, MODULES_MAX = 1000 };

static const struct str secret = STR_INIT("(sensitive)");
static const struct str what_of_mode[] = {[CODE_MANAGED] = STR_INIT("resource"),
                                          [CODE_DATA] = STR_INIT("data"),
                                          [CODE_EPHEMERAL] = STR_INIT("ephemeral")};

/* --- addresses --- */

/* Behind a key ["..."] or [0] that begins at `at`; SIZE_MAX where it does not end. */
static size_t skip_key(struct str s, size_t at)
{
    bool quoted = false;
    for (at++; at < s.len; at++) {
        if (quoted && s.ptr[at] == '\\')
            at++;
        else if (s.ptr[at] == '"')
            quoted = !quoted;
        else if (!quoted && s.ptr[at] == ']')
            return at + 1;
    }
    return SIZE_MAX;
}

static size_t skip_name(struct str s, size_t at)
{
    while (at < s.len && !memchr(".[ ", s.ptr[at], 3))
        at++;
    return at;
}

/* All leading "module.NAME[KEY]." of it: where they end. */
static size_t skip_modules(struct str s)
{
    size_t at = 0;
    for (int i = 0; i < MODULES_MAX && str_starts(str_sub(s, at, s.len), STR("module.")); i++) {
        size_t end = skip_name(s, at + 7);
        if (end < s.len && s.ptr[end] == '[')
            end = skip_key(s, end);
        if (end >= s.len || s.ptr[end] != '.')
            return SIZE_MAX;
        at = end + 1;
    }
    return at;
}

bool places_address(struct str address, struct place_address *ret)
{
    static const struct {
        struct str prefix;
        enum code_mode mode;
    } modes[] = {{STR_INIT("data."), CODE_DATA}, {STR_INIT("ephemeral."), CODE_EPHEMERAL}};
    size_t at = skip_modules(address);
    if (at == SIZE_MAX)
        return false;
    *ret = (struct place_address){.module = str_sub(address, 0, at ? at - 1 : 0)};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (str_starts(str_sub(address, at, address.len), modes[i].prefix)) {
            at += modes[i].prefix.len;
            ret->mode = modes[i].mode;
            break;
        }
    size_t dot = skip_name(address, at);
    if (dot == at || dot >= address.len || address.ptr[dot] != '.')
        return false;
    size_t end = skip_name(address, dot + 1);
    ret->type = str_sub(address, at, dot);
    ret->name = str_sub(address, dot + 1, end);
    return ret->name.len > 0;
}

const struct code_instance *places_instance(struct code *code, struct str address)
{
    struct str now = address;
    size_t deposed = str_find(address, STR(" (deposed "), 0);
    if (deposed != SIZE_MAX)
        now = address = str_sub(address, 0, deposed);
    const struct code_instance *instance = code_find_instance(code, address);
    if (!instance && code_moved_address(code, address, &now))
        instance = code_find_instance(code, now);
    return instance;
}

const struct code_resource *places_block(struct code *code, struct str address)
{
    struct place_address parts;
    const struct code_module *module;
    if (!places_address(address, &parts) || !(module = code_find_module(code, parts.module)))
        return NULL;
    return code_find_resource(module, parts.mode, parts.type, parts.name);
}

bool places_path(struct arena *arena, struct str text, struct path *ret, bool *ret_element)
{
    *ret_element = false;
    if (!path_parse(arena, text, ret, NULL))
        return false;
    for (size_t i = 0; i < ret->n; i++)
        if (ret->step[i].kind == PATH_ELEMENT) {
            ret->n = i;
            *ret_element = true;
        }
    return true;
}

/* --- the source --- */

static struct str source_of(const struct code_link *link)
{
    return link->source ? str_sub(link->source->text, link->range.start, link->range.end)
                        : (struct str){0};
}

/* Of the source only what may be seen: `head` of it, then a word for the rest. */
static struct str cut_source(struct arena *arena, struct str source, size_t head, const char *rest)
{
    struct str shown = str_trim(str_sub(source, 0, head));
    return arena_printf(arena, "%.*s%s%s", STR_ARG(shown), shown.len ? " " : "", rest);
}

/* Up to `most` bytes, never inside a character. */
static struct str cut_bytes(struct str s, size_t most)
{
    size_t end = s.len < most ? s.len : most;
    while (end < s.len && end && ((unsigned char)s.ptr[end] & 0xc0) == 0x80)
        end--;
    return str_sub(s, 0, end);
}

static size_t blanks(struct str line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] == ' ')
        n++;
    return n;
}

/* The first lines; what all lines but the first are indented by is taken away. */
static struct str few_lines(struct arena *arena, struct str source)
{
    struct str head = cut_bytes(source, EXCERPT_BYTES), rest = head, line;
    AUTO_BUF text = {.limit = 2 * EXCERPT_BYTES};
    size_t indent = SIZE_MAX;
    for (size_t i = 0; rest.len && i < EXCERPT_LINES; i++) {
        (void)str_cut(&rest, '\n', &line);
        if (i && str_trim(line).len && blanks(line) < indent)
            indent = blanks(line);
    }
    rest = head;
    for (size_t i = 0; rest.len && i < EXCERPT_LINES; i++) {
        (void)str_cut(&rest, '\n', &line);
        while (str_ends(line, STR("\r")))
            line.len--;
        buf_str(&text, i ? STR("\n") : STR(""));
        buf_str(&text, str_sub(line, i ? indent : 0, line.len));
    }
    if (rest.len || head.len < source.len)
        buf_str(&text, STR("..."));
    return arena_dup(arena, buf_view(&text));
}

/* Where the value begins in the link's source; its end where there is no expression. */
static size_t value_start(const struct code_link *link)
{
    if (!link->expr || link->expr->range.start < link->range.start ||
        link->expr->range.start > link->range.end)
        return 0;
    return link->expr->range.start - link->range.start;
}

/* Of a map or list only one element is meant: what stands beside it is nobody's business. */
static bool is_part(const struct code_link *link)
{
    return link->rest.n > 0 && link->expr &&
           (link->expr->kind == HCL_EXPR_OBJECT || link->expr->kind == HCL_EXPR_TUPLE ||
            link->expr->kind == HCL_EXPR_CALL || link->expr->kind == HCL_EXPR_FOR);
}

static struct str excerpt(struct arena *arena, const struct code_link *link, bool sensitive)
{
    struct str source = source_of(link);
    if (sensitive)
        return cut_source(arena, source, value_start(link), secret.ptr);
    if (is_part(link))
        return cut_source(arena, source, value_start(link) + 1, "...");
    return few_lines(arena, source);
}

/* --- the element of a map or list that is meant --- */

static const struct hcl_expr *unwrapped(const struct hcl_expr *expr)
{
    for (int i = 0; i < HCL_DEPTH_MAX && expr->kind == HCL_EXPR_PAREN; i++)
        expr = expr->operand;
    return expr;
}

/* The item of the step, where it is written as one. Of keys that are given twice the last counts.
 */
static const struct hcl_expr *find_item(const struct hcl_expr *expr, const struct path_step *step,
                                        struct hcl_range *ret_range)
{
    const struct hcl_expr *found = NULL;
    if (expr->kind == HCL_EXPR_TUPLE && step->kind == PATH_INDEX && step->index >= 0 &&
        (uint64_t)step->index < expr->parts.n) {
        found = expr->parts.part[step->index];
        *ret_range = found->range;
    }
    for (size_t i = 0; expr->kind == HCL_EXPR_OBJECT && step->kind == PATH_KEY && i < expr->items.n;
         i++) {
        const struct hcl_item *item = &expr->items.item[i];
        if (item->key->kind != HCL_EXPR_STRING ||
            !str_equal(value_text(&item->key->value), step->key))
            continue;
        found = item->value;
        *ret_range = (struct hcl_range){item->key->range.start, item->value->range.end};
    }
    return found;
}

/* The link narrowed to the element that the rest of its path names, as far as that is written. */
static struct code_link narrow(const struct code_link *link)
{
    struct code_link now = *link;
    while (now.source && now.expr && now.rest.n) {
        struct hcl_range range;
        const struct hcl_expr *item = find_item(unwrapped(now.expr), now.rest.step, &range);
        if (!item || range.start < now.range.start || range.end > now.source->text.len)
            break;
        now.expr = item;
        now.range = range;
        now.rest = (struct path){now.rest.step + 1, now.rest.n - 1};
    }
    for (size_t i = link->range.start; i < now.range.start; i++) {
        char c = now.source->text.ptr[i];
        now.line += c == '\n';
        now.column = c == '\n' ? 1 : now.column + (((unsigned char)c & 0xc0) != 0x80);
    }
    return now;
}

/* --- chains --- */

/* Where the range ends: lines and characters behind its start. */
static void find_end(struct str source, struct location *at)
{
    uint32_t column = at->column;
    at->end_line = at->line;
    for (size_t i = 0; i < source.len; i++) {
        if (source.ptr[i] == '\n') {
            at->end_line++;
            column = 1;
        } else {
            column += ((unsigned char)source.ptr[i] & 0xc0) != 0x80;
        }
    }
    at->end_column = source.len ? column : 0;
}

static bool location_of(struct places *places, const struct code_link *link, struct location *ret,
                        struct err *err)
{
    *ret = (struct location){0};
    if (!link->file.len)
        return true;
    const struct place_file *file = places_file(places, link->file, err);
    if (!file)
        return false;
    *ret = (struct location){.file = file->shown, .line = link->line, .column = link->column};
    find_end(source_of(link), ret);
    return true;
}

static bool is_secret(const struct code_instance *instance, const struct change *change,
                      struct path path)
{
    const struct value *value = path_find(&instance->config, path);
    return change->sensitive || (change->before && value_any_sensitive(change->before)) ||
           (change->after && value_any_sensitive(change->after)) ||
           (value && value_any_sensitive(value));
}

/* The chain's places; the last one with a file decides. */
static bool fill_chain(struct places *places, const struct code_chain *chain, bool sensitive,
                       struct origin *origin, struct str *ret_file, struct err *err)
{
    struct origin_step *list = arena_new(places->arena, struct origin_step, chain->n);
    struct code_link decides = {0};
    if (!list)
        return arena_full(places->arena, err);
    for (size_t i = 0; i < chain->n; i++) {
        struct code_link link = narrow(&chain->link[i]);
        list[i].what = arena_dup(places->arena, str_from(link.what));
        list[i].name = arena_dup(places->arena, link.name);
        if (!list[i].what.ptr || !list[i].name.ptr)
            return arena_full(places->arena, err);
        if (!location_of(places, &link, &list[i].at, err))
            return false;
        if (link.file.len) {
            decides = link;
            origin->at = list[i].at;
        }
    }
    origin->chain = list;
    origin->nchain = chain->n;
    origin->unknown_because = arena_dup(places->arena, chain->unknown_because);
    origin->excerpt = decides.file.len ? excerpt(places->arena, &decides, sensitive) : STR("");
    *ret_file = decides.file;
    return (origin->excerpt.ptr && origin->unknown_because.ptr) || arena_full(places->arena, err);
}

/* The header of a block: resource "a" "b". */
static bool fill_block(struct places *places, const struct code_resource *block,
                       const struct finding *finding, struct origin *origin, struct str *ret_file,
                       struct err *err)
{
    const struct code_place *place = &block->place;
    struct code_link link = {.what = what_of_mode[block->mode].ptr,
                             .name = finding->address,
                             .file = place->file->name,
                             .line = place->line,
                             .column = 1,
                             .range = place->range,
                             .source = place->file};
    for (size_t i = place->range.start; i > 0 && place->file->text.ptr[i - 1] != '\n'; i--)
        link.column += ((unsigned char)place->file->text.ptr[i - 1] & 0xc0) != 0x80;
    const struct code_chain chain = {.link = &link, .n = 1, .unknown_because = STR("")};
    return fill_chain(places, &chain, false, origin, ret_file, err);
}

bool places_is_block(const struct origin *origin)
{
    for (size_t i = 0; i < sizeof what_of_mode / sizeof *what_of_mode; i++)
        if (origin->nchain && str_equal(origin->chain[0].what, what_of_mode[i]))
            return true;
    return false;
}

bool places_origin(struct places *places, const struct code_instance *instance,
                   const struct finding *finding, const struct change *change, struct origin **ret,
                   struct str *ret_file, struct err *err)
{
    struct code *code = places->options.code;
    struct code_chain chain = {0};
    struct path path;
    bool element;
    *ret = NULL;
    struct origin *origin = arena_new(places->arena, struct origin, 1);
    if (!origin)
        return arena_full(places->arena, err);
    *origin = (struct origin){.owner = STR("")};
    if (change && instance && places_path(places->arena, change->path, &path, &element) &&
        code_explain(code, instance, path, &chain) && chain.n) {
        *ret = origin;
        return fill_chain(places, &chain, is_secret(instance, change, path), origin, ret_file, err);
    }
    const struct code_resource *block =
        instance ? instance->resource : places_block(code, finding->address);
    if (!block || !block->place.file)
        return true;
    *ret = origin;
    return fill_block(places, block, finding, origin, ret_file, err);
}
