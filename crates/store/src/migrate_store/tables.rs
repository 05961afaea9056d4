//! What a store consists of: every table, with its columns and its key, for what copies stores as they are.

use muster_domain::{StoreError, TenantId};

use crate::row::Row;
use crate::value::Value;

/// The columns of a row, in the order of [`Table::columns`].
pub(crate) type Cells = Vec<Value<'static>>;

/// A table. A column is nullable or not, and indexed or not, as the migrations say.
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// What tells its rows apart and is their order, by which the stores agree; the tenant first, if there is one.
    pub(crate) key: &'static [&'static str],
    pub(crate) integers: &'static [&'static str],
    pub(crate) texts: &'static [&'static str],
    pub(crate) bytes: &'static [&'static str],
}

/// All tables but those that each store writes for itself: its version (`migrations`) and the fingerprint of its key
/// (`server_key`). A test holds them against the schemas of both stores.
pub(crate) static TABLES: &[Table] = &[
    Table {
        name: "tenants",
        key: &["id"],
        integers: &["id", "status", "top_org_unit_id", "version", "created_at", "modified_at"],
        texts: &["name", "country", "currency"],
        bytes: &["organization_id"],
    },
    Table {
        name: "login_claims",
        key: &["tenant_id", "login_key"],
        integers: &["tenant_id", "user_id"],
        texts: &["login_key"],
        bytes: &[],
    },
    Table { name: "id_blocks", key: &["kind"], integers: &["next_id"], texts: &["kind"], bytes: &[] },
    Table {
        name: "tenant_state",
        key: &["tenant_id"],
        integers: &[
            "tenant_id",
            "journal_sequence",
            "journal_trimmed",
            "tree_version",
            "org_units",
            "users_active",
            "users_inactive",
            "users_deleted",
            "user_groups",
        ],
        texts: &[],
        bytes: &[],
    },
    Table {
        name: "org_units",
        key: &["tenant_id", "id"],
        integers: &[
            "id",
            "tenant_id",
            "parent_id",
            "status",
            "billing_id",
            "industry_id",
            "version",
            "created_at",
            "modified_at",
        ],
        texts: &[
            "name",
            "name_key",
            "external_id",
            "address",
            "city",
            "state",
            "zip",
            "phone_number",
            "timezone",
        ],
        bytes: &[],
    },
    Table {
        name: "users",
        key: &["tenant_id", "id"],
        integers: &[
            "id",
            "tenant_id",
            "org_unit_id",
            "login_claimed",
            "role",
            "status",
            "agent_code",
            "score_call",
            "access_audio",
            "group_access",
            "report_access",
            "login_is_email",
            "version",
            "created_at",
            "modified_at",
        ],
        texts: &[
            "login",
            "login_key",
            "first_name",
            "last_name",
            "name_key",
            "password_hash",
            "external_id",
            "timezone",
            "aliases",
            "agent_ring_to",
            "avatar",
            "display_name_key",
            "document",
        ],
        bytes: &["uuid"],
    },
    Table {
        name: "user_emails",
        key: &["tenant_id", "email_key", "user_id"],
        integers: &["tenant_id", "user_id"],
        texts: &["email_key"],
        bytes: &[],
    },
    Table {
        name: "user_groups",
        key: &["tenant_id", "id"],
        integers: &["tenant_id", "deleted", "members", "version", "created_at", "modified_at"],
        texts: &[
            "name",
            "name_key",
            "description",
            "description_key",
            "external_id",
            "external_id_key",
            "extra_fields",
        ],
        bytes: &["id"],
    },
    Table {
        name: "user_group_members",
        key: &["tenant_id", "group_id", "user_id"],
        integers: &["tenant_id", "user_id", "is_primary", "since"],
        texts: &[],
        bytes: &["group_id"],
    },
    Table {
        name: "contact_groups",
        key: &["tenant_id", "id"],
        integers: &[
            "id",
            "tenant_id",
            "expires_at",
            "deleted",
            "contacts",
            "contacts_version",
            "edition",
            "oldest_edition",
            "version",
            "created_at",
            "modified_at",
        ],
        texts: &["name", "description", "name_a", "name_b", "name_c", "name_d", "name_e"],
        bytes: &[],
    },
    Table {
        name: "contacts",
        key: &["tenant_id", "id"],
        integers: &["id", "tenant_id", "group_id", "edition", "version", "created_at", "modified_at"],
        texts: &["phone", "a", "b", "c", "d", "e", "callback_data"],
        bytes: &[],
    },
    Table {
        name: "webhooks",
        key: &["tenant_id", "id"],
        integers: &[
            "id",
            "tenant_id",
            "org_unit_id",
            "format",
            "status",
            "include_sub_groups",
            "old_secret_until",
            "version",
            "created_at",
            "modified_at",
            "deleted",
            "journal_cursor",
            "last_delivery_at",
            "last_status",
            "consecutive_failures",
            "failing_since",
            "lease_until",
        ],
        texts: &["name", "url", "events", "static_parameters"],
        bytes: &["secret_sealed", "old_secret_sealed", "lease_owner"],
    },
    Table {
        name: "webhook_deliveries",
        key: &["tenant_id", "webhook_id", "id"],
        integers: &[
            "tenant_id",
            "webhook_id",
            "id",
            "at",
            "state",
            "attempts",
            "next_at",
            "attempted_at",
            "duration",
            "status",
        ],
        texts: &["event", "entity", "answer", "problem"],
        bytes: &[],
    },
    Table {
        name: "media_prompts",
        key: &["tenant_id", "id"],
        integers: &[
            "id",
            "tenant_id",
            "org_unit_id",
            "message_type",
            "kind",
            "size",
            "duration_ms",
            "created_at",
        ],
        texts: &["name", "file_name", "object_key"],
        bytes: &["checksum"],
    },
    Table {
        name: "object_garbage",
        key: &["object_key"],
        integers: &["due_at"],
        texts: &["object_key"],
        bytes: &[],
    },
    Table {
        name: "tags",
        key: &["tenant_id", "id"],
        integers: &["id", "tenant_id", "org_unit_id", "version", "created_at", "modified_at"],
        texts: &["name", "name_key", "color"],
        bytes: &[],
    },
    Table {
        name: "credentials",
        key: &["tenant_id", "id"],
        integers: &[
            "id",
            "tenant_id",
            "dialect",
            "read_only",
            "expires_at",
            "revoked_at",
            "created_at",
            "last_used_at",
            "profile",
        ],
        texts: &["name", "public_id"],
        bytes: &["secret_hash", "secret_sealed"],
    },
    Table {
        name: "session_tokens",
        key: &["tenant_id", "hash"],
        integers: &["tenant_id", "kind", "user_id", "created_at", "expires_at", "retired_at"],
        texts: &[],
        bytes: &["hash", "family"],
    },
    Table {
        name: "journal",
        key: &["tenant_id", "sequence"],
        integers: &[
            "tenant_id",
            "sequence",
            "at",
            "actor_kind",
            "actor_id",
            "dialect",
            "version",
            "org_unit_id",
        ],
        texts: &["kind", "entity", "entity_id", "payload"],
        bytes: &[],
    },
];

impl Table {
    /// The columns, those of a type together.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.integers.iter().chain(self.texts).chain(self.bytes).copied()
    }

    /// A row as it is.
    pub(crate) fn cells(&self, row: &dyn Row) -> Result<Cells, StoreError> {
        let (texts, bytes) = (self.integers.len(), self.integers.len() + self.texts.len());
        let cell = |at: usize| {
            Ok(if at < texts {
                Value::Integer(row.integer(at)?)
            } else if at < bytes {
                Value::Text(row.text(at)?.map(|text| text.to_owned().into()))
            } else {
                Value::Bytes(row.bytes(at)?.map(|bytes| bytes.to_vec().into()))
            })
        };
        (0..bytes + self.bytes.len()).map(cell).collect::<Result<_, StoreError>>().map_err(
            |error| match error {
                StoreError::Internal(what) => StoreError::Internal(format!("{}: {what}", self.name)),
                error => error,
            },
        )
    }

    /// The key of a row.
    pub(crate) fn key_of(&self, cells: &[Value<'static>]) -> Cells {
        let place = |name: &&str| self.columns().position(|column| column == *name);
        self.key.iter().filter_map(place).filter_map(|at| cells.get(at).cloned()).collect()
    }

    /// Whose a row is, if the table is one of tenants: its key begins with theirs.
    pub(crate) fn tenant_of(&self, cells: &[Value<'static>]) -> Option<TenantId> {
        let first = self.columns().position(|column| self.key.first() == Some(&column))?;
        match cells.get(first) {
            Some(Value::Integer(Some(id))) => Some(TenantId(*id)),
            _ => None,
        }
    }

    /// All rows in the order of the key, those after a key alone if there is one. `hint` stands behind the table's name.
    pub(crate) fn select(&self, after: bool, hint: &str) -> String {
        let (name, key) = (self.name, self.key.join(", "));
        let columns = self.columns().collect::<Vec<_>>().join(", ");
        let places = places(self.key.len());
        let after = if after { format!("WHERE ({key}) > ({places}) ") } else { String::new() };
        format!("SELECT {columns} FROM {name} {hint}{after}ORDER BY {key}")
    }

    /// The last row in the order of the key.
    pub(crate) fn last(&self) -> String {
        let columns = self.columns().collect::<Vec<_>>().join(", ");
        let order: Vec<String> = self.key.iter().map(|column| format!("{column} DESC")).collect();
        format!("SELECT {columns} FROM {} ORDER BY {} LIMIT 1", self.name, order.join(", "))
    }

    pub(crate) fn count(&self) -> String {
        format!("SELECT COUNT(*) FROM {}", self.name)
    }
}

/// `$1, $2, …`, which SQLite takes for names that are numbered as they appear.
pub(crate) fn places(count: usize) -> String {
    (1..=count).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ")
}
