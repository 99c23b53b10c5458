/* bundle.c - tar archives in gzip, both ways, and the manifest of a bundle. */
#include "policy/bundle.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "policy/rule_tests.h"
#include "value/path.h"
#include "wire/gzip.h"
#include "wire/json.h"
#include "wire/yaml.h"

/* Places in a header of 512 bytes (ustar). */
enum {
    BLOCK = 512,
    NAME_LEN = 100,
    MODE_AT = 100,
    SIZE_AT = 124,
    SIZE_LEN = 12,
    TIME_AT = 136,
    SUM_AT = 148,
    SUM_LEN = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_LEN = 155,
    GZIP_WINDOW = 15 + 16 /* zlib's way to say "with a header of gzip" */
};

/* --- reading --- */

static struct str field(const char *header, size_t at, size_t len)
{
    return (struct str){header + at, strnlen(header + at, len)};
}

/* Octal digits, blanks around them. */
static bool read_size(const char *header, size_t *ret)
{
    struct str text = str_trim(field(header, SIZE_AT, SIZE_LEN));
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '7')
            return false;
        n = n * 8 + (size_t)(text.ptr[i] - '0');
    }
    *ret = n;
    return true;
}

/* path=... of a pax header: lines "LENGTH KEY=VALUE\n". */
static struct str pax_path(struct str text)
{
    struct str line, path = {0};
    bool more = true;
    while (more && text.len) {
        more = str_cut(&text, '\n', &line);
        size_t blank = str_find_char(line, ' ', 0);
        struct str entry = blank == SIZE_MAX ? line : str_sub(line, blank + 1, line.len);
        if (str_starts(entry, STR("path=")))
            path = str_sub(entry, 5, entry.len);
    }
    return path;
}

/* "/./a/b" is "a/b". False: it leads out of the bundle. */
static bool clean_name(struct str *name)
{
    struct str rest, part;
    bool more = true;
    while (str_starts(*name, STR("/")) || str_starts(*name, STR("./")))
        *name = str_sub(*name, name->ptr[0] == '/' ? 1 : 2, name->len);
    for (rest = *name; more;) {
        more = str_cut(&rest, '/', &part);
        if (str_equal(part, STR("..")))
            return false;
    }
    return name->len > 0;
}

struct unpacking {
    struct arena *arena;
    struct str name;
    struct pack_file *file;
    size_t n, room;
    struct str long_name; /* of the next file */
};

static bool take_file(struct unpacking *u, const char *header, struct str text, struct err *err)
{
    struct str prefix = field(header, PREFIX_AT, PREFIX_LEN), path = field(header, 0, NAME_LEN);
    struct pack_file *grown = arena_grow(u->arena, u->file, u->n, &u->room, u->n + 1);
    if (prefix.len && memcmp(header + MAGIC_AT, "ustar", 6) == 0)
        path = io_join(u->arena, prefix, path);
    path = arena_dup(u->arena, u->long_name.len ? u->long_name : path);
    text = arena_dup(u->arena, text);
    if (!grown || !path.ptr || !text.ptr)
        return arena_full(u->arena, err);
    if (!clean_name(&path))
        return err_set(err, ERR_SYNTAX, "%.*s: a file's name leads out of the bundle: '%.*s'",
                       STR_ARG(u->name), STR_ARG(path));
    if (u->n == PACK_FILES_MAX)
        return err_set(err, ERR_LIMIT, "%.*s: more than %d files", STR_ARG(u->name),
                       PACK_FILES_MAX);
    u->file = grown;
    grown[u->n++] = (struct pack_file){.path = path, .text = text};
    u->long_name = (struct str){0};
    return true;
}

static bool take_entry(struct unpacking *u, const char *header, struct str text, struct err *err)
{
    switch (header[TYPE_AT]) {
    case '0':
    case '\0':
        return take_file(u, header, text, err);
    case 'x':
        u->long_name = pax_path(text);
        return true;
    case 'L':
        u->long_name = (struct str){text.ptr, strnlen(text.ptr, text.len)};
        return true;
    case '1':
    case '2':
        return err_set(err, ERR_SYNTAX, "%.*s: '%.*s' is a link; a bundle has files",
                       STR_ARG(u->name), STR_ARG(field(header, 0, NAME_LEN)));
    default: /* folders, comments */
        u->long_name = (struct str){0};
        return true;
    }
}

static int by_path(const void *a, const void *b)
{
    const struct pack_file *x = a, *y = b;
    return str_compare(x->path, y->path);
}

bool bundle_untar(struct arena *arena, struct str tar, struct str name, struct pack_file **ret,
                  size_t *ret_n, struct err *err)
{
    struct unpacking u = {.arena = arena, .name = name};
    size_t at = 0, size;
    while (at + BLOCK <= tar.len && tar.ptr[at]) {
        const char *header = tar.ptr + at;
        at += BLOCK;
        if (!read_size(header, &size) || size > tar.len - at)
            return err_set(err, ERR_SYNTAX, "%.*s: not a tar archive, or cut short at byte %zu",
                           STR_ARG(name), at);
        if (!take_entry(&u, header, (struct str){tar.ptr + at, size}, err))
            return false;
        at += (size + BLOCK - 1) / BLOCK * BLOCK;
        if (at > tar.len)
            at = tar.len;
    }
    if (u.n == 0)
        return err_set(err, ERR_SYNTAX, "%.*s: no file in it", STR_ARG(name));
    qsort(u.file, u.n, sizeof *u.file, by_path);
    *ret = u.file;
    *ret_n = u.n;
    return true;
}

bool bundle_unpack(struct arena *arena, struct str bytes, struct str name, struct pack_file **ret,
                   size_t *ret_n, struct err *err)
{
    AUTO_BUF tar = {.limit = PACK_BYTES_MAX};
    return gzip_inflate(bytes, name, &tar, err) &&
           bundle_untar(arena, buf_view(&tar), name, ret, ret_n, err);
}

/* --- roots --- */

/* "package a.b" as a/b. The first line that is neither empty nor a comment names it. */
static bool package_root(struct arena *arena, const struct pack_file *file, struct str *ret,
                         struct err *err)
{
    struct str text = file->text, line;
    struct path path;
    bool more = true;
    while (more) {
        more = str_cut(&text, '\n', &line);
        line = str_trim(line);
        if (!line.len || line.ptr[0] == '#')
            continue;
        size_t end = str_find_char(line, '#', 0);
        line = str_trim(str_sub(line, 0, end == SIZE_MAX ? line.len : end));
        if (!str_starts(line, STR("package ")) ||
            !path_parse(arena, str_trim(str_sub(line, 8, line.len)), &path, NULL))
            break;
        *ret = STR("");
        for (size_t i = 0; i < path.n && ret->ptr; i++)
            *ret = arena_printf(arena, "%.*s%s%.*s", STR_ARG(*ret), i ? "/" : "",
                                STR_ARG(path.step[i].key));
        return ret->ptr || arena_full(arena, err);
    }
    return err_set(err, ERR_SYNTAX, "%.*s: no package", STR_ARG(file->path));
}

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

/* Sorted; what is below another root is covered by it. */
static size_t reduce_roots(struct str *roots, size_t n)
{
    size_t kept = 0;
    qsort(roots, n, sizeof *roots, by_text);
    for (size_t i = 0; i < n; i++) {
        bool covered = false;
        for (size_t k = 0; k < kept && !covered; k++)
            covered = str_equal(roots[i], roots[k]) ||
                      (str_starts(roots[i], roots[k]) && roots[i].ptr[roots[k].len] == '/');
        if (!covered)
            roots[kept++] = roots[i];
    }
    return kept;
}

static bool find_roots(struct arena *arena, const struct pack *pack, const struct value *data,
                       struct str **ret, size_t *ret_n, struct err *err)
{
    struct str *roots = arena_new(arena, struct str, pack->n + data->len);
    size_t n = 0;
    if (!roots)
        return arena_full(arena, err);
    for (size_t i = 0; i < pack->n; i++)
        if (str_ends(pack->file[i].path, STR(".rego")) &&
            !package_root(arena, &pack->file[i], &roots[n++], err))
            return false;
    for (size_t i = 0; i < data->len; i++)
        roots[n++] = key_str(data->members[i].key);
    *ret = roots;
    *ret_n = reduce_roots(roots, n);
    return true;
}

/* --- writing --- */

/* Digits to the end of the field but its last byte, a NUL. */
static void octal(char *header, size_t at, size_t len, size_t n)
{
    for (size_t i = len - 1; i-- > 0; n /= 8)
        header[at + i] = (char)('0' + n % 8);
    header[at + len - 1] = '\0';
}

static bool add_entry(struct buf *tar, struct str path, struct str text, struct err *err)
{
    static const char zeros[BLOCK];
    char header[BLOCK] = {0};
    unsigned sum = 0;
    size_t cut = 0; /* what stands before it goes to the prefix */
    while (path.len - cut > NAME_LEN && cut != SIZE_MAX) {
        size_t slash = str_find_char(path, '/', cut);
        cut = slash == SIZE_MAX ? SIZE_MAX : slash + 1;
    }
    if (cut == SIZE_MAX || cut > PREFIX_LEN + 1)
        return err_set(err, ERR_LIMIT, "%.*s: too long a name for a bundle", STR_ARG(path));
    memcpy(header, path.ptr + cut, path.len - cut);
    if (cut)
        memcpy(header + PREFIX_AT, path.ptr, cut - 1);
    octal(header, MODE_AT, 8, 0644);
    octal(header, MODE_AT + 8, 8, 0);
    octal(header, MODE_AT + 16, 8, 0);
    octal(header, SIZE_AT, SIZE_LEN, text.len);
    octal(header, TIME_AT, 12, 0);
    memset(header + SUM_AT, ' ', SUM_LEN);
    header[TYPE_AT] = '0';
    memcpy(header + MAGIC_AT,
           "ustar\0"
           "00",
           8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    octal(header, SUM_AT, SUM_LEN - 1, sum);
    buf_add(tar, header, BLOCK);
    buf_str(tar, text);
    buf_add(tar, zeros, (BLOCK - text.len % BLOCK) % BLOCK);
    return true;
}

static bool add_manifest(struct buf *tar, const struct pack *pack,
                         const struct bundle_options *options, const struct str *roots, size_t n,
                         struct err *err)
{
    AUTO_BUF text = {.limit = PACK_BYTES_MAX};
    struct jsonw w = {.out = &text};
    char hex[DIGEST_HEX + 1];
    digest_hex(&pack->digest, hex);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("revision"),
                        options->revision.len ? options->revision : str_from(hex));
    jsonw_key(&w, STR("roots"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++)
        jsonw_string(&w, roots[i]);
    jsonw_array_close(&w);
    jsonw_member_int(&w, STR("rego_version"), options->v0 ? 0 : 1);
    jsonw_object_close(&w);
    return buf_ok(&text, err) && add_entry(tar, STR(".manifest"), buf_view(&text), err);
}

/* Rego, rules and their tests stay files; everything else is data, which data.json has. */
static bool stays(struct arena *arena, const struct pack_file *file)
{
    AUTO_ARENA each = {.limit = arena->limit};
    struct yaml_doc doc;
    struct str path = file->path;
    if (str_ends(path, STR(".rego")) || rule_tests_is_name(path) || pack_is_manifest(path))
        return true;
    return !str_ends(path, STR(".json")) && !str_equal(path, STR(".manifest")) &&
           yaml_parse_one(&each, file->text, "", YAML_DEFAULT, &doc, NULL) &&
           rules_is_file(&doc.root);
}

static bool write_tar(struct arena *arena, const struct pack *pack,
                      const struct bundle_options *options, struct buf *tar, struct err *err)
{
    enum { END_BLOCKS = 2 };
    static const char zeros[BLOCK];
    AUTO_BUF data = {.limit = PACK_BYTES_MAX};
    struct jsonw w = {.out = &data};
    struct str *roots;
    size_t n;
    jsonw_value(&w, options->data);
    if (!find_roots(arena, pack, options->data, &roots, &n, err) || !buf_ok(&data, err) ||
        !add_manifest(tar, pack, options, roots, n, err) ||
        !add_entry(tar, STR("data.json"), buf_view(&data), err))
        return false;
    for (size_t i = 0; i < pack->n; i++)
        if (stays(arena, &pack->file[i]) &&
            !add_entry(tar, pack->file[i].path, pack->file[i].text, err))
            return false;
    for (size_t i = 0; i < END_BLOCKS; i++)
        buf_add(tar, zeros, BLOCK);
    return buf_ok(tar, err);
}

bool bundle_write(struct arena *arena, const struct pack *pack,
                  const struct bundle_options *options, struct buf *out, struct err *err)
{
    AUTO_BUF tar = {.limit = PACK_BYTES_MAX};
    z_stream z = {0};
    if (!write_tar(arena, pack, options, &tar, err))
        return false;
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return err_set(err, ERR_LIMIT, "%.*s: cannot be packed", STR_ARG(pack->origin));
    size_t most = deflateBound(&z, (uLong)tar.len);
    char *room = buf_room(out, most);
    z.next_in = (Bytef *)tar.ptr;
    z.avail_in = (uInt)tar.len;
    z.next_out = (Bytef *)room;
    z.avail_out = (uInt)most;
    int code = room ? deflate(&z, Z_FINISH) : Z_MEM_ERROR;
    out->len += room ? most - z.avail_out : 0;
    (void)deflateEnd(&z);
    return code == Z_STREAM_END ||
           err_set(err, ERR_LIMIT, "%.*s: cannot be packed", STR_ARG(pack->origin));
}
