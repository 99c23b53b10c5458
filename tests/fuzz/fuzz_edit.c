/* fuzz_edit.c - any file edited anywhere: the new text reads, and says what was asked for.
 *
 * Four bytes choose the change: what is done, which attribute or block, which key or index, which
 * value; the rest is the file. A bit of the first byte makes it JSON syntax.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "lang/hcl/content.h"
#include "lang/hcl/edit_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 4, TEXT_MAX = 4096, BODIES_MAX = 64 };

struct bodies {
    const struct hcl_body *body[BODIES_MAX];
    size_t n;
};

static void collect(struct bodies *bodies, const struct hcl_body *body, unsigned depth_left)
{
    if (bodies->n == BODIES_MAX || depth_left == 0)
        return;
    bodies->body[bodies->n++] = body;
    for (size_t i = 0; i < body->nblocks; i++)
        collect(bodies, &body->block[i].body, depth_left - 1);
}

static const struct value member_values[] = {
    {.kind = VALUE_NUMBER, .form = NUMBER_INT, .integer = -12},
    {.kind = VALUE_STRING, .len = 9, .text = "a\"$${%{\n\\"},
    {.kind = VALUE_STRING, .len = 10, .text = "one\n  two\n"},
};

static struct value value_of(struct arena *arena, unsigned which)
{
    static const char *const keys[] = {"a", "for", "long key"};
    struct value_member *members = arena_new(arena, struct value_member, 3);
    switch (which % 7) {
    case 0:
        return value_null();
    case 1:
    case 2:
    case 3:
        return member_values[which % 7 - 1];
    case 4:
        return value_items(VALUE_TUPLE, member_values, 3);
    case 5:
        return value_bool(true);
    default:
        for (size_t i = 0; i < 3; i++)
            members[i] =
                (struct value_member){key_make(arena, str_from(keys[i])), member_values[i]};
        return (struct value){.kind = VALUE_OBJECT, .len = 3, .members = members};
    }
}

static void fail(const char *why, struct str before, struct str after)
{
    fprintf(stderr, "%s\n--- before\n%.*s\n--- after\n%.*s\n", why, STR_ARG(before),
            STR_ARG(after));
    abort();
}

/* The text after the change must be there, and read without errors. */
static struct str finish(struct hcl_edit *edit)
{
    struct err err = {0};
    struct str text = {0};
    if (!hcl_edit_finish(edit, &text, &err) && err.kind == ERR_CONFLICT)
        fail(err.frame[0], edit->file->text, text);
    return text;
}

static const struct hcl_expr *json_root(const struct hcl_file *file)
{
    return file->json ? file->body.json : NULL;
}

static bool parse(struct arena *arena, struct str text, bool json, struct hcl_file *ret)
{
    struct hcl_diags diags = {.arena = arena};
    bool ok = json ? hcl_parse_json_file(arena, text, STR("fuzz.tf.json"), &diags, ret, NULL)
                   : hcl_parse_file(arena, text, STR("fuzz.tf"), &diags, ret, NULL);
    return ok && !hcl_has_errors(&diags);
}

/* Setting again what was set must change nothing. */
static void edit_expression(struct arena *arena, const struct hcl_file *file,
                            const struct hcl_body *body, const uint8_t *head)
{
    static const char *const keys[] = {"a", "b", "for", "a b", ""};
    struct path_step step = {.kind = file->json || head[2] & 1 ? PATH_KEY : PATH_INDEX,
                             .key = str_from(keys[(head[2] >> 1) % 5]),
                             .index = (head[2] >> 1) % 4};
    struct path path = {&step, file->json || head[0] & 2 ? 1 : 0};
    struct hcl_obstacle obstacle;
    struct hcl_known known = {0};
    struct hcl_edit edit;
    struct value v = value_of(arena, head[3]);
    bool top = body == &file->body && body->nattributes > 0;
    const struct hcl_expr *expr = json_root(file);
    if (!expr && body->nattributes == 0)
        return;
    size_t at = expr ? 0 : head[1] % body->nattributes;
    expr = expr ? expr : body->attribute[at].value;
    hcl_edit_start(&edit, arena, file);
    bool unset = head[0] & 4 && path.n;
    bool ok = unset ? hcl_edit_unset(&edit, expr, path, known, &obstacle)
                    : hcl_edit_set(&edit, expr, path, &v, known, &obstacle);
    struct str text = ok ? finish(&edit) : (struct str){0};
    struct hcl_file after;
    if (!text.ptr || unset || !(top || file->json) || !parse(arena, text, file->json, &after) ||
        (!file->json && after.body.nattributes <= at))
        return;
    hcl_edit_start(&edit, arena, &after);
    expr = file->json ? json_root(&after) : after.body.attribute[at].value;
    if (!hcl_edit_set(&edit, expr, path, &v, known, &obstacle) || !str_equal(finish(&edit), text))
        abort();
}

static void edit_body(struct arena *arena, const struct hcl_file *file, const struct hcl_body *body,
                      const uint8_t *head)
{
    struct value v = value_of(arena, head[3]);
    struct hcl_new_item items[] = {{.key = STR("new_one"), .value = &v},
                                   {.key = STR("new"), .text = STR("var.x")}};
    struct hcl_new_block inner = {.type = STR("inner")};
    struct hcl_new_block block = {.type = body->nblocks ? body->block[0].type : STR("outer"),
                                  .attribute = items,
                                  .nattributes = 2,
                                  .block = &inner,
                                  .nblocks = 1};
    struct hcl_edit edit;
    hcl_edit_start(&edit, arena, file);
    switch (head[0] >> 2 & 7) {
    case 0:
        hcl_edit_add_attributes(&edit, body, items, 2);
        break;
    case 1:
        if (body->nattributes)
            hcl_edit_remove_attribute(&edit, body, &body->attribute[head[1] % body->nattributes]);
        break;
    case 2:
        hcl_edit_add_blocks(&edit, body, &block, 1);
        break;
    case 3:
        if (body->nblocks)
            hcl_edit_insert_blocks(&edit, body, &body->block[head[1] % body->nblocks], &block, 1);
        break;
    default:
        if (body->nblocks)
            hcl_edit_remove_block(&edit, body, &body->block[head[1] % body->nblocks]);
        break;
    }
    (void)finish(&edit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct bodies bodies = {.n = 0};
    struct hcl_file file;
    if (size < HEAD || size > TEXT_MAX)
        return 0;
    struct str text = {(const char *)data + HEAD, size - HEAD};
    bool json = data[0] & 0x80;
    if (!parse(&arena, text, json, &file))
        return 0;
    collect(&bodies, &file.body, 16);
    const struct hcl_body *body = bodies.body[data[2] % bodies.n];
    if (json || data[0] & 1)
        edit_expression(&arena, &file, body, data);
    else
        edit_body(&arena, &file, body, data);
    return 0;
}
