/* mailing.c - an alert as a mail. */
#include "respond/mailing.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "report/parts.h"
#include "respond/notify.h"
#include "respond/wording.h"
#include "wire/mime.h"
#include "wire/smtp.h"

enum { TITLE_MAX = 200, ID_MAX = 200, FACT_MAX = 1000 };

bool mailbox_parse(struct str text, struct mailbox *ret, struct err *err)
{
    size_t open = str_find_char(text, '<', 0);
    struct mailbox box = {.address = str_trim(text)};
    if (open != SIZE_MAX && str_ends(box.address, STR(">"))) {
        struct str rest = str_trim(str_sub(text, open + 1, text.len));
        box.name = str_trim(str_sub(text, 0, open));
        box.address = str_sub(rest, 0, rest.len - 1);
        if (box.name.len > 1 && str_starts(box.name, STR("\"")) && str_ends(box.name, STR("\"")))
            box.name = str_sub(box.name, 1, box.name.len - 1);
    }
    for (size_t i = 0; i < box.name.len; i++)
        if ((unsigned char)box.name.ptr[i] < ' ')
            return err_set(err, ERR_USAGE, "a line break or control character in a mail address");
    for (size_t i = 0; i < box.address.len; i++)
        if ((unsigned char)box.address.ptr[i] >= 0x80)
            return err_set(
                err, ERR_USAGE,
                "'%.*s': an address is ASCII here; write the domain as xn--..., only the "
                "name beside it may be anything",
                STR_ARG(box.address));
    if (!smtp_address_ok(box.address))
        return err_set(err, ERR_USAGE,
                       "'%.*s' is no mail address: ops@example.org is, or Ops <ops@example.org>",
                       STR_ARG(text));
    *ret = box;
    return true;
}

/* --- headers --- */

static void put_box(struct buf *out, const struct mailbox *box, size_t column)
{
    if (box->name.len) {
        mime_phrase(out, box->name, column);
        buf_str(out, STR("\r\n "));
    }
    buf_printf(out, "<%.*s>", STR_ARG(box->address));
}

/* An id may come from anywhere: what a Message-ID cannot hold is left out of it. */
static void put_id(struct buf *out, struct str id)
{
    for (size_t i = 0; i < id.len && i < ID_MAX; i++) {
        char c = id.ptr[i];
        bool ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  c == '-' || c == '_';
        buf_char(out, ok ? c : '.');
    }
}

static void put_reference(struct buf *out, const char *name, const char *kind, struct str id,
                          struct str domain)
{
    buf_printf(out, "%s: <%s.", name, kind);
    put_id(out, id);
    buf_printf(out, "@%.*s>\r\n", STR_ARG(domain));
}

static void put_headers(struct arena *arena, struct buf *out, const struct mailing *m,
                        const struct alert *alert)
{
    struct str headline = wording_headline(arena, alert, TITLE_MAX);
    char date[MIME_DATE];
    size_t at = str_find_char(m->from.address, '@', 0);
    struct str domain = str_sub(m->from.address, at + 1, m->from.address.len);
    buf_printf(out, "Date: %s\r\nFrom: ", mime_date(alert->made_utc_ms, date));
    put_box(out, &m->from, 6);
    buf_str(out, STR("\r\nTo: "));
    for (size_t i = 0; i < m->nto; i++) {
        buf_str(out, i ? STR(",\r\n ") : STR(""));
        put_box(out, &m->to[i], 4);
    }
    buf_str(out, STR("\r\n"));
    mime_header(out, "Subject", headline);
    put_reference(out, "Message-ID", "alert", alert->id, domain);
    put_reference(out, "In-Reply-To", "thread", alert->thread, domain);
    put_reference(out, "References", "thread", alert->thread, domain);
    buf_printf(out, "List-Id: plumb alerts <plumb.%.*s>\r\n", STR_ARG(domain));
    buf_str(out, STR("Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"));
    if (alert->severity == SEVERITY_CRITICAL && alert->status != ALERT_RESOLVED)
        buf_str(out, STR("Importance: high\r\n"));
    buf_printf(out, "X-Plumb-Status: %s\r\nX-Plumb-Severity: %s\r\n",
               alert_status_name(alert->status), severity_name(alert->severity));
    if (alert->nfindings == 1) {
        buf_str(out, STR("X-Plumb-Fingerprint: "));
        put_id(out, alert->finding[0].fingerprint);
        buf_str(out, STR("\r\n"));
    }
}

/* --- the body: one walk for the text and the HTML part --- */

struct page {
    struct arena *arena;
    struct buf *out;
    bool html;
};

/* Text of an alert, harmless in either. */
static void put(const struct page *page, struct str text)
{
    if (page->html)
        junit_text(page->out, text, true);
    else
        text_safe(page->out, text);
}

/* Ours: `text` in a text part, `html` in the other. */
static void mark(const struct page *page, const char *text, const char *html)
{
    buf_str(page->out, str_from(page->html ? html : text));
}

static void put_link(const struct page *page, struct str url)
{
    bool web = wording_link(url).len > 0;
    if (page->html && web) {
        buf_str(page->out, STR("<a href=\""));
        put(page, url);
        buf_str(page->out, STR("\">"));
    }
    put(page, url);
    mark(page, "", web ? "</a>" : "");
}

static void put_fact(const struct page *page, const struct fact *fact)
{
    if (page->html)
        buf_printf(page->out, "<tr><th>%s</th><td>", fact->name);
    else
        buf_printf(page->out, "   %-12s ", fact->name);
    put(page, fact->text);
    if (fact->link.len) {
        buf_char(page->out, ' ');
        put_link(page, fact->link);
    }
    mark(page, "\n", "</td></tr>\n");
}

static void put_line(const struct page *page, const char *sign, struct str path, struct str value)
{
    mark(page, "   ", *sign == '-' ? "<span class=\"b\">" : "<span class=\"a\">");
    buf_printf(page->out, "%s ", sign);
    put(page, path);
    buf_str(page->out, value.len ? STR(": ") : STR(""));
    put(page, value);
    mark(page, "\n", "</span>\n");
}

static void put_changes(const struct page *page, const struct alert_finding *f)
{
    if (!f->nchanges)
        return;
    mark(page, "\n", "<pre>");
    for (size_t i = 0; i < f->nchanges; i++) {
        const struct alert_change *c = &f->change[i];
        if (c->before.len || !c->after.len)
            put_line(page, "-", c->path, c->before);
        if (c->after.len)
            put_line(page, "+", c->path, c->after);
    }
    if (f->more_changes)
        buf_printf(page->out, "%s... and %zu more\n", page->html ? "" : "   ", f->more_changes);
    mark(page, "", "</pre>\n");
}

static void put_todo(const struct page *page, const struct alert_finding *f)
{
    if (!f->ntodo)
        return;
    mark(page, "\n   What to do:\n", "<p>What to do:</p><pre>");
    for (size_t i = 0; i < f->ntodo; i++) {
        mark(page, "     ", "");
        put(page, f->todo[i]);
        buf_char(page->out, '\n');
    }
    mark(page, "", "</pre>\n");
}

static void put_finding(const struct page *page, const struct alert_finding *f, size_t number)
{
    struct fact fact[WORDING_FACTS];
    size_t n = wording_facts(page->arena, f, FACT_MAX, fact);
    buf_printf(page->out, page->html ? "<h2>%zu. " : "\n%zu. ", number);
    put(page, f->address.len ? f->address : f->stack);
    mark(page, "\n", "</h2>\n<table>\n");
    for (size_t i = 0; i < n; i++)
        put_fact(page, &fact[i]);
    mark(page, "", "</table>\n");
    put_changes(page, f);
    put_todo(page, f);
}

/* Nothing is loaded; both schemes of colour are the reader's own, with signs beside colours. */
static const char head[] =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\"><title>plumb</title>\n<style>\n"
    ":root{color-scheme:light dark}\n"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:48em;margin:1em auto;padding:0 1em}\n"
    "h1{font-size:1.25em}\n"
    "h2{font-size:1.05em;border-top:1px solid #888;padding-top:.8em}\n"
    "p{white-space:pre-line}\n"
    "h1,h2,td,pre{overflow-wrap:anywhere}\n"
    "th{text-align:left;vertical-align:top;padding-right:1em}\n"
    "pre{font:13px/1.45 monospace;border-left:3px solid #888;padding-left:.8em;"
    "white-space:pre-wrap}\n"
    ".b{color:#b3261e}.a{color:#1a7f37}\n"
    "@media(prefers-color-scheme:dark){.b{color:#ff8a80}.a{color:#7ee787}}\n"
    "</style></head><body>\n";

static void put_body(const struct page *page, const struct alert *alert)
{
    char made[CLOCK_TEXT];
    mark(page, "", head);
    mark(page, "", "<h1>");
    put(page, alert->title);
    mark(page, "\n\n", "</h1>\n<p>");
    buf_printf(page->out, "%s (%s), severity %s, %s", alert_status_name(alert->status),
               alert_status_meaning(alert->status), severity_name(alert->severity),
               clock_format(alert->made_utc_ms, made));
    mark(page, "\n", "</p>\n");
    if (alert->text.len) {
        mark(page, "\n", "<p>");
        if (page->html)
            junit_text(page->out, alert->text, false);
        else
            text_safe_lines(page->out, alert->text, 0);
        mark(page, "\n", "</p>\n");
    }
    for (size_t i = 0; i < alert->nfindings; i++)
        put_finding(page, &alert->finding[i], i + 1);
    if (alert->more) {
        mark(page, "\n", "<p>");
        buf_printf(page->out, "and %zu more", alert->more);
        mark(page, "\n", "</p>\n");
    }
    if (alert->link.len) {
        mark(page, "\nAll of it: ", "<p>All of it: ");
        put_link(page, alert->link);
        mark(page, "\n", "</p>\n");
    }
    mark(page, "\n-- \nplumb " PLUMB_VERSION ", alert ",
         "<p><small>plumb " PLUMB_VERSION ", alert ");
    put(page, alert->id);
    mark(page, "\n", "</small></p>\n</body></html>\n");
}

static void put_part(struct arena *arena, struct buf *out, const struct alert *alert, bool html)
{
    AUTO_BUF body = {.limit = MAILING_MAX};
    const struct page page = {arena, &body, html};
    put_body(&page, alert);
    buf_printf(out,
               "\r\n--=_plumb\r\nContent-Type: text/%s; charset=utf-8\r\n"
               "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
               html ? "html" : "plain");
    mime_quoted(out, buf_view(&body));
    out->failed = out->failed || body.failed;
}

bool mailing_write(struct arena *arena, const struct mailing *mailing, const struct alert *alert,
                   struct str *ret, struct err *err)
{
    AUTO_BUF out = {.limit = MAILING_MAX};
    put_headers(arena, &out, mailing, alert);
    /* "=_" is never in quoted-printable, so the boundary is never in a part */
    buf_str(&out, STR("MIME-Version: 1.0\r\n"
                      "Content-Type: multipart/alternative; boundary=\"=_plumb\"\r\n"));
    put_part(arena, &out, alert, false);
    put_part(arena, &out, alert, true);
    buf_str(&out, STR("\r\n--=_plumb--\r\n"));
    if (!buf_ok(&out, err))
        return false;
    struct str message = arena_dup(arena, buf_view(&out));
    if (!message.ptr)
        return arena_full(arena, err);
    *ret = message;
    return true;
}
