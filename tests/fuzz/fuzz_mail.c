/* fuzz_mail.c - replies of a mail server, addresses, and alerts of any text as mails: only
 * printable lines that end in CRLF, three boundaries, no tag and no header of the text's own. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/err.h"
#include "respond/mailing.h"
#include "respond/notify.h"
#include "wire/smtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void talk(struct str text)
{
    enum smtp_fate of[3] = {SMTP_UNKNOWN};
    struct smtp_talk talk = {.nto = 3, .of = of};
    struct str line;
    while (text.len) {
        (void)str_cut(&text, '\n', &line);
        smtp_talk_sent(&talk, line);
        smtp_talk_got(&talk, line);
    }
    for (size_t i = 0; i < 3; i++)
        if (of[i] > SMTP_NEVER || (talk.step == SMTP_DONE && of[i] == SMTP_UNKNOWN))
            abort();
    if (str_from(talk.said).len > SMTP_SAID_MAX || talk.next > talk.nto)
        abort();
}

static size_t count(struct str text, struct str what)
{
    size_t n = 0;
    for (size_t at = 0; (at = str_find(text, what, at)) != SIZE_MAX; at++)
        n++;
    return n;
}

static void mail(struct str text)
{
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct mailbox box = {.address = STR("a@b")};
    struct alert_change change = {text, text, text};
    struct alert_finding f = {.fingerprint = text,
                              .stack = text,
                              .address = text,
                              .file = text,
                              .file_url = text,
                              .change = &change,
                              .nchanges = 1,
                              .actor = text,
                              .reason = text,
                              .rule = text,
                              .link = text,
                              .todo = &text,
                              .ntodo = 1};
    struct alert alert = {.id = text,
                          .thread = text,
                          .title = text,
                          .text = text,
                          .finding = &f,
                          .nfindings = 1,
                          .link = text};
    (void)mailbox_parse(text, &box, NULL);
    struct mailing mailing = {.from = box, .to = &box, .nto = 1};
    struct str got;
    if (!mailing_write(&arena, &mailing, &alert, &got, NULL))
        return;
    for (size_t i = 0; i < got.len; i++) {
        char c = got.ptr[i];
        if ((c < ' ' || c > '~') && c != '\r' && c != '\n')
            abort();
        if ((c == '\n') != (i > 0 && got.ptr[i - 1] == '\r'))
            abort();
    }
    struct str html =
        str_sub(got, str_find(got, STR("=_plumb\r\nContent-Type: text/html"), 0), got.len);
    struct str head = str_sub(got, 0, str_find(got, STR("\r\n\r\n"), 0));
    if (count(got, STR("\n--=_plumb")) != 3 || count(head, STR("\nMessage-ID: ")) != 1 ||
        count(head, STR("\nBcc")) || count(html, STR("<script")) || count(html, STR("<img")))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    if (size > 4096)
        return 0;
    talk(text);
    mail(text);
    return 0;
}
