/* folder.c - what lies in a stack's folder, and whether a text could name it. */
#include "live/reader_provider/folder.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/io.h"
#include "model/resource.h"
#include "value/value.h"

enum { NAMES_MAX = 200, FOLDERS_MAX = 64, DEPTH_MAX = 6, PRIVATE_MAX = 1 << 20 };

/* --- what lies there --- */

/* Of Terraform, OpenTofu and Terragrunt, and what people read. */
static const struct str known_ends[] = {
    STR_INIT(".tf"),        STR_INIT(".tf.json"),     STR_INIT(".tofu"),
    STR_INIT(".tofu.json"), STR_INIT(".tfvars"),      STR_INIT(".tfvars.json"),
    STR_INIT(".hcl"),       STR_INIT(".tftest.json"), STR_INIT(".md"),
};
static const struct str known_names[] = {
    STR_INIT("LICENSE"),    STR_INIT("CODEOWNERS"),         STR_INIT("OWNERS"),
    STR_INIT(".gitignore"), STR_INIT(".gitattributes"),     STR_INIT(".gitkeep"),
    STR_INIT("plumb.yaml"), STR_INIT(".terraform-version"), STR_INIT(".opentofu-version"),
};
/* Nobody else's, whatever is in them. */
static const struct str known_folders[] = {
    STR_INIT(".terraform"),
    STR_INIT(".git"),
    STR_INIT(".plumb"),
    STR_INIT("terraform.tfstate.d"),
};

static bool is_among(struct str name, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(name, list[i]))
            return true;
    return false;
}

static bool is_known_file(struct str name)
{
    for (size_t i = 0; i < sizeof known_ends / sizeof *known_ends; i++)
        if (str_ends(name, known_ends[i]))
            return true;
    /* a state, its backups and its lock */
    return str_find(name, STR(".tfstate"), 0) != SIZE_MAX ||
           is_among(name, known_names, sizeof known_names / sizeof *known_names);
}

/* It is spelt in one way in JSON and in a path. */
static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c <= ' ' || c >= 0x7f || strchr("\"\\<>&", c))
            return false;
    }
    return name.len > 0;
}

struct looking {
    struct arena *arena;
    struct str data_dir;
    unsigned folders;
    bool other;
};

static bool look_into(struct looking *looking, struct str path, unsigned depth,
                      struct str **ret_names, size_t *ret_n);

/* What cannot be looked at (a link to nowhere, no memory) is something else. */
static bool is_known(struct looking *looking, struct str folder, struct str name, unsigned depth)
{
    struct stat st;
    struct str path = io_join(looking->arena, folder, name), *names;
    size_t n;
    if (!path.ptr || stat(path.ptr, &st) < 0)
        return false;
    if (!S_ISDIR(st.st_mode))
        return S_ISREG(st.st_mode) && is_known_file(name);
    return str_equal(path, looking->data_dir) ||
           is_among(name, known_folders, sizeof known_folders / sizeof *known_folders) ||
           look_into(looking, path, depth + 1, &names, &n);
}

static bool look_into(struct looking *looking, struct str path, unsigned depth,
                      struct str **ret_names, size_t *ret_n)
{
    if (depth > DEPTH_MAX || looking->folders++ > FOLDERS_MAX ||
        !io_list_dir(looking->arena, path.ptr, NAMES_MAX, ret_names, ret_n, NULL))
        return false;
    for (size_t i = 0; i < *ret_n && !looking->other; i++)
        looking->other |= !is_known(looking, path, (*ret_names)[i], depth);
    return true;
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool folder_look(struct arena *arena, struct str root, struct str data_dir, struct folder *ret)
{
    struct looking looking = {.arena = arena, .data_dir = data_dir};
    struct str path = arena_dup(arena, root.len ? root : STR("."));
    struct str *names = NULL;
    *ret = (struct folder){0};
    if (!path.ptr || !look_into(&looking, path, 0, &names, &ret->n))
        return false;
    for (size_t i = 0; i < ret->n; i++) {
        if (!is_plain(names[i]))
            return false;
        unsigned char first = lower(names[i].ptr[0]);
        ret->starts[first] = true;
        if (first >= 'a' && first <= 'z')
            ret->starts[first & ~0x20] = true;
    }
    ret->name = names;
    ret->other = looking.other;
    return true;
}

/* --- what is said --- */

static bool is_word(char c)
{
    unsigned char u = (unsigned char)c;
    return (u >= '0' && u <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || u >= 0x80 ||
           u == '_' || u == '-' || u == '.';
}

/* Case is looked past: some file systems do. */
static bool is_at(struct str text, size_t at, struct str name)
{
    if (text.len - at < name.len || (text.len - at > name.len && is_word(text.ptr[at + name.len])))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (lower(text.ptr[at + i]) != lower(name.ptr[i]))
            return false;
    return true;
}

/* A dot, or two, where a path begins: alone or before a slash. And two on the way. */
static bool is_dotted(struct str text, size_t at)
{
    size_t end = at;
    while (end < text.len && text.ptr[end] == '.')
        end++;
    if (end == at || end - at > 2 ||
        (end < text.len && !strchr("/\\\"' \t\n,;:)]}", text.ptr[end])))
        return false;
    return end - at == 2 || at == 0 || text.ptr[at - 1] != '/';
}

bool folder_named_in_text(const struct folder *folder, struct str text)
{
    for (size_t at = 0; at < text.len; at++) {
        bool starts = at == 0 || !is_word(text.ptr[at - 1]);
        if (!starts)
            continue;
        if (text.ptr[at] == '.' && is_dotted(text, at))
            return true;
        if (!folder->starts[(unsigned char)text.ptr[at]])
            continue;
        for (size_t i = 0; i < folder->n; i++)
            if (is_at(text, at, folder->name[i]))
                return true;
    }
    return false;
}

/* Letters of a name, and its slashes, stand for themselves, or it is not looked into. */
static bool is_escaped(struct str json)
{
    for (size_t at = str_find_char(json, '\\', 0); at < json.len;
         at = str_find_char(json, '\\', at + 2)) {
        struct str code = str_sub(json, at + 1, at + 6);
        if (str_starts(code, STR("/")))
            return true;
        if (!str_starts(code, STR("u00")) || code.len < 5)
            continue;
        bool harmless = lower(code.ptr[3]) >= '8' || code.ptr[3] < '2';
        struct str last = str_sub(code, 3, 5);
        if (!harmless && !str_equal(last, STR("3c")) && !str_equal(last, STR("3e")) &&
            !str_equal(last, STR("26")))
            return true;
    }
    return false;
}

/* The n of \n is no letter of the word behind it; nor is that of \\n, in JSON within JSON. */
static bool is_broken(const struct folder *folder, struct str json)
{
    for (size_t at = str_find_char(json, '\\', 0); at < json.len;
         at = str_find_char(json, '\\', at + 1)) {
        struct str rest = str_sub(json, at + 2, json.len);
        bool blank = at + 1 < json.len && strchr("nrtbf", json.ptr[at + 1]);
        if (!blank || !rest.len)
            continue;
        if (rest.ptr[0] == '.' && is_dotted(rest, 0))
            return true;
        for (size_t i = 0; i < folder->n; i++)
            if (is_at(rest, 0, folder->name[i]))
                return true;
    }
    return false;
}

bool folder_named_in_json(const struct folder *folder, struct str json)
{
    return folder_named_in_text(folder, json) || (json.len && memchr(json.ptr, '\\', json.len) &&
                                                  (is_escaped(json) || is_broken(folder, json)));
}

static bool named_at(const struct folder *folder, const struct value *v, unsigned depth_left)
{
    bool list = v->kind == VALUE_LIST || v->kind == VALUE_TUPLE || v->kind == VALUE_SET;
    if (v->kind == VALUE_STRING)
        return folder_named_in_text(folder, (struct str){v->text, v->len});
    if (depth_left == 0)
        return true;
    for (uint32_t i = 0; list && i < v->len; i++)
        if (named_at(folder, &v->items[i], depth_left - 1))
            return true;
    for (uint32_t i = 0; (v->kind == VALUE_MAP || v->kind == VALUE_OBJECT) && i < v->len; i++)
        if (folder_named_in_text(folder, key_str(v->members[i].key)) ||
            named_at(folder, &v->members[i].value, depth_left - 1))
            return true;
    return false;
}

bool folder_named_in_value(const struct folder *folder, const struct value *v)
{
    return named_at(folder, v, VALUE_DEPTH_MAX);
}

static bool named_in_private(const struct folder *folder, struct str base64)
{
    AUTO_ARENA arena = {.limit = PRIVATE_MAX};
    struct str bytes;
    return base64.len &&
           (!base64_decode(&arena, base64, &bytes, NULL) || folder_named_in_json(folder, bytes));
}

bool folder_named_in_resource(const struct folder *folder, const struct resource *resource)
{
    return folder_named_in_json(folder, resource->attributes_json) ||
           folder_named_in_json(folder, resource->flatmap_json) ||
           folder_named_in_value(folder, &resource->attributes) ||
           folder_named_in_json(folder, resource->identity_json) ||
           folder_named_in_text(folder, resource->import_id) ||
           named_in_private(folder, resource->private_base64);
}

bool folder_named_in_environment(const struct folder *folder, const char *const *env)
{
    for (; *env; env++) {
        struct str name, value = str_from(*env);
        (void)str_cut(&value, '=', &name);
        if (str_equal(name, STR("_"))) /* how a shell has called us */
            continue;
        bool absolute = str_starts(value, STR("/")) && str_find_char(value, ':', 0) == SIZE_MAX;
        if (!absolute && folder_named_in_text(folder, value))
            return true;
    }
    return false;
}
