//! Servers that are looked after: over real sockets, what clients see of limits, panics, and the end.

use core::{future::Future, time::Duration};
use std::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use hybi::{
    Error, Server,
    serve::{Drain, Drained, Handle, Incident, Stage},
};
use hybi_testkit::wire::TEXT;

use super::{Accepted, Running, Runtime, adapter::Adapter, listen_for, run};
use crate::peer::{Address, PATIENCE, Peer, REQUEST};

/// The function of an adapter that this module is about.
pub trait Serves: Adapter + Runtime<Connected = <Self as Runtime>::Accepted> {
    /// The adapter's function of this name, on a listener of its runtime; a handle, and what serves to the end.
    fn serve<F>(
        listener: TcpListener,
        server: Server,
        choices: Choices,
        handler: impl Fn(Accepted<Self>) -> F + Send + Sync + 'static,
    ) -> (Handle, impl Future<Output = Drained>)
    where
        F: Future<Output = Result<(), Error>> + Send + 'static;
}

/// What a server is told before it begins, each by the method of its name.
#[expect(clippy::exhaustive_structs, reason = "adapters take it apart")]
#[expect(missing_debug_implementations, reason = "functions have none")]
pub struct Choices {
    /// How many connections of one address there may be.
    pub max_per_address: usize,
    /// Who hears of what nobody else is told.
    pub on_incident: Box<dyn Fn(&Incident<'_>) + Send + Sync>,
}

impl Default for Choices {
    fn default() -> Self {
        Self { max_per_address: usize::MAX, on_incident: Box::new(|_| ()) }
    }
}

/// A server at work, and how to end it.
struct Site {
    address: Address,
    handle: Handle,
    running: Running<Drained>,
}

impl Site {
    /// An echo that panics at a word.
    fn open<R: Serves>(choices: Choices) -> Self {
        let (listener, address) = listen_for::<R>();
        let (tell, told) = mpsc::channel();
        let running = run::<R, _>(move || async move {
            let server = Server::default();
            let (handle, serving) = R::serve(listener, server, choices, |mut ws| async move {
                assert!(R::has_no_delay(ws.transport()));
                while let Some(message) = ws.recv().await? {
                    assert!(message.as_text() != Some("bang"), "at the word");
                    ws.feed(message).await?;
                }
                Ok(())
            });
            tell.send(handle).expect("somebody waits");
            serving.await
        });
        Self { address, handle: told.recv_timeout(PATIENCE).expect("a server"), running }
    }

    fn end(self, drain: Drain) -> Drained {
        drop(self.handle.drain(drain));
        self.running.join()
    }

    /// Waits until there are so many connections.
    fn has(&self, connections: usize) {
        while self.handle.connections() != connections {
            thread::yield_now();
        }
    }
}

/// A client that has an echo of what it says.
fn client(address: Address) -> Peer {
    let mut peer = Peer::open(address);
    peer.send_frame(TEXT, b"hello");
    peer.expect(TEXT, b"hello");
    peer
}

/// Each is told, answers, and sees an end without a reset; nobody is let in any more.
pub fn sends_everybody_away_in_order<R: Serves>() {
    let site = Site::open::<R>(Choices::default());
    let address = site.address;
    let mut peers: Vec<_> = (0..3).map(|_| client(address)).collect();
    assert_eq!(site.handle.connections(), 3);
    let ending = site.handle.drain(Drain::default());
    for peer in &mut peers {
        peer.expect_close_saying(1001, "server going away");
        peer.send_close(1001);
        peer.expect_end();
        peer.expect_no_reset();
        peer.end();
    }
    let report = site.running.join();
    assert_eq!((report.closed, report.lost, report.cut.len()), (3, 0, 0), "{report}");
    assert_eq!(R::block_on(ending), report);
    TcpStream::connect(address.socket).expect_err("nobody listens");
}

/// One more than there may be.
pub fn answers_503_beyond_the_limit<R: Serves>() {
    let site = Site::open::<R>(Choices { max_per_address: 1, ..Choices::default() });
    let peer = client(site.address);
    let mut second = Peer::connect(site.address);
    second.send(REQUEST);
    let (head, _) = second.expect_refusal();
    assert_eq!((head.status(), head.field("retry-after")), (503, Some("1")));
    drop((peer, second));
    site.has(0);
    drop(client(site.address));
    let _ = site.end(Drain::default());
}

/// A handler that panics ends its own connection, on each runtime.
pub fn outlives_a_panic<R: Serves>() {
    let (tell, told) = mpsc::channel();
    let on_incident = Box::new(move |incident: &Incident<'_>| {
        let _ = tell.send(incident.to_string());
    });
    let site = Site::open::<R>(Choices { on_incident, ..Choices::default() });
    let (mut quiet, mut loud) = (client(site.address), client(site.address));
    loud.send_frame(TEXT, b"bang");
    // It is let go as it is, without a goodbye of TLS.
    loud.expect_nothing_more();
    let incident = told.recv_timeout(PATIENCE).expect("it is told");
    assert!(incident.ends_with(": the handler panicked: at the word"), "{incident}");
    quiet.send_frame(TEXT, b"still there?");
    quiet.expect(TEXT, b"still there?");
    drop(client(site.address));
    drop(quiet);
    let report = site.end(Drain::default());
    assert_eq!(report.cut, [], "{report}");
}

/// Nobody waits longer than to the deadline for those who say nothing.
pub fn cuts_and_names_who_is_silent<R: Serves>() {
    let site = Site::open::<R>(Choices::default());
    let silent = Peer::open(site.address);
    site.has(1);
    let report = site.end(Drain::default().deadline(Duration::from_millis(200)));
    let cut: Vec<_> = report.cut.iter().map(|cut| (cut.peer, cut.stage)).collect();
    assert_eq!(cut, [(Some(silent.local_addr()), Stage::Closing)]);
    assert_eq!(report.closed, 0);
}

/// A connection that was accepted and has not asked.
pub fn answers_503_while_it_ends<R: Serves>() {
    let site = Site::open::<R>(Choices::default());
    let mut late = Peer::connect(site.address);
    site.has(1);
    drop(site.handle.drain(Drain::default().retry_after(Duration::from_secs(7))));
    late.send(REQUEST);
    let (head, _) = late.expect_refusal();
    assert_eq!((head.status(), head.field("retry-after")), (503, Some("7")));
    drop(late);
    let report = site.running.join();
    assert_eq!((report.refused, report.cut.len()), (1, 0), "{report}");
}

/// Those whom the system let in before the end was asked for, and whom nobody has accepted.
pub fn answers_503_to_those_in_the_queue<R: Serves>() {
    let site = Site::open::<R>(Choices::default());
    let mut late: Vec<_> = (0..20).map(|_| Peer::connect(site.address)).collect();
    drop(site.handle.drain(Drain::default()));
    for peer in &mut late {
        peer.send(REQUEST);
        assert_eq!(peer.expect_refusal().0.status(), 503);
    }
    drop(late);
    let report = site.running.join();
    assert_eq!((report.refused, report.cut.len()), (20, 0), "{report}");
}
