/* tfplugin_wire.h - what tfplugin.c and tfplugin_schema.c share. */
#pragma once
#include <stdbool.h>

#include "wire/protobuf.h"

struct arena;
struct err;
struct tf_diagnostics;

#define PB_MESSAGE_OF(name, rules) \
    { \
        (name), (rules), sizeof(rules) / sizeof *(rules) \
    }

/* A list of Diagnostic messages; strings stay views into it. */
bool tf_take_diagnostics(struct arena *arena, struct pb_list list, struct tf_diagnostics *ret,
                         struct err *err);
