use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Serialize;
use utoipa::ToSchema;

use super::*;

#[derive(Clone, Serialize, ToSchema)]
struct Thing {
    id: i64,
    name: String,
}

impl Resource for Thing {
    const NAME: &'static str = "things";

    fn path(&self) -> String {
        format!("/things/{}", self.id)
    }
}

fn things(ids: std::ops::Range<i64>) -> Vec<Thing> {
    ids.map(|id| Thing { id, name: format!("\"{id}\"") }).collect()
}

fn failure() -> Error {
    Error::Internal("broken".to_owned())
}

/// The chunks of a streamed answer, and whether its end was reached.
async fn chunks(
    format: Format,
    pages: Vec<Result<Vec<Thing>, Error>>,
) -> Result<(Vec<String>, bool), crate::http::Failure> {
    let reply = stream_reply(format, "/things", 5, stream::iter(pages)).await?;
    let mut chunks = reply.into_chunks();
    let mut texts = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else {
            assert!(chunks.next().await.is_none(), "nothing follows a failure");
            return Ok((texts, false));
        };
        texts.push(String::from_utf8(chunk.to_vec()).unwrap());
    }
    Ok((texts, true))
}

#[tokio::test]
async fn pages_are_sent_one_by_one_and_make_one_document() {
    for format in [Format::Json, Format::JsonLd] {
        let pages = vec![Ok(things(1..3)), Ok(Vec::new()), Ok(things(3..6))];
        let (texts, ended) = chunks(format, pages).await.unwrap();
        assert!(ended);
        assert_eq!(texts.len(), 4);
        let streamed: Value = serde_json::from_str(&texts.concat()).unwrap();
        let members = match format {
            Format::Json => &streamed,
            Format::JsonLd => {
                assert_eq!(streamed["hydra:totalItems"], 5);
                &streamed["hydra:member"]
            }
        };
        assert_eq!(members.as_array().unwrap().len(), 5);
        insta::assert_snapshot!(texts.join("\n"));
    }
}

#[tokio::test]
async fn an_empty_stream_is_an_empty_collection() {
    for pages in [Vec::new(), vec![Ok(Vec::new())]] {
        let (texts, ended) = chunks(Format::Json, pages).await.unwrap();
        assert!(ended);
        assert_eq!(texts.concat(), "[]");
    }
}

#[tokio::test]
async fn a_failure_of_the_first_page_is_the_calls_and_a_later_one_ends_the_answer() {
    for format in [Format::Json, Format::JsonLd] {
        assert!(chunks(format, vec![Err(failure())]).await.is_err());
        let pages = vec![Ok(things(1..3)), Err(failure()), Ok(things(3..5))];
        let (texts, ended) = chunks(format, pages).await.unwrap();
        assert!(!ended && texts.len() == 1);
        assert!(serde_json::from_str::<Value>(&texts.concat()).is_err(), "what came is no whole document");
    }
}

#[tokio::test]
async fn a_page_is_read_when_the_one_before_is_taken() {
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let pages = stream::iter(0..100_i64).map(move |page| {
        counter.fetch_add(1, Ordering::SeqCst);
        Ok(things(page * 10..page * 10 + 10))
    });
    let reply = stream_reply(Format::Json, "/things", 1000, pages).await.unwrap();
    assert_eq!(read.load(Ordering::SeqCst), 1);
    let mut chunks = reply.into_chunks();
    for taken in 1..=20 {
        assert!(chunks.next().await.unwrap().is_ok());
        assert!(read.load(Ordering::SeqCst) <= taken + 1);
    }
}

#[test]
fn a_view_tells_the_way() {
    let view = |page, total| serde_json::to_string(&View::new("/things", "", page, total)).unwrap();
    let views =
        [view(1, 0), view(1, 30), view(1, 31), view(2, 31), view(2, 90), view(9, 31), view(u64::MAX, 1)];
    insta::assert_snapshot!(views.join("\n"));
    assert_eq!((slice(1).limit, slice(1).offset, slice(3).offset), (30, 0, 60));
    assert_eq!(slice(i64::MAX.unsigned_abs()).offset, u64::MAX);
}

#[test]
fn a_page_is_written_in_both_formats() {
    for format in [Format::Json, Format::JsonLd] {
        let reply = page_reply(format, "/things", &things(31..33), 2, 62).unwrap();
        insta::assert_snapshot!(String::from_utf8(reply.into_whole().to_vec()).unwrap());
    }
}

#[test]
fn what_is_written_is_what_is_published() {
    let mut schemas = Schemas::default();
    let content = list::<Thing>(&mut schemas);
    let users: Vec<&Value> = content.iter().map(|(_, schema)| schema).collect();
    let components = json!({"schemas": schemas.into_value(&users)});
    for (format, (kind, schema)) in [Format::Json, Format::JsonLd].into_iter().zip(content) {
        assert_eq!(kind, format.content_type());
        let mut schema = schema.clone();
        schema["components"] = components.clone();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for (page, total) in [(1, 0), (1, 90), (2, 90), (9, 90)] {
            let reply = page_reply(format, "/things", &things(1..3), page, total).unwrap();
            let body = serde_json::from_slice(&reply.into_whole()).unwrap();
            validator.validate(&body).unwrap();
        }
        assert!(!validator.is_valid(&json!([{"id": 1}])) && !validator.is_valid(&json!({"id": 1})));
    }
}
