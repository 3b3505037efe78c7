//! The program in the generator's image.
fn main() {}
