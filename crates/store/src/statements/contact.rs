//! Statements on contact groups and their contacts. What is in a list has the edition of its group.

/// The columns of a group, as `rows/mod.rs` reads them.
macro_rules! group_columns {
    () => {
        "g.id, g.tenant_id, g.name, g.description, g.name_a, g.name_b, g.name_c, g.name_d, g.name_e, g.expires_at, \
         g.contacts, g.contacts_version, g.version, g.created_at, g.modified_at"
    };
}

/// The columns of a contact, as `rows/mod.rs` reads them.
macro_rules! columns {
    () => {
        "c.id, c.tenant_id, c.group_id, c.phone, c.a, c.b, c.c, c.d, c.e, c.callback_data, c.version, c.created_at, \
         c.modified_at"
    };
}

pub(crate) use {columns, group_columns};

/// $2: the time of the reader, for whom the group has not ended.
macro_rules! lives {
    () => {
        " g.deleted = 0 AND (g.expires_at IS NULL OR g.expires_at > $2)"
    };
}

/// The edition of the group in column `group_id`.
macro_rules! in_list {
    () => {
        " AND edition = (SELECT g.edition FROM contact_groups g
             WHERE g.tenant_id = $1 AND g.id = contacts.group_id AND g.deleted = 0)"
    };
}

use super::is_so;

super::statements! {
    GROUP = concat!("SELECT ", group_columns!(), " FROM contact_groups g
        WHERE g.tenant_id = $1 AND g.id = $3 AND", lives!());
    GROUPS = concat!("SELECT ", group_columns!(), " FROM contact_groups g
        WHERE g.tenant_id = $1 AND", lives!(), " ORDER BY g.id DESC LIMIT $3 OFFSET $4");
    GROUPS_COUNT = concat!("SELECT COUNT(*) FROM contact_groups g WHERE g.tenant_id = $1 AND", lives!());
    GROUP_IDS = concat!("SELECT g.id FROM contact_groups g WHERE g.tenant_id = $1 AND", lives!(), " ORDER BY g.id");
    GROUP_INSERT = "INSERT INTO contact_groups (id, tenant_id, name, description, name_a, name_b, name_c, name_d,
                        name_e, expires_at, version, created_at, modified_at)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// $3: the version that the change was decided on.
    GROUP_UPDATE = "UPDATE contact_groups SET name = $4, description = $5, name_a = $6, name_b = $7, name_c = $8,
                        name_d = $9, name_e = $10, version = $12, modified_at = $13
                    WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted = 0 AND expires_at IS NOT DISTINCT FROM $11";
    /// As before, with another time of its end ($11): an index is written when a column of it is named.
    GROUP_UPDATE_EXPIRY = "UPDATE contact_groups SET name = $4, description = $5, name_a = $6, name_b = $7,
                        name_c = $8, name_d = $9, name_e = $10, expires_at = $11, version = $12, modified_at = $13
                    WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted = 0";
    GROUP_DELETE = "UPDATE contact_groups SET deleted = 1, version = version + 1, modified_at = $4
                    WHERE tenant_id = $1 AND id = $2 AND version = $3 AND deleted = 0";
    VERSION_IS = "SELECT 1 FROM contact_groups g WHERE g.tenant_id = $1 AND g.id = $2 AND g.version = $3
                  AND g.deleted = 0";
    CONTACTS_VERSION_IS = "SELECT 1 FROM contact_groups g WHERE g.tenant_id = $1 AND g.id = $2
                           AND g.contacts_version = $3 AND g.deleted = 0";
    EDITION = "SELECT g.edition FROM contact_groups g WHERE g.tenant_id = $1 AND g.id = $2 AND g.deleted = 0";
    /// $3 contacts have come or, below zero, gone; none when a number was replaced.
    COUNT = "UPDATE contact_groups SET contacts = contacts + $3, contacts_version = contacts_version + 1
             WHERE tenant_id = $1 AND id = $2 AND deleted = 0";
    /// A list begins anew, with $3 contacts of the one before.
    NEXT_EDITION = "UPDATE contact_groups SET edition = edition + 1, contacts = $3,
                        contacts_version = contacts_version + 1
                    WHERE tenant_id = $1 AND id = $2 AND deleted = 0";
    /// A contact goes over to the edition of its list from the one before.
    KEEP = concat!("UPDATE contacts SET edition = edition + 1
        WHERE tenant_id = $1 AND id = $3 AND ", is_so!("group_id = $2"), " AND edition + 1 =
        (SELECT g.edition FROM contact_groups g WHERE g.tenant_id = $1 AND g.id = $2 AND g.deleted = 0)");
    GET = concat!("SELECT ", columns!(), " FROM contacts c
        JOIN contact_groups g ON g.tenant_id = c.tenant_id AND g.id = c.group_id AND g.edition = c.edition
        WHERE c.tenant_id = $1 AND c.id = $3 AND", lives!());
    /// $2: the group, $3: its edition.
    LIST = concat!("SELECT ", columns!(), " FROM contacts c
        WHERE c.group_id = $2 AND c.tenant_id = $1 AND c.edition = $3 ORDER BY c.id LIMIT $4 OFFSET $5");
    AFTER = concat!("SELECT ", columns!(), " FROM contacts c
        WHERE c.group_id = $2 AND c.tenant_id = $1 AND c.edition = $3 AND c.id > $4 ORDER BY c.id LIMIT $5");
    BY_PHONE = concat!("SELECT ", columns!(), " FROM contacts c
        WHERE c.tenant_id = $1 AND c.group_id = $2 AND c.edition = $3 AND c.phone = $4");
    /// Of a group that was counted up before, so that it is there. One row of values, for which SQLite keeps no copies of
    /// pages as it does for what a query finds.
    INSERT = "INSERT INTO contacts (id, tenant_id, group_id, edition, phone, a, b, c, d, e, callback_data, version,
                  created_at, modified_at)
              VALUES ($1, $2, $3, (SELECT g.edition FROM contact_groups g WHERE g.tenant_id = $2 AND g.id = $3),
                  $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// $3: the version that the change was decided on. A number that stays touches no index.
    UPDATE = concat!("UPDATE contacts SET a = $5, b = $6, c = $7, d = $8, e = $9, callback_data = $10, version = $11,
            modified_at = $12
        WHERE tenant_id = $1 AND id = $2 AND version = $3 AND phone = $4", in_list!());
    UPDATE_PHONE = concat!("UPDATE contacts SET phone = $4, a = $5, b = $6, c = $7, d = $8, e = $9,
            callback_data = $10, version = $11, modified_at = $12
        WHERE tenant_id = $1 AND id = $2 AND version = $3", in_list!());
    DELETE = concat!("DELETE FROM contacts WHERE tenant_id = $1 AND id = $2 AND version = $3", in_list!());
    /// A group whose time has come by $2.
    EXPIRED = "SELECT g.id, g.version FROM contact_groups g
               WHERE g.tenant_id = $1 AND g.expires_at <= $2 AND g.deleted = 0 LIMIT 1";
    /// A group of which rows are to be removed, and whether that is its own alone.
    GARBAGE = "SELECT g.id, CASE WHEN g.deleted = 0
                   OR EXISTS (SELECT 1 FROM contacts c WHERE c.group_id = g.id AND c.tenant_id = $1)
                   THEN 0 ELSE 1 END
               FROM contact_groups g
               WHERE g.tenant_id = $1 AND (g.deleted = 1 OR g.oldest_edition < g.edition) LIMIT 1";
    /// Of a deleted group nothing stays.
    REAP = "DELETE FROM contacts WHERE +tenant_id = $1 AND id IN
        (SELECT c.id FROM contacts c WHERE c.group_id = $2 AND c.tenant_id = $1 AND c.edition <
             (SELECT CASE WHEN g.deleted = 1 THEN 9223372036854775807 ELSE g.edition END
              FROM contact_groups g WHERE g.tenant_id = $1 AND g.id = $2) LIMIT $3)";
    /// Nothing is left of the editions before.
    REAPED = "UPDATE contact_groups SET oldest_edition = edition WHERE tenant_id = $1 AND id = $2";
    GROUP_REMOVE = "DELETE FROM contact_groups WHERE tenant_id = $1 AND id = $2 AND deleted = 1";
}
