/* document.h - files of JSON or YAML as documents: what each one is, told by what is in it, never
 * by its name.
 *
 * Kinds:   plans and states of Terraform, manifests of Kubernetes (a List gives its items),
 *          AdmissionReviews, and documents that are none of these
 * Owner:   everything lives in the arena, the text too: places are looked up in it
 * Source:  facts/terraform.md 3 and 4; facts/kubernetes.md 12.2
 */
#pragma once
#include "value/value.h"

struct arena;
struct err;
struct yaml_doc;

/* X(constant, name in reports) */
#define DOCUMENT_KINDS(X) \
    X(DOCUMENT_OTHER, "document") \
    X(DOCUMENT_PLAN, "plan") \
    X(DOCUMENT_STATE, "state") \
    X(DOCUMENT_RAW_STATE, "state file") \
    X(DOCUMENT_MANIFEST, "manifest") \
    X(DOCUMENT_REVIEW, "admission review")

#define X(constant, name) constant,
enum document_kind { DOCUMENT_KINDS(X) DOCUMENT_KIND_COUNT };
#undef X
const char *document_kind_name(enum document_kind kind);

enum { DOCUMENT_BYTES_MAX = 1 << 30, DOCUMENTS_MAX = 1000000 };

struct document {
    enum document_kind kind;
    const struct value *root;    /* the document, or an item of a list */
    const struct yaml_doc *yaml; /* whose part root is; NULL: JSON */
    const struct value *whole;   /* JSON: the value of all the text */
};
struct documents {
    struct str file, text;
    const struct document *item;
    size_t n;
};

/* What one value is. */
enum document_kind document_kind_of(const struct value *v);
/*
 * All documents of a text; those without anything in them are left out. ERR_SYNTAX with a place
 * where it can be read neither as JSON nor as YAML, ERR_UNSUPPORTED for what is something else
 * (saying what, and what to do).
 */
bool documents_parse(struct arena *arena, struct str text, struct str file, struct documents *ret,
                     struct err *err);
/* path "-" is standard input. */
bool documents_read(struct arena *arena, struct str path, struct documents *ret, struct err *err);
