/* output.c - reports to standard output and to files. */
#include "cli/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cli/command.h"

enum { FORMATS_MAX = 64 };

const char *const output_names[] = {"text",     "json",   "sarif",  "junit",
                                    "markdown", "gitlab", "github", NULL};

static const struct format *format_named(struct str name)
{
    size_t n;
    const struct format *const *formats = report_formats(&n);
    for (size_t i = 0; i < n; i++)
        if (str_equal(str_from(formats[i]->name), name))
            return formats[i];
    return NULL;
}

static bool unknown_format(struct str text, struct err *err)
{
    struct str names[FORMATS_MAX] = {0}, head, rest = text;
    size_t n, count = 0;
    const struct format *const *formats = report_formats(&n);
    AUTO_ARENA arena = {.limit = 1 << 16};
    struct str all = STR("");
    for (; count < n && count < FORMATS_MAX; count++) {
        names[count] = str_from(formats[count]->name);
        all =
            arena_printf(&arena, "%.*s%s%s", STR_ARG(all), count ? ", " : "", formats[count]->name);
    }
    (void)str_cut(&rest, '=', &head);
    struct str near = str_nearest(head, names, count);
    return err_set(err, ERR_USAGE, "--output: no format '%.*s'%s%.*s%s; one of %.*s", STR_ARG(head),
                   near.len ? " (did you mean '" : "", STR_ARG(near), near.len ? "'?)" : "",
                   STR_ARG(all));
}

static bool parse_one(struct arena *arena, struct str text, struct output *ret, struct err *err)
{
    struct str file = text, head;
    bool has_file = str_cut(&file, '=', &head);
    const struct format *format = format_named(head);
    if (!format) {
        bool is_path = str_find_char(text, '.', 0) != SIZE_MAX;
        format = is_path ? report_find(text) : NULL;
        file = text;
    } else if (has_file && !file.len) {
        return err_set(err, ERR_USAGE, "--output: a file is missing behind '%.*s'", STR_ARG(text));
    }
    if (!format)
        return unknown_format(text, err);
    file = str_equal(file, STR("-")) ? STR("") : arena_dup(arena, file);
    if (!file.ptr)
        return arena_full(arena, err);
    struct str dir = arena_dup(arena, io_dirname(file));
    if (file.len && (!dir.ptr || !io_is_dir(dir.ptr)))
        return err_set(err, ERR_IO, "--output: no folder %.*s", STR_ARG(io_dirname(file)));
    *ret = (struct output){format, file};
    return true;
}

bool outputs_parse(struct arena *arena, const struct option_value *value, struct str fallback,
                   struct outputs *ret, struct err *err)
{
    const struct str *list = value->nlist ? value->list : &fallback;
    size_t n = value->nlist ? value->nlist : 1;
    struct output *output = arena_new(arena, struct output, n);
    struct outputs outputs = {.output = output, .n = n};
    if (!output)
        return arena_full(arena, err);
    for (size_t i = 0; i < n; i++) {
        if (!parse_one(arena, list[i], &output[i], err))
            return false;
        if (output[i].file.len)
            continue;
        if (outputs.on_stdout)
            return err_set(
                err, ERR_USAGE,
                "--output: %s and %s both go to standard output; give one a file: %s=FILE",
                outputs.on_stdout->name, output[i].format->name, output[i].format->name);
        outputs.on_stdout = output[i].format;
    }
    *ret = outputs;
    return true;
}

/* Permissions as open() would give them: what was asked for less the umask. */
static unsigned file_mode(void)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return 0666u & ~(unsigned)mask;
}

static bool write_file(struct str file, struct str bytes, struct err *err)
{
    struct stat st;
    if (stat(file.ptr, &st) < 0 || S_ISREG(st.st_mode))
        return io_write_file_atomic(file.ptr, bytes, file_mode(), err);
    AUTO_FD fd = open(file.ptr, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_IO, "%s cannot be written", file.ptr);
    return io_write_all(fd, bytes, err) || err_wrap(err, "%s", file.ptr);
}

/* One of both results. */
struct result {
    const struct scan_result *scan;
    const struct check_result *check;
};

static bool write_one(void *ctx, const struct format *format, struct buf *out,
                      const struct report_options *options, struct err *err)
{
    const struct result *result = ctx;
    return result->scan ? format->write(out, result->scan, options, err)
                        : format->write_issues(out, result->check, options, err);
}

bool outputs_write_with(const struct outputs *outputs, FILE *out,
                        bool (*write)(void *ctx, const struct format *format, struct buf *out,
                                      const struct report_options *options, struct err *err),
                        void *ctx, const struct report_options *options, struct err *err)
{
    for (size_t i = 0; i < outputs->n; i++) {
        const struct output *output = &outputs->output[i];
        struct report_options own = *options;
        AUTO_BUF buf = {.limit = SIZE_MAX / 4};
        if (output->file.len) {
            own.colour = false;
            own.stream = false;
            own.width = 0;
        }
        if (!write(ctx, output->format, &buf, &own, err) || !buf_ok(&buf, err))
            return err_wrap(err, "report %s", output->format->name);
        if (output->file.len && !write_file(output->file, buf_view(&buf), err))
            return false;
        if (!output->file.len && buf.len && fwrite(buf.ptr, 1, buf.len, out) != buf.len)
            return err_set(err, ERR_IO, "write the report to standard output");
    }
    return true;
}

bool outputs_write(const struct outputs *outputs, FILE *out, const struct scan_result *result,
                   const struct report_options *options, struct err *err)
{
    struct result any = {.scan = result};
    return outputs_write_with(outputs, out, write_one, &any, options, err);
}

bool outputs_write_issues(const struct outputs *outputs, FILE *out,
                          const struct check_result *result, const struct report_options *options,
                          struct err *err)
{
    struct result any = {.check = result};
    return outputs_write_with(outputs, out, write_one, &any, options, err);
}
