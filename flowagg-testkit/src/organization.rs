//! An organization on [moto](crate::emulator::Moto), with units and accounts, and the real `flowagg` program running as
//! its management account.

use std::ffi::OsStr;

use aws_credential_types::Credentials;
use aws_sdk_organizations::types::OrganizationFeatureSet;
use aws_types::SdkConfig;
use flowagg_core::id::{AccountId, OrganizationId, OrganizationalUnitId, Partition, Region, RoleName};
use tempfile::TempDir;

use crate::aws::{self, AwsError};
use crate::emulator::Moto;
use crate::world::{self, Ran, WorldError, fresh_account};

/// An organization with a fresh management account, so that any number of them can share one server.
#[derive(Debug)]
pub struct MotoOrganization {
    url: String,
    /// The endpoint of the program.
    endpoint: String,
    folder: TempDir,
    management: AccountId,
    region: Region,
    /// Credentials of the management account.
    credentials: Credentials,
    client: aws_sdk_organizations::Client,
    id: OrganizationId,
    root: String,
}

impl MotoOrganization {
    /// The region of AWS Organizations in the commercial partition.
    ///
    /// Source: "AWS Organizations endpoints and quotas" (AWS General Reference).
    pub const REGION: &str = "us-east-1";

    /// An organization with all features, a root and only its management account.
    pub async fn found(moto: &Moto) -> Result<Self, WorldError> {
        let management = fresh_account();
        let region = Region::parse(Self::REGION)?;
        // Anyone can assume any role in moto, so the first caller can be any account.
        let nobody = aws::credentials(management);
        let credentials = assume_role(moto.url(), nobody, management, &region).await?;
        let client =
            aws_sdk_organizations::Client::new(&aws::config(moto.url(), credentials.clone(), &region));
        let create = client.create_organization().feature_set(OrganizationFeatureSet::All).send().await;
        let made = create.map_err(AwsError::during("CreateOrganization", management, &region))?.organization;
        let id = OrganizationId::parse(&made.and_then(|made| made.id).unwrap_or_default())?;
        let roots = client.list_roots().send().await;
        let roots = roots.map_err(AwsError::during("ListRoots", management, &region))?;
        let root = roots.roots().first().and_then(|root| root.id.clone()).unwrap_or_default();
        let folder = tempfile::Builder::new().prefix("flowagg-organization-").tempdir();
        let folder = folder.map_err(|error| WorldError::Io("a temporary folder".into(), error))?;
        let (url, endpoint) = (moto.url().to_owned(), moto.url().to_owned());
        Ok(Self { url, endpoint, folder, management, region, credentials, client, id, root })
    }

    /// The ID of the organization.
    pub fn id(&self) -> &OrganizationId {
        &self.id
    }

    /// The ID of its root, which contains all units and accounts.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Its management account.
    pub fn management(&self) -> AccountId {
        self.management
    }

    /// Organizations client for the management account.
    pub fn client(&self) -> &aws_sdk_organizations::Client {
        &self.client
    }

    /// Creates an organizational unit in another one, or in the root.
    pub async fn unit(
        &self,
        name: &str,
        under: Option<&OrganizationalUnitId>,
    ) -> Result<OrganizationalUnitId, WorldError> {
        let create = self.client.create_organizational_unit().name(name).parent_id(self.parent(under));
        let unit = create.send().await.map_err(self.failed("CreateOrganizationalUnit"))?;
        let id = unit.organizational_unit.and_then(|unit| unit.id).unwrap_or_default();
        Ok(OrganizationalUnitId::parse(&id)?)
    }

    /// Creates an account in a unit, or in the root.
    pub async fn account(
        &self,
        name: &str,
        under: Option<&OrganizationalUnitId>,
    ) -> Result<AccountId, WorldError> {
        let email = format!("{name}@example.com");
        let create = self.client.create_account().account_name(name).email(email).send().await;
        let status = create.map_err(self.failed("CreateAccount"))?.create_account_status;
        let id = AccountId::parse(&status.and_then(|status| status.account_id).unwrap_or_default())?;
        if under.is_some() {
            self.put(id, under).await?;
        }
        Ok(id)
    }

    /// Moves an account to a unit, or to the root.
    pub async fn put(
        &self,
        account: AccountId,
        under: Option<&OrganizationalUnitId>,
    ) -> Result<(), WorldError> {
        let parents = self.client.list_parents().child_id(account.to_string()).send().await;
        let parents = parents.map_err(self.failed("ListParents"))?;
        let from = parents.parents().first().and_then(|parent| parent.id.clone());
        let put = self.client.move_account().account_id(account.to_string()).set_source_parent_id(from);
        let put = put.destination_parent_id(self.parent(under)).send().await;
        put.map(drop).map_err(self.failed("MoveAccount"))?;
        Ok(())
    }

    /// Closes an account.
    pub async fn close(&self, account: AccountId) -> Result<(), WorldError> {
        let close = self.client.close_account().account_id(account.to_string()).send().await;
        close.map(drop).map_err(self.failed("CloseAccount"))?;
        Ok(())
    }

    /// Credentials of an account, obtained by the management account.
    pub async fn credentials_of(&self, account: AccountId) -> Result<Credentials, WorldError> {
        Ok(assume_role(&self.url, self.credentials.clone(), account, &self.region).await?)
    }

    /// Organizations client for another account.
    pub async fn organizations_as(
        &self,
        account: AccountId,
    ) -> Result<aws_sdk_organizations::Client, WorldError> {
        Ok(aws_sdk_organizations::Client::new(&self.config_of(account, &self.region).await?))
    }

    /// EC2 client for an account and region.
    pub async fn ec2(&self, account: AccountId, region: &Region) -> Result<aws_sdk_ec2::Client, WorldError> {
        Ok(aws_sdk_ec2::Client::new(&self.config_of(account, region).await?))
    }

    /// S3 client for an account and region.
    pub async fn s3(&self, account: AccountId, region: &Region) -> Result<aws_sdk_s3::Client, WorldError> {
        Ok(aws::s3(&self.config_of(account, region).await?))
    }

    /// Sets another endpoint for the program, such as one of [`faults`](crate::faults) in front of the server.
    pub fn send_program_to(&mut self, url: &str) {
        url.clone_into(&mut self.endpoint);
    }

    /// URL of the server.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs the real program with this fleet file as the management account, with no other environment variables.
    pub async fn flowagg(
        &self,
        fleet_file: &str,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Ran, WorldError> {
        world::run(self.folder.path(), fleet_file, self.environment(), args).await
    }

    /// The environment variables that make a program run as the management account.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let session = self.credentials.session_token().unwrap_or_default();
        vec![
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", self.credentials.access_key_id().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", self.credentials.secret_access_key().to_owned()),
            ("AWS_SESSION_TOKEN", session.to_owned()),
            ("AWS_REGION", Self::REGION.to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    async fn config_of(&self, account: AccountId, region: &Region) -> Result<SdkConfig, WorldError> {
        Ok(aws::config(&self.url, self.credentials_of(account).await?, region))
    }

    fn parent<'a>(&'a self, under: Option<&'a OrganizationalUnitId>) -> &'a str {
        under.map_or(self.root.as_str(), |unit| unit.as_str())
    }

    fn failed<E: std::error::Error>(&self, call: &'static str) -> impl FnOnce(E) -> AwsError {
        AwsError::during(call, self.management, &self.region)
    }
}

async fn assume_role(
    url: &str,
    caller: Credentials,
    account: AccountId,
    region: &Region,
) -> Result<Credentials, AwsError> {
    let sts = aws_sdk_sts::Client::new(&aws::config(url, caller, region));
    let role = RoleName::default().arn(Partition::Aws, account);
    let assume = sts.assume_role().role_arn(role).role_session_name("flowagg-testkit").send().await;
    let given = assume.map_err(AwsError::during("AssumeRole", account, region))?.credentials;
    let given = given.map(|given| {
        let (id, secret) = (given.access_key_id, given.secret_access_key);
        Credentials::new(id, secret, Some(given.session_token), None, "flowagg-testkit")
    });
    given.ok_or_else(|| AwsError {
        call: "AssumeRole",
        account,
        region: region.clone(),
        why: "the response has no credentials".into(),
    })
}
