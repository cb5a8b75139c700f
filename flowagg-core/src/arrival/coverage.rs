use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FlowLogDelivery, State};

/// The share of selected resources that are logged, and of flow logs that deliver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Coverage {
    /// Resources with a flow log, of all selected resources.
    pub resources: Share,
    /// Flow logs that deliver, of those that should: all flow logs, including missing ones, except idle ones.
    pub flow_logs: Share,
    /// Flow logs that are idle.
    pub idle: usize,
    /// Account-regions that could not be read. Their resources are not included in the other numbers.
    pub unread: usize,
}

impl Coverage {
    /// The coverage of these flow logs. `unread` is the number of account-regions that could not be read.
    pub(super) fn new(flow_logs: &[FlowLogDelivery], unread: usize) -> Self {
        let resources = flow_logs.iter().map(|it| ((&it.place, &it.resource), it.flow_log.is_some()));
        let resources: BTreeMap<_, bool> = resources.collect();
        let logged = resources.values().filter(|is_logged| **is_logged).count();
        let in_state = |state| flow_logs.iter().filter(|it| it.state == state).count();
        let idle = in_state(State::Idle);
        let share = |count, of| {
            let all = Share::new(count, of);
            Share { percent: all.percent.filter(|_| unread == 0), ..all }
        };
        Self {
            resources: share(logged, resources.len()),
            flow_logs: share(in_state(State::Delivering), flow_logs.len() - idle),
            idle,
            unread,
        }
    }
}

/// A part of a total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Share {
    /// The part.
    pub count: usize,
    /// The total.
    pub of: usize,
    /// The percentage, rounded down: 100 only if nothing is missing. `None` if the total is 0 or something could not be read.
    pub percent: Option<usize>,
}

impl Share {
    /// A part of a total that was read completely.
    pub fn new(count: usize, of: usize) -> Self {
        Self { count, of, percent: (count * 100).checked_div(of) }
    }
}
