use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Object, Patience};
use crate::failure::Failure;
use crate::observed::FlowLog;

/// Whether a flow log delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its newest object is recent enough.
    Delivering,
    /// It was created recently and has not delivered anything yet.
    Waiting,
    /// It has nothing to deliver: no network interface is in use, or no transit gateway attachment is available.
    Idle,
    /// It has no objects, or its newest object is too old, although its resource is in use.
    Silent,
    /// EC2 reports that its delivery fails.
    Failing,
    /// The resource has no flow log.
    Missing,
    /// It could not be read.
    Unknown,
}

impl State {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Delivering,
        Self::Waiting,
        Self::Idle,
        Self::Silent,
        Self::Failing,
        Self::Missing,
        Self::Unknown,
    ];

    /// All states, the worst first.
    pub const WORST_FIRST: [Self; 7] = [
        Self::Unknown,
        Self::Failing,
        Self::Missing,
        Self::Silent,
        Self::Waiting,
        Self::Delivering,
        Self::Idle,
    ];

    /// Whether it requires no action.
    pub fn is_healthy(self) -> bool {
        matches!(self, Self::Delivering | Self::Idle)
    }

    /// The name in output and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivering => "delivering",
            Self::Waiting => "waiting",
            Self::Idle => "idle",
            Self::Silent => "silent",
            Self::Failing => "failing",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }

    /// A short explanation.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Delivering => "the newest object is recent",
            Self::Waiting => "new, no objects yet",
            Self::Idle => "not in use, so nothing to deliver",
            Self::Silent => "in use, but no objects arrive",
            Self::Failing => "AWS reports a delivery error",
            Self::Missing => "no flow log",
            Self::Unknown => "could not be read",
        }
    }
}

/// The state of a flow log at `now`: `Failing` if EC2 reports that its delivery fails, otherwise by the age of its newest object, or
/// of the flow log itself if it has none. `in_use` is whether its resource is in use, `None` if that was not read. It
/// only matters if the flow log would otherwise be silent.
pub fn judge(
    log: Option<&FlowLog>,
    newest: Option<&Object>,
    in_use: Option<Result<bool, &Failure>>,
    now: Timestamp,
    patience: Patience,
) -> State {
    let Some(log) = log else { return State::Missing };
    if log.deliver_status.as_deref() == Some("FAILED") {
        return State::Failing;
    }
    let age = newest.map(|object| now.duration_since(object.stored));
    let is_new = log.created.is_some_and(|created| now.duration_since(created) < patience.grace);
    match (age, in_use) {
        (Some(age), _) if age <= patience.fresh => State::Delivering,
        (None, _) if is_new => State::Waiting,
        (_, Some(Ok(false))) => State::Idle,
        (_, Some(Err(_))) => State::Unknown,
        (_, Some(Ok(true)) | None) => State::Silent,
    }
}

/// The number of flow logs in each state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateCounts(BTreeMap<State, usize>);

impl StateCounts {
    /// Adds one in this state.
    pub fn count(&mut self, state: State) {
        *self.0.entry(state).or_default() += 1;
    }

    /// The number in this state.
    pub fn of(&self, state: State) -> usize {
        self.0.get(&state).copied().unwrap_or(0)
    }

    /// The difference from other counts.
    pub fn without(&self, others: &Self) -> Self {
        let rest = self.0.iter().map(|(state, number)| (*state, number.saturating_sub(others.of(*state))));
        Self(rest.filter(|(_, number)| *number > 0).collect())
    }

    /// The total number.
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// The worst state with a nonzero count; `None` if the total is zero.
    pub fn worst(&self) -> Option<State> {
        State::WORST_FIRST.into_iter().find(|state| self.of(*state) > 0)
    }

    /// The states with a nonzero count.
    pub fn iter(&self) -> impl Iterator<Item = (State, usize)> {
        self.0.iter().map(|(state, number)| (*state, *number))
    }
}

impl FromIterator<State> for StateCounts {
    fn from_iter<I: IntoIterator<Item = State>>(states: I) -> Self {
        let mut counts = Self::default();
        states.into_iter().for_each(|state| counts.count(state));
        counts
    }
}

/// All states, including those with a zero count.
impl Serialize for StateCounts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(State::ALL.map(|state| (state, self.of(state))))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for StateCounts {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "StateCounts".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let number = |state: State| {
            let number =
                serde_json::json!({ "description": state.meaning(), "type": "integer", "minimum": 0 });
            (state.as_str().to_owned(), number)
        };
        let properties: serde_json::Map<_, _> = State::ALL.into_iter().map(number).collect();
        let required = State::ALL.map(State::as_str);
        schemars::json_schema!({ "type": "object", "properties": properties, "required": required })
    }
}
