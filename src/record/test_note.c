/* test_note.c - signed notes, keys and checkpoints: vectors, and what must be refused. */
#include "base/vectors.h"
#include "record/note.h"
#include "wire/json.h"

static struct value vectors(struct arena *arena)
{
    struct err err = {0};
    struct str text;
    struct value doc = {0};
    if (vectors_read(arena, "signed-note/notes.json", &text))
        assert_true(json_parse(arena, text, "notes", JSON_DEFAULT, &doc, &err));
    return doc;
}

static void check_note(struct arena *arena, const struct value *v)
{
    struct err err = {0};
    struct note_key key;
    struct note note;
    struct str text = value_get_string(v, STR("text")), bytes = value_get_string(v, STR("note"));
    struct str vkey = value_get_string(v, STR("vkey")), skey = value_get_string(v, STR("skey"));
    struct str vkey2 = value_get_string(v, STR("vkey2")), signed_note;
    assert_true(note_read(arena, bytes, &note, &err));
    assert_true(str_equal(note.text, text));
    assert_true(note_key_read_verifier(arena, vkey, &key, &err));
    assert_int_equal(note_check(&note, &key, NULL), NOTE_GOOD);
    assert_true(str_equal(note_key_verifier(arena, &key), vkey));
    note.text.len--; /* another text */
    assert_int_equal(note_check(&note, &key, NULL), NOTE_BAD);
    note.text.len++;
    if (skey.len) {
        assert_true(note_key_read_signer(arena, skey, &key, &err));
        assert_true(str_equal(note_key_signer(arena, &key), skey));
        assert_true(str_equal(note_key_verifier(arena, &key), vkey));
        assert_true(note_sign(arena, text, &key, 0, &signed_note, &err));
        assert_true(str_equal(signed_note, bytes));
    }
    if (vkey2.len) {
        assert_true(note_key_read_verifier(arena, vkey2, &key, &err));
        assert_int_equal(note_check(&note, &key, NULL), NOTE_GOOD);
    }
}

static void note_vectors(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct value doc = vectors(&arena);
    const struct value *notes = value_get(&doc, STR("notes"));
    const struct value *bad = value_get(&doc, STR("invalid_vkeys"));
    for (uint32_t i = 0; notes && i < notes->len; i++)
        check_note(&arena, &notes->items[i]);
    for (uint32_t i = 0; bad && i < bad->len; i++) {
        struct err err = {0};
        struct note_key key;
        assert_false(
            note_key_read_verifier(&arena, value_get_string(&bad->items[i], STR("s")), &key, &err));
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
}

static void checkpoint_vectors(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct value doc = vectors(&arena);
    const struct value *list = value_get(&doc, STR("checkpoints"));
    for (uint32_t i = 0; list && i < list->len; i++) {
        const struct value *v = &list->items[i];
        struct err err = {0};
        struct checkpoint checkpoint;
        struct str text = value_get_string(v, STR("text"));
        bool ok = checkpoint_read(&arena, text, &checkpoint, &err);
        assert_int_equal(ok, value_get_bool(v, STR("valid"), false));
        if (!ok)
            continue;
        struct str root =
            base64_encode(&arena, (struct str){(const char *)checkpoint.root.byte, DIGEST_SIZE});
        int64_t size;
        assert_true(value_to_int64(value_get(v, STR("size")), &size));
        assert_int_equal(checkpoint.size, size);
        assert_true(str_equal(checkpoint.origin, value_get_string(v, STR("origin"))));
        assert_true(str_equal(root, value_get_string(v, STR("root_b64"))));
        assert_true(str_equal(checkpoint_text(&arena, &checkpoint), text));
    }
}

static const unsigned char seed[ED25519_KEY] = {1, 2, 3};

/* A note by two keys, one of them a witness's; no byte of it can change unseen. */
static void no_byte_changes_unseen(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 64 << 20};
    struct err err = {0};
    struct note_key log, witness;
    struct note note;
    struct str text, both;
    uint64_t time = 0;
    assert_true(note_key_from_seed(STR("example.org/log"), NOTE_ED25519, seed, &log, &err));
    assert_true(note_key_from_seed(STR("w"), NOTE_COSIGNATURE, seed, &witness, &err));
    assert_true(note_sign(&arena, STR("example.org/log\n1\n2\n"), &log, 0, &text, &err));
    assert_true(note_add_signature(&arena, text, &witness, 1700000000, &both, &err));
    assert_true(note_read(&arena, both, &note, &err));
    assert_int_equal(note_check(&note, &log, &time), NOTE_GOOD);
    assert_int_equal(time, 0);
    assert_int_equal(note_check(&note, &witness, &time), NOTE_GOOD);
    assert_int_equal(time, 1700000000);
    char *bytes = arena_dup(&arena, both).ptr ? arena_new_raw(&arena, char, both.len) : NULL;
    for (size_t at = 0; at < both.len; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            struct arena_mark mark = arena_mark(&arena);
            memcpy(bytes, both.ptr, both.len);
            bytes[at] = (char)(bytes[at] ^ (1 << bit));
            if (note_read(&arena, (struct str){bytes, both.len}, &note, NULL) &&
                note_check(&note, &log, NULL) == NOTE_GOOD &&
                note_check(&note, &witness, NULL) == NOTE_GOOD)
                fail_msg("bit %u of byte %zu may change", bit, at);
            arena_rewind(&arena, mark);
        }
}

static void what_is_no_note(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n\n\xe2\x80\x94 a AAAAAAA=",           /* no LF */
        "text\n\n\xe2\x80\x94 a AAAA\n",             /* only 3 bytes */
        "text\n\n\xe2\x80\x94 a AAAAAA==\n",         /* an id, no signature */
        "text\n\n- a AAAAAAA=\n",                    /* a hyphen */
        "text\n\n\xe2\x80\x94 a+b AAAAAAA=\n",       /* plus in a name */
        "text\n\n\xe2\x80\x94 a\xc2\xa0 AAAAAAA=\n", /* a blank in it */
        "text\n\n\xe2\x80\x94  AAAAAAA=\n",          /* none */
        "te\txt\n\n\xe2\x80\x94 a AAAAAAA=\n",
        "te\xffxt\n\n\xe2\x80\x94 a AAAAAAA=\n",
        "text\n\n\xe2\x80\x94 a AAAAAAB=\n", /* another spelling of the same bytes */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        AUTO_ARENA arena = {.limit = 1 << 20};
        struct err err = {0};
        struct note note;
        if (note_read(&arena, str_from(bad[i]), &note, &err))
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.kind, ERR_SYNTAX);
    }
    AUTO_ARENA arena = {.limit = 1 << 20};
    struct err err = {0};
    struct note note;
    assert_true(note_read(&arena, STR("a\n\nb\n\n\xe2\x80\x94 a AAAAAAA=\n"), &note, &err));
    assert_true(str_equal(note.text, STR("a\n\nb\n"))); /* the last empty line counts */
}

static void names_of_keys(void **state)
{
    (void)state;
    assert_true(note_name_ok(STR("plumb.local/0123")) && note_name_ok(STR("\xc3\xa4")));
    assert_false(note_name_ok(STR("")) || note_name_ok(STR("a b")) || note_name_ok(STR("a+b")) ||
                 note_name_ok(STR("a\n")) || note_name_ok(STR("\xff")) ||
                 note_name_ok(STR("a\xe2\x80\x82")));
    struct note_key key;
    struct err err = {0};
    assert_false(note_key_generate(STR("a b"), &key, &err));
}

static void signing_keys_stay_secret(void **state)
{
    (void)state;
    AUTO_ARENA arena = {.limit = 1 << 20};
    char text[1000];
    struct err err = {0};
    struct note_key key;
    struct str form;
    assert_true(note_key_generate(STR("x"), &key, &err));
    form = note_key_signer(&arena, &key);
    struct str cut = str_sub(form, 0, form.len - 3);
    assert_false(note_key_read_signer(&arena, cut, &key, &err));
    assert_null(strstr(err_text(&err, text, sizeof text), form.ptr + 20));
    note_key_wipe(&key);
    assert_false(note_sign(&arena, STR("a\n"), &key, 0, &form, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(note_vectors),    cmocka_unit_test(checkpoint_vectors),
        cmocka_unit_test(what_is_no_note), cmocka_unit_test(no_byte_changes_unseen),
        cmocka_unit_test(names_of_keys),   cmocka_unit_test(signing_keys_stay_secret),
    };
    return cmocka_run_group_tests_name("record/note", tests, NULL, NULL);
}
