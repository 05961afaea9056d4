//! The documents of the APIs under `/openapi`, and a page at `/docs` on which they can be read and tried. The page
//! is Swagger UI, which is in the binary (`assets/swagger-ui`).

mod callback;

use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

use crate::http::{About, Call, Dialect, Failure, Head, Outcome, Published, Reply, Routes, plain, routes};
use crate::{App, DIALECTS};

/// One document a dialect, in the order of [`DIALECTS`].
pub(crate) type Documents = [OnceLock<Bytes>; DIALECTS.len()];

const ROUTES: Routes = routes![
    GET "/openapi/{document}" => self::document_get, About::open("The document of an API");
    GET "/docs" => self::docs_page, About::open("The page");
    GET "/docs/" => self::docs_page, About::open("The page");
    GET "/docs/{file}" => self::docs_file, About::open("What the page is made of");
    POST "/carriers/{name}/callback" => callback::carrier_callback, About::open("What a gateway tells us");
];

/// Muster's own paths, and those of nobody, in the form of those of all dialects.
const OWN: Dialect = Dialect {
    name: "muster",
    title: "Muster",
    routes: ROUTES,
    prefixes: &[],
    door: |_| Ok(()),
    failure,
    finish: |_, _| (),
    published: Published::NOTHING,
};

pub(crate) fn router(app: &Arc<App>) -> Router {
    OWN.router(app)
}

fn failure(_: &Head<'_>, failure: Failure) -> Response {
    match failure {
        Failure::MethodNotAllowed { allow } => {
            let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
            if let Ok(allow) = HeaderValue::from_str(&allow) {
                response.headers_mut().insert(header::ALLOW, allow);
            }
            response
        }
        Failure::PathUnknown => plain(StatusCode::NOT_FOUND, "Not Found"),
        Failure::BodyTooLarge { .. } => plain(StatusCode::PAYLOAD_TOO_LARGE, "Content Too Large"),
        Failure::BodyIncomplete | Failure::Malformed(_) => plain(StatusCode::BAD_REQUEST, "Bad Request"),
        Failure::TimedOut => plain(StatusCode::SERVICE_UNAVAILABLE, "Try Again"),
        _ => plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

async fn document_get(call: &mut Call) -> Outcome {
    let name = call.path_text().strip_suffix(".json");
    let at = DIALECTS.iter().position(|dialect| Some(dialect.name) == name).ok_or(Failure::PathUnknown)?;
    let app = call.app();
    let write = || Bytes::from(DIALECTS[at].document(&app.settings).to_string());
    Ok(Reply::file("application/json", app.documents[at].get_or_init(write).clone(), &[]))
}

const HTML: &str = include_str!("page.html");
/// Nothing comes from elsewhere. Swagger UI sets styles, and draws its icons from data.
const POLICY: &[(&str, &str)] = &[(
    "content-security-policy",
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
)];

async fn docs_page(_: &mut Call) -> Outcome {
    let link = |dialect: &Dialect| {
        let Dialect { name, title, .. } = dialect;
        format!("<a href=\"/docs?document={name}\" data-document=\"/openapi/{name}.json\">{title}</a>")
    };
    let links: Vec<String> = DIALECTS.iter().map(link).collect();
    let page = HTML.replace("<!-- documents -->", &links.join("\n"));
    Ok(Reply::file("text/html; charset=utf-8", page.into(), POLICY))
}

async fn docs_file(call: &mut Call) -> Outcome {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    const STYLE: &str = "text/css; charset=utf-8";
    // Every browser takes it; what is kept small in the binary need not be unpacked here.
    const PACKED: &[(&str, &str)] = &[("content-encoding", "gzip")];
    let (kind, bytes, headers): (_, &'static [u8], _) = match call.path_text() {
        "page.js" => (SCRIPT, include_bytes!("page.js"), &[][..]),
        "page.css" => (STYLE, include_bytes!("page.css"), &[][..]),
        "swagger-ui-bundle.js" => {
            (SCRIPT, include_bytes!("../../assets/swagger-ui/swagger-ui-bundle.js.gz"), PACKED)
        }
        "swagger-ui.css" => (STYLE, include_bytes!("../../assets/swagger-ui/swagger-ui.css.gz"), PACKED),
        _ => return Err(Failure::PathUnknown),
    };
    Ok(Reply::file(kind, Bytes::from_static(bytes), headers))
}
