/* protobuf.c - the wire format behind protobuf.h. */
#include "wire/protobuf.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/utf8.h"

enum { VARINT_MAX = 10 };

/* --- reading --- */

static bool take_varint(struct pb_reader *in, uint64_t *ret)
{
    uint64_t value = 0;
    if (in->at < in->bytes.len && (unsigned char)in->bytes.ptr[in->at] < 0x80) { /* nearly always */
        *ret = (unsigned char)in->bytes.ptr[in->at++];
        return true;
    }
    for (unsigned i = 0; i < VARINT_MAX; i++) {
        if (in->at + i >= in->bytes.len) {
            in->bad = "a number is cut short";
            return false;
        }
        unsigned char byte = (unsigned char)in->bytes.ptr[in->at + i];
        if (i == VARINT_MAX - 1 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7fu) << (7 * i);
        if (byte < 0x80) {
            in->at += i + 1;
            *ret = value;
            return true;
        }
    }
    in->bad = "a number of more than 64 bits";
    return false;
}

static bool take_fixed(struct pb_reader *in, size_t n, uint64_t *ret)
{
    uint64_t value = 0;
    if (in->bytes.len - in->at < n) {
        in->bad = "a number is cut short";
        return false;
    }
    for (size_t i = n; i-- > 0;)
        value = value << 8 | (unsigned char)in->bytes.ptr[in->at + i];
    in->at += n;
    *ret = value;
    return true;
}

static bool take_bytes(struct pb_reader *in, struct str *ret)
{
    uint64_t len;
    if (!take_varint(in, &len))
        return false;
    if (len > in->bytes.len - in->at) {
        in->bad = "a length that goes past the end";
        return false;
    }
    *ret = (struct str){in->bytes.ptr + in->at, (size_t)len};
    in->at += (size_t)len;
    return true;
}

bool pb_next(struct pb_reader *in, struct pb_field *ret)
{
    uint64_t key;
    if (in->bad || in->at >= in->bytes.len || !take_varint(in, &key))
        return false;
    struct pb_field field = {.number = (uint32_t)(key >> 3), .wire = (enum pb_wire)(key & 7)};
    if (field.number == 0 || key >> 3 > 0x1fffffff) {
        in->bad = "a field number that cannot be";
        return false;
    }
    bool ok = false;
    if (field.wire == PB_VARINT)
        ok = take_varint(in, &field.number_value);
    else if (field.wire == PB_LENGTH)
        ok = take_bytes(in, &field.bytes);
    else if (field.wire == PB_FIXED64)
        ok = take_fixed(in, 8, &field.number_value);
    else if (field.wire == PB_FIXED32)
        ok = take_fixed(in, 4, &field.number_value);
    else
        in->bad = "a wire type that cannot be";
    if (ok)
        *ret = field;
    return ok;
}

bool pb_reader_ok(const struct pb_reader *in, const char *what, struct err *err)
{
    if (!in->bad)
        return true;
    return err_set(err, ERR_SYNTAX, "%s: byte %zu: %s", what, in->at, in->bad);
}

/* --- by table --- */

static const struct pb_rule *find_rule(const struct pb_message *message, uint32_t number)
{
    for (size_t i = 0; i < message->nrules; i++)
        if (message->rules[i].number == number)
            return &message->rules[i];
    return NULL;
}

/* Two encodings of one message, one after the other, are the encoding of their merge. */
static bool merge(struct arena *arena, struct str *have, struct str more, struct err *err)
{
    char *both = arena_alloc_raw(arena, have->len + more.len, 1, 1);
    if (!both)
        return arena_full(arena, err);
    if (have->len)
        memcpy(both, have->ptr, have->len);
    if (more.len)
        memcpy(both + have->len, more.ptr, more.len);
    *have = (struct str){both, have->len + more.len};
    return true;
}

/* Room for every occurrence of that field from here on: the list is filled as they come. */
static bool list_open(struct arena *arena, const struct pb_reader *in, uint32_t number,
                      struct pb_list *list, struct err *err)
{
    struct pb_reader ahead = *in;
    struct pb_field field;
    size_t n = 1;
    while (pb_next(&ahead, &field))
        n += field.number == number;
    list->items = arena_new(arena, struct str, n);
    return list->items || arena_full(arena, err);
}

static bool list_add(struct arena *arena, const struct pb_reader *in, uint32_t number,
                     struct pb_list *list, struct str bytes, struct err *err)
{
    if (!list->items && !list_open(arena, in, number, list, err))
        return false;
    union { /* the items are ours until pb_decode() returns */
        const struct str *in;
        struct str *out;
    } items = {list->items};
    items.out[list->n++] = bytes;
    return true;
}

static bool put_field(struct arena *arena, const struct pb_message *message,
                      const struct pb_reader *in, const struct pb_rule *rule,
                      const struct pb_field *field, char *base, struct err *err)
{
    void *to = base + rule->offset;
    bool is_number = rule->kind == PB_INT64 || rule->kind == PB_BOOL;
    if (field->wire != (is_number ? PB_VARINT : PB_LENGTH))
        return err_set(err, ERR_SYNTAX, "%s: field %u before byte %zu: wire type %d", message->name,
                       field->number, in->at, (int)field->wire);
    if (rule->kind == PB_INT64) {
        *(int64_t *)to = (int64_t)field->number_value;
    } else if (rule->kind == PB_BOOL) {
        *(bool *)to = field->number_value != 0;
    } else if (rule->kind == PB_MANY) {
        return list_add(arena, in, field->number, to, field->bytes, err);
    } else if (rule->kind == PB_MESSAGE && ((struct str *)to)->ptr) {
        return merge(arena, to, field->bytes, err);
    } else {
        if (rule->kind == PB_STRING && utf8_bad_at(field->bytes) != SIZE_MAX)
            return err_set(err, ERR_SYNTAX, "%s: field %u before byte %zu: not UTF-8",
                           message->name, field->number, in->at);
        *(struct str *)to = field->bytes;
    }
    return true;
}

bool pb_decode(struct arena *arena, const struct pb_message *message, struct str bytes, void *ret,
               struct err *err)
{
    struct pb_reader in = {.bytes = bytes};
    struct pb_field field;
    while (pb_next(&in, &field)) {
        const struct pb_rule *rule = find_rule(message, field.number);
        if (rule && !put_field(arena, message, &in, rule, &field, ret, err))
            return false;
    }
    return pb_reader_ok(&in, message->name, err);
}

/* --- writing --- */

static size_t encode_varint(uint64_t value, unsigned char out[VARINT_MAX])
{
    size_t n = 0;
    while (value >= 0x80) {
        out[n++] = (unsigned char)(value | 0x80);
        value >>= 7;
    }
    out[n++] = (unsigned char)value;
    return n;
}

static void put_varint(struct buf *out, uint64_t value)
{
    unsigned char bytes[VARINT_MAX];
    buf_add(out, bytes, encode_varint(value, bytes));
}

static void put_key(struct buf *out, uint32_t number, enum pb_wire wire)
{
    put_varint(out, (uint64_t)number << 3 | wire);
}

void pb_put_int(struct buf *out, uint32_t number, int64_t value)
{
    if (value == 0)
        return;
    put_key(out, number, PB_VARINT);
    put_varint(out, (uint64_t)value);
}

void pb_put_bool(struct buf *out, uint32_t number, bool value)
{
    pb_put_int(out, number, value);
}

void pb_put_message(struct buf *out, uint32_t number, struct str bytes)
{
    put_key(out, number, PB_LENGTH);
    put_varint(out, bytes.len);
    buf_str(out, bytes);
}

void pb_put_bytes(struct buf *out, uint32_t number, struct str bytes)
{
    if (bytes.len)
        pb_put_message(out, number, bytes);
}

size_t pb_open(struct buf *out, uint32_t number)
{
    put_key(out, number, PB_LENGTH);
    buf_char(out, 0); /* most lengths fit one byte; pb_close() makes room for the others */
    return out->len;
}

void pb_close(struct buf *out, size_t mark)
{
    unsigned char bytes[VARINT_MAX];
    if (out->failed)
        return;
    size_t len = out->len - mark, n = encode_varint(len, bytes);
    if (!buf_room(out, n - 1))
        return;
    memmove(out->ptr + mark + n - 1, out->ptr + mark, len);
    memcpy(out->ptr + mark - 1, bytes, n);
    out->len += n - 1;
}
