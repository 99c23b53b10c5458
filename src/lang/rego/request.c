/* request.c - checks of request objects. */
#include "lang/rego/request.h"

#include "base/arena.h"
#include "base/buf.h"

enum rego_outcome rego_fail_keys(struct rego_call *call, size_t operand, const char *what,
                                 struct value *key, size_t n)
{
    AUTO_BUF names = {.limit = 1 << 16};
    struct value set = rego_make_set(key, n);
    rego_text(&names, &set);
    call->why = arena_printf(call->arena, "operand %zu %s: %.*s", operand + 1, what,
                             STR_ARG(buf_view(&names)));
    call->type_error = true;
    return REGO_FAILED;
}

static const struct str members[] = {
    STR_INIT("method"),
    STR_INIT("url"),
    STR_INIT("body"),
    STR_INIT("enable_redirect"),
    STR_INIT("force_json_decode"),
    STR_INIT("force_yaml_decode"),
    STR_INIT("headers"),
    STR_INIT("raw_body"),
    STR_INIT("tls_use_system_certs"),
    STR_INIT("tls_ca_cert"),
    STR_INIT("tls_ca_cert_file"),
    STR_INIT("tls_ca_cert_env_variable"),
    STR_INIT("tls_client_cert"),
    STR_INIT("tls_client_cert_file"),
    STR_INIT("tls_client_cert_env_variable"),
    STR_INIT("tls_client_key"),
    STR_INIT("tls_client_key_file"),
    STR_INIT("tls_client_key_env_variable"),
    STR_INIT("tls_insecure_skip_verify"),
    STR_INIT("tls_server_name"),
    STR_INIT("timeout"),
    STR_INIT("cache"),
    STR_INIT("force_cache"),
    STR_INIT("force_cache_duration_seconds"),
    STR_INIT("raise_error"),
    STR_INIT("caching_mode"),
    STR_INIT("max_retry_attempts"),
    STR_INIT("cache_ignored_headers"),
};

static bool is_member(const struct value *key)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (key->kind == VALUE_STRING && str_equal(value_text(key), members[i]))
            return true;
    return false;
}

enum rego_outcome rego_check_request(struct rego_call *call)
{
    const struct value *request = &call->arg[0];
    struct value *odd = arena_new(call->arena, struct value, request->len + 1), key, v;
    struct value wanted[2] = {value_string(STR("method")), value_string(STR("url"))}, missing[2];
    size_t n = 0;
    if (!odd)
        return REGO_HALT;
    for (size_t at = 0; rego_next(request, &at, &key, &v);)
        if (!is_member(&key))
            odd[n++] = key;
    if (n)
        return rego_fail_keys(call, 0, "invalid request parameters(s)", odd, n);
    for (size_t i = 0; i < 2; i++)
        if (!rego_get(request, &wanted[i]))
            missing[n++] = wanted[i];
    return n ? rego_fail_keys(call, 0, "missing required request parameters(s)", missing, n)
             : REGO_DEFINED;
}
