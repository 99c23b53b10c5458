/* backend.h - where a stack keeps its state, and how to get its text from there.
 *
 * Never takes a lock and never writes; what is needed from the stack is read, or asked of its own
 * binary (`tofu` or `terraform state pull`).
 * Environment: TF_DATA_DIR, TF_WORKSPACE, TF_HTTP_*, PLUMB_TERRAFORM
 * Source:      facts/terraform.md 4; backend documentation of Terraform (local, http)
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/io_big.h"
#include "base/str.h"

struct arena;
struct err;
struct stack;

/* A state of a million instances is about 1 GB; past this one something is wrong. */
#define BACKEND_STATE_MAX ((size_t)16 << 30)

struct backend_text {
    struct str text;
    const char *name; /* for labels and messages: a path, a URL without secrets, or a command */
    bool missing;     /* there is no state: `why` says where it was looked for */
    struct str why;
    struct str path; /* a local file whose text was not read (backend_find), or empty */
};

/* The data directory and workspace that Terraform would use in that root. ptr NULL: arena full. */
struct str backend_data_dir(struct arena *arena, const struct stack *stack);
struct str backend_workspace(struct arena *arena, const struct stack *stack);

/* Find out where the state is; a local file is only named (ret->path), anything else is read. */
bool backend_find(struct arena *arena, const struct stack *stack, struct backend_text *ret,
                  struct err *err);
/* The local file that holds the state, whether it is there or not; empty: it is kept elsewhere.
 * Nothing but files of the stack is asked. */
bool backend_local_file(struct arena *arena, const struct stack *stack, struct str *ret,
                        struct err *err);
/* The JSON of a saved plan, by the stack's own binary; file is absolute. */
bool backend_show_plan(struct arena *arena, const struct stack *stack, struct str file,
                       const volatile int *cancel, struct str *ret, struct err *err);
/* `state pull` with the stack's own binary. what: the backend's type, or where the encrypted state
 * is, for labels and messages. */
bool backend_pull(struct arena *arena, const struct stack *stack, struct str what, bool encrypted,
                  const volatile int *cancel, struct backend_text *ret, struct err *err);
struct value;
/* http: or https: */
bool backend_is_url(struct str text);
/* What `init` noted of the backend: {"type", "config"}; null where there is nothing. */
bool backend_configured(struct arena *arena, const struct stack *stack, struct value *ret,
                        struct err *err);
/* Which version of the state is there: its ETag where the server gives one, which it is then asked
 * by, else a digest of all of it; "none" where there is no state. before: as given last, or empty.
 */
bool backend_http_mark(struct arena *arena, struct str address, const struct value *config,
                       struct str before, struct str *ret, struct err *err);
/* A GET of the http backend: 204 and 404 mean that there is no state. `config` is the backend's
 * configuration as the data directory keeps it (NULL: only address and environment). */
bool backend_http(struct arena *arena, struct str address, const struct value *config,
                  struct backend_text *ret, struct err *err);

/* A stack's state in memory: found, read, and asked for in plain where it is encrypted. */
struct backend_state {
    struct backend_text at; /* text and name are valid until the release */
    struct arena arena;
    struct io_big big;
};
bool backend_load(const struct stack *stack, struct backend_state *ret, struct err *err);
/* The same, but of a state in a local file at.text may be the beginning only: while
 * backend_has_more, backend_more reads n more bytes of it; what is there stays in its place. */
bool backend_load_head(const struct stack *stack, struct backend_state *ret, struct err *err);
bool backend_has_more(const struct backend_state *state);
bool backend_more(struct backend_state *state, size_t n, struct err *err);
void backend_release(struct backend_state *state);
