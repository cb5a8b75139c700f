//! `flowagg init`: a first fleet file.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, BufRead, Write as _};
use std::str::FromStr;

use flowagg_core::fleet::{
    Discovery, FleetFile, Hub, Member, Organization, Part, Regions, Remark, Selection,
};
use flowagg_core::id::{AccountId, BucketName, IdError, OrganizationId, Region};

use super::error::{CommandError, Problem};
use super::files::write_text;
use crate::args::{GlobalArgs, InitArgs};
use crate::aws::{InitDefaults, Session, init_defaults};
use crate::{Exit, Screen};

pub(super) async fn run(
    global: &GlobalArgs,
    options: &InitArgs,
    screen: &mut Screen<'_>,
) -> Result<Exit, CommandError> {
    let defaults = if options.offline {
        None
    } else {
        match Session::open_own_account(&global.connection()).await {
            Ok(session) => Some(init_defaults(&session).await),
            Err(error) => {
                screen.note(&format!("AWS tells nothing here: {error}"))?;
                None
            }
        }
    };
    let answers = ask(options, defaults.as_ref(), screen)?;
    let file = file(answers, options);
    let text = file.to_toml(&remarks(&file));
    if let Err(error) = FleetFile::parse(&text) {
        let faults = error.faults.into_iter().map(|fault| Problem::new(fault.what, fault.help));
        return Err(CommandError::Usage(faults.collect()));
    }
    write_text(&global.config, text, options.force, screen)?;
    writeln!(screen.err, "\nnow read it, and then: flowagg doctor, flowagg plan, flowagg apply")?;
    Ok(Exit::Done)
}

/// What the file cannot do without.
struct Answers {
    account: AccountId,
    region: Region,
    bucket: BucketName,
    /// Its accounts are logged where none are named.
    organization: Option<OrganizationId>,
}

/// From the options, else from answers in the terminal, else from AWS. The error names the options that are missing.
fn ask(
    options: &InitArgs,
    defaults: Option<&InitDefaults>,
    screen: &mut Screen<'_>,
) -> Result<Answers, CommandError> {
    let account = defaults.map(|defaults| defaults.account);
    let account = given(options.hub_account, "the account of the bucket", account, screen)?;
    let region = defaults.map(|defaults| defaults.region.clone());
    let region = given(options.region.clone(), "its region", region, screen)?;
    if let (Some(defaults), None, true) = (defaults, &options.bucket, screen.interactive) {
        for bucket in &defaults.buckets {
            writeln!(screen.err, "there is {bucket}")?;
        }
    }
    let own = account.and_then(|account| BucketName::parse(&format!("flow-logs-{account}")).ok());
    let bucket = given(options.bucket.clone(), "the bucket; `apply` makes it", own, screen)?;
    let organization = match (&options.organization, options.account.is_empty(), defaults) {
        (None, true, Some(InitDefaults { organization: Some(id), .. })) => {
            let all = !screen.interactive
                || screen.agreed(&format!("log every account of the organization {id}?"))?;
            all.then(|| id.clone())
        }
        (given, ..) => given.clone(),
    };
    match (account, region, bucket) {
        (Some(account), Some(region), Some(bucket)) => Ok(Answers { account, region, bucket, organization }),
        (account, region, bucket) => {
            let missing = [
                account.is_none().then_some("--hub-account"),
                region.is_none().then_some("--region"),
                bucket.is_none().then_some("--bucket"),
            ];
            let missing: Vec<&str> = missing.into_iter().flatten().collect();
            let what = format!("nobody can be asked for {}", missing.join(" and "));
            Err(CommandError::usage(what, "give it by its option, or run it in a terminal"))
        }
    }
}

/// A value that is given, or asked for until it can be read; an empty answer takes what is known.
fn given<T: FromStr<Err = IdError> + Display>(
    given: Option<T>,
    what: &str,
    known: Option<T>,
    screen: &mut Screen<'_>,
) -> io::Result<Option<T>> {
    if given.is_some() || !screen.interactive {
        return Ok(given.or(known));
    }
    loop {
        let default = known.as_ref().map_or(String::new(), |known| format!(" [{known}]"));
        write!(screen.err, "{what}{default}: ")?;
        screen.err.flush()?;
        let mut answer = String::new();
        if io::stdin().lock().read_line(&mut answer)? == 0 {
            return Ok(known);
        }
        match answer.trim() {
            "" if known.is_some() => return Ok(known),
            text => match text.parse() {
                Ok(value) => return Ok(Some(value)),
                Err(error) => screen.error(&error.to_string(), error.help())?,
            },
        }
    }
}

fn file(Answers { account, region, bucket, organization }: Answers, options: &InitArgs) -> FleetFile {
    let regions = match &options.regions[..] {
        [] => Regions::ALL,
        these => Regions::These(these.iter().cloned().collect()),
    };
    let named: BTreeSet<AccountId> = match (&options.account[..], &organization) {
        ([], None) => BTreeSet::from([account]),
        (these, _) => these.iter().copied().collect(),
    };
    let member = |account| Member::new(account, regions.clone(), options.role.clone(), Selection::default());
    let discovery = || Discovery::new(regions.clone(), options.role.clone());
    let mut hub = Hub::new(account, region, bucket);
    hub.prefix = options.prefix.clone();
    let mut file = FleetFile::new(hub);
    file.organization = organization.map(|id| {
        let mut organization = Organization::new(id);
        organization.discovery = named.is_empty().then(discovery);
        organization
    });
    file.members = named.into_iter().map(|account| (account, member(account))).collect();
    file
}

/// What whoever reads the file for the first time should know.
fn remarks(file: &FleetFile) -> Vec<Remark> {
    let remark = |about, text: &str| Remark::new(about, text.to_owned());
    let mut remarks = vec![
        remark(
            Part::File,
            "The VPC Flow Logs of these accounts, in one S3 bucket. `flowagg plan` shows what differs from it.",
        ),
        remark(
            Part::Hub,
            "Objects expire after 90 days: `retention-days`. S3 encrypts them: `encryption` names a KMS key.",
        ),
        remark(
            Part::FlowLogs,
            "All traffic, in AWS's default fields, as text: `traffic`, `fields`, `file-format`, `aggregation-interval`, `tags`.",
        ),
        remark(
            Part::Policy,
            "The smallest grant that lets these accounts deliver, each with its own account id: `form`.",
        ),
    ];
    if file.discovery().is_some() {
        remarks.push(remark(
            Part::Organization,
            "Every account of it: `units`, `except-units`, `accounts` and `except-accounts` choose among them.",
        ));
    }
    remarks
}
