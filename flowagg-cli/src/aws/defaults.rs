//! Defaults for a new fleet file, from the caller's credentials.

use std::error::Error;

use aws_sdk_organizations::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region};

use super::access::Session;
use super::call::{Call, DESCRIBE_ORGANIZATION, LIST_ACCOUNTS, LIST_BUCKETS};
use super::failure::CallError;

/// Defaults for a new fleet file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitDefaults {
    /// The caller's account.
    pub account: AccountId,
    /// The region in the AWS configuration.
    pub region: Option<Region>,
    /// The account's organization; `None` if it is not in one.
    pub organization: Result<Option<FoundOrganization>, CallError>,
    /// The account's buckets, sorted by name.
    pub buckets: Result<Vec<BucketName>, CallError>,
}

/// The organization of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "plain fields")]
pub struct FoundOrganization {
    pub id: OrganizationId,
    /// Its management account.
    pub management: Option<AccountId>,
    /// Whether the caller can list its accounts. Only the management account and delegated administrator accounts can.
    pub listable: Result<(), CallError>,
}

/// The error of a call that only `init` makes. `flowagg permissions` does not print the action, so the advice is to allow it or to
/// pass the value with `options`.
fn optional<E>(call: Call, error: &SdkError<E, HttpResponse>, options: &str) -> CallError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let mut failed = CallError::of(call, error);
    if failed.is_plain_denial(call) {
        failed.advice = format!("allow {} for the caller, or pass {options}", call.action).into();
    }
    failed
}

/// Reads defaults for a new fleet file. Failed calls are part of the result.
///
/// Takes a session of the caller's own account: see [`Session::open_own_account`].
pub async fn init_defaults(session: &Session) -> InitDefaults {
    let account = session.hub();
    let organizations = account.organizations();
    let organization = async {
        let described = match organizations.describe_organization().send().await {
            Ok(described) => described,
            Err(error) if error.code() == Some("AWSOrganizationsNotInUseException") => return Ok(None),
            Err(error) => {
                let options = "`--organization` or `--account`";
                return Err(optional(DESCRIBE_ORGANIZATION, &error, options));
            }
        };
        let organization = described.organization();
        let id = organization.and_then(|it| it.id()).unwrap_or_default();
        let id = OrganizationId::parse(id).map_err(|error| {
            let help = "pass `--organization`, or check the endpoint";
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
            let page = page.map_err(|error| optional(LIST_BUCKETS, &error, "`--bucket`"))?;
            let names = page.buckets().iter().filter_map(|bucket| bucket.name());
            found.extend(names.filter_map(|name| BucketName::parse(name).ok()));
        }
        found.sort();
        Ok(found)
    };
    let (organization, buckets) = futures::join!(organization, buckets);
    InitDefaults { account: account.id, region: account.configured_region(), organization, buckets }
}
