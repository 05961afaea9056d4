//! Every call of the dialect.

use std::sync::Arc;

use axum::Router;
use http::StatusCode;
use serde_json::json;

use super::failure::SCIM_JSON;
use super::{PREFIX, auth, discovery, failure, group, search, user, wanted};
use crate::App;
use crate::http::Mode::{Create, Merge};
use crate::http::{About, Content, Dialect, Ids, Published, Routes, Schemas, routes};

/// What needs stored data and is refused because of it.
const CONFLICT: &[StatusCode] = &[StatusCode::CONFLICT];

/// Nobody is there to be shown.
const NOBODY: &[StatusCode] = &[StatusCode::NOT_IMPLEMENTED];

/// A resource, whose attributes `/Schemas` tells.
fn resource(schemas: &mut Schemas) -> Content {
    let schema = json!({
        "type": "object",
        "description": "A resource; its attributes are those of its schemas.",
        "required": ["schemas"],
    });
    vec![(SCIM_JSON, schemas.keep("Resource".to_owned(), schema))]
}

/// A list of resources.
fn list(schemas: &mut Schemas) -> Content {
    let resource = resource(schemas).swap_remove(0).1;
    let number = || json!({"type": "integer", "minimum": 0});
    let schema = json!({
        "type": "object",
        "required": ["schemas", "totalResults", "itemsPerPage", "Resources"],
        "properties": {
            "schemas": {"type": "array", "items": {"const": super::list::LIST_RESPONSE}},
            "totalResults": number(),
            "itemsPerPage": number(),
            "startIndex": number(),
            "nextCursor": {"type": "string"},
            "Resources": {"type": "array", "items": resource},
        },
    });
    vec![(SCIM_JSON, schemas.keep("ListResponse".to_owned(), schema))]
}

/// A call about one resource.
const fn one(about: About) -> About {
    about.query(|q| _ = wanted::attributes(q))
}

/// Whoever asks for `/Me`.
const ME: About = About::read("The resource of the caller, which there is none").refuses(NOBODY);
const WRITE_ME: About = About::write("A change of it").refuses(NOBODY).body(Merge, |_| ());
const DELETE_ME: About = About::write("Its end").refuses(NOBODY);

pub(crate) const ROUTES: Routes = routes![
    GET "/scim/v2/Users" => user::user_list,
        About::read("Users").query(|q| _ = wanted::list(q)).answers(list);
    POST "/scim/v2/Users" => user::user_create,
        one(About::write("Create a user")).body(Create, |_| ()).refuses(CONFLICT).creates(resource);
    POST "/scim/v2/Users/.search" => search::user_search,
        About::read("Search users").body(Create, |_| ()).answers(list);
    GET "/scim/v2/Users/{id}" => user::user_get,
        one(About::read("One user")).versioned().answers(resource);
    PUT "/scim/v2/Users/{id}" => user::user_replace,
        one(About::write("Replace a user")).versioned().body(Merge, |_| ()).refuses(CONFLICT).answers(resource);
    PATCH "/scim/v2/Users/{id}" => user::user_patch,
        one(About::write("Change a user")).versioned().body(Merge, |_| ()).refuses(CONFLICT).answers(resource);
    DELETE "/scim/v2/Users/{id}" => user::user_erase,
        About::write("Delete a user for good").versioned().refuses(CONFLICT).deletes();
    GET "/scim/v2/Groups" => group::group_list,
        About::read("Groups").query(|q| _ = wanted::list(q)).answers(list);
    POST "/scim/v2/Groups" => group::group_create,
        one(About::write("Create a group")).body(Create, |_| ()).refuses(CONFLICT).creates(resource);
    POST "/scim/v2/Groups/.search" => search::group_search,
        About::read("Search groups").body(Create, |_| ()).answers(list);
    GET "/scim/v2/Groups/{id}" => group::group_get,
        one(About::read("One group")).versioned().answers(resource);
    PUT "/scim/v2/Groups/{id}" => group::group_replace,
        one(About::write("Replace a group")).versioned().body(Merge, |_| ()).refuses(CONFLICT).answers(resource);
    PATCH "/scim/v2/Groups/{id}" => group::group_patch,
        one(About::write("Change a group")).versioned().body(Merge, |_| ()).refuses(CHANGED).answers(resource);
    DELETE "/scim/v2/Groups/{id}" => group::group_delete,
        About::write("Delete a group; its members stay").versioned().deletes();
    POST "/scim/v2/.search" => search::search,
        About::read("Search users and groups").body(Create, |_| ()).answers(list);
    GET "/scim/v2/Me" => discovery::me_get, ME;
    POST "/scim/v2/Me" => discovery::me_write, WRITE_ME;
    PUT "/scim/v2/Me" => discovery::me_write, WRITE_ME;
    PATCH "/scim/v2/Me" => discovery::me_write, WRITE_ME;
    DELETE "/scim/v2/Me" => discovery::me_delete, DELETE_ME;
    GET "/scim/v2/ServiceProviderConfig" => discovery::config_get,
        About::open("What the service can do").answers(resource);
    GET "/scim/v2/ResourceTypes" => discovery::resource_type_list,
        About::read("The kinds of resources").query(|q| _ = discovery::filter(q)).answers(list);
    GET "/scim/v2/ResourceTypes/{id}" => discovery::resource_type_get,
        About::read("One kind of resource").answers(resource);
    GET "/scim/v2/Schemas" => discovery::schema_list,
        About::read("The schemas").query(|q| _ = discovery::filter(q)).answers(list);
    GET "/scim/v2/Schemas/{id}" => discovery::schema_get,
        About::read("One schema").answers(resource);
];

/// What a change of a group may be answered with: of a great one nothing is shown.
const CHANGED: &[StatusCode] = &[StatusCode::CONFLICT, StatusCode::NO_CONTENT];

pub(crate) const DIALECT: Dialect = Dialect {
    name: "scim",
    title: "SCIM 2.0",
    routes: ROUTES,
    prefixes: &[PREFIX],
    door: |_| Ok(()),
    failure: failure::response,
    finish: |_, _| (),
    published: Published {
        failure: failure::schema,
        schemes: || {
            let description = "A token of the tenant, as `muster credential create --dialect scim` shows it.";
            json!({"bearer": {"type": "http", "scheme": "bearer", "description": description}})
        },
        security: &[&["bearer"]],
        challenge: auth::CHALLENGE,
        headers: &[],
        refusals: &[],
        ids: Ids::Texts,
    },
};

pub(crate) fn router(app: &Arc<App>) -> Router {
    DIALECT.router(app)
}
