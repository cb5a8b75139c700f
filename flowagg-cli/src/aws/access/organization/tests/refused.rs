use aws_sdk_organizations::operation::list_accounts::ListAccountsError;
use aws_smithy_types::error::ErrorMetadata;

use super::*;

#[tokio::test]
async fn accounts_of_another_organization_are_a_failure_that_names_both() {
    let stranger = || account_of("o-zzzzzzzzzz", 1).state(AccountState::Active).build();
    let listed = listed(vec![vec![stranger()]]);
    let described = mock!(Client::describe_account)
        .then_output(move || DescribeAccountOutput::builder().account(stranger()).build());
    let mut failures = String::new();
    for (lines, rule) in [("", &listed), ("accounts = [\"000000000001\"]", &described)] {
        let failure = search(lines, &[rule]).await.unwrap_err();
        failures += &format!("{}\n{}\n", failure.message, failure.help());
    }
    assert_data_eq!(
        failures,
        str![[r#"
the credentials are of the organization o-zzzzzzzzzz, the fleet file says o-a1b2c3d4e5
correct `organization.id`, or use credentials of that organization
the credentials are of the organization o-zzzzzzzzzz, the fleet file says o-a1b2c3d4e5
correct `organization.id`, or use credentials of that organization

"#]]
    );
}

fn refused(code: &'static str) -> Rule {
    mock!(Client::list_accounts).then_error(move || {
        ListAccountsError::generic(ErrorMetadata::builder().code(code).message("no").build())
    })
}

#[tokio::test]
async fn a_caller_who_may_not_list_accounts_is_told_of_the_lookup_role() {
    let mut advice = String::new();
    for code in ["AccessDeniedException", "AWSOrganizationsNotInUseException"] {
        let failure = search("", &[&refused(code)]).await.unwrap_err();
        assert_eq!((failure.call.as_str(), failure.code.as_deref()), ("ListAccounts", Some(code)));
        advice += &format!("{code}: {}\n", failure.help());
    }
    assert_data_eq!(
        advice,
        str![[r#"
AccessDeniedException: only the management account and delegated administrators may list the accounts: set `organization.lookup` to a role in one of them
AWSOrganizationsNotInUseException: 111122223333 is in no organization: set `organization.lookup` to a role in the management account

"#]]
    );
}

#[tokio::test]
async fn too_many_requests_are_a_matter_of_patience() {
    let failure = search("", &[&refused("TooManyRequestsException")]).await.unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("TooManyRequestsException"));
    assert_data_eq!(
        failure.help(),
        str!["AWS is throttling these calls: wait, then run the command again; completed changes are kept"]
    );
}

#[tokio::test]
async fn a_unit_or_an_account_that_is_not_there_is_named_with_its_key_of_the_fleet_file() {
    let no_unit = mock!(Client::list_accounts_for_parent).then_error(|| {
        let code = ErrorMetadata::builder().code("ParentNotFoundException").message("none");
        aws_sdk_organizations::operation::list_accounts_for_parent::ListAccountsForParentError::generic(
            code.build(),
        )
    });
    let failure = search(&format!("units = [\"{BANK}\"]"), &[&no_unit, &units_in_units()]).await.unwrap_err();
    assert_eq!(failure.resource.as_deref(), Some(BANK));
    assert_data_eq!(
        failure.help(),
        str![
            "the organization has no such unit: correct `organization.units` or `organization.except-units`"
        ]
    );

    let no_account = mock!(Client::describe_account).then_error(|| {
        let code = ErrorMetadata::builder().code("AccountNotFoundException").message("none");
        aws_sdk_organizations::operation::describe_account::DescribeAccountError::generic(code.build())
    });
    let failure = search("accounts = [\"000000000001\"]", &[&no_account]).await.unwrap_err();
    assert_eq!(failure.resource.as_deref(), Some("000000000001"));
    assert_data_eq!(
        failure.help(),
        str!["the organization has no such account: correct `organization.accounts`"]
    );
}

#[tokio::test]
async fn an_account_that_does_not_tell_its_regions_is_a_failure() {
    let account = answered("222222222222", RetryConfig::disabled(), |_, _| {
        let said = "<Code>UnauthorizedOperation</Code><Message>no</Message>";
        (403, format!("<Response><Errors><Error>{said}</Error></Errors></Response>"))
    });
    let failure = account.enabled_regions().await.unwrap_err();
    assert_eq!(
        (failure.place.account, failure.call.as_str(), failure.code.as_deref()),
        (account.id, "DescribeRegions", Some("UnauthorizedOperation"))
    );
    assert_data_eq!(
        failure.help(),
        str![
            "allow ec2:DescribeRegions to the role or user that is used in 222222222222; `flowagg permissions` prints the IAM policies"
        ]
    );
}
