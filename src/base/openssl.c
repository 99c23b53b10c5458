/* openssl.c - libcrypto and libssl by dlopen. */
#define OPENSSL_NAMES_AS_THEY_ARE
#include "base/openssl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/library.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)
#define SO(name) name ".so." TEXT(OPENSSL_SHLIB_VERSION)

/* Of the process, as the libraries are; written under `loading`. */
struct openssl_loaded openssl_loaded;
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

#define X(name) #name "\0"
static const struct library crypto_library = {SO("libcrypto") "\0", OPENSSL_CRYPTO(X), ""};
static const struct library tls_library = {SO("libssl") "\0", OPENSSL_TLS(X), ""};
#undef X

/* Pointers to functions, read-only from here on; NULL with err. */
static const void *load(const struct library *library, size_t size, struct err *err)
{
    void *functions = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (functions == MAP_FAILED) {
        (void)err_set(err, ERR_LIMIT, "out of memory");
        return NULL;
    }
    if (!library_load(library, functions, size, err)) {
        (void)err_set(err, ERR_UNAVAILABLE, "OpenSSL cannot be loaded: %s (apt install libssl3)",
                      dlerror());
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
    if (!crypto && (crypto = load(&crypto_library, sizeof *crypto, err)))
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
    if (!tls && (tls = load(&tls_library, sizeof *tls, err)))
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
