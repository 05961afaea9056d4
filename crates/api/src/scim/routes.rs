//! Every call of the dialect.

use std::sync::Arc;

use axum::Router;
use http::StatusCode;
use serde_json::json;

use super::published as shapes;
use super::{PREFIX, auth, bulk, discovery, failure, group, search, user, wanted};
use crate::App;
use crate::http::Mode::Merge;
use crate::http::{About, Dialect, Ids, Published, Routes, routes};

/// What needs stored data and is refused because of it.
const CONFLICT: &[StatusCode] = &[StatusCode::CONFLICT];

/// Nobody is there to be shown.
const NOBODY: &[StatusCode] = &[StatusCode::NOT_IMPLEMENTED];

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
        About::read("Users").query(|q| _ = wanted::list(q)).answers(shapes::user_list);
    POST "/scim/v2/Users" => user::user_create,
        one(About::write("Create a user")).takes(shapes::user_body).refuses(CONFLICT).creates(shapes::user);
    POST "/scim/v2/Users/.search" => search::user_search,
        About::read("Search users").takes(shapes::search_body).answers(shapes::user_list);
    GET "/scim/v2/Users/{id}" => user::user_get,
        one(About::read("One user")).versioned().answers(shapes::user);
    PUT "/scim/v2/Users/{id}" => user::user_replace,
        one(About::write("Replace a user")).versioned().takes(shapes::user_body).refuses(CONFLICT).answers(shapes::user);
    PATCH "/scim/v2/Users/{id}" => user::user_patch,
        one(About::write("Change a user")).versioned().takes(shapes::patch_body).refuses(CONFLICT).answers(shapes::user);
    DELETE "/scim/v2/Users/{id}" => user::user_erase,
        About::write("Delete a user for good").versioned().refuses(CONFLICT).deletes();
    GET "/scim/v2/Groups" => group::group_list,
        About::read("Groups").query(|q| _ = wanted::list(q)).answers(shapes::group_list);
    POST "/scim/v2/Groups" => group::group_create,
        one(About::write("Create a group")).takes(shapes::group_body).refuses(CONFLICT).creates(shapes::group);
    POST "/scim/v2/Groups/.search" => search::group_search,
        About::read("Search groups").takes(shapes::search_body).answers(shapes::group_list);
    GET "/scim/v2/Groups/{id}" => group::group_get,
        one(About::read("One group")).versioned().answers(shapes::group);
    PUT "/scim/v2/Groups/{id}" => group::group_replace,
        one(About::write("Replace a group")).versioned().takes(shapes::group_body).refuses(CONFLICT).answers(shapes::group);
    PATCH "/scim/v2/Groups/{id}" => group::group_patch,
        one(About::write("Change a group")).versioned().takes(shapes::patch_body).refuses(CHANGED).answers(shapes::group);
    DELETE "/scim/v2/Groups/{id}" => group::group_delete,
        About::write("Delete a group; its members stay").versioned().deletes();
    POST "/scim/v2/.search" => search::search,
        About::read("Search users and groups").takes(shapes::search_body).answers(shapes::any_list);
    POST "/scim/v2/Bulk" => bulk::bulk,
        About::write("Many operations in one request").takes(shapes::bulk_body).answers(shapes::bulk_answer);
    GET "/scim/v2/Me" => discovery::me_get, ME;
    POST "/scim/v2/Me" => discovery::me_write, WRITE_ME;
    PUT "/scim/v2/Me" => discovery::me_write, WRITE_ME;
    PATCH "/scim/v2/Me" => discovery::me_write, WRITE_ME;
    DELETE "/scim/v2/Me" => discovery::me_delete, DELETE_ME;
    GET "/scim/v2/ServiceProviderConfig" => discovery::config_get,
        About::open("What the service can do").answers(shapes::document);
    GET "/scim/v2/ResourceTypes" => discovery::resource_type_list,
        About::read("The kinds of resources").query(|q| _ = discovery::filter(q)).answers(shapes::documents);
    GET "/scim/v2/ResourceTypes/{id}" => discovery::resource_type_get,
        About::read("One kind of resource").answers(shapes::document);
    GET "/scim/v2/Schemas" => discovery::schema_list,
        About::read("The schemas").query(|q| _ = discovery::filter(q)).answers(shapes::documents);
    GET "/scim/v2/Schemas/{id}" => discovery::schema_get,
        About::read("One schema").answers(shapes::document);
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
