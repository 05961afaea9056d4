//! Messages from phones: taken once, joined to what they answer, and their words obeyed.

use std::time::Duration;

use muster_domain::contact::PhoneNumber;
use muster_domain::message::{
    Arrival, Block, BlockStore as _, BlockedBy, Filter, Incoming, IncomingField, IncomingStore as _,
    ListQuery, Message, MessageState, MessageStatus, Receipt, SenderId, Test,
};
use muster_domain::{Error, MessageId, Slice, TenantId};
use uuid::Uuid;

use crate::balance::ALL;
use crate::messages::{PHONE, id, insert, plain, wish};
use crate::support::{Backend, START, all_at_once, findings};
use crate::world::{Org, World};

contract![
    what_arrives_is_read_back_whole,
    what_arrives_again_is_there_once,
    an_answer_is_joined_to_the_last_message,
    whose_an_answer_is_tells_the_last_message,
    words_block_and_unblock,
    what_came_in_is_listed_and_deleted,
    what_came_in_goes_with_its_tenant,
];

pub(crate) const OURS: &str = "+4915199999999";

pub(crate) fn arrival(carrier_id: Option<&str>, from: &str, text: &str) -> Arrival {
    Arrival {
        carrier: "sandbox".to_owned(),
        carrier_id: carrier_id.map(str::to_owned),
        from: from.to_owned(),
        to: OURS.to_owned(),
        text: text.to_owned(),
        received_at: START,
    }
}

impl<B: Backend> World<B> {
    pub(crate) async fn receive(&self, org: &Org, arrival: Arrival) -> Incoming {
        self.directory.incoming_receive(org.tenant, arrival).await.unwrap()
    }

    async fn received(&self, org: &Org, filter: Filter<IncomingField>) -> Vec<Incoming> {
        let query = ListQuery { filter, by: IncomingField::ReceivedAt, is_descending: true, slice: ALL };
        let page = self.directory.incoming_list(&org.ctx, query).await.unwrap();
        assert_eq!(page.total, page.items.len() as u64);
        page.items
    }

    async fn blocked(&self, org: &Org) -> Option<Block> {
        self.store().block_of(org.tenant, PHONE).await.unwrap()
    }
}

async fn what_arrives_is_read_back_whole<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let found = world.receive(&org, arrival(Some("1"), PHONE, "grüße 漢\0")).await;
    let wanted = Incoming {
        id: found.id,
        tenant: org.tenant,
        from: PHONE.to_owned(),
        to: OURS.to_owned(),
        text: "grüße 漢\u{fffd}".to_owned(),
        received_at: START,
        answers: None,
        version: 1,
    };
    assert_eq!(found, wanted);
    assert_eq!(world.directory.incoming_get(&org.ctx, found.id).await.unwrap(), wanted);
    let entry = world.journal(&org).await.pop().unwrap();
    assert_eq!((entry.kind.as_str(), entry.entity_id), ("sms.received", found.id.to_string()));
    let received_at = START.millis().to_string();
    let wanted =
        serde_json::json!({"from": [null, PHONE], "to": [null, OURS], "received_at": [null, received_at]});
    assert_eq!(entry.payload, wanted);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_arrives_again_is_there_once<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    let tasks = (0..12).map(|_| {
        let (directory, tenant) = (world.node(), org.tenant);
        async move { directory.incoming_receive(tenant, arrival(Some("1"), PHONE, "STOP")).await.unwrap().id }
    });
    let ids = all_at_once(tasks).await;
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(world.received(&org, Filter::default()).await.len(), 1);
    assert_eq!(world.kinds(&org, "sms.received").await.len(), 1);
    assert_eq!(world.kinds(&org, "blocked_number.").await.len(), 1);
    // Of another carrier, of another tenant, and without an id it is another one.
    let elsewhere = Arrival { carrier: "other".to_owned(), ..arrival(Some("1"), PHONE, "hi") };
    world.receive(&org, elsewhere).await;
    world.receive(&other, arrival(Some("1"), PHONE, "hi")).await;
    for _ in 0..2 {
        world.receive(&org, arrival(None, PHONE, "hi")).await;
    }
    assert_eq!(world.received(&org, Filter::default()).await.len(), 4);
    assert_eq!(world.received(&other, Filter::default()).await.len(), 1);
    let nobody = world.directory.incoming_receive(TenantId(99), arrival(Some("1"), PHONE, "hi")).await;
    assert!(matches!(nobody, Err(Error::NotFound(_))), "{nobody:?}");
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn an_answer_is_joined_to_the_last_message<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let sent = MessageState { status: MessageStatus::HandedOver, receipt: Receipt::Pending };
    let message = |n: u128, sender: &str, seconds: u64| Message {
        sender: SenderId::read(sender).unwrap(),
        state: sent,
        handed_over_at: Some(START),
        created_at: START.plus(Duration::from_secs(seconds)),
        ..plain(&org, n)
    };
    let digits = OURS.trim_start_matches('+');
    let all = [
        message(1, OURS, 1),
        message(2, digits, 3),
        // It was to wait.
        Message { handed_over_at: Some(START.plus(Duration::from_secs(1))), ..message(3, OURS, 2) },
        message(4, "Muster", 9),
        Message { phone: PhoneNumber::from_stored("+4915112345679".to_owned()), ..message(5, OURS, 9) },
        Message { state: MessageState::default(), handed_over_at: None, ..message(6, OURS, 9) },
    ];
    world.commit(&org, all.iter().map(insert).collect()).await.unwrap();
    let answers = async |from: &str, to: &str| {
        let to = to.to_owned();
        world.receive(&org, Arrival { to, ..arrival(None, from, "yes") }).await.answers
    };
    assert_eq!(answers(PHONE, OURS).await, Some(id(3)));
    assert_eq!(answers(PHONE.trim_start_matches('+'), digits).await, Some(id(3)));
    assert_eq!(answers("+4915112345679", OURS).await, Some(id(5)));
    assert_eq!(answers("Bank", OURS).await, None);
    assert_eq!(answers(PHONE, "+4915100000000").await, None);
    assert_eq!(answers(PHONE, "Muster").await, Some(id(4)));
    let of = |n| Filter::of(Test::Id(IncomingField::Answers, id(n).0));
    assert_eq!(world.received(&org, of(3)).await.len(), 2);
    assert_eq!(world.received(&org, of(2)).await.len(), 0);
}

async fn whose_an_answer_is_tells_the_last_message<B: Backend>() {
    let world = World::<B>::new();
    let [one, two, three] = [world.org("one").await, world.org("two").await, world.org("three").await];
    let sent = MessageState { status: MessageStatus::HandedOver, receipt: Receipt::Pending };
    let message = |org: &Org, n: u128, sender: &str, seconds: u64| Message {
        sender: SenderId::read(sender).unwrap(),
        state: sent,
        handed_over_at: Some(START.plus(Duration::from_secs(seconds))),
        ..plain(org, n)
    };
    let whose = async |from: &str, to: &str| world.directory.incoming_tenant(from, to).await.unwrap();
    assert_eq!(whose(PHONE, OURS).await, None);
    world.commit(&one, vec![insert(&message(&one, 1, OURS, 5))]).await.unwrap();
    world.commit(&two, vec![insert(&message(&two, 2, OURS.trim_start_matches('+'), 9))]).await.unwrap();
    // Another sender, and one that waits.
    world.commit(&three, vec![insert(&message(&three, 3, "+4915188888888", 20))]).await.unwrap();
    let waits =
        Message { state: MessageState::default(), handed_over_at: None, ..message(&three, 4, OURS, 30) };
    world.commit(&three, vec![insert(&waits)]).await.unwrap();
    // Taken after all others, and handed over before them: the others were to wait.
    let taken_last = Message { created_at: START.plus(Duration::from_hours(1)), ..message(&one, 5, OURS, 1) };
    world.commit(&one, vec![insert(&taken_last)]).await.unwrap();
    assert_eq!(whose(PHONE, OURS).await, Some(two.tenant));
    assert_eq!(whose(PHONE.trim_start_matches('+'), OURS.trim_start_matches('+')).await, Some(two.tenant));
    assert_eq!(whose(PHONE, "+4915188888888").await, Some(three.tenant));
    for (from, to) in [("Bank", OURS), (PHONE, "Bank"), (OURS, PHONE)] {
        assert_eq!(whose(from, to).await, None, "{from} {to}");
    }
    world.directory.tenant_disable(two.tenant).await.unwrap();
    assert_eq!(whose(PHONE, OURS).await, Some(one.tenant));
}

async fn words_block_and_unblock<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let say = async |text: &str| {
        world.receive(&org, arrival(None, PHONE, text)).await;
        world.blocked(&org).await.map(|block| block.by)
    };
    assert_eq!(say("please stop").await, None);
    assert_eq!(say(" Stop\n").await, Some(BlockedBy::Recipient));
    assert_eq!(say("QUIT").await, Some(BlockedBy::Recipient));
    assert_eq!(world.send(&org, wish(PHONE, "hi")).await.unwrap().state.status, MessageStatus::Blocked);
    assert_eq!(say("start").await, None);
    assert_eq!(say("start").await, None);
    assert_eq!(world.send(&org, wish(PHONE, "hi")).await.unwrap().state.status, MessageStatus::New);
    assert_eq!(
        world.kinds(&org, "blocked_number.").await,
        ["blocked_number.created", "blocked_number.deleted"]
    );
    world.block(&org, PHONE).await;
    for text in ["STOP", "START"] {
        assert_eq!(say(text).await, Some(BlockedBy::Customer));
    }
    // Whoever has no number is on no list.
    world.receive(&org, arrival(None, "Bank", "STOP")).await;
    assert_eq!(world.backend.look("SELECT COUNT(*) FROM blocked_numbers"), 1);
}

async fn what_came_in_is_listed_and_deleted<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    let mut all = Vec::new();
    for (n, text) in ["Hello", "hELLO you", "bye"].into_iter().enumerate() {
        let received_at = START.plus(Duration::from_secs(n as u64));
        let from = format!("+49151000{n}");
        all.insert(0, world.receive(&org, Arrival { received_at, ..arrival(None, &from, text) }).await);
    }
    assert_eq!(world.received(&org, Filter::default()).await, all);
    assert_eq!(world.received(&other, Filter::default()).await, []);
    for filter in [
        Filter::of(Test::Contains(IncomingField::Text, "HELLO".to_owned())),
        Filter::of(Test::Contains(IncomingField::From, "0001".to_owned())),
        Filter::of(Test::Contains(IncomingField::To, "0001".to_owned())),
        Filter::of(Test::Number(IncomingField::ReceivedAt, START.0, START.0 + 1)),
        Filter {
            all: vec![vec![
                Test::Id(IncomingField::Id, all[0].id.0),
                Test::Id(IncomingField::Id, all[2].id.0),
            ]],
        },
    ] {
        let wanted: Vec<Incoming> =
            all.iter().filter(|incoming| filter.holds(|field| field.of(incoming))).cloned().collect();
        assert_eq!(world.received(&org, filter).await, wanted);
    }
    let slice = Slice { limit: 1, offset: 1 };
    let query =
        ListQuery { filter: Filter::default(), by: IncomingField::ReceivedAt, is_descending: false, slice };
    let page = world.directory.incoming_list(&org.ctx, query).await.unwrap();
    assert_eq!((page.items, page.total), (vec![all[1].clone()], 3));
    let first = all.remove(0);
    let refused = world
        .directory
        .incoming_delete(&org.ctx, first.clone(), Some(Box::new(|incoming| incoming.version > 1)))
        .await;
    assert!(matches!(refused, Err(Error::Precondition)), "{refused:?}");
    world.directory.incoming_delete(&org.ctx, first.clone(), None).await.unwrap();
    let gone = world.directory.incoming_delete(&org.ctx, first, None).await;
    assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
    assert_eq!(world.received(&org, Filter::default()).await, all);
    let unknown = world.store().incoming(org.tenant, MessageId(Uuid::nil())).await.unwrap();
    assert_eq!(unknown, None);
    assert_eq!(findings(world.store(), &world.key).await, Vec::<String>::new());
}

async fn what_came_in_goes_with_its_tenant<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    for org in [&org, &other] {
        world.receive(org, arrival(Some("1"), PHONE, "STOP")).await;
    }
    world.directory.tenant_delete(org.tenant, |_| {}).await.unwrap();
    assert_eq!(world.backend.rows_of(org.tenant), vec![]);
    assert_eq!(world.received(&other, Filter::default()).await.len(), 1);
    world.backend.tamper("UPDATE tenant_state SET incomings = 4");
    let told = findings(world.store(), &world.key).await;
    assert_eq!(told, ["4 incoming messages are counted, but there are 1"]);
}
