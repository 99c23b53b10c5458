/* reader.c - the readers there are (src/live/reader_*.c) and which of them reads a resource. */
#include "live/reader.h"

#include "model/resource.h"

#define X(name) extern const struct reader name;
#include "gen/live_reader.inc"
#undef X

static const struct reader *const readers[] = {
#define X(name) &name,
#include "gen/live_reader.inc"
#undef X
};
enum { READERS = sizeof readers / sizeof *readers };

/* Who is asked first: what the user named explicitly, then the vendor's own eyes, then ours. */
static const struct str preferred[] = {STR_INIT("snapshot"), STR_INIT("provider"),
                                       STR_INIT("file")};
enum { PREFERRED = sizeof preferred / sizeof *preferred };

const struct reader *reader_find(struct str name)
{
    for (size_t i = 0; i < READERS; i++)
        if (str_equal(str_from(readers[i]->name), name))
            return readers[i];
    return NULL;
}

const struct reader *const *reader_list(size_t *ret_n)
{
    *ret_n = READERS;
    return readers;
}

static bool is_preferred(const struct reader *reader)
{
    for (size_t i = 0; i < PREFERRED; i++)
        if (str_equal(str_from(reader->name), preferred[i]))
            return true;
    return false;
}

static const struct reader *choose(const struct stack *stack, const struct resource *resource,
                                   struct library *library)
{
    for (size_t i = 0; i < PREFERRED; i++) {
        const struct reader *reader = reader_find(preferred[i]);
        if (reader && reader->claims(stack, resource, library))
            return reader;
    }
    for (size_t i = 0; i < READERS; i++)
        if (!is_preferred(readers[i]) && readers[i]->claims(stack, resource, library))
            return readers[i];
    return resource->mode == RESOURCE_MANAGED ? reader_find(STR("provider")) : NULL;
}

const struct reader *reader_choose(struct reader_choice *last, const struct stack *stack,
                                   const struct resource *resource)
{
    if (last->made && last->mode == (int)resource->mode &&
        str_equal(last->provider, resource->provider) && str_equal(last->type, resource->type))
        return last->reader;
    *last = (struct reader_choice){.providers = last->providers,
                                   .made = true,
                                   .mode = (int)resource->mode,
                                   .provider = resource->provider,
                                   .type = resource->type,
                                   .reader = choose(stack, resource, last->providers)};
    return last->reader;
}

bool live_tell_unreadable(const struct resource *resource, struct str reason, live_sink on_result,
                          void *sink_ctx, struct err *err)
{
    struct live_result result = {.resource = resource,
                                 .status = LIVE_UNREADABLE,
                                 .reason = reason,
                                 .desired = value_null(),
                                 .live = value_null()};
    return on_result(sink_ctx, &result, err);
}
