//! `floodgate --cloud`, as a pipeline calls it.
