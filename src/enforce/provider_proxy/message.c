/* message.c - frames and protobuf behind message.h. */
#include "enforce/provider_proxy/message.h"

#include "base/arena.h"
#include "base/err.h"
#include "wire/protobuf.h"

bool message_of_body(struct str body, struct str *ret, struct err *err)
{
    const unsigned char *p = (const unsigned char *)body.ptr;
    if (body.len < GRPC_PREFIX)
        return err_set(err, ERR_SYNTAX, "a request without a message");
    if (p[0] != 0)
        return err_set(err, ERR_SYNTAX, "a compressed request");
    size_t len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    if (len != body.len - GRPC_PREFIX)
        return err_set(err, ERR_SYNTAX, "a request of %zu bytes that says %zu",
                       body.len - GRPC_PREFIX, len);
    *ret = str_sub(body, GRPC_PREFIX, body.len);
    return true;
}

size_t message_open(struct buf *out)
{
    size_t mark = out->len;
    buf_str(out, (struct str){"\0\0\0\0\0", GRPC_PREFIX});
    return mark;
}

void message_close(struct buf *out, size_t mark)
{
    if (out->failed)
        return;
    size_t len = out->len - mark - GRPC_PREFIX;
    unsigned char *p = (unsigned char *)out->ptr + mark;
    p[1] = (unsigned char)(len >> 24);
    p[2] = (unsigned char)(len >> 16);
    p[3] = (unsigned char)(len >> 8);
    p[4] = (unsigned char)len;
}

struct apply_fields {
    struct str type, prior, planned, config, private_bytes, identity;
};
static const struct pb_rule apply_rules[] = {
    PB_RULE(1, PB_STRING, struct apply_fields, type),
    PB_RULE(2, PB_MESSAGE, struct apply_fields, prior),
    PB_RULE(3, PB_MESSAGE, struct apply_fields, planned),
    PB_RULE(4, PB_MESSAGE, struct apply_fields, config),
    PB_RULE(5, PB_BYTES, struct apply_fields, private_bytes),
    PB_RULE(7, PB_MESSAGE, struct apply_fields, identity),
};
static const struct pb_message apply_message = {"ApplyResourceChange", apply_rules,
                                                sizeof apply_rules / sizeof *apply_rules};

struct dynamic_fields {
    struct str msgpack;
};
static const struct pb_rule dynamic_rules[] = {
    PB_RULE(1, PB_BYTES, struct dynamic_fields, msgpack),
};
static const struct pb_message dynamic_message = {"DynamicValue", dynamic_rules, 1};

static bool take_dynamic(struct arena *arena, struct str message, struct str *ret, struct err *err)
{
    struct dynamic_fields got = {0};
    if (message.ptr && !pb_decode(arena, &dynamic_message, message, &got, err))
        return false;
    if (message.len && !got.msgpack.len) /* JSON, which Terraform never sends: not to be judged */
        return err_set(err, ERR_UNSUPPORTED, "a value that is not in MessagePack");
    *ret = got.msgpack;
    return true;
}

bool apply_parse(struct arena *arena, struct str message, struct apply_request *ret,
                 struct err *err)
{
    struct apply_fields got = {0};
    struct apply_request request = {0};
    if (!pb_decode(arena, &apply_message, message, &got, err) ||
        !take_dynamic(arena, got.prior, &request.prior, err) ||
        !take_dynamic(arena, got.planned, &request.planned, err) ||
        !take_dynamic(arena, got.config, &request.config, err))
        return false;
    request.type = got.type;
    request.prior_message = got.prior;
    request.identity_message = got.identity;
    request.private_bytes = got.private_bytes;
    *ret = request;
    return true;
}

/* The version of Terraform (1) is passed over. */
static const struct pb_rule configure_rules[] = {
    PB_RULE(2, PB_MESSAGE, struct apply_fields, config),
};
static const struct pb_message configure_message = {"ConfigureProvider", configure_rules, 1};

bool configure_parse(struct arena *arena, struct str message, struct str *ret, struct err *err)
{
    struct apply_fields got = {0};
    return pb_decode(arena, &configure_message, message, &got, err) &&
           take_dynamic(arena, got.config, ret, err);
}

enum { NEW_STATE = 1, PRIVATE = 2, DIAGNOSTICS = 3, LEGACY = 4, NEW_IDENTITY = 5 };
enum { SEVERITY = 1, SUMMARY = 2, DETAIL = 3, SEVERITY_ERROR = 1 };

void apply_refuse(struct buf *out, const struct apply_request *request, struct str summary,
                  struct str detail)
{
    bool exists = request->prior.len && request->prior.ptr[0] != '\xc0';
    if (request->prior_message.ptr)
        pb_put_message(out, NEW_STATE, request->prior_message);
    pb_put_bytes(out, PRIVATE, request->private_bytes);
    size_t mark = pb_open(out, DIAGNOSTICS);
    pb_put_int(out, SEVERITY, SEVERITY_ERROR);
    pb_put_bytes(out, SUMMARY, summary);
    pb_put_bytes(out, DETAIL, detail);
    pb_close(out, mark);
    pb_put_bool(out, LEGACY, true); /* the state is as it was, whatever was planned */
    if (exists && request->identity_message.ptr)
        pb_put_message(out, NEW_IDENTITY, request->identity_message);
}

void message_text(struct buf *out, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= ' ' && c < 0x7f && c != '%') {
            buf_char(out, (char)c);
            continue;
        }
        buf_char(out, '%');
        buf_char(out, hex[c >> 4]);
        buf_char(out, hex[c & 15]);
    }
}
