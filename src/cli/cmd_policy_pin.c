/* cmd_policy_pin.c - `plumb policy pin`: what the packs of plumb.yaml hold, kept for later runs. */
#include <assert.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/app.h"
#include "cli/command.h"
#include "cli/policy_setup.h"
#include "cli/rows.h"
#include "model/config.h"
#include "policy/pack.h"
#include "scan/judges.h"

enum { WRITE, CONFIG, OPTION_COUNT };
static const struct option options[] = {
    [WRITE] = {.name = "write",
               .kind = OPTION_FLAG,
               .text = "write " PACK_PINS_FILE " beside plumb.yaml; without it only the digests "
                       "are printed"},
    [CONFIG] = ROW_CONFIG,
};
static_assert(sizeof options / sizeof *options == OPTION_COUNT, "one row per option");

static bool write_pins(struct arena *arena, const struct config *config, const struct pack *packs,
                       size_t n, struct err *err)
{
    enum { FILE_MODE = 0644 };
    AUTO_BUF out = {.limit = PACK_BYTES_MAX};
    struct str path = judges_pins_path(arena, config);
    if (!path.ptr)
        return arena_full(arena, err);
    pack_pins_write(&out, packs, n);
    return buf_ok(&out, err) && io_write_file_atomic(path.ptr, buf_view(&out), FILE_MODE, err);
}

static bool run(const struct app *app, const struct invocation *in, int *ret_exit, struct err *err)
{
    AUTO_ARENA arena = {.limit = ARENA_DEFAULT_LIMIT};
    char hex[DIGEST_HEX + 1];
    struct config config;
    struct pack *packs;
    size_t n;
    if (!policy_find_config(&arena, app, &in->value[CONFIG], &config, err))
        return false;
    if (!config.path.len)
        return err_set(err, ERR_IO, "no plumb.yaml here or above; `plumb init` writes one");
    if (!judges_read_packs(&arena, &config, &packs, &n, err))
        return false;
    if (n == 0)
        return err_set(err, ERR_USAGE,
                       "%.*s names no packs; add policy: {packs: "
                       "[builtin:baseline]}",
                       STR_ARG(config.path));
    for (size_t i = 0; i < n; i++) {
        digest_hex(&packs[i].digest, hex);
        (void)fprintf(app->out, "%.*s%s%.*s sha256:%s (%zu file%s)\n", STR_ARG(packs[i].origin),
                      packs[i].version.len ? " " : "", STR_ARG(packs[i].version), hex, packs[i].n,
                      packs[i].n == 1 ? "" : "s");
    }
    *ret_exit = 0;
    return !in->value[WRITE].set || write_pins(&arena, &config, packs, n, err);
}

const struct command cmd_policy_pin = {
    .name = "policy pin",
    .usage = "plumb policy pin [--write] [options]",
    .summary = "digests of the packs that plumb.yaml names",
    .help = "Prints the SHA-256 of the listing of each pack. With --write the listings are kept in "
            "plumb.packs; from then on, a command that judges by a pack whose files are other ones "
            "fails and names them.\n\n"
            "  plumb policy pin --write",
    .options = options,
    .noptions = OPTION_COUNT,
    .run = run};
