//! Merges a grant into the live policy. Statements without this fleet's mark stay byte for byte and in place, and
//! access of accounts that a managed statement allows is never revoked silently.

mod capacity;
mod form;
mod granted;
mod notes;
mod reserve;
mod survey;

use std::collections::BTreeSet;

use flowagg_core::fleet::GrantForm;
use flowagg_core::id::AccountId;

use flowagg_core::plan::Access;
pub use flowagg_core::plan::Unnamed;

pub use self::capacity::{Capacity, FormSize, Sizes, capacity, sizes};
pub use self::form::FormReason;
use self::granted::live_form;
pub use self::granted::{granted_by, granted_by_anyone};
use self::survey::Survey;
use crate::diff::{ChangeKind, statement_changes};
use crate::document::{Document, DocumentError, NOTHING};
use crate::grant::{Folders, Grant, GrantError, Sid, Statement};
use crate::json::Node;
use crate::service::names_delivery;
use crate::size;

/// The result of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Merged {
    /// The policy to write; the live text, byte for byte, if nothing changes.
    pub text: String,
    /// Whether its meaning differs from the live policy.
    pub changed: bool,
    /// Newly allowed accounts, as far as known: by name or through the organization.
    pub granted: BTreeSet<AccountId>,
    /// Accounts that are no longer allowed.
    pub revoked: BTreeSet<AccountId>,
    /// Accounts that a managed statement allowed and that stay allowed, although the grant does not name them and they
    /// are not known to belong to its organization.
    pub kept: BTreeSet<AccountId>,
    /// Regions that a managed statement allows for an account of the grant and that stay allowed, although the grant
    /// does not include them.
    pub kept_access: BTreeSet<Access>,
    /// Revoked access other than named accounts: regions that are no longer allowed, and members of an organization.
    pub revoked_access: BTreeSet<Access>,
    /// The size of the text without whitespace, which counts toward [`LIMIT`](size::LIMIT).
    pub bytes: usize,
    /// The form of the managed statements; never `auto`.
    pub form: GrantForm,
    /// The reason for the form.
    pub form_reason: FormReason,
    /// Other information for the user: statements changed by someone else, and conditions tightened or loosened.
    pub notes: Vec<String>,
}

/// An error in a merge.
///
/// [`Display`](std::fmt::Display) describes the error; [`help`](Self::help) how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// The live policy cannot be read.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The grant cannot be written in the requested form.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The policy would exceed the limit.
    #[error(
        "the bucket policy would have {} bytes{}, {} over the limit of {limit}{}: {accounts} accounts in form `{}` and \
         {foreign} bytes of other statements",
        bytes + reserved,
        reserve_words(*reserved),
        bytes + reserved - limit,
        if *limit == size::LIMIT { "" } else { " for form `auto`" },
        form.as_str()
    )]
    TooLarge {
        /// The compact size of the policy in bytes, in the smallest form that was tried.
        bytes: usize,
        /// The maximum size, including the reserved bytes.
        limit: usize,
        /// The bytes reserved for statements that AWS may append for flow logs in the hub account.
        reserved: usize,
        /// The smallest form that was tried.
        form: GrantForm,
        /// The number of accounts to list.
        accounts: usize,
        /// The compact size of the policy in bytes without managed statements.
        foreign: usize,
    },
    /// The form uses a policy variable, but the version of the live policy does not support variables.
    #[error("form `{}` needs policy variables, but the `Version` of the live policy is not 2012-10-17", form.as_str())]
    Version {
        /// The form.
        form: GrantForm,
    },
    /// The form denies every other account, but another statement allows some.
    #[error(
        "form `bound-deny` denies all other accounts, but statement {statement} also allows the delivery service"
    )]
    Shared {
        /// The other statement: its Sid in backticks, or its position in the list, starting at 1.
        statement: String,
    },
    /// The policy would have no statements, which S3 rejects.
    #[error("the bucket policy would have no statements")]
    Empty,
}

fn reserve_words(reserved: usize) -> String {
    if reserved == 0 {
        return String::new();
    }
    format!(
        " (including {reserved} reserved for statements that AWS may append for flow logs in the hub account)"
    )
}

impl MergeError {
    /// How to fix it, as an imperative sentence.
    pub fn help(&self) -> String {
        match self {
            Self::Document(error) => error.help().into(),
            Self::Grant(error) => error.help().into(),
            Self::TooLarge { form: GrantForm::Prefixes, .. } => {
                "use form `accounts` (30 bytes per account) or `organization` (no account list), or remove other statements"
                    .into()
            }
            Self::TooLarge { .. } => {
                "use form `organization` (no account list), remove other statements, or split the accounts among several \
                 buckets"
                    .into()
            }
            Self::Version { .. } => "check every `${` in the policy, then set its `Version` to 2012-10-17".into(),
            Self::Shared { .. } => "use another form, or remove that statement".into(),
            Self::Empty => "delete the bucket policy instead".into(),
        }
    }
}

/// Merges a grant into the live policy (`None` if the bucket has none).
///
/// A second merge makes no changes, even after S3 reformats the first result.
pub fn merge(live: Option<&str>, grant: &Grant, absent: Unnamed) -> Result<Merged, MergeError> {
    merge_as(live, grant, absent, None)
}

/// Merges these accounts of a grant into the live policy. All other accounts keep their access, whether or not they are
/// part of the grant.
///
/// The form is that of the whole grant, because a form that only fits a part would be kept when the rest is merged. A
/// statement for an organization cannot be limited to accounts.
pub(crate) fn merge_part(
    live: Option<&str>,
    grant: &Grant,
    accounts: &BTreeSet<AccountId>,
) -> Result<Merged, MergeError> {
    let whole = merge(live, grant, Unnamed::Keep)?;
    let part = grant.limited_to(|account| accounts.contains(account));
    merge_as(live, &part, Unnamed::Keep, Some((whole.form_reason, whole.form)))
}

/// Merges a grant, optionally in this form.
fn merge_as(
    live: Option<&str>,
    grant: &Grant,
    absent: Unnamed,
    form: Option<(FormReason, GrantForm)>,
) -> Result<Merged, MergeError> {
    let document = Document::parse(live.unwrap_or(NOTHING))?;
    let mut survey = Survey::of(&document, grant);
    let allows_organization = survey.allows_organization(grant);
    let mut notes = match absent {
        Unnamed::Keep => survey.settle(grant),
        Unnamed::Prune => Vec::new(),
    };

    let mut unnamed = survey.unnamed_regions(grant);
    let stay = if absent == Unnamed::Keep { unnamed.clone() } else { BTreeSet::new() };
    let write = |form| Written::new(&document, &survey, grant, form, absent, &stay);
    let (form_reason, written) = match form {
        Some((reason, form)) => (reason, write(form)?),
        None => form::choose(grant, live_form(&survey), absent, write)?,
    };
    if form_reason == FormReason::Unlisted {
        notes.extend(survey.stays_for_members(grant));
    }
    notes.extend(notes::between(&survey, &written.wanted));

    let form = written.form;
    let before = survey.accounts();
    let allowed = grant.allowed(form);
    let revoked = if absent == Unnamed::Prune { &before - &allowed } else { BTreeSet::new() };
    let new = if allows_organization { grant.named(GrantForm::Organization) } else { &allowed };
    let granted = new - &before;
    let named = grant.named(form);
    unnamed.retain(|access| matches!(access, Access::Region { account, .. } if named.contains(account)));
    let (kept_access, mut revoked_access) = match absent {
        Unnamed::Keep => (unnamed, BTreeSet::new()),
        Unnamed::Prune => (BTreeSet::new(), unnamed),
    };
    revoked_access.extend(survey.ends(grant, Some(form)));
    Ok(Merged {
        changed: live.is_none() || !written.edit.is_empty(),
        text: written.text,
        granted,
        revoked,
        kept: written.kept,
        kept_access,
        revoked_access,
        bytes: written.bytes,
        form,
        form_reason,
        notes,
    })
}

/// Removes the fleet's statements, regardless of their contents. `None` if no statement is left.
///
/// Only the grant's fleet name is used.
pub fn remove(live: &str, grant: &Grant) -> Result<Option<String>, MergeError> {
    let document = Document::parse(live)?;
    let ours = Survey::of(&document, grant).ours;
    if ours.is_empty() {
        return Ok(Some(live.to_owned()));
    }
    if ours.len() == document.statements().len() {
        return Ok(None);
    }
    let changes = ours.iter().map(|ours| (ours.index, None)).collect();
    Ok(Some(Edit { changes, added: Vec::new() }.apply(&document)))
}

/// Returns the names of the foreign statements of `before` that are missing from or different in `after`. `None` is a
/// bucket without a policy.
///
/// Only the grant's fleet name is used.
pub fn foreign_losses(
    before: Option<&str>,
    after: Option<&str>,
    grant: &Grant,
) -> Result<Vec<String>, MergeError> {
    let foreign = |policy: Option<&str>| match policy {
        Some(policy) => Ok::<_, MergeError>(remove(policy, grant)?.unwrap_or_else(|| NOTHING.to_owned())),
        None => Ok(NOTHING.to_owned()),
    };
    let (before, after) = (foreign(before)?, foreign(after)?);
    // The diff names a changed statement as in its second policy.
    let changes = statement_changes(&Document::parse(&after)?, &Document::parse(&before)?);
    let lost = changes.into_iter().filter(|change| change.kind != ChangeKind::Removed);
    Ok(lost.map(|change| change.statement).collect())
}

/// Returns the statements of a grant for a policy without other statements, each as compact JSON.
pub fn statements(grant: &Grant) -> Result<Vec<String>, MergeError> {
    let document = Document::parse(NOTHING)?;
    let survey = Survey::of(&document, grant);
    let write = |form| Written::new(&document, &survey, grant, form, Unnamed::Prune, &BTreeSet::new());
    Ok(form::choose(grant, None, Unnamed::Prune, write)?.1.edit.added)
}

/// The access that the fleet's statements allow, other than to named accounts.
///
/// Only the grant's fleet name, bucket, prefix and Hive setting are used.
pub(crate) fn unlisted(live: &str, grant: &Grant) -> Result<BTreeSet<Access>, DocumentError> {
    Ok(Survey::of(&Document::parse(live)?, grant).ends(grant, None))
}

/// The changes to the live document.
struct Edit {
    changes: Vec<(usize, Option<String>)>,
    added: Vec<String>,
}

impl Edit {
    fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.added.is_empty()
    }

    fn apply(&self, document: &Document<'_>) -> String {
        if self.is_empty() { document.text.to_owned() } else { document.edit(&self.changes, &self.added) }
    }
}

/// A policy written in a form.
struct Written {
    form: GrantForm,
    wanted: Vec<(Sid, Statement)>,
    /// The accounts that stay allowed although the grant does not name them.
    kept: BTreeSet<AccountId>,
    edit: Edit,
    text: String,
    bytes: usize,
}

impl Written {
    /// Writes the grant in this form (which must not be `auto`). The regions in `stay` stay allowed.
    fn new(
        document: &Document<'_>,
        survey: &Survey,
        grant: &Grant,
        form: GrantForm,
        absent: Unnamed,
        stay: &BTreeSet<Access>,
    ) -> Result<Self, MergeError> {
        let kept = match absent {
            Unnamed::Keep => &survey.accounts() - &grant.allowed(form),
            Unnamed::Prune => BTreeSet::new(),
        };
        let accounts = grant.named(form) | &kept;
        let grant = &survey.with_live_regions(grant, &kept, stay);
        let wanted = survey.numbered(grant, grant.groups(form, &accounts)?);
        check_form(document, survey, form, &wanted)?;
        let edit = survey.edit(grant, &wanted);
        let text = edit.apply(document);
        let bytes = size::compact_len(&text);
        // An unchanged policy needs no additional reserve.
        let reserved = if edit.is_empty() { 0 } else { reserve::bytes(document, grant)? };
        let margin = if grant.settings.form == GrantForm::Auto { size::AUTO_MARGIN } else { 0 };
        let limit = size::LIMIT - margin;
        if bytes + reserved > limit {
            let nothing_of_ours = survey.edit(grant, &[]).apply(document);
            let foreign = size::compact_len(&nothing_of_ours);
            return Err(MergeError::TooLarge {
                bytes,
                limit,
                reserved,
                form,
                accounts: accounts.len(),
                foreign,
            });
        }
        Ok(Self { form, wanted, kept, edit, text, bytes })
    }
}

/// Checks the requirements of the form on the rest of the policy.
fn check_form(
    document: &Document<'_>,
    survey: &Survey,
    form: GrantForm,
    wanted: &[(Sid, Statement)],
) -> Result<(), MergeError> {
    let foreign = || {
        let ours = |index: usize| survey.ours.iter().any(|ours| ours.index == index);
        document.statements().enumerate().filter(move |(index, _)| !ours(*index))
    };
    if wanted.is_empty() && foreign().next().is_none() {
        return Err(MergeError::Empty);
    }
    let bound = |(_, statement): &(Sid, Statement)| matches!(statement, Statement::Write(write) if write.folders == Folders::Own);
    if wanted.iter().any(bound) && document.version() != Some("2012-10-17") {
        return Err(MergeError::Version { form });
    }
    if form == GrantForm::BoundDeny {
        let shared = foreign().find(|(_, statement)| {
            names_delivery(*statement) && statement.get("Effect").and_then(Node::as_str) != Some("Deny")
        });
        if let Some((index, statement)) = shared {
            return Err(MergeError::Shared { statement: statement.name(index) });
        }
    }
    Ok(())
}
