//! `flowagg init`: creates a fleet file.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use flowagg_core::fleet::{
    Discovery, FleetFile, Hub, Member, Organization, Part, Regions, Remark, Selection,
};
use flowagg_core::id::{AccountId, BucketName, IdError, OrganizationId, Region, RoleName};

use super::error::{CommandError, Problem};
use super::files::{can_be_file, write_text};
use crate::args::{FLEET_FILE, GlobalArgs, InitArgs};
use crate::aws::{FoundOrganization, InitDefaults, OpenOwnError, Session, init_defaults};
use crate::{Exit, Screen, show};

#[cfg(test)]
mod tests;

pub(super) async fn run(
    global: &GlobalArgs,
    options: &InitArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    if !options.force && global.config.is_file() {
        return Err(CommandError::file(
            format!("`{}` already exists; nothing was written", global.config.display()),
            "write another file with `-c FILE`, or use `--force` to overwrite it",
        ));
    }
    can_be_file(&global.config, FLEET_FILE)?;
    let defaults = if options.offline {
        None
    } else {
        match Session::open_own_account(&global.connection()).await {
            Ok(session) => Some(init_defaults(&session).await),
            Err(error @ OpenOwnError::Setting(_)) => return Err(error.into()),
            Err(error) => {
                screen.note(&format!("could not look up defaults from AWS: {error}"))?;
                None
            }
        }
    };
    let answers = ask(options, defaults.as_ref(), screen)?;
    let found =
        found(defaults.as_ref()).filter(|found| Some(&found.id) == answers.members.organization.as_ref());
    let is_chosen = screen.interactive || options.organization.is_some();
    let notes = notes(&answers.members, found, is_chosen);
    let file = file(answers, options);
    let text = file.to_toml(&remarks(&file, found, defaults.as_ref()));
    if let Err(error) = FleetFile::parse(&text) {
        let faults = error.faults.into_iter().map(|fault| Problem::new(fault.what, fault.help));
        return Err(CommandError::Usage(faults.collect()));
    }
    write_text(&global.config, text, options.force, screen)?;
    for note in notes {
        screen.note(&note)?;
    }
    show::next(&format!("review `{}`, then run `flowagg doctor`", global.config.display()), screen.err)?;
    Ok(Exit::Done)
}

/// The required values of a fleet file.
#[derive(Debug, PartialEq, Eq)]
struct Answers {
    account: AccountId,
    region: Region,
    bucket: BucketName,
    members: Members,
}

/// The accounts to log. Without `accounts`, it is every account of the organization.
#[derive(Debug, Default, PartialEq, Eq)]
struct Members {
    organization: Option<OrganizationId>,
    accounts: BTreeSet<AccountId>,
}

/// The organization of the caller, if it could be looked up.
fn found(defaults: Option<&InitDefaults>) -> Option<&FoundOrganization> {
    defaults?.organization.as_ref().ok()?.as_ref()
}

/// Takes each value from its option, a prompt, or the defaults from AWS, in that order. The error names the missing options.
fn ask(
    options: &InitArgs,
    defaults: Option<&InitDefaults>,
    screen: &mut Screen<'_>,
) -> Result<Answers, CommandError> {
    let account = defaults.map(|defaults| defaults.account);
    let account =
        given(options.hub_account, "Hub account (owns the bucket)", account, AccountId::parse_typed, screen)?;
    let region = defaults.and_then(|defaults| defaults.region.clone());
    let region = given(options.region.clone(), "Bucket region", region, Region::parse, screen)?;
    if let (Some(defaults), None) = (defaults, &options.bucket) {
        match &defaults.buckets {
            Ok(buckets) if screen.interactive => {
                for bucket in buckets.iter().filter(|bucket| bucket.as_str().contains("log")) {
                    writeln!(screen.err, "existing bucket: {bucket}")?;
                }
            }
            Ok(_) => {}
            Err(error) => screen.note(&format!("could not list existing buckets: {error}"))?,
        }
    }
    let own = account.and_then(|account| BucketName::parse(&format!("flow-logs-{account}")).ok());
    let what = "Bucket name (created by `apply` if missing)";
    let bucket = given(options.bucket.clone(), what, own, BucketName::parse, screen)?;
    let members = members(options, defaults, screen)?;
    match (account, region, bucket, members) {
        (Some(account), Some(region), Some(bucket), Some(members)) => {
            Ok(Answers { account, region, bucket, members })
        }
        (account, region, bucket, members) => {
            let missing = [
                account.is_none().then_some("`--hub-account`"),
                region.is_none().then_some("`--region`"),
                bucket.is_none().then_some("`--bucket`"),
                members.is_none().then_some("`--organization` or `--account`"),
            ];
            let missing: Vec<&str> = missing.into_iter().flatten().collect();
            let what = format!("missing: {}", missing.join(", "));
            Err(CommandError::usage(what, "pass them as options, or run `flowagg init` in a terminal"))
        }
    }
}

/// The accounts to log. The hub account is included only if it is named or belongs to the organization that is logged.
fn members(
    options: &InitArgs,
    defaults: Option<&InitDefaults>,
    screen: &mut Screen<'_>,
) -> Result<Option<Members>, CommandError> {
    if options.organization.is_some() || !options.account.is_empty() {
        let accounts = options.account.iter().copied().collect();
        return Ok(Some(Members { organization: options.organization.clone(), accounts }));
    }
    match defaults.map(|defaults| (defaults.account, &defaults.organization)) {
        Some((account, Ok(None))) => screen.note(&format!("account {account} is not in an organization"))?,
        Some((_, Err(error))) => {
            screen.note(&format!("could not look up the organization: {error}"))?;
        }
        Some((_, Ok(Some(_)))) | None => {}
    }
    if let Some(FoundOrganization { id, .. }) = found(defaults) {
        let whole = Members { organization: Some(id.clone()), ..Members::default() };
        if !screen.interactive {
            return Ok(Some(whole));
        }
        let answer = screen.answer(&format!("\nLog every account of organization {id}? [y/N] "))?;
        if show::is_yes(&answer.ok_or_else(canceled)?) {
            return Ok(Some(whole));
        }
    }
    if !screen.interactive {
        return Ok(None);
    }
    let prompt = "Accounts to log (comma-separated), or an organization ID: ";
    loop {
        match screen.answer(prompt)?.ok_or_else(canceled)?.parse::<Members>() {
            Ok(members) => return Ok(Some(members)),
            Err(error) => screen.error(&error.to_string(), error.help())?,
        }
    }
}

/// The error for an input that ended at a prompt.
fn canceled() -> CommandError {
    CommandError::usage(
        "input ended before all prompts were answered; nothing was written",
        "answer the prompts, or pass the values as options",
    )
}

impl FromStr for Members {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bare = text.trim_matches(QUOTES);
        if bare.starts_with("o-") {
            return Ok(Self { organization: Some(bare.parse()?), ..Self::default() });
        }
        let items: Vec<&str> = text.split([',', ' ']).filter(|item| !item.is_empty()).collect();
        // An empty answer is parsed, so that it is an error.
        let items = if items.is_empty() { vec![text] } else { items };
        let accounts = items.into_iter().map(AccountId::parse_typed).collect::<Result<_, _>>()?;
        Ok(Self { organization: None, accounts })
    }
}

/// Quotes around values that are copied from a fleet file.
const QUOTES: [char; 2] = ['"', '\''];

/// The value of an option, or the answer to a prompt. The prompt is repeated until the answer is valid. An empty answer selects the
/// default.
fn given<T: Display>(
    given: Option<T>,
    what: &str,
    default: Option<T>,
    parse: fn(&str) -> Result<T, IdError>,
    screen: &mut Screen<'_>,
) -> Result<Option<T>, CommandError> {
    if given.is_some() || !screen.interactive {
        return Ok(given.or(default));
    }
    let shown = default.as_ref().map_or(String::new(), |default| format!(" [{default}]"));
    loop {
        let answer = screen.answer(&format!("{what}{shown}: "))?.ok_or_else(canceled)?;
        if answer.is_empty() && default.is_some() {
            return Ok(default);
        }
        match parse(answer.trim_matches(QUOTES)) {
            Ok(value) => return Ok(Some(value)),
            Err(error) => screen.error(&error.to_string(), error.help())?,
        }
    }
}

/// Notes about the members of the written file. `is_chosen`: the user selected the organization.
fn notes(members: &Members, found: Option<&FoundOrganization>, is_chosen: bool) -> Vec<String> {
    let Some(found) = found.filter(|_| members.accounts.is_empty()) else { return Vec::new() };
    let by_default =
        format!("every account of organization {} is a member; select accounts with `--account`", found.id);
    let unlisted = found.listable.as_ref().err();
    let unlisted = unlisted.map(|error| format!("could not list the accounts of the organization: {error}"));
    (!is_chosen).then_some(by_default).into_iter().chain(unlisted).collect()
}

fn file(answers: Answers, options: &InitArgs) -> FleetFile {
    let Answers { account, region, bucket, members: Members { organization, accounts } } = answers;
    let regions = match &options.regions[..] {
        [] => Regions::ALL,
        these => Regions::These(these.iter().cloned().collect()),
    };
    let member = |account| Member::new(account, regions.clone(), options.role.clone(), Selection::default());
    let discovery = || Discovery::new(regions.clone(), options.role.clone());
    let mut hub = Hub::new(account, region, bucket);
    hub.prefix = options.prefix.clone();
    let mut file = FleetFile::new(hub);
    file.organization = organization.map(|id| {
        let mut organization = Organization::new(id);
        organization.discovery = accounts.is_empty().then(discovery);
        organization
    });
    file.members = accounts.into_iter().map(|account| (account, member(account))).collect();
    file
}

/// The comments in the file.
fn remarks(
    file: &FleetFile,
    found: Option<&FoundOrganization>,
    defaults: Option<&InitDefaults>,
) -> Vec<Remark> {
    let remark = |about, text: &str| Remark::new(about, text.to_owned());
    let buckets = defaults.and_then(|defaults| defaults.buckets.as_ref().ok());
    let is_existing = buckets.is_some_and(|buckets| buckets.contains(&file.hub.bucket));
    let mut remarks = vec![
        remark(
            Part::File,
            "Collects the VPC Flow Logs of these accounts in one S3 bucket. `flowagg plan` compares this file with AWS.",
        ),
        remark(
            Part::Hub,
            if is_existing {
                "This bucket exists and keeps its settings. Its own lifecycle rules expire flow logs unless `retention-days` is set."
            } else {
                "In a bucket that `apply` creates, objects expire after 90 days (see `retention-days`) and are encrypted by S3. Set `encryption` to use a KMS key."
            },
        ),
        remark(
            Part::FlowLogs,
            "Default: all traffic, AWS's default fields, plain text. Keys: `traffic`, `fields`, `file-format`, `aggregation-interval`, `tags`.",
        ),
        remark(Part::Policy, "Default: least privilege for these accounts (see `form`)."),
    ];
    let hub = file.hub.account;
    let is_default = |role: &RoleName| role.as_str() == RoleName::ORGANIZATION_ACCOUNT_ACCESS;
    let roles = file.members.values().filter(|member| member.account != hub).map(|member| &member.role);
    let mut roles = roles.chain(file.discovery().map(|(_, how)| &how.role));
    let own_organization = defaults.and_then(|defaults| defaults.organization.as_ref().ok()?.as_ref());
    if let Some(management) = own_organization.and_then(|found| found.management)
        && hub != management
        && let Some(role) = roles.find(|role| is_default(role))
    {
        let part = if file.discovery().is_some() { Part::Organization } else { Part::File };
        remarks.push(Remark::new(
            part,
            format!(
                "AWS creates `{role}` with a trust policy for the management account {management}, not for the hub account {hub}. Set \
                 `role` to a role that trusts {hub}, such as the one that `flowagg export iam` writes."
            ),
        ));
    }
    let Some((_, how)) = file.discovery() else { return remarks };
    remarks.push(remark(
        Part::Organization,
        "Every account of the organization is logged. To select accounts, use `units`, `except-units`, `accounts` and `except-accounts`.",
    ));
    let Some(found) = found else { return remarks };
    let management = found.management;
    if found.listable.is_err() {
        let account = management.map_or("…".to_owned(), |account| account.to_string());
        remarks.push(Remark::new(
            Part::Organization,
            format!(
                "The caller is not allowed to list the accounts. Set `lookup` to a role in the management account or in a delegated \
                 administrator account: `lookup = {{ account = \"{account}\", role = \"…\" }}`."
            ),
        ));
    }
    let caller = defaults.map(|defaults| defaults.account);
    if let Some(management) = management
        && ![Some(hub), caller].contains(&Some(management))
        && is_default(&how.role)
    {
        remarks.push(Remark::new(
            Part::Organization,
            format!(
                "AWS does not create `{}` in the management account {management}. Create the role there, or add the account to \
                 `except-accounts`.",
                how.role
            ),
        ));
    }
    remarks
}
