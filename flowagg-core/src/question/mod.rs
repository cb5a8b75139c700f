//! Named questions about flow logs, with parameters, required fields and SQL.
//!
//! A flow between two logged network interfaces is recorded twice. [`QuestionName::counts`] describes which record a question counts.
//! Without `flow-direction` the two records cannot be distinguished: such rows have `true` in the column [`BOTH_ENDS`].

mod argument;
mod dialect;
mod name;
mod needs;
mod rules;
mod saved;
mod sql;

use std::net::IpAddr;
use std::str::FromStr;

pub use argument::{
    Border, Gateway, Grouping, Hours, InterfaceId, InvalidValue, Level, Network, OfficeHours, Period, Ranked,
    Size, UtcOffset, Weekdays,
};
pub use dialect::{Dialect, Table};
pub use name::{Argument, QuestionName, UnknownQuestion};
pub use needs::{Needs, NotRecorded, unanswered};
pub use rules::{
    Direction, GroupInterface, RecordedPorts, RecordedTraffic, RulePeer, RuleProtocol, RuleUsage,
    SecurityGroup, SecurityGroupRule, SecurityGroups, UnusedRule, WhyUnused,
};
pub use saved::{Literal, Parameter, ParameterError, ParameterKind, SavedError, SavedQuestion};
pub use sql::BOTH_ENDS;

use crate::flow_log::FlowLogSpec;

/// A question with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// Pairs of addresses by bytes.
    Pairs {
        /// Which addresses.
        level: Level,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Addresses, instances or subnets by bytes.
    Top {
        /// The ranked resources.
        by: Ranked,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Traffic of an address.
    Who {
        /// The address.
        address: IpAddr,
    },
    /// Traffic of a network interface or an instance.
    Interface {
        /// The network interface or instance.
        id: InterfaceId,
    },
    /// Rejected traffic.
    Rejected,
    /// SSH and RDP.
    SshRdp,
    /// Requests to administration and database ports.
    AdminPorts {
        /// The ports; if empty, those of well-known services.
        ports: Vec<u16>,
        /// Networks that do not count as the internet.
        own: Vec<Network>,
    },
    /// Accepted requests from the internet.
    Inbound {
        /// Networks that do not count as the internet.
        own: Vec<Network>,
    },
    /// Traffic to the internet.
    Outbound {
        /// Networks that do not count as the internet.
        own: Vec<Network>,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Traffic through NAT gateways.
    Nat {
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Traffic through NAT gateways to services that have a gateway endpoint.
    NatToAws {
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Traffic between Availability Zones.
    CrossZone,
    /// Traffic between accounts, VPCs or regions.
    BetweenAccounts {
        /// Accounts, VPCs or regions.
        by: Border,
    },
    /// Bytes by account and day.
    ByDay {
        /// Days or hours.
        by: Period,
    },
    /// Large single flows.
    LargeFlows {
        /// The minimum number of bytes.
        above: Size,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Sources with many targets.
    Scans {
        /// The minimum number of targets or ports.
        above: u32,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Traffic outside office hours.
    OffHours {
        /// The office hours.
        office: OfficeHours,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Security group rules without traffic. Its SQL returns the traffic that [`RuleUsage`] compares with the rules.
    UnusedRules,
    /// Bytes by ECS service, task or tag.
    ByService {
        /// The grouping.
        by: Grouping,
    },
    /// Unencrypted traffic.
    Unencrypted,
}

/// The options of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Known NAT gateways.
    pub gateways: Vec<Gateway>,
    /// Networks that do not count as the internet, in addition to private ones.
    pub own: Vec<Network>,
    /// The office hours of a day.
    pub hours: Option<Hours>,
    /// The working days.
    pub weekdays: Option<Weekdays>,
    /// The UTC offset of the office.
    pub utc_offset: Option<UtcOffset>,
}

impl Options {
    /// The name of each option on the command line, and whether it is given.
    fn all(&self) -> [(&'static str, bool); 5] {
        [
            ("--nat", !self.gateways.is_empty()),
            ("--own", !self.own.is_empty()),
            ("--hours", self.hours.is_some()),
            ("--weekdays", self.weekdays.is_some()),
            ("--utc-offset", self.utc_offset.is_some()),
        ]
    }

    /// The names of the options that are given.
    pub fn given(&self) -> impl Iterator<Item = &'static str> {
        self.all().into_iter().filter_map(|(option, is_given)| is_given.then_some(option))
    }
}

/// Invalid arguments or options of a question.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// A required argument is missing.
    #[error("`{0}` requires an argument: {name}", name = .0.argument().map_or("", |argument| argument.name))]
    Missing(QuestionName),
    /// There are too many arguments.
    #[error("unexpected argument `{argument}` for `{question}`")]
    Unexpected {
        /// The question.
        question: QuestionName,
        /// The first unexpected argument.
        argument: String,
    },
    /// The argument is invalid.
    #[error("invalid argument `{argument}` for `{question}`: {source}")]
    Invalid {
        /// The question.
        question: QuestionName,
        /// The argument.
        argument: String,
        /// The expected value.
        source: InvalidValue,
    },
    /// The question does not support an option.
    #[error("`{question}` does not support `{option}`")]
    Option {
        /// The question.
        question: QuestionName,
        /// The option.
        option: &'static str,
    },
    /// The question supports `--nat` only with another argument.
    #[error("`{question}` supports `--nat` only with `{argument}`")]
    Nat {
        /// The question.
        question: QuestionName,
        /// The required argument.
        argument: &'static str,
    },
}

impl ArgumentError {
    /// The question.
    pub fn question(&self) -> QuestionName {
        match self {
            Self::Missing(question)
            | Self::Unexpected { question, .. }
            | Self::Invalid { question, .. }
            | Self::Option { question, .. }
            | Self::Nat { question, .. } => *question,
        }
    }

    /// A valid command line for the question.
    pub fn help(&self) -> String {
        if let Self::Nat { question, argument } = self {
            return format!("run e.g. `flowagg query {question} {argument} --nat eni-0a1b2c3d4e5f67890`");
        }
        format!("run e.g. `{}`; `flowagg query --list` shows all questions", self.question().example())
    }
}

/// The unparsed argument of a question.
struct Given<'a> {
    question: QuestionName,
    text: Option<&'a str>,
}

impl Given<'_> {
    fn optional<T>(
        &self,
        read: impl Fn(&str) -> Result<T, InvalidValue>,
    ) -> Result<Option<T>, ArgumentError> {
        let Some(text) = self.text else { return Ok(None) };
        let value = read(text).map_err(|source| ArgumentError::Invalid {
            question: self.question,
            argument: text.to_owned(),
            source,
        });
        value.map(Some)
    }

    fn or_default<T: FromStr<Err = InvalidValue> + Default>(&self) -> Result<T, ArgumentError> {
        Ok(self.optional(T::from_str)?.unwrap_or_default())
    }

    fn required<T>(&self, read: impl Fn(&str) -> Result<T, InvalidValue>) -> Result<T, ArgumentError> {
        self.optional(read)?.ok_or(ArgumentError::Missing(self.question))
    }
}

/// The default minimum number of targets or ports of a scan.
const SCAN: u32 = 100;

impl Question {
    /// A question with the arguments after its name, and options.
    pub fn new<'a>(
        name: QuestionName,
        arguments: impl IntoIterator<Item = &'a str>,
        options: Options,
    ) -> Result<Self, ArgumentError> {
        let mut arguments = arguments.into_iter();
        let text = if name.argument().is_some() { arguments.next() } else { None };
        if let Some(argument) = arguments.next() {
            return Err(ArgumentError::Unexpected { question: name, argument: argument.to_owned() });
        }
        if let Some(option) = options.given().find(|option| !name.takes().any(|taken| taken == *option)) {
            return Err(ArgumentError::Option { question: name, option });
        }
        let given = Given { question: name, text };
        let has_gateways = !options.gateways.is_empty();
        let Options { gateways, own, hours, weekdays, utc_offset } = options;
        let question = match name {
            QuestionName::Pairs => Self::Pairs { level: given.or_default()?, gateways },
            QuestionName::Top => Self::Top { by: given.or_default()?, gateways },
            QuestionName::Who => {
                let expected = InvalidValue::new("an IP address");
                let address = |text: &str| text.parse::<IpAddr>().map_err(|_| expected.clone());
                // Records contain plain IPv4 addresses, not addresses mapped to IPv6.
                Self::Who { address: given.required(address)?.to_canonical() }
            }
            QuestionName::Interface => Self::Interface { id: given.required(str::parse)? },
            QuestionName::Rejected => Self::Rejected,
            QuestionName::SshRdp => Self::SshRdp,
            QuestionName::AdminPorts => {
                let expected = InvalidValue::new("ports such as `22,5432`");
                let ports = |text: &str| text.split(',').map(str::parse).collect::<Result<_, _>>();
                let ports = given.optional(|text| ports(text).map_err(|_| expected.clone()))?;
                Self::AdminPorts { ports: ports.unwrap_or_default(), own }
            }
            QuestionName::Inbound => Self::Inbound { own },
            QuestionName::Outbound => Self::Outbound { own, gateways },
            QuestionName::Nat => Self::Nat { gateways },
            QuestionName::NatToAws => Self::NatToAws { gateways },
            QuestionName::CrossZone => Self::CrossZone,
            QuestionName::BetweenAccounts => Self::BetweenAccounts { by: given.or_default()? },
            QuestionName::ByDay => Self::ByDay { by: given.or_default()? },
            QuestionName::LargeFlows => Self::LargeFlows { above: given.or_default()?, gateways },
            QuestionName::Scans => {
                let expected = InvalidValue::new("a number of targets or ports");
                let above = given.optional(|text| text.parse().map_err(|_| expected.clone()))?;
                Self::Scans { above: above.unwrap_or(SCAN), gateways }
            }
            QuestionName::OffHours => {
                let office = OfficeHours {
                    hours: hours.unwrap_or_default(),
                    weekdays: weekdays.unwrap_or_default(),
                    utc_offset: utc_offset.unwrap_or_default(),
                };
                Self::OffHours { office, gateways }
            }
            QuestionName::UnusedRules => Self::UnusedRules,
            QuestionName::ByService => Self::ByService { by: given.or_default()? },
            QuestionName::Unencrypted => Self::Unencrypted,
        };
        // An option without effect is an error.
        let argument = match question {
            Self::Pairs { level: Level::Interfaces, .. } => Level::Packets.as_str(),
            Self::Top { by: Ranked::Instances | Ranked::Subnets, .. } => Ranked::Addresses.as_str(),
            _ => return Ok(question),
        };
        if has_gateways { Err(ArgumentError::Nat { question: name, argument }) } else { Ok(question) }
    }

    /// The question of its [example](QuestionName::example), without options.
    pub fn sample(name: QuestionName) -> Result<Self, ArgumentError> {
        let words = name.example().split(' ').skip(3).take_while(|word| !word.starts_with("--"));
        Self::new(name, words, Options::default())
    }

    /// The required fields of a question. If they depend on a fixed argument, there is one entry per argument; otherwise there is a
    /// single entry for the [example](QuestionName::example).
    pub fn needs_by_argument(name: QuestionName) -> Vec<(Option<&'static str>, Needs)> {
        let words = name.argument().map(|argument| argument.name).filter(|name| name.contains('|'));
        let words: Vec<&str> = words.into_iter().flat_map(|words| words.split('|')).collect();
        let with = |word: &&'static str| {
            let question = Self::new(name, [*word], Options::default()).ok()?;
            Some((Some(*word), question.needs()))
        };
        let mut needs: Vec<_> = words.iter().filter_map(with).collect();
        if needs.windows(2).all(|pair| pair[0].1 == pair[1].1) {
            needs = Self::sample(name).ok().into_iter().map(|question| (None, question.needs())).collect();
        }
        needs
    }

    /// An explanation of rows with the [mark](BOTH_ENDS).
    pub fn mark(&self) -> &'static str {
        match self {
            Self::Outbound { gateways, .. } if gateways.is_empty() => {
                "both ends counted: rows with `both_ends` have records without `traffic-path` or `flow-direction`, and traffic through a \
                 NAT gateway may be counted twice. Record these fields, or name the gateways with `--nat`"
            }
            _ => {
                "both ends counted: rows with `both_ends` have records without `flow-direction`, and flows that two network interfaces \
                 recorded are counted twice. Record the field to count them once"
            }
        }
    }

    /// The name of the question.
    pub fn name(&self) -> QuestionName {
        match self {
            Self::Pairs { .. } => QuestionName::Pairs,
            Self::Top { .. } => QuestionName::Top,
            Self::Who { .. } => QuestionName::Who,
            Self::Interface { .. } => QuestionName::Interface,
            Self::Rejected => QuestionName::Rejected,
            Self::SshRdp => QuestionName::SshRdp,
            Self::AdminPorts { .. } => QuestionName::AdminPorts,
            Self::Inbound { .. } => QuestionName::Inbound,
            Self::Outbound { .. } => QuestionName::Outbound,
            Self::Nat { .. } => QuestionName::Nat,
            Self::NatToAws { .. } => QuestionName::NatToAws,
            Self::CrossZone => QuestionName::CrossZone,
            Self::BetweenAccounts { .. } => QuestionName::BetweenAccounts,
            Self::ByDay { .. } => QuestionName::ByDay,
            Self::LargeFlows { .. } => QuestionName::LargeFlows,
            Self::Scans { .. } => QuestionName::Scans,
            Self::OffHours { .. } => QuestionName::OffHours,
            Self::UnusedRules => QuestionName::UnusedRules,
            Self::ByService { .. } => QuestionName::ByService,
            Self::Unencrypted => QuestionName::Unencrypted,
        }
    }

    /// Whether it uses the NAT gateways of the fleet, which must be looked up.
    pub fn asks_fleet(&self) -> bool {
        self.gateways().is_some_and(|gateways| gateways.contains(&Gateway::Fleet))
    }

    /// Adds NAT gateways, if the question supports them.
    pub fn with_gateways(mut self, more: impl IntoIterator<Item = Gateway>) -> Self {
        match &mut self {
            Self::Pairs { gateways, .. }
            | Self::Top { gateways, .. }
            | Self::Outbound { gateways, .. }
            | Self::Nat { gateways }
            | Self::NatToAws { gateways }
            | Self::LargeFlows { gateways, .. }
            | Self::Scans { gateways, .. }
            | Self::OffHours { gateways, .. } => gateways.extend(more),
            _ => {}
        }
        self
    }

    /// The question for a fleet with these flow logs. A question about NAT gateways uses those of the fleet if it names none and the
    /// records do not contain the type of network interfaces.
    pub fn of_fleet(self, spec: &FlowLogSpec) -> Self {
        match &self {
            Self::Nat { gateways } | Self::NatToAws { gateways }
                if gateways.is_empty() && !needs::is_recorded(spec, needs::INTERFACE_TYPE) =>
            {
                self.with_gateways([Gateway::Fleet])
            }
            _ => self,
        }
    }

    /// Whether it requires a list of NAT gateways from EC2: it is about gateways, and these flow logs do not record the type of
    /// network interfaces.
    pub fn needs_listed_gateways(&self, spec: &FlowLogSpec) -> bool {
        match self {
            Self::Nat { gateways } | Self::NatToAws { gateways } => {
                gateways == &[Gateway::Fleet] && !needs::is_recorded(spec, needs::INTERFACE_TYPE)
            }
            _ => false,
        }
    }

    /// The given NAT gateways; `None` if the question does not support them.
    pub fn gateways(&self) -> Option<&[Gateway]> {
        match self {
            Self::Pairs { gateways, .. }
            | Self::Top { gateways, .. }
            | Self::Outbound { gateways, .. }
            | Self::Nat { gateways }
            | Self::NatToAws { gateways }
            | Self::LargeFlows { gateways, .. }
            | Self::Scans { gateways, .. }
            | Self::OffHours { gateways, .. } => Some(gateways),
            _ => None,
        }
    }
}

impl QuestionName {
    /// The supported options.
    pub fn takes(self) -> impl Iterator<Item = &'static str> {
        let takes = move |option: &str| match option {
            "--nat" => matches!(
                self,
                Self::Pairs
                    | Self::Top
                    | Self::Outbound
                    | Self::Nat
                    | Self::NatToAws
                    | Self::LargeFlows
                    | Self::Scans
                    | Self::OffHours
            ),
            "--own" => matches!(self, Self::AdminPorts | Self::Inbound | Self::Outbound),
            _ => self == Self::OffHours,
        };
        Options::default().all().into_iter().filter_map(move |(option, _)| takes(option).then_some(option))
    }
}

#[cfg(test)]
mod tests;
