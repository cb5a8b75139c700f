//! AWS's error codes, with what to do about each. The tables in `docs/guide.md` are generated from these.

use flowagg_core::failure::Advice;

use crate::aws::call::{self, Call};

/// A row: the errors that it is for, and the advice.
pub(super) struct Row {
    codes: &'static [Code],
    only: Only,
    /// `{account}`, `{region}` and `{action}` stand for those of the call.
    help: &'static str,
}

enum Code {
    Is(&'static str),
    Starts(&'static str),
    Contains(&'static str),
}

/// What else an error must have.
enum Only {
    Any,
    At(Call),
    /// The action that allows the call begins with this.
    Of(&'static str),
    Message(&'static str),
}

use Code::{Contains, Is, Starts};

const DENIED: &[Code] = &[Contains("AccessDenied"), Is("UnauthorizedOperation"), Is("Forbidden")];

/// An error of any other code.
const OTHER: &str = "run it again; what is done stays done";

const fn row(codes: &'static [Code], help: &'static str) -> Row {
    only(Only::Any, codes, help)
}

const fn only(only: Only, codes: &'static [Code], help: &'static str) -> Row {
    Row { codes, only, help }
}

/// The first row that an error fits decides.
pub(super) const TABLES: [&[Row]; 5] = [ORGANIZATIONS, CREDENTIALS, BUCKET, FLOW_LOGS, RATES];

const ORGANIZATIONS: &[Row] = &[
    only(
        Only::Of("organizations:"),
        DENIED,
        "only the management account and delegated administrators may list the accounts: name a role in one of them with `organization.lookup`",
    ),
    row(
        &[Is("AWSOrganizationsNotInUseException")],
        "{account} is in no organization: name a role in the management account with `organization.lookup`",
    ),
    row(
        &[Is("AccountNotFoundException")],
        "the organization has no such account: correct `organization.accounts`",
    ),
    row(
        &[Is("ParentNotFoundException")],
        "the organization has no such unit: correct `organization.units` or `organization.except-units`",
    ),
];

const CREDENTIALS: &[Row] = &[
    row(
        &[Starts("ExpiredToken"), Is("RequestExpired")],
        "the credentials have expired: sign in again and run it again; what is done stays done",
    ),
    only(
        Only::At(call::HEAD_BUCKET),
        &[Is("HTTP 400")],
        "S3 gives this call no reason; most likely the credentials have expired: sign in again and run it again",
    ),
    row(
        &[
            Is("InvalidClientTokenId"),
            Is("UnrecognizedClientException"),
            Is("AuthFailure"),
            Is("InvalidAccessKeyId"),
            Is("SignatureDoesNotMatch"),
        ],
        "AWS does not take these credentials in {region}: check the keys or profile, and that the region is enabled",
    ),
    row(&[Is("OptInRequired")], "enable {region} in {account}, or take it out of the member's `regions`"),
    only(
        Only::At(call::ASSUME_ROLE),
        DENIED,
        "make the role in {account} with a trust policy for the caller, or name another with `role`; the caller needs sts:AssumeRole on it",
    ),
    only(
        Only::Message("service control policy"),
        DENIED,
        "a service control policy of the organization denies {action} in {account}: ask for an exception",
    ),
    only(
        Only::Of("s3:"),
        DENIED,
        "if another account owns the bucket, choose another `hub.bucket`; if {account} does, allow {action} to the role or user",
    ),
    row(DENIED, "allow {action} to the role or user that is used in {account}"),
];

const BUCKET: &[Row] = &[
    row(&[Is("NoSuchBucket")], "the bucket is gone: run `flowagg plan` again"),
    row(&[Is("BucketAlreadyExists")], "the name is taken by another account: choose another `hub.bucket`"),
    row(&[Is("OperationAborted")], "another change to the bucket is in progress: run the command again"),
    row(
        &[Is("InvalidBucketAclWithObjectOwnership")],
        "the bucket ACL grants access to others: replace these grants with statements of the bucket policy and reset the ACL (`aws s3api put-bucket-acl --acl private`), or set `hub.object-ownership = \"keep\"`",
    ),
    row(
        &[Is("MalformedPolicy")],
        "S3 refuses the policy: `flowagg policy check` finds the cause, such as `deleted-principal`",
    ),
];

const FLOW_LOGS: &[Row] = &[
    row(
        &[Is("FlowLogsLimitExceeded")],
        "a resource has at most 250 flow logs: delete some that are not needed",
    ),
    row(&[Is("FlowLogAlreadyExists")], "one like it is there already: run `flowagg plan` again to see it"),
    row(
        &[
            Is("LogDestinationNotFound"),
            Is("LogDestinationNotFoundException"),
            Is("LogDestinationPermissionIssue"),
            Is("LogDestinationPermissionIssueException"),
        ],
        "AWS finds no bucket there or no grant in its policy: run `flowagg plan` again",
    ),
    row(&[Is("InvalidVpcID.NotFound")], "the VPC is gone: run `flowagg plan` again"),
];

const RATES: &[Row] = &[row(
    &[Contains("Throttl"), Contains("LimitExceeded"), Starts("TooManyRequests"), Is("SlowDown")],
    "AWS asks for patience: run it again; what is done stays done",
)];

impl Code {
    fn fits(&self, code: &str) -> bool {
        match self {
            Is(whole) => code == *whole,
            Starts(start) => code.starts_with(start),
            Contains(part) => code.contains(part),
        }
    }
}

impl Row {
    fn fits(&self, call: Call, code: &str, message: &str) -> bool {
        let rest = match self.only {
            Only::Any => true,
            Only::At(this) => call == this,
            Only::Of(service) => call.action.starts_with(service),
            Only::Message(part) => message.contains(part),
        };
        rest && self.codes.iter().any(|known| known.fits(code))
    }
}

fn help(call: Call, code: &str, message: &str) -> &'static str {
    let mut rows = TABLES.into_iter().flatten();
    rows.find(|row| row.fits(call, code, message)).map_or(OTHER, |row| row.help)
}

/// What to do about an error code of AWS.
pub(super) fn advice(call: Call, code: &str, message: &str) -> Advice {
    let help = help(call, code, message).replace("{action}", call.action);
    Advice::for_place(|account, region| help.replace("{account}", account).replace("{region}", region))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::fs;
    use std::path::Path;

    use snapbox::{Data, assert_data_eq};

    use super::*;

    /// The headings of the guide's tables, in its order.
    const PARTS: [(&str, &[Row]); 5] = [
        ("Credentials and roles", CREDENTIALS),
        ("Organizations", ORGANIZATIONS),
        ("The bucket", BUCKET),
        ("Flow logs", FLOW_LOGS),
        ("Rates", RATES),
    ];
    const END: &str = "<!-- end of the generated part -->\n";

    fn table(rows: &[Row]) -> String {
        let mut table = "| code | what to do |\n|---|---|\n".to_owned();
        for Row { codes, only, help } in rows {
            let codes = codes.iter().map(|code| match code {
                Is(whole) => format!("`{whole}`"),
                Starts(start) => format!("`{start}…`"),
                Contains(part) => format!("`…{part}…`"),
            });
            let only = match only {
                Only::Any => String::new(),
                Only::At(call) => format!(" at `{}`", call.name),
                Only::Of(service) => format!(" of a call that `{service}…` allows"),
                Only::Message(part) => format!(", with *{part}* in the message"),
            };
            let help = help.replace("{account}", "the account").replace("{region}", "the region");
            let help = help.replace("{action}", "the action");
            let _ = writeln!(table, "| {}{only} | {help} |", Vec::from_iter(codes).join(", "));
        }
        table
    }

    #[test]
    fn the_guide_lists_every_code_with_the_advice_that_is_printed() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide.md");
        let mut page = fs::read_to_string(&file).unwrap();
        for (title, rows) in PARTS {
            let start = format!("**{title}**\n\n<!-- generated from the error codes -->\n");
            let (before, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no part {title}"));
            let (_, after) = rest.split_once(END).unwrap();
            page = format!("{before}{start}{}{END}{after}", table(rows));
        }
        assert_data_eq!(page, Data::read_from(&file, None).raw());
        let rows = PARTS.into_iter().flat_map(|(_, rows)| rows).count();
        assert_eq!(rows, TABLES.into_iter().flatten().count(), "every row is in one table of the guide");
    }

    #[test]
    fn no_row_hides_another() {
        for row in TABLES.into_iter().flatten() {
            let call = match row.only {
                Only::At(call) => call,
                Only::Of("organizations:") => call::LIST_ACCOUNTS,
                Only::Of(_) => call::GET_POLICY,
                Only::Any | Only::Message(_) => call::CREATE_FLOW_LOGS,
            };
            let message = if let Only::Message(part) = row.only { part } else { "" };
            for Is(code) | Starts(code) | Contains(code) in row.codes {
                assert_eq!(help(call, code, message), row.help, "{code}");
            }
        }
    }
}
