//! The engines for real, as far as they are installed: `cargo xtask test` says where they are.

mod k6;
