//! Pauses of random length, for all who wait for a store.

use std::time::Duration;

/// Between half and the whole of it, so that many workers do not come back together.
pub fn jitter(length: Duration) -> Duration {
    // The random part of a fresh UUID serves; nothing depends on its quality.
    let random = uuid::Uuid::now_v7().as_u64_pair().1 & 0xffff;
    length.mul_f64(0.5 + random as f64 / f64::from(0x1_ffff))
}
