/* settings.h - what a provider is configured with: where it comes from and how it is encoded.
 *
 * Source:  plumb.yaml (struct stack.providers, first match wins), else the evaluated code
 *          (reader_options.provider_config), else the constants of the code's own provider block
 *          (codeblock.h), else nothing: every member null, and the provider reads its environment
 * Secrets: strings "env:NAME" are resolved at use and never printed
 * Clause:  facts/terraform.md 4.5 (all members, absent null, absent LIST/SET blocks empty)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "value/value.h"

struct arena;
struct err;
struct schema;
struct schema_block;
struct stack;

/* `module.a.provider["HOST/NS/TYPE"].alias` taken apart; views into the text. */
struct settings_key {
    struct str text;   /* all of it */
    struct str module; /* "module.a", or empty */
    struct str source; /* HOST/NS/TYPE */
    struct str alias;  /* with an OpenTofu instance key behind it: west["a"]; or empty */
};
bool settings_parse_key(struct str provider_config, struct str source, struct settings_key *ret);

struct settings {
    struct value values;   /* object, or null = nothing is known */
    bool typed;            /* of the schema's own type: no conversion, no env:NAME in it */
    struct str from;       /* "plumb.yaml", "main.tf:3" or "the environment": for messages */
    struct str incomplete; /* what the code sets and nobody can say: "region at main.tf:3" */
};
struct settings_source {
    bool (*get)(void *ctx, struct arena *arena, const struct settings_key *key,
                const struct schema *schema, struct settings *ret, struct err *err);
    void *ctx;
};

/* The source that asks plumb.yaml; ctx = const struct stack. */
bool settings_from_stack(void *ctx, struct arena *arena, const struct settings_key *key,
                         const struct schema *schema, struct settings *ret, struct err *err);
/* Does a name of plumb.yaml ("aws", "hashicorp/aws", "HOST/NS/TYPE", with ".alias") mean it? */
bool settings_name_matches(struct str name, const struct settings_key *key);

/*
 * values by the provider's schema, as msgpack. Numbers, bools and strings are converted into one
 * another where the text allows it; one object stands for a list or set of one block.
 * env   resolves "env:NAME"; a name that is not set is ERR_USAGE
 * Errors name the setting and, for an unknown one, the nearest.
 */
bool settings_encode(struct arena *arena, const struct schema *schema, const struct value *values,
                     const char *(*env)(const char *name), struct buf *out, struct err *err);
/* The same for values of the schema's own type, as an evaluator of the code gives them; what is
 * unknown in them is left out. */
bool settings_encode_typed(struct arena *arena, const struct schema *schema,
                           const struct value *values, struct buf *out, struct err *err);
