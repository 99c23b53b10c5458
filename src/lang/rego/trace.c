/* trace.c - telling what an evaluation does: rules entered and left, expressions that fail. */
#include "lang/rego/trace.h"

enum { OPEN_MAX = 2000 };

static void tell(struct rego_machine *m, enum rego_event_kind kind,
                 const struct rego_module *module, struct rego_place place, struct str text)
{
    const struct rego_event event = {kind, m->trace_depth, module->file, place, text};
    m->options->trace->event(m->options->trace->ctx, &event);
}

static struct str written(const struct rego_module *module, struct rego_place place)
{
    return str_sub(module->text, place.start, place.end);
}

static void reached(struct rego_machine *m, const struct rego_step *next,
                    const struct rego_found *found)
{
    for (struct rego_open *open = m->open; open; open = open->up)
        if (open->next == next && (next || open->found == found)) {
            open->reached = true;
            return;
        }
}

enum rego_flow rego_trace_place(struct rego_machine *m, const struct rego_step *step,
                                struct rego_found *found)
{
    const struct rego_cover *place = &m->policy->cover[step->cover.counter];
    struct rego_open open = {.next = step->next,
                             .found = found,
                             .depth = m->open ? m->open->depth + 1 : 1,
                             .up = m->open};
    struct str text = written(place->module, place->place);
    if (open.depth > OPEN_MAX)
        return rego_error(m, "eval_cancel_error", place->module, place->place,
                          "the evaluation is nested too deep to be told of");
    while (open.next && open.next->kind != REGO_STEP_COVER)
        open.next = open.next->next;
    reached(m, step, NULL);
    if (place->head) {
        m->trace_depth--;
        tell(m, REGO_EVENT_EXIT, place->module, place->place, text);
        m->trace_depth++;
        return rego_run(m, step->next, found);
    }
    tell(m, REGO_EVENT_EVAL, place->module, place->place, text);
    m->open = &open;
    enum rego_flow flow = rego_run(m, step->next, found);
    m->open = open.up;
    if (flow == REGO_GO && !open.reached)
        tell(m, REGO_EVENT_FAIL, place->module, place->place, text);
    return flow;
}

void rego_trace_found(struct rego_machine *m, const struct rego_found *found)
{
    reached(m, NULL, found);
}

void rego_trace_enter(struct rego_machine *m, const struct rego_rule *rule)
{
    tell(m, REGO_EVENT_ENTER, rule->module, rule->head.place,
         written(rule->module, rule->head.place));
    m->trace_depth++;
}

void rego_trace_leave(struct rego_machine *m)
{
    m->trace_depth--;
}

void rego_trace_note(struct rego_machine *m, const struct rego_step *step, struct str text)
{
    if (step->module)
        tell(m, REGO_EVENT_NOTE, step->module, step->place, text);
}
