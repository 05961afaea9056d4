//! Things of a tenant that the coverage tests call about.

use muster_domain::Ctx;
use muster_domain::contact::{ContactGroupPatch, ContactPatch};
use muster_domain::tag::TagPatch;
use muster_domain::user::UserStore as _;
use muster_domain::user_group::UserGroupPatch;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::broadcasts;
use crate::conversations;
use crate::media_prompts;
use crate::messages;
use crate::people::{created, plain};
use crate::support::World;
use crate::webhooks;

/// What an id names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Unit,
    User,
    ContactGroup,
    Contact,
    /// A user under its other id.
    UserUuid,
    UserGroup,
    Tag,
    MediaPrompt,
    Conversation,
    Broadcast,
    Webhook,
    Message,
    /// A bulk under the id that LOX24 shows.
    Bulk,
    Incoming,
    Block,
    /// What every tenant sees, such as a schema.
    Common(&'static str),
}

/// Things of one tenant that a call can be about.
pub(crate) struct Own {
    /// Without users and units below.
    pub(crate) unit: i64,
    pub(crate) parent: i64,
    pub(crate) user: i64,
    pub(crate) contact_group: i64,
    /// In that group.
    pub(crate) contact: i64,
    pub(crate) user_uuid: Uuid,
    /// Without members.
    pub(crate) user_group: Uuid,
    pub(crate) tag: i64,
    pub(crate) media_prompt: i64,
    pub(crate) conversation: i64,
    /// A draft.
    pub(crate) broadcast: i64,
    pub(crate) webhook: i64,
    /// Of that webhook, given up.
    pub(crate) delivery: i64,
    /// It waits.
    pub(crate) message: Uuid,
    /// It has not begun.
    pub(crate) bulk: Uuid,
    pub(crate) incoming: Uuid,
    pub(crate) block: i64,
    /// Of the caller, whose password is [`crate::support::PASSWORD`].
    pub(crate) login: String,
    pub(crate) refresh_token: String,
}

impl Own {
    /// Ids that can be told from all else in a body.
    pub(crate) fn marked() -> Self {
        Self {
            unit: -1,
            parent: -2,
            user: -3,
            contact_group: -4,
            contact: -5,
            user_uuid: Uuid::nil(),
            user_group: Uuid::nil(),
            tag: -6,
            media_prompt: -7,
            conversation: -10,
            broadcast: -12,
            webhook: -8,
            delivery: -9,
            message: Uuid::nil(),
            bulk: Uuid::nil(),
            incoming: Uuid::nil(),
            block: -11,
            login: String::new(),
            refresh_token: String::new(),
        }
    }

    /// Makes things in a tenant; `admin` is the token of its admin, `caller` is one who can log in there.
    pub(crate) async fn of(world: &World, tenant: &Ctx, admin: &str, caller: &str) -> Self {
        let make = async |name: &str| {
            let body = json!({"org_unit_name": format!("{name} of {caller}")});
            let reply = world.post("/v3/groups", body).bearer(admin).send().await;
            reply.body["data"]["orgUnitId"].as_i64().unwrap()
        };
        let (unit, parent) = (make("Unit").await, make("Parent").await);
        let user = created(world, admin, plain(&format!("own.{caller}"))).await;
        let refresh_token = world.log_in(caller).await.body["refresh_token"].as_str().unwrap().to_owned();
        let patch =
            ContactGroupPatch { name: Some(format!("List of {caller}")), ..ContactGroupPatch::default() };
        let directory = world.directory();
        let contact_group = directory.contact_group_create(tenant, patch.into()).await.unwrap().id;
        let phone = ContactPatch { phone: Some("+12015550100".to_owned()), ..ContactPatch::default() };
        let contact = directory.contact_create(tenant, contact_group, phone.into()).await.unwrap().id.0;
        let patch = TagPatch { name: Some(format!("Tag of {caller}")), ..TagPatch::default() };
        let tag = directory.tag_create(tenant, patch.into()).await.unwrap().id.0;
        let media_prompt = media_prompts::prompt(world, admin, &[("message_type", "prompt")]).await;
        let broadcast = broadcasts::draft(world, admin).await;
        let user_uuid = uuid(world, &format!("own.{caller}")).await;
        let patch = UserGroupPatch { name: Some(format!("Desk of {caller}")), ..UserGroupPatch::default() };
        let user_group = directory.user_group_create(tenant, patch.into()).await.unwrap().id.0;
        let (webhook, delivery) = webhooks::given_up(world, tenant, caller).await;
        let [message, incoming] =
            [messages::waiting(world, tenant).await, messages::incoming(world, tenant).await];
        let bulk = messages::bulk(world, tenant).await;
        let block = messages::block(world, tenant).await;
        let conversation = conversations::begun(world, tenant, "hello?").await;
        let (login, contact_group) = (caller.to_owned(), contact_group.0);
        Self {
            unit,
            parent,
            user,
            contact_group,
            contact,
            user_uuid,
            user_group,
            tag,
            media_prompt,
            conversation,
            broadcast,
            webhook,
            delivery,
            message,
            bulk,
            incoming,
            block,
            login,
            refresh_token,
        }
    }

    /// As it stands in a body.
    pub(crate) fn id(&self, kind: Kind) -> Value {
        match kind {
            Kind::Unit => self.unit.into(),
            Kind::User => self.user.into(),
            Kind::ContactGroup => self.contact_group.into(),
            Kind::Contact => self.contact.into(),
            Kind::UserUuid => self.user_uuid.to_string().into(),
            Kind::UserGroup => self.user_group.to_string().into(),
            Kind::Tag => self.tag.into(),
            Kind::MediaPrompt => self.media_prompt.into(),
            Kind::Conversation => self.conversation.into(),
            Kind::Broadcast => self.broadcast.into(),
            Kind::Webhook => self.webhook.into(),
            Kind::Message => self.message.to_string().into(),
            Kind::Bulk => self.bulk.to_string().into(),
            Kind::Incoming => self.incoming.to_string().into(),
            Kind::Block => self.block.into(),
            Kind::Common(name) => name.into(),
        }
    }

    /// As it stands in a path.
    pub(crate) fn path_id(&self, kind: Kind) -> String {
        in_path(&self.id(kind))
    }
}

impl Kind {
    /// An id of nothing.
    pub(crate) fn unknown(self) -> Value {
        match self {
            Self::UserUuid | Self::UserGroup | Self::Message | Self::Bulk | Self::Incoming => {
                "00000000-0000-4000-8000-000000000000".into()
            }
            Self::Unit
            | Self::User
            | Self::ContactGroup
            | Self::Contact
            | Self::Tag
            | Self::MediaPrompt
            | Self::Conversation
            | Self::Broadcast
            | Self::Webhook
            | Self::Block
            | Self::Common(_) => 99_999.into(),
        }
    }
}

/// An id as it stands in a path.
pub(crate) fn in_path(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// The other id of a user who can log in.
async fn uuid(world: &World, login: &str) -> Uuid {
    world.directory().store.user_by_claim(login).await.unwrap().unwrap().uuid
}
