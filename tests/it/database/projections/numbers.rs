//! Numbers that look random, and are the same in each run: what happens in a made-up story?

pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// From 1 on.
    pub fn up_to(&mut self, end: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(end).expect("it is positive"))).expect("it is small") + 1
    }
}
