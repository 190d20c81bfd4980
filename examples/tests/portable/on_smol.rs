//! What the program uses on smol.

use futures_util::future::try_join;
use hybi_smol::{
    Client, CloseCode, Connector, Error, Message, Server, TlsAcceptor, WebSocket, accept,
    accept_tls,
};
use smol::net::TcpListener;

#[path = "program.rs"]
pub(crate) mod program;
