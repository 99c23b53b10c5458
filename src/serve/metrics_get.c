/* metrics_get.c - GET /metrics: the figures, in the format that the reader accepts. */
#include "base/buf.h"
#include "base/err.h"
#include "serve/metrics.h"
#include "serve/metrics_parts.h"
#include "serve/server.h"

enum { TEXT_BYTES_MAX = 64 << 20, FRESH_MS = 5000 };

static void collect(void *ctx)
{
    metrics_of_process(ctx);
    metrics_of_store(ctx);
}

void metrics_get(void *service, struct request *request)
{
    struct server *server = service;
    struct buf text = {.limit = TEXT_BYTES_MAX};
    struct err err = {0};
    bool openmetrics = metrics_wants_openmetrics(request_header(request, "accept"));
    metrics_scrape(server_metrics(server), openmetrics, FRESH_MS, collect, server, &text);
    if (!buf_ok(&text, &err)) {
        buf_free(&text);
        request_failed(request, &err);
        return;
    }
    struct answer answer = {.status = 200,
                            .type = metrics_media_type(openmetrics),
                            .body = buf_view(&text),
                            .take_body = text.ptr,
                            .header = {{"Vary", "Accept"}}};
    request_answer(request, &answer);
}
