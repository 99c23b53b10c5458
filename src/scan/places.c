/* places.c - the stack's repositories and files, and the origins of its findings with their
 * commits.
 */
#include "scan/places.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "model/stack.h"
#include "scan/places_parts.h"

enum { BLAME_LINES_MAX = 200 }; /* of one expression; of a longer one the first lines count */

/* --- opening --- */

static bool look_for_repo(struct places *places, struct str folder, struct place_repo **ret,
                          struct err *err)
{
    struct str root = owners_repository(places->arena, folder);
    *ret = NULL;
    for (struct place_repo *repo = places->repos->first; repo; repo = repo->next)
        if (str_equal(repo->root, root)) {
            *ret = repo;
            return true;
        }
    struct place_repo *repo = arena_new(places->arena, struct place_repo, 1);
    struct git_options options = {.cancel = places->options.cancel};
    if (!repo || !root.ptr)
        return arena_full(places->arena, err);
    if (!root.len)
        return true;
    if (!places->options.no_git &&
        !git_open(places->arena, folder, &options, &repo->git, &repo->why, err))
        return false;
    repo->root = root;
    repo->next = places->repos->first;
    places->repos->first = *ret = repo;
    return true;
}

/* Files of one folder follow one another. */
static bool find_repo(struct places *places, struct str folder, struct place_repo **ret,
                      struct err *err)
{
    if (!places->folder.len || !str_equal(places->folder, folder)) {
        places->folder = (struct str){0};
        if (!look_for_repo(places, folder, &places->around, err))
            return false;
        places->folder = folder;
    }
    *ret = places->around;
    return true;
}

static struct str working_directory(struct arena *arena)
{
    char *cwd = getcwd(NULL, 0);
    struct str ret = cwd ? arena_dup(arena, str_from(cwd)) : (struct str){0};
    free(cwd);
    return ret;
}

static bool read_revision(struct places *places, struct err *err)
{
    struct git *git = places->own ? places->own->git : NULL;
    if (!git)
        return true;
    struct str folder = pathname_below(git_root(git), places->root);
    return git_revision(git, folder.ptr ? folder : STR("."), &places->revision,
                        &places->has_revision, err);
}

bool places_open(struct arena *arena, const struct places_options *options, struct places **ret,
                 struct err *err)
{
    struct places *places = arena_new(arena, struct places, 1);
    if (!places)
        return arena_full(arena, err);
    places->arena = arena;
    places->options = *options;
    places->repos = options->repos ? options->repos : &places->own_repos;
    for (struct place_repo *repo = places->repos->first; repo; repo = repo->next)
        if (repo->git)
            git_renew(repo->git); /* each stack has its own time */
    places->cwd = working_directory(arena);
    places->root = io_real_path(arena, options->stack->path);
    if (places->root.len && !find_repo(places, places->root, &places->own, err))
        return false;
    if (!read_revision(places, err))
        return false;
    *ret = places;
    return true;
}

const struct revision *places_revision(const struct places *places)
{
    return places->has_revision ? &places->revision : NULL;
}

struct str places_note(const struct places *places)
{
    if (places->own && !places->own->git)
        return places->own->why;
    if (places->out_of_time)
        return STR("git: there was no time to look at every branch and commit for who explains a "
                   "difference");
    return places->own && places->own->git ? git_trouble(places->own->git) : STR("");
}

/* --- files --- */

static struct place_file **file_slot(const struct place_files *files, struct str name)
{
    size_t at = (size_t)hash_bytes(name, 0) & (files->nslots - 1);
    while (files->slot[at] && !str_equal(files->slot[at]->name, name))
        at = (at + 1) & (files->nslots - 1);
    return &files->slot[at];
}

static bool files_grow(struct places *places)
{
    struct place_files bigger = {.nslots = places->files.nslots ? 2 * places->files.nslots : 64,
                                 .n = places->files.n};
    bigger.slot = arena_new(places->arena, struct place_file *, bigger.nslots);
    if (!bigger.slot)
        return false;
    for (size_t i = 0; i < places->files.nslots; i++)
        if (places->files.slot[i])
            *file_slot(&bigger, places->files.slot[i]->name) = places->files.slot[i];
    places->files = bigger;
    return true;
}

/* As a person finds it: from the repository's top, else from where plumb was started. */
static struct str shown_path(struct places *places, const struct place_file *file)
{
    struct str bases[] = {places->own ? places->own->root : (struct str){0}, places->cwd};
    for (size_t i = 0; i < 2; i++) {
        struct str below = bases[i].len ? pathname_below(bases[i], file->real) : (struct str){0};
        if (below.ptr)
            return below;
    }
    return file->real;
}

static bool fill_file(struct places *places, struct place_file *file, struct err *err)
{
    struct str joined = io_join(places->arena, places->root, file->name);
    file->real = joined.ptr ? io_real_path(places->arena, joined) : joined;
    if (!file->real.ptr) /* not on the disk any more */
        file->real = joined.ptr ? pathname_clean(places->arena, joined) : joined;
    if (!file->real.ptr)
        return arena_full(places->arena, err);
    struct str folder = io_dirname(file->real);
    if (!find_repo(places, folder, &file->repo, err))
        return false;
    file->shown = shown_path(places, file);
    file->owner = STR("");
    if (file->repo)
        file->below = pathname_below(file->repo->root, file->real);
    struct owners none = {0};
    struct err unreadable = {0}; /* a CODEOWNERS that cannot be read names nobody */
    if (!owners_find_in(places->arena, file->repo ? &file->repo->owners : &none,
                        file->repo ? file->repo->root : STR(""), folder, STR(""),
                        io_basename(file->real), &file->owner, &unreadable))
        file->owner = STR("");
    return true;
}

struct place_file *places_file(struct places *places, struct str name, struct err *err)
{
    struct arena *arena = places->arena;
    if (2 * places->files.n >= places->files.nslots && !files_grow(places)) {
        (void)arena_full(arena, err);
        return NULL;
    }
    struct place_file **slot = file_slot(&places->files, name), *file = *slot;
    if (file)
        return file;
    file = arena_new(arena, struct place_file, 1);
    if (!file || !(file->name = arena_dup(arena, name)).ptr) {
        (void)arena_full(arena, err);
        return NULL;
    }
    if (!fill_file(places, file, err))
        return NULL;
    *slot = file;
    places->files.n++;
    return file;
}

/* --- commits of the deciding lines --- */

struct wanted {
    struct place_file *file;
    struct git_range range;
    struct origin *origin;
};
struct wanted_list {
    struct wanted *item;
    size_t n, room;
};

static int wanted_order(const void *a, const void *b)
{
    const struct wanted *x = a, *y = b;
    int order = str_compare(x->file->name, y->file->name);
    if (order == 0)
        order = (x->range.first > y->range.first) - (x->range.first < y->range.first);
    if (order == 0)
        order = (x->range.last > y->range.last) - (x->range.last < y->range.last);
    return order;
}

static bool same_range(const struct git_range *a, const struct git_range *b)
{
    return a->first == b->first && a->last == b->last;
}

static bool is_known(const struct place_file *file, const struct wanted *wanted)
{
    for (size_t i = file->nlines; i-- > 0;)
        if (same_range(&file->lines[i].range, &wanted->range)) {
            wanted->origin->commit = file->lines[i].commit;
            return true;
        }
    return false;
}

static bool keep_lines(struct places *places, struct place_file *file,
                       const struct git_range *range, const struct commit *const *commit, size_t n)
{
    file->lines =
        arena_grow(places->arena, file->lines, file->nlines, &file->lines_room, file->nlines + n);
    if (!file->lines)
        return false;
    for (size_t i = 0; i < n; i++)
        file->lines[file->nlines++] = (struct place_lines){range[i], commit[i]};
    return true;
}

static bool want_commit(struct places *places, struct wanted_list *list, struct place_file *file,
                        struct origin *origin)
{
    const struct location *at = &origin->at;
    struct wanted wanted = {.file = file, .origin = origin};
    if (!file->repo || !file->repo->git || !file->below.len || !at->line)
        return true;
    wanted.range.first = at->line;
    wanted.range.last = at->end_line > at->line ? at->end_line : at->line;
    if (wanted.range.last - wanted.range.first >= BLAME_LINES_MAX)
        wanted.range.last = wanted.range.first + BLAME_LINES_MAX - 1;
    if (is_known(file, &wanted))
        return true;
    list->item = arena_grow(places->arena, list->item, list->n, &list->room, list->n + 1);
    if (!list->item)
        return false;
    list->item[list->n++] = wanted;
    return true;
}

/* Items from..to of one file: each range once, GIT_RANGES_MAX of them in one run of git. */
static bool blame_file(struct places *places, struct wanted *item, size_t n, struct err *err)
{
    struct git_range range[GIT_RANGES_MAX];
    const struct commit *commit[GIT_RANGES_MAX];
    struct place_file *file = item->file;
    for (size_t at = 0; at < n;) {
        size_t nranges = 0, end = at;
        for (; end < n; end++) {
            bool again = nranges && same_range(&range[nranges - 1], &item[end].range);
            if (!again && nranges == GIT_RANGES_MAX)
                break;
            if (!again)
                range[nranges++] = item[end].range;
        }
        if (!git_blame(file->repo->git, file->below, range, nranges, commit, err))
            return false;
        if (!keep_lines(places, file, range, commit, nranges))
            return arena_full(places->arena, err);
        for (size_t k = 0; at < end; at++) {
            while (!same_range(&range[k], &item[at].range))
                k++;
            item[at].origin->commit = commit[k];
        }
    }
    return true;
}

static bool blame_all(struct places *places, struct wanted_list *list, struct err *err)
{
    if (list->n > 1)
        qsort(list->item, list->n, sizeof *list->item, wanted_order);
    for (size_t i = 0, end; i < list->n; i = end) {
        for (end = i; end < list->n && list->item[end].file == list->item[i].file;)
            end++;
        if (!blame_file(places, &list->item[i], end - i, err))
            return false;
    }
    return true;
}

/* --- findings --- */

static bool add_origin(struct places *places, struct wanted_list *list, struct origin *origin,
                       struct str file_name, struct err *err)
{
    if (!file_name.len)
        return true;
    struct place_file *file = places_file(places, file_name, err);
    if (!file)
        return false;
    origin->owner = file->owner;
    return want_commit(places, list, file, origin) || arena_full(places->arena, err);
}

struct filling {
    struct places *places;
    struct wanted_list list;
};

static bool make_origin(struct filling *filling, const struct code_instance *instance,
                        const struct finding *finding, const struct change *change,
                        const struct origin **ret, struct err *err)
{
    struct str file = {0};
    struct origin *origin;
    if (!places_origin(filling->places, instance, finding, change, &origin, &file, err))
        return false;
    *ret = origin;
    return !origin || add_origin(filling->places, &filling->list, origin, file, err);
}

static bool fill_changes(struct filling *filling, const struct code_instance *instance,
                         struct finding *finding, struct err *err)
{
    struct arena *arena = filling->places->arena;
    if (!finding->nchanges)
        return true;
    struct change *changes = arena_new(arena, struct change, finding->nchanges);
    if (!changes)
        return arena_full(arena, err);
    for (size_t i = 0; i < finding->nchanges; i++) {
        changes[i] = finding->changes[i];
        if (instance && changes[i].configurable &&
            !make_origin(filling, instance, finding, &changes[i], &changes[i].origin, err))
            return false;
    }
    finding->changes = changes;
    return true;
}

/* The first change that the code decides is what the finding points to; else its block. */
static bool fill_finding(struct filling *filling, struct finding *finding, struct err *err)
{
    struct code *code = filling->places->options.code;
    const struct code_instance *instance = places_instance(code, finding->address);
    if (!fill_changes(filling, instance, finding, err))
        return false;
    finding->origin = NULL;
    for (size_t i = 0; i < finding->nchanges; i++) {
        const struct origin *origin = finding->changes[i].origin;
        if (!origin || (finding->changes[i].ignored_by.len && !finding->ignored))
            continue;
        if (!finding->origin || (places_is_block(finding->origin) && !places_is_block(origin)))
            finding->origin = origin;
    }
    return finding->origin || make_origin(filling, instance, finding, NULL, &finding->origin, err);
}

/* Where all that differs is decided at one place, that is the place to edit. What is ignored is
 * accepted: nothing is to be done, and an apply would undo nothing. */
static bool set_remedy(struct places *places, struct finding *finding, struct err *err)
{
    const struct origin *origin = finding->origin;
    if (finding->class_ != CLASS_CONTRADICTS_CODE || finding->ignored || finding->remedy.len ||
        !origin || !origin->at.file.len || !origin->nchain)
        return true;
    for (size_t i = 0; i < finding->nchanges; i++) {
        const struct origin *other = finding->changes[i].origin;
        if (other &&
            (other->at.line != origin->at.line || !str_equal(other->at.file, origin->at.file)))
            return true;
    }
    finding->remedy = arena_printf(places->arena,
                                   "Apply the code again to undo the change, or change %.*s:%u to "
                                   "keep it.",
                                   STR_ARG(origin->at.file), origin->at.line);
    return finding->remedy.ptr || arena_full(places->arena, err);
}

bool places_fill(struct places *places, struct finding *findings, size_t n, struct err *err)
{
    struct filling filling = {.places = places};
    if (!places->options.code)
        return true;
    for (size_t i = 0; i < n; i++)
        if (!fill_finding(&filling, &findings[i], err) || !set_remedy(places, &findings[i], err))
            return false;
    return blame_all(places, &filling.list, err);
}
