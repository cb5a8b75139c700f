//! What people ask of flow logs: named questions with parameters, the fields that they need, and their SQL.
//!
//! A flow between two network interfaces that are both logged is recorded twice. [`QuestionName::counts`] says which record a question
//! counts. Where records have no `flow-direction`, the two cannot be told apart: such rows have `true` in the column [`BOTH_ENDS`].

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
        /// Whose addresses.
        level: Level,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Addresses, instances or subnets by bytes.
    Top {
        /// What is ranked.
        by: Ranked,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// What an address sent and received.
    Who {
        /// The address.
        address: IpAddr,
    },
    /// What a network interface or an instance did.
    Interface {
        /// Which one.
        id: InterfaceId,
    },
    /// Rejected traffic.
    Rejected,
    /// SSH and RDP.
    SshRdp,
    /// Ports of administration and databases.
    AdminPorts {
        /// The ports; without any, those of well-known services.
        ports: Vec<u16>,
        /// Networks that are not the internet.
        own: Vec<Network>,
    },
    /// Accepted requests from the internet.
    Inbound {
        /// Networks that are not the internet.
        own: Vec<Network>,
    },
    /// Traffic to the internet.
    Outbound {
        /// Networks that are not the internet.
        own: Vec<Network>,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// What passes NAT gateways.
    Nat {
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// What passes NAT gateways to services that have a gateway endpoint.
    NatToAws {
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Traffic between availability zones.
    CrossZone,
    /// Traffic between accounts, VPCs or regions.
    BetweenAccounts {
        /// Between what.
        by: Border,
    },
    /// Bytes by account and day.
    ByDay {
        /// Days or hours.
        by: Period,
    },
    /// Large single flows.
    LargeFlows {
        /// From how many bytes.
        above: Size,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Sources with many targets.
    Scans {
        /// From how many targets or ports.
        above: u32,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Traffic outside office hours.
    OffHours {
        /// When people work.
        office: OfficeHours,
        /// Known NAT gateways.
        gateways: Vec<Gateway>,
    },
    /// Security group rules without traffic. Its SQL has what [`RuleUsage`] compares with the rules.
    UnusedRules,
    /// Bytes by ECS service, task or tag.
    ByService {
        /// By what.
        by: Grouping,
    },
    /// Traffic that is not encrypted.
    Unencrypted,
}

/// What a question may be asked with besides its argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Known NAT gateways.
    pub gateways: Vec<Gateway>,
    /// Networks that are not the internet, besides private ones.
    pub own: Vec<Network>,
    /// The hours of the office.
    pub hours: Option<Hours>,
    /// The days of the office.
    pub weekdays: Option<Weekdays>,
    /// The clock of the office.
    pub utc_offset: Option<UtcOffset>,
}

impl Options {
    /// Each option by its name on the command line, and whether it is given.
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

/// Why a question cannot be asked with what was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// Its argument is not given.
    #[error("`{0}` needs an argument: {name}", name = .0.argument().map_or("", |argument| argument.name))]
    Missing(QuestionName),
    /// More arguments than it takes.
    #[error("unexpected argument `{argument}` of `{question}`")]
    Unexpected {
        /// The question.
        question: QuestionName,
        /// The first one too many.
        argument: String,
    },
    /// Its argument is something else.
    #[error("invalid argument `{argument}` of `{question}`: {source}")]
    Invalid {
        /// The question.
        question: QuestionName,
        /// The argument.
        argument: String,
        /// What it should be.
        source: InvalidValue,
    },
    /// An option that it does not take.
    #[error("`{option}` is not an option of `{question}`")]
    Option {
        /// The question.
        question: QuestionName,
        /// The option.
        option: &'static str,
    },
    /// An option that it takes with another argument only.
    #[error("`--nat` is only an option of `{question}` with `{argument}`")]
    Nat {
        /// The question.
        question: QuestionName,
        /// The argument with which it takes the option.
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

    /// A command line of the question that is right.
    pub fn help(&self) -> String {
        if let Self::Nat { question, argument } = self {
            return format!("as in `flowagg query {question} {argument} --nat eni-0a1b2c3d4e5f67890`");
        }
        format!("as in `{}`; `flowagg query --list` shows all questions", self.question().example())
    }
}

/// The argument of a question, to be read.
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

/// From how many targets or ports a source is a scan.
const SCAN: u32 = 100;

impl Question {
    /// A question with the arguments that follow its name, and options.
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
                // Records have IPv4 addresses as such, not mapped to IPv6.
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
        // What would have no effect is an error.
        let argument = match question {
            Self::Pairs { level: Level::Interfaces, .. } => Level::Packets.as_str(),
            Self::Top { by: Ranked::Instances | Ranked::Subnets, .. } => Ranked::Addresses.as_str(),
            _ => return Ok(question),
        };
        if has_gateways { Err(ArgumentError::Nat { question: name, argument }) } else { Ok(question) }
    }

    /// A question as in its [example](QuestionName::example), without options.
    pub fn sample(name: QuestionName) -> Result<Self, ArgumentError> {
        let words = name.example().split(' ').skip(3).take_while(|word| !word.starts_with("--"));
        Self::new(name, words, Options::default())
    }

    /// The needs of a question: one that is asked by a word with each word that needs other fields, any other as in its
    /// [example](QuestionName::example).
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

    /// What it means that a row has the [mark](BOTH_ENDS).
    pub fn mark(&self) -> &'static str {
        match self {
            Self::Outbound { gateways, .. } if gateways.is_empty() => {
                "both ends counted: rows with `both_ends` have records without `traffic-path` or `flow-direction`, and what passes a NAT \
                 gateway may be in them twice. Record these fields, or name the gateways with `--nat`"
            }
            _ => {
                "both ends counted: rows with `both_ends` have records without `flow-direction`, and a flow that two network interfaces \
                 recorded is in them twice. Record the field to count it once"
            }
        }
    }

    /// Its name.
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

    /// Whether it is asked with the NAT gateways of the fleet, which have to be looked up.
    pub fn asks_fleet(&self) -> bool {
        self.gateways().is_some_and(|gateways| gateways.contains(&Gateway::Fleet))
    }

    /// The same question with more NAT gateways, if it takes any.
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

    /// The question for a fleet with these flow logs. What passes NAT gateways is asked with those of the fleet, if it is asked without
    /// any and the records do not say which network interfaces are gateways.
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

    /// Whether it has no answer without NAT gateways that EC2 lists: it is about gateways, and these flow logs do not record which network
    /// interfaces are gateways.
    pub fn needs_listed_gateways(&self, spec: &FlowLogSpec) -> bool {
        match self {
            Self::Nat { gateways } | Self::NatToAws { gateways } => {
                gateways == &[Gateway::Fleet] && !needs::is_recorded(spec, needs::INTERFACE_TYPE)
            }
            _ => false,
        }
    }

    /// The NAT gateways that it was asked with; `None` if it takes none.
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
    /// The options that it takes.
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
