//! AWS names and IDs, validated when they are parsed. Whether the named resource exists is not checked.

mod account;
mod bucket;
mod fleet;
mod kms;
mod organization;
mod place;
mod prefix;
mod region;
mod resource;
mod role;

pub use account::AccountId;
pub use bucket::BucketName;
pub(crate) use fleet::hash;
pub use fleet::{FleetMark, FleetName};
pub use kms::KmsKeyArn;
pub use organization::{OrganizationId, OrganizationalUnitId};
pub use place::Place;
pub use prefix::Prefix;
pub use region::{Partition, Region};
pub(crate) use resource::is_id;
pub use resource::{FlowLogId, LoggedId, ResourceId, ResourceKind};
pub use role::{ExternalId, RoleName};

/// The error for a text that is not a valid name of its kind.
///
/// [`Display`](std::fmt::Display) contains what is wrong with the text; [`help`](Self::help) returns what a valid name looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a valid {kind}: {why}")]
pub struct IdError {
    given: String,
    kind: &'static str,
    why: String,
    help: &'static str,
}

impl IdError {
    pub(crate) fn new(given: &str, kind: &'static str, why: impl Into<String>, help: &'static str) -> Self {
        Self { given: shown(given), kind, why: why.into(), help }
    }

    /// What a valid name looks like, as an imperative sentence.
    pub fn help(&self) -> &'static str {
        self.help
    }
}

/// The text for a message: on one line, without control characters, truncated.
fn shown(given: &str) -> String {
    const LONGEST: usize = 80;
    let clean: String = given.chars().take(LONGEST).map(|c| if c.is_control() { '?' } else { c }).collect();
    if given.chars().count() > LONGEST { format!("{clean}...") } else { clean }
}

/// Implements `Serialize` by [`Display`](std::fmt::Display) and, with the feature `schema`, `JsonSchema` with an optional pattern.
macro_rules! text_in_json {
    ($name:ident $(, $pattern:literal)?) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string" $(, "pattern": $pattern)? })
            }
        }
    };
}
pub(crate) use text_in_json;

/// Implements `FromStr` and serde for a name with a function `parse`, with an optional pattern for the JSON Schema.
macro_rules! text_name {
    ($name:ident $(, $pattern:literal)?) => {
        impl std::str::FromStr for $name {
            type Err = crate::id::IdError;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
        crate::id::text_in_json!($name $(, $pattern)?);
    };
}

/// Implements `as_str`, `Display` and [`text_name`] for a name that is stored as its text.
macro_rules! kept_text {
    ($name:ident $(, $pattern:literal)?) => {
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }
        crate::id::text_name!($name $(, $pattern)?);
    };
}

pub(crate) use {kept_text, text_name};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_no_line_breaks_and_truncate_long_text() {
        let error = AccountId::parse(&format!("a\nb{}", "x".repeat(500))).unwrap_err();
        assert!(!error.to_string().contains('\n'));
        assert!(error.to_string().chars().count() < 200);
    }

    #[test]
    fn serde_writes_names_as_text_and_validates_them_on_reading() {
        let account: AccountId = serde_json::from_str("\"012345678901\"").unwrap();
        assert_eq!(serde_json::to_string(&account).unwrap(), "\"012345678901\"");
        assert!(serde_json::from_str::<BucketName>("\"Not A Bucket\"").is_err());
    }
}
