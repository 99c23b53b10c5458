/* schema_format.c - rego_is_format(): one function for each format. */
#include "lang/rego/schema_format.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/regex_re2.h"
#include "lang/rego/uri.h"

enum { HOST_MAX = 255, LABEL_MAX = 63 };

/* --- times --- */

/* least to most digits off the front, within bounds. */
static bool number(struct str *s, size_t least, size_t most, int from, int to, int *ret)
{
    size_t n = 0;
    int v = 0;
    for (; n < most && n < s->len && isdigit((unsigned char)s->ptr[n]); n++)
        v = v * 10 + (s->ptr[n] - '0');
    *s = str_sub(*s, n, s->len);
    *ret = v;
    return n >= least && v >= from && v <= to;
}
static bool take(struct str *s, char c)
{
    bool there = s->len > 0 && s->ptr[0] == c;
    *s = str_sub(*s, there, s->len);
    return there;
}

static bool take_date(struct str *s)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!number(s, 4, 4, 0, 9999, &year) || !take(s, '-') || !number(s, 2, 2, 1, 12, &month) ||
        !take(s, '-') || !number(s, 2, 2, 1, 31, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool take_time(struct str *s)
{
    int v;
    if (!number(s, 1, 2, 0, 23, &v) || !take(s, ':') || !number(s, 2, 2, 0, 59, &v) ||
        !take(s, ':') || !number(s, 2, 2, 0, 59, &v))
        return false;
    if (s->len > 1 && (s->ptr[0] == '.' || s->ptr[0] == ',') && isdigit((unsigned char)s->ptr[1]))
        for (*s = str_sub(*s, 1, s->len); s->len && isdigit((unsigned char)s->ptr[0]);)
            *s = str_sub(*s, 1, s->len);
    return true;
}

static bool take_zone(struct str *s)
{
    int v;
    if (take(s, 'Z'))
        return true;
    return (take(s, '+') || take(s, '-')) && number(s, 2, 2, 0, 24, &v) && take(s, ':') &&
           number(s, 2, 2, 0, 60, &v); /* 60: as Go has it */
}

static bool is_date(struct str s)
{
    return take_date(&s) && s.len == 0;
}
static bool is_time(struct str s) /* a zone need not be there */
{
    return take_time(&s) && (s.len == 0 || (take_zone(&s) && s.len == 0));
}
static bool is_date_time(struct str s)
{
    struct str rest = s;
    return is_date(s) || is_time(s) ||
           (take_date(&rest) && take(&rest, 'T') && take_time(&rest) && take_zone(&rest) &&
            rest.len == 0);
}

/* --- names and addresses --- */

static bool is_hostname(struct str s)
{
    struct str label;
    bool more = true;
    if (s.len == 0 || s.len > HOST_MAX)
        return false;
    while (more) {
        more = str_cut(&s, '.', &label);
        if (label.len == 0 || label.len > LABEL_MAX || label.ptr[0] == '-' ||
            label.ptr[label.len - 1] == '-')
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!isalnum((unsigned char)label.ptr[i]) && label.ptr[i] != '-')
                return false;
    }
    return true;
}

static bool is_address(struct str s, int family)
{
    char room[64];
    unsigned char bytes[16];
    if (s.len >= sizeof room || memchr(s.ptr, '\0', s.len))
        return false;
    memcpy(room, s.ptr, s.len);
    room[s.len] = '\0';
    return inet_pton(family, room, bytes) == 1;
}
static bool is_ipv6(struct str s)
{
    return is_address(s, AF_INET6);
}
/* An IPv6 address that ends in dotted numbers counts, as OPA has it. */
static bool is_ipv4(struct str s)
{
    return is_address(s, AF_INET) || (str_find_char(s, '.', 0) != SIZE_MAX && is_ipv6(s));
}

static bool is_atom(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 ||
           (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}
static void skip_blanks(struct str *s)
{
    while (s->len && (s->ptr[0] == ' ' || s->ptr[0] == '\t'))
        *s = str_sub(*s, 1, s->len);
}

static bool take_quoted(struct str *s)
{
    if (!take(s, '"'))
        return false;
    while (s->len && s->ptr[0] != '"') {
        if ((unsigned char)s->ptr[0] < ' ' && s->ptr[0] != '\t')
            return false;
        *s = str_sub(*s, s->ptr[0] == '\\' && s->len > 1 ? 2 : 1, s->len);
    }
    return take(s, '"');
}

/* Atoms, with a dot between two of them. */
static bool take_dotted(struct str *s)
{
    do {
        size_t n = 0;
        while (n < s->len && is_atom(s->ptr[n]))
            n++;
        *s = str_sub(*s, n, s->len);
        if (n == 0)
            return false;
    } while (take(s, '.'));
    return true;
}

static bool take_mailbox(struct str *s)
{
    if (!(s->len && s->ptr[0] == '"' ? take_quoted(s) : take_dotted(s)) || !take(s, '@'))
        return false;
    size_t close = s->len && s->ptr[0] == '[' ? str_find_char(*s, ']', 0) : SIZE_MAX;
    if (close == SIZE_MAX)
        return take_dotted(s);
    struct str literal = str_sub(*s, 1, close);
    *s = str_sub(*s, close + 1, s->len);
    return is_ipv4(literal) || is_ipv6(literal);
}

/* a@b, <a@b>, or a name of words and quoted texts before <a@b> */
static bool is_email(struct str s)
{
    skip_blanks(&s);
    struct str rest = s;
    if (take_mailbox(&rest)) {
        skip_blanks(&rest);
        return rest.len == 0;
    }
    while (s.len && s.ptr[0] != '<') {
        size_t before = s.len;
        if (s.ptr[0] == '"' && !take_quoted(&s))
            return false;
        while (s.len && (is_atom(s.ptr[0]) || s.ptr[0] == '.'))
            s = str_sub(s, 1, s.len);
        skip_blanks(&s);
        if (s.len == before)
            return false;
    }
    if (!take(&s, '<') || !take_mailbox(&s) || !take(&s, '>'))
        return false;
    skip_blanks(&s);
    return s.len == 0;
}

static bool is_uuid(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.ptr[i] != '-' : !isxdigit((unsigned char)s.ptr[i]))
            return false;
    }
    return s.len == 36;
}

/* --- URIs, pointers, patterns --- */

static bool is_uri_reference(struct str s)
{
    struct uri u;
    return uri_parse(s, &u) && str_find_char(s, '\\', 0) == SIZE_MAX;
}
static bool is_uri(struct str s)
{
    struct uri u;
    return is_uri_reference(s) && uri_parse(s, &u) && u.scheme.len > 0;
}
static bool is_uri_template(struct str s)
{
    struct uri u;
    if (!is_uri_reference(s) || !uri_parse(s, &u))
        return false;
    bool open = false; /* what is inside braces may have any brace but the closing one */
    for (size_t i = 0; i < u.path.len; i++)
        open = open ? u.path.ptr[i] != '}' : u.path.ptr[i] == '{';
    return !open;
}

static bool is_pointer(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char next = i + 1 < s.len ? s.ptr[i + 1] : '\0';
        if ((i == 0 && s.ptr[i] != '/') || (s.ptr[i] == '~' && next != '0' && next != '1'))
            return false;
    }
    return true;
}
static bool is_relative_pointer(struct str s)
{
    size_t n = 0;
    while (n < s.len && isdigit((unsigned char)s.ptr[n]))
        n++;
    struct str rest = str_sub(s, n, s.len);
    if (n == 0 || (s.ptr[0] == '0' && n > 1))
        return false;
    return str_equal(rest, STR("#")) || is_pointer(rest);
}

static bool is_regex(struct str s)
{
    char why[200];
    struct regex *regex = regex_open(s, why, sizeof why);
    regex_close(regex);
    return regex != NULL;
}

static const struct {
    const char *name;
    bool (*fits)(struct str s);
} formats[] = {
    {"date", is_date},
    {"time", is_time},
    {"date-time", is_date_time},
    {"hostname", is_hostname},
    {"email", is_email},
    {"idn-email", is_email},
    {"ipv4", is_ipv4},
    {"ipv6", is_ipv6},
    {"uri", is_uri},
    {"uri-reference", is_uri_reference},
    {"iri", is_uri},
    {"iri-reference", is_uri_reference},
    {"uri-template", is_uri_template},
    {"uuid", is_uuid},
    {"regex", is_regex},
    {"json-pointer", is_pointer},
    {"relative-json-pointer", is_relative_pointer},
};

bool rego_is_format(struct str format, struct str text)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (str_equal(format, str_from(formats[i].name)))
            return formats[i].fits(text);
    return true;
}
