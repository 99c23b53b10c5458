/* parser_spdx.c - SPDX 2.x documents of tags and values, in the shape that their JSON has.
 *
 * A table says which tag may stand in which section, and what becomes of it. Reviews and snippets
 * are read and left out, as conftest has it.
 * Source: spdx.github.io/spdx-spec/v2.3; conftest's reader, by trying it
 */
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "policy/parsers.h"
#include "policy/tree.h"

enum section { START, CREATION, PACKAGE, FILES, SNIPPET, LICENCE, REVIEW };
#define IN(section) (1U << (section))
enum { ANY = 0xfe /* but START */, WITHIN = IN(CREATION) | IN(PACKAGE) | IN(FILES) | IN(SNIPPET) };

enum how {
    TEXT,     /* left out if empty */
    KEPT,     /* there with "" from the start */
    LIST,     /* one more text */
    WHO,      /* "Person: name", which is what it stays */
    WHO_LIST, /* the same, one more; tools, too */
    ID,
    CHECKSUM,
    ANALYZED,
    CODE,
    DOCUMENT,
    EXTERNAL,
    EXTERNAL_COMMENT,
    ARTIFACT,
    ARTIFACT_PART,
    RELATION,
    RELATION_COMMENT,
    NOTE,
    NOTE_PART,
    NOTE_ID,
    BEGIN, /* a section; key: which */
    DROP
};

static const struct row {
    unsigned sections;
    enum how how;
    const char *tag, *key;
} rows[] = {
    {IN(START), KEPT, "SPDXVersion", "spdxVersion"},
    {IN(START), KEPT, "DataLicense", "dataLicense"},
    {IN(START), ID, "SPDXID", "SPDXID"},
    {IN(START), KEPT, "DocumentName", "name"},
    {IN(START), KEPT, "DocumentNamespace", "documentNamespace"},
    {IN(START) | IN(CREATION), TEXT, "DocumentComment", "comment"},
    {IN(START), DOCUMENT, "ExternalDocumentRef", "externalDocumentRefs"},
    {IN(CREATION), TEXT, "LicenseListVersion", "licenseListVersion"},
    {IN(CREATION), WHO_LIST, "Creator", "creators"},
    {IN(CREATION), KEPT, "Created", "created"},
    {IN(CREATION), TEXT, "CreatorComment", "comment"},
    {WITHIN, BEGIN, "PackageName", "name"},
    {WITHIN, BEGIN, "FileName", "fileName"},
    {WITHIN | IN(LICENCE), BEGIN, "LicenseID", "licenseId"},
    {ANY, BEGIN, "Reviewer", NULL},
    {IN(FILES) | IN(SNIPPET), BEGIN, "SnippetSPDXID", NULL},
    {IN(PACKAGE) | IN(FILES), ID, "SPDXID", "SPDXID"},
    {IN(PACKAGE), TEXT, "PackageVersion", "versionInfo"},
    {IN(PACKAGE), TEXT, "PackageFileName", "packageFileName"},
    {IN(PACKAGE), WHO, "PackageSupplier", "supplier"},
    {IN(PACKAGE), WHO, "PackageOriginator", "originator"},
    {IN(PACKAGE), KEPT, "PackageDownloadLocation", "downloadLocation"},
    {IN(PACKAGE), ANALYZED, "FilesAnalyzed", "filesAnalyzed"},
    {IN(PACKAGE), CODE, "PackageVerificationCode", "packageVerificationCode"},
    {IN(PACKAGE), CHECKSUM, "PackageChecksum", "checksums"},
    {IN(PACKAGE), TEXT, "PackageHomePage", "homepage"},
    {IN(PACKAGE), TEXT, "PackageSourceInfo", "sourceInfo"},
    {IN(PACKAGE), TEXT, "PackageLicenseConcluded", "licenseConcluded"},
    {IN(PACKAGE), LIST, "PackageLicenseInfoFromFiles", "licenseInfoFromFiles"},
    {IN(PACKAGE), TEXT, "PackageLicenseDeclared", "licenseDeclared"},
    {IN(PACKAGE), TEXT, "PackageLicenseComments", "licenseComments"},
    {IN(PACKAGE), TEXT, "PackageCopyrightText", "copyrightText"},
    {IN(PACKAGE), TEXT, "PackageSummary", "summary"},
    {IN(PACKAGE), TEXT, "PackageDescription", "description"},
    {IN(PACKAGE), TEXT, "PackageComment", "comment"},
    {IN(PACKAGE), TEXT, "PrimaryPackagePurpose", "primaryPackagePurpose"},
    {IN(PACKAGE), TEXT, "ReleaseDate", "releaseDate"},
    {IN(PACKAGE), TEXT, "BuiltDate", "builtDate"},
    {IN(PACKAGE), TEXT, "ValidUntilDate", "validUntilDate"},
    {IN(PACKAGE), LIST, "PackageAttributionText", "attributionTexts"},
    {IN(PACKAGE), EXTERNAL, "ExternalRef", "externalRefs"},
    {IN(PACKAGE), EXTERNAL_COMMENT, "ExternalRefComment", "comment"},
    {IN(FILES), LIST, "FileType", "fileTypes"},
    {IN(FILES), CHECKSUM, "FileChecksum", "checksums"},
    {IN(FILES), TEXT, "LicenseConcluded", "licenseConcluded"},
    {IN(FILES), LIST, "LicenseInfoInFile", "licenseInfoInFiles"},
    {IN(FILES), TEXT, "LicenseComments", "licenseComments"},
    {IN(FILES), KEPT, "FileCopyrightText", "copyrightText"},
    {IN(FILES), ARTIFACT, "ArtifactOfProjectName", "name"},
    {IN(FILES), ARTIFACT_PART, "ArtifactOfProjectHomePage", "homePage"},
    {IN(FILES), ARTIFACT_PART, "ArtifactOfProjectURI", "URI"},
    {IN(FILES), TEXT, "FileComment", "comment"},
    {IN(FILES), TEXT, "FileNotice", "noticeText"},
    {IN(FILES), LIST, "FileContributor", "fileContributors"},
    {IN(FILES), LIST, "FileDependency", "fileDependencies"},
    {IN(FILES), LIST, "FileAttributionText", "attributionTexts"},
    {IN(SNIPPET), DROP, "SnippetFromFileSPDXID", NULL},
    {IN(SNIPPET), DROP, "SnippetByteRange", NULL},
    {IN(SNIPPET), DROP, "SnippetLineRange", NULL},
    {IN(SNIPPET), DROP, "SnippetLicenseConcluded", NULL},
    {IN(SNIPPET), DROP, "LicenseInfoInSnippet", NULL},
    {IN(SNIPPET), DROP, "SnippetLicenseComments", NULL},
    {IN(SNIPPET), DROP, "SnippetCopyrightText", NULL},
    {IN(SNIPPET), DROP, "SnippetComment", NULL},
    {IN(SNIPPET), DROP, "SnippetName", NULL},
    {IN(SNIPPET), DROP, "SnippetAttributionText", NULL},
    {IN(LICENCE), KEPT, "ExtractedText", "extractedText"},
    {IN(LICENCE), TEXT, "LicenseName", "name"},
    {IN(LICENCE), LIST, "LicenseCrossReference", "seeAlsos"},
    {IN(LICENCE), TEXT, "LicenseComment", "comment"},
    {IN(REVIEW), DROP, "ReviewDate", NULL},
    {IN(REVIEW), DROP, "ReviewComment", NULL},
    {ANY, RELATION, "Relationship", "relationships"},
    {ANY, RELATION_COMMENT, "RelationshipComment", "comment"},
    {ANY, NOTE, "Annotator", "annotations"},
    {ANY, NOTE_PART, "AnnotationDate", "annotationDate"},
    {ANY, NOTE_PART, "AnnotationType", "annotationType"},
    {ANY, NOTE_PART, "AnnotationComment", "comment"},
    {ANY, NOTE_ID, "SPDXREF", NULL},
};
enum { ROWS = sizeof rows / sizeof *rows };

struct spdx {
    struct arena *arena;
    struct str text;
    const char *name;
    struct err *err;
    size_t at; /* of the line */
    enum section section;
    struct tree *doc, *creation, *package, *file, *licence;
    struct tree *relation, *note, *external, *artifact; /* those that parts belong to */
    bool named_package, named_file;                     /* have an SPDXID */
    struct str version;                                 /* the first that is said */
};

static bool fail(struct spdx *s, const char *why)
{
    return parsers_fail(s->text, s->name, s->at, why, s->err);
}

static bool full(struct spdx *s)
{
    return arena_full(s->arena, s->err);
}

/* --- making --- */

static bool put(struct spdx *s, struct tree *object, const char *key, struct value v)
{
    struct tree *there = tree_find(object, str_from(key));
    if (!there)
        return tree_put(s->arena, object, str_from(key), tree_leaf(s->arena, v)) || full(s);
    there->kind = TREE_VALUE;
    there->value = v;
    return true;
}

static bool put_text(struct spdx *s, struct tree *object, const char *key, struct str v)
{
    return put(s, object, key, value_string(v));
}

/* One more of a list, which is null or not there before. */
static bool push(struct spdx *s, struct tree *object, const char *key, struct tree *node)
{
    struct tree *list = tree_find(object, str_from(key));
    if (!list) {
        list = tree_make(s->arena, TREE_LIST);
        if (!list || !tree_put(s->arena, object, str_from(key), list))
            return full(s);
    }
    list->kind = TREE_LIST;
    return tree_push(s->arena, list, node) || full(s);
}

static bool push_text(struct spdx *s, struct tree *object, const char *key, struct str v)
{
    return push(s, object, key, tree_leaf(s->arena, value_string(v)));
}

/* An object whose keys, up to a NULL, have empty texts. */
static struct tree *make(struct spdx *s, const char *const *keys)
{
    struct tree *object = tree_make(s->arena, TREE_OBJECT);
    for (; object && *keys; keys++)
        if (!put_text(s, object, *keys, STR("")))
            return NULL;
    return object;
}

/* --- parts of values --- */

/* "a: b" */
static bool halves(struct spdx *s, struct str value, struct str *ret_a, struct str *ret_b)
{
    if (!str_cut(&value, ':', ret_a))
        return fail(s, "KIND: VALUE is wanted");
    *ret_a = str_trim(*ret_a);
    *ret_b = str_trim(value);
    return true;
}

/* Its words; SIZE_MAX for more than there is room for. */
static size_t words(struct str value, struct str *ret, size_t room)
{
    size_t n = 0;
    while (value.len) {
        struct str word;
        (void)str_cut(&value, ' ', &word);
        word = str_trim(word);
        if (!word.len)
            continue;
        if (n == room)
            return SIZE_MAX;
        ret[n++] = word;
    }
    return n;
}

static bool is_id(struct str id)
{
    const struct str head = STR("SPDXRef-");
    return str_starts(id, head) && id.len > head.len && str_find_char(id, ':', 0) == SIZE_MAX;
}

/* Of this document or of another. */
static bool is_element(struct str id)
{
    const struct str head = STR("DocumentRef-");
    struct str document;
    if (str_starts(id, head) && (!str_cut(&id, ':', &document) || document.len == head.len))
        return false;
    return is_id(id);
}

static bool who(struct spdx *s, struct str value, bool tools, struct value *ret)
{
    struct str kind, name;
    if (!tools && str_equal(value, STR("NOASSERTION"))) {
        *ret = value_string(value);
        return true;
    }
    if (!halves(s, value, &kind, &name))
        return false;
    if (!str_equal(kind, STR("Person")) && !str_equal(kind, STR("Organization")) &&
        !(tools && str_equal(kind, STR("Tool"))))
        return fail(s, "a Person, an Organization or a Tool is wanted");
    if (!name.len)
        return fail(s, "a name is wanted");
    struct str text = arena_printf(s->arena, "%.*s: %.*s", STR_ARG(kind), STR_ARG(name));
    *ret = value_string(text);
    return text.ptr || full(s);
}

static bool is_algorithm(struct str name)
{
    static const char *const names[] = {
        "SHA1",   "SHA224",      "SHA256",      "SHA384",      "SHA512",   "MD2",
        "MD4",    "MD5",         "MD6",         "SHA3-256",    "SHA3-384", "SHA3-512",
        "BLAKE3", "BLAKE2b-256", "BLAKE2b-384", "BLAKE2b-512", "ADLER32"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_equal(name, str_from(names[i])))
            return true;
    return false;
}

static struct tree *checksum(struct spdx *s, struct str algorithm, struct str digest)
{
    struct tree *sum = tree_make(s->arena, TREE_OBJECT);
    return sum && put_text(s, sum, "algorithm", algorithm) &&
                   put_text(s, sum, "checksumValue", digest)
               ? sum
               : NULL;
}

/* --- tags --- */

static bool add_checksum(struct spdx *s, struct tree *to, const struct row *row, struct str value)
{
    struct str algorithm, digest;
    if (!halves(s, value, &algorithm, &digest))
        return false;
    if (!is_algorithm(algorithm))
        return fail(s, "no such kind of checksum");
    return push(s, to, row->key, checksum(s, algorithm, digest));
}

static bool set_code(struct spdx *s, struct tree *to, const struct row *row, struct str value)
{
    const struct str mark = STR("(excludes:");
    struct tree *code = tree_make(s->arena, TREE_OBJECT), *there;
    size_t at = str_find(value, mark, 0);
    struct str sum = at == SIZE_MAX ? value : str_trim(str_sub(value, 0, at));
    if (!code || !put_text(s, code, "packageVerificationCodeValue", sum))
        return full(s);
    if (at != SIZE_MAX) {
        struct str rest = str_sub(value, at + mark.len, value.len), file;
        (void)str_cut(&rest, ')', &file);
        if (!push_text(s, code, "packageVerificationCodeExcludedFiles", str_trim(file)))
            return false;
    }
    there = tree_find(to, str_from(row->key));
    if (there)
        *there = *code;
    return there || tree_put(s->arena, to, str_from(row->key), code) || full(s);
}

static bool add_document(struct spdx *s, const struct row *row, struct str value)
{
    const struct str head = STR("DocumentRef-");
    struct str word[4], algorithm, digest;
    size_t n = words(value, word, 4);
    struct tree *ref = tree_make(s->arena, TREE_OBJECT);
    if (n != 3 && n != 4)
        return fail(s, "DocumentRef-NAME URI ALGORITHM: CHECKSUM is wanted");
    algorithm = word[2];
    digest = n == 4 ? word[3] : algorithm;
    if (n == 4 ? !str_ends(algorithm, STR(":")) : !str_cut(&digest, ':', &algorithm))
        return fail(s, "the algorithm of a checksum ends in a colon");
    if (n == 4)
        algorithm.len--;
    if (!str_starts(word[0], head) || word[0].len == head.len)
        return fail(s, "DocumentRef-NAME is wanted");
    return ref ? put_text(s, ref, "externalDocumentId", word[0]) &&
                     put_text(s, ref, "spdxDocument", word[1]) &&
                     (tree_put(s->arena, ref, STR("checksum"), checksum(s, algorithm, digest)) ||
                      full(s)) &&
                     push(s, s->doc, row->key, ref)
               : full(s);
}

static bool add_external(struct spdx *s, const struct row *row, struct str value)
{
    struct str word[3];
    if (words(value, word, 3) != 3)
        return fail(s, "CATEGORY TYPE LOCATOR is wanted");
    struct str category = arena_dup(s->arena, word[0]);
    s->external = tree_make(s->arena, TREE_OBJECT);
    if (!category.ptr || !s->external)
        return full(s);
    for (size_t i = 0; i < category.len; i++)
        if (category.ptr[i] == '_')
            ((char *)(uintptr_t)category.ptr)[i] = '-';
    return put_text(s, s->external, "referenceCategory", category) &&
           put_text(s, s->external, "referenceType", word[1]) &&
           put_text(s, s->external, "referenceLocator", word[2]) &&
           push(s, s->package, row->key, s->external);
}

static bool add_relation(struct spdx *s, const struct row *row, struct str value)
{
    struct str word[3];
    if (words(value, word, 3) != 3)
        return fail(s, "ELEMENT RELATIONSHIP ELEMENT is wanted");
    if (!is_element(word[0]) || (!str_equal(word[2], STR("NONE")) &&
                                 !str_equal(word[2], STR("NOASSERTION")) && !is_element(word[2])))
        return fail(s, "an element is SPDXRef-NAME or DocumentRef-NAME:SPDXRef-NAME");
    s->relation = tree_make(s->arena, TREE_OBJECT);
    return s->relation ? put_text(s, s->relation, "spdxElementId", word[0]) &&
                             put_text(s, s->relation, "relationshipType", word[1]) &&
                             put_text(s, s->relation, "relatedSpdxElement", word[2]) &&
                             push(s, s->doc, row->key, s->relation)
                       : full(s);
}

static bool add_note(struct spdx *s, const struct row *row, struct str value)
{
    static const char *const keys[] = {"annotationDate", "annotationType", "comment", NULL};
    struct value annotator;
    if (!who(s, value, true, &annotator))
        return false;
    s->note = make(s, keys);
    return s->note ? put(s, s->note, "annotator", annotator) && push(s, s->doc, row->key, s->note)
                   : full(s);
}

static bool add_artifact(struct spdx *s, const struct row *row, struct str value)
{
    static const char *const keys[] = {"name", "homePage", "URI", NULL};
    s->artifact = make(s, keys);
    return s->artifact ? put_text(s, s->artifact, row->key, value) &&
                             push(s, s->file, "artifactOfs", s->artifact)
                       : full(s);
}

/* An element counts once it has its identifier. */
static bool set_id(struct spdx *s, struct tree *to, const struct row *row, struct str value)
{
    if (!is_id(value))
        return fail(s, "SPDXRef-NAME is wanted, without a colon");
    if (!put_text(s, to, row->key, value))
        return false;
    if (s->section == PACKAGE) {
        s->named_package = true;
        return push(s, s->doc, "packages", to);
    }
    s->named_file |= s->section == FILES;
    return s->section != FILES || push(s, s->package ? s->package : s->doc, "files", to);
}

static bool is_whole(struct spdx *s, bool with_package)
{
    if (s->file && !s->named_file)
        return fail(s, "the file before has no SPDXID");
    return !with_package || !s->package || s->named_package ||
           fail(s, "the package before has no SPDXID");
}

static bool begin_package(struct spdx *s, struct str value)
{
    static const char *const keys[] = {"downloadLocation", NULL};
    if (!is_whole(s, s->section == PACKAGE))
        return false;
    s->file = NULL;
    s->named_package = false;
    s->package = make(s, keys);
    return s->package ? put_text(s, s->package, "name", value) &&
                            put(s, s->package, "filesAnalyzed", value_bool(true))
                      : full(s);
}

static bool begin_file(struct spdx *s, struct str value)
{
    static const char *const keys[] = {"copyrightText", NULL};
    if (!is_whole(s, false))
        return false;
    if (s->section == CREATION)
        s->package = NULL;
    s->named_file = false;
    s->artifact = NULL;
    s->file = make(s, keys);
    return s->file ? put_text(s, s->file, "fileName", value) &&
                         put(s, s->file, "checksums", value_null())
                   : full(s);
}

static bool begin_licence(struct spdx *s, struct str value)
{
    static const char *const keys[] = {"extractedText", NULL};
    s->licence = make(s, keys);
    return s->licence ? put_text(s, s->licence, "licenseId", value) &&
                            push(s, s->doc, "hasExtractedLicensingInfos", s->licence)
                      : full(s);
}

static bool begin(struct spdx *s, const struct row *row, struct str value)
{
    struct value reviewer;
    char what = row->tag[0];
    bool ok = what == 'P'   ? begin_package(s, value)
              : what == 'F' ? begin_file(s, value)
              : what == 'L' ? begin_licence(s, value)
              : what == 'R' ? who(s, value, true, &reviewer)
                            : is_id(value) || fail(s, "SPDXRef-NAME is wanted, without a colon");
    s->section = what == 'P'   ? PACKAGE
                 : what == 'F' ? FILES
                 : what == 'L' ? LICENCE
                 : what == 'R' ? REVIEW
                               : SNIPPET;
    return ok;
}

static bool part_of(struct spdx *s, struct tree *to, const struct row *row, struct str value)
{
    return to ? put_text(s, to, row->key, value) : fail(s, "what this is a part of is not there");
}

static bool take(struct spdx *s, const struct row *row, struct tree *to, struct str value)
{
    struct value v;
    if (row->how != EXTERNAL_COMMENT && s->section == PACKAGE)
        s->external = NULL;
    if (row->how != ARTIFACT_PART && s->section == FILES)
        s->artifact = NULL;
    switch (row->how) {
    case TEXT:
        return !value.len || put_text(s, to, row->key, value);
    case KEPT:
        return put_text(s, to, row->key, value);
    case LIST:
        return push_text(s, to, row->key, value);
    case WHO:
        return who(s, value, false, &v) && put(s, to, row->key, v);
    case WHO_LIST:
        return who(s, value, true, &v) && push(s, to, row->key, tree_leaf(s->arena, v));
    case ID:
        return set_id(s, to, row, value);
    case CHECKSUM:
        return add_checksum(s, to, row, value);
    case ANALYZED:
        return (!str_equal(value, STR("true")) && !str_equal(value, STR("false"))) ||
               put(s, to, row->key, value_bool(str_equal(value, STR("true"))));
    case CODE:
        return set_code(s, to, row, value);
    case DOCUMENT:
        return add_document(s, row, value);
    case EXTERNAL:
        return add_external(s, row, value);
    case EXTERNAL_COMMENT:
        return !value.len || part_of(s, s->external, row, value);
    case ARTIFACT:
        return add_artifact(s, row, value);
    case ARTIFACT_PART:
        return part_of(s, s->artifact, row, value);
    case RELATION:
        return add_relation(s, row, value);
    case RELATION_COMMENT:
        return !value.len || part_of(s, s->relation, row, value);
    case NOTE:
        return add_note(s, row, value);
    case NOTE_PART:
        return part_of(s, s->note, row, value);
    case NOTE_ID:
        return (s->note && is_element(value)) ||
               fail(s, "an annotator, and the element, are wanted");
    case BEGIN:
        return begin(s, row, value);
    case DROP:
        break;
    }
    return true;
}

static const struct row *find_row(enum section section, struct str tag)
{
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].sections & IN(section) && str_equal(str_from(rows[i].tag), tag))
            return &rows[i];
    return NULL;
}

static bool pair(struct spdx *s, struct str tag, struct str value)
{
    static const char *const keys[] = {"created", NULL};
    const struct row *row = find_row(s->section, tag);
    if (s->section == START && !row) {
        s->section = CREATION;
        row = find_row(CREATION, tag);
        if (!s->creation) {
            s->creation = make(s, keys);
            if (!s->creation || !put(s, s->creation, "creators", value_null()))
                return full(s);
        }
    }
    if (!row)
        return fail(s, "a tag that has no place here");
    if (!s->version.len && str_equal(tag, STR("SPDXVersion")))
        s->version = value;
    if (str_equal(tag, STR("DocumentComment")))
        s->section = START;
    struct tree *to[] = {s->doc, s->creation, s->package, s->file, NULL, s->licence, NULL};
    return take(s, row, to[s->section], value);
}

/* --- lines --- */

/* <text>...</text> may go over lines. rest: what follows the line; cut where the text ends. */
static bool text_value(struct spdx *s, struct str value, struct str *rest, struct str *ret)
{
    const struct str open = STR("<text>"), shut = STR("</text>");
    size_t from = str_find(value, open, 0), end;
    if (from == SIZE_MAX) {
        *ret = str_trim(value);
        return true;
    }
    value = str_sub(value, from + open.len, value.len);
    end = str_find(value, shut, 0);
    if (end != SIZE_MAX) {
        *ret = str_sub(value, 0, end);
        return true;
    }
    AUTO_BUF text = {.limit = BUF_DEFAULT_LIMIT};
    buf_str(&text, value);
    while (rest->len) {
        struct str line;
        (void)str_cut(rest, '\n', &line);
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        end = str_find(line, shut, 0);
        buf_char(&text, '\n');
        buf_str(&text, end == SIZE_MAX ? line : str_sub(line, 0, end));
        if (end == SIZE_MAX)
            continue;
        *ret = arena_dup(s->arena, buf_view(&text));
        return buf_ok(&text, s->err) && (ret->ptr || full(s));
    }
    return fail(s, "<text> without </text>");
}

static bool lines(struct spdx *s, struct str rest, size_t *ret_pairs)
{
    while (rest.len) {
        struct str line, tag, value;
        (void)str_cut(&rest, '\n', &line);
        s->at = (size_t)(line.ptr - s->text.ptr);
        if (line.len && line.ptr[line.len - 1] == '\r')
            line.len--;
        while (line.len && strchr(" \t\v\f\r", line.ptr[0]) && line.ptr[0])
            line = str_sub(line, 1, line.len);
        if (!line.len || line.ptr[0] == '#')
            continue;
        if (!str_cut(&line, ':', &tag))
            return fail(s, "TAG: VALUE is wanted");
        if (!text_value(s, line, &rest, &value) || !pair(s, str_trim(tag), value))
            return false;
        ++*ret_pairs;
    }
    return true;
}

/* Before 2.3 there is one of each package. */
static bool fill_codes(struct spdx *s)
{
    static const char *const keys[] = {"packageVerificationCodeValue", NULL};
    const struct str key = STR("packageVerificationCode");
    const struct tree *packages = tree_find(s->doc, STR("packages"));
    for (size_t i = 0; packages && i < packages->n; i++) {
        struct tree *package = packages->member[i].node;
        if (!tree_find(package, key) && !tree_put(s->arena, package, key, make(s, keys)))
            return false;
    }
    return true;
}

bool parser_spdx(PARSER_ARGS)
{
    static const char *const keys[] = {"dataLicense", "name", "documentNamespace", NULL};
    struct spdx s = {.arena = arena, .text = text, .name = name, .err = err};
    size_t pairs = 0;
    s.doc = make(&s, keys);
    if (!s.doc || !put_text(&s, s.doc, "SPDXID", STR("SPDXRef-")))
        return full(&s);
    if (!lines(&s, text, &pairs) || !is_whole(&s, true))
        return false;
    bool is_last = str_equal(s.version, STR("SPDX-2.3"));
    s.at = 0;
    if (!is_last && !str_equal(s.version, STR("SPDX-2.2")) &&
        !str_equal(s.version, STR("SPDX-2.1")))
        return fail(&s, pairs ? "SPDXVersion is none of SPDX-2.1, SPDX-2.2 and SPDX-2.3"
                              : "no tag with a value");
    /* Whatever it was, this is the form of it. */
    if ((!is_last && !fill_codes(&s)) || !put_text(&s, s.doc, "spdxVersion", STR("SPDX-2.3")) ||
        !(s.creation ? tree_put(arena, s.doc, STR("creationInfo"), s.creation)
                     : put(&s, s.doc, "creationInfo", value_null())))
        return full(&s);
    return tree_value(arena, s.doc, ret, err);
}
