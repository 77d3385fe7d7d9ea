//! Scenes: each bug that is known of the first program, and each promise of ours, played once by name.
