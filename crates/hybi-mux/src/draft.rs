//! Draft: every document of the extension, and the one table of what is known of each.

use crate::revision::Revision;

macro_rules! drafts {
    ($($variant:ident $name:literal | $date:literal | $known:ident | $source:literal;)*) => {
        /// A document of the extension.
        ///
        /// ```
        /// use hybi_mux::{Draft, Known, Revision};
        ///
        /// assert_eq!(Draft::Ietf09.known(), Known::Whole(Revision::Ietf07));
        /// assert_eq!(Draft::Ietf11.known(), Known::Nothing);
        /// ```
        ///
        /// | draft | date | what is known of its wire format | from |
        /// |---|---|---|---|
        $(#[doc = concat!("| ", $name, " | ", $date, " | ", known!(text $known), " | ", $source, " |")])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(clippy::exhaustive_enums, reason = "no further draft of this extension will be published")]
        pub enum Draft {
            $(#[doc = concat!($name, ", ", $date, ".")] $variant,)*
        }

        impl Draft {
            /// All of them, oldest first.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What is known of its wire format.
            #[must_use]
            pub const fn known(self) -> Known {
                match self { $(Self::$variant => known!(value $known),)* }
            }

            /// Where that is known from.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self { $(Self::$variant => $source,)* }
            }
        }
    };
}

macro_rules! known {
    (text nothing) => {
        "nothing"
    };
    (text google) => {
        "the layout of its blocks: [`fragments::google`](crate::fragments::google)"
    };
    (text ietf_01) => {
        "all but FlowControl: [`fragments::ietf_01`](crate::fragments::ietf_01)"
    };
    (text ietf_03) => {
        "all but one bit: [`Revision::Ietf03`]"
    };
    (text ietf_05) => {
        "all: [`Revision::Ietf05`]"
    };
    (text ietf_07) => {
        "all: [`Revision::Ietf07`]"
    };
    (value nothing) => {
        Known::Nothing
    };
    (value google) => {
        Known::Fragments
    };
    (value ietf_01) => {
        Known::Fragments
    };
    (value ietf_03) => {
        Known::Whole(Revision::Ietf03)
    };
    (value ietf_05) => {
        Known::Whole(Revision::Ietf05)
    };
    (value ietf_07) => {
        Known::Whole(Revision::Ietf07)
    };
}

/// What is known of the wire format of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "complete: there is no fourth")]
pub enum Known {
    /// No source shows it.
    Nothing,
    /// Parts, for which there are [codecs](crate::fragments) and no endpoint.
    Fragments,
    /// Enough to speak it.
    Whole(Revision),
}

drafts! {
    Google00 "google-mux-00" | "2010 or 2011, not verified" | google | "libwebsockets, which says that it deviates";
    Google01 "google-mux-01" | "2010 or 2011, not verified" | google | "libwebsockets, which says that it deviates";
    Google02 "google-mux-02" | "2010 or 2011, not verified" | google | "libwebsockets, which says that it deviates";
    Google03 "google-mux-03" | "28 February 2012" | nothing | "its first page";
    Ietf00 "ietf-00" | "2012, not verified" | nothing | "no source";
    Ietf01 "ietf-01" | "2012, not verified" | ietf_01 | "pywebsocket of 28 June to 4 July 2012";
    Ietf02 "ietf-02" | "25 June 2012" | nothing | "its first page";
    Ietf03 "ietf-03" | "July 2012, not verified" | ietf_03 | "pywebsocket of 6 to 26 July 2012";
    Ietf04 "ietf-04" | "July 2012, not verified" | ietf_03 | "pywebsocket of 6 to 26 July 2012";
    Ietf05 "ietf-05" | "5 September 2012" | ietf_05 | "pywebsocket of 12 September 2012";
    Ietf06 "ietf-06" | "September 2012, not verified" | ietf_05 | "pywebsocket of September 2012";
    Ietf07 "ietf-07" | "October 2012, not verified" | ietf_07 | "pywebsocket of October 2012 to its last version";
    Ietf08 "ietf-08" | "not verified" | ietf_07 | "Jetty, unfinished: the same encodings";
    Ietf09 "ietf-09" | "12 November 2012" | ietf_07 | "Chromium's list of reasons: the same, and 3009";
    Ietf10 "ietf-10" | "not verified" | nothing | "no source";
    Ietf11 "ietf-11" | "2 July 2013" | nothing | "its first page";
}
