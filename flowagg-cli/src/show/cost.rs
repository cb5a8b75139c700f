//! Formats the estimated cost of new flow logs as a sentence.

use flowagg_core::cost::{MonthlyCost, Prices};
use flowagg_core::estimate::NewFlowLogCost;

use super::view::View;
use crate::report::words::counted;

/// The maximum number of accounts with an unknown cost that are listed. More are counted.
const ACCOUNTS: usize = 3;

/// Formats the cost of a month with the source of the prices: `about USD 1.20 for delivery and USD 0.10 for storage a month (...)`.
pub(super) fn of_month(MonthlyCost { delivery, storage, .. }: MonthlyCost, prices: &Prices) -> String {
    let source = prices.source();
    format!("about USD {delivery} for delivery and USD {storage} for storage a month ({source})")
}

/// Formats the estimate for the flow logs that a plan creates.
pub(super) fn of_new_flow_logs(cost: &NewFlowLogCost, view: View<'_>) -> String {
    if let Some(failure) = &cost.failure {
        let code = failure.code.as_deref().unwrap_or("no response");
        return format!("unknown, because the bucket could not be listed: {}: {code}", failure.call);
    }
    let Some(month) = cost.month else {
        return "unknown until flow logs of the same accounts have delivered for a whole day (UTC)"
            .to_owned();
    };
    let mut text = of_month(month, &cost.prices);
    if !cost.unknown.is_empty() {
        let all = cost.estimated + cost.unknown.values().sum::<usize>();
        let accounts = match cost.unknown.len() {
            n if n > ACCOUNTS => counted(n, "account", "accounts"),
            _ => cost.unknown.keys().map(|account| view.account(*account)).collect::<Vec<_>>().join(", "),
        };
        text.push_str(&format!(", for {} of {all} new flow logs; unknown in {accounts}", cost.estimated));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use flowagg_core::arrival::Amount;
    use flowagg_core::failure::Failure;
    use flowagg_core::id::{AccountId, FlowLogId, Place, Region, ResourceId};
    use flowagg_core::names::Names;
    use flowagg_core::plan::{FlowLogChange, Step};

    use super::*;
    use crate::aws::mocked;
    use crate::show::Extent;

    fn place(account: u64) -> Place {
        let account = AccountId::parse(&format!("{account:012}")).unwrap();
        Place::new(account, &Region::parse("eu-west-1").unwrap())
    }

    /// Changes that create one flow log in each of the given number of accounts.
    fn changes(accounts: u64) -> Vec<FlowLogChange> {
        let vpc = ResourceId::parse("vpc-0123456789abcdef0").unwrap();
        (1..=accounts)
            .map(|account| FlowLogChange::new(place(account), vpc.clone(), Step::Create, ""))
            .collect()
    }

    /// The estimate for one new flow log in each account. Account 1 has a flow log that delivered this number of bytes yesterday.
    fn sentence(accounts: u64, delivered: u64) -> String {
        let log = FlowLogId::parse("fl-0123456789abcdef0").unwrap();
        let cost = NewFlowLogCost::estimate(
            &mocked::fleet(),
            &changes(accounts),
            &BTreeMap::from([(place(1), BTreeSet::from([log.clone()]))]),
            &BTreeMap::from([(log, Amount::new(1, delivered))]),
            &[],
        );
        of_new_flow_logs(&cost.unwrap(), View::of(&Names::default(), Extent::Brief))
    }

    #[test]
    fn estimate_states_which_new_flow_logs_it_covers() {
        assert_eq!(
            sentence(1, 1 << 30),
            "about USD 82.50 for delivery and USD 0.69 for storage a month (list prices of us-east-1 in 2025)"
        );
        assert_eq!(
            sentence(3, 1 << 30),
            "about USD 82.50 for delivery and USD 0.69 for storage a month (list prices of us-east-1 in 2025), \
             for 1 of 3 new flow logs; unknown in 000000000002, 000000000003"
        );
        assert_eq!(
            sentence(6, 1 << 30),
            "about USD 82.50 for delivery and USD 0.69 for storage a month (list prices of us-east-1 in 2025), \
             for 1 of 6 new flow logs; unknown in 5 accounts"
        );
    }

    #[test]
    fn unknown_cost_has_a_reason() {
        assert_eq!(
            sentence(2, 0),
            "unknown until flow logs of the same accounts have delivered for a whole day (UTC)"
        );
        let mut failure = Failure::new(place(1), "ListObjectsV2", "denied", "wait");
        failure.code = Some("AccessDenied".to_owned());
        let cost = NewFlowLogCost::unread(&mocked::fleet(), &changes(1), failure).unwrap();
        assert_eq!(
            of_new_flow_logs(&cost, View::of(&Names::default(), Extent::Brief)),
            "unknown, because the bucket could not be listed: ListObjectsV2: AccessDenied"
        );
    }
}
