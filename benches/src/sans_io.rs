//! A connection without I/O, as server, with permessage-deflate: opened, and what it sends taken.

use std::io::IoSlice;

use hybi_tokio::{
    Config, Connection, Deflate, Extensions, Message, Negotiated, Role, Version,
    extension::ExtensionOffer,
};

/// An open connection that compresses.
///
/// # Panics
///
/// When the extension is not agreed on.
#[must_use]
pub fn open(deflate: Deflate, config: Config) -> Connection {
    let offer = ExtensionOffer::new("permessage-deflate").expect("a name");
    let agreed = Extensions::from(deflate).accept(&[offer], Version::RFC6455);
    assert_eq!(agreed.len(), 1, "no extension");
    let negotiated = Negotiated::new(Version::RFC6455, None, agreed);
    Connection::new(Role::Server, negotiated, config.into())
}

/// Queues a message and hands over the bytes that are to be sent for it.
///
/// # Panics
///
/// When the connection takes no more messages.
pub fn send(connection: &mut Connection, message: impl Into<Message>, mut take: impl FnMut(&[u8])) {
    connection.queue(message.into()).expect("room");
    transmit(connection, &mut take);
}

/// Hands over the bytes that are to be sent.
pub fn transmit(connection: &mut Connection, mut take: impl FnMut(&[u8])) {
    loop {
        let mut slices = [IoSlice::new(&[]); 4];
        let count = connection.poll_transmit(&mut slices);
        // A long message is encoded a slice with each call.
        if count == 0 {
            if connection.queued_bytes() == 0 {
                return;
            }
            continue;
        }
        slices[..count].iter().for_each(|slice| take(slice));
        let len = slices[..count].iter().map(|slice| slice.len()).sum();
        connection.transmitted(len);
    }
}
