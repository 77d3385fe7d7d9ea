//! The folder against a real disk and a real database.

use std::{fs, sync::Arc};

use tempfile::TempDir;

use super::*;
use crate::actors::stillness::Stillness;

const KEEP_MS: i64 = 60_000;

fn still() -> Stillness {
    Stillness::default()
}

async fn filing(folder: &TempDir) -> Filing {
    open(folder, false).await
}

async fn open(folder: &TempDir, others: bool) -> Filing {
    let store = Store::open(&folder.path().join("kith.db")).await.expect("a store");
    let limits =
        Limits { upload_bytes: 1000, upload_total_bytes: 1500, upload_keep_s: 60, ..Limits::default() };
    Filing::open(folder.path(), others, store, Arc::new(limits), Tally::default()).await.expect("a filing")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path().join("files")).expect("the folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect()
}

async fn add(filing: &Filing, bytes: usize) -> FileRecord {
    let mut draft = filing.draft("a b.TXT").await.expect("a draft");
    draft.write(&vec![7; bytes]).await.expect("room");
    draft.keep("text/plain", still().look()).await.expect("a file")
}

#[actix_web::test]
async fn a_whole_file_has_a_place_a_row_and_its_share_of_the_quota() {
    let folder = folder();
    let filing = filing(&folder).await;
    let record = add(&filing, 400).await;
    assert!(is_id(&record.id) && record.id.ends_with(".txt"), "{}", record.id);
    assert_eq!(filing.find(&record.id, record.uploaded_at).await.expect("a look"), Some(record.clone()));
    assert_eq!(fs::read(folder.path().join("files").join(&record.id)).expect("bytes"), vec![7; 400]);
    assert_eq!((filing.used_bytes(), filing.0.tally.upload_bytes.get()), (400, 400));

    assert!(filing.delete(&record.id).await.expect("deleted"));
    assert!(!filing.delete(&record.id).await.expect("gone"));
    assert!(!filing.delete("../kith.db").await.expect("no id"));
    assert_eq!((filing.used_bytes(), filing.0.tally.upload_bytes.get()), (0, 0));
    assert_eq!(names(&folder), Vec::<String>::new());
}

#[actix_web::test]
async fn a_draft_that_is_dropped_or_refused_leaves_nothing() {
    let folder = folder();
    let filing = filing(&folder).await;
    let mut draft = filing.draft("x").await.expect("a draft");
    draft.write(&[0; 1000]).await.expect("room");
    assert!(matches!(draft.write(&[0]).await, Err(FilingError::TooLarge(1000))));
    assert_eq!((names(&folder).len(), filing.used_bytes()), (1, 1000));
    drop(draft);
    assert_eq!((names(&folder).len(), filing.used_bytes()), (0, 0));
    assert!(filing.open_drafts().is_empty());
}

#[actix_web::test]
async fn uploads_under_way_count_against_the_quota() {
    let folder = folder();
    let filing = filing(&folder).await;
    let (mut one, mut two) =
        (filing.draft("one").await.expect("a draft"), filing.draft("two").await.expect("a draft"));
    one.write(&[0; 900]).await.expect("room");
    two.write(&[0; 600]).await.expect("room");
    assert!(matches!(two.write(&[0]).await, Err(FilingError::Full)));
    drop(one);
    two.write(&[0; 400]).await.expect("room again");
    two.keep("", still().look()).await.expect("a file");
    assert_eq!(filing.used_bytes(), 1000);
}

#[actix_web::test]
async fn an_expired_file_is_never_found_and_then_swept() {
    let folder = folder();
    let filing = filing(&folder).await;
    let record = add(&filing, 10).await;
    let (before, after) = (record.uploaded_at + KEEP_MS - 1, record.uploaded_at + KEEP_MS);
    assert!(filing.find(&record.id, before).await.expect("a look").is_some());
    assert!(filing.find(&record.id, after).await.expect("a look").is_none());
    assert_eq!(filing.sweep(before).await.expect("swept"), Swept::default());
    let expected = Swept { expired: 1, ..Swept::default() };
    assert_eq!(filing.sweep(after).await.expect("swept"), expected);
    assert_eq!((names(&folder).len(), filing.used_bytes()), (0, 0));
    assert!(filing.0.store.file(&record.id).await.expect("a look").is_none());
}

#[actix_web::test]
async fn a_start_after_an_accident_tidies_up_and_spares_what_is_not_ours() {
    let folder = folder();
    let (kept, lost) = {
        let filing = filing(&folder).await;
        (add(&filing, 10).await, add(&filing, 20).await)
    };
    let place = |name: &str| folder.path().join("files").join(name);
    fs::remove_file(place(&lost.id)).expect("removed");
    for stray in [
        &format!(".upload-{}", lost.id),
        &format!(".fetch-{}", kept.id),
        &"0".repeat(32),
        "README",
        ".upload-notes",
    ] {
        fs::write(place(stray), "stray").expect("written");
    }
    let filing = filing(&folder).await;
    let mut left = names(&folder);
    left.sort();
    let mut expected = vec![".upload-notes".to_owned(), "README".to_owned(), kept.id.clone()];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(filing.used_bytes(), 10);
    assert!(filing.0.store.file(&lost.id).await.expect("a look").is_none());
    assert!(filing.read(&kept).await.expect("a look").is_some());
}

#[actix_web::test]
async fn a_sweep_spares_an_upload_under_way() {
    let folder = folder();
    let filing = filing(&folder).await;
    let mut draft = filing.draft("x").await.expect("a draft");
    draft.write(b"half").await.expect("room");
    assert_eq!(filing.sweep(unix_ms()).await.expect("swept"), Swept::default());
    let record = draft.keep("", still().look()).await.expect("a file");
    assert_eq!(filing.sweep(unix_ms()).await.expect("swept"), Swept::default());
    assert!(filing.read(&record).await.expect("a look").is_some());
}
