/* fuzz_answers.c - any bytes as a receiver's answer, and as the text of an alert: what is told of
 * it is one short line without a secret, and what is sent stays within its bounds.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"
#include "model/config.h"
#include "respond/answers.h"
#include "respond/forge.h"
#include "respond/issue.h"
#include "respond/test_alert.h"
#include "respond/webhook_sign.h"
#include "respond/wording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SECRET "T0S3CRET"

static void check_line(struct str s, size_t most)
{
    if (s.len > most || utf8_bad_at(s) != SIZE_MAX)
        abort();
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
            abort();
}

static void check_answer(const struct notify_answer *answer)
{
    check_line(answer->said, RECEIVER_SAID_MAX);
    if (str_find(answer->said, STR(SECRET), 0) != SIZE_MAX ||
        (answer->result != NOTIFY_TAKEN && !answer->said.len))
        abort();
}

static void read_answer(struct arena *arena, const struct http_answer *http)
{
    static const struct config_notify config = {.to = STR_INIT("slack")};
    const struct notify_target target = {
        .config = &config, .url = STR("https://h/s/" SECRET), .key = STR("xoxb-" SECRET)};
    const struct answered a = {arena, &target, target.url, http};
    struct notify_answer answer[4];
    struct slack_said said;
    struct err err = {0};
    for (size_t i = 0; i < 4; i++)
        if (!receiver_judge(&a, &answer[i], &err))
            return;
    if (!slack_webhook_judge(&a, &answer[1], &err) || !teams_judge(&a, &answer[2], &err) ||
        !slack_api_judge(&a, &said, &answer[3], &err))
        return;
    for (size_t i = 0; i < 4; i++)
        check_answer(&answer[i]);
    if (http->status == 200 && answer[3].result == NOTIFY_TAKEN &&
        (said.error.len || !said.channel.len || str_find_char(said.ts, ' ', 0) != SIZE_MAX))
        abort();
    (void)forge_refused(arena, "x", http, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 202, 400, 403, 404, 410, 429, 500, 302, 0};
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    struct str text = {size ? (const char *)data + 1 : "", size ? size - 1 : 0}, out;
    struct test_alert t;
    const struct http_answer http = {
        .status = statuses[(size ? data[0] : 0) % (sizeof statuses / sizeof *statuses)],
        .body = text};
    read_answer(&arena, &http);
    for (size_t most = 3; most < 200; most *= 4)
        check_line(wording_line(&arena, text, most), most);
    test_alert_fill(&t, ALERT_CHANGED, 1);
    t.alert.title = t.alert.text = t.finding[0].address = t.finding[0].reason = text;
    t.change[0] = (struct alert_change){text, text, text};
    t.finding[0].file_url = t.todo[0] = text;
    if (issue_text(&arena, &t.alert, &out, &err) &&
        (out.len > 64000 || utf8_bad_at(out) != SIZE_MAX))
        abort();
    if (webhook_check_keys(&arena, text, &err) !=
        webhook_sign(&arena, text, STR("id"), 1, STR("{}"), &out, &err))
        abort();
    return 0;
}
