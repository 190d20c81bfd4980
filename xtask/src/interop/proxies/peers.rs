//! The proxies: where they come from, how they are set up, and what their logs say.

use core::net::{IpAddr, SocketAddr};
use core::time::Duration;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::interop::Certificates;
use crate::process::{Running, command, free_port, output, works};
use crate::tools::{need, need_if};
use crate::workspace::write;

const START: Duration = Duration::from_secs(30);
const END: Duration = Duration::from_secs(30);

/// A library that lets one program alone know names and users (RFC 6761 keeps `.test` free of others).
const WRAPPER: &str = "libnss_wrapper.so";

/// The name that the proxies know, and nobody else.
pub(super) const THERE: &str = "there.interop.test";
/// The name that the client knows, and nobody else.
pub(super) const HERE: &str = "here.interop.test";

/// The address that the proxies let nobody connect to.
pub(super) const FORBIDDEN: &str = "127.0.0.2";

/// Whom they want to be told of. There is not much that tinyproxy takes for a password.
pub(super) const USER: &str = "hybi";
const PASSWORD: &str = "s:p%c/ial";
const PLAIN_PASSWORD: &str = "s.p-c_ial";

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Dante,
    Microsocks,
    Squid,
    Tinyproxy,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Tinyproxy, Self::Squid, Self::Microsocks, Self::Dante];

    /// As `--peer` has it, and reports.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Dante => "dante",
            Self::Microsocks => "microsocks",
            Self::Squid => "squid",
            Self::Tinyproxy => "tinyproxy",
        }
    }

    pub(super) const fn is_socks(self) -> bool {
        matches!(self, Self::Dante | Self::Microsocks)
    }

    /// The password as a URL has it.
    pub(super) const fn password_in_url(self) -> &'static str {
        match self {
            Self::Tinyproxy => PLAIN_PASSWORD,
            _ => "s%3Ap%25c%2Fial",
        }
    }

    /// Makes sure that it can be had.
    pub(super) fn install(self) -> Result<(), String> {
        match self {
            Self::Dante => need("/usr/sbin/danted", &["-v"], "dante-server"),
            Self::Squid => need("/usr/sbin/squid", &["-v"], "squid"),
            Self::Tinyproxy => need("tinyproxy", &["-v"], "tinyproxy-bin"),
            // It has no option that ends well.
            Self::Microsocks => {
                let is_there = || works(command("sh").args(["-c", "command -v microsocks"]));
                need_if(is_there, "microsocks", "microsocks")
            }
        }
    }
}

/// Files that make names and users known to one program.
#[derive(Debug)]
pub(super) struct Known {
    folder: PathBuf,
}

impl Known {
    pub(super) fn make(folder: &Path) -> Result<Self, String> {
        need("openssl", &["version"], "openssl")?;
        let put = |name: &str, text: &str| write(&folder.join(name), text);
        let hash = output(command("openssl").args(["passwd", "-6", PASSWORD]))?;
        put("hosts.there", &format!("127.0.0.1 {THERE}\n"))?;
        put("hosts.here", &format!("127.0.0.1 {HERE}\n"))?;
        put("passwd", &format!("root:x:0:0::/:/bin/sh\n{USER}:x:4242:4242::/:/bin/false\n"))?;
        put("group", &format!("root:x:0:\n{USER}:x:4242:\n"))?;
        put("shadow", &format!("{USER}:{}:20000:0:99999:7:::\n", hash.trim()))?;
        let this = Self { folder: folder.to_owned() };
        let is_there = || {
            let mut getent = command("getent");
            this.users(getent.args(["passwd", USER]));
            works(&mut getent)
        };
        need_if(is_there, WRAPPER, "libnss-wrapper")?;
        Ok(this)
    }

    /// Lets a command know the name of `hosts`.
    fn hosts(&self, command: &mut Command, hosts: &str) {
        command.env("LD_PRELOAD", WRAPPER).env("NSS_WRAPPER_HOSTS", self.folder.join(hosts));
    }

    /// Lets a client know its name.
    pub(super) fn here(&self, command: &mut Command) {
        self.hosts(command, "hosts.here");
    }

    /// Lets a command know the user.
    fn users(&self, command: &mut Command) {
        command.env("LD_PRELOAD", WRAPPER);
        for (variable, file) in [("PASSWD", "passwd"), ("GROUP", "group"), ("SHADOW", "shadow")] {
            command.env(format!("NSS_WRAPPER_{variable}"), self.folder.join(file));
        }
    }
}

/// A proxy at work.
#[derive(Debug)]
pub(super) struct Proxy {
    kind: Kind,
    running: Running,
    log: PathBuf,
    pub(super) address: SocketAddr,
    /// Where it speaks TLS, if it does.
    pub(super) secure: Option<SocketAddr>,
}

impl Proxy {
    /// Starts one on a free port of this address; `guarded` is one that wants to know who asks.
    pub(super) fn start(
        kind: Kind,
        host: IpAddr,
        guarded: bool,
        known: &Known,
        certificates: &Certificates,
    ) -> Result<Self, String> {
        let name = format!("{}-{}", kind.name(), if guarded { "guarded" } else { "open" });
        let folder = &known.folder;
        let address = free_port(host)?;
        let secure = (kind == Kind::Squid).then(|| free_port(host)).transpose()?;
        let configuration = match kind {
            Kind::Dante => dante(address, guarded),
            Kind::Microsocks => String::new(),
            Kind::Squid => squid(address, secure, guarded, folder, certificates),
            Kind::Tinyproxy => tinyproxy(address, guarded, folder),
        };
        let file = folder.join(format!("{name}.conf"));
        write(&file, &configuration)?;
        write(&folder.join("forbidden"), &format!("^{}$\n", FORBIDDEN.replace('.', "\\.")))?;
        let mut proxy = match kind {
            Kind::Dante => {
                let mut danted = command("/usr/sbin/danted");
                danted.arg("-f").arg(&file).arg("-p").arg(folder.join(format!("{name}.pid")));
                known.users(&mut danted);
                danted
            }
            Kind::Microsocks => {
                let mut microsocks = command("microsocks");
                microsocks.args(["-i", &host.to_string(), "-p", &address.port().to_string()]);
                microsocks.args(if guarded { &["-u", USER, "-P", PASSWORD][..] } else { &[] });
                microsocks
            }
            Kind::Squid => {
                // In the foreground, with what it logs on its standard error.
                let mut squid = command("/usr/sbin/squid");
                squid.args(["-N", "-d", "2", "-f"]).arg(&file);
                squid
            }
            Kind::Tinyproxy => {
                let mut tinyproxy = command("tinyproxy");
                tinyproxy.args(["-d", "-c"]).arg(&file);
                tinyproxy
            }
        };
        known.hosts(&mut proxy, "hosts.there");
        let running = Running::start(&name, folder, &mut proxy)?;
        for address in [Some(address), secure].into_iter().flatten() {
            running.listens(address, START)?;
        }
        Ok(Self { kind, running, log: folder.join(format!("{name}.log")), address, secure })
    }

    /// Ends it; the targets that its log names, in no order: the requests of HTTP, and the connections of SOCKS.
    pub(super) fn finish(mut self) -> Result<Vec<String>, String> {
        self.running.terminate()?;
        let (_, mut lines) = self.running.finish(END)?;
        let log =
            fs::read(&self.log).map_err(|error| format!("{}: {error}", self.log.display()))?;
        lines.extend(String::from_utf8_lossy(&log).lines().map(str::to_owned));
        let mut targets: Vec<_> = lines.iter().filter_map(|line| target(self.kind, line)).collect();
        targets.sort();
        Ok(targets)
    }
}

/// What a line of the log says that somebody wanted to be connected to.
fn target(kind: Kind, line: &str) -> Option<String> {
    let first = |words: &str| words.split_whitespace().next().map(str::to_owned);
    match kind {
        Kind::Dante => {
            // The last address, with a dot before the port.
            let (_, connection) = line.split_once("tcp/connect [: ")?;
            let (host, port) = connection.split_whitespace().next_back()?.rsplit_once('.')?;
            Some(authority(host, port.parse().ok()?))
        }
        Kind::Microsocks => {
            // Without the brackets of IPv6.
            let (host, port) = line.split_once(": connected to ")?.1.rsplit_once(':')?;
            Some(authority(host, port.parse().ok()?))
        }
        Kind::Squid => first(line.strip_prefix("CONNECT ")?),
        Kind::Tinyproxy => first(line.split_once("): CONNECT ")?.1),
    }
}

/// A host and a port, as CONNECT has them.
pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn tinyproxy(address: SocketAddr, guarded: bool, folder: &Path) -> String {
    let guard =
        if guarded { format!("BasicAuth {USER} {PLAIN_PASSWORD}\n") } else { String::new() };
    format!(
        "Listen {}\nPort {}\nTimeout 60\nMaxClients 20\nLogLevel Connect\nFilter \"{}\"\n{guard}",
        address.ip(),
        address.port(),
        folder.join("forbidden").display(),
    )
}

fn squid(
    address: SocketAddr,
    secure: Option<SocketAddr>,
    guarded: bool,
    folder: &Path,
    certificates: &Certificates,
) -> String {
    let mut text = format!(
        "http_port {address}\n\
         visible_hostname interop.test\n\
         hosts_file {}\n\
         pid_filename none\n\
         access_log none\n\
         cache_log /dev/null\n\
         cache deny all\n\
         pinger_enable off\n\
         coredump_dir /\n\
         shutdown_lifetime 0 seconds\n\
         debug_options ALL,1 11,2\n\
         acl forbidden dst {FORBIDDEN}\n\
         http_access deny forbidden\n",
        folder.join("hosts.there").display(),
    );
    if let Some(secure) = secure {
        text += &format!(
            "https_port {secure} tls-cert={} tls-key={}\n",
            certificates.certificate.display(),
            certificates.key.display(),
        );
    }
    text += &match guarded {
        false => "http_access allow all\n".to_owned(),
        // It asks a program of its user's, who need not have the right to see files of ours. A line has the name, a
        // space and the password, each as in a URL.
        true => format!(
            "auth_param basic program /usr/bin/sed -u s,^{USER}.{}$,OK,;t;s/.*/ERR/\n\
             auth_param basic children 1\n\
             auth_param basic realm interop\n\
             acl known proxy_auth REQUIRED\n\
             http_access allow known\n\
             http_access deny all\n",
            PASSWORD.replace('%', "%25"),
        ),
    };
    text
}

fn dante(address: SocketAddr, guarded: bool) -> String {
    format!(
        "logoutput: stderr\n\
         internal: {} port = {}\n\
         external: lo\n\
         clientmethod: none\n\
         socksmethod: {}\n\
         client pass {{ from: 0/0 to: 0/0 }}\n\
         socks block {{ from: 0/0 to: {FORBIDDEN}/32 }}\n\
         socks pass {{ from: 0/0 to: 0/0 log: connect error }}\n",
        address.ip(),
        address.port(),
        if guarded { "username" } else { "none" },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_names_what_was_asked_for() {
        for (kind, line, expected) in [
            (
                Kind::Dante,
                "Nov 28 00:06:28 (1.2) danted[3]: info: pass(1): tcp/connect [: username%hybi@127.0.0.1.5 127.0.0.1.6 \
                 -> 127.0.0.1.7 127.0.0.1.8090",
                Some("127.0.0.1:8090"),
            ),
            (Kind::Dante, "pass(1): tcp/connect [: ::1.5 ::1.6 -> ::1.7 ::1.80", Some("[::1]:80")),
            (Kind::Dante, "pass(1): tcp/connect ]: 0 -> 127.0.0.1.5 127.0.0.1.1 -> 0", None),
            (Kind::Microsocks, "client[4] ::1: connected to a.test:81", Some("a.test:81")),
            (Kind::Microsocks, "client[4] ::1: connected to ::1:81", Some("[::1]:81")),
            (Kind::Squid, "CONNECT [::1]:81 HTTP/1.1", Some("[::1]:81")),
            (Kind::Squid, "Host: a:81", None),
            (
                Kind::Tinyproxy,
                "CONNECT   Nov 28 00:06:27.936 [2]: Request (file descriptor 5): CONNECT a:81 HTTP/1.1",
                Some("a:81"),
            ),
            (Kind::Tinyproxy, "CONNECT   Nov 28 [2]: Connect (file descriptor 5): 127.0.0.1", None),
        ] {
            assert_eq!(target(kind, line).as_deref(), expected, "{line}");
        }
    }
}
