//! Collects what must be looked up, and where.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::NamedColumn;
use crate::fleet::Only;
use crate::id::{AccountId, Place, Region, is_id};

/// The location of a resource; `None` means anywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Where {
    pub account: Option<AccountId>,
    pub region: Option<Region>,
}

impl Where {
    /// The location from the columns of a row. Invalid values count as unknown.
    pub fn new(account: Option<&str>, region: Option<&str>) -> Self {
        Self {
            account: account.and_then(|text| text.parse().ok()),
            region: region.and_then(|text| text.parse().ok()),
        }
    }

    fn contains(&self, place: &Place) -> bool {
        self.account.is_none_or(|account| account == place.account)
            && self.region.as_ref().is_none_or(|region| *region == place.region)
    }
}

/// The IDs and addresses in the rows of a query. Other text is ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wanted {
    accounts: BTreeSet<AccountId>,
    resources: BTreeMap<Where, BTreeSet<String>>,
    addresses: BTreeSet<IpAddr>,
}

/// The lookups for one account-region.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct Part {
    /// Network interfaces.
    pub interfaces: BTreeSet<String>,
    pub instances: BTreeSet<String>,
    pub vpcs: BTreeSet<String>,
    pub subnets: BTreeSet<String>,
    /// NAT gateways.
    pub gateways: BTreeSet<String>,
    /// Addresses of network interfaces.
    pub addresses: BTreeSet<IpAddr>,
}

impl Part {
    /// The set for IDs of this kind; `None` for any other text.
    fn of(&mut self, id: &str) -> Option<&mut BTreeSet<String>> {
        let kinds = [
            ("eni-", &mut self.interfaces),
            ("i-", &mut self.instances),
            ("vpc-", &mut self.vpcs),
            ("subnet-", &mut self.subnets),
            ("nat-", &mut self.gateways),
        ];
        kinds.into_iter().find_map(|(prefix, ids)| is_id(id, prefix).then_some(ids))
    }

    /// Whether there is nothing to look up.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Wanted {
    /// Adds a value of a column. `recorded` is the location that recorded the row.
    pub fn add(&mut self, column: NamedColumn, value: &str, recorded: &Where) {
        match column {
            NamedColumn::Account => self.accounts.extend(value.parse::<AccountId>().ok()),
            NamedColumn::Address => self.addresses.extend(value.parse::<IpAddr>().ok()),
            NamedColumn::Resource => self.add_resource(value, recorded.clone()),
            NamedColumn::ResourceElsewhere => self.add_resource(value, Where::default()),
        }
    }

    fn add_resource(&mut self, id: &str, place: Where) {
        if Part::default().of(id).is_some() {
            self.resources.entry(place).or_default().insert(id.to_owned());
        }
    }

    /// The accounts.
    pub fn accounts(&self) -> &BTreeSet<AccountId> {
        &self.accounts
    }

    /// Whether EC2 must be called.
    pub fn needs_calls(&self) -> bool {
        !self.resources.is_empty() || !self.addresses.is_empty()
    }

    /// The accounts and regions to search: those of the rows if every row has them, otherwise those that the run is limited to.
    pub fn only(&self, given: &[Only]) -> Vec<Only> {
        let mut places = self.resources.keys();
        let accounts: Option<BTreeSet<AccountId>> =
            self.resources.keys().map(|place| place.account).collect();
        let Some(accounts) = accounts.filter(|_| self.addresses.is_empty()) else { return given.to_vec() };
        let regions = if places.all(|place| place.region.is_some()) {
            let regions: BTreeSet<&Region> =
                self.resources.keys().filter_map(|place| place.region.as_ref()).collect();
            regions.into_iter().cloned().map(Only::Region).collect()
        } else {
            given.iter().filter(|only| !only.is_of_member()).cloned().collect::<Vec<_>>()
        };
        accounts.into_iter().map(Only::Account).chain(regions).collect()
    }

    /// The lookups for an account-region.
    pub fn at(&self, place: &Place) -> Part {
        let mut part = Part { addresses: self.addresses.clone(), ..Part::default() };
        let here = self.resources.iter().filter(|(wanted, _)| wanted.contains(place));
        for id in here.flat_map(|(_, ids)| ids) {
            if let Some(ids) = part.of(id) {
                ids.insert(id.clone());
            }
        }
        part
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(account: &str, region: &str) -> Place {
        Place::new(account.parse().unwrap(), &region.parse().unwrap())
    }

    fn only(wanted: &Wanted, given: &[&str]) -> Vec<String> {
        let given: Vec<Only> = given.iter().map(|text| text.parse().unwrap()).collect();
        wanted.only(&given).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ids_are_looked_up_in_their_account_region_and_addresses_everywhere() {
        let mut wanted = Wanted::default();
        let here = Where::new(Some("222222222222"), Some("eu-west-1"));
        wanted.add(NamedColumn::Resource, "eni-0a1b2c3d", &here);
        wanted.add(NamedColumn::Resource, "i-0a1b2c3d", &Where::new(Some("333333333333"), None));
        assert_eq!(
            only(&wanted, &["shop", "eu-west-1"]),
            ["222222222222", "333333333333", "eu-west-1"],
            "regions of the run, because one row has no region"
        );
        let part = wanted.at(&place("222222222222", "eu-west-1"));
        assert_eq!(part.interfaces, BTreeSet::from(["eni-0a1b2c3d".to_owned()]));
        assert!(part.instances.is_empty() && wanted.at(&place("222222222222", "us-east-1")).is_empty());
        assert!(!wanted.at(&place("333333333333", "us-east-1")).is_empty());

        wanted.add(NamedColumn::Address, "10.0.0.7", &here);
        assert_eq!(only(&wanted, &["shop"]), ["shop"]);
        assert_eq!(wanted.at(&place("444444444444", "us-east-1")).addresses.len(), 1);
    }

    #[test]
    fn resources_of_the_other_end_are_looked_up_everywhere() {
        let mut wanted = Wanted::default();
        let here = Where::new(Some("222222222222"), Some("eu-west-1"));
        wanted.add(NamedColumn::ResourceElsewhere, "vpc-0a1b2c3d", &here);
        assert_eq!(only(&wanted, &[]), Vec::<String>::new());
        assert_eq!(wanted.at(&place("333333333333", "us-east-1")).vpcs.len(), 1);
    }

    #[test]
    fn other_text_is_not_looked_up() {
        let mut wanted = Wanted::default();
        for text in ["", "-", "eni-*", "unknown", "tgw-0a1b2c3d", "10.0.0.*", "eni-0a1b2c3d' OR"] {
            for column in [NamedColumn::Account, NamedColumn::Resource, NamedColumn::Address] {
                wanted.add(column, text, &Where::default());
            }
        }
        assert_eq!(wanted, Wanted::default());
        assert!(!wanted.needs_calls());
    }
}
