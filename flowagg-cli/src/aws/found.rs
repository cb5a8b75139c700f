//! Reads an existing setup for an import: a bucket, the accounts with a grant, and their flow logs. The bucket's region is looked
//! up first.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::failure::Failure;
use flowagg_core::fleet::{
    Choice, Discovery, Filter, Fleet, FleetFile, Hub, Member, Organization, Regions, Selection,
};
use flowagg_core::id::{
    AccountId, BucketName, OrganizationId, OrganizationalUnitId, Place, Region, ResourceKind, RoleName,
};
use flowagg_core::layout;
use flowagg_core::observed::{LogFolder, RegionState};
use futures::{StreamExt, TryStreamExt, stream};

use super::access::Session;
use super::call::GET_LIFECYCLE;
use super::failure::At;
use super::observe::{self, Survey, folders, last_segment, services, survey};
use super::tasks::AT_ONCE;
use crate::Progress;
use crate::found::{Folder, FoundFleet, FoundHub, FoundMember, Objects, View};

/// What to read for an import: the bucket, accounts and regions.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct ImportScope {
    pub bucket: BucketName,
    /// The folder in the bucket; `None` reads all folders.
    pub folder: Option<Folder>,
    /// Accounts to read in addition to those found in the bucket and its policy.
    pub accounts: BTreeSet<AccountId>,
    /// The organization to list accounts of, and its units.
    pub organization: Option<(OrganizationId, BTreeSet<OrganizationalUnitId>)>,
    /// The regions to read in each account. Default: all.
    pub regions: Regions,
    /// The role to assume in each account.
    pub role: RoleName,
}

impl ImportScope {
    /// All folders of this bucket, all regions, and the default role.
    pub fn new(bucket: BucketName) -> Self {
        Self {
            bucket,
            folder: None,
            accounts: BTreeSet::new(),
            organization: None,
            regions: Regions::ALL,
            role: RoleName::default(),
        }
    }
}

/// Reads the bucket and its folders with the hub account of the session. The result determines which accounts [`find`] reads.
///
/// `named` returns the folders in the bucket policy, which are listed even if they cannot be discovered. See
/// [`named_folders`](crate::import::named_folders).
pub async fn find_hub(
    scope: &ImportScope,
    session: &Session,
    named: impl FnOnce(&FoundHub) -> BTreeSet<Folder>,
) -> Result<FoundHub, Failure> {
    let region = observe::locate(session.hub(), &scope.bucket, Some(session.hub().id)).await?;
    let mut hub = read_hub(session, scope, &region).await?;
    hub.objects = Some(objects(session, &hub, named(&hub)).await?);
    Ok(hub)
}

/// Reads the accounts: those with a grant (`granted`), those with flow log files in the bucket, and those in the scope. Accounts
/// and regions that cannot be read are returned as failures alongside the rest.
pub async fn find(
    scope: &ImportScope,
    session: &Session,
    hub: FoundHub,
    granted: BTreeSet<AccountId>,
    progress: &dyn Progress,
) -> Result<(FoundFleet, Vec<Failure>), Failure> {
    let session = &session.moved_to(&hub.region);
    let mut accounts = granted;
    accounts.extend(hub.delivered().flat_map(|(_, accounts)| accounts.keys()).chain(&scope.accounts));

    let organization = scope.organization.clone().map(|(id, units)| {
        let mut organization = Organization::new(id);
        organization.units = units;
        organization.discovery = Some(Discovery::new(scope.regions.clone(), scope.role.clone()));
        organization
    });
    let mut draft = FleetFile::new(as_hub(&hub));
    draft.members =
        accounts.iter().map(|account| (*account, member(*account, scope, Selection::default()))).collect();
    draft.organization = organization.clone();
    let Survey { fleet, accounts, mut regions } = survey(draft.clone(), session, &[], progress).await?;
    look_closer(&fleet, &draft, &mut regions, scope, session, progress).await?;

    let failures: Vec<Failure> = regions.values().filter_map(|state| state.as_ref().err().cloned()).collect();
    let mut states: BTreeMap<AccountId, BTreeMap<Region, Result<RegionState, Failure>>> = BTreeMap::new();
    for (Place { account, region }, state) in regions {
        states.entry(account).or_default().insert(region, state);
    }
    let members = fleet.members.values().map(|member| {
        let states = states.remove(&member.account).unwrap_or_default();
        let entered = accounts.member(member.account).and_then(Result::err);
        (member.account, found_member(member, states, entered))
    });
    let members = members.collect();
    Ok((FoundFleet { members, role: scope.role.clone(), organization, ..FoundFleet::new(hub) }, failures))
}

fn found_member(
    member: &Member,
    states: BTreeMap<Region, Result<RegionState, Failure>>,
    entered: Option<&Failure>,
) -> FoundMember {
    let why = |failure: &Failure| format!("{}: {}", failure.call, failure.brief());
    let mut read = BTreeMap::new();
    let mut unread = BTreeMap::new();
    for (region, state) in states {
        match state {
            Ok(state) => drop(read.insert(region, state)),
            Err(failure) => drop(unread.insert(region, why(&failure))),
        }
    }
    let first = unread.values().next().filter(|_| read.is_empty()).cloned();
    let view = match (entered.map(why).or(first), &member.regions) {
        (Some(why), _) => View::Nothing(why),
        (None, Regions::All { .. }) => View::Account,
        (None, Regions::These(_)) => View::Regions,
    };
    if matches!(view, View::Nothing(_)) {
        unread.clear();
    }
    FoundMember { in_organization: member.in_organization, states: read, unread, view }
}

/// The hub with the fields that reading it requires.
fn as_hub(found: &FoundHub) -> Hub {
    Hub::new(found.account, found.region.clone(), found.bucket.clone())
}

fn member(account: AccountId, scope: &ImportScope, resources: Selection) -> Member {
    Member::new(account, scope.regions.clone(), scope.role.clone(), resources)
}

async fn read_hub(session: &Session, scope: &ImportScope, region: &Region) -> Result<FoundHub, Failure> {
    let account = session.hub();
    let mut found = FoundHub {
        folder: scope.folder.clone(),
        ..FoundHub::new(account.id, region.clone(), scope.bucket.clone())
    };
    let hub = as_hub(&found);
    let s3 = account.s3(region);
    let at = At::new(Place::new(account.id, region)).about(&scope.bucket);
    let (encryption, rules, policy) = futures::try_join!(
        observe::encryption(&s3, &hub, &at),
        observe::lifecycle(&s3, &hub, &at),
        observe::policy(&s3, &hub, &at),
    )?;
    (found.encryption, found.policy) = (encryption, policy);
    let rules = rules.map_or(Ok(Vec::new()), |document| document.rules());
    let rules = rules.map_err(|error| at.failed(GET_LIFECYCLE, None, error.to_string(), error.help()))?;
    found.rules = Some(rules);
    Ok(found)
}

/// The log folders in the bucket: in the requested folder, otherwise in all. If not all can be discovered, lists the top level and
/// the folders in the policy.
async fn objects(
    session: &Session,
    found: &FoundHub,
    mut named: BTreeSet<Folder>,
) -> Result<Objects, Failure> {
    let (hub, s3) = (as_hub(found), session.hub().s3(&found.region));
    let at = At::new(hub.place()).about(&hub.bucket);
    let root = |folder: &Folder| layout::root(folder.prefix());
    let mut objects = Objects::default();
    let roots = match &found.folder {
        Some(asked) => BTreeSet::from([root(asked)]),
        None => match observe::log_roots(&s3, &hub, &at).await {
            Ok(roots) => roots,
            Err(failure) => {
                objects.unlisted = Some(failure.message);
                named.insert(Folder::TOP);
                named.iter().map(root).collect()
            }
        },
    };
    let mut delivered: Vec<(Folder, AccountId, String)> = Vec::new();
    for root in &roots {
        let above = root.strip_suffix(&layout::root(None));
        let folder = above.map(|above| above.trim_end_matches('/').parse::<Folder>());
        for LogFolder { account, folder: below, .. } in services(&s3, &hub, root, &at).await? {
            match (&folder, last_segment(&below).is_some_and(layout::is_of_flow_logs)) {
                (Some(Ok(folder)), true) => delivered.push((folder.clone(), account, below)),
                _ => drop(objects.other.insert(below)),
            }
        }
    }
    let (s3, hub, at) = (&s3, &hub, &at);
    let listing = delivered.into_iter().map(|(folder, account, below)| async move {
        Ok((folder, account, folders(s3, hub, &below, at).await?))
    });
    let listed: Vec<(Folder, AccountId, Vec<String>)> =
        stream::iter(listing).buffer_unordered(AT_ONCE).try_collect().await?;
    for (folder, account, regions) in listed {
        let regions = regions.iter().filter_map(|folder| layout::region_of(last_segment(folder)?));
        objects.delivered.entry(folder).or_default().entry(account).or_default().extend(regions);
    }
    Ok(objects)
}

/// Reads resources other than VPCs, but only in account-regions where such resources are logged: large accounts have many.
async fn look_closer(
    fleet: &Fleet,
    draft: &FleetFile,
    regions: &mut BTreeMap<Place, Result<RegionState, Failure>>,
    scope: &ImportScope,
    session: &Session,
    progress: &dyn Progress,
) -> Result<(), Failure> {
    let destination = fleet.destination();
    let mut kinds: BTreeMap<AccountId, (BTreeSet<Region>, BTreeMap<ResourceKind, Choice>)> = BTreeMap::new();
    for (place, state) in regions.iter() {
        let logs = state.iter().flat_map(|state| &state.flow_logs);
        let logged = logs.filter(|log| destination.is_in_bucket(&log.destination));
        for kind in logged.filter_map(|log| Some(log.resource.known()?.kind())) {
            if kind != ResourceKind::Vpc {
                let (places, kinds) = kinds.entry(place.account).or_default();
                places.insert(place.region.clone());
                kinds.insert(kind, Choice::All(Filter::default()));
            }
        }
    }
    let members = kinds.into_iter().filter_map(|(account, (places, kinds))| {
        let mut member = member(account, scope, Selection::try_from(kinds).ok()?);
        member.regions = Regions::These(places);
        Some((account, member))
    });
    let mut closer = draft.clone();
    closer.members = members.collect();
    closer.organization = None;
    let seen = survey(closer, session, &[], progress).await?;
    for (place, state) in seen.regions {
        match (regions.get_mut(&place), state) {
            (Some(Ok(before)), Ok(state)) => before.resources.extend(state.resources),
            (Some(before), Err(failure)) => *before = Err(failure),
            _ => {}
        }
    }
    Ok(())
}
