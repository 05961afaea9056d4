//! The integers that stand for closed enums in the store. They are never changed once released.

use muster_domain::credential::Profile;
use muster_domain::media::{MediaKind, MessageType};
use muster_domain::message::{Service, Tier};
use muster_domain::org_unit::OrgUnitStatus;
use muster_domain::session::TokenKind;
use muster_domain::tenant::TenantStatus;
use muster_domain::user::{Role, UserStatus};
use muster_domain::webhook::{DeliveryState, WebhookFormat, WebhookStatus};
use muster_domain::{Actor, CredentialId, Dialect, UserId};

/// Declares both directions of a mapping at once, so that they cannot disagree.
macro_rules! codes {
    ($to:ident, $from:ident, $type:ty, $($variant:path = $code:literal),+) => {
        pub(crate) const fn $to(value: $type) -> i64 {
            match value { $($variant => $code),+ }
        }

        pub(crate) const fn $from(code: i64) -> Option<$type> {
            match code { $($code => Some($variant),)+ _ => None }
        }
    };
}

codes!(
    org_unit_status,
    org_unit_status_of,
    OrgUnitStatus,
    OrgUnitStatus::Active = 1,
    OrgUnitStatus::Inactive = 2
);
codes!(
    user_status,
    user_status_of,
    UserStatus,
    UserStatus::Active = 1,
    UserStatus::Inactive = 2,
    UserStatus::Deleted = 3
);
codes!(
    tenant_status,
    tenant_status_of,
    TenantStatus,
    TenantStatus::Active = 1,
    TenantStatus::Disabled = 2,
    TenantStatus::Deleting = 3
);
codes!(tier, tier_of, Tier, Tier::S = 0, Tier::M = 1, Tier::L = 2, Tier::Xl = 3);
codes!(service, service_of, Service, Service::Direct = 1);
codes!(role, role_of, Role, Role::Admin = 1, Role::Standard = 2, Role::ReadOnly = 3);
codes!(
    webhook_format,
    webhook_format_of,
    WebhookFormat,
    WebhookFormat::Standard = 0,
    WebhookFormat::Lox24 = 1
);
codes!(
    webhook_status,
    webhook_status_of,
    WebhookStatus,
    WebhookStatus::Active = 1,
    WebhookStatus::Inactive = 2
);
codes!(
    delivery_state,
    delivery_state_of,
    DeliveryState,
    DeliveryState::Open = 0,
    DeliveryState::Delivered = 1,
    DeliveryState::Failed = 2
);
codes!(profile, profile_of, Profile, Profile::Rfc = 0, Profile::Entra = 1);
codes!(
    dialect,
    dialect_of,
    Dialect,
    Dialect::Cli = 0,
    Dialect::Convirza = 1,
    Dialect::Lox24 = 2,
    Dialect::Onlive = 3,
    Dialect::Scim = 4
);

codes!(
    message_type,
    message_type_of,
    MessageType,
    MessageType::Prompt = 1,
    MessageType::Whisper = 2,
    MessageType::Voicemail = 3,
    MessageType::Survey = 4
);
codes!(
    media_kind,
    media_kind_of,
    MediaKind,
    MediaKind::Wav = 1,
    MediaKind::Mp3 = 2,
    MediaKind::Mp4 = 3,
    MediaKind::Ogg = 4,
    MediaKind::Webm = 5,
    MediaKind::M4a = 6,
    MediaKind::Aac = 7,
    MediaKind::Flac = 8
);

pub(crate) const fn token_kind(kind: TokenKind) -> i64 {
    match kind {
        TokenKind::Access => 1,
        TokenKind::Refresh => 2,
    }
}

pub(crate) const fn actor(actor: Actor) -> (i64, Option<i64>) {
    match actor {
        Actor::Operator => (0, None),
        Actor::User(UserId(id)) => (1, Some(id)),
        Actor::Credential(CredentialId(id)) => (2, Some(id)),
        Actor::Server => (3, None),
    }
}

pub(crate) const fn actor_of(kind: i64, id: Option<i64>) -> Option<Actor> {
    match (kind, id) {
        (0, None) => Some(Actor::Operator),
        (1, Some(id)) => Some(Actor::User(UserId(id))),
        (2, Some(id)) => Some(Actor::Credential(CredentialId(id))),
        (3, None) => Some(Actor::Server),
        _ => None,
    }
}
