//! The rendezvous, met by its first clients as they are, and by streams of all kinds.

use std::fs;

use actix_web::http::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{
    api::{Answer, ask},
    app::{App, in_time, kith},
    peers::run,
    store::database,
};

/// Room for many registrations from one address.
const OPEN: [(&str, &str); 2] =
    [("LIMITS__HELLOS_PER_ADDRESS_PER_MINUTE", "100000"), ("LIMITS__HELLO_TIMEOUT_S", "3")];

/// The door of the rendezvous, as scripts learn it.
pub(crate) fn door(app: &App) -> String {
    let ready = fs::read_to_string(app.folder().join("ready.json")).expect("the ready file");
    let ready: Value = serde_json::from_str(&ready).expect("JSON");
    ready["rendezvous"].as_str().expect("a door").to_owned()
}

/// Runs one group of checks against a server with these settings.
fn checks(settings: &[(&str, &str)], group: &str) {
    let listen = [("RENDEZVOUS__LISTEN", "127.0.0.1:0")];
    let app = App::with(&[&OPEN, &listen[..], settings].concat());
    run("rendezvous_suite.py", &["--door", &door(&app), "--only", group]);
    let log = app.log();
    assert!(!log.contains("panicked"), "{log}");
}

macro_rules! groups {
    ($($name:ident: $group:literal, $settings:expr;)*) => {
        $(#[test]
        fn $name() {
            checks($settings, $group);
        })*
    };
}

groups! {
    the_first_clients_mesh: "mesh", &[];
    with_a_nul_a_departure_is_survived: "departure", &[("RENDEZVOUS__NUL", "true")];
    without_a_nul_a_departure_is_not: "stale", &[];
    streams_mean_the_same_however_they_come: "stream", &[];
    a_full_house_refuses_newcomers: "reject", &[("RENDEZVOUS__MAX_CLIENTS", "10")];
    a_full_house_ends_if_it_is_told_to: "teardown",
        &[("RENDEZVOUS__MAX_CLIENTS", "3"), ("RENDEZVOUS__ON_FULL", "teardown")];
    nodes_are_told_more: "node", &[];
    addresses_of_the_new_kind_have_their_place: "v6", &[("RENDEZVOUS__LISTEN", "[::1]:0")];
}

#[test]
fn operators_are_warned_where_one_address_could_end_it_for_all() {
    let ends = [("RENDEZVOUS__ON_FULL", "teardown"), ("RENDEZVOUS__MAX_CLIENTS", "16")];
    for (listen, limit, is_warned) in
        [("0.0.0.0:0", "16", true), ("0.0.0.0:0", "15", false), ("127.0.0.1:0", "16", false)]
    {
        let more = [("RENDEZVOUS__LISTEN", listen), ("LIMITS__DIRECTORY_PER_ADDRESS", limit)];
        let mut app = App::with(&[ends, more].concat());
        app.signal("TERM");
        assert!(app.wait().success(), "{}", app.log());
        let log = app.log();
        assert_eq!(log.contains("all places of the rendezvous"), is_warned, "{listen}, {limit}: {log}");
    }
}

/// Somebody who reads lists of the first kind, and ends lines.
struct Reader {
    socket: TcpStream,
    at: String,
    text: String,
}

impl Reader {
    async fn register(door: &str, at: &str) -> Self {
        let mut socket = TcpStream::connect(door).await.expect("a socket");
        socket.write_all(format!("{at}\n").as_bytes()).await.expect("a registration");
        Self { socket, at: at.to_owned(), text: String::new() }
    }

    /// Reads until a list is this one.
    async fn until(&mut self, wanted: &[&str]) {
        let wanted = format!("list:\n{}\n", wanted.join("\n"));
        in_time(&wanted, async {
            let mut piece = [0; 4096];
            while !self.text.ends_with(&wanted) {
                let count = self.socket.read(&mut piece).await.expect("a list");
                assert!(count > 0, "{} is closed after {}", self.at, self.text);
                self.text.push_str(std::str::from_utf8(&piece[..count]).expect("text"));
            }
        })
        .await;
    }
}

const MEMBER: &str = "5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f5f";

/// The addresses that the API lists.
fn addresses(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["address"].as_str().expect("an address")).collect()
}

#[actix_web::test]
async fn clients_of_two_homes_are_introduced_to_each_other() {
    let settings = [("RENDEZVOUS__LISTEN", "127.0.0.1:0"), ("RENDEZVOUS__ALLOW", "127.0.0.0/8")];
    let north = App::with(&settings);
    let url = format!("ws://{}", north.listen);
    let south = App::with(&[&settings[..], &[("NEIGHBOURHOOD__PEERS", &url)]].concat());
    let alone = App::with(&[("RENDEZVOUS__SHARE", "false"), ("NEIGHBOURHOOD__PEERS", &url)]);
    let mut one = Reader::register(&door(&north), "127.0.0.1:50001").await;
    one.until(&["127.0.0.1:50001"]).await;
    let mut other = Reader::register(&door(&south), "127.0.0.1:50002").await;
    let both = ["127.0.0.1:50001", "127.0.0.1:50002"];
    one.until(&both).await;
    other.until(&both).await;
    let key = south.get("/api/v1/server").await["key_id"].clone();
    let list = north.get("/api/v1/directory").await;
    assert_eq!((&list["items"][0]["home"], &list["items"][1]["home"]), (&Value::Null, &key), "{list}");
    assert_eq!(addresses(&alone.get("/api/v1/directory").await), [] as [&str; 0]);
    south.kill();
    one.until(&both[..1]).await;
}

#[actix_web::test]
async fn operators_register_addresses_of_members() {
    let app = App::with(&[("LIMITS__DIRECTORY_PER_MEMBER", "2")]);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let (open, closed) = (listener.local_addr().expect("an address").to_string(), "127.0.0.1:1");
    let post = async |body: Value| app.api_with(Method::POST, "/api/v1/directory", &body).await;
    for address in [&open, closed] {
        let answer = post(json!({"member": MEMBER, "address": address})).await;
        assert_eq!(answer.status, 202, "{answer:?}");
    }
    let is_whole = |answer: &Answer| addresses(&answer.json()).len() == 2;
    let list = app.until("/api/v1/directory", is_whole).await.json();
    assert_eq!(addresses(&list), [closed, &open], "who cannot be dialled stands first");
    let marks: Vec<_> =
        list["items"].as_array().expect("items").iter().map(|one| &one["undialable"]).collect();
    assert_eq!((marks, &list["items"][0]["member"]), (vec![&json!(true), &json!(false)], &json!(MEMBER)));

    let first = app.get("/api/v1/directory?limit=1").await;
    let cursor = first["next"].as_str().expect("a cursor");
    let second = app.get(&format!("/api/v1/directory?limit=1&cursor={cursor}")).await;
    assert_eq!((addresses(&first), addresses(&second)), (vec![closed], vec![open.as_str()]));
    assert_eq!(second["next"], Value::Null);
    assert_eq!(app.api(Method::GET, "/api/v1/directory?cursor=x").await.status, 400);

    let other = "6".repeat(64);
    for (body, status, code) in [
        (json!({"member": "x", "address": open}), 400, "bad_request"),
        (json!({"member": MEMBER, "address": "localhost:5"}), 400, "bad_request"),
        (json!({"member": MEMBER, "address": "0.0.0.0:5"}), 400, "bad_request"),
        (json!({"member": MEMBER, "address": open, "seconds": 0}), 400, "bad_request"),
        (json!({"member": other, "address": open}), 409, "taken"),
        (json!({"member": MEMBER, "address": "127.0.0.1:2"}), 409, "too_many"),
    ] {
        let answer = post(body.clone()).await;
        let kind = format!("/problems/{code}");
        assert_eq!((answer.status, &answer.json()["type"]), (status, &json!(kind)), "{body}");
    }
    let shown = kith()
        .args(["admin", "--url", &format!("http://{}", app.admin), "directory"])
        .env("KITH_ADMIN_TOKEN", &app.token)
        .output()
        .expect("the program");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains(&open) && shown.contains("undialable") && shown.contains(&MEMBER[..12]),
        "{shown}"
    );

    let path = |member: &str| format!("/api/v1/directory/{member}/{open}");
    for (member, status) in [(other.as_str(), 404), (MEMBER, 204), (MEMBER, 404)] {
        assert_eq!(app.api(Method::DELETE, &path(member)).await.status, status);
    }
    assert_eq!(addresses(&app.get("/api/v1/directory").await), [closed]);
}

#[actix_web::test]
async fn what_operators_have_registered_outlives_the_process() {
    let app = App::start();
    let [one, two] = ["127.0.0.1:1", "127.0.0.1:2"];
    for address in [one, two] {
        let body = json!({"member": MEMBER, "address": address});
        assert_eq!(app.api_with(Method::POST, "/api/v1/directory", &body).await.status, 202);
    }
    let before = app.until("/api/v1/directory", |answer| addresses(&answer.json()).len() == 2).await.json();
    // As in a power failure.
    let app = App::in_folder(app.kill(), &[]);
    let after = app.until("/api/v1/directory", |answer| addresses(&answer.json()).len() == 2).await.json();
    assert_eq!((&after["items"], addresses(&after)), (&before["items"], vec![one, two]), "in their places");
    assert_ne!(after["epoch"], before["epoch"]);
    let path = format!("/api/v1/directory/{MEMBER}/{one}");
    assert_eq!(app.api(Method::DELETE, &path).await.status, 204);
    let app = App::in_folder(app.kill(), &[]);
    app.until("/api/v1/directory", |answer| addresses(&answer.json()) == [two]).await;
}

/// With these the database refuses, at once, to forget or to keep what operators have registered.
const FORGETS_NOTHING: &str = "CREATE TRIGGER refusal BEFORE DELETE ON introductions
                               BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
const KEEPS_NOTHING: &str = "CREATE TRIGGER refusal BEFORE INSERT ON introductions
                             BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
const WRITES_ALL: &str = "DROP TRIGGER refusal";

#[actix_web::test]
async fn what_cannot_be_written_down_leaves_everything_as_it_was() {
    let app = App::with(&[("RENDEZVOUS__DIAL_BACK", "off")]);
    let mut database = database(&app).await;
    let mut from_now_on = async |how| sqlx::query(how).execute(&mut database).await.expect("a trigger");
    let [one, two] = ["127.0.0.1:1", "127.0.0.1:2"];
    let post = async |address: &str| {
        let body = json!({"member": MEMBER, "address": address});
        app.api_with(Method::POST, "/api/v1/directory", &body).await.status
    };
    let take_out =
        async || app.api(Method::DELETE, &format!("/api/v1/directory/{MEMBER}/{one}")).await.status;
    assert_eq!(post(one).await, 202);
    let listed = async || addresses(&app.get("/api/v1/directory").await).join(" ");

    from_now_on(FORGETS_NOTHING).await;
    for _ in 0..2 {
        assert_eq!((take_out().await, listed().await.as_str()), (503, one), "it is still on disk");
    }
    from_now_on(WRITES_ALL).await;

    from_now_on(KEEPS_NOTHING).await;
    for address in [one, two] {
        assert_eq!((post(address).await, listed().await.as_str()), (503, one), "{address}");
    }
    from_now_on(WRITES_ALL).await;
    assert_eq!((take_out().await, listed().await.as_str(), take_out().await), (204, "", 404));
}

#[actix_web::test]
async fn everybody_reads_the_directory_where_that_is_wanted() {
    for (public, status) in [("true", 200), ("false", 404)] {
        let app = App::with(&[("RENDEZVOUS__PUBLIC", public)]);
        let answer = ask(Method::GET, &format!("http://{}/api/v1/directory?limit=5", app.listen), None).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[actix_web::test]
async fn whoever_comes_and_goes_is_told_to_whoever_watches_and_a_drain_ends_in_order() {
    let mut app = App::with(&[("RENDEZVOUS__LISTEN", "127.0.0.1:0")]);
    let mut watch = app.watch().await;
    let mut one = Reader::register(&door(&app), "127.0.0.1:50001").await;
    one.until(&["127.0.0.1:50001"]).await;
    let other = Reader::register(&door(&app), "127.0.0.1:50002").await;
    one.until(&["127.0.0.1:50001", "127.0.0.1:50002"]).await;
    drop(other);
    for (name, port) in [("directory_joined", 1), ("directory_joined", 2), ("directory_left", 2)] {
        let (event, data) = watch.next().await;
        let told = (event.as_str(), &data["address"], &data["state"]);
        let address = json!(format!("127.0.0.1:5000{port}"));
        assert_eq!(told, (name, &address, &json!("dialable")));
    }
    assert!(app.metric("kith_rendezvous_registrations_total").await >= 2.0);
    app.signal("TERM");
    let mut rest = Vec::new();
    in_time("the end", one.socket.read_to_end(&mut rest)).await.expect("an end in order");
    assert!(!String::from_utf8_lossy(&rest).contains("teardown"), "it may come back");
    assert!(app.wait().success());
}
