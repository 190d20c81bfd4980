//! What the trials share: certificates, the processes that they are made of, and figures.

pub mod certificate;
pub mod figures;
pub mod part;
pub mod process;
