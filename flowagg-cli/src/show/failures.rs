//! Failed calls, alike ones together: a role that is missing in a hundred accounts is one cause, not a hundred.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use flowagg_core::failure::{Advice, Failure};
use flowagg_core::fleet::FleetError;

use super::sheet::Sheet;
use super::style::{BOLD, RED};

/// Fewer failures than this are told one by one, each with its own words.
const MANY: usize = 4;
/// What comes after `error: ` begins here, and all that belongs to it.
pub(super) const HANG: usize = 7;

/// What is wrong, and what to do.
pub(super) fn error(what: &str, help: &str, err: &mut Sheet<'_>) -> io::Result<()> {
    err.line(HANG + 2, format_args!("{RED}error{RED:#}: {what}"))?;
    err.aside(HANG, help)
}

/// Every fault of a fleet file, with its place.
pub(super) fn faults(path: &Path, error: &FleetError, err: &mut Sheet<'_>) -> io::Result<()> {
    let path = path.display();
    let count = match error.faults.len() {
        1 => "a fault".to_owned(),
        n => format!("{n} faults"),
    };
    err.line(HANG, format_args!("{RED}error{RED:#}: `{path}` has {count}; nothing was read or written"))?;
    for fault in &error.faults {
        err.line(6, format_args!("{BOLD}{path}:{}:{}{BOLD:#}: {}", fault.line, fault.column, fault.what))?;
        err.aside(4, &fault.help)?;
    }
    Ok(())
}

/// Calls that failed: where, what, and what to do.
pub(crate) fn failures(failures: &[Failure], out: &mut Sheet<'_>) -> io::Result<()> {
    let mut causes: BTreeMap<(&str, Option<&str>, &Advice), Vec<&Failure>> = BTreeMap::new();
    for failure in failures {
        let cause = (failure.call.as_str(), failure.code.as_deref(), &failure.advice);
        causes.entry(cause).or_default().push(failure);
    }
    for alike in causes.into_values() {
        if alike.len() < MANY {
            for failure in alike {
                one(failure, out)?;
            }
        } else {
            many(&alike, out)?;
        }
    }
    Ok(())
}

fn one(failure: &Failure, out: &mut Sheet<'_>) -> io::Result<()> {
    let Failure { place, resource, .. } = failure;
    let place = resource.as_ref().map_or(place.to_string(), |it| format!("{place}: {it}"));
    error(&format!("{place}: {}", failure.what()), &failure.help(), out)
}

/// The cause once, with the words of the first; then every place that has it.
fn many(alike: &[&Failure], out: &mut Sheet<'_>) -> io::Result<()> {
    let first = alike[0];
    error(&format!("{} times: {}", alike.len(), first.what()), &first.help(), out)?;
    for Failure { place, resource, .. } in alike {
        let resource = resource.as_deref().unwrap_or_default();
        out.line(HANG, format_args!("{:HANG$}{place} {resource}", "").to_string().trim_end())?;
    }
    Ok(())
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
            "make the role",
        );
        failed.code = Some(code.into());
        failed
    }

    fn told(list: &[Failure]) -> String {
        let mut out = Vec::new();
        failures(list, &mut Sheet::new(&mut out, None)).unwrap();
        anstream::adapter::strip_bytes(&out).into_vec().into_iter().map(char::from).collect()
    }

    #[test]
    fn a_cause_that_many_accounts_have_is_told_once_with_every_account() {
        let mut list: Vec<Failure> = (1..=5).map(|n| refused(n, "AccessDenied")).collect();
        list.push(refused(9, "ExpiredToken"));
        assert_data_eq!(
            told(&list),
            str![[r#"
error: 5 times: AssumeRole: AccessDenied: not authorized
       make the role
       000000000001 eu-west-1
       000000000002 eu-west-1
       000000000003 eu-west-1
       000000000004 eu-west-1
       000000000005 eu-west-1
error: 000000000009 eu-west-1: AssumeRole: ExpiredToken: not authorized
       make the role

"#]]
        );
    }

    #[test]
    fn failures_of_one_code_with_different_ways_out_are_told_apart() {
        let denied = |n, help: &str| {
            let mut failure = refused(n, "UnauthorizedOperation");
            failure.advice = Advice::for_place(|account, _| format!("{help} in {account}"));
            failure
        };
        let list: Vec<Failure> =
            (1..=4).flat_map(|n| [denied(n, "allow it"), denied(n + 4, "ask for an exception")]).collect();
        assert_data_eq!(
            told(&list),
            str![[r#"
error: 4 times: AssumeRole: UnauthorizedOperation: not authorized
       allow it in 000000000001
       000000000001 eu-west-1
       000000000002 eu-west-1
       000000000003 eu-west-1
       000000000004 eu-west-1
error: 4 times: AssumeRole: UnauthorizedOperation: not authorized
       ask for an exception in 000000000005
       000000000005 eu-west-1
       000000000006 eu-west-1
       000000000007 eu-west-1
       000000000008 eu-west-1

"#]]
        );
    }

    #[test]
    fn a_few_failures_are_told_one_by_one() {
        let text = told(&[refused(1, "AccessDenied"), refused(2, "AccessDenied")]);
        assert_eq!(text.matches("error: ").count(), 2, "{text}");
    }
}
