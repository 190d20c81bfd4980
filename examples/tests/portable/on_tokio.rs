//! What the program uses on tokio.

use futures_util::future::try_join;
use hybi_tokio::{
    Client, CloseCode, Connector, Error, Message, Server, TlsAcceptor, WebSocket, accept,
    accept_tls,
};
use tokio::net::TcpListener;

#[path = "program.rs"]
pub(crate) mod program;
