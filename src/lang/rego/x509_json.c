/* x509_json.c - one function a part of a certificate. */
#include "lang/rego/x509_json.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include "base/openssl.h"
#include "wire/base64.h"

enum { DER_MAX = 64 << 20, NUMBER_DIGITS_MAX = 1 << 16 };

/* --- small parts --- */

static void key(struct jsonw *w, const char *name)
{
    jsonw_key(w, str_from(name));
}

static void write_bytes(struct jsonw *w, const void *bytes, size_t n)
{
    AUTO_BUF text = {.limit = DER_MAX};
    base64_write(&text, (struct str){bytes, n}, BASE64_STANDARD);
    w->out->failed |= text.failed;
    jsonw_string(w, buf_view(&text));
}

/* What an i2d function made; NULL or empty is null. */
static void write_der(struct jsonw *w, const char *name, unsigned char *der, int n)
{
    key(w, name);
    if (n > 0)
        write_bytes(w, der, (size_t)n);
    else
        jsonw_null(w);
    OPENSSL_free(der);
}

static void write_octets(struct jsonw *w, const char *name, const ASN1_STRING *octets)
{
    key(w, name);
    if (octets)
        write_bytes(w, ASN1_STRING_get0_data(octets), (size_t)ASN1_STRING_length(octets));
    else
        jsonw_null(w);
}

static void write_number(struct jsonw *w, const BIGNUM *number)
{
    char *text = number ? BN_bn2dec(number) : NULL;
    if (text && strlen(text) < NUMBER_DIGITS_MAX) {
        struct value v = value_number(str_from(text));
        jsonw_value(w, &v);
    } else {
        jsonw_null(w);
    }
    OPENSSL_free(text);
}

static void write_param(struct jsonw *w, const char *name, const EVP_PKEY *pkey, const char *param)
{
    BIGNUM *number = NULL;
    (void)EVP_PKEY_get_bn_param(pkey, param, &number);
    key(w, name);
    write_number(w, number);
    BN_clear_free(number);
}

static void write_oid(struct jsonw *w, const ASN1_OBJECT *oid)
{
    char text[256];
    struct str rest, part;
    int64_t n;
    jsonw_array_open(w);
    int len = OBJ_obj2txt(text, sizeof text, oid, 1);
    rest = (struct str){text, len > 0 && (size_t)len < sizeof text ? (size_t)len : 0};
    while (rest.len) {
        (void)str_cut(&rest, '.', &part);
        if (str_to_int64(part, &n)) {
            struct value v = value_int(n);
            jsonw_value(w, &v);
        }
    }
    jsonw_array_close(w);
}

static void write_asn1_text(struct jsonw *w, const ASN1_STRING *s)
{
    unsigned char *utf8 = NULL;
    int n = ASN1_STRING_to_UTF8(&utf8, s);
    jsonw_string(w, (struct str){(const char *)utf8, n > 0 ? (size_t)n : 0});
    OPENSSL_free(utf8);
}

static struct str ia5(const ASN1_STRING *s)
{
    return (struct str){(const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)};
}

static void write_time(struct jsonw *w, const char *name, const ASN1_TIME *when)
{
    struct tm tm;
    char text[40] = "";
    if (ASN1_TIME_to_tm(when, &tm))
        (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    jsonw_member_string(w, str_from(name), str_from(text));
}

static void member_null(struct jsonw *w, const char *name)
{
    key(w, name);
    jsonw_null(w);
}

/* --- names --- */

static void name_entries(struct jsonw *w, const char *member, X509_NAME *name, int nid, bool list)
{
    bool any = false;
    const ASN1_STRING *last = NULL;
    key(w, member);
    for (int i = X509_NAME_get_index_by_NID(name, nid, -1); i >= 0;
         i = X509_NAME_get_index_by_NID(name, nid, i)) {
        last = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i));
        if (list && !any)
            jsonw_array_open(w);
        if (list)
            write_asn1_text(w, last);
        any = true;
    }
    if (list && any)
        jsonw_array_close(w);
    else if (list)
        jsonw_null(w);
    else if (any)
        write_asn1_text(w, last);
    else
        jsonw_string(w, STR(""));
}

static void write_name(struct jsonw *w, const char *member, X509_NAME *name)
{
    static const struct {
        const char *member;
        int nid;
        bool list;
    } parts[] = {
        {"CommonName", NID_commonName, false},
        {"Country", NID_countryName, true},
        {"Locality", NID_localityName, true},
        {"Organization", NID_organizationName, true},
        {"OrganizationalUnit", NID_organizationalUnitName, true},
        {"PostalCode", NID_postalCode, true},
        {"Province", NID_stateOrProvinceName, true},
        {"SerialNumber", NID_serialNumber, false},
        {"StreetAddress", NID_streetAddress, true},
    };
    key(w, member);
    jsonw_object_open(w);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        name_entries(w, parts[i].member, name, parts[i].nid, parts[i].list);
    member_null(w, "ExtraNames");
    key(w, "Names");
    if (X509_NAME_entry_count(name) > 0) {
        jsonw_array_open(w);
        for (int i = 0; i < X509_NAME_entry_count(name); i++) {
            X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
            jsonw_object_open(w);
            key(w, "Type");
            write_oid(w, X509_NAME_ENTRY_get_object(entry));
            key(w, "Value");
            write_asn1_text(w, X509_NAME_ENTRY_get_data(entry));
            jsonw_object_close(w);
        }
        jsonw_array_close(w);
    } else {
        jsonw_null(w);
    }
    jsonw_object_close(w);
}

/* --- alternative names --- */

static void write_url(struct jsonw *w, struct str url)
{
    struct str fragment = STR(""), query = STR(""), host = STR(""), opaque = STR(""), scheme;
    size_t at = str_find_char(url, '#', 0);
    if (at != SIZE_MAX)
        fragment = str_sub(url, at + 1, url.len);
    url = str_sub(url, 0, at);
    at = str_find_char(url, '?', 0);
    bool force_query = at != SIZE_MAX && at + 1 == url.len;
    if (at != SIZE_MAX)
        query = str_sub(url, at + 1, url.len);
    url = str_sub(url, 0, at);
    at = str_find_char(url, ':', 0);
    scheme = at == SIZE_MAX ? STR("") : str_sub(url, 0, at);
    struct str path = at == SIZE_MAX ? url : str_sub(url, at + 1, url.len);
    if (str_starts(path, STR("//"))) {
        size_t slash = str_find_char(path, '/', 2);
        host = str_sub(path, 2, slash);
        path = slash == SIZE_MAX ? STR("") : str_sub(path, slash, path.len);
    } else if (scheme.len && !str_starts(path, STR("/"))) {
        opaque = path;
        path = STR("");
    }
    at = str_find_char(host, '@', 0);
    jsonw_object_open(w);
    jsonw_member_bool(w, STR("ForceQuery"), force_query);
    jsonw_member_string(w, STR("Fragment"), fragment);
    jsonw_member_string(w, STR("Host"), at == SIZE_MAX ? host : str_sub(host, at + 1, host.len));
    jsonw_member_bool(w, STR("OmitHost"), false);
    jsonw_member_string(w, STR("Opaque"), opaque);
    jsonw_member_string(w, STR("Path"), path);
    jsonw_member_string(w, STR("RawFragment"), STR(""));
    jsonw_member_string(w, STR("RawPath"), STR(""));
    jsonw_member_string(w, STR("RawQuery"), query);
    jsonw_member_string(w, STR("Scheme"), scheme);
    key(w, "User");
    if (at != SIZE_MAX) {
        jsonw_object_open(w);
        jsonw_object_close(w);
    } else {
        jsonw_null(w);
    }
    jsonw_object_close(w);
}

static void write_address(struct jsonw *w, const unsigned char *bytes, size_t n)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (n == 4 || n == 16)
        (void)inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text);
    jsonw_string(w, str_from(text));
}

enum how { AS_TEXT, AS_URL };

static void general_name(struct jsonw *w, const GENERAL_NAME *name, enum how how)
{
    if (name->type == GEN_IPADD) {
        const ASN1_STRING *ip = name->d.iPAddress;
        write_address(w, ASN1_STRING_get0_data(ip), (size_t)ASN1_STRING_length(ip));
    } else if (how == AS_URL) {
        write_url(w, ia5(name->d.ia5));
    } else {
        jsonw_string(w, ia5(name->d.ia5));
    }
}

/* The names of one type as a list; none is null. */
static void general_names(struct jsonw *w, const char *member, const GENERAL_NAMES *names, int type,
                          enum how how)
{
    bool any = false;
    key(w, member);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != type)
            continue;
        if (!any)
            jsonw_array_open(w);
        any = true;
        general_name(w, name, how);
    }
    if (any)
        jsonw_array_close(w);
    else
        jsonw_null(w);
}

static void write_alternatives(struct jsonw *w, const GENERAL_NAMES *names, bool uri_strings)
{
    general_names(w, "DNSNames", names, GEN_DNS, AS_TEXT);
    general_names(w, "EmailAddresses", names, GEN_EMAIL, AS_TEXT);
    general_names(w, "IPAddresses", names, GEN_IPADD, AS_TEXT);
    general_names(w, "URIs", names, GEN_URI, AS_URL);
    if (uri_strings)
        general_names(w, "URIStrings", names, GEN_URI, AS_TEXT);
}

/* --- extensions --- */

static void write_extensions(struct jsonw *w, const STACK_OF(X509_EXTENSION) * list)
{
    key(w, "Extensions");
    if (sk_X509_EXTENSION_num(list) <= 0) {
        jsonw_null(w);
        return;
    }
    jsonw_array_open(w);
    for (int i = 0; i < sk_X509_EXTENSION_num(list); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(list, i);
        jsonw_object_open(w);
        jsonw_member_bool(w, STR("Critical"), X509_EXTENSION_get_critical(extension) > 0);
        key(w, "Id");
        write_oid(w, X509_EXTENSION_get_object(extension));
        write_octets(w, "Value", X509_EXTENSION_get_data(extension));
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
}

static void write_unhandled(struct jsonw *w, const STACK_OF(X509_EXTENSION) * list)
{
    static const int handled[] = {
        NID_key_usage,          NID_basic_constraints,        NID_subject_alt_name,
        NID_name_constraints,   NID_crl_distribution_points,  NID_subject_key_identifier,
        NID_ext_key_usage,      NID_authority_key_identifier, NID_certificate_policies,
        NID_policy_constraints, NID_policy_mappings,          NID_inhibit_any_policy,
        NID_info_access};
    bool any = false;
    key(w, "UnhandledCriticalExtensions");
    for (int i = 0; i < sk_X509_EXTENSION_num(list); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(list, i);
        bool known = X509_EXTENSION_get_critical(extension) <= 0;
        for (size_t k = 0; !known && k < sizeof handled / sizeof *handled; k++)
            known = OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == handled[k];
        if (known)
            continue;
        if (!any)
            jsonw_array_open(w);
        any = true;
        write_oid(w, X509_EXTENSION_get_object(extension));
    }
    if (any)
        jsonw_array_close(w);
    else
        jsonw_null(w);
}

static void write_constraints(struct jsonw *w, X509 *certificate)
{
    BASIC_CONSTRAINTS *basic = X509_get_ext_d2i(certificate, NID_basic_constraints, NULL, NULL);
    long most = !basic ? 0 : basic->pathlen ? ASN1_INTEGER_get(basic->pathlen) : -1;
    jsonw_member_bool(w, STR("BasicConstraintsValid"), basic != NULL);
    jsonw_member_bool(w, STR("IsCA"), basic && basic->ca);
    jsonw_member_int(w, STR("MaxPathLen"), most);
    jsonw_member_bool(w, STR("MaxPathLenZero"), basic && most == 0);
    BASIC_CONSTRAINTS_free(basic);
}

static void write_limit(struct jsonw *w, const char *member, const char *zero,
                        const ASN1_INTEGER *limit)
{
    long n = limit ? ASN1_INTEGER_get(limit) : 0;
    jsonw_member_int(w, str_from(member), n);
    jsonw_member_bool(w, str_from(zero), limit && n == 0);
}

static void write_policies(struct jsonw *w, X509 *certificate)
{
    CERTIFICATEPOLICIES *policies =
        X509_get_ext_d2i(certificate, NID_certificate_policies, NULL, NULL);
    POLICY_CONSTRAINTS *limits = X509_get_ext_d2i(certificate, NID_policy_constraints, NULL, NULL);
    ASN1_INTEGER *inhibit = X509_get_ext_d2i(certificate, NID_inhibit_any_policy, NULL, NULL);
    for (int as_text = 0; as_text < 2; as_text++) {
        key(w, as_text ? "Policies" : "PolicyIdentifiers");
        if (!policies) {
            jsonw_null(w);
            continue;
        }
        jsonw_array_open(w);
        for (int i = 0; i < sk_POLICYINFO_num(policies); i++) {
            char text[256] = "";
            const ASN1_OBJECT *id = sk_POLICYINFO_value(policies, i)->policyid;
            (void)OBJ_obj2txt(text, sizeof text, id, 1);
            if (as_text)
                jsonw_string(w, str_from(text));
            else
                write_oid(w, id);
        }
        jsonw_array_close(w);
    }
    member_null(w, "PolicyMappings");
    write_limit(w, "InhibitAnyPolicy", "InhibitAnyPolicyZero", inhibit);
    write_limit(w, "InhibitPolicyMapping", "InhibitPolicyMappingZero",
                limits ? limits->inhibitPolicyMapping : NULL);
    write_limit(w, "RequireExplicitPolicy", "RequireExplicitPolicyZero",
                limits ? limits->requireExplicitPolicy : NULL);
    CERTIFICATEPOLICIES_free(policies);
    POLICY_CONSTRAINTS_free(limits);
    ASN1_INTEGER_free(inhibit);
}

static int usage_number(const ASN1_OBJECT *oid)
{
    static const int usages[] = {NID_anyExtendedKeyUsage, NID_server_auth,   NID_client_auth,
                                 NID_code_sign,           NID_email_protect, NID_ipsecEndSystem,
                                 NID_ipsecTunnel,         NID_ipsecUser,     NID_time_stamp,
                                 NID_OCSP_sign,           NID_ms_sgc,        NID_ns_sgc,
                                 NID_ms_code_com};
    for (size_t i = 0; i < sizeof usages / sizeof *usages; i++)
        if (OBJ_obj2nid(oid) == usages[i])
            return (int)i;
    return -1;
}

static void write_usage(struct jsonw *w, X509 *certificate)
{
    ASN1_BIT_STRING *bits = X509_get_ext_d2i(certificate, NID_key_usage, NULL, NULL);
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(certificate, NID_ext_key_usage, NULL, NULL);
    int set = 0;
    for (int i = 0; bits && i < 9; i++)
        set |= ASN1_BIT_STRING_get_bit(bits, i) << i;
    jsonw_member_int(w, STR("KeyUsage"), set);
    for (int unknown = 0; unknown < 2; unknown++) {
        bool any = false;
        key(w, unknown ? "UnknownExtKeyUsage" : "ExtKeyUsage");
        for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
            const ASN1_OBJECT *oid = sk_ASN1_OBJECT_value(usages, i);
            int number = usage_number(oid);
            struct value v = value_int(number);
            if ((number < 0) != (unknown != 0))
                continue;
            if (!any)
                jsonw_array_open(w);
            any = true;
            if (unknown)
                write_oid(w, oid);
            else
                jsonw_value(w, &v);
        }
        if (any)
            jsonw_array_close(w);
        else
            jsonw_null(w);
    }
    ASN1_BIT_STRING_free(bits);
    EXTENDED_KEY_USAGE_free(usages);
}

static void write_range(struct jsonw *w, const ASN1_STRING *ip)
{
    const unsigned char *bytes = ASN1_STRING_get0_data(ip);
    size_t half = (size_t)ASN1_STRING_length(ip) / 2;
    jsonw_object_open(w);
    key(w, "IP");
    write_address(w, bytes, half);
    key(w, "Mask");
    write_bytes(w, bytes + half, half);
    jsonw_object_close(w);
}

static void write_subtrees(struct jsonw *w, const char *member,
                           const STACK_OF(GENERAL_SUBTREE) * trees, int type)
{
    bool any = false;
    key(w, member);
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(trees); i++) {
        const GENERAL_NAME *name = sk_GENERAL_SUBTREE_value(trees, i)->base;
        if (name->type != type)
            continue;
        if (!any)
            jsonw_array_open(w);
        any = true;
        if (type == GEN_IPADD)
            write_range(w, name->d.iPAddress);
        else
            general_name(w, name, AS_TEXT);
    }
    if (any)
        jsonw_array_close(w);
    else
        jsonw_null(w);
}

static void write_name_constraints(struct jsonw *w, X509 *certificate)
{
    int critical = 0;
    NAME_CONSTRAINTS *names = X509_get_ext_d2i(certificate, NID_name_constraints, &critical, NULL);
    const STACK_OF(GENERAL_SUBTREE) *permitted = names ? names->permittedSubtrees : NULL;
    const STACK_OF(GENERAL_SUBTREE) *excluded = names ? names->excludedSubtrees : NULL;
    write_subtrees(w, "PermittedDNSDomains", permitted, GEN_DNS);
    write_subtrees(w, "PermittedEmailAddresses", permitted, GEN_EMAIL);
    write_subtrees(w, "PermittedIPRanges", permitted, GEN_IPADD);
    write_subtrees(w, "PermittedURIDomains", permitted, GEN_URI);
    write_subtrees(w, "ExcludedDNSDomains", excluded, GEN_DNS);
    write_subtrees(w, "ExcludedEmailAddresses", excluded, GEN_EMAIL);
    write_subtrees(w, "ExcludedIPRanges", excluded, GEN_IPADD);
    write_subtrees(w, "ExcludedURIDomains", excluded, GEN_URI);
    jsonw_member_bool(w, STR("PermittedDNSDomainsCritical"), names && critical > 0);
    NAME_CONSTRAINTS_free(names);
}

static void write_access(struct jsonw *w, const char *member, const AUTHORITY_INFO_ACCESS *access,
                         int nid)
{
    bool any = false;
    key(w, member);
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
        const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(access, i);
        if (OBJ_obj2nid(one->method) != nid || one->location->type != GEN_URI)
            continue;
        if (!any)
            jsonw_array_open(w);
        any = true;
        general_name(w, one->location, AS_TEXT);
    }
    if (any)
        jsonw_array_close(w);
    else
        jsonw_null(w);
}

static void write_places(struct jsonw *w, X509 *certificate)
{
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    CRL_DIST_POINTS *points =
        X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    bool any = false;
    write_access(w, "OCSPServer", access, NID_ad_OCSP);
    write_access(w, "IssuingCertificateURL", access, NID_ad_ca_issuers);
    key(w, "CRLDistributionPoints");
    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT_NAME *at = sk_DIST_POINT_value(points, i)->distpoint;
        for (int k = 0; at && at->type == 0 && k < sk_GENERAL_NAME_num(at->name.fullname); k++) {
            const GENERAL_NAME *name = sk_GENERAL_NAME_value(at->name.fullname, k);
            if (name->type != GEN_URI)
                continue;
            if (!any)
                jsonw_array_open(w);
            any = true;
            general_name(w, name, AS_TEXT);
        }
    }
    if (any)
        jsonw_array_close(w);
    else
        jsonw_null(w);
    AUTHORITY_INFO_ACCESS_free(access);
    CRL_DIST_POINTS_free(points);
}

/* --- keys and signatures --- */

static void write_curve(struct jsonw *w)
{
    key(w, "Curve");
    jsonw_object_open(w);
    jsonw_object_close(w);
}

static void write_public_key(struct jsonw *w, EVP_PKEY *pkey)
{
    int kind = pkey ? EVP_PKEY_base_id(pkey) : 0;
    int number = kind == EVP_PKEY_RSA       ? 1
                 : kind == EVP_PKEY_DSA     ? 2
                 : kind == EVP_PKEY_EC      ? 3
                 : kind == EVP_PKEY_ED25519 ? 4
                                            : 0;
    jsonw_member_int(w, STR("PublicKeyAlgorithm"), number);
    key(w, "PublicKey");
    if (kind == EVP_PKEY_ED25519) {
        unsigned char raw[32];
        size_t n = sizeof raw;
        (void)EVP_PKEY_get_raw_public_key(pkey, raw, &n);
        write_bytes(w, raw, n);
        return;
    }
    if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    if (kind == EVP_PKEY_RSA) {
        write_param(w, "E", pkey, OSSL_PKEY_PARAM_RSA_E);
        write_param(w, "N", pkey, OSSL_PKEY_PARAM_RSA_N);
    } else {
        write_curve(w);
        write_param(w, "X", pkey, OSSL_PKEY_PARAM_EC_PUB_X);
        write_param(w, "Y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
    }
    jsonw_object_close(w);
}

static void write_signature(struct jsonw *w, int nid, int digest, const ASN1_BIT_STRING *bits)
{
    static const int kinds[] = {0,
                                NID_md2WithRSAEncryption,
                                NID_md5WithRSAEncryption,
                                NID_sha1WithRSAEncryption,
                                NID_sha256WithRSAEncryption,
                                NID_sha384WithRSAEncryption,
                                NID_sha512WithRSAEncryption,
                                NID_dsaWithSHA1,
                                NID_dsa_with_SHA256,
                                NID_ecdsa_with_SHA1,
                                NID_ecdsa_with_SHA256,
                                NID_ecdsa_with_SHA384,
                                NID_ecdsa_with_SHA512,
                                -1,
                                -1,
                                -1,
                                NID_ED25519};
    int number = 0;
    for (size_t i = 1; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i] == nid)
            number = (int)i;
    if (nid == NID_rsassaPss)
        number = digest == NID_sha384 ? 14 : digest == NID_sha512 ? 15 : 13;
    write_octets(w, "Signature", bits);
    jsonw_member_int(w, STR("SignatureAlgorithm"), number);
}

static void write_raw_name(struct jsonw *w, const char *member, X509_NAME *name)
{
    unsigned char *der = NULL;
    int n = i2d_X509_NAME(name, &der);
    write_der(w, member, der, n);
}

static void write_raw_key(struct jsonw *w, X509_PUBKEY *pkey)
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(pkey, &der);
    write_der(w, "RawSubjectPublicKeyInfo", der, n);
}

static void write_raw(struct jsonw *w, X509 *certificate)
{
    unsigned char *der = NULL;
    int n = i2d_X509(certificate, &der);
    write_der(w, "Raw", der, n);
    der = NULL;
    n = i2d_re_X509_tbs(certificate, &der);
    write_der(w, "RawTBSCertificate", der, n);
    write_raw_name(w, "RawIssuer", X509_get_issuer_name(certificate));
    write_raw_name(w, "RawSubject", X509_get_subject_name(certificate));
    write_raw_key(w, X509_get_X509_PUBKEY(certificate));
}

static void write_key_ids(struct jsonw *w, X509 *certificate)
{
    AUTHORITY_KEYID *authority =
        X509_get_ext_d2i(certificate, NID_authority_key_identifier, NULL, NULL);
    ASN1_OCTET_STRING *subject =
        X509_get_ext_d2i(certificate, NID_subject_key_identifier, NULL, NULL);
    write_octets(w, "AuthorityKeyId", authority ? authority->keyid : NULL);
    write_octets(w, "SubjectKeyId", subject);
    AUTHORITY_KEYID_free(authority);
    ASN1_OCTET_STRING_free(subject);
}

void x509_write_certificate(struct jsonw *w, X509 *certificate, bool uri_strings)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), NULL);
    const ASN1_BIT_STRING *signature;
    const X509_ALGOR *algorithm;
    int digest = 0;
    X509_get0_signature(&signature, &algorithm, certificate);
    (void)X509_get_signature_info(certificate, &digest, NULL, NULL, NULL);
    jsonw_object_open(w);
    write_raw(w, certificate);
    write_signature(w, X509_get_signature_nid(certificate), digest, signature);
    write_public_key(w, X509_get0_pubkey(certificate));
    jsonw_member_int(w, STR("Version"), X509_get_version(certificate) + 1);
    key(w, "SerialNumber");
    write_number(w, serial);
    write_name(w, "Issuer", X509_get_issuer_name(certificate));
    write_name(w, "Subject", X509_get_subject_name(certificate));
    write_time(w, "NotBefore", X509_get0_notBefore(certificate));
    write_time(w, "NotAfter", X509_get0_notAfter(certificate));
    write_usage(w, certificate);
    write_extensions(w, X509_get0_extensions(certificate));
    member_null(w, "ExtraExtensions");
    write_unhandled(w, X509_get0_extensions(certificate));
    write_constraints(w, certificate);
    write_key_ids(w, certificate);
    write_places(w, certificate);
    write_alternatives(w, names, uri_strings);
    write_name_constraints(w, certificate);
    write_policies(w, certificate);
    jsonw_object_close(w);
    GENERAL_NAMES_free(names);
    BN_free(serial);
}

/* --- requests --- */

/* The one attribute that has the form of Go's lists: the extensions asked for. */
static void write_attributes(struct jsonw *w, const STACK_OF(X509_EXTENSION) * list)
{
    ASN1_OBJECT *oid = OBJ_nid2obj(NID_ext_req);
    key(w, "Attributes");
    if (sk_X509_EXTENSION_num(list) <= 0) {
        jsonw_null(w);
        return;
    }
    jsonw_array_open(w);
    jsonw_object_open(w);
    key(w, "Type");
    write_oid(w, oid);
    key(w, "Value");
    jsonw_array_open(w);
    jsonw_array_open(w);
    for (int i = 0; i < sk_X509_EXTENSION_num(list); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(list, i);
        jsonw_object_open(w);
        key(w, "Type");
        write_oid(w, X509_EXTENSION_get_object(extension));
        if (X509_EXTENSION_get_critical(extension) > 0)
            jsonw_member_bool(w, STR("Value"), true);
        else
            write_octets(w, "Value", X509_EXTENSION_get_data(extension));
        jsonw_object_close(w);
    }
    jsonw_array_close(w);
    jsonw_array_close(w);
    jsonw_object_close(w);
    jsonw_array_close(w);
}

void x509_write_request(struct jsonw *w, X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    unsigned char *der = NULL;
    const ASN1_BIT_STRING *signature;
    const X509_ALGOR *algorithm;
    X509_REQ_get0_signature(request, &signature, &algorithm);
    jsonw_object_open(w);
    int n = i2d_X509_REQ(request, &der);
    write_der(w, "Raw", der, n);
    der = NULL;
    n = i2d_re_X509_REQ_tbs(request, &der);
    write_der(w, "RawTBSCertificateRequest", der, n);
    write_raw_name(w, "RawSubject", X509_REQ_get_subject_name(request));
    write_raw_key(w, X509_REQ_get_X509_PUBKEY(request));
    write_signature(w, X509_REQ_get_signature_nid(request), NID_sha256, signature);
    write_public_key(w, X509_REQ_get0_pubkey(request));
    jsonw_member_int(w, STR("Version"), X509_REQ_get_version(request));
    write_name(w, "Subject", X509_REQ_get_subject_name(request));
    write_attributes(w, extensions);
    write_extensions(w, extensions);
    member_null(w, "ExtraExtensions");
    write_alternatives(w, names, false);
    jsonw_object_close(w);
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

/* --- private keys --- */

static void write_rsa(struct jsonw *w, EVP_PKEY *pkey)
{
    static const char *const primes[] = {OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2};
    write_param(w, "D", pkey, OSSL_PKEY_PARAM_RSA_D);
    write_param(w, "E", pkey, OSSL_PKEY_PARAM_RSA_E);
    write_param(w, "N", pkey, OSSL_PKEY_PARAM_RSA_N);
    key(w, "Precomputed");
    jsonw_object_open(w);
    key(w, "CRTValues");
    jsonw_array_open(w);
    jsonw_array_close(w);
    write_param(w, "Dp", pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1);
    write_param(w, "Dq", pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2);
    write_param(w, "Qinv", pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
    jsonw_object_close(w);
    key(w, "Primes");
    jsonw_array_open(w);
    for (size_t i = 0; i < 2; i++) {
        BIGNUM *number = NULL;
        (void)EVP_PKEY_get_bn_param(pkey, primes[i], &number);
        write_number(w, number);
        BN_clear_free(number);
    }
    jsonw_array_close(w);
}

enum { ED25519_BYTES = 32 };

static size_t ed25519(EVP_PKEY *pkey, unsigned char raw[2 * ED25519_BYTES])
{
    size_t n = ED25519_BYTES, m = ED25519_BYTES;
    return EVP_PKEY_get_raw_private_key(pkey, raw, &n) == 1 &&
                   EVP_PKEY_get_raw_public_key(pkey, raw + ED25519_BYTES, &m) == 1
               ? n + m
               : 0;
}

void x509_write_private_key(struct jsonw *w, EVP_PKEY *pkey)
{
    unsigned char raw[2 * ED25519_BYTES];
    int kind = EVP_PKEY_base_id(pkey);
    if (kind == EVP_PKEY_ED25519) {
        write_bytes(w, raw, ed25519(pkey, raw));
        explicit_bzero(raw, sizeof raw);
        return;
    }
    if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    if (kind == EVP_PKEY_RSA) {
        write_rsa(w, pkey);
    } else {
        write_curve(w);
        write_param(w, "D", pkey, OSSL_PKEY_PARAM_PRIV_KEY);
        write_param(w, "X", pkey, OSSL_PKEY_PARAM_EC_PUB_X);
        write_param(w, "Y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y);
    }
    jsonw_object_close(w);
}

/* --- JSON Web Keys --- */

static void jwk_bytes(struct jsonw *w, const char *name, const void *bytes, size_t n)
{
    AUTO_BUF text = {.limit = NUMBER_DIGITS_MAX};
    base64_write(&text, (struct str){bytes, n}, BASE64_URL_BARE);
    w->out->failed |= text.failed;
    jsonw_member_string(w, str_from(name), buf_view(&text));
}

/* width  bytes, filled up with zeros; 0 = as few as it takes */
static void jwk_number(struct jsonw *w, const char *name, const EVP_PKEY *pkey, const char *param,
                       size_t width)
{
    unsigned char bytes[4096];
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(pkey, param, &number) == 1 &&
        (size_t)BN_num_bytes(number) <= sizeof bytes) {
        int n = width ? BN_bn2binpad(number, bytes, (int)width) : BN_bn2bin(number, bytes);
        jwk_bytes(w, name, bytes, n > 0 ? (size_t)n : 0);
    }
    BN_clear_free(number);
    explicit_bzero(bytes, sizeof bytes);
}

static void jwk_rsa(struct jsonw *w, EVP_PKEY *pkey)
{
    static const struct {
        const char *name, *param;
    } parts[] = {{"d", OSSL_PKEY_PARAM_RSA_D},          {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                 {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"e", OSSL_PKEY_PARAM_RSA_E},
                 {"n", OSSL_PKEY_PARAM_RSA_N},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                 {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
    jsonw_member_string(w, STR("kty"), STR("RSA"));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        jwk_number(w, parts[i].name, pkey, parts[i].param, 0);
}

static void jwk_ec(struct jsonw *w, EVP_PKEY *pkey)
{
    int bits = EVP_PKEY_get_bits(pkey);
    size_t width = ((size_t)bits + 7) / 8;
    jsonw_member_string(w, STR("kty"), STR("EC"));
    jsonw_member_string(w, STR("crv"),
                        bits == 256   ? STR("P-256")
                        : bits == 384 ? STR("P-384")
                                      : STR("P-521"));
    jwk_number(w, "d", pkey, OSSL_PKEY_PARAM_PRIV_KEY, width);
    jwk_number(w, "x", pkey, OSSL_PKEY_PARAM_EC_PUB_X, width);
    jwk_number(w, "y", pkey, OSSL_PKEY_PARAM_EC_PUB_Y, width);
}

void x509_write_jwk(struct jsonw *w, EVP_PKEY *pkey)
{
    unsigned char raw[2 * ED25519_BYTES];
    int kind = EVP_PKEY_base_id(pkey);
    if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC && kind != EVP_PKEY_ED25519) {
        jsonw_null(w);
        return;
    }
    jsonw_object_open(w);
    if (kind == EVP_PKEY_RSA) {
        jwk_rsa(w, pkey);
    } else if (kind == EVP_PKEY_EC) {
        jwk_ec(w, pkey);
    } else if (ed25519(pkey, raw)) {
        jsonw_member_string(w, STR("kty"), STR("OKP"));
        jsonw_member_string(w, STR("crv"), STR("Ed25519"));
        jwk_bytes(w, "d", raw, ED25519_BYTES);
        jwk_bytes(w, "x", raw + ED25519_BYTES, ED25519_BYTES);
        explicit_bzero(raw, sizeof raw);
    }
    jsonw_object_close(w);
}
