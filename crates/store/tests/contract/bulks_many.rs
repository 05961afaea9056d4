//! More bulks, and greater ones, than are looked at in one go.

use muster_domain::message::{Bulk, BulkCounts, BulkStatus, BulkStore as _, MessageWork};
use muster_domain::{BulkId, Change};
use uuid::Uuid;

use crate::balance::cents;
use crate::bulk_books::{contact, to_groups, to_phones};
use crate::support::Backend;
use crate::world::{Org, World};

contract![
    bulks_that_cannot_go_on_hide_none_behind_them,
    a_preview_ends_after_so_many_recipients,
    lists_that_lie_apart_fill_a_commit_together,
    who_goes_without_money_is_not_many,
    a_step_of_many_commits_ends_when_its_bulk_is_paused,
];

/// As many as one look takes in.
const LOOK: i64 = 1000;

impl<B: Backend> World<B> {
    /// So many bulks more, each as this one and being sent.
    async fn copies(&self, org: &Org, of: &Bulk, count: i64) -> Vec<BulkId> {
        let copy = |n: i64| {
            let id = BulkId(of.id.0 + n);
            let uuid = Uuid::from_u128(of.uuid.as_u128() + u128::try_from(n).unwrap());
            Bulk { id, uuid, status: BulkStatus::Sending, ..of.clone() }
        };
        let bulks: Vec<Bulk> = (1..=count).map(copy).collect();
        let ids = bulks.iter().map(|bulk| bulk.id).collect();
        let all = bulks.into_iter().map(|bulk| Change::BulkInsert(Box::new(bulk))).collect();
        self.commit(org, all).await.unwrap();
        ids
    }
}

async fn bulks_that_cannot_go_on_hide_none_behind_them<B: Backend>() {
    let world = World::<B>::new();
    let [org, other] = [world.org("acme").await, world.org("other").await];
    let mut first = to_phones("hello", 0..1);
    first.patch.status = Some(BulkStatus::Draft);
    let first = world.bulk(&org, first).await;
    let ids = world.copies(&org, &first, LOOK + 2).await;
    let (stuck, free) = ids.split_at(ids.len() - 2);
    // All of them is expanded, and what waits is in the hands of somebody who takes their time.
    let last = stuck.last().unwrap();
    world.backend.tamper(&format!("UPDATE bulks SET queued = 1, expansion = 'done' WHERE id <= {last}"));
    let look = async |after| world.directory.message_work(org.tenant, after).await.unwrap();
    let begin = look(None).await;
    assert_eq!((begin.steps, begin.lanes), (vec![], vec![]));
    let after = begin.bulks_after;
    assert_eq!(after.map(|(_, id)| id), Some(*last));
    let end = look(after).await;
    assert_eq!((end.steps, end.lanes, end.bulks_after), (free.to_vec(), vec![], None));
    assert_eq!(world.directory.message_work(org.tenant, None).await.unwrap().bulks_after, after);
    let others = world.directory.message_work(other.tenant, after).await.unwrap();
    assert_eq!(others, MessageWork { is_part: true, ..MessageWork::default() });
}

async fn a_preview_ends_after_so_many_recipients<B: Backend>() {
    const GROUP: usize = 25_000;
    const MOST: u64 = 100_000;
    const CHUNK: u64 = 2000;
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.named_group(&org, (0..GROUP).map(|n| contact(n, "Kim"))).await;
    let small = world.named_group(&org, [contact(GROUP, "Lee")]).await;
    let empty = world.named_group(&org, []).await;
    // A group counts as often as it is named, which only a store can do; its numbers are doubled then.
    let mut bulk = world.bulk(&org, to_groups("Hi {{name}}", &[group.id])).await;
    for (groups, recipients) in [
        (vec![group.id, small.id], 25_001),
        (vec![group.id; 3], 75_000),
        (vec![group.id; 4], MOST),
        (vec![group.id, group.id, group.id, group.id, empty.id], MOST),
    ] {
        bulk.groups = groups;
        let found = world.directory.bulk_preview(&org.ctx, &bulk).await.unwrap();
        assert_eq!((found.recipients, found.is_complete), (recipients, true), "{:?}", bulk.groups);
        assert_eq!(found.sendable, recipients.min(25_000 + recipients % 2), "{:?}", bulk.groups);
        assert_eq!(found.sendable + found.doubled, recipients);
    }
    bulk.groups = vec![group.id, group.id, group.id, group.id, group.id, small.id];
    let found = world.directory.bulk_preview(&org.ctx, &bulk).await.unwrap();
    assert!((MOST..MOST + CHUNK).contains(&found.recipients), "{found:?}");
    assert_eq!((found.is_complete, found.sendable + found.doubled), (false, found.recipients));
    assert_eq!(found.doubled, found.sendable * 4);
    assert!(world.store().bulk(org.tenant, bulk.id).await.unwrap().is_some());
}

async fn lists_that_lie_apart_fill_a_commit_together<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let mut groups = Vec::new();
    for first in (0..3000).step_by(100) {
        groups.push(world.named_group(&org, (first..first + 100).map(|n| contact(n, "Kim"))).await.id);
    }
    let id = world.bulk(&org, to_groups("Hi {{name}}", &groups)).await.id;
    for made in [0, 2000, 3000] {
        assert!(world.directory.bulk_step(org.tenant, id, 1).await.unwrap());
        assert_eq!(world.found_bulk(&org, id).await.counts.queued, made);
    }
    assert!(!world.directory.bulk_step(org.tenant, id, 1).await.unwrap());
}

/// A step looks at the balance anew once somebody has gone without.
async fn who_goes_without_money_is_not_many<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    world.load_prices().await;
    world.credit(&org, cents(700)).await;
    let group = world.named_group(&org, (0..6000).map(|n| contact(n, "Kim"))).await;
    let id = world.bulk(&org, to_groups("Hi {{name}}", &[group.id])).await.id;
    for _ in 0..2 {
        assert!(world.directory.bulk_step(org.tenant, id, 16).await.unwrap());
    }
    let counts = world.found_bulk(&org, id).await.counts;
    assert_eq!(counts, BulkCounts { queued: 100, failed: 1900, ..BulkCounts::default() });
    world.credit(&org, cents(28_000)).await;
    world.run(&org, id).await;
    let counts = world.found_bulk(&org, id).await.counts;
    assert_eq!(counts, BulkCounts { queued: 4100, failed: 1900, ..BulkCounts::default() });
    world.is_counted(&org, id).await;
    assert_eq!(world.balance(&org).await, cents(0));
}

async fn a_step_of_many_commits_ends_when_its_bulk_is_paused<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.named_group(&org, (0..9000).map(|n| contact(n, "Kim"))).await;
    let id = world.bulk(&org, to_groups("Hi {{name}}", &[group.id])).await.id;
    assert!(world.directory.bulk_step(org.tenant, id, 1).await.unwrap());
    // It is paused when the first messages are there, so that the step is under way.
    let step = world.directory.bulk_step(org.tenant, id, 16);
    let pause = async {
        while world.found_bulk(&org, id).await.counts.queued == 0 {
            tokio::task::yield_now().await;
        }
        // All may have been made by then; a bulk that is sent can be paused too.
        world.steer(&org, id, BulkStatus::Paused).await.unwrap();
        world.found_bulk(&org, id).await.counts.queued
    };
    let (step, paused) = futures_util::future::join(step, pause).await;
    assert!(step.unwrap());
    assert_eq!(world.found_bulk(&org, id).await.counts.queued, paused);
    world.is_counted(&org, id).await;
    world.steer(&org, id, BulkStatus::Sending).await.unwrap();
    world.run(&org, id).await;
    assert_eq!(world.of_bulk(&org, id).await.len(), 9000);
    world.is_counted(&org, id).await;
}
