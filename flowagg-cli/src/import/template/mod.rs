//! Reads the hub and the flow logs from CloudFormation templates: those that `flowagg export` writes and, as far as possible, any others.

mod flow_log;
mod hub;
mod scope;
mod text;

use std::collections::BTreeSet;

use flowagg_core::fleet::{Discovery, Organization, Part, Regions, Remark};
use flowagg_core::id::{AccountId, BucketName, OrganizationId, Region, RoleName};
use flowagg_core::observed::RegionState;
use serde_json::Value;

use self::scope::Scope;
use self::text::TextError;
pub use self::text::Unquoted;
use super::ImportError;
use crate::found::{Folder, FoundFleet, FoundMember, View};

/// A template as text, with its file name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TemplateFile {
    /// The file name.
    pub name: String,
    /// The text, in JSON or YAML.
    pub text: String,
}

impl TemplateFile {
    /// A template, with the name that errors and remarks use for it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// Values for data that templates do not contain. By default there are none, except all regions and the default role.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TemplateDefaults {
    /// The account of the bucket.
    pub hub_account: Option<AccountId>,
    /// The region of the bucket.
    pub hub_region: Option<Region>,
    /// The bucket's name.
    pub bucket: Option<BucketName>,
    /// The folder in the bucket, if it has several.
    pub folder: Option<Folder>,
    /// The accounts of the flow logs. A single account applies to all templates that do not contain one.
    pub accounts: BTreeSet<AccountId>,
    /// The regions of the flow logs. A single region applies to all templates that do not contain one.
    pub regions: Regions,
    /// The role to assume in each account.
    pub role: RoleName,
    /// The organization that stack sets deploy to.
    pub organization: Option<OrganizationId>,
}

impl Default for TemplateDefaults {
    fn default() -> Self {
        Self {
            hub_account: None,
            hub_region: None,
            bucket: None,
            folder: None,
            accounts: BTreeSet::new(),
            regions: Regions::ALL,
            role: RoleName::default(),
            organization: None,
        }
    }
}

/// A parsed template.
struct Template {
    name: String,
    value: Value,
    /// Its account, region and organization according to its description and notes.
    account: Option<AccountId>,
    region: Option<Region>,
    organization: Option<OrganizationId>,
}

/// Reads the fleet from templates.
pub fn read(sources: &[TemplateFile], defaults: &TemplateDefaults) -> Result<FoundFleet, ImportError> {
    let templates = sources.iter().map(Template::read).collect::<Result<Vec<_>, _>>()?;
    let mut remarks = Vec::new();
    let hub = hub::read(&templates, defaults, &mut remarks)?;
    let mut found = FoundFleet { role: defaults.role.clone(), remarks, ..FoundFleet::new(hub) };
    for account in &defaults.accounts {
        member(&mut found, *account);
    }
    for template in &templates {
        template.flow_logs(defaults, &mut found)?;
    }
    Ok(found)
}

fn member(found: &mut FoundFleet, account: AccountId) -> &mut FoundMember {
    found.members.entry(account).or_insert_with(|| FoundMember::new(View::FlowLogs))
}

fn remark(about: Part, text: String) -> Remark {
    Remark::new(about, text)
}

fn unreadable(file: &str, error: TextError) -> ImportError {
    let file = file.to_owned();
    match error {
        TextError::Syntax(why) => ImportError::Template { file, why },
        TextError::Unquoted(ids) => ImportError::Unquoted { file, ids },
    }
}

impl Template {
    fn read(source: &TemplateFile) -> Result<Self, ImportError> {
        let wrong = |why: String| ImportError::Template { file: source.name.clone(), why };
        let value = text::parse(&source.text).map_err(|error| unreadable(&source.name, error))?;
        if !value["Resources"].is_object() {
            return Err(wrong("it has no `Resources`".to_owned()));
        }
        Ok(Self::of(source.name.clone(), value))
    }

    /// Templates of flowagg contain their account and region in the description: `… in account ID, region REGION`.
    fn of(name: String, value: Value) -> Self {
        let notes = value["Metadata"]["Notes"].as_array().into_iter().flatten();
        let said: Vec<&str> =
            [&value["Description"]].into_iter().chain(notes).filter_map(Value::as_str).collect();
        fn after<T: std::str::FromStr>(said: &[&str], word: &str) -> Option<T> {
            said.iter().find_map(|line| {
                let words: Vec<&str> = line.split([' ', ',', ';']).filter(|it| !it.is_empty()).collect();
                words.windows(2).find_map(|pair| (pair[0] == word).then(|| pair[1].parse().ok())?)
            })
        }
        let (account, organization) = (after(&said, "account"), after(&said, "organization"));
        let region = after(&said, "region").or_else(|| after(&said, "in"));
        Self { name, account, region, organization, value }
    }

    fn resources(&self) -> impl Iterator<Item = (&String, &str, &Value)> {
        let all = self.value["Resources"].as_object().into_iter().flatten();
        all.map(|(id, resource)| (id, resource["Type"].as_str().unwrap_or_default(), &resource["Properties"]))
    }

    fn scope(
        &self,
        account: Option<AccountId>,
        region: Option<Region>,
        defaults: &TemplateDefaults,
    ) -> Scope<'_> {
        let bucket = defaults.bucket.as_ref().map(ToString::to_string);
        Scope { template: &self.value, account, region, bucket }
    }

    fn flow_logs(&self, defaults: &TemplateDefaults, found: &mut FoundFleet) -> Result<(), ImportError> {
        let one = (defaults.accounts.len() == 1).then(|| defaults.accounts.first().copied()).flatten();
        let account = self.account.or(one);
        let region = self.region.clone().or_else(|| match &defaults.regions {
            Regions::These(regions) if regions.len() == 1 => regions.first().cloned(),
            _ => None,
        });
        let is_hub = self.resources().any(|(_, kind, _)| kind == "AWS::S3::Bucket");
        let (account, region) = if is_hub {
            (Some(found.hub.account), Some(found.hub.region.clone()))
        } else {
            (account, region)
        };
        for key in ["Transform", "Rules"].into_iter().filter(|key| !self.value[key].is_null()) {
            let text = format!("{}: `{key}` is ignored, and its effects are not imported", self.name);
            found.remarks.push(remark(Part::File, text));
        }
        // The partition is always the hub's.
        let scope = self.scope(account, region.clone().or(Some(found.hub.region.clone())), defaults);
        for (id, kind, properties) in self.resources() {
            if let Some(condition) = self.value["Resources"][id]["Condition"].as_str() {
                let text = format!(
                    "{}: `{id}` is created only under the condition `{condition}`, which is assumed to be true",
                    self.name
                );
                found.remarks.push(remark(Part::File, text));
            }
            match kind {
                "AWS::EC2::FlowLog" => {
                    let log = flow_log::read(&self.name, id, &scope.resolved(properties), found)?;
                    let Some(log) = log else { continue };
                    let is_known = log.resource.known().is_some();
                    match (account, &region) {
                        (Some(account), Some(region)) if is_known => {
                            let states = &mut member(found, account).states;
                            let state: &mut RegionState = states.entry(region.clone()).or_default();
                            state.flow_logs.push(log);
                        }
                        _ => {
                            let what = if is_known {
                                "no template contains its account and region; pass `--account` and `--regions`"
                            } else {
                                "its resource is known only when the template is deployed"
                            };
                            let text = format!(
                                "{}: `{id}` is used only for the settings of flow logs: {what}",
                                self.name
                            );
                            found.remarks.push(remark(Part::FlowLogs, text));
                            found.elsewhere.push(log);
                        }
                    }
                }
                "AWS::CloudFormation::StackSet" => {
                    self.stack_set(id, &scope.resolved(properties), defaults, found)?;
                }
                "AWS::S3::Bucket" | "AWS::S3::BucketPolicy" => {}
                other => {
                    let text = format!("{}: `{id}` is a `{other}`, which is ignored", self.name);
                    found.remarks.push(remark(Part::File, text));
                }
            }
        }
        Ok(())
    }

    /// Reads the template in a stack set, which is deployed to the accounts of an organization.
    fn stack_set(
        &self,
        id: &str,
        set: &Value,
        defaults: &TemplateDefaults,
        found: &mut FoundFleet,
    ) -> Result<(), ImportError> {
        let mut remark_on = |part: Part, what: &str| {
            found.remarks.push(remark(part, format!("{}: `{id}` {what}", self.name)));
        };
        let Some(body) = set["TemplateBody"].as_str() else {
            remark_on(Part::File, "has no inline template and is not imported");
            return Ok(());
        };
        let body = text::parse(body).map_err(|error| unreadable(&self.name, error))?;
        let Some(organization) = defaults.organization.clone().or(self.organization.clone()) else {
            remark_on(
                Part::File,
                "deploys to an organization that no template contains and is not imported: pass `--organization ID`",
            );
            return Ok(());
        };
        if set["Parameters"].as_array().is_some_and(|all| !all.is_empty()) {
            remark_on(Part::File, "sets parameters, which are ignored: the template's defaults are used");
        }
        let groups: Vec<&Value> = set["StackInstancesGroup"].as_array().into_iter().flatten().collect();
        let targets: Vec<&Value> = groups.iter().map(|group| &group["DeploymentTargets"]).collect();
        if targets.iter().any(|it| !it["AccountFilterType"].is_null() || !it["Accounts"].is_null()) {
            remark_on(Part::Organization, "selects accounts within its units, which is ignored");
        }
        let mut parsed = Parsed::default();
        let units = parsed.all(targets.iter().map(|it| &it["OrganizationalUnitIds"]));
        let named: BTreeSet<Region> = parsed.all(groups.iter().map(|group| &group["Regions"]));
        for value in parsed.unused {
            remark_on(
                Part::Organization,
                &format!("contains `{value}`, which is neither a unit nor a region and is ignored"),
            );
        }
        let regions = if named.is_empty() { defaults.regions.clone() } else { Regions::These(named) };
        let mut organization = Organization::new(organization);
        organization.units = units;
        organization.discovery = Some(Discovery::new(regions, defaults.role.clone()));
        found.organization = Some(organization);
        Self::of(self.name.clone(), body).flow_logs(defaults, found)
    }
}

/// Parses lists of names and collects invalid values.
#[derive(Default)]
struct Parsed {
    unused: Vec<String>,
}

impl Parsed {
    fn all<'v, T: Ord + std::str::FromStr>(&mut self, lists: impl Iterator<Item = &'v Value>) -> BTreeSet<T> {
        let mut all = BTreeSet::new();
        for value in lists.flat_map(|list| list.as_array().into_iter().flatten()) {
            match value.as_str().map(str::parse) {
                Some(Ok(name)) => drop(all.insert(name)),
                _ => self.unused.push(value.as_str().map_or(value.to_string(), str::to_owned)),
            }
        }
        all
    }
}
