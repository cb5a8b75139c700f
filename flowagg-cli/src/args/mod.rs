//! The command line.

#[cfg(all(feature = "athena", feature = "query"))]
mod athena;
mod export;
mod hint;
mod import;
mod init;
mod metrics;
mod policy;
#[cfg(feature = "query")]
mod query;
mod report;
mod schema;
mod target;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;
use flowagg_core::fleet::Only;
use flowagg_core::id::Region;
use flowagg_policy::StatementRef;
use jiff::SignedDuration;

use crate::Exit;
use crate::aws::Connection;

#[cfg(all(feature = "athena", feature = "query"))]
pub(crate) use athena::Engine;
pub(crate) use export::{CloudformationArgs, ExportVerb, OutputArgs, TerraformArgs};
use hint::hinted;
pub(crate) use import::ImportArgs;
pub(crate) use init::InitArgs;
pub(crate) use metrics::{Lines, MetricsArgs};
pub(crate) use policy::{BuildArgs, CheckArgs, DiffArgs, MergeArgs, PolicyVerb, SimulateArgs, SizeArgs};
#[cfg(feature = "query")]
pub(crate) use query::{QueryArgs, QueryTime};
pub(crate) use report::ReportArgs;
pub(crate) use schema::Described;
pub(crate) use target::Target;

/// Collect the VPC Flow Logs of many AWS accounts in one S3 bucket
///
/// Declare the fleet in `flowagg.toml`. `plan` shows what differs, `apply` makes exactly those changes, and `verify` checks that every
/// flow log delivers.
#[derive(Debug, Parser)]
#[command(name = "flowagg", version, max_term_width = 100, after_help = examples())]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// The raw command line, including the program name.
    #[cfg(feature = "query")]
    #[arg(skip)]
    pub(crate) words: Vec<OsString>,
}

impl Args {
    /// Parses a command line, whose first word is the program name.
    pub(crate) fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let args = Self::try_parse_from(words).map_err(|error| hinted(error, words))?;
        #[cfg(feature = "query")]
        let args = Self { words: words.to_owned(), ..args };
        Ok(args)
    }

    /// Whether JSON is written to a file or an object instead of standard output.
    pub(crate) fn writes_json_into_file(&self) -> bool {
        matches!(&self.verb, Verb::Report(ReportArgs { json: Some(Some(_)), .. }))
    }
}

const EXAMPLES: &str = "\
Examples:
  flowagg plan                      show what would change
  flowagg apply                     apply the plan after confirmation
  flowagg verify --wait 30m         wait until every flow log delivers
  flowagg policy check < live.json  check a bucket policy, offline

Exit codes:
";

/// The examples and the meaning of each exit code.
fn examples() -> String {
    let mut text = EXAMPLES.to_owned();
    for exit in Exit::ALL {
        let first = format!("  {:<5}", exit as u8);
        let options = textwrap::Options::new(80).initial_indent(&first).subsequent_indent("       ");
        text += &textwrap::fill(exit.meaning(), options);
        text.push('\n');
    }
    text
}

/// The default path of the fleet file.
pub(crate) const FLEET_FILE: &str = "flowagg.toml";

#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// Read this fleet file
    #[arg(short, long, global = true, value_name = "FILE", default_value = FLEET_FILE)]
    pub(crate) config: PathBuf,
    /// Send all AWS calls to this endpoint [env: AWS_ENDPOINT_URL]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
    /// Use the credentials of this profile [env: AWS_PROFILE]
    ///
    /// With this option, credentials in environment variables are ignored.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Region for the first calls to AWS STS [default: the hub's region]
    ///
    /// These calls identify the caller and assume roles.
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<Region>,
    /// Timeout for each attempt of an AWS call
    ///
    /// Calls that time out are retried.
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, default_value = "20s")]
    pub(crate) call_timeout: Duration,
    /// Log every AWS call to standard error (-vv for more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Select a member (account ID or name) or a region; can be repeated
    ///
    /// The default is the whole fleet. The hub is always read.
    #[arg(long, global = true, value_name = "ACCOUNT|NAME|REGION")]
    pub(crate) only: Vec<Only>,
}

impl GlobalArgs {
    pub(crate) fn connection(&self) -> Connection {
        let mut connection = Connection::default();
        connection.endpoint_url = self.endpoint_url.clone();
        connection.call_timeout = self.call_timeout;
        connection.profile.clone_from(&self.profile);
        connection.region.clone_from(&self.region);
        connection
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Create a fleet file
    ///
    /// Writes `flowagg.toml`, or the file that `--config` names, and changes nothing in AWS. In a terminal, `init` prompts for values that
    /// are not given as options, with defaults from your AWS credentials. Without a terminal, a required value that is neither given as
    /// an option nor known from the credentials is an error. If a bucket already contains flow logs, start with `flowagg import`.
    #[command(after_help = init::EXAMPLES)]
    Init(InitArgs),
    /// Show what `apply` would change
    ///
    /// Compares the fleet file with AWS. `plan` writes nothing.
    #[command(after_help = "\
Examples:
  flowagg plan
  flowagg plan --exit-code         exit with 3 if anything differs (for CI)
  flowagg plan --json | jq .hub    the changes to the hub as JSON
  flowagg plan --markdown | gh pr comment --body-file -
  flowagg -c emea.toml plan        use another fleet file")]
    Plan(PlanArgs),
    /// Apply the plan after confirmation
    ///
    /// Changes the bucket first, then its policy, then the flow logs. Afterwards AWS is read again, and remaining differences are
    /// reported. A failure in one account does not stop the others.
    #[command(after_help = "\
Examples:
  flowagg apply
  flowagg apply --yes              apply without confirmation
  flowagg apply --prune            also revoke accounts not in the fleet file")]
    Apply(ApplyArgs),
    /// Check that every flow log delivers to the bucket
    #[command(after_help = "\
Examples:
  flowagg verify                   check once
  flowagg verify --wait 30m        check until all deliver, for up to 30 minutes
  flowagg verify --all             list every flow log with its newest object
  flowagg verify --json            print JSON, one entry per flow log

Exit codes:
  0  everything was read, and every flow log delivers or is idle
  1  something could not be read
  3  a flow log is silent, missing, failing or still waiting")]
    Verify(VerifyArgs),
    /// Check the prerequisites of `apply`
    ///
    /// Checks credentials, roles, the bucket, its policy and its key, and, with EC2 dry runs, the permissions to create flow logs.
    /// `doctor` changes nothing.
    #[command(after_help = "\
Examples:
  flowagg doctor
  flowagg doctor --only 222222222222
  flowagg doctor --json            print JSON, one entry per check")]
    Doctor(DoctorArgs),
    /// Report coverage, recent deliveries, policy size and findings
    #[command(after_help = report::EXAMPLES)]
    Report(ReportArgs),
    /// Delete flowagg's flow logs and policy statements
    ///
    /// Also deletes the fleet's lifecycle rules. The bucket, its objects and everything that flowagg does not manage are kept.
    #[command(after_help = "\
Examples:
  flowagg destroy                  show the deletions, then ask for confirmation
  flowagg destroy --yes            delete without confirmation")]
    Destroy(ConsentArgs),
    /// Print the minimal IAM policies that flowagg needs for this fleet
    ///
    /// `permissions` reads only the fleet file and makes no AWS calls.
    #[command(after_help = "\
Examples:
  flowagg permissions
  flowagg permissions --json | jq .member > member-role.json")]
    Permissions(PermissionsArgs),
    /// Export the fleet to CloudFormation, Terraform or Athena
    #[command(subcommand)]
    Export(ExportVerb),
    /// Create a fleet file from an existing bucket or from templates
    ///
    /// Reads a live bucket and its accounts, or CloudFormation templates. Read the bucket with credentials of the account that owns it.
    /// Settings that a fleet file cannot express are written as comments in the file and as notes on standard error. If an account could
    /// not be read, the file is written anyway, and the exit code is 1.
    #[command(after_help = import::EXAMPLES)]
    Import(ImportArgs),
    /// Query the flow logs with named questions or SQL
    ///
    /// By default, flow log objects are downloaded from the bucket, or read from a folder, and queried on this machine, without any
    /// other service. The SQL table is `vpc_flow_logs`. Without `--from`, records from the last hour are read. With `--engine athena`, the
    /// query runs in Amazon Athena in the hub account, on the table of `flowagg export athena`, after flowagg prints how much it
    /// scans and what that costs, and prompts for confirmation.
    #[cfg(feature = "query")]
    #[command(after_help = query::EXAMPLES)]
    Query(QueryArgs),
    /// Build, merge, compare, check and simulate bucket policies
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// Print the JSON Schema of the fleet file or of JSON output
    ///
    /// To validate the fleet file in an editor, save its schema as `flowagg.schema.json` and make
    /// `#:schema ./flowagg.schema.json` the first line of `flowagg.toml`.
    #[command(after_help = schema::EXAMPLES)]
    Schema {
        /// The document that the schema describes
        #[arg(value_name = "DOCUMENT", default_value = "fleet-file")]
        of: Described,
    },
    /// Print a shell completion script
    #[command(after_help = "\
Examples:
  flowagg completions bash > ~/.local/share/bash-completion/completions/flowagg
  flowagg completions zsh > ~/.zfunc/_flowagg
  flowagg completions fish > ~/.config/fish/completions/flowagg.fish")]
    Completions {
        /// The shell to complete for
        shell: Shell,
    },
    /// Write man pages, one for each command
    #[command(after_help = "\
Examples:
  flowagg man --out ~/.local/share/man/man1
  man flowagg-plan")]
    Man {
        /// Write the man pages to this folder
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PlanArgs {
    /// Print the plan as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the plan as Markdown, e.g. for a pull request comment
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Exit with 3 if anything differs
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// List every change and everything that stays unchanged
    #[arg(long, conflicts_with_all = ["json", "markdown"])]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) terms: TermsArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) consent: ConsentArgs,
    #[command(flatten)]
    pub(crate) terms: TermsArgs,
}

/// Changes that a plan makes only if they are allowed explicitly.
#[derive(Debug, ClapArgs)]
pub(crate) struct TermsArgs {
    /// Also revoke accounts and delete flow logs not in the fleet file
    ///
    /// Only flow logs that flowagg manages are deleted.
    #[arg(long)]
    pub(crate) prune: bool,
    /// Replace a foreign policy statement with the fleet's grant
    ///
    /// Name the statement by its Sid, or by its number as in `#3`. A statement is not replaced if a known delivery would stop.
    #[arg(long, value_name = "STATEMENT")]
    pub(crate) adopt: Vec<StatementRef>,
    /// Adopt even if an account, region or folder could not be read
    #[arg(long, requires = "adopt")]
    pub(crate) adopt_unchecked: bool,
    /// Allow lifecycle rules that expire existing objects sooner
    #[arg(long)]
    pub(crate) allow_expiry: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ConsentArgs {
    /// Skip the confirmation
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Print the result as JSON; requires --yes
    #[arg(long, requires = "yes")]
    pub(crate) json: bool,
    /// List every change and everything that stays unchanged
    #[arg(long, conflicts_with = "json")]
    pub(crate) all: bool,
    /// Stop starting new account-regions after N failures
    #[arg(long, value_name = "N")]
    pub(crate) max_failures: Option<NonZeroUsize>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct VerifyArgs {
    /// Wait up to this long for every flow log to deliver (30m, 1h)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) wait: Option<Duration>,
    /// Report a new flow log without objects as `waiting` for this long
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30m")]
    pub(crate) grace: Duration,
    /// Maximum age of the newest object of a delivering flow log
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1h")]
    pub(crate) fresh: Duration,
    /// List every flow log with its newest object
    #[arg(long, conflicts_with = "json")]
    pub(crate) all: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct DoctorArgs {
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct PermissionsArgs {
    /// Include the permissions for `flowagg query`
    ///
    /// They allow reading objects and looking up names and NAT gateways.
    #[arg(long)]
    pub(crate) query: bool,
    /// Print all policies as one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Parses `90s`, `15m` or `1h30m`.
fn duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration =
        text.parse().map_err(|_| "expected a duration such as 90s, 15m or 1h".to_owned())?;
    Duration::try_from(duration).map_err(|_| "the duration must not be negative".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_definition_is_valid() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }

    #[test]
    fn config_option_is_accepted_before_and_after_the_command() {
        for args in [["flowagg", "-c", "a.toml", "plan"], ["flowagg", "plan", "-c", "a.toml"]] {
            assert_eq!(Args::parse_from(args).global.config, PathBuf::from("a.toml"));
        }
    }

    /// Collects every command without subcommands, with its path.
    fn verbs(of: &clap::Command, above: &[String], found: &mut Vec<(Vec<String>, clap::Command)>) {
        for verb in of.get_subcommands().filter(|verb| verb.get_name() != "help") {
            let path = [above, &[verb.get_name().to_owned()]].concat();
            verbs(verb, &path, found);
            if !verb.has_subcommands() {
                found.push((path, verb.clone()));
            }
        }
    }

    #[test]
    fn every_command_has_examples_that_parse_as_that_command() {
        use clap::CommandFactory;
        let mut found = Vec::new();
        verbs(&Args::command(), &["flowagg".to_owned()], &mut found);
        assert!(found.len() >= 20, "{}", found.len());
        for (path, verb) in found {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let words = path.join(" ");
            let (_, examples) =
                help.split_once("Examples:\n").unwrap_or_else(|| panic!("{words}: no examples"));
            let (examples, _) = examples.split_once("\n\n").unwrap_or((examples, ""));
            let long = examples.lines().find(|line| line.chars().count() > 80);
            assert_eq!(long, None, "{words}: wider than a terminal of 80 columns");
            let examples = examples.replace(" \\\n    ", " ");
            let commands: Vec<&str> = examples
                .split(['\n', '|'])
                .map(str::trim)
                .filter(|part| part.starts_with("flowagg "))
                .filter_map(|part| part.split("  ").next()?.split(['<', '>']).next())
                .collect();
            assert!(
                commands.iter().any(|command| command.starts_with(&words)),
                "{words}: no example of itself"
            );
            for command in commands {
                let read = Args::try_parse_from(shlex::split(command).unwrap());
                assert!(read.is_ok(), "`{command}` does not parse: {}", read.unwrap_err());
            }
        }
    }

    #[test]
    fn durations_are_parsed() {
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("0s"), Ok(Duration::ZERO));
        assert!(duration("-1m").is_err() && duration("soon").is_err() && duration("15").is_err());
    }
}
