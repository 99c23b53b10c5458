/* owners.c - CODEOWNERS where the forges look for it, the first that is there. */
#include "desired/owners.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"

enum { CODEOWNERS_BYTES_MAX = 16 << 20, LEVELS_MAX = 256 };

static const struct str places[] = {STR_INIT(".github/CODEOWNERS"), STR_INIT("CODEOWNERS"),
                                    STR_INIT("docs/CODEOWNERS"), STR_INIT(".gitlab/CODEOWNERS")};

struct str owners_repository(struct arena *arena, struct str path)
{
    for (int i = 0; i < LEVELS_MAX && path.len; i++) {
        struct str git = io_join(arena, path, STR(".git"));
        if (git.ptr && io_exists(git.ptr))
            return arena_dup(arena, path);
        if (str_equal(path, STR("/")) || str_find_char(path, '/', 0) == SIZE_MAX)
            break;
        path = io_dirname(path);
    }
    return STR("");
}

static bool read_codeowners(struct arena *arena, struct owners *owners, struct err *err)
{
    owners->codeowners = (struct codeowners){0};
    owners->read = true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct str path = io_join(arena, owners->repository, places[i]), text;
        if (!path.ptr)
            return arena_full(arena, err);
        if (!io_exists(path.ptr))
            continue;
        return io_read_file(arena, path.ptr, CODEOWNERS_BYTES_MAX, &text, err) &&
               codeowners_parse(arena, text, &owners->codeowners, err);
    }
    return true;
}

bool owners_find(struct arena *arena, struct owners *owners, struct str base, struct str relative,
                 struct str file, struct str *ret, struct err *err)
{
    return owners_find_in(arena, owners, owners_repository(arena, base), base, relative, file, ret,
                          err);
}

bool owners_find_in(struct arena *arena, struct owners *owners, struct str repository,
                    struct str base, struct str relative, struct str file, struct str *ret,
                    struct err *err)
{
    *ret = STR("");
    if (!base.len)
        return true;
    if (!repository.len)
        repository = base;
    if (!owners->read || !str_equal(owners->repository, repository)) {
        owners->repository = repository;
        if (!read_codeowners(arena, owners, err))
            return false;
    }
    struct str dir = io_join(arena, base, relative);
    struct str full =
        dir.ptr ? io_join(arena, dir, file.len ? file : STR("terraform.tfstate")) : dir;
    struct str clean = full.ptr ? pathname_clean(arena, full) : full;
    if (!clean.ptr)
        return arena_full(arena, err);
    struct str below = pathname_below(repository, clean);
    *ret = below.ptr ? codeowners_match(&owners->codeowners, below) : STR("");
    return true;
}
