/* version.h - versions and the constraints on them, as Terraform reads both.
 *
 * Source:  hashicorp/go-version (constraints separated by commas: = != > < >= <= ~>)
 * Bounds:  segments past uint64 compare as the greatest one
 */
#pragma once
#include <stdbool.h>

#include "base/str.h"

bool version_valid(struct str version);
bool version_constraint_valid(struct str constraint);
/* Does the version satisfy all of them? False also where one of both cannot be read. A prerelease
 * satisfies only a constraint that names a prerelease of the same numbers. */
bool version_matches(struct str version, struct str constraint);
/* Does any of the constraints name a prerelease? */
bool version_constraint_has_prerelease(struct str constraint);
/* Less than, equal to, greater than 0; both must be valid. */
int version_compare(struct str a, struct str b);
