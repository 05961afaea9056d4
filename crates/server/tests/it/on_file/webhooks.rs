//! The server is killed while it writes and sends.

use crate::place::Place;
use crate::webhooks::crash::nothing_is_lost_by_kills;

#[test]
fn webhooks_are_told_everything_although_the_server_is_killed() {
    nothing_is_lost_by_kills(Place::file(), 1, 2);
}
