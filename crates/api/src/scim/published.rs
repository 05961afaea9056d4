//! What the OpenAPI document says of bodies and answers, made of the same table as the schemas of SCIM. As there,
//! names stand in their own spelling; that they are taken without case no schema can tell.

use serde_json::{Map, Value, json};

use super::bulk::{self, BULK_REQUEST, BULK_RESPONSE};
use super::failure::{self, SCIM_JSON};
use super::list::LIST_RESPONSE;
use super::patch::{PATCH_OP, limits::OPERATIONS};
use super::read::limits::VALUES;
use super::schema::{Attribute, GROUPS, Kind, ResourceType, Returned, USERS};
use super::user_map::KEY;
use crate::http::{Content, JSON, Schemas, any_text, limited_text, required_text};

/// A member of an object, with its schema.
type Member = (String, Value);

pub(super) fn user(schemas: &mut Schemas) -> Content {
    answer(resource(&USERS, schemas))
}

pub(super) fn group(schemas: &mut Schemas) -> Content {
    answer(resource(&GROUPS, schemas))
}

pub(super) fn user_list(schemas: &mut Schemas) -> Content {
    let of = resource(&USERS, schemas);
    list("UserList", &of, schemas)
}

pub(super) fn group_list(schemas: &mut Schemas) -> Content {
    let of = resource(&GROUPS, schemas);
    list("GroupList", &of, schemas)
}

/// Users and groups.
pub(super) fn any_list(schemas: &mut Schemas) -> Content {
    let of = json!({"anyOf": [resource(&USERS, schemas), resource(&GROUPS, schemas)]});
    list("ResourceList", &of, schemas)
}

/// What the service tells of itself.
pub(super) fn document(schemas: &mut Schemas) -> Content {
    answer(self_description(schemas))
}

pub(super) fn documents(schemas: &mut Schemas) -> Content {
    let of = self_description(schemas);
    list("DocumentList", &of, schemas)
}

pub(super) fn user_body(schemas: &mut Schemas) -> Content {
    body(schemas.keep_body("UserBody", resource_body(&USERS)))
}

pub(super) fn group_body(schemas: &mut Schemas) -> Content {
    body(schemas.keep_body("GroupBody", resource_body(&GROUPS)))
}

/// RFC 7644, section 3.5.2.
pub(super) fn patch_body(schemas: &mut Schemas) -> Content {
    let operation = |op: Value, path: Value, value: Value, required: Value| {
        json!({
            "type": "object",
            "properties": {"op": op, "path": path, "value": value},
            "required": required,
        })
    };
    let op = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| without_case(word)).collect();
        json!({"type": "string", "pattern": format!("^({})$", words.join("|"))})
    };
    let (remove, write) = (op(&["remove"]), op(&["add", "replace"]));
    let path = any_text().schema();
    let operations = [
        operation(remove, path.clone(), json!({}), json!(["op", "path"])),
        operation(write.clone(), path, json!({}), json!(["op", "path", "value"])),
        operation(write, json!({"type": "null"}), json!({"type": "object"}), json!(["op", "value"])),
    ];
    let patch = json!({
        "type": "object",
        "required": ["Operations"],
        "properties": {
            "schemas": having(PATCH_OP),
            "Operations": {
                "type": "array",
                "minItems": 1,
                "maxItems": OPERATIONS,
                "items": {"anyOf": operations},
            },
        },
    });
    body(schemas.keep_body("PatchBody", patch))
}

/// RFC 7644, section 3.4.3; the parameters are those of a list.
pub(super) fn search_body(schemas: &mut Schemas) -> Content {
    let names = json!({"type": ["array", "string", "null"], "items": {"type": "string"}});
    let text = json!({"type": ["string", "null"]});
    let number = json!({"type": ["integer", "null"], "format": "int64"});
    let search = json!({
        "type": "object",
        "properties": {
            "schemas": {},
            "attributes": names,
            "excludedAttributes": names,
            "filter": text,
            "sortBy": text,
            "sortOrder": text,
            "cursor": text,
            "startIndex": number,
            "count": number,
        },
    });
    body(schemas.keep_body("SearchBody", search))
}

/// RFC 7644, section 3.7.
pub(super) fn bulk_body(schemas: &mut Schemas) -> Content {
    let text = || json!({"type": ["string", "null"]});
    let operation = |methods: &[&str], data: Value, required: Value| {
        let methods: Vec<String> =
            methods.iter().map(|method| without_case(&method.to_lowercase())).collect();
        json!({
            "type": "object",
            "required": required,
            "properties": {
                "method": {"type": "string", "pattern": format!("^({})$", methods.join("|"))},
                "path": {"type": "string"},
                "bulkId": if required.as_array().is_some_and(|names| names.contains(&json!("bulkId"))) {
                    json!({"type": "string", "minLength": 1})
                } else {
                    text()
                },
                "version": text(),
                "data": data,
            },
        })
    };
    // What each operation asks for is read when its turn comes; what is wrong with it is its own answer.
    let data = || json!({"type": ["object", "array", "string", "number", "boolean"]});
    let operations = [
        operation(&["POST"], data(), json!(["method", "path", "bulkId", "data"])),
        operation(&["PUT", "PATCH"], data(), json!(["method", "path", "data"])),
        operation(&["DELETE"], json!({}), json!(["method", "path"])),
    ];
    let bulk = json!({
        "type": "object",
        "required": ["Operations"],
        "properties": {
            "schemas": {"anyOf": [{"type": "null"}, having(BULK_REQUEST)]},
            "failOnErrors": {"type": ["integer", "null"], "minimum": 1},
            "Operations": {
                "type": "array",
                "minItems": 1,
                "maxItems": bulk::limits::OPERATIONS,
                "items": {"anyOf": operations},
            },
        },
    });
    body(schemas.keep_body("BulkBody", bulk))
}

/// What became of the operations of a bulk request.
pub(super) fn bulk_answer(schemas: &mut Schemas) -> Content {
    let error = failure::schema(schemas).swap_remove(0).1;
    let text = || json!({"type": "string"});
    let operation = json!({
        "type": "object",
        "required": ["method", "status"],
        "properties": {
            "method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]},
            "bulkId": text(),
            "location": text(),
            "version": text(),
            "status": {"type": "string", "pattern": "^[245][0-9]{2}$"},
            "response": error,
        },
    });
    let schema = json!({
        "type": "object",
        "required": ["schemas", "Operations"],
        "properties": {
            "schemas": {"type": "array", "items": {"const": BULK_RESPONSE}},
            "Operations": {"type": "array", "items": operation},
        },
    });
    answer(schemas.keep("BulkResponse".to_owned(), schema))
}

fn answer(schema: Value) -> Content {
    vec![(SCIM_JSON, schema)]
}

fn body(schema: Value) -> Content {
    vec![(SCIM_JSON, schema.clone()), (JSON, schema)]
}

fn list(name: &str, of: &Value, schemas: &mut Schemas) -> Content {
    let number = || json!({"type": "integer", "minimum": 0});
    let schema = json!({
        "type": "object",
        "required": ["schemas", "totalResults", "itemsPerPage", "Resources"],
        "properties": {
            "schemas": {"type": "array", "items": {"const": LIST_RESPONSE}},
            "totalResults": number(),
            "itemsPerPage": number(),
            "startIndex": number(),
            "nextCursor": {"type": "string"},
            "Resources": {"type": "array", "items": of},
        },
    });
    answer(schemas.keep(name.to_owned(), schema))
}

fn self_description(schemas: &mut Schemas) -> Value {
    let schema = json!({
        "type": "object",
        "description": "As RFC 7643 describes it, in sections 5 to 7.",
        "required": ["schemas"],
    });
    schemas.keep("Document".to_owned(), schema)
}

/// A resource as it is shown; which attributes there are depends on what it has and on what is asked for.
fn resource(kind: &ResourceType, schemas: &mut Schemas) -> Value {
    let members =
        members(kind, |attribute| (attribute.returned != Returned::Never).then(|| shown(attribute)));
    let always: Vec<&str> = kind
        .targets()
        .filter(|target| target.attribute.returned == Returned::Always)
        .map(|target| target.attribute.name)
        .collect();
    let schema = json!({
        "type": "object",
        "required": always,
        "properties": members.collect::<Map<String, Value>>(),
    });
    schemas.keep(kind.name.to_owned(), schema)
}

fn shown(attribute: &Attribute) -> Value {
    let one = match attribute.kind {
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::DateTime => json!({"type": "string", "format": "date-time"}),
        Kind::String | Kind::Reference | Kind::Binary => json!({"type": "string"}),
        Kind::Complex => {
            let subs = attribute.sub_attributes.iter().map(|sub| (sub.name.to_owned(), shown(sub)));
            json!({"type": "object", "properties": subs.collect::<Map<String, Value>>()})
        }
    };
    described(attribute, if attribute.multi_valued { json!({"type": "array", "items": one}) } else { one })
}

/// The body of POST and PUT, as `read` takes it.
fn resource_body(kind: &ResourceType) -> Value {
    let members = members(kind, |attribute| {
        let taken = if attribute.is_read_only() { json!({"readOnly": true}) } else { taken(attribute) };
        Some(described(attribute, taken))
    });
    let mut members: Map<String, Value> = members.collect();
    members.insert("schemas".to_owned(), having(kind.schema.id));
    for extension in kind.extensions {
        if let Some(kind) = members[extension.id].get_mut("type") {
            *kind = json!(["object", "null"]);
        }
    }
    let required: Vec<&str> = kind
        .schema
        .attributes
        .iter()
        .filter(|attribute| attribute.required)
        .map(|attribute| attribute.name)
        .collect();
    json!({"type": "object", "required": required, "properties": members})
}

/// Every attribute of a resource that has a schema, those of an extension in an object under its URN.
fn members(
    kind: &ResourceType,
    schema: impl Fn(&Attribute) -> Option<Value>,
) -> impl Iterator<Item = Member> {
    let (mut own, mut extended) = (Vec::<Member>::new(), Vec::<Member>::new());
    for target in kind.targets() {
        let Some(schema) = schema(target.attribute) else { continue };
        let member = (target.attribute.name.to_owned(), schema);
        let Some(extension) = target.extension else {
            own.push(member);
            continue;
        };
        if extended.last().is_none_or(|(urn, _)| urn != extension.id) {
            extended.push((extension.id.to_owned(), json!({"type": "object", "properties": {}})));
        }
        if let Some((_, object)) = extended.last_mut() {
            object["properties"][&member.0] = member.1;
        }
    }
    own.into_iter().chain(extended)
}

/// What `value` takes: null is no value, a string may stand for an object with a `value`, and for a boolean.
fn taken(attribute: &Attribute) -> Value {
    let one = match attribute.kind {
        // What is required is looked up by, and null would be no value.
        Kind::String if attribute.required => required_text(KEY).schema(),
        Kind::Boolean => {
            let words = format!("^({}|{})$", without_case("true"), without_case("false"));
            json!({"type": ["boolean", "string", "null"], "pattern": words})
        }
        Kind::String | Kind::Reference | Kind::DateTime => nullable(limited_text(usize::MAX).schema()),
        Kind::Binary => json!({"type": ["string", "null"], "pattern": "^[A-Za-z0-9+/_-]*={0,2}$"}),
        Kind::Complex => object(attribute),
    };
    if !attribute.multi_valued {
        return one;
    }
    let mut many = json!({"type": ["array", "null"], "items": one});
    if !attribute.detached {
        many["maxItems"] = VALUES.into();
    }
    many
}

/// A string stands for the `value`, and has to be as one.
fn object(attribute: &Attribute) -> Value {
    let sub = |sub: &Attribute| if sub.is_read_only() { json!({}) } else { taken(sub) };
    let subs = attribute.sub_attributes.iter().map(|of| (of.name.to_owned(), sub(of)));
    let needed = attribute.sub_attributes.iter().filter(|sub| sub.required).map(|sub| sub.name);
    let mut schema = json!({
        "type": ["object", "null"],
        "properties": subs.collect::<Map<String, Value>>(),
        "required": needed.collect::<Vec<_>>(),
    });
    if let Some(value) = attribute.sub("value").map(sub) {
        schema["type"] = json!(["object", "string", "null"]);
        for rule in ["pattern", "minLength", "maxLength"] {
            if let Some(rule_of_value) = value.get(rule) {
                schema[rule] = rule_of_value.clone();
            }
        }
    }
    schema
}

fn nullable(mut schema: Value) -> Value {
    schema["type"] = json!([schema["type"], "null"]);
    schema
}

fn described(attribute: &Attribute, mut schema: Value) -> Value {
    schema["description"] = format!("{}.", attribute.description).into();
    schema
}

/// A list of URNs with this one.
fn having(urn: &str) -> Value {
    json!({"type": "array", "contains": {"const": urn}})
}

/// A regular expression for a word in either case.
fn without_case(word: &str) -> String {
    word.chars().flat_map(|letter| ['[', letter.to_ascii_uppercase(), letter, ']']).collect()
}
