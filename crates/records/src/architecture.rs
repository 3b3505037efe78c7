//! The processors that a run can use.

use crate::words;

words! {
    /// The processor of tasks and functions; Graviton costs less.
    #[derive(Default)]
    pub Architecture {
        /// AWS Graviton.
        #[default]
        Arm64 = "arm64",
        /// Intel and AMD.
        X86_64 = "x86_64",
    }
}

impl Architecture {
    /// As containers' platforms have it: `arm64`, `amd64`.
    pub const fn container(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "amd64",
        }
    }
}
