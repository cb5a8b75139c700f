//! EC2 lookups of `flowagg query`: names of resources in its rows, and NAT gateways.

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

/// The maximum number of values in a filter.
///
/// Source: "List and filter using the CLI and API" (Amazon EC2 User Guide).
const VALUES_OF_A_FILTER: usize = 200;

/// The maximum number of items on a page, for every call in this module.
///
/// Source: "DescribeNetworkInterfaces", MaxResults (Amazon EC2 API Reference).
const ITEMS_OF_A_PAGE: i32 = 1000;

/// The account-regions that were reached.
pub(crate) fn reachable(survey: &Survey) -> BTreeSet<Place> {
    survey.regions.iter().filter(|(_, state)| state.is_ok()).map(|(place, _)| place.clone()).collect()
}

/// The failures of the others.
pub(crate) fn unreachable(survey: &Survey) -> Vec<Failure> {
    survey.regions.values().filter_map(|state| state.as_ref().err().cloned()).collect()
}

/// Adjusts the advice of a failed lookup: only `flowagg permissions --query` prints these actions.
fn of_lookup(call: Call, mut failure: Failure) -> Failure {
    if is_plain_denial(call, failure.code.as_deref(), &failure.message) {
        let action = call.action;
        failure.advice = Advice::for_place(|account, _| {
            format!(
                "allow {action} for the role or user used in {account}; `flowagg permissions --query` prints the IAM policies"
            )
        });
    }
    failure
}
