/* codeowners.c - patterns matched segment by segment, without recursion. */
#include "model/codeowners.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/glob.h"

/* --- reading --- */

/* Cut the first word off; `\ ` belongs to it. */
static struct str take_word(struct str *line)
{
    *line = str_trim(*line);
    size_t n = 0;
    while (n < line->len && line->ptr[n] != ' ' && line->ptr[n] != '\t')
        n += line->ptr[n] == '\\' && n + 1 < line->len ? 2 : 1;
    struct str word = str_sub(*line, 0, n);
    *line = str_trim(str_sub(*line, n, line->len));
    return word;
}

static struct str without_comment(struct str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '#' && (i == 0 || line.ptr[i - 1] == ' ' || line.ptr[i - 1] == '\t'))
            return str_sub(line, 0, i);
    return line;
}

/* "[Name] @a", "^[Name][2] @a": what follows the last bracket; false for any other line. */
static bool section_line(struct str line, struct str *ret_owners)
{
    struct str rest = str_starts(line, STR("^")) ? str_sub(line, 1, line.len) : line;
    size_t end = str_find_char(rest, ']', 0);
    if (!str_starts(rest, STR("[")) || end == SIZE_MAX)
        return false;
    rest = str_sub(rest, end + 1, rest.len);
    if (str_starts(rest, STR("["))) {
        end = str_find_char(rest, ']', 0);
        rest = end == SIZE_MAX ? STR("") : str_sub(rest, end + 1, rest.len);
    }
    *ret_owners = str_trim(rest);
    return true;
}

bool codeowners_parse(struct arena *arena, struct str text, struct codeowners *ret, struct err *err)
{
    struct codeowners_rule *rules = NULL;
    size_t n = 0, room = 0;
    struct str section_owners = STR(""), line;
    while (text.len) {
        (void)str_cut(&text, '\n', &line);
        line = str_trim(without_comment(line));
        if (!line.len || section_line(line, &section_owners))
            continue;
        if (n == CODEOWNERS_LINES_MAX)
            return err_set(err, ERR_LIMIT, "CODEOWNERS has more than %d lines",
                           CODEOWNERS_LINES_MAX);
        rules = arena_grow(arena, rules, n, &room, n + 1);
        if (!rules)
            return arena_full(arena, err);
        struct str pattern = take_word(&line);
        rules[n++] = (struct codeowners_rule){pattern, line.len ? line : section_owners};
    }
    *ret = (struct codeowners){rules, n};
    return true;
}

/* --- matching --- */

struct segments {
    struct str part[CODEOWNERS_SEGMENTS_MAX];
    size_t n;
};

static bool split(struct str path, struct segments *ret)
{
    bool more = path.len > 0;
    ret->n = 0;
    while (more) {
        struct str part;
        more = str_cut(&path, '/', &part);
        if (!part.len)
            continue;
        if (ret->n == CODEOWNERS_SEGMENTS_MAX)
            return false;
        ret->part[ret->n++] = part;
    }
    return true;
}

static bool is_deep(struct str segment)
{
    return str_equal(segment, STR("**"));
}

/*
 * Does the pattern match the first segments of the path (`below`), or all of them? `**` stands for
 * any number of segments; one mark to go back to is enough, as for `*` in a glob.
 */
static bool match_segments(const struct segments *pattern, const struct segments *path, bool below)
{
    size_t p = 0, i = 0, star_p = SIZE_MAX, star_i = 0;
    for (;;) {
        if (p == pattern->n && (i == path->n || below))
            return true;
        if (p < pattern->n && is_deep(pattern->part[p])) {
            star_p = ++p;
            star_i = i;
            continue;
        }
        if (p < pattern->n && i < path->n && glob_match(pattern->part[p], path->part[i], '\0')) {
            p++;
            i++;
            continue;
        }
        if (star_p == SIZE_MAX || star_i >= path->n)
            return false;
        p = star_p;
        i = ++star_i;
    }
}

static bool rule_matches(struct str text, const struct segments *path)
{
    struct segments pattern = {.n = 0}, anchored;
    bool is_dir = str_ends(text, STR("/"));
    size_t slash = str_find_char(text, '/', 0);
    bool rooted = slash != SIZE_MAX && slash + 1 < text.len; /* a slash before the end */
    if (!split(text, &pattern) || !pattern.n)
        return false;
    if (!rooted) { /* a bare name: at any depth */
        if (pattern.n == CODEOWNERS_SEGMENTS_MAX)
            return false;
        anchored = (struct segments){.n = 2};
        anchored.part[0] = STR("**");
        anchored.part[1] = pattern.part[0];
        pattern = anchored;
    }
    struct str last = pattern.part[pattern.n - 1];
    if (is_deep(last) && pattern.n > 1) { /* what is below docs, not docs itself */
        pattern.part[pattern.n - 1] = STR("*");
        return match_segments(&pattern, path, true);
    }
    if (is_dir) { /* "docs/": what is below it; a path here is a file, never the folder */
        struct segments parent = *path;
        parent.n -= parent.n > 0;
        return match_segments(&pattern, &parent, true);
    }
    /* A star behind docs/ is the files of docs, not those further below; any other name may be a
     * folder. */
    return match_segments(&pattern, path, !(rooted && str_equal(last, STR("*"))));
}

struct str codeowners_match(const struct codeowners *codeowners, struct str path)
{
    struct segments parts;
    if (!split(path, &parts) || !parts.n)
        return STR("");
    for (size_t i = codeowners->n; i-- > 0;)
        if (rule_matches(codeowners->rule[i].pattern, &parts))
            return codeowners->rule[i].owners;
    return STR("");
}
