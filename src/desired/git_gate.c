/* git_gate.c - may HEAD be applied: is it signed, is it part of a branch? */
#include "base/err.h"
#include "desired/git_parts.h"

static struct str last_line(struct str s)
{
    struct str line, last = {0};
    for (bool more = s.len > 0; more;) {
        more = str_cut(&s, '\n', &line);
        last = str_trim(line).len ? str_trim(line) : last;
    }
    return last;
}

/* "[GNUPG:] GOODSIG KEY Ann <ann@example.org>" -> what follows the key; ssh: its first sentence. */
static struct str signer_of(struct str out)
{
    static const struct str good = STR_INIT("GOODSIG "),
                            ssh = STR_INIT("Good \"git\" signature for ");
    struct str line;
    for (bool more = out.len > 0; more;) {
        more = str_cut(&out, '\n', &line);
        size_t at = str_find(line, good, 0);
        struct str key, rest = at == SIZE_MAX ? STR("") : str_sub(line, at + good.len, line.len);
        if (rest.len && str_cut(&rest, ' ', &key))
            return rest;
        if (str_starts(line, ssh))
            return str_sub(line, ssh.len, line.len);
    }
    return (struct str){0};
}

bool git_head_signature(struct git *git, struct str signers, enum git_signature *ret,
                        struct str *ret_says, bool *ret_known, struct err *err)
{
    struct str file = arena_printf(git->arena, "gpg.ssh.allowedSignersFile=%.*s", STR_ARG(signers));
    const char *const words[] = {"-c",
                                 "gpg.program=gpg",
                                 "-c",
                                 "gpg.openpgp.program=gpg",
                                 "-c",
                                 "gpg.x509.program=gpgsm",
                                 "-c",
                                 "gpg.ssh.program=ssh-keygen",
                                 "-c",
                                 signers.len ? file.ptr : "gpg.ssh.defaultKeyCommand=",
                                 "verify-commit",
                                 "--raw",
                                 "HEAD",
                                 NULL};
    struct proc_result result;
    if (!file.ptr)
        return arena_full(git->arena, err);
    if (!git_ask(git, words, &result, ret_known, err) || !*ret_known)
        return !*ret_known;
    bool silent = !str_trim(result.out).len && !str_trim(result.err_text).len;
    *ret = result.exit_code == 0 ? GIT_GOOD_SIGNATURE : silent ? GIT_NOT_SIGNED : GIT_BAD_SIGNATURE;
    struct str says = signer_of(result.out.len ? result.out : result.err_text);
    if (!says.len)
        says = signer_of(result.err_text);
    if (*ret == GIT_BAD_SIGNATURE || !says.len)
        says = last_line(result.err_text.len ? result.err_text : result.out);
    *ret_says = git_keep_text(git, says);
    return true;
}

/* refs/remotes/NAME/BRANCH: NAME has no slash where git made it. */
static bool is_remote_branch(struct str ref, struct str branch)
{
    static const struct str head = STR_INIT("refs/remotes/");
    struct str rest = str_sub(ref, head.len, ref.len), remote;
    return str_starts(ref, head) && str_cut(&rest, '/', &remote) && str_equal(rest, branch);
}

static bool is_branch(struct str ref, struct str branch, bool remotes)
{
    static const struct str head = STR_INIT("refs/heads/");
    if (remotes)
        return is_remote_branch(ref, branch);
    return str_starts(ref, head) && str_equal(str_sub(ref, head.len, ref.len), branch);
}

static bool has_branch(struct str refs, struct str branch, bool remotes)
{
    struct str line;
    for (bool more = refs.len > 0; more;) {
        more = str_cut(&refs, '\n', &line);
        if (is_branch(line, branch, remotes))
            return true;
    }
    return false;
}

bool git_head_merged(struct git *git, struct str branch, bool *ret_merged, bool *ret_exists,
                     bool *ret_known, struct err *err)
{
    static const char *const all[] = {"for-each-ref", "--format=%(refname)", "refs/remotes",
                                      "refs/heads", NULL};
    static const char *const with[] = {"for-each-ref", "--format=%(refname)", "--contains=HEAD",
                                       "refs/remotes", "refs/heads",          NULL};
    struct str refs, containing;
    *ret_merged = *ret_exists = false;
    if (!git_run(git, all, (struct str){0}, &refs, ret_known, err) || !*ret_known)
        return !*ret_known;
    bool remotes = str_find(refs, STR("refs/remotes/"), 0) != SIZE_MAX;
    *ret_exists = has_branch(refs, branch, remotes);
    if (!git_run(git, with, (struct str){0}, &containing, ret_known, err))
        return false;
    *ret_merged = *ret_known && has_branch(containing, branch, remotes);
    return true;
}

/* folder: with a slash at both ends */
static bool is_below(struct str path, struct str folder)
{
    return str_starts(path, str_sub(folder, 1, folder.len)) ||
           str_find(path, folder, 0) != SIZE_MAX;
}

/* What Terraform and Terragrunt put there themselves is nobody's to commit. */
static bool is_code(struct str path)
{
    static const struct str ends[] = {STR_INIT(".tf"), STR_INIT(".tofu"), STR_INIT(".tf.json"),
                                      STR_INIT(".tofu.json")};
    if (is_below(path, STR("/.terraform/")) || is_below(path, STR("/.terragrunt-cache/")))
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(path, ends[i]))
            return true;
    return false;
}

bool git_untracked_code(struct git *git, struct str folder, struct str **ret, size_t *ret_n,
                        bool *ret_known, struct err *err)
{
    struct str path = arena_dup(git->arena, folder), out, name, *list = NULL;
    const char *const words[] = {"ls-files", "--others", "-z", "--", path.ptr, NULL};
    size_t n = 0, room = 0;
    if (!path.ptr)
        return arena_full(git->arena, err);
    if (!git_run(git, words, (struct str){0}, &out, ret_known, err))
        return false;
    while (*ret_known && out.len) {
        (void)str_cut(&out, '\0', &name);
        if (!is_code(name))
            continue;
        list = arena_grow(git->arena, list, n, &room, n + 1);
        if (!list)
            return arena_full(git->arena, err);
        list[n++] = name;
    }
    *ret = list;
    *ret_n = n;
    return true;
}
