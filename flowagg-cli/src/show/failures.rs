//! Failed calls. Failures with the same cause are merged: a role that is missing in a hundred accounts is one cause.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use flowagg_core::failure::{Advice, Failure};
use flowagg_core::fleet::FleetError;
use flowagg_core::id::AccountId;

use super::sheet::{Sheet, TIE};
use super::style::{BOLD, RED, YELLOW};
use super::view::View;

/// From this number on, failures with one cause are merged, with the message of the first.
const MANY: usize = 4;
/// The maximum number of regions that are printed once in front of the accounts, if all accounts have the same ones.
const HEAD: usize = 2;
/// The indent of text after `error: `, and of everything that belongs to it.
pub(super) const HANG: usize = 7;

/// Writes an error and its fix.
pub(super) fn error(what: &str, help: &str, err: &mut Sheet<'_>) -> io::Result<()> {
    err.line(HANG + 2, format_args!("{RED}error{RED:#}: {what}"))?;
    err.aside(HANG, help)
}

/// Writes a warning and its fix.
pub(super) fn warning(what: &str, help: &str, err: &mut Sheet<'_>) -> io::Result<()> {
    /// The indent of text after `warning: `.
    const INDENT: usize = 9;
    err.line(INDENT, format_args!("{YELLOW}warning{YELLOW:#}: {what}"))?;
    err.aside(INDENT, help)
}

/// Writes every error in a fleet file, with its position.
pub(super) fn faults(path: &Path, error: &FleetError, err: &mut Sheet<'_>) -> io::Result<()> {
    let path = path.display();
    let count = match error.faults.len() {
        1 => "1 error".to_owned(),
        n => format!("{n} errors"),
    };
    err.line(HANG, format_args!("{RED}error{RED:#}: `{path}` is invalid ({count}); no AWS calls were made"))?;
    for fault in &error.faults {
        err.line(6, format_args!("{BOLD}{path}:{}:{}{BOLD:#}: {}", fault.line, fault.column, fault.what))?;
        err.aside(4, &fault.help)?;
    }
    Ok(())
}

/// Writes failed calls, each with its location and fix. The JSON document contains every failure.
pub(crate) fn failures(failures: &[Failure], view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let mut causes: BTreeMap<(&str, Option<&str>, &Advice), Vec<&Failure>> = BTreeMap::new();
    for failure in failures {
        let cause = (failure.call.as_str(), failure.code.as_deref(), &failure.advice);
        causes.entry(cause).or_default().push(failure);
    }
    for mut alike in causes.into_values() {
        alike.sort();
        let first = alike[0];
        let is_same = |it: &&Failure| without_place(it) == without_place(first);
        if alike.len() < MANY && (alike.len() == 1 || !alike.iter().all(is_same)) {
            for failure in alike {
                one(failure, view, out)?;
            }
        } else {
            many(first, &alike, view, out)?;
        }
    }
    Ok(())
}

/// The message and the resource, without the account and the region that they repeat.
fn without_place(Failure { place, message, resource, .. }: &Failure) -> (String, Option<String>) {
    let without =
        |text: &String| text.replace(&place.account.to_string(), "").replace(place.region.as_str(), "");
    (without(message), resource.as_ref().map(without))
}

fn one(failure: &Failure, view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let Failure { place, resource, .. } = failure;
    let place = view.place(place);
    let place = resource.as_ref().map_or(place.clone(), |it| format!("{place}: {it}"));
    error(&format!("{place}: {}", failure.what()), &failure.help(), out)
}

/// Writes the cause with the message of the first failure, then where it occurs. Resources are listed if they are all in one account.
fn many(first: &Failure, alike: &[&Failure], view: View<'_>, out: &mut Sheet<'_>) -> io::Result<()> {
    let is_one = alike.iter().all(|failure| failure.resource == first.resource);
    let resource = first.resource.as_ref().filter(|_| is_one).map(|it| format!("{it}: ")).unwrap_or_default();
    let help = first.advice.at_each(alike.iter().map(|failure| &failure.place));
    error(&format!("{} times: {resource}{}", alike.len(), first.what()), &help, out)?;
    let places = alike.iter().map(|Failure { place, resource, .. }| {
        (place.account, Some(place.region.as_str()), resource.as_deref().filter(|_| !is_one))
    });
    occurrences(&places.collect::<Vec<_>>(), view, HANG, out)
}

/// An account, and the region and the resource in it.
pub(super) type Occurrence<'a> = (AccountId, Option<&'a str>, Option<&'a str>);

/// Writes where something occurs, on up to two lines. Resources are listed if they are all in one account.
pub(super) fn occurrences(
    places: &[Occurrence<'_>],
    view: View<'_>,
    indent: usize,
    out: &mut Sheet<'_>,
) -> io::Result<()> {
    let is_one_account = places.iter().all(|(account, ..)| *account == places[0].0);
    let mut accounts: BTreeMap<AccountId, BTreeSet<String>> = BTreeMap::new();
    for (account, region, resource) in places {
        let resource = resource.filter(|_| is_one_account).map(|id| view.resource(id));
        let parts: Vec<String> = region.map(str::to_owned).into_iter().chain(resource).collect();
        accounts.entry(*account).or_default().insert(parts.join(&TIE.to_string()));
    }
    let is_everywhere_alike = accounts.values().all(|inside| accounts.values().next() == Some(inside));
    let (start, entries, what) = match accounts.first_key_value() {
        Some((account, inside)) if accounts.len() == 1 => {
            let has_resources = places.iter().any(|(.., resource)| resource.is_some());
            let what = if has_resources { "resources" } else { "regions" };
            (format!("in{TIE}{}:", view.account(*account)), Vec::from_iter(inside.iter().cloned()), what)
        }
        Some((_, inside)) if is_everywhere_alike && inside.len() <= HEAD => {
            let inside = Vec::from_iter(inside.iter().map(String::as_str));
            (
                format!("in {}:", inside.join(", ")),
                accounts.keys().map(|account| view.account(*account)).collect(),
                "accounts",
            )
        }
        _ => (
            "in".to_owned(),
            accounts.iter().map(|(account, inside)| entry(view, *account, inside)).collect(),
            "accounts",
        ),
    };
    view.list(&format!("{:indent$}{start}", ""), &entries, what, indent, out)
}

/// Formats an account with its region, or with the number of regions.
fn entry(view: View<'_>, account: AccountId, inside: &BTreeSet<String>) -> String {
    let account = view.account(account);
    match inside.first() {
        Some(one) if inside.len() == 1 => format!("{account}{TIE}{one}"),
        _ => format!("{account}{TIE}({}{TIE}regions)", inside.len()),
    }
}

#[cfg(test)]
mod tests {
    use flowagg_core::id::{AccountId, Place, Region};
    use snapbox::{assert_data_eq, str};

    use super::*;

    fn refused(n: usize, code: &str) -> Failure {
        let mut failed = Failure::new(
            Place::new(AccountId::parse(&format!("{n:012}")).unwrap(), &Region::parse("eu-west-1").unwrap()),
            "AssumeRole",
            "not authorized",
            "create the role",
        );
        failed.code = Some(code.into());
        failed
    }

    fn unwrapped(list: &[Failure]) -> String {
        shown(list, None)
    }

    fn shown(list: &[Failure], width: Option<usize>) -> String {
        let mut out = Vec::new();
        failures(list, View::UNKNOWN, &mut Sheet::new(&mut out, width)).unwrap();
        anstream::adapter::strip_bytes(&out).into_vec().into_iter().map(char::from).collect()
    }

    #[test]
    fn cause_in_many_accounts_is_printed_once_with_every_account() {
        let mut list: Vec<Failure> = (1..=5).map(|n| refused(n, "AccessDenied")).collect();
        list.push(refused(9, "ExpiredToken"));
        assert_data_eq!(
            unwrapped(&list),
            str![[r#"
error: 5 times: AssumeRole: AccessDenied: not authorized
       create the role
       in eu-west-1: 000000000001, 000000000002, 000000000003, 000000000004, 000000000005
error: 000000000009 eu-west-1: AssumeRole: ExpiredToken: not authorized
       create the role

"#]]
        );
    }

    #[test]
    fn failures_with_one_code_and_different_fixes_are_separate() {
        let denied = |n, help: &str| {
            let mut failure = refused(n, "UnauthorizedOperation");
            failure.advice = Advice::for_place(|account, _| format!("{help} in {account}"));
            failure
        };
        let list: Vec<Failure> =
            (1..=4).flat_map(|n| [denied(n, "allow it"), denied(n + 4, "ask for an exception")]).collect();
        assert_data_eq!(
            unwrapped(&list),
            str![[r#"
error: 4 times: AssumeRole: UnauthorizedOperation: not authorized
       allow it in each account
       in eu-west-1: 000000000001, 000000000002, 000000000003, 000000000004
error: 4 times: AssumeRole: UnauthorizedOperation: not authorized
       ask for an exception in each account
       in eu-west-1: 000000000005, 000000000006, 000000000007, 000000000008

"#]]
        );
    }

    #[test]
    fn few_failures_are_separate_unless_their_messages_are_equal() {
        let list = [refused(1, "AccessDenied"), refused(2, "AccessDenied")];
        assert_data_eq!(
            unwrapped(&list),
            str![[r#"
error: 2 times: AssumeRole: AccessDenied: not authorized
       create the role
       in eu-west-1: 000000000001, 000000000002

"#]]
        );
        let [one, mut other] = list;
        other.message = "not authorized at all".to_owned();
        assert_data_eq!(
            unwrapped(&[one, other]),
            str![[r#"
error: 000000000001 eu-west-1: AssumeRole: AccessDenied: not authorized
       create the role
error: 000000000002 eu-west-1: AssumeRole: AccessDenied: not authorized at all
       create the role

"#]]
        );
    }

    #[test]
    fn resources_of_one_account_are_listed() {
        let list: Vec<Failure> = (0..30)
            .map(|n| {
                let mut failure = refused(1, "UnauthorizedOperation");
                failure.resource = Some(format!("vpc-{n:08x}"));
                failure
            })
            .collect();
        assert_data_eq!(
            unwrapped(&list),
            str![[r#"
error: 30 times: AssumeRole: UnauthorizedOperation: not authorized
       create the role
       in 000000000001: eu-west-1 vpc-00000000, eu-west-1 vpc-00000001, eu-west-1 vpc-00000002, eu-west-1 vpc-00000003, eu-west-1 vpc-00000004, eu-west-1 vpc-00000005, and 24 more resources

"#]]
        );
    }

    #[test]
    fn three_hundred_accounts_take_two_lines() {
        let mut list: Vec<Failure> = (1..=300).map(|n| refused(n, "AccessDenied")).collect();
        assert_data_eq!(
            shown(&list, Some(80)),
            str![[r#"
error: 300 times: AssumeRole: AccessDenied: not authorized
       create the role
       in eu-west-1: 000000000001, 000000000002, 000000000003, 000000000004,
       000000000005, 000000000006, 000000000007, and 293 more accounts

"#]]
        );
        assert_data_eq!(
            unwrapped(&list),
            str![[r#"
error: 300 times: AssumeRole: AccessDenied: not authorized
       create the role
       in eu-west-1: 000000000001, 000000000002, 000000000003, 000000000004, 000000000005, 000000000006, 000000000007, 000000000008, 000000000009, 000000000010, and 290 more accounts

"#]]
        );
        let mut elsewhere = refused(1, "AccessDenied");
        elsewhere.place = Place::new(elsewhere.place.account, &Region::parse("us-east-1").unwrap());
        list.push(elsewhere);
        assert_data_eq!(
            shown(&list, Some(80)),
            str![[r#"
error: 301 times: AssumeRole: AccessDenied: not authorized
       create the role
       in 000000000001 (2 regions), 000000000002 eu-west-1,
       000000000003 eu-west-1, 000000000004 eu-west-1, and 296 more accounts

"#]]
        );
    }
}
