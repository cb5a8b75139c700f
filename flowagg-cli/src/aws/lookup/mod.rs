//! What `flowagg query` looks up in EC2: the names of what is in its rows, and NAT gateways.

mod gateways;
mod names;

use std::collections::BTreeSet;

use flowagg_core::failure::{Advice, Failure};
use flowagg_core::id::Place;

use super::call::Call;
use super::failure::is_plain_denial;
use super::observe::Survey;

pub(crate) use gateways::{Gateways, gateways};
pub(crate) use names::names;

/// The most values of a filter in one call.
///
/// Source: "List and filter using the CLI and API" (Amazon EC2 User Guide).
const VALUES_OF_A_FILTER: usize = 200;

/// The most items on a page, which every call here takes.
///
/// Source: "DescribeNetworkInterfaces", MaxResults (Amazon EC2 API Reference).
const ITEMS_OF_A_PAGE: i32 = 1000;

/// The account-regions that can be called.
pub(crate) fn reachable(survey: &Survey) -> BTreeSet<Place> {
    survey.regions.iter().filter(|(_, state)| state.is_ok()).map(|(place, _)| place.clone()).collect()
}

/// Why the others cannot.
pub(crate) fn unreachable(survey: &Survey) -> Vec<Failure> {
    survey.regions.values().filter_map(|state| state.as_ref().err().cloned()).collect()
}

/// A failure of a look-up. Other commands do not make all of these calls, so their policies do not allow them.
fn of_lookup(call: Call, mut failure: Failure) -> Failure {
    if is_plain_denial(call, failure.code.as_deref(), &failure.message) {
        let action = call.action;
        failure.advice = Advice::for_place(|account, _| {
            format!(
                "allow {action} to the role or user that is used in {account}; `flowagg permissions --query` prints the IAM policies"
            )
        });
    }
    failure
}
