//! Of two servers on one database, the one that sends is killed, and the other goes on.

use crate::place::Place;
use crate::webhooks::crash::nothing_is_lost_by_kills;

#[test]
fn webhooks_are_told_everything_although_servers_are_killed() {
    nothing_is_lost_by_kills(Place::on_postgres(), 2, 2);
}
