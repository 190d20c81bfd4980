//! Extensions: what `--ext` makes of those that the library has (RFC 6455 §9).

mod known;
mod mux;
mod spec;

use std::sync::Arc;

use hybi::{
    Deflate, Extensions, Version,
    extension::{Agreed, AnswerError, Extension, ExtensionOffer},
    mux::Config,
};

pub(crate) use spec::{ExtensionList, client_extensions, server_extensions};

use self::known::{ACCEPTED_ONLY, KNOWN, PERMESSAGE_DEFLATE};
use self::mux::MUX;
use self::spec::{Named, Spec};
use crate::exit::Failure;
use crate::values;

/// What the options ask for.
#[derive(Clone, Debug)]
pub(crate) struct Chosen {
    /// What makes something else of payloads; with `mux`, on channels.
    pub(crate) extensions: Extensions,
    /// Whether connections may have channels.
    pub(crate) mux: Option<Config>,
}

/// What the options ask for: permessage-deflate for RFC 6455 if they say nothing.
///
/// `tune` makes the choices that are not negotiated. Naming an extension that none of the versions
/// can carry is a mistake.
pub(crate) fn chosen(
    lists: &[ExtensionList],
    versions: &[Version],
    tune: impl Fn(Deflate) -> Deflate,
) -> Result<Chosen, Failure> {
    let bare = |extension: Arc<dyn Extension>| Wanted { extension, offer: None, by_default: false };
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut mux = None;
    if lists.is_empty() {
        let permessage_deflate = Arc::new(tune(Deflate::default()));
        wanted.push(Wanted { by_default: true, ..bare(permessage_deflate) });
    }
    for spec in lists.iter().flat_map(|list| &list.0) {
        if mux.is_some() && !matches!(spec, Spec::None) {
            return Err(Failure::usage("usage", "--ext: mux is the last, if it is there")
                .hint("what channels use is named in front of it"));
        }
        match spec {
            Spec::None => (wanted, mux) = (Vec::new(), None),
            Spec::All => {
                let all = KNOWN.iter().map(|known| known.make).chain([ACCEPTED_ONLY]);
                wanted.extend(all.map(|make| bare(make(tune(Deflate::default())))));
            }
            Spec::One(Named { make, deflate, offer }) => {
                let extension = make(tune(*deflate));
                let is_for = |version| extension.is_for(version);
                if !versions.iter().copied().any(is_for) {
                    return Err(unavailable(extension.name(), is_for, versions));
                }
                wanted.push(Wanted { offer: offer.clone(), ..bare(extension) });
            }
            Spec::Mux(config) => {
                let is_for = |version| version == Version::RFC6455;
                if !versions.iter().copied().any(is_for) {
                    return Err(unavailable(MUX, is_for, versions));
                }
                mux = Some(config.clone());
            }
        }
    }
    Ok(Chosen { extensions: wanted.into_iter().fold(Extensions::none(), Extensions::with), mux })
}

/// Whether the options ask for `mux`.
pub(crate) fn asks_for_channels(lists: &[ExtensionList]) -> bool {
    let last = lists.iter().flat_map(|list| &list.0).next_back();
    matches!(last, Some(Spec::Mux(_)))
}

fn unavailable(name: &str, is_for: impl Fn(Version) -> bool, versions: &[Version]) -> Failure {
    let names = |versions: &mut dyn Iterator<Item = Version>| {
        versions.map(values::version_name).collect::<Vec<_>>().join(", ")
    };
    let carriers = names(&mut Version::ALL.into_iter().filter(|version| is_for(*version)));
    let versions = names(&mut versions.iter().copied());
    let why = format!("{name} is not available for {versions}");
    Failure::usage("usage", why).hint(format!("it is for {carriers}"))
}

/// An extension of the library, offered just as it was asked for.
#[derive(Debug)]
struct Wanted {
    extension: Arc<dyn Extension>,
    /// What a client offers, if not what the extension itself would.
    offer: Option<ExtensionOffer>,
    /// Nobody asked for it, so versions before RFC 6455 do without.
    by_default: bool,
}

impl Extension for Wanted {
    fn name(&self) -> &str {
        self.extension.name()
    }

    fn is_for(&self, version: Version) -> bool {
        self.extension.is_for(version) && (!self.by_default || version >= Version::RFC6455)
    }

    fn offers(&self) -> Vec<ExtensionOffer> {
        self.offer.clone().map_or_else(|| self.extension.offers(), |offer| vec![offer])
    }

    fn accept(&self, offer: &ExtensionOffer) -> Option<Agreed> {
        self.extension.accept(offer)
    }

    fn confirm(&self, answer: &ExtensionOffer) -> Result<Agreed, AnswerError> {
        if let Some(offer) = &self.offer
            && offer.name() == PERMESSAGE_DEFLATE
        {
            confirm_windows(offer, answer)?;
        }
        self.extension.confirm(answer)
    }
}

/// The rules about windows that depend on what was offered: the extension itself always lets the
/// server limit the client's, and never asks for a window of 15 bits (RFC 7692 §7.1.2).
fn confirm_windows(offer: &ExtensionOffer, answer: &ExtensionOffer) -> Result<(), AnswerError> {
    let has = |element: &ExtensionOffer, names: [&str; 2]| {
        element.params().iter().any(|param| names.contains(&param.name()))
    };
    let client = ["client_max_window_bits", "c2s_max_window_bits"];
    if has(answer, client) && !has(offer, client) {
        let rule = "the client's window is limited without its offer";
        return Err(AnswerError::new(rule, "RFC 7692 §7.1.2.2"));
    }
    let server = ["server_max_window_bits", "s2c_max_window_bits"];
    if has(offer, server) && !has(answer, server) {
        let rule = "the server does not limit its window, as asked";
        return Err(AnswerError::new(rule, "RFC 7692 §7.1.2.1"));
    }
    Ok(())
}
