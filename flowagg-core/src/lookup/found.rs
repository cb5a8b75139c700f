//! The results of a lookup: the names of resources and addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// A network interface, as EC2 returns it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InterfaceFacts {
    /// The tag `Name`.
    pub name: Option<String>,
    /// The instance that it is attached to.
    pub instance: Option<String>,
    /// The description. For the network interface of a service, it contains the purpose.
    pub description: Option<String>,
    /// The type, unless it is an ordinary network interface.
    pub kind: Option<String>,
    /// The addresses: private IPv4, IPv6, and associated public addresses.
    pub addresses: BTreeSet<IpAddr>,
}

/// The results from one or more account-regions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Instances, VPCs, subnets and NAT gateways, with their tag `Name`.
    resources: BTreeMap<String, Seen<Option<String>>>,
    interfaces: BTreeMap<String, Seen<InterfaceFacts>>,
}

/// A resource as an account sees it. Tags are only visible to the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen<T> {
    of: T,
    by_owner: bool,
}

/// The view of the owner replaces the view of another account.
fn see<T>(all: &mut BTreeMap<String, Seen<T>>, id: String, seen: Seen<T>) {
    if seen.by_owner || !all.contains_key(&id) {
        all.insert(id, seen);
    }
}

impl Found {
    /// Adds a network interface, as its owner or another account sees it.
    pub fn add_interface(&mut self, id: impl Into<String>, of: InterfaceFacts, by_owner: bool) {
        see(&mut self.interfaces, id.into(), Seen { of, by_owner });
    }

    /// Adds any other resource with its tag `Name`.
    pub fn add(&mut self, id: impl Into<String>, name: Option<String>, by_owner: bool) {
        see(&mut self.resources, id.into(), Seen { of: name, by_owner });
    }

    /// The instances that the network interfaces are attached to.
    pub fn instances(&self) -> impl Iterator<Item = &str> {
        self.interfaces.values().filter_map(|seen| seen.of.instance.as_deref())
    }

    /// Adds the results of another account-region.
    pub fn extend(&mut self, other: Self) {
        other.resources.into_iter().for_each(|(id, seen)| see(&mut self.resources, id, seen));
        other.interfaces.into_iter().for_each(|(id, seen)| see(&mut self.interfaces, id, seen));
    }

    /// The name of a resource: its tag `Name`. A network interface without one has the name of its instance, its description or its
    /// type.
    pub fn resource(&self, id: &str) -> Option<&str> {
        match self.interfaces.get(id) {
            Some(seen) => self.interface(&seen.of),
            None => self.tag(id),
        }
    }

    fn tag(&self, id: &str) -> Option<&str> {
        self.resources.get(id)?.of.as_deref().filter(|name| !name.trim().is_empty())
    }

    fn interface<'a>(&'a self, facts: &'a InterfaceFacts) -> Option<&'a str> {
        let some = |text: &'a Option<String>| text.as_deref().filter(|text| !text.trim().is_empty());
        // An instance that was not found belongs to another account: the network interface is managed by a service.
        let instance = facts.instance.as_deref().filter(|id| self.resources.contains_key(*id));
        some(&facts.name)
            .or_else(|| instance.map(|id| self.tag(id).unwrap_or(id)))
            .or_else(|| some(&facts.description))
            .or_else(|| some(&facts.kind))
    }

    /// The names of addresses: the name of the network interface with the address. An address of several network interfaces is
    /// omitted, unless all have the same name.
    pub fn addresses(&self) -> BTreeMap<IpAddr, &str> {
        let mut names: BTreeMap<IpAddr, BTreeSet<Option<&str>>> = BTreeMap::new();
        for seen in self.interfaces.values() {
            for address in &seen.of.addresses {
                names.entry(*address).or_default().insert(self.interface(&seen.of));
            }
        }
        let unambiguous = names.into_iter().filter(|(_, names)| names.len() == 1);
        unambiguous.filter_map(|(address, names)| Some((address, names.into_iter().next()??))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(address: &str) -> InterfaceFacts {
        InterfaceFacts { addresses: BTreeSet::from([address.parse().unwrap()]), ..InterfaceFacts::default() }
    }

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn interface_name_is_its_tag_instance_description_or_type() {
        let mut found = Found::default();
        found.add("i-1", text("web"), true);
        found.add("i-2", None, true);
        let instance = |id: &str| InterfaceFacts {
            instance: text(id),
            description: text("Primary network interface"),
            ..interface("10.0.0.1")
        };
        let cases = [
            (InterfaceFacts { name: text("uplink"), ..instance("i-1") }, text("uplink")),
            (instance("i-1"), text("web")),
            (instance("i-2"), text("i-2")),
            (instance("i-3"), text("Primary network interface")),
            (
                InterfaceFacts {
                    description: text("ELB app/shop/50dc6c495c0c9188"),
                    kind: text("load_balancer"),
                    ..interface("10.0.0.1")
                },
                text("ELB app/shop/50dc6c495c0c9188"),
            ),
            (
                InterfaceFacts {
                    name: text(" "),
                    description: text(""),
                    kind: text("lambda"),
                    ..interface("10.0.0.1")
                },
                text("lambda"),
            ),
            (interface("10.0.0.1"), None),
        ];
        for (n, (facts, expected)) in cases.into_iter().enumerate() {
            found.add_interface(format!("eni-{n}"), facts, true);
            assert_eq!(found.resource(&format!("eni-{n}")).map(str::to_owned), expected, "{n}");
        }
        assert_eq!(
            (found.resource("i-1"), found.resource("i-2"), found.resource("i-9")),
            (Some("web"), None, None)
        );
    }

    #[test]
    fn ambiguous_addresses_have_no_name() {
        let named =
            |name: Option<&str>| InterfaceFacts { name: name.and_then(text), ..interface("10.0.0.7") };
        let name_of = |names: &[Option<&str>]| {
            let mut found = Found::default();
            for (n, name) in names.iter().enumerate() {
                found.add_interface(format!("eni-{n}"), named(*name), true);
            }
            found.addresses().values().next().map(|name| (*name).to_owned())
        };
        assert_eq!(name_of(&[Some("web")]), text("web"));
        assert_eq!(name_of(&[Some("web"), Some("web")]), text("web"));
        assert_eq!(name_of(&[Some("web"), Some("db")]), None);
        assert_eq!(name_of(&[Some("web"), None]), None);
        assert_eq!(name_of(&[None]), None);
    }

    #[test]
    fn view_of_the_owner_takes_precedence() {
        let seen = |name: Option<&str>, by_owner| {
            let mut found = Found::default();
            found.add("vpc-1", name.and_then(text), by_owner);
            found.add_interface(
                "eni-1",
                InterfaceFacts { name: name.and_then(text), ..interface("10.0.0.7") },
                by_owner,
            );
            found
        };
        let [owner, other] = [seen(Some("main"), true), seen(None, false)];
        for [first, second] in [[&owner, &other], [&other, &owner]] {
            let mut found = first.clone();
            found.extend(second.clone());
            assert_eq!((found.resource("vpc-1"), found.resource("eni-1")), (Some("main"), Some("main")));
            assert_eq!(found.addresses().len(), 1, "one network interface, seen twice");
        }
    }
}
