/* document.c - which kind of JSON document a text is, from its first telling key. */
#include "desired/document.h"

#include <string.h>

#include "wire/json.h"
#include "wire/json_scan.h"

static const struct {
    struct str key;
    enum document_kind kind;
} telling[] = {
    {STR_INIT("version"), DOCUMENT_STATE},
    {STR_INIT("lineage"), DOCUMENT_STATE},
    {STR_INIT("serial"), DOCUMENT_STATE},
    {STR_INIT("encrypted_data"), DOCUMENT_STATE},
    {STR_INIT("encryption_version"), DOCUMENT_STATE},
    {STR_INIT("values"), DOCUMENT_SHOW_STATE},
    {STR_INIT("planned_values"), DOCUMENT_PLAN},
    {STR_INIT("resource_changes"), DOCUMENT_PLAN},
    {STR_INIT("resource_drift"), DOCUMENT_PLAN},
    {STR_INIT("prior_state"), DOCUMENT_PLAN},
    {STR_INIT("configuration"), DOCUMENT_PLAN},
    {STR_INIT("complete"), DOCUMENT_RESOURCES},
    {STR_INIT("address"), DOCUMENT_RESOURCES},
};

/* Keys that several kinds share: only what follows tells. */
enum seen { SEEN_FORMAT = 1, SEEN_RESOURCES = 2, SEEN_APPLYABLE = 4 };

static enum document_kind kind_of(struct str key, unsigned *seen)
{
    if (str_equal(key, STR("format_version")))
        *seen |= SEEN_FORMAT;
    if (str_equal(key, STR("resources")))
        *seen |= SEEN_RESOURCES;
    if (str_equal(key, STR("applyable")))
        *seen |= SEEN_APPLYABLE;
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++)
        if (str_equal(telling[i].key, key))
            return telling[i].kind == DOCUMENT_RESOURCES && *seen & (SEEN_FORMAT | SEEN_APPLYABLE)
                       ? DOCUMENT_PLAN /* a plan has "complete" too */
                       : telling[i].kind;
    return DOCUMENT_UNKNOWN;
}

enum document_kind document_probe(struct str text)
{
    struct json_scan s = json_scan_open(text);
    struct str key, ignored;
    unsigned seen = 0;
    bool escaped, first = true;
    json_scan_space(&s);
    if (s.at == s.end)
        return DOCUMENT_EMPTY;
    if (*s.at == '[')
        return DOCUMENT_RESOURCES;
    if (!json_scan_enter(&s, '{'))
        return DOCUMENT_UNKNOWN;
    while (json_scan_next_key(&s, &first, &key, &escaped)) {
        enum document_kind kind = kind_of(key, &seen);
        if (kind != DOCUMENT_UNKNOWN)
            return kind;
        if (!json_scan_value(&s, JSON_DEPTH_MAX, &ignored))
            break;
    }
    return seen & SEEN_FORMAT      ? DOCUMENT_SHOW_STATE /* `show -json` where there is no state */
           : seen & SEEN_RESOURCES ? DOCUMENT_RESOURCES
                                   : DOCUMENT_UNKNOWN;
}
