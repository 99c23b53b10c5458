/* fn_file.c - files and their names: file filebase64 file-hashes fileexists fileset abspath
 * basename dirname pathexpand. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/openssl.h"
#include "base/pathname.h"
#include "base/utf8.h"
#include "lang/hcl/files.h"
#include "lang/hcl/ops.h"

static struct str text_arg(const struct hcl_call *call, size_t i)
{
    return value_text(&call->arg[i]);
}

/* --- names --- */

static bool run_basename(struct hcl_call *call, struct value *ret)
{
    struct str s = text_arg(call, 0);
    if (s.len == 0)
        return hcl_call_text(call, STR("."), ret);
    while (s.len && s.ptr[s.len - 1] == '/')
        s.len--;
    for (size_t i = s.len; i-- > 0;)
        if (s.ptr[i] == '/')
            return hcl_call_text(call, str_sub(s, i + 1, s.len), ret);
    return hcl_call_text(call, s.len ? s : STR("/"), ret);
}

static bool run_dirname(struct hcl_call *call, struct value *ret)
{
    struct str s = text_arg(call, 0);
    while (s.len && s.ptr[s.len - 1] != '/')
        s.len--;
    struct str clean = pathname_clean(call->ev->arena, s);
    return clean.ptr && hcl_call_text(call, clean, ret);
}

/* A leading ~ as the home folder; anything else as it is. */
static bool expand_home(struct hcl_call *call, struct str path, struct str *ret)
{
    const struct hcl_world *world = call->ev->world;
    *ret = path;
    if (path.len == 0 || path.ptr[0] != '~')
        return true;
    if (path.len > 1 && path.ptr[1] != '/')
        return hcl_call_fail(call, -1, "cannot expand user-specific home dir");
    if (!world || world->home_dir.len == 0)
        return hcl_call_fail(call, -1, "the home directory is not known");
    struct str joined = arena_printf(call->ev->arena, "%.*s/%.*s", STR_ARG(world->home_dir),
                                     STR_ARG(str_sub(path, 1, path.len)));
    *ret = joined.ptr ? pathname_clean(call->ev->arena, joined) : joined;
    return ret->ptr;
}

static bool run_pathexpand(struct hcl_call *call, struct value *ret)
{
    struct str path;
    return expand_home(call, text_arg(call, 0), &path) && hcl_call_text(call, path, ret);
}

/* path from base_dir, cleaned; `~` is a name like others. */
static bool from_base(struct hcl_call *call, struct str path, struct str *ret)
{
    const struct hcl_world *world = call->ev->world;
    struct str base = world ? world->base_dir : STR("");
    bool absolute = path.len && path.ptr[0] == '/';
    if (!absolute && base.len)
        path = arena_printf(call->ev->arena, "%.*s/%.*s", STR_ARG(base), STR_ARG(path));
    *ret = path.ptr ? pathname_clean(call->ev->arena, path) : path;
    return ret->ptr;
}

static bool run_abspath(struct hcl_call *call, struct value *ret)
{
    struct str path;
    return from_base(call, text_arg(call, 0), &path) && hcl_call_text(call, path, ret);
}

bool hcl_file_path(struct hcl_call *call, struct str path, struct str *ret)
{
    struct str expanded;
    if (str_find_char(path, '\0', 0) != SIZE_MAX)
        return hcl_call_fail(call, -1, "a file name cannot hold a NUL byte");
    return expand_home(call, path, &expanded) && from_base(call, expanded, ret);
}

/* --- reading below root_dir --- */

/* Is the file, links followed, below root_dir? What does not exist is judged by its name. */
static bool below_root(struct hcl_call *call, struct str full)
{
    const struct hcl_world *world = call->ev->world;
    char real_file[PATH_MAX], real_root[PATH_MAX];
    struct str root = arena_dup(call->ev->arena, world ? world->root_dir : STR(""));
    if (!root.len || !root.ptr || !realpath(root.ptr, real_root))
        return false;
    if (realpath(full.ptr, real_file))
        return pathname_below(str_from(real_root), str_from(real_file)).ptr;
    struct str clean = pathname_clean(call->ev->arena, root);
    return pathname_below(clean, full).ptr || pathname_below(str_from(real_root), full).ptr;
}

bool hcl_file_allowed(struct hcl_call *call)
{
    return !call->ev->in_template_string ||
           hcl_call_fail(call, -1,
                         "cannot use filesystem access functions like %s in templatestring "
                         "templates; consider passing the function result as a template variable "
                         "instead",
                         call->function->name);
}

/* Where path leads and what is there. */
static bool look_at(struct hcl_call *call, int bad_arg, struct str path, struct str *ret_full,
                    struct stat *ret_stat, enum hcl_file_fault *ret_fault)
{
    *ret_fault = HCL_FILE_REFUSED;
    if (!hcl_file_allowed(call) || !hcl_file_path(call, path, ret_full))
        return false;
    if (!below_root(call, *ret_full))
        return hcl_call_fail(
            call, bad_arg, "\"%.*s\" is outside of the folder that may be read (\"%.*s\")",
            STR_ARG(path), STR_ARG(call->ev->world ? call->ev->world->root_dir : STR("")));
    if (stat(ret_full->ptr, ret_stat) != 0) {
        *ret_fault = HCL_FILE_ABSENT;
        return hcl_call_fail(call, bad_arg,
                             "no file exists at \"%.*s\"; this function works only with files "
                             "that are distributed as part of the configuration source code, so "
                             "if this file will be created by a resource in this configuration "
                             "you must instead obtain this result from an attribute of that "
                             "resource",
                             STR_ARG(path));
    }
    *ret_fault = HCL_FILE_OK;
    return true;
}

bool hcl_file_read(struct hcl_call *call, int bad_arg, struct str path, struct str *ret,
                   enum hcl_file_fault *ret_fault)
{
    struct str full;
    struct stat st;
    struct err err = {0};
    if (!look_at(call, bad_arg, path, &full, &st, ret_fault))
        return false;
    if (S_ISDIR(st.st_mode)) {
        *ret_fault = HCL_FILE_DIRECTORY;
        if (path.len == 0)
            path = STR(".");
        return hcl_call_fail(call, bad_arg, "failed to read file: read %.*s: is a directory",
                             STR_ARG(path));
    }
    if (!S_ISREG(st.st_mode)) {
        *ret_fault = HCL_FILE_REFUSED;
        return hcl_call_fail(call, bad_arg, "\"%.*s\" is not a regular file", STR_ARG(path));
    }
    const struct hcl_world *world = call->ev->world;
    if ((world->read && world->read(world->ctx, full, ret)) ||
        io_read_file(call->ev->arena, full.ptr, HCL_FILE_MAX, ret, &err))
        return true;
    *ret_fault = HCL_FILE_REFUSED;
    return hcl_call_fail(call, bad_arg, "failed to read file: %s", err.frame[0]);
}

bool hcl_file_text(struct hcl_call *call, struct str path, struct str *ret)
{
    enum hcl_file_fault fault;
    if (!hcl_file_read(call, 0, path, ret, &fault))
        return false;
    if (utf8_bad_at(*ret) == SIZE_MAX)
        return true;
    return hcl_call_fail(call, -1,
                         "contents of \"%.*s\" are not valid UTF-8; use the filebase64 function to "
                         "obtain the Base64 encoded contents or the other file functions (e.g. "
                         "filemd5, filesha256) to obtain file hashing results instead",
                         STR_ARG(path));
}

static bool run_file(struct hcl_call *call, struct value *ret)
{
    struct str text;
    return hcl_file_text(call, text_arg(call, 0), &text) && hcl_call_text(call, text, ret);
}

static bool run_filebase64(struct hcl_call *call, struct value *ret)
{
    struct str bytes;
    enum hcl_file_fault fault;
    return hcl_file_read(call, 0, text_arg(call, 0), &bytes, &fault) &&
           hcl_call_text(call, base64_encode(call->ev->arena, bytes), ret);
}

static bool run_fileexists(struct hcl_call *call, struct value *ret)
{
    struct str full;
    struct stat st;
    enum hcl_file_fault fault;
    bool there = look_at(call, 0, text_arg(call, 0), &full, &st, &fault);
    if (!there && fault != HCL_FILE_ABSENT)
        return false;
    if (there && !S_ISREG(st.st_mode))
        return hcl_call_fail(call, -1, "\"%.*s\" is %s", STR_ARG(text_arg(call, 0)),
                             S_ISDIR(st.st_mode) ? "a directory, not a file"
                                                 : "not a regular file");
    *ret = value_bool(there);
    return true;
}

/* --- digests of files --- */

static bool file_digest(struct hcl_call *call, const EVP_MD *md, bool base64, struct value *ret)
{
    struct str bytes, path = text_arg(call, 0);
    enum hcl_file_fault fault;
    unsigned char out[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned n = 0;
    if (!hcl_file_read(call, -1, path, &bytes, &fault))
        return fault != HCL_FILE_ABSENT
                   ? false
                   : hcl_call_fail(call, -1, "open %.*s: no such file or directory", STR_ARG(path));
    if (EVP_Digest(bytes.len ? bytes.ptr : "", bytes.len, out, &n, md, NULL) != 1)
        return hcl_call_fail(call, -1, "the digest is not available");
    if (base64)
        return hcl_call_text(
            call, base64_encode(call->ev->arena, (struct str){(const char *)out, n}), ret);
    for (unsigned i = 0; i < n; i++) {
        hex[2 * i] = "0123456789abcdef"[out[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[out[i] & 15];
    }
    return hcl_call_text(call, arena_dup(call->ev->arena, (struct str){hex, 2 * (size_t)n}), ret);
}

#define DIGEST(name, md, base64) \
    static bool run_##name(struct hcl_call *call, struct value *ret) \
    { \
        return file_digest(call, md(), base64, ret); \
    }
DIGEST(filemd5, EVP_md5, false)
DIGEST(filesha1, EVP_sha1, false)
DIGEST(filesha256, EVP_sha256, false)
DIGEST(filesha512, EVP_sha512, false)
DIGEST(filebase64sha256, EVP_sha256, true)
DIGEST(filebase64sha512, EVP_sha512, true)
#undef DIGEST

/* --- fileset --- */

enum {
    GLOB_DEPTH_MAX = 64,
    GLOB_FILES_MAX = 100000,
    GLOB_NAMES_MAX = 100000,
    GLOB_NESTING_MAX = 200,
    GLOB_STEPS_MAX = 100000
};

struct globbing {
    struct hcl_call *call;
    struct str base; /* results are relative to it */
    struct value *found;
    size_t n, room;
    unsigned steps; /* left for matching one name */
};

/* Does c fall into the class at pattern[*at] (behind "[")? *at moves behind the "]". */
static bool in_class(struct str pattern, size_t *at, uint32_t c, bool *ret_bad)
{
    bool negated = *at < pattern.len && pattern.ptr[*at] == '^';
    bool hit = false, any = false;
    *at += negated;
    while (*at < pattern.len && (pattern.ptr[*at] != ']' || !any)) {
        any = true;
        if (pattern.ptr[*at] == '\\' && *at + 1 < pattern.len)
            ++*at;
        uint32_t low = utf8_next(pattern, at), high = low;
        if (*at + 1 < pattern.len && pattern.ptr[*at] == '-' && pattern.ptr[*at + 1] != ']') {
            ++*at;
            high = utf8_next(pattern, at);
        }
        hit = hit || (c >= low && c <= high);
    }
    *ret_bad = *at >= pattern.len;
    ++*at;
    return hit != negated;
}

static bool match_name(struct globbing *g, struct str pattern, struct str name,
                       unsigned depth_left);

/* "{a,b}rest" at pattern[0] = '{': each alternative with the rest behind it. */
static bool match_braces(struct globbing *g, struct str pattern, struct str name,
                         unsigned depth_left)
{
    size_t end = 1, nested = 1, from = 1;
    for (; end < pattern.len && nested; end++)
        nested += (size_t)(pattern.ptr[end] == '{') - (size_t)(pattern.ptr[end] == '}');
    if (nested)
        return false;
    struct str rest = str_sub(pattern, end, pattern.len);
    for (size_t i = 1, level = 0; i < end; i++) {
        bool last = i + 1 == end;
        level += (size_t)(pattern.ptr[i] == '{') - (size_t)(pattern.ptr[i] == '}' && !last);
        if (!last && (pattern.ptr[i] != ',' || level))
            continue;
        struct str joined = arena_printf(g->call->ev->arena, "%.*s%.*s",
                                         STR_ARG(str_sub(pattern, from, i)), STR_ARG(rest));
        if (joined.ptr && match_name(g, joined, name, depth_left - 1))
            return true;
        from = i + 1;
    }
    return false;
}

/* One part of a path against one part of a pattern. */
static bool match_name(struct globbing *g, struct str pattern, struct str name, unsigned depth_left)
{
    size_t p = 0, n = 0;
    while (p < pattern.len) {
        if (depth_left == 0 || g->steps == 0)
            return false;
        g->steps--;
        char c = pattern.ptr[p];
        if (c == '*') {
            struct str rest = str_sub(pattern, p + 1, pattern.len);
            for (size_t at = n;; (void)utf8_next(name, &at)) {
                if (match_name(g, rest, str_sub(name, at, name.len), depth_left - 1))
                    return true;
                if (at >= name.len)
                    return false;
            }
        }
        if (c == '{')
            return match_braces(g, str_sub(pattern, p, pattern.len), str_sub(name, n, name.len),
                                depth_left);
        if (n >= name.len)
            return false;
        bool bad = false;
        p += c == '\\' && p + 1 < pattern.len;
        if (c == '[') {
            p++;
            if (!in_class(pattern, &p, utf8_next(name, &n), &bad) || bad)
                return false;
        } else if (c == '?') {
            p++;
            (void)utf8_next(name, &n);
        } else if (utf8_next(pattern, &p) != utf8_next(name, &n)) {
            return false;
        }
    }
    return n == name.len;
}

/* The way from one folder to a file that is not below it: "../a". Both absolute and clean. */
static struct str way_up(struct arena *arena, struct str from, struct str file)
{
    size_t common = 0;
    struct str way = STR("");
    for (size_t i = 0; i < from.len && i < file.len && from.ptr[i] == file.ptr[i]; i++)
        if (from.ptr[i] == '/')
            common = i + 1;
    for (size_t i = common; i <= from.len && way.ptr; i++)
        if (i == from.len || from.ptr[i] == '/')
            way = arena_printf(arena, "%.*s../", STR_ARG(way));
    return way.ptr ? arena_printf(arena, "%.*s%.*s", STR_ARG(way),
                                  STR_ARG(str_sub(file, common, file.len)))
                   : way;
}

static bool keep_file(struct globbing *g, struct str file)
{
    struct str below = pathname_below(g->base, file);
    if (g->n >= GLOB_FILES_MAX)
        return hcl_call_fail(g->call, -1, "more than %d files match", GLOB_FILES_MAX);
    struct arena *arena = g->call->ev->arena;
    if (!below.ptr && !(below = way_up(arena, g->base, file)).ptr)
        return false;
    g->found = arena_grow(arena, g->found, g->n, &g->room, g->n + 1);
    if (!g->found)
        return false;
    g->found[g->n++] = value_string(utf8_nfc(arena, below));
    return true;
}

/* What matches `parts` ("sub/" "**" ...) below the folder. */
static bool walk(struct globbing *g, struct str folder, struct str parts, unsigned depth_left)
{
    struct arena *arena = g->call->ev->arena;
    struct str part, rest = parts, *names;
    struct err err = {0};
    size_t n;
    bool more = str_cut(&rest, '/', &part), deep = str_equal(part, STR("**"));
    if (depth_left == 0)
        return hcl_call_fail(g->call, -1, "folders nested deeper than %d", GLOB_DEPTH_MAX);
    if (!io_is_dir(folder.ptr) || !below_root(g->call, folder))
        return true;
    if (deep && more && !walk(g, folder, rest, depth_left - 1))
        return false;
    if (!io_list_dir(arena, folder.ptr, GLOB_NAMES_MAX, &names, &n, &err))
        return hcl_call_fail(g->call, -1, "%s", err.frame[0]);
    for (size_t i = 0; i < n; i++) {
        struct str path = io_join(arena, folder, names[i]);
        struct stat st, link;
        g->steps = GLOB_STEPS_MAX;
        if (!path.ptr || !hcl_call_spend(g->call, 1))
            return false;
        if ((!deep && !match_name(g, part, names[i], GLOB_NESTING_MAX)) ||
            stat(path.ptr, &st) != 0 || lstat(path.ptr, &link) != 0)
            continue;
        if (S_ISREG(st.st_mode) && !more && below_root(g->call, path) && !keep_file(g, path))
            return false;
        bool into = S_ISDIR(st.st_mode) && (deep ? !S_ISLNK(link.st_mode) : more);
        if (into && !walk(g, path, deep ? parts : rest, depth_left - 1))
            return false;
    }
    return true;
}

/* Behind the last "/" before anything that is not plain text. */
static size_t plain_prefix(struct str pattern)
{
    size_t slash = 0;
    for (size_t i = 0; i < pattern.len && !strchr("*?[{\\", pattern.ptr[i]); i++)
        if (pattern.ptr[i] == '/')
            slash = i + 1;
    return slash;
}

static bool well_formed(struct str pattern)
{
    size_t braces = 0;
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.ptr[i] == '\\')
            i++;
        else if (pattern.ptr[i] == '[') {
            bool bad;
            i++;
            (void)in_class(pattern, &i, 0, &bad);
            if (bad)
                return false;
            i--;
        } else if (pattern.ptr[i] == '{') {
            braces++;
        } else if (pattern.ptr[i] == '}' && braces) {
            braces--;
        }
    }
    return braces == 0;
}

static bool run_fileset(struct hcl_call *call, struct value *ret)
{
    struct arena *arena = call->ev->arena;
    struct str path = text_arg(call, 0), pattern = text_arg(call, 1), full;
    struct globbing g = {.call = call};
    if (!hcl_file_allowed(call) || !from_base(call, path, &g.base))
        return false;
    struct str joined = arena_printf(arena, "%.*s/%.*s", STR_ARG(g.base), STR_ARG(pattern));
    full = joined.ptr ? pathname_clean(arena, joined) : joined;
    if (!full.ptr)
        return false;
    size_t prefix = plain_prefix(full);
    struct str folder = arena_dup(arena, prefix > 1 ? str_sub(full, 0, prefix - 1) : STR("/"));
    if (!well_formed(full) && folder.ptr && io_is_dir(folder.ptr))
        return hcl_call_fail(call, -1, "failed to glob pattern %.*s: syntax error in pattern",
                             STR_ARG(pattern));
    if (!folder.ptr || !walk(&g, folder, str_sub(full, prefix, full.len), GLOB_DEPTH_MAX))
        return false;
    return hcl_make_set(arena, &type_string, g.found, g.n, ret);
}

#define PATH(fn, type) \
    { \
        .name = #fn, .param = {{"path", "string", 0}}, .result = type, .run = run_##fn, \
        .result_not_null = 1 \
    }

static const struct hcl_function functions[] = {
    PATH(basename, "string"),
    PATH(dirname, "string"),
    PATH(abspath, "string"),
    PATH(pathexpand, "string"),
    PATH(file, "string"),
    PATH(filebase64, "string"),
    PATH(fileexists, "bool"),
    PATH(filemd5, "string"),
    PATH(filesha1, "string"),
    PATH(filesha256, "string"),
    PATH(filesha512, "string"),
    PATH(filebase64sha256, "string"),
    PATH(filebase64sha512, "string"),
    {.name = "fileset",
     .param = {{"path", "string", 0}, {"pattern", "string", 0}},
     .result = "set(string)",
     .run = run_fileset,
     .result_not_null = 1},
};

const struct hcl_function_family fn_file = {functions, sizeof functions / sizeof *functions};
