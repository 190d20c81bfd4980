//! A room as its members and their peers see it: what arrives and in which order, what each policy does with a peer
//! that reads slowly, and what that costs the others.

mod chance;
mod ending;
mod order;
mod policies;
mod telling;
mod waiting;
mod world;
