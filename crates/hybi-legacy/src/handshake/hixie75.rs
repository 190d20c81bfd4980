//! hixie-75: fields in a fixed order and no challenge.
