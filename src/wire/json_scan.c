/* json_scan.c - one token at a time, every byte checked. */
#include "wire/json_scan.h"

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "wire/json.h"

bool json_scan_fail(struct json_scan *s, const char *at, const char *why)
{
    s->at = at;
    s->why = why;
    return false;
}

bool json_scan_unexpected(struct json_scan *s, const char *wanted)
{
    return json_scan_fail(s, s->at, s->at == s->end ? "the text ends too early" : wanted);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits behind \u, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t code = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        code = code << 4 | digit;
    }
    return code;
}

/* p is on a backslash: behind the escape, or NULL with why. */
static const char *skip_escape(struct json_scan *s, const char *p)
{
    if (s->end - p < 2) {
        (void)json_scan_fail(s, s->end, "the text ends inside a string");
        return NULL;
    }
    if (p[1] != 'u') {
        if (p[1] && strchr("\"\\/bfnrt", p[1]))
            return p + 2;
        (void)json_scan_fail(s, p, "unknown escape in a string");
        return NULL;
    }
    int32_t code = hex4(p + 2, s->end);
    if (code < 0) {
        (void)json_scan_fail(s, p, "\\u wants four hexadecimal digits");
        return NULL;
    }
    if (code < 0xd800 || code > 0xdfff)
        return p + 6;
    int32_t low =
        s->end - p >= 12 && p[6] == '\\' && p[7] == 'u' && code < 0xdc00 ? hex4(p + 8, s->end) : -1;
    if (low >= 0xdc00 && low <= 0xdfff)
        return p + 12;
    (void)json_scan_fail(s, p, "half of a surrogate pair in a string");
    return NULL;
}

/* p is not ASCII: behind all such characters, or NULL with why. */
static const char *skip_utf8(struct json_scan *s, const char *p)
{
    while (p < s->end && (signed char)*p < 0) {
        size_t len = utf8_sequence((const unsigned char *)p, (size_t)(s->end - p));
        if (len == 0) {
            (void)json_scan_fail(s, p, "not UTF-8");
            return NULL;
        }
        p += len;
    }
    return p;
}

bool json_scan_string(struct json_scan *s, struct str *ret_raw, bool *ret_escaped)
{
    const char *from = s->at + 1, *p = from;
    bool escaped = false;
    for (;;) {
        p = json_plain_run(p, s->end);
        if (p == s->end)
            return json_scan_fail(s, p, "the text ends inside a string");
        if (*p == '"')
            break;
        if (*p == '\\') {
            escaped = true;
            p = skip_escape(s, p);
        } else if ((signed char)*p < 0) {
            p = skip_utf8(s, p);
        } else {
            return json_scan_fail(s, p,
                                  "a control character in a string wants an escape (\\n, "
                                  "\\u001f)");
        }
        if (!p)
            return false;
    }
    *ret_raw = (struct str){from, (size_t)(p - from)};
    *ret_escaped = escaped;
    s->at = p + 1;
    return true;
}

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

bool json_scan_number(struct json_scan *s, struct str *ret)
{
    const char *p = s->at, *end = s->end;
    p += p < end && *p == '-';
    const char *from = p;
    p = digits(p, end);
    if (p == from)
        return json_scan_fail(s, p, "a number wants a digit here");
    if (*from == '0' && p - from > 1)
        return json_scan_fail(s, from, "a number must not begin with 0");
    if (p < end && *p == '.') {
        from = ++p;
        p = digits(p, end);
        if (p == from)
            return json_scan_fail(s, p, "a number wants a digit behind its point");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-');
        from = p;
        p = digits(p, end);
        if (p == from)
            return json_scan_fail(s, p, "a number wants a digit in its exponent");
    }
    *ret = (struct str){s->at, (size_t)(p - s->at)};
    s->at = p;
    return true;
}

/* What people write in place of a JSON value. */
static const char *not_a_value(char c)
{
    static const struct {
        const char *letters, *why;
    } rows[] = {
        {"/#", "comments are not JSON"},
        {"'", "a string wants double quotes"},
        {"NI", "NaN and Infinity are not JSON"},
        {"+.", "a number begins with a digit or '-'"},
        {",", "a comma with nothing before it"},
        {"]}", "a closing bracket where a value should be"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (c && strchr(rows[i].letters, c))
            return rows[i].why;
    return "not a JSON value";
}

bool json_scan_word(struct json_scan *s, char *ret)
{
    static const struct str words[] = {STR_INIT("true"), STR_INIT("false"), STR_INIT("null")};
    struct str rest = {s->at, (size_t)(s->end - s->at)};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!str_starts(rest, words[i]))
            continue;
        *ret = *s->at;
        s->at += words[i].len;
        return true;
    }
    return json_scan_unexpected(s, s->at < s->end ? not_a_value(*s->at) : "");
}

static bool scan_scalar(struct json_scan *s)
{
    struct str ignored;
    bool escaped;
    char word;
    if (s->at == s->end)
        return json_scan_unexpected(s, "");
    if (*s->at == '"')
        return json_scan_string(s, &ignored, &escaped);
    if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9'))
        return json_scan_number(s, &ignored);
    return json_scan_word(s, &word);
}

bool json_scan_enter(struct json_scan *s, char bracket)
{
    json_scan_space(s);
    if (s->at == s->end || *s->at != bracket)
        return json_scan_unexpected(s, bracket == '{' ? "expected an object" : "expected a list");
    s->at++;
    return true;
}

bool json_scan_key(struct json_scan *s, struct str *ret_raw, bool *ret_escaped)
{
    if (s->at == s->end || *s->at != '"')
        return json_scan_unexpected(s, "expected a key in quotes");
    if (!json_scan_string(s, ret_raw, ret_escaped))
        return false;
    json_scan_space(s);
    if (s->at == s->end || *s->at != ':')
        return json_scan_unexpected(s, "expected ':' behind a key");
    s->at++;
    return true;
}

bool json_scan_next(struct json_scan *s, bool *first, char closing)
{
    json_scan_space(s);
    if (s->at < s->end && *s->at == closing) {
        s->at++;
        return false;
    }
    if (!*first) {
        if (s->at == s->end || *s->at != ',')
            return json_scan_unexpected(s, closing == '}' ? "expected ',' or '}'"
                                                          : "expected ',' or ']'");
        s->at++;
        json_scan_space(s);
        if (s->at < s->end && *s->at == closing)
            return json_scan_fail(s, s->at, "a comma with nothing behind it");
    }
    *first = false;
    return true;
}

bool json_scan_next_key(struct json_scan *s, bool *first, struct str *ret_raw, bool *ret_escaped)
{
    return json_scan_next(s, first, '}') && json_scan_key(s, ret_raw, ret_escaped);
}

bool json_scan_next_item(struct json_scan *s, bool *first)
{
    return json_scan_next(s, first, ']');
}

/* Close what ends here: true when a further value follows, false when the outermost has ended
 * (why NULL) or on error. */
static bool after_value(struct json_scan *s, const uint64_t *is_object, unsigned *depth)
{
    struct str raw;
    bool escaped, first = false;
    while (*depth) {
        unsigned level = *depth - 1;
        bool object = is_object[level / 64] >> (level % 64) & 1;
        if (object ? json_scan_next_key(s, &first, &raw, &escaped) : json_scan_next_item(s, &first))
            return true;
        if (s->why)
            return false;
        --*depth;
    }
    return false;
}

bool json_scan_value(struct json_scan *s, unsigned depth_most, struct str *ret)
{
    uint64_t is_object[JSON_DEPTH_MAX / 64 + 1];
    unsigned depth = 0;
    json_scan_space(s);
    const char *from = s->at;
    if (depth_most > JSON_DEPTH_MAX)
        depth_most = JSON_DEPTH_MAX;
    for (;;) {
        json_scan_space(s);
        char c = s->at < s->end ? *s->at : '\0';
        bool more;
        if (c == '{' || c == '[') {
            if (depth == depth_most)
                return json_scan_fail(s, s->at, "nested too deep");
            uint64_t bit = (uint64_t)1 << (depth % 64);
            is_object[depth / 64] = (is_object[depth / 64] & ~bit) | (c == '{' ? bit : (uint64_t)0);
            s->at++;
            depth++;
            struct str raw;
            bool escaped, first = true;
            more = c == '{' ? json_scan_next_key(s, &first, &raw, &escaped)
                            : json_scan_next_item(s, &first);
            if (more)
                continue;
            depth--;
        } else if (!scan_scalar(s)) {
            return false;
        }
        if (s->why)
            return false;
        if (after_value(s, is_object, &depth))
            continue;
        if (s->why)
            return false;
        *ret = (struct str){from, (size_t)(s->at - from)};
        return true;
    }
}

/* One byte, or two where the first is a backslash. True: the last bracket is closed. */
static inline bool leave_byte(const char **p, bool *in_string, uint64_t *levels)
{
    char c = *(*p)++, bracket = (char)(c | 0x20);
    if (c == '"')
        *in_string = !*in_string;
    else if (*in_string)
        *p += c == '\\';
    else if (bracket == '{' || bracket == '}') /* ... or '[' or ']' */
        *levels += bracket == '{' ? 1 : UINT64_MAX;
    return *levels == 0;
}

#ifdef __SSE2__
struct bits64 {
    uint64_t quote, slash, open, close;
};

static inline struct bits64 look_at_64(const char *p)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'),
                  lower = _mm_set1_epi8(0x20), open = _mm_set1_epi8('{'),
                  close = _mm_set1_epi8('}');
    struct bits64 ret = {0};
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        __m128i letters = _mm_or_si128(bytes, lower);
        ret.quote |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote)) << 16 * i;
        ret.slash |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, slash)) << 16 * i;
        ret.open |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(letters, open)) << 16 * i;
        ret.close |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(letters, close))
                     << 16 * i;
    }
    return ret;
}

/* 64 bytes at once where none is a backslash and the last bracket is not among them. */
static const char *leave_blocks(const char *p, const char *end, bool *in_string, uint64_t *levels)
{
    for (; end - p >= 64; p += 64) {
        struct bits64 bits = look_at_64(p);
        uint64_t inside = bits.quote;
        for (unsigned shift = 1; shift < 64; shift *= 2) /* an odd number of quotes up to here */
            inside ^= inside << shift;
        inside ^= *in_string ? UINT64_MAX : 0;
        uint64_t closing = (uint64_t)__builtin_popcountll(bits.close & ~inside);
        if (bits.slash || closing >= *levels)
            break;
        *levels += (uint64_t)__builtin_popcountll(bits.open & ~inside) - closing;
        *in_string = inside >> 63;
    }
    return p;
}
#endif

bool json_scan_leave(struct json_scan *s, unsigned levels)
{
    const char *p = s->at;
    uint64_t left = levels;
    bool in_string = false;
    while (p < s->end) {
#ifdef __SSE2__
        p = leave_blocks(p, s->end, &in_string, &left);
#endif
        for (const char *stop = s->end - p > 64 ? p + 64 : s->end; p < stop;)
            if (leave_byte(&p, &in_string, &left)) {
                s->at = p;
                return true;
            }
    }
    return json_scan_fail(s, s->end, "the text ends too early");
}

bool json_scan_end(struct json_scan *s)
{
    json_scan_space(s);
    return s->at == s->end || json_scan_fail(s, s->at, "more text behind the end of the value");
}

size_t json_unescape(char *out, struct str raw)
{
    const char *p = raw.ptr, *end = raw.ptr + raw.len;
    char *to = out;
    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((slash ? slash : end) - p);
        memmove(to, p, plain);
        to += plain;
        if (!slash)
            break;
        p = slash + 2;
        static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
        const char *letter = strchr(letters, slash[1]);
        if (slash[1] != 'u') {
            *to++ = letter ? bytes[letter - letters] : slash[1];
            continue;
        }
        uint32_t code = (uint32_t)hex4(p, end);
        p += 4;
        if (code >= 0xd800 && code <= 0xdbff) {
            code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)hex4(p + 2, end) - 0xdc00);
            p += 6;
        }
        to += utf8_put(code, to);
    }
    return (size_t)(to - out);
}

bool json_scan_error(const struct json_scan *s, const char *name, size_t first_line,
                     struct err *err)
{
    struct str text = {s->start, (size_t)(s->end - s->start)};
    size_t line, column;
    if (!err)
        return false; /* to count lines takes as long as to read them */
    json_place(text, (size_t)(s->at - s->start), &line, &column);
    return err_set(err, ERR_SYNTAX, "%s:%zu:%zu: %s", name, line + first_line - 1, column,
                   s->why ? s->why : "not JSON");
}
