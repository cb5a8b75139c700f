use flowagg_core::fleet::{Part, Remark};
use flowagg_core::id::{AccountId, BucketName, Region};
use flowagg_core::lifecycle::{Expiration, Move, Rule};
use flowagg_core::observed::BucketEncryption;
use flowagg_policy::DELIVERY_SERVICE;
use serde_json::{Value, json};

use super::scope::{flag, number};
use super::{Template, TemplateDefaults, remark};
use crate::found::FoundHub;
use crate::import::ImportError;

/// The properties of a bucket that are read or that `apply` always sets.
const READ: [&str; 6] = [
    "BucketName",
    "BucketNamespace",
    "BucketEncryption",
    "LifecycleConfiguration",
    "OwnershipControls",
    "PublicAccessBlockConfiguration",
];

/// Reads the hub bucket: the bucket whose policy allows log delivery, or else the first bucket.
pub(super) fn read(
    templates: &[Template],
    defaults: &TemplateDefaults,
    remarks: &mut Vec<Remark>,
) -> Result<FoundHub, ImportError> {
    let buckets = || {
        templates.iter().flat_map(|template| {
            let all = template.resources().filter(|(_, kind, _)| *kind == "AWS::S3::Bucket");
            all.map(move |(id, _, properties)| (template, id, properties))
        })
    };
    let lets_in = |(template, id, _): &(&Template, &String, &Value)| {
        template.resources().any(|(_, kind, properties)| {
            let of_bucket = properties["Bucket"] == json!({ "Ref": id });
            kind == "AWS::S3::BucketPolicy" && of_bucket && properties.to_string().contains(DELIVERY_SERVICE)
        })
    };
    let bucket = buckets().find(lets_in).or_else(|| buckets().next());
    let of = |template: Option<&Template>| {
        let account = defaults.hub_account.or(template.and_then(|it| it.account));
        let region = defaults.hub_region.clone().or_else(|| template?.region.clone());
        (account, region)
    };
    let (account, region) = of(bucket.map(|(template, ..)| template));
    let account: AccountId =
        account.ok_or(ImportError::Untold { what: "the bucket's account", flag: "--hub-account ID" })?;
    let region: Region =
        region.ok_or(ImportError::Untold { what: "the bucket's region", flag: "--hub-region REGION" })?;
    let named = |template: &Template, id: &str| {
        let name =
            template.scope(Some(account), Some(region.clone()), defaults).resolved(&json!({ "Ref": id }));
        name.as_str().and_then(|name| BucketName::parse(name).ok())
    };
    let name = defaults.bucket.clone().or_else(|| bucket.and_then(|(template, id, _)| named(template, id)));
    let name = name.ok_or(ImportError::Untold { what: "the bucket's name", flag: "--bucket NAME" })?;

    let mut hub = FoundHub { folder: defaults.folder.clone(), ..FoundHub::new(account, region, name) };
    hub.policy = policy(templates, defaults, &hub, remarks);
    let Some((template, id, properties)) = bucket else {
        let text = "no template creates the bucket: flowagg's defaults are used for its settings".to_owned();
        remarks.push(remark(Part::Hub, text));
        return Ok(hub);
    };
    for (other, id, _) in buckets().filter(|(other, at, _)| (&other.name, *at) != (&template.name, id)) {
        remarks.push(remark(Part::File, format!("{}: `{id}` is another bucket and is ignored", other.name)));
    }
    let keys = properties.as_object().into_iter().flatten().map(|(key, _)| key.as_str());
    for key in keys.filter(|key| !READ.contains(key)) {
        let text = format!("{}: `{key}` of `{id}` is ignored, and `apply` does not change it", template.name);
        remarks.push(remark(Part::Hub, text));
    }
    let scope = template.scope(Some(hub.account), Some(hub.region.clone()), defaults);
    let properties = scope.resolved(properties);
    hub.encryption = encryption(&properties);
    let rules = properties["LifecycleConfiguration"]["Rules"].as_array().into_iter().flatten();
    hub.rules = Some(rules.map(rule).collect());
    Ok(hub)
}

fn encryption(bucket: &Value) -> Option<BucketEncryption> {
    let rule = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    let default = &rule["ServerSideEncryptionByDefault"];
    let mut encryption = BucketEncryption::new(default["SSEAlgorithm"].as_str()?);
    // The ARN of a key that the stack creates is not in the template.
    encryption.key = match &default["KMSMasterKeyID"] {
        Value::Null => None,
        Value::String(key) => Some(key.clone()),
        function => Some(function.to_string()),
    };
    encryption.bucket_key = flag(&rule["BucketKeyEnabled"]);
    Some(encryption)
}

/// Source: "AWS::S3::Bucket Rule" (AWS CloudFormation Template Reference).
fn rule(rule: &Value) -> Rule {
    let transition = |it: &Value| {
        let storage_class = it["StorageClass"].as_str()?.to_owned();
        Some(Move::new(number(&it["TransitionInDays"]), storage_class))
    };
    let transitions = rule["Transitions"].as_array().into_iter().flatten().chain([&rule["Transition"]]);
    let noncurrent = number(&rule["NoncurrentVersionExpiration"]["NoncurrentDays"]);
    let mut read_rule = Rule::default();
    read_rule.id = rule["Id"].as_str().map(str::to_owned);
    read_rule.is_enabled = rule["Status"] == "Enabled";
    read_rule.prefix = rule["Prefix"].as_str().unwrap_or_default().to_owned();
    read_rule.is_narrowed =
        ["TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan"].iter().any(|key| !rule[key].is_null());
    read_rule.expiration = number(&rule["ExpirationInDays"]).map(Expiration::Days);
    read_rule.transitions = transitions.filter_map(transition).collect();
    read_rule.noncurrent_days = noncurrent.or_else(|| number(&rule["NoncurrentVersionExpirationInDays"]));
    read_rule.abort_uploads_days = number(&rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]);
    read_rule
}

/// The statements of all policies of the bucket, as one policy. Unresolved functions are kept, and their statements are not imported.
fn policy(
    templates: &[Template],
    defaults: &TemplateDefaults,
    hub: &FoundHub,
    remarks: &mut Vec<Remark>,
) -> Option<String> {
    let mut statements = Vec::new();
    for template in templates {
        let scope = template.scope(Some(hub.account), Some(hub.region.clone()), defaults);
        for (id, _, properties) in
            template.resources().filter(|(_, kind, _)| *kind == "AWS::S3::BucketPolicy")
        {
            let policy = scope.resolved(properties);
            if policy["Bucket"] != hub.bucket.as_str() {
                let whose = policy["Bucket"].as_str().map_or_else(
                    || "of a bucket that is known only when the template is deployed".to_owned(),
                    |bucket| format!("of the bucket `{bucket}`"),
                );
                let text = format!("{}: `{id}` is the policy {whose} and is ignored", template.name);
                remarks.push(remark(Part::Policy, text));
                continue;
            }
            match &policy["PolicyDocument"]["Statement"] {
                Value::Array(all) => statements.extend(all.iter().cloned()),
                Value::Null => {}
                one => statements.push(one.clone()),
            }
        }
    }
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    (!statements.is_empty()).then(|| policy.to_string())
}
