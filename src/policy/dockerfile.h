/* dockerfile.h - a Dockerfile as a value: an array of {Cmd, SubCmd, JSON, Flags, Value, Stage}. */
#pragma once
#include "value/value.h"

/* Comments and continued lines are taken out; stages count from 0. False only for memory. */
bool policy_dockerfile(struct arena *arena, struct str text, struct value *ret, struct err *err);
