//! The arguments and options of questions, parsed from text.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::id::{ResourceId, ResourceKind, is_id};

/// The error for an invalid argument of a question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct InvalidValue {
    expected: &'static str,
}

impl InvalidValue {
    pub(super) const fn new(expected: &'static str) -> Self {
        Self { expected }
    }
}

/// Declares an enum with a name for each variant, and `ALL`, `as_str` and `FromStr`.
macro_rules! words {
    ($(#[$about:meta])* $name:ident, $expected:literal, { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)+ }

        impl $name {
            /// All values. The first one is the default.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = InvalidValue;

            fn from_str(text: &str) -> Result<Self, InvalidValue> {
                let found = Self::ALL.iter().copied().find(|value| value.as_str() == text);
                found.ok_or(InvalidValue::new($expected))
            }
        }
    };
}

words! {
    /// The addresses of `pairs`.
    Level, "`interfaces` or `packets`", {
        /// Addresses of network interfaces: traffic through a gateway has one pair before and one after the gateway.
        #[default]
        Interfaces = "interfaces",
        /// Addresses in the packets (`pkt-srcaddr`, `pkt-dstaddr`).
        Packets = "packets",
    }
}

words! {
    /// The ranked resources of `top`.
    Ranked, "`addresses`, `instances` or `subnets`", {
        /// Addresses.
        #[default]
        Addresses = "addresses",
        /// Instances.
        Instances = "instances",
        /// Subnets.
        Subnets = "subnets",
    }
}

words! {
    /// The scope of `between-accounts`.
    Border, "`accounts`, `vpcs` or `regions`", {
        /// Accounts.
        #[default]
        Accounts = "accounts",
        /// VPCs.
        Vpcs = "vpcs",
        /// Regions.
        Regions = "regions",
    }
}

words! {
    /// The periods of `by-day`.
    Period, "`day` or `hour`", {
        /// Days (UTC).
        #[default]
        Day = "day",
        /// Hours (UTC).
        Hour = "hour",
    }
}

words! {
    /// The grouping of `by-service`.
    Grouping, "`ecs-service`, `ecs-task`, `instance-tag`, `interface-tag` or `asg-tag`", {
        /// Amazon ECS services, with their cluster.
        #[default]
        EcsService = "ecs-service",
        /// Amazon ECS tasks, with their cluster.
        EcsTask = "ecs-task",
        /// The tag of the instance that the flow log records.
        InstanceTag = "instance-tag",
        /// The tag of the network interface that the flow log records.
        InterfaceTag = "interface-tag",
        /// The tag of the Auto Scaling group that the flow log records.
        AsgTag = "asg-tag",
    }
}

/// A network interface or an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InterfaceId {
    /// `eni-...`
    Interface(ResourceId),
    /// `i-...`
    Instance(String),
}

impl FromStr for InterfaceId {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if let Some(id) = interface(text) {
            return Ok(Self::Interface(id));
        }
        let is_instance = is_id(text, "i-");
        let expected = "the ID of a network interface or an instance, e.g. `eni-0a1b2c3d4e5f67890`";
        is_instance.then(|| Self::Instance(text.to_owned())).ok_or(InvalidValue::new(expected))
    }
}

fn interface(text: &str) -> Option<ResourceId> {
    ResourceId::parse(text).ok().filter(|id| id.kind() == ResourceKind::NetworkInterface)
}

/// A NAT gateway, as records identify it: a zonal one by its network interface or its private address, a regional one by its ID
/// (`resource-id`).
///
/// Source: "Flow log record examples", traffic through a zonal and a regional NAT gateway (Amazon VPC User Guide).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gateway {
    /// The network interface of a zonal NAT gateway.
    Interface(ResourceId),
    /// The private address of a NAT gateway.
    Address(IpAddr),
    /// A regional NAT gateway: `nat-...`
    Regional(String),
    /// The gateways of the fleet: `fleet`. In SQL it matches records by their `interface-type`; the gateways that EC2 lists are
    /// [added](super::Question::with_gateways) by their IDs and as [`Listed`](Self::Listed).
    Fleet,
    /// An address of a gateway that EC2 lists and that is also named by its network interface. It only matches records without a
    /// network interface, because in another VPC the address may belong to something else.
    Listed(IpAddr),
}

impl Gateway {
    /// The text for [`Gateway::Fleet`].
    pub const FLEET: &str = "fleet";
}

impl FromStr for Gateway {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address.to_canonical()));
        }
        if let Some(id) = interface(text) {
            return Ok(Self::Interface(id));
        }
        if text == Self::FLEET {
            return Ok(Self::Fleet);
        }
        let is_gateway = is_id(text, "nat-");
        let expected = "the network interface (`eni-...`) or private address of a NAT gateway, the ID (`nat-...`) of a regional one, or `fleet`";
        is_gateway.then(|| Self::Regional(text.to_owned())).ok_or(InvalidValue::new(expected))
    }
}

/// A network such as `10.0.0.0/8`. It is displayed with its first address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// The network with this prefix length that contains an address; `None` if the address has fewer bits.
    pub fn around(address: IpAddr, length: u8) -> Option<Self> {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        (length <= longest).then(|| Self { address, length }.first())
    }

    /// Whether it contains an address.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && Self { address, length: self.length }.first() == self.first()
    }

    /// The same network with its first address.
    pub(super) fn first(&self) -> Self {
        let by = u32::from(self.length);
        let address = match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(by)).unwrap_or_default();
                IpAddr::V4((address.to_bits() & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(by)).unwrap_or_default();
                IpAddr::V6((address.to_bits() & mask).into())
            }
        };
        Self { address, length: self.length }
    }

    pub(super) fn length(&self) -> u8 {
        self.length
    }
}

impl From<IpAddr> for Network {
    /// The network that contains only this address.
    fn from(address: IpAddr) -> Self {
        Self { address, length: if address.is_ipv4() { 32 } else { 128 } }
    }
}

impl FromStr for Network {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let read = || {
            let (address, length) = text.split_once('/')?;
            let (address, length): (IpAddr, u8) = (address.parse().ok()?, length.parse().ok()?);
            let longest = if address.is_ipv4() { 32 } else { 128 };
            (length <= longest).then(|| Self { address: first(address, length), length })
        };
        read().ok_or(InvalidValue::new("a network such as `198.51.100.0/24` or `2001:db8::/32`"))
    }
}

/// The first address of the network with this prefix length that contains an address.
fn first(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or_default();
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or_default();
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

/// Office hours in local time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OfficeHours {
    /// The hours of a day.
    pub hours: Hours,
    /// The days of a week.
    pub weekdays: Weekdays,
    /// The offset of local time from UTC.
    pub utc_offset: UtcOffset,
}

/// A range of hours, from the start of the first to the start of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    from: u8,
    to: u8,
}

impl Hours {
    /// The start and the end in seconds since midnight.
    pub(super) fn seconds(self) -> [u32; 2] {
        [self.from, self.to].map(|hour| u32::from(hour) * 3_600)
    }
}

impl Default for Hours {
    /// 8 to 18.
    fn default() -> Self {
        Self { from: 8, to: 18 }
    }
}

impl FromStr for Hours {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        let read = || {
            let (from, to) = text.split_once('-')?;
            let (from, to): (u8, u8) = (from.parse().ok()?, to.parse().ok()?);
            (from < to && to <= 24).then_some(Self { from, to })
        };
        read().ok_or(InvalidValue::new("hours such as `8-18`"))
    }
}

/// Days of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekdays([bool; 7]);

impl Weekdays {
    const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// The days as numbers, starting with 0 for Monday.
    pub(super) fn numbers(self) -> impl Iterator<Item = usize> {
        (0..self.0.len()).filter(move |day| self.0[*day])
    }
}

impl Default for Weekdays {
    /// Monday to Friday.
    fn default() -> Self {
        Self([true, true, true, true, true, false, false])
    }
}

impl FromStr for Weekdays {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        const EXPECTED: InvalidValue = InvalidValue::new("days such as `mon-fri` or `sun,mon,tue`");
        let number = |name: &str| Self::NAMES.iter().position(|known| *known == name).ok_or(EXPECTED);
        let mut days = [false; 7];
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (mut day, last) = (number(first)?, number(last)?);
            days[day] = true;
            while day != last {
                day = (day + 1) % days.len();
                days[day] = true;
            }
        }
        Ok(Self(days))
    }
}

/// An offset from UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UtcOffset {
    minutes: i32,
}

impl UtcOffset {
    /// The offset in seconds.
    pub(super) fn seconds(self) -> i32 {
        self.minutes * 60
    }
}

impl FromStr for UtcOffset {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        // From UTC-12 to UTC+14.
        const POSSIBLE: std::ops::RangeInclusive<i32> = -720..=840;
        let read = || {
            let (sign, rest) = match text.strip_prefix('-') {
                Some(rest) => (-1, rest),
                None => (1, text.strip_prefix('+').unwrap_or(text)),
            };
            let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
            let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
            let minutes = sign * (i32::from(hours) * 60 + i32::from(minutes));
            (POSSIBLE.contains(&minutes) && !rest.starts_with('+')).then_some(Self { minutes })
        };
        read().ok_or(InvalidValue::new("an offset from UTC such as `+1` or `-03:30`"))
    }
}

/// A number of bytes, as in `500MB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(u64);

impl Size {
    /// Parses a number of bytes of any size: `500MB`, `7 tb`, `100`. Units are powers of 1,000.
    pub fn read(text: &str) -> Option<u64> {
        const UNITS: [(&str, u64); 4] =
            [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000)];
        let upper = text.to_ascii_uppercase();
        let unit = UNITS.iter().find_map(|(unit, factor)| Some((upper.strip_suffix(unit)?, *factor)));
        let (number, factor) = unit.unwrap_or((upper.strip_suffix('B').unwrap_or(&upper), 1));
        number.trim().parse::<u64>().ok()?.checked_mul(factor)
    }

    /// The number of bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl Default for Size {
    /// 500 MB.
    fn default() -> Self {
        Self(500_000_000)
    }
}

impl FromStr for Size {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        // The maximum of a signed 64-bit integer in SQL.
        let size = Self::read(text).filter(|size| i64::try_from(*size).is_ok());
        size.map(Self).ok_or(InvalidValue::new("a size such as `500MB`"))
    }
}
