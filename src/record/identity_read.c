/* identity_read.c - the names of all resources of a state. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "desired/desired.h"
#include "record/identity_parts.h"
#include "wire/json.h"

enum { DEPTH_MAX = 8, SCRATCH_BYTES = 256 << 20 };

/* Attributes that say which other resource this one is of: a policy's bucket, a member's group. */
static const struct str refers[] = {
    STR_INIT("bucket"),   STR_INIT("role"),    STR_INIT("user"),       STR_INIT("group"),
    STR_INIT("cluster"),  STR_INIT("queue"),   STR_INIT("topic"),      STR_INIT("repository"),
    STR_INIT("rule"),     STR_INIT("zone"),    STR_INIT("table"),      STR_INIT("function"),
    STR_INIT("policy"),   STR_INIT("project"), STR_INIT("database"),   STR_INIT("service"),
    STR_INIT("instance"), STR_INIT("network"), STR_INIT("subnetwork"), STR_INIT("dataset"),
    STR_INIT("secret"),   STR_INIT("folder"),  STR_INIT("org_id"),     STR_INIT("host")};

/* Attributes that are the resource itself, whatever its type. */
static const struct str itself[] = {STR_INIT("id"),        STR_INIT("arn"),
                                    STR_INIT("self_link"), STR_INIT("unique_id"),
                                    STR_INIT("url"),       STR_INIT("resource_id")};

struct walk {
    struct identities *all;
    struct arena *arena;
    const struct resource *resource;
    struct identity_entry *entry;
    struct buf text;
    bool full;
};

static void add(struct walk *w, struct str text, enum identity_rank rank)
{
    struct identities *all = w->all;
    if (w->entry->n == IDENTITIES_PER_RESOURCE || !identity_normalise(&w->text, text))
        return;
    int64_t hash = identity_hash(buf_view(&w->text));
    for (size_t i = w->entry->first; i < all->nnames; i++)
        if (all->name[i].hash == hash) {
            if (rank < all->name[i].rank)
                all->name[i].rank = rank;
            return;
        }
    struct identity_name *grown =
        arena_grow(w->arena, all->name, all->nnames, &all->names_room, all->nnames + 1);
    if (!grown) {
        w->full = true;
        return;
    }
    all->name = grown;
    all->name[all->nnames++] = (struct identity_name){hash, rank};
    w->entry->n++;
}

static bool among(struct str key, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_equal(key, list[i]))
            return true;
    return false;
}

/* function_name of an aws_lambda_function, key_id of an aws_kms_key: what stands before is a part
 * of the type's name. */
static bool is_own(struct str key, const char *ending, struct str type)
{
    struct str end = str_from(ending);
    if (!str_ends(key, end) || key.len == end.len)
        return false;
    struct str noun = str_sub(key, 0, key.len - end.len);
    return str_ends(type, noun) && type.len > noun.len && type.ptr[type.len - noun.len - 1] == '_';
}

static bool rank_of(struct str key, unsigned depth, struct str type, enum identity_rank *ret)
{
    static const char *const endings[] = {"_id", "_arn", "_name", "_link", "_identifier", NULL};
    *ret = IDENTITY_REFERENCE;
    if (depth > 1) {
        if (among(key, itself, 3))
            return true;
    } else if (among(key, itself, sizeof itself / sizeof *itself) || is_own(key, "_id", type) ||
               is_own(key, "_arn", type)) {
        *ret = IDENTITY_EXACT;
        return true;
    } else if (str_equal(key, STR("name")) || str_equal(key, STR("identifier")) ||
               is_own(key, "_name", type) || is_own(key, "_identifier", type)) {
        *ret = IDENTITY_NAME;
        return true;
    } else if (among(key, refers, sizeof refers / sizeof *refers)) {
        return true;
    }
    for (size_t i = 0; endings[i]; i++)
        if (str_ends(key, str_from(endings[i])))
            return true;
    return str_ends(key, STR("_ids")) || str_ends(key, STR("_arns"));
}

/* In any place of a state these are names of something in the cloud. */
static bool is_universal(struct str text)
{
    return str_starts(text, STR("arn:")) || str_starts(text, STR("/subscriptions/"));
}

static void walk_value(struct walk *w, struct str key, const struct value *v, unsigned depth)
{
    enum identity_rank rank = IDENTITY_REFERENCE;
    if (depth > DEPTH_MAX || w->entry->n == IDENTITIES_PER_RESOURCE)
        return;
    if (v->kind == VALUE_STRING) {
        if (rank_of(key, depth, w->resource->type, &rank) || is_universal(value_text(v)))
            add(w, value_text(v), rank);
    } else if (value_is_list_like(v)) {
        for (uint32_t i = 0; i < v->len; i++)
            walk_value(w, key, &v->items[i], depth + (v->items[i].kind != VALUE_STRING));
    } else if (value_is_object_like(v) && !str_starts(key, STR("tags"))) {
        for (uint32_t i = 0; i < v->len; i++)
            walk_value(w, key_str(v->members[i].key), &v->members[i].value, depth + 1);
    }
}

static bool is_secret(const struct resource *r, struct str key)
{
    for (size_t i = 0; i < r->nsensitive; i++)
        if (r->sensitive[i].n && r->sensitive[i].step[0].kind == PATH_KEY &&
            str_equal(r->sensitive[i].step[0].key, key))
            return true;
    return false;
}

/* --- where it is --- */

static struct str step_of(struct str text, char separator, size_t n)
{
    struct str step = {0};
    bool more = true;
    for (size_t i = 0; i <= n; i++) {
        if (!more)
            return (struct str){0};
        more = str_cut(&text, separator, &step);
    }
    return step;
}

struct str identity_cloud(struct str type)
{
    static const struct {
        struct str prefix, cloud;
    } clouds[] = {
        {STR_INIT("aws"), STR_INIT("aws")},       {STR_INIT("awscc"), STR_INIT("aws")},
        {STR_INIT("google"), STR_INIT("google")}, {STR_INIT("azurerm"), STR_INIT("azure")},
        {STR_INIT("azuread"), STR_INIT("azure")}, {STR_INIT("azapi"), STR_INIT("azure")}};
    struct str prefix = step_of(type, '_', 0);
    for (size_t i = 0; i < sizeof clouds / sizeof *clouds; i++)
        if (str_equal(prefix, clouds[i].prefix))
            return clouds[i].cloud;
    return STR("");
}

static struct str first_text(const struct value *v, const struct str *keys, size_t n)
{
    struct str text = {0};
    for (size_t i = 0; i < n && !text.len; i++)
        text = value_get_string(v, keys[i]);
    return text;
}

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len != 0;
}

/* Google spells a project by its number in some places, by its id in others. */
static void add_by_project(struct walk *w, const struct value *v, struct str project)
{
    AUTO_BUF other = {.limit = IDENTITY_TEXT_MAX};
    for (size_t i = 0; i < 3; i++) {
        struct str text = value_get_string(v, itself[i]);
        if (!str_starts(text, STR("projects/")) || !is_number(step_of(text, '/', 1)) ||
            is_number(project) || !project.len)
            continue;
        other.len = 0;
        buf_printf(&other, "projects/%.*s", STR_ARG(project));
        buf_str(&other, str_sub(text, 9 + step_of(text, '/', 1).len, text.len));
        add(w, buf_view(&other), IDENTITY_EXACT);
    }
}

static void place(struct walk *w, const struct value *v)
{
    static const struct str accounts[] = {STR_INIT("project"), STR_INIT("project_id"),
                                          STR_INIT("owner_id"), STR_INIT("account_id")};
    static const struct str regions[] = {STR_INIT("region"), STR_INIT("zone"),
                                         STR_INIT("location")};
    struct identity_entry *e = w->entry;
    struct str id = value_get_string(v, STR("id")), arn = value_get_string(v, STR("arn"));
    e->cloud = identity_cloud(e->type);
    if (str_equal(e->cloud, STR("aws"))) {
        if (!arn.len && str_starts(id, STR("arn:")))
            arn = id;
        e->account = step_of(arn, ':', 4);
        e->region = step_of(arn, ':', 3);
        if (!arn.len)
            e->account = first_text(v, &accounts[2], 2);
    } else if (str_equal(e->cloud, STR("google"))) {
        e->account = first_text(v, accounts, 2);
        e->region = first_text(v, regions, 3);
        add_by_project(w, v, e->account);
    } else if (str_equal(e->cloud, STR("azure")) && str_starts(id, STR("/subscriptions/"))) {
        e->account = step_of(id, '/', 2);
    }
}

/* --- a resource --- */

static int by_hash(const void *a, const void *b)
{
    const struct identity_name *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

static bool keep(struct arena *arena, struct str *s)
{
    *s = arena_dup(arena, *s);
    return s->ptr != NULL;
}

static int64_t sum_of(const struct identities *all, const struct identity_entry *e)
{
    uint64_t sum = hash_bytes(e->type, 1);
    sum = hash_bytes(e->account, sum);
    sum = hash_bytes(e->region, sum);
    for (size_t i = 0; i < e->n; i++) {
        const struct identity_name *name = &all->name[e->first + i];
        const int64_t both[2] = {name->hash, (int64_t)name->rank};
        sum = hash_bytes((struct str){(const char *)both, sizeof both}, sum);
    }
    return (int64_t)sum;
}

static bool read_attributes(struct arena *scratch, const struct resource *r, struct value *ret)
{
    struct str text = r->attributes_json.len ? r->attributes_json : r->flatmap_json;
    *ret = r->attributes;
    return value_is_object_like(ret) ||
           (text.len && json_parse(scratch, text, "state", JSON_DUPLICATES_LAST, ret, NULL) &&
            value_is_object_like(ret));
}

static bool take(struct walk *w, struct arena *scratch, struct err *err)
{
    struct identities *all = w->all;
    struct value v;
    struct identity_entry *grown = arena_grow(w->arena, all->entry, all->n, &all->room, all->n + 1);
    if (!grown)
        return arena_full(w->arena, err);
    all->entry = grown;
    w->entry = &all->entry[all->n];
    *w->entry = (struct identity_entry){
        .address = w->resource->address, .type = w->resource->type, .first = all->nnames};
    if (read_attributes(scratch, w->resource, &v)) {
        for (uint32_t i = 0; i < v.len; i++) {
            struct str key = key_str(v.members[i].key);
            if (!is_secret(w->resource, key))
                walk_value(w, key, &v.members[i].value, 1);
        }
        place(w, &v);
    }
    struct identity_entry *e = w->entry;
    if (w->full || !keep(w->arena, &e->address) || !keep(w->arena, &e->type) ||
        !keep(w->arena, &e->account) || !keep(w->arena, &e->region))
        return arena_full(w->arena, err);
    if (e->n > 1)
        qsort(&all->name[e->first], e->n, sizeof *all->name, by_hash);
    e->sum = sum_of(all, e);
    all->n++;
    return true;
}

/* --- a state --- */

static int by_address(const void *a, const void *b)
{
    const struct identity_entry *x = a, *y = b;
    return str_compare(x->address, y->address);
}

static bool read_all(struct identities *all, struct arena *arena, struct desired *state,
                     struct err *err)
{
    AUTO_ARENA scratch = {.limit = SCRATCH_BYTES};
    struct resource resource;
    struct walk w = {.all = all,
                     .arena = arena,
                     .resource = &resource,
                     .text = {.limit = IDENTITY_TEXT_MAX + 1}};
    struct err why = {0};
    bool ok = true;
    while (ok && desired_next(state, &resource, &why)) {
        if (resource.mode == RESOURCE_MANAGED && !resource.deposed.len)
            ok = take(&w, &scratch, err);
        arena_reset(&scratch);
    }
    buf_free(&w.text);
    if (ok && why.kind != ERR_NONE && err)
        *err = why;
    if (!ok || why.kind != ERR_NONE)
        return false;
    if (all->n > 1)
        qsort(all->entry, all->n, sizeof *all->entry, by_address);
    return true;
}

/* Another number with another version. */
static int64_t state_of_hash(uint64_t hash)
{
    return (int64_t)(hash ^ UINT64_C(0x9e3779b97f4a7c15) * IDENTITY_VERSION);
}

static int64_t state_of(struct str text)
{
    return state_of_hash(hash_bytes(text, 0));
}

/* *ret_known: what the store has of it; false: nothing, or on error. */
static bool find_state(struct record *record, struct str stack, int64_t *ret_known, struct err *err)
{
    const struct db_value param = DB_PARAM_TEXT(stack);
    struct err none = {0};
    if (db_one_int(record->db, "SELECT state FROM identity_stack WHERE stack = $1", &param, 1,
                   ret_known, &none))
        return true;
    *err = none;
    return false;
}

bool identities_are_of(struct record *record, struct str stack, struct str text, bool *ret,
                       struct err *err)
{
    int64_t known = 0;
    struct err none = {0};
    bool there = find_state(record, stack, &known, &none);
    *ret = there ? text.len && known == state_of(text) : !text.len;
    if (none.kind != ERR_NONE && err)
        *err = none;
    return none.kind == ERR_NONE;
}

bool identities_are_of_hash(struct record *record, struct str stack, uint64_t hash, bool *ret,
                            struct err *err)
{
    int64_t known = 0;
    struct err none = {0};
    *ret = find_state(record, stack, &known, &none) && known == state_of_hash(hash);
    if (none.kind != ERR_NONE && err)
        *err = none;
    return none.kind == ERR_NONE;
}

bool identities_read(struct record *record, struct arena *arena, struct str stack, struct str text,
                     const char *name, struct identities **ret, struct err *err)
{
    struct desired *desired;
    bool same = false;
    *ret = NULL;
    if (!identities_are_of(record, stack, text, &same, err) || same)
        return same;
    struct identities *all = arena_new(arena, struct identities, 1);
    if (!all)
        return arena_full(arena, err);
    *all = (struct identities){.stack = arena_dup(arena, stack), .state = state_of(text)};
    if (!all->stack.ptr)
        return arena_full(arena, err);
    if (!desired_open_state_text(text, name, &desired, err))
        return false;
    bool ok = read_all(all, arena, desired, err);
    desired_close(desired);
    if (ok)
        *ret = all;
    return ok;
}

/* --- values without a state --- */

bool identities_of_value(struct arena *arena, struct str type, const struct value *v,
                         int64_t **ret_hash, size_t *ret_n, struct err *err)
{
    struct identities all = {0};
    struct identity_entry entry = {.type = type};
    const struct resource resource = {.type = type};
    struct walk w = {.all = &all,
                     .arena = arena,
                     .resource = &resource,
                     .entry = &entry,
                     .text = {.limit = IDENTITY_TEXT_MAX + 1}};
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        if (!(v->members[i].value.marks & VALUE_SENSITIVE))
            walk_value(&w, key_str(v->members[i].key), &v->members[i].value, 1);
    buf_free(&w.text);
    int64_t *hash = arena_new(arena, int64_t, all.nnames);
    if (w.full || !hash)
        return arena_full(arena, err);
    *ret_n = 0;
    for (size_t i = 0; i < all.nnames; i++)
        if (all.name[i].rank != IDENTITY_REFERENCE)
            hash[(*ret_n)++] = all.name[i].hash;
    *ret_hash = hash;
    return true;
}
