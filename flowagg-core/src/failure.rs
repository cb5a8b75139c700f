//! Failed AWS calls, with advice.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::id::{AccountId, Place, Region};

/// The text before an encoded message of 1 to 2 KB that contains the details of a denied EC2 call.
///
/// Source: "DecodeAuthorizationMessage" (AWS STS API Reference).
pub const ENCODED: &str = "Encoded authorization failure message: ";

/// A failed AWS call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Failure {
    /// The account-region in which the call was made.
    pub place: Place,
    /// The AWS operation. Never empty: a problem without a failed call is a [`Concern`](crate::plan::Concern).
    pub call: String,
    /// The resource that the call was for: a bucket, a VPC, a role.
    pub resource: Option<String>,
    /// The error code from AWS, or one such as `HTTP 400` if the response had no body; `None` if there was no response.
    pub code: Option<String>,
    /// The full message.
    pub message: String,
    /// How to fix it. Equal for failures with the same cause, whatever their account and region.
    pub advice: Advice,
}

impl Failure {
    /// A failure without an error code and without a single resource.
    pub fn new(
        place: Place,
        call: impl Into<String>,
        message: impl Into<String>,
        advice: impl Into<Advice>,
    ) -> Self {
        Self {
            place,
            call: call.into(),
            resource: None,
            code: None,
            message: message.into(),
            advice: advice.into(),
        }
    }

    /// The message, with an [encoded message](ENCODED) replaced by `[...]`.
    pub fn brief(&self) -> Cow<'_, str> {
        match self.message.split_once(ENCODED) {
            Some((before, encoded)) => {
                let rest = encoded.split_once(' ').map(|(_, rest)| format!(" {rest}")).unwrap_or_default();
                Cow::Owned(format!("{before}{ENCODED}[...]{rest}"))
            }
            None => Cow::Borrowed(&self.message),
        }
    }

    /// The call, the error code and the [brief](Self::brief) message.
    pub fn what(&self) -> String {
        let message = self.brief();
        let parts = [Some(self.call.as_str()), self.code.as_deref(), Some(&message)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    }

    /// The advice for the account and region of this failure.
    pub fn help(&self) -> String {
        self.advice.at(&self.place)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, call, .. } = self;
        write!(f, "{place}: {call}: {}; {}", self.brief(), self.help())
    }
}

impl std::error::Error for Failure {}

/// Advice for a failure, with placeholders for the account and region, so that the same advice for many accounts compares equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Advice(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    Account,
    Region,
}

impl Advice {
    /// Advice with an account or region: `sentence` receives the placeholders for both.
    ///
    /// ```
    /// use flowagg_core::failure::Advice;
    /// use flowagg_core::id::{AccountId, Place, Region};
    ///
    /// let advice = Advice::for_place(|account, region| format!("enable {region} in {account}"));
    /// let place = Place::new(AccountId::parse("222222222222")?, &Region::parse("eu-west-1")?);
    /// assert_eq!(advice.at(&place), "enable eu-west-1 in 222222222222");
    /// # Ok::<(), flowagg_core::id::IdError>(())
    /// ```
    pub fn for_place(sentence: impl FnOnce(&str, &str) -> String) -> Self {
        // Unicode noncharacters, which no AWS message and no name contains.
        const ACCOUNT: char = '\u{fdd0}';
        const REGION: char = '\u{fdd1}';
        let sentence = sentence(&ACCOUNT.to_string(), &REGION.to_string());
        let mut parts = Vec::new();
        let mut text = String::new();
        for c in sentence.chars() {
            let part = match c {
                ACCOUNT => Part::Account,
                REGION => Part::Region,
                c => {
                    text.push(c);
                    continue;
                }
            };
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(part);
        }
        if !text.is_empty() {
            parts.push(Part::Text(text));
        }
        Self(parts)
    }

    /// The advice for an account-region.
    pub fn at(&self, place: &Place) -> String {
        self.render(&place.account.to_string(), place.region.as_str())
    }

    /// The advice for several account-regions. Accounts or regions that differ become "each account" and "each region".
    pub fn at_each<'p>(&self, places: impl IntoIterator<Item = &'p Place>) -> String {
        let (accounts, regions): (BTreeSet<_>, BTreeSet<_>) =
            places.into_iter().map(|Place { account, region }| (*account, region.as_str())).unzip();
        let account = match accounts.first() {
            Some(account) if accounts.len() == 1 => account.to_string(),
            _ => "each account".to_owned(),
        };
        let region = regions.first().filter(|_| regions.len() == 1);
        self.render(&account, region.copied().unwrap_or("each region"))
    }

    /// The advice with "the account" and "the region" instead of names.
    pub fn without_place(&self) -> String {
        self.render("the account", "the region")
    }

    fn render(&self, account: &str, region: &str) -> String {
        let words = self.0.iter().map(|part| match part {
            Part::Text(words) => words.as_str(),
            Part::Account => account,
            Part::Region => region,
        });
        words.collect()
    }
}

impl From<&str> for Advice {
    fn from(sentence: &str) -> Self {
        Self(vec![Part::Text(sentence.to_owned())])
    }
}

impl From<String> for Advice {
    fn from(sentence: String) -> Self {
        Self(vec![Part::Text(sentence)])
    }
}

/// A failed AWS call, with advice.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Failure"))]
#[serde(rename_all = "kebab-case")]
struct Written<'a> {
    /// The account in which the call was made.
    account: AccountId,
    /// The region in which the call was made.
    region: &'a Region,
    /// The AWS operation.
    call: &'a str,
    /// The resource that the call was for: a bucket, a VPC, a role.
    resource: Option<&'a str>,
    /// The error code from AWS, if the response contained one.
    code: Option<&'a str>,
    /// The message.
    message: &'a str,
    /// How to fix it.
    help: String,
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { place: Place { account, region }, call, resource, code, message, advice: _ } = self;
        let (resource, code, help) = (resource.as_deref(), code.as_deref(), self.help());
        Written { account: *account, region, call, resource, code, message, help }.serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Failure {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        Written::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(account: &str, advice: impl Into<Advice>) -> Failure {
        Failure {
            place: Place::new(AccountId::parse(account).unwrap(), &Region::parse("eu-west-1").unwrap()),
            call: "CreateFlowLogs".to_owned(),
            resource: None,
            code: None,
            message: "not allowed".to_owned(),
            advice: advice.into(),
        }
    }

    #[test]
    fn display_contains_place_call_message_and_help() {
        let failure = failure("222222222222", "allow it");
        assert_eq!(failure.to_string(), "222222222222 eu-west-1: CreateFlowLogs: not allowed; allow it");
    }

    #[test]
    fn encoded_message_is_omitted_in_text_and_kept_in_json() {
        let mut failure = failure("222222222222", "decode it");
        failure.message = format!("not authorized. {ENCODED}{} (request 1)", "l26Lbh".repeat(200));
        assert_eq!(
            failure.to_string(),
            "222222222222 eu-west-1: CreateFlowLogs: not authorized. Encoded authorization failure message: [...] (request 1); decode it"
        );
        assert_eq!(
            failure.what(),
            "CreateFlowLogs: not authorized. Encoded authorization failure message: [...] (request 1)"
        );
        assert_eq!(serde_json::to_value(&failure).unwrap()["message"], failure.message);
    }

    #[test]
    fn advice_compares_equal_across_accounts() {
        let advice =
            || Advice::for_place(|account, region| format!("enable {region} in {account}, then wait"));
        let [one, other] = ["222222222222", "333333333333"].map(|account| failure(account, advice()));
        assert_eq!(one.advice, other.advice);
        assert_eq!(one.help(), "enable eu-west-1 in 222222222222, then wait");
        assert_eq!(other.help(), "enable eu-west-1 in 333333333333, then wait");
        assert_eq!(
            advice().at_each([&one.place, &other.place]),
            "enable eu-west-1 in each account, then wait"
        );
        let elsewhere = Place::new(one.place.account, &Region::parse("us-east-1").unwrap());
        assert_eq!(
            advice().at_each([&one.place, &elsewhere]),
            "enable each region in 222222222222, then wait"
        );
    }
}
