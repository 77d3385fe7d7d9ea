//! The uploaded files: what lies here, and away with one of them.

use actix_web::{
    HttpResponse, delete, get,
    web::{Data, Json, Path, Query},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    paging::{self, Listing, PageQuery},
    stamp::rfc3339,
};
use crate::{
    http::{files, problem::Problem, site::Site},
    store::FileRecord,
};

/// The name of this list in cursors.
const LIST: &str = "files";

/// An uploaded file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FileView {
    /// Its name in URLs.
    id: String,
    /// What its sender called it.
    name: String,
    /// Where it is fetched.
    url: String,
    /// What its sender said that it is; browsers are told so only if that is harmless.
    content_type: String,
    /// Its size.
    bytes: u64,
    /// When it came.
    uploaded_at: String,
    /// When it goes.
    expires_at: String,
    /// How often it was fetched.
    downloads: u64,
}

fn view(site: &Site, file: FileRecord) -> FileView {
    FileView {
        url: files::url(site, &file.id),
        id: file.id,
        name: file.name,
        content_type: file.content_type,
        bytes: file.bytes,
        uploaded_at: rfc3339(file.uploaded_at),
        expires_at: rfc3339(file.expires_at),
        downloads: file.downloads,
    }
}

/// The uploaded files, those that came last in front.
#[utoipa::path(
    tag = "files",
    operation_id = "list_files",
    params(PageQuery),
    responses(
        (status = 200, description = "A page of files", body = Listing<FileView>),
        (status = 400, description = "A bad limit or cursor", body = Problem,
         content_type = "application/problem+json"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[get("/files")]
pub(super) async fn list(
    site: Data<Site>,
    query: Query<PageQuery>,
) -> Result<Json<Listing<FileView>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let after = paging::decode(LIST, query.cursor.as_deref(), |text| text.parse().ok())?;
    let page = site.store.files(after.as_ref(), limit).await?;
    let items = page.items.into_iter().map(|file| view(&site, file)).collect();
    Ok(Json(Listing { items, next: page.next.map(|next| paging::encode(LIST, next)) }))
}

/// Deletes a file before its time.
#[utoipa::path(
    tag = "files",
    operation_id = "delete_file",
    params(("id" = String, Path, description = "Its name in URLs")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 401, description = "No token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "It is not here", body = Problem, content_type = "application/problem+json"),
    ),
    security(("bearer" = []))
)]
#[delete("/files/{id}")]
pub(super) async fn delete(site: Data<Site>, id: Path<String>) -> Result<HttpResponse, Problem> {
    if site.filing.delete(&id).await? {
        Ok(HttpResponse::NoContent().finish())
    } else {
        Err(Problem::not_found("no such file"))
    }
}
