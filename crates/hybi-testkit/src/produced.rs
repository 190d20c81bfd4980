//! The table of errors that `tests/produced.rs` of each crate is: a variant, and what a peer or a caller does
//! to get it.

/// Asserts that each error on the right is the variant on the left of it.
///
/// `cargo xtask tidy` asks for a row for each variant of each public error.
///
/// ```
/// use core::num::IntErrorKind;
///
/// hybi_testkit::produced! {
///     IntErrorKind::Empty => *"".parse::<u8>().unwrap_err().kind(),
///     IntErrorKind::PosOverflow => *"256".parse::<u8>().unwrap_err().kind(),
/// }
/// ```
#[macro_export]
macro_rules! produced {
    ($($variant:pat => $error:expr,)+) => {$(
        let error = $error;
        assert!(matches!(error, $variant), "{} was to be {}", stringify!($error), stringify!($variant));
    )+};
}
