//! Trace without the feature: nothing is told.

use core::{fmt::Display, net::SocketAddr};

use hybi_frame::Role;
use hybi_handshake::WsUri;

use super::{Connection, Error, Negotiated};

#[derive(Debug)]
pub(super) struct Trace;

impl Trace {
    pub(super) fn new(_: Role, _: &Negotiated) -> Self {
        Self
    }

    pub(super) fn failed(&self, _: &Error) {}

    pub(super) fn blocked(&self, _: usize) {}
}

impl Connection {
    pub(crate) fn trace_server(&self, _: &WsUri) {}

    pub(crate) fn trace_client(&self, _: Option<SocketAddr>, _: &str) {}

    pub(crate) fn trace_open(&self) {}

    pub(crate) fn trace_end(&self) {}
}

pub(crate) fn refused(_: &Error) {}

pub(crate) fn incident(_: &dyn Display) {}
