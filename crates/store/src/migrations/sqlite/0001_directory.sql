-- Types are the portable ones: integers (also for booleans, codes and microseconds), text, bytes.
-- Integer primary keys are unique over all tenants, which gives SQLite its fastest look-up.

-- Global tables: tenants, login_claims, id_blocks, migrations, server_key, object_garbage, price_table, prices, carrier_parts.

CREATE TABLE tenants (
    id                INTEGER PRIMARY KEY,
    organization_id   BLOB    NOT NULL UNIQUE,
    name              TEXT    NOT NULL,
    country           TEXT    NOT NULL,
    currency          TEXT    NOT NULL,
    status            INTEGER NOT NULL,
    top_org_unit_id   INTEGER NOT NULL,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    modified_at       INTEGER NOT NULL,
    -- Which of the four prices it pays.
    tier              INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE login_claims (
    login_key         TEXT    PRIMARY KEY,
    tenant_id         INTEGER NOT NULL,
    user_id           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE id_blocks (
    kind              TEXT    PRIMARY KEY,
    next_id           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE server_key (
    only_row          INTEGER PRIMARY KEY CHECK (only_row = 1),
    fingerprint       BLOB    NOT NULL
) STRICT;

-- Objects beside the store that nothing refers to, and from when on they are removed. Of no tenant: it outlives them.
CREATE TABLE object_garbage (
    object_key        TEXT    PRIMARY KEY,
    due_at            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX object_garbage_due ON object_garbage (due_at);

-- What messages cost: the operator's table, which is loaded whole, as the next edition. Without the row there is none.
CREATE TABLE price_table (
    only_row          INTEGER PRIMARY KEY CHECK (only_row = 1),
    edition           INTEGER NOT NULL
) STRICT;

-- Prices are those of one part in the four tiers, in millionths of the currency's unit.
CREATE TABLE prices (
    edition           INTEGER NOT NULL,
    country           TEXT NOT NULL,
    currency          TEXT NOT NULL,
    name              TEXT NOT NULL,
    price_s           INTEGER NOT NULL,
    price_m           INTEGER NOT NULL,
    price_l           INTEGER NOT NULL,
    price_xl          INTEGER NOT NULL,
    requirements      TEXT,
    PRIMARY KEY (edition, country, currency)
) STRICT, WITHOUT ROWID;

-- What carriers have of messages, under ids of their own: a receipt does not say whose message it is about.
CREATE TABLE carrier_parts (
    carrier           TEXT NOT NULL,
    carrier_id        TEXT NOT NULL,
    tenant_id         INTEGER NOT NULL,
    message_id        BLOB NOT NULL,
    part              INTEGER NOT NULL,
    receipt           INTEGER NOT NULL,
    handed_over_at    INTEGER NOT NULL,
    PRIMARY KEY (carrier, carrier_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX carrier_parts_message ON carrier_parts (tenant_id, message_id, part);
CREATE INDEX carrier_parts_handed_over ON carrier_parts (handed_over_at);

-- Tables of tenants.

-- What a group of commits touches once per tenant: the journal's head, and counts that would else be a walk
-- over all rows.
CREATE TABLE tenant_state (
    tenant_id         INTEGER PRIMARY KEY REFERENCES tenants (id),
    journal_sequence  INTEGER NOT NULL DEFAULT 0,
    -- Entries up to this one were removed as too old; else an emptied journal could not be told from a trimmed one.
    journal_trimmed   INTEGER NOT NULL DEFAULT 0,
    tree_version      INTEGER NOT NULL DEFAULT 1,
    org_units         INTEGER NOT NULL DEFAULT 0,
    users_active      INTEGER NOT NULL DEFAULT 0,
    users_inactive    INTEGER NOT NULL DEFAULT 0,
    users_deleted     INTEGER NOT NULL DEFAULT 0,
    -- Without the deleted ones.
    user_groups       INTEGER NOT NULL DEFAULT 0,
    -- In millionths of the currency's unit, and how many movements have made it.
    balance           INTEGER NOT NULL DEFAULT 0,
    movements         INTEGER NOT NULL DEFAULT 0,
    messages          INTEGER NOT NULL DEFAULT 0,
    incomings         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE org_units (
    id                INTEGER PRIMARY KEY,
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    parent_id         INTEGER REFERENCES org_units (id),
    status            INTEGER NOT NULL,
    name              TEXT    NOT NULL,
    name_key          TEXT    NOT NULL,
    external_id       TEXT,
    billing_id        INTEGER,
    address           TEXT,
    city              TEXT,
    state             TEXT,
    zip               TEXT,
    phone_number      TEXT,
    industry_id       INTEGER,
    timezone          TEXT    NOT NULL,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    modified_at       INTEGER NOT NULL
) STRICT;

-- Walks down the tree read this index alone.
CREATE INDEX org_units_parent ON org_units (parent_id, tenant_id, status);
-- Lists of children, in their order.
CREATE INDEX org_units_children ON org_units (tenant_id, parent_id, name_key, id, status);
-- Active siblings have different names.
CREATE UNIQUE INDEX org_units_sibling_name ON org_units (tenant_id, parent_id, name_key) WHERE status = 1;
-- A tree has one top.
CREATE UNIQUE INDEX org_units_top ON org_units (tenant_id) WHERE parent_id IS NULL;

CREATE TABLE users (
    id                INTEGER PRIMARY KEY,
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    uuid              BLOB    NOT NULL,
    org_unit_id       INTEGER NOT NULL REFERENCES org_units (id),
    login             TEXT    NOT NULL,
    login_key         TEXT    NOT NULL,
    login_claimed     INTEGER NOT NULL,
    first_name        TEXT    NOT NULL,
    last_name         TEXT    NOT NULL,
    name_key          TEXT    NOT NULL,
    role              INTEGER NOT NULL,
    status            INTEGER NOT NULL,
    password_hash     TEXT,
    external_id       TEXT,
    timezone          TEXT    NOT NULL,
    aliases           TEXT,
    agent_ring_to     TEXT,
    agent_code        INTEGER,
    score_call        INTEGER NOT NULL,
    access_audio      INTEGER NOT NULL,
    group_access      INTEGER NOT NULL,
    report_access     INTEGER NOT NULL,
    avatar            TEXT,
    display_name_key  TEXT,
    -- Whether the login stands in for addresses, of which none was ever sent.
    login_is_email    INTEGER NOT NULL DEFAULT 0,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    modified_at       INTEGER NOT NULL,
    -- The last one, since it may be long: what a dialect keeps beside all this.
    document          TEXT
) STRICT;

-- Users of a unit, with what a list of a subtree is sorted by.
CREATE INDEX users_org_unit ON users (org_unit_id, tenant_id, status, created_at);
-- Lists of a whole tenant, in their orders. The status is there to tell who is passed over.
CREATE INDEX users_created ON users (tenant_id, created_at, id, status);
CREATE INDEX users_name ON users (tenant_id, name_key, id);
-- Who keeps a tenant governed: its active (status 1) admins (role 1).
CREATE INDEX users_admins ON users (tenant_id, org_unit_id) WHERE role = 1 AND status = 1;
CREATE UNIQUE INDEX users_uuid ON users (tenant_id, uuid);
-- A login stands once among the users of a tenant that are not deleted (status 3).
CREATE UNIQUE INDEX users_login ON users (tenant_id, login_key) WHERE status <> 3;
-- What users are looked up and sorted by.
CREATE INDEX users_display_name ON users (tenant_id, display_name_key, created_at, id) WHERE status <> 3;
CREATE INDEX users_modified ON users (tenant_id, modified_at, created_at, id) WHERE status <> 3;
CREATE INDEX users_external_id ON users (tenant_id, external_id) WHERE external_id IS NOT NULL;

-- Who is inactive (status 2), which few are; the others are found in any list.
CREATE INDEX users_inactive ON users (tenant_id, created_at, id) WHERE status = 2;

-- The addresses of users that were sent.
CREATE TABLE user_emails (
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    user_id           INTEGER NOT NULL REFERENCES users (id),
    email_key         TEXT NOT NULL,
    PRIMARY KEY (tenant_id, email_key, user_id)
) STRICT, WITHOUT ROWID;

-- Begins with what refers to users, so that a user can be removed without a look at all addresses.
CREATE INDEX user_emails_user ON user_emails (user_id, tenant_id);

CREATE TABLE user_groups (
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    id                BLOB    NOT NULL,
    name              TEXT    NOT NULL,
    name_key          TEXT    NOT NULL,
    description       TEXT,
    description_key   TEXT,
    external_id       TEXT,
    external_id_key   TEXT,
    -- A deleted group waits for the removal of its memberships, which nobody reads any more.
    deleted           INTEGER NOT NULL DEFAULT 0,
    members           INTEGER NOT NULL DEFAULT 0,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    modified_at       INTEGER NOT NULL,
    -- The last one, since it may be long.
    extra_fields      TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT;

-- Lists in their order.
CREATE INDEX user_groups_created ON user_groups (tenant_id, created_at, id) WHERE deleted = 0;
CREATE INDEX user_groups_name ON user_groups (tenant_id, name_key) WHERE deleted = 0;
CREATE INDEX user_groups_modified ON user_groups (tenant_id, modified_at, created_at, id) WHERE deleted = 0;
CREATE INDEX user_groups_garbage ON user_groups (tenant_id) WHERE deleted = 1;
-- An external id stands once in a tenant.
CREATE UNIQUE INDEX user_groups_external_id ON user_groups (tenant_id, external_id_key)
    WHERE deleted = 0 AND external_id_key IS NOT NULL;

CREATE TABLE user_group_members (
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    group_id          BLOB    NOT NULL,
    user_id           INTEGER NOT NULL REFERENCES users (id),
    is_primary        INTEGER NOT NULL,
    since             INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, group_id, user_id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES user_groups (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The groups of a user in their order. Begins with what refers to users, so that a user can be removed without a look at all members.
CREATE INDEX user_group_members_user ON user_group_members (user_id, tenant_id, is_primary DESC, since, group_id);
-- At most one group of a user is its primary one.
CREATE UNIQUE INDEX user_group_members_primary ON user_group_members (tenant_id, user_id) WHERE is_primary = 1;

CREATE TABLE contact_groups (
    id                INTEGER PRIMARY KEY,
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    name              TEXT    NOT NULL,
    description       TEXT,
    name_a            TEXT,
    name_b            TEXT,
    name_c            TEXT,
    name_d            TEXT,
    name_e            TEXT,
    expires_at        INTEGER,
    deleted           INTEGER NOT NULL DEFAULT 0,
    -- What is kept of the list: how many contacts, a number that goes up when a phone comes or goes, and the edition
    -- to which they belong. Contacts of earlier editions, from oldest_edition on, wait for their removal.
    contacts          INTEGER NOT NULL DEFAULT 0,
    contacts_version  INTEGER NOT NULL DEFAULT 1,
    edition           INTEGER NOT NULL DEFAULT 1,
    oldest_edition    INTEGER NOT NULL DEFAULT 1,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    modified_at       INTEGER NOT NULL
) STRICT;

CREATE INDEX contact_groups_tenant ON contact_groups (tenant_id, id);
-- What has to be removed.
CREATE INDEX contact_groups_expiry ON contact_groups (tenant_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX contact_groups_garbage ON contact_groups (tenant_id)
    WHERE deleted = 1 OR oldest_edition < edition;

CREATE TABLE contacts (
    id                INTEGER PRIMARY KEY,
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    group_id          INTEGER NOT NULL REFERENCES contact_groups (id),
    edition           INTEGER NOT NULL,
    phone             TEXT    NOT NULL,
    a                 TEXT,
    b                 TEXT,
    c                 TEXT,
    d                 TEXT,
    e                 TEXT,
    callback_data     TEXT,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    modified_at       INTEGER NOT NULL
) STRICT;

-- Lists in their order. Begins with what refers to groups, so that a group can be removed without a look at all
-- contacts.
CREATE INDEX contacts_group ON contacts (group_id, tenant_id, edition, id);
-- A number stands once in a list.
CREATE UNIQUE INDEX contacts_phone ON contacts (tenant_id, group_id, edition, phone);

CREATE TABLE tags (
    id                INTEGER PRIMARY KEY,
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    org_unit_id       INTEGER NOT NULL REFERENCES org_units (id),
    name              TEXT    NOT NULL,
    name_key          TEXT    NOT NULL,
    color             TEXT,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    modified_at       INTEGER NOT NULL
) STRICT;

-- Lists in their order.
CREATE INDEX tags_list ON tags (tenant_id, name_key, id);
-- The tags of a unit. Begins with what refers to units, so that a unit can be removed without a look at all tags.
CREATE INDEX tags_org_unit ON tags (org_unit_id, tenant_id);
-- Tags of a unit have different names.
CREATE UNIQUE INDEX tags_name ON tags (tenant_id, org_unit_id, name_key);

CREATE TABLE media_prompts (
    id                INTEGER PRIMARY KEY,
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    org_unit_id       INTEGER NOT NULL REFERENCES org_units (id),
    name              TEXT    NOT NULL,
    message_type      INTEGER NOT NULL,
    file_name         TEXT    NOT NULL,
    kind              INTEGER NOT NULL,
    size              INTEGER NOT NULL,
    duration_ms       INTEGER,
    checksum          BLOB    NOT NULL,
    object_key        TEXT    NOT NULL,
    created_at        INTEGER NOT NULL
) STRICT;

-- Lists in their order.
CREATE INDEX media_prompts_created ON media_prompts (tenant_id, created_at, id);
-- The prompts of a unit. Begins with what refers to units, so that a unit can be removed without a look at all prompts.
CREATE INDEX media_prompts_org_unit ON media_prompts (org_unit_id, tenant_id);

CREATE TABLE credentials (
    id                INTEGER PRIMARY KEY,
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    dialect           INTEGER NOT NULL,
    name              TEXT    NOT NULL,
    public_id         TEXT,
    secret_hash       BLOB,
    secret_sealed     BLOB,
    read_only         INTEGER NOT NULL,
    expires_at        INTEGER,
    revoked_at        INTEGER,
    created_at        INTEGER NOT NULL,
    last_used_at      INTEGER,
    profile           INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX credentials_tenant ON credentials (tenant_id, id);
CREATE UNIQUE INDEX credentials_secret ON credentials (tenant_id, dialect, secret_hash);
-- Who signs requests is found by what it sends beside the signature.
CREATE UNIQUE INDEX credentials_access_key ON credentials (tenant_id, dialect, public_id)
    WHERE secret_sealed IS NOT NULL;

CREATE TABLE session_tokens (
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    hash              BLOB    NOT NULL,
    kind              INTEGER NOT NULL,
    family            BLOB    NOT NULL,
    user_id           INTEGER NOT NULL REFERENCES users (id),
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER NOT NULL,
    retired_at        INTEGER,
    PRIMARY KEY (tenant_id, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_tokens_family ON session_tokens (tenant_id, family);
-- Begins with what refers to users, so that a user can be removed without a look at all tokens.
CREATE INDEX session_tokens_user ON session_tokens (user_id, tenant_id);
CREATE INDEX session_tokens_expiry ON session_tokens (tenant_id, expires_at);

CREATE TABLE webhooks (
    id                   INTEGER NOT NULL,
    tenant_id            INTEGER NOT NULL REFERENCES tenants (id),
    org_unit_id          INTEGER NOT NULL REFERENCES org_units (id),
    name                 TEXT NOT NULL,
    url                  TEXT NOT NULL,
    events               TEXT NOT NULL,
    static_parameters    TEXT NOT NULL,
    format               INTEGER NOT NULL,
    status               INTEGER NOT NULL,
    include_sub_groups   INTEGER NOT NULL,
    secret_sealed        BLOB NOT NULL,
    old_secret_sealed    BLOB,
    old_secret_until     INTEGER,
    version              INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    modified_at          INTEGER NOT NULL,
    deleted              INTEGER NOT NULL DEFAULT 0,
    -- The last journal entry of which the deliveries were made.
    journal_cursor       INTEGER NOT NULL,
    last_delivery_at     INTEGER,
    last_status          INTEGER,
    consecutive_failures INTEGER NOT NULL DEFAULT 0,
    failing_since        INTEGER,
    -- Who sends for it, and until when nobody else may.
    lease_owner          BLOB,
    lease_until          INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Begins with what refers to units, so that a unit can be removed without a look at all webhooks.
CREATE INDEX webhooks_unit ON webhooks (org_unit_id, tenant_id);

CREATE TABLE webhook_deliveries (
    tenant_id         INTEGER NOT NULL,
    webhook_id        INTEGER NOT NULL,
    -- From the place of the event in the journal, so that it orders them.
    id                INTEGER NOT NULL,
    event             TEXT NOT NULL,
    entity            TEXT NOT NULL,
    at                INTEGER NOT NULL,
    state             INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    next_at           INTEGER,
    attempted_at      INTEGER,
    duration          INTEGER,
    status            INTEGER,
    answer            TEXT,
    problem           TEXT,
    PRIMARY KEY (tenant_id, webhook_id, id),
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- What is to be sent, and what was given up: few among many. When the next is due is asked for often.
CREATE INDEX webhook_deliveries_open ON webhook_deliveries (tenant_id, webhook_id, id) WHERE state = 0;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant_id, webhook_id, next_at) WHERE state = 0;
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (tenant_id, webhook_id, id) WHERE state = 2;

-- What was given to and taken from a tenant's balance; the sum of all is the balance that its state keeps.
CREATE TABLE movements (
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    -- From 1, without gaps.
    id                INTEGER NOT NULL,
    at                INTEGER NOT NULL,
    amount            INTEGER NOT NULL,
    -- After it.
    balance           INTEGER NOT NULL,
    reason            TEXT NOT NULL,
    note              TEXT,
    message_id        BLOB,
    bulk_id           INTEGER,
    messages          INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocked_numbers (
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    id                INTEGER NOT NULL,
    number            TEXT NOT NULL,
    added_by          INTEGER NOT NULL,
    added_at          INTEGER NOT NULL,
    version           INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- A number stands once in a list.
CREATE UNIQUE INDEX blocked_numbers_number ON blocked_numbers (tenant_id, number);
-- Lists in their order.
CREATE INDEX blocked_numbers_added ON blocked_numbers (tenant_id, added_at, id);

-- Messages to phones. A time that is not there is 0, so that lists are sorted by it.
-- No foreign key: for a bulk it would be looked at a million times. Who writes messages counts them in the tenant's state, and is
-- refused when that is gone.
CREATE TABLE messages (
    tenant_id         INTEGER NOT NULL,
    id                BLOB NOT NULL,
    sender            TEXT NOT NULL,
    phone             TEXT NOT NULL,
    country           TEXT,
    is_unicode        INTEGER NOT NULL,
    chars_count       INTEGER NOT NULL,
    parts_count       INTEGER NOT NULL,
    service           INTEGER NOT NULL,
    source            INTEGER NOT NULL,
    voice_lang        TEXT,
    is_text_deleted   INTEGER NOT NULL,
    callback_data     TEXT,
    deliver_at        INTEGER NOT NULL,
    status            INTEGER NOT NULL,
    receipt           INTEGER NOT NULL,
    handed_over_at    INTEGER NOT NULL,
    price             INTEGER NOT NULL,
    bulk_id           INTEGER,
    bulk_uuid         BLOB,
    actor_kind        INTEGER NOT NULL,
    actor_id          INTEGER,
    ip                TEXT,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    -- The last one, since it may be long.
    text              TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- Lists in their orders.
CREATE INDEX messages_created ON messages (tenant_id, created_at, id);
CREATE INDEX messages_handed_over ON messages (tenant_id, handed_over_at, id);
-- What is looked up: the last one to a phone, those of a bulk, and by the customer's own reference.
CREATE INDEX messages_phone ON messages (tenant_id, phone, created_at, id);
CREATE INDEX messages_bulk ON messages (tenant_id, bulk_uuid, created_at, id) WHERE bulk_uuid IS NOT NULL;
CREATE INDEX messages_callback ON messages (tenant_id, callback_data, created_at, id) WHERE callback_data IS NOT NULL;

-- What waits to be handed over: a row for each message that is new (status 0), beside it, since it changes often. No
-- foreign key either: it would be looked at, and in PostgreSQL locked, for each of a million. The doctor looks.
CREATE TABLE message_queue (
    tenant_id         INTEGER NOT NULL,
    message_id        BLOB NOT NULL,
    -- The bulk that it is of, 0 for single ones: what is not sent now is passed over whole.
    lane              INTEGER NOT NULL,
    due_at            INTEGER NOT NULL,
    -- Who hands it over, and until when that is not called in question; after that nobody knows what became of it.
    claim             BLOB,
    claim_until       INTEGER,
    PRIMARY KEY (tenant_id, message_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_queue_due ON message_queue (tenant_id, lane, due_at, message_id) WHERE claim IS NULL;
CREATE INDEX message_queue_claims ON message_queue (tenant_id, claim) WHERE claim IS NOT NULL;
CREATE INDEX message_queue_lost ON message_queue (tenant_id, claim_until) WHERE claim IS NOT NULL;

-- One text to many. A time that is not there is 0, so that lists are sorted by it. Counts and cost are added to by whatever
-- changes messages; the recipients, which may be long, stand elsewhere.
CREATE TABLE bulks (
    id                INTEGER PRIMARY KEY,
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    uuid              BLOB NOT NULL,
    org_unit_id       INTEGER NOT NULL REFERENCES org_units (id),
    name              TEXT,
    name_key          TEXT,
    sender            TEXT NOT NULL,
    style             TEXT NOT NULL,
    is_unicode        INTEGER,
    group_ids         TEXT NOT NULL,
    deliver_at        INTEGER NOT NULL,
    window_from       TEXT,
    window_to         TEXT,
    window_zone       TEXT,
    service           INTEGER NOT NULL,
    source            INTEGER NOT NULL,
    voice_lang        TEXT,
    is_text_deleted   INTEGER NOT NULL,
    is_dry_run        INTEGER NOT NULL,
    status            TEXT NOT NULL,
    -- What waits of a deleted one is stopped before its row is removed.
    deleted           INTEGER NOT NULL DEFAULT 0,
    queued            INTEGER NOT NULL DEFAULT 0,
    sent              INTEGER NOT NULL DEFAULT 0,
    delivered         INTEGER NOT NULL DEFAULT 0,
    failed            INTEGER NOT NULL DEFAULT 0,
    skipped           INTEGER NOT NULL DEFAULT 0,
    invalid           INTEGER NOT NULL DEFAULT 0,
    cost              INTEGER NOT NULL DEFAULT 0,
    -- How far its recipients are expanded: up to this number.
    expansion         TEXT NOT NULL DEFAULT '',
    -- From when on something is to be done about it.
    work_at           INTEGER,
    actor_kind        INTEGER NOT NULL,
    actor_id          INTEGER,
    ip                TEXT,
    version           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    modified_at       INTEGER NOT NULL,
    processed_at      INTEGER NOT NULL,
    text              TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX bulks_uuid ON bulks (tenant_id, uuid);
-- Lists in their order.
CREATE INDEX bulks_created ON bulks (tenant_id, created_at, id) WHERE deleted = 0;
-- The bulks of a unit. Begins with what refers to units, so that a unit can be removed without a look at all bulks.
CREATE INDEX bulks_org_unit ON bulks (org_unit_id, tenant_id);
-- What is to be done, which is little among much.
CREATE INDEX bulks_work ON bulks (tenant_id, work_at, id) WHERE work_at IS NOT NULL;

-- The single numbers of a bulk, all in one text.
CREATE TABLE bulk_phones (
    tenant_id         INTEGER NOT NULL,
    bulk_id           INTEGER NOT NULL,
    phones            TEXT NOT NULL,
    PRIMARY KEY (tenant_id, bulk_id)
) STRICT, WITHOUT ROWID;

-- Messages from phones.
CREATE TABLE incomings (
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    id                BLOB NOT NULL,
    sender            TEXT NOT NULL,
    recipient         TEXT NOT NULL,
    received_at       INTEGER NOT NULL,
    -- The message that it answers, also when that is gone.
    answers           BLOB,
    carrier           TEXT NOT NULL,
    carrier_id        TEXT,
    version           INTEGER NOT NULL,
    text              TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The thread with a sender. Begins with it, so that lists of all are not tempted to go by it.
CREATE INDEX incomings_sender ON incomings (sender, tenant_id);
-- What a carrier brings again is there once.
CREATE UNIQUE INDEX incomings_carrier ON incomings (tenant_id, carrier, carrier_id);
-- Lists in their order.
CREATE INDEX incomings_received ON incomings (tenant_id, received_at, id);
CREATE INDEX incomings_answers ON incomings (tenant_id, answers, received_at, id) WHERE answers IS NOT NULL;

-- The threads between numbers of ours and others, digits only. Their texts are those of the messages.
CREATE TABLE conversations (
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    id                INTEGER NOT NULL,
    our_number        TEXT NOT NULL,
    their_number      TEXT NOT NULL,
    -- The last message: whether it is one of theirs, when it came, and which one, also when that is gone.
    is_incoming       INTEGER NOT NULL,
    last_at           INTEGER NOT NULL,
    last_message      BLOB NOT NULL,
    unread            INTEGER NOT NULL,
    first_response    INTEGER,
    responses_sum     INTEGER NOT NULL,
    responses         INTEGER NOT NULL,
    waiting_since     INTEGER,
    assigned_to       INTEGER,
    is_pinned         INTEGER NOT NULL,
    closed_at         INTEGER,
    version           INTEGER NOT NULL,
    started_at        INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- One for each pair.
CREATE UNIQUE INDEX conversations_numbers ON conversations (tenant_id, our_number, their_number);
-- Lists in their order.
CREATE INDEX conversations_open ON conversations (tenant_id, last_at, id) WHERE closed_at IS NULL;
CREATE INDEX conversations_closed ON conversations (tenant_id, last_at, id) WHERE closed_at IS NOT NULL;

CREATE TABLE journal (
    tenant_id         INTEGER NOT NULL REFERENCES tenants (id),
    sequence          INTEGER NOT NULL,
    at                INTEGER NOT NULL,
    actor_kind        INTEGER NOT NULL,
    actor_id          INTEGER,
    dialect           INTEGER NOT NULL,
    kind              TEXT    NOT NULL,
    entity            TEXT    NOT NULL,
    entity_id         TEXT    NOT NULL,
    version           INTEGER NOT NULL,
    payload           TEXT    NOT NULL,
    -- The unit that the entity is or is in.
    org_unit_id       INTEGER,
    PRIMARY KEY (tenant_id, sequence)
) STRICT, WITHOUT ROWID;

-- What is said of a person can be forgotten.
CREATE INDEX journal_users ON journal (tenant_id, entity_id) WHERE entity = 'user';

-- What the planner shall take for granted, whatever a store holds today: without statistics it would
-- find the tokens of a family by reading all tokens of the tenant. Statistics are never taken, so plans
-- do not change as a store grows.
ANALYZE;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('session_tokens', 'session_tokens', '1000000 10000 1'),
    ('session_tokens', 'session_tokens_family', '1000000 10000 4 1'),
    ('session_tokens', 'session_tokens_user', '1000000 10 10 1'),
    ('session_tokens', 'session_tokens_expiry', '1000000 10000 1 1'),
    ('users', 'users_created', '1000000 10000 1 1 1'),
    ('users', 'users_name', '1000000 10000 2 1'),
    ('users', 'users_uuid', '1000000 10000 1'),
    ('users', 'users_login', '1000000 10000 1'),
    ('users', 'users_display_name', '1000000 10000 2 1 1'),
    ('users', 'users_modified', '1000000 10000 2 1 1'),
    ('users', 'users_external_id', '1000000 10000 1'),
    ('users', 'users_inactive', '50000 500 1 1'),
    ('users', 'users_admins', '10000 100 2'),
    ('users', 'users_org_unit', '1000000 10 10 10 1'),
    ('user_emails', 'user_emails', '1000000 10000 1 1'),
    ('user_emails', 'user_emails_user', '1000000 2 2'),
    ('user_groups', 'sqlite_autoindex_user_groups_1', '100000 1000 1'),
    ('user_groups', 'user_groups_created', '100000 1000 1 1'),
    ('user_groups', 'user_groups_name', '100000 1000 2'),
    ('user_groups', 'user_groups_modified', '100000 1000 2 1 1'),
    ('user_groups', 'user_groups_external_id', '100000 1000 1'),
    ('user_groups', 'user_groups_garbage', '100 1'),
    ('user_group_members', 'user_group_members', '1000000 10000 1000 1'),
    ('user_group_members', 'user_group_members_user', '1000000 2 2 2 1 1'),
    ('webhooks', 'webhooks', '1000 10 1'),
    ('webhooks', 'webhooks_unit', '1000 2 2 1'),
    ('webhook_deliveries', 'webhook_deliveries', '1000000 100000 10000 1'),
    ('webhook_deliveries', 'webhook_deliveries_open', '1000 100 10 1'),
    ('webhook_deliveries', 'webhook_deliveries_due', '1000 100 10 1'),
    ('webhook_deliveries', 'webhook_deliveries_failed', '1000 100 10 1'),
    ('messages', 'messages', '1000000 100000 1'),
    ('messages', 'messages_created', '1000000 100000 1 1'),
    ('messages', 'messages_handed_over', '1000000 100000 2 1'),
    ('messages', 'messages_phone', '1000000 100000 4 1 1'),
    ('messages', 'messages_bulk', '500000 50000 1000 1 1'),
    ('messages', 'messages_callback', '500000 50000 2 1 1'),
    ('carrier_parts', 'carrier_parts', '1000000 500000 1'),
    ('carrier_parts', 'carrier_parts_message', '1000000 100000 2 1'),
    ('carrier_parts', 'carrier_parts_handed_over', '1000000 2'),
    ('incomings', 'incomings', '100000 10000 1'),
    ('incomings', 'incomings_carrier', '100000 10000 5000 1'),
    ('incomings', 'incomings_received', '100000 10000 1 1'),
    ('incomings', 'incomings_answers', '100000 10000 2 1 1'),
    ('message_queue', 'message_queue', '10000 1000 1'),
    ('message_queue', 'message_queue_due', '10000 1000 100 2 1'),
    ('message_queue', 'message_queue_claims', '1000 100 50'),
    ('message_queue', 'message_queue_lost', '1000 100 50'),
    ('contacts', 'contacts_group', '1000000 1000 1000 1000 1'),
    ('contacts', 'contacts_phone', '1000000 10000 1000 1000 1');
ANALYZE sqlite_schema;
