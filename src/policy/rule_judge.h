/* rule_judge.h - what the files that judge by rules share. */
#pragma once
#include "policy/rule.h"

/* Does `match` hold, changed paths aside? Unknown: a tag is known only after apply. */
enum rule_outcome rule_match_subject(const struct rule *rule, const struct rule_subject *subject,
                                     const struct value *tags);
/* "type aws_s3_bucket, env prod": what a rule without conditions goes by. */
struct str rule_match_text(struct arena *arena, const struct rule *rule,
                           const struct rule_subject *subject);
/* A value for people: compact JSON, cut; "(sensitive)" and "(known after apply)" where they stand.
 * ptr NULL where the arena is full. */
struct str rule_value_text(struct arena *arena, const struct value *v);
