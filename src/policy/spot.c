/* spot.c - the walk over text and tree, and the table of nodes by address. */
#include "policy/spot.h"

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/document.h"
#include "wire/json.h"
#include "wire/json_scan.h"
#include "wire/yaml.h"

#define NO_NODE UINT32_MAX

struct node {
    const struct value *value;
    uint32_t parent; /* NO_NODE: the root */
    struct path_step step;
    uint32_t line, column, key_line, key_column;
};
struct slot {
    uintptr_t address; /* of the node, or of what it holds; 0 = free */
    uint32_t node;
};
struct spots {
    struct arena *arena;
    const struct documents *documents;
    const struct document *document;
    struct node *node;
    size_t n, room;
    struct slot *slot;
    size_t nslots;
    /* of the walk over JSON */
    struct json_scan scan;
    const char *counted; /* up to here lines are counted */
    uint32_t line, column;
    bool full;
    size_t *line_at; /* where each line of the text begins */
    size_t nlines;
};

/* --- nodes --- */

/* What the value holds, as a key of its own: the first item of a list stands where its items do. */
static uintptr_t held(const struct value *v)
{
    bool holds =
        v->len && (v->kind == VALUE_STRING || value_is_list_like(v) || value_is_object_like(v));
    uintptr_t address = (uintptr_t)(const void *)v->items;
    return !holds ? 0 : v->kind == VALUE_STRING ? address * 4 + 2 : address * 4 + 1;
}

static uintptr_t of_node(const struct value *v)
{
    return (uintptr_t)v * 4;
}

static struct slot *find_slot(const struct spots *s, uintptr_t address)
{
    uint64_t h = (uint64_t)address * 0x9e3779b97f4a7c15U;
    size_t at = (size_t)(h ^ h >> 31) & (s->nslots - 1);
    while (s->slot[at].address && s->slot[at].address != address)
        at = (at + 1) & (s->nslots - 1);
    return &s->slot[at];
}

static void put_slot(struct spots *s, uintptr_t address, uint32_t node)
{
    struct slot *slot = find_slot(s, address);
    if (!slot->address) /* what an alias shares stands where it was written first */
        *slot = (struct slot){address, node};
}

static bool index_nodes(struct spots *s)
{
    s->nslots = 64;
    while (s->nslots < s->n * 4)
        s->nslots *= 2;
    s->slot = arena_new(s->arena, struct slot, s->nslots);
    for (size_t i = 0; s->slot && i < s->n; i++) {
        put_slot(s, of_node(s->node[i].value), (uint32_t)i);
        if (held(s->node[i].value))
            put_slot(s, held(s->node[i].value), (uint32_t)i);
    }
    return s->slot != NULL;
}

static struct node *add_node(struct spots *s, const struct value *v, uint32_t parent,
                             struct path_step step)
{
    struct node *grown =
        s->n < NO_NODE ? arena_grow(s->arena, s->node, s->n, &s->room, s->n + 1) : NULL;
    s->full = s->full || !grown;
    if (!grown)
        return NULL;
    s->node = grown;
    grown[s->n] = (struct node){.value = v, .parent = parent, .step = step};
    return &grown[s->n++];
}

/* --- JSON --- */

/* The cursor only goes forward. */
static void count_to(struct spots *s, const char *at, uint32_t *ret_line, uint32_t *ret_column)
{
    for (const char *p = s->counted; p < at; p++) {
        s->column += ((unsigned char)*p & 0xc0) != 0x80;
        if (*p == '\n') {
            s->line++;
            s->column = 1;
        }
    }
    s->counted = at;
    *ret_line = s->line;
    *ret_column = s->column;
}

static bool walk_json(struct spots *s, const struct value *v, uint32_t parent,
                      struct path_step step, const char *key_at, unsigned depth_left);

/* The member that a raw key of the text names. */
static const struct value_member *member_of(struct spots *s, const struct value *v, struct str raw,
                                            bool escaped)
{
    struct str key = raw;
    if (escaped) {
        char *bytes = arena_new_raw(s->arena, char, raw.len + 1);
        if (!bytes)
            return NULL;
        key = (struct str){bytes, json_unescape(bytes, raw)};
    }
    const struct value *member = value_get(v, key);
    return member
               ? (const struct value_member *)(const void *)((const char *)member -
                                                             offsetof(struct value_member, value))
               : NULL;
}

static bool skip_value(struct spots *s)
{
    struct str ignored;
    return json_scan_value(&s->scan, JSON_DEPTH_MAX, &ignored);
}

static bool walk_object(struct spots *s, const struct value *v, uint32_t self, unsigned depth_left)
{
    struct str raw;
    bool escaped, first = true;
    s->scan.at++;
    while (json_scan_next_key(&s->scan, &first, &raw, &escaped)) {
        const struct value_member *member = member_of(s, v, raw, escaped);
        bool ok = member
                      ? walk_json(s, &member->value, self,
                                  (struct path_step){.kind = PATH_KEY, .key = key_str(member->key)},
                                  raw.ptr - 1, depth_left)
                      : skip_value(s);
        if (!ok)
            return false;
    }
    return !s->scan.why;
}

static bool walk_array(struct spots *s, const struct value *v, uint32_t self, unsigned depth_left)
{
    bool first = true;
    s->scan.at++;
    for (uint32_t i = 0; json_scan_next_item(&s->scan, &first); i++)
        if (!(i < v->len
                  ? walk_json(s, &v->items[i], self,
                              (struct path_step){.kind = PATH_INDEX, .index = i}, NULL, depth_left)
                  : skip_value(s)))
            return false;
    return !s->scan.why;
}

static bool walk_json(struct spots *s, const struct value *v, uint32_t parent,
                      struct path_step step, const char *key_at, unsigned depth_left)
{
    struct node *node = add_node(s, v, parent, step);
    uint32_t self = (uint32_t)(s->n - 1);
    if (!node || depth_left == 0)
        return false;
    if (key_at)
        count_to(s, key_at, &node->key_line, &node->key_column);
    json_scan_space(&s->scan);
    if (s->scan.at == s->scan.end)
        return false;
    count_to(s, s->scan.at, &node->line, &node->column);
    char c = *s->scan.at;
    /* of a key that is there twice the last value counts: the other one may be of another kind */
    if (c == '{' && value_is_object_like(v))
        return walk_object(s, v, self, depth_left - 1);
    if (c == '[' && value_is_list_like(v))
        return walk_array(s, v, self, depth_left - 1);
    return skip_value(s);
}

/* --- YAML --- */

static bool walk_yaml(struct spots *s, const struct value *v, uint32_t parent,
                      struct path_step step, unsigned depth_left)
{
    const struct yaml_doc *doc = s->document->yaml;
    struct node *node = add_node(s, v, parent, step);
    uint32_t self = (uint32_t)(s->n - 1);
    if (!node || depth_left == 0)
        return false;
    struct place at = yaml_place(doc, v), key = yaml_key_place(doc, v);
    node->line = at.line;
    node->column = at.column;
    node->key_line = key.line;
    node->key_column = key.column;
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        if (!walk_yaml(s, &v->members[i].value, self,
                       (struct path_step){.kind = PATH_KEY, .key = key_str(v->members[i].key)},
                       depth_left - 1))
            return false;
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        if (!walk_yaml(s, &v->items[i], self, (struct path_step){.kind = PATH_INDEX, .index = i},
                       depth_left - 1))
            return false;
    return true;
}

static bool index_lines(struct spots *s)
{
    struct str text = s->documents->text;
    size_t n = 1;
    for (size_t at = 0; (at = str_find_char(text, '\n', at)) != SIZE_MAX; at++)
        n++;
    s->line_at = arena_new_raw(s->arena, size_t, n);
    if (!s->line_at)
        return false;
    s->line_at[s->nlines++] = 0;
    for (size_t at = 0; (at = str_find_char(text, '\n', at)) != SIZE_MAX; at++)
        s->line_at[s->nlines++] = at + 1;
    return true;
}

bool spots_open(struct arena *arena, const struct documents *documents,
                const struct document *document, struct spots **ret, struct err *err)
{
    struct spots *s = arena_new(arena, struct spots, 1);
    struct path_step none = {0};
    if (!s)
        return arena_full(arena, err);
    *s = (struct spots){.arena = arena,
                        .documents = documents,
                        .document = document,
                        .scan = json_scan_open(documents->text),
                        .counted = documents->text.ptr,
                        .line = 1,
                        .column = 1};
    /* what cannot be walked to the end has places as far as it was */
    if (document->yaml)
        (void)walk_yaml(s, &document->yaml->root, NO_NODE, none, YAML_DEPTH_MAX + 1);
    else
        (void)walk_json(s, document->whole, NO_NODE, none, NULL, JSON_DEPTH_MAX + 1);
    if (s->full || !index_nodes(s) || !index_lines(s))
        return arena_full(arena, err);
    *ret = s;
    return true;
}

/* --- asking --- */

static struct str line_of(const struct spots *s, uint32_t line)
{
    struct str text = s->documents->text;
    if (!line || line > s->nlines)
        return (struct str){0};
    size_t from = s->line_at[line - 1], to = line < s->nlines ? s->line_at[line] - 1 : text.len;
    struct str got = str_sub(text, from, to);
    if (got.len && got.ptr[got.len - 1] == '\r')
        got.len--;
    return got.len <= SPOT_LINE_MAX ? got : (struct str){0};
}

static struct path path_of(const struct spots *s, uint32_t id, const struct value *missing,
                           size_t nmissing)
{
    size_t n = 0;
    const struct value *root = s->document->root;
    for (uint32_t at = id; s->node[at].parent != NO_NODE && s->node[at].value != root;
         at = s->node[at].parent)
        n++;
    struct path_step *step = arena_new_raw(s->arena, struct path_step, n + nmissing);
    struct path path = {step, step ? n : 0};
    for (uint32_t at = id; step && n; at = s->node[at].parent)
        step[--n] = s->node[at].step;
    for (size_t i = 0; step && i < nmissing; i++) {
        int64_t index;
        if (value_is_string(&missing[i]))
            step[path.n++] = (struct path_step){.kind = PATH_KEY, .key = value_text(&missing[i])};
        else if (value_to_int64(&missing[i], &index))
            step[path.n++] = (struct path_step){.kind = PATH_INDEX, .index = index};
        else
            break;
    }
    return path;
}

static struct spot spot_of(const struct spots *s, uint32_t id, const struct value *missing,
                           size_t nmissing)
{
    const struct node *node = &s->node[id];
    /* what is not there is best shown by the key of what should have it */
    bool key = nmissing && node->key_line;
    struct spot spot = {.path = path_of(s, id, missing, nmissing)};
    spot.at.file = s->documents->file;
    spot.at.line = key ? node->key_line : node->line;
    spot.at.column = key ? node->key_column : node->column;
    if (spot.at.line) {
        spot.at.end_line = spot.at.line;
        spot.line = line_of(s, spot.at.line);
    }
    return spot;
}

bool spots_find(const struct spots *spots, const struct value *node, const struct value *copy,
                const struct value *missing, size_t nmissing, struct spot *ret)
{
    const struct slot *slot = find_slot(spots, of_node(node));
    if (!slot->address && copy && held(copy))
        slot = find_slot(spots, held(copy));
    if (!slot->address)
        return false;
    /* the value itself may be of the document though its holder is shared by another one */
    *ret = spot_of(spots, slot->node, missing, nmissing);
    return true;
}

size_t spots_depth(const struct spots *spots, const struct value *node, const struct value *copy)
{
    const struct slot *slot = find_slot(spots, of_node(node));
    size_t n = 0;
    if (!slot->address && copy && held(copy))
        slot = find_slot(spots, held(copy));
    if (!slot->address)
        return SIZE_MAX;
    for (uint32_t at = slot->node; spots->node[at].parent != NO_NODE; at = spots->node[at].parent)
        n++;
    return n;
}

struct spot spots_at(const struct spots *spots, struct path path)
{
    const struct value *at = spots->document->root;
    size_t i = 0;
    for (; i < path.n; i++) {
        const struct path_step *step = &path.step[i];
        const struct value *below = NULL;
        if (step->kind == PATH_KEY)
            below = value_get(at, step->key);
        else if (step->kind == PATH_INDEX && value_is_list_like(at) && step->index >= 0 &&
                 step->index < at->len)
            below = &at->items[step->index];
        if (!below)
            break;
        at = below;
    }
    struct spot spot = {.path = path};
    const struct slot *slot = find_slot(spots, of_node(at));
    if (slot->address)
        spot = spot_of(spots, slot->node, NULL, 0);
    const struct node *node = slot->address ? &spots->node[slot->node] : NULL;
    if (i < path.n && node && node->key_line) {
        spot.at.line = spot.at.end_line = node->key_line;
        spot.at.column = node->key_column;
        spot.line = line_of(spots, node->key_line);
    }
    spot.path = path;
    return spot;
}
