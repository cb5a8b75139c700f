//! Resolves the functions of a template as far as possible.

use std::collections::BTreeMap;

use flowagg_core::id::{AccountId, Region};
use serde_json::Value;

/// A template with its account and region.
pub(super) struct Scope<'t> {
    pub(super) template: &'t Value,
    pub(super) account: Option<AccountId>,
    pub(super) region: Option<Region>,
    /// The name of buckets that the template does not name.
    pub(super) bucket: Option<String>,
}

impl Scope<'_> {
    /// The value with all functions resolved. Functions that depend on unknown data are kept.
    pub(super) fn resolved(&self, value: &Value) -> Value {
        match value {
            Value::Array(all) => all.iter().map(|one| self.resolved(one)).collect(),
            Value::Object(entries) => {
                let only = entries.iter().next().filter(|_| entries.len() == 1);
                let resolved = only.and_then(|(name, argument)| self.function(name, argument));
                resolved.unwrap_or_else(|| {
                    entries.iter().map(|(key, one)| (key.clone(), self.resolved(one))).collect()
                })
            }
            other => other.clone(),
        }
    }

    fn function(&self, name: &str, argument: &Value) -> Option<Value> {
        match name {
            "Ref" => self.reference(argument.as_str()?),
            "Fn::GetAtt" => match argument {
                Value::String(path) => path.split_once('.').and_then(|(of, name)| self.attribute(of, name)),
                _ => self.attribute(argument[0].as_str()?, argument[1].as_str()?),
            },
            "Fn::Sub" => match argument {
                Value::String(text) => self.substituted(text, &BTreeMap::new()),
                _ => {
                    let own = argument[1].as_object()?.iter();
                    let own = own.map(|(name, value)| (name.as_str(), self.resolved(value))).collect();
                    self.substituted(argument[0].as_str()?, &own)
                }
            },
            "Fn::Join" => {
                let parts = self.resolved(&argument[1]);
                let parts = parts.as_array()?.iter().map(text).collect::<Option<Vec<_>>>()?;
                Some(parts.join(argument[0].as_str()?).into())
            }
            _ => None,
        }
    }

    /// The default of a parameter, the name of a bucket, or the value of a pseudo parameter.
    fn reference(&self, name: &str) -> Option<Value> {
        match name {
            "AWS::AccountId" => return Some(self.account?.to_string().into()),
            "AWS::Region" => return Some(self.region.as_ref()?.as_str().into()),
            "AWS::Partition" => return Some(self.region.as_ref()?.partition().as_str().into()),
            _ => {}
        }
        let parameter = &self.template["Parameters"][name]["Default"];
        if !parameter.is_null() {
            return Some(parameter.clone());
        }
        let resource = &self.template["Resources"][name];
        if resource["Type"] != "AWS::S3::Bucket" {
            return None;
        }
        match &resource["Properties"]["BucketName"] {
            Value::Null => self.bucket.clone().map(Value::from),
            name => {
                Some(self.resolved(name)).filter(Value::is_string).or(self.bucket.clone().map(Value::from))
            }
        }
    }

    fn attribute(&self, resource: &str, name: &str) -> Option<Value> {
        let is_bucket = self.template["Resources"][resource]["Type"] == "AWS::S3::Bucket";
        let (bucket, partition) = (self.reference(resource)?, self.region.as_ref()?.partition());
        (is_bucket && name == "Arn")
            .then(|| format!("arn:{partition}:s3:::{}", bucket.as_str().unwrap_or_default()).into())
    }

    /// The text with all substitutions. `None` if one of the names cannot be resolved.
    fn substituted(&self, template: &str, own: &BTreeMap<&str, Value>) -> Option<Value> {
        let mut written = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}')?;
            written.push_str(before);
            match name.strip_prefix('!') {
                Some(literal) => written.push_str(&format!("${{{literal}}}")),
                None => {
                    let value = own.get(name).cloned().or_else(|| match name.split_once('.') {
                        Some((resource, attribute)) => self.attribute(resource, attribute),
                        None => self.reference(name),
                    });
                    written.push_str(&text(&value?)?);
                }
            }
            rest = after;
        }
        Some((written + rest).into())
    }
}

/// A string or a number as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An integer, which may be a string in a template.
pub(super) fn number(value: &Value) -> Option<u32> {
    text(value)?.parse().ok()
}

/// A Boolean, which may be a string in a template.
pub(super) fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or(value == "true")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn functions_are_resolved_unless_they_depend_on_unknown_data() {
        let template = json!({
            "Parameters": { "Name": { "Default": "acme" }, "Days": { "Default": 90 }, "Vpc": {} },
            "Resources": { "Bucket": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": { "Fn::Sub": "${Name}-logs" } } } },
        });
        let scope = Scope {
            template: &template,
            account: None,
            region: Some(Region::parse("cn-north-1").unwrap()),
            bucket: None,
        };
        for (value, resolved) in [
            (json!({ "Ref": "Days" }), json!(90)),
            (json!({ "Ref": "Bucket" }), json!("acme-logs")),
            (json!([{ "Fn::GetAtt": ["Bucket", "Arn"] }]), json!(["arn:aws-cn:s3:::acme-logs"])),
            (
                json!({ "Fn::Sub": "${Bucket.Arn}/${!aws:x}/*" }),
                json!("arn:aws-cn:s3:::acme-logs/${aws:x}/*"),
            ),
            (
                json!({ "Fn::Sub": ["${X}-${AWS::Region}", { "X": { "Ref": "Name" } }] }),
                json!("acme-cn-north-1"),
            ),
            (json!({ "Fn::Join": ["/", [{ "Ref": "Name" }, 1]] }), json!("acme/1")),
        ] {
            assert_eq!(scope.resolved(&value), resolved, "{value}");
        }
        for unresolved in [
            json!({ "Ref": "Vpc" }),
            json!({ "Fn::Sub": "${AWS::AccountId}-${Name}" }),
            json!({ "Fn::ImportValue": "network" }),
            json!({ "Fn::Join": ["", [{ "Ref": "Unknown" }]] }),
        ] {
            assert_eq!(scope.resolved(&unresolved), unresolved);
        }
    }
}
