//! Names to addresses (RFC 6455 section 4.1), by the system's resolver, within the deadline of whoever asks.
//!
//! The resolver of std blocks and cannot be ended. So it is asked on a thread of its own, and what waits is the future.

use core::net::{IpAddr, SocketAddr};
use std::{io, net::ToSocketAddrs as _};

use crate::elsewhere::elsewhere;

/// The addresses of a host; one that is given as an address is its own, and nobody is asked.
pub(crate) async fn look_up(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    ask(host, port, |host, port| Ok((host, port).to_socket_addrs()?.collect())).await
}

async fn ask(
    host: &str,
    port: u16,
    resolver: impl FnOnce(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + 'static,
) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let host = host.to_owned();
    elsewhere("hybi-lookup", move || resolver(&host, port)).await
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::{sync::mpsc, thread, time::Instant};

    use hybi::{Error, OpeningError, opening};

    use super::*;
    use crate::{BlockingTimer, block_on};

    /// The deadline of the opening handshake holds while the resolver is silent; it answers somebody who is gone then.
    #[test]
    fn a_resolver_that_never_answers_is_left_at_the_deadline() {
        let (answer, wait) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        let never = move |host: &str, port| {
            tell.send((host.to_owned(), port, thread::current().name().map(str::to_owned)))
                .expect("somebody waits");
            let answered = wait.recv();
            tell.send((String::new(), 0, None)).expect("somebody waits");
            answered.map(|()| Vec::new()).map_err(io::Error::other)
        };
        let deadline = Instant::now() + Duration::from_millis(20);
        let (host, mut timer) = (("chat.test", 80), BlockingTimer::default());
        let asking = ask(host.0, host.1, never);
        let connect = async |_| -> io::Result<()> { unreachable!("there is no address") };
        let error = block_on(opening::dial(host, &mut timer, deadline, asking, connect))
            .expect_err("nobody answers");
        assert!(Instant::now() >= deadline);
        let Error::Opening(opening) = &error else { panic!("{error:?}") };
        let OpeningError::Resolve { error, .. } = &**opening else { panic!("{opening:?}") };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        let asked = told.recv().expect("it was asked");
        assert_eq!(asked, ("chat.test".to_owned(), 80, Some("hybi-lookup".to_owned())));
        // What is left behind ends with the resolver.
        answer.send(()).expect("it waits");
        told.recv().expect("it goes on");
    }

    #[test]
    fn an_answer_and_an_error_are_handed_on() {
        let address = "192.0.2.1:80".parse().expect("an address");
        let answered = block_on(ask("chat.test", 80, move |_, _| Ok(vec![address])));
        assert_eq!(answered.expect("an answer"), [address]);
        let failed = block_on(ask("chat.test", 80, |_, _| Err(io::ErrorKind::NotFound.into())));
        assert_eq!(failed.expect_err("none").kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn for_an_address_nobody_is_asked() {
        for host in ["192.0.2.1", "2001:db8::1"] {
            let found = block_on(ask(host, 80, |_, _| unreachable!("it is known")));
            let address = SocketAddr::new(host.parse().expect("an address"), 80);
            assert_eq!(found.expect("itself"), [address]);
        }
    }
}
