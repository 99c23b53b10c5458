/* pack.c - the files of a pack, wherever it comes from, their digests, and pins of them. */
#include "policy/pack.h"

#include <stdlib.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "policy/bundle.h"
#include "wire/yaml.h"

#define BUILTIN STR("builtin:")

/* Each file's bytes, deflated, as an array of its own, then the table of them. */
struct carried {
    const char *pack, *path;
    const unsigned char *deflated;
    size_t ndeflated, len;
};
#define X(pack, path, len, ...) \
    {pack, path, (const unsigned char[]){__VA_ARGS__}, sizeof(const unsigned char[]){__VA_ARGS__}, \
     len},
static const struct carried carried[] = {
#include "gen/packs.inc"
};
#undef X
enum { CARRIED = sizeof carried / sizeof *carried };

bool pack_is_builtin(struct str path)
{
    return str_starts(path, BUILTIN);
}

bool pack_is_bundle(struct str path)
{
    return str_ends(path, STR(".tar.gz")) || str_ends(path, STR(".tgz"));
}

bool pack_is_manifest(struct str path)
{
    return str_equal(io_basename(path), STR("pack.yaml"));
}

/* --- built-in ones --- */

static bool carried_text(struct arena *arena, const struct carried *file, struct str *ret,
                         struct err *err)
{
    uLongf len = file->len;
    char *text = arena_alloc_raw(arena, file->len + 1, 1, 1);
    if (!text)
        return arena_full(arena, err);
    if (uncompress((Bytef *)text, &len, file->deflated, file->ndeflated) != Z_OK ||
        len != file->len)
        return err_set(err, ERR_LIMIT, "builtin:%s/%s: out of memory", file->pack, file->path);
    text[len] = '\0';
    *ret = (struct str){text, len};
    return true;
}

static bool no_builtin(struct str name, struct err *err)
{
    return err_set(err, ERR_IO, "no built-in pack '%.*s'; there is builtin:%s", STR_ARG(name),
                   carried[0].pack);
}

static bool read_builtin(struct arena *arena, struct str origin, struct pack_file **ret,
                         size_t *ret_n, struct err *err)
{
    struct str name = str_sub(origin, BUILTIN.len, origin.len);
    struct pack_file *files = arena_new(arena, struct pack_file, CARRIED);
    size_t n = 0;
    if (!files)
        return arena_full(arena, err);
    for (size_t i = 0; i < CARRIED; i++)
        if (str_equal(str_from(carried[i].pack), name)) {
            files[n].path = str_from(carried[i].path);
            if (!carried_text(arena, &carried[i], &files[n++].text, err))
                return false;
        }
    *ret = files;
    *ret_n = n;
    return n > 0 || no_builtin(name, err);
}

/* --- folders --- */

struct walk {
    struct arena *arena;
    struct pack_file *file;
    size_t n, room, bytes;
};

static bool belongs(struct str path)
{
    return str_ends(path, STR(".rego")) || str_ends(path, STR(".yaml")) ||
           str_ends(path, STR(".yml")) || str_ends(path, STR(".json"));
}

static bool add_file(struct walk *w, struct str path, struct str below, struct err *err)
{
    struct pack_file *grown = arena_grow(w->arena, w->file, w->n, &w->room, w->n + 1);
    if (!grown)
        return arena_full(w->arena, err);
    w->file = grown;
    grown[w->n] = (struct pack_file){.path = below};
    if (w->n == PACK_FILES_MAX)
        return err_set(err, ERR_LIMIT, "%.*s: more than %d files", STR_ARG(path), PACK_FILES_MAX);
    if (!io_read_file(w->arena, path.ptr, PACK_BYTES_MAX - w->bytes, &grown[w->n].text, err))
        return false;
    w->bytes += grown[w->n++].text.len;
    return true;
}

static bool walk_folder(struct walk *w, struct str folder, struct str prefix, unsigned depth_left,
                        struct err *err)
{
    struct str *names;
    size_t n;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "%.*s: folders are nested deeper than %d", STR_ARG(folder),
                       PACK_FOLDERS_DEEP);
    if (!io_list_dir(w->arena, folder.ptr, PACK_FILES_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str path = io_join(w->arena, folder, names[i]);
        struct str below = prefix.len ? io_join(w->arena, prefix, names[i]) : names[i];
        if (!path.ptr || !below.ptr)
            return arena_full(w->arena, err);
        if (io_is_loop(path.ptr))
            continue;
        if (io_is_dir(path.ptr) ? !walk_folder(w, path, below, depth_left - 1, err)
                                : belongs(path) && !add_file(w, path, below, err))
            return false;
    }
    return true;
}

static bool read_bundle(struct arena *arena, struct str path, struct pack_file **ret, size_t *ret_n,
                        struct err *err)
{
    struct str bytes;
    return io_read_file(arena, path.ptr, PACK_BYTES_MAX, &bytes, err) &&
           bundle_unpack(arena, bytes, path, ret, ret_n, err);
}

static bool read_files(struct arena *arena, struct str origin, struct pack_file **ret,
                       size_t *ret_n, struct err *err)
{
    struct walk w = {.arena = arena};
    struct str path = arena_dup(arena, origin);
    if (!path.ptr)
        return arena_full(arena, err);
    if (pack_is_builtin(origin))
        return read_builtin(arena, origin, ret, ret_n, err);
    if (!io_exists(path.ptr))
        return err_set(err, ERR_IO, "no file or folder %.*s", STR_ARG(origin));
    if (!io_is_dir(path.ptr))
        return pack_is_bundle(path) ? read_bundle(arena, path, ret, ret_n, err)
                                    : err_set(err, ERR_USAGE,
                                              "%.*s: a pack is a folder, a bundle (.tar.gz) or "
                                              "builtin:NAME",
                                              STR_ARG(origin));
    if (!walk_folder(&w, path, STR(""), PACK_FOLDERS_DEEP, err))
        return false;
    *ret = w.file;
    *ret_n = w.n;
    return true;
}

/* --- what it says of itself, and its digest --- */

static bool read_manifest(struct arena *arena, const struct pack_file *file, struct pack *ret,
                          struct err *err)
{
    struct yaml_doc doc;
    struct str where = arena_printf(arena, "%.*s/%.*s", STR_ARG(ret->origin), STR_ARG(file->path));
    if (!where.ptr)
        return arena_full(arena, err);
    if (!yaml_parse_one(arena, file->text, where.ptr, YAML_DEFAULT, &doc, err))
        return false;
    ret->name = value_get_string(&doc.root, STR("name"));
    ret->version = value_get_string(&doc.root, STR("version"));
    ret->description = value_get_string(&doc.root, STR("description"));
    if (!ret->name.len || !ret->version.len)
        return err_set(err, ERR_SYNTAX,
                       "%.*s: want name and version as texts, such as name: net "
                       "and version: 1.0.0",
                       STR_ARG(where));
    return true;
}

static int by_path(const void *a, const void *b)
{
    const struct pack_file *x = a, *y = b;
    return str_compare(x->path, y->path);
}

static void write_listing(struct buf *out, const struct pack *pack, const char *before)
{
    char hex[DIGEST_HEX + 1];
    for (size_t i = 0; i < pack->n; i++) {
        digest_hex(&pack->file[i].digest, hex);
        buf_printf(out, "%ssha256:%s %.*s\n", before, hex, STR_ARG(pack->file[i].path));
    }
}

static bool digest_all(struct pack_file *files, struct pack *ret, struct err *err)
{
    AUTO_BUF listing = {.limit = PACK_BYTES_MAX};
    for (size_t i = 0; i < ret->n; i++)
        if (!digest_sha256(files[i].text, &files[i].digest, err))
            return false;
    write_listing(&listing, ret, "");
    return buf_ok(&listing, err) && digest_sha256(buf_view(&listing), &ret->digest, err);
}

bool pack_read(struct arena *arena, struct str origin, struct pack *ret, struct err *err)
{
    struct pack pack = {.origin = origin};
    struct pack_file *files;
    if (!read_files(arena, origin, &files, &pack.n, err))
        return err_wrap(err, "pack %.*s", STR_ARG(origin));
    qsort(files, pack.n, sizeof *files, by_path);
    pack.file = files;
    for (size_t i = 0; i < pack.n; i++)
        if (str_equal(files[i].path, STR("pack.yaml")) &&
            !read_manifest(arena, &files[i], &pack, err))
            return false;
    if (!digest_all(files, &pack, err))
        return false;
    *ret = pack;
    return true;
}

/* --- one file --- */

static bool read_from_bundle(struct arena *arena, struct str bundle, struct str below,
                             struct str *ret, struct err *err)
{
    struct pack_file *files;
    size_t n;
    struct str path = arena_dup(arena, bundle);
    if (!path.ptr)
        return arena_full(arena, err);
    if (!read_bundle(arena, path, &files, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (str_equal(files[i].path, below)) {
            *ret = files[i].text;
            return true;
        }
    return err_set(err, ERR_IO, "%.*s: no file %.*s in it", STR_ARG(bundle), STR_ARG(below));
}

bool pack_read_text(struct arena *arena, struct str path, size_t max_bytes, struct str *ret,
                    struct err *err)
{
    struct str text = {0}, name = arena_dup(arena, path);
    size_t inside = str_find(path, STR("//"), 0);
    if (!name.ptr)
        return arena_full(arena, err);
    if (pack_is_builtin(path)) {
        struct str below = str_sub(path, BUILTIN.len, path.len), pack;
        (void)str_cut(&below, '/', &pack);
        for (size_t i = 0; i < CARRIED && !text.ptr; i++)
            if (str_equal(str_from(carried[i].pack), pack) &&
                str_equal(str_from(carried[i].path), below) &&
                !carried_text(arena, &carried[i], &text, err))
                return false;
        if (!text.ptr)
            return err_set(err, ERR_IO, "no file %.*s", STR_ARG(path));
    } else if (inside != SIZE_MAX && pack_is_bundle(str_sub(path, 0, inside))) {
        if (!read_from_bundle(arena, str_sub(path, 0, inside), str_sub(path, inside + 2, path.len),
                              &text, err))
            return false;
    } else {
        return io_read_file(arena, name.ptr, max_bytes, ret, err);
    }
    if (text.len > max_bytes)
        return err_set(err, ERR_LIMIT, "%.*s: more than %zu bytes", STR_ARG(path), max_bytes);
    *ret = text;
    return true;
}

/* --- pins --- */

void pack_pins_write(struct buf *out, const struct pack *packs, size_t n)
{
    char hex[DIGEST_HEX + 1];
    buf_str(out, STR("# The packs of plumb.yaml as they were reviewed; `plumb policy pin --write` "
                     "writes this file.\n"));
    for (size_t i = 0; i < n; i++) {
        digest_hex(&packs[i].digest, hex);
        buf_printf(out, "pack %.*s sha256:%s\n", STR_ARG(packs[i].origin), hex);
        write_listing(out, &packs[i], "  ");
    }
}

/* A pinned pack beside what is there now: both sorted by path. */
struct pinned {
    const struct pack *pack; /* NULL: it is not in use */
    struct str digest;       /* that the pin has for all of it */
    size_t next;             /* of pack->file */
    struct buf *says;        /* what differs */
};

static void differs(struct pinned *p, const char *how, struct str path)
{
    buf_printf(p->says, "%s%s %.*s", p->says->len ? ", " : "", how, STR_ARG(path));
}

static void end_pack(struct pinned *p)
{
    for (; p->pack && p->next < p->pack->n; p->next++)
        differs(p, "new", p->pack->file[p->next].path);
}

static void check_file(struct pinned *p, struct str digest, struct str path)
{
    char hex[DIGEST_HEX + 1];
    const struct pack *pack = p->pack;
    if (!pack)
        return;
    for (; p->next < pack->n && str_compare(pack->file[p->next].path, path) < 0; p->next++)
        differs(p, "new", pack->file[p->next].path);
    if (p->next == pack->n || !str_equal(pack->file[p->next].path, path)) {
        differs(p, "gone", path);
        return;
    }
    digest_hex(&pack->file[p->next++].digest, hex);
    if (!str_equal(digest, str_from(hex)))
        differs(p, "changed", path);
}

static bool refuse(const struct pinned *p, struct str name, struct err *err)
{
    char hex[DIGEST_HEX + 1];
    if (p->says->len)
        return err_set(err, ERR_CONFLICT,
                       "pack %.*s is not what %.*s pins: %.*s; if that is meant, review it and run "
                       "`plumb policy pin --write`",
                       STR_ARG(p->pack->origin), STR_ARG(name), STR_ARG(buf_view(p->says)));
    if (!p->pack)
        return true;
    digest_hex(&p->pack->digest, hex);
    return str_equal(p->digest, str_from(hex)) ||
           err_set(err, ERR_CONFLICT,
                   "pack %.*s: the digest that %.*s pins is not that of the files which it lists; "
                   "review them and run `plumb policy pin --write`",
                   STR_ARG(p->pack->origin), STR_ARG(name));
}

static const struct pack *find_pack(const struct pack *packs, size_t n, struct str origin)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(packs[i].origin, origin))
            return &packs[i];
    return NULL;
}

/* "pack ORIGIN sha256:HEX" or "  sha256:HEX PATH" in its two parts. */
static bool split_line(struct str line, bool *ret_pack, struct str *ret_digest,
                       struct str *ret_name)
{
    static const size_t head = sizeof "sha256:" - 1;
    *ret_pack = str_starts(line, STR("pack "));
    size_t at =
        *ret_pack ? line.len - (line.len < DIGEST_HEX + head ? line.len : DIGEST_HEX + head) : 2;
    struct str digest = str_sub(line, at, at + head + DIGEST_HEX);
    if (digest.len != head + DIGEST_HEX || !str_starts(digest, STR("sha256:")) ||
        (!*ret_pack && !str_starts(line, STR("  "))))
        return false;
    *ret_digest = str_sub(digest, head, digest.len);
    *ret_name =
        *ret_pack ? str_trim(str_sub(line, 5, at)) : str_sub(line, at + digest.len + 1, line.len);
    return ret_name->len > 0;
}

/* A pack that came after the pins, or is written in another way, was not reviewed. */
static bool check_pinned(struct str text, struct str name, const struct pack *packs, size_t n,
                         struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct str rest = text, line, digest, what;
        bool found = false, is_pack;
        for (bool more = true; more && !found;) {
            more = str_cut(&rest, '\n', &line);
            found = split_line(line, &is_pack, &digest, &what) && is_pack &&
                    str_equal(what, packs[i].origin);
        }
        if (!found)
            return err_set(err, ERR_CONFLICT,
                           "pack %.*s is not among those that %.*s pins; review it and run `plumb "
                           "policy pin --write`",
                           STR_ARG(packs[i].origin), STR_ARG(name));
    }
    return true;
}

bool pack_pins_check(struct str text, struct str name, const struct pack *packs, size_t n,
                     struct err *err)
{
    enum { SAYS_MAX = 1 << 20 };
    AUTO_BUF says = {.limit = SAYS_MAX};
    struct pinned pinned = {.says = &says};
    struct str line, digest, what, all = text;
    bool more = true, is_pack;
    for (size_t number = 1; more; number++) {
        more = str_cut(&text, '\n', &line);
        if (!line.len || line.ptr[0] == '#')
            continue;
        if (!split_line(line, &is_pack, &digest, &what))
            return err_set(err, ERR_SYNTAX,
                           "%.*s:%zu: want `pack NAME sha256:...` or `  "
                           "sha256:... FILE`; `plumb policy pin --write` writes "
                           "the file anew",
                           STR_ARG(name), number);
        if (!is_pack) {
            check_file(&pinned, digest, what);
            continue;
        }
        end_pack(&pinned);
        if (!refuse(&pinned, name, err))
            return false;
        pinned.pack = find_pack(packs, n, what);
        pinned.digest = digest;
        pinned.next = 0;
    }
    end_pack(&pinned);
    return refuse(&pinned, name, err) && check_pinned(all, name, packs, n, err);
}
