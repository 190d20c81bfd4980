//! Two connections, each with a half that sends and a half that receives, on four threads that all
//! wait most of the time: everything arrives, in order, and nobody sleeps for ever.

mod exchange;
mod halves;
mod pipes;
mod split;
