use std::fmt;

use serde::Serialize;

use super::{IdError, kept_text, text_name};

/// A kind of resource whose traffic a flow log records.
///
/// Source: "CreateFlowLogs", ResourceType (Amazon EC2 API Reference).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceKind {
    /// A VPC: all its current and future subnets and network interfaces.
    Vpc,
    /// A subnet: all its network interfaces.
    Subnet,
    /// A network interface.
    NetworkInterface,
    /// A transit gateway: all its attachments.
    TransitGateway,
}

impl ResourceKind {
    /// All kinds, with containers before their parts.
    pub const ALL: [Self; 4] = [Self::Vpc, Self::Subnet, Self::NetworkInterface, Self::TransitGateway];

    /// The value in the EC2 API.
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

    /// The singular noun for messages.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Vpc => "VPC",
            Self::Subnet => "subnet",
            Self::NetworkInterface => "network interface",
            Self::TransitGateway => "transit gateway",
        }
    }

    /// The maximum number of resources in one `CreateFlowLogs` call.
    ///
    /// Source: "CreateFlowLogs", ResourceIds (Amazon EC2 API Reference).
    pub fn most_in_a_call(self) -> usize {
        match self {
            Self::TransitGateway => 25,
            _ => 300,
        }
    }

    /// The resource type in an ARN: `arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-…`.
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

/// The ID of a resource that can have a flow log: `vpc-`, `subnet-`, `eni-` or `tgw-`, and 8 or 17 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    kind: ResourceKind,
    text: String,
}

impl ResourceId {
    /// Parses the ID of a VPC, subnet, network interface or transit gateway.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        const HELP: &str = "use an ID such as `vpc-0a1b2c3d4e5f67890`, `subnet-...`, `eni-...` or `tgw-...` with 8 or 17 hexadecimal digits";
        let what = "VPC, subnet, network interface or transit gateway ID";
        let kind = ResourceKind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()));
        match kind {
            Some(kind) => Ok(Self { kind, text: hexadecimal(text, kind.prefix(), what, HELP)? }),
            None => Err(IdError::new(text, what, "its prefix is unknown", HELP)),
        }
    }

    /// The kind of the resource.
    pub fn kind(&self) -> ResourceKind {
        self.kind
    }

    /// The ID as text.
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

/// The ID of the resource that a flow log records. It may be of a kind that flowagg does not support, such as a transit gateway
/// attachment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoggedId {
    /// The ID of a resource that a fleet file can select.
    Known(ResourceId),
    /// Any other text.
    Unknown(String),
}

impl LoggedId {
    /// The ID, if a fleet file can select the resource.
    pub fn known(&self) -> Option<&ResourceId> {
        match self {
            Self::Known(id) => Some(id),
            Self::Unknown(_) => None,
        }
    }

    /// Whether it is a transit gateway or an attachment of one. Their flow logs have different fields and no traffic type.
    pub fn is_of_transit_gateway(&self) -> bool {
        self.as_str().starts_with(ResourceKind::TransitGateway.prefix())
    }

    /// The ID as text.
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

/// The ID of a flow log: `fl-` and 8 or 17 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowLogId(String);

impl FlowLogId {
    /// A valid placeholder ID, for policy evaluation.
    pub fn example() -> Self {
        Self("fl-0123456789abcdef0".to_owned())
    }

    /// Parses the ID of a flow log.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        hexadecimal(text, "fl-", "flow log ID", "use an ID such as `fl-0a1b2c3d4e5f67890`").map(Self)
    }
}

kept_text!(FlowLogId);

/// Validates an EC2 ID.
fn hexadecimal(text: &str, prefix: &str, kind: &'static str, help: &'static str) -> Result<String, IdError> {
    if is_id(text, prefix) {
        return Ok(text.to_owned());
    }
    let why = format!("expected `{prefix}` and 8 or 17 hexadecimal digits");
    Err(IdError::new(text, kind, why, help))
}

/// Whether a text is an EC2 ID with this prefix, in the old short form or the long form.
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
    fn only_short_and_long_ids_are_accepted() {
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
    fn unknown_ids_are_kept_unchanged() {
        for text in ["vpc-1a2b3c4d", "tgw-0a1b2c3d4e5f67890", "tgw-attach-1a2b3c4d", "VPC-1A2B3C4D", ""] {
            let id = LoggedId::from(text);
            assert_eq!(id.as_str(), text);
            assert_eq!(id.known(), ResourceId::parse(text).ok().as_ref());
            assert_eq!(id.is_of_transit_gateway(), text.starts_with("tgw-"), "{text}");
        }
    }
}
