//! Where homes of several nodes live: what the tests of the product from outside have for them.

#[allow(dead_code, reason = "the tests of the product from outside use the rest")]
#[path = "../black_box/neighbourhood/home.rs"]
pub(crate) mod home;
#[allow(dead_code, reason = "the tests of the product from outside use the rest")]
#[path = "../black_box/neighbourhood/place.rs"]
pub(crate) mod place;
