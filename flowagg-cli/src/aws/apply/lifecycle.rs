//! Writes the bucket's lifecycle configuration as the XML in the plan, so that elements that flowagg does not know are written back
//! unchanged.

use std::borrow::Cow;

use aws_sdk_s3::types::{BucketLifecycleConfiguration, TransitionDefaultMinimumObjectSize};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use flowagg_core::failure::Failure;
use flowagg_core::lifecycle::{LifecycleDocument, LifecycleError, foreign_losses};
use flowagg_core::observed;
use flowagg_core::plan::{HubChange, LifecycleChange, Subject};
use flowagg_policy::Plan;

use super::bucket::Bucket;
use super::done::Did;
use super::replace::{Left, NotWritten, Pauses, Replaced, WholeDocument, Words, no_retries, replace};
use crate::aws::call::*;
use crate::aws::failure::At;
use crate::aws::observe;

/// The lifecycle configuration of the hub bucket.
pub(super) struct Lifecycle<'a>(pub(super) &'a Bucket<'a>);

impl Lifecycle<'_> {
    /// Writes the planned configuration, planning again if it has changed in the meantime. `left` is set if it is written.
    pub(super) async fn settle(&self, left: &mut Option<Left<Option<LifecycleDocument>>>) -> Replaced<Did> {
        let current = Found(self.planned().and_then(|change| change.replaces.clone()));
        let replaced = replace(self, current, Pauses::S3).await;
        replaced.keep_in(left, |write| write.document.clone());
        replaced.map(|write| write.did)
    }

    fn planned(&self) -> Option<&LifecycleChange> {
        self.0.plan.hub().iter().find_map(change)
    }

    /// The plan, made again if the configuration is not the one that it was made from.
    fn planned_for(&self, current: Option<&LifecycleDocument>) -> Result<Cow<'_, Plan>, Failure> {
        if self.planned().is_some_and(|change| change.replaces.as_ref() == current) {
            return Ok(Cow::Borrowed(self.0.plan));
        }
        let lifecycle = current.cloned();
        let now = |mut bucket: observed::Bucket| {
            bucket.lifecycle = lifecycle;
            bucket
        };
        self.0.planned_again(&Self::WORDS, now).map(Cow::Owned)
    }

    fn refused(&self, message: impl Into<String>, help: impl Into<String>) -> Failure {
        self.0.at.failed(PUT_LIFECYCLE, None, message, help.into())
    }

    fn unreadable(&self, error: &LifecycleError) -> Failure {
        self.refused(error.to_string(), error.help())
    }
}

impl WholeDocument for Lifecycle<'_> {
    type State = Found;
    type Write = LifecycleWrite;

    const WORDS: Words = Words {
        document: "lifecycle configuration",
        part: "rule",
        about: Subject::Bucket,
        call: PUT_LIFECYCLE,
    };

    fn at(&self) -> &At {
        &self.0.at
    }

    async fn read(&self) -> Result<Self::State, Failure> {
        observe::lifecycle(&self.0.s3, &self.0.fleet.hub, &self.0.at).await.map(Found)
    }

    fn compute(&self, Found(current): &Self::State) -> Result<Option<LifecycleWrite>, Failure> {
        Ok(self.planned_for(current.as_ref())?.hub().iter().find_map(LifecycleWrite::of))
    }

    async fn write(&self, LifecycleWrite { document, .. }: &LifecycleWrite) -> Result<(), NotWritten> {
        let (bucket, owner) = (self.0.name(), self.0.owner());
        let Some(LifecycleDocument { text, minimum_object_size, .. }) = document else {
            let request = self.0.s3.delete_bucket_lifecycle().bucket(bucket).expected_bucket_owner(owner);
            let answer = request.customize().config_override(no_retries()).send().await;
            return answer.map(drop).map_err(|error| NotWritten::of(&self.0.at, DELETE_LIFECYCLE, &error));
        };
        let size = minimum_object_size.as_deref().map(TransitionDefaultMinimumObjectSize::from);
        // A placeholder: `Body` replaces it with `text`.
        let instead = BucketLifecycleConfiguration::builder().set_rules(Some(Vec::new())).build();
        let instead = instead.map_err(|error| {
            let help = "this is a bug in flowagg: please report it";
            NotWritten::Refused(self.refused(error.to_string(), help))
        })?;
        let request = self
            .0
            .s3
            .put_bucket_lifecycle_configuration()
            .bucket(bucket)
            .expected_bucket_owner(owner)
            .set_transition_default_minimum_object_size(size)
            .lifecycle_configuration(instead);
        let request = request.customize().config_override(no_retries()).interceptor(Body(text.clone()));
        request.send().await.map(drop).map_err(|error| NotWritten::of(&self.0.at, PUT_LIFECYCLE, &error))
    }

    fn holds(&self, Found(current): &Self::State, write: &LifecycleWrite) -> bool {
        holds(current.as_ref(), write.document.as_ref())
    }

    fn losses(&self, write: &LifecycleWrite, now: &Self::State) -> Result<Vec<String>, Failure> {
        foreign_losses(write.document.as_ref(), now.0.as_ref(), &self.0.fleet.name())
            .map_err(|error| self.unreadable(&error))
    }
}

/// The configuration that S3 returned. Equal if the rules and the header are equal, in any order.
#[derive(Debug)]
pub(super) struct Found(Option<LifecycleDocument>);

impl PartialEq for Found {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => one == other || one.is_same_as(other).unwrap_or(false),
            (one, other) => one == other,
        }
    }
}

/// Whether S3 returns what was written. S3 may add the default value of the header.
pub(super) fn holds(current: Option<&LifecycleDocument>, written: Option<&LifecycleDocument>) -> bool {
    match (current, written) {
        (Some(current), Some(written)) => {
            let minimum_object_size =
                written.minimum_object_size.as_ref().and(current.minimum_object_size.clone());
            let mut current = current.clone();
            current.minimum_object_size = minimum_object_size;
            current.is_same_as(written).unwrap_or(false)
        }
        (current, written) => current == written,
    }
}

/// A configuration to write, and the change to report once it is written.
#[derive(Debug)]
pub(super) struct LifecycleWrite {
    /// `None` deletes the configuration.
    document: Option<LifecycleDocument>,
    did: Did,
}

impl LifecycleWrite {
    /// `None` for other changes.
    fn of(change: &HubChange) -> Option<Self> {
        let LifecycleChange { write, set, removed, .. } = self::change(change)?;
        let did = Did::SetLifecycle { set: set.clone(), removed: removed.clone() };
        Some(Self { document: write.clone(), did })
    }
}

fn change(change: &HubChange) -> Option<&LifecycleChange> {
    match change {
        HubChange::SetLifecycle(change) | HubChange::RemoveLifecycle(change) => Some(change),
        _ => None,
    }
}

/// Replaces the serialized body with this XML before the request is signed.
#[derive(Debug)]
struct Body(String);

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "SendTheBody"
    }

    /// Runs before the SDK computes the body's checksum.
    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        *request.body_mut() = SdkBody::from(self.0.as_str());
        request.headers_mut().try_insert("content-length", self.0.len().to_string())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
