/* lines.c - the changes of a finding as lines with signs: short ones on one line, long text as a
 * diff of its lines, objects one member a line. */
#include <string.h>

#include "base/arena.h"
#include "report/parts.h"
#include "report/report.h"
#include "value/value.h"
#include "wire/json.h"

enum {
    LINES_DEFAULT = 60,
    PATH_COLUMNS_MAX = 40,
    WIDTH_LEAST = 40,
    JSON_TEXT_MAX = 1 << 20, /* longer JSON text is compared as one string */
    JSON_ARENA_MAX = 64 << 20,
    SHOWN_BEFORE_DIFFERENCE = 16, /* bytes of what two long strings have in common */
    NOTES_MAX = 12,               /* names in the line of folded attributes */
    EXPLAINED_MAX = 3             /* branches and commits for one change */
};

struct printer {
    struct buf *out;
    const struct line_style *style;
    size_t path_columns;
    const struct origin *told; /* the one before: what it said of itself is not said again */
};

static const char *sign_colour(char sign)
{
    return sign == '+'   ? "\033[32m"
           : sign == '-' ? "\033[31m"
           : sign == '~' ? "\033[33m"
                         : "\033[2m";
}

static void begin_line(const struct printer *p, char sign, unsigned level)
{
    unsigned column = level * 4;
    if (!p->style->sign_first) {
        text_pad(p->out, 0, p->style->indent + column);
        column = 0;
    }
    if (p->style->colour)
        buf_str(p->out, str_from(sign_colour(sign)));
    buf_char(p->out, sign);
    buf_char(p->out, ' ');
    text_pad(p->out, 0, column);
}

static void end_line(const struct printer *p)
{
    if (p->style->colour)
        buf_str(p->out, STR("\033[0m"));
    buf_char(p->out, '\n');
}

static size_t columns_left(const struct printer *p, unsigned level)
{
    size_t used = p->style->indent + level * 4 + 2;
    return p->style->width > used + WIDTH_LEAST ? p->style->width - used : WIDTH_LEAST;
}

static struct str path_of(const struct change *change)
{
    return change->path.len ? change->path : STR("(whole resource)");
}

/* --- one side: an object member by member, a list item by item, else one line --- */

static bool is_container(const struct value *v)
{
    return v && (value_is_list_like(v) || value_is_object_like(v)) && v->len > 0;
}

static bool fits(const struct printer *p, struct str text, unsigned level)
{
    return text_columns(text) <= columns_left(p, level);
}

/* `label` stands before the value; null members of an object say nothing and are left out. */
static void put_tree(const struct printer *p, char sign, unsigned level, struct str label,
                     const struct value *v, bool hidden, size_t *lines_left)
{
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&text, label);
    value_inline(&text, v, hidden, columns_left(p, level) * 4);
    bool whole = hidden || !is_container(v) || (v->marks & VALUE_SENSITIVE) || level > 8 ||
                 fits(p, buf_view(&text), level);
    if (*lines_left == 0)
        return;
    --*lines_left;
    begin_line(p, sign, level);
    if (whole) {
        buf_str(p->out, buf_view(&text));
        end_line(p);
        return;
    }
    bool object = value_is_object_like(v);
    buf_str(p->out, label);
    buf_str(p->out, object ? STR("{") : STR("["));
    end_line(p);
    for (uint32_t i = 0; i < v->len; i++) {
        AUTO_BUF name = {.limit = BUF_DEFAULT_LIMIT};
        const struct value *item = object ? &v->members[i].value : &v->items[i];
        if (object && item->kind == VALUE_NULL)
            continue;
        if (object) {
            text_safe(&name, key_str(v->members[i].key));
            buf_str(&name, STR(" = "));
        }
        put_tree(p, sign, level + 1, buf_view(&name), item, false, lines_left);
    }
    begin_line(p, sign, level);
    buf_str(p->out, *lines_left ? object ? STR("}") : STR("]") : STR("... (cut)"));
    end_line(p);
}

/* --- two texts, line by line --- */

struct text_lines {
    const struct printer *p;
    unsigned level;
    size_t left;
};

static bool put_text_line(void *ctx, char sign, struct str line, size_t skipped)
{
    struct text_lines *t = ctx;
    bool more = t->left-- > 0;
    if (more && sign == ' ' && line.len == 0) {
        buf_char(t->p->out, '\n'); /* no blanks at the end of a line */
        return true;
    }
    begin_line(t->p, sign == '@' || !more ? ' ' : sign, t->level);
    if (!more)
        buf_str(t->p->out, STR("... (more lines differ)"));
    else if (sign == '@')
        buf_printf(t->p->out, "... %zu unchanged line%s", skipped, skipped == 1 ? "" : "s");
    else {
        size_t most = columns_left(t->p, t->level) * 2;
        struct str head = text_cut(line, most);
        text_safe_lines(t->p->out, head, 0);
        if (head.len < line.len)
            buf_printf(t->p->out, "... (%zu bytes)", line.len);
    }
    end_line(t->p);
    return more;
}

static void put_text_diff(const struct printer *p, struct str before, struct str after,
                          unsigned level)
{
    size_t most = p->style->max_lines ? p->style->max_lines : LINES_DEFAULT;
    struct text_lines lines = {p, level, most};
    linediff(before, after, put_text_line, &lines);
    bool end_before = str_ends(before, STR("\n")), end_after = str_ends(after, STR("\n"));
    if (end_before != end_after && before.len && after.len) {
        begin_line(p, ' ', level);
        buf_str(p->out, end_before ? STR("(live ends without a newline)")
                                   : STR("(live ends with a newline, the code's text does not)"));
        end_line(p);
    }
}

/* JSON text in a string, with one member a line; false where it is none. */
static bool spread_json(struct str text, struct buf *ret)
{
    AUTO_ARENA arena = {.limit = JSON_ARENA_MAX};
    struct value v;
    struct str trimmed = str_trim(text);
    if (!trimmed.len || (trimmed.ptr[0] != '{' && trimmed.ptr[0] != '[') ||
        trimmed.len > JSON_TEXT_MAX ||
        !json_parse(&arena, trimmed, "text", JSON_DUPLICATES_LAST, &v, NULL))
        return false;
    struct jsonw w = {.out = ret, .indent = 2};
    jsonw_value(&w, &v);
    return !ret->failed;
}

/* --- two long strings on one line each: what they have in common is cut away --- */

static void put_window(const struct printer *p, char sign, unsigned level, struct str s,
                       size_t from, size_t tail)
{
    size_t to = s.len - tail;
    size_t most = columns_left(p, level);
    if (tail > SHOWN_BEFORE_DIFFERENCE)
        to += SHOWN_BEFORE_DIFFERENCE;
    else
        to = s.len;
    while (to < s.len && ((unsigned char)s.ptr[to] & 0xc0) == 0x80)
        to++;
    while (from > 0 && ((unsigned char)s.ptr[from] & 0xc0) == 0x80)
        from--;
    begin_line(p, sign, level);
    if (from > 0)
        buf_str(p->out, STR("..."));
    text_quote(p->out, str_sub(s, from, to), most);
    if (to < s.len)
        buf_str(p->out, STR("..."));
    end_line(p);
}

static void put_windows(const struct printer *p, struct str before, struct str after,
                        unsigned level)
{
    size_t head = 0, tail = 0, least = before.len < after.len ? before.len : after.len;
    while (head < least && before.ptr[head] == after.ptr[head])
        head++;
    while (tail < least - head &&
           before.ptr[before.len - 1 - tail] == after.ptr[after.len - 1 - tail])
        tail++;
    head = head > SHOWN_BEFORE_DIFFERENCE ? head - SHOWN_BEFORE_DIFFERENCE : 0;
    put_window(p, '-', level, before, head, tail);
    put_window(p, '+', level, after, head, tail);
}

/* --- one change --- */

static void put_path(const struct printer *p, struct str path, bool padded)
{
    size_t start = p->out->len;
    text_safe(p->out, path);
    if (padded) {
        struct str printed = {p->out->ptr + start, p->out->len - start};
        text_pad(p->out, text_columns(printed), p->path_columns);
        buf_str(p->out, STR("  "));
    }
}

/* `~ path  before -> after`, or a pair of lines where signs stand first. False: does not fit. */
static bool put_short(const struct printer *p, const struct change *change, bool hidden)
{
    AUTO_BUF before = {.limit = BUF_DEFAULT_LIMIT}, after = {.limit = BUF_DEFAULT_LIMIT};
    size_t most = columns_left(p, 0);
    value_inline(&before, change->before, hidden, most * 4);
    value_inline(&after, change->after, hidden, most * 4);
    size_t path = text_columns(path_of(change));
    path = path > p->path_columns ? path : p->path_columns;
    size_t values = text_columns(buf_view(&before)) + text_columns(buf_view(&after));
    if (before.failed || after.failed || (!hidden && path + values + 6 > most))
        return false;
    if (p->style->sign_first && !hidden) {
        for (int side = 0; side < 2; side++) {
            begin_line(p, side ? '+' : '-', 0);
            put_path(p, path_of(change), false);
            buf_str(p->out, STR(" = "));
            buf_str(p->out, buf_view(side ? &after : &before));
            end_line(p);
        }
        return true;
    }
    begin_line(p, p->style->sign_first ? '!' : '~', 0);
    put_path(p, path_of(change), true);
    buf_str(p->out, buf_view(&before));
    if (hidden) {
        buf_str(p->out, STR(" changed"));
    } else {
        buf_str(p->out, STR(" -> "));
        buf_str(p->out, buf_view(&after));
    }
    end_line(p);
    return true;
}

static void put_long(const struct printer *p, const struct change *change)
{
    const struct value *before = change->before, *after = change->after;
    size_t lines = p->style->max_lines ? p->style->max_lines : LINES_DEFAULT;
    begin_line(p, p->style->sign_first ? '!' : '~', 0);
    put_path(p, path_of(change), false);
    end_line(p);
    if (value_is_string(before) && value_is_string(after)) {
        struct str a = value_text(before), b = value_text(after);
        AUTO_BUF spread_a = {.limit = BUF_DEFAULT_LIMIT}, spread_b = {.limit = BUF_DEFAULT_LIMIT};
        if (spread_json(a, &spread_a) && spread_json(b, &spread_b) &&
            !str_equal(buf_view(&spread_a), buf_view(&spread_b)))
            put_text_diff(p, buf_view(&spread_a), buf_view(&spread_b), 1);
        else if (text_is_multi_line(a) || text_is_multi_line(b))
            put_text_diff(p, a, b, 1);
        else
            put_windows(p, a, b, 1);
        return;
    }
    put_tree(p, '-', 1, (struct str){0}, before, false, &lines);
    lines = p->style->max_lines ? p->style->max_lines : LINES_DEFAULT;
    put_tree(p, '+', 1, (struct str){0}, after, false, &lines);
}

static void put_one_side(const struct printer *p, const struct change *change, bool hidden)
{
    size_t lines = p->style->max_lines ? p->style->max_lines : LINES_DEFAULT;
    AUTO_BUF label = {.limit = BUF_DEFAULT_LIMIT};
    text_safe(&label, path_of(change));
    if (p->style->sign_first)
        buf_str(&label, STR(" = "));
    else {
        text_pad(&label, text_columns(buf_view(&label)), p->path_columns);
        buf_str(&label, STR("  "));
    }
    put_tree(p, change->after ? '+' : '-', 0, buf_view(&label),
             change->after ? change->after : change->before, hidden, &lines);
}

/* --- where the code's value comes from --- */

static void put_words(const struct printer *p, unsigned level, struct str words)
{
    if (!words.len)
        return;
    begin_line(p, ' ', level);
    buf_str(p->out, words);
    end_line(p);
}

/* The place with the first line of its source; a diff shows the others. */
static void put_excerpt(const struct printer *p, const struct origin *origin, bool hidden,
                        unsigned level)
{
    AUTO_BUF line = {.limit = BUF_DEFAULT_LIMIT};
    struct str rest = origin_excerpt(origin, hidden), first;
    bool more = str_cut(&rest, '\n', &first);
    struct str head = text_cut(first, columns_left(p, level) * 2);
    location_text(&line, &origin->at);
    buf_str(&line, head.len ? STR("  ") : STR(""));
    text_safe(&line, head);
    buf_str(&line, more || head.len < first.len ? STR(" ...") : STR(""));
    put_words(p, level, buf_view(&line));
}

static bool same_place(const struct origin *a, const struct origin *b)
{
    return a == b || (a && b && a->at.line == b->at.line && str_equal(a->at.file, b->at.file) &&
                      str_equal(a->excerpt, b->excerpt));
}

static bool same_history(const struct origin *a, const struct origin *b)
{
    if (!a || !b || !str_equal(a->owner, b->owner) || !a->commit != !b->commit)
        return false;
    return !a->commit || str_equal(a->commit->hash, b->commit->hash);
}

static void put_origin(struct printer *p, const struct origin *origin, bool hidden, unsigned level)
{
    AUTO_BUF chain = {.limit = BUF_DEFAULT_LIMIT}, history = chain, because = chain;
    if (!same_place(origin, p->told)) {
        put_excerpt(p, origin, hidden, level);
        buf_str(&chain, STR("through "));
        chain_text(&chain, origin);
        put_words(p, level, origin->nchain > 1 ? buf_view(&chain) : (struct str){0});
    }
    if (!same_history(origin, p->told)) {
        history_text(&history, origin);
        put_words(p, level, buf_view(&history));
    }
    if (origin->unknown_because.len) {
        buf_str(&because, STR("not known here: "));
        text_safe(&because, origin->unknown_because);
        put_words(p, level, buf_view(&because));
    }
    for (size_t i = 0; i < origin->nexplained && i < EXPLAINED_MAX; i++) {
        AUTO_BUF who = {.limit = BUF_DEFAULT_LIMIT};
        buf_str(&who, STR("explained: "));
        explanation_text(&who, &origin->explained[i]);
        if (i + 1 == EXPLAINED_MAX && origin->nexplained > EXPLAINED_MAX)
            buf_printf(&who, " (and %zu more)", origin->nexplained - EXPLAINED_MAX);
        put_words(p, level, buf_view(&who));
    }
    p->told = origin;
}

static void put_change(struct printer *p, const struct change *change)
{
    bool hidden = change_hidden(change);
    bool both = change->before && change->after;
    bool multi = both && !hidden && value_is_string(change->before) &&
                 value_is_string(change->after) &&
                 (text_is_multi_line(value_text(change->before)) ||
                  text_is_multi_line(value_text(change->after)));
    if (!both)
        put_one_side(p, change, hidden);
    else if (multi || !put_short(p, change, hidden))
        put_long(p, change);
    if (change->ignored_by.len) {
        begin_line(p, ' ', 1);
        buf_str(p->out, STR("(ignored: "));
        text_safe(p->out, change->ignored_by);
        buf_char(p->out, ')');
        end_line(p);
    }
    if (change->requires_replace)
        put_words(p, 1, STR("(an apply would make the resource anew)"));
    if (change->origin)
        put_origin(p, change->origin, hidden, 1);
}

bool change_folded(const struct finding *finding, const struct change *change,
                   const struct report_options *options)
{
    return finding->class_ == CLASS_CONTRADICTS_CODE && !change->configurable && !options->explain;
}

void changes_inline(struct buf *out, const struct finding *finding,
                    const struct report_options *options, const char *separator, size_t max_changes,
                    size_t max_bytes)
{
    size_t shown = 0, more = 0;
    for (size_t i = 0; i < finding->nchanges; i++) {
        const struct change *change = &finding->changes[i];
        if (!change_shown(change, options))
            continue;
        if (shown == max_changes || change_folded(finding, change, options)) {
            more++;
            continue;
        }
        buf_str(out, shown++ ? str_from(separator) : STR(""));
        change_inline(out, change, max_bytes);
    }
    if (more)
        buf_printf(out, "%s(and %zu more)", !shown ? "" : *separator == '\n' ? "\n" : " ", more);
}

static void put_folded(const struct printer *p, const struct finding *finding,
                       const struct report_options *options, size_t nfolded)
{
    size_t named = 0;
    begin_line(p, ' ', 0);
    buf_printf(p->out, "(and %zu computed: ", nfolded);
    for (size_t i = 0; i < finding->nchanges && named < NOTES_MAX; i++) {
        const struct change *change = &finding->changes[i];
        if (!change_shown(change, options) || !change_folded(finding, change, options))
            continue;
        if (named++)
            buf_str(p->out, STR(", "));
        text_safe(p->out, path_of(change));
    }
    buf_str(p->out, named < nfolded ? STR(" ...)") : STR(")"));
    end_line(p);
}

void lines_of_finding(struct buf *out, const struct finding *finding,
                      const struct report_options *options, const struct line_style *style)
{
    struct printer p = {out, style, 0, NULL};
    size_t nfolded = 0, nignored = 0, shown = 0, left_out = 0;
    for (size_t i = 0; i < finding->nchanges; i++) {
        const struct change *change = &finding->changes[i];
        size_t columns = text_columns(path_of(change));
        if (!change_shown(change, options))
            nignored++;
        else if (change_folded(finding, change, options))
            nfolded++;
        else if (columns <= PATH_COLUMNS_MAX && columns > p.path_columns)
            p.path_columns = columns;
    }
    for (size_t i = 0; i < finding->nchanges; i++) {
        const struct change *change = &finding->changes[i];
        if (!change_shown(change, options) || change_folded(finding, change, options))
            continue;
        if (style->max_changes && shown == style->max_changes) {
            left_out++;
            continue;
        }
        shown++;
        put_change(&p, change);
    }
    if (left_out) {
        begin_line(&p, ' ', 0);
        buf_printf(out, "... %zu more changes", left_out);
        end_line(&p);
    }
    if (nfolded)
        put_folded(&p, finding, options, nfolded);
    if (nignored) {
        begin_line(&p, ' ', 0);
        buf_printf(out, "(and %zu ignored)", nignored);
        end_line(&p);
    }
    if (finding->origin && !origin_told(finding, options))
        put_origin(&p, finding->origin, finding_hidden(finding), 0);
}
