/* schemas.c - each call handed on. */
#include "live/schemas.h"

#include "live/library.h"

bool live_schemas_open(const struct stack *stack, const struct reader_options *options,
                       struct library **ret, struct err *err)
{
    return library_open(stack, options, ret, err);
}

void live_schemas_close(struct library *library)
{
    if (library)
        library_close(library);
}

bool live_schemas_prefetch(struct library *library, const struct str *sources, size_t n,
                           struct err *err)
{
    return library_prefetch(library, sources, n, err);
}

struct str live_schemas_trouble(struct library *library, struct str source)
{
    return library_trouble(library, source);
}

const struct schema *live_schemas_type(struct library *library, struct str source,
                                       enum code_mode mode, struct str type)
{
    return library_schema(library, source, mode, type);
}

const struct schema *live_schemas_config(struct library *library, struct str source)
{
    return library_config_schema(library, source);
}

bool live_schemas_call(struct library *library, struct hcl_eval *ev, struct str source,
                       struct str name, const struct value *args, size_t nargs, struct value *ret)
{
    return library_call_function(library, ev, source, name, args, nargs, ret);
}
