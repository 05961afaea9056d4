//! A commit whose answer is lost on the way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use muster_domain::org_unit::OrgUnitStore as _;
use muster_domain::{Batch, Store as _, StoreError};
use muster_store::Options;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::Backend as _;
use crate::support_postgres::Postgres;
use crate::world::{World, entry, unit_insert};

/// Passes on what goes to and fro. Once `cut` is set, the next commit gets to the database, and its connection ends before
/// the answer.
async fn proxy(database: String, cut: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&database).await.unwrap();
            tokio::spawn(pass_on(client, server, Arc::clone(&cut)));
        }
    });
    address
}

async fn pass_on(mut client: TcpStream, mut server: TcpStream, cut: Arc<AtomicBool>) {
    let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            sent = client.read(&mut up) => {
                let sent = &up[..sent.unwrap_or(0)];
                if sent.is_empty() || server.write_all(sent).await.is_err() {
                    return;
                }
                let commits = sent.windows(7).any(|window| window == b"COMMIT\0");
                if commits && cut.swap(false, Ordering::SeqCst) {
                    // The database shall have heard of it.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    return;
                }
            }
            answered = server.read(&mut down) => {
                let answered = &down[..answered.unwrap_or(0)];
                if answered.is_empty() || client.write_all(answered).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_neither_done_twice_nor_said_to_be_done() {
    let world = World::<Postgres>::new();
    let org = world.org("acme").await;
    let made = world.journal(&org).await.len();
    let options = world.backend.options();
    let place = options
        .url
        .split(['@', '/'])
        .find(|part| part.contains(':') && !part.ends_with(':'))
        .unwrap()
        .to_owned();
    let cut = Arc::new(AtomicBool::new(false));
    let proxy = proxy(place.clone(), Arc::clone(&cut)).await;
    let url = options.url.replace(&place, &proxy.to_string());
    let (store, _) = Postgres::open_with(&Options { url, ..options }).await.unwrap();

    for round in 0..3 {
        let unit = world.unit(&org, org.top, &format!("unit {round}")).await;
        let batch = Batch::new(org.tenant).change(unit_insert(&unit)).journal(entry(&org, unit.id));
        cut.store(true, Ordering::SeqCst);
        let outcome = store.commit(batch.clone()).await;
        assert!(
            matches!(&outcome, Err(StoreError::Unavailable(text)) if text.contains("not known")),
            "{outcome:?}"
        );
        // It was done, as it happens, and the next ones are.
        assert!(world.store().org_unit_located(org.tenant, unit.id).await.unwrap().is_some());
        store.commit(Batch::new(org.tenant).journal(entry(&org, round))).await.unwrap();
        assert_eq!(world.journal(&org).await.len(), made + 2 * (round + 1));
    }
    world.is_sound().await;
}
