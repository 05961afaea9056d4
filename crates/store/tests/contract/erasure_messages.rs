//! What a person has sent outlives them, and names them by their id alone.

use muster_domain::message::{Bulk, ConversationPatch, MessageWish};
use muster_domain::user::{User, UserPatch};
use muster_domain::{Actor, Ctx, Dialect, Draft, Patch};

use crate::bulk_books::to_phones;
use crate::conversations::from_number;
use crate::incomings::arrival;
use crate::messages::PHONE;
use crate::support::{Backend, findings};
use crate::world::{Org, World};

contract![what_an_erased_user_has_sent_does_not_tell_of_them];

/// Stand in nothing else.
const NAME: &str = "Quillfeather";
const ADDRESS: &str = "2001:db8::4711";

impl<B: Backend> World<B> {
    /// The user as a caller of Convirza.
    async fn calling(&self, user: &User) -> Ctx {
        let [access, _] = self.session(user).await;
        self.directory.session_authenticate(Dialect::Convirza, &access).await.unwrap().0
    }

    fn told_of(&self, org: &Org, word: &str) -> Vec<String> {
        self.backend.dump_of(Some(org.tenant)).into_iter().filter(|row| row.contains(word)).collect()
    }
}

async fn what_an_erased_user_has_sent_does_not_tell_of_them<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let patch = UserPatch {
        login: Some(format!("{NAME}@acme.example")),
        first_name: Some(NAME.to_owned()),
        last_name: Some(NAME.to_owned()),
        ..UserPatch::default()
    };
    let user = world.create_user(&org, patch).await.unwrap();
    let ctx = world.calling(&user).await;
    let sent = MessageWish { ip: Some(ADDRESS.to_owned()), ..from_number("hello") };
    let sent = world.directory.message_create(&ctx, Draft::from(sent)).await.unwrap();
    let mut new = to_phones("Hello everybody", 0..3);
    new.ip = Some(ADDRESS.to_owned());
    let bulk = world.directory.bulk_create(&ctx, Draft::from(new)).await.unwrap();
    world.run(&org, bulk.id).await;
    world.receive(&org, arrival(None, PHONE, "who is there?")).await;
    let talk = world.talk(&org).await;
    let patch = ConversationPatch { assigned_to: Patch::Set(user.id), ..ConversationPatch::default() };
    let talk = world.directory.conversation_update(&ctx, talk, Draft::from(patch), None).await.unwrap();
    assert_eq!(talk.agent.as_deref(), Some(&*format!("{NAME} {NAME}")));
    assert_eq!((sent.author, bulk.author), (Actor::User(user.id), Actor::User(user.id)));
    assert!(!world.told_of(&org, NAME).is_empty());

    world.erase_user(&org, user.id).await.unwrap();
    for word in [NAME, &NAME.to_lowercase(), ADDRESS] {
        assert_eq!(world.told_of(&org, word), Vec::<String>::new());
    }
    // All that they have sent is there.
    let Bulk { counts, author, .. } = world.found_bulk(&org, bulk.id).await;
    assert_eq!((counts.queued, author), (3, Actor::User(user.id)));
    assert_eq!(world.all_messages(&org).await.len(), 4);
    let talk = world.talk(&org).await;
    assert_eq!((talk.agent, talk.last_text.as_str()), (None, "who is there?"));
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}
