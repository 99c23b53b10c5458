/* issue.c - names, order and fingerprints of issues, and what a check means as an exit code. */
#include "model/issue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

static const struct {
    const char *name;
    enum severity severity;
} kinds[] = {
#define X(constant, text, level) [constant] = {text, level},
    ISSUE_KINDS(X)
#undef X
};
static_assert(sizeof kinds / sizeof *kinds == ISSUE_KIND_COUNT, "a row for each kind");

const char *issue_kind_name(enum issue_kind kind)
{
    return (unsigned)kind < ISSUE_KIND_COUNT ? kinds[kind].name : "invalid";
}

enum severity issue_kind_severity(enum issue_kind kind)
{
    return (unsigned)kind < ISSUE_KIND_COUNT ? kinds[kind].severity : SEVERITY_CRITICAL;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

struct str issue_rule_of(struct arena *arena, struct str summary)
{
    char *out = arena_new_raw(arena, char, summary.len + 1);
    size_t n = 0;
    bool quoted = false;
    if (!out)
        return (struct str){0};
    for (size_t i = 0; i < summary.len; i++) {
        char c = summary.ptr[i];
        if (c == '"')
            quoted = !quoted;
        if (quoted || !is_word(c)) {
            if (n && out[n - 1] != '-' && c != '\'')
                out[n++] = '-';
            continue;
        }
        out[n++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    while (n && out[n - 1] == '-')
        n--;
    out[n] = 0;
    return (struct str){out, n};
}

/* --- order --- */

static int compare_places(const struct issue *a, const struct issue *b)
{
    int order = str_compare(a->at.file, b->at.file);
    if (order)
        return order;
    if (a->at.line != b->at.line)
        return a->at.line < b->at.line ? -1 : 1;
    return (a->at.column > b->at.column) - (a->at.column < b->at.column);
}

static int compare_issues(const void *a, const void *b)
{
    const struct issue *x = a, *y = b;
    int order = compare_places(x, y);
    if (!order)
        order = (x->kind < y->kind) - (x->kind > y->kind); /* errors first */
    if (!order)
        order = str_compare(x->rule, y->rule);
    if (!order)
        order = str_compare(x->address, y->address);
    return order ? order : str_compare(x->detail, y->detail);
}

/* --- fingerprints --- */

/* Blanks do not count: a line that is only indented anew stays the same. */
static void add_squeezed(struct sha256 *sha, struct str text)
{
    char buf[256];
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            continue;
        buf[n++] = c;
        if (n == sizeof buf) {
            sha256_add(sha, (struct str){buf, n});
            n = 0;
        }
    }
    sha256_add(sha, (struct str){buf, n});
}

static bool digest_issue(const struct issue *issue, unsigned copy, struct digest *ret,
                         struct err *err)
{
    char number[16];
    struct sha256 *sha = sha256_open(err);
    if (!sha)
        return false;
    (void)snprintf(number, sizeof number, "%u", copy);
    sha256_add_field(sha, STR("issue/1"));
    sha256_add_field(sha, issue->rule);
    sha256_add_field(sha, issue->subject);
    sha256_add_field(sha, issue->at.file);
    sha256_add_field(sha, issue->address);
    sha256_add_field(sha, issue->summary);
    sha256_add_field(sha, str_from(number));
    add_squeezed(sha, issue->excerpt);
    return sha256_close(sha, ret, err);
}

struct seen {
    struct digest digest;
    size_t at;
};

static int compare_seen(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;
    int order = memcmp(&x->digest, &y->digest, sizeof x->digest);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

/* Equal ones in the order of their places: the first, the second ... */
static bool fill_fingerprints(struct issue *issues, size_t n, struct seen *seen, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        seen[i].at = i;
        if (!digest_issue(&issues[i], 0, &seen[i].digest, err))
            return false;
    }
    qsort(seen, n, sizeof *seen, compare_seen);
    unsigned copy = 0;
    for (size_t i = 0; i < n; i++) {
        char hex[DIGEST_HEX + 1];
        struct digest digest;
        bool again = i && digest_equal(&seen[i - 1].digest, &seen[i].digest);
        copy = again ? copy + 1 : 0;
        if (!digest_issue(&issues[seen[i].at], copy, &digest, err))
            return false;
        digest_hex(&digest, hex);
        memcpy(issues[seen[i].at].fingerprint, hex, 32);
        issues[seen[i].at].fingerprint[32] = 0;
    }
    return true;
}

bool issues_settle(struct arena *arena, struct issue *issues, size_t *n, struct err *err)
{
    size_t kept = 0;
    if (*n == 0)
        return true;
    qsort(issues, *n, sizeof *issues, compare_issues);
    for (size_t i = 0; i < *n; i++)
        if (!kept || compare_issues(&issues[kept - 1], &issues[i]) != 0)
            issues[kept++] = issues[i];
    *n = kept;
    struct seen *seen = arena_new(arena, struct seen, kept);
    if (!seen)
        return arena_full(arena, err);
    return fill_fingerprints(issues, kept, seen, err);
}

int check_exit_code(const struct check_result *result, bool strict)
{
    int code = EXIT_IN_SYNC;
    for (size_t i = 0; i < result->n; i++) {
        const struct check_subject *subject = &result->subject[i];
        if (subject->failed.len)
            return EXIT_ERROR;
        for (size_t k = 0; k < subject->nissues; k++) {
            enum issue_kind kind = subject->issues[k].kind;
            if (kind == ISSUE_ERROR || (kind == ISSUE_WARNING && strict))
                return EXIT_ERROR;
            if (kind == ISSUE_VIOLATION)
                code = EXIT_VIOLATION;
        }
    }
    return code;
}
