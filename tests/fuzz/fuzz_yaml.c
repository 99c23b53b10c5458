/* fuzz_yaml.c - yaml_parse() on anything: every node has a place, aliases stay within their budget.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/json.h"
#include "wire/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(const struct yaml_doc *doc, const struct value *v, unsigned depth)
{
    size_t n = 1;
    if (depth > YAML_DEPTH_MAX + 1 || (doc->places && !yaml_place(doc, v).line))
        abort();
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        n += walk(doc, &v->items[i], depth + 1);
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++) {
        if (doc->places && !yaml_key_place(doc, &v->members[i].value).line)
            abort();
        n += walk(doc, &v->members[i].value, depth + 1);
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct err err = {0};
    struct str text = size ? (struct str){(const char *)data + 1, size - 1} : (struct str){"", 0};
    struct yaml_doc *docs;
    size_t n, nodes = 0;
    if (!yaml_parse(&arena, text, "fuzz", size ? data[0] & 1u : 0, &docs, &n, &err)) {
        if (err.kind == ERR_NONE)
            abort();
        return 0;
    }
    for (size_t i = 0; i < n; i++) {
        AUTO_BUF buf = {.limit = 256 << 20};
        struct jsonw w = {.out = &buf};
        struct value again;
        nodes += docs[i].places ? walk(&docs[i], &docs[i].root, 0) : 0;
        jsonw_value(&w, &docs[i].root);
        if (!buf_ok(&buf, NULL) || !json_parse(&arena, buf_view(&buf), "again", 0, &again, &err) ||
            !value_equal(&docs[i].root, &again))
            abort();
    }
    if (nodes > (YAML_ALIAS_BUDGET + 1) * size + n + 16)
        abort();
    return 0;
}
