//! Options and environment variables that control how AWS is reached.

use std::env::{self, VarError};

/// An option, an environment variable or an AWS configuration key with an invalid value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
#[non_exhaustive]
pub struct SettingError {
    /// The option, variable or key.
    pub name: String,
    /// What is wrong with the value. User names and passwords in URLs are redacted.
    pub what: String,
    /// How to fix it.
    pub help: String,
}

impl SettingError {
    pub(super) fn new(name: impl Into<String>, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { name: name.into(), what: what.into(), help: help.into() }
    }
}

/// The variable for a file of trusted certificates that replaces the machine's.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// Checks that the file of trusted certificates contains at least one. Otherwise no endpoint would be trusted.
pub(super) fn check_certificates() -> Result<(), SettingError> {
    let Some(path) = env::var_os(CERTIFICATES) else { return Ok(()) };
    let what = match std::fs::read(&path) {
        Err(error) => format!("`{}` cannot be read: {error}", path.display()),
        Ok(text) if !String::from_utf8_lossy(&text).contains("-----BEGIN ") => {
            format!("`{}` contains no PEM certificate", path.display())
        }
        Ok(_) => return Ok(()),
    };
    Err(SettingError::new(CERTIFICATES, what, "set SSL_CERT_FILE to a PEM file of certificates, or unset it"))
}

/// The value of a variable, possibly empty; `None` if it is not set.
pub(super) fn raw(name: &str) -> Result<Option<String>, SettingError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(SettingError::new(name, "the value is not valid UTF-8", format!("correct or unset {name}")))
        }
    }
}

/// The value of a variable. As in the AWS CLI, an empty value counts as not set.
pub(super) fn variable(name: &str) -> Result<Option<String>, SettingError> {
    Ok(raw(name)?.filter(|value| !value.is_empty()))
}

/// The URL with its user name and password redacted.
pub(super) fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, host)| format!("***@{host}"));
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_credentials_are_redacted() {
        for (url, shown) in [
            ("http://localhost:4566", "http://localhost:4566"),
            ("http://user:p@ss@proxy.example:8080/a@b", "http://***@proxy.example:8080/a@b"),
            ("https://token@aws.example", "https://***@aws.example"),
            ("https://aws.example?a@b", "https://aws.example?a@b"),
            ("user:pass@proxy:8080", "***@proxy:8080"),
            ("no url", "no url"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }
}
