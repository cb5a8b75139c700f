//! Numbers and states as people read them.

use flowagg_core::arrival::{Share, State, StateCounts, Verified};

/// A count, its thousands apart: `12,345`.
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

/// A count in up to five characters: `999`, `12.3k`, `4.5M`.
pub fn short(number: u64) -> String {
    scaled(number, 1000, &["", "k", "M", "G", "T", "P", "E"], "")
}

/// Bytes in the largest binary unit that leaves something before the point: `3.2 MiB`.
pub fn bytes(number: u64) -> String {
    scaled(number, 1024, &["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], " ")
}

/// In tenths of the unit, cut off and not rounded: 1,023.99 KiB is not 1,024.0 KiB.
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

/// An age, in its largest unit.
pub fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A number and its noun.
pub fn counted(number: usize, one: &str, more: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { more })
}

/// `9 of 10 (90 %)`; without the percentage if there is none.
pub fn share(share: Share) -> String {
    format!("{} {}", count(share.count as u64), of(share))
}

/// `of 10 (90 %)`, where the number itself has a place of its own.
pub fn of(Share { of, percent, .. }: Share) -> String {
    format!("of {}{}", count(of as u64), percent.map_or(String::new(), |percent| format!(" ({percent} %)")))
}

/// The state of an account or of an account-region; `none` if nothing is to be logged there.
pub fn state(state: Option<State>) -> &'static str {
    state.map_or("none", State::as_str)
}

/// The one character for a state, where a word has no room.
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

/// What a state means, in half a sentence.
pub fn meaning(state: Option<State>) -> &'static str {
    state.map_or("nothing to log", State::meaning)
}

/// Every state as a legend has them, at the end that there is none.
pub fn legend() -> impl Iterator<Item = Option<State>> {
    State::ALL.into_iter().map(Some).chain([None])
}

/// How many are in each of these states, as a list: `2 idle, 1 silent`.
pub fn states(counts: &StateCounts, of: impl Fn(State) -> bool) -> Vec<String> {
    let counts = counts.iter().filter(|(state, _)| of(*state));
    counts.map(|(state, number)| format!("{} {}", count(number as u64), state.as_str())).collect()
}

/// What the exit codes of `verify` and `report` say: whether everything could be read, and whether what should deliver does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// Whether everything could be read, but for what is accepted.
    pub is_read: bool,
    /// The flow logs by state, but for those that are accepted.
    pub flow_logs: StateCounts,
    /// How many flow logs are accepted by an exception.
    pub accepted: usize,
    /// How much that could not be read is accepted by an exception.
    pub accepted_failures: usize,
}

impl Outcome {
    /// Whether the exit code is 0.
    pub fn is_healthy(&self) -> bool {
        self.is_read && self.flow_logs.iter().all(|(state, _)| state.is_healthy())
    }

    /// A sentence without its period.
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
            (true, 0) => "there is nothing to log".to_owned(),
            (true, _) if unhealthy.is_empty() => format!("every flow log that should deliver does{accepted}"),
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
    fn the_verdict_says_what_was_not_read_or_does_not_deliver() {
        let outcome = |is_read, states: &[State]| Outcome {
            is_read,
            flow_logs: states.iter().copied().collect(),
            ..Outcome::default()
        };
        let verdict = |is_read, states| outcome(is_read, states).words();
        let healthy = [State::Delivering, State::Idle, State::Idle];
        assert_eq!(verdict(true, &healthy), "every flow log that should deliver does");
        assert_eq!(verdict(false, &healthy), "not everything could be read");
        assert_eq!(verdict(true, &[]), "there is nothing to log");
        let unhealthy = [State::Missing, State::Delivering, State::Silent, State::Missing];
        assert_eq!(verdict(true, &unhealthy), "not every flow log delivers: 1 silent, 2 missing");
        assert_eq!(verdict(false, &[State::Unknown]), "not everything could be read; 1 unknown");
        let accepted = Outcome { accepted: 2, accepted_failures: 1, ..outcome(true, &healthy) };
        assert_eq!(
            accepted.words(),
            "every flow log that should deliver does, except 2 with an exception; 1 error has an exception"
        );
        let all = Outcome { accepted: 2, ..outcome(true, &[]) };
        assert_eq!(all.words(), "every flow log that should deliver does, except 2 with an exception");
        let open = Outcome { accepted: 2, ..outcome(true, &[State::Silent]) };
        assert_eq!(open.words(), "not every flow log delivers: 1 silent");
    }

    #[test]
    fn numbers_read_as_people_write_them() {
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
    fn an_age_has_its_largest_unit() {
        for (seconds, text) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 days")]
        {
            assert_eq!(age(seconds), text);
        }
    }
}
