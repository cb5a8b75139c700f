//! Cost estimates for flow logs, from list prices or the prices of the fleet file.

use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::id::IdError;

/// An amount of US dollars, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd(u64);

impl Usd {
    const MILLIONTHS: u64 = 1_000_000;
    /// The maximum number of decimal places.
    const DIGITS: usize = 6;

    /// An amount in millionths of a US dollar.
    pub const fn from_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// The exact amount, with at least one decimal place, as in `0.023`.
    pub fn exact(self) -> String {
        let (whole, rest) = (self.0 / Self::MILLIONTHS, self.0 % Self::MILLIONTHS);
        let rest = format!("{rest:06}");
        let rest = rest.trim_end_matches('0');
        format!("{whole}.{}", if rest.is_empty() { "0" } else { rest })
    }

    /// The amount multiplied by `times` and divided by `by`, rounded down.
    fn scaled(self, times: u128, by: u128) -> Self {
        let scaled = u128::from(self.0).saturating_mul(times) / by.max(1);
        Self(u64::try_from(scaled).unwrap_or(u64::MAX))
    }
}

/// In dollars and cents, as in `12.30`. Amounts below a cent have four decimal places.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const CENT: u64 = Usd::MILLIONTHS / 100;
        let (whole, rest) = (self.0 / Self::MILLIONTHS, self.0 % Self::MILLIONTHS);
        if self.0 > 0 && self.0 < CENT {
            write!(f, "{whole}.{:04}", rest / 100)
        } else {
            write!(f, "{whole}.{:02}", rest / CENT)
        }
    }
}

/// US dollars with up to six decimal places, as in `0.25`.
impl FromStr for Usd {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = |why: &str| {
            let help = "use US dollars with up to six decimal places, e.g. 0.25";
            IdError::new(text, "price", why.to_owned(), help)
        };
        let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
        let are_digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
        if whole.is_empty() || !are_digits(whole) || !are_digits(rest) {
            return Err(wrong("it is not a decimal number"));
        }
        if rest.len() > Self::DIGITS {
            return Err(wrong("it has more than six decimal places"));
        }
        let rest: u64 = format!("{rest:0<6}").parse().map_err(|_| wrong("it is not a decimal number"))?;
        let whole: u64 = whole.parse().map_err(|_| wrong("it is too large"))?;
        let millionths = whole.checked_mul(Self::MILLIONTHS).and_then(|whole| whole.checked_add(rest));
        millionths.map(Self).ok_or_else(|| wrong("it is too large"))
    }
}

/// A number of US dollars.
impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Realistic amounts are far below the integers that `f64` represents exactly.
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        serializer.serialize_f64(self.0 as f64 / Self::MILLIONTHS as f64)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Usd {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Usd".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0 })
    }
}

impl AddAssign for Usd {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |mut sum, amount| {
            sum += amount;
            sum
        })
    }
}

/// The prices of AWS. A GB is 2^30 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Prices {
    /// USD per GB of delivered records, before compression.
    pub delivery_per_gb: Usd,
    /// USD per GB and month of storage.
    pub storage_per_gb_month: Usd,
    /// The compression ratio of stored records.
    pub compression: u32,
    /// Whether these are list prices: the fleet file replaces none of them.
    pub are_listed: bool,
}

impl Prices {
    /// The source of the list prices.
    const LISTED: &str = "list prices of us-east-1 in 2025";
    /// The source of these prices, for output.
    pub fn source(&self) -> &'static str {
        if self.are_listed { Self::LISTED } else { "prices of the fleet file" }
    }

    /// The number of days of a month.
    pub const MONTH: u32 = 30;
    /// A GB in bytes.
    const GB: u128 = 1 << 30;

    /// The cost of a month in which `bytes_a_day` bytes are stored per day, if each object is kept for `kept_days` days.
    pub fn month(&self, bytes_a_day: u64, kept_days: u32) -> MonthlyCost {
        let a_day = u128::from(bytes_a_day);
        let delivered = a_day * u128::from(Self::MONTH) * u128::from(self.compression);
        MonthlyCost {
            delivery: self.delivery_per_gb.scaled(delivered, Self::GB),
            storage: self.storage_per_gb_month.scaled(a_day * u128::from(kept_days), Self::GB),
        }
    }
}

impl Default for Prices {
    /// List prices of us-east-1 in 2025: delivery of vended logs to S3 (the first 10 TB of a month; more costs less), and S3
    /// Standard (the first 50 TB). The compression ratio is 11, as in AWS's example.
    ///
    /// Sources: "Amazon CloudWatch pricing", vended logs and the example with VPC flow logs in S3; "Amazon S3 pricing".
    fn default() -> Self {
        Self {
            delivery_per_gb: Usd::from_millionths(250_000),
            storage_per_gb_month: Usd::from_millionths(23_000),
            compression: 11,
            are_listed: true,
        }
    }
}

/// The estimated cost of flow logs in a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct MonthlyCost {
    /// Delivery, in USD. AWS charges it to the logged account.
    pub delivery: Usd,
    /// Storage, in USD. AWS charges it to the hub account.
    pub storage: Usd,
}

impl AddAssign for MonthlyCost {
    fn add_assign(&mut self, other: Self) {
        self.delivery += other.delivery;
        self.storage += other.storage;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_parsed_and_formatted_exactly() {
        for (text, shown) in [
            ("0.25", "0.25"),
            ("12", "12.00"),
            ("0.023", "0.02"),
            ("0.000001", "0.0000"),
            ("0.0049", "0.0049"),
            ("0", "0.00"),
        ] {
            assert_eq!(text.parse::<Usd>().unwrap().to_string(), shown);
        }
        for text in ["", ".5", "-1", "1e3", "0.1234567", "99999999999999999999", "0.2 5", "1.2.3"] {
            assert!(text.parse::<Usd>().is_err(), "{text}");
        }
    }

    #[test]
    fn month_includes_uncompressed_delivery_and_compressed_storage() {
        // 1 GB is stored per day: 330 GB of delivered records per month, and 90 GB of storage.
        let month = Prices::default().month(1 << 30, 90);
        assert_eq!(
            (month.delivery.to_string(), month.storage.to_string()),
            ("82.50".to_owned(), "2.07".to_owned())
        );
        assert_eq!(Prices::default().month(0, 90), MonthlyCost::default());
    }
}
