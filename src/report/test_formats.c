/* test_formats.c - every format over results that are empty, usual, nasty, secret and huge.
 *
 * With PLUMB_REPORT_DIR set, all reports are written there: tests/report/validate checks them
 * against the official schemas.
 */
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/utf8.h"
#include "model/decision.h"
#include "report/parts.h"
#include "report/report.h"
#include "wire/json.h"

#define CANARY "c4n4ry-5ecret" /* no format may print it */

static struct change change_of(struct arena *arena, const char *path, const char *before,
                               const char *after)
{
    struct change change = {.path = str_from(path), .configurable = true};
    const char *const text[] = {before, after};
    const struct value **side[] = {&change.before, &change.after};
    for (int i = 0; i < 2; i++) {
        struct value *v = arena_new(arena, struct value, 1);
        if (!text[i])
            continue;
        assert_true(json_parse(arena, str_from(text[i]), "test", JSON_COPY, v, NULL));
        *side[i] = v;
    }
    return change;
}

static struct change change_text(struct arena *arena, const char *path, struct str before,
                                 struct str after)
{
    struct value *v = arena_new(arena, struct value, 2);
    v[0] = value_string(before);
    v[1] = value_string(after);
    return (struct change){
        .path = str_from(path), .before = &v[0], .after = &v[1], .configurable = true};
}

static struct finding *findings_of(struct arena *arena, size_t n, enum finding_class class_)
{
    struct finding *findings = arena_new(arena, struct finding, n);
    assert_non_null(findings);
    for (size_t i = 0; i < n; i++) {
        struct digest digest;
        char hex[DIGEST_HEX + 1];
        findings[i].class_ = class_;
        findings[i].severity = finding_class_severity(class_);
        findings[i].stack = STR("infra/prod");
        findings[i].address = arena_printf(arena, "aws_instance.web[%zu]", i);
        findings[i].type = STR("aws_instance");
        findings[i].provider = STR("registry.terraform.io/hashicorp/aws");
        assert_true(digest_sha256(findings[i].address, &digest, NULL));
        digest_hex(&digest, hex);
        memcpy(findings[i].fingerprint, hex, 32);
    }
    return findings;
}

static struct stack_result *stack_of(struct arena *arena, struct scan_result *ret)
{
    struct stack_result *stack = arena_new(arena, struct stack_result, 1);
    *stack = (struct stack_result){
        .name = STR("infra/prod"),
        .path = STR("infra/prod"),
        .environment = STR("prod"),
        .workspace = STR("default"),
        .source = STR("state terraform.tfstate, serial 3"),
        .desired = STR("state"),
        .live = STR("providers"),
        .coverage = {.resources = 94, .compared = 94, .same = 94, .attributes_compared = 1204},
    };
    *ret = (struct scan_result){.stacks = stack, .nstacks = 1};
    return stack;
}

/* main.tf:12 -> variables.tf:3 -> prod.tfvars:7, and a branch that has the live value. */
static const struct origin *origin_usual(struct arena *arena)
{
    static const struct origin_step chain[] = {
        {STR_INIT("attribute"),
         STR_INIT("instance_type"),
         {STR_INIT("infra/prod/main.tf"), 12, 3, 12, 27}},
        {STR_INIT("variable"),
         STR_INIT("var.size"),
         {STR_INIT("infra/prod/variables.tf"), 3, 1, 0, 0}},
        {STR_INIT("tfvars"), STR_INIT("size"), {STR_INIT("infra/prod/prod.tfvars"), 7, 1, 7, 18}},
    };
    static const struct commit commit = {.hash =
                                             STR_INIT("1a2b3c4d5e6f708192a3b4c5d6e7f80918273645"),
                                         .author = STR_INIT("Ann Example"),
                                         .mail = STR_INIT("ann@example.org"),
                                         .summary = STR_INIT("prod: small web servers"),
                                         .time_utc_ms = INT64_C(1763640000000)};
    static const struct explanation explained[] = {
        {EXPLAINED_BY_BRANCH,
         STR_INIT("origin/resize"),
         {.hash = STR_INIT("9f8e7d6c5b4a39281706f5e4d3c2b1a098765432"),
          .author = STR_INIT("Bob"),
          .summary = STR_INIT("larger web servers"),
          .time_utc_ms = INT64_C(1763740000000)}},
        {.kind = EXPLAINED_BY_EARLIER, .commit = {.hash = STR_INIT("00ff"), .boundary = true}},
        {.kind = EXPLAINED_BY_COMMITTED},
        {.kind = EXPLAINED_BY_EARLIER, .commit = {.hash = STR_INIT("01ff")}},
    };
    struct origin *origin = arena_new(arena, struct origin, 1);
    *origin = (struct origin){.at = chain[2].at,
                              .excerpt = STR("size = \"t3.micro\""),
                              .chain = chain,
                              .nchain = 3,
                              .commit = &commit,
                              .owner = STR("@web @platform"),
                              .explained = explained,
                              .nexplained = 4};
    return origin;
}

static const struct origin *origin_nasty(struct arena *arena, struct str s, uint32_t line)
{
    struct origin *origin = arena_new(arena, struct origin, 1);
    struct origin_step *chain = arena_new(arena, struct origin_step, 3);
    struct commit *commit = arena_new(arena, struct commit, 1);
    struct explanation *explained = arena_new(arena, struct explanation, 1);
    *commit = (struct commit){s, s, s, s, INT64_MAX, true};
    *explained = (struct explanation){EXPLAINED_BY_BRANCH, s, *commit};
    chain[0] = (struct origin_step){s, s, {s, line, line, line + 1, line}};
    chain[1] = (struct origin_step){s, s, {STR(""), 0, 0, 0, 0}};
    chain[2] =
        (struct origin_step){STR("tfvars"), s, {STR("a b.tfvars"), UINT32_MAX, UINT32_MAX, 1, 1}};
    *origin = (struct origin){{s, line, line, line, 1}, s, chain, 3, s, commit, s, explained, 1};
    return origin;
}

static void make_none(struct arena *arena, struct scan_result *ret)
{
    (void)stack_of(arena, ret);
}

static void make_no_stacks(struct arena *arena, struct scan_result *ret)
{
    (void)arena;
    *ret = (struct scan_result){0};
}

static void make_usual(struct arena *arena, struct scan_result *ret)
{
    struct stack_result *stack = stack_of(arena, ret);
    struct finding *f = findings_of(arena, 6, CLASS_CONTRADICTS_CODE);
    struct change *c = arena_new(arena, struct change, 8);
    c[0] = change_of(arena, "instance_type", "\"t3.micro\"", "\"t3.large\"");
    c[1] = change_of(arena, "tags[\"team\"]", "\"platform\"", NULL);
    c[2] = change_of(arena, "ingress[*]", NULL,
                     "{\"from_port\":22,\"to_port\":22,\"protocol\":\"tcp\",\"description\":null,"
                     "\"cidr_blocks\":[\"0.0.0.0/0\"],\"ipv6_cidr_blocks\":[\"::/0\"]}");
    c[3] = change_of(arena, "user_data", "\"#!/bin/sh\\napt update\\necho one\\necho two\\n\"",
                     "\"#!/bin/sh\\napt update\\necho three\\necho two\\n\"");
    c[4] = change_of(arena, "arn", "\"a\"", "\"b\"");
    c[4].configurable = false;
    c[5] =
        change_of(arena, "policy",
                  "\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{\\\"Effect\\\":"
                  "\\\"Deny\\\",\\\"Action\\\":[\\\"s3:*\\\"],\\\"Resource\\\":[\\\"*\\\"]}]}\"",
                  "\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{\\\"Effect\\\":"
                  "\\\"Allow\\\",\\\"Action\\\":[\\\"s3:*\\\"],\\\"Resource\\\":[\\\"*\\\"]}]}\"");
    c[6] = change_of(arena, "monitoring", "true", "false");
    c[6].ignored_by = STR("noisy");
    f[0].changes = c;
    f[0].nchanges = 7;
    c[0].origin = f[0].origin = origin_usual(arena);
    c[1].origin = c[0].origin;
    c[0].requires_replace = f[0].requires_replace = true;
    f[0].remedy = STR("set size to \"t3.large\" at infra/prod/prod.tfvars:7, or apply again");
    f[1].origin = origin_usual(arena);
    static const struct revision revision = {
        .repository = STR_INIT("https://git.example/infra.git"),
        .commit = STR_INIT("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
        .branch = STR_INIT("main"),
        .pushed = true};
    stack->revision = &revision;
    f[1].class_ = CLASS_MISSING;
    f[1].severity = SEVERITY_HIGH;
    f[1].reason = STR("the provider says that it does not exist");
    f[2].class_ = CLASS_STATE_ONLY;
    f[2].severity = SEVERITY_INFO;
    f[3].class_ = f[4].class_ = CLASS_UNCHECKED;
    f[3].severity = f[4].severity = SEVERITY_LOW;
    f[3].reason = f[4].reason = STR("provider hashicorp/aws is not installed");
    f[5].ignored = true;
    f[5].ignored_by = STR("changed by the autoscaler");
    f[5].ignored_owner = STR("@platform");
    f[5].ignored_expires = STR("2027-01-31");
    f[5].changes = &c[6];
    f[5].nchanges = 1;
    struct unchecked_reason *reason = arena_new(arena, struct unchecked_reason, 1);
    *reason = (struct unchecked_reason){f[3].reason, 2};
    struct str *note = arena_new(arena, struct str, 1);
    *note = STR("ignore rule at plumb.yaml:12 expired on 2026-01-31");
    struct considered_equal *equal = arena_new(arena, struct considered_equal, 1);
    *equal = (struct considered_equal){STR("aws_instance.ok"), STR("policy"), STR("json-text"),
                                       STR("the same JSON, spelled otherwise")};
    stack->findings = f;
    stack->nfindings = 6;
    stack->notes = note;
    stack->nnotes = 1;
    stack->equal = equal;
    stack->nequal = 1;
    stack->coverage = (struct coverage){
        .resources = 100,
        .compared = 98,
        .same = 94,
        .different = 3,
        .missing = 1,
        .unchecked = 2,
        .ignored = 1,
        .attributes_compared = 1204,
        .attributes_not_observed = 12,
        .reasons = reason,
        .nreasons = 1,
    };
}

/* What policy says of a finding, with s wherever a text is. */
static struct judgement *judgement_of(struct arena *arena, enum decision decision, struct str s)
{
    struct judgement *j = arena_new(arena, struct judgement, 1);
    struct verdict *v = arena_new(arena, struct verdict, 3);
    struct str *texts = arena_new(arena, struct str, 1);
    texts[0] = s;
    v[0] = (struct verdict){.rule = s,
                            .at = {.file = s, .line = 7},
                            .decision = decision,
                            .severity = SEVERITY_CRITICAL,
                            .has_severity = true,
                            .message = s,
                            .why = s,
                            .remedy = s,
                            .owner = s,
                            .deadline = STR("3d"),
                            .path = texts,
                            .npaths = 1,
                            .csf = texts,
                            .ncsf = 1,
                            .sp800_53 = texts,
                            .nsp800_53 = 1,
                            .cis = texts,
                            .ncis = 1,
                            .links = texts,
                            .nlinks = 1};
    v[1] = (struct verdict){
        .rule = STR("data.p.deny"), .decision = DECISION_BLOCK, .message = s, .error = true};
    v[2] = (struct verdict){.rule = STR("net/later"),
                            .decision = DECISION_NOTIFY,
                            .message = s,
                            .why = STR("size is known only after apply"),
                            .unknown = true,
                            .waived_by = s};
    *j = (struct judgement){.decision = decision,
                            .severity = SEVERITY_CRITICAL,
                            .message = s,
                            .rule = s,
                            .at = v[0].at,
                            .owner = s,
                            .deadline = STR("3d"),
                            .verdict = v,
                            .nverdicts = 3};
    return j;
}

static struct policy_report *policy_of(struct arena *arena, struct str s)
{
    struct policy_report *report = arena_new(arena, struct policy_report, 1);
    struct policy_row *row = arena_new(arena, struct policy_row, 2);
    struct str *texts = arena_new(arena, struct str, 1);
    texts[0] = s;
    row[0] = (struct policy_row){.rule = s,
                                 .at = {.file = s, .line = 7},
                                 .asked = 6,
                                 .applicable = 3,
                                 .matched = 1,
                                 .unknown = 1,
                                 .errors = 1,
                                 .never_had = texts,
                                 .nnever_had = 1};
    row[1] = (struct policy_row){.rule = STR("net/never"), .asked = 6};
    *report = (struct policy_report){
        .row = row, .n = 2, .note = texts, .nnotes = 1, .judged = 6, .by_decision = {1, 0, 2, 3}};
    return report;
}

/* Strings that break out of one format or another. */
static const char *const nasty[] = {
    "\"quotes\" and 'quotes' and \\ backslash",
    "line one\nline two\r\nline three\ttab",
    "\033[31mred\033[0m \033]0;title\007 \23331m",
    "]]> </testsuite> <!-- --> <script>&amp;",
    "``` ```` `tick` | pipe | <b>html</b> [link](http://x) @someone #1",
    "%0A::error::injected %25 ::set-output name=x::y, file=z:1",
    "\xff\xfe bad \xc3\x28 utf8 \xed\xa0\x80 surrogate \xef\xbf\xbe",
    "bidi \xe2\x80\xae evil \xe2\x80\x8b zero width \xef\xbb\xbf",
    "-->\n---\n+++ b\n@@ -1 +1 @@",
    "\x01\x02\x08\x0b\x0c\x1f\x7f\xc2\x80\xc2\x9f",
    "",
    " ",
};
enum { NASTY = sizeof nasty / sizeof *nasty };

static void make_nasty(struct arena *arena, struct scan_result *ret)
{
    struct stack_result *stack = stack_of(arena, ret);
    struct finding *f = findings_of(arena, NASTY + 2, CLASS_CONTRADICTS_CODE);
    struct str *notes = arena_new(arena, struct str, NASTY);
    struct unchecked_reason *reasons = arena_new(arena, struct unchecked_reason, NASTY);
    for (size_t i = 0; i < NASTY; i++) {
        struct str s = str_from(nasty[i]);
        struct change *c = arena_new(arena, struct change, 4);
        c[0] = change_text(arena, nasty[i], s, STR("harmless"));
        c[1] = change_text(arena, "reverse", STR("harmless\nlines\n"), s);
        c[2] = (struct change){.path = s, .after = c[0].before, .ignored_by = s};
        c[3] = (struct change){.path = STR("gone"), .before = c[0].before, .configurable = true};
        f[i].changes = c;
        f[i].nchanges = 4;
        f[i].address = arena_printf(arena, "x.y[%zu]%s", i, nasty[i]);
        f[i].type = f[i].provider = f[i].reason = s;
        f[i].origin = c[1].origin = c[2].origin = origin_nasty(arena, s, (uint32_t)i);
        f[i].remedy = s;
        f[i].judgement = judgement_of(arena, (enum decision)(i % DECISION_COUNT), s);
        f[i].digest = c[0].digest = s;
        f[i].tainted = f[i].deposed = true;
        f[i].severity = (enum severity)(i % SEVERITY_COUNT);
        notes[i] = s;
        reasons[i] = (struct unchecked_reason){s, i};
    }
    size_t big = 100000;
    char *text = arena_alloc_raw(arena, big, 2, 1);
    for (size_t i = 0; i < big; i++) {
        text[i] = (char)('a' + i % 26);
        text[big + i] = i % 80 == 79 ? '\n' : text[i];
    }
    text[big / 2] = '\n';
    struct change *c = arena_new(arena, struct change, 3);
    c[0] = change_text(arena, "big", (struct str){text, big}, STR("small"));
    c[1] = change_text(arena, "big_lines", STR("small\n"), (struct str){text + big, big});
    c[2] = change_of(arena, "null", "null", "[]");
    f[NASTY].changes = f[NASTY + 1].changes = c;
    f[NASTY].nchanges = f[NASTY + 1].nchanges = 3;
    f[NASTY + 1].reason = (struct str){text, big};
    f[NASTY + 1].class_ = CLASS_UNCHECKED;
    stack->findings = f;
    stack->nfindings = NASTY + 2;
    stack->notes = notes;
    stack->nnotes = NASTY;
    stack->coverage.reasons = reasons;
    stack->coverage.nreasons = NASTY;
    stack->coverage.unchecked = 1;
    ret->policy = policy_of(arena, str_from(nasty[2]));
    stack->name = stack->owner = str_from(nasty[4]);
    stack->source = stack->live = str_from(nasty[2]);
}

/* The usual findings, judged: one blocked, one that only policy makes worth telling. */
static void make_judged(struct arena *arena, struct scan_result *ret)
{
    make_usual(arena, ret);
    /* Ours: made just now. */
    struct finding *f = (struct finding *)(uintptr_t)ret->stacks[0].findings;
    f[0].judgement = judgement_of(arena, DECISION_BLOCK, STR("Too large a machine"));
    f[1].judgement = judgement_of(arena, DECISION_NOTIFY, STR("It is gone"));
    f[2].judgement = judgement_of(arena, DECISION_REVIEW, STR("Its state is old"));
    ret->policy = policy_of(arena, STR("waivers.yaml:3 expired"));
}

/* The canary in a value that is marked: wholly, by the change, deep inside, on one side only. */
static void make_secret(struct arena *arena, struct scan_result *ret)
{
    static const char object[] = "{\"user\":\"joe\",\"password\":\"" CANARY "\"}";
    struct stack_result *stack = stack_of(arena, ret);
    struct finding *f = findings_of(arena, 1, CLASS_CONTRADICTS_CODE);
    struct change *c = arena_new(arena, struct change, 8);
    for (size_t i = 0; i < 8; i++)
        c[i] = change_of(arena, "password", i == 6 ? NULL : object,
                         i == 7 ? NULL : "{\"user\":\"ann\",\"password\":\"" CANARY "2\"}");
    c[0].sensitive = true;
    struct value *marked = arena_new(arena, struct value, 2);
    marked[0] = *c[1].before;
    marked[0].marks = VALUE_SENSITIVE;
    c[1].before = &marked[0];
    c[2].after = &marked[0];
    struct value_member *members = arena_new(arena, struct value_member, 2);
    for (size_t i = 0; i < 2; i++)
        members[i] = c[3].before->members[i];
    members[0].value.marks = VALUE_SENSITIVE; /* password: keys are sorted */
    marked[1] = *c[3].before;
    marked[1].members = members;
    c[3].before = &marked[1];
    c[4].after = &marked[1];
    c[5].before = c[5].after = &marked[1];
    c[6].after = &marked[1];
    c[7].before = &marked[1];
    struct origin *told = arena_new(arena, struct origin, 2);
    told[0] = told[1] = *origin_usual(arena);
    told[0].excerpt = STR("password = \"" CANARY "\"");
    told[1].excerpt = STR("password = (sensitive)");
    f->origin = &told[0];
    for (size_t i = 0; i < 6; i++)
        c[i].origin = &told[i % 2]; /* 6 and 7 hide a part of the value only */
    f->changes = c;
    f->nchanges = 8;
    stack->findings = f;
    stack->nfindings = 1;
    stack->coverage.different = 1;
}

static void make_many(struct arena *arena, struct scan_result *ret)
{
    enum { STACKS = 70, FINDINGS = 100 };
    struct stack_result *stacks = arena_new(arena, struct stack_result, STACKS);
    for (size_t i = 0; i < STACKS; i++) {
        struct finding *f = findings_of(arena, FINDINGS, CLASS_CONTRADICTS_CODE);
        struct change *c = arena_new(arena, struct change, 1);
        *c = change_of(arena, "size", "10", "20");
        struct scan_result one;
        struct stack_result *made = stack_of(arena, &one);
        made->name = made->path = arena_printf(arena, "infra/%03zu", i);
        made->failed = i == 7 ? STR("state terraform.tfstate: not valid JSON at 3:14") : STR("");
        for (size_t k = 0; k < FINDINGS; k++) {
            f[k].stack = made->name;
            f[k].changes = c;
            f[k].nchanges = 1;
            f[k].severity = (enum severity)(k % SEVERITY_COUNT);
        }
        made->findings = f;
        made->nfindings = i == 7 ? 0 : FINDINGS;
        stacks[i] = *made;
    }
    *ret = (struct scan_result){.stacks = stacks, .nstacks = STACKS};
}

static const struct fixture {
    const char *name;
    void (*make)(struct arena *arena, struct scan_result *ret);
} fixtures[] = {
    {"none", make_none},     {"no_stacks", make_no_stacks}, {"usual", make_usual},
    {"nasty", make_nasty},   {"secret", make_secret},       {"many", make_many},
    {"judged", make_judged},
};
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

static bool holds(struct str text, const char *words)
{
    return str_find(text, str_from(words), 0) != SIZE_MAX;
}

static void keep(const char *fixture, const struct format *format, const char *variant,
                 const struct buf *out)
{
    AUTO_ARENA arena = {.limit = 1 << 16};
    const char *dir = getenv("PLUMB_REPORT_DIR");
    if (!dir)
        return;
    struct str path = arena_printf(&arena, "%s/%s%s.%s", dir, fixture, variant, format->name);
    assert_true(io_write_file_atomic(path.ptr, buf_view(out), 0644, NULL));
}

/* Bytes that steer a terminal or a reader. JSON keeps values as they are: it escapes C0 only. */
static void check_harmless(const struct format *format, struct str out)
{
    bool machine = out.len && (out.ptr[0] == '{' || out.ptr[0] == '[');
    assert_true(utf8_bad_at(out) == SIZE_MAX);
    for (size_t at = 0; at < out.len;) {
        uint32_t c = utf8_next(out, &at);
        bool control = (c < 0x20 && c != '\n' && c != '\t') ||
                       (!machine && ((c >= 0x7f && c < 0xa0) || c == 0x202e || c == 0x200b));
        if (control)
            print_message("%s: U+%04x at %zu\n", format->name, (unsigned)c, at);
        assert_false(control);
    }
}

static void every_format_writes_every_result(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct report_options options;
    } variants[] = {
        {"", {.tool_version = STR_INIT("0.1.0")}},
        {"-all", {.tool_version = STR_INIT("0.1.0"), .show_ignored = true, .explain = true}},
    };
    size_t n;
    const struct format *const *formats = report_formats(&n);
    for (size_t i = 0; i < (size_t)FIXTURES * 2; i++) {
        AUTO_ARENA arena = {.limit = 256 << 20};
        struct scan_result result;
        fixtures[i / 2].make(&arena, &result);
        for (size_t k = 0; k < n; k++) {
            struct err err = {0};
            AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT}, again = {.limit = BUF_DEFAULT_LIMIT};
            assert_true(formats[k]->write(&out, &result, &variants[i % 2].options, &err));
            assert_true(formats[k]->write(&again, &result, &variants[i % 2].options, &err));
            assert_true(str_equal(buf_view(&out), buf_view(&again)));
            check_harmless(formats[k], buf_view(&out));
            assert_false(holds(buf_view(&out), CANARY));
            keep(fixtures[i / 2].name, formats[k], variants[i % 2].name, &out);
        }
    }
}

/* Colour changes nothing but colour: without its codes the text is the same. */
static void colour_is_only_colour(void **state)
{
    (void)state;
    const struct format *format = report_find(STR("text"));
    for (size_t i = 0; i < FIXTURES; i++) {
        AUTO_ARENA arena = {.limit = 256 << 20};
        AUTO_BUF plain = {.limit = BUF_DEFAULT_LIMIT}, toned = plain, bare = plain;
        struct report_options options = {0};
        struct scan_result result;
        fixtures[i].make(&arena, &result);
        assert_true(format->write(&plain, &result, &options, NULL));
        options.colour = true;
        assert_true(format->write(&toned, &result, &options, NULL));
        for (size_t at = 0; at < toned.len; at++) {
            if (toned.ptr[at] != '\033')
                buf_char(&bare, toned.ptr[at]);
            else
                while (toned.ptr[at] != 'm')
                    at++;
        }
        assert_true(toned.len > plain.len);
        assert_true(str_equal(buf_view(&bare), buf_view(&plain)));
    }
}

static void a_stream_is_one_event_a_line(void **state)
{
    (void)state;
    const struct format *format = report_find(STR("json"));
    struct report_options options = {.stream = true, .tool_version = STR("0.1.0")};
    for (size_t i = 0; i < FIXTURES; i++) {
        AUTO_ARENA arena = {.limit = 256 << 20};
        AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
        struct scan_result result;
        size_t events = 0, findings = 0;
        fixtures[i].make(&arena, &result);
        for (size_t k = 0; k < result.nstacks; k++)
            for (size_t f = 0; f < result.stacks[k].nfindings; f++) {
                assert_true(
                    format->stream_finding(&out, &result.stacks[k].findings[f], &options, NULL));
                findings += !result.stacks[k].findings[f].ignored;
            }
        assert_true(format->write(&out, &result, &options, NULL));
        assert_false(holds(buf_view(&out), CANARY));
        keep(fixtures[i].name, format, "-stream", &out);
        struct ndjson in = {.rest = buf_view(&out), .name = "stream"};
        struct value v;
        struct err err = {0};
        for (; ndjson_next(&in, &arena, 0, &v, &err); events++)
            assert_true(str_equal(value_get_string(&v, STR("schema_version")), STR("1.0")));
        assert_int_equal(err.kind, ERR_NONE);
        assert_int_equal(events, findings + result.nstacks + 1);
    }
}

static void markdown_keeps_within_its_limit_and_says_so(void **state)
{
    (void)state;
    static const size_t limits[] = {0, 1000000, 30000, 5000, 2000};
    const struct format *format = report_find(STR("comment.md"));
    assert_non_null(format);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        for (size_t k = 0; k < FIXTURES; k++) {
            AUTO_ARENA arena = {.limit = 256 << 20};
            AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
            struct scan_result result;
            struct report_options options = {.max_bytes = limits[i]};
            fixtures[k].make(&arena, &result);
            assert_true(format->write(&out, &result, &options, NULL));
            assert_true(out.len <= (limits[i] ? limits[i] : 65536));
            if (!strcmp(fixtures[k].name, "many") && limits[i] != 1000000)
                assert_true(holds(buf_view(&out), "more findings are not shown here"));
        }
}

static void github_keeps_within_ten_of_a_level(void **state)
{
    (void)state;
    const struct format *format = report_find(STR("github"));
    for (size_t k = 0; k < FIXTURES; k++) {
        AUTO_ARENA arena = {.limit = 256 << 20};
        AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
        struct report_options options = {0};
        struct scan_result result;
        size_t errors = 0, warnings = 0, notices = 0;
        fixtures[k].make(&arena, &result);
        assert_true(format->write(&out, &result, &options, NULL));
        struct str rest = buf_view(&out), line;
        while (str_cut(&rest, '\n', &line)) {
            assert_true(str_starts(line, STR("::")));
            errors += str_starts(line, STR("::error"));
            warnings += str_starts(line, STR("::warning"));
            notices += str_starts(line, STR("::notice"));
        }
        assert_true(errors <= 10 && warnings <= 10 && notices <= 10 && notices >= 1);
    }
}

static void every_format_tells_where_the_value_comes_from(void **state)
{
    (void)state;
    static const struct {
        const char *format, *tells[6];
    } cases[] = {
        {"text",
         {"infra/prod/prod.tfvars:7  size = \"t3.micro\"\n",
          "through infra/prod/main.tf:12 instance_type -> infra/prod/variables.tf:3 var.size -> "
          "infra/prod/prod.tfvars:7 size\n",
          "last changed in 1a2b3c4d5e by Ann Example, 2025-11-20: prod: small web servers; owner "
          "@web @platform\n",
          "explained: branch origin/resize agrees with what is live: 9f8e7d6c5b by Bob",
          "(an apply would make the resource anew)", "=> set size to"}},
        {"markdown", {"infra/prod/prod.tfvars:7", "by Ann Example", "branch origin/resize"}},
        {"github",
         {"::warning file=infra/prod/prod.tfvars,line=7,col=1,endColumn=18,title=",
          "by Ann Example", "branch origin/resize"}},
        {"gitlab",
         {"\"path\": \"infra/prod/prod.tfvars\"", "\"begin\": 7", "by Ann Example",
          "branch origin/resize"}},
        {"junit", {"infra/prod/prod.tfvars:7", "by Ann Example", "branch origin/resize"}},
        {"sarif",
         {"\"uri\": \"infra/prod/variables.tf\"", "\"snippet\"",
          "\"repositoryUri\": \"https://git.example/infra.git\"", "\"owner\": \"@web @platform\"",
          "\"endColumn\": 18", "relatedLocations"}},
        {"json",
         {"\"excerpt\": \"size = \\\"t3.micro\\\"\"", "\"what\": \"variable\"",
          "\"time\": \"2025-11-20T12:00:00Z\"", "\"kind\": \"branch\"",
          "\"requires_replace\": true", "\"branch\": \"main\""}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
        struct scan_result result;
        struct report_options options = {.width = 160};
        make_usual(&arena, &result);
        assert_true(report_find(str_from(cases[i].format))->write(&out, &result, &options, NULL));
        for (size_t k = 0; k < 6 && cases[i].tells[k]; k++) {
            if (!holds(buf_view(&out), cases[i].tells[k]))
                print_message("%s lacks %s in\n%.*s\n", cases[i].format, cases[i].tells[k],
                              STR_ARG(buf_view(&out)));
            assert_true(holds(buf_view(&out), cases[i].tells[k]));
        }
    }
}

static void junit_puts_paths_behind_the_reason(void **state)
{
    (void)state;
    AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
    const struct value a = value_string(STR("a")), b = value_string(STR("b"));
    struct change change = {.path = STR("size"), .before = &a, .after = &b, .configurable = true};
    struct finding finding = {.class_ = CLASS_UNAPPLIED,
                              .address = STR("lab_box.a"),
                              .type = STR("lab_box"),
                              .reason = STR("size is not applied yet: the code is ahead"),
                              .changes = &change,
                              .nchanges = 1};
    struct stack_result stack = {.name = STR("s"), .findings = &finding, .nfindings = 1};
    struct scan_result result = {.stacks = &stack, .nstacks = 1};
    struct report_options options = {0};
    assert_true(report_find(STR("junit"))->write(&out, &result, &options, NULL));
    assert_true(holds(buf_view(&out), "the code is ahead; size\""));
}

static void what_is_ignored_has_no_remedy(void **state)
{
    (void)state;
    struct finding finding = {.class_ = CLASS_CONTRADICTS_CODE,
                              .address = STR("lab_box.a"),
                              .type = STR("lab_box"),
                              .ignored_by = STR("ignore_changes")};
    struct stack_result stack = {.name = STR("s"), .findings = &finding, .nfindings = 1};
    struct scan_result result = {.stacks = &stack, .nstacks = 1};
    struct report_options options = {.show_ignored = true};
    for (int ignored = 0; ignored < 2; ignored++) {
        AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
        finding.ignored = ignored;
        assert_true(report_find(STR("json"))->write(&out, &result, &options, NULL));
        assert_int_equal(holds(buf_view(&out), "\"remedy\": null"), ignored);
        assert_int_equal(holds(buf_view(&out), "\"remedy\": \"Apply"), !ignored);
    }
}

static void formats_are_found_by_name_and_by_file(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *found;
    } cases[] = {
        {"text", "text"},
        {"json", "json"},
        {"out/drift.sarif", "sarif"},
        {"drift.json", "json"},
        {"gl-code-quality-report.json", "gitlab"},
        {".json", NULL}, /* an ending alone is no file name */
        {"out/gl-code-quality-report.json", "gitlab"},
        {"report.xml", "junit"},
        {"comment.md", "markdown"},
        {"nothing", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct format *format = report_find(str_from(cases[i].asked));
        assert_string_equal(format ? format->name : "none",
                            cases[i].found ? cases[i].found : "none");
    }
}

/* The decision, the rule with its place, and why; of a state-only finding, too. */
static void every_format_tells_what_policy_says(void **state)
{
    (void)state;
    static const struct {
        const char *format, *tells[4];
    } cases[] = {
        {"text",
         {"[block]", "block: Too large a machine [Too large a machine, Too large a machine:7]",
          "because Too large a machine", "review: Its state is old"}},
        {"markdown", {"**block**", "block: Too large a machine [", "6 findings judged: 1 block"}},
        {"github",
         {"block: Too large a machine [", "review: Its state is old", "6 findings judged"}},
        {"gitlab", {"block: Too large a machine [", "review: Its state is old"}},
        {"junit", {"message=\"block: Too large a machine [", "review: Its state is old"}},
        {"sarif",
         {"block: Too large a machine [", "\"decision\": \"block\"", "\"rule\": \"net/later\"",
          "policy: waivers.yaml:3 expired"}},
        {"json",
         {"\"decision\": \"review\"", "\"waived_by\": \"It is gone\"", "\"paths_never_found\": [",
          "\"judged\": 6"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        AUTO_BUF out = {.limit = BUF_DEFAULT_LIMIT};
        struct scan_result result;
        struct report_options options = {.width = 160};
        make_judged(&arena, &result);
        assert_true(report_find(str_from(cases[i].format))->write(&out, &result, &options, NULL));
        for (size_t k = 0; k < 4 && cases[i].tells[k]; k++) {
            if (!holds(buf_view(&out), cases[i].tells[k]))
                print_message("%s lacks %s in\n%.*s\n", cases[i].format, cases[i].tells[k],
                              STR_ARG(buf_view(&out)));
            assert_true(holds(buf_view(&out), cases[i].tells[k]));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_writes_every_result),
        cmocka_unit_test(colour_is_only_colour),
        cmocka_unit_test(a_stream_is_one_event_a_line),
        cmocka_unit_test(markdown_keeps_within_its_limit_and_says_so),
        cmocka_unit_test(github_keeps_within_ten_of_a_level),
        cmocka_unit_test(every_format_tells_where_the_value_comes_from),
        cmocka_unit_test(every_format_tells_what_policy_says),
        cmocka_unit_test(junit_puts_paths_behind_the_reason),
        cmocka_unit_test(what_is_ignored_has_no_remedy),
        cmocka_unit_test(formats_are_found_by_name_and_by_file),
    };
    return cmocka_run_group_tests_name("report/formats", tests, NULL, NULL);
}
