//! What must never be found, one statement a check. Each gives the ids of what is wrong, at most $2 of them.

use super::balance;
use super::block;
use super::bulk;
use super::contact;
use super::conversation;
use super::incoming;
use super::media;
use super::message;
use super::org_unit::{self, subtree};
use super::{tag, tenant, user, user_group, webhook};

super::statements! {
    /// The top unit that the tenant names is not the top of its tree.
    TOP = "SELECT t.top_org_unit_id FROM tenants t
           LEFT JOIN org_units o ON o.tenant_id = t.id AND o.id = t.top_org_unit_id AND o.parent_id IS NULL
           WHERE t.id = $1 AND o.id IS NULL LIMIT $2";
    /// Units that do not hang below the top ($2), on a cycle for one; at most $3.
    UNREACHED = concat!(subtree!(), "SELECT o.id FROM org_units o
        WHERE o.tenant_id = $1 AND o.id NOT IN (SELECT id FROM sub) LIMIT $3");
    ACTIVE_UNDER_ARCHIVED = "SELECT o.id FROM org_units o
        JOIN org_units p ON p.tenant_id = o.tenant_id AND p.id = o.parent_id
        WHERE o.tenant_id = $1 AND o.status = 1 AND p.status <> 1 LIMIT $2";
    /// Users (not deleted: status below 3) whose unit is of another tenant, is not there, or is archived.
    USER_UNITS = "SELECT u.id FROM users u
        LEFT JOIN org_units o ON o.tenant_id = u.tenant_id AND o.id = u.org_unit_id
        WHERE u.tenant_id = $1 AND (o.id IS NULL OR (u.status <> 3 AND o.status <> 1))
        ORDER BY u.created_at, u.id LIMIT $2";
    /// Users who can log in, but whose login is not theirs alone.
    UNCLAIMED = "SELECT u.id FROM users u
        LEFT JOIN login_claims c ON c.login_key = u.login_key AND c.tenant_id = u.tenant_id AND c.user_id = u.id
        WHERE u.tenant_id = $1 AND u.status <> 3 AND (u.login_claimed = 1 OR u.password_hash IS NOT NULL)
            AND c.login_key IS NULL LIMIT $2";
    /// Tokens of users who are not active any more, or of another tenant.
    SESSIONS = "SELECT s.user_id FROM session_tokens s
        LEFT JOIN users u ON u.tenant_id = s.tenant_id AND u.id = s.user_id AND u.status = 1
        WHERE s.tenant_id = $1 AND u.id IS NULL LIMIT $2";
    NO_ADMIN = "SELECT t.id FROM tenants t WHERE t.id = $1 AND t.status <> 3 AND NOT EXISTS
        (SELECT 1 FROM users u WHERE u.tenant_id = t.id AND u.org_unit_id = t.top_org_unit_id
             AND u.role = 1 AND u.status = 1) LIMIT $2";
    CONTACT_COUNTS = "SELECT g.id FROM contact_groups g WHERE g.tenant_id = $1 AND g.deleted = 0 AND g.contacts <>
        (SELECT COUNT(*) FROM contacts c
            WHERE c.group_id = g.id AND c.tenant_id = $1 AND c.edition = g.edition) LIMIT $2";
    /// Contacts that no reader finds and nothing will remove.
    CONTACT_GROUPS = "SELECT c.id FROM contacts c
        LEFT JOIN contact_groups g ON g.tenant_id = c.tenant_id AND g.id = c.group_id
            AND c.edition BETWEEN g.oldest_edition AND g.edition
        WHERE c.tenant_id = $1 AND g.id IS NULL LIMIT $2";
    /// Memberships of users or in groups that are not there, and of deleted users in groups that are not deleted.
    MEMBERS = "SELECT m.user_id FROM user_group_members m
        LEFT JOIN users u ON u.tenant_id = m.tenant_id AND u.id = m.user_id
        LEFT JOIN user_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
        WHERE m.tenant_id = $1 AND (u.id IS NULL OR g.id IS NULL OR (u.status = 3 AND g.deleted = 0)) LIMIT $2";
    /// Users of whose memberships not one is marked as primary. That one may be in a deleted group as long as its rows
    /// are there.
    PRIMARIES = "SELECT m.user_id FROM user_group_members m
        JOIN user_groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
        WHERE m.tenant_id = $1 GROUP BY m.user_id
        HAVING SUM(m.is_primary) > 1 OR (SUM(m.is_primary) = 0 AND MIN(g.deleted) = 0) LIMIT $2";
    /// Groups in whole rows, and after their columns the keys that are computed from them, and how many members there are.
    USER_GROUPS = concat!("SELECT ", user_group::columns!(), ", g.name_key, g.description_key, g.external_id_key,
            (SELECT COUNT(*) FROM user_group_members m WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id)
        FROM user_groups g WHERE g.tenant_id = $1 AND g.deleted = 0");
    /// Units, active, inactive and deleted users, user groups, and messages either way, as they are kept and as they are counted.
    COUNTS = "SELECT s.org_units, s.users_active, s.users_inactive, s.users_deleted, s.user_groups, s.messages, s.incomings,
            (SELECT COUNT(*) FROM org_units o WHERE o.tenant_id = $1),
            (SELECT COUNT(*) FROM users u WHERE u.tenant_id = $1 AND u.status = 1),
            (SELECT COUNT(*) FROM users u WHERE u.tenant_id = $1 AND u.status = 2),
            (SELECT COUNT(*) FROM users u WHERE u.tenant_id = $1 AND u.status = 3),
            (SELECT COUNT(*) FROM user_groups g WHERE g.tenant_id = $1 AND g.deleted = 0),
            (SELECT COUNT(*) FROM messages m WHERE m.tenant_id = $1),
            (SELECT COUNT(*) FROM incomings i WHERE i.tenant_id = $1)
        FROM tenant_state s WHERE s.tenant_id = $1";
    /// Entries, the first, the last, the head that the next one follows, and up to where they were trimmed.
    JOURNAL = "SELECT COUNT(j.sequence), MIN(j.sequence), MAX(j.sequence), s.journal_sequence, s.journal_trimmed
        FROM tenant_state s LEFT JOIN journal j ON j.tenant_id = s.tenant_id
        WHERE s.tenant_id = $1 GROUP BY s.journal_sequence, s.journal_trimmed";
    /// The balance and how many movements there are, as they are kept and as they are counted, and the last of these.
    BALANCE = "SELECT s.balance, s.movements, CAST(COALESCE(SUM(m.amount), 0) AS BIGINT), COUNT(m.id), COALESCE(MAX(m.id), 0)
        FROM tenant_state s LEFT JOIN movements m ON m.tenant_id = s.tenant_id
        WHERE s.tenant_id = $1 GROUP BY s.balance, s.movements";
    /// Movements after which the balance is not what it was before, and theirs.
    MOVEMENT_SUMS = "SELECT m.id FROM movements m LEFT JOIN movements p ON p.tenant_id = $1 AND p.id = m.id - 1
        WHERE m.tenant_id = $1 AND m.balance <> COALESCE(p.balance, 0) + m.amount LIMIT $2";
    INCOMINGS = concat!("SELECT ", incoming::columns!(), " FROM incomings i WHERE i.tenant_id = $1");
    CONVERSATIONS = concat!("SELECT ", conversation::own_columns!(), ", NULL, NULL FROM ", conversation::with_user!(), "
        WHERE c.tenant_id = $1");
    BLOCKS = concat!("SELECT ", block::columns!(), " FROM blocked_numbers b WHERE b.tenant_id = $1");
    MESSAGES = concat!("SELECT ", message::columns!(), " FROM messages m WHERE m.tenant_id = $1");
    BULKS = concat!("SELECT ", bulk::columns!(), bulk::state!(), " FROM ", bulk::from!(), " WHERE b.tenant_id = $1");
    BULK_UNITS = "SELECT b.id FROM bulks b
        LEFT JOIN org_units o ON o.tenant_id = b.tenant_id AND o.id = b.org_unit_id
        WHERE b.tenant_id = $1 AND o.id IS NULL ORDER BY b.uuid LIMIT $2";
    /// Bulks of which messages in some state are not as many as are counted; the states are those of `Counted::of`.
    BULK_COUNTS = "SELECT b.id FROM bulks b
            LEFT JOIN messages m ON m.tenant_id = $1 AND m.bulk_uuid IS NOT NULL AND m.bulk_uuid = b.uuid
        WHERE b.tenant_id = $1 AND b.is_dry_run = 0
        GROUP BY b.uuid, b.id, b.queued, b.sent, b.delivered, b.failed, b.skipped
        HAVING b.queued <> COALESCE(SUM(CASE WHEN m.status = 0 THEN 1 ELSE 0 END), 0)
            OR b.sent <> COALESCE(SUM(CASE WHEN m.status = 100 AND m.receipt IN (0, 2, 4) THEN 1 ELSE 0 END), 0)
            OR b.delivered <> COALESCE(SUM(CASE WHEN m.status = 100 AND m.receipt = 1 THEN 1 ELSE 0 END), 0)
            OR b.skipped <> COALESCE(SUM(CASE WHEN m.status IN (208, 410, 6000) THEN 1 ELSE 0 END), 0)
            OR b.queued + b.sent + b.delivered + b.failed + b.skipped <> COUNT(m.id) LIMIT $2";
    BULK_COSTS = "SELECT b.id FROM movements v JOIN bulks b ON b.tenant_id = v.tenant_id AND b.id = v.bulk_id
        WHERE v.tenant_id = $1 AND v.bulk_id IS NOT NULL AND b.is_dry_run = 0
        GROUP BY b.id, b.cost HAVING b.cost + SUM(v.amount) <> 0 LIMIT $2";
    /// Messages that are new (status 0) and wait in no queue.
    UNQUEUED = "SELECT m.id FROM messages m
        LEFT JOIN message_queue q ON q.tenant_id = m.tenant_id AND q.message_id = m.id
        WHERE m.tenant_id = $1 AND m.status = 0 AND q.message_id IS NULL LIMIT $2";
    QUEUED = "SELECT q.message_id FROM message_queue q
        LEFT JOIN messages m ON m.tenant_id = q.tenant_id AND m.id = q.message_id
        WHERE q.tenant_id = $1 AND (m.id IS NULL OR m.status <> 0 OR q.lane <> COALESCE(m.bulk_id, 0)) LIMIT $2";
    MOVEMENTS = concat!("SELECT ", balance::columns!(), " FROM movements m WHERE m.tenant_id = $1");
    ENTRIES = concat!("SELECT ", tenant::journal_columns!(), " FROM journal WHERE tenant_id = $1");
    WEBHOOK_UNITS = "SELECT w.id FROM webhooks w
        LEFT JOIN org_units o ON o.tenant_id = w.tenant_id AND o.id = w.org_unit_id
        WHERE w.tenant_id = $1 AND o.id IS NULL LIMIT $2";
    /// Webhooks that have heard of more than there was, or have deliveries of what they have still to hear of, which could
    /// not be made then.
    CURSORS = "SELECT w.id FROM webhooks w JOIN tenant_state s ON s.tenant_id = w.tenant_id
        WHERE w.tenant_id = $1 AND (w.journal_cursor > s.journal_sequence OR w.journal_cursor <
            (SELECT MAX(d.id) FROM webhook_deliveries d WHERE d.tenant_id = $1 AND d.webhook_id = w.id) / 4)
        LIMIT $2";
    NOBODYS_DELIVERIES = "SELECT DISTINCT d.webhook_id FROM webhook_deliveries d
        LEFT JOIN webhooks w ON w.tenant_id = d.tenant_id AND w.id = d.webhook_id
        WHERE d.tenant_id = $1 AND w.id IS NULL LIMIT $2";
    /// Webhooks with deliveries that are open (0) without a next attempt, or not open with one.
    UNTIMELY_DELIVERIES = "SELECT DISTINCT d.webhook_id FROM webhook_deliveries d
        WHERE d.tenant_id = $1 AND CASE d.state WHEN 0 THEN 1 ELSE 0 END <> CASE WHEN d.next_at IS NULL THEN 0 ELSE 1 END
        LIMIT $2";
    /// Whole rows, and after their columns the keys that are computed from them.
    UNITS = concat!("SELECT ", org_unit::columns!(), ", o.name_key FROM org_units o WHERE o.tenant_id = $1");
    USERS = concat!("SELECT ", user::columns!(), ", u.login_key, u.name_key, u.display_name_key, u.login_is_email,
            (SELECT COUNT(*) FROM user_emails e WHERE e.user_id = u.id AND e.tenant_id = u.tenant_id)
        FROM users u WHERE u.tenant_id = $1");
    EMAILS_OF_NOBODY = "SELECT DISTINCT e.user_id FROM user_emails e
        LEFT JOIN users u ON u.tenant_id = e.tenant_id AND u.id = e.user_id AND u.status <> 3
        WHERE e.tenant_id = $1 AND u.id IS NULL LIMIT $2";
    /// Each address that was sent, after the columns of its user.
    EMAILS = concat!("SELECT ", user::columns!(), ", e.email_key FROM user_emails e
        JOIN users u ON u.tenant_id = e.tenant_id AND u.id = e.user_id AND u.status <> 3 WHERE e.tenant_id = $1");
    GROUPS = concat!("SELECT ", contact::group_columns!(), " FROM contact_groups g WHERE g.tenant_id = $1");
    CONTACTS = concat!("SELECT ", contact::columns!(), " FROM contacts c WHERE c.tenant_id = $1");
    WEBHOOKS = concat!("SELECT ", webhook::columns!(), " FROM webhooks w WHERE w.tenant_id = $1");
    DELIVERIES = concat!("SELECT ", webhook::delivery_columns!(), ", d.webhook_id FROM webhook_deliveries d
        WHERE d.tenant_id = $1");
    /// Tags in whole rows, and after their columns the key that is computed from the name.
    TAGS = concat!("SELECT ", tag::columns!(), ", g.name_key FROM tags g WHERE g.tenant_id = $1");
    /// Tags whose unit is of another tenant, or is not there.
    TAG_UNITS = "SELECT g.id FROM tags g LEFT JOIN org_units o ON o.tenant_id = g.tenant_id AND o.id = g.org_unit_id
        WHERE g.tenant_id = $1 AND o.id IS NULL LIMIT $2";
    MEDIA_PROMPTS = concat!("SELECT ", media::columns!(), " FROM media_prompts p WHERE p.tenant_id = $1");
    /// Prompts whose unit is of another tenant, or is not there.
    MEDIA_UNITS = "SELECT p.id FROM media_prompts p
        LEFT JOIN org_units o ON o.tenant_id = p.tenant_id AND o.id = p.org_unit_id
        WHERE p.tenant_id = $1 AND o.id IS NULL LIMIT $2";
    /// Prompts whose object is going to be removed.
    MEDIA_OBJECTS = "SELECT p.id FROM media_prompts p JOIN object_garbage g ON g.object_key = p.object_key
        WHERE p.tenant_id = $1 LIMIT $2";
    /// Tokens (kind 1 or 2) that no release has made.
    TOKENS = "SELECT s.user_id FROM session_tokens s WHERE s.tenant_id = $1
        AND (s.kind NOT IN (1, 2) OR LENGTH(s.hash) <> 32 OR LENGTH(s.family) <> 16) LIMIT $2";
}
