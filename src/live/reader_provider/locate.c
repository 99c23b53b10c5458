/* locate.c - the places where a provider may lie, in Terraform's order. */
#include "live/reader_provider/locate.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/io.h"
#include "live/reader_provider/dirhash.h"
#include "live/reader_provider/filedigest.h"
#include "model/stack.h"
#include "wire/json.h"

enum { CONFIG_BYTES_MAX = 4 << 20, NAMES_MAX = 4096 };

static const char host_terraform[] = "registry.terraform.io";
static const char host_opentofu[] = "registry.opentofu.org";

/* --- opening --- */

static struct str platform_of(struct arena *arena)
{
    static const struct {
        const char *machine, *go;
    } arch[] = {{"x86_64", "amd64"}, {"aarch64", "arm64"},   {"i686", "386"},
                {"i386", "386"},     {"armv7l", "arm"},      {"armv6l", "arm"},
                {"s390x", "s390x"},  {"ppc64le", "ppc64le"}, {"riscv64", "riscv64"}};
    struct utsname name;
    const char *go = "amd64";
    if (uname(&name) == 0)
        for (size_t i = 0; i < sizeof arch / sizeof *arch; i++)
            if (strcmp(name.machine, arch[i].machine) == 0)
                go = arch[i].go;
    return arena_printf(arena, "linux_%s", go);
}

/* Every path of the file is taken as it is; one that is not there is no error. */
static bool read_clirc(struct locator *in, struct str path, struct err *err)
{
    struct str text;
    if (!io_exists(path.ptr))
        return true;
    if (!io_read_file(in->arena, path.ptr, CONFIG_BYTES_MAX, &text, err) ||
        !clirc_parse(in->arena, text, path.ptr, in->env, &in->clirc, err))
        return err_wrap(err, "CLI configuration");
    in->clirc_name = path;
    return true;
}

/* All *.tfrc of a configuration directory, besides the main file. */
static bool read_clirc_dir(struct locator *in, struct str dir, struct err *err)
{
    struct str *names = NULL;
    size_t n = 0;
    if (!io_is_dir(dir.ptr))
        return true;
    if (!io_list_dir(in->arena, dir.ptr, NAMES_MAX, &names, &n, err))
        return false;
    for (size_t i = 0; i < n; i++)
        if (str_ends(names[i], STR(".tfrc")) &&
            !read_clirc(in, io_join(in->arena, dir, names[i]), err))
            return false;
    return true;
}

/* ~/.config/NAME or $XDG_CONFIG_HOME/NAME; empty where there is no home. */
static struct str config_home(const struct locator *in, const char *name)
{
    const char *xdg = in->env("XDG_CONFIG_HOME"), *home = in->env("HOME");
    if (xdg && *xdg)
        return arena_printf(in->arena, "%s/%s", xdg, name);
    return home && *home ? arena_printf(in->arena, "%s/.config/%s", home, name) : (struct str){0};
}

static bool open_clirc(struct locator *in, struct err *err)
{
    static const char *const explicit_names[] = {"TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"};
    for (size_t i = 0; i < sizeof explicit_names / sizeof *explicit_names; i++) {
        const char *path = in->env(explicit_names[i]);
        if (path && *path)
            return read_clirc(in, arena_dup(in->arena, str_from(path)), err);
    }
    const char *home = in->env("HOME");
    struct str tofu_dir = config_home(in, "opentofu");
    if (home && *home) {
        static const char *const main_names[] = {".tofurc", ".terraformrc"};
        for (size_t i = 0; i < 2 && !in->clirc_name.len; i++)
            if (!read_clirc(in, arena_printf(in->arena, "%s/%s", home, main_names[i]), err))
                return false;
    }
    if (tofu_dir.len && !in->clirc_name.len &&
        !read_clirc(in, io_join(in->arena, tofu_dir, STR("tofurc")), err))
        return false;
    if (home && *home && !read_clirc_dir(in, arena_printf(in->arena, "%s/.terraform.d", home), err))
        return false;
    return !tofu_dir.len || read_clirc_dir(in, tofu_dir, err);
}

static bool open_reattach(struct locator *in, struct err *err)
{
    const char *text = in->env("TF_REATTACH_PROVIDERS");
    in->reattach = value_null();
    if (!text || !*text)
        return true;
    if (!json_parse(in->arena, str_from(text), "TF_REATTACH_PROVIDERS", JSON_COPY, &in->reattach,
                    err))
        return false;
    return value_is_object_like(&in->reattach) ||
           err_set(err, ERR_SYNTAX, "TF_REATTACH_PROVIDERS must be a JSON object");
}

static void open_lock(struct locator *in)
{
    struct err err = {0};
    char buf[1024];
    struct str text, path = io_join(in->arena, in->root, STR(".terraform.lock.hcl"));
    if (!path.ptr || !io_exists(path.ptr))
        return;
    if (io_read_file(in->arena, path.ptr, CONFIG_BYTES_MAX, &text, &err) &&
        lockfile_parse(in->arena, text, path.ptr, &in->lock, &err))
        return;
    in->lock_error = arena_dup(in->arena, str_from(err_text(&err, buf, sizeof buf)));
}

bool locate_open(struct arena *arena, const struct stack *stack,
                 const char *(*env)(const char *name), struct locator *ret, struct err *err)
{
    struct locator in = {.arena = arena, .env = env, .root = stack->path};
    if (in.root.len == 0)
        in.root = STR(".");
    struct str data_dir = stack->data_dir;
    if (!data_dir.len)
        data_dir = str_from(env("TF_DATA_DIR"));
    in.data_dir = io_join(arena, in.root, data_dir.len ? data_dir : STR(".terraform"));
    in.platform = platform_of(arena);
    char *cwd = getcwd(NULL, 0);
    in.cwd = arena_dup(arena, str_from(cwd ? cwd : "."));
    free(cwd);
    if (!in.data_dir.ptr || !in.platform.ptr || !in.cwd.ptr)
        return arena_full(arena, err);
    if (!open_clirc(&in, err) || !open_reattach(&in, err))
        return false;
    open_lock(&in);
    *ret = in;
    return true;
}

/* --- finding --- */

static struct str type_of_source(struct str source)
{
    return io_basename(source);
}

/* The same provider at the other registry; ptr NULL where there is none. */
static struct str twin_of(struct arena *arena, struct str source)
{
    struct str rest = source, host;
    if (!str_cut(&rest, '/', &host))
        return (struct str){0};
    const char *other = str_equal(host, str_from(host_terraform))  ? host_opentofu
                        : str_equal(host, str_from(host_opentofu)) ? host_terraform
                                                                   : NULL;
    return other ? arena_printf(arena, "%s/%.*s", other, STR_ARG(rest)) : (struct str){0};
}

struct str locate_executable(const struct str *names, size_t n, struct str type)
{
    static const struct str prefix = STR_INIT("terraform-provider-");
    for (size_t i = 0; i < n; i++) {
        struct str rest = str_sub(names[i], prefix.len, names[i].len);
        if (!str_starts(names[i], prefix) || !str_starts(rest, type))
            continue;
        if (rest.len == type.len || rest.ptr[type.len] == '_' || rest.ptr[type.len] == '.')
            return names[i];
    }
    return (struct str){0};
}

/* Fill dir, binary and path if the directory holds the executable. */
static bool package_at(const struct locator *in, struct str dir, struct str type,
                       struct located *found)
{
    struct str *names = NULL;
    size_t n = 0;
    if (!dir.ptr || !io_is_dir(dir.ptr) ||
        !io_list_dir(in->arena, dir.ptr, NAMES_MAX, &names, &n, NULL))
        return false;
    struct str binary = locate_executable(names, n, type);
    struct str path = io_join(in->arena, in->cwd, io_join(in->arena, dir, binary));
    if (!binary.len || !path.ptr)
        return false;
    found->dir = dir;
    found->binary = binary;
    found->path = path;
    return true;
}

static bool find_reattach(const struct locator *in, struct str source, struct located *found)
{
    const struct value *entry = value_get(&in->reattach, source);
    const struct value *address = value_get(entry, STR("Addr"));
    struct locate_reattach *at = &found->reattach;
    if (!value_is_object_like(address))
        return false;
    at->network = value_get_string(address, STR("Network"));
    at->address = value_get_string(address, STR("String"));
    if (!value_to_int64(value_get(entry, STR("ProtocolVersion")), &at->protocol) ||
        at->protocol == 0)
        at->protocol = 5;
    (void)value_to_int64(value_get(entry, STR("Pid")), &at->pid);
    found->origin = LOCATE_REATTACH;
    found->note = arena_printf(in->arena,
                               "provider %.*s: the running process %lld of TF_REATTACH_PROVIDERS "
                               "is used, not checked against the lock file",
                               STR_ARG(source), (long long)at->pid);
    return at->address.len > 0;
}

static bool find_override(const struct locator *in, struct str source, struct located *found)
{
    for (size_t i = 0; i < in->clirc.noverrides; i++) {
        const struct clirc_override *override = &in->clirc.overrides[i];
        struct str key = override->source;
        if (str_find_char(key, '/', 0) == SIZE_MAX)
            key = arena_printf(in->arena, "hashicorp/%.*s", STR_ARG(key));
        struct str dir = arena_dup(in->arena, override->dir);
        if (!clirc_source_matches(key, source) ||
            !package_at(in, dir, type_of_source(source), found))
            continue;
        found->origin = LOCATE_OVERRIDE;
        found->note = arena_printf(in->arena,
                                   "provider %.*s: the development override %s is in effect, not "
                                   "checked against the lock file",
                                   STR_ARG(source), dir.ptr);
        return true;
    }
    return false;
}

static bool mirror_serves(const struct clirc_mirror *mirror, struct str source)
{
    bool in = mirror->ninclude == 0;
    for (size_t i = 0; i < mirror->ninclude; i++)
        in = in || clirc_source_matches(mirror->include[i], source);
    for (size_t i = 0; i < mirror->nexclude; i++)
        in = in && !clirc_source_matches(mirror->exclude[i], source);
    return in;
}

/* BASE/HOST/NS/TYPE/VERSION/OS_ARCH; *ret_zip is a packed one met on the way. */
static bool find_below(const struct locator *in, struct str base, struct str source,
                       struct str version, struct located *found, struct str *ret_zip)
{
    struct str type = type_of_source(source);
    struct str dir = arena_printf(in->arena, "%.*s/%.*s/%.*s/%.*s", STR_ARG(base), STR_ARG(source),
                                  STR_ARG(version), STR_ARG(in->platform));
    if (package_at(in, dir, type, found))
        return true;
    struct str zip =
        arena_printf(in->arena, "%.*s/%.*s/terraform-provider-%.*s_%.*s_%.*s.zip", STR_ARG(base),
                     STR_ARG(source), STR_ARG(type), STR_ARG(version), STR_ARG(in->platform));
    if (zip.ptr && io_exists(zip.ptr))
        *ret_zip = zip;
    return false;
}

/* Directories that Terraform and OpenTofu search without being told. */
static bool find_implied(const struct locator *in, struct str source, struct str version,
                         struct located *found, struct str *ret_zip)
{
    const char *home = in->env("HOME");
    struct str places[7] = {io_join(in->arena, in->root, STR("terraform.d/plugins"))};
    size_t n = 1;
    if (home && *home) {
        places[n++] = arena_printf(in->arena, "%s/.terraform.d/plugins", home);
        places[n++] = arena_printf(in->arena, "%s/.local/share/terraform/plugins", home);
        places[n++] = arena_printf(in->arena, "%s/.local/share/opentofu/plugins", home);
    }
    places[n++] = STR("/usr/local/share/terraform/plugins");
    places[n++] = STR("/usr/share/terraform/plugins");
    for (size_t i = 0; i < n; i++)
        if (places[i].ptr && find_below(in, places[i], source, version, found, ret_zip))
            return true;
    return false;
}

static bool find_installed(const struct locator *in, struct str source, struct str version,
                           struct located *found, struct str *ret_zip)
{
    struct str installed = io_join(in->arena, in->data_dir, STR("providers"));
    const char *cache = in->env("TF_PLUGIN_CACHE_DIR");
    struct str cache_dir = cache && *cache ? str_from(cache) : in->clirc.plugin_cache_dir;
    if (find_below(in, installed, source, version, found, ret_zip))
        return true;
    if (cache_dir.len && find_below(in, cache_dir, source, version, found, ret_zip))
        return true;
    for (size_t i = 0; i < in->clirc.nmirrors; i++) {
        const struct clirc_mirror *mirror = &in->clirc.mirrors[i];
        if (mirror_serves(mirror, source) &&
            find_below(in, mirror->path, source, version, found, ret_zip))
            return true;
    }
    return find_implied(in, source, version, found, ret_zip);
}

/* The only version below .terraform/providers/SOURCE, where the lock file has no word on it. */
static struct str only_version(const struct locator *in, struct str source)
{
    struct str *names = NULL;
    size_t n = 0;
    struct str dir =
        arena_printf(in->arena, "%.*s/providers/%.*s", STR_ARG(in->data_dir), STR_ARG(source));
    if (!dir.ptr || !io_is_dir(dir.ptr) ||
        !io_list_dir(in->arena, dir.ptr, NAMES_MAX, &names, &n, NULL) || n != 1)
        return (struct str){0};
    return names[0];
}

static bool find_one(const struct locator *in, struct str source, struct located *ret,
                     struct str *ret_zip)
{
    struct located found = {.source = source};
    if (find_reattach(in, source, &found) || find_override(in, source, &found)) {
        *ret = found;
        return true;
    }
    found.lock = lockfile_find(&in->lock, source);
    found.version = found.lock ? found.lock->version : only_version(in, source);
    bool leads_out =
        str_find_char(found.version, '/', 0) != SIZE_MAX || str_starts(found.version, STR("."));
    if (!found.version.len || leads_out ||
        !find_installed(in, source, found.version, &found, ret_zip))
        return false;
    *ret = found;
    return true;
}

/* HOST/NS/TYPE and nothing that could lead out of the folder: states are foreign input. */
static bool is_source(struct str source)
{
    struct str part, rest = source;
    size_t parts = 0;
    for (size_t i = 0; i < source.len; i++) {
        unsigned char c = (unsigned char)source.ptr[i];
        if (c <= ' ' || c == '\\' || c == 0x7f)
            return false;
    }
    for (; rest.len; parts++) {
        (void)str_cut(&rest, '/', &part);
        if (!part.len || part.ptr[0] == '.')
            return false;
    }
    return parts == 3;
}

bool locate_find(const struct locator *locator, struct str source, struct located *ret,
                 struct err *err)
{
    if (!is_source(source))
        return err_set(err, ERR_SYNTAX,
                       "\"%.*s\" is not a provider's address (HOST/NAMESPACE/TYPE)",
                       STR_ARG(source));
    struct str zip = {0}, twin = twin_of(locator->arena, source);
    if (find_one(locator, source, ret, &zip) || (twin.ptr && find_one(locator, twin, ret, &zip)))
        return true;
    if (zip.len)
        return err_set(err, ERR_UNSUPPORTED,
                       "provider %.*s is only there as a packed archive (%s): run `tofu init` or "
                       "`terraform init` in %.*s, which unpacks it",
                       STR_ARG(source), zip.ptr, STR_ARG(locator->root));
    const struct lock_entry *lock = lockfile_find(&locator->lock, source);
    return err_set(err, ERR_UNAVAILABLE,
                   "provider %.*s%s%.*s is not installed in %.*s: run `tofu init` or `terraform "
                   "init` in %.*s",
                   STR_ARG(source), lock ? " " : "", STR_ARG(lock ? lock->version : STR("")),
                   STR_ARG(locator->data_dir), STR_ARG(locator->root));
}

bool locate_has(const struct stack *stack, const char *(*env)(const char *name), struct str source)
{
    AUTO_ARENA arena = {.limit = 16 << 20};
    struct locator in;
    struct located found;
    return locate_open(&arena, stack, env, &in, NULL) && locate_find(&in, source, &found, NULL);
}

/* --- checking --- */

static bool check_lock(const struct locator *in, const struct located *found, struct str hash,
                       struct err *err)
{
    if (in->lock_error.len)
        return err_set(err, ERR_CONFLICT, "%s", in->lock_error.ptr);
    if (!found->lock)
        return err_set(err, ERR_CONFLICT,
                       "provider %.*s is not in %.*s/.terraform.lock.hcl: run `tofu init` or "
                       "`terraform init` there",
                       STR_ARG(found->source), STR_ARG(in->root));
    if (found->lock->nhashes == 0 || lock_entry_has(found->lock, hash))
        return true;
    if (lock_entry_count(found->lock, STR("h1:")) == 0)
        return err_set(err, ERR_CONFLICT,
                       "provider %.*s %.*s: the lock file has no h1: hash to check the unpacked "
                       "files with (zh: hashes are of the archive): run `tofu providers lock` or "
                       "`terraform providers lock`",
                       STR_ARG(found->source), STR_ARG(found->version));
    return err_set(err, ERR_CONFLICT,
                   "provider %.*s %.*s in %s does not match any of the checksums in "
                   ".terraform.lock.hcl (it has %.*s): install it again with `tofu init` or "
                   "`terraform init`, or pass --allow-provider-mismatch if the change is yours",
                   STR_ARG(found->source), STR_ARG(found->version), found->dir.ptr, STR_ARG(hash));
}

bool locate_verify(const struct locator *locator, const struct located *found, struct str cache_dir,
                   struct digest *ret_binary, struct err *err)
{
    if (found->origin == LOCATE_REATTACH) {
        memset(ret_binary, 0, sizeof *ret_binary);
        return true;
    }
    if (found->origin == LOCATE_OVERRIDE)
        return filedigest_get(cache_dir, found->path.ptr, time(NULL), ret_binary, err);
    struct str hash;
    if (!dirhash_h1(locator->arena, found->dir.ptr, found->binary, cache_dir, &hash, ret_binary,
                    err))
        return false;
    return check_lock(locator, found, hash, err);
}
