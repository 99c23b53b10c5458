/* err.h - why a call failed: the cause, then what each caller was doing. Never allocates. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* What a caller may act on; the text is for people. */
enum err_kind {
    ERR_NONE,
    ERR_USAGE,       /* the command line or configuration asks for something impossible */
    ERR_IO,          /* a file, pipe or socket of this machine */
    ERR_SYNTAX,      /* bytes that are not what they should be */
    ERR_LIMIT,       /* a size, depth, time or memory bound */
    ERR_CONFLICT,    /* two things that exclude each other: a hash mismatch, a newer version */
    ERR_REMOTE,      /* the other side answered with an error */
    ERR_UNAVAILABLE, /* the other side is gone or never came */
    ERR_TIMEOUT,
    ERR_UNSUPPORTED, /* understood, and not something plumb or the other side can do */
    ERR_CANCELLED,
};

enum { ERR_FRAMES_MAX = 6, ERR_TEXT_MAX = 480 };
struct err {
    enum err_kind kind;
    unsigned nframes;
    char frame[ERR_FRAMES_MAX][ERR_TEXT_MAX]; /* cause first */
};

/* Both give false, so that a failing function ends with `return err_set(...)`. err may be NULL. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "outermost: ...: cause" into buf, always terminated, cut at a character; returns buf. */
const char *err_text(const struct err *err, char *buf, size_t room);
/* Forget, so that the same struct can be filled again. */
void err_clear(struct err *err);
