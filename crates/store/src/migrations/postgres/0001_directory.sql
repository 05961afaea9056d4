-- Types are the portable ones: integers (also for booleans, codes and microseconds), text, bytes.
-- Text is compared by its bytes, as in SQLite, so that orders and pages agree.
-- Every primary key and unique index of a tenant's table begins with the tenant, and rows refer to rows of
-- their own tenant only: the tables can be distributed by it.

-- Global tables: tenants, login_claims, id_blocks, migrations, server_key, object_garbage, price_table, prices, carrier_parts.

CREATE TABLE tenants (
    id                BIGINT PRIMARY KEY,
    organization_id   BYTEA NOT NULL UNIQUE,
    name              TEXT COLLATE "C" NOT NULL,
    country           TEXT COLLATE "C" NOT NULL,
    currency          TEXT COLLATE "C" NOT NULL,
    status            BIGINT NOT NULL,
    top_org_unit_id   BIGINT NOT NULL,
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    modified_at       BIGINT NOT NULL,
    -- Which of the four prices it pays.
    tier              BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE login_claims (
    login_key         TEXT COLLATE "C" PRIMARY KEY,
    tenant_id         BIGINT NOT NULL,
    user_id           BIGINT NOT NULL
);

CREATE TABLE id_blocks (
    kind              TEXT COLLATE "C" PRIMARY KEY,
    next_id           BIGINT NOT NULL
);

CREATE TABLE server_key (
    only_row          BIGINT PRIMARY KEY CHECK (only_row = 1),
    fingerprint       BYTEA NOT NULL
);

-- Objects beside the store that nothing refers to, and from when on they are removed. Of no tenant: it outlives them.
CREATE TABLE object_garbage (
    object_key        TEXT COLLATE "C" PRIMARY KEY,
    due_at            BIGINT NOT NULL
);

CREATE INDEX object_garbage_due ON object_garbage (due_at);

-- What messages cost: the operator's table, which is loaded whole, as the next edition. Without the row there is none.
CREATE TABLE price_table (
    only_row          BIGINT PRIMARY KEY CHECK (only_row = 1),
    edition           BIGINT NOT NULL
);

-- Prices are those of one part in the four tiers, in millionths of the currency's unit.
CREATE TABLE prices (
    edition           BIGINT NOT NULL,
    country           TEXT COLLATE "C" NOT NULL,
    currency          TEXT COLLATE "C" NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    price_s           BIGINT NOT NULL,
    price_m           BIGINT NOT NULL,
    price_l           BIGINT NOT NULL,
    price_xl          BIGINT NOT NULL,
    requirements      TEXT COLLATE "C",
    PRIMARY KEY (edition, country, currency)
);

-- What carriers have of messages, under ids of their own: a receipt does not say whose message it is about. Half of each page is left
-- for receipts: a row that stays on its page is not written into indexes again.
CREATE TABLE carrier_parts (
    carrier           TEXT COLLATE "C" NOT NULL,
    carrier_id        TEXT COLLATE "C" NOT NULL,
    tenant_id         BIGINT NOT NULL,
    message_id        BYTEA NOT NULL,
    part              BIGINT NOT NULL,
    receipt           BIGINT NOT NULL,
    handed_over_at    BIGINT NOT NULL,
    PRIMARY KEY (carrier, carrier_id)
) WITH (fillfactor = 50);

CREATE INDEX carrier_parts_message ON carrier_parts (tenant_id, message_id, part);
CREATE INDEX carrier_parts_handed_over ON carrier_parts (handed_over_at);

-- Tables of tenants.

-- What a group of commits touches once per tenant: the journal's head, and counts that would else be a walk
-- over all rows.
CREATE TABLE tenant_state (
    tenant_id         BIGINT PRIMARY KEY REFERENCES tenants (id),
    journal_sequence  BIGINT NOT NULL DEFAULT 0,
    -- Entries up to this one were removed as too old; else an emptied journal could not be told from a trimmed one.
    journal_trimmed   BIGINT NOT NULL DEFAULT 0,
    tree_version      BIGINT NOT NULL DEFAULT 1,
    org_units         BIGINT NOT NULL DEFAULT 0,
    users_active      BIGINT NOT NULL DEFAULT 0,
    users_inactive    BIGINT NOT NULL DEFAULT 0,
    users_deleted     BIGINT NOT NULL DEFAULT 0,
    -- Without the deleted ones.
    user_groups       BIGINT NOT NULL DEFAULT 0,
    -- In millionths of the currency's unit, and how many movements have made it.
    balance           BIGINT NOT NULL DEFAULT 0,
    movements         BIGINT NOT NULL DEFAULT 0,
    messages          BIGINT NOT NULL DEFAULT 0,
    incomings         BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE org_units (
    id                BIGINT NOT NULL,
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    parent_id         BIGINT,
    status            BIGINT NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    name_key          TEXT COLLATE "C" NOT NULL,
    external_id       TEXT COLLATE "C",
    billing_id        BIGINT,
    address           TEXT COLLATE "C",
    city              TEXT COLLATE "C",
    state             TEXT COLLATE "C",
    zip               TEXT COLLATE "C",
    phone_number      TEXT COLLATE "C",
    industry_id       BIGINT,
    timezone          TEXT COLLATE "C" NOT NULL,
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    modified_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, parent_id) REFERENCES org_units (tenant_id, id)
);

-- Walks down the tree read this index alone.
CREATE INDEX org_units_parent ON org_units (parent_id, tenant_id, status);
-- Lists of children, in their order.
CREATE INDEX org_units_children ON org_units (tenant_id, parent_id, name_key, id, status);
-- Active siblings have different names.
CREATE UNIQUE INDEX org_units_sibling_name ON org_units (tenant_id, parent_id, name_key) WHERE status = 1;
-- A tree has one top.
CREATE UNIQUE INDEX org_units_top ON org_units (tenant_id) WHERE parent_id IS NULL;

CREATE TABLE users (
    id                BIGINT NOT NULL,
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    uuid              BYTEA NOT NULL,
    org_unit_id       BIGINT NOT NULL,
    login             TEXT COLLATE "C" NOT NULL,
    login_key         TEXT COLLATE "C" NOT NULL,
    login_claimed     BIGINT NOT NULL,
    first_name        TEXT COLLATE "C" NOT NULL,
    last_name         TEXT COLLATE "C" NOT NULL,
    name_key          TEXT COLLATE "C" NOT NULL,
    role              BIGINT NOT NULL,
    status            BIGINT NOT NULL,
    password_hash     TEXT COLLATE "C",
    external_id       TEXT COLLATE "C",
    timezone          TEXT COLLATE "C" NOT NULL,
    aliases           TEXT COLLATE "C",
    agent_ring_to     TEXT COLLATE "C",
    agent_code        BIGINT,
    score_call        BIGINT NOT NULL,
    access_audio      BIGINT NOT NULL,
    group_access      BIGINT NOT NULL,
    report_access     BIGINT NOT NULL,
    avatar            TEXT COLLATE "C",
    display_name_key  TEXT COLLATE "C",
    -- Whether the login stands in for addresses, of which none was ever sent.
    login_is_email    BIGINT NOT NULL DEFAULT 0,
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    modified_at       BIGINT NOT NULL,
    -- The last one, since it may be long: what a dialect keeps beside all this.
    document          TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, org_unit_id) REFERENCES org_units (tenant_id, id)
);

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
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    user_id           BIGINT NOT NULL,
    email_key         TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, email_key, user_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

-- Begins with what refers to users, so that a user can be removed without a look at all addresses.
CREATE INDEX user_emails_user ON user_emails (user_id, tenant_id);

CREATE TABLE user_groups (
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    id                BYTEA NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    name_key          TEXT COLLATE "C" NOT NULL,
    description       TEXT COLLATE "C",
    description_key   TEXT COLLATE "C",
    external_id       TEXT COLLATE "C",
    external_id_key   TEXT COLLATE "C",
    -- A deleted group waits for the removal of its memberships, which nobody reads any more.
    deleted           BIGINT NOT NULL DEFAULT 0,
    members           BIGINT NOT NULL DEFAULT 0,
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    modified_at       BIGINT NOT NULL,
    -- The last one, since it may be long.
    extra_fields      TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, id)
);

-- Lists in their order.
CREATE INDEX user_groups_created ON user_groups (tenant_id, created_at, id) WHERE deleted = 0;
CREATE INDEX user_groups_name ON user_groups (tenant_id, name_key) WHERE deleted = 0;
CREATE INDEX user_groups_modified ON user_groups (tenant_id, modified_at, created_at, id) WHERE deleted = 0;
CREATE INDEX user_groups_garbage ON user_groups (tenant_id) WHERE deleted = 1;
-- An external id stands once in a tenant.
CREATE UNIQUE INDEX user_groups_external_id ON user_groups (tenant_id, external_id_key)
    WHERE deleted = 0 AND external_id_key IS NOT NULL;

CREATE TABLE user_group_members (
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    group_id          BYTEA NOT NULL,
    user_id           BIGINT NOT NULL,
    is_primary        BIGINT NOT NULL,
    since             BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, group_id, user_id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES user_groups (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

-- The groups of a user in their order. Begins with what refers to users, so that a user can be removed without a look at all members.
CREATE INDEX user_group_members_user ON user_group_members (user_id, tenant_id, is_primary DESC, since, group_id);
-- At most one group of a user is its primary one.
CREATE UNIQUE INDEX user_group_members_primary ON user_group_members (tenant_id, user_id) WHERE is_primary = 1;

CREATE TABLE contact_groups (
    id                BIGINT NOT NULL,
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    name              TEXT COLLATE "C" NOT NULL,
    description       TEXT COLLATE "C",
    name_a            TEXT COLLATE "C",
    name_b            TEXT COLLATE "C",
    name_c            TEXT COLLATE "C",
    name_d            TEXT COLLATE "C",
    name_e            TEXT COLLATE "C",
    expires_at        BIGINT,
    deleted           BIGINT NOT NULL DEFAULT 0,
    -- What is kept of the list: how many contacts, a number that goes up when a phone comes or goes, and the edition
    -- to which they belong. Contacts of earlier editions, from oldest_edition on, wait for their removal.
    contacts          BIGINT NOT NULL DEFAULT 0,
    contacts_version  BIGINT NOT NULL DEFAULT 1,
    edition           BIGINT NOT NULL DEFAULT 1,
    oldest_edition    BIGINT NOT NULL DEFAULT 1,
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    modified_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- What has to be removed.
CREATE INDEX contact_groups_expiry ON contact_groups (tenant_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX contact_groups_garbage ON contact_groups (tenant_id)
    WHERE deleted = 1 OR oldest_edition < edition;

CREATE TABLE contacts (
    id                BIGINT NOT NULL,
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    group_id          BIGINT NOT NULL,
    edition           BIGINT NOT NULL,
    phone             TEXT COLLATE "C" NOT NULL,
    a                 TEXT COLLATE "C",
    b                 TEXT COLLATE "C",
    c                 TEXT COLLATE "C",
    d                 TEXT COLLATE "C",
    e                 TEXT COLLATE "C",
    callback_data     TEXT COLLATE "C",
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    modified_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, group_id) REFERENCES contact_groups (tenant_id, id)
);

-- Lists in their order. Begins with what refers to groups, so that a group can be removed without a look at all
-- contacts.
CREATE INDEX contacts_group ON contacts (group_id, tenant_id, edition, id);
-- A number stands once in a list.
CREATE UNIQUE INDEX contacts_phone ON contacts (tenant_id, group_id, edition, phone);

CREATE TABLE tags (
    id                BIGINT NOT NULL,
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    org_unit_id       BIGINT NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    name_key          TEXT COLLATE "C" NOT NULL,
    color             TEXT COLLATE "C",
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    modified_at       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, org_unit_id) REFERENCES org_units (tenant_id, id)
);

-- Lists in their order.
CREATE INDEX tags_list ON tags (tenant_id, name_key, id);
-- The tags of a unit. Begins with what refers to units, so that a unit can be removed without a look at all tags.
CREATE INDEX tags_org_unit ON tags (org_unit_id, tenant_id);
-- Tags of a unit have different names.
CREATE UNIQUE INDEX tags_name ON tags (tenant_id, org_unit_id, name_key);

CREATE TABLE media_prompts (
    id                BIGINT NOT NULL,
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    org_unit_id       BIGINT NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    message_type      BIGINT NOT NULL,
    file_name         TEXT COLLATE "C" NOT NULL,
    kind              BIGINT NOT NULL,
    size              BIGINT NOT NULL,
    duration_ms       BIGINT,
    checksum          BYTEA NOT NULL,
    object_key        TEXT COLLATE "C" NOT NULL,
    created_at        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, org_unit_id) REFERENCES org_units (tenant_id, id)
);

-- Lists in their order.
CREATE INDEX media_prompts_created ON media_prompts (tenant_id, created_at, id);
-- The prompts of a unit. Begins with what refers to units, so that a unit can be removed without a look at all prompts.
CREATE INDEX media_prompts_org_unit ON media_prompts (org_unit_id, tenant_id);

CREATE TABLE credentials (
    id                BIGINT NOT NULL,
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    dialect           BIGINT NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    public_id         TEXT COLLATE "C",
    secret_hash       BYTEA,
    secret_sealed     BYTEA,
    read_only         BIGINT NOT NULL,
    expires_at        BIGINT,
    revoked_at        BIGINT,
    created_at        BIGINT NOT NULL,
    last_used_at      BIGINT,
    profile           BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, id)
);

CREATE UNIQUE INDEX credentials_secret ON credentials (tenant_id, dialect, secret_hash);
-- Who signs requests is found by what it sends beside the signature.
CREATE UNIQUE INDEX credentials_access_key ON credentials (tenant_id, dialect, public_id)
    WHERE secret_sealed IS NOT NULL;

CREATE TABLE session_tokens (
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    hash              BYTEA NOT NULL,
    kind              BIGINT NOT NULL,
    family            BYTEA NOT NULL,
    user_id           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT NOT NULL,
    retired_at        BIGINT,
    PRIMARY KEY (tenant_id, hash),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);

CREATE INDEX session_tokens_family ON session_tokens (tenant_id, family);
-- Begins with what refers to users, so that a user can be removed without a look at all tokens.
CREATE INDEX session_tokens_user ON session_tokens (user_id, tenant_id);
CREATE INDEX session_tokens_expiry ON session_tokens (tenant_id, expires_at);

CREATE TABLE webhooks (
    id                   BIGINT NOT NULL,
    tenant_id            BIGINT NOT NULL REFERENCES tenants (id),
    org_unit_id          BIGINT NOT NULL,
    name                 TEXT COLLATE "C" NOT NULL,
    url                  TEXT COLLATE "C" NOT NULL,
    events               TEXT COLLATE "C" NOT NULL,
    static_parameters    TEXT COLLATE "C" NOT NULL,
    format               BIGINT NOT NULL,
    status               BIGINT NOT NULL,
    include_sub_groups   BIGINT NOT NULL,
    secret_sealed        BYTEA NOT NULL,
    old_secret_sealed    BYTEA,
    old_secret_until     BIGINT,
    version              BIGINT NOT NULL,
    created_at           BIGINT NOT NULL,
    modified_at          BIGINT NOT NULL,
    deleted              BIGINT NOT NULL DEFAULT 0,
    -- The last journal entry of which the deliveries were made.
    journal_cursor       BIGINT NOT NULL,
    last_delivery_at     BIGINT,
    last_status          BIGINT,
    consecutive_failures BIGINT NOT NULL DEFAULT 0,
    failing_since        BIGINT,
    -- Who sends for it, and until when nobody else may.
    lease_owner          BYTEA,
    lease_until          BIGINT,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, org_unit_id) REFERENCES org_units (tenant_id, id)
);

-- Begins with what refers to units, so that a unit can be removed without a look at all webhooks.
CREATE INDEX webhooks_unit ON webhooks (org_unit_id, tenant_id);

CREATE TABLE webhook_deliveries (
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    webhook_id        BIGINT NOT NULL,
    -- From the place of the event in the journal, so that it orders them.
    id                BIGINT NOT NULL,
    event             TEXT COLLATE "C" NOT NULL,
    entity            TEXT COLLATE "C" NOT NULL,
    at                BIGINT NOT NULL,
    state             BIGINT NOT NULL,
    attempts          BIGINT NOT NULL,
    next_at           BIGINT,
    attempted_at      BIGINT,
    duration          BIGINT,
    status            BIGINT,
    answer            TEXT COLLATE "C",
    problem           TEXT COLLATE "C",
    PRIMARY KEY (tenant_id, webhook_id, id),
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id)
);

-- What is to be sent, and what was given up: few among many. When the next is due is asked for often.
CREATE INDEX webhook_deliveries_open ON webhook_deliveries (tenant_id, webhook_id, id) WHERE state = 0;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (tenant_id, webhook_id, next_at) WHERE state = 0;
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (tenant_id, webhook_id, id) WHERE state = 2;

-- What was given to and taken from a tenant's balance; the sum of all is the balance that its state keeps.
CREATE TABLE movements (
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    -- From 1, without gaps.
    id                BIGINT NOT NULL,
    at                BIGINT NOT NULL,
    amount            BIGINT NOT NULL,
    -- After it.
    balance           BIGINT NOT NULL,
    reason            TEXT COLLATE "C" NOT NULL,
    note              TEXT COLLATE "C",
    message_id        BYTEA,
    bulk_id           BIGINT,
    messages          BIGINT,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE blocked_numbers (
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    id                BIGINT NOT NULL,
    number            TEXT COLLATE "C" NOT NULL,
    added_by          BIGINT NOT NULL,
    added_at          BIGINT NOT NULL,
    version           BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- A number stands once in a list.
CREATE UNIQUE INDEX blocked_numbers_number ON blocked_numbers (tenant_id, number);
-- Lists in their order.
CREATE INDEX blocked_numbers_added ON blocked_numbers (tenant_id, added_at, id);

-- Messages to phones. A time that is not there is 0, so that lists are sorted by it.
-- No foreign key: for a bulk it would be looked at a million times. Who writes messages counts them in the tenant's state, and is
-- refused when that is gone.
CREATE TABLE messages (
    tenant_id         BIGINT NOT NULL,
    id                BYTEA NOT NULL,
    sender            TEXT COLLATE "C" NOT NULL,
    phone             TEXT COLLATE "C" NOT NULL,
    country           TEXT COLLATE "C",
    is_unicode        BIGINT NOT NULL,
    chars_count       BIGINT NOT NULL,
    parts_count       BIGINT NOT NULL,
    service           BIGINT NOT NULL,
    source            BIGINT NOT NULL,
    voice_lang        TEXT COLLATE "C",
    is_text_deleted   BIGINT NOT NULL,
    callback_data     TEXT COLLATE "C",
    deliver_at        BIGINT NOT NULL,
    status            BIGINT NOT NULL,
    receipt           BIGINT NOT NULL,
    handed_over_at    BIGINT NOT NULL,
    price             BIGINT NOT NULL,
    bulk_id           BIGINT,
    bulk_uuid         BYTEA,
    actor_kind        BIGINT NOT NULL,
    actor_id          BIGINT,
    ip                TEXT COLLATE "C",
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    -- The last one, since it may be long.
    text              TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

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
    tenant_id         BIGINT NOT NULL,
    message_id        BYTEA NOT NULL,
    -- The bulk that it is of, 0 for single ones: what is not sent now is passed over whole.
    lane              BIGINT NOT NULL,
    due_at            BIGINT NOT NULL,
    -- Who hands it over, and until when that is not called in question; after that nobody knows what became of it.
    claim             BYTEA,
    claim_until       BIGINT,
    PRIMARY KEY (tenant_id, message_id)
);

CREATE INDEX message_queue_due ON message_queue (tenant_id, lane, due_at, message_id) WHERE claim IS NULL;
CREATE INDEX message_queue_claims ON message_queue (tenant_id, claim) WHERE claim IS NOT NULL;
CREATE INDEX message_queue_lost ON message_queue (tenant_id, claim_until) WHERE claim IS NOT NULL;

-- One text to many. A time that is not there is 0, so that lists are sorted by it. Counts and cost are added to by whatever
-- changes messages; the recipients, which may be long, stand elsewhere.
CREATE TABLE bulks (
    id                BIGINT NOT NULL,
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    uuid              BYTEA NOT NULL,
    org_unit_id       BIGINT NOT NULL,
    name              TEXT COLLATE "C",
    name_key          TEXT COLLATE "C",
    sender            TEXT COLLATE "C" NOT NULL,
    style             TEXT COLLATE "C" NOT NULL,
    is_unicode        BIGINT,
    group_ids         TEXT COLLATE "C" NOT NULL,
    deliver_at        BIGINT NOT NULL,
    window_from       TEXT COLLATE "C",
    window_to         TEXT COLLATE "C",
    window_zone       TEXT COLLATE "C",
    service           BIGINT NOT NULL,
    source            BIGINT NOT NULL,
    voice_lang        TEXT COLLATE "C",
    is_text_deleted   BIGINT NOT NULL,
    is_dry_run        BIGINT NOT NULL,
    status            TEXT COLLATE "C" NOT NULL,
    -- What waits of a deleted one is stopped before its row is removed.
    deleted           BIGINT NOT NULL DEFAULT 0,
    queued            BIGINT NOT NULL DEFAULT 0,
    sent              BIGINT NOT NULL DEFAULT 0,
    delivered         BIGINT NOT NULL DEFAULT 0,
    failed            BIGINT NOT NULL DEFAULT 0,
    skipped           BIGINT NOT NULL DEFAULT 0,
    invalid           BIGINT NOT NULL DEFAULT 0,
    cost              BIGINT NOT NULL DEFAULT 0,
    -- How far its recipients are expanded: up to this number.
    expansion         TEXT COLLATE "C" NOT NULL DEFAULT '',
    -- From when on something is to be done about it.
    work_at           BIGINT,
    actor_kind        BIGINT NOT NULL,
    actor_id          BIGINT,
    ip                TEXT COLLATE "C",
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    modified_at       BIGINT NOT NULL,
    processed_at      BIGINT NOT NULL,
    text              TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, org_unit_id) REFERENCES org_units (tenant_id, id)
);

CREATE UNIQUE INDEX bulks_uuid ON bulks (tenant_id, uuid);
-- Lists in their order.
CREATE INDEX bulks_created ON bulks (tenant_id, created_at, id) WHERE deleted = 0;
-- The bulks of a unit. Begins with what refers to units, so that a unit can be removed without a look at all bulks.
CREATE INDEX bulks_org_unit ON bulks (org_unit_id, tenant_id);
-- What is to be done, which is little among much.
CREATE INDEX bulks_work ON bulks (tenant_id, work_at, id) WHERE work_at IS NOT NULL;

-- The single numbers of a bulk, all in one text.
CREATE TABLE bulk_phones (
    tenant_id         BIGINT NOT NULL,
    bulk_id           BIGINT NOT NULL,
    phones            TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, bulk_id)
);

-- Messages from phones.
CREATE TABLE incomings (
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    id                BYTEA NOT NULL,
    sender            TEXT COLLATE "C" NOT NULL,
    recipient         TEXT COLLATE "C" NOT NULL,
    received_at       BIGINT NOT NULL,
    -- The message that it answers, also when that is gone.
    answers           BYTEA,
    carrier           TEXT COLLATE "C" NOT NULL,
    carrier_id        TEXT COLLATE "C",
    version           BIGINT NOT NULL,
    text              TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- The thread with a sender. Begins with it, so that lists of all are not tempted to go by it.
CREATE INDEX incomings_sender ON incomings (sender, tenant_id);
-- What a carrier brings again is there once.
CREATE UNIQUE INDEX incomings_carrier ON incomings (tenant_id, carrier, carrier_id);
-- Lists in their order.
CREATE INDEX incomings_received ON incomings (tenant_id, received_at, id);
CREATE INDEX incomings_answers ON incomings (tenant_id, answers, received_at, id) WHERE answers IS NOT NULL;

-- The threads between numbers of ours and others, digits only. Their texts are those of the messages.
CREATE TABLE conversations (
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    id                BIGINT NOT NULL,
    our_number        TEXT COLLATE "C" NOT NULL,
    their_number      TEXT COLLATE "C" NOT NULL,
    -- The last message: whether it is one of theirs, when it came, and which one, also when that is gone.
    is_incoming       BIGINT NOT NULL,
    last_at           BIGINT NOT NULL,
    last_message      BYTEA NOT NULL,
    unread            BIGINT NOT NULL,
    first_response    BIGINT,
    responses_sum     BIGINT NOT NULL,
    responses         BIGINT NOT NULL,
    waiting_since     BIGINT,
    assigned_to       BIGINT,
    is_pinned         BIGINT NOT NULL,
    closed_at         BIGINT,
    version           BIGINT NOT NULL,
    started_at        BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

-- One for each pair.
CREATE UNIQUE INDEX conversations_numbers ON conversations (tenant_id, our_number, their_number);
-- Lists in their order.
CREATE INDEX conversations_open ON conversations (tenant_id, last_at, id) WHERE closed_at IS NULL;
CREATE INDEX conversations_closed ON conversations (tenant_id, last_at, id) WHERE closed_at IS NOT NULL;

CREATE TABLE journal (
    tenant_id         BIGINT NOT NULL REFERENCES tenants (id),
    sequence          BIGINT NOT NULL,
    at                BIGINT NOT NULL,
    actor_kind        BIGINT NOT NULL,
    actor_id          BIGINT,
    dialect           BIGINT NOT NULL,
    kind              TEXT COLLATE "C" NOT NULL,
    entity            TEXT COLLATE "C" NOT NULL,
    entity_id         TEXT COLLATE "C" NOT NULL,
    version           BIGINT NOT NULL,
    payload           TEXT COLLATE "C" NOT NULL,
    -- The unit that the entity is or is in.
    org_unit_id       BIGINT,
    PRIMARY KEY (tenant_id, sequence)
);

-- What is said of a person can be forgotten.
CREATE INDEX journal_users ON journal (tenant_id, entity_id) WHERE entity = 'user';
