//! The processors that Lambda, Fargate and releases are made for.

/// A processor of Linux machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Arch {
    /// Linux/x86_64
    #[value(alias = "x86_64")]
    Amd64,
    /// Linux/arm64, Graviton; a fifth cheaper on AWS than the other
    #[value(alias = "aarch64")]
    Arm64,
}

impl Arch {
    /// This machine's.
    pub(crate) const NATIVE: Self = if cfg!(target_arch = "aarch64") {
        Self::Arm64
    } else {
        Self::Amd64
    };

    /// As containers name it.
    pub(crate) const fn container(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// As Lambda names it.
    pub(crate) const fn lambda(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// As the kernel and Rust name it.
    pub(crate) const fn machine(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64",
            Self::Arm64 => "aarch64",
        }
    }

    /// Rust's target with the GNU C library.
    pub(crate) fn gnu(self) -> String {
        format!("{}-unknown-linux-gnu", self.machine())
    }

    /// Rust's target with musl.
    pub(crate) fn musl(self) -> String {
        format!("{}-unknown-linux-musl", self.machine())
    }
}
