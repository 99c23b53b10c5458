/* fuzz_parsers.c - every reader of a configuration format on anything: a value that can be written
 * as JSON and read again, or an error; and files of documents with the places of all their values.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "policy/dockerfile.h"
#include "policy/document.h"
#include "policy/parsers.h"
#include "policy/secrets.h"
#include "policy/spot.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool dockerfile(PARSER_ARGS)
{
    (void)name;
    return policy_dockerfile(arena, text, ret, err);
}

static bool (*const parsers[])(PARSER_ARGS) = {
    parser_toml, parser_ini,   parser_properties, parser_dotenv, parser_hcl2,
    parser_hcl1, parser_jsonc, parser_ignore,     parser_xml,    parser_vcl,
    parser_edn,  parser_nginx, dockerfile,        parser_spdx,
};
enum { PARSERS = sizeof parsers / sizeof *parsers };

static void round_trip(struct arena *arena, const struct value *v)
{
    AUTO_BUF out = {.limit = 64 << 20};
    struct jsonw w = {.out = &out};
    struct value again;
    jsonw_value(&w, v);
    if (!out.failed && !json_parse(arena, buf_view(&out), "again", JSON_COPY, &again, NULL))
        abort();
}

/* Every node is found again under its own path. */
static void walk(const struct spots *spots, const struct value *v, unsigned depth)
{
    struct spot spot;
    if (!spots_find(spots, v, NULL, NULL, 0, &spot) || spots_depth(spots, v, NULL) < spot.path.n)
        abort();
    for (uint32_t i = 0; depth && value_is_list_like(v) && i < v->len; i++)
        walk(spots, &v->items[i], depth - 1);
    for (uint32_t i = 0; depth && value_is_object_like(v) && i < v->len; i++)
        walk(spots, &v->members[i].value, depth - 1);
}

static void documents(struct arena *arena, struct str text)
{
    struct documents all;
    struct err err = {0};
    if (!documents_parse(arena, text, STR("fuzz"), &all, &err)) {
        if (err.kind == ERR_NONE)
            abort();
        return;
    }
    for (size_t i = 0; i < all.n && i < 20; i++) {
        struct spots *spots;
        struct secrets *secrets;
        struct str hidden;
        if (!spots_open(arena, &all, &all.item[i], &spots, &err) ||
            !secrets_find(arena, &all.item[i], &secrets, &err))
            return;
        walk(spots, all.item[i].root, 50);
        (void)secrets_hide(secrets, arena, str_sub(text, 0, 200), &hidden, &err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct err err = {0};
    struct value v;
    if (!size)
        return 0;
    struct str text = arena_dup(&arena, (struct str){(const char *)data + 1, size - 1});
    /* readers are given what is UTF-8 (inputs.c) */
    if (!text.ptr || utf8_bad_at(text) != SIZE_MAX)
        return 0;
    if (data[0] % (PARSERS + 1) == PARSERS) {
        documents(&arena, text);
        return 0;
    }
    if (parsers[data[0] % (PARSERS + 1)](&arena, text, "fuzz", &v, &err))
        round_trip(&arena, &v);
    else if (err.kind == ERR_NONE)
        abort();
    return 0;
}
