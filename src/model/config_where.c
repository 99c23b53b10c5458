/* config_where.c - where a key stands in plumb.yaml, for what turns out to be wrong with it later.
 */
#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "wire/yaml.h"

enum { CONFIG_BYTES_MAX = 64 << 20 };

/* The place of "serve.tls.cert", or of what is there of it from the left. */
static struct place find(const struct yaml_doc *doc, struct str key)
{
    const struct value *at = &doc->root;
    struct place place = {0};
    for (bool more = true; more && at && at->kind == VALUE_OBJECT;) {
        struct str part;
        more = str_cut(&key, '.', &part);
        at = value_get(at, part);
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
