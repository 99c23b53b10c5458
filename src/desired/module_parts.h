/* module_parts.h - what the decoders of a module's blocks share; not for users of module.h.
 *
 * Shape:  each file gives one struct code_parts, lists of its declarations in source order;
 *         module_merge.c makes one struct code_module of all of them
 * Errors: diagnostics; a decoder gives NULL or nothing when memory is out and sets `full`
 */
#pragma once
#include "base/arena.h"
#include "desired/module.h"

struct err;

/* Where lines begin: a place in O(log n), for files with many blocks. */
struct code_lines {
    const uint32_t *start;
    size_t n;
};

struct code_decoder {
    struct arena *arena;
    struct hcl_diags *diags;
    const struct hcl_file *file;
    struct code_lines lines;
    bool override; /* the file's name says that it overrides */
    bool opentofu;
    bool full; /* memory is out */
};

/* Growing lists in the arena. */
#define CODE_LIST(T) \
    struct { \
        T *item; \
        size_t n, room; \
    }
#define CODE_PUSH(d, list, value) \
    do { \
        void *grown = arena_grow((d)->arena, (list).item, (list).n, &(list).room, (list).n + 1); \
        if (grown) { \
            (list).item = grown; \
            (list).item[(list).n++] = (value); \
        } else { \
            (d)->full = true; \
        } \
    } while (0)

/* --- what a file declares; *_set: written, for override files --- */

struct part_variable {
    struct code_variable v;
    bool description_set, nullable_set, sensitive_set, ephemeral_set;
};
struct part_local {
    struct code_local l;
    struct code_place place;
};
struct part_output {
    struct code_output o;
    bool sensitive_set, ephemeral_set;
};
struct part_resource {
    struct code_resource r;
    bool create_before_destroy_set, prevent_destroy_set;
};
struct part_call {
    struct code_module_call c;
};
struct part_named { /* backend, cloud, provider_meta */
    struct str name;
    const struct hcl_body *body;
    struct code_place place;
};
struct part_requirements {
    CODE_LIST(struct code_requirement) list;
    struct code_place place;
};
struct part_check {
    struct code_check c;
    struct part_resource *data; /* or NULL */
};
struct part_import {
    struct code_import i;
    struct str resource; /* module.a.TYPE.NAME without keys, or empty */
    struct str instance; /* with keys; empty where they are not static */
};

struct code_parts {
    const struct hcl_file *file;
    bool cut; /* it has syntax errors */
    CODE_LIST(struct code_expr) required_version;
    CODE_LIST(struct part_named) backends, clouds, metas;
    CODE_LIST(struct part_requirements) requirements;
    CODE_LIST(struct code_provider) providers;
    CODE_LIST(struct part_variable) variables;
    CODE_LIST(struct part_local) locals;
    CODE_LIST(struct part_output) outputs;
    CODE_LIST(struct part_call) calls;
    CODE_LIST(struct part_resource) resources;
    CODE_LIST(struct code_moved) moved, removed;
    CODE_LIST(struct part_import) imports;
    CODE_LIST(struct part_check) checks;
};

/* --- decoding (module_decode.c) --- */

struct code_lines code_lines_of(struct arena *arena, struct str text);
struct code_place code_place_of(const struct code_decoder *d, struct hcl_range subject,
                                struct hcl_range whole);
/* "main.tf:7,1-32", as messages name an earlier declaration. */
struct str code_range_text(struct arena *arena, const struct hcl_file *file,
                           struct hcl_range range);
void code_fault(struct code_decoder *d, struct hcl_range subject, const char *summary,
                const char *detail_fmt, ...) __attribute__((format(printf, 4, 5)));
void code_warn(struct code_decoder *d, struct hcl_range subject, const char *summary,
               const char *detail_fmt, ...) __attribute__((format(printf, 4, 5)));

struct hcl_content code_content(struct code_decoder *d, const struct hcl_body *body,
                                const struct hcl_body_spec *spec, bool partial);
struct hcl_content code_attributes(struct code_decoder *d, const struct hcl_body *body);
/* NULL if it is not written. */
const struct hcl_attribute *code_attribute(const struct hcl_content *content, const char *name);
struct code_expr code_expr_of(const struct code_decoder *d, const struct hcl_attribute *attribute);
/* The same attribute, {0} if it is not written. */
struct code_expr code_optional_expr(const struct code_decoder *d, const struct hcl_content *content,
                                    const char *name);

extern const char code_bad_identifier[];
/* Reports `summary` at the label if it is no identifier. */
void code_check_name(struct code_decoder *d, const struct hcl_label *label, const char *summary);

struct hcl_range code_start_of(const struct hcl_expr *expr);
/* Evaluate without names and functions. False (reported): *ret is an unknown. */
bool code_constant(struct code_decoder *d, const struct hcl_expr *expr, struct value *ret);
/* A constant string; false, and nothing said, for anything else. */
bool code_quiet_string(struct code_decoder *d, const struct hcl_expr *expr, struct str *ret);
/* gohcl's way: constant, converted, known and not null; reported otherwise and *ret untouched. */
bool code_constant_bool(struct code_decoder *d, const struct hcl_attribute *attribute, bool *ret);
bool code_constant_string(struct code_decoder *d, const struct hcl_attribute *attribute,
                          struct str *ret);
/* As a place of references and keywords reads it: a JSON string's content. Never NULL. */
const struct hcl_expr *code_keyword_expr(struct code_decoder *d, const struct hcl_expr *expr);
/* The same where only one reference may be: what a JSON string has wrong is reported. Or NULL. */
const struct hcl_expr *code_reference_expr(struct code_decoder *d, const struct hcl_expr *expr);
/* A bare word (or in JSON a string of one); empty if it is anything else. */
struct str code_keyword(struct code_decoder *d, const struct hcl_expr *expr);
/* The elements of a list that is written out; false (reported) for anything else. */
bool code_list(struct code_decoder *d, const struct hcl_expr *expr,
               const struct hcl_expr *const **ret, size_t *ret_n);
/* The pairs of an object that is written out; false for anything else (reported unless quiet). */
bool code_pairs(struct code_decoder *d, const struct hcl_expr *expr, bool quiet,
                const struct hcl_item **ret, size_t *ret_n);
/* A reference with constant steps only; false (reported unless quiet) for anything else. */
bool code_traversal(struct code_decoder *d, const struct hcl_expr *expr, bool quiet,
                    struct hcl_traversal *ret);
bool code_is_quoted(const struct hcl_expr *expr);
/* As the language's 0.11 wanted it, "aws.east" in quotes: the expression inside, with a warning.
 * Anything else as it is. */
const struct hcl_expr *code_unquote(struct code_decoder *d, const struct hcl_expr *expr,
                                    bool keyword);
/* depends_on */
void code_depends_on(struct code_decoder *d, const struct hcl_attribute *attribute,
                     const struct code_expr **ret, size_t *ret_n);
/* provider = aws.east; argument: for messages. False (reported) if there is no name. */
bool code_decode_provider_ref(struct code_decoder *d, const struct hcl_expr *expr,
                              const char *argument, struct code_provider_ref *ret);
/* A version constraint; false (reported) if it is none. null and unknown are true. */
bool code_check_version(struct code_decoder *d, const struct hcl_attribute *attribute);

/* --- blocks: each appends to `parts` --- */

void code_decode_terraform(struct code_decoder *d, const struct hcl_block *block,
                           struct code_parts *parts);
void code_decode_provider(struct code_decoder *d, const struct hcl_block *block,
                          struct code_parts *parts);
void code_decode_variable(struct code_decoder *d, const struct hcl_block *block,
                          struct code_parts *parts);
void code_decode_locals(struct code_decoder *d, const struct hcl_block *block,
                        struct code_parts *parts);
void code_decode_output(struct code_decoder *d, const struct hcl_block *block,
                        struct code_parts *parts);
void code_decode_call(struct code_decoder *d, const struct hcl_block *block,
                      struct code_parts *parts);
void code_decode_resource(struct code_decoder *d, const struct hcl_block *block,
                          struct code_parts *parts);
void code_decode_data(struct code_decoder *d, const struct hcl_block *block,
                      struct code_parts *parts);
void code_decode_ephemeral(struct code_decoder *d, const struct hcl_block *block,
                           struct code_parts *parts);
void code_decode_moved(struct code_decoder *d, const struct hcl_block *block,
                       struct code_parts *parts);
void code_decode_removed(struct code_decoder *d, const struct hcl_block *block,
                         struct code_parts *parts);
void code_decode_import(struct code_decoder *d, const struct hcl_block *block,
                        struct code_parts *parts);
void code_decode_check(struct code_decoder *d, const struct hcl_block *block,
                       struct code_parts *parts);
/* condition and error_message of a block */
bool code_decode_condition(struct code_decoder *d, const struct hcl_block *block,
                           struct code_condition *ret);
bool code_has_reference(struct code_decoder *d, const struct hcl_expr *expr);
/* A data block inside of a check. */
bool code_decode_nested_data(struct code_decoder *d, const struct hcl_block *block,
                             struct part_resource *ret);
/* One provisioner; true if it runs when the resource is destroyed. */
bool code_decode_provisioner(struct code_decoder *d, const struct hcl_block *block);
/* Destroy-time provisioners and their connections refer to the resource only. */
void code_only_self_references(struct code_decoder *d, const struct hcl_body *body);

/* --- names of providers (provider_source.c) --- */

bool provider_host_valid(struct str host);
/* What is wrong with one part of a provider's address, or NULL. */
const char *provider_part_fault(struct str part);
/* Reports a local name that is no provider's; `name` is normalised to lower case. */
bool code_check_provider_name(struct code_decoder *d, struct str name, struct hcl_range subject);
/* HOST/NAMESPACE/TYPE of a source as it is written; false with summary and detail. */
bool provider_source_parse(struct arena *arena, struct str text, bool opentofu, struct str *ret,
                           struct str *ret_summary, struct str *ret_detail);
/* Of a name that no requirement has: registry.terraform.io/hashicorp/NAME, or the built-in one. */
struct str provider_source_default(struct arena *arena, struct str name, bool opentofu);

/* --- sources of modules (module_call.c) --- */

/* Reports a source that cannot be one; *ret as Terraform writes it down (cleaned). */
bool code_check_module_source(struct code_decoder *d, struct hcl_range subject, struct str text,
                              bool has_version, struct str *ret);
bool module_source_is_local(struct str source);

/* --- all files to one module (module_merge.c) --- */

bool code_merge_parts(struct code_decoder *d, struct code_parts *primary, size_t nprimary,
                      struct code_parts *overrides, size_t noverrides, struct code_module *ret);
