//! Conversations: what moves them, what is found and read of them, and what people do with them.

use std::time::Duration;

use muster_domain::contact::ContactGroupPatch;
use muster_domain::message::{
    Arrival, Conversation, ConversationFilter, ConversationPatch, ConversationQuery, ConversationSearch,
    ConversationStatus, Direction, Message, MessageStatus, MessageWish, SendOptions, SenderId, ThreadMessage,
};
use muster_domain::user::UserStatus;
use muster_domain::{ConversationId, Ctx, Draft, Error, Patch, Problem, Slice};
use uuid::Uuid;

use crate::balance::ALL;
use crate::contact_books::{expiring, number, saying, with_list};
use crate::incomings::{OURS, arrival};
use crate::messages::{PHONE, insert, plain, wish};
use crate::support::{Backend, START, all_at_once, findings};
use crate::world::{Org, World};

contract![
    messages_make_and_move_a_conversation,
    what_is_not_sent_moves_nothing,
    a_new_pair_that_many_write_to_is_one_conversation,
    what_is_asked_for_is_found,
    names_come_from_contact_lists,
    a_thread_has_both_directions,
    a_reply_is_a_message_like_any_other,
    texts_go_with_their_messages,
    people_change_conversations,
    conversations_go_with_their_tenant,
];

pub(crate) fn from_number(text: &str) -> MessageWish {
    MessageWish { sender: SenderId::read(OURS).ok(), ..wish(PHONE, text) }
}

pub(crate) fn asking(filter: ConversationFilter) -> ConversationQuery {
    ConversationQuery { filter, search: None, since: None, until: None, is_descending: true, slice: ALL }
}

impl<B: Backend> World<B> {
    async fn asked(&self, ctx: &Ctx, query: ConversationQuery) -> Vec<Conversation> {
        let page = self.directory.conversation_list(ctx, query).await.unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items
    }

    pub(crate) async fn talks(&self, org: &Org) -> Vec<Conversation> {
        self.asked(&org.ctx, asking(ConversationFilter::AllOpen)).await
    }

    pub(crate) async fn talk(&self, org: &Org) -> Conversation {
        let [talk] = self.talks(org).await.try_into().unwrap();
        assert_eq!(self.directory.conversation_get(&org.ctx, talk.id).await.unwrap(), talk);
        talk
    }

    async fn comes(&self, org: &Org, from: &str, seconds: u64) {
        let received_at = START.plus(Duration::from_secs(seconds));
        self.receive(org, Arrival { received_at, ..arrival(None, from, &format!("at {seconds}")) }).await;
    }

    async fn change(&self, org: &Org, patch: ConversationPatch) -> Result<Conversation, Error> {
        let talk = self.talks(org).await.remove(0);
        self.directory.conversation_update(&org.ctx, talk, patch.into(), None).await
    }
}

async fn messages_make_and_move_a_conversation<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    world.receive(&org, arrival(None, PHONE, "hello?")).await;
    let talk = world.talk(&org).await;
    let numbers = [OURS, PHONE].map(|number| number.trim_start_matches('+').to_owned());
    let begun = Conversation::begin(org.tenant, talk.id, numbers, Direction::Incoming, "hello?", START);
    assert_eq!(talk, begun);
    // With or without a plus sign it is the same number.
    let to = OURS.trim_start_matches('+').to_owned();
    let from = PHONE.trim_start_matches('+');
    world.receive(&org, Arrival { to, ..arrival(None, from, "anyone?") }).await;
    world.clock.advance(Duration::from_secs(90));
    let ctx = world.now_ctx(&org);
    world.directory.message_create(&ctx, Draft::from(from_number("Hi"))).await.unwrap();
    let later = world.directory.now();
    let moved = begun.with_message(Direction::Incoming, "anyone?", START);
    assert_eq!(world.talk(&org).await, moved.with_message(Direction::Outgoing, "Hi", later));
    assert_eq!(world.talk(&org).await.status(), ConversationStatus::Replied);
    assert_eq!(world.talks(&other).await, []);
    let foreign = world.directory.conversation_get(&other.ctx, talk.id).await;
    assert!(matches!(foreign, Err(Error::NotFound(_))), "{foreign:?}");
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_is_not_sent_moves_nothing<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    // A name cannot be answered.
    world.sent(&org, PHONE).await;
    world.receive(&org, arrival(None, "Bank", "hi")).await;
    world.directory.message_dry_run(&org.ctx, Draft::from(from_number("hi"))).await.unwrap();
    world.block(&org, PHONE).await;
    let blocked = world.send(&org, from_number("hi")).await.unwrap();
    assert_eq!(blocked.state.status, MessageStatus::Blocked);
    assert_eq!(world.talks(&org).await, []);
    // A message of a bulk stands in the thread once it is answered.
    let of_bulk = Message {
        sender: SenderId::read(OURS).unwrap(),
        bulk: Some((muster_domain::BulkId(3), Uuid::from_u128(3))),
        ..plain(&org, 9)
    };
    world.commit(&org, vec![insert(&of_bulk)]).await.unwrap();
    assert_eq!(world.talks(&org).await, []);
    world.receive(&org, arrival(None, PHONE, "yes")).await;
    let talk = world.talk(&org).await;
    let page = world.directory.conversation_messages(&org.ctx, &talk, ALL).await.unwrap();
    assert_eq!(page.total, 3);
}

async fn a_new_pair_that_many_write_to_is_one_conversation<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let tasks = (0..24).map(|n| {
        let (directory, tenant, ctx) = (world.node(), org.tenant, org.ctx.clone());
        async move {
            if n % 2 == 0 {
                directory.incoming_receive(tenant, arrival(None, PHONE, "hi")).await.map(drop)
            } else {
                directory.message_create(&ctx, Draft::from(from_number("hi"))).await.map(drop)
            }
        }
    });
    for done in all_at_once(tasks).await {
        done.unwrap();
    }
    assert_eq!(world.talk(&org).await.version, 24);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_is_asked_for_is_found<B: Backend>() {
    const DAY: u64 = 24 * 3600;
    let world = World::<B>::new();
    let org = world.org("acme").await;
    for n in 0..6 {
        world.comes(&org, &format!("+4915100000{n}"), n * DAY).await;
    }
    world.clock.advance(Duration::from_secs(5 * DAY));
    let ctx = world.now_ctx(&org);
    let mut all = world.asked(&ctx, asking(ConversationFilter::AllOpen)).await;
    assert!(all.is_sorted_by(|one, next| one.last_at > next.last_at) && all.len() == 6);
    let user = world.add_user(&org, org.top, "ada").await;
    let mine = ConversationPatch { assigned_to: Patch::Set(user.id), ..ConversationPatch::default() };
    let close = ConversationPatch { is_closed: Some(true), ..ConversationPatch::default() };
    for (n, patch) in [(1, &mine), (2, &close), (3, &mine), (3, &close)] {
        let talk = all[n].clone();
        all[n] = world.directory.conversation_update(&ctx, talk, patch.clone().into(), None).await.unwrap();
    }
    let as_user = world.ctx_of(&user).await;
    for (by, caller) in [(&ctx, None), (&as_user, Some(user.id))] {
        for filter in ConversationFilter::ALL {
            let wanted: Vec<_> = all.iter().filter(|talk| filter.matches(talk, caller)).cloned().collect();
            assert_eq!(world.asked(by, asking(filter)).await, wanted, "{filter:?} {caller:?}");
        }
    }
    let open = asking(ConversationFilter::AllOpen);
    let (first, second) = (all[5].clone(), all[4].clone());
    for raw in ["000005", "+49 151-000005", "49151", "", "nobody", "5 and", "\0", "%"] {
        let search = ConversationSearch::read(raw).unwrap();
        let wanted: Vec<_> =
            all.iter().filter(|talk| talk.closed_at.is_none() && search.finds(talk)).cloned().collect();
        let found = world.asked(&ctx, ConversationQuery { search: Some(search), ..open.clone() }).await;
        assert_eq!(found, wanted, "{raw}");
    }
    let range = ConversationQuery { since: Some(first.last_at), until: Some(second.last_at), ..open.clone() };
    assert_eq!(world.asked(&ctx, range).await, [second, first.clone()]);
    let slice = Slice { limit: 1, offset: 1 };
    let page = ConversationQuery { slice, is_descending: false, ..open.clone() };
    let page = world.directory.conversation_list(&ctx, page).await.unwrap();
    assert_eq!((page.items, page.total), (vec![all[4].clone()], 4));
    // What is older than 30 days is looked for on purpose.
    world.clock.advance(Duration::from_secs(26 * DAY));
    let ctx = world.now_ctx(&org);
    assert_eq!(world.asked(&ctx, open.clone()).await.len(), 3);
    assert_eq!(world.asked(&ctx, ConversationQuery { since: Some(START), ..open }).await.len(), 4);
    assert_eq!(ConversationSearch::read(&"é".repeat(256)), Err(Problem::TooLong { max: 255 }));
}

async fn names_come_from_contact_lists<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.receive(&org, arrival(None, PHONE, "hi")).await;
    let list = |name: &str| ContactGroupPatch {
        name: Some("list".to_owned()),
        ..with_list([saying(name, number(PHONE))])
    };
    let create = async |patch: ContactGroupPatch| {
        world.directory.contact_group_create(&world.now_ctx(&org), patch.into()).await.unwrap()
    };
    let name = async || world.talk(&org).await.name;
    assert_eq!(name().await, None);
    let first = create(list("Bob")).await;
    create(list("Robert")).await;
    assert_eq!(name().await.as_deref(), Some("Bob"));
    // What the list calls a name is one, wherever it stands.
    let mut labels = <[Patch<String>; 5]>::default();
    labels[4] = Patch::Set("NAME".to_owned());
    let labelled = ContactGroupPatch { labels, ..ContactGroupPatch::default() };
    world.update_group(&org, first.id, labelled).await.unwrap();
    assert_eq!(name().await, None);
    let search = |raw| ConversationQuery {
        search: ConversationSearch::read(raw).ok(),
        ..asking(ConversationFilter::AllOpen)
    };
    assert_eq!(world.asked(&org.ctx, search("bob")).await, []);
    world.delete_group(&org, first.id).await.unwrap();
    assert_eq!(name().await.as_deref(), Some("Robert"));
    assert_eq!(world.asked(&org.ctx, search("BERT")).await.len(), 1);
    // Lists that are replaced or have ended call nobody anything.
    let last = create(list("Rob")).await;
    let robert = world.directory.contact_group_list(&world.now_ctx(&org), ALL).await.unwrap();
    let robert = robert.items.into_iter().find(|group| group.id != last.id).unwrap();
    world.update_group(&org, robert.id, with_list([])).await.unwrap();
    assert_eq!(name().await.as_deref(), Some("Rob"));
    let end = START.plus(Duration::from_secs(5));
    world.update_group(&org, last.id, expiring(end)).await.unwrap();
    assert_eq!(name().await.as_deref(), Some("Rob"));
    let late = Ctx::operator(org.tenant, org.top, end);
    assert_eq!(world.asked(&late, asking(ConversationFilter::AllOpen)).await[0].name, None);
}

async fn a_thread_has_both_directions<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut wanted = Vec::new();
    for n in 0..6_u64 {
        world.clock.advance(Duration::from_secs(1));
        let ctx = world.now_ctx(&org);
        let text = format!("number {n}");
        wanted.insert(0, text.clone());
        if n % 3 == 1 {
            world.directory.message_create(&ctx, Draft::from(from_number(&text))).await.unwrap();
        } else {
            let received_at = world.directory.now();
            world.receive(&org, Arrival { received_at, ..arrival(None, PHONE, &text) }).await;
        }
    }
    // What is with others, or between them, is not in it.
    world.receive(&org, arrival(None, "+4915112345679", "other")).await;
    world.receive(&org, Arrival { to: "+4915100".to_owned(), ..arrival(None, PHONE, "other") }).await;
    world.sent(&org, PHONE).await;
    let talk = world.talks(&org).await.remove(0);
    let text = |message: &ThreadMessage| match message {
        ThreadMessage::Outgoing(message) => message.text.clone(),
        ThreadMessage::Incoming(message) => message.text.clone(),
    };
    let page = world.directory.conversation_messages(&org.ctx, &talk, ALL).await.unwrap();
    assert_eq!((page.items.iter().map(text).collect::<Vec<_>>(), page.total), (wanted.clone(), 6));
    let slice = Slice { limit: 2, offset: 3 };
    let page = world.directory.conversation_messages(&org.ctx, &talk, slice).await.unwrap();
    assert_eq!((page.items.iter().map(text).collect::<Vec<_>>(), page.total), (wanted[3..5].to_vec(), 6));
}

async fn a_reply_is_a_message_like_any_other<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.receive(&org, arrival(None, PHONE, "hello?")).await;
    let talk = world.talk(&org).await;
    let reply = async |text: Option<&str>| {
        let draft = Draft::from(text.map(str::to_owned));
        world.directory.conversation_reply(&org.ctx, &talk, draft).await
    };
    let sent = reply(Some("Hi")).await.unwrap();
    assert_eq!((sent.sender.as_str(), sent.phone.as_str(), sent.text.as_str()), (OURS, PHONE, "Hi"));
    assert_eq!(sent.ip, None);
    assert_eq!(world.talk(&org).await.status(), ConversationStatus::Replied);
    for text in [None, Some(" "), Some(&*"x".repeat(1531))] {
        let refused = reply(text).await;
        assert!(matches!(&refused, Err(Error::Invalid(errors)) if errors[0].field == "text"), "{refused:?}");
    }
    world.receive(&org, arrival(None, PHONE, "STOP")).await;
    assert_eq!(reply(Some("Why?")).await.unwrap().state.status, MessageStatus::Blocked);
    assert_eq!(world.talk(&org).await.last_text, "STOP");
    // A short code stays one.
    world.receive(&org, Arrival { to: "72345".to_owned(), ..arrival(None, "+4915112345679", "hi") }).await;
    let talk = world.talks(&org).await.into_iter().find(|talk| talk.our_number == "72345").unwrap();
    let draft = Draft::from(Some("yes".to_owned()));
    let sent = world.directory.conversation_reply(&org.ctx, &talk, draft).await.unwrap();
    assert_eq!(sent.sender.as_str(), "72345");
}

async fn texts_go_with_their_messages<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let incoming = world.receive(&org, arrival(None, PHONE, "my secret")).await;
    world.directory.incoming_delete(&org.ctx, incoming, None).await.unwrap();
    assert_eq!(world.talk(&org).await.last_text, "");
    let sent = world.send(&org, from_number("our secret")).await.unwrap();
    assert_eq!(world.talk(&org).await.last_text, "our secret");
    world.directory.message_delete(&org.ctx, sent.id, None).await.unwrap();
    assert_eq!(world.talk(&org).await.last_text, "");
    let options = SendOptions { is_text_deleted: true, ..SendOptions::default() };
    world.send(&org, MessageWish { options, ..from_number("a code") }).await.unwrap();
    assert_eq!(world.talk(&org).await.last_text, "a code");
    let claimed = world.directory.messages_claim(org.tenant, None, 9).await.unwrap().unwrap();
    let unknown = muster_domain::message::Outcome::Unknown;
    let all = claimed.messages.iter().map(|message| (message.clone(), unknown.clone())).collect();
    world.directory.messages_note(&claimed, all).await.unwrap();
    assert_eq!(world.talk(&org).await.last_text, "");
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn people_change_conversations<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    world.receive(&org, arrival(None, PHONE, "hello?")).await;
    let assign = |to| ConversationPatch { assigned_to: Patch::Set(to), ..ConversationPatch::default() };
    let talk = world.change(&org, assign(org.admin.id)).await.unwrap();
    assert_eq!((talk.agent.as_deref(), talk.version), (Some("Ann Lee"), 2));
    // A change that changes nothing.
    assert_eq!(world.change(&org, assign(org.admin.id)).await.unwrap(), talk);
    let read = ConversationPatch { mark_read: true, is_pinned: Some(true), ..ConversationPatch::default() };
    let talk = world.change(&org, read).await.unwrap();
    assert_eq!((talk.status(), talk.is_pinned, talk.version), (ConversationStatus::Read, true, 3));
    let entries = world.kinds(&org, "conversation.").await;
    assert_eq!(entries, ["conversation.updated", "conversation.updated"]);
    let payload = world.journal(&org).await.pop().unwrap().payload;
    assert_eq!(payload, serde_json::json!({"is_pinned": [false, true], "is_read": [false, true]}));

    let inactive = world.add_user(&org, org.top, "ina").await;
    world.change_user(&org, &inactive, |user| user.status = UserStatus::Inactive).await.unwrap();
    let gone = world.add_user(&org, org.top, "gone").await;
    world.delete_user(&org, gone.id).await.unwrap();
    for (user, problem) in [
        (inactive.id, Problem::Inactive("user")),
        (gone.id, Problem::Unknown("user")),
        (other.admin.id, Problem::Unknown("user")),
    ] {
        let refused = world.change(&org, assign(user)).await;
        let Err(Error::Invalid(errors)) = &refused else { panic!("{refused:?}") };
        assert_eq!((errors[0].field.as_ref(), &errors[0].problem), ("assigned_to", &problem));
    }
    // What was of somebody who is deleted is nobody's.
    let leaver = world.add_user(&org, org.top, "leaver").await;
    world.change(&org, assign(leaver.id)).await.unwrap();
    world.delete_user(&org, leaver.id).await.unwrap();
    let [talk] = world.asked(&org.ctx, asking(ConversationFilter::Unassigned)).await.try_into().unwrap();
    assert_eq!((talk.assigned_to, &talk.agent), (None, &None));

    let directory = &world.directory;
    let close = ConversationPatch { is_closed: Some(true), ..ConversationPatch::default() };
    let refused = directory
        .conversation_update(
            &org.ctx,
            talk.clone(),
            close.clone().into(),
            Some(Box::new(|talk| talk.version == 1)),
        )
        .await;
    assert!(matches!(refused, Err(Error::Precondition)), "{refused:?}");
    // Who has an older version decides again.
    let old = Conversation { version: 1, ..talk };
    let closed = directory.conversation_update(&org.ctx, old, close.into(), None).await.unwrap();
    assert_eq!(closed.status(), ConversationStatus::Closed);
    assert_eq!(world.talks(&org).await, []);
    world.receive(&org, arrival(None, PHONE, "one more")).await;
    assert_eq!(world.talk(&org).await.status(), ConversationStatus::Unread);
    let unknown = directory.conversation_get(&org.ctx, ConversationId(999)).await;
    assert!(matches!(unknown, Err(Error::NotFound(_))), "{unknown:?}");
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn conversations_go_with_their_tenant<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    for org in [&org, &other] {
        world.receive(org, arrival(None, PHONE, "hi")).await;
    }
    world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), vec![]);
    let id = world.talk(&other).await.id;
    world.backend.tamper("UPDATE conversations SET their_number = 'Bank'");
    let told = findings(world.store(), &world.key).await;
    assert_eq!(told, [format!("a number of it is none: conversation {id}")]);
}
