/* comment.h - one comment of a pull or merge request or an issue, kept up to date in place.
 *
 * Found:   by the marker that is the text's first line (<!-- plumb:... -->); of several the first
 *          that may be edited. Somebody else's (another token's) is left alone; where there is no
 *          other, one is made
 * Source:  GitHub REST API 2022-11-28, issues/comments; GitLab REST API v4, notes
 */
#pragma once
#include "respond/forge.h"

struct comment_place {
    struct forge *forge; /* opened */
    struct str number;   /* of the pull or merge request or of the issue, digits */
    bool issue;
};
enum comment_done { COMMENT_MADE, COMMENT_CHANGED, COMMENT_SAME };

enum { COMMENT_PAGES_MAX = 50, COMMENT_TEXT_MAX = 65000 };

/* ERR_USAGE for a text without a marker or too long, and for a place that is none; ERR_REMOTE with
 * what the forge says. */
bool comment_put(struct arena *arena, const struct comment_place *place, struct str text,
                 enum comment_done *ret, struct err *err);
