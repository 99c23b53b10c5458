/* places_parts.h - what places.c, places_origin.c and places_explain.c share. */
#pragma once
#include "base/arena.h"
#include "desired/code.h"
#include "desired/git.h"
#include "desired/owners.h"
#include "scan/places.h"

/* A repository that some file of the code is in. */
struct place_repo {
    struct place_repo *next;
    struct str root;
    struct git *git; /* NULL: git does not read it, `why` */
    struct str why;
    struct owners owners;
};
/* Lines that git was asked for. */
struct place_lines {
    struct git_range range;
    const struct commit *commit; /* NULL: git does not know */
};
/* A file of the code, under the name that its links have. */
struct place_file {
    struct str name;
    struct str real;  /* absolute, no links in it */
    struct str shown; /* relative to the stack's repository */
    struct str below; /* relative to its own repository; empty: it is in none */
    struct str owner;
    struct place_repo *repo;
    struct place_lines *lines; /* findings that come one by one share them */
    size_t nlines, lines_room;
};
struct place_files {
    struct place_file **slot;
    size_t nslots, n;
};

struct places {
    struct arena *arena;
    struct places_options options;
    struct str root; /* the stack's folder, real */
    struct str cwd;
    struct places_repos *repos, own_repos;
    struct place_repo *own; /* the stack's; NULL = none */
    struct str folder;      /* that was asked for last, and what it is in */
    struct place_repo *around;
    struct place_files files;
    struct revision revision;
    bool has_revision, out_of_time;
};

/* The file that a link names; NULL with err where the arena is full. */
struct place_file *places_file(struct places *places, struct str name, struct err *err);
/* "module.a[0].data.t.n[1]": its parts without keys of the last; false: it is no address. */
struct place_address {
    struct str module, type, name;
    enum code_mode mode;
};
bool places_address(struct str address, struct place_address *ret);
/* The instance of a finding, under the address that the code has for it now; NULL = none. */
const struct code_instance *places_instance(struct code *code, struct str address);
/* Its block, where no instance is known. */
const struct code_resource *places_block(struct code *code, struct str address);
/* The path of a change up to the first element of a set; what is behind that is no place in code.
 * *ret_element: there was one. False: it is no path. */
bool places_path(struct arena *arena, struct str text, struct path *ret, bool *ret_element);
/*
 * Where the change's value is decided (change NULL, or not set by the code: the block), without its
 * commit, owner and explanations.
 * ret       NULL: the code has nothing of that address
 * ret_file  the name that the deciding link has for its file, or empty
 * False with err where the arena is full.
 */
bool places_origin(struct places *places, const struct code_instance *instance,
                   const struct finding *finding, const struct change *change, struct origin **ret,
                   struct str *ret_file, struct err *err);
/* Is the place only that of the whole block? */
bool places_is_block(const struct origin *origin);
