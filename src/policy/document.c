/* document.c - JSON or YAML, and what the value is. */
#include "policy/document.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "wire/json.h"
#include "wire/yaml.h"

static const char *const kinds[] = {
#define X(constant, name) [constant] = name,
    DOCUMENT_KINDS(X)
#undef X
};
static_assert(sizeof kinds / sizeof *kinds == DOCUMENT_KIND_COUNT, "a row for each kind");

const char *document_kind_name(enum document_kind kind)
{
    return (unsigned)kind < DOCUMENT_KIND_COUNT ? kinds[kind] : "invalid";
}

/* --- what it is --- */

static bool has(const struct value *v, struct str key, enum value_kind kind)
{
    const struct value *member = value_get(v, key);
    return member && member->kind == kind;
}

static bool is_plan(const struct value *v)
{
    static const struct str parts[] = {STR_INIT("planned_values"), STR_INIT("resource_changes"),
                                       STR_INIT("resource_drift"), STR_INIT("output_changes"),
                                       STR_INIT("prior_state"),    STR_INIT("configuration")};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (value_get(v, parts[i]))
            return true;
    return false;
}

enum document_kind document_kind_of(const struct value *v)
{
    int64_t version;
    if (!value_is_object_like(v))
        return DOCUMENT_OTHER;
    if (has(v, STR("format_version"), VALUE_STRING) && is_plan(v))
        return DOCUMENT_PLAN;
    if (has(v, STR("format_version"), VALUE_STRING) &&
        (has(v, STR("values"), VALUE_OBJECT) || has(v, STR("terraform_version"), VALUE_STRING)))
        return DOCUMENT_STATE;
    if (value_to_int64(value_get(v, STR("version")), &version) &&
        has(v, STR("terraform_version"), VALUE_STRING) && has(v, STR("resources"), VALUE_TUPLE))
        return DOCUMENT_RAW_STATE;
    if (!has(v, STR("kind"), VALUE_STRING) || !has(v, STR("apiVersion"), VALUE_STRING))
        return DOCUMENT_OTHER;
    return str_equal(value_get_string(v, STR("kind")), STR("AdmissionReview")) ? DOCUMENT_REVIEW
                                                                               : DOCUMENT_MANIFEST;
}

/* --- documents --- */

struct reading {
    struct arena *arena;
    struct document *item;
    size_t n, room;
};

static bool add(struct reading *r, const struct document *document, struct err *err)
{
    if (r->n == DOCUMENTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d documents", DOCUMENTS_MAX);
    struct document *grown = arena_grow(r->arena, r->item, r->n, &r->room, r->n + 1);
    if (!grown)
        return arena_full(r->arena, err);
    r->item = grown;
    grown[r->n++] = *document;
    return true;
}

static bool is_list(const struct value *v)
{
    return document_kind_of(v) == DOCUMENT_MANIFEST && has(v, STR("items"), VALUE_TUPLE) &&
           str_ends(value_get_string(v, STR("kind")), STR("List"));
}

/* An array and a List of Kubernetes are several documents. */
static bool take(struct reading *r, struct document document, struct err *err)
{
    const struct value *v = document.root;
    const struct value *items = is_list(v) ? value_get(v, STR("items")) : v;
    if (v->kind == VALUE_NULL)
        return true;
    if (items->kind != VALUE_TUPLE) {
        document.kind = document_kind_of(v);
        return add(r, &document, err);
    }
    for (uint32_t i = 0; i < items->len; i++) {
        document.root = &items->items[i];
        document.kind = document_kind_of(document.root);
        if (!add(r, &document, err))
            return false;
    }
    return true;
}

static bool read_json(struct reading *r, struct str text, const char *name, struct err *err)
{
    struct value *root = arena_new(r->arena, struct value, 1);
    if (!root)
        return arena_full(r->arena, err);
    return json_parse(r->arena, text, name, JSON_DUPLICATES_LAST, root, err) &&
           take(r, (struct document){.root = root, .whole = root}, err);
}

static bool read_yaml(struct reading *r, struct str text, const char *name, struct err *err)
{
    struct yaml_doc *docs;
    size_t n;
    if (!yaml_parse(r->arena, text, name, YAML_V1_1_BOOLS | YAML_ANY_TAG, &docs, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!take(r, (struct document){.root = &docs[i].root, .yaml = &docs[i]}, err))
            return false;
    return true;
}

/* What people name by mistake: told before a parser complains of its first byte. */
static bool is_foreign(struct str text, const char *name, struct err *err)
{
    static const struct {
        struct str head;
        const char *what;
    } known[] = {
        {STR_INIT("PK\x03\x04"), "a plan as Terraform keeps it (or another archive): make JSON of "
                                 "it with `terraform show -json FILE`"},
        {STR_INIT("\x1f\x8b"), "compressed: unpack it first"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_starts(text, known[i].head))
            return err_set(err, ERR_UNSUPPORTED, "%s: this is %s", name, known[i].what);
    return true;
}

bool documents_parse(struct arena *arena, struct str text, struct str file, struct documents *ret,
                     struct err *err)
{
    struct reading r = {.arena = arena};
    struct str bare = str_trim(text);
    struct err why = {0};
    bool like_json = bare.len && (bare.ptr[0] == '{' || bare.ptr[0] == '[');
    if (!is_foreign(text, file.ptr, err))
        return false;
    bool ok = like_json && read_json(&r, text, file.ptr, &why);
    if (!ok && why.kind != ERR_LIMIT && !(like_json && str_ends(file, STR(".json")))) {
        /* flow mappings of YAML begin like JSON: if it is neither, JSON is what was meant */
        r.n = 0;
        ok = read_yaml(&r, text, file.ptr, like_json ? NULL : &why);
    }
    if (!ok) {
        *err = why;
        return false;
    }
    for (size_t i = 0; i < r.n; i++)
        if (!value_is_object_like(r.item[i].root))
            return err_set(err, ERR_UNSUPPORTED,
                           "%s: not recognised: neither a plan, a state or a manifest nor another "
                           "document of JSON or YAML (its value is %s %s)",
                           file.ptr, r.n > 1 ? "also" : "a",
                           value_plain_kind_name(r.item[i].root->kind));
    *ret = (struct documents){file, text, r.item, r.n};
    return true;
}

bool documents_read(struct arena *arena, struct str path, struct documents *ret, struct err *err)
{
    struct str text, name = arena_dup(arena, path);
    if (!name.ptr)
        return arena_full(arena, err);
    if (str_equal(path, STR("-")))
        return io_read_fd(arena, STDIN_FILENO, "<stdin>", DOCUMENT_BYTES_MAX, &text, err) &&
               documents_parse(arena, text, STR("<stdin>"), ret, err);
    return io_read_file(arena, name.ptr, DOCUMENT_BYTES_MAX, &text, err) &&
           documents_parse(arena, text, name, ret, err);
}
