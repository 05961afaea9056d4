//! Message centres that do what none should: nothing of it may break, hang or fill us, and the connection comes back.

use std::sync::Arc;
use std::time::Duration;

use muster_carrier::{Event, Failed, State};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use crate::world::{World, ids, short, smpp};

const BIND_TRANSCEIVER_RESP: u32 = 0x8000_0009;
const SUBMIT_SM: u32 = 4;
const SUBMIT_SM_RESP: u32 = 0x8000_0004;
const DELIVER_SM: u32 = 5;
const DELIVER_SM_RESP: u32 = 0x8000_0005;
const GENERIC_NACK: u32 = 0x8000_0000;
const ENQUIRE_LINK: u32 = 0x15;

fn pdu(id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    let mut bytes: Vec<u8> = [length, id, status, sequence].into_iter().flat_map(u32::to_be_bytes).collect();
    bytes.extend(body);
    bytes
}

/// A PDU of ours: id, status, sequence, body.
async fn read(stream: &mut TcpStream) -> (u32, u32, u32, Vec<u8>) {
    let whole = async {
        let length = stream.read_u32().await.unwrap();
        let (id, status) = (stream.read_u32().await.unwrap(), stream.read_u32().await.unwrap());
        let sequence = stream.read_u32().await.unwrap();
        let mut body = vec![0; usize::try_from(length).unwrap() - 16];
        stream.read_exact(&mut body).await.unwrap();
        (id, status, sequence, body)
    };
    timeout(Duration::from_secs(20), whole).await.expect("nothing comes")
}

/// A listener, whose connections are bound when they are handed out.
struct Centre(TcpListener);

impl Centre {
    async fn new() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (Self(listener), port)
    }

    async fn bound(&self) -> TcpStream {
        let accepted = timeout(Duration::from_secs(20), self.0.accept()).await;
        let (mut stream, _) = accepted.expect("nobody connects").unwrap();
        let (_, _, sequence, _) = read(&mut stream).await;
        stream.write_all(&pdu(BIND_TRANSCEIVER_RESP, 0, sequence, b"smsc\0")).await.unwrap();
        stream
    }
}

/// Reads until the other side closes; then it has given us up.
async fn until_closed(stream: &mut TcpStream) {
    let mut bytes = vec![0; 4096];
    let closed = async { while stream.read(&mut bytes).await.is_ok_and(|length| length > 0) {} };
    timeout(Duration::from_secs(20), closed).await.expect("the connection is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_lengths_that_cannot_be_is_left_at_once() {
    let (centre, port) = Centre::new().await;
    let _world = World::new(&smpp(port, ""));
    for length in [0_u32, 15, 1_000_000, u32::MAX] {
        let mut stream = centre.bound().await;
        let mut bytes = length.to_be_bytes().to_vec();
        bytes.extend([0; 12]);
        stream.write_all(&bytes).await.unwrap();
        until_closed(&mut stream).await;
    }
    drop(centre.bound().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_a_bind_with_garbage_or_not_at_all_is_left() {
    let (centre, port) = Centre::new().await;
    let world = World::new(&smpp(port, "connect_timeout_ms = 500"));
    for answer in [
        vec![],
        b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
        pdu(BIND_TRANSCEIVER_RESP, 0x0E, 1, b""),
        pdu(GENERIC_NACK, 3, 1, b""),
        pdu(ENQUIRE_LINK, 0, 1, b""),
    ] {
        let (mut stream, _) = centre.0.accept().await.unwrap();
        // It may have closed already.
        _ = stream.write_all(&answer).await;
        until_closed(&mut stream).await;
        assert_eq!(world.smpp().bound(), 0);
    }
    // The next who answers well is bound; one of them may be too slow for that.
    let answer = async {
        let mut streams = Vec::new();
        loop {
            let (mut stream, _) = centre.0.accept().await.unwrap();
            _ = stream.write_all(&pdu(BIND_TRANSCEIVER_RESP, 0, 1, b"smsc\0")).await;
            streams.push(stream);
        }
    };
    tokio::select! {
        () = answer => {}
        () = world.wait_bound(1) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_commands_and_broken_bodies_are_answered_and_the_connection_goes_on() {
    let (centre, port) = Centre::new().await;
    let mut world = World::new(&smpp(port, ""));
    let mut stream = centre.bound().await;
    stream.write_all(&pdu(0x0000_0BAD, 0, 7, b"what")).await.unwrap();
    assert_eq!(read(&mut stream).await, (GENERIC_NACK, 3, 7, vec![]));
    // data_sm, which is not served, and is no fault of the message centre either.
    for _ in 0..100 {
        stream.write_all(&pdu(0x103, 0, 8, b"\0")).await.unwrap();
        assert_eq!(read(&mut stream).await, (0x8000_0103, 0x66, 8, vec![0]));
    }
    // Answers to nothing, and a deliver_sm that breaks off.
    stream.write_all(&pdu(SUBMIT_SM_RESP, 0, 99, b"id\0")).await.unwrap();
    stream.write_all(&pdu(0x8000_0BAD, 0, 99, b"")).await.unwrap();
    stream.write_all(&pdu(DELIVER_SM, 0, 9, b"\0\x01\x01491")).await.unwrap();
    assert_eq!(read(&mut stream).await, (DELIVER_SM_RESP, 0x66, 9, vec![0]));
    // A receipt about nothing is taken, or it would come for ever.
    let body = b"\0\x01\x01491\0\0\x00123\0\x04\0\0\0\0\0\0\0\0\x05hello";
    stream.write_all(&pdu(DELIVER_SM, 0, 10, body)).await.unwrap();
    assert_eq!(read(&mut stream).await, (DELIVER_SM_RESP, 0, 10, vec![0]));
    // One whose optional parameters are odd: an id without its NUL, a length beyond the end.
    let mut body = b"\0\x01\x01491\0\0\x00123\0\x04\0\0\0\0\0\0\0\0\x00".to_vec();
    body.extend(b"\x00\x1e\x00\x02m7\x04\x27\x00\x01\x02\x14\x00\x00\xffx");
    stream.write_all(&pdu(DELIVER_SM, 0, 11, &body)).await.unwrap();
    let Event::Receipt(receipt) = world.event().await else { panic!("it is no receipt") };
    assert_eq!((receipt.id.as_str(), receipt.state), ("m7", State::Delivered));
    assert_eq!(read(&mut stream).await, (DELIVER_SM_RESP, 0, 11, vec![0]));
    // And messages still go.
    let (handed_over, ()) = tokio::join!(world.submit(short("+491512345678")), async {
        let (id, _, sequence, _) = read(&mut stream).await;
        assert_eq!(id, SUBMIT_SM);
        stream.write_all(&pdu(SUBMIT_SM_RESP, 0, sequence, b"no-nul")).await.unwrap();
    });
    assert_eq!(ids(handed_over.unwrap()), ["no-nul"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_much_of_what_is_no_smpp_is_left() {
    let (centre, port) = Centre::new().await;
    let _world = World::new(&smpp(port, ""));
    let mut stream = centre.bound().await;
    for sequence in 0..100 {
        // It may have closed already.
        _ = stream.write_all(&pdu(0x0000_0BAD, 0, sequence, b"what")).await;
    }
    until_closed(&mut stream).await;
    drop(centre.bound().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_does_not_read_is_left() {
    let (centre, port) = Centre::new().await;
    let _world = World::new(&smpp(port, "response_timeout_ms = 500"));
    let mut stream = centre.bound().await;
    let ask = pdu(ENQUIRE_LINK, 0, 1, b"").repeat(1000);
    let flood = async { while stream.write_all(&ask).await.is_ok() {} };
    timeout(Duration::from_secs(20), flood).await.expect("the connection is kept");
    drop(centre.bound().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_was_not_written_was_not_handed_over() {
    let (centre, port) = Centre::new().await;
    let world =
        World::new(&smpp(port, "response_timeout_ms = 500\nwindow = 10000\nqueue_timeout_ms = 60000"));
    let stream = centre.bound().await;
    world.wait_bound(1).await;
    // Nothing is read there, so that some of it stays here: that is known for certain.
    let all = (0..10_000).map(|_| world.submit(short("+491512345678")));
    let all = futures_util::future::join_all(all).await;
    let count = |is: fn(&Failed) -> bool| all.iter().filter(|one| one.as_ref().is_err_and(is)).count();
    let unknown = count(|failed| matches!(failed, Failed::Unknown { .. }));
    assert_eq!(unknown + count(|failed| matches!(failed, Failed::Unavailable(_))), 10_000);
    assert!(unknown > 0, "what was written is unknown");
    drop(stream);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_pdu_and_silence_is_noticed() {
    let (centre, port) = Centre::new().await;
    let _world = World::new(&smpp(port, "enquire_interval_ms = 200\nresponse_timeout_ms = 300"));
    let mut stream = centre.bound().await;
    stream.write_all(&pdu(DELIVER_SM, 0, 1, b"\0\x01\x01491")[..20]).await.unwrap();
    until_closed(&mut stream).await;
    drop(centre.bound().await);
}

/// Whole PDUs of random ids and bodies, and pieces of them.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        GENERIC_NACK,
        SUBMIT_SM_RESP,
        DELIVER_SM,
        DELIVER_SM,
        DELIVER_SM,
        ENQUIRE_LINK,
        0x8000_0015,
        SUBMIT_SM,
        0x102,
        0x103,
    ]);
    let id = prop_oneof![9 => known, 1 => any::<u32>()];
    let one = (
        id,
        prop_oneof![Just(0_u32), any::<u32>()],
        0..200_u32,
        prop::collection::vec(any::<u8>(), 0..80),
        0..20_u8,
    );
    let one = one.prop_map(|(id, status, sequence, body, cut)| {
        let mut bytes = pdu(id, status, sequence, &body);
        if cut == 0 {
            bytes.truncate(bytes.len() / 2);
        }
        bytes
    });
    prop::collection::vec(one, 1..40).prop_map(|all| all.concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_breaks_nothing() {
    let (centre, port) = Centre::new().await;
    let mut world = World::new(&smpp(
        port,
        "response_timeout_ms = 1000\nreconnect_first_ms = 1\nreconnect_longest_ms = 2",
    ));
    let mut runner = TestRunner::deterministic();
    for _ in 0..60 {
        let bytes = noise().new_tree(&mut runner).unwrap().current();
        let mut stream = centre.bound().await;
        // It may close before the end.
        _ = stream.write_all(&bytes).await;
        sleep(Duration::from_millis(5)).await;
    }
    // Whatever was read of it is to be had, and then the carrier works.
    let mut stream = centre.bound().await;
    world.wait_bound(1).await;
    while let Ok(Some(report)) = timeout(Duration::from_millis(50), world.reports.next()).await {
        report.ack.stored();
    }
    let (handed_over, ()) = tokio::join!(world.submit(short("+491512345678")), async {
        loop {
            let (id, _, sequence, _) = read(&mut stream).await;
            if id == SUBMIT_SM {
                stream.write_all(&pdu(SUBMIT_SM_RESP, 0, sequence, b"m1\0")).await.unwrap();
                break;
            }
        }
    });
    assert_eq!(ids(handed_over.unwrap()), ["m1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_storm_everything_is_answered_and_what_is_stored_with_success() {
    let (centre, port) = Centre::new().await;
    let world = World::new(&smpp(port, "window = 1"));
    let mut stream = centre.bound().await;
    let body = b"\0\x01\x01491\0\0\x00123\0\0\0\0\0\0\0\0\0\0\x02Hi";
    let storm: Vec<u8> = (1..=3000).flat_map(|sequence| pdu(DELIVER_SM, 0, sequence, body)).collect();
    let World { carriers, carrier, mut reports } = world;
    let store = tokio::spawn(async move {
        let mut stored = 0;
        while let Some(report) = reports.next().await {
            report.ack.stored();
            stored += 1;
        }
        stored
    });
    stream.write_all(&storm).await.unwrap();
    let mut taken = 0;
    for _ in 0..3000 {
        let (id, status, _, _) = read(&mut stream).await;
        assert!(id == DELIVER_SM_RESP && matches!(status, 0 | 0x64), "{id:x} {status:x}");
        taken += u32::from(status == 0);
    }
    drop((stream, carriers, carrier));
    assert_eq!(store.await.unwrap(), taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_connection_has_a_place_first_is_used() {
    let (centre, port) = Centre::new().await;
    let world = Arc::new(World::new(&smpp(port, "binds = 2\nwindow = 1\nqueue_timeout_ms = 20000")));
    let mut streams = [centre.bound().await, centre.bound().await];
    world.wait_bound(2).await;
    let submit = || {
        let world = Arc::clone(&world);
        tokio::spawn(async move { world.submit(short("+491512345678")).await })
    };
    for first in [0, 1] {
        let submits = [submit(), submit()];
        let [one, two] = &mut streams;
        let (one, two) = tokio::join!(read(one), read(two));
        let waiting = submit();
        sleep(Duration::from_millis(200)).await;
        let sequences = [one.2, two.2];
        let answer = |index: usize| pdu(SUBMIT_SM_RESP, 0, sequences[index], b"m\0");
        streams[first].write_all(&answer(first)).await.unwrap();
        let (_, _, sequence, _) = read(&mut streams[first]).await;
        streams[first].write_all(&pdu(SUBMIT_SM_RESP, 0, sequence, b"m\0")).await.unwrap();
        streams[1 - first].write_all(&answer(1 - first)).await.unwrap();
        for submit in submits.into_iter().chain([waiting]) {
            submit.await.unwrap().unwrap();
        }
    }
}
