//! Space reserved for the two statements that AWS may append if flow logs are created in the account that owns the
//! bucket.

use std::collections::BTreeSet;

use flowagg_core::fleet::{Fleet, GrantForm};
use flowagg_core::id::{AccountId, Region};
use flowagg_policy::size::{LIMIT, compact_len};
use flowagg_policy::{Grant, HubMember, MergeError, Unnamed, capacity, merge, sizes};

const HUB: &str = "111122223333";

/// The pair as AWS documents it ("Amazon S3 bucket permissions for flow logs"), each statement with a leading comma.
fn pair(account: &str) -> String {
    format!(
        r#",{{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{{"Service":"delivery.logs.amazonaws.com"}},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/{account}/*","Condition":{{"StringEquals":{{"aws:SourceAccount":"{account}","s3:x-amz-acl":"bucket-owner-full-control"}},"ArnLike":{{"aws:SourceArn":"arn:aws:logs:eu-west-1:{account}:*"}}}}}},{{"Sid":"AWSLogDeliveryAclCheck","Effect":"Allow","Principal":{{"Service":"delivery.logs.amazonaws.com"}},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-logs","Condition":{{"StringEquals":{{"aws:SourceAccount":"{account}"}},"ArnLike":{{"aws:SourceArn":"arn:aws:logs:eu-west-1:{account}:*"}}}}}}"#
    )
}

fn policy_of(account: &str) -> String {
    format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{}]}}", pair(account).trim_start_matches(','))
}

/// A grant in form `accounts` for the given number of accounts, with or without flow logs in the hub account.
fn grant(count: u64, hub_is_member: bool) -> Grant {
    let account = |n: u64| AccountId::parse(&format!("{n:012}")).unwrap();
    let regions = BTreeSet::from([Region::parse("eu-west-1").unwrap()]);
    let hub = HubMember::new(AccountId::parse(HUB).unwrap(), regions);
    let mut grant = crate::merging::grant(&[]);
    grant.accounts = (0..count).map(account).collect();
    grant.hub_member = hub_is_member.then_some(hub);
    grant.settings.form = GrantForm::Accounts;
    grant
}

#[test]
fn policy_reserves_space_for_the_documented_pair_of_the_hub_account() {
    let pair = pair(HUB).len();
    assert_eq!(pair, 662);
    let most = capacity(None, &grant(0, false), GrantForm::Accounts).unwrap();
    let fewer = capacity(None, &grant(0, true), GrantForm::Accounts).unwrap();
    assert!(fewer.bytes + pair <= LIMIT && fewer.bytes + most.bytes_per_account + pair > LIMIT, "{fewer:?}");

    let fits = u64::try_from(fewer.accounts.unwrap()).unwrap();
    let merged = merge(None, &grant(fits, true), Unnamed::Keep).unwrap();
    assert_eq!(merged.bytes, fewer.bytes);

    let error = merge(None, &grant(fits + 1, true), Unnamed::Keep).unwrap_err();
    assert!(matches!(error, MergeError::TooLarge { reserved, .. } if reserved == pair), "{error}");
    let total = fewer.bytes + most.bytes_per_account + pair;
    let start = format!(
        "the bucket policy would have {total} bytes (including 662 reserved for statements that AWS may append for flow logs in \
         the hub account), {} over the limit of 20480",
        total - LIMIT
    );
    assert!(error.to_string().starts_with(&start), "{error}");
    assert!(merge(None, &grant(fits + 1, false), Unnamed::Keep).is_ok());
}

#[test]
fn no_space_is_reserved_if_the_policy_already_has_the_pair() {
    for (live, reserved) in [(policy_of(HUB), 0), (policy_of("222222222222"), 662)] {
        let sizes = sizes(Some(&live), &grant(3, true), 3).unwrap();
        assert_eq!(sizes.reserved, reserved, "{live}");
        let two = merge(Some(&live), &grant(2, true), Unnamed::Keep).unwrap();
        assert_eq!(capacity_of(Some(&live), true), (LIMIT - reserved - two.bytes) / 30 + 2);
    }
}

fn capacity_of(live: Option<&str>, hub_is_member: bool) -> usize {
    capacity(live, &grant(0, hub_is_member), GrantForm::Accounts).unwrap().accounts.unwrap()
}

#[test]
fn pair_appended_by_aws_does_not_change_form_or_capacity() {
    let fits = u64::try_from(capacity_of(None, true)).unwrap();
    let first = merge(None, &grant(fits, true), Unnamed::Keep).unwrap().text;
    let appended = format!("{}{}]}}", first.strip_suffix("]}").unwrap(), pair(HUB));
    assert!(compact_len(&appended) <= LIMIT);
    let again = merge(Some(&appended), &grant(fits, true), Unnamed::Prune).unwrap();
    assert!(!again.changed);
}

#[test]
fn unchanged_policy_needs_no_reserve() {
    let full = u64::try_from(capacity_of(None, false)).unwrap();
    let live = merge(None, &grant(full, false), Unnamed::Keep).unwrap().text;
    assert!(!merge(Some(&live), &grant(full, true), Unnamed::Keep).unwrap().changed);
    assert!(merge(None, &grant(full, true), Unnamed::Keep).is_err());
}

#[test]
fn hub_account_is_a_member_if_the_fleet_file_lists_it() {
    let of = |member: &str| {
        let text = format!(
            "[hub]\naccount = \"{HUB}\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
             [[members]]\naccount = \"{member}\"\nregions = [\"eu-west-1\"]\n"
        );
        Grant::from(&Fleet::parse(&text).unwrap()).hub_member
    };
    assert_eq!(of("222222222222"), None);
    assert_eq!(of(HUB), grant(1, true).hub_member);
}
