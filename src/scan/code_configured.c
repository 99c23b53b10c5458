/* code_configured.c - settings of a provider that only the last run knew.
 *
 * Taken:   where the block's text is as it was then, and nothing of it that can be told by now, and
 *          was no secret then, is another
 * Told:    as a note: which setting, of which run; a secret that differs; what is missing
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "record/configured.h"
#include "record/record.h"
#include "scan/code_parts.h"

enum { NAMES_MAX = 1000 };

struct filling {
    struct scan_code *code;
    const struct code_provider_instance *of;
    const struct schema *schema;
    struct str key;
    struct configured kept;
    struct buf taken, other, digested; /* names */
    bool stale;                        /* something that is no secret is another by now */
    struct err *err;
};

static void add_name(struct buf *to, struct str name)
{
    if (to->len)
        buf_str(to, STR(", "));
    buf_str(to, name);
}

static const struct type *type_of_setting(const struct filling *f, struct str name)
{
    const struct type_member *m = f->schema ? type_find_member(f->schema->block.type, name) : NULL;
    return m ? m->type : NULL;
}

/* What was kept with its value, by the schema's type; false where it is not, or does not fit. */
static bool plain(const struct filling *f, const struct value *kept, struct str name,
                  struct value *ret)
{
    const struct type *type = type_of_setting(f, name);
    const struct value *v = value_get(kept, STR("value"));
    return type && v && type_apply(&f->code->arena, type, v, false, ret, NULL);
}

static struct value fill_one(struct filling *f, struct str name, const struct value *now)
{
    const struct value *kept = value_get(&f->kept.settings, name);
    bool open = value_any_unknown(now);
    struct value then;
    if (!kept) { /* it was not set */
        f->stale |= !open && now->kind != VALUE_NULL &&
                    !((value_is_list_like(now) || value_is_object_like(now)) && !now->len);
        if (open)
            add_name(&f->taken, name);
        return open ? value_null() : *now;
    }
    if (plain(f, kept, name, &then)) {
        if (open)
            add_name(&f->taken, name);
        else
            f->stale |= !value_equal(&then, now);
        return open ? then : *now;
    }
    if (open)
        add_name(&f->digested, name);
    else if (!configured_is(f->key, kept, now))
        add_name(&f->other, name);
    return *now;
}

static bool fill(struct filling *f, struct value *ret)
{
    const struct value *config = &f->of->config;
    struct value_member *m = arena_new(&f->code->arena, struct value_member, config->len);
    *ret = *config;
    if (!m)
        return arena_full(&f->code->arena, f->err);
    for (uint32_t i = 0; i < config->len; i++)
        m[i] = (struct value_member){
            config->members[i].key,
            fill_one(f, key_str(config->members[i].key), &config->members[i].value)};
    ret->members = m;
    return true;
}

static bool same_block(const struct filling *f)
{
    struct digest digest;
    char hex[DIGEST_HEX + 1];
    if (!code_provider_digest(f->of->written, &digest, NULL))
        return false;
    digest_hex(&digest, hex);
    return str_starts(f->kept.block, STR("sha256:")) &&
           str_equal(str_sub(f->kept.block, 7, f->kept.block.len), str_from(hex));
}

static bool note(struct filling *f, const char *what, const struct buf *names)
{
    char text[CLOCK_TEXT];
    return scan_code_note(
        f->code,
        arena_printf(&f->code->arena, "provider %.*s: %s%s%.*s (run of %.*s, %s, event %lld)",
                     STR_ARG(f->of->config_name), what, names && names->len ? ": " : "",
                     names ? (int)names->len : 0, names && names->len ? names->ptr : "",
                     STR_ARG(f->kept.by), clock_format(f->kept.seen_utc_ms, text),
                     (long long)f->kept.event),
        f->err);
}

static bool use(struct filling *f, struct value *ret, struct str *ret_unknown)
{
    struct value filled;
    struct arena *arena = &f->code->arena;
    if (!same_block(f))
        return note(f, "its block is not what the last run used, so nothing is taken from that",
                    NULL);
    if (!fill(f, &filled))
        return false;
    if (f->stale)
        return note(f, "it has other settings than in the last run, so nothing is taken from that",
                    NULL);
    *ret = filled;
    *ret_unknown = code_provider_unknown(arena, f->of->written, &filled);
    if (ret_unknown->len && f->digested.len) {
        *ret_unknown = arena_printf(arena, "%.*s; of the last run's %.*s only a digest was kept",
                                    STR_ARG(*ret_unknown), (int)f->digested.len, f->digested.ptr);
        if (!ret_unknown->ptr)
            return arena_full(arena, f->err);
    }
    return (!f->taken.len || note(f, "settings as the last run had them", &f->taken)) &&
           (!f->other.len || note(f, "a secret is another than in the last run", &f->other));
}

bool scan_code_configured(struct scan_code *code, const struct code_provider_instance *of,
                          struct value *ret, struct str *ret_unknown, struct err *err)
{
    struct record *record = code->scan->tally.options->configured;
    struct filling f = {.code = code,
                        .of = of,
                        .taken = {.limit = NAMES_MAX},
                        .other = {.limit = NAMES_MAX},
                        .digested = {.limit = NAMES_MAX}};
    struct err why = {0};
    bool found = false;
    if (!record || !record->db || of->config.kind != VALUE_OBJECT)
        return true;
    f.err = &why;
    f.schema = code->options.provider_config_schema(code->options.ctx, of->provider);
    bool ok = configured_find(record, &code->arena, code->scan->stack->name, of->config_name,
                              &f.kept, &found, &why) &&
              (!found || (record_key(record, &f.key, &why) && use(&f, ret, ret_unknown)));
    buf_free(&f.taken);
    buf_free(&f.other);
    buf_free(&f.digested);
    char text[1024];
    return ok ||
           scan_code_note(code,
                          arena_printf(&code->arena, "provider %.*s: %s", STR_ARG(of->config_name),
                                       err_text(&why, text, sizeof text)),
                          err);
}
