//! The steps of a tenant's removal: each removes at most $2 rows. What refers to a row goes before it.
//!
//! The `+` keeps the planner from comparing all rows of the tenant with those that were chosen.

super::statements! {
    SESSION_TOKENS = "DELETE FROM session_tokens WHERE tenant_id = $1 AND hash IN
        (SELECT s.hash FROM session_tokens s WHERE s.tenant_id = $1 LIMIT $2)";
    /// Marks the objects of the prompts that [`MEDIA_PROMPTS`] is about to remove.
    MEDIA_OBJECTS = "INSERT INTO object_garbage (object_key, due_at)
        SELECT p.object_key, 0 FROM media_prompts p WHERE p.tenant_id = $1 ORDER BY p.created_at, p.id LIMIT $2
        ON CONFLICT (object_key) DO NOTHING";
    MEDIA_PROMPTS = "DELETE FROM media_prompts WHERE +tenant_id = $1 AND id IN
        (SELECT p.id FROM media_prompts p WHERE p.tenant_id = $1 ORDER BY p.created_at, p.id LIMIT $2)";
    TAGS = "DELETE FROM tags WHERE +tenant_id = $1 AND id IN
        (SELECT g.id FROM tags g WHERE g.tenant_id = $1 ORDER BY g.name_key, g.id LIMIT $2)";
    CONTACTS = "DELETE FROM contacts WHERE +tenant_id = $1 AND id IN
        (SELECT c.id FROM contacts c WHERE c.tenant_id = $1 ORDER BY c.group_id, c.edition, c.phone LIMIT $2)";
    CONTACT_GROUPS = "DELETE FROM contact_groups WHERE +tenant_id = $1 AND id IN
        (SELECT g.id FROM contact_groups g WHERE g.tenant_id = $1 ORDER BY g.id LIMIT $2)";
    USER_GROUP_MEMBERS = "DELETE FROM user_group_members WHERE tenant_id = $1 AND (group_id, user_id) IN
        (SELECT m.group_id, m.user_id FROM user_group_members m WHERE m.tenant_id = $1
         ORDER BY m.group_id, m.user_id LIMIT $2)";
    USER_GROUPS = "DELETE FROM user_groups WHERE tenant_id = $1 AND id IN
        (SELECT g.id FROM user_groups g WHERE g.tenant_id = $1 ORDER BY g.id LIMIT $2)";
    CREDENTIALS = "DELETE FROM credentials WHERE tenant_id = $1 AND id IN
        (SELECT c.id FROM credentials c WHERE c.tenant_id = $1 LIMIT $2)";
    WEBHOOK_DELIVERIES = "DELETE FROM webhook_deliveries WHERE tenant_id = $1 AND (webhook_id, id) IN
        (SELECT d.webhook_id, d.id FROM webhook_deliveries d WHERE d.tenant_id = $1
         ORDER BY d.webhook_id, d.id LIMIT $2)";
    WEBHOOKS = "DELETE FROM webhooks WHERE tenant_id = $1 AND id IN
        (SELECT w.id FROM webhooks w WHERE w.tenant_id = $1 ORDER BY w.id LIMIT $2)";
    /// The claims of the users that the next step removes.
    LOGIN_CLAIMS = "DELETE FROM login_claims WHERE tenant_id = $1 AND login_key IN
        (SELECT u.login_key FROM users u WHERE u.tenant_id = $1 ORDER BY u.created_at, u.id LIMIT $2)";
    USER_EMAILS = "DELETE FROM user_emails WHERE tenant_id = $1 AND (email_key, user_id) IN
        (SELECT e.email_key, e.user_id FROM user_emails e WHERE e.tenant_id = $1
         ORDER BY e.email_key, e.user_id LIMIT $2)";
    USERS = "DELETE FROM users WHERE +tenant_id = $1 AND id IN
        (SELECT u.id FROM users u WHERE u.tenant_id = $1 ORDER BY u.created_at, u.id LIMIT $2)";
    /// Units without a child; those of the youngest parents first, which are the leaves of most trees.
    ORG_UNITS = "DELETE FROM org_units WHERE +tenant_id = $1 AND id IN
        (SELECT o.id FROM org_units o WHERE o.tenant_id = $1
             AND NOT EXISTS (SELECT 1 FROM org_units c WHERE c.parent_id = o.id AND c.tenant_id = $1)
         ORDER BY o.parent_id DESC LIMIT $2)";
    CARRIER_PARTS = "DELETE FROM carrier_parts WHERE +tenant_id = $1 AND (carrier, carrier_id) IN
        (SELECT p.carrier, p.carrier_id FROM carrier_parts p WHERE p.tenant_id = $1
         ORDER BY p.message_id, p.part LIMIT $2)";
    MESSAGE_QUEUE = "DELETE FROM message_queue WHERE tenant_id = $1 AND message_id IN
        (SELECT q.message_id FROM message_queue q WHERE q.tenant_id = $1 ORDER BY q.message_id LIMIT $2)";
    MESSAGES = "DELETE FROM messages WHERE tenant_id = $1 AND id IN
        (SELECT m.id FROM messages m WHERE m.tenant_id = $1 ORDER BY m.id LIMIT $2)";
    INCOMINGS = "DELETE FROM incomings WHERE tenant_id = $1 AND id IN
        (SELECT i.id FROM incomings i WHERE i.tenant_id = $1 ORDER BY i.id LIMIT $2)";
    CONVERSATIONS = "DELETE FROM conversations WHERE tenant_id = $1 AND id IN
        (SELECT c.id FROM conversations c WHERE c.tenant_id = $1 ORDER BY c.id LIMIT $2)";
    BLOCKED_NUMBERS = "DELETE FROM blocked_numbers WHERE tenant_id = $1 AND id IN
        (SELECT b.id FROM blocked_numbers b WHERE b.tenant_id = $1 ORDER BY b.id LIMIT $2)";
    BULK_PHONES = "DELETE FROM bulk_phones WHERE tenant_id = $1 AND bulk_id IN
        (SELECT p.bulk_id FROM bulk_phones p WHERE p.tenant_id = $1 ORDER BY p.bulk_id LIMIT $2)";
    BULKS = "DELETE FROM bulks WHERE +tenant_id = $1 AND id IN
        (SELECT b.id FROM bulks b WHERE b.tenant_id = $1 ORDER BY b.uuid LIMIT $2)";
    MOVEMENTS = "DELETE FROM movements WHERE tenant_id = $1 AND id IN
        (SELECT m.id FROM movements m WHERE m.tenant_id = $1 ORDER BY m.id LIMIT $2)";
    JOURNAL = "DELETE FROM journal WHERE tenant_id = $1 AND sequence IN
        (SELECT j.sequence FROM journal j WHERE j.tenant_id = $1 LIMIT $2)";
    /// At last, when the steps find nothing.
    STATE = "DELETE FROM tenant_state WHERE tenant_id = $1";
    TENANT = "DELETE FROM tenants WHERE id = $1";
}

/// In their order. The last statement of each removes rows, those before it make ready.
pub(crate) static STEPS: [&[&super::Statement]; 24] = [
    &[&CARRIER_PARTS],
    &[&MESSAGE_QUEUE],
    &[&MESSAGES],
    &[&INCOMINGS],
    &[&CONVERSATIONS],
    &[&BLOCKED_NUMBERS],
    &[&BULK_PHONES],
    &[&BULKS],
    &[&MOVEMENTS],
    &[&SESSION_TOKENS],
    &[&CREDENTIALS],
    &[&WEBHOOK_DELIVERIES],
    &[&WEBHOOKS],
    &[&MEDIA_OBJECTS, &MEDIA_PROMPTS],
    &[&TAGS],
    &[&CONTACTS],
    &[&CONTACT_GROUPS],
    &[&USER_GROUP_MEMBERS],
    &[&USER_GROUPS],
    &[&LOGIN_CLAIMS],
    &[&USER_EMAILS],
    &[&USERS],
    &[&ORG_UNITS],
    &[&JOURNAL],
];
