//! Statements on all that a store holds, for what looks after the installation. They read whole tables.

use super::balance::price_columns;

super::statements! {
    /// Claims of logins that are not those of a user who has them.
    NOBODYS_CLAIMS = "SELECT c.tenant_id, c.user_id FROM login_claims c
        LEFT JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.user_id AND u.login_key = c.login_key
            AND u.login_claimed = 1 AND u.status <> 3
        WHERE u.id IS NULL LIMIT 20";
    SEALED_SECRETS = "SELECT tenant_id, id, secret_sealed FROM credentials WHERE secret_sealed IS NOT NULL";
    RESEAL = "UPDATE credentials SET secret_sealed = $3 WHERE tenant_id = $1 AND id = $2 RETURNING id";
    WEBHOOK_SECRETS = "SELECT tenant_id, id, secret_sealed FROM webhooks";
    WEBHOOK_OLD_SECRETS = "SELECT tenant_id, id, old_secret_sealed FROM webhooks WHERE old_secret_sealed IS NOT NULL";
    WEBHOOK_RESEAL = "UPDATE webhooks SET secret_sealed = $3 WHERE tenant_id = $1 AND id = $2 RETURNING id";
    WEBHOOK_OLD_RESEAL = "UPDATE webhooks SET old_secret_sealed = $3 WHERE tenant_id = $1 AND id = $2 RETURNING id";
    TENANTS_WITH_WEBHOOKS = "SELECT DISTINCT tenant_id FROM webhooks WHERE tenant_id > $1 AND deleted = 0
                             ORDER BY tenant_id LIMIT $2";
    /// Prices that are of no table.
    NOBODYS_PRICES = "SELECT COUNT(*) FROM prices p LEFT JOIN price_table e ON e.edition = p.edition
        WHERE e.edition IS NULL";
    PRICES = concat!("SELECT ", price_columns!(), " FROM prices p");
    TENANTS_WITH_MESSAGES = "SELECT t.id FROM tenants t WHERE t.id > $1 AND t.status = 1
            AND (EXISTS (SELECT 1 FROM message_queue q WHERE q.tenant_id = t.id)
                OR EXISTS (SELECT 1 FROM bulks b WHERE b.tenant_id = t.id AND b.work_at IS NOT NULL))
        ORDER BY t.id LIMIT $2";
    /// Of all after $1 the one of which a message was handed over last (status 100) to a phone ($2) from one of three senders,
    /// of each among the last 100 that were taken, as `incoming::ANSWERED` looks for it: whose an answer is, and what it
    /// answers, are told by the same message.
    TENANT_LAST = "SELECT sub.id FROM
            (SELECT t.id,
                 (SELECT MAX(sub.handed_over_at) FROM
                     (SELECT m.handed_over_at FROM messages m
                      WHERE m.tenant_id = t.id AND m.phone = $2 AND m.sender IN ($3, $4, $5) AND m.status = 100
                      ORDER BY m.created_at DESC, m.id DESC LIMIT 100) AS sub) AS sent_at
             FROM tenants t WHERE t.id > $1 AND t.status = 1) AS sub
        WHERE sub.sent_at IS NOT NULL ORDER BY sub.sent_at DESC, sub.id LIMIT 1";
    SERVER_KEY_CHANGES = "UPDATE server_key SET fingerprint = $1 WHERE only_row = 1 RETURNING only_row";
    SERVER_KEYS = "SELECT fingerprint FROM server_key";
    GREATEST_TENANT = "SELECT COALESCE(MAX(id), 0) FROM tenants";
    GREATEST_ORG_UNIT = "SELECT COALESCE(MAX(id), 0) FROM org_units";
    GREATEST_USER = "SELECT COALESCE(MAX(id), 0) FROM users";
    GREATEST_CREDENTIAL = "SELECT COALESCE(MAX(id), 0) FROM credentials";
    GREATEST_CONTACT_GROUP = "SELECT COALESCE(MAX(id), 0) FROM contact_groups";
    GREATEST_CONTACT = "SELECT COALESCE(MAX(id), 0) FROM contacts";
    GREATEST_WEBHOOK = "SELECT COALESCE(MAX(id), 0) FROM webhooks";
    GREATEST_MEDIA_PROMPT = "SELECT COALESCE(MAX(id), 0) FROM media_prompts";
    GREATEST_BLOCK = "SELECT COALESCE(MAX(id), 0) FROM blocked_numbers";
    GREATEST_BULK = "SELECT COALESCE(MAX(id), 0) FROM bulks";
    GREATEST_CONVERSATION = "SELECT COALESCE(MAX(id), 0) FROM conversations";
    GREATEST_TAG = "SELECT COALESCE(MAX(id), 0) FROM tags";
    /// The id of a kind that is given out next.
    NEXT_ID = "SELECT COALESCE(MAX(next_id), 1) FROM id_blocks WHERE kind = $1";
}
