/* check_document.c - plans, states, manifests and other documents against rules: what objects, at
 * which place, and where the code says so.
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "policy/document.h"
#include "policy/gatekeeper.h"
#include "policy/objection.h"
#include "policy/policy.h"
#include "policy/secrets.h"
#include "scan/check.h"
#include "scan/check_subject.h"
#include "scan/plan_code.h"
#include "wire/json.h"

enum { VALUE_SHOWN = 100 };

struct judging {
    struct arena *arena;
    const struct check_document_options *options;
    const struct documents *documents;
    const struct document *document;
    struct secrets *secrets; /* found when the first rule objects */
    struct check_subject *subject;
    struct issue *issue;
    size_t n, room;
    struct str *note;
    size_t nnotes, note_room;
    struct err *err;
};

static bool full(struct judging *in)
{
    return arena_full(in->arena, in->err);
}

static bool add_note(struct judging *in, struct str note)
{
    for (size_t i = 0; i < in->nnotes; i++)
        if (str_equal(in->note[i], note))
            return true;
    struct str *grown =
        note.ptr ? arena_grow(in->arena, in->note, in->nnotes, &in->note_room, in->nnotes + 1)
                 : NULL;
    if (!grown)
        return full(in);
    in->note = grown;
    grown[in->nnotes++] = note;
    return true;
}

/* --- what it is about --- */

static struct str manifest_name(struct arena *arena, const struct value *v)
{
    const struct value *meta = value_get(v, STR("metadata"));
    struct str kind = value_get_string(v, STR("kind")), name = value_get_string(meta, STR("name"));
    struct str space = value_get_string(meta, STR("namespace"));
    if (!name.len)
        name = value_get_string(meta, STR("generateName"));
    return space.len
               ? arena_printf(arena, "%.*s/%.*s/%.*s", STR_ARG(kind), STR_ARG(space), STR_ARG(name))
               : arena_printf(arena, "%.*s/%.*s", STR_ARG(kind), STR_ARG(name));
}

static struct str raw_address(struct arena *arena, const struct value *resource)
{
    struct str module = value_get_string(resource, STR("module"));
    bool data = str_equal(value_get_string(resource, STR("mode")), STR("data"));
    return arena_printf(arena, "%.*s%s%s%.*s.%.*s", STR_ARG(module), module.len ? "." : "",
                        data ? "data." : "", STR_ARG(value_get_string(resource, STR("type"))),
                        STR_ARG(value_get_string(resource, STR("name"))));
}

/* Of a request to delete, what is to go. */
static struct str review_name(struct arena *arena, const struct value *request)
{
    const struct value *object = value_get(request, STR("object"));
    if (!value_is_object_like(object))
        object = value_get(request, STR("oldObject"));
    return value_is_object_like(object) ? manifest_name(arena, object) : (struct str){0};
}

/* The resource whose part a path is; *ret_at: how many steps of the path lead to it. */
static struct str address_of(struct judging *in, struct path path, size_t *ret_at)
{
    const struct value *at = in->document->root;
    struct str address = {0};
    *ret_at = 0;
    if (in->document->kind == DOCUMENT_MANIFEST)
        return manifest_name(in->arena, at);
    if (in->document->kind == DOCUMENT_REVIEW)
        return review_name(in->arena, value_get(at, STR("request")));
    for (size_t i = 0; at && i < path.n; i++) {
        struct path one = {&path.step[i], 1};
        at = path_find(at, one);
        bool raw = at && in->document->kind == DOCUMENT_RAW_STATE && i == 1 &&
                   str_equal(path.step[0].key, STR("resources"));
        struct str here = raw ? raw_address(in->arena, at) : value_get_string(at, STR("address"));
        if (!here.len || in->document->kind == DOCUMENT_OTHER)
            continue;
        address = here;
        *ret_at = i + 1;
    }
    return address;
}

/* What of the path is of the resource's own attributes. */
static struct path attribute_path(struct path path, size_t at)
{
    static const struct str heads[] = {STR_INIT("change"),     STR_INIT("after"),
                                       STR_INIT("before"),     STR_INIT("values"),
                                       STR_INIT("attributes"), STR_INIT("after_unknown")};
    size_t from = at;
    for (bool more = true; more && at < path.n && path.step[at].kind == PATH_KEY;) {
        more = false;
        for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
            more = more || str_equal(path.step[at].key, heads[i]);
        at += more;
    }
    return at > from && at < path.n ? (struct path){&path.step[at], path.n - at} : (struct path){0};
}

/* --- words --- */

/* "spec.replicas is 1", "spec.securityContext is not set", "spec.containers[0]" */
static bool put_detail(struct judging *in, const struct spot *spot, struct issue *issue)
{
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &text};
    const struct value *v = path_find(in->document->root, spot->path);
    if (!spot->path.n)
        return true;
    path_print(&out, spot->path);
    if (!v)
        buf_str(&out, STR(" is not set"));
    else if (!value_is_list_like(v) && !value_is_object_like(v))
        jsonw_value(&w, v);
    if (text.len && text.len <= VALUE_SHOWN) {
        buf_str(&out, STR(" is "));
        buf_str(&out, buf_view(&text));
    }
    issue->detail = arena_dup(in->arena, buf_view(&out));
    return (buf_ok(&out, in->err) && issue->detail.ptr) || full(in);
}

static struct str first_text(const struct value *details, const struct str *keys, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (value_get_string(details, keys[i]).len)
            return value_get_string(details, keys[i]);
    return (struct str){0};
}

static void read_details(const struct value *details, struct issue *issue)
{
    static const struct str remedies[] = {STR_INIT("fix"), STR_INIT("remediation"),
                                          STR_INIT("remedy"), STR_INIT("resolution")};
    static const struct str links[] = {STR_INIT("link"), STR_INIT("url"), STR_INIT("reference")};
    struct str severity = value_get_string(details, STR("severity"));
    char lower[16] = {0};
    for (size_t i = 0; i < severity.len && severity.len < sizeof lower; i++)
        lower[i] = (char)(severity.ptr[i] >= 'A' && severity.ptr[i] <= 'Z' ? severity.ptr[i] | 0x20
                                                                           : severity.ptr[i]);
    (void)severity_from(str_from(lower), &issue->severity);
    issue->remedy = first_text(details, remedies, sizeof remedies / sizeof *remedies);
    issue->link = first_text(details, links, sizeof links / sizeof *links);
}

/* The first line stands alone; what follows is told below it. */
static bool split_message(struct judging *in, struct str message, struct issue *issue)
{
    struct str head, rest = str_trim(message);
    if (!str_cut(&rest, '\n', &head)) {
        issue->summary = head;
        return true;
    }
    issue->summary = str_trim(head);
    issue->detail =
        issue->detail.len
            ? arena_printf(in->arena, "%.*s\n%.*s", STR_ARG(str_trim(rest)), STR_ARG(issue->detail))
            : str_trim(rest);
    return issue->detail.ptr || full(in);
}

static bool hide(struct judging *in, struct issue *issue)
{
    struct str *const texts[] = {&issue->summary, &issue->detail, &issue->remedy, &issue->link};
    if (!in->secrets && !secrets_find(in->arena, in->document, &in->secrets, in->err))
        return false;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!secrets_hide(in->secrets, in->arena, *texts[i], texts[i], in->err))
            return false;
    if (secrets_tells(in->secrets, issue->excerpt))
        issue->excerpt = (struct str){0};
    return true;
}

/* --- places --- */

/* Where the code says so, with the place in the plan told beside it. */
static bool move_to_code(struct judging *in, const struct spot *spot, size_t at,
                         struct issue *issue)
{
    struct location place;
    struct str excerpt, note = {0};
    if (in->document->kind != DOCUMENT_PLAN || !issue->address.len || !in->options->code)
        return true;
    if (!plan_code_place(in->options->code, in->document->root, issue->address,
                         attribute_path(spot->path, at), &place, &excerpt, &note, in->err))
        return false;
    if (note.len && !add_note(in, note))
        return false;
    if (!place.file.len)
        return true;
    issue->detail =
        arena_printf(in->arena, "%.*s: %.*s", STR_ARG(in->documents->file), STR_ARG(issue->detail));
    issue->at = place;
    issue->excerpt = excerpt;
    return issue->detail.ptr || full(in);
}

/* --- waivers --- */

/* The value at the place that the rule objects to, by address: what can be waived of a document
 * as a whole. */
static bool waive(struct judging *in, const struct objection *o, struct str *ret_digest,
                  struct str *ret_waiver)
{
    AUTO_BUF path = {.limit = BUF_DEFAULT_LIMIT};
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    struct jsonw w = {.out = &text};
    size_t at;
    struct rule_change change = {.path = o->spot.path,
                                 .after = path_find(in->document->root, o->spot.path)};
    const struct rule_subject subject = {.kind = SUBJECT_RESOURCE,
                                         .address = address_of(in, o->spot.path, &at)};
    *ret_digest = *ret_waiver = (struct str){0};
    if (!in->options->waiving || !subject.address.len)
        return true;
    if (!in->secrets && !secrets_find(in->arena, in->document, &in->secrets, in->err))
        return false;
    path_print(&path, (struct path){o->spot.path.step + at, o->spot.path.n - at});
    if (change.after)
        jsonw_value(&w, change.after);
    change.path_text = arena_dup(in->arena, buf_view(&path));
    change.sensitive = text.failed || secrets_tells(in->secrets, buf_view(&text));
    return change.path_text.ptr ? policy_waives(in->options->waiving, in->arena, &subject, &change,
                                                o->rule, ret_digest, ret_waiver, in->err)
                                : full(in);
}

static bool note_waived(struct judging *in, struct str address, struct str rule, struct str waiver)
{
    return add_note(in, arena_printf(in->arena, "%.*s: %.*s: waived by %.*s", STR_ARG(address),
                                     STR_ARG(rule), STR_ARG(waiver)));
}

static bool put_digest(struct judging *in, struct str digest, struct issue *issue)
{
    struct str *one = arena_new(in->arena, struct str, 1);
    if (!one)
        return full(in);
    *one = digest;
    issue->digest = one;
    issue->ndigests = 1;
    return true;
}

static bool add_issue(struct judging *in, const struct objection *o)
{
    struct issue *grown = arena_grow(in->arena, in->issue, in->n, &in->room, in->n + 1);
    enum issue_kind kind = o->error ? ISSUE_ERROR : o->warning ? ISSUE_WARNING : ISSUE_VIOLATION;
    size_t at;
    if (!grown)
        return full(in);
    in->issue = grown;
    struct issue *issue = &grown[in->n++];
    *issue = (struct issue){.kind = kind,
                            .severity = issue_kind_severity(kind),
                            .rule = o->rule,
                            .rule_at = o->policy,
                            .subject = in->subject->name,
                            .at = o->spot.at,
                            .excerpt = o->spot.line,
                            .address = address_of(in, o->spot.path, &at)};
    if (o->error) {
        issue->at = o->policy;
        issue->excerpt = (struct str){0};
    }
    read_details(&o->details, issue);
    return (o->error || put_detail(in, &o->spot, issue)) &&
           (o->error || move_to_code(in, &o->spot, at, issue)) &&
           split_message(in, o->message, issue) && hide(in, issue);
}

/* --- the way --- */

static bool add_objection(struct judging *in, const struct objection *o)
{
    struct str digest = {0}, waiver = {0};
    size_t at;
    if (!o->error && !waive(in, o, &digest, &waiver))
        return false;
    struct str address = address_of(in, o->spot.path, &at);
    if (waiver.len)
        return note_waived(in, address, o->rule, waiver);
    if (!add_issue(in, o))
        return false;
    return o->error || !address.len || !in->options->waiving ||
           put_digest(in, digest, &in->issue[in->n - 1]);
}

static bool add_issues(struct judging *in, const struct objections *found)
{
    for (size_t i = 0; i < found->n; i++)
        if (!add_objection(in, &found->item[i]))
            return false;
    return !found->exceptions ||
           add_note(in, arena_printf(in->arena, "%zu rule%s not asked: an exception of the policy",
                                     found->exceptions, found->exceptions == 1 ? "" : "s"));
}

/* --- rules of resources --- */

/* Where the value stands that a rule names, in the resource whose values are at `base`. */
static bool place_of(struct judging *in, struct spots *spots, struct path base, struct path where,
                     struct spot *ret)
{
    struct path_step *step = arena_new(in->arena, struct path_step, base.n + where.n);
    if (!step)
        return full(in);
    if (base.n)
        memcpy(step, base.step, base.n * sizeof *step);
    if (where.n)
        memcpy(step + base.n, where.step, where.n * sizeof *step);
    *ret = spots_at(spots, (struct path){step, base.n + where.n});
    return true;
}

static bool add_verdict(struct judging *in, const struct check_resource *r, const struct verdict *v,
                        struct spots *spots)
{
    struct objection o = {.rule = v->rule,
                          .message = v->message.len ? v->message : v->rule,
                          .warning = !decision_is_violation(v->decision),
                          .error = v->error,
                          .policy = v->at};
    if (v->waived_by.len)
        return note_waived(in, r->subject.address, v->rule, v->waived_by);
    if (v->decision == DECISION_IGNORE)
        return true;
    if (!place_of(in, spots, r->path, v->where, &o.spot) || !add_issue(in, &o))
        return false;
    struct issue *issue = &in->issue[in->n - 1];
    issue->address = r->subject.address;
    if (v->has_severity)
        issue->severity = v->severity;
    if (v->remedy.len)
        issue->remedy = v->remedy;
    if (v->nlinks)
        issue->link = v->links[0];
    if (v->why.len && !v->error)
        issue->detail = issue->detail.len && !v->where.n ? v->why
                        : issue->detail.len              ? issue->detail
                                                         : v->why;
    if (v->unknown)
        issue->detail = arena_printf(in->arena, "cannot be told: %.*s", STR_ARG(v->why));
    return issue->detail.ptr || !v->unknown ? hide(in, issue) : full(in);
}

/* To the issue that was added last, for this verdict. */
static bool add_digests(struct judging *in, const struct policy *policy,
                        const struct check_resource *r, const struct verdict *v)
{
    struct str *digest = NULL;
    size_t n = 0;
    if (v->waived_by.len || v->error || v->decision == DECISION_IGNORE)
        return true;
    if (!policy_verdict_digests(policy, in->arena, &r->subject, v, &digest, &n, in->err))
        return false;
    struct issue *issue = &in->issue[in->n - 1];
    issue->digest = digest;
    issue->ndigests = n;
    return true;
}

static bool judge_resource(struct judging *in, const struct check_resource *r,
                           struct policy *policy, struct spots **spots)
{
    struct judgement judgement = {0};
    if (policy && !policy_judge(policy, in->arena, &r->subject, &judgement, in->err))
        return false;
    if (judgement.nverdicts && !*spots &&
        !spots_open(in->arena, in->documents, in->document, spots, in->err))
        return false;
    for (size_t k = 0; k < judgement.nverdicts; k++)
        if (!add_verdict(in, r, &judgement.verdict[k], *spots) ||
            !add_digests(in, policy, r, &judgement.verdict[k]))
            return false;
    return true;
}

static bool judge_resources(struct judging *in)
{
    struct check_resources resources;
    struct spots *spots = NULL;
    if (!check_resources_find(in->arena, in->document, &resources, in->err))
        return false;
    for (size_t i = 0; i < resources.n; i++)
        for (size_t k = 0; k < CHECK_POLICIES; k++)
            if (!judge_resource(in, &resources.item[i], in->options->policy[k], &spots))
                return false;
    return true;
}

static bool judge(struct judging *in, const struct document *document)
{
    const struct check_document_options *options = in->options;
    const struct objections_input of = {.documents = in->documents, .document = document};
    struct objections found;
    in->document = document;
    in->secrets = NULL;
    if (options->entries &&
        (!objections_find(in->arena, options->entries, &of, &options->eval, &found, in->err) ||
         !add_issues(in, &found)))
        return false;
    if ((options->policy[0] || options->policy[1]) && !judge_resources(in))
        return false;
    return !options->gatekeeper || (gatekeeper_judge(options->gatekeeper, in->arena, in->documents,
                                                     document, &options->eval, &found, in->err) &&
                                    add_issues(in, &found));
}

static struct str kind_of(const struct documents *documents)
{
    bool same = true;
    for (size_t i = 1; i < documents->n; i++)
        same = same && documents->item[i].kind == documents->item[0].kind;
    if (!documents->n)
        return STR("document");
    return !same               ? STR("documents")
           : documents->n == 1 ? str_from(document_kind_name(documents->item[0].kind))
           : documents->item[0].kind == DOCUMENT_MANIFEST ? STR("manifests")
                                                          : STR("documents");
}

static bool judge_all(struct judging *in, struct documents *documents)
{
    in->documents = documents;
    in->subject->documents = documents->n;
    in->subject->kind = kind_of(documents);
    for (size_t i = 0; i < documents->n; i++)
        if (!judge(in, &documents->item[i]))
            return false;
    if (!documents->n && !add_note(in, STR("there is no document in it")))
        return false;
    bool asked = in->options->entries || in->options->policy[0] || in->options->policy[1] ||
                 (in->options->gatekeeper && in->options->gatekeeper->nconstraints);
    if (!asked && !add_note(in, STR("read, not judged: no policy was given")))
        return false;
    return issues_settle(in->arena, in->issue, &in->n, in->err);
}

bool check_documents(struct arena *arena, struct str path,
                     const struct check_document_options *options, struct check_subject *ret,
                     struct err *err)
{
    struct err why = {0};
    struct documents documents;
    struct judging in = {.arena = arena, .options = options, .subject = ret, .err = &why};
    char text[2048];
    *ret = (struct check_subject){.name = str_equal(path, STR("-")) ? STR("<stdin>") : path,
                                  .kind = STR("document"),
                                  .files = 1};
    bool ok = documents_read(arena, path, &documents, &why) && judge_all(&in, &documents);
    if (!ok && (why.kind == ERR_CANCELLED || arena->used >= arena->limit)) {
        *err = why;
        return false;
    }
    if (!ok)
        ret->failed = arena_dup(arena, str_from(err_text(&why, text, sizeof text)));
    ret->issues = in.issue;
    ret->nissues = ok ? in.n : 0;
    ret->notes = in.note;
    ret->nnotes = in.nnotes;
    return true;
}
