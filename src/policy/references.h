/* references.h - identifiers of the frameworks that rules name: are there such?
 *
 * CSF:     functions (PR), categories (PR.DS) and subcategories (PR.DS-01) of NIST CSF 2.0
 * 800-53:  controls (AC-3) and their enhancements (AC-3(7)) of revision 5.2, by family and number;
 *          which enhancements a control has is not looked at
 * Source:  NIST CSWP 29, appendix A; NIST SP 800-53 Rev. 5 Release 5.2.0
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

struct arena;

enum reference { REFERENCE_CSF, REFERENCE_800_53 };

/* "CSF 2.0" */
const char *reference_name(enum reference kind);
/* ret_meant: what it is in the right spelling, in `arena`, where it is another spelling of one that
 * there is; else empty. */
bool reference_known(struct arena *arena, enum reference kind, struct str text,
                     struct str *ret_meant);
