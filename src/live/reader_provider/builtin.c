/* builtin.c - the built-in provider's one resource type. */
#include "live/reader_provider/builtin.h"

#include "base/arena.h"
#include "base/err.h"
#include "value/type.h"
#include "wire/json.h"

static const struct schema_attribute attributes[] = {
    {.name = STR_INIT("id"), .type = &type_string, .computed = true},
    {.name = STR_INIT("input"), .type = &type_dynamic, .optional = true},
    {.name = STR_INIT("output"), .type = &type_dynamic, .computed = true},
    {.name = STR_INIT("triggers_replace"), .type = &type_dynamic, .optional = true},
};
enum { ATTRIBUTES = sizeof attributes / sizeof *attributes };

static const struct path_step trigger = {.kind = PATH_KEY, .key = STR_INIT("triggers_replace")};
static const struct path trigger_path = {&trigger, 1};

static bool differs(const struct live_question *question, struct str name)
{
    const struct value *prior = value_get(&question->prior, name);
    const struct value *proposed = value_get(&question->proposed, name);
    return prior && proposed && !value_equal(prior, proposed);
}

static bool plan(struct arena *arena, const struct live_question *question, struct live_plan *ret,
                 struct err *err)
{
    const struct value *proposed = &question->proposed;
    bool replace = differs(question, trigger.key);
    bool anew = replace || differs(question, STR("input"));
    struct value_member *members = arena_new(arena, struct value_member, proposed->len);
    if (!members)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < proposed->len; i++) {
        struct str name = key_str(proposed->members[i].key);
        members[i] = proposed->members[i];
        if ((replace && str_equal(name, STR("id"))) || (anew && str_equal(name, STR("output"))))
            members[i].value = value_unknown(NULL);
    }
    *ret = (struct live_plan){.status = LIVE_PLANNED, .planned = *proposed};
    ret->planned.members = members;
    if (replace) {
        ret->requires_replace = &trigger_path;
        ret->nrequires_replace = 1;
    }
    return true;
}

/* Nothing of it is anywhere but in the state: both sides have the same values. */
static bool plan_side(struct arena *arena, const struct reader_options *options,
                      const struct live_result *result, enum live_side side, struct live_plan *ret,
                      struct err *err)
{
    struct live_question question;
    struct err why = {0};
    char text[1024];
    if (options->ask(options->ctx, arena, result->resource, result->schema, side, &result->live,
                     &result->desired, &question, &why))
        return plan(arena, &question, ret, err);
    if (why.kind == ERR_NONE)
        return true;
    struct str reason = arena_dup(arena, str_from(err_text(&why, text, sizeof text)));
    *ret = (struct live_plan){.status = LIVE_PLAN_FAILED, .reason = reason};
    return reason.ptr || arena_full(arena, err);
}

/* By the schema, where somebody wants to plan it. */
static bool give_planned(const struct resource *resource, const struct reader_options *options,
                         const struct value *recorded, struct arena *arena, live_sink on_result,
                         void *sink_ctx, struct err *err)
{
    struct schema schema = {.block = {.attributes = attributes, .nattributes = ATTRIBUTES}};
    struct live_result result = {.resource = resource, .status = LIVE_READ};
    struct err why = {0};
    char text[1024];
    if (!schema_imply_type(arena, &schema.block))
        return arena_full(arena, err);
    if (!type_apply(arena, schema.block.type, recorded, !resource->attributes_plain,
                    &result.desired, &why))
        return live_tell_unreadable(resource, str_from(err_text(&why, text, sizeof text)),
                                    on_result, sink_ctx, err);
    result.live = result.desired;
    result.schema = &schema;
    if (!plan_side(arena, options, &result, LIVE_SIDE_LIVE, &result.from_live, err))
        return false;
    result.from_state = result.from_live;
    if (options->ask_apart &&
        !plan_side(arena, options, &result, LIVE_SIDE_STATE, &result.from_state, err))
        return false;
    return on_result(sink_ctx, &result, err);
}

bool builtin_read(const struct resource *resource, const struct reader_options *options,
                  live_sink on_result, void *sink_ctx, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct value v;
    struct err why = {0};
    char text[1024];
    if (!str_equal(resource->type, STR("terraform_data")))
        return live_tell_unreadable(resource, STR("the built-in provider has only terraform_data"),
                                    on_result, sink_ctx, err);
    if (resource->import_id.len)
        return live_tell_unreadable(resource, STR("nothing is known of it outside of a state"),
                                    on_result, sink_ctx, err);
    if (!json_parse(&arena, resource->attributes_json, "attributes", JSON_DUPLICATES_LAST, &v,
                    &why))
        return live_tell_unreadable(resource, str_from(err_text(&why, text, sizeof text)),
                                    on_result, sink_ctx, err);
    if (options->ask)
        return give_planned(resource, options, &v, &arena, on_result, sink_ctx, err);
    struct live_result result = {
        .resource = resource, .status = LIVE_READ, .desired = v, .live = v};
    return on_result(sink_ctx, &result, err);
}
