/* owners.h - the repository that a folder stands in, and what its CODEOWNERS says. */
#pragma once
#include <stdbool.h>

#include "base/str.h"
#include "model/codeowners.h"

struct arena;
struct err;

/* The files read so far, of one repository after the other. Zeroed = none. */
struct owners {
    struct str repository;
    struct codeowners codeowners;
    bool read;
};

/* The nearest folder at or above the absolute path that has .git; empty if there is none. */
struct str owners_repository(struct arena *arena, struct str path);
/* With what owners_repository() has said of `base`, where that is known already. */
bool owners_find_in(struct arena *arena, struct owners *owners, struct str repository,
                    struct str base, struct str relative, struct str file, struct str *ret,
                    struct err *err);
/*
 * Who owns base/relative/file? Looked up in the CODEOWNERS of base's repository (.github/, the top,
 * docs/, .gitlab/), or of base itself where there is no repository. Empty if nobody.
 */
bool owners_find(struct arena *arena, struct owners *owners, struct str base, struct str relative,
                 struct str file, struct str *ret, struct err *err);
