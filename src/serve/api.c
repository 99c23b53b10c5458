/* api.c - what `plumb status`, `findings` and `finding show` tell, over the wire, as the same JSON.
 *
 * Pages:   limit and offset; Link rel="next" where there is more (RFC 8288)
 * Cache:   ETag of the bytes; If-None-Match gives 304 (RFC 9110, 13.1.2)
 * Tokens:  one that is bound to stacks sees only these, and of others not that they are there
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "record/freshness.h"
#include "report/finding_rows.h"
#include "report/json_out.h"
#include "report/store_json.h"
#include "serve/server.h"
#include "wire/json.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MOST = 1000, BODY_BYTES = 64 << 20, LINK_BYTES = 16 << 10 };
#define OFFSET_MOST INT64_C(1000000000)

/* --- answers --- */

/* Is it among those of If-None-Match? Weak ones count as well. */
static bool is_known(const struct request *request, const char *tag)
{
    struct str list = request_header(request, "if-none-match"), one;
    for (bool more = list.len > 0; more;) {
        more = str_cut(&list, ',', &one);
        one = str_trim(one);
        if (str_starts(one, STR("W/")))
            one = str_sub(one, 2, one.len);
        if (str_equal(one, STR("*")) || str_equal(one, str_from(tag)))
            return true;
    }
    return false;
}

/* next: the address of the next page, or NULL. */
static void answer_json(struct request *request, struct buf *body, const char *next)
{
    struct err err = {0};
    char tag[24];
    if (!buf_ok(body, &err)) {
        request_failed(request, &err);
        return;
    }
    (void)snprintf(tag, sizeof tag, "\"%016llx\"",
                   (unsigned long long)hash_bytes(buf_view(body), 0));
    struct answer answer = {.status = 200,
                            .type = "application/json",
                            .body = buf_view(body),
                            .header = {{"ETag", tag}, {"Cache-Control", "private, no-cache"}}};
    if (next)
        answer.header[2] = (struct answer_header){"Link", next};
    if (is_known(request, tag)) {
        answer.status = 304;
        answer.type = NULL;
        answer.body = STR("");
    }
    request_answer(request, &answer);
}

/* --- questions --- */

static bool bad(struct request *request, const char *name, const struct err *err)
{
    char text[ERR_TEXT_MAX];
    request_problem(request, 400, "bad-request", "%s: %s", name, err_text(err, text, sizeof text));
    return false;
}

static bool take_number(struct request *request, const char *name, int64_t least, int64_t most,
                        int64_t *ret)
{
    struct str text;
    int64_t number;
    if (!request_param(request, name, &text))
        return true;
    if (str_to_int64(text, &number) && number >= least && number <= most) {
        *ret = number;
        return true;
    }
    request_problem(request, 400, "bad-request", "%s: want a number from %lld to %lld", name,
                    (long long)least, (long long)most);
    return false;
}

static bool take_page(struct request *request, int64_t *ret_limit, int64_t *ret_offset)
{
    *ret_limit = LIMIT_DEFAULT;
    *ret_offset = 0;
    return take_number(request, "limit", 1, LIMIT_MOST, ret_limit) &&
           take_number(request, "offset", 0, OFFSET_MOST, ret_offset);
}

/* The same question for the next page; what may not stand in a header is encoded. */
static const char *next_page(struct request *request, int64_t limit, int64_t offset)
{
    AUTO_BUF out = {.limit = LINK_BYTES};
    struct str rest = request->query, pair;
    buf_char(&out, '<');
    buf_str(&out, request->path);
    buf_char(&out, '?');
    while (rest.len) {
        (void)str_cut(&rest, '&', &pair);
        if (str_starts(pair, STR("limit=")) || str_starts(pair, STR("offset=")) || !pair.len)
            continue;
        for (size_t i = 0; i < pair.len; i++) {
            unsigned char c = (unsigned char)pair.ptr[i];
            bool plain = c > ' ' && c < 0x7f && !strchr("<>\"\\^`{|}", c);
            buf_printf(&out, plain ? "%c" : "%%%02X", c);
        }
        buf_char(&out, '&');
    }
    buf_printf(&out, "limit=%" PRId64 "&offset=%" PRId64 ">; rel=\"next\"", limit, offset + limit);
    return arena_dup(&request->arena, buf_view(&out)).ptr;
}

static int64_t now_of(const struct server *server)
{
    const struct record_options *record = &server->options.record;
    return record->now_ms ? record->now_ms(record->clock) : clock_wall_ms();
}

static void not_there(struct request *request, const char *what)
{
    request_problem(request, 404, "not-found", "there is no such %s, or this token may not see it",
                    what);
}

/* --- stacks --- */

static bool list_stacks(struct server *server, struct request *request, struct freshness **ret,
                        size_t *ret_n, struct cover *cover[2], size_t ncovers[2],
                        struct service_row *ret_service)
{
    struct arena *arena = &request->arena;
    const struct freshness_ask ask = {.now_utc_ms = now_of(server), .judged = true};
    struct record record = {0};
    struct err err = {0};
    size_t n = 0;
    if (!request_params_fit(request) || !server_read(server, request, &record))
        return false;
    bool ok = freshness_list(&record, arena, &ask, ret, ret_n, &err) &&
              service_get(&record, ret_service, &err);
    for (enum cover_kind kind = COVER_BREAKGLASS; ok && kind <= COVER_FREEZE; kind++)
        ok = covers_list(&record, arena, kind, false, &cover[kind], &ncovers[kind], &err);
    record_close(&record);
    for (size_t i = 0; ok && i < *ret_n; i++)
        if (request_may_touch(request, (*ret)[i].row.name))
            (*ret)[n++] = (*ret)[i];
    *ret_n = n;
    if (!ok)
        request_failed(request, &err);
    return ok;
}

void api_get_stacks(void *service, struct request *request)
{
    struct server *server = service;
    AUTO_BUF body = {.limit = BODY_BYTES};
    struct freshness *stack = NULL;
    struct cover *cover[2] = {0};
    struct service_row have = {0};
    size_t n = 0, ncovers[2] = {0};
    struct jsonw w;
    if (!list_stacks(server, request, &stack, &n, cover, ncovers, &have))
        return;
    if (request->who.stacks.len) { /* a scope may name stacks that this token may not see */
        ncovers[0] = ncovers[1] = 0;
        have = (struct service_row){0};
    }
    json_open(&w, &body);
    jsonw_key(&w, STR("stacks"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n; i++)
        stack_json(&w, &stack[i], now_of(server));
    jsonw_array_close(&w);
    covers_json(&w, cover, ncovers, now_of(server));
    service_json(&w, &have);
    json_close(&w);
    answer_json(request, &body, NULL);
}

void api_get_stack(void *service, struct request *request)
{
    struct server *server = service;
    AUTO_BUF body = {.limit = BODY_BYTES};
    struct freshness *stack = NULL;
    struct cover *cover[2] = {0};
    struct service_row have = {0};
    size_t n = 0, i = 0, ncovers[2] = {0};
    struct jsonw w;
    if (!list_stacks(server, request, &stack, &n, cover, ncovers, &have))
        return;
    while (i < n && !str_equal(stack[i].row.name, request->rest))
        i++;
    if (i == n) {
        not_there(request, "stack");
        return;
    }
    json_open(&w, &body);
    jsonw_key(&w, STR("stack"));
    stack_json(&w, &stack[i], now_of(server));
    json_close(&w);
    answer_json(request, &body, NULL);
}

/* --- findings --- */

struct listed {
    struct jsonw w;
    struct request *request;
    int64_t n, most, now_utc_ms;
};

/* One more than was asked for tells that there are more. */
static bool put_finding(void *ctx, const struct finding_row *row, struct err *err)
{
    struct listed *l = ctx;
    (void)err;
    if (!request_may_touch(l->request, row->stack) || l->n++ >= l->most)
        return true;
    jsonw_object_open(&l->w);
    finding_row_json(&l->w, row, l->now_utc_ms);
    jsonw_object_close(&l->w);
    return true;
}

static bool take_filters(struct request *request, struct finding_query *ret)
{
    static const struct {
        const char *name;
        bool (*take)(struct str words, struct finding_query *ret, struct err *err);
    } filters[] = {{"class", finding_query_classes},
                   {"status", finding_query_statuses},
                   {"severity", finding_query_severity},
                   {"since", finding_query_since}};
    struct err err = {0};
    struct str text;
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        for (size_t k = 0; request_param_at(request, filters[i].name, k, &text); k++)
            if (text.len && !filters[i].take(text, ret, &err))
                return bad(request, filters[i].name, &err);
    for (size_t k = 0; request_param_at(request, "stack", k, &text); k++) {
        if (ret->nstacks == FINDING_QUERY_NAMES) {
            (void)err_set(&err, ERR_USAGE, "at most %d", FINDING_QUERY_NAMES);
            return bad(request, "stack", &err);
        }
        ret->stack[ret->nstacks++] = text;
    }
    if (!ret->statuses && !ret->overdue)
        ret->statuses = FINDING_STATUSES_OPEN;
    else if (ret->statuses == (1u << STATUS_COUNT) - 1)
        ret->statuses = 0;
    ret->stacks = request->who.stacks;
    return true;
}

void api_get_findings(void *service, struct request *request)
{
    struct server *server = service;
    AUTO_BUF body = {.limit = BODY_BYTES};
    struct listed l = {.request = request, .now_utc_ms = now_of(server)};
    struct finding_query query = {.now_utc_ms = l.now_utc_ms};
    struct record record = {0};
    struct err err = {0};
    if (!request_params_fit(request) || !take_page(request, &query.limit, &query.offset) ||
        !take_filters(request, &query) || !server_read(server, request, &record))
        return;
    l.most = query.limit++;
    json_open(&l.w, &body);
    jsonw_key(&l.w, STR("findings"));
    jsonw_array_open(&l.w);
    bool ok = finding_list(&record, &query, put_finding, &l, &err);
    record_close(&record);
    if (!ok) {
        request_failed(request, &err);
        return;
    }
    jsonw_array_close(&l.w);
    jsonw_member_bool(&l.w, STR("more"), l.n > l.most);
    json_close(&l.w);
    answer_json(request, &body, l.n > l.most ? next_page(request, l.most, query.offset) : NULL);
}

void api_get_finding(void *service, struct request *request)
{
    struct server *server = service;
    AUTO_BUF body = {.limit = BODY_BYTES};
    struct finding_whole finding = {0};
    struct record record = {0};
    struct str stack = STR("");
    struct err err = {0};
    struct jsonw w;
    (void)request_param(request, "stack", &stack);
    if (!request_params_fit(request) || !server_read(server, request, &record))
        return;
    bool ok = finding_whole_get(&record, &request->arena, request->rest, stack, now_of(server),
                                &finding, &err);
    record_close(&record);
    if (!ok && err.kind == ERR_USAGE && !request->who.stacks.len) {
        char text[ERR_TEXT_MAX];
        request_problem(request, 404, "not-found", "%s", err_text(&err, text, sizeof text));
    } else if (!ok && err.kind != ERR_USAGE) {
        request_failed(request, &err);
    } else if (!ok || !request_may_touch(request, finding.row.stack)) {
        not_there(request, "finding");
    } else {
        json_open(&w, &body);
        finding_whole_json(&w, &finding, now_of(server));
        json_close(&w);
        answer_json(request, &body, NULL);
    }
}

/* --- runs --- */

void api_get_runs(void *service, struct request *request)
{
    struct server *server = service;
    AUTO_BUF body = {.limit = BODY_BYTES};
    struct run_query query = {.stack = STR(""), .stacks = request->who.stacks};
    struct run_row *run = NULL;
    struct record record = {0};
    struct err err = {0};
    struct jsonw w;
    size_t n = 0;
    (void)request_param(request, "stack", &query.stack);
    if (!request_params_fit(request) || !take_page(request, &query.limit, &query.offset) ||
        !server_read(server, request, &record))
        return;
    size_t most = (size_t)query.limit++;
    bool ok = run_list(&record, &request->arena, &query, &run, &n, &err);
    record_close(&record);
    if (!ok) {
        request_failed(request, &err);
        return;
    }
    json_open(&w, &body);
    jsonw_key(&w, STR("runs"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < n && i < most; i++)
        run_json(&w, &run[i]);
    jsonw_array_close(&w);
    jsonw_member_bool(&w, STR("more"), n > most);
    json_close(&w);
    answer_json(request, &body, n > most ? next_page(request, (int64_t)most, query.offset) : NULL);
}
