/* fuzz_git.c - whatever git prints, with any author, subject, path and text in it: no fact goes
 * beyond the text that it was taken from, and no address keeps a name before its host. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "desired/git_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct str text, struct str part)
{
    if (part.len && (part.ptr < text.ptr || part.ptr + part.len > text.ptr + text.len))
        abort();
}

static void try_blame(struct arena *arena, struct str text)
{
    struct git_blame_text got;
    struct err err = {0};
    if (!git_parse_blame(arena, text, &got, &err)) {
        if (err.kind == ERR_NONE)
            abort();
        return;
    }
    for (size_t i = 0; i < got.nlines; i++)
        if (got.line[i].commit >= got.ncommits || !got.line[i].first || !got.line[i].n)
            abort();
    for (size_t i = 0; i < got.ncommits; i++) {
        inside(text, got.commit[i].author);
        inside(text, got.commit[i].mail);
        inside(text, got.commit[i].summary);
    }
}

static void try_commits(struct str text)
{
    struct commit commit;
    struct str rest = text, parent;
    for (size_t before = text.len; git_parse_commit(&rest, &commit, &parent); before = rest.len) {
        if (!git_is_hash(commit.hash) || (parent.len && !git_is_hash(parent)) || rest.len >= before)
            abort();
        inside(text, commit.summary);
    }
}

static void try_trees(struct git *git, struct str text)
{
    struct git_folder folder = {0};
    struct git_tree *tree;
    struct str rest = text;
    size_t n;
    if (git_parse_folder(git, text, &folder))
        for (size_t i = 0; i < folder.n; i++)
            inside(text, folder.entry[i].name);
    tree = git_parse_changes(git, &rest);
    const struct git_change *change = tree ? git_tree_changes(tree, &n) : NULL;
    for (size_t i = 0; tree && i < n; i++) {
        inside(text, change[i].path);
        if (change[i].hash.len && !git_is_hash(change[i].hash))
            abort();
        if (i && str_compare(change[i - 1].path, change[i].path) > 0)
            abort();
    }
    (void)git_parse_blobs(git, text);
}

static void try_uri(struct arena *arena, struct str text)
{
    struct str uri = git_public_uri(arena, text);
    size_t host = uri.len ? str_find(uri, STR("://"), 0) : SIZE_MAX;
    if (host == SIZE_MAX)
        return;
    struct str rest = str_sub(uri, host + 3, uri.len), name;
    (void)str_cut(&rest, '/', &name);
    if (str_find_char(name, '@', 0) != SIZE_MAX || memchr(uri.ptr, '?', uri.len))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct git git = {.arena = &arena};
    struct revision revision = {0};
    struct str text = {(const char *)data, size};
    if (!size)
        return 0;
    try_blame(&arena, text);
    try_commits(text);
    try_trees(&git, text);
    try_uri(&arena, text);
    git_parse_status(&git, text, &revision);
    return 0;
}
