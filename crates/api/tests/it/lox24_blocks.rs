//! Addresses that send wrong keys are kept out of the LOX24 dialect for a while.

use std::time::Duration;

use muster_api::Settings;

use crate::lox24::Key;
use crate::support::World;

/// Sends a wrong key from an address.
async fn wrong(world: &World, peer: &str) -> u16 {
    let call = world.get("/me").from(peer).header("x-lox24-auth-token", "1000001:nonsense");
    call.send().await.status.as_u16()
}

async fn right(world: &World, peer: &str, key: &Key) -> u16 {
    world.get("/me").from(peer).key(key).send().await.status.as_u16()
}

#[tokio::test]
async fn four_wrong_keys_within_a_minute_block_an_address_for_ten() {
    let world = World::new().await;
    let key = world.key(&world.acme).await;
    for _ in 0..4 {
        assert_eq!(right(&world, "192.0.2.7", &key).await, 200);
        assert_eq!(wrong(&world, "192.0.2.7").await, 401);
    }
    insta::assert_snapshot!(world.get("/me").from("192.0.2.7").key(&key).send().await);
    // Whatever is asked for.
    for (method, path) in [("GET", "/me/x"), ("DELETE", "/me"), ("GET", "/groups/1/2/3"), ("POST", "/phones")]
    {
        let reply = world.call(method, path).from("192.0.2.7").send().await;
        assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, "600"), "{method} {path}");
        assert_eq!(reply.header("x-lox24-request-id").len(), 32);
    }
    // Nobody else, and nothing else.
    assert_eq!(right(&world, "192.0.2.8", &key).await, 200);
    assert_eq!(world.get("/v3/groups").from("192.0.2.7").send().await.status, 401);
    assert_eq!(world.get("/healthz").from("192.0.2.7").send().await.status, 200);

    world.advance(Duration::from_secs(599));
    let reply = world.get("/me").from("192.0.2.7").key(&key).send().await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, "1"));
    world.advance(Duration::from_secs(1));
    assert_eq!(right(&world, "192.0.2.7", &key).await, 200);
}

#[tokio::test]
async fn what_is_missing_is_not_wrong_and_three_are_forgiven() {
    let world = World::new().await;
    let key = world.key(&world.acme).await;
    for _ in 0..20 {
        assert_eq!(world.get("/me").send().await.status, 401);
        let no_key = world.get("/me").header("x-lox24-client-id", "1000001");
        assert_eq!(no_key.send().await.status, 401);
        assert_eq!(world.get("/me/x").header("x-lox24-auth-token", "1000001:x").send().await.status, 404);
    }
    for _ in 0..4 {
        for _ in 0..3 {
            assert_eq!(wrong(&world, "192.0.2.1").await, 401);
        }
        assert_eq!(right(&world, "192.0.2.1", &key).await, 200);
        world.advance(Duration::from_mins(1));
    }
}

#[tokio::test]
async fn behind_a_proxy_the_clients_address_counts() {
    let trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    let world = World::with(Settings { trusted_proxies, ..Settings::default() }).await;
    let key = world.key(&world.acme).await;
    let through = |peer: &str, client: &str| world.get("/me").from(peer).header("x-forwarded-for", client);
    for proxy in ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"] {
        let call = through(proxy, "198.51.100.7").header("x-lox24-auth-token", "nonsense");
        assert_eq!(call.send().await.status, 401);
    }
    assert_eq!(through("10.0.0.5", "198.51.100.7").key(&key).send().await.status, 429);
    assert_eq!(through("10.0.0.5", "198.51.100.8").key(&key).send().await.status, 200);
    assert_eq!(right(&world, "10.0.0.1", &key).await, 200);
    // Who is no proxy of ours blocks nobody but itself.
    for _ in 0..4 {
        let call = through("192.0.2.1", "198.51.100.8").header("x-lox24-auth-token", "nonsense");
        assert_eq!(call.send().await.status, 401);
    }
    assert_eq!(through("10.0.0.5", "198.51.100.8").key(&key).send().await.status, 200);
    assert_eq!(right(&world, "192.0.2.1", &key).await, 429);
}

#[tokio::test]
async fn the_numbers_can_be_set_and_the_limit_switched_off() {
    let settings =
        Settings { lox24_wrong_keys: 1, lox24_block: Duration::from_mins(2), ..Settings::default() };
    let world = World::with(settings).await;
    let key = world.key(&world.acme).await;
    assert_eq!([wrong(&world, "192.0.2.1").await, wrong(&world, "192.0.2.1").await], [401, 401]);
    assert_eq!(right(&world, "192.0.2.1", &key).await, 429);
    world.advance(Duration::from_mins(2));
    assert_eq!(right(&world, "192.0.2.1", &key).await, 200);

    let world = World::with(Settings { rate_limits: false, ..Settings::default() }).await;
    for _ in 0..10 {
        assert_eq!(wrong(&world, "192.0.2.1").await, 401);
    }
    let key = world.key(&world.acme).await;
    assert_eq!(right(&world, "192.0.2.1", &key).await, 200);
}
