//! Key policies, evaluated for the requests of the delivery service.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::id::{AccountId, BucketName, KmsKeyArn, OrganizationId, Prefix, Region};
use flowagg_core::layout::Layout;
use flowagg_policy::key::{KeyAccess, KeyUse, LIMIT, ask};
use flowagg_policy::{DecisionKind, Membership};
use proptest::prelude::*;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, str};

use crate::support::{BUCKET, DELIVERY, ORGANIZATION, account, cases, live, stranger};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// The default policy of a new key.
const DEFAULT: &str = r#"{"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}"#;

type Accounts = BTreeMap<AccountId, BTreeSet<Region>>;

fn id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn accounts(of: &[(&str, &[&str])]) -> Accounts {
    let regions = |names: &&[&str]| names.iter().map(|name| Region::parse(name).unwrap()).collect();
    of.iter().map(|(account, names)| (id(account), regions(names))).collect()
}

fn two() -> Accounts {
    accounts(&[("222233334444", &["eu-west-1", "us-east-1"]), ("333344445555", &["eu-west-1"])])
}

/// A key use with a bucket that has a Bucket Key, as flowagg configures it.
struct Question {
    key: KmsKeyArn,
    bucket: BucketName,
    layout: Layout,
    bucket_key: Option<bool>,
    memberships: BTreeMap<AccountId, Membership>,
}

impl Question {
    fn new() -> Self {
        Self {
            key: KmsKeyArn::parse(KEY).unwrap(),
            bucket: BucketName::parse(BUCKET).unwrap(),
            layout: Layout::default(),
            bucket_key: Some(true),
            memberships: BTreeMap::new(),
        }
    }

    #[track_caller]
    fn ask(&self, policy: &str, accounts: &Accounts) -> KeyAccess {
        let mut asked = KeyUse::new(&self.key, &self.bucket, &self.layout, accounts);
        asked.bucket_key = self.bucket_key;
        asked.memberships = &self.memberships;
        ask(policy, &asked).unwrap()
    }
}

#[track_caller]
fn refused(policy: &str, accounts: &Accounts) -> Vec<String> {
    named(&Question::new().ask(policy, accounts))
}

fn named(answer: &KeyAccess) -> Vec<String> {
    answer.refusals.iter().map(|refusal| refusal.account.to_string()).collect()
}

fn undecided(answer: &KeyAccess) -> Vec<String> {
    answer.undecided.iter().map(|undecided| undecided.account.to_string()).collect()
}

fn policy(statements: &[Value]) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// A statement as AWS documents it, with this condition.
fn documented(condition: Value) -> Value {
    json!({
        "Sid": "Allow Logs Delivery to use the key", "Effect": "Allow", "Principal": {"Service": [DELIVERY]},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*", "Condition": condition
    })
}

/// The policy with an additional statement.
fn joined(policy: &str, statement: &str) -> String {
    let mut policy: Value = serde_json::from_str(policy).unwrap();
    let statements = &mut policy["Statement"];
    if !statements.is_array() {
        *statements = Value::Array(vec![statements.take()]);
    }
    statements.as_array_mut().unwrap().push(serde_json::from_str(statement).unwrap());
    policy.to_string()
}

#[test]
fn default_key_policy_lacks_the_documented_statement() {
    let answer = Question::new().ask(DEFAULT, &two());
    assert_eq!(named(&answer), ["222233334444", "333344445555"]);
    assert_eq!(
        answer.refusals[0].to_string(),
        "log delivery for 222233334444 in eu-west-1 cannot use the key with `kms:GenerateDataKey`: \
         ImplicitDeny: statement `Enable IAM User Permissions` would allow it except for the principal"
    );
    assert_eq!(
        answer.statement.as_deref(),
        Some(
            r#"{"Sid":"AWSLogDeliveryUseOfKey","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":["222233334444","333344445555"]},"ArnLike":{"aws:SourceArn":["arn:aws:logs:eu-west-1:222233334444:*","arn:aws:logs:us-east-1:222233334444:*","arn:aws:logs:eu-west-1:333344445555:*"]}}}"#
        )
    );
    assert_eq!(
        answer.help,
        [format!("add the statement to the policy of {KEY} and keep the existing statements")]
    );
}

#[test]
fn documented_statement_is_sufficient() {
    let statement = documented(json!({
        "StringEquals": {"aws:SourceAccount": ["222233334444", "333344445555"]},
        "ArnLike": {"aws:SourceArn": ["arn:aws:logs:*:222233334444:*", "arn:aws:logs:eu-west-1:333344445555:*"]}
    }));
    let answer = Question::new().ask(&policy(&[statement]), &two());
    assert_eq!(answer, KeyAccess::default());
}

#[test]
fn unlisted_account_or_region_is_refused() {
    let one = documented(json!({"StringEquals": {"aws:SourceAccount": "222233334444"}}));
    assert_eq!(refused(&policy(&[one]), &two()), ["333344445555"]);
    let elsewhere = documented(json!({"ArnLike": {"aws:SourceArn": "arn:aws:logs:eu-west-1:*:*"}}));
    let answer = Question::new().ask(&policy(&[elsewhere]), &two());
    assert_eq!(named(&answer), ["222233334444"]);
    assert_data_eq!(
        answer.refusals[0].to_string(),
        str![[
            r#"log delivery for 222233334444 in us-east-1 cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Allow Logs Delivery to use the key` would allow it except for `aws:SourceArn`, which is `arn:aws:logs:us-east-1:222233334444:log-delivery`"#
        ]]
    );
    assert!(answer.statement.unwrap().contains(r#""aws:SourceAccount":"222233334444""#));
}

#[test]
fn empty_region_set_means_any_region() {
    let any = accounts(&[("222233334444", &[])]);
    let answer = Question::new().ask(DEFAULT, &any);
    assert_data_eq!(
        answer.refusals[0].to_string(),
        str![[
            r#"log delivery for 222233334444 in any region cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Enable IAM User Permissions` would allow it except for the principal"#
        ]]
    );
    let statement = answer.statement.unwrap();
    assert!(
        statement.ends_with(r#""ArnLike":{"aws:SourceArn":"arn:aws:logs:*:222233334444:*"}}}"#),
        "{statement}"
    );
    let some = documented(json!({"ArnLike": {"aws:SourceArn": "arn:aws:logs:eu-west-1:222233334444:*"}}));
    let answer = Question::new().ask(&policy(&[some]), &any);
    assert_eq!((named(&answer).len(), undecided(&answer).len()), (0, 1), "the result depends on the region");
    assert_eq!(refused(&joined(DEFAULT, &statement), &any), [""; 0]);
}

#[test]
fn both_actions_are_required() {
    for (action, lacking) in [("kms:GenerateDataKey*", "kms:Decrypt"), ("kms:Decrypt", "kms:GenerateDataKey")]
    {
        let mut statement = documented(json!({}));
        statement["Action"] = json!(action);
        let answer = Question::new().ask(&policy(&[statement]), &two());
        assert_eq!(
            answer.refusals.iter().map(|refusal| refusal.action).collect::<Vec<_>>(),
            [lacking, lacking]
        );
    }
}

#[test]
fn resource_must_match_the_key_arn() {
    for (resource, lets) in
        [(KEY, true), ("arn:aws:kms:eu-west-1:111122223333:key/*", true), ("arn:aws:s3:::*", false)]
    {
        let mut statement = documented(json!({}));
        statement["Resource"] = json!(resource);
        assert_eq!(refused(&policy(&[statement]), &two()).is_empty(), lets, "{resource}");
    }
}

#[test]
fn deny_is_named_and_no_statement_is_offered_if_none_helps() {
    let deny = json!({
        "Sid": "OnlyPeople", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"Bool": {"aws:PrincipalIsAWSService": "true"}}
    });
    let allow = documented(json!({"StringEquals": {"aws:SourceAccount": "222233334444"}}));
    let answer = Question::new().ask(&policy(&[deny, allow]), &two());
    assert_eq!(named(&answer), ["222233334444", "333344445555"]);
    assert_eq!(answer.refusals[0].decision.kind, DecisionKind::ExplicitDeny);
    let statement = answer.statement.unwrap();
    assert!(statement.contains("333344445555") && !statement.contains("222233334444"), "{statement}");
    assert_data_eq!(
        answer.help.join("\n"),
        str![[r#"
add the statement to the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab and keep the existing statements
remove statement `OnlyPeople` from the key policy or exempt `delivery.logs.amazonaws.com` from it; no other statement can override a Deny
"#]]
    );

    let deny =
        json!({"Effect": "Deny", "Principal": {"Service": DELIVERY}, "Action": "kms:*", "Resource": "*"});
    let answer = Question::new().ask(&policy(&[documented(json!({})), deny]), &two());
    assert_eq!((named(&answer).len(), answer.statement), (2, None));
    assert_data_eq!(
        answer.help.join("\n"),
        str![[
            r#"remove statement 2 from the key policy or exempt `delivery.logs.amazonaws.com` from it; no other statement can override a Deny"#
        ]]
    );
}

#[test]
fn organization_condition_is_decided_for_known_memberships() {
    let statement = policy(&[documented(json!({"StringEquals": {"aws:SourceOrgID": ORGANIZATION}}))]);
    let answer = Question::new().ask(&statement, &two());
    assert_eq!(named(&answer), [""; 0]);
    assert_eq!(undecided(&answer), ["222233334444", "333344445555"]);
    assert_eq!(
        answer.undecided[0].to_string(),
        "log delivery for 222233334444 in eu-west-1 may not be able to use the key with `kms:GenerateDataKey`: Depends on \
         `aws:SourceOrgID` in statement `Allow Logs Delivery to use the key`"
    );
    let organization = OrganizationId::parse(ORGANIZATION).unwrap();
    let mut question = Question::new();
    question.memberships = BTreeMap::from([
        (id("222233334444"), Membership::Within(organization.clone(), BTreeSet::new())),
        (id("333344445555"), Membership::Outside(organization)),
    ]);
    let units = json!({"ForAnyValue:StringLike": {"aws:SourceOrgPaths": format!("{ORGANIZATION}/*")}});
    for statement in [statement, policy(&[documented(units)])] {
        let answer = question.ask(&statement, &two());
        assert_eq!((named(&answer), undecided(&answer)), (vec!["333344445555".to_owned()], vec![]));
    }
    let unit = json!({"ForAnyValue:StringLike": {"aws:SourceOrgPaths": format!("{ORGANIZATION}/r-ab12/ou-ab12-11111111/*")}});
    let answer = question.ask(&policy(&[documented(unit)]), &two());
    assert_eq!(named(&answer), ["333344445555"]);
    assert_eq!(undecided(&answer), ["222233334444"]);
}

#[test]
fn open_statement_is_decided_by_its_conditions() {
    let open = |condition: Value| {
        policy(&[json!({
            "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*", "Condition": condition
        })])
    };
    assert_eq!(refused(&open(json!({})), &two()), [""; 0]);
    let caller = json!({"StringEquals": {"kms:CallerAccount": "111122223333", "kms:ViaService": "s3.eu-west-1.amazonaws.com"}});
    let answer = Question::new().ask(&open(caller), &two());
    assert_eq!((named(&answer).len(), undecided(&answer).len()), (0, 2));
    for (region, lets) in [("eu-west-1", true), ("us-east-1", false)] {
        let via = json!({"StringEquals": {"kms:ViaService": format!("s3.{region}.amazonaws.com")}});
        assert_eq!(refused(&open(via), &two()).is_empty(), lets, "{region}");
    }
}

#[test]
fn encryption_context_depends_on_the_bucket_key() {
    let under =
        |arn: &str| policy(&[documented(json!({"StringLike": {"kms:EncryptionContext:aws:s3:arn": arn}}))]);
    let mut question = Question::new();
    question.layout.prefix = Some(Prefix::parse("net").unwrap());
    for (arn, with, without, unknown) in [
        ("arn:aws:s3:::acme-logs", true, false, false),
        ("arn:aws:s3:::acme-logs/net/AWSLogs/*", false, true, false),
        ("arn:aws:s3:::acme-logs*", true, true, true),
        ("arn:aws:s3:::other*", false, false, false),
    ] {
        for (bucket_key, lets) in [(Some(true), with), (Some(false), without), (None, unknown)] {
            question.bucket_key = bucket_key;
            let answer = question.ask(&under(arn), &two());
            assert_eq!(answer.refusals.is_empty(), lets, "{arn} {bucket_key:?}");
        }
    }
}

#[test]
fn number_is_appended_to_a_duplicate_sid() {
    let one = documented(json!({"StringEquals": {"aws:SourceAccount": "222233334444"}}));
    let first =
        Question::new().ask(DEFAULT, &accounts(&[("444455556666", &["eu-west-1"])])).statement.unwrap();
    let answer = Question::new().ask(&joined(&policy(&[one]), &first), &two());
    assert!(answer.statement.unwrap().starts_with(r#"{"Sid":"AWSLogDeliveryUseOfKey2","#));
}

#[test]
fn statement_that_is_too_long_omits_regions_or_is_reported() {
    let many = |count: u64| -> Accounts {
        let region = Region::parse("eu-west-1").unwrap();
        (1..=count).map(|n| (id(&format!("{n:012}")), BTreeSet::from([region.clone()]))).collect()
    };
    let mut advice = String::new();
    for (count, arns, fits) in [(500, true, true), (1_500, false, true), (3_000, false, false)] {
        let answer = Question::new().ask(DEFAULT, &many(count));
        let statement = answer.statement.unwrap();
        assert_eq!(statement.contains("aws:SourceArn"), arns, "{count}");
        assert_eq!(DEFAULT.len() + 1 + statement.len() <= LIMIT, fits, "{count}");
        advice.push_str(&format!("{count}: {}\n", answer.help.join("; ")));
    }
    assert_data_eq!(
        advice,
        str![[r#"
500: add the statement to the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab and keep the existing statements
1500: add the statement to the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab and keep the existing statements; it omits `aws:SourceArn`, which would exceed the KMS limit of 32768 bytes
3000: the statement does not fit: the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab would exceed the KMS limit of 32768 bytes; remove other statements, split the accounts among several buckets and keys, or test `aws:SourceOrgID` instead of the list if all accounts of your organization may deliver (AWS documents that key for bucket policies, but shows no key policy with it)

"#]]
    );
}

#[test]
fn key_in_china_uses_its_partition() {
    let mut question = Question::new();
    question.key = KmsKeyArn::parse("arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd").unwrap();
    let there = accounts(&[("222233334444", &["cn-north-1"])]);
    let statement = question.ask(DEFAULT, &there).statement.unwrap();
    assert!(statement.contains("arn:aws-cn:logs:cn-north-1:222233334444:*"), "{statement}");
    assert_eq!(named(&question.ask(&joined(DEFAULT, &statement), &there)), [""; 0]);
}

#[test]
fn unreadable_key_policy_is_an_error_with_the_cause() {
    let (question, two) = (Question::new(), two());
    let layout = Layout::default();
    let asked = KeyUse::new(&question.key, &question.bucket, &layout, &two);
    let large = " ".repeat(2_000_000);
    let errors = [
        "{",
        "[]",
        r#"{"Statement":{"Sid":"A","Effect":"Perhaps","Principal":"*","Action":"kms:*","Resource":"*"}}"#,
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*"}}"#,
        &large,
    ]
    .map(|text| ask(text, &asked).unwrap_err());
    assert_data_eq!(
        errors.map(|error| format!("{error}\n    {}", error.help())).join("\n"),
        str![[r#"
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: the policy is not JSON: line 1, column 2: expected a key in quotation marks
    fix the JSON; the position is where parsing stopped
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: not a valid policy: it is a list
    use the form `{"Version": "2012-10-17", "Statement": [...]}`
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: statement `A` of the policy: `Effect` must be `Allow` or `Deny`
    see "Grammar of the IAM JSON policy language" in the IAM User Guide
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: statement 1 of the policy: missing `Resource` or `NotResource`
    see "Grammar of the IAM JSON policy language" in the IAM User Guide
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: the policy has 2000000 bytes, more than the 1048576 that flowagg reads
    check that this is a key policy; KMS accepts at most 32,768 bytes
"#]]
    );
}

fn of_accounts() -> impl Strategy<Value = Accounts> {
    let region = prop::sample::select(vec!["eu-west-1", "us-east-1", "ap-southeast-7"]);
    let regions = prop::collection::btree_set(region.prop_map(|name| Region::parse(name).unwrap()), 0..3);
    prop::collection::btree_map(account(), regions, 0..5)
}

/// A statement of a key policy about the delivery service.
fn allowing() -> impl Strategy<Value = Value> {
    let texts = |values: Vec<&'static str>| prop::collection::vec(prop::sample::select(values), 1..3);
    let actions =
        texts(vec!["kms:*", "kms:Decrypt", "kms:GenerateDataKey*", "kms:GenerateDataKey", "kms:Describe*"]);
    let condition = prop_oneof![
        Just(json!({})),
        texts(vec!["111122223333", "222233334444", "000000000001"])
            .prop_map(|accounts| json!({"StringEquals": {"aws:SourceAccount": accounts}})),
        texts(vec!["arn:aws:logs:eu-west-1:*:*", "arn:aws:logs:*:333344445555:*"])
            .prop_map(|arns| json!({"ArnLike": {"aws:SourceArn": arns}})),
        Just(json!({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}})),
    ];
    (actions, condition).prop_map(|(actions, condition)| {
        let mut statement = documented(condition);
        statement["Action"] = json!(actions);
        statement
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn missing_statement_only_allows_the_refused_accounts(
        allowing in prop::collection::vec(allowing(), 0..3), accounts in of_accounts(), bucket_key in any::<Option<bool>>(),
    ) {
        let question = Question { bucket_key, ..Question::new() };
        let before = allowing.iter().fold(DEFAULT.to_owned(), |policy, statement| joined(&policy, &statement.to_string()));
        let answer = question.ask(&before, &accounts);
        prop_assert_eq!(answer.statement.is_some(), !answer.refusals.is_empty());
        let after = answer.statement.as_ref().map_or(before.clone(), |statement| joined(&before, statement));
        let granted = question.ask(&after, &accounts);
        prop_assert_eq!((granted.refusals.len(), &granted.statement, granted.help.len()), (0, &None, 0));
        prop_assert_eq!(&granted.undecided, &answer.undecided);
        // Without a region, the result may depend on the region.
        prop_assert!(granted.undecided.iter().all(|undecided| accounts[&undecided.account].is_empty()));

        // Accounts that were not evaluated, or that were not refused, are decided as before.
        let region = |name| Region::parse(name).unwrap();
        for other in [stranger(), id("444455556666"), id("111122223333"), id("000000000001")] {
            if !answer.refusals.iter().any(|refusal| refusal.account == other) {
                for name in ["eu-west-1", "us-west-2"] {
                    let one = Accounts::from([(other, BTreeSet::from([region(name)]))]);
                    prop_assert_eq!(question.ask(&before, &one).refusals.is_empty(), question.ask(&after, &one).refusals.is_empty());
                }
            }
        }
        // Refused accounts only gain access from their own regions.
        for refusal in &answer.refusals {
            let one = Accounts::from([(refusal.account, BTreeSet::from([region("us-west-2")]))]);
            if !accounts[&refusal.account].is_empty() {
                prop_assert_eq!(question.ask(&before, &one).refusals.is_empty(), question.ask(&after, &one).refusals.is_empty());
            }
        }
    }

    #[test]
    fn arbitrary_key_policy_never_panics(live in live(), accounts in of_accounts()) {
        let question = Question::new();
        let answer = question.ask(&live, &accounts);
        prop_assert!(answer.refusals.len() <= accounts.len());
        prop_assert_eq!(answer.refusals.is_empty(), answer.help.is_empty());
    }
}

#[test]
fn encryption_context_follows_hive_compatible_folders() {
    let mut question = Question { bucket_key: Some(false), ..Question::new() };
    let arn = format!("arn:aws:s3:::{BUCKET}/AWSLogs/aws-account-id=*");
    let hive = policy(&[documented(json!({"StringLike": {"kms:EncryptionContext:aws:s3:arn": arn}}))]);
    assert_eq!(question.ask(&hive, &two()).refusals.len(), 2);
    question.layout.files.hive_compatible_partitions = true;
    assert_eq!(question.ask(&hive, &two()).refusals, []);
}
