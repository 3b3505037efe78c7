//! Seeds that follow from names, so that the same names always draw the same numbers.

/// FNV-1a with 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>), the texts separated by a byte that no text has.
pub fn of(texts: &[&str]) -> u64 {
    let bytes = texts.iter().flat_map(|text| text.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
