//! Formatting of numbers and states for people.

use flowagg_core::arrival::{Share, State, StateCounts, Verified};

/// Formats a count with thousands separators: `12,345`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats a count in up to five characters: `999`, `12.3k`, `4.5M`.
pub fn short(number: u64) -> String {
    scaled(number, 1000, &["", "k", "M", "G", "T", "P", "E"], "")
}

/// Formats bytes in the largest binary unit in which the number is at least 1: `3.2 MiB`.
pub fn bytes(number: u64) -> String {
    scaled(number, 1024, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], " ")
}

/// Formats a number in tenths of its unit, truncated instead of rounded: 1,023.99 KiB must not become 1,024.0 KiB.
fn scaled(number: u64, step: u64, units: &[&str], gap: &str) -> String {
    let mut unit = 0;
    let mut size = 1_u64;
    while unit + 1 < units.len() && number / size >= step {
        size *= step;
        unit += 1;
    }
    if unit == 0 {
        return format!("{number}{gap}{}", units[0]);
    }
    let tenths = u128::from(number) * 10 / u128::from(size);
    format!("{}.{}{gap}{}", tenths / 10, tenths % 10, units[unit])
}

/// Formats an age in the largest suitable unit.
pub fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Formats a count with its noun: `1 account`, `2 accounts`.
pub fn counted(number: usize, one: &str, more: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { more })
}

/// Formats a share: `9 of 10 (90 %)`, without the percentage if it is unknown.
pub fn share(share: Share) -> String {
    format!("{} {}", count(share.count as u64), of(share))
}

/// Formats the second part of a share, `of 10 (90 %)`, if its number is printed elsewhere.
pub fn of(Share { of, percent, .. }: Share) -> String {
    format!("of {}{}", count(of as u64), percent.map_or(String::new(), |percent| format!(" ({percent} %)")))
}

/// The name of a state; `none` if there is nothing to log.
pub fn state(state: Option<State>) -> &'static str {
    state.map_or("none", State::as_str)
}

/// The single-character symbol of a state.
pub fn letter(state: Option<State>) -> char {
    match state {
        Some(State::Delivering) => 'D',
        Some(State::Waiting) => 'W',
        Some(State::Idle) => 'I',
        Some(State::Silent) => 'S',
        Some(State::Failing) => 'F',
        Some(State::Missing) => 'M',
        Some(State::Unknown) => 'U',
        None => '-',
    }
}

/// A short explanation of a state.
pub fn meaning(state: Option<State>) -> &'static str {
    state.map_or("nothing to log", State::meaning)
}

/// All states in the order of a legend; `None` comes last.
pub fn legend() -> impl Iterator<Item = Option<State>> {
    State::ALL.into_iter().map(Some).chain([None])
}

/// Counts by state, for the states that `of` selects: `2 idle`, `1 silent`.
pub fn states(counts: &StateCounts, of: impl Fn(State) -> bool) -> Vec<String> {
    let counts = counts.iter().filter(|(state, _)| of(*state));
    counts.map(|(state, number)| format!("{} {}", count(number as u64), state.as_str())).collect()
}

/// The outcome of `verify` or `report`, which determines the exit code: whether everything was read, and whether every flow log delivers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether everything was read, apart from accepted failures.
    pub is_read: bool,
    /// The flow logs by state, without accepted ones.
    pub flow_logs: StateCounts,
    /// The number of flow logs that an exception accepts.
    pub accepted: usize,
    /// The number of failed reads that an exception accepts.
    pub accepted_failures: usize,
}

impl Outcome {
    /// Whether the exit code is 0.
    pub fn is_healthy(&self) -> bool {
        self.is_read && self.flow_logs.iter().all(|(state, _)| state.is_healthy())
    }

    /// The outcome as a sentence without a period.
    pub fn words(&self) -> String {
        let unhealthy = states(&self.flow_logs, |state| !state.is_healthy());
        let list = unhealthy.join(", ");
        let accepted = match self.accepted {
            0 => String::new(),
            number => format!(", except {} with an exception", count(number as u64)),
        };
        let verdict = match (self.is_read, self.flow_logs.total() + self.accepted) {
            (false, _) if unhealthy.is_empty() => "not everything could be read".to_owned(),
            (false, _) => format!("not everything could be read; {list}"),
            (true, 0) if self.accepted_failures > 0 => "no flow log could be checked".to_owned(),
            (true, 0) => "nothing to log".to_owned(),
            (true, _) if unhealthy.is_empty() && self.flow_logs.of(State::Idle) > 0 => {
                format!("every flow log delivers or is idle{accepted}")
            }
            (true, _) if unhealthy.is_empty() => format!("every flow log delivers{accepted}"),
            (true, _) => format!("not every flow log delivers: {list}"),
        };
        match self.accepted_failures {
            0 => verdict,
            number => {
                let failures = counted(number, "error has", "errors have");
                format!("{verdict}; {failures} an exception")
            }
        }
    }
}

impl From<&Verified> for Outcome {
    fn from(verified: &Verified) -> Self {
        let accepted = verified.accepted();
        Self {
            is_read: verified.failures.is_empty(),
            flow_logs: verified.counts().without(&accepted),
            accepted: accepted.total(),
            accepted_failures: verified.accepted_failures.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_names_unread_and_undelivered_flow_logs() {
        let outcome = |is_read, states: &[State]| Outcome {
            is_read,
            flow_logs: states.iter().copied().collect(),
            ..Outcome::default()
        };
        let verdict = |is_read, states| outcome(is_read, states).words();
        let healthy = [State::Delivering, State::Idle, State::Idle];
        assert_eq!(verdict(true, &healthy), "every flow log delivers or is idle");
        assert_eq!(verdict(true, &[State::Delivering]), "every flow log delivers");
        assert_eq!(verdict(false, &healthy), "not everything could be read");
        assert_eq!(verdict(true, &[]), "nothing to log");
        let unhealthy = [State::Missing, State::Delivering, State::Silent, State::Missing];
        assert_eq!(verdict(true, &unhealthy), "not every flow log delivers: 1 silent, 2 missing");
        assert_eq!(verdict(false, &[State::Unknown]), "not everything could be read; 1 unknown");
        let accepted = Outcome { accepted: 2, accepted_failures: 1, ..outcome(true, &healthy) };
        assert_eq!(
            accepted.words(),
            "every flow log delivers or is idle, except 2 with an exception; 1 error has an exception"
        );
        let all = Outcome { accepted: 2, ..outcome(true, &[]) };
        assert_eq!(all.words(), "every flow log delivers, except 2 with an exception");
        let open = Outcome { accepted: 2, ..outcome(true, &[State::Silent]) };
        assert_eq!(open.words(), "not every flow log delivers: 1 silent");
    }

    #[test]
    fn numbers_have_separators_and_units() {
        for (number, whole, few, size) in [
            (0, "0", "0", "0 B"),
            (999, "999", "999", "999 B"),
            (1000, "1,000", "1.0k", "1000 B"),
            (1_048_575, "1,048,575", "1.0M", "1023.9 KiB"),
            (12_345_678, "12,345,678", "12.3M", "11.7 MiB"),
            (u64::MAX, "18,446,744,073,709,551,615", "18.4E", "15.9 EiB"),
        ] {
            assert_eq!(
                (count(number), short(number), bytes(number)),
                (whole.into(), few.into(), size.into())
            );
        }
    }

    #[test]
    fn age_uses_the_largest_unit() {
        for (seconds, text) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 days")]
        {
            assert_eq!(age(seconds), text);
        }
    }
}
