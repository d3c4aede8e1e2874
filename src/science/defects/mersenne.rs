//! Random numbers as NumPy's `RandomState` has them, a stream that NumPy has promised never to change
//! (NEP 19): M. Matsumoto and T. Nishimura, ACM Trans. Model. Comput. Simul. 8, 3 (1998),
//! doi:10.1145/272991.272995, for the bits; the polar method of G. Marsaglia and T. A. Bray, SIAM Rev. 6,
//! 260 (1964), doi:10.1137/1006063, for normal numbers.

/// Words of state, and how far apart those are that make a new one.
const WORDS: usize = 624;
const APART: usize = 397;

/// A generator with its state.
pub(super) struct Mersenne {
    state: [u32; WORDS],
    next: usize,
    /// The polar method makes two numbers at a time.
    spare: Option<f64>,
}

impl Mersenne {
    /// The generator with this seed.
    pub fn new(seed: u32) -> Self {
        let mut state = [seed; WORDS];
        for k in 1..WORDS {
            let last = state[k - 1];
            state[k] = (last ^ (last >> 30)).wrapping_mul(1_812_433_253).wrapping_add(k as u32);
        }
        Self { state, next: WORDS, spare: None }
    }

    fn word(&mut self) -> u32 {
        if self.next == WORDS {
            for k in 0..WORDS {
                let mixed = (self.state[k] & 0x8000_0000) | (self.state[(k + 1) % WORDS] & 0x7fff_ffff);
                let twist = if mixed & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[k] = self.state[(k + APART) % WORDS] ^ (mixed >> 1) ^ twist;
            }
            self.next = 0;
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// Between 0 (may be) and 1 (never), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        let (high, low) = (f64::from(self.word() >> 5), f64::from(self.word() >> 6));
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }

    /// A whole number from `least` up to, without, `end`: bits are drawn until they are few enough.
    pub fn integer(&mut self, least: u32, end: u32) -> u32 {
        let most = end - 1 - least;
        let mask = u32::MAX >> most.leading_zeros().min(31);
        loop {
            let drawn = self.word() & mask;
            if drawn <= most {
                return least + drawn;
            }
        }
    }

    /// From the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(factor * x);
                return factor * y;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mersenne;

    /// `numpy.random.RandomState(42)`: randint(1, 10**9), rand(), normal() three times, rand().
    #[test]
    fn it_is_numpys_stream() {
        let mut random = Mersenne::new(42);
        assert_eq!(random.integer(1, 1_000_000_000), 534_895_719);
        let numpy = [
            0.796_542_986_860_232_8,
            0.543_743_160_481_298_6,
            -0.615_429_769_598_336,
            -1.197_806_426_553_955_6,
            0.099_974_915_818_002_89,
        ];
        let found = [random.uniform(), random.normal(), random.normal(), random.normal(), random.uniform()];
        for (found, numpy) in found.iter().zip(numpy) {
            assert!((found - numpy).abs() < 1e-15, "{found} {numpy}");
        }
    }
}
