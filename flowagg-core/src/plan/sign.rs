//! The effect of a change as one character.

use super::{HubChange, PolicyChange, Step, Strength};

/// The effect of a change. A change that may lose data, expose data or replace something is `Destructive`, whatever else it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// It creates something.
    Create,
    /// It changes something in place.
    Change,
    /// It removes something.
    Remove,
    /// It replaces something, or may lose or expose data.
    Destructive,
}

impl Sign {
    /// All values.
    pub const ALL: [Self; 4] = [Self::Create, Self::Change, Self::Remove, Self::Destructive];

    /// The character.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "+",
            Self::Change => "~",
            Self::Remove => "-",
            Self::Destructive => "!",
        }
    }
}

impl HubChange {
    /// The effect of the change.
    pub fn sign(&self) -> Sign {
        match self {
            Self::CreateBucket { .. } => Sign::Create,
            Self::BlockPublicAccess { compared, .. }
            | Self::EnforceBucketOwner { compared, .. }
            | Self::Encrypt { compared, .. } => match compared {
                None => Sign::Create,
                Some(Strength::Weaker) => Sign::Destructive,
                Some(Strength::Stronger | Strength::Different) => Sign::Change,
            },
            Self::SetLifecycle(change) if !change.sooner.is_empty() => Sign::Destructive,
            Self::SetLifecycle(change) if change.replaces.is_none() => Sign::Create,
            Self::SetLifecycle(_) => Sign::Change,
            Self::PutPolicy(change) => change.sign(),
            Self::RemoveLifecycle(_) | Self::RemoveGrant(_) => Sign::Remove,
        }
    }
}

impl PolicyChange {
    fn sign(&self) -> Sign {
        let keeps = self.revoked.is_empty() && self.revoked_access.is_empty() && self.adopted.is_empty();
        match self.replaces {
            _ if !keeps => Sign::Destructive,
            None => Sign::Create,
            Some(_) => Sign::Change,
        }
    }
}

impl Step {
    /// The effect of the step.
    pub fn sign(&self) -> Sign {
        match self {
            Self::Create => Sign::Create,
            Self::Tag { .. } => Sign::Change,
            Self::Delete { .. } => Sign::Remove,
            Self::Replace { .. } => Sign::Destructive,
        }
    }
}
