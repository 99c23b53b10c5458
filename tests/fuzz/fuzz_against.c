/* fuzz_against.c - three JSON lines as the last state, what is live and what the code says (the
 * text
 * "?" is unknown to everybody, "!" what an apply decides): lenient_plan, settle_* and
 * against_observe keep their promises. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "drift/drift.h"
#include "drift/lenient.h"
#include "drift/settle.h"
#include "wire/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unknown_texts(struct value *v)
{
    struct str text = v->kind == VALUE_STRING ? value_text(v) : STR("");
    if (str_equal(text, STR("?")) || str_equal(text, STR("!"))) {
        *v = value_unknown(NULL);
        v->marks = text.ptr[0] == '!' ? VALUE_PENDING : 0;
    }
    for (uint32_t i = 0; value_is_list_like(v) && i < v->len; i++)
        unknown_texts((struct value *)(uintptr_t)&v->items[i]); /* freshly parsed: ours to write */
    for (uint32_t i = 0; value_is_object_like(v) && i < v->len; i++)
        unknown_texts((struct value *)(uintptr_t)&v->members[i].value);
}

static bool cut_object(struct arena *arena, struct str *rest, struct value *ret)
{
    struct str line;
    if (!str_cut(rest, '\n', &line)) {
        line = *rest;
        *rest = STR("");
    }
    return json_parse(arena, line, "line", 0, ret, NULL) && ret->kind == VALUE_OBJECT;
}

/* Filled from something whole, only what is pending is unknown; and nothing known changes. */
static void check_settled(struct arena *arena, const struct value *config, const struct value *now)
{
    struct value settled, again, marked;
    if (!settle_unknown(arena, config, now, &settled, NULL) ||
        !settle_unknown(arena, &settled, now, &again, NULL) ||
        !settle_pending(arena, config, config, &marked, NULL))
        return;
    if (!value_any_unknown(config) && !value_equal(&settled, config))
        abort();
    if (!value_equal(&settled, &again) || !value_equal(&marked, config))
        abort();
    if (settle_any_untold(config) != settle_any_untold(&marked))
        abort();
}

static void check_observed(struct arena *arena, const struct drift_input *in)
{
    struct observation got;
    unsigned seen = 0;
    if (!drift_observe(arena, in, &got, NULL))
        return;
    if ((got.nfindings > 0) != (got.outcome == OBSERVED_DIFFERENT))
        abort();
    bool drifted = !value_equal(in->desired, in->live);
    for (size_t i = 0; i < got.nfindings; i++) {
        const struct finding *f = &got.findings[i];
        if (strlen(f->fingerprint) != 32 || !f->nchanges || (seen & 1u << f->class_))
            abort();
        seen |= 1u << f->class_;
        if (f->class_ != CLASS_UNAPPLIED && !drifted && !in->code->apart)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct resource resource = {.address = STR_INIT("t.n"), .type = STR_INIT("t")};
    AUTO_ARENA arena = {.limit = 256 << 20};
    struct str rest = {(const char *)data, size};
    struct value recorded, live, config, from_live, from_state;
    if (size > 1 << 16 || !cut_object(&arena, &rest, &recorded) ||
        !cut_object(&arena, &rest, &live) || !cut_object(&arena, &rest, &config))
        return 0;
    unknown_texts(&config);
    check_settled(&arena, &config, &recorded);
    if (!lenient_plan(&arena, &live, &config, &from_live, NULL) ||
        !lenient_plan(&arena, &recorded, &config, &from_state, NULL))
        return 0;
    struct drift_code code = {.from_live = &from_live, .from_state = &from_state};
    struct drift_input in = {
        .resource = &resource, .desired = &recorded, .live = &live, .code = &code, .explain = true};
    check_observed(&arena, &in);
    code.apart = true;
    check_observed(&arena, &in);
    code.from_live = &live; /* nothing is to be changed: then nothing contradicts */
    struct observation got;
    if (drift_observe(&arena, &in, &got, NULL))
        for (size_t i = 0; i < got.nfindings; i++)
            if (got.findings[i].class_ != CLASS_STATE_ONLY)
                abort();
    return 0;
}
