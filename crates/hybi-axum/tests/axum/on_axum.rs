//! The program on axum's own WebSockets.

pub(crate) use axum::extract::ws;

#[path = "program.rs"]
pub(crate) mod program;
