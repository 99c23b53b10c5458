/* fuzz_gatekeeper.c - templates and constraints of any text over a Pod: read, compiled, asked
 * within a budget; what cannot be is an error.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "policy/document.h"
#include "policy/gatekeeper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char pod[] = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n1, labels: "
                          "{a: b}}\nspec: {containers: [{name: c, image: i}]}\n";

static bool add(struct gatekeeper *g, const struct documents *parts, struct err *err)
{
    for (size_t i = 0; i < parts->n; i++)
        if (gatekeeper_is_part(parts->item[i].root) &&
            !gatekeeper_add(g, parts, &parts->item[i], err))
            return false;
    return gatekeeper_compile(g, NULL, NULL, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct gatekeeper gatekeeper = {.arena = &arena};
    struct documents parts, object;
    struct objections found;
    struct err err = {0};
    const struct rego_eval_options how = {.steps = 100000, .memory = 64 << 20, .depth = 100};
    struct str text = arena_dup(&arena, (struct str){(const char *)data, size});
    if (!text.ptr || !documents_parse(&arena, text, STR("fuzz"), &parts, &err) ||
        !documents_parse(&arena, str_from(pod), STR("pod"), &object, &err))
        return 0;
    bool ok = add(&gatekeeper, &parts, &err) &&
              gatekeeper_judge(&gatekeeper, &arena, &object, &object.item[0], &how, &found, &err);
    if (!ok && err.kind == ERR_NONE)
        abort();
    for (size_t i = 0; ok && i < found.n; i++)
        if (!found.item[i].rule.len || !found.item[i].message.len)
            abort();
    gatekeeper_close(&gatekeeper);
    return 0;
}
