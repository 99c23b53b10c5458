/* tally.c - one walk over the findings for every format's figures, and the words around them. */
#include <string.h>

#include "report/parts.h"
#include "report/report.h"

/* X(class, how a summary calls it, title, what to do) */
#define CLASS_WORDS(X) \
    X(CLASS_CONTRADICTS_CODE, "drifted", "ContradictsTheCode", \
      "Apply the code again to undo the change, or change the code to keep it.") \
    X(CLASS_MISSING, "missing", "ResourceMissing", \
      "Apply the code again to create it anew, or remove it from the code.") \
    X(CLASS_UNMANAGED, "unmanaged", "ResourceUnmanaged", \
      "Import it into the code, or delete it where it runs.") \
    X(CLASS_UNAPPLIED, "unapplied", "CodeUnapplied", "Apply the code.") \
    X(CLASS_STATE_ONLY, "state-only", "DiffersFromStateOnly", \
      "Nothing has to be done; the next apply or refresh records the new value.") \
    X(CLASS_UNCHECKED, "unchecked (not in sync)", "ResourceUnchecked", \
      "Remove the reason that is given and scan again; until then nothing is known about it.")

static const struct {
    const char *summary, *title, *remedy;
} class_words[CLASS_COUNT] = {
#define X(class_, summary, title, remedy) [class_] = {summary, title, remedy},
    CLASS_WORDS(X)
#undef X
};

const char *class_title(enum finding_class class_)
{
    return class_ < CLASS_COUNT ? class_words[class_].title : "Unknown";
}

const char *class_remedy(enum finding_class class_)
{
    return class_ < CLASS_COUNT ? class_words[class_].remedy : "";
}

void tally_stack(struct tally *tally, const struct stack_result *stack)
{
    const struct coverage *coverage = &stack->coverage;
    uint64_t unchecked = 0;
    tally->stacks++;
    tally->failed += stack->failed.len > 0;
    for (size_t i = 0; i < stack->nfindings; i++) {
        const struct finding *finding = &stack->findings[i];
        if (finding->ignored) {
            tally->ignored++;
            continue;
        }
        tally->by_class[finding->class_]++;
        tally->by_severity[finding->severity]++;
        unchecked += finding->class_ == CLASS_UNCHECKED;
    }
    /* The coverage may know of more than the findings list: never the smaller of the two. */
    if (coverage->unchecked > unchecked)
        tally->by_class[CLASS_UNCHECKED] += coverage->unchecked - unchecked;
    tally->resources += coverage->resources;
    tally->same += coverage->same;
    tally->attributes_compared += coverage->attributes_compared;
    tally->attributes_not_observed += coverage->attributes_not_observed;
}

void tally_all(struct tally *tally, const struct scan_result *result)
{
    for (size_t i = 0; i < result->nstacks; i++)
        tally_stack(tally, &result->stacks[i]);
}

static void put_count(struct buf *out, size_t start, uint64_t n, const char *what)
{
    if (out->len > start)
        buf_str(out, STR(", "));
    text_number(out, n);
    buf_char(out, ' ');
    buf_str(out, str_from(what));
}

void tally_print(struct buf *out, const struct tally *tally)
{
    size_t start = out->len;
    if (tally->failed)
        put_count(out, start, tally->failed,
                  tally->failed == 1 ? "stack not scanned" : "stacks not scanned");
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        if (tally->by_class[i] && i != CLASS_STATE_ONLY)
            put_count(out, start, tally->by_class[i], class_words[i].summary);
    if (tally->by_class[CLASS_STATE_ONLY])
        put_count(out, start, tally->by_class[CLASS_STATE_ONLY],
                  class_words[CLASS_STATE_ONLY].summary);
    if (tally->ignored)
        put_count(out, start, tally->ignored, "ignored");
    put_count(out, start, tally->same, "in sync");
}

void tally_print_attributes(struct buf *out, const struct tally *tally)
{
    text_number(out, tally->attributes_compared);
    buf_str(out, tally->attributes_compared == 1 ? STR(" attribute compared, ")
                                                 : STR(" attributes compared, "));
    text_number(out, tally->attributes_not_observed);
    buf_str(out, STR(" not observed"));
}

bool tally_in_sync(const struct tally *tally)
{
    if (tally->failed)
        return false;
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        if (i != CLASS_STATE_ONLY && tally->by_class[i])
            return false;
    return true;
}

bool finding_shown(const struct finding *finding, const struct report_options *options)
{
    return !finding->ignored || options->show_ignored;
}

bool change_shown(const struct change *change, const struct report_options *options)
{
    return !change->ignored_by.len || options->show_ignored;
}

bool finding_explained(const struct finding *finding)
{
    bool by_changes =
        finding->class_ == CLASS_CONTRADICTS_CODE || finding->class_ == CLASS_STATE_ONLY;
    return finding->reason.len && !(by_changes && finding->nchanges);
}

struct str finding_sentence(const struct finding *finding)
{
    return finding_explained(finding) ? finding->reason
                                      : str_from(finding_class_meaning(finding->class_));
}

/* The first row whose words the reason holds (ASCII case ignored); the last row holds for all. */
static const struct {
    const char *words, *advice;
} advices[] = {
    {"not installed",
     "run `terraform init` (or `tofu init`) in the stack's directory, then scan again"},
    {"lock file", "run `terraform init` again, or find out who changed the provider's binary"},
    {"hash", "run `terraform init` again, or find out who changed the provider's binary"},
    {"credential", "give the provider its credentials, in the environment or in plumb.yaml"},
    {"configure", "give the provider its settings, in the environment or in plumb.yaml"},
    {"access denied", "let the scanning identity read these resources"},
    {"not a regular file", "put the file back, or remove what stands in its place"},
    {"permission denied", "let the scanning user read these resources"},
    {"forbidden", "let the scanning identity read these resources"},
    {"unauthorized", "give the provider its credentials, in the environment or in plumb.yaml"},
    {"thrott", "scan again later, or with a smaller --concurrency"},
    {"rate", "scan again later, or with a smaller --concurrency"},
    {"timed out", "scan again; --timeout allows a slow provider more time"},
    {"deadline", "scan again; --timeout allows a slow provider more time"},
    {"crash",
     "report the provider's own message to its authors; scan again or with another version"},
    {"exited",
     "report the provider's own message to its authors; scan again or with another version"},
    {"schema version", "install the provider version that wrote the state"},
    {"no import block",
     "apply the stack first, name its state (--state, `state:` in plumb.yaml), or "
     "give the resource an import block"},
    {"snapshot", "take the live document again, with these resources in it"},
    {"cancelled", "scan again"},
    {"", "remove this reason and scan again; --output json lists every resource"},
};

static bool holds(struct str text, const char *words)
{
    size_t n = strlen(words);
    for (size_t at = 0; at + n <= text.len; at++) {
        size_t i = 0;
        while (i < n && (text.ptr[at + i] | 0x20) == (words[i] | 0x20))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

const char *unchecked_advice(struct str reason)
{
    size_t i = 0;
    while (!holds(reason, advices[i].words))
        i++;
    return advices[i].advice;
}
