use std::fmt;

use serde::Serialize;

use super::{IdError, kept_text, text_name};

/// A kind of resource whose traffic a flow log records.
///
/// Source: "CreateFlowLogs", ResourceType (Amazon EC2 API Reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceKind {
    /// A VPC: all its subnets and network interfaces, those that come later too.
    Vpc,
    /// A subnet: all its network interfaces.
    Subnet,
    /// A network interface.
    NetworkInterface,
    /// A transit gateway: all its attachments.
    TransitGateway,
}

impl ResourceKind {
    /// All kinds; what a resource of one kind is part of comes before it.
    pub const ALL: [Self; 4] = [Self::Vpc, Self::Subnet, Self::NetworkInterface, Self::TransitGateway];

    /// EC2's word.
    pub fn as_api(self) -> &'static str {
        match self {
            Self::Vpc => "VPC",
            Self::Subnet => "Subnet",
            Self::NetworkInterface => "NetworkInterface",
            Self::TransitGateway => "TransitGateway",
        }
    }

    /// The key in the fleet file, which is also the plural of the noun.
    pub fn key(self) -> &'static str {
        match self {
            Self::Vpc => "vpcs",
            Self::Subnet => "subnets",
            Self::NetworkInterface => "network-interfaces",
            Self::TransitGateway => "transit-gateways",
        }
    }

    /// The word for one, as people write it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Vpc => "VPC",
            Self::Subnet => "subnet",
            Self::NetworkInterface => "network interface",
            Self::TransitGateway => "transit gateway",
        }
    }

    /// The most that one `CreateFlowLogs` takes.
    ///
    /// Source: "CreateFlowLogs", ResourceIds (Amazon EC2 API Reference).
    pub fn most_in_a_call(self) -> usize {
        match self {
            Self::TransitGateway => 25,
            _ => 300,
        }
    }

    /// What stands before the id in an ARN: `arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-…`.
    ///
    /// Source: "Resource types defined by Amazon EC2" (Service Authorization Reference).
    pub fn arn_segment(self) -> &'static str {
        match self {
            Self::Vpc => "vpc",
            Self::Subnet => "subnet",
            Self::NetworkInterface => "network-interface",
            Self::TransitGateway => "transit-gateway",
        }
    }

    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Vpc => "vpc-",
            Self::Subnet => "subnet-",
            Self::NetworkInterface => "eni-",
            Self::TransitGateway => "tgw-",
        }
    }
}

/// The id of a resource that can have a flow log: `vpc-`, `subnet-`, `eni-` or `tgw-`, and 8 or 17 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    kind: ResourceKind,
    text: String,
}

impl ResourceId {
    /// Reads the id of a VPC, a subnet, a network interface or a transit gateway.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "as in `vpc-0a1b2c3d4e5f67890`, `subnet-...`, `eni-...` or `tgw-...`, with 8 or 17 hexadecimal digits";
        let what = "the id of a VPC, subnet, network interface or transit gateway";
        let kind = ResourceKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()));
        match kind {
            Some(kind) => Ok(Self { kind, text: hexadecimal(text, kind.prefix(), what, HELP)? }),
            None => Err(IdError::new(text, what, "it begins with none of their prefixes", HELP)),
        }
    }

    /// What it is the id of.
    pub fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

text_name!(ResourceId);

/// The id of what a flow log records, which AWS may extend to resources that flowagg does not know, such as transit gateway
/// attachments.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoggedId {
    /// The id of a resource that a fleet file can name.
    Known(ResourceId),
    /// Any other text.
    Unknown(String),
}

impl LoggedId {
    /// The id, if a fleet file can name the resource.
    pub fn known(&self) -> Option<&ResourceId> {
        match self {
            Self::Known(id) => Some(id),
            Self::Unknown(_) => None,
        }
    }

    /// Whether it is a transit gateway or an attachment of one. Their flow logs have their own fields and no traffic type.
    pub fn is_of_transit_gateway(&self) -> bool {
        self.as_str().starts_with(ResourceKind::TransitGateway.prefix())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(id) => id.as_str(),
            Self::Unknown(text) => text,
        }
    }
}

impl From<&str> for LoggedId {
    fn from(text: &str) -> Self {
        ResourceId::parse(text).map_or_else(|_| Self::Unknown(text.to_owned()), Self::Known)
    }
}

impl From<ResourceId> for LoggedId {
    fn from(id: ResourceId) -> Self {
        Self::Known(id)
    }
}

impl fmt::Display for LoggedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The id of a flow log: `fl-` and 8 or 17 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowLogId(String);

impl FlowLogId {
    /// A valid id of no particular flow log, for requests to a policy.
    pub fn example() -> Self {
        Self("fl-0123456789abcdef0".to_owned())
    }

    /// Reads the id of a flow log.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        hexadecimal(text, "fl-", "the id of a flow log", "as in `fl-0a1b2c3d4e5f67890`").map(Self)
    }
}

kept_text!(FlowLogId);

/// An id of EC2 as text.
fn hexadecimal(text: &str, prefix: &str, kind: &'static str, help: &'static str) -> Result<String, IdError> {
    if is_id(text, prefix) {
        return Ok(text.to_owned());
    }
    let why = format!("it is not `{prefix}` and 8 or 17 hexadecimal digits");
    Err(IdError::new(text, kind, why, help))
}

/// Whether a text is an id of EC2 with this prefix, in the short form of old or the long form.
///
/// Source: "Resource IDs" (Amazon EC2 User Guide).
pub(crate) fn is_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|rest| {
        matches!(rest.len(), 8 | 17) && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_ids_are_read_and_nothing_else() {
        for (good, kind) in [
            ("vpc-1a2b3c4d", ResourceKind::Vpc),
            ("vpc-0a1b2c3d4e5f67890", ResourceKind::Vpc),
            ("subnet-0a1b2c3d4e5f67890", ResourceKind::Subnet),
            ("eni-0a1b2c3d4e5f67890", ResourceKind::NetworkInterface),
            ("tgw-0a1b2c3d4e5f67890", ResourceKind::TransitGateway),
        ] {
            assert_eq!(ResourceId::parse(good).unwrap().kind(), kind);
        }
        assert!(FlowLogId::parse("fl-0a1b2c3d4e5f67890").is_ok());
        for bad in
            ["", "vpc-", "vpc-xyz", "vpc-1A2B3C4D", "fl-1a2b3c4d", "vpc-1a2b3c4d5", "tgw-attach-1a2b3c4d"]
        {
            assert!(ResourceId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_unknown_form_of_an_id_is_kept_as_it_is() {
        for text in ["vpc-1a2b3c4d", "tgw-0a1b2c3d4e5f67890", "tgw-attach-1a2b3c4d", "VPC-1A2B3C4D", ""] {
            let id = LoggedId::from(text);
            assert_eq!(id.as_str(), text);
            assert_eq!(id.known(), ResourceId::parse(text).ok().as_ref());
            assert_eq!(id.is_of_transit_gateway(), text.starts_with("tgw-"), "{text}");
        }
    }
}
