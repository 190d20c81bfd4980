//! Guides for those who come from other crates. Each program in them is compiled, before and after.

/// The guide from tungstenite and tokio-tungstenite.
#[cfg(doctest)]
#[doc = include_str!("from_tungstenite.md")]
struct FromTungstenite;

/// The guide from axum's ws.
#[cfg(doctest)]
#[doc = include_str!("from_axum.md")]
struct FromAxum;
