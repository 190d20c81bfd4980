//! The table of errors that `tests/produced.rs` of each crate is: a variant, and what a peer or a caller does
//! to get it.

/// Asserts that each error on the right is the variant on the left of it, and tells so in one line.
///
/// `cargo xtask tidy` asks for a row for each variant of each public error.
///
/// ```
/// use std::env::VarError;
///
/// hybi_suite::produced! {
///     VarError::NotPresent => std::env::var("NO SUCH VARIABLE").unwrap_err(),
/// }
/// ```
#[macro_export]
macro_rules! produced {
    ($($variant:pat => $error:expr,)+) => {$(
        let error = $error;
        let told = error.to_string();
        assert!(!told.is_empty() && !told.contains('\n'), "{told}");
        assert!(matches!(error, $variant), "{told}: was to be {}", stringify!($variant));
    )+};
}
