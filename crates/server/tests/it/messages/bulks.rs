//! Bulks while they run.

use std::time::Duration;

use muster_domain::contact::{ContactGroupPatch, ContactPatch};
use muster_domain::message::{Bulk, BulkPatch, BulkStatus, NewBulk, PlaceholderStyle, SendWindow, SenderId};
use muster_domain::{BulkId, Draft, FieldErrors, Patch};

use super::carriers::beside;
use super::world::{OURS, World, wait_for};
use crate::webhooks::sink::{Reply, Sink};

impl World {
    /// Makes a bulk to a group of so many, whose numbers begin so.
    pub(super) async fn bulk(
        &self,
        begin: &str,
        count: usize,
        change: impl FnOnce(&mut BulkPatch),
    ) -> BulkId {
        let ctx = self.ctx(self.tenant).await;
        let contact = |n: usize| {
            let mut patch = ContactPatch {
                phone: Some(format!("{begin}{:07}", 2_000_000 + n)),
                ..ContactPatch::default()
            };
            patch.columns[0] = Patch::Set(format!("Kim {n}"));
            patch
        };
        let mut group =
            ContactGroupPatch { name: Some(format!("list {begin}")), ..ContactGroupPatch::default() };
        group.labels[0] = Patch::Set("name".to_owned());
        group.phones = Some((0..count).map(|n| (n.to_string(), contact(n))).collect());
        let group = self.directory.contact_group_create(&ctx, Draft::from(group)).await.unwrap();
        let mut patch = BulkPatch {
            sender: SenderId::read(OURS).ok(),
            text: Some("Hello {{name}}".to_owned()),
            groups: Some(vec![group.id]),
            ..BulkPatch::default()
        };
        change(&mut patch);
        let new = NewBulk { patch, style: PlaceholderStyle::Braces, is_dry_run: false, ip: None };
        self.directory.bulk_create(&ctx, Draft::from(new)).await.unwrap().id
    }

    pub(super) async fn found_bulk(&self, id: BulkId) -> Bulk {
        self.directory.bulk_get(&self.ctx(self.tenant).await, id).await.unwrap()
    }

    async fn steer(&self, id: BulkId, status: BulkStatus) {
        let ctx = self.ctx(self.tenant).await;
        let found = self.directory.bulk_get(&ctx, id).await.unwrap();
        self.directory.bulk_set_status(&ctx, found, status, None).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_to_a_group_goes_to_everybody_and_ends() {
    const COUNT: usize = 2500;
    let world = World::new().await;
    let running = world.run("[carriers.play]\nkind = \"sandbox\"\ndelay_ms = 20\n");
    let id = world.bulk("+49151", COUNT, |_| ()).await;
    wait_for(async || world.found_bulk(id).await.status == BulkStatus::Completed).await;
    wait_for(async || world.found_bulk(id).await.counts.delivered == COUNT as u64).await;
    wait_for(async || running.counts.handed_over.get() == COUNT as u64).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_is_paused_and_cancelled_while_it_runs() {
    const COUNT: usize = 1500;
    let world = World::new().await;
    let sink = Sink::answering(|_| Reply::Slow(Duration::from_millis(10)));
    let running = world.run(&beside(&sink, "window = 4"));
    let id = world.bulk("+49160", COUNT, |_| ()).await;
    wait_for(async || sink.hits().len() >= 20).await;
    world.steer(id, BulkStatus::Paused).await;
    // What was claimed goes out.
    let claimed = async || world.directory.message_work(world.tenant, None).await.unwrap().lost_at.is_some();
    wait_for(async || !claimed().await).await;
    let paused = sink.hits().len();
    assert!(paused < COUNT / 2, "{paused}");
    // Single messages of the tenant go on.
    let single = world.send("+491511230001").await;
    world.wait_delivered(single).await;
    assert_eq!(sink.hits().len(), paused);
    world.steer(id, BulkStatus::Sending).await;
    wait_for(async || sink.hits().len() >= paused + 20).await;
    world.steer(id, BulkStatus::Cancelled).await;
    wait_for(async || world.found_bulk(id).await.counts.queued == 0).await;
    let bulk = world.found_bulk(id).await;
    let sent = bulk.counts.sent + bulk.counts.delivered;
    assert_eq!(bulk.status, BulkStatus::Cancelled);
    assert_eq!(sent, sink.hits().len() as u64);
    assert_eq!(sent + bulk.counts.skipped, COUNT as u64);
    assert!(bulk.counts.skipped > 0);
    world.wait_idle().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_waits_for_its_time_and_its_window() {
    let world = World::new().await;
    let running = world.run("[carriers.play]\nkind = \"sandbox\"\ndelay_ms = 20\n");
    let now = world.directory.now();
    let scheduled = world
        .bulk("+49151", 5, |patch| patch.deliver_at = Patch::Set(now.plus(Duration::from_hours(1))))
        .await;
    // It opens ten hours from now, for an hour.
    let hour = (now.0 / 3_600_000_000 + 10) % 24;
    let [from, to] = [hour, (hour + 1) % 24].map(|hour| format!("{hour:02}:00"));
    let window = SendWindow::read(&from, &to, "UTC", "window", &mut FieldErrors::default());
    let windowed =
        world.bulk("+49152", 5, |patch| patch.window = window.map_or(Patch::Keep, Patch::Set)).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(running.counts.handed_over.get(), 0);
    world.advance(Duration::from_hours(1));
    wait_for(async || world.found_bulk(scheduled).await.status == BulkStatus::Completed).await;
    assert_eq!(world.found_bulk(windowed).await.counts.sent, 0);
    world.advance(Duration::from_hours(9));
    wait_for(async || world.found_bulk(windowed).await.status == BulkStatus::Completed).await;
    wait_for(async || running.counts.handed_over.get() == 10).await;
    running.stop().await;
}
