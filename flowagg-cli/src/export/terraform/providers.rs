//! The required versions, and a provider for each account-region.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Fleet, Member};
use flowagg_core::id::{AccountId, ExternalId, Region, RoleName};

use super::block::{Block, Body, Value};

/// The first Terraform version with `import` blocks.
///
/// Source: "Import existing resources" (Terraform Language Documentation).
const TERRAFORM: &str = ">= 1.5";
/// A provider version with separate resources for S3 settings and all arguments that are used here.
const PROVIDER: &str = ">= 5.0";
/// The first provider version that creates buckets in the account regional namespace.
///
/// Source: "Resource: aws_s3_bucket", bucket_namespace (AWS Provider Documentation, 6.37.0).
const PROVIDER_WITH_NAMESPACES: &str = ">= 6.37";

/// The alias of the provider for the hub account and region.
pub(super) const HUB: &str = "hub";

/// The required versions of Terraform and the provider.
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

/// A provider for the hub, and one for each other account-region of a member.
pub(super) fn providers<'a>(
    fleet: &Fleet,
    places: impl Iterator<Item = (&'a Member, &'a Region)>,
) -> Vec<Block> {
    let hub = &fleet.hub;
    let mut known = BTreeSet::from([HUB.to_owned()]);
    let mut providers = vec![provider(fleet, HUB, hub.account, &hub.region, hub.role.as_ref())];
    for (member, region) in places {
        let alias = alias(fleet, member.account, region);
        // In the hub account, the hub's role is used.
        let role = if member.account == hub.account { hub.role.as_ref() } else { Some(&member.role) };
        if known.insert(alias.clone()) {
            providers.push(provider(fleet, &alias, member.account, region, role));
        }
    }
    providers
}

/// A provider that refuses to run in any other account.
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

/// The alias of the provider for an account-region.
pub(super) fn alias(fleet: &Fleet, account: AccountId, region: &Region) -> String {
    if (account, region) == (fleet.hub.account, &fleet.hub.region) {
        return HUB.to_owned();
    }
    format!("account_{}", label(account, region))
}

/// An account-region as part of a name.
pub(super) fn label(account: AccountId, region: &Region) -> String {
    format!("{account}_{}", region.as_str().replace('-', "_"))
}
