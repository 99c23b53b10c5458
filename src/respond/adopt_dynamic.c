/* adopt_dynamic.c - blocks that dynamic blocks make, and those written beside them: which one each
 * live one is, and where the code says so. */
#include "base/arena.h"
#include "respond/adopt_parts.h"

enum {
    CELLS_MAX = 1 << 20, /* longer lists are matched by place */
    PAIRS_MAX = 1 << 12
};

struct remaking {
    struct adopter *ad;
    const struct adopt_change *change;
    const struct code_instance *instance;
    struct code_blocks blocks;
    const struct value *item; /* what is to be there */
    size_t nitems;
    size_t *to;     /* of each block: the item that it stays or becomes; SIZE_MAX = none */
    size_t *origin; /* of each item: its block; SIZE_MAX = new */
    struct code_new_nested *of_dynamic; /* what one dynamic block is to do */
    unsigned depth_left;
};

/* --- which is which --- */

static size_t likeness(const struct value *a, const struct value *b)
{
    size_t n = 0;
    for (uint32_t i = 0; value_is_object_like(a) && i < a->len; i++) {
        const struct value *other = value_get(b, key_str(a->members[i].key));
        n += other && other->kind != VALUE_NULL && adopt_same(&a->members[i].value, other);
    }
    return n;
}

static void pair(struct remaking *m, size_t block, size_t item)
{
    m->to[block] = item;
    m->origin[item] = block;
}

/* Equal ones; then, of those that are left, the two that are most alike (of very many: for each in
 * turn the one that is). */
static void match_set(struct remaking *m)
{
    for (size_t i = 0; i < m->blocks.n; i++)
        for (size_t k = 0; k < m->nitems && m->to[i] == SIZE_MAX; k++)
            if (m->origin[k] == SIZE_MAX && adopt_same(&m->blocks.block[i].config, &m->item[k]))
                pair(m, i, k);
    bool one_by_one = m->blocks.n * m->nitems > PAIRS_MAX;
    for (size_t at = 0;; at++) {
        size_t block = SIZE_MAX, item = 0, most = 0;
        size_t from = one_by_one ? at : 0, to = one_by_one ? at + 1 : m->blocks.n;
        if (one_by_one && at == m->blocks.n)
            return;
        for (size_t i = from; i < to; i++)
            for (size_t k = 0; m->to[i] == SIZE_MAX && k < m->nitems; k++) {
                size_t own = likeness(&m->blocks.block[i].config, &m->item[k]) + 1;
                if (m->origin[k] == SIZE_MAX && own > most) {
                    most = own;
                    block = i;
                    item = k;
                }
            }
        if (block != SIZE_MAX)
            pair(m, block, item);
        else if (!one_by_one)
            return;
    }
}

/* The pairing in order that keeps most: an equal block counts more than any that are alike. */
static bool match_list(struct remaking *m)
{
    size_t from = 0, n = m->blocks.n, k = m->nitems;
    for (; from < n && from < k && adopt_same(&m->blocks.block[from].config, &m->item[from]);
         from++)
        pair(m, from, from);
    for (; n > from && k > from && adopt_same(&m->blocks.block[n - 1].config, &m->item[k - 1]);
         n--, k--)
        pair(m, n - 1, k - 1);
    size_t rows = n - from, columns = k - from, stride = columns + 1;
    if (rows == 0 || columns == 0)
        return true;
    for (size_t i = 0; rows > CELLS_MAX / stride && i < rows && i < columns; i++)
        pair(m, from + i, from + i);
    if (rows > CELLS_MAX / stride)
        return true;
    uint32_t *best = arena_new(m->ad->arena, uint32_t, (rows + 1) * stride);
    uint32_t *own = arena_new(m->ad->arena, uint32_t, rows * columns);
    if (!best || !own)
        return adopt_full(m->ad);
    for (size_t i = rows; i-- > 0;) {
        for (size_t j = columns; j-- > 0;) {
            const struct value *a = &m->blocks.block[from + i].config, *b = &m->item[from + j];
            uint32_t alike = adopt_same(a, b) ? 1000 : (uint32_t)(1 + likeness(a, b));
            uint32_t both = best[(i + 1) * stride + j + 1] + (alike < 1000 ? alike : 1000);
            uint32_t one = best[(i + 1) * stride + j] > best[i * stride + j + 1]
                               ? best[(i + 1) * stride + j]
                               : best[i * stride + j + 1];
            own[i * columns + j] = both;
            best[i * stride + j] = both > one ? both : one;
        }
    }
    for (size_t i = 0, j = 0; i < rows && j < columns;) {
        uint32_t now = best[i * stride + j];
        if (now == own[i * columns + j])
            pair(m, from + i++, from + j++);
        else if (now == best[(i + 1) * stride + j])
            i++;
        else
            j++;
    }
    return true;
}

/* --- blocks as they are written --- */

static struct adopt_change part_of(struct remaking *m, const struct adopt_change *whole,
                                   struct path_step step, const struct value *v)
{
    struct adopt_change part = *whole;
    struct path_step *steps = arena_new(m->ad->arena, struct path_step, whole->path.n + 1);
    for (size_t i = 0; steps && i < whole->path.n; i++)
        steps[i] = whole->path.step[i];
    if (!steps)
        return part;
    steps[whole->path.n] = step;
    part.path = (struct path){steps, whole->path.n + 1};
    part.unset = !v || v->kind == VALUE_NULL;
    if (v)
        part.value = *v;
    return part;
}

static bool start_job(struct remaking *m, const struct code_nested *block,
                      const struct adopt_change *change, const struct value *old,
                      struct adopt_job *ret, struct adopt_text **ret_text,
                      const struct hcl_body **ret_parent, const struct hcl_block **ret_block)
{
    if (!adopt_find_block(m->ad, block->file, block->block, ret_text, ret_parent, ret_block))
        return false;
    *ret = (struct adopt_job){.ad = m->ad,
                              .change = change,
                              .instance = m->instance,
                              .file = (*ret_text)->file,
                              .old = old};
    hcl_edit_start(&ret->edit, m->ad->arena, (*ret_text)->file);
    return true;
}

/* One attribute or type of blocks of a written block: there, else where it comes from. */
static bool change_member(struct remaking *m, const struct code_nested *block,
                          const struct adopt_change *whole, struct str name,
                          const struct value *old, const struct value *v)
{
    struct adopter *ad = m->ad;
    struct path_step step = {.kind = PATH_KEY, .key = name};
    struct adopt_change part = part_of(m, whole, step, v);
    struct adopt_job job;
    struct adopt_text *text;
    const struct hcl_body *parent;
    const struct hcl_block *written;
    if (old && old->kind == VALUE_NULL)
        old = NULL;
    if ((!old && part.unset) || (old && !part.unset && adopt_same(old, v)))
        return true;
    if (!start_job(m, block, &part, old, &job, &text, &parent, &written))
        return false;
    struct path rest = {&part.path.step[part.path.n - 1], 1};
    if ((part.unset ? adopt_body_unset(&job, &written->body, m->blocks.schema, rest)
                    : adopt_body_set(&job, &written->body, m->blocks.schema, rest)) &&
        adopt_take(ad, text, &job.edit))
        return true;
    if (!ad->refused)
        return false;
    return adopt_change_elsewhere(ad, &part, m->instance, old, m->depth_left);
}

static bool change_written(struct remaking *m, size_t at, const struct value *v)
{
    struct adopter *ad = m->ad;
    const struct code_nested *block = &m->blocks.block[at];
    struct path_step step = {.kind = PATH_INDEX, .index = (int64_t)at};
    struct adopt_change part = part_of(m, m->change, step, v);
    struct adopt_job job;
    struct adopt_text *text;
    struct adopt_before before;
    const struct hcl_body *parent;
    const struct hcl_block *written;
    const struct value *old = &block->config;
    if (!adopt_keep(ad, &before) ||
        !start_job(m, block, &part, old, &job, &text, &parent, &written))
        return false;
    if (adopt_body_assign(&job, &written->body, m->blocks.schema, old, v, HCL_DEPTH_MAX) &&
        adopt_take(ad, text, &job.edit))
        return true;
    if (!ad->refused || !value_is_object_like(old) || !value_is_object_like(v))
        return false;
    adopt_put_back(ad, &before);
    for (uint32_t i = 0; i < old->len; i++) {
        struct str name = key_str(old->members[i].key);
        if (!change_member(m, block, &part, name, &old->members[i].value, value_get(v, name)))
            return false;
    }
    for (uint32_t i = 0; i < v->len; i++) {
        struct str name = key_str(v->members[i].key);
        if (!value_get(old, name) &&
            !change_member(m, block, &part, name, NULL, &v->members[i].value))
            return false;
    }
    return true;
}

/* Those that go, and new ones: all in one edit of their body. */
struct writing {
    struct adopt_job job;
    struct adopt_text *text;
    const struct hcl_body *body;
};

/* The block behind a dynamic one, where no block of that type is written. */
static const struct hcl_block *behind_made(const struct remaking *m, const struct writing *w)
{
    size_t at = 0, i = w->body->nblocks;
    if (hcl_find_block(w->body, m->blocks.type, &at))
        return NULL;
    while (i-- > 0) {
        const struct hcl_block *block = &w->body->block[i];
        if (str_equal(block->type, STR("dynamic")) && block->nlabels &&
            str_equal(block->label[0].text, m->blocks.type))
            break;
    }
    return i + 1 < w->body->nblocks ? &w->body->block[i + 1] : NULL;
}

/* The block in front of which a new one is written, in the place of blocks[before]; NULL: at the
 * end. False: there is no such place. */
static bool block_before(struct remaking *m, struct writing *w, size_t before,
                         const struct hcl_block **ret)
{
    const struct code_blocks *b = &m->blocks;
    *ret = NULL;
    if (!b->ordered) {
        *ret = behind_made(m, w);
        return true;
    }
    if (before < b->n && before > 0 && b->block[before].dynamic != SIZE_MAX &&
        b->block[before].dynamic == b->block[before - 1].dynamic)
        return adopt_refuse(m->ad, "it stands between blocks that one dynamic block makes");
    if (before < b->n)
        return adopt_find_block(m->ad, b->block[before].file, b->block[before].block, &w->text,
                                &w->body, ret);
    if (b->n == 0 || b->block[b->n - 1].dynamic == SIZE_MAX)
        return true;
    const struct hcl_block *last;
    if (!adopt_find_block(m->ad, b->block[b->n - 1].file, b->block[b->n - 1].block, &w->text,
                          &w->body, &last))
        return false;
    size_t at = 0;
    bool written = hcl_find_block(w->body, b->type, &at);
    for (at = 0; &w->body->block[at] != last;)
        at++;
    *ret = at + 1 < w->body->nblocks ? &w->body->block[at + 1] : NULL;
    return *ret || !written ||
           adopt_refuse(m->ad, "it stands behind blocks that a dynamic block makes");
}

static bool write_new(struct remaking *m, struct writing *w, size_t item, size_t before)
{
    const struct hcl_block *next;
    const struct hcl_body *like = NULL;
    struct hcl_new_block *block = arena_new(m->ad->arena, struct hcl_new_block, 1);
    size_t at = 0;
    if (!block)
        return adopt_full(m->ad);
    if (!block_before(m, w, before, &next))
        return false;
    for (const struct hcl_block *b; (b = hcl_find_block(w->body, m->blocks.type, &at));)
        like = &b->body;
    if (!adopt_new_block(&w->job, m->blocks.type, m->blocks.schema, &m->item[item], like,
                         HCL_DEPTH_MAX, block))
        return false;
    if (next)
        hcl_edit_insert_blocks(&w->job.edit, w->body, next, block, 1);
    else
        hcl_edit_add_blocks(&w->job.edit, w->body, block, 1);
    return true;
}

/* The body that has the blocks of that type, as it is now. */
static bool open_body(struct remaking *m, struct writing *w)
{
    const struct code_blocks *b = &m->blocks;
    const struct hcl_file *file;
    const struct hcl_expr *each;
    const struct hcl_block *block;
    bool written = b->n && b->block[0].dynamic == SIZE_MAX;
    if (b->n == 0 && b->ndynamic == 0)
        return adopt_refuse(m->ad, "the code has no %.*s block", STR_ARG(b->type));
    if (written)
        return start_job(m, &b->block[0], m->change, NULL, &w->job, &w->text, &w->body, &block);
    struct code_nested made = {.block = code_dynamic_block(b, 0, &file, &each)};
    made.file = file;
    return start_job(m, &made, m->change, NULL, &w->job, &w->text, &w->body, &block);
}

/* In front of which block a new one comes. In a set it may stand anywhere: at the end. */
static size_t block_behind(const struct remaking *m, size_t item)
{
    for (size_t k = item + 1; m->blocks.ordered && k < m->nitems; k++)
        if (m->origin[k] != SIZE_MAX)
            return m->origin[k];
    return m->blocks.n;
}

/* --- dynamic blocks --- */

/* Does the dynamic block make what is given, as far as can be said? Its edits are not made yet. */
static bool can_make(struct remaking *m, size_t dynamic, size_t item, size_t before,
                     struct str *ret_why)
{
    const struct code_edit *edit;
    size_t n, from = code_dynamic_from(&m->blocks, dynamic, &n);
    struct code_new_nested one = {SIZE_MAX, before, &m->item[item]};
    if (m->blocks.ordered && (before < from || before > from + n))
        return false;
    if (before < from || before > from + n)
        one.before = from + n;
    return code_remake_blocks(m->ad->code, &m->blocks, dynamic, &one, 1, &edit, &n, ret_why);
}

/* Which dynamic block is to make a new one; SIZE_MAX: it is written. Neighbours' first. */
static size_t maker_of(struct remaking *m, size_t item, size_t before, struct str *ret_why)
{
    const struct code_blocks *b = &m->blocks;
    size_t near[2] = {before > 0 ? b->block[before - 1].dynamic : SIZE_MAX,
                      before < b->n ? b->block[before].dynamic : SIZE_MAX};
    struct str why;
    *ret_why = (struct str){0};
    for (size_t i = 0; i < 2 + b->ndynamic && !m->ad->beside; i++) {
        size_t dynamic = i < 2 ? near[i] : i - 2;
        why = (struct str){0};
        if (dynamic == SIZE_MAX)
            continue;
        if (can_make(m, dynamic, item, before, &why))
            return dynamic;
        if (!ret_why->len)
            *ret_why = why;
    }
    return SIZE_MAX;
}

/* "main.tf:4, one for each of var.rules" */
static struct str dynamic_text(struct remaking *m, size_t dynamic)
{
    const struct hcl_file *file;
    const struct hcl_expr *each;
    const struct hcl_block *block = code_dynamic_block(&m->blocks, dynamic, &file, &each);
    struct str at = adopt_at(m->ad, file, block->range.start);
    struct str of = adopt_excerpt(m->ad, file, each);
    return arena_printf(m->ad->arena, "%.*s, one for each of %.*s", STR_ARG(at), STR_ARG(of));
}

static bool remake(struct remaking *m, size_t dynamic, size_t n)
{
    const struct code_edit *edit;
    struct str why;
    size_t nedits;
    if (code_remake_blocks(m->ad->code, &m->blocks, dynamic, m->of_dynamic, n, &edit, &nedits,
                           &why))
        return adopt_apply_edits(m->ad, m->change, m->instance, edit, nedits);
    struct str text = dynamic_text(m, dynamic);
    return adopt_refuse(m->ad, "the %.*s blocks are made by a dynamic block at %.*s; %.*s",
                        STR_ARG(m->blocks.type), STR_ARG(text), STR_ARG(why));
}

/* Blocks inside of a block that is made, as far as dynamic blocks make them in turn: each where it
 * comes from. *ret: what is left to be changed. */
static bool change_inner(struct remaking *m, const struct adopt_change *part,
                         const struct value *old, const struct value *v, struct value *ret)
{
    struct value_member *members = arena_new(m->ad->arena, struct value_member, v->len);
    *ret = *v;
    if (!members)
        return adopt_full(m->ad);
    for (uint32_t i = 0; i < v->len; i++) {
        struct str name = key_str(v->members[i].key);
        const struct value *was = value_get(old, name);
        struct path_step step = {.kind = PATH_KEY, .key = name};
        struct adopt_change inner = part_of(m, part, step, &v->members[i].value);
        members[i] = v->members[i];
        if (!was || adopt_same(was, &v->members[i].value) || !m->blocks.schema ||
            !schema_find_block(m->blocks.schema, name) ||
            !adopt_has_dynamic(m->ad, &inner, m->instance))
            continue;
        bool inside = m->ad->inside;
        m->ad->inside = true;
        bool ok = adopt_change_blocks(m->ad, &inner, m->instance, m->depth_left);
        m->ad->inside = inside;
        if (!ok)
            return false;
        members[i].value = *was;
    }
    return value_members(VALUE_OBJECT, members, v->len, ret, NULL, NULL) || adopt_full(m->ad);
}

static bool change_whole(struct remaking *m, size_t at, const struct value *v)
{
    m->of_dynamic[0] = (struct code_new_nested){at, at, v};
    return remake(m, m->blocks.block[at].dynamic, 1);
}

/* A block that stays, in another form: its element changes, else what else feeds it. */
static bool change_made(struct remaking *m, size_t at, const struct value *v)
{
    struct adopter *ad = m->ad;
    struct adopt_before before;
    struct value left;
    const struct value *old = &m->blocks.block[at].config;
    struct path_step step = {.kind = PATH_INDEX, .index = (int64_t)at};
    struct adopt_change part = part_of(m, m->change, step, v);
    if (!adopt_keep(ad, &before))
        return false;
    if (value_is_object_like(old) && value_is_object_like(v) &&
        change_inner(m, &part, old, v, &left) &&
        (adopt_same(old, &left) || change_whole(m, at, &left)))
        return true;
    if (!ad->refused && !value_is_object_like(v))
        return false;
    adopt_put_back(ad, &before);
    if (change_whole(m, at, v))
        return true;
    if (!ad->refused)
        return false;
    struct str reason = ad->reason;
    adopt_put_back(ad, &before);
    ad->refused = true;
    if (adopt_change_parts(ad, &part, m->instance, old, m->depth_left)) {
        ad->refused = false;
        ad->blocked = reason;
        return true;
    }
    ad->refused = true;
    ad->reason = reason;
    return false;
}

/* --- all of them --- */

static bool change_kept(struct remaking *m)
{
    for (size_t i = 0; i < m->blocks.n; i++) {
        size_t to = m->to[i];
        if (to == SIZE_MAX || adopt_same(&m->blocks.block[i].config, &m->item[to]))
            continue;
        if (!(m->blocks.block[i].dynamic == SIZE_MAX ? change_written(m, i, &m->item[to])
                                                     : change_made(m, i, &m->item[to])))
            return false;
    }
    return true;
}

/* Elements come and go. maker: of each item. */
static bool change_elements(struct remaking *m, const size_t *maker)
{
    for (size_t d = 0; d < m->blocks.ndynamic; d++) {
        size_t n = 0, made, from = code_dynamic_from(&m->blocks, d, &made);
        for (size_t i = 0; i < m->blocks.n; i++)
            if (m->blocks.block[i].dynamic == d && m->to[i] == SIZE_MAX)
                m->of_dynamic[n++] = (struct code_new_nested){i, i, NULL};
        for (size_t k = 0; k < m->nitems; k++) {
            size_t before = block_behind(m, k);
            if (m->origin[k] != SIZE_MAX || maker[k] != d)
                continue;
            if (before < from || before > from + made)
                before = from + made;
            m->of_dynamic[n++] = (struct code_new_nested){SIZE_MAX, before, &m->item[k]};
        }
        if (n && !remake(m, d, n))
            return false;
        m->ad->remade |= n > 0;
    }
    return true;
}

/* Written blocks come and go. */
static bool change_body(struct remaking *m, const size_t *maker)
{
    struct writing w;
    bool any = false;
    for (size_t i = 0; i < m->blocks.n; i++)
        any |= m->blocks.block[i].dynamic == SIZE_MAX && m->to[i] == SIZE_MAX;
    for (size_t k = 0; k < m->nitems; k++)
        any |= m->origin[k] == SIZE_MAX && maker[k] == SIZE_MAX;
    if (!any)
        return true;
    if (!open_body(m, &w))
        return false;
    for (size_t i = 0; i < m->blocks.n; i++) {
        const struct code_nested *b = &m->blocks.block[i];
        const struct hcl_block *block;
        if (b->dynamic != SIZE_MAX || m->to[i] != SIZE_MAX)
            continue;
        if (!adopt_find_block(m->ad, b->file, b->block, &w.text, &w.body, &block))
            return false;
        hcl_edit_remove_block(&w.job.edit, w.body, block);
    }
    for (size_t k = 0; k < m->nitems; k++)
        if (m->origin[k] == SIZE_MAX && maker[k] == SIZE_MAX &&
            !write_new(m, &w, k, block_behind(m, k)))
            return false;
    return adopt_take(m->ad, w.text, &w.job.edit);
}

/* A module has its blocks for all who call it: none is written there that only one needs. */
static bool is_elsewhere(const struct remaking *m)
{
    if (m->instance->in == code_root_module(m->ad->code))
        return false;
    for (size_t i = 0; i < m->blocks.n; i++)
        if (m->blocks.block[i].dynamic == SIZE_MAX)
            return false;
    return true;
}

static bool find_makers(struct remaking *m, size_t *maker)
{
    struct str why;
    for (size_t k = 0; k < m->nitems; k++) {
        maker[k] = SIZE_MAX;
        if (m->origin[k] != SIZE_MAX)
            continue;
        maker[k] = maker_of(m, k, block_behind(m, k), &why);
        if (maker[k] != SIZE_MAX)
            continue;
        if ((m->ad->inside || is_elsewhere(m)) && m->blocks.ndynamic)
            return adopt_refuse(m->ad, "the %.*s blocks are made by a dynamic block at %.*s; %.*s",
                                STR_ARG(m->blocks.type), STR_ARG(dynamic_text(m, 0)), STR_ARG(why));
        if (!m->ad->blocked.len)
            m->ad->blocked = why;
    }
    return true;
}

static bool as_items(struct remaking *m)
{
    const struct value *v = &m->change->value;
    if (m->change->unset || v->kind == VALUE_NULL)
        return true;
    m->item = value_is_list_like(v) ? v->items : v;
    m->nitems = value_is_list_like(v) ? v->len : 1;
    return value_is_list_like(v) || value_is_object_like(v);
}

bool adopt_has_dynamic(struct adopter *ad, const struct adopt_change *change,
                       const struct code_instance *instance)
{
    struct code_blocks blocks;
    return code_blocks_at(ad->code, instance, change->path, &blocks) && blocks.ndynamic;
}

bool adopt_change_blocks(struct adopter *ad, const struct adopt_change *change,
                         const struct code_instance *instance, unsigned depth_left)
{
    struct remaking m = {
        .ad = ad, .change = change, .instance = instance, .depth_left = depth_left - 1};
    struct adopt_before before;
    size_t *maker;
    if (!adopt_keep(ad, &before))
        return false;
    if (depth_left == 0 || !as_items(&m) ||
        !code_blocks_at(ad->code, instance, change->path, &m.blocks))
        return adopt_refuse(ad, "the blocks there cannot be told apart");
    m.to = arena_new(ad->arena, size_t, m.blocks.n);
    m.origin = arena_new(ad->arena, size_t, m.nitems);
    maker = arena_new(ad->arena, size_t, m.nitems);
    m.of_dynamic = arena_new(ad->arena, struct code_new_nested, m.blocks.n + m.nitems + 1);
    if (!m.to || !m.origin || !maker || !m.of_dynamic)
        return adopt_full(ad);
    for (size_t i = 0; i < m.blocks.n; i++)
        m.to[i] = SIZE_MAX;
    for (size_t k = 0; k < m.nitems; k++)
        m.origin[k] = SIZE_MAX;
    if (m.blocks.ordered) {
        if (!match_list(&m))
            return false;
    } else {
        match_set(&m);
    }
    adopt_put_back(ad, &before);
    if (find_makers(&m, maker) && change_kept(&m) && change_elements(&m, maker) &&
        change_body(&m, maker))
        return true;
    if (!ad->refused)
        return false;
    struct str why = ad->reason;
    adopt_put_back(ad, &before);
    return adopt_refuse(ad, "%.*s", STR_ARG(why));
}
