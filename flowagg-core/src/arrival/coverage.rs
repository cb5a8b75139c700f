use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FlowLogDelivery, State};

/// How much of what is to be logged is logged, and how much of that delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Coverage {
    /// Resources with a flow log, of those that are to be logged.
    pub resources: Share,
    /// Flow logs that deliver, of those that should: all but the idle ones, the missing ones among them.
    pub flow_logs: Share,
    /// Flow logs that are idle.
    pub idle: usize,
    /// Account-regions that could not be read. What is in them is in no other number.
    pub unread: usize,
}

impl Coverage {
    /// Of these flow logs, in all account-regions except `unread` that could not be read.
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
