use crate::fleet::table::{Table, Value};
use crate::fleet::{Encryption, Hub, ObjectOwnership};
use crate::id::{AccountId, BucketName, KmsKeyArn, Prefix, Region};
use crate::lifecycle::{Lifecycle, Retention, StorageClass, Transition};

/// Source: "LifecycleExpiration" (Amazon S3 API Reference): a 32-bit number.
const MOST_DAYS: u32 = i32::MAX.unsigned_abs();
/// The value of `encryption` for keys that S3 manages.
const SSE_S3: &str = "sse-s3";

pub(super) fn read(table: Table<'_, '_>) -> Option<Hub> {
    let account = table
        .needed("account", "add the ID of the account that owns the bucket")
        .and_then(|v| v.name::<AccountId>());
    let region = table
        .needed("region", "add the region of the bucket, e.g. `region = \"eu-west-1\"`")
        .and_then(|v| v.name::<Region>());
    let named = table.needed("bucket", "add the name of the bucket; flowagg creates it if it does not exist");
    let bucket = named.as_ref().and_then(|v| v.name::<BucketName>());
    let prefix = table.get("prefix").and_then(|v| v.name::<Prefix>());
    let lifecycle = lifecycle(&table);
    let encryption = encryption(&table, region.as_ref());
    let object_ownership =
        table.get("object-ownership").and_then(|v| v.one_of(&ObjectOwnership::ALL, ObjectOwnership::as_str));
    let profile = table.get("profile").and_then(|v| v.words().map(str::to_owned));
    let role = table.get("role").and_then(|v| v.name());
    table.refuse_unknown();
    if let (Some(value), Some(bucket), Some(account), Some(region)) = (&named, &bucket, account, &region) {
        let suffix = BucketName::account_regional_suffix(account, region);
        if bucket.is_account_regional() && !bucket.as_str().ends_with(&suffix) {
            value.fault(
                format!("`{bucket}` has the suffix of an account regional namespace, but not the one of this account and region"),
                format!("use the suffix `{suffix}`, or a name that does not end with `-an`"),
            );
        }
    }
    Some(Hub {
        account: account?,
        region: region?,
        bucket: bucket?,
        prefix,
        lifecycle,
        encryption,
        object_ownership,
        profile,
        role,
    })
}

fn lifecycle(table: &Table<'_, '_>) -> Lifecycle {
    let days = |key| table.get(key).and_then(|v| v.count(MOST_DAYS));
    let absent = Lifecycle::default();
    let retention = table.get("retention-days").and_then(|value| retention(&value)).unwrap_or_default();
    Lifecycle {
        retention,
        transition: table.get("transition").and_then(|value| transition(value, retention)),
        noncurrent_days: days("noncurrent-days"),
        abort_uploads_days: days("abort-uploads-days").or(absent.abort_uploads_days),
    }
}

/// A number of days, or `"forever"`.
fn retention(value: &Value<'_, '_>) -> Option<Retention> {
    if value.is_string() && !value.is_number_in_quotes() {
        let forever = [Retention::Forever];
        return value.one_of(&forever, |_| Retention::FOREVER);
    }
    value.count(MOST_DAYS).map(Retention::Days)
}

fn transition(value: Value<'_, '_>, retention: Retention) -> Option<Transition> {
    const HELP: &str = "set both keys, e.g. `transition = { days = 30, storage-class = \"STANDARD_IA\" }`";
    let table = value.table()?;
    let days = table.needed("days", HELP);
    let class = table.needed("storage-class", HELP);
    let class = class.and_then(|v| v.one_of(&StorageClass::ALL, StorageClass::as_str));
    let count = days.as_ref().and_then(|v| v.number(0, MOST_DAYS));
    table.refuse_unknown();
    let (days, count, class) = (days?, count?, class?);
    let fewest = class.fewest_days();
    if count < fewest {
        let what =
            format!("objects must be at least {fewest} days old before S3 moves them to {}", class.as_str());
        days.fault(what, format!("set `days` to {fewest} or more"));
    }
    if let Some(expiry) = retention.in_new_bucket().filter(|expiry| count >= *expiry) {
        let what =
            format!("the transition (after {count} days) must precede the expiration (after {expiry} days)");
        days.fault(what, "increase `retention-days`, or decrease `days`");
    }
    Some(Transition { days: count, storage_class: class.as_str().to_owned() })
}

/// `None` if it is not set or invalid.
fn encryption(table: &Table<'_, '_>, hub: Option<&Region>) -> Option<Encryption> {
    let bucket_key = table.get("bucket-key");
    let wanted = bucket_key.as_ref().and_then(Value::boolean);
    let written = table.get("encryption");
    let is_sse_s3 = written.as_ref().is_some_and(|value| value.is_text(SSE_S3));
    if let Some(bucket_key) = bucket_key.filter(|_| is_sse_s3 || written.is_none()) {
        let help = "set `encryption` to the ARN of a KMS key, or remove `bucket-key`";
        bucket_key.fault("`bucket-key` requires a KMS key", help);
    }
    if is_sse_s3 {
        return Some(Encryption::SseS3);
    }
    let key = key(&written?, hub)?;
    Some(Encryption::SseKms { key, bucket_key: wanted.unwrap_or(true) })
}

fn key(value: &Value<'_, '_>, hub: Option<&Region>) -> Option<KmsKeyArn> {
    const AWS_MANAGED: &str = "use `sse-s3` or the ARN of a customer managed key: the policy of the AWS managed key `aws/s3` does \
         not allow log delivery and cannot be changed";
    let text = value.text()?;
    if text == "sse-kms" || text == "aws:kms" || text.ends_with("alias/aws/s3") {
        value.fault(format!("`hub.encryption`: unsupported value `{}`", text.escape_debug()), AWS_MANAGED);
        return None;
    }
    let key: KmsKeyArn = match text.parse() {
        Ok(key) => key,
        Err(error) => {
            value.fault(format!("`hub.encryption`: {error}"), format!("use `sse-s3`, or {}", error.help()));
            return None;
        }
    };
    if let Some(hub) = hub.filter(|hub| *hub != key.region()) {
        value.fault(
            format!("the key is in `{}`, but the bucket is in `{hub}`", key.region()),
            "use a key in the region of the bucket",
        );
    }
    Some(key)
}
