/* serve_tls.c - the files of serve.tls. */
#include "cli/serve_tls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "model/config.h"
#include "serve/certificate.h"
#include "serve/listener.h"
#include "serve/log.h"

enum { PEM_BYTES_MAX = 1 << 20, HOST_BYTES = 256, SOON_DAYS = 30, DAY_MS = 24 * 3600 * 1000 };
#define DEFAULT_CERT "plumb-tls.pem"
#define DEFAULT_KEY "plumb-tls.key"

static struct str cert_file(const struct config_serve *serve)
{
    return serve->tls_cert.len || !serve->tls_self_signed ? serve->tls_cert : STR(DEFAULT_CERT);
}

static struct str key_file(const struct config_serve *serve)
{
    return serve->tls_key.len || !serve->tls_self_signed ? serve->tls_key : STR(DEFAULT_KEY);
}

/* --- what it is for --- */

struct names {
    struct str item[CERTIFICATE_NAMES_MAX];
    size_t n;
};

static void add_name(struct names *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_equal(names->item[i], name))
            return;
    if (name.len && names->n < CERTIFICATE_NAMES_MAX)
        names->item[names->n++] = name;
}

/* Of "https://host:port/path" or "[::1]:7430", without what may stand around it. */
static struct str host_of(struct str text)
{
    size_t scheme = str_find(text, STR("://"), 0);
    text = scheme == SIZE_MAX ? text : str_sub(text, scheme + 3, text.len);
    text = str_sub(text, 0, str_find_char(text, '/', 0));
    if (str_starts(text, STR("[")))
        return str_sub(text, 1, str_find_char(text, ']', 0));
    return str_sub(text, 0, str_find_char(text, ':', 0));
}

/* Any address, which is no name. */
static bool is_any(struct str host)
{
    return str_equal(host, STR("0.0.0.0")) || str_equal(host, STR("::"));
}

static bool make(struct arena *arena, const struct config_serve *serve,
                 const struct listener_options *options, struct str *ret_cert, struct str *ret_key,
                 struct err *err)
{
    char own[HOST_BYTES] = "";
    struct names names = {.n = 0};
    struct str listened = host_of(options->address);
    if (gethostname(own, sizeof own - 1) < 0)
        own[0] = '\0';
    for (size_t i = 0; i < serve->ntls_names; i++)
        add_name(&names, serve->tls_names[i]);
    add_name(&names, STR("localhost"));
    add_name(&names, STR("127.0.0.1"));
    add_name(&names, STR("::1"));
    add_name(&names, is_any(listened) ? STR("") : listened);
    add_name(&names, host_of(serve->url));
    add_name(&names, str_from(own));
    return certificate_make(arena, names.item, names.n, options->now_ms(options->clock), ret_cert,
                            ret_key, err) ||
           err_wrap(err, "serve.tls");
}

/* --- files --- */

/* Whoever makes them holds the folder's lock. */
static bool lock_folder(struct arena *arena, struct str path, int *ret, struct err *err)
{
    size_t slash = path.len;
    while (slash > 0 && path.ptr[slash - 1] != '/')
        slash--;
    struct str folder = arena_dup(arena, slash ? str_sub(path, 0, slash) : STR("."));
    if (!folder.ptr)
        return arena_full(arena, err);
    *ret = open(folder.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret < 0 || flock(*ret, LOCK_EX) < 0)
        return err_set(err, ERR_IO, "%s: %s", folder.ptr, strerror(errno));
    return true;
}

static bool write_both(struct arena *arena, const struct config_serve *serve, const char *cert_path,
                       const char *key_path, const struct log *log,
                       const struct listener_options *options, struct err *err)
{
    struct str cert, key;
    if (io_exists(cert_path) || io_exists(key_path))
        return true; /* somebody was faster, or one of both is missing: reading them tells */
    if (!make(arena, serve, options, &cert, &key, err) ||
        !io_write_file_atomic(key_path, key, 0600, err) ||
        !io_write_file_atomic(cert_path, cert, 0644, err))
        return false;
    LOG(log, LOG_INFO, "serve", "made a certificate", LOG_TEXT("cert", str_from(cert_path)),
        LOG_TEXT("key", str_from(key_path)));
    return true;
}

static bool ensure(struct arena *arena, const struct config_serve *serve, const char *cert_path,
                   const char *key_path, const struct log *log,
                   const struct listener_options *options, struct err *err)
{
    AUTO_FD folder = -1;
    if (!serve->tls_self_signed || io_exists(cert_path) || io_exists(key_path))
        return true;
    return lock_folder(arena, str_from(key_path), &folder, err) &&
           write_both(arena, serve, cert_path, key_path, log, options, err);
}

static bool read_pem(struct arena *arena, const char *path, const char *key, struct str *ret,
                     struct err *err)
{
    return io_read_file(arena, path, PEM_BYTES_MAX, ret, err) || err_wrap(err, "serve.tls.%s", key);
}

bool serve_tls_read(struct arena *arena, const struct config *config, bool look,
                    const struct log *log, struct listener_options *options, struct err *err)
{
    const struct config_serve *serve = &config->serve;
    struct str cert = cert_file(serve), key = key_file(serve);
    if (!cert.len && !key.len)
        return true;
    if (!cert.len || !key.len)
        return err_set(err, ERR_USAGE, "serve.tls needs both cert and key");
    cert = io_join(arena, config->root, cert);
    key = io_join(arena, config->root, key);
    if (!cert.ptr || !key.ptr)
        return arena_full(arena, err);
    if (look && serve->tls_self_signed && !io_exists(cert.ptr) && !io_exists(key.ptr))
        return make(arena, serve, options, &options->tls_cert, &options->tls_key, err);
    return ensure(arena, serve, cert.ptr, key.ptr, log, options, err) &&
           read_pem(arena, cert.ptr, "cert", &options->tls_cert, err) &&
           read_pem(arena, key.ptr, "key", &options->tls_key, err);
}

void serve_tls_tell(const struct listener_options *options, const struct log *log)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct certificate certificate;
    char hex[DIGEST_HEX + 1], until[CLOCK_TEXT];
    if (!options->tls_cert.len || !certificate_read(&arena, options->tls_cert, &certificate, NULL))
        return;
    digest_hex(&certificate.digest, hex);
    bool soon =
        certificate.until_utc_ms - options->now_ms(options->clock) < (int64_t)SOON_DAYS * DAY_MS;
    LOG(log, soon ? LOG_WARN : LOG_INFO, "serve", soon ? "certificate ends soon" : "certificate",
        LOG_TEXT("sha256", str_from(hex)),
        LOG_TEXT("until", str_from(clock_format(certificate.until_utc_ms, until))));
}
