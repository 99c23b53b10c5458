/* charset.c - the character sets of textencodebase64, by their IANA names, through iconv. */
#include "lang/hcl/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "base/utf8.h"

/* IANA's name, iconv's, and every alias in lower case. What browsers mean by Shift_JIS, EUC-KR,
 * EUC-JP and Big5 (WHATWG Encoding Standard) is what Go's tables hold. */
static const struct charset charsets[] = {
    {"US-ASCII", "ASCII",
     " us-ascii iso-ir-6 ansi_x3.4-1968 ansi_x3.4-1986 iso_646.irv:1991 iso646-us us ibm367 cp367 "
     "csascii "},
    {"UTF-8", "UTF-8", " utf-8 csutf8 "},
    {"UTF-16", "UTF-16", " utf-16 csutf16 "},
    {"UTF-16BE", "UTF-16BE", " utf-16be csutf16be "},
    {"UTF-16LE", "UTF-16LE", " utf-16le csutf16le "},
    {"IBM037", "IBM037",
     " ibm037 cp037 ebcdic-cp-us ebcdic-cp-ca ebcdic-cp-wt ebcdic-cp-nl csibm037 "},
    {"IBM437", "IBM437", " ibm437 cp437 437 cspc8codepage437 "},
    {"IBM850", "IBM850", " ibm850 cp850 850 cspc850multilingual "},
    {"IBM852", "IBM852", " ibm852 cp852 852 cspcp852 "},
    {"IBM855", "IBM855", " ibm855 cp855 855 csibm855 "},
    {"IBM00858", "IBM858", " ibm00858 ccsid00858 cp00858 pc-multilingual-850+euro csibm00858 "},
    {"IBM860", "IBM860", " ibm860 cp860 860 csibm860 "},
    {"IBM862", "IBM862", " ibm862 cp862 862 cspc862latinhebrew "},
    {"IBM863", "IBM863", " ibm863 cp863 863 csibm863 "},
    {"IBM865", "IBM865", " ibm865 cp865 865 csibm865 "},
    {"IBM866", "IBM866", " ibm866 cp866 866 csibm866 "},
    {"IBM1047", "IBM1047", " ibm1047 ibm-1047 csibm1047 "},
    {"IBM01140", "IBM1140", " ibm01140 ccsid01140 cp01140 ebcdic-us-37+euro csibm01140 "},
    {"ISO_8859-1:1987", "ISO-8859-1",
     " iso_8859-1:1987 iso-ir-100 iso_8859-1 iso-8859-1 latin1 l1 ibm819 cp819 csisolatin1 "},
    {"ISO_8859-2:1987", "ISO-8859-2",
     " iso_8859-2:1987 iso-ir-101 iso_8859-2 iso-8859-2 latin2 l2 csisolatin2 "},
    {"ISO_8859-3:1988", "ISO-8859-3",
     " iso_8859-3:1988 iso-ir-109 iso_8859-3 iso-8859-3 latin3 l3 csisolatin3 "},
    {"ISO_8859-4:1988", "ISO-8859-4",
     " iso_8859-4:1988 iso-ir-110 iso_8859-4 iso-8859-4 latin4 l4 csisolatin4 "},
    {"ISO_8859-5:1988", "ISO-8859-5",
     " iso_8859-5:1988 iso-ir-144 iso_8859-5 iso-8859-5 cyrillic csisolatincyrillic "},
    {"ISO_8859-6:1987", "ISO-8859-6",
     " iso_8859-6:1987 iso-ir-127 iso_8859-6 iso-8859-6 ecma-114 asmo-708 arabic "
     "csisolatinarabic "},
    {"ISO_8859-6-E", "ISO-8859-6", " iso_8859-6-e csiso88596e iso-8859-6-e "},
    {"ISO_8859-6-I", "ISO-8859-6", " iso_8859-6-i csiso88596i iso-8859-6-i "},
    {"ISO_8859-7:1987", "ISO-8859-7",
     " iso_8859-7:1987 iso-ir-126 iso_8859-7 iso-8859-7 elot_928 ecma-118 greek greek8 "
     "csisolatingreek "},
    {"ISO_8859-8:1988", "ISO-8859-8",
     " iso_8859-8:1988 iso-ir-138 iso_8859-8 iso-8859-8 hebrew csisolatinhebrew "},
    {"ISO_8859-8-E", "ISO-8859-8", " iso_8859-8-e csiso88598e iso-8859-8-e "},
    {"ISO_8859-8-I", "ISO-8859-8", " iso_8859-8-i csiso88598i iso-8859-8-i "},
    {"ISO_8859-9:1989", "ISO-8859-9",
     " iso_8859-9:1989 iso-ir-148 iso_8859-9 iso-8859-9 latin5 l5 csisolatin5 "},
    {"ISO-8859-10", "ISO-8859-10",
     " iso-8859-10 iso-ir-157 l6 iso_8859-10:1992 csisolatin6 latin6 "},
    {"ISO-8859-13", "ISO-8859-13", " iso-8859-13 csiso885913 "},
    {"ISO-8859-14", "ISO-8859-14",
     " iso-8859-14 iso-ir-199 iso_8859-14:1998 iso_8859-14 latin8 iso-celtic l8 csiso885914 "},
    {"ISO-8859-15", "ISO-8859-15", " iso-8859-15 iso_8859-15 latin-9 csiso885915 "},
    {"ISO-8859-16", "ISO-8859-16",
     " iso-8859-16 iso-ir-226 iso_8859-16:2001 iso_8859-16 latin10 l10 csiso885916 "},
    {"KOI8-R", "KOI8-R", " koi8-r cskoi8r "},
    {"KOI8-U", "KOI8-U", " koi8-u cskoi8u "},
    {"macintosh", "MACINTOSH", " macintosh mac csmacintosh "},
    {"windows-874", "CP874", " windows-874 cswindows874 "},
    {"windows-1250", "CP1250", " windows-1250 cswindows1250 "},
    {"windows-1251", "CP1251", " windows-1251 cswindows1251 "},
    {"windows-1252", "CP1252", " windows-1252 cswindows1252 "},
    {"windows-1253", "CP1253", " windows-1253 cswindows1253 "},
    {"windows-1254", "CP1254", " windows-1254 cswindows1254 "},
    {"windows-1255", "CP1255", " windows-1255 cswindows1255 "},
    {"windows-1256", "CP1256", " windows-1256 cswindows1256 "},
    {"windows-1257", "CP1257", " windows-1257 cswindows1257 "},
    {"windows-1258", "CP1258", " windows-1258 cswindows1258 "},
    {"Extended_UNIX_Code_Packed_Format_for_Japanese", "EUC-JP-MS",
     " extended_unix_code_packed_format_for_japanese cseucpkdfmtjapanese euc-jp "},
    {"ISO-2022-JP", "ISO-2022-JP", " iso-2022-jp csiso2022jp "},
    {"Shift_JIS", "CP932", " shift_jis ms_kanji csshiftjis "},
    {"EUC-KR", "UHC", " euc-kr cseuckr "},
    {"GB18030", "GB18030", " gb18030 csgb18030 "},
    {"GBK", "GBK", " gbk cp936 ms936 windows-936 csgbk "},
    {"Big5", "BIG5-HKSCS", " big5 csbig5 "},
};

const struct charset *charset_find(struct str name)
{
    char word[64];
    struct str trimmed = str_trim(name);
    if (trimmed.len == 0 || trimmed.len + 3 > sizeof word)
        return NULL;
    word[0] = word[trimmed.len + 1] = ' ';
    for (size_t i = 0; i < trimmed.len; i++) {
        char c = trimmed.ptr[i];
        word[i + 1] = c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
        if (c == ' ')
            return NULL;
    }
    struct str needle = {word, trimmed.len + 2};
    for (size_t i = 0; i < sizeof charsets / sizeof *charsets; i++)
        if (str_find(str_from(charsets[i].aliases), needle, 0) != SIZE_MAX)
            return &charsets[i];
    return NULL;
}

/* All of `text` from one set to another; false where something has no counterpart. */
static bool convert(const char *to, const char *from, struct str text, struct buf *out)
{
    iconv_t cd = iconv_open(to, from);
    char *in = text.len ? (char *)(uintptr_t)text.ptr : NULL; /* iconv does not write to it */
    size_t left = text.len;
    bool ok = cd != (iconv_t)-1, flushed = false;
    if (!ok)
        return false;
    while (ok && !flushed) {
        enum { PIECE = 4096 };
        char *room = buf_room(out, PIECE);
        size_t space = PIECE;
        if (!room) {
            ok = false;
            break;
        }
        bool whole = left == 0;
        size_t lossy =
            whole ? iconv(cd, NULL, NULL, &room, &space) : iconv(cd, &in, &left, &room, &space);
        out->len += PIECE - space;
        ok = lossy == 0 || (lossy == (size_t)-1 && errno == E2BIG);
        flushed = whole && lossy == 0;
    }
    iconv_close(cd);
    return ok;
}

bool charset_encode(const struct charset *set, struct str text, struct buf *out)
{
    struct str utf16 = STR("UTF-16");
    if (!str_equal(str_from(set->iconv), utf16))
        return convert(set->iconv, "UTF-8", text, out);
    buf_add(out, "\xfe\xff", 2);
    return convert("UTF-16BE", "UTF-8", text, out);
}

bool charset_decode(const struct charset *set, struct str bytes, struct buf *out)
{
    const char *from = set->iconv;
    size_t start = out->len;
    if (str_equal(str_from(from), STR("UTF-16"))) {
        bool little = str_starts(bytes, STR("\xff\xfe"));
        if (little || str_starts(bytes, STR("\xfe\xff")))
            bytes = str_sub(bytes, 2, bytes.len);
        from = little ? "UTF-16LE" : "UTF-16BE";
    }
    if (!convert("UTF-8", from, bytes, out))
        return false;
    struct str text = str_sub(buf_view(out), start, out->len);
    return utf8_bad_at(text) == SIZE_MAX && str_find(text, STR("\xef\xbf\xbd"), 0) == SIZE_MAX;
}
