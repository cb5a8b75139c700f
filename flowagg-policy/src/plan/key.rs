//! Checks whether log delivery may use the KMS key of the hub bucket. Key policies are never written, because they also
//! control all other use of the key.

use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::observed::{BucketEncryption, Key, Scope};
use flowagg_core::plan::{Concern, EncryptionInUse, Note, Subject, encryption_in_use};

use super::value::at_hub;
use crate::assure::and_more;
use crate::grant::Grant;
use crate::key::{KeyUse, ask};

/// The KMS state of a usable key.
const ENABLED: &str = "Enabled";

/// The result of the check.
pub(super) enum KeyFinding {
    /// Log delivery cannot use the key.
    Certain(Concern),
    /// Whether log delivery can use the key is unknown.
    Undecided(Note),
}

/// Returns the reason why log delivery cannot, or might not be able to, use the key that encrypts deliveries, whether
/// the fleet file sets it or it is kept. `None` if there is no such reason, or if S3 manages the keys.
pub(super) fn finding(
    fleet: &Fleet,
    grant: &Grant,
    encryption: Option<&BucketEncryption>,
    key: Option<&Result<Key, Failure>>,
    scope: &Scope,
) -> Option<KeyFinding> {
    let mut accounts = fleet.regions();
    accounts.retain(|account, _| scope.selects(*account));
    let certain = |concern| Some(KeyFinding::Certain(concern));
    let bucket = &fleet.hub.bucket;
    let (arn, bucket_key) = match encryption_in_use(&fleet.hub, encryption) {
        EncryptionInUse::SseS3 => return None,
        EncryptionInUse::Key { arn, bucket_key } => (arn, bucket_key),
        EncryptionInUse::AwsManaged => {
            return certain(at_hub(
                fleet,
                Subject::Key,
                format!("the default encryption of {bucket}"),
                "uses the AWS managed key `aws/s3`: its key policy cannot allow log delivery, so deliveries from other accounts fail"
                    .to_owned(),
                "set `hub.encryption` to \"sse-s3\" or to the ARN of a customer managed key".to_owned(),
            ));
        }
        EncryptionInUse::NotArn { key } => {
            return certain(at_hub(
                fleet,
                Subject::Key,
                format!("the default encryption of {bucket}"),
                format!(
                    "names the key `{key}`, which is not a key ARN: AWS reports such a bucket as an undeliverable log \
                     destination"
                ),
                format!(
                    "set `hub.encryption` to the key ARN; to get it, run `aws kms describe-key --key-id {key} --region {} --query \
                     KeyMetadata.Arn`",
                    fleet.hub.region
                ),
            ));
        }
    };
    let about = |what: String, help: String| at_hub(fleet, Subject::Key, arn.to_string(), what, help);
    let concern = |what, help| certain(about(what, help));
    let key = match key? {
        Ok(key) => key,
        Err(failure) => {
            let code = failure.code.as_deref().unwrap_or("no response");
            let what = format!("cannot be read: {}: {code}: {}", failure.call, failure.message);
            return concern(what, failure.help());
        }
    };
    if key.is_aws_managed {
        return concern(
            "is managed by AWS: its policy does not allow log delivery and cannot be changed".to_owned(),
            "create a customer managed key, and set `hub.encryption` to its ARN".to_owned(),
        );
    }
    if key.state != ENABLED {
        return concern(
            format!("is {}, so it cannot encrypt objects", key.state),
            "enable the key, or set `hub.encryption` to another key".to_owned(),
        );
    }
    let asked = KeyUse {
        key: &arn,
        bucket: &fleet.hub.bucket,
        layout: &grant.layout(),
        bucket_key: Some(bucket_key),
        accounts: &accounts,
        memberships: &grant.memberships,
        owner: grant.owner.as_ref(),
    };
    let answer = match ask(&key.policy, &asked) {
        Ok(answer) => answer,
        Err(error) => return concern(error.to_string(), error.help().to_owned()),
    };
    let Some(first) = answer.refusals.first() else {
        let first = answer.undecided.first()?;
        let what = format!("{first}{}", and_more(answer.undecided.len()));
        return Some(KeyFinding::Undecided(Note::Undecided { about: Subject::Key, what }));
    };
    let statement = answer.statement.map(|statement| format!("{statement}\n"));
    concern(
        format!("{first}{}", and_more(answer.refusals.len())),
        format!("{}{}", statement.unwrap_or_default(), answer.help.join("; ")),
    )
}
