/* reader_file.c - local_file and local_sensitive_file of hashicorp/local, read without a provider.
 *
 * Reads:   content (streamed), its digests, the mode of the file and of its directory; symbolic
 *          links are followed, as the provider does
 * Says:    gone only for "no such file"; all other trouble is unreadable, with the system's words
 * Limits:  content of more than CONTENT_MAX bytes is compared by its digest only
 * Source:  hashicorp/terraform-provider-local v2, internal/provider/resource_local_file.go;
 *          docs/file-reader.md tells where plumb says more than the provider
 */
#include "base/openssl.h"
#include "live/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/io.h"
#include "base/utf8.h"
#include "model/stack.h"
#include "value/type.h"
#include "wire/json.h"

enum {
    CONTENT_MAX = 16 << 20,
    CHUNK = 1 << 16,
    ARENA_BASE = 8 << 20,
    READS_MAX = 3, /* of a file that changes while it is read */
    PROGRESS_EVERY = 100
};

/* --- what the types have --- */

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512, DIGEST_COUNT };

enum attribute_kind {
    ATTR_CONTENT, /* text, as it is in the file */
    ATTR_CONTENT_BASE64,
    ATTR_DIGEST_HEX,
    ATTR_DIGEST_BASE64,
    ATTR_FILE_MODE,
    ATTR_DIR_MODE,
    ATTR_FILENAME, /* where it is: seen by opening it */
    ATTR_SOURCE    /* where the content came from at the apply: not to be seen */
};

/* X(name, kind, digest, the code can set it, secret in itself), sorted by name. */
#define ATTRIBUTES(X) \
    X("content", ATTR_CONTENT, DIGEST_COUNT, true, false) \
    X("content_base64", ATTR_CONTENT_BASE64, DIGEST_COUNT, true, false) \
    X("content_base64sha256", ATTR_DIGEST_BASE64, DIGEST_SHA256, false, false) \
    X("content_base64sha512", ATTR_DIGEST_BASE64, DIGEST_SHA512, false, false) \
    X("content_md5", ATTR_DIGEST_HEX, DIGEST_MD5, false, false) \
    X("content_sha1", ATTR_DIGEST_HEX, DIGEST_SHA1, false, false) \
    X("content_sha256", ATTR_DIGEST_HEX, DIGEST_SHA256, false, false) \
    X("content_sha512", ATTR_DIGEST_HEX, DIGEST_SHA512, false, false) \
    X("directory_permission", ATTR_DIR_MODE, DIGEST_COUNT, true, false) \
    X("file_permission", ATTR_FILE_MODE, DIGEST_COUNT, true, false) \
    X("filename", ATTR_FILENAME, DIGEST_COUNT, true, false) \
    X("id", ATTR_DIGEST_HEX, DIGEST_SHA1, false, false) \
    X("sensitive_content", ATTR_CONTENT, DIGEST_COUNT, true, true) \
    X("source", ATTR_SOURCE, DIGEST_COUNT, true, false)

static const struct {
    struct str name;
    enum attribute_kind kind;
    enum digest_kind digest;
    bool configurable, secret;
} attributes[] = {
#define X(name, kind, digest, configurable, secret) \
    {STR_INIT(name), kind, digest, configurable, secret},
    ATTRIBUTES(X)
#undef X
};
enum { NATTRIBUTES = sizeof attributes / sizeof *attributes };

static bool is_content(size_t i)
{
    return attributes[i].kind == ATTR_CONTENT || attributes[i].kind == ATTR_CONTENT_BASE64;
}

static bool is_digest(size_t i)
{
    return attributes[i].digest != DIGEST_COUNT;
}

static size_t attribute_index(struct str name)
{
    size_t i = 0;
    while (i < NATTRIBUTES && !str_equal(attributes[i].name, name))
        i++;
    return i;
}

static bool claims(const struct stack *stack, const struct resource *resource,
                   struct library *library)
{
    (void)library;
    (void)stack;
    return resource->mode == RESOURCE_MANAGED &&
           (str_equal(resource->type, STR("local_file")) ||
            str_equal(resource->type, STR("local_sensitive_file"))) &&
           (str_equal(resource->provider, STR("registry.terraform.io/hashicorp/local")) ||
            str_equal(resource->provider, STR("registry.opentofu.org/hashicorp/local")));
}

/* --- the file --- */

struct file {
    bool gone;
    struct str content; /* ptr NULL: not kept */
    bool has_digest[DIGEST_COUNT];
    unsigned char digest[DIGEST_COUNT][EVP_MAX_MD_SIZE];
    unsigned digest_len[DIGEST_COUNT];
    unsigned mode, dir_mode; /* permission bits */
    bool has_dir_mode;
};

struct hashing {
    EVP_MD_CTX *ctx[DIGEST_COUNT];
};

/* MD5 may be forbidden on a machine: such a digest is then not observed. */
static void hashing_open(struct hashing *h)
{
    const EVP_MD *const md[DIGEST_COUNT] = {EVP_md5(), EVP_sha1(), EVP_sha256(), EVP_sha512()};
    for (unsigned i = 0; i < DIGEST_COUNT; i++) {
        h->ctx[i] = EVP_MD_CTX_new();
        if (h->ctx[i] && EVP_DigestInit_ex(h->ctx[i], md[i], NULL) != 1) {
            EVP_MD_CTX_free(h->ctx[i]);
            h->ctx[i] = NULL;
        }
    }
}

static void hashing_add(struct hashing *h, const char *bytes, size_t n)
{
    for (unsigned i = 0; i < DIGEST_COUNT; i++)
        if (h->ctx[i] && EVP_DigestUpdate(h->ctx[i], bytes, n) != 1) {
            EVP_MD_CTX_free(h->ctx[i]);
            h->ctx[i] = NULL;
        }
}

static void hashing_close(struct hashing *h, struct file *ret)
{
    for (unsigned i = 0; i < DIGEST_COUNT; i++) {
        ret->has_digest[i] =
            h->ctx[i] && EVP_DigestFinal_ex(h->ctx[i], ret->digest[i], &ret->digest_len[i]) == 1;
        EVP_MD_CTX_free(h->ctx[i]);
    }
}

static bool is_cancelled(const struct reader_options *options)
{
    return options->cancel && *options->cancel;
}

/* From the start to the end; what is kept goes to `keep`. */
static bool read_content(int fd, const struct reader_options *options, struct buf *keep,
                         struct file *ret, struct err *err)
{
    struct hashing h;
    char chunk[CHUNK];
    ssize_t n = 0;
    hashing_open(&h);
    if (lseek(fd, 0, SEEK_SET) == 0)
        while (!is_cancelled(options)) {
            n = read(fd, chunk, sizeof chunk);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                break;
            hashing_add(&h, chunk, (size_t)n);
            if (keep->limit)
                buf_add(keep, chunk, (size_t)n);
        }
    int why = errno;
    hashing_close(&h, ret);
    if (is_cancelled(options))
        return err_set(err, ERR_CANCELLED, "cancelled");
    return n == 0 || err_set(err, ERR_IO, "%s", strerror(why));
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* Read until the file stood still meanwhile. keep->limit 0: only the digests are wanted. */
static bool read_steady(int fd, const struct reader_options *options, struct buf *keep,
                        struct file *ret, struct err *err)
{
    struct stat before, after;
    for (unsigned i = 0; i < READS_MAX; i++) {
        if (fstat(fd, &before) < 0)
            return err_set(err, ERR_IO, "%s", strerror(errno));
        if (!S_ISREG(before.st_mode))
            return err_set(err, ERR_UNSUPPORTED, "%s, not a regular file",
                           S_ISDIR(before.st_mode)    ? "a directory"
                           : S_ISFIFO(before.st_mode) ? "a named pipe"
                                                      : "a device or socket");
        keep->len = 0;
        if (before.st_size > CONTENT_MAX)
            keep->limit = 0;
        if (!read_content(fd, options, keep, ret, err))
            return false;
        if (fstat(fd, &after) < 0)
            return err_set(err, ERR_IO, "%s", strerror(errno));
        if (same_file(&before, &after)) {
            ret->mode = after.st_mode & 07777;
            return true;
        }
    }
    return err_set(err, ERR_CONFLICT, "it keeps changing while it is read");
}

static bool read_file(struct str path, const struct reader_options *options, struct buf *keep,
                      struct file *ret, struct err *err)
{
    /* O_NONBLOCK: a named pipe must not hang the scan. */
    AUTO_FD fd = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat dir;
    char dirname[4096];
    struct str parent = io_dirname(path);
    if (fd < 0) {
        ret->gone = errno == ENOENT;
        return ret->gone || err_set(err, ERR_IO, "%s", strerror(errno));
    }
    if (!read_steady(fd, options, keep, ret, err))
        return false;
    if (keep->limit && !keep->failed)
        ret->content = keep->ptr ? buf_view(keep) : STR("");
    if (parent.len < sizeof dirname) {
        memcpy(dirname, parent.ptr, parent.len);
        dirname[parent.len] = '\0';
        ret->has_dir_mode = stat(dirname, &dir) == 0;
        ret->dir_mode = ret->has_dir_mode ? dir.st_mode & 07777 : 0;
    }
    return true;
}

/* --- modes --- */

static bool parse_mode(const struct value *v, unsigned *ret)
{
    unsigned mode = 0;
    if (!value_is_string(v) || v->len < 3 || v->len > 4)
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        if (v->text[i] < '0' || v->text[i] > '7')
            return false;
        mode = mode * 8 + (unsigned)(v->text[i] - '0');
    }
    *ret = mode & 0777; /* the provider sets no more than these */
    return true;
}

/* "before umask", says the provider: is `mode` what some usual umask makes of `asked`? */
static bool mode_follows(unsigned asked, unsigned mode)
{
    static const unsigned umasks[] = {0, 0002, 0007, 0022, 0027, 0037, 0077};
    for (size_t i = 0; i < sizeof umasks / sizeof *umasks; i++)
        if ((asked & ~umasks[i]) == mode)
            return true;
    return false;
}

/* --- one resource --- */

struct reading {
    struct arena *arena;
    const struct resource *resource;
    struct value desired;
    struct file file;
    size_t content; /* the attribute that holds the content, or NATTRIBUTES: only digests do */
    struct path not_observed[NATTRIBUTES + 1];
    size_t nnot_observed;
};

static bool not_observed(struct reading *r, struct str name, struct err *err)
{
    struct path_step *step = arena_new(r->arena, struct path_step, 1);
    if (!step)
        return arena_full(r->arena, err);
    *step = (struct path_step){.kind = PATH_KEY, .key = name};
    if (r->nnot_observed < sizeof r->not_observed / sizeof *r->not_observed)
        r->not_observed[r->nnot_observed++] = (struct path){step, 1};
    return true;
}

static const struct value *recorded(const struct reading *r, size_t i)
{
    return value_get(&r->desired, attributes[i].name);
}

/* Text in a value is UTF-8; what is not becomes U+FFFD (and so differs, as it should). */
static bool text_value(struct arena *arena, struct str bytes, struct value *ret, struct err *err)
{
    AUTO_BUF text = {.limit = 4 * (size_t)CONTENT_MAX};
    if (utf8_bad_at(bytes) != SIZE_MAX) {
        for (size_t at = 0; at < bytes.len;) {
            char out[4];
            buf_add(&text, out, utf8_put(utf8_next(bytes, &at), out));
        }
        if (!buf_ok(&text, err))
            return false;
        bytes = buf_view(&text);
    }
    struct str copy = arena_dup(arena, bytes);
    *ret = value_string(copy);
    return copy.ptr || arena_full(arena, err);
}

static bool live_content(struct reading *r, size_t i, struct value *v, struct err *err)
{
    struct str bytes = r->file.content, old = value_text(v), plain;
    if (attributes[i].kind == ATTR_CONTENT)
        return str_equal(bytes, old) || text_value(r->arena, bytes, v, err);
    /* Two spellings of base64 for the same bytes are the same content. */
    if (base64_decode(r->arena, old, &plain, NULL) && str_equal(plain, bytes))
        return true;
    struct str text = base64_encode(r->arena, bytes);
    *v = value_string(text);
    return text.ptr || arena_full(r->arena, err);
}

static bool live_digest(struct reading *r, size_t i, struct value *v, struct err *err)
{
    enum digest_kind kind = attributes[i].digest;
    struct str bytes = {(const char *)r->file.digest[kind], r->file.digest_len[kind]};
    struct str text;
    if (!r->file.has_digest[kind])
        return not_observed(r, attributes[i].name, err);
    if (attributes[i].kind == ATTR_DIGEST_BASE64) {
        text = base64_encode(r->arena, bytes);
    } else {
        char *hex = arena_alloc_raw(r->arena, bytes.len, 2, 1);
        text = (struct str){hex, bytes.len * 2};
        for (size_t k = 0; hex && k < bytes.len; k++) {
            hex[2 * k] = "0123456789abcdef"[r->file.digest[kind][k] >> 4];
            hex[2 * k + 1] = "0123456789abcdef"[r->file.digest[kind][k] & 15];
        }
    }
    *v = value_string(text);
    return text.ptr || arena_full(r->arena, err);
}

static bool put_mode(struct reading *r, unsigned mode, struct value *v, struct err *err)
{
    struct str text = arena_printf(r->arena, "%04o", mode);
    *v = value_string(text);
    return text.ptr || arena_full(r->arena, err);
}

static bool live_file_mode(struct reading *r, size_t i, struct value *v, struct err *err)
{
    unsigned asked;
    if (!parse_mode(v, &asked))
        return not_observed(r, attributes[i].name, err);
    return mode_follows(asked, r->file.mode) || put_mode(r, r->file.mode, v, err);
}

/*
 * The provider sets the mode of directories that it makes, and of no other; which ones it made is
 * not recorded. So another mode proves nothing and is not observed, except that others may write
 * where the code forbade it (and nothing protects the file, as the sticky bit would).
 */
static bool live_dir_mode(struct reading *r, size_t i, struct value *v, struct err *err)
{
    unsigned asked, mode = r->file.dir_mode;
    if (!r->file.has_dir_mode || !parse_mode(v, &asked))
        return not_observed(r, attributes[i].name, err);
    if (mode_follows(asked, mode & 0777))
        return true;
    if ((mode & ~asked & 0022) && !(mode & S_ISVTX))
        return put_mode(r, mode & 0777, v, err);
    return not_observed(r, attributes[i].name, err);
}

static bool live_attribute(struct reading *r, size_t i, struct value *v, struct err *err)
{
    if (!value_is_string(v))
        return true; /* not recorded: an older provider, or another way to give the content */
    switch (attributes[i].kind) {
    case ATTR_CONTENT:
    case ATTR_CONTENT_BASE64:
        return i == r->content ? live_content(r, i, v, err)
                               : not_observed(r, attributes[i].name, err);
    case ATTR_DIGEST_HEX:
    case ATTR_DIGEST_BASE64:
        return live_digest(r, i, v, err);
    case ATTR_FILE_MODE:
        return live_file_mode(r, i, v, err);
    case ATTR_DIR_MODE:
        return live_dir_mode(r, i, v, err);
    case ATTR_SOURCE:
        return not_observed(r, attributes[i].name, err);
    case ATTR_FILENAME:
        break;
    }
    return true;
}

static bool live_value(struct reading *r, struct value *ret, struct err *err)
{
    const struct value *desired = &r->desired;
    struct value_member *members = arena_new(r->arena, struct value_member, desired->len);
    if (!members)
        return arena_full(r->arena, err);
    for (uint32_t k = 0; k < desired->len; k++) {
        members[k] = desired->members[k];
        size_t i = attribute_index(key_str(members[k].key));
        bool known = i < NATTRIBUTES;
        if (!known && members[k].value.kind == VALUE_NULL)
            continue; /* of a newer provider, and not used */
        if (known ? !live_attribute(r, i, &members[k].value, err)
                  : !not_observed(r, key_str(members[k].key), err))
            return false;
    }
    *ret = *desired;
    ret->members = members;
    return true;
}

/* Is the content a secret: by its type, by its attribute, or by the state's marks? */
static bool is_secret(const struct reading *r)
{
    if (str_equal(r->resource->type, STR("local_sensitive_file")))
        return true;
    for (size_t i = 0; i < NATTRIBUTES; i++)
        if (attributes[i].secret && value_is_string(recorded(r, i)))
            return true;
    for (size_t k = 0; k < r->resource->nsensitive; k++) {
        struct path path = r->resource->sensitive[k];
        size_t i = path.n ? attribute_index(path.step[0].key) : NATTRIBUTES;
        if (!path.n || (i < NATTRIBUTES && is_content(i) && value_is_string(recorded(r, i))))
            return true;
    }
    return false;
}

/*
 * The provider's schema, with two additions of ours: a digest of a secret is a secret (short ones
 * can be guessed from it), and where only a digest tells of the content, the code sets that digest.
 */
static const struct schema *make_schema(const struct reading *r)
{
    struct schema *schema = arena_new(r->arena, struct schema, 1);
    struct schema_attribute *list = arena_new(r->arena, struct schema_attribute, NATTRIBUTES);
    size_t stand_in = NATTRIBUTES;
    bool secret = is_secret(r);
    if (!schema || !list)
        return NULL;
    if (r->content == NATTRIBUTES) {
        stand_in = attribute_index(STR("content_sha256"));
        if (!value_is_string(recorded(r, stand_in)))
            stand_in = attribute_index(STR("id"));
    }
    for (size_t i = 0; i < NATTRIBUTES; i++) {
        bool configurable = attributes[i].configurable || i == stand_in;
        list[i] = (struct schema_attribute){
            .name = attributes[i].name,
            .type = &type_string,
            .required = attributes[i].kind == ATTR_FILENAME,
            .optional = configurable && attributes[i].kind != ATTR_FILENAME,
            .computed = !attributes[i].configurable || attributes[i].kind == ATTR_FILE_MODE ||
                        attributes[i].kind == ATTR_DIR_MODE,
            .sensitive = attributes[i].secret || (secret && (is_content(i) || is_digest(i))),
        };
    }
    schema->block = (struct schema_block){.attributes = list, .nattributes = NATTRIBUTES};
    return schema_imply_type(r->arena, &schema->block) ? schema : NULL;
}

/* The recorded attributes and the name of the file; an error is the reason of "unreadable". */
static bool take_desired(struct reading *r, const struct stack *stack, struct str *ret_path,
                         struct err *err)
{
    const struct resource *resource = r->resource;
    if (resource->attributes.kind == VALUE_OBJECT)
        r->desired = resource->attributes;
    else if (!resource->attributes_json.len)
        return err_set(err, ERR_UNSUPPORTED,
                       "recorded by Terraform 0.11 or older; run `terraform "
                       "apply -refresh-only` with a newer one");
    else if (!json_parse(r->arena, resource->attributes_json, "attributes", 0, &r->desired, err))
        return false;
    if (resource->schema_version != 0)
        return err_set(err, ERR_UNSUPPORTED,
                       "schema version %lld of the recorded attributes is newer than plumb's file "
                       "reader; install the provider (terraform init)",
                       (long long)resource->schema_version);
    struct str filename = value_get_string(&r->desired, STR("filename"));
    if (!filename.len || memchr(filename.ptr, '\0', filename.len))
        return err_set(err, ERR_SYNTAX, "the state records no usable filename");
    while (str_starts(filename, STR("./")))
        filename = str_sub(filename, 2, filename.len);
    *ret_path = io_join(r->arena, stack->path, filename);
    return ret_path->ptr || arena_full(r->arena, err);
}

static size_t content_attribute(const struct reading *r)
{
    size_t i = 0;
    while (i < NATTRIBUTES && !(is_content(i) && value_is_string(recorded(r, i))))
        i++;
    return i;
}

static bool read_resource(struct reading *r, const struct stack *stack,
                          const struct reader_options *options, struct buf *keep,
                          struct live_result *ret, struct err *err)
{
    struct str path = STR("");
    if (!take_desired(r, stack, &path, err))
        return false;
    ret->desired = r->desired;
    r->content = content_attribute(r);
    keep->limit = r->content < NATTRIBUTES ? CONTENT_MAX + CHUNK : 0;
    if (!read_file(path, options, keep, &r->file, err))
        return err_wrap(err, "the file cannot be read"); /* no path: reasons are grouped */
    if (!r->file.content.ptr)
        r->content = NATTRIBUTES;
    ret->schema = make_schema(r);
    if (!ret->schema)
        return arena_full(r->arena, err);
    ret->status = r->file.gone ? LIVE_GONE : LIVE_READ;
    if (!r->file.gone && !live_value(r, &ret->live, err))
        return false;
    ret->not_observed = r->not_observed;
    ret->nnot_observed = r->nnot_observed;
    return true;
}

static bool read_one(const struct stack *stack, const struct resource *resource,
                     const struct reader_options *options, live_sink on_result, void *sink_ctx,
                     struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_BASE + 8 * (size_t)CONTENT_MAX +
                                 8 * resource->attributes_json.len};
    AUTO_BUF keep = {0};
    struct reading reading = {.arena = &arena, .resource = resource};
    struct live_result result = {.resource = resource};
    struct err why = {0};
    char text[ERR_FRAMES_MAX * ERR_TEXT_MAX];
    if (!read_resource(&reading, stack, options, &keep, &result, &why)) {
        if (why.kind == ERR_CANCELLED) {
            *err = why;
            return false;
        }
        result = (struct live_result){.resource = resource, .desired = reading.desired};
        result.reason = str_from(err_text(&why, text, sizeof text));
    }
    return on_result(sink_ctx, &result, err);
}

static bool read_all(const struct stack *stack, const struct resource *const *resources, size_t n,
                     const struct reader_options *options, live_sink on_result, void *sink_ctx,
                     struct err *err)
{
    struct reader_progress progress = {.total = n, .what = STR("files")};
    for (size_t i = 0; i < n; i++) {
        if (is_cancelled(options))
            return err_set(err, ERR_CANCELLED, "cancelled after %zu of %zu files", i, n);
        if (!read_one(stack, resources[i], options, on_result, sink_ctx, err))
            return false;
        progress.done = i + 1;
        if (options->progress && (progress.done % PROGRESS_EVERY == 0 || progress.done == n))
            options->progress(options->ctx, &progress);
    }
    return true;
}

const struct reader reader_file = {
    .name = "file",
    .summary = "local_file and local_sensitive_file, from the file system",
    .claims = claims,
    .read = read_all,
};
