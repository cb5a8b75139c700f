//! Defaults for a first fleet file, from the caller's credentials.

use aws_sdk_organizations::error::ProvideErrorMetadata;
use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region};

use super::access::Session;
use super::call::{DESCRIBE_ORGANIZATION, LIST_ACCOUNTS, LIST_BUCKETS};
use super::failure::CallError;

/// Defaults for a first fleet file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitDefaults {
    /// The account of the credentials.
    pub account: AccountId,
    /// The region that the AWS configuration names.
    pub region: Option<Region>,
    /// The organization of the account; `None` if it is in none.
    pub organization: Result<Option<FoundOrganization>, CallError>,
    /// The account's buckets with `log` in their names, in order.
    pub buckets: Result<Vec<BucketName>, CallError>,
}

/// The organization of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its management account.
    pub management: Option<AccountId>,
    /// Whether the caller may list its accounts. Only the management account and delegated administrators may.
    pub listable: Result<(), CallError>,
}

/// Reads defaults for a first fleet file. A call that fails is part of the result.
///
/// For a session of the caller's own account: see [`Session::open_own_account`].
pub async fn init_defaults(session: &Session) -> InitDefaults {
    let account = session.hub();
    let organizations = account.organizations();
    let organization = async {
        let described = match organizations.describe_organization().send().await {
            Ok(described) => described,
            Err(error) if error.code() == Some("AWSOrganizationsNotInUseException") => return Ok(None),
            Err(error) => return Err(CallError::of(DESCRIBE_ORGANIZATION, &error)),
        };
        let organization = described.organization();
        let id = organization.and_then(|it| it.id()).unwrap_or_default();
        let id = OrganizationId::parse(id).map_err(|error| {
            let help = "give `--organization`, or check the endpoint";
            CallError::failed(DESCRIBE_ORGANIZATION, None, error.to_string(), help)
        })?;
        let management = organization.and_then(|it| AccountId::parse(it.master_account_id()?).ok());
        let listed = organizations.list_accounts().max_results(1).send().await;
        let listable = listed.map(drop).map_err(|error| CallError::of(LIST_ACCOUNTS, &error));
        Ok(Some(FoundOrganization { id, management, listable }))
    };
    let buckets = async {
        let mut pages = account.s3(&account.home()).list_buckets().into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| CallError::of(LIST_BUCKETS, &error))?;
            let names = page.buckets().iter().filter_map(|bucket| bucket.name());
            found.extend(
                names.filter(|name| name.contains("log")).filter_map(|name| BucketName::parse(name).ok()),
            );
        }
        found.sort();
        Ok(found)
    };
    let (organization, buckets) = futures::join!(organization, buckets);
    InitDefaults { account: account.id, region: account.configured_region(), organization, buckets }
}
