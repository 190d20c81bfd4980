//! One program, an echo server and its client with and without TLS, compiled against each adapter from one text: the
//! `use` lines are all that differs.

#![expect(clippy::duplicate_mod, reason = "that is the point")]

use hybi_suite::{certificate::configurations, suite::bounded};
use hybi_tokio::{Error, Message};

mod on_async_std;
mod on_smol;
mod on_tokio;

fn judge(answers: Result<[Option<Message>; 2], Error>) {
    let hello = || Some(Message::text("hello"));
    assert_eq!(answers.expect("no error"), [hello(), hello()]);
}

#[test]
fn on_tokio() {
    bounded("on_tokio", || {
        let (server, client) = configurations(&["localhost"]);
        let connector = hybi_tokio::Connector::new().rustls(client);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let program = on_tokio::program::run(server.into(), connector);
        judge(runtime.expect("a runtime").block_on(program));
    });
}

#[test]
fn on_smol() {
    bounded("on_smol", || {
        let (server, client) = configurations(&["localhost"]);
        let connector = hybi_smol::Connector::new().rustls(client);
        judge(smol::block_on(on_smol::program::run(server.into(), connector)));
    });
}

#[test]
fn on_async_std() {
    bounded("on_async_std", || {
        let (server, client) = configurations(&["localhost"]);
        let connector = hybi_async_std::Connector::new().rustls(client);
        let program = on_async_std::program::run(server.into(), connector);
        judge(async_std::task::block_on(program));
    });
}
