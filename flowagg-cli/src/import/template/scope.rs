//! What a template's functions stand for, as far as it says so itself.

use std::collections::BTreeMap;

use flowagg_core::id::{AccountId, Region};
use serde_json::Value;

/// A template, and where it is deployed.
pub(super) struct Scope<'t> {
    pub(super) template: &'t Value,
    pub(super) account: Option<AccountId>,
    pub(super) region: Option<Region>,
    /// What buckets without a name of their own are called.
    pub(super) bucket: Option<String>,
}

impl Scope<'_> {
    /// The value with every function replaced by what it stands for. What the template does not say stays a function.
    pub(super) fn resolved(&self, value: &Value) -> Value {
        match value {
            Value::Array(all) => all.iter().map(|one| self.resolved(one)).collect(),
            Value::Object(entries) => {
                let only = entries.iter().next().filter(|_| entries.len() == 1);
                let told = only.and_then(|(name, argument)| self.function(name, argument));
                told.unwrap_or_else(|| {
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

    /// A parameter by its default, a bucket by its name, or what AWS knows of every stack.
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

    /// `None` where one of the names stands for nobody knows what.
    fn substituted(&self, template: &str, own: &BTreeMap<&str, Value>) -> Option<Value> {
        let mut written = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}')?;
            written.push_str(before);
            match name.strip_prefix('!') {
                Some(literal) => written.push_str(&format!("${{{literal}}}")),
                None => {
                    let told = own.get(name).cloned().or_else(|| match name.split_once('.') {
                        Some((resource, attribute)) => self.attribute(resource, attribute),
                        None => self.reference(name),
                    });
                    written.push_str(&text(&told?)?);
                }
            }
            rest = after;
        }
        Some((written + rest).into())
    }
}

/// A text or a number, as text.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A whole number, which a template may write as text.
pub(super) fn number(value: &Value) -> Option<u32> {
    text(value)?.parse().ok()
}

/// Yes or no, which a template may write as text.
pub(super) fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or(value == "true")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn functions_stand_for_what_the_template_says_and_stay_where_it_does_not() {
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
        for (value, told) in [
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
            assert_eq!(scope.resolved(&value), told, "{value}");
        }
        for untold in [
            json!({ "Ref": "Vpc" }),
            json!({ "Fn::Sub": "${AWS::AccountId}-${Name}" }),
            json!({ "Fn::ImportValue": "network" }),
            json!({ "Fn::Join": ["", [{ "Ref": "Nobody" }]] }),
        ] {
            assert_eq!(scope.resolved(&untold), untold);
        }
    }
}
