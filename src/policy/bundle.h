/* bundle.h - bundles of policies: a tar archive in gzip, as `opa build` writes and `opa run -b`
 * reads.
 *
 * Written: .manifest (revision, roots, rego_version), data.json of all data, Rego and rule files;
 *          sorted, without times and owners: the same content gives the same bytes
 * Read:    ustar, with long names of GNU and pax; names that lead out of the bundle are refused
 * Source:  OPA documentation, "Bundle File Format"; POSIX.1-2017 pax, "ustar Interchange Format"
 */
#pragma once
#include "policy/pack.h"

struct buf;
struct value;

/* The files of an archive, sorted by path. `name` is for messages. */
bool bundle_unpack(struct arena *arena, struct str bytes, struct str name, struct pack_file **ret,
                   size_t *ret_n, struct err *err);
/* The same of an archive that is not in gzip. */
bool bundle_untar(struct arena *arena, struct str tar, struct str name, struct pack_file **ret,
                  size_t *ret_n, struct err *err);
struct bundle_options {
    const struct value *data; /* of all data files, merged; an object */
    struct str revision;      /* empty: the pack's digest */
    bool v0;                  /* its Rego is v0 */
};
/* The pack as a bundle. ERR_SYNTAX for Rego without a package, ERR_LIMIT for names too long. */
bool bundle_write(struct arena *arena, const struct pack *pack,
                  const struct bundle_options *options, struct buf *out, struct err *err);
