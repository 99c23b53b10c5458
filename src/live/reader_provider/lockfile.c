/* lockfile.c - the provider blocks of .terraform.lock.hcl. */
#include "live/reader_provider/lockfile.h"

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/hcl.h"
#include "value/value.h"

/* "name:line:column: text" for a fault that the grammar does not see. */
static bool bad(const struct hcl_file *file, struct hcl_range range, struct err *err,
                const char *text)
{
    uint32_t line = 0, column = 0;
    hcl_place(file->text, range.start, &line, &column);
    return err_set(err, ERR_SYNTAX, "%.*s:%u:%u: %s", STR_ARG(file->name), line, column, text);
}

static bool read_hashes(struct arena *arena, const struct hcl_file *file,
                        const struct hcl_attribute *attribute, struct lock_entry *entry,
                        struct err *err)
{
    struct value list = value_null();
    if (!hcl_static_value(arena, attribute->value, &list) || !value_is_list_like(&list))
        return bad(file, attribute->range, err, "hashes must be a list of strings");
    struct str *hashes = arena_new(arena, struct str, list.len);
    if (!hashes)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < list.len; i++) {
        if (!value_is_string(&list.items[i]))
            return bad(file, attribute->range, err, "hashes must be a list of strings");
        hashes[i] = value_text(&list.items[i]);
    }
    entry->hashes = hashes;
    entry->nhashes = list.len;
    return true;
}

static bool read_entry(struct arena *arena, const struct hcl_file *file,
                       const struct hcl_block *block, struct lock_entry *ret, struct err *err)
{
    const struct hcl_attribute *version = hcl_find_attribute(&block->body, STR("version"));
    const struct hcl_attribute *hashes = hcl_find_attribute(&block->body, STR("hashes"));
    struct value text = value_null();
    if (block->nlabels != 1)
        return bad(file, block->header, err, "a provider block has one label, its source address");
    if (!version || !hcl_static_value(arena, version->value, &text) || !value_is_string(&text))
        return bad(file, version ? version->range : block->header, err,
                   "a provider needs its version, a string");
    *ret = (struct lock_entry){.source = block->label[0].text, .version = value_text(&text)};
    return !hashes || read_hashes(arena, file, hashes, ret, err);
}

bool lockfile_parse(struct arena *arena, struct str text, const char *name, struct lockfile *ret,
                    struct err *err)
{
    struct hcl_diags diags = {.arena = arena};
    struct hcl_file file = {0};
    if (!hcl_parse_file(arena, text, str_from(name), &diags, &file, err))
        return false;
    if (hcl_has_errors(&diags))
        return hcl_diags_to_err(&diags, err);

    struct lock_entry *entries = arena_new(arena, struct lock_entry, file.body.nblocks);
    const struct hcl_block *block;
    size_t n = 0, at = 0;
    if (!entries)
        return arena_full(arena, err);
    while ((block = hcl_find_block(&file.body, STR("provider"), &at)))
        if (!read_entry(arena, &file, block, &entries[n++], err))
            return false;
    *ret = (struct lockfile){entries, n};
    return true;
}

const struct lock_entry *lockfile_find(const struct lockfile *lock, struct str source)
{
    for (size_t i = 0; i < lock->n; i++)
        if (str_equal(lock->entry[i].source, source))
            return &lock->entry[i];
    return NULL;
}

bool lock_entry_has(const struct lock_entry *entry, struct str hash)
{
    for (size_t i = 0; i < entry->nhashes; i++)
        if (str_equal(entry->hashes[i], hash))
            return true;
    return false;
}

size_t lock_entry_count(const struct lock_entry *entry, struct str scheme)
{
    size_t n = 0;
    for (size_t i = 0; i < entry->nhashes; i++)
        n += str_starts(entry->hashes[i], scheme);
    return n;
}
