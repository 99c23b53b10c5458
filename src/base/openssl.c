/* openssl.c - libcrypto and libssl by dlopen. */
#define OPENSSL_NAMES_AS_THEY_ARE
#include "base/openssl.h"

#include <assert.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define SO(name) name ".so." TEXT(OPENSSL_SHLIB_VERSION)

/* Of the process, as the libraries are; written under `loading`. */
struct openssl_loaded openssl_loaded;
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

/* The names one after the other, each with its NUL: no pointers that a start has to relocate. */
#define X(name) #name "\0"
static const char crypto_names[] = OPENSSL_CRYPTO(X);
static const char tls_names[] = OPENSSL_TLS(X);
#undef X

/* n pointers to functions, read-only from here on; NULL with err. The library stays: its exit
 * handlers need it. */
static const void *load(const char *file, const char *name, size_t n, struct err *err)
{
    static_assert(sizeof(void *) == sizeof(void (*)(void)), "dlsym gives functions, too");
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) {
        (void)err_set(err, ERR_UNAVAILABLE, "OpenSSL cannot be loaded: %s (apt install libssl3)",
                      dlerror());
        return NULL;
    }
    size_t size = n * sizeof(void *);
    void **functions = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (functions == MAP_FAILED) {
        (void)err_set(err, ERR_LIMIT, "out of memory");
        return NULL;
    }
    for (size_t i = 0; i < n; i++, name += strlen(name) + 1)
        if (!(functions[i] = dlsym(library, name))) {
            (void)err_set(err, ERR_UNAVAILABLE, "%s has no %s: plumb needs OpenSSL 3.0 or newer",
                          file, name);
            (void)munmap(functions, size);
            return NULL;
        }
    (void)mprotect(functions, size, PROT_READ);
    return functions;
}

bool openssl_load_crypto(struct err *err)
{
    if (atomic_load_explicit(&openssl_loaded.crypto, memory_order_acquire))
        return true;
    (void)pthread_mutex_lock(&loading);
    const struct openssl_crypto *crypto = openssl_loaded.crypto;
    if (!crypto && (crypto = load(SO("libcrypto"), crypto_names,
                                  sizeof(struct openssl_crypto) / sizeof(void *), err)))
        atomic_store_explicit(&openssl_loaded.crypto, crypto, memory_order_release);
    (void)pthread_mutex_unlock(&loading);
    return crypto != NULL;
}

bool openssl_load_tls(struct err *err)
{
    if (atomic_load_explicit(&openssl_loaded.tls, memory_order_acquire))
        return true;
    (void)pthread_mutex_lock(&loading);
    const struct openssl_tls *tls = openssl_loaded.tls;
    if (!tls &&
        (tls = load(SO("libssl"), tls_names, sizeof(struct openssl_tls) / sizeof(void *), err)))
        atomic_store_explicit(&openssl_loaded.tls, tls, memory_order_release);
    (void)pthread_mutex_unlock(&loading);
    return tls != NULL;
}

static _Noreturn void stop(const struct err *err)
{
    (void)fprintf(stderr, "plumb: %s\n", err->frame[0]);
    _exit(1);
}

const struct openssl_crypto *openssl_need_crypto(void)
{
    struct err err = {0};
    if (!openssl_load_crypto(&err))
        stop(&err);
    return openssl_loaded.crypto;
}

const struct openssl_tls *openssl_need_tls(void)
{
    struct err err = {0};
    if (!openssl_load_tls(&err))
        stop(&err);
    return openssl_loaded.tls;
}
