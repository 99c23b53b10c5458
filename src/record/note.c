/* note.c - reading, checking and signing notes and checkpoints. */
#include "record/note.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"

enum { ID_BYTES = 4, TIME_BYTES = 8 };
static const struct str dash = STR_INIT("\xe2\x80\x94 ");
static const struct str private_key = STR_INIT("PRIVATE+KEY+");

/* --- words --- */

/* White space as Unicode has it (White_Space), and what no name may hold. */
static bool is_blank(uint32_t c)
{
    return c <= ' ' || c == 0x7f || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

bool note_name_ok(struct str name)
{
    if (!name.len || name.len > NOTE_NAME_MAX || utf8_bad_at(name) != SIZE_MAX)
        return false;
    for (size_t at = 0; at < name.len;) {
        uint32_t c = utf8_next(name, &at);
        if (is_blank(c) || c == '+')
            return false;
    }
    return true;
}

/* Base64 in the one spelling that an encoder gives. */
static bool read_base64(struct arena *arena, struct str text, struct str *ret)
{
    struct str bytes;
    if (!base64_decode(arena, text, &bytes, NULL))
        return false;
    struct str again = base64_encode(arena, bytes);
    *ret = bytes;
    return again.ptr && str_equal(again, text);
}

static uint32_t read_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_big(unsigned char *out, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (unsigned char)(n >> (8 * (bytes - 1 - i)));
}

/* --- keys --- */

/* The first bytes of SHA-256(name || LF || type || public key). */
static bool key_id(const struct note_key *key, uint32_t *ret, struct err *err)
{
    struct digest digest;
    char type = (char)key->type;
    AUTO_BUF bytes = {.limit = NOTE_NAME_MAX + 2 + ED25519_KEY};
    buf_str(&bytes, key->name);
    buf_char(&bytes, '\n');
    buf_char(&bytes, type);
    buf_add(&bytes, key->public_key, ED25519_KEY);
    if (!buf_ok(&bytes, err) || !digest_sha256(buf_view(&bytes), &digest, err))
        return false;
    *ret = read_u32(digest.byte);
    return true;
}

bool note_key_from_seed(struct str name, enum note_type type, const unsigned char seed[ED25519_KEY],
                        struct note_key *ret, struct err *err)
{
    struct note_key key = {.name = name, .type = type, .secret = true};
    if (!note_name_ok(name))
        return err_set(err, ERR_SYNTAX, "'%.*s' cannot be the name of a key: no blanks, no '+'",
                       STR_ARG(name));
    memcpy(key.seed, seed, ED25519_KEY);
    bool ok = ed25519_public(seed, key.public_key, err) && key_id(&key, &key.id, err);
    if (ok)
        *ret = key;
    note_key_wipe(&key);
    return ok;
}

bool note_key_generate(struct str name, struct note_key *ret, struct err *err)
{
    unsigned char seed[ED25519_KEY];
    bool ok = ed25519_generate(seed, err) && note_key_from_seed(name, NOTE_ED25519, seed, ret, err);
    ed25519_wipe(seed, sizeof seed);
    return ok;
}

static bool read_id(struct str hex, uint32_t *ret)
{
    uint32_t id = 0;
    if (hex.len != (size_t)2 * ID_BYTES)
        return false;
    for (size_t i = 0; i < hex.len; i++) {
        char c = hex.ptr[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        id = id << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret = id;
    return true;
}

/* "NAME+ID+BASE64": name, id, and type and 32 bytes of key. */
static bool read_key(struct arena *arena, struct str text, struct note_key *ret, struct str *bytes)
{
    struct str name, id;
    if (str_ends(text, STR("\n")))
        text.len--;
    return str_cut(&text, '+', &name) && str_cut(&text, '+', &id) && note_name_ok(name) &&
           read_id(id, &ret->id) && read_base64(arena, text, bytes) &&
           bytes->len == 1 + ED25519_KEY && (ret->name = name, true);
}

bool note_key_read_verifier(struct arena *arena, struct str text, struct note_key *ret,
                            struct err *err)
{
    struct note_key key = {.secret = false};
    struct str bytes;
    uint32_t id;
    if (!read_key(arena, text, &key, &bytes))
        return err_set(err, ERR_SYNTAX, "not a verifier key: NAME+8 hex digits+base64 of 33 bytes");
    key.type = (enum note_type)bytes.ptr[0];
    if (key.type != NOTE_ED25519 && key.type != NOTE_COSIGNATURE)
        return err_set(err, ERR_SYNTAX, "verifier key %.*s is of a type (%d) that is not known",
                       STR_ARG(key.name), bytes.ptr[0]);
    memcpy(key.public_key, bytes.ptr + 1, ED25519_KEY);
    if (!key_id(&key, &id, err))
        return false;
    if (id != key.id)
        return err_set(err, ERR_SYNTAX, "verifier key %.*s: its id is %08x, not %08x",
                       STR_ARG(key.name), id, key.id);
    *ret = key;
    return true;
}

bool note_key_read_signer(struct arena *arena, struct str text, struct note_key *ret,
                          struct err *err)
{
    struct note_key key = {.secret = false}, read;
    struct str bytes;
    /* never a byte of it in a message: it is secret */
    if (!str_starts(text, private_key) ||
        !read_key(arena, str_sub(text, private_key.len, text.len), &read, &bytes) ||
        (bytes.ptr[0] != NOTE_ED25519 && bytes.ptr[0] != NOTE_COSIGNATURE))
        return err_set(err, ERR_SYNTAX, "not a signing key: PRIVATE+KEY+NAME+ID+base64");
    if (!note_key_from_seed(read.name, (enum note_type)bytes.ptr[0],
                            (const unsigned char *)bytes.ptr + 1, &key, err))
        return false;
    if (key.id != read.id) {
        note_key_wipe(&key);
        return err_set(err, ERR_SYNTAX, "signing key of %.*s: its id does not fit the key",
                       STR_ARG(read.name));
    }
    *ret = key;
    note_key_wipe(&key);
    return true;
}

static struct str key_text(struct arena *arena, const struct note_key *key, const char *before,
                           const unsigned char *bytes)
{
    char typed[1 + ED25519_KEY] = {(char)key->type};
    memcpy(typed + 1, bytes, ED25519_KEY);
    struct str text = base64_encode(arena, (struct str){typed, sizeof typed});
    ed25519_wipe(typed, sizeof typed);
    return text.ptr ? arena_printf(arena, "%s%.*s+%08x+%.*s", before, STR_ARG(key->name), key->id,
                                   STR_ARG(text))
                    : text;
}

struct str note_key_verifier(struct arena *arena, const struct note_key *key)
{
    return key_text(arena, key, "", key->public_key);
}

struct str note_key_signer(struct arena *arena, const struct note_key *key)
{
    return key_text(arena, key, private_key.ptr, key->seed);
}

void note_key_wipe(struct note_key *key)
{
    ed25519_wipe(key->seed, sizeof key->seed);
    key->secret = false;
}

/* --- reading --- */

/* Where the text ends: behind the first LF of the last empty line. */
static bool split_note(struct str bytes, struct str *ret_text, struct str *ret_lines)
{
    for (size_t i = bytes.len; i >= 2; i--)
        if (bytes.ptr[i - 1] == '\n' && bytes.ptr[i - 2] == '\n') {
            *ret_text = str_sub(bytes, 0, i - 1);
            *ret_lines = str_sub(bytes, i, bytes.len);
            return ret_lines->len > 0;
        }
    return false;
}

static bool read_signature(struct arena *arena, struct str line, struct note_signature *ret)
{
    struct str name, bytes;
    if (!str_starts(line, dash))
        return false;
    line = str_sub(line, dash.len, line.len);
    if (!str_cut(&line, ' ', &name) || !note_name_ok(name) || !read_base64(arena, line, &bytes) ||
        bytes.len <= ID_BYTES)
        return false;
    *ret = (struct note_signature){.name = name,
                                   .id = read_u32((const unsigned char *)bytes.ptr),
                                   .bytes = str_sub(bytes, ID_BYTES, bytes.len)};
    return true;
}

static bool plain_text(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' && s.ptr[i] != '\n')
            return false;
    return utf8_bad_at(s) == SIZE_MAX;
}

bool note_read(struct arena *arena, struct str bytes, struct note *ret, struct err *err)
{
    struct note note = {.nsignatures = 0};
    struct str lines, line;
    size_t n = 0;
    if (bytes.len > NOTE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "a note of %zu bytes; %d is the most", bytes.len,
                       NOTE_BYTES_MAX);
    if (!plain_text(bytes))
        return err_set(err, ERR_SYNTAX, "a note is UTF-8 without control characters");
    if (!str_ends(bytes, STR("\n")) || !split_note(bytes, &note.text, &lines))
        return err_set(err, ERR_SYNTAX, "not a signed note: a text, an empty line, signatures");
    for (size_t i = 0; i < lines.len; i++)
        n += lines.ptr[i] == '\n';
    if (n > NOTE_SIGNATURES_MAX)
        return err_set(err, ERR_LIMIT, "a note with %zu signatures; %d is the most", n,
                       NOTE_SIGNATURES_MAX);
    struct note_signature *signature = arena_new(arena, struct note_signature, n);
    if (!signature)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        (void)str_cut(&lines, '\n', &line);
        if (!read_signature(arena, line, &signature[i]))
            return err_set(err, ERR_SYNTAX, "signature line %zu of the note cannot be read", i + 1);
    }
    note.signature = signature;
    note.nsignatures = n;
    *ret = note;
    return true;
}

/* --- checking and signing --- */

/* What is signed: the text, for a cosignature with its time before it. ptr NULL: arena full. */
static struct str signed_text(struct arena *arena, struct str text, enum note_type type,
                              uint64_t time)
{
    if (type == NOTE_ED25519)
        return text;
    return arena_printf(arena, "cosignature/v1\ntime %llu\n%.*s", (unsigned long long)time,
                        STR_ARG(text));
}

static bool signature_good(const struct note_key *key, struct str text, struct str bytes,
                           uint64_t *ret_time)
{
    AUTO_ARENA arena = {.limit = (size_t)2 * NOTE_BYTES_MAX};
    uint64_t time = 0;
    if (key->type == NOTE_COSIGNATURE) {
        if (bytes.len != TIME_BYTES + ED25519_SIGNATURE)
            return false;
        const unsigned char *p = (const unsigned char *)bytes.ptr;
        time = (uint64_t)read_u32(p) << 32 | read_u32(p + 4);
        bytes = str_sub(bytes, TIME_BYTES, bytes.len);
    }
    text = signed_text(&arena, text, key->type, time);
    if (ret_time)
        *ret_time = time;
    return text.ptr && ed25519_verify(key->public_key, text, bytes);
}

enum note_verdict note_check(const struct note *note, const struct note_key *key,
                             uint64_t *ret_time)
{
    enum note_verdict verdict = NOTE_UNSIGNED;
    for (size_t i = 0; i < note->nsignatures && verdict != NOTE_BAD; i++) {
        const struct note_signature *s = &note->signature[i];
        if (s->id == key->id && str_equal(s->name, key->name))
            verdict = signature_good(key, note->text, s->bytes, ret_time) ? NOTE_GOOD : NOTE_BAD;
    }
    return verdict;
}

static bool sign_line(struct arena *arena, struct str text, const struct note_key *key,
                      uint64_t time, struct str *ret, struct err *err)
{
    unsigned char bytes[ID_BYTES + TIME_BYTES + ED25519_SIGNATURE];
    size_t before = key->type == NOTE_COSIGNATURE ? ID_BYTES + TIME_BYTES : ID_BYTES;
    struct str message = signed_text(arena, text, key->type, time);
    if (!key->secret)
        return err_set(err, ERR_USAGE, "key %.*s can only verify", STR_ARG(key->name));
    if (!message.ptr)
        return arena_full(arena, err);
    put_big(bytes, key->id, ID_BYTES);
    put_big(bytes + ID_BYTES, time, TIME_BYTES);
    if (!ed25519_sign(key->seed, message, bytes + before, err))
        return false;
    struct str encoded =
        base64_encode(arena, (struct str){(const char *)bytes, before + ED25519_SIGNATURE});
    *ret =
        arena_printf(arena, "%.*s%.*s %.*s\n", STR_ARG(dash), STR_ARG(key->name), STR_ARG(encoded));
    return (encoded.ptr && ret->ptr) || arena_full(arena, err);
}

bool note_sign(struct arena *arena, struct str text, const struct note_key *key, uint64_t time,
               struct str *ret, struct err *err)
{
    struct str line;
    if (!str_ends(text, STR("\n")) || !plain_text(text) || text.len > NOTE_BYTES_MAX)
        return err_set(err, ERR_SYNTAX, "only plain UTF-8 text that ends a line can be signed");
    if (!sign_line(arena, text, key, time, &line, err))
        return false;
    struct str note = arena_printf(arena, "%.*s\n%.*s", STR_ARG(text), STR_ARG(line));
    if (!note.ptr)
        return arena_full(arena, err);
    *ret = note;
    return true;
}

bool note_add_signature(struct arena *arena, struct str note, const struct note_key *key,
                        uint64_t time, struct str *ret, struct err *err)
{
    struct note read;
    struct str line;
    if (!note_read(arena, note, &read, err) || !sign_line(arena, read.text, key, time, &line, err))
        return false;
    struct str more = arena_printf(arena, "%.*s%.*s", STR_ARG(note), STR_ARG(line));
    if (!more.ptr)
        return arena_full(arena, err);
    *ret = more;
    return true;
}

/* --- checkpoints --- */

/* Decimal, without a sign and without zeros before it. */
static bool read_size(struct str text, uint64_t *ret)
{
    int64_t size;
    if (!text.len || text.ptr[0] < '0' || text.ptr[0] > '9' ||
        (text.ptr[0] == '0' && text.len > 1) || !str_to_int64(text, &size))
        return false;
    *ret = (uint64_t)size;
    return true;
}

bool checkpoint_read(struct arena *arena, struct str text, struct checkpoint *ret, struct err *err)
{
    struct checkpoint checkpoint = {.size = 0};
    struct str size, root, bytes;
    if (!plain_text(text) || !str_ends(text, STR("\n")) ||
        !str_cut(&text, '\n', &checkpoint.origin) || !str_cut(&text, '\n', &size) ||
        !str_cut(&text, '\n', &root) || !checkpoint.origin.len)
        return err_set(err, ERR_SYNTAX,
                       "not a checkpoint: an origin, a size, a root, each on a line of its own");
    if (!read_size(size, &checkpoint.size))
        return err_set(err, ERR_SYNTAX, "checkpoint: '%.*s' is not a size", STR_ARG(size));
    if (!read_base64(arena, root, &bytes) || bytes.len != DIGEST_SIZE)
        return err_set(err, ERR_SYNTAX, "checkpoint: its root is not base64 of %d bytes",
                       DIGEST_SIZE);
    memcpy(checkpoint.root.byte, bytes.ptr, DIGEST_SIZE);
    checkpoint.extensions = text;
    if (str_starts(text, STR("\n")) || str_find(text, STR("\n\n"), 0) != SIZE_MAX)
        return err_set(err, ERR_SYNTAX, "checkpoint: an extension line is empty");
    *ret = checkpoint;
    return true;
}

struct str checkpoint_text(struct arena *arena, const struct checkpoint *checkpoint)
{
    struct str root = base64_encode(
        arena, (struct str){(const char *)checkpoint->root.byte, sizeof checkpoint->root.byte});
    return root.ptr ? arena_printf(arena, "%.*s\n%llu\n%.*s\n%.*s", STR_ARG(checkpoint->origin),
                                   (unsigned long long)checkpoint->size, STR_ARG(root),
                                   STR_ARG(checkpoint->extensions))
                    : root;
}
