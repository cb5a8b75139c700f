//! What the caller's credentials tell before there is a fleet file.

use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region};

use super::access::Session;

/// Defaults for a first fleet file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InitDefaults {
    /// The account of the credentials.
    pub account: AccountId,
    /// The region that the AWS configuration names, or the first of the partition.
    pub region: Region,
    /// The organization of the account; `None` if it is in none, or if the caller may not read it.
    pub organization: Option<OrganizationId>,
    /// The account's buckets with `log` in their names, in order.
    pub buckets: Vec<BucketName>,
}

/// Reads defaults for a first fleet file. Values that the caller may not read are missing.
///
/// For a session of the caller's own account: see [`Session::open_own_account`].
pub async fn init_defaults(session: &Session) -> InitDefaults {
    let account = session.hub();
    let region = account.home();
    let organizations = account.organizations();
    let organization = async {
        let described = organizations.describe_organization().send().await.ok()?;
        OrganizationId::parse(described.organization()?.id()?).ok()
    };
    let buckets = async {
        let s3 = account.s3(&region);
        let mut pages = s3.list_buckets().into_paginator().send();
        let mut found = Vec::new();
        while let Some(Ok(page)) = pages.next().await {
            let names = page.buckets().iter().filter_map(|bucket| bucket.name());
            found.extend(
                names.filter(|name| name.contains("log")).filter_map(|name| BucketName::parse(name).ok()),
            );
        }
        found.sort();
        found
    };
    let (organization, buckets) = futures::join!(organization, buckets);
    InitDefaults { account: account.id, region, organization, buckets }
}
