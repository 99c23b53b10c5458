/* backend_pull.c - what only the stack's own binary can print: the state of any other backend (no
 * lock is taken), the JSON of a saved plan.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "base/proc.h"
#include "desired/backend.h"
#include "model/stack.h"

extern char **environ;

enum { PULL_TIMEOUT_MS = 300000, LOCK_FILE_MAX = 4 << 20, STDERR_SHOWN = 300 };

static bool in_path(struct arena *arena, struct str program)
{
    struct str rest = str_from(getenv("PATH")), dir;
    for (bool more = rest.len > 0; more;) {
        more = str_cut(&rest, ':', &dir);
        struct str file = io_join(arena, dir.len ? dir : STR("."), program);
        if (file.ptr && access(file.ptr, X_OK) == 0 && !io_is_dir(file.ptr))
            return true;
    }
    return false;
}

/* The registry in the lock file tells which of the two has been at work here. */
static bool prefers_terraform(struct arena *arena, const struct stack *stack)
{
    struct str path = io_join(arena, stack->path, STR(".terraform.lock.hcl")), text;
    if (!path.ptr || !io_exists(path.ptr) ||
        !io_read_file(arena, path.ptr, LOCK_FILE_MAX, &text, NULL))
        return false;
    return str_find(text, STR("\"registry.opentofu.org/"), 0) == SIZE_MAX &&
           str_find(text, STR("\"registry.terraform.io/"), 0) != SIZE_MAX;
}

/* Encryption is OpenTofu's alone. */
static const char *find_binary(struct arena *arena, const struct stack *stack, bool encrypted,
                               struct err *err)
{
    const char *named = getenv("PLUMB_TERRAFORM");
    if (named && *named)
        return named;
    static const char *const order[2][2] = {{"tofu", "terraform"}, {"terraform", "tofu"}};
    const char *const *candidates = order[!encrypted && prefers_terraform(arena, stack)];
    for (size_t i = 0; i < (encrypted ? 1 : 2); i++)
        if (in_path(arena, str_from(candidates[i])))
            return candidates[i];
    (void)err_set(err, ERR_UNAVAILABLE,
                  "%s in PATH: install the one this stack is applied with, or name it in "
                  "PLUMB_TERRAFORM",
                  encrypted ? "tofu is not" : "neither tofu nor terraform is");
    return NULL;
}

/* Our environment with some variables replaced; NULL where the arena is full. */
static const char **environment(struct arena *arena, const char *const *replaced, size_t n)
{
    size_t have = 0, kept = 0;
    while (environ[have])
        have++;
    const char **list = arena_new(arena, const char *, have + n + 1);
    for (size_t i = 0; list && i < have; i++) {
        bool other = true;
        for (size_t k = 0; k < n; k++) {
            size_t name = strcspn(replaced[k], "=") + 1;
            other = other && strncmp(environ[i], replaced[k], name) != 0;
        }
        if (other)
            list[kept++] = environ[i];
    }
    for (size_t k = 0; list && k < n; k++)
        list[kept++] = replaced[k];
    return list;
}

/* Named to the binary unless it is what the binary would take by itself: a cloud backend chooses
 * its own and knows no "default". */
static struct str workspace_variable(struct arena *arena, const struct stack *stack)
{
    struct stack unnamed = *stack;
    unnamed.workspace = (struct str){0};
    struct str workspace = backend_workspace(arena, stack);
    if (str_equal(workspace, backend_workspace(arena, &unnamed)))
        return STR("TF_IN_AUTOMATION=1");
    return arena_printf(arena, "TF_WORKSPACE=%.*s", STR_ARG(workspace));
}

static const char **pull_environment(struct arena *arena, const struct stack *stack)
{
    struct str data = stack->data_dir.len ? stack->data_dir : str_from(getenv("TF_DATA_DIR"));
    if (!data.len)
        data = STR(".terraform");
    struct str set[] = {
        STR("TF_IN_AUTOMATION=1"),
        STR("TF_INPUT=0"),
        STR("CHECKPOINT_DISABLE=1"),
        workspace_variable(arena, stack),
        arena_printf(arena, "TF_DATA_DIR=%.*s", STR_ARG(data)),
    };
    const char *replaced[sizeof set / sizeof *set];
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        if (!set[i].ptr)
            return NULL;
        replaced[i] = set[i].ptr;
    }
    return environment(arena, replaced, sizeof set / sizeof *set);
}

/* The end of what it said, where the cause stands, on one line. */
static struct str last_words(struct arena *arena, struct str text)
{
    text = str_trim(text);
    if (text.len > STDERR_SHOWN)
        text = str_sub(text, text.len - STDERR_SHOWN, text.len);
    struct str copy = arena_dup(arena, text);
    char *out = copy.ptr ? arena_alloc_raw(arena, copy.len + 1, 1, 1) : NULL;
    size_t n = 0;
    for (size_t i = 0; out && i < copy.len; i++) {
        bool blank = (unsigned char)copy.ptr[i] <= ' ';
        if (!blank || (n && out[n - 1] != ' '))
            out[n++] = blank ? ' ' : copy.ptr[i];
    }
    return out ? (struct str){out, n} : STR("");
}

bool backend_pull(struct arena *arena, const struct stack *stack, struct str what, bool encrypted,
                  const volatile int *cancel, struct backend_text *ret, struct err *err)
{
    const char *binary = find_binary(arena, stack, encrypted, err);
    if (!binary)
        return err_wrap(err, "to read the state in %.*s of %.*s", STR_ARG(what),
                        STR_ARG(stack->path));
    const char *argv[] = {binary, "state", "pull", "-no-color", NULL};
    struct str dir = arena_dup(arena, stack->path.len ? stack->path : STR("."));
    struct proc_spec spec = {
        .argv = argv,
        .env = pull_environment(arena, stack),
        .dir = dir.ptr,
        .timeout_ms = PULL_TIMEOUT_MS,
        .max_output = BACKEND_STATE_MAX,
        .cancel = cancel,
    };
    struct proc_result got;
    if (!spec.env || !dir.ptr)
        return arena_full(arena, err);
    if (!proc_run(arena, &spec, &got, err))
        return err_wrap(err, "%s state pull in %s", binary, dir.ptr);
    if (got.exit_code != 0)
        return err_set(err, ERR_REMOTE, "`%s state pull` in %s failed with exit code %d: %.*s",
                       binary, dir.ptr, got.exit_code, STR_ARG(last_words(arena, got.err_text)));
    struct str name = arena_printf(arena, "%.*s (%.*s state pull)", STR_ARG(what),
                                   STR_ARG(io_basename(str_from(binary))));
    struct backend_text made = {.text = got.out, .name = name.ptr};
    made.missing = str_trim(got.out).len == 0;
    if (made.missing)
        made.why = arena_printf(arena, "there is no state in %.*s", STR_ARG(what));
    if (!name.ptr || (made.missing && !made.why.ptr))
        return arena_full(arena, err);
    *ret = made;
    return true;
}

bool backend_show_plan(struct arena *arena, const struct stack *stack, struct str file,
                       const volatile int *cancel, struct str *ret, struct err *err)
{
    const char *binary = find_binary(arena, stack, false, err);
    if (!binary)
        return err_wrap(err, "to open the saved plan %.*s", STR_ARG(file));
    struct str plan = arena_dup(arena, file), dir = arena_dup(arena, stack->path);
    const char *argv[] = {binary, "show", "-json", "-no-color", plan.ptr, NULL};
    struct proc_spec spec = {.argv = argv,
                             .env = pull_environment(arena, stack),
                             .dir = dir.ptr,
                             .timeout_ms = PULL_TIMEOUT_MS,
                             .max_output = BACKEND_STATE_MAX,
                             .cancel = cancel};
    struct proc_result got;
    if (!spec.env || !plan.ptr || !dir.ptr)
        return arena_full(arena, err);
    if (!proc_run(arena, &spec, &got, err))
        return err_wrap(err, "%s show -json %s in %s", binary, plan.ptr, dir.ptr);
    if (got.exit_code != 0) {
        struct str said = last_words(arena, got.err_text.len ? got.err_text : got.out);
        return err_set(err, ERR_REMOTE, "%s show -json %s in %s: exit code %d: %.*s", binary,
                       plan.ptr, dir.ptr, got.exit_code, STR_ARG(said));
    }
    *ret = got.out;
    return true;
}
