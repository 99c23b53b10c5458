/* counts.c - the counts of findings that stand beside them. */
#include "record/counts.h"

#include "base/err.h"
#include "model/decision.h"

#define INTO "INSERT INTO finding_count (stack, class, lane, violation, findings) "
#define ADD \
    " ON CONFLICT (stack, class, lane, violation) DO UPDATE SET" \
    " findings = finding_count.findings + excluded.findings"

static const unsigned lanes[] = {
#define X(constant, name, lane, meaning) lane,
    FINDING_STATUSES(X)
#undef X
};

void counts_add(struct counts_tally *tally, enum finding_class class_, enum finding_status status,
                struct str decision, int64_t n)
{
    enum decision d;
    bool violation = decision_from(decision, &d) && decision_is_violation(d);
    tally->n[class_][lanes[status]][violation] += n;
}

struct writing {
    struct str stack;
    const struct counts_tally *tally;
    unsigned at;
};

static bool next_count(void *ctx, struct db_value *param)
{
    struct writing *w = ctx;
    for (; w->at < CLASS_COUNT * COUNTS_LANES * 2; w->at++) {
        unsigned class_ = w->at / (COUNTS_LANES * 2), lane = w->at / 2 % COUNTS_LANES;
        int64_t n = w->tally->n[class_][lane][w->at % 2];
        if (!n)
            continue;
        param[0] = DB_PARAM_TEXT(w->stack);
        param[1] = DB_PARAM_TEXT(str_from(finding_class_name((enum finding_class)class_)));
        param[2] = DB_PARAM_INT(lane);
        param[3] = DB_PARAM_INT(w->at++ % 2);
        param[4] = DB_PARAM_INT(n);
        return true;
    }
    return false;
}

bool counts_write(struct db *db, struct str stack, const struct counts_tally *tally,
                  struct err *err)
{
    struct writing w = {stack, tally, 0};
    return db_run_many(db, INTO "VALUES ($1, $2, $3, $4, $5)" ADD, 5, next_count, &w, err);
}

bool counts_one(struct db *db, int64_t finding, int64_t n, struct err *err)
{
    const struct db_value row[] = {DB_PARAM_INT(finding), DB_PARAM_INT(n)};
    return db_run(db,
                  INTO "SELECT stack, class, lane, " COUNTS_VIOLATION ", CAST($2 AS BIGINT)"
                       " FROM finding WHERE id = $1" ADD,
                  row, 2, err);
}

bool counts_forget(struct db *db, int64_t before_utc_ms, struct err *err)
{
    const struct db_value row = DB_PARAM_INT(before_utc_ms);
    return db_run(db,
                  INTO "SELECT stack, class, lane, " COUNTS_VIOLATION ", -count(*) FROM finding"
                       " WHERE lane = 4 AND resolved_utc_ms < $1"
                       " GROUP BY stack, class, lane, " COUNTS_VIOLATION ADD,
                  &row, 1, err);
}

bool counts_rebuild(struct db *db, struct err *err)
{
    return db_script(db, "DELETE FROM finding_count", err) && db_script(db, INTO COUNTS_ALL, err);
}
