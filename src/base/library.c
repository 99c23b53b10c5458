/* library.c - functions of shared libraries by dlopen and dlsym. */
#include "base/library.h"

#include <assert.h>
#include <dlfcn.h>
#include <string.h>

#include "base/err.h"

static_assert(sizeof(void *) == sizeof(void (*)(void)), "dlsym gives functions, too");

bool library_load(const struct library *library, void *ret, size_t size, struct err *err)
{
    const char *file = library->files, *name = library->names;
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    while (!handle && *(file += strlen(file) + 1))
        handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle)
        return err_set(err, ERR_UNAVAILABLE, "%s", library->missing);
    size_t n = 0;
    for (; *name; n++, name += strlen(name) + 1) {
        void *function = dlsym(handle, name);
        if (!function)
            return err_set(err, ERR_UNAVAILABLE, "%s has no %s", file, name);
        assert((n + 1) * sizeof function <= size);
        memcpy((char *)ret + n * sizeof function, &function, sizeof function);
    }
    assert(n * sizeof(void *) == size);
    return true;
}
