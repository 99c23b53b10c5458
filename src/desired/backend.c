/* backend.c - from a stack to its state: explicit, local layout, workspace layout, or its backend.
 */
#include "desired/backend.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/io.h"
#include "desired/document.h"
#include "desired/source.h"
#include "model/stack.h"
#include "value/value.h"
#include "wire/json.h"

enum { SMALL_FILE = 4 << 20, MEMORY_BESIDES = 64 << 20, HEAD_BYTES = 1 << 20 };

static struct str env_or(const char *name, struct str otherwise)
{
    struct str value = str_from(getenv(name));
    return value.len ? value : otherwise;
}

struct str backend_data_dir(struct arena *arena, const struct stack *stack)
{
    struct str dir = stack->data_dir;
    if (dir.len == 0)
        dir = env_or("TF_DATA_DIR", STR(".terraform"));
    return io_join(arena, stack->path, dir);
}

struct str backend_workspace(struct arena *arena, const struct stack *stack)
{
    if (stack->workspace.len)
        return stack->workspace;
    struct str name = env_or("TF_WORKSPACE", (struct str){0});
    if (name.len)
        return name;
    struct str dir = backend_data_dir(arena, stack), text;
    struct str path = dir.ptr ? io_join(arena, dir, STR("environment")) : dir;
    if (path.ptr && io_exists(path.ptr) && io_read_file(arena, path.ptr, SMALL_FILE, &text, NULL) &&
        str_trim(text).len)
        return str_trim(text);
    return path.ptr ? STR("default") : path;
}

bool backend_is_url(struct str text)
{
    return str_starts(text, STR("http://")) || str_starts(text, STR("https://"));
}

static bool at_file(struct arena *arena, struct str path, struct backend_text *ret, struct err *err)
{
    *ret = (struct backend_text){.path = path, .name = path.ptr};
    if (!path.ptr)
        return arena_full(arena, err);
    if (io_exists(path.ptr))
        return true;
    ret->missing = true;
    ret->why = arena_printf(arena,
                            "there is no state: %s does not exist (never applied, or not yet "
                            "`init`ed against its backend)",
                            path.ptr);
    return ret->why.ptr || arena_full(arena, err);
}

/* <workspace_dir>/<ws>/terraform.tfstate, or path for the default workspace. */
static bool local_layout(struct arena *arena, const struct stack *stack, struct str file,
                         struct str workspace_dir, struct backend_text *ret, struct err *err)
{
    struct str workspace = backend_workspace(arena, stack);
    if (!workspace.ptr)
        return arena_full(arena, err);
    if (!str_equal(workspace, STR("default"))) {
        struct str dir = io_join(arena, workspace_dir, workspace);
        file = dir.ptr ? io_join(arena, dir, STR("terraform.tfstate")) : dir;
    }
    if (!at_file(arena, file.ptr ? io_join(arena, stack->path, file) : file, ret, err))
        return false;
    struct str folder = arena_dup(arena, stack->path);
    if (ret->missing && folder.len && !io_is_dir(folder.ptr)) /* none that could be applied */
        ret->why = arena_printf(arena, "there is no state, for there is no folder %s", folder.ptr);
    return (folder.ptr && ret->why.ptr) || !ret->missing || arena_full(arena, err);
}

/* Version 3 JSON with {"backend":{"type","config"}}. */
bool backend_configured(struct arena *arena, const struct stack *stack, struct value *ret,
                        struct err *err)
{
    struct str dir = backend_data_dir(arena, stack), text;
    struct str path = dir.ptr ? io_join(arena, dir, STR("terraform.tfstate")) : dir;
    struct value document = {0};
    *ret = value_null();
    if (!path.ptr)
        return arena_full(arena, err);
    if (!io_exists(path.ptr))
        return true;
    if (!io_read_file(arena, path.ptr, SMALL_FILE, &text, err) ||
        !json_parse(arena, text, path.ptr, JSON_DUPLICATES_LAST, &document, err))
        return err_wrap(err, "backend of the stack");
    const struct value *backend = value_get(&document, STR("backend"));
    if (backend && backend->kind == VALUE_OBJECT)
        *ret = *backend;
    return true;
}

static struct str config_string(const struct value *config, struct str key, struct str otherwise)
{
    struct str text = value_get_string(config, key);
    return text.len ? text : otherwise;
}

bool backend_find(struct arena *arena, const struct stack *stack, struct backend_text *ret,
                  struct err *err)
{
    struct value backend;
    if (backend_is_url(stack->state))
        return backend_http(arena, stack->state, NULL, ret, err);
    if (stack->state.len) {
        struct str path = arena_dup(arena, stack->state);
        if (path.ptr && !io_exists(path.ptr))
            return err_set(err, ERR_IO, "the state file %s does not exist", path.ptr);
        return at_file(arena, path, ret, err);
    }
    if (!backend_configured(arena, stack, &backend, err))
        return false;
    const struct value *config = value_get(&backend, STR("config"));
    struct str type = config_string(&backend, STR("type"), STR("local"));
    if (str_equal(type, STR("local")))
        return local_layout(
            arena, stack, config_string(config, STR("path"), STR("terraform.tfstate")),
            config_string(config, STR("workspace_dir"), STR("terraform.tfstate.d")), ret, err);
    if (str_equal(type, STR("http")))
        return backend_http(arena, config_string(config, STR("address"), (struct str){0}), config,
                            ret, err);
    struct str what = arena_printf(arena, "backend %.*s", STR_ARG(type));
    return what.ptr ? backend_pull(arena, stack, what, false, NULL, ret, err)
                    : arena_full(arena, err);
}

bool backend_local_file(struct arena *arena, const struct stack *stack, struct str *ret,
                        struct err *err)
{
    struct value backend;
    struct backend_text at = {0};
    *ret = (struct str){0};
    if (stack->state.len) {
        *ret = backend_is_url(stack->state) ? *ret : stack->state;
        return true;
    }
    if (!backend_configured(arena, stack, &backend, err))
        return false;
    const struct value *config = value_get(&backend, STR("config"));
    if (!str_equal(config_string(&backend, STR("type"), STR("local")), STR("local")))
        return true;
    if (!local_layout(arena, stack, config_string(config, STR("path"), STR("terraform.tfstate")),
                      config_string(config, STR("workspace_dir"), STR("terraform.tfstate.d")), &at,
                      err))
        return false;
    *ret = at.path;
    return true;
}

/* --- the source --- */

static bool is_encrypted(struct str text)
{
    struct str head = str_sub(text, 0, 1 << 16);
    if (document_probe(text) != DOCUMENT_STATE)
        return false;
    return str_find(head, STR("\"encryption_version\""), 0) != SIZE_MAX ||
           str_find(head, STR("\"encrypted_data\""), 0) != SIZE_MAX;
}

bool backend_has_more(const struct backend_state *state)
{
    return state->big.rest != 0;
}

bool backend_more(struct backend_state *state, size_t n, struct err *err)
{
    if (!io_big_more(&state->big, n, err))
        return err_wrap(err, "%s", state->at.name);
    state->at.text = state->big.text;
    return true;
}

static bool read_file(struct backend_state *state, bool whole, struct err *err)
{
    const char *path = state->at.path.ptr;
    if (whole ? !io_big_read(path, BACKEND_STATE_MAX, &state->big, err)
              : !io_big_open(path, BACKEND_STATE_MAX, &state->big, err) ||
                    !backend_more(state, HEAD_BYTES, err))
        return false;
    state->at.text = state->big.text;
    /* What does not say at once that it is a state is looked at whole. */
    return !backend_has_more(state) || document_probe(state->at.text) == DOCUMENT_STATE ||
           backend_more(state, SIZE_MAX, err);
}

/* An encrypted state is asked for again in plain from its own binary, which alone has the key. */
static bool load(const struct stack *stack, struct backend_state *state, bool whole,
                 struct err *err)
{
    struct backend_text *at = &state->at;
    if (!backend_find(&state->arena, stack, at, err))
        return false;
    if (at->missing)
        return true;
    if (at->path.len && !read_file(state, whole, err))
        return false;
    if (!is_encrypted(at->text) || stack->state.len)
        return true;
    const char *name = at->name;
    io_big_free(&state->big);
    return backend_pull(&state->arena, stack, str_from(name), true, NULL, at, err) ||
           err_wrap(err, "%s is encrypted", name);
}

static bool load_or_release(const struct stack *stack, bool whole, struct backend_state *ret,
                            struct err *err)
{
    struct backend_state state = {.arena.limit = BACKEND_STATE_MAX + MEMORY_BESIDES};
    if (!load(stack, &state, whole, err)) {
        backend_release(&state);
        return false;
    }
    *ret = state;
    return true;
}

bool backend_load(const struct stack *stack, struct backend_state *ret, struct err *err)
{
    return load_or_release(stack, true, ret, err);
}

bool backend_load_head(const struct stack *stack, struct backend_state *ret, struct err *err)
{
    return load_or_release(stack, false, ret, err);
}

void backend_release(struct backend_state *state)
{
    io_big_free(&state->big);
    arena_free(&state->arena);
}

static bool next_none(struct desired *desired, struct resource *ret, struct err *err)
{
    (void)desired;
    (void)ret;
    (void)err;
    return false;
}

bool desired_open_stack_state(const struct stack *stack, struct desired **ret, struct err *err)
{
    struct desired *desired = desired_make(0, err);
    if (!desired)
        return false;
    bool ok = backend_load_head(stack, &desired->state, err);
    size_t size = desired->state.big.size;
    const struct backend_text *at = &desired->state.at;
    if (ok && at->missing) {
        desired->info =
            (struct desired_info){.kind = STR("state"), .label = at->why, .no_state = true};
        desired->next = next_none;
    } else if (ok) {
        desired->arena.limit += 2 * (at->text.len > size ? at->text.len : size);
        ok = desired_open_text(desired, at->text, at->name, err);
    }
    if (!ok) {
        desired_close(desired);
        return false;
    }
    desired->info.file = at->path;
    *ret = desired;
    return true;
}
