//! Contradictions: options that are fine alone, but together one of them would silently come to
//! nothing. They are mistakes, found before anybody is connected to.

use hybi::Version;

use crate::args::connect::{ConnectArgs, Output};
use crate::exit::Failure;
use crate::extensions;
use crate::values::{Asked, HttpVersion};

/// Looks for the first one.
pub(crate) fn check(args: &ConnectArgs, json: bool) -> Result<(), Failure> {
    let all = [
        sending(args),
        expecting(args),
        printing(args, json),
        fields(args),
        reaching(args),
        multiplexing(args),
        over_http2(args),
    ];
    match all.into_iter().flatten().next() {
        Some(why) => Err(Failure::usage("usage", why)),
        None => Ok(()),
    }
}

fn sending(args: &ConnectArgs) -> Option<String> {
    let stdins = args.sending.file.iter().filter(|path| path.as_os_str() == "-").count();
    (stdins > 1).then(|| "--file - is given twice; stdin can be sent once".to_owned())
}

fn expecting(args: &ConnectArgs) -> Option<String> {
    let (count, expects) = (args.receiving.count?, args.receiving.expect.len());
    (count < expects as u64)
        .then(|| format!("--count {count} ends before the last of {expects} --expect"))
}

fn printing(args: &ConnectArgs, json: bool) -> Option<String> {
    let receiving = &args.receiving;
    let lost = match receiving.output {
        Output::Raw | Output::Hex if json => "--json",
        Output::Raw if receiving.timestamps => "--timestamps",
        Output::Raw if receiving.show_control => "--show-control",
        _ => return None,
    };
    let format = if receiving.output == Output::Raw { "raw" } else { "hex" };
    Some(format!("{lost} does not go with --output {format}"))
}

/// Fields that an option sets as well as a `--header`, and names that are given twice.
fn fields(args: &ConnectArgs) -> Option<String> {
    let asked = &args.handshake;
    let set = [
        ("Origin", "--origin", asked.origin.is_some()),
        ("User-Agent", "--user-agent", asked.user_agent.is_some()),
        ("Cookie", "--cookie", !asked.cookie.is_empty()),
        ("Authorization", "--user", asked.user.is_some()),
    ];
    let is_given =
        |field: &str| asked.header.iter().any(|(name, _)| name.eq_ignore_ascii_case(field));
    let twice = set.iter().find(|(field, _, is_set)| *is_set && is_given(field));
    if let Some((field, option, _)) = twice {
        return Some(format!("{option} and --header {field} are given, and one field is sent"));
    }
    let names = &asked.subprotocol;
    let again = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
    again.map(|(_, name)| format!("--subprotocol {name} is given twice"))
}

fn reaching(args: &ConnectArgs) -> Option<String> {
    let transport = &args.transport;
    let for_tcp = [
        ("--connect-to", transport.connect_to.is_some()),
        ("--proxy", transport.proxy.is_some()),
        ("--follow", transport.follow),
        ("--bind", !transport.bind.is_empty()),
        ("--ipv4", transport.ipv4),
        ("--ipv6", transport.ipv6),
    ];
    let lost = for_tcp.iter().find(|(_, is_given)| *is_given);
    if let (Some(_), Some((option, _))) = (args.url.uri.unix_socket(), lost) {
        return Some(format!("{option} is for TCP, and the URL names a unix socket"));
    }
    let of_family =
        |is_v4: bool| transport.bind.iter().filter(|local| local.is_ipv4() == is_v4).count();
    if of_family(true) > 1 || of_family(false) > 1 {
        return Some("--bind is given twice for one family of addresses".to_owned());
    }
    // A redirect may lead there.
    let may_be_secure = args.url.uri.is_secure() || transport.follow;
    // A proxy has a name of its own.
    let by_proxy = transport.proxy.as_ref().is_some_and(|proxy| proxy.secure_uri().is_some());
    let demands = [
        ("--tls-ca", transport.tls_ca.is_some() && !by_proxy),
        ("--tls-cert", transport.tls_cert.is_some() && !by_proxy),
        ("--tls-name", transport.tls_name.is_some()),
    ];
    let lost = demands.iter().find(|(_, is_lost)| *is_lost && !may_be_secure);
    // Whoever demands a certificate, or shows one, is not to believe that it was looked at.
    let (demand, _) = lost?;
    Some(format!("{demand} is for wss:// URLs, and {} is sent in the clear", args.url.uri))
}

fn over_http2(args: &ConnectArgs) -> Option<String> {
    let asked = &args.handshake;
    let lost = match (args.transport.http, asked.protocol_version) {
        (HttpVersion::Http11, _) => return None,
        (_, version) if version != Asked::One(Version::RFC6455) => "--protocol-version",
        _ if asked.version_header.is_some() => "--version-header",
        _ if extensions::asks_for_channels(&asked.ext) => "--ext mux",
        _ => return None,
    };
    Some(format!("{lost} does not go with --http 2, over which there is rfc6455 alone"))
}

fn multiplexing(args: &ConnectArgs) -> Option<String> {
    let channels = args.handshake.channels;
    if channels > 1 && !extensions::asks_for_channels(&args.handshake.ext) {
        return Some(format!("--channels {channels} needs --ext mux"));
    }
    if args.time.reconnect.is_some() && extensions::asks_for_channels(&args.handshake.ext) {
        return Some(
            "--reconnect does not go with --ext mux, whose channels end by themselves".into(),
        );
    }
    // What came on which of them nothing would tell.
    (channels > 1 && args.receiving.output == Output::Raw)
        .then(|| "--channels does not go with --output raw".to_owned())
}
