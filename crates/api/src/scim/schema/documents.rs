//! What a service tells of itself (RFC 7644, section 4), made of the table.

use serde_json::{Value, json};

use super::{RESOURCE_TYPES, ResourceType, Schema};

const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

/// What the service can do and how much of it.
#[derive(Clone, Copy, Debug)]
pub struct ServiceProvider {
    pub bulk_operations: usize,
    /// In bytes.
    pub bulk_payload: usize,
    pub page_size: u32,
    pub max_page_size: u32,
}

/// Every schema of every kind of resource, with `base` before the paths of their addresses.
pub fn schemas(base: &str) -> Vec<Value> {
    all_schemas().map(|schema| schema_document(schema, base)).collect()
}

/// The schema with this URN.
pub fn schema(urn: &str, base: &str) -> Option<Value> {
    all_schemas()
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        .map(|schema| schema_document(schema, base))
}

pub fn resource_types(base: &str) -> Vec<Value> {
    RESOURCE_TYPES.iter().map(|kind| resource_type_document(kind, base)).collect()
}

/// The kind of resource with this name.
pub fn resource_type(name: &str, base: &str) -> Option<Value> {
    let kind = RESOURCE_TYPES.iter().find(|kind| kind.name == name)?;
    Some(resource_type_document(kind, base))
}

/// The configuration (RFC 7643, section 5; pagination: RFC 9865, section 4).
pub fn service_provider_config(can: &ServiceProvider, base: &str) -> Value {
    let supported = json!({"supported": true});
    let bulk = json!({
        "supported": true,
        "maxOperations": can.bulk_operations,
        "maxPayloadSize": can.bulk_payload,
    });
    json!({
        "schemas": [CONFIG],
        "patch": supported,
        "bulk": bulk,
        "filter": {"supported": true, "maxResults": can.max_page_size},
        "changePassword": supported,
        "sort": supported,
        "etag": supported,
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": can.page_size,
            "maxPageSize": can.max_page_size,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of the tenant, sent as a bearer token",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": meta("ServiceProviderConfig", &format!("{base}/ServiceProviderConfig")),
    })
}

fn all_schemas() -> impl Iterator<Item = &'static Schema> {
    RESOURCE_TYPES.iter().flat_map(|kind| std::iter::once(kind.schema).chain(kind.extensions.iter().copied()))
}

fn schema_document(schema: &Schema, base: &str) -> Value {
    json!({
        "schemas": [SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes,
        "meta": meta("Schema", &format!("{base}/Schemas/{}", schema.id)),
    })
}

fn resource_type_document(kind: &ResourceType, base: &str) -> Value {
    let extensions: Vec<Value> =
        kind.extensions.iter().map(|schema| json!({"schema": schema.id, "required": false})).collect();
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": kind.name,
        "name": kind.name,
        "endpoint": kind.endpoint,
        "description": kind.description,
        "schema": kind.schema.id,
        "schemaExtensions": extensions,
        "meta": meta("ResourceType", &format!("{base}/ResourceTypes/{}", kind.name)),
    })
}

fn meta(resource_type: &str, location: &str) -> Value {
    json!({"resourceType": resource_type, "location": location})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_show_the_table() {
        let base = "https://muster.example/scim/v2";
        let all = schemas(base);
        let ids: Vec<&Value> = all.iter().map(|schema| &schema["name"]).collect();
        assert_eq!(ids, ["User", "EnterpriseUser", "Group"]);
        assert_eq!(schema("urn:ietf:params:scim:schemas:core:2.0:Group", base).as_ref(), all.last());
        assert_eq!(
            all[2]["attributes"][0],
            json!({
                "name": "displayName", "type": "string", "multiValued": false, "description": "The name of the group",
                "required": true, "caseExact": false, "mutability": "readWrite", "returned": "default",
                "uniqueness": "none",
            })
        );
        assert_eq!(all[2]["attributes"][1]["subAttributes"][1]["referenceTypes"], json!(["User"]));
        assert_eq!(resource_types(base)[0]["schemaExtensions"][0]["schema"], all[1]["id"]);
        assert_eq!(resource_type("Group", base).map(|kind| kind["endpoint"].clone()), Some("/Groups".into()));
        assert!(resource_type("Device", base).is_none() && schema("urn:x", base).is_none());
        let can = ServiceProvider {
            bulk_operations: 1000,
            bulk_payload: 1 << 20,
            page_size: 100,
            max_page_size: 200,
        };
        assert_eq!(service_provider_config(&can, base)["filter"]["maxResults"], 200);
    }
}
