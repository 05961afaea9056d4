//! The tables of bulks.

use super::table::Table;

pub(super) const BULKS: Table = Table {
    name: "bulks",
    key: &["tenant_id", "id"],
    integers: &[
        "id",
        "tenant_id",
        "org_unit_id",
        "is_unicode",
        "deliver_at",
        "service",
        "source",
        "is_text_deleted",
        "is_dry_run",
        "deleted",
        "queued",
        "sent",
        "delivered",
        "failed",
        "skipped",
        "invalid",
        "cost",
        "work_at",
        "actor_kind",
        "actor_id",
        "version",
        "created_at",
        "modified_at",
        "processed_at",
    ],
    texts: &[
        "name",
        "name_key",
        "sender",
        "style",
        "group_ids",
        "window_from",
        "window_to",
        "window_zone",
        "voice_lang",
        "status",
        "expansion",
        "ip",
        "text",
    ],
    bytes: &["uuid"],
};

pub(super) const BULK_PHONES: Table = Table {
    name: "bulk_phones",
    key: &["tenant_id", "bulk_id"],
    integers: &["tenant_id", "bulk_id"],
    texts: &["phones"],
    bytes: &[],
};
