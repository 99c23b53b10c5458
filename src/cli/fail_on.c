/* fail_on.c - classes and groups of classes as people write them. */
#include "cli/fail_on.h"

#include "base/err.h"
#include "cli/command.h"
#include "model/finding.h"

enum { DRIFT_BITS = 1u << CLASS_CONTRADICTS_CODE | 1u << CLASS_MISSING | 1u << CLASS_UNMANAGED };

const char *const fail_on_words[] = {
    "contradicts-code", "missing", "unmanaged", "unapplied", "state-only",
    "unchecked",        "drift",   "any",       "none",      NULL};

static bool add_word(struct str word, unsigned *ret_bits, struct err *err)
{
    static const struct {
        struct str name;
        unsigned bits;
    } groups[] = {{STR_INIT("drift"), DRIFT_BITS},
                  {STR_INIT("any"), (1u << CLASS_COUNT) - 1},
                  {STR_INIT("none"), 0}};
    enum finding_class class_;
    struct str names[CLASS_COUNT + 3] = {0};
    size_t n = 0;
    if (finding_class_from(word, &class_)) {
        *ret_bits |= 1u << class_;
        return true;
    }
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        names[n++] = groups[i].name;
        if (str_equal(word, groups[i].name)) {
            *ret_bits |= groups[i].bits;
            return true;
        }
    }
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        names[n++] = str_from(finding_class_name((enum finding_class)i));
    struct str near = str_nearest(word, names, n);
    return err_set(err, ERR_USAGE, "--fail-on: no class '%.*s'%s%.*s%s", STR_ARG(word),
                   near.len ? "; did you mean '" : "", STR_ARG(near), near.len ? "'?" : "");
}

bool fail_on_parse(const struct option_value *value, unsigned *ret, struct err *err)
{
    unsigned bits = value->set ? 0 : FAIL_ON_DEFAULT;
    for (size_t i = 0; i < value->nlist; i++) {
        struct str rest = value->list[i], word;
        for (bool more = true; more;) {
            more = str_cut(&rest, ',', &word);
            if (str_trim(word).len && !add_word(str_trim(word), &bits, err))
                return false;
        }
    }
    *ret = bits;
    return true;
}

int fail_on_exit(int code, bool exit_zero)
{
    bool found = code == EXIT_VIOLATION || code == EXIT_DRIFT || code == EXIT_INCOMPLETE;
    return exit_zero && found ? EXIT_IN_SYNC : code;
}
