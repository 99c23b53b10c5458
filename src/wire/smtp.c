/* smtp.c - a mail by libcurl; its replies are read from what libcurl tells of the talk. */
#include "wire/smtp.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "wire/curl.h"
#include "wire/http.h"

enum {
    DEFAULT_TIMEOUT_MS = 30000,
    ADDRESS_MAX = 254, /* RFC 5321, 4.5.3.1.3 with erratum 1690 */
    LOCAL_MAX = 64,
    USE_SSL_TRY = 1,
    USE_SSL_ALL = 3,
    TOLD_GOT = 1, /* enum curl_infotype: CURLINFO_HEADER_IN, _OUT */
    TOLD_SENT = 2,
};
static const long protocols = (1L << 16) | (1L << 17); /* CURLPROTO_SMTP, _SMTPS */

bool smtp_address_ok(struct str address)
{
    size_t at = str_find_char(address, '@', 0);
    if (at == SIZE_MAX || at == 0 || at > LOCAL_MAX || at + 1 == address.len ||
        address.len > ADDRESS_MAX || str_find_char(address, '@', at + 1) != SIZE_MAX)
        return false;
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.ptr[i];
        if (c <= ' ' || c > '~' || strchr("<>()[]\\,:;\"", c))
            return false;
    }
    return true;
}

/* --- the talk --- */

void smtp_talk_sent(struct smtp_talk *talk, struct str line)
{
    static const struct {
        struct str command;
        enum smtp_step step;
    } steps[] = {
        {STR_INIT("MAIL FROM:"), SMTP_MAIL},
        {STR_INIT("RCPT TO:"), SMTP_RCPT},
        {STR_INIT("DATA"), SMTP_DATA},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps && talk->step != SMTP_DONE; i++)
        if (str_starts(line, steps[i].command)) {
            talk->step = steps[i].step;
            if (talk->step == SMTP_MAIL) /* a refused EHLO is the past */
                talk->said[talk->code = 0] = '\0';
        }
}

static void put_plain(char *ret, size_t most, struct str line)
{
    size_t n = 0;
    for (; n < line.len && n < most; n++)
        ret[n] = line.ptr[n] >= ' ' && line.ptr[n] <= '~' ? line.ptr[n] : '?';
    ret[n] = '\0';
}

static void keep(struct smtp_talk *talk, int code, struct str line)
{
    talk->code = code;
    put_plain(talk->said, SMTP_SAID_MAX, line);
}

/* What is said of the mail is said of all whom it was to go to. */
static void decide(struct smtp_talk *talk, enum smtp_fate fate)
{
    for (size_t i = 0; i < talk->nto; i++)
        if (talk->of[i] == SMTP_UNKNOWN || talk->of[i] == SMTP_TAKEN)
            talk->of[i] = fate;
    talk->step = SMTP_DONE;
}

void smtp_talk_got(struct smtp_talk *talk, struct str line)
{
    int64_t code;
    if (line.len < 3 || !str_to_int64(str_sub(line, 0, 3), &code) || code < 200 || code > 599 ||
        (line.len > 3 && line.ptr[3] != ' ') || talk->step == SMTP_DONE)
        return; /* no reply, or not the last line of one */
    enum smtp_fate fate = code < 400 ? SMTP_TAKEN : code < 500 ? SMTP_LATER : SMTP_NEVER;
    if (code >= 400 && code >= talk->code)
        keep(talk, (int)code, line);
    switch (talk->step) {
    case SMTP_RCPT:
        if (talk->next < talk->nto) {
            if (fate != SMTP_TAKEN && talk->reply)
                put_plain(talk->reply[talk->next].text, SMTP_REPLY_MAX, line);
            talk->of[talk->next++] = fate;
        }
        break;
    case SMTP_MAIL:
        if (fate != SMTP_TAKEN)
            decide(talk, fate);
        break;
    case SMTP_DATA:
        if (code == 354)
            talk->step = SMTP_BODY;
        else
            decide(talk, fate == SMTP_TAKEN ? SMTP_LATER : fate);
        break;
    case SMTP_BODY:
        decide(talk, fate);
        break;
    case SMTP_GREETING:
    case SMTP_DONE:
        break;
    }
}

static int on_talk(void *easy, int kind, const char *bytes, size_t n, void *ctx)
{
    struct str rest = {bytes, n}, line;
    (void)easy;
    while ((kind == TOLD_GOT || kind == TOLD_SENT) && rest.len) {
        (void)str_cut(&rest, '\n', &line);
        if (str_ends(line, STR("\r")))
            line.len--;
        if (kind == TOLD_GOT)
            smtp_talk_got(ctx, line);
        else
            smtp_talk_sent(ctx, line);
    }
    return 0;
}

/* --- sending --- */

static size_t on_want(char *room, size_t size, size_t n, void *ctx)
{
    struct str *left = ctx;
    n = size * n < left->len ? size * n : left->len;
    memcpy(room, left->ptr, n);
    *left = str_sub(*left, n, left->len);
    return n;
}

static size_t on_bytes(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes;
    (void)ctx;
    return size * n;
}

static struct str bracketed(struct arena *arena, struct str address)
{
    return arena_printf(arena, "<%.*s>", STR_ARG(address));
}

static bool link_recipients(struct arena *arena, const struct smtp_mail *mail,
                            struct curl_list *list, struct err *err)
{
    for (size_t i = 0; i < mail->nto; i++) {
        list[i].text = bracketed(arena, mail->to[i]).ptr;
        list[i].next = i + 1 < mail->nto ? &list[i + 1] : NULL;
        if (!list[i].text)
            return arena_full(arena, err);
    }
    return true;
}

static void set_options(const struct curl *curl, void *easy, const struct smtp_mail *mail)
{
    int timeout_ms = mail->timeout_ms ? mail->timeout_ms : DEFAULT_TIMEOUT_MS;
    bool lax = mail->plain_ok && !mail->ca_pem.len && !str_starts(mail->url, STR("smtps://"));
    const struct {
        enum curl_option option;
        long value;
    } longs[] = {
        {OPT_PROTOCOLS, protocols},
        {OPT_NOSIGNAL, 1},
        {OPT_TIMEOUT_MS, timeout_ms},
        {OPT_CONNECTTIMEOUT_MS, timeout_ms},
        {OPT_USE_SSL, lax ? USE_SSL_TRY : USE_SSL_ALL},
        {OPT_SSL_VERIFYPEER, !lax},
        {OPT_SSL_VERIFYHOST, lax ? 0 : 2},
        {OPT_UPLOAD, 1},
        {OPT_MAIL_RCPT_ALLOWFAILS, 1},
        {OPT_VERBOSE, 1}, /* told to on_talk */
    };
    for (size_t i = 0; i < sizeof longs / sizeof *longs; i++)
        (void)curl->setopt(easy, (int)longs[i].option, longs[i].value);
    (void)curl->setopt(easy, OPT_DEBUGFUNCTION, on_talk);
    (void)curl->setopt(easy, OPT_READFUNCTION, on_want);
    (void)curl->setopt(easy, OPT_WRITEFUNCTION, on_bytes);
    curl_set_blob(curl, easy, OPT_CAINFO_BLOB, mail->ca_pem);
}

/* Text of the mail's own that libcurl takes with a NUL behind it. */
static bool set_text(const struct curl *curl, void *easy, struct arena *arena,
                     enum curl_option option, struct str text, struct err *err)
{
    if (!text.len)
        return true;
    struct str copy = arena_dup(arena, text);
    if (!copy.ptr)
        return arena_full(arena, err);
    (void)curl->setopt(easy, (int)option, copy.ptr);
    return true;
}

static bool perform(const struct curl *curl, void *easy, struct arena *arena,
                    const struct smtp_mail *mail, struct smtp_talk *talk, struct err *err)
{
    char trouble[CURL_ERROR_SIZE] = "";
    struct str left = mail->message, label = http_label(arena, mail->url);
    struct curl_list *list = arena_new(arena, struct curl_list, mail->nto);
    struct str from = bracketed(arena, mail->from);
    if (!list || !from.ptr || !label.ptr)
        return arena_full(arena, err);
    set_options(curl, easy, mail);
    if (!link_recipients(arena, mail, list, err) ||
        !set_text(curl, easy, arena, OPT_URL, mail->url, err) ||
        !set_text(curl, easy, arena, OPT_MAIL_FROM, from, err) ||
        !set_text(curl, easy, arena, OPT_USERNAME, mail->user, err) ||
        !set_text(curl, easy, arena, OPT_PASSWORD, mail->password, err))
        return false;
    (void)curl->setopt(easy, OPT_MAIL_RCPT, list);
    (void)curl->setopt(easy, OPT_ERRORBUFFER, trouble);
    (void)curl->setopt(easy, OPT_READDATA, &left);
    (void)curl->setopt(easy, OPT_DEBUGDATA, talk);
    int code = curl->perform(easy);
    bool none = talk->next == talk->nto; /* all refused: libcurl sends no DATA then */
    for (size_t i = 0; i < talk->nto; i++)
        none = none && talk->of[i] != SMTP_TAKEN;
    if (talk->step == SMTP_DONE || none)
        return true;
    const char *why = talk->code ? talk->said : *trouble ? trouble : curl->strerror(code);
    return err_set(err,
                   code == CURL_TIMED_OUT ? ERR_TIMEOUT
                   : talk->code           ? ERR_REMOTE
                                          : ERR_UNAVAILABLE,
                   "%.*s: %s", STR_ARG(label), why);
}

static bool check(const struct smtp_mail *mail, struct err *err)
{
    if (!str_starts(mail->url, STR("smtp://")) && !str_starts(mail->url, STR("smtps://")))
        return err_set(err, ERR_USAGE,
                       "the url is none of a mail server: smtp://HOST:587 or "
                       "smtps://HOST");
    for (size_t i = 0; i < mail->url.len; i++)
        if ((unsigned char)mail->url.ptr[i] <= ' ' || (unsigned char)mail->url.ptr[i] > '~')
            return err_set(err, ERR_USAGE, "the url has a blank or a control character in it");
    if (!mail->nto || mail->nto > SMTP_RECIPIENTS_MAX)
        return err_set(err, ERR_USAGE, "a mail goes to 1 to %d recipients, not %zu",
                       SMTP_RECIPIENTS_MAX, mail->nto);
    for (size_t i = 0; i <= mail->nto; i++) {
        struct str address = i ? mail->to[i - 1] : mail->from;
        if (!smtp_address_ok(address))
            return err_set(err, ERR_USAGE, "'%.*s' is no mail address", STR_ARG(address));
    }
    return true;
}

bool smtp_send(struct arena *arena, const struct smtp_mail *mail, struct smtp_talk *ret,
               struct err *err)
{
    struct curl curl = {0};
    struct smtp_talk talk = {.nto = mail->nto};
    if (!check(mail, err) || !curl_load(&curl, err))
        return false;
    talk.of = arena_new(arena, enum smtp_fate, mail->nto);
    talk.reply = arena_new(arena, struct smtp_reply, mail->nto);
    if (!talk.of || !talk.reply)
        return arena_full(arena, err);
    void *easy = curl.init();
    if (!easy)
        return err_set(err, ERR_LIMIT, "out of memory");
    bool ok = perform(&curl, easy, arena, mail, &talk, err);
    curl.cleanup(easy);
    if (ok)
        *ret = talk;
    return ok;
}
