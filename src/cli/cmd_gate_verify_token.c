/* cmd_gate_verify_token.c - `plumb gate verify-token`: may exactly this plan be applied, once? */
#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/gating.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "cli/who.h"
#include "desired/desired.h"
#include "enforce/gate.h"
#include "model/stack.h"
#include "record/permit.h"

enum { TOKEN_BYTES_MAX = 4096 };

enum { PLAN, TOKEN, STACK, STATE, CHECK, CONFIG, WORKSPACE, STORE, OPTION_COUNT };

static const struct option options[] = {
    [PLAN] = {.name = "plan",
              .letter = 'p',
              .kind = OPTION_STRING,
              .arg = "FILE",
              .text = "the plan that is about to be applied: the file that the gate allowed"},
    [TOKEN] = {.name = "token",
               .kind = OPTION_STRING,
               .arg = "FILE",
               .text = "the approval, as --approve-token wrote it; - reads it from standard input; "
                       "without it PLUMB_APPROVAL is the token itself"},
    [STACK] = {.name = "stack",
               .kind = OPTION_STRING,
               .arg = "STACK",
               .env = "PLUMB_STACK",
               .text = "the root module, or the name of a stack in plumb.yaml; without it what is "
                       "here"},
    [STATE] = ROW_STATE,
    [CHECK] = {.name = "check",
               .kind = OPTION_FLAG,
               .text = "only look: the approval can be used afterwards"},
    [CONFIG] = ROW_CONFIG,
    [WORKSPACE] = ROW_WORKSPACE,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool read_token(const struct app *app, struct arena *arena, const struct invocation *in,
                       struct str *ret, struct err *err)
{
    struct str file = in->value[TOKEN].text;
    if (str_equal(file, STR("-")))
        return io_read_fd(arena, STDIN_FILENO, "standard input", TOKEN_BYTES_MAX, ret, err);
    if (in->value[TOKEN].set) {
        struct str path = arena_dup(arena, file);
        return path.ptr ? io_read_file(arena, path.ptr, TOKEN_BYTES_MAX, ret, err)
                        : arena_full(arena, err);
    }
    *ret = str_from(app->env("PLUMB_APPROVAL"));
    return ret->len || err_set(err, ERR_USAGE, "which approval? --token FILE, or PLUMB_APPROVAL");
}

/* What is about to be applied: this file, to the state as it is now. */
static bool make_terms(struct arena *arena, const struct invocation *in, const struct stack *stack,
                       struct permit_terms *ret, struct err *err)
{
    struct gating_plan plan = {0};
    struct desired *state;
    if (!in->value[PLAN].set)
        return err_set(err, ERR_USAGE, "which plan? --plan FILE");
    bool ok = gating_read_plan(arena, in->value[PLAN].text, &plan, err);
    gating_close_plan(&plan);
    if (!ok || !desired_open_stack_state(stack, &state, err))
        return false;
    const struct desired_info *info = desired_info(state);
    *ret = (struct permit_terms){.stack = stack->name, .plan = plan.digest, .serial = info->serial};
    ret->lineage = arena_dup(arena, info->lineage);
    desired_close(state);
    return ret->lineage.ptr || arena_full(arena, err);
}

static bool answer(const struct app *app, struct arena *arena, const struct invocation *in,
                   struct record *record, struct str token, const struct permit_terms *terms,
                   enum permit_answer *ret, struct err *err)
{
    struct actor actor;
    struct event_actor by;
    if (in->value[CHECK].set)
        return permit_check(record, token, terms, ret, err);
    if (!who_am_i(app, arena, &actor, err))
        return false;
    by = actor_of_event(&actor);
    return permit_use(record, token, terms, &by, ret, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = (size_t)1 << 34};
    struct stack stack = {0};
    const struct config *config = NULL;
    const struct gating_stack ask = {.named = in->value[STACK].text,
                                     .config_file = in->value[CONFIG].text,
                                     .workspace = in->value[WORKSPACE].text,
                                     .state = in->value[STATE].text};
    struct store_choice choice;
    struct record record = {0};
    struct permit_terms terms;
    struct str token;
    enum permit_answer got = PERMIT_NONE;
    if (!read_token(app, &arena, in, &token, err) ||
        !gating_find_stack(&arena, app, &ask, &stack, &config, err) ||
        !make_terms(&arena, in, &stack, &terms, err) ||
        !store_choose(&arena, app, config, &in->value[STORE], &choice, err))
        return false;
    bool ok = store_open(&arena, app, &choice, STORE_WRITE, &record, err) &&
              answer(app, &arena, in, &record, token, &terms, &got, err);
    store_close(app, &record);
    if (!ok)
        return err_wrap(err, "nothing may be applied");
    (void)fprintf(app->out, "%s: %s\n", got == PERMIT_GOOD ? "approved" : "refused",
                  got != PERMIT_GOOD     ? permit_answer_meaning(got)
                  : in->value[CHECK].set ? "it can be used"
                                         : "it is used up; apply now");
    *ret_exit = got == PERMIT_GOOD ? GATE_EXIT_ALLOW : GATE_EXIT_POLICY;
    return true;
}

const struct command cmd_gate_verify_token = {
    .name = "gate verify-token",
    .usage = "plumb gate verify-token --plan FILE --token FILE [options]",
    .summary = "use up the approval of a plan, right before it is applied",
    .help =
        "An approval that `plumb gate --approve-token` wrote is good for one apply of the very "
        "plan file that was allowed, while the state is the one that it was made from, until "
        "its time passes. Using it is written to the audit log before this command says so.\n\n"
        "Exit codes: 0 approved, 3 refused, 1 it could not be told (nothing may be applied).\n\n"
        "  plumb gate verify-token --plan plan.tfplan --token approval && tofu apply plan.tfplan",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
