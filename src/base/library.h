/* library.h - a shared library that is loaded when it is first needed, its functions by name.
 *
 * Most commands need none, and loading costs more than all else of a start.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct err;

struct library {
    const char *files;   /* each with its NUL, the last with two: the first that is there */
    const char *names;   /* of functions, likewise: no pointers that a start has to relocate */
    const char *missing; /* what is said where none of the files is there */
};

/*
 * Load it and find its functions; it stays loaded, for it may have threads and exit handlers.
 * ret   a struct of as many pointers to functions as there are names, in their order
 * Fails with ERR_UNAVAILABLE; dlerror() then has the linker's own words.
 */
bool library_load(const struct library *library, void *ret, size_t size, struct err *err);
