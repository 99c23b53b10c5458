/* adopt_parts.h - what the files of adopt.h share; not for its users. */
#pragma once
#include "desired/code_blocks.h"
#include "lang/hcl/edit_path.h"
#include "respond/adopt.h"

/* A file of the code while it is edited. */
struct adopt_text {
    struct str name, path; /* relative to the root module; on disk */
    struct str read_as;    /* the absolute name by which functions read it; or empty */
    struct str before, text;
    const struct hcl_file *file;  /* text as it was read last */
    const struct hcl_file *first; /* `before` as it was read */
    struct str opened;            /* text that adopter.now has */
    bool made;                    /* there was none before */
};

/* What the configuration of an instance must be afterwards. */
struct adopt_expected {
    const struct code_instance *instance;
    struct value config;
    bool loose; /* an element of a set changed by its place in the code: its value is not known
                   beforehand, only that one element differs */
    const struct adopt_change *change; /* the last one of it */
};

struct adopter {
    struct arena *arena;
    const struct code_options *options;
    struct code *code; /* as it is */
    struct code *now;  /* with edits in it; NULL: not needed yet */
    struct adopt_text *text;
    size_t ntexts, room_texts;
    struct adopt_expected *expected; /* one per instance */
    size_t nexpected, room_expected;
    const struct adopt_expected *all; /* with all changes, those to come, too */
    size_t nall;
    bool partial; /* not all changes are made yet: what one to come asks for may be so already */
    struct adopt_origin *origin;
    size_t norigins, room_origins;
    struct str edited_at; /* the place of the first edit */
    size_t nedits;
    struct code_edit *done; /* of what decides which elements there are */
    size_t ndone, room_done;
    bool remade;               /* a dynamic block makes other ones */
    struct str blocked;        /* why an element cannot be what is wanted, where something else was
                                  edited instead */
    bool inside;               /* of a block that a dynamic one makes: none is written there */
    bool beside;               /* new blocks are written beside those that a dynamic block makes */
    struct str added, removed; /* address of an instance that the edit adds, or takes away */
    bool refused, has_other_way;
    struct str reason;
    struct code_choices choices; /* see code_aim */
    struct err *err;
};

/* Refuses code that has errors. */
bool adopt_check_code(struct adopter *ad);
/* The texts that differ; refuses where none does. */
bool adopt_collect(struct adopter *ad, struct adopt_result *ret);
/* ok or refused: a result. Else false. */
bool adopt_finish(struct adopter *ad, bool ok, struct adopt_result *ret);

/* Where it is written, else where it comes from, else part by part. */
bool adopt_change_at(struct adopter *ad, const struct adopt_change *change,
                     const struct code_instance *instance, const struct value *old,
                     unsigned depth_left);

/* Not there: where it comes from, else part by part. */
bool adopt_change_elsewhere(struct adopter *ad, const struct adopt_change *change,
                            const struct code_instance *instance, const struct value *old,
                            unsigned depth_left);

/* --- elsewhere (adopt_follow.c) --- */

/* Edit what decides the value. */
bool adopt_change_origin(struct adopter *ad, const struct adopt_change *change,
                         const struct code_instance *instance, const struct value *old);
/* No single expression gives the value: edit those that give what differs in it. Stays refused
 * where it has no parts that can be told apart. */
bool adopt_change_parts(struct adopter *ad, const struct adopt_change *change,
                        const struct code_instance *instance, const struct value *old,
                        unsigned depth_left);

/* --- behind expressions (adopt_aim.c) --- */

/* Edit what the parts of an expression are made of. */
bool adopt_change_aimed(struct adopter *ad, const struct adopt_change *change,
                        const struct code_instance *instance);
/* Does the code say so by now, because of other changes? */
bool adopt_is_done(struct adopter *ad, const struct adopt_change *change,
                   const struct code_instance *instance);
/* Would that be tried? Refuses nothing. */
bool adopt_can_aim(struct adopter *ad, const struct adopt_change *change,
                   const struct code_instance *instance);
/* What an attempt may change; and back to it, without a refusal. */
struct adopt_before {
    struct adopt_text *text;
    size_t ntexts;
    struct adopt_expected *expected;
    size_t nexpected, ndone;
};
bool adopt_keep(struct adopter *ad, struct adopt_before *ret);
void adopt_put_back(struct adopter *ad, const struct adopt_before *before);
/* Apply until the proof is there, with other choices each time. The first refusal stays. */
bool adopt_attempt(struct adopter *ad, bool (*apply)(struct adopter *ad, const void *ctx),
                   const void *ctx);
/* --- blocks that are made (adopt_dynamic.c) --- */

/* Does the path lead to blocks of a type that dynamic blocks make, or to some beside such? */
bool adopt_has_dynamic(struct adopter *ad, const struct adopt_change *change,
                       const struct code_instance *instance);
/* Each is edited where it is written, or in what its dynamic block goes through. */
bool adopt_change_blocks(struct adopter *ad, const struct adopt_change *change,
                         const struct code_instance *instance, unsigned depth_left);

/* --- found again, and edited (adopt_again.c) --- */

bool adopt_find_expr(struct adopter *ad, const struct hcl_file *source, const struct hcl_expr *expr,
                     struct adopt_text **ret_text, const struct hcl_expr **ret);
bool adopt_find_block(struct adopter *ad, const struct hcl_file *source,
                      const struct hcl_block *block, struct adopt_text **ret_text,
                      const struct hcl_body **ret_parent, const struct hcl_block **ret);
bool adopt_apply_edits(struct adopter *ad, const struct adopt_change *change,
                       const struct code_instance *instance, const struct code_edit *edit,
                       size_t n);

/* --- refusing (adopt_origin.c) --- */

/* Both give false. The first reason stays. */
bool adopt_refuse(struct adopter *ad, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool adopt_full(struct adopter *ad);
void adopt_add_origin(struct adopter *ad, struct adopt_origin origin);
/* The links of a chain behind the first. */
void adopt_add_chain(struct adopter *ad, const struct code_chain *chain);
/* Refuse for what stands in the way in a file; names what the expression refers to as origins. */
bool adopt_refuse_obstacle(struct adopter *ad, const struct code_instance *instance,
                           struct path path, const struct hcl_file *file,
                           const struct hcl_obstacle *obstacle);
/* One line of an expression, cut at a character where it is long. */
struct str adopt_excerpt(struct adopter *ad, const struct hcl_file *file,
                         const struct hcl_expr *expr);
/* "main.tf:12" */
struct str adopt_at(struct adopter *ad, const struct hcl_file *file, uint32_t byte);

/* --- places (adopt_place.c) --- */

/* A block at the top of a file, found again after edits; type empty: the file itself. */
struct adopt_place {
    struct str file, type, label[2];
    size_t nlabels;
    struct str attribute; /* of `locals`, which may stand there several times */
};
struct adopt_spot { /* a place in the text as it is now */
    struct adopt_text *text;
    struct hcl_body body;
};
/* The place that a byte of a file of the code is in. False: none that can be named. */
bool adopt_place_of(struct adopter *ad, const struct hcl_file *file, uint32_t byte,
                    struct adopt_place *ret);
bool adopt_find(struct adopter *ad, const struct adopt_place *place, struct adopt_spot *ret);
const struct hcl_attribute *adopt_attribute(struct adopter *ad, const struct adopt_spot *spot,
                                            struct str name);
/* A file of the root module, a new one if there is none; NULL (refused, or an error). */
struct adopt_text *adopt_open_text(struct adopter *ad, struct str name, bool make);
/* A file of any kind that the code reads. */
struct adopt_text *adopt_open_plain(struct adopter *ad, struct str name);
/* Take the result of an edit as the file's text. */
bool adopt_take(struct adopter *ad, struct adopt_text *text, struct hcl_edit *edit);
/* Is it a file that people here edit? Else refuses. */
bool adopt_may_edit(struct adopter *ad, struct str file);

/* --- bodies (adopt_body.c, adopt_block.c, adopt_json.c) --- */

struct adopt_job {
    struct adopter *ad;
    const struct adopt_change *change;
    const struct code_instance *instance;
    const struct hcl_file *file; /* being edited */
    struct hcl_edit edit;
    const struct value *old; /* what the path gives now, or NULL */
};
/* Make the edit of job->change in a body; rest: of its path. block NULL: no schema is known. */
bool adopt_body_set(struct adopt_job *job, const struct hcl_body *body,
                    const struct schema_block *block, struct path rest);
bool adopt_body_unset(struct adopt_job *job, const struct hcl_body *body,
                      const struct schema_block *block, struct path rest);
/* The same in JSON syntax. */
bool adopt_json_change(struct adopt_job *job, const struct hcl_body *body,
                       const struct schema_block *block);
/* What the schema says of a name. False (refused): the code cannot set it. */
bool adopt_look_up(struct adopt_job *job, const struct schema_block *block, struct str name,
                   const struct schema_attribute **ret_attribute,
                   const struct schema_nested_block **ret_nested);
/* The nested attribute that a path below an attribute leads to, and the type there. False
 * (refused): only the provider sets it. */
bool adopt_type_at(struct adopt_job *job, const struct schema_attribute *attribute,
                   struct path rest, const struct type **ret,
                   const struct schema_attribute **ret_attribute);
/* v as code writes it there. */
bool adopt_new_value(struct adopt_job *job, const struct schema_attribute *attribute,
                     const struct type *type, const struct value *v, struct value *ret);
/* A dynamic block makes blocks of that type (refused): which one, nobody can tell by looking. */
bool adopt_is_dynamic(struct adopt_job *job, const struct hcl_body *body, struct str type);
/* Make a body give an object: what is equal stays. */
bool adopt_body_assign(struct adopt_job *job, const struct hcl_body *body,
                       const struct schema_block *block, const struct value *old,
                       const struct value *v, unsigned depth_left);
/* The blocks of a type as a list; v NULL: they all go. */
bool adopt_blocks_assign(struct adopt_job *job, const struct hcl_body *body,
                         const struct schema_nested_block *nested, struct str type,
                         const struct value *old, const struct value *v, unsigned depth_left);
/* A new block that gives v. like: one of the same type whose order is taken, or NULL. */
bool adopt_new_block(struct adopt_job *job, struct str type, const struct schema_block *block,
                     const struct value *v, const struct hcl_body *like, unsigned depth_left,
                     struct hcl_new_block *ret);
size_t adopt_blocks_of(struct adopt_job *job, const struct hcl_body *body, struct str type,
                       const struct hcl_block ***ret);

/* --- values (adopt_value.c) --- */

/* v as the schema has it: converted, absent members null. False with why. */
bool adopt_fit(struct arena *arena, const struct type *type, const struct value *v,
               struct value *ret, struct str *ret_why);
/* What of v is written: no nulls of a schema's objects, nothing that only the provider sets.
 * attribute NULL: not known */
bool adopt_written(struct arena *arena, const struct schema_attribute *attribute,
                   const struct type *type, const struct value *v, struct value *ret);
/* May the code set it? */
bool adopt_settable(const struct schema_attribute *attribute);
/* The value with the part at the path changed; v NULL: the part goes. A part of an unknown, or of a
 * set by index: false. */
bool adopt_with(struct arena *arena, const struct value *root, struct path path,
                const struct value *v, struct value *ret);
/* Equal for a plan: null is absent in objects, no blocks are an empty list of them, texts may be
 * the same JSON; unknown equals unknown. */
bool adopt_same(const struct value *a, const struct value *b);

/* --- proof (adopt_verify.c) --- */

bool adopt_expect(struct adopter *ad, const struct code_instance *instance,
                  const struct adopt_change *change, struct adopt_expected **ret);
bool adopt_verify(struct adopter *ad);
/* The edited code, opened; what is asked for is evaluated. */
bool adopt_open_edited(struct adopter *ad, struct code **ret);
