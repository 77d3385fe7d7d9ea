//! Where uploaded files lie: the folder, its quota and its sweeper.

/// The folder of uploaded files.
#[derive(Debug)]
pub struct Filing {}
