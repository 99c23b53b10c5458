/* notify_email.c - alerts as mails, handed to a server by SMTP. */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/config.h"
#include "respond/mailing.h"
#include "respond/notify.h"
#include "wire/smtp.h"

/* --- configuration --- */

static bool check(const struct config_notify *config, const struct notify_target *target,
                  struct err *err)
{
    struct mailbox box;
    if (!config->url.len || !config->from.len || !config->nrecipients)
        return err_set(err, ERR_USAGE,
                       "email needs url (of a mail server, by reference), from and recipients");
    if (config->nrecipients > SMTP_RECIPIENTS_MAX)
        return err_set(err, ERR_USAGE, "email: more than %d recipients: a list does better",
                       SMTP_RECIPIENTS_MAX);
    if (!config->user.len != !config->password.len)
        return err_set(err, ERR_USAGE, "email: user and password come together");
    if (!mailbox_parse(config->from, &box, err))
        return err_wrap(err, "email: from");
    for (size_t i = 0; i < config->nrecipients; i++)
        if (!mailbox_parse(config->recipients[i], &box, err))
            return err_wrap(err, "email: recipients");
    return !target || str_starts(target->url, STR("smtp://")) ||
           str_starts(target->url, STR("smtps://")) ||
           err_set(err, ERR_USAGE,
                   "email: what url refers to is none of a mail server: smtp://HOST:587 or "
                   "smtps://HOST");
}

/* The way to it is this machine's own: whoever can listen there needs no cable. */
static bool is_here(struct str url)
{
    static const struct str hosts[] = {STR_INIT("localhost"), STR_INIT("127."), STR_INIT("[::1]")};
    size_t from = str_find(url, STR("://"), 0) + 3;
    struct str host = str_sub(url, from, url.len), rest = host, user;
    (void)str_cut(&rest, '/', &host);
    rest = host;
    if (str_cut(&rest, '@', &user))
        host = rest;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        char next = host.len > hosts[i].len ? host.ptr[hosts[i].len] : ':';
        if (str_starts(host, hosts[i]) && (next == ':' || (i == 1 && next >= '0' && next <= '9')))
            return true;
    }
    return false;
}

/* --- whom it still goes to: "ALERT a@b !c@d" is kept for those whom a server did not take it for;
 * those with a ! are refused, and asked again only where nobody else is left --- */

/* The words behind the alert; false: what is kept is of another. */
static bool kept_of(struct str kept, struct str alert, struct str *ret)
{
    struct str word;
    *ret = STR("");
    if (!str_cut(&kept, ' ', &word) || !str_equal(word, alert))
        return false;
    *ret = kept;
    return true;
}

static bool has_word(struct str words, struct str word)
{
    struct str one;
    while (words.len) {
        (void)str_cut(&words, ' ', &one);
        if (str_equal(one, word))
            return true;
    }
    return false;
}

static bool pending(struct str kept, struct str alert, struct str address)
{
    struct str words;
    return !kept_of(kept, alert, &words) || has_word(words, address);
}

static struct str refused_before(struct str *words)
{
    struct str one;
    while (words->len) {
        (void)str_cut(words, ' ', &one);
        if (str_starts(one, STR("!")))
            return str_sub(one, 1, one.len);
    }
    return STR("");
}

/* late: it goes on for some. Else all was said, and those who were refused are whom a person's
 * retry is for. */
static bool keep_pending(struct arena *arena, const struct alert *alert,
                         const struct smtp_mail *mail, const struct smtp_talk *talk,
                         struct str before, bool late, struct notify_answer *ret, struct err *err)
{
    AUTO_BUF kept = {.limit = 1 << 16};
    buf_str(&kept, alert->id);
    for (size_t i = 0; i < mail->nto; i++)
        if (talk->of[i] != SMTP_TAKEN)
            buf_printf(&kept, " %s%.*s", late && talk->of[i] == SMTP_NEVER ? "!" : "",
                       STR_ARG(mail->to[i]));
    for (struct str one; (one = refused_before(&before)).len;)
        buf_printf(&kept, " %s%.*s", late ? "!" : "", STR_ARG(one));
    ret->kept = arena_dup(arena, buf_view(&kept));
    return buf_ok(&kept, err) && (ret->kept.ptr || arena_full(arena, err));
}

/* "1 of 3 recipients: later@b: 451 greylisted; c@d: 550 no such user; e@f was refused before" */
static bool say(struct arena *arena, const struct smtp_mail *mail, const struct smtp_talk *talk,
                const struct config_notify *config, struct str before, struct notify_answer *ret,
                struct err *err)
{
    AUTO_BUF said = {.limit = 1 << 16};
    const char *separator = "";
    size_t n = 0;
    for (size_t i = 0; i < mail->nto; i++) {
        if (talk->of[i] == SMTP_TAKEN)
            continue;
        const char *reply = talk->reply && *talk->reply[i].text ? talk->reply[i].text : talk->said;
        buf_printf(&said, "%s%.*s: %s", separator, STR_ARG(mail->to[i]), reply);
        separator = "; ";
        n++;
    }
    for (struct str one; (one = refused_before(&before)).len; n++) {
        buf_printf(&said, "%s%.*s was refused before", separator, STR_ARG(one));
        separator = "; ";
    }
    if (!n)
        return true;
    ret->said = n == config->nrecipients && n == 1
                    ? arena_dup(arena, str_from(talk->said))
                    : arena_printf(arena, "not for %zu of %zu recipients: %.*s", n,
                                   config->nrecipients, STR_ARG(buf_view(&said)));
    return buf_ok(&said, err) && (ret->said.ptr || arena_full(arena, err));
}

static bool answer_of(struct arena *arena, const struct notify_target *target,
                      const struct alert *alert, const struct smtp_mail *mail,
                      const struct smtp_talk *talk, struct notify_answer *ret, struct err *err)
{
    size_t n[SMTP_NEVER + 1] = {0};
    struct str before;
    (void)kept_of(target->kept, alert->id, &before);
    for (size_t i = 0; i < mail->nto; i++)
        n[talk->of[i]]++;
    enum notify_result rest = n[SMTP_LATER] ? NOTIFY_LATER : NOTIFY_REFUSED;
    *ret = (struct notify_answer){.result = n[SMTP_TAKEN] ? NOTIFY_TAKEN : rest, .rest = rest};
    if (!say(arena, mail, talk, target->config, before, ret, err))
        return false;
    ret->partly = n[SMTP_TAKEN] && ret->said.len > 0;
    if (ret->partly || !n[SMTP_TAKEN])
        return keep_pending(arena, alert, mail, talk, before, n[SMTP_LATER] > 0, ret, err);
    if (target->kept.len)
        ret->kept = STR("");
    return true;
}

/* No answer of a server: what failed before is not of this mail, so it is tried again. */
static bool failed(struct arena *arena, const struct err *why, struct notify_answer *ret,
                   struct err *err)
{
    char text[ERR_TEXT_MAX];
    *ret = (struct notify_answer){.result = why->kind == ERR_USAGE ? NOTIFY_REFUSED : NOTIFY_LATER,
                                  .said =
                                      arena_dup(arena, str_from(err_text(why, text, sizeof text)))};
    return ret->said.ptr || arena_full(arena, err);
}

static bool send_mail(struct arena *arena, const struct notify_target *target,
                      const struct alert *alert, struct notify_answer *ret, struct err *err)
{
    const struct config_notify *config = target->config;
    struct err why = {0};
    size_t n = config->nrecipients;
    struct mailbox *to = arena_new(arena, struct mailbox, n);
    struct str *address = arena_new(arena, struct str, n);
    struct mailing mailing = {.to = to, .nto = n};
    struct smtp_mail mail = {.url = target->url,
                             .user = config->user,
                             .password = target->password,
                             .ca_pem = target->ca,
                             .to = address,
                             .plain_ok = config->allow_private || is_here(target->url),
                             .timeout_ms = target->timeout_ms};
    struct smtp_talk talk;
    if (!to || !address)
        return arena_full(arena, err);
    if (!check(config, target, &why) || !mailbox_parse(config->from, &mailing.from, &why))
        return failed(arena, &why, ret, err);
    for (size_t i = 0; i < n; i++) {
        (void)mailbox_parse(config->recipients[i], &to[i], NULL); /* check() has */
        if (pending(target->kept, alert->id, to[i].address))
            address[mail.nto++] = to[i].address;
    }
    *ret = (struct notify_answer){.result = NOTIFY_TAKEN};
    if (!mail.nto) /* those who are left are recipients no more */
        return true;
    mail.from = mailing.from.address;
    if (!mailing_write(arena, &mailing, alert, &mail.message, err))
        return false;
    return smtp_send(arena, &mail, &talk, &why)
               ? answer_of(arena, target, alert, &mail, &talk, ret, err)
               : failed(arena, &why, ret, err);
}

const struct notifier notify_email = {.name = "email",
                                      .summary =
                                          "mails with a text and an HTML part, by SMTP with TLS",
                                      .findings_most = 20,
                                      .check = check,
                                      .send = send_mail};
