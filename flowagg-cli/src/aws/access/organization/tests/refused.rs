use aws_sdk_organizations::operation::list_accounts::ListAccountsError;
use aws_smithy_types::error::ErrorMetadata;

use super::*;

#[tokio::test]
async fn accounts_of_another_organization_are_a_failure() {
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
the credentials belong to organization o-zzzzzzzzzz, but the fleet file names o-a1b2c3d4e5
correct `organization.id`, or use credentials of that organization
the credentials belong to organization o-zzzzzzzzzz, but the fleet file names o-a1b2c3d4e5
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
async fn denied_listing_advises_a_lookup_role() {
    let mut advice = String::new();
    for code in ["AccessDeniedException", "AWSOrganizationsNotInUseException"] {
        let failure = search("", &[&refused(code)]).await.unwrap_err();
        assert_eq!((failure.call.as_str(), failure.code.as_deref()), ("ListAccounts", Some(code)));
        advice += &format!("{code}: {}\n", failure.help());
    }
    assert_data_eq!(
        advice,
        str![[r#"
AccessDeniedException: only the management account and delegated administrator accounts can list the organization's accounts: set `organization.lookup` to a role in one of them
AWSOrganizationsNotInUseException: 111122223333 is not in an organization: set `organization.lookup` to a role in the management account

"#]]
    );
}

#[tokio::test]
async fn throttled_listing_advises_a_retry() {
    let failure = search("", &[&refused("TooManyRequestsException")]).await.unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("TooManyRequestsException"));
    assert_data_eq!(
        failure.help(),
        str!["AWS is throttling these calls: wait, then run the command again; completed changes are kept"]
    );
}

#[tokio::test]
async fn missing_unit_or_account_advises_the_fleet_file_key() {
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
            "the organizational unit does not exist: correct `organization.units` or `organization.except-units`"
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
        str!["the account is not in the organization: correct `organization.accounts`"]
    );
}

#[tokio::test]
async fn denied_region_listing_is_a_failure() {
    let account = answered("222222222222", RetryConfig::disabled(), |_, _| {
        let error = "<Code>UnauthorizedOperation</Code><Message>no</Message>";
        (403, format!("<Response><Errors><Error>{error}</Error></Errors></Response>"))
    });
    let failure = account.enabled_regions().await.unwrap_err();
    assert_eq!(
        (failure.place.account, failure.call.as_str(), failure.code.as_deref()),
        (account.id, "DescribeRegions", Some("UnauthorizedOperation"))
    );
    assert_data_eq!(
        failure.help(),
        str![
            "allow ec2:DescribeRegions for the role or user used in 222222222222; `flowagg permissions` prints the IAM policies"
        ]
    );
}
