//! Bucket policies from other sources with their expected findings. The lists were reviewed one by one: add a finding
//! only if it is true and its help is safe for the policy.

use std::collections::{BTreeMap, BTreeSet};

use flowagg_core::fleet::{AclCondition, GrantForm, PolicySettings};
use flowagg_core::id::{AccountId, BucketName, FleetName, OrganizationId, Partition, Prefix, Region};
use flowagg_policy::{
    Extent, Finding, Grant, GrantedOrganization, Severity, Unnamed, lint, lint_live, merge,
};
use serde_json::value::RawValue;

/// A policy and its findings, as severity, check ID and statement.
#[derive(serde::Deserialize)]
struct Known<'a> {
    name: String,
    findings: Vec<String>,
    #[serde(borrow)]
    policy: &'a RawValue,
}

fn known(lines: &str) -> Vec<Known<'_>> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

const FIELD: &str = include_str!("../data/field-policies.jsonl");
const RECORDED: &str = include_str!("../data/recorded-policies.jsonl");
const DOCUMENTED: &str = include_str!("../data/documented-policies.jsonl");

fn row(finding: &Finding) -> String {
    let severity = match finding.severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    format!("{severity} {} {}", finding.id, finding.statement.as_deref().unwrap_or("-"))
}

#[test]
fn field_recorded_and_documented_policies_have_the_reviewed_findings() {
    let mut wrong = Vec::new();
    for Known { name, findings, policy } in [FIELD, RECORDED, DOCUMENTED].into_iter().flat_map(known) {
        let found: Vec<String> = lint(policy.get(), None).iter().map(row).collect();
        if found != findings {
            wrong.push(format!("{name}:\n  expected {findings:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn policies_that_aws_documents_or_writes_have_no_error() {
    let written = ["wafsecurityhttp-waflogbucket-kxoyax5tzoae", "codepipeline-us-east-1-70041573072"];
    let consoles =
        ["acme-prod-alb-logs", "billing-costusagereport", "finops-cur-bucket001", "nosetest-bucket"];
    let by_aws: BTreeSet<&str> =
        written.into_iter().chain(consoles).chain(["config-bucket-900000000005"]).collect();
    let recorded = known(RECORDED);
    assert!(by_aws.iter().all(|name| recorded.iter().any(|known| known.name == *name)));
    let recorded = recorded.into_iter().filter(|known| by_aws.contains(known.name.as_str()));
    for Known { name, policy, .. } in known(DOCUMENTED).into_iter().chain(recorded) {
        let errors: Vec<_> =
            lint(policy.get(), None).into_iter().filter(|it| it.severity == Severity::Error).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn documentation_bucket_names_are_accepted_and_deduced() {
    for bucket in
        ["amzn-s3-demo-bucket", "amzn-s3-demo-bucket1", "amzn-s3-demo-logging-bucket", "DOC-EXAMPLE-BUCKET"]
    {
        let name = BucketName::parse_in_policy(bucket).unwrap();
        for Known { name: policy_name, policy, .. } in known(DOCUMENTED) {
            let policy = policy.get().replace("amzn-s3-demo-bucket", bucket);
            let named: Vec<String> = lint(&policy, Some(&name)).iter().map(row).collect();
            let deduced: Vec<String> = lint(&policy, None).iter().map(row).collect();
            assert_eq!(named, deduced, "{policy_name}");
        }
        let denied = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::{bucket}/*"}}}}"#
        );
        let found: Vec<&str> = lint(&denied, None).iter().map(|finding| finding.id).collect();
        assert_eq!(found, ["deny-blocks-delivery"], "a Deny for the bucket {bucket} is found");
    }
}

#[test]
fn no_statement_has_findings_with_contradictory_help() {
    // Following the help of one of these findings would undo the fix of the other.
    let contrary = [
        ("no-confused-deputy-condition", "principal-key-for-a-service"),
        ("redundant-resource", "whole-bucket-resource"),
        ("tls-deny-inverted", "deny-blocks-delivery"),
        ("tls-deny-misspelt", "deny-blocks-delivery"),
        ("for-all-values-in-allow", "set-operator-on-single-valued-key"),
        ("deleted-principal", "wrong-service-principal"),
        ("malformed-principal", "wrong-service-principal"),
    ];
    let variants = include_str!("../data/lint-variants.jsonl").lines();
    let variants: Vec<&str> =
        variants.filter_map(|line| line.split_once("\"policy\":")).map(|(_, text)| text).collect();
    let variants = variants.into_iter().map(|text| text.strip_suffix('}').unwrap().to_owned());
    let known =
        [FIELD, RECORDED, DOCUMENTED].into_iter().flat_map(known).map(|known| known.policy.get().to_owned());
    let principal = r#"{"Version":"2012-10-17","Statement":[{"Sid":"AWSLogDeliveryWrite","Effect":"Allow","Principal":{"AWS":"AIDAEXAMPLEEXAMPLE123"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::acme-logs/AWSLogs/*"}]}"#;
    let whole = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":["arn:aws:s3:::acme-logs/*","arn:aws:s3:::acme-logs/AWSLogs/*"],"Condition":{"ForAllValues:StringEquals":{"aws:SourceAccount":"111122223333"}}}]}"#;
    for policy in known.chain(variants).chain([principal, whole].map(str::to_owned)) {
        let mut of: BTreeMap<Option<String>, BTreeSet<&str>> = BTreeMap::new();
        for finding in lint(&policy, None) {
            of.entry(finding.statement).or_default().insert(finding.id);
        }
        for ids in of.values() {
            for (one, other) in contrary {
                assert!(!(ids.contains(one) && ids.contains(other)), "{one}, {other}: {policy}");
            }
        }
    }
}

fn account(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

/// Every policy that `flowagg policy build` can print: each form with all settings, for lists and organizations.
fn built() -> Vec<(Grant, String)> {
    let organization = OrganizationId::parse("o-a1b2c3d4e5").unwrap();
    let two = BTreeSet::from([account("111122223333"), account("444455556666")]);
    let one = BTreeSet::from([account("111122223333")]);
    let regions: BTreeMap<_, _> =
        two.iter().map(|id| (*id, BTreeSet::from([Region::parse("us-east-1").unwrap()]))).collect();
    let mut whole = GrantedOrganization::whole(organization.clone());
    whole.outside = one.clone();
    let mut belongs = GrantedOrganization::whole(organization);
    belongs.extent = Extent::Unlisted;
    let settings = || {
        let flags = (0..16u8).map(|bits| [1, 2, 4, 8].map(|bit| bits & bit != 0));
        flags.flat_map(|[source_conditions, source_arn, list_bucket, deny_insecure_transport]| {
            let acls = [AclCondition::Required, AclCondition::IfExists, AclCondition::None];
            GrantForm::ALL.into_iter().flat_map(move |form| {
                acls.map(|acl_condition| {
                    let mut settings = PolicySettings::default();
                    settings.form = form;
                    settings.source_conditions = source_conditions;
                    settings.source_arn = source_arn;
                    settings.acl_condition = acl_condition;
                    settings.list_bucket = list_bucket;
                    settings.deny_insecure_transport = deny_insecure_transport;
                    settings
                })
            })
        })
    };
    let mut all = Vec::new();
    for (accounts, organization) in [(one.clone(), &belongs), (two, &belongs), (one, &whole)] {
        for (hive, prefix) in [(false, None), (true, Some("network/flow"))] {
            for settings in settings() {
                let fleet = FleetName::parse("acme").unwrap();
                let bucket = BucketName::parse("acme-logs").unwrap();
                let mut grant = Grant::new(fleet, Partition::Aws, bucket);
                grant.prefix = prefix.map(|text| Prefix::parse(text).unwrap());
                grant.hive = hive;
                grant.accounts = accounts.clone();
                grant.organization = Some(organization.clone());
                grant.regions = settings.source_arn.then(|| regions.clone());
                grant.settings = settings;
                if let Ok(merged) = merge(None, &grant, Unnamed::Keep) {
                    all.push((grant, merged.text));
                }
            }
        }
    }
    all
}

#[test]
fn policies_written_by_flowagg_have_no_error_in_any_form_and_setting() {
    let built = built();
    assert!(built.len() > 1_000, "{} policies", built.len());
    for (grant, text) in built {
        let careful = grant.settings.source_conditions && grant.settings.acl_condition != AclCondition::None;
        let worst = if careful { Severity::Note } else { Severity::Warning };
        for finding in lint(&text, Some(&grant.bucket)) {
            assert!(finding.severity <= worst, "{finding:?}\n{text}");
        }
    }
}

#[test]
fn policy_with_default_settings_has_no_live_finding_and_one_review_note() {
    let default = PolicySettings::default();
    let mut reviewed = BTreeSet::new();
    for (grant, text) in built().into_iter().filter(|(grant, _)| grant.settings == default) {
        assert_eq!(lint_live(&text, &grant.bucket), []);
        reviewed
            .extend(lint(&text, Some(&grant.bucket)).into_iter().map(|finding| (finding.id, finding.help)));
    }
    let reviewed: Vec<_> = reviewed.into_iter().collect();
    let [("list-does-not-bind", help)] = reviewed.as_slice() else { panic!("{reviewed:?}") };
    snapbox::assert_data_eq!(
        help.as_ref(),
        snapbox::str![[
            r#"set `policy.form = "bound-accounts"` in the fleet file to bind each account to its own folder, and check that an object arrives before you rely on it"#
        ]]
    );
    let mut bound = default;
    bound.form = GrantForm::BoundAccounts;
    for (grant, text) in built().into_iter().filter(|(grant, _)| grant.settings == bound) {
        assert_eq!(
            lint(&text, Some(&grant.bucket)),
            [],
            "the form that the help recommends removes the note"
        );
    }
}
