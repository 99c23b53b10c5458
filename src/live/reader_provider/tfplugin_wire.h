/* tfplugin_wire.h - what tfplugin.c, tfplugin_plan.c and tfplugin_schema.c share. */
#pragma once
#include <stdbool.h>

#include "live/reader_provider/tfplugin.h"
#include "wire/protobuf.h"

struct arena;
struct err;

#define PB_MESSAGE_OF(name, rules) \
    { \
        (name), (rules), sizeof(rules) / sizeof *(rules) \
    }

/* A list of Diagnostic messages; strings stay views into it. */
bool tf_take_diagnostics(struct arena *arena, struct pb_list list, struct tf_diagnostics *ret,
                         struct err *err);
/* One AttributePath message. */
bool tf_take_path(struct arena *arena, struct str message, struct path *ret, struct err *err);
/* The msgpack of a DynamicValue; of a ResourceIdentityData. ptr NULL where there is none. */
bool tf_take_dynamic(struct arena *arena, struct str message, struct str *ret, struct err *err);
bool tf_take_identity(struct arena *arena, struct str message, struct str *ret, struct err *err);
bool tf_take_deferred(struct arena *arena, struct str message, enum tf_deferred *ret,
                      struct err *err);
/* A DynamicValue of these bytes; what we can take (write-only attributes, never deferral). */
void tf_put_dynamic(struct buf *out, uint32_t number, struct str msgpack);
void tf_put_capabilities(struct buf *out, uint32_t number);
/* A ResourceIdentityData, where there is one. */
void tf_put_identity(struct buf *out, uint32_t number, struct str identity);
