//! Limits a run to a part of a fleet.

use std::fmt;
use std::str::FromStr;

use super::{Fleet, Member};
use crate::id::{AccountId, Region};
use crate::near::meant;
use crate::observed::Scope;

/// A selector of `--only`: a member by account or name, or a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Only {
    /// The member with this account.
    Account(AccountId),
    /// Every member with this name.
    Name(String),
    /// One region.
    Region(Region),
}

impl FromStr for Only {
    type Err = std::convert::Infallible;

    /// Reads an account ID (dashes are allowed), a region code or, if it is neither, a member's name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = AccountId::without_dashes(text);
        let account = digits.as_deref().unwrap_or(text).parse().map(Self::Account);
        let place = account.or_else(|_| text.parse().map(Self::Region));
        Ok(place.unwrap_or_else(|_| Self::Name(text.to_owned())))
    }
}

/// As on the command line.
impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => account.fmt(f),
            Self::Region(region) => region.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Only {
    /// Whether a member is selected. If no selector names a member, all are.
    pub fn member(only: &[Self], member: &Member) -> bool {
        only.iter().any(|one| one.names(member)) || !only.iter().any(Self::is_of_member)
    }

    fn names(&self, member: &Member) -> bool {
        match self {
            Self::Account(account) => *account == member.account,
            Self::Name(name) => member.name.as_ref() == Some(name),
            Self::Region(_) => false,
        }
    }

    /// Whether a region is selected. If no selector names a region, all are.
    pub fn region(only: &[Self], region: &Region) -> bool {
        only.contains(&Self::Region(region.clone())) || only.iter().all(Self::is_of_member)
    }

    /// The scope of a run with these selectors: the selected members that have a selected region. A member whose regions are
    /// not known is included.
    pub fn scope(only: &[Self], fleet: &Fleet) -> Scope {
        if only.is_empty() {
            return Scope::Whole;
        }
        let has_region = |member: &Member| {
            let mut regions = member.regions.iter().peekable();
            regions.peek().is_none() || regions.any(|region| Self::region(only, region))
        };
        let members =
            fleet.members.values().filter(|member| Self::member(only, member) && has_region(member));
        Scope::Part { members: members.map(|member| member.account).collect() }
    }

    /// Whether it names a member.
    pub fn is_of_member(&self) -> bool {
        !matches!(self, Self::Region(_))
    }

    /// Checks that each selector matches something in the fleet, and that all of them together do. The accounts and regions of
    /// the fleet must have been looked up.
    pub fn check(only: &[Self], fleet: &Fleet) -> Result<(), NothingMatches> {
        for one in only {
            let matches = match one {
                Self::Region(region) => fleet.places().any(|(_, known)| known == region),
                one => fleet.members.values().any(|member| one.names(member)),
            };
            if !matches {
                return Err(NothingMatches::one(one, fleet));
            }
        }
        if only.is_empty() || fleet.places_in(only).next().is_some() {
            return Ok(());
        }
        Err(NothingMatches::Together)
    }
}

/// The selectors match nothing in the fleet.
///
/// [`Display`](std::fmt::Display) contains what does not match; [`help`](Self::help) returns the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NothingMatches {
    /// No member has the account.
    #[error("no member of the fleet has account `{account}`")]
    Account {
        /// The account.
        account: AccountId,
        /// The closest account of a member.
        meant: Option<String>,
    },
    /// No member has the name.
    #[error("no member of the fleet is named `{name}`")]
    Name {
        /// The name.
        name: String,
        /// The closest name of a member, or the closest region.
        meant: Option<String>,
    },
    /// No member has the region.
    #[error("no member of the fleet has region `{region}`")]
    Region {
        /// The region.
        region: Region,
        /// The closest region of the fleet.
        meant: Option<String>,
    },
    /// The selected members have none of the selected regions.
    #[error("none of the selected members has a selected region")]
    Together,
}

impl NothingMatches {
    fn one(only: &Only, fleet: &Fleet) -> Self {
        let regions = fleet.places().map(|(_, region)| region.as_str());
        match only {
            Only::Account(account) => {
                let known: Vec<String> = fleet.members.keys().map(ToString::to_string).collect();
                let meant = meant(&account.to_string(), known.iter().map(String::as_str));
                Self::Account { account: *account, meant: meant.map(str::to_owned) }
            }
            Only::Name(name) => {
                let known = fleet.members.values().filter_map(|member| member.name.as_deref()).chain(regions);
                Self::Name { name: name.clone(), meant: meant(name, known).map(str::to_owned) }
            }
            Only::Region(region) => {
                let meant = meant(region.as_str(), regions).map(str::to_owned);
                Self::Region { region: region.clone(), meant }
            }
        }
    }

    /// How to fix it.
    pub fn help(&self) -> String {
        let meant = match self {
            Self::Account { meant, .. } | Self::Name { meant, .. } | Self::Region { meant, .. } => meant,
            Self::Together => return "select a region of one of the selected members".to_owned(),
        };
        match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => "select members by account ID or name, and regions by code".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fleet() -> Fleet {
        let text = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-flow-logs\"\n\
            [[members]]\naccount = \"222222222222\"\nname = \"shop\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n\
            [[members]]\naccount = \"333333333333\"\nname = \"bank\"\nregions = [\"eu-west-1\"]\n";
        Fleet::parse(text).unwrap()
    }

    fn only(words: &[&str]) -> Vec<Only> {
        words.iter().map(|word| word.parse().unwrap()).collect()
    }

    #[test]
    fn members_are_selected_by_account_or_name_and_regions_by_code() {
        let fleet = fleet();
        for (words, places) in [
            (&[][..], vec!["shop eu-west-1", "shop us-east-1", "bank eu-west-1"]),
            (&["shop"], vec!["shop eu-west-1", "shop us-east-1"]),
            (&["333333333333"], vec!["bank eu-west-1"]),
            (&["us-east-1"], vec!["shop us-east-1"]),
            (&["shop", "333333333333", "eu-west-1"], vec!["shop eu-west-1", "bank eu-west-1"]),
        ] {
            let only = only(words);
            let selected = fleet.places_in(&only);
            let selected: Vec<String> = selected
                .map(|(member, region)| format!("{} {region}", member.name.as_deref().unwrap_or_default()))
                .collect();
            assert_eq!(selected, places, "{words:?}");
            assert_eq!(Only::check(&only, &fleet), Ok(()), "{words:?}");
            let scope = Only::scope(&only, &fleet);
            for member in fleet.members.values() {
                let is_selected = fleet.places_in(&only).any(|(selected, _)| selected == member);
                assert_eq!(scope.selects(member.account), is_selected, "{words:?}");
            }
        }
    }

    #[test]
    fn selection_that_matches_nothing_is_an_error_with_a_suggestion() {
        for (words, error, help) in [
            (&["shop", "bonk"][..], "no member of the fleet is named `bonk`", "did you mean `bank`?"),
            (
                &["2222-2222-2223"],
                "no member of the fleet has account `222222222223`",
                "did you mean `222222222222`?",
            ),
            (&["eu-west-2"], "no member of the fleet has region `eu-west-2`", "did you mean `eu-west-1`?"),
            (&["euwest1"], "no member of the fleet is named `euwest1`", "did you mean `eu-west-1`?"),
            (
                &["accounting"],
                "no member of the fleet is named `accounting`",
                "select members by account ID or name, and regions by code",
            ),
            (
                &["bank", "us-east-1"],
                "none of the selected members has a selected region",
                "select a region of one of the selected members",
            ),
        ] {
            let nothing = Only::check(&only(words), &fleet()).unwrap_err();
            assert_eq!((nothing.to_string().as_str(), nothing.help().as_str()), (error, help), "{words:?}");
        }
    }
}
