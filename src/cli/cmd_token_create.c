/* cmd_token_create.c - `plumb token create`: a token for the service, shown once. */
#include <assert.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "cli/store_setup.h"
#include "cli/who.h"
#include "record/audit.h"
#include "record/tokens.h"
#include "serve/certificate.h"

enum { NAME, ROLE, STACK, EXPIRES, CERTIFICATE, CONFIG, STORE, OPTION_COUNT };
static const struct option options[] = {
    [NAME] = {.name = "name",
              .kind = OPTION_STRING,
              .arg = "NAME",
              .text = "whom it is for, such as 'ci prod'; stands in the audit log"},
    [ROLE] = {.name = "role",
              .kind = OPTION_STRING,
              .arg = "ROLE",
              .choices = (const char *const[]){"events", "read", "plan", "apply", "admin", NULL},
              .text = "what it may: events (send those of a cloud's log, nothing else), or read, "
                      "plan, apply or admin, each with what those before it may; read without it"},
    [STACK] = {.name = "stack",
               .kind = OPTION_STRING,
               .arg = "GLOB",
               .text = "only stacks whose name fits, such as 'prod/*'; without it all"},
    [EXPIRES] = {.name = "expires",
                 .kind = OPTION_DURATION,
                 .arg = "TIME",
                 .least = 1000,
                 .text = "how long it counts, such as 90d; without it until it is revoked"},
    [CERTIFICATE] = {.name = "certificate",
                     .kind = OPTION_STRING,
                     .arg = "FILE",
                     .text =
                         "there is no secret to be told: who shows this certificate (PEM) and "
                         "has its key is known by it; only as long as the certificate is valid"},
    [CONFIG] = ROW_CONFIG,
    [STORE] = ROW_STORE,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

enum { NAME_MAX_BYTES = 200, CERTIFICATE_BYTES_MAX = 1 << 20 };

static bool check_name(struct str name, struct err *err)
{
    bool ok = name.len > 0 && name.len <= NAME_MAX_BYTES;
    for (size_t i = 0; ok && i < name.len; i++)
        ok = (unsigned char)name.ptr[i] >= ' ' && name.ptr[i] != 0x7f;
    return ok || err_set(err, ERR_USAGE,
                         "--name: whom is the token for? 1 to %d bytes without control characters",
                         NAME_MAX_BYTES);
}

/* Of the client's certificate, in place of a text. */
static bool read_certificate(struct arena *arena, struct str file, struct token *token,
                             struct err *err)
{
    struct certificate certificate;
    struct str path = arena_dup(arena, file), pem;
    int64_t until = 0, now = token->created_utc_ms;
    if (!path.ptr)
        return arena_full(arena, err);
    if (!io_read_file(arena, path.ptr, CERTIFICATE_BYTES_MAX, &pem, err) ||
        !certificate_read(arena, pem, &certificate, err))
        return err_wrap(err, "--certificate %s", path.ptr);
    until = certificate.until_utc_ms;
    if (until <= now)
        return err_set(err, ERR_USAGE, "--certificate %s: it has expired", path.ptr);
    char *hex = arena_new(arena, char, DIGEST_HEX + 1);
    if (!hex)
        return arena_full(arena, err);
    digest_hex(&certificate.digest, hex); /* of a certificate it is no secret */
    token->certificate = str_from(hex);
    token->hash = certificate.digest;
    if (!token->expires_utc_ms || token->expires_utc_ms > until)
        token->expires_utc_ms = until;
    return true;
}

static bool tell(struct record *record, const struct actor *by, const struct token *token,
                 struct err *err)
{
    struct arena *arena = record->arena;
    struct event event = {
        .type = EVENT_CONFIG,
        .actor = {.name = by->name, .how = by->how},
        .subject = arena_printf(arena, "token %lld", (long long)token->id),
        .outcome = STR("created"),
        .reason = arena_printf(
            arena, "role %s for %.*s%s%.*s%s%.*s", role_name(token->role), STR_ARG(token->name),
            token->stacks.len ? ", stacks " : "", STR_ARG(token->stacks),
            token->certificate.len ? ", certificate " : "", STR_ARG(token->certificate))};
    return audit_write(record, &event, NULL, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct store_choice choice = {0};
    struct record record = {0};
    struct actor by = {0};
    struct str text = {0};
    int64_t now = app->now_ms(app->clock);
    struct token token = {.name = in->value[NAME].text,
                          .stacks = in->value[STACK].text,
                          .role = ROLE_READ,
                          .created_utc_ms = now};
    if (in->value[ROLE].set)
        (void)role_from(in->value[ROLE].text, &token.role);
    if (in->value[EXPIRES].set)
        token.expires_utc_ms = now + in->value[EXPIRES].number;
    bool certificate = in->value[CERTIFICATE].set;
    if (!check_name(token.name, err) || !who_am_i(app, &arena, &by, err) ||
        (certificate && !read_certificate(&arena, in->value[CERTIFICATE].text, &token, err)) ||
        !store_find(&arena, app, &in->value[CONFIG], &in->value[STORE], &choice, err) ||
        !store_open(&arena, app, &choice, STORE_WRITE, &record, err))
        return false;
    token.created_by = by.name;
    bool ok = (certificate ? token_create_known(record.db, &token, err)
                           : token_create(&arena, record.db, &token, &text, err)) &&
              tell(&record, &by, &token, err);
    store_close(app, &record);
    if (!ok)
        return false;
    *ret_exit = 0;
    if (certificate) {
        (void)fprintf(app->err,
                      "plumb: token %lld for %.*s, role %s: the certificate is it, nothing else\n",
                      (long long)token.id, STR_ARG(token.name), role_name(token.role));
        return true;
    }
    (void)fprintf(app->out, "%.*s\n", STR_ARG(text));
    (void)fprintf(app->err,
                  "plumb: token %lld for %.*s, role %s: it is shown this once and kept as a "
                  "digest only\n",
                  (long long)token.id, STR_ARG(token.name), role_name(token.role));
    return true;
}

const struct command cmd_token_create = {
    .name = "token create",
    .usage = "plumb token create --name NAME [options]",
    .summary = "make a token for plumb serve",
    .help = "Prints the token on standard output, once: the store keeps its SHA-256 only. A "
            "running service knows it within a second. With --certificate nothing is printed: a "
            "client that shows that certificate needs no token.",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
