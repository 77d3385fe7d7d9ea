//! How a law says that it was broken.

/// Something that must never be is.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

/// Fails unless it is true.
macro_rules! must {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err($crate::broken::Broken(format!($($words)+)));
        }
    };
}
pub(crate) use must;
