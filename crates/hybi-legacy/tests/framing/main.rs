//! The framings before hybi-07: what comes out of the codec and the assembler behind it, and what goes in.

mod control;
mod first_byte;
mod limits;
mod masks;
mod properties;
mod receiver;
mod vectors;
mod violations;
