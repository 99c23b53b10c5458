/* policy_text.c - diagnostics of Rego and of rule files as lines. */
#include "cli/policy_text.h"

#include "base/err.h"
#include "base/regex_re2.h"
#include "policy/rule.h"

static void print(FILE *out, struct str file, uint32_t row, uint32_t col, const char *code,
                  struct str message)
{
    if (row)
        (void)fprintf(out, "%.*s:%u:%u: %s: %.*s\n", STR_ARG(file), row, col, code,
                      STR_ARG(message));
    else
        (void)fprintf(out, "%s: %.*s\n", code, STR_ARG(message));
}

void policy_print_diags(FILE *out, const struct rego_diags *diags)
{
    for (size_t i = 0; i < diags->n; i++) {
        const struct rego_diag *d = &diags->diag[i];
        print(out, d->file, d->row, d->col, d->code, d->message);
    }
}

void policy_print_problems(FILE *out, const struct rule_problems *problems)
{
    for (size_t i = 0; i < problems->n; i++) {
        const struct rule_problem *p = &problems->item[i];
        (void)fprintf(out, "%.*s:%u:%u: %.*s\n", STR_ARG(p->at.file), p->at.line, p->at.column,
                      STR_ARG(p->text));
    }
    if (problems->left_out)
        (void)fprintf(out, "%zu more problems are left out\n", problems->left_out);
}

void policy_print_error(FILE *out, const struct rego_error *error)
{
    print(out, error->file, error->row, error->col, error->code, error->message);
}

bool policy_refuse(const struct rego_diags *diags, struct err *err)
{
    if (!diags->n)
        return false;
    return err_set(err, ERR_SYNTAX, "%zu error%s in the policies", diags->n,
                   diags->n == 1 ? "" : "s");
}

bool policy_regex(const char *option, struct str text, struct regex **ret, struct err *err)
{
    char why[200];
    *ret = NULL;
    if (!text.len)
        return true;
    *ret = regex_open(text, why, sizeof why);
    return *ret || err_set(err, ERR_USAGE, "--%s: '%.*s' is no regular expression: %s", option,
                           STR_ARG(text), why);
}
