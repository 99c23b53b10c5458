/* alert_make.h - a finding of the store as alerts tell it: what, where, the diff, who, what to do.
 *
 * Secrets: the store's detail is what reports show: "(sensitive)" stands for a secret there already
 * Bounds:  ALERT_CHANGES_MAX changes of ALERT_VALUE_MAX bytes a side; the rest is counted
 */
#pragma once
#include "model/when.h"
#include "record/findings.h"
#include "respond/notify.h"

struct record;

enum { ALERT_CHANGES_MAX = 20, ALERT_VALUE_MAX = 400, ALERT_LINE_MAX = 1000 };

struct alert_source {
    int64_t id; /* in the store */
    struct alert_finding finding;
    struct when_subject subject; /* without a status */
    enum finding_status status;
    bool open; /* somebody has to do something about it */
    struct str digest, why;
};
/* url: of the service, for links; or empty. All of it lives in arena, with the store's detail that
 * it points into, which may be of any size: go back to a mark. *ret_found: it is (still) there. */
bool alert_load(struct record *record, struct arena *arena, int64_t finding, struct str url,
                struct alert_source *ret, bool *ret_found, struct err *err);
/* The same for one that is kept beside many others: what an alert shows, which is bounded, and no
 * tags. */
bool alert_load_shown(struct record *record, struct arena *arena, int64_t finding, struct str url,
                      struct alert_source *ret, bool *ret_found, struct err *err);

/* The line of a file on the forge that holds the repository; empty where that is not known.
 * repository: URI as struct revision has it; https and ssh are known. */
struct str alert_file_url(struct arena *arena, struct str repository, struct str commit,
                          struct str file, uint32_t line);

/* "missing aws_iam_role.admin in prod", "12 findings in prod": status and severity stand beside it.
 */
struct str alert_title(struct arena *arena, const struct alert_finding *finding, size_t n,
                       size_t more);
