/* capabilities.c - capabilities files read and applied. */
#include "cli/capabilities.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "wire/json.h"

enum { CAPABILITIES_MAX = 16 << 20 };

static bool read_words(const char *file, const struct value *list, unsigned *ret, struct err *err)
{
    static const struct {
        struct str name;
        unsigned word;
    } known[] = {{STR_INIT("and"), REGO_WORD_AND},
                 {STR_INIT("or"), REGO_WORD_OR},
                 {STR_INIT("not"), 0},
                 {STR_INIT("contains"), 0},
                 {STR_INIT("every"), 0},
                 {STR_INIT("if"), 0},
                 {STR_INIT("in"), 0}};
    enum { KNOWN = sizeof known / sizeof *known };
    *ret = REGO_WORD_NO_NOT;
    for (uint32_t i = 0; list && i < list->len; i++) {
        const struct value *item = &list->items[i];
        struct str word = value_is_string(item) ? value_text(item) : STR("");
        size_t k = 0;
        while (k < KNOWN && !str_equal(known[k].name, word))
            k++;
        if (k == KNOWN)
            return err_set(err, ERR_SYNTAX, "%s: future_keywords: there is no keyword '%.*s'", file,
                           STR_ARG(word));
        *ret |= known[k].word;
        if (str_equal(word, STR("not")))
            *ret &= ~(unsigned)REGO_WORD_NO_NOT;
    }
    return true;
}

bool capabilities_read(struct arena *arena, struct str path, struct capabilities *ret,
                       struct err *err)
{
    struct str name = arena_dup(arena, path), text;
    struct value *all = arena_new(arena, struct value, 1);
    *ret = (struct capabilities){0};
    if (!name.ptr || !all)
        return arena_full(arena, err);
    if (!path.len)
        return true;
    if (!io_read_file(arena, name.ptr, CAPABILITIES_MAX, &text, err) ||
        !json_parse(arena, text, name.ptr, JSON_DUPLICATES_LAST, all, err))
        return err_wrap(err, "--capabilities");
    const struct value *words = value_get(all, STR("future_keywords"));
    ret->builtins = value_get(all, STR("builtins"));
    if (!value_is_list_like(ret->builtins))
        return err_set(
            err, ERR_SYNTAX,
            "%s: `builtins` is no list: want a file such as `opa capabilities --current` "
            "prints",
            name.ptr);
    if (words && words->kind != VALUE_NULL && !value_is_list_like(words))
        return err_set(err, ERR_SYNTAX, "%s: `future_keywords` is no list", name.ptr);
    return read_words(name.ptr, value_is_list_like(words) ? words : NULL, &ret->words, err);
}

static bool is_capable(void *ctx, struct str builtin)
{
    const struct capabilities *c = ctx;
    for (uint32_t i = 0; i < c->builtins->len && !c->own; i++)
        if (str_equal(value_get_string(&c->builtins->items[i], STR("name")), builtin))
            return true;
    return c->own;
}

struct rego_capabilities capabilities_of(const struct capabilities *capabilities)
{
    return (struct rego_capabilities){.words = capabilities->words,
                                      .allowed = capabilities->builtins ? is_capable : NULL,
                                      .ctx = (void *)(uintptr_t)capabilities};
}

void capabilities_apply(const struct capabilities *capabilities, struct rego_compile_options *how)
{
    const struct rego_capabilities what = capabilities_of(capabilities);
    rego_compile_within(how, &what);
}
