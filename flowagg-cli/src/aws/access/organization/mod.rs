//! Finds the accounts of an organization. The pages of AWS Organizations are small, and may be empty before the last.
//!
//! Sources: "ListAccounts", "ListAccountsForParent", "ListOrganizationalUnitsForParent" (AWS Organizations API Reference).

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::SdkError;
use aws_sdk_organizations::types;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use flowagg_core::fleet::{Discovery, FoundAccount, Organization};
use flowagg_core::id::{AccountId, OrganizationId, OrganizationalUnitId, Region};
use flowagg_core::observed::Failure;
use tokio::sync::mpsc;

use super::Session;
use crate::aws::call::{
    Call, DESCRIBE_ACCOUNT, LIST_ACCOUNTS, LIST_ACCOUNTS_FOR_PARENT, LIST_UNITS_FOR_PARENT,
};
use crate::aws::failure::At;

/// Sends every account that the fleet file may choose, page by page as they come.
pub(crate) async fn find_accounts(
    session: &Session,
    organization: &Organization,
    discovery: &Discovery,
    found: mpsc::UnboundedSender<FoundAccount>,
) -> Result<(), Failure> {
    let account = match &discovery.lookup {
        Some(lookup) => session.enter(lookup.account, &lookup.role).await?,
        None => session.caller.clone(),
    };
    let region = account.home().partition().first_region();
    let client = account.organizations();
    let search = Search { client, account: account.id, region, id: organization.id.clone(), found };
    search.run(organization, discovery).await
}

struct Search {
    client: Client,
    account: AccountId,
    region: Region,
    id: OrganizationId,
    found: mpsc::UnboundedSender<FoundAccount>,
}

impl Search {
    async fn run(&self, organization: &Organization, discovery: &Discovery) -> Result<(), Failure> {
        let Discovery { except_units, accounts, .. } = discovery;
        if !organization.units.is_empty() {
            for page in self.below(&organization.units, except_units).await? {
                self.tell(&page, |_| true)?;
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
            below.iter().filter_map(|account| account.id().map(str::to_owned)).collect()
        };
        let mut pages = self.client.list_accounts().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failure(LIST_ACCOUNTS, &error))?;
            for account in page.accounts() {
                self.tell(account, |id| !excepted.contains(id))?;
            }
        }
        Ok(())
    }

    /// The accounts under these units and the units in them, all the way down.
    async fn below(
        &self,
        units: &BTreeSet<OrganizationalUnitId>,
        except: &BTreeSet<OrganizationalUnitId>,
    ) -> Result<Vec<types::Account>, Failure> {
        let mut accounts = Vec::new();
        let mut open: VecDeque<String> = units.iter().map(ToString::to_string).collect();
        let mut seen: BTreeSet<String> = except.iter().map(ToString::to_string).collect();
        while let Some(unit) = open.pop_front() {
            if !seen.insert(unit.clone()) {
                continue;
            }
            let here = self.client.list_accounts_for_parent().parent_id(&unit).into_paginator();
            let below = self.client.list_organizational_units_for_parent().parent_id(&unit).into_paginator();
            let (here, below): (Result<Vec<_>, _>, Result<Vec<_>, _>) =
                futures::join!(here.send().collect(), below.send().collect());
            for page in here.map_err(|error| self.about(&unit, LIST_ACCOUNTS_FOR_PARENT, &error))? {
                accounts.extend(page.accounts.unwrap_or_default());
            }
            for page in below.map_err(|error| self.about(&unit, LIST_UNITS_FOR_PARENT, &error))? {
                let units = page.organizational_units.unwrap_or_default();
                open.extend(units.into_iter().filter_map(|unit| unit.id));
            }
        }
        Ok(accounts)
    }

    /// Accounts by name.
    async fn each(&self, accounts: &BTreeSet<AccountId>) -> Result<(), Failure> {
        let asked = accounts.iter().map(|account| async move {
            let answer = self.client.describe_account().account_id(account.to_string()).send().await;
            answer.map_err(|error| self.about(&account.to_string(), DESCRIBE_ACCOUNT, &error))
        });
        for answer in futures::future::try_join_all(asked).await? {
            if let Some(account) = answer.account() {
                self.tell(account, |_| false)?;
            }
        }
        Ok(())
    }

    fn tell(&self, account: &types::Account, in_units: impl Fn(&str) -> bool) -> Result<(), Failure> {
        let Some(id) = account.id().and_then(|id| AccountId::parse(id).ok()) else { return Ok(()) };
        // arn:aws:organizations::<management account>:account/<organization>/<account>
        let organization = account.arn().and_then(|arn| arn.split('/').nth(1)).unwrap_or_default();
        if organization != self.id.as_str() {
            return Err(self.at(None).failed(
                LIST_ACCOUNTS,
                None,
                format!(
                    "the credentials are of the organization {organization}, the fleet file says {}",
                    self.id
                ),
                "correct `organization.id`, or use credentials of that organization",
            ));
        }
        // `Status` is the older word for it; not every endpoint gives the newer one.
        let state = account.state().map(|state| state.as_str()).or(account.status().map(|it| it.as_str()));
        let account = FoundAccount {
            id,
            name: account.name().map(str::to_owned),
            state: state.unwrap_or_default().to_owned(),
            in_units: in_units(&id.to_string()),
        };
        // Nobody listens any more where the run has failed elsewhere.
        let _ = self.found.send(account);
        Ok(())
    }

    fn at(&self, resource: Option<&str>) -> At {
        let at = At::new(self.account, &self.region);
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
