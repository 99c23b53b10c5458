/* answer.c - responses: what a service answers, and problems. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "serve/listener_parts.h"
#include "wire/json.h"

static const struct {
    unsigned status;
    const char *title;
} titles[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {507, "Insufficient Storage"},
};

static const char *title_of(unsigned status)
{
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        if (titles[i].status == status)
            return titles[i].title;
    return "Error";
}

/* The body's bytes become the response's; NULL: no memory. */
static struct MHD_Response *make(const struct mhd *mhd, const struct answer *answer)
{
    char *copy = answer->take_body;
    if (!copy && answer->body.len) {
        copy = malloc(answer->body.len);
        if (!copy)
            return NULL;
        memcpy(copy, answer->body.ptr, answer->body.len);
    }
    struct MHD_Response *response = mhd->create_response_from_buffer(
        copy ? answer->body.len : 0, copy, copy ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response)
        free(copy);
    return response;
}

void answer_prepare(struct request *request, const struct answer *answer)
{
    struct request_state *state = request->state;
    const struct mhd *mhd = &state->listener->mhd;
    struct MHD_Response *response =
        answer->stream ? stream_response(answer->stream) : make(mhd, answer);
    bool kept = false; /* somebody said how long */
    state->status = answer->status;
    state->response = response;
    state->stream = response ? answer->stream : NULL;
    if (!response)
        return; /* no memory: the connection is closed without an answer */
    if (answer->type)
        (void)mhd->add_response_header(response, "Content-Type", answer->type);
    (void)mhd->add_response_header(response, "X-Content-Type-Options", "nosniff");
    for (size_t i = 0; i < sizeof answer->header / sizeof *answer->header; i++) {
        if (!answer->header[i].name)
            continue;
        kept |= strcmp(answer->header[i].name, "Cache-Control") == 0;
        (void)mhd->add_response_header(response, answer->header[i].name, answer->header[i].value);
    }
    if (!kept)
        (void)mhd->add_response_header(response, "Cache-Control", "no-store");
}

/* body is the caller's: the answer has a view of it. */
static struct answer problem_of(const struct request *request, unsigned status, const char *problem,
                                const char *detail, struct buf *body)
{
    struct jsonw w = {.out = body};
    char type[80];
    (void)snprintf(type, sizeof type, "urn:plumb:problem:%s", problem);
    jsonw_object_open(&w);
    jsonw_member_string(&w, STR("type"), str_from(type));
    jsonw_member_string(&w, STR("title"), str_from(title_of(status)));
    jsonw_member_int(&w, STR("status"), status);
    jsonw_member_string(&w, STR("detail"), str_from(detail));
    if (request->path.ptr)
        jsonw_member_string(&w, STR("instance"), request->path);
    jsonw_object_close(&w);
    buf_char(body, '\n');
    struct answer answer = {
        .status = status, .type = "application/problem+json", .body = buf_view(body)};
    if (status == 401)
        answer.header[0] = (struct answer_header){
            "WWW-Authenticate",
            request_header(request, "authorization").len /* RFC 6750, 3.1 */
                ? "Bearer realm=\"plumb\", error=\"invalid_token\", Basic realm=\"plumb\", "
                  "charset=\"UTF-8\""
                : "Bearer realm=\"plumb\", Basic realm=\"plumb\", charset=\"UTF-8\""};
    if (status == 415) /* RFC 9110, 15.5.16 */
        answer.header[0] = (struct answer_header){"Accept-Encoding", "gzip"};
    if (status == 503)
        answer.header[0] = (struct answer_header){"Retry-After", "5"};
    if (status == 429)
        answer.header[0] = (struct answer_header){"Retry-After", "2"};
    return answer;
}

void answer_prepare_problem(struct request *request, unsigned status, const char *problem,
                            const char *detail)
{
    AUTO_BUF body = {.limit = PROBLEM_BYTES * 8};
    struct answer answer = problem_of(request, status, problem, detail, &body);
    answer_prepare(request, &answer);
}

void request_problem(struct request *request, unsigned status, const char *problem, const char *fmt,
                     ...)
{
    char detail[PROBLEM_BYTES];
    AUTO_BUF body = {.limit = PROBLEM_BYTES * 8};
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(detail, sizeof detail, fmt, args);
    va_end(args);
    struct answer answer = problem_of(request, status, problem, detail, &body);
    request_answer(request, &answer);
}

void request_failed(struct request *request, const struct err *err)
{
    static const struct {
        enum err_kind kind;
        unsigned status;
        const char *problem;
    } rows[] = {
        {ERR_USAGE, 400, "bad-request"},
        {ERR_SYNTAX, 400, "malformed"},
        {ERR_LIMIT, 507, "no-room"},
        {ERR_CONFLICT, 409, "conflict"},
        {ERR_REMOTE, 502, "upstream"},
        {ERR_UNAVAILABLE, 503, "unavailable"},
        {ERR_TIMEOUT, 503, "busy"},
        {ERR_CANCELLED, 503, "stopping"},
        {ERR_UNSUPPORTED, 400, "unsupported"},
    };
    char text[PROBLEM_BYTES];
    unsigned status = 500;
    const char *problem = "internal";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].kind == err->kind) {
            status = rows[i].status;
            problem = rows[i].problem;
        }
    request_problem(request, status, problem, "%s", err_text(err, text, sizeof text));
}
