//! The program on these: this `use` line is all that differs.

pub(crate) use hybi_axum as ws;

#[path = "program.rs"]
pub(crate) mod program;
