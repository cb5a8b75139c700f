//! AWS's names, validated when they are parsed. Nothing here asks AWS whether the named thing exists.

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

/// A text that is not a valid name of its kind.
///
/// [`Display`](std::fmt::Display) says what is wrong with the text; [`help`](Self::help) says what a valid one looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not {kind}: {why}")]
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

    /// What a valid name looks like.
    pub fn help(&self) -> &'static str {
        self.help
    }
}

/// The text as a message may carry it: on one line, without control characters, not longer than a line.
fn shown(given: &str) -> String {
    const LONGEST: usize = 80;
    let clean: String = given.chars().take(LONGEST).map(|c| if c.is_control() { '?' } else { c }).collect();
    if given.chars().count() > LONGEST { format!("{clean}...") } else { clean }
}

/// What is written to JSON as the text that [`Display`](std::fmt::Display) gives, with the pattern of that text if there is a plain one.
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

/// Text in, text out: `FromStr`, `Display` and serde for a name that is parsed by its own `parse`; and, for a reader of the
/// JSON, the pattern of the text where there is a plain one.
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

/// A name kept as the text it was given as.
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
    fn a_message_never_carries_a_line_break_or_a_page_of_text() {
        let error = AccountId::parse(&format!("a\nb{}", "x".repeat(500))).unwrap_err();
        assert!(!error.to_string().contains('\n'));
        assert!(error.to_string().chars().count() < 200);
    }

    #[test]
    fn names_go_through_serde_as_text_and_are_checked_on_the_way_in() {
        let account: AccountId = serde_json::from_str("\"012345678901\"").unwrap();
        assert_eq!(serde_json::to_string(&account).unwrap(), "\"012345678901\"");
        assert!(serde_json::from_str::<BucketName>("\"Not A Bucket\"").is_err());
    }
}
