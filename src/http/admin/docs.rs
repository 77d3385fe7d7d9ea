//! The description of the API for programs (`/openapi.json`) and for people (`/docs/`).
//!
//! The page is carried inside the program and loads nothing from anywhere else.

use actix_web::web::{self, ServiceConfig};
use utoipa::{
    Modify, OpenApi as _,
    openapi::{
        OpenApi,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_swagger_ui::{Config, SwaggerUi};

/// Where the description is.
pub(super) const DESCRIPTION: &str = "/openapi.json";
/// Where the page is.
pub(super) const PAGE: &str = "/docs";
/// What the page may do. Its styles are partly set from its own script.
pub(super) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                                 img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
                                 form-action 'none'; frame-ancestors 'none'";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Kith admin API",
        description = "Look after one Kith server. Errors are problems as RFC 9457 says. Lists come in \
                       pages: hand `next` back as `cursor` until it is null.",
        license(name = "MIT OR Apache-2.0")
    ),
    modifiers(&Bearer),
    tags(
        (name = "health", description = "For whoever restarts and routes; no token"),
        (name = "server", description = "This server itself"),
        (name = "clients", description = "Live connections"),
        (name = "members", description = "Everybody who was ever here"),
        (name = "neighbourhood", description = "Other servers, and the links with them"),
        (name = "rooms", description = "Rooms, what was said in them, and who may say nothing"),
        (name = "directory", description = "Who listens where, for clients that mesh by themselves"),
        (name = "bans", description = "Who may not come"),
        (name = "events", description = "What happens, as it happens"),
        (name = "files", description = "Uploaded files"),
        (name = "offline", description = "Letters that wait for members who are away"),
    )
)]
struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, description: &mut OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        description.components.get_or_insert_default().add_security_scheme("bearer", scheme);
    }
}

/// What is known before the first route is registered.
pub(super) fn description() -> OpenApi {
    Description::openapi()
}

/// Serves the description and its page.
pub(super) fn configure(app: &mut ServiceConfig, description: OpenApi) {
    // Without this the page would have its description judged by a server of its makers.
    let config = Config::default().validator_url("none");
    let page = SwaggerUi::new(format!("{PAGE}/{{_:.*}}")).url(DESCRIPTION, description).config(config);
    app.service(web::redirect(PAGE, format!("{PAGE}/"))).service(page);
}

/// Whether a path belongs to the page for people.
pub(super) fn is_page(path: &str) -> bool {
    path.strip_prefix(PAGE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
