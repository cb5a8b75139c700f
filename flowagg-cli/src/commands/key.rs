//! Whether log delivery may use the key that the bucket is encrypted with.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Encryption, Fleet};
use flowagg_core::id::AccountId;
use flowagg_core::observed::{Failure, Key};
use flowagg_core::plan::{Concern, HubChange, Plan};
use flowagg_policy::key::{KeyUse, ask};

use super::plan::hub_failure;

/// What a plan tells of the key that the fleet file names.
pub(super) fn obstacle<'p>(fleet: &Fleet, plan: &'p Plan) -> Option<&'p Concern> {
    let Encryption::SseKms { key, .. } = &fleet.hub.encryption else { return None };
    plan.concerns.iter().find(|concern| concern.resource == key.as_str())
}

/// Has nothing done where the bucket would get a key that log delivery cannot use: no object would arrive any more.
pub(super) fn hold_back(fleet: &Fleet, mut plan: Plan) -> Plan {
    let is_to_be_set = plan.hub.iter().any(|change| matches!(change, HubChange::Encrypt { .. }));
    let Some(concern) = obstacle(fleet, &plan).filter(|_| is_to_be_set).cloned() else { return plan };
    plan.hub.clear();
    plan.flow_logs.clear();
    plan.concerns.retain(|other| *other != concern);
    let Concern { resource, what, help, .. } = concern;
    let message = format!("the bucket does not get this key: {what}");
    plan.failures.push(hub_failure(fleet, resource, message, help));
    plan
}

/// KMS's word for a key that can be used.
const ENABLED: &str = "Enabled";

/// Tells what stands in the way. A key policy is never written: it decides who may use the key for everything else, too.
pub(super) fn look(fleet: &Fleet, key: Option<&Result<Key, Failure>>, plan: &mut Plan) {
    let (Encryption::SseKms { key: arn, bucket_key }, Some(found)) = (&fleet.hub.encryption, key) else {
        return;
    };
    let within = fleet.members.values().filter(|member| member.in_organization).map(|member| member.account);
    let within: BTreeSet<AccountId> = within.collect();
    let mut tell = |what: String, help: String| {
        plan.concerns.push(Concern {
            account: fleet.hub.account,
            region: Some(fleet.hub.region.clone()),
            resource: arn.to_string(),
            what,
            help,
        });
    };
    let key = match found {
        Ok(key) => key,
        Err(failure) => {
            let code = failure.code.as_deref().unwrap_or("no answer");
            let what = format!("cannot be looked at: {}: {code}: {}", failure.call, failure.message);
            return tell(what, failure.help.clone());
        }
    };
    if key.is_aws_managed {
        return tell(
            "is managed by AWS: nobody can change its policy, and log delivery is not in it".to_owned(),
            "make a key of your own, and name its ARN in `hub.encryption`".to_owned(),
        );
    }
    if key.state != ENABLED {
        return tell(
            format!("is {}: nothing can be encrypted with it", key.state),
            "enable it, or name another in `hub.encryption`".to_owned(),
        );
    }
    let organization = fleet.organization.as_ref().map(|organization| (&organization.id, &within));
    let asked = KeyUse {
        key: arn,
        bucket: &fleet.hub.bucket,
        prefix: fleet.hub.prefix.as_ref(),
        bucket_key: Some(*bucket_key),
        accounts: &fleet.regions(),
        organization,
    };
    let answer = match ask(&key.policy, &asked) {
        Ok(answer) => answer,
        Err(error) => return tell(error.to_string(), error.help().to_owned()),
    };
    if let Some(first) = answer.refusals.first() {
        let more = match answer.refusals.len() {
            1 => String::new(),
            2 => " (and for 1 more account)".to_owned(),
            n => format!(" (and for {} more accounts)", n - 1),
        };
        let statement = answer.statement.map(|statement| format!("{statement}\n"));
        tell(
            format!("{first}{more}"),
            format!("{}{}", statement.unwrap_or_default(), answer.help.join("; ")),
        );
    }
}
