//! Rows with which plans are looked at.

/// Three tenants of one size, each with units of which every tenth is archived, four to a parent, and
/// with a user and two tokens for each unit: what a planner that knows statistics sees in real life.
pub(super) const ROWS: &str = "
    WITH RECURSIVE t (id) AS (VALUES (1) UNION ALL SELECT id + 1 FROM t WHERE id < 3)
    INSERT INTO tenants SELECT id, randomblob(16), 'n', 'US', 'EUR', 1, id * 10000, 1, 0, 0, 0 FROM t;
    INSERT INTO tenant_state (tenant_id) SELECT id FROM tenants;
    INSERT INTO id_blocks VALUES ('org_unit', 1), ('user', 1), ('tenant', 1), ('credential', 1);
    WITH RECURSIVE n (n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM n WHERE n < 1500)
    INSERT INTO org_units (id, tenant_id, parent_id, status, name, name_key, timezone, version, created_at,
        modified_at)
    SELECT t.id * 10000 + n, t.id, CASE n WHEN 0 THEN NULL ELSE t.id * 10000 + (n - 1) / 4 END,
        1 + (n % 10 = 9), 'Unit ' || n, 'unit ' || n, 'UTC', 1, 0, 0 FROM tenants t, n;
    INSERT INTO users (id, tenant_id, uuid, org_unit_id, login, login_key, login_claimed, first_name, last_name,
        name_key, role, status, timezone, score_call, access_audio, group_access, report_access, version, created_at,
        modified_at)
    SELECT id, tenant_id, randomblob(16), id, name, 'login ' || id, 1, '', '', '', 1, 1, 'UTC', 0, 0, 0, 0, 1, 0, 0
    FROM org_units;
    INSERT INTO login_claims SELECT login_key, tenant_id, id FROM users;
    INSERT INTO session_tokens
    SELECT tenant_id, randomblob(32), kind, CAST(id AS BLOB), id, 0, 0, NULL
    FROM users, (SELECT 1 AS kind UNION ALL SELECT 2);
    INSERT INTO credentials
    SELECT id * 10 + n, id, 2, 'key', NULL, randomblob(32), NULL, 0, NULL, NULL, 0, NULL, 0
    FROM tenants, (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3);
    INSERT INTO user_groups (tenant_id, id, name, name_key, version, created_at, modified_at)
    SELECT tenant_id, CAST(id AS BLOB), name, name_key, 1, 0, 0 FROM org_units WHERE status = 2;
    INSERT INTO user_group_members
    SELECT u.tenant_id, g.id, u.id, 0, 0 FROM users u JOIN user_groups g ON g.tenant_id = u.tenant_id
    WHERE u.id % 7 = unicode(substr(g.name, -1)) % 7;
    INSERT INTO contact_groups (id, tenant_id, name, version, created_at, modified_at)
    SELECT id, tenant_id, name, 1, 0, 0 FROM org_units WHERE status = 2;
    INSERT INTO contacts (id, tenant_id, group_id, edition, phone, version, created_at, modified_at)
    SELECT g.id * 100 + n, g.tenant_id, g.id, 1, '+49151' || n, 1, 0, 0
    FROM contact_groups g, (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4);
    INSERT INTO webhooks (id, tenant_id, org_unit_id, name, url, events, static_parameters, format, status,
        include_sub_groups, secret_sealed, version, created_at, modified_at, journal_cursor)
    SELECT id, tenant_id, id, name, '', '[]', '[]', 0, 1 + (id % 20 = 9), 1, X'', 1, 0, 0, 1
    FROM org_units WHERE status = 2;
    INSERT INTO webhook_deliveries (tenant_id, webhook_id, id, event, entity, at, state, attempts, next_at)
    SELECT w.tenant_id, w.id, n, 'user.created', 'user:1', n, n % 3, 0, iif(n % 3 = 0, n, NULL)
    FROM webhooks w, (SELECT id % 10000 AS n FROM org_units WHERE tenant_id = 1 AND id % 10000 < 60);
    INSERT INTO tags (id, tenant_id, org_unit_id, name, name_key, version, created_at, modified_at)
    SELECT id, tenant_id, id, name, name_key, 1, 0, 0 FROM org_units WHERE id % 3 = 0;
    INSERT INTO media_prompts
    SELECT id, tenant_id, id, name, 1, 'a.wav', 1, 44, NULL, randomblob(32), tenant_id || '/' || id, id FROM org_units
    WHERE id % 3 = 0;
    INSERT INTO object_garbage SELECT 'x' || object_key, id FROM media_prompts;
    INSERT INTO price_table VALUES (1, 3);
    INSERT INTO prices SELECT 3, 'C' || id, 'EUR', 'n', 1, 1, 1, 1, NULL FROM org_units WHERE tenant_id = 1;
    INSERT INTO movements SELECT tenant_id, id % 10000 + 1, 0, 1, 1, 'credit', NULL, NULL, NULL, NULL FROM org_units;
    INSERT INTO blocked_numbers SELECT tenant_id, id, '+49' || id, 1, id, 1 FROM org_units WHERE id % 5 = 0;
    INSERT INTO messages (tenant_id, id, sender, phone, is_unicode, chars_count, parts_count, service, source,
        is_text_deleted, callback_data, deliver_at, status, receipt, handed_over_at, price, bulk_id, bulk_uuid, actor_kind,
        version, created_at, text)
    SELECT tenant_id, CAST(id AS BLOB), 'M', '+4915' || id, 0, 1, 1, 1, 0, 0, CASE WHEN id % 2 = 0 THEN 'c' || id END, 0,
        CASE WHEN id % 50 = 0 THEN 0 ELSE 100 END, 0, id, 0, CASE WHEN id % 3 = 0 THEN id % 300 END,
        CASE WHEN id % 3 = 0 THEN CAST(id % 300 AS BLOB) END, 0, 1, id, 'x' FROM org_units;
    INSERT INTO message_queue (tenant_id, message_id, lane, due_at)
    SELECT tenant_id, id, COALESCE(bulk_id, 0), created_at FROM messages WHERE status = 0;
    INSERT INTO incomings SELECT tenant_id, CAST(id AS BLOB), '+4915' || id, '+491', id, CASE WHEN id % 2 = 0 THEN CAST(id AS BLOB) END,
        'c', id, 1, 'x' FROM org_units;
    INSERT INTO bulks (tenant_id, id, uuid, org_unit_id, sender, style, group_ids, deliver_at, service, source,
        is_text_deleted, is_dry_run, status, work_at, actor_kind, version, created_at, modified_at, processed_at, text)
    SELECT tenant_id, id, CAST(id AS BLOB), id, 'M', 'braces', '', 0, 1, 0, 0, 0, 'completed',
        CASE WHEN id % 50 = 0 THEN id END, 0, 1, id, id, id, 'x' FROM org_units WHERE id % 3 = 0;
    INSERT INTO bulk_phones SELECT tenant_id, id, '+491' FROM bulks WHERE id % 2 = 0;
    INSERT INTO conversations (tenant_id, id, our_number, their_number, is_incoming, last_at, last_message, unread,
        responses_sum, responses, assigned_to, is_pinned, closed_at, version, started_at)
    SELECT tenant_id, id, '491', '4915' || id, 1, id, CAST(id AS BLOB), 1, 0, 0, id, 0, CASE WHEN id % 4 = 0 THEN id END, 1, id
    FROM org_units;
    INSERT INTO journal
    SELECT tenant_id, id % 10000 + 1, 0, 0, NULL, 0, 'unit.made', 'unit', id, 1, '{}', id FROM org_units;
    ANALYZE;
";
