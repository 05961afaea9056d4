//! The schemas of what is sent, derived from the types that are sent.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};

/// Where the schemas of a document are kept.
const COMPONENTS: &str = "#/components/schemas/";

/// The schemas of an answer, by content type.
pub(crate) type Content = Vec<(&'static str, Value)>;

pub(crate) const JSON: &str = "application/json";

/// The schema of a time.
pub(crate) fn date_time_schema() -> RefOr<Schema> {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
}

/// The named schemas of a document: those of what is sent, and those of bodies that are read as a whole.
#[derive(Default)]
pub(crate) struct Schemas {
    sent: Map<String, Value>,
    bodies: Map<String, Value>,
}

impl Schemas {
    /// A `T` as JSON, without an envelope.
    pub(crate) fn json<T: ToSchema>(&mut self) -> Content {
        vec![(JSON, self.reference::<T>())]
    }

    /// A reference to this schema, which is kept under the name.
    pub(crate) fn keep(&mut self, name: String, schema: Value) -> Value {
        let reference = json!({"$ref": format!("{COMPONENTS}{name}")});
        self.sent.entry(name).or_insert(schema);
        reference
    }

    /// As [`Schemas::keep`], for a body, in which what may be null may also be absent. It refers to no other.
    pub(crate) fn keep_body(&mut self, name: &str, schema: Value) -> Value {
        self.bodies.entry(name).or_insert(schema);
        json!({"$ref": format!("{COMPONENTS}{name}")})
    }

    /// The schema of a `T`, whose parts are kept.
    pub(crate) fn bare<T: ToSchema>(&mut self) -> Value {
        self.reference::<T>();
        self.sent.get(&*T::name()).cloned().unwrap_or_default()
    }

    /// A reference to the schema of `T`, which is kept with all that it refers to.
    pub(crate) fn reference<T: ToSchema>(&mut self) -> Value {
        self.reference_as::<T>(T::name().into_owned())
    }

    /// As [`Schemas::reference`], under another name: a generic type has the same for all it may hold.
    pub(crate) fn reference_as<T: ToSchema>(&mut self, name: String) -> Value {
        let reference = json!({"$ref": format!("{COMPONENTS}{name}")});
        let mut schemas = vec![(name, T::schema())];
        T::schemas(&mut schemas);
        for (name, schema) in schemas {
            self.sent.entry(name).or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
        }
        reference
    }

    /// The schemas that the `users` refer to, and those that these refer to; each object with all of its
    /// properties in one place.
    pub(crate) fn into_value(mut self, users: &[&Value]) -> Value {
        let names: Vec<String> = self.sent.keys().cloned().collect();
        for name in names {
            let mut schema = self.sent.get_mut(&name).map(Value::take).unwrap_or_default();
            self.merge(&mut schema);
            require_nullable(&mut schema);
            self.sent.insert(name, schema);
        }
        let mut used = Vec::new();
        for user in users {
            find(user, &mut used);
        }
        let mut at = 0;
        while let Some(schema) = used.get(at).and_then(|name| self.sent.get(name)) {
            find(schema, &mut used);
            at += 1;
        }
        self.sent.retain(|name, _| used.contains(name));
        self.sent.append(&mut self.bodies);
        self.sent.into()
    }

    /// Puts the parts of a flattened structure together, which readers (and closed objects) want in one place.
    fn merge(&self, schema: &mut Value) {
        let Some(parts) = schema.as_object_mut().and_then(|schema| schema.remove("allOf")) else {
            return;
        };
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in parts.as_array().into_iter().flatten() {
            let name = part["$ref"].as_str().and_then(|reference| reference.strip_prefix(COMPONENTS));
            let part = name.and_then(|name| self.sent.get(name)).unwrap_or(part);
            properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
            required.extend(part["required"].as_array().cloned().unwrap_or_default());
        }
        schema["type"] = json!("object");
        schema["properties"] = properties.into();
        schema["required"] = required.into();
    }
}

/// Adds the names of the schemas that a value refers to.
fn find(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            if let Some(name) = reference.and_then(|reference| reference.strip_prefix(COMPONENTS))
                && !names.iter().any(|known| known == name)
            {
                names.push(name.to_owned());
            }
            object.values().for_each(|value| find(value, names));
        }
        Value::Array(items) => items.iter().for_each(|value| find(value, names)),
        _ => {}
    }
}

/// A property that may be null is always sent; the derived schema takes it for one that may be absent.
fn require_nullable(schema: &mut Value) {
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    let is_nullable = |schema: &Value| {
        schema["type"].as_array().is_some_and(|kinds| kinds.contains(&json!("null")))
            || schema["oneOf"].as_array().is_some_and(|kinds| kinds.contains(&json!({"type": "null"})))
    };
    let nullable: Vec<Value> =
        properties.iter().filter(|(_, schema)| is_nullable(schema)).map(|(name, _)| json!(name)).collect();
    if nullable.is_empty() {
        return;
    }
    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
    required.extend(nullable.into_iter().filter(|name| !required.contains(name)).collect::<Vec<_>>());
    schema["required"] = required.into();
}
