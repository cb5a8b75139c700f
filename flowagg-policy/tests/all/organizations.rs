//! Grants to an organization with discovered accounts: covered accounts, named accounts, and changes of form.

use flowagg_core::fleet::{Fleet, FleetFile, FoundAccount};
use flowagg_core::id::AccountId;
use flowagg_core::observed::{Bucket, Observed};
use flowagg_core::plan::Unnamed;
use flowagg_policy::plan::plan;
use flowagg_policy::{Grant, merge};

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

/// A fleet of an organization with these additional keys and tables, and with the discovered accounts, each with a flag
/// that is set if the selected units contain it.
fn fleet(more: &str, found: &[(&str, bool)]) -> Fleet {
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
         [organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"eu-west-1\"]\n{more}\n"
    );
    let mut resolution = FleetFile::parse(&text).unwrap().resolve();
    for (id, in_units) in found {
        let (state, in_units) = ("ACTIVE".to_owned(), *in_units);
        let mut found = FoundAccount::new(account(id), state);
        found.in_units = in_units;
        resolution.find(found);
    }
    resolution.finish()
}

const FOUND: [(&str, bool); 2] = [("222222222222", true), ("333333333333", true)];
/// A member outside the organization.
const PARTNER: &str = "[[members]]\naccount = \"444444444444\"\nregions = [\"eu-west-1\"]\n";

/// The planned policy for a bucket without a policy.
#[track_caller]
fn planned(fleet: &Fleet) -> String {
    let bucket = Ok(Some(Bucket::default()));
    let observed = Observed::new(bucket);
    let plan = plan(fleet, &observed, Unnamed::Keep);
    assert!(plan.is_complete(), "{plan:?}");
    plan.policy_write().unwrap().text.unwrap().to_owned()
}

#[test]
fn member_outside_the_organization_is_listed_in_every_organization_form() {
    for choice in [
        "",
        "units = [\"ou-ab12-11111111\"]",
        "except-accounts = [\"999999999999\"]",
        "except-units = [\"ou-ab12-22222222\"]",
    ] {
        for form in ["organization", "bound-organization"] {
            let policy = format!("{choice}\n{PARTNER}[policy]\nform = \"{form}\"\n");
            let text = planned(&fleet(&policy, &FOUND));
            assert!(text.contains("aws:SourceOrg"), "{choice}: {text}");
            assert!(text.contains("\"aws:SourceAccount\":\"444444444444\""), "{choice} {form}: {text}");
            assert!(!text.contains("222222222222"), "{choice} {form}: {text}");
        }
    }
}

#[test]
fn member_outside_the_units_is_listed() {
    let choice =
        "units = [\"ou-ab12-11111111\"]\naccounts = [\"555555555555\"]\n[policy]\nform = \"organization\"\n";
    let text = planned(&fleet(choice, &[FOUND[0], FOUND[1], ("555555555555", false)]));
    assert!(
        text.contains("\"aws:SourceAccount\":\"555555555555\"") && !text.contains("222222222222"),
        "{text}"
    );
    // An account that is also in the units is found twice.
    let twice = fleet(choice, &[("555555555555", true), ("555555555555", false)]);
    assert!(!planned(&twice).contains("555555555555"));
    let whole = "accounts = [\"555555555555\"]\n[policy]\nform = \"organization\"\n";
    assert!(!planned(&fleet(whole, &[("555555555555", false)])).contains("555555555555"));
}

#[test]
fn members_are_covered_by_an_organization_without_discovery() {
    let text = "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
                [organization]\nid = \"o-a1b2c3d4e5\"\n[policy]\nform = \"organization\"\n";
    let text = planned(&Fleet::parse(&format!("{text}{PARTNER}")).unwrap());
    assert!(text.contains("aws:SourceOrgID") && !text.contains("444444444444"), "{text}");
}

#[test]
fn narrowed_organization_keeps_its_grant_until_pruned() {
    let whole = merge(None, &Grant::from(&fleet("", &FOUND)), Unnamed::Keep).unwrap();
    assert!(whole.text.contains("aws:SourceOrgID"));
    for narrower in ["except-accounts = [\"333333333333\"]", "units = [\"ou-ab12-11111111\"]"] {
        let grant = Grant::from(&fleet(narrower, &FOUND));
        let kept = merge(Some(&whole.text), &grant, Unnamed::Keep).unwrap();
        assert!(kept.text.contains("aws:SourceOrgID"), "{narrower}: {}", kept.text);
        snapbox::assert_data_eq!(
            kept.notes.join("\n"),
            snapbox::str![[
                r#"statement `AWSLogDeliveryWriteFlowaggAcmeLogs` is kept so that members of organization o-a1b2c3d4e5 that the fleet file does not list may still deliver; `--prune` replaces it and revokes their delivery"#
            ]]
        );
        let again = merge(Some(&kept.text), &grant, Unnamed::Keep).unwrap();
        assert!(!again.changed, "{narrower}");
        let pruned = merge(Some(&kept.text), &grant, Unnamed::Prune).unwrap();
        assert!(!pruned.text.contains("aws:SourceOrgID"), "{narrower}: {}", pruned.text);
    }
}
