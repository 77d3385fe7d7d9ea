//! What the program can be told to do, one file or folder per sub-command.

pub mod chat;
