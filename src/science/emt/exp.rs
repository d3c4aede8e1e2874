//! An exponential that compilers turn into vector instructions: no branch, no table, no call.
//! Within 2 units in the last place for -700 < x < 700 and meaningless outside; EMT stays between
//! -135 and 13, whatever the elements.

/// `a * b + c`, rounded once where the processor can (`FUSED`), twice where that would be slow.
#[inline(always)]
pub(super) fn multiply_add<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// e^x by x = k ln 2 + r, |r| <= ln 2 / 2, and the Taylor series of e^r to r^13 (remainder below
/// 5e-18). Reduction after W. J. Cody and W. Waite, Software Manual for the Elementary
/// Functions (1980), chapter 6, with the two parts of ln 2 that fdlibm has.
#[inline(always)]
pub(super) fn exp<const FUSED: bool>(x: f64) -> f64 {
    // ln 2 in two parts; the first has zeros at its end, so that k times it is exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    // Adding 1.5 * 2^52 rounds to whole numbers and leaves k in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let fma = multiply_add::<FUSED>;
    let rounded = fma(x, std::f64::consts::LOG2_E, ROUND);
    let k = rounded - ROUND;
    let r = fma(k, -LN2_LOW, fma(k, -LN2_HIGH, x));
    let (r2, r4) = (r * r, (r * r) * (r * r));
    // Estrin's scheme: pairs first, so that multiplications overlap.
    let low = fma(r2, fma(r, 1.0 / 6.0, 1.0 / 2.0), 1.0 + r);
    let middle = fma(r2, fma(r, 1.0 / 5_040.0, 1.0 / 720.0), fma(r, 1.0 / 120.0, 1.0 / 24.0));
    let high = fma(r2, fma(r, 1.0 / 39_916_800.0, 1.0 / 3_628_800.0), fma(r, 1.0 / 362_880.0, 1.0 / 40_320.0));
    let top = fma(r, 1.0 / 6_227_020_800.0, 1.0 / 479_001_600.0);
    let series = fma(r4, fma(r4, fma(r4, top, high), middle), low);
    // Multiply by 2^k in the exponent field.
    f64::from_bits(series.to_bits().wrapping_add(rounded.to_bits() << 52))
}

#[cfg(test)]
mod tests {
    #[test]
    fn agrees_with_the_standard_library() {
        for step in -200_000..=200_000 {
            let x = f64::from(step) * 1.7e-3;
            let expected = x.exp();
            for found in [super::exp::<false>(x), super::exp::<true>(x)] {
                assert!((found - expected).abs() <= 4.5e-16 * expected, "x = {x}");
            }
        }
    }
}
