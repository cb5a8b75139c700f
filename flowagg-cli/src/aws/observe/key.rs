//! The KMS key of the hub bucket: its manager, state and policy.

use aws_sdk_kms::types::{KeyManagerType, KeyMetadata};
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Hub;
use flowagg_core::id::KmsKeyArn;
use flowagg_core::observed::{BucketEncryption, Key};
use flowagg_core::plan::{EncryptionInUse, encryption_in_use};

use crate::aws::Account;
use crate::aws::call::{DESCRIBE_KEY, GET_KEY_POLICY};
use crate::aws::complete::Incomplete;
use crate::aws::failure::At;

/// Reads the key that encrypts deliveries: the fleet file's, otherwise the bucket's. `None` if S3 manages the keys, or if the bucket
/// does not specify the key by its ARN.
pub(super) async fn read(
    hub: &Hub,
    encryption: Option<&BucketEncryption>,
    account: &Account,
) -> Option<Result<Key, Failure>> {
    match encryption_in_use(hub, encryption) {
        EncryptionInUse::Key { arn, .. } => Some(look(hub, account, arn.as_str()).await),
        EncryptionInUse::SseS3 | EncryptionInUse::AwsManaged | EncryptionInUse::NotArn { .. } => None,
    }
}

async fn look(hub: &Hub, account: &Account, arn: &str) -> Result<Key, Failure> {
    let at = At::new(hub.place()).about(arn);
    let kms = account.kms(&hub.region);
    let (described, policy) = futures::join!(
        kms.describe_key().key_id(arn).send(),
        kms.get_key_policy().key_id(arn).policy_name(KmsKeyArn::POLICY_NAME).send(),
    );
    let described = described.map_err(|error| at.failure(DESCRIBE_KEY, &error))?;
    let (is_aws_managed, state) =
        described_as(described.key_metadata()).map_err(|why| at.incomplete(DESCRIBE_KEY, &why))?;
    let policy = if is_aws_managed {
        String::new()
    } else {
        let policy = policy.map_err(|error| at.failure(GET_KEY_POLICY, &error))?.policy;
        policy.ok_or_else(|| at.incomplete(GET_KEY_POLICY, &Incomplete::Missing("the key policy")))?
    };
    let mut key = Key::new(policy);
    key.is_aws_managed = is_aws_managed;
    key.state = state;
    Ok(key)
}

/// Whether AWS manages the key, and the key's state.
fn described_as(metadata: Option<&KeyMetadata>) -> Result<(bool, String), Incomplete> {
    let state = metadata.and_then(|it| it.key_state()).ok_or(Incomplete::Missing("the state of the key"))?;
    let manager = metadata.and_then(|it| it.key_manager());
    Ok((manager == Some(&KeyManagerType::Aws), state.as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_kms::types::KeyState;

    use super::*;

    #[test]
    fn key_without_a_state_is_incomplete() {
        let key = || KeyMetadata::builder().key_id("1");
        let enabled = key().key_state(KeyState::Enabled).build().unwrap();
        assert_eq!(described_as(Some(&enabled)), Ok((false, "Enabled".to_owned())));
        let missing = Err(Incomplete::Missing("the state of the key"));
        for metadata in [None, Some(&key().build().unwrap())] {
            assert_eq!(described_as(metadata), missing);
        }
    }
}
