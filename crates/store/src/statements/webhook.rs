//! Statements on webhooks and deliveries. Of a deleted webhook nothing is read but by what removes its rows.

/// The columns of a webhook as it is shown, as `rows/webhook.rs` reads them.
macro_rules! columns {
    () => {
        "w.id, w.tenant_id, w.org_unit_id, w.name, w.url, w.events, w.static_parameters, w.format, w.status, \
         w.include_sub_groups, w.version, w.created_at, w.modified_at, w.last_delivery_at, w.last_status, \
         w.consecutive_failures, w.failing_since"
    };
}

/// The columns of a delivery, as `rows/webhook.rs` reads them.
macro_rules! delivery_columns {
    () => {
        "d.id, d.event, d.entity, d.at, d.state, d.attempts, d.next_at, d.attempted_at, d.duration, d.status, d.answer, \
         d.problem"
    };
}

/// What is left of the deliveries of a deleted webhook is seen by nobody.
macro_rules! of_webhook {
    () => {
        " FROM webhook_deliveries d WHERE d.tenant_id = $1 AND d.webhook_id = $2
              AND EXISTS (SELECT 1 FROM webhooks w WHERE w.tenant_id = $1 AND w.id = $2 AND w.deleted = 0)"
    };
}

/// $3: the state, or null; $4: not before this time.
macro_rules! filter {
    () => {
        " AND (CAST($3 AS BIGINT) IS NULL OR d.state = $3) AND d.at >= $4"
    };
}

/// Webhooks that something is sent for.
macro_rules! active {
    () => {
        " JOIN tenants t ON t.id = w.tenant_id AND t.status = 1
          WHERE w.tenant_id = $1 AND w.status = 1 AND w.deleted = 0"
    };
}

/// A webhook ($2) that something is sent for, to be changed.
macro_rules! sent {
    () => {
        " WHERE tenant_id = $1 AND id = $2 AND status = 1 AND deleted = 0
              AND EXISTS (SELECT 1 FROM tenants t WHERE t.id = $1 AND t.status = 1)"
    };
}

/// Who has leased a webhook that something is sent for ($3).
macro_rules! owned {
    () => {
        concat!(sent!(), " AND lease_owner = $3")
    };
}

pub(crate) use {columns, delivery_columns};

super::statements! {
    GET = concat!("SELECT ", columns!(), " FROM webhooks w WHERE w.tenant_id = $1 AND w.id = $2 AND w.deleted = 0");
    LIST = concat!("SELECT ", columns!(), " FROM webhooks w WHERE w.tenant_id = $1 AND w.deleted = 0 ORDER BY w.id");
    SENDER = concat!("SELECT ", columns!(), ", w.secret_sealed, w.old_secret_sealed, w.old_secret_until,
        w.journal_cursor, t.top_org_unit_id FROM webhooks w", active!(), " AND w.id = $2");
    SECRET = "SELECT w.secret_sealed, w.old_secret_sealed, w.old_secret_until FROM webhooks w
        WHERE w.tenant_id = $1 AND w.id = $2 AND w.deleted = 0";
    /// What is to be done for each; $2: now.
    WORK = concat!("SELECT w.id, CASE WHEN w.journal_cursor < s.journal_sequence THEN 1 ELSE 0 END,
            (SELECT MIN(d.next_at) FROM webhook_deliveries d
             WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state = 0), w.lease_owner, w.lease_until,
            w.last_delivery_at, w.last_status, w.consecutive_failures, w.failing_since, w.version,
            (SELECT MAX(d.next_at) FROM webhook_deliveries d
             WHERE d.tenant_id = w.tenant_id AND d.webhook_id = w.id AND d.state = 0 AND d.next_at <= $2)
        FROM webhooks w JOIN tenant_state s ON s.tenant_id = w.tenant_id", active!(), " ORDER BY w.id");
    /// There are fewer than $3 webhooks besides $2, and fewer than $4 in the format of LOX24 if $5.
    HAS_ROOM = "SELECT 1 FROM (SELECT COUNT(*) AS all_of_them, COUNT(CASE w.format WHEN 1 THEN 1 END) AS of_lox24 FROM webhooks w
            WHERE w.tenant_id = $1 AND w.deleted = 0 AND w.id <> $2) sub
        WHERE sub.all_of_them < $3 AND (sub.of_lox24 < $4 OR CAST($5 AS BIGINT) = 0)";
    INSERT = "INSERT INTO webhooks (tenant_id, id, org_unit_id, name, url, events, static_parameters, format, status,
                  include_sub_groups, version, modified_at, created_at, secret_sealed, journal_cursor)
              SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, s.journal_sequence
              FROM tenant_state s WHERE s.tenant_id = $1";
    /// $13: the version that the change was decided on.
    UPDATE = "UPDATE webhooks SET org_unit_id = $3, name = $4, url = $5, events = $6, static_parameters = $7, format = $8,
                  status = $9, include_sub_groups = $10, version = $11, modified_at = $12
              WHERE tenant_id = $1 AND id = $2 AND version = $13 AND deleted = 0";
    /// A lease stays: whoever has it may still be sending.
    RESTART = "UPDATE webhooks SET consecutive_failures = 0, failing_since = NULL,
                   journal_cursor = (SELECT s.journal_sequence FROM tenant_state s WHERE s.tenant_id = $1)
               WHERE tenant_id = $1 AND id = $2";
    ROTATE = "UPDATE webhooks SET old_secret_sealed = secret_sealed, old_secret_until = $6, secret_sealed = $5,
                  version = version + 1, modified_at = $4
              WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted = 0";
    DELETE = "UPDATE webhooks SET deleted = 1, version = version + 1, modified_at = $4, lease_owner = NULL,
                  lease_until = NULL
              WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted = 0";
    /// $4: now; $5: until when.
    LEASE = concat!("UPDATE webhooks SET lease_owner = $3, lease_until = $5", sent!(),
        " AND (lease_owner IS NULL OR lease_owner = $3 OR lease_until <= $4)");
    KEEP = concat!("UPDATE webhooks SET lease_until = $4, last_delivery_at = $5, last_status = $6,
        consecutive_failures = $7, failing_since = $8", owned!());
    RELEASE = concat!("UPDATE webhooks SET lease_owner = NULL, lease_until = NULL, journal_cursor = $4", owned!(),
        " AND journal_cursor <= $4");
    /// $4: where the cursor is; $5: where it shall be.
    ADVANCE = concat!("UPDATE webhooks SET journal_cursor = $5", owned!(), " AND journal_cursor = $4");
    DELIVERIES = concat!("SELECT ", delivery_columns!(), of_webhook!(), filter!(), " ORDER BY d.id DESC LIMIT $5 OFFSET $6");
    /// No more are counted than anybody leafs through (`domain/webhook`, `limits::DELIVERIES_COUNTED`).
    DELIVERIES_COUNT = concat!("SELECT COUNT(*) FROM (SELECT 1", of_webhook!(), filter!(), " ORDER BY d.id DESC LIMIT $5) sub");
    DELIVERIES_FAILED = concat!("SELECT ", delivery_columns!(), of_webhook!(), " AND d.state = 2 AND d.at >= $3
        ORDER BY d.id DESC LIMIT $4 OFFSET $5");
    DELIVERIES_FAILED_COUNT = concat!("SELECT COUNT(*)", of_webhook!(),
        " AND d.state = 2 AND d.at >= $3");
    DELIVERY = concat!("SELECT ", delivery_columns!(), of_webhook!(), " AND d.id = $3");
    /// Without the last attempts.
    DELIVERIES_OPEN = concat!("SELECT d.id, d.event, d.entity, d.at, d.state, d.attempts, d.next_at, CAST(NULL AS BIGINT)",
        of_webhook!(), " AND d.state = 0 ORDER BY d.id LIMIT $3");
    DELIVERY_INSERT = "INSERT INTO webhook_deliveries (tenant_id, webhook_id, id, event, entity, at, state, attempts,
                           next_at)
                       VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7)";
    DELIVERY_ATTEMPTED = "UPDATE webhook_deliveries SET state = $4, attempts = $5, next_at = $6, attempted_at = $7,
                              duration = $8, status = $9, answer = $10, problem = $11
                          WHERE tenant_id = $1 AND webhook_id = $2 AND id = $3 AND state = 0";
    DELIVERY_RETRY = "UPDATE webhook_deliveries SET state = 0, attempts = 0, next_at = $4
                      WHERE tenant_id = $1 AND webhook_id = $2 AND id = $3 AND state = 2
                          AND EXISTS (SELECT 1 FROM webhooks w
                                      WHERE w.tenant_id = $1 AND w.id = $2 AND w.deleted = 0)";
    /// The first entry that is still needed; see [`muster_domain::webhook::WebhookStore::journal_needed`].
    JOURNAL_NEEDED = "SELECT MIN(entry) FROM (
            SELECT w.journal_cursor + 1 AS entry FROM webhooks w
            WHERE w.tenant_id = $1 AND w.status = 1 AND w.deleted = 0
            UNION ALL
            SELECT (SELECT MIN(d.id) FROM webhook_deliveries d
                    WHERE d.tenant_id = $1 AND d.webhook_id = w.id AND d.state = 0) / 4
            FROM webhooks w WHERE w.tenant_id = $1 AND w.status = 1 AND w.deleted = 0) needed";
    /// A webhook that is deleted, or of which the oldest delivery that has ended is from before $2; whether it has
    /// no deliveries.
    GARBAGE = "SELECT w.id, CASE WHEN EXISTS
                   (SELECT 1 FROM webhook_deliveries d WHERE d.tenant_id = $1 AND d.webhook_id = w.id) THEN 0 ELSE 1 END
               FROM webhooks w WHERE w.tenant_id = $1 AND (w.deleted = 1 OR
                   (SELECT d.at FROM webhook_deliveries d
                    WHERE d.tenant_id = $1 AND d.webhook_id = w.id AND d.state <> 0 ORDER BY d.id LIMIT 1) < $2)
               LIMIT 1";
    /// Of the $4 oldest from the first one that has ended.
    REAP = "DELETE FROM webhook_deliveries WHERE tenant_id = $1 AND webhook_id = $2 AND id IN
                (SELECT sub.id FROM (SELECT d.id, d.state, d.at FROM webhook_deliveries d
                     WHERE d.tenant_id = $1 AND d.webhook_id = $2 AND d.id >=
                         (SELECT e.id FROM webhook_deliveries e WHERE e.tenant_id = $1 AND e.webhook_id = $2
                              AND e.state <> 0 ORDER BY e.id LIMIT 1)
                     ORDER BY d.id LIMIT $4) sub
                 WHERE sub.state <> 0 AND sub.at < $3)";
    REAP_DELETED = "DELETE FROM webhook_deliveries WHERE tenant_id = $1 AND webhook_id = $2 AND id IN
                        (SELECT d.id FROM webhook_deliveries d JOIN webhooks w ON w.tenant_id = $1 AND w.id = $2
                             AND w.deleted = 1
                         WHERE d.tenant_id = $1 AND d.webhook_id = $2 ORDER BY d.id LIMIT $3)";
    REMOVE = "DELETE FROM webhooks WHERE tenant_id = $1 AND id = $2 AND deleted = 1";
}
