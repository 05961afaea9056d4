//! More bulks, and longer ones, than are looked at in one go.

use muster_domain::message::{
    Bulk, BulkField, BulkStatus, BulkStore as _, Filter, ListQuery, MessageWork, bulk_limits,
};
use muster_domain::{BulkId, Change, Slice};
use uuid::Uuid;

use crate::bulk_books::{contact, mobile, to_groups, to_phones};
use crate::support::Backend;
use crate::world::{Org, World};

contract![
    bulks_that_cannot_go_on_hide_none_behind_them,
    a_list_has_the_first_numbers_of_each_bulk,
    a_preview_ends_after_so_many_recipients,
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
    world.backend.tamper(&format!("UPDATE bulks SET queued = 1, expand_source = -2 WHERE id <= {last}"));
    let look = async |after| world.directory.message_work_after(org.tenant, after).await.unwrap();
    let begin = look(None).await;
    assert_eq!((begin.steps, begin.lanes), (vec![], vec![]));
    let after = begin.bulks_after;
    assert_eq!(after.map(|(_, id)| id), Some(*last));
    let end = look(after).await;
    assert_eq!((end.steps, end.lanes, end.bulks_after), (free.to_vec(), vec![], None));
    assert_eq!(world.directory.message_work(org.tenant).await.unwrap().bulks_after, after);
    let others = world.directory.message_work_after(other.tenant, after).await.unwrap();
    assert_eq!(others, MessageWork::default());
}

async fn a_list_has_the_first_numbers_of_each_bulk<B: Backend>() {
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let shown = bulk_limits::PHONES_LISTED;
    // As long as numbers can be, and as short, so that more of them are in as many letters.
    let long: Vec<String> = (0..150).map(|n| format!("+8821234567{:05}", 10_000 + n)).collect();
    let mut with_long = to_phones("hello", 0..0);
    with_long.patch.phones = Some(long.clone());
    let bulks = [
        world.bulk(&org, to_phones("hello", 0..shown)).await,
        world.bulk(&org, to_phones("hello", 0..2 * shown)).await,
        world.bulk(&org, with_long).await,
    ];
    let query = ListQuery {
        filter: Filter::default(),
        by: BulkField::Id,
        is_descending: false,
        slice: Slice { limit: 9, offset: 0 },
    };
    let listed = world.directory.bulk_list(&org.ctx, query).await.unwrap().items;
    for (bulk, listed) in bulks.iter().zip(&listed) {
        assert_eq!(listed.phones, bulk.phones[..shown]);
        assert_eq!(Bulk { phones: bulk.phones.clone(), ..listed.clone() }, *bulk);
        assert_eq!(world.found_bulk(&org, bulk.id).await, *bulk);
    }
    assert_eq!(listed[0].phones.last().unwrap().as_str(), mobile(shown - 1));
    assert_eq!(listed[2].phones.last().unwrap().as_str(), long[shown - 1]);
}

async fn a_preview_ends_after_so_many_recipients<B: Backend>() {
    const GROUP: usize = 25_000;
    const MOST: u64 = 100_000;
    let world = World::<B>::new();
    let org = world.org("acme").await;
    let group = world.named_group(&org, (0..GROUP).map(|n| contact(n, "Kim"))).await;
    let small = world.named_group(&org, [contact(GROUP, "Lee")]).await;
    let empty = world.named_group(&org, []).await;
    // A group counts as often as it is named, which only a store can do; its numbers are doubled then.
    let mut bulk = world.bulk(&org, to_groups("Hi {{name}}", &[group.id])).await;
    for (groups, recipients, is_complete, sendable) in [
        (vec![group.id, small.id], 25_001, true, 25_001),
        (vec![group.id; 4], MOST, true, 25_000),
        (vec![group.id, group.id, group.id, group.id, empty.id], MOST, true, 25_000),
        (vec![group.id, group.id, group.id, group.id, small.id], MOST, false, 25_000),
        (vec![small.id, group.id, group.id, group.id, group.id, empty.id], MOST, false, 25_001),
    ] {
        bulk.groups = groups;
        let found = world.directory.bulk_preview(&org.ctx, &bulk).await.unwrap();
        let seen = (found.recipients, found.is_complete, found.sendable, found.doubled);
        assert_eq!(seen, (recipients, is_complete, sendable, recipients - sendable), "{:?}", bulk.groups);
    }
    assert!(world.store().bulk(org.tenant, bulk.id).await.unwrap().is_some());
}
