/* curl.c - libcurl's easy interface by dlopen. */
#include "wire/curl.h"

#include <string.h>

#include "base/library.h"

struct curl_blob {
    void *data;
    size_t len;
    unsigned flags; /* 1 = copied */
};

bool curl_load(struct curl *curl, struct err *err)
{
    static const struct library library = {
        .files = "libcurl.so.4\0libcurl-gnutls.so.4\0",
        .names = "curl_easy_init\0curl_easy_setopt\0curl_easy_perform\0"
                 "curl_easy_getinfo\0curl_easy_cleanup\0curl_easy_strerror\0",
        .missing = "HTTP and mail need libcurl, which is not installed (apt install libcurl4)"};
    return library_load(&library, curl, sizeof *curl, err);
}

void curl_set_blob(const struct curl *curl, void *easy, enum curl_option option, struct str pem)
{
    struct curl_blob blob = {.len = pem.len, .flags = 1};
    if (!pem.len)
        return;
    memcpy(&blob.data, &pem.ptr, sizeof pem.ptr); /* copied by libcurl, not written to */
    (void)curl->setopt(easy, (int)option, &blob);
}
