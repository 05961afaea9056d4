//! What a store makes of messages is what the domain says that conversations become by them.

use muster_domain::message::{Conversation, Direction, ThreadMove};
use muster_domain::{Change, ConversationId, Timestamp};
use proptest::prelude::*;

use crate::messages::id;
use crate::random::try_cases;
use crate::support::Backend;
use crate::world::World;

contract![a_conversation_becomes_what_the_domain_says];

/// Which way, when, and whether somebody closes the conversation before.
fn steps() -> impl Strategy<Value = Vec<(bool, i64, bool)>> {
    prop::collection::vec((any::<bool>(), 1..40_i64, prop::bool::weighted(0.2)), 1..25)
}

async fn a_conversation_becomes_what_the_domain_says<B: Backend>() {
    let world = World::<B>::new();
    try_cases::<B, _, _>(24, steps(), |steps| {
        let world = &world;
        async move {
            let org = world.org(&world.directory.entropy.uuid().to_string()).await;
            let numbers = || ["49151".to_owned(), "49152".to_owned()];
            let mut wanted: Option<Conversation> = None;
            for (n, (is_incoming, seconds, closes)) in (1_u32..).zip(steps) {
                let at = Timestamp(seconds * 1_000_000);
                if let Some(talk) = wanted.as_mut().filter(|_| closes) {
                    talk.closed_at = Some(at);
                    talk.version += 1;
                    let close = Change::ConversationUpdate(Box::new(talk.clone()));
                    world.commit(&org, vec![close]).await.unwrap();
                }
                let direction = if is_incoming { Direction::Incoming } else { Direction::Outgoing };
                let thread = ConversationId(1_000_000 + org.tenant.0 * 1000 + i64::from(n));
                let moved =
                    ThreadMove { id: thread, numbers: numbers(), direction, at, message: id(n.into()) };
                world.commit(&org, vec![Change::ThreadMove(Box::new(moved))]).await.unwrap();
                let next = match wanted {
                    None => Conversation::begin(org.tenant, thread, numbers(), direction, "", at),
                    Some(talk) => talk.with_message(direction, "", at),
                };
                let found = world.directory.conversation_get(&org.ctx, next.id).await;
                prop_assert_eq!(found.unwrap(), next.clone());
                wanted = Some(next);
            }
            Ok(())
        }
    });
}
