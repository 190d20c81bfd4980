//! The link between two namespaces: made, cut without a word, and restored (ip(8)).

use std::process::Command;

use hybi_trials::part::Part;

/// Addresses for documentation, which lead nowhere else.
pub(crate) const NEAR: &str = "192.0.2.1";
pub(crate) const FAR: &str = "192.0.2.2";

/// A link-layer address that no interface here has.
const NOBODY: &str = "02:00:00:00:00:99";

/// Starts a part of this program in a network namespace of its own, which ends with it.
pub(crate) fn part_alone(role: &str) -> Part {
    let mut command = Command::new("unshare");
    command.arg("--net").arg(std::env::current_exe().expect("this program")).arg(role);
    Part::of(command)
}

/// Two processes in namespaces of their own, by their ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
    near: u32,
    far: u32,
}

impl Link {
    pub(crate) fn make(near: u32, far: u32) -> Self {
        let link = Self { near, far };
        let peer = far.to_string();
        let words = ["link", "add", "near", "type", "veth", "peer", "name", "far", "netns", &peer];
        ip(near, &words);
        for (id, device, address) in [(near, "near", NEAR), (far, "far", FAR)] {
            ip(id, &["address", "add", &format!("{address}/30"), "dev", device]);
            ip(id, &["link", "set", device, "up"]);
        }
        link
    }

    /// From now on what either end sends is for nobody.
    pub(crate) fn cut(self) {
        for (id, device, peer) in [(self.near, "near", FAR), (self.far, "far", NEAR)] {
            let words = ["neigh", "replace", peer, "lladdr", NOBODY, "dev", device];
            ip(id, &[&words[..], &["nud", "permanent"]].concat());
        }
    }

    pub(crate) fn restore(self) {
        for (id, device, peer) in [(self.near, "near", FAR), (self.far, "far", NEAR)] {
            ip(id, &["neigh", "del", peer, "dev", device]);
        }
    }
}

/// Runs `ip` in the namespace of a process.
fn ip(id: u32, words: &[&str]) {
    let mut command = Command::new("nsenter");
    let status = command.args(["--net", "--target", &id.to_string(), "ip"]).args(words).status();
    assert!(status.expect("nsenter").success(), "ip {}", words.join(" "));
}
