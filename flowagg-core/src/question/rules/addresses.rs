//! Finds the networks that contain an address.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::super::argument::Network;

/// Networks with values. Finding those that contain an address takes one lookup per prefix length.
#[derive(Clone, Debug)]
pub(super) struct Addresses<T> {
    networks: BTreeMap<Network, Vec<T>>,
    lengths: BTreeSet<u8>,
}

impl<T> Default for Addresses<T> {
    fn default() -> Self {
        Self { networks: BTreeMap::new(), lengths: BTreeSet::new() }
    }
}

impl<T> Addresses<T> {
    pub(super) fn insert(&mut self, network: Network, value: T) {
        self.lengths.insert(network.length());
        self.networks.entry(network.first()).or_default().push(value);
    }

    /// The values of the networks that contain an address.
    pub(super) fn of(&self, address: IpAddr) -> impl Iterator<Item = &T> {
        let networks = self.lengths.iter().filter_map(move |length| Network::around(address, *length));
        networks.filter_map(|network| self.networks.get(&network)).flatten()
    }
}
