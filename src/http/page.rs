//! The chat page of this home: which files it is made of, who is shown it, and what a browser lets it do.
//!
//! `GET /` answers two kinds of readers: a browser that wants to show something gets the page, and every program
//! gets the information document as ever. A page and its modules only work together, so browsers keep them and ask
//! each time whether they are still the same. **Invariant:** the page runs no script but its own, and talks to
//! nobody but the doors of this home.

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    http::header::{
        self, Accept, ETag, EntityTag, Header as _, HeaderValue, IfNoneMatch, Quality,
        TryIntoHeaderValue as _,
    },
    web::{self, Bytes, Data, ServiceConfig},
};

use super::{files::method_not_allowed, home::Nodes, problem::Problem};
use crate::{crypto::sha256_start, domain::dialect::Dialect, settings::Settings};

/// A file of the page, as it lies in the program.
struct File {
    name: &'static str,
    content: &'static [u8],
    tag: EntityTag,
}

/// Every file of the folder `web`; `tests/tidy` finds one that is missing here.
macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_bytes!(concat!("../../web/", $name)).as_slice())),*]
    };
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let files = files![
        "app.js",
        "asking.js",
        "bounded.js",
        "bytes.js",
        "chat.js",
        "composer.js",
        "directory.js",
        "dom.js",
        "doors.js",
        "farewell.js",
        "files.js",
        "home.js",
        "icon.svg",
        "identity.js",
        "index.html",
        "introductions.js",
        "keys.js",
        "letters.js",
        "limits.js",
        "link.js",
        "log.js",
        "names.js",
        "olaf.js",
        "person.js",
        "print.js",
        "rooms.js",
        "salt.js",
        "seal.js",
        "side.js",
        "status.js",
        "store.js",
        "style.css",
        "tabs.js",
        "talk.js"
    ];
    files.into_iter().map(|(name, content)| File { name, content, tag: tag(content) }).collect()
});

const INDEX: &str = "index.html";

/// Equal content has an equal tag, in whatever process on whichever node.
fn tag(content: &[u8]) -> EntityTag {
    let digest: [u8; 16] = sha256_start(content);
    EntityTag::new_strong(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The page, where there is one.
#[derive(Clone, Debug)]
pub struct Page {
    /// What the page may load, and to whom it may talk.
    policy: HeaderValue,
}

impl Page {
    /// The page at a door that may be pinned to a dialect. It speaks OLAF, so it is of no use where that is not spoken.
    #[must_use]
    pub fn offered(settings: &Settings, door: Option<Dialect>, nodes: &Nodes) -> Option<Self> {
        let is_understood = door.or(settings.listen.dialect.0).is_none_or(|only| only == Dialect::Olaf);
        let policy = policy(&nodes.all()).try_into_value().ok()?;
        (settings.web.chat && is_understood).then_some(Self { policy })
    }

    /// Adds the files of the page to a door that has one.
    pub fn configure(page: Option<&Self>, config: &mut ServiceConfig) {
        let Some(page) = page else { return };
        config.app_data(Data::new(page.clone())).service(
            web::resource("/web/{name}")
                .route(web::get().to(asset))
                .route(web::head().to(asset))
                .default_service(web::to(|| async { method_not_allowed() })),
        );
    }

    fn answer(&self, request: &HttpRequest, file: &File) -> HttpResponse {
        let known = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|tag| tag.weak_eq(&file.tag)),
            Err(_) => false,
        };
        let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response
            .insert_header(ETag(file.tag.clone()))
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .insert_header((header::CONTENT_SECURITY_POLICY, self.policy.clone()))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
        if file.name == INDEX {
            // The same address answers programs, and WebSocket requests, in quite another way.
            response.insert_header((header::VARY, "Accept, Upgrade"));
        }
        if known {
            return response.finish();
        }
        response
            .insert_header((header::CONTENT_TYPE, media_type(file.name)))
            .body(Bytes::from_static(file.content))
    }
}

/// The page, for a request that would rather see it than anything else, at a door that has one.
pub(super) fn entrance(request: &HttpRequest) -> Option<HttpResponse> {
    let page = request.app_data::<Data<Page>>().filter(|_| wants_page(request))?;
    Some(page.answer(request, FILES.iter().find(|file| file.name == INDEX)?))
}

async fn asset(request: HttpRequest, name: web::Path<String>, page: Data<Page>) -> HttpResponse {
    // What the page itself is, is answered where it is looked for.
    let found = FILES.iter().find(|file| file.name == name.as_str() && file.name != INDEX);
    match found {
        Some(file) => page.answer(&request, file),
        None => Problem::not_found("the page has no such file").error_response(),
    }
}

/// Whether somebody names HTML, and likes nothing better that is answered here. Browsers do when they go somewhere;
/// whoever takes anything is a program.
fn wants_page(request: &HttpRequest) -> bool {
    let Ok(mut accept) = Accept::parse(request) else { return false };
    accept.retain(|kind| kind.quality > Quality::ZERO);
    let answered = ["text/html", "application/json", "application/*", "*/*"];
    let mut ranked = accept.ranked().into_iter();
    ranked
        .find(|kind| answered.contains(&kind.essence_str()))
        .is_some_and(|kind| kind.essence_str() == answered[0])
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

/// The content security policy of a home with these doors, besides the one where the page is.
fn policy(doors: &[String]) -> String {
    let mut policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'; connect-src 'self'"
            .to_owned();
    for (socket, web) in doors.iter().filter_map(|door| origins(door)) {
        policy.extend([" ", &socket, " ", &web]);
    }
    policy
}

/// The origins of a door's WebSocket and of its web pages, as browsers write them: without a path, and without the
/// port that goes without saying. None for a door that is not written as one.
pub(super) fn origins(door: &str) -> Option<(String, String)> {
    let (scheme, rest) = door.split_once("://")?;
    let (socket, web, usual) = match scheme {
        "ws" => ("ws", "http", ":80"),
        "wss" => ("wss", "https", ":443"),
        _ => return None,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    if authority.is_empty() || !authority.bytes().all(is_plain) {
        return None;
    }
    let authority = authority.strip_suffix(usual).unwrap_or(&authority);
    Some((format!("{socket}://{authority}"), format!("{web}://{authority}")))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
