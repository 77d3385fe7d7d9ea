//! Where uploaded files lie.
