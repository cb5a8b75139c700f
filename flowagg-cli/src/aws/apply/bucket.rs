//! The hub bucket that a plan is applied to.

use aws_sdk_s3::Client;
use flowagg_core::failure::Failure;
use flowagg_core::fleet::Fleet;
use flowagg_core::observed::{self, Observed};
use flowagg_core::plan::Concern;
use flowagg_policy::Plan;

use super::replace::Words;
use crate::aws::Account;
use crate::aws::failure::At;

/// The hub bucket with a client and the plan.
pub(super) struct Bucket<'a> {
    pub(super) s3: Client,
    pub(super) fleet: &'a Fleet,
    pub(super) at: At,
    /// The state that the plan was made from.
    pub(super) observed: &'a Observed,
    pub(super) plan: &'a Plan,
}

impl<'a> Bucket<'a> {
    /// `observed` must be the state that the plan was made from.
    pub(super) fn new(fleet: &'a Fleet, account: &Account, observed: &'a Observed, plan: &'a Plan) -> Self {
        let at = At::new(fleet.hub.place()).about(&fleet.hub.bucket);
        Self { s3: account.s3(&fleet.hub.region), fleet, at, observed, plan }
    }

    pub(super) fn name(&self) -> &str {
        self.fleet.hub.bucket.as_str()
    }

    pub(super) fn owner(&self) -> String {
        self.fleet.hub.account.to_string()
    }

    /// Plans again for the current state of the bucket: the observed one with `change`. Fails if the new plan has an obstacle.
    pub(super) fn planned_again(
        &self,
        document: &Words,
        change: impl FnOnce(observed::Bucket) -> observed::Bucket,
    ) -> Result<Plan, Failure> {
        let before = self.observed.bucket.as_ref().ok().and_then(Option::as_ref);
        let bucket = change(before.cloned().unwrap_or_default());
        let Observed { key, scope, .. } = self.observed;
        let mut hub = Observed::new(Ok(Some(bucket)));
        hub.key = key.clone();
        hub.scope = scope.clone();
        let plan = self.plan.again(self.fleet, &hub);
        match plan.obstacles().first() {
            Some(Concern { what, help, .. }) => Err(self.at.failed(
                document.call,
                None,
                format!("the {} was changed after the plan was made: {what}", document.document),
                help.clone(),
            )),
            None => Ok(plan),
        }
    }
}
