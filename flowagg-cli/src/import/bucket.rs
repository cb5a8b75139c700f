use flowagg_core::fleet::{Encryption, Hub, Part};
use flowagg_core::id::{FleetName, KmsKeyArn, Prefix};
use flowagg_core::layout;
use flowagg_core::lifecycle::{FleetRule, Lifecycle, Move, Retention, Rule, StorageClass, Transition};

use super::Remarks;
use crate::found::FoundHub;

/// Reads the settings of the bucket.
pub(super) fn read(
    found: &FoundHub,
    prefix: Option<Prefix>,
    fleet: &FleetName,
    remarks: &mut Remarks,
) -> Hub {
    let root = layout::root(prefix.as_ref());
    report_unused(found, &root, remarks);
    let mut hub = Hub::new(found.account, found.region.clone(), found.bucket.clone());
    hub.prefix = prefix;
    hub.lifecycle = lifecycle(found, &root, fleet, remarks);
    hub.encryption = encryption(found, remarks);
    hub
}

/// Reports the lifecycle rules that do not apply to the fleet's objects.
fn report_unused(found: &FoundHub, root: &str, remarks: &mut Remarks) {
    for rule in found.rules.iter().flatten() {
        let why = if !rule.is_enabled {
            "it is disabled"
        } else if !root.starts_with(&rule.prefix) && !rule.prefix.starts_with(root) {
            "it applies to other objects"
        } else {
            continue;
        };
        remarks.add(Part::Hub, format!("{} is ignored because {why}, and is kept", words(rule)));
    }
}

/// The encryption to declare; `None` keeps the bucket's encryption.
fn encryption(found: &FoundHub, remarks: &mut Remarks) -> Option<Encryption> {
    let is = found.encryption.as_ref()?;
    let key = is.key.as_ref().map(|key| KmsKeyArn::parse(key).map_err(|error| error.to_string()));
    match (is.algorithm.as_str(), key) {
        ("AES256", _) => None,
        ("aws:kms", Some(Ok(key))) if *key.region() == found.region => {
            Some(Encryption::SseKms { key, bucket_key: is.bucket_key })
        }
        (algorithm, key) => {
            let with = match key {
                Some(Ok(key)) => format!(" with `{key}`"),
                Some(Err(error)) => format!(": {error}"),
                None => " with the AWS managed key, which log delivery cannot use".to_owned(),
            };
            remarks.add(
                Part::Hub,
                format!(
                    "the bucket is encrypted with `{algorithm}`{with}; `encryption` cannot express this and is omitted, which keeps it"
                ),
            );
            None
        }
    }
}

/// The lifecycle from the fleet's rule, or else from the foreign rule that expires flow logs. Without a rule, flow logs are kept forever.
fn lifecycle(found: &FoundHub, root: &str, fleet: &FleetName, remarks: &mut Remarks) -> Lifecycle {
    let Some(rules) = &found.rules else { return Lifecycle::default() };
    let own = FleetRule::id(fleet, root);
    let reaches =
        |rule: &&Rule| rule.is_enabled && (root.starts_with(&rule.prefix) || rule.prefix.starts_with(root));
    let is_own = |rule: &Rule| rule.is_of(fleet) && rule.prefix.starts_with(root);
    let (ours, others): (Vec<&Rule>, Vec<&Rule>) =
        rules.iter().filter(reaches).partition(|rule| is_own(rule));
    let of_all = |rule: &&&Rule| root.starts_with(&rule.prefix) && !rule.is_narrowed;
    let expires = others.iter().filter(of_all).filter(|rule| rule.expire_days().is_some());
    let model = ours.first().or_else(|| expires.min_by_key(|rule| rule.expire_days())).copied();
    for rule in others {
        let taken = if model == Some(rule) { "its days are used, and it" } else { "it" };
        let text = format!("{} is foreign: {taken} is kept next to `{own}`", words(rule));
        remarks.add(Part::Hub, text);
    }
    let Some(rule) = model else {
        let text = "flow logs do not expire; to expire them, set `retention-days` to a number of days";
        remarks.add(Part::Hub, text.to_owned());
        let mut lifecycle = Lifecycle::default();
        lifecycle.retention = Retention::Forever;
        return lifecycle;
    };
    let default = Lifecycle::default();
    if rule.abort_uploads_days.is_none() {
        let days = Lifecycle::DEFAULT_ABORT_UPLOADS_DAYS;
        remarks.add(
            Part::Hub,
            format!(
                "{} does not abort incomplete uploads; `apply` adds a rule that aborts them after {days} days",
                words(rule)
            ),
        );
    }
    // The default expiry of the fleet's own rule does not need a key.
    let retention = match rule.expire_days() {
        None => Retention::Forever,
        Some(Lifecycle::DEFAULT_RETENTION_DAYS) if is_own(rule) => Retention::Unset,
        Some(days) => Retention::Days(days),
    };
    let mut lifecycle = Lifecycle::default();
    lifecycle.retention = retention;
    lifecycle.transition = transition(rule, retention, remarks);
    lifecycle.noncurrent_days = rule.noncurrent_days;
    lifecycle.abort_uploads_days = rule.abort_uploads_days.or(default.abort_uploads_days);
    lifecycle
}

fn transition(rule: &Rule, retention: Retention, remarks: &mut Remarks) -> Option<Transition> {
    let can_be_said = |it: &&Transition| {
        let class = StorageClass::ALL.into_iter().find(|class| class.as_str() == it.storage_class);
        class.is_some_and(|class| class.fewest_days() <= it.days)
            && retention.in_new_bucket().is_none_or(|expiry| it.days < expiry)
    };
    // A transition on a date has no days.
    let moves: Vec<Transition> = rule.transitions.iter().filter_map(in_days).collect();
    let said = moves.iter().find(can_be_said);
    for it in moves.iter().filter(|it| Some(*it) != said) {
        let text = format!(
            "{} also moves objects to {} after {} days; a fleet file supports only one transition",
            words(rule),
            it.storage_class,
            it.days
        );
        remarks.add(Part::Hub, text);
    }
    said.cloned()
}

fn in_days(it: &Move) -> Option<Transition> {
    Some(Transition::new(it.days?, it.storage_class.clone()))
}

fn words(rule: &Rule) -> String {
    let under =
        if rule.prefix.is_empty() { "the whole bucket".to_owned() } else { format!("`{}`", rule.prefix) };
    let what = match rule.expire_days() {
        Some(days) => format!(", which expires objects after {days} days,"),
        None => String::new(),
    };
    format!("the lifecycle rule `{}` for {under}{what}", rule.id.as_deref().unwrap_or_default())
}
