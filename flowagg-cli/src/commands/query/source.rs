//! The source of a query: the fleet's bucket, another bucket, or a local folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flowagg_core::fleet::{Fleet, FleetFile, Only};
use flowagg_core::id::{BucketName, Prefix};
use flowagg_query::{FlowLogs, FlowLogsBuilder, Scope};

use super::super::error::CommandError;
use super::super::start::{self, Access};
use crate::Screen;
use crate::args::{FLEET_FILE, GlobalArgs, QueryArgs};
use crate::aws::observe::{Detail, survey_in};
use crate::aws::{BucketObjects, Session, locate_bucket};

/// The source of a query.
pub(super) struct Source {
    pub(super) table: FlowLogsBuilder,
    /// The folder that contains `AWSLogs/`.
    pub(super) prefix: Option<Prefix>,
    pub(super) scope: Scope,
    /// Whether it is a bucket, where requests cost money.
    pub(super) in_bucket: bool,
    /// The local folder that contains `AWSLogs/`; `None` for a bucket.
    pub(super) folder: Option<PathBuf>,
    /// The fleet that owns the bucket, if the fleet file was read.
    pub(super) fleet: Option<FleetSource>,
}

/// A fleet, for lookups in its accounts.
pub(super) struct FleetSource {
    /// The fleet file, with the read roles.
    pub(super) file: FleetFile,
    pub(super) session: Session,
}

pub(super) async fn open(
    global: &GlobalArgs,
    options: &QueryArgs,
    screen: &mut Screen<'_>,
) -> Result<Source, CommandError> {
    let option = match (&options.bucket, &options.path) {
        (None, None) => return of_fleet(global, options, screen).await,
        (Some(_), _) => "--bucket",
        (None, Some(_)) => "--path",
    };
    if global.config != Path::new(FLEET_FILE) {
        let what = format!("`--config` and `{option}` cannot be used together");
        return Err(CommandError::usage(
            what,
            format!("remove `{option}` to read the bucket of the fleet file"),
        ));
    }
    let mut source = match (&options.bucket, &options.path) {
        (Some(bucket), _) => in_bucket(global, bucket, screen).await?,
        (None, path) => in_folder(path.as_deref().unwrap_or(Path::new(".")), options)?,
    };
    source.prefix = options.prefix.as_ref().and_then(|prefix| prefix.prefix().cloned());
    if let Some(Only::Name(name)) = global.only.iter().find(|only| matches!(only, Only::Name(_))) {
        let what = format!("`--only {name}` is the name of a member, which needs a fleet file");
        return Err(CommandError::usage(what, "select accounts by ID and regions by code"));
    }
    source.scope = selected(&global.only);
    Ok(source)
}

/// Opens the bucket of the fleet file. Members are looked up only if they are selected by name.
async fn of_fleet(
    global: &GlobalArgs,
    options: &QueryArgs,
    screen: &mut Screen<'_>,
) -> Result<Source, CommandError> {
    let (file, session) = start::open(global, Access::Read, screen).await?;
    let by_name = global.only.iter().any(|only| matches!(only, Only::Name(_)));
    let scope = match file.named() {
        Ok(fleet) => of_members(&global.only, &fleet),
        Err(_) if by_name => {
            let (file, only) = (file.clone(), &global.only);
            let found = screen
                .reading(async |progress| survey_in(Detail::Places, file, &session, only, progress).await);
            let fleet = found.await?.fleet;
            start::selected(global, &fleet)?;
            of_members(&global.only, &fleet)
        }
        Err(_) => selected(&global.only),
    };
    Ok(of_hub(FleetSource { file, session }, options, scope))
}

/// Opens the bucket of a fleet.
pub(super) fn of_hub(fleet: FleetSource, options: &QueryArgs, scope: Scope) -> Source {
    let FleetSource { file, session } = &fleet;
    let hub = &file.hub;
    let prefix = match &options.prefix {
        Some(prefix) => prefix.prefix().cloned(),
        None => hub.prefix.clone(),
    };
    let objects = BucketObjects::new(session.hub(), &hub.region, hub.bucket.clone(), Some(hub.account));
    let table = FlowLogs::builder(Arc::new(objects));
    Source { table, prefix, scope, in_bucket: true, folder: None, fleet: Some(fleet) }
}

async fn in_bucket(
    global: &GlobalArgs,
    bucket: &BucketName,
    screen: &mut Screen<'_>,
) -> Result<Source, CommandError> {
    let connection = global.connection();
    let opened = screen.reading(async |_| -> Result<_, CommandError> {
        let session = Session::open_own_account(&connection).await?;
        let region = locate_bucket(session.hub(), bucket).await?;
        Ok((session, region))
    });
    let (session, region) = opened.await?;
    let objects = BucketObjects::new(session.hub(), &region, bucket.clone(), None);
    let table = FlowLogs::builder(Arc::new(objects));
    Ok(Source { table, prefix: None, scope: Scope::default(), in_bucket: true, folder: None, fleet: None })
}

fn in_folder(folder: &Path, options: &QueryArgs) -> Result<Source, CommandError> {
    let prefix = options.prefix.as_ref().and_then(|prefix| prefix.prefix());
    let above = prefix.map_or(folder.to_owned(), |prefix| folder.join(prefix.as_str()));
    if !above.join(flowagg_core::layout::AWS_LOGS).is_dir() {
        let what = format!("`{}` contains no folder `AWSLogs`", above.display());
        let help =
            "set `--path` to a copy of the bucket, and `--prefix` to its folder that contains `AWSLogs/`";
        return Err(CommandError::usage(what, help));
    }
    let table = FlowLogs::in_folder(folder).map_err(|error| {
        let what = format!("`{}` cannot be read: {error}", folder.display());
        CommandError::usage(what, "choose a readable folder")
    })?;
    Ok(Source {
        table,
        prefix: None,
        scope: Scope::default(),
        in_bucket: false,
        folder: Some(above),
        fleet: None,
    })
}

/// The scope of the accounts and regions that `--only` selects.
fn selected(only: &[Only]) -> Scope {
    let accounts = only.iter().filter_map(|only| match only {
        Only::Account(account) => Some(*account),
        Only::Name(_) | Only::Region(_) => None,
    });
    let regions = only.iter().filter_map(|only| match only {
        Only::Region(region) => Some(region.clone()),
        Only::Account(_) | Only::Name(_) => None,
    });
    let mut scope = Scope::default();
    scope.accounts = Some(accounts.collect()).filter(|_| only.iter().any(Only::is_of_member));
    scope.regions = Some(regions.collect()).filter(|_| !only.iter().all(Only::is_of_member));
    scope
}

/// The same, including the accounts of members that are selected by name.
pub(super) fn of_members(only: &[Only], fleet: &Fleet) -> Scope {
    let mut scope = selected(only);
    if let Some(accounts) = &mut scope.accounts {
        let members = fleet.members.values().filter(|member| Only::member(only, member));
        accounts.extend(members.map(|member| member.account));
    }
    scope
}
