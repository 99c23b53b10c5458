/* pack.h - packs of policies: folders, those that plumb carries (builtin:NAME), and bundles.
 *
 * A pack holds rules, Rego, data and tests, and says in pack.yaml what it is (name, version,
 * description; without one, only its place names it). Files that belong: *.rego, *.yaml, *.yml,
 * *.json, and .manifest of a bundle. A bundle is a FILE.tar.gz or FILE.tgz as OPA has them
 *
 * Digest:  SHA-256 of its listing: for each file, by path, "sha256:HEX PATH\n"
 * Pins:    plumb.packs beside plumb.yaml keeps that listing of each pack in use
 * Owner:   the arena; built-in texts are static.
 * Source:  docs/packs.md
 */
#pragma once
#include "base/digest.h"
#include "base/str.h"

struct arena;
struct buf;
struct err;

enum { PACK_FILES_MAX = 100000, PACK_FOLDERS_DEEP = 100, PACK_BYTES_MAX = 256 << 20 };
#define PACK_PINS_FILE "plumb.packs"

struct pack_file {
    struct str path; /* below the pack: "aws/storage.yaml" */
    struct str text;
    struct digest digest;
};
struct pack {
    struct str origin; /* as it was asked for */
    struct str name, version, description;
    const struct pack_file *file; /* sorted by path */
    size_t n;
    struct digest digest;
};

bool pack_is_builtin(struct str path);  /* builtin:... */
bool pack_is_bundle(struct str path);   /* ends in .tar.gz or .tgz */
bool pack_is_manifest(struct str path); /* a file called pack.yaml */

/* All files of a pack. ERR_IO where there is none, ERR_SYNTAX for a pack.yaml or a bundle that is
 * none, ERR_LIMIT past the bounds. */
bool pack_read(struct arena *arena, struct str origin, struct pack *ret, struct err *err);
/* One file: of the file system, "builtin:NAME/PATH", or "FILE.tar.gz//PATH". NUL-ended. */
bool pack_read_text(struct arena *arena, struct str path, size_t max_bytes, struct str *ret,
                    struct err *err);

/* What plumb.packs holds of these packs. */
void pack_pins_write(struct buf *out, const struct pack *packs, size_t n);
/*
 * Is each pack that the text pins the same as then?
 * text  of plumb.packs; name: for messages
 * ERR_CONFLICT names the files that changed, came or went; ERR_SYNTAX with the line.
 */
bool pack_pins_check(struct str text, struct str name, const struct pack *packs, size_t n,
                     struct err *err);
