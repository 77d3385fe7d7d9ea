//! What is answered when no route fits: 405 if only the method is wrong, else 404.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError as _,
    dev::ResourceDef,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Data,
};
use utoipa::openapi::{OpenApi, PathItem};

use super::docs;
use crate::http::problem::Problem;

/// Every path and the methods it takes.
#[derive(Clone, Debug)]
pub(super) struct Routes(Vec<(ResourceDef, String)>);

impl Routes {
    /// The routes of a description, and those of the description itself.
    pub(super) fn new(description: &OpenApi) -> Self {
        let own = [docs::DESCRIPTION, docs::PAGE, "/docs/{_:.*}"].map(|path| (path, "GET".to_owned()));
        let paths = description.paths.paths.iter().map(|(path, item)| (path.as_str(), methods(item)));
        Self(paths.chain(own).map(|(path, methods)| (ResourceDef::new(path), methods)).collect())
    }

    fn methods(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.is_match(path)).map(|(_, methods)| methods.as_str())
    }
}

fn methods(item: &PathItem) -> String {
    let known = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ];
    let taken = known.into_iter().filter_map(|(name, operation)| operation.is_some().then_some(name));
    taken.collect::<Vec<_>>().join(", ")
}

/// Answers what nobody else answered.
pub(super) async fn answer(request: HttpRequest, routes: Data<Routes>) -> HttpResponse {
    let Some(methods) = routes.methods(request.path()) else {
        return Problem::not_found("no such path; see /openapi.json").error_response();
    };
    let code = StatusCode::METHOD_NOT_ALLOWED;
    let problem = Problem::new(code, "method_not_allowed", "This path does not take this method");
    let mut response = problem.detail(format_args!("it takes {methods}")).error_response();
    if let Ok(methods) = HeaderValue::from_str(methods) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}
