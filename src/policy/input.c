/* input.c - the input document, from a subject and back. */
#include "policy/input.h"

#include <stdlib.h>

#include "base/err.h"

/* --- values without secrets, sets and unknowns --- */

struct plain {
    struct arena *arena;
    struct value *unknown; /* paths, as texts */
    size_t nunknown, room;
    bool note_unknown;
    bool full;
};

static void note_unknown(struct plain *p, const struct path_link *link)
{
    struct path path;
    struct value *grown = arena_grow(p->arena, p->unknown, p->nunknown, &p->room, p->nunknown + 1);
    if (!grown || !path_from_link(p->arena, link, &path)) {
        p->full = true;
        return;
    }
    struct str text = path_text(p->arena, path);
    p->unknown = grown;
    p->unknown[p->nunknown++] = value_string(text);
    p->full |= !text.ptr;
}

static struct value plain(struct plain *p, const struct value *v, const struct path_link *link,
                          unsigned depth_left);

static struct value plain_items(struct plain *p, const struct value *v,
                                const struct path_link *link, unsigned depth_left)
{
    struct value *items = arena_new_raw(p->arena, struct value, v->len);
    if (!items) {
        p->full = true;
        return value_null();
    }
    for (size_t i = 0; i < v->len && !p->full; i++) {
        struct path_link below = path_link_index(link, (int64_t)i);
        items[i] = plain(p, &v->items[i], &below, depth_left);
    }
    return value_items(VALUE_TUPLE, items, v->len);
}

static struct value plain_members(struct plain *p, const struct value *v,
                                  const struct path_link *link, unsigned depth_left)
{
    struct value_member *members = arena_new_raw(p->arena, struct value_member, v->len);
    if (!members) {
        p->full = true;
        return value_null();
    }
    for (size_t i = 0; i < v->len && !p->full; i++) {
        struct path_link below = path_link_key(link, key_str(v->members[i].key));
        members[i] = (struct value_member){v->members[i].key,
                                           plain(p, &v->members[i].value, &below, depth_left)};
    }
    return (struct value){.kind = VALUE_OBJECT, .len = v->len, .members = members};
}

/* Past the depth that Rego takes the rest is null, and said to be unknown. */
static struct value plain(struct plain *p, const struct value *v, const struct path_link *link,
                          unsigned depth_left)
{
    if (v->marks & VALUE_SENSITIVE)
        return v->kind == VALUE_NULL ? value_null() : value_string(STR("(sensitive)"));
    if (v->kind == VALUE_UNKNOWN || depth_left == 0) {
        if (p->note_unknown)
            note_unknown(p, link);
        return value_null();
    }
    if (value_is_list_like(v))
        return v->len ? plain_items(p, v, link, depth_left - 1)
                      : (struct value){.kind = VALUE_TUPLE};
    if (value_is_object_like(v))
        return v->len ? plain_members(p, v, link, depth_left - 1)
                      : (struct value){.kind = VALUE_OBJECT};
    return v->kind == VALUE_NULL ? value_null() : *v;
}

static struct value plain_or_null(struct plain *p, const struct value *v)
{
    return v ? plain(p, v, NULL, VALUE_DEPTH_MAX) : value_null();
}

/* --- objects --- */

enum { MEMBERS_MAX = 16 };
struct object {
    struct plain *p;
    struct value_member member[MEMBERS_MAX];
    size_t n;
};

static void put(struct object *o, const char *key, struct value v)
{
    const struct value_key *made = key_make(o->p->arena, str_from(key));
    o->p->full |= !made || o->n == MEMBERS_MAX;
    if (!o->p->full)
        o->member[o->n++] = (struct value_member){made, v};
}

/* An empty text is what nobody knows. */
static struct value text_or_null(struct str text)
{
    return text.len ? value_string(text) : value_null();
}

static void put_text(struct object *o, const char *key, struct str text)
{
    put(o, key, text_or_null(text));
}

static int by_key(const void *a, const void *b)
{
    const struct value_member *x = a, *y = b;
    return str_compare(key_str(x->key), key_str(y->key));
}

static struct value done(struct object *o)
{
    struct value_member *members = arena_new(o->p->arena, struct value_member, o->n);
    o->p->full |= !members;
    if (o->p->full)
        return value_null();
    for (size_t i = 0; i < o->n; i++)
        members[i] = o->member[i];
    qsort(members, o->n, sizeof *members, by_key);
    return (struct value){.kind = VALUE_OBJECT, .len = (uint32_t)o->n, .members = members};
}

static struct value texts(struct plain *p, const struct str *text, size_t n)
{
    struct value *items = arena_new(p->arena, struct value, n);
    p->full |= !items;
    for (size_t i = 0; items && i < n; i++)
        items[i] = value_string(text[i]);
    return items ? value_items(VALUE_TUPLE, items, n) : value_null();
}

/* --- parts of the document --- */

static struct value make_finding(struct plain *p, const struct rule_subject *s)
{
    struct object o = {.p = p};
    if (s->kind != SUBJECT_FINDING)
        return value_null();
    put_text(&o, "fingerprint", s->fingerprint);
    put_text(&o, "class", str_from(finding_class_name(s->class_)));
    put_text(&o, "severity", str_from(severity_name(finding_class_severity(s->class_))));
    put_text(&o, "reason", s->reason);
    put(&o, "ignored", value_bool(s->ignored));
    return done(&o);
}

static struct value make_resource(struct plain *p, const struct rule_subject *s,
                                  const struct value *tags)
{
    struct object o = {.p = p};
    put_text(&o, "source", str_from(rule_source_name(s->source)));
    put_text(&o, "address", s->address);
    put_text(&o, "mode", s->mode);
    put_text(&o, "type", s->type);
    put_text(&o, "name", s->name);
    put_text(&o, "module", s->module);
    put(&o, "index", plain_or_null(p, &s->index));
    put_text(&o, "provider", s->provider);
    put_text(&o, "id", s->id);
    put(&o, "tags", plain_or_null(p, tags));
    p->note_unknown = true;
    put(&o, "values", plain_or_null(p, s->values));
    p->note_unknown = false;
    put(&o, "unknown", value_items(VALUE_TUPLE, p->unknown, p->nunknown));
    return done(&o);
}

static struct value step_value(const struct path_step *step)
{
    return step->kind == PATH_INDEX     ? value_int(step->index)
           : step->kind == PATH_ELEMENT ? value_string(STR("*"))
                                        : value_string(step->key);
}

static struct value path_value(struct plain *p, struct path path)
{
    struct value *items = arena_new(p->arena, struct value, path.n);
    p->full |= !items;
    for (size_t i = 0; items && i < path.n; i++)
        items[i] = step_value(&path.step[i]);
    return items ? value_items(VALUE_TUPLE, items, path.n) : value_null();
}

static struct value side(struct plain *p, const struct value *v, bool sensitive)
{
    return v && sensitive ? value_string(STR("(sensitive)")) : plain_or_null(p, v);
}

static bool is_present(const struct value *v)
{
    return v && v->kind != VALUE_NULL;
}

static struct value make_change(struct plain *p, const struct rule_change *c)
{
    struct object o = {.p = p};
    put(&o, "path", path_value(p, c->path));
    put_text(&o, "path_text", c->path_text);
    put(&o, "op",
        value_string(!is_present(c->before)  ? STR("add")
                     : !is_present(c->after) ? STR("remove")
                                             : STR("change")));
    put(&o, "before", side(p, c->before, c->sensitive));
    put(&o, "after", side(p, c->after, c->sensitive));
    put(&o, "sensitive", value_bool(c->sensitive));
    put(&o, "computed", value_bool(c->computed));
    put(&o, "unknown", value_bool(c->after && value_any_unknown(c->after)));
    return done(&o);
}

static struct value make_changes(struct plain *p, const struct rule_subject *s)
{
    struct value *items = arena_new(p->arena, struct value, s->nchanges);
    p->full |= !items;
    for (size_t i = 0; !p->full && i < s->nchanges; i++)
        items[i] = make_change(p, &s->change[i]);
    return p->full ? value_null() : value_items(VALUE_TUPLE, items, s->nchanges);
}

/* "@a @b" as a list */
static struct value make_owners(struct plain *p, struct str owners)
{
    struct value *items = arena_new(p->arena, struct value, owners.len / 2 + 1);
    size_t n = 0;
    struct str one;
    p->full |= !items;
    for (bool more = true; items && more;) {
        more = str_cut(&owners, ' ', &one);
        if (one.len)
            items[n++] = value_string(one);
    }
    return items ? value_items(VALUE_TUPLE, items, n) : value_null();
}

static struct value make_code(struct plain *p, const struct rule_subject *s)
{
    struct object o = {.p = p};
    if (!s->code.file.len)
        return value_null();
    put_text(&o, "file", s->code.file);
    put(&o, "line", s->code.line ? value_int(s->code.line) : value_null());
    put(&o, "column", s->code.column ? value_int(s->code.column) : value_null());
    put(&o, "owners", make_owners(p, s->code_owners));
    put_text(&o, "commit", s->code_commit);
    put_text(&o, "author", s->code_author);
    return done(&o);
}

static struct value make_stack(struct plain *p, const struct rule_subject *s)
{
    struct object o = {.p = p};
    if (!s->stack.len)
        return value_null();
    put_text(&o, "name", s->stack);
    put_text(&o, "path", s->stack_path);
    put_text(&o, "workspace", s->workspace);
    put_text(&o, "env", s->env);
    put_text(&o, "owner", s->owner);
    return done(&o);
}

static struct value make_actor(struct plain *p, const struct rule_subject *s)
{
    struct object o = {.p = p};
    put(&o, "known", value_bool(s->actor.known));
    put_text(&o, "kind", s->actor.kind);
    put_text(&o, "principal", s->actor.principal);
    put_text(&o, "via", s->actor.via);
    return done(&o);
}

/* What Terraform calls the actions: a replacement is two. */
static struct value make_plan(struct plain *p, const struct rule_subject *s)
{
    static const struct str both[] = {STR_INIT("delete"), STR_INIT("create")};
    struct object o = {.p = p};
    if (!s->action.len)
        return value_null();
    bool replace = str_equal(s->action, STR("replace"));
    put(&o, "action", value_string(s->action));
    put(&o, "actions", replace ? texts(p, both, 2) : texts(p, &s->action, 1));
    put(&o, "replace_paths", texts(p, s->replace_paths.item, s->replace_paths.n));
    return done(&o);
}

bool input_make(struct arena *arena, const struct rule_subject *s, struct value *ret,
                struct err *err)
{
    static const char *const kinds[] = {[SUBJECT_RESOURCE] = "resource",
                                        [SUBJECT_CHANGE] = "change",
                                        [SUBJECT_FINDING] = "finding"};
    struct plain p = {.arena = arena};
    struct object o = {.p = &p};
    struct value tags;
    int64_t now_ns;
    if (!s->tags && !rule_tags(arena, s, &tags, err))
        return false;
    put(&o, "schema_version", value_int(INPUT_VERSION));
    put_text(&o, "kind", str_from(kinds[s->kind]));
    put(&o, "finding", make_finding(&p, s));
    put(&o, "resource", make_resource(&p, s, s->tags ? s->tags : &tags));
    put(&o, "desired", plain_or_null(&p, s->desired));
    put(&o, "live", plain_or_null(&p, s->live));
    put(&o, "changes", make_changes(&p, s));
    put(&o, "code", make_code(&p, s));
    put_text(&o, "env", s->env);
    put(&o, "stack", make_stack(&p, s));
    put(&o, "actor", make_actor(&p, s));
    put(&o, "review", value_null());
    put(&o, "waivers", value_items(VALUE_TUPLE, NULL, 0));
    put(&o, "plan", make_plan(&p, s));
    put(&o, "now",
        s->now_utc_ms && !__builtin_mul_overflow(s->now_utc_ms, 1000000, &now_ns)
            ? value_int(now_ns)
            : value_null());
    put_text(&o, "enforcement_point", s->enforcement_point);
    *ret = done(&o);
    return !p.full || arena_full(arena, err);
}

/* --- and back --- */

static bool changes_from(struct arena *arena, const struct value *list, struct rule_subject *s)
{
    size_t n = value_is_list_like(list) ? list->len : 0;
    struct rule_change *change = arena_new(arena, struct rule_change, n);
    if (!change)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct value *v = &list->items[i], *path = value_get(v, STR("path"));
        size_t steps = value_is_list_like(path) ? path->len : 0;
        struct path_step *step = arena_new(arena, struct path_step, steps);
        if (!step)
            return false;
        for (size_t k = 0; k < steps; k++) {
            const struct value *at = &path->items[k];
            if (value_is_string(at))
                step[k] = (struct path_step){.kind = PATH_KEY, .key = value_text(at)};
            else if (value_to_int64(at, &step[k].index))
                step[k].kind = PATH_INDEX;
        }
        change[i] = (struct rule_change){
            .path = {step, steps},
            .before = value_get(v, STR("before")),
            .after = value_get(v, STR("after")),
            .sensitive = value_get_bool(v, STR("sensitive"), false),
            .computed = value_get_bool(v, STR("computed"), false),
        };
        /* The text tells an element of a set from a key that is called "*". */
        change[i].path_text = value_get_string(v, STR("path_text"));
        if (!change[i].path_text.len ||
            !path_parse(arena, change[i].path_text, &change[i].path, NULL))
            change[i].path_text = path_text(arena, change[i].path);
        if (!change[i].path_text.ptr)
            return false;
    }
    s->change = change;
    s->nchanges = n;
    return true;
}

static void resource_from(const struct value *v, struct rule_subject *s)
{
    const struct value *index = value_get(v, STR("index"));
    (void)rule_source_from(value_get_string(v, STR("source")), &s->source);
    s->address = value_get_string(v, STR("address"));
    s->mode = value_get_string(v, STR("mode"));
    s->type = value_get_string(v, STR("type"));
    s->name = value_get_string(v, STR("name"));
    s->module = value_get_string(v, STR("module"));
    s->provider = value_get_string(v, STR("provider"));
    s->id = value_get_string(v, STR("id"));
    s->index = index ? *index : value_null();
    s->values = value_get(v, STR("values"));
    s->tags = value_is_object_like(value_get(v, STR("tags"))) ? value_get(v, STR("tags")) : NULL;
}

/* "@a @b" of a list. */
static bool owners_from(struct arena *arena, const struct value *list, struct str *ret)
{
    *ret = STR("");
    for (size_t i = 0; value_is_list_like(list) && i < list->len; i++) {
        if (!value_is_string(&list->items[i]))
            continue;
        *ret = arena_printf(arena, "%.*s%s%.*s", STR_ARG(*ret), ret->len ? " " : "",
                            STR_ARG(value_text(&list->items[i])));
        if (!ret->ptr)
            return false;
    }
    return true;
}

static bool code_from(struct arena *arena, const struct value *code, struct rule_subject *s)
{
    const struct value *line = value_get(code, STR("line"));
    const struct value *column = value_get(code, STR("column"));
    int64_t n;
    s->code.file = value_get_string(code, STR("file"));
    if (line && value_to_int64(line, &n) && n > 0 && n <= UINT32_MAX)
        s->code.line = (uint32_t)n;
    if (column && value_to_int64(column, &n) && n > 0 && n <= UINT32_MAX)
        s->code.column = (uint32_t)n;
    s->code_commit = value_get_string(code, STR("commit"));
    s->code_author = value_get_string(code, STR("author"));
    return owners_from(arena, value_get(code, STR("owners")), &s->code_owners);
}

static void surroundings_from(const struct value *doc, struct rule_subject *s)
{
    const struct value *stack = value_get(doc, STR("stack")), *actor = value_get(doc, STR("actor"));
    const struct value *actions = value_get(value_get(doc, STR("plan")), STR("actions"));
    s->env = value_get_string(doc, STR("env"));
    s->stack = value_get_string(stack, STR("name"));
    s->stack_path = value_get_string(stack, STR("path"));
    s->workspace = value_get_string(stack, STR("workspace"));
    s->owner = value_get_string(stack, STR("owner"));
    s->actor = (struct rule_actor){
        value_get_bool(actor, STR("known"), false), value_get_string(actor, STR("kind")),
        value_get_string(actor, STR("principal")), value_get_string(actor, STR("via"))};
    if (value_is_list_like(actions) && actions->len == 2)
        s->action = STR("replace");
    else if (value_is_list_like(actions) && actions->len == 1 && value_is_string(actions->items))
        s->action = value_text(actions->items);
}

bool input_to_subject(struct arena *arena, const struct value *doc, struct rule_subject *ret)
{
    struct rule_subject s = {.source = RULE_SOURCE_TERRAFORM};
    const struct value *finding = value_get(doc, STR("finding"));
    struct str kind = value_get_string(doc, STR("kind"));
    s.kind = str_equal(kind, STR("finding"))  ? SUBJECT_FINDING
             : str_equal(kind, STR("change")) ? SUBJECT_CHANGE
                                              : SUBJECT_RESOURCE;
    (void)finding_class_from(value_get_string(finding, STR("class")), &s.class_);
    s.fingerprint = value_get_string(finding, STR("fingerprint"));
    s.reason = value_get_string(finding, STR("reason"));
    resource_from(value_get(doc, STR("resource")), &s);
    surroundings_from(doc, &s);
    s.desired = value_get(doc, STR("desired"));
    s.live = value_get(doc, STR("live"));
    if (!changes_from(arena, value_get(doc, STR("changes")), &s) ||
        !code_from(arena, value_get(doc, STR("code")), &s))
        return false;
    *ret = s;
    return true;
}
