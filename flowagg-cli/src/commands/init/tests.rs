use snapbox::{assert_data_eq, str};

use super::*;
use crate::aws::CallError;
use crate::show::Sheet;

fn denied(call: &str) -> CallError {
    CallError {
        call: call.to_owned(),
        code: Some("AccessDenied".to_owned()),
        message: "not authorized".to_owned(),
        advice: "allow the action for the caller".into(),
    }
}

fn account(id: &str) -> AccountId {
    id.parse().unwrap()
}

fn organization() -> FoundOrganization {
    FoundOrganization {
        id: "o-a1b2c3d4e5".parse().unwrap(),
        management: Some(account("999999999999")),
        listable: Ok(()),
    }
}

fn defaults() -> InitDefaults {
    InitDefaults {
        account: account("111122223333"),
        region: Some("eu-west-1".parse().unwrap()),
        organization: Ok(Some(organization())),
        buckets: Ok(vec!["alb-logs".parse().unwrap()]),
    }
}

fn options() -> InitArgs {
    InitArgs {
        hub_account: None,
        region: None,
        bucket: None,
        prefix: None,
        account: Vec::new(),
        organization: None,
        regions: Vec::new(),
        role: RoleName::default(),
        offline: false,
        force: false,
    }
}

/// Standard error without styles, and the answers or the error. `input` is `None` without a terminal.
fn asked(
    options: &InitArgs,
    defaults: &InitDefaults,
    input: Option<&'static str>,
) -> (String, Result<Answers, String>) {
    let (mut out, mut err, mut typed) = (Vec::new(), Vec::new(), input.unwrap_or_default().as_bytes());
    let result = {
        let mut out = Sheet::new(&mut out, None);
        let mut err = Sheet::new(&mut err, None);
        let mut screen = Screen::new(&mut out, &mut err);
        screen.interactive = input.is_some();
        screen.input = Some(&mut typed);
        ask(options, Some(defaults), &mut screen).map_err(|error| match error {
            CommandError::Usage(problems) => {
                problems.iter().map(|it| format!("{}; {}", it.message, it.fix)).collect()
            }
            other => panic!("{other:?}"),
        })
    };
    assert!(out.is_empty());
    (anstream::adapter::strip_str(std::str::from_utf8(&err).unwrap()).to_string(), result)
}

impl std::fmt::Display for Members {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let accounts: Vec<String> = self.accounts.iter().map(ToString::to_string).collect();
        let organization = self.organization.as_ref().map_or("-", OrganizationId::as_str);
        write!(f, "organization {organization}, accounts {}", accounts.join(" "))
    }
}

#[test]
fn prompts_offer_defaults_and_repeat_until_the_answer_is_valid() {
    let (shown, answers) = asked(
        &options(),
        &defaults(),
        Some(
            "1111-2222-3333\n\"eu-west-1\"\nACME\nacme-flow-logs\nn\n\n222222222222, 3333\n\"222222222222\", 3333-3333-3333\n",
        ),
    );
    let answers = answers.unwrap();
    assert_eq!(answers.account, account("111122223333"));
    assert_eq!(answers.region.as_str(), "eu-west-1");
    assert_eq!(answers.bucket.as_str(), "acme-flow-logs");
    assert_eq!(answers.members.to_string(), "organization -, accounts 222222222222 333333333333");
    assert_data_eq!(
        shown,
        str![[r#"
Hub account (owns the bucket) [111122223333]: Bucket region [eu-west-1]: existing bucket: alb-logs
Bucket name (created by `apply` if missing) [flow-logs-111122223333]: error: `ACME` is not a valid bucket name: `A` is not allowed
       use 3 to 63 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends, e.g. `acme-flow-logs`
Bucket name (created by `apply` if missing) [flow-logs-111122223333]: 
Log every account of organization o-a1b2c3d4e5? [y/N] Accounts to log (comma-separated), or an organization ID: error: `` is not a valid AWS account ID: it has 0 digits
       use 12 digits, e.g. `111122223333`
Accounts to log (comma-separated), or an organization ID: error: `3333` is not a valid AWS account ID: it has 4 digits
       use 12 digits, e.g. `111122223333`
Accounts to log (comma-separated), or an organization ID: 
"#]]
    );
}

#[test]
fn hub_is_not_a_member_by_default() {
    for organization in [Ok(None), Err(denied("DescribeOrganization"))] {
        let mut defaults = defaults();
        defaults.organization = organization;
        let (_, answers) = asked(&options(), &defaults, None);
        assert_eq!(
            answers.unwrap_err(),
            "missing: `--organization` or `--account`; pass them as options, or run `flowagg init` in a terminal"
        );
        let (_, answers) = asked(&options(), &defaults, Some("\n\n\n111122223333\n"));
        assert_eq!(answers.unwrap().members.to_string(), "organization -, accounts 111122223333");
    }
}

#[test]
fn failed_lookups_are_reported() {
    let mut defaults = defaults();
    defaults.region = None;
    defaults.organization = Err(denied("DescribeOrganization"));
    defaults.buckets = Err(denied("ListBuckets"));
    let (shown, answers) = asked(&options(), &defaults, None);
    assert_eq!(
        answers.unwrap_err(),
        "missing: `--region`, `--organization` or `--account`; pass them as options, or run `flowagg init` in a terminal"
    );
    assert_data_eq!(
        shown,
        str![[r#"
note: could not list existing buckets: ListBuckets: not authorized; allow the action for the caller
note: could not look up the organization: DescribeOrganization: not authorized; allow the action for the caller

"#]]
    );

    defaults.organization = Ok(None);
    defaults.buckets = Ok(Vec::new());
    let (shown, _) = asked(&options(), &defaults, None);
    assert_data_eq!(
        shown,
        str![[r#"
note: account 111122223333 is not in an organization

"#]]
    );

    // Nothing is written, so there are no notes about the file.
    defaults.organization = Ok(Some(organization()));
    let (shown, answers) = asked(&options(), &defaults, None);
    assert!(answers.is_err());
    assert_eq!(shown, "");
}

#[test]
fn notes_mention_default_members_and_failed_account_lists() {
    let mut found = organization();
    found.listable = Err(denied("ListAccounts"));
    let mut members = Members { organization: Some(found.id.clone()), accounts: BTreeSet::new() };
    assert_data_eq!(
        notes(&members, Some(&found), false).join("\n"),
        str![[r#"
every account of organization o-a1b2c3d4e5 is a member; select accounts with `--account`
could not list the accounts of the organization: ListAccounts: not authorized; allow the action for the caller
"#]]
    );
    assert_eq!(notes(&members, Some(&found), true).len(), 1);
    members.accounts = BTreeSet::from([account("222222222222")]);
    assert!(notes(&members, Some(&found), true).is_empty());
}

#[test]
fn end_of_input_cancels_every_prompt() {
    for input in ["", "\n", "\n\n", "\n\n\n", "\n\n\nn\n", "\n\n\nn\nx\n"] {
        let (shown, answers) = asked(&options(), &defaults(), Some(input));
        assert_eq!(
            answers.unwrap_err(),
            "input ended before all prompts were answered; nothing was written; answer the prompts, or pass the values as options",
            "{input:?}"
        );
        assert!(shown.ends_with(": \n") || shown.ends_with("[y/N] \n"), "{shown}");
    }
}

#[test]
fn values_given_as_options_are_not_looked_up() {
    let mut options = options();
    options.bucket = Some("acme-flow-logs".parse().unwrap());
    options.account = vec![account("222222222222")];
    let mut defaults = defaults();
    defaults.organization = Err(denied("DescribeOrganization"));
    defaults.buckets = Err(denied("ListBuckets"));
    let (shown, answers) = asked(&options, &defaults, None);
    assert_eq!(shown, "");
    assert_eq!(answers.unwrap().members.to_string(), "organization -, accounts 222222222222");
}

#[test]
fn organization_file_explains_the_requirements_of_the_management_account() {
    let mut found = organization();
    found.listable = Err(denied("ListAccounts"));
    let members = Members { organization: Some(found.id.clone()), accounts: BTreeSet::new() };
    let answers = Answers {
        account: account("111122223333"),
        region: "eu-west-1".parse().unwrap(),
        bucket: "acme-flow-logs".parse().unwrap(),
        members,
    };
    let file = file(answers, &options());
    let text = file.to_toml(&remarks(&file, Some(&found), Some(&defaults())));
    assert_eq!(FleetFile::parse(&text).unwrap(), file);
    let (_, organization) = text.split_once("[organization]\n").unwrap();
    assert_data_eq!(
        organization,
        str![[r##"
# AWS creates `OrganizationAccountAccessRole` with a trust policy for the management account 999999999999, not for the hub account 111122223333. Set `role` to a role that trusts 111122223333, such as the one that `flowagg export iam` writes.
# Every account of the organization is logged. To select accounts, use `units`, `except-units`, `accounts` and `except-accounts`.
# The caller is not allowed to list the accounts. Set `lookup` to a role in the management account or in a delegated administrator account: `lookup = { account = "999999999999", role = "…" }`.
# AWS does not create `OrganizationAccountAccessRole` in the management account 999999999999. Create the role there, or add the account to `except-accounts`.
id = "o-a1b2c3d4e5"
regions = ["all"]

"##]]
    );

    // Listed members have the same role.
    let mut listed = file.clone();
    listed.organization = None;
    let id = account("222222222222");
    let member = Member::new(id, Regions::ALL, RoleName::default(), Selection::default());
    listed.members.insert(id, member);
    let of_listed = remarks(&listed, None, Some(&defaults()));
    assert!(of_listed.iter().any(|it| it.text.contains("Set `role` to a role that trusts 111122223333")));

    // In the management account, the caller uses its own credentials.
    let mut in_management = defaults();
    in_management.account = account("999999999999");
    let of_caller = remarks(&file, Some(&found), Some(&in_management));
    assert_eq!(of_caller.len() + 1, remarks(&file, Some(&found), Some(&defaults())).len());
}

#[test]
fn file_does_not_promise_settings_of_an_existing_bucket() {
    let members = || Members { organization: None, accounts: BTreeSet::from([account("222222222222")]) };
    let of_hub = |bucket: &str| {
        let bucket = bucket.parse().unwrap();
        let region = "eu-west-1".parse().unwrap();
        let answers = Answers { account: account("111122223333"), region, bucket, members: members() };
        let file = file(answers, &options());
        let remarks = remarks(&file, None, Some(&defaults()));
        remarks.into_iter().find(|remark| remark.about == Part::Hub).unwrap().text
    };
    assert_data_eq!(
        of_hub("alb-logs"),
        str![[
            r#"This bucket exists and keeps its settings. Its own lifecycle rules expire flow logs unless `retention-days` is set."#
        ]]
    );
    assert_data_eq!(
        of_hub("flow-logs"),
        str![[
            r#"In a bucket that `apply` creates, objects expire after 90 days (see `retention-days`) and are encrypted by S3. Set `encryption` to use a KMS key."#
        ]]
    );
}
