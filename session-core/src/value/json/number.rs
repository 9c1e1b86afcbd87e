//! A JSON number: an exact integer of up to 128 bits, or a float.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A JSON number, as taken and returned by `increment` and similar methods.
///
/// Integers from `i128::MIN` to `u128::MAX` are exact; a float makes the sum a float.
///
/// ```
/// use session_core::Number;
///
/// assert_eq!(Number::from(u128::MAX).to_string(), "340282366920938463463374607431768211455");
/// assert_eq!(u8::try_from(Number::from(7)).ok(), Some(7));
/// assert_eq!(u8::try_from(Number::from(-7)).ok(), None);
/// assert_eq!(Number::from(0.5).as_f64(), 0.5);
/// ```
#[derive(Clone, Copy, PartialEq)]
pub struct Number(Repr);

#[derive(Clone, Copy, PartialEq)]
enum Repr {
    Int(i128),
    /// Only integers above `i128::MAX`.
    Big(u128),
    Float(f64),
}

/// Returned when a [`Number`] does not fit into the requested type.
///
/// ```
/// use session_core::Number;
///
/// let error = u8::try_from(Number::from(300)).unwrap_err();
/// assert_eq!(error.to_string(), "the number does not fit into u8");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the number does not fit into {wanted}")]
pub struct NumberTooWide {
    /// The requested type.
    pub wanted: &'static str,
}

/// Why a value is not a [`Number`].
pub(crate) enum Parsed {
    Number(Number),
    /// A number that fits neither into 128 bits nor into a finite float.
    TooWide,
    NotANumber,
}

impl Number {
    /// Returns the number as a `u64`, or `None` if it is negative, too large or a float.
    ///
    /// ```
    /// use session_core::Number;
    ///
    /// let hits = Number::from(3);
    /// assert_eq!((hits.as_u64(), hits.as_i64(), hits.as_f64()), (Some(3), Some(3), 3.0));
    /// assert!(hits == 3);
    /// assert_eq!(Number::from(-1).as_u64(), None);
    /// ```
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        self.try_into().ok()
    }

    /// Returns the number as an `i64`, or `None` if it is out of range or a float.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        self.try_into().ok()
    }

    /// Zero.
    pub(crate) const ZERO: Self = Self(Repr::Int(0));

    /// Returns the nearest float.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Repr::Int(int) => int as f64,
            Repr::Big(big) => big as f64,
            Repr::Float(float) => float,
        }
    }

    /// Returns whether the number is an exact integer, not a float.
    #[must_use]
    pub fn is_integer(self) -> bool {
        !matches!(self.0, Repr::Float(_))
    }

    /// Returns the sum, or `None` on overflow.
    pub(crate) fn plus(self, other: Self) -> Option<Self> {
        match (self.0, other.0) {
            (Repr::Int(one), Repr::Int(two)) => match one.checked_add(two) {
                Some(sum) => Some(sum.into()),
                None if one > 0 => one.unsigned_abs().checked_add(two.unsigned_abs()).map(Self::from),
                None => None,
            },
            (Repr::Big(big), Repr::Int(int)) | (Repr::Int(int), Repr::Big(big)) => {
                big.checked_add_signed(int).map(Self::from)
            }
            (Repr::Big(one), Repr::Big(two)) => one.checked_add(two).map(Self::from),
            (Repr::Float(_), _) | (_, Repr::Float(_)) => {
                let sum = self.as_f64() + other.as_f64();
                sum.is_finite().then_some(Self(Repr::Float(sum)))
            }
        }
    }

    /// Returns the negation, or `None` on overflow.
    pub(crate) fn negated(self) -> Option<Self> {
        Some(match self.0 {
            Repr::Int(i128::MIN) => i128::MIN.unsigned_abs().into(),
            Repr::Int(int) => Self(Repr::Int(-int)),
            Repr::Big(big) if big == i128::MIN.unsigned_abs() => Self(Repr::Int(i128::MIN)),
            Repr::Big(_) => return None,
            Repr::Float(float) => Self(Repr::Float(-float)),
        })
    }

    /// Reads JSON text.
    pub(crate) fn parse(text: &[u8]) -> Parsed {
        let Ok(text) = std::str::from_utf8(text) else { return Parsed::NotANumber };
        if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Parsed::NotANumber;
        }
        if text.contains(['.', 'e', 'E']) {
            return match text.parse::<f64>() {
                Ok(float) if float.is_finite() => Parsed::Number(Self(Repr::Float(float))),
                Ok(_) => Parsed::TooWide,
                Err(_) => Parsed::NotANumber,
            };
        }
        // Fast path: most numbers are short.
        if let Ok(int) = text.parse::<i64>() {
            return Parsed::Number(int.into());
        }
        match (text.parse::<i128>(), text.parse::<u128>()) {
            (Ok(int), _) => Parsed::Number(Self(Repr::Int(int))),
            (Err(_), Ok(big)) => Parsed::Number(big.into()),
            (Err(_), Err(_)) => Parsed::TooWide,
        }
    }
}

/// Equal by value: `Number` 3 equals 3 of every integer type; a float equals no integer.
macro_rules! equal {
    ($($number:ty),*) => {$(
        impl PartialEq<$number> for Number {
            fn eq(&self, other: &$number) -> bool {
                *self == Self::from(*other)
            }
        }

        impl PartialEq<Number> for $number {
            fn eq(&self, other: &Number) -> bool {
                other == self
            }
        }
    )*};
}
equal!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl From<$int> for Number {
            fn from(int: $int) -> Self {
                Self(Repr::Int(int.into()))
            }
        }
    )*};
}
integers!(i8, i16, i32, i64, i128, u8, u16, u32, u64);

impl From<u128> for Number {
    fn from(big: u128) -> Self {
        Self(i128::try_from(big).map_or(Repr::Big(big), Repr::Int))
    }
}

impl From<usize> for Number {
    fn from(int: usize) -> Self {
        (int as u128).into()
    }
}

impl From<isize> for Number {
    fn from(int: isize) -> Self {
        (int as i128).into()
    }
}

impl From<f64> for Number {
    fn from(float: f64) -> Self {
        Self(Repr::Float(float))
    }
}

impl From<f32> for Number {
    fn from(float: f32) -> Self {
        Self(Repr::Float(float.into()))
    }
}

macro_rules! back {
    ($($int:ty),*) => {$(
        impl TryFrom<Number> for $int {
            type Error = NumberTooWide;

            fn try_from(number: Number) -> Result<Self, NumberTooWide> {
                let fits = match number.0 {
                    Repr::Int(int) => Self::try_from(int).ok(),
                    Repr::Big(big) => Self::try_from(big).ok(),
                    Repr::Float(_) => None,
                };
                fits.ok_or(NumberTooWide { wanted: stringify!($int) })
            }
        }
    )*};
}
back!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        number.as_f64()
    }
}

/// Formats the digits as in JSON.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Int(int) => match i64::try_from(int) {
                Ok(short) => short.fmt(f),
                Err(_) => int.fmt(f),
            },
            Repr::Big(big) => big.fmt(f),
            Repr::Float(float) => f.write_str(&serde_json::to_string(&float).map_err(|_| fmt::Error)?),
        }
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Number({self})")
    }
}

/// Serializes as the narrowest integer type that holds the number, so that as many formats as possible can write it.
impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Repr::Int(int) => match (i64::try_from(int), u64::try_from(int)) {
                (Ok(int), _) => serializer.serialize_i64(int),
                (_, Ok(int)) => serializer.serialize_u64(int),
                _ => serializer.serialize_i128(int),
            },
            Repr::Big(big) => serializer.serialize_u128(big),
            Repr::Float(float) => serializer.serialize_f64(float),
        }
    }
}

/// Deserializes from JSON only, from the digits themselves.
impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Self::parse(Box::<RawValue>::deserialize(deserializer)?.get().as_bytes()) {
            Parsed::Number(number) => Ok(number),
            Parsed::TooWide => Err(serde::de::Error::custom("the number is too wide")),
            Parsed::NotANumber => Err(serde::de::Error::custom("not a number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(text: &str) -> Number {
        match Number::parse(text.as_bytes()) {
            Parsed::Number(number) => number,
            Parsed::TooWide | Parsed::NotANumber => panic!("{text}"),
        }
    }

    #[test]
    fn sums_are_exact_from_the_least_to_the_greatest() {
        let greatest = Number::from(u128::MAX);
        assert_eq!(greatest.plus(1.into()), None);
        assert_eq!(greatest.plus((-1).into()).map(|sum| sum.to_string()), Some((u128::MAX - 1).to_string()));
        assert_eq!(Number::from(i128::MAX).plus(1.into()), Some(Number::from(1_u128 << 127)));
        assert_eq!(Number::from(1_u128 << 127).plus((-1).into()), Some(Number::from(i128::MAX)));
        assert_eq!(Number::from(i128::MIN).plus((-1).into()), None);
        assert_eq!(
            Number::from(i128::MIN).negated().and_then(Number::negated),
            Some(Number::from(i128::MIN))
        );
        assert_eq!(Number::from(f64::MAX).plus(f64::MAX.into()), None);
    }

    #[test]
    fn integers_compare_by_value_whatever_their_type() {
        let three = n("3");
        assert!(three == 3_u8 && three == 3_i128 && 3_usize == three && three != 4 && three != -3);
        assert!(n("1.5") == 1.5 && n("1.5") != 1 && n("3.0") != 3);
        assert_eq!((three.as_u64(), three.as_i64(), n("-3").as_u64()), (Some(3), Some(3), None));
        assert_eq!((n("18446744073709551616").as_u64(), n("1.5").as_i64()), (None, None));
    }

    #[test]
    fn text_and_back() {
        for text in ["0", "-1", "1.5", "-0.125", "340282366920938463463374607431768211455"] {
            assert_eq!(n(text).to_string(), text);
            assert_eq!(serde_json::to_string(&n(text)).ok().as_deref(), Some(text));
            assert_eq!(serde_json::from_str::<Number>(text).ok(), Some(n(text)));
        }
        assert!(matches!(Number::parse(b"1e999"), Parsed::TooWide));
        assert!(matches!(Number::parse(&[b'9'; 60]), Parsed::TooWide));
        assert!(matches!(Number::parse(b"\"1\""), Parsed::NotANumber));
    }
}
