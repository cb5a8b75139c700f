use super::*;

#[tokio::test]
async fn account_on_two_pages_is_one_account() {
    let pages = vec![vec![account(1).build()], vec![account(1).build(), account(2).build()]];
    let (found, _) = search("", &[&listed(pages)]).await.unwrap();
    assert_eq!(found, ids([1, 2]));
}

#[tokio::test]
async fn invalid_account_id_is_a_failure() {
    let odd = account(1).id("account-1").build();
    let failure = search("", &[&listed(vec![vec![odd]])]).await.unwrap_err();
    assert_eq!(failure.message, "the response contains the ID `account-1`, which has an unknown format");
}

#[tokio::test]
async fn repeated_page_token_is_a_failure() {
    let rule = mock!(Client::list_accounts).then_output(|| {
        ListAccountsOutput::builder().accounts(account(1).build()).next_token("again").build()
    });
    let failure = search("", &[&rule]).await.unwrap_err();
    let repeated = "the response is incomplete: it repeats the token of an earlier page";
    assert_eq!((failure.call.as_str(), failure.message.as_str()), ("ListAccounts", repeated));

    let rule = mock!(Client::list_accounts_for_parent)
        .then_output(|| ListAccountsForParentOutput::builder().next_token("again").build());
    let failure = search(&format!("units = [\"{BANK}\"]"), &[&rule, &units_in_units()]).await.unwrap_err();
    assert_eq!((failure.call.as_str(), failure.message.as_str()), ("ListAccountsForParent", repeated));
}
