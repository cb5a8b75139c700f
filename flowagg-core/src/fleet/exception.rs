use std::fmt;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use super::{Member, Regions};
use crate::id::{AccountId, OrganizationalUnitId, Place, Region, ResourceId};
use crate::observed::Resource;

/// Findings that are accepted until a given day. A finding must match all of the account, unit, region and VPC that are set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Exception {
    /// Only in this account.
    pub account: Option<AccountId>,
    /// Only in accounts under this organizational unit, at any depth.
    pub unit: Option<OrganizationalUnitId>,
    /// Only in this region.
    pub region: Option<Region>,
    /// Only this VPC, with its subnets and network interfaces.
    pub vpc: Option<ResourceId>,
    /// Why the findings are accepted.
    pub reason: String,
    /// The last day (UTC) on which the findings are accepted.
    pub until: Date,
}

impl Exception {
    /// The maximum number of days that its last day may be ahead.
    pub const MOST_DAYS: i64 = 400;

    /// An exception for all findings in an account.
    pub fn of_account(account: AccountId, reason: impl Into<String>, until: Date) -> Self {
        Self { account: Some(account), unit: None, region: None, vpc: None, reason: reason.into(), until }
    }

    /// Whether its last day was before this one.
    pub fn is_expired(&self, today: Date) -> bool {
        self.until < today
    }

    /// Whether its last day is too far ahead.
    pub fn is_too_long(&self, today: Date) -> bool {
        self.until > today.saturating_add(Self::MOST_DAYS.days())
    }

    /// Whether everything in an account-region is accepted. If the regions of the member could not be looked up, a finding
    /// concerns the whole account, and an exception for a region does not accept it.
    pub fn covers_place(&self, place: &Place, member: Option<&Member>) -> bool {
        let is_whole = member.is_some_and(|member| member.regions == Regions::ALL);
        self.vpc.is_none() && !(is_whole && self.region.is_some()) && self.is_of(place, member)
    }

    /// Whether findings of a resource are accepted.
    pub fn covers(&self, place: &Place, member: Option<&Member>, resource: &Resource) -> bool {
        let is_of_vpc = |vpc: &ResourceId| resource.id == *vpc || resource.part_of.contains(vpc);
        self.is_of(place, member) && self.vpc.as_ref().is_none_or(is_of_vpc)
    }

    fn is_of(&self, place: &Place, member: Option<&Member>) -> bool {
        let is_held = |unit: &OrganizationalUnitId| member.is_some_and(|member| member.units.contains(unit));
        self.account.is_none_or(|account| account == place.account)
            && self.region.as_ref().is_none_or(|region| *region == place.region)
            && self.unit.as_ref().is_none_or(is_held)
    }
}

/// The scope of the exception.
impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            self.account.map(|account| format!("account {account}")),
            self.unit.as_ref().map(|unit| format!("unit {unit}")),
            self.region.as_ref().map(|region| format!("region {region}")),
            self.vpc.as_ref().map(ToString::to_string),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::Selection;

    fn exception() -> Exception {
        let account = AccountId::parse("222222222222").unwrap();
        Exception::of_account(account, "being closed", "2026-12-31".parse().unwrap())
    }

    #[test]
    fn last_day_is_included_and_may_be_400_days_ahead() {
        let exception = exception();
        assert_eq!(
            ["2026-12-31", "2027-01-01"].map(|day| exception.is_expired(day.parse().unwrap())),
            [false, true]
        );
        assert_eq!(
            ["2025-11-26", "2025-11-25"].map(|day| exception.is_too_long(day.parse().unwrap())),
            [false, true]
        );
    }

    #[test]
    fn exception_accepts_only_findings_that_match_all_its_fields() {
        let place = |account: &str, region: &str| {
            Place::new(AccountId::parse(account).unwrap(), &Region::parse(region).unwrap())
        };
        let here = place("222222222222", "eu-west-1");
        let vpc = Resource::new(ResourceId::parse("vpc-0a1b2c3d").unwrap());
        let mut subnet = Resource::new(ResourceId::parse("subnet-0a1b2c3d").unwrap());
        subnet.part_of.insert(vpc.id.clone());
        let of_account = exception();
        assert!(of_account.covers(&here, None, &vpc) && of_account.covers_place(&here, None));
        assert!(!of_account.covers(&place("333333333333", "eu-west-1"), None, &vpc));

        let mut of_region = exception();
        of_region.region = Some(Region::parse("us-east-1").unwrap());
        assert!(
            !of_region.covers(&here, None, &vpc)
                && of_region.covers_place(&place("222222222222", "us-east-1"), None)
        );

        let mut of_vpc = exception();
        of_vpc.vpc = Some(vpc.id.clone());
        assert!(of_vpc.covers(&here, None, &vpc) && of_vpc.covers(&here, None, &subnet));
        assert!(!of_vpc.covers(&here, None, &Resource::new(ResourceId::parse("vpc-0fffffff").unwrap())));
        assert!(!of_vpc.covers_place(&here, None), "other resources of the account-region are not accepted");

        let mut of_unit = exception();
        (of_unit.account, of_unit.unit) =
            (None, Some(OrganizationalUnitId::parse("ou-ab12-11111111").unwrap()));
        let mut member =
            Member::new(here.account, Regions::ALL, "flowagg".parse().unwrap(), Selection::default());
        assert!(!of_unit.covers(&here, None, &vpc) && !of_unit.covers(&here, Some(&member), &vpc));
        member.units.extend(of_unit.unit.clone());
        assert!(of_unit.covers(&here, Some(&member), &vpc));
        assert_eq!(of_unit.to_string(), "unit ou-ab12-11111111");
    }
}
