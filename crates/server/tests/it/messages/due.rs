//! Messages that are scheduled, also by another process.

use std::time::Duration;

use super::world::{World, send_on, wait_for};

const PHONE: &str = "+491511230001";

#[tokio::test(flavor = "multi_thread")]
async fn messages_go_when_they_are_due_whoever_has_taken_them() {
    let world = World::new().await;
    let running = world.run("[carriers.play]\nkind = \"sandbox\"\ndelay_ms = 20\n");
    let other = world.beside().await;
    let due_at = world.directory.now().plus(Duration::from_millis(1500));
    let ours = world.send_for(world.tenant, PHONE, Some(due_at)).await;
    let theirs = send_on(&other, world.tenant, PHONE, Some(due_at)).await;
    let much_later = world.send_for(world.tenant, PHONE, Some(due_at.plus(Duration::from_hours(1)))).await;
    let at_once = send_on(&other, world.tenant, PHONE, None).await;
    for id in [at_once, ours, theirs] {
        world.wait_delivered(id).await;
    }
    for id in [ours, theirs] {
        let sent_at = world.found(world.tenant, id).await.handed_over_at.unwrap();
        // It is a few milliseconds when the machine has nothing else to do.
        assert!(due_at <= sent_at && sent_at < due_at.plus(Duration::from_secs(10)));
    }
    assert!(!world.found(world.tenant, much_later).await.is_sent());
    world.advance(Duration::from_hours(1));
    wait_for(async || world.found(world.tenant, much_later).await.is_sent()).await;
    running.stop().await;
}
