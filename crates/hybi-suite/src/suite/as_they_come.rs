//! Messages that are written and read as they come, longer than what is gathered and than what the kernel holds
//! (RFC 6455 section 5.4).

use futures_util::{AsyncReadExt as _, AsyncWriteExt as _, future::try_join3};
use hybi::{ByteStream, CloseCode, Config, Error, Message, MessageKind};
use hybi_testkit::wire::{BINARY, CONTINUATION, FIN, PING, PONG, TEXT};

use super::{MORE_THAN_BUFFERS, Runtime, serve};
use crate::peer::Peer;

const MIB: usize = 1 << 20;

/// Whole messages may have a kibibyte here.
fn small() -> Config {
    Config::default().max_message(1024)
}

/// In frames of a mebibyte each.
fn send_in_fragments(peer: &mut Peer, frames: usize) {
    let piece = vec![7; MIB];
    peer.send_frame(BINARY ^ FIN, &piece);
    for _ in 1..frames {
        peer.send_frame(0, &piece);
    }
    peer.send_frame(CONTINUATION, b"end");
}

/// A message beyond the limit, whose pieces are taken as they come; the next is whole again.
pub fn reads_what_is_longer_than_its_limit<R: Runtime>() {
    let (address, server) = serve::<R, _>(small(), |mut ws| async move {
        let mut reader = ws.recv_reader().await?.expect("a message");
        assert_eq!(reader.kind(), MessageKind::Binary);
        let (mut len, mut last) = (0, 0);
        while let Some(piece) = reader.next_piece().await? {
            len += piece.len();
            last = piece.last().copied().unwrap_or(last);
        }
        assert_eq!((len, last), (MORE_THAN_BUFFERS + 3, b'd'));
        drop(reader);
        ws.recv().await
    });
    let mut peer = Peer::open(address);
    send_in_fragments(&mut peer, MORE_THAN_BUFFERS / MIB);
    peer.send_frame(TEXT, b"whole");
    assert_eq!(server.join().expect("lawful"), Some(Message::from("whole")));
}

/// Of a message that nobody wants to its end, the rest comes to nothing.
pub fn skips_what_is_not_read<R: Runtime>() {
    let (address, server) = serve::<R, _>(small(), |mut ws| async move {
        let mut reader = ws.recv_reader().await?.expect("a message");
        assert!(reader.next_piece().await?.is_some());
        drop(reader);
        ws.recv().await
    });
    let mut peer = Peer::open(address);
    send_in_fragments(&mut peer, MORE_THAN_BUFFERS / MIB);
    peer.send_frame(TEXT, b"next");
    assert_eq!(server.join().expect("lawful"), Some(Message::from("next")));
}

/// More than the kernel holds, to a peer that asks in the middle whether anybody is there.
pub fn writes_what_nobody_holds<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        let mut writer = ws.send_writer(MessageKind::Binary)?;
        let piece = [7; 10_000];
        let mut left = MORE_THAN_BUFFERS;
        while left > 0 {
            let some = &piece[..left.min(piece.len())];
            writer.write_all(some).await?;
            left -= some.len();
        }
        writer.finish().await?;
        drop(writer);
        ws.send("next").await?;
        ws.close(CloseCode::NORMAL, "").await
    });
    let mut peer = Peer::open(address);
    peer.send_frame(PING, b"there?");
    let (mut len, mut answers) = (0, 0);
    loop {
        let frame = peer.read_frame();
        if frame.first == PONG {
            assert_eq!(frame.payload, b"there?");
            answers += 1;
            continue;
        }
        assert_eq!(frame.first & !FIN, if len == 0 { BINARY ^ FIN } else { 0 });
        len += frame.payload.len();
        if frame.first & FIN != 0 {
            break;
        }
    }
    assert_eq!((len, answers), (MORE_THAN_BUFFERS, 1), "it was answered within the message");
    peer.expect(TEXT, b"next");
    peer.expect_close(1000);
    peer.send_close(1000);
    drop(peer);
    assert!(server.join().expect("lawful").is_clean());
}

/// A message that is given up is not taken for the whole.
pub fn tells_of_a_message_that_is_given_up<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |mut ws| async move {
        let mut writer = ws.send_writer(MessageKind::Text)?;
        writer.write_all(b"half of it").await?;
        writer.flush().await?;
        drop(writer);
        ws.recv().await
    });
    let mut peer = Peer::open(address);
    peer.expect(TEXT ^ FIN, b"half of it");
    peer.expect_close_saying(1011, "message abandoned");
    peer.end();
    let error = server.join().expect_err("it was given up");
    assert!(matches!(error, Error::Unfinished), "{error}");
}

/// Both directions at once, each with a message that fills all buffers; and two that send.
pub fn streams_both_ways_at_once<R: Runtime>() {
    let (address, server) = serve::<R, _>(small(), |ws| async move {
        let (mut sender, mut receiver) = ws.split();
        let mut other = sender.clone();
        let reading = async {
            let mut reader = receiver.recv_reader().await?.expect("a message");
            let mut len = 0;
            while let Some(piece) = reader.next_piece().await? {
                len += piece.len();
            }
            Ok::<_, Error>(len)
        };
        let writing = async {
            let mut writer = sender.send_writer(MessageKind::Binary)?;
            for _ in 0..MORE_THAN_BUFFERS / MIB {
                writer.write_all(&vec![7; MIB]).await?;
            }
            writer.finish().await
        };
        let waiting = async { other.send("behind").await.map_err(Error::from) };
        let (len, (), ()) = try_join3(reading, writing, waiting).await?;
        Ok::<_, Error>(len)
    });
    let mut peer = Peer::open(address);
    // The first frames come before anything is sent, so that the other message waits behind them.
    let mut len = peer.read_frame().payload.len();
    send_in_fragments(&mut peer, 4);
    loop {
        let frame = peer.read_frame();
        len += frame.payload.len();
        if frame.first == CONTINUATION {
            break;
        }
        assert_eq!(frame.first, 0);
    }
    assert_eq!(len, MORE_THAN_BUFFERS);
    peer.expect(TEXT, b"behind");
    assert_eq!(server.join().expect("lawful"), 4 * MIB + 3);
}

/// A connection as a stream of bytes, in which one end says all it has to say before the other answers.
pub fn is_a_stream_of_bytes<R: Runtime>() {
    let (address, server) = serve::<R, _>(Config::default(), |ws| async move {
        let mut stream = ByteStream::of_messages(ws);
        let mut question = Vec::new();
        stream.read_to_end(&mut question).await?;
        question.reverse();
        stream.write_all(&question).await?;
        stream.close().await?;
        Ok::<_, std::io::Error>(question.len())
    });
    let mut peer = Peer::open(address);
    peer.send_frame(BINARY ^ FIN, b"ab");
    peer.send_frame(CONTINUATION, b"");
    peer.send_frame(BINARY, b"c");
    peer.send_close(1000);
    peer.expect(BINARY, b"cba");
    peer.expect_close(1000);
    peer.expect_end();
    peer.end();
    assert_eq!(server.join().expect("in order"), 3);
}
