//! The KMS key of the hub bucket: who manages it, whether it is on, and its policy.

use aws_sdk_kms::types::KeyManagerType;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Hub;
use flowagg_core::id::KmsKeyArn;
use flowagg_core::observed::{BucketEncryption, Key};
use flowagg_core::plan::{EncryptionInUse, encryption_in_use};

use crate::aws::Account;
use crate::aws::call::{DESCRIBE_KEY, GET_KEY_POLICY};
use crate::aws::failure::At;

/// The key that deliveries are encrypted with: the fleet file's, or else the bucket's. `None` if S3 manages the keys, or if the
/// bucket does not name the key by its ARN.
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
    let at = At::new(hub.account, &hub.region).about(arn);
    let kms = account.kms(&hub.region);
    let (described, policy) = futures::join!(
        kms.describe_key().key_id(arn).send(),
        kms.get_key_policy().key_id(arn).policy_name(KmsKeyArn::POLICY_NAME).send(),
    );
    let described = described.map_err(|error| at.failure(DESCRIBE_KEY, &error))?;
    let metadata = described.key_metadata();
    let is_aws_managed = metadata.and_then(|it| it.key_manager()) == Some(&KeyManagerType::Aws);
    let state = metadata.and_then(|it| it.key_state()).map_or("Enabled", |state| state.as_str()).to_owned();
    if is_aws_managed {
        return Ok(Key { is_aws_managed, state, policy: String::new() });
    }
    let policy = policy.map_err(|error| at.failure(GET_KEY_POLICY, &error))?.policy.unwrap_or_default();
    Ok(Key { is_aws_managed, state, policy })
}
