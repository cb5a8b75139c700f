//! Prints a table of the number of accounts that fit in each form.
//!
//! `cargo run -p flowagg-policy --example capacity`

use std::error::Error;
use std::fmt::Write;

use flowagg_core::fleet::{GrantForm, PolicySettings};
use flowagg_core::id::{BucketName, FleetName, OrganizationId, Partition};
use flowagg_policy::{Grant, GrantedOrganization, capacity};

/// Returns the table for a bucket name of 20 characters, in a policy with no other statements.
pub(crate) fn table() -> Result<String, Box<dyn Error>> {
    let mut out = String::from(
        "| form | accounts that fit | policy bytes | bytes per account | each account bound to its own folder |\n\
         | --- | ---: | ---: | ---: | --- |\n",
    );
    let prefixes = |settings: PolicySettings, name| (GrantForm::Prefixes, settings, name);
    let plain = PolicySettings::default;
    let mut unconditional = plain();
    unconditional.source_conditions = false;
    let rows = [
        prefixes(unconditional, "`prefixes`, `source-conditions = false`"),
        prefixes(plain(), "`prefixes`"),
        (GrantForm::Accounts, plain(), "`accounts`"),
        (GrantForm::Organization, plain(), "`organization`"),
        (GrantForm::BoundAccounts, plain(), "`bound-accounts`"),
        (GrantForm::BoundDeny, plain(), "`bound-deny`"),
        (GrantForm::BoundOrganization, plain(), "`bound-organization`"),
    ];
    for (form, settings, name) in rows {
        let fleet = FleetName::parse("flow-logs-bucket-001")?;
        let bucket = BucketName::parse("flow-logs-bucket-001")?;
        let mut grant = Grant::new(fleet, Partition::Aws, bucket);
        grant.organization = Some(GrantedOrganization::whole(OrganizationId::parse("o-a1b2c3d4e5")?));
        grant.settings = settings;
        let fits = capacity(None, &grant, form)?;
        let accounts = fits.accounts.map_or("any number".to_owned(), |accounts| accounts.to_string());
        let bound =
            matches!(form, GrantForm::BoundAccounts | GrantForm::BoundDeny | GrantForm::BoundOrganization);
        let (bytes, more, bound) = (fits.bytes, fits.bytes_per_account, if bound { "yes" } else { "no" });
        writeln!(out, "| {name} | {accounts} | {bytes} | {more} | {bound} |")?;
    }
    Ok(out)
}

#[allow(
    dead_code,
    clippy::print_stdout,
    reason = "the test that compares the table with the README does not use `main`; this example prints its result"
)]
fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", table()?);
    Ok(())
}
