/* fingerprint.c - one name for one finding: a digest that runs, machines and list orders share. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/finding.h"
#include "value/number.h"

enum { PLAIN_DIGITS_MAX = 400 }; /* a longer number is taken as it is spelled */

/* Absent, null, secret and so on each begin with a tag of their own, so that none passes for
 * another. */
static bool digest_tagged(char tag, struct str bytes, struct digest *ret, struct err *err)
{
    struct sha256 *sha = sha256_open(err);
    if (!sha)
        return false;
    sha256_add(sha, (struct str){&tag, 1});
    sha256_add(sha, bytes);
    return sha256_close(sha, ret, err);
}

static int digest_order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct digest));
}

static void add_digest(struct sha256 *sha, const struct digest *digest)
{
    sha256_add(sha, (struct str){(const char *)digest->byte, DIGEST_SIZE});
}

static bool digest_value(struct arena *arena, const struct value *v, unsigned depth_left,
                         struct digest *ret, struct err *err);

/* The digests of the items in ascending order. */
static struct digest *digest_items(struct arena *arena, const struct value *v, unsigned depth_left,
                                   struct err *err)
{
    struct digest *digests = arena_new(arena, struct digest, v->len);
    if (!digests) {
        arena_full(arena, err);
        return NULL;
    }
    for (uint32_t i = 0; i < v->len; i++)
        if (!digest_value(arena, &v->items[i], depth_left, &digests[i], err))
            return NULL;
    if (v->len > 1)
        qsort(digests, v->len, sizeof *digests, digest_order);
    return digests;
}

static bool digest_list(struct arena *arena, const struct value *v, unsigned depth_left,
                        struct digest *ret, struct err *err)
{
    const struct digest *digests = digest_items(arena, v, depth_left, err);
    if (!digests)
        return false;
    return digest_tagged('[', (struct str){(const char *)digests, v->len * sizeof *digests}, ret,
                         err);
}

static bool digest_object(struct arena *arena, const struct value *v, unsigned depth_left,
                          struct digest *ret, struct err *err)
{
    struct digest *digests = arena_new(arena, struct digest, v->len);
    if (!digests)
        return arena_full(arena, err);
    for (uint32_t i = 0; i < v->len; i++)
        if (!digest_value(arena, &v->members[i].value, depth_left, &digests[i], err))
            return false;
    struct sha256 *sha = sha256_open(err);
    if (!sha)
        return false;
    sha256_add(sha, STR("{"));
    for (uint32_t i = 0; i < v->len; i++) {
        sha256_add_field(sha, key_str(v->members[i].key));
        add_digest(sha, &digests[i]);
    }
    return sha256_close(sha, ret, err);
}

static bool digest_number(struct arena *arena, const struct value *v, struct digest *ret,
                          struct err *err)
{
    struct str text = {0};
    if (!number_print_plain(arena, v, PLAIN_DIGITS_MAX, &text, NULL))
        text = number_text(arena, v);
    if (!text.ptr)
        return arena_full(arena, err);
    return digest_tagged('#', text, ret, err);
}

static bool digest_value(struct arena *arena, const struct value *v, unsigned depth_left,
                         struct digest *ret, struct err *err)
{
    if (!v)
        return digest_tagged('-', STR(""), ret, err);
    if (v->marks & VALUE_SENSITIVE)
        return digest_tagged('*', STR(""), ret, err);
    if (depth_left == 0)
        return err_set(err, ERR_LIMIT, "value nested deeper than %d", VALUE_DEPTH_MAX);
    switch ((enum value_kind)v->kind) {
    case VALUE_BOOL:
        return digest_tagged(v->truth ? 't' : 'f', STR(""), ret, err);
    case VALUE_NUMBER:
        return digest_number(arena, v, ret, err);
    case VALUE_STRING:
        return digest_tagged('"', value_text(v), ret, err);
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_SET:
        return digest_list(arena, v, depth_left - 1, ret, err);
    case VALUE_MAP:
    case VALUE_OBJECT:
        return digest_object(arena, v, depth_left - 1, ret, err);
    case VALUE_UNKNOWN:
        return digest_tagged('?', STR(""), ret, err);
    default:
        return digest_tagged('0', STR(""), ret, err);
    }
}

/* Both sides are lists: what is only before, then what is only after, whatever the positions. */
static bool add_list_root(struct arena *arena, struct sha256 *sha, const struct change *root,
                          struct err *err)
{
    const struct value *before = root->before, *after = root->after;
    struct digest *b = digest_items(arena, before, VALUE_DEPTH_MAX, err);
    struct digest *a = b ? digest_items(arena, after, VALUE_DEPTH_MAX, err) : NULL;
    if (!a)
        return false;
    for (uint32_t i = 0, j = 0; i < before->len || j < after->len;) {
        int order = i == before->len ? 1 : j == after->len ? -1 : digest_order(&b[i], &a[j]);
        if (order != 0) {
            sha256_add(sha, order < 0 ? STR("-") : STR("+"));
            add_digest(sha, order < 0 ? &b[i] : &a[j]);
        }
        i += order <= 0;
        j += order >= 0;
    }
    return true;
}

static bool add_root(struct arena *arena, struct sha256 *sha, const struct change *root,
                     struct err *err)
{
    struct digest before, after;
    sha256_add_field(sha, root->path);
    if (root->sensitive) {
        sha256_add(sha, STR("*"));
        return true;
    }
    if (value_is_list_like(root->before) && value_is_list_like(root->after) &&
        !((root->before->marks | root->after->marks) & VALUE_SENSITIVE)) {
        sha256_add(sha, STR("l"));
        return add_list_root(arena, sha, root, err);
    }
    if (!digest_value(arena, root->before, VALUE_DEPTH_MAX, &before, err) ||
        !digest_value(arena, root->after, VALUE_DEPTH_MAX, &after, err))
        return false;
    sha256_add(sha, STR("v"));
    add_digest(sha, &before);
    add_digest(sha, &after);
    return true;
}

static bool digest_root(const struct change *root, struct digest *ret, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct sha256 *sha = sha256_open(err);
    if (!sha)
        return false;
    bool ok = add_root(&arena, sha, root, err);
    return sha256_close(sha, ret, ok ? err : NULL) && ok;
}

static void print_fingerprint(const struct digest *digest, char out[33])
{
    char hex[DIGEST_HEX + 1];
    digest_hex(digest, hex);
    memcpy(out, hex, 32);
    out[32] = '\0';
}

bool finding_fingerprint(struct finding *finding, const struct change *roots, size_t nroots,
                         struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    struct digest *digests = arena_new(&arena, struct digest, nroots);
    if (!digests)
        return arena_full(&arena, err);
    for (size_t i = 0; i < nroots; i++)
        if (!digest_root(&roots[i], &digests[i], err))
            return false;
    if (nroots > 1)
        qsort(digests, nroots, sizeof *digests, digest_order);

    struct digest whole;
    const char version = (char)('0' + FINGERPRINT_VERSION);
    struct sha256 *sha = sha256_open(err);
    if (!sha)
        return false;
    sha256_add_field(sha, STR("plumb finding"));
    sha256_add(sha, (struct str){&version, 1});
    sha256_add_field(sha, finding->stack);
    sha256_add_field(sha, finding->address);
    sha256_add_field(sha, str_from(finding_class_name(finding->class_)));
    for (size_t i = 0; i < nroots; i++)
        add_digest(sha, &digests[i]);
    if (!sha256_close(sha, &whole, err))
        return false;
    print_fingerprint(&whole, finding->fingerprint);
    return true;
}
