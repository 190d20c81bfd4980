//! hixie-76 and hybi-01 to 03: two keys, eight bytes, and the sixteen that answer them.
