//! What the caller's credentials tell before there is a fleet file.

use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region};

use super::access::{Connection, Session};
use super::failure::CallError;

/// What a first fleet file can be filled in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Around {
    /// The account of the credentials.
    pub account: AccountId,
    /// The region that the AWS configuration names, or the first of the partition.
    pub region: Region,
    /// The organization of the account, where it is in one and may ask.
    pub organization: Option<OrganizationId>,
    /// The account's buckets whose names tell of logs, in order.
    pub buckets: Vec<BucketName>,
}

/// Looks around. What the caller may not ask is not there; only who calls must be known.
pub async fn around(connection: &Connection) -> Result<Around, CallError> {
    let session = Session::of_caller(connection).await?;
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
    Ok(Around { account: session.caller(), region, organization, buckets })
}
