//! The AWS profile that provides the credentials, and the source that it resolves to.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

#[expect(
    deprecated,
    reason = "the type that the SDK names instead is in a crate that is not part of its interface"
)]
use aws_config::profile::profile_file::ProfileFiles;
use aws_config::profile::{Profile, ProfileFileLoadError, ProfileSet, load};
use aws_types::os_shim_internal::{Env, Fs};
use flowagg_core::near::meant;

use crate::aws::setting::{SettingError, variable};

/// The profile that is used if none is selected.
pub(super) const DEFAULT: &str = "default";
/// The maximum number of profile names in a message.
const LISTED: usize = 6;

/// Where the profile was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NamedBy {
    Option,
    FleetFile,
    Variable,
    Nothing,
}

/// The profile that is used, and where it was selected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UsedProfile {
    pub(super) name: String,
    by: NamedBy,
}

impl UsedProfile {
    /// Precedence: the option, the fleet file, the variable, the default profile.
    pub(super) fn new(option: Option<&str>, fleet_file: Option<&str>) -> Result<Self, SettingError> {
        let (name, by) = match (option, fleet_file, variable("AWS_PROFILE")?) {
            (Some(name), ..) => (name.to_owned(), NamedBy::Option),
            (None, Some(name), _) => (name.to_owned(), NamedBy::FleetFile),
            (None, None, Some(name)) => (name, NamedBy::Variable),
            (None, None, None) => (DEFAULT.to_owned(), NamedBy::Nothing),
        };
        Ok(Self { name, by })
    }

    /// Whether it was selected explicitly.
    pub(super) fn is_named(&self) -> bool {
        self.by != NamedBy::Nothing
    }

    /// Whether it was selected with `--profile`. Then, as in the AWS CLI, access keys in the environment are ignored.
    pub(super) fn is_option(&self) -> bool {
        self.by == NamedBy::Option
    }
}

impl fmt::Display for UsedProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "profile `{}`", self.name)?;
        f.write_str(match self.by {
            NamedBy::Option => " (`--profile`)",
            NamedBy::FleetFile => " (`hub.profile`)",
            NamedBy::Variable => " (AWS_PROFILE)",
            NamedBy::Nothing => "",
        })
    }
}

/// The profiles of the configuration files, as the SDK reads them.
pub(super) async fn profiles(used: &UsedProfile) -> Result<ProfileSet, ProfileFileLoadError> {
    #[expect(deprecated, reason = "as above")]
    let files = ProfileFiles::default();
    load(&Fs::real(), &Env::real(), &files, Some(Cow::Owned(used.name.clone()))).await
}

/// Advice for a profile that does not exist.
pub(super) fn suggestion(name: &str, profiles: &ProfileSet) -> String {
    let names: BTreeSet<&str> = profiles.profiles().collect();
    if let Some(name) = meant(name, names.iter().copied()) {
        return format!("did you mean `{name}`? `aws configure list-profiles` lists the profiles");
    }
    match listed(&names) {
        Some(names) => format!("use one of the profiles {names}, or add it with `aws configure sso`"),
        None => "the AWS configuration has no profiles: add one with `aws configure sso`, or set AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE to its files".to_owned(),
    }
}

/// Up to [`LISTED`] of these names; `None` if there are none.
pub(super) fn listed(names: &BTreeSet<&str>) -> Option<String> {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!names.is_empty()).then(|| shown.join(", ") + &more)
}

/// The source of credentials that a profile resolves to: the start of its role chain, and the profile there.
///
/// The order is the SDK's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'p> {
    Sso(&'p str),
    Process(&'p str),
    WebIdentity(&'p str),
    /// `credential_source`, and its value.
    Source(&'p str, &'p str),
    /// `source_profile` does not exist: the profile with the key, and the missing name.
    Nowhere(&'p str, &'p str),
    /// A sign-in with `aws login`.
    LoginSession(&'p str),
    Keys(&'p str),
}

impl<'p> Origin<'p> {
    /// `None` if a profile does not exist or has no credentials.
    pub(super) fn of(profiles: &'p ProfileSet, name: &'p str) -> Option<Self> {
        let mut seen = BTreeSet::new();
        let mut profile = profiles.get_profile(name)?;
        while seen.insert(profile.name()) {
            match next(profile) {
                Some(name) => match profiles.get_profile(name) {
                    Some(next) => profile = next,
                    None => return Some(Self::Nowhere(profile.name(), name)),
                },
                None => return Self::first(profile),
            }
        }
        None
    }

    fn first(profile: &'p Profile) -> Option<Self> {
        let name = profile.name();
        let has = |key: &str| profile.get(key).is_some();
        let sso = ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name", "sso_region"];
        if let Some(source) = profile.get("credential_source") {
            Some(Self::Source(name, source))
        } else if has("web_identity_token_file") {
            Some(Self::WebIdentity(name))
        } else if sso.into_iter().any(has) {
            Some(Self::Sso(name))
        } else if has("login_session") {
            Some(Self::LoginSession(name))
        } else if has("credential_process") {
            Some(Self::Process(name))
        } else {
            (has("aws_access_key_id") || has("aws_secret_access_key")).then_some(Self::Keys(name))
        }
    }
}

/// The profile whose credentials a profile assumes its role with.
fn next(profile: &Profile) -> Option<&str> {
    let is_role = profile.get("role_arn").is_some() && profile.get("web_identity_token_file").is_none();
    profile.get("source_profile").filter(|source| is_role && *source != profile.name())
}
