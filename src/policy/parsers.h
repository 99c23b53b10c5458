/* parsers.h - texts of configuration formats as values, in the shapes that conftest gives them.
 *
 * In:      the whole text, and its name for messages
 * Out:     one value in the arena; strings may be views into the text
 * Errors:  ERR_SYNTAX "name:line:column: why", ERR_LIMIT; ERR_UNSUPPORTED for what a format has and
 *          is not read here
 * Source:  facts/rego.md 12; toml.io/en/v1.0.0; HCL: lang/hcl; java.util.Properties;
 *          github.com/edn-format/edn; www.w3.org/TR/xml; docs.docker.com/reference/dockerfile;
 *          docs.github.com (about code owners); spdx.github.io/spdx-spec/v2.3
 */
#pragma once
#include "value/value.h"

struct arena;
struct err;

#define PARSER_ARGS \
    struct arena *arena, struct str text, const char *name, struct value *ret, struct err *err

bool parser_toml(PARSER_ARGS);
bool parser_ini(PARSER_ARGS);
bool parser_properties(PARSER_ARGS);
bool parser_dotenv(PARSER_ARGS);
/* Blocks are {type: {label: [body]}}, what is no literal is text as "${...}". */
bool parser_hcl2(PARSER_ARGS);
/* HCL 1 as far as HCL 2 reads it: objects in blocks are lists of objects. */
bool parser_hcl1(PARSER_ARGS);
/* JSON with comments and trailing commas. */
bool parser_jsonc(PARSER_ARGS);
/* Lines of .gitignore and .dockerignore: [[{Kind, Value, Original}, ...]]. */
bool parser_ignore(PARSER_ARGS);
/* {rules: [{pattern, owners: [{type, value}], comment, lineNumber}]} */
bool parser_codeowners(PARSER_ARGS);
/* Elements are objects, attributes "-name", text "#text" beside them; all values are text. */
bool parser_xml(PARSER_ARGS);
/* Backends, ACLs and what else has blocks in Varnish's configuration. */
bool parser_vcl(PARSER_ARGS);
/* Keywords as ":name", numbers as text. */
bool parser_edn(PARSER_ARGS);
bool parser_nginx(PARSER_ARGS);
/* Tags and values of SPDX 2.x as the JSON of 2.3. */
bool parser_spdx(PARSER_ARGS);

/* err_set with the line and column of a byte; always false. */
bool parsers_fail(struct str text, const char *name, size_t at, const char *why, struct err *err);
