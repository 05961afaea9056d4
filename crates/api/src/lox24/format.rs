//! The two formats of every resource: JSON, and JSON-LD with Hydra (LOX24 contract, section 1). A resource is
//! described once; JSON-LD says besides what and where it is.

use http::{HeaderMap, StatusCode};
use muster_domain::{Error, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::http::{Content, Failure, JSON, Outcome, Reply, Schemas, date_time_schema, preferred};

pub(super) const JSON_LD: &str = "application/ld+json";

/// What the vendor's own client for PHP asks for JSON-LD by.
const JSON_LD_OF_PHP: &str = "application/json+ld";

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    JsonLd,
}

impl Format {
    /// The one that a client prefers; JSON-LD where it has no wish. Errors: `NotAcceptable`.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        match preferred(headers, &[JSON_LD, JSON, JSON_LD_OF_PHP]) {
            Some(1) => Ok(Self::Json),
            Some(_) => Ok(Self::JsonLd),
            None => Err(Failure::NotAcceptable),
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::JsonLd => JSON_LD,
        }
    }
}

/// What is read, and known under a path of its own.
pub(super) trait Resource: Serialize + ToSchema {
    /// The name of its context and its type, such as `groups`.
    const NAME: &'static str;

    /// Where it is, such as `/groups/41`.
    fn path(&self) -> String;
}

/// A time as the dialect writes it.
pub(super) struct DateTime(pub(super) Timestamp);

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.seconds())
    }
}

impl PartialSchema for DateTime {
    fn schema() -> RefOr<Schema> {
        date_time_schema()
    }
}

impl ToSchema for DateTime {}

/// Where the meaning of a type stands.
pub(super) fn context(name: &str) -> String {
    format!("/contexts/{name}")
}

/// A resource in JSON-LD.
#[derive(Serialize)]
struct Linked<'a, T> {
    /// Left out where it stands around the resource.
    #[serde(rename = "@context", skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    #[serde(rename = "@id")]
    id: String,
    #[serde(rename = "@type")]
    kind: &'static str,
    #[serde(flatten)]
    resource: &'a T,
}

/// Writes a resource that stands for itself.
pub(super) fn write_item<T: Resource>(out: &mut Vec<u8>, format: Format, item: &T) -> Result<(), Error> {
    write_linked(out, format, item, Some(context(T::NAME)))
}

/// Writes a resource inside of a collection, which has the context.
pub(super) fn write_member<T: Resource>(out: &mut Vec<u8>, format: Format, item: &T) -> Result<(), Error> {
    write_linked(out, format, item, None)
}

fn write_linked<T: Resource>(
    out: &mut Vec<u8>,
    format: Format,
    resource: &T,
    context: Option<String>,
) -> Result<(), Error> {
    match format {
        Format::Json => write(out, resource),
        Format::JsonLd => write(out, &Linked { context, id: resource.path(), kind: T::NAME, resource }),
    }
}

/// Appends a value as JSON.
pub(super) fn write(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Error> {
    serde_json::to_writer(out, value).map_err(|error| Error::Internal(format!("an answer: {error}")))
}

/// An answer with one resource.
pub(super) fn reply<T: Resource>(status: StatusCode, format: Format, resource: &T) -> Outcome {
    let mut body = Vec::with_capacity(512);
    write_item(&mut body, format, resource)?;
    Ok(Reply::of_kind(format.content_type(), status, body))
}

/// The schemas of an answer with one resource.
pub(super) fn item<T: Resource>(schemas: &mut Schemas) -> Content {
    let plain = schemas.reference::<T>();
    let linked = linked_schema::<T>(schemas);
    vec![(JSON, plain), (JSON_LD, linked)]
}

/// The schema of a resource in JSON-LD: that of the resource, and what JSON-LD adds to it.
pub(super) fn linked_schema<T: Resource>(schemas: &mut Schemas) -> Value {
    let mut schema = schemas.bare::<T>();
    let mut properties = Map::new();
    properties.insert("@context".to_owned(), json!({"type": "string", "const": context(T::NAME)}));
    properties.insert("@id".to_owned(), json!({"type": "string", "format": "uri-reference"}));
    properties.insert("@type".to_owned(), json!({"type": "string", "const": T::NAME}));
    properties.extend(schema["properties"].as_object().cloned().unwrap_or_default());
    schema["properties"] = properties.into();
    let mut required = vec![json!("@id"), json!("@type")];
    required.extend(schema["required"].as_array().cloned().unwrap_or_default());
    schema["required"] = required.into();
    schemas.keep(format!("{}.jsonld", T::name()), schema)
}
