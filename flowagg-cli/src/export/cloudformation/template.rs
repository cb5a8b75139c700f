//! A CloudFormation template as a value and as text.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::AccountId;
use serde::Serialize;
use serde_json::{Value, json};

use crate::export::{ExportError, ExportFile, ExportFiles};

/// The maximum size of a template that is sent in the request, in bytes.
///
/// Source: "CloudFormation quotas", template body size in a request (AWS CloudFormation User Guide).
pub(super) const INLINE_BYTES: usize = 51_200;
/// The maximum number of resources in a template.
///
/// Source: "CloudFormation quotas", resources (AWS CloudFormation User Guide).
pub(super) const MOST_RESOURCES: usize = 500;

/// The format of a template.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TemplateFormat {
    /// YAML, in which every string that YAML 1.1 would parse as another type is quoted.
    #[default]
    Yaml,
    /// JSON.
    Json,
}

impl TemplateFormat {
    /// All values.
    pub const ALL: [Self; 2] = [Self::Yaml, Self::Json];

    /// The value on the command line and the file name extension.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}

/// A template. Its entries are sorted by name.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Template {
    #[serde(rename = "AWSTemplateFormatVersion")]
    version: &'static str,
    description: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    metadata: BTreeMap<&'static str, Vec<String>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<&'static str, Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    conditions: BTreeMap<&'static str, Value>,
    resources: BTreeMap<String, Resource>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    outputs: BTreeMap<String, Value>,
}

/// A resource of a template.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Resource {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_policy: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_replace_policy: Option<&'static str>,
    properties: Value,
}

impl Resource {
    pub(super) fn new(r#type: &'static str, properties: Value) -> Self {
        Self {
            r#type,
            condition: None,
            deletion_policy: None,
            update_replace_policy: None,
            properties: sorted(properties),
        }
    }

    /// The resource with a condition: it is created only if the condition is true.
    pub(super) fn with_condition(self, condition: Option<&'static str>) -> Self {
        Self { condition, ..self }
    }

    /// The resource with retention: it is kept when its stack is deleted or replaces it.
    pub(super) fn kept(self) -> Self {
        Self { deletion_policy: Some("Retain"), update_replace_policy: Some("Retain"), ..self }
    }
}

impl Template {
    pub(super) fn new(description: String) -> Self {
        Self {
            version: "2010-09-09",
            description,
            metadata: BTreeMap::new(),
            parameters: BTreeMap::new(),
            conditions: BTreeMap::new(),
            resources: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }

    pub(super) fn parameter(mut self, name: &'static str, parameter: Value) -> Self {
        self.parameters.insert(name, sorted(parameter));
        self
    }

    pub(super) fn resource(mut self, name: &str, resource: Resource) -> Self {
        self.resources.insert(name.to_owned(), resource);
        self
    }

    pub(super) fn condition(mut self, name: &'static str, condition: Value) -> Self {
        self.conditions.insert(name, condition);
        self
    }

    /// The template with a condition that excludes these accounts. An account filter of a stack set would not apply to accounts that join
    /// later.
    ///
    /// Source: "Condition functions" (AWS CloudFormation Template Reference).
    pub(super) fn outside(mut self, accounts: &BTreeSet<AccountId>) -> Self {
        const ELSEWHERE: &str = "Elsewhere";
        let is_here = |account| json!({ "Fn::Equals": [reference("AWS::AccountId"), account] });
        let Some(is_in) = any(accounts.iter().map(is_here).collect()) else { return self };
        for resource in self.resources.values_mut() {
            resource.condition = Some(ELSEWHERE);
        }
        for output in self.outputs.values_mut() {
            output["Condition"] = json!(ELSEWHERE);
            output.sort_all_objects();
        }
        self.condition(ELSEWHERE, json!({ "Fn::Not": [is_in] }))
    }

    /// Adds an output that other stacks of the account-region can import as `<stack>-<name>`.
    pub(super) fn output(mut self, name: &str, description: &str, value: Value) -> Self {
        let export = json!({ "Name": sub(&format!("${{AWS::StackName}}-{name}")) });
        let output = json!({ "Description": description, "Value": value, "Export": export });
        self.outputs.insert(name.to_owned(), sorted(output));
        self
    }

    /// Adds notes to the metadata of the template.
    pub(super) fn noted(mut self, notes: &[String]) -> Self {
        if !notes.is_empty() {
            self.metadata.insert("Notes", notes.to_vec());
        }
        self
    }

    pub(super) fn text(&self, format: TemplateFormat) -> Result<String, ExportError> {
        let text = match format {
            TemplateFormat::Yaml => {
                let whole_lines = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
                serde_saphyr::to_string_with_options(self, whole_lines).map_err(ExportError::defect)?
            }
            TemplateFormat::Json => serde_json::to_string_pretty(self).map_err(ExportError::defect)?,
        };
        Ok(text.trim_end().to_owned() + "\n")
    }

    pub(super) fn file(&self, name: &str, format: TemplateFormat) -> Result<ExportFile, ExportError> {
        Ok(ExportFile { name: format!("{name}.{}", format.as_str()), text: self.text(format)? })
    }
}

impl ExportFiles {
    /// The files, with the notes and a note for each file that is too large for the request.
    pub(super) fn of_templates(files: Vec<ExportFile>, mut notes: Vec<String>) -> Self {
        for file in files.iter().filter(|file| file.text.len() > INLINE_BYTES) {
            notes.push(format!(
                "{} has {} bytes, more than the request limit of {INLINE_BYTES}: upload it to a bucket with `aws cloudformation deploy --s3-bucket`",
                file.name,
                file.text.len()
            ));
        }
        Self { files, notes }
    }
}

/// Sorts objects by name, because the order of serde_json depends on its build features.
fn sorted(mut value: Value) -> Value {
    value.sort_all_objects();
    value
}

/// A condition that is true if any of these conditions is true.
fn any(mut conditions: Vec<Value>) -> Option<Value> {
    /// The maximum number of conditions in `Fn::Or`. The minimum is 2.
    const MOST: usize = 10;
    while conditions.len() > 1 {
        let groups = conditions.chunks(MOST).map(|group| match group {
            [one] => one.clone(),
            several => json!({ "Fn::Or": several }),
        });
        conditions = groups.collect();
    }
    conditions.pop()
}

/// A reference to a parameter or a resource.
pub(super) fn reference(name: &str) -> Value {
    json!({ "Ref": name })
}

/// A string with substitutions of the form `${Name}`.
pub(super) fn sub(text: &str) -> Value {
    json!({ "Fn::Sub": text })
}

pub(super) fn attribute(resource: &str, name: &str) -> Value {
    json!({ "Fn::GetAtt": [resource, name] })
}

/// A word with its first letter in uppercase, for a logical ID.
pub(super) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.collect::<String>() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a condition in an account.
    fn evaluate(condition: &Value, account: &str) -> bool {
        let (function, arguments) = condition.as_object().unwrap().iter().next().unwrap();
        let arguments = arguments.as_array().unwrap();
        match function.as_str() {
            "Fn::Not" => {
                assert_eq!(arguments.len(), 1);
                !evaluate(&arguments[0], account)
            }
            "Fn::Or" => {
                assert!((2..=10).contains(&arguments.len()), "{}", arguments.len());
                arguments.iter().any(|condition| evaluate(condition, account))
            }
            "Fn::Equals" => arguments[1] == account,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn template_creates_nothing_in_excluded_accounts() {
        let id = |n: usize| format!("{n:012}");
        for count in [1, 2, 9, 10, 11, 20, 21, 100, 101, 111] {
            let accounts = (0..count).map(|n| id(n).parse().unwrap()).collect();
            let resource = Resource::new("AWS::IAM::Role", json!({}));
            let template = Template::new(String::new())
                .resource("Role", resource)
                .output("Arn", "", attribute("Role", "Arn"))
                .outside(&accounts);
            assert_eq!(template.resources["Role"].condition, Some("Elsewhere"));
            assert_eq!(template.outputs["Arn"]["Condition"], "Elsewhere");
            let condition = &template.conditions["Elsewhere"];
            assert!((0..count).all(|n| !evaluate(condition, &id(n))), "{count}");
            assert!(evaluate(condition, &id(count)), "{count}");
        }
        let all = Template::new(String::new()).outside(&BTreeSet::new());
        assert!(all.conditions.is_empty());
    }
}
