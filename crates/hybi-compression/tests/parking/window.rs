//! Windows that the peer breaks: what it says is the same to a connection that was parked and to
//! one that was not.

use hybi_compression::{
    Agreed, Compress, Deflate, DeflateFrame, Extension, PerframeCompress, PermessageCompress,
};
use hybi_frame::{Limits, Role};
use hybi_handshake::ExtensionOffer;

use crate::support::endpoint::{Endpoint, elements, pair};
use crate::support::text::noise;

/// Receivers whose peer agreed to refer no farther back than 512 bytes, with every extension that
/// has windows and in both roles, and the role of that peer.
fn receivers() -> Vec<(String, Role, Agreed)> {
    let deflate = Deflate::default().peer_window_bits(9);
    let servers: [(Box<dyn Extension>, &str); 5] = [
        (Box::new(deflate), "permessage-deflate; client_max_window_bits"),
        (Box::new(PermessageCompress::new(deflate)), "permessage-compress; method=deflate"),
        (Box::new(PerframeCompress::new(deflate)), "perframe-compress; method=deflate"),
        (Box::new(DeflateFrame::new(deflate)), "deflate-frame"),
        (Box::new(DeflateFrame::webkit(deflate)), "x-webkit-deflate-frame"),
    ];
    let clients: [(Box<dyn Extension>, &str); 4] = [
        (Box::new(deflate), "permessage-deflate; server_max_window_bits=9"),
        (
            Box::new(PermessageCompress::new(deflate)),
            "permessage-compress; method=\"deflate; s2c_max_window_bits=9\"",
        ),
        (Box::new(PerframeCompress::new(deflate)), "perframe-compress; method=deflate"),
        (Box::new(DeflateFrame::new(deflate)), "deflate-frame"),
    ];
    let element = |text: &str| -> ExtensionOffer { elements(text).remove(0) };
    let accepted = servers.iter().map(|(extension, offer)| {
        let agreed = extension.accept(&element(offer)).expect("acceptable");
        let answer = agreed.answer().to_string();
        let has_window = answer.contains("window_bits=9");
        assert!(has_window, "{answer}");
        (answer, Role::Client, agreed)
    });
    let confirmed = clients.iter().map(|(extension, answer)| {
        let agreed = extension.confirm(&element(answer)).expect("lawful");
        ((*answer).to_owned(), Role::Server, agreed)
    });
    accepted.chain(confirmed).collect()
}

/// Whether parked after each message, far back in the last message or in many.
#[test]
fn what_is_too_far_back_is_understood_parked_or_not() {
    for (name, sender, agreed) in receivers() {
        let own = if sender == Role::Client { Role::Server } else { Role::Client };
        for (park, piece) in [(false, 30_000), (true, 30_000), (false, 100), (true, 100)] {
            for distance in [600, 4000, 30_000] {
                let agreed = core::slice::from_ref(&agreed);
                let mut receiver = Endpoint::new(own, agreed, Limits::default());
                // The peer's window is the largest, whatever it said.
                let (client, server) = pair(Deflate::default(), Deflate::default());
                let mut peer = if sender == Role::Client { client } else { server };
                let mut say = |message: &[u8]| {
                    let mut payload = Vec::new();
                    let rsv = peer.chain.encode_message(message, Compress::Always, &mut payload);
                    let wire = peer.frames(rsv, &payload, usize::MAX);
                    let received = receiver.receive_one(&wire);
                    assert!(received == message, "{name} {park} {piece} {distance}");
                    if park {
                        receiver.chain.park();
                    }
                    payload.len()
                };
                let first = noise(500, 1);
                say(&first);
                // Noise that is worth compressing: half of its bits.
                let filler: Vec<u8> =
                    noise(distance - 500, 2).iter().map(|byte| byte & 0x0f).collect();
                for piece in filler.chunks(piece) {
                    say(piece);
                }
                let len = say(&first);
                assert!(len < 100, "{name} {distance}: it refers back, in {len} bytes");
            }
        }
    }
}
