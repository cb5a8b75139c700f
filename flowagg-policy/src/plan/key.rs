//! Whether log delivery may use the KMS key of the hub bucket. A key policy is never written: it also decides who may use the
//! key for everything else.

use std::collections::BTreeSet;

use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Encryption, Fleet};
use flowagg_core::id::AccountId;
use flowagg_core::observed::Key;
use flowagg_core::plan::{Concern, Subject};

use super::value::at_hub;
use crate::key::{KeyUse, ask};

/// KMS's word for a key that can be used.
const ENABLED: &str = "Enabled";

/// What keeps log delivery from using the key; `None` if nothing does, or if S3 manages the keys.
pub(super) fn concern(fleet: &Fleet, key: Option<&Result<Key, Failure>>) -> Option<Concern> {
    let (Encryption::SseKms { key: arn, bucket_key }, Some(found)) = (&fleet.hub.encryption, key) else {
        return None;
    };
    let concern = |what: String, help: String| Some(at_hub(fleet, Subject::Key, arn.to_string(), what, help));
    let key = match found {
        Ok(key) => key,
        Err(failure) => {
            let code = failure.code.as_deref().unwrap_or("no answer");
            let what = format!("cannot be looked at: {}: {code}: {}", failure.call, failure.message);
            return concern(what, failure.help());
        }
    };
    if key.is_aws_managed {
        return concern(
            "is managed by AWS: nobody can change its policy, and log delivery is not in it".to_owned(),
            "make a key of your own, and name its ARN in `hub.encryption`".to_owned(),
        );
    }
    if key.state != ENABLED {
        return concern(
            format!("is {}: nothing can be encrypted with it", key.state),
            "enable it, or name another in `hub.encryption`".to_owned(),
        );
    }
    let within = fleet.members.values().filter(|member| member.in_organization).map(|member| member.account);
    let within: BTreeSet<AccountId> = within.collect();
    let asked = KeyUse {
        key: arn,
        bucket: &fleet.hub.bucket,
        prefix: fleet.hub.prefix.as_ref(),
        bucket_key: Some(*bucket_key),
        accounts: &fleet.regions(),
        organization: fleet.organization.as_ref().map(|organization| (&organization.id, &within)),
    };
    let answer = match ask(&key.policy, &asked) {
        Ok(answer) => answer,
        Err(error) => return concern(error.to_string(), error.help().to_owned()),
    };
    let first = answer.refusals.first()?;
    let more = match answer.refusals.len() {
        1 => String::new(),
        2 => " (and for 1 more account)".to_owned(),
        n => format!(" (and for {} more accounts)", n - 1),
    };
    let statement = answer.statement.map(|statement| format!("{statement}\n"));
    concern(format!("{first}{more}"), format!("{}{}", statement.unwrap_or_default(), answer.help.join("; ")))
}
