//! Lists the accounts of an organization. AWS Organizations returns small pages, and pages before the last can be empty.
//!
//! Sources: "ListAccounts", "ListAccountsForParent", "ListOrganizationalUnitsForParent" (AWS Organizations API Reference).

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::SdkError;
use aws_sdk_organizations::types;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::{Discovery, FoundAccount, Organization};
use flowagg_core::id::{AccountId, OrganizationId, OrganizationalUnitId, Place};
use futures::{StreamExt as _, future, stream};
use tokio::sync::mpsc;

use super::Session;
use crate::aws::call::{
    Call, DESCRIBE_ACCOUNT, LIST_ACCOUNTS, LIST_ACCOUNTS_FOR_PARENT, LIST_UNITS_FOR_PARENT,
};
use crate::aws::complete::{Incomplete, Pages};
use crate::aws::failure::At;

/// Organizational units of the listed accounts.
#[derive(Debug, Default)]
pub(crate) struct Units {
    /// The unit path of each account, topmost first, separated by slashes. Contains names if units were listed, otherwise IDs.
    pub(crate) paths: BTreeMap<AccountId, String>,
    /// The accounts in each unit that an exception names, at any depth.
    pub(crate) of_exceptions: BTreeMap<OrganizationalUnitId, BTreeSet<AccountId>>,
}

/// Sends every account that the fleet file can select, page by page. Also lists the accounts of units that exceptions name.
pub(crate) async fn find_accounts(
    session: &Session,
    organization: &Organization,
    discovery: &Discovery,
    of_exceptions: &BTreeSet<OrganizationalUnitId>,
    found: mpsc::UnboundedSender<FoundAccount>,
) -> Result<Units, Failure> {
    let account = match &discovery.lookup {
        Some(lookup) => session.enter(lookup.account, &lookup.role).await?,
        None => session.caller.clone(),
    };
    let region = account.home().partition().first_region();
    let client = account.organizations();
    let id = organization.id.clone();
    let mut search = Search {
        client,
        place: Place::new(account.id, &region),
        id,
        found,
        units: BTreeMap::new(),
        seen: BTreeSet::new(),
    };
    search.run(organization, discovery).await?;
    let mut held = BTreeMap::new();
    for unit in of_exceptions {
        let below = search.below(&BTreeSet::from([unit.clone()]), &BTreeSet::new()).await?;
        let ids = below.iter().filter_map(|(account, _)| account.id()?.parse().ok());
        held.insert(unit.clone(), ids.collect());
    }
    Ok(Units { paths: search.units, of_exceptions: held })
}

/// Adds the name of each unit next to its ID. A unit whose name cannot be read keeps only its ID; nothing depends on names.
pub(crate) async fn named_units(
    session: &Session,
    discovery: &Discovery,
    units: &BTreeMap<AccountId, String>,
) -> BTreeMap<AccountId, String> {
    let account = match &discovery.lookup {
        Some(lookup) => session.enter(lookup.account, &lookup.role).await,
        None => Ok(session.caller.clone()),
    };
    let Ok(account) = account else { return units.clone() };
    let client = account.organizations();
    let ids: BTreeSet<&str> =
        units.values().flat_map(|unit| unit.split('/')).filter(|id| is_unit(id)).collect();
    let client = &client;
    let names = stream::iter(ids).map(|id| async move {
        let described = client.describe_organizational_unit().organizational_unit_id(id);
        Some((id, described.send().await.ok()?.organizational_unit?.name?))
    });
    let names: BTreeMap<&str, String> =
        names.buffer_unordered(NAMES_AT_ONCE).filter_map(future::ready).collect().await;
    let named = |id: &str| names.get(id).map_or(id.to_owned(), |name| format!("{name} ({id})"));
    let path = |unit: &String| unit.split('/').map(named).collect::<Vec<_>>().join("/");
    units.iter().map(|(account, unit)| (*account, path(unit))).collect()
}

fn is_unit(id: &str) -> bool {
    OrganizationalUnitId::parse(id).is_ok()
}

/// The units in an account's path, `<organization>/<root>[/<unit>...]/<account>/`, or the root if the account is in no unit.
///
/// Source: "Account" (AWS Organizations API Reference).
fn unit_of(path: &str) -> Option<String> {
    let segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    match segments.as_slice() {
        [_, root, _] => Some((*root).to_owned()),
        [_, _, units @ .., _] if !units.is_empty() => Some(units.join("/")),
        _ => None,
    }
}

/// The number of unit names read concurrently.
const NAMES_AT_ONCE: usize = 4;

struct Search {
    client: Client,
    place: Place,
    id: OrganizationId,
    found: mpsc::UnboundedSender<FoundAccount>,
    units: BTreeMap<AccountId, String>,
    /// The accounts that were sent, and whether they were in the selected units.
    seen: BTreeSet<(AccountId, bool)>,
}

impl Search {
    async fn run(&mut self, organization: &Organization, discovery: &Discovery) -> Result<(), Failure> {
        let Discovery { except_units, accounts, .. } = discovery;
        if !organization.units.is_empty() {
            for (account, unit) in self.below(&organization.units, except_units).await? {
                self.report(&account, Some(unit), |_| true)?;
            }
            return self.each(accounts).await;
        }
        if !accounts.is_empty() {
            return self.each(accounts).await;
        }
        let excepted: BTreeSet<String> = if except_units.is_empty() {
            BTreeSet::new()
        } else {
            let below = self.below(except_units, &BTreeSet::new()).await?;
            below.iter().filter_map(|(account, _)| account.id().map(str::to_owned)).collect()
        };
        let mut pages = self.client.list_accounts().into_paginator().send();
        let mut turned = Pages::default();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failure(LIST_ACCOUNTS, &error))?;
            let next = turned.turn(page.next_token(), None);
            next.map_err(|why| self.at(None).incomplete(LIST_ACCOUNTS, &why))?;
            for account in page.accounts() {
                self.report(account, None, |id| !excepted.contains(id))?;
            }
        }
        Ok(())
    }

    /// The accounts in these units at any depth, each with the path of its unit.
    async fn below(
        &self,
        units: &BTreeSet<OrganizationalUnitId>,
        except: &BTreeSet<OrganizationalUnitId>,
    ) -> Result<Vec<(types::Account, String)>, Failure> {
        let mut accounts = Vec::new();
        let chosen = units.iter().map(|unit| (unit.to_string(), unit.to_string()));
        let mut open: VecDeque<(String, String)> = chosen.collect();
        let mut seen: BTreeSet<String> = except.iter().map(ToString::to_string).collect();
        while let Some((unit, way)) = open.pop_front() {
            if !seen.insert(unit.clone()) {
                continue;
            }
            let here = self.client.list_accounts_for_parent().parent_id(&unit).into_paginator();
            let below = self.client.list_organizational_units_for_parent().parent_id(&unit).into_paginator();
            let (here, below): (Result<Vec<_>, _>, Result<Vec<_>, _>) =
                futures::join!(here.send().collect(), below.send().collect());
            let mut turned = Pages::default();
            for page in here.map_err(|error| self.about(&unit, LIST_ACCOUNTS_FOR_PARENT, &error))? {
                let next = turned.turn(page.next_token(), None);
                next.map_err(|why| self.at(Some(&unit)).incomplete(LIST_ACCOUNTS_FOR_PARENT, &why))?;
                let here = page.accounts.unwrap_or_default();
                accounts.extend(here.into_iter().map(|account| (account, way.clone())));
            }
            let mut turned = Pages::default();
            for page in below.map_err(|error| self.about(&unit, LIST_UNITS_FOR_PARENT, &error))? {
                let incomplete =
                    |why: Incomplete| self.at(Some(&unit)).incomplete(LIST_UNITS_FOR_PARENT, &why);
                turned.turn(page.next_token(), None).map_err(incomplete)?;
                for below in page.organizational_units.unwrap_or_default() {
                    let id = below.id.ok_or(Incomplete::Missing("the ID of an organizational unit"));
                    let id = id.map_err(incomplete)?;
                    let way = format!("{way}/{}", below.name.as_ref().unwrap_or(&id));
                    open.push_back((id, way));
                }
            }
        }
        Ok(accounts)
    }

    /// Looks up and sends single accounts.
    async fn each(&mut self, accounts: &BTreeSet<AccountId>) -> Result<(), Failure> {
        let this = &*self;
        let asked = accounts.iter().map(|account| async move {
            let answer = this.client.describe_account().account_id(account.to_string()).send().await;
            answer.map_err(|error| this.about(&account.to_string(), DESCRIBE_ACCOUNT, &error))
        });
        for answer in futures::future::try_join_all(asked).await? {
            let missing = || self.at(None).incomplete(DESCRIBE_ACCOUNT, &Incomplete::Missing("the account"));
            let account = answer.account().ok_or_else(missing)?;
            self.report(account, None, |_| false)?;
        }
        Ok(())
    }

    /// Validates and sends an account.
    fn report(
        &mut self,
        account: &types::Account,
        unit: Option<String>,
        in_units: impl Fn(&str) -> bool,
    ) -> Result<(), Failure> {
        let id = account
            .id()
            .ok_or(Incomplete::Missing("the ID of an account"))
            .and_then(|id| AccountId::parse(id).map_err(|_| Incomplete::UnknownId(id.to_owned())));
        let id = id.map_err(|why| self.at(None).incomplete(LIST_ACCOUNTS, &why))?;
        // arn:aws:organizations::<management account>:account/<organization>/<account>
        let organization = account.arn().and_then(|arn| arn.split('/').nth(1)).unwrap_or_default();
        if organization != self.id.as_str() {
            return Err(self.at(None).failed(
                LIST_ACCOUNTS,
                None,
                format!(
                    "the credentials belong to organization {organization}, but the fleet file names {}",
                    self.id
                ),
                "correct `organization.id`, or use credentials of that organization",
            ));
        }
        if let Some(unit) = unit.or_else(|| unit_of(account.paths().first()?)) {
            self.units.entry(id).or_insert(unit);
        }
        // `Status` is the deprecated field; some endpoints do not return `State`.
        let state = account.state().map(|state| state.as_str()).or(account.status().map(|it| it.as_str()));
        let in_units = in_units(&id.to_string());
        // An account can be on two pages.
        if !self.seen.insert((id, in_units)) {
            return Ok(());
        }
        let mut found = FoundAccount::new(id, state.unwrap_or_default().to_owned());
        found.name = account.name().map(str::to_owned);
        found.in_units = in_units;
        // The receiver is gone if the run has already failed elsewhere.
        let _ = self.found.send(found);
        Ok(())
    }

    fn at(&self, resource: Option<&str>) -> At {
        let at = At::new(self.place.clone());
        resource.map_or(at.clone(), |resource| at.about(resource))
    }

    fn about<E>(&self, resource: &str, call: Call, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.at(Some(resource)).failure(call, error)
    }

    fn failure<E>(&self, call: Call, error: &SdkError<E, HttpResponse>) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.at(None).failure(call, error)
    }
}
