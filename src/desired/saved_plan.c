/* saved_plan.c - state and code out of a saved plan. */
#include "desired/saved_plan.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/pathname.h"
#include "wire/json.h"
#include "wire/json_scan.h"
#include "wire/zip.h"

enum { STATE_MAX = 1 << 30, MODULES_MAX = 64 << 20 };

struct reading {
    struct arena *arena;
    const char *name;
    struct zip zip;
    struct value modules; /* modules.json: a list of {Key, Dir} */
    struct saved_file *file;
    size_t n, room, bytes;
    struct err *err;
};

bool saved_plan_is(struct str bytes)
{
    return zip_is(bytes);
}

/* --- the state --- */

static bool take_state(struct reading *r, const struct zip_member *m, struct saved_plan *ret)
{
    struct str text, key, raw;
    bool first = true, escaped;
    AUTO_ARENA scratch = {.limit = STATE_MAX};
    if (!zip_read(&scratch, &r->zip, m, STATE_MAX / 2, &text, r->err))
        return false;
    struct json_scan scan = json_scan_open(text);
    struct value v;
    if (!json_scan_enter(&scan, '{'))
        return json_scan_error(&scan, r->name, 1, r->err);
    while (json_scan_next_key(&scan, &first, &key, &escaped)) {
        if (!json_scan_value(&scan, JSON_DEPTH_MAX, &raw))
            break;
        bool lineage = str_equal(key, STR("lineage")), serial = str_equal(key, STR("serial"));
        int64_t number = 0;
        if (!lineage && !serial)
            continue;
        if (!json_parse(r->arena, raw, r->name, JSON_COPY, &v, r->err))
            return false;
        if (serial && value_to_int64(&v, &number) && number >= 0)
            ret->serial = (uint64_t)number;
        if (lineage && v.kind == VALUE_STRING)
            ret->lineage = value_text(&v);
    }
    if (scan.why)
        return json_scan_error(&scan, r->name, 1, r->err);
    ret->has_state = ret->serial > 0 || ret->lineage.len > 0;
    return true;
}

/* --- the code --- */

static const struct str code_head = STR_INIT("tfconfig/m-");

static bool take_modules(struct reading *r, const struct zip_member *m)
{
    struct str text;
    return zip_read(r->arena, &r->zip, m, MODULES_MAX, &text, r->err) &&
           json_parse(r->arena, text, r->name, JSON_DUPLICATES_LAST, &r->modules, r->err);
}

/* The folder of a module, relative to the root; false: modules.json does not have it. */
static bool module_dir(const struct reading *r, struct str key, struct str *ret)
{
    for (uint32_t i = 0; value_is_list_like(&r->modules) && i < r->modules.len; i++)
        if (str_equal(value_get_string(&r->modules.items[i], STR("Key")), key)) {
            *ret = value_get_string(&r->modules.items[i], STR("Dir"));
            return true;
        }
    *ret = STR("");
    return key.len == 0;
}

static bool add_file(struct reading *r, const struct zip_member *m)
{
    struct str rest = str_sub(m->name, code_head.len, m->name.len), key, dir;
    if (!str_cut(&rest, '/', &key) || !rest.len || !module_dir(r, key, &dir))
        return true;
    struct saved_file *grown = arena_grow(r->arena, r->file, r->n, &r->room, r->n + 1);
    if (!grown || r->n == SAVED_PLAN_FILES_MAX)
        return grown ? err_set(r->err, ERR_LIMIT, "%s: more than %d files of code", r->name,
                               SAVED_PLAN_FILES_MAX)
                     : arena_full(r->arena, r->err);
    r->file = grown;
    struct saved_file *file = &grown[r->n];
    if (!zip_read(r->arena, &r->zip, m, SAVED_PLAN_CODE_MAX - r->bytes, &file->text, r->err))
        return false;
    r->bytes += file->text.len;
    struct str path = io_join(r->arena, dir, rest);
    file->path = path.ptr ? pathname_clean(r->arena, path) : path;
    r->n++;
    return file->path.ptr || arena_full(r->arena, r->err);
}

/* --- the archive --- */

static int file_order(const void *a, const void *b)
{
    const struct saved_file *x = a, *y = b;
    return str_compare(x->path, y->path);
}

static bool walk(struct reading *r, bool files, struct saved_plan *ret, bool *ret_plan)
{
    struct zip_member m;
    struct err why = {0};
    struct zip at = r->zip;
    while (zip_next(&at, &m, &why)) {
        bool ok = true;
        *ret_plan |= str_equal(m.name, STR("tfplan"));
        if (files)
            ok = !str_starts(m.name, code_head) || add_file(r, &m);
        else if (str_equal(m.name, STR("tfstate")))
            ok = take_state(r, &m, ret);
        else if (str_equal(m.name, STR("tfconfig/modules.json")))
            ok = take_modules(r, &m);
        if (!ok)
            return false;
    }
    if (why.kind != ERR_NONE && r->err)
        *r->err = why;
    return why.kind == ERR_NONE;
}

bool saved_plan_read(struct arena *arena, struct str bytes, const char *name,
                     struct saved_plan *ret, struct err *err)
{
    struct err own = {0};
    struct reading r = {.arena = arena, .name = name, .err = err ? err : &own};
    struct saved_plan plan = {0};
    bool is_plan = false;
    if (!zip_open(bytes, name, &r.zip, r.err) || !walk(&r, false, &plan, &is_plan))
        return false;
    if (!is_plan)
        return err_set(err, ERR_SYNTAX, "%s is a ZIP archive, but no saved plan", name);
    if (!walk(&r, true, &plan, &is_plan))
        return false;
    if (r.n > 1)
        qsort(r.file, r.n, sizeof *r.file, file_order);
    plan.file = r.file;
    plan.nfiles = r.n;
    *ret = plan;
    return true;
}
