//! Media prompts through the Convirza dialect: files go in and come out, and nothing is left of what goes wrong.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use muster_domain::media::MediaStore as _;
use muster_domain::secret::hex;
use muster_domain::user::Role;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::cases::in_path;
use crate::support::{Call, Reply, World};

const PATH: &str = "/v3/media-prompts";
const BOUNDARY: &str = "a-boundary";
const MIB: usize = 1024 * 1024;

/// Silence of so many seconds: 8,000 samples a second, each of 2 bytes.
fn wav(seconds: u32) -> Vec<u8> {
    let bytes = seconds * 16_000;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend(bytes.to_le_bytes());
    file.resize(file.len() + bytes as usize, 7);
    file
}

/// A form with these texts and this file, if there is one.
fn form(texts: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, text) in texts {
        let head =
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
        body.extend(head.as_bytes());
    }
    if let Some((name, content)) = file {
        let head = "Content-Type: application/octet-stream\r\n";
        let name = format!("Content-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n");
        body.extend(format!("--{BOUNDARY}\r\n{name}{head}\r\n").as_bytes());
        body.extend(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn upload<'a>(world: &'a World, token: &str, body: impl Into<Body>) -> Call<'a> {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    world.call("POST", PATH).raw(body).header("content-type", &kind).bearer(token)
}

/// Makes a call one with a form, whose texts are the fields of an object, and whose file is a second of silence.
pub(crate) fn with_file<'a>(call: Call<'a>, texts: &Value) -> Call<'a> {
    let text = |(name, value): (&String, &Value)| (name.clone(), in_path(value));
    let texts: Vec<(String, String)> = texts.as_object().into_iter().flatten().map(text).collect();
    let texts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    call.raw(form(&texts, Some(("a.wav", &wav(1))))).header("content-type", &kind)
}

/// A prompt of a second; its id.
pub(crate) async fn prompt(world: &World, token: &str, texts: &[(&str, &str)]) -> i64 {
    let reply = upload(world, token, form(texts, Some(("hello.wav", &wav(1))))).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply}");
    reply.body["data"]["promptId"].as_i64().unwrap()
}

/// How many files the media folder holds, whatever they are called.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let each = entries.map(|entry| entry.unwrap().path());
    each.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

fn kept(world: &World) -> usize {
    files(&world.folder().join("media"))
}

/// The marks of objects that nothing refers to.
async fn marks(world: &World) -> usize {
    let far = world.directory().now().plus(Duration::from_hours(48));
    world.directory().store.objects_to_remove(far, 100).await.unwrap().len()
}

/// Nothing was kept of a refused upload.
async fn nothing_is_left(world: &World, token: &str) {
    assert_eq!((kept(world), marks(world).await), (0, 0));
    let list = world.get(PATH).bearer(token).send().await;
    assert_eq!(list.body["data"], json!({"media_prompts": [], "total": 0}));
}

async fn content(world: &World, token: &str, id: i64, range: &str) -> Reply {
    let call = world.get(&format!("{PATH}/{id}/content")).bearer(token);
    if range.is_empty() { call.send().await } else { call.header("range", range).send().await }
}

#[tokio::test]
async fn a_prompt_is_uploaded_listed_read_and_deleted() {
    let world = World::new().await;
    let ada = world.admin().await;
    let texts = [("message_type", "whisper"), ("prompt_name", " Hello "), ("org_unit_id", "1002")];
    let file = wav(2);
    // The name says something else than the content.
    let body = form(&texts, Some(("C:\\sounds\\Gr\u{fc}\u{df}e.mp3", &file)));
    insta::assert_snapshot!(upload(&world, &ada, body).send().await);
    insta::assert_snapshot!(world.get(PATH).bearer(&ada).send().await);
    let whole = content(&world, &ada, 1, "").await;
    assert_eq!((whole.status, whole.header("content-type")), (StatusCode::OK, "audio/wav"), "{whole}");
    assert_eq!(whole.header("content-length"), file.len().to_string());
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    let disposition = "attachment; filename=\"Gr__e.mp3\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.mp3";
    assert_eq!(whole.header("content-disposition"), disposition);
    assert_eq!(whole.header("etag"), format!("\"{}\"", hex(&Sha256::digest(&file))));
    assert_eq!(whole.body, json!(String::from_utf8_lossy(&file)));
    assert_eq!((kept(&world), marks(&world).await), (1, 0));
    let head = world.call("HEAD", &format!("{PATH}/1/content")).bearer(&ada).send().await;
    assert_eq!(head.header("content-length"), file.len().to_string());
    insta::assert_snapshot!(world.delete(&format!("{PATH}/1")).bearer(&ada).send().await);
    assert_eq!(world.delete(&format!("{PATH}/1")).bearer(&ada).send().await.status, 404);
    assert_eq!(content(&world, &ada, 1, "").await.status, 404);
    nothing_is_left(&world, &ada).await;
    let said = world.journal().await;
    let kinds: Vec<&str> = said.iter().rev().take(2).map(|record| record.kind.as_str()).collect();
    assert_eq!(kinds, ["media_prompt.deleted", "media_prompt.created"]);
}

#[tokio::test]
async fn parts_are_sent_as_they_are_asked_for() {
    let world = World::new().await;
    let ada = world.admin().await;
    let id = prompt(&world, &ada, &[("message_type", "prompt")]).await;
    let size = wav(1).len();
    for (range, first, last) in [
        ("bytes=0-3", 0, 3),
        ("bytes=44-", 44, size - 1),
        ("bytes=-10", size - 10, size - 1),
        ("bytes=8-99999999", 8, size - 1),
    ] {
        let part = content(&world, &ada, id, range).await;
        assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{range}: {part}");
        assert_eq!(part.header("content-range"), format!("bytes {first}-{last}/{size}"));
        assert_eq!(part.header("content-length"), (last + 1 - first).to_string());
        assert_eq!(part.body, json!(String::from_utf8_lossy(&wav(1)[first..=last])));
    }
    insta::assert_snapshot!(content(&world, &ada, id, "bytes=99999-").await);
    assert_eq!(content(&world, &ada, id, &format!("bytes={size}-")).await.status, 416);
    for whole in ["bytes=0-1,4-5", "lines=1-2", "bytes=9-3"] {
        assert_eq!(content(&world, &ada, id, whole).await.status, 200, "{whole}");
    }
    let etag = content(&world, &ada, id, "").await.header("etag").to_owned();
    let call = || world.get(&format!("{PATH}/{id}/content")).bearer(&ada);
    assert_eq!(call().header("if-none-match", &etag).send().await.status, 304);
    let of = |version: &str| call().header("range", "bytes=0-3").header("if-range", version);
    assert_eq!(of(&etag).send().await.status, 206);
    assert_eq!(of("\"other\"").send().await.status, 200);
    assert_eq!(of(&format!("W/{etag}")).send().await.status, 200);
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_kept() {
    let world = World::new().await;
    let ada = world.admin().await;
    let good = wav(1);
    insta::assert_snapshot!(upload(&world, &ada, form(&[], None)).send().await);
    let long = "x".repeat(256);
    let text = b"just some text, whatever it is called".as_slice();
    for (texts, file, fields) in [
        (vec![("message_type", "prompt")], Some(("fake.wav", text)), vec!["file"]),
        (vec![("message_type", "prompt")], Some(("empty.wav", b"".as_slice())), vec!["file"]),
        (vec![("message_type", "jingle")], Some(("a.wav", &good)), vec!["message_type"]),
        (
            vec![("message_type", "Prompt"), ("prompt_name", " ")],
            Some(("a.wav", text)),
            vec!["file", "message_type", "prompt_name"],
        ),
        (vec![("message_type", "survey"), ("org_unit_id", "x")], Some(("a.wav", &good)), vec!["org_unit_id"]),
        (
            vec![("message_type", "survey"), ("org_unit_id", "99999")],
            Some(("a.wav", &good)),
            vec!["org_unit_id"],
        ),
        (
            vec![("message_type", "survey"), ("prompt_name", &long)],
            Some(("a.wav", &good)),
            vec!["prompt_name"],
        ),
    ] {
        let reply = upload(&world, &ada, form(&texts, file)).send().await;
        assert_eq!((reply.status.as_u16(), reply.fields()), (400, fields), "{texts:?}: {reply}");
    }
    let mut twice = form(&[("message_type", "prompt")], Some(("a.wav", &good)));
    twice.truncate(twice.len() - BOUNDARY.len() - 6);
    twice.extend(form(&[], Some(("b.wav", &good))));
    let reply = upload(&world, &ada, twice).send().await;
    assert_eq!((reply.status.as_u16(), reply.fields()), (400, vec!["file"]), "{reply}");
    nothing_is_left(&world, &ada).await;
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    let world = World::new().await;
    let ada = world.admin().await;
    insta::assert_snapshot!(world.post(PATH, json!({})).bearer(&ada).send().await);
    let body = form(&[("message_type", "prompt")], Some(("a.wav", &wav(1))));
    let call =
        |kind: &str| world.call("POST", PATH).raw(body.clone()).header("content-type", kind).bearer(&ada);
    assert_eq!(call("multipart/form-data").send().await.status, 400, "no boundary");
    assert_eq!(call("multipart/mixed; boundary=x").send().await.status, 415);
    assert_eq!(call("multipart/form-data; boundary=other").send().await.status, 400);
    let broken = body[..body.len() - 10_000].to_vec();
    for body in [broken, b"nonsense".to_vec(), Vec::new(), format!("--{BOUNDARY}\r\n").into_bytes()] {
        let reply = upload(&world, &ada, body).send().await;
        assert_eq!(reply.status, 400, "{reply}");
    }
    let long = "x".repeat(20_000);
    assert_eq!(upload(&world, &ada, form(&[("prompt_name", &long)], None)).send().await.status, 413);
    nothing_is_left(&world, &ada).await;
}

#[tokio::test]
async fn a_file_has_at_most_fifty_megabytes() {
    let world = World::new().await;
    let ada = world.admin().await;
    let mut file = wav(1);
    file.resize(50 * MIB, 0);
    let texts = [("message_type", "voicemail")];
    let reply = upload(&world, &ada, form(&texts, Some(("long.wav", &file)))).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply}");
    let row = &world.get(PATH).bearer(&ada).send().await.body["data"]["media_prompts"][0];
    assert_eq!(row["size_bytes"], 50 * MIB);
    assert_eq!(row["checksum_sha256"], hex(&Sha256::digest(&file)));
    let part = content(&world, &ada, 1, "bytes=-4").await;
    assert_eq!(part.header("content-range"), format!("bytes {}-{}/{}", 50 * MIB - 4, 50 * MIB - 1, 50 * MIB));
    assert_eq!(world.delete(&format!("{PATH}/1")).bearer(&ada).send().await.status, 200);
    file.push(0);
    insta::assert_snapshot!(upload(&world, &ada, form(&texts, Some(("long.wav", &file)))).send().await);
    nothing_is_left(&world, &ada).await;
}

#[tokio::test]
async fn a_body_that_says_it_is_too_long_is_refused_at_once() {
    let world = World::new().await;
    let ada = world.admin().await;
    // It is a form as far as its head goes, and no sound: that it is too long is told first.
    let body = Bytes::from(vec![b'x'; 51 * MIB]);
    let reply = upload(&world, &ada, body).send().await;
    assert_eq!(reply.status, 413, "{reply}");
    nothing_is_left(&world, &ada).await;
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let world = World::new().await;
    let ada = world.admin().await;
    let body = form(&[("message_type", "prompt")], Some(("a.wav", &wav(60))));
    let pieces: Vec<Result<Bytes, std::io::Error>> = body[..body.len() / 2]
        .chunks(64 * 1024)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .chain([Err(std::io::ErrorKind::ConnectionReset.into())])
        .collect();
    let reply = upload(&world, &ada, Body::from_stream(stream::iter(pieces))).send().await;
    assert_eq!(reply.status, 400, "{reply}");
    nothing_is_left(&world, &ada).await;
}

/// The client goes away, and with it the request: what it leaves is removed when its time has come.
#[tokio::test]
async fn what_a_lost_client_leaves_is_removed_later() {
    let world = World::new().await;
    let ada = world.admin().await;
    let body = form(&[("message_type", "prompt")], Some(("a.wav", &wav(60))));
    let half = Bytes::copy_from_slice(&body[..body.len() / 2]);
    let stuck = stream::once(async move { Ok::<_, std::io::Error>(half) });
    let stuck = futures_util::StreamExt::chain(stuck, stream::pending());
    let lost = upload(&world, &ada, Body::from_stream(stuck)).send();
    let begun = async {
        while marks(&world).await == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = begun => {}
        reply = lost => panic!("half a form is answered: {reply}"),
    }
    let media = &world.service.app().media;
    assert_eq!(world.directory().objects_reap(media).await.unwrap(), 0, "it may still be coming in");
    world.advance(Duration::from_hours(25));
    assert_eq!(world.directory().objects_reap(media).await.unwrap(), 1);
    assert_eq!((kept(&world), marks(&world).await), (0, 0));
    assert_eq!(world.directory().objects_reap(media).await.unwrap(), 0);
}

#[tokio::test]
async fn who_is_in_a_branch_has_the_prompts_of_that_branch() {
    let world = World::new().await;
    world.user("stan@acme.example", Role::Standard, 1001).await;
    world.user("rea@acme.example", Role::ReadOnly, 1001).await;
    let ada = world.admin().await;
    let (stan, rea) = (world.token("stan@acme.example").await, world.token("rea@acme.example").await);
    let top = prompt(&world, &ada, &[("message_type", "prompt")]).await;
    let own = prompt(&world, &stan, &[("message_type", "prompt")]).await;
    for token in [&stan, &rea] {
        let list = world.get(PATH).bearer(token).send().await;
        assert_eq!(list.body["data"]["total"], 1);
        let row = &list.body["data"]["media_prompts"][0];
        assert_eq!((&row["prompt_id"], &row["org_unit_id"]), (&json!(own), &json!(1001)));
        assert_eq!(row["prompt_name"], "hello.wav", "without a name it is called like its file");
        assert_eq!(content(&world, token, own, "").await.status, 200);
        assert_eq!(content(&world, token, top, "").await.status, 404);
    }
    let body = || form(&[("message_type", "prompt"), ("org_unit_id", "1000")], Some(("a.wav", &wav(1))));
    assert_eq!(upload(&world, &rea, body()).send().await.status, 403);
    assert_eq!(upload(&world, &stan, body()).send().await.fields(), ["org_unit_id"]);
    assert_eq!(world.delete(&format!("{PATH}/{top}")).bearer(&stan).send().await.status, 404);
    assert_eq!(world.delete(&format!("{PATH}/{own}")).bearer(&rea).send().await.status, 403);
    assert_eq!(kept(&world), 2);
}

#[tokio::test]
async fn the_objects_of_a_deleted_tenant_are_removed() {
    let world = World::new().await;
    let other = world.tenant("Other", "olga@other.example").await;
    let (ada, olga) = (world.admin().await, world.token("olga@other.example").await);
    for token in [&ada, &olga, &olga] {
        prompt(&world, token, &[("message_type", "prompt")]).await;
    }
    world.directory().tenant_delete(other.tenant(), |_| {}).await.unwrap();
    assert_eq!((kept(&world), marks(&world).await), (3, 2));
    assert_eq!(world.directory().objects_reap(&world.service.app().media).await.unwrap(), 2);
    assert_eq!((kept(&world), marks(&world).await), (1, 0));
    assert_eq!(content(&world, &ada, 1, "").await.status, 200);
}

/// An object that is lost is a fault of ours, and says so; its prompt can be deleted.
#[tokio::test]
async fn a_lost_object_is_told() {
    let world = World::new().await;
    let ada = world.admin().await;
    let id = prompt(&world, &ada, &[("message_type", "prompt")]).await;
    std::fs::remove_dir_all(world.folder().join("media")).unwrap();
    std::fs::create_dir(world.folder().join("media")).unwrap();
    assert_eq!(content(&world, &ada, id, "").await.status, 500);
    assert_eq!(world.delete(&format!("{PATH}/{id}")).bearer(&ada).send().await.status, 200);
    nothing_is_left(&world, &ada).await;
}
