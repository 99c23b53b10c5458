/* cmd_policy_bundle.c - `plumb policy bundle`: a pack as a bundle that OPA reads, too. */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/rows.h"
#include "policy/bundle.h"
#include "policy/load.h"

enum { OUTPUT, REVISION, REGO_V0, OPTION_COUNT };
static const struct option options[] = {
    [OUTPUT] = {.name = "output",
                .letter = 'o',
                .kind = OPTION_STRING,
                .arg = "FILE",
                .text = "where to write it; bundle.tar.gz without it"},
    [REVISION] = {.name = "revision",
                  .letter = 'r',
                  .kind = OPTION_STRING,
                  .arg = "TEXT",
                  .text = "the revision of the manifest; the digest of the pack without it"},
    [REGO_V0] = ROW_REGO_V0,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    enum { FILE_MODE = 0644 };
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    AUTO_BUF out = {.limit = PACK_BYTES_MAX};
    const struct policy_load_options how = {.what = POLICY_LOAD_DATA, .rules = true};
    struct policy_files files;
    struct pack pack;
    char hex[DIGEST_HEX + 1];
    struct str path = in->value[OUTPUT].set ? in->value[OUTPUT].text : STR("bundle.tar.gz");
    path = arena_dup(&arena, path);
    if (!path.ptr)
        return arena_full(&arena, err);
    if (!pack_read(&arena, in->args[0], &pack, err) ||
        !policy_load(&arena, &in->args[0], 1, &how, &files, err))
        return false;
    const struct bundle_options options_of = {
        .data = &files.data, .revision = in->value[REVISION].text, .v0 = in->value[REGO_V0].set};
    if (!bundle_write(&arena, &pack, &options_of, &out, err) ||
        !io_write_file_atomic(path.ptr, buf_view(&out), FILE_MODE, err))
        return false;
    digest_hex(&pack.digest, hex);
    (void)fprintf(app->out, "%.*s: %zu file%s of %.*s, sha256:%s\n", STR_ARG(path), pack.n,
                  pack.n == 1 ? "" : "s", STR_ARG(pack.origin), hex);
    *ret_exit = 0;
    return true;
}

const struct command cmd_policy_bundle = {
    .name = "policy bundle",
    .usage = "plumb policy bundle PACK [options]",
    .summary = "a pack as a bundle (.tar.gz), which OPA reads, too",
    .help =
        "PACK is a folder or builtin:NAME. The bundle has .manifest, data.json of all data, and "
        "the files of Rego, rules and tests; the same pack gives the same bytes. Where a "
        "policy is asked for, FILE.tar.gz may stand.\n\n"
        "  plumb policy bundle policies/net -o net.tar.gz",
    .options = options,
    .noptions = OPTION_COUNT,
    .args_least = 1,
    .args_most = 1,
    .run = run};
