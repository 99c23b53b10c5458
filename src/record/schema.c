/* schema.c - migrations as one table, and applying them. */
#include "record/schema.h"

#include "base/buf.h"
#include "base/err.h"
#include "record/counts.h"
#include "record/db.h"

/* PRAGMA application_id of our files: "plmb". */
#define APPLICATION_ID "1886154082"

enum { SQL_BYTES_MAX = 1 << 20 };

/* New rows at the end only. */
static const struct migration migrations[] = {
    {"runs and findings",
     /* What scans looked at. `complete`: nothing was left unchecked and no target narrowed it. */
     "CREATE TABLE stack (name TEXT PRIMARY KEY, path TEXT NOT NULL, environment TEXT NOT NULL,"
     " owner TEXT NOT NULL, first_utc_ms BIGINT NOT NULL, last_run BIGINT NOT NULL,"
     " complete_run BIGINT, complete_utc_ms BIGINT);"
     "CREATE TABLE run (id BIGINT PRIMARY KEY, stack TEXT NOT NULL, outcome TEXT NOT NULL,"
     " started_utc_ms BIGINT NOT NULL, ended_utc_ms BIGINT, actor TEXT NOT NULL,"
     " actor_how TEXT NOT NULL, source TEXT NOT NULL, desired TEXT NOT NULL, live TEXT NOT NULL,"
     " revision TEXT NOT NULL, branch TEXT NOT NULL, dirty BIGINT NOT NULL, policy TEXT NOT NULL,"
     " config TEXT NOT NULL, digest TEXT NOT NULL, live_utc_ms BIGINT, failed TEXT NOT NULL,"
     " coverage TEXT NOT NULL, plumb TEXT NOT NULL);"
     "CREATE INDEX run_stack ON run (stack, id);"
     "CREATE INDEX run_started ON run (started_utc_ms);"
     /* One row for each finding that ever was: findings.h. `lane` orders lists: 0 open ... */
     "CREATE TABLE finding (id BIGINT PRIMARY KEY, stack TEXT NOT NULL,"
     " fingerprint TEXT NOT NULL, status TEXT NOT NULL, class TEXT NOT NULL,"
     " severity BIGINT NOT NULL, address TEXT NOT NULL, type TEXT NOT NULL,"
     " provider TEXT NOT NULL, digest TEXT NOT NULL, decision TEXT NOT NULL, rule TEXT NOT NULL,"
     " owner TEXT NOT NULL, actor TEXT NOT NULL, actor_how TEXT NOT NULL,"
     " first_utc_ms BIGINT NOT NULL, open_utc_ms BIGINT NOT NULL, changed_utc_ms BIGINT NOT NULL,"
     " seen_utc_ms BIGINT NOT NULL, due_utc_ms BIGINT, resolved_utc_ms BIGINT,"
     " first_run BIGINT NOT NULL, seen_run BIGINT NOT NULL, resolved_run BIGINT,"
     " times BIGINT NOT NULL, why TEXT NOT NULL, detail TEXT NOT NULL,"
     " lane BIGINT GENERATED ALWAYS AS (CASE status WHEN 'reviewed' THEN 1 WHEN 'waived' THEN 2"
     " WHEN 'ignored' THEN 3 WHEN 'resolved' THEN 4 ELSE 0 END) STORED,"
     " UNIQUE (stack, fingerprint));"
     "CREATE INDEX finding_lane ON finding (lane, severity DESC, id);"
     "CREATE INDEX finding_status ON finding (status, severity DESC, id);"
     "CREATE INDEX finding_stack ON finding (stack, lane, severity DESC, id);"
     "CREATE INDEX finding_stack_class ON finding (stack, class, lane, severity DESC, id);"
     "CREATE INDEX finding_class ON finding (class, lane, severity DESC, id);"
     "CREATE INDEX finding_changed ON finding (changed_utc_ms DESC, id);"
     "CREATE INDEX finding_lane_changed ON finding (lane, changed_utc_ms DESC, id);"
     "CREATE INDEX finding_status_changed ON finding (status, changed_utc_ms DESC, id);"
     "CREATE INDEX finding_due ON finding (lane, due_utc_ms, id) WHERE due_utc_ms IS NOT NULL;"
     "CREATE INDEX finding_fingerprint ON finding (fingerprint);"
     /* What happened to a finding; `fingerprint` is the one that it had then. */
     "CREATE TABLE finding_history (id BIGINT PRIMARY KEY, finding BIGINT NOT NULL,"
     " utc_ms BIGINT NOT NULL, run BIGINT, what TEXT NOT NULL, fingerprint TEXT NOT NULL,"
     " digest TEXT NOT NULL, actor TEXT NOT NULL, why TEXT NOT NULL);"
     "CREATE INDEX finding_history_finding ON finding_history (finding, id);"
     "CREATE INDEX finding_history_fingerprint ON finding_history (fingerprint);"
     "CREATE TABLE baseline (id BIGINT PRIMARY KEY, stack TEXT NOT NULL, run BIGINT NOT NULL,"
     " utc_ms BIGINT NOT NULL, actor TEXT NOT NULL, actor_how TEXT NOT NULL,"
     " reason TEXT NOT NULL, items BIGINT NOT NULL);"
     "CREATE TABLE baseline_item (stack TEXT NOT NULL, address TEXT NOT NULL,"
     " class TEXT NOT NULL, digest TEXT NOT NULL, baseline BIGINT NOT NULL,"
     " PRIMARY KEY (stack, address, class, digest));"
     "CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)"},
    {"audit log",
     "CREATE TABLE audit_event (seq BIGINT PRIMARY KEY, utc_ms BIGINT NOT NULL,"
     " type TEXT NOT NULL, stack TEXT NOT NULL, actor TEXT NOT NULL, line TEXT NOT NULL);"
     "CREATE INDEX audit_event_stack ON audit_event (stack, seq);"
     "CREATE INDEX audit_event_type ON audit_event (type, seq);"
     /* 256 hashes of one level and the root over them, as tlog-tiles has them: only whole ones */
     "CREATE TABLE audit_tile (level BIGINT NOT NULL, n BIGINT NOT NULL, root BYTEA NOT NULL,"
     " hashes BYTEA NOT NULL, PRIMARY KEY (level, n));"
     /* One row. kept: events before it were taken out; last: digest of the last line; edge: the
      * roots of the whole subtrees, from which the tree goes on */
     "CREATE TABLE audit_head (id BIGINT PRIMARY KEY, size BIGINT NOT NULL, kept BIGINT NOT NULL,"
     " origin TEXT NOT NULL, last BYTEA NOT NULL, edge BYTEA NOT NULL);"
     "INSERT INTO audit_head (id, size, kept, origin, last, edge) VALUES (1, 0, 0, '', '', '');"
     "CREATE TABLE audit_checkpoint (size BIGINT PRIMARY KEY, utc_ms BIGINT NOT NULL,"
     " note TEXT NOT NULL)"},
    {"reviews",
     /* reviews.h. One waits and one counts for a finding, no more. */
     "CREATE TABLE review (id BIGINT PRIMARY KEY, finding BIGINT NOT NULL, stack TEXT NOT NULL,"
     " address TEXT NOT NULL, class TEXT NOT NULL, fingerprint TEXT NOT NULL,"
     " digest TEXT NOT NULL, environment TEXT NOT NULL, owners TEXT NOT NULL,"
     " severity BIGINT NOT NULL, decision TEXT NOT NULL, author TEXT NOT NULL,"
     " author_how TEXT NOT NULL, answer TEXT NOT NULL, reason TEXT NOT NULL, ticket TEXT NOT NULL,"
     " actor TEXT NOT NULL, actor_how TEXT NOT NULL, actor_via TEXT NOT NULL,"
     " requested_utc_ms BIGINT NOT NULL, until_utc_ms BIGINT NOT NULL, state TEXT NOT NULL,"
     " needed BIGINT NOT NULL, rule TEXT NOT NULL, effect_utc_ms BIGINT NOT NULL,"
     " ended_utc_ms BIGINT NOT NULL, ending TEXT NOT NULL, ended_by TEXT NOT NULL,"
     " ended_how TEXT NOT NULL, ended_why TEXT NOT NULL);"
     "CREATE UNIQUE INDEX review_waits ON review (finding) WHERE state = 'requested';"
     "CREATE UNIQUE INDEX review_counts ON review (finding) WHERE state = 'effect';"
     "CREATE INDEX review_finding ON review (finding, id);"
     "CREATE INDEX review_stack ON review (stack, id);"
     "CREATE INDEX review_until ON review (until_utc_ms) WHERE state <> 'ended';"
     "CREATE TABLE review_approval (review BIGINT NOT NULL, n BIGINT NOT NULL,"
     " actor TEXT NOT NULL, actor_how TEXT NOT NULL, actor_via TEXT NOT NULL,"
     " role TEXT NOT NULL, utc_ms BIGINT NOT NULL, PRIMARY KEY (review, n));"
     /* kind: 'breakglass', 'freeze'. */
     "CREATE TABLE cover (kind TEXT NOT NULL, id BIGINT NOT NULL, scope TEXT NOT NULL,"
     " address TEXT NOT NULL, reason TEXT NOT NULL, ticket TEXT NOT NULL, actor TEXT NOT NULL,"
     " actor_how TEXT NOT NULL, actor_via TEXT NOT NULL, start_utc_ms BIGINT NOT NULL,"
     " until_utc_ms BIGINT NOT NULL, within_ms BIGINT NOT NULL, ended_utc_ms BIGINT NOT NULL,"
     " ended_by TEXT NOT NULL, ended_how TEXT NOT NULL, due_utc_ms BIGINT NOT NULL,"
     " findings BIGINT NOT NULL, PRIMARY KEY (kind, id));"
     "CREATE INDEX cover_open ON cover (until_utc_ms) WHERE ended_utc_ms = 0;"
     "CREATE TABLE cover_finding (breakglass BIGINT NOT NULL, finding BIGINT NOT NULL,"
     " due_utc_ms BIGINT NOT NULL, PRIMARY KEY (breakglass, finding));"
     "CREATE INDEX cover_finding_finding ON cover_finding (finding);"
     /* Deadlines that were told as passed. */
     "CREATE TABLE overdue (finding BIGINT NOT NULL, due_utc_ms BIGINT NOT NULL,"
     " told_utc_ms BIGINT NOT NULL, PRIMARY KEY (finding, due_utc_ms))"},
    {"tokens and states",
     "CREATE TABLE token (id BIGINT PRIMARY KEY, hash BYTEA NOT NULL UNIQUE, name TEXT NOT NULL,"
     " stacks TEXT NOT NULL, role TEXT NOT NULL, created_utc_ms BIGINT NOT NULL,"
     " expires_utc_ms BIGINT NOT NULL, revoked_utc_ms BIGINT NOT NULL, created_by TEXT NOT NULL);"
     /* version: 0 = none there (never written, or deleted). lock_id empty: not locked; lock_last:
      * the lock that was given back last, so that giving it back twice is fine */
     "CREATE TABLE state (stack TEXT PRIMARY KEY, version BIGINT NOT NULL,"
     " versions BIGINT NOT NULL, lineage TEXT NOT NULL, serial BIGINT NOT NULL,"
     " lock_id TEXT NOT NULL, lock_info TEXT NOT NULL, lock_kind TEXT NOT NULL,"
     " lock_token BIGINT NOT NULL, lock_name TEXT NOT NULL, lock_utc_ms BIGINT NOT NULL,"
     " lock_last TEXT NOT NULL);"
     "CREATE TABLE state_version (stack TEXT NOT NULL, version BIGINT NOT NULL,"
     " lineage TEXT NOT NULL, serial BIGINT NOT NULL, utc_ms BIGINT NOT NULL,"
     " actor TEXT NOT NULL, lock_id TEXT NOT NULL, size BIGINT NOT NULL, packed BIGINT NOT NULL,"
     " digest BYTEA NOT NULL, PRIMARY KEY (stack, version));"
     /* The state's own bytes, gzip, in parts */
     "CREATE TABLE state_part (stack TEXT NOT NULL, version BIGINT NOT NULL, n BIGINT NOT NULL,"
     " bytes BYTEA NOT NULL, PRIMARY KEY (stack, version, n))"},
    {"approvals",
     /* permit.h. token: SHA-256 of it, in hex */
     "CREATE TABLE permit (token TEXT PRIMARY KEY, stack TEXT NOT NULL, plan TEXT NOT NULL,"
     " lineage TEXT NOT NULL, serial TEXT NOT NULL, issued_utc_ms BIGINT NOT NULL,"
     " expires_utc_ms BIGINT NOT NULL, actor TEXT NOT NULL, actor_how TEXT NOT NULL,"
     " used_utc_ms BIGINT NOT NULL, used_by TEXT NOT NULL)"},
    {"identities and activities",
     /* identity.h. sum: of a resource's names; state: of the text that they were taken from */
     "CREATE TABLE identity_stack (stack TEXT PRIMARY KEY, state BIGINT NOT NULL);"
     "CREATE TABLE identity_resource (id BIGINT PRIMARY KEY, stack TEXT NOT NULL,"
     " address TEXT NOT NULL, type TEXT NOT NULL, cloud TEXT NOT NULL, account TEXT NOT NULL,"
     " region TEXT NOT NULL, sum BIGINT NOT NULL, UNIQUE (stack, address));"
     "CREATE TABLE identity (hash BIGINT NOT NULL, resource BIGINT NOT NULL,"
     " rank BIGINT NOT NULL, PRIMARY KEY (hash, resource));"
     "CREATE INDEX identity_of ON identity (resource);"
     /* activity.h. sure: 1 = the target is what the event is about */
     "CREATE TABLE activity (id BIGINT PRIMARY KEY, source TEXT NOT NULL, event TEXT NOT NULL,"
     " utc_ms BIGINT NOT NULL, received_utc_ms BIGINT NOT NULL, cloud TEXT NOT NULL,"
     " account TEXT NOT NULL, region TEXT NOT NULL, service TEXT NOT NULL, action TEXT NOT NULL,"
     " actor TEXT NOT NULL, principal TEXT NOT NULL, session TEXT NOT NULL, client TEXT NOT NULL,"
     " source_ip TEXT NOT NULL, way TEXT NOT NULL, expected BIGINT NOT NULL,"
     " failed BIGINT NOT NULL, attack BIGINT NOT NULL, result TEXT NOT NULL,"
     " UNIQUE (source, event));"
     "CREATE INDEX activity_time ON activity (utc_ms);"
     "CREATE INDEX activity_received ON activity (received_utc_ms);"
     "CREATE TABLE activity_target (stack TEXT NOT NULL, address TEXT NOT NULL,"
     " activity BIGINT NOT NULL, utc_ms BIGINT NOT NULL, sure BIGINT NOT NULL,"
     " PRIMARY KEY (stack, address, activity));"
     "CREATE INDEX activity_target_of ON activity_target (activity);"
     /* The names in an event that no resource went by when it came. */
     "CREATE TABLE activity_name (hash BIGINT NOT NULL, activity BIGINT NOT NULL,"
     " PRIMARY KEY (hash, activity));"
     "CREATE INDEX activity_name_of ON activity_name (activity);"
     /* From where events ever came; account may be empty. */
     "CREATE TABLE activity_source (source TEXT NOT NULL, cloud TEXT NOT NULL,"
     " account TEXT NOT NULL, first_utc_ms BIGINT NOT NULL, last_utc_ms BIGINT NOT NULL,"
     " received_utc_ms BIGINT NOT NULL, events BIGINT NOT NULL,"
     " PRIMARY KEY (source, cloud, account))"},
    {"scheduler",
     /* touch.h. serial: how often it was touched */
     "CREATE TABLE touch (stack TEXT NOT NULL, address TEXT NOT NULL, why TEXT NOT NULL,"
     " due_utc_ms BIGINT NOT NULL, serial BIGINT NOT NULL, PRIMARY KEY (stack, address));"
     /* lease.h. due, urgent: when there is work by schedule, by touch; fence: how often it was
      * taken; run: that is under way */
     "CREATE TABLE lease (stack TEXT PRIMARY KEY, owner TEXT NOT NULL,"
     " until_utc_ms BIGINT NOT NULL, lease_ms BIGINT NOT NULL, fence BIGINT NOT NULL,"
     " run BIGINT NOT NULL, attempts BIGINT NOT NULL, due_utc_ms BIGINT NOT NULL,"
     " urgent_utc_ms BIGINT NOT NULL, waits_utc_ms BIGINT NOT NULL);"
     "CREATE INDEX lease_due ON lease (due_utc_ms, stack);"
     "CREATE INDEX lease_urgent ON lease (urgent_utc_ms, stack);"
     /* tier empty: all of the stack. spec: what was planned; progress: of a sweep under way */
     "CREATE TABLE schedule (stack TEXT NOT NULL, tier TEXT NOT NULL, spec TEXT NOT NULL,"
     " next_utc_ms BIGINT NOT NULL, began_utc_ms BIGINT NOT NULL, ended_utc_ms BIGINT NOT NULL,"
     " progress TEXT NOT NULL, PRIMARY KEY (stack, tier))"},
    {"alerts",
     /* Where the code is pushed to: links to its lines. */
     "ALTER TABLE run ADD COLUMN repository TEXT NOT NULL DEFAULT '';"
     /* respond/outbox.h. position: the last of finding_history, of audit_event that was looked at
      */
     "CREATE TABLE alert_cursor (name TEXT PRIMARY KEY, position BIGINT NOT NULL,"
     " utc_ms BIGINT NOT NULL);"
     /* gone: why it takes nothing any more; or empty */
     "CREATE TABLE alert_receiver (name TEXT PRIMARY KEY, since_utc_ms BIGINT NOT NULL,"
     " gone TEXT NOT NULL, said TEXT NOT NULL, tried_utc_ms BIGINT NOT NULL,"
     " taken_utc_ms BIGINT NOT NULL, failures BIGINT NOT NULL, digest_utc_ms BIGINT NOT NULL,"
     " resent_utc_ms BIGINT NOT NULL);"
     /* What is to be told and waits: one thing, one receiver. finding 0: a notice */
     "CREATE TABLE alert_item (id BIGINT PRIMARY KEY, receiver TEXT NOT NULL, what TEXT NOT NULL,"
     " finding BIGINT NOT NULL, status TEXT NOT NULL, severity BIGINT NOT NULL,"
     " thread TEXT NOT NULL, title TEXT NOT NULL, detail TEXT NOT NULL, held BIGINT NOT NULL,"
     " made_utc_ms BIGINT NOT NULL, ready_utc_ms BIGINT NOT NULL, UNIQUE (receiver, what));"
     "CREATE INDEX alert_item_ready ON alert_item (ready_utc_ms);"
     "CREATE INDEX alert_item_thread ON alert_item (receiver, thread);"
     /* What a receiver was told of a finding last; open: 1 = it counts on hearing of its end */
     "CREATE TABLE alert_told (receiver TEXT NOT NULL, finding BIGINT NOT NULL,"
     " status TEXT NOT NULL, digest TEXT NOT NULL, open BIGINT NOT NULL,"
     " told_utc_ms BIGINT NOT NULL, turns BIGINT NOT NULL, turns_utc_ms BIGINT NOT NULL,"
     " PRIMARY KEY (receiver, finding));"
     "CREATE INDEX alert_told_finding ON alert_told (finding);"
     "CREATE INDEX alert_told_open ON alert_told (receiver, told_utc_ms) WHERE open = 1;"
     /* Messages. state: waiting, taken, dead, dropped */
     "CREATE TABLE alert (id TEXT PRIMARY KEY, seq BIGINT NOT NULL UNIQUE,"
     " receiver TEXT NOT NULL, thread TEXT NOT NULL, status TEXT NOT NULL,"
     " severity BIGINT NOT NULL, title TEXT NOT NULL, findings BIGINT NOT NULL,"
     " payload TEXT NOT NULL, made_utc_ms BIGINT NOT NULL, state TEXT NOT NULL,"
     " attempts BIGINT NOT NULL, set_utc_ms BIGINT NOT NULL, next_utc_ms BIGINT NOT NULL,"
     " lease TEXT NOT NULL, lease_utc_ms BIGINT NOT NULL, said TEXT NOT NULL,"
     " ended_utc_ms BIGINT NOT NULL);"
     "CREATE INDEX alert_waiting ON alert (receiver, thread, seq) WHERE state = 'waiting';"
     "CREATE INDEX alert_made ON alert (receiver, made_utc_ms);"
     "CREATE INDEX alert_ended ON alert (ended_utc_ms) WHERE state <> 'waiting';"
     /* What a receiver's thread left for its next message. */
     "CREATE TABLE alert_thread (receiver TEXT NOT NULL, thread TEXT NOT NULL, kept TEXT NOT NULL,"
     " utc_ms BIGINT NOT NULL, PRIMARY KEY (receiver, thread))"},
    {"overdue scans",
     /* freshness.h: told, and not fresh again */
     "CREATE TABLE stale (stack TEXT PRIMARY KEY, late_utc_ms BIGINT NOT NULL,"
     " told_utc_ms BIGINT NOT NULL)"},
    {"what policy was asked",
     /* policy/asked.h in gzip, of findings that are not resolved */
     "CREATE TABLE finding_asked (finding BIGINT PRIMARY KEY, hash BIGINT NOT NULL,"
     " document BYTEA NOT NULL)"},
    {"heads of branches",
     /* code_head.h */
     "CREATE TABLE code_head (place TEXT PRIMARY KEY, hash TEXT NOT NULL,"
     " asked_utc_ms BIGINT NOT NULL, fetched_utc_ms BIGINT NOT NULL)"},
    {"findings by address", "CREATE INDEX finding_address ON finding (stack, address)"},
    {"traces",
     /* traceparents: of what a touch came from, of a run's own span, of the runs that an alert is
      * about (with blanks between); empty = nobody looks */
     "ALTER TABLE touch ADD COLUMN trace TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE run ADD COLUMN trace TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE alert ADD COLUMN trace TEXT NOT NULL DEFAULT ''"},
    {"notes of runs",
     /* What to bear in mind about its findings: that an apply went on. */
     "ALTER TABLE run ADD COLUMN note TEXT NOT NULL DEFAULT ''"},
    {"versions of remote states",
     /* remote_state.h */
     "CREATE TABLE remote_state (stack TEXT PRIMARY KEY, mark TEXT NOT NULL,"
     " seen_utc_ms BIGINT NOT NULL)"},
    {"who made a change, in full",
     /* The ARN or the like behind the actor's name. */
     "ALTER TABLE finding ADD COLUMN actor_principal TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE review ADD COLUMN author_principal TEXT NOT NULL DEFAULT ''"},
    {"deadlines to be told",
     /* The deadline that was told as passed (table overdue): what is not told yet is found without
      * a look at each that is. */
     "ALTER TABLE finding ADD COLUMN told_due_utc_ms BIGINT NOT NULL DEFAULT 0;"
     "UPDATE finding SET told_due_utc_ms = due_utc_ms WHERE EXISTS (SELECT 1 FROM overdue o"
     " WHERE o.finding = finding.id AND o.due_utc_ms = finding.due_utc_ms);"
     "CREATE INDEX finding_untold ON finding (due_utc_ms) WHERE lane = 0 AND"
     " due_utc_ms <> told_due_utc_ms"},
    {"deadlines to be told, seen by the planner",
     /* It begins as finding_due does, and holds all that is asked for: SQLite, which has no
      * statistics, took that one, with all the deadlines that were told long ago. */
     "DROP INDEX finding_untold;"
     "CREATE INDEX finding_untold ON finding (lane, due_utc_ms, told_due_utc_ms) WHERE lane = 0 AND"
     " due_utc_ms <> told_due_utc_ms"},
    {"stacks that no plumb.yaml has",
     /* retire.h. away: since when its folder is not there; 0 = it is */
     "ALTER TABLE stack ADD COLUMN retired_utc_ms BIGINT;"
     "CREATE TABLE stack_home (stack TEXT NOT NULL, home TEXT NOT NULL, config TEXT NOT NULL,"
     " away_utc_ms BIGINT NOT NULL, PRIMARY KEY (stack, home))"},
    {"configurations of providers",
     /* configured.h */
     "CREATE TABLE provider_config (stack TEXT NOT NULL, name TEXT NOT NULL, block TEXT NOT NULL,"
     " settings TEXT NOT NULL, actor TEXT NOT NULL, seen_utc_ms BIGINT NOT NULL,"
     " event BIGINT NOT NULL, PRIMARY KEY (stack, name))"},
    {"certificates in place of tokens",
     /* SHA-256 in hex of the client's certificate; empty: the token is a text */
     "ALTER TABLE token ADD COLUMN certificate TEXT NOT NULL DEFAULT ''"},
    {"a stack's newest findings",
     "CREATE INDEX finding_stack_changed ON finding (stack, lane, changed_utc_ms DESC, id)"},
    {"lists out of indexes",
     /* listing_sql.c: behind its order each holds what a list filters by, so that none of what is
      * passed over is read. An index of a status was one more than its lane's. */
     "DROP INDEX IF EXISTS finding_lane; DROP INDEX IF EXISTS finding_status;"
     "DROP INDEX IF EXISTS finding_stack; DROP INDEX IF EXISTS finding_stack_class;"
     "DROP INDEX IF EXISTS finding_class; DROP INDEX IF EXISTS finding_lane_changed;"
     "DROP INDEX IF EXISTS finding_status_changed; DROP INDEX IF EXISTS finding_stack_changed;"
     "DROP INDEX IF EXISTS finding_due;"
     "CREATE INDEX finding_lane ON finding (lane, severity DESC, id, status, class, stack);"
     "CREATE INDEX finding_stack ON finding (stack, lane, severity DESC, id, status, class);"
     "CREATE INDEX finding_stack_class ON finding (stack, class, lane, severity DESC, id, status);"
     "CREATE INDEX finding_class ON finding (class, lane, severity DESC, id, status, stack);"
     "CREATE INDEX finding_lane_changed ON finding (lane, changed_utc_ms DESC, id, status, class,"
     " severity, due_utc_ms, stack);"
     "CREATE INDEX finding_stack_changed ON finding (stack, lane, changed_utc_ms DESC, id, status,"
     " class, severity, due_utc_ms);"
     "CREATE INDEX finding_class_changed ON finding (class, lane, changed_utc_ms DESC, id, status,"
     " severity, due_utc_ms, stack);"
     "CREATE INDEX finding_due ON finding (lane, due_utc_ms, id, status, class, severity, stack)"
     " WHERE due_utc_ms IS NOT NULL;"
     /* counts.h */
     "CREATE TABLE finding_count (stack TEXT NOT NULL, class TEXT NOT NULL, lane BIGINT NOT NULL,"
     " violation BIGINT NOT NULL, findings BIGINT NOT NULL,"
     " PRIMARY KEY (stack, class, lane, violation));"
     "INSERT INTO finding_count (stack, class, lane, violation, findings) " COUNTS_ALL},
    {"whose events they are",
     /* activity.h. stacks: glob of those that the sender may touch; empty = all */
     "ALTER TABLE activity ADD COLUMN stacks TEXT NOT NULL DEFAULT ''"},
    {"a stack's complete runs",
     /* Between two of them may be thousands that looked at a resource each. */
     "CREATE INDEX run_complete ON run (stack, id) WHERE outcome = 'complete'"},
    {"scans of whole stacks that failed",
     /* The last one, until another has seen all of the stack; or NULL */
     "ALTER TABLE stack ADD COLUMN failed_run BIGINT;"
     "UPDATE stack SET failed_run = (SELECT max(r.id) FROM run r WHERE r.stack = stack.name AND"
     " r.outcome = 'failed' AND r.id > coalesce((SELECT max(w.id) FROM run w WHERE"
     " w.stack = stack.name AND w.outcome IN ('complete', 'incomplete')), 0))"},
};

const struct migration *schema_migrations(size_t *ret_n)
{
    *ret_n = sizeof migrations / sizeof *migrations;
    return migrations;
}

static bool has_table(struct db *db, bool *ret, struct err *err)
{
    int64_t n = 0;
    const char *sql = db_kind(db) == DB_SQLITE
                          ? "SELECT count(*) FROM sqlite_master WHERE name = 'plumb_schema'"
                          : "SELECT count(*) FROM pg_class WHERE oid = to_regclass('plumb_schema')";
    if (!db_one_int(db, sql, NULL, 0, &n, err))
        return false;
    *ret = n > 0;
    return true;
}

bool schema_version(struct db *db, int64_t *ret, struct err *err)
{
    bool there = false;
    if (!has_table(db, &there, err))
        return false;
    if (!there) {
        *ret = 0;
        return true;
    }
    return db_one_int(db, "SELECT coalesce(max(version), 0) FROM plumb_schema", NULL, 0, ret, err);
}

/* A path that is wrong by a letter must not fill somebody else's database with our tables. */
static bool is_empty_file(struct db *db, struct err *err)
{
    int64_t n = 0;
    if (db_kind(db) != DB_SQLITE)
        return true;
    if (!db_one_int(db, "SELECT count(*) FROM sqlite_master", NULL, 0, &n, err))
        return false;
    return n == 0 ||
           err_set(err, ERR_SYNTAX, "%.*s is a database of another program", STR_ARG(db_shown(db)));
}

static bool begin_schema(struct db *db, struct err *err)
{
    return is_empty_file(db, err) &&
           db_script(db,
                     "CREATE TABLE plumb_schema (version BIGINT PRIMARY KEY, name TEXT NOT NULL,"
                     " applied_utc_ms BIGINT NOT NULL)",
                     err) &&
           (db_kind(db) != DB_SQLITE ||
            db_script(db, "PRAGMA application_id = " APPLICATION_ID, err));
}

static void replace(struct buf *out, struct str text, struct str word, struct str by)
{
    for (size_t at; (at = str_find(text, word, 0)) != SIZE_MAX;) {
        buf_str(out, str_sub(text, 0, at));
        buf_str(out, by);
        text = str_sub(text, at + word.len, text.len);
    }
    buf_str(out, text);
}

/* In SQLite only INTEGER PRIMARY KEY is the table's own order; BIGINT would be an index beside it,
 * one more page to write for each row. In PostgreSQL text is otherwise sorted as the server's
 * language has it: lists and exports would be in another order on each. */
static bool run_sql(struct db *db, const char *sql, struct err *err)
{
    bool sqlite = db_kind(db) == DB_SQLITE;
    AUTO_BUF typed = {.limit = SQL_BYTES_MAX};
    AUTO_BUF keyed = {.limit = SQL_BYTES_MAX};
    AUTO_BUF text = {.limit = SQL_BYTES_MAX};
    replace(&typed, str_from(sql), STR("BYTEA"), str_from(db_type_bytes(db)));
    replace(&keyed, buf_view(&typed), STR("BIGINT PRIMARY KEY"),
            sqlite ? STR("INTEGER PRIMARY KEY") : STR("BIGINT PRIMARY KEY"));
    replace(&text, buf_view(&keyed), STR(" TEXT"),
            sqlite ? STR(" TEXT") : STR(" TEXT COLLATE \"C\""));
    buf_char(&text, '\0');
    return buf_ok(&typed, err) && buf_ok(&keyed, err) && buf_ok(&text, err) &&
           db_script(db, text.ptr, err);
}

static bool apply(struct db *db, size_t version, int64_t now_utc_ms, struct err *err)
{
    const struct migration *m = &migrations[version - 1];
    struct db_value row[] = {DB_PARAM_INT((int64_t)version), DB_PARAM_TEXT(str_from(m->name)),
                             DB_PARAM_INT(now_utc_ms)};
    return run_sql(db, m->sql, err) &&
           db_run(db,
                  "INSERT INTO plumb_schema (version, name, applied_utc_ms) VALUES ($1, $2, $3)",
                  row, 3, err);
}

static bool too_new(struct db *db, int64_t version, struct err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "%.*s was written by a newer plumb (schema %lld; this one knows %zu): use that "
                   "version, or another store",
                   STR_ARG(db_shown(db)), (long long)version,
                   sizeof migrations / sizeof *migrations);
}

/* One migration, or none where another process was faster. */
static bool step(struct db *db, int64_t now_utc_ms, bool *ret_done, bool *ret_applied,
                 struct err *err)
{
    int64_t version = 0;
    const int64_t newest = (int64_t)(sizeof migrations / sizeof *migrations);
    bool there = false;
    if (!has_table(db, &there, err) || (!there && !begin_schema(db, err)) ||
        !schema_version(db, &version, err))
        return false;
    if (version > newest)
        return too_new(db, version, err);
    *ret_done = version >= newest;
    *ret_applied = version < newest;
    return version >= newest || apply(db, (size_t)version + 1, now_utc_ms, err);
}

bool schema_migrate(struct db *db, int64_t now_utc_ms, size_t *ret_applied, struct err *err)
{
    size_t applied = 0;
    int64_t version = 0;
    const int64_t newest = (int64_t)(sizeof migrations / sizeof *migrations);
    /* Most often there is nothing to do, and then no lock is needed. */
    if (!schema_version(db, &version, err))
        return false;
    for (bool done = version == newest; !done;) {
        bool changed = false;
        if (!db_begin(db, DB_WRITE, err))
            return false;
        if (!step(db, now_utc_ms, &done, &changed, err) || !db_commit(db, err)) {
            db_rollback(db);
            return err_wrap(err, "migrate the store");
        }
        applied += changed;
    }
    if (ret_applied)
        *ret_applied = applied;
    return true;
}

bool schema_require(struct db *db, struct err *err)
{
    int64_t version = 0;
    const int64_t newest = (int64_t)(sizeof migrations / sizeof *migrations);
    if (!schema_version(db, &version, err))
        return false;
    if (version > newest)
        return too_new(db, version, err);
    return version == newest ||
           err_set(err, ERR_CONFLICT,
                   "%.*s has schema %lld, this plumb needs %lld: run `plumb db migrate` where it "
                   "can be written",
                   STR_ARG(db_shown(db)), (long long)version, (long long)newest);
}
