//! `Connection` driven by hand: an echo server on blocking sockets, without any async runtime.
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    time::Instant,
};

use hybi::{Event, Message, Server, State, handshake::HeadLimits};
use hybi_handshake::{ServerHandshake, write_response};

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on ws://{}", listener.local_addr()?);
    for stream in listener.incoming() {
        if let Err(error) = serve(stream?) {
            println!("{error}");
        }
    }
    Ok(())
}

fn serve(mut stream: TcpStream) -> Result<(), Box<dyn core::error::Error>> {
    let mut buffer = vec![0; 64 * 1024];

    // The opening handshake: bytes in, a request out, an answer back.
    let mut handshake = ServerHandshake::new(HeadLimits::default());
    let (request, mut unread) = loop {
        let len = stream.read(&mut buffer)?;
        if len == 0 {
            return Err(handshake.handle_eof().into());
        }
        if let (consumed, Some(request)) = handshake.handle_input(&buffer[..len])? {
            break (request, consumed..len);
        }
    };
    let mut answer = Vec::new();
    let upgrade = Server::default().upgrade(&request);
    match &upgrade {
        Ok((response, _)) => write_response(response, &[], &mut answer),
        Err(refusal) => {
            let response = refusal.response();
            write_response(&response, response.body().as_bytes(), &mut answer);
        }
    }
    stream.write_all(&answer)?;
    let mut connection = upgrade?.1.into_connection();

    // The connection: bytes in, events out; messages in, bytes out.
    while connection.state() != State::Closed {
        while !unread.is_empty() {
            let (consumed, event) = connection.handle_input(&mut buffer[unread.clone()]);
            unread.start += consumed;
            match event {
                Some(Event::Text(text)) => connection.queue(Message::text(text.into_owned()))?,
                Some(Event::Binary(bytes)) => {
                    connection.queue(Message::binary(bytes.into_owned()))?;
                }
                _ => {}
            }
        }
        stream.write_all(&connection.transmit_to_vec())?;
        if connection.wants_shutdown() {
            stream.shutdown(std::net::Shutdown::Write)?;
            connection.shutdown_done();
        }

        // Reading waits no longer than the next deadline.
        let now = Instant::now();
        let deadline = connection.poll_timeout(|| now);
        stream.set_read_timeout(deadline.map(|at| at.saturating_duration_since(now)))?;
        match stream.read(&mut buffer) {
            Ok(0) => connection.handle_eof(),
            Ok(len) => unread = 0..len,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock) => {
                connection.handle_timeout(Instant::now());
            }
            Err(error) => connection.handle_transport_error(error),
        }
    }
    println!("{:?}", connection.close_status());
    Ok(())
}
