//! Which id does a new object get? Stripe's prefix, a counter that keeps the order, and random letters.

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[derive(Debug, Default)]
pub struct IdMaker {
    made: u64,
}

impl IdMaker {
    /// A new id: `make("cus")` returns one such as `cus_SB00001f4Kw9Qe2b`.
    pub fn make(&mut self, prefix: &str) -> String {
        self.made = self.made.saturating_add(1);
        format!("{prefix}_SB{:05}{}", self.made, letters(9))
    }
}

/// Random letters and digits that cannot be guessed.
pub fn letters(count: usize) -> String {
    let mut bytes = vec![0; count];
    // Even without random bytes, the counter keeps ids different.
    let _without = getrandom::fill(&mut bytes);
    let letter = |byte: &u8| LETTERS.get(usize::from(*byte) % LETTERS.len()).copied().map_or('0', char::from);
    bytes.iter().map(letter).collect()
}
