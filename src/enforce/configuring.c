/* configuring.c - from what passed by to what may be kept of it. */
#include "enforce/configuring.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "desired/code.h"
#include "enforce/concern.h"
#include "lang/hcl/eval.h"
#include "model/stack.h"
#include "record/configured.h"
#include "record/record.h"
#include "wire/msgpack.h"

enum { SEEN_MAX = 4 << 20, DEPTH_MAX = 50 };

struct seen {
    struct str provider;
    struct buf config;
};
struct configuring {
    struct configuring_options options;
    struct arena arena; /* names of providers */
    struct seen seen[CONFIGURING_MAX];
    size_t n;
};

bool configuring_open(const struct configuring_options *options, struct configuring **ret,
                      struct err *err)
{
    struct configuring *c = calloc(1, sizeof *c);
    if (!c)
        return err_set(err, ERR_LIMIT, "out of memory");
    c->options = *options;
    c->arena.limit = 1 << 20;
    *ret = c;
    return true;
}

static void forget(struct configuring *c)
{
    for (size_t i = 0; i < c->n; i++)
        buf_wipe(&c->seen[i].config);
    c->n = 0;
    arena_reset(&c->arena);
}

void configuring_close(struct configuring *c)
{
    if (!c)
        return;
    forget(c);
    arena_free(&c->arena);
    free(c);
}

/* One that comes again goes to the end: of two that may be one block's the later counts. */
void configuring_saw(struct configuring *c, struct str provider, struct str config)
{
    for (size_t i = 0; i < c->n; i++) {
        if (!str_equal(c->seen[i].provider, provider) ||
            !str_equal(buf_view(&c->seen[i].config), config))
            continue;
        struct seen again = c->seen[i];
        memmove(&c->seen[i], &c->seen[i + 1], (c->n - i - 1) * sizeof *c->seen);
        c->seen[c->n - 1] = again;
        return;
    }
    struct str name = arena_dup(&c->arena, provider);
    if (c->n == CONFIGURING_MAX || !name.ptr)
        return;
    struct seen *to = &c->seen[c->n];
    *to = (struct seen){.provider = name, .config = {.limit = SEEN_MAX}};
    buf_str(&to->config, config);
    if (to->config.failed)
        buf_wipe(&to->config);
    else
        c->n++;
}

static void note(struct configuring *c, struct str text)
{
    if (c->options.on_note && text.ptr)
        c->options.on_note(c->options.ctx, text);
}

/* --- what is no secret --- */

static bool any_sensitive(const struct schema_block *block, unsigned depth_left)
{
    for (size_t i = 0; i < block->nattributes; i++) {
        const struct schema_attribute *a = &block->attributes[i];
        if (a->sensitive || a->write_only || depth_left == 0 ||
            (a->nested && any_sensitive(a->nested, depth_left - 1)))
            return true;
    }
    for (size_t i = 0; i < block->nblocks; i++)
        if (depth_left == 0 || any_sensitive(block->blocks[i].block, depth_left - 1))
            return true;
    return false;
}

static bool schema_hides(const struct schema *schema, struct str name)
{
    const struct schema_attribute *a = schema_find_attribute(&schema->block, name);
    const struct schema_nested_block *b = schema_find_block(&schema->block, name);
    if (a)
        return a->sensitive || a->write_only || a->type->kind == TYPE_DYNAMIC ||
               (a->nested && any_sensitive(a->nested, DEPTH_MAX));
    return !b || any_sensitive(b->block, DEPTH_MAX);
}

static bool has_word(struct str text, const struct str *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t at = 0; at + words[i].len <= text.len; at++)
            if (strncasecmp(text.ptr + at, words[i].ptr, words[i].len) == 0)
                return true;
    return false;
}

/* Most providers mark none of their settings: a name or a text that is a credential's is one. */
static bool name_hides(struct str name)
{
    static const struct str words[] = {
        STR_INIT("password"),   STR_INIT("passwd"),     STR_INIT("passphrase"), STR_INIT("secret"),
        STR_INIT("token"),      STR_INIT("key"),        STR_INIT("credential"), STR_INIT("private"),
        STR_INIT("auth"),       STR_INIT("kubeconfig"), STR_INIT("header"),     STR_INIT("cookie"),
        STR_INIT("connection"), STR_INIT("dsn"),        STR_INIT("assertion"),  STR_INIT("saml"),
        STR_INIT("jwt"),        STR_INIT("exec")};
    return has_word(name, words, sizeof words / sizeof *words);
}

static bool text_hides(struct str text)
{
    static const struct str words[] = {STR_INIT("PRIVATE KEY"), STR_INIT("password"),
                                       STR_INIT("secret"), STR_INIT("token="), STR_INIT("apikey")};
    size_t scheme = str_find(text, STR("://"), 0);
    return has_word(text, words, sizeof words / sizeof *words) ||
           (scheme != SIZE_MAX && str_find_char(text, '@', scheme) != SIZE_MAX);
}

static bool looks_secret(const struct value *v, unsigned depth_left)
{
    if (depth_left == 0)
        return true;
    if (value_is_string(v))
        return text_hides(value_text(v));
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        if (looks_secret(&v->items[i], depth_left - 1))
            return true;
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        if ((v->members[i].value.kind != VALUE_NULL && name_hides(key_str(v->members[i].key))) ||
            looks_secret(&v->members[i].value, depth_left - 1))
            return true;
    return false;
}

/* told: what the code gives the setting, with its marks. */
static bool is_plain(const struct schema *schema, struct str name, const struct value *told,
                     const struct value *v)
{
    enum { HIDING = VALUE_SENSITIVE | VALUE_EPHEMERAL };
    return told && !value_any_unknown(told) && !(hcl_deep_marks(told) & HIDING) &&
           value_equal(told, v) && !schema_hides(schema, name) && !name_hides(name) &&
           !looks_secret(v, DEPTH_MAX);
}

/* --- keeping --- */

static bool is_nothing(const struct value *v)
{
    return v->kind == VALUE_NULL || ((value_is_list_like(v) || value_is_object_like(v)) && !v->len);
}

struct keeping {
    struct configuring *c;
    struct arena *arena;
    const struct code *code;
    struct str key;
    struct err *err;
};

static bool make_settings(struct keeping *k, const struct schema *schema, const struct value *told,
                          const struct value *v, struct value *ret)
{
    struct value_member *m = arena_new(k->arena, struct value_member, v->len);
    size_t n = 0;
    if (!m)
        return arena_full(k->arena, k->err);
    for (uint32_t i = 0; i < v->len; i++) {
        const struct value *one = &v->members[i].value;
        struct str name = key_str(v->members[i].key);
        if (is_nothing(one))
            continue;
        m[n].key = v->members[i].key;
        bool ok = is_plain(schema, name, value_get(told, name), one)
                      ? configured_value(k->arena, one, &m[n].value, k->err)
                      : configured_secret(k->arena, k->key, one, &m[n].value, k->err);
        if (!ok)
            return false;
        n++;
    }
    return value_members(VALUE_OBJECT, m, n, ret, NULL, k->err);
}

static bool keep_of(struct keeping *k, const struct code_provider_instance *of,
                    const struct schema *schema, const struct value *v)
{
    struct configured made = {.stack = k->c->options.stack->name, .name = of->config_name};
    struct digest digest;
    return code_provider_digest(of->written, &digest, k->err) &&
           make_settings(k, schema, &of->config, v, &made.settings) &&
           digest_text(k->arena, &digest, &made.block, k->err) &&
           configured_keep(k->c->options.record, &made, &k->c->options.actor, k->err);
}

/* Every setting that it has is a constant, or told by the code as it is. */
static bool is_told(const struct code_provider_instance *of)
{
    return !value_any_unknown(&of->config);
}

/* The blocks that can have been given it: kept for the one; of several it is not known. */
static bool keep_one(struct keeping *k, const struct seen *seen)
{
    size_t n, fit = 0;
    const struct code_provider_instance *all = code_provider_instances(k->code, &n), *found = NULL;
    const struct schema *schema = concern_config_schema(k->c->options.concern, seen->provider);
    struct value v;
    if (!schema ||
        !msgpack_decode(k->arena, schema->block.type, buf_view(&seen->config), &v, NULL) ||
        v.kind != VALUE_OBJECT || value_any_unknown(&v))
        return true;
    for (size_t i = 0; i < n; i++) {
        if (!all[i].written || code_provider_is_constant(all[i].written) ||
            !str_equal(all[i].provider, seen->provider) || !concern_may_equal(&all[i].config, &v))
            continue;
        if (is_told(&all[i]) && !keep_of(k, &all[i], schema, &v))
            return false;
        if (!is_told(&all[i]) && fit++ == 0)
            found = &all[i];
    }
    if (fit > 1)
        note(k->c, arena_printf(k->arena,
                                "note: which of the configurations of %.*s it was that had these "
                                "settings cannot be told: nothing of it is kept for scans",
                                STR_ARG(seen->provider)));
    return fit != 1 || keep_of(k, found, schema, &v);
}

static bool keep_all(struct keeping *k)
{
    struct configuring *c = k->c;
    if (!(k->code = concern_code(c->options.concern, k->err)) ||
        !record_key(c->options.record, &k->key, k->err))
        return false;
    if (c->options.other_inputs && code_root_module(k->code)->nvariables)
        return true;
    for (size_t i = 0; i < c->n; i++)
        if (!keep_one(k, &c->seen[i]))
            return false;
    return true;
}

void configuring_keep(struct configuring *c)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct err err = {0};
    char text[1024];
    struct keeping k = {.c = c, .arena = &arena, .err = &err};
    if (!c || !c->n)
        return;
    concern_forget(c->options.concern); /* the command has made another state */
    if (!keep_all(&k))
        note(c,
             arena_printf(&arena, "note: what the providers were configured with is not kept: %s",
                          err_text(&err, text, sizeof text)));
    forget(c);
}
