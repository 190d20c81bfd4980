//! Calls that block, on one thread and on several: halves, deadlines, streams, rooms.

use core::time::Duration;
use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread::{self, JoinHandle},
};

use hybi_blocking::{
    Broadcast, Client, CloseCode, CloseStatus, Config, Deadline, Error, Message, MessageKind,
    Server, WebSocket, block_on,
};
use hybi_suite::{
    peer::{Peer, listen},
    suite::{MORE_THAN_BUFFERS, bounded},
};

/// A server that does this with the first connection, and the client's end of that.
fn with_server<O: Send + 'static>(
    config: Config,
    serve: impl FnOnce(WebSocket) -> O + Send + 'static,
) -> (WebSocket, JoinHandle<O>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let uri = format!("ws://{}/", listener.local_addr().expect("its address"));
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let server = Server::builder().config(config).build();
        serve(hybi_blocking::accept_with(&server, stream).expect("a request"))
    });
    let (ws, _response) = hybi_blocking::connect_with(&Client::default(), &uri).expect("a server");
    (ws, server)
}

fn echo(mut ws: WebSocket) -> Result<Option<CloseStatus>, Error> {
    while let Some(message) = ws.recv()? {
        ws.feed(message)?;
    }
    Ok(ws.close_status())
}

#[test]
fn halves_are_for_two_threads() {
    bounded("halves_are_for_two_threads", || {
        let (ws, server) = with_server(Config::default(), echo);
        let (mut sender, receiver) = ws.split();
        let receiving = thread::spawn(move || {
            let all: Result<Vec<Message>, Error> = receiver.collect();
            all.expect("an honest server")
        });
        for n in 0..2000 {
            sender.feed(format!("message {n}")).expect("it is open");
        }
        sender.flush().expect("it is open");
        let mut clone = sender.clone();
        clone.send(vec![7; MORE_THAN_BUFFERS / 4]).expect("it is open");
        let closed = sender.close(CloseCode::NORMAL, "done").expect("in order");
        assert!(closed.is_clean());
        let all = receiving.join().expect("no panic");
        assert_eq!(all.len(), 2001);
        for (n, message) in all[..2000].iter().enumerate() {
            assert_eq!(message.as_text(), Some(&*format!("message {n}")));
        }
        assert_eq!(all[2000].len(), MORE_THAN_BUFFERS / 4);
        let status = server.join().expect("no panic").expect("in order").expect("closed");
        assert_eq!((status.reason(), status.is_clean()), ("done", true));
    });
}

/// The sender is blocked since the peer does not read; receiving goes on, pings are answered, and both go on when the
/// peer reads.
#[test]
fn receiving_does_not_wait_for_a_blocked_sender() {
    bounded("receiving_does_not_wait_for_a_blocked_sender", || {
        let (told, heard) = mpsc::channel();
        let (ws, server) = with_server(Config::default(), move |mut ws| {
            for n in 0..100 {
                ws.send(format!("{n}")).expect("it is open");
            }
            let () = heard.recv().expect("the client goes on");
            let message = ws.recv().expect("an honest client").expect("a message");
            while ws.recv().expect("an honest client").is_some() {}
            message.len()
        });
        let (mut sender, mut receiver) = ws.split();
        let sending = thread::spawn(move || {
            sender.send(vec![1; MORE_THAN_BUFFERS - 1]).expect("it is read in the end");
            sender.close(CloseCode::NORMAL, "").expect("in order")
        });
        for n in 0..100 {
            let message = receiver.recv().expect("an honest server").expect("a message");
            assert_eq!(message.as_text(), Some(&*n.to_string()));
        }
        told.send(()).expect("the server waits");
        assert_eq!(receiver.recv().expect("in order"), None);
        assert!(sending.join().expect("no panic").is_clean());
        assert_eq!(server.join().expect("no panic"), MORE_THAN_BUFFERS - 1);
    });
}

#[test]
fn a_thread_that_waits_is_told_of_the_end_by_another_one() {
    bounded("a_thread_that_waits_is_told_of_the_end_by_another_one", || {
        let (mut ws, server) = with_server(Config::default(), echo);
        let closer = ws.closer();
        let waiting = thread::spawn(move || {
            let received = ws.recv();
            (received, ws.close_status())
        });
        closer.close(CloseCode::GOING_AWAY, "enough").expect("lawful");
        let (received, status) = waiting.join().expect("no panic");
        assert_eq!(received.expect("in order"), None);
        assert_eq!(status.expect("closed").code(), CloseCode::GOING_AWAY);
        let status = server.join().expect("no panic").expect("in order").expect("closed");
        assert_eq!(status.reason(), "enough");
    });
}

#[test]
fn halves_are_put_together_again() {
    bounded("halves_are_put_together_again", || {
        let (ws, server) = with_server(Config::default(), echo);
        let (sender, receiver) = ws.split();
        let clone = sender.clone();
        let (receiver, sender) = receiver.reunite(sender).expect_err("a clone is left");
        drop(clone);
        let mut ws = receiver.reunite(sender).expect("all are here");
        ws.send("whole").expect("it is open");
        assert_eq!(ws.recv().expect("an echo"), Some(Message::from("whole")));
        ws.close(CloseCode::NORMAL, "").expect("in order");
        server.join().expect("no panic").expect("in order");
    });
}

#[test]
fn a_wait_that_is_too_short_loses_nothing() {
    bounded("a_wait_that_is_too_short_loses_nothing", || {
        let (told, heard) = mpsc::channel();
        let (mut ws, server) = with_server(Config::default(), move |mut ws| {
            let () = heard.recv().expect("the client goes on");
            ws.send("late").expect("it is open");
            echo(ws)
        });
        for _ in 0..3 {
            assert!(ws.recv_timeout(Duration::from_millis(1)).is_none());
        }
        told.send(()).expect("the server waits");
        let received = ws.recv_timeout(Duration::MAX).expect("it comes");
        assert_eq!(received.expect("lawful"), Some(Message::from("late")));
        ws.close(CloseCode::NORMAL, "").expect("in order");
        server.join().expect("no panic").expect("in order");
    });
}

#[test]
fn what_is_iterated_ends_once() {
    bounded("what_is_iterated_ends_once", || {
        let (mut ws, server) = with_server(Config::default(), |mut ws| {
            ws.send("one").expect("it is open");
            ws.send("two").expect("it is open");
            ws.close(CloseCode::NORMAL, "").expect("in order");
        });
        let texts: Vec<_> = ws.by_ref().map(|message| message.expect("lawful")).collect();
        assert_eq!(texts, [Message::from("one"), Message::from("two")]);
        assert!(ws.next().is_none());
        server.join().expect("no panic");

        let (mut ws, server) = with_server(Config::default(), drop);
        assert!(matches!(ws.next(), Some(Err(Error::Lost | Error::Transport(_)))));
        assert!(ws.next().is_none());
        server.join().expect("no panic");
    });
}

#[test]
fn messages_are_streams_of_std() {
    bounded("messages_are_streams_of_std", || {
        const LEN: u64 = 3_000_000;
        let (mut ws, server) = with_server(Config::default(), |mut ws| {
            let mut copied = Vec::new();
            let mut reader = ws.recv_reader().expect("lawful").expect("a message");
            assert_eq!(reader.kind(), MessageKind::Binary);
            reader.read_to_end(&mut copied).expect("all of it");
            drop(reader);
            let mut pieces = Vec::new();
            let mut reader = ws.recv_reader().expect("lawful").expect("a message");
            while let Some(piece) = reader.next_piece().expect("lawful") {
                pieces.extend_from_slice(&piece);
            }
            drop(reader);
            ws.close(CloseCode::NORMAL, "").expect("in order");
            (copied, pieces)
        });
        let mut writer = ws.send_writer(MessageKind::Binary).expect("it is open");
        io::copy(&mut io::repeat(9).take(LEN), &mut writer).expect("it is read");
        writer.finish().expect("it is open");
        let mut writer = ws.send_writer(MessageKind::Text).expect("it is open").frame_size(100);
        writer.write_all("line\n".repeat(1000).as_bytes()).expect("it is read");
        writer.flush().expect("it is read");
        writer.finish().expect("it is open");
        assert_eq!(ws.recv().expect("in order"), None);
        let (copied, pieces) = server.join().expect("no panic");
        assert_eq!(copied.len() as u64, LEN);
        assert!(copied.iter().all(|byte| *byte == 9));
        assert_eq!(pieces, "line\n".repeat(1000).as_bytes());
    });
}

#[test]
fn a_peer_that_answers_no_ping_is_left() {
    bounded("a_peer_that_answers_no_ping_is_left", || {
        let (listener, address) = listen();
        let peer = thread::spawn(move || Peer::answer(&listener, ""));
        let time = Duration::from_millis(20);
        let config = Config::default().ping_interval(Some(time)).ping_timeout(time);
        let client = Client::builder().config(config).build().expect("lawful");
        let uri = format!("ws://{address}/");
        let (mut ws, _) = hybi_blocking::connect_with(&client, uri).expect("a server");
        let silent = peer.join().expect("a client");
        let error = ws.recv().expect_err("nobody answers");
        assert!(matches!(error, Error::Timeout(Deadline::Pong)), "{error:?}");
        drop(silent);
    });
}

#[test]
fn a_peer_that_reads_nothing_is_left() {
    bounded("a_peer_that_reads_nothing_is_left", || {
        let (listener, address) = listen();
        let peer = thread::spawn(move || Peer::answer(&listener, ""));
        let config = Config::default().write_timeout(Some(Duration::from_millis(50)));
        let client = Client::builder().config(config).build().expect("lawful");
        let uri = format!("ws://{address}/");
        let (mut ws, _) = hybi_blocking::connect_with(&client, uri).expect("a server");
        let silent = peer.join().expect("a client");
        let error = ws.send(vec![0; MORE_THAN_BUFFERS]).expect_err("nobody reads");
        assert!(matches!(error.error(), Error::Timeout(Deadline::Write)), "{error:?}");
        drop(silent);
    });
}

/// A thread for each member; each delivers what the others say while it waits for its own client.
#[test]
fn a_room_is_for_threads_as_well() {
    bounded("a_room_is_for_threads_as_well", || {
        let room = Broadcast::new();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let uri = format!("ws://{}/", listener.local_addr().expect("its address"));
        let mut guests = Vec::new();
        let mut serving = Vec::new();
        for _ in 0..3 {
            let (room, listener) = (room.clone(), listener.try_clone().expect("a socket"));
            let (joined, wait) = mpsc::channel();
            serving.push(thread::spawn(move || {
                let (stream, _): (TcpStream, _) = listener.accept().expect("a client");
                let ws = hybi_blocking::accept_with(&Server::default(), stream).expect("a request");
                let mut member = room.join(ws.into_inner());
                joined.send(()).expect("it waits");
                while let Some(message) = block_on(member.recv()).expect("an honest guest") {
                    block_on(member.tell_others(message)).expect("it is open");
                }
            }));
            let client = Client::default();
            guests.push(hybi_blocking::connect_with(&client, &*uri).expect("a server").0);
            let () = wait.recv().expect("it joins");
        }
        for speaker in 0..3 {
            for n in 0..50 {
                guests[speaker].send(format!("{speaker} says {n}")).expect("it is open");
            }
            for (_, guest) in guests.iter_mut().enumerate().filter(|(at, _)| *at != speaker) {
                for n in 0..50 {
                    let expected = Message::from(format!("{speaker} says {n}"));
                    assert_eq!(guest.recv().expect("lawful"), Some(expected));
                }
            }
        }
        for guest in &mut guests {
            guest.close(CloseCode::NORMAL, "").expect("in order");
        }
        serving.into_iter().for_each(|thread| thread.join().expect("no panic"));
        assert!(room.is_empty());
    });
}

#[test]
fn nobody_there_is_told_with_the_address() {
    bounded("nobody_there_is_told_with_the_address", || {
        // A port that was free a moment ago.
        let address = listen().1;
        let error = hybi_blocking::connect_with(&Client::default(), format!("ws://{address}/"))
            .expect_err("nobody is there");
        assert_eq!(error.io_error().map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused));
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    });
}
