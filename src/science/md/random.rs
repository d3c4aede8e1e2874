//! Random numbers that depend on a seed and the number of the step alone, so that a run that is continued
//! goes on, but for rounding, as if it had never stopped: a neighbour list made anew has another order of sums.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use rand_distr::{ChiSquared, StandardNormal};

use crate::science::linear::Vec3;

/// The random numbers of one step.
#[derive(Debug)]
pub struct Random(Source);

#[derive(Debug)]
enum Source {
    Generator(Box<ChaCha8Rng>),
    /// Numbers that somebody else has drawn.
    Recorded(std::vec::IntoIter<f64>),
}

impl Random {
    /// Those of step `step` (0 is before the first) of the run with this seed.
    pub fn of_step(seed: u64, step: u64) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(step);
        Self(Source::Generator(Box::new(generator)))
    }

    /// Numbers of any kind in the order in which they are asked for, so that a run of another program can be
    /// followed; NaN after the last.
    pub fn recorded(numbers: Vec<f64>) -> Self {
        Self(Source::Recorded(numbers.into_iter()))
    }

    fn draw(&mut self, draw: impl FnOnce(&mut ChaCha8Rng) -> f64) -> f64 {
        match &mut self.0 {
            Source::Generator(generator) => draw(generator),
            Source::Recorded(numbers) => numbers.next().unwrap_or(f64::NAN),
        }
    }

    /// From the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        self.draw(|generator| generator.sample(StandardNormal))
    }

    /// Three of them.
    pub fn normal3(&mut self) -> Vec3 {
        std::array::from_fn(|_| self.normal())
    }

    /// Between 0 (may be) and 1 (never).
    pub fn uniform(&mut self) -> f64 {
        self.draw(|generator| generator.random())
    }

    /// The sum of the squares of `count` (more than 0) normal numbers.
    pub fn chi_squared(&mut self, count: f64) -> f64 {
        let distribution = ChiSquared::new(count);
        self.draw(|generator| distribution.map_or(f64::NAN, |distribution| generator.sample(distribution)))
    }
}
