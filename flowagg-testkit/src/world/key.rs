use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use flowagg_core::id::KmsKeyArn;

use super::{World, WorldError};
use crate::aws::AwsError;

/// The hub's KMS keys.
impl World {
    /// Creates a KMS key and sets it as the bucket's encryption in the fleet file. It has the default key policy of
    /// KMS, which does not allow log delivery.
    pub async fn encrypt(&mut self) -> Result<KmsKeyArn, WorldError> {
        // S3 accepts only symmetric keys, which LocalStack cannot create on every machine. Only state and policy matter
        // here.
        let create =
            self.kms().create_key().key_spec(KeySpec::Rsa2048).key_usage(KeyUsageType::EncryptDecrypt);
        let made = create.send().await.map_err(AwsError::during("CreateKey", self.hub, self.hub_region()))?;
        let key = KmsKeyArn::parse(&made.key_metadata.and_then(|key| key.arn).unwrap_or_default())?;
        self.set("hub", &format!("encryption = \"{key}\""));
        Ok(key)
    }

    /// Adds a statement to the policy of a key, as its administrator would.
    pub async fn allow_on_key(
        &self,
        key: &KmsKeyArn,
        statement: serde_json::Value,
    ) -> Result<(), WorldError> {
        let mut policy: serde_json::Value =
            serde_json::from_str(&self.key_policy(key).await?).unwrap_or_default();
        if let Some(statements) = policy["Statement"].as_array_mut() {
            statements.push(statement);
        }
        self.set_key_policy(key, &policy.to_string()).await
    }

    /// Allows log delivery to use a key for any account, as its administrator would.
    pub async fn allow_delivery_on_key(&self, key: &KmsKeyArn) -> Result<(), WorldError> {
        let grant = serde_json::json!({
            "Effect": "Allow", "Principal": {"Service": "delivery.logs.amazonaws.com"},
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Resource": "*",
        });
        self.allow_on_key(key, grant).await
    }

    /// The policy of a key.
    pub async fn key_policy(&self, key: &KmsKeyArn) -> Result<String, WorldError> {
        let get = self.kms().get_key_policy().key_id(key.as_str()).policy_name(KmsKeyArn::POLICY_NAME);
        let read = get.send().await.map_err(AwsError::during("GetKeyPolicy", self.hub, self.hub_region()))?;
        Ok(read.policy.unwrap_or_default())
    }

    /// Replaces the policy of a key, as its administrator would.
    pub async fn set_key_policy(&self, key: &KmsKeyArn, policy: &str) -> Result<(), WorldError> {
        let put = self.kms().put_key_policy().key_id(key.as_str()).policy_name(KmsKeyArn::POLICY_NAME);
        let put = put.policy(policy).send().await;
        put.map_err(AwsError::during("PutKeyPolicy", self.hub, self.hub_region()))?;
        Ok(())
    }

    /// KMS client for the hub.
    pub fn kms(&self) -> aws_sdk_kms::Client {
        self.aws.kms(self.hub, self.hub_region())
    }
}
