/* err.c - formatting into the fixed frames of struct err. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that did not fit ends in "..." and never inside a UTF-8 character. */
static void fit(char *text, size_t room, int len)
{
    if (len < 0) {
        text[0] = '\0';
        return;
    }
    if ((size_t)len < room)
        return;
    size_t at = room - 4;
    while (at && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    memcpy(text + at, "...", 4);
}

bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    char text[ERR_TEXT_MAX]; /* an argument may be a frame of this very err */
    if (!err)
        return false;
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    fit(text, sizeof text, len);
    memcpy(err->frame[0], text, sizeof text);
    err->kind = kind;
    err->nframes = 1;
    return false;
}

bool err_wrap(struct err *err, const char *fmt, ...)
{
    if (!err || err->nframes >= ERR_FRAMES_MAX)
        return false;
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(err->frame[err->nframes], ERR_TEXT_MAX, fmt, args);
    va_end(args);
    fit(err->frame[err->nframes], ERR_TEXT_MAX, len);
    err->nframes++;
    return false;
}

const char *err_text(const struct err *err, char *buf, size_t room)
{
    size_t at = 0;
    if (room == 0)
        return buf;
    buf[0] = '\0';
    for (unsigned i = err->nframes; i-- > 0 && at < room;) {
        int len = snprintf(buf + at, room - at, "%s%s", err->frame[i], i ? ": " : "");
        if (len < 0)
            break;
        if ((size_t)len >= room - at) {
            if (room >= 4)
                fit(buf, room, (int)room);
            break;
        }
        at += (size_t)len;
    }
    return buf;
}

void err_clear(struct err *err)
{
    if (err) {
        err->kind = ERR_NONE;
        err->nframes = 0;
    }
}
