/* load.c - walk the paths, read the files, merge the documents. */
#include "policy/load.h"

#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/regex_re2.h"
#include "policy/pack.h"
#include "policy/rule_tests.h"
#include "policy/waiver.h"
#include "wire/json.h"
#include "wire/yaml.h"

struct loaded { /* a document, already below the keys of its folders */
    struct str file;
    struct value value;
};
struct loader {
    struct arena *arena;
    const struct policy_load_options *options;
    struct rego_source *source;
    size_t nsources, source_room;
    struct loaded *doc;
    size_t ndocs, doc_room, nfiles;
    struct str *rule_file, *rule_test_file, *waiver_file;
    size_t nrule_files, rule_room, nrule_test_files, rule_test_room, nwaiver_files, waiver_room;
    struct str key[POLICY_FOLDERS_DEEP * 2]; /* of the folder that is read now */
    size_t nkeys;
    struct policy_passed_over *passed_over;
    size_t npassed_over, passed_over_room;
    struct str text; /* of the file that is read now, where it is in memory; else ptr NULL */
};

/* --- merging --- */

static bool clash(struct arena *arena, struct str key, struct str below, struct str *ret)
{
    *ret = below.len ? arena_printf(arena, "%.*s.%.*s", STR_ARG(key), STR_ARG(below))
                     : arena_dup(arena, key);
    return false;
}

/* lenient: on a clash what `a` has stays. */
static bool merge(struct arena *arena, const struct value *a, const struct value *b, bool lenient,
                  struct value *ret, struct str *ret_clash)
{
    size_t i = 0, j = 0, n = 0;
    struct value_member *members = arena_new(arena, struct value_member, a->len + (size_t)b->len);
    *ret_clash = (struct str){0};
    if (!members)
        return false;
    while (i < a->len || j < b->len) {
        int c = i == a->len   ? 1
                : j == b->len ? -1
                              : str_compare(key_str(a->members[i].key), key_str(b->members[j].key));
        members[n] = c <= 0 ? a->members[i] : b->members[j];
        if (c == 0) {
            const struct value *x = &a->members[i].value, *y = &b->members[j].value;
            struct str below = {0}, key = key_str(a->members[i].key);
            bool objects = value_is_object_like(x) && value_is_object_like(y);
            if (!objects && !lenient)
                return clash(arena, key, below, ret_clash);
            if (objects && !merge(arena, x, y, lenient, &members[n].value, &below))
                return below.ptr && clash(arena, key, below, ret_clash);
        }
        i += c <= 0;
        j += c >= 0;
        n++;
    }
    *ret = (struct value){.kind = VALUE_OBJECT, .len = (uint32_t)n, .members = members};
    return true;
}

bool policy_merge(struct arena *arena, const struct value *a, const struct value *b,
                  struct value *ret, struct str *ret_clash)
{
    return merge(arena, a, b, false, ret, ret_clash);
}

/* Has the document something at a path that policy_merge() named? */
static bool has_path(const struct value *v, struct str path)
{
    struct str key;
    bool more = true;
    while (more && v) {
        more = str_cut(&path, '.', &key);
        v = value_get(v, key);
    }
    return v != NULL;
}

/* Halves of halves, so that ten thousand files are not copied ten thousand times. */
static bool merge_all(struct loader *l, size_t from, size_t to, struct value *ret, struct err *err)
{
    struct value left, right;
    struct str path;
    if (to - from == 0) {
        *ret = (struct value){.kind = VALUE_OBJECT};
        return true;
    }
    if (to - from == 1) {
        *ret = l->doc[from].value;
        return true;
    }
    size_t middle = from + (to - from) / 2;
    if (!merge_all(l, from, middle, &left, err) || !merge_all(l, middle, to, &right, err))
        return false;
    if (merge(l->arena, &left, &right, l->options->lenient, ret, &path))
        return true;
    if (!path.ptr)
        return arena_full(l->arena, err);
    size_t first = from, second = middle;
    while (first + 1 < middle && !has_path(&l->doc[first].value, path))
        first++;
    while (second + 1 < to && !has_path(&l->doc[second].value, path))
        second++;
    return err_set(err, ERR_CONFLICT, "%.*s: data.%.*s is in %.*s already",
                   STR_ARG(l->doc[second].file), STR_ARG(path), STR_ARG(l->doc[first].file));
}

/* --- files --- */

static bool parse_yaml(struct arena *arena, struct str text, struct str path, struct value *ret,
                       struct err *err)
{
    struct yaml_doc *docs;
    size_t n;
    if (!yaml_parse(arena, text, path.ptr, YAML_V1_1_BOOLS | YAML_ANY_TAG, &docs, &n, err))
        return false;
    if (n > 1)
        return err_set(err, ERR_SYNTAX, "%.*s:%u: a second document; one is read from a file",
                       STR_ARG(path), docs[1].place.line);
    *ret = n ? docs[0].root : value_null();
    return true;
}

static bool parse_document(struct arena *arena, struct str text, struct str name, struct value *ret,
                           struct err *err)
{
    if (str_ends(name, STR(".json")))
        return json_parse(arena, text, name.ptr, JSON_DUPLICATES_LAST, ret, err);
    return parse_yaml(arena, text, name, ret, err);
}

bool policy_load_document(struct arena *arena, struct str path, struct value *ret, struct err *err)
{
    struct str text, name = arena_dup(arena, path);
    if (!name.ptr)
        return arena_full(arena, err);
    bool in_pack = pack_is_builtin(name) || str_find(name, STR("//"), 0) != SIZE_MAX;
    if (str_ends(name, STR(".json")) && !in_pack)
        return json_read_file(arena, name.ptr, POLICY_DATA_MAX, JSON_DUPLICATES_LAST, ret, err);
    if (str_equal(path, STR("-"))) {
        name = STR("<stdin>");
        if (!io_read_fd(arena, STDIN_FILENO, name.ptr, POLICY_DATA_MAX, &text, err))
            return false;
    } else if (!pack_read_text(arena, name, POLICY_DATA_MAX, &text, err)) {
        return false;
    }
    return parse_document(arena, text, name, ret, err);
}

/* {keys: {of: {the folder: v}}} */
static bool wrap(struct loader *l, struct value *v, struct err *err)
{
    for (size_t i = l->nkeys; i-- > 0;) {
        struct value_member *member = arena_new(l->arena, struct value_member, 1);
        const struct value_key *key = key_make(l->arena, l->key[i]);
        if (!member || !key)
            return arena_full(l->arena, err);
        *member = (struct value_member){key, *v};
        *v = (struct value){.kind = VALUE_OBJECT, .len = 1, .members = member};
    }
    return true;
}

static bool add_path(struct loader *l, struct str path, struct str **list, size_t *n, size_t *room,
                     struct err *err)
{
    struct str *grown = arena_grow(l->arena, *list, *n, room, *n + 1);
    if (!grown)
        return arena_full(l->arena, err);
    *list = grown;
    grown[(*n)++] = path;
    return true;
}

static bool is_yaml_name(struct str path)
{
    return str_ends(path, STR(".yaml")) || str_ends(path, STR(".yml"));
}

static bool add_data(struct loader *l, struct str path, struct err *err)
{
    struct value v;
    struct loaded *grown = arena_grow(l->arena, l->doc, l->ndocs, &l->doc_room, l->ndocs + 1);
    if (!grown)
        return arena_full(l->arena, err);
    l->doc = grown;
    if (l->options->rules && rule_tests_is_name(path))
        return add_path(l, path, &l->rule_test_file, &l->nrule_test_files, &l->rule_test_room, err);
    if (l->options->rules && pack_is_manifest(path))
        return true;
    if (l->text.ptr ? !parse_document(l->arena, l->text, path, &v, err)
                    : !policy_load_document(l->arena, path, &v, err))
        return false;
    if (l->options->rules && is_yaml_name(path) && rules_is_file(&v))
        return add_path(l, path, &l->rule_file, &l->nrule_files, &l->rule_room, err);
    if (l->options->rules && is_yaml_name(path) && waivers_is_file(&v))
        return add_path(l, path, &l->waiver_file, &l->nwaiver_files, &l->waiver_room, err);
    if (!value_is_object_like(&v) && !l->nkeys)
        return err_set(err, ERR_SYNTAX, "%.*s: data must be an object, not %s", STR_ARG(path),
                       value_plain_kind_name(v.kind));
    if (!wrap(l, &v, err))
        return false;
    l->doc[l->ndocs++] = (struct loaded){path, v};
    return true;
}

static bool add_rego(struct loader *l, struct str path, struct err *err)
{
    struct str text = l->text;
    struct rego_source *grown =
        arena_grow(l->arena, l->source, l->nsources, &l->source_room, l->nsources + 1);
    if (!grown)
        return arena_full(l->arena, err);
    l->source = grown;
    if (!text.ptr && !io_read_file(l->arena, path.ptr, REGO_TEXT_MAX, &text, err))
        return false;
    l->source[l->nsources++] =
        (struct rego_source){.file = path, .text = text, .v0 = l->options->v0};
    return true;
}

static bool is_data_name(struct str path)
{
    return str_ends(path, STR(".json")) || str_ends(path, STR(".yaml")) ||
           str_ends(path, STR(".yml"));
}

/* named: the command line has this very path, so that it must be something. */
static bool add_file(struct loader *l, struct str path, bool named, struct err *err)
{
    unsigned what = l->options->what;
    bool rego = str_ends(path, STR(".rego"));
    if (++l->nfiles > POLICY_FILES_MAX)
        return err_set(err, ERR_LIMIT, "%.*s: more than %d files", STR_ARG(path), POLICY_FILES_MAX);
    if (rego && (!what || what & POLICY_LOAD_REGO))
        return add_rego(l, path, err);
    if (!rego && (!what || what & POLICY_LOAD_DATA) && (named || is_data_name(path)))
        return add_data(l, path, err);
    return true;
}

static bool is_ignored(const struct loader *l, struct str path)
{
    return l->options->ignore && regex_match(l->options->ignore, path, 0, NULL, 0);
}

/* A file of a folder; with `lenient` one that cannot be read is noted. */
static bool add_below(struct loader *l, struct str path, struct err *err)
{
    char text[ERR_TEXT_MAX];
    if (add_file(l, path, false, err))
        return true;
    if (!l->options->lenient || err->kind != ERR_SYNTAX)
        return false;
    struct policy_passed_over *grown = arena_grow(l->arena, l->passed_over, l->npassed_over,
                                                  &l->passed_over_room, l->npassed_over + 1);
    struct str why = arena_dup(l->arena, str_from(err_text(err, text, sizeof text)));
    if (!grown || !why.ptr)
        return arena_full(l->arena, err);
    l->passed_over = grown;
    grown[l->npassed_over++] = (struct policy_passed_over){path, why};
    *err = (struct err){0};
    return true;
}

static bool add_folder(struct loader *l, struct str path, unsigned depth_left, struct err *err)
{
    struct str *names;
    size_t n;
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "%.*s: folders are nested deeper than %d", STR_ARG(path),
                       POLICY_FOLDERS_DEEP);
    if (!io_list_dir(l->arena, path.ptr, POLICY_FILES_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++) {
        struct str below = io_join(l->arena, path, names[i]);
        bool ok = true;
        if (!below.ptr)
            return arena_full(l->arena, err);
        if (is_ignored(l, below) || io_is_loop(below.ptr))
            continue;
        if (io_is_dir(below.ptr)) {
            l->key[l->nkeys++] = names[i];
            ok = add_folder(l, below, depth_left - 1, err);
            l->nkeys--;
        } else {
            ok = add_below(l, below, err);
        }
        if (!ok)
            return false;
    }
    return true;
}

/* OPA reads data of these names only, and a bundle is what OPA reads. */
static bool is_bundle_data(struct str path)
{
    struct str name = io_basename(path);
    return str_equal(name, STR("data.json")) || str_equal(name, STR("data.yaml")) ||
           str_equal(name, STR("data.yml"));
}

/* The folders of a path become keys. */
static bool push_keys(struct loader *l, struct str path, struct err *err)
{
    struct str key;
    for (bool more = str_cut(&path, '/', &key); more; more = str_cut(&path, '/', &key)) {
        if (l->nkeys == POLICY_FOLDERS_DEEP)
            return err_set(err, ERR_LIMIT, "%.*s: more than %d folders", STR_ARG(path),
                           POLICY_FOLDERS_DEEP);
        l->key[l->nkeys++] = key;
    }
    return true;
}

/* Is a YAML file of a bundle rules? Others that are not data.yaml are of no concern. */
static bool is_rule_text(struct loader *l, const struct pack_file *file)
{
    struct value v;
    return l->options->rules && is_yaml_name(file->path) && !pack_is_manifest(file->path) &&
           (rule_tests_is_name(file->path) ||
            (parse_document(l->arena, file->text, file->path, &v, NULL) && rules_is_file(&v)));
}

/* A pack that is no folder: built-in, or a bundle. Its files are read in memory. */
static bool add_pack(struct loader *l, struct str origin, struct err *err)
{
    struct pack pack;
    size_t nkeys = l->nkeys;
    bool ok = true, bundle = !pack_is_builtin(origin);
    if (!pack_read(l->arena, origin, &pack, err))
        return false;
    for (size_t i = 0; i < pack.n && ok; i++) {
        const struct pack_file *file = &pack.file[i];
        struct str path = arena_printf(l->arena, "%.*s%s%.*s", STR_ARG(origin), bundle ? "//" : "/",
                                       STR_ARG(file->path));
        if (!path.ptr)
            return arena_full(l->arena, err);
        if (is_ignored(l, path) || (bundle && !str_ends(path, STR(".rego")) &&
                                    !is_bundle_data(path) && !is_rule_text(l, file)))
            continue;
        l->text = file->text;
        ok = push_keys(l, file->path, err) && add_file(l, path, false, err);
        l->nkeys = nkeys;
    }
    l->text = (struct str){0};
    return ok;
}

/* "a.b:PATH": keys a and b; PATH itself is what is left. A path that exists as it is has none. */
static bool take_prefix(struct loader *l, struct str *path, struct err *err)
{
    struct str rest = *path, prefix, key;
    bool more = true;
    l->nkeys = 0;
    if (pack_is_builtin(*path) || io_exists(path->ptr) || !str_cut(&rest, ':', &prefix) ||
        !rest.len)
        return true;
    while (more) {
        more = str_cut(&prefix, '.', &key);
        if (l->nkeys == POLICY_FOLDERS_DEEP)
            return err_set(err, ERR_LIMIT, "%.*s: more than %d keys", STR_ARG(*path),
                           POLICY_FOLDERS_DEEP);
        if (key.len)
            l->key[l->nkeys++] = key;
    }
    *path = rest;
    return true;
}

static bool add_named(struct loader *l, struct str path, struct err *err)
{
    if (pack_is_builtin(path))
        return add_pack(l, path, err);
    if (!io_exists(path.ptr) && !str_equal(path, STR("-")))
        return err_set(err, ERR_IO, "no file or folder %.*s", STR_ARG(path));
    if (io_is_dir(path.ptr))
        return add_folder(l, path, POLICY_FOLDERS_DEEP, err);
    return pack_is_bundle(path) ? add_pack(l, path, err) : add_file(l, path, true, err);
}

bool policy_load(struct arena *arena, const struct str *paths, size_t n,
                 const struct policy_load_options *options, struct policy_files *ret,
                 struct err *err)
{
    struct loader *l = arena_new(arena, struct loader, 1);
    if (!l)
        return arena_full(arena, err);
    l->arena = arena;
    l->options = options;
    for (size_t i = 0; i < n; i++) {
        struct str path = arena_dup(arena, paths[i]);
        if (!path.ptr)
            return arena_full(arena, err);
        if (!take_prefix(l, &path, err))
            return false;
        if (!add_named(l, path, err))
            return false;
    }
    struct value data;
    if (!merge_all(l, 0, l->ndocs, &data, err))
        return false;
    *ret = (struct policy_files){.source = l->source,
                                 .nsources = l->nsources,
                                 .data = data,
                                 .rule_file = l->rule_file,
                                 .rule_test_file = l->rule_test_file,
                                 .nrule_files = l->nrule_files,
                                 .nrule_test_files = l->nrule_test_files,
                                 .waiver_file = l->waiver_file,
                                 .nwaiver_files = l->nwaiver_files,
                                 .passed_over = l->passed_over,
                                 .npassed_over = l->npassed_over};
    return true;
}
