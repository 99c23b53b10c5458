/* lease.c - leases in the store. */
#include "record/lease.h"

#include "base/err.h"
#include "record/record.h"

bool lease_now(struct record *record, int64_t *ret_utc_ms, struct err *err)
{
    if (db_kind(record->db) == DB_SQLITE) {
        *ret_utc_ms = record_now(record);
        return true;
    }
    return db_one_int(record->db,
                      "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", NULL,
                      0, ret_utc_ms, err);
}

bool lease_tell(struct record *record, struct err *err)
{
    return db_kind(record->db) == DB_SQLITE ||
           db_run(record->db, "NOTIFY plumb_work", NULL, 0, err);
}
