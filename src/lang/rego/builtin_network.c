/* builtin_network.c - http.send and net.lookup_ip_addr: off, except for hosts that the program
 * that embeds the language has granted (struct rego_host). Addresses and localhost need no grant.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/rego/builtin.h"
#include "lang/rego/request.h"
#include "wire/http.h"
#include "wire/json.h"

enum { ADDRESSES_MAX = 64, ANSWER_MAX = 16 << 20 };

static bool granted(const struct rego_call *call, struct str host)
{
    for (size_t i = 0; call->host && i < call->host->nhosts; i++)
        if (str_equal(call->host->hosts[i], host))
            return true;
    return false;
}

/* --- names --- */

static struct value address_text(struct rego_call *call, const struct sockaddr *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    const void *bytes = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
    if (address->sa_family == AF_INET6) {
        const struct in6_addr *six =
            &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        if (!IN6_IS_ADDR_V4MAPPED(six)) {
            (void)inet_ntop(AF_INET6, six, text, sizeof text);
            return value_string(arena_dup(call->arena, str_from(text)));
        }
        bytes = &six->s6_addr[12];
    }
    (void)inet_ntop(AF_INET, bytes, text, sizeof text);
    return value_string(arena_dup(call->arena, str_from(text)));
}

static enum rego_outcome lookup_ip_addr(struct rego_call *call, struct value *ret)
{
    struct str name = arena_dup(call->arena, value_text(call->arg));
    struct value *items = arena_new(call->arena, struct value, ADDRESSES_MAX);
    struct addrinfo *found = NULL, hints = {.ai_socktype = SOCK_STREAM};
    unsigned char address[sizeof(struct in6_addr)];
    size_t n = 0;
    if (!name.ptr || !items)
        return REGO_HALT;
    bool literal =
        inet_pton(AF_INET, name.ptr, address) == 1 || inet_pton(AF_INET6, name.ptr, address) == 1;
    if (!literal && !str_equal(name, STR("localhost")) && !granted(call, name))
        return rego_refuse(call, "lookup %.*s: the host is not in the list of allowed hosts",
                           STR_ARG(name));
    hints.ai_flags = literal ? AI_NUMERICHOST : 0;
    int code = getaddrinfo(name.ptr, NULL, &hints, &found);
    if (code)
        return rego_fail(call, "lookup %.*s: %s", STR_ARG(name), gai_strerror(code));
    for (const struct addrinfo *at = found; at && n < ADDRESSES_MAX; at = at->ai_next)
        if (at->ai_family == AF_INET || at->ai_family == AF_INET6)
            items[n++] = address_text(call, at->ai_addr);
    freeaddrinfo(found);
    for (size_t i = 0; i < n; i++)
        if (!items[i].text)
            return REGO_HALT;
    *ret = rego_make_set(items, n);
    return REGO_DEFINED;
}

/* --- requests --- */

static const struct value *member(const struct value *request, const char *name)
{
    struct value key = value_string(str_from(name));
    return rego_get(request, &key);
}

/* https://user@host:port/path gives host. */
static struct str host_of(struct str url)
{
    size_t at = str_find(url, STR("://"), 0);
    url = at == SIZE_MAX ? url : str_sub(url, at + 3, url.len);
    for (size_t i = 0; i < url.len; i++)
        if (strchr("/?#\\", url.ptr[i])) {
            url = str_sub(url, 0, i);
            break;
        }
    at = str_find_char(url, '@', 0);
    url = at == SIZE_MAX ? url : str_sub(url, at + 1, url.len);
    bool six = url.len && url.ptr[0] == '[';
    at = str_find_char(url, six ? ']' : ':', 0);
    return six ? str_sub(url, 1, at) : str_sub(url, 0, at);
}

/* What a program without a general client cannot do is refused, never left out in silence. */
static enum rego_outcome check_supported(struct rego_call *call, const struct value *request)
{
    static const char *const others[] = {"body",
                                         "headers",
                                         "raw_body",
                                         "tls_ca_cert",
                                         "tls_client_cert",
                                         "tls_client_key",
                                         "tls_ca_cert_file",
                                         "tls_client_cert_file",
                                         "tls_client_key_file",
                                         "tls_server_name",
                                         "tls_ca_cert_env_variable",
                                         "tls_client_cert_env_variable",
                                         "tls_client_key_env_variable"};
    const struct value *method = member(request, "method"), *url = member(request, "url");
    if (!value_is_string(method) || !value_is_string(url))
        return rego_fail(call, "operand 1 must have a method and a url that are strings");
    struct str name = value_text(method);
    if (!str_equal(name, STR("get")) && !str_equal(name, STR("GET")))
        return rego_refuse(call, "only requests with the method GET can be sent");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (member(request, others[i]))
            return rego_refuse(call, "requests with \"%s\" cannot be sent", others[i]);
    return REGO_DEFINED;
}

static enum rego_outcome answer_object(struct rego_call *call, const struct http_answer *answer,
                                       struct value *ret)
{
    struct value body = value_null();
    struct rego_pair *pairs = arena_new(call->arena, struct rego_pair, 3);
    size_t clash;
    if (!pairs)
        return REGO_HALT;
    (void)json_parse(call->arena, answer->body, "body", JSON_DUPLICATES_LAST, &body, NULL);
    pairs[0] = (struct rego_pair){value_string(STR("body")), body};
    pairs[1] = (struct rego_pair){value_string(STR("raw_body")), value_string(answer->body)};
    pairs[2] = (struct rego_pair){value_string(STR("status_code")), value_int(answer->status)};
    return rego_make_object(pairs, 3, ret, &clash) ? REGO_DEFINED : REGO_HALT;
}

static enum rego_outcome send_request(struct rego_call *call, struct value *ret)
{
    const struct value *request = call->arg;
    struct err err = {0};
    struct http_answer answer;
    enum rego_outcome outcome = rego_check_request(call);
    if (outcome != REGO_DEFINED)
        return outcome;
    const struct value *target = member(request, "url");
    struct str url = value_is_string(target) ? value_text(target) : STR("");
    struct str host = host_of(url);
    if (!granted(call, host))
        return rego_refuse(call, "%.*s: the host is not in the list of allowed hosts",
                           STR_ARG(host));
    outcome = check_supported(call, request);
    if (outcome != REGO_DEFINED)
        return outcome;
    const struct value *insecure = member(request, "tls_insecure_skip_verify");
    url = arena_dup(call->arena, url);
    if (!url.ptr)
        return REGO_HALT;
    struct http_get get = {.url = url.ptr,
                           .skip_verify =
                               insecure && insecure->kind == VALUE_BOOL && insecure->truth,
                           .timeout_ms = 5000,
                           .max_bytes = ANSWER_MAX};
    if (!http_fetch(call->arena, &get, &answer, &err))
        return rego_fail(call, "%s", err.frame[0]);
    return answer_object(call, &answer, ret);
}

static const struct rego_builtin table[] = {
    {"http.send", NULL, "(object[string: any]) => object[any: any]", send_request,
     REGO_NONDETERMINISTIC},
    {"net.lookup_ip_addr", NULL, "(string) => set[string]", lookup_ip_addr, REGO_NONDETERMINISTIC},
};
const struct rego_family builtin_network = {table, sizeof table / sizeof *table};
