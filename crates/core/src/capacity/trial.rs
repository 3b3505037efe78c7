//! What a search learns from.

/// A step that could be judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// Its load: iterations a second or VUs.
    pub load: f64,
    /// Whether the thresholds held.
    pub held: bool,
}
