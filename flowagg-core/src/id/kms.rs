use super::{AccountId, IdError, Partition, Region, kept_text};

/// The ARN of a KMS key: `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
///
/// Flow log delivery requires the ARN of a key: with a key ID the destination is "undeliverable", and an alias is looked up in
/// the account that writes. Source: "Required key policy for use with SSE-KMS" (Amazon VPC User Guide).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KmsKeyArn(String, AccountId, Region);

impl KmsKeyArn {
    /// The name of a key's only policy.
    ///
    /// Source: "GetKeyPolicy" (AWS KMS API Reference).
    pub const POLICY_NAME: &str = "default";

    /// Parses the ARN of a key. The ARN of an alias is an error.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use the full ARN of a customer managed key, e.g. `arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab`";
        let wrong = |why: String| IdError::new(text, "KMS key ARN", why, HELP);
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "kms", region, account, resource] = parts[..] else {
            let why =
                if text.contains("alias/") { "it names an alias" } else { "it is not an ARN of AWS KMS" };
            return Err(wrong(why.into()));
        };
        let region = Region::parse(region).map_err(|error| wrong(error.to_string()))?;
        let account = AccountId::parse(account).map_err(|error| wrong(error.to_string()))?;
        if Partition::parse(partition).ok() != Some(region.partition()) {
            return Err(wrong(format!("`{region}` is not in the partition `{partition}`")));
        }
        match resource.strip_prefix("key/") {
            Some(id) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
                Ok(Self(text.to_owned(), account, region))
            }
            _ if resource.starts_with("alias/") => Err(wrong("it names an alias".into())),
            _ => Err(wrong("it must end with `key/` and a key ID".into())),
        }
    }

    /// The account that owns the key.
    pub fn account(&self) -> AccountId {
        self.1
    }

    /// The region of the key, which must be the region of the bucket.
    pub fn region(&self) -> &Region {
        &self.2
    }
}

kept_text!(KmsKeyArn);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_key_arns_are_accepted() {
        let good = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let key = KmsKeyArn::parse(good).unwrap();
        assert_eq!(
            (key.account().to_string(), key.region().as_str()),
            ("111122223333".to_owned(), "eu-west-1")
        );
        assert!(KmsKeyArn::parse("arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1234abcd").is_ok());
        for bad in [
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "alias/aws/s3",
            "arn:aws:kms:eu-west-1:111122223333:alias/logs",
            "arn:aws:kms:eu-west-1:1111:key/1234abcd",
            "arn:aws:kms:cn-north-1:111122223333:key/1234abcd",
            "arn:aws:s3:::bucket",
            "arn:aws:kms:eu-west-1:111122223333:key/",
        ] {
            assert!(KmsKeyArn::parse(bad).is_err(), "{bad}");
        }
    }
}
