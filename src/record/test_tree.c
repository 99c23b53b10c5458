/* test_tree.c - the Merkle tree: reference vectors, and every proof of every small tree. */
#include "base/vectors.h"
#include "record/tree.h"
#include "wire/json.h"

enum { LEAVES = 70 };

/* All levels of a tree over LEAVES leaves, made the plain way. */
struct levels {
    struct hasher *hasher;
    struct digest node[8][LEAVES];
    size_t asked;
};

static bool node_of(void *ctx, unsigned level, uint64_t index, struct digest *ret, struct err *err)
{
    struct levels *levels = ctx;
    assert_true(level < 8 && (index + 1) << level <= LEAVES);
    levels->asked++;
    *ret = levels->node[level][index];
    (void)err;
    return true;
}

static void fill(struct levels *levels)
{
    struct err err = {0};
    levels->hasher = hasher_open(&err);
    assert_non_null(levels->hasher);
    for (size_t i = 0; i < LEAVES; i++) {
        char text[8] = {'l', (char)i};
        assert_true(
            merkle_leaf(levels->hasher, (struct str){text, sizeof text}, &levels->node[0][i]));
    }
    for (unsigned level = 1; level < 8; level++)
        for (size_t i = 0; (i + 1) << level <= LEAVES; i++)
            assert_true(merkle_node(levels->hasher, &levels->node[level - 1][2 * i],
                                    &levels->node[level - 1][2 * i + 1], &levels->node[level][i]));
}

static struct digest digest_of(struct str hex)
{
    AUTO_ARENA arena = {.limit = 1 << 12};
    struct digest digest;
    struct str bytes = vectors_unhex(&arena, hex);
    assert_int_equal(bytes.len, DIGEST_SIZE);
    memcpy(digest.byte, bytes.ptr, DIGEST_SIZE);
    return digest;
}

static void every_proof_of_small_trees(void **state)
{
    (void)state;
    struct levels levels = {.asked = 0};
    struct err err = {0};
    struct digest root[LEAVES + 1];
    struct merkle_range range = {.size = 0}, at;
    struct merkle_proof proof;
    fill(&levels);
    const struct merkle_source source = {node_of, &levels};
    for (size_t size = 0; size <= LEAVES; size++) {
        struct digest grown;
        assert_true(merkle_root(levels.hasher, &source, size, &root[size], &err));
        assert_true(merkle_range_root(levels.hasher, &range, &grown));
        assert_memory_equal(&grown, &root[size], sizeof grown);
        assert_true(merkle_range_at(&source, size, &at, &err));
        assert_memory_equal(&at, &range,
                            offsetof(struct merkle_range, root) +
                                merkle_range_count(size) * sizeof(struct digest));
        for (size_t i = 0; i < size; i++) {
            const struct digest *leaf = &levels.node[0][i];
            assert_true(merkle_prove_inclusion(levels.hasher, &source, i, size, &proof, &err));
            assert_true(merkle_check_inclusion(levels.hasher, i, size, leaf, proof.hash, proof.n,
                                               &root[size]));
            assert_false(merkle_check_inclusion(levels.hasher, i, size, &levels.node[0][i ^ 1],
                                                proof.hash, proof.n, &root[size]));
        }
        for (size_t old = 1; old <= size; old++) {
            assert_true(merkle_prove_consistency(levels.hasher, &source, old, size, &proof, &err));
            assert_true(merkle_check_consistency(levels.hasher, old, size, proof.hash, proof.n,
                                                 &root[old], &root[size]));
            assert_false(merkle_check_consistency(levels.hasher, old, size, proof.hash, proof.n,
                                                  &root[old - 1], &root[size]));
        }
        if (size < LEAVES)
            assert_true(merkle_range_add(levels.hasher, &range, &levels.node[0][size]));
    }
    assert_false(merkle_prove_inclusion(levels.hasher, &source, 3, 3, &proof, &err));
    assert_false(merkle_prove_consistency(levels.hasher, &source, 0, 3, &proof, &err));
    assert_false(merkle_prove_consistency(levels.hasher, &source, 4, 3, &proof, &err));
    hasher_close(levels.hasher);
}

static void a_proof_reads_few_nodes(void **state)
{
    (void)state;
    struct levels levels = {.asked = 0};
    struct err err = {0};
    struct merkle_proof proof;
    fill(&levels);
    const struct merkle_source source = {node_of, &levels};
    assert_true(merkle_prove_inclusion(levels.hasher, &source, 11, LEAVES, &proof, &err));
    assert_true(proof.n <= 7 && levels.asked <= 14);
    hasher_close(levels.hasher);
}

/* Each element must be 32 bytes; false where one is not. */
static bool read_path(struct arena *arena, const struct value *list, struct digest *ret, size_t *n)
{
    *n = 0;
    for (uint32_t i = 0; value_is_list_like(list) && i < list->len; i++) {
        struct str bytes;
        struct err err = {0};
        if (!base64_decode(arena, value_text(&list->items[i]), &bytes, &err) ||
            bytes.len != DIGEST_SIZE)
            return false;
        memcpy(ret[(*n)++].byte, bytes.ptr, DIGEST_SIZE);
    }
    return true;
}

/* Some roots of the vectors are not 32 bytes long: their digests stand for them. */
static bool read_hash(struct arena *arena, const struct value *v, const char *name,
                      struct digest *ret)
{
    struct str bytes;
    struct err err = {0};
    if (!base64_decode(arena, value_get_string(v, str_from(name)), &bytes, &err))
        return false;
    if (bytes.len == 0)
        return false;
    if (bytes.len != DIGEST_SIZE)
        return digest_sha256(bytes, ret, &err);
    memcpy(ret->byte, bytes.ptr, DIGEST_SIZE);
    return true;
}

static uint64_t number_of(const struct value *v, const char *name)
{
    const struct value *number = value_get(v, str_from(name));
    int64_t n = 0;
    struct str text = number && number->form == NUMBER_TEXT ? value_text(number) : STR("");
    if (text.len) /* beyond int64: the vectors count to 2^64-1 */
        return strtoull(text.ptr, NULL, 10);
    assert_true(value_to_int64(number, &n));
    return (uint64_t)n;
}

static bool inclusion_holds(struct hasher *hasher, struct arena *arena, const struct value *v)
{
    struct digest path[256], leaf, root;
    size_t n;
    return read_path(arena, value_get(v, STR("proof")), path, &n) &&
           read_hash(arena, v, "leafHash", &leaf) && read_hash(arena, v, "root", &root) &&
           merkle_check_inclusion(hasher, number_of(v, "leafIdx"), number_of(v, "treeSize"), &leaf,
                                  path, n, &root);
}

static bool consistency_holds(struct hasher *hasher, struct arena *arena, const struct value *v)
{
    struct digest path[256], first, second;
    size_t n;
    return read_path(arena, value_get(v, STR("proof")), path, &n) &&
           read_hash(arena, v, "root1", &first) && read_hash(arena, v, "root2", &second) &&
           merkle_check_consistency(hasher, number_of(v, "size1"), number_of(v, "size2"), path, n,
                                    &first, &second);
}

static void vectors_hold(const char *name,
                         bool (*holds)(struct hasher *, struct arena *, const struct value *))
{
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    struct str text;
    struct value v;
    size_t n = 0;
    struct hasher *hasher = hasher_open(&err);
    if (vectors_read(&arena, name, &text)) {
        struct ndjson in = {.rest = text, .name = name};
        for (; ndjson_next(&in, &arena, JSON_DEFAULT, &v, &err); n++)
            if (holds(hasher, &arena, &v) == value_get_bool(&v, STR("wantErr"), false))
                fail_msg("%s: %.*s", name, STR_ARG(value_get_string(&v, STR("name"))));
        assert_int_equal(err.kind, ERR_NONE);
        assert_int_equal(n, 98);
    }
    hasher_close(hasher);
}

static void inclusion_vectors(void **state)
{
    (void)state;
    vectors_hold("rfc6962/inclusion.jsonl", inclusion_holds);
}

static void consistency_vectors(void **state)
{
    (void)state;
    vectors_hold("rfc6962/consistency.jsonl", consistency_holds);
}

static void same_hashes(const struct merkle_proof *proof, const struct value *list)
{
    assert_int_equal(proof->n, list->len);
    for (uint32_t i = 0; i < list->len; i++) {
        struct digest want = digest_of(value_text(&list->items[i]));
        assert_memory_equal(&proof->hash[i], &want, sizeof want);
    }
}

static void reference_leaves(const struct value *doc, struct levels *levels)
{
    AUTO_ARENA arena = {.limit = 1 << 20};
    const struct value *leaves = value_get(doc, STR("leaves_hex"));
    assert_int_equal(leaves->len, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_true(merkle_leaf(levels->hasher,
                                vectors_unhex(&arena, value_text(&leaves->items[i])),
                                &levels->node[0][i]));
    for (unsigned level = 1; level < 4; level++)
        for (size_t i = 0; (i + 1) << level <= 8; i++)
            assert_true(merkle_node(levels->hasher, &levels->node[level - 1][2 * i],
                                    &levels->node[level - 1][2 * i + 1], &levels->node[level][i]));
}

static void reference_tree(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct err err = {0};
    struct str text;
    struct value doc;
    struct merkle_proof proof;
    if (!vectors_read(&arena, "rfc6962/reference-tree.json", &text))
        return;
    assert_true(json_parse(&arena, text, "tree", JSON_DEFAULT, &doc, &err));
    struct levels levels = {.hasher = hasher_open(&err)};
    const struct merkle_source source = {node_of, &levels};
    reference_leaves(&doc, &levels);
    const struct value *roots = value_get(&doc, STR("roots"));
    for (uint32_t i = 0; i < roots->len; i++) {
        struct digest root, want = digest_of(value_text(&roots->members[i].value));
        uint64_t size = strtoull(roots->members[i].key->text, NULL, 10);
        assert_true(merkle_root(levels.hasher, &source, size, &root, &err));
        assert_memory_equal(&root, &want, sizeof root);
    }
    const struct value *paths = value_get(&doc, STR("audit_paths"));
    for (uint32_t i = 0; i < paths->len; i++) {
        const struct value *v = &paths->items[i];
        assert_true(merkle_prove_inclusion(levels.hasher, &source, number_of(v, "index"),
                                           number_of(v, "size"), &proof, &err));
        same_hashes(&proof, value_get(v, STR("path")));
    }
    const struct value *proofs = value_get(&doc, STR("consistency"));
    for (uint32_t i = 0; i < proofs->len; i++) {
        const struct value *v = &proofs->items[i];
        assert_true(merkle_prove_consistency(levels.hasher, &source, number_of(v, "size1"),
                                             number_of(v, "size2"), &proof, &err));
        same_hashes(&proof, value_get(v, STR("proof")));
    }
    assert_true(paths->len >= 36 && proofs->len >= 36);
    hasher_close(levels.hasher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_proof_of_small_trees),
        cmocka_unit_test(a_proof_reads_few_nodes),
        cmocka_unit_test(inclusion_vectors),
        cmocka_unit_test(consistency_vectors),
        cmocka_unit_test(reference_tree),
    };
    return cmocka_run_group_tests_name("record/tree", tests, NULL, NULL);
}
