//! The text of a plan.

use flowagg_core::plan::Step;

use super::value::Plan;

impl Plan {
    /// One-line summary: `5 changes to the hub, 12 flow logs to create`.
    pub fn summary(&self) -> String {
        let count =
            |wanted: fn(&Step) -> bool| self.flow_logs.iter().filter(|change| wanted(&change.step)).count();
        let hub = if self.hub.len() == 1 { "change to the hub" } else { "changes to the hub" };
        let parts: Vec<String> = [
            (self.hub.len(), hub),
            (count(|step| matches!(step, Step::Create)), "to create"),
            (count(|step| matches!(step, Step::Replace { .. })), "to replace"),
            (count(|step| matches!(step, Step::Tag { .. })), "to tag"),
            (count(|step| matches!(step, Step::Delete { .. })), "to delete"),
        ]
        .into_iter()
        .enumerate()
        .filter(|(_, (number, _))| *number > 0)
        .map(|(place, (number, what))| match place {
            0 => format!("{number} {what}"),
            _ => format!("{number} {} {what}", if number == 1 { "flow log" } else { "flow logs" }),
        })
        .collect();
        if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
    }
}
