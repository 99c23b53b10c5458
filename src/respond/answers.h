/* answers.h - what receivers say, read apart from asking them: bytes of somebody else.
 *
 * http, ret  what came, and what receiver_judge made of it; ret is changed where the receiver means
 *            something else. False only where memory ends
 */
#pragma once
#include "respond/receiver.h"

struct answered {
    struct arena *arena;
    const struct notify_target *target;
    struct str url;
    const struct http_answer *http;
};

/* By the status alone. */
bool receiver_judge(const struct answered *a, struct notify_answer *ret, struct err *err);
/* "ok", or a word such as no_service. */
bool slack_webhook_judge(const struct answered *a, struct notify_answer *ret, struct err *err);
/* The Web API's JSON: error is empty where it took it, or where this is no answer of Slack. */
struct slack_said {
    struct str channel, ts, error;
};
bool slack_api_judge(const struct answered *a, struct slack_said *ret_said,
                     struct notify_answer *ret, struct err *err);
bool teams_judge(const struct answered *a, struct notify_answer *ret, struct err *err);
