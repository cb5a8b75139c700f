//! Key policies, asked as the delivery service would.

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

/// What AWS gives a key that is made without a policy.
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

/// A question about a bucket with a Bucket Key, as flowagg makes it.
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

/// A statement as AWS documents it, with these conditions.
fn documented(condition: Value) -> Value {
    json!({
        "Sid": "Allow Logs Delivery to use the key", "Effect": "Allow", "Principal": {"Service": [DELIVERY]},
        "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
        "Resource": "*", "Condition": condition
    })
}

/// The policy with one statement more.
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
fn the_policy_that_a_key_is_made_with_lacks_the_documented_statement() {
    let answer = Question::new().ask(DEFAULT, &two());
    assert_eq!(named(&answer), ["222233334444", "333344445555"]);
    assert_eq!(
        answer.refusals[0].to_string(),
        "log delivery for 222233334444 in eu-west-1 cannot use the key with `kms:GenerateDataKey`: \
         ImplicitDeny: statement `Enable IAM User Permissions` would allow it but for the principal"
    );
    assert_eq!(
        answer.statement.as_deref(),
        Some(
            r#"{"Sid":"AWSLogDeliveryUseOfKey","Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"aws:SourceAccount":["222233334444","333344445555"]},"ArnLike":{"aws:SourceArn":["arn:aws:logs:eu-west-1:222233334444:*","arn:aws:logs:us-east-1:222233334444:*","arn:aws:logs:eu-west-1:333344445555:*"]}}}"#
        )
    );
    assert_eq!(answer.help, [format!("add the statement to the policy of {KEY}, beside those that it has")]);
}

#[test]
fn the_documented_statement_is_enough() {
    let statement = documented(json!({
        "StringEquals": {"aws:SourceAccount": ["222233334444", "333344445555"]},
        "ArnLike": {"aws:SourceArn": ["arn:aws:logs:*:222233334444:*", "arn:aws:logs:eu-west-1:333344445555:*"]}
    }));
    let answer = Question::new().ask(&policy(&[statement]), &two());
    assert_eq!(answer, KeyAccess::default());
}

#[test]
fn an_account_or_a_region_that_is_not_listed_is_refused() {
    let one = documented(json!({"StringEquals": {"aws:SourceAccount": "222233334444"}}));
    assert_eq!(refused(&policy(&[one]), &two()), ["333344445555"]);
    let elsewhere = documented(json!({"ArnLike": {"aws:SourceArn": "arn:aws:logs:eu-west-1:*:*"}}));
    let answer = Question::new().ask(&policy(&[elsewhere]), &two());
    assert_eq!(named(&answer), ["222233334444"]);
    assert_data_eq!(
        answer.refusals[0].to_string(),
        str![
            "log delivery for 222233334444 in us-east-1 cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Allow Logs Delivery to use the key` would allow it but for `aws:SourceArn`, which is `arn:aws:logs:us-east-1:222233334444:log-delivery`"
        ]
    );
    assert!(answer.statement.unwrap().contains(r#""aws:SourceAccount":"222233334444""#));
}

#[test]
fn no_region_stands_for_any() {
    let any = accounts(&[("222233334444", &[])]);
    let answer = Question::new().ask(DEFAULT, &any);
    assert_data_eq!(
        answer.refusals[0].to_string(),
        str![
            "log delivery for 222233334444 in any region cannot use the key with `kms:GenerateDataKey`: ImplicitDeny: statement `Enable IAM User Permissions` would allow it but for the principal"
        ]
    );
    let statement = answer.statement.unwrap();
    assert!(
        statement.ends_with(r#""ArnLike":{"aws:SourceArn":"arn:aws:logs:*:222233334444:*"}}}"#),
        "{statement}"
    );
    let some = documented(json!({"ArnLike": {"aws:SourceArn": "arn:aws:logs:eu-west-1:222233334444:*"}}));
    let answer = Question::new().ask(&policy(&[some]), &any);
    assert_eq!((named(&answer).len(), undecided(&answer).len()), (0, 1), "it depends on the region");
    assert_eq!(refused(&joined(DEFAULT, &statement), &any), [""; 0]);
}

#[test]
fn either_of_the_two_actions_alone_is_not_enough() {
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
fn the_key_is_the_resource_or_its_arn() {
    for (resource, lets) in
        [(KEY, true), ("arn:aws:kms:eu-west-1:111122223333:key/*", true), ("arn:aws:s3:::*", false)]
    {
        let mut statement = documented(json!({}));
        statement["Resource"] = json!(resource);
        assert_eq!(refused(&policy(&[statement]), &two()).is_empty(), lets, "{resource}");
    }
}

#[test]
fn a_statement_that_denies_is_named_and_no_statement_is_offered_where_none_helps() {
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
add the statement to the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab, beside those that it has
take statement `OnlyPeople` out of the key policy, or except `delivery.logs.amazonaws.com` from it: what it denies no other statement allows
"#]]
    );

    let deny =
        json!({"Effect": "Deny", "Principal": {"Service": DELIVERY}, "Action": "kms:*", "Resource": "*"});
    let answer = Question::new().ask(&policy(&[documented(json!({})), deny]), &two());
    assert_eq!((named(&answer).len(), answer.statement), (2, None));
    assert_data_eq!(
        answer.help.join("\n"),
        str![
            "take statement 2 out of the key policy, or except `delivery.logs.amazonaws.com` from it: what it denies no other statement allows"
        ]
    );
}

#[test]
fn organization_condition_is_decided_for_accounts_whose_organization_is_known() {
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
fn everything_for_everyone_under_conditions_is_decided_by_the_conditions() {
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
fn the_encryption_context_depends_on_the_bucket_key() {
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
fn a_sid_that_is_taken_gets_a_number() {
    let one = documented(json!({"StringEquals": {"aws:SourceAccount": "222233334444"}}));
    let first =
        Question::new().ask(DEFAULT, &accounts(&[("444455556666", &["eu-west-1"])])).statement.unwrap();
    let answer = Question::new().ask(&joined(&policy(&[one]), &first), &two());
    assert!(answer.statement.unwrap().starts_with(r#"{"Sid":"AWSLogDeliveryUseOfKey2","#));
}

#[test]
fn a_list_that_is_too_long_for_a_key_policy_loses_its_regions_and_then_says_so() {
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
500: add the statement to the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab, beside those that it has
1500: add the statement to the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab, beside those that it has; it leaves `aws:SourceArn` out, with which the policy would have more than the 32768 bytes that KMS takes
3000: the statement does not fit: with it the policy of arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab would have more than the 32768 bytes that KMS takes; take other statements out, share the accounts among several buckets and keys, or test `aws:SourceOrgID` in place of the list, if all accounts of your organization may deliver (AWS documents that key for bucket policies, and shows no key policy with it)

"#]]
    );
}

#[test]
fn a_key_in_china_is_in_its_own_partition() {
    let mut question = Question::new();
    question.key = KmsKeyArn::parse("arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd").unwrap();
    let there = accounts(&[("222233334444", &["cn-north-1"])]);
    let statement = question.ask(DEFAULT, &there).statement.unwrap();
    assert!(statement.contains("arn:aws-cn:logs:cn-north-1:222233334444:*"), "{statement}");
    assert_eq!(named(&question.ask(&joined(DEFAULT, &statement), &there)), [""; 0]);
}

#[test]
fn a_policy_that_cannot_be_read_is_an_error_that_names_the_fault() {
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
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: the policy is not JSON: line 1, column 2: a key in quotation marks should stand here
    repair the text; the place is where reading stopped
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: the policy is not one that AWS takes: it is a list
    a policy is `{"Version": "2012-10-17", "Statement": [...]}`
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: statement `A` of the policy: its `Effect` is neither `Allow` nor `Deny`
    see "Grammar of the IAM JSON policy language" in the IAM User Guide
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: statement 1 of the policy: it has neither `Resource` nor `NotResource`
    see "Grammar of the IAM JSON policy language" in the IAM User Guide
the policy of the key arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab cannot be read: the policy has 2000000 bytes, and more than 1048576 are not read
    KMS takes 32,768 bytes; is this the text of a key policy?
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
    fn the_missing_statement_lets_in_those_that_lack_it_and_nobody_else(
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
        // Without a region, it may depend on the region.
        prop_assert!(granted.undecided.iter().all(|undecided| accounts[&undecided.account].is_empty()));

        // Whoever was not asked for is decided as before, and so are those that lacked nothing.
        let region = |name| Region::parse(name).unwrap();
        for other in [stranger(), id("444455556666"), id("111122223333"), id("000000000001")] {
            if !answer.refusals.iter().any(|refusal| refusal.account == other) {
                for name in ["eu-west-1", "us-west-2"] {
                    let one = Accounts::from([(other, BTreeSet::from([region(name)]))]);
                    prop_assert_eq!(question.ask(&before, &one).refusals.is_empty(), question.ask(&after, &one).refusals.is_empty());
                }
            }
        }
        // Of those that lack it, only in their regions.
        for refusal in &answer.refusals {
            let one = Accounts::from([(refusal.account, BTreeSet::from([region("us-west-2")]))]);
            if !accounts[&refusal.account].is_empty() {
                prop_assert_eq!(question.ask(&before, &one).refusals.is_empty(), question.ask(&after, &one).refusals.is_empty());
            }
        }
    }

    #[test]
    fn any_policy_in_and_no_panic(live in live(), accounts in of_accounts()) {
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
