/* audit_export_parts.c - head and end of an export: members in order, hashes in base64. */
#include "record/audit_export_parts.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/json.h"

/* --- writing --- */

static void put_hashes(struct jsonw *w, struct str key, const struct digest *hash, size_t n)
{
    jsonw_key(w, key);
    jsonw_array_open(w);
    for (size_t i = 0; i < n; i++) {
        AUTO_ARENA arena = {.limit = 1 << 10};
        struct str bytes = {(const char *)hash[i].byte, DIGEST_SIZE};
        jsonw_string(w, base64_encode(&arena, bytes));
    }
    jsonw_array_close(w);
}

static void put_strings(struct jsonw *w, struct str key, const struct str *s, size_t n)
{
    jsonw_key(w, key);
    jsonw_array_open(w);
    for (size_t i = 0; i < n; i++)
        jsonw_string(w, s[i]);
    jsonw_array_close(w);
}

bool export_head_print(struct buf *out, const struct export_head *head, struct err *err)
{
    struct jsonw w = {.out = out};
    jsonw_object_open(&w);
    put_hashes(&w, STR("edge"), head->edge.root, merkle_range_count(head->edge.size));
    jsonw_member_int(&w, STR("first"), head->first);
    jsonw_key(&w, STR("keys"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < head->nkeys; i++) {
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("line"), head->key[i].line);
        put_hashes(&w, STR("proof"), head->key[i].proof.hash, head->key[i].proof.n);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    jsonw_member_int(&w, STR("last"), head->last);
    jsonw_member_string(&w, STR("origin"), head->origin);
    jsonw_member_string(&w, STR("type"), STR(EXPORT_WORD));
    jsonw_member_int(&w, STR("v"), EXPORT_VERSION);
    jsonw_object_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}

bool export_end_print(struct buf *out, const struct export_end *end, struct err *err)
{
    struct jsonw w = {.out = out};
    jsonw_object_open(&w);
    put_strings(&w, STR("checkpoints"), end->note, end->nnotes);
    put_hashes(&w, STR("digest"), &end->digest, 1);
    jsonw_key(&w, STR("former"));
    jsonw_array_open(&w);
    for (size_t i = 0; i < end->nformer; i++) {
        jsonw_object_open(&w);
        jsonw_member_string(&w, STR("note"), end->former[i].note);
        put_hashes(&w, STR("proof"), end->former[i].proof.hash, end->former[i].proof.n);
        jsonw_object_close(&w);
    }
    jsonw_array_close(&w);
    put_hashes(&w, STR("seal"), end->seal.hash, end->seal.n);
    put_strings(&w, STR("witnesses"), end->witness, end->nwitnesses);
    jsonw_object_close(&w);
    buf_char(out, '\n');
    return buf_ok(out, err);
}

/* --- reading --- */

static bool get_hashes(struct arena *arena, const struct value *v, struct digest *ret, size_t most,
                       size_t *ret_n)
{
    if (!value_is_list_like(v) || v->len > most)
        return false;
    for (uint32_t i = 0; i < v->len; i++) {
        struct str bytes;
        if (!value_is_string(&v->items[i]) ||
            !base64_decode(arena, value_text(&v->items[i]), &bytes, NULL) ||
            bytes.len != DIGEST_SIZE)
            return false;
        memcpy(ret[i].byte, bytes.ptr, DIGEST_SIZE);
    }
    *ret_n = v->len;
    return true;
}

static bool get_proof(struct arena *arena, const struct value *v, struct merkle_proof *ret)
{
    return get_hashes(arena, v, ret->hash, MERKLE_PROOF_MAX, &ret->n);
}

static bool get_strings(struct arena *arena, const struct value *v, struct str **ret, size_t *ret_n)
{
    if (!value_is_list_like(v))
        return false;
    struct str *s = arena_new(arena, struct str, v->len);
    for (uint32_t i = 0; s && i < v->len; i++) {
        if (!value_is_string(&v->items[i]))
            return false;
        s[i] = value_text(&v->items[i]);
    }
    *ret = s;
    *ret_n = v->len;
    return s != NULL;
}

static bool get_number(const struct value *v, const char *name, int64_t *ret)
{
    const struct value *number = value_get(v, str_from(name));
    return number && value_to_int64(number, ret) && *ret >= 0 && *ret < (int64_t)1 << 53;
}

static bool get_keys(struct arena *arena, const struct value *v, struct export_head *head)
{
    if (!value_is_list_like(v) || v->len > AUDIT_KEYS_MAX)
        return false;
    struct export_key *key = arena_new(arena, struct export_key, v->len);
    for (uint32_t i = 0; key && i < v->len; i++) {
        key[i].line = value_get_string(&v->items[i], STR("line"));
        if (!get_proof(arena, value_get(&v->items[i], STR("proof")), &key[i].proof))
            return false;
    }
    head->key = key;
    head->nkeys = v->len;
    return key != NULL;
}

static bool get_head(struct arena *arena, const struct value *v, struct export_head *head)
{
    size_t n;
    int64_t version;
    if (!str_equal(value_get_string(v, STR("type")), STR(EXPORT_WORD)) ||
        !get_number(v, "v", &version) || !get_number(v, "first", &head->first) ||
        !get_number(v, "last", &head->last) || head->last < head->first)
        return false;
    head->origin = value_get_string(v, STR("origin"));
    head->edge.size = (uint64_t)head->first;
    return version == EXPORT_VERSION &&
           get_hashes(arena, value_get(v, STR("edge")), head->edge.root, MERKLE_PROOF_MAX, &n) &&
           n == merkle_range_count(head->edge.size) &&
           get_keys(arena, value_get(v, STR("keys")), head);
}

static bool get_former(struct arena *arena, const struct value *v, struct export_end *end)
{
    if (!value_is_list_like(v))
        return false;
    struct export_former *former = arena_new(arena, struct export_former, v->len);
    for (uint32_t i = 0; former && i < v->len; i++) {
        former[i].note = value_get_string(&v->items[i], STR("note"));
        if (!get_proof(arena, value_get(&v->items[i], STR("proof")), &former[i].proof))
            return false;
    }
    end->former = former;
    end->nformer = v->len;
    return former != NULL;
}

static bool get_end(struct arena *arena, const struct value *v, struct export_end *end)
{
    size_t n;
    struct str *witness;
    if (!get_strings(arena, value_get(v, STR("checkpoints")), &end->note, &end->nnotes) ||
        !get_hashes(arena, value_get(v, STR("digest")), &end->digest, 1, &n) || n != 1 ||
        !get_former(arena, value_get(v, STR("former")), end) ||
        !get_proof(arena, value_get(v, STR("seal")), &end->seal) ||
        !get_strings(arena, value_get(v, STR("witnesses")), &witness, &end->nwitnesses))
        return false;
    end->witness = witness;
    return true;
}

/* The bytes must be the ones that are printed: nothing is left over, nothing spelled otherwise. */
static bool same_bytes(const struct buf *printed, struct str line)
{
    struct str text = buf_view(printed);
    return !printed->failed && text.len && str_equal(str_sub(text, 0, text.len - 1), line);
}

bool export_head_read(struct arena *arena, struct str line, struct export_head *ret,
                      struct err *err)
{
    struct value v;
    struct export_head head = {.first = 0};
    AUTO_BUF printed = {.limit = EXPORT_END_MAX};
    if (!json_parse(arena, line, "head", JSON_DEFAULT, &v, err))
        return false;
    if (!get_head(arena, &v, &head))
        return err_set(err, ERR_SYNTAX, "it is not the head of a plumb audit export, version 1");
    if (!export_head_print(&printed, &head, err) || !same_bytes(&printed, line))
        return err_set(err, ERR_SYNTAX, "it is not spelled as plumb writes it");
    *ret = head;
    return true;
}

bool export_end_read(struct arena *arena, struct str line, struct export_end *ret, struct err *err)
{
    struct value v;
    struct export_end end = {.nnotes = 0};
    AUTO_BUF printed = {.limit = EXPORT_END_MAX};
    if (!json_parse(arena, line, "end", JSON_DEFAULT, &v, err))
        return false;
    if (!get_end(arena, &v, &end))
        return err_set(err, ERR_SYNTAX, "it is not the end of a plumb audit export");
    if (!export_end_print(&printed, &end, err) || !same_bytes(&printed, line))
        return err_set(err, ERR_SYNTAX, "it is not spelled as plumb writes it");
    *ret = end;
    return true;
}
