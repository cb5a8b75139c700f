//! Grants merged into live policies.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::GrantForm;
use flowagg_core::id::{AccountId, BucketName, FleetName, OrganizationId, Partition, Prefix, Region};
use flowagg_policy::size::{AUTO_MARGIN, LIMIT};
use flowagg_policy::{
    Extent, FormReason, Grant, GrantError, GrantedOrganization, MergeError, Merged, Unnamed, granted_by,
    merge, remove,
};
use snapbox::{assert_data_eq, str};

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn accounts(texts: &[&str]) -> BTreeSet<AccountId> {
    texts.iter().map(|text| account(text)).collect()
}

pub(crate) fn grant(texts: &[&str]) -> Grant {
    let fleet = FleetName::parse("acme-logs").unwrap();
    let bucket = BucketName::parse("acme-logs").unwrap();
    let mut grant = Grant::new(fleet, Partition::Aws, bucket);
    grant.accounts = accounts(texts);
    grant
}

fn classic(texts: &[&str]) -> Grant {
    let mut grant = grant(texts);
    grant.settings.source_conditions = false;
    grant
}

#[track_caller]
fn merged(live: Option<&str>, grant: &Grant) -> Merged {
    merge(live, grant, Unnamed::Keep).unwrap()
}

const ONE: &[&str] = &["111122223333"];
const TWO: &[&str] = &["111122223333", "222233334444"];

fn with_help(error: &MergeError) -> String {
    format!("{error}\n    {}", error.help())
}

#[test]
fn bucket_without_a_policy_gets_the_two_documented_statements() {
    let outcome = merged(None, &grant(TWO));
    assert_eq!(
        outcome.text,
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWriteFlowaggAcmeLogs","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":["arn:aws:s3:::acme-logs/AWSLogs/111122223333/*","arn:aws:s3:::acme-logs/AWSLogs/222233334444/*"],"Condition":{"StringEquals":{"aws:SourceAccount":["111122223333","222233334444"],"s3:x-amz-acl":"bucket-owner-full-control"}}},{"Sid":"AWSLogDeliveryAclCheckFlowaggAcmeLogs","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-logs","Condition":{"StringEquals":{"aws:SourceAccount":["111122223333","222233334444"]}}}]}"#
    );
    assert!(outcome.changed);
    assert_eq!((outcome.granted, outcome.form), (accounts(TWO), GrantForm::Prefixes));
    assert_eq!(outcome.bytes, outcome.text.len());
}

#[test]
fn classic_statements_are_written_without_source_conditions() {
    let outcome = merged(None, &classic(ONE));
    assert_eq!(
        outcome.text,
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWriteFlowaggAcmeLogs","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}},{"Sid":"AWSLogDeliveryAclCheckFlowaggAcmeLogs","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::acme-logs"}]}"#
    );
}

#[test]
fn second_merge_changes_nothing_even_after_s3_reformats_the_policy() {
    for grant in [grant(TWO), classic(TWO)] {
        let first = merged(None, &grant).text;
        let again = merged(Some(&first), &grant);
        assert!(!again.changed && again.granted.is_empty());
        assert_eq!(again.text, first);
        let reordered = first
            .replace(
                "\"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*\",\"arn:aws:s3:::acme-logs/AWSLogs/222233334444/*\"",
                "\"arn:aws:s3:::acme-logs/AWSLogs/222233334444/*\", \"arn:aws:s3:::acme-logs/AWSLogs/111122223333/*\"",
            )
            .replace("\"s3:GetBucketAcl\"", "[\"s3:GetBucketAcl\"]");
        assert_ne!(reordered, first);
        let again = merged(Some(&reordered), &grant);
        assert!(!again.changed, "{}", again.text);
        assert_eq!(again.text, reordered);
    }
}

#[test]
fn foreign_text_stays_byte_for_byte_and_in_place() {
    let live = "{ \"Id\" : \"x\",\n  \"Statement\": [\n    {\"Sid\":\"A\", \"Note\": [1.0, {\"a\":1,\"a\":2}], \"Effect\":\"Deny\"},\n    \
                {\"Sid\":\"B\\u0041\"}\n  ], \"Version\":\"2012-10-17\" }\n";
    let outcome = merged(Some(live), &grant(ONE));
    let (start, end) = live.split_at(live.find("\n  ]").unwrap());
    assert!(outcome.text.starts_with(start), "{}", outcome.text);
    assert!(outcome.text.ends_with(end), "{}", outcome.text);
    assert_eq!(remove(&outcome.text, &grant(ONE)).unwrap().as_deref(), Some(live));
}

#[test]
fn added_member_is_granted_and_removed_member_stays_until_pruned() {
    let first = merged(None, &grant(ONE)).text;
    let joined = merged(Some(&first), &grant(TWO));
    assert_eq!(joined.granted, accounts(&["222233334444"]));
    let left = merged(Some(&joined.text), &grant(ONE));
    assert!(!left.changed);
    assert_eq!((left.kept, left.revoked), (accounts(&["222233334444"]), BTreeSet::new()));
    let pruned = merge(Some(&joined.text), &grant(ONE), Unnamed::Prune).unwrap();
    assert_eq!((pruned.kept, pruned.revoked), (BTreeSet::new(), accounts(&["222233334444"])));
    assert_eq!(pruned.text, first);
}

#[test]
fn changed_managed_statement_stays_until_it_is_pruned_or_removed() {
    let odd = r#"{"Sid":"AWSLogDeliveryWriteFlowaggAcmeLogs","Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::acme-logs/public/*"}"#;
    let live = format!("{{\"Version\":\"2012-10-17\",\"Statement\":[{odd}]}}");
    let outcome = merged(Some(&live), &grant(ONE));
    assert!(outcome.text.contains(odd));
    for sid in ["\"AWSLogDeliveryWrite2FlowaggAcmeLogs\"", "\"AWSLogDeliveryAclCheck2FlowaggAcmeLogs\""] {
        assert!(outcome.text.contains(sid), "{}", outcome.text);
    }
    assert_data_eq!(
        outcome.notes.join("\n"),
        str![
            "statement `AWSLogDeliveryWriteFlowaggAcmeLogs` is for another prefix or was modified outside flowagg, and is kept; `--prune` replaces it"
        ]
    );
    assert!(!merged(Some(&outcome.text), &grant(ONE)).changed);
    let pruned = merge(Some(&outcome.text), &grant(ONE), Unnamed::Prune).unwrap();
    assert_eq!(pruned.text, merged(None, &grant(ONE)).text);
    let ends: Vec<String> = pruned.revoked_access.iter().map(ToString::to_string).collect();
    assert_data_eq!(
        ends.join("\n"),
        str![
            "everyone that statement `AWSLogDeliveryWriteFlowaggAcmeLogs` allows, which is for another prefix or was modified outside flowagg"
        ]
    );
    assert_eq!(remove(&outcome.text, &grant(ONE)).unwrap(), None);
}

#[test]
fn statements_of_another_fleet_are_ignored_and_unchanged() {
    let mut other = grant(TWO);
    other.fleet = FleetName::parse("other").unwrap();
    let live = merged(None, &other).text;
    for absent in [Unnamed::Keep, Unnamed::Prune] {
        let both = merge(Some(&live), &grant(ONE), absent).unwrap();
        assert_eq!(
            (&both.granted, &both.kept, &both.revoked),
            (&accounts(ONE), &accounts(&[]), &accounts(&[]))
        );
        assert!(both.text.starts_with(live.strip_suffix("]}").unwrap()), "{}", both.text);
        assert_eq!(remove(&both.text, &grant(ONE)).unwrap().as_ref(), Some(&live));
        assert_eq!(granted_by(&live, &grant(ONE)).unwrap(), None);
    }
}

#[test]
fn bound_deny_is_rejected_next_to_another_fleets_grant() {
    let mut other = grant(TWO);
    other.fleet = FleetName::parse("other").unwrap();
    let mut grant = grant(ONE);
    grant.settings.form = GrantForm::BoundDeny;
    let error = merge(Some(&merged(None, &other).text), &grant, Unnamed::Prune);
    let error = error.unwrap_err();
    assert!(
        matches!(&error, MergeError::Shared { statement } if statement == "`AWSLogDeliveryWriteFlowaggOther`"),
        "{error}"
    );
}

#[test]
fn fleets_with_different_prefixes_share_a_bucket() {
    let mut network = grant(&["333344445555"]);
    network.fleet = FleetName::parse("network").unwrap();
    network.prefix = Some(Prefix::parse("network").unwrap());
    let first = merged(None, &grant(ONE)).text;
    let both = merge(Some(&first), &network, Unnamed::Prune).unwrap();
    assert!(both.revoked.is_empty() && both.text.starts_with(first.strip_suffix("]}").unwrap()));
    let again = merge(Some(&both.text), &grant(ONE), Unnamed::Prune).unwrap();
    assert!(!again.changed && again.revoked.is_empty());
    assert_eq!(remove(&both.text, &network).unwrap().unwrap(), first);
    assert!(remove(&first, &grant(ONE)).unwrap().is_none());
}

#[test]
fn policy_over_the_limit_is_rejected_with_its_size() {
    let many: BTreeSet<AccountId> = (0..1500).map(|n| account(&format!("{:012}", n))).collect();
    let mut grant = grant(ONE);
    grant.accounts = many;
    let error = merge(None, &grant, Unnamed::Keep).unwrap_err();
    assert!(
        matches!(
            error,
            MergeError::TooLarge { accounts: 1500, limit: 20_000, form: GrantForm::Accounts, .. }
        ),
        "{error}"
    );
    assert_data_eq!(
        with_help(&error),
        str![[r#"
the bucket policy would have 45555 bytes, 25555 over the limit of 20000 for form `auto`: 1500 accounts in form `accounts` and 39 bytes of other statements
    use form `organization` (no account list), remove other statements, or split the accounts among several buckets
"#]]
    );
}

#[test]
fn regions_of_an_unnamed_account_stay() {
    let of_one = BTreeMap::from([(account(ONE[0]), BTreeSet::from([Region::parse("us-east-1").unwrap()]))]);
    let mut first = grant(ONE);
    first.settings.source_arn = true;
    first.regions = Some(of_one);
    let mut second = grant(&["222233334444"]);
    second.settings.source_arn = true;
    second.regions = Some(BTreeMap::new());
    let outcome = merged(Some(&merged(None, &first).text), &second);
    assert_eq!(outcome.kept, accounts(ONE));
    let arns = "arn:aws:logs:us-east-1:111122223333:*\",\"arn:aws:logs:*:222233334444:*";
    assert!(outcome.text.contains(arns), "{}", outcome.text);
}

#[test]
fn grant_to_everyone_stays_until_it_is_pruned() {
    let open =
        merged(None, &classic(ONE)).text.replace("acme-logs/AWSLogs/111122223333/*", "acme-logs/AWSLogs/*");
    let kept = merged(Some(&open), &grant(ONE));
    assert!(
        kept.text.starts_with(open.strip_suffix("]}").unwrap())
            && kept.text.contains("AWSLogDeliveryWrite2FlowaggAcmeLogs")
    );
    assert_data_eq!(
        kept.notes.join("\n"),
        str![[
            r#"statement `AWSLogDeliveryWriteFlowaggAcmeLogs` allows every AWS account and is kept; `--prune` replaces it"#
        ]]
    );
    let pruned = merge(Some(&open), &grant(ONE), Unnamed::Prune).unwrap();
    assert_eq!(pruned.text, merged(None, &grant(ONE)).text);
}

#[test]
fn removed_deny_statements_are_reported() {
    let mut grant = grant(ONE);
    grant.settings.form = GrantForm::BoundDeny;
    grant.settings.deny_insecure_transport = true;
    let bound = merged(None, &grant);
    grant.settings.form = GrantForm::Prefixes;
    grant.settings.deny_insecure_transport = false;
    let free = merged(Some(&bound.text), &grant);
    for sid in ["DenyOtherAccountsFlowaggAcmeLogs", "DenyInsecureTransportFlowaggAcmeLogs"] {
        assert!(bound.text.contains(sid) && !free.text.contains(sid), "{}", free.text);
    }
    assert_data_eq!(
        free.notes.join("\n"),
        str![[r#"
statement `AWSLogDeliveryWriteFlowaggAcmeLogs`: loosened: accounts are no longer bound to their folders
statement `AWSLogDeliveryWriteFlowaggAcmeLogs`: tightened: now tests `aws:SourceAccount`
statement `AWSLogDeliveryAclCheckFlowaggAcmeLogs`: tightened: now tests `aws:SourceAccount`
statement `DenyOtherAccountsFlowaggAcmeLogs`: loosened: removed, so access of unlisted accounts through other statements is no longer denied
statement `DenyInsecureTransportFlowaggAcmeLogs`: loosened: removed, so access without TLS is no longer denied
"#]]
    );
}

#[test]
fn form_auto_only_changes_if_the_policy_no_longer_fits_or_on_prune() {
    let mut organization = organization();
    organization.extent = Extent::Unlisted;
    let grant = |count: u64| {
        let mut grant = grant(&[]);
        grant.accounts = (0..count).map(|n| account(&format!("{n:012}"))).collect();
        grant.organization = Some(organization.clone());
        grant
    };
    let mut live: Option<String> = None;
    for (count, form, form_reason) in [
        (200, GrantForm::Prefixes, FormReason::Fits),
        (201, GrantForm::Prefixes, FormReason::Live),
        (600, GrantForm::Accounts, FormReason::Fits),
        (200, GrantForm::Accounts, FormReason::Live),
        (2_000, GrantForm::Organization, FormReason::Fits),
        (200, GrantForm::Prefixes, FormReason::Fits),
    ] {
        let outcome = merge(live.as_deref(), &grant(count), Unnamed::Prune).unwrap();
        assert_eq!((outcome.form, outcome.form_reason), (form, form_reason), "{count}");
        assert!(outcome.bytes <= LIMIT - AUTO_MARGIN);
        assert!(!merge(Some(&outcome.text), &grant(count), Unnamed::Prune).unwrap().changed);
        live = Some(outcome.text);
    }
}

#[test]
fn form_auto_keeps_the_form_of_the_live_policy() {
    for form in GrantForm::ALL {
        let asked = |form| {
            let mut grant = grant(TWO);
            let mut organization = organization();
            organization.extent = Extent::Units;
            grant.organization = Some(organization);
            grant.settings.form = form;
            grant
        };
        let live = merged(None, &asked(form));
        for absent in [Unnamed::Keep, Unnamed::Prune] {
            let again = merge(Some(&live.text), &asked(GrantForm::Auto), absent).unwrap();
            assert_eq!((again.changed, again.form, again.form_reason), (false, live.form, FormReason::Live));
            assert_eq!(again.notes, [""; 0]);
        }
    }
}

#[test]
fn statement_for_an_organization_with_excluded_accounts_is_only_written_on_request() {
    let with = |form| {
        let mut grant = grant(TWO);
        let mut organization = organization();
        organization.extent = Extent::LeftOut;
        grant.organization = Some(organization);
        grant.settings.form = form;
        grant
    };
    let asked = merged(None, &with(GrantForm::Organization));
    assert_eq!((asked.form, asked.form_reason), (GrantForm::Organization, FormReason::Asked));
    let auto = merged(None, &with(GrantForm::Auto));
    assert_eq!((auto.form, auto.form_reason), (GrantForm::Prefixes, FormReason::Fits));
    let pruned = merge(Some(&asked.text), &with(GrantForm::Auto), Unnamed::Prune).unwrap();
    assert_eq!(pruned.text, auto.text);
    let many = (0..2_000).map(|n| account(&format!("{n:012}"))).collect();
    let mut grant = with(GrantForm::Auto);
    grant.accounts = many;
    let error = merge(None, &grant, Unnamed::Keep).unwrap_err();
    assert!(matches!(error, MergeError::TooLarge { form: GrantForm::Accounts, .. }), "{error}");
}

#[test]
fn errors_about_forms_have_help() {
    let with = |form, source_conditions| {
        let mut grant = grant(ONE);
        grant.settings.form = form;
        grant.settings.source_conditions = source_conditions;
        merge(None, &grant, Unnamed::Keep).unwrap_err()
    };
    let old = r#"{"Statement":[{"Sid":"Other","Effect":"Deny","Principal":"*","Action":"s3:DeleteBucket","Resource":"arn:aws:s3:::acme-logs"}]}"#;
    let mut bound = grant(ONE);
    bound.settings.form = GrantForm::BoundAccounts;
    let errors = [
        with(GrantForm::Organization, true),
        with(GrantForm::Accounts, false),
        merge(Some(old), &bound, Unnamed::Keep).unwrap_err(),
        merge(Some("{"), &grant(ONE), Unnamed::Keep).unwrap_err(),
        merge(None, &grant(&[]), Unnamed::Keep).unwrap_err(),
    ];
    assert_data_eq!(
        errors.each_ref().map(with_help).join("\n"),
        str![[r#"
form `organization` requires an organization, but none is set
    set the organization ID, or use form `prefixes` or `accounts`
form `accounts` allows every AWS account to deliver if `source-conditions` is false
    use form `prefixes`, or set `source-conditions` to true
form `bound-accounts` needs policy variables, but the `Version` of the live policy is not 2012-10-17
    check every `${` in the policy, then set its `Version` to 2012-10-17
the policy is not JSON: line 1, column 2: expected a key in quotation marks
    fix the JSON; the position is where parsing stopped
the bucket policy would have no statements
    delete the bucket policy instead
"#]]
    );
}

fn organization() -> GrantedOrganization {
    GrantedOrganization::whole(OrganizationId::parse("o-a1b2c3d4e5").unwrap())
}

fn whole_organization(outside: &[&str], within: &[&str]) -> Grant {
    let outside = accounts(outside);
    let mut grant = grant(&[]);
    grant.accounts = &outside | &accounts(within);
    let mut organization = organization();
    organization.outside = outside;
    grant.organization = Some(organization);
    grant
}

#[test]
fn list_is_replaced_with_its_organization_only_on_request_or_if_it_no_longer_fits() {
    let listed = merged(None, &grant(TWO)).text;
    for absent in [Unnamed::Keep, Unnamed::Prune] {
        let mut organization = whole_organization(&[], TWO);
        let outcome = merge(Some(&listed), &organization, absent).unwrap();
        assert_eq!((outcome.changed, outcome.form_reason), (false, FormReason::Live));

        let mut asked = organization.clone();
        asked.settings.form = GrantForm::Organization;
        let outcome = merge(Some(&listed), &asked, absent).unwrap();
        assert_eq!(outcome.text, merged(None, &organization).text);
        assert_eq!((outcome.kept, outcome.revoked), (BTreeSet::new(), BTreeSet::new()));
        assert_eq!((outcome.granted, outcome.form), (BTreeSet::new(), GrantForm::Organization));

        let many = (0..2_000).map(|n| account(&format!("{n:012}"))).collect();
        organization.accounts = many;
        let outcome = merge(Some(&listed), &organization, absent).unwrap();
        assert_eq!((outcome.form, outcome.form_reason), (GrantForm::Organization, FormReason::Whole));
    }
}

#[test]
fn list_is_not_kept_for_an_organization_with_unknown_accounts() {
    let listed = merged(None, &grant(TWO)).text;
    let pruned = merge(Some(&listed), &whole_organization(&[], &[]), Unnamed::Prune).unwrap();
    assert_eq!((pruned.form, pruned.form_reason), (GrantForm::Organization, FormReason::Whole));
    let mut grant = whole_organization(&[], &[]);
    grant.settings.form = GrantForm::Prefixes;
    let error = merge(None, &grant, Unnamed::Keep).unwrap_err();
    assert_eq!(error, MergeError::Grant(GrantError::NeedsAccounts { form: GrantForm::Prefixes }));
}

#[test]
fn organization_is_replaced_with_a_list_only_on_prune() {
    let covered = merged(None, &whole_organization(&[], TWO)).text;
    let words = "members of organization o-a1b2c3d4e5 that the fleet file does not list";
    for form in [GrantForm::Auto, GrantForm::Prefixes, GrantForm::BoundAccounts] {
        let mut organization = organization();
        organization.extent = Extent::Unlisted;
        let mut listed = grant(TWO);
        listed.organization = Some(organization);
        listed.settings.form = form;
        let kept = merged(Some(&covered), &listed);
        assert!(kept.text.starts_with(covered.strip_suffix("]}").unwrap()), "{form:?}: {}", kept.text);
        assert_eq!((kept.granted, kept.revoked, kept.revoked_access), Default::default());
        let reason = if form == GrantForm::Auto { FormReason::Unlisted } else { FormReason::Asked };
        assert_eq!(kept.form_reason, reason);
        // Form `auto` keeps the organization; a requested list is written next to it.
        assert_eq!(
            (kept.changed, kept.form),
            (form != GrantForm::Auto, if kept.changed { form } else { GrantForm::Organization })
        );
        let note = format!(
            "statement `AWSLogDeliveryWriteFlowaggAcmeLogs` is kept so that {words} may still deliver; `--prune` replaces it and \
             revokes their delivery"
        );
        assert_eq!(kept.notes, [note]);
        assert!(!merged(Some(&kept.text), &listed).changed);

        let pruned = merge(Some(&kept.text), &listed, Unnamed::Prune).unwrap();
        assert_eq!(pruned.text, merged(None, &listed).text);
        let ends: Vec<String> = pruned.revoked_access.iter().map(ToString::to_string).collect();
        assert_eq!((pruned.revoked, ends), (BTreeSet::new(), vec![words.to_owned()]));
    }
}

#[test]
fn organization_that_does_not_fit_in_a_list_stays_without_a_note() {
    let many = (0..2_000).map(|n| account(&format!("{n:012}"))).collect();
    let mut granted = organization();
    granted.extent = Extent::Unlisted;
    let organization = Some(granted);
    let mut grant = grant(&[]);
    grant.organization = organization;
    grant.accounts = many;
    let first = merged(None, &grant);
    assert_eq!(first.form, GrantForm::Organization);
    let again = merged(Some(&first.text), &grant);
    assert!(!again.changed && again.notes.is_empty(), "{:?}", again.notes);
}

#[test]
fn listed_account_outside_the_organization_stays_until_pruned() {
    let listed = merged(None, &grant(&["111122223333", "222233334444", "333344445555"])).text;
    let mut organization = whole_organization(&["333344445555"], ONE);
    organization.settings.form = GrantForm::Organization;
    let kept = merged(Some(&listed), &organization);
    assert_eq!((kept.kept, kept.revoked), (accounts(&["222233334444"]), BTreeSet::new()));
    assert!(!kept.text.contains("111122223333") && kept.text.contains("/222233334444/*"), "{}", kept.text);
    assert!(kept.text.contains("/333344445555/*"), "{}", kept.text);
    let pruned = merge(Some(&listed), &organization, Unnamed::Prune).unwrap();
    assert_eq!((pruned.kept, pruned.revoked), (BTreeSet::new(), accounts(&["222233334444"])));
    assert!(!pruned.text.contains("222233334444"), "{}", pruned.text);
}

#[test]
fn members_of_a_newly_granted_organization_are_granted() {
    let outcome = merged(None, &whole_organization(&[], TWO));
    assert_eq!(outcome.granted, accounts(TWO));
    assert!(merged(Some(&outcome.text), &whole_organization(&[], TWO)).granted.is_empty());
}
