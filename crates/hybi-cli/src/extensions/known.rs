//! The extensions of this build, and what their parameters mean.

use std::sync::Arc;

use hybi::{
    Deflate, Role,
    extension::{
        AcceptOnly, DeflateFrame, DeflateStream, Extension, PerframeCompress, PermessageCompress,
        PermessageDeflateDraft,
    },
};

/// An extension of this build.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) name: &'static str,
    /// Whether the parameters are within one that is called `method`.
    pub(super) has_method: bool,
    pub(super) params: Params,
    /// The same parameters under other names; one element has one set or the other.
    pub(super) params_elsewhere: Params,
    pub(super) make: Make,
}

pub(super) type Make = fn(Deflate) -> Arc<dyn Extension>;

pub(super) type Params = &'static [(&'static str, Meaning)];

#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning {
    /// Whose sending it limits; if nobody is named, the peer of the one who says it.
    pub(super) binds: Option<Role>,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// Messages refer to nothing before them.
    NoTakeover,
    /// The window has this many bits.
    Window,
}

impl Meaning {
    const fn no_takeover(binds: Option<Role>) -> Self {
        Self { binds, what: What::NoTakeover }
    }

    const fn window(binds: Option<Role>) -> Self {
        Self { binds, what: What::Window }
    }

    /// Whether a client may offer it without a value: the server may then choose one.
    pub(super) fn may_be_bare(self, role: Role) -> bool {
        role == Role::Client && self.binds == Some(role)
    }
}

pub(super) const PERMESSAGE_DEFLATE: &str = "permessage-deflate";

/// All of them; the most wanted first.
pub(super) const KNOWN: [Known; 7] = [
    Known {
        name: PERMESSAGE_DEFLATE,
        has_method: false,
        params: RFC,
        params_elsewhere: DRAFT,
        make: |deflate| Arc::new(deflate),
    },
    Known {
        name: "permessage-compress",
        has_method: true,
        params: DRAFT,
        params_elsewhere: RFC,
        make: |deflate| Arc::new(PermessageCompress::new(deflate)),
    },
    Known {
        name: "x-webkit-permessage-compress",
        has_method: true,
        params: DRAFT,
        params_elsewhere: RFC,
        make: |deflate| Arc::new(PermessageCompress::webkit(deflate)),
    },
    Known {
        name: "perframe-compress",
        has_method: true,
        params: PER_FRAME,
        params_elsewhere: &[],
        make: |deflate| Arc::new(PerframeCompress::new(deflate)),
    },
    Known {
        name: "deflate-frame",
        has_method: false,
        params: PER_FRAME,
        params_elsewhere: &[],
        make: |deflate| Arc::new(DeflateFrame::new(deflate)),
    },
    Known {
        name: "x-webkit-deflate-frame",
        has_method: false,
        params: PER_FRAME,
        params_elsewhere: &[],
        make: |deflate| Arc::new(DeflateFrame::webkit(deflate)),
    },
    Known {
        name: "deflate-stream",
        has_method: false,
        params: &[],
        params_elsewhere: &[],
        make: |deflate| Arc::new(DeflateStream::new(deflate)),
    },
];

/// permessage-deflate with the names of [`DRAFT`].
pub(super) const PERMESSAGE_DEFLATE_DRAFT: Make =
    |deflate| Arc::new(PermessageDeflateDraft::new(deflate));

/// The same without being offered: a strict server refuses the handshake for names that it does not
/// know.
pub(super) const ACCEPTED_ONLY: Make =
    |deflate| Arc::new(AcceptOnly(PermessageDeflateDraft::new(deflate)));

const SERVER: Option<Role> = Some(Role::Server);
const CLIENT: Option<Role> = Some(Role::Client);

/// RFC 7692 §7.1.
const RFC: Params = &[
    ("server_no_context_takeover", Meaning::no_takeover(SERVER)),
    ("client_no_context_takeover", Meaning::no_takeover(CLIENT)),
    ("server_max_window_bits", Meaning::window(SERVER)),
    ("client_max_window_bits", Meaning::window(CLIENT)),
];

/// draft-ietf-hybi-permessage-compression-00 to -08.
const DRAFT: Params = &[
    ("s2c_no_context_takeover", Meaning::no_takeover(SERVER)),
    ("c2s_no_context_takeover", Meaning::no_takeover(CLIENT)),
    ("s2c_max_window_bits", Meaning::window(SERVER)),
    ("c2s_max_window_bits", Meaning::window(CLIENT)),
];

/// draft-tyoshino-hybi-websocket-perframe-deflate-05.
const PER_FRAME: Params = &[
    ("max_window_bits", Meaning::window(None)),
    ("no_context_takeover", Meaning::no_takeover(None)),
];
