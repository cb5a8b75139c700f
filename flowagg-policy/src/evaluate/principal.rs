//! Callers, and whether a `Principal` or `NotPrincipal` matches a caller.
//!
//! Source: "AWS JSON policy elements: Principal" and "NotPrincipal" (IAM User Guide).

use std::collections::BTreeSet;

use flowagg_core::id::AccountId;

/// The principal that sends a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// A request without credentials.
    Anonymous,
    /// The root user of an account, with the partition if it is given as an ARN.
    Account { id: AccountId, partition: Option<String> },
    /// An IAM user or role, a session of one, or an identity provider.
    Arn { arn: String, partition: String, account: Option<AccountId>, role: Option<Role> },
    /// An AWS service, a web identity provider, or a canonical user.
    Name(String),
}

/// The role of an assumed-role session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    /// `arn:PARTITION:iam::ACCOUNT:role/`
    start: String,
    name: String,
}

impl Role {
    /// Whether an ARN is the ARN of this role. The session's ARN does not contain the role's path.
    fn is(&self, arn: &str) -> bool {
        arn.strip_prefix(self.start.as_str()).is_some_and(|path| {
            path.strip_suffix(self.name.as_str()).is_some_and(|path| path.is_empty() || path.ends_with('/'))
        })
    }
}

impl Caller {
    pub(super) fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::Anonymous;
        }
        if let Ok(id) = AccountId::parse(text) {
            return Self::Account { id, partition: None };
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, _, account, resource] = parts.as_slice() else {
            return Self::Name(text.to_owned());
        };
        let account = AccountId::parse(account).ok();
        match (account, *service, *resource) {
            (Some(id), "iam", "root") => Self::Account { id, partition: Some((*partition).to_owned()) },
            _ => {
                let session = resource.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/'));
                let role = session.filter(|_| *service == "sts").map(|(name, _)| Role {
                    start: format!("arn:{partition}:iam::{}:role/", parts[4]),
                    name: name.to_owned(),
                });
                Self::Arn { arn: text.to_owned(), partition: (*partition).to_owned(), account, role }
            }
        }
    }
}

/// The principals of a statement.
#[derive(Debug, Default)]
pub(super) struct Principals {
    everyone: bool,
    every_service: bool,
    /// With the partition of the root user's ARN; empty for a bare account ID.
    accounts: BTreeSet<(AccountId, String)>,
    /// ARNs of users, roles, sessions and providers; IDs of deleted users and roles.
    arns: BTreeSet<String>,
    /// Services, web identity providers and canonical users.
    names: BTreeSet<String>,
}

impl Principals {
    /// `"*"`, which is the same as `{"AWS": "*"}`.
    pub(super) fn everyone() -> Self {
        Self { everyone: true, ..Self::default() }
    }

    /// Adds an entry of a principal map. Returns `None` for an unknown type.
    pub(super) fn add(&mut self, kind: &str, text: &str) -> Option<()> {
        match (kind, text) {
            ("AWS", "*") => self.everyone = true,
            ("Service", "*") => self.every_service = true,
            ("AWS", _) => match Caller::parse(text) {
                Caller::Account { id, partition } => {
                    self.accounts.insert((id, partition.unwrap_or_default()));
                }
                _ => {
                    self.arns.insert(text.to_owned());
                }
            },
            ("Federated", _) if text.starts_with("arn:") => {
                self.arns.insert(text.to_owned());
            }
            ("Service" | "Federated" | "CanonicalUser", _) => {
                self.names.insert(text.to_owned());
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether a `Principal` matches the caller. An account matches everyone in it.
    pub(super) fn include(&self, caller: &Caller) -> bool {
        self.everyone
            || match caller {
                Caller::Anonymous => false,
                Caller::Account { id, partition } => self.names_account(*id, partition.as_deref()),
                Caller::Arn { arn, partition, account, role } => {
                    account.is_some_and(|account| self.names_account(account, Some(partition)))
                        || self.names_arn(arn, role.as_ref())
                }
                Caller::Name(name) => self.names.contains(name) || (self.every_service && is_service(name)),
            }
    }

    /// Whether the `NotPrincipal` of a Deny exempts the caller. It must name every identity of the caller: the user, or
    /// the session and its role, and the account. An account alone only exempts its root user.
    pub(super) fn spare(&self, caller: &Caller) -> bool {
        match caller {
            Caller::Arn { arn, partition, account, role } if !self.everyone => {
                account.is_none_or(|account| self.names_account(account, Some(partition)))
                    && self.arns.contains(arn)
                    && role.as_ref().is_none_or(|role| self.arns.iter().any(|arn| role.is(arn)))
            }
            _ => self.include(caller),
        }
    }

    /// Whether the list contains a service.
    pub(super) fn names_a_service(&self) -> bool {
        self.every_service || self.names.iter().any(|name| is_service(name))
    }

    fn names_account(&self, id: AccountId, partition: Option<&str>) -> bool {
        self.accounts
            .range((id, String::new())..)
            .take_while(|(other, _)| *other == id)
            .any(|(_, of)| of.is_empty() || partition.is_none_or(|partition| of == partition))
    }

    fn names_arn(&self, arn: &str, role: Option<&Role>) -> bool {
        self.arns.contains(arn) || role.is_some_and(|role| self.arns.iter().any(|arn| role.is(arn)))
    }
}

/// Service principals end with AWS's domains, unlike canonical user IDs and identity providers.
fn is_service(name: &str) -> bool {
    name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn") || name.ends_with(".aws.internal")
}
