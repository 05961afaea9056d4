//! Collections: a bare array in JSON, a `hydra:Collection` in JSON-LD (LOX24 contract, section 1). A page is written
//! whole; what may be long is streamed.

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use http::StatusCode;
use muster_domain::{Error, Slice};
use serde::Serialize;
use serde_json::{Value, json};

use super::format::{Format, JSON_LD, Resource, context, linked_schema, write, write_member};
use crate::http::{Content, JSON, Outcome, Reply, Schemas};

/// Items on a page.
pub(super) const PAGE: u32 = 30;

/// What stands on a page.
pub(super) fn slice(page: u64) -> Slice {
    Slice { limit: PAGE, offset: page.saturating_sub(1).saturating_mul(u64::from(PAGE)) }
}

/// Which page of how many this is.
#[derive(Serialize)]
pub(super) struct View {
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(rename = "hydra:first")]
    first: String,
    #[serde(rename = "hydra:last")]
    last: String,
    #[serde(rename = "hydra:previous", skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    #[serde(rename = "hydra:next", skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl View {
    /// `kept` are the parameters of the query that all pages have, as they stand in a URL.
    fn new(path: &str, kept: &str, page: u64, total: u64) -> Self {
        let last = total.div_ceil(u64::from(PAGE)).max(1);
        let mark = if kept.is_empty() { "" } else { "&" };
        let at = |page: u64| format!("{path}?{kept}{mark}page={page}");
        Self {
            id: at(page),
            kind: "hydra:PartialCollectionView",
            first: at(1),
            last: at(last),
            // Beyond the end, the way back leads to the last page.
            previous: (page > 1).then(|| at((page - 1).min(last))),
            next: (page < last).then(|| at(page + 1)),
        }
    }
}

/// Writes a collection piece by piece.
pub(super) struct Writer {
    format: Format,
    written: bool,
}

impl Writer {
    /// Begins a collection of a type that stands at this path.
    pub(super) fn begin<T: Resource>(
        out: &mut Vec<u8>,
        format: Format,
        path: &str,
        total: u64,
    ) -> Result<Self, Error> {
        match format {
            Format::Json => out.push(b'['),
            Format::JsonLd => {
                out.extend_from_slice(b"{\"@context\":");
                write(out, &context(T::NAME))?;
                out.extend_from_slice(b",\"@id\":");
                write(out, &path)?;
                out.extend_from_slice(b",\"@type\":\"hydra:Collection\",\"hydra:totalItems\":");
                write(out, &total)?;
                out.extend_from_slice(b",\"hydra:member\":[");
            }
        }
        Ok(Self { format, written: false })
    }

    fn members<T: Resource>(&mut self, out: &mut Vec<u8>, items: &[T]) -> Result<(), Error> {
        for item in items {
            self.next(out);
            write_member(out, self.format, item)?;
        }
        Ok(())
    }

    /// Begins another member.
    pub(super) fn next(&mut self, out: &mut Vec<u8>) {
        if self.written {
            out.push(b',');
        }
        self.written = true;
    }

    pub(super) fn end(self, out: &mut Vec<u8>, view: Option<&View>) -> Result<(), Error> {
        out.push(b']');
        if self.format == Format::JsonLd {
            if let Some(view) = view {
                out.extend_from_slice(b",\"hydra:view\":");
                write(out, view)?;
            }
            out.push(b'}');
        }
        Ok(())
    }
}

/// A 200 with one page of a collection, whose other items are elsewhere.
pub(super) fn page_reply<T: Resource>(
    format: Format,
    path: &str,
    items: &[T],
    page: u64,
    total: u64,
) -> Outcome {
    filtered_reply(format, (path, ""), items, page, total)
}

/// As [`page_reply`], of a collection of which some is asked for: `place` is its path, and the parameters of the query
/// that all pages have.
pub(super) fn filtered_reply<T: Resource>(
    format: Format,
    place: (&str, &str),
    items: &[T],
    page: u64,
    total: u64,
) -> Outcome {
    let (path, kept) = place;
    let mut body = Vec::with_capacity(1024);
    let mut writer = Writer::begin::<T>(&mut body, format, path, total)?;
    writer.members(&mut body, items)?;
    writer.end(&mut body, Some(&View::new(path, kept, page, total)))?;
    Ok(Reply::of_kind(format.content_type(), StatusCode::OK, body))
}

/// A 200 with all of a collection, whose items come in `pages` and are sent as they come. `total` is how many there
/// are said to be before the first is read. A failure of the first page is the call's; a later one cuts the answer
/// off.
pub(super) async fn stream_reply<T: Resource + Send + 'static>(
    format: Format,
    path: &str,
    total: u64,
    pages: impl Stream<Item = Result<Vec<T>, Error>> + Send + 'static,
) -> Outcome {
    let mut pages = pages.boxed();
    let mut begin = Vec::with_capacity(1024);
    let mut writer = Writer::begin::<T>(&mut begin, format, path, total)?;
    if let Some(first) = pages.next().await {
        writer.members(&mut begin, &first?)?;
    }
    let rest = stream::unfold(Some((writer, pages)), |state| async move {
        let (mut writer, mut pages) = state?;
        let mut out = Vec::new();
        match pages.next().await {
            Some(Ok(items)) => match writer.members(&mut out, &items) {
                Ok(()) => Some((Ok(Bytes::from(out)), Some((writer, pages)))),
                Err(error) => Some((Err(error), None)),
            },
            Some(Err(error)) => Some((Err(error), None)),
            None => Some((writer.end(&mut out, None).map(|()| Bytes::from(out)), None)),
        }
    });
    let begin = stream::once(async move { Ok(Bytes::from(begin)) });
    Ok(Reply::stream(format.content_type(), StatusCode::OK, begin.chain(rest)))
}

/// The schemas of a collection.
pub(super) fn list<T: Resource>(schemas: &mut Schemas) -> Content {
    let plain = schemas.reference::<T>();
    let linked = linked_schema::<T>(schemas);
    let path = || json!({"type": "string", "format": "uri-reference"});
    let view = schemas.keep(
        "View.jsonld".to_owned(),
        json!({
            "type": "object",
            "description": "Which page this is, and where others are.",
            "properties": {
                "@id": path(),
                "@type": {"type": "string", "const": "hydra:PartialCollectionView"},
                "hydra:first": path(),
                "hydra:last": path(),
                "hydra:previous": path(),
                "hydra:next": path(),
            },
            "required": ["@id", "@type", "hydra:first", "hydra:last"],
        }),
    );
    let members = json!({"type": "array", "items": linked});
    let collection = schemas
        .keep(format!("{}Collection.jsonld", T::name()), collection_schema::<T>(&members, Some(&view)));
    vec![(JSON, json!({"type": "array", "items": plain})), (JSON_LD, collection)]
}

/// The schema of a collection with such members.
pub(super) fn collection_schema<T: Resource>(members: &Value, view: Option<&Value>) -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "@context": {"type": "string", "const": context(T::NAME)},
            "@id": {"type": "string", "format": "uri-reference"},
            "@type": {"type": "string", "const": "hydra:Collection"},
            "hydra:totalItems": {"type": "integer", "minimum": 0},
            "hydra:member": members,
        },
        "required": ["@context", "@id", "@type", "hydra:totalItems", "hydra:member"],
    });
    if let Some(view) = view {
        schema["properties"]["hydra:view"] = view.clone();
    }
    schema
}

#[cfg(test)]
mod tests;
