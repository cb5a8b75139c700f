//! Finds the advice for an error that AWS returned.

use flowagg_core::failure::{Advice, ENCODED};

use super::denial::{Denial, fill};
use super::table::{OF_AWS, OTHER, PARTS, Row};
use crate::aws::call::Call;

/// An error that AWS returned.
#[derive(Clone, Copy, Debug)]
pub(super) struct AwsError<'e> {
    pub(super) call: Call,
    pub(super) code: &'e str,
    pub(super) message: &'e str,
    /// The HTTP status; `None` for an `Unsuccessful` item of a successful response.
    pub(super) status: Option<u16>,
    /// The bucket's region, if the response contains it.
    pub(super) bucket_region: Option<&'e str>,
}

impl AwsError<'_> {
    pub(super) fn advice(self) -> Advice {
        let Self { call, code, message, status, bucket_region } = self;
        let mut help = match Denial::parse(call, message) {
            Some(denial) => denial.advice(call, message),
            None => {
                let other = if status >= Some(500) { OF_AWS } else { OTHER };
                fill(row(call, code, message).map_or(other, |(_, row)| row.help), call, message)
            }
        };
        help = help.replace("{bucket-region}", bucket_region.unwrap_or("another region"));
        if message.contains(ENCODED) {
            help += "; `--json` prints the full encoded message, and `aws sts decode-authorization-message --encoded-message MESSAGE` decodes it";
        }
        Advice::for_place(|account, region| help.replace("{account}", account).replace("{region}", region))
    }
}

/// The first matching row, and the title of its part.
fn row(call: Call, code: &str, message: &str) -> Option<(&'static str, &'static Row)> {
    let mut rows = PARTS.iter().flat_map(|part| part.rows.iter().map(|row| (part.title, row)));
    rows.find(|(_, row)| row.fits(call, code, message))
}

#[cfg(test)]
mod tests;
