/* config_where.c - where a key stands in plumb.yaml, for what turns out to be wrong with it later.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "wire/yaml.h"

enum { CONFIG_BYTES_MAX = 64 << 20 };

static const struct value *step(const struct value *at, struct str part)
{
    int64_t i = -1;
    if (at->kind == VALUE_OBJECT)
        return value_get(at, part);
    bool item = (at->kind == VALUE_LIST || at->kind == VALUE_TUPLE) && str_to_int64(part, &i);
    return item && i >= 0 && i < at->len ? &at->items[i] : NULL;
}

/* The place of "serve.tls.cert" or "policy.rules.0", or of what is there of it from the left. */
static struct place find(const struct yaml_doc *doc, struct str key)
{
    const struct value *at = &doc->root;
    struct place place = {0};
    for (bool more = true; more && at;) {
        struct str part;
        more = str_cut(&key, '.', &part);
        at = step(at, part);
        if (at)
            place = yaml_place(doc, at);
    }
    return place;
}

bool config_blame(const struct config *config, const char *key, struct err *err)
{
    AUTO_ARENA arena = {.limit = CONFIG_BYTES_MAX * 4};
    struct str text;
    struct yaml_doc doc;
    struct place place = {0};
    if (config->path.len && io_read_file(&arena, config->path.ptr, CONFIG_BYTES_MAX, &text, NULL) &&
        yaml_parse_one(&arena, text, config->path.ptr, YAML_DEFAULT, &doc, NULL))
        place = find(&doc, str_from(key));
    return place.line ? err_wrap(err, "%.*s:%u:%u: %s", STR_ARG(config->path), place.line,
                                 place.column, key)
                      : err_wrap(err, "%s", key);
}
