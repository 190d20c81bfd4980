//! Servers with a thread for each connection: what is of threads alone. Limits, panics and the end are in the behaviour
//! suite.

use core::net::SocketAddr;
use std::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread::{self, JoinHandle},
};

use hybi_blocking::{
    Client, CloseCode, Error, Server, Serving, WebSocket, block_on,
    http::Response,
    serve::{Drain, Drained, Handle, Incident, Stage},
};
use hybi_suite::{
    peer::{PATIENCE, Peer, listen},
    suite::{MORE_THAN_BUFFERS, bounded},
};
use hybi_testkit::wire::TEXT;

/// A server at work on a thread of its own, and where.
struct Site {
    address: SocketAddr,
    handle: Handle,
    running: JoinHandle<Drained>,
}

fn open(serve: impl FnOnce(TcpListener) -> Serving) -> Site {
    let (listener, address) = listen();
    let serving = serve(listener);
    let handle = serving.handle();
    let running = thread::spawn(|| serving.run());
    Site { address, handle, running }
}

impl Site {
    fn uri(&self, path: &str) -> String {
        format!("ws://{}/{path}", self.address)
    }

    fn connect(&self) -> WebSocket {
        hybi_blocking::connect_with(&Client::default(), self.uri("")).expect("there is room").0
    }

    fn cut(self) -> Drained {
        self.handle.cut();
        self.running.join().expect("no panic")
    }
}

fn echo(mut ws: WebSocket) -> Result<(), Error> {
    while let Some(message) = ws.recv()? {
        ws.feed(message)?;
    }
    Ok(())
}

#[test]
fn a_handler_has_a_thread_of_its_own_with_a_name() {
    bounded("a_handler_has_a_thread_of_its_own_with_a_name", || {
        let site = open(|listener| {
            hybi_blocking::serve(listener, Server::default(), |mut ws: WebSocket| {
                let thread = thread::current();
                let told = format!("{:?} {:?}", thread.id(), thread.name());
                ws.send(told)?;
                echo(ws)
            })
        });
        let mut guests: Vec<_> = (0..3).map(|_| site.connect()).collect();
        let mut told: Vec<_> = guests
            .iter_mut()
            .map(|ws| ws.recv().expect("lawful").expect("a message"))
            .map(|message| message.as_text().expect("a text").to_owned())
            .collect();
        assert!(told.iter().all(|told| told.ends_with(r#" Some("hybi-connection")"#)), "{told:?}");
        told.sort();
        told.dedup();
        assert_eq!(told.len(), 3, "{told:?}");
        let ending = site.handle.drain(Drain::default());
        for ws in &mut guests {
            assert_eq!(ws.recv().expect("in order"), None);
        }
        let report = site.running.join().expect("no panic");
        assert_eq!((report.closed, report.lost, report.cut.len()), (3, 0, 0), "{report}");
        assert_eq!(block_on(ending), report);
    });
}

/// Neither is looked at by whoever accepts.
#[test]
fn a_handler_that_blocks_holds_up_nobody_else() {
    bounded("a_handler_that_blocks_holds_up_nobody_else", || {
        let (go_on, wait) = mpsc::channel::<()>();
        let wait = std::sync::Mutex::new(wait);
        let site = open(|listener| {
            hybi_blocking::serve(listener, Server::default(), move |mut ws: WebSocket| {
                if ws.recv()?.is_some_and(|message| message.as_text() == Some("wait")) {
                    wait.lock().expect("no panic").recv().expect("it goes on");
                }
                ws.send("done")?;
                echo(ws)
            })
        });
        let (mut slow, mut quick) = (site.connect(), site.connect());
        slow.send("wait").expect("it is open");
        quick.send("hello").expect("it is open");
        assert_eq!(quick.recv().expect("lawful"), Some("done".into()));
        go_on.send(()).expect("it waits");
        assert_eq!(slow.recv().expect("lawful"), Some("done".into()));
        drop((slow, quick));
        drop(site.handle.drain(Drain::default()));
        site.running.join().expect("no panic");
    });
}

/// A thread that waits to receive cannot be dropped with its connection: it is told.
#[test]
fn what_is_cut_ends_a_thread_that_receives() {
    bounded("what_is_cut_ends_a_thread_that_receives", || {
        let (tell, told) = mpsc::channel();
        let (complain, complaints) = mpsc::channel();
        let site = open(|listener| {
            let serving =
                hybi_blocking::serve(listener, Server::default(), move |mut ws: WebSocket| {
                    let received = ws.recv();
                    let is_lost = matches!(received, Err(Error::Lost | Error::Transport(_)));
                    tell.send(is_lost).expect("somebody waits");
                    received.map(drop)
                });
            serving.on_incident(move |incident| drop(complain.send(incident.to_string())))
        });
        let mut silent = Peer::open(site.address);
        drop(site.handle.drain(Drain::default()));
        silent.expect_close_saying(1001, "server going away");
        let report = site.cut();
        assert!(told.recv_timeout(PATIENCE).expect("it ended"), "with an error");
        let cut: Vec<_> = report.cut.iter().map(|cut| (cut.peer, cut.stage)).collect();
        assert_eq!(cut, [(Some(silent.local_addr()), Stage::Closing)]);
        // The report names it, and nobody else does.
        assert_eq!(complaints.iter().collect::<Vec<_>>(), [""; 0]);
    });
}

/// The same of one that sends, to a peer that reads nothing, and of the other half on a thread of its own.
#[test]
fn what_is_cut_ends_both_halves() {
    bounded("what_is_cut_ends_both_halves", || {
        let (tell, told) = mpsc::channel();
        let (begin, begun) = mpsc::channel();
        let site = open(|listener| {
            hybi_blocking::serve(listener, Server::default(), move |ws: WebSocket| {
                let (mut sender, mut receiver) = ws.split();
                let begin = begin.clone();
                let sending = thread::spawn(move || {
                    sender.send("first").expect("there is room");
                    begin.send(()).expect("somebody waits");
                    sender.send(vec![0; MORE_THAN_BUFFERS]).is_err()
                });
                let received = receiver.recv().is_err();
                tell.send((received, sending.join().expect("no panic"))).expect("told");
            })
        });
        let mut silent = Peer::open(site.address);
        silent.expect(TEXT, b"first");
        begun.recv_timeout(PATIENCE).expect("it sends");
        let report = site.cut();
        assert_eq!(told.recv_timeout(PATIENCE).expect("both ended"), (true, true));
        assert_eq!(report.cut.len(), 1, "{report}");
    });
}

/// It is named, and waited for one second more; its thread stays.
#[test]
fn a_handler_that_does_not_look_is_left_behind() {
    bounded("a_handler_that_does_not_look_is_left_behind", || {
        let (go_on, wait) = mpsc::channel::<()>();
        let (begin, begun) = mpsc::channel();
        let (tell, told) = mpsc::channel();
        let shared = std::sync::Mutex::new((wait, tell));
        let site = open(|listener| {
            hybi_blocking::serve(listener, Server::default(), move |mut ws: WebSocket| {
                begin.send(()).expect("somebody waits");
                let shared = shared.lock().expect("no panic");
                shared.0.recv().expect("it goes on");
                shared.1.send(ws.recv().is_err()).expect("told");
            })
        });
        let peer = Peer::open(site.address);
        begun.recv_timeout(PATIENCE).expect("it begins");
        let report = site.cut();
        let cut: Vec<_> = report.cut.iter().map(|cut| (cut.peer, cut.stage)).collect();
        assert_eq!(cut, [(Some(peer.local_addr()), Stage::Open)]);
        go_on.send(()).expect("it is there still");
        assert!(told.recv_timeout(PATIENCE).expect("it looks in the end"));
    });
}

#[test]
fn requests_are_decided_about_on_their_threads() {
    bounded("requests_are_decided_about_on_their_threads", || {
        let site = open(|listener| {
            hybi_blocking::serve_requests(listener, Server::default(), |incoming| {
                if incoming.request().uri().path() != "/garden" {
                    incoming.respond(Response::builder().status(404).body("no such room")?);
                    return Ok(());
                }
                let peer = incoming.peer().ok_or("no address")?;
                let mut ws = incoming.accept()?;
                ws.send(peer.to_string())?;
                echo(ws)?;
                Ok::<_, Box<dyn core::error::Error + Send + Sync>>(())
            })
            .plain_http(|request| Response::new(format!("this is {}", request.uri().path())))
        });
        let client = Client::default();
        let (mut ws, _) = hybi_blocking::connect_with(&client, site.uri("garden")).expect("a room");
        let address = ws.transport().tcp().local_addr().expect("TCP").to_string();
        assert_eq!(ws.recv().expect("lawful"), Some(address.into()));
        let error = hybi_blocking::connect_with(&client, site.uri("")).expect_err("none");
        assert!(error.to_string().contains("404"), "{error}");
        let mut plain = Peer::connect(site.address);
        plain.send("GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let (head, body) = plain.expect_refusal();
        assert_eq!((head.status(), &*body), (200, "this is /page"));
        drop(plain);
        ws.close(CloseCode::NORMAL, "").expect("in order");
        drop(site.handle.drain(Drain::default()));
        site.running.join().expect("no panic");
    });
}

/// The connection is dropped, that is told, and the server goes on.
#[test]
fn a_thread_that_cannot_be_started_is_an_incident() {
    bounded("a_thread_that_cannot_be_started_is_an_incident", || {
        let (tell, told) = mpsc::channel();
        let site = open(|listener| {
            hybi_blocking::serve(listener, Server::default(), echo)
                // More than there are addresses.
                .stack_size(usize::MAX / 4)
                .on_incident(move |incident| {
                    let is_waited_after =
                        matches!(incident, Incident::NotAccepted { pause: Some(_), .. });
                    tell.send((is_waited_after, incident.to_string())).expect("told");
                })
        });
        for _ in 0..2 {
            let mut peer = Peer::connect(site.address);
            peer.expect_nothing_more();
            let (is_waited_after, incident) = told.recv_timeout(PATIENCE).expect("it is told");
            assert!(is_waited_after, "{incident}");
            let said = "cannot accept: no thread for a connection, which was dropped: ";
            assert!(incident.starts_with(said), "{incident}");
        }
        assert_eq!(site.handle.connections(), 0);
        drop(site.handle.drain(Drain::default()));
        assert_eq!(site.running.join().expect("no panic"), Drained::default());
    });
}

/// Whoever serves is woken by another thread, whatever it waits for.
#[test]
fn a_server_without_connections_ends_at_once() {
    bounded("a_server_without_connections_ends_at_once", || {
        let site = open(|listener| hybi_blocking::serve(listener, Server::default(), echo));
        site.handle.cut();
        assert_eq!(site.running.join().expect("no panic"), Drained::default());
        TcpStream::connect(site.address).expect_err("nobody listens");
    });
}
