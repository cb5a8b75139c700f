//! A run for some of the members only changes their part of the bucket policy.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{Fleet, FleetFile, FoundAccount, GrantForm};
use flowagg_core::id::AccountId;
use flowagg_core::observed::{Bucket, Key, Observed, Scope};
use flowagg_core::plan::{Subject, Unnamed};
use flowagg_policy::plan::plan;
use flowagg_policy::{Grant, Plan, granted_by, merge};
use snapbox::{assert_data_eq, str};

const MEMBERS: [&str; 3] = ["222222222222", "333333333333", "444444444444"];
const STRANGER: &str = "999999999999";

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn accounts(ids: &[&str]) -> BTreeSet<AccountId> {
    ids.iter().map(|id| account(id)).collect()
}

/// A fleet of these members with these lines in `[policy]`.
fn fleet(policy: &str, members: &[&str]) -> Fleet {
    let member =
        |id: &&str| format!("[[members]]\naccount = \"{id}\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n");
    let members: String = members.iter().map(member).collect();
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n[policy]\n{policy}\n{members}"
    );
    Fleet::parse(&text).unwrap()
}

/// A fleet with discovered accounts and these lines in `[organization]`.
fn organization(more: &str, found: impl Iterator<Item = AccountId>) -> Fleet {
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\n\
         [organization]\nid = \"o-a1b2c3d4e5\"\nregions = [\"eu-west-1\"]\n{more}\n"
    );
    let mut resolution = FleetFile::parse(&text).unwrap().resolve();
    for id in found {
        let mut found = FoundAccount::new(id, "ACTIVE".to_owned());
        found.in_units = true;
        resolution.find(found);
    }
    resolution.finish()
}

fn observed(live: Option<&str>, selected: &[&str]) -> Observed {
    let mut bucket = Bucket::default();
    bucket.policy = live.map(str::to_owned);
    let mut observed = Observed::new(Ok(Some(bucket)));
    observed.scope = Scope::Part { members: accounts(selected) };
    observed
}

fn notes(plan: &Plan) -> String {
    plan.notes().iter().filter(|note| !note.is_about_bucket()).map(|note| format!("{note}\n")).collect()
}

/// The policy after the plan.
fn after(plan: &Plan, live: Option<&str>) -> Option<String> {
    assert!(plan.is_complete(), "{:?}", plan.obstacles());
    plan.policy_write().map_or(live, |write| write.text).map(str::to_owned)
}

#[test]
fn selected_members_are_added_and_other_accounts_keep_their_access() {
    for form in ["prefixes", "accounts", "bound-accounts", "bound-deny", "auto"] {
        for source_arn in [false, true] {
            let policy = format!("form = \"{form}\"\nsource-arn = {source_arn}");
            let whole = fleet(&policy, &MEMBERS);
            let grant = Grant::from(&whole);
            for live in [&[][..], &MEMBERS[..1], &MEMBERS[1..], &[STRANGER], &[MEMBERS[0], STRANGER]] {
                let text = (!live.is_empty())
                    .then(|| merge(None, &Grant::from(&fleet(&policy, live)), Unnamed::Keep).unwrap().text);
                let text = text.as_deref();
                for selected in [&MEMBERS[..1], &MEMBERS[..2], &MEMBERS[2..]] {
                    for unnamed in [Unnamed::Keep, Unnamed::Prune] {
                        let plan = plan(&whole, &observed(text, selected), unnamed);
                        let granted = granted_by(&after(&plan, text).unwrap(), &grant).unwrap().unwrap();
                        let expected = &accounts(live) | &accounts(selected);
                        assert_eq!(granted.accounts, expected, "{policy} {live:?} {selected:?}");
                        let again = plan.again(&whole, &observed(after(&plan, text).as_deref(), selected));
                        assert_eq!(again.policy_write(), None, "{policy} {live:?} {selected:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn unselected_member_keeps_its_live_regions() {
    let mut fleet = fleet("source-arn = true", &MEMBERS);
    let live = merge(None, &Grant::from(&fleet), Unnamed::Keep).unwrap().text;
    for member in fleet.members.values_mut() {
        member.regions =
            flowagg_core::fleet::Regions::These(BTreeSet::from(["eu-central-1".parse().unwrap()]));
    }
    let plan = plan(&fleet, &observed(Some(&live), &MEMBERS[..1]), Unnamed::Keep);
    let grant = Grant::from(&fleet);
    let regions = |policy: &str| -> BTreeMap<AccountId, String> {
        let regions = granted_by(policy, &grant).unwrap().unwrap().regions.unwrap();
        let named =
            |regions: BTreeSet<_>| regions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        regions.into_iter().map(|(account, regions)| (account, named(regions))).collect()
    };
    let (before, after) = (regions(&live), regions(&after(&plan, Some(&live)).unwrap()));
    assert_eq!(after[&account(MEMBERS[0])], "eu-central-1 eu-west-1 us-east-1");
    for other in &MEMBERS[1..] {
        assert_eq!(after[&account(other)], before[&account(other)]);
    }
}

#[test]
fn non_member_is_reported_and_not_pruned_by_a_partial_run() {
    let live = merge(None, &Grant::from(&fleet("", &[MEMBERS[1], STRANGER])), Unnamed::Keep).unwrap().text;
    let plan = plan(&fleet("", &MEMBERS), &observed(Some(&live), &MEMBERS[..1]), Unnamed::Prune);
    assert_data_eq!(
        notes(&plan),
        str![[r#"
the fleet's statements still name 999999999999, which is not in the fleet file; `--prune` removes it
`--prune` does not revoke grants while only part of the fleet is selected

"#]]
    );
}

#[test]
fn only_problems_of_selected_members_are_obstacles() {
    let deny = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Sid":"Theirs","Effect":"Deny","Principal":{{"Service":"delivery.logs.amazonaws.com"}},"Action":"s3:*","Resource":"arn:aws:s3:::acme-logs/*","Condition":{{"StringEquals":{{"aws:SourceAccount":"{}"}}}}}}]}}"#,
        MEMBERS[1]
    );
    let fleet = fleet("", &MEMBERS);
    let of = |selected: &[&str]| plan(&fleet, &observed(Some(&deny), selected), Unnamed::Keep);
    assert!(of(&MEMBERS[..1]).is_complete());
    assert_eq!(of(&MEMBERS[1..2]).obstacles().len(), 1);

    let mut encrypted = fleet.clone();
    let key = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let text = format!(
        "[hub]\naccount = \"111122223333\"\nregion = \"eu-west-1\"\nbucket = \"acme-logs\"\nencryption = \"{key}\"\n\
         [[members]]\naccount = \"222222222222\"\nregions = [\"eu-west-1\"]\n"
    );
    encrypted.hub = Fleet::parse(&text).unwrap().hub;
    let allows = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"Service":"delivery.logs.amazonaws.com"}},"Action":"kms:*","Resource":"*","Condition":{{"StringEquals":{{"aws:SourceAccount":"{}"}}}}}}]}}"#,
        MEMBERS[0]
    );
    for (selected, is_in_the_way) in [(&MEMBERS[..1], false), (&MEMBERS[..2], true)] {
        let mut observed = observed(None, selected);
        observed.key = Some(Ok(Key::new(allows.clone())));
        let plan = plan(&encrypted, &observed, Unnamed::Keep);
        let of_key = plan.obstacles().iter().any(|obstacle| obstacle.about == Subject::Key);
        assert_eq!(of_key, is_in_the_way, "{:?}", plan.obstacles());
    }
}

#[test]
fn grant_to_an_organization_is_not_limited_to_selected_members() {
    let whole = organization("", MEMBERS.map(account).into_iter());
    let first = plan(&whole, &observed(None, &MEMBERS[..1]), Unnamed::Keep);
    let live = after(&first, None).unwrap();
    assert!(live.contains("aws:SourceOrgID") && !live.contains(MEMBERS[0]), "{live}");
    assert_data_eq!(
        notes(&first),
        str![[r#"
the grant is for organization o-a1b2c3d4e5, not for individual accounts: `--only` does not limit it, and every account there can deliver

"#]]
    );
    let second = plan(&whole, &observed(Some(&live), &MEMBERS[1..2]), Unnamed::Keep);
    assert_eq!(second.policy_write(), None);
    assert_data_eq!(notes(&second), str![]);
}

#[test]
fn list_that_only_fits_part_of_the_fleet_is_never_written() {
    let many = || (0..700u64).map(|n| account(&format!("{:012}", 222_222_222_222 + n)));
    let units = organization("units = [\"ou-ab12-11111111\"]", many());
    let first = plan(&units, &observed(None, &MEMBERS[..1]), Unnamed::Keep);
    let live = after(&first, None).unwrap();
    assert!(live.contains("aws:SourceOrgPaths") && !live.contains(MEMBERS[0]), "{live}");
    assert_data_eq!(
        notes(&first),
        str![[r#"
the grant is for ou-ab12-11111111 in organization o-a1b2c3d4e5, not for individual accounts: `--only` does not limit it, and every account there can deliver

"#]]
    );
    let mut all = observed(Some(&live), &[]);
    all.scope = Scope::Whole;
    assert_eq!(
        plan(&units, &all, Unnamed::Keep).policy_write(),
        None,
        "the other members need no further changes"
    );

    let form = merge(None, &Grant::from(&units), Unnamed::Keep).unwrap().form;
    assert_eq!(form, GrantForm::Organization);
}
