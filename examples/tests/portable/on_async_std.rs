//! What the program uses on async-std.

use async_std::net::TcpListener;
use futures_util::future::try_join;
use hybi_async_std::{
    Client, CloseCode, Connector, Error, Message, Server, TlsAcceptor, WebSocket, accept,
    accept_tls,
};

#[path = "program.rs"]
pub(crate) mod program;
