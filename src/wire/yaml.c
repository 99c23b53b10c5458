/* yaml.c - libyaml's events to value trees with places; aliases shared, merges done, all bounded.
 */
#include "wire/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"
#include "wire/yaml_scalar.h"

/* --- places --- */

/* The children of one container: an array of values or of members, and where each stands. */
struct span {
    const char *base;
    uint32_t n;
    bool members;
    const struct place *value, *key; /* key: members only */
};
struct yaml_places {
    const struct span *span; /* sorted by base */
    size_t n;
};

static int span_order(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    return (x->base > y->base) - (x->base < y->base);
}

static size_t span_stride(const struct span *span)
{
    return span->members ? sizeof(struct value_member) : sizeof(struct value);
}

/* The span that a node stands in and its index there; NULL: it is not of this document. */
static const struct span *find_span(const struct yaml_places *places, const struct value *node,
                                    size_t *ret_index)
{
    const char *at = (const char *)node;
    size_t low = 0, high = places && node ? places->n : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (places->span[middle].base <= at)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NULL;
    const struct span *span = &places->span[low - 1];
    size_t index = (size_t)(at - span->base) / span_stride(span);
    *ret_index = index;
    return index < span->n ? span : NULL;
}

struct place yaml_place(const struct yaml_doc *doc, const struct value *node)
{
    size_t i;
    if (node == &doc->root)
        return doc->place;
    const struct span *span = find_span(doc->places, node, &i);
    return span ? span->value[i] : (struct place){0};
}

struct place yaml_key_place(const struct yaml_doc *doc, const struct value *member_value)
{
    size_t i;
    const struct span *span = find_span(doc->places, member_value, &i);
    return span && span->members ? span->key[i] : (struct place){0};
}

/* --- building --- */

/* A node on its way into its container. */
struct node {
    struct value value;
    const struct value_key *key;
    struct place place, key_place;
    size_t weight;   /* bytes and nodes, aliases followed */
    unsigned height; /* 0 = a scalar */
    bool merged;     /* came through `<<`: gives way to a key of this mapping */
    size_t span;     /* a container's own, by index; only if it has children */
    size_t came;     /* the how-manieth of its mapping */
};

struct anchor {
    const struct value_key *name;
    struct node node;
    bool open; /* its container is not read to the end: an alias would contain itself */
};

struct builder {
    struct arena *arena, scratch; /* what lasts, what goes with the parse */
    struct key_table keys;
    const char *name;
    struct str text;
    unsigned flags;
    struct err *err;
    yaml_parser_t parser;
    size_t budget;      /* weight that aliases may still add */
    struct node *stack; /* children of the open containers, one behind the other */
    size_t nstack, stack_room;
    struct span *span; /* of this document */
    size_t nspans, span_room;
    struct anchor *anchor; /* of this document, in order; slot[]: 1 + the newest of that name */
    size_t nanchors, anchor_room;
    uint32_t *slot;
    size_t nslots;
};

#define AUTO_EVENT __attribute__((cleanup(yaml_event_delete))) yaml_event_t

static bool parse_node(struct builder *b, const yaml_event_t *event, unsigned depth_left,
                       struct node *ret);

static struct place place_of(yaml_mark_t mark)
{
    return (struct place){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

static bool fail(const struct builder *b, struct place at, const char *why, struct str detail)
{
    return err_set(b->err, ERR_SYNTAX, "%s:%u:%u: %s%.*s", b->name, at.line, at.column, why,
                   STR_ARG(detail));
}

static bool full(const struct builder *b)
{
    return arena_full(b->arena, b->err);
}

/* libyaml says where it noticed and, in `context`, where that began. */
static bool fail_in_parser(const struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    struct place at = place_of(p->problem_mark), from = place_of(p->context_mark);
    const char *problem = p->problem ? p->problem : "unreadable";
    const char *hint =
        memmem(b->text.ptr, b->text.len, "{{", 2) ? " (a template? render it before)" : "";
    if (p->error == YAML_MEMORY_ERROR)
        return err_set(b->err, ERR_LIMIT, "%s: out of memory", b->name);
    if (p->error == YAML_READER_ERROR) {
        size_t line, column;
        json_place(b->text, p->problem_offset, &line, &column);
        return err_set(b->err, ERR_SYNTAX, "%s:%zu:%zu: %s", b->name, line, column, problem);
    }
    if (!p->context)
        return err_set(b->err, ERR_SYNTAX, "%s:%u:%u: %s%s", b->name, at.line, at.column, problem,
                       hint);
    if (p->problem_mark.index >= b->text.len) /* the end of the file helps nobody */
        return err_set(b->err, ERR_SYNTAX, "%s:%u:%u: %s: %s%s", b->name, from.line, from.column,
                       p->context, problem, hint);
    return err_set(b->err, ERR_SYNTAX, "%s:%u:%u: %s (%s from %u:%u)%s", b->name, at.line,
                   at.column, problem, p->context, from.line, from.column, hint);
}

static bool next(struct builder *b, yaml_event_t *event)
{
    return yaml_parser_parse(&b->parser, event) || fail_in_parser(b);
}

static bool push(struct builder *b, const struct node *node)
{
    b->stack = arena_grow(&b->scratch, b->stack, b->nstack, &b->stack_room, b->nstack + 1);
    if (!b->stack)
        return full(b);
    b->stack[b->nstack++] = *node;
    return true;
}

static bool add_span(struct builder *b, const struct span *span)
{
    if (span->n == 0) /* no address is in it, and its base is that of what comes next */
        return true;
    b->span = arena_grow(b->arena, b->span, b->nspans, &b->span_room, b->nspans + 1);
    if (!b->span)
        return full(b);
    b->span[b->nspans++] = *span;
    return true;
}

/* --- anchors --- */

static struct str event_text(const yaml_char_t *s)
{
    return str_from((const char *)s);
}

static uint32_t *find_slot(const struct builder *b, const struct value_key *name)
{
    size_t at = name->hash & (b->nslots - 1);
    while (b->slot[at] && b->anchor[b->slot[at] - 1].name != name)
        at = (at + 1) & (b->nslots - 1);
    return &b->slot[at];
}

static bool grow_slots(struct builder *b)
{
    size_t n = b->nslots ? b->nslots * 2 : 64;
    uint32_t *slot = arena_new(&b->scratch, uint32_t, n);
    if (!slot)
        return full(b);
    b->slot = slot;
    b->nslots = n;
    for (size_t i = 0; i < b->nanchors; i++) /* in order: the newest of a name stays */
        *find_slot(b, b->anchor[i].name) = (uint32_t)i + 1;
    return true;
}

/* Index of the new anchor, or SIZE_MAX in *ret where the node has none. */
static bool open_anchor(struct builder *b, const yaml_char_t *name, size_t *ret)
{
    *ret = SIZE_MAX;
    if (!name)
        return true;
    const struct value_key *key = key_intern(&b->keys, event_text(name));
    b->anchor = arena_grow(&b->scratch, b->anchor, b->nanchors, &b->anchor_room, b->nanchors + 1);
    if (!key || !b->anchor)
        return full(b);
    b->anchor[b->nanchors++] = (struct anchor){.name = key, .open = true};
    if (b->nanchors * 2 > b->nslots && !grow_slots(b))
        return false;
    *find_slot(b, key) = (uint32_t)b->nanchors;
    *ret = b->nanchors - 1;
    return true;
}

static void close_anchor(struct builder *b, size_t at, const struct node *node)
{
    if (at == SIZE_MAX)
        return;
    b->anchor[at].node = *node;
    b->anchor[at].open = false;
}

static bool parse_alias(struct builder *b, const yaml_event_t *event, unsigned depth_left,
                        struct node *ret)
{
    struct place at = place_of(event->start_mark);
    struct str name = event_text(event->data.alias.anchor);
    const struct value_key *key = key_intern(&b->keys, name);
    if (!key)
        return full(b);
    uint32_t slot = b->nslots ? *find_slot(b, key) : 0;
    const struct anchor *anchor = slot ? &b->anchor[slot - 1] : NULL;
    if (!anchor)
        return fail(b, at, "there is no anchor of that name: *", name);
    if (anchor->open)
        return fail(b, at, "an alias inside of what it stands for: *", name);
    if (anchor->node.weight > b->budget)
        return err_set(b->err, ERR_LIMIT, "%s:%u:%u: aliases make more than %d times the file",
                       b->name, at.line, at.column, YAML_ALIAS_BUDGET);
    if (anchor->node.height > depth_left)
        return err_set(b->err, ERR_LIMIT, "%s:%u:%u: nested deeper than %d", b->name, at.line,
                       at.column, YAML_DEPTH_MAX);
    b->budget -= anchor->node.weight;
    *ret = anchor->node;
    ret->place = at;
    return true;
}

/* --- scalars --- */

static const struct {
    struct str tag;
    enum yaml_tag read;
} scalar_tags[] = {
    {STR_INIT(YAML_STR_TAG), YAML_TAG_STR},
    {STR_INIT(YAML_INT_TAG), YAML_TAG_INT},
    {STR_INIT(YAML_FLOAT_TAG), YAML_TAG_FLOAT},
    {STR_INIT(YAML_BOOL_TAG), YAML_TAG_BOOL},
    {STR_INIT(YAML_NULL_TAG), YAML_TAG_NULL},
    {STR_INIT(YAML_TIMESTAMP_TAG), YAML_TAG_STR},
    {STR_INIT("tag:yaml.org,2002:binary"), YAML_TAG_STR},
};

static bool find_tag(const struct builder *b, const yaml_event_t *event, enum yaml_tag *ret)
{
    struct str tag = event_text(event->data.scalar.tag);
    *ret = event->data.scalar.plain_implicit ? YAML_TAG_PLAIN : YAML_TAG_STR;
    if (event->data.scalar.plain_implicit || event->data.scalar.quoted_implicit || !tag.len)
        return true;
    for (size_t i = 0; i < sizeof scalar_tags / sizeof *scalar_tags; i++)
        if (str_equal(tag, scalar_tags[i].tag)) {
            *ret = scalar_tags[i].read;
            return true;
        }
    *ret = YAML_TAG_STR;
    return b->flags & YAML_ANY_TAG || fail(b, place_of(event->start_mark), "unknown tag ", tag);
}

static bool parse_scalar(struct builder *b, const yaml_event_t *event, struct node *ret)
{
    struct place at = place_of(event->start_mark);
    size_t anchor;
    enum yaml_tag tag;
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    if (text.len > VALUE_LEN_MAX || !(text = arena_dup(b->arena, text)).ptr)
        return full(b);
    *ret = (struct node){.place = at, .weight = 1 + text.len, .span = SIZE_MAX};
    if (!find_tag(b, event, &tag) || !open_anchor(b, event->data.scalar.anchor, &anchor))
        return false;
    if (!yaml_resolve(b->arena, text, tag, b->flags, &ret->value, b->err))
        return b->err && err_set(b->err, b->err->kind, "%s:%u:%u: %s", b->name, at.line, at.column,
                                 b->err->frame[0]);
    close_anchor(b, anchor, ret);
    return true;
}

/* --- sequences --- */

static bool plain_tag(const struct builder *b, const yaml_char_t *tag, bool implicit,
                      const char *core, const yaml_event_t *event)
{
    struct str t = event_text(tag);
    return implicit || !t.len || str_equal(t, str_from(core)) || str_equal(t, STR("!")) ||
           b->flags & YAML_ANY_TAG || fail(b, place_of(event->start_mark), "unknown tag ", t);
}

/* The stack from `first` on becomes an array of values. */
static bool close_sequence(struct builder *b, size_t first, struct node *ret)
{
    size_t n = b->nstack - first;
    struct value *items = arena_new_raw(b->arena, struct value, n);
    struct place *places = arena_new_raw(b->arena, struct place, n);
    if (!items || !places || n > VALUE_LEN_MAX)
        return full(b);
    for (size_t i = 0; i < n; i++) {
        const struct node *child = &b->stack[first + i];
        items[i] = child->value;
        places[i] = child->place;
        ret->weight += child->weight;
        if (child->height >= ret->height)
            ret->height = child->height + 1;
    }
    b->nstack = first;
    ret->value = value_items(VALUE_TUPLE, items, n);
    ret->span = b->nspans;
    return add_span(b, &(struct span){(const char *)items, (uint32_t)n, false, places, NULL});
}

static bool parse_sequence(struct builder *b, const yaml_event_t *start, unsigned depth_left,
                           struct node *ret)
{
    size_t first = b->nstack, anchor;
    *ret = (struct node){.place = place_of(start->start_mark), .weight = 1, .height = 1};
    if (!plain_tag(b, start->data.sequence_start.tag, start->data.sequence_start.implicit,
                   YAML_SEQ_TAG, start) ||
        !open_anchor(b, start->data.sequence_start.anchor, &anchor))
        return false;
    for (;;) {
        AUTO_EVENT event = {0};
        struct node child;
        if (!next(b, &event))
            return false;
        if (event.type == YAML_SEQUENCE_END_EVENT)
            break;
        if (!parse_node(b, &event, depth_left, &child) || !push(b, &child))
            return false;
    }
    if (!close_sequence(b, first, ret))
        return false;
    close_anchor(b, anchor, ret);
    return true;
}

/* --- mappings --- */

/* By key; where one key has several, what is not merged first, else as they came. */
static int node_order(const void *a, const void *b)
{
    const struct node *x = a, *y = b;
    int order = x->key == y->key ? 0 : str_compare(key_str(x->key), key_str(y->key));
    if (order)
        return order;
    if (x->merged != y->merged)
        return x->merged ? 1 : -1;
    return (x->came > y->came) - (x->came < y->came);
}

static bool complain_twice(const struct builder *b, const struct node *first,
                           const struct node *second)
{
    return err_set(b->err, ERR_SYNTAX, "%s:%u:%u: duplicate key \"%s\", first at %u:%u", b->name,
                   second->key_place.line, second->key_place.column, first->key->text,
                   first->key_place.line, first->key_place.column);
}

/* Sorted, and one of each key: a key given here wins over a merged one, an earlier merge too. */
static bool settle_members(struct builder *b, struct node *nodes, size_t *n)
{
    size_t kept = 0;
    bool sorted = true;
    for (size_t i = 1; i < *n && sorted; i++)
        sorted = str_compare(key_str(nodes[i - 1].key), key_str(nodes[i].key)) < 0;
    if (sorted)
        return true;
    for (size_t i = 0; i < *n; i++)
        nodes[i].came = i;
    qsort(nodes, *n, sizeof *nodes, node_order);
    for (size_t i = 0; i < *n; i++) {
        bool again = kept && nodes[kept - 1].key == nodes[i].key;
        if (again && !nodes[i].merged) {
            if (!(b->flags & YAML_DUPLICATES_LAST))
                return complain_twice(b, &nodes[kept - 1], &nodes[i]);
            nodes[kept - 1] = nodes[i];
        }
        if (!again)
            nodes[kept++] = nodes[i];
    }
    *n = kept;
    return true;
}

static bool close_mapping(struct builder *b, size_t first, struct node *ret)
{
    size_t n = b->nstack - first;
    struct node *nodes = n ? &b->stack[first] : NULL;
    for (size_t i = 0; i < n; i++)
        ret->weight += nodes[i].weight + nodes[i].key->len;
    if (!settle_members(b, nodes, &n))
        return false;
    struct value_member *members = arena_new_raw(b->arena, struct value_member, n);
    struct place *places = arena_new_raw(b->arena, struct place, 2 * n);
    if (!members || !places || n > VALUE_LEN_MAX)
        return full(b);
    for (size_t i = 0; i < n; i++) {
        members[i] = (struct value_member){nodes[i].key, nodes[i].value};
        places[i] = nodes[i].place;
        places[n + i] = nodes[i].key_place;
        if (nodes[i].height >= ret->height)
            ret->height = nodes[i].height + 1;
    }
    b->nstack = first;
    ret->value =
        (struct value){.kind = VALUE_OBJECT, .len = (uint32_t)n, .members = n ? members : NULL};
    ret->span = b->nspans;
    return add_span(b,
                    &(struct span){(const char *)members, (uint32_t)n, true, places, places + n});
}

/* The members of a mapping, pushed as merged ones. */
static bool merge_mapping(struct builder *b, const struct node *from)
{
    if (from->value.kind != VALUE_OBJECT)
        return fail(b, from->place, "<< wants a mapping or a list of mappings", STR(""));
    for (uint32_t i = 0; i < from->value.len; i++) {
        const struct value_member *m = &from->value.members[i];
        const struct span *span = &b->span[from->span];
        struct node node = {.value = m->value,
                            .key = m->key,
                            .place = span->value[i],
                            .key_place = span->key[i],
                            .weight = i == 0 ? from->weight : 1, /* of all; no less than true */
                            .height = from->height - 1,
                            .merged = true};
        if (!push(b, &node))
            return false;
    }
    return true;
}

/* What follows `<<:`. A list is taken apart here, so that its elements keep their places. */
static bool parse_merge(struct builder *b, const yaml_event_t *event, unsigned depth_left)
{
    struct node node;
    if (event->type != YAML_SEQUENCE_START_EVENT)
        return parse_node(b, event, depth_left, &node) && merge_mapping(b, &node);
    for (;;) {
        AUTO_EVENT item = {0};
        if (!next(b, &item))
            return false;
        if (item.type == YAML_SEQUENCE_END_EVENT)
            return true;
        if (!parse_node(b, &item, depth_left, &node) || !merge_mapping(b, &node))
            return false;
    }
}

static bool fail_complex(const struct builder *b, const yaml_event_t *event)
{
    bool flow = event->type == YAML_MAPPING_START_EVENT &&
                event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    return fail(b, place_of(event->start_mark), "a key that is no scalar",
                flow ? STR(" (a template {{ }}? render it before)") : STR(""));
}

static bool is_merge_key(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.plain_implicit &&
           str_equal(event_text(event->data.scalar.value), STR("<<"));
}

/* A key is its text, whatever it would mean as a value; booleans of YAML 1.1 by their value. */
static bool parse_key(struct builder *b, const yaml_event_t *event, struct node *ret)
{
    struct node key;
    struct str text;
    if (event->type == YAML_ALIAS_EVENT) {
        if (!parse_alias(b, event, YAML_DEPTH_MAX, &key))
            return false;
        if (!value_is_string(&key.value))
            return fail_complex(b, event);
        text = value_text(&key.value);
    } else if (event->type == YAML_SCALAR_EVENT) {
        if (!parse_scalar(b, event, &key))
            return false;
        text = (struct str){(const char *)event->data.scalar.value, event->data.scalar.length};
        if (key.value.kind == VALUE_NULL && (b->flags & YAML_V1_1_BOOLS))
            return fail(b, place_of(event->start_mark), "a key that is null", STR(""));
        if (key.value.kind == VALUE_BOOL && (b->flags & YAML_V1_1_BOOLS))
            text = key.value.truth ? STR("true") : STR("false");
    } else {
        return fail_complex(b, event);
    }
    *ret = (struct node){.key = key_intern(&b->keys, text), .key_place = key.place};
    return ret->key || full(b);
}

static bool parse_member(struct builder *b, const yaml_event_t *key_event, unsigned depth_left)
{
    AUTO_EVENT event = {0};
    struct node key = {0}, child;
    bool merge = is_merge_key(key_event);
    if (!merge && !parse_key(b, key_event, &key))
        return false;
    if (!next(b, &event))
        return false;
    if (merge)
        return parse_merge(b, &event, depth_left);
    if (!parse_node(b, &event, depth_left, &child))
        return false;
    child.key = key.key;
    child.key_place = key.key_place;
    child.merged = false;
    return push(b, &child);
}

static bool parse_mapping(struct builder *b, const yaml_event_t *start, unsigned depth_left,
                          struct node *ret)
{
    size_t first = b->nstack, anchor;
    *ret = (struct node){.place = place_of(start->start_mark), .weight = 1, .height = 1};
    if (!plain_tag(b, start->data.mapping_start.tag, start->data.mapping_start.implicit,
                   YAML_MAP_TAG, start) ||
        !open_anchor(b, start->data.mapping_start.anchor, &anchor))
        return false;
    for (;;) {
        AUTO_EVENT event = {0};
        if (!next(b, &event))
            return false;
        if (event.type == YAML_MAPPING_END_EVENT)
            break;
        if (!parse_member(b, &event, depth_left))
            return false;
    }
    if (!close_mapping(b, first, ret))
        return false;
    close_anchor(b, anchor, ret);
    return true;
}

static bool parse_node(struct builder *b, const yaml_event_t *event, unsigned depth_left,
                       struct node *ret)
{
    struct place at = place_of(event->start_mark);
    if (event->type == YAML_SCALAR_EVENT)
        return parse_scalar(b, event, ret);
    if (event->type == YAML_ALIAS_EVENT)
        return parse_alias(b, event, depth_left, ret);
    if (depth_left == 0)
        return err_set(b->err, ERR_LIMIT, "%s:%u:%u: nested deeper than %d", b->name, at.line,
                       at.column, YAML_DEPTH_MAX);
    return event->type == YAML_SEQUENCE_START_EVENT ? parse_sequence(b, event, depth_left - 1, ret)
                                                    : parse_mapping(b, event, depth_left - 1, ret);
}

/* --- documents --- */

static bool close_document(struct builder *b, const struct node *root, struct yaml_doc *ret)
{
    struct yaml_places *places = arena_new(b->arena, struct yaml_places, 1);
    if (!places)
        return full(b);
    if (b->nspans)
        qsort(b->span, b->nspans, sizeof *b->span, span_order);
    *places = (struct yaml_places){b->span, b->nspans};
    *ret = (struct yaml_doc){root->value, root->place, places};
    b->span = NULL;
    b->nspans = b->span_room = b->nanchors = b->nslots = 0;
    return true;
}

/* The node of a document whose start was read, and its end. */
static bool parse_document(struct builder *b, struct yaml_doc *ret)
{
    AUTO_EVENT event = {0};
    AUTO_EVENT end = {0};
    struct node root;
    return next(b, &event) && parse_node(b, &event, YAML_DEPTH_MAX, &root) && next(b, &end) &&
           close_document(b, &root, ret);
}

static bool parse_stream(struct builder *b, struct yaml_doc **ret_docs, size_t *ret_n)
{
    struct yaml_doc *docs = NULL;
    size_t n = 0, room = 0;
    for (;;) {
        AUTO_EVENT event = {0};
        if (!next(b, &event))
            return false;
        if (event.type == YAML_STREAM_END_EVENT)
            break;
        if (event.type != YAML_DOCUMENT_START_EVENT)
            continue;
        if (n == YAML_DOCUMENTS_MAX)
            return err_set(b->err, ERR_LIMIT, "%s: more than %d documents", b->name,
                           YAML_DOCUMENTS_MAX);
        docs = arena_grow(b->arena, docs, n, &room, n + 1);
        if (!docs)
            return full(b);
        if (!parse_document(b, &docs[n]))
            return false;
        n++;
        if (b->flags & YAML_FIRST)
            break;
    }
    *ret_docs = docs;
    *ret_n = n;
    return true;
}

/* JSON that libyaml does not take: escaped surrogate pairs. No places then. */
static bool parse_as_json(struct arena *arena, struct str text, const char *name,
                          struct yaml_doc **ret_docs, size_t *ret_n)
{
    struct str body = str_trim(text);
    if (body.len == 0 || (body.ptr[0] != '{' && body.ptr[0] != '['))
        return false;
    struct yaml_doc *doc = arena_new(arena, struct yaml_doc, 1);
    if (!doc || !json_parse(arena, text, name, JSON_COPY, &doc->root, NULL))
        return false;
    *ret_docs = doc;
    *ret_n = 1;
    return true;
}

bool yaml_parse(struct arena *arena, struct str text, const char *name, unsigned flags,
                struct yaml_doc **ret_docs, size_t *ret_n, struct err *err)
{
    struct builder b = {.arena = arena,
                        .scratch = {.limit = arena->limit},
                        .name = name,
                        .text = text.len ? text : STR(""),
                        .flags = flags,
                        .err = err};
    key_table_init(&b.keys, arena, 0);
    if (text.len > VALUE_LEN_MAX || __builtin_mul_overflow(text.len, YAML_ALIAS_BUDGET, &b.budget))
        return err_set(err, ERR_LIMIT, "%s: larger than %u bytes", name, (unsigned)VALUE_LEN_MAX);
    if (!yaml_parser_initialize(&b.parser))
        return err_set(err, ERR_LIMIT, "%s: out of memory", name);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)b.text.ptr, b.text.len);
    bool ok = parse_stream(&b, ret_docs, ret_n);
    bool unreadable = b.parser.error != YAML_NO_ERROR;
    yaml_parser_delete(&b.parser);
    arena_free(&b.scratch);
    if (!ok && unreadable && parse_as_json(arena, text, name, ret_docs, ret_n)) {
        err_clear(err);
        return true;
    }
    return ok;
}

bool yaml_parse_one(struct arena *arena, struct str text, const char *name, unsigned flags,
                    struct yaml_doc *ret, struct err *err)
{
    struct yaml_doc *docs = NULL;
    size_t n = 0;
    if (!yaml_parse(arena, text, name, flags, &docs, &n, err))
        return false;
    if (n > 1)
        return err_set(err, ERR_SYNTAX, "%s:%u:%u: a second document; one is wanted", name,
                       docs[1].place.line, docs[1].place.column);
    *ret = n ? docs[0] : (struct yaml_doc){.place = {1, 1}};
    return true;
}
