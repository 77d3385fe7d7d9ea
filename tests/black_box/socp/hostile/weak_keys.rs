//! Keys that are too weak, of users and of servers.

use serde_json::json;

use super::{
    house,
    stranger::{ANNA, LAIR, Stranger, hello, join, still_serves, weak, with},
};

#[actix_web::test]
async fn weak_keys_are_refused() {
    let app = house();
    for key in [weak(2048, &[1, 0, 1]), weak(4096, &[3]), "AAAA".to_owned(), String::new()] {
        let mut user = Stranger::dial(&app.listen, ANNA).await;
        user.says(&with(hello(ANNA), "/payload/pubkey", key.as_str())).await;
        let (code, end) = user.last_words().await;
        assert_eq!(code.as_deref(), Some("BAD_KEY"), "{key}");
        assert_eq!(end, Some((1008, "bad_key".to_owned())), "{key}");
    }
    for key in [weak(2048, &[1, 0, 1]), weak(4096, &[3])] {
        let mut server = Stranger::dial(&app.listen, LAIR).await;
        server.says(&with(join(LAIR), "/payload/pubkey", key.as_str())).await;
        let (code, end) = server.last_words().await;
        assert_eq!(code.as_deref(), Some("BAD_KEY"), "{key}");
        assert_eq!(end, Some((1008, "bad_key".to_owned())), "{key}");
    }
    app.until_metric("kith_violations_total{code=\"bad_key\"}", |count| count == 6.0).await;
    let peers = app.get("/api/v1/peers").await;
    assert_eq!(peers["items"], json!([]), "none of them is a neighbour");
    still_serves(&app).await;
}
