//! MongoDB's order of values: first by the type, then within it.

use std::cmp::Ordering;

use bson::{Bson, Decimal128, Document};

/// The place of a type in the order; types that are compared with each other share one. What is
/// missing comes with undefined.
pub fn rank(value: Option<&Bson>) -> i32 {
    match value {
        None | Some(Bson::Undefined) => 0,
        Some(Bson::MinKey) => -1,
        Some(Bson::Null) => 5,
        Some(Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) | Bson::Decimal128(_)) => 10,
        Some(Bson::String(_) | Bson::Symbol(_)) => 15,
        Some(Bson::Document(_)) => 20,
        Some(Bson::Array(_)) => 25,
        Some(Bson::Binary(_)) => 30,
        Some(Bson::ObjectId(_)) => 35,
        Some(Bson::Boolean(_)) => 40,
        Some(Bson::DateTime(_)) => 45,
        Some(Bson::Timestamp(_)) => 47,
        Some(Bson::RegularExpression(_)) => 50,
        Some(Bson::DbPointer(_)) => 55,
        Some(Bson::JavaScriptCode(_)) => 60,
        Some(Bson::JavaScriptCodeWithScope(_)) => 65,
        Some(Bson::MaxKey) => 127,
    }
}

/// Compares two values of any types.
pub fn compare(a: &Bson, b: &Bson) -> Ordering {
    rank(Some(a)).cmp(&rank(Some(b))).then_with(|| within(a, b))
}

/// Compares two values of the same rank.
fn within(a: &Bson, b: &Bson) -> Ordering {
    use Bson::{
        Array, Binary, Boolean, DateTime, Document, JavaScriptCode, JavaScriptCodeWithScope, ObjectId,
        RegularExpression, String, Symbol, Timestamp,
    };
    match (a, b) {
        (String(a) | Symbol(a), String(b) | Symbol(b)) | (JavaScriptCode(a), JavaScriptCode(b)) => a.cmp(b),
        (Document(a), Document(b)) => documents(a, b),
        (Array(a), Array(b)) => first(a.iter().zip(b).map(|(a, b)| compare(a, b)), a.len(), b.len()),
        (Binary(a), Binary(b)) => {
            (a.bytes.len(), u8::from(a.subtype), &a.bytes).cmp(&(b.bytes.len(), u8::from(b.subtype), &b.bytes))
        }
        (ObjectId(a), ObjectId(b)) => a.cmp(b),
        (Boolean(a), Boolean(b)) => a.cmp(b),
        (DateTime(a), DateTime(b)) => a.cmp(b),
        (Timestamp(a), Timestamp(b)) => a.cmp(b),
        (RegularExpression(a), RegularExpression(b)) => {
            (a.pattern.as_str(), a.options.as_str()).cmp(&(b.pattern.as_str(), b.options.as_str()))
        }
        (JavaScriptCodeWithScope(a), JavaScriptCodeWithScope(b)) => {
            a.code.cmp(&b.code).then_with(|| documents(&a.scope, &b.scope))
        }
        (a, b) => numbers(a, b),
    }
}

/// Field by field, in their order: the type, then the name, then the value.
fn documents(a: &Document, b: &Document) -> Ordering {
    let fields = a.iter().zip(b).map(|((key, value), (other_key, other))| {
        let types = rank(Some(value)).cmp(&rank(Some(other)));
        types.then_with(|| key.cmp(other_key)).then_with(|| within(value, other))
    });
    first(fields, a.len(), b.len())
}

/// The first difference; otherwise the shorter one is less.
fn first(mut differences: impl Iterator<Item = Ordering>, a: usize, b: usize) -> Ordering {
    differences.find(|one| one.is_ne()).unwrap_or(a.cmp(&b))
}

fn numbers(a: &Bson, b: &Bson) -> Ordering {
    if let (Some(a), Some(b)) = (integer(a), integer(b)) {
        return a.cmp(&b);
    }
    match (a, b) {
        (Bson::Decimal128(_), _) | (_, Bson::Decimal128(_)) => Decimal::of(a).cmp(&Decimal::of(b)),
        (Bson::Double(a), Bson::Double(b)) => doubles(*a, *b),
        (Bson::Double(a), b) => integer(b).map_or(Ordering::Equal, |b| with_integer(*a, b)),
        (a, Bson::Double(b)) => integer(a).map_or(Ordering::Equal, |a| with_integer(*b, a).reverse()),
        _ => Ordering::Equal,
    }
}

fn integer(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(value) => Some(i64::from(*value)),
        Bson::Int64(value) => Some(*value),
        _ => None,
    }
}

/// What is no number is less than every number, and equal to itself.
pub fn is_nan(value: &Bson) -> bool {
    match value {
        Bson::Double(value) => value.is_nan(),
        Bson::Decimal128(value) => value.to_string() == "NaN",
        _ => false,
    }
}

fn doubles(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// Exactly: not every integer of 64 bits is a double.
fn with_integer(a: f64, b: i64) -> Ordering {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if a.is_nan() || a < -BEYOND {
        Ordering::Less
    } else if a >= BEYOND {
        Ordering::Greater
    } else {
        // Within the range the whole part is exact.
        (a.trunc() as i64).cmp(&b).then_with(|| doubles(a.fract(), 0.0))
    }
}

/// A decimal number for comparing; a double is rounded to the 34 digits that a decimal has.
#[derive(PartialEq, Eq)]
enum Decimal {
    NotANumber,
    Infinite {
        negative: bool,
    },
    /// 0.DIGITS times ten to the exponent; zero has no digits.
    Finite {
        negative: bool,
        exponent: i64,
        digits: String,
    },
}

impl Decimal {
    fn of(value: &Bson) -> Self {
        match value {
            Bson::Double(value) => Decimal::read(&format!("{value:.33e}")),
            Bson::Decimal128(value) => Decimal::read(&Decimal128::to_string(value)),
            other => Decimal::read(&other.to_string()),
        }
    }

    fn read(text: &str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        if text == "NaN" {
            return Decimal::NotANumber;
        }
        if !text.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
            return Decimal::Infinite { negative };
        }
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let leading = (all.len() - digits.len()) as i64;
        let exponent: i64 = exponent.trim_start_matches('+').parse().unwrap_or(0);
        let digits = digits.trim_end_matches('0').to_owned();
        if digits.is_empty() {
            return Decimal::Finite { negative: false, exponent: 0, digits };
        }
        Decimal::Finite { negative, exponent: exponent + whole.len() as i64 - leading, digits }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        self.class().cmp(&other.class()).then_with(|| match (self, other) {
            (
                Decimal::Finite { negative, exponent, digits },
                Decimal::Finite { exponent: theirs, digits: others, .. },
            ) => {
                let size = exponent.cmp(theirs).then_with(|| digits.cmp(others));
                if *negative { size.reverse() } else { size }
            }
            _ => Ordering::Equal,
        })
    }

    /// What decides before the digits do.
    fn class(&self) -> i8 {
        match self {
            Decimal::NotANumber => -3,
            Decimal::Infinite { negative } => {
                if *negative {
                    -2
                } else {
                    2
                }
            }
            Decimal::Finite { digits, .. } if digits.is_empty() => 0,
            Decimal::Finite { negative, .. } => {
                if *negative {
                    -1
                } else {
                    1
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::{bson, doc};

    use super::*;

    #[test]
    fn values_are_ordered_by_type_and_then_by_value() {
        let decimal = |text: &str| Bson::Decimal128(text.parse().expect("a decimal"));
        let rising = [
            Bson::MinKey,
            Bson::Null,
            Bson::Double(f64::NAN),
            Bson::Double(f64::NEG_INFINITY),
            Bson::Int64(i64::MIN),
            decimal("-1.5"),
            Bson::Int32(0),
            decimal("1E-6000"),
            decimal("0.1"),
            Bson::Double(0.1),
            Bson::Int64(9_007_199_254_740_992),
            Bson::Int64(9_007_199_254_740_993),
            Bson::Int64(i64::MAX),
            Bson::Double(9_223_372_036_854_775_808.0),
            decimal("1E6000"),
            Bson::Double(f64::INFINITY),
            bson!("a"),
            bson!("ab"),
            bson!({}),
            bson!({"b": 1}),
            bson!({"a": "x"}),
            bson!([]),
            bson!([1]),
            bson!([1, 1]),
            bson!(false),
            bson!(true),
            Bson::MaxKey,
        ];
        for (n, a) in rising.iter().enumerate() {
            for (m, b) in rising.iter().enumerate() {
                assert_eq!(compare(a, b), n.cmp(&m), "{a} and {b}");
            }
        }
        for (a, b) in [(bson!(1), bson!(1.0)), (bson!(-0.0), bson!(0_i64)), (decimal("1.50"), bson!(1.5))] {
            assert_eq!(compare(&a, &b), Ordering::Equal, "{a} and {b}");
            assert_eq!(documents(&doc! {"k": a}, &doc! {"k": b}), Ordering::Equal);
        }
    }
}
