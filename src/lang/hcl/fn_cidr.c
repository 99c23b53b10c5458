/* fn_cidr.c - IP networks: hosts, netmasks, subnets.
 *
 * Go's old net.ParseCIDR (leading zeros are decimal), go-cidr's arithmetic with its quirks (a
 * negative subnet number is not refused, IPv4 inside IPv6 counts as 32 bits), Go's printing.
 */
#include <gmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "lang/hcl/encode.h"
#include "lang/hcl/hcl_number.h"
#include "lang/hcl/ops.h"

enum { V4 = 4, V6 = 16, BITS_MAX = 4096 };

struct network {
    unsigned char ip[V6];
    size_t len; /* V4 or V6 bytes */
    int prefix; /* bits of the mask, -1 = there is none */
};

/* --- text to addresses --- */

static bool read_number(struct str *s, int base, unsigned most, unsigned *ret)
{
    size_t n = 0;
    unsigned value = 0;
    for (; n < s->len; n++) {
        char c = s->ptr[n];
        int digit = c >= '0' && c <= '9'                               ? c - '0'
                    : base == 16 && (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                                       : -1;
        if (digit < 0)
            break;
        value = value * (unsigned)base + (unsigned)digit;
        if (value >= 0xffffff)
            return false;
    }
    *s = str_sub(*s, n, s->len);
    *ret = value;
    return n > 0 && value <= most;
}

static bool parse_v4(struct str s, unsigned char *ret)
{
    unsigned octet;
    for (size_t i = 0; i < V4; i++) {
        if (i && (s.len == 0 || s.ptr[0] != '.'))
            return false;
        if (i)
            s = str_sub(s, 1, s.len);
        if (!read_number(&s, 10, 255, &octet))
            return false;
        ret[i] = (unsigned char)octet;
    }
    return s.len == 0;
}

/* One group at ret[*n]; a dotted address takes four bytes and all that is left. */
static bool parse_group(struct str *s, bool gap, unsigned char *ret, size_t *n)
{
    struct str before = *s;
    unsigned group;
    if (!read_number(s, 16, 0xffff, &group))
        return false;
    if (s->len && s->ptr[0] == '.') {
        if ((!gap && *n != 12) || *n + V4 > V6 || !parse_v4(before, ret + *n))
            return false;
        *s = (struct str){0};
        *n += V4;
        return true;
    }
    ret[(*n)++] = (unsigned char)(group >> 8);
    ret[(*n)++] = (unsigned char)group;
    return true;
}

static bool parse_v6(struct str s, unsigned char *ret)
{
    size_t n = 0, gap = SIZE_MAX;
    memset(ret, 0, V6);
    if (str_starts(s, STR("::"))) {
        gap = 0;
        s = str_sub(s, 2, s.len);
        if (s.len == 0)
            return true;
    }
    while (n < V6) {
        if (!parse_group(&s, gap != SIZE_MAX, ret, &n))
            return false;
        if (s.len == 0)
            break;
        if (s.ptr[0] != ':' || s.len == 1)
            return false;
        s = str_sub(s, 1, s.len);
        if (s.ptr[0] != ':')
            continue;
        if (gap != SIZE_MAX)
            return false;
        gap = n;
        s = str_sub(s, 1, s.len);
        if (s.len == 0)
            break;
    }
    if (s.len || (n == V6) != (gap == SIZE_MAX))
        return false;
    if (n < V6) {
        memmove(ret + gap + (V6 - n), ret + gap, n - gap);
        memset(ret + gap, 0, V6 - n);
    }
    return true;
}

/* Bits behind the prefix set or cleared. */
static void fill_host_bits(unsigned char *ip, size_t len, int prefix, bool set)
{
    for (size_t i = 0; i < len; i++) {
        int keep = prefix - (int)i * 8;
        unsigned mask = keep >= 8 ? 0xff : keep <= 0 ? 0 : 0xffu << (8 - keep) & 0xff;
        ip[i] = (unsigned char)(set ? ip[i] | ~mask : ip[i] & mask);
    }
}

static bool parse_network(struct str s, struct network *ret)
{
    struct str address;
    unsigned prefix;
    *ret = (struct network){.len = V4};
    if (!str_cut(&s, '/', &address))
        return false;
    if (!parse_v4(address, ret->ip)) {
        ret->len = V6;
        if (!parse_v6(address, ret->ip))
            return false;
    }
    if (!read_number(&s, 10, (unsigned)ret->len * 8, &prefix) || s.len)
        return false;
    ret->prefix = (int)prefix;
    fill_host_bits(ret->ip, ret->len, ret->prefix, false);
    return true;
}

/* --- addresses to text --- */

/* The four bytes of an IPv4 address, IPv4 inside IPv6 included; else NULL. */
static const unsigned char *as_v4(const unsigned char *ip, size_t len)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    return len == V4 ? ip : memcmp(ip, mapped, sizeof mapped) == 0 ? ip + 12 : NULL;
}

static void put_v6(struct buf *out, const unsigned char *ip)
{
    int from = -1, to = -1;
    for (int i = 0; i < V6; i += 2) {
        int j = i;
        while (j < V6 && !ip[j] && !ip[j + 1])
            j += 2;
        if (j > i && j - i > to - from) {
            from = i;
            to = j;
            i = j;
        }
    }
    if (to - from <= 2)
        from = to = -1;
    for (int i = 0; i < V6; i += 2) {
        if (i == from) {
            buf_str(out, STR("::"));
            i = to;
            if (i >= V6)
                break;
        } else if (i > 0) {
            buf_char(out, ':');
        }
        buf_printf(out, "%x", (unsigned)ip[i] << 8 | ip[i + 1]);
    }
}

static void put_ip(struct buf *out, const unsigned char *ip, size_t len)
{
    const unsigned char *v4 = as_v4(ip, len);
    if (v4)
        buf_printf(out, "%u.%u.%u.%u", v4[0], v4[1], v4[2], v4[3]);
    else
        put_v6(out, ip);
}

static void put_network(struct buf *out, const struct network *n)
{
    int prefix = n->prefix;
    if (prefix < 0) {
        buf_str(out, STR("<nil>"));
        return;
    }
    if (n->len == V6 && as_v4(n->ip, n->len))
        prefix = prefix > 96 ? prefix - 96 : 0;
    put_ip(out, n->ip, n->len);
    buf_printf(out, "/%d", prefix);
}

/* --- arguments --- */

static bool network_arg(struct hcl_call *call, int bad_arg, struct network *ret)
{
    struct str text = value_text(&call->arg[0]);
    if (parse_network(text, ret))
        return true;
    return hcl_call_fail(call, bad_arg, "invalid CIDR expression: invalid CIDR address: %.*s",
                         STR_ARG(text));
}

static bool int_arg(struct hcl_call *call, size_t i, int bad_arg, int64_t *ret)
{
    if (value_to_int64(&call->arg[i], ret))
        return true;
    return hcl_call_fail(call, bad_arg,
                         "value must be a whole number, between -9223372036854775808 and "
                         "9223372036854775807");
}

static bool whole_arg(struct hcl_call *call, size_t i, mpz_t ret)
{
    mpfr_t x = {{0}};
    bool read = hcl_number_read(x, &call->arg[i]);
    bool whole = read && mpfr_integer_p(x);
    bool small = whole && (mpfr_zero_p(x) || mpfr_get_exp(x) <= BITS_MAX);
    if (small)
        (void)mpfr_get_z(ret, x, MPFR_RNDN);
    mpfr_clear(x);
    if (!whole)
        return hcl_call_fail(call, -1, "value must be a whole number");
    return small || hcl_call_fail(call, -1, "the number is too large");
}

/* --- arithmetic --- */

/* ip | num << (bits - prefix), as go-cidr does it: on magnitudes; false where it does not fit. */
static bool insert_number(struct network *n, mpz_t num, int64_t prefix)
{
    mpz_t ip;
    int64_t shift = (int64_t)n->len * 8 - prefix;
    if (mpz_sgn(num) == 0)
        return true;
    if (shift < 0 || shift > BITS_MAX)
        return false;
    mpz_init(ip);
    mpz_import(ip, n->len, 1, 1, 1, 0, n->ip);
    mpz_mul_2exp(num, num, (mp_bitcnt_t)shift);
    mpz_ior(ip, ip, num);
    bool fits = mpz_sizeinbase(ip, 2) <= n->len * 8;
    if (fits) {
        unsigned char bytes[V6] = {0};
        size_t count = 0;
        (void)mpz_export(bytes, &count, 1, 1, 1, 0, ip);
        memset(n->ip, 0, n->len);
        memcpy(n->ip + (n->len - count), bytes, count);
    }
    mpz_clear(ip);
    return fits;
}

/* The lowest 64 bits of the magnitude. */
static uint64_t low_bits(const mpz_t num)
{
    uint64_t low = 0;
    mpz_t rest;
    mpz_init(rest);
    mpz_tdiv_r_2exp(rest, num, 64);
    (void)mpz_export(&low, NULL, -1, sizeof low, 0, 0, rest);
    mpz_clear(rest);
    return low;
}

/* The number in full; empty where memory is out. */
static struct str number_of(struct hcl_call *call, const mpz_t num)
{
    char *digits = mpz_get_str(NULL, 10, num);
    struct str text = digits ? arena_dup(call->ev->arena, str_from(digits)) : STR("");
    free(digits);
    return text;
}

/* --- cidrhost, cidrnetmask --- */

/* `num` becomes what is to be put into the host bits. */
static bool host_fits(const struct network *n, mpz_t num)
{
    mpz_t most, check;
    mpz_inits(most, check, NULL);
    mpz_setbit(most, (mp_bitcnt_t)(n->len * 8) - (mp_bitcnt_t)n->prefix);
    mpz_sub_ui(most, most, 1);
    if (mpz_sgn(num) < 0) {
        mpz_neg(check, num);
        mpz_sub_ui(check, check, 1);
        mpz_sub(num, most, check);
    } else {
        mpz_set_si(check, (long)low_bits(num));
    }
    bool fits = mpz_cmp(check, most) <= 0;
    mpz_clears(most, check, NULL);
    return fits;
}

static bool run_cidrhost(struct hcl_call *call, struct value *ret)
{
    struct network n;
    mpz_t num;
    AUTO_BUF out = {.limit = 256};
    mpz_init(num);
    bool ok = whole_arg(call, 1, num) && network_arg(call, -1, &n);
    if (ok && (!host_fits(&n, num) || !insert_number(&n, num, as_v4(n.ip, n.len) ? 32 : 128)))
        ok = hcl_call_fail(call, -1, "prefix of %d does not accommodate a host numbered %.*s",
                           n.prefix, STR_ARG(number_of(call, num)));
    mpz_clear(num);
    if (!ok)
        return false;
    put_ip(&out, n.ip, n.len);
    return hcl_give_buf(call, &out, ret);
}

static bool run_cidrnetmask(struct hcl_call *call, struct value *ret)
{
    struct network n;
    unsigned char mask[V6];
    AUTO_BUF out = {.limit = 256};
    if (!network_arg(call, -1, &n))
        return false;
    if (!as_v4(n.ip, n.len))
        return hcl_call_fail(call, -1, "IPv6 addresses cannot have a netmask: %.*s",
                             STR_ARG(value_text(&call->arg[0])));
    memset(mask, 0xff, sizeof mask);
    fill_host_bits(mask, n.len, n.prefix, false);
    put_ip(&out, mask, n.len);
    return hcl_give_buf(call, &out, ret);
}

/* --- cidrsubnet --- */

static bool subnet(struct hcl_call *call, struct network *n, int64_t bits, mpz_t num)
{
    int64_t total = (int64_t)n->len * 8, prefix = n->prefix;
    uint64_t most = bits >= 0 && bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
    if (bits > total - prefix)
        return hcl_call_fail(call, -1,
                             "insufficient address space to extend prefix of %lld by %lld",
                             (long long)prefix, (long long)bits);
    if (low_bits(num) > most)
        return hcl_call_fail(call, -1,
                             "prefix extension of %lld does not accommodate a subnet numbered %.*s",
                             (long long)bits, STR_ARG(number_of(call, num)));
    prefix = bits < -BITS_MAX ? -BITS_MAX : prefix + bits;
    if (!insert_number(n, num, prefix))
        return hcl_call_fail(call, -1, "no address of %lld bits holds a subnet numbered %.*s",
                             (long long)total, STR_ARG(number_of(call, num)));
    n->prefix = prefix < 0 ? -1 : (int)prefix;
    return true;
}

static bool run_cidrsubnet(struct hcl_call *call, struct value *ret)
{
    struct network n;
    int64_t bits;
    mpz_t num;
    AUTO_BUF out = {.limit = 256};
    if (!int_arg(call, 1, -1, &bits))
        return false;
    mpz_init(num);
    bool ok = whole_arg(call, 2, num) && network_arg(call, -1, &n) && subnet(call, &n, bits, num);
    mpz_clear(num);
    if (!ok)
        return false;
    put_network(&out, &n);
    return hcl_give_buf(call, &out, ret);
}

/* --- cidrsubnets --- */

static bool add_one(unsigned char *ip, size_t len)
{
    for (size_t i = len; i-- > 0;)
        if (++ip[i])
            return true;
    return false; /* all zero again */
}

static void subtract_one(unsigned char *ip, size_t len)
{
    for (size_t i = len; i-- > 0;)
        if (ip[i]--)
            return;
}

/* The first network of that prefix behind `current`; false where the address space ends. */
static bool next_subnet(struct network *current, int prefix)
{
    fill_host_bits(current->ip, current->len, current->prefix, true);
    fill_host_bits(current->ip, current->len, prefix, true);
    current->prefix = prefix;
    return add_one(current->ip, current->len);
}

static bool contains(const struct network *n, const unsigned char *ip)
{
    unsigned char masked[V6];
    memcpy(masked, ip, n->len);
    fill_host_bits(masked, n->len, n->prefix, false);
    return memcmp(masked, n->ip, n->len) == 0;
}

static bool fail_full(struct hcl_call *call, size_t i, int prefix, const struct network *last)
{
    AUTO_BUF text = {.limit = 256};
    put_network(&text, last);
    return hcl_call_fail(call, (int)i,
                         "not enough remaining address space for a subnet with a prefix of %d bits "
                         "after %.*s",
                         prefix, STR_ARG(buf_view(&text)));
}

static bool take_subnet(struct hcl_call *call, size_t i, const struct network *n,
                        struct network *current, struct value *ret)
{
    int64_t bits;
    struct network before = *current;
    AUTO_BUF text = {.limit = 256};
    if (!int_arg(call, i, (int)i, &bits))
        return false;
    if (bits < 1)
        return hcl_call_fail(call, (int)i, "must extend prefix by at least one bit");
    if (bits > 32)
        return hcl_call_fail(call, (int)i, "may not extend prefix by more than 32 bits");
    int prefix = n->prefix + (int)bits;
    if (prefix > (int)n->len * 8)
        return hcl_call_fail(call, (int)i,
                             "would extend prefix to %d bits, which is too long for an %s address",
                             prefix, n->len == V4 ? "IPv4" : "IPv6");
    if (before.prefix < 0) { /* the network before the first one */
        *current = *n;
        subtract_one(current->ip, current->len);
        fill_host_bits(current->ip, current->len, prefix, false);
        current->prefix = prefix;
        before = *current;
    }
    if ((n->len == V6 && as_v4(n->ip, n->len)) || !next_subnet(current, prefix) ||
        !contains(n, current->ip))
        return fail_full(call, i, prefix, &before);
    put_network(&text, current);
    return hcl_give_buf(call, &text, ret);
}

static bool run_cidrsubnets(struct hcl_call *call, struct value *ret)
{
    struct network n, current = {.prefix = -1};
    struct value *items = arena_new(call->ev->arena, struct value, call->n);
    if (!items || !network_arg(call, 0, &n))
        return false;
    for (size_t i = 1; i < call->n; i++)
        if (!take_subnet(call, i, &n, &current, &items[i - 1]))
            return false;
    *ret = value_items(VALUE_LIST, items, call->n - 1);
    if (call->n == 1)
        ret->type = &type_string;
    return true;
}

/* --- cidrcontains --- */

/* An address or a network: its first and last address. */
static bool address_range(struct str s, struct network *ret, unsigned char *ret_last)
{
    *ret = (struct network){.len = V4, .prefix = 32};
    if (!parse_v4(s, ret->ip)) {
        *ret = (struct network){.len = V6, .prefix = 128};
        if (!parse_v6(s, ret->ip) && !parse_network(s, ret))
            return false;
    }
    memcpy(ret_last, ret->ip, V6);
    fill_host_bits(ret_last, ret->len, ret->prefix, true);
    return true;
}

static bool run_cidrcontains(struct hcl_call *call, struct value *ret)
{
    struct str within = value_text(&call->arg[0]), address = value_text(&call->arg[1]);
    struct network n, inner;
    unsigned char last[V6];
    if (!parse_network(within, &n))
        return hcl_call_fail(call, -1, "invalid CIDR address: %.*s", STR_ARG(within));
    if (!address_range(address, &inner, last))
        return hcl_call_fail(call, -1, "invalid IP address or prefix: %.*s", STR_ARG(address));
    if (!as_v4(n.ip, n.len) != !as_v4(inner.ip, inner.len))
        return hcl_call_fail(call, -1, "address family mismatch: %.*s vs. %.*s", STR_ARG(within),
                             STR_ARG(address));
    if (n.len != inner.len) /* IPv4 written as IPv6 on one side */
        return hcl_call_fail(call, -1, "invalid IP address or prefix: %.*s", STR_ARG(address));
    *ret = value_bool(contains(&n, inner.ip) && contains(&n, last));
    return true;
}

static const struct hcl_function functions[] = {
    {.name = "cidrhost",
     .param = {{"prefix", "string", 0}, {"hostnum", "number", 0}},
     .result = "string",
     .run = run_cidrhost,
     .result_not_null = 1},
    {.name = "cidrnetmask",
     .param = {{"prefix", "string", 0}},
     .result = "string",
     .run = run_cidrnetmask,
     .result_not_null = 1},
    {.name = "cidrsubnet",
     .param = {{"prefix", "string", 0}, {"newbits", "number", 0}, {"netnum", "number", 0}},
     .result = "string",
     .run = run_cidrsubnet,
     .result_not_null = 1},
    {.name = "cidrsubnets",
     .param = {{"prefix", "string", 0}},
     .rest = {"newbits", "number", 0},
     .result = "list(string)",
     .run = run_cidrsubnets,
     .result_not_null = 1},
    {.name = "cidrcontains",
     .param = {{"containing_prefix", "string", 0}, {"contained_ip_or_prefix", "string", 0}},
     .result = "bool",
     .run = run_cidrcontains,
     .opentofu = 1},
};

const struct hcl_function_family fn_cidr = {functions, sizeof functions / sizeof *functions};
