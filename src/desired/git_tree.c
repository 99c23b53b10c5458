/* git_tree.c - another commit's files: what differs from HEAD, HEAD's folders, and texts by hash.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "desired/git_parts.h"

enum {
    FILE_MAX = 16 << 20, /* of one text */
    NAMES_MAX = 100000,  /* in a folder */
    LINKS_MAX = 8,       /* symbolic links on the way to a file */
    MODE_LINK = 0120000,
    MODE_MODULE = 0160000, /* a submodule: the disk has its files */
    MODE_FOLDER = 0040000
};

struct git_tree {
    struct git *git;
    struct git_change *changed; /* sorted by path */
    size_t n;
};

/* --- texts by hash --- */

static struct git_blob *blob_slot(const struct git_blobs *blobs, struct str hash)
{
    size_t at = (size_t)hash_bytes(hash, 0) & (blobs->nslots - 1);
    while (blobs->slot[at].hash.len && !str_equal(blobs->slot[at].hash, hash))
        at = (at + 1) & (blobs->nslots - 1);
    return &blobs->slot[at];
}

static bool blobs_grow(struct git *git)
{
    struct git_blobs bigger = {.nslots = git->blobs.nslots ? 2 * git->blobs.nslots : 256,
                               .n = git->blobs.n};
    bigger.slot = arena_new(git->arena, struct git_blob, bigger.nslots);
    if (!bigger.slot)
        return false;
    for (size_t i = 0; i < git->blobs.nslots; i++)
        if (git->blobs.slot[i].hash.len)
            *blob_slot(&bigger, git->blobs.slot[i].hash) = git->blobs.slot[i];
    git->blobs = bigger;
    return true;
}

static const struct git_blob *find_blob(const struct git *git, struct str hash)
{
    if (!git->blobs.nslots)
        return NULL;
    const struct git_blob *blob = blob_slot(&git->blobs, hash);
    return blob->hash.len ? blob : NULL;
}

static bool add_blob(struct git *git, struct git_blob blob)
{
    if (2 * git->blobs.n >= git->blobs.nslots && !blobs_grow(git))
        return false;
    struct git_blob *slot = blob_slot(&git->blobs, blob.hash);
    git->blobs.n += !slot->hash.len;
    *slot = blob;
    return true;
}

bool git_parse_blobs(struct git *git, struct str out)
{
    struct str line, hash, type;
    while (out.len) {
        int64_t size;
        (void)str_cut(&out, '\n', &line);
        if (!str_cut(&line, ' ', &hash) || !git_is_hash(hash))
            return false;
        if (str_equal(line, STR("missing"))) {
            if (!add_blob(git, (struct git_blob){.hash = hash, .missing = true}))
                return false;
            continue;
        }
        if (!str_cut(&line, ' ', &type) || !str_to_int64(line, &size) || size < 0 ||
            (uint64_t)size >= out.len)
            return false;
        struct git_blob blob = {.hash = hash,
                                .text = str_sub(out, 0, (size_t)size),
                                .missing = !str_equal(type, STR("blob"))};
        if (!add_blob(git, blob))
            return false;
        out = str_sub(out, (size_t)size + 1, out.len);
    }
    return true;
}

/* All of them in one run of git; those that are known already are left out. */
static void fetch_blobs(struct git *git, const struct str *hashes, size_t n)
{
    static const char *const words[] = {"cat-file", "--batch", NULL};
    AUTO_BUF input = {.limit = 16 << 20};
    struct str out;
    bool ok;
    for (size_t i = 0; i < n; i++)
        if (git_is_hash(hashes[i]) && !find_blob(git, hashes[i])) {
            buf_str(&input, hashes[i]);
            buf_char(&input, '\n');
        }
    if (input.len && !input.failed && git_run(git, words, buf_view(&input), &out, &ok, NULL) && ok)
        (void)git_parse_blobs(git, out);
}

static bool blob_text(struct git *git, struct str hash, struct str *ret)
{
    if (!find_blob(git, hash))
        fetch_blobs(git, &hash, 1);
    const struct git_blob *blob = find_blob(git, hash);
    if (!blob || blob->missing || blob->text.len > FILE_MAX)
        return false;
    *ret = blob->text;
    return true;
}

/* --- folders of HEAD --- */

static int entry_order(const void *a, const void *b)
{
    const struct git_entry *x = a, *y = b;
    return str_compare(x->name, y->name);
}

static bool parse_mode(struct str text, unsigned *ret)
{
    *ret = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '7' || i == 8)
            return false;
        *ret = *ret * 8 + (unsigned)(text.ptr[i] - '0');
    }
    return text.len > 0;
}

bool git_parse_folder(struct git *git, struct str out, struct git_folder *ret)
{
    struct git_entry *list = NULL;
    size_t room = 0, n = 0;
    struct str record, mode, type, hash;
    while (out.len) {
        unsigned bits;
        (void)str_cut(&out, '\0', &record);
        if (!str_cut(&record, ' ', &mode) || !parse_mode(mode, &bits) ||
            !str_cut(&record, ' ', &type) || !str_cut(&record, '\t', &hash))
            return false;
        list = arena_grow(git->arena, list, n, &room, n + 1);
        if (!list)
            return false;
        list[n++] = (struct git_entry){
            .name = io_basename(record),
            .hash = hash,
            .is_folder = bits == MODE_FOLDER || bits == MODE_MODULE,
            .is_link = bits == MODE_LINK,
        };
    }
    if (n > 1)
        qsort(list, n, sizeof *list, entry_order);
    ret->entry = list;
    ret->n = n;
    return true;
}

/* path: "" is the root. NULL: git cannot tell. */
static const struct git_folder *folder_of(struct git *git, struct str path)
{
    for (struct git_folder *folder = git->folders; folder; folder = folder->next)
        if (str_equal(folder->path, path))
            return folder;
    struct git_folder *folder = arena_new(git->arena, struct git_folder, 1);
    struct str kept = arena_dup(git->arena, path);
    struct str spec = arena_printf(git->arena, "%.*s/", STR_ARG(path)), out;
    const char *const words[] = {"ls-tree", "-z", "--full-tree", "HEAD", path.len ? "--" : NULL,
                                 spec.ptr,  NULL};
    bool ok;
    if (!folder || !kept.ptr || !spec.ptr ||
        !git_run(git, words, (struct str){0}, &out, &ok, NULL) || !ok ||
        !git_parse_folder(git, out, folder))
        return NULL;
    folder->path = kept;
    folder->next = git->folders;
    git->folders = folder;
    return folder;
}

static const struct git_entry *find_entry(struct git *git, struct str path)
{
    struct git_entry wanted = {.name = io_basename(path)};
    struct str dir = str_sub(path, 0, path.len - wanted.name.len);
    const struct git_folder *folder = folder_of(git, dir.len ? str_sub(dir, 0, dir.len - 1) : dir);
    if (!folder || !folder->n)
        return NULL;
    return bsearch(&wanted, folder->entry, folder->n, sizeof wanted, entry_order);
}

/* --- what differs from HEAD --- */

static int changed_order(const void *a, const void *b)
{
    const struct git_change *x = a, *y = b;
    return str_compare(x->path, y->path);
}

static const struct git_change *find_changed(const struct git_tree *tree, struct str path)
{
    struct git_change wanted = {.path = path};
    return tree->n ? bsearch(&wanted, tree->changed, tree->n, sizeof wanted, changed_order) : NULL;
}

/* ":MODE MODE HASH HASH LETTER" NUL "PATH" NUL */
static bool parse_changed(struct str *out, struct git_change *ret)
{
    struct str record, modes[2], hashes[2];
    unsigned bits;
    (void)str_cut(out, '\0', &record);
    record = str_sub(record, 1, record.len);
    for (size_t i = 0; i < 2; i++)
        if (!str_cut(&record, ' ', &modes[i]))
            return false;
    for (size_t i = 0; i < 2; i++)
        if (!str_cut(&record, ' ', &hashes[i]) || !git_is_hash(hashes[i]))
            return false;
    if (!parse_mode(modes[1], &bits) || !out->len)
        return false;
    (void)str_cut(out, '\0', &ret->path);
    ret->hash = bits == 0 || bits == MODE_MODULE ? STR("") : hashes[1];
    ret->is_link = bits == MODE_LINK;
    return true;
}

struct git_tree *git_parse_changes(struct git *git, struct str *out)
{
    struct git_tree *tree = arena_new(git->arena, struct git_tree, 1);
    size_t room = 0;
    if (!tree)
        return NULL;
    tree->git = git;
    while (out->len && out->ptr[0] == ':') {
        tree->changed = arena_grow(git->arena, tree->changed, tree->n, &room, tree->n + 1);
        if (!tree->changed || !parse_changed(out, &tree->changed[tree->n]))
            return NULL;
        tree->n++;
    }
    if (tree->n > 1)
        qsort(tree->changed, tree->n, sizeof *tree->changed, changed_order);
    return tree;
}

/* HEAD's tree first, then one for each of the commits; empty where git has none. */
static bool resolve_trees(struct git *git, const struct str *hashes, size_t n, struct str *ret,
                          struct err *err)
{
    static const char *const words[] = {"cat-file", "--batch-check", NULL};
    AUTO_BUF input = {.limit = 16 << 20};
    struct str out, line, hash;
    bool ok;
    buf_str(&input, STR("HEAD^{tree}\n"));
    for (size_t i = 0; i < n; i++) {
        buf_str(&input, git_is_hash(hashes[i]) ? hashes[i] : STR("HEAD"));
        buf_str(&input, STR("^{tree}\n"));
    }
    if (!buf_ok(&input, err))
        return false;
    if (!git_run(git, words, buf_view(&input), &out, &ok, err))
        return false;
    for (size_t i = 0; i <= n; i++) {
        ret[i] = STR("");
        if (!ok || !str_cut(&out, '\n', &line))
            continue;
        (void)str_cut(&line, ' ', &hash);
        if (git_is_hash(hash) && str_starts(line, STR("tree ")))
            ret[i] = hash;
    }
    return true;
}

bool git_trees(struct git *git, const struct str *hashes, size_t n, struct git_tree **ret,
               struct err *err)
{
    static const char *const words[] = {"diff-tree",     "-r",           "-z",
                                        "--raw",         "--no-renames", "--no-ext-diff",
                                        "--no-textconv", "--stdin",      NULL};
    AUTO_BUF input = {.limit = 16 << 20};
    struct str *trees = arena_new(git->arena, struct str, n + 1), out, line;
    bool ok;
    for (size_t i = 0; i < n; i++)
        ret[i] = NULL;
    if (!trees)
        return arena_full(git->arena, err);
    if (!n)
        return true;
    if (!resolve_trees(git, hashes, n, trees, err))
        return false;
    for (size_t i = 1; i <= n && trees[0].len; i++)
        if (trees[i].len)
            buf_printf(&input, "%.*s %.*s\n", STR_ARG(trees[0]), STR_ARG(trees[i]));
    if (!input.len || !buf_ok(&input, err))
        return !input.failed;
    if (!git_run(git, words, buf_view(&input), &out, &ok, err))
        return false;
    for (size_t i = 0; ok && i < n; i++) {
        if (!trees[i + 1].len)
            continue;
        if (!str_cut(&out, '\n', &line) || !str_ends(line, trees[i + 1]))
            break;
        ret[i] = git_parse_changes(git, &out);
    }
    return true;
}

const struct git_change *git_tree_changes(const struct git_tree *tree, size_t *ret_n)
{
    *ret_n = tree->n;
    return tree->changed;
}

/* --- files --- */

enum whose { NOBODYS, GITS, DISKS };

/* Whose is the file, and which text? */
static enum whose look_up(const struct git_tree *tree, struct str path, struct str *ret_hash,
                          bool *ret_link)
{
    const struct git_change *changed = find_changed(tree, path);
    if (changed) {
        *ret_hash = changed->hash;
        *ret_link = changed->is_link;
        return changed->hash.len ? GITS : NOBODYS;
    }
    const struct git_entry *entry = find_entry(tree->git, path);
    if (!entry || entry->is_folder)
        return DISKS;
    *ret_hash = entry->hash;
    *ret_link = entry->is_link;
    return GITS;
}

static bool read_disk(struct git_tree *tree, struct str path, struct str *ret)
{
    struct str full = arena_dup(tree->git->arena, path);
    return full.ptr && io_exists(full.ptr) && !io_is_dir(full.ptr) &&
           io_read_file(tree->git->arena, full.ptr, FILE_MAX, ret, NULL);
}

bool git_tree_read(struct git_tree *tree, struct str path, struct str *ret)
{
    struct git *git = tree->git;
    for (int links = 0; links < LINKS_MAX; links++) {
        struct str clean = pathname_clean(git->arena, path), hash, text;
        bool is_link;
        if (!clean.ptr)
            return false;
        struct str below = pathname_below(git->root, clean);
        if (!below.ptr || str_equal(below, STR(".")))
            return read_disk(tree, clean, ret);
        switch (look_up(tree, below, &hash, &is_link)) {
        case DISKS:
            return read_disk(tree, clean, ret);
        case NOBODYS:
            return false;
        default:
            break;
        }
        if (!blob_text(git, hash, &text))
            return false;
        if (!is_link) {
            *ret = text;
            return true;
        }
        path = io_join(git->arena, io_dirname(clean), text);
        if (!path.ptr || memchr(text.ptr, '\0', text.len))
            return false;
    }
    return false;
}

/* --- folders --- */

struct names {
    struct arena *arena;
    struct str *list;
    size_t n, room;
    bool full;
};

static void add_name(struct names *names, struct str name)
{
    if (names->full)
        return;
    names->list = arena_grow(names->arena, names->list, names->n, &names->room, names->n + 1);
    names->full = !names->list;
    if (!names->full)
        names->list[names->n++] = name;
}

static void sort_names(struct names *names)
{
    size_t kept = 0;
    if (names->n > 1)
        qsort(names->list, names->n, sizeof *names->list, str_compare_qsort);
    for (size_t i = 0; i < names->n; i++)
        if (!kept || !str_equal(names->list[kept - 1], names->list[i]))
            names->list[kept++] = names->list[i];
    names->n = kept;
}

/* What the code itself is: these are read in one go. */
static bool is_code(struct str name)
{
    static const struct str ends[] = {STR_INIT(".tf"),     STR_INIT(".tf.json"),
                                      STR_INIT(".tofu"),   STR_INIT(".tofu.json"),
                                      STR_INIT(".tfvars"), STR_INIT(".tfvars.json")};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(name, ends[i]))
            return true;
    return false;
}

/* HEAD's names that the tree still has; and what the disk has beside them. */
static void add_unchanged(struct git_tree *tree, struct str below, struct str prefix,
                          struct names *names, struct names *hashes)
{
    const struct git_folder *folder = folder_of(tree->git, below);
    struct str disk = io_join(names->arena, tree->git->root, below), *entries = NULL;
    size_t n = 0;
    for (size_t i = 0; folder && i < folder->n; i++) {
        const struct git_entry *entry = &folder->entry[i];
        struct str path =
            arena_printf(names->arena, "%.*s%.*s", STR_ARG(prefix), STR_ARG(entry->name));
        names->full |= !path.ptr;
        if (names->full || find_changed(tree, path))
            continue;
        add_name(names, entry->name);
        if (is_code(entry->name))
            add_name(hashes, entry->hash);
    }
    if (!disk.ptr || !io_is_dir(disk.ptr) ||
        !io_list_dir(names->arena, disk.ptr, NAMES_MAX, &entries, &n, NULL))
        return;
    for (size_t i = 0; i < n; i++) {
        struct git_entry wanted = {.name = entries[i]};
        if (!folder || !folder->n ||
            !bsearch(&wanted, folder->entry, folder->n, sizeof wanted, entry_order))
            add_name(names, entries[i]);
    }
}

/* What the tree has and HEAD has not, or has otherwise: files, and folders by their files. */
static void add_changed(const struct git_tree *tree, struct str prefix, struct names *names,
                        struct names *hashes)
{
    for (size_t i = 0; i < tree->n; i++) {
        const struct git_change *changed = &tree->changed[i];
        if (!changed->hash.len || !str_starts(changed->path, prefix))
            continue;
        struct str name = str_sub(changed->path, prefix.len, changed->path.len), first;
        bool inside = str_cut(&name, '/', &first);
        add_name(names, first);
        if (!inside && is_code(first))
            add_name(hashes, changed->hash);
    }
}

bool git_tree_list(struct git_tree *tree, struct str folder, const struct str **ret_names,
                   size_t *ret_n)
{
    struct git *git = tree->git;
    struct names names = {.arena = git->arena}, hashes = names;
    struct str clean = pathname_clean(git->arena, folder), below;
    if (!clean.ptr)
        return false;
    below = pathname_below(git->root, clean);
    if (!below.ptr) {
        struct str *entries;
        bool listed = io_is_dir(clean.ptr) &&
                      io_list_dir(git->arena, clean.ptr, NAMES_MAX, &entries, ret_n, NULL);
        if (listed)
            *ret_names = entries;
        return listed;
    }
    if (str_equal(below, STR(".")))
        below = STR("");
    struct str prefix = below.len ? arena_printf(git->arena, "%.*s/", STR_ARG(below)) : STR("");
    if (!prefix.ptr)
        return false;
    add_unchanged(tree, below, prefix, &names, &hashes);
    add_changed(tree, prefix, &names, &hashes);
    if (names.full || hashes.full)
        return false;
    sort_names(&names);
    fetch_blobs(git, hashes.list, hashes.n);
    *ret_names = names.list;
    *ret_n = names.n;
    return names.n > 0;
}
