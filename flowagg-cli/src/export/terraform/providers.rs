//! What every configuration begins with: the versions, and a provider for each account and region.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Fleet, Member};
use flowagg_core::id::{AccountId, ExternalId, Region, RoleName};

use super::block::{Block, Body, Value};

/// The first Terraform with `import` blocks.
///
/// Source: "Import existing resources" (Terraform Language Documentation).
const TERRAFORM: &str = ">= 1.5";
/// A provider whose S3 settings are resources of their own, and know every argument that is written here.
const PROVIDER: &str = ">= 5.0";
/// The first provider that makes a bucket in the account's own namespace.
///
/// Source: "Resource: aws_s3_bucket", bucket_namespace (AWS Provider Documentation, 6.37.0).
const PROVIDER_WITH_NAMESPACES: &str = ">= 6.37";

/// The provider of the hub's account in the hub's region.
pub(super) const HUB: &str = "hub";

/// The versions that the configuration needs.
pub(super) fn versions(fleet: &Fleet) -> Block {
    let version = if fleet.hub.bucket.is_account_regional() { PROVIDER_WITH_NAMESPACES } else { PROVIDER };
    let aws = Value::Map(vec![
        ("source".to_owned(), "hashicorp/aws".into()),
        ("version".to_owned(), version.into()),
    ]);
    let body = Body::default()
        .set("required_version", TERRAFORM)
        .block("required_providers", Body::default().set("aws", aws));
    Block::new("terraform", &[], body)
}

/// A provider for the hub, and one for each other account and region in which something is logged.
pub(super) fn providers<'a>(
    fleet: &Fleet,
    places: impl Iterator<Item = (&'a Member, &'a Region)>,
) -> Vec<Block> {
    let hub = &fleet.hub;
    let mut known = BTreeSet::from([HUB.to_owned()]);
    let mut providers = vec![provider(fleet, HUB, hub.account, &hub.region, hub.role.as_ref())];
    for (member, region) in places {
        let alias = alias(fleet, member.account, region);
        // Whoever is in the hub account works there.
        let role = if member.account == hub.account { hub.role.as_ref() } else { Some(&member.role) };
        if known.insert(alias.clone()) {
            providers.push(provider(fleet, &alias, member.account, region, role));
        }
    }
    providers
}

/// Refuses to work in any other account, whoever runs it.
fn provider(
    fleet: &Fleet,
    alias: &str,
    account: AccountId,
    region: &Region,
    role: Option<&RoleName>,
) -> Block {
    let mut body = Body::default()
        .set("alias", alias)
        .set("region", region.as_str())
        .set_some("profile", fleet.hub.profile.as_deref())
        .set("allowed_account_ids", Value::texts([account]));
    if let Some(role) = role {
        let arn = role.arn(fleet.partition(), account);
        let external_id = fleet.external_id.as_ref().map(ExternalId::as_str);
        let assumed = Body::default().set("role_arn", arn).set_some("external_id", external_id);
        body = body.block("assume_role", assumed);
    }
    Block::new("provider", &["aws"], body)
}

/// What the provider of an account and region is called.
pub(super) fn alias(fleet: &Fleet, account: AccountId, region: &Region) -> String {
    if (account, region) == (fleet.hub.account, &fleet.hub.region) {
        return HUB.to_owned();
    }
    format!("account_{}", label(account, region))
}

/// An account and region as part of a name.
pub(super) fn label(account: AccountId, region: &Region) -> String {
    format!("{account}_{}", region.as_str().replace('-', "_"))
}
